/*
 * Crashes of the store on the simulated disk: at every operation, and again during recovery.
 *
 * Compiled twice: as it is, every crash must recover exactly; with SENGI_TEST_FAULTS one rule of
 * the protocol is off at a time, and the same checks must notice.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/os.h"
#include "base/sim.h"
#include "store_workload.h"

static Workload work;

/* What a crash abandons is never freed. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void create(void *argument)
{
    (void)argument;
    if (workload_create(&work))
        store_close(work.store, STORE_CLOSE_ABORT);
}

/* A store left open after a failure would keep its threads, and the world, going for ever. */
static void abandon(void)
{
    if (work.store)
        store_close(work.store, STORE_CLOSE_ABORT);
}

static void run(void *argument)
{
    (void)argument;
    if (!workload_open(&work)) {
        abandon();
        return;
    }
    workload_run(&work);
    store_close(work.store, STORE_CLOSE_CLEAN);
}

static void recover(void *argument)
{
    (void)argument;
    for (uint32_t i = 0; i < WRITERS; i++)
        atomic_store(&work.applying[i], LSN_MAX);
    for (int round = 0; round < 2; round++) { /* the clean store, too, has everything */
        if (!workload_open(&work) || !workload_check(&work)) {
            abandon();
            return;
        }
        store_close(work.store, STORE_CLOSE_CLEAN);
    }
}

static void start(uint32_t seed, uint32_t steps)
{
    memset(&work, 0, sizeof(work));
    work.path = STR("data");
    work.seed = seed;
    work.steps = steps;
}

/* One crash before a random operation, in a process of its own: 0 when it recovers exactly. */
static int crash_once(uint32_t seed, uint64_t bound)
{
    SimWorld *world = sim_new(seed + 1);

    start(seed, workload_reads ? 150 : 60);
    if (sim_run(world, create, NULL) != SIM_ENDED || work.failed)
        return 2;
    sim_set_crash(world, 1 + sim_random(world, workload_reads ? bound * 3 : bound));
    const SimEnd ended = sim_run(world, run, NULL);
    if (ended == SIM_CRASHED) {
        sim_crash_disk(world);
        sim_set_crash(world, 0);
        sim_run(world, recover, NULL);
    }
    return work.failed ? 1 : 0;
}

/* How many of the runs did not recover exactly; quiet ones stop at the first. */
static unsigned crash_many(uint32_t seeds, bool is_loud)
{
    unsigned caught = 0;

    for (uint32_t seed = 0; seed < seeds && (is_loud || caught == 0); seed++) {
        int status;
        fflush(NULL);
        const pid_t child = fork();
        if (child == 0) {
            if (!is_loud && !freopen("/dev/null", "w", stderr))
                _exit(3);
            signal(SIGABRT, SIG_DFL); /* not cmocka's: it would go on with the tests in here */
            signal(SIGSEGV, SIG_DFL);
            /* Seconds of processor time: a busy machine is no hang. */
            setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = is_loud ? 60 : 10}, NULL);
            const int result = crash_once(seed, 400);
            if (result && is_loud)
                fprintf(stderr, "seed %u: %s\n", seed, work.why);
            else if (result)
                printf("seed %u: %s\n", seed, work.why);
            fflush(stdout);
            _exit(result);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
            print_message("seed %u: no end\n", seed);
        if (status != 0) {
            caught++;
            if (!is_loud)
                print_message("noticed after %u crashes (status %x)\n", seed + 1, (unsigned)status);
            if (is_loud)
                fprintf(stderr, "seed %u: status %x\n", seed, (unsigned)status);
        }
    }
    return caught;
}

#ifdef SENGI_TEST_FAULTS

#include "storage/store_internal.h"

#define FAULT_SEEDS_MAX 600

static void without_shadow_copies_crashes_are_noticed(void **state)
{
    (void)state;
    fault_no_shadow = fault_slow_checkpoint = true;
    assert_true(crash_many(FAULT_SEEDS_MAX, false) > 0);
    fault_no_shadow = fault_slow_checkpoint = false;
}

static void with_slots_freed_at_once_crashes_are_noticed(void **state)
{
    (void)state;
    fault_free_now = true;
    assert_true(crash_many(FAULT_SEEDS_MAX, false) > 0);
    fault_free_now = false;
}

static void without_flushing_the_log_crashes_are_noticed(void **state)
{
    (void)state;
    /*
     * The image alone is whole up to its boundary; the log is missed where redo begins before
     * records that the image has, so that some change must still be on its way at the boundary.
     */
    fault_slow_log = fault_no_wal_flush = true;
    workload_dawdle_us = 2000;
    assert_true(crash_many(FAULT_SEEDS_MAX, false) > 0);
    fault_slow_log = fault_no_wal_flush = false;
    workload_dawdle_us = 0;
}

