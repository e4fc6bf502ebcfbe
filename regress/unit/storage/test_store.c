/* The store with real threads and a real file system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/os.h"
#include "base/sim.h"
#include "storage/superblock.h"
#include "store_workload.h"

static Workload work;

static void remove_store(void)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -rf '%.*s'", STR_ARGS(work.path));
    assert_int_equal(system(command), 0);
}

static int begin(void **state)
{
    static char path[100];

    (void)state;
    memset(&work, 0, sizeof(work));
    snprintf(path, sizeof(path), "/tmp/sengi-test-store-%d", (int)getpid());
    work.path = str_from_c(path);
    remove_store();
    return 0;
}

static int end(void **state)
{
    (void)state;
    remove_store();
    return 0;
}

static void require(bool ok)
{
    if (!ok && error_is_set())
        print_error("error: %.*s\n", STR_ARGS(error_fields()->message));
    if (!ok || work.failed)
        print_error("%s\n", work.why);
    assert_true(ok && !work.failed);
}

static void what_was_written_is_there_after_a_clean_close(void **state)
{
    (void)state;
    work.seed = 1;
    work.steps = 1500;
    require(workload_create(&work));
    workload_run(&work);
    require(workload_check(&work));
    require(store_close(work.store, STORE_CLOSE_CLEAN));
    require(workload_open(&work));
    require(workload_check(&work));
    assert_int_equal(store_recovery(work.store).record_count, 0);
    require(store_close(work.store, STORE_CLOSE_CLEAN));
}

static void what_was_acknowledged_is_there_after_an_abort(void **state)
{
    (void)state;
    work.steps = 400;
    require(workload_create(&work));
    for (uint32_t round = 0; round < 5; round++) {
        work.seed = round + 7;
        workload_run(&work);
        store_close(work.store, STORE_CLOSE_ABORT);
        /* Filled and never written records are lost; they were not acknowledged. */
        require(workload_open(&work));
        require(workload_check(&work));
        const Lsn reached = wal_reserved_end(store_wal(work.store));
        uint32_t kept = 0;
        for (uint32_t i = 0; i < work.history_count; i++) {
            if (work.history[i].end <= reached)
                work.history[kept++] = work.history[i];
        }
        work.history_count = kept;
    }
    store_close(work.store, STORE_CLOSE_ABORT);
}

static void a_directory_in_use_is_refused(void **state)
{
    const StoreOptions options = workload_options();

    (void)state;
    require(workload_create(&work));
    assert_null(store_open(work.path, &options));
    assert_int_equal(error_fields()->sqlstate, ERR_LOCK_FILE_EXISTS);
    error_clear();
    require(store_close(work.store, STORE_CLOSE_CLEAN));
    assert_false(store_create(work.path));
    assert_int_equal(error_fields()->sqlstate, ERR_DUPLICATE_FILE);
    error_clear();
}

/* As if written in that format. */
static void set_format(Superblock *block, uint32_t version)
{
    char path[200];

    block->format_version = version;
    block->crc = crc32c(0, block, offsetof(Superblock, crc));
    snprintf(path, sizeof(path), "%.*s/superblock", STR_ARGS(work.path));
    File *file = os->file_open(str_from_c(path), OS_WRITE);
    assert_non_null(file);
    for (uint64_t copy = 0; copy < 4; copy++)
        require(os->file_write(file, block, sizeof(*block), copy * 4096));
    os->file_close(file);
}

