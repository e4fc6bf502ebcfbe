/* jsonb: its bytes, text, order. */
#include "types/jsonb.h"

#include <stdlib.h>

#include "base/merge_sort.h"
#include "base/pace.h"
#include "base/scheduler.h"
#include "types/numeric.h"
#include "types/types_internal.h"

#define MAX_BYTES 0x0fffffff

#define CONTAINER_HEAD 7 /* tag, count, depth */
#define ON_ONE_LINE (-1)

JsonKind jsonb_kind(Str node)
{
    switch (node.length ? node.data[0] : 'n') {
    case 't':
    case 'f':
        return JSON_BOOL;
    case 's':
        return JSON_STRING;
    case '#':
        return JSON_NUMBER;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

/* Levels of containers: 0 for a scalar. */
static uint16_t node_depth(Str node)
{
    uint16_t depth = 0;
    if (!jsonb_is_scalar(node))
        memcpy(&depth, node.data + 5, sizeof(depth));
    return depth;
}

uint32_t jsonb_count(Str node)
{
    return jsonb_is_scalar(node) ? 0 : get_le32(node.data + 1);
}

/* The n-th of the slices whose ends stand at `offsets`. */
static Str slice(const char *offsets, const char *data, uint32_t index)
{
    const uint32_t start = index ? get_le32(offsets + (index - 1) * 4) : 0;
    return str_make(data + start, get_le32(offsets + index * 4) - start);
}

Str jsonb_element(Str array, uint32_t index)
{
    const char *offsets = array.data + CONTAINER_HEAD;
    return slice(offsets, offsets + jsonb_count(array) * 4, index);
}

Str jsonb_key(Str object, uint32_t index)
{
    const char *offsets = object.data + CONTAINER_HEAD;
    return slice(offsets, offsets + jsonb_count(object) * 8, index);
}

Str jsonb_value(Str object, uint32_t index)
{
    const uint32_t count = jsonb_count(object);
    const char *key_offsets = object.data + CONTAINER_HEAD, *offsets = key_offsets + count * 4;
    const char *keys = offsets + count * 4;
    return slice(offsets, keys + get_le32(key_offsets + (count - 1) * 4), index);
}

static int key_order(Str a, Str b)
{
    if (a.length != b.length)
        return a.length > b.length ? 1 : -1;
    return a.length ? memcmp(a.data, b.data, a.length) : 0;
}

int64_t jsonb_find_index(Str object, Str key)
{
    uint32_t low = 0, high = jsonb_kind(object) == JSON_OBJECT ? jsonb_count(object) : 0;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        const int order = key_order(jsonb_key(object, middle), key);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

bool jsonb_find(Str object, Str key, Str *ret)
{
    const int64_t index = jsonb_find_index(object, key);
    if (index < 0)
        return false;
    *ret = jsonb_value(object, (uint32_t)index);
    return true;
}

/* Making nodes. */

static Str tagged(Arena *arena, char tag, Str bytes)
{
    char *data = arena_alloc(arena, bytes.length + 1);
    data[0] = tag;
    if (bytes.length)
        pace_copy_turns(data + 1, bytes.data, bytes.length);
    return str_make(data, bytes.length + 1);
}

Str jsonb_from_string(Arena *arena, Str characters)
{
    return tagged(arena, 's', characters);
}
Str jsonb_from_numeric(Arena *arena, const Value *numeric)
{
    return tagged(arena, '#', var_str(numeric->var));
}
Str jsonb_from_bool(bool value)
{
    return value ? STR("t") : STR("f");
}
Str jsonb_null(void)
{
    return STR("n");
}

void jsonb_builder_init(JsonbBuilder *b, Arena *arena, JsonKind kind)
{
    *b = (JsonbBuilder){.arena = arena, .kind = kind};
}

void jsonb_builder_add(JsonbBuilder *b, Str key, Str node)
{
    if (b->count == b->capacity) {
        const uint32_t capacity = MAX(8, b->capacity * 2);
        const size_t old = b->capacity * sizeof(Str), size = capacity * sizeof(Str);
        b->keys = arena_grow_moving(b->arena, b->keys, old, size);
        b->values = arena_grow_moving(b->arena, b->values, old, size);
        b->capacity = capacity;
    }
    if (unlikely((b->count + 1) % PACE_LOOPS == 0))
        pace_turn();
    b->keys[b->count] = key;
    b->values[b->count++] = node;
}

typedef struct Pair {
    Str key, value;
} Pair;

/* Pairs of one key stay in their order. */
static int pair_compare(const void *a, const void *b, const void *context)
{
    (void)context;
    return key_order(((const Pair *)a)->key, ((const Pair *)b)->key);
}

/* Orders the pairs by key and keeps the last of those that share one. */
static bool pairs_sort(JsonbBuilder *b)
{
    bool is_sorted = true;
    for (uint32_t i = 1; i < b->count && is_sorted; i++) {
        CHECK_INTERRUPTS_EACH(i);
        is_sorted = key_order(b->keys[i - 1], b->keys[i]) < 0;
    }
    if (is_sorted)
        return true;
    Pair *pairs = arena_alloc(b->arena, b->count * sizeof(*pairs));
    Pair *spare = arena_alloc(b->arena, (b->count / 2 + 1) * sizeof(*pairs));
    for (uint32_t i = 0; i < b->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        pairs[i] = (Pair){b->keys[i], b->values[i]};
    }
    const MergeSort by_key = {.size = sizeof(Pair), .compare = pair_compare};
    TRY(merge_sort(&by_key, pairs, spare, b->count));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (i + 1 < b->count && str_equal(pairs[i].key, pairs[i + 1].key))
            continue;
        b->keys[kept] = pairs[i].key;
        b->values[kept++] = pairs[i].value;
    }
    b->count = kept;
    return true;
}

/* NULL: interrupted. */
static char *put_slices(char *offsets, char *data, const Str *slices, uint32_t count)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        TRY(pace_copy(data + end, slices[i].data, slices[i].length));
        end += (uint32_t)slices[i].length;
        memcpy(offsets + i * 4, &end, 4);
    }
    return data + end;
}

