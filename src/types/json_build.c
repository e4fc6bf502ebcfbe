/*
 * JSON made of SQL values: to_json, build functions, aggregates.
 *
 * Numbers and booleans stay what they are, dates become ISO 8601 text, arrays and rows become
 * arrays and objects, json stays as it is; all else becomes a string of its text form.
 */
#include <math.h>

#include "base/pace.h"
#include "base/scheduler.h"
#include "types/array.h"
#include "types/datetime_internal.h"
#include "types/jsonb.h"
#include "types/numeric.h"
#include "types/types_internal.h"

#define STACK_RESERVE (16 * 1024)

static RowFieldsHook *row_hook; /* set once at start */

void json_set_row_hook(RowFieldsHook *hook)
{
    row_hook = hook;
}

typedef enum Shape {
    SHAPE_STRING = 0,
    SHAPE_BOOL,
    SHAPE_NUMBER,
    SHAPE_INSTANT,
    SHAPE_JSON,
    SHAPE_JSONB,
    SHAPE_ARRAY,
    SHAPE_ROW,
} Shape;

static Shape shape_of(Oid oid)
{
    switch (oid) {
    case TYPE_BOOL:
        return SHAPE_BOOL;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC:
        return SHAPE_NUMBER;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return SHAPE_INSTANT;
    case TYPE_JSON:
        return SHAPE_JSON;
    case TYPE_JSONB:
        return SHAPE_JSONB;
    case TYPE_RECORD:
        return SHAPE_ROW;
    default:
        break;
    }
    const BuiltinType *type = builtin_type(oid);
    if (oid == TYPE_ANYARRAY || (type && type->element && type->category == 'A'))
        return SHAPE_ARRAY;
    return type && type->kind == 'c' ? SHAPE_ROW : SHAPE_STRING;
}

