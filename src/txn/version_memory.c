#include "txn/version_memory.h"

#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#ifdef SENGI_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#define POISON(address, size) ASAN_POISON_MEMORY_REGION((address), (size))
#define UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION((address), (size))
#define ROOT_ADD(address, size) __lsan_register_root_region((address), (size))
#define ROOT_REMOVE(address, size) __lsan_unregister_root_region((address), (size))
/* A poisoned gap after each piece, so that overruns inside a chunk are seen. */
#define RED_ZONE VERSION_GRANULE
#else
#define POISON(address, size) ((void)(address), (void)(size))
#define UNPOISON(address, size) ((void)(address), (void)(size))
#define ROOT_ADD(address, size) ((void)(address), (void)(size))
#define ROOT_REMOVE(address, size) ((void)(address), (void)(size))
#define RED_ZONE 0
#endif

#define RANGE_SIZE (VERSION_RANGE_CHUNKS * VERSION_CHUNK_SIZE)
#define RANGE_FREE UINT64_MAX /* all of it */
#define GRANULES ((uint32_t)(VERSION_CHUNK_SIZE / VERSION_GRANULE))
#define WORDS (GRANULES / 64)
#define SPARSE_LOOKS 4 /* chunks that are looked at for a gap before there is another one */
#define ODD ((uintptr_t)8)

/* At the start of the chunk, which lies at a multiple of its size. */
struct VersionChunk {
    VersionRange *range;
    VersionChunk *next, *previous; /* among the sparse */
    uint32_t used;                 /* granules of pieces */
    uint32_t high;                 /* granules that have been used since the heap has it */
    bool is_sparse;                /* is in the list */
    ALIGNED(CACHE_LINE) uint64_t bits[WORDS];
};

#define FIRST ((uint32_t)((sizeof(VersionChunk) + VERSION_GRANULE - 1) / VERSION_GRANULE))
#define PIECE_GRANULES (GRANULES - FIRST) /* of a chunk, those that pieces can have */

typedef enum RangeKind { RANGE_MEMORY = 0, RANGE_SPILLED } RangeKind;

/* Chunks side by side. */
struct VersionRange {
    VersionRange *next, **link; /* in memory->ranges, as long as some are free */
    char *start;
    RangeKind kind;
    uint64_t offset; /* in the spill's file */
    uint64_t free;   /* a bit for each: free, and without pages where it is memory's */
};

static_assert(RANGE_SIZE == VERSION_SPILL_PIECE, "a range is one piece of the spill");
static_assert(VERSION_RANGE_CHUNKS == 64, "a range has a bit for each chunk in one word");
static_assert(VERSION_PIECE_MOST % VERSION_GRANULE == 0, "the largest piece is whole granules");

/* ------------------------------------------------------------------ ranges */

/* Aligned to its chunks; NULL: the system has no more. */
static char *range_map(void)
{
    const size_t room = RANGE_SIZE + VERSION_CHUNK_SIZE;
    char *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    char *start = (char *)ALIGN_UP((uintptr_t)memory, VERSION_CHUNK_SIZE);
    const size_t before = (size_t)(start - memory), behind = room - RANGE_SIZE - before;
    if (before > 0)
        munmap(memory, before);
    if (behind > 0)
        munmap(start + RANGE_SIZE, behind);
    /* Pages come as they are used and go chunk by chunk: large ones would be split at once. */
    (void)madvise(start, RANGE_SIZE, MADV_NOHUGEPAGE);
    ROOT_ADD(start, RANGE_SIZE);
    return start;
}

static void range_link(VersionMemory *memory, VersionRange *range) REQUIRES(memory->mutex)
{
    VersionRange **first = &memory->ranges[range->kind];

    range->next = *first;
    range->link = first;
    if (range->next)
        range->next->link = &range->next;
    *first = range;
}

static void range_unlink(VersionRange *range)
{
    *range->link = range->next;
    if (range->next)
        range->next->link = range->link;
}

static void range_unmap(char *start)
{
    ROOT_REMOVE(start, RANGE_SIZE);
    munmap(start, RANGE_SIZE);
}

/* NULL: there is none to be had. */
static VersionRange *range_new(VersionMemory *memory, RangeKind kind) REQUIRES(memory->mutex)
{
    VersionRange *range = memory_malloc(sizeof(*range));
    char *start = range ? range_map() : NULL;
    uint64_t offset = 0;

    if (start && kind == RANGE_SPILLED && !version_spill_map(&memory->spill, start, &offset)) {
        range_unmap(start);
        start = NULL;
    }
    if (!start) {
        memory_free(range);
        return NULL;
    }
    *range = (VersionRange){.start = start, .kind = kind, .offset = offset, .free = RANGE_FREE};
    range_link(memory, range);
    memory->range_counts[kind]++;
    return range;
}

