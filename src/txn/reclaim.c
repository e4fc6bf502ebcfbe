/*
 * Reclaiming: old row versions are freed as soon as no snapshot needs them.
 *
 * Each commit hands over the names of what it changed (its garbage). Those up to the horizon are
 * freed. The others are looked at in turn, round and round: versions between two snapshots go, and
 * a name that a later commit has changed again is left to that one's garbage. So an old reader
 * costs one old version of each row changed since, and one name, however often it is changed.
 *
 * One task at a time reclaims, a bounded number of names at each turn; commits go on meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "txn/txn_internal.h"

#define RECLAIM_EVERY 32u      /* commits */
#define RECLAIM_MOST 16384u    /* names freed at a turn: a commit of millions takes many */
#define NAMES_OF_A_COMMIT 512u /* so many count as a commit */
#define RECLAIM_TURN 4096u     /* names, until others of this worker have their turn */
#define READER_IDLE_LOOKS 16u
/* Rows looked at in a turn, while somebody reads at an old snapshot: at most, at least, and for
 * each name that has come since the last turn. */
#define PRUNE_MOST 1024u
#define PRUNE_LEAST 64u
#define PRUNE_EACH 1u
#define PRUNE_PAYS 2u      /* where one look in so many frees something, more are worth it */
#define MERGED_NAMES 1024u /* of commits that have passed a look together */
#define MERGED_FROM_BYTES ((uint64_t)1 << 20) /* of all names: fewer are not worth it */
#define MERGED_ROWS 64u /* side by side that one name stands for: a look takes as long */

void reclaim_init(TxnManager *manager)
{
    mutex_init(&manager->garbage_mutex, RANK_VERSIONS);
    manager->garbage_last = &manager->garbage_first;
    manager->old_last = &manager->old_first;
    manager->prune_at = &manager->old_first;
}

static void garbage_list_free(Garbage *first)
{
    for (Garbage *garbage = first, *next; garbage; garbage = next) {
        next = garbage->next;
        memory_free(garbage);
    }
}

void reclaim_deinit(TxnManager *manager)
{
    garbage_list_free(manager->garbage_first);
    garbage_list_free(manager->old_first);
}

static uint64_t garbage_size(const Garbage *garbage)
{
    return sizeof(*garbage) + garbage->capacity * sizeof(VersionName);
}

/* What old versions cost, with what is remembered of them. */
static uint64_t reclaim_bytes(TxnManager *manager)
{
    return version_store_bytes(manager->versions) +
           atomic_load_explicit(&manager->garbage_bytes, memory_order_relaxed);
}

/* Rows side by side have a name for many: its room was for a name each. */
static Garbage *garbage_shrunk(Garbage *garbage)
{
    if (garbage->count > garbage->capacity / 2)
        return garbage;
    const uint32_t kept = garbage->count;
    Garbage *shrunk = memory_realloc(garbage, sizeof(*garbage) + kept * sizeof(VersionName));
    if (!shrunk)
        return garbage;
    shrunk->capacity = kept;
    return shrunk;
}

void garbage_hand_over(TxnManager *manager, Garbage *garbage)
{
    if (garbage->count == 0) {
        memory_free(garbage);
        return;
    }
    garbage = garbage_shrunk(garbage);
    atomic_fetch_add_explicit(&manager->garbage_bytes, garbage_size(garbage), memory_order_relaxed);
    mutex_lock(&manager->garbage_mutex);
    *manager->garbage_last = garbage;
    manager->garbage_last = &garbage->next;
    manager->garbage_names += garbage->count;
    mutex_unlock(&manager->garbage_mutex);
}

/* ------------------------------------------------------------------ which snapshots there are */

typedef struct Collected {
    SnapshotRange *ranges;
    uint32_t count;
    Lsn horizon; /* nothing published is below */
    Lsn bound;   /* snapshots not among the ranges are at or above it */
    TxnSession *oldest;
    uint64_t given_up; /* manager->snapshots_given_up */
} Collected;

