#include "txn/entry_run.h"

#include <string.h>

#include "base/memory.h"
#include "base/pace.h"
#include "storage/tree.h"

#define BLOCK_SIZE 8000u     /* bytes: eight of them fill a chunk of the version memory */
#define FIRST_DIRECTORY 16u  /* blocks that the first directory has room for */
#define LIVE_BIT 0x8000u     /* of an entry's length */
#define BLOCKS_AT_A_TIME 64u /* freed between two looks at the time slice */
#define ENTRY_OVERHEAD (2 * sizeof(uint16_t))

/* Offsets from the front, entries (length, key) from the end. */
typedef struct EntryBlock {
    _Atomic uint32_t count;
    uint32_t heap_start;
    byte bytes[BLOCK_SIZE - 2 * sizeof(uint32_t)];
} EntryBlock;

static_assert(sizeof(EntryBlock) == BLOCK_SIZE, "a block is one piece");
static_assert(BLOCK_SIZE <= VERSION_PIECE_MOST, "a block is a chunk's");
static_assert(2 * (TREE_MAX_KEY + ENTRY_OVERHEAD) <= sizeof(((EntryBlock *)0)->bytes),
              "two entries of any size fit");

/* Readers may still look at one that has been outgrown: all go with the run. */
typedef struct EntryDirectory {
    struct EntryDirectory *older;
    uint32_t capacity;
    EntryBlock *blocks[];
} EntryDirectory;

struct EntryRun {
    EntryRuns *runs;
    VersionHeap heap; /* of the blocks; the writer's, then that of who frees them */
    EntryDirectory *_Atomic directory;
    _Atomic uint32_t block_count;
};

/* ------------------------------------------------------------------ entries of a block */

static Str block_key(const EntryBlock *block, uint32_t index, bool *ret_live)
{
    uint16_t offset, length;

    memcpy(&offset, block->bytes + index * sizeof(offset), sizeof(offset));
    memcpy(&length, block->bytes + offset, sizeof(length));
    *ret_live = length & LIVE_BIT;
    return str_make((const char *)block->bytes + offset + sizeof(length), length & ~LIVE_BIT);
}

static bool block_has_room(const EntryBlock *block, size_t key_length)
{
    const uint32_t count = atomic_load_explicit(&block->count, memory_order_relaxed);

    return count * sizeof(uint16_t) + ENTRY_OVERHEAD + key_length <= block->heap_start;
}

static void block_append(EntryBlock *block, Str key, bool live)
{
    const uint32_t count = atomic_load_explicit(&block->count, memory_order_relaxed);
    const uint16_t length = (uint16_t)(key.length | (live ? LIVE_BIT : 0));

    block->heap_start -= (uint32_t)(sizeof(length) + key.length);
    const uint16_t offset = (uint16_t)block->heap_start;
    memcpy(block->bytes + offset, &length, sizeof(length));
    memcpy(block->bytes + offset + sizeof(length), key.data, key.length);
    memcpy(block->bytes + count * sizeof(offset), &offset, sizeof(offset));
    /* Pairs with the load of block_find. */
    atomic_store_explicit(&block->count, count + 1, memory_order_release);
}

