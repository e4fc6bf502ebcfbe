/* The manager, sessions and snapshots. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/task.h"
#include "storage/faults.h"
#include "txn/txn_internal.h"

#define SCHEMA_POLL_US 500
#define APPLIED_POLL_US 100

const TxnConfig txn_config_default = {
    .version_memory_limit = UINT64_C(1) << 30,
    .write_set_memory = UINT64_C(64) << 20,
    .row_lock_limit = 256,
    .large_commit_writes = 2048,
};

bool txn_manager_open(Store *store, const TxnConfig *config, TxnManager **ret_manager)
{
    TxnManager *manager = memory_aligned(sizeof(TxnManager));
    if (!manager)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    manager->store = store;
    manager->wal = store_wal(store);
    manager->config = config ? *config : txn_config_default;
    mutex_init(&manager->sessions_mutex, RANK_TXN_MANAGER);
    mutex_init(&manager->trees_mutex, RANK_TXN_MANAGER);
    mutex_init(&manager->commit_mutex, RANK_COMMIT);
    reclaim_init(manager);
    manager->ring = memory_must_calloc(COMMIT_RING_SIZE, sizeof(CommitInFlight));
    manager->versions = version_store_new(manager->config.temporary_directory);
    manager->locks = lock_table_new();
    manager->sequences = sequence_table_new();
    if (manager->versions)
        txn_set_version_limits(manager, manager->config.version_memory_limit,
                               manager->config.version_disk_limit);
    commit_hooks_install(manager);
    if (!manager->versions || !manager->locks || !replay_run(manager)) {
        txn_manager_close(manager);
        return false;
    }
    Lsn end = wal_reserved_end(manager->wal);
    atomic_store(&manager->applied_lsn, end);
    atomic_store(&manager->horizon, wal_flushed(manager->wal));
    atomic_store(&manager->snapshot_bound, wal_flushed(manager->wal));
    atomic_store(&manager->next_txn_id, end / 16 + 3);
    atomic_store(&manager->fragment_id, end);
    atomic_store(&manager->schema_version, end);
    manager->is_open = true;
    store_set_redo_floor(store, commit_redo_floor, manager);
    purger_start(manager);
    *ret_manager = manager;
    return true;
}

static void tree_free(TxnTree *tree)
{
    assert(atomic_load(&tree->runs_count) == 0);
    memory_free(tree);
}

void txn_manager_close(TxnManager *manager)
{
    if (!manager)
        return;
    assert(manager->sessions == NULL);
    purger_stop(manager);
    if (manager->is_open)
        sequence_settle(manager);
    store_set_redo_floor(manager->store, NULL, NULL);
    tree_set_hooks(NULL, NULL);
    reclaim_deinit(manager);
    size_t position = 0;
    uint64_t key;
    void *tree;
    while (hashmap_next(&manager->trees, &position, &key, &tree))
        tree_free(tree);
    hashmap_deinit(&manager->trees);
    sequence_table_free(manager->sequences);
    lock_table_free(manager->locks);
    version_store_free(manager->versions);
    memory_free(manager->ring);
    memory_free(manager);
}

Store *txn_manager_store(const TxnManager *manager)
{
    return manager->store;
}

uint64_t txn_schema_version(const TxnManager *manager)
{
    return atomic_load_explicit(&manager->schema_version, memory_order_acquire);
}

bool txn_schema_is_moving(const TxnManager *manager)
{
    return atomic_load_explicit(&manager->schema_commits, memory_order_acquire) > 0;
}

bool txn_schema_settle(const TxnManager *manager)
{
    while (txn_schema_is_moving(manager))
        TRY(task_sleep(SCHEMA_POLL_US, WAIT_EVENT_TXN_APPLY));
    return true;
}

bool txn_schema_outran_snapshot(const Txn *txn)
{
    return txn->snapshot_schema != txn_schema_version(txn->manager);
}

/* ------------------------------------------------------------------ sessions */

TxnSession *txn_session_open(TxnManager *manager, int32_t process_id)
{
    TxnSession *session = memory_aligned(sizeof(TxnSession));
    if (!session)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"),
             .detail = STR("Failed while making a session."));
    session->manager = manager;
    session->process_id = process_id;
    session->is_open = true;
    atomic_store(&session->snapshot_low, LSN_MAX);
    atomic_store(&session->fragment_lsn, LSN_MAX);
    mutex_init(&session->shared_mutex, RANK_LEAF);
    session->txn.session = session;
    session->txn.manager = manager;
    session->txn.arena = arena_new("transaction");
    session->txn.writes.random = (uint32_t)process_id;

    mutex_lock(&manager->sessions_mutex);
    session->number = ++manager->next_session_number;
    session->next = manager->sessions;
    if (session->next)
        session->next->previous = session;
    manager->sessions = session;
    mutex_unlock(&manager->sessions_mutex);
    return session;
}

