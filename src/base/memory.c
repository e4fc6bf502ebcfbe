#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory_reserve.h"
#include "base/os.h"
#include "base/task.h"

#define LIMIT_LEAST ((uint64_t)128 << 20)
#define SUSPECT_LEAST ((size_t)1 << 20)
#define SLACK_SHARE 4
#define SLACK_LEAST ((size_t)64 << 20)
#define SLACK_MOST ((size_t)1 << 30)
#define SUSPECT_SHARE 64 /* who holds less than this part of the limit is not told to stop */

/* The process's own: there is one heap. */
static _Atomic uint64_t used, limit;
static _Atomic size_t slack_size; /* 0: none is kept */
static _Atomic(void *) slack;     /* NULL: given up */

/* False: it was before. */
static bool slack_give_up(void)
{
    void *kept = atomic_exchange(&slack, NULL);

    if (!kept)
        return false;
    munmap(kept, atomic_load(&slack_size));
    return true;
}

/* Its lists of small blocks, which it joins all at once some time: millions take tens of
 * milliseconds. */
static void heap_keeps_no_lists(void)
{
    mallopt(M_MXFAST, 0);
}

void memory_set_limit(uint64_t bytes)
{
    heap_keeps_no_lists();
    atomic_store(&limit, bytes);
    slack_give_up();
    atomic_store(&slack_size,
                 bytes == 0 ? 0 : MIN(MAX(bytes / SLACK_SHARE, SLACK_LEAST), SLACK_MOST));
    memory_settle();
}

void memory_settle(void)
{
    const size_t size = atomic_load_explicit(&slack_size, memory_order_relaxed);
    void *expected = NULL;

    if (likely(size == 0 || atomic_load_explicit(&slack, memory_order_relaxed) != NULL))
        return;
    void *fresh = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh != MAP_FAILED && !atomic_compare_exchange_strong(&slack, &expected, fresh))
        munmap(fresh, size);
}

static bool slack_is_gone(void)
{
    return atomic_load_explicit(&slack_size, memory_order_relaxed) > 0 &&
           atomic_load_explicit(&slack, memory_order_relaxed) == NULL;
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

bool memory_is_short(void)
{
    return slack_is_gone() || reserve_used() > reserve_capacity() / 4;
}

/* ------------------------------------------------------------------ at the end of memory */

/* The running task stops at its next CHECK_INTERRUPTS, unless it may not stop now. */
static COLD void tell_to_stop(size_t size, const char *name)
{
    Task *task = task_current();

    if (task->interrupts_held)
        return;
    task->memory_request = size;
    task->memory_name = name;
    atomic_fetch_or(&task->interrupts, INTERRUPT_MEMORY);
}

/* For who can fail: only what has been promised. */
static COLD void *promised_take(size_t size)
{
    return task_running && task_running->interrupts_held ? reserve_take(size, RESERVE_PROMISED)
                                                         : NULL;
}

static COLD void *must(size_t size, const char *name)
{
    const bool is_promised = task_current()->interrupts_held;
    void *memory = NULL;

    if (is_promised)
        memory = reserve_take(size, RESERVE_PROMISED);
    if (!memory && slack_give_up())
        memory = malloc(size);
    if (!memory)
        memory = reserve_take(size, RESERVE_ANYBODY);
    if (!memory)
        panic("out of memory: %zu bytes for \"%s\"", size, name);
    tell_to_stop(size, name);
    return memory;
}

/* ------------------------------------------------------------------ counted */

/* Beyond the limit those who hold much are told to stop. */
static void count(size_t size, size_t held, const char *name)
{
    const uint64_t bound = atomic_load_explicit(&limit, memory_order_relaxed);
    const uint64_t total = atomic_fetch_add_explicit(&used, size, memory_order_relaxed) + size;

    if (unlikely(bound != 0 && (total > bound || slack_is_gone())) &&
        held + size >= MAX(bound / SUSPECT_SHARE, SUSPECT_LEAST))
        tell_to_stop(size, name);
}

void *memory_take(size_t size, size_t held, const char *name)
{
    void *memory = memory_malloc(size);

    if (likely(memory != NULL))
        count(size, held, name);
    return memory;
}

void *memory_must_take(size_t size, size_t held, const char *name)
{
    void *memory = malloc(size);

    if (unlikely(!memory))
        memory = must(size, name);
    count(size, held, name);
    return memory;
}

void memory_give(void *memory, size_t size)
{
    memory_free(memory);
    atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
}

/* AddressSanitizer follows malloc: there what grows moves, and a stale pointer is seen. */
static void *pages_take(size_t size)
{
#ifdef SENGI_ASAN
    return malloc(size);
#else
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
#endif
}

static void *pages_grow(void *old, size_t old_size, size_t size)
{
#ifdef SENGI_ASAN
    (void)old_size;
    return realloc(old, size);
#else
    void *pages = mremap(old, old_size, size, MREMAP_MAYMOVE);
    return pages == MAP_FAILED ? NULL : pages;
#endif
}

void *memory_map(size_t size, size_t held, const char *name)
{
    void *memory = pages_take(size);

    if (likely(memory != NULL))
        count(size, held, name);
    return memory;
}

void *memory_remap(void *old, size_t old_size, size_t size, size_t held, const char *name)
{
    void *memory = pages_grow(old, old_size, size);

    assert(size >= old_size);
    if (likely(memory != NULL))
        count(size - old_size, held, name);
    return memory;
}

void memory_unmap(void *memory, size_t size)
{
#ifdef SENGI_ASAN
    free(memory);
#else
    munmap(memory, size);
#endif
    atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
}

/* ------------------------------------------------------------------ not counted */

void *memory_malloc(size_t size)
{
    void *memory = malloc(size);

    return likely(memory != NULL) ? memory : promised_take(size);
}

void *memory_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (unlikely(!memory) && (memory = promised_take(count * size)) != NULL)
        memset(memory, 0, count * size);
    return memory;
}

