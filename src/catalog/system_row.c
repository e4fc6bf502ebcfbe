#include "catalog/system_row.h"

#include "catalog/catalog_internal.h"
#include "catalog/system_load.h"
#include "storage/row.h"
#include "txn/lock.h"
#include "txn/scan.h"
#include "types/array.h"
#include "types/key.h"

const CatalogTable *catalog_table_find(Oid oid)
{
    size_t low = 0, high = CATALOG_TABLE_COUNT;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (catalog_tables[middle].oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < CATALOG_TABLE_COUNT && catalog_tables[low].oid == oid ? &catalog_tables[low]
                                                                       : NULL;
}

const CatalogIndex *catalog_index_find(Oid oid)
{
    if (oid >= OID_FIRST_UNPINNED)
        return NULL;
    for (size_t i = 0; i < CATALOG_INDEX_COUNT; i++)
        if (catalog_indexes[i].oid == oid)
            return &catalog_indexes[i];
    return NULL;
}

static bool open_tree(CatalogSession *session, Oid database, Oid id, TxnTree *_Atomic *slot,
                      TxnTree **ret_tree)
{
    TxnTree *tree = atomic_load_explicit(slot, memory_order_acquire);

    if (!tree) {
        TxnTree *expected = NULL;
        TRY(txn_tree_open(session->txn, database, id, &tree));
        if (!atomic_compare_exchange_strong(slot, &expected, tree)) {
            txn_tree_close(tree);
            tree = expected;
        }
    }
    *ret_tree = tree;
    return true;
}

TxnTree *catalog_table_tree(CatalogSession *session, CatalogTableId table)
{
    const CatalogTable *facts = &catalog_tables[table];
    DatabaseCatalog *database = facts->shared ? session->catalog->shared : session->database;
    TxnTree *tree;

    TRY(open_tree(session, facts->shared ? SHARED_DATABASE : session->database_oid, facts->oid,
                  &database->tables[table], &tree));
    return tree;
}

TxnTree *catalog_index_tree(CatalogSession *session, CatalogIndexId index)
{
    const CatalogIndex *facts = &catalog_indexes[index];
    const bool shared = catalog_tables[facts->table].shared;
    DatabaseCatalog *database = shared ? session->catalog->shared : session->database;
    TxnTree *tree;

    TRY(open_tree(session, shared ? SHARED_DATABASE : session->database_oid, facts->oid,
                  &database->indexes[index], &tree));
    if (facts->is_unique)
        txn_index_set_unique(tree);
    return tree;
}

static bool key_make(const CatalogIndex *index, const Value *keys, uint32_t key_count, StrBuf *ret)
{
    const CatalogTable *table = &catalog_tables[index->table];

    for (uint32_t i = 0; i < key_count; i++) {
        const KeyColumn column = {.type = table->columns[index->columns[i].attnum - 1].type};
        TRY(key_append(ret, &column, &keys[i], false));
    }
    return true;
}

static uint64_t row_hash(const Layout *layout, const CatalogRow *row)
{
    uint64_t hash = 1;

    for (int i = 0; i < catalog_tables[row->table].column_count; i++) {
        const Value *value = &row->values[i];
        hash *= UINT64_C(0x9e3779b97f4a7c15);
        if (row->nulls[i])
            continue;
        if (layout->columns[i].type == PHYS_VAR) {
            const Str text = var_str(value->var);
            hash ^= hash_bytes(text.data, text.length);
        } else {
            hash ^= hash_bytes(value, phys_width(layout->columns[i].type));
        }
    }
    return hash ? hash : 1;
}

static FetchOutcome row_fetch(CatalogSession *session, TxnTree *tree, int64_t row_id,
                              CatalogRow *row)
{
    static const uint16_t all[CATALOG_MAX_COLUMNS] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                      11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                      22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
    const Snapshot snapshot = txn_snapshot_self(session->txn);

    row->row_id = row_id;
    const FetchOutcome outcome =
        txn_fetch(session->txn, &snapshot, tree, row_id, all,
                  catalog_tables[row->table].column_count, row->values, row->nulls, session->arena);
    if (outcome == FETCH_ROW)
        row->seen = row_hash(txn_tree_layout(session->txn, tree), row);
    return outcome;
}

/* Runs `visit` on each matching row until it returns false. */
static bool rows_visit(CatalogSession *session, CatalogIndexId index_id, const Value *keys,
                       uint32_t key_count, bool only_first, CatalogRowVec *ret_rows,
                       CatalogRow *ret_row, bool *ret_found)
{
    const CatalogIndex *index = &catalog_indexes[index_id];
    const Snapshot snapshot = txn_snapshot_self(session->txn);
    assert(!session->catalog->load);
    TxnTree *table_tree = catalog_table_tree(session, index->table);
    TRY(table_tree);
    TxnTree *index_tree = catalog_index_tree(session, index_id);
    TRY(index_tree);
    StrBuf low = strbuf_in(session->arena);
    StrBuf high = strbuf_in(session->arena);
    TRY(key_make(index, keys, key_count, &low));
    strbuf_append(&high, strbuf_view(&low));
    const bool bounded = key_count > 0 && key_prefix_end(&high);
    const IndexScanSpec spec = {.low = strbuf_view(&low),
                                .high = bounded ? strbuf_view(&high) : STR_NONE};
    IndexScan *scan = index_scan_open(session->txn, &snapshot, index_tree, &spec, session->arena);
    TRY(scan);
    bool ok = true;

    for (;;) {
        IndexEntry entry;
        const ScanOutcome outcome = index_scan_next(scan, &entry);
        if (outcome != SCAN_ROWS) {
            ok = outcome == SCAN_END;
            break;
        }
        CatalogRow *row = only_first ? ret_row : ARENA_NEW(session->arena, CatalogRow);
        row->table = index->table;
        const FetchOutcome fetched = row_fetch(session, table_tree, entry.row_id, row);
        if (fetched == FETCH_FAILED) {
            ok = false;
            break;
        }
        if (fetched == FETCH_NONE)
            continue;
        *ret_found = true;
        if (only_first)
            break;
        VEC_PUSH(session->arena, ret_rows, row);
    }
    index_scan_close(scan);
    return ok;
}

RowFound system_row_find(CatalogSession *session, CatalogIndexId index, const Value *keys,
                         uint32_t key_count, CatalogRow *ret_row)
{
    bool found = false;

    if (!rows_visit(session, index, keys, key_count, true, NULL, ret_row, &found))
        return ROW_FAILED;
    return found ? ROW_FOUND : ROW_MISSING;
}

bool system_rows_find(CatalogSession *session, CatalogIndexId index, const Value *keys,
                      uint32_t key_count, CatalogRowVec *ret_rows)
{
    bool found = false;

    return rows_visit(session, index, keys, key_count, false, ret_rows, NULL, &found);
}

bool system_rows_all(CatalogSession *session, CatalogTableId table_id, CatalogRowVec *ret_rows)
{
    const CatalogTable *table = &catalog_tables[table_id];
    const Snapshot snapshot = txn_snapshot_self(session->txn);
    TxnTree *tree = catalog_table_tree(session, table_id);
    TRY(tree);
    const uint16_t row_id_column = SCAN_ROW_ID;
    VEC(int64_t) ids = {0};
    TableScan *scan = table_scan_open(
        session->txn, &snapshot, tree,
        &(TableScanSpec){.columns = &row_id_column, .column_count = 1}, session->arena);
    TRY(scan);
    ScanOutcome outcome;
    while ((outcome = table_scan_next(scan)) == SCAN_ROWS) {
        const Batch *batch = table_scan_batch(scan);
        FOR_SELECTED (batch->selection, row) {
            VEC_PUSH(session->arena, &ids, VECTOR_VALUES(batch->columns[0], int64_t)[row]);
        }
    }
    table_scan_close(scan);
    TRY(outcome == SCAN_END);
    for (size_t i = 0; i < ids.length; i++) {
        CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
        row->table = catalog_table_id(table);
        const FetchOutcome fetched = row_fetch(session, tree, ids.items[i], row);
        TRY(fetched);
        if (fetched == FETCH_ROW)
            VEC_PUSH(session->arena, ret_rows, row);
    }
    return true;
}

void system_row_init(CatalogRow *row, CatalogTableId table)
{
    *row = (CatalogRow){.table = table};
    memset(row->nulls, 1, sizeof(row->nulls));
}

bool system_row_key(const CatalogIndex *index, const CatalogRow *row, StrBuf *key)
{
    const CatalogTable *table = &catalog_tables[index->table];

    for (uint32_t i = 0; i < index->column_count; i++) {
        const int column = index->columns[i].attnum - 1;
        const KeyColumn facts = {.type = table->columns[column].type};
        TRY(key_append(key, &facts, &row->values[column], row->nulls[column]));
    }
    return true;
}

static bool row_key(CatalogSession *session, const CatalogIndex *index, const CatalogRow *row,
                    Str *ret_key)
{
    StrBuf key = strbuf_in(session->arena);

    TRY(system_row_key(index, row, &key));
    *ret_key = strbuf_view(&key);
    return true;
}

static bool fail_duplicate(CatalogSession *session, const CatalogIndex *index,
                           const CatalogRow *row)
{
    const CatalogTable *table = &catalog_tables[index->table];
    StrBuf names = strbuf_in(session->arena);
    StrBuf values = strbuf_in(session->arena);

    for (uint32_t i = 0; i < index->column_count; i++) {
        const int column = index->columns[i].attnum - 1;
        if (i > 0) {
            strbuf_append_c(&names, ", ");
            strbuf_append_c(&values, ", ");
        }
        strbuf_append(&names, table->columns[column].name);
        TRY(type_output(table->columns[column].type, &row->values[column], &values));
    }
    FAIL(ERR_UNIQUE_VIOLATION,
         .message =
             fmt("duplicate key value violates unique constraint \"%.*s\"", STR_ARGS(index->name)),
         .detail = fmt("Key (%.*s)=(%.*s) already exists.", STR_ARGS(strbuf_view(&names)),
                       STR_ARGS(strbuf_view(&values))),
         .schema_name = STR("pg_catalog"), .table_name = table->name,
         .constraint_name = index->name);
}

static bool entry_insert(CatalogSession *session, const CatalogIndex *index, const CatalogRow *row,
                         Str key)
{
    TxnTree *tree = catalog_index_tree(session, catalog_index_id(index));
    TRY(tree);
    if (index->is_unique) {
        int64_t other;
        switch (txn_unique_check(
            session->txn, &(UniqueProbe){.index = tree, .key = key, .self_row_id = row->row_id},
            &other)) {
        case UNIQUE_FAILED:
            return false;
        case UNIQUE_OK:
            break;
        case UNIQUE_CONFLICT:
            return fail_duplicate(session, index, row);
        }
    }
    return txn_index_insert(session->txn, tree, key, row->row_id);
}

bool system_row_insert(CatalogSession *session, CatalogRow *row)
{
    const CatalogTable *table = &catalog_tables[row->table];
    TxnTree *tree = catalog_table_tree(session, row->table);
    TRY(tree);
    Str image;

    assert(row->row_id == 0);
    for (int i = 0; i < table->column_count; i++)
        assert(!(table->columns[i].not_null && row->nulls[i]));
    catalog_note_change(session, row);
    if (unlikely(session->catalog->load))
        return system_load_row(session->catalog->load, row);
    TRY(row_image_make(session->arena, txn_tree_layout(session->txn, tree), row->values, row->nulls,
                       &image));
    TRY(txn_insert(session->txn, tree, image, &row->row_id));
    for (uint32_t i = 0; i < table->index_count; i++) {
        const CatalogIndex *index = &catalog_indexes[table->first_index + i];
        Str key;
        TRY(row_key(session, index, row, &key));
        TRY(entry_insert(session, index, row, key));
    }
    return true;
}

static bool fail_overtaken(CatalogSession *session, Str message)
{
    session->was_overtaken = true;
    FAIL(ERR_INTERNAL_ERROR, .message = message);
}

/* Locks the row for a change. */
static bool row_lock(CatalogSession *session, TxnTree *tree, const CatalogRow *row)
{
    const RowLockRequest request = {.mode = ROW_LOCK_UPDATE,
                                    .wait = LOCK_WAIT,
                                    .snapshot = txn_snapshot_self(session->txn),
                                    .relation_name = catalog_tables[row->table].name};
    RowLockResult result = {0};

    switch (txn_lock_row(session->txn, tree, row->row_id, &request, session->arena, &result)) {
    case ROW_LOCK_FAILED:
        return false;
    case ROW_LOCK_LOCKED:
        return true;
    case ROW_LOCK_SELF:
        return true; /* written by this command already: write again */
    case ROW_LOCK_CHANGED:
    case ROW_LOCK_WOULD_BLOCK:
        return fail_overtaken(session, STR("tuple concurrently updated"));
    case ROW_LOCK_GONE:
        return fail_overtaken(session, STR("tuple concurrently deleted"));
    }
    return false;
}

bool system_row_lock(CatalogSession *session, const CatalogRow *row)
{
    TxnTree *tree = catalog_table_tree(session, row->table);

    TRY(tree);
    return row_lock(session, tree, row);
}

bool system_row_update(CatalogSession *session, const CatalogRow *row)
{
    const CatalogTable *table = &catalog_tables[row->table];
    TxnTree *tree = catalog_table_tree(session, row->table);
    TRY(tree);
    CatalogRow old = {.table = row->table};
    Str image;

    catalog_note_change(session, row);
    TRY(row_lock(session, tree, row));
    const FetchOutcome fetched = row_fetch(session, tree, row->row_id, &old);
    TRY(fetched);
    if (fetched == FETCH_NONE)
        return fail_overtaken(session, STR("tuple concurrently deleted"));
    if (row->seen && row->seen != old.seen)
        return fail_overtaken(session, STR("tuple concurrently updated"));
    TRY(row_image_make(session->arena, txn_tree_layout(session->txn, tree), row->values, row->nulls,
                       &image));
    TRY(txn_update(session->txn, tree, row->row_id, image));
    for (uint32_t i = 0; i < table->index_count; i++) {
        const CatalogIndex *index = &catalog_indexes[table->first_index + i];
        Str old_key, new_key;
        TRY(row_key(session, index, &old, &old_key));
        TRY(row_key(session, index, row, &new_key));
        if (str_equal(old_key, new_key))
            continue;
        TxnTree *index_tree = catalog_index_tree(session, catalog_index_id(index));
        TRY(index_tree);
        TRY(txn_index_delete(session->txn, index_tree, old_key, row->row_id));
        TRY(entry_insert(session, index, row, new_key));
    }
    return true;
}

bool system_row_delete(CatalogSession *session, const CatalogRow *row)
{
    const CatalogTable *table = &catalog_tables[row->table];
    TxnTree *tree = catalog_table_tree(session, row->table);
    TRY(tree);
    CatalogRow old = {.table = row->table};

    catalog_note_change(session, row);
    TRY(row_lock(session, tree, row));
    const FetchOutcome fetched = row_fetch(session, tree, row->row_id, &old);
    TRY(fetched);
    if (fetched == FETCH_NONE)
        return true;
    for (uint32_t i = 0; i < table->index_count; i++) {
        const CatalogIndex *index = &catalog_indexes[table->first_index + i];
        TxnTree *index_tree = catalog_index_tree(session, catalog_index_id(index));
        TRY(index_tree);
        Str key;
        TRY(row_key(session, index, &old, &key));
        TRY(txn_index_delete(session->txn, index_tree, key, row->row_id));
    }
    return txn_delete(session->txn, tree, row->row_id);
}

static bool set_array(CatalogSession *session, CatalogRow *row, int column, const Value *values,
                      uint32_t count)
{
    const Oid type = catalog_tables[row->table].columns[column].type;
    const BuiltinType *facts = builtin_type(type);
    const bool is_vector = type == TYPE_INT2VECTOR || type == TYPE_OIDVECTOR;
    ArrayBuilder builder;

    array_builder_init(&builder, session->arena, facts->element);
    for (uint32_t i = 0; i < count; i++)
        array_builder_add(&builder, &values[i], false);
    row->nulls[column] = false;
    if (!is_vector)
        return array_builder_finish(&builder, &row->values[column]);
    const int32_t length = (int32_t)count, lower = 0;
    return array_builder_finish_shape(&builder, 1, &length, &lower, &row->values[column]);
}

bool row_set_oids(CatalogSession *session, CatalogRow *row, int column, const Oid *oids,
                  uint32_t count)
{
    Value *values = ARENA_ARRAY(session->arena, Value, count + 1);

    for (uint32_t i = 0; i < count; i++)
        values[i].oid = oids[i];
    return set_array(session, row, column, values, count);
}

bool row_set_int16s(CatalogSession *session, CatalogRow *row, int column, const int16_t *numbers,
                    uint32_t count)
{
    Value *values = ARENA_ARRAY(session->arena, Value, count + 1);

    for (uint32_t i = 0; i < count; i++)
        values[i].int16 = numbers[i];
    return set_array(session, row, column, values, count);
}

bool row_oids(const CatalogRow *row, int column, Arena *arena, Oid **ret_oids, uint32_t *ret_count)
{
    ArrayView view = {0};

    if (!row->nulls[column])
        TRY(array_open(&row->values[column], &view));
    Oid *oids = ARENA_ARRAY(arena, Oid, view.count + 1);
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        array_element(&view, i, &value, &is_null);
        oids[i] = value.oid;
    }
    *ret_oids = oids;
    *ret_count = (uint32_t)view.count;
    return true;
}

bool row_int16s(const CatalogRow *row, int column, Arena *arena, int16_t **ret_numbers,
                uint32_t *ret_count)
{
    ArrayView view = {0};

    if (!row->nulls[column])
        TRY(array_open(&row->values[column], &view));
    int16_t *numbers = ARENA_ARRAY(arena, int16_t, view.count + 1);
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        array_element(&view, i, &value, &is_null);
        numbers[i] = value.int16;
    }
    *ret_numbers = numbers;
    *ret_count = (uint32_t)view.count;
    return true;
}
