/* Who sees what: commands, snapshots, savepoints, index entries, and a random history. */
#include "txn_fixture.h"

#include <sys/wait.h>

#include "base/memory_reserve.h"
#include "storage/faults.h"
#include "txn/txn_internal.h"

static void a_statement_sees_what_earlier_commands_wrote(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    int64_t count;

    int64_t row = insert(txn, 7, "seven");
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), 0);
    assert_int_equal(count, 0);
    Snapshot cursor = *txn_snapshot(txn);
    ok(txn_statement_begin(txn));
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), 7);
    assert_int_equal(fetch_number(txn, txn_snapshot(txn), row), 7);
    assert_int_equal(fetch_number(txn, &cursor, row), INT64_MIN);
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), 7);
    txn_rollback(txn);
    txn_session_close(session);
}

static void nobody_else_sees_what_is_not_committed(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = txn_session_open(fixture->manager, 2);
    Txn *writer = begin(a, ISOLATION_READ_COMMITTED);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);

    insert(writer, 5, "five");
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), NULL), 0);
    commit(writer);
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), NULL), 0);
    ok(txn_statement_begin(reader));
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), NULL), 0);
    txn_rollback(reader);
    reader = begin(b, ISOLATION_READ_COMMITTED);
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), NULL), 5);
    txn_rollback(reader);
    txn_session_close(a);
    txn_session_close(b);
}

static void update_row(Txn *txn, int64_t row_id, int64_t old_number, int64_t number)
{
    Arena *arena = arena_new("update");
    TxnTree *table = open_tree(txn, TABLE);
    TxnTree *index = open_tree(txn, INDEX);
    if (number == INT64_MIN)
        ok(txn_delete(txn, table, row_id));
    else
        ok(txn_update(txn, table, row_id, row_image(arena, number, "changed")));
    ok(txn_index_delete(txn, index, number_key(arena, old_number), row_id));
    if (number != INT64_MIN)
        ok(txn_index_insert(txn, index, number_key(arena, number), row_id));
    txn_tree_close(table);
    txn_tree_close(index);
    arena_free(arena);
}

/* Index entries seen with their rows: each key must be its row's number. */
static int64_t index_sum(Txn *txn, const Snapshot *snapshot, ScanDirection direction,
                         int64_t *ret_count)
{
    Arena *arena = arena_new("index scan");
    TxnTree *index = open_tree(txn, INDEX);
    IndexScan *scan =
        index_scan_open(txn, snapshot, index, &(IndexScanSpec){.direction = direction}, arena);
    IndexEntry entry;
    ScanOutcome outcome;
    int64_t sum = 0, count = 0, last = direction == SCAN_FORWARD ? INT64_MIN : INT64_MAX;

    while ((outcome = index_scan_next(scan, &entry)) == SCAN_ROWS) {
        uint64_t bytes;
        assert_int_equal(entry.key.length, 8);
        memcpy(&bytes, entry.key.data, 8);
        int64_t number = (int64_t)(__builtin_bswap64(bytes) ^ (UINT64_C(1) << 63));
        assert_true(direction == SCAN_FORWARD ? number >= last : number <= last);
        last = number;
        assert_int_equal(fetch_number(txn, snapshot, entry.row_id), number);
        sum += number;
        count++;
    }
    ok(outcome == SCAN_END);
    index_scan_close(scan);
    txn_tree_close(index);
    arena_free(arena);
    *ret_count = count;
    return sum;
}

static void an_old_snapshot_finds_changed_and_deleted_rows(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = txn_session_open(fixture->manager, 2);
    int64_t rows[2000], sum = 0, count;

    Txn *writer = begin(a, ISOLATION_READ_COMMITTED);
    for (int64_t i = 0; i < 2000; i++) {
        rows[i] = insert(writer, i, "a row with some text in it, so that there are many leaves");
        sum += i;
    }
    commit(writer);
    Txn *reader = begin(b, ISOLATION_REPEATABLE_READ);
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), &count), sum);
    assert_int_equal(count, 2000);

    writer = begin(a, ISOLATION_READ_COMMITTED);
    for (int64_t i = 0; i < 2000; i++)
        update_row(writer, rows[i], i, i % 3 == 0 ? INT64_MIN : i + 1000000);
    commit(writer);
    writer = begin(a, ISOLATION_READ_COMMITTED);
    for (int64_t i = 0; i < 3000; i++)
        insert(writer, 5000000 + i, "more");
    commit(writer);
    assert_int_equal(scan_sum(reader, txn_snapshot(reader), &count), sum);
    assert_int_equal(count, 2000);
    assert_int_equal(index_sum(reader, txn_snapshot(reader), SCAN_FORWARD, &count), sum);
    assert_int_equal(count, 2000);
    assert_int_equal(index_sum(reader, txn_snapshot(reader), SCAN_BACKWARD, &count), sum);
    for (int64_t i = 0; i < 2000; i++)
        assert_int_equal(fetch_number(reader, txn_snapshot(reader), rows[i]), i);
    txn_rollback(reader);
    reader = begin(b, ISOLATION_READ_COMMITTED);
    scan_sum(reader, txn_snapshot(reader), &count);
    assert_int_equal(count, 3000 + 1333);
    index_sum(reader, txn_snapshot(reader), SCAN_FORWARD, &count);
    assert_int_equal(count, 3000 + 1333);
    txn_rollback(reader);
    txn_session_close(a);
    txn_session_close(b);
}

