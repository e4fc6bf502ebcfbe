/*
 * Mutexes and condition variables over the os seam, for short critical sections.
 *
 * A Mutex is held for microseconds and never across a wait, I/O or an SQL function; what must be
 * held longer is a lock (txn/) with an Event. Ranks come from data/locks.dat; debug builds check
 * that a task takes them upward only. In the simulator a contended mutex lets other threads run.
 */
#ifndef BASE_SYNC_H
#define BASE_SYNC_H

#include <stdatomic.h>

#include "base/lock_ranks.h" /* generated: typedef enum LockRank { RANK_… } LockRank; */
#include "base/task.h"

typedef struct Mutex {
    _Atomic uint32_t state; /* 0 free, 1 held, 2 held and waited for */
    uint16_t rank;
} Mutex;

#define MUTEX_INIT(rank_) ((Mutex){.rank = (rank_)})
static inline void mutex_init(Mutex *mutex, LockRank rank)
{
    *mutex = MUTEX_INIT(rank);
}
void mutex_lock(Mutex *mutex);
bool mutex_try_lock(Mutex *mutex);
void mutex_unlock(Mutex *mutex);

/* For whole threads only (log writer, checkpointer): coroutines wait on Events. */
typedef struct Cond {
    _Atomic uint32_t sequence;
} Cond;
void cond_wait(Cond *cond, Mutex *mutex) REQUIRES(mutex);
/* False when the deadline passed first. */
bool cond_wait_until(Cond *cond, Mutex *mutex, Deadline deadline) REQUIRES(mutex);
void cond_signal(Cond *cond);
void cond_broadcast(Cond *cond);

/* A polite pause in a spin loop: the processor's hint, then the os's yield (always, simulated). */
void spin_pause(uint32_t *rounds);

#endif
