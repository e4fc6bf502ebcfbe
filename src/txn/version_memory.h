/*
 * Version memory: where old row versions, and what belongs to them, lie.
 *
 * They die in about the order in which they are made. So a heap, of which each partition of the
 * version store has one, gives them out one behind another from a chunk, and a chunk in which
 * nothing lives goes back as a whole, to be any heap's next one. The pages of those beyond a few
 * are the system's again. What lives longer than its neighbours keeps its chunk: once half of that
 * is free, its heap fills the gaps.
 *
 *   version_memory_init(&memory, directory);            once for all heaps
 *   version_heap_init(&heap, &memory);
 *   void *row = version_heap_take(&heap, size);         never NULL; aligned to 8
 *   version_heap_give(&heap, row, size);                the size it was taken with
 *   version_heap_deinit(&heap);                         when all has been given back
 *   version_memory_deinit(&memory);
 *
 * Chunks beyond the memory's limit lie in a temporary file (version_spill.h) as long as there is
 * disk for it, and in memory otherwise.
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
#include "txn/version_spill.h"

#define VERSION_CHUNK_SIZE ((size_t)64 * 1024)
#define VERSION_GRANULE ((size_t)16)          /* bytes: pieces are multiples of it */
#define VERSION_PIECE_MOST ((size_t)8 * 1024) /* bytes of one that is a chunk's */
#define VERSION_CHUNKS_KEPT 64u               /* free ones that keep their pages: 4 MiB */
#define VERSION_RANGE_CHUNKS 64u              /* mapped at a time: 4 MiB */
/* Of a chunk in memory that gets empty and is its heap's current one: used so far, it stays. */
#define VERSION_LINGER_BYTES ((size_t)16 * 1024)

typedef struct VersionChunk VersionChunk;
typedef struct VersionRange VersionRange;

typedef struct VersionMemory {
    Mutex mutex; /* rank LEAF */
    /* Those with free chunks, without pages where they are memory's: in memory, spilled. */
    VersionRange *ranges[2] GUARDED_BY(mutex);
    VersionChunk *kept[VERSION_CHUNKS_KEPT]; /* free ones that have them */
    uint32_t kept_count GUARDED_BY(mutex);
    uint32_t range_counts[2] GUARDED_BY(mutex);
    VersionSpill spill GUARDED_BY(mutex);
    uint64_t used_count GUARDED_BY(mutex); /* chunks that are heaps' */
    _Atomic uint32_t range_limit;          /* in memory, before others are spilled */
    _Atomic bool is_full;                  /* one was to be spilled, and there was no disk for it */
} VersionMemory;

typedef struct VersionHeap {
    VersionMemory *memory;
    VersionChunk *current;             /* NULL: none */
    char *cursor, *limit;              /* the gap of it that is being filled */
    VersionChunk *sparse, *sparse_end; /* half free, in the order in which they became so */
} VersionHeap;

/* Spills into `directory`, which is looked for when there is something to spill; "": never. */
void version_memory_init(VersionMemory *memory, Str directory);
void version_memory_deinit(VersionMemory *memory);
/* Bytes in memory, in whole ranges; what lies where stays there. */
void version_memory_set_limit(VersionMemory *memory, uint64_t bytes);
/* Is there more in memory than the limit, since the disk has no room for it? */
bool version_memory_is_full(const VersionMemory *memory);

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
    uint32_t spilled;     /* of them */
} VersionMemoryCounts;
VersionMemoryCounts version_memory_counts(VersionMemory *memory);

#endif
