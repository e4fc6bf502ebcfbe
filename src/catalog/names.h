/*
 * Identifiers in messages and printed SQL.
 */
#ifndef CATALOG_NAMES_H
#define CATALOG_NAMES_H

#include "catalog/catalog.h"
#include "catalog/relation.h"

/* As regclass prints it: qualified where the search path does not find it. */
Str relation_display_name(CatalogSession *session, const RelationDesc *relation);

/* Of three names the first is a database: the session's own, or 0A000. The message has the whole:
 * relations in quotes. */
MUST_CHECK bool database_check_own(CatalogSession *session, const Str names[3], bool is_relation,
                                   int position);
/* The same of a longer name, `whole`, that begins with a database. */
MUST_CHECK bool database_check_name(CatalogSession *session, Str database, Str whole, int position);

#endif