/* From the reserve to the heap, or to another place of the reserve. */
static COLD void *reserve_move(void *old, size_t old_size, void *fresh, size_t size)
{
    if (!fresh)
        return NULL;
    memcpy(fresh, old, MIN(old_size, size));
    memory_free(old);
    return fresh;
}

/* From the heap, which has no more, to the reserve. */
static COLD void *heap_move(uintptr_t address, void *fresh, size_t size)
{
    void *old = (void *)address;

    if (!fresh || !old)
        return fresh;
    memcpy(fresh, old, MIN(malloc_usable_size(old), size));
    free(old);
    return fresh;
}

void *memory_realloc(void *old, size_t size)
{
    const size_t in_reserve = old ? reserve_size(old) : 0;
    const uintptr_t address = (uintptr_t)old; /* which a failed realloc leaves as it is */

    if (unlikely(in_reserve > 0))
        return in_reserve >= size ? old : reserve_move(old, in_reserve, memory_malloc(size), size);
    void *memory = realloc(old, size);
    return likely(memory != NULL) ? memory : heap_move(address, promised_take(size), size);
}

void *memory_aligned(size_t size)
{
    const size_t rounded = ALIGN_UP(size, (size_t)CACHE_LINE);
    void *memory = aligned_alloc(CACHE_LINE, rounded);

    return memory ? memset(memory, 0, rounded) : NULL;
}

void *memory_must(size_t size)
{
    void *memory = malloc(size);

    return likely(memory != NULL) ? memory : must(size, "malloc");
}

void *memory_must_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    return likely(memory != NULL) ? memory : memset(must(count * size, "calloc"), 0, count * size);
}

void *memory_must_realloc(void *old, size_t size)
{
    const size_t in_reserve = old ? reserve_size(old) : 0;
    const uintptr_t address = (uintptr_t)old; /* which a failed realloc leaves as it is */

    if (unlikely(in_reserve > 0))
        return in_reserve >= size ? old : reserve_move(old, in_reserve, memory_must(size), size);
    void *memory = realloc(old, size);
    return likely(memory != NULL) ? memory : heap_move(address, must(size, "realloc"), size);
}

void memory_free(void *memory)
{
    if (memory && likely(!reserve_give(memory)))
        free(memory);
}

/* ------------------------------------------------------------------ promises */

bool memory_promise(size_t size)
{
    if (!reserve_promise(size))
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"),
             .detail =
                 fmt("Failed on request of size %zu in memory context \"%s\".", size, "commit"));
    return true;
}

void memory_promise_end(size_t size)
{
    reserve_promise_end(size);
}
