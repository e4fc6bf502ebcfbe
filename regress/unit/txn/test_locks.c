/* Locks: rows, keys, tables, advisory; waiting, deadlocks, and many threads at once. */
#include "txn_fixture.h"

typedef struct Second {
    Fixture *fixture;
    TxnSession *session;
    int64_t row;
    RowLockOutcome row_outcome;
    LockOutcome outcome;
    UniqueOutcome unique;
    SqlState sqlstate;
    Str key;
    int64_t number;
} Second;

static TxnSession *second_session(Fixture *fixture)
{
    return txn_session_open(fixture->manager, 2);
}

/* Until the session of that process waits for somebody. */
static void until_waiting(Fixture *fixture, int32_t process_id)
{
    for (int i = 0; i < 60000; i++) {
        ProcessIdVec blockers = {0};
        lock_blockers(fixture->manager, process_id, fixture->arena, &blockers);
        if (blockers.length > 0)
            return;
        usleep(1000);
    }
    fail_msg("process %d does not wait", process_id);
}

static void row_lock_modes_conflict_as_in_the_manual(void **state)
{
    Fixture *fixture = *state;
    static const bool conflicts[4][4] = {
        {false, false, false, true},
        {false, false, true, true},
        {false, true, true, true},
        {true, true, true, true},
    };
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *txn = begin(a, ISOLATION_READ_COMMITTED);
    int64_t row = insert(txn, 1, "one");
    commit(txn);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            Txn *one = begin(a, ISOLATION_READ_COMMITTED);
            Txn *two = begin(b, ISOLATION_READ_COMMITTED);
            assert_int_equal(lock_row(one, row, (RowLockMode)(i + 1), LOCK_TRY, NULL),
                             ROW_LOCK_LOCKED);
            assert_int_equal(lock_row(two, row, (RowLockMode)(j + 1), LOCK_TRY, NULL),
                             conflicts[i][j] ? ROW_LOCK_WOULD_BLOCK : ROW_LOCK_LOCKED);
            txn_rollback(one);
            txn_rollback(two);
        }
    }
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    assert_int_equal(lock_row(one, row, ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    assert_int_equal(lock_row(two, row, ROW_LOCK_SHARE, LOCK_NOWAIT, NULL), ROW_LOCK_FAILED);
    assert_string_equal(sqlstate_text(error_fields()->sqlstate).text, "55P03");
    assert_true(str_equal(error_fields()->message,
                          STR("could not obtain lock on row in relation \"accounts\"")));
    error_clear();
    txn_rollback(one);
    txn_rollback(two);
    txn_session_close(a);
    txn_session_close(b);
}

static void wait_for_row(void *argument)
{
    Second *second = argument;
    Txn *txn = txn_session_current(second->session);
    second->row_outcome =
        lock_row(txn, second->row, ROW_LOCK_NO_KEY_UPDATE, LOCK_WAIT, &second->number);
    if (second->row_outcome == ROW_LOCK_FAILED)
        second->sqlstate = error_fields()->sqlstate;
}

static void update_number(Txn *txn, int64_t row, int64_t number)
{
    Arena *arena = arena_new("update");
    TxnTree *table = open_tree(txn, TABLE);
    ok(number == INT64_MIN ? txn_delete(txn, table, row)
                           : txn_update(txn, table, row, row_image(arena, number, "new")));
    txn_tree_close(table);
    arena_free(arena);
}

static RowLockOutcome wait_while_changed(Fixture *fixture, IsolationLevel isolation, int64_t number,
                                         Second *second)
{
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    int64_t row = insert(one, 1, "one");
    commit(one);
    one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, isolation);
    assert_int_equal(lock_row(one, row, ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    update_number(one, row, number);
    *second = (Second){.fixture = fixture, .session = b, .row = row};
    Thread *thread = os->thread_start("second", wait_for_row, second);
    until_waiting(fixture, 2);
    commit(one);
    os->thread_join(thread);
    txn_rollback(two);
    txn_session_close(a);
    txn_session_close(b);
    return second->row_outcome;
}

static void a_waiter_is_told_what_became_of_the_row(void **state)
{
    Fixture *fixture = *state;
    Second second;
    assert_int_equal(wait_while_changed(fixture, ISOLATION_READ_COMMITTED, 42, &second),
                     ROW_LOCK_CHANGED);
    assert_int_equal(second.number, 42);
    assert_int_equal(wait_while_changed(fixture, ISOLATION_READ_COMMITTED, INT64_MIN, &second),
                     ROW_LOCK_GONE);
    assert_int_equal(wait_while_changed(fixture, ISOLATION_REPEATABLE_READ, 43, &second),
                     ROW_LOCK_FAILED);
    assert_string_equal(sqlstate_text(second.sqlstate).text, "40001");
}

static void a_circle_of_waits_is_a_deadlock(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    int64_t first = insert(one, 1, "one"), other = insert(one, 2, "two");
    commit(one);
    one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    assert_int_equal(lock_row(one, first, ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    assert_int_equal(lock_row(two, other, ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    Second second = {.fixture = fixture, .session = b, .row = first};
    Thread *thread = os->thread_start("second", wait_for_row, &second);
    until_waiting(fixture, 2);
    assert_int_equal(lock_row(one, other, ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_FAILED);
    assert_string_equal(sqlstate_text(error_fields()->sqlstate).text, "40P01");
    assert_true(str_equal(error_fields()->message, STR("deadlock detected")));
    assert_true(str_find(error_fields()->detail,
                         STR("Process 1 waits for ShareLock on transaction"), 0) == 0);
    assert_true(str_find(error_fields()->detail, STR("blocked by process 2.\nProcess 2 waits"),
                         0) != SIZE_MAX);
    error_clear();
    txn_rollback(one);
    os->thread_join(thread);
    assert_int_equal(second.row_outcome, ROW_LOCK_LOCKED);
    txn_rollback(two);
    txn_session_close(a);
    txn_session_close(b);
}

/* Who shares a row with its holder is waited for as well, by who waited before he came. */
static void who_passes_a_waiter_is_waited_for(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    TxnSession *c = txn_session_open(fixture->manager, 3);
    ProcessIdVec blockers = {0};
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    int64_t row = insert(one, 1, "one"), other = insert(one, 2, "two");
    commit(one);
    one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    Txn *three = begin(c, ISOLATION_READ_COMMITTED);
    assert_int_equal(lock_row(one, row, ROW_LOCK_SHARE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    assert_int_equal(lock_row(two, other, ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    Second second = {.fixture = fixture, .session = b, .row = row};
    Thread *thread = os->thread_start("second", wait_for_row, &second);
    until_waiting(fixture, 2);
    assert_int_equal(lock_row(three, row, ROW_LOCK_SHARE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    lock_blockers(fixture->manager, 2, fixture->arena, &blockers);
    assert_int_equal(blockers.length, 2);
    assert_int_equal(blockers.items[0] + blockers.items[1], 1 + 3);
    assert_int_equal(lock_row(three, other, ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_FAILED);
    assert_string_equal(sqlstate_text(error_fields()->sqlstate).text, "40P01");
    error_clear();
    txn_rollback(three);
    txn_rollback(one);
    os->thread_join(thread);
    assert_int_equal(second.row_outcome, ROW_LOCK_LOCKED);
    txn_rollback(two);
    txn_session_close(a);
    txn_session_close(b);
    txn_session_close(c);
}

static UniqueOutcome unique_check(Txn *txn, TxnTree *index, Str key, int64_t self, int64_t *other)
{
    const UniqueProbe probe = {.index = index, .key = key, .self_row_id = self};
    return txn_unique_check(txn, &probe, other);
}

static void insert_key(void *argument)
{
    Second *second = argument;
    Txn *txn = txn_session_current(second->session);
    TxnTree *index = open_tree(txn, INDEX);
    int64_t other;
    second->unique = unique_check(txn, index, second->key, 0, &other);
    txn_tree_close(index);
}

/* The first inserts or deletes the key and ends; what does the second inserter get? */
static UniqueOutcome second_inserter(Fixture *fixture, int64_t number, bool deletes, bool commits)
{
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    TxnTree *index = open_tree(one, INDEX);
    Str key = number_key(fixture->arena, number);
    int64_t other, row;

    assert_int_equal(unique_check(one, index, key, 0, &other), UNIQUE_OK);
    row = insert(one, number, "unique");
    assert_int_equal(unique_check(one, index, key, row, &other), UNIQUE_OK);
    assert_int_equal(unique_check(one, index, key, 0, &other), UNIQUE_CONFLICT);
    assert_int_equal(other, row);
    if (deletes) {
        commit(one);
        one = begin(a, ISOLATION_READ_COMMITTED);
        update_number(one, row, INT64_MIN);
        ok(txn_index_delete(one, index, key, row));
    }
    begin(b, ISOLATION_READ_COMMITTED);
    Second second = {.fixture = fixture, .session = b, .key = key};
    Thread *thread = os->thread_start("second", insert_key, &second);
    until_waiting(fixture, 2);
    if (commits)
        commit(one);
    else
        txn_rollback(one);
    os->thread_join(thread);
    txn_rollback(txn_session_current(b));
    txn_tree_close(index);
    txn_session_close(a);
    txn_session_close(b);
    return second.unique;
}

static void second_inserters_wait(Fixture *fixture)
{
    assert_int_equal(second_inserter(fixture, 1, false, true), UNIQUE_CONFLICT);
    assert_int_equal(second_inserter(fixture, 2, false, false), UNIQUE_OK);
    assert_int_equal(second_inserter(fixture, 3, true, true), UNIQUE_OK);
    assert_int_equal(second_inserter(fixture, 4, true, false), UNIQUE_CONFLICT);
}

static void the_second_inserter_of_a_key_waits_for_the_first(void **state)
{
    second_inserters_wait(*state);
}

/* A bulk writer has no lock for each key, but others find those it has written. */
static void so_does_that_of_a_key_that_is_spilled(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 100);
    second_inserters_wait(fixture);
}

static void and_that_of_a_key_of_very_many(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_row_locks(fixture, 0);
    second_inserters_wait(fixture);
}

static void rollback_frees_keys(Fixture *fixture)
{
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    TxnTree *index = open_tree(one, INDEX);
    TxnSavepoint savepoint;
    int64_t other;

    for (int64_t number = 1; number <= 20; number++) {
        if (number == 11)
            ok(txn_savepoint(one, &savepoint));
        assert_int_equal(unique_check(one, index, number_key(fixture->arena, number), 0, &other),
                         UNIQUE_OK);
        insert(one, number, "in bulk");
    }
    LockInfoVec locks = {0};
    begin(b, ISOLATION_READ_COMMITTED);
    Second second = {.fixture = fixture, .session = b, .key = number_key(fixture->arena, 15)};
    Thread *thread = os->thread_start("second", insert_key, &second);
    until_waiting(fixture, 2);
    lock_snapshot(fixture->manager, fixture->arena, &locks);
    assert_true(locks.length > 0);
    txn_rollback_to(one, savepoint);
    os->thread_join(thread);
    assert_int_equal(second.unique, UNIQUE_OK);
    second.key = number_key(fixture->arena, 5);
    thread = os->thread_start("second", insert_key, &second);
    until_waiting(fixture, 2);
    assert_int_equal(unique_check(one, index, number_key(fixture->arena, 16), 0, &other),
                     UNIQUE_OK);
    assert_int_equal(unique_check(one, index, number_key(fixture->arena, 7), 0, &other),
                     UNIQUE_CONFLICT);
    /* The second has 15 and waits for 5: a circle. */
    assert_int_equal(unique_check(one, index, number_key(fixture->arena, 15), 0, &other),
                     UNIQUE_FAILED);
    assert_string_equal(sqlstate_text(error_fields()->sqlstate).text, "40P01");
    error_clear();
    commit(one);
    os->thread_join(thread);
    assert_int_equal(second.unique, UNIQUE_CONFLICT);
    txn_rollback(txn_session_current(b));
    txn_tree_close(index);
    txn_session_close(a);
    txn_session_close(b);
}

static void a_rollback_to_a_savepoint_frees_spilled_keys(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 100);
    rollback_frees_keys(fixture);
}

static void and_keys_held_without_a_lock_each(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_row_locks(fixture, 0);
    rollback_frees_keys(fixture);
}

/*
 * Thousands of keys, of which some are spilled, some are not and some were given back: nobody else
 * gets one that is held, and everybody one that isn't.
 */
static void hold_very_many_keys(Fixture *fixture, int64_t step)
{
    enum { COUNT = 6000 };
    fixture_limit_write_sets(fixture, 60000);
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    TxnTree *index = open_tree(one, INDEX);
    int64_t other;

    for (int64_t number = 0; number < COUNT; number += 2) {
        const Str key = number_key(fixture->arena, number * step % COUNT);
        assert_int_equal(unique_check(one, index, key, 0, &other), UNIQUE_OK);
        insert(one, number * step % COUNT, "in bulk");
        assert_int_equal(unique_check(one, index, key, 0, &other), UNIQUE_CONFLICT);
    }
    settings_default.lock_timeout = 1;
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    for (int64_t number = 0; number < COUNT; number += 29) {
        const bool is_free = number % 2 == 1;
        assert_int_equal(unique_check(two, index, number_key(fixture->arena, number), 0, &other),
                         is_free ? UNIQUE_OK : UNIQUE_FAILED);
        if (is_free)
            continue;
        assert_string_equal(sqlstate_text(error_fields()->sqlstate).text, "55P03");
        error_clear();
    }
    settings_default.lock_timeout = 0;
    txn_rollback(one);
    for (int64_t number = 0; number < COUNT; number++)
        assert_int_equal(unique_check(two, index, number_key(fixture->arena, number), 0, &other),
                         UNIQUE_OK);
    txn_rollback(two);
    txn_tree_close(index);
    txn_session_close(a);
    txn_session_close(b);
}

static void of_very_many_keys_each_is_held(void **state)
{
    hold_very_many_keys(*state, 7919);
}

/* Their hashes lie side by side, and none is looked for where the last one was less. */
static void of_very_many_that_ascend_too(void **state)
{
    hold_very_many_keys(*state, 1);
}

static void a_savepoints_locks_go_with_it(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    TxnSavepoint savepoint;

    ok(lock_relation(one, HOME, 10, LOCK_ACCESS_SHARE, LOCK_WAIT, STR("t")) != LOCK_FAILED);
    ok(txn_savepoint(one, &savepoint));
    assert_int_equal(lock_relation(one, HOME, 10, LOCK_EXCLUSIVE, LOCK_WAIT, STR("t")),
                     LOCK_GRANTED);
    assert_int_equal(lock_relation(two, HOME, 10, LOCK_ROW_EXCLUSIVE, LOCK_TRY, STR("t")),
                     LOCK_WOULD_BLOCK);
    txn_rollback_to(one, savepoint);
    assert_int_equal(lock_relation(two, HOME, 10, LOCK_ROW_EXCLUSIVE, LOCK_TRY, STR("t")),
                     LOCK_GRANTED);
    assert_int_equal(lock_relation(two, HOME, 10, LOCK_ACCESS_EXCLUSIVE, LOCK_NOWAIT, STR("t")),
                     LOCK_FAILED);
    assert_true(str_equal(error_fields()->message, STR("could not obtain lock on relation \"t\"")));
    error_clear();
    AdvisoryKey key = {.key = 77};
    assert_int_equal(lock_advisory(one, HOME, key, ADVISORY_SESSION, ADVISORY_EXCLUSIVE, LOCK_WAIT),
                     LOCK_GRANTED);
    assert_int_equal(lock_advisory(one, HOME, key, ADVISORY_SESSION, ADVISORY_EXCLUSIVE, LOCK_WAIT),
                     LOCK_HELD);
    txn_rollback(one);
    assert_int_equal(lock_advisory(two, HOME, key, ADVISORY_TRANSACTION, ADVISORY_SHARED, LOCK_TRY),
                     LOCK_WOULD_BLOCK);
    assert_true(lock_advisory_release(a, HOME, key, ADVISORY_EXCLUSIVE));
    assert_true(lock_advisory_release(a, HOME, key, ADVISORY_EXCLUSIVE));
    assert_false(lock_advisory_release(a, HOME, key, ADVISORY_EXCLUSIVE));
    assert_int_equal(lock_advisory(two, HOME, key, ADVISORY_TRANSACTION, ADVISORY_SHARED, LOCK_TRY),
                     LOCK_GRANTED);
    txn_rollback(two);
    txn_session_close(a);
    txn_session_close(b);
}

/* Groups of neighbours that are held in part, in no order, while the set of them grows. */
static void so_are_rows_locked_in_any_order(void **state)
{
    enum { COUNT = 20011 }; /* a prime, so that steps come to every row */
    Fixture *fixture = *state;
    fixture_limit_row_locks(fixture, 10);
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    int64_t *rows = ARENA_ARRAY(fixture->arena, int64_t, COUNT);
    bool *is_held = arena_alloc_zeroed(fixture->arena, COUNT);

    for (int i = 0; i < COUNT; i++)
        rows[i] = insert(one, i, "row");
    commit(one);
    one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    for (int64_t i = 0; i < COUNT; i += 3) {
        const int64_t at = i * 7919 % COUNT;
        assert_int_equal(lock_row(one, rows[at], ROW_LOCK_UPDATE, LOCK_WAIT, NULL),
                         ROW_LOCK_LOCKED);
        is_held[at] = true;
    }
    for (int i = 0; i < COUNT; i += i % 64 ? 1 : 5)
        assert_int_equal(lock_row(two, rows[i], ROW_LOCK_SHARE, LOCK_TRY, NULL),
                         is_held[i] ? ROW_LOCK_WOULD_BLOCK : ROW_LOCK_LOCKED);
    txn_rollback(one);
    txn_rollback(two);
    txn_session_close(a);
    txn_session_close(b);
}

static void rows_locked_in_runs_are_locked(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_row_locks(fixture, 10);
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    int64_t rows[200];
    for (int i = 0; i < 200; i++)
        rows[i] = insert(one, i, "row");
    commit(one);
    one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    for (int i = 0; i < 200; i += i % 7 == 3 ? 2 : 1)
        assert_int_equal(lock_row(one, rows[i], ROW_LOCK_UPDATE, LOCK_WAIT, NULL), ROW_LOCK_LOCKED);
    int free_rows = 0;
    for (int i = 0; i < 200; i++)
        free_rows += lock_row(two, rows[i], ROW_LOCK_SHARE, LOCK_TRY, NULL) == ROW_LOCK_LOCKED;
    int skipped = 0;
    for (int i = 0; i < 200; i += i % 7 == 3 ? 2 : 1)
        skipped += i % 7 == 3 && i + 1 < 200;
    assert_int_equal(free_rows, skipped);
    Second second = {.fixture = fixture, .session = b, .row = rows[150]};
    Thread *thread = os->thread_start("second", wait_for_row, &second);
    until_waiting(fixture, 2);
    commit(one);
    os->thread_join(thread);
    assert_int_equal(second.row_outcome, ROW_LOCK_LOCKED);
    txn_rollback(two);
    txn_session_close(a);
    txn_session_close(b);
}

/* Thousands in each partition: all are found, by others too, and gone when it ends. */
static void a_transaction_may_hold_very_many_locks(void **state)
{
    enum { COUNT = 100000 };
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);

    for (int round = 0; round < 2; round++) {
        Txn *one = begin(a, ISOLATION_READ_COMMITTED);
        Txn *two = begin(b, ISOLATION_READ_COMMITTED);
        for (int64_t i = 0; i < COUNT; i++)
            assert_int_equal(lock_advisory(one, HOME, (AdvisoryKey){.key = i}, ADVISORY_TRANSACTION,
                                           ADVISORY_EXCLUSIVE, LOCK_TRY),
                             LOCK_GRANTED);
        for (int64_t i = 0; i < COUNT; i += 97)
            assert_int_equal(lock_advisory(two, HOME, (AdvisoryKey){.key = i}, ADVISORY_TRANSACTION,
                                           ADVISORY_EXCLUSIVE, LOCK_TRY),
                             LOCK_WOULD_BLOCK);
        LockInfoVec locks = {0};
        lock_snapshot(fixture->manager, fixture->arena, &locks);
        size_t held = 0;
        for (size_t i = 0; i < locks.length; i++)
            held += str_equal(locks.items[i].lock_type, STR("advisory"));
        assert_int_equal(held, COUNT);
        txn_rollback(one);
        for (int64_t i = 0; i < COUNT; i += 97)
            assert_int_equal(lock_advisory(two, HOME, (AdvisoryKey){.key = i}, ADVISORY_TRANSACTION,
                                           ADVISORY_EXCLUSIVE, LOCK_TRY),
                             LOCK_GRANTED);
        txn_rollback(two);
    }
    txn_session_close(a);
    txn_session_close(b);
}

/* ------------------------------------------------------------------ weak locks of tables */

static LockOutcome lock_table(Txn *txn, Oid relation, LockMode mode, LockWait wait)
{
    LockOutcome outcome = lock_relation(txn, HOME, relation, mode, wait, STR("accounts"));
    if (outcome == LOCK_FAILED)
        error_clear();
    return outcome;
}

/* What pg_locks has on relations: those noted by sessions, and those in the lock table. */
static void count_locks(Fixture *fixture, int *ret_fast, int *ret_table)
{
    LockInfoVec locks = {0};

    lock_snapshot(fixture->manager, fixture->arena, &locks);
    *ret_fast = *ret_table = 0;
    for (size_t i = 0; i < locks.length; i++) {
        if (!str_equal(locks.items[i].lock_type, STR("relation")))
            continue;
        assert_true(locks.items[i].granted);
        (*(locks.items[i].is_fast ? ret_fast : ret_table))++;
    }
}

static void assert_locks(Fixture *fixture, int fast, int table)
{
    int fast_found, table_found;

    count_locks(fixture, &fast_found, &table_found);
    assert_int_equal(fast_found, fast);
    assert_int_equal(table_found, table);
}

static void weak_locks_are_noted_by_sessions_until_a_strong_one_comes(void **state)
{
    enum { RELATION = 5000 };
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);

    assert_int_equal(lock_table(one, RELATION, LOCK_ACCESS_SHARE, LOCK_WAIT), LOCK_GRANTED);
    assert_int_equal(lock_table(one, RELATION, LOCK_ACCESS_SHARE, LOCK_WAIT), LOCK_HELD);
    assert_int_equal(lock_table(one, RELATION, LOCK_ROW_EXCLUSIVE, LOCK_WAIT), LOCK_GRANTED);
    assert_int_equal(lock_table(two, RELATION, LOCK_ROW_SHARE, LOCK_WAIT), LOCK_GRANTED);
    assert_locks(fixture, 3, 0);
    assert_true(lock_relation_is_held(one, HOME, RELATION, LOCK_ROW_SHARE));
    assert_false(lock_relation_is_held(two, HOME, RELATION, LOCK_ROW_EXCLUSIVE));

    /* Refused, the strong one leaves them where they have been moved. */
    assert_int_equal(lock_table(two, RELATION, LOCK_SHARE, LOCK_TRY), LOCK_WOULD_BLOCK);
    assert_locks(fixture, 0, 3);
    assert_int_equal(lock_table(one, RELATION, LOCK_ROW_EXCLUSIVE, LOCK_WAIT), LOCK_HELD);
    assert_int_equal(lock_table(two, RELATION, LOCK_ACCESS_SHARE, LOCK_WAIT), LOCK_GRANTED);
    assert_locks(fixture, 1, 3);
    commit(one);
    assert_locks(fixture, 1, 1);

    /* While it is held no weak one is noted, and those against it are refused. */
    assert_int_equal(lock_table(two, RELATION, LOCK_SHARE, LOCK_TRY), LOCK_GRANTED);
    one = begin(a, ISOLATION_READ_COMMITTED);
    assert_int_equal(lock_table(one, RELATION, LOCK_ROW_EXCLUSIVE, LOCK_TRY), LOCK_WOULD_BLOCK);
    assert_int_equal(lock_table(one, RELATION, LOCK_ROW_SHARE, LOCK_TRY), LOCK_GRANTED);
    assert_locks(fixture, 0, 4);
    commit(two);
    assert_locks(fixture, 0, 1);
    assert_int_equal(lock_table(one, RELATION, LOCK_ROW_EXCLUSIVE, LOCK_TRY), LOCK_GRANTED);
    assert_locks(fixture, 1, 1);
    commit(one);
    assert_locks(fixture, 0, 0);
    txn_session_close(a);
    txn_session_close(b);
}

static void weak_locks_go_with_their_savepoint(void **state)
{
    enum { FIRST = 6000, COUNT = 24 };
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = second_session(fixture);
    Txn *one = begin(a, ISOLATION_READ_COMMITTED);
    Txn *two = begin(b, ISOLATION_READ_COMMITTED);
    TxnSavepoint savepoint;

    for (Oid i = 0; i < COUNT / 3; i++)
        assert_int_equal(lock_table(one, FIRST + i, LOCK_ACCESS_SHARE, LOCK_WAIT), LOCK_GRANTED);
    ok(txn_savepoint(one, &savepoint));
    for (Oid i = 0; i < COUNT; i++)
        assert_int_equal(lock_table(one, FIRST + i, LOCK_ROW_EXCLUSIVE, LOCK_WAIT), LOCK_GRANTED);
    assert_locks(fixture, COUNT / 3 + 16, COUNT - 16); /* 16 tables have a place */
    for (Oid i = 0; i < COUNT; i++)
        assert_int_equal(lock_table(two, FIRST + i, LOCK_ACCESS_EXCLUSIVE, LOCK_TRY),
                         LOCK_WOULD_BLOCK);
    assert_locks(fixture, 0, COUNT + COUNT / 3);
    txn_rollback_to(one, savepoint);
    assert_locks(fixture, 0, COUNT / 3);
    for (Oid i = 0; i < COUNT; i++)
        assert_int_equal(lock_table(two, FIRST + i, LOCK_SHARE, LOCK_TRY), LOCK_GRANTED);
    for (Oid i = 0; i < COUNT; i++)
        assert_int_equal(lock_table(two, FIRST + i, LOCK_ACCESS_EXCLUSIVE, LOCK_TRY),
                         i < COUNT / 3 ? LOCK_WOULD_BLOCK : LOCK_GRANTED);
    txn_rollback(one);
    txn_rollback(two);
    assert_locks(fixture, 0, 0);
    txn_session_close(a);
    txn_session_close(b);
}

enum { STRONG_TABLES = 3, STRONG_THREADS = 4, STRONG_ROUNDS = 1500 };

/* Who is inside each table, by what he holds. */
static struct {
    _Atomic int readers, writers, owners;
} inside[STRONG_TABLES];

#define LOCKERS_MAX 10

typedef struct Locker Locker;
struct Locker {
    Fixture *fixture;
    void (*lock)(Txn *txn, Locker *locker, uint32_t round);
    uint32_t rounds, seed;
    int id;
    int conflicts;
    bool is_strong;
};

static void go_inside(Txn *txn, Locker *locker, uint32_t round)
{
    static const LockMode weak[] = {LOCK_ACCESS_SHARE, LOCK_ROW_EXCLUSIVE};
    const int table = (int)(round * 7 + (uint32_t)locker->id) % STRONG_TABLES;
    const int kind = locker->is_strong ? 2 : (int)(round & 1);
    _Atomic int *here = kind == 2   ? &inside[table].owners
                        : kind == 1 ? &inside[table].writers
                                    : &inside[table].readers;
    const LockMode mode = kind < 2 ? weak[kind] : round & 1 ? LOCK_ACCESS_EXCLUSIVE : LOCK_SHARE;

    if (lock_table(txn, 7000 + (Oid)table, mode, round % 5 ? LOCK_WAIT : LOCK_TRY) != LOCK_GRANTED)
        return;
    atomic_fetch_add(here, 1);
    for (int i = 0; i < 20; i++) {
        if (mode == LOCK_ROW_EXCLUSIVE)
            locker->conflicts += atomic_load(&inside[table].owners) > 0;
        else if (mode >= LOCK_SHARE)
            locker->conflicts += atomic_load(&inside[table].writers) > 0;
        if (mode == LOCK_ACCESS_EXCLUSIVE)
            locker->conflicts += atomic_load(&inside[table].readers) > 0;
    }
    atomic_fetch_sub(here, 1);
}

/* A locker's thread: transaction after transaction. */
static void lock_and_look(void *argument)
{
    Locker *locker = argument;
    TxnSession *session = txn_session_open(locker->fixture->manager, locker->id);

    for (uint32_t round = 0; round < locker->rounds; round++) {
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        locker->lock(txn, locker, round);
        txn_rollback(txn);
    }
    txn_session_close(session);
}

/* All at once, to their end; what they have counted. */
static int run_lockers(Locker *lockers, int count)
{
    Thread *threads[LOCKERS_MAX];
    int conflicts = 0;

    for (int i = 0; i < count; i++)
        threads[i] = os->thread_start("locker", lock_and_look, &lockers[i]);
    for (int i = 0; i < count; i++) {
        os->thread_join(threads[i]);
        conflicts += lockers[i].conflicts;
    }
    return conflicts;
}

static void strong_locks_and_weak_ones_are_never_held_together(void **state)
{
    Fixture *fixture = *state;
    Locker lockers[STRONG_THREADS];

    memset(inside, 0, sizeof(inside));
    for (int i = 0; i < STRONG_THREADS; i++)
        lockers[i] = (Locker){.fixture = fixture,
                              .lock = go_inside,
                              .rounds = STRONG_ROUNDS,
                              .id = i + 10,
                              .is_strong = i == 0};
    assert_int_equal(run_lockers(lockers, STRONG_THREADS), 0);
    assert_locks(fixture, 0, 0);
}

/* ------------------------------------------------------------------ any tables, any modes */

#define ANY_TABLES 4
#define ANY_ROUNDS 600

/* Takes a few locks in any order; some wait behind others whom they do not conflict with. */
static void lock_any(Txn *txn, Locker *locker, uint32_t round)
{
    (void)round;
    for (int i = 0; i < 4; i++) {
        locker->seed = locker->seed * 1103515245 + 12345;
        const uint32_t chance = locker->seed >> 16;
        const uint32_t modes = chance >> 8 & 1 ? LOCK_ACCESS_EXCLUSIVE : LOCK_ROW_EXCLUSIVE;
        const LockMode mode = (LockMode)(1 + (chance >> 2) % modes);
        if (lock_table(txn, 200 + chance % ANY_TABLES, mode, LOCK_WAIT) == LOCK_FAILED) {
            locker->conflicts++; /* a deadlock */
            return;
        }
    }
}

/* A circle that nobody sees would last for ever. */
static void every_wait_ends(void **state)
{
    Fixture *fixture = *state;
    Locker lockers[LOCKERS_MAX];

    for (int i = 0; i < LOCKERS_MAX; i++)
        lockers[i] = (Locker){.fixture = fixture,
                              .lock = lock_any,
                              .rounds = ANY_ROUNDS,
                              .seed = (uint32_t)i + 10,
                              .id = i + 10};
    const int deadlocks = run_lockers(lockers, LOCKERS_MAX);
    print_message("%d deadlocks\n", deadlocks);
    assert_true(deadlocks > 0);
    assert_locks(fixture, 0, 0);
}

/* ------------------------------------------------------------------ the bank */

#define ACCOUNTS 20
#define TRANSFERS 300
#define TELLERS 6

typedef struct Teller {
    Fixture *fixture;
    int id;
    const int64_t *rows;
    uint32_t seed;
    int deadlocks, transfers, bad_sums;
} Teller;

static bool move_money(Teller *teller, Txn *txn, int64_t row, int64_t amount)
{
    int64_t number = 0;
    RowLockOutcome outcome = lock_row(txn, row, ROW_LOCK_NO_KEY_UPDATE, LOCK_WAIT, &number);
    if (outcome == ROW_LOCK_FAILED)
        return false;
    if (outcome == ROW_LOCK_LOCKED)
        number = fetch_number(txn, txn_snapshot(txn), row);
    update_number(txn, row, number + amount);
    return true;
}

static void tell(void *argument)
{
    Teller *teller = argument;
    TxnSession *session = txn_session_open(teller->fixture->manager, teller->id);

    for (int i = 0; i < TRANSFERS; i++) {
        teller->seed = teller->seed * 1664525u + 1013904223u;
        int64_t from = teller->rows[(teller->seed >> 8) % ACCOUNTS];
        int64_t to = teller->rows[(teller->seed >> 16) % ACCOUNTS];
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        if (i % 10 == 0 && scan_sum(txn, txn_snapshot(txn), NULL) != ACCOUNTS * 1000)
            teller->bad_sums++;
        bool done = from == to || (move_money(teller, txn, from, -5) && txn_statement_begin(txn) &&
                                   move_money(teller, txn, to, 5));
        if (done) {
            commit(txn);
            teller->transfers++;
        } else {
            teller->deadlocks += error_fields()->sqlstate == ERR_T_R_DEADLOCK_DETECTED;
            error_clear();
            txn_rollback(txn);
        }
    }
    txn_session_close(session);
}

static void no_money_is_made_or_lost(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    int64_t rows[ACCOUNTS], count;
    Teller tellers[TELLERS];
    Thread *threads[TELLERS];
    int done = 0;

    for (int i = 0; i < ACCOUNTS; i++)
        rows[i] = insert(txn, 1000, "account");
    commit(txn);
    for (int i = 0; i < TELLERS; i++) {
        tellers[i] = (Teller){.fixture = fixture, .id = i + 10, .rows = rows, .seed = (uint32_t)i};
        threads[i] = os->thread_start("teller", tell, &tellers[i]);
    }
    for (int i = 0; i < TELLERS; i++) {
        os->thread_join(threads[i]);
        assert_int_equal(tellers[i].bad_sums, 0);
        assert_int_equal(tellers[i].transfers + tellers[i].deadlocks, TRANSFERS);
        done += tellers[i].transfers;
    }
    assert_true(done > TRANSFERS);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), ACCOUNTS * 1000);
    txn_rollback(txn);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), ACCOUNTS * 1000);
    assert_int_equal(count, ACCOUNTS);
    txn_rollback(txn);
    txn_session_close(session);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(row_lock_modes_conflict_as_in_the_manual),
        TEST(a_waiter_is_told_what_became_of_the_row),
        TEST(a_circle_of_waits_is_a_deadlock),
        TEST(who_passes_a_waiter_is_waited_for),
        TEST(the_second_inserter_of_a_key_waits_for_the_first),
        TEST(so_does_that_of_a_key_that_is_spilled),
        TEST(and_that_of_a_key_of_very_many),
        TEST(a_rollback_to_a_savepoint_frees_spilled_keys),
        TEST(and_keys_held_without_a_lock_each),
        TEST(of_very_many_keys_each_is_held),
        TEST(of_very_many_that_ascend_too),
        TEST(a_savepoints_locks_go_with_it),
        TEST(rows_locked_in_runs_are_locked),
        TEST(so_are_rows_locked_in_any_order),
        TEST(a_transaction_may_hold_very_many_locks),
        TEST(weak_locks_are_noted_by_sessions_until_a_strong_one_comes),
        TEST(weak_locks_go_with_their_savepoint),
        TEST(strong_locks_and_weak_ones_are_never_held_together),
        TEST(every_wait_ends),
        TEST(no_money_is_made_or_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
