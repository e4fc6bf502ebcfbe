/*
 * Pages damaged on disk: a commit that would touch one fails before anything has happened, recovery
 * goes on without it, and nobody is ever given what is not right.
 */
#include <fcntl.h>
#include <unistd.h>

#include "storage/leaf_page.h"
#include "storage/node.h"
#include "storage/verify.h"
#include "txn/txn_internal.h"
#include "txn_fixture.h"

#define ROWS 3000

typedef bool PageTest(const byte *page);

/* Turns a bit over in every image of the data file that the test is true for, old ones too. */
static uint32_t damage(const Fixture *fixture, PageTest *is_wanted)
{
    char path[128];
    byte page[PAGE_SIZE];
    uint32_t count = 0;

    snprintf(path, sizeof(path), "%s/pages", fixture->path);
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    for (off_t at = PAGE_SIZE; pread(fd, page, PAGE_SIZE, at) == PAGE_SIZE; at += PAGE_SIZE) {
        DatabaseId database;
        memcpy(&database, page + 2 * sizeof(uint32_t), sizeof(database));
        if (database != HOME || !is_wanted(page))
            continue;
        page[PAGE_SIZE - 100] ^= 4;
        assert_int_equal(pwrite(fd, page, PAGE_SIZE, at), PAGE_SIZE);
        count++;
    }
    close(fd);
    return count;
}

/* The index's last leaf; those of tree directories have short keys and no lower fence. */
static bool is_last_entry_leaf(const byte *bytes)
{
    const Node *node = (const Node *)bytes;

    return node->header.kind == NODE_SLOTTED_LEAF && !node_has_upper(node) &&
           node_lower(node).length > 0;
}

static bool is_middle_leaf(const byte *bytes)
{
    const LeafPage *leaf = (const LeafPage *)bytes;

    return leaf->header.kind == NODE_TABLE_LEAF && leaf->low <= ROWS / 2 && leaf->high >= ROWS / 2;
}

static bool is_overflow(const byte *bytes)
{
    return ((const NodeHeader *)bytes)->kind == NODE_OVERFLOW;
}

static void fill(Fixture *fixture)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    char text[200];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int64_t i = 1; i <= ROWS; i++)
        assert_int_equal(insert(txn, i, text), i);
    commit(txn);
    txn_session_close(session);
}

static void close_store(Fixture *fixture, StoreClose how)
{
    txn_manager_close(fixture->manager);
    ok(store_close(fixture->store, how));
}

static void assert_damaged(bool result)
{
    assert_false(result);
    assert_int_equal(error_fields()->sqlstate, ERR_DATA_CORRUPTED);
    error_clear();
}

/* Entries that an index scan gives, or -1 with XX001. */
static int64_t count_entries(Txn *txn, Str low)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("entries");
    TxnTree *index = open_tree(txn, INDEX);
    IndexEntry entry;
    ScanOutcome outcome;
    int64_t count = 0;

    IndexScan *scan = index_scan_open(txn, txn_snapshot(txn), index,
                                      &(IndexScanSpec){.low = low, .high = STR_NONE}, arena);
    ok(scan != NULL);
    while ((outcome = index_scan_next(scan, &entry)) == SCAN_ROWS)
        count++;
    index_scan_close(scan);
    txn_tree_close(index);
    if (outcome == SCAN_END)
        return count;
    assert_damaged(outcome);
    return -1;
}

static void an_entry_for_a_damaged_leaf_is_refused(void **state)
{
    Fixture *fixture = *state;
    int64_t count;

    fill(fixture);
    close_store(fixture, STORE_CLOSE_CLEAN);
    assert_true(damage(fixture, is_last_entry_leaf) > 0);
    fixture_open(fixture);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    for (int round = 0; round < 2; round++) {
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        TxnTree *index = open_tree(txn, INDEX);
        assert_damaged(txn_index_insert(txn, index, number_key(fixture->arena, ROWS + 1), 7));
        txn_tree_close(index);
        txn_rollback(txn);
        txn = begin(session, ISOLATION_READ_COMMITTED);
        insert(txn, -1, "goes elsewhere");
        commit(txn);
    }
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    scan_sum(txn, txn_snapshot(txn), &count);
    assert_int_equal(count, ROWS + 2);
    assert_int_equal(count_entries(txn, STR("")), -1);
    txn_rollback(txn);
    txn_session_close(session);
}

