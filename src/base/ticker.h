/*
 * The ticker: takes the worker away from a statement that has had it for a millisecond or two.
 *
 * One thread for the process looks at every scheduler's slot in turn and sets INTERRUPT_YIELD on a
 * coroutine that has not been switched since the last look. It sleeps while all are idle. The
 * simulator has no ticker: there, yields come from the seed.
 *
 * How much processor time a coroutine takes after it was asked says how well it listens; unlike
 * the time by the clock that is the same on a busy machine. Who is late by TICKER_LATE_US or more
 * is told to the observer when its turn has ended.
 */
#ifndef BASE_TICKER_H
#define BASE_TICKER_H

#include <time.h>

#include "base/task.h"

#define TICKER_LATE_US 1000

typedef struct TickerSlot {
    _Atomic(Task *) task;      /* running now */
    _Atomic uint64_t switches; /* counts runs */
    uint64_t seen;             /* the ticker's: `switches` at the last look */
    _Atomic uint64_t asked;    /* the run that was asked to yield: its `switches` */
    /* The thread's processor time in nanoseconds when it was asked; INT64_MAX: being asked. */
    _Atomic int64_t asked_at;
    clockid_t clock; /* of that time */
    struct TickerSlot *next;
} TickerSlot;

/* Called on the worker, with the task that was late still being the current one. It must not wait.
 */
typedef void TickerObserver(int64_t late_microseconds);
void ticker_observe(TickerObserver *observer);

extern _Atomic uint32_t ticker_sleeping; /* 1: wake it when a run begins */
void ticker_wake(void);

void ticker_attach(TickerSlot *slot);
void ticker_detach(TickerSlot *slot);
void ticker_asked_run_end(TickerSlot *slot);

static inline void ticker_run_begin(TickerSlot *slot, Task *task)
{
    uint64_t switches = atomic_load_explicit(&slot->switches, memory_order_relaxed);
    atomic_store_explicit(&slot->switches, switches + 1, memory_order_relaxed);
    atomic_store_explicit(&slot->task, task, memory_order_release);
    if (unlikely(atomic_load_explicit(&ticker_sleeping, memory_order_relaxed)))
        ticker_wake();
}

/* True where the task was asked to yield: it has had its time slice, and more. */
static inline bool ticker_run_end(TickerSlot *slot)
{
    atomic_store_explicit(&slot->task, NULL, memory_order_release);
    /* Pairs with ask_to_yield: the ticker may have meant an earlier run, which has ended since. */
    if (likely(atomic_load_explicit(&slot->asked, memory_order_acquire) !=
               atomic_load_explicit(&slot->switches, memory_order_relaxed)))
        return false;
    ticker_asked_run_end(slot);
    return true;
}

#endif
