/* After the crash: the recovered database beside the model. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "crash_internal.h"
#include "storage/verify.h"
#include "txn/scan.h"
#include "txn/sequence.h"

/* -------- Checking -------- */

/* Bit n: the journal has transaction n. */
typedef struct Present {
    bool items[TRANSACTIONS_MAX];
} Present;

static bool read_journal(Txn *txn, Arena *arena, Present *present)
{
    const uint16_t column = 0;
    TxnTree *journal;
    ScanOutcome outcome;

    TRY(txn_tree_open(txn, HOME, JOURNAL, &journal) || fail_error("journal"));
    TableScan *scan =
        table_scan_open(txn, txn_snapshot(txn), journal,
                        &(TableScanSpec){.columns = &column, .column_count = 1}, arena);
    TRY(scan || fail_error("journal"));
    while ((outcome = table_scan_next(scan)) == SCAN_ROWS) {
        const Batch *batch = table_scan_batch(scan);
        for (uint32_t i = 0; i < batch->row_count; i++) {
            const int64_t number = VECTOR_VALUES(batch->columns[0], int64_t)[i];
            if (number < 1 || number > work.transaction_count || present->items[number])
                return fail("a transaction is there that has never been", number, 0);
            present->items[number] = true;
        }
    }
    table_scan_close(scan);
    txn_tree_close(journal);
    return outcome == SCAN_END || fail_error("journal");
}

/* What is there is everything up to the end of the log, whole transactions only. */
static bool check_transactions(const Present *present, Lsn end)
{
    for (uint32_t i = 1; i <= work.transaction_count; i++) {
        const Transaction *transaction = &work.transactions[i];
        const bool is_there = present->items[i];
        if (transaction->state == TXN_ACKNOWLEDGED && !is_there && work.options.is_damaged)
            _exit(CRASH_CUT);
        if (transaction->state == TXN_ACKNOWLEDGED && !is_there)
            return fail("an acknowledged transaction is lost", i, (long long)transaction->lsn);
        if ((transaction->state == TXN_UNDONE || transaction->state == TXN_OPEN) && is_there)
            return fail("a transaction is there that did not commit", i, 0);
        if (transaction->lsn != 0 && is_there != (transaction->lsn <= end))
            return fail("the log's end and the transactions do not agree", i, (long long)end);
    }
    return true;
}

static void model_of(const Present *present, Model *model)
{
    model_init(model);
    for (uint32_t i = 0; i < work.order_count; i++)
        if (present->items[work.order[i]])
            model_apply(model, &work.transactions[work.order[i]]);
}

static bool check_row(const Model *model, Arena *arena, uint32_t table, const Batch *batch,
                      uint32_t i)
{
    const int64_t row_id = VECTOR_VALUES(batch->columns[0], int64_t)[i];
    const ModelRow *row = model_row((Model *)model, table, row_id, false);

    if (!row || !row->exists)
        return fail("a row is there that should not be", table, row_id);
    const RowValue *value = &row->value;
    const ArenaMark mark = arena_mark(arena);
    const bool is_text =
        str_equal(var_str(VECTOR_VALUES(batch->columns[3], VarRef)[i]), row_text(arena, value));
    arena_rewind(arena, mark);
    if (VECTOR_VALUES(batch->columns[1], int64_t)[i] != value->key ||
        VECTOR_VALUES(batch->columns[2], int64_t)[i] != value->amount || !is_text)
        return fail("a row has other values", table, row_id);
    if (model->tables[table].is_wide &&
        VECTOR_VALUES(batch->columns[4], int32_t)[i] != value->extra)
        return fail("a row's added column has another value", table, row_id);
    return true;
}

