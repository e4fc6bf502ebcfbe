/* GRANT and REVOKE on objects. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"

typedef struct GrantTarget {
    ObjectAddress address;
    PrivilegeTarget kind;
    Oid owner;
    Str name;
    const Acl *acl;       /* NULL: the default */
    const Acl *table_acl; /* of a column's table */
} GrantTarget;

typedef VEC(GrantTarget) GrantTargetVec;

typedef struct Grant {
    CommandContext *context;
    const GrantStmt *statement;
    OidVec grantees;
} Grant;

/* ---- objects ---- */

static PrivilegeTarget kind_of_relation(const RelationDesc *relation)
{
    return relation->kind == RELKIND_SEQUENCE ? ON_SEQUENCE : ON_TABLE;
}

/* Is anything said of the relation itself, not of its columns alone? */
static bool changes_whole(const Grant *grant)
{
    const AccessPrivVec *privileges = &grant->statement->privileges;
    bool whole = privileges->length == 0;

    for (size_t i = 0; i < privileges->length && !whole; i++)
        whole = privileges->items[i]->cols.length == 0;
    return whole;
}

static bool add_relation(Grant *grant, const RelationDesc *relation, GrantTargetVec *targets)
{
    CatalogSession *session = ddl_catalog(grant->context);

    if (!relation->is_builtin && changes_whole(grant)) {
        TRY(object_row_lock(session, address_of_relation(relation->oid)));
        TRY(relation = relation_get(session, relation->oid));
    }
    VEC_PUSH(grant->context->arena, targets,
             ((GrantTarget){address_of_relation(relation->oid), kind_of_relation(relation),
                            relation->owner, relation->name, relation->acl}));
    return true;
}

/* A kind of object whose rows have an owner and a list of rights. */
typedef struct GrantClass {
    Oid oid;
    PrivilegeTarget kind;
    CatalogIndexId index;
    int owner, acl; /* columns */
} GrantClass;

static const GrantClass schemas = {RELATION_PG_NAMESPACE, ON_SCHEMA, INDEX_PG_NAMESPACE_OID_INDEX,
                                   PG_NAMESPACE_NSPOWNER, PG_NAMESPACE_NSPACL};
static const GrantClass databases = {RELATION_PG_DATABASE, ON_DATABASE, INDEX_PG_DATABASE_OID_INDEX,
                                     PG_DATABASE_DATDBA, PG_DATABASE_DATACL};
static const GrantClass languages = {RELATION_PG_LANGUAGE, ON_LANGUAGE, INDEX_PG_LANGUAGE_OID_INDEX,
                                     PG_LANGUAGE_LANOWNER, PG_LANGUAGE_LANACL};

static bool add_row(Grant *grant, const GrantClass *class, Oid oid, Str name,
                    GrantTargetVec *targets)
{
    CatalogSession *session = ddl_catalog(grant->context);
    Arena *arena = grant->context->arena;
    CatalogRow row;
    Acl *list = NULL;

    TRY(object_row_lock(session, (ObjectAddress){class->oid, oid, 0}));
    TRY(system_row_find(session, class->index, &(Value){.oid = oid}, 1, &row));
    if (!row.nulls[class->acl]) {
        list = ARENA_NEW(arena, Acl);
        TRY(acl_from_value(arena, &row.values[class->acl], list));
    }
    VEC_PUSH(arena, targets,
             ((GrantTarget){
                 {class->oid, oid, 0}, class->kind, row_oid(&row, class->owner), name, list}));
    return true;
}

static bool add_named(Grant *grant, Str name, GrantTargetVec *targets)
{
    CatalogSession *session = ddl_catalog(grant->context);

    switch (grant->statement->objtype) {
    case OBJECT_SCHEMA: {
        const Oid oid = namespace_get(session, name, 0);
        TRY(oid);
        return add_row(grant, &schemas, oid, name, targets);
    }
    case OBJECT_DATABASE: {
        const DatabaseDesc *database = database_get_name(session, name);
        TRY(database);
        return add_row(grant, &databases, database->oid, name, targets);
    }
    case OBJECT_LANGUAGE: {
        const Oid oid = language_oid(session, name);
        if (!oid)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("language \"%.*s\" does not exist", STR_ARGS(name)));
        return add_row(grant, &languages, oid, name, targets);
    }
    default:
        return ddl_refuse_object("GRANT ON", grant->statement->objtype);
    }
}

