/* Single rows and single keys. */
#include "storage/leaf.h"
#include "storage/tree_ahead.h"
#include "txn/txn_internal.h"

typedef struct FetchVisit {
    Txn *txn;
    TxnTree *table;
    uint64_t row_id;
    const Snapshot *snapshot;
    Lsn floor; /* of the snapshot */
    Lsn base_lsn;
    bool is_private;
    const uint16_t *columns;
    uint32_t column_count;
    uint32_t page_columns; /* how many columns the page's table knows */
    Value *values;
    bool *nulls;
    TreeExternals externals;
    VersionRow row;  /* what the snapshot sees */
    bool exists;     /* on the page */
    bool only_state; /* copy nothing */
    bool is_newest;  /* the transaction may be going to change the row */
    Lsn ts;
} FetchVisit;

/* Columns that an ALTER TABLE of this transaction added: the page doesn't know them. */
static void fill_pending(const FetchVisit *visit, const Layout *newest)
{
    for (uint32_t i = 0; i < visit->column_count; i++) {
        uint16_t column = visit->columns[i];
        if (column == SCAN_ROW_ID || column < visit->page_columns)
            continue;
        const LayoutColumn *added = &newest->columns[column];
        visit->nulls[i] = !added->has_missing;
        if (added->has_missing)
            visit->values[i] = added->missing;
    }
}

static bool copy_columns(FetchVisit *visit, const TableLeaf *leaf, uint32_t position)
{
    const uint16_t *columns = visit->columns;

    for (uint32_t i = 0; i < visit->column_count;) {
        uint32_t run = 0; /* of columns that lie on the page */
        while (i + run < visit->column_count && columns[i + run] < visit->page_columns)
            run++;
        if (run > 0) {
            TRY(table_leaf_copy_row(leaf, position, &columns[i], run, &visit->values[i],
                                    &visit->nulls[i], &visit->externals));
            i += run;
            continue;
        }
        if (columns[i] == SCAN_ROW_ID) {
            visit->values[i].int64 = (int64_t)visit->row_id;
            visit->nulls[i] = false;
        }
        i++;
    }
    return true;
}

static bool visit_row(void *context, const TableLeaf *leaf)
{
    FetchVisit *visit = context;
    uint32_t position;

    visit->exists = table_leaf_find(leaf, visit->row_id, &position);
    visit->row = (VersionRow){.row_id = visit->row_id};
    visit->ts = 0;
    if (unlikely((Lsn)(uintptr_t)*leaf->versions > visit->floor) && !visit->is_private)
        visit->row = version_find_row(visit->txn->manager->versions, visit->table->name,
                                      visit->row_id, visit->snapshot, &visit->ts);
    if (visit->ts == 0 && unlikely(visit->base_lsn > visit->snapshot->lsn))
        visit->row.seen = SEEN_NOTHING;
    if (visit->is_newest && visit->exists && table_leaf_has_externals(leaf, position))
        visit->txn->met_large_rows = true;
    if (visit->only_state || !visit->exists || visit->row.seen != SEEN_PAGE)
        return true;
    visit->page_columns = leaf->newest->column_count;
    return copy_columns(visit, leaf, position);
}

/* Columns of an image, into values that live in the arena. */
static bool decode_image(Txn *txn, const TxnTree *table, uint64_t row_id, Str image,
                         const uint16_t *columns, uint32_t count, Value *values, bool *nulls)
{
    const Layout *layout = txn_layout_version(txn, table, row_image_version(image));
    const Layout *newest = txn_layout_newest(txn, table);

    if (!layout)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("row image of an unknown layout version %u of tree %u",
                            row_image_version(image), table->id));
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i] == SCAN_ROW_ID) {
            values[i].int64 = (int64_t)row_id;
            nulls[i] = false;
            continue;
        }
        TRY(row_image_column(layout, newest, image, columns[i], &values[i], &nulls[i]));
    }
    return true;
}

static void visit_init(FetchVisit *visit, Txn *txn, const Snapshot *snapshot, TxnTree *table,
                       uint64_t row_id, Arena *arena)
{
    *visit = (FetchVisit){
        .txn = txn,
        .table = table,
        .row_id = row_id,
        .snapshot = snapshot,
        .floor = snapshot_floor(snapshot),
        .base_lsn = atomic_load_explicit(&table->base_lsn, memory_order_relaxed),
        .externals = {.arena = arena},
    };
}

