/* Functions of arrays: size and shape, concatenation, search, text, unnest. */
#include "base/pace.h"
#include "types/array.h"
#include "types/types_internal.h"

static Oid element_of(const FunctionCall *call, Oid array_type, Oid otherwise)
{
    const BuiltinType *type = builtin_type(array_type);
    return type && type->element ? type->element : otherwise;
}

static bool dimension_of(const Value *args, ArrayView *view, int *ret_index)
{
    TRY(array_open(&args[0], view));
    *ret_index = args[1].int32 - 1;
    return true;
}

#define DIMENSION_FUNCTION(symbol, expression)                                                     \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        ArrayView view;                                                                            \
        int at;                                                                                    \
        TRY(dimension_of(args, &view, &at));                                                       \
        *ret_null = at < 0 || at >= view.dimension_count;                                          \
        if (!*ret_null)                                                                            \
            ret->int32 = expression;                                                               \
        return true;                                                                               \
    }
DIMENSION_FUNCTION(array_length, view.lengths[at])
DIMENSION_FUNCTION(array_lower, view.lowers[at])
DIMENSION_FUNCTION(array_upper, view.lowers[at] + view.lengths[at] - 1)

FUNCTION(array_ndims)
{
    ArrayView view;
    TRY(array_open(&args[0], &view));
    *ret_null = view.dimension_count == 0;
    ret->int32 = view.dimension_count;
    return true;
}

FUNCTION(array_cardinality)
{
    ArrayView view;
    TRY(array_open(&args[0], &view));
    ret->int32 = view.count;
    return true;
}

FUNCTION(array_dims)
{
    ArrayView view;
    StrBuf out = strbuf_in(call->arena);
    TRY(array_open(&args[0], &view));
    *ret_null = view.dimension_count == 0;
    for (int i = 0; i < view.dimension_count; i++)
        strbuf_format(&out, "[%d:%d]", view.lowers[i], view.lowers[i] + view.lengths[i] - 1);
    *ret = value_from_buf(&out);
    return true;
}

/*
 * One argument is a one-dimensional array, the null one being empty; the other becomes its element
 * on the side where it stands.
 */
static bool add_one(FunctionCall *call, const Value *args, const bool *nulls, int array, Value *ret)
{
    const int element = 1 - array;
    ArrayView view = {0};
    ArrayBuilder b;
    if (!nulls[array])
        TRY(array_open(&args[array], &view));
    if (view.dimension_count > 1)
        FAIL(ERR_DATA_EXCEPTION, .message = STR("argument must be empty or one-dimensional array"));
    array_builder_init(&b, call->arena,
                       element_of(call, call->arg_types[array], view.element_type));
    if (element < array)
        array_builder_add(&b, &args[element], nulls[element]);
    TRY(array_builder_add_all(&b, &view));
    if (element > array)
        array_builder_add(&b, &args[element], nulls[element]);
    const int32_t length = b.count;
    const int32_t lower = view.dimension_count ? view.lowers[0] : 1;
    return array_builder_finish_shape(&b, 1, &length, &lower, ret);
}

FUNCTION(array_append)
{
    return add_one(call, args, nulls, 0, ret);
}

FUNCTION(array_prepend)
{
    return add_one(call, args, nulls, 1, ret);
}

static bool incompatible(Str detail)
{
    FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("cannot concatenate incompatible arrays"),
         .detail = detail);
}