static void a_savepoint_brings_back_what_was(void **state)
{
    Fixture *fixture = *state;
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnSavepoint outer, inner;

    int64_t row = insert(txn, 1, "one");
    ok(txn_savepoint(txn, &outer));
    ok(txn_statement_begin(txn));
    update_row(txn, row, 1, 10);
    ok(txn_savepoint(txn, &inner));
    ok(txn_statement_begin(txn));
    insert(txn, 100, "hundred");
    update_row(txn, row, 10, INT64_MIN);
    ok(txn_statement_begin(txn));
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), NULL), 100);
    txn_rollback_to(txn, inner);
    ok(txn_statement_begin(txn));
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), NULL), 10);
    txn_rollback_to(txn, outer);
    ok(txn_statement_begin(txn));
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), NULL), 1);
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    int64_t count;
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), 1);
    assert_int_equal(index_sum(txn, txn_snapshot(txn), SCAN_BACKWARD, &count), 1);
    txn_rollback(txn);
    txn_session_close(session);
}

/* ------------------------------------------------------------------ a random history */

#define SLOTS 300
#define HISTORY 600
#define SESSIONS 4

typedef struct Model {
    int64_t now[SLOTS]; /* number by slot; INT64_MIN: no row */
    int64_t row[SLOTS]; /* its row id */
} Model;

typedef struct Actor {
    TxnSession *session;
    Txn *txn;
    bool repeatable;
    Model seen; /* what its snapshot sees, own writes included */
    bool wrote[SLOTS];
    bool has_savepoint;
    TxnSavepoint savepoint;
    Model saved; /* what it saw at the savepoint */
    bool saved_wrote[SLOTS];
} Actor;

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % sides;
}

static void check_actor(Actor *actor, const Model *committed)
{
    int64_t sum = 0, count = 0, index_count, scan_count;

    for (int i = 0; i < SLOTS; i++) {
        /* What was added since its snapshot isn't there for it, by its id either. */
        if (!actor->wrote[i] && actor->seen.now[i] == INT64_MIN && committed->row[i] != 0)
            assert_int_equal(fetch_number(actor->txn, txn_snapshot(actor->txn), committed->row[i]),
                             INT64_MIN);
        if (actor->seen.row[i] == 0)
            continue;
        assert_int_equal(fetch_number(actor->txn, txn_snapshot(actor->txn), actor->seen.row[i]),
                         actor->seen.now[i]);
        if (actor->seen.now[i] == INT64_MIN)
            continue;
        sum += actor->seen.now[i];
        count++;
    }
    assert_int_equal(scan_sum(actor->txn, txn_snapshot(actor->txn), &scan_count), sum);
    assert_int_equal(scan_count, count);
    ScanDirection direction = count & 1 ? SCAN_FORWARD : SCAN_BACKWARD;
    assert_int_equal(index_sum(actor->txn, txn_snapshot(actor->txn), direction, &index_count), sum);
    assert_int_equal(index_count, count);
}

/* A new command; READ COMMITTED sees what is committed now and its own. */
static void actor_statement(Actor *actor, const Model *committed)
{
    ok(txn_statement_begin(actor->txn));
    for (int i = 0; i < SLOTS && !actor->repeatable; i++)
        if (!actor->wrote[i]) {
            actor->seen.now[i] = committed->now[i];
            actor->seen.row[i] = committed->row[i];
        }
}

static void actor_write(Actor *actors, Actor *actor, uint32_t *seed, const Model *committed)
{
    int slot = (int)dice(seed, SLOTS);
    int64_t number = dice(seed, 1000000);

    for (int i = 0; i < SESSIONS; i++)
        if (&actors[i] != actor && actors[i].txn && actors[i].wrote[slot])
            return; /* locked, where there are locks */
    if (!actor->wrote[slot] && (actor->seen.now[slot] != committed->now[slot] ||
                                actor->seen.row[slot] != committed->row[slot]))
        return;
    int64_t old = actor->seen.now[slot];
    if (old == INT64_MIN)
        actor->seen.row[slot] = insert(actor->txn, number, "row");
    else if (dice(seed, 3) == 0)
        update_row(actor->txn, actor->seen.row[slot], old, number = INT64_MIN);
    else
        update_row(actor->txn, actor->seen.row[slot], old, number);
    actor->seen.now[slot] = number;
    actor->wrote[slot] = true;
}

/* Sets a savepoint, or goes back to the one it has. */
static void actor_savepoint(Actor *actor)
{
    if (!actor->has_savepoint) {
        ok(txn_savepoint(actor->txn, &actor->savepoint));
        actor->saved = actor->seen;
        memcpy(actor->saved_wrote, actor->wrote, sizeof(actor->wrote));
    } else {
        txn_rollback_to(actor->txn, actor->savepoint);
        for (int i = 0; i < SLOTS; i++) {
            if (!actor->wrote[i])
                continue;
            actor->seen.now[i] = actor->saved.now[i];
            actor->seen.row[i] = actor->saved.row[i];
            actor->wrote[i] = actor->saved_wrote[i];
        }
        txn_release(actor->txn, actor->savepoint);
    }
    actor->has_savepoint = !actor->has_savepoint;
}

