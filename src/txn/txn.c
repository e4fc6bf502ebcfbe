/* The life of a transaction: begin, statements, savepoints, end; and its writes. */
#include "txn/txn.h"

#include "base/os.h"
#include "base/pace.h"
#include "storage/tree_ready.h"
#include "txn/txn_internal.h"
#include "txn/write_built.h"

Txn *txn_begin(TxnSession *session, const TxnOptions *options)
{
    Txn *txn = &session->txn;

    assert(txn->state == TXN_IDLE);
    if (options->isolation == ISOLATION_SERIALIZABLE)
        FAIL_UNSUPPORTED("transaction isolation level SERIALIZABLE");
    txn->state = TXN_ACTIVE;
    txn->options = *options;
    txn->has_snapshot = false;
    txn->changes_schema = false;
    txn->has_exported = false;
    txn->is_ending = false;
    txn->met_large_rows = false;
    txn->command = 0;
    txn->next_savepoint = 1;
    txn->pins_floor = LSN_MAX;
    txn->latest_floor = LSN_MAX;
    txn->start_time = os->wall_clock();
    txn->fragment_id = 0;
    txn->commit_lsn = 0;
    txn->name_count = 0;
    txn->passed_over = 0;
    atomic_store_explicit(&txn->id, 0, memory_order_relaxed);
    atomic_store_explicit(&session->local_number, ++session->txn_count, memory_order_relaxed);
    memset(txn->pin_counts, 0, sizeof(txn->pin_counts));
    memset(&txn->savepoints, 0, sizeof(txn->savepoints));
    memset(&txn->ddl, 0, sizeof(txn->ddl));
    memset(&txn->callbacks, 0, sizeof(txn->callbacks));
    memset(&txn->checks, 0, sizeof(txn->checks));
    memset(&txn->blocks, 0, sizeof(txn->blocks));
    return txn;
}

bool txn_set_isolation(Txn *txn, IsolationLevel isolation)
{
    if (isolation == ISOLATION_SERIALIZABLE)
        FAIL_UNSUPPORTED("transaction isolation level SERIALIZABLE");
    txn->options.isolation = isolation;
    return true;
}

void txn_set_read_only(Txn *txn, bool read_only)
{
    txn->options.read_only = read_only;
}

void txn_set_deferrable(Txn *txn, bool deferrable)
{
    txn->options.deferrable = deferrable;
}

/* ------------------------------------------------------------------ statements */

static bool sees_one_snapshot(const Txn *txn)
{
    return txn->options.isolation >= ISOLATION_REPEATABLE_READ;
}

bool txn_command_next(Txn *txn)
{
    if (txn->command == UINT32_MAX - 2)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = STR("cannot have more than 2^32-2 commands in a transaction"));
    txn->command++;
    txn->snapshot.command = txn->command;
    return true;
}

bool txn_snapshot_refresh(Txn *txn)
{
    if (sees_one_snapshot(txn) && txn->has_snapshot)
        return snapshot_check(txn);
    txn->has_snapshot = false;
    txn->latest_floor = LSN_MAX;
    txn->snapshot_schema = txn_schema_version(txn->manager);
    TRY(snapshot_take(txn, &txn->snapshot));
    txn->snapshot.command = txn->command;
    txn->has_snapshot = true;
    return true;
}

bool txn_statement_begin(Txn *txn)
{
    TRY(txn_command_next(txn));
    return txn_snapshot_refresh(txn);
}

void txn_statement_end(Txn *txn)
{
    if (!sees_one_snapshot(txn))
        txn_snapshot_forget(txn);
}

void txn_snapshot_forget(Txn *txn)
{
    if (!txn->has_snapshot && txn->latest_floor == LSN_MAX)
        return;
    txn->has_snapshot = false;
    txn->latest_floor = LSN_MAX;
    snapshot_publish(txn);
}

const Snapshot *txn_snapshot(const Txn *txn)
{
    return &txn->snapshot;
}

