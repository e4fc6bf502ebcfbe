/*
 * Trees and databases of transactions.
 *
 * A tree that is being made stands on temporary pages, as a private tree, from the first moment:
 * bulk building fills it, the write set lies over it, commit attaches it.
 */
#include "txn/ddl.h"

#include "txn/sequence.h"
#include "txn/txn_internal.h"

/* ------------------------------------------------------------------ handles */

static Database *database_of(TxnManager *manager, DatabaseId id)
{
    Database *database = store_database(manager->store, id);
    if (!database)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("database %u does not exist", id));
    return database;
}

bool txn_tree_open(Txn *txn, DatabaseId database, TreeId tree_id, TxnTree **ret_tree)
{
    TxnManager *manager = txn->manager;
    TxnTree *tree = manager_tree_find(manager, tree_name(database, tree_id));

    if (tree && (atomic_load(&tree->tree) || atomic_load(&tree->creator) == txn)) {
        *ret_tree = tree;
        return true;
    }
    txn_tree_close(tree);
    Database *home = database_of(manager, database);
    TRY(home);
    Tree *permanent;
    TRY(tree_find(home, tree_id, &permanent));
    if (!permanent)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("could not open tree %u of database %u: it does not exist", tree_id,
                            database));
    tree = manager_tree_make(manager, database, tree_id, tree_kind(permanent));
    atomic_store(&tree->tree, permanent);
    *ret_tree = tree;
    return true;
}

DatabaseId txn_tree_database(const TxnTree *tree)
{
    return tree->database;
}

TreeId txn_tree_id(const TxnTree *tree)
{
    return tree->id;
}

bool txn_tree_is_own(const Txn *txn, const TxnTree *tree)
{
    return atomic_load_explicit(&((TxnTree *)tree)->creator, memory_order_relaxed) == txn;
}

Tree *txn_tree_source(const Txn *txn, const TxnTree *tree, bool *ret_private)
{
    Tree *permanent = atomic_load_explicit(&((TxnTree *)tree)->tree, memory_order_acquire);

    *ret_private = false;
    if (likely(permanent != NULL))
        return permanent;
    if (!txn_tree_is_own(txn, tree))
        return NULL;
    *ret_private = true;
    return tree->private_tree;
}

const Layout *txn_layout_newest(const Txn *txn, const TxnTree *tree)
{
    bool is_private;

    if (atomic_load_explicit(&((TxnTree *)tree)->layout_txn, memory_order_relaxed) == txn)
        return tree->pending_layout;
    Tree *source = txn_tree_source(txn, tree, &is_private);
    return source ? tree_layout(source) : NULL;
}

const Layout *txn_layout_version(const Txn *txn, const TxnTree *tree, uint32_t version)
{
    bool is_private;

    if (atomic_load_explicit(&((TxnTree *)tree)->layout_txn, memory_order_relaxed) == txn) {
        for (size_t i = txn->ddl.length; i > 0; i--) {
            const DdlOp *ddl = &txn->ddl.items[i - 1];
            if (ddl->tree == tree && ddl->layout && ddl->layout->version == version)
                return ddl->layout;
        }
    }
    Tree *source = txn_tree_source(txn, tree, &is_private);
    return source ? tree_layout_version(source, version) : NULL;
}

const Layout *txn_tree_layout(Txn *txn, TxnTree *tree)
{
    return txn_layout_newest(txn, tree);
}

static bool stats_of(Txn *txn, TxnTree *tree, TreeStats *ret_stats)
{
    bool is_private;
    Tree *source = txn_tree_source(txn, tree, &is_private);

    *ret_stats = (TreeStats){0};
    if (source && !tree_stats(source, ret_stats)) {
        error_clear(); /* an estimate: planning goes on without it */
        return false;
    }
    return true;
}

uint64_t txn_tree_row_count(Txn *txn, TxnTree *tree)
{
    TreeStats stats;
    const TreeWrites *writes = writes_find(txn, tree);
    uint64_t own = writes ? writes->node_count : 0;
    return stats_of(txn, tree, &stats) ? stats.row_count + own : own;
}

uint64_t txn_tree_page_count(Txn *txn, TxnTree *tree)
{
    TreeStats stats;
    return stats_of(txn, tree, &stats) ? stats.page_count : 1;
}

/* ------------------------------------------------------------------ changes */

static const Layout *layout_keep(Txn *txn, const Layout *layout)
{
    return layout ? layout_new(txn->arena, layout->version, layout->columns, layout->column_count)
                  : NULL;
}

