#include "base/pace.h"
#include "base/scheduler.h"
#include "types/array.h"
#include "types/jsonb.h"
#include "types/types_internal.h"

#define STACK_RESERVE (16 * 1024)

typedef struct Assignment {
    Arena *arena;
    const Str *steps;
    int count;
    Str value;
} Assignment;

/* Longer arrays can't be made by an index: their nulls alone would not fit. */
static bool pad(JsonbBuilder *b, int64_t from, int64_t to)
{
    if (to - from > (int64_t)VALUE_SIZE_MAX / 8)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of jsonb array elements exceeds the maximum allowed (%d)",
                            (int)(VALUE_SIZE_MAX / 8)));
    for (int64_t i = from; i < to; i++) {
        CHECK_INTERRUPTS_EACH(i - from);
        jsonb_builder_add(b, STR_NONE, jsonb_null());
    }
    return true;
}

/* The value inside of what the steps from `level` on name, from the innermost outwards. */
static bool wrap(const Assignment *a, int level, Str *ret)
{
    Str node = a->value;
    for (int i = a->count - 1; i >= level; i--) {
        JsonbBuilder b;
        int64_t index;
        const bool is_array = jsonb_index_parse(a->steps[i], &index);
        jsonb_builder_init(&b, a->arena, is_array ? JSON_ARRAY : JSON_OBJECT);
        if (is_array)
            TRY(pad(&b, 0, index));
        jsonb_builder_add(&b, is_array ? STR_NONE : a->steps[i], node);
        TRY(jsonb_builder_finish(&b, &node));
    }
    *ret = node;
    return true;
}

static bool assign(const Assignment *a, Str node, int level, Str *ret);

/* What stands behind the step `level`, changed. */
static bool inside(const Assignment *a, Str node, int level, Str *ret)
{
    if (level < a->count - 1)
        return assign(a, node, level + 1, ret);
    *ret = a->value;
    return true;
}

static bool assign_object(const Assignment *a, Str node, int level, Str *ret)
{
    JsonbBuilder b;
    Str value;
    const Str step = a->steps[level];
    const int64_t found = jsonb_find_index(node, step);
    jsonb_builder_init(&b, a->arena, JSON_OBJECT);
    for (uint32_t i = 0; i < jsonb_count(node); i++)
        if (i != found)
            jsonb_builder_add(&b, jsonb_key(node, i), jsonb_value(node, i));
    if (found < 0)
        TRY(wrap(a, level + 1, &value));
    else
        TRY(inside(a, jsonb_value(node, (uint32_t)found), level, &value));
    jsonb_builder_add(&b, step, value);
    return jsonb_builder_finish(&b, ret);
}

static bool assign_array(const Assignment *a, Str node, int level, Str *ret)
{
    JsonbBuilder b;
    Str value;
    const int64_t count = jsonb_count(node);
    int64_t index;
    if (!jsonb_index_parse(a->steps[level], &index))
        FAIL(ERR_INVALID_TEXT_REPRESENTATION,
             .message = fmt("path element at position %d is not an integer: \"%.*s\"", level + 1,
                            STR_ARGS(a->steps[level])));
    if (-index > count)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("path element at position %d is out of range: %lld", level + 1,
                            (long long)index));
    if (index < 0)
        index += count;
    jsonb_builder_init(&b, a->arena, JSON_ARRAY);
    for (int64_t i = 0; i < count; i++) {
        value = jsonb_element(node, (uint32_t)i);
        if (i == index)
            TRY(inside(a, value, level, &value));
        jsonb_builder_add(&b, STR_NONE, value);
    }
    if (index >= count) {
        TRY(pad(&b, count, index));
        TRY(wrap(a, level + 1, &value));
        jsonb_builder_add(&b, STR_NONE, value);
    }
    return jsonb_builder_finish(&b, ret);
}

static bool assign(const Assignment *a, Str node, int level, Str *ret)
{
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (jsonb_is_scalar(node))
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("cannot replace existing key"),
             .detail = STR("The path assumes key is a composite object, but it is a scalar "
                           "value."));
    return jsonb_kind(node) == JSON_OBJECT ? assign_object(a, node, level, ret)
                                           : assign_array(a, node, level, ret);
}

bool jsonb_assign(Arena *arena, Str root, const Str *steps, int count, Str value, Str *ret)
{
    const Assignment a = {arena, steps, count, value};
    return assign(&a, root, 0, ret);
}