/* A value that takes many pages, packed or not. */
static int64_t insert_large(Fixture *fixture)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    char *text = calloc(1, 100000);
    uint32_t state = 1;

    for (uint32_t i = 0; i < 99999; i++) {
        state = state * 1664525u + 1013904223u;
        text[i] = (char)('a' + (state >> 24) % 26);
    }
    const int64_t row_id = insert(txn, ROWS + 1, text);
    commit(txn);
    txn_session_close(session);
    free(text);
    return row_id;
}

typedef bool Change(Txn *txn, TxnTree *table, int64_t row_id);

static bool put_row(Txn *txn, TxnTree *table, int64_t row_id)
{
    return writes_add(txn, table, (uint64_t)row_id, STR_NONE, WRITE_PUT,
                      row_image(txn->arena, 5, "a row"), true);
}

/* Nobody has read the row: the commit is the first to come to its pages. */
static void a_commit_that_comes_to_damage_fails_and_others_go_on(void **state)
{
    static Change *const changes[] = {txn_delete, put_row, txn_delete};
    Fixture *fixture = *state;

    fill(fixture);
    const int64_t large = insert_large(fixture);
    close_store(fixture, STORE_CLOSE_CLEAN);
    assert_true(damage(fixture, is_middle_leaf) > 0);
    assert_true(damage(fixture, is_overflow) > 0);
    fixture_open(fixture);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    for (int i = 0; i < 3; i++) {
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        TxnTree *table = open_tree(txn, TABLE);
        ok(changes[i](txn, table, i == 2 ? large : ROWS / 2));
        insert(txn, ROWS + 10, "not without the rest");
        txn_tree_close(table);
        assert_damaged(txn_commit(txn));
        txn_rollback(txn);
        txn = begin(session, ISOLATION_READ_COMMITTED);
        insert(txn, ROWS + 20, "goes elsewhere");
        commit(txn);
    }
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(count_entries(txn, number_key(fixture->arena, ROWS + 2)), 3);
    txn_rollback(txn);
    txn_session_close(session);
}

typedef struct DamageList {
    uint32_t count;
    TreeDamage items[4];
} DamageList;

static void note_damage(void *context, const TreeDamage *damage)
{
    DamageList *list = context;

    assert_true(list->count < 4);
    list->items[list->count++] = *damage;
}

/* The damaged leaf's rows by their range, and the row whose value is damaged; no others. */
static void damage_is_told_by_the_rows_it_takes(void **state)
{
    Fixture *fixture = *state;
    DamageList list = {0};
    int64_t lost = 0;

    fill(fixture);
    const int64_t large = insert_large(fixture);
    close_store(fixture, STORE_CLOSE_CLEAN);
    assert_int_equal(damage(fixture, is_middle_leaf), 1);
    assert_true(damage(fixture, is_overflow) > 0);
    fixture_open(fixture);
    Tree *tree = tree_open(store_database(fixture->store, HOME), TABLE);
    ok(tree != NULL && tree_list_damage(tree, note_damage, &list));
    assert_int_equal(list.count, 2);
    assert_false(list.items[0].is_value);
    assert_true(list.items[1].is_value);
    assert_int_equal(list.items[1].first_row_id, large);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(txn, TABLE);
    for (int64_t row_id = 1; row_id <= ROWS; row_id++) {
        const uint16_t column = 0;
        Value value;
        bool is_null;
        const bool is_told = (uint64_t)row_id >= list.items[0].first_row_id &&
                             (uint64_t)row_id <= list.items[0].last_row_id;
        const bool is_read = txn_fetch(txn, txn_snapshot(txn), table, row_id, &column, 1, &value,
                                       &is_null, fixture->arena) == FETCH_ROW;
        assert_true(is_read != is_told);
        lost += is_told;
        if (!is_read) {
            const Str rows = tree_damage_text(&list.items[0]);
            assert_int_not_equal(str_find(error_fields()->detail, rows, 0), SIZE_MAX);
            assert_damaged(false);
        }
    }
    assert_in_range(lost, 2, ROWS / 4);
    txn_tree_close(table);
    txn_rollback(txn);
    txn_session_close(session);
}

