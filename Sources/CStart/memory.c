// Where the system gives no memory to the runtimes of Swift and C++, they abort. What this program takes
// itself is asked for and refused with an error; what those take for themselves, tens of bytes at a time,
// can only end here: with an error and exit code 1, like any other failure.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct sigaction before;

static void aborted(int signal) {
  if (errno == ENOMEM) {
    static const char text[] =
        "error: the system gives no more memory: end other programs, raise the limit (ulimit -v), or ask "
        "for less\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
    _exit(1);
  }
  sigaction(signal, &before, NULL);
  raise(signal);
}

__attribute__((constructor)) static void watch(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = aborted;
  sigaction(SIGABRT, &action, &before);
}