static void actor_end(Actor *actor, Model *committed, bool commits)
{
    for (int i = 0; i < SLOTS; i++) {
        if (!actor->wrote[i])
            continue;
        if (commits) {
            committed->now[i] = actor->seen.now[i];
            committed->row[i] = actor->seen.row[i];
        }
        actor->wrote[i] = false;
    }
    if (commits)
        commit(actor->txn);
    else
        txn_rollback(actor->txn);
    actor->txn = NULL;
    actor->has_savepoint = false;
}

static void check_random_histories(Fixture *fixture)
{
    for (uint32_t run = 1; run <= 3; run++) {
        uint32_t seed = run;
        Model *committed = calloc(1, sizeof(*committed));
        Actor *actors = calloc(SESSIONS, sizeof(*actors));
        for (int i = 0; i < SLOTS; i++)
            committed->now[i] = INT64_MIN;
        for (int i = 0; i < SESSIONS; i++)
            actors[i].session = txn_session_open(fixture->manager, i + 1);
        for (int step = 0; step < HISTORY; step++) {
            Actor *actor = &actors[dice(&seed, SESSIONS)];
            if (!actor->txn) {
                actor->repeatable = dice(&seed, 2) == 0;
                actor->txn = begin(actor->session, actor->repeatable ? ISOLATION_REPEATABLE_READ
                                                                     : ISOLATION_READ_COMMITTED);
                actor->seen = *committed;
                continue;
            }
            uint32_t what = dice(&seed, 14);
            if (what >= 10) {
                actor_savepoint(actor);
            } else if (what < 6) {
                for (uint32_t n = dice(&seed, 12) + 1; n > 0; n--) {
                    actor_statement(actor, committed);
                    actor_write(actors, actor, &seed, committed);
                }
            } else if (what < 8) {
                actor_statement(actor, committed);
                check_actor(actor, committed);
            } else {
                actor_end(actor, committed, what == 8 || dice(&seed, 2));
            }
        }
        /* The next run begins with an empty table. */
        for (int i = 0; i < SESSIONS; i++)
            if (actors[i].txn)
                actor_end(&actors[i], committed, false);
        actors[0].txn = begin(actors[0].session, ISOLATION_READ_COMMITTED);
        actors[0].seen = *committed;
        check_actor(&actors[0], committed);
        for (int i = 0; i < SLOTS; i++)
            if (committed->now[i] != INT64_MIN)
                update_row(actors[0].txn, committed->row[i], committed->now[i], INT64_MIN);
        commit(actors[0].txn);
        for (int i = 0; i < SESSIONS; i++)
            txn_session_close(actors[i].session);
        free(actors);
        free(committed);
    }
}

static void every_read_of_a_random_history_is_the_models(void **state)
{
    check_random_histories(*state);
}

/* Nearly everything that is written lies on temporary pages, rows and keys in several parts. */
static void so_is_every_read_of_write_sets_that_spill(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 1500);
    check_random_histories(fixture);
}

/* ------------------------------------------------------------------ while much is applied */

/* A snapshot as the model knows it. */
typedef struct View {
    Txn *txn; /* NULL: none */
    Model model;
    int64_t small; /* the small row's number */
} View;

/* Who looks and commits between two writes of a large commit's apply. */
typedef struct Onlookers {
    uint32_t seed;
    Model committed;                             /* but for what is being applied */
    TxnSession *large, *small, *holder, *reader; /* each does one thing */
    TxnSession *idler;                           /* has looked at the newest, without a snapshot */
    TxnSession *waiter;                          /* wants rows that are being changed */
    Model after;                                 /* what the large commit makes of it all */
    View held;                                   /* kept over several commits */
    int64_t small_row, small_number;
    uint32_t looks;
} Onlookers;

static Onlookers *onlookers;

static void check_view(Txn *txn, const Snapshot *snapshot, const Model *model, int64_t small_number)
{
    int64_t sum = small_number, count = 1, seen;

    for (int i = 0; i < SLOTS; i++) {
        if (model->row[i] != 0)
            assert_int_equal(fetch_number(txn, snapshot, model->row[i]), model->now[i]);
        if (model->now[i] == INT64_MIN)
            continue;
        sum += model->now[i];
        count++;
    }
    assert_int_equal(scan_sum(txn, snapshot, &seen), sum);
    assert_int_equal(seen, count);
    assert_int_equal(index_sum(txn, snapshot, sum % 2 ? SCAN_FORWARD : SCAN_BACKWARD, &seen), sum);
    assert_int_equal(seen, count);
}

/* A small transaction is committed, and seen, though a large one before it isn't. */
static void commit_small(Onlookers *all)
{
    Txn *txn = begin(all->small, ISOLATION_READ_COMMITTED);

    if (all->small_row == 0)
        all->small_row = insert(txn, all->small_number = 1000, "small");
    else
        update_row(txn, all->small_row, all->small_number, all->small_number + 1);
    ok(txn_statement_begin(txn));
    all->small_number = fetch_number(txn, txn_snapshot(txn), all->small_row);
    commit(txn);
}

