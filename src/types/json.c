/* json: text whose syntax has been checked; operators and functions that take it apart. */
#include "base/pace.h"
#include "types/array.h"
#include "types/json_parse.h"
#include "types/types_internal.h"

bool json_input(const TypeIo *io, Str text, Value *ret)
{
    TRY(json_check(text));
    return text_input(io, text, ret);
}

bool json_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool json_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(utf8_check(bytes));
    return json_input(io, bytes, ret);
}

bool json_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

/* Gives a node as json, or as text: strings without quotes, null as NULL. `node` NULL: none. */
static bool give(const JsonNode *node, bool as_text, Value *ret, bool *ret_null)
{
    *ret_null = !node || (as_text && node->kind == JSON_NULL);
    if (!*ret_null)
        *ret = value_text(as_text && node->kind == JSON_STRING ? node->text : node->raw);
    return true;
}

/* The last value of a key, as in PostgreSQL; NULL: none. */
static const JsonNode *field(const JsonNode *node, Str key)
{
    for (uint32_t i = node->kind == JSON_OBJECT ? node->count : 0; i-- > 0;)
        if (str_equal(node->keys[i], key))
            return &node->items[i];
    return NULL;
}

/* Negative indexes count from the end. */
static const JsonNode *element(const JsonNode *node, int64_t index)
{
    if (node->kind != JSON_ARRAY)
        return NULL;
    if (index < 0)
        index += node->count;
    return index >= 0 && index < node->count ? &node->items[index] : NULL;
}

static bool get_field(FunctionCall *call, const Value *args, bool as_text, Value *ret,
                      bool *ret_null)
{
    JsonNode root;
    TRY(json_parse(call->arena, var_str(args[0].var), &root));
    return give(field(&root, var_str(args[1].var)), as_text, ret, ret_null);
}

FUNCTION(json_object_field)
{
    return get_field(call, args, false, ret, ret_null);
}
FUNCTION(json_object_field_text)
{
    return get_field(call, args, true, ret, ret_null);
}

static bool get_element(FunctionCall *call, const Value *args, bool as_text, Value *ret,
                        bool *ret_null)
{
    JsonNode root;
    TRY(json_parse(call->arena, var_str(args[0].var), &root));
    return give(element(&root, args[1].int32), as_text, ret, ret_null);
}

FUNCTION(json_array_element)
{
    return get_element(call, args, false, ret, ret_null);
}
FUNCTION(json_array_element_text)
{
    return get_element(call, args, true, ret, ret_null);
}

/* White space before and digits: what the path elements of arrays are. */
static bool index_parse(Str text, int64_t *ret)
{
    while (text.length && is_space(text.data[0]))
        text = str_slice(text, 1, text.length);
    if (text.length && text.data[0] == '+')
        text = str_slice(text, 1, text.length);
    return str_to_int64(text, ret) && *ret >= INT32_MIN && *ret <= INT32_MAX;
}

static bool get_path(FunctionCall *call, const Value *args, bool as_text, Value *ret,
                     bool *ret_null)
{
    JsonNode root;
    ArrayView path;
    TRY(array_open(&args[1], &path));
    *ret_null = path.has_nulls;
    if (path.has_nulls)
        return true;
    TRY(json_parse(call->arena, var_str(args[0].var), &root));
    const JsonNode *node = &root;
    for (int i = 0; i < path.count && node; i++) {
        Value step;
        bool is_null;
        int64_t index;
        array_element(&path, i, &step, &is_null);
        if (node->kind == JSON_ARRAY)
            node = index_parse(var_str(step.var), &index) ? element(node, index) : NULL;
        else
            node = field(node, var_str(step.var));
    }
    return give(node, as_text, ret, ret_null);
}

FUNCTION(json_extract_path)
{
    return get_path(call, args, false, ret, ret_null);
}
FUNCTION(json_extract_path_text)
{
    return get_path(call, args, true, ret, ret_null);
}

static const char *const kind_names[] = {"null", "string", "number", "boolean", "array", "object"};

FUNCTION(json_typeof)
{
    JsonNode root;
    TRY(json_parse(call->arena, var_str(args[0].var), &root));
    *ret = value_text(str_from_c(kind_names[root.kind]));
    return true;
}

FUNCTION(json_array_length)
{
    JsonNode root;
    TRY(json_parse(call->arena, var_str(args[0].var), &root));
    if (root.kind != JSON_ARRAY)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = root.kind == JSON_OBJECT ? STR("cannot get array length of a non-array")
                                                 : STR("cannot get array length of a scalar"));
    ret->int32 = (int32_t)root.count;
    return true;
}

