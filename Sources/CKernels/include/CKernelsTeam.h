// A fixed team of threads for small parallel regions. It holds no work queue: one region at a time.
#ifndef CKERNELS_TEAM_H
#define CKERNELS_TEAM_H

// A Swift closure handed to a C thread must be @Sendable, or main-actor isolation traps at run time.
#if defined(__swift__) || (defined(__has_attribute) && __has_attribute(swift_attr))
#define CK_SENDABLE __attribute__((swift_attr("@Sendable")))
#else
#define CK_SENDABLE
#endif

typedef struct ck_team ck_team;
typedef void (*ck_task)(void *context, int worker);

/// Starts `workers - 1` threads. `spin` is how many pauses an idle worker waits before it sleeps.
/// Returns NULL when memory or threads are not to be had.
ck_team *ck_team_create(int workers, int spin);

/// Ends the threads; no region may be open.
void ck_team_destroy(ck_team *team);

/// Runs task(context, w) on every worker, the caller as worker 0; returns when all have ended.
void ck_team_run(ck_team *team, ck_task task CK_SENDABLE, void *context);

/// The number of physical cores this process may use, at least 1.
int ck_physical_cores(void);

#endif