bool jsonb_builder_finish(JsonbBuilder *b, Str *ret)
{
    const bool is_object = b->kind == JSON_OBJECT;
    size_t bytes = 0;
    uint16_t depth = 0;
    if (is_object)
        TRY(pairs_sort(b));
    for (uint32_t i = 0; i < b->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        bytes += b->values[i].length + (is_object ? b->keys[i].length : 0);
        depth = MAX(depth, node_depth(b->values[i]));
    }
    if (++depth > JSONB_DEPTH_MAX)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (bytes > MAX_BYTES || b->count > MAX_BYTES / 8)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("total size of jsonb %s elements exceeds the maximum of %u bytes",
                            is_object ? "object" : "array", MAX_BYTES));
    const size_t offsets = b->count * (is_object ? 8 : 4);
    char *node = arena_alloc(b->arena, CONTAINER_HEAD + offsets + bytes);
    node[0] = is_object ? '{' : '[';
    memcpy(node + 1, &b->count, 4);
    memcpy(node + 5, &depth, 2);
    char *ends = node + CONTAINER_HEAD, *data = ends + offsets;
    if (is_object) {
        TRY(data = put_slices(ends, data, b->keys, b->count));
        TRY(put_slices(ends + b->count * 4, data, b->values, b->count));
    } else {
        TRY(put_slices(ends, data, b->values, b->count));
    }
    *ret = str_make(node, CONTAINER_HEAD + offsets + bytes);
    return true;
}

bool jsonb_from_tree(Arena *arena, const JsonNode *tree, Str *ret)
{
    JsonbBuilder builder;
    Value number;
    switch (tree->kind) {
    case JSON_NULL:
        *ret = jsonb_null();
        return true;
    case JSON_BOOL:
        *ret = jsonb_from_bool(tree->boolean);
        return true;
    case JSON_STRING:
        if (tree->text.length > MAX_BYTES)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = STR("string too long to represent as jsonb string"),
                 .detail = fmt("Due to an implementation restriction, jsonb strings cannot exceed "
                               "%u bytes.",
                               MAX_BYTES));
        *ret = jsonb_from_string(arena, tree->text);
        return true;
    case JSON_NUMBER:
        TRY(numeric_parse(arena, tree->text, -1, &number));
        *ret = jsonb_from_numeric(arena, &number);
        return true;
    default:
        jsonb_builder_init(&builder, arena, tree->kind);
        for (uint32_t i = 0; i < tree->count; i++) {
            Str item;
            CHECK_INTERRUPTS_EACH(i);
            TRY(jsonb_from_tree(arena, &tree->items[i], &item));
            jsonb_builder_add(&builder, tree->kind == JSON_OBJECT ? tree->keys[i] : STR_NONE, item);
        }
        return jsonb_builder_finish(&builder, ret);
    }
}

/* Text. */

static bool append_scalar(Str node, StrBuf *out)
{
    switch (jsonb_kind(node)) {
    case JSON_BOOL:
        strbuf_append_c(out, node.data[0] == 't' ? "true" : "false");
        break;
    case JSON_STRING:
        return json_escape(jsonb_characters(node), out);
    case JSON_NUMBER: {
        const Value number = value_text(jsonb_characters(node));
        numeric_append_text(&number, out);
        break;
    }
    default:
        strbuf_append_c(out, "null");
    }
    return true;
}

static void append_line(int depth, StrBuf *out)
{
    strbuf_append_char(out, '\n');
    for (int i = 0; i < depth * 4; i++)
        strbuf_append_char(out, ' ');
}