/* What is in the log for a page that is damaged is lost with it; all the rest is there. */
static void recovery_goes_on_without_a_damaged_page(void **state)
{
    Fixture *fixture = *state;
    int64_t count;

    fill(fixture);
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    for (int64_t i = 1; i <= 20; i++) {
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        insert(txn, i % 2 ? ROWS + i : -i, "in the log");
        commit(txn);
    }
    txn_session_close(session);
    close_store(fixture, STORE_CLOSE_ABORT);
    const uint32_t images = damage(fixture, is_last_entry_leaf);
    assert_true(images > 0);
    for (int round = 0; round < 3; round++) {
        fixture_open(fixture);
        const StoreRecovery recovery = store_recovery(fixture->store);
        assert_int_equal(recovery.damaged_pages, round == 0);
        assert_int_equal(recovery.lost_changes, round == 0 ? 10 : 0);
        assert_true(str_is_none(store_damage(fixture->store, 0)) == (round > 0));
        session = txn_session_open(fixture->manager, 1);
        Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
        scan_sum(txn, txn_snapshot(txn), &count);
        assert_int_equal(count, ROWS + 20);
        assert_int_equal(fetch_number(txn, txn_snapshot(txn), ROWS + 1), ROWS + 1);
        assert_int_equal(count_entries(txn, STR("")), -1);
        txn_rollback(txn);
        txn_session_close(session);
        close_store(fixture, STORE_CLOSE_CLEAN);
        /* The old bytes turn up again: they are not what the page should be. */
        if (round == 1)
            assert_true(damage(fixture, is_last_entry_leaf) >= images);
    }
    fixture_open(fixture);
}

/* ------------------------------------------------------------------ found by the apply itself */

typedef struct Notices {
    uint32_t count;
    SqlState last;
} Notices;

static void note_notice(void *context, const ErrorFields *fields)
{
    Notices *notices = context;

    notices->count++;
    notices->last = fields->sqlstate;
}

/* Commits a change of the row in the middle, which its statement is said to have read. */
static void commit_unread(Fixture *fixture, Notices *notices)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(txn, TABLE);

    ok(writes_add(txn, table, ROWS / 2, STR_NONE, WRITE_PUT, row_image(txn->arena, 5, "a row"),
                  false));
    txn_tree_close(table);
    insert(txn, ROWS + 10, "with the rest");
    task_current()->notice_handler = note_notice;
    task_current()->notice_context = notices;
    commit(txn);
    task_current()->notice_handler = NULL;
    txn_session_close(session);
}

/* The row in the middle is told to be lost; the number of the rows that are not. */
static int64_t rows_but_for_the_middle(Fixture *fixture)
{
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(txn, TABLE);
    const uint16_t column = 0;
    int64_t count = 0;
    Value value;
    bool is_null;

    for (int64_t row_id = 1; row_id <= ROWS; row_id++) {
        if (txn_fetch(txn, txn_snapshot(txn), table, row_id, &column, 1, &value, &is_null,
                      fixture->arena) == FETCH_ROW)
            count++;
        else
            assert_damaged(false);
        if (row_id == ROWS / 2)
            assert_true(count < row_id);
    }
    txn_tree_close(table);
    txn_rollback(txn);
    txn_session_close(session);
    return count;
}

/* It has been damaged since the statement read it: that change is lost with the page, no other. */
static void a_page_that_is_damaged_before_the_apply_is_set_aside(void **state)
{
    Fixture *fixture = *state;
    Notices notices = {0};

    fill(fixture);
    close_store(fixture, STORE_CLOSE_CLEAN);
    const uint32_t images = damage(fixture, is_middle_leaf);
    assert_true(images > 0);
    fixture_open(fixture);
    commit_unread(fixture, &notices);
    assert_int_equal(notices.count, 1);
    assert_int_equal(notices.last, ERR_DATA_CORRUPTED);
    const int64_t count = rows_but_for_the_middle(fixture);
    assert_in_range(count, ROWS / 2, ROWS);
    commit_unread(fixture, &notices); /* as long as the page is there */
    assert_int_equal(notices.count, 2);
    close_store(fixture, STORE_CLOSE_CLEAN);
    /* The old bytes turn up again: they are not what the page should be. */
    assert_true(damage(fixture, is_middle_leaf) >= images);
    for (int round = 0; round < 2; round++) {
        fixture_open(fixture);
        assert_int_equal(rows_but_for_the_middle(fixture), count);
        close_store(fixture, STORE_CLOSE_CLEAN);
    }
    fixture_open(fixture);
}