static void the_format_before_is_read_and_others_are_not(void **state)
{
    const uint32_t others[] = {STORE_FORMAT_VERSION + 1, STORE_FORMAT_OLDEST - 1};
    const StoreOptions options = workload_options();
    Superblock block;
    uint32_t version;

    (void)state;
    work.steps = 100;
    require(workload_create(&work));
    workload_run(&work);
    require(store_close(work.store, STORE_CLOSE_CLEAN));
    require(superblock_read(work.path, &block));
    set_format(&block, STORE_FORMAT_OLDEST);
    require(store_format_version(work.path, &version));
    assert_int_equal(version, STORE_FORMAT_OLDEST);
    require(workload_open(&work)); /* before its first record, so that older servers refuse it */
    require(store_format_version(work.path, &version));
    assert_int_equal(version, STORE_FORMAT_VERSION);
    require(workload_check(&work));
    require(store_close(work.store, STORE_CLOSE_CLEAN));
    require(superblock_read(work.path, &block));
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        set_format(&block, others[i]);
        assert_false(store_format_version(work.path, &version));
        assert_int_equal(error_fields()->sqlstate, ERR_OBJECT_NOT_IN_PREREQUISITE_STATE);
        error_clear();
        assert_null(store_open(work.path, &options));
        assert_int_equal(error_fields()->sqlstate, ERR_OBJECT_NOT_IN_PREREQUISITE_STATE);
        error_clear();
    }
}

static void a_clone_shares_pages_until_one_side_writes(void **state)
{
    const PairRecord change = {0, 4711};
    uint32_t value;

    (void)state;
    work.seed = 3;
    work.steps = 300;
    require(workload_create(&work));
    workload_run(&work);
    require(checkpoint_request(work.store, CHECKPOINT_WAIT));
    const Lsn until = wal_reserved_end(store_wal(work.store));
    StoreStatistics before, after;
    store_statistics(work.store, &before);
    Database *source = store_database(work.store, DATABASE_SHARED);
    Database *clone = database_clone(work.store, 5, source);
    require(clone != NULL);
    store_statistics(work.store, &after);
    assert_true(after.slots_used <= before.slots_used + 2);
    require(workload_check_pairs(&work, clone, until));
    require(pair_apply(clone, &change));
    require(pair_read(&work, clone, 0, &value));
    assert_int_equal(value, 4711);
    require(workload_check_pairs(&work, source, until));
    require(store_close(work.store, STORE_CLOSE_CLEAN));

    require(workload_open(&work)); /* verifies checksums and reference counts */
    clone = store_database(work.store, 5);
    require(clone != NULL && pair_read(&work, clone, 0, &value));
    assert_int_equal(value, 4711);
    assert_null(database_create(work.store, 5));
    assert_int_equal(error_fields()->sqlstate, ERR_DUPLICATE_DATABASE);
    error_clear();
    require(database_drop(work.store, 5));
    assert_null(store_database(work.store, 5));
    require(database_create(work.store, 6) != NULL);
    require(store_close(work.store, STORE_CLOSE_CLEAN));
    require(workload_open(&work));
    assert_null(store_database(work.store, 5));
    assert_int_equal(database_page_count(store_database(work.store, 6)), 0);
    require(workload_check(&work));
    require(store_close(work.store, STORE_CLOSE_CLEAN));
}

#define TEMPORARY_PAGES 1000u

static void temporary_pages_spill_and_become_permanent(void **state)
{
    static PageId ids[TEMPORARY_PAGES];
    Action action;
    uint32_t value;

    (void)state;
    require(workload_create(&work));
    Database *database = store_database(work.store, DATABASE_SHARED);
    for (uint32_t i = 0; i < TEMPORARY_PAGES; i++) {
        Page page;
        require(action_begin(database, 1, &action));
        page_allocate(&action, database, PAGE_TEMPORARY, &page);
        ids[i] = page.id;
        *pair_value(page.data) = i;
        page_unlatch(&page);
        action_end(&action);
    }
    require(checkpoint_request(work.store, CHECKPOINT_WAIT));
    assert_int_equal(database_page_count(database), 1);
    for (uint32_t i = 0; i < TEMPORARY_PAGES; i++) {
        require(page_read_value(database, ids[i], &value));
        assert_int_equal(value, i);
    }
    require(action_begin(database, 0, &action));
    for (uint32_t i = 0; i < TEMPORARY_PAGES; i++) {
        if (i % 2)
            page_attach(&action, database, ids[i]);
        else
            page_free_id(&action, database, ids[i]);
    }
    action_end(&action);
    require(store_close(work.store, STORE_CLOSE_CLEAN));
    require(workload_open(&work));
    database = store_database(work.store, DATABASE_SHARED);
    assert_int_equal(database_page_count(database), 1 + TEMPORARY_PAGES / 2);
    for (uint32_t i = 1; i < TEMPORARY_PAGES; i += 2) {
        require(page_read_value(database, ids[i], &value));
        assert_int_equal(value, i);
    }
    require(store_close(work.store, STORE_CLOSE_CLEAN));
}