void txn_session_close(TxnSession *session)
{
    if (!session)
        return;
    TxnManager *manager = session->manager;

    if (session->txn.state != TXN_IDLE)
        txn_rollback(&session->txn);
    lock_session_release_all(session);
    mutex_lock(&manager->sessions_mutex);
    reader_unlist(session);
    if (session->previous)
        session->previous->next = session->next;
    else
        manager->sessions = session->next;
    if (session->next)
        session->next->previous = session->previous;
    mutex_unlock(&manager->sessions_mutex);
    lookup_free(session->lookup);
    arena_free(session->txn.arena);
    strbuf_deinit(&session->record_head);
    strbuf_deinit(&session->record);
    memory_free(session->txn.writes.log);
    memory_free(session->hold_buckets);
    memory_free(session->blockers);
    memory_free(session);
}

Txn *txn_session_current(TxnSession *session)
{
    return session->txn.state == TXN_IDLE ? NULL : &session->txn;
}

void txn_session_set_synchronous(TxnSession *session, SynchronousCommit mode)
{
    session->synchronous = mode;
}

bool txn_wait_durable(TxnSession *session)
{
    if (session->synchronous == COMMIT_ASYNCHRONOUS || session->reply_lsn == 0)
        return true;
    if (wal_flushed(session->manager->wal) < session->reply_lsn)
        TRY(wal_wait(session->manager->wal, session->reply_lsn));
    return true;
}

/* ------------------------------------------------------------------ snapshots */

/* The end of what is wholly applied, once that has come to `lsn`. */
static Lsn applied_from(const TxnManager *manager, Lsn lsn)
{
    Task *task = task_current();
    const bool were_held = task->interrupts_held;
    Lsn applied = atomic_load(&manager->applied_lsn);
    uint32_t rounds = 0, turns = 0;

    while (unlikely(applied < lsn)) {
        /* An earlier commit is still being applied: that ends in microseconds, but for a bulk's,
         * which may have its turn on this worker, and where the disk must be asked again. */
        if (turns++ < SPIN_TURNS) {
            spin_pause(&rounds);
        } else if (turns < 2 * SPIN_TURNS) {
            task_yield();
        } else {
            task->interrupts_held = true;
            if (!task_sleep(APPLIED_POLL_US, WAIT_EVENT_TXN_APPLY))
                error_clear();
            task->interrupts_held = were_held;
        }
        applied = atomic_load(&manager->applied_lsn);
    }
    return applied;
}

/*
 * What this session may see: always its own commits, what it has seen already, and what was
 * committed under a lock or changed the schema, durable or not.
 */
static Lsn session_visible_lsn(const TxnSession *session)
{
    const TxnManager *manager = session->manager;
    Lsn least = atomic_load_explicit(&manager->ordered_lsn, memory_order_acquire);

    least = MAX(least, MAX(session->last_commit_lsn, session->reply_lsn));
    const Lsn applied = applied_from(manager, least);
    if (session->synchronous == COMMIT_ASYNCHRONOUS)
        return applied;
    return MAX(MIN(applied, wal_flushed(manager->wal)), least);
}

void ordered_raise(TxnManager *manager, Lsn lsn)
{
    Lsn newest = atomic_load(&manager->ordered_lsn);

    while (newest < lsn && !atomic_compare_exchange_weak(&manager->ordered_lsn, &newest, lsn)) {
    }
}

/*
 * The large commits that are being applied. They were entered before the applied LSN, which has
 * been read already, passed them: who is not here, or no longer, is above it or wholly applied.
 */
void large_commits_hide(TxnManager *manager, Snapshot *snapshot)
{
    snapshot->hidden_count = 0;
    if (likely(atomic_load(&manager->large_count) == 0) || FAULT(fault_no_hide))
        return;
    for (uint32_t i = 0; i < SNAPSHOT_HIDDEN; i++) {
        const Lsn end = atomic_load(&manager->large[i].end);
        if (end != 0 && end <= snapshot->lsn)
            snapshot->hidden[snapshot->hidden_count++] = end;
    }
}

