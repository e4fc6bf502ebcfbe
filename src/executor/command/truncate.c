/* TRUNCATE: the relation gets a new, empty tree, and so do its indexes. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "storage/row.h"
#include "txn/ddl.h"

static bool is_listed(const OidVec *tables, Oid oid)
{
    for (size_t i = 0; i < tables->length; i++)
        if (tables->items[i] == oid)
            return true;
    return false;
}

static bool may_truncate(CommandContext *context, const RelationDesc *table, const void *argument)
{
    (void)argument;
    if (table->kind != RELKIND_TABLE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not a table", STR_ARGS(table->name)));
    TRY(ddl_check_not_system(context, table));
    return privilege_check(ddl_catalog(context), ON_TABLE, table->oid, ACL_TRUNCATE);
}

/* CASCADE takes the referencing tables along; RESTRICT wants them listed. */
static bool follow_references(CommandContext *context, bool cascade, OidVec *tables)
{
    CatalogSession *session = ddl_catalog(context);

    for (size_t i = 0; i < tables->length; i++) {
        const RelationDesc *table = relation_get(session, tables->items[i]);
        TRY(table);
        for (int r = 0; r < table->referencing_count; r++) {
            const ConstraintDesc *key = &table->referencing[r];
            if (is_listed(tables, key->table))
                continue;
            const RelationDesc *other = relation_get(session, key->table);
            TRY(other);
            if (!cascade)
                FAIL(ERR_FEATURE_NOT_SUPPORTED,
                     .message = STR("cannot truncate a table referenced in a foreign key "
                                    "constraint"),
                     .detail = fmt("Table \"%.*s\" references \"%.*s\".", STR_ARGS(other->name),
                                   STR_ARGS(table->name)),
                     .hint = fmt("Truncate table \"%.*s\" at the same time, or use TRUNCATE ... "
                                 "CASCADE.",
                                 STR_ARGS(other->name)));
            NOTICE(SEVERITY_NOTICE, ERR_SUCCESSFUL_COMPLETION,
                   .message = fmt("truncate cascades to table \"%.*s\"", STR_ARGS(other->name)));
            TRY(ddl_lock(context, other->oid, LOCK_ACCESS_EXCLUSIVE, other->name));
            TRY(may_truncate(context, other, NULL));
            VEC_PUSH(context->arena, tables, other->oid);
        }
    }
    return true;
}

bool ddl_empty_table(CommandContext *context, Oid oid)
{
    CatalogSession *session = ddl_catalog(context);
    const RelationDesc *table = relation_get(session, oid);
    CatalogRow row;

    TRY(table);
    const Layout *layout = txn_tree_layout(session->txn, table->storage);
    const Oid tree = catalog_new_oid(session);
    TRY(tree);
    TRY(system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &(Value){.oid = oid}, 1, &row));
    TRY(txn_tree_create(session->txn, session->database_oid, tree, TREE_TABLE, layout));
    TRY(drop_storage(session, RELKIND_TABLE, session->database_oid, table->tree));
    row_set_oid(&row, PG_CLASS_RELFILENODE, tree);
    row_set_int32(&row, PG_CLASS_RELPAGES, 0);
    row_set_float4(&row, PG_CLASS_RELTUPLES, -1);
    TRY(system_row_update(session, &row));
    return ddl_rebuild_indexes(context, oid, false);
}

/* The sequences that belong to the table's columns. */
static bool restart_sequences(CommandContext *context, Oid table)
{
    OidVec owned = {0};

    TRY(depend_sequences(ddl_catalog(context), table, context->arena, &owned));
    for (size_t i = 0; i < owned.length; i++)
        TRY(ddl_sequence_restart(context, owned.items[i]));
    return true;
}

bool ddl_truncate(CommandContext *context, const Node *node, Str *ret_tag)
{
    const TruncateStmt *statement = NODE_CAST(TruncateStmt, node);
    OidVec tables = {0};

    *ret_tag = STR("TRUNCATE TABLE");
    for (size_t i = 0; i < statement->relations.length; i++) {
        const RelationDesc *table =
            ddl_open_checked(context, statement->relations.items[i], LOCK_ACCESS_EXCLUSIVE, false,
                             may_truncate, NULL);
        TRY(table);
        TRY(ddl_check_not_in_use(context, table, STR("TRUNCATE")));
        if (!is_listed(&tables, table->oid))
            VEC_PUSH(context->arena, &tables, table->oid);
    }
    TRY(follow_references(context, statement->behavior == DROP_CASCADE, &tables));
    for (size_t i = 0; i < tables.length; i++) {
        TRY(ddl_check_not_in_use(context, relation_get(ddl_catalog(context), tables.items[i]),
                                 STR("TRUNCATE")));
        TRY(ddl_empty_table(context, tables.items[i]));
        if (statement->restart_seqs)
            TRY(restart_sequences(context, tables.items[i]));
    }
    return true;
}
