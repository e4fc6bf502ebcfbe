/* What a restart without a checkpoint brings back, and what DDL does when it is undone. */
#include "txn_fixture.h"

#include "storage/faults.h"

#define OTHER ((TreeId)200)

static void what_was_committed_survives_and_nothing_else(void **state)
{
    Fixture *fixture = *state;
    int64_t sum = 0, count;

    for (int round = 0; round < 3; round++) {
        TxnSession *session = txn_session_open(fixture->manager, 1);
        for (int64_t i = 0; i < 50; i++) {
            Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
            int64_t row = insert(txn, i, "kept");
            sum += i;
            if (i % 5 == 0) {
                ok(txn_statement_begin(txn));
                TxnTree *table = open_tree(txn, TABLE);
                ok(txn_update(txn, table, row, row_image(fixture->arena, i + 7, NULL)));
                sum += 7;
                txn_tree_close(table);
            }
            commit(txn);
            if (i == 25 && round == 1)
                ok(checkpoint_request(fixture->store, CHECKPOINT_WAIT));
            txn = begin(session, ISOLATION_READ_COMMITTED);
            insert(txn, 1000000, "lost");
            txn_rollback(txn);
        }
        begin(session, ISOLATION_READ_COMMITTED);
        insert(txn_session_current(session), 3, "never committed");
        txn_session_close(session);
        fixture_reopen(fixture, STORE_CLOSE_ABORT);
        session = txn_session_open(fixture->manager, 1);
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), sum);
        assert_int_equal(count, 50 * (round + 1));
        txn_rollback(txn);
        txn_session_close(session);
    }
}

static void a_transaction_of_many_fragments_is_recovered_whole(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    char text[1000];
    int64_t sum = 0, count;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int64_t i = 0; i < 4000; i++, sum += i - 1)
        insert(txn, i, text);
    commit(txn);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), sum);
    assert_int_equal(count, 4000);
    txn_rollback(txn);
    txn_session_close(session);
}

static uint64_t count_rows(Txn *txn, TreeId id)
{
    Arena *arena = arena_new("count");
    TxnTree *table = open_tree(txn, id);
    TableScan *scan = table_scan_open(txn, txn_snapshot(txn), table, &(TableScanSpec){0}, arena);
    uint64_t count = 0;
    ScanOutcome outcome;
    while ((outcome = table_scan_next(scan)) == SCAN_ROWS)
        count += table_scan_batch(scan)->selection.count;
    ok(outcome == SCAN_END);
    table_scan_close(scan);
    txn_tree_close(table);
    arena_free(arena);
    return count;
}

/* Rows with these numbers: some one by one, most in columns. */
static void append_to(Fixture *fixture, TxnBulk *bulk, int64_t rows, const char *text,
                      int64_t *ret_last)
{
    static int64_t ids[VECTOR_SIZE];
    Vector *columns[] = {vector_new(fixture->arena, PHYS_INT64),
                         vector_new(fixture->arena, PHYS_VAR)};
    const Value value = {.var = var_from_str(str_from_c(text))};
    uint32_t count;

    for (int64_t i = 0; i < rows; i += count) {
        bool taken = false;
        count = (uint32_t)MIN(rows - i, i % 4 == 0 ? 3 : 1 + i % VECTOR_SIZE);
        for (uint32_t row = 0; row < count; row++) {
            VECTOR_VALUES(columns[0], int64_t)[row] = i + row;
            vector_set(columns[1], row, &value, false);
        }
        if (i % 3 != 0)
            ok(txn_bulk_append_rows(bulk, columns, (Selection){.count = count}, ids, &taken));
        for (uint32_t row = 0; row < count && !taken; row++)
            ok(txn_bulk_append_row(bulk, row_image(fixture->arena, i + row, text), &ids[row]));
        for (uint32_t row = 0; row < count; row++)
            assert_int_equal(ids[row], ids[0] + row);
        *ret_last = ids[count - 1];
    }
}

static void build(Fixture *fixture, Txn *txn, TreeId id, int64_t rows)
{
    Layout *layout = layout_new(fixture->arena, 1, fixture_columns, 2);
    TxnBulk *bulk;
    int64_t row_id;

    ok(txn_tree_create(txn, HOME, id, TREE_TABLE, layout));
    TxnTree *table = open_tree(txn, id);
    ok(txn_bulk_begin(txn, table, &bulk));
    append_to(fixture, bulk, rows, "in bulk", &row_id);
    assert_int_equal(row_id, rows);
    ok(txn_bulk_end(bulk));
    ok(txn_insert(txn, table, row_image(fixture->arena, 1, "behind"), &row_id));
    assert_int_equal(row_id, rows + 1);
    txn_tree_close(table);
}