Snapshot txn_snapshot_latest(const Txn *txn)
{
    return (Snapshot){.lsn = LSN_MAX, .command = txn->command};
}

Snapshot txn_snapshot_self(const Txn *txn)
{
    return (Snapshot){.lsn = LSN_MAX, .command = UINT32_MAX};
}

void txn_snapshot_pin(Txn *txn, const Snapshot *snapshot)
{
    uint32_t unused = SNAPSHOT_PINS;

    for (uint32_t i = 0; i < SNAPSHOT_PINS; i++) {
        if (txn->pin_counts[i] == 0)
            unused = i;
        else if (snapshot_equal(&txn->pins[i], snapshot)) {
            txn->pin_counts[i]++;
            return;
        }
    }
    if (unused < SNAPSHOT_PINS) {
        txn->pins[unused] = *snapshot;
        txn->pin_counts[unused] = 1;
    } else {
        /* More different snapshots than places: everything from the oldest on is kept. */
        txn->pins_floor = MIN(txn->pins_floor, snapshot_floor(snapshot));
    }
    snapshot_publish(txn);
}

void txn_snapshot_unpin(Txn *txn, const Snapshot *snapshot)
{
    for (uint32_t i = 0; i < SNAPSHOT_PINS; i++) {
        if (txn->pin_counts[i] == 0 || !snapshot_equal(&txn->pins[i], snapshot))
            continue;
        if (--txn->pin_counts[i] == 0)
            snapshot_publish(txn);
        return;
    }
}

/* ------------------------------------------------------------------ facts */

TxnSession *txn_session(const Txn *txn)
{
    return txn->session;
}

TxnManager *txn_manager(const Txn *txn)
{
    return txn->manager;
}

IsolationLevel txn_isolation(const Txn *txn)
{
    return txn->options.isolation;
}

bool txn_is_read_only(const Txn *txn)
{
    return txn->options.read_only;
}

bool txn_is_deferrable(const Txn *txn)
{
    return txn->options.deferrable;
}

void txn_mark_failed(Txn *txn)
{
    if (txn->state == TXN_ACTIVE)
        txn->state = TXN_FAILED_STATE;
}

static bool has_writes(const Txn *txn)
{
    return writes_exist(txn) || txn->ddl.length > 0;
}

bool txn_has_snapshot(const Txn *txn)
{
    return txn->has_snapshot;
}

uint64_t txn_id(Txn *txn)
{
    uint64_t id = atomic_load_explicit(&txn->id, memory_order_relaxed);
    if (id == 0) {
        /* Under the mutex: a session that shows transactions gives it at the same time. */
        mutex_lock(&txn->manager->sessions_mutex);
        id = atomic_load(&txn->id); /* a deadlock report may have asked meanwhile */
        if (id == 0) {
            id = atomic_fetch_add(&txn->manager->next_txn_id, 1);
            atomic_store(&txn->id, id);
        }
        mutex_unlock(&txn->manager->sessions_mutex);
    }
    return id;
}

uint64_t txn_id_shown(Txn *txn)
{
    uint64_t id = 0;

    if (!atomic_load_explicit(&txn->is_writer, memory_order_relaxed) || atomic_load(&txn->id) != 0)
        return atomic_load(&txn->id);
    uint64_t next = atomic_fetch_add(&txn->manager->next_txn_id, 1);
    if (!atomic_compare_exchange_strong(&txn->id, &id, next))
        return id;
    /* It may have ended: the zero that its end wrote is what was replaced, and is put back. */
    if (atomic_load_explicit(&txn->is_writer, memory_order_relaxed))
        return next;
    atomic_compare_exchange_strong(&txn->id, &next, 0);
    return 0;
}

uint64_t txn_id_peek(const Txn *txn)
{
    return atomic_load_explicit(&((Txn *)txn)->id, memory_order_relaxed);
}

uint64_t txn_id_next(TxnManager *manager)
{
    return atomic_load(&manager->next_txn_id);
}