static int range_order(const void *a, const void *b)
{
    const SnapshotRange *x = a, *y = b;
    return (x->low > y->low) - (x->low < y->low);
}

/* Ascending, and none touches another: many sessions hold the same few snapshots. */
static void ranges_merge(Collected *all)
{
    uint32_t kept = 0;

    if (all->count == 0)
        return;
    qsort(all->ranges, all->count, sizeof(*all->ranges), range_order);
    for (uint32_t i = 1; i < all->count; i++) {
        if (all->ranges[i].low <= all->ranges[kept].high)
            all->ranges[kept].high = MAX(all->ranges[kept].high, all->ranges[i].high);
        else
            all->ranges[++kept] = all->ranges[i];
    }
    all->count = kept + 1;
}

/* What everybody sees who looks now: applied, durable, and below what is hidden. */
static Lsn visible_floor(TxnManager *manager)
{
    Snapshot all = {.lsn = atomic_load(&manager->applied_lsn)};
    const Lsn durable = wal_flushed(manager->wal);

    all.lsn = MIN(all.lsn, durable);
    large_commits_hide(manager, &all);
    return snapshot_floor(&all);
}

/*
 * What runs is refused at its next look; who waits for its client is counted no more from the next
 * turn on, and refused when it wakes.
 */
static void snapshot_give_up(TxnSession *session, Lsn low)
{
    uint8_t use = SNAPSHOT_RESTS;

    if (!atomic_compare_exchange_strong(&session->snapshot_use, &use, SNAPSHOT_GIVEN_UP))
        atomic_store(&session->snapshot_too_old, low);
}

/*
 * The oldest reader pays when old versions need more than their share; but not before it has shown
 * what the one before him has kept.
 */
static bool versions_are_too_many(TxnManager *manager) REQUIRES(manager->sessions_mutex)
{
    const uint64_t bytes = reclaim_bytes(manager);
    const uint64_t in_memory = atomic_load(&manager->version_memory_limit);
    const uint64_t on_disk = atomic_load(&manager->version_disk_limit);
    const bool is_full = version_memory_is_full(version_store_memory(manager->versions));

    return bytes > in_memory && (is_full || bytes - in_memory > on_disk) &&
           atomic_load(&manager->give_ups_settled) == manager->snapshots_given_up;
}

/*
 * What a reader has published; one that has had nothing for many looks is a reader no more until it
 * takes a snapshot (reader_ensure). So thousands of idle sessions cost a commit nothing.
 */
static Lsn reader_look(TxnSession *session) REQUIRES(session->manager->sessions_mutex)
{
    Lsn low = atomic_load(&session->snapshot_low);

    if (low != LSN_MAX) {
        if (session->idle_looks != 0)
            session->idle_looks = 0;
        return low;
    }
    if (++session->idle_looks < READER_IDLE_LOOKS)
        return low;
    reader_unlist(session);
    low = atomic_load(&session->snapshot_low);
    if (unlikely(low != LSN_MAX))
        reader_list(session);
    return low;
}

/* Moves the bound, then reads what is published. */
static void snapshots_collect(TxnManager *manager, Collected *ret)
{
    Collected all = {.bound = visible_floor(manager)};
    uint32_t capacity = 0;

    if (all.bound < atomic_load(&manager->snapshot_bound))
        all.bound = atomic_load(&manager->snapshot_bound);
    atomic_store(&manager->snapshot_bound, all.bound);
    all.horizon = all.bound;
    mutex_lock(&manager->sessions_mutex);
    for (TxnSession *session = manager->readers, *next; session; session = next) {
        next = session->next_reader;
        Lsn low = reader_look(session);
        if (low >= all.bound || atomic_load(&session->snapshot_use) == SNAPSHOT_GIVEN_UP)
            continue;
        /* High is stored before low when a snapshot is taken; while it moves, both are wide. */
        Lsn high = atomic_load(&session->snapshot_high);
        if (all.count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            all.ranges = memory_must_realloc(all.ranges, capacity * sizeof(SnapshotRange));
        }
        all.ranges[all.count++] = (SnapshotRange){.low = low, .high = MAX(low, high)};
        if (low < all.horizon) {
            all.horizon = low;
            all.oldest = session;
        }
    }
    all.given_up = manager->snapshots_given_up;
    if (all.oldest && versions_are_too_many(manager)) {
        snapshot_give_up(all.oldest, all.horizon);
        manager->snapshots_given_up++;
    }
    mutex_unlock(&manager->sessions_mutex);
    ranges_merge(&all);
    *ret = all;
}

