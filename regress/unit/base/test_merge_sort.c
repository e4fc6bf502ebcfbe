/* Sorting with a context: any count and size of items, stable, and it can be interrupted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/error_record.h"
#include "base/hash.h"
#include "base/merge_sort.h"
#include "base/task.h"

typedef struct Item {
    uint32_t key, place, padding[3];
} Item;

typedef struct Counter {
    uint64_t compared, interrupt_at; /* at so many */
} Counter;

static int item_compare(const void *a, const void *b, const void *context)
{
    const uint32_t x = ((const Item *)a)->key, y = ((const Item *)b)->key;
    Counter *counter = *(Counter *const *)context;

    if (++counter->compared == counter->interrupt_at)
        task_interrupt(task_current(), INTERRUPT_CANCEL);
    return (x > y) - (x < y);
}

static bool sort_random(uint32_t count, uint32_t keys, Counter *counter, Item *items, Item *scratch)
{
    const MergeSort sort = {
        .size = sizeof(Item), .compare = item_compare, .context = (const void *)&counter};

    for (uint32_t i = 0; i < count; i++)
        items[i] = (Item){.key = (uint32_t)(hash_mix64(i + count) % keys), .place = i};
    return merge_sort(&sort, items, scratch, count);
}

static void items_are_sorted_and_equal_ones_stay_in_order(void **state)
{
    Arena *arena = arena_new("test");
    Counter counter = {0};

    (void)state;
    for (uint32_t count = 0; count < 3000; count += count < 40 ? 1 : 977) {
        for (uint32_t keys = 1; keys < 5000; keys = keys * 5 + 1) {
            Item *items = ARENA_ARRAY(arena, Item, count + 1);
            /* One more than there may be would be seen behind it. */
            Item *scratch = arena_alloc(arena, (count / 2 + 1) * sizeof(Item));
            assert_true(sort_random(count, keys, &counter, items, scratch));
            uint64_t places = 0;
            for (uint32_t i = 0; i < count; i++)
                places += items[i].place;
            assert_int_equal(places, (uint64_t)count * (count ? count - 1 : 0) / 2);
            for (uint32_t i = 1; i < count; i++)
                assert_true(
                    items[i - 1].key < items[i].key ||
                    (items[i - 1].key == items[i].key && items[i - 1].place < items[i].place));
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

static void what_is_sorted_is_looked_at_once(void **state)
{
    Arena *arena = arena_new("test");
    Counter counter = {0};
    Item *items = ARENA_ARRAY(arena, Item, 10000), *scratch = ARENA_ARRAY(arena, Item, 5001);

    (void)state;
    assert_true(sort_random(10000, 1, &counter, items, scratch));
    assert_true(counter.compared < 10000);
    arena_free(arena);
}

static void a_sort_is_interrupted_within_a_thousand_steps(void **state)
{
    enum { COUNT = 20000, STEP = 4999 };
    Arena *arena = arena_new("test");
    Item *items = ARENA_ARRAY(arena, Item, COUNT), *scratch = ARENA_ARRAY(arena, Item, COUNT);
    Counter counter = {.interrupt_at = 1};
    int interrupted = 0;

    (void)state;
    while (!sort_random(COUNT, 1000000, &counter, items, scratch)) {
        assert_true(counter.compared < counter.interrupt_at + 1100);
        error_clear_told();
        counter = (Counter){.interrupt_at = counter.interrupt_at + STEP};
        interrupted++;
    }
    assert_true(counter.compared < counter.interrupt_at); /* it was done before */
    assert_true(interrupted > 40);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_sorted_and_equal_ones_stay_in_order),
        cmocka_unit_test(what_is_sorted_is_looked_at_once),
        cmocka_unit_test(a_sort_is_interrupted_within_a_thousand_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
