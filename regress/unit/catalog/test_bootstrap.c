#include "catalog_fixture.h"

#include "catalog/system_row.h"

static void system_tables_describe_themselves(void **state)
{
    Client *client = client_open();
    CatalogSession *session = &client->session;

    client_begin(client);
    for (int i = 0; i < CATALOG_TABLE_COUNT; i++) {
        const CatalogTable *table = &catalog_tables[i];
        const Value key = {.oid = table->oid};
        CatalogRow row;
        CatalogRowVec columns = {0};
        assert_int_equal(system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &key, 1, &row),
                         ROW_FOUND);
        assert_true(str_equal(row_text(&row, PG_CLASS_RELNAME), table->name));
        ok(system_rows_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, &key, 1, &columns));
        assert_int_equal(columns.length, table->column_count + 6);
        const RelationDesc *relation = relation_get_name(session, STR_NONE, table->name, 0);
        ok(relation != NULL);
        assert_int_equal(relation->oid, table->oid);
        assert_int_equal(relation->index_count, table->index_count);
    }
    client_rollback(client);
    client_close(client);
}

static void the_three_databases_and_their_roles_are_there(void **state)
{
    Client *client = client_open();
    CatalogSession *session = &client->session;
    LoginFacts facts;

    client_begin(client);
    ok(database_get_name(session, STR("template0")) != NULL);
    assert_false(database_get_name(session, STR("template0"))->allow_connections);
    assert_true(role_is_superuser(session, ROLE_BOOTSTRAP_SUPERUSER));
    assert_true(role_is_member(session, 3373, 3374)); /* pg_monitor, pg_read_all_settings */
    assert_false(role_is_member(session, 3374, 3373));
    assert_int_equal(namespace_oid(session, STR("public")), NAMESPACE_PUBLIC);
    client_rollback(client);
    ok(catalog_login_facts(fixture.catalog, STR("postgres"), STR("postgres"), client->arena,
                           &facts));
    assert_int_equal(facts.role->oid, ROLE_BOOTSTRAP_SUPERUSER);
    assert_int_equal(facts.database->oid, DATABASE_POSTGRES);
    client_close(client);
}

static void names_of_types_read_and_print(void **state)
{
    static const struct {
        const char *text;
        Oid oid;
        const char *printed;
    } cases[] = {
        {"int4", TYPE_INT4, "integer"},
        {"integer[]", TYPE_INT4_ARRAY, "integer[]"},
        {"character varying(10)", TYPE_VARCHAR, "character varying(10)"},
        {"timestamp(3) with time zone", TYPE_TIMESTAMPTZ, "timestamp(3) with time zone"},
        {"pg_catalog.\"char\"", TYPE_CHAR, "\"char\""},
        {"numeric(10,2)", TYPE_NUMERIC, "numeric(10,2)"},
        {"pg_class", 83, "pg_class"},
    };
    Client *client = client_open();

    client_begin(client);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        Oid oid;
        int32_t typmod;
        ok(type_parse_name(&client->session, str_from_c(cases[i].text), true, &oid, &typmod));
        assert_int_equal(oid, cases[i].oid);
        const Str text = type_sql_name(&client->session, oid, typmod, client->arena);
        assert_string_equal(str_to_c(client->arena, text), cases[i].printed);
    }
    client_rollback(client);
    client_close(client);
}

static void everything_survives_a_restart(void **state)
{
    Client *client = client_open();

    client_begin(client);
    const Oid table = client_create_table(client, "kept");
    assert_true(table >= OID_FIRST_USER);
    client_commit(client);
    client_close(client);
    fixture_reopen();
    client = client_open();
    client_begin(client);
    assert_int_equal(relation_oid(&client->session, STR_NONE, STR("kept")), table);
    assert_true(client_create_table(client, "next") > table);
    client_rollback(client);
    client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_tables_describe_themselves),
        cmocka_unit_test(the_three_databases_and_their_roles_are_there),
        cmocka_unit_test(names_of_types_read_and_print),
        cmocka_unit_test(everything_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
