#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/os.h"
#include "base/task.h"

#define RESERVE_BYTES ((size_t)8 << 20)
#define LIMIT_LEAST ((uint64_t)128 << 20)
#define SUSPECT_LEAST ((size_t)1 << 20)
#define SUSPECT_SHARE 64 /* who holds less than this part of the limit is not told to stop */

/* The process's own: there is one heap. */
static _Atomic uint64_t used, limit;
static _Atomic(void *) reserve;

void memory_set_limit(uint64_t bytes)
{
    atomic_store(&limit, bytes);
    memory_settle();
}

uint64_t memory_default_limit(uint64_t set_aside)
{
    const uint64_t whole = os->memory_size();
    const uint64_t left = whole > set_aside ? (whole - set_aside) / 4 * 3 : 0;

    return MAX(left, LIMIT_LEAST);
}

bool memory_allows(size_t size)
{
    const uint64_t bound = atomic_load_explicit(&limit, memory_order_relaxed);

    return bound == 0 || (size <= bound && atomic_load(&used) <= bound - size);
}

/* The running task stops at its next CHECK_INTERRUPTS. */
static COLD void tell_to_stop(size_t size, const char *name)
{
    Task *task = task_current();

    task->memory_request = size;
    task->memory_name = name;
    atomic_fetch_or(&task->interrupts, INTERRUPT_MEMORY);
}

/* The system has no more: what was kept back is. False: that was spent before. */
static COLD bool reserve_give_up(size_t size, const char *name)
{
    void *kept = atomic_exchange(&reserve, NULL);

    tell_to_stop(size, name);
    free(kept);
    return kept != NULL;
}

void *memory_take(size_t size, size_t held, const char *name)
{
    const uint64_t bound = atomic_load_explicit(&limit, memory_order_relaxed);
    const uint64_t total = atomic_fetch_add_explicit(&used, size, memory_order_relaxed) + size;
    void *memory = malloc(size);

    if (unlikely(!memory) && reserve_give_up(size, name))
        memory = malloc(size);
    if (unlikely(!memory))
        atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
    else if (unlikely(bound != 0 && total > bound) &&
             held + size >= MAX(bound / SUSPECT_SHARE, SUSPECT_LEAST))
        tell_to_stop(size, name);
    return memory;
}

void memory_give(void *memory, size_t size)
{
    free(memory);
    atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
}

void memory_settle(void)
{
    if (likely(atomic_load_explicit(&reserve, memory_order_relaxed) != NULL))
        return;
    void *expected = NULL, *fresh = malloc(RESERVE_BYTES);
    if (fresh && !atomic_compare_exchange_strong(&reserve, &expected, fresh))
        free(fresh);
}

void *memory_malloc(size_t size)
{
    void *memory = malloc(size);

    if (unlikely(!memory) && reserve_give_up(size, "malloc"))
        memory = malloc(size);
    return memory;
}

void *memory_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (unlikely(!memory) && reserve_give_up(count * size, "calloc"))
        memory = calloc(count, size);
    return memory;
}

void *memory_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size);

    if (unlikely(!memory) && reserve_give_up(size, "realloc"))
        memory = realloc(old, size);
    return memory;
}
