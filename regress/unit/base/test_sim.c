#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os.h"
#include "base/sim.h"
#include "base/sync.h"

static void write_and_sync_twice(void *argument)
{
    char text[1024];
    File *file = os->file_open(STR("d/file"), OS_CREATE);

    (void)argument;
    assert_non_null(file);
    assert_true(os->sync_directory(STR("d")));
    memset(text, 'a', sizeof(text));
    assert_true(os->file_write(file, text, sizeof(text), 0));
    assert_true(os->file_sync(file));
    memset(text, 'b', sizeof(text));
    assert_true(os->file_write(file, text, sizeof(text), 1024));
    assert_true(os->file_write(file, text, sizeof(text), 0));
    os->file_close(file);
}

static bool is_all(const char *text, size_t size, char c)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != c)
            return false;
    return true;
}

static unsigned fates; /* bit 1: second write lost, 2: kept, 4: torn */

static void check_after_crash(void *argument)
{
    char text[2048] = {0};
    size_t count;
    File *file = os->file_open(STR("d/file"), OS_READ_ONLY);

    (void)argument;
    assert_non_null(file);
    assert_true(os->file_read_some(file, text, sizeof(text), 0, &count));
    assert_true(count >= 1024);
    bool a0 = is_all(text, 512, 'a'), a1 = is_all(text + 512, 512, 'a');
    bool b0 = is_all(text, 512, 'b'), b1 = is_all(text + 512, 512, 'b');
    assert_true((a0 || b0) && (a1 || b1)); /* sectors are whole */
    fates |= a0 && a1 ? 1 : b0 && b1 ? 2 : 4;
    os->file_close(file);
}

static void a_crash_keeps_loses_or_tears_what_was_not_synced(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 60; seed++) {
        SimWorld *world = sim_new(seed);
        assert_int_equal(sim_run(world, write_and_sync_twice, NULL), SIM_ENDED);
        sim_crash_disk(world);
        assert_int_equal(sim_run(world, check_after_crash, NULL), SIM_ENDED);
        sim_free(world);
    }
    assert_int_equal(fates, 7);
}

static struct {
    Mutex mutex;
    Cond filled;
    int box, taken;
} shop = {.mutex = MUTEX_INIT(RANK_LEAF)};

static void producer(void *argument)
{
    (void)argument;
    for (int i = 0; i < 100; i++) {
        mutex_lock(&shop.mutex);
        shop.box++;
        mutex_unlock(&shop.mutex);
        cond_signal(&shop.filled);
        assert_true(task_sleep(1000000, WAIT_EVENT_PG_SLEEP));
    }
}

static void consumer(void *argument)
{
    int64_t start = os->monotonic();
    Thread *thread = os->thread_start("producer", producer, NULL);

    (void)argument;
    while (shop.taken < 100) {
        mutex_lock(&shop.mutex);
        while (shop.box == 0)
            cond_wait(&shop.filled, &shop.mutex);
        shop.box--;
        shop.taken++;
        mutex_unlock(&shop.mutex);
    }
    os->thread_join(thread);
    assert_true(os->monotonic() - start >= 100 * 1000000); /* 100 virtual seconds */
}

static void threads_wait_in_virtual_time(void **state)
{
    SimWorld *world = sim_new(7);

    (void)state;
    assert_int_equal(sim_run(world, consumer, NULL), SIM_ENDED);
    assert_int_equal(shop.taken, 100);
    sim_free(world);
}

static void every_operation_is_a_crash_point(void **state)
{
    SimWorld *world = sim_new(3);

    (void)state;
    sim_set_fork(world, 1, 2);
    if (sim_run(world, write_and_sync_twice, NULL) == SIM_CRASHED) {
        /* A child: fails on purpose at its sixth operation. */
        _exit(sim_operations(world) == 6);
    }
    assert_int_equal(sim_fork_failures(world), 1);
    assert_int_equal(sim_fork_count(world), sim_operations(world));
    assert_int_equal(sim_operations(world), 6);
    sim_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_keeps_loses_or_tears_what_was_not_synced),
        cmocka_unit_test(threads_wait_in_virtual_time),
        cmocka_unit_test(every_operation_is_a_crash_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
