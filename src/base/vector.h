/*
 * Values and vectors: how data looks while a query runs, without what it means.
 *
 * A column of up to VECTOR_SIZE values is a typed array with null marks. Every SQL type maps to
 * one physical type (types/type.h); storage copies page columns straight into vectors and never
 * learns more than this page.
 *
 * A Value is one element, 16 bytes whatever its type, for scalar functions, rows and constants.
 * Variable-length data (text, numeric, bytea, arrays …) is a VarRef: length, the first four bytes
 * for quick comparison, and a borrowed pointer that lives as long as the batch or arena that it
 * came with.
 */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

#define VECTOR_SIZE 1024 /* rows in a batch at most */

typedef enum PhysType {
    PHYS_NONE = 0,
    PHYS_BOOL, /* 1 byte, 0 or 1 */
    PHYS_INT8, /* 1 byte: "char" */
    PHYS_INT16,
    PHYS_INT32, /* int4, date, oid and the reg* types (as uint32) */
    PHYS_INT64, /* int8, timestamp(tz), time */
    PHYS_FLOAT32,
    PHYS_FLOAT64,
    PHYS_FIXED16, /* 16 bytes: interval, uuid, timetz */
    PHYS_VAR,     /* VarRef */
} PhysType;

/* Bytes of one element in a vector. */
static inline size_t phys_width(PhysType type)
{
    static const uint8_t widths[] = {0, 1, 1, 2, 4, 8, 4, 8, 16, 16};
    return widths[type];
}

typedef struct VarRef {
    uint32_t length;
    char prefix[4]; /* the first bytes, zero-filled: unequal prefixes decide a comparison */
    const char *data;
} VarRef;

static inline VarRef var_make(const void *data, size_t length)
{
    VarRef ref = {.length = (uint32_t)length, .data = data};
    if (length >= 4)
        memcpy(ref.prefix, data, 4);
    else if (length > 0)
        memcpy(ref.prefix, data, length);
    return ref;
}
static inline VarRef var_from_str(Str s)
{
    return var_make(s.data, s.length);
}
static inline Str var_str(VarRef ref)
{
    return str_make(ref.data, ref.length);
}
static inline bool var_equal(const VarRef *a, const VarRef *b)
{
    return memcmp(a, b, 8) == 0 && (a->length <= 4 || memcmp(a->data, b->data, a->length) == 0);
}
/* Bytewise order. */
static inline int var_compare(const VarRef *a, const VarRef *b)
{
    int order = memcmp(a->prefix, b->prefix, 4);
    if (order == 0) {
        size_t shorter = MIN(a->length, b->length);
        order = shorter ? memcmp(a->data, b->data, shorter) : 0;
    }
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* months, days, microseconds: as PostgreSQL's interval. */
typedef struct Interval {
    int64_t microseconds;
    int32_t days;
    int32_t months;
} Interval;

/* Time of day with zone: `zone` in seconds west of UTC, as PostgreSQL's timetz. */
typedef struct TimeTz {
    int64_t microseconds;
    int32_t zone;
    int32_t unused; /* zero */
} TimeTz;

typedef union Value {
    bool boolean;
    int8_t int8;
    int16_t int16;
    int32_t int32;
    int64_t int64;
    float float32;
    double float64;
    Oid oid;
    Interval interval;
    TimeTz timetz;
    byte fixed16[16];
    VarRef var;
} Value;
static_assert(sizeof(Value) == 16, "a Value is two words");

typedef struct Vector {
    PhysType type;
    bool constant;  /* element 0 stands for every row */
    bool has_nulls; /* false: nulls need not be read */
    void *values;   /* phys_width(type) * VECTOR_SIZE bytes (one element when constant) */
    uint8_t *nulls; /* one byte a row, 1 = null; always allocated */
} Vector;

/* Which rows of a batch count: `rows` ascending; NULL means 0 … count-1. */
typedef struct Selection {
    const uint16_t *rows;
    uint32_t count;
} Selection;

static inline uint32_t selection_row(Selection sel, uint32_t i)
{
    return sel.rows ? sel.rows[i] : i;
}

/* Loops over selected rows: `FOR_SELECTED(sel, row) { … }`. */
#define FOR_SELECTED(sel, row)                                                                     \
    for (uint32_t row##_i = 0, row = 0;                                                            \
         row##_i < (sel).count && (row = (sel).rows ? (sel).rows[row##_i] : row##_i, 1);           \
         row##_i++)

#define VECTOR_VALUES(vector, ctype) ((ctype *)(vector)->values)
/* The index to read for `row`: 0 in a constant vector. */
static inline uint32_t vector_index(const Vector *v, uint32_t row)
{
    return v->constant ? 0 : row;
}
static inline bool vector_is_null(const Vector *v, uint32_t row)
{
    return v->has_nulls && v->nulls[vector_index(v, row)];
}

/* A flat vector for VECTOR_SIZE rows with no nulls. */
Vector *vector_new(Arena *arena, PhysType type);
Vector *vector_new_constant(Arena *arena, PhysType type, const Value *value, bool is_null);
/* One element out of or into a vector; variable data stays borrowed. */
void vector_get(const Vector *v, uint32_t row, Value *ret_value, bool *ret_null);
void vector_set(Vector *v, uint32_t row, const Value *value, bool is_null);
static inline void vector_clear_nulls(Vector *v, uint32_t count)
{
    if (v->has_nulls) {
        memset(v->nulls, 0, count);
        v->has_nulls = false;
    }
}
/* Copies a value's variable part into the arena; other types are returned as they are. */
Value value_copy(Arena *arena, PhysType type, const Value *value);

/* Rows in columns. `selection.rows == NULL` where all of them count. */
typedef struct Batch {
    Vector **columns;
    uint32_t column_count;
    uint32_t row_count;  /* rows present in the vectors */
    Selection selection; /* the rows that count; its count is what operators see */
} Batch;

#endif
