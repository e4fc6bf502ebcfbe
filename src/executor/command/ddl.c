#include "executor/command/ddl.h"

#include "executor/command/ddl_internal.h"

#define DDL(type, function)                                                                        \
    {                                                                                              \
        (NodeTag) NODE_TAG_OF_##type, function                                                     \
    }
static const struct {
    NodeTag tag;
    DdlStatement *run;
} statements[] = {
    DDL(CreateStmt, ddl_create_table),
    DDL(IndexStmt, ddl_create_index),
    DDL(CreateSeqStmt, ddl_create_sequence),
    DDL(AlterSeqStmt, ddl_alter_sequence),
    DDL(CreateSchemaStmt, ddl_create_schema),
    DDL(ViewStmt, ddl_create_view),
    DDL(DropStmt, ddl_drop),
    DDL(RenameStmt, ddl_rename),
    DDL(ReindexStmt, ddl_reindex),
    DDL(TruncateStmt, ddl_truncate),
    DDL(AlterTableStmt, ddl_alter_table),
    DDL(AlterObjectSchemaStmt, ddl_alter_schema_of),
    DDL(AlterOwnerStmt, ddl_alter_owner),
    DDL(CommentStmt, ddl_comment),
    DDL(CreateRoleStmt, ddl_create_role),
    DDL(AlterRoleStmt, ddl_alter_role),
    DDL(AlterRoleSetStmt, ddl_alter_role_set),
    DDL(DropRoleStmt, ddl_drop_role),
    DDL(GrantStmt, ddl_grant),
    DDL(GrantRoleStmt, ddl_grant_role),
    DDL(CreatedbStmt, ddl_create_database),
    DDL(DropdbStmt, ddl_drop_database),
    DDL(AlterDatabaseStmt, ddl_alter_database),
    DDL(AlterDatabaseSetStmt, ddl_alter_database_set),
    DDL(DropOwnedStmt, ddl_drop_owned),
    DDL(ReassignOwnedStmt, ddl_reassign_owned),
};

static DdlStatement *statement_find(NodeTag tag)
{
    for (size_t i = 0; i < ARRAY_LENGTH(statements); i++)
        if (statements[i].tag == tag)
            return statements[i].run;
    return NULL;
}

bool ddl_handles(NodeTag tag)
{
    return statement_find(tag) != NULL;
}

bool ddl_execute(CommandContext *context, const Node *statement, Str *ret_tag)
{
    DdlStatement *run = statement_find(statement->tag);

    if (!run)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("%.*s is not supported", STR_ARGS(command_name(statement))));
    TRY(run(context, statement, ret_tag));
    return txn_command_next(ddl_catalog(context)->txn);
}

/*
 * A name that stands for nothing, or for something else than before: is it because others are
 * changing the schema at the moment? Then their change is waited for, and what the name stands for
 * is to be looked at again.
 */
static bool schema_is_settling(CatalogSession *session, uint64_t *version, bool *ret_again)
{
    const TxnManager *manager = txn_manager(session->txn);

    *ret_again = txn_schema_is_moving(manager) || txn_schema_version(manager) != *version;
    TRY(txn_schema_settle(manager));
    *version = txn_schema_version(manager);
    return true;
}

/* Objects of one kind by their names. */
typedef struct NamedKind {
    Oid class_oid;
    Oid (*find)(CatalogSession *session, Str name);
} NamedKind;

/* Locks what a name stands for, until it does so under the lock. */
static bool lock_named(CommandContext *context, NamedKind kind, Str name, LockMode mode,
                       Oid *ret_oid)
{
    CatalogSession *session = ddl_catalog(context);
    uint64_t version = txn_schema_version(txn_manager(session->txn));

    for (;;) {
        bool again;
        const Oid oid = kind.find(session, name);
        TRY(!error_is_set());
        if (oid) {
            const ObjectLocked outcome =
                object_lock(session, (ObjectAddress){kind.class_oid, oid, 0}, mode);
            TRY(outcome);
            if (outcome == OBJECT_LOCKED && kind.find(session, name) == oid) {
                *ret_oid = oid;
                return true;
            }
            TRY(!error_is_set());
        } else {
            TRY(schema_is_settling(session, &version, &again));
            *ret_oid = OID_NONE;
            if (!again)
                return true;
        }
        CHECK_INTERRUPTS();
    }
}

