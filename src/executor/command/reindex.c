/* REINDEX: the indexes of a table are built anew from its rows. */
#include "catalog/privilege.h"
#include "catalog/system_row.h"
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
    TRY(privilege_check_owner(session, ON_TABLE, relation->oid)); /* before anybody waits */
    if (relation->is_builtin)
        FAIL_UNSUPPORTED("REINDEX of system catalogs");
    const Oid table = wants_index ? relation->indexes[0].table : relation->oid;
    TRY(ddl_lock(context, table, LOCK_ACCESS_EXCLUSIVE, relation->name));
    relation = relation_get(session, table);
    TRY(relation);
    TRY(ddl_check_owner(context, relation));
    TRY(ddl_check_not_in_use(context, relation, STR("REINDEX")));
    *ret_table = table;
    return true;
}

static bool check_options(const ReindexStmt *statement, bool *ret_concurrently)
{
    *ret_concurrently = false;
    for (size_t i = 0; i < statement->params.length; i++) {
        const DefElem *option = statement->params.items[i];
        if (str_equal(option->name, STR("concurrently")))
            TRY(ddl_option_bool(option, ret_concurrently));
        else if (str_equal(option->name, STR("tablespace")))
            FAIL_UNSUPPORTED("REINDEX into another tablespace");
        else if (!str_equal(option->name, STR("verbose")))
            FAIL(ERR_SYNTAX_ERROR,
                 .message = fmt("unrecognized REINDEX option \"%.*s\"", STR_ARGS(option->name)),
                 .position = option->node.position);
    }
    return true;
}

/* Catalogs' indexes are what the server itself stands on; they are not built anew in its run. */
static bool is_skipped(const RelationDesc *relation, Oid schema)
{
    return relation->kind != RELKIND_TABLE || relation->is_builtin || relation->index_count == 0 ||
           (schema && relation->namespace_oid != schema);
}

/* All tables of a schema, or of the database: whoever may not is passed over. */
static bool reindex_many(CommandContext *context, Oid schema)
{
    CatalogSession *session = ddl_catalog(context);
    CatalogRowVec rows = {0};
    TRY(system_rows_all(session, CAT_PG_CLASS, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const Oid oid = row_oid(rows.items[i], PG_CLASS_OID);
        const RelationDesc *relation = relation_find(session, oid);
        if (!relation || is_skipped(relation, schema))
            continue;
        TRY(ddl_lock(context, oid, LOCK_ACCESS_EXCLUSIVE, relation->name));
        TRY(relation = relation_get(session, oid));
        TRY(ddl_check_not_in_use(context, relation, STR("REINDEX")));
        TRY(ddl_rebuild_indexes(context, oid, true));
    }
    return true;
}

/* The schema, or 0 for the whole database. */
static bool open_container(CommandContext *context, const ReindexStmt *statement, Oid *ret_schema)
{
    CatalogSession *session = ddl_catalog(context);
    const bool is_schema = statement->kind == REINDEX_OBJECT_SCHEMA;
    *ret_schema = OID_NONE;
    if (statement->kind == REINDEX_OBJECT_SYSTEM)
        FAIL_UNSUPPORTED("REINDEX of system catalogs");
    if (is_schema)
        TRY(*ret_schema = namespace_get(session, statement->name, 0));
    const DatabaseDesc *database = database_find(session, session->database_oid);
    if (!is_schema && !(database && str_equal(statement->name, database->name)))
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("can only reindex the currently open database"));
    return privilege_check_owner(session, is_schema ? ON_SCHEMA : ON_DATABASE,
                                 is_schema ? *ret_schema : session->database_oid);
}

static bool check_top_level(const CommandContext *context, const char *what)
{
    if (!context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = fmt("%s cannot run inside a transaction block", what));
    return true;
}

bool ddl_reindex(CommandContext *context, const Node *node, Str *ret_tag)
{
    const ReindexStmt *statement = NODE_CAST(ReindexStmt, node);
    const bool is_one =
        statement->kind == REINDEX_OBJECT_INDEX || statement->kind == REINDEX_OBJECT_TABLE;
    bool concurrently;
    Oid oid;

    *ret_tag = STR("REINDEX");
    TRY(check_options(statement, &concurrently));
    if (concurrently)
        TRY(check_top_level(context, "REINDEX CONCURRENTLY"));
    if (!is_one) {
        TRY(check_top_level(context, statement->kind == REINDEX_OBJECT_SCHEMA ? "REINDEX SCHEMA"
                                     : statement->kind == REINDEX_OBJECT_SYSTEM
                                         ? "REINDEX SYSTEM"
                                         : "REINDEX DATABASE"));
        TRY(open_container(context, statement, &oid));
        return reindex_many(context, oid);
    }
    TRY(open_target(context, statement, &oid));
    const RelationDesc *relation = relation_get(ddl_catalog(context), oid);
    TRY(relation);
    if (statement->kind == REINDEX_OBJECT_TABLE && relation->index_count == 0)
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("table \"%.*s\" has no indexes to reindex", STR_ARGS(relation->name)));
    return ddl_rebuild_indexes(context, oid, true);
}
