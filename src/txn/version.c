#include "txn/version.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "txn/version_memory.h"
#include "txn/version_table.h"

#define PARTITION_BITS 8
#define PARTITION_COUNT (1u << PARTITION_BITS)
#define LEAST_HEADS 2u

typedef struct Head {
    Lsn ts; /* of what the page has */
    Version *older;
    uint8_t low; /* the row id's low bits */
    bool dead;   /* the page has no such row */
} Head;

/* Rows of 256 neighbouring ids that have versions. */
typedef struct Segment {
    VersionNode node;
    TreeName tree;
    uint64_t number;
    uint32_t count, capacity;
    Head *heads; /* ascending by `low` */
} Segment;

typedef struct EntryHistory {
    VersionNode node;
    TreeName tree;
    EntryChange *changes; /* oldest first */
    EntryChange only;     /* which most entries have: as long as the capacity is 1 */
    uint32_t count, capacity;
    uint32_t key_length;
    byte key[];
} EntryHistory;

typedef struct Partition {
    Mutex mutex;                        /* rank VERSION_STORE */
    _Atomic uint64_t bytes;             /* written under the mutex, read without */
    VersionHeap heap GUARDED_BY(mutex); /* of all that is in the tables */
    VersionTable segments GUARDED_BY(mutex);
    VersionTable entries GUARDED_BY(mutex);
} ALIGNED(CACHE_LINE) Partition;

/* A segment of a tree with rows that are gone from their pages, and how many. */
typedef struct DeadSegment {
    TreeName tree;
    uint64_t number;
    uint64_t count;
} DeadSegment;

struct VersionStore {
    FreshList fresh;
    EntryRuns entry_runs;
    VersionMemory memory;
    Partition partitions[PARTITION_COUNT];
    Mutex dead_mutex;
    DeadSegment *dead GUARDED_BY(dead_mutex); /* ascending by (tree, number) */
    size_t dead_length, dead_capacity, dead_empty;
    size_t dead_recent; /* where the last one counted was: neighbours come together */
    _Atomic uint64_t dead_rows;
};

VersionStore *version_store_new(Str directory)
{
    VersionStore *store = memory_aligned(sizeof(VersionStore));
    if (!store)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    version_memory_init(&store->memory, directory);
    entry_runs_init(&store->entry_runs, &store->memory);
    for (uint32_t i = 0; i < PARTITION_COUNT; i++) {
        mutex_init(&store->partitions[i].mutex, RANK_VERSION_STORE);
        version_heap_init(&store->partitions[i].heap, &store->memory);
    }
    mutex_init(&store->dead_mutex, RANK_LEAF);
    fresh_list_init(&store->fresh);
    return store;
}

static void count_bytes(Partition *partition, size_t taken, size_t given) REQUIRES(partition->mutex)
{
    const uint64_t bytes = atomic_load_explicit(&partition->bytes, memory_order_relaxed);

    atomic_store_explicit(&partition->bytes, bytes + taken - given, memory_order_relaxed);
}

static size_t version_size(const Version *version)
{
    return sizeof(*version) + version->length;
}

static void version_free(Partition *partition, Version *version) REQUIRES(partition->mutex)
{
    count_bytes(partition, 0, version_size(version));
    version_heap_give(&partition->heap, version, version_size(version));
}

static void chain_free(Partition *partition, Version *version) REQUIRES(partition->mutex)
{
    while (version) {
        Version *older = version->older;
        version_free(partition, version);
        version = older;
    }
}

static void segment_free(Partition *partition, Segment *segment) REQUIRES(partition->mutex)
{
    count_bytes(partition, 0, sizeof(*segment) + sizeof(Head) * segment->capacity);
    version_heap_give(&partition->heap, segment->heads, sizeof(Head) * segment->capacity);
    version_heap_give(&partition->heap, segment, sizeof(*segment));
}

static size_t entry_size(uint32_t key_length)
{
    return offsetof(EntryHistory, key) + key_length;
}

static void entry_changes_free(Partition *partition, EntryHistory *entry) REQUIRES(partition->mutex)
{
    if (entry->changes == &entry->only)
        return;
    count_bytes(partition, 0, sizeof(EntryChange) * entry->capacity);
    version_heap_give(&partition->heap, entry->changes, sizeof(EntryChange) * entry->capacity);
}