static void look(Onlookers *all)
{
    Txn *txn = begin(all->reader, ISOLATION_READ_COMMITTED);
    const int64_t before = all->small_number;
    Snapshot pinned = *txn_snapshot(txn);

    txn_snapshot_pin(txn, &pinned);
    commit_small(all);
    check_view(txn, &pinned, &all->committed, before);
    ok(txn_statement_begin(txn));
    check_view(txn, txn_snapshot(txn), &all->committed, all->small_number);
    txn_snapshot_unpin(txn, &pinned);
    const Snapshot latest = txn_snapshot_latest(txn);
    check_view(txn, &latest, &all->committed, all->small_number);
    txn_snapshot_forget(txn); /* without one that is published, too */
    check_view(txn, &latest, &all->committed, all->small_number);
    txn_rollback(txn);
    if (all->held.txn) {
        check_view(all->held.txn, txn_snapshot(all->held.txn), &all->held.model, all->held.small);
        if (dice(&all->seed, 8) == 0) {
            txn_rollback(all->held.txn);
            all->held.txn = NULL;
        }
    } else {
        all->held = (View){.txn = begin(all->holder, ISOLATION_REPEATABLE_READ),
                           .model = all->committed,
                           .small = all->small_number};
    }
}

static void look_idly(Onlookers *all)
{
    if (txn_session_current(all->idler))
        return;
    Txn *txn = begin(all->idler, ISOLATION_READ_COMMITTED);
    txn_snapshot_forget(txn);
    const Snapshot latest = txn_snapshot_latest(txn);
    check_view(txn, &latest, &all->committed, all->small_number);
    assert_true(atomic_load(&all->idler->snapshot_low) != LSN_MAX);
}

/* What such a look needs is kept until the next statement only. */
static void end_idling(Onlookers *all)
{
    Txn *txn = txn_session_current(all->idler);

    ok(txn_statement_begin(txn));
    assert_true(atomic_load(&all->idler->snapshot_low) >= all->large->last_commit_lsn);
    txn_rollback(txn);
}

static bool is_changed(const Onlookers *all, int slot)
{
    return all->committed.now[slot] != INT64_MIN &&
           all->committed.now[slot] != all->after.now[slot];
}

/* Its rows are locked until all is applied. */
static void want_rows(Onlookers *all)
{
    if (txn_session_current(all->waiter))
        return;
    Txn *txn = begin(all->waiter, ISOLATION_READ_COMMITTED);
    for (int i = 0; i < SLOTS; i++)
        if (is_changed(all, i))
            assert_int_equal(
                lock_row(txn, all->committed.row[i], ROW_LOCK_KEY_SHARE, LOCK_TRY, NULL),
                ROW_LOCK_WOULD_BLOCK);
}

/* A snapshot that hides the commit finds its rows changed, once it gets them. */
static void get_rows(Onlookers *all)
{
    Txn *txn = txn_session_current(all->waiter);

    for (int i = 0; i < SLOTS; i++) {
        int64_t number = INT64_MIN;
        if (all->committed.now[i] == INT64_MIN)
            continue;
        const RowLockOutcome outcome =
            lock_row(txn, all->committed.row[i], ROW_LOCK_UPDATE, LOCK_NOWAIT, &number);
        if (!is_changed(all, i))
            assert_int_equal(outcome, ROW_LOCK_LOCKED);
        else
            assert_int_equal(outcome,
                             all->after.now[i] == INT64_MIN ? ROW_LOCK_GONE : ROW_LOCK_CHANGED);
        if (outcome == ROW_LOCK_CHANGED)
            assert_int_equal(number, all->after.now[i]);
    }
    txn_rollback(txn);
}

/* Under REPEATABLE READ that is 40001. */
static void fail_to_get_rows(Onlookers *all)
{
    if (!all->held.txn || dice(&all->seed, 3) != 0)
        return;
    for (int i = 0; i < SLOTS; i++) {
        if (!is_changed(all, i) || all->held.model.row[i] != all->committed.row[i])
            continue;
        assert_int_equal(
            lock_row(all->held.txn, all->committed.row[i], ROW_LOCK_UPDATE, LOCK_NOWAIT, NULL),
            ROW_LOCK_FAILED);
        assert_int_equal(error_fields()->sqlstate, ERR_T_R_SERIALIZATION_FAILURE);
        error_clear();
    }
    txn_rollback(all->held.txn);
    all->held.txn = NULL;
}

static void look_between(void)
{
    if (dice(&onlookers->seed, 12) != 0)
        return;
    fault_at_apply = NULL; /* their own commits are nothing to look at */
    onlookers->looks++;
    look(onlookers);
    look_idly(onlookers);
    want_rows(onlookers);
    fault_at_apply = look_between;
}

/* Changes, deletes and adds rows; what was deleted stays so. */
static void change_many(Txn *txn, uint32_t *seed, Model *model)
{
    for (int slot = 0; slot < SLOTS; slot++) {
        const int64_t number = dice(seed, 1000000), old = model->now[slot];
        if (dice(seed, 3) == 0)
            continue;
        if (old != INT64_MIN)
            assert_int_equal(lock_row(txn, model->row[slot], ROW_LOCK_UPDATE, LOCK_NOWAIT, NULL),
                             ROW_LOCK_LOCKED);
        if (old == INT64_MIN)
            model->row[slot] = insert(txn, number, "row");
        else
            update_row(txn, model->row[slot], old, dice(seed, 3) == 0 ? INT64_MIN : number);
        ok(txn_statement_begin(txn));
        model->now[slot] = fetch_number(txn, txn_snapshot(txn), model->row[slot]);
    }
}

