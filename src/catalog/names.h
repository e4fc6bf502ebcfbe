/*
 * Identifiers in messages and printed SQL.
 */
#ifndef CATALOG_NAMES_H
#define CATALOG_NAMES_H

#include "catalog/catalog.h"
#include "catalog/relation.h"

/* As regclass prints it: qualified where the search path does not find it. */
Str relation_display_name(CatalogSession *session, const RelationDesc *relation);

#endif