/* Arrays join along their first dimension; one with a dimension less joins as one of its items. */
FUNCTION(array_cat)
{
    ArrayView a, b;
    ArrayBuilder builder;
    if (nulls[0] || nulls[1]) {
        *ret_null = nulls[0] && nulls[1];
        *ret = nulls[0] ? args[1] : args[0];
        return true;
    }
    TRY(array_open(&args[0], &a));
    TRY(array_open(&args[1], &b));
    if (a.count == 0 || b.count == 0) {
        *ret = a.count == 0 ? args[1] : args[0];
        return true;
    }
    const int by = a.dimension_count - b.dimension_count;
    if (by > 1 || by < -1)
        return incompatible(
            fmt("Arrays of %d and %d dimensions are not compatible for concatenation.",
                a.dimension_count, b.dimension_count));
    const ArrayView *larger = by >= 0 ? &a : &b, *other = by >= 0 ? &b : &a;
    int32_t lengths[ARRAY_MAX_DIMENSIONS], lowers[ARRAY_MAX_DIMENSIONS];
    memcpy(lengths, larger->lengths, sizeof(lengths));
    memcpy(lowers, larger->lowers, sizeof(lowers));
    const int skip = by == 0 ? 0 : 1;
    for (int i = 1; i < larger->dimension_count; i++)
        if (larger->lengths[i] != other->lengths[i - skip] ||
            larger->lowers[i] != other->lowers[i - skip])
            return incompatible(by == 0 ? STR("Arrays with differing element dimensions are not "
                                              "compatible for concatenation.")
                                        : STR("Arrays with differing dimensions are not "
                                              "compatible for concatenation."));
    lengths[0] += by == 0 ? other->lengths[0] : 1;
    array_builder_init(&builder, call->arena, a.element_type);
    TRY(array_builder_add_all(&builder, &a));
    TRY(array_builder_add_all(&builder, &b));
    return array_builder_finish_shape(&builder, larger->dimension_count, lengths, lowers, ret);
}

/* Whether an element equals a value; nulls equal nulls (IS NOT DISTINCT FROM). */
static bool same(Oid type, const Value *a, bool a_null, const Value *b, bool b_null)
{
    return a_null || b_null ? a_null == b_null : type_equal(type, a, b);
}

/* json and its like cannot be compared. */
static bool need_equality(Oid type)
{
    const BuiltinType *desc = builtin_type(type);
    if (!desc || !desc->compare)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify an equality operator for type %s",
                            desc ? desc->sql_name : "unknown"));
    return true;
}

static bool searchable_open(const Value *array, ArrayView *ret)
{
    TRY(array_open(array, ret));
    if (ret->dimension_count > 1)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("searching for elements in multidimensional arrays is not supported"));
    return need_equality(ret->element_type);
}

/* The first element from `start` on, which is the third argument where it is not INT64_MIN. */
static bool find_from(const Value *args, const bool *nulls, int64_t start, Value *ret,
                      bool *ret_null)
{
    ArrayView view;
    *ret_null = true;
    if (nulls[0])
        return true;
    TRY(searchable_open(&args[0], &view));
    if (nulls[1] && !view.has_nulls)
        return true;
    if (start != INT64_MIN && nulls[2])
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("initial position must not be null"));
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        CHECK_INTERRUPTS_EACH(i);
        if (i + view.lowers[0] < start)
            continue;
        array_element(&view, i, &value, &is_null);
        if (same(view.element_type, &value, is_null, &args[1], nulls[1])) {
            ret->int32 = i + view.lowers[0];
            *ret_null = false;
            return true;
        }
    }
    return true;
}

FUNCTION(array_position)
{
    return find_from(args, nulls, INT64_MIN, ret, ret_null);
}

FUNCTION(array_position_start)
{
    return find_from(args, nulls, args[2].int32, ret, ret_null);
}

FUNCTION(array_positions)
{
    ArrayView view;
    ArrayBuilder b;
    *ret_null = nulls[0];
    if (nulls[0])
        return true;
    array_builder_init(&b, call->arena, TYPE_INT4);
    TRY(array_open(&args[0], &view));
    if (view.count == 0)
        return array_builder_finish(&b, ret);
    TRY(searchable_open(&args[0], &view));
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        CHECK_INTERRUPTS_EACH(i);
        array_element(&view, i, &value, &is_null);
        if (same(view.element_type, &value, is_null, &args[1], nulls[1])) {
            const Value place = {.int32 = i + view.lowers[0]};
            array_builder_add(&b, &place, false);
        }
    }
    return array_builder_finish(&b, ret);
}

static bool replace(FunctionCall *call, const Value *args, const bool *nulls, bool remove,
                    Value *ret, bool *ret_null)
{
    ArrayView view;
    ArrayBuilder b;
    bool changed = false;
    *ret_null = nulls[0];
    if (nulls[0])
        return true;
    TRY(array_open(&args[0], &view));
    if (remove && view.dimension_count > 1)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("removing elements from multidimensional arrays is not supported"));
    TRY(view.count == 0 || need_equality(view.element_type));
    array_builder_init(&b, call->arena, view.element_type);
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        CHECK_INTERRUPTS_EACH(i);
        array_element(&view, i, &value, &is_null);
        const bool hit = same(view.element_type, &value, is_null, &args[1], nulls[1]);
        changed |= hit;
        if (hit && !remove)
            array_builder_add(&b, &args[2], nulls[2]);
        else if (!hit)
            array_builder_add(&b, &value, is_null);
    }
    if (!changed) {
        *ret = args[0];
        return true;
    }
    if (remove)
        view.lengths[0] = b.count;
    return array_builder_finish_shape(&b, view.dimension_count, view.lengths, view.lowers, ret);
}

