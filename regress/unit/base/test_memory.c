#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/memory_reserve.h"
#include "base/task.h"

#define PIECES 2000
#define MEBIBYTE ((size_t)1 << 20)

/* Pieces of all sizes, each full of its own byte. */
static void *pieces[PIECES];
static size_t sizes[PIECES];

static void piece_take(size_t i, size_t size)
{
    pieces[i] = reserve_take(size, RESERVE_ANYBODY);
    sizes[i] = size;
    if (pieces[i]) {
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        assert_true(reserve_size(pieces[i]) >= size);
        memset(pieces[i], (int)(i % 251), size);
    }
}

static void piece_give(size_t i)
{
    const unsigned char *bytes = pieces[i];

    for (size_t at = 0; bytes && at < sizes[i]; at++)
        assert_int_equal(bytes[at], i % 251);
    assert_true(!bytes || reserve_give(pieces[i]));
    pieces[i] = NULL;
}

static void pieces_are_apart_and_join_again(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (size_t turn = 0; turn < 20000; turn++) {
        random = random * 1664525u + 1013904223u;
        const size_t i = random / 7 % PIECES;
        if (pieces[i])
            piece_give(i);
        else
            piece_take(i, random % 13 == 0 ? random % 60000 : random % 500);
    }
    for (size_t i = 0; i < PIECES; i++)
        piece_give(i);
    assert_int_equal(reserve_used(), 0);
    /* All of it in one piece, but for what is kept for promises. */
    void *large = reserve_take(reserve_capacity() / 2 - 16, RESERVE_ANYBODY);
    assert_non_null(large);
    assert_true(reserve_give(large));
}

static void what_is_promised_is_there_when_all_else_is_spent(void **state)
{
    size_t count = 0;

    (void)state;
    assert_true(reserve_promise(64 * MEBIBYTE));
    while (count < PIECES && (pieces[count] = reserve_take(10000, RESERVE_ANYBODY)) != NULL)
        count++;
    assert_true(count > 100 && count < PIECES);
    void *promised[60];
    for (size_t i = 0; i < ARRAY_LENGTH(promised); i++) {
        promised[i] = reserve_take(MEBIBYTE - 16, RESERVE_PROMISED);
        assert_non_null(promised[i]);
        memset(promised[i], 1, MEBIBYTE - 16);
    }
    reserve_promise_end(64 * MEBIBYTE);
    for (size_t i = 0; i < ARRAY_LENGTH(promised); i++)
        assert_true(reserve_give(promised[i]));
    while (count > 0)
        assert_true(reserve_give(pieces[--count]));
    assert_int_equal(reserve_used(), 0);
}

static void no_more_is_promised_than_there_are_addresses(void **state)
{
    (void)state;
    assert_false(memory_promise((size_t)1 << 46));
    assert_int_equal(error_fields()->sqlstate, ERR_OUT_OF_MEMORY);
    error_clear();
    assert_true(memory_promise(MEBIBYTE));
    memory_promise_end(MEBIBYTE);
}

/* A commit of millions is promised what it will never need. */
static void more_is_promised_than_the_machine_has(void **state)
{
    const size_t size = 4 * (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
    int mode = 0;

    (void)state;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &mode), 1);
    fclose(file);
    if (mode == 2) /* it may not promise more than it has */
        skip();
    assert_true(memory_promise(size));
    memory_promise_end(size);
}

static void memory_of_the_heap_is_none_of_the_reserve(void **state)
{
    void *piece = reserve_take(100, RESERVE_ANYBODY), *heap = malloc(100);

    (void)state;
    assert_false(reserve_give(heap));
    assert_int_equal(reserve_size(heap), 0);
    /* It moves to the heap when it grows, with what is in it. */
    memset(piece, 7, 100);
    unsigned char *grown = memory_must_realloc(piece, 5000);
    assert_int_equal(reserve_used(), 0);
    assert_int_equal(grown[99], 7);
    memory_free(grown);
    free(heap);
}

static void who_cannot_fail_is_told_to_stop(void **state)
{
    (void)state;
#if !defined(SENGI_ASAN) && !defined(SENGI_TSAN) /* whose heaps end the process instead */
    assert_null(memory_malloc((size_t)1 << 46));
    assert_null(memory_realloc(NULL, (size_t)1 << 46));
#endif
    assert_int_equal(atomic_load(&task_current()->interrupts), 0);
    memory_set_limit(1);
    void *memory = memory_must_take(2 * MEBIBYTE, 0, "test");
    assert_false(task_handle_interrupts(task_current()));
    assert_int_equal(error_fields()->sqlstate, ERR_OUT_OF_MEMORY);
    error_clear();
    memory_give(memory, 2 * MEBIBYTE);
    memory_set_limit(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_apart_and_join_again),
        cmocka_unit_test(what_is_promised_is_there_when_all_else_is_spent),
        cmocka_unit_test(more_is_promised_than_the_machine_has),
        cmocka_unit_test(no_more_is_promised_than_there_are_addresses),
        cmocka_unit_test(memory_of_the_heap_is_none_of_the_reserve),
        cmocka_unit_test(who_cannot_fail_is_told_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
