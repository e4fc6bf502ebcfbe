/* What an old reader costs: versions, their limit, who is refused beyond it, what commits promise.
 */
#include "txn_fixture.h"

#include "base/memory_reserve.h"
#include "storage/faults.h"
#include "txn/txn_internal.h"

#define OLD_ROWS 40
#define VERSION_LIMIT 100000u

/* Changes each row `rounds` times, each time in a transaction of its own. */
static void change_rows_to(Fixture *fixture, const int64_t *rows, uint32_t count, uint32_t rounds,
                           int64_t number)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);

    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < count; i++) {
            Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
            TxnTree *table = open_tree(txn, TABLE);
            ok(txn_update(txn, table, rows[i], row_image(fixture->arena, number, "changed")));
            txn_tree_close(table);
            commit(txn);
        }
    }
    txn_session_close(session);
}

static void change_rows(Fixture *fixture, const int64_t *rows, uint32_t count, uint32_t rounds)
{
    change_rows_to(fixture, rows, count, rounds, 1);
}

/* An old version is its image and little more, the names that it is freed by included. */
static void many_rows_changed_at_once_cost_their_images(void **state)
{
    enum { ROWS = 5000 };
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);
    int64_t rows[ROWS], count;

    Txn *writer = begin(a, ISOLATION_READ_COMMITTED);
    for (uint32_t i = 0; i < ROWS; i++)
        rows[i] = insert(writer, i, fixture_text);
    commit(writer);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    writer = begin(a, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(writer, TABLE);
    for (uint32_t i = 0; i < ROWS; i++)
        ok(txn_update(writer, table, rows[i], row_image(fixture->arena, 1, "changed")));
    txn_tree_close(table);
    const uint64_t before = txn_version_bytes(fixture->manager);
    commit(writer);
    const uint64_t each = (txn_version_bytes(fixture->manager) - before) / ROWS;
    assert_in_range(each, strlen(fixture_text), strlen(fixture_text) + 75);
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), &count),
                     (int64_t)ROWS * (ROWS - 1) / 2);
    assert_int_equal(count, ROWS);
    txn_rollback(reader);
    change_rows(fixture, rows, 1, 100);
    assert_true(txn_version_bytes(fixture->manager) < 100000);
    txn_session_close(a);
    txn_session_close(b);
}

static size_t promised_at_apply;

static void note_promise(void)
{
    promised_at_apply = reserve_promised();
}

/* From here on nothing may fail: what old versions take has been made sure of. */
static void commit_promised(Fixture *fixture, Txn *txn, uint64_t least)
{
    const uint64_t before = txn_version_bytes(fixture->manager);

    promised_at_apply = 0;
    fault_at_apply = note_promise;
    commit(txn);
    fault_at_apply = NULL;
    const uint64_t taken = txn_version_bytes(fixture->manager) - before;
    assert_in_range(taken, least, SIZE_MAX);
    assert_in_range(promised_at_apply, taken, SIZE_MAX);
}

static void a_commit_is_promised_what_its_large_old_rows_take(void **state)
{
    enum { ROWS = 5, SIZE = 300000 };
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1),
               *other = txn_session_open(fixture->manager, 2);
    int64_t rows[2 * ROWS], number;
    char *text = calloc(1, SIZE + 1);

    memset(text, 'x', SIZE);
    Txn *writer = begin(session, ISOLATION_READ_COMMITTED);
    for (uint32_t i = 0; i < ARRAY_LENGTH(rows); i++)
        rows[i] = insert(writer, i, text);
    commit(writer);
    Txn *reader = begin(other, ISOLATION_REPEATABLE_READ);
    writer = begin(session, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(writer, TABLE);
    for (uint32_t i = 0; i < ROWS; i++) {
        assert_int_equal(lock_row(writer, rows[i], ROW_LOCK_UPDATE, LOCK_WAIT, &number),
                         ROW_LOCK_LOCKED);
        ok(txn_update(writer, table, rows[i], row_image(fixture->arena, i, "short")));
    }
    commit_promised(fixture, writer, ROWS * SIZE);
    writer = begin(session, ISOLATION_READ_COMMITTED);
    for (uint32_t i = ROWS; i < 2 * ROWS; i++)
        ok(txn_delete(writer, table, rows[i]));
    commit_promised(fixture, writer, ROWS * SIZE);
    txn_tree_close(table);
    txn_rollback(reader);
    txn_session_close(session);
    txn_session_close(other);
    free(text);
}