static bool add_schema_members(Grant *grant, Str schema, GrantTargetVec *targets)
{
    CatalogSession *session = ddl_catalog(grant->context);
    const Oid namespace = namespace_get(session, schema, 0);
    CatalogRowVec rows = {0};
    const bool sequences = grant->statement->objtype == OBJECT_SEQUENCE;

    TRY(namespace);
    if (!sequences && grant->statement->objtype != OBJECT_TABLE)
        return true; /* no functions of users exist */
    TRY(system_rows_all(session, CAT_PG_CLASS, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const char kind = row_char(rows.items[i], PG_CLASS_RELKIND);
        if (row_oid(rows.items[i], PG_CLASS_RELNAMESPACE) != namespace)
            continue;
        if (sequences ? kind != RELKIND_SEQUENCE
                      : kind != RELKIND_TABLE && kind != RELKIND_VIEW && kind != RELKIND_MATVIEW)
            continue;
        const RelationDesc *relation = relation_get(session, row_oid(rows.items[i], PG_CLASS_OID));
        TRY(relation);
        TRY(add_relation(grant, relation, targets));
    }
    return true;
}

static bool collect_targets(Grant *grant, GrantTargetVec *targets)
{
    const GrantStmt *statement = grant->statement;

    if (statement->targtype == ACL_TARGET_DEFAULTS)
        FAIL_UNSUPPORTED("ALTER DEFAULT PRIVILEGES");
    for (size_t i = 0; i < statement->objects.length; i++) {
        const Node *object = statement->objects.items[i];
        if (NODE_IS(object, RangeVar)) {
            const RelationDesc *relation = ddl_open_relation(
                grant->context, NODE_CAST(RangeVar, object), LOCK_NONE, false, false);
            TRY(relation);
            TRY(add_relation(grant, relation, targets));
            continue;
        }
        if (!NODE_IS(object, ObjectName))
            return ddl_refuse_object("GRANT ON", statement->objtype);
        const StrVec *names = &NODE_CAST(ObjectName, object)->names;
        const Str name = names->items[names->length - 1];
        if (statement->targtype == ACL_TARGET_ALL_IN_SCHEMA)
            TRY(add_schema_members(grant, name, targets));
        else
            TRY(add_named(grant, name, targets));
    }
    return true;
}

/* ---- privileges ---- */

static AclRights right_named(Str name)
{
    if (str_equal(name, STR("temp")))
        return ACL_TEMPORARY;
    for (int bit = 0; bit < 14; bit++)
        if (str_equal_nocase(name, privilege_name((AclRight)(1u << bit))))
            return 1u << bit;
    return 0;
}

static const char *target_plural(const GrantTarget *target)
{
    switch (target->kind) {
    case ON_SEQUENCE:
        return "sequence";
    case ON_DATABASE:
        return "database";
    case ON_SCHEMA:
        return "schema";
    case ON_LANGUAGE:
        return "language";
    case ON_FUNCTION:
        return "function";
    case ON_COLUMN:
        return "column";
    default:
        return "relation";
    }
}

static bool right_named_get(Str name, AclRights *ret_right)
{
    *ret_right = right_named(name);
    if (!*ret_right)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("unrecognized privilege type \"%.*s\"", STR_ARGS(name)));
    return true;
}

static PrivilegeTarget kind_of_words(ObjectType type)
{
    switch (type) {
    case OBJECT_SEQUENCE:
        return ON_SEQUENCE;
    case OBJECT_DATABASE:
        return ON_DATABASE;
    case OBJECT_SCHEMA:
        return ON_SCHEMA;
    case OBJECT_LANGUAGE:
        return ON_LANGUAGE;
    case OBJECT_FUNCTION:
    case OBJECT_PROCEDURE:
    case OBJECT_ROUTINE:
        return ON_FUNCTION;
    default:
        return ON_TABLE;
    }
}