FUNCTION(array_remove)
{
    return replace(call, args, nulls, true, ret, ret_null);
}
FUNCTION(array_replace)
{
    return replace(call, args, nulls, false, ret, ret_null);
}

/* Containment: every non-null element of `part` is in `whole`; nulls match nothing. */
static bool look_for(const ArrayView *whole, const Value *value, bool *ret_found)
{
    *ret_found = false;
    for (int i = 0; i < whole->count && !*ret_found; i++) {
        Value element;
        bool is_null;
        CHECK_INTERRUPTS_EACH(i);
        array_element(whole, i, &element, &is_null);
        *ret_found = !is_null && type_equal(whole->element_type, &element, value);
    }
    return true;
}

static bool contains(const Value *whole_value, const Value *part_value, bool want_all, Value *ret)
{
    ArrayView whole, part;
    TRY(array_open(whole_value, &whole));
    TRY(array_open(part_value, &part));
    TRY(need_equality(part.element_type));
    ret->boolean = want_all;
    for (int i = 0; i < part.count; i++) {
        Value value;
        bool is_null;
        CHECK_INTERRUPTS();
        array_element(&part, i, &value, &is_null);
        bool found = false;
        TRY(is_null || look_for(&whole, &value, &found));
        if (found != want_all) {
            ret->boolean = found;
            return true;
        }
    }
    return true;
}

FUNCTION(arraycontains)
{
    return contains(&args[0], &args[1], true, ret);
}
FUNCTION(arraycontained)
{
    return contains(&args[1], &args[0], true, ret);
}
FUNCTION(arrayoverlap)
{
    return contains(&args[0], &args[1], false, ret);
}

/* Text. */

static bool join(FunctionCall *call, const Value *array, Str separator, const Str *null_text,
                 Value *ret)
{
    ArrayView view;
    StrBuf out = strbuf_in(call->arena);
    bool first = true;
    TRY(array_open(array, &view));
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        CHECK_INTERRUPTS_EACH(i);
        array_element(&view, i, &value, &is_null);
        if (is_null && !null_text)
            continue;
        if (!first)
            TRY(pace_append(&out, separator));
        first = false;
        if (is_null)
            TRY(pace_append(&out, *null_text));
        else
            TRY(type_output(view.element_type, &value, &out));
    }
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(array_to_text)
{
    return join(call, &args[0], var_str(args[1].var), NULL, ret);
}

FUNCTION(array_to_text_null)
{
    *ret_null = nulls[0] || nulls[1];
    if (*ret_null)
        return true;
    const Str null_text = nulls[2] ? STR_NONE : var_str(args[2].var);
    return join(call, &args[0], var_str(args[1].var), nulls[2] ? NULL : &null_text, ret);
}

/* string_to_array: no separator (null) parts every character, an empty one nothing. */
static bool split(ArrayBuilder *b, Str s, const Str *separator, const Str *null_text)
{
    for (size_t at = 0;;) {
        CHECK_INTERRUPTS_EACH(b->count);
        size_t end = s.length, next = s.length;
        if (separator && separator->length) {
            size_t found;
            TRY(text_find(s, *separator, at, &found));
            if (found != SIZE_MAX) {
                end = found;
                next = found + separator->length;
            }
        } else if (!separator && at < s.length) {
            end = next = MIN(s.length, at + (size_t)utf8_width(s.data[at]));
        }
        const Str part = str_slice(s, at, end - at);
        const Value value = value_text(part);
        array_builder_add(b, &value, null_text && str_equal(part, *null_text));
        if (end == s.length)
            return true;
        at = next;
    }
}

