/* Equality and hashes of kept rows against vectors, nulls equal to nulls: grouping, joins, sets. */
#ifndef EXECUTOR_EQUALITY_H
#define EXECUTOR_EQUALITY_H

#include "executor/rows.h"
#include "types/hash.h"
#include "types/type.h"

/* Types whose equal values are equal bytes. */
static inline bool type_is_bytewise(Oid type)
{
    switch (type) {
    case TYPE_BOOL:
    case TYPE_CHAR:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_OID:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_UUID:
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_NAME:
    case TYPE_BYTEA:
        return true;
    default:
        return false;
    }
}

/* Row `row`'s column against element `at` of the vector. */
static inline bool row_column_equal(const RowLayout *layout, const Row *row, uint32_t column,
                                    Oid type, const Vector *v, uint32_t at)
{
    bool row_null = row_is_null(layout, row, column), vector_null = vector_is_null(v, at);
    if (row_null || vector_null)
        return row_null && vector_null;
    uint32_t index = vector_index(v, at);
    const void *field = row_field(layout, row, column);
    if (type_is_bytewise(type)) {
        switch (v->type) {
        case PHYS_VAR:
            return var_equal(field, &VECTOR_VALUES(v, VarRef)[index]);
        case PHYS_INT32:
            return *(const int32_t *)field == VECTOR_VALUES(v, int32_t)[index];
        case PHYS_INT64:
            return *(const int64_t *)field == VECTOR_VALUES(v, int64_t)[index];
        default: {
            size_t width = phys_width(v->type);
            return memcmp(field, (const byte *)v->values + width * index, width) == 0;
        }
        }
    }
    Value a, b;
    bool null;
    row_value(layout, row, column, &a, &null);
    vector_get(v, at, &b, &null);
    return type_equal(type, &a, &b);
}

static inline bool row_keys_equal(const RowLayout *layout, const Row *row, const Oid *types,
                                  uint32_t count, Vector *const *vectors, uint32_t at)
{
    for (uint32_t c = 0; c < count; c++)
        if (!row_column_equal(layout, row, c, types[c], vectors[c], at))
            return false;
    return true;
}

/* hashes[i] of the i-th selected row over all columns. */
static inline void rows_hash(const Oid *types, Vector *const *vectors, uint32_t count,
                             Selection selection, uint64_t *hashes)
{
    if (count == 0)
        memset(hashes, 0, selection.count * sizeof(uint64_t));
    for (uint32_t c = 0; c < count; c++)
        hash_vector(types[c], vectors[c], selection, hashes, c > 0);
}

#endif
