/*
 * Version memory: where old row versions, and what belongs to them, lie.
 *
 * They die in about the order in which they are made. So a heap, of which each partition of the
 * version store has one, gives them out one behind another from a chunk, and a chunk in which
 * nothing lives goes back as a whole, to be any heap's next one. The pages of those beyond a few
 * are the system's again. What lives longer than its neighbours keeps its chunk: once half of that
 * is free, its heap fills the gaps.
 *
 *   version_memory_init(&memory);                       once for all heaps
 *   version_heap_init(&heap, &memory);
 *   void *row = version_heap_take(&heap, size);         never NULL; aligned to 8
 *   version_heap_give(&heap, row, size);                the size it was taken with
 *   version_heap_deinit(&heap);                         when all has been given back
 *   version_memory_deinit(&memory);
 *
 * A heap is guarded by its owner's mutex, the memory of all heaps by its own, which is taken under
 * it. What is larger than VERSION_PIECE_MOST, and all of it where the system has no more chunks,
 * is memory_must's, from what the commit has been promised. Such a large piece belongs to no heap:
 * it may be taken without the mutex.
 *
 * Invariants: C1 A chunk has a bit for each VERSION_GRANULE bytes of it that are in use, and their
 * count. C2 What is memory_must's is at 8 beyond a multiple of 16, what is a chunk's is at a
 * multiple.
 */
#ifndef TXN_VERSION_MEMORY_H
#define TXN_VERSION_MEMORY_H

#include "base/sync.h"

#define VERSION_CHUNK_SIZE ((size_t)64 * 1024)
#define VERSION_GRANULE ((size_t)16)          /* bytes: pieces are multiples of it */
#define VERSION_PIECE_MOST ((size_t)8 * 1024) /* bytes of one that is a chunk's */
#define VERSION_CHUNKS_KEPT 64u               /* free ones that keep their pages: 4 MiB */
#define VERSION_RANGE_CHUNKS 64u              /* mapped at a time: 4 MiB */
/* Of a chunk that gets empty and is its heap's current one: used so far, it stays. */
#define VERSION_LINGER_BYTES ((size_t)16 * 1024)

typedef struct VersionChunk VersionChunk;
typedef struct VersionRange VersionRange;

typedef struct VersionMemory {
    Mutex mutex;                             /* rank LEAF */
    VersionRange *ranges GUARDED_BY(mutex);  /* those with free chunks that have no pages */
    VersionChunk *kept[VERSION_CHUNKS_KEPT]; /* free ones that have them */
    uint32_t kept_count GUARDED_BY(mutex);
    uint32_t range_count GUARDED_BY(mutex);
    uint64_t used_count GUARDED_BY(mutex); /* chunks that are heaps' */
} VersionMemory;

typedef struct VersionHeap {
    VersionMemory *memory;
    VersionChunk *current;             /* NULL: none */
    char *cursor, *limit;              /* the gap of it that is being filled */
    VersionChunk *sparse, *sparse_end; /* half free, in the order in which they became so */
} VersionHeap;

void version_memory_init(VersionMemory *memory);
void version_memory_deinit(VersionMemory *memory);

void version_heap_init(VersionHeap *heap, VersionMemory *memory);
void version_heap_deinit(VersionHeap *heap);

void *version_heap_take(VersionHeap *heap, size_t size);
void version_heap_give(VersionHeap *heap, void *piece, size_t size);

/* Asserts C1 of the current chunk and of those half free. */
void version_heap_check(const VersionHeap *heap);

typedef struct VersionMemoryCounts {
    uint64_t used_chunks; /* heaps' */
    uint32_t kept_chunks; /* free, with pages */
    uint32_t ranges;      /* of VERSION_RANGE_CHUNKS, mapped */
} VersionMemoryCounts;
VersionMemoryCounts version_memory_counts(VersionMemory *memory);

#endif
