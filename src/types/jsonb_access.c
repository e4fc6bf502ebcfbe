/* Functions that read jsonb: fields, elements, paths, sets of them, containment, casts. */
#include "base/pace.h"
#include "types/array.h"
#include "types/jsonb.h"
#include "types/numeric.h"
#include "types/types_internal.h"

#define ROOT(i) var_str(args[i].var)

static Value give(Str node)
{
    return value_text(node);
}

/* As text: strings without quotes, null as NULL. */
static bool give_text(FunctionCall *call, Str node, Value *ret, bool *ret_null)
{
    StrBuf out = strbuf_in(call->arena);
    *ret_null = jsonb_kind(node) == JSON_NULL;
    if (*ret_null)
        return true;
    if (jsonb_kind(node) == JSON_STRING) {
        *ret = value_text(jsonb_characters(node));
        return true;
    }
    TRY(jsonb_append_text(node, &out));
    *ret = value_from_buf(&out);
    return true;
}

static bool give_found(FunctionCall *call, bool found, Str node, bool as_text, Value *ret,
                       bool *ret_null)
{
    *ret_null = !found;
    if (!found)
        return true;
    if (as_text)
        return give_text(call, node, ret, ret_null);
    *ret = give(node);
    return true;
}

static bool element_find(Str node, int64_t index, Str *ret)
{
    if (jsonb_is_scalar(node)) { /* counts as an array of one */
        *ret = node;
        return index == 0 || index == -1;
    }
    if (jsonb_kind(node) != JSON_ARRAY)
        return false;
    const int64_t count = jsonb_count(node);
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return false;
    *ret = jsonb_element(node, (uint32_t)index);
    return true;
}

FUNCTION(jsonb_object_field)
{
    Str node = {0};
    return give_found(call, jsonb_find(ROOT(0), ROOT(1), &node), node, false, ret, ret_null);
}
FUNCTION(jsonb_object_field_text)
{
    Str node = {0};
    return give_found(call, jsonb_find(ROOT(0), ROOT(1), &node), node, true, ret, ret_null);
}
FUNCTION(jsonb_array_element)
{
    Str node = {0};
    return give_found(call, element_find(ROOT(0), args[1].int32, &node), node, false, ret,
                      ret_null);
}
FUNCTION(jsonb_array_element_text)
{
    Str node = {0};
    return give_found(call, element_find(ROOT(0), args[1].int32, &node), node, true, ret, ret_null);
}

bool jsonb_index_parse(Str step, int64_t *ret)
{
    const Str digits = str_trim(step);
    const bool plus = digits.length > 0 && digits.data[0] == '+';
    return step.length > 0 && !is_space(step.data[step.length - 1]) &&
           str_to_int64(str_slice(digits, plus, digits.length), ret) && *ret <= INT32_MAX &&
           *ret >= INT32_MIN;
}

bool jsonb_step(Str node, Str step, Str *ret)
{
    int64_t index;
    if (jsonb_kind(node) != JSON_ARRAY)
        return jsonb_find(node, step, ret);
    return jsonb_index_parse(step, &index) && element_find(node, index, ret);
}

static bool path_follow(FunctionCall *call, const Value *args, bool as_text, Value *ret,
                        bool *ret_null)
{
    ArrayView path;
    Str node = ROOT(0);
    TRY(array_open(&args[1], &path));
    *ret_null = path.has_nulls;
    if (path.has_nulls)
        return true;
    for (int i = 0; i < path.count; i++) {
        Value step;
        bool is_null;
        array_element(&path, i, &step, &is_null);
        if (!jsonb_step(node, var_str(step.var), &node)) {
            *ret_null = true;
            return true;
        }
    }
    return give_found(call, true, node, as_text, ret, ret_null);
}

FUNCTION(jsonb_extract_path)
{
    return path_follow(call, args, false, ret, ret_null);
}
FUNCTION(jsonb_extract_path_text)
{
    return path_follow(call, args, true, ret, ret_null);
}

static const char *const kind_names[] = {"null", "string", "number", "boolean", "array", "object"};

FUNCTION(jsonb_typeof)
{
    *ret = value_text(str_from_c(kind_names[jsonb_kind(ROOT(0))]));
    return true;
}