bool txn_tree_create(Txn *txn, DatabaseId database, TreeId tree_id, TreeKind kind,
                     const Layout *layout)
{
    TRY(txn_can_write(txn));
    assert((kind == TREE_TABLE) == (layout != NULL));
    Database *home = database_of(txn->manager, database);
    TRY(home);
    Tree *private_tree = tree_new_private(home, kind, layout);
    TRY(private_tree);
    TxnTree *tree = manager_tree_make(txn->manager, database, tree_id, kind);
    if (atomic_load(&tree->tree) || atomic_load(&tree->creator)) {
        txn_tree_close(tree);
        tree_discard(private_tree);
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("tree %u exists already", tree_id));
    }
    tree->private_tree = private_tree;
    tree->built_command = 0;
    tree->pending_layout = layout_keep(txn, layout);
    atomic_store(&tree->next_row_id, 1);
    atomic_store(&tree->base_lsn, 0);
    atomic_store(&tree->layout_txn, txn);
    atomic_store(&tree->creator, txn);
    DdlOp op = {.kind = DDL_CREATE_TREE,
                .tree = tree,
                .database = database,
                .layout = tree->pending_layout};
    VEC_PUSH(txn->arena, &txn->ddl, op);
    return true;
}

bool txn_tree_drop(Txn *txn, DatabaseId database, TreeId tree_id)
{
    TxnTree *tree;

    TRY(txn_can_write(txn));
    TRY(txn_tree_open(txn, database, tree_id, &tree));
    DdlOp op = {.kind = DDL_DROP_TREE, .tree = tree, .database = database};
    VEC_PUSH(txn->arena, &txn->ddl, op);
    return true;
}

bool txn_tree_set_layout(Txn *txn, TxnTree *tree, const Layout *layout)
{
    TRY(txn_can_write(txn));
    Txn *changer = atomic_load(&tree->layout_txn);
    if (changer && changer != txn)
        FAIL(ERR_OBJECT_IN_USE,
             .message = STR("the table is being altered by another transaction"));
    DdlOp op = {.kind = DDL_SET_LAYOUT,
                .tree = tree,
                .database = tree->database,
                .layout = layout_keep(txn, layout),
                .previous_layout = changer ? tree->pending_layout : NULL};
    txn_tree_ref(tree);
    VEC_PUSH(txn->arena, &txn->ddl, op);
    tree->pending_layout = op.layout;
    atomic_store(&tree->layout_txn, txn);
    return true;
}

/* ------------------------------------------------------------------ databases */

static void push_database(Txn *txn, DdlKind kind, DatabaseId database)
{
    DdlOp op = {.kind = kind, .database = database};
    VEC_PUSH(txn->arena, &txn->ddl, op);
}

bool txn_database_create(Txn *txn, DatabaseId database)
{
    TRY(txn_can_write(txn));
    TRY(database_create(txn->manager->store, database));
    push_database(txn, DDL_CREATE_DATABASE, database);
    return true;
}

bool txn_database_clone(Txn *txn, DatabaseId source, DatabaseId target)
{
    TRY(txn_can_write(txn));
    Database *from = database_of(txn->manager, source);
    TRY(from);
    TRY(sequences_settle(txn, source));
    TRY(database_clone(txn->manager->store, target, from));
    push_database(txn, DDL_CREATE_DATABASE, target);
    return true;
}

bool txn_database_drop(Txn *txn, DatabaseId database)
{
    TRY(txn_can_write(txn));
    TRY(database_of(txn->manager, database));
    push_database(txn, DDL_DROP_DATABASE, database);
    return true;
}

/* No handle of a database that goes may stay. */
static void forget_trees(TxnManager *manager, DatabaseId database)
{
    size_t position = 0;
    uint64_t name;
    void *value;

    mutex_lock(&manager->trees_mutex);
    while (hashmap_next(&manager->trees, &position, &name, &value)) {
        TxnTree *tree = value;
        if (tree->database == database)
            atomic_store(&tree->tree, NULL);
    }
    mutex_unlock(&manager->trees_mutex);
}

static void database_remove(TxnManager *manager, DatabaseId database)
{
    PurgeBar bar;

    forget_trees(manager, database);
    purge_bar(manager, &bar, tree_name(database, 0), tree_name(database, TREE_ID_PRIVATE));
    if (store_database(manager->store, database) && !database_drop(manager->store, database)) {
        /* Catalog knows it no more: the next start finds and drops it. */
        error_clear();
    }
    purge_unbar(manager, &bar);
}

/* ------------------------------------------------------------------ undoing and doing */