static void a_flipped_bit_is_an_error_that_names_the_page(void **state)
{
    char path[120];
    byte bytes[PAGE_SIZE];
    uint64_t problems = 0, size;
    const StoreOptions options = {.pool_bytes = STORE_POOL_MIN, .read_only = true};

    (void)state;
    require(workload_create(&work));
    require(store_close(work.store, STORE_CLOSE_CLEAN));
    snprintf(path, sizeof(path), "%.*s/pages", STR_ARGS(work.path));
    File *file = os->file_open(str_from_c(path), OS_WRITE);
    assert_non_null(file);
    assert_true(os->file_size(file, &size));
    for (uint64_t at = PAGE_SIZE; at + PAGE_SIZE <= size; at += PAGE_SIZE) {
        assert_true(os->file_read(file, bytes, PAGE_SIZE, at));
        bytes[5000] ^= 4;
        assert_true(os->file_write(file, bytes, PAGE_SIZE, at));
    }
    os->file_close(file);
    Store *store = store_open(work.path, &options);
    require(store != NULL);
    assert_true(store_verify(store, workload_problem, &work, &problems));
    assert_int_equal(problems, 1);
    Database *database = store_database(store, DATABASE_SHARED);
    assert_false(page_load(database, 1));
    assert_int_equal(error_fields()->sqlstate, ERR_DATA_CORRUPTED);
    assert_non_null(strstr(work.why, "invalid page 1 in database 0"));
    error_clear();
    store_close(store, STORE_CLOSE_ABORT);
}

/* -------- Pacing, on the simulated clock -------- */

#define PACE_TIMEOUT_US 10000000
#define PACE_PAGES 200u

static int64_t paced_us, requested_us, hurried_us, reconfigured_us;
static uint32_t reports[2][CHECKPOINT_AT_END + 1]; /* begun, complete; by reason */

static void note_checkpoint(void *context, const CheckpointReport *report)
{
    (void)context;
    reports[report->is_complete][report->reason]++;
    assert_int_equal(report->is_complete, report->total_us > 0);
    if (report->is_complete) {
        /* The pool's cleaner may have written some of them. */
        assert_true(report->page_count >= PACE_PAGES / 2);
        assert_true(report->total_us >= report->write_us);
    }
}

static bool nothing_to_replay(void *context, Store *store, const WalRecord *record)
{
    (void)context, (void)store, (void)record;
    return true;
}

/* A new one, open. */
static Store *make_store(const StoreOptions *options)
{
    if (!store_create(STR("data")))
        panic("no store");
    Store *store = store_open(STR("data"), options);
    if (!store || !store_recover(store, nothing_to_replay, NULL))
        panic("no store");
    return store;
}

static void dirty_pages(Store *store)
{
    Database *database = store_database(store, DATABASE_SHARED);

    for (uint32_t i = 0; i < PACE_PAGES; i++) {
        Action action;
        Page page;
        if (!action_begin(database, 1, &action))
            panic("no action");
        page_allocate(&action, database, PAGE_PERMANENT, &page);
        page_unlatch(&page);
        action_end(&action);
    }
}

