#include "catalog_fixture.h"

static void a_rolled_back_table_never_was(void **state)
{
    Client *client = client_open();

    client_begin(client);
    client_create_table(client, "ghost");
    assert_true(relation_oid(&client->session, STR("public"), STR("ghost")) != 0);
    client_rollback(client);
    client_begin(client);
    assert_int_equal(relation_oid(&client->session, STR("public"), STR("ghost")), 0);
    client_rollback(client);
    client_close(client);
}

static void others_see_a_table_from_commit_on(void **state)
{
    Client *maker = client_open(), *other = client_open();

    client_begin(maker);
    client_begin(other);
    const Oid oid = client_create_table(maker, "shared");
    assert_null(relation_find(&other->session, oid));
    client_commit(maker);
    const RelationDesc *relation = relation_find(&other->session, oid);
    assert_non_null(relation);
    assert_int_equal(relation->column_count, 2);
    assert_true(relation->columns[0].not_null);
    assert_true(str_equal(relation->columns[1].default_text, STR("'none'::text")));
    assert_non_null(relation->layout);
    client_rollback(other);
    client_close(maker);
    client_close(other);
}

static void a_name_is_given_once(void **state)
{
    Client *client = client_open();
    const RelationDefinition again = {.name = STR("once"),
                                      .namespace_oid = NAMESPACE_PUBLIC,
                                      .kind = RELKIND_TABLE,
                                      .persistence = RELPERSISTENCE_PERMANENT,
                                      .owner = 10};
    Oid oid;

    client_begin(client);
    client_create_table(client, "once");
    assert_false(define_relation(&client->session, &again, &oid));
    assert_int_equal(error_fields()->sqlstate, ERR_DUPLICATE_TABLE);
    error_clear();
    client_rollback(client);
    client_close(client);
}

static void a_dropped_column_leaves_its_number(void **state)
{
    Client *client = client_open();

    client_begin(client);
    const Oid oid = client_create_table(client, "narrowed");
    const ObjectAddress column = {RELATION_PG_CLASS, oid, 2};
    ok(drop_objects(&client->session, &column, 1, (DropOptions){0}));
    client_commit(client);
    client_begin(client);
    const RelationDesc *relation = relation_get(&client->session, oid);
    ok(relation != NULL);
    assert_int_equal(relation->column_count, 2);
    assert_true(relation->columns[1].dropped);
    assert_null(relation_column(relation, STR("note")));
    client_rollback(client);
    client_close(client);
}

static void dropping_a_table_takes_its_rows_everywhere(void **state)
{
    Client *client = client_open();

    client_begin(client);
    const Oid oid = client_create_table(client, "brief");
    const Oid row_type = relation_find(&client->session, oid)->row_type;
    ok(define_comment(&client->session, (ObjectAddress){RELATION_PG_CLASS, oid, 0},
                      STR("not for long")));
    client_commit(client);
    client_begin(client);
    const ObjectAddress table = {RELATION_PG_CLASS, oid, 0};
    ok(drop_objects(&client->session, &table, 1, (DropOptions){0}));
    assert_null(relation_find(&client->session, oid));
    assert_null(type_find(&client->session, row_type));
    client_commit(client);
    client_begin(client);
    assert_null(relation_find(&client->session, oid));
    assert_true(str_is_none(comment_find(&client->session, table, client->arena)));
    DependencyVec rows = {0};
    ok(depend_of(&client->session, table, client->arena, &rows));
    assert_int_equal(rows.length, 0);
    client_rollback(client);
    client_close(client);
}

static void grants_are_stored_and_printed(void **state)
{
    Client *client = client_open();
    Acl acl;

    client_begin(client);
    const Oid oid = client_create_table(client, "granted");
    acl_default(client->arena, ON_TABLE, 10, &acl);
    acl_grant(client->arena, &acl, 10, 3373, ACL_SELECT, true);
    ok(define_acl(&client->session, (ObjectAddress){RELATION_PG_CLASS, oid, 0}, &acl));
    const RelationDesc *relation = relation_get(&client->session, oid);
    ok(relation != NULL);
    assert_int_equal(relation->acl->length, 2);
    assert_string_equal(
        str_to_c(client->arena,
                 acl_item_print(&client->session, &relation->acl->items[1], client->arena)),
        "pg_monitor=r*/postgres");
    assert_true(privilege_rights(&client->session, ON_TABLE, oid, 3373, ACL_SELECT));
    assert_false(privilege_rights(&client->session, ON_TABLE, oid, 3374, ACL_SELECT));
    client_rollback(client);
    client_close(client);
}

static Oid create_temporary(Client *client, const char *name)
{
    const ColumnDefinition column = {.name = STR("id"), .type = TYPE_INT4, .typmod = -1};
    Oid oid = 0;

    ok(catalog_ensure_temp_namespace(&client->session));
    const RelationDefinition definition = {.name = str_from_c(name),
                                           .namespace_oid = client->session.temp_namespace,
                                           .kind = RELKIND_TABLE,
                                           .persistence = RELPERSISTENCE_TEMPORARY,
                                           .owner = ROLE_BOOTSTRAP_SUPERUSER,
                                           .columns = &column,
                                           .column_count = 1};
    ok(define_relation(&client->session, &definition, &oid));
    return oid;
}

/* Plans are true as long as version and temp_version are what they were. */
static void temporary_tables_move_their_session_alone(void **state)
{
    Client *client = client_open(), *other = client_open();

    const uint64_t before = catalog_version(&other->session);
    client_begin(client);
    Oid oid = create_temporary(client, "mine");
    client_commit(client);
    const uint64_t own = client->session.temp_version;
    assert_int_equal(catalog_version(&other->session), before);
    assert_int_equal(other->session.temp_version, 0);
    assert_int_not_equal(own, 0);

    client_begin(client);
    const ObjectAddress column = {RELATION_PG_CLASS, oid, 1};
    ok(drop_objects(&client->session, &column, 1, (DropOptions){0}));
    client_rollback(client);
    assert_int_equal(client->session.temp_version, own);

    client_begin(client);
    assert_false(relation_find(&client->session, oid)->columns[0].dropped);
    ok(drop_objects(&client->session, &column, 1, (DropOptions){0}));
    client_commit(client);
    assert_int_not_equal(client->session.temp_version, own);
    assert_int_equal(catalog_version(&other->session), before);
    /* Another session that looks sees the table as it is. */
    client_begin(other);
    assert_true(relation_find(&other->session, oid)->columns[0].dropped);
    client_rollback(other);
    client_begin(client);
    assert_true(relation_find(&client->session, oid)->columns[0].dropped);
    ok(catalog_drop_temp_objects(&client->session));
    client_commit(client);
    assert_int_equal(catalog_version(&other->session), before);
    client_begin(other);
    assert_null(relation_find(&other->session, oid));
    client_rollback(other);

    /* With others among them it is everybody's. */
    client_begin(client);
    create_temporary(client, "mixed");
    client_create_table(client, "not_temporary");
    client_commit(client);
    assert_int_not_equal(catalog_version(&other->session), before);
    client_close(client);
    client_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rolled_back_table_never_was),
        cmocka_unit_test(others_see_a_table_from_commit_on),
        cmocka_unit_test(a_name_is_given_once),
        cmocka_unit_test(a_dropped_column_leaves_its_number),
        cmocka_unit_test(dropping_a_table_takes_its_rows_everywhere),
        cmocka_unit_test(grants_are_stored_and_printed),
        cmocka_unit_test(temporary_tables_move_their_session_alone),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
