/* ALTER … RENAME, ALTER … SET SCHEMA, ALTER … OWNER TO. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"

static const RelationDesc *open_target(CommandContext *context, const RangeVar *name,
                                       ObjectType type, bool missing_ok)
{
    const RelationDesc *relation =
        ddl_open_checked(context, name, LOCK_ACCESS_EXCLUSIVE, missing_ok, ddl_may_owner, NULL);

    if (!relation) {
        if (!error_is_set())
            DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                       fmt("relation \"%.*s\" does not exist, skipping", STR_ARGS(name->relation)));
        return NULL;
    }
    if (type == OBJECT_VIEW && relation->kind != RELKIND_VIEW)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not a view", STR_ARGS(relation->name)));
    if (type == OBJECT_SEQUENCE && relation->kind != RELKIND_SEQUENCE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not a sequence", STR_ARGS(relation->name)));
    if (type == OBJECT_INDEX && relation->kind != RELKIND_INDEX)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not an index", STR_ARGS(relation->name)));
    return relation;
}

/* ---- RENAME ---- */

static bool rename_relation(CommandContext *context, const RelationDesc *relation, Str name)
{
    CatalogSession *session = ddl_catalog(context);
    const ObjectAddress object = address_of_relation(relation->oid);
    StaleVec stale = {0};

    if (relation_oid_in(session, relation->namespace_oid, name))
        FAIL(ERR_DUPLICATE_TABLE,
             .message = fmt("relation \"%.*s\" already exists", STR_ARGS(name)));
    TRY(!error_is_set());
    TRY(ddl_rename_prepare(context, object, &stale));
    /* A constraint's index and the constraint share their name. */
    const Oid constraint = relation->kind == RELKIND_INDEX && relation->index_count
                               ? relation->indexes[0].constraint
                               : OID_NONE;
    TRY(define_rename(session, object, name));
    if (constraint)
        TRY(define_rename(session, (ObjectAddress){RELATION_PG_CONSTRAINT, constraint, 0}, name));
    return ddl_rename_finish(context, &stale);
}

/* Index attributes are named for their columns. */
static bool rename_index_columns(CommandContext *context, const RelationDesc *table, int16_t attnum,
                                 Str old, Str name)
{
    CatalogSession *session = ddl_catalog(context);

    for (int i = 0; i < table->index_count; i++)
        for (int c = 0; c < table->indexes[i].column_count; c++) {
            const Value keys[] = {{.oid = table->indexes[i].oid}, {.int16 = (int16_t)(c + 1)}};
            CatalogRow row;
            if (table->indexes[i].columns[c].attnum != attnum)
                continue;
            TRY(system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, &row));
            if (!str_equal(row_text(&row, PG_ATTRIBUTE_ATTNAME), old))
                continue;
            row_set_text(&row, PG_ATTRIBUTE_ATTNAME, name);
            TRY(system_row_update(session, &row));
        }
    return true;
}

static bool rename_column(CommandContext *context, const RelationDesc *relation, Str old, Str name)
{
    CatalogSession *session = ddl_catalog(context);
    const ColumnDesc *column = relation_column(relation, old);
    StaleVec stale = {0};

    if (!column) {
        if (system_column_find(old))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("cannot rename system column \"%.*s\"", STR_ARGS(old)));
        FAIL(ERR_UNDEFINED_COLUMN, .message = fmt("column \"%.*s\" does not exist", STR_ARGS(old)));
    }
    if (relation_column(relation, name))
        FAIL(ERR_DUPLICATE_COLUMN,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" already exists", STR_ARGS(name),
                            STR_ARGS(relation->name)));
    if (system_column_find(name))
        FAIL(ERR_DUPLICATE_COLUMN,
             .message =
                 fmt("column name \"%.*s\" conflicts with a system column name", STR_ARGS(name)));
    TRY(ddl_rename_prepare(context, address_of_relation(relation->oid), &stale));
    TRY(define_rename(session, (ObjectAddress){RELATION_PG_CLASS, relation->oid, column->attnum},
                      name));
    TRY(rename_index_columns(context, relation, column->attnum, old, name));
    return ddl_rename_finish(context, &stale);
}