static void check_onlookers(Fixture *fixture, uint32_t seed)
{
    Onlookers *all = calloc(1, sizeof(*all));
    TxnSession **sessions[] = {&all->large,  &all->small, &all->holder,
                               &all->reader, &all->idler, &all->waiter};

    uint32_t met = 0;

    onlookers = all;
    all->seed = seed;
    for (int i = 0; i < SLOTS; i++)
        all->committed.now[i] = INT64_MIN;
    for (size_t i = 0; i < ARRAY_LENGTH(sessions); i++)
        *sessions[i] = txn_session_open(fixture->manager, (int32_t)i + 1);
    commit_small(all);
    for (int round = 0; round < 12; round++) {
        all->after = all->committed;
        Txn *txn = begin(all->large, ISOLATION_READ_COMMITTED);
        change_many(txn, &all->seed, &all->after);
        fault_at_apply = look_between;
        commit(txn);
        fault_at_apply = NULL;
        if (txn_session_current(all->waiter)) { /* somebody has looked */
            get_rows(all);
            fail_to_get_rows(all);
            end_idling(all);
            met++;
        }
        all->committed = all->after;
        look(all);
    }
    assert_true(all->looks > 50 && met > 4);
    for (size_t i = 0; i < ARRAY_LENGTH(sessions); i++)
        txn_session_close(*sessions[i]);
    free(all);
}

static void others_go_on_while_a_large_commit_is_applied(void **state)
{
    Fixture *fixture = *state;
    fixture_call_large(fixture, 16);
    check_onlookers(fixture, 1);
}

/* From temporary pages, and by whole leaves. */
static void and_while_a_spilled_one_is(void **state)
{
    Fixture *fixture = *state;
    fixture_call_large(fixture, 16);
    fixture_limit_write_sets(fixture, 1500);
    check_onlookers(fixture, 2);
}

/* ------------------------------------------------------------------ entries of large commits */

#define RUN_ROWS 600

typedef struct AgedReader {
    TxnSession *session;
    Txn *txn;
    int64_t sum, count;
} AgedReader;

typedef struct AgedRows {
    TxnSession *writer;
    int64_t ids[RUN_ROWS], numbers[RUN_ROWS]; /* INT64_MIN: gone */
    AgedReader readers[16];
    uint32_t reader_count;
} AgedRows;

/* Gives each `step`th row that is there another number, or takes it away, in one transaction. */
static void rows_change(AgedRows *rows, uint32_t step, int64_t add)
{
    Txn *txn = begin(rows->writer, ISOLATION_READ_COMMITTED);

    for (uint32_t i = 0; i < RUN_ROWS; i += step) {
        const int64_t old = rows->numbers[i];
        if (old == INT64_MIN)
            continue;
        rows->numbers[i] = add == INT64_MIN ? INT64_MIN : old + add;
        update_row(txn, rows->ids[i], old, rows->numbers[i]);
    }
    commit(txn);
}

/* One that reads what is there now for as long as it lives. */
static void reader_add(Fixture *fixture, AgedRows *rows)
{
    AgedReader *reader = &rows->readers[rows->reader_count++];

    *reader = (AgedReader){0};
    reader->session = txn_session_open(fixture->manager, 100 + (int32_t)rows->reader_count);
    reader->txn = begin(reader->session, ISOLATION_REPEATABLE_READ);
    for (uint32_t i = 0; i < RUN_ROWS; i++) {
        reader->sum += rows->numbers[i] == INT64_MIN ? 0 : rows->numbers[i];
        reader->count += rows->numbers[i] != INT64_MIN;
    }
    txn_snapshot(reader->txn);
}

static void readers_check(const AgedRows *rows)
{
    for (uint32_t i = 0; i < rows->reader_count; i++) {
        const AgedReader *reader = &rows->readers[i];
        const Snapshot *snapshot = txn_snapshot(reader->txn);
        int64_t count;
        assert_int_equal(scan_sum(reader->txn, snapshot, &count), reader->sum);
        assert_int_equal(count, reader->count);
        assert_int_equal(index_sum(reader->txn, snapshot, SCAN_FORWARD, &count), reader->sum);
        assert_int_equal(count, reader->count);
        assert_int_equal(index_sum(reader->txn, snapshot, SCAN_BACKWARD, &count), reader->sum);
        assert_int_equal(count, reader->count);
    }
}

static void readers_end(AgedRows *rows)
{
    for (uint32_t i = 0; i < rows->reader_count; i++) {
        txn_rollback(rows->readers[i].txn);
        txn_session_close(rows->readers[i].session);
    }
    rows->reader_count = 0;
}

static AgedRows *rows_new(Fixture *fixture)
{
    AgedRows *rows = calloc(1, sizeof(*rows));

    fixture_call_large(fixture, 64);
    fixture_limit_write_sets(fixture, 16000);
    rows->writer = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(rows->writer, ISOLATION_READ_COMMITTED);
    for (uint32_t i = 0; i < RUN_ROWS; i++)
        rows->ids[i] = insert(txn, rows->numbers[i] = i, "a row");
    commit(txn);
    return rows;
}

static void rows_free(AgedRows *rows)
{
    txn_session_close(rows->writer);
    free(rows);
}

/*
 * An entry's changes lie in the runs of large commits, which every index may have a few of, and in
 * its history, which small commits make, and large ones where there are runs enough.
 */