static void entry_free(Partition *partition, EntryHistory *entry) REQUIRES(partition->mutex)
{
    entry_changes_free(partition, entry);
    count_bytes(partition, 0, entry_size(entry->key_length));
    version_heap_give(&partition->heap, entry, entry_size(entry->key_length));
}

static void segments_free(Partition *partition, VersionNode *node)
{
    while (node) {
        Segment *segment = (Segment *)node;
        node = node->next;
        for (uint32_t i = 0; i < segment->count; i++)
            chain_free(partition, segment->heads[i].older);
        segment_free(partition, segment);
    }
}

static void entries_free(Partition *partition, VersionNode *node)
{
    while (node) {
        EntryHistory *entry = (EntryHistory *)node;
        node = node->next;
        entry_free(partition, entry);
    }
}

static void partition_deinit(Partition *partition)
{
    for (uint32_t i = 0; i < partition->segments.bucket_count; i++)
        segments_free(partition, *version_table_bucket(&partition->segments, i));
    for (uint32_t i = 0; i < partition->entries.bucket_count; i++)
        entries_free(partition, *version_table_bucket(&partition->entries, i));
    assert(partition->bytes == 0);
    version_table_deinit(&partition->segments);
    version_table_deinit(&partition->entries);
    version_heap_deinit(&partition->heap);
}

void version_store_free(VersionStore *store)
{
    if (!store)
        return;
    for (uint32_t i = 0; i < PARTITION_COUNT; i++)
        partition_deinit(&store->partitions[i]);
    entry_runs_deinit(&store->entry_runs);
    version_memory_deinit(&store->memory);
    fresh_list_deinit(&store->fresh);
    memory_free(store->dead);
    memory_free(store);
}

FreshList *version_fresh(VersionStore *store)
{
    return &store->fresh;
}

VersionMemory *version_store_memory(VersionStore *store)
{
    return &store->memory;
}

EntryRuns *version_entry_runs(VersionStore *store)
{
    return &store->entry_runs;
}

uint64_t version_store_bytes(const VersionStore *store)
{
    uint64_t bytes = entry_runs_bytes(&store->entry_runs);
    for (uint32_t i = 0; i < PARTITION_COUNT; i++)
        bytes += atomic_load_explicit(&store->partitions[i].bytes, memory_order_relaxed);
    return bytes;
}

/* ------------------------------------------------------------------ segments */

static uint64_t segment_hash(TreeName tree, uint64_t number)
{
    return hash_combine(tree, number);
}

/* By the high bits: the low ones are for the buckets of its tables. */
static Partition *partition_of(VersionStore *store, uint64_t hash)
{
    return &store->partitions[hash >> (64 - PARTITION_BITS)];
}

static Segment *segment_find(Partition *partition, TreeName tree, uint64_t number, uint64_t hash)
{
    VersionNode **link = version_table_find(&partition->segments, hash);
    Segment *segment = link ? (Segment *)*link : NULL;

    while (segment && (segment->tree != tree || segment->number != number))
        segment = (Segment *)segment->node.next;
    return segment;
}

static Segment *segment_make(Partition *partition, TreeName tree, uint64_t number, uint64_t hash)
{
    Segment *segment = segment_find(partition, tree, number, hash);
    if (segment)
        return segment;
    segment = version_heap_take(&partition->heap, sizeof(*segment));
    *segment = (Segment){.node.hash = hash, .tree = tree, .number = number};
    segment->heads = version_heap_take(&partition->heap, sizeof(Head) * LEAST_HEADS);
    segment->capacity = LEAST_HEADS;
    version_table_add(&partition->segments, &segment->node);
    count_bytes(partition, sizeof(*segment) + sizeof(Head) * LEAST_HEADS, 0);
    return segment;
}

static void heads_grow(Partition *partition, Segment *segment)
{
    const size_t size = sizeof(Head) * segment->capacity;
    Head *heads = version_heap_take(&partition->heap, 2 * size);

    memcpy(heads, segment->heads, sizeof(Head) * segment->count);
    version_heap_give(&partition->heap, segment->heads, size);
    segment->heads = heads;
    segment->capacity *= 2;
    count_bytes(partition, size, 0);
}

