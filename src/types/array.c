/* Arrays: their bytes, building, subscripts, slices, assignment, order and hash. */
#include "types/array.h"

#include "base/pace.h"
#include "types/types_internal.h"

#define HEADER_SIZE 8

static const byte *array_bytes(const Value *array)
{
    return (const byte *)array->var.data;
}

bool array_open(const Value *array, ArrayView *ret)
{
    const byte *p = array_bytes(array);
    const size_t size = array->var.length;

    if (size < HEADER_SIZE || p[4] > ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_DATA_CORRUPTED, .message = STR("invalid array"));
    *ret =
        (ArrayView){.element_type = get_le32(p), .dimension_count = p[4], .has_nulls = p[5] != 0};
    size_t at = HEADER_SIZE;
    if (size < at + (size_t)ret->dimension_count * 8)
        FAIL(ERR_DATA_CORRUPTED, .message = STR("invalid array"));
    int64_t count = ret->dimension_count > 0;
    for (int i = 0; i < ret->dimension_count; i++, at += 8) {
        ret->lengths[i] = (int32_t)get_le32(p + at);
        ret->lowers[i] = (int32_t)get_le32(p + at + 4);
        count *= ret->lengths[i];
        if (ret->lengths[i] < 0 || count > ARRAY_MAX_ELEMENTS)
            FAIL(ERR_DATA_CORRUPTED, .message = STR("invalid array"));
    }
    ret->count = (int)count;
    ret->phys = type_phys(ret->element_type);
    if (ret->has_nulls) {
        ret->nulls = p + at;
        at += (size_t)(count + 7) / 8;
    }
    ret->data = p + at;
    const size_t width = ret->phys == PHYS_VAR ? 4 : phys_width(ret->phys);
    at += (size_t)count * width;
    ret->bytes = p + at;
    if (ret->phys == PHYS_VAR && count > 0 && at <= size)
        at += get_le32(ret->data + ((size_t)count - 1) * 4);
    if (at > size)
        FAIL(ERR_DATA_CORRUPTED, .message = STR("invalid array"));
    return true;
}

void array_element(const ArrayView *view, int index, Value *ret, bool *ret_null)
{
    *ret = (Value){0};
    *ret_null = view->has_nulls && (view->nulls[index / 8] >> (index % 8) & 1);
    if (*ret_null)
        return;
    if (view->phys == PHYS_VAR) {
        const uint32_t start = index ? get_le32(view->data + ((size_t)index - 1) * 4) : 0;
        const uint32_t end = get_le32(view->data + (size_t)index * 4);
        ret->var = var_make(view->bytes + start, end - start);
        return;
    }
    const size_t width = phys_width(view->phys);
    memcpy(ret, view->data + (size_t)index * width, width);
}

static bool subscript_index(const ArrayView *view, const int32_t *subscripts, int count, int *ret)
{
    int index = 0;
    if (count != view->dimension_count || count == 0)
        return false;
    for (int i = 0; i < count; i++) {
        const int64_t at = (int64_t)subscripts[i] - view->lowers[i];
        if (at < 0 || at >= view->lengths[i])
            return false;
        index = index * view->lengths[i] + (int)at;
    }
    *ret = index;
    return true;
}

void array_subscript(const ArrayView *view, const int32_t *subscripts, int count, Value *ret,
                     bool *ret_null)
{
    int index;
    *ret_null = true;
    if (subscript_index(view, subscripts, count, &index))
        array_element(view, index, ret, ret_null);
}

void array_builder_init(ArrayBuilder *builder, Arena *arena, Oid element_type)
{
    *builder = (ArrayBuilder){
        .arena = arena, .element_type = element_type, .phys = type_phys(element_type)};
}

void array_builder_add(ArrayBuilder *builder, const Value *value, bool is_null)
{
    if (builder->count == builder->capacity) {
        const size_t old = (size_t)builder->capacity, new = old ? old * 2 : 8;
        builder->values = arena_grow_moving(builder->arena, builder->values, old * sizeof(Value),
                                            new * sizeof(Value));
        builder->nulls = arena_grow_moving(builder->arena, builder->nulls, old, new);
        builder->capacity = (int)new;
    }
    builder->values[builder->count] = is_null ? (Value){0} : *value;
    builder->nulls[builder->count++] = is_null;
    builder->has_nulls |= is_null;
}