/* A table of very many indexes: an entry of the last of them has a version, as that of an index of
 * which nothing is known has. */
static void a_commit_is_promised_what_the_entries_of_its_leaves_take(void **state)
{
    Fixture *fixture = *state;

    fixture_limit_write_sets(fixture, 30000);
    TxnSession *session = txn_session_open(fixture->manager, 1),
               *other = txn_session_open(fixture->manager, 2);
    Txn *reader = begin(other, ISOLATION_REPEATABLE_READ);
    Txn *writer = begin(session, ISOLATION_READ_COMMITTED);
    for (int64_t i = 0; i < 3000; i++)
        insert(writer, i, fixture_text);
    assert_true(is_built(writer, INDEX));
    TxnTree *index = open_tree(writer, INDEX);
    atomic_store(&index->table, 0);
    commit_promised(fixture, writer, 3000 * sizeof(uint64_t));
    txn_tree_close(index);
    txn_rollback(reader);
    txn_session_close(session);
    txn_session_close(other);
}

/* Rows of 1000 that are about to be changed, and how much their versions may take. */
static void insert_old_rows(Fixture *fixture, TxnSession *session, int64_t rows[OLD_ROWS],
                            uint64_t limit_bytes)
{
    Txn *writer = begin(session, ISOLATION_READ_COMMITTED);

    for (uint32_t i = 0; i < OLD_ROWS; i++)
        rows[i] = insert(writer, 1000, "first");
    commit(writer);
    txn_set_version_limits(fixture->manager, limit_bytes, 0);
}

static void rows_changed_again_and_again_keep_one_old_version(void **state)
{
    Fixture *fixture = *state;
    int64_t rows[OLD_ROWS], count;

    TxnSession *session = txn_session_open(fixture->manager, 2);
    insert_old_rows(fixture, session, rows, VERSION_LIMIT);
    Txn *reader = begin(session, ISOLATION_REPEATABLE_READ);
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), &count), 1000 * OLD_ROWS);
    change_rows(fixture, rows, OLD_ROWS, 200);
    /* 8,000 versions and their names would be ten times the limit. */
    assert_in_range(txn_version_bytes(fixture->manager), 1, VERSION_LIMIT / 2);
    ok(txn_statement_begin(reader));
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), &count), 1000 * OLD_ROWS);
    txn_rollback(reader);
    txn_session_close(session);
    change_rows(fixture, rows, OLD_ROWS, 5);
    assert_in_range(txn_version_bytes(fixture->manager), 0, 20000);
}

/* Each leaves a name in a piece of memory of its own, until somebody looks at it once more. */
static void names_of_many_small_commits_are_put_together(void **state)
{
    enum { ROWS = 60000, ALONE = sizeof(Garbage) + sizeof(VersionName) };
    Fixture *fixture = *state;
    int64_t *rows = ARENA_ARRAY(fixture->arena, int64_t, ROWS), count;
    TxnSession *a = txn_session_open(fixture->manager, 2),
               *b = txn_session_open(fixture->manager, 3);

    Txn *writer = begin(a, ISOLATION_READ_COMMITTED);
    for (uint32_t i = 0; i < ROWS; i++)
        rows[i] = insert(writer, i, "first");
    commit(writer);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    change_rows(fixture, rows, ROWS, 1);
    change_rows(fixture, rows, ROWS / 10, 2);
    assert_in_range(atomic_load(&fixture->manager->garbage_bytes), 1, ROWS * ALONE / 2);
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), &count),
                     (int64_t)ROWS * (ROWS - 1) / 2);
    assert_int_equal(count, ROWS);
    txn_rollback(reader);
    change_rows(fixture, rows, OLD_ROWS, 100);
    assert_in_range(txn_version_bytes(fixture->manager), 0, 20000);
    txn_session_close(a);
    txn_session_close(b);
}

