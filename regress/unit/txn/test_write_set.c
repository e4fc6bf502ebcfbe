/* The write set from within: how far it is looked through, and what a failing commit takes back. */
#include "storage/tree_cursor.h"
#include "txn/txn_internal.h"
#include "txn/write_built.h"
#include "txn_fixture.h"

#define ENTRIES 3000

static void insert_many(Txn *txn)
{
    for (int64_t number = 0; number < ENTRIES; number++)
        insert(txn, number, "a row of some length, so that it is worth spilling");
}

/* What a look-up of `key` among one's own entries costs when all of them were taken back. */
static void check_look(Fixture *fixture, Txn *txn, Str key)
{
    TxnTree *index = open_tree(txn, INDEX);
    TreeWrites *writes = writes_find(txn, index);
    Arena *arena = arena_new("look");
    WriteCursor cursor;

    assert_non_null(writes);
    write_cursor_init(&cursor, txn, writes, UINT32_MAX, arena);
    cursor.prefix = key;
    ok(write_cursor_seek(&cursor, 0, key));
    assert_false(cursor.valid);
    /* It stands right behind the key, not behind all that has been taken back. */
    if (!writes->spill)
        assert_true(str_compare(cursor.node->key, number_key(fixture->arena, 12)) < 0);
    /* Of built leaves it has been taken out. */
    assert_false(cursor.spilled && tree_cursor_valid(cursor.spilled));
    assert_false(cursor.built && built_cursor_valid(cursor.built));
    write_cursor_deinit(&cursor);
    arena_free(arena);
    txn_tree_close(index);
}

static void check_taken_back(Fixture *fixture)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnSavepoint savepoint;
    WriteSeen seen;

    ok(txn_savepoint(txn, &savepoint));
    insert_many(txn);
    txn_rollback_to(txn, savepoint);
    check_look(fixture, txn, number_key(fixture->arena, 10));
    TxnTree *table = open_tree(txn, TABLE);
    ok(writes_look(txn, table, 10, STR_NONE, UINT32_MAX, NULL, &seen));
    assert_false(seen.found);
    txn_tree_close(table);
    txn_rollback(txn);
    txn_session_close(session);
}

static void a_look_does_not_pass_all_that_was_taken_back(void **state)
{
    Fixture *fixture = *state;

    check_taken_back(fixture);
    fixture_limit_write_sets(fixture, 20000);
    check_taken_back(fixture);
}

/* The keys of many entries that nobody is to see lie nowhere at once. */
static void passing_what_is_not_seen_takes_no_memory(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 20000);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    Arena *arena = arena_new("cursor");
    WriteCursor cursor;

    insert_many(txn);
    TxnTree *index = open_tree(txn, INDEX);
    const size_t before = arena_size(arena);
    write_cursor_init(&cursor, txn, writes_find(txn, index), txn_snapshot(txn)->command, arena);
    ok(write_cursor_seek(&cursor, 0, STR("")));
    assert_false(cursor.valid);
    assert_true(arena_size(arena) - before < 16u << 10);
    write_cursor_deinit(&cursor);
    arena_free(arena);
    txn_tree_close(index);
    txn_rollback(txn);
    txn_session_close(session);
}

/* -------- A commit that fails after writes have been forgotten -------- */

static bool refuse(void *context, Txn *txn)
{
    (void)context;
    (void)txn;
    FAIL(ERR_INTERNAL_ERROR, .message = STR("refused"));
}

static void what_was_forgotten_is_not_rolled_back_again(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    int64_t count;

    for (int spills = 0; spills < 2; spills++) {
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        TxnTree *table = open_tree(txn, TABLE);
        insert_many(txn);
        txn_forget_writes(txn, table);
        txn_before_commit(txn, refuse, NULL);
        assert_false(txn_commit(txn));
        error_clear();
        txn_tree_close(table);
        txn = begin(session, ISOLATION_READ_COMMITTED);
        assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), 0);
        assert_int_equal(count, 0);
        txn_rollback(txn);
        txn_session_close(session);
        fixture_limit_write_sets(fixture, 20000);
        session = txn_session_open(fixture->manager, 1);
    }
    txn_session_close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_look_does_not_pass_all_that_was_taken_back, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(passing_what_is_not_seen_takes_no_memory, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_was_forgotten_is_not_rolled_back_again, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