bool ddl_lock_schema(CommandContext *context, Str name, int position, LockMode mode, Oid *ret_oid)
{
    Oid oid;

    TRY(lock_named(context, (NamedKind){RELATION_PG_NAMESPACE, namespace_oid}, name, mode, &oid));
    if (!oid)
        return namespace_get(ddl_catalog(context), name, position) != OID_NONE;
    *ret_oid = oid;
    return true;
}

static Oid role_named(CatalogSession *session, Str name)
{
    const RoleDesc *role = role_find_name(session, name);

    return role ? role->oid : OID_NONE;
}

bool ddl_lock_role(CommandContext *context, Str name, LockMode mode, Oid *ret_role)
{
    return lock_named(context, (NamedKind){RELATION_PG_AUTHID, role_named}, name, mode, ret_role);
}

static Oid creation_schema(CatalogSession *session, Str name)
{
    const SearchPath *path = catalog_search_path(session);

    (void)name;
    TRY(path);
    return path->creation;
}

static bool lock_creation_schema(CommandContext *context, Oid *ret_oid)
{
    return lock_named(context, (NamedKind){RELATION_PG_NAMESPACE, creation_schema}, STR(""),
                      LOCK_ACCESS_SHARE, ret_oid);
}

static bool check_catalog(CatalogSession *session, const RangeVar *name, int position)
{
    return name->catalog.length == 0 ||
           database_check_own(session, (const Str[]){name->catalog, name->schema, name->relation},
                              true, position);
}

/* What the grammar writes is what pg_class has. */
static_assert((int)PERSISTENCE_PERMANENT == (int)RELPERSISTENCE_PERMANENT &&
                  (int)PERSISTENCE_TEMPORARY == (int)RELPERSISTENCE_TEMPORARY &&
                  (int)PERSISTENCE_UNLOGGED == (int)RELPERSISTENCE_UNLOGGED,
              "a parsed persistence is cast to a relation's");

bool ddl_creation_place(CommandContext *context, const RangeVar *name, CreationPlace *ret_place)
{
    CatalogSession *session = ddl_catalog(context);
    const SearchPath *path = catalog_search_path(session);
    TRY(path);
    TRY(check_catalog(session, name, name->node.position));
    const bool named = name->schema.length > 0;
    const bool temp_schema = named && str_equal(name->schema, STR("pg_temp"));
    const bool temporary =
        name->persistence == PERSISTENCE_TEMPORARY || temp_schema || (!named && path->temp_first);
    CreationPlace place = {.persistence = (RelationPersistence)name->persistence};

    if (temporary) {
        if (named && !temp_schema && !str_starts_with(name->schema, STR("pg_temp")))
            FAIL(ERR_INVALID_TABLE_DEFINITION,
                 .message = STR("cannot create temporary relation in non-temporary schema"),
                 .position = name->node.position);
        TRY(catalog_ensure_temp_namespace(session));
        place.namespace_oid = session->temp_namespace;
        place.persistence = RELPERSISTENCE_TEMPORARY;
        *ret_place = place;
        return true;
    }
    TRY(named ? ddl_lock_schema(context, name->schema, name->node.position, LOCK_ACCESS_SHARE,
                                &place.namespace_oid)
              : lock_creation_schema(context, &place.namespace_oid));
    if (!place.namespace_oid)
        FAIL(ERR_INVALID_SCHEMA_NAME, .message = STR("no schema has been selected to create in"),
             .position = name->node.position);
    if (place.namespace_oid == NAMESPACE_PG_CATALOG && !catalog_is_bootstrapping(session->catalog))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message =
                 fmt("permission denied to create \"pg_catalog.%.*s\"", STR_ARGS(name->relation)),
             .detail = STR("System catalog modifications are currently disallowed."));
    if (!privilege_check(session, ON_SCHEMA, place.namespace_oid, ACL_CREATE)) {
        error_set_position(name->node.position);
        return false;
    }
    *ret_place = place;
    return true;
}

bool ddl_split_name(CommandContext *context, const StrVec *names, Str *ret_schema, Str *ret_name)
{
    if (names->length > 3)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("improper qualified name (too many dotted names): %.*s",
                            STR_ARGS(name_list_text(context->arena, names))));
    if (names->length == 3)
        TRY(database_check_own(ddl_catalog(context), names->items, false, 0));
    *ret_schema = names->length >= 2 ? names->items[names->length - 2] : STR_NONE;
    *ret_name = names->items[names->length - 1];
    return true;
}