/* ------------------------------------------------------------------ a disk that cannot read */

static OsOps failing_os;
static const OsOps *sound_os;
static _Atomic int64_t reads_that_fail;
static Store *passing_store;

static bool read_or_fail(File *file, void *buffer, size_t size, uint64_t offset)
{
    if (size != PAGE_SIZE || offset == 0 || atomic_load(&reads_that_fail) <= 0)
        return sound_os->file_read(file, buffer, size, offset);
    atomic_fetch_sub(&reads_that_fail, 1);
    FAIL(ERR_IO_ERROR, .message = STR("could not read file \"pages\": Input/output error"));
}

static void disk_fail(int64_t reads)
{
    sound_os = os;
    failing_os = *os;
    failing_os.file_read = read_or_fail;
    atomic_store(&reads_that_fail, reads);
    os = &failing_os;
}

static void disk_heal(void)
{
    os = sound_os;
}

static bool read_garbled(File *file, void *buffer, size_t size, uint64_t offset)
{
    TRY(sound_os->file_read(file, buffer, size, offset));
    if (size == PAGE_SIZE && offset > 0)
        ((byte *)buffer)[PAGE_SIZE / 2] ^= 1;
    return true;
}

static void begin_to_pass_over(void *passer)
{
    store_aside_begin(passing_store, passer);
}

/* Somebody's commit passes over a change; meanwhile the disk gives another session wrong bytes. */
static void what_others_read_wrongly_is_not_set_aside(void **state)
{
    Fixture *fixture = *state;
    StorePasser passer;

    fill(fixture);
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
    passing_store = fixture->store;
    os->thread_join(os->thread_start("passer", begin_to_pass_over, &passer));
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(txn, TABLE);
    const uint16_t column = 0;
    Value value;
    bool is_null;
    disk_fail(0);
    failing_os.file_read = read_garbled;
    assert_int_equal(txn_fetch(txn, txn_snapshot(txn), table, ROWS / 2, &column, 1, &value,
                               &is_null, fixture->arena),
                     FETCH_FAILED);
    disk_heal();
    assert_damaged(false);
    store_aside_end(fixture->store, &passer);
    txn_tree_close(table);
    assert_int_equal(fetch_number(txn, txn_snapshot(txn), ROWS / 2), ROWS / 2);
    txn_rollback(txn);
    txn_session_close(session);
}

static void an_apply_asks_a_failing_disk_again(void **state)
{
    Fixture *fixture = *state;
    Notices notices = {0};

    fill(fixture);
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    insert(txn, ROWS + 1, "reads the pages where rows are added");
    insert(txn, ROWS + 10, "and entries");
    commit(txn);
    txn_session_close(session);
    disk_fail(2);
    commit_unread(fixture, &notices);
    assert_int_equal(atomic_load(&reads_that_fail), 0);
    disk_heal();
    assert_int_equal(notices.count, 0);
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    assert_int_equal(fetch_number(txn, txn_snapshot(txn), ROWS / 2), 5);
    txn_rollback(txn);
    txn_session_close(session);
}