int64_t txn_start_time(const Txn *txn)
{
    return txn->start_time;
}

void txn_mark_schema_change(Txn *txn)
{
    txn->changes_schema = true;
}

/* ------------------------------------------------------------------ savepoints */

bool txn_savepoint(Txn *txn, TxnSavepoint *ret_savepoint)
{
    SavepointMark mark = {
        .id = txn->next_savepoint++,
        .place = writes_place(txn),
        .ddl_count = txn->ddl.length,
        .callback_count = txn->callbacks.length,
        .lock_position = ++txn->session->lock_position,
    };
    VEC_PUSH(txn->arena, &txn->savepoints, mark);
    *ret_savepoint = (TxnSavepoint){.id = mark.id};
    return true;
}

static size_t savepoint_index(const Txn *txn, TxnSavepoint savepoint)
{
    size_t i = txn->savepoints.length;
    while (i > 0 && txn->savepoints.items[i - 1].id != savepoint.id)
        i--;
    assert(i > 0);
    return i - 1;
}

static void callbacks_abort(Txn *txn, size_t down_to)
{
    while (txn->callbacks.length > down_to) {
        EndCallback callback = txn->callbacks.items[--txn->callbacks.length];
        callback.callback(callback.context, TXN_ABORTED);
    }
}

void txn_rollback_to(Txn *txn, TxnSavepoint savepoint)
{
    size_t index = savepoint_index(txn, savepoint);
    const SavepointMark mark = txn->savepoints.items[index];

    txn->savepoints.length = index + 1;
    callbacks_abort(txn, mark.callback_count);
    writes_rollback_to(txn, mark.place);
    built_roll_back(txn, mark.place);
    ddl_undo(txn, mark.ddl_count);
    lock_release_from(txn->session, mark.lock_position);
    if (txn->state == TXN_FAILED_STATE)
        txn->state = TXN_ACTIVE;
}

void txn_release(Txn *txn, TxnSavepoint savepoint)
{
    txn->savepoints.length = savepoint_index(txn, savepoint);
}

void txn_on_end(Txn *txn, TxnEndCallback *callback, void *context)
{
    EndCallback item = {.callback = callback, .context = context};
    VEC_PUSH(txn->arena, &txn->callbacks, item);
}

void txn_before_commit(Txn *txn, TxnCommitCheck *check, void *context)
{
    CommitCheck item = {.check = check, .context = context};
    VEC_PUSH(txn->arena, &txn->checks, item);
}

/* ------------------------------------------------------------------ the end */

/* Row ids taken in a block and not used go back if nobody took any after them. */
static void blocks_return(Txn *txn)
{
    for (size_t i = 0; i < txn->blocks.length; i++) {
        RowIdBlock *block = &txn->blocks.items[i];
        uint64_t end = block->end;
        if (block->next < block->end)
            atomic_compare_exchange_strong(&block->tree->next_row_id, &end, block->next);
    }
}

/* Before the new version is known, so that who plans by it sees the rows that came with it. */
static void schema_raise(Txn *txn)
{
    ordered_raise(txn->manager, txn->commit_lsn);
    atomic_fetch_add(&txn->manager->schema_version, 1);
}

static void txn_finish(Txn *txn, TxnEnd how)
{
    TxnSession *session = txn->session;

    blocks_return(txn);
    ddl_end(txn, how);
    writes_clear(txn);
    if (unlikely(txn->has_exported))
        exported_snapshots_forget(txn);
    txn->has_snapshot = false;
    snapshot_unpublish(session);
    atomic_store(&session->fragment_lsn, LSN_MAX);
    if (txn->changes_schema && how == TXN_COMMITTED)
        schema_raise(txn);
    atomic_store_explicit(&txn->is_writer, false, memory_order_relaxed);
    /* Waiters look for the identifier's end before they try again. */
    atomic_store(&txn->id, 0);
    lock_release_from(session, 0);
    atomic_store_explicit(&session->local_number, 0, memory_order_relaxed);
    /* Who was shown waiting for this transaction may have named it anew until then. */
    atomic_store(&txn->id, 0);
    if (how == TXN_ABORTED)
        callbacks_abort(txn, 0);
    for (size_t i = 0; i < txn->callbacks.length; i++)
        txn->callbacks.items[i].callback(txn->callbacks.items[i].context, how);
    txn->callbacks.length = 0;
    txn->state = TXN_IDLE;
    pace_arena_reset(txn->arena);
}

