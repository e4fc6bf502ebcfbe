/* Functions that make another jsonb of one: concatenation, deletion, changes along a path. */
#include "base/scheduler.h"
#include "types/array.h"
#include "types/jsonb.h"
#include "types/types_internal.h"

#define ROOT(i) var_str(args[i].var)
#define STACK_RESERVE (16 * 1024)

static bool finish(JsonbBuilder *b, Value *ret)
{
    Str node;
    TRY(jsonb_builder_finish(b, &node));
    *ret = value_text(node);
    return true;
}

/* The items of a container; a scalar, or an object among arrays, is one item. */
static void add_items(JsonbBuilder *b, Str node)
{
    if (b->kind == JSON_ARRAY && jsonb_kind(node) != JSON_ARRAY) {
        jsonb_builder_add(b, STR_NONE, node);
        return;
    }
    for (uint32_t i = 0; i < jsonb_count(node); i++)
        jsonb_builder_add(b, b->kind == JSON_OBJECT ? jsonb_key(node, i) : STR_NONE,
                          b->kind == JSON_OBJECT ? jsonb_value(node, i) : jsonb_element(node, i));
}

FUNCTION(jsonb_concat)
{
    JsonbBuilder b;
    const bool both_objects =
        jsonb_kind(ROOT(0)) == JSON_OBJECT && jsonb_kind(ROOT(1)) == JSON_OBJECT;
    jsonb_builder_init(&b, call->arena, both_objects ? JSON_OBJECT : JSON_ARRAY);
    add_items(&b, ROOT(0));
    add_items(&b, ROOT(1));
    return finish(&b, ret);
}

/* Whether an item is one of the keys: a pair by its key, an element as a string. */
static bool is_named(Str node, uint32_t i, const Value *keys, const bool *key_nulls, int count)
{
    Str name;
    if (jsonb_kind(node) == JSON_OBJECT) {
        name = jsonb_key(node, i);
    } else {
        const Str item = jsonb_element(node, i);
        if (jsonb_kind(item) != JSON_STRING)
            return false;
        name = jsonb_characters(item);
    }
    for (int k = 0; k < count; k++)
        if (!key_nulls[k] && str_equal(name, var_str(keys[k].var)))
            return true;
    return false;
}

static bool delete_keys(FunctionCall *call, Str node, const Value *keys, const bool *key_nulls,
                        int count, Value *ret)
{
    JsonbBuilder b;
    const bool is_object = jsonb_kind(node) == JSON_OBJECT;
    if (jsonb_is_scalar(node))
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("cannot delete from scalar"));
    jsonb_builder_init(&b, call->arena, jsonb_kind(node));
    for (uint32_t i = 0; i < jsonb_count(node); i++)
        if (!is_named(node, i, keys, key_nulls, count))
            jsonb_builder_add(&b, is_object ? jsonb_key(node, i) : STR_NONE,
                              is_object ? jsonb_value(node, i) : jsonb_element(node, i));
    return finish(&b, ret);
}

FUNCTION(jsonb_delete)
{
    return delete_keys(call, ROOT(0), &args[1], &nulls[1], 1, ret);
}

FUNCTION(jsonb_delete_array)
{
    ArrayView view;
    TRY(array_open(&args[1], &view));
    if (view.dimension_count > 1)
        FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("wrong number of array subscripts"));
    Value *keys = arena_alloc(call->arena, (size_t)MAX(view.count, 1) * sizeof(*keys));
    bool *key_nulls = arena_alloc(call->arena, (size_t)MAX(view.count, 1));
    for (int i = 0; i < view.count; i++)
        array_element(&view, i, &keys[i], &key_nulls[i]);
    return delete_keys(call, ROOT(0), keys, key_nulls, view.count, ret);
}

FUNCTION(jsonb_delete_idx)
{
    JsonbBuilder b;
    const Str node = ROOT(0);
    const JsonKind kind = jsonb_kind(node);
    const int64_t count = jsonb_count(node);
    const int64_t index = args[1].int32 < 0 ? args[1].int32 + count : args[1].int32;
    if (kind < JSON_ARRAY)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("cannot delete from scalar"));
    if (kind == JSON_OBJECT)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("cannot delete from object using integer index"));
    jsonb_builder_init(&b, call->arena, JSON_ARRAY);
    for (int64_t i = 0; i < count; i++)
        if (i != index)
            jsonb_builder_add(&b, STR_NONE, jsonb_element(node, (uint32_t)i));
    return finish(&b, ret);
}

