/* The write set from within: how far it is looked through, and what a failing commit takes back. */
#include "storage/tree_cursor.h"
#include "storage/tree_internal.h"
#include "storage/tree_ready.h"
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

/* -------- What is not asked twice -------- */

static struct Asked {
    uint32_t firsts; /* for the first key from some on */
    uint32_t pairs;  /* for a pair */
    uint32_t leaves_to_write, leaves_of_commit;
} asked;

TreeFound __real_tree_index_first(Tree *tree, Str from, char *buffer, Str *ret_key,
                                  bool *ret_ghost);
TreeFound __wrap_tree_index_first(Tree *tree, Str from, char *buffer, Str *ret_key,
                                  bool *ret_ghost);
TreeFound __real_tree_kv_get(Tree *tree, Str key, Arena *arena, Str *ret_value);
TreeFound __wrap_tree_kv_get(Tree *tree, Str key, Arena *arena, Str *ret_value);
bool __real_tree_leaf_write(Tree *tree, Str key, uint32_t pages, Action *action, Page *page);
bool __wrap_tree_leaf_write(Tree *tree, Str key, uint32_t pages, Action *action, Page *page);
bool __real_tree_ready_key(Tree *tree, Str key, TreeReady *ready);
bool __wrap_tree_ready_key(Tree *tree, Str key, TreeReady *ready);

TreeFound __wrap_tree_index_first(Tree *tree, Str from, char *buffer, Str *ret_key, bool *ret_ghost)
{
    asked.firsts++;
    return __real_tree_index_first(tree, from, buffer, ret_key, ret_ghost);
}

TreeFound __wrap_tree_kv_get(Tree *tree, Str key, Arena *arena, Str *ret_value)
{
    asked.pairs++;
    return __real_tree_kv_get(tree, key, arena, ret_value);
}

bool __wrap_tree_leaf_write(Tree *tree, Str key, uint32_t pages, Action *action, Page *page)
{
    asked.leaves_to_write++;
    return __real_tree_leaf_write(tree, key, pages, action, page);
}

bool __wrap_tree_ready_key(Tree *tree, Str key, TreeReady *ready)
{
    asked.leaves_of_commit++;
    return __real_tree_ready_key(tree, key, ready);
}

/* Rows that are there, each with its number as its row id. */
static void commit_many(TxnSession *session)
{
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);

    for (int64_t number = 1; number <= ENTRIES; number++)
        assert_int_equal(insert(txn, number, fixture_text), number);
    commit(txn);
}

/* Changes the row, takes its entry away. */
static void change(Fixture *fixture, Txn *txn, int64_t number)
{
    TxnTree *table = open_tree(txn, TABLE), *index = open_tree(txn, INDEX);

    ok(txn_update(txn, table, number, row_image(fixture->arena, number, "changed")));
    ok(txn_index_delete(txn, index, number_key(fixture->arena, number), number));
    txn_tree_close(table);
    txn_tree_close(index);
}

static void change_from_to(Fixture *fixture, Txn *txn, int64_t first, int64_t last)
{
    for (int64_t number = first; number <= last; number++)
        change(fixture, txn, number);
}

/* Is the row among one's own, and its entry? Counts what was asked for that. */
static bool is_own(Fixture *fixture, Txn *txn, int64_t number)
{
    TxnTree *table = open_tree(txn, TABLE), *index = open_tree(txn, INDEX);
    const Str key = number_key(fixture->arena, number); /* the beginning of the entry */
    char buffer[TREE_MAX_KEY];
    WriteSeen row, entry;
    bool may_have;
    Str whole;

    asked = (struct Asked){0};
    ok(index_entry(key, number, buffer, &whole));
    ok(writes_look(txn, table, (uint64_t)number, STR_NONE, UINT32_MAX, NULL, &row));
    ok(writes_look(txn, index, (uint64_t)number, whole, UINT32_MAX, NULL, &entry));
    ok(writes_may_have(writes_find(txn, index), key, &may_have));
    assert_int_equal(row.found, entry.found);
    assert_true(may_have || !entry.found);
    txn_tree_close(table);
    txn_tree_close(index);
    return row.found;
}

static bool has_spilled_pairs(Txn *txn, TreeId id)
{
    TxnTree *tree = open_tree(txn, id);
    const TreeWrites *writes = writes_find(txn, tree);
    const bool has = writes->spill && writes->spill->has_pairs;

    txn_tree_close(tree);
    return has;
}

/* Of changed rows in the middle of the table, then of some on both sides. */
static void a_spilled_part_is_asked_between_its_ends_only(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 20000);
    TxnSession *session = txn_session_open(fixture->manager, 1);

    commit_many(session);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    change_from_to(fixture, txn, 1000, 1999);
    assert_true(has_spilled_pairs(txn, TABLE) && has_spilled_pairs(txn, INDEX));
    for (int64_t number = 1000; number <= 1999; number++)
        assert_true(is_own(fixture, txn, number));
    assert_true(is_own(fixture, txn, 1500) && asked.firsts > 0);
    for (int64_t number = 900; number < 1000; number++)
        assert_true(!is_own(fixture, txn, number) && asked.firsts == 0);
    for (int64_t number = 2000; number < 2100; number++)
        assert_true(!is_own(fixture, txn, number) && asked.firsts == 0);
    change_from_to(fixture, txn, 2500, 2999);
    change_from_to(fixture, txn, 100, 599);
    change_from_to(fixture, txn, 1200, 1699); /* again: the least and the greatest are far away */
    for (int64_t number = 1; number <= ENTRIES; number++) {
        const bool is_between = number >= 100 && number <= 2999;
        const bool is_changed =
            is_between && (number < 600 || number >= 1000) && (number < 2000 || number >= 2500);
        assert_int_equal(is_own(fixture, txn, number), is_changed);
        assert_true(is_between || asked.firsts == 0);
    }
    txn_rollback(txn);
    txn_session_close(session);
}

/* Changes in the order of the keys: what goes to, or lies in, one leaf costs one descent. */
static void neighbours_are_spilled_and_read_together(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 20000);
    TxnSession *session = txn_session_open(fixture->manager, 1);

    commit_many(session);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    asked = (struct Asked){0};
    change_from_to(fixture, txn, 1, ENTRIES);
    assert_true(has_spilled_pairs(txn, TABLE) && has_spilled_pairs(txn, INDEX));
    assert_true(asked.leaves_to_write > 0 && asked.leaves_to_write < ENTRIES / 8);
    assert_int_equal(asked.pairs, 0); /* each key is new to what was spilled before */
    assert_true(asked.leaves_of_commit > 0 && asked.leaves_of_commit < ENTRIES / 8);
    commit(txn);
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
        cmocka_unit_test_setup_teardown(a_spilled_part_is_asked_between_its_ends_only,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(neighbours_are_spilled_and_read_together, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