static bool rename_constraint(CommandContext *context, const RelationDesc *relation, Str old,
                              Str name)
{
    CatalogSession *session = ddl_catalog(context);
    const ConstraintDesc *constraint = relation_constraint(relation, old);

    if (!constraint)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("constraint \"%.*s\" for table \"%.*s\" does not exist", STR_ARGS(old),
                            STR_ARGS(relation->name)));
    if (relation_constraint(relation, name))
        FAIL(ERR_DUPLICATE_OBJECT,
             .message = fmt("constraint \"%.*s\" for relation \"%.*s\" already exists",
                            STR_ARGS(name), STR_ARGS(relation->name)));
    if (constraint->kind == CONTYPE_PRIMARY || constraint->kind == CONTYPE_UNIQUE) {
        const RelationDesc *index = relation_get(session, constraint->index);
        TRY(index);
        return rename_relation(context, index, name);
    }
    return define_rename(session, (ObjectAddress){RELATION_PG_CONSTRAINT, constraint->oid, 0},
                         name);
}

static bool rename_schema(CommandContext *context, Str old, Str name)
{
    CatalogSession *session = ddl_catalog(context);
    StaleVec stale = {0};
    Oid oid;

    TRY(ddl_lock_schema(context, old, 0, LOCK_ACCESS_EXCLUSIVE, &oid));
    if (namespace_oid(session, name))
        FAIL(ERR_DUPLICATE_SCHEMA,
             .message = fmt("schema \"%.*s\" already exists", STR_ARGS(name)));
    TRY(!error_is_set());
    TRY(privilege_check_owner(session, ON_SCHEMA, oid));
    TRY(privilege_check(session, ON_DATABASE, session->database_oid, ACL_CREATE));
    if (str_starts_with(name, STR("pg_")))
        FAIL(ERR_RESERVED_NAME, .message = fmt("unacceptable schema name \"%.*s\"", STR_ARGS(name)),
             .detail = STR("The prefix \"pg_\" is reserved for system schemas."));
    const ObjectAddress object = {RELATION_PG_NAMESPACE, oid, 0};
    TRY(ddl_rename_prepare(context, object, &stale));
    TRY(define_rename(session, object, name));
    return ddl_rename_finish(context, &stale);
}

static bool rename_role(CommandContext *context, Str old, Str name)
{
    CatalogSession *session = ddl_catalog(context);
    const RoleDesc *role = role_get_name(session, old);

    TRY(role);
    if (role->oid == session->session_user)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("session user cannot be renamed"));
    if (role->oid == session->current_user)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("current user cannot be renamed"));
    if (str_starts_with(name, STR("pg_")))
        FAIL(ERR_RESERVED_NAME, .message = fmt("role name \"%.*s\" is reserved", STR_ARGS(name)),
             .detail = STR("Role names starting with \"pg_\" are reserved."));
    if (role_find_name(session, name))
        FAIL(ERR_DUPLICATE_OBJECT, .message = fmt("role \"%.*s\" already exists", STR_ARGS(name)));
    TRY(!error_is_set());
    const RoleDesc *self = role_find(session, session->current_user);
    if (role->superuser && !role_is_superuser(session, session->current_user))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("must be superuser to rename superusers"));
    if (!role_is_superuser(session, session->current_user) && !(self && self->create_role))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied to rename role"));
    return define_rename(session, (ObjectAddress){RELATION_PG_AUTHID, role->oid, 0}, name);
}

static bool rename_database(CommandContext *context, Str old, Str name)
{
    CatalogSession *session = ddl_catalog(context);
    const DatabaseDesc *database = database_get_name(session, old);

    TRY(database);
    TRY(privilege_check_owner(session, ON_DATABASE, database->oid));
    if (database_find_name(session, name))
        FAIL(ERR_DUPLICATE_DATABASE,
             .message = fmt("database \"%.*s\" already exists", STR_ARGS(name)));
    TRY(!error_is_set());
    if (database->oid == session->database_oid)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("current database cannot be renamed"));
    const CommandHooks *hooks = context->hooks;
    if (hooks && hooks->database_session_count &&
        hooks->database_session_count(hooks->context, database->oid) > 0)
        FAIL(ERR_OBJECT_IN_USE,
             .message = fmt("database \"%.*s\" is being accessed by other users", STR_ARGS(old)));
    return define_rename(session, (ObjectAddress){RELATION_PG_DATABASE, database->oid, 0}, name);
}