static void readers_of_every_age_see_the_entries_of_their_time(void **state)
{
    Fixture *fixture = *state;
    AgedRows *rows = rows_new(fixture);
    EntryRuns *runs = version_entry_runs(fixture->manager->versions);

    reader_add(fixture, rows);
    rows_change(rows, 1, 1000000);
    assert_int_equal(atomic_load(&runs->count), 1);
    reader_add(fixture, rows);
    rows_change(rows, 50, 5); /* small: there and back */
    reader_add(fixture, rows);
    rows_change(rows, 50, -5);
    reader_add(fixture, rows);
    rows_change(rows, 1, -1000000);
    reader_add(fixture, rows);
    rows_change(rows, 3, INT64_MIN);
    reader_add(fixture, rows);
    assert_int_equal(atomic_load(&runs->count), 3);
    for (int i = 0; i < 4; i++) {
        rows_change(rows, 1, 2000000);
        reader_add(fixture, rows);
        rows_change(rows, 1, -2000000);
        reader_add(fixture, rows);
    }
    assert_int_equal(atomic_load(&runs->count), ENTRY_RUNS_OF_INDEX);
    readers_check(rows);
    readers_end(rows);
    for (int i = 0; i < 200; i++)
        rows_change(rows, RUN_ROWS / 2 - 1, i % 2 == 0 ? 7 : -7);
    assert_int_equal(atomic_load(&runs->count), 0);
    assert_int_equal(entry_runs_bytes(runs), 0);
    reader_add(fixture, rows);
    readers_check(rows);
    readers_end(rows);
    rows_free(rows);
}

/* No history for each: an entry costs its key, and little more. */
static void entries_changed_at_once_cost_their_keys(void **state)
{
    enum { CHANGED = 2 * RUN_ROWS, KEY_SIZE = 16 };
    Fixture *fixture = *state;
    AgedRows *rows = rows_new(fixture);
    EntryRuns *runs = version_entry_runs(fixture->manager->versions);

    reader_add(fixture, rows);
    rows_change(rows, 1, 1000000);
    assert_in_range(entry_runs_bytes(runs), CHANGED * KEY_SIZE, CHANGED * (KEY_SIZE + 4) + 17000);
    readers_check(rows);
    readers_end(rows);
    rows_free(rows);
}

/* How this program ends when it runs one of its tests, with or without the fault. */
static int status_of(const char *test, const char *fault)
{
    int status;

    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
            execl("/proc/self/exe", "test_txn_visibility", test, fault, (char *)NULL);
        _exit(126);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Where snapshots have a large commit before all of it is applied, the tests above fail. */
static void without_hiding_large_commits_are_noticed(void **state)
{
    const char *const tests[] = {"others_go_on_while_a_large_commit_is_applied",
                                 "and_while_a_spilled_one_is"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(tests); i++) {
        assert_int_equal(status_of(tests[i], NULL), 0);
        assert_int_not_equal(status_of(tests[i], "unhidden"), 0);
    }
}

static void a_spilled_write_set_reads_and_commits_as_any(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 20000);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    int64_t sum = 0, count;

    for (int64_t i = 0; i < 5000; i++, sum += i - 1)
        insert(txn, i, "some text that is long enough to be worth spilling to a page, as it were");
    ok(txn_statement_begin(txn));
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), sum);
    assert_int_equal(count, 5000);
    commit(txn);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(scan_sum(txn, txn_snapshot(txn), &count), sum);
    txn_rollback(txn);
    txn_session_close(session);
}

static void expect_sums(Txn *txn, const Snapshot *snapshot, int64_t sum, int64_t rows)
{
    int64_t count;

    assert_int_equal(scan_sum(txn, snapshot, &count), sum);
    assert_int_equal(count, rows);
    assert_int_equal(index_sum(txn, snapshot, SCAN_FORWARD, &count), sum);
    assert_int_equal(count, rows);
    assert_int_equal(index_sum(txn, snapshot, SCAN_BACKWARD, &count), sum);
    assert_int_equal(count, rows);
}

