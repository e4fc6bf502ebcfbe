#include "base/ticker.h"

#include <pthread.h>

#include "base/os.h"
#include "base/sync.h"

#define TICK_MICROSECONDS 1000
#define IDLE_TICKS_BEFORE_SLEEP 20

_Atomic uint32_t ticker_sleeping;

static Mutex slots_mutex = MUTEX_INIT(RANK_LEAF);
static TickerSlot *slots GUARDED_BY(slots_mutex);
static Thread *thread GUARDED_BY(slots_mutex);
static _Atomic bool stopping;
static _Atomic(TickerObserver *) late_observer;

void ticker_observe(TickerObserver *observer)
{
    atomic_store(&late_observer, observer);
}

static int64_t processor_time(clockid_t clock)
{
    struct timespec now;

    return clock_gettime(clock, &now) == 0 ? now.tv_sec * INT64_C(1000000000) + now.tv_nsec : 0;
}

void ticker_wake(void)
{
    atomic_store(&ticker_sleeping, 0);
    os->word_wake(&ticker_sleeping, 1);
}

/*
 * Once a run. It is late from when it could have seen that it was asked: if this thread loses its
 * processor in between, that is not the run's doing.
 */
static void ask_to_yield(TickerSlot *slot, Task *task, uint64_t run)
{
    if (atomic_load_explicit(&slot->asked, memory_order_relaxed) == run) {
        atomic_fetch_or(&task->interrupts, INTERRUPT_YIELD);
        return;
    }
    atomic_store_explicit(&slot->asked_at, INT64_MAX, memory_order_relaxed);
    atomic_store_explicit(&slot->asked, run, memory_order_release);
    atomic_fetch_or(&task->interrupts, INTERRUPT_YIELD);
    atomic_store_explicit(&slot->asked_at, processor_time(slot->clock), memory_order_relaxed);
}

void ticker_asked_run_end(TickerSlot *slot)
{
    const int64_t asked_at = atomic_load_explicit(&slot->asked_at, memory_order_relaxed);
    const int64_t late_us = (processor_time(slot->clock) - asked_at) / 1000;
    TickerObserver *observer = atomic_load_explicit(&late_observer, memory_order_relaxed);

    if (late_us >= TICKER_LATE_US && observer)
        observer(late_us);
}

/* One look at every slot; true when any scheduler was at work. */
static bool tick(void)
{
    bool busy = false;

    mutex_lock(&slots_mutex);
    for (TickerSlot *slot = slots; slot; slot = slot->next) {
        uint64_t switches = atomic_load_explicit(&slot->switches, memory_order_relaxed);
        Task *task = atomic_load_explicit(&slot->task, memory_order_acquire);
        busy = busy || task || switches != slot->seen;
        if (task && switches == slot->seen)
            ask_to_yield(slot, task, switches);
        slot->seen = switches;
    }
    mutex_unlock(&slots_mutex);
    return busy;
}

static void ticker_main(void *argument)
{
    unsigned idle_ticks = 0;
    _Atomic uint32_t never = 0;

    (void)argument;
    while (!atomic_load(&stopping)) {
        idle_ticks = tick() ? 0 : idle_ticks + 1;
        if (idle_ticks < IDLE_TICKS_BEFORE_SLEEP) {
            os->word_wait(&never, 0, os->monotonic() + TICK_MICROSECONDS);
        } else {
            atomic_store(&ticker_sleeping, 1);
            /* A run that begins before the store is seen at the next wake at the latest. */
            os->word_wait(&ticker_sleeping, 1, os->monotonic() + 1000 * TICK_MICROSECONDS);
            atomic_store(&ticker_sleeping, 0);
            idle_ticks = 0;
        }
    }
}

void ticker_attach(TickerSlot *slot)
{
    if (os->simulated)
        return;
    if (pthread_getcpuclockid(pthread_self(), &slot->clock) != 0)
        slot->clock = CLOCK_MONOTONIC;
    mutex_lock(&slots_mutex);
    slot->next = slots;
    slots = slot;
    if (!thread) {
        atomic_store(&stopping, false);
        thread = os->thread_start("ticker", ticker_main, NULL);
    }
    mutex_unlock(&slots_mutex);
}

void ticker_detach(TickerSlot *slot)
{
    Thread *ended = NULL;

    if (os->simulated)
        return;
    mutex_lock(&slots_mutex);
    for (TickerSlot **link = &slots; *link; link = &(*link)->next) {
        if (*link == slot) {
            *link = slot->next;
            break;
        }
    }
    if (!slots) {
        ended = thread;
        thread = NULL;
    }
    mutex_unlock(&slots_mutex);
    if (ended) {
        atomic_store(&stopping, true);
        ticker_wake();
        os->thread_join(ended);
    }
}
