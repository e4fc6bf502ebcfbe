/* Entries and versions that nobody sees any more go: from leaves that nothing is inserted into,
 * without a command, without a commit. */
#include "txn_fixture.h"

#include "storage/checkpoint.h"
#include "storage/faults.h"
#include "txn/index.h"
#include "txn/txn_internal.h"

#define ENTRIES 20000
#define FEW 16        /* may stay on a leaf */
#define A_LEAF 1000   /* and are on it at most */
#define PATIENCE 1000 /* looks, */
#define LOOK_US 10000 /* one after the other */

static TreeStats index_stats(Fixture *fixture)
{
    TreeStats stats;
    Tree *tree = tree_open(store_database(fixture->store, HOME), INDEX);
    ok(tree != NULL);
    ok(tree_stats(tree, &stats));
    return stats;
}

static TreeReport index_report(Fixture *fixture)
{
    TreeReport report;

    purger_stop(fixture->manager); /* nobody may write meanwhile */
    ok(tree_check(tree_open(store_database(fixture->store, HOME), INDEX), NULL, NULL, &report));
    purger_start(fixture->manager);
    return report;
}

/* The purger comes when it likes. */
static void wait_for_pages(Fixture *fixture, uint64_t most)
{
    for (int i = 0; i < PATIENCE && index_stats(fixture).page_count > most; i++)
        ok(task_sleep(LOOK_US, WAIT_EVENT_TXN_APPLY));
    if (index_stats(fixture).page_count <= most)
        return;
    const TreeReport report = index_report(fixture);
    print_error("%llu pages are counted; %llu leaves, %llu ghosts, %llu entries\n",
                (unsigned long long)index_stats(fixture).page_count,
                (unsigned long long)report.leaf_pages, (unsigned long long)report.ghosts,
                (unsigned long long)report.rows);
    fail();
}

static void add_entries(TxnSession *session)
{
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    for (int64_t i = 1; i <= ENTRIES; i++)
        assert_int_equal(insert(txn, i, NULL), i);
    commit(txn);
}

/* Every `step`-th entry from `first` on, with its row, `each` in a transaction. */
static void delete_entries(Fixture *fixture, TxnSession *session, int64_t first, int64_t step,
                           int64_t each)
{
    for (int64_t from = first; from <= ENTRIES; from += step * each) {
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        TxnTree *table = open_tree(txn, TABLE), *index = open_tree(txn, INDEX);
        Arena *arena = arena_new("keys");
        for (int64_t i = from; i <= ENTRIES && i < from + step * each; i += step) {
            ok(txn_delete(txn, table, i));
            ok(txn_index_delete(txn, index, number_key(arena, i), i));
        }
        arena_free(arena);
        txn_tree_close(table);
        txn_tree_close(index);
        commit(txn);
    }
}

static uint32_t count_entries(Fixture *fixture, Txn *txn)
{
    TxnTree *index = open_tree(txn, INDEX);
    Arena *arena = arena_new("scan");
    IndexScan *scan =
        index_scan_open(txn, txn_snapshot(txn), index, &(IndexScanSpec){.high = STR_NONE}, arena);
    IndexEntry entry;
    ScanOutcome outcome;
    uint32_t count = 0;

    ok(scan != NULL);
    while ((outcome = index_scan_next(scan, &entry)) == SCAN_ROWS)
        count++;
    ok(outcome == SCAN_END);
    index_scan_close(scan);
    txn_tree_close(index);
    arena_free(arena);
    return count;
}

static void deleted(Fixture *fixture, int64_t each)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);

    add_entries(session);
    assert_in_range(index_stats(fixture).page_count, 10, UINT32_MAX);
    delete_entries(fixture, session, 1, 1, each);
    wait_for_pages(fixture, 2);
    assert_in_range(index_report(fixture).ghosts, 0,
                    A_LEAF); /* the last one may have its turn yet */
    txn_session_close(session);
}

static void entries_deleted_by_small_commits_go(void **state)
{
    deleted(*state, 50);
}

static void entries_deleted_by_one_commit_go(void **state)
{
    deleted(*state, ENTRIES);
}

static void purge_now(Txn *txn)
{
    TxnTree *index = open_tree(txn, INDEX);

    ok(txn_index_purge(index));
    txn_tree_close(index);
}

