/* A new cluster in a temporary directory and a superuser's session in its database postgres. */
#ifndef TEST_CATALOG_FIXTURE_H
#define TEST_CATALOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../test_directory.h"

#include "base/os.h"
#include "base/settings.h"
#include "base/task.h"
#include "catalog/define.h"
#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "storage/store.h"
#include "txn/txn.h"

typedef struct Fixture {
    char path[TEST_PATH_SIZE];
    Store *store;
    TxnManager *manager;
    Catalog *catalog;
} Fixture;

typedef struct Client {
    CatalogSession session;
    TxnSession *txn_session;
    Arena *session_arena, *arena;
} Client;

extern Fixture fixture;

void ok(bool result); /* fails the test with the error's message */
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_reopen(void);

Client *client_open(void);
void client_begin(Client *client);
void client_commit(Client *client);
void client_rollback(Client *client);
void client_close(Client *client);
/* CREATE TABLE name (id int4 NOT NULL, note text). */
Oid client_create_table(Client *client, const char *name);

#endif