static void what_was_built_in_bulk_is_there_after_a_crash(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    TxnSession *old = txn_session_open(fixture->manager, 2);
    Txn *reader = begin(old, ISOLATION_REPEATABLE_READ);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);

    build(fixture, txn, OTHER, 20000);
    ok(txn_statement_begin(txn));
    assert_int_equal(count_rows(txn, OTHER), 20001);
    commit(txn);
    assert_int_equal(count_rows(reader, OTHER), 0); /* older than the table */
    txn_rollback(reader);
    txn_session_close(old);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(count_rows(txn, OTHER), 20001);
    txn_rollback(txn);
    txn_session_close(session);
}

static TxnBulk *append(Fixture *fixture, Txn *txn, int64_t rows, int64_t *ret_last)
{
    TxnTree *table = open_tree(txn, TABLE);
    TxnBulk *bulk;

    ok(txn_bulk_begin(txn, table, &bulk));
    append_to(fixture, bulk, rows, "appended", ret_last);
    txn_tree_close(table);
    return bulk;
}

/* Changes `last` and removes the one before it, both of which the transaction has appended. */
static void change_appended(Fixture *fixture, Txn *txn, int64_t last)
{
    TxnTree *table = open_tree(txn, TABLE);
    int64_t row_id;

    ok(txn_statement_begin(txn));
    ok(txn_update(txn, table, last, row_image(fixture->arena, 7, "changed")));
    ok(txn_delete(txn, table, last - 1));
    ok(txn_insert(txn, table, row_image(fixture->arena, 5, "behind"), &row_id));
    assert_true(row_id > last);
    txn_tree_close(table);
}

static void check_sum(Txn *txn, int64_t sum, int64_t count)
{
    int64_t seen;

    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &seen), sum);
    assert_int_equal(seen, count);
}

static void rows_appended_to_a_table_are_seen_when_committed_and_after_a_crash(void **state)
{
    enum { ROWS = 30000 };
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    TxnSession *other = txn_session_open(fixture->manager, 2);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    int64_t last, sum = (int64_t)ROWS * (ROWS - 1) / 2;

    insert(txn, 1, "before");
    commit(txn);
    Txn *reader = begin(other, ISOLATION_REPEATABLE_READ);
    check_sum(reader, 1, 1);
    /* Nothing is left of rows that were given up in the midst. */
    txn = begin(session, ISOLATION_READ_COMMITTED);
    txn_bulk_abandon(append(fixture, txn, ROWS / 2, &last));
    txn_rollback(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_bulk_end(append(fixture, txn, ROWS, &last)));
    check_sum(txn, 1, 1); /* the command doesn't see its own */
    ok(txn_statement_begin(txn));
    check_sum(txn, sum + 1, ROWS + 1);
    change_appended(fixture, txn, last);
    sum += 1 + 7 + 5 - (ROWS - 1) - (ROWS - 2);
    ok(txn_statement_begin(txn));
    check_sum(txn, sum, ROWS + 1);
    check_sum(reader, 1, 1);
    commit(txn);
    check_sum(reader, 1, 1);
    txn_rollback(reader);
    txn_session_close(other);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    check_sum(txn, sum, ROWS + 1);
    txn_rollback(txn);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    check_sum(txn, sum, ROWS + 1);
    txn_rollback(txn);
    txn_session_close(session);
}

/* What is logged cannot be taken back: with a savepoint rows go another way. */
static void appended_rows_are_taken_back_with_their_savepoint(void **state)
{
    enum { ROWS = 5000 };
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnSavepoint savepoint;
    int64_t last;

    ok(txn_bulk_end(append(fixture, txn, ROWS, &last)));
    ok(txn_statement_begin(txn));
    ok(txn_savepoint(txn, &savepoint));
    ok(txn_bulk_end(append(fixture, txn, ROWS, &last)));
    ok(txn_statement_begin(txn));
    check_sum(txn, (int64_t)ROWS * (ROWS - 1), 2 * ROWS);
    txn_rollback_to(txn, savepoint);
    check_sum(txn, (int64_t)ROWS * (ROWS - 1) / 2, ROWS);
    commit(txn);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    check_sum(txn, (int64_t)ROWS * (ROWS - 1) / 2, ROWS);
    txn_rollback(txn);
    txn_session_close(session);
}

