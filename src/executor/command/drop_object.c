/* DROP TABLE, VIEW, INDEX, SEQUENCE, SCHEMA. */
#include "executor/command/ddl_internal.h"

typedef struct DropKind {
    ObjectType type;
    RelationKind kind;
    const char *word;    /* in messages */
    const char *article; /* "a table" */
    const char *tag;
} DropKind;

static const DropKind kinds[] = {
    {OBJECT_TABLE, RELKIND_TABLE, "table", "a table", "DROP TABLE"},
    {OBJECT_VIEW, RELKIND_VIEW, "view", "a view", "DROP VIEW"},
    {OBJECT_INDEX, RELKIND_INDEX, "index", "an index", "DROP INDEX"},
    {OBJECT_SEQUENCE, RELKIND_SEQUENCE, "sequence", "a sequence", "DROP SEQUENCE"},
    {OBJECT_MATVIEW, RELKIND_MATVIEW, "materialized view", "a materialized view",
     "DROP MATERIALIZED VIEW"},
    {OBJECT_FOREIGN_TABLE, RELKIND_FOREIGN, "foreign table", "a foreign table",
     "DROP FOREIGN TABLE"},
};

static const DropKind *kind_find(ObjectType type)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

static bool missing(const DropStmt *statement, const DropKind *kind, Str schema, Str name,
                    CatalogSession *session)
{
    const bool no_schema = !str_is_none(schema) && !namespace_oid(session, schema);

    TRY(!error_is_set());
    if (no_schema && !statement->missing_ok)
        FAIL(ERR_INVALID_SCHEMA_NAME,
             .message = fmt("schema \"%.*s\" does not exist", STR_ARGS(schema)));
    if (no_schema) {
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   fmt("schema \"%.*s\" does not exist, skipping", STR_ARGS(schema)));
        return true;
    }
    /* DROP says the bare name; IF EXISTS likewise. */
    if (!statement->missing_ok)
        FAIL(kind->type == OBJECT_INDEX || kind->type == OBJECT_FOREIGN_TABLE ? ERR_UNDEFINED_OBJECT
                                                                              : ERR_UNDEFINED_TABLE,
             .message = fmt("%s \"%.*s\" does not exist", kind->word, STR_ARGS(name)));
    DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
               fmt("%s \"%.*s\" does not exist, skipping", kind->word, STR_ARGS(name)));
    return true;
}

static bool fail_kind(const RelationDesc *relation, const DropKind *kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].kind == relation->kind)
            FAIL(ERR_WRONG_OBJECT_TYPE,
                 .message = fmt("\"%.*s\" is not %s", STR_ARGS(relation->name), kind->article),
                 .hint = fmt("Use %s to remove %s.", kinds[i].tag, kinds[i].article));
    FAIL(ERR_WRONG_OBJECT_TYPE,
         .message = fmt("\"%.*s\" is not %s", STR_ARGS(relation->name), kind->article));
}

/* Owners of the relation or of its schema may drop it. */
static bool may_drop(CommandContext *context, const RelationDesc *relation, const void *argument)
{
    CatalogSession *session = ddl_catalog(context);
    const DropKind *kind = argument;

    if (relation->kind != kind->kind &&
        !(kind->kind == RELKIND_TABLE && relation->kind == RELKIND_PARTITIONED))
        return fail_kind(relation, kind);
    TRY(ddl_check_not_system(context, relation));
    if (privilege_is_owner(session, ON_SCHEMA, relation->namespace_oid, session->current_user))
        return true;
    TRY(!error_is_set());
    return privilege_check_owner(session, ON_TABLE, relation->oid);
}

static bool drop_relations(CommandContext *context, const DropStmt *statement, const DropKind *kind)
{
    CatalogSession *session = ddl_catalog(context);
    ObjectVec targets = {0};

    if (statement->concurrent && !context->is_top_level)
        FAIL(ERR_ACTIVE_SQL_TRANSACTION,
             .message = STR("DROP INDEX CONCURRENTLY cannot run inside a transaction block"));
    for (size_t i = 0; i < statement->objects.length; i++) {
        const ObjectName *object = NODE_CAST(ObjectName, statement->objects.items[i]);
        RangeVar name = {.node = object->node};
        TRY(object->names.length != 3 || database_check_own(session, object->names.items, true, 0));
        TRY(ddl_split_name(context, &object->names, &name.schema, &name.relation));
        const RelationDesc *relation =
            ddl_open_checked(context, &name, LOCK_ACCESS_EXCLUSIVE, true, may_drop, kind);
        TRY(relation || !error_is_set());
        if (!relation) {
            TRY(missing(statement, kind, name.schema, name.relation, session));
            continue;
        }
        TRY(ddl_check_not_in_use(context, relation, str_from_c(kind->tag)));
        if (relation->kind == RELKIND_INDEX && relation->index_count)
            TRY(ddl_lock(context, relation->indexes[0].table, LOCK_ACCESS_EXCLUSIVE,
                         name.relation));
        VEC_PUSH(context->arena, &targets, address_of_relation(relation->oid));
    }
    if (targets.length == 0)
        return true;
    return drop_objects(session, targets.items, targets.length,
                        (DropOptions){.cascade = statement->behavior == DROP_CASCADE});
}

static bool drop_schemas(CommandContext *context, const DropStmt *statement)
{
    CatalogSession *session = ddl_catalog(context);
    ObjectVec targets = {0};

    for (size_t i = 0; i < statement->objects.length; i++) {
        const ObjectName *object = NODE_CAST(ObjectName, statement->objects.items[i]);
        const Str name = object->names.items[object->names.length - 1];
        Oid oid = namespace_oid(session, name);
        TRY(!error_is_set());
        if (oid || !statement->missing_ok)
            TRY(ddl_lock_schema(context, name, 0, LOCK_ACCESS_EXCLUSIVE, &oid));
        if (!oid) {
            DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                       fmt("schema \"%.*s\" does not exist, skipping", STR_ARGS(name)));
            continue;
        }
        TRY(privilege_check_owner(session, ON_SCHEMA, oid));
        if (oid < OID_FIRST_UNPINNED && oid != NAMESPACE_PUBLIC)
            FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
                 .message = fmt("cannot drop schema %.*s because it is required by the database "
                                "system",
                                STR_ARGS(name)));
        VEC_PUSH(context->arena, &targets, ((ObjectAddress){RELATION_PG_NAMESPACE, oid, 0}));
    }
    if (targets.length == 0)
        return true;
    return drop_objects(session, targets.items, targets.length,
                        (DropOptions){.cascade = statement->behavior == DROP_CASCADE});
}

bool ddl_drop(CommandContext *context, const Node *node, Str *ret_tag)
{
    const DropStmt *statement = NODE_CAST(DropStmt, node);
    const DropKind *kind = kind_find(statement->remove_type);

    if (statement->remove_type == OBJECT_SCHEMA) {
        *ret_tag = STR("DROP SCHEMA");
        return drop_schemas(context, statement);
    }
    if (!kind)
        return ddl_drop_absent(context, statement, ret_tag);
    *ret_tag = str_from_c(kind->tag);
    return drop_relations(context, statement, kind);
}
