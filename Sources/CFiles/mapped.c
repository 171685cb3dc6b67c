#define _GNU_SOURCE
#include "CFiles.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The handler walks the list without a lock, so that entries are never freed: those without a start
// are used again.
typedef struct range {
  _Atomic(uintptr_t) start;
  size_t bytes;
  char *line;
  struct range *next;
} range;

static _Atomic(range *) ranges;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static int is_handling;

static void handle(int signal, siginfo_t *info, void *context) {
  (void)context;
  const uintptr_t address = (uintptr_t)info->si_addr;
  for (range *r = atomic_load(&ranges); r; r = r->next) {
    const uintptr_t start = atomic_load(&r->start);
    if (!start || address < start || address - start >= r->bytes) continue;
    const ssize_t written = write(STDERR_FILENO, r->line, strlen(r->line));
    (void)written;
    _exit(1);
  }
  // The instruction runs again, and meets whoever handled it before.
  sigaction(signal, &before, NULL);
}

void *cf_remember(const void *start, size_t bytes, const char *path) {
  static const char text[] =
      "error: %s: it was cut short while it was being read; restore the file and start again\n";
  const size_t length = sizeof text + strlen(path);
  char *line = malloc(length);
  if (!line) return NULL;
  snprintf(line, length, text, path);
  pthread_mutex_lock(&lock);
  if (!is_handling) {
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    is_handling = sigaction(SIGBUS, &action, &before) == 0;
  }
  range *r = atomic_load(&ranges);
  while (r && atomic_load(&r->start)) r = r->next;
  const int is_new = !r;
  if (is_new && (r = calloc(1, sizeof *r))) r->next = atomic_load(&ranges);
  if (r) {
    free(r->line);
    r->line = line;
    r->bytes = bytes;
    atomic_store(&r->start, (uintptr_t)start);
    if (is_new) atomic_store(&ranges, r);
  } else {
    free(line);
  }
  pthread_mutex_unlock(&lock);
  return r;
}

void cf_forget(void *entry) { atomic_store(&((range *)entry)->start, 0); }
