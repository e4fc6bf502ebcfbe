/* Values that nest are bounded where they are made: one level more than the greatest is 54001. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "types/array.h"
#include "types/jsonb.h"
#include "types/record.h"

static bool jsonb_wrap(Arena *arena, Str inner, Str *ret)
{
    JsonbBuilder builder;
    jsonb_builder_init(&builder, arena, JSON_ARRAY);
    jsonb_builder_add(&builder, STR(""), inner);
    return jsonb_builder_finish(&builder, ret);
}

static void jsonb_nests_to_its_greatest_depth(void **state)
{
    (void)state;
    Arena *arena = arena_new("test");
    Str node = jsonb_null(), deeper;
    for (int i = 0; i < JSONB_DEPTH_MAX; i++)
        assert_true(jsonb_wrap(arena, node, &node));
    assert_false(jsonb_wrap(arena, node, &deeper));
    assert_int_equal(error_fields()->sqlstate, ERR_STATEMENT_TOO_COMPLEX);
    arena_free(arena);
}

static Value record_wrap(Arena *arena, Oid type, Value inner)
{
    const bool is_null = false;
    return record_make(arena, TYPE_RECORD, &type, &inner, &is_null, 1);
}

static void records_nest_to_their_greatest_depth(void **state)
{
    (void)state;
    Arena *arena = arena_new("test");
    Value record = record_wrap(arena, TYPE_INT4, (Value){.int32 = 1});
    for (int i = 1; i < RECORD_DEPTH_MAX; i++)
        record = record_wrap(arena, TYPE_RECORD, record);
    assert_true(record_depth_check(&record));

    const Value deeper = record_wrap(arena, TYPE_RECORD, record);
    assert_false(record_depth_check(&deeper));
    assert_int_equal(error_fields()->sqlstate, ERR_STATEMENT_TOO_COMPLEX);

    /* An array between two records hides no level. */
    Value array;
    assert_true(array_from_values(arena, TYPE_RECORD, &record, 1, &array));
    const Value around = record_wrap(arena, TYPE_RECORD_ARRAY, array);
    assert_false(record_depth_check(&around));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jsonb_nests_to_its_greatest_depth),
        cmocka_unit_test(records_nest_to_their_greatest_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
