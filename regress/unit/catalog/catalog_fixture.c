#include "catalog_fixture.h"

Fixture fixture;

void ok(bool result)
{
    if (!result)
        fail_msg("%s: %.*s", sqlstate_text(error_fields()->sqlstate).text,
                 STR_ARGS(error_fields()->message));
}

static void store_up(void)
{
    ok((fixture.store =
            store_open(str_from_c(fixture.path), &(StoreOptions){.pool_bytes = 64 << 20})) != NULL);
    ok(txn_manager_open(fixture.store, NULL, &fixture.manager));
}

int fixture_setup(void **state)
{
    if (!task_current()->settings)
        settings_init();
    task_current()->settings = &settings_default;
    test_directory_make(fixture.path, "catalog");
    ok(store_create(str_from_c(fixture.path)));
    store_up();
    ok(catalog_bootstrap(fixture.manager, &(CatalogBootstrapOptions){0}));
    ok(catalog_open(fixture.manager, &fixture.catalog));
    ok(catalog_bootstrap_finish(fixture.catalog));
    return 0;
}

static void store_down(void)
{
    catalog_close(fixture.catalog);
    txn_manager_close(fixture.manager);
    ok(store_close(fixture.store, STORE_CLOSE_CLEAN));
}

void fixture_reopen(void)
{
    store_down();
    store_up();
    ok(catalog_open(fixture.manager, &fixture.catalog));
}

int fixture_teardown(void **state)
{
    store_down();
    return test_directory_remove(fixture.path);
}

Client *client_open(void)
{
    Client *client = calloc(1, sizeof(*client));

    client->session_arena = arena_new("session");
    client->arena = arena_new("transaction");
    client->txn_session = txn_session_open(fixture.manager, 1);
    catalog_session_init(&client->session, fixture.catalog, client->session_arena);
    ok(catalog_session_connect(&client->session, DATABASE_POSTGRES, ROLE_BOOTSTRAP_SUPERUSER));
    client->session.arena = client->arena;
    client->session.backend_id = 1;
    return client;
}

void client_begin(Client *client)
{
    client->session.txn =
        txn_begin(client->txn_session, &(TxnOptions){.isolation = ISOLATION_READ_COMMITTED});
    ok(client->session.txn != NULL);
    ok(txn_statement_begin(client->session.txn));
    task_current()->session = &client->session;
}

static void transaction_end(Client *client, bool committed)
{
    client->session.txn = NULL;
    catalog_session_end_transaction(&client->session, committed);
    arena_reset(client->arena);
    task_current()->session = NULL;
}

void client_commit(Client *client)
{
    ok(txn_commit(client->session.txn));
    transaction_end(client, true);
}

void client_rollback(Client *client)
{
    txn_rollback(client->session.txn);
    transaction_end(client, false);
}

void client_close(Client *client)
{
    catalog_session_deinit(&client->session);
    txn_session_close(client->txn_session);
    arena_free(client->arena);
    arena_free(client->session_arena);
    free(client);
}

Oid client_create_table(Client *client, const char *name)
{
    const ColumnDefinition columns[] = {
        {.name = STR("id"), .type = TYPE_INT4, .typmod = -1, .not_null = true},
        {.name = STR("note"),
         .type = TYPE_TEXT,
         .typmod = -1,
         .collation = COLLATION_DEFAULT,
         .default_text = STR("'none'::text")},
    };
    const RelationDefinition definition = {.name = str_from_c(name),
                                           .namespace_oid = NAMESPACE_PUBLIC,
                                           .kind = RELKIND_TABLE,
                                           .persistence = RELPERSISTENCE_PERMANENT,
                                           .owner = ROLE_BOOTSTRAP_SUPERUSER,
                                           .columns = columns,
                                           .column_count = 2};
    Oid oid = 0;

    ok(define_relation(&client->session, &definition, &oid));
    return oid;
}