/* "2026-01-02T03:04:05.678+00:00", whatever the DateStyle is. */
static void append_instant(Oid type, const Value *value, StrBuf *out)
{
    const int64_t t = type == TYPE_DATE ? value->int32 : value->int64;
    const bool is_plus = type == TYPE_DATE ? t == DATE_INFINITY : t == TIMESTAMP_INFINITY;
    const bool is_minus =
        type == TYPE_DATE ? t == DATE_MINUS_INFINITY : t == TIMESTAMP_MINUS_INFINITY;
    Fields f = {0};
    if (is_plus || is_minus) {
        strbuf_append_c(out, is_plus ? "infinity" : "-infinity");
        return;
    }
    if (type == TYPE_DATE)
        civil_from_days(t, &f.year, &f.month, &f.day);
    else if (type == TYPE_TIMESTAMP)
        fields_from_timestamp(t, &f);
    else
        fields_from_timestamptz(t, timezone_session(), &f);
    strbuf_format(out, "%04lld-%02d-%02d", (long long)(f.year > 0 ? f.year : 1 - f.year), f.month,
                  f.day);
    if (type != TYPE_DATE) {
        strbuf_format(out, "T%02d:%02d:%02d", f.hour, f.minute, f.second);
        append_fraction(f.microsecond, out);
    }
    if (type == TYPE_TIMESTAMPTZ) {
        const int size = f.offset < 0 ? -f.offset : f.offset;
        strbuf_format(out, "%c%02d:%02d", f.offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
        if (size % 60)
            strbuf_format(out, ":%02d", size % 60);
    }
    if (f.year <= 0)
        strbuf_append_c(out, " BC");
}

/* One dimension of an array: its items, or arrays of them. */
static bool append_dimension(Arena *arena, const ArrayView *view, int dimension, int *index,
                             bool pretty, StrBuf *out)
{
    strbuf_append_char(out, '[');
    for (int i = 0; i < view->lengths[dimension]; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (i > 0)
            strbuf_append_c(out, pretty ? ",\n " : ",");
        if (dimension + 1 < view->dimension_count) {
            TRY(append_dimension(arena, view, dimension + 1, index, false, out));
            continue;
        }
        Value item;
        bool is_null;
        array_element(view, (*index)++, &item, &is_null);
        TRY(json_append_value(arena, view->element_type, &item, is_null, false, out));
    }
    strbuf_append_char(out, ']');
    return true;
}

static bool append_array(Arena *arena, const Value *value, bool pretty, StrBuf *out)
{
    ArrayView view;
    int index = 0;
    TRY(array_open(value, &view));
    if (view.count == 0) {
        strbuf_append_c(out, "[]");
        return true;
    }
    return append_dimension(arena, &view, 0, &index, pretty, out);
}

static bool append_row(Arena *arena, const Value *value, bool pretty, StrBuf *out)
{
    RowFields row;
    if (!row_hook)
        FAIL_UNSUPPORTED("JSON of row values");
    TRY(row_hook(arena, value, &row));
    strbuf_append_char(out, '{');
    for (uint32_t i = 0; i < row.count; i++) {
        if (i > 0)
            strbuf_append_c(out, pretty ? ",\n " : ",");
        TRY(json_escape(row.names[i], out));
        strbuf_append_char(out, ':');
        TRY(json_append_value(arena, row.types[i], &row.values[i], row.nulls[i], false, out));
    }
    strbuf_append_char(out, '}');
    return true;
}

static bool append_string(Arena *arena, Oid type, const Value *value, StrBuf *out)
{
    StrBuf text = strbuf_in(arena);
    TRY(type_output(type, value, &text));
    return json_escape(strbuf_view(&text), out);
}

static bool append_number(Oid type, const Value *value, StrBuf *out)
{
    const size_t start = out->length;
    TRY(type_output(type, value, out));
    if (json_is_number(str_make(out->data + start, out->length - start)))
        return true;
    /* NaN and the infinities are strings. */
    char word[32];
    const size_t length = MIN(out->length - start, sizeof(word));
    memcpy(word, out->data + start, length);
    strbuf_truncate(out, start);
    return json_escape(str_make(word, length), out);
}

bool json_append_value(Arena *arena, Oid type, const Value *value, bool is_null, bool pretty,
                       StrBuf *out)
{
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (out->length > VALUE_SIZE_MAX)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("out of memory"),
             .detail = fmt("Cannot enlarge string buffer containing %zu bytes by 1 more bytes.",
                           out->length));
    if (is_null) {
        strbuf_append_c(out, "null");
        return true;
    }
    switch (shape_of(type)) {
    case SHAPE_BOOL:
        strbuf_append_c(out, value->boolean ? "true" : "false");
        return true;
    case SHAPE_NUMBER:
        return append_number(type, value, out);
    case SHAPE_INSTANT:
        strbuf_append_char(out, '"');
        append_instant(type, value, out);
        strbuf_append_char(out, '"');
        return true;
    case SHAPE_JSON:
        return pace_append(out, var_str(value->var));
    case SHAPE_JSONB:
        return jsonb_append_text(var_str(value->var), out);
    case SHAPE_ARRAY:
        return append_array(arena, value, pretty, out);
    case SHAPE_ROW:
        return append_row(arena, value, pretty, out);
    default:
        return append_string(arena, type, value, out);
    }
}

bool json_value_node(Arena *arena, Oid type, const Value *value, bool is_null, Str *ret)
{
    StrBuf text = strbuf_in(arena);
    JsonNode tree;
    if (!is_null && shape_of(type) == SHAPE_JSONB) {
        *ret = var_str(value->var);
        return true;
    }
    TRY(json_append_value(arena, type, value, is_null, false, &text));
    TRY(json_parse(arena, strbuf_view(&text), &tree));
    return jsonb_from_tree(arena, &tree, ret);
}

