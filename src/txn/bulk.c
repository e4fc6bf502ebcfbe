/*
 * Bulk building: finished pages of a tree that this transaction makes.
 *
 * What is built is logged as it comes, in fragments that count only if the transaction commits.
 *
 * Into a table that others know, the first rows go through the write set, unless the caller expects
 * many. Once they are many, further ones are finished leaves of its built part (write_built.h),
 * which the commit grafts, and are logged as they come, too. A rollback to a savepoint could not
 * take back what is logged: with savepoints all rows go through the write set, as entries of
 * others' indexes always do.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "storage/tree_builder.h"
#include "txn/fresh.h"
#include "txn/record.h"
#include "txn/txn_internal.h"
#include "txn/write_built.h"

#define BULK_FILL 90
#define FEW_ROW_BYTES 128u
#define FEW_ROWS 1024u /* of a table that others know: not worth leaves of their own */
#define BULK_FRAGMENT (256u << 10)

struct TxnBulk {
    Txn *txn;
    TxnTree *tree;
    TreeBuilder *builder; /* NULL: through the write set, or ended */
    bool is_open;
    bool is_direct;
    bool stays;           /* in the write set, as may have to be taken back */
    TreeWrites *appends;  /* whose built part is being built; NULL: none is */
    uint64_t next_row_id; /* direct ones */
    uint64_t added;
    StrBuf ops;
    RecordList list; /* of ops */
};

static bool flush(TxnBulk *bulk)
{
    if (bulk->ops.length == 0)
        return true;
    TRY(commit_write_fragment(bulk->txn, strbuf_view(&bulk->ops)));
    strbuf_truncate(&bulk->ops, 0);
    bulk->list = (RecordList){0};
    return true;
}

/* Redo meets the fragments before the commit record: they bring their tree along. */
static void log_tree(TxnBulk *bulk)
{
    const Txn *txn = bulk->txn;

    for (size_t i = 0; i < txn->ddl.length; i++) {
        const DdlOp *ddl = &txn->ddl.items[i];
        if (ddl->tree != bulk->tree || ddl->kind == DDL_BULK || ddl->kind == DDL_DROP_TREE)
            continue;
        Op op = {.code = ddl->kind == DDL_CREATE_TREE ? OP_CREATE_TREE : OP_SET_LAYOUT,
                 .database = bulk->tree->database,
                 .tree = bulk->tree->id,
                 .kind = bulk->tree->kind};
        if (ddl->layout)
            op.value = layout_encode(txn->arena, ddl->layout);
        record_put_op(&bulk->ops, &bulk->list, &op);
    }
}

/* Bottom-up building needs an empty tree whose layout is the one rows come in. */
static bool is_buildable(const Txn *txn, const TxnTree *tree)
{
    const TreeWrites *writes = writes_find((Txn *)txn, tree);

    if (atomic_load(&((TxnTree *)tree)->creator) != txn || (writes && writes->node_count > 0))
        return false;
    for (size_t i = 0; i < txn->ddl.length; i++)
        if (txn->ddl.items[i].tree == tree && txn->ddl.items[i].kind != DDL_CREATE_TREE)
            return false;
    return true;
}

bool txn_bulk_begin_among(Txn *txn, TxnTree *tree, TxnBulk **ret_bulk)
{
    TRY(txn_can_write(txn));
    TxnBulk *bulk = memory_calloc(1, sizeof(*bulk));
    if (!bulk)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    bulk->txn = txn;
    bulk->tree = tree;
    bulk->is_open = true;
    bulk->next_row_id = 1;
    *ret_bulk = bulk;
    return true;
}

bool txn_bulk_begin(Txn *txn, TxnTree *tree, TxnBulk **ret_bulk)
{
    TxnBulk *bulk;

    TRY(txn_bulk_begin_among(txn, tree, &bulk));
    bulk->is_direct = is_buildable(txn, tree);
    if (bulk->is_direct) {
        bulk->builder = tree_builder_new(tree->private_tree, BULK_FILL, TREE_TO_ATTACH);
        if (!bulk->builder) {
            memory_free(bulk);
            return false;
        }
        tree->built_command = txn->command;
        log_tree(bulk);
        txn_tree_ref(tree);
        DdlOp op = {.kind = DDL_BULK, .tree = tree, .database = tree->database, .bulk = bulk};
        VEC_PUSH(txn->arena, &txn->ddl, op);
    }
    *ret_bulk = bulk;
    return true;
}

static bool flush_if_full(TxnBulk *bulk)
{
    return bulk->ops.length < BULK_FRAGMENT || flush(bulk);
}

static bool log_op(TxnBulk *bulk, const Op *op)
{
    record_put_op(&bulk->ops, &bulk->list, op);
    return flush_if_full(bulk);
}

/* ------------------------------------------------------------------ into a table others know */