static bool elements_size(const ArrayBuilder *b, size_t *ret_size)
{
    size_t size = b->phys != PHYS_VAR ? (size_t)b->count * phys_width(b->phys) : 0;
    for (int i = 0; i < b->count && b->phys == PHYS_VAR; i++) {
        CHECK_INTERRUPTS_EACH(i);
        size += 4 + (b->nulls[i] ? 0 : b->values[i].var.length);
    }
    *ret_size = size;
    return true;
}

static bool elements_write(const ArrayBuilder *b, byte *to)
{
    if (b->phys != PHYS_VAR) {
        const size_t width = phys_width(b->phys);
        for (int i = 0; i < b->count; i++) {
            CHECK_INTERRUPTS_EACH(i);
            memcpy(to + (size_t)i * width, &b->values[i], width);
        }
        return true;
    }
    byte *bytes = to + (size_t)b->count * 4;
    uint32_t end = 0;
    for (int i = 0; i < b->count; i++) {
        const VarRef *ref = &b->values[i].var;
        CHECK_INTERRUPTS_EACH(i);
        if (!b->nulls[i] && ref->length) {
            TRY(pace_copy(bytes + end, ref->data, ref->length));
            end += ref->length;
        }
        memcpy(to + (size_t)i * 4, &end, 4);
    }
    return true;
}

bool array_builder_finish_shape(ArrayBuilder *b, int dimension_count, const int32_t *lengths,
                                const int32_t *lowers, Value *ret)
{
    if (b->count > ARRAY_MAX_ELEMENTS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("array size exceeds the maximum allowed (%d)", ARRAY_MAX_ELEMENTS));
    if (b->count == 0)
        dimension_count = 0;
    const size_t bitmap = b->has_nulls ? ((size_t)b->count + 7) / 8 : 0;
    const size_t before = HEADER_SIZE + (size_t)dimension_count * 8 + bitmap;
    size_t size;
    TRY(elements_size(b, &size));
    size += before;
    if (size > 0x3fffffff)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("array size exceeds the maximum allowed (%d)", 0x3fffffff));
    byte *to = arena_try_alloc(b->arena, size);
    TRY(to);
    TRY(pace_zero(to, before));
    memcpy(to, &b->element_type, 4);
    to[4] = (byte)dimension_count;
    to[5] = b->has_nulls;
    for (int i = 0; i < dimension_count; i++) {
        if ((int64_t)lowers[i] + lengths[i] > INT32_MAX)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("array lower bound is too large: %d", lowers[i]));
        memcpy(to + HEADER_SIZE + i * 8, &lengths[i], 4);
        memcpy(to + HEADER_SIZE + i * 8 + 4, &lowers[i], 4);
    }
    for (int i = 0; b->has_nulls && i < b->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (b->nulls[i])
            to[HEADER_SIZE + dimension_count * 8 + i / 8] |= (byte)(1 << (i % 8));
    }
    TRY(elements_write(b, to + before));
    ret->var = var_make(to, size);
    return true;
}

bool array_builder_finish(ArrayBuilder *b, Value *ret)
{
    const int32_t length = b->count, lower = 1;
    return array_builder_finish_shape(b, 1, &length, &lower, ret);
}

bool array_from_values(Arena *arena, Oid element_type, const Value *values, int count, Value *ret)
{
    ArrayBuilder b;
    array_builder_init(&b, arena, element_type);
    for (int i = 0; i < count; i++)
        array_builder_add(&b, &values[i], false);
    return array_builder_finish(&b, ret);
}

bool array_builder_add_all(ArrayBuilder *b, const ArrayView *view)
{
    for (int i = 0; i < view->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        Value value;
        bool is_null;
        array_element(view, i, &value, &is_null);
        array_builder_add(b, &value, is_null);
    }
    return true;
}

