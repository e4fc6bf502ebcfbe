/*
 * The fields of a row value with their names, as JSON functions show them: the names of a composite
 * type's row are its columns', which the catalog knows.
 */
#ifndef EXECUTOR_ROW_FIELDS_H
#define EXECUTOR_ROW_FIELDS_H

#include "types/function.h"
#include "types/json_parse.h"

/* Variable data stays borrowed. Fails with XX001 when the bytes are no record. */
MUST_CHECK bool row_fields(Arena *arena, const Value *record, RowFields *ret);
/* Fails with 42804 where a record has other fields than the query's column definition list. */
MUST_CHECK bool row_shape_check(const RowShape *shape, const Oid *types, uint32_t count);

#endif
