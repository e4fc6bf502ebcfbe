/*
 * Pace: long work on plain memory, in steps between which interrupts are looked for.
 *
 *   for (uint64_t i = 0; i < count; i++) {       loops of small steps
 *       CHECK_INTERRUPTS_EACH(i);
 *       …
 *   }
 *   TRY(pace_zero(memory, size));                false: interrupted, the error is set
 *   TRY(to = pace_grow(arena, from, old_size, new_size));
 *   pace_arena_free(arena); pace_free(memory, size);   cannot fail: they let others have a turn
 *
 * A step takes less than a millisecond, most of it page faults where the memory is fresh. Callers
 * hold no latch and keep nothing of the worker's over the call.
 */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include "base/arena.h"
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

MUST_CHECK bool pace_zero(void *to, size_t size);
MUST_CHECK bool pace_copy(void *to, const void *from, size_t size);
/* As arena_alloc_zeroed, arena_grow and arena_copy; NULL: interrupted. */
MUST_CHECK void *pace_alloc_zeroed(Arena *arena, size_t size);
MUST_CHECK void *pace_grow(Arena *arena, void *old, size_t old_size, size_t new_size);
MUST_CHECK void *pace_arena_copy(Arena *arena, const void *data, size_t size);
#define PACE_ARRAY(arena, type, count)                                                             \
    ((type *)pace_alloc_zeroed((arena), sizeof(type) * (size_t)(count)))

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
