/*
 * Crashes of transactions and trees on the simulated disk: before every operation of seeded
 * workloads, and again during recovery.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sim.h"
#include "crash_workload.h"
#include "storage/store_internal.h"

#ifndef CRASH_POINTS
#define CRASH_POINTS 3000 /* with sanitizers, which make them dear */
#endif

/* What a crash abandons is never freed; the environment's options would outweigh those below. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    /* Freed memory is used again soon: each crash is a fork, and fresh pages cost it most. */
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=16";
}

static _Atomic uint64_t *points; /* crashes, of all processes */

#define CPU_SECONDS_MAX 30 /* of one crash: a damaged tree can send readers in circles */

static void crash_and_recover(SimWorld *world, uint64_t fork_every)
{
    atomic_fetch_add(points, 1);
    crash_note_point(sim_operations(world), sim_fork_depth(world));
    sim_crash_disk(world);
    sim_set_fork(world, fork_every, 1);
    if (sim_run(world, crash_recover, NULL) == SIM_CRASHED)
        crash_and_recover(world, 0);
}

/* A crash before every `every`-th operation; and in each 7th recovery at each 4th operation. */
static uint64_t crash_everywhere(const CrashOptions *options, uint64_t every)
{
    SimWorld *world = sim_new(options->seed);

    crash_start(options);
    assert_int_equal(sim_run(world, crash_create, NULL), SIM_ENDED);
    sim_set_fork(world, every, 2);
    if (sim_run(world, crash_run, NULL) == SIM_CRASHED) {
        setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS_MAX, CPU_SECONDS_MAX});
        crash_and_recover(world, sim_operations(world) % 7 == 0 ? 4 : 0);
        _exit(sim_fork_depth(world) == 1 && sim_fork_failures(world) > 0);
    }
    const uint64_t failures = sim_fork_failures(world);
    sim_free(world);
    return failures;
}

/* So many checkpoints, so many that wait: each workload goes its own way. */
static CrashOptions workload_options(uint32_t seed)
{
    static const uint32_t checkpoints[] = {30, 10, 60};

    return (CrashOptions){.seed = seed,
                          .steps = 20,
                          .checkpoints = checkpoints[seed % ARRAY_LENGTH(checkpoints)],
                          .waits_per_three = 2 + seed % 2};
}

/* A number from the environment, else the one given. */
static uint64_t wanted(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* Workload after workload, from SENGI_CRASH_FROM on, until there have been so many crashes. */
static void a_crash_before_every_operation_keeps_every_commit(void **state)
{
    const uint64_t enough = wanted("SENGI_CRASH_POINTS", CRASH_POINTS);
    uint32_t seed = (uint32_t)wanted("SENGI_CRASH_FROM", 1);

    (void)state;
    for (; atomic_load(points) < enough; seed++) {
        const CrashOptions options = workload_options(seed);
        const uint64_t failures = crash_everywhere(&options, 1);
        if (failures > 0)
            print_error("workload %u\n", seed);
        assert_int_equal(failures, 0);
        assert_true(crash_acknowledged() > options.steps / 2);
    }
    print_message("%llu crash points, workloads before %u\n",
                  (unsigned long long)atomic_load(points), seed);
}

#ifndef CRASH_POINTS_ONLY

/* -------- A disk that is full for a while -------- */

#define FULL_TAKES 12u /* for so many writes and allocations */

/* Full from the n-th on, and every third time a crash soon after; in a process of its own. */
static void run_on_a_full_disk(SimWorld *created, uint64_t n)
{
    SimWorld *world = sim_clone_disk(created, n);

    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS_MAX, CPU_SECONDS_MAX});
    sim_set_faults(world, &(SimFaults){.full_from = n, .full_until = n + FULL_TAKES});
    if (n % 3 == 0)
        sim_set_crash(world, n + sim_random(world, 100));
    const SimEnd end = sim_run(world, crash_run, NULL);
    sim_set_crash(world, 0);
    if (end == SIM_CRASHED)
        sim_crash_disk(world);
    sim_set_faults(world, &(SimFaults){0});
    crash_note_point(n, 0);
    sim_run(world, crash_recover, NULL);
    _exit(0);
}

static uint64_t count_takes(SimWorld *created)
{
    SimWorld *world = sim_clone_disk(created, 1);

    sim_set_faults(world, &(SimFaults){0});
    assert_int_equal(sim_run(world, crash_run, NULL), SIM_ENDED);
    const uint64_t takes = sim_takes(world);
    sim_free(world);
    return takes;
}

