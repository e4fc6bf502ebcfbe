/*
 * A new database directory: the store, the system tables, the system views, the databases
 * template1, template0 and postgres, and the configuration files. The store is the program's
 * template (server/template.h); a program without one fills it, which takes ten times as long.
 *
 * They are made in a directory inside, "unfinished", without a sync; then synced, and moved to
 * their place, the superblock last: what an interrupted one leaves nobody takes for a database.
 */
#ifndef SERVER_BOOTSTRAP_H
#define SERVER_BOOTSTRAP_H

#include "base/base.h"
#include "base/str.h"

/* The directory must be absent or empty; `superuser` owns everything. */
MUST_CHECK bool server_bootstrap(Str directory, Str superuser);

/*
 * Are the directory's system tables those of this server? Their rows are not brought up to date, so
 * that one made by another is refused (55000), with what to do. A directory without a store is none
 * to refuse.
 */
MUST_CHECK bool server_check_version(Str directory);

#endif