static FetchOutcome fetch_committed(FetchVisit *visit)
{
    Tree *tree = txn_tree_source(visit->txn, visit->table, &visit->is_private);
    uint64_t next;

    if (!tree)
        return FETCH_NONE;
    for (;;) {
        visit->externals.count = 0;
        TRY(tree_visit_leaf(tree, visit->row_id, visit_row, visit, &next));
        if (visit->externals.count == 0)
            break;
        TreeFound found = tree_externals_load(tree, &visit->externals);
        TRY(found);
        if (found == TREE_FOUND)
            break;
    }
    if (visit->row.seen == SEEN_PAGE)
        return visit->exists ? FETCH_ROW : FETCH_NONE;
    return visit->row.seen == SEEN_IMAGE ? FETCH_ROW : FETCH_NONE;
}

FetchOutcome txn_fetch(Txn *txn, const Snapshot *snapshot, TxnTree *table, int64_t row_id,
                       const uint16_t *columns, uint32_t column_count, Value *values, bool *nulls,
                       Arena *arena)
{
    FetchVisit visit;
    WriteSeen own;
    Snapshot room;
    Str image;

    TRY(snapshot_check(txn));
    snapshot = snapshot_resolve(txn, snapshot, &room);
    TRY(writes_look(txn, table, (uint64_t)row_id, STR_NONE, snapshot->command, arena, &own));
    if (own.found) {
        if (own.op == WRITE_DELETE)
            return FETCH_NONE;
        return decode_image(txn, table, (uint64_t)row_id, own.image, columns, column_count, values,
                            nulls)
                   ? FETCH_ROW
                   : FETCH_FAILED;
    }
    visit_init(&visit, txn, snapshot, table, (uint64_t)row_id, arena);
    visit.columns = columns;
    visit.column_count = column_count;
    visit.values = values;
    visit.nulls = nulls;
    FetchOutcome outcome = fetch_committed(&visit);
    if (outcome != FETCH_ROW)
        return outcome;
    if (visit.row.seen == SEEN_IMAGE) {
        image = str_copy(arena, str_make(visit.row.image->image, visit.row.image->length));
        return decode_image(txn, table, (uint64_t)row_id, image, columns, column_count, values,
                            nulls)
                   ? FETCH_ROW
                   : FETCH_FAILED;
    }
    const Layout *newest = txn_layout_newest(txn, table);
    if (unlikely(newest->column_count > visit.page_columns))
        fill_pending(&visit, newest);
    return FETCH_ROW;
}

bool fetch_newest(Txn *txn, TxnTree *table, uint64_t row_id, const Snapshot *snapshot,
                  const RowRead *read, NewestRow *ret_newest)
{
    FetchVisit visit;

    visit_init(&visit, txn, snapshot, table, row_id, read ? read->arena : NULL);
    visit.only_state = !read;
    visit.is_newest = true;
    if (read) {
        visit.columns = read->columns;
        visit.column_count = read->column_count;
        visit.values = read->values;
        visit.nulls = read->nulls;
    }
    const FetchOutcome outcome = fetch_committed(&visit);
    TRY(outcome);
    /* The table was filled after the snapshot: so was the row. */
    ret_newest->ts = visit.ts == 0 && visit.base_lsn > snapshot->lsn ? visit.base_lsn : visit.ts;
    ret_newest->exists = visit.exists;
    ret_newest->is_read = read && outcome == FETCH_ROW && visit.row.seen == SEEN_PAGE;
    if (ret_newest->is_read) {
        const Layout *newest = txn_layout_newest(txn, table);
        if (unlikely(newest->column_count > visit.page_columns))
            fill_pending(&visit, newest);
    }
    return true;
}

bool txn_row_is_newest(Txn *txn, const Snapshot *snapshot, TxnTree *table, int64_t row_id,
                       bool *ret_is_newest)
{
    NewestRow newest = {.exists = true};
    WriteSeen own;

    TRY(writes_look(txn, table, (uint64_t)row_id, STR_NONE, UINT32_MAX, NULL, &own));
    if (!own.found)
        TRY(fetch_newest(txn, table, (uint64_t)row_id, snapshot, NULL, &newest));
    *ret_is_newest = newest.exists && snapshot_sees(snapshot, newest.ts);
    return true;
}

/* Rows by id into a batch: those that lie in one leaf are copied at one visit. */
typedef struct FetchMany {
    FetchVisit visit; /* of one row after the other; values and nulls are its own */
    const int64_t *row_ids;
    uint32_t row_count, at;
    Batch *batch;
    uint16_t *from;
    uint32_t filled;
    bool is_hard; /* the row at `at` is not to be had from its leaf alone */
} FetchMany;

