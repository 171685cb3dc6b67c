// Counts the heap allocations of chosen threads: this program's malloc and its kin, in front of the
// C library's.
#ifndef C_ALLOCATIONS_H
#define C_ALLOCATIONS_H

/// How many allocations the watched threads have made.
typedef struct ca_counter ca_counter;

ca_counter *ca_counter_create(void);
void ca_counter_destroy(ca_counter *counter);
long ca_counter_value(const ca_counter *counter);

/// Counts the calling thread's allocations from here on; NULL to stop.
void ca_watch(ca_counter *counter);

#endif