FUNCTION(jsonb_array_length)
{
    const JsonKind kind = jsonb_kind(ROOT(0));
    if (kind != JSON_ARRAY)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = kind == JSON_OBJECT ? STR("cannot get array length of a non-array")
                                            : STR("cannot get array length of a scalar"));
    ret->int32 = (int32_t)jsonb_count(ROOT(0));
    return true;
}

FUNCTION(jsonb_pretty)
{
    StrBuf out = strbuf_in(call->arena);
    TRY(jsonb_append_pretty(ROOT(0), &out));
    *ret = value_from_buf(&out);
    return true;
}

/* Sets. */
typedef struct NodeCursor {
    Str root;
    uint32_t next, count;
} NodeCursor;

static NodeCursor *cursor_begin(FunctionCall *call, const Value *args)
{
    NodeCursor *c = ARENA_NEW(call->site_arena, NodeCursor);
    TRY(pace_str_copy(call->site_arena, ROOT(0), &c->root));
    c->count = jsonb_count(c->root);
    return c;
}

static bool elements_next(FunctionCall *call, const Value *args, bool as_text, void **cursor,
                          Value *ret, bool *ret_nulls, bool *ret_done)
{
    NodeCursor *c = *cursor;
    if (!c) {
        const JsonKind kind = jsonb_kind(ROOT(0));
        if (kind != JSON_ARRAY)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = kind == JSON_OBJECT ? STR("cannot extract elements from an object")
                                                : STR("cannot extract elements from a scalar"));
        TRY(*cursor = c = cursor_begin(call, args));
    }
    *ret_done = c->next == c->count;
    return *ret_done
               ? true
               : give_found(call, true, jsonb_element(c->root, c->next++), as_text, ret, ret_nulls);
}

SET_FUNCTION(jsonb_array_elements)
{
    return elements_next(call, args, false, cursor, ret, ret_nulls, ret_done);
}
SET_FUNCTION(jsonb_array_elements_text)
{
    return elements_next(call, args, true, cursor, ret, ret_nulls, ret_done);
}

static bool pairs_next(FunctionCall *call, const Value *args, bool as_text, void **cursor,
                       Value *ret, bool *ret_nulls, bool *ret_done)
{
    NodeCursor *c = *cursor;
    if (!c) {
        if (jsonb_kind(ROOT(0)) != JSON_OBJECT)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("cannot call %s on a non-object", call->function->name));
        TRY(*cursor = c = cursor_begin(call, args));
    }
    *ret_done = c->next == c->count;
    if (*ret_done)
        return true;
    ret[0] = value_text(jsonb_key(c->root, c->next));
    ret_nulls[0] = false;
    return give_found(call, true, jsonb_value(c->root, c->next++), as_text, &ret[1], &ret_nulls[1]);
}

SET_FUNCTION(jsonb_each)
{
    return pairs_next(call, args, false, cursor, ret, ret_nulls, ret_done);
}
SET_FUNCTION(jsonb_each_text)
{
    return pairs_next(call, args, true, cursor, ret, ret_nulls, ret_done);
}

SET_FUNCTION(jsonb_object_keys)
{
    NodeCursor *c = *cursor;
    if (!c) {
        const JsonKind kind = jsonb_kind(ROOT(0));
        if (kind != JSON_OBJECT)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("cannot call %s on %s", call->function->name,
                                kind == JSON_ARRAY ? "an array" : "a scalar"));
        TRY(*cursor = c = cursor_begin(call, args));
    }
    *ret_done = c->next == c->count;
    if (!*ret_done) {
        *ret = value_text(jsonb_key(c->root, c->next++));
        *ret_nulls = false;
    }
    return true;
}

/* ?, ?|, ?&: keys of objects, strings of arrays. */
static bool has_key(Str node, Str key)
{
    switch (jsonb_kind(node)) {
    case JSON_OBJECT:
        return jsonb_find_index(node, key) >= 0;
    case JSON_STRING:
        return str_equal(jsonb_characters(node), key);
    default:
        for (uint32_t i = 0; i < jsonb_count(node); i++) {
            if (unlikely((i + 1) % PACE_LOOPS == 0))
                pace_turn();
            const Str item = jsonb_element(node, i);
            if (jsonb_kind(item) == JSON_STRING && str_equal(jsonb_characters(item), key))
                return true;
        }
        return false;
    }
}

