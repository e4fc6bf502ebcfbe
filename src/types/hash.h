/*
 * Hashes of values: for hash joins, grouping, DISTINCT. Equal SQL values hash equally, across
 * int2/int4/int8 and float4/float8 too. Stable within a process only.
 */
#ifndef TYPES_HASH_H
#define TYPES_HASH_H

#include "types/type.h"

uint64_t hash_value(Oid type, const Value *value);
/*
 * hashes[i] for the i-th selected row; with `combine` it is mixed into what is there (the next
 * column of a key). Nulls have a hash of their own.
 */
void hash_vector(Oid type, const Vector *vector, Selection selection, uint64_t *hashes,
                 bool combine);
bool hash_is_supported(Oid type);

#endif
