/*
 * Row values: records and values of composite types, as one variable-length value.
 *
 * Bytes, little-endian: u32 row type (TYPE_RECORD or a composite's OID), u32 field count, then
 * per field u32 type, u32 length of its bytes (RECORD_NULL: null), the bytes: the physical form of
 * fixed types, the data of variable ones. The count's low 16 bits are the number of fields, the
 * next 15 the levels of records within records (1: none within), and RECORD_NAMED says that after
 * the fields each name follows: u32 length and characters.
 */
#ifndef TYPES_RECORD_H
#define TYPES_RECORD_H

#include "types/json_parse.h"
#include "types/type.h"

#define RECORD_NULL UINT32_MAX
#define RECORD_NAMED 0x80000000
#define RECORD_DEPTH_MAX 500

Value record_make(Arena *arena, Oid type, const Oid *field_types, const Value *values,
                  const bool *nulls, uint32_t count);
/* Of a subquery's or join's row, whose columns to_json and its kin ask for. */
Value record_make_named(Arena *arena, const Oid *field_types, const Value *values,
                        const bool *nulls, const Str *names, uint32_t count);
/*
 * Whoever makes records of a user's values checks that they are not nested too deeply (54001), so
 * that who walks down a record need not look at the stack.
 */
MUST_CHECK bool record_depth_check(const Value *record);
/* Fails with XX001 when the bytes are no record. */
MUST_CHECK bool record_count(const Value *record, uint32_t *ret_count);
/* Field `index` (0-based); variable data stays borrowed. Missing fields are null. */
MUST_CHECK bool record_field(const Value *record, uint32_t index, Value *ret, bool *ret_null,
                             Oid *ret_type);
/* TYPE_RECORD, or the composite type's OID; of a record that record_count has accepted. */
Oid record_type(const Value *record);
/*
 * Names, types and values of all fields; names that the record does not have are f1, f2 … Variable
 * data stays borrowed.
 */
MUST_CHECK bool record_fields(Arena *arena, const Value *record, RowFields *ret);
/* "(1,\"a b\",)" as record_out prints it. */
MUST_CHECK bool record_output(const Value *record, StrBuf *out);

#endif