/* Where the head of a row is, or would be. */
static uint32_t head_lower_bound(const Segment *segment, uint8_t low)
{
    uint32_t from = 0, to = segment->count;
    while (from < to) {
        uint32_t middle = (from + to) / 2;
        if (segment->heads[middle].low < low)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static Head *head_find(Segment *segment, uint64_t row_id)
{
    uint8_t low = (uint8_t)row_id;
    if (!segment)
        return NULL;
    uint32_t at = head_lower_bound(segment, low);
    return at < segment->count && segment->heads[at].low == low ? &segment->heads[at] : NULL;
}

static Head *head_make(Partition *partition, Segment *segment, uint64_t row_id)
{
    uint8_t low = (uint8_t)row_id;
    uint32_t at = head_lower_bound(segment, low);

    if (at < segment->count && segment->heads[at].low == low)
        return &segment->heads[at];
    if (segment->count == segment->capacity)
        heads_grow(partition, segment);
    memmove(&segment->heads[at + 1], &segment->heads[at], sizeof(Head) * (segment->count - at));
    segment->count++;
    segment->heads[at] = (Head){.low = low};
    return &segment->heads[at];
}

static void segment_unlink(Partition *partition, Segment *segment)
{
    VersionNode **link = version_table_find(&partition->segments, segment->node.hash);

    while (*link != &segment->node)
        link = &(*link)->next;
    version_table_remove(&partition->segments, link);
    segment_free(partition, segment);
}

/* ------------------------------------------------------------------ rows gone from their pages */

static size_t dead_lower_bound(const VersionStore *store, TreeName tree, uint64_t number)
{
    size_t from = 0, to = store->dead_length;
    if (store->dead_recent < to && store->dead[store->dead_recent].tree == tree &&
        store->dead[store->dead_recent].number == number)
        return store->dead_recent;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const DeadSegment *dead = &store->dead[middle];
        if (dead->tree < tree || (dead->tree == tree && dead->number < number))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void dead_compact(VersionStore *store)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->dead_length; i++)
        if (store->dead[i].count > 0)
            store->dead[kept++] = store->dead[i];
    store->dead_length = kept;
    store->dead_empty = 0;
}

static void dead_count(VersionStore *store, TreeName tree, uint64_t number, int change)
{
    mutex_lock(&store->dead_mutex);
    size_t at = dead_lower_bound(store, tree, number);
    bool found =
        at < store->dead_length && store->dead[at].tree == tree && store->dead[at].number == number;
    if (!found) {
        assert(change > 0);
        if (store->dead_length == store->dead_capacity) {
            store->dead_capacity = store->dead_capacity ? store->dead_capacity * 2 : 16;
            store->dead =
                memory_must_realloc(store->dead, sizeof(DeadSegment) * store->dead_capacity);
        }
        memmove(&store->dead[at + 1], &store->dead[at],
                sizeof(DeadSegment) * (store->dead_length - at));
        store->dead_length++;
        store->dead[at] = (DeadSegment){.tree = tree, .number = number};
    } else if (store->dead[at].count == 0) {
        store->dead_empty--;
    }
    store->dead_recent = at;
    store->dead[at].count += (uint64_t)change;
    atomic_fetch_add_explicit(&store->dead_rows, (uint64_t)change, memory_order_relaxed);
    if (store->dead[at].count == 0 && ++store->dead_empty > store->dead_length / 2)
        dead_compact(store);
    mutex_unlock(&store->dead_mutex);
}

bool version_has_dead(const VersionStore *store)
{
    return atomic_load_explicit(&store->dead_rows, memory_order_relaxed) > 0;
}

bool version_next_dead_segment(VersionStore *store, TreeName tree, uint64_t segment,
                               uint64_t *ret_segment)
{
    bool found = false;
    mutex_lock(&store->dead_mutex);
    for (size_t at = dead_lower_bound(store, tree, segment);
         at < store->dead_length && store->dead[at].tree == tree; at++) {
        if (store->dead[at].count == 0)
            continue;
        *ret_segment = store->dead[at].number;
        found = true;
        break;
    }
    mutex_unlock(&store->dead_mutex);
    return found;
}

/* ------------------------------------------------------------------ rows */

static uint32_t old_length(const TreeChange *change)
{
    return change->existed ? change->old_size : 0;
}

/* A copy of what the page has before the change. */
static Version *version_copy(Partition *partition, const TreeChange *change)
{
    const uint32_t length = old_length(change);
    Version *version = version_heap_take(&partition->heap, sizeof(*version) + length);

    *version = (Version){.length = length, .absent = !change->existed};
    if (change->existed)
        tree_change_old_image(change, version->image);
    return version;
}

void version_push_row(VersionStore *store, TreeName tree, const TreeChange *change, Lsn ts)
{
    if (!change->existed && change->deletes)
        return;
    uint64_t number = change->row_id >> VERSION_SEGMENT_BITS;
    uint64_t hash = segment_hash(tree, number);
    Partition *partition = partition_of(store, hash);
    /* What is large is none of the partition's heap, and takes long to copy. */
    const bool is_large = old_length(change) > VERSION_PIECE_MOST;
    Version *version = is_large ? version_copy(partition, change) : NULL;

    mutex_lock(&partition->mutex);
    Head *head = head_make(partition, segment_make(partition, tree, number, hash), change->row_id);
    bool was_dead = head->dead;
    /* Where there is no row but a date it was deleted a moment ago. */
    if (!version && (change->existed || head->ts != 0))
        version = version_copy(partition, change);
    if (version) {
        version->ts = head->ts; /* 0: older than every snapshot */
        version->older = head->older;
        head->older = version;
        count_bytes(partition, version_size(version), 0);
    }
    head->ts = ts;
    head->dead = change->deletes;
    mutex_unlock(&partition->mutex);

    if (was_dead != change->deletes)
        dead_count(store, tree, number, change->deletes ? 1 : -1);
}

/* When the row, or the entry that ends in its id, was added in bulk, if the snapshot doesn't see
 * that; or 0. */
static Lsn fresh_date(VersionStore *store, TreeName tree, uint64_t row_id, const Snapshot *snapshot)
{
    return unlikely(fresh_list_may_have(&store->fresh, tree))
               ? fresh_list_find(&store->fresh, tree, row_id, snapshot)
               : 0;
}

static VersionRow head_see(const Head *head, uint64_t row_id, const Snapshot *snapshot)
{
    VersionRow row = {.row_id = row_id, .seen = SEEN_PAGE};
    if (!head || snapshot_sees(snapshot, head->ts))
        return row;
    const Version *version = head->older;
    while (version && !snapshot_sees(snapshot, version->ts))
        version = version->older;
    row.seen = version && !version->absent ? SEEN_IMAGE : SEEN_NOTHING;
    row.image = row.seen == SEEN_IMAGE ? version : NULL;
    return row;
}

VersionRow version_find_row(VersionStore *store, TreeName tree, uint64_t row_id,
                            const Snapshot *snapshot, Lsn *ret_ts)
{
    uint64_t number = row_id >> VERSION_SEGMENT_BITS;
    uint64_t hash = segment_hash(tree, number);
    Partition *partition = partition_of(store, hash);
    const Lsn added = fresh_date(store, tree, row_id, snapshot);

    mutex_lock(&partition->mutex);
    const Head *head = head_find(segment_find(partition, tree, number, hash), row_id);
    VersionRow row = head_see(head, row_id, snapshot);
    if (ret_ts)
        *ret_ts = head ? head->ts : added;
    mutex_unlock(&partition->mutex);
    if (added != 0)
        row = (VersionRow){.row_id = row_id, .seen = SEEN_NOTHING};
    return row;
}

uint32_t version_find_segment(VersionStore *store, TreeName tree, uint64_t segment, uint64_t first,
                              uint64_t last, const Snapshot *snapshot, VersionRow *ret_rows)
{
    uint64_t hash = segment_hash(tree, segment);
    Partition *partition = partition_of(store, hash);
    uint32_t count = 0;

    mutex_lock(&partition->mutex);
    const Segment *found = segment_find(partition, tree, segment, hash);
    for (uint32_t i = 0; found && i < found->count; i++) {
        const Head *head = &found->heads[i];
        uint64_t row_id = segment << VERSION_SEGMENT_BITS | head->low;
        if (row_id < first || row_id > last || snapshot_sees(snapshot, head->ts))
            continue;
        ret_rows[count++] = head_see(head, row_id, snapshot);
    }
    mutex_unlock(&partition->mutex);
    return count;
}

/* ------------------------------------------------------------------ index entries */

uint64_t version_entry_hash(TreeName tree, Str key)
{
    return hash_combine(tree, hash_bytes(key.data, key.length));
}

static bool entry_is(const EntryHistory *entry, TreeName tree, uint64_t hash, Str key)
{
    return entry->node.hash == hash && entry->tree == tree &&
           str_equal(str_make(entry->key, entry->key_length), key);
}

static EntryHistory *entry_find(Partition *partition, TreeName tree, uint64_t hash, Str key)
{
    VersionNode **link = version_table_find(&partition->entries, hash);
    EntryHistory *entry = link ? (EntryHistory *)*link : NULL;

    while (entry && !entry_is(entry, tree, hash, key))
        entry = (EntryHistory *)entry->node.next;
    return entry;
}

static EntryHistory *entry_make(Partition *partition, TreeName tree, uint64_t hash, Str key)
{
    const uint32_t key_length = (uint32_t)key.length;
    EntryHistory *entry = entry_find(partition, tree, hash, key);
    if (entry)
        return entry;
    entry = version_heap_take(&partition->heap, entry_size(key_length));
    /* Member by member: the key begins before the struct would end. */
    entry->node.hash = hash;
    entry->tree = tree;
    entry->changes = &entry->only;
    entry->count = 0;
    entry->capacity = 1;
    entry->key_length = key_length;
    memcpy(entry->key, key.data, key_length);
    version_table_add(&partition->entries, &entry->node);
    count_bytes(partition, entry_size(key_length), 0);
    return entry;
}

static void entry_grow(Partition *partition, EntryHistory *entry)
{
    const uint32_t capacity = entry->capacity * 2;
    EntryChange *changes = version_heap_take(&partition->heap, sizeof(EntryChange) * capacity);

    memcpy(changes, entry->changes, sizeof(EntryChange) * entry->count);
    entry_changes_free(partition, entry);
    entry->changes = changes;
    entry->capacity = capacity;
    count_bytes(partition, sizeof(EntryChange) * capacity, 0);
}

void version_push_entry(VersionStore *store, TreeName tree, const TreeChange *change, Lsn ts)
{
    bool was_live = change->existed && !change->was_ghost;
    if (was_live != change->deletes)
        return; /* it stays what it is */
    uint64_t hash = version_entry_hash(tree, change->key);
    Partition *partition = partition_of(store, hash);

    mutex_lock(&partition->mutex);
    EntryHistory *entry = entry_make(partition, tree, hash, change->key);
    if (entry->count == entry->capacity)
        entry_grow(partition, entry);
    entry->changes[entry->count++] = (EntryChange){.ts = ts, .live = !change->deletes};
    mutex_unlock(&partition->mutex);
}

/* The oldest change in an entry's history that the snapshot does not see. */
static bool history_find(VersionStore *store, TreeName tree, Str key, const Snapshot *snapshot,
                         EntryChange *ret_change)
{
    const uint64_t hash = version_entry_hash(tree, key);
    Partition *partition = partition_of(store, hash);
    bool found = false;

    mutex_lock(&partition->mutex);
    const EntryHistory *entry = entry_find(partition, tree, hash, key);
    for (uint32_t i = entry ? entry->count : 0; i > 0; i--) {
        if (snapshot_sees(snapshot, entry->changes[i - 1].ts))
            break;
        *ret_change = entry->changes[i - 1];
        found = true;
    }
    mutex_unlock(&partition->mutex);
    return found;
}

/*
 * Each change turns what the entry is: before the oldest that is not seen it was the other. Where
 * all are seen it is what the page had: it was read after the snapshot was taken.
 */
bool version_sees_entry(VersionStore *store, TreeName tree, Str key, bool live,
                        const Snapshot *snapshot)
{
    EntryChange change, in_run;

    if (fresh_date(store, tree, tree_key_row_id(key), snapshot) != 0)
        return false;
    bool found = history_find(store, tree, key, snapshot, &change);
    if (entry_runs_find(&store->entry_runs, tree, key, snapshot, &in_run) &&
        (!found || in_run.ts < change.ts)) {
        change = in_run;
        found = true;
    }
    return found ? !change.live : live;
}

bool version_has_entry(VersionStore *store, TreeName tree, Str key)
{
    const Snapshot oldest = {.lsn = 0}; /* sees none of what is remembered */
    EntryChange change;

    return history_find(store, tree, key, &oldest, &change) ||
           entry_runs_find(&store->entry_runs, tree, key, &oldest, &change);
}

/* ------------------------------------------------------------------ reclaiming */

/* The next one behind `link` in its bucket that the name is for. */
static VersionNode **entry_next(VersionNode **link, const VersionName *name)
{
    while (*link) {
        const EntryHistory *entry = (const EntryHistory *)*link;
        if (entry->node.hash == name->id && entry->tree == name->tree)
            return link;
        link = &(*link)->next;
    }
    return NULL;
}

/* Forgets changes that all see; true: there are no others. */
static bool entry_forget(EntryHistory *entry, Lsn horizon)
{
    uint32_t old = 0;

    while (old < entry->count && entry->changes[old].ts <= horizon)
        old++;
    /* The newest of the old ones says the state before the first that is kept; so does the
     * first kept one's being a change. */
    memmove(entry->changes, entry->changes + old, sizeof(EntryChange) * (entry->count - old));
    entry->count -= old;
    return entry->count == 0;
}

static void entries_reclaim(Partition *partition, const VersionName *name, Lsn horizon)
{
    VersionNode **link = version_table_find(&partition->entries, name->id);

    while (link && (link = entry_next(link, name)) != NULL) {
        EntryHistory *entry = (EntryHistory *)*link;
        if (!entry_forget(entry, horizon)) {
            link = &entry->node.next;
            continue;
        }
        version_table_remove(&partition->entries, link);
        entry_free(partition, entry);
        link = version_table_find(&partition->entries, name->id);
    }
}

/* Cuts the chain behind the first version that the horizon sees. */
static void chain_cut(Partition *partition, Head *head, Lsn horizon)
{
    Version *version = head->older;
    while (version && version->ts > horizon)
        version = version->older;
    if (!version)
        return;
    chain_free(partition, version->older);
    version->older = NULL;
}

void version_reclaim(VersionStore *store, const VersionName *name, Lsn horizon)
{
    if (name->is_entry) {
        Partition *partition = partition_of(store, name->id);
        mutex_lock(&partition->mutex);
        entries_reclaim(partition, name, horizon);
        mutex_unlock(&partition->mutex);
        return;
    }
    uint64_t number = name->id >> VERSION_SEGMENT_BITS;
    uint64_t hash = segment_hash(name->tree, number);
    Partition *partition = partition_of(store, hash);
    bool was_dead = false;

    mutex_lock(&partition->mutex);
    Segment *segment = segment_find(partition, name->tree, number, hash);
    Head *head = head_find(segment, name->id);
    if (head && head->ts > horizon) {
        chain_cut(partition, head, horizon);
    } else if (head) {
        was_dead = head->dead;
        chain_free(partition, head->older);
        size_t after = (size_t)(segment->heads + segment->count - (head + 1));
        memmove(head, head + 1, sizeof(Head) * after);
        if (--segment->count == 0)
            segment_unlink(partition, segment);
    }
    mutex_unlock(&partition->mutex);
    if (was_dead)
        dead_count(store, name->tree, number, -1);
}

/* Is there a snapshot in [from, to)? Above `bound` there may be any. */
static bool range_is_needed(const SnapshotRange *ranges, uint32_t count, Lsn bound, Lsn from,
                            Lsn to)
{
    uint32_t below = 0, above = count;

    if (to > bound)
        return true;
    /* The last range that begins before `to`: those before it end earlier. */
    while (below < above) {
        uint32_t middle = below + (above - below) / 2;
        if (ranges[middle].low < to)
            below = middle + 1;
        else
            above = middle;
    }
    return below > 0 && ranges[below - 1].high >= from;
}

bool version_prune(VersionStore *store, const VersionName *name, Lsn lsn,
                   const SnapshotRange *ranges, uint32_t range_count, Lsn bound, uint32_t *freed)
{
    if (name->is_entry)
        return false;
    uint64_t number = name->id >> VERSION_SEGMENT_BITS;
    uint64_t hash = segment_hash(name->tree, number);
    Partition *partition = partition_of(store, hash);

    mutex_lock(&partition->mutex);
    Head *head = head_find(segment_find(partition, name->tree, number, hash), name->id);
    const bool is_done = !head || head->ts > lsn;
    if (head) {
        Lsn newer = head->ts;
        Version **link = &head->older;
        while (*link) {
            Version *version = *link;
            Lsn superseded = newer;
            newer = version->ts;
            if (range_is_needed(ranges, range_count, bound, version->ts, superseded)) {
                link = &version->older;
                continue;
            }
            *link = version->older;
            version_free(partition, version);
            ++*freed;
        }
    }
    mutex_unlock(&partition->mutex);
    return is_done;
}
