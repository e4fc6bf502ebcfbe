#include "txn_fixture.h"

#include "txn/index.h"
#include "txn/txn_internal.h"

const LayoutColumn fixture_columns[2] = {{.type = PHYS_INT64}, {.type = PHYS_VAR}};

void ok(bool result)
{
    if (!result) {
        const ErrorFields *fields = error_fields();
        fail_msg("%s: %.*s", sqlstate_text(fields->sqlstate).text, STR_ARGS(fields->message));
    }
}

void fixture_open(Fixture *fixture)
{
    StoreOptions options = {.pool_bytes = 16u << 20, .wal_ring_bytes = 4u << 20};
    fixture->store = store_open(str_from_c(fixture->path), &options);
    ok(fixture->store != NULL);
    ok(txn_manager_open(fixture->store, &fixture->config, &fixture->manager));
}

void fixture_reopen(Fixture *fixture, StoreClose how)
{
    txn_manager_close(fixture->manager);
    ok(store_close(fixture->store, how));
    fixture_open(fixture);
}

void fixture_limit_write_sets(Fixture *fixture, uint64_t bytes)
{
    fixture->config.write_set_memory = bytes;
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
}

void fixture_limit_row_locks(Fixture *fixture, uint32_t count)
{
    fixture->config.row_lock_limit = count;
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
}

void fixture_call_large(Fixture *fixture, uint32_t writes)
{
    fixture->config.large_commit_writes = writes;
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
}

static void make_schema(Fixture *fixture)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    Layout *layout = layout_new(fixture->arena, 1, fixture_columns, 2);

    ok(txn_database_create(txn, HOME));
    ok(txn_tree_create(txn, HOME, TABLE, TREE_TABLE, layout));
    ok(txn_tree_create(txn, HOME, INDEX, TREE_INDEX, NULL));
    commit(txn);
    txn_session_close(session);
}

int fixture_setup(void **state)
{
    settings_init();
    Fixture *fixture = calloc(1, sizeof(*fixture));
    test_directory_make(fixture->path, "txn");
    fixture->arena = arena_new("test");
    fixture->config = txn_config_default;
    ok(store_create(str_from_c(fixture->path)));
    fixture_open(fixture);
    make_schema(fixture);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    Fixture *fixture = *state;

    txn_manager_close(fixture->manager);
    store_close(fixture->store, STORE_CLOSE_ABORT);
    arena_free(fixture->arena);
    int status = test_directory_remove(fixture->path);
    free(fixture);
    return status;
}

Txn *begin(TxnSession *session, IsolationLevel isolation)
{
    Txn *txn = txn_begin(session, &(TxnOptions){.isolation = isolation});
    ok(txn != NULL);
    ok(txn_statement_begin(txn));
    return txn;
}

void commit(Txn *txn)
{
    TxnSession *session = txn_session(txn);
    ok(txn_commit(txn));
    ok(txn_wait_durable(session));
}

TxnTree *open_tree(Txn *txn, TreeId id)
{
    TxnTree *tree;
    ok(txn_tree_open(txn, HOME, id, &tree));
    return tree;
}

Str row_image(Arena *arena, int64_t number, const char *text)
{
    Layout *layout = layout_new(arena, 1, fixture_columns, 2);
    Value values[2] = {{.int64 = number}, {.var = var_from_str(str_from_c(text ? text : ""))}};
    bool nulls[2] = {false, text == NULL};
    Str image;
    ok(row_image_make(arena, layout, values, nulls, &image));
    return image;
}

Str number_key(Arena *arena, int64_t number)
{
    uint64_t bytes = __builtin_bswap64((uint64_t)number ^ (UINT64_C(1) << 63));
    return str_copy(arena, str_make(&bytes, sizeof(bytes)));
}

int64_t insert(Txn *txn, int64_t number, const char *text)
{
    Arena *arena = arena_new("insert");
    TxnTree *table = open_tree(txn, TABLE);
    TxnTree *index = open_tree(txn, INDEX);
    int64_t row_id;

    txn_index_set_table(index, table);
    ok(txn_insert(txn, table, row_image(arena, number, text), &row_id));
    ok(txn_index_insert(txn, index, number_key(arena, number), row_id));
    txn_tree_close(table);
    txn_tree_close(index);
    arena_free(arena);
    return row_id;
}

int64_t scan_sum(Txn *txn, const Snapshot *snapshot, int64_t *ret_count)
{
    Arena *arena = arena_new("scan");
    TxnTree *table = open_tree(txn, TABLE);
    uint16_t columns[] = {0, SCAN_ROW_ID, 1};
    TableScan *scan = table_scan_open(
        txn, snapshot, table, &(TableScanSpec){.columns = columns, .column_count = 3}, arena);
    int64_t sum = 0, count = 0, last = 0;
    ScanOutcome outcome;

    ok(scan != NULL);
    while ((outcome = table_scan_next(scan)) == SCAN_ROWS) {
        Batch *batch = table_scan_batch(scan);
        for (uint32_t i = 0; i < batch->row_count; i++) {
            assert_true(VECTOR_VALUES(batch->columns[1], int64_t)[i] > last);
            last = VECTOR_VALUES(batch->columns[1], int64_t)[i];
            sum += VECTOR_VALUES(batch->columns[0], int64_t)[i];
            count++;
        }
    }
    ok(outcome == SCAN_END);
    table_scan_close(scan);
    txn_tree_close(table);
    arena_free(arena);
    if (ret_count)
        *ret_count = count;
    return sum;
}

int64_t fetch_number(Txn *txn, const Snapshot *snapshot, int64_t row_id)
{
    Arena *arena = arena_new("fetch");
    TxnTree *table = open_tree(txn, TABLE);
    uint16_t column = 0;
    Value value;
    bool is_null;
    FetchOutcome outcome =
        txn_fetch(txn, snapshot, table, row_id, &column, 1, &value, &is_null, arena);

    ok(outcome != FETCH_FAILED);
    txn_tree_close(table);
    arena_free(arena);
    return outcome == FETCH_ROW ? value.int64 : INT64_MIN;
}

RowLockOutcome lock_row(Txn *txn, int64_t row_id, RowLockMode mode, LockWait wait,
                        int64_t *ret_number)
{
    Arena *arena = arena_new("lock");
    TxnTree *table = open_tree(txn, TABLE);
    RowLockRequest request = {.mode = mode,
                              .wait = wait,
                              .snapshot = *txn_snapshot(txn),
                              .relation_name = STR("accounts")};
    RowLockResult result;
    RowLockOutcome outcome = txn_lock_row(txn, table, row_id, &request, arena, &result);
    if (outcome == ROW_LOCK_CHANGED && ret_number) {
        Layout *layout = layout_new(arena, 1, fixture_columns, 2);
        Value value;
        bool is_null;
        ok(row_image_column(layout, NULL, result.image, 0, &value, &is_null));
        *ret_number = value.int64;
    }
    txn_tree_close(table);
    arena_free(arena);
    return outcome;
}

const char fixture_text[] = "a row with some text in it, so that leaves are soon full";

bool is_built(Txn *txn, TreeId id)
{
    TxnTree *tree = open_tree(txn, id);
    const TreeWrites *writes = writes_find(txn, tree);
    const bool is = writes && writes->spill && writes->spill->built;
    txn_tree_close(tree);
    return is;
}