/* A key of an object: text of a scalar. */
static bool key_text(Oid type, const Value *value, StrBuf *out)
{
    switch (shape_of(type)) {
    case SHAPE_JSON:
    case SHAPE_JSONB:
    case SHAPE_ARRAY:
    case SHAPE_ROW:
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("key value must be scalar, not array, composite, or json"));
    case SHAPE_BOOL:
        strbuf_append_c(out, value->boolean ? "true" : "false");
        return true;
    case SHAPE_INSTANT:
        append_instant(type, value, out);
        return true;
    default:
        return type_output(type, value, out);
    }
}

/* Functions of one value. */

static bool as_json(FunctionCall *call, const Value *args, bool pretty, Value *ret)
{
    StrBuf out = strbuf_in(call->arena);
    TRY(json_append_value(call->arena, call->arg_types[0], &args[0], false, pretty, &out));
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(to_json)
{
    return as_json(call, args, false, ret);
}
FUNCTION(array_to_json)
{
    return as_json(call, args, false, ret);
}
FUNCTION(array_to_json_pretty)
{
    return as_json(call, args, args[1].boolean, ret);
}
FUNCTION(row_to_json)
{
    return as_json(call, args, false, ret);
}
FUNCTION(row_to_json_pretty)
{
    return as_json(call, args, args[1].boolean, ret);
}

FUNCTION(to_jsonb)
{
    Str node;
    TRY(json_value_node(call->arena, call->arg_types[0], &args[0], false, &node));
    *ret = value_text(node);
    return true;
}

/* Functions of many: the arguments, or the elements of the VARIADIC array. */
typedef struct Items {
    FunctionCall *call;
    const Value *args;
    const bool *nulls;
    ArrayView array;
    int count;
} Items;

static bool items_open(FunctionCall *call, const Value *args, const bool *nulls, Items *ret,
                       bool *ret_null)
{
    *ret = (Items){.call = call, .args = args, .nulls = nulls, .count = call->arg_count};
    if (!call->is_variadic)
        return true;
    *ret_null = nulls[0];
    if (nulls[0])
        return true;
    TRY(array_open(&args[0], &ret->array));
    ret->count = ret->array.count;
    return true;
}

static Oid item(const Items *items, int index, Value *ret, bool *ret_null)
{
    if (items->call->is_variadic) {
        array_element(&items->array, index, ret, ret_null);
        return items->array.element_type;
    }
    *ret = items->args[index];
    *ret_null = items->nulls[index];
    return items->call->arg_types[index];
}

static bool need_pairs(const Items *items, const char *name)
{
    if (items->count % 2)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("argument list must have even number of elements"),
             .hint =
                 fmt("The arguments of %s() must consist of alternating keys and values.", name));
    return true;
}