bool ddl_lock(CommandContext *context, Oid relation, LockMode mode, Str name)
{
    CatalogSession *session = ddl_catalog(context);

    return lock_relation(session->txn, session->database_oid, relation, mode, LOCK_WAIT, name) !=
           LOCK_FAILED;
}

static Str range_schema(const RangeVar *name)
{
    return name->schema.length ? name->schema : STR_NONE;
}

typedef struct DdlOpen {
    bool nowait, missing_ok;
    DdlMay *may;
    const void *argument;
} DdlOpen;

static bool may_open(CommandContext *context, Oid oid, const DdlOpen *how)
{
    const RelationDesc *relation = how->may ? relation_find(ddl_catalog(context), oid) : NULL;

    return relation ? how->may(context, relation, how->argument) : !error_is_set();
}

/* `may` is asked before each wait, and once more of what the lock is held on. NULL: all may. */
static const RelationDesc *open_relation(CommandContext *context, const RangeVar *name, int mode,
                                         const DdlOpen *how)
{
    CatalogSession *session = ddl_catalog(context);
    uint64_t version = txn_schema_version(txn_manager(session->txn));

    TRY(check_catalog(session, name, 0));
    if (name->schema.length) {
        const Oid schema = namespace_oid(session, name->schema);
        TRY(schema ? privilege_check(session, ON_SCHEMA, schema, ACL_USAGE) : !error_is_set());
    }
    for (;;) {
        const Oid oid = relation_oid(session, range_schema(name), name->relation);
        TRY(!error_is_set());
        if (!oid) {
            bool again;
            TRY(schema_is_settling(session, &version, &again));
            if (again)
                continue;
            if (how->missing_ok)
                return NULL;
            return relation_get_name(session, range_schema(name), name->relation, 0);
        }
        TRY(may_open(context, oid, how));
        if (mode != LOCK_NONE &&
            !lock_relation(session->txn, session->database_oid, oid, (LockMode)mode,
                           how->nowait ? LOCK_NOWAIT : LOCK_WAIT, name->relation))
            return NULL;
        /* While waiting the name may have come to mean another relation, or none. */
        if (relation_oid(session, range_schema(name), name->relation) == oid) {
            const RelationDesc *relation = relation_find(session, oid);
            if (error_is_set())
                return NULL;
            if (relation)
                return !how->may || how->may(context, relation, how->argument) ? relation : NULL;
        }
        CHECK_INTERRUPTS();
    }
}

const RelationDesc *ddl_open_relation(CommandContext *context, const RangeVar *name, int mode,
                                      bool nowait, bool missing_ok)
{
    return open_relation(context, name, mode,
                         &(DdlOpen){.nowait = nowait, .missing_ok = missing_ok});
}

const RelationDesc *ddl_open_checked(CommandContext *context, const RangeVar *name, LockMode mode,
                                     bool missing_ok, DdlMay *may, const void *argument)
{
    return open_relation(context, name, (int)mode,
                         &(DdlOpen){.missing_ok = missing_ok, .may = may, .argument = argument});
}

bool ddl_may_owner(CommandContext *context, const RelationDesc *relation, const void *argument)
{
    (void)argument;
    return ddl_check_owner(context, relation);
}

bool ddl_role(CommandContext *context, const RoleSpec *spec, Oid *ret_role)
{
    CatalogSession *session = ddl_catalog(context);

    switch (spec->kind) {
    case ROLESPEC_CURRENT_ROLE:
    case ROLESPEC_CURRENT_USER:
        *ret_role = session->current_user;
        return true;
    case ROLESPEC_SESSION_USER:
        *ret_role = session->session_user;
        return true;
    case ROLESPEC_PUBLIC:
        FAIL(ERR_UNDEFINED_OBJECT, .message = STR("role \"public\" does not exist"),
             .position = spec->node.position);
    case ROLESPEC_NAME:
        break;
    }
    const RoleDesc *role = role_get_name(session, spec->name);
    TRY(role);
    *ret_role = role->oid;
    return true;
}

bool ddl_check_not_system(CommandContext *context, const RelationDesc *relation)
{
    if (relation->is_builtin)
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message =
                 fmt("permission denied: \"%.*s\" is a system catalog", STR_ARGS(relation->name)));
    return true;
}