void txn_rollback(Txn *txn)
{
    if (txn->state == TXN_IDLE)
        return;
    writes_rollback_to(txn, 0);
    ddl_undo(txn, 0);
    txn_finish(txn, TXN_ABORTED);
}

static bool run_checks(Txn *txn)
{
    /* A check may register others. */
    for (size_t i = 0; i < txn->checks.length; i++)
        TRY(txn->checks.items[i].check(txn->checks.items[i].context, txn));
    return true;
}

bool txn_commit(Txn *txn)
{
    assert(txn->state != TXN_IDLE);
    if (txn->state == TXN_FAILED_STATE) {
        txn_rollback(txn);
        FAIL(ERR_IN_FAILED_SQL_TRANSACTION,
             .message = STR("current transaction is aborted, commands ignored until end of "
                            "transaction block"));
    }
    TxnManager *manager = txn->manager;
    if (!run_checks(txn)) {
        txn_rollback(txn);
        return false;
    }
    const bool moves_schema = txn->changes_schema;
    /* From before the first change is applied until the version has been raised. */
    if (moves_schema)
        atomic_fetch_add(&manager->schema_commits, 1);
    const bool is_done = !has_writes(txn) || commit_run(txn);
    const bool wrote = txn->commit_lsn != 0;
    if (is_done)
        txn_finish(txn, TXN_COMMITTED);
    else
        txn_rollback(txn);
    if (moves_schema)
        atomic_fetch_sub(&manager->schema_commits, 1);
    TRY(is_done);
    if (wrote)
        manager_reclaim(manager, txn->name_count);
    return true;
}

/* ------------------------------------------------------------------ writing */

bool txn_can_write(Txn *txn)
{
    if (txn->state == TXN_FAILED_STATE)
        FAIL(ERR_IN_FAILED_SQL_TRANSACTION,
             .message = STR("current transaction is aborted, commands ignored until end of "
                            "transaction block"));
    assert(txn->state == TXN_ACTIVE);
    atomic_store_explicit(&txn->is_writer, true, memory_order_relaxed);
    return true;
}

/* The first id that no row has had, on first use. */
static bool row_ids_prepare(Txn *txn, TxnTree *table)
{
    bool is_private;
    Tree *source = txn_tree_source(txn, table, &is_private);
    uint64_t largest = 0, expected = 0;

    if (source)
        TRY(tree_max_row_id(source, &largest));
    atomic_compare_exchange_strong(&table->next_row_id, &expected, largest + 1);
    return true;
}

/*
 * The first rows of a transaction take their ids singly, so that rows of different sessions lie
 * in the order of insertion, as PostgreSQL's do; those of a bulk come in growing blocks, so that
 * sessions don't meet at one counter and one leaf.
 */
#define SINGLE_ROW_IDS 64
#define ROW_ID_BLOCK 4096