/* Changes along a path. */
typedef enum PathOperation {
    PATH_REPLACE = 0, /* what is there */
    PATH_CREATE,      /* replace, or add where it is missing */
    PATH_INSERT_BEFORE,
    PATH_INSERT_AFTER,
    PATH_DELETE,
} PathOperation;

typedef struct PathChange {
    FunctionCall *call;
    ArrayView path;
    PathOperation operation;
    Str replacement;
} PathChange;

static bool adds(const PathChange *c)
{
    return c->operation == PATH_CREATE || c->operation == PATH_INSERT_BEFORE ||
           c->operation == PATH_INSERT_AFTER;
}

static bool change(const PathChange *c, Str node, int level, Str *ret);

static bool change_object(const PathChange *c, Str node, int level, Str step, Str *ret)
{
    JsonbBuilder b;
    const bool is_last = level == c->path.count - 1;
    bool found = false;
    jsonb_builder_init(&b, c->call->arena, JSON_OBJECT);
    for (uint32_t i = 0; i < jsonb_count(node); i++) {
        const Str key = jsonb_key(node, i);
        Str value = jsonb_value(node, i);
        if (!str_equal(key, step)) {
            jsonb_builder_add(&b, key, value);
            continue;
        }
        found = true;
        if (is_last && (c->operation == PATH_INSERT_BEFORE || c->operation == PATH_INSERT_AFTER))
            FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("cannot replace existing key"),
                 .hint = STR("Try using the function jsonb_set to replace key value."));
        if (is_last && c->operation == PATH_DELETE)
            continue;
        if (is_last)
            value = c->replacement;
        else
            TRY(change(c, value, level + 1, &value));
        jsonb_builder_add(&b, key, value);
    }
    if (!found && is_last && adds(c))
        jsonb_builder_add(&b, step, c->replacement);
    return jsonb_builder_finish(&b, ret);
}

/* What stands at the place that the path ends with, and what comes before and behind. */
static void add_changed(const PathChange *c, JsonbBuilder *b, Str item)
{
    const bool keep = c->operation == PATH_INSERT_BEFORE || c->operation == PATH_INSERT_AFTER;
    if (c->operation == PATH_INSERT_BEFORE)
        jsonb_builder_add(b, STR_NONE, c->replacement);
    if (keep)
        jsonb_builder_add(b, STR_NONE, item);
    if (c->operation != PATH_INSERT_BEFORE && c->operation != PATH_DELETE)
        jsonb_builder_add(b, STR_NONE, c->replacement);
}

static bool change_array(const PathChange *c, Str node, int level, Str step, Str *ret)
{
    JsonbBuilder b;
    const bool is_last = level == c->path.count - 1;
    const int64_t count = jsonb_count(node);
    int64_t index;
    bool done = false;
    if (!jsonb_index_parse(step, &index))
        FAIL(ERR_INVALID_TEXT_REPRESENTATION,
             .message = fmt("path element at position %d is not an integer: \"%.*s\"", level + 1,
                            STR_ARGS(step)));
    if (index < 0)
        index = -index > count ? INT64_MIN : index + count;
    jsonb_builder_init(&b, c->call->arena, JSON_ARRAY);
    if ((index == INT64_MIN || count == 0) && is_last && adds(c)) {
        jsonb_builder_add(&b, STR_NONE, c->replacement);
        done = true;
    }
    for (int64_t i = 0; i < count; i++) {
        Str item = jsonb_element(node, (uint32_t)i);
        if (i != index) {
            jsonb_builder_add(&b, STR_NONE, item);
            continue;
        }
        done = true;
        if (is_last) {
            add_changed(c, &b, item);
        } else {
            TRY(change(c, item, level + 1, &item));
            jsonb_builder_add(&b, STR_NONE, item);
        }
    }
    if (!done && is_last && adds(c))
        jsonb_builder_add(&b, STR_NONE, c->replacement);
    return jsonb_builder_finish(&b, ret);
}

