/* A snapshot lent to other transactions: what they see, how long it is there, whose versions it
 * keeps. */
#include "txn_fixture.h"

#include "base/error.h"
#include "txn/export.h"

enum { ROWS = 20, ROUNDS = 30 };

static Txn *begin_unread(TxnSession *session, IsolationLevel isolation)
{
    Txn *txn = txn_begin(session, &(TxnOptions){.isolation = isolation});
    assert_non_null(txn);
    return txn;
}

static void import_fails(Txn *txn, DatabaseId database, Str name, SqlState state)
{
    assert_false(txn_snapshot_import(txn, database, name));
    assert_int_equal(error_fields()->sqlstate, state);
    error_clear();
    txn_rollback(txn);
}

/* Each row anew, again and again, so that what is old is freed unless somebody holds it. */
static void change_all(Fixture *fixture, TxnSession *session, const int64_t *rows)
{
    for (int i = 0; i < ROUNDS * ROWS; i++) {
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        TxnTree *table = open_tree(txn, TABLE);
        ok(txn_update(txn, table, rows[i % ROWS], row_image(fixture->arena, 7, "changed")));
        txn_tree_close(table);
        commit(txn);
    }
}

static void sees_the_old(Txn *txn, const int64_t *rows)
{
    ok(txn_statement_begin(txn));
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(fetch_number(txn, txn_snapshot(txn), rows[i]), 1000);
}

static void insert_all(TxnSession *session, int64_t rows[ROWS])
{
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);

    for (int i = 0; i < ROWS; i++)
        rows[i] = insert(txn, 1000, "first");
    commit(txn);
}

static void who_imports_sees_what_was_exported(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2),
               *c = txn_session_open(fixture->manager, 3);
    int64_t rows[ROWS];
    Str name, second;

    insert_all(a, rows);
    /* Of a statement under READ COMMITTED: it is kept beyond it. */
    Txn *lender = begin(a, ISOLATION_READ_COMMITTED);
    ok(txn_snapshot_export(lender, HOME, &name));
    ok(txn_snapshot_export(lender, HOME, &second));
    assert_false(str_equal(name, second));
    txn_statement_end(lender);
    change_all(fixture, c, rows);
    Txn *borrower = begin_unread(b, ISOLATION_REPEATABLE_READ);
    ok(txn_snapshot_import(borrower, HOME, name));
    sees_the_old(borrower, rows);
    ok(txn_statement_begin(lender));
    assert_int_equal(fetch_number(lender, txn_snapshot(lender), rows[0]), 7);
    name = str_copy(fixture->arena, name);
    commit(lender);
    /* It holds it by itself, and can lend it in its turn. */
    change_all(fixture, c, rows);
    sees_the_old(borrower, rows);
    import_fails(begin_unread(a, ISOLATION_REPEATABLE_READ), HOME, name,
                 ERR_INVALID_PARAMETER_VALUE);
    ok(txn_snapshot_export(borrower, HOME, &name));
    lender = begin_unread(a, ISOLATION_REPEATABLE_READ);
    ok(txn_snapshot_import(lender, HOME, name));
    txn_rollback(borrower);
    change_all(fixture, c, rows);
    sees_the_old(lender, rows);
    txn_rollback(lender);
    txn_session_close(a);
    txn_session_close(b);
    txn_session_close(c);
}

static void not_everybody_may_import(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);
    Str name;

    Txn *lender = begin(a, ISOLATION_REPEATABLE_READ);
    ok(txn_snapshot_export(lender, HOME, &name));
    import_fails(begin_unread(b, ISOLATION_READ_COMMITTED), HOME, name, ERR_FEATURE_NOT_SUPPORTED);
    import_fails(begin_unread(b, ISOLATION_REPEATABLE_READ), HOME + 1, name,
                 ERR_FEATURE_NOT_SUPPORTED);
    import_fails(begin_unread(b, ISOLATION_REPEATABLE_READ), HOME, STR("00000001-00000001-9"),
                 ERR_INVALID_PARAMETER_VALUE);
    txn_rollback(lender);
    txn_session_close(a);
    txn_session_close(b);
}

static void what_was_given_up_is_not_lent(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2),
               *c = txn_session_open(fixture->manager, 3);
    int64_t rows[ROWS];
    Str name;

    insert_all(a, rows);
    txn_set_version_limits(fixture->manager, 100, 0);
    Txn *lender = begin(a, ISOLATION_REPEATABLE_READ);
    ok(txn_snapshot_export(lender, HOME, &name));
    txn_session_rest(a);
    change_all(fixture, c, rows);
    import_fails(begin_unread(b, ISOLATION_REPEATABLE_READ), HOME, name, ERR_SNAPSHOT_TOO_OLD);
    txn_session_wake(a);
    txn_rollback(lender);
    txn_session_close(a);
    txn_session_close(b);
    txn_session_close(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_imports_sees_what_was_exported),
        TEST(not_everybody_may_import),
        TEST(what_was_given_up_is_not_lent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