/* `depth` levels of indentation; ON_ONE_LINE: none, and nothing on lines of its own. */
static bool append_node(Str node, int depth, StrBuf *out)
{
    const uint32_t count = jsonb_count(node);
    const JsonKind kind = jsonb_kind(node);
    const bool is_pretty = depth != ON_ONE_LINE;
    if (kind < JSON_ARRAY) {
        return append_scalar(node, out);
    }
    strbuf_append_char(out, kind == JSON_OBJECT ? '{' : '[');
    for (uint32_t i = 0; i < count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (i > 0)
            strbuf_append_c(out, is_pretty ? "," : ", ");
        if (is_pretty)
            append_line(depth + 1, out);
        if (kind == JSON_OBJECT) {
            TRY(json_escape(jsonb_key(node, i), out));
            strbuf_append_c(out, ": ");
        }
        TRY(append_node(kind == JSON_OBJECT ? jsonb_value(node, i) : jsonb_element(node, i),
                        is_pretty ? depth + 1 : ON_ONE_LINE, out));
    }
    if (is_pretty)
        append_line(depth, out);
    strbuf_append_char(out, kind == JSON_OBJECT ? '}' : ']');
    return true;
}

bool jsonb_append_text(Str node, StrBuf *out)
{
    return append_node(node, ON_ONE_LINE, out);
}

bool jsonb_append_pretty(Str node, StrBuf *out)
{
    return append_node(node, 0, out);
}

bool jsonb_input(const TypeIo *io, Str text, Value *ret)
{
    JsonNode tree;
    Str node;
    TRY(json_parse(io->arena, text, &tree));
    TRY(jsonb_from_tree(io->arena, &tree, &node));
    *ret = value_text(node);
    return true;
}

bool jsonb_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return jsonb_append_text(var_str(value->var), out);
}

bool jsonb_receive(const TypeIo *io, Str bytes, Value *ret)
{
    if (bytes.length < 1)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("no data left in message"));
    if (bytes.data[0] != 1)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("unsupported jsonb version number %d", bytes.data[0]));
    const Str text = str_slice(bytes, 1, bytes.length);
    TRY(utf8_check(text));
    return jsonb_input(io, text, ret);
}

bool jsonb_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    strbuf_append_char(out, 1);
    return jsonb_output(io, value, out);
}

/* Order: kinds as JsonKind has them; containers by size, then item by item. */

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int node_order(Str a, Str b)
{
    const JsonKind kind = jsonb_kind(a), other = jsonb_kind(b);
    if (kind != other)
        return kind > other ? 1 : -1;
    switch (kind) {
    case JSON_NULL:
        return 0;
    case JSON_BOOL:
        return (a.data[0] == 't') - (b.data[0] == 't');
    case JSON_STRING:
        return pace_compare(jsonb_characters(a), jsonb_characters(b));
    case JSON_NUMBER: {
        const Value x = value_text(jsonb_characters(a)), y = value_text(jsonb_characters(b));
        return numeric_order(&x, &y);
    }
    default:
        break;
    }
    const uint32_t count = jsonb_count(a);
    int order = sign(count, jsonb_count(b));
    for (uint32_t i = 0; i < count && order == 0; i++) {
        if (unlikely((i + 1) % PACE_LOOPS == 0))
            pace_turn();
        if (kind == JSON_ARRAY) {
            order = node_order(jsonb_element(a, i), jsonb_element(b, i));
        } else {
            order = str_compare(jsonb_key(a, i), jsonb_key(b, i));
            if (order == 0)
                order = node_order(jsonb_value(a, i), jsonb_value(b, i));
        }
    }
    return order;
}

/* At the top a scalar counts as an array of one: an empty array is less, any other greater. */
int jsonb_order(Str a, Str b)
{
    const bool scalar_a = jsonb_is_scalar(a), scalar_b = jsonb_is_scalar(b);
    if (scalar_a == scalar_b)
        return node_order(a, b);
    const Str container = scalar_a ? b : a;
    const int order = jsonb_kind(container) == JSON_ARRAY && jsonb_count(container) == 0 ? 1 : -1;
    return scalar_a ? order : -order;
}

int jsonb_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    return jsonb_order(var_str(a->var), var_str(b->var));
}

static uint64_t node_hash(Str node)
{
    const JsonKind kind = jsonb_kind(node);
    uint64_t hash = kind;
    if (kind == JSON_NUMBER) {
        const Value number = value_text(jsonb_characters(node));
        return numeric_hash(NULL, &number);
    }
    if (kind < JSON_ARRAY)
        return str_hash(node);
    for (uint32_t i = 0; i < jsonb_count(node); i++) {
        if (unlikely((i + 1) % PACE_LOOPS == 0))
            pace_turn();
        if (kind == JSON_OBJECT)
            hash = hash * 31 + str_hash(jsonb_key(node, i));
        hash = hash * 31 +
               node_hash(kind == JSON_OBJECT ? jsonb_value(node, i) : jsonb_element(node, i));
    }
    return hash;
}

uint64_t jsonb_hash(const BuiltinType *type, const Value *value)
{
    return node_hash(var_str(value->var));
}
