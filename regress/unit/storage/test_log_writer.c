/* Commits that wait for the log, and who writes it for them: real threads, a real file system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../test_directory.h"

#include "base/error.h"
#include "base/os.h"
#include "base/scheduler.h"
#include "storage/store.h"
#include "storage/wal.h"

static char directory[TEST_PATH_SIZE];
static Str path;

static int begin(void **state)
{
    (void)state;
    test_directory_make(directory, "test-log-writer");
    path = str_from_c(directory);
    return rmdir(directory); /* store_create makes it */
}

static int end(void **state)
{
    (void)state;
    return test_directory_remove(directory);
}

static void require(bool ok)
{
    if (!ok && error_is_set())
        print_error("error: %.*s\n", STR_ARGS(error_fields()->message));
    assert_true(ok);
}

static bool nothing_to_replay(void *context, Store *store, const WalRecord *record)
{
    (void)context, (void)store, (void)record;
    return true;
}

/* A small record. Returns where it ends. */
static Lsn record_append(Wal *wal)
{
    const Str piece = STR("a commit");
    WalSlot slot;

    if (!wal_admit(wal, (uint32_t)piece.length))
        panic("no room");
    wal_append(wal, (uint32_t)piece.length, (uint32_t)piece.length, &slot);
    wal_fill(wal, &slot, &piece, 1);
    return slot.end;
}

static Lsn commit(Wal *wal)
{
    const Lsn end = record_append(wal);

    if (!wal_wait(wal, end) || wal_flushed(wal) < end)
        panic("no log");
    return end;
}

static Store *store_again(void)
{
    Store *store =
        store_open(path, &(StoreOptions){.pool_bytes = STORE_POOL_MIN, .wal_ring_bytes = 1u << 17});
    require(store && store_recover(store, nothing_to_replay, NULL));
    return store;
}

static Store *store_begin(void)
{
    require(store_create(path));
    return store_again();
}

/* -------- Commits of one worker -------- */

#define SHARERS 20

typedef struct Sharing {
    Scheduler *scheduler;
    Wal *wal;
    Lsn durable[SHARERS]; /* how far the log was when each was told */
    Lsn ends[SHARERS];
    int begun, told;
} Sharing;

static void share(void *argument)
{
    Sharing *sharing = argument;
    const int number = sharing->begun++;

    sharing->ends[number] = commit(sharing->wal);
    sharing->durable[number] = wal_flushed(sharing->wal);
    if (++sharing->told == SHARERS)
        scheduler_stop(sharing->scheduler);
}

static void start_sharers(void *argument)
{
    Sharing *sharing = argument;
    for (int i = 0; i < SHARERS; i++)
        task_spawn(sharing->scheduler, share, sharing);
}

static void run_sharers(void *argument)
{
    scheduler_run(((Sharing *)argument)->scheduler);
}

/* The log is synced once for all that a busy worker has committed, not at the first of them. */
static void commits_of_a_busy_worker_share_a_sync(void **state)
{
    WalStatistics before, after;

    (void)state;
    Store *store = store_begin();
    Sharing sharing = {.scheduler = scheduler_new("sharing"), .wal = store_wal(store)};
    wal_flush(sharing.wal, wal_reserved_end(sharing.wal));
    wal_statistics(sharing.wal, &before);
    scheduler_post(sharing.scheduler, start_sharers, &sharing);
    Thread *worker = os->thread_start("worker", run_sharers, &sharing);
    os->thread_join(worker);
    wal_statistics(sharing.wal, &after);
    assert_int_equal(sharing.told, SHARERS);
    for (int i = 0; i < SHARERS; i++)
        assert_true(sharing.durable[i] >= sharing.ends[i]);
    /* One; more only where the worker was kept from its processor for a time slice. */
    assert_in_range(after.sync_count - before.sync_count, 1, SHARERS / 5);
    store_close(store, STORE_CLOSE_CLEAN);
    scheduler_free(sharing.scheduler);
}

typedef struct Alone {
    Scheduler *scheduler;
    Wal *wal;
    Lsn end;   /* of the commit that is waited for */
    int lasts; /* ms that the worker is busy beside it, at most */
    bool is_told, was_synced;
    struct Alone *partner; /* who commits at the same time; NULL: nobody does */
} Alone;

static void commit_alone(void *argument)
{
    Alone *alone = argument;

    alone->is_told = false;
    alone->end = record_append(alone->wal);
    if (!wal_wait(alone->wal, alone->end))
        panic("no log");
    alone->is_told = true;
}