/* Collectors leave idle sessions out, until they read again; they count from then on. */
static void who_reads_after_a_long_rest_is_counted_again(void **state)
{
    enum { SESSIONS = 20 };
    Fixture *fixture = *state;
    TxnSession *sessions[SESSIONS];
    int64_t rows[OLD_ROWS], count;

    for (uint32_t i = 0; i < SESSIONS; i++) {
        sessions[i] = txn_session_open(fixture->manager, 2 + (int32_t)i);
        txn_rollback(begin(sessions[i], ISOLATION_READ_COMMITTED));
        assert_true(atomic_load(&sessions[i]->is_reader));
    }
    insert_old_rows(fixture, sessions[0], rows, VERSION_LIMIT);
    change_rows_to(fixture, rows, OLD_ROWS, 100, 1000);
    for (uint32_t i = 0; i < SESSIONS; i++)
        assert_false(atomic_load(&sessions[i]->is_reader));
    for (uint32_t i = 0; i < SESSIONS; i += 3) {
        Txn *reader = begin(sessions[i], ISOLATION_REPEATABLE_READ);
        change_rows_to(fixture, rows, OLD_ROWS, 1 + i % 2 * 60, (int64_t)i);
        assert_int_equal(scan_sum(reader, txn_snapshot(reader), &count), 1000 * OLD_ROWS);
        txn_rollback(reader);
        change_rows_to(fixture, rows, OLD_ROWS, 1, 1000);
    }
    for (uint32_t i = 0; i < SESSIONS; i++)
        txn_session_close(sessions[(i * 7) % SESSIONS]);
}

static void beyond_the_limit_the_oldest_reader_is_refused(void **state)
{
    Fixture *fixture = *state;
    int64_t rows[OLD_ROWS];

    TxnSession *session = txn_session_open(fixture->manager, 2);
    insert_old_rows(fixture, session, rows, 500);
    Txn *reader = begin(session, ISOLATION_REPEATABLE_READ);
    assert_int_equal(fetch_number(reader, txn_snapshot(reader), rows[0]), 1000);
    TxnTree *table = open_tree(reader, TABLE);
    TableScan *scan =
        table_scan_open(reader, txn_snapshot(reader), table, &(TableScanSpec){0}, fixture->arena);
    change_rows(fixture, rows, OLD_ROWS, 3);
    assert_int_equal(table_scan_next(scan), SCAN_FAILED);
    assert_int_equal(error_fields()->sqlstate, ERR_SNAPSHOT_TOO_OLD);
    error_clear();
    assert_false(txn_statement_begin(reader));
    assert_int_equal(error_fields()->sqlstate, ERR_SNAPSHOT_TOO_OLD);
    error_clear();
    table_scan_close(scan);
    txn_tree_close(table);
    txn_rollback(reader);
    txn_session_close(session);
}

/* Its versions are freed while it rests; a later snapshot of the same session is as good as any. */
static void a_reader_at_rest_keeps_nothing_beyond_the_limit(void **state)
{
    Fixture *fixture = *state;
    int64_t rows[OLD_ROWS];

    TxnSession *session = txn_session_open(fixture->manager, 2);
    insert_old_rows(fixture, session, rows, 500);
    Txn *reader = begin(session, ISOLATION_REPEATABLE_READ);
    assert_int_equal(fetch_number(reader, txn_snapshot(reader), rows[0]), 1000);
    txn_session_rest(session);
    change_rows(fixture, rows, OLD_ROWS, 20);
    assert_in_range(txn_version_bytes(fixture->manager), 0, 20000);
    txn_session_wake(session);
    assert_false(txn_statement_begin(reader));
    assert_int_equal(error_fields()->sqlstate, ERR_SNAPSHOT_TOO_OLD);
    error_clear();
    txn_rollback(reader);
    reader = begin(session, ISOLATION_REPEATABLE_READ);
    ok(txn_statement_begin(reader));
    txn_session_rest(session);
    txn_session_wake(session);
    ok(txn_statement_begin(reader));
    txn_rollback(reader);
    txn_session_close(session);
}

/* Begins a transaction that reads by commit, with a pin as an open portal has it, and has the pin
 * given up while the session rests. */
static Txn *begin_given_up(Fixture *fixture, TxnSession *session, const int64_t *rows,
                           Snapshot *ret_pin)
{
    Txn *reader = begin(session, ISOLATION_READ_COMMITTED);

    ok(txn_statement_begin(reader));
    *ret_pin = *txn_snapshot(reader);
    txn_snapshot_pin(reader, ret_pin);
    txn_statement_end(reader);
    txn_session_rest(session);
    change_rows(fixture, rows, OLD_ROWS, 20);
    assert_in_range(txn_version_bytes(fixture->manager), 0, 20000);
    return reader;
}

