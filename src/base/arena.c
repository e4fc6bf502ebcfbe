#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pace.h"

#ifdef SENGI_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(address, size) ASAN_POISON_MEMORY_REGION((address), (size))
#define UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION((address), (size))
/* A poisoned gap after each allocation, so that overruns inside a block are seen. */
#define RED_ZONE 16
#else
#define POISON(address, size) ((void)(address), (void)(size))
#define UNPOISON(address, size) ((void)(address), (void)(size))
#define RED_ZONE 0
#endif

#define ALIGNMENT 16
#define FIRST_BLOCK 2048
#define LARGEST_STEP (1024 * 1024)
#define MAPPED_LEAST ((size_t)512 * 1024) /* what grows to this gets pages of its own */
#define MAPPED_LOOK 16                    /* blocks that are looked at for one of them */

typedef struct Block {
    struct Block *previous;
    size_t capacity; /* bytes in data */
    char *data;      /* behind this, or pages that hold the one allocation that grows */
    bool is_mapped;
    ALIGNED(ALIGNMENT) char room[];
} Block;

struct Arena {
    Block *block; /* the newest; its `previous` chain holds the rest */
    size_t used;  /* bytes of `block` handed out */
    size_t size;  /* bytes of all blocks */
    size_t next_capacity;
    const char *name;
};

/* What happens where there is no memory for a block. */
typedef enum ArenaNeed {
    NEED_CAN_FAIL,
    NEED_MUST, /* the reserve gives it */
} ArenaNeed;

/* Of more than `least` bytes, if they can be had. */
static Block *block_new(const Arena *arena, size_t capacity, size_t least, ArenaNeed need)
{
    Block *block = memory_take(sizeof(Block) + capacity, arena->size, arena->name);

    if (unlikely(!block) && (capacity > least || need == NEED_MUST)) {
        capacity = least;
        block = need == NEED_MUST
                    ? memory_must_take(sizeof(Block) + capacity, arena->size, arena->name)
                    : memory_take(sizeof(Block) + capacity, arena->size, arena->name);
    }
    if (block) {
        *block = (Block){.capacity = capacity, .data = block->room};
        POISON(block->data, capacity);
    }
    return block;
}

static size_t block_size(const Block *block)
{
    return sizeof(Block) + block->capacity;
}

static void block_free(Block *block)
{
    UNPOISON(block->data, block->capacity);
    if (unlikely(block->is_mapped)) {
        memory_unmap(block->data, block->capacity);
        memory_give(block, sizeof(Block));
        return;
    }
    memory_give(block, block_size(block));
}

static void block_push(Arena *arena, Block *block)
{
    block->previous = arena->block;
    arena->block = block;
    arena->used = 0;
    arena->size += block_size(block);
}

/* A new newest block with room for `size`; false when the heap is out. */
static bool arena_extend(Arena *arena, size_t size, ArenaNeed need)
{
    Block *block = block_new(arena, MAX(arena->next_capacity, size), MAX(size, FIRST_BLOCK), need);

    if (!block)
        return false;
    block_push(arena, block);
    arena->next_capacity = MIN(arena->next_capacity * 2, LARGEST_STEP);
    return true;
}

static void *arena_take(Arena *arena, size_t size, ArenaNeed need)
{
    size_t rounded = ALIGN_UP(size ? size : 1, ALIGNMENT) + RED_ZONE;

    if (unlikely(size > SIZE_MAX / 2))
        return NULL;
    if (unlikely(!arena->block || arena->block->capacity - arena->used < rounded) &&
        !arena_extend(arena, rounded, need))
        return NULL;

    char *result = arena->block->data + arena->used;
    arena->used += rounded;
    UNPOISON(result, size);
    return result;
}

Arena *arena_new(const char *name)
{
    Arena *arena = memory_must_calloc(1, sizeof(Arena));

    arena->name = name;
    arena->next_capacity = FIRST_BLOCK;
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    for (Block *block = arena->block, *previous; block; block = previous) {
        previous = block->previous;
        block_free(block);
    }
    memory_free(arena);
}

/*
 * Newest first, so that the heap shrinks with each of them. The heap keeps what is freed and gives
 * all of it back at once when it has much: so only little is left for it to keep.
 */
static COLD void blocks_thin(Arena *arena)
{
    Block *newest = arena->block;

    for (Block *block = newest->previous, *previous; block; block = previous) {
        previous = block->previous;
        newest->previous = previous;
        arena->size -= block_size(block);
        if (arena->size > PACE_KEPT || block->capacity > LARGEST_STEP)
            pace_thin(block->data, block->capacity);
        block_free(block);
        pace_turn();
    }
    if (newest->capacity > LARGEST_STEP)
        pace_thin(newest->data, newest->capacity);
}

void pace_arena_free(Arena *arena)
{
    if (arena && unlikely(arena->size > LARGEST_STEP))
        blocks_thin(arena);
    arena_free(arena);
}

void pace_arena_reset(Arena *arena)
{
    if (unlikely(arena->size > LARGEST_STEP))
        blocks_thin(arena);
    arena_reset(arena);
}

void arena_freep(Arena **arena)
{
    arena_free(*arena);
}

/* One block is left; not that which one big statement needed. */
static COLD void arena_shrink(Arena *arena)
{
    Block *block = arena->block;

    for (Block *older = block->previous, *previous; older; older = previous) {
        previous = older->previous;
        arena->size -= block_size(older);
        block_free(older);
    }
    block->previous = NULL;
    if (block->capacity > LARGEST_STEP || block->is_mapped) {
        block_free(block);
        arena->block = NULL;
        arena->size = 0;
        arena->next_capacity = FIRST_BLOCK;
    }
}

