#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/vec.h"

static void allocations_are_aligned_and_apart(void **state)
{
    Arena *arena = arena_new("test");
    char *previous = NULL;

    (void)state;
    for (size_t size = 0; size < 5000; size += 37) {
        char *p = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_ptr_not_equal(p, previous);
        memset(p, (int)size, size);
        previous = p;
    }
    arena_free(arena);
}

static void grow_keeps_content_and_extends_the_newest_in_place(void **state)
{
    Arena *arena = arena_new("test");
    char *p = arena_alloc(arena, 10);

    (void)state;
    memcpy(p, "0123456789", 10);
    char *q = arena_grow(arena, p, 10, 100);
    assert_ptr_equal(p, q);
    arena_alloc(arena, 1);
    char *r = arena_grow(arena, q, 100, 100000);
    assert_ptr_not_equal(q, r);
    assert_memory_equal(r, "0123456789", 10);
    arena_free(arena);
}

static void rewind_gives_back_what_came_after_the_mark(void **state)
{
    Arena *arena = arena_new("test");
    char *kept = arena_alloc(arena, 100);
    memset(kept, 'k', 100);
    ArenaMark mark = arena_mark(arena);
    size_t size = arena_size(arena);

    (void)state;
    for (int i = 0; i < 1000; i++)
        arena_alloc(arena, 5000);
    assert_true(arena_size(arena) > size);
    arena_rewind(arena, mark);
    assert_int_equal(arena_size(arena), size);
    for (int i = 0; i < 100; i++)
        assert_int_equal(kept[i], 'k');
    arena_free(arena);
}

static void reset_keeps_one_block_at_most(void **state)
{
    Arena *arena = arena_new("test");

    (void)state;
    for (int i = 0; i < 100; i++)
        arena_alloc(arena, 100000);
    arena_reset(arena);
    assert_true(arena_size(arena) < 3 * 1024 * 1024);
    assert_non_null(arena_alloc(arena, 8));
    arena_free(arena);
}

static void vectors_grow(void **state)
{
    Arena *arena = arena_new("test");
    VEC(int) numbers = {0};

    (void)state;
    for (int i = 0; i < 10000; i++)
        VEC_PUSH(arena, &numbers, i);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(numbers.items[i], i);
    arena_free(arena);
}

/* Pages that one allocation has had are not shared by those that come after it. */
static void what_grows_again_leaves_others_alone(void **state)
{
    enum { LONG = 600 * 1024 };
    Arena *arena = arena_new("test");

    (void)state;
    memset(arena_grow_moving(arena, NULL, 0, LONG), 'x', LONG);
    arena_reset(arena);
    char *first = arena_alloc(arena, 100), *second = arena_alloc(arena, 100);
    memset(first, 'a', 100);
    memset(second, 'b', 100);
    first = arena_grow_moving(arena, first, 100, LONG);
    memset(first, 'c', LONG);
    for (int i = 0; i < 100; i++)
        assert_int_equal(second[i], 'b');
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(grow_keeps_content_and_extends_the_newest_in_place),
        cmocka_unit_test(rewind_gives_back_what_came_after_the_mark),
        cmocka_unit_test(reset_keeps_one_block_at_most),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(what_grows_again_leaves_others_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