/* What cannot be read may be whole: it is not set aside, and recovery says what can be done. */
static void recovery_waits_for_a_disk_that_can_be_read(void **state)
{
    Fixture *fixture = *state;
    Notices notices = {0};
    int64_t count;

    fill(fixture);
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
    commit_unread(fixture, &notices);
    close_store(fixture, STORE_CLOSE_ABORT);
    const StoreOptions options = {.pool_bytes = 16u << 20, .wal_ring_bytes = 4u << 20};
    for (int round = 0; round < 2; round++) {
        TxnManager *manager;
        fixture->store = store_open(str_from_c(fixture->path), &options);
        ok(fixture->store != NULL);
        disk_fail(INT64_MAX);
        const bool is_open = txn_manager_open(fixture->store, &fixture->config, &manager);
        disk_heal();
        assert_false(is_open);
        assert_int_equal(error_fields()->sqlstate, ERR_IO_ERROR);
        assert_int_not_equal(str_find(error_fields()->message, STR("could not read page"), 0),
                             SIZE_MAX);
        assert_int_not_equal(str_find(error_fields()->hint, STR("sound disk"), 0), SIZE_MAX);
        error_clear();
        ok(store_close(fixture->store, STORE_CLOSE_ABORT));
    }
    fixture_open(fixture);
    assert_int_equal(store_recovery(fixture->store).damaged_pages, 0);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    scan_sum(txn, txn_snapshot(txn), &count);
    assert_int_equal(count, ROWS + 1);
    assert_int_equal(fetch_number(txn, txn_snapshot(txn), ROWS / 2), 5);
    txn_rollback(txn);
    txn_session_close(session);
}

/* ------------------------------------------------------------------ wrong, though whole */

static PageId found_page;

/* Notes the page's number, and leaves it alone. */
static bool find_last_entry_leaf(const byte *page)
{
    if (is_last_entry_leaf(page))
        memcpy(&found_page, page + sizeof(uint32_t), sizeof(found_page));
    return false;
}

static void recovery_goes_on_past_a_page_of_a_wrong_kind(void **state)
{
    Fixture *fixture = *state;
    Action action;
    Page page;
    int64_t count;

    fill(fixture);
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
    assert_int_equal(damage(fixture, find_last_entry_leaf), 0);
    Database *database = store_database(fixture->store, HOME);
    ok(page_load(database, found_page) && action_begin(database, 1, &action));
    assert_int_equal(page_latch_exclusive(database, found_page, &page), PAGE_OK);
    page_touch(&action, &page);
    ((NodeHeader *)page.data)->kind = NODE_TABLE_LEAF;
    page_unlatch(&page);
    action_end(&action);
    fixture_reopen(fixture, STORE_CLOSE_CLEAN);
    TxnSession *session = txn_session_open(fixture->manager, 1);
    Txn *txn = begin(session, ISOLATION_READ_COMMITTED);
    TxnTree *table = open_tree(txn, TABLE), *index = open_tree(txn, INDEX);
    ok(writes_add(txn, table, ROWS / 2, STR_NONE, WRITE_PUT, row_image(txn->arena, 5, "a"), false));
    ok(writes_add(txn, index, 0, number_key(txn->arena, ROWS + 7), WRITE_PUT, STR_NONE, false));
    txn_tree_close(table);
    txn_tree_close(index);
    Notices notices = {0};
    task_current()->notice_handler = note_notice;
    task_current()->notice_context = &notices;
    commit(txn);
    task_current()->notice_handler = NULL;
    assert_int_equal(notices.count, 1);
    txn_session_close(session);
    fixture_reopen(fixture, STORE_CLOSE_ABORT);
    assert_int_equal(store_recovery(fixture->store).lost_changes, 1);
    assert_false(str_is_none(store_damage(fixture->store, 0)));
    session = txn_session_open(fixture->manager, 1);
    txn = begin(session, ISOLATION_READ_COMMITTED);
    scan_sum(txn, txn_snapshot(txn), &count);
    assert_int_equal(count, ROWS);
    assert_int_equal(fetch_number(txn, txn_snapshot(txn), ROWS / 2), 5);
    assert_int_equal(count_entries(txn, STR("")), -1);
    txn_rollback(txn);
    txn_session_close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_entry_for_a_damaged_leaf_is_refused, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_commit_that_comes_to_damage_fails_and_others_go_on,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(damage_is_told_by_the_rows_it_takes, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(recovery_goes_on_without_a_damaged_page, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_page_that_is_damaged_before_the_apply_is_set_aside,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_others_read_wrongly_is_not_set_aside, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(an_apply_asks_a_failing_disk_again, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(recovery_waits_for_a_disk_that_can_be_read, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(recovery_goes_on_past_a_page_of_a_wrong_kind, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