/* The words, before any object is looked at more closely. */
static bool check_privileges(const Grant *grant)
{
    const GrantStmt *statement = grant->statement;
    const GrantTarget any = {.kind = kind_of_words(statement->objtype)};
    const bool is_table = any.kind == ON_TABLE;
    const AclRights allowed = acl_all_rights(any.kind) | (is_table ? ACL_USAGE : 0);

    for (size_t i = 0; i < statement->privileges.length; i++) {
        const AccessPriv *privilege = statement->privileges.items[i];
        AclRights right;
        if (privilege->cols.length > 0 && !is_table)
            FAIL(ERR_INVALID_GRANT_OPERATION,
                 .message = STR("column privileges are only valid for relations"));
        if (privilege->cols.length > 0 || str_is_none(privilege->priv_name))
            continue;
        TRY(right_named_get(privilege->priv_name, &right));
        if (!(right & allowed))
            FAIL(ERR_INVALID_GRANT_OPERATION,
                 .message = fmt("invalid privilege type %.*s for %s",
                                STR_ARGS(privilege_name((AclRight)right)), target_plural(&any)));
    }
    return true;
}

static bool check_kind(const Grant *grant, const RelationDesc *relation)
{
    if (relation->kind == RELKIND_INDEX)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is an index", STR_ARGS(relation->name)));
    if (grant->statement->objtype == OBJECT_SEQUENCE && relation->kind != RELKIND_SEQUENCE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not a sequence", STR_ARGS(relation->name)));
    return true;
}

/* The rights of entries without columns. */
static bool wanted_rights(Grant *grant, const GrantTarget *target, AclRights *ret_rights)
{
    const GrantStmt *statement = grant->statement;
    AclRights rights = 0, allowed = acl_all_rights(target->kind);

    /* GRANT … ON TABLE seq is accepted with a table's words that a sequence has. */
    if (statement->privileges.length == 0) {
        *ret_rights = allowed;
        return true;
    }
    for (size_t i = 0; i < statement->privileges.length; i++) {
        const AccessPriv *privilege = statement->privileges.items[i];
        if (privilege->cols.length)
            continue;
        if (str_is_none(privilege->priv_name)) {
            rights |= allowed;
            continue;
        }
        AclRights right;
        TRY(right_named_get(privilege->priv_name, &right));
        if (!(right & allowed))
            FAIL(ERR_INVALID_GRANT_OPERATION,
                 .message = fmt("invalid privilege type %.*s for %s",
                                STR_ARGS(privilege_name((AclRight)right)),
                                target->kind == ON_TABLE && (right & ACL_USAGE)
                                    ? "table" /* a sequence's right on a table */
                                    : target_plural(target)));
        rights |= right;
    }
    *ret_rights = rights;
    return true;
}

/* What the role may pass on; of a column what its table's privileges say as well. */
static AclRights options_of(const Acl *acl, const Acl *table_acl, Oid role)
{
    AclRights options = 0;

    for (size_t i = 0; i < acl->length; i++)
        if (acl->items[i].grantee == role)
            options |= acl->items[i].grant_options;
    for (size_t i = 0; table_acl && i < table_acl->length; i++)
        if (table_acl->items[i].grantee == role)
            options |= table_acl->items[i].grant_options;
    return options;
}

/* As whom the privileges are given: the owner where the user may act as one, else somebody whose
 * grant options the user has. */
static bool choose_grantor(Grant *grant, const GrantTarget *target, const Acl *acl,
                           AclRights rights, Oid *ret_grantor, AclRights *ret_rights)
{
    CatalogSession *session = ddl_catalog(grant->context);

    if (role_has_privileges_of(session, session->current_user, target->owner)) {
        *ret_grantor = target->owner;
        *ret_rights = rights;
        return true;
    }
    TRY(!error_is_set());
    *ret_grantor = session->current_user;
    *ret_rights = rights & options_of(acl, target->table_acl, session->current_user);
    for (size_t i = 0; i < acl->length && *ret_rights != rights; i++) {
        const Oid other = acl->items[i].grantee;
        const AclRights options = rights & options_of(acl, target->table_acl, other);
        if (other == ROLE_PUBLIC || !options ||
            __builtin_popcount(options) <= __builtin_popcount(*ret_rights) ||
            !role_has_privileges_of(session, session->current_user, other))
            continue;
        *ret_grantor = other;
        *ret_rights = options;
    }
    TRY(!error_is_set());
    if (*ret_rights == rights || (*ret_rights && grant->statement->privileges.length == 0))
        return true;
    if (!acl_rights_of(session, acl, session->current_user, target->owner,
                       acl_all_rights(target->kind)))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = fmt("permission denied for %s %.*s",
                            target->kind == ON_TABLE ? "table" : target_plural(target),
                            STR_ARGS(target->name)));
    if (*ret_rights == 0)
        NOTICE(SEVERITY_WARNING,
               grant->statement->is_grant ? ERR_WARNING_PRIVILEGE_NOT_GRANTED
                                          : ERR_WARNING_PRIVILEGE_NOT_REVOKED,
               .message =
                   fmt(grant->statement->is_grant ? "no privileges were granted for \"%.*s\""
                                                  : "no privileges could be revoked for \"%.*s\"",
                       STR_ARGS(target->name)));
    else
        NOTICE(SEVERITY_WARNING,
               grant->statement->is_grant ? ERR_WARNING_PRIVILEGE_NOT_GRANTED
                                          : ERR_WARNING_PRIVILEGE_NOT_REVOKED,
               .message = fmt(grant->statement->is_grant
                                  ? "not all privileges were granted for \"%.*s\""
                                  : "not all privileges could be revoked for \"%.*s\"",
                              STR_ARGS(target->name)));
    return true;
}

