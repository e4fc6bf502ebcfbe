/*
 * A template: a store as bytes, which new stores begin as.
 *
 *   TRY(store_template_make(arena, directory, &bytes));    of a store that was closed cleanly
 *   TRY(store_create_from(path, bytes));                   as store_create, with that content
 *
 * It holds the pages, packed, and the maps' lines. What is each store's own is not in it: the
 * system identifier, the log, the superblock. The same bytes serve the server that made them alone,
 * so their form is no part of the data directory's format.
 */
#ifndef STORAGE_STORE_TEMPLATE_H
#define STORAGE_STORE_TEMPLATE_H

#include "base/base.h"
#include "base/str.h"

MUST_CHECK bool store_template_make(Arena *arena, Str directory, Str *ret_template);
/* Makes a store in a directory that is absent or empty. */
MUST_CHECK bool store_create_from(Str path, Str template);

#endif
