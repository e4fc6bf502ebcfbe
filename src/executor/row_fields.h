/*
 * The fields of a row value with their names, as JSON functions show them: the names of a composite
 * type's row are its columns', which the catalog knows.
 */
#ifndef EXECUTOR_ROW_FIELDS_H
#define EXECUTOR_ROW_FIELDS_H

#include "types/json_parse.h"

/* Variable data stays borrowed. Fails with XX001 when the bytes are no record. */
MUST_CHECK bool row_fields(Arena *arena, const Value *record, RowFields *ret);

#endif
