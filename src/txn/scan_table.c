/*
 * Table scans: leaf by leaf, with three sources merged in row id order where a leaf needs it: what
 * the page has, older versions of rows changed since the snapshot, and the transaction's own
 * writes.
 *
 * Under the leaf's latch rows of the page are copied and the others only noted; versions that the
 * snapshot sees and own entries stay where they are, and are decoded once the latch is gone.
 */
#include "storage/leaf.h"
#include "storage/tree_cursor.h"
#include "txn/txn_internal.h"

typedef struct OddRow {
    uint64_t row_id;
    const Version *version; /* NULL: */
    Str own;                /* the image that this transaction wrote */
    uint32_t target;
} OddRow;

/* A row that this transaction has written. */
typedef struct OwnRow {
    uint64_t row_id;
    WriteSeen seen;
} OwnRow;

struct TableScan {
    Txn *txn;
    Snapshot snapshot;
    TxnTree *table;
    uint16_t *columns;
    uint32_t column_count;
    uint64_t low, high; /* row ids; high is inclusive */
    uint64_t position;  /* the next row id to look at */
    bool at_end;
    Batch batch;
    uint32_t room; /* rows that the batch's vectors hold: few at first, most tables are small */
    Arena *arena;  /* of the scan */
    Arena *values; /* variable data of the batch */

    /* While a batch is filled. */
    Lsn base_lsn;
    bool is_private;
    uint32_t filled;
    uint32_t page_columns;
    TreeReadahead readahead;
    bool leaf_finished; /* the leaf has nothing beyond `position` */
    TreeExternals externals;
    VEC(VersionRow) overrides;
    VEC(OwnRow) own;           /* own rows, ascending, from where they were looked for */
    uint64_t own_from, own_to; /* to here; from > to: not looked for yet */
    uint64_t own_end;          /* surely no own row from here on */
    VEC(OddRow) odd;
    uint16_t *positions; /* room for VECTOR_SIZE, made when rows are first merged one by one */
    uint32_t run_target, run_count; /* page rows gathered for the vectors from run_target on */
};

#define FIRST_ROWS 64u

/* Gives a vector, which holds nothing yet or nothing any more, room for `rows`. */
static void vector_set_room(Arena *arena, Vector *vector, uint32_t rows)
{
    vector->values = arena_alloc_zeroed(arena, phys_width(vector->type) * rows);
    vector->nulls = arena_alloc_zeroed(arena, rows);
}

TableScan *table_scan_open(Txn *txn, const Snapshot *snapshot, TxnTree *table,
                           const TableScanSpec *spec, Arena *arena)
{
    assert(table->kind == TREE_TABLE);
    const Layout *layout = txn_layout_newest(txn, table);
    if (!layout)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("tree %u does not exist", table->id));
    TableScan *scan = ARENA_NEW(arena, TableScan);
    scan->txn = txn;
    Snapshot room;
    scan->snapshot = *snapshot_resolve(txn, snapshot, &room);
    scan->own_end = UINT64_MAX;
    scan->table = table;
    scan->column_count = spec->column_count;
    scan->columns = arena_copy(arena, spec->columns, sizeof(uint16_t) * spec->column_count);
    scan->low = (uint64_t)spec->low;
    scan->high = spec->high > 0 ? (uint64_t)spec->high - 1 : TREE_MAX_ROW_ID;
    scan->position = scan->low;
    scan->readahead = (TreeReadahead){0};
    scan->arena = arena;
    scan->room = FIRST_ROWS;
    scan->values = arena_new("table scan");
    scan->batch.columns = ARENA_ARRAY(arena, Vector *, MAX(spec->column_count, 1u));
    scan->batch.column_count = spec->column_count;
    for (uint32_t i = 0; i < spec->column_count; i++) {
        PhysType type = PHYS_INT64;
        if (spec->columns[i] != SCAN_ROW_ID) {
            assert(spec->columns[i] < layout->column_count);
            type = layout->columns[spec->columns[i]].type;
        }
        /* A dropped column is all null; its vector only needs some type. */
        Vector *vector = scan->batch.columns[i] = ARENA_NEW(arena, Vector);
        vector->type = type == PHYS_NONE ? PHYS_INT32 : type;
        vector_set_room(arena, vector, FIRST_ROWS);
    }
    txn_tree_ref(table);
    return scan;
}

Batch *table_scan_batch(TableScan *scan)
{
    return &scan->batch;
}

void table_scan_rewind(TableScan *scan)
{
    scan->position = scan->low;
    scan->readahead = (TreeReadahead){0};
    scan->at_end = false;
}

void table_scan_close(TableScan *scan)
{
    if (!scan)
        return;
    txn_tree_close(scan->table);
    arena_free(scan->values);
    scan->values = NULL;
}

