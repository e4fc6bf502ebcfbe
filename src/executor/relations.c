#include "executor/node.h"

#include "txn/index.h"

static void table_handle_close(TableHandle *handle)
{
    txn_tree_close(handle->tree);
    relation_unref(handle->desc);
}

TableHandle *exec_table(ExecState *exec, Oid relation)
{
    for (size_t i = 0; i < exec->tables.length; i++)
        if (exec->tables.items[i]->relation == relation)
            return exec->tables.items[i];
    CatalogSession *catalog = &exec->session->catalog;
    const RelationDesc *desc = relation_get(catalog, relation);
    TRY(desc);
    if (desc->tree == 0)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("cannot open relation \"%.*s\"", STR_ARGS(desc->name)));
    TxnTree *tree = NULL; /* a sequence's number is no tree */
    if (desc->kind != RELKIND_SEQUENCE)
        TRY(txn_tree_open(catalog->txn, desc->database, desc->tree, &tree));
    TableHandle *handle = ARENA_NEW(exec->arena, TableHandle);
    *handle = (TableHandle){.relation = relation, .desc = relation_ref(desc), .tree = tree};
    VEC_PUSH(exec->arena, &exec->tables, handle);
    return handle;
}

IndexHandle *exec_index(ExecState *exec, Oid table, Oid index)
{
    for (size_t i = 0; i < exec->indexes.length; i++)
        if (exec->indexes.items[i]->index == index)
            return exec->indexes.items[i];
    TableHandle *owner = exec_table(exec, table);
    TRY(owner);
    const IndexDesc *desc = relation_index(owner->desc, index);
    if (!desc)
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("index with OID %u does not exist", index));
    TxnTree *tree;
    TRY(txn_tree_open(exec->session->catalog.txn, owner->desc->database, desc->tree, &tree));
    IndexHandle *handle = ARENA_NEW(exec->arena, IndexHandle);
    txn_index_set_table(tree, owner->tree);
    *handle = (IndexHandle){.index = index, .table = owner->desc, .desc = desc, .tree = tree};
    VEC_PUSH(exec->arena, &exec->indexes, handle);
    return handle;
}

void exec_relations_close(ExecState *exec)
{
    for (size_t i = 0; i < exec->indexes.length; i++)
        txn_tree_close(exec->indexes.items[i]->tree);
    for (size_t i = 0; i < exec->tables.length; i++)
        table_handle_close(exec->tables.items[i]);
    exec->indexes.length = exec->tables.length = 0;
}
