/*
 * Arenas: memory that is given back all at once.
 *
 * session > transaction > statement > scratch (reset per row or batch). A function that takes an
 * Arena leaves its result there; one that takes none returns something borrowed or by value.
 *
 *   Arena *arena = arena_new("statement");
 *   Plan *plan = ARENA_NEW(arena, Plan);        zeroed
 *   arena_reset(arena);                         everything in it is gone, one block is kept
 *   arena_free(arena);
 *
 * arena_alloc never returns NULL: the end of memory tells the task to stop (memory.h). Sizes that
 * users choose go through arena_try_alloc, which fails with 53200. An arena belongs to one task at
 * a time; it has no lock. ASan poisons what a reset gives back.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

typedef struct Arena Arena;

Arena *arena_new(const char *name); /* `name` is borrowed for ever: a literal */
void arena_free(Arena *arena);      /* accepts NULL */
void arena_freep(Arena **arena);    /* for CLEANUP */
void arena_reset(Arena *arena);

void *arena_alloc(Arena *arena, size_t size);        /* 16-byte aligned, not zeroed */
void *arena_alloc_zeroed(Arena *arena, size_t size); /* 16-byte aligned, zeroed */
/* Fails with ERR_OUT_OF_MEMORY. */
MUST_CHECK void *arena_try_alloc(Arena *arena, size_t size);
/* Grows the newest allocation in place where it can, else copies: `old` stays as it was. */
void *arena_grow(Arena *arena, void *old, size_t old_size, size_t new_size);
/* For what is long and only its owner knows: pages are moved, not copied, and nothing is at `old`.
 */
void *arena_grow_moving(Arena *arena, void *old, size_t old_size, size_t new_size);
void *arena_copy(Arena *arena, const void *data, size_t size);

/* A position to which arena_rewind gives back everything allocated since. */
typedef struct ArenaMark {
    void *block;
    size_t used;
} ArenaMark;
ArenaMark arena_mark(const Arena *arena);
void arena_rewind(Arena *arena, ArenaMark mark);

/* Bytes in use; a block kept for later does not count. What work_mem is measured against. */
size_t arena_size(const Arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc_zeroed((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                                            \
    ((type *)arena_alloc_zeroed((arena), sizeof(type) * (size_t)(count)))

#endif
