// The spinning thread team. A region costs well under a microsecond while the workers are awake, so
// that a decoder layer can open several. Every wait is bounded: a spin yields, then sleeps, because
// on shared cores an unbounded join costs hundreds of microseconds.
#include "CKernelsTeam.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define PAUSE() _mm_pause()
#else
#define PAUSE() sched_yield()
#endif

struct ck_team {
  int workers, spin, started;
  pthread_t *threads;
  ck_body body;
  void *context;
  _Alignas(64) atomic_uint epoch;     // bumped once a region; the word the workers sleep on
  _Alignas(64) atomic_int remaining;  // workers still inside the region
  _Alignas(64) atomic_int parked;     // workers asleep
  atomic_int stop;
};

typedef struct {
  ck_team *team;
  int worker;
} seat;

static void sleep_on(ck_team *t, unsigned seen) {
  atomic_fetch_add(&t->parked, 1);
  while (atomic_load(&t->epoch) == seen)
    syscall(SYS_futex, &t->epoch, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
  atomic_fetch_sub(&t->parked, 1);
}

__attribute__((aligned(64))) static void *worker_main(void *argument) {
  seat s = *(seat *)argument;
  free(argument);
  ck_team *t = s.team;
  unsigned seen = 0;
  for (;;) {
    int spins = 0;
    unsigned now;
    while ((now = atomic_load_explicit(&t->epoch, memory_order_acquire)) == seen) {
      if (++spins >= t->spin)
        sleep_on(t, seen);
      else if (spins > 1000 && spins % 100 == 0)
        sched_yield();
      else
        PAUSE();
    }
    seen = now;
    if (atomic_load_explicit(&t->stop, memory_order_relaxed)) return NULL;
    t->body(s.worker, t->context);
    atomic_fetch_sub_explicit(&t->remaining, 1, memory_order_release);
  }
}

static void publish(ck_team *t) {
  atomic_fetch_add(&t->epoch, 1);  // sequentially consistent: ordered before the read of parked
  if (atomic_load(&t->parked))
    syscall(SYS_futex, &t->epoch, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0);
}

ck_team *ck_team_create(int workers, int spin) {
  ck_team *t = aligned_alloc(64, (sizeof *t + 63) / 64 * 64);
  if (!t) return NULL;
  *t = (ck_team){.workers = workers, .spin = spin, .started = 1};
  t->threads = calloc((size_t)workers, sizeof *t->threads);
  for (int w = 1; t->threads && w < workers; w++) {
    seat *s = malloc(sizeof *s);
    if (s) *s = (seat){t, w};
    if (!s || pthread_create(&t->threads[w], NULL, worker_main, s) != 0) {
      free(s);
      break;
    }
    t->started++;
  }
  if (t->started == 1) {
    ck_team_destroy(t);
    return NULL;
  }
  t->workers = t->started;
  return t;
}

int ck_team_workers(const ck_team *t) { return t->workers; }

__attribute__((aligned(64))) CK_SWIFT void ck_team_run(ck_team *t, ck_body body, void *context) {
  if (t->workers == 1) {
    body(0, context);
    return;
  }
  t->body = body;
  t->context = context;
  atomic_store_explicit(&t->remaining, t->workers - 1, memory_order_relaxed);
  publish(t);
  body(0, context);
  int spins = 0;
  while (atomic_load_explicit(&t->remaining, memory_order_acquire) != 0) {
    PAUSE();
    if (++spins > 1000) {
      sched_yield();  // the worker may be waiting for our core
      spins = 900;
    }
  }
}

void ck_team_destroy(ck_team *t) {
  atomic_store(&t->stop, 1);
  publish(t);
  for (int w = 1; w < t->started; w++) pthread_join(t->threads[w], NULL);
  free(t->threads);
  free(t);
}

__attribute__((aligned(64))) void ck_pass_line(int *word, int side, int times) {
  for (int i = 0; i < times; i++) {
    const int mine = 2 * i + side;
    for (int spins = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) != mine; spins++)
      if (spins > 1000) sched_yield();  // the other may be waiting for our core
    __atomic_store_n(word, mine + 1, __ATOMIC_RELEASE);
  }
}

// Counts the distinct (package, core) pairs among the processors this process may run on.
int ck_physical_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  enum { LIMIT = 1024 };
  static _Thread_local long seen[LIMIT];
  int count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE && count < LIMIT; cpu++) {
    if (!CPU_ISSET(cpu, &set)) continue;
    long ids[2] = {0, cpu};
    const char *files[2] = {"physical_package_id", "core_id"};
    for (int i = 0; i < 2; i++) {
      char path[128];
      snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, files[i]);
      FILE *f = fopen(path, "r");
      if (f) {
        long value;
        if (fscanf(f, "%ld", &value) == 1) ids[i] = value;
        fclose(f);
      }
    }
    long key = ids[0] * 100000 + ids[1];
    int known = 0;
    for (int i = 0; i < count && !known; i++) known = seen[i] == key;
    if (!known) seen[count++] = key;
  }
  return count > 0 ? count : 1;
}