/* ------------------------------------------------------------------ a turn */

/* Appends what commits have handed over to the list of who reclaims; how many names it has. */
static uint64_t garbage_take(TxnManager *manager)
{
    uint64_t names;

    mutex_lock(&manager->garbage_mutex);
    if (manager->garbage_first) {
        *manager->old_last = manager->garbage_first;
        manager->old_last = manager->garbage_last;
        manager->garbage_first = NULL;
        manager->garbage_last = &manager->garbage_first;
    }
    names = manager->garbage_names;
    manager->garbage_names = 0;
    mutex_unlock(&manager->garbage_mutex);
    return names;
}

/* Takes the garbage at `link` out of the list. */
static void garbage_unlink(TxnManager *manager, Garbage **link)
{
    Garbage *garbage = *link;

    if (manager->prune_merged == garbage)
        manager->prune_merged = NULL;
    if (manager->prune_at == &garbage->next) {
        manager->prune_at = link;
        manager->prune_index = 0;
    } else if (manager->prune_at == link) {
        manager->prune_index = 0;
    }
    if (manager->old_last == &garbage->next)
        manager->old_last = link;
    *link = garbage->next;
    atomic_fetch_sub_explicit(&manager->garbage_bytes, garbage_size(garbage), memory_order_relaxed);
    memory_free(garbage);
}

/* Frees what the last name stands for, row by row; then the name goes. */
static void name_reclaim(TxnManager *manager, Garbage *garbage, Lsn horizon)
{
    VersionName *last = &garbage->names[garbage->count - 1];
    const VersionName name = {
        .tree = last->tree, .id = last->id + last->more, .is_entry = last->is_entry};

    version_reclaim(manager->versions, &name, horizon);
    if (last->more > 0)
        last->more--;
    else
        garbage->count--;
}

/* As version_prune; true where that says so of all rows of the name. */
static bool name_prune(TxnManager *manager, const Garbage *garbage, const VersionName *rows,
                       const Collected *all, uint32_t *freed)
{
    bool is_done = true;

    for (uint32_t i = 0; i <= rows->more; i++) {
        const VersionName name = {
            .tree = rows->tree, .id = rows->id + i, .is_entry = rows->is_entry};
        is_done &= version_prune(manager->versions, &name, garbage->lsn, all->ranges, all->count,
                                 all->bound, freed);
    }
    return is_done;
}

/* Frees what lies below the horizon; true: there is more of it. */
static bool garbage_reclaim(TxnManager *manager, Lsn horizon, uint64_t budget)
{
    while (manager->old_first && manager->old_first->lsn <= horizon) {
        Garbage *garbage = manager->old_first;
        for (; garbage->count > 0 && budget > 0; budget--) {
            name_reclaim(manager, garbage, horizon);
            if (budget % RECLAIM_TURN == 0)
                task_yield();
        }
        if (garbage->count > 0)
            return true;
        garbage_unlink(manager, &manager->old_first);
    }
    return false;
}

/*
 * So many rows are looked at in this turn. Under a held snapshot nearly every name is kept, and a
 * look at its row costs some cache misses: the pace keeps up with the names that come (a name that
 * is left over is a later one's row, which the look round finds), and with what there is to free.
 */