static bool check_table(Txn *txn, const Model *model, uint32_t table, uint32_t *ret_rows)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("table");
    const uint16_t wanted[] = {SCAN_ROW_ID, 0, 1, 2, 3};
    TxnTree *tree;
    ScanOutcome outcome;
    uint32_t found = 0, expected = 0;

    TRY(txn_tree_open(txn, table_database(table), table_tree(table), &tree) || fail_error("table"));
    const uint32_t count = model->tables[table].is_wide ? 5 : 4;
    TableScan *scan =
        table_scan_open(txn, txn_snapshot(txn), tree,
                        &(TableScanSpec){.columns = wanted, .column_count = count}, arena);
    TRY(scan || fail_error("table"));
    while ((outcome = table_scan_next(scan)) == SCAN_ROWS) {
        const Batch *batch = table_scan_batch(scan);
        for (uint32_t i = 0; i < batch->row_count; i++, found++)
            TRY(check_row(model, arena, table, batch, i));
    }
    table_scan_close(scan);
    txn_tree_close(tree);
    TRY(outcome == SCAN_END || fail_error("table"));
    for (uint32_t i = 0; i < model->row_count; i++)
        expected += model->rows[i].table == table && model->rows[i].exists;
    *ret_rows = found;
    return found == expected || fail("rows are missing", table, (long long)expected - found);
}

static bool check_index(Txn *txn, const Model *model, uint32_t table, uint32_t index, uint32_t rows)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("index");
    TxnTree *tree;
    IndexEntry entry;
    ScanOutcome outcome;
    uint32_t found = 0;
    Str last = STR_NONE;

    TRY(txn_tree_open(txn, table_database(table), index_tree(table, index), &tree) ||
        fail_error("index"));
    IndexScan *scan = index_scan_open(txn, txn_snapshot(txn), tree,
                                      &(IndexScanSpec){.low = STR(""), .high = STR_NONE}, arena);
    TRY(scan || fail_error("index"));
    while ((outcome = index_scan_next(scan, &entry)) == SCAN_ROWS) {
        const ModelRow *row = model_row((Model *)model, table, entry.row_id, false);
        if (!row || !row->exists || !str_equal(entry.key, index_key(arena, index, &row->value)))
            return fail("an index has an entry that its table has not", index, entry.row_id);
        if (index == 0 && !str_is_none(last) && str_equal(last, entry.key))
            return fail("a unique index has a key twice", table, row->value.key);
        last = str_copy(arena, entry.key);
        found++;
    }
    index_scan_close(scan);
    txn_tree_close(tree);
    TRY(outcome == SCAN_END || fail_error("index"));
    return found == rows || fail("an index has not all rows of its table", index, table);
}

static bool check_sequence(Txn *txn, const Present *present)
{
    SequenceState state;

    TRY(sequence_read(txn, HOME, SEQUENCE, &state) || fail_error("sequence"));
    for (uint32_t i = 1; i <= work.transaction_count; i++) {
        const int64_t value = work.transactions[i].sequence_value;
        if (present->items[i] && value > state.last_value)
            return fail("a number of the sequence would be given twice", value, state.last_value);
    }
    return true;
}

static bool tell_lost_page(void *context, uint32_t page_id)
{
    (void)context;
    if (work.options.is_damaged && work.is_found) /* what damage hides cannot be given back */
        _exit(CRASH_REFUSED);
    fail("a page belongs to no tree", page_id, 0);
    return true;
}

static bool check_pages(DatabaseId id)
{
    uint64_t count;
    Database *database = store_database(work.store, id);

    if (!database)
        return fail("a database is gone", id, 0);
    if (!tree_unreached(database, tell_lost_page, NULL, &count))
        return fail_error("trees");
    return count == 0;
}

/* Those of the model; one whose maker's commit the crash forestalled is dropped, as servers do. */
static bool check_databases(void)
{
    TRY(check_pages(HOME) && check_pages(TEMPLATE));
    for (uint32_t table = FIXED_TABLES; table < work.table_count; table++) {
        if (!work.is_clone[table])
            continue;
        if (work.model.tables[table].exists)
            TRY(check_pages(table_database(table)));
        else if (store_database(work.store, table_database(table)))
            TRY(database_drop(work.store, table_database(table)) || fail_error("an orphan"));
    }
    return true;
}

