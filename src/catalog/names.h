/*
 * Identifiers in messages and printed SQL.
 */
#ifndef CATALOG_NAMES_H
#define CATALOG_NAMES_H

#include "catalog/catalog.h"
#include "catalog/relation.h"

/* The name, in double quotes where SQL needs them. */
Str name_quote(Arena *arena, Str name);
/* schema.name, each quoted as needed; STR_NONE: no schema. */
Str name_qualify(Arena *arena, Str schema, Str name);
bool name_is_reserved(Str name);
/* As regclass prints it: qualified where the search path does not find it. */
Str relation_display_name(CatalogSession *session, const RelationDesc *relation);

#endif