/* In the purger's own time, and when it is asked for. */
static void what_an_old_snapshot_sees_stays_as_long(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);

    add_entries(a);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    assert_int_equal(count_entries(fixture, reader), ENTRIES);
    delete_entries(fixture, a, 1, 1, 100);
    ok(task_sleep(30 * LOOK_US, WAIT_EVENT_TXN_APPLY));
    purge_now(reader);
    assert_int_equal(index_report(fixture).ghosts, ENTRIES);
    assert_int_equal(count_entries(fixture, reader), ENTRIES);
    txn_rollback(reader);
    txn_session_close(a);
    txn_session_close(b);
}

/* Nobody commits any more: what is left to do does not wait for that. */
static void what_it_has_kept_goes_when_it_ends(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);

    add_entries(a);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    assert_int_equal(count_entries(fixture, reader), ENTRIES);
    delete_entries(fixture, a, 1, 1, 100);
    txn_rollback(reader);
    wait_for_pages(fixture, 2);
    assert_in_range(index_report(fixture).ghosts, 0,
                    A_LEAF); /* the last one may have its turn yet */
    txn_session_close(a);
    txn_session_close(b);
}

/* Likewise without any index: more old rows than are freed at a turn. */
static void old_rows_go_when_nobody_commits(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);

    Txn *txn = begin(a, ISOLATION_READ_COMMITTED);
    for (int64_t i = 1; i <= ENTRIES; i++)
        insert(txn, i, "old");
    commit(txn);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    txn = begin(a, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(txn, TABLE);
    Arena *arena = arena_new("rows");
    for (int64_t i = 1; i <= ENTRIES; i++)
        ok(txn_update(txn, table, i, row_image(arena, i, "new")));
    arena_free(arena);
    txn_tree_close(table);
    commit(txn);
    assert_in_range(txn_version_bytes(fixture->manager), ENTRIES * 30, UINT32_MAX);
    txn_rollback(reader);
    for (int i = 0; i < PATIENCE && txn_version_bytes(fixture->manager) > 0; i++)
        ok(task_sleep(LOOK_US, WAIT_EVENT_TXN_APPLY));
    assert_int_equal(txn_version_bytes(fixture->manager), 0);
    txn_session_close(a);
    txn_session_close(b);
}

/* Leaves that are newer than a snapshot lose what is older than it. */
static void of_a_leaf_what_is_old_enough_goes(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);

    add_entries(a);
    const uint64_t pages = index_stats(fixture).page_count;
    for (int64_t first = 2; first <= 10; first++)
        delete_entries(fixture, a, first, 10, 50);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    assert_int_equal(count_entries(fixture, reader), ENTRIES / 10);
    delete_entries(fixture, a, 1, 20, 10);
    wait_for_pages(fixture, pages / 3);
    assert_in_range(index_report(fixture).ghosts, ENTRIES / 20, ENTRIES / 5); /* of 19 in 20 */
    assert_int_equal(count_entries(fixture, reader), ENTRIES / 10);
    txn_rollback(reader);
    txn_session_close(a);
    txn_session_close(b);
}

/* After it nobody remembers them. */
static void leave_ghosts_by_a_crash(Fixture *fixture)
{
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);

    add_entries(a);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    assert_int_equal(count_entries(fixture, reader), ENTRIES);
    delete_entries(fixture, a, 1, 1, 100);
    ok(checkpoint_request(fixture->store, CHECKPOINT_WAIT));
    txn_rollback(reader);
    txn_session_close(a);
    txn_session_close(b);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    assert_int_equal(index_report(fixture).ghosts, ENTRIES);
}

static void readers_tell_of_what_was_there_before_a_crash(void **state)
{
    Fixture *fixture = *state;

    leave_ghosts_by_a_crash(fixture);
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TreeReport report = {.ghosts = ENTRIES};
    for (int i = 0; i < PATIENCE / 20 && report.ghosts >= FEW; i++) {
        Txn *reader = begin(a, ISOLATION_REPEATABLE_READ);
        assert_int_equal(count_entries(fixture, reader), 0);
        txn_rollback(reader);
        ok(task_sleep(20 * LOOK_US, WAIT_EVENT_TXN_APPLY));
        report = index_report(fixture);
    }
    assert_in_range(report.ghosts, 0, FEW);
    assert_in_range(report.leaf_pages, 1, 2);
    txn_session_close(a);
}