static void evicting_past_a_shadow_is_noticed(void **state)
{
    (void)state;
    fault_evict_shadow = fault_slow_checkpoint = true;
    workload_reads = 20;
    assert_true(crash_many(FAULT_SEEDS_MAX, false) > 0);
    fault_evict_shadow = fault_slow_checkpoint = false;
}

/* What makes the races likelier breaks nothing by itself. */
static void slow_threads_change_nothing(void **state)
{
    (void)state;
    fault_slow_log = fault_slow_checkpoint = true;
    assert_int_equal(crash_many(25, true), 0);
    workload_dawdle_us = 2000;
    assert_int_equal(crash_many(25, true), 0);
    workload_dawdle_us = 0;
    fault_slow_log = fault_slow_checkpoint = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_threads_change_nothing),
        cmocka_unit_test(without_shadow_copies_crashes_are_noticed),
        cmocka_unit_test(with_slots_freed_at_once_crashes_are_noticed),
        cmocka_unit_test(without_flushing_the_log_crashes_are_noticed),
        cmocka_unit_test(evicting_past_a_shadow_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void a_crash_anywhere_is_recovered_from(void **state)
{
    const char *seeds = getenv("SENGI_CRASH_SEEDS");

    (void)state;
    assert_int_equal(crash_many(seeds ? (uint32_t)strtoul(seeds, NULL, 10) : 150, true), 0);
}

/* Each operation of the workload in turn, and each fourth one of the recoveries. */
static void a_crash_before_every_operation_is_recovered_from(void **state)
{
    SimWorld *world = sim_new(77);

    (void)state;
    start(5, 25);
    assert_int_equal(sim_run(world, create, NULL), SIM_ENDED);
    sim_set_fork(world, 1, 2);
    if (sim_run(world, run, NULL) == SIM_CRASHED) {
        sim_crash_disk(world);
        sim_set_fork(world, sim_fork_depth(world) > 1 ? 0 : 4, 1);
        if (sim_run(world, recover, NULL) == SIM_CRASHED) {
            sim_crash_disk(world);
            sim_set_fork(world, 0, 1);
            sim_run(world, recover, NULL);
        }
        const uint64_t failures = sim_fork_depth(world) == 1 ? sim_fork_failures(world) : 0;
        if (work.failed)
            fprintf(stderr, "depth %u: %s\n", sim_fork_depth(world), work.why);
        _exit(work.failed || failures ? 1 : 0);
    }
    if (work.failed)
        print_error("%s\n", work.why);
    assert_false(work.failed);
    assert_int_equal(sim_fork_failures(world), 0);
    assert_true(sim_fork_count(world) > 50);
    sim_free(world);
}

/* Any bit of the durable log, map or superblock turned over: recovered exactly, or refused. */
static void rot_is_noticed_or_harmless(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 40; seed++) {
        int status;
        const pid_t child = fork();
        if (child == 0) {
            SimWorld *world = sim_new(seed + 9);
            Str path;
            uint64_t size;
            start(seed, 40);
            sim_run(world, create, NULL);
            sim_set_crash(world, 150 + seed);
            sim_run(world, run, NULL);
            sim_crash_disk(world);
            sim_set_crash(world, 0);
            for (size_t i = 0; sim_file(world, i, &path, &size); i++) {
                if (size > 0)
                    sim_flip_bit(world, path, sim_random(world, MIN(size, (uint64_t)6000)), 3);
            }
            sim_run(world, recover, NULL);
            /* An error is right; a wrong value is not. */
            const bool wrong = strstr(work.why, "another value") || strstr(work.why, "differ") ||
                               strstr(work.why, "lost");
            _exit(work.failed && wrong ? 1 : 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (status != 0)
            print_error("seed %u\n", seed);
        assert_int_equal(status, 0);
    }
}

static void a_full_disk_refuses_and_recovers(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 20; seed++) {
        int status;
        const pid_t child = fork();
        if (child == 0) {
            SimWorld *world = sim_new(seed + 100);
            start(seed, 120);
            sim_run(world, create, NULL);
            /* The log's segments and not quite all of the pages. */
            sim_set_faults(world, &(SimFaults){.disk_capacity = (50u << 20) + seed * 40000u});
            sim_set_crash(world, 600);
            const SimEnd ended = sim_run(world, run, NULL);
            work.failed = false; /* 53100 is what is expected */
            if (seed % 2 == 0)   /* the others recover on the full disk */
                sim_set_faults(world, &(SimFaults){0});
            sim_set_crash(world, 0);
            if (ended == SIM_CRASHED)
                sim_crash_disk(world);
            const SimEnd recovered = sim_run(world, recover, NULL);
            if (work.failed || recovered != SIM_ENDED)
                fprintf(stderr, "seed %u: %s\n", seed, work.why);
            _exit(work.failed || recovered != SIM_ENDED ? 1 : 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_anywhere_is_recovered_from),
        cmocka_unit_test(a_crash_before_every_operation_is_recovered_from),
        cmocka_unit_test(rot_is_noticed_or_harmless),
        cmocka_unit_test(a_full_disk_refuses_and_recovers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