/* Up to `wanted` row ids, one after the other; how many, 0 is a failure. */
static uint32_t row_ids_take(Txn *txn, TxnTree *table, uint32_t wanted, uint64_t *ret_first)
{
    RowIdBlock *block = NULL;

    if (unlikely(atomic_load(&table->next_row_id) == 0))
        TRY(row_ids_prepare(txn, table));
    /* Newest first: a load of many tables comes to one after the other. */
    for (size_t i = txn->blocks.length; i > 0 && !block; i--)
        if (txn->blocks.items[i - 1].tree == table)
            block = &txn->blocks.items[i - 1];
    if (!block) {
        RowIdBlock item = {.tree = table};
        VEC_PUSH(txn->arena, &txn->blocks, item);
        block = &VEC_LAST(&txn->blocks);
    }
    if (block->next == block->end) {
        const uint64_t usual = block->taken < SINGLE_ROW_IDS ? 1 : MIN(block->taken, ROW_ID_BLOCK);
        const uint64_t taken = MAX(usual, wanted);
        block->next = atomic_fetch_add(&table->next_row_id, taken);
        block->end = block->next + taken;
        block->taken += (uint32_t)taken;
        if (block->end > INT64_MAX)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("row identifiers are exhausted"));
    }
    const uint32_t count = (uint32_t)MIN(wanted, block->end - block->next);
    *ret_first = block->next;
    block->next += count;
    return count;
}

int64_t txn_next_row_id(const Txn *txn, const TxnTree *table)
{
    for (size_t i = txn->blocks.length; i > 0; i--) {
        const RowIdBlock *block = &txn->blocks.items[i - 1];
        if (block->tree == table && block->next < block->end)
            return (int64_t)block->next;
    }
    return (int64_t)MAX(atomic_load(&((TxnTree *)table)->next_row_id), 1u);
}

static bool row_fits(const Txn *txn, const TxnTree *table, Str image)
{
    bool is_private;
    Tree *source = txn_tree_source(txn, table, &is_private);

    if (image.length > ROW_MAX_SIZE)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = fmt("row is too big: size %zu, maximum size %u",
                                                        image.length, ROW_MAX_SIZE));
    /* What is small fits any page of any layout; the rest is asked when committing a new tree. */
    if (source && image.length > 2048 && txn_layout_newest(txn, table) == tree_layout(source))
        TRY(tree_row_fits(source, image));
    return true;
}

bool txn_row_id_take(Txn *txn, TxnTree *table, Str image, uint64_t *ret_row_id)
{
    assert(table->kind == TREE_TABLE);
    TRY(txn_can_write(txn));
    TRY(row_fits(txn, table, image));
    return row_ids_take(txn, table, 1, ret_row_id) == 1;
}

uint32_t txn_row_ids_take(Txn *txn, TxnTree *table, uint32_t wanted, uint64_t *ret_first)
{
    assert(table->kind == TREE_TABLE && wanted > 0);
    TRY(txn_can_write(txn));
    return row_ids_take(txn, table, wanted, ret_first);
}

bool txn_insert(Txn *txn, TxnTree *table, Str image, int64_t *ret_row_id)
{
    uint64_t row_id;

    TRY(txn_row_id_take(txn, table, image, &row_id));
    TRY(writes_add(txn, table, row_id, STR_NONE, WRITE_PUT, image, true));
    *ret_row_id = (int64_t)row_id;
    return true;
}

bool txn_row_is_own(Txn *txn, TxnTree *table, int64_t row_id, Arena *scratch, bool *ret_is_own)
{
    WriteSeen own;

    TRY(writes_look(txn, table, (uint64_t)row_id, STR_NONE, UINT32_MAX, scratch, &own));
    *ret_is_own = own.found;
    return true;
}

bool txn_update(Txn *txn, TxnTree *table, int64_t row_id, Str image)
{
    assert(table->kind == TREE_TABLE && row_id > 0);
    TRY(txn_can_write(txn));
    TRY(row_fits(txn, table, image));
    return writes_add(txn, table, (uint64_t)row_id, STR_NONE, WRITE_PUT, image, false);
}

bool txn_delete(Txn *txn, TxnTree *table, int64_t row_id)
{
    assert(table->kind == TREE_TABLE && row_id > 0);
    TRY(txn_can_write(txn));
    return writes_add(txn, table, (uint64_t)row_id, STR_NONE, WRITE_DELETE, STR_NONE, false);
}