bool array_stack(Arena *arena, Oid element_type, const Value *arrays, const bool *nulls, int count,
                 Value *ret)
{
    ArrayBuilder b;
    ArrayView shape = {0};
    int32_t lengths[ARRAY_MAX_DIMENSIONS], lowers[ARRAY_MAX_DIMENSIONS];

    array_builder_init(&b, arena, element_type);
    for (int i = 0; i < count; i++) {
        ArrayView view = {0};
        if (!nulls[i])
            TRY(array_open(&arrays[i], &view));
        if (i == 0)
            shape = view;
        const bool same = view.dimension_count == shape.dimension_count &&
                          memcmp(view.lengths, shape.lengths, sizeof(view.lengths)) == 0 &&
                          memcmp(view.lowers, shape.lowers, sizeof(view.lowers)) == 0;
        if (!same)
            FAIL(ERR_ARRAY_SUBSCRIPT_ERROR,
                 .message = STR("multidimensional arrays must have array expressions with "
                                "matching dimensions"));
        TRY(array_builder_add_all(&b, &view));
    }
    if (shape.dimension_count + 1 > ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of array dimensions (%d) exceeds the maximum allowed (%d)",
                            shape.dimension_count + 1, ARRAY_MAX_DIMENSIONS));
    lengths[0] = count;
    lowers[0] = 1;
    for (int i = 0; i < shape.dimension_count; i++) {
        lengths[i + 1] = shape.lengths[i];
        lowers[i + 1] = shape.lowers[i];
    }
    return array_builder_finish_shape(&b, shape.dimension_count + 1, lengths, lowers, ret);
}

/* Steps a position through a box, last dimension fastest; false after the last. */
static bool position_next(int32_t *position, const int32_t *lengths, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        if (++position[i] < lengths[i])
            return true;
        position[i] = 0;
    }
    return false;
}

bool array_slice(Arena *arena, const Value *array, const ArraySlice *slices, int count, Value *ret,
                 bool *ret_null)
{
    ArrayView view;
    ArrayBuilder b;
    int32_t from[ARRAY_MAX_DIMENSIONS] = {0}, lengths[ARRAY_MAX_DIMENSIONS] = {0};
    int32_t ones[ARRAY_MAX_DIMENSIONS] = {1, 1, 1, 1, 1, 1}, position[ARRAY_MAX_DIMENSIONS] = {0};

    *ret_null = false;
    TRY(array_open(array, &view));
    array_builder_init(&b, arena, view.element_type);
    const int dimensions = view.dimension_count;
    if (dimensions < count || dimensions == 0)
        return array_builder_finish(&b, ret);
    for (int i = 0; i < dimensions; i++) {
        const int64_t last = (int64_t)view.lowers[i] + view.lengths[i] - 1;
        int64_t low = i < count && slices[i].has_lower ? slices[i].lower : view.lowers[i];
        int64_t high = i < count && slices[i].has_upper ? slices[i].upper : last;
        low = MAX(low, view.lowers[i]);
        high = MIN(high, last);
        if (low > high)
            return array_builder_finish(&b, ret);
        from[i] = (int32_t)(low - view.lowers[i]);
        lengths[i] = (int32_t)(high - low + 1);
    }
    do {
        CHECK_INTERRUPTS_EACH(b.count);
        int index = 0;
        Value value;
        bool is_null;
        for (int i = 0; i < dimensions; i++)
            index = index * view.lengths[i] + from[i] + position[i];
        array_element(&view, index, &value, &is_null);
        array_builder_add(&b, &value, is_null);
    } while (position_next(position, lengths, dimensions));
    return array_builder_finish_shape(&b, dimensions, lengths, ones, ret);
}

static bool check_subscript_count(int count)
{
    if (count > ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of array dimensions (%d) exceeds the maximum allowed (%d)",
                            count, ARRAY_MAX_DIMENSIONS));
    return true;
}

/* A one-dimensional array grows to hold the new place; what lies between is NULL. */
static bool assign_growing(ArrayBuilder *b, const ArrayView *view, int32_t subscript,
                           const Value *value, bool is_null, Value *ret)
{
    const int64_t old_low = view->count ? view->lowers[0] : subscript;
    const int64_t old_high = old_low + view->count - 1;
    const int64_t low = MIN(old_low, subscript), high = MAX(old_high, subscript);
    const Value none = {0};

    if (high - low + 1 > ARRAY_MAX_ELEMENTS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("array size exceeds the maximum allowed (%d)", ARRAY_MAX_ELEMENTS));
    for (int64_t at = low; at <= high; at++) {
        Value element;
        bool element_null;
        CHECK_INTERRUPTS_EACH(at - low);
        if (at == subscript) {
            array_builder_add(b, value, is_null);
        } else if (at >= old_low && at <= old_high) {
            array_element(view, (int)(at - old_low), &element, &element_null);
            array_builder_add(b, &element, element_null);
        } else {
            array_builder_add(b, &none, true);
        }
    }
    const int32_t length = (int32_t)(high - low + 1), lower = (int32_t)low;
    return array_builder_finish_shape(b, 1, &length, &lower, ret);
}