static struct {
    Fixture *fixture;
    char path[TEST_PATH_SIZE]; /* the directory, as it was */
    int pieces;
} dropped;

static void copy_directory(void)
{
    char command[2 * TEST_PATH_SIZE + 40];

    if (++dropped.pieces != 2)
        return;
    ok(checkpoint_request(dropped.fixture->store, CHECKPOINT_WAIT));
    snprintf(command, sizeof(command), "cp -r '%s/.' '%s'", dropped.fixture->path, dropped.path);
    assert_int_equal(system(command), 0);
}

/*
 * A checkpoint that has a part of the tree, and the log since a row of that part: another
 * transaction has been writing for longer.
 */
static void a_drop_cut_short_is_gone_on_with(void **state)
{
    enum { ROWS = 40000, LOGGED = 100000 };
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);
    int64_t row_id, last;
    TxnTree *table;
    Tree *tree;

    Txn *txn = begin(a, ISOLATION_READ_COMMITTED);
    build(fixture, txn, OTHER, ROWS);
    commit(txn);
    Txn *writer = begin(b, ISOLATION_READ_COMMITTED);
    TxnBulk *bulk = append(fixture, writer, LOGGED, &last);
    ok(txn_bulk_end(bulk));
    txn = begin(a, ISOLATION_READ_COMMITTED);
    table = open_tree(txn, OTHER);
    ok(txn_insert(txn, table, row_image(fixture->arena, 1, "at the end"), &row_id));
    txn_tree_close(table);
    commit(txn);

    dropped.fixture = fixture;
    dropped.pieces = 0;
    test_directory_make(dropped.path, "dropped");
    fault_at_free = copy_directory;
    txn = begin(a, ISOLATION_READ_COMMITTED);
    ok(txn_tree_drop(txn, HOME, OTHER));
    commit(txn);
    fault_at_free = NULL;
    assert_in_range(dropped.pieces, 3, 1000);
    txn_rollback(writer);
    txn_session_close(a);
    txn_session_close(b);

    txn_manager_close(fixture->manager);
    ok(store_close(fixture->store, STORE_CLOSE_ABORT));
    assert_int_equal(test_directory_remove(fixture->path), 0);
    assert_int_equal(rename(dropped.path, fixture->path), 0);
    fixture_open(fixture);
    assert_in_range(store_recovery(fixture->store).record_count, 3, 1000);
    assert_int_equal(store_recovery(fixture->store).damaged_pages, 0);
    ok(tree_find(store_database(fixture->store, HOME), OTHER, &tree));
    assert_null(tree);
}

static void rollback_undoes_trees_and_layouts(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnSavepoint savepoint;
    TxnTree *table;

    int64_t row = insert(txn, 5, "five");
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_savepoint(txn, &savepoint));
    build(fixture, txn, OTHER, 100);
    txn_rollback_to(txn, savepoint);
    assert_false(txn_tree_open(txn, HOME, OTHER, &table));
    error_clear();
    build(fixture, txn, OTHER, 10);
    commit(txn);

    LayoutColumn wider[3] = {
        fixture_columns[0],
        fixture_columns[1],
        {.type = PHYS_INT32, .has_missing = true, .missing = {.int32 = 99}},
    };
    for (int commits = 0; commits < 2; commits++) {
        txn = begin(session, ISOLATION_READ_COMMITTED);
        table = open_tree(txn, TABLE);
        ok(txn_tree_set_layout(txn, table, layout_new(fixture->arena, 2, wider, 3)));
        assert_int_equal(txn_tree_layout(txn, table)->column_count, 3);
        uint16_t columns[] = {2, 0};
        Value values[2];
        bool nulls[2];
        assert_int_equal(txn_fetch(txn, txn_snapshot(txn), table, row, columns, 2, values, nulls,
                                   fixture->arena),
                         FETCH_ROW);
        assert_int_equal(values[0].int32, 99);
        assert_int_equal(values[1].int64, 5);
        if (commits)
            commit(txn);
        else
            txn_rollback(txn);
        txn = begin(session, ISOLATION_READ_COMMITTED);
        assert_int_equal(txn_tree_layout(txn, table)->column_count, commits ? 3 : 2);
        txn_tree_close(table);
        txn_rollback(txn);
    }
    txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_tree_drop(txn, HOME, OTHER));
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_false(txn_tree_open(txn, HOME, OTHER, &table));
    error_clear();
    txn_rollback(txn);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_false(txn_tree_open(txn, HOME, OTHER, &table));
    error_clear();
    table = open_tree(txn, TABLE);
    assert_int_equal(txn_tree_layout(txn, table)->column_count, 3);
    txn_tree_close(table);
    txn_rollback(txn);
    txn_session_close(session);
}

