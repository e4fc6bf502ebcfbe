/*
 * The rows of a new cluster's system tables, built as finished leaves.
 *
 * Nobody reads a table before its last row has come, so rows need no write set, and index entries
 * are sorted once instead of being inserted one by one.
 *
 *   SystemLoad *load = system_load_begin(session);   the trees are this transaction's and empty
 *   TRY(system_load_row(load, &row)); ...            system_row_insert comes here meanwhile
 *   TRY(system_load_finish(load));                   unique keys are compared here
 *   system_load_free(load);                          unfinished: a rollback must follow
 *
 * Invariant: between begin and finish no system table is read, and no row changed or deleted.
 */
#ifndef CATALOG_SYSTEM_LOAD_H
#define CATALOG_SYSTEM_LOAD_H

#include "catalog/system_row.h"

typedef struct SystemLoad SystemLoad;

SystemLoad *system_load_begin(CatalogSession *session); /* in the transaction's arena */
MUST_CHECK bool system_load_row(SystemLoad *load, CatalogRow *row);
MUST_CHECK bool system_load_finish(SystemLoad *load);
void system_load_free(SystemLoad *load); /* accepts NULL */

#endif
