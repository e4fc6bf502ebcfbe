#include "base/pace.h"

#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#define THIN_BYTES ((uintptr_t)1024 * 1024)

bool pace_zero(void *to, size_t size)
{
    for (size_t at = 0; at < size; at += PACE_BYTES) {
        CHECK_INTERRUPTS();
        memset((char *)to + at, 0, MIN(PACE_BYTES, size - at));
    }
    return true;
}

void pace_copy_turns(void *to, const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += PACE_BYTES) {
        memcpy((char *)to + at, (const char *)from + at, MIN(PACE_BYTES, size - at));
        pace_turn();
    }
}

bool pace_copy_long(void *to, const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += PACE_BYTES) {
        CHECK_INTERRUPTS();
        memcpy((char *)to + at, (const char *)from + at, MIN(PACE_BYTES, size - at));
    }
    return true;
}

void *pace_alloc_zeroed(Arena *arena, size_t size)
{
    if (size <= PACE_BYTES)
        return arena_alloc_zeroed(arena, size);
    void *memory = arena_alloc(arena, size);
    TRY(pace_zero(memory, size));
    return memory;
}

void *pace_grow(Arena *arena, void *old, size_t old_size, size_t new_size)
{
    CHECK_INTERRUPTS();
    return arena_grow_moving(arena, old, old_size, new_size);
}

void *pace_arena_copy(Arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);

    TRY(pace_copy(copy, data, size));
    return copy;
}

bool pace_append_long(StrBuf *buf, Str text)
{
    char *to = strbuf_reserve(buf, text.length);

    TRY(pace_copy(to, text.data, text.length));
    strbuf_advance(buf, text.length);
    return true;
}

bool pace_str_copy(Arena *arena, Str text, Str *ret)
{
    const char *copy = pace_arena_copy(arena, text.data, text.length);

    TRY(copy);
    *ret = str_make(copy, text.length);
    return true;
}

int pace_compare(Str a, Str b)
{
    const size_t shorter = MIN(a.length, b.length);
    size_t at = 0;
    int order = 0;

    for (; order == 0 && shorter - at > PACE_BYTES; at += PACE_BYTES) {
        order = memcmp(a.data + at, b.data + at, PACE_BYTES);
        pace_turn();
    }
    return order ? order : str_compare(str_slice(a, at, a.length), str_slice(b, at, b.length));
}

void pace_turn(void)
{
    Task *task = task_current();
    const uint32_t pending = atomic_load_explicit(&task->interrupts, memory_order_relaxed);

    if (likely(!(pending & INTERRUPT_YIELD)) || task->latch_count > 0 || task->in_action)
        return;
    task_clear_interrupts(task, INTERRUPT_YIELD);
    task_yield();
}

bool pace_goes_on(void)
{
    const Task *task = task_current();

    pace_turn();
    const uint32_t pending = atomic_load_explicit(&task->interrupts, memory_order_relaxed);
    return task->interrupts_held || !(pending & ~(uint32_t)INTERRUPT_YIELD);
}

void pace_thin(void *memory, size_t size)
{
    const uintptr_t page = 4096;
    const uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);

    for (uintptr_t at = ALIGN_UP((uintptr_t)memory, page); at < end; at += THIN_BYTES) {
        madvise((void *)at, MIN(end - at, THIN_BYTES), MADV_DONTNEED);
        pace_turn();
    }
}

void pace_free(void *memory, size_t size)
{
    if (memory && unlikely(size > THIN_BYTES))
        pace_thin(memory, size);
    memory_free(memory);
}