/* ------------------------------------------------------------------ rows of the page */

static void fill_missing(Vector *vector, const LayoutColumn *column, uint32_t first, uint32_t count)
{
    bool is_null = !column || !column->has_missing;
    for (uint32_t i = 0; i < count; i++)
        vector_set(vector, first + i, is_null ? &(Value){0} : &column->missing, is_null);
}

/* `count` page rows, by `positions` or from `first` on, into the vectors from `target` on. */
static bool copy_page_rows(TableScan *scan, const TableLeaf *leaf, const uint16_t *positions,
                           uint32_t first, uint32_t count, uint32_t target)
{
    const Layout *newest = NULL;

    for (uint32_t c = 0; c < scan->column_count; c++) {
        uint16_t column = scan->columns[c];
        Vector *vector = scan->batch.columns[c];
        if (column == SCAN_ROW_ID) {
            uint64_t *ids = VECTOR_VALUES(vector, uint64_t) + target;
            if (!positions)
                table_leaf_copy_ids(leaf, first, count, ids);
            for (uint32_t i = 0; positions && i < count; i++)
                ids[i] = table_leaf_row_id(leaf, positions[i]);
        } else if (likely(column < leaf->newest->column_count) &&
                   leaf->newest->columns[column].type != PHYS_NONE) {
            TRY(table_leaf_copy_column(leaf, column, positions, first, count, vector, target,
                                       &scan->externals));
        } else {
            if (!newest)
                newest = txn_layout_newest(scan->txn, scan->table);
            fill_missing(vector,
                         column < leaf->newest->column_count ? NULL : &newest->columns[column],
                         target, count);
        }
    }
    return true;
}

static bool run_flush(TableScan *scan, const TableLeaf *leaf)
{
    uint32_t count = scan->run_count;
    scan->run_count = 0;
    return count == 0 || copy_page_rows(scan, leaf, scan->positions, 0, count, scan->run_target);
}

/* ------------------------------------------------------------------ merging */

/*
 * Collects the rows of [first, last] that the snapshot sees otherwise than the page has them, until
 * there is enough for the batch. Returns up to which row id they are complete.
 */
static uint64_t collect_overrides(TableScan *scan, const TableLeaf *leaf, uint32_t from,
                                  uint32_t to, uint64_t first, uint64_t last)
{
    VersionStore *versions = scan->txn->manager->versions;
    TreeName tree = scan->table->name;
    VersionRow rows[VERSION_SEGMENT_ROWS];
    uint64_t segment = first >> VERSION_SEGMENT_BITS;
    uint32_t room = scan->room - scan->filled;
    bool has_dead = version_has_dead(versions);

    scan->overrides.length = 0;
    for (;;) {
        /* The next segment with a row on the page or one gone from it. */
        uint64_t next = UINT64_MAX, dead;
        while (from < to && table_leaf_row_id(leaf, from) >> VERSION_SEGMENT_BITS < segment)
            from++;
        if (from < to)
            next = table_leaf_row_id(leaf, from) >> VERSION_SEGMENT_BITS;
        if (has_dead && version_next_dead_segment(versions, tree, segment, &dead))
            next = MIN(next, dead);
        if (next > last >> VERSION_SEGMENT_BITS)
            return last;
        uint32_t count =
            version_find_segment(versions, tree, next, first, last, &scan->snapshot, rows);
        for (uint32_t i = 0; i < count; i++)
            VEC_PUSH(scan->values, &scan->overrides, rows[i]);
        segment = next + 1;
        if (scan->overrides.length >= room)
            return MIN(last, (segment << VERSION_SEGMENT_BITS) - 1);
    }
}

/* Emits one row of the page. */
static bool emit_page(TableScan *scan, const TableLeaf *leaf, uint32_t position)
{
    if (unlikely(!scan->positions))
        scan->positions = arena_alloc(scan->arena, sizeof(uint16_t) * VECTOR_SIZE);
    if (scan->run_count == 0)
        scan->run_target = scan->filled;
    assert(scan->run_target + scan->run_count == scan->filled);
    scan->positions[scan->run_count++] = (uint16_t)position;
    scan->filled++;
    (void)leaf;
    return true;
}

static bool emit_odd(TableScan *scan, const TableLeaf *leaf, OddRow row)
{
    if (leaf)
        TRY(run_flush(scan, leaf));
    row.target = scan->filled++;
    VEC_PUSH(scan->values, &scan->odd, row);
    return true;
}

#define OWN_ROWS 1024u
#define OWN_BYTES (1u << 20)

/*
 * Own rows from `first` on, before a leaf is latched: they may lie on temporary pages. Not all of
 * them at once; own_to says how far they are complete. What the running command writes is passed
 * over once, not with every batch: nothing more comes to be seen while a scan runs.
 */
