/* Counters of many threads are one sum, also when the threads have ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "base/os.h"

#define THREADS 4
#define ROUNDS 10000

static void count_main(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(METRIC_PAGES_READ, 1);
        metric_add(METRIC_TEMPORARY_BYTES, 3);
    }
}

static void counts_of_all_threads_are_summed(void **state)
{
    const uint64_t pages = metric_read(METRIC_PAGES_READ);
    const uint64_t bytes = metric_read(METRIC_TEMPORARY_BYTES);
    Thread *threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        threads[i] = os->thread_start("counter", count_main, NULL);
    count_main(NULL);
    for (int i = 0; i < THREADS; i++)
        os->thread_join(threads[i]);
    assert_int_equal(metric_read(METRIC_PAGES_READ) - pages, (THREADS + 1) * ROUNDS);
    assert_int_equal(metric_read(METRIC_TEMPORARY_BYTES) - bytes, (THREADS + 1) * ROUNDS * 3);
}

static void a_block_is_its_threads_own_cache_lines(void **state)
{
    (void)state;
    metric_add(METRIC_PAGES_READ, 0);
    assert_int_equal((uintptr_t)metric_block->counts % CACHE_LINE, 0);
    assert_true(sizeof(MetricBlock) % CACHE_LINE == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_all_threads_are_summed),
        cmocka_unit_test(a_block_is_its_threads_own_cache_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
