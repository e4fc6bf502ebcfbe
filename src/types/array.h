/*
 * Arrays: a varlena with element type, dimensions, null bitmap and elements.
 *
 * Bytes, little-endian, no alignment promised:
 *   u32 element type · u8 dimensions (0-6) · u8 has nulls · u16 zero
 *   per dimension: i32 length, i32 lower bound
 *   null bitmap, (count + 7) / 8 bytes, bit set = null; only when has nulls
 *   fixed-width elements: count × width (nulls zero-filled)
 *   variable elements: count × u32 end offset from the first element's bytes, then the bytes
 * so that any element is found without a walk. An empty array has no dimensions.
 *
 *   ArrayView view;
 *   TRY(array_open(value, &view));
 *   for (int i = 0; i < view.count; i++) array_element(&view, i, &element, &is_null);
 *
 *   ArrayBuilder builder;
 *   array_builder_init(&builder, arena, TYPE_INT4);
 *   array_builder_add(&builder, &element, false);
 *   Value result; TRY(array_builder_finish(&builder, &result));
 *
 * oidvector and int2vector have the same form with lower bound 0.
 */
#ifndef TYPES_ARRAY_H
#define TYPES_ARRAY_H

#include "types/type.h"

#define ARRAY_MAX_DIMENSIONS 6
#define ARRAY_MAX_ELEMENTS (INT32_MAX / 16)

typedef struct ArrayView {
    Oid element_type;
    PhysType phys;
    int dimension_count;
    int32_t lengths[ARRAY_MAX_DIMENSIONS];
    int32_t lowers[ARRAY_MAX_DIMENSIONS];
    int count; /* elements in all */
    bool has_nulls;
    const byte *nulls; /* bitmap, or NULL */
    const byte *data;  /* elements, or end offsets */
    const byte *bytes; /* variable elements' bytes */
} ArrayView;

/* Fails with XX001 when the bytes are no array. */
MUST_CHECK bool array_open(const Value *array, ArrayView *ret);
/* The i-th in storage order; variable data stays borrowed from the array. */
void array_element(const ArrayView *view, int index, Value *ret, bool *ret_null);
/* a[i][j]…: *ret_null where a subscript is out of range or the count does not fit. */
void array_subscript(const ArrayView *view, const int32_t *subscripts, int count, Value *ret,
                     bool *ret_null);

typedef struct ArrayBuilder {
    Arena *arena;
    Oid element_type;
    PhysType phys;
    bool has_nulls;
    int count, capacity;
    Value *values;
    bool *nulls;
} ArrayBuilder;

void array_builder_init(ArrayBuilder *builder, Arena *arena, Oid element_type);
/* The value's variable data is borrowed until finish. Cannot fail; finish checks the count. */
void array_builder_add(ArrayBuilder *builder, const Value *value, bool is_null);
MUST_CHECK bool array_builder_add_all(ArrayBuilder *builder, const ArrayView *view);
/* One dimension from 1 (none when empty). */
MUST_CHECK bool array_builder_finish(ArrayBuilder *builder, Value *ret);
/* Shape given; the product of lengths is the number of elements added. */
MUST_CHECK bool array_builder_finish_shape(ArrayBuilder *builder, int dimension_count,
                                           const int32_t *lengths, const int32_t *lowers,
                                           Value *ret);

/* ARRAY[a, b] of arrays: one more dimension. All same shape, else 2202E. */
MUST_CHECK bool array_stack(Arena *arena, Oid element_type, const Value *arrays, const bool *nulls,
                            int count, Value *ret);
/* a[l:u]…: missing bounds as `has_*` false. */
typedef struct ArraySlice {
    bool has_lower, has_upper;
    int32_t lower, upper;
} ArraySlice;
MUST_CHECK bool array_slice(Arena *arena, const Value *array, const ArraySlice *slices, int count,
                            Value *ret, bool *ret_null);
/* UPDATE … SET a[i] = value. `array` may be NULL: none yet. */
MUST_CHECK bool array_assign(Arena *arena, const Value *array, Oid element_type,
                             const int32_t *subscripts, int count, const Value *value, bool is_null,
                             Value *ret);
MUST_CHECK bool array_assign_slice(Arena *arena, const Value *array, Oid element_type,
                                   const ArraySlice *slices, int count, const Value *source,
                                   Value *ret);

/* {1,2,3} of int4 and the like for catalogs and helpers. */
MUST_CHECK bool array_from_values(Arena *arena, Oid element_type, const Value *values, int count,
                                  Value *ret);

#endif