FUNCTION(json_build_array)
{
    Items items;
    StrBuf out = strbuf_in(call->arena);
    TRY(items_open(call, args, nulls, &items, ret_null));
    if (*ret_null)
        return true;
    strbuf_append_char(&out, '[');
    for (int i = 0; i < items.count; i++) {
        CHECK_INTERRUPTS();
        Value value;
        bool is_null;
        const Oid type = item(&items, i, &value, &is_null);
        if (i > 0)
            strbuf_append_c(&out, ", ");
        TRY(json_append_value(call->arena, type, &value, is_null, false, &out));
    }
    strbuf_append_char(&out, ']');
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(json_build_object)
{
    Items items;
    StrBuf out = strbuf_in(call->arena);
    TRY(items_open(call, args, nulls, &items, ret_null));
    if (*ret_null)
        return true;
    TRY(need_pairs(&items, "json_build_object"));
    strbuf_append_char(&out, '{');
    for (int i = 0; i < items.count; i += 2) {
        CHECK_INTERRUPTS();
        Value value;
        bool is_null;
        StrBuf key = strbuf_in(call->arena);
        Oid type = item(&items, i, &value, &is_null);
        if (is_null)
            FAIL(ERR_INVALID_PARAMETER_VALUE, .message = fmt("argument %d cannot be null", i + 1),
                 .hint = STR("Object keys should be text."));
        TRY(key_text(type, &value, &key));
        if (i > 0)
            strbuf_append_c(&out, ", ");
        TRY(json_escape(strbuf_view(&key), &out));
        strbuf_append_c(&out, " : ");
        type = item(&items, i + 1, &value, &is_null);
        TRY(json_append_value(call->arena, type, &value, is_null, false, &out));
    }
    strbuf_append_char(&out, '}');
    *ret = value_from_buf(&out);
    return true;
}

static bool finish(JsonbBuilder *b, Value *ret)
{
    Str node;
    TRY(jsonb_builder_finish(b, &node));
    *ret = value_text(node);
    return true;
}

FUNCTION(jsonb_build_array)
{
    Items items;
    JsonbBuilder b;
    TRY(items_open(call, args, nulls, &items, ret_null));
    if (*ret_null)
        return true;
    jsonb_builder_init(&b, call->arena, JSON_ARRAY);
    for (int i = 0; i < items.count; i++) {
        CHECK_INTERRUPTS();
        Value value;
        bool is_null;
        Str node;
        const Oid type = item(&items, i, &value, &is_null);
        TRY(json_value_node(call->arena, type, &value, is_null, &node));
        jsonb_builder_add(&b, STR_NONE, node);
    }
    return finish(&b, ret);
}

FUNCTION(jsonb_build_object)
{
    Items items;
    JsonbBuilder b;
    TRY(items_open(call, args, nulls, &items, ret_null));
    if (*ret_null)
        return true;
    TRY(need_pairs(&items, "jsonb_build_object"));
    jsonb_builder_init(&b, call->arena, JSON_OBJECT);
    for (int i = 0; i < items.count; i += 2) {
        CHECK_INTERRUPTS();
        Value value;
        bool is_null;
        Str node;
        StrBuf key = strbuf_in(call->arena);
        Oid type = item(&items, i, &value, &is_null);
        if (is_null)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("argument %d: key must not be null", i + 1));
        TRY(key_text(type, &value, &key));
        type = item(&items, i + 1, &value, &is_null);
        TRY(json_value_node(call->arena, type, &value, is_null, &node));
        jsonb_builder_add(&b, strbuf_view(&key), node);
    }
    return finish(&b, ret);
}

#define NO_ARGUMENTS(symbol, text)                                                                 \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        *ret = value_text(STR(text));                                                              \
        return true;                                                                               \
    }
NO_ARGUMENTS(json_build_array_noargs, "[]")
NO_ARGUMENTS(json_build_object_noargs, "{}")
/* No items, one level: as jsonb_builder_finish makes them. */
NO_ARGUMENTS(jsonb_build_array_noargs, "[\0\0\0\0\1\0")
NO_ARGUMENTS(jsonb_build_object_noargs, "{\0\0\0\0\1\0")

/* json_object, jsonb_object: of text arrays. */
typedef struct TextPairs {
    int count;
    Str *keys, *values;
    bool *nulls;
} TextPairs;

#define FAIL_SUBSCRIPTS(text) FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR(text))

static bool pairs_fill(Arena *arena, const ArrayView *keys, const ArrayView *values, int count,
                       TextPairs *ret)
{
    const bool is_one = keys == values; /* keys and values alternate */
    ret->count = count;
    ret->keys = arena_alloc(arena, (size_t)MAX(count, 1) * sizeof(Str));
    ret->values = arena_alloc(arena, (size_t)MAX(count, 1) * sizeof(Str));
    ret->nulls = arena_alloc(arena, (size_t)MAX(count, 1));
    for (int i = 0; i < count; i++) {
        Value key, value;
        bool no_key;
        CHECK_INTERRUPTS_EACH(i);
        array_element(keys, is_one ? i * 2 : i, &key, &no_key);
        array_element(values, is_one ? i * 2 + 1 : i, &value, &ret->nulls[i]);
        if (no_key)
            FAIL(ERR_NULL_VALUE_NOT_ALLOWED,
                 .message = STR("null value not allowed for object key"));
        ret->keys[i] = var_str(key.var);
        ret->values[i] = var_str(value.var);
    }
    return true;
}

