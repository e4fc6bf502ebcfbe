#include "base/sync.h"

#include "base/os.h"
#include "base/scheduler.h"

#define SPINS_BEFORE_SLEEP 64

#if !defined(NDEBUG) && !defined(SENGI_RELEASE)
/* Ranks held by this thread, in the order taken. A mutex is never held across a switch. Release
 * builds keep their assertions but not these, which cost more than the locks. */
#define RANKS_MOST 16
static _Thread_local uint16_t ranks_held[RANKS_MOST];
static _Thread_local unsigned ranks_count;

static void rank_push(const Mutex *mutex)
{
    if (os->simulated)
        return; /* all simulated threads share this one */
    assert(ranks_count < RANKS_MOST);
    assert(ranks_count == 0 || ranks_held[ranks_count - 1] <= mutex->rank);
    ranks_held[ranks_count++] = mutex->rank;
}

static void rank_pop(const Mutex *mutex)
{
    if (os->simulated)
        return;
    for (unsigned i = ranks_count; i-- > 0;) {
        if (ranks_held[i] == mutex->rank) {
            for (; i + 1 < ranks_count; i++)
                ranks_held[i] = ranks_held[i + 1];
            ranks_count--;
            return;
        }
    }
    assert(!"the mutex is held");
}
#else
static inline void rank_push(const Mutex *mutex)
{
    (void)mutex;
}
static inline void rank_pop(const Mutex *mutex)
{
    (void)mutex;
}
#endif

static void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void spin_pause(uint32_t *rounds)
{
    if (os->simulated || ++*rounds % SPINS_BEFORE_SLEEP == 0)
        os->thread_yield();
    else
        cpu_relax();
}

bool mutex_try_lock(Mutex *mutex)
{
    uint32_t expected = 0;

    if (!atomic_compare_exchange_strong_explicit(&mutex->state, &expected, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
    rank_push(mutex);
    return true;
}

/* Drepper, "Futexes Are Tricky", mutex 2: state 2 tells the holder to wake somebody. */
static COLD void mutex_lock_slow(Mutex *mutex)
{
    for (unsigned i = 0; i < SPINS_BEFORE_SLEEP && !os->simulated; i++) {
        uint32_t expected = 0;
        if (atomic_compare_exchange_weak_explicit(&mutex->state, &expected, 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return;
        cpu_relax();
    }
    while (atomic_exchange_explicit(&mutex->state, 2, memory_order_acquire) != 0)
        os->word_wait(&mutex->state, 2, DEADLINE_NEVER);
}

void mutex_lock(Mutex *mutex)
{
    uint32_t expected = 0;

    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &mutex->state, &expected, 1, memory_order_acquire, memory_order_relaxed)))
        mutex_lock_slow(mutex);
    rank_push(mutex);
}

void mutex_unlock(Mutex *mutex)
{
    rank_pop(mutex);
    if (unlikely(atomic_exchange_explicit(&mutex->state, 0, memory_order_release) == 2))
        os->word_wake(&mutex->state, 1);
}

void cond_wait(Cond *cond, Mutex *mutex)
{
    (void)cond_wait_until(cond, mutex, DEADLINE_NEVER);
}

bool cond_wait_until(Cond *cond, Mutex *mutex, Deadline deadline)
{
    uint32_t sequence = atomic_load(&cond->sequence);

    assert(scheduler_current() == NULL);
    mutex_unlock(mutex);
    os->word_wait(&cond->sequence, sequence, deadline);
    bool late = deadline != DEADLINE_NEVER && atomic_load(&cond->sequence) == sequence &&
                os->monotonic() >= deadline;
    mutex_lock(mutex);
    return !late;
}

void cond_signal(Cond *cond)
{
    atomic_fetch_add(&cond->sequence, 1);
    os->word_wake(&cond->sequence, 1);
}

void cond_broadcast(Cond *cond)
{
    atomic_fetch_add(&cond->sequence, 1);
    os->word_wake(&cond->sequence, UINT32_MAX);
}