bool ddl_check_owner(CommandContext *context, const RelationDesc *relation)
{
    TRY(privilege_check_owner(ddl_catalog(context), ON_TABLE, relation->oid));
    return ddl_check_not_system(context, relation);
}

bool ddl_check_not_in_use(CommandContext *context, const RelationDesc *relation, Str command)
{
    const ExecSession *session = context->session;

    TRY(relation);
    if (session->ops && session->ops->relation_in_use &&
        session->ops->relation_in_use(context->session, relation->oid))
        FAIL(ERR_OBJECT_IN_USE,
             .message =
                 fmt("cannot %.*s \"%.*s\" because it is being used by active queries in this "
                     "session",
                     STR_ARGS(command), STR_ARGS(relation->name)));
    if (!executor_deferred_has(context->session, relation->oid))
        return true;
    FAIL(ERR_OBJECT_IN_USE,
         .message = fmt("cannot %.*s \"%.*s\" because it has pending trigger events",
                        STR_ARGS(command), STR_ARGS(relation->name)));
}

bool ddl_check_member(CommandContext *context, Oid role)
{
    CatalogSession *session = ddl_catalog(context);

    if (role_is_member(session, session->current_user, role))
        return true;
    TRY(!error_is_set());
    FAIL(ERR_INSUFFICIENT_PRIVILEGE,
         .message = fmt("must be member of role \"%.*s\"", STR_ARGS(role_name(session, role))));
}

/* ---- options ---- */

Str ddl_text_option(CommandContext *context, const DefElem *option)
{
    if (!option->arg)
        return STR_NONE;
    if (NODE_IS(option->arg, A_Const)) {
        const A_Const *value = NODE_CAST(A_Const, option->arg);
        switch (value->kind) {
        case CONST_INTEGER:
            return str_format(context->arena, "%d", value->integer);
        case CONST_BOOLEAN:
            return value->boolean ? STR("true") : STR("false");
        case CONST_NULL:
            return STR_NONE;
        default:
            return value->text;
        }
    }
    if (NODE_IS(option->arg, TypeName)) {
        const TypeName *type = NODE_CAST(TypeName, option->arg);
        return name_list_text(context->arena, &type->names);
    }
    if (NODE_IS(option->arg, ObjectName))
        return name_list_text(context->arena, &NODE_CAST(ObjectName, option->arg)->names);
    return STR_NONE;
}

bool ddl_bool_option(const DefElem *option, bool *ret_value)
{
    const A_Const *value = NODE_IS(option->arg, A_Const) ? NODE_CAST(A_Const, option->arg) : NULL;

    *ret_value = true;
    if (!option->arg)
        return true;
    if (value && value->kind == CONST_BOOLEAN) {
        *ret_value = value->boolean;
        return true;
    }
    if (value && value->kind == CONST_INTEGER && (value->integer == 0 || value->integer == 1)) {
        *ret_value = value->integer;
        return true;
    }
    const Str text = value && value->kind == CONST_STRING ? value->text : STR("");
    if (str_equal_nocase(text, STR("true")) || str_equal_nocase(text, STR("on")))
        return true;
    *ret_value = false;
    if (str_equal_nocase(text, STR("false")) || str_equal_nocase(text, STR("off")))
        return true;
    FAIL(ERR_SYNTAX_ERROR, .message = fmt("%.*s requires a Boolean value", STR_ARGS(option->name)));
}

bool ddl_int_option(const DefElem *option, int64_t *ret_value)
{
    const A_Const *value = NODE_IS(option->arg, A_Const) ? NODE_CAST(A_Const, option->arg) : NULL;

    if (value && value->kind == CONST_INTEGER) {
        *ret_value = value->integer;
        return true;
    }
    if (value && value->kind == CONST_FLOAT && str_to_int64(value->text, ret_value))
        return true;
    if (value && value->kind == CONST_FLOAT)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message =
                 fmt("value \"%.*s\" is out of range for type bigint", STR_ARGS(value->text)));
    FAIL(ERR_SYNTAX_ERROR, .message = fmt("%.*s requires a numeric value", STR_ARGS(option->name)));
}

