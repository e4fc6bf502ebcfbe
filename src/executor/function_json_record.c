#include "base/scheduler.h"
#include "catalog/catalog.h"
#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "executor/executor.h"
#include "executor/row_fields.h"
#include "types/array.h"
#include "types/function.h"
#include "types/jsonb.h"
#include "types/record.h"

/*
 * Rows from JSON: json_populate_record, json_to_record and their kin. Which columns the row has is
 * said by the row type of the first argument, by the column definition list in FROM, or by the row
 * that is the first argument.
 */

#define STACK_RESERVE (16 * 1024)

/* ---- one way to read json and jsonb ---- */

typedef struct JsonItem {
    const JsonNode *text; /* NULL: binary */
    Str binary;
} JsonItem;

static JsonKind item_kind(const JsonItem *item)
{
    return item->text ? item->text->kind : jsonb_kind(item->binary);
}

static uint32_t item_count(const JsonItem *item)
{
    return item->text ? item->text->count : jsonb_count(item->binary);
}

static JsonItem item_at(const JsonItem *item, uint32_t index)
{
    return item->text ? (JsonItem){.text = &item->text->items[index]}
                      : (JsonItem){.binary = jsonb_element(item->binary, index)};
}

/* The last one of the name. */
static bool item_field(const JsonItem *item, Str name, JsonItem *ret)
{
    *ret = (JsonItem){0};
    if (!item->text)
        return jsonb_find(item->binary, name, &ret->binary);
    for (uint32_t i = item->text->count; i-- > 0;)
        if (str_equal(item->text->keys[i], name)) {
            ret->text = &item->text->items[i];
            return true;
        }
    return false;
}

/* As JSON; or what a type's input reads: a string without its quotes. */
static bool item_text(Arena *arena, const JsonItem *item, bool as_json, Str *ret)
{
    const bool is_bare = item_kind(item) == JSON_STRING && !as_json;
    if (item->text) {
        *ret = is_bare ? item->text->text : item->text->raw;
        return true;
    }
    if (is_bare) {
        *ret = jsonb_characters(item->binary);
        return true;
    }
    StrBuf buf = strbuf_in(arena);
    TRY(jsonb_append_text(item->binary, &buf));
    *ret = strbuf_view(&buf);
    return true;
}

static bool item_open(FunctionCall *call, int arg, const Value *value, JsonItem *ret)
{
    *ret = (JsonItem){.binary = var_str(value->var)};
    if (call->arg_types[arg] == TYPE_JSONB)
        return true;
    JsonNode *root = ARENA_NEW(call->arena, JsonNode);
    TRY(json_parse(call->arena, var_str(value->var), root));
    ret->text = root;
    return true;
}

/* ---- values ---- */

typedef struct Filler {
    FunctionCall *call;
    Str key; /* of the column at hand, for hints */
    int indices[ARRAY_MAX_DIMENSIONS];
    int index_count;
} Filler;

/* The columns wanted. */
typedef struct Wanted {
    Oid type; /* of the row */
    uint32_t count;
    Str *names;
    Oid *types;
    int32_t *typmods;
    Value *values;
    bool *nulls;
} Wanted;

static bool fill_value(Filler *f, Oid type, int32_t typmod, const JsonItem *item, Value *ret,
                       bool *ret_null);
static bool fill_row(Filler *f, const Wanted *wanted, const JsonItem *item, const Value *base);

static void wanted_allocate(Arena *arena, uint32_t count, Wanted *ret)
{
    ret->count = count;
    ret->names = ARENA_ARRAY(arena, Str, count + 1);
    ret->types = ARENA_ARRAY(arena, Oid, count + 1);
    ret->typmods = ARENA_ARRAY(arena, int32_t, count + 1);
    ret->values = ARENA_ARRAY(arena, Value, count + 1);
    ret->nulls = ARENA_ARRAY(arena, bool, count + 1);
}