/* Commits one at a time, then one more while the worker does not rest: does the log get there? */
static void commit_alone_often(void *argument)
{
    Alone *alone = argument;

    for (int i = 0; i < 60; i++) {
        if (alone->partner) {
            alone->partner->is_told = false;
            task_spawn(alone->scheduler, commit_alone, alone->partner);
        }
        commit_alone(alone);
        while (alone->partner && !alone->partner->is_told)
            task_yield();
    }
    task_spawn(alone->scheduler, commit_alone, alone);
    alone->end = 0;
    while (alone->end == 0)
        task_yield();
    for (int i = 0; i < alone->lasts && !alone->was_synced; i++) {
        alone->was_synced = wal_flushed(alone->wal) >= alone->end;
        usleep(1000);
    }
    while (!alone->is_told)
        task_yield();
    scheduler_stop(alone->scheduler);
}

static void start_alone(void *argument)
{
    task_spawn(((Alone *)argument)->scheduler, commit_alone_often, argument);
}

static void run_alone(void *argument)
{
    scheduler_run(((Alone *)argument)->scheduler);
}

static void check_alone(Alone *partner)
{
    Store *store = store_begin();
    Alone alone = {.scheduler = scheduler_new("alone"),
                   .wal = store_wal(store),
                   .lasts = 5000,
                   .partner = partner};
    if (partner)
        partner->wal = alone.wal;
    scheduler_post(alone.scheduler, start_alone, &alone);
    Thread *worker = os->thread_start("worker", run_alone, &alone);
    os->thread_join(worker);
    assert_true(alone.was_synced);
    store_close(store, STORE_CLOSE_CLEAN);
    scheduler_free(alone.scheduler);
}

/* Where commits come one by one nothing is gained by waiting for others: the log is asked at once.
 */
static void a_commit_without_company_is_synced_while_its_worker_is_busy(void **state)
{
    (void)state;
    check_alone(NULL);
}

/* Where two wait for each sync, too, however many they have been before. */
static void so_is_one_of_two(void **state)
{
    Alone partner = {0};

    (void)state;
    check_alone(&partner);
}

/* -------- Who is interrupted while his commit waits for the disk -------- */

static OsOps unsound_os;
static atomic_bool disk_is_full, disk_is_slow;

static bool write_if_there_is_room(File *file, const void *buffer, size_t size, uint64_t offset)
{
    if (atomic_load(&disk_is_full))
        FAIL(ERR_DISK_FULL, .message = STR("No space left on device"));
    return os_linux.file_write(file, buffer, size, offset);
}

static bool sync_in_time(File *file)
{
    while (atomic_load(&disk_is_slow))
        usleep(1000);
    return os_linux.file_sync(file);
}

typedef struct Interrupted {
    Scheduler *scheduler;
    Wal *wal;
    _Atomic(Task *) task;
    bool is_durable; /* so he was told */
    bool has_error;
} Interrupted;

static void commit_interrupted(void *argument)
{
    Interrupted *one = argument;
    const Lsn end = record_append(one->wal);

    atomic_store(&one->task, task_current());
    one->is_durable = wal_wait(one->wal, end);
    assert_true(!one->is_durable || wal_flushed(one->wal) >= end);
    one->has_error = error_is_set();
    error_clear();
    scheduler_stop(one->scheduler);
}

static void start_interrupted(void *argument)
{
    task_spawn(((Interrupted *)argument)->scheduler, commit_interrupted, argument);
}

static void run_interrupted(void *argument)
{
    scheduler_run(((Interrupted *)argument)->scheduler);
}

/* While a commit waits for a log that is in trouble, which is over before or after it has its
 * answer. */
static Interrupted interrupt_while(atomic_bool *trouble, bool mend_first)
{
    unsound_os = os_linux;
    unsound_os.file_write = write_if_there_is_room;
    unsound_os.file_sync = sync_in_time;
    os = &unsound_os;
    Store *store = store_begin();
    Interrupted one = {.scheduler = scheduler_new("interrupted"), .wal = store_wal(store)};
    wal_flush(one.wal, wal_reserved_end(one.wal));
    atomic_store(trouble, true);
    scheduler_post(one.scheduler, start_interrupted, &one);
    Thread *worker = os->thread_start("worker", run_interrupted, &one);
    while (!atomic_load(&one.task) ||
           atomic_load(&atomic_load(&one.task)->wait_event) != (int)WAIT_EVENT_WALSYNC)
        usleep(1000);
    task_interrupt(atomic_load(&one.task), INTERRUPT_TERMINATE);
    if (mend_first)
        atomic_store(trouble, false);
    os->thread_join(worker);
    atomic_store(trouble, false);
    store_close(store, STORE_CLOSE_CLEAN);
    scheduler_free(one.scheduler);
    os = &os_linux;
    return one;
}

static void who_is_interrupted_hears_first_that_his_commit_is_durable(void **state)
{
    (void)state;
    const Interrupted one = interrupt_while(&disk_is_slow, true);
    assert_true(one.is_durable && !one.has_error);
}