typedef struct JsonCursor {
    JsonNode root;
    uint32_t next;
} JsonCursor;

static JsonCursor *cursor_begin(FunctionCall *call, const Value *args)
{
    JsonCursor *c = ARENA_NEW(call->site_arena, JsonCursor);
    Str text;
    TRY(pace_str_copy(call->site_arena, var_str(args[0].var), &text));
    TRY(json_parse(call->site_arena, text, &c->root));
    return c;
}

static bool elements_next(FunctionCall *call, const Value *args, bool as_text, void **cursor,
                          Value *ret, bool *ret_nulls, bool *ret_done)
{
    JsonCursor *c = *cursor;
    if (!c) {
        TRY(*cursor = c = cursor_begin(call, args));
        if (c->root.kind != JSON_ARRAY)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("cannot call %s on a %s", call->function->name,
                                c->root.kind == JSON_OBJECT ? "non-array" : "scalar"));
    }
    *ret_done = c->next == c->root.count;
    return *ret_done ? true : give(&c->root.items[c->next++], as_text, ret, ret_nulls);
}

SET_FUNCTION(json_array_elements)
{
    return elements_next(call, args, false, cursor, ret, ret_nulls, ret_done);
}
SET_FUNCTION(json_array_elements_text)
{
    return elements_next(call, args, true, cursor, ret, ret_nulls, ret_done);
}

static bool pairs_next(FunctionCall *call, const Value *args, bool as_text, void **cursor,
                       Value *ret, bool *ret_nulls, bool *ret_done)
{
    JsonCursor *c = *cursor;
    if (!c) {
        TRY(*cursor = c = cursor_begin(call, args));
        if (c->root.kind != JSON_OBJECT)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = c->root.kind == JSON_ARRAY
                                ? STR("cannot deconstruct an array as an object")
                                : STR("cannot deconstruct a scalar"));
    }
    *ret_done = c->next == c->root.count;
    if (*ret_done)
        return true;
    ret[0] = value_text(c->root.keys[c->next]);
    ret_nulls[0] = false;
    return give(&c->root.items[c->next++], as_text, &ret[1], &ret_nulls[1]);
}

SET_FUNCTION(json_each)
{
    return pairs_next(call, args, false, cursor, ret, ret_nulls, ret_done);
}
SET_FUNCTION(json_each_text)
{
    return pairs_next(call, args, true, cursor, ret, ret_nulls, ret_done);
}

SET_FUNCTION(json_object_keys)
{
    JsonCursor *c = *cursor;
    if (!c) {
        TRY(*cursor = c = cursor_begin(call, args));
        if (c->root.kind != JSON_OBJECT)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("cannot call %s on %s", call->function->name,
                                c->root.kind == JSON_ARRAY ? "an array" : "a scalar"));
    }
    *ret_done = c->next == c->root.count;
    if (!*ret_done) {
        *ret = value_text(c->root.keys[c->next++]);
        *ret_nulls = false;
    }
    return true;
}

/* Without white space and without the fields that are null. */
static bool append_stripped(const JsonNode *node, StrBuf *out)
{
    bool is_first = true;
    CHECK_INTERRUPTS();
    switch (node->kind) {
    case JSON_ARRAY:
        strbuf_append_char(out, '[');
        for (uint32_t i = 0; i < node->count; i++) {
            if (i > 0)
                strbuf_append_char(out, ',');
            TRY(append_stripped(&node->items[i], out));
        }
        strbuf_append_char(out, ']');
        break;
    case JSON_OBJECT:
        strbuf_append_char(out, '{');
        for (uint32_t i = 0; i < node->count; i++) {
            if (node->items[i].kind == JSON_NULL)
                continue;
            if (!is_first)
                strbuf_append_char(out, ',');
            is_first = false;
            TRY(json_escape(node->keys[i], out));
            strbuf_append_char(out, ':');
            TRY(append_stripped(&node->items[i], out));
        }
        strbuf_append_char(out, '}');
        break;
    case JSON_STRING:
        return json_escape(node->text, out);
    default:
        return pace_append(out, node->raw);
    }
    return true;
}

FUNCTION(json_strip_nulls)
{
    JsonNode root;
    StrBuf out = strbuf_in(call->arena);
    TRY(json_parse(call->arena, var_str(args[0].var), &root));
    TRY(append_stripped(&root, &out));
    *ret = value_from_buf(&out);
    return true;
}