static bool text_split(FunctionCall *call, const Value *args, const bool *nulls, Value *ret,
                       bool *ret_null)
{
    ArrayBuilder b;
    *ret_null = nulls[0];
    if (nulls[0])
        return true;
    const Str s = var_str(args[0].var);
    const Str separator = nulls[1] ? STR_NONE : var_str(args[1].var);
    const bool has_null = call->arg_count > 2 && !nulls[2];
    const Str null_text = has_null ? var_str(args[2].var) : STR_NONE;
    array_builder_init(&b, call->arena, TYPE_TEXT);
    if (s.length > 0)
        TRY(split(&b, s, nulls[1] ? NULL : &separator, has_null ? &null_text : NULL));
    return array_builder_finish(&b, ret);
}

FUNCTION(text_to_array)
{
    return text_split(call, args, nulls, ret, ret_null);
}
FUNCTION(text_to_array_null)
{
    return text_split(call, args, nulls, ret, ret_null);
}

/* Sets. */

typedef struct ElementCursor {
    Value array;
    ArrayView view;
    int next;
} ElementCursor;

static bool elements_begin(FunctionCall *call, const Value *array, void **cursor)
{
    ElementCursor *c = ARENA_NEW(call->site_arena, ElementCursor);
    c->array = value_copy(call->site_arena, PHYS_VAR, array);
    CHECK_INTERRUPTS();
    *cursor = c;
    return array_open(&c->array, &c->view);
}

static bool elements_next(ElementCursor *c, Value *ret, bool *ret_nulls, bool *ret_done)
{
    *ret_done = c->next >= c->view.count;
    if (!*ret_done)
        array_element(&c->view, c->next++, ret, ret_nulls);
    return true;
}

SET_FUNCTION(array_unnest)
{
    if (!*cursor)
        TRY(elements_begin(call, &args[0], cursor));
    return elements_next(*cursor, ret, ret_nulls, ret_done);
}

static bool table_split(FunctionCall *call, const Value *args, const bool *nulls, void **cursor,
                        Value *ret, bool *ret_nulls, bool *ret_done)
{
    if (!*cursor) {
        Value array;
        bool is_null;
        TRY(text_split(call, args, nulls, &array, &is_null));
        *ret_done = is_null;
        if (is_null)
            return true;
        TRY(elements_begin(call, &array, cursor));
    }
    return elements_next(*cursor, ret, ret_nulls, ret_done);
}

SET_FUNCTION(text_to_table)
{
    return table_split(call, args, nulls, cursor, ret, ret_nulls, ret_done);
}

SET_FUNCTION(text_to_table_null)
{
    return table_split(call, args, nulls, cursor, ret, ret_nulls, ret_done);
}

typedef struct SubscriptCursor {
    int32_t next, last, step;
} SubscriptCursor;

static bool subscripts(FunctionCall *call, const Value *args, bool reverse, void **cursor,
                       Value *ret, bool *ret_nulls, bool *ret_done)
{
    SubscriptCursor *c = *cursor;
    if (!c) {
        ArrayView view;
        int at;
        TRY(dimension_of(args, &view, &at));
        *ret_done = at < 0 || at >= view.dimension_count;
        if (*ret_done)
            return true;
        *cursor = c = ARENA_NEW(call->site_arena, SubscriptCursor);
        const int32_t high = view.lowers[at] + view.lengths[at] - 1;
        *c = reverse ? (SubscriptCursor){high, view.lowers[at], -1}
                     : (SubscriptCursor){view.lowers[at], high, 1};
    }
    *ret_done = c->step > 0 ? c->next > c->last : c->next < c->last;
    ret->int32 = c->next;
    *ret_nulls = false;
    c->next += c->step;
    return true;
}

SET_FUNCTION(generate_subscripts)
{
    return subscripts(call, args, args[2].boolean, cursor, ret, ret_nulls, ret_done);
}

SET_FUNCTION(generate_subscripts_nodir)
{
    return subscripts(call, args, false, cursor, ret, ret_nulls, ret_done);
}

static bool fill_bounds_wrong(const char *detail)
{
    FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("wrong number of array subscripts"),
         .detail = str_from_c(detail));
}

static bool fill_bounds_check(const ArrayView *lengths, const ArrayView *lowers)
{
    if (lengths->dimension_count > 1)
        return fill_bounds_wrong("Dimension array must be one dimensional.");
    if (lengths->has_nulls)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("dimension values cannot be null"));
    if (lengths->count > ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of array dimensions (%d) exceeds the maximum allowed (%d)",
                            lengths->count, ARRAY_MAX_DIMENSIONS));
    if (!lowers)
        return true;
    if (lowers->dimension_count > 1)
        return fill_bounds_wrong("Dimension array must be one dimensional.");
    if (lowers->has_nulls)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("dimension values cannot be null"));
    if (lowers->count != lengths->count)
        return fill_bounds_wrong("Low bound array has different size than dimensions array.");
    return true;
}

