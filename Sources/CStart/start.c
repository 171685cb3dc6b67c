// What happens before main. OpenBLAS starts threads as it is loaded; where the system refuses them it
// says so in several lines and raises SIGINT, which looks like Ctrl-C. Here that becomes an error like
// any other: one line, exit code 1.
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"

static struct sigaction before;
static sigset_t blocked;
// Volatile: a compiler takes a constructor for the first code that runs, and may run it itself.
static volatile int guarded;
static int errors = -1;

int start_errors(void) { return errors >= 0 ? errors : STDERR_FILENO; }

static void refused(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (info->si_code == SI_TKILL && info->si_pid == getpid()) {
    static const char text[] =
        "error: the system starts no threads: raise the limit on processes (ulimit -u), or set "
        "OPENBLAS_NUM_THREADS to 1\n";
    if (write(start_errors(), text, sizeof text - 1) < 0) _exit(1);
    _exit(1);
  }
  sigaction(signal, &before, NULL);
  kill(getpid(), signal);
}

// Before the constructors of all libraries: waits for what OpenBLAS does, and keeps its lines back.
static void guard(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = refused;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGINT, &action, &before) != 0) return;
  guarded = 1;
  // A parent's mask would keep the signal until it looks like Ctrl-C after all.
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_UNBLOCK, &interrupt, &blocked);
  errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (errors >= 0 && nothing >= 0) dup2(nothing, STDERR_FILENO);
  if (nothing >= 0) close(nothing);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = guard;

// After them, as the program's own constructor.
__attribute__((constructor)) static void release(void) {
  if (!guarded) return;
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  sigaction(SIGINT, &before, NULL);
  if (errors < 0) return;
  dup2(errors, STDERR_FILENO);
  close(errors);
  errors = -1;
}