/* Waits for the next boundary; then, awaited or not, for its end: how long that took. */
static int64_t next_checkpoint(Store *store, bool is_awaited)
{
    StoreStatistics before, now;

    store_statistics(store, &before);
    do {
        if (!task_sleep(1000, WAIT_EVENT_PG_SLEEP))
            panic("no sleep");
        store_statistics(store, &now);
    } while (now.epoch == before.epoch);
    const int64_t start = os->monotonic();
    if (is_awaited && !checkpoint_request(store, CHECKPOINT_WAIT))
        panic("no checkpoint");
    while (now.checkpoint_count == before.checkpoint_count) {
        if (!task_sleep(1000, WAIT_EVENT_PG_SLEEP))
            panic("no sleep");
        store_statistics(store, &now);
    }
    return os->monotonic() - start;
}

static void run_paced(void *unused)
{
    StoreOptions options = {.pool_bytes = STORE_POOL_MIN,
                            .database_page_limit = 1u << 20,
                            .wal_ring_bytes = 1u << 16,
                            .completion_target = 0.9,
                            .checkpoint_timeout_us = PACE_TIMEOUT_US};
    (void)unused;
    if (!store_create(STR("data")))
        panic("no store");
    Store *store = store_open(STR("data"), &options);
    if (store)
        store_on_checkpoint(store, note_checkpoint, NULL);
    if (!store || !store_recover(store, nothing_to_replay, NULL))
        panic("no store");
    dirty_pages(store);
    paced_us = next_checkpoint(store, false);
    dirty_pages(store);
    const int64_t start = os->monotonic();
    if (!checkpoint_request(store, CHECKPOINT_WAIT))
        panic("no checkpoint");
    requested_us = os->monotonic() - start;
    dirty_pages(store);
    hurried_us = next_checkpoint(store, true);
    dirty_pages(store);
    options.completion_target = 0.2;
    store_configure(store, &options);
    reconfigured_us = next_checkpoint(store, false);
    dirty_pages(store);
    store_close(store, STORE_CLOSE_CLEAN);
}

static void a_timed_checkpoint_takes_its_time_until_somebody_waits(void **state)
{
    SimWorld *world = sim_new(3);

    (void)state;
    assert_int_equal(sim_run(world, run_paced, NULL), SIM_ENDED);
    assert_in_range(paced_us, PACE_TIMEOUT_US / 2, PACE_TIMEOUT_US);
    assert_in_range(requested_us, 1, PACE_TIMEOUT_US / 20);
    assert_in_range(hurried_us, 1, PACE_TIMEOUT_US / 20);
    assert_in_range(reconfigured_us, PACE_TIMEOUT_US / 10, PACE_TIMEOUT_US / 5);
    assert_int_equal(reports[0][CHECKPOINT_BY_TIME], 3);
    assert_int_equal(reports[0][CHECKPOINT_BY_REQUEST], 1);
    assert_int_equal(reports[0][CHECKPOINT_AT_END], 1);
    assert_memory_equal(reports[0], reports[1], sizeof(reports[0]));
    sim_free(world);
}

/* -------- Pages in use, and a scan -------- */

#define POOL_PAGES 256u /* of the smallest pool */
#define HOT_PAGES 60u
#define SCAN_PAGES (4 * POOL_PAGES)

static uint32_t hot_read_again;

static void read_pages(Database *database, PageId first, uint32_t count)
{
    uint32_t value;

    for (PageId id = first; id < first + count; id++)
        if (!page_read_value(database, id, &value))
            panic("no page");
}

/* Few enough pages that their loading alone never gets any of them out of the fresh ones. */
static void run_scan(void *unused)
{
    const StoreOptions options = {.pool_bytes = STORE_POOL_MIN,
                                  .database_page_limit = 1u << 20,
                                  .wal_ring_bytes = 1u << 16,
                                  .checkpoint_timeout_us = PACE_TIMEOUT_US};
    StoreStatistics before, after;

    (void)unused;
    Store *store = make_store(&options);
    Database *database = store_database(store, DATABASE_SHARED);
    while (database_page_count(database) < 1 + HOT_PAGES + SCAN_PAGES)
        dirty_pages(store);
    if (!checkpoint_request(store, CHECKPOINT_WAIT))
        panic("no checkpoint");
    read_pages(database, 2 + HOT_PAGES, POOL_PAGES); /* nothing else is in memory */
    for (uint32_t second = 0; second < 6; second++) {
        read_pages(database, 2, HOT_PAGES);
        if (!task_sleep(1000000, WAIT_EVENT_PG_SLEEP))
            panic("no sleep");
    }
    read_pages(database, 2 + HOT_PAGES, SCAN_PAGES);
    store_statistics(store, &before);
    read_pages(database, 2, HOT_PAGES);
    store_statistics(store, &after);
    hot_read_again = (uint32_t)(after.pages_read - before.pages_read);
    store_close(store, STORE_CLOSE_CLEAN);
}