static void a_full_disk_refuses_commits_and_loses_none(void **state)
{
    const uint64_t step = wanted("SENGI_FULL_EVERY", 2);
    CrashOptions options = {
        .seed = 3, .steps = 20, .checkpoints = 30, .waits_per_three = 2, .disk_fills = true};
    SimWorld *created = sim_new(options.seed);
    int status;

    (void)state;
    crash_start(&options);
    assert_int_equal(sim_run(created, crash_create, NULL), SIM_ENDED);
    const uint64_t takes = count_takes(created);
    assert_true(takes > 100);
    for (uint64_t n = wanted("SENGI_FULL_FROM", 1); n < takes; n += step) {
        crash_start(&options);
        fflush(NULL);
        const pid_t child = fork();
        if (child == 0)
            run_on_a_full_disk(created, n);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (status != 0)
            print_error("full from %llu: status %x\n", (unsigned long long)n, (unsigned)status);
        assert_int_equal(status, 0);
    }
    print_message("%llu places to be full at\n", (unsigned long long)takes);
    sim_free(created);
}

/* -------- One rule of the protocol switched off -------- */

static const CrashOptions fault_options = {.steps = 12, .checkpoints = 30, .waits_per_three = 2};

/* Do crashes of one of the workloads show something wrong? In a process of its own. */
static bool is_noticed(CrashOptions options)
{
    int status;

    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        signal(SIGABRT, SIG_DFL); /* not cmocka's: it would go on with the tests in here */
        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS_MAX, CPU_SECONDS_MAX});
        _exit(crash_everywhere(&options, 3) > 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status != 0;
}

static void assert_noticed(bool *fault, CrashOptions options)
{
    bool noticed = false;

    *fault = true;
    for (uint32_t seed = 1; seed <= 60 && !noticed; seed++) {
        options.seed = seed;
        noticed = is_noticed(options);
        if (noticed)
            print_message("noticed by workload %u\n", seed);
    }
    *fault = false;
    assert_true(noticed);
}

static void without_shadow_copies_crashes_are_noticed(void **state)
{
    (void)state;
    fault_slow_checkpoint = true;
    assert_noticed(&fault_no_shadow, fault_options);
    fault_slow_checkpoint = false;
}

static void with_slots_freed_at_once_crashes_are_noticed(void **state)
{
    (void)state;
    assert_noticed(&fault_free_now, fault_options);
}

/* Nobody waits for the log, and its writer is slow: the pages are ahead of it. */
static void without_flushing_the_log_crashes_are_noticed(void **state)
{
    CrashOptions options = fault_options;

    (void)state;
    options.waits_per_three = 0;
    fault_slow_log = true;
    assert_noticed(&fault_no_wal_flush, options);
    fault_slow_log = false;
}

static void without_the_redo_floor_crashes_are_noticed(void **state)
{
    (void)state;
    assert_noticed(&fault_no_redo_floor, fault_options);
}

static void without_reclaiming_lost_pages_are_noticed(void **state)
{
    (void)state;
    assert_noticed(&fault_no_reclaim, fault_options);
}

static void without_order_in_redo_crashes_are_noticed(void **state)
{
    (void)state;
    assert_noticed(&fault_redo_scatter, fault_options);
}

static void with_trees_changed_ahead_of_their_rows_crashes_are_noticed(void **state)
{
    (void)state;
    assert_noticed(&fault_no_redo_drain, fault_options);
}

/* What makes the races likelier breaks nothing by itself. */
static void slow_threads_change_nothing(void **state)
{
    CrashOptions options = fault_options;

    (void)state;
    options.seed = 1;
    fault_slow_log = fault_slow_checkpoint = true;
    assert_int_equal(crash_everywhere(&options, 3), 0);
    options.waits_per_three = 0;
    assert_int_equal(crash_everywhere(&options, 3), 0);
    fault_slow_log = fault_slow_checkpoint = false;
}

#endif /* CRASH_POINTS_ONLY */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_before_every_operation_keeps_every_commit),
#ifndef CRASH_POINTS_ONLY
        cmocka_unit_test(slow_threads_change_nothing),
        cmocka_unit_test(a_full_disk_refuses_commits_and_loses_none),
        cmocka_unit_test(without_shadow_copies_crashes_are_noticed),
        cmocka_unit_test(with_slots_freed_at_once_crashes_are_noticed),
        cmocka_unit_test(without_flushing_the_log_crashes_are_noticed),
        cmocka_unit_test(without_the_redo_floor_crashes_are_noticed),
        cmocka_unit_test(without_reclaiming_lost_pages_are_noticed),
        cmocka_unit_test(without_order_in_redo_crashes_are_noticed),
        cmocka_unit_test(with_trees_changed_ahead_of_their_rows_crashes_are_noticed),
#endif
    };

    points = mmap(NULL, sizeof(*points), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (points == MAP_FAILED)
        return 1;
    fault_yield_often = true;
    if (getenv("SENGI_TEST"))
        cmocka_set_test_filter(getenv("SENGI_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
