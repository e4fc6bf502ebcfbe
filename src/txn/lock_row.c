/* Row locks, and the locks of unique keys. */
#include "storage/tree_cursor.h"
#include "txn/lock_internal.h"

#define KEYS_HELD_SINGLY 64u /* locks of a transaction before its keys go into a set */

static LockTag row_tag(const TxnTree *table, uint64_t row_id)
{
    return (LockTag){.space = SPACE_ROW, .database = table->database, .a = table->id, .b = row_id};
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

    LockRequest request = {
        .tag = row_tag(table, row_id),
        .mode = mode,
        .wait = wanted->wait,
        .relation = wanted->relation,
        .wait_event = WAIT_EVENT_TUPLE,
        .tree = table,
    };
    if (session->runs && lock_runs_hold(session, table, &request.tag, mode))
        return LOCK_HELD;
    if (session->hold_count >= txn->manager->config.row_lock_limit &&
        !lock_hold_find(session, &request.tag, request.mode, false) &&
        lock_runs_take(session, table, &request.tag, mode) != LOCK_WOULD_BLOCK)
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
    TRY(fetch_newest(txn, table, row_id, &request->snapshot, request->read, &newest));
    const bool exists = newest.exists;
    txn_saw(txn, newest.ts);
    if (request->ignore_changes || snapshot_sees(&request->snapshot, newest.ts)) {
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
    /* KEY SHARE keeps no writer of other columns off: the image may be younger than what was looked
     * at above, and the next snapshot must not be older than the image. */
    TRY(fetch_newest(txn, table, row_id, &request->snapshot, NULL, &newest));
    txn_saw(txn, newest.ts);
    return found == TREE_FOUND ? ROW_LOCK_CHANGED : ROW_LOCK_GONE;
}

/*
 * Who has one snapshot waits for nobody to be told that the row has changed since: that is looked
 * at before he waits.
 */
static LockOutcome acquire_unchanged(Txn *txn, TxnTree *table, uint64_t row_id,
                                     const RowLockRequest *request, Arena *arena)
{
    RowLockRequest first = *request;
    RowLockResult unused = {0};

    if (txn->options.isolation < ISOLATION_REPEATABLE_READ || request->ignore_changes)
        return row_lock_acquire(txn, table, row_id, request);
    first.wait = LOCK_TRY;
    const LockOutcome outcome = row_lock_acquire(txn, table, row_id, &first);
    if (outcome != LOCK_WOULD_BLOCK)
        return outcome;
    first.read = NULL;
    TRY(report_change(txn, table, row_id, &first, arena, &unused));
    return request->wait == LOCK_WAIT ? row_lock_acquire(txn, table, row_id, request) : outcome;
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

    LockOutcome outcome = acquire_unchanged(txn, table, (uint64_t)row_id, request, arena);
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

/* Eight keys that differ in their last bits alone have hashes that do, too: those of ascending
 * numbers lie in one line of the processor's cache, where a bulk load looks for each. */
static uint64_t key_hash(Str key)
{
    if (key.length == 0)
        return 1;
    const uint8_t last = (uint8_t)key.data[key.length - 1];
    return hash_mix64(hash_bytes(key.data, key.length - 1) + (last >> 3)) ^ (last & 7);
}

static LockTag key_tag(const TxnTree *index, Str key)
{
    const uint64_t hash = key_hash(key);

    return (LockTag){.space = SPACE_KEY,
                     .database = index->database,
                     .a = index->id,
                     .b = hash ? hash : 1}; /* sets of keys have 0 for none */
}

/* Gives the key's lock back, with what others have made of it. */
static void key_unlock(Txn *txn, TxnTree *index, const LockTag *tag)
{
    LockHold *hold = lock_hold_find(txn->session, tag, LOCK_EXCLUSIVE, false);

    if (hold)
        lock_release_hold(txn->session, hold);
    else if (txn->session->runs && lock_runs_drop_key(txn->session, index, tag->b))
        lock_release_foreign_on(txn->session, tag);
}

typedef enum KeyLockLife {
    KEY_LOCK_TO_THE_END,
    KEY_LOCK_FOR_A_LOOK, /* given back at once */
    KEY_LOCK_IF_FREE,    /* else LOCK_WOULD_BLOCK */
} KeyLockLife;

static LockOutcome key_lock(Txn *txn, TxnTree *index, Str key, KeyLockLife life)
{
    TxnSession *session = txn->session;
    const LockTag tag = key_tag(index, key);
    const LockRequest request = {
        .tag = tag,
        .mode = LOCK_EXCLUSIVE,
        .wait = life == KEY_LOCK_IF_FREE ? LOCK_TRY : LOCK_WAIT,
        .wait_event = WAIT_EVENT_KEY,
        .tree = index,
    };
    const uint32_t few = MIN(txn->manager->config.row_lock_limit, KEYS_HELD_SINGLY);
    bool in_set = life != KEY_LOCK_FOR_A_LOOK && session->hold_count >= few;
    LockOutcome outcome = LOCK_WOULD_BLOCK;

    /* The set that a bulk writer adds the key to says at once whether it was there. */
    if (in_set && !lock_hold_find(session, &tag, LOCK_EXCLUSIVE, false))
        outcome = lock_runs_take(session, index, &tag, LOCK_EXCLUSIVE);
    in_set = outcome != LOCK_WOULD_BLOCK;
    if (outcome == LOCK_HELD ||
        (!in_set && session->runs && lock_runs_hold(session, index, &tag, LOCK_EXCLUSIVE)))
        return LOCK_HELD;
    for (;;) {
        bool is_claimed = false;
        if (!in_set)
            TRY(outcome = lock_acquire(session, &request));
        /* Bulk writers have no lock for each key; who meets one makes it, and waits for it. */
        if (outcome == LOCK_GRANTED && atomic_load(&index->spill_count) > 0 &&
            !key_claims_find(index, session, in_set ? NULL : &tag, key, &is_claimed)) {
            key_unlock(txn, index, &tag);
            return LOCK_FAILED;
        }
        if (!is_claimed)
            return outcome;
        key_unlock(txn, index, &tag);
        in_set = false;
    }
}

bool unique_key_lock(Txn *txn, TxnTree *index, Str key)
{
    return key_lock(txn, index, key, KEY_LOCK_TO_THE_END) != LOCK_FAILED;
}

void unique_key_unlock(Txn *txn, TxnTree *index, Str entry)
{
    const LockTag tag = key_tag(index, str_slice(entry, 0, entry.length - sizeof(uint64_t)));
    LockHold *hold = lock_hold_find(txn->session, &tag, LOCK_EXCLUSIVE, false);

    if (!hold && txn->session->runs)
        lock_runs_drop_key(txn->session, index, tag.b);
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
        .tree = table,
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
    CLEANUP(tree_cursor_deinit) TreeCursor cursor = {0};
    char buffer[TREE_MAX_KEY];
    bool is_ghost;
    Str first;

    /* Most keys that are to be inserted are new. */
    const TreeFound found = tree_index_first(tree, key, buffer, &first, &is_ghost);
    TRY(found);
    if (found == TREE_MISSING || !str_starts_with(first, key))
        return UNIQUE_OK;
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
    const KeyLockLife life = check->waits_for_nobody ? KEY_LOCK_IF_FREE
                             : check->keeps_no_lock  ? KEY_LOCK_FOR_A_LOOK
                                                     : KEY_LOCK_TO_THE_END;
    bool is_mine = atomic_load_explicit(&index->creator, memory_order_relaxed) == txn;

    assert(index->kind == TREE_INDEX);
    TRY(txn_can_write(txn));
    txn_index_set_unique(index);
    for (;;) {
        bool is_own, waited = false;
        LockOutcome lock = is_mine ? LOCK_HELD : key_lock(txn, index, check->key, life);
        TRY(lock);
        if (lock == LOCK_WOULD_BLOCK)
            return UNIQUE_OK;
        UniqueOutcome outcome = probe(txn, check, ret_row_id, &is_own);
        if (lock == LOCK_GRANTED && (outcome != UNIQUE_OK || check->keeps_no_lock))
            key_unlock(txn, index, &tag);
        if (outcome == UNIQUE_CONFLICT && !is_own && !is_mine && check->table &&
            !check->waits_for_nobody)
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