/* One with free chunks: in memory up to the limit, then spilled, then, without disk, in memory. */
static VersionRange *range_find(VersionMemory *memory) REQUIRES(memory->mutex)
{
    VersionRange *range = memory->ranges[RANGE_MEMORY];

    if (!range && memory->range_counts[RANGE_MEMORY] < atomic_load(&memory->range_limit))
        range = range_new(memory, RANGE_MEMORY);
    if (range)
        return range;
    range = memory->ranges[RANGE_SPILLED];
    if (!range)
        range = range_new(memory, RANGE_SPILLED);
    atomic_store(&memory->is_full, !range);
    return range ? range : range_new(memory, RANGE_MEMORY);
}

/* Nothing is in it. A spilled one's pages are dropped unwritten. */
static void range_free(VersionMemory *memory, VersionRange *range)
{
    range_unmap(range->start);
    if (range->kind == RANGE_SPILLED) {
        mutex_lock(&memory->mutex);
        version_spill_give(&memory->spill, range->offset);
        mutex_unlock(&memory->mutex);
    }
    memory_free(range);
}

/* ------------------------------------------------------------------ chunks */

static VersionChunk *chunk_of(const void *piece)
{
    return (VersionChunk *)((uintptr_t)piece & ~(uintptr_t)(VERSION_CHUNK_SIZE - 1));
}

static char *granule_at(VersionChunk *chunk, uint32_t index)
{
    return (char *)chunk + index * VERSION_GRANULE;
}

static uint32_t granule_index(const VersionChunk *chunk, const char *at)
{
    return (uint32_t)((size_t)(at - (const char *)chunk) / VERSION_GRANULE);
}

/* One that has no pages; NULL: there is none. */
static VersionChunk *chunk_touch(VersionMemory *memory) REQUIRES(memory->mutex)
{
    VersionRange *range = range_find(memory);

    if (!range)
        return NULL;
    const uint32_t at = (uint32_t)__builtin_ctzll(range->free);
    VersionChunk *chunk = (VersionChunk *)(range->start + at * VERSION_CHUNK_SIZE);
    range->free &= range->free - 1;
    if (range->free == 0)
        range_unlink(range);
    chunk->range = range;
    return chunk;
}

/* NULL: there is none to be had. */
static VersionChunk *chunk_take(VersionMemory *memory)
{
    mutex_lock(&memory->mutex);
    VersionChunk *chunk =
        memory->kept_count > 0 ? memory->kept[--memory->kept_count] : chunk_touch(memory);
    if (chunk)
        memory->used_count++;
    mutex_unlock(&memory->mutex);
    if (!chunk)
        return NULL;
    *chunk = (VersionChunk){.range = chunk->range, .high = FIRST};
    POISON(granule_at(chunk, FIRST), PIECE_GRANULES * VERSION_GRANULE);
    return chunk;
}

/* Its pages go back to the system, spilled ones with their range; that goes once all of it is free.
 */
static void chunk_give_back(VersionMemory *memory, VersionChunk *chunk)
{
    VersionRange *range = chunk->range;
    const size_t at = (size_t)((char *)chunk - range->start) / VERSION_CHUNK_SIZE;

    if (range->kind == RANGE_MEMORY)
        madvise(chunk, VERSION_CHUNK_SIZE, MADV_DONTNEED);
    mutex_lock(&memory->mutex);
    if (range->free == 0)
        range_link(memory, range);
    range->free |= (uint64_t)1 << at;
    const bool is_free = range->free == RANGE_FREE;
    if (is_free) {
        range_unlink(range);
        memory->range_counts[range->kind]--;
        if (range->kind == RANGE_MEMORY)
            atomic_store(&memory->is_full, false);
    }
    mutex_unlock(&memory->mutex);
    if (is_free)
        range_free(memory, range);
}

/* Nothing is in it. */
static void chunk_give(VersionMemory *memory, VersionChunk *chunk)
{
    assert(chunk->used == 0);
    assert(!chunk->is_sparse);
    UNPOISON(chunk, VERSION_CHUNK_SIZE);
    mutex_lock(&memory->mutex);
    const bool is_kept =
        memory->kept_count < VERSION_CHUNKS_KEPT && chunk->range->kind == RANGE_MEMORY;
    if (is_kept)
        memory->kept[memory->kept_count++] = chunk;
    memory->used_count--;
    mutex_unlock(&memory->mutex);
    if (!is_kept)
        chunk_give_back(memory, chunk);
}

/* ------------------------------------------------------------------ what is in use of a chunk */

/* The bits from `from` on of the word that it is in. */
static uint64_t bits_from(uint32_t from)
{
    return UINT64_MAX << from % 64;
}