bool array_assign(Arena *arena, const Value *array, Oid element_type, const int32_t *subscripts,
                  int count, const Value *value, bool is_null, Value *ret)
{
    ArrayView view = {0};
    ArrayBuilder b;
    int index;

    TRY(check_subscript_count(count));
    if (array)
        TRY(array_open(array, &view));
    array_builder_init(&b, arena, element_type);
    if (view.dimension_count == 0 && count > 1) {
        int32_t ones[ARRAY_MAX_DIMENSIONS] = {1, 1, 1, 1, 1, 1};
        array_builder_add(&b, value, is_null);
        return array_builder_finish_shape(&b, count, ones, subscripts, ret);
    }
    if (view.dimension_count != 0 && view.dimension_count != count)
        FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("wrong number of array subscripts"));
    if (count == 1)
        return assign_growing(&b, &view, subscripts[0], value, is_null, ret);
    if (!subscript_index(&view, subscripts, count, &index))
        FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("array subscript out of range"));
    TRY(array_builder_add_all(&b, &view));
    b.values[index] = is_null ? (Value){0} : *value;
    b.nulls[index] = is_null;
    b.has_nulls = false;
    for (int i = 0; i < b.count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        b.has_nulls |= b.nulls[i];
    }
    return array_builder_finish_shape(&b, count, view.lengths, view.lowers, ret);
}

static bool slice_wrong(const char *what)
{
    FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = str_from_c(what));
}

/* The box that a slice means in an array; subscripts that aren't given take in everything. */
static bool slice_box(const ArrayView *view, const ArraySlice *slices, int count, int64_t *lows,
                      int64_t *highs)
{
    const int dimensions = view->dimension_count;
    for (int i = 0; i < MAX(dimensions, count); i++) {
        const ArraySlice *slice = i < count ? &slices[i] : &(ArraySlice){0};
        if (dimensions == 0 && (!slice->has_lower || !slice->has_upper))
            FAIL(ERR_ARRAY_SUBSCRIPT_ERROR,
                 .message = STR("array slice subscript must provide both boundaries"),
                 .detail = STR("When assigning to a slice of an empty array value, slice "
                               "boundaries must be fully specified."));
        const int64_t first = view->lowers[i];
        const int64_t last = first + view->lengths[i] - 1;
        lows[i] = slice->has_lower ? slice->lower : first;
        highs[i] = slice->has_upper ? slice->upper : last;
        if (lows[i] > highs[i])
            return slice_wrong("upper bound cannot be less than lower bound");
        if (dimensions > 1 && (lows[i] < first || highs[i] > last))
            return slice_wrong("array subscript out of range");
    }
    return true;
}

/* The bounds of the array once it holds the box. */
static bool slice_bounds(const ArrayView *view, int dimensions, const int64_t *lows,
                         const int64_t *highs, int32_t *ret_lengths, int32_t *ret_lowers)
{
    int64_t total = 1;
    for (int i = 0; i < dimensions; i++) {
        int64_t low = lows[i], high = highs[i];
        if (view->dimension_count) {
            low = MIN(low, (int64_t)view->lowers[i]);
            high = MAX(high, (int64_t)view->lowers[i] + view->lengths[i] - 1);
        }
        total *= high - low + 1;
        if (total > ARRAY_MAX_ELEMENTS)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("array size exceeds the maximum allowed (%d)", ARRAY_MAX_ELEMENTS));
        ret_lowers[i] = (int32_t)low;
        ret_lengths[i] = (int32_t)(high - low + 1);
    }
    return true;
}

/* Where `position` (counted from `lowers`) stands in the view; false: outside. */
static bool view_index(const ArrayView *view, const int32_t *position, const int32_t *lowers,
                       int *ret_index)
{
    int index = 0;
    for (int i = 0; i < view->dimension_count; i++) {
        const int64_t at = (int64_t)lowers[i] + position[i] - view->lowers[i];
        if (at < 0 || at >= view->lengths[i])
            return false;
        index = index * view->lengths[i] + (int)at;
    }
    *ret_index = index;
    return view->dimension_count > 0;
}

