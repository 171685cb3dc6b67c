// Nothing to call: start.c runs by itself.