static bool apply(Grant *grant, const GrantTarget *target, AclRights rights)
{
    CommandContext *context = grant->context;
    const GrantStmt *statement = grant->statement;
    Acl acl = {0};
    Oid grantor;

    if (!rights)
        return true;
    if (target->acl) {
        VEC_RESERVE(context->arena, &acl, target->acl->length + 1);
        for (size_t i = 0; i < target->acl->length; i++)
            acl.items[acl.length++] = target->acl->items[i];
    } else {
        acl_default(context->arena, target->kind, target->owner, &acl);
    }
    TRY(choose_grantor(grant, target, &acl, rights, &grantor, &rights));
    if (!rights)
        return true;
    for (size_t i = 0; i < grant->grantees.length; i++) {
        const Oid grantee = grant->grantees.items[i];
        if (statement->is_grant && statement->grant_option && grantee == ROLE_PUBLIC)
            FAIL(ERR_INVALID_GRANT_OPERATION,
                 .message = STR("grant options can only be granted to roles"));
        if (statement->is_grant)
            acl_grant(context->arena, &acl, grantor, grantee, rights, statement->grant_option);
        else
            TRY(acl_revoke(context->arena, &acl, target->owner, grantor, grantee, rights,
                           statement->grant_option, statement->behavior == DROP_CASCADE));
    }
    return define_acl(ddl_catalog(context), target->address, &acl);
}

static bool apply_to_column(Grant *grant, Oid table, int16_t attnum, AclRights rights)
{
    CatalogSession *session = ddl_catalog(grant->context);
    const ObjectAddress address = {RELATION_PG_CLASS, table, attnum};

    TRY(object_row_lock(session, address));
    const RelationDesc *relation = relation_get(session, table);
    TRY(relation);
    const ColumnDesc *column = relation_column_at(relation, attnum);
    const GrantTarget one = {address,      ON_COLUMN,   relation->owner,
                             column->name, column->acl, relation->acl};
    return apply(grant, &one, rights);
}

/* GRANT SELECT (a, b). */
static bool apply_columns(Grant *grant, const GrantTarget *target, const AccessPriv *privilege)
{
    CatalogSession *session = ddl_catalog(grant->context);
    const AclRights allowed = acl_all_rights(ON_COLUMN);
    AclRights rights = allowed;

    if (!str_is_none(privilege->priv_name))
        TRY(right_named_get(privilege->priv_name, &rights));
    if (!(rights & allowed))
        FAIL(ERR_INVALID_GRANT_OPERATION,
             .message = fmt("invalid privilege type %.*s for column",
                            STR_ARGS(privilege_name((AclRight)rights))));
    for (size_t i = 0; i < privilege->cols.length; i++) {
        const RelationDesc *relation = relation_get(session, target->address.oid);
        TRY(relation);
        const ColumnDesc *column = relation_column(relation, privilege->cols.items[i]);
        if (!column)
            FAIL(ERR_UNDEFINED_COLUMN,
                 .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                                STR_ARGS(privilege->cols.items[i]), STR_ARGS(relation->name)));
        TRY(apply_to_column(grant, relation->oid, column->attnum, rights));
    }
    return true;
}