/* Turns the bits [from, from + count), which are all alike. */
static void granules_turn(VersionChunk *chunk, uint32_t from, uint32_t count)
{
    const uint32_t last = from + count - 1;
    uint64_t *word = &chunk->bits[from / 64], *last_word = &chunk->bits[last / 64];
    uint64_t mask = bits_from(from);

    for (; word < last_word; word++) {
        *word ^= mask;
        mask = UINT64_MAX;
    }
    *word ^= mask & (UINT64_MAX >> (63 - last % 64));
}

/* The first granule from `from` on that is in use, or that is not; GRANULES: there is none. */
static uint32_t granule_find(const VersionChunk *chunk, uint32_t from, bool is_used)
{
    const uint64_t flip = is_used ? 0 : UINT64_MAX;

    if (from >= GRANULES)
        return GRANULES;
    uint32_t at = from / 64;
    uint64_t word = (chunk->bits[at] ^ flip) & bits_from(from);
    while (word == 0) {
        if (++at == WORDS)
            return GRANULES;
        word = chunk->bits[at] ^ flip;
    }
    return at * 64 + (uint32_t)__builtin_ctzll(word);
}

/* ------------------------------------------------------------------ those that are half free */

static void sparse_append(VersionHeap *heap, VersionChunk *chunk)
{
    chunk->is_sparse = true;
    chunk->next = NULL;
    chunk->previous = heap->sparse_end;
    if (chunk->previous)
        chunk->previous->next = chunk;
    else
        heap->sparse = chunk;
    heap->sparse_end = chunk;
}

static void sparse_remove(VersionHeap *heap, VersionChunk *chunk)
{
    chunk->is_sparse = false;
    if (chunk->previous)
        chunk->previous->next = chunk->next;
    else
        heap->sparse = chunk->next;
    if (chunk->next)
        chunk->next->previous = chunk->previous;
    else
        heap->sparse_end = chunk->previous;
}

static bool chunk_is_half_free(const VersionChunk *chunk)
{
    return chunk->used <= PIECE_GRANULES / 2;
}

/* ------------------------------------------------------------------ the current chunk */

static void current_set(VersionHeap *heap, VersionChunk *chunk)
{
    heap->current = chunk;
    heap->cursor = heap->limit = chunk ? granule_at(chunk, FIRST) : NULL;
}

static void current_note_high(const VersionHeap *heap)
{
    VersionChunk *chunk = heap->current;

    chunk->high = MAX(chunk->high, granule_index(chunk, heap->cursor));
}

/* The next gap of the current chunk that has room for `need` bytes. */
static bool gap_next(VersionHeap *heap, size_t need)
{
    VersionChunk *chunk = heap->current;
    uint32_t from = granule_index(chunk, heap->limit), to = from;

    current_note_high(heap);
    while ((from = granule_find(chunk, to, false)) < GRANULES) {
        to = granule_find(chunk, from, true);
        if ((to - from) * VERSION_GRANULE < need)
            continue;
        heap->cursor = granule_at(chunk, from);
        heap->limit = granule_at(chunk, to);
        return true;
    }
    return false;
}

/* Nothing more fits into it. */
static void current_leave(VersionHeap *heap)
{
    VersionChunk *chunk = heap->current;

    current_set(heap, NULL);
    if (chunk->used == 0)
        chunk_give(heap->memory, chunk);
    else if (chunk_is_half_free(chunk))
        sparse_append(heap, chunk);
}

/* A gap with room for `need` bytes, in this chunk, in one that is half free, or in a fresh one. */
static COLD bool gap_find(VersionHeap *heap, size_t need)
{
    if (heap->current && gap_next(heap, need))
        return true;
    if (heap->current)
        current_leave(heap);
    for (int looks = 0; looks < SPARSE_LOOKS && heap->sparse; looks++) {
        VersionChunk *chunk = heap->sparse;
        sparse_remove(heap, chunk);
        current_set(heap, chunk);
        if (gap_next(heap, need))
            return true;
        current_leave(heap);
    }
    current_set(heap, chunk_take(heap->memory));
    return heap->current && gap_next(heap, need);
}

/* Nothing lives in it any more. */
static void chunk_emptied(VersionHeap *heap, VersionChunk *chunk)
{
    if (chunk != heap->current) {
        if (chunk->is_sparse)
            sparse_remove(heap, chunk);
        chunk_give(heap->memory, chunk);
        return;
    }
    current_note_high(heap);
    if (chunk->high * VERSION_GRANULE > VERSION_LINGER_BYTES ||
        chunk->range->kind == RANGE_SPILLED) {
        current_set(heap, NULL);
        chunk_give(heap->memory, chunk);
        return;
    }
    /* What has been used of it a moment ago is used again first: it is in the cache. */
    heap->cursor = granule_at(chunk, FIRST);
    heap->limit = granule_at(chunk, GRANULES);
}