static bool is_known(const char *known, Str name)
{
    const Str list = str_from_c(known);

    assert(list.data);
    for (size_t at = 0; (at = str_find(list, name, at)) != SIZE_MAX; at++) {
        const size_t end = at + name.length;
        if ((at == 0 || list.data[at - 1] == ' ') && (end == list.length || list.data[end] == ' '))
            return true;
    }
    return false;
}

static bool check_fillfactor(Str value)
{
    int64_t number;

    if (!str_to_int64(value, &number))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message =
                 fmt("invalid value for integer option \"fillfactor\": %.*s", STR_ARGS(value)));
    if (number < 10 || number > 100)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("value %.*s out of bounds for option \"fillfactor\"", STR_ARGS(value)),
             .detail = STR("Valid values are between \"10\" and \"100\"."));
    return true;
}

static bool check_boolean(Arena *arena, Str name, Str value)
{
    Value boolean;

    if (type_input(arena, TYPE_BOOL, -1, value, &boolean))
        return true;
    error_clear();
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("invalid value for boolean option \"%.*s\": %.*s", STR_ARGS(name),
                        STR_ARGS(value)));
}

static bool check_check_option(Str value)
{
    if (!str_equal_nocase(value, STR("local")) && !str_equal_nocase(value, STR("cascaded")))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message =
                 fmt("invalid value for enum option \"check_option\": %.*s", STR_ARGS(value)),
             .detail = STR("Valid values are \"local\" and \"cascaded\"."));
    return true;
}

static bool check_option_value(Arena *arena, Str name, Str value)
{
    static const char *const booleans[] = {"security_barrier", "security_invoker",
                                           "deduplicate_items", "autovacuum_enabled"};

    if (str_equal(name, STR("fillfactor")))
        return check_fillfactor(value);
    if (str_equal(name, STR("check_option")))
        return check_check_option(value);
    for (size_t i = 0; i < ARRAY_LENGTH(booleans); i++)
        if (str_equal(name, str_from_c(booleans[i])))
            return check_boolean(arena, name, value);
    return true;
}

bool ddl_option_bool(const DefElem *option, bool *ret_value)
{
    *ret_value = true;
    if (!option->arg)
        return true;
    const A_Const *constant =
        NODE_IS(option->arg, A_Const) ? NODE_CAST(A_Const, option->arg) : NULL;
    if (constant && constant->kind == CONST_BOOLEAN) {
        *ret_value = constant->boolean;
        return true;
    }
    if (constant && constant->kind == CONST_INTEGER &&
        (constant->integer == 0 || constant->integer == 1)) {
        *ret_value = constant->integer;
        return true;
    }
    if (constant && constant->kind == CONST_STRING) {
        const Str text = constant->text;
        if (str_equal_nocase(text, STR("true")) || str_equal_nocase(text, STR("on")))
            return true;
        if (str_equal_nocase(text, STR("false")) || str_equal_nocase(text, STR("off"))) {
            *ret_value = false;
            return true;
        }
    }
    FAIL(ERR_SYNTAX_ERROR, .message = fmt("%.*s requires a Boolean value", STR_ARGS(option->name)));
}

bool ddl_options_text(CommandContext *context, const DefElemVec *options, const char *known,
                      Str *ret_text)
{
    StrBuf text = strbuf_in(context->arena);

    if (options->length == 0) {
        *ret_text = STR_NONE;
        return true;
    }
    strbuf_append_char(&text, '{');
    for (size_t i = 0; i < options->length; i++) {
        const DefElem *option = options->items[i];
        const Str given = ddl_text_option(context, option);
        const Str value = str_is_none(given) ? STR("true") : given;
        if (option->name_space.length)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("unrecognized parameter namespace \"%.*s\"",
                                STR_ARGS(option->name_space)));
        if (!is_known(known, option->name))
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("unrecognized parameter \"%.*s\"", STR_ARGS(option->name)));
        for (size_t k = 0; k < i; k++)
            if (str_equal(options->items[k]->name, option->name))
                FAIL(ERR_INVALID_PARAMETER_VALUE,
                     .message = fmt("parameter \"%.*s\" specified more than once",
                                    STR_ARGS(option->name)));
        TRY(check_option_value(context->arena, option->name, value));
        if (i > 0)
            strbuf_append_char(&text, ',');
        strbuf_format(&text, "%.*s=%.*s", STR_ARGS(option->name), STR_ARGS(value));
    }
    strbuf_append_char(&text, '}');
    *ret_text = strbuf_view(&text);
    return true;
}