static bool collect_own(TableScan *scan, uint64_t first)
{
    TreeWrites *writes = writes_find(scan->txn, scan->table);
    WriteCursor cursor;

    scan->own.length = 0;
    scan->own_from = first;
    scan->own_to = UINT64_MAX;
    if (!writes || first >= scan->own_end)
        return true;
    const size_t before = arena_size(scan->values);
    write_cursor_init(&cursor, scan->txn, writes, scan->snapshot.command, scan->values);
    cursor.last_row_id = scan->high;
    bool done = write_cursor_seek(&cursor, first, STR_NONE);
    while (done && cursor.valid) {
        OwnRow row = {.row_id = cursor.row_id, .seen = cursor.seen};
        VEC_PUSH(scan->values, &scan->own, row);
        if (scan->own.length >= OWN_ROWS || arena_size(scan->values) - before > OWN_BYTES) {
            scan->own_to = cursor.row_id;
            break;
        }
        done = write_cursor_next(&cursor);
    }
    if (done && !cursor.valid && scan->snapshot.command <= scan->txn->command)
        scan->own_end = scan->own.length > 0 ? VEC_LAST(&scan->own).row_id + 1 : first;
    write_cursor_deinit(&cursor);
    return done;
}

/* The place of the first own row >= `first`. */
static size_t own_first(const TableScan *scan, uint64_t first)
{
    size_t from = 0, to = scan->own.length;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (scan->own.items[middle].row_id < first)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Rows [first, last] of all sources in order, while the batch has room. leaf NULL: own rows only.
 */
static bool merge_rows(TableScan *scan, const TableLeaf *leaf, uint32_t from, uint32_t to,
                       uint64_t first, uint64_t last)
{
    size_t own = own_first(scan, first);
    size_t override = 0;
    FreshList *fresh = version_fresh(scan->txn->manager->versions);
    const bool has_fresh =
        leaf && !scan->is_private && fresh_list_may_have(fresh, scan->table->name);
    bool base_is_hidden = !scan->is_private && scan->base_lsn > scan->snapshot.lsn;

    while (scan->filled < scan->room) {
        uint64_t page_id = from < to ? table_leaf_row_id(leaf, from) : UINT64_MAX;
        uint64_t own_id = own < scan->own.length ? scan->own.items[own].row_id : UINT64_MAX;
        uint64_t odd_id =
            override < scan->overrides.length ? scan->overrides.items[override].row_id : UINT64_MAX;
        uint64_t id = MIN(MIN(page_id, own_id), odd_id);
        if (id > last)
            break;
        const WriteSeen *seen = id == own_id ? &scan->own.items[own].seen : NULL;
        const VersionRow *row = id == odd_id ? &scan->overrides.items[override] : NULL;
        const bool is_hidden = !seen && unlikely(has_fresh) &&
                               fresh_list_find(fresh, scan->table->name, id, &scan->snapshot) != 0;
        if (is_hidden) {
            /* Added in bulk since, whatever became of it. */
        } else if (seen) {
            if (seen->op == WRITE_PUT)
                TRY(emit_odd(scan, leaf, (OddRow){.row_id = id, .own = seen->image}));
        } else if (row) {
            if (row->seen == SEEN_IMAGE)
                TRY(emit_odd(scan, leaf, (OddRow){.row_id = id, .version = row->image}));
        } else if (id == page_id && !base_is_hidden) {
            TRY(emit_page(scan, leaf, from));
        }
        from += id == page_id;
        override += id == odd_id;
        own += id == own_id;
        scan->position = id + 1;
    }
    if (scan->filled < scan->room)
        scan->position = last + 1;
    return leaf ? run_flush(scan, leaf) : true;
}

static bool visit_leaf(void *context, const TableLeaf *leaf)
{
    TableScan *scan = context;
    uint64_t first = scan->position;
    uint64_t last = MIN(MIN(leaf->last_id, scan->high), scan->own_to);
    uint32_t from = table_leaf_lower_bound(leaf, first);
    uint32_t to =
        last >= TREE_MAX_ROW_ID ? leaf->row_count : table_leaf_lower_bound(leaf, last + 1);
    bool is_new =
        !scan->is_private && (Lsn)(uintptr_t)*leaf->versions > snapshot_floor(&scan->snapshot);
    const size_t own = own_first(scan, first);

    if (likely(!is_new && (scan->is_private || scan->base_lsn <= scan->snapshot.lsn) &&
               (own == scan->own.length || scan->own.items[own].row_id > last))) {
        uint32_t count = MIN(to - from, scan->room - scan->filled);
        if (count > 0)
            TRY(copy_page_rows(scan, leaf, NULL, from, count, scan->filled));
        scan->filled += count;
        scan->position = from + count == to ? last + 1 : table_leaf_row_id(leaf, from + count);
        scan->leaf_finished = scan->position > MIN(leaf->last_id, scan->high);
        return true;
    }
    scan->overrides.length = 0;
    uint64_t complete = is_new ? collect_overrides(scan, leaf, from, to, first, last) : last;
    TRY(merge_rows(scan, leaf, from, to, first, complete));
    scan->leaf_finished = scan->position > MIN(leaf->last_id, scan->high);
    return true;
}

/* ------------------------------------------------------------------ batches */

static bool decode_odd(TableScan *scan, const OddRow *row)
{
    const Str image = row->version ? str_make(row->version->image, row->version->length) : row->own;
    const Layout *layout = txn_layout_version(scan->txn, scan->table, row_image_version(image));
    const Layout *newest = txn_layout_newest(scan->txn, scan->table);
    if (!layout)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("row image of an unknown layout version %u of tree %u",
                            row_image_version(image), scan->table->id));
    for (uint32_t c = 0; c < scan->column_count; c++) {
        Value value = {.int64 = (int64_t)row->row_id};
        bool is_null = false;
        if (scan->columns[c] != SCAN_ROW_ID)
            TRY(row_image_column(layout, newest, image, scan->columns[c], &value, &is_null));
        vector_set(scan->batch.columns[c], row->target, &value, is_null);
    }
    return true;
}

