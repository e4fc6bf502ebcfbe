/* CREATE SCHEMA. */
#include "executor/command/ddl_internal.h"

/* Elements without a schema of their own go into the new one. */
static bool run_element(CommandContext *context, const Node *element, Str schema)
{
    CatalogSession *session = ddl_catalog(context);
    const Oid namespace = namespace_get(session, schema, 0);
    Str tag;

    TRY(namespace);
    const SearchPath *path = catalog_search_path(session);
    TRY(path);
    Oid *namespaces = ARENA_ARRAY(context->arena, Oid, path->count + 1);
    namespaces[0] = namespace;
    memcpy(namespaces + 1, path->namespaces, path->count * sizeof(Oid));
    const SearchPath inside = {
        .namespaces = namespaces, .count = path->count + 1, .creation = namespace};
    const SearchPath *old = catalog_override_search_path(session, &inside);
    const bool ok = ddl_execute(context, element, &tag);
    (void)catalog_override_search_path(session, old);
    return ok;
}

bool ddl_create_schema(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const CreateSchemaStmt *statement = NODE_CAST(CreateSchemaStmt, node);
    Oid owner = session->current_user, oid;

    *ret_tag = STR("CREATE SCHEMA");
    if (statement->authrole)
        TRY(ddl_role(context, statement->authrole, &owner));
    const Str name =
        statement->schema_name.length ? statement->schema_name : role_name(session, owner);
    TRY(privilege_check(session, ON_DATABASE, session->database_oid, ACL_CREATE));
    TRY(ddl_check_member(context, owner));
    if (str_starts_with(name, STR("pg_")) && !catalog_is_bootstrapping(session->catalog))
        FAIL(ERR_RESERVED_NAME, .message = fmt("unacceptable schema name \"%.*s\"", STR_ARGS(name)),
             .detail = STR("The prefix \"pg_\" is reserved for system schemas."));
    if (namespace_oid(session, name)) {
        if (!statement->if_not_exists)
            FAIL(ERR_DUPLICATE_SCHEMA,
                 .message = fmt("schema \"%.*s\" already exists", STR_ARGS(name)));
        DDL_NOTICE(ERR_DUPLICATE_SCHEMA,
                   fmt("schema \"%.*s\" already exists, skipping", STR_ARGS(name)));
        return true;
    }
    TRY(!error_is_set());
    TRY(define_namespace(session, name, owner, &oid));
    for (size_t i = 0; i < statement->schema_elts.length; i++)
        TRY(run_element(context, statement->schema_elts.items[i], name));
    return true;
}