/* The leaf that was read last for an entry of a bulk: the next one is often in it. */
struct BulkLeaf {
    const Tree *tree;
    StrBuf first; /* the entry that it was read for */
    TreeReady ready;
};

static bool bulk_leaf_load(Txn *txn, TreeWrites *writes, Tree *tree, Str entry)
{
    BulkLeaf *leaf = writes->leaf;

    if (!leaf) {
        leaf = writes->leaf = ARENA_NEW(txn->arena, BulkLeaf);
        leaf->first = strbuf_in(txn->arena);
    }
    if (leaf->tree == tree && tree_ready_has(&leaf->ready, entry) &&
        str_compare(entry, strbuf_view(&leaf->first)) >= 0)
        return true;
    leaf->tree = tree;
    leaf->ready.has_range = false;
    strbuf_truncate(&leaf->first, 0);
    strbuf_append(&leaf->first, entry);
    return tree_ready_key(tree, entry, &leaf->ready);
}

/*
 * Reads the leaf that the commit will change: its apply may not fail, so that damage is this
 * statement's error, and does not wait for the disk with locks held. A check for uniqueness has
 * read it already.
 */
static bool index_leaf_load(Txn *txn, TxnTree *index, Str entry, WriteOp op)
{
    Tree *tree = atomic_load_explicit(&index->tree, memory_order_acquire);
    EntryPeek peek;

    if (!tree || (op == WRITE_PUT && atomic_load_explicit(&index->is_unique, memory_order_relaxed)))
        return true;
    TreeWrites *writes = writes_find(txn, index);
    if (writes && writes->arena)
        return bulk_leaf_load(txn, writes, tree, entry);
    return tree_index_peek(tree, entry, &peek) != PEEK_FAILED;
}

bool index_entry(Str key, int64_t row_id, char *buffer, Str *ret_entry)
{
    const uint64_t id = __builtin_bswap64((uint64_t)row_id);
    const size_t length = key.length + sizeof(id);

    if (length > TREE_MAX_KEY)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = fmt("index row size %zu exceeds maximum %zu",
                                                        length, (size_t)TREE_MAX_KEY));
    if (key.length > 0)
        memcpy(buffer, key.data, key.length);
    memcpy(buffer + key.length, &id, sizeof(id));
    *ret_entry = str_make(buffer, length);
    return true;
}

static bool index_write(Txn *txn, TxnTree *index, Str key, int64_t row_id, WriteOp op)
{
    char buffer[TREE_MAX_KEY];
    Str entry;

    assert(index->kind == TREE_INDEX && row_id > 0);
    TRY(txn_can_write(txn));
    TRY(index_entry(key, row_id, buffer, &entry));
    TRY(index_leaf_load(txn, index, entry, op));
    return writes_add(txn, index, (uint64_t)row_id, entry, op, STR_NONE, false);
}

bool txn_index_insert(Txn *txn, TxnTree *index, Str key, int64_t row_id)
{
    return index_write(txn, index, key, row_id, WRITE_PUT);
}

bool txn_index_delete(Txn *txn, TxnTree *index, Str key, int64_t row_id)
{
    /* Who wants to insert the key waits to see whether it becomes free. */
    if (atomic_load_explicit(&index->is_unique, memory_order_relaxed) &&
        atomic_load_explicit(&index->creator, memory_order_relaxed) != txn)
        TRY(unique_key_lock(txn, index, key));
    return index_write(txn, index, key, row_id, WRITE_DELETE);
}

bool txn_put(Txn *txn, TxnTree *tree, Str key, Str value)
{
    assert(tree->kind == TREE_KEY_VALUE);
    TRY(txn_can_write(txn));
    return writes_add(txn, tree, 0, key, WRITE_PUT, value, false);
}

bool txn_remove(Txn *txn, TxnTree *tree, Str key)
{
    assert(tree->kind == TREE_KEY_VALUE);
    TRY(txn_can_write(txn));
    return writes_add(txn, tree, 0, key, WRITE_DELETE, STR_NONE, false);
}