static void who_is_interrupted_does_not_wait_for_room_on_the_disk(void **state)
{
    (void)state;
    const Interrupted one = interrupt_while(&disk_is_full, false);
    assert_true(!one.is_durable && one.has_error);
}

/* -------- Commits that do the log writer's work -------- */

#define COMMITS 400
#define COMMITS_TO_SETTLE 200 /* after so many it is known who is alone */

static _Thread_local unsigned own_syncs; /* of the thread that asks */

/* Nothing is lost here but processes; and a disk that is slow today would decide who is alone. */
static bool sync_counted(File *file)
{
    (void)file;
    own_syncs++;
    usleep(50);
    return true;
}

static void use_counted_syncs(void)
{
    unsound_os = os_linux;
    unsound_os.file_write = write_if_there_is_room;
    unsound_os.file_sync = sync_counted;
    os = &unsound_os;
}

static void settle_alone(Wal *wal)
{
    for (int i = 0; i < COMMITS_TO_SETTLE; i++)
        (void)commit(wal);
}

static void give_room_later(void *unused)
{
    (void)unused;
    usleep(200000);
    atomic_store(&disk_is_full, false);
}

/* A worker with connections that take turns: each commits when a byte comes, and asks the next. */
typedef struct Turns {
    Scheduler *scheduler;
    Wal *wal;
    int connection_count, commit_count;
    bool meets_full_disks;
    unsigned settled_syncs, syncs; /* on the worker's thread */
    struct Connection {
        FdWatch watch;
        int writing_end;
        struct Turns *turns;
    } connections[2];
} Turns;

static void pass_on(Turns *turns)
{
    const int next = turns->commit_count % turns->connection_count;

    if (write(turns->connections[next].writing_end, "x", 1) != 1)
        panic("no pipe");
}

static void commit_on_full_disk(Wal *wal)
{
    atomic_store(&disk_is_full, true);
    Thread *helper = os->thread_start("helper", give_room_later, NULL);
    (void)commit(wal);
    assert_false(atomic_load(&disk_is_full));
    os->thread_join(helper);
}

static void take_turn(void *argument)
{
    Turns *turns = argument;

    if (turns->meets_full_disks && turns->commit_count % 200 == 199)
        commit_on_full_disk(turns->wal);
    else
        (void)commit(turns->wal);
    if (++turns->commit_count == COMMITS_TO_SETTLE)
        turns->settled_syncs = own_syncs;
    if (turns->commit_count < COMMITS_TO_SETTLE + COMMITS) {
        pass_on(turns);
        return;
    }
    turns->syncs = own_syncs - turns->settled_syncs;
    for (int i = 0; i < turns->connection_count; i++)
        scheduler_unwatch(turns->scheduler, &turns->connections[i].watch);
    scheduler_stop(turns->scheduler);
}

static void turn_comes(FdWatch *watch, uint32_t events)
{
    struct Connection *connection = CONTAINER_OF(watch, struct Connection, watch);
    char token;

    (void)events;
    if (read(watch->fd, &token, 1) != 1)
        panic("no pipe");
    task_spawn(connection->turns->scheduler, take_turn, connection->turns);
}

static void run_turns(void *argument)
{
    Turns *turns = argument;

    for (int i = 0; i < turns->connection_count; i++)
        if (!scheduler_watch(turns->scheduler, &turns->connections[i].watch))
            panic("no watch");
    pass_on(turns);
    scheduler_run(turns->scheduler);
}

