// Open MPI, loaded at run time: whoever starts one process needs no MPI on the machine.
//
// Functions return NULL, or what is wrong, in a buffer that the next call on this thread overwrites.
// Calls may come from any thread, one at a time.
#ifndef CMPI_H
#define CMPI_H
#include <stddef.h>

/// Loads the library, and refuses one whose binary interface isn't known: another MPI, another version.
const char *cm_load(void);

/// The library's own description; empty before cm_load.
const char *cm_version(void);

/// Joins the job that mpirun started. Call once, after cm_load.
const char *cm_start(int *rank, int *count);

/// Begins to send at most 2^30 bytes, which stay as they are until cm_test says that it is done.
const char *cm_send(const void *bytes, size_t count, int rank, int tag, void **request);

/// Begins to receive exactly `count` bytes, at most 2^30.
const char *cm_receive(void *bytes, size_t count, int rank, int tag, void **request);

/// Says whether a transfer is done, and lets all of them go on.
const char *cm_test(void **request, int *done);

/// Says whether a message with a tag has arrived, from whom, and how long it is.
const char *cm_probe(int tag, int *found, int *rank, size_t *count);

/// Leaves the job; waits for the other ranks to do so.
void cm_finish(void);

/// Ends the processes of all ranks.
void cm_abort(int code);

#endif