/* Two loads side by side, with changes of their own rows, others' rows and savepoints. */
static void loads_into_a_table_are_grafted(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 30000);
    TxnSession *sessions[3];
    int64_t rows[2][3000], sum = 0, own[2] = {0};
    TxnSavepoint savepoint;

    for (int i = 0; i < 3; i++)
        sessions[i] = txn_session_open(fixture->manager, i + 1);
    Txn *first = begin(sessions[2], ISOLATION_READ_COMMITTED);
    for (int64_t i = 0; i < 300; i++, sum += (i - 1) * 100)
        insert(first, i * 100, fixture_text);
    commit(first);
    Txn *reader = begin(sessions[2], ISOLATION_REPEATABLE_READ);
    expect_sums(reader, txn_snapshot(reader), sum, 300);
    Txn *loads[2] = {begin(sessions[0], ISOLATION_READ_COMMITTED),
                     begin(sessions[1], ISOLATION_READ_COMMITTED)};
    for (int64_t i = 0; i < 3000; i++) {
        for (int64_t load = 0; load < 2; load++) {
            if (load == 0 && i == 1000)
                ok(txn_savepoint(loads[0], &savepoint));
            /* The second's keys lie among those that there are. */
            const int64_t number = load == 0 ? 1000000 + i : i * 10 + 1;
            if (i % 500 == 0)
                ok(txn_statement_begin(loads[load]));
            rows[load][i] = insert(loads[load], number, fixture_text);
            own[load] += number;
        }
        if (i == 2000) {
            assert_true(is_built(loads[0], TABLE) && is_built(loads[0], INDEX));
            txn_rollback_to(loads[0], savepoint);
            for (int64_t k = 1000; k <= 2000; k++)
                own[0] -= 1000000 + k;
        }
    }
    for (int64_t i = 0; i < 1000; i += 7) {
        update_row(loads[0], rows[0][i], 1000000 + i, i % 2 ? 2000000 + i : INT64_MIN);
        own[0] += i % 2 ? 1000000 : -1000000 - i;
    }
    for (int load = 0; load < 2; load++) {
        ok(txn_statement_begin(loads[load]));
        const int64_t loaded = load == 0 ? 1999 - 72 : 3000;
        expect_sums(loads[load], txn_snapshot(loads[load]), sum + own[load], 300 + loaded);
    }
    commit(loads[0]);
    expect_sums(reader, txn_snapshot(reader), sum, 300);
    commit(loads[1]);
    expect_sums(reader, txn_snapshot(reader), sum, 300);
    txn_rollback(reader);
    for (int again = 0; again < 2; again++) {
        Txn *txn = begin(sessions[2], ISOLATION_READ_COMMITTED);
        expect_sums(txn, txn_snapshot(txn), sum + own[0] + own[1], 300 + 1999 - 72 + 3000);
        txn_rollback(txn);
        for (int i = 0; i < 3; i++)
            txn_session_close(sessions[i]);
        fixture_reopen(fixture, STORE_CLOSE_ABORT); /* once from the log */
        for (int i = 0; i < 3; i++)
            sessions[i] = txn_session_open(fixture->manager, i + 1);
    }
    for (int i = 0; i < 3; i++)
        txn_session_close(sessions[i]);
}

/* What was built since a savepoint goes as a whole, and what comes then is built anew. */
static void a_load_taken_back_goes_unread(void **state)
{
    Fixture *fixture = *state;
    fixture_limit_write_sets(fixture, 30000);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnSavepoint savepoint;
    int64_t sum = 0, count = 0;

    ok(txn_savepoint(txn, &savepoint));
    for (int round = 0; round < 3; round++) {
        ok(txn_statement_begin(txn));
        for (int64_t i = 0; i < 3000; i++)
            insert(txn, 1000 + i, fixture_text);
        assert_true(is_built(txn, TABLE) && is_built(txn, INDEX));
        txn_rollback_to(txn, savepoint);
        assert_false(is_built(txn, TABLE) || is_built(txn, INDEX));
        ok(txn_statement_begin(txn));
        expect_sums(txn, txn_snapshot(txn), sum, count);
    }
    for (int64_t i = 0; i < 3000; i++, count++, sum += 1000 + i - 1)
        insert(txn, 1000 + i, fixture_text);
    assert_true(is_built(txn, TABLE) && is_built(txn, INDEX));
    commit(txn);
    for (int again = 0; again < 2; again++) {
        txn = begin(session, ISOLATION_READ_COMMITTED);
        expect_sums(txn, txn_snapshot(txn), sum, count);
        txn_rollback(txn);
        txn_session_close(session);
        if (again == 0)
            fixture_reopen(fixture, STORE_CLOSE_ABORT); /* once from the log */
        session = again == 0 ? txn_session_open(fixture->manager, 1) : NULL;
    }
}

/* What a scan of the index that began before a rollback to a savepoint has read and still reads. */
typedef struct OpenScan {
    IndexScan *scan;
    ScanDirection direction;
    int64_t last, count;
} OpenScan;

/* The next `most` numbers, in order, none of them one that has been taken back. */
static void read_on(OpenScan *open, int64_t most, bool is_taken_back)
{
    IndexEntry entry;
    ScanOutcome outcome = SCAN_ROWS;

    while (most-- > 0 && (outcome = index_scan_next(open->scan, &entry)) == SCAN_ROWS) {
        uint64_t bytes;
        memcpy(&bytes, entry.key.data, 8);
        const int64_t number = (int64_t)(__builtin_bswap64(bytes) ^ (UINT64_C(1) << 63));
        assert_true(open->count == 0 || (open->direction == SCAN_FORWARD) == (number > open->last));
        assert_true(!is_taken_back || number % 100 == 0);
        open->last = number;
        open->count++;
    }
    ok(outcome != SCAN_FAILED);
}

/*
 * Scans that stand on built entries when these are taken back: some of what was built or, where
 * nothing was before the savepoint, all of it, with the leaves that they stand on.
 */
