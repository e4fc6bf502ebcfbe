/* Errors and the interrupts they came of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error_record.h"
#include "base/memory.h"
#include "base/task.h"

static uint32_t pending(void)
{
    return atomic_load(&task_current()->interrupts);
}

static bool work(void)
{
    CHECK_INTERRUPTS();
    return true;
}

/* Fails with this message; nothing is pending afterwards but what ends sessions. */
static void assert_interrupted(SqlState sqlstate, Str message)
{
    assert_false(work());
    assert_int_equal(error_fields()->sqlstate, sqlstate);
    assert_true(str_equal(error_fields()->message, message));
}

static void who_clears_a_cancel_is_cancelled_later(void **state)
{
    (void)state;
    task_interrupt(task_current(), INTERRUPT_CANCEL);
    for (int i = 0; i < 3; i++) {
        assert_interrupted(ERR_QUERY_CANCELED, STR("canceling statement due to user request"));
        assert_int_equal(pending(), 0);
        error_clear();
        assert_int_equal(pending(), INTERRUPT_CANCEL);
    }
    assert_interrupted(ERR_QUERY_CANCELED, STR("canceling statement due to user request"));
    error_clear_told();
    assert_true(work());
}

static void a_timeout_is_told_once_and_as_such(void **state)
{
    (void)state;
    task_interrupt(task_current(), INTERRUPT_STATEMENT_TIMEOUT | INTERRUPT_CANCEL);
    assert_interrupted(ERR_QUERY_CANCELED, STR("canceling statement due to statement timeout"));
    error_clear();
    assert_interrupted(ERR_QUERY_CANCELED, STR("canceling statement due to statement timeout"));
    error_clear_told();
    assert_int_equal(pending(), 0);
    assert_true(work());
    /* What was not pending does not come to be. */
    task_interrupt(task_current(), INTERRUPT_STATEMENT_TIMEOUT);
    assert_false(work());
    error_clear();
    assert_int_equal(pending(), INTERRUPT_STATEMENT_TIMEOUT);
    task_clear_interrupts(task_current(), INTERRUPT_STATEMENT_TIMEOUT);
}

static void what_ends_a_session_stays_pending(void **state)
{
    (void)state;
    task_interrupt(task_current(), INTERRUPT_TERMINATE | INTERRUPT_CANCEL);
    assert_false(work());
    assert_int_equal(error_fields()->sqlstate, ERR_ADMIN_SHUTDOWN);
    assert_int_equal(pending(), INTERRUPT_TERMINATE | INTERRUPT_CANCEL);
    error_clear();
    assert_int_equal(pending(), INTERRUPT_TERMINATE | INTERRUPT_CANCEL);
    task_clear_interrupts(task_current(), INTERRUPT_TERMINATE | INTERRUPT_CANCEL);
}

static void the_end_of_memory_comes_again_with_its_size(void **state)
{
    (void)state;
    memory_set_limit(1);
    void *memory = memory_must_take(2 * 1024 * 1024, 0, "test");
    assert_interrupted(ERR_OUT_OF_MEMORY, STR("out of memory"));
    error_clear();
    assert_interrupted(ERR_OUT_OF_MEMORY, STR("out of memory"));
    assert_true(str_equal(error_fields()->detail,
                          STR("Failed on request of size 2097152 in memory context \"test\".")));
    error_clear_told();
    memory_give(memory, 2 * 1024 * 1024);
    memory_set_limit(0);
    assert_true(work());
}

static void waits_are_no_other_case(void **state)
{
    (void)state;
    task_interrupt(task_current(), INTERRUPT_CANCEL);
    assert_false(task_sleep(1000 * 1000, WAIT_EVENT_PG_SLEEP));
    error_clear();
    assert_false(task_sleep(1000 * 1000, WAIT_EVENT_PG_SLEEP));
    error_clear_told();
    assert_true(task_sleep(1, WAIT_EVENT_PG_SLEEP));
}

static void an_error_stands_for_the_one_whose_place_it_took(void **state)
{
    (void)state;
    task_interrupt(task_current(), INTERRUPT_CANCEL);
    assert_false(work());
    ERROR_SET(ERR_DIVISION_BY_ZERO, .message = STR("division by zero"));
    error_clear();
    assert_int_equal(pending(), INTERRUPT_CANCEL);
    /* The next error has nothing to do with it. */
    assert_false(work());
    error_clear_told();
    ERROR_SET(ERR_DIVISION_BY_ZERO, .message = STR("division by zero"));
    error_clear();
    assert_int_equal(pending(), 0);
}

static void cleaning_up_swallows_nothing(void **state)
{
    (void)state;
    ERROR_SET(ERR_DIVISION_BY_ZERO, .message = STR("division by zero"));
    ErrorRecord *first = error_put_aside();
    task_interrupt(task_current(), INTERRUPT_CANCEL);
    assert_false(work());
    error_put_back(first);
    assert_int_equal(error_fields()->sqlstate, ERR_DIVISION_BY_ZERO);
    assert_int_equal(pending(), INTERRUPT_CANCEL);
    error_clear();
    /* And the other way about: what was put aside still stands for its interrupt. */
    assert_false(work());
    first = error_put_aside();
    ERROR_SET(ERR_DIVISION_BY_ZERO, .message = STR("division by zero"));
    error_put_back(first);
    assert_int_equal(pending(), 0);
    error_clear();
    assert_int_equal(pending(), INTERRUPT_CANCEL);
    task_clear_interrupts(task_current(), INTERRUPT_CANCEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_clears_a_cancel_is_cancelled_later),
        cmocka_unit_test(a_timeout_is_told_once_and_as_such),
        cmocka_unit_test(what_ends_a_session_stays_pending),
        cmocka_unit_test(the_end_of_memory_comes_again_with_its_size),
        cmocka_unit_test(waits_are_no_other_case),
        cmocka_unit_test(an_error_stands_for_the_one_whose_place_it_took),
        cmocka_unit_test(cleaning_up_swallows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
