/*
 * A disk that lies: bits turned over, writes lost and misdirected. What is read afterwards is
 * right, or an error that names damage; never a wrong answer, never the end of the process.
 *
 * SENGI_ROT_EVERY is the distance of the bytes tried: 1 tries all.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sim.h"
#include "base/str.h"
#include "crash_workload.h"

#define ROT_EVERY 2999u /* a prime: all offsets within pages and records come up */
#define CPU_SECONDS_MAX 30
#define PARALLEL 2

/* What a crash abandons is never freed; the environment's options would outweigh those below. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    /* Freed memory is used again soon: each child is a fork, and fresh pages cost it most. */
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=16";
}

static const CrashOptions options = {
    .seed = 4, .steps = 7, .checkpoints = 6, .waits_per_three = 3, .is_damaged = true};

typedef struct Outcomes {
    uint64_t right, refused;
    uint64_t cut; /* what nothing behind it says was durable looks like a torn end of the log */
} Outcomes;

/* 0 in the child, which says nothing of the errors it comes to. */
static pid_t child_begin(void)
{
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    signal(SIGABRT, SIG_DFL); /* not cmocka's: it would go on with the tests in here */
    signal(SIGSEGV, SIG_DFL);
    setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS_MAX, CPU_SECONDS_MAX});
    if (!freopen("/dev/null", "w", stderr))
        _exit(1);
    return 0;
}

/* Waits for the child: right, refused, or a failure of the test. */
static void child_end(pid_t child, Outcomes *outcomes, const char *what, Str path, uint64_t at)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    if (status == 0)
        outcomes->right++;
    else if (WIFEXITED(status) && WEXITSTATUS(status) == CRASH_REFUSED)
        outcomes->refused++;
    else if (WIFEXITED(status) && WEXITSTATUS(status) == CRASH_UNSEEN &&
             str_find(path, STR("/pages"), 0) == SIZE_MAX)
        outcomes->refused++; /* verify does not read the log */
    else if (WIFEXITED(status) && WEXITSTATUS(status) == CRASH_CUT &&
             str_find(path, STR("/wal/"), 0) != SIZE_MAX)
        outcomes->cut++;
    else
        fail_msg("%s %.*s %llu: status %x", what, STR_ARGS(path), (unsigned long long)at,
                 (unsigned)status);
}

static SimWorld *world_with_a_database(void)
{
    SimWorld *world = sim_new(options.seed);

    crash_start(&options);
    assert_int_equal(sim_run(world, crash_create, NULL), SIM_ENDED);
    return world;
}

static uint64_t rot_distance(void)
{
    const char *every = getenv("SENGI_ROT_EVERY");

    return every ? strtoull(every, NULL, 10) : ROT_EVERY;
}

typedef struct Flip {
    pid_t child; /* 0: none */
    Str path;
    uint64_t offset;
} Flip;

static void flip_end(Flip *flip, Outcomes *outcomes)
{
    if (flip->child)
        child_end(flip->child, outcomes, "a bit of", flip->path, flip->offset);
    flip->child = 0;
}

/* Children run beside each other: whoever began longest ago is waited for. */
static void flip_and_read(SimWorld *world, Flip *flip)
{
    const pid_t child = child_begin();
    if (child == 0) {
        sim_flip_bit(world, flip->path, flip->offset, (unsigned)(flip->offset % 8));
        sim_run(world, crash_read, NULL);
        _exit(0);
    }
    flip->child = child;
}

/* Each file's bytes, at a distance; small files all of them. */
static void flip_everywhere(SimWorld *world)
{
    Outcomes outcomes = {0};
    Flip flips[PARALLEL] = {0};
    unsigned next = 0;
    Str path;
    uint64_t size;

    for (size_t i = 0; sim_file(world, i, &path, &size); i++) {
        const uint64_t every = size <= 16384 ? MAX(rot_distance() / 50, 1u) : rot_distance();
        for (uint64_t offset = i % every; offset < size; offset += every) {
            Flip *flip = &flips[next++ % PARALLEL];
            flip_end(flip, &outcomes);
            flip->path = path;
            flip->offset = offset;
            flip_and_read(world, flip);
        }
    }
    for (unsigned i = 0; i < PARALLEL; i++)
        flip_end(&flips[i], &outcomes);
    print_message(
        "bits turned over: %llu named, %llu without effect, %llu in the log's last flush\n",
        (unsigned long long)outcomes.refused, (unsigned long long)outcomes.right,
        (unsigned long long)outcomes.cut);
    assert_true(outcomes.cut <= outcomes.refused);
    assert_true(outcomes.refused > 0);
    assert_true(outcomes.right > 0);
}

static void a_flipped_bit_is_named_or_without_effect(void **state)
{
    SimWorld *world = world_with_a_database();

    (void)state;
    assert_int_equal(sim_run(world, crash_run, NULL), SIM_ENDED);
    flip_everywhere(world);
    sim_free(world);
}

/* After a crash the log counts as well. */
static void a_flipped_bit_before_recovery_is_named_or_without_effect(void **state)
{
    SimWorld *world = world_with_a_database();

    (void)state;
    sim_set_crash(world, 80);
    assert_int_equal(sim_run(world, crash_run, NULL), SIM_CRASHED);
    sim_crash_disk(world);
    sim_set_crash(world, 0);
    flip_everywhere(world);
    sim_free(world);
}

/* The n-th write is lost, or lands elsewhere; whether during the run or at its end. */
static void lie_at_each_write(const char *what, bool misdirects)
{
    SimWorld *created = world_with_a_database();
    Outcomes outcomes = {0};
    uint64_t n = 1;

    for (bool is_over = false; !is_over; n++) {
        int pipe_ends[2];
        char reached = 0;
        assert_int_equal(pipe(pipe_ends), 0);
        const pid_t child = child_begin();
        if (child == 0) {
            SimFaults faults = {0};
            *(misdirects ? &faults.misdirect_write_at : &faults.lose_write_at) = n;
            sim_set_faults(created, &faults);
            sim_run(created, crash_run, NULL);
            reached = sim_writes(created) < n;
            if (write(pipe_ends[1], &reached, 1) != 1)
                _exit(1);
            sim_set_faults(created, &(SimFaults){0});
            sim_run(created, crash_read, NULL);
            _exit(0);
        }
        child_end(child, &outcomes, what, STR("write"), n);
        close(pipe_ends[1]);
        is_over = read(pipe_ends[0], &reached, 1) == 1 && reached;
        close(pipe_ends[0]);
    }
    print_message("%llu writes: %llu named, %llu without effect\n", (unsigned long long)n - 1,
                  (unsigned long long)outcomes.refused, (unsigned long long)outcomes.right);
    assert_true(outcomes.refused > 0);
    sim_free(created);
}

static void a_lost_write_is_named_or_without_effect(void **state)
{
    (void)state;
    lie_at_each_write("lost", false);
}

static void a_misdirected_write_is_named_or_without_effect(void **state)
{
    (void)state;
    lie_at_each_write("misdirected", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_named_or_without_effect),
        cmocka_unit_test(a_flipped_bit_before_recovery_is_named_or_without_effect),
        cmocka_unit_test(a_lost_write_is_named_or_without_effect),
        cmocka_unit_test(a_misdirected_write_is_named_or_without_effect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