static Str lone_name(const RenameStmt *statement)
{
    if (statement->object && NODE_IS(statement->object, ObjectName)) {
        const StrVec *names = &NODE_CAST(ObjectName, statement->object)->names;
        return names->items[names->length - 1];
    }
    return statement->subname;
}

bool ddl_rename(CommandContext *context, const Node *node, Str *ret_tag)
{
    const RenameStmt *statement = NODE_CAST(RenameStmt, node);

    *ret_tag = ddl_alter_tag(context, statement->rename_type);
    switch (statement->rename_type) {
    case OBJECT_SCHEMA:
        return rename_schema(context, lone_name(statement), statement->newname);
    case OBJECT_ROLE:
        return rename_role(context, lone_name(statement), statement->newname);
    case OBJECT_DATABASE:
        return rename_database(context, lone_name(statement), statement->newname);
    case OBJECT_TABLE:
    case OBJECT_VIEW:
    case OBJECT_INDEX:
    case OBJECT_SEQUENCE:
    case OBJECT_MATVIEW:
    case OBJECT_COLUMN:
    case OBJECT_TABLE_CONSTRAINT:
        break;
    default:
        return ddl_refuse_object("ALTER", statement->rename_type);
    }
    const bool inner = statement->rename_type == OBJECT_COLUMN ||
                       statement->rename_type == OBJECT_TABLE_CONSTRAINT;
    /* ALTER INDEX … RENAME takes whatever it finds, as PostgreSQL's. */
    const ObjectType type = inner                                    ? statement->relation_type
                            : statement->rename_type == OBJECT_INDEX ? OBJECT_TABLE
                                                                     : statement->rename_type;
    if (inner)
        *ret_tag = ddl_alter_tag(context, type);
    const RelationDesc *relation =
        open_target(context, statement->relation, type, statement->missing_ok);
    if (!relation)
        return !error_is_set();
    TRY(ddl_check_owner(context, relation));
    if (statement->rename_type == OBJECT_COLUMN)
        return rename_column(context, relation, statement->subname, statement->newname);
    if (statement->rename_type == OBJECT_TABLE_CONSTRAINT)
        return rename_constraint(context, relation, statement->subname, statement->newname);
    TRY(privilege_check(ddl_catalog(context), ON_SCHEMA, relation->namespace_oid, ACL_CREATE));
    return rename_relation(context, relation, statement->newname);
}

/* ---- SET SCHEMA ---- */

static bool refuse_owned_sequence(CommandContext *context, const RelationDesc *sequence,
                                  const char *what)
{
    CatalogSession *session = ddl_catalog(context);
    DependencyVec owners = {0};

    TRY(depend_of(session, address_of_relation(sequence->oid), context->arena, &owners));
    for (size_t i = 0; i < owners.length; i++) {
        const Dependency *d = &owners.items[i];
        if (d->referenced.class_oid != RELATION_PG_CLASS || d->kind == DEPENDENCY_NORMAL)
            continue;
        const RelationDesc *table = relation_get(session, d->referenced.oid);
        TRY(table);
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = str_from_c(what),
             .detail = fmt("Sequence \"%.*s\" is linked to table \"%.*s\".",
                           STR_ARGS(sequence->name), STR_ARGS(table->name)));
    }
    return true;
}

/* Sequences that columns own follow their table. */
static bool move_owned(CommandContext *context, Oid table, Oid namespace)
{
    CatalogSession *session = ddl_catalog(context);
    OidVec owned = {0};

    TRY(depend_sequences(session, table, context->arena, &owned));
    for (size_t i = 0; i < owned.length; i++)
        TRY(define_move(session, address_of_relation(owned.items[i]), namespace));
    return true;
}