static void a_clone_has_its_templates_rows_and_goes_its_own_way(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnTree *copy;
    int64_t row = insert(txn, 5, "five");
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_database_clone(txn, HOME, 6));
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_tree_open(txn, 6, TABLE, &copy));
    ok(txn_update(txn, copy, row, row_image(fixture->arena, 6, "six")));
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(fetch_number(txn, txn_snapshot(txn), row), 5);
    uint16_t column = 0;
    Value value;
    bool is_null;
    assert_int_equal(
        txn_fetch(txn, txn_snapshot(txn), copy, row, &column, 1, &value, &is_null, fixture->arena),
        FETCH_ROW);
    assert_int_equal(value.int64, 6);
    txn_tree_close(copy);
    ok(txn_database_drop(txn, 6));
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_false(txn_tree_open(txn, 6, TABLE, &copy));
    error_clear();
    txn_rollback(txn);
    txn_session_close(session);
}

static const SequenceDefinition counting = {
    .increment = 1, .minimum = 1, .maximum = 100, .start = 1, .cache = 1};

static int64_t next(Txn *txn, TreeId id)
{
    int64_t value;
    ok(sequence_next(txn, HOME, id, &counting, STR("s"), &value));
    return value;
}

static void a_copied_database_counts_on_from_where_its_template_stands(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    int64_t value;

    ok(sequence_create(txn, HOME, 300, 1));
    commit(txn);
    for (int i = 1; i <= 3; i++) {
        txn = begin(session, ISOLATION_READ_COMMITTED);
        ok(sequence_next(txn, HOME, 300, &counting, STR("s"), &value));
        assert_int_equal(value, i);
        commit(txn);
    }
    txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_database_clone(txn, HOME, 6));
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(sequence_next(txn, 6, 300, &counting, STR("s"), &value));
    assert_int_equal(value, 4);
    ok(sequence_next(txn, HOME, 300, &counting, STR("s"), &value));
    assert_int_equal(value, 4);
    commit(txn);
    txn_session_close(session);
}

static void a_sequence_never_gives_a_value_twice(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    int64_t value, last;

    ok(sequence_create(txn, HOME, 300, 1));
    assert_int_equal(next(txn, 300), 1);
    assert_int_equal(next(txn, 300), 2);
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(next(txn, 300), 3);
    txn_rollback(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    last = next(txn, 300);
    assert_int_equal(last, 4);
    commit(txn);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_true(next(txn, 300) > last);
    ok(sequence_set(txn, HOME, 300, 99, true));
    assert_int_equal(next(txn, 300), 100);
    assert_false(sequence_next(txn, HOME, 300, &counting, STR("s"), &value));
    assert_true(str_equal(error_fields()->message,
                          STR("nextval: reached maximum value of sequence \"s\" (100)")));
    error_clear();
    ok(sequence_drop(txn, HOME, 300));
    commit(txn);
    txn_session_close(session);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_committed_survives_and_nothing_else),
        TEST(a_transaction_of_many_fragments_is_recovered_whole),
        TEST(what_was_built_in_bulk_is_there_after_a_crash),
        TEST(rows_appended_to_a_table_are_seen_when_committed_and_after_a_crash),
        TEST(appended_rows_are_taken_back_with_their_savepoint),
        TEST(a_drop_cut_short_is_gone_on_with),
        TEST(rollback_undoes_trees_and_layouts),
        TEST(a_clone_has_its_templates_rows_and_goes_its_own_way),
        TEST(a_copied_database_counts_on_from_where_its_template_stands),
        TEST(a_sequence_never_gives_a_value_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
