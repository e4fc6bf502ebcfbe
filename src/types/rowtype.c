/* Row values: text, binary form and order, field by field (types/record.h). */
#include "types/types_internal.h"

#include "types/record.h"

bool rowtype_input(const TypeIo *io, Str text, Value *ret)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = STR("input of anonymous composite types is not implemented"));
}

bool rowtype_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return record_output(value, out);
}

bool rowtype_receive(const TypeIo *io, Str bytes, Value *ret)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = STR("input of anonymous composite types is not implemented"));
}

bool rowtype_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    uint32_t count;
    TRY(record_count(value, &count));
    put_be32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        Value field;
        bool is_null;
        Oid type;
        TRY(record_field(value, i, &field, &is_null, &type));
        put_be32(out, type);
        const size_t at = out->length;
        put_be32(out, UINT32_MAX);
        if (is_null)
            continue;
        TRY(type_send(type, &field, out));
        const uint32_t length = __builtin_bswap32((uint32_t)(out->length - at - 4));
        memcpy(out->data + at, &length, sizeof(length));
    }
    return true;
}

/* Nulls are equal to each other and greater than anything else. */
int rowtype_compare(const BuiltinType *type, const Value *a, const Value *b)
{
    uint32_t x, y;
    if (!record_count(a, &x) || !record_count(b, &y)) {
        error_clear();
        return var_compare(&a->var, &b->var);
    }
    for (uint32_t i = 0; i < MIN(x, y); i++) {
        Value u, v;
        bool u_null, v_null;
        Oid u_type, v_type;
        if (!record_field(a, i, &u, &u_null, &u_type) ||
            !record_field(b, i, &v, &v_null, &v_type)) {
            error_clear();
            return var_compare(&a->var, &b->var);
        }
        if (u_null != v_null)
            return u_null ? 1 : -1;
        if (u_null)
            continue;
        if (u_type != v_type && type_phys(u_type) != type_phys(v_type))
            return u_type > v_type ? 1 : -1;
        const int order = type_compare(u_type, &u, &v);
        if (order != 0)
            return order;
    }
    return (x > y) - (x < y);
}

bool rowtype_comparable(const Value *a, const Value *b)
{
    uint32_t x, y;
    TRY(record_count(a, &x));
    TRY(record_count(b, &y));
    for (uint32_t i = 0; i < MIN(x, y); i++) {
        Value u, v;
        bool u_null, v_null;
        Oid u_type, v_type;
        TRY(record_field(a, i, &u, &u_null, &u_type));
        TRY(record_field(b, i, &v, &v_null, &v_type));
        if (u_type != v_type) {
            const BuiltinType *left = builtin_type(u_type), *right = builtin_type(v_type);
            FAIL(ERR_DATATYPE_MISMATCH,
                 .message = fmt("cannot compare dissimilar column types %s and %s at record "
                                "column %u",
                                left ? left->sql_name : "unknown",
                                right ? right->sql_name : "unknown", i + 1));
        }
        if (u_null != v_null || (!u_null && type_compare(u_type, &u, &v) != 0))
            return true;
    }
    if (x != y)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = STR("cannot compare record types with different numbers of columns"));
    return true;
}

uint64_t rowtype_hash(const BuiltinType *type, const Value *value)
{
    uint64_t hash = 0x70e5;
    uint32_t count;
    if (!record_count(value, &count)) {
        error_clear();
        return hash;
    }
    for (uint32_t i = 0; i < count; i++) {
        Value field;
        bool is_null;
        Oid oid;
        if (!record_field(value, i, &field, &is_null, &oid)) {
            error_clear();
            return hash;
        }
        const BuiltinType *of = builtin_type(oid);
        hash = hash_combine(hash, is_null || !of || !of->hash ? 0 : of->hash(of, &field));
    }
    return hash;
}