static uint32_t prune_budget(const TxnManager *manager, uint64_t names)
{
    if (manager->prune_pays)
        return PRUNE_MOST;
    return (uint32_t)MIN(PRUNE_MOST, PRUNE_LEAST + PRUNE_EACH * names);
}

/* ------------------------------------------------------------------ names of many commits */

static int name_order(const void *a, const void *b)
{
    const VersionName *x = a, *y = b;

    if (x->is_entry != y->is_entry)
        return x->is_entry ? 1 : -1;
    if (x->tree != y->tree)
        return x->tree > y->tree ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Rows side by side, and those named twice, get one name. */
static void names_join(Garbage *garbage)
{
    uint32_t kept = 0;

    assert(garbage->count > 0);
    qsort(garbage->names, garbage->count, sizeof(garbage->names[0]), name_order);
    for (uint32_t i = 1; i < garbage->count; i++) {
        const VersionName *name = &garbage->names[i];
        VersionName *last = &garbage->names[kept];
        const uint64_t rows = name->id + name->more - last->id;
        if (!name->is_entry && !last->is_entry && name->tree == last->tree &&
            name->id <= last->id + last->more + 1 && rows < MERGED_ROWS)
            last->more = MAX(last->more, (uint32_t)rows);
        else
            garbage->names[++kept] = *name;
    }
    garbage->count = kept + 1;
}

/* In place of the garbage at `link`, with its names and room for others. */
static Garbage *merged_new(TxnManager *manager, Garbage **link)
{
    Garbage *first = *link;
    Garbage *merged = memory_malloc(sizeof(*merged) + MERGED_NAMES * sizeof(VersionName));

    if (!merged)
        return NULL;
    *merged = (Garbage){
        .next = first->next, .lsn = first->lsn, .count = first->count, .capacity = MERGED_NAMES};
    memcpy(merged->names, first->names, first->count * sizeof(VersionName));
    atomic_fetch_add_explicit(&manager->garbage_bytes, garbage_size(merged), memory_order_relaxed);
    if (manager->old_last == &first->next)
        manager->old_last = &merged->next;
    *link = merged;
    atomic_fetch_sub_explicit(&manager->garbage_bytes, garbage_size(first), memory_order_relaxed);
    memory_free(first);
    return merged;
}

static void merged_end(TxnManager *manager)
{
    if (manager->prune_merged)
        names_join(manager->prune_merged);
    manager->prune_merged = NULL;
}

/*
 * The garbage at prune_at has been looked at to its end. What is left of small commits is put
 * together, for what the names stand for is wanted by snapshots from before all of them: it goes
 * when the last of them may.
 */
static void garbage_passed(TxnManager *manager)
{
    const Garbage *garbage = *manager->prune_at;
    Garbage *merged = manager->prune_merged;
    const bool is_many =
        atomic_load_explicit(&manager->garbage_bytes, memory_order_relaxed) > MERGED_FROM_BYTES;

    manager->prune_index = 0;
    if (merged && merged->count + garbage->count <= MERGED_NAMES) {
        memcpy(merged->names + merged->count, garbage->names, garbage->count * sizeof(VersionName));
        merged->count += garbage->count;
        merged->lsn = MAX(merged->lsn, garbage->lsn);
        garbage_unlink(manager, manager->prune_at);
        return;
    }
    merged_end(manager);
    if (is_many && garbage->count <= MERGED_NAMES / 2)
        manager->prune_merged = merged_new(manager, manager->prune_at);
    manager->prune_at = &(*manager->prune_at)->next;
}

/*
 * Goes on with the names where the last turn has ended, to the end of the list at most. What lies
 * between snapshots lies below the bound: without snapshots below it, and in names from above it,
 * there is nothing to find.
 */
static void garbage_prune(TxnManager *manager, const Collected *all, uint32_t budget)
{
    uint32_t looks = 0, freed = 0;

    while (looks < budget) {
        Garbage *garbage = *manager->prune_at;
        if (!garbage || garbage->lsn > all->bound) {
            manager->prune_at = &manager->old_first;
            manager->prune_index = 0;
            merged_end(manager);
            break;
        }
        looks++;
        if (garbage->count == 0) {
            garbage_unlink(manager, manager->prune_at);
            continue;
        }
        if (manager->prune_index >= garbage->count) {
            garbage_passed(manager);
            continue;
        }
        VersionName *name = &garbage->names[manager->prune_index];
        looks += name->more;
        if (name_prune(manager, garbage, name, all, &freed)) {
            *name = garbage->names[--garbage->count];
            freed++;
        } else {
            manager->prune_index++;
        }
    }
    manager->prune_pays = freed > looks / PRUNE_PAYS;
}

/*
 * Frees what nobody needs; true: there is more of it. The snapshots are collected before the turn
 * is taken: an older collection is only more careful.
 */
static bool reclaim_turn(TxnManager *manager, uint64_t names)
{
    Collected all;
    bool is_more = false;

    atomic_store_explicit(&manager->commits_since_reclaim, 0, memory_order_relaxed);
    snapshots_collect(manager, &all);
    if (!atomic_exchange_explicit(&manager->is_reclaiming, true, memory_order_acquire)) {
        if (all.horizon > atomic_load(&manager->horizon))
            atomic_store(&manager->horizon, all.horizon);
        const uint64_t come = garbage_take(manager);
        entry_runs_reclaim(version_entry_runs(manager->versions), all.horizon);
        is_more = garbage_reclaim(manager, all.horizon, MAX(RECLAIM_MOST, 2 * names));
        if (!manager->old_first || manager->old_first->lsn > all.horizon)
            atomic_store(&manager->give_ups_settled, all.given_up);
        /* While commits are hidden nothing newer lies between snapshots: a walk along all chains,
         * which grow meanwhile, would find nothing. */
        if (all.count > 0 && atomic_load(&manager->large_count) == 0)
            garbage_prune(manager, &all, prune_budget(manager, come));
        fresh_list_reclaim(version_fresh(manager->versions), all.horizon);
        purge_reclaims(manager, manager->old_first != NULL);
        atomic_store_explicit(&manager->is_reclaiming, false, memory_order_release);
    }
    memory_free(all.ranges);
    return is_more;
}

/* After a commit: now and then. */
void manager_reclaim(TxnManager *manager, uint64_t names)
{
    /* Who leaves many names takes as many away, and soon: small commits need not do it for him. */
    const uint32_t more = 1 + (uint32_t)MIN(names / NAMES_OF_A_COMMIT, RECLAIM_EVERY);
    uint32_t commits =
        atomic_fetch_add_explicit(&manager->commits_since_reclaim, more, memory_order_relaxed);
    if (commits + more >= RECLAIM_EVERY)
        reclaim_turn(manager, names);
}

bool manager_reclaim_now(TxnManager *manager)
{
    return reclaim_turn(manager, 0);
}

uint64_t txn_version_bytes(TxnManager *manager)
{
    return reclaim_bytes(manager);
}

uint64_t txn_version_bytes_spilled(TxnManager *manager)
{
    const VersionMemoryCounts counts =
        version_memory_counts(version_store_memory(manager->versions));

    return (uint64_t)counts.spilled * VERSION_RANGE_CHUNKS * VERSION_CHUNK_SIZE;
}

void txn_set_version_limits(TxnManager *manager, uint64_t memory_bytes, uint64_t disk_bytes)
{
    atomic_store(&manager->version_memory_limit, memory_bytes);
    atomic_store(&manager->version_disk_limit, disk_bytes);
    version_memory_set_limit(version_store_memory(manager->versions),
                             disk_bytes > 0 ? memory_bytes : UINT64_MAX);
}