static bool wanted_of_type(FunctionCall *call, Oid type, Wanted *ret)
{
    CatalogSession *session = call->session;
    const TypeDesc *desc = type_find(session, type);
    const RelationDesc *relation = desc ? relation_get(session, desc->relation) : NULL;
    TRY(relation);
    wanted_allocate(call->arena, (uint32_t)relation->column_count, ret);
    ret->type = type;
    ret->count = 0;
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        if (column->dropped)
            continue;
        ret->names[ret->count] = column->name;
        ret->types[ret->count] = column->type;
        ret->typmods[ret->count++] = column->typmod;
    }
    return true;
}

static bool is_row_type(Oid type)
{
    const BuiltinType *desc = builtin_type(type);
    return type != TYPE_RECORD && desc && desc->kind == 'c';
}

static bool array_expected(const Filler *f)
{
    StrBuf path = strbuf_in(f->call->arena);
    for (int i = 0; i < f->index_count; i++)
        strbuf_format(&path, "[%d]", f->indices[i]);
    const Str text = strbuf_view(&path);
    FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("expected JSON array"),
         .hint = f->index_count == 0 ? fmt("See the value of key \"%.*s\".", STR_ARGS(f->key))
                                     : fmt("See the array element %.*s of key \"%.*s\".",
                                           STR_ARGS(text), STR_ARGS(f->key)));
}

typedef struct ArrayFill {
    Oid element;
    int32_t typmod;
    int depth; /* 0: not known before the first element that is no array */
    int32_t lengths[ARRAY_MAX_DIMENSIONS];
    bool is_known[ARRAY_MAX_DIMENSIONS];
    ArrayBuilder builder;
    bool has_elements;
} ArrayFill;

static bool fill_level(Filler *f, ArrayFill *a, int level, const JsonItem *item)
{
    if (item_kind(item) != JSON_ARRAY)
        return array_expected(f);
    if (level == ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of array dimensions (%d) exceeds the maximum allowed (%d)",
                            level + 1, ARRAY_MAX_DIMENSIONS));
    const uint32_t count = item_count(item);
    for (uint32_t i = 0; i < count; i++) {
        const JsonItem child = item_at(item, i);
        CHECK_INTERRUPTS();
        if (a->depth == 0 && item_kind(&child) != JSON_ARRAY)
            a->depth = level + 1;
        f->indices[level] = (int)i;
        f->index_count = level + 1;
        if (a->depth == 0 || level + 1 < a->depth) {
            TRY(fill_level(f, a, level + 1, &child));
        } else {
            Value value = {0};
            bool is_null;
            TRY(fill_value(f, a->element, a->typmod, &child, &value, &is_null));
            array_builder_add(&a->builder, &value, is_null);
            a->has_elements = true;
        }
    }
    f->index_count = level;
    if (a->depth == 0)
        a->depth = level + 1;
    if (a->is_known[level] && a->lengths[level] != (int32_t)count)
        FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("malformed JSON array"),
             .detail = STR("Multidimensional arrays must have sub-arrays with matching "
                           "dimensions."));
    a->is_known[level] = true;
    a->lengths[level] = (int32_t)count;
    return true;
}

static bool fill_array(Filler *f, Oid element, int32_t typmod, const JsonItem *item, Value *ret)
{
    static const int32_t lowers[ARRAY_MAX_DIMENSIONS] = {1, 1, 1, 1, 1, 1};
    ArrayFill a = {.element = element, .typmod = typmod};
    array_builder_init(&a.builder, f->call->arena, element);
    TRY(fill_level(f, &a, 0, item));
    return array_builder_finish_shape(&a.builder, a.has_elements ? a.depth : 0, a.lengths, lowers,
                                      ret);
}

