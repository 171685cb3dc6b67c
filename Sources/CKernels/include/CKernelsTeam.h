// A fixed team of threads for small parallel regions. It holds no work queue: one region at a time.
#ifndef CKERNELS_TEAM_H
#define CKERNELS_TEAM_H

typedef struct ck_team ck_team;

#if __has_attribute(swiftcall)
#define CK_SWIFT __attribute__((swiftcall))
#define CK_SWIFT_CONTEXT __attribute__((swift_context))
#else
#error "a compiler that knows Swift's calling convention is needed: clang"
#endif

/// A Swift closure (Int) -> Void that doesn't escape, as Swift passes it.
typedef CK_SWIFT void (*ck_body)(long worker, CK_SWIFT_CONTEXT void *context);

/// Starts `workers - 1` threads, or as many as the system grants. `spin` is how many pauses an idle
/// worker waits before it sleeps. Returns NULL when memory or a second thread is not to be had.
ck_team *ck_team_create(int workers, int spin);

/// How many workers the team has, the caller included.
int ck_team_workers(const ck_team *team);

/// Ends the threads; no region may be open.
void ck_team_destroy(ck_team *team);

/// Runs the closure on every worker, the caller as worker 0; returns when all have ended.
///
/// Swift declares this function itself, with a closure in place of the last two arguments: through a
/// C function pointer a closure that doesn't escape would be copied to the heap in every region.
CK_SWIFT void ck_team_run(ck_team *team, ck_body body, void *context);

/// Passes a cache line to and fro between two threads, `times` times each way: called with side 0 on the
/// one and with side 1 on the other, at the same time. *word is 0 before.
void ck_pass_line(int *word, int side, int times);

/// The number of physical cores this process may use, at least 1.
int ck_physical_cores(void);

#endif
