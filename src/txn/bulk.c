/*
 * Bulk building: finished pages of a tree that this transaction makes.
 *
 * What is built is logged as it comes, in fragments that count only if the transaction commits.
 * Where the tree is not this transaction's own and empty, rows go through the write set instead.
 */
#include <stdlib.h>

#include "base/memory.h"

#include "storage/tree_builder.h"
#include "txn/record.h"
#include "txn/txn_internal.h"

#define BULK_FILL 90
#define BULK_FRAGMENT (256u << 10)

struct TxnBulk {
    Txn *txn;
    TxnTree *tree;
    TreeBuilder *builder; /* NULL: through the write set, or ended */
    bool is_open;
    bool is_direct;
    uint64_t next_row_id;
    StrBuf ops;
    TreeName ops_tree;
};

static bool flush(TxnBulk *bulk)
{
    if (bulk->ops.length == 0)
        return true;
    TRY(commit_write_fragment(bulk->txn, strbuf_view(&bulk->ops)));
    strbuf_truncate(&bulk->ops, 0);
    bulk->ops_tree = 0;
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
        record_put_op(&bulk->ops, &bulk->ops_tree, &op);
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

bool txn_bulk_begin(Txn *txn, TxnTree *tree, TxnBulk **ret_bulk)
{
    TRY(txn_can_write(txn));
    TxnBulk *bulk = memory_calloc(1, sizeof(*bulk));
    if (!bulk)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    bulk->txn = txn;
    bulk->tree = tree;
    bulk->is_open = true;
    bulk->next_row_id = 1;
    bulk->is_direct = is_buildable(txn, tree);
    if (bulk->is_direct) {
        bulk->builder = tree_builder_new(tree->private_tree, BULK_FILL);
        if (!bulk->builder) {
            memory_free(bulk);
            return false;
        }
        log_tree(bulk);
        txn_tree_ref(tree);
        DdlOp op = {.kind = DDL_BULK, .tree = tree, .database = tree->database, .bulk = bulk};
        VEC_PUSH(txn->arena, &txn->ddl, op);
    }
    *ret_bulk = bulk;
    return true;
}

static bool log_op(TxnBulk *bulk, const Op *op)
{
    record_put_op(&bulk->ops, &bulk->ops_tree, op);
    return bulk->ops.length < BULK_FRAGMENT || flush(bulk);
}

bool txn_bulk_append_row(TxnBulk *bulk, Str image, int64_t *ret_row_id)
{
    assert(bulk->is_open && bulk->tree->kind == TREE_TABLE);
    CHECK_INTERRUPTS();
    if (!bulk->is_direct)
        return txn_insert(bulk->txn, bulk->tree, image, ret_row_id);
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

bool txn_bulk_append_entry(TxnBulk *bulk, Str key, int64_t row_id)
{
    char buffer[TREE_MAX_KEY];
    Str entry;

    TRY(index_entry(key, row_id, buffer, &entry));
    return txn_bulk_append_key(bulk, entry);
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
    return log_op(bulk, &(Op){.code = OP_PUT_ENTRY,
                              .database = bulk->tree->database,
                              .tree = bulk->tree->id,
                              .key = entry});
}

bool txn_bulk_end(TxnBulk *bulk)
{
    assert(bulk->is_open);
    if (bulk->is_direct) {
        TRY(flush(bulk));
        TRY(tree_builder_finish(bulk->builder));
        if (bulk->tree->kind == TREE_TABLE)
            atomic_store(&bulk->tree->next_row_id, bulk->next_row_id);
    }
    bulk->is_open = false;
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
    tree_builder_free(bulk->builder);
    strbuf_deinit(&bulk->ops);
    memory_free(bulk);
}

void txn_bulk_abandon(TxnBulk *bulk)
{
    if (bulk && !bulk->is_direct)
        memory_free(bulk);
    /* A direct one's pages go with the rollback that must follow. */
}