/* How many of the later commits' syncs were done on the worker's thread. `ret_end`: of the log. */
static unsigned own_syncs_of_turns(int connection_count, bool full_disks, Lsn *ret_end)
{
    int ends[2][2];

    use_counted_syncs();
    Store *store = store_begin();
    Turns turns = {.scheduler = scheduler_new("turns"),
                   .wal = store_wal(store),
                   .connection_count = connection_count,
                   .meets_full_disks = full_disks};
    for (int i = 0; i < connection_count; i++) {
        assert_int_equal(pipe(ends[i]), 0);
        turns.connections[i] = (struct Connection){
            .watch = {.fd = ends[i][0], .events = FD_READABLE, .callback = turn_comes},
            .writing_end = ends[i][1],
            .turns = &turns};
    }
    Thread *worker = os->thread_start("worker", run_turns, &turns);
    os->thread_join(worker);
    for (int i = 0; i < connection_count; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    *ret_end = wal_reserved_end(turns.wal);
    store_close(store, STORE_CLOSE_ABORT);
    scheduler_free(turns.scheduler);
    os = &os_linux;
    return turns.syncs;
}

/* It has nothing else to do: why wake another thread? */
static void a_commit_of_a_worker_with_one_busy_connection_writes_the_log(void **state)
{
    Lsn end;

    (void)state;
    assert_in_range(own_syncs_of_turns(1, false, &end), COMMITS / 4, COMMITS);
}

/* The other connection would wait for the disk without having asked for anything of it. */
static void but_not_where_another_connection_is_busy_too(void **state)
{
    Lsn end;

    (void)state;
    assert_int_equal(own_syncs_of_turns(2, false, &end), 0);
}

/* It is the log writer that waits for room, and that says so; nothing of the record is lost. */
static void it_leaves_a_full_disk_to_the_log_writer(void **state)
{
    Lsn end;

    (void)state;
    assert_in_range(own_syncs_of_turns(1, true, &end), COMMITS / 4, COMMITS);
    Store *store = store_again();
    assert_true(wal_reserved_end(store_wal(store)) >= end);
    store_close(store, STORE_CLOSE_CLEAN);
}

#define CONTENDERS 3

static void commit_often(void *argument)
{
    for (int i = 0; i < COMMITS; i++) {
        (void)commit(argument);
        if (i % 8 == 0)
            usleep(200); /* so that each of them is alone at times */
    }
}

/* Whoever writes, and whoever finds that another one does: no commit waits for ever. */
static void commits_that_are_alone_at_times_meet(void **state)
{
    Thread *threads[CONTENDERS];

    (void)state;
    use_counted_syncs();
    Store *store = store_begin();
    settle_alone(store_wal(store));
    for (int i = 0; i < CONTENDERS; i++)
        threads[i] = os->thread_start("contender", commit_often, store_wal(store));
    for (int i = 0; i < CONTENDERS; i++)
        os->thread_join(threads[i]);
    assert_int_equal(wal_flushed(store_wal(store)), wal_reserved_end(store_wal(store)));
    store_close(store, STORE_CLOSE_CLEAN);
    os = &os_linux;
}

/* -------- New segments -------- */

#define PART (1u << 20)
#define SEGMENTS 4

static atomic_uint zero_bytes; /* written in pieces that are zeros from end to end */
static int64_t clock_step, clock_now;

static bool write_counted(File *file, const void *buffer, size_t size, uint64_t offset)
{
    const char *bytes = buffer;

    if (size > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0)
        atomic_fetch_add(&zero_bytes, (unsigned)size);
    return os_linux.file_write(file, buffer, size, offset);
}

static int64_t stepping_clock(void)
{
    return __atomic_add_fetch(&clock_now, clock_step, __ATOMIC_SEQ_CST);
}

/* So much log that several segments are made, `step` microseconds between looks at the clock. */
static unsigned zeros_while_filling(int64_t step)
{
    static char part[PART];
    const Str piece = str_make(part, sizeof(part));

    unsound_os = os_linux;
    unsound_os.file_write = write_counted;
    unsound_os.file_sync = sync_counted;
    unsound_os.monotonic = stepping_clock;
    memset(part, 'x', sizeof(part));
    clock_step = step;
    os = &unsound_os;
    Store *store = store_begin();
    Wal *wal = store_wal(store);
    atomic_store(&zero_bytes, 0);
    for (uint64_t done = 0; done < (uint64_t)SEGMENTS * WAL_SEGMENT_SIZE; done += PART) {
        WalSlot slot;
        require(wal_admit(wal, PART));
        wal_append(wal, PART, PART, &slot);
        wal_fill(wal, &slot, &piece, 1);
        require(wal_wait(wal, slot.end));
    }
    store_close(store, STORE_CLOSE_ABORT);
    os = &os_linux;
    return atomic_load(&zero_bytes);
}

/* Else a commit's sync would have the file system write more than the commit. */
static void segments_for_commits_are_written_with_zeros(void **state)
{
    (void)state;
    assert_in_range(zeros_while_filling(1000000), (SEGMENTS - 1) * WAL_SEGMENT_SIZE,
                    (SEGMENTS + 2) * WAL_SEGMENT_SIZE);
}

static void those_for_a_load_are_not(void **state)
{
    (void)state;
    assert_in_range(zeros_while_filling(1), 0, WAL_SEGMENT_SIZE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(commits_of_a_busy_worker_share_a_sync),
        TEST(a_commit_without_company_is_synced_while_its_worker_is_busy),
        TEST(so_is_one_of_two),
        TEST(who_is_interrupted_hears_first_that_his_commit_is_durable),
        TEST(who_is_interrupted_does_not_wait_for_room_on_the_disk),
        TEST(a_commit_of_a_worker_with_one_busy_connection_writes_the_log),
        TEST(but_not_where_another_connection_is_busy_too),
        TEST(it_leaves_a_full_disk_to_the_log_writer),
        TEST(commits_that_are_alone_at_times_meet),
        TEST(segments_for_commits_are_written_with_zeros),
        TEST(those_for_a_load_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