/* -------- Readers: the sessions at which a collector has to look -------- */

void reader_list(TxnSession *session)
{
    TxnManager *manager = session->manager;

    session->idle_looks = 0;
    if (atomic_load(&session->is_reader))
        return;
    session->previous_reader = NULL;
    session->next_reader = manager->readers;
    if (session->next_reader)
        session->next_reader->previous_reader = session;
    manager->readers = session;
    atomic_store(&session->is_reader, true);
}

void reader_unlist(TxnSession *session)
{
    if (!atomic_load(&session->is_reader))
        return;
    if (session->previous_reader)
        session->previous_reader->next_reader = session->next_reader;
    else
        session->manager->readers = session->next_reader;
    if (session->next_reader)
        session->next_reader->previous_reader = session->previous_reader;
    atomic_store(&session->is_reader, false);
}

/*
 * After snapshot_low is stored. A collector that takes the session for idle unlists it, then looks
 * at snapshot_low once more: one of the two sees the other.
 */
static void reader_ensure(TxnSession *session)
{
    if (likely(atomic_load(&session->is_reader)))
        return;
    mutex_lock(&session->manager->sessions_mutex);
    reader_list(session);
    mutex_unlock(&session->manager->sessions_mutex);
}

/* The least and greatest LSN that the transaction's snapshots read at. */
static void snapshot_bounds(const Txn *txn, Lsn *ret_low, Lsn *ret_high)
{
    Lsn low = MIN(txn->pins_floor, txn->latest_floor);
    Lsn high = 0;

    if (txn->has_snapshot) {
        low = MIN(low, snapshot_floor(&txn->snapshot));
        high = txn->snapshot.lsn;
    }
    for (uint32_t i = 0; i < SNAPSHOT_PINS; i++) {
        if (txn->pin_counts[i] == 0)
            continue;
        low = MIN(low, snapshot_floor(&txn->pins[i]));
        high = MAX(high, txn->pins[i].lsn);
    }
    *ret_low = low;
    *ret_high = txn->pins_floor != LSN_MAX || txn->latest_floor != LSN_MAX ? LSN_MAX : high;
}

/*
 * It holds nothing any more: what is taken next counts, and is none of what was given up. Who reads
 * a later snapshot_low (snapshots_collect) sees the use stored before it.
 */
void snapshot_unpublish(TxnSession *session)
{
    atomic_store_explicit(&session->snapshot_low, LSN_MAX, memory_order_release);
    atomic_store_explicit(&session->snapshot_too_old, 0, memory_order_release);
    atomic_store_explicit(&session->snapshot_use, SNAPSHOT_USED, memory_order_release);
}

static bool is_given_up(const TxnSession *session)
{
    return atomic_load_explicit(&session->snapshot_use, memory_order_relaxed) == SNAPSHOT_GIVEN_UP;
}

void snapshot_publish(Txn *txn)
{
    TxnSession *session = txn->session;
    Lsn low, high;

    snapshot_bounds(txn, &low, &high);
    if (unlikely(is_given_up(session)) && low == LSN_MAX) {
        snapshot_unpublish(session);
        return;
    }
    assert(low == LSN_MAX || atomic_load(&session->is_reader));
    atomic_store_explicit(&session->snapshot_high, high, memory_order_relaxed);
    atomic_store_explicit(&session->snapshot_low, low, memory_order_release);
}

void txn_session_rest(TxnSession *session)
{
    uint8_t use = SNAPSHOT_USED;

    if (atomic_load_explicit(&session->snapshot_low, memory_order_relaxed) != LSN_MAX)
        atomic_compare_exchange_strong(&session->snapshot_use, &use, SNAPSHOT_RESTS);
}

void txn_session_wake(TxnSession *session)
{
    uint8_t use = SNAPSHOT_RESTS;

    if (unlikely(atomic_load_explicit(&session->snapshot_use, memory_order_relaxed) !=
                 SNAPSHOT_USED) &&
        !atomic_compare_exchange_strong(&session->snapshot_use, &use, SNAPSHOT_USED))
        atomic_store(&session->snapshot_too_old, LSN_MAX - 1); /* all that it holds */
}

static bool snapshot_fail(void)
{
    FAIL(ERR_SNAPSHOT_TOO_OLD, .message = STR("snapshot too old"));
}

/*
 * Publish, then look whether somebody has moved the bound past it meanwhile: reclaiming moves the
 * bound, then looks at what is published (snapshots_collect). One of the two sees the other.
 */