static void check_scans_over_rollback(Fixture *fixture, bool built_before)
{
    enum { BEFORE = 2000, SCANS = 2 };
    TxnSession *session = txn_session_open(fixture->manager, 1);
    OpenScan scans[SCANS] = {{.direction = SCAN_FORWARD}, {.direction = SCAN_BACKWARD}};
    TxnSavepoint savepoint;

    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    for (int64_t i = 0; i < BEFORE; i++)
        insert(txn, i * 100, fixture_text);
    if (!built_before) {
        commit(txn);
        txn = begin(session, ISOLATION_READ_COMMITTED);
    }
    ok(txn_statement_begin(txn));
    assert_int_equal(is_built(txn, INDEX), built_before);
    ok(txn_savepoint(txn, &savepoint));
    for (int64_t i = 0; i < 20 * BEFORE; i++)
        if (i % 20 != 0)
            insert(txn, i * 5, fixture_text);
    assert_true(is_built(txn, TABLE) && is_built(txn, INDEX));
    ok(txn_statement_begin(txn));
    TxnTree *index = open_tree(txn, INDEX);
    for (int i = 0; i < SCANS; i++) {
        scans[i].scan =
            index_scan_open(txn, txn_snapshot(txn), index,
                            &(IndexScanSpec){.direction = scans[i].direction}, fixture->arena);
        read_on(&scans[i], 10, false);
        assert_int_equal(scans[i].count, 10);
    }
    txn_rollback_to(txn, savepoint);
    assert_int_equal(is_built(txn, INDEX), built_before);
    for (int i = 0; i < SCANS; i++) {
        read_on(&scans[i], INT64_MAX, true);
        /* All but the first of them: ten were read, of which one lay before the savepoint. */
        assert_int_equal(scans[i].count - 10, i == 0 ? BEFORE - 1 : BEFORE);
    }
    txn_tree_close(index);
    txn_rollback(txn);
    /* Portals are closed when their transaction has ended. */
    for (int i = 0; i < SCANS; i++)
        index_scan_close(scans[i].scan);
    txn_session_close(session);
}

static void a_scan_goes_on_where_what_it_stands_on_is_taken_back(void **state)
{
    Fixture *fixture = *state;

    fixture_limit_write_sets(fixture, 30000);
    check_scans_over_rollback(fixture, true);
    check_scans_over_rollback(fixture, false);
}

/* ------------------------------------------------------------------ locks before the disk */

typedef enum Guard { GUARD_NONE = 0, GUARD_TABLE, GUARD_ADVISORY, GUARD_ROW } Guard;

static void take_guard(Txn *txn, Guard guard, int64_t row)
{
    const AdvisoryKey key = {.key = 7};

    if (guard == GUARD_TABLE)
        assert_int_equal(
            lock_relation(txn, HOME, TABLE, LOCK_SHARE_ROW_EXCLUSIVE, LOCK_TRY, STR("accounts")),
            LOCK_GRANTED);
    if (guard == GUARD_ADVISORY)
        assert_int_equal(
            lock_advisory(txn, HOME, key, ADVISORY_TRANSACTION, ADVISORY_EXCLUSIVE, LOCK_TRY),
            LOCK_GRANTED);
    if (guard == GUARD_ROW)
        assert_int_not_equal(lock_row(txn, row, ROW_LOCK_UPDATE, LOCK_TRY, NULL), ROW_LOCK_FAILED);
}

/* Locks go before the log is on disk, and without them a snapshot sees what is there alone. */
static void who_gets_a_lock_sees_what_was_committed_under_it(void **state)
{
    Fixture *fixture = *state;
    TxnSession *a = txn_session_open(fixture->manager, 1);
    TxnSession *b = txn_session_open(fixture->manager, 2);
    Txn *writer = begin(a, ISOLATION_READ_COMMITTED);
    const int64_t row = insert(writer, 1, "one");
    int64_t sum = 1;

    commit(writer);
    fault_slow_log = true;
    for (Guard guard = GUARD_NONE; guard <= GUARD_ROW; guard++) {
        Txn *reader = begin(b, ISOLATION_READ_COMMITTED);
        writer = begin(a, ISOLATION_READ_COMMITTED);
        take_guard(writer, guard, row);
        if (guard == GUARD_ROW)
            update_row(writer, row, 1, 2);
        insert(writer, 10, "ten");
        ok(txn_commit(writer));
        take_guard(reader, guard, row);
        ok(txn_statement_begin(reader));
        const int64_t seen = scan_sum(reader, txn_snapshot(reader), NULL);
        assert_true(wal_flushed(fixture->manager->wal) < a->last_commit_lsn);
        assert_int_equal(seen - sum, guard == GUARD_NONE ? 0 : guard == GUARD_ROW ? 11 : 10);
        assert_true(guard == GUARD_NONE || b->reply_lsn >= a->last_commit_lsn);
        txn_rollback(reader);
        ok(txn_wait_durable(a));
        sum += guard == GUARD_ROW ? 11 : 10;
    }
    fault_slow_log = false;
    txn_session_close(a);
    txn_session_close(b);
}

/* With the name of a test that one alone, and without what hides large commits if more is said. */
int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_statement_sees_what_earlier_commands_wrote),
        TEST(nobody_else_sees_what_is_not_committed),
        TEST(an_old_snapshot_finds_changed_and_deleted_rows),
        TEST(who_gets_a_lock_sees_what_was_committed_under_it),
        TEST(a_savepoint_brings_back_what_was),
        TEST(every_read_of_a_random_history_is_the_models),
        TEST(so_is_every_read_of_write_sets_that_spill),
        TEST(others_go_on_while_a_large_commit_is_applied),
        TEST(and_while_a_spilled_one_is),
        TEST(readers_of_every_age_see_the_entries_of_their_time),
        TEST(entries_changed_at_once_cost_their_keys),
        cmocka_unit_test(without_hiding_large_commits_are_noticed),
        TEST(a_spilled_write_set_reads_and_commits_as_any),
        TEST(loads_into_a_table_are_grafted),
        TEST(a_load_taken_back_goes_unread),
        TEST(a_scan_goes_on_where_what_it_stands_on_is_taken_back),
    };
    fault_no_hide = argc > 2;
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
