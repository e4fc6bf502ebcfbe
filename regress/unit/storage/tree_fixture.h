/* A store of its own for each test of the trees, with the smallest pool there is. */
#ifndef TREE_FIXTURE_H
#define TREE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/os.h"
#include "storage/leaf_page.h"
#include "storage/store.h"
#include "storage/tree_internal.h"

typedef struct Fixture {
    char path[100];
    Store *store;
    Database *database;
    uint64_t random;
} Fixture;

static Fixture fix;

static inline void require(bool ok)
{
    if (!ok && error_is_set())
        print_error("error: %.*s\n", STR_ARGS(error_fields()->message));
    assert_true(ok);
}

static inline uint64_t draw(void)
{
    fix.random ^= fix.random << 13;
    fix.random ^= fix.random >> 7;
    fix.random ^= fix.random << 17;
    return fix.random;
}
static inline uint32_t draw_below(uint32_t limit)
{
    return (uint32_t)(draw() % limit);
}

static inline void fixture_remove(void)
{
    char command[200];
    snprintf(command, sizeof(command), "rm -rf '%s'", fix.path);
    assert_int_equal(system(command), 0);
}

static inline bool fixture_no_record(void *context, Store *store, const WalRecord *record)
{
    (void)context, (void)store, (void)record;
    return true;
}

static inline void fixture_open(void)
{
    const StoreOptions options = {.pool_bytes = 1, .database_page_limit = 1u << 20};
    fix.store = store_open(str_from_c(fix.path), &options);
    require(fix.store != NULL);
    require(store_recover(fix.store, fixture_no_record, NULL));
    fix.database = store_database(fix.store, DATABASE_SHARED);
    assert_non_null(fix.database);
}

static inline int fixture_begin(void **state)
{
    (void)state;
    if (!os)
        os = &os_linux;
    snprintf(fix.path, sizeof(fix.path), "/tmp/sengi-test-tree-%d", (int)getpid());
    fix.random = 88172645463325252u;
    fixture_remove();
    require(store_create(str_from_c(fix.path)));
    fixture_open();
    return 0;
}

static inline int fixture_end(void **state)
{
    (void)state;
    if (fix.store)
        store_close(fix.store, STORE_CLOSE_ABORT);
    fix.store = NULL;
    fixture_remove();
    error_clear();
    return 0;
}

/* Every page that is allocated belongs to a tree: nothing has leaked. */
typedef struct PageCount {
    uint64_t pages;
} PageCount;
static inline bool count_tree(void *context, TreeId id, TreeKind kind)
{
    PageCount *count = context;
    TreeReport report;
    Tree *tree = tree_open(fix.database, id);
    (void)kind;
    TRY(tree && tree_check(tree, NULL, NULL, &report));
    count->pages += report.leaf_pages + report.inner_pages + report.overflow_pages;
    return true;
}
static inline void require_no_leak(void)
{
    PageCount count = {0};
    require(tree_list(fix.database, count_tree, &count));
    require(!error_is_set());
    require(count_tree(&count, TREE_DIRECTORY, TREE_KEY_VALUE));
    assert_int_equal(count.pages, database_page_count(fix.database));
}

#endif