bool snapshot_take(Txn *txn, Snapshot *ret_snapshot)
{
    TxnSession *session = txn->session;
    TxnManager *manager = txn->manager;
    Lsn low, high, floor;

    snapshot_bounds(txn, &low, &high);
    /* As long as it holds something of that, nothing that it publishes counts. */
    if (unlikely(is_given_up(session))) {
        if (low != LSN_MAX)
            return snapshot_fail();
        snapshot_unpublish(session);
    }
    do {
        ret_snapshot->lsn = session_visible_lsn(session);
        large_commits_hide(manager, ret_snapshot);
        floor = snapshot_floor(ret_snapshot);
        atomic_store_explicit(&session->snapshot_high, MAX(high, ret_snapshot->lsn),
                              memory_order_relaxed);
        atomic_store(&session->snapshot_low, MIN(low, floor));
        reader_ensure(session);
    } while (unlikely(floor < atomic_load(&manager->snapshot_bound)));
    if (session->synchronous == COMMIT_DURABLE && ret_snapshot->lsn > wal_flushed(manager->wal))
        txn_saw(txn, ret_snapshot->lsn);
    return true;
}

/*
 * What is hidden has old versions as long as somebody's snapshot is as old: this transaction's own
 * one is, having been taken before now; where it has none, one is
 * published until the next statement.
 */
void snapshot_resolve_latest(Txn *txn, Snapshot *snapshot)
{
    for (;;) {
        large_commits_hide(txn->manager, snapshot);
        const Lsn floor = snapshot_floor(snapshot);
        if (snapshot->hidden_count == 0 || floor >= atomic_load(&txn->session->snapshot_low))
            return;
        /* Published, and then looked at again: what is hidden now has not been done with before. */
        txn->latest_floor = MIN(txn->latest_floor, floor);
        atomic_store_explicit(&txn->session->snapshot_high, LSN_MAX, memory_order_relaxed);
        /* In the one order of all, as in snapshot_take: reclaiming looks at what is hidden
         * (visible_floor), then at this (snapshots_collect). */
        atomic_store(&txn->session->snapshot_low, floor);
        reader_ensure(txn->session);
    }
}

bool snapshot_check(const Txn *txn)
{
    const TxnSession *session = txn->session;

    if (unlikely(atomic_load_explicit(&session->snapshot_low, memory_order_relaxed) <=
                 atomic_load_explicit(&session->snapshot_too_old, memory_order_relaxed)))
        return snapshot_fail();
    return true;
}

/* ------------------------------------------------------------------ trees */

void txn_tree_ref(TxnTree *tree)
{
    mutex_lock(&tree->manager->trees_mutex);
    tree->references++;
    mutex_unlock(&tree->manager->trees_mutex);
}

TxnTree *manager_tree_find(TxnManager *manager, TreeName name)
{
    mutex_lock(&manager->trees_mutex);
    TxnTree *tree = hashmap_get(&manager->trees, name);
    if (tree)
        tree->references++;
    mutex_unlock(&manager->trees_mutex);
    return tree;
}

TxnTree *manager_tree_make(TxnManager *manager, DatabaseId database, TreeId id, TreeKind kind)
{
    TreeName name = tree_name(database, id);

    mutex_lock(&manager->trees_mutex);
    TxnTree *tree = hashmap_get(&manager->trees, name);
    if (!tree) {
        tree = memory_must_calloc(1, sizeof(*tree));
        tree->manager = manager;
        tree->database = database;
        tree->id = id;
        tree->name = name;
        tree->kind = kind;
        mutex_init(&tree->runs_mutex, RANK_VERSIONS);
        hashmap_put(&manager->trees, name, tree);
    }
    tree->references++;
    mutex_unlock(&manager->trees_mutex);
    return tree;
}

void txn_tree_close(TxnTree *tree)
{
    if (!tree)
        return;
    TxnManager *manager = tree->manager;

    mutex_lock(&manager->trees_mutex);
    assert(tree->references > 0);
    /* What it knows beyond the store (base_lsn) matters as long as snapshots are older. */
    bool is_last =
        --tree->references == 0 && atomic_load(&tree->base_lsn) <= atomic_load(&manager->horizon);
    if (is_last)
        hashmap_remove(&manager->trees, tree->name);
    mutex_unlock(&manager->trees_mutex);
    if (is_last)
        tree_free(tree);
}