/* The lengths and lower bounds of a new array, and how many elements it has. */
static bool fill_shape_read(const ArrayView *lengths, const ArrayView *lowers, int32_t *ret_sizes,
                            int32_t *ret_starts, int64_t *ret_count)
{
    int64_t count = lengths->count ? 1 : 0;

    for (int i = 0; i < lengths->count; i++) {
        Value size, start = {.int32 = 1};
        bool is_null;
        array_element(lengths, i, &size, &is_null);
        if (lowers)
            array_element(lowers, i, &start, &is_null);
        ret_sizes[i] = size.int32;
        ret_starts[i] = start.int32;
        count *= size.int32;
        if (size.int32 < 0 || count > INT32_MAX)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("array size exceeds the maximum allowed (%d)", ARRAY_MAX_ELEMENTS));
    }
    if (count > ARRAY_MAX_ELEMENTS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("array size exceeds the maximum allowed (%d)", ARRAY_MAX_ELEMENTS));
    for (int i = 0; i < lengths->count; i++)
        if ((int64_t)ret_starts[i] + ret_sizes[i] > INT32_MAX)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("array lower bound is too large: %d", ret_starts[i]));
    *ret_count = count;
    return true;
}

FUNCTION(array_fill)
{
    ArrayView lengths, lowers;
    ArrayBuilder b;
    int32_t sizes[ARRAY_MAX_DIMENSIONS], starts[ARRAY_MAX_DIMENSIONS];
    int64_t count;
    const bool has_lowers = call->arg_count > 2;

    if (nulls[1] || (has_lowers && nulls[2]))
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("dimension array or low bound array cannot "
                                                        "be null"));
    TRY(array_open(&args[1], &lengths));
    if (has_lowers)
        TRY(array_open(&args[2], &lowers));
    TRY(fill_bounds_check(&lengths, has_lowers ? &lowers : NULL));
    TRY(fill_shape_read(&lengths, has_lowers ? &lowers : NULL, sizes, starts, &count));
    array_builder_init(&b, call->arena, element_of(call, call->result_type, call->arg_types[0]));
    for (int64_t i = 0; i < count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        array_builder_add(&b, &args[0], nulls[0]);
    }
    return array_builder_finish_shape(&b, lengths.count, sizes, starts, ret);
}

FUNCTION(array_fill_with_lower_bounds)
{
    return fn_array_fill(call, args, nulls, ret, ret_null);
}

FUNCTION(trim_array)
{
    ArrayView view;
    TRY(array_open(&args[0], &view));
    const int32_t length = view.dimension_count ? view.lengths[0] : 0, cut = args[1].int32;
    if (cut < 0 || cut > length)
        FAIL(ERR_ARRAY_ELEMENT_ERROR,
             .message = fmt("number of elements to trim must be between 0 and %d", length));
    const ArraySlice slice = {
        .has_upper = true, .upper = (view.dimension_count ? view.lowers[0] : 1) + length - cut - 1};
    return array_slice(call->arena, &args[0], &slice, 1, ret, ret_null);
}

/* width_bucket(operand, thresholds): how many of the ascending thresholds are not above. */
FUNCTION(width_bucket_array)
{
    ArrayView view;
    TRY(array_open(&args[1], &view));
    if (view.dimension_count > 1)
        FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("thresholds must be one-dimensional array"));
    if (view.has_nulls)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("thresholds array must not contain NULLs"));
    const BuiltinType *element = builtin_type(view.element_type);
    if (!element || !element->compare)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify a comparison function for type %s",
                            element ? element->sql_name : "unknown"));
    int low = 0, high = view.count;
    while (low < high) {
        const int middle = (low + high) / 2;
        Value threshold;
        bool is_null;
        array_element(&view, middle, &threshold, &is_null);
        if (type_compare(view.element_type, &args[0], &threshold) < 0)
            high = middle;
        else
            low = middle + 1;
    }
    ret->int32 = low;
    return true;
}
