/*
 * Pace: long work on plain memory, in steps between which interrupts are looked for.
 *
 *   for (uint64_t i = 0; i < count; i++) {       loops of small steps
 *       CHECK_INTERRUPTS_EACH(i);
 *       …
 *   }
 *   size_t pause = 0;                            and where steps differ in what they go forward by
 *   while (at < length) {
 *       CHECK_INTERRUPTS_PAST(at, pause);
 *       …
 *   }
 *   TRY(pace_zero(memory, size));                false: interrupted, the error is set
 *   TRY(to = pace_grow(arena, from, old_size, new_size));
 *   TRY(pace_append(&buf, text));                texts that can be long
 *   pace_arena_free(arena); pace_free(memory, size);   cannot fail: they let others have a turn
 *
 * A step takes less than a millisecond, most of it page faults where the memory is fresh. Callers
 * hold no latch and keep nothing of the worker's over the call.
 */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include "base/arena.h"
#include "base/str.h"
#include "base/task.h"

#define PACE_LOOPS 1024
#define PACE_BYTES ((size_t)256 * 1024)
/* So much of what is freed may stay with the heap, for the next one. */
#define PACE_KEPT ((size_t)4 * 1024 * 1024)

#define CHECK_INTERRUPTS_EACH(i)                                                                   \
    do {                                                                                           \
        if (unlikely(((i) & (PACE_LOOPS - 1)) == 0))                                               \
            CHECK_INTERRUPTS();                                                                    \
    } while (0)

#define CHECK_INTERRUPTS_PAST(at, pause)                                                           \
    do {                                                                                           \
        if (unlikely((at) >= (pause))) {                                                           \
            CHECK_INTERRUPTS();                                                                    \
            (pause) = (at) + PACE_LOOPS;                                                           \
        }                                                                                          \
    } while (0)

MUST_CHECK bool pace_zero(void *to, size_t size);
MUST_CHECK bool pace_copy_long(void *to, const void *from, size_t size);
static inline bool pace_copy(void *to, const void *from, size_t size)
{
    if (unlikely(size > PACE_BYTES))
        return pace_copy_long(to, from, size);
    if (size > 0)
        memcpy(to, from, size);
    return true;
}
/* Where nothing may fail: others have their turn between the steps. */
void pace_copy_turns(void *to, const void *from, size_t size);
/* As arena_alloc_zeroed, arena_grow and arena_copy; NULL: interrupted. */
MUST_CHECK void *pace_alloc_zeroed(Arena *arena, size_t size);
MUST_CHECK void *pace_grow(Arena *arena, void *old, size_t old_size, size_t new_size);
MUST_CHECK void *pace_arena_copy(Arena *arena, const void *data, size_t size);
#define PACE_ARRAY(arena, type, count)                                                             \
    ((type *)pace_alloc_zeroed((arena), sizeof(type) * (size_t)(count)))

/* As strbuf_append and str_copy, without its NUL. */
MUST_CHECK bool pace_append_long(StrBuf *buf, Str text);
static inline bool pace_append(StrBuf *buf, Str text)
{
    if (unlikely(text.length > PACE_BYTES))
        return pace_append_long(buf, text);
    strbuf_append(buf, text);
    return true;
}
MUST_CHECK bool pace_str_copy(Arena *arena, Str text, Str *ret);
/* As str_compare; interrupts stay pending. */
int pace_compare(Str a, Str b);

/* Gives the worker away if the time slice is used up; interrupts stay pending. */
void pace_turn(void);
/* The same; false: it is to stop soon, which CHECK_INTERRUPTS says once what is held is put away.
 */
bool pace_goes_on(void);
void pace_arena_free(Arena *arena);
void pace_arena_reset(Arena *arena);
/* As memory_free, of a large block: its pages go back to the system in pieces. */
void pace_free(void *memory, size_t size);
/* Gives the pages of memory that is to be freed back; what it held is lost. */
void pace_thin(void *memory, size_t size);

#endif