/* Who loses a right on the table loses it on each of its columns. */
static bool revoke_from_columns(Grant *grant, const RelationDesc *table, AclRights rights)
{
    CatalogSession *session = ddl_catalog(grant->context);
    const Oid oid = table->oid;
    const int count = table->column_count;

    rights &= acl_all_rights(ON_COLUMN);
    for (int i = 0; i < count && rights; i++) {
        const RelationDesc *relation = relation_get(session, oid);
        TRY(relation);
        const ColumnDesc *column = &relation->columns[i];
        if (column->dropped || !column->acl)
            continue;
        TRY(apply_to_column(grant, oid, column->attnum, rights));
    }
    return true;
}

static bool check_grantor(const Grant *grant)
{
    Oid grantor;

    if (!grant->statement->grantor)
        return true;
    TRY(ddl_role(grant->context, grant->statement->grantor, &grantor));
    if (grantor != ddl_catalog(grant->context)->current_user)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("grantor must be current user"));
    return true;
}

static bool collect_grantees(Grant *grant)
{
    for (size_t i = 0; i < grant->statement->grantees.length; i++) {
        const RoleSpec *spec = grant->statement->grantees.items[i];
        Oid role = ROLE_PUBLIC;
        if (spec->kind != ROLESPEC_PUBLIC)
            TRY(ddl_role(grant->context, spec, &role));
        VEC_PUSH(grant->context->arena, &grant->grantees, role);
    }
    return true;
}

bool ddl_grant(CommandContext *context, const Node *node, Str *ret_tag)
{
    Grant grant = {.context = context, .statement = NODE_CAST(GrantStmt, node)};
    const GrantStmt *statement = grant.statement;
    GrantTargetVec targets = {0};

    assert(statement);
    *ret_tag = statement->is_grant ? STR("GRANT") : STR("REVOKE");
    TRY(check_grantor(&grant) && collect_targets(&grant, &targets) && collect_grantees(&grant) &&
        check_privileges(&grant));
    for (size_t t = 0; t < targets.length; t++) {
        const GrantTarget *target = &targets.items[t];
        AclRights rights;
        const RelationDesc *relation = target->address.class_oid == RELATION_PG_CLASS
                                           ? relation_get(ddl_catalog(context), target->address.oid)
                                           : NULL;
        TRY(!relation || check_kind(&grant, relation));
        if (relation && relation->is_builtin)
            FAIL_UNSUPPORTED("GRANT on system tables");
        TRY(wanted_rights(&grant, target, &rights));
        TRY(apply(&grant, target, rights));
        if (!statement->is_grant && relation && target->kind == ON_TABLE)
            TRY(revoke_from_columns(&grant, relation, rights));
        for (size_t i = 0; i < statement->privileges.length; i++)
            if (statement->privileges.items[i]->cols.length)
                TRY(apply_columns(&grant, target, statement->privileges.items[i]));
    }
    return true;
}

bool ddl_revoke_all(CommandContext *context, ObjectAddress object, Oid role)
{
    CatalogSession *session = ddl_catalog(context);
    const GrantStmt statement = {.behavior = DROP_CASCADE};
    Grant grant = {.context = context, .statement = &statement};
    const RelationDesc *relation = NULL;
    GrantTargetVec targets = {0};

    VEC_PUSH(context->arena, &grant.grantees, role);
    if (object.class_oid == RELATION_PG_CLASS) {
        TRY(relation = relation_get(session, object.oid));
        TRY(add_relation(&grant, relation, &targets));
    } else if (object.class_oid == RELATION_PG_NAMESPACE) {
        TRY(add_row(&grant, &schemas, object.oid, namespace_name(session, object.oid), &targets));
    } else if (object.class_oid == RELATION_PG_DATABASE) {
        const DatabaseDesc *database = database_find(session, object.oid);
        TRY(database && add_row(&grant, &databases, object.oid, database->name, &targets));
    } else if (object.class_oid == RELATION_PG_LANGUAGE) {
        TRY(add_row(&grant, &languages, object.oid, STR("language"), &targets));
    } else {
        FAIL_UNSUPPORTED("DROP OWNED with privileges on this kind of object");
    }
    const AclRights rights = acl_all_rights(targets.items[0].kind);
    TRY(apply(&grant, &targets.items[0], rights));
    return !relation || revoke_from_columns(&grant, relation, rights);
}
