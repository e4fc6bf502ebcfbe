#include "executor/verify_index.h"

#include "executor/expr.h"
#include "executor/index_key.h"
#include "executor/scan_columns.h"
#include "planner/planner.h"
#include "storage/store.h"
#include "storage/tree.h"
#include "storage/tree_cursor.h"
#include "txn/ddl.h"
#include "txn/scan.h"

typedef struct IndexVerification {
    ExecState *exec;
    const RelationDesc *table;
    IndexKeyBuilder keys;
    Tree *tree;
    Arena *scratch;
    StrBuf entry; /* key and row id, as the tree has them */
    uint64_t expected, told;
    IndexProblemCallback *tell;
    void *context;
} IndexVerification;

static Str entry_of(IndexVerification *v, Str key, int64_t row_id)
{
    const uint64_t id = __builtin_bswap64((uint64_t)row_id);

    strbuf_truncate(&v->entry, 0);
    strbuf_append(&v->entry, key);
    strbuf_append_bytes(&v->entry, &id, sizeof(id));
    return strbuf_view(&v->entry);
}

/* -------- From rows to entries -------- */

static bool verify_row(IndexVerification *v, const ExprInput *rows, uint32_t at, int64_t row_id)
{
    char buffer[TREE_MAX_KEY];
    Str key, found;
    bool skip, has_null, is_ghost;

    TRY(index_key_make(&v->keys, rows, at, &key, &skip, &has_null));
    if (skip)
        return true;
    v->expected++;
    const Str entry = entry_of(v, key, row_id);
    const TreeFound outcome = tree_index_first(v->tree, entry, buffer, &found, &is_ghost);
    TRY(outcome);
    if (outcome == TREE_MISSING || !str_equal(found, entry) || is_ghost) {
        v->told++;
        const Str text = index_key_describe(&v->keys, rows, at, v->scratch);
        v->tell(v->context, row_id,
                str_format(v->scratch, "a row has no entry: %.*s", STR_ARGS(text)));
    }
    return true;
}

static bool verify_rows(void *context, const ExprInput *rows, Selection selection,
                        const Vector *row_ids)
{
    IndexVerification *v = context;

    CHECK_INTERRUPTS();
    arena_reset(v->scratch);
    FOR_SELECTED (selection, row) {
        Value row_id;
        bool is_null;
        vector_get(row_ids, row, &row_id, &is_null);
        TRY(verify_row(v, rows, row, row_id.int64));
    }
    return true;
}

/* -------- From entries to rows: only where the counts differ -------- */

static bool verify_entry(IndexVerification *v, ScanColumns *columns, Str entry)
{
    const int64_t row_id = (int64_t)tree_key_row_id(entry);
    const Snapshot now = txn_snapshot_self(v->exec->session->catalog.txn);
    uint32_t found;
    Str key;
    bool skip = true, has_null;

    arena_reset(v->scratch);
    TRY(scan_columns_fetch(columns, v->exec, &now, &row_id, 1, v->scratch, &found));
    if (found == 0) {
        v->tell(v->context, row_id, STR("an entry names a row that does not exist"));
        return true;
    }
    const ExprInput input = {.slots = {columns->slots, NULL}, .row_count = 1};
    TRY(index_key_make(&v->keys, &input, 0, &key, &skip, &has_null));
    if (skip)
        v->tell(v->context, row_id, STR("an entry names a row that the predicate leaves out"));
    else if (!str_equal(key, str_slice(entry, 0, entry.length - 8)))
        v->tell(v->context, row_id, STR("an entry has another key than its row"));
    return true;
}

static bool verify_cursor(IndexVerification *v, ScanColumns *columns, TreeCursor *cursor)
{
    TRY(tree_cursor_seek(cursor, STR(""), SEEK_AT));
    while (tree_cursor_valid(cursor)) {
        CHECK_INTERRUPTS();
        if (!tree_cursor_is_ghost(cursor))
            TRY(verify_entry(v, columns, tree_cursor_key(cursor)));
        TRY(tree_cursor_advance(cursor));
    }
    return true;
}

static bool verify_entries(IndexVerification *v)
{
    ScanColumns columns = {0};
    TreeCursor cursor;
    int *attnums = ARENA_ARRAY(v->exec->arena, int, v->table->column_count + 1);

    for (uint16_t i = 0; i < v->table->column_count; i++)
        attnums[i] = i + 1;
    TRY(scan_columns_init(&columns, v->exec, v->table->oid, attnums, v->table->column_count));
    tree_cursor_init(&cursor, v->tree, TREE_FORWARD);
    const bool ok = verify_cursor(v, &columns, &cursor);
    tree_cursor_deinit(&cursor);
    return ok;
}

/* -------- The whole -------- */

static bool verify_prepare(IndexVerification *v, Oid index)
{
    CatalogSession *catalog = &v->exec->session->catalog;
    IndexMaintain *items;
    int count;

    TRY(planner_index_maintain(v->exec->arena, catalog, v->table, &index, &items, &count));
    if (count != 1)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("index %u is not of this table", index));
    TRY(index_key_init(&v->keys, v->exec, v->scratch, v->table->oid, &items[0]));
    TxnTree *tree = v->keys.index->tree;
    Database *database =
        store_database(txn_manager_store(txn_manager(catalog->txn)), txn_tree_database(tree));
    v->tree = database ? tree_open(database, txn_tree_id(tree)) : NULL;
    return v->tree != NULL;
}

bool executor_verify_index(ExecSession *session, const RelationDesc *table, Oid index,
                           uint64_t live_entries, IndexProblemCallback *tell, void *context)
{
    IndexVerification v = {
        .exec = exec_new_bare(session), .table = table, .tell = tell, .context = context};

    v.scratch = exec_arena(v.exec, "index verification");
    v.entry = strbuf_in(v.exec->arena);
    bool ok = verify_prepare(&v, index) && table_each(v.exec, table, verify_rows, &v);
    /* As many entries as rows that belong here, and each row has its own: then there is no other.
     */
    if (ok && (v.expected != live_entries || v.told > 0))
        ok = verify_entries(&v);
    executor_free(v.exec);
    return ok;
}
