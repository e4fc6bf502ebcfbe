#include "executor/command/on_commit.h"

#include <stdlib.h>

#include "base/memory.h"
#include "executor/command/ddl_internal.h"
#include "txn/scan.h"

typedef struct OnCommitTable {
    Oid table;
    OnCommitAction action;
    bool is_gone; /* as of the last on_commit_run */
} OnCommitTable;

struct OnCommitTables {
    OnCommitTable *items; /* heap */
    size_t length, capacity;
    size_t committed; /* the first so many were made by earlier transactions */
};

bool on_commit_add(ExecSession *session, Oid table, OnCommitAction action)
{
    if (!session->on_commit)
        session->on_commit = memory_calloc(1, sizeof(OnCommitTables));
    OnCommitTables *tables = session->on_commit;
    if (!tables)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    if (tables->length == tables->capacity) {
        const size_t capacity = MAX(8, tables->capacity * 2);
        OnCommitTable *items = memory_realloc(tables->items, capacity * sizeof(*items));
        if (!items)
            FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
        tables->items = items;
        tables->capacity = capacity;
    }
    tables->items[tables->length++] = (OnCommitTable){.table = table, .action = action};
    return true;
}

size_t on_commit_mark(const ExecSession *session)
{
    return session->on_commit ? session->on_commit->length : 0;
}

void on_commit_rewind(ExecSession *session, size_t mark)
{
    if (session->on_commit)
        session->on_commit->length = mark;
}

void on_commit_deinit(ExecSession *session)
{
    if (session->on_commit)
        memory_free(session->on_commit->items);
    memory_free(session->on_commit);
    session->on_commit = NULL;
}

/* ---- at commit ---- */

static bool is_emptied(const OnCommitTables *tables, Oid table)
{
    for (size_t i = 0; i < tables->length; i++)
        if (tables->items[i].table == table)
            return tables->items[i].action == ONCOMMIT_DELETE_ROWS;
    return false;
}

/* Who refers to rows that go must lose its own too. */
static bool check_references(CatalogSession *session, const OnCommitTables *tables,
                             const RelationDesc *table)
{
    for (int r = 0; r < table->referencing_count; r++) {
        const RelationDesc *other = relation_get(session, table->referencing[r].table);
        TRY(other);
        if (!is_emptied(tables, other->oid))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("unsupported ON COMMIT and foreign key combination"),
                 .detail = fmt("Table \"%.*s\" references \"%.*s\", but they do not have the same "
                               "ON COMMIT setting.",
                               STR_ARGS(other->name), STR_ARGS(table->name)));
    }
    return true;
}

static bool has_rows(CatalogSession *session, const RelationDesc *table, bool *ret_has)
{
    Snapshot snapshot = txn_snapshot_self(session->txn);
    TableScan *scan = table_scan_open(session->txn, &snapshot, table->storage, &(TableScanSpec){0},
                                      session->arena);
    TRY(scan);
    const ScanOutcome outcome = table_scan_next(scan);
    table_scan_close(scan);
    *ret_has = outcome == SCAN_ROWS;
    return outcome != SCAN_FAILED;
}

/*
 * All its rows are this transaction's: where they stand in the write set alone they are left out
 * of the commit. What was loaded in bulk goes with the tree.
 */
static bool empty_table(CommandContext *context, const OnCommitTables *tables,
                        const RelationDesc *table)
{
    CatalogSession *session = ddl_catalog(context);
    bool has_more;

    TRY(check_references(session, tables, table));
    txn_forget_writes(session->txn, table->storage);
    for (int i = 0; i < table->index_count; i++)
        txn_forget_writes(session->txn, table->indexes[i].storage);
    TRY(has_rows(session, table, &has_more));
    return !has_more || ddl_empty_table(context, table->oid);
}

bool on_commit_run(ExecSession *session)
{
    OnCommitTables *tables = session->on_commit;
    if (!tables || tables->length == 0)
        return true;
    CommandContext context = {.session = session, .arena = session->catalog.arena};
    ObjectVec dropped = {0};
    TRY(txn_command_next(session->catalog.txn));
    for (size_t i = 0; i < tables->length; i++) {
        OnCommitTable *item = &tables->items[i];
        const RelationDesc *table = relation_find(&session->catalog, item->table);
        TRY(table || !error_is_set());
        item->is_gone = !table || item->action == ONCOMMIT_DROP;
        if (table && item->action == ONCOMMIT_DROP)
            VEC_PUSH(context.arena, &dropped, address_of_relation(item->table));
        else if (table)
            TRY(empty_table(&context, tables, table));
    }
    return dropped.length == 0 || drop_objects(&session->catalog, dropped.items, dropped.length,
                                               (DropOptions){.cascade = true, .quiet = true});
}

static void forget_gone(OnCommitTables *tables)
{
    size_t kept = 0;
    for (size_t i = 0; i < tables->length; i++)
        if (!tables->items[i].is_gone)
            tables->items[kept++] = tables->items[i];
    tables->length = kept;
}

void on_commit_end(ExecSession *session, bool committed)
{
    OnCommitTables *tables = session->on_commit;
    if (!tables)
        return;
    if (committed)
        forget_gone(tables);
    else
        tables->length = tables->committed;
    tables->committed = tables->length;
}
