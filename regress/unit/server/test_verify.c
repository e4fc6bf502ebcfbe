/* What `sengi verify` says of a fresh cluster, and of one whose trees do not agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../test_directory.h"

#include "base/error.h"
#include "base/settings.h"
#include "catalog/catalog.h"
#include "executor/executor.h"
#include "server/bootstrap.h"
#include "server/command.h"
#include "server/view_rows.h"
#include "storage/store.h"
#include "storage/tree.h"
#include "types/type.h"

/* PostgreSQL's OIDs; a fresh cluster's trees have the numbers of their relations. */
#define PG_TYPE_OID_INDEX 2703
#define PG_NAMESPACE 2615

static char directory[TEST_PATH_SIZE], output_path[TEST_PATH_SIZE + 16];

static void ok(bool result)
{
    if (!result)
        fail_msg("%.*s", STR_ARGS(error_fields()->message));
}

/* Exit status; what it has printed is in `text`. */
static int verify(char *text, size_t size)
{
    char *arguments[] = {directory};

    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    assert_non_null(freopen(output_path, "w", stdout));
    const int status = command_verify(1, arguments);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    FILE *file = fopen(output_path, "r");
    assert_non_null(file);
    const size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
    return status;
}

static void assert_told(const char *text)
{
    static char printed[1 << 16];

    assert_int_equal(verify(printed, sizeof(printed)), 1);
    if (!strstr(printed, text))
        fail_msg("verify does not say \"%s\" but:\n%s", text, printed);
}

static void assert_sound(void)
{
    static char printed[1 << 16];

    const int status = verify(printed, sizeof(printed));
    if (status != 0)
        fail_msg("verify says:\n%s", printed);
    assert_non_null(strstr(printed, "0 problems"));
}

static bool apply_nothing(void *context, Store *store, const WalRecord *record)
{
    (void)context, (void)store, (void)record;
    return true;
}

static Store *open_store(void)
{
    Store *store = store_open(str_from_c(directory), &(StoreOptions){.pool_bytes = 16u << 20});

    ok(store != NULL);
    ok(store_recover(store, apply_nothing, NULL));
    return store;
}

static Tree *open_tree(Store *store, TreeId id)
{
    Database *database = store_database(store, DATABASE_POSTGRES);

    assert_non_null(database);
    Tree *tree = tree_open(database, id);
    ok(tree != NULL);
    return tree;
}

static int setup(void **state)
{
    (void)state;
    settings_init();
    types_init();
    executor_init();
    server_functions_init();
    test_directory_make(directory, "verify");
    snprintf(output_path, sizeof(output_path), "%s.output", directory);
    ok(server_bootstrap(str_from_c(directory), STR("postgres")));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(output_path);
    return test_directory_remove(directory);
}

static void a_fresh_cluster_is_sound(void **state)
{
    (void)state;
    assert_sound();
    assert_sound(); /* nothing was written */
}

static void an_entry_without_its_row_and_a_row_without_its_entry(void **state)
{
    char buffer[TREE_MAX_KEY], wrong[TREE_MAX_KEY];
    Str key;
    bool is_ghost;

    (void)state;
    Store *store = open_store();
    Tree *index = open_tree(store, PG_TYPE_OID_INDEX);
    assert_int_equal(tree_index_first(index, STR(""), buffer, &key, &is_ghost), TREE_FOUND);
    ok(tree_index_delete(index, key, NULL));
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_told("index pg_catalog.pg_type_oid_index: row ");
    assert_told("a row has no entry: Key (oid)=(");

    /* Another key for the same row: as many entries as rows, and still both are found. */
    store = open_store();
    index = open_tree(store, PG_TYPE_OID_INDEX);
    memcpy(wrong, key.data, key.length);
    wrong[0] = (char)(wrong[0] ^ 0x11);
    ok(tree_index_insert(index, str_make(wrong, key.length), NULL));
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_told("an entry has another key than its row");

    store = open_store();
    index = open_tree(store, PG_TYPE_OID_INDEX);
    ok(tree_index_delete(index, str_make(wrong, key.length), NULL));
    ok(tree_index_insert(index, key, NULL));
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_sound();
}

static void a_row_that_no_index_knows(void **state)
{
    uint64_t row_id;

    (void)state;
    Store *store = open_store();
    Tree *table = open_tree(store, PG_NAMESPACE);
    ok(tree_max_row_id(table, &row_id));
    CLEANUP(arena_freep) Arena *arena = arena_new("test");
    Str image;
    assert_int_equal(tree_get_image(table, row_id, arena, &image), TREE_FOUND);
    ok(tree_delete(table, row_id, NULL));
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_told("an entry names a row that does not exist");

    store = open_store();
    ok(tree_put(open_tree(store, PG_NAMESPACE), row_id, image, NULL));
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_sound();
}

static void pages_and_trees_that_nobody_has(void **state)
{
    Action action;
    Page page;

    (void)state;
    Store *store = open_store();
    Database *database = store_database(store, DATABASE_POSTGRES);
    ok(action_begin(database, 1, &action));
    page_allocate(&action, database, PAGE_PERMANENT, &page);
    page_unlatch(&page);
    action_end(&action);
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_told("belongs to no tree");

    store = open_store();
    ok(action_begin(store_database(store, DATABASE_POSTGRES), 1, &action));
    page_free_id(&action, store_database(store, DATABASE_POSTGRES), page.id);
    action_end(&action);
    ok(tree_create(store_database(store, DATABASE_POSTGRES), 4000000, TREE_INDEX, NULL));
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_told("tree 4000000 of database 5: no relation has it");

    store = open_store();
    ok(tree_drop(store_database(store, DATABASE_POSTGRES), 4000000));
    ok(tree_drop(store_database(store, DATABASE_POSTGRES), PG_TYPE_OID_INDEX));
    ok(store_close(store, STORE_CLOSE_CLEAN));
    assert_told("could not open tree 2703 of database 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_cluster_is_sound),
        cmocka_unit_test(an_entry_without_its_row_and_a_row_without_its_entry),
        cmocka_unit_test(a_row_that_no_index_knows),
        cmocka_unit_test(pages_and_trees_that_nobody_has),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