/* VACUUM's way, which needs nobody to come by. */
static void what_was_there_before_a_crash_is_purged_when_asked_for(void **state)
{
    Fixture *fixture = *state;

    leave_ghosts_by_a_crash(fixture);
    TxnSession *a = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(a, ISOLATION_READ_COMMITTED);
    purge_now(txn);
    txn_rollback(txn);
    txn_session_close(a);
    const TreeReport report = index_report(fixture);
    assert_int_equal(report.ghosts, 0);
    assert_in_range(report.leaf_pages, 1, 2);
}

/* A look-up of what is no more ends at what is behind it. */
static void a_lookup_does_not_go_on_behind_its_key(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1),
               *b = txn_session_open(fixture->manager, 2);
    int64_t row_id;

    add_entries(a);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    assert_int_equal(count_entries(fixture, reader), ENTRIES);
    delete_entries(fixture, a, 1, 1, 100);
    Txn *txn = begin(a, ISOLATION_READ_COMMITTED);
    TxnTree *index = open_tree(txn, INDEX);
    /* One for each of all entries: with a walk to the index's end that is 200 million steps. */
    for (int64_t i = 1; i <= ENTRIES; i++) {
        assert_int_equal(
            txn_index_lookup(txn, txn_snapshot(txn), index, number_key(fixture->arena, i), &row_id),
            FETCH_NONE);
        assert_int_equal(txn_index_lookup(reader, txn_snapshot(reader), index,
                                          number_key(fixture->arena, i), &row_id),
                         FETCH_ROW);
        assert_int_equal(row_id, i);
    }
    txn_tree_close(index);
    txn_rollback(txn);
    txn_rollback(reader);
    txn_session_close(a);
    txn_session_close(b);
}

static struct {
    Fixture *fixture;
    _Atomic bool is_held, is_dropping;
    Tree *tree; /* the index, after a while */
} purge;

static void hold_purge(void)
{
    if (atomic_exchange(&purge.is_held, true))
        return;
    while (!atomic_load(&purge.is_dropping))
        ok(task_sleep(LOOK_US, WAIT_EVENT_TXN_APPLY));
    ok(task_sleep(10 * LOOK_US, WAIT_EVENT_TXN_APPLY));
    ok(tree_find(store_database(purge.fixture->store, HOME), INDEX, &purge.tree));
}

/* No leaf is freed under the purger's hands, and none is purged later. */
static void a_drop_waits_for_the_leaf_that_is_being_purged(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    uint64_t count;

    purge.fixture = fixture;
    purge.tree = NULL;
    atomic_store(&purge.is_held, false);
    atomic_store(&purge.is_dropping, false);
    add_entries(session);
    fault_at_purge = hold_purge;
    delete_entries(fixture, session, 1, 1, 100);
    for (int i = 0; i < PATIENCE && !atomic_load(&purge.is_held); i++)
        ok(task_sleep(LOOK_US, WAIT_EVENT_TXN_APPLY));
    assert_true(atomic_load(&purge.is_held));
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    ok(txn_tree_drop(txn, HOME, INDEX));
    atomic_store(&purge.is_dropping, true);
    commit(txn);
    assert_non_null(purge.tree);
    txn_session_close(session);
    purger_stop(fixture->manager);
    fault_at_purge = NULL;
    ok(tree_find(store_database(fixture->store, HOME), INDEX, &purge.tree));
    assert_null(purge.tree);
    ok(tree_unreached(store_database(fixture->store, HOME), NULL, NULL, &count));
    assert_int_equal(count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_deleted_by_small_commits_go),
        TEST(entries_deleted_by_one_commit_go),
        TEST(what_an_old_snapshot_sees_stays_as_long),
        TEST(what_it_has_kept_goes_when_it_ends),
        TEST(old_rows_go_when_nobody_commits),
        TEST(of_a_leaf_what_is_old_enough_goes),
        TEST(readers_tell_of_what_was_there_before_a_crash),
        TEST(what_was_there_before_a_crash_is_purged_when_asked_for),
        TEST(a_lookup_does_not_go_on_behind_its_key),
        TEST(a_drop_waits_for_the_leaf_that_is_being_purged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