static void keep_row(FetchMany *many)
{
    const FetchVisit *visit = &many->visit;

    for (uint32_t c = 0; c < visit->column_count; c++)
        vector_set(many->batch->columns[c], many->filled, &visit->values[c], visit->nulls[c]);
    many->from[many->filled++] = (uint16_t)many->at;
}

static bool visit_rows(void *context, const TableLeaf *leaf)
{
    FetchMany *many = context;
    FetchVisit *visit = &many->visit;

    for (; many->at < many->row_count; many->at++) {
        visit->row_id = (uint64_t)many->row_ids[many->at];
        if (visit->row_id < leaf->first_id || visit->row_id > leaf->last_id)
            return true;
        TRY(visit_row(visit, leaf));
        many->is_hard = visit->row.seen == SEEN_IMAGE || visit->externals.count > 0;
        if (many->is_hard)
            return true;
        if (visit->exists && visit->row.seen == SEEN_PAGE)
            keep_row(many);
    }
    return true;
}

/* A row with an older version, values on overflow pages, or one that this transaction wrote. */
static bool fetch_hard(FetchMany *many, const Snapshot *snapshot, Arena *arena)
{
    FetchVisit *visit = &many->visit;
    const FetchOutcome outcome =
        txn_fetch(visit->txn, snapshot, visit->table, many->row_ids[many->at], visit->columns,
                  visit->column_count, visit->values, visit->nulls, arena);

    TRY(outcome);
    if (outcome == FETCH_ROW)
        keep_row(many);
    many->at++;
    return true;
}

/* The table's tree where its leaves alone say what the rows are; NULL: they are fetched singly. */
static Tree *plain_tree(Txn *txn, const Snapshot *snapshot, TxnTree *table)
{
    bool is_private;
    Tree *tree = txn_tree_source(txn, table, &is_private);

    if (!tree || is_private || writes_find(txn, table) ||
        atomic_load_explicit(&table->base_lsn, memory_order_relaxed) > snapshot->lsn ||
        txn_layout_newest(txn, table) != tree_layout(tree))
        return NULL;
    return tree;
}

bool txn_fetch_rows(Txn *txn, const Snapshot *snapshot, TxnTree *table, const int64_t *row_ids,
                    uint32_t row_count, const uint16_t *columns, uint32_t column_count,
                    Batch *batch, uint16_t *from, Arena *arena)
{
    FetchMany many = {.row_ids = row_ids, .row_count = row_count, .batch = batch, .from = from};
    Tree *tree = plain_tree(txn, snapshot, table);
    TreeAhead ahead;
    Snapshot room;

    assert(row_count <= VECTOR_SIZE);
    TRY(snapshot_check(txn));
    snapshot = snapshot_resolve(txn, snapshot, &room);
    visit_init(&many.visit, txn, snapshot, table, 0, arena);
    many.visit.columns = columns;
    many.visit.column_count = column_count;
    many.visit.values = ARENA_ARRAY(arena, Value, MAX(column_count, 1u));
    many.visit.nulls = ARENA_ARRAY(arena, bool, MAX(column_count, 1u));
    for (uint32_t c = 0; c < column_count; c++)
        vector_clear_nulls(batch->columns[c], row_count);
    if (tree)
        tree_ahead_init(&ahead, tree, row_ids, row_count);
    while (many.at < row_count) {
        many.is_hard = true;
        if (tree) {
            many.visit.externals.count = 0;
            TRY(tree_ahead_visit(&ahead, many.at, visit_rows, &many));
        }
        if (many.is_hard)
            TRY(fetch_hard(&many, snapshot, arena));
    }
    batch->row_count = many.filled;
    batch->selection = (Selection){.count = many.filled};
    return true;
}

FetchOutcome txn_get(Txn *txn, const Snapshot *snapshot, TxnTree *tree, Str key, Arena *arena,
                     Str *ret_value)
{
    WriteSeen own;
    bool is_private;

    TRY(writes_look(txn, tree, 0, key, snapshot->command, arena, &own));
    if (own.found) {
        if (own.op == WRITE_DELETE)
            return FETCH_NONE;
        *ret_value = str_copy(arena, own.image);
        return FETCH_ROW;
    }
    Tree *source = txn_tree_source(txn, tree, &is_private);
    if (!source)
        return FETCH_NONE;
    TreeFound found = tree_kv_get(source, key, arena, ret_value);
    TRY(found);
    return found == TREE_FOUND ? FETCH_ROW : FETCH_NONE;
}
