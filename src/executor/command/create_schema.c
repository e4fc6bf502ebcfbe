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

/* What an element makes is named here; NULL: GRANT and its like may be about anything. */
static const RangeVar *element_name(const Node *element)
{
    switch (element->tag) {
    case NODE_CREATE_STMT:
        return NODE_CAST(CreateStmt, element)->relation;
    case NODE_CREATE_SEQ_STMT:
        return NODE_CAST(CreateSeqStmt, element)->sequence;
    case NODE_VIEW_STMT:
        return NODE_CAST(ViewStmt, element)->view;
    case NODE_INDEX_STMT:
        return NODE_CAST(IndexStmt, element)->relation;
    default:
        return NULL;
    }
}

/* Sequences are made first, then tables, views, indexes, and what speaks of them. */
static int element_turn(const Node *element)
{
    switch (element->tag) {
    case NODE_CREATE_SEQ_STMT:
        return 0;
    case NODE_CREATE_STMT:
        return 1;
    case NODE_VIEW_STMT:
        return 2;
    case NODE_INDEX_STMT:
        return 3;
    default:
        return 4;
    }
}

static bool run_elements(CommandContext *context, const CreateSchemaStmt *statement, Str schema)
{
    const size_t count = statement->schema_elts.length;

    for (size_t i = 0; i < count; i++) {
        const RangeVar *name = element_name(statement->schema_elts.items[i]);
        if (name && name->schema.length > 0 && !str_equal(name->schema, schema))
            FAIL(ERR_INVALID_SCHEMA_DEFINITION,
                 .message = fmt("CREATE specifies a schema (%.*s) different from the one being "
                                "created (%.*s)",
                                STR_ARGS(name->schema), STR_ARGS(schema)));
    }
    for (int turn = 0; turn <= 4; turn++)
        for (size_t i = 0; i < count; i++)
            if (element_turn(statement->schema_elts.items[i]) == turn)
                TRY(run_element(context, statement->schema_elts.items[i], schema));
    return true;
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
    return run_elements(context, statement, name);
}