/* ------------------------------------------------------------------ pieces */

static size_t piece_room(size_t size)
{
    return ALIGN_UP(size + RED_ZONE, VERSION_GRANULE);
}

/* C2: odd, so that it is known when it is given back. */
static COLD void *odd_take(size_t size)
{
    char *memory = memory_must(size + ODD);

    assert((uintptr_t)memory % VERSION_GRANULE == 0);
    return memory + ODD;
}

static COLD void odd_give(void *piece)
{
    memory_free((char *)piece - ODD);
}

void *version_heap_take(VersionHeap *heap, size_t size)
{
    const size_t room = piece_room(size);

    assert(size > 0);
    if (unlikely(size > VERSION_PIECE_MOST))
        return odd_take(size);
    if (unlikely((size_t)(heap->limit - heap->cursor) < room) && !gap_find(heap, room))
        return odd_take(size);
    char *piece = heap->cursor;
    VersionChunk *chunk = heap->current;
    heap->cursor += room;
    granules_turn(chunk, granule_index(chunk, piece), (uint32_t)(room / VERSION_GRANULE));
    chunk->used += (uint32_t)(room / VERSION_GRANULE);
    UNPOISON(piece, size);
    return piece;
}

void version_heap_give(VersionHeap *heap, void *piece, size_t size)
{
    const uint32_t granules = (uint32_t)(piece_room(size) / VERSION_GRANULE);

    if (unlikely((uintptr_t)piece & ODD)) {
        odd_give(piece);
        return;
    }
    VersionChunk *chunk = chunk_of(piece);
    assert(chunk->used >= granules);
    POISON(piece, size);
    granules_turn(chunk, granule_index(chunk, piece), granules);
    chunk->used -= granules;
    if (unlikely(chunk->used == 0))
        chunk_emptied(heap, chunk);
    else if (unlikely(!chunk->is_sparse && chunk_is_half_free(chunk)) && chunk != heap->current)
        sparse_append(heap, chunk);
}

/* ------------------------------------------------------------------ heaps, and memory of them all
 */

void version_memory_init(VersionMemory *memory, Str directory)
{
    *memory = (VersionMemory){.range_limit = UINT32_MAX};
    mutex_init(&memory->mutex, RANK_LEAF);
    version_spill_init(&memory->spill, directory);
}

void version_memory_deinit(VersionMemory *memory)
{
    assert(memory->used_count == 0);
    while (memory->kept_count > 0)
        chunk_give_back(memory, memory->kept[--memory->kept_count]);
    assert(memory->range_counts[RANGE_MEMORY] == 0);
    assert(memory->range_counts[RANGE_SPILLED] == 0);
    version_spill_deinit(&memory->spill);
}

void version_memory_set_limit(VersionMemory *memory, uint64_t bytes)
{
    atomic_store(&memory->range_limit, (uint32_t)MIN(bytes / RANGE_SIZE, UINT32_MAX));
}

bool version_memory_is_full(const VersionMemory *memory)
{
    return atomic_load_explicit(&memory->is_full, memory_order_relaxed);
}

void version_heap_init(VersionHeap *heap, VersionMemory *memory)
{
    *heap = (VersionHeap){.memory = memory};
}

void version_heap_deinit(VersionHeap *heap)
{
    assert(!heap->sparse);
    if (heap->current)
        chunk_give(heap->memory, heap->current);
    current_set(heap, NULL);
}

static void chunk_check(const VersionChunk *chunk)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < WORDS; i++)
        used += (uint32_t)__builtin_popcountll(chunk->bits[i]);
    assert(chunk->used == used);
    assert(chunk->used <= PIECE_GRANULES);
}

void version_heap_check(const VersionHeap *heap)
{
    if (heap->current) {
        chunk_check(heap->current);
        assert(!heap->current->is_sparse);
        assert(granule_at(heap->current, FIRST) <= heap->cursor);
        assert(heap->cursor <= heap->limit);
        assert(heap->limit <= granule_at(heap->current, GRANULES));
    }
    for (const VersionChunk *chunk = heap->sparse; chunk; chunk = chunk->next) {
        chunk_check(chunk);
        assert(chunk->is_sparse);
        assert(chunk->used > 0);
    }
}

VersionMemoryCounts version_memory_counts(VersionMemory *memory)
{
    mutex_lock(&memory->mutex);
    const VersionMemoryCounts counts = {
        .used_chunks = memory->used_count,
        .kept_chunks = memory->kept_count,
        .ranges = memory->range_counts[RANGE_MEMORY] + memory->range_counts[RANGE_SPILLED],
        .spilled = memory->range_counts[RANGE_SPILLED],
    };
    mutex_unlock(&memory->mutex);
    return counts;
}
