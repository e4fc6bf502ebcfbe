#include "types/hash.h"

#include "types/types_internal.h"

#define NULL_HASH UINT64_C(0x9d1a2b3c4d5e6f70)

uint64_t hash_value(Oid type, const Value *value)
{
    const BuiltinType *found = builtin_type(type);
    if (found && found->hash)
        return found->hash(found, value);
    return hash_bytes(value->var.data, value->var.length);
}

bool hash_is_supported(Oid oid)
{
    const BuiltinType *type = builtin_type(oid);
    return type && type->hash;
}

static ALWAYS_INLINE void hash_store(uint64_t *to, uint64_t hash, bool combine)
{
    *to = combine ? hash_combine(*to, hash) : hash;
}

/* One integer width; the same mixing as int8_hash, so that equal numbers hash equally. */
#define HASH_LOOP(ctype, salt)                                                                     \
    do {                                                                                           \
        const ctype *values = vector->values;                                                      \
        uint32_t i = 0;                                                                            \
        FOR_SELECTED (selection, row) {                                                            \
            const uint32_t at = vector_index(vector, row);                                         \
            const uint64_t hash = vector->has_nulls && vector->nulls[at]                           \
                                      ? NULL_HASH                                                  \
                                      : hash_mix64((uint64_t)(int64_t)values[at] + (salt));        \
            hash_store(&hashes[i++], hash, combine);                                               \
        }                                                                                          \
    } while (0)

static void hash_generic(const BuiltinType *type, const Vector *vector, Selection selection,
                         uint64_t *hashes, bool combine)
{
    uint32_t i = 0;
    FOR_SELECTED (selection, row) {
        Value value;
        bool is_null;
        vector_get(vector, row, &value, &is_null);
        const uint64_t hash = is_null              ? NULL_HASH
                              : type && type->hash ? type->hash(type, &value)
                                                   : hash_bytes(value.var.data, value.var.length);
        hash_store(&hashes[i++], hash, combine);
    }
}

void hash_vector(Oid type, const Vector *vector, Selection selection, uint64_t *hashes,
                 bool combine)
{
    const BuiltinType *found = builtin_type(type);
    if (found && found->hash == int2_hash)
        HASH_LOOP(int16_t, 0x51ed270b);
    else if (found && found->hash == int4_hash)
        HASH_LOOP(int32_t, 0x51ed270b);
    else if (found && found->hash == int8_hash)
        HASH_LOOP(int64_t, 0x51ed270b);
    else if (found && found->hash == oid_hash)
        HASH_LOOP(uint32_t, 0x01d);
    else
        hash_generic(found, vector, selection, hashes, combine);
}