static bool block_find(const EntryBlock *block, Str key, bool *ret_live)
{
    uint32_t from = 0;
    uint32_t to = atomic_load_explicit(&((EntryBlock *)block)->count, memory_order_acquire);

    while (from < to) {
        const uint32_t middle = (from + to) / 2;
        const int order = str_compare(block_key(block, middle, ret_live), key);
        if (order == 0)
            return true;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

/* ------------------------------------------------------------------ a run */

static void count_bytes(EntryRun *run, size_t size)
{
    atomic_fetch_add_explicit(&run->runs->bytes, size, memory_order_relaxed);
}

static size_t directory_size(uint32_t capacity)
{
    return sizeof(EntryDirectory) + capacity * sizeof(EntryBlock *);
}

/* One with room for another block, of which readers find all that have been counted. */
static EntryDirectory *directory_reserve(EntryRun *run, uint32_t block_count)
{
    EntryDirectory *old = atomic_load_explicit(&run->directory, memory_order_relaxed);

    if (old && block_count < old->capacity)
        return old;
    const uint32_t capacity = old ? old->capacity * 2 : FIRST_DIRECTORY;
    EntryDirectory *grown = memory_must(directory_size(capacity));
    grown->older = old;
    grown->capacity = capacity;
    if (old)
        memcpy(grown->blocks, old->blocks, block_count * sizeof(old->blocks[0]));
    count_bytes(run, directory_size(capacity));
    /* Before a block is counted that only this one has. */
    atomic_store_explicit(&run->directory, grown, memory_order_release);
    return grown;
}

static EntryBlock *last_block(const EntryRun *run)
{
    const uint32_t count = atomic_load_explicit(&run->block_count, memory_order_relaxed);
    const EntryDirectory *directory = atomic_load_explicit(&run->directory, memory_order_relaxed);

    return count > 0 ? directory->blocks[count - 1] : NULL;
}

static bool is_behind(const EntryBlock *last, Str key)
{
    const uint32_t count = atomic_load_explicit(&last->count, memory_order_relaxed);
    bool live;

    return str_compare(block_key(last, count - 1, &live), key) < 0;
}

bool entry_run_add(EntryRun *run, Str key, bool live)
{
    EntryBlock *last = last_block(run);

    if (last && !is_behind(last, key))
        return false;
    if (last && block_has_room(last, key.length)) {
        block_append(last, key, live);
        return true;
    }
    const uint32_t count = atomic_load_explicit(&run->block_count, memory_order_relaxed);
    EntryDirectory *directory = directory_reserve(run, count);
    EntryBlock *block = version_heap_take(&run->heap, sizeof(*block));
    atomic_init(&block->count, 0);
    block->heap_start = sizeof(block->bytes);
    block_append(block, key, live);
    directory->blocks[count] = block;
    count_bytes(run, sizeof(*block));
    /* Pairs with the load of run_find. */
    atomic_store_explicit(&run->block_count, count + 1, memory_order_release);
    return true;
}

static bool run_find(const EntryRun *run, Str key, bool *ret_live)
{
    uint32_t from = 0;
    uint32_t to = atomic_load_explicit(&((EntryRun *)run)->block_count, memory_order_acquire);
    const EntryDirectory *directory =
        atomic_load_explicit(&((EntryRun *)run)->directory, memory_order_acquire);

    /* The last block that does not begin behind the key. */
    while (from < to) {
        const uint32_t middle = (from + to) / 2;
        if (str_compare(block_key(directory->blocks[middle], 0, ret_live), key) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 && block_find(directory->blocks[from - 1], key, ret_live);
}

static void run_free(EntryRun *run)
{
    EntryDirectory *directory = atomic_load_explicit(&run->directory, memory_order_acquire);
    const uint32_t count = atomic_load_explicit(&run->block_count, memory_order_acquire);
    uint64_t bytes = sizeof(*run) + count * sizeof(EntryBlock);

    for (uint32_t i = 0; i < count; i++) {
        if (i % BLOCKS_AT_A_TIME == BLOCKS_AT_A_TIME - 1)
            pace_turn();
        version_heap_give(&run->heap, directory->blocks[i], sizeof(EntryBlock));
    }
    while (directory) {
        EntryDirectory *older = directory->older;
        bytes += directory_size(directory->capacity);
        memory_free(directory);
        directory = older;
    }
    version_heap_deinit(&run->heap);
    atomic_fetch_sub_explicit(&run->runs->bytes, bytes, memory_order_relaxed);
    memory_free(run);
}

/* ------------------------------------------------------------------ everybody's */

void entry_runs_init(EntryRuns *runs, VersionMemory *memory)
{
    mutex_init(&runs->mutex, RANK_LEAF);
    runs->memory = memory;
}

void entry_runs_deinit(EntryRuns *runs)
{
    entry_runs_reclaim(runs, LSN_MAX);
}

/* NULL: there is none, or the index has its share. */
static EntryRunPlace *place_for(EntryRuns *runs, TreeName index) REQUIRES(runs->mutex)
{
    EntryRunPlace *free_place = NULL;
    uint32_t others = 0;

    for (uint32_t i = 0; i < ENTRY_RUNS_MOST; i++) {
        EntryRunPlace *place = &runs->places[i];
        if (atomic_load_explicit(&place->lsn, memory_order_relaxed) == 0)
            free_place = place;
        else if (atomic_load_explicit(&place->index, memory_order_relaxed) == index)
            others++;
    }
    return others < ENTRY_RUNS_OF_INDEX ? free_place : NULL;
}

EntryRun *entry_run_new(EntryRuns *runs, TreeName index, Lsn lsn)
{
    EntryRun *run = memory_must_calloc(1, sizeof(*run));

    run->runs = runs;
    version_heap_init(&run->heap, runs->memory);
    mutex_lock(&runs->mutex);
    EntryRunPlace *place = place_for(runs, index);
    if (place) {
        atomic_store_explicit(&place->index, index, memory_order_relaxed);
        atomic_store_explicit(&place->run, run, memory_order_relaxed);
        /* Pairs with the load of entry_runs_find. */
        atomic_store_explicit(&place->lsn, lsn, memory_order_release);
        atomic_fetch_add(&runs->count, 1);
    }
    mutex_unlock(&runs->mutex);
    if (place) {
        count_bytes(run, sizeof(*run));
        return run;
    }
    memory_free(run);
    return NULL;
}

bool entry_runs_find(EntryRuns *runs, TreeName index, Str key, const Snapshot *snapshot,
                     EntryChange *ret_change)
{
    bool found = false, live;

    /* Who sees a leaf that a run's commit has changed sees its place, by way of the latch. */
    if (atomic_load_explicit(&runs->count, memory_order_relaxed) == 0)
        return false;
    for (uint32_t i = 0; i < ENTRY_RUNS_MOST; i++) {
        EntryRunPlace *place = &runs->places[i];
        const Lsn lsn = atomic_load_explicit(&place->lsn, memory_order_acquire);
        if (lsn == 0 || snapshot_sees(snapshot, lsn) || (found && lsn > ret_change->ts) ||
            atomic_load_explicit(&place->index, memory_order_relaxed) != index ||
            !run_find(atomic_load_explicit(&place->run, memory_order_relaxed), key, &live))
            continue;
        *ret_change = (EntryChange){.ts = lsn, .live = live};
        found = true;
    }
    return found;
}

void entry_runs_reclaim(EntryRuns *runs, Lsn horizon)
{
    EntryRun *old[ENTRY_RUNS_MOST];
    uint32_t count = 0;

    if (atomic_load(&runs->count) == 0)
        return;
    mutex_lock(&runs->mutex);
    for (uint32_t i = 0; i < ENTRY_RUNS_MOST; i++) {
        EntryRunPlace *place = &runs->places[i];
        const Lsn lsn = atomic_load_explicit(&place->lsn, memory_order_relaxed);
        if (lsn == 0 || lsn > horizon)
            continue;
        old[count++] = atomic_load_explicit(&place->run, memory_order_relaxed);
        atomic_store(&place->lsn, 0);
    }
    atomic_fetch_sub(&runs->count, count);
    mutex_unlock(&runs->mutex);
    while (count > 0)
        run_free(old[--count]);
}