static bool check_contents(Txn *txn, Lsn end)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("check");
    Present present = {0};
    Model *model = &work.model;

    TRY(read_journal(txn, arena, &present));
    TRY(check_transactions(&present, end));
    model_of(&present, model);
    for (uint32_t table = 0; table < work.table_count; table++) {
        TxnTree *tree;
        uint32_t rows;
        if (!model->tables[table].exists) {
            if (!work.is_clone[table] &&
                txn_tree_open(txn, table_database(table), table_tree(table), &tree))
                return fail("a table is there that should not be", table, 0);
            error_clear();
            continue;
        }
        TRY(check_table(txn, model, table, &rows));
        for (uint32_t index = 0; index < INDEXES; index++)
            TRY(check_index(txn, model, table, index, rows));
    }
    return check_sequence(txn, &present);
}

/* From here on the recovered state is the truth: what is not there will never be. */
static void settle_history(Lsn end)
{
    for (uint32_t i = 1; i <= work.transaction_count; i++) {
        Transaction *transaction = &work.transactions[i];
        if (transaction->state == TXN_OPEN || (transaction->lsn != 0 && transaction->lsn > end))
            transaction->state = TXN_UNDONE;
        if (transaction->state == TXN_UNDONE)
            transaction->lsn = 0;
    }
}

static bool check_all(Lsn end)
{
    TxnSession *session = txn_session_open(work.manager, 1);
    Txn *txn = txn_begin(session, &(TxnOptions){ISOLATION_READ_COMMITTED});

    TRY((txn && txn_statement_begin(txn)) || fail_error("check"));
    TRY(check_contents(txn, end));
    txn_rollback(txn);
    txn_session_close(session);
    return check_databases();
}

static void tell_problem(void *context, const StoreProblem *problem)
{
    char why[300];

    (void)context;
    snprintf(why, sizeof(why), "page %u slot %u: %.*s", problem->page, problem->slot,
             STR_ARGS(problem->text));
    fail_with(why);
}

static bool verify_store(void)
{
    uint64_t count;
    Store *store = store_open(STR("data"), &(StoreOptions){.pool_bytes = STORE_POOL_MIN,
                                                           .database_page_limit = 1u << 20,
                                                           .read_only = true});

    TRY(store || fail_error("verify"));
    TRY(store_verify(store, tell_problem, NULL, &count) || fail_error("verify"));
    store_close(store, STORE_CLOSE_ABORT);
    return true;
}

static void count_problem(void *context, const StoreProblem *problem)
{
    (void)context, (void)problem;
}

/* What verify finds before anybody has opened it for writing; an error counts as well. */
static bool verify_finds(void)
{
    uint64_t count = 0;
    Store *store = store_open(STR("data"), &(StoreOptions){.pool_bytes = STORE_POOL_MIN,
                                                           .database_page_limit = 1u << 20,
                                                           .read_only = true});

    const bool ok = store && store_verify(store, count_problem, NULL, &count);
    if (!ok)
        error_clear();
    store_close(store, STORE_CLOSE_ABORT);
    return !ok || count > 0;
}

void crash_read(void *unused)
{
    (void)unused;
    work.is_found = verify_finds();
    work.committing = 0;
    /* Where everything is right, nobody uses what was damaged, or the log has made it anew. */
    if (open_all() && check_all(wal_reserved_end(store_wal(work.store))))
        close_all(STORE_CLOSE_ABORT);
}

void crash_recover(void *unused)
{
    Writer writer = {.number = CRASH_WRITERS, .seed = work.options.seed + 7};

    (void)unused;
    work.committing = 0;
    if (!verify_store() || !open_all())
        return;
    const Lsn end = wal_reserved_end(store_wal(work.store));
    if (!check_all(end))
        return;
    if (work.operation % 3 != 0) {
        close_all(STORE_CLOSE_ABORT);
        return;
    }
    /* Life goes on with what was recovered. */
    settle_history(end);
    writer_run(&writer, 3);
    close_all(STORE_CLOSE_CLEAN);
    if (verify_store() && open_all() && check_all(wal_reserved_end(store_wal(work.store))))
        close_all(STORE_CLOSE_CLEAN);
}
