/*
 * Keys: bytes whose memcmp order is the SQL order of the values.
 *
 * A key is the concatenation of its columns; each begins with a null marker. Equal SQL values
 * have equal keys (1.0 and 1.00, 'a' and 'a ' as char(n), '1 mon' and '30 days'); so a key does
 * not always give the value back: key_is_lossless says of which types it does. Text is ordered
 * bytewise (C collation).
 *
 *   StrBuf key = strbuf_in(arena);
 *   TRY(key_append(&key, &column, &value, is_null));
 *
 * Invariants: Y1 No column's encoding is a proper prefix of another's of the same type, so that
 * concatenation keeps the order. Y2 DESC inverts every byte but the marker.
 */
#ifndef TYPES_KEY_H
#define TYPES_KEY_H

#include "types/type.h"

typedef struct KeyColumn {
    Oid type;
    bool descending;
    bool nulls_first; /* as PostgreSQL: default false for ASC, true for DESC */
} KeyColumn;

/* Fails with 42883-like "could not identify a comparison function for type …". */
MUST_CHECK bool key_append(StrBuf *key, const KeyColumn *column, const Value *value, bool is_null);
/* Reads one column off the front of *rest. Fails with XX002 on bytes that are no key. */
MUST_CHECK bool key_take(Arena *arena, const KeyColumn *column, Str *rest, Value *ret,
                         bool *ret_null);
/* Passes over one column at the front of *rest. */
MUST_CHECK bool key_skip(const KeyColumn *column, Str *rest);
bool key_is_lossless(Oid type);
bool key_is_supported(Oid type);
/* The smallest byte string greater than every string with this prefix; false: there is none. */
bool key_prefix_end(StrBuf *prefix);

#endif
