/* Row locks, runs of rows for bulk updaters, and the locks of unique keys. */
#include <stdlib.h>

#include "base/memory.h"

#include "txn/lock_internal.h"

/* ------------------------------------------------------------------ runs of rows */

typedef struct RowRun {
    uint64_t first, last;
} RowRun;

/*
 * The rows of one table that a session has locked in one mode since one savepoint, beyond
 * row_lock_limit: exactly those, ascending, neighbours joined.
 */
struct RowRuns {
    RowRuns *next_in_tree;    /* guarded by the tree's runs_mutex, as the runs are */
    RowRuns *next_in_session; /* the session's own */
    TxnTree *tree;
    TxnSession *session;
    uint64_t position;
    uint8_t mode;
    RowRun *runs;
    size_t count, capacity;
};

static LockTag row_tag(const TxnTree *table, uint64_t row_id)
{
    return (LockTag){.space = SPACE_ROW, .database = table->database, .a = table->id, .b = row_id};
}

static size_t run_lower_bound(const RowRuns *runs, uint64_t row_id)
{
    size_t from = 0, to = runs->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (runs->runs[middle].last < row_id)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool runs_have(const RowRuns *runs, uint64_t row_id)
{
    size_t at = run_lower_bound(runs, row_id);
    return at < runs->count && runs->runs[at].first <= row_id;
}

static void runs_add(RowRuns *runs, uint64_t row_id)
{
    size_t at = run_lower_bound(runs, row_id);

    if (at < runs->count && runs->runs[at].first <= row_id)
        return;
    if (at > 0 && runs->runs[at - 1].last + 1 == row_id) {
        runs->runs[at - 1].last = row_id;
        if (at < runs->count && runs->runs[at].first == row_id + 1) {
            runs->runs[at - 1].last = runs->runs[at].last;
            memmove(&runs->runs[at], &runs->runs[at + 1], sizeof(RowRun) * (runs->count - at - 1));
            runs->count--;
        }
        return;
    }
    if (at < runs->count && runs->runs[at].first == row_id + 1) {
        runs->runs[at].first = row_id;
        return;
    }
    if (runs->count == runs->capacity) {
        size_t capacity = runs->capacity ? runs->capacity * 2 : 64;
        RowRun *grown = memory_realloc(runs->runs, capacity * sizeof(*grown));
        if (!grown)
            panic("out of memory for locks");
        runs->runs = grown;
        runs->capacity = capacity;
    }
    memmove(&runs->runs[at + 1], &runs->runs[at], sizeof(RowRun) * (runs->count - at));
    runs->runs[at] = (RowRun){.first = row_id, .last = row_id};
    runs->count++;
}

/* Does this session hold the row in a run, at least as strongly? */
static bool session_run_holds(const TxnSession *session, const TxnTree *table, uint64_t row_id,
                              uint8_t mode)
{
    for (const RowRuns *runs = session->runs; runs; runs = runs->next_in_session)
        if (runs->tree == table && lock_mode_covers(SPACE_ROW, runs->mode, mode) &&
            runs_have(runs, row_id))
            return true;
    return false;
}

bool row_runs_materialize(TxnTree *table, Lock *lock, const TxnSession *session,
                          const LockRequest *request)
{
    uint32_t conflicts = lock_conflicts(SPACE_ROW, request->mode);
    bool found = false;

    mutex_lock(&table->runs_mutex);
    for (RowRuns *runs = table->runs; runs; runs = runs->next_in_tree) {
        if (runs->session == session || !(conflicts & 1u << runs->mode) ||
            !runs_have(runs, request->tag.b))
            continue;
        bool is_there = false;
        for (LockHold *hold = lock->holds; hold && !is_there; hold = hold->next_in_lock)
            is_there = hold->session == runs->session && hold->mode == runs->mode;
        if (!is_there) {
            mutex_lock(&runs->session->shared_mutex);
            lock_make_foreign(lock, runs->session, runs->mode, runs->position);
            mutex_unlock(&runs->session->shared_mutex);
        }
        found = true;
    }
    mutex_unlock(&table->runs_mutex);
    return found;
}

static RowRuns *runs_make(TxnSession *session, TxnTree *table, uint8_t mode)
{
    for (RowRuns *runs = session->runs; runs; runs = runs->next_in_session)
        if (runs->tree == table && runs->mode == mode && runs->position == session->lock_position)
            return runs;
    RowRuns *runs = memory_calloc(1, sizeof(*runs));
    if (!runs)
        panic("out of memory for locks");
    runs->tree = table;
    runs->session = session;
    runs->mode = mode;
    runs->position = session->lock_position;
    runs->next_in_session = session->runs;
    session->runs = runs;
    txn_tree_ref(table);
    mutex_lock(&table->runs_mutex);
    runs->next_in_tree = table->runs;
    table->runs = runs;
    atomic_fetch_add(&table->runs_count, 1);
    mutex_unlock(&table->runs_mutex);
    return runs;
}

void row_runs_release(TxnSession *session, uint64_t position)
{
    RowRuns **link = &session->runs;

    while (*link) {
        RowRuns *runs = *link;
        TxnTree *table = runs->tree;
        if (runs->position < position) {
            link = &runs->next_in_session;
            continue;
        }
        *link = runs->next_in_session;
        mutex_lock(&table->runs_mutex);
        RowRuns **in_tree = &table->runs;
        while (*in_tree != runs)
            in_tree = &(*in_tree)->next_in_tree;
        *in_tree = runs->next_in_tree;
        atomic_fetch_sub(&table->runs_count, 1);
        mutex_unlock(&table->runs_mutex);
        txn_tree_close(table);
        free(runs->runs);
        free(runs);
    }
}

/*
 * Takes the row into a run when nobody has or wants its lock; false: take it singly. Under the
 * partition's mutex nobody else can come to hold it in between.
 */
static bool row_lock_in_run(TxnSession *session, TxnTree *table, uint64_t row_id, uint8_t mode)
{
    RowRuns *runs = runs_make(session, table, mode);
    LockTag tag = row_tag(table, row_id);
    LockRequest request = {.tag = tag, .mode = mode};
    LockPartition *partition = lock_partition(session->manager->locks, lock_tag_hash(&tag));
    bool is_free = true;

    mutex_lock(&partition->mutex);
    Lock *lock = lock_find(partition, &tag);
    if (lock && (lock->first || lock_is_blocked(lock, session, request.mode, NULL)))
        is_free = false;
    mutex_lock(&table->runs_mutex);
    for (RowRuns *each = table->runs; each && is_free; each = each->next_in_tree)
        if (each->session != session && runs_have(each, row_id))
            is_free = false;
    if (is_free)
        runs_add(runs, row_id);
    mutex_unlock(&table->runs_mutex);
    mutex_unlock(&partition->mutex);
    return is_free;
}

/* The mode that a hold for this request has. */
static uint8_t row_hold_mode(const RowLockRequest *request)
{
    if (!request->for_writing)
        return (uint8_t)request->mode;
    assert(request->mode >= ROW_LOCK_NO_KEY_UPDATE);
    return request->mode == ROW_LOCK_UPDATE ? ROW_WRITE : ROW_WRITE_NO_KEY;
}

RowLockMode row_mode_known_as(uint8_t mode)
{
    switch (mode) {
    case ROW_WRITE_NO_KEY:
        return ROW_LOCK_NO_KEY_UPDATE;
    case ROW_WRITE:
    case ROW_PROBE:
        return ROW_LOCK_UPDATE;
    default:
        return (RowLockMode)mode;
    }
}

static LockOutcome row_lock_acquire(Txn *txn, TxnTree *table, uint64_t row_id,
                                    const RowLockRequest *wanted)
{
    const uint8_t mode = row_hold_mode(wanted);
    TxnSession *session = txn->session;

    if (session->runs && session_run_holds(session, table, row_id, mode))
        return LOCK_HELD;
    LockRequest request = {
        .tag = row_tag(table, row_id),
        .mode = mode,
        .wait = wanted->wait,
        .relation = wanted->relation,
        .wait_event = WAIT_EVENT_TUPLE,
        .table = table,
    };
    if (session->hold_count >= txn->manager->config.row_lock_limit &&
        !lock_hold_find(session, &request.tag, request.mode, false) &&
        row_lock_in_run(session, table, row_id, mode))
        return LOCK_GRANTED;
    return lock_acquire(session, &request);
}

/* ------------------------------------------------------------------ locking a row */

/* What this transaction itself did to the row. ROW_LOCK_FAILED without error: nothing. */
static RowLockOutcome own_row(Txn *txn, const TxnTree *table, uint64_t row_id,
                              const RowLockRequest *request, Arena *arena, RowLockResult *result,
                              bool *ret_error, bool *ret_has_written)
{
    WriteSeen newest;

    *ret_has_written = false;
    *ret_error = !writes_look(txn, table, row_id, STR_NONE, UINT32_MAX, NULL, &newest);
    if (*ret_error || !newest.found)
        return ROW_LOCK_FAILED;
    *ret_has_written = true;
    if (newest.command >= request->snapshot.command) {
        *ret_error = !writes_look(txn, table, row_id, STR_NONE, UINT32_MAX, arena, &newest);
        result->image = newest.op == WRITE_PUT ? newest.image : STR_NONE;
        return *ret_error ? ROW_LOCK_FAILED : ROW_LOCK_SELF;
    }
    if (newest.op == WRITE_DELETE)
        return ROW_LOCK_GONE;
    return newest.fresh ? ROW_LOCK_LOCKED : ROW_LOCK_FAILED;
}

/* Does the row that the snapshot sees have the key that it has now? */
static bool key_kept(Txn *txn, TxnTree *table, uint64_t row_id, const RowLockRequest *request,
                     Arena *arena, bool *ret_is_same)
{
    const Snapshot latest = txn_snapshot_latest(txn);
    const uint32_t count = request->key_column_count;
    const Layout *layout = txn_layout_newest(txn, table);
    Value *values[2];
    bool *nulls[2];

    *ret_is_same = false;
    for (int i = 0; i < 2; i++) {
        values[i] = ARENA_ARRAY(arena, Value, count + 1);
        nulls[i] = ARENA_ARRAY(arena, bool, count + 1);
        FetchOutcome outcome =
            txn_fetch(txn, i == 0 ? &request->snapshot : &latest, table, (int64_t)row_id,
                      request->key_columns, count, values[i], nulls[i], arena);
        TRY(outcome);
        if (outcome == FETCH_NONE)
            return true;
    }
    for (uint32_t c = 0; c < count; c++) {
        const PhysType type = layout->columns[request->key_columns[c]].type;
        const Value *before = &values[0][c], *now = &values[1][c];
        if (nulls[0][c] != nulls[1][c])
            return true;
        if (!nulls[0][c] && (type == PHYS_VAR ? !var_equal(&before->var, &now->var)
                                              : memcmp(before, now, phys_width(type)) != 0))
            return true;
    }
    *ret_is_same = true;
    return true;
}

static RowLockOutcome report_change(Txn *txn, TxnTree *table, uint64_t row_id,
                                    const RowLockRequest *request, Arena *arena,
                                    RowLockResult *result)
{
    NewestRow newest;
    Tree *tree = atomic_load(&table->tree);

    if (!tree)
        return ROW_LOCK_GONE;
    TRY(fetch_newest(txn, table, row_id, request->snapshot.lsn, request->read, &newest));
    const bool exists = newest.exists;
    txn_saw(txn, newest.ts);
    if (request->ignore_changes || newest.ts <= request->snapshot.lsn) {
        result->is_read = newest.is_read;
        return exists ? ROW_LOCK_LOCKED : ROW_LOCK_GONE;
    }
    if (exists && request->key_columns) {
        bool is_same;
        TRY(key_kept(txn, table, row_id, request, arena, &is_same));
        if (is_same)
            return ROW_LOCK_LOCKED;
    }
    if (txn->options.isolation >= ISOLATION_REPEATABLE_READ) {
        if (exists || !request->for_writing)
            FAIL(ERR_T_R_SERIALIZATION_FAILURE,
                 .message = STR("could not serialize access due to concurrent update"));
        FAIL(ERR_T_R_SERIALIZATION_FAILURE,
             .message = STR("could not serialize access due to concurrent delete"));
    }
    if (!exists)
        return ROW_LOCK_GONE;
    TreeFound found = tree_get_image(tree, row_id, arena, &result->image);
    TRY(found);
    return found == TREE_FOUND ? ROW_LOCK_CHANGED : ROW_LOCK_GONE;
}

RowLockOutcome txn_lock_row(Txn *txn, TxnTree *table, int64_t row_id, const RowLockRequest *request,
                            Arena *arena, RowLockResult *ret_result)
{
    bool is_error, has_written;

    assert(table->kind == TREE_TABLE && row_id > 0);
    TRY(txn_can_write(txn));
    ret_result->image = STR_NONE;
    ret_result->is_read = false;
    RowLockOutcome own =
        own_row(txn, table, (uint64_t)row_id, request, arena, ret_result, &is_error, &has_written);
    if (is_error || own != ROW_LOCK_FAILED)
        return own;
    if (atomic_load_explicit(&table->creator, memory_order_relaxed) == txn)
        return ROW_LOCK_LOCKED; /* nobody else knows the table */

    LockOutcome outcome = row_lock_acquire(txn, table, (uint64_t)row_id, request);
    TRY(outcome);
    if (outcome == LOCK_WOULD_BLOCK) {
        if (request->wait == LOCK_NOWAIT)
            FAIL(ERR_LOCK_NOT_AVAILABLE,
                 .message = fmt("could not obtain lock on row in relation \"%.*s\"",
                                STR_ARGS(request->relation_name)));
        return ROW_LOCK_WOULD_BLOCK;
    }
    if (has_written)
        return ROW_LOCK_LOCKED; /* own update: locked since, so unchanged by others */
    return report_change(txn, table, (uint64_t)row_id, request, arena, ret_result);
}

/* ------------------------------------------------------------------ unique keys */

static LockTag key_tag(const TxnTree *index, Str key)
{
    return (LockTag){.space = SPACE_KEY,
                     .database = index->database,
                     .a = index->id,
                     .b = hash_bytes(key.data, key.length)};
}

static void key_unlock(Txn *txn, const LockTag *tag)
{
    LockHold *hold = lock_hold_find(txn->session, tag, LOCK_EXCLUSIVE, false);
    if (hold)
        lock_release_hold(txn->session, hold);
}

static LockOutcome key_lock(Txn *txn, const TxnTree *index, Str key)
{
    const LockTag tag = key_tag(index, key);
    LockRequest request = {
        .tag = tag,
        .mode = LOCK_EXCLUSIVE,
        .wait = LOCK_WAIT,
        .wait_event = WAIT_EVENT_KEY,
    };
    for (;;) {
        bool is_claimed = false;
        LockOutcome outcome = lock_acquire(txn->session, &request);
        TRY(outcome);
        /* Bulk writers have no lock for each key; who meets one makes it, and waits for it. */
        if (outcome == LOCK_GRANTED && atomic_load(&index->spill_count) > 0 &&
            !key_claims_materialize((TxnTree *)index, txn->session, &tag, key, &is_claimed)) {
            key_unlock(txn, &tag);
            return LOCK_FAILED;
        }
        if (!is_claimed)
            return outcome;
        key_unlock(txn, &tag);
    }
}

bool unique_key_lock(Txn *txn, const TxnTree *index, Str key)
{
    return key_lock(txn, index, key) != LOCK_FAILED;
}

void unique_key_unlock(Txn *txn, const TxnTree *index, Str entry)
{
    const LockTag tag = key_tag(index, str_slice(entry, 0, entry.length - sizeof(uint64_t)));
    LockHold *hold = lock_hold_find(txn->session, &tag, LOCK_EXCLUSIVE, false);

    if (hold && !lock_is_waited_for(txn->session, hold))
        lock_release_hold(txn->session, hold);
}

/* Waits until no other transaction has written the row and may take it back. */
static bool row_settle(Txn *txn, TxnTree *table, int64_t row_id, bool *ret_waited)
{
    LockRequest request = {
        .tag = row_tag(table, (uint64_t)row_id),
        .mode = ROW_PROBE,
        .wait = LOCK_TRY,
        .wait_event = WAIT_EVENT_TUPLE,
        .table = table,
    };
    LockOutcome outcome = lock_acquire(txn->session, &request);

    *ret_waited = outcome == LOCK_WOULD_BLOCK;
    if (*ret_waited) {
        request.wait = LOCK_WAIT;
        outcome = lock_acquire(txn->session, &request);
    }
    TRY(outcome);
    LockHold *hold = lock_hold_find(txn->session, &request.tag, ROW_PROBE, false);
    if (hold)
        lock_release_hold(txn->session, hold);
    return true;
}

/* Is this entry of the permanent tree deleted, or written anew, by this transaction? */
static bool own_entry_deleted(Txn *txn, const TxnTree *index, Str entry, bool *ret_is_deleted)
{
    WriteSeen own;
    TRY(writes_look(txn, index, 0, entry, UINT32_MAX, NULL, &own));
    *ret_is_deleted = own.found && own.op == WRITE_DELETE;
    return true;
}

static bool is_entry_of(Str entry, Str key)
{
    return entry.length == key.length + 8 && memcmp(entry.data, key.data, key.length) == 0;
}

/* Another live entry with this key among what is committed, or built in bulk by this one. */
static UniqueOutcome probe_tree(Txn *txn, TxnTree *index, Tree *tree, Str key, int64_t self_row_id,
                                int64_t *ret_row_id)
{
    UniqueOutcome outcome = UNIQUE_OK;
    CLEANUP(tree_cursor_deinit) TreeCursor cursor;

    tree_cursor_init(&cursor, tree, TREE_FORWARD);
    cursor.limit = 4;
    TRY(tree_cursor_seek(&cursor, key, SEEK_AT));
    while (tree_cursor_valid(&cursor)) {
        Str entry = tree_cursor_key(&cursor);
        /* Keys are prefix-free: the first that differs ends the search. */
        if (entry.length < key.length || memcmp(entry.data, key.data, key.length) != 0)
            break;
        bool is_deleted = true;
        if (is_entry_of(entry, key) && !tree_cursor_is_ghost(&cursor) &&
            tree_key_row_id(entry) != (uint64_t)self_row_id)
            TRY(own_entry_deleted(txn, index, entry, &is_deleted));
        if (!is_deleted) {
            *ret_row_id = (int64_t)tree_key_row_id(entry);
            outcome = UNIQUE_CONFLICT;
            break;
        }
        TRY(tree_cursor_advance(&cursor));
    }
    /* What was seen may be younger than what is durable; nobody is told before it is. */
    if (outcome == UNIQUE_CONFLICT && tree == atomic_load(&index->tree))
        txn_saw(txn, atomic_load(&txn->manager->applied_lsn));
    return outcome;
}

/* An entry with this key among those that this transaction has written. */
static UniqueOutcome probe_own(Txn *txn, TxnTree *index, Str key, int64_t self_row_id,
                               int64_t *ret_row_id)
{
    TreeWrites *writes = writes_find(txn, index);
    UniqueOutcome outcome = UNIQUE_OK;
    WriteCursor cursor;
    bool may_have = false;

    if (!writes)
        return UNIQUE_OK;
    TRY(writes_may_have(writes, key, &may_have));
    if (!may_have)
        return UNIQUE_OK;
    CLEANUP(arena_freep) Arena *arena = writes->arena ? arena_new("unique check") : NULL;
    write_cursor_init(&cursor, txn, writes, UINT32_MAX, arena);
    cursor.prefix = key;
    bool done = write_cursor_seek(&cursor, 0, key);
    while (done && cursor.valid) {
        if (cursor.seen.op == WRITE_PUT && is_entry_of(cursor.key, key) &&
            cursor.row_id != (uint64_t)self_row_id) {
            *ret_row_id = (int64_t)cursor.row_id;
            outcome = UNIQUE_CONFLICT;
            break;
        }
        done = write_cursor_next(&cursor);
    }
    write_cursor_deinit(&cursor);
    return done ? outcome : UNIQUE_FAILED;
}

static UniqueOutcome probe(Txn *txn, const UniqueProbe *check, int64_t *ret_row_id,
                           bool *ret_is_own)
{
    const UniqueOutcome own =
        probe_own(txn, check->index, check->key, check->self_row_id, ret_row_id);
    bool is_private;

    TRY(own);
    *ret_is_own = own == UNIQUE_CONFLICT;
    if (*ret_is_own)
        return UNIQUE_CONFLICT;
    Tree *tree = txn_tree_source(txn, check->index, &is_private);
    if (!tree)
        return UNIQUE_OK;
    return probe_tree(txn, check->index, tree, check->key, check->self_row_id, ret_row_id);
}

/*
 * The key's lock is kept only where the key is free: who finds it taken leaves nobody waiting, and
 * holds nothing while he waits for the row's writer, who may want the key's lock himself.
 */
UniqueOutcome txn_unique_check(Txn *txn, const UniqueProbe *check, int64_t *ret_row_id)
{
    TxnTree *index = check->index;
    const LockTag tag = key_tag(index, check->key);
    bool is_mine = atomic_load_explicit(&index->creator, memory_order_relaxed) == txn;

    assert(index->kind == TREE_INDEX);
    TRY(txn_can_write(txn));
    txn_index_set_unique(index);
    for (;;) {
        bool is_own, waited = false;
        LockOutcome lock = is_mine ? LOCK_HELD : key_lock(txn, index, check->key);
        TRY(lock);
        UniqueOutcome outcome = probe(txn, check, ret_row_id, &is_own);
        if (lock == LOCK_GRANTED && (outcome != UNIQUE_OK || check->keeps_no_lock))
            key_unlock(txn, &tag);
        if (outcome == UNIQUE_CONFLICT && !is_own && !is_mine && check->table)
            TRY(row_settle(txn, check->table, *ret_row_id, &waited));
        if (!waited)
            return outcome;
        CHECK_INTERRUPTS();
    }
}

void txn_index_set_unique(TxnTree *index)
{
    if (!atomic_load_explicit(&index->is_unique, memory_order_relaxed))
        atomic_store_explicit(&index->is_unique, true, memory_order_relaxed);
}

void txn_index_set_table(TxnTree *index, const TxnTree *table)
{
    if (atomic_load_explicit(&index->table, memory_order_relaxed) == 0)
        atomic_store_explicit(&index->table, table->name, memory_order_relaxed);
}