/* What was built goes; an empty tree takes its place. To undo may wait for pages, not fail. */
static void replace_built(TxnTree *tree)
{
    Task *task = task_current();
    Tree *built = tree->private_tree;
    const bool were_held = task->interrupts_held;

    task->interrupts_held = true;
    tree->private_tree = tree_new_private(tree_database(built), tree->kind, tree_layout(built));
    task->interrupts_held = were_held;
    if (!tree->private_tree)
        panic("no empty tree could be made: %.*s", STR_ARGS(error_fields()->message));
    tree_discard(built);
}

static void undo_op(Txn *txn, DdlOp *op)
{
    TxnTree *tree = op->tree;

    switch (op->kind) {
    case DDL_CREATE_TREE:
        if (tree->private_tree)
            tree_discard(tree->private_tree);
        tree->private_tree = NULL;
        tree->pending_layout = NULL;
        atomic_store(&tree->layout_txn, NULL);
        atomic_store(&tree->creator, NULL);
        return;
    case DDL_SET_LAYOUT:
        tree->pending_layout = op->previous_layout;
        if (!op->previous_layout)
            atomic_store(&tree->layout_txn, NULL);
        return;
    case DDL_BULK:
        bulk_free(op->bulk);
        if (!op->is_undone && tree->private_tree)
            replace_built(tree);
        return;
    case DDL_CREATE_DATABASE:
        database_remove(txn->manager, op->database);
        return;
    case DDL_DROP_TREE:
    case DDL_DROP_DATABASE:
        return;
    }
}

void ddl_undo(Txn *txn, size_t down_to)
{
    while (txn->ddl.length > down_to) {
        DdlOp *op = &VEC_LAST(&txn->ddl);
        undo_op(txn, op);
        txn_tree_close(op->tree);
        txn->ddl.length--;
    }
}

bool ddl_prepare_commit(Txn *txn)
{
    for (size_t i = 0; i < txn->ddl.length; i++)
        if (txn->ddl.items[i].kind == DDL_BULK && bulk_is_open(txn->ddl.items[i].bulk))
            FAIL(ERR_INTERNAL_ERROR, .message = STR("a bulk load has not been ended"));
    return true;
}

static void must(bool ok)
{
    if (unlikely(!ok))
        panic("a commit could not be applied: %.*s", STR_ARGS(error_fields()->message));
}

static void attach_tree(TxnTree *tree, Database *home)
{
    Tree *permanent;

    must(tree_attach(tree->private_tree, tree->id));
    tree->private_tree = NULL;
    must(tree_find(home, tree->id, &permanent));
    assert(permanent);
    atomic_store(&tree->tree, permanent);
}

void ddl_apply(Txn *txn)
{
    for (size_t i = 0; i < txn->ddl.length; i++) {
        DdlOp *op = &txn->ddl.items[i];
        if (op->kind != DDL_CREATE_TREE && op->kind != DDL_SET_LAYOUT && op->kind != DDL_BULK)
            continue;
        Database *home = store_database(txn->manager->store, op->database);
        if (op->kind == DDL_CREATE_TREE) {
            if (op->tree->kind == TREE_TABLE)
                atomic_store(&op->tree->base_lsn, txn->commit_lsn);
            attach_tree(op->tree, home);
        } else if (op->kind == DDL_BULK) {
            atomic_store(&op->tree->base_lsn, txn->commit_lsn);
        } else {
            must(tree_set_layout(home, op->tree->id, op->layout));
        }
    }
}

void ddl_after_commit(Txn *txn)
{
    for (size_t i = 0; i < txn->ddl.length; i++) {
        DdlOp *op = &txn->ddl.items[i];
        if (op->kind != DDL_DROP_TREE)
            continue;
        PurgeBar bar;
        atomic_store(&op->tree->tree, NULL);
        purge_bar(txn->manager, &bar, op->tree->name, op->tree->name);
        must(tree_drop(store_database(txn->manager->store, op->database), op->tree->id));
        purge_unbar(txn->manager, &bar);
    }
}

void ddl_end(Txn *txn, TxnEnd how)
{
    for (size_t i = 0; i < txn->ddl.length; i++) {
        DdlOp *op = &txn->ddl.items[i];
        assert(how == TXN_COMMITTED);
        if (op->kind == DDL_CREATE_TREE)
            atomic_store(&op->tree->creator, NULL);
        if (op->kind == DDL_CREATE_TREE || op->kind == DDL_SET_LAYOUT) {
            atomic_store(&op->tree->layout_txn, NULL);
            op->tree->pending_layout = NULL;
        }
        if (op->kind == DDL_BULK)
            bulk_free(op->bulk);
        if (op->kind == DDL_DROP_DATABASE)
            database_remove(txn->manager, op->database);
        txn_tree_close(op->tree);
    }
    txn->ddl.length = 0;
}