FUNCTION(jsonb_exists)
{
    ret->boolean = has_key(ROOT(0), ROOT(1));
    return true;
}

static bool has_keys(const Value *args, bool all, Value *ret)
{
    ArrayView keys;
    TRY(array_open(&args[1], &keys));
    ret->boolean = all;
    for (int i = 0; i < keys.count; i++) {
        CHECK_INTERRUPTS();
        Value key;
        bool is_null;
        array_element(&keys, i, &key, &is_null);
        if (!is_null && has_key(ROOT(0), var_str(key.var)) != all) {
            ret->boolean = !all;
            break;
        }
    }
    return true;
}

FUNCTION(jsonb_exists_any)
{
    return has_keys(args, false, ret);
}
FUNCTION(jsonb_exists_all)
{
    return has_keys(args, true, ret);
}

/* Containment: whether all of `part` is found in `whole` at the same places. */
static bool deep_contains(Str whole, Str part, bool *ret);

static bool array_has(Str array, Str item, bool *ret)
{
    *ret = false;
    for (uint32_t i = 0; i < jsonb_count(array) && !*ret; i++) {
        const Str candidate = jsonb_element(array, i);
        CHECK_INTERRUPTS_EACH(i);
        if (jsonb_kind(candidate) == jsonb_kind(item))
            TRY(deep_contains(candidate, item, ret));
    }
    return true;
}

static bool deep_contains(Str whole, Str part, bool *ret)
{
    *ret = jsonb_kind(whole) == jsonb_kind(part);
    if (jsonb_is_scalar(whole)) {
        *ret = *ret && jsonb_order(whole, part) == 0;
        return true;
    }
    for (uint32_t i = 0; *ret && i < jsonb_count(part); i++) {
        Str value;
        CHECK_INTERRUPTS_EACH(i);
        if (jsonb_kind(part) == JSON_ARRAY)
            TRY(array_has(whole, jsonb_element(part, i), ret));
        else if (!jsonb_find(whole, jsonb_key(part, i), &value))
            *ret = false;
        else
            TRY(deep_contains(value, jsonb_value(part, i), ret));
    }
    return true;
}

/* At the top an array contains a scalar that is one of its elements. */
static bool contains(Str whole, Str part, bool *ret)
{
    if (jsonb_kind(whole) == JSON_ARRAY && jsonb_is_scalar(part))
        return array_has(whole, part, ret);
    return deep_contains(whole, part, ret);
}

FUNCTION(jsonb_contains)
{
    return contains(ROOT(0), ROOT(1), &ret->boolean);
}
FUNCTION(jsonb_contained)
{
    return contains(ROOT(1), ROOT(0), &ret->boolean);
}

/* Casts to scalars of SQL. */
static bool cast_refused(Str node, const char *type)
{
    static const char *const names[] = {"null", "string", "numeric", "boolean", "array", "object"};
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("cannot cast jsonb %s to type %s", names[jsonb_kind(node)], type));
}

FUNCTION(jsonb_bool)
{
    if (jsonb_kind(ROOT(0)) != JSON_BOOL)
        return cast_refused(ROOT(0), "boolean");
    ret->boolean = ROOT(0).data[0] == 't';
    return true;
}

FUNCTION(jsonb_numeric)
{
    if (jsonb_kind(ROOT(0)) != JSON_NUMBER)
        return cast_refused(ROOT(0), "numeric");
    *ret = value_text(jsonb_characters(ROOT(0)));
    return true;
}

ScalarFunction fn_numeric_int2, fn_numeric_int4, fn_numeric_int8, fn_numeric_float4,
    fn_numeric_float8;

#define JSONB_CAST(type, sql_name)                                                                 \
    FUNCTION(jsonb_##type)                                                                         \
    {                                                                                              \
        if (jsonb_kind(ROOT(0)) != JSON_NUMBER)                                                    \
            return cast_refused(ROOT(0), sql_name);                                                \
        const Value number = value_text(jsonb_characters(ROOT(0)));                                \
        return fn_numeric_##type(call, &number, nulls, ret, ret_null);                             \
    }
JSONB_CAST(int2, "smallint")
JSONB_CAST(int4, "integer")
JSONB_CAST(int8, "bigint")
JSONB_CAST(float4, "real")
JSONB_CAST(float8, "double precision")