/* With so many rows added. */
static bool may_append(TxnBulk *bulk, uint64_t added)
{
    Txn *txn = bulk->txn;
    TxnTree *tree = bulk->tree;
    const uint64_t few = MIN(FEW_ROWS, txn->manager->config.write_set_memory / FEW_ROW_BYTES);

    return !bulk->stays && added > few && txn->savepoints.length == 0 && atomic_load(&tree->tree) &&
           atomic_load(&tree->creator) != txn && atomic_load(&tree->layout_txn) != txn;
}

void txn_bulk_stay(TxnBulk *bulk)
{
    bulk->stays = true;
}

void txn_bulk_expect_many(TxnBulk *bulk)
{
    if (bulk->added == 0)
        bulk->added = FEW_ROWS;
}

/* The first row of a run, whose place is before those of its index entries. */
static bool append_begin(TxnBulk *bulk, uint64_t row_id)
{
    TreeWrites *writes;

    TRY(built_append_begin(bulk->txn, bulk->tree, row_id, &writes));
    if (!writes)
        return true;
    bulk->builder = MOVE(writes->filling);
    bulk->appends = writes;
    writes->growing = bulk;
    return true;
}

static bool append_row(TxnBulk *bulk, uint64_t row_id, Str image)
{
    TreeWrites *writes = bulk->appends;

    TRY(tree_builder_add_row(bulk->builder, row_id, image));
    TRY(fresh_rows_add(writes->appended, row_id));
    VEC_LAST(&writes->runs).last = row_id;
    writes->logged_last = row_id;
    writes->fresh_count++;
    if (unlikely(image.length >= INLINE_LEAST))
        writes->appended_pages += overflow_pages_of(image.length);
    writes->appended_largest = MAX(writes->appended_largest, image.length);
    return log_op(bulk, &(Op){.code = OP_PUT_ROW,
                              .database = bulk->tree->database,
                              .tree = bulk->tree->id,
                              .row_id = row_id,
                              .value = image});
}

static bool add_row(TxnBulk *bulk, Str image, int64_t *ret_row_id)
{
    uint64_t row_id;

    bulk->added++;
    if (!bulk->appends && !may_append(bulk, bulk->added))
        return txn_insert(bulk->txn, bulk->tree, image, ret_row_id);
    TRY(txn_row_id_take(bulk->txn, bulk->tree, image, &row_id));
    *ret_row_id = (int64_t)row_id;
    if (!bulk->appends)
        TRY(append_begin(bulk, row_id));
    if (bulk->appends)
        return append_row(bulk, row_id, image);
    bulk->added = 0; /* it has a built part already: that is not asked again soon */
    return writes_add(bulk->txn, bulk->tree, row_id, STR_NONE, WRITE_PUT, image, true);
}

/* ------------------------------------------------------------------ rows in columns */

/* Where a stretch of rows is made into images. */
typedef struct BulkRows {
    size_t sizes[VECTOR_SIZE];
    byte *images[VECTOR_SIZE];
} BulkRows;

static bool are_small(const size_t *image_sizes, uint32_t count)
{
    size_t largest = 0;

    for (uint32_t i = 0; i < count; i++)
        largest = MAX(largest, image_sizes[i]);
    return largest <= TREE_SMALL_ROW;
}

/* So many of the rows as make a fragment. */
static uint32_t rows_of_fragment(const size_t *image_sizes, uint32_t count)
{
    size_t size = 0;
    uint32_t i = 0;

    while (i < count && size < BULK_FRAGMENT)
        size += image_sizes[i++];
    return i;
}

/* As append_row; a row has its image in the log only. */
static bool append_range(TxnBulk *bulk, BulkRows *scratch, const RowRange *range, uint64_t first_id)
{
    const uint64_t last_id = first_id + range->count - 1;
    const size_t *sizes = scratch->sizes + range->from;
    TreeWrites *writes = bulk->appends;

    TRY(tree_builder_add_rows(bulk->builder, first_id, range, sizes));
    if (writes) {
        TRY(fresh_rows_add_run(writes->appended, first_id, last_id));
        VEC_LAST(&writes->runs).last = last_id;
        writes->logged_last = last_id;
        writes->fresh_count += range->count;
        for (uint32_t i = 0; i < range->count; i++)
            writes->appended_largest = MAX(writes->appended_largest, sizes[i]);
    }
    record_put_rows(&bulk->ops, &bulk->list,
                    &(RowsOp){.tree = bulk->tree->name,
                              .first_id = first_id,
                              .count = range->count,
                              .image_sizes = sizes,
                              .images = scratch->images});
    row_images_encode(txn_layout_newest(bulk->txn, bulk->tree), range, scratch->images);
    return flush_if_full(bulk);
}