static bool pairs_of_one(Arena *arena, const Value *array, TextPairs *ret)
{
    ArrayView view;
    TRY(array_open(array, &view));
    if (view.dimension_count == 1 && view.lengths[0] % 2)
        FAIL_SUBSCRIPTS("array must have even number of elements");
    if (view.dimension_count == 2 && view.lengths[1] != 2)
        FAIL_SUBSCRIPTS("array must have two columns");
    if (view.dimension_count > 2)
        FAIL_SUBSCRIPTS("wrong number of array subscripts");
    return pairs_fill(arena, &view, &view, view.count / 2, ret);
}

static bool pairs_of_two(Arena *arena, const Value *arrays, TextPairs *ret)
{
    ArrayView keys, values;
    TRY(array_open(&arrays[0], &keys));
    TRY(array_open(&arrays[1], &values));
    if (keys.dimension_count > 1 || keys.dimension_count != values.dimension_count)
        FAIL_SUBSCRIPTS("wrong number of array subscripts");
    if (keys.count != values.count)
        FAIL_SUBSCRIPTS("mismatched array dimensions");
    return pairs_fill(arena, &keys, &values, keys.count, ret);
}

static bool pairs_json(FunctionCall *call, const TextPairs *pairs, Value *ret)
{
    StrBuf out = strbuf_in(call->arena);
    strbuf_append_char(&out, '{');
    for (int i = 0; i < pairs->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (i > 0)
            strbuf_append_c(&out, ", ");
        TRY(json_escape(pairs->keys[i], &out));
        strbuf_append_c(&out, " : ");
        if (pairs->nulls[i])
            strbuf_append_c(&out, "null");
        else
            TRY(json_escape(pairs->values[i], &out));
    }
    strbuf_append_char(&out, '}');
    *ret = value_from_buf(&out);
    return true;
}

static bool pairs_jsonb(FunctionCall *call, const TextPairs *pairs, Value *ret)
{
    JsonbBuilder b;
    jsonb_builder_init(&b, call->arena, JSON_OBJECT);
    for (int i = 0; i < pairs->count; i++)
        jsonb_builder_add(&b, pairs->keys[i],
                          pairs->nulls[i] ? jsonb_null()
                                          : jsonb_from_string(call->arena, pairs->values[i]));
    return finish(&b, ret);
}

#define OBJECT_FUNCTION(symbol, open, give)                                                        \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        TextPairs pairs;                                                                           \
        TRY(open(call->arena, args, &pairs));                                                      \
        return give(call, &pairs, ret);                                                            \
    }
OBJECT_FUNCTION(json_object, pairs_of_one, pairs_json)
OBJECT_FUNCTION(json_object_two_arg, pairs_of_two, pairs_json)
OBJECT_FUNCTION(jsonb_object, pairs_of_one, pairs_jsonb)
OBJECT_FUNCTION(jsonb_object_two_arg, pairs_of_two, pairs_jsonb)

/* Aggregates. */
#define UPDATE(name)                                                                               \
    static bool name(FunctionCall *call, const Vector *const *args, Selection selection,           \
                     AggregateTarget target)
#define FINAL(name)                                                                                \
    static bool name(FunctionCall *call, const void *from, Value *ret, bool *ret_null)

typedef struct JsonText {
    bool has_value;
    StrBuf text;
} JsonText;

static void text_begin(FunctionCall *call, JsonText *state, const char *first, const char *between)
{
    state->text.arena = call->state_arena;
    strbuf_append_c(&state->text, state->has_value ? between : first);
}

UPDATE(json_agg_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        JsonText *state = aggregate_state(target, nth++);
        Value value;
        bool is_null;
        vector_get(args[0], row, &value, &is_null);
        text_begin(call, state, "[", ", ");
        if (state->has_value && !is_null && shape_of(call->arg_types[0]) >= SHAPE_ARRAY)
            strbuf_append_c(&state->text, "\n ");
        state->has_value = true;
        TRY(json_append_value(call->arena, call->arg_types[0], &value, is_null, false,
                              &state->text));
    }
    return true;
}

