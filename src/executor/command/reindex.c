/* REINDEX: the indexes of a table are built anew from its rows. */
#include "executor/command/ddl_internal.h"

/* The table meant, or the one the index meant belongs to; locked against everybody. */
static bool open_target(CommandContext *context, const ReindexStmt *statement, Oid *ret_table)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *relation =
        ddl_open_relation(context, statement->relation, LOCK_NONE, false, false);
    TRY(relation);
    const bool wants_index = statement->kind == REINDEX_OBJECT_INDEX;

    if (wants_index && relation->kind != RELKIND_INDEX)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not an index", STR_ARGS(relation->name)));
    if (!wants_index && relation->kind != RELKIND_TABLE)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("\"%.*s\" is not a table or materialized view",
                                                   STR_ARGS(relation->name)));
    const Oid table = wants_index ? relation->indexes[0].table : relation->oid;
    TRY(ddl_lock(context, table, LOCK_ACCESS_EXCLUSIVE, relation->name));
    relation = relation_get(session, table);
    TRY(relation);
    TRY(ddl_check_owner(context, relation));
    TRY(ddl_check_not_in_use(context, relation, STR("REINDEX")));
    *ret_table = table;
    return true;
}

bool ddl_reindex(CommandContext *context, const Node *node, Str *ret_tag)
{
    const ReindexStmt *statement = NODE_CAST(ReindexStmt, node);
    Oid table;

    *ret_tag = STR("REINDEX");
    if (statement->kind != REINDEX_OBJECT_INDEX && statement->kind != REINDEX_OBJECT_TABLE)
        FAIL_UNSUPPORTED("REINDEX of a schema or database");
    for (size_t i = 0; i < statement->params.length; i++)
        if (str_equal(statement->params.items[i]->name, STR("concurrently")))
            FAIL_UNSUPPORTED("REINDEX CONCURRENTLY");
    TRY(open_target(context, statement, &table));
    const RelationDesc *relation = relation_get(ddl_catalog(context), table);
    TRY(relation);
    if (statement->kind == REINDEX_OBJECT_TABLE && relation->index_count == 0)
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("table \"%.*s\" has no indexes to reindex", STR_ARGS(relation->name)));
    return ddl_rebuild_indexes(context, table, true);
}