/* Elements that are arrays have begun a path of indices, which what is inside does not go on. */
static bool fill_nested(Filler *f, Oid type, const JsonItem *item, Value *ret)
{
    Wanted wanted;
    Filler inner = {.call = f->call};
    TRY(wanted_of_type(f->call, type, &wanted));
    TRY(fill_row(&inner, &wanted, item, NULL));
    *ret =
        record_make(f->call->arena, type, wanted.types, wanted.values, wanted.nulls, wanted.count);
    return record_depth_check(ret);
}

static bool fill_value(Filler *f, Oid type, int32_t typmod, const JsonItem *item, Value *ret,
                       bool *ret_null)
{
    Arena *arena = f->call->arena;
    const JsonKind kind = item_kind(item);
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    *ret_null = kind == JSON_NULL;
    if (*ret_null)
        return true;
    const BuiltinType *desc = builtin_type(type);
    if (!desc)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("type %u is not known", type));
    if (desc->category == 'A' && desc->element && kind != JSON_STRING)
        return fill_array(f, desc->element, typmod, item, ret);
    if (is_row_type(type) && kind != JSON_STRING)
        return fill_nested(f, type, item, ret);
    if (type == TYPE_JSONB && !item->text) {
        ret->var = var_from_str(item->binary);
        return true;
    }
    const bool as_json = type == TYPE_JSON || type == TYPE_JSONB;
    Str text;
    TRY(item_text(arena, item, as_json, &text));
    return type_input(arena, type, typmod, text, ret);
}

/* Each column: its field's value, or what it is in `base`. */
static bool fill_row(Filler *f, const Wanted *wanted, const JsonItem *item, const Value *base)
{
    if (item_kind(item) != JSON_OBJECT)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("cannot call populate_composite on %s",
                            item_kind(item) == JSON_ARRAY ? "an array" : "a scalar"));
    for (uint32_t i = 0; i < wanted->count; i++) {
        JsonItem field;
        Oid type;
        wanted->values[i] = (Value){0};
        wanted->nulls[i] = true;
        f->key = wanted->names[i];
        f->index_count = 0;
        if (item_field(item, wanted->names[i], &field))
            TRY(fill_value(f, wanted->types[i], wanted->typmods[i], &field, &wanted->values[i],
                           &wanted->nulls[i]));
        else if (base)
            TRY(record_field(base, i, &wanted->values[i], &wanted->nulls[i], &type));
    }
    return true;
}

/* ---- calls ---- */

/* `base` is NULL where there is none. */
static bool wanted_of_call(FunctionCall *call, const Value *base, Wanted *ret)
{
    const bool has_base = call->arg_count > 1;
    RowFields fields;
    *ret = (Wanted){.type = TYPE_RECORD};
    if (has_base && call->arg_types[0] != TYPE_RECORD) {
        if (!is_row_type(call->arg_types[0]))
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message = fmt("first argument of %s must be a row type", call->function->name));
        return wanted_of_type(call, call->arg_types[0], ret);
    }
    if (!base && call->row_shape) {
        const RowShape *shape = call->row_shape;
        wanted_allocate(call->arena, shape->count, ret);
        memcpy(ret->names, shape->names, shape->count * sizeof(Str));
        memcpy(ret->types, shape->types, shape->count * sizeof(Oid));
        memcpy(ret->typmods, shape->typmods, shape->count * sizeof(int32_t));
        return true;
    }
    if (!base)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("could not determine row type for result of %s", call->function->name),
             .hint = STR("Provide a non-null record argument, or call the function in the FROM "
                         "clause using a column definition list."));
    TRY(row_fields(call->arena, base, &fields));
    wanted_allocate(call->arena, fields.count, ret);
    memcpy(ret->names, fields.names, fields.count * sizeof(Str));
    memcpy(ret->types, fields.types, fields.count * sizeof(Oid));
    for (uint32_t i = 0; i < fields.count; i++)
        ret->typmods[i] = -1;
    return true;
}

static Value wanted_record(FunctionCall *call, const Wanted *wanted)
{
    return record_make(call->arena, wanted->type, wanted->types, wanted->values, wanted->nulls,
                       wanted->count);
}