static void a_scan_does_not_drive_out_what_is_in_use(void **state)
{
    SimWorld *world = sim_new(4);

    (void)state;
    hot_read_again = UINT32_MAX;
    assert_int_equal(sim_run(world, run_scan, NULL), SIM_ENDED);
    assert_int_equal(hot_read_again, 0);
    sim_free(world);
}

/* -------- A log that a transaction keeps -------- */

#define KEPT_LIMIT (4u << 20)
#define KEPT_RECORDS 400u
#define KEPT_RECORD_BYTES 50000u

static uint64_t kept_checkpoints;

static Lsn kept_floor(void *context)
{
    return *(const Lsn *)context;
}

static void run_kept(void *unused)
{
    const StoreOptions options = {.pool_bytes = STORE_POOL_MIN,
                                  .database_page_limit = 1u << 20,
                                  .wal_ring_bytes = 1u << 17,
                                  .max_wal_bytes = KEPT_LIMIT};
    static char bytes[KEPT_RECORD_BYTES];
    StoreStatistics statistics;

    (void)unused;
    Store *store = make_store(&options);
    Wal *wal = store_wal(store);
    Lsn floor = wal_reserved_end(wal);
    store_set_redo_floor(store, kept_floor, &floor);
    for (uint32_t i = 0; i < KEPT_RECORDS; i++) {
        const Str piece = str_make(bytes, sizeof(bytes));
        WalSlot slot;
        if (!wal_admit(wal, sizeof(bytes)))
            panic("no room");
        wal_append(wal, sizeof(bytes), sizeof(bytes), &slot);
        wal_fill(wal, &slot, &piece, 1);
        if (!wal_wait(wal, slot.end) || !task_sleep(10000, WAIT_EVENT_PG_SLEEP))
            panic("no log");
    }
    store_statistics(store, &statistics);
    kept_checkpoints = statistics.checkpoint_count;
    store_set_redo_floor(store, NULL, NULL);
    store_close(store, STORE_CLOSE_CLEAN);
}

/* Checkpoints that shorten nothing come as the log grows, not one after the other. */
static void a_log_that_is_kept_asks_for_few_checkpoints(void **state)
{
    const uint64_t log_bytes = (uint64_t)KEPT_RECORDS * KEPT_RECORD_BYTES;
    SimWorld *world = sim_new(4);

    (void)state;
    assert_int_equal(sim_run(world, run_kept, NULL), SIM_ENDED);
    assert_in_range(kept_checkpoints, 4, log_bytes / (KEPT_LIMIT / 4) + 1);
    sim_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_there_after_a_clean_close, begin, end),
        cmocka_unit_test_setup_teardown(what_was_acknowledged_is_there_after_an_abort, begin, end),
        cmocka_unit_test_setup_teardown(a_directory_in_use_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(the_format_before_is_read_and_others_are_not, begin, end),
        cmocka_unit_test_setup_teardown(a_clone_shares_pages_until_one_side_writes, begin, end),
        cmocka_unit_test_setup_teardown(temporary_pages_spill_and_become_permanent, begin, end),
        cmocka_unit_test_setup_teardown(a_flipped_bit_is_an_error_that_names_the_page, begin, end),
        cmocka_unit_test(a_timed_checkpoint_takes_its_time_until_somebody_waits),
        cmocka_unit_test(a_scan_does_not_drive_out_what_is_in_use),
        cmocka_unit_test(a_log_that_is_kept_asks_for_few_checkpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