/* One leaf's part of the batch; again when a large value went away before it was read. */
static bool read_leaf(TableScan *scan, Tree *tree, uint64_t *ret_next)
{
    const uint64_t position = scan->position;
    const uint32_t filled = scan->filled;
    const size_t odd = scan->odd.length;

    tree_readahead_rows(&scan->readahead, tree, position);
    for (;;) {
        scan->externals.count = 0;
        TRY(tree_visit_leaf(tree, position, visit_leaf, scan, ret_next));
        if (scan->externals.count == 0)
            return true;
        TreeFound found = tree_externals_load(tree, &scan->externals);
        TRY(found);
        if (found == TREE_FOUND)
            return true;
        scan->position = position;
        scan->filled = filled;
        scan->odd.length = odd;
        scan->run_count = 0;
    }
}

static bool fill_batch(TableScan *scan)
{
    Tree *tree = txn_tree_source(scan->txn, scan->table, &scan->is_private);
    uint64_t next;

    if (unlikely(scan->is_private) && scan->snapshot.command < scan->table->built_command)
        tree = NULL;
    while (scan->filled < scan->room && !scan->at_end) {
        CHECK_INTERRUPTS();
        if (scan->position > scan->high) {
            scan->at_end = true;
            break;
        }
        if (scan->position < scan->own_from || scan->position > scan->own_to)
            TRY(collect_own(scan, scan->position));
        if (!tree) {
            TRY(merge_rows(scan, NULL, 0, 0, scan->position, MIN(scan->high, scan->own_to)));
            continue;
        }
        scan->leaf_finished = false;
        TRY(read_leaf(scan, tree, &next));
        if (scan->leaf_finished && next == 0)
            scan->at_end = true;
        else if (scan->leaf_finished)
            scan->position = MAX(scan->position, next);
    }
    return true;
}

/* The batch before was full: the next one may be larger. */
static void scan_grow(TableScan *scan)
{
    scan->room = MIN(scan->room * 4, (uint32_t)VECTOR_SIZE);
    for (uint32_t c = 0; c < scan->column_count; c++)
        vector_set_room(scan->arena, scan->batch.columns[c], scan->room);
}

ScanOutcome table_scan_next(TableScan *scan)
{
    TRY(snapshot_check(scan->txn));
    if (unlikely(scan->filled == scan->room && scan->room < VECTOR_SIZE))
        scan_grow(scan);
    arena_reset(scan->values);
    memset(&scan->overrides, 0, sizeof(scan->overrides));
    memset(&scan->odd, 0, sizeof(scan->odd));
    memset(&scan->own, 0, sizeof(scan->own));
    scan->own_from = UINT64_MAX;
    scan->own_to = 0;
    scan->externals = (TreeExternals){.arena = scan->values};
    scan->filled = 0;
    scan->run_count = 0;
    scan->base_lsn = atomic_load_explicit(&scan->table->base_lsn, memory_order_relaxed);
    for (uint32_t c = 0; c < scan->column_count; c++)
        vector_clear_nulls(scan->batch.columns[c], scan->room);
    if (scan->at_end)
        return SCAN_END;
    TRY(fill_batch(scan));
    for (size_t i = 0; i < scan->odd.length; i++)
        TRY(decode_odd(scan, &scan->odd.items[i]));
    scan->batch.row_count = scan->filled;
    scan->batch.selection = (Selection){.count = scan->filled};
    return scan->filled > 0 ? SCAN_ROWS : SCAN_END;
}
