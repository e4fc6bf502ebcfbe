#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/settings.h"
#include "base/str.h"

static void numbers_parse_only_when_whole_and_in_range(void **state)
{
    int64_t value;

    (void)state;
    assert_true(str_to_int64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_int64(STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_false(str_to_int64(STR("9223372036854775808"), &value));
    assert_false(str_to_int64(STR(""), &value));
    assert_false(str_to_int64(STR("12 "), &value));
    assert_false(str_to_int64(STR("-"), &value));
}

static void buffers_hold_what_was_appended(void **state)
{
    StrBuf buf = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        strbuf_format(&buf, "%d,", i);
    strbuf_append_int64(&buf, INT64_MIN);
    assert_true(str_ends_with(strbuf_view(&buf), STR("999,-9223372036854775808")));
    assert_int_equal(str_find(strbuf_view(&buf), STR("10,11"), 0), 20);
    strbuf_deinit(&buf);
}

static void settings_validate_and_show_as_postgresql_does(void **state)
{
    Arena *arena = arena_new("test");
    SettingValues values = settings_default;

    (void)state;
    assert_true(settings_set(&values, arena, SETTING_WORK_MEM, STR("64MB")));
    assert_int_equal(values.work_mem, 65536);
    assert_true(str_equal(setting_show(&values, SETTING_WORK_MEM, arena), STR("64MB")));
    assert_true(str_equal(setting_show_raw(&values, SETTING_WORK_MEM, arena), STR("65536")));
    assert_false(settings_set(&values, arena, SETTING_WORK_MEM, STR("64 lines")));
    assert_true(str_equal(error_fields()->message,
                          STR("invalid value for parameter \"work_mem\": \"64 lines\"")));
    assert_false(settings_set(&values, arena, SETTING_WORK_MEM, STR("1")));
    assert_true(str_equal(error_fields()->message,
                          STR("1 kB is outside the valid range for parameter \"work_mem\" "
                              "(64 .. 2147483647)")));
    assert_string_equal(sqlstate_text(error_fields()->sqlstate).text, "22023");
    assert_true(settings_set(&values, arena, SETTING_ENABLE_SEQSCAN, STR("of")));
    assert_false(values.enable_seqscan);
    assert_true(settings_set(&values, arena, SETTING_STATEMENT_TIMEOUT, STR("1.5min")));
    assert_int_equal(values.statement_timeout, 90000);
    error_clear();
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_parse_only_when_whole_and_in_range),
        cmocka_unit_test(buffers_hold_what_was_appended),
        cmocka_unit_test(settings_validate_and_show_as_postgresql_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