static bool one_row(FunctionCall *call, const Value *args, const bool *nulls, Value *ret,
                    bool *ret_null)
{
    const int json = call->arg_count > 1;
    const Value *base = json && !nulls[0] ? &args[0] : NULL;
    Wanted wanted;
    JsonItem item;
    Filler f = {.call = call};
    TRY(wanted_of_call(call, base, &wanted));
    *ret_null = nulls[json] && !base;
    if (nulls[json]) {
        *ret = base ? *base : *ret;
        return true;
    }
    TRY(item_open(call, json, &args[json], &item));
    TRY(fill_row(&f, &wanted, &item, base));
    *ret = wanted_record(call, &wanted);
    return record_depth_check(ret);
}

#define ONE_ROW(symbol)                                                                            \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        return one_row(call, args, nulls, ret, ret_null);                                          \
    }
ONE_ROW(json_populate_record)
ONE_ROW(jsonb_populate_record)
ONE_ROW(json_to_record)
ONE_ROW(jsonb_to_record)

typedef struct RowCursor {
    JsonItem items;
    uint32_t next;
} RowCursor;

/* Every row is looked at before the first is given. */
static bool rows_check(FunctionCall *call, const JsonItem *items)
{
    const JsonKind kind = item_kind(items);
    if (kind != JSON_ARRAY)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("cannot call %s on %s", call->function->name,
                            !items->text          ? "a non-array"
                            : kind == JSON_OBJECT ? "an object"
                                                  : "a scalar"));
    for (uint32_t i = 0; i < item_count(items); i++) {
        const JsonItem item = item_at(items, i);
        if (item_kind(&item) != JSON_OBJECT)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("argument of %s must be an array of objects", call->function->name));
    }
    return true;
}

static bool rows_begin(FunctionCall *call, const Value *json, int arg, RowCursor **ret)
{
    RowCursor *cursor = ARENA_NEW(call->site_arena, RowCursor);
    Arena *arena = call->arena;
    call->arena = call->site_arena;
    const bool ok = item_open(call, arg, json, &cursor->items);
    call->arena = arena;
    *ret = cursor;
    return ok && rows_check(call, &cursor->items);
}

static bool next_row(FunctionCall *call, const Value *args, const bool *nulls, void **cursor,
                     Value *ret, bool *ret_nulls, bool *ret_done)
{
    const int json = call->arg_count > 1;
    const bool has_base = json && !nulls[0];
    const Value *base = has_base ? &args[0] : NULL;
    RowCursor *rows = *cursor;
    Wanted wanted;
    Filler f = {.call = call};
    TRY(wanted_of_call(call, base, &wanted));
    *ret_done = nulls[json];
    if (*ret_done)
        return true;
    if (has_base && call->row_shape)
        TRY(row_shape_check(call->row_shape, wanted.types, wanted.count));
    if (!rows)
        TRY(rows_begin(call, &args[json], json, &rows));
    *cursor = rows;
    *ret_done = rows->next == item_count(&rows->items);
    if (*ret_done)
        return true;
    const JsonItem item = item_at(&rows->items, rows->next++);
    TRY(fill_row(&f, &wanted, &item, base));
    if (!call->row_shape) {
        *ret = wanted_record(call, &wanted);
        return record_depth_check(ret);
    }
    memcpy(ret, wanted.values, wanted.count * sizeof(Value));
    memcpy(ret_nulls, wanted.nulls, wanted.count * sizeof(bool));
    return true;
}

#define ROWS(symbol)                                                                               \
    SET_FUNCTION(symbol)                                                                           \
    {                                                                                              \
        return next_row(call, args, nulls, cursor, ret, ret_nulls, ret_done);                      \
    }
ROWS(json_populate_recordset)
ROWS(jsonb_populate_recordset)
ROWS(json_to_recordset)
ROWS(jsonb_to_recordset)
