// Where the system gives no memory to the runtimes of Swift and C++, they abort. What this program takes
// itself is asked for and refused with an error; what those take for themselves, tens of bytes at a time,
// can only end here: with an error and exit code 1, like any other failure.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"

// What comes of it: abort, and where a runtime uses what it didn't get, or has no memory to say so, the others.
static const int signals[] = {SIGABRT, SIGSEGV, SIGILL};
enum { COUNT = sizeof signals / sizeof *signals };
static struct sigaction before[COUNT];

// A stack that can't grow leaves no room for a handler on it.
static char stack[1 << 14];

// Whether the system refuses even a little memory now: a stack that can't grow sets no errno, and a trap of a
// runtime may come long after it.
static int is_exhausted(void) {
  void *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return 1;
  munmap(page, 1 << 20);
  return 0;
}

static void aborted(int signal) {
  if (errno == ENOMEM || is_exhausted()) {
    static const char text[] =
        "error: the system gives no more memory: end other programs, raise the limit (ulimit -v), or ask "
        "for less\n";
    if (write(start_errors(), text, sizeof text - 1) < 0) _exit(1);
    _exit(1);
  }
  for (int i = 0; i < COUNT; i++) {
    if (signals[i] == signal) sigaction(signal, &before[i], NULL);
  }
  raise(signal);
}

static void watch(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = aborted;
  action.sa_flags = SA_ONSTACK;
  stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&own, NULL);
  for (int i = 0; i < COUNT; i++) sigaction(signals[i], &action, &before[i]);
}

// Before the constructors of all libraries, which take memory, too.
__attribute__((section(".preinit_array"), used)) static void (*const early)(void) = watch;