bool ddl_alter_schema_of(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const AlterObjectSchemaStmt *statement = NODE_CAST(AlterObjectSchemaStmt, node);
    StaleVec stale = {0};

    *ret_tag = ddl_alter_tag(context, statement->object_type);
    if (!statement->relation)
        return ddl_refuse_object("ALTER", statement->object_type);
    const RelationDesc *relation =
        open_target(context, statement->relation, statement->object_type, statement->missing_ok);
    if (!relation)
        return !error_is_set();
    TRY(ddl_check_owner(context, relation));
    if (relation->kind == RELKIND_SEQUENCE)
        TRY(refuse_owned_sequence(context, relation,
                                  "cannot move an owned sequence into another schema"));
    Oid namespace;
    TRY(ddl_lock_schema(context, statement->newschema, 0, LOCK_ACCESS_SHARE, &namespace));
    if (namespace == relation->namespace_oid)
        return true;
    TRY(privilege_check(session, ON_SCHEMA, namespace, ACL_CREATE));
    if (namespace == NAMESPACE_PG_CATALOG || relation->kind == RELKIND_INDEX)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("cannot change schema of %.*s \"%.*s\"",
                                                   STR_ARGS(relation_kind_name(relation->kind)),
                                                   STR_ARGS(relation->name)));
    if (relation_oid_in(session, namespace, relation->name))
        FAIL(ERR_DUPLICATE_TABLE,
             .message = fmt("relation \"%.*s\" already exists in schema \"%.*s\"",
                            STR_ARGS(relation->name), STR_ARGS(statement->newschema)));
    TRY(!error_is_set());
    const Oid oid = relation->oid;
    TRY(ddl_rename_prepare(context, address_of_relation(oid), &stale));
    TRY(define_move(session, address_of_relation(oid), namespace));
    TRY(move_owned(context, oid, namespace));
    return ddl_rename_finish(context, &stale);
}

/* ---- OWNER TO ---- */

bool ddl_change_owner(CommandContext *context, const RelationDesc *relation, Oid owner)
{
    CatalogSession *session = ddl_catalog(context);

    if (relation->kind == RELKIND_INDEX) {
        if (owner != relation->owner)
            NOTICE(SEVERITY_WARNING, ERR_WRONG_OBJECT_TYPE,
                   .message =
                       fmt("cannot change owner of index \"%.*s\"", STR_ARGS(relation->name)),
                   .hint = STR("Change the ownership of the index's table, instead."));
        return true;
    }
    TRY(ddl_check_owner(context, relation));
    if (owner == relation->owner)
        return true;
    if (relation->kind == RELKIND_SEQUENCE)
        TRY(refuse_owned_sequence(
            context, relation,
            fmt("cannot change owner of sequence \"%.*s\"", STR_ARGS(relation->name)).data));
    if (!role_is_superuser(session, session->current_user)) {
        TRY(ddl_check_member(context, owner));
        TRY(privilege_check_of(session, owner, ON_SCHEMA, relation->namespace_oid, ACL_CREATE));
    }
    return define_owner(session, address_of_relation(relation->oid), owner);
}

bool ddl_alter_owner(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const AlterOwnerStmt *statement = NODE_CAST(AlterOwnerStmt, node);
    Oid owner;

    *ret_tag = ddl_alter_tag(context, statement->object_type);
    TRY(ddl_role(context, statement->newowner, &owner));
    if (statement->relation) {
        const RelationDesc *relation =
            open_target(context, statement->relation, statement->object_type, false);
        TRY(relation);
        return ddl_change_owner(context, relation, owner);
    }
    if (!NODE_IS(statement->object, ObjectName))
        return ddl_refuse_object("ALTER", statement->object_type);
    const StrVec *names = &NODE_CAST(ObjectName, statement->object)->names;
    const Str name = names->items[names->length - 1];
    if (statement->object_type == OBJECT_SCHEMA) {
        const Oid oid = namespace_get(session, name, 0);
        TRY(oid);
        TRY(privilege_check_owner(session, ON_SCHEMA, oid));
        TRY(ddl_check_member(context, owner));
        TRY(privilege_check(session, ON_DATABASE, session->database_oid, ACL_CREATE));
        return define_owner(session, (ObjectAddress){RELATION_PG_NAMESPACE, oid, 0}, owner);
    }
    if (statement->object_type == OBJECT_DATABASE) {
        const DatabaseDesc *database = database_get_name(session, name);
        TRY(database);
        TRY(privilege_check_owner(session, ON_DATABASE, database->oid));
        TRY(ddl_check_member(context, owner));
        return define_owner(session, (ObjectAddress){RELATION_PG_DATABASE, database->oid, 0},
                            owner);
    }
    return ddl_refuse_object("ALTER", statement->object_type);
}
