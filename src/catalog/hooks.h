/*
 * What the types room asks of the catalog, and names given as text.
 *
 * The hooks find the session through the running task: task->session begins with a CatalogSession
 * (catalog.h); without one, or outside a transaction, names stay numbers.
 */
#ifndef CATALOG_HOOKS_H
#define CATALOG_HOOKS_H

#include "catalog/catalog.h"
#include "types/type.h"

/* The running task's session if it has a transaction, else NULL. */
CatalogSession *catalog_session_current(void);

/* "a"."B".c in parts: at most catalog, schema, name. Fails with 42602 invalid name syntax. */
typedef struct StrParts {
    Str items[3];
    uint32_t count;
} StrParts;
MUST_CHECK bool name_parse(Arena *arena, Str text, StrParts *ret_parts);

/* The text of a reg* value → OID, with the errors of PostgreSQL's casts. */
MUST_CHECK bool catalog_reg_input(CatalogSession *session, Oid type, Str text, Oid *ret_oid);

/*
 * "character varying(10)[]", "int4", "public.t" → type and typmod, as PostgreSQL's parseTypeString.
 * The parser is a room above, so SQL's own spellings are known here by a table.
 */
MUST_CHECK bool type_parse_name(CatalogSession *session, Str text, bool allow_typmod, Oid *ret_type,
                                int32_t *ret_typmod);

/* Text and binary forms of rows of a table's type (row_input.c). */
bool row_type_input(const TypeIo *io, Str text, Value *ret);
bool row_type_receive(const TypeIo *io, Str bytes, Value *ret);

/* Called by catalog_open. */
void catalog_install_hooks(void);

#endif
