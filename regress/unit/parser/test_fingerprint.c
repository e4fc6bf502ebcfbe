#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parser/fingerprint.h"

static Fingerprint make(Arena *arena, const char *text)
{
    Fingerprint print;

    fingerprint_make(arena, str_from_c(text), &print);
    return print;
}

static void assert_alike(const char *a, const char *b, bool expected)
{
    Arena *arena = arena_new("test");
    Fingerprint x = make(arena, a), y = make(arena, b);

    assert_true(x.is_cacheable);
    assert_true(y.is_cacheable);
    if (str_equal(x.normal, y.normal) != expected)
        fail_msg("%s | %s: %s", a, b, expected ? "differ" : "are alike");
    if (expected)
        assert_true(x.hash == y.hash);
    arena_free(arena);
}

static void values_do_not_count(void **state)
{
    (void)state;
    assert_alike("select a from t where b = 1", "select a from t where b = 2147483647", true);
    assert_alike("select a from t where b = 1", "select a from t where b = -5", true);
    assert_alike("select a from t where b = 'x'", "select a from t where b = 'it''s'", true);
    assert_alike("insert into t values (1, 'a', 1.5)", "insert into t values (-2, '', 25e-3)",
                 true);
}

static void kinds_and_texts_do(void **state)
{
    (void)state;
    assert_alike("select a from t where b = 1", "select a from t where b = 2147483648", false);
    assert_alike("select a from t where b = 1", "select a from t where b = 1.0", false);
    assert_alike("select a from t where b = 1", "select a from t where b = '1'", false);
    assert_alike("select a from t where b = 1", "select a from t where b = - 1", false);
    assert_alike("select a from t where b = 9223372036854775807",
                 "select a from t where b = 9223372036854775808", false);
    assert_alike("select a from t where b = 1", "select c from t where b = 1", false);
    assert_alike("select \"A\" from t where b = 1", "select \"a\" from t where b = 1", false);
    assert_alike("select a-1 from t where b = 1", "select a from t where b = 1", false);
}

static void spelling_does_not(void **state)
{
    (void)state;
    assert_alike("SELECT a FROM T WHERE b = 1", "select  a\n from t\twhere B = 1 ;", true);
    assert_alike("select a from t where b = 1", "select a /* x /* y */ */ from t where b = 1 -- z",
                 true);
    assert_alike("select a from t where b = 1", "  select a from t where b = 1", true);
}

static void a_sign_is_a_sign_only_where_no_operand_is_before(void **state)
{
    static const struct {
        const char *text;
        int64_t values[2];
        uint32_t starts[2];
    } cases[] = {
        {"select a -1, 2", {1, 2}, {10, 13}},    {"select (a) -1, 2", {1, 2}, {12, 15}},
        {"select 1 -2 from t", {1, 2}, {7, 10}}, {"select a + -1, -2", {-1, -2}, {11, 15}},
        {"select a=-1,-2 x", {-1, -2}, {9, 12}}, {"select f(-1, a[1]-2)", {-1, 1}, {9, 15}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        Arena *arena = arena_new("test");
        Fingerprint print = make(arena, cases[i].text);
        assert_true(print.is_cacheable);
        assert_true(print.literal_count >= 2);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(print.literals[k].integer, cases[i].values[k]);
            assert_int_equal(print.literals[k].start, cases[i].starts[k]);
        }
        arena_free(arena);
    }
}

static void what_is_not_sure_is_not_cacheable(void **state)
{
    static const char *const texts[] = {
        "",
        "begin",
        "create table t (a int)",
        "with x as (select 1) select * from x",
        "select 1; select 2",
        "select e'a'",
        "select b'1'",
        "select n'a'",
        "select u&'a'",
        "select u&\"a\"",
        "select 'a' 'b'",
        "select 'a'\n'b'",
        "select 'a\\b'",
        "select 'a",
        "select \"a",
        "select $$a$$",
        "select $a$b$a$",
        "select 1a",
        "select 1e",
        "select .5",
        "select 1..2",
        "select 1.5.2",
        "select f(-1::int2)",
        "select f(-1 :: int2)",
        "select f(-2 ^ 2)",
        "select a @-1",
        "select a %-1",
        "select 1 /* open",
        "select a1234567890123456789012345678901234567890123456789012345678901234 from t",
        "select \001",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        Arena *arena = arena_new("test");
        if (make(arena, texts[i]).is_cacheable)
            fail_msg("cacheable: %s", texts[i]);
        arena_free(arena);
    }
}

static void parameters_and_times_are_told(void **state)
{
    Arena *arena = arena_new("test");

    (void)state;
    assert_true(make(arena, "select a from t where b = $1").has_params);
    assert_false(make(arena, "select a$1 from t where b = 1").has_params);
    assert_true(make(arena, "select * from t where a = 'Now'").literals[0].names_time);
    assert_true(make(arena, "select * from t where a = ' TODAY'").literals[0].names_time);
    assert_false(make(arena, "select * from t where a = 'later'").literals[0].names_time);
    Str text = make(arena, "select * from t where a = 'it''s '''").literals[0].text;
    assert_true(str_equal(text, STR("it's '")));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_do_not_count),
        cmocka_unit_test(kinds_and_texts_do),
        cmocka_unit_test(spelling_does_not),
        cmocka_unit_test(a_sign_is_a_sign_only_where_no_operand_is_before),
        cmocka_unit_test(what_is_not_sure_is_not_cacheable),
        cmocka_unit_test(parameters_and_times_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