void arena_reset(Arena *arena)
{
    const Block *block = arena->block;

    if (!block)
        return;
    if (unlikely(block->previous || block->capacity > LARGEST_STEP || block->is_mapped))
        arena_shrink(arena);
    if (arena->used > 0 && arena->block)
        POISON(arena->block->data, arena->block->capacity);
    arena->used = 0;
}

void *arena_alloc(Arena *arena, size_t size)
{
    void *result = arena_take(arena, size, NEED_MUST);

    if (unlikely(!result))
        panic("out of memory: %zu bytes for arena \"%s\" of %zu bytes", size, arena->name,
              arena->size);
    return result;
}

void *arena_alloc_zeroed(Arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_try_alloc(Arena *arena, size_t size)
{
    void *result =
        size < LARGEST_STEP || memory_allows(size) ? arena_take(arena, size, NEED_CAN_FAIL) : NULL;

    if (unlikely(!result))
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"),
             .detail =
                 fmt("Failed on request of size %zu in memory context \"%s\".", size, arena->name));
    return result;
}

/* Pages for one allocation and for what it grows to; NULL: there are none. */
static void *mapped_take(Arena *arena, size_t size)
{
    Block *block = memory_take(sizeof(Block), arena->size, arena->name);
    char *data = block ? memory_map(size, arena->size, arena->name) : NULL;

    if (!data) {
        if (block)
            memory_give(block, sizeof(Block));
        return NULL;
    }
    *block = (Block){.capacity = size, .data = data, .is_mapped = true};
    block_push(arena, block);
    arena->used = size;
    return data;
}

/* The block of an allocation that has pages of its own, among the newest. */
static Block *mapped_find(const Arena *arena, const void *data)
{
    Block *block = arena->block;

    for (int i = 0; block && i < MAPPED_LOOK; i++, block = block->previous)
        if (block->is_mapped && block->data == data)
            return block;
    return NULL;
}

static void *mapped_grow(Arena *arena, Block *block, size_t size)
{
    char *data = memory_remap(block->data, block->capacity, size, arena->size, arena->name);

    if (!data)
        return NULL;
    arena->size += size - block->capacity;
    block->data = data;
    block->capacity = size;
    if (block == arena->block)
        arena->used = size;
    return data;
}

/* What is long has, or gets, pages that grow without a copy. */
static COLD void *grow_long(Arena *arena, void *old, size_t old_size, size_t new_size)
{
    const size_t size = ALIGN_UP(new_size, ALIGNMENT);
    Block *block = old ? mapped_find(arena, old) : NULL;

    if (block && size <= block->capacity)
        return old;
    void *grown = block ? mapped_grow(arena, block, size) : mapped_take(arena, size);
    if (grown && !block && old) {
        pace_copy_turns(grown, old, old_size);
        POISON(old, old_size);
    }
    return grown;
}

static bool grow_in_place(Arena *arena, void *old, size_t old_size, size_t new_size)
{
    const size_t old_rounded = ALIGN_UP(old_size ? old_size : 1, ALIGNMENT) + RED_ZONE;
    const size_t new_rounded = ALIGN_UP(new_size ? new_size : 1, ALIGNMENT) + RED_ZONE;

    if (!old || !arena->block || arena->block->is_mapped ||
        (char *)old + old_rounded != arena->block->data + arena->used ||
        arena->used - old_rounded + new_rounded > arena->block->capacity)
        return false;
    arena->used = arena->used - old_rounded + new_rounded;
    UNPOISON(old, new_size);
    return true;
}

void *arena_grow(Arena *arena, void *old, size_t old_size, size_t new_size)
{
    if (grow_in_place(arena, old, old_size, new_size))
        return old;
    void *grown = arena_alloc(arena, new_size);
    if (old)
        memcpy(grown, old, MIN(old_size, new_size));
    return grown;
}

void *arena_grow_moving(Arena *arena, void *old, size_t old_size, size_t new_size)
{
    if (unlikely(new_size >= MAPPED_LEAST) && new_size > old_size) {
        void *grown = grow_long(arena, old, old_size, new_size);
        if (likely(grown != NULL))
            return grown;
    }
    void *grown = arena_grow(arena, old, old_size, new_size);
    if (old && grown != old)
        POISON(old, old_size);
    return grown;
}

void *arena_copy(Arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (size)
        memcpy(copy, data, size);
    return copy;
}

ArenaMark arena_mark(const Arena *arena)
{
    return (ArenaMark){.block = arena->block, .used = arena->used};
}

void arena_rewind(Arena *arena, ArenaMark mark)
{
    while (arena->block != mark.block) {
        Block *block = arena->block;
        assert(block); /* the mark is of this arena and not yet given back */
        arena->block = block->previous;
        arena->size -= block_size(block);
        block_free(block);
        /* A mark at the end of a block, passed and rewound once a row, must not cost a large
         * block each time. */
        arena->next_capacity = MAX(arena->next_capacity / 2, FIRST_BLOCK);
    }
    arena->used = mark.used;
    if (!arena->block)
        return;
    if (unlikely(arena->block->is_mapped))
        arena->used = arena->block->capacity; /* of one allocation, which may have grown since */
    POISON(arena->block->data + arena->used, arena->block->capacity - arena->used);
}

size_t arena_size(const Arena *arena)
{
    const size_t unused = arena->block ? arena->block->capacity - arena->used : 0;
    return sizeof(Arena) + arena->size - unused;
}