static bool text_final(FunctionCall *call, const JsonText *s, const char *last, Value *ret,
                       bool *ret_null)
{
    *ret_null = !s->has_value;
    return *ret_null || value_concat(call->arena, strbuf_view(&s->text), str_from_c(last), ret);
}

FINAL(json_agg_final)
{
    return text_final(call, from, "]", ret, ret_null);
}
AGGREGATE(json_agg_anyelement) = {sizeof(JsonText), json_agg_update, NULL, json_agg_final};

static bool pair_key(FunctionCall *call, const Vector *const *args, uint32_t row, StrBuf *out)
{
    Value key;
    bool no_key;
    vector_get(args[0], row, &key, &no_key);
    if (no_key)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("field name must not be null"));
    return key_text(call->arg_types[0], &key, out);
}

UPDATE(json_object_agg_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        JsonText *state = aggregate_state(target, nth++);
        Value value;
        bool is_null;
        StrBuf key = strbuf_in(call->arena);
        TRY(pair_key(call, args, row, &key));
        vector_get(args[1], row, &value, &is_null);
        text_begin(call, state, "{ ", ", ");
        state->has_value = true;
        TRY(json_escape(strbuf_view(&key), &state->text));
        strbuf_append_c(&state->text, " : ");
        TRY(json_append_value(call->arena, call->arg_types[1], &value, is_null, false,
                              &state->text));
    }
    return true;
}

FINAL(json_object_agg_final)
{
    return text_final(call, from, " }", ret, ret_null);
}
AGGREGATE(json_object_agg_any_any) = {sizeof(JsonText), json_object_agg_update, NULL,
                                      json_object_agg_final};

typedef struct JsonbState {
    JsonbBuilder builder; /* its arena is NULL until a row came */
} JsonbState;

UPDATE(jsonb_agg_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        JsonbState *state = aggregate_state(target, nth++);
        Value value;
        bool is_null;
        Str node;
        vector_get(args[0], row, &value, &is_null);
        if (!state->builder.arena)
            jsonb_builder_init(&state->builder, call->state_arena, JSON_ARRAY);
        TRY(json_value_node(call->arena, call->arg_types[0], &value, is_null, &node));
        TRY(pace_str_copy(call->state_arena, node, &node));
        jsonb_builder_add(&state->builder, STR_NONE, node);
    }
    return true;
}

UPDATE(jsonb_object_agg_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        JsonbState *state = aggregate_state(target, nth++);
        Value value;
        bool is_null;
        Str node;
        StrBuf key = strbuf_in(call->state_arena);
        TRY(pair_key(call, args, row, &key));
        vector_get(args[1], row, &value, &is_null);
        if (!state->builder.arena)
            jsonb_builder_init(&state->builder, call->state_arena, JSON_OBJECT);
        TRY(json_value_node(call->arena, call->arg_types[1], &value, is_null, &node));
        TRY(pace_str_copy(call->state_arena, node, &node));
        jsonb_builder_add(&state->builder, strbuf_view(&key), node);
    }
    return true;
}

FINAL(jsonb_agg_final)
{
    const JsonbState *state = from;
    JsonbBuilder copy;
    *ret_null = !state->builder.arena;
    if (*ret_null)
        return true;
    /* Finishing orders the pairs in place; the state stays as it is. */
    jsonb_builder_init(&copy, call->arena, state->builder.kind);
    for (uint32_t i = 0; i < state->builder.count; i++)
        jsonb_builder_add(&copy, state->builder.keys[i], state->builder.values[i]);
    return finish(&copy, ret);
}

AGGREGATE(jsonb_agg_anyelement) = {sizeof(JsonbState), jsonb_agg_update, NULL, jsonb_agg_final};
AGGREGATE(jsonb_object_agg_any_any) = {sizeof(JsonbState), jsonb_object_agg_update, NULL,
                                       jsonb_agg_final};