static void expect_too_old(bool is_read)
{
    assert_false(is_read);
    assert_int_equal(error_fields()->sqlstate, ERR_SNAPSHOT_TOO_OLD);
    error_clear();
}

/* What is read now is the newest, and stays while it is being read. */
static void expect_newest(Fixture *fixture, Txn *reader, const int64_t *rows)
{
    txn_set_version_limits(fixture->manager, UINT64_C(1) << 30, 0);
    change_rows_to(fixture, rows, OLD_ROWS, 1, 2);
    ok(txn_statement_begin(reader));
    assert_int_equal(fetch_number(reader, txn_snapshot(reader), rows[0]), 2);
    change_rows(fixture, rows, OLD_ROWS, 20);
    assert_int_equal(fetch_number(reader, txn_snapshot(reader), rows[0]), 2);
    txn_statement_end(reader);
    txn_set_version_limits(fixture->manager, 500, 0);
}

static void what_was_given_up_is_forgotten_with_its_last_pin(void **state)
{
    Fixture *fixture = *state;
    int64_t rows[OLD_ROWS];
    Snapshot pin;

    TxnSession *session = txn_session_open(fixture->manager, 2);
    insert_old_rows(fixture, session, rows, 500);
    Txn *reader = begin_given_up(fixture, session, rows, &pin);
    txn_session_wake(session);
    expect_too_old(txn_statement_begin(reader));
    txn_snapshot_unpin(reader, &pin);
    expect_newest(fixture, reader, rows);
    txn_session_rest(session);
    txn_session_wake(session);
    expect_newest(fixture, reader, rows);
    txn_rollback(reader);
    reader = begin(session, ISOLATION_READ_COMMITTED);
    expect_newest(fixture, reader, rows);
    txn_rollback(reader);
    txn_session_close(session);
}

/* The oldest of several pins is closed: what the next one kept has gone with it. */
static void all_that_was_held_at_rest_is_given_up_at_once(void **state)
{
    Fixture *fixture = *state;
    int64_t rows[OLD_ROWS];
    uint16_t column = 0;
    Snapshot older, newer;
    Value value;
    bool is_null;

    TxnSession *session = txn_session_open(fixture->manager, 2);
    insert_old_rows(fixture, session, rows, UINT64_C(1) << 30);
    Txn *reader = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_statement_begin(reader));
    older = *txn_snapshot(reader);
    txn_snapshot_pin(reader, &older);
    txn_statement_end(reader);
    change_rows(fixture, rows, 1, 1);
    ok(txn_statement_begin(reader));
    newer = *txn_snapshot(reader);
    txn_snapshot_pin(reader, &newer);
    txn_statement_end(reader);
    txn_session_rest(session);
    txn_set_version_limits(fixture->manager, 500, 0);
    change_rows(fixture, rows, OLD_ROWS, 20);
    txn_session_wake(session);
    txn_snapshot_unpin(reader, &older);
    TxnTree *table = open_tree(reader, TABLE);
    expect_too_old(txn_fetch(reader, &newer, table, rows[0], &column, 1, &value, &is_null,
                             fixture->arena) != FETCH_FAILED);
    txn_tree_close(table);
    txn_snapshot_unpin(reader, &newer);
    expect_newest(fixture, reader, rows);
    txn_rollback(reader);
    txn_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_changed_again_and_again_keep_one_old_version),
        TEST(names_of_many_small_commits_are_put_together),
        TEST(who_reads_after_a_long_rest_is_counted_again),
        TEST(beyond_the_limit_the_oldest_reader_is_refused),
        TEST(a_reader_at_rest_keeps_nothing_beyond_the_limit),
        TEST(what_was_given_up_is_forgotten_with_its_last_pin),
        TEST(all_that_was_held_at_rest_is_given_up_at_once),
        TEST(many_rows_changed_at_once_cost_their_images),
        TEST(a_commit_is_promised_what_its_large_old_rows_take),
        TEST(a_commit_is_promised_what_the_entries_of_its_leaves_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
