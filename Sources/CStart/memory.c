// Where the system gives no memory to the runtimes of Swift and C++, they abort. What this program takes
// itself is asked for and refused with an error; what those take for themselves, tens of bytes at a time,
// can only end here: with an error and exit code 1, like any other failure.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// What comes of it: abort, and where a runtime uses what it didn't get, or has no memory to say so, the others.
static const int signals[] = {SIGABRT, SIGSEGV, SIGILL};
enum { COUNT = sizeof signals / sizeof *signals };
static struct sigaction before[COUNT];

static void aborted(int signal) {
  if (errno == ENOMEM) {
    static const char text[] =
        "error: the system gives no more memory: end other programs, raise the limit (ulimit -v), or ask "
        "for less\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
    _exit(1);
  }
  for (int i = 0; i < COUNT; i++) {
    if (signals[i] == signal) sigaction(signal, &before[i], NULL);
  }
  raise(signal);
}

__attribute__((constructor)) static void watch(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = aborted;
  for (int i = 0; i < COUNT; i++) sigaction(signals[i], &action, &before[i]);
}