static bool change(const PathChange *c, Str node, int level, Str *ret)
{
    Value step;
    bool is_null;
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    array_element(&c->path, level, &step, &is_null);
    if (is_null)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED,
             .message = fmt("path element at position %d is null", level + 1));
    *ret = node;
    if (jsonb_kind(node) == JSON_OBJECT)
        return change_object(c, node, level, var_str(step.var), ret);
    if (jsonb_kind(node) == JSON_ARRAY)
        return change_array(c, node, level, var_str(step.var), ret);
    return true;
}

static bool change_path(FunctionCall *call, const Value *args, PathOperation operation,
                        Str replacement, Value *ret)
{
    PathChange c = {.call = call, .operation = operation, .replacement = replacement};
    const Str root = ROOT(0);
    Str node;
    TRY(array_open(&args[1], &c.path));
    if (c.path.dimension_count > 1)
        FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("wrong number of array subscripts"));
    if (jsonb_is_scalar(root))
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = operation == PATH_DELETE
                                                         ? STR("cannot delete path in scalar")
                                                         : STR("cannot set path in scalar"));
    *ret = args[0];
    if (c.path.count == 0 || (jsonb_count(root) == 0 && !adds(&c)))
        return true;
    TRY(change(&c, root, 0, &node));
    *ret = value_text(node);
    return true;
}

FUNCTION(jsonb_delete_path)
{
    return change_path(call, args, PATH_DELETE, STR_NONE, ret);
}

FUNCTION(jsonb_set)
{
    return change_path(call, args, args[3].boolean ? PATH_CREATE : PATH_REPLACE, ROOT(2), ret);
}

FUNCTION(jsonb_insert)
{
    return change_path(call, args, args[3].boolean ? PATH_INSERT_AFTER : PATH_INSERT_BEFORE,
                       ROOT(2), ret);
}

FUNCTION(jsonb_set_lax)
{
    *ret_null = nulls[0] || nulls[1] || nulls[3];
    if (*ret_null)
        return true;
    const Str treatment = nulls[4] ? STR("") : ROOT(4);
    if (!nulls[2] && !nulls[4])
        return fn_jsonb_set(call, args, nulls, ret, ret_null);
    if (str_equal(treatment, STR("raise_exception")))
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("JSON value must not be null"),
             .detail = STR("Exception was raised because null_value_treatment is "
                           "\"raise_exception\"."),
             .hint = STR("To avoid, either change the null_value_treatment argument or ensure "
                         "that an SQL NULL is not passed."));
    if (str_equal(treatment, STR("use_json_null")))
        return change_path(call, args, args[3].boolean ? PATH_CREATE : PATH_REPLACE, jsonb_null(),
                           ret);
    if (str_equal(treatment, STR("delete_key")))
        return fn_jsonb_delete_path(call, args, nulls, ret, ret_null);
    if (str_equal(treatment, STR("return_target"))) {
        *ret = args[0];
        return true;
    }
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = STR("null_value_treatment must be \"delete_key\", \"return_target\", "
                        "\"use_json_null\", or \"raise_exception\""));
}

static bool strip(FunctionCall *call, Str node, Str *ret)
{
    JsonbBuilder b;
    *ret = node;
    if (jsonb_is_scalar(node))
        return true;
    const bool is_object = jsonb_kind(node) == JSON_OBJECT;
    jsonb_builder_init(&b, call->arena, jsonb_kind(node));
    for (uint32_t i = 0; i < jsonb_count(node); i++) {
        Str item = is_object ? jsonb_value(node, i) : jsonb_element(node, i);
        if (is_object && jsonb_kind(item) == JSON_NULL)
            continue;
        TRY(strip(call, item, &item));
        jsonb_builder_add(&b, is_object ? jsonb_key(node, i) : STR_NONE, item);
    }
    return jsonb_builder_finish(&b, ret);
}

FUNCTION(jsonb_strip_nulls)
{
    Str node;
    TRY(strip(call, ROOT(0), &node));
    *ret = value_text(node);
    return true;
}
