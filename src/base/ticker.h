/*
 * The ticker: takes the worker away from a statement that has had it for a millisecond or two.
 *
 * One thread for the process looks at every scheduler's slot in turn and sets INTERRUPT_YIELD on a
 * coroutine that has not been switched since the last look. It sleeps while all are idle. The
 * simulator has no ticker: there, yields come from the seed.
 */
#ifndef BASE_TICKER_H
#define BASE_TICKER_H

#include "base/task.h"

typedef struct TickerSlot {
    _Atomic(Task *) task;      /* running now */
    _Atomic uint64_t switches; /* counts runs */
    uint64_t seen;             /* the ticker's: `switches` at the last look */
    struct TickerSlot *next;
} TickerSlot;

extern _Atomic uint32_t ticker_sleeping; /* 1: wake it when a run begins */
void ticker_wake(void);

void ticker_attach(TickerSlot *slot);
void ticker_detach(TickerSlot *slot);

static inline void ticker_run_begin(TickerSlot *slot, Task *task)
{
    uint64_t switches = atomic_load_explicit(&slot->switches, memory_order_relaxed);
    atomic_store_explicit(&slot->switches, switches + 1, memory_order_relaxed);
    atomic_store_explicit(&slot->task, task, memory_order_release);
    if (unlikely(atomic_load_explicit(&ticker_sleeping, memory_order_relaxed)))
        ticker_wake();
}

static inline void ticker_run_end(TickerSlot *slot)
{
    atomic_store_explicit(&slot->task, NULL, memory_order_release);
}

#endif