bool array_assign_slice(Arena *arena, const Value *array, Oid element_type,
                        const ArraySlice *slices, int count, const Value *source, Value *ret)
{
    ArrayView view = {0}, from;
    ArrayBuilder b;
    int64_t lows[ARRAY_MAX_DIMENSIONS], highs[ARRAY_MAX_DIMENSIONS], wanted = 1;
    int32_t lengths[ARRAY_MAX_DIMENSIONS], lowers[ARRAY_MAX_DIMENSIONS];
    int32_t position[ARRAY_MAX_DIMENSIONS] = {0};

    TRY(check_subscript_count(count));
    if (array)
        TRY(array_open(array, &view));
    TRY(array_open(source, &from));
    if (view.dimension_count && view.dimension_count < count)
        return slice_wrong("wrong number of array subscripts");
    TRY(slice_box(&view, slices, count, lows, highs));
    const int dimensions = view.dimension_count ? view.dimension_count : count;
    TRY(slice_bounds(&view, dimensions, lows, highs, lengths, lowers));
    for (int i = 0; i < dimensions; i++)
        wanted *= highs[i] - lows[i] + 1;
    if (from.count < wanted)
        return slice_wrong("source array too small");
    array_builder_init(&b, arena, element_type);
    int taken = 0, index;
    do {
        CHECK_INTERRUPTS_EACH(b.count);
        Value element = {0};
        bool is_null = true, inside = true;
        for (int i = 0; i < dimensions; i++) {
            const int64_t at = (int64_t)lowers[i] + position[i];
            inside &= at >= lows[i] && at <= highs[i];
        }
        if (inside)
            array_element(&from, taken++, &element, &is_null);
        else if (view_index(&view, position, lowers, &index))
            array_element(&view, index, &element, &is_null);
        array_builder_add(&b, &element, is_null);
    } while (position_next(position, lengths, dimensions));
    return array_builder_finish_shape(&b, dimensions, lengths, lowers, ret);
}

/* Order: elements, then how many, then the shape. NULL is greater than any element. */
int array_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    ArrayView x, y;
    if (!array_open(a, &x) || !array_open(b, &y)) {
        error_clear();
        return var_compare(&a->var, &b->var);
    }
    const BuiltinType *element = builtin_type(x.element_type);
    for (int i = 0; i < MIN(x.count, y.count); i++) {
        Value u, v;
        bool u_null, v_null;
        if (i % PACE_LOOPS == 0)
            pace_turn();
        array_element(&x, i, &u, &u_null);
        array_element(&y, i, &v, &v_null);
        if (u_null || v_null) {
            if (u_null != v_null)
                return u_null ? 1 : -1;
            continue;
        }
        const int order = element && element->compare ? element->compare(element, &u, &v)
                                                      : type_compare(x.element_type, &u, &v);
        if (order != 0)
            return order;
    }
    if (x.count != y.count)
        return x.count > y.count ? 1 : -1;
    if (x.dimension_count != y.dimension_count)
        return x.dimension_count > y.dimension_count ? 1 : -1;
    for (int i = 0; i < x.dimension_count; i++)
        if (x.lengths[i] != y.lengths[i])
            return x.lengths[i] > y.lengths[i] ? 1 : -1;
    for (int i = 0; i < x.dimension_count; i++)
        if (x.lowers[i] != y.lowers[i])
            return x.lowers[i] > y.lowers[i] ? 1 : -1;
    return 0;
}

uint64_t array_hash(const BuiltinType *type, const Value *value)
{
    ArrayView view;
    uint64_t hash = 0xa44a;
    if (!array_open(value, &view)) {
        error_clear();
        return hash;
    }
    const BuiltinType *element = builtin_type(view.element_type);
    for (int i = 0; i < view.count; i++) {
        Value v;
        bool is_null;
        if (i % PACE_LOOPS == 0)
            pace_turn();
        array_element(&view, i, &v, &is_null);
        hash = hash_combine(hash,
                            is_null || !element || !element->hash ? 0 : element->hash(element, &v));
    }
    return hash;
}