static bool append_rows(TxnBulk *bulk, BulkRows *scratch, RowRange range, int64_t *ret_row_ids)
{
    const uint32_t count = range.count;

    while (range.from < count) {
        uint64_t first_id = bulk->next_row_id;
        range.count = rows_of_fragment(scratch->sizes + range.from, count - range.from);
        if (bulk->is_direct)
            bulk->next_row_id += range.count;
        else
            TRY(range.count = txn_row_ids_take(bulk->txn, bulk->tree, range.count, &first_id));
        if (!bulk->builder)
            TRY(append_begin(bulk, first_id));
        TRY(append_range(bulk, scratch, &range, first_id));
        for (uint32_t i = 0; i < range.count; i++)
            ret_row_ids[range.from + i] = (int64_t)(first_id + i);
        range.from += range.count;
    }
    return true;
}

bool txn_bulk_append_rows(TxnBulk *bulk, Vector *const *columns, Selection rows,
                          int64_t *ret_row_ids, bool *ret_taken)
{
    Txn *txn = bulk->txn;
    const Layout *layout = txn_layout_newest(txn, bulk->tree);
    const RowRange range = {.columns = columns, .rows = rows, .count = rows.count};
    BulkRows scratch;

    assert(bulk->is_open && bulk->tree->kind == TREE_TABLE && rows.count <= VECTOR_SIZE);
    CHECK_INTERRUPTS();
    *ret_taken = false;
    if (rows.count == 0 || (!bulk->builder && !(may_append(bulk, bulk->added + rows.count) &&
                                                built_may_append(txn, bulk->tree))))
        return true;
    row_images_size(layout, &range, scratch.sizes);
    *ret_taken = are_small(scratch.sizes, rows.count);
    if (!*ret_taken)
        return true;
    bulk->added += rows.count;
    return append_rows(bulk, &scratch, range, ret_row_ids);
}

void bulk_detach(TxnBulk *bulk)
{
    if (!bulk)
        return;
    tree_builder_abandon(MOVE(bulk->builder));
    bulk->appends->growing = NULL;
    bulk->appends = NULL;
    bulk->is_open = false;
}

/* ------------------------------------------------------------------ rows and entries */

bool txn_bulk_append_row(TxnBulk *bulk, Str image, int64_t *ret_row_id)
{
    assert(bulk->is_open && bulk->tree->kind == TREE_TABLE);
    CHECK_INTERRUPTS();
    if (!bulk->is_direct)
        return add_row(bulk, image, ret_row_id);
    uint64_t row_id = bulk->next_row_id;
    TRY(tree_builder_add_row(bulk->builder, row_id, image));
    TRY(log_op(bulk, &(Op){.code = OP_PUT_ROW,
                           .database = bulk->tree->database,
                           .tree = bulk->tree->id,
                           .row_id = row_id,
                           .value = image}));
    bulk->next_row_id++;
    *ret_row_id = (int64_t)row_id;
    return true;
}

bool txn_bulk_append_key(TxnBulk *bulk, Str entry)
{
    assert(bulk->is_open && bulk->tree->kind == TREE_INDEX && entry.length >= sizeof(uint64_t));
    CHECK_INTERRUPTS();
    if (!bulk->is_direct) {
        uint64_t id;
        const Str key = str_slice(entry, 0, entry.length - sizeof(id));
        memcpy(&id, key.data + key.length, sizeof(id));
        return txn_index_insert(bulk->txn, bulk->tree, key, (int64_t)__builtin_bswap64(id));
    }
    TRY(tree_builder_add_key(bulk->builder, entry));
    record_put_entry(&bulk->ops, &bulk->list, bulk->tree->name, entry);
    return flush_if_full(bulk);
}

bool txn_bulk_end(TxnBulk *bulk)
{
    assert(bulk->is_open);
    if (bulk->builder && !(flush(bulk) && tree_builder_finish(bulk->builder))) {
        txn_bulk_abandon(bulk);
        return false;
    }
    if (bulk->is_direct && bulk->tree->kind == TREE_TABLE)
        atomic_store(&bulk->tree->next_row_id, bulk->next_row_id);
    bulk->is_open = false;
    if (bulk->appends)
        bulk->appends->growing = NULL;
    tree_builder_free(bulk->builder);
    bulk->builder = NULL;
    strbuf_deinit(&bulk->ops);
    if (!bulk->is_direct)
        memory_free(bulk); /* a direct one is remembered by the transaction */
    return true;
}

bool bulk_is_open(const TxnBulk *bulk)
{
    return bulk && bulk->is_open;
}

void bulk_free(TxnBulk *bulk)
{
    if (!bulk)
        return;
    if (bulk->appends) {
        bulk->txn->writes.is_damaged = true; /* the log lacks some of its rows */
        bulk_detach(bulk);
    }
    tree_builder_abandon(MOVE(bulk->builder));
    strbuf_deinit(&bulk->ops);
    memory_free(bulk);
}

void txn_bulk_abandon(TxnBulk *bulk)
{
    if (bulk && !bulk->is_direct)
        bulk_free(bulk);
    /* A direct one's pages go with the rollback that must follow. */
}
