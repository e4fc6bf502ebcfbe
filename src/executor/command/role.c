/* CREATE, ALTER and DROP ROLE; GRANT and REVOKE of roles; settings of roles and databases. */
#include <stdlib.h>

#include "base/settings.h"
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "types/array.h"
#include "types/identifier.h"
#include "types/type.h"

static bool may_create_roles(CatalogSession *session)
{
    const RoleDesc *self = role_find(session, session->current_user);

    return self && (self->superuser || self->create_role);
}

/* ---- options ---- */

typedef struct RoleFlag {
    Str name;
    int column;
} RoleFlag;

static const RoleFlag flags[] = {
    {{"superuser", 9}, PG_AUTHID_ROLSUPER},
    {{"inherit", 7}, PG_AUTHID_ROLINHERIT},
    {{"createrole", 10}, PG_AUTHID_ROLCREATEROLE},
    {{"createdb", 8}, PG_AUTHID_ROLCREATEDB},
    {{"canlogin", 8}, PG_AUTHID_ROLCANLOGIN},
    {{"isreplication", 13}, PG_AUTHID_ROLREPLICATION},
    {{"bypassrls", 9}, PG_AUTHID_ROLBYPASSRLS},
};

static bool set_password(CommandContext *context, CatalogRow *row, const DefElem *option)
{
    const Str password = ddl_text_option(context, option);
    const CommandHooks *hooks = context->hooks;
    Str verifier;

    row_set_null(row, PG_AUTHID_ROLPASSWORD);
    if (str_is_none(password))
        return true;
    if (password.length == 0) {
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                   STR("empty string is not a valid password, clearing password"));
        return true;
    }
    if (!hooks || !hooks->password_verifier)
        FAIL_UNSUPPORTED("PASSWORD");
    TRY(hooks->password_verifier(hooks->context, row_text(row, PG_AUTHID_ROLNAME), password,
                                 context->arena, &verifier));
    row_set_text(row, PG_AUTHID_ROLPASSWORD, verifier);
    return true;
}

static bool set_valid_until(CommandContext *context, CatalogRow *row, const DefElem *option)
{
    Value value;

    TRY(type_input(context->arena, TYPE_TIMESTAMPTZ, -1, ddl_text_option(context, option), &value));
    row_set_value(row, PG_AUTHID_ROLVALIDUNTIL, value);
    return true;
}

static bool check_duplicate_options(const DefElemVec *options)
{
    for (size_t i = 0; i < options->length; i++)
        for (size_t j = 0; j < i; j++)
            if (str_equal(options->items[i]->name, options->items[j]->name))
                FAIL(ERR_SYNTAX_ERROR, .message = STR("conflicting or redundant options"),
                     .position = options->items[i]->node.position);
    return true;
}

/* Everything but memberships. */
static bool apply_options(CommandContext *context, const DefElemVec *options, CatalogRow *row)
{
    TRY(check_duplicate_options(options));
    for (size_t i = 0; i < options->length; i++) {
        const DefElem *option = options->items[i];
        bool done = false;
        for (size_t f = 0; f < ARRAY_LENGTH(flags); f++)
            if (str_equal(option->name, flags[f].name)) {
                bool value;
                TRY(ddl_bool_option(option, &value));
                row_set_bool(row, flags[f].column, value);
                done = true;
            }
        if (done)
            continue;
        if (str_equal(option->name, STR("password"))) {
            TRY(set_password(context, row, option));
        } else if (str_equal(option->name, STR("connectionlimit"))) {
            int64_t limit;
            TRY(ddl_int_option(option, &limit));
            if (limit < -1)
                FAIL(ERR_INVALID_PARAMETER_VALUE,
                     .message = fmt("invalid connection limit: %ld", limit));
            row_set_int32(row, PG_AUTHID_ROLCONNLIMIT, (int32_t)limit);
        } else if (str_equal(option->name, STR("validUntil"))) {
            TRY(set_valid_until(context, row, option));
        } else if (str_equal(option->name, STR("sysid"))) {
            DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION, STR("SYSID can no longer be specified"));
        }
    }
    return true;
}

static bool check_powers(CatalogSession *session, const CatalogRow *row, bool is_create)
{
    if (role_is_superuser(session, session->current_user))
        return true;
    if (row->values[PG_AUTHID_ROLSUPER].boolean)
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = is_create ? STR("must be superuser to create superusers")
                                  : STR("must be superuser to alter superuser roles or change "
                                        "superuser attribute"));
    if (row->values[PG_AUTHID_ROLREPLICATION].boolean)
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = is_create ? STR("must be superuser to create replication users")
                                  : STR("must be superuser to alter replication roles or change "
                                        "replication attribute"));
    if (row->values[PG_AUTHID_ROLBYPASSRLS].boolean)
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = is_create ? STR("must be superuser to create bypassrls users")
                                  : STR("must be superuser to change bypassrls attribute"));
    return true;
}

/* ---- memberships ---- */

static RowFound membership_find(CatalogSession *session, Oid role, Oid member, CatalogRow *row)
{
    const Value keys[] = {{.oid = role}, {.oid = member}};

    return system_row_find(session, INDEX_PG_AUTH_MEMBERS_ROLE_MEMBER_INDEX, keys, 2, row);
}

static bool membership_add(CommandContext *context, Oid role, Oid member, Oid grantor, bool admin)
{
    CatalogSession *session = ddl_catalog(context);
    CatalogRow row;

    if (role_is_member(session, role, member) && !role_is_superuser(session, role))
        FAIL(ERR_INVALID_GRANT_OPERATION,
             .message =
                 fmt("role \"%.*s\" is a member of role \"%.*s\"",
                     STR_ARGS(role_name(session, role)), STR_ARGS(role_name(session, member))));
    const RowFound found = membership_find(session, role, member, &row);
    TRY(found);
    if (found == ROW_FOUND) {
        if (!admin || row.values[PG_AUTH_MEMBERS_ADMIN_OPTION].boolean) {
            NOTICE(SEVERITY_NOTICE, ERR_SUCCESSFUL_COMPLETION,
                   .message = fmt("role \"%.*s\" is already a member of role \"%.*s\"",
                                  STR_ARGS(role_name(session, member)),
                                  STR_ARGS(role_name(session, role))));
            return true;
        }
        row_set_bool(&row, PG_AUTH_MEMBERS_ADMIN_OPTION, true);
        return system_row_update(session, &row);
    }
    system_row_init(&row, CAT_PG_AUTH_MEMBERS);
    row_set_oid(&row, PG_AUTH_MEMBERS_ROLEID, role);
    row_set_oid(&row, PG_AUTH_MEMBERS_MEMBER, member);
    row_set_oid(&row, PG_AUTH_MEMBERS_GRANTOR, grantor);
    row_set_bool(&row, PG_AUTH_MEMBERS_ADMIN_OPTION, admin);
    return system_row_insert(session, &row);
}

static bool membership_remove(CommandContext *context, Oid role, Oid member, bool admin_only)
{
    CatalogSession *session = ddl_catalog(context);
    CatalogRow row;
    const RowFound found = membership_find(session, role, member, &row);

    TRY(found);
    if (found == ROW_MISSING) {
        NOTICE(SEVERITY_WARNING, ERR_WARNING,
               .message =
                   fmt("role \"%.*s\" is not a member of role \"%.*s\"",
                       STR_ARGS(role_name(session, member)), STR_ARGS(role_name(session, role))));
        return true;
    }
    if (!admin_only)
        return system_row_delete(session, &row);
    row_set_bool(&row, PG_AUTH_MEMBERS_ADMIN_OPTION, false);
    return system_row_update(session, &row);
}

/* An ExprList of RoleSpecs: the option's argument. */
static bool apply_memberships(CommandContext *context, const DefElemVec *options, Oid role,
                              int action)
{
    CatalogSession *session = ddl_catalog(context);

    for (size_t i = 0; i < options->length; i++) {
        const DefElem *option = options->items[i];
        const bool into = str_equal(option->name, STR("addroleto"));
        const bool admins = str_equal(option->name, STR("adminmembers"));
        if (!into && !admins && !str_equal(option->name, STR("rolemembers")))
            continue;
        const ExprList *list = NODE_CAST(ExprList, option->arg);
        for (size_t m = 0; m < list->items.length; m++) {
            Oid other;
            TRY(ddl_role(context, NODE_CAST(RoleSpec, list->items.items[m]), &other));
            const Oid group = into ? other : role, member = into ? role : other;
            if (action < 0)
                TRY(membership_remove(context, group, member, false));
            else
                TRY(membership_add(context, group, member, session->current_user, admins));
        }
    }
    return true;
}

static bool may_grant_role(CommandContext *context, Oid role)
{
    CatalogSession *session = ddl_catalog(context);
    CatalogRow row;

    if (role_is_superuser(session, session->current_user))
        return true;
    if (role_is_superuser(session, role))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("must be superuser to alter superusers"));
    if (may_create_roles(session))
        return true;
    const RowFound found = membership_find(session, role, session->current_user, &row);
    TRY(found);
    if (found == ROW_FOUND && row.values[PG_AUTH_MEMBERS_ADMIN_OPTION].boolean)
        return true;
    FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = fmt("must have admin option on role \"%.*s\"",
                                                    STR_ARGS(role_name(session, role))));
}

bool ddl_grant_role(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const GrantRoleStmt *statement = NODE_CAST(GrantRoleStmt, node);
    Oid grantor = session->current_user;
    OidVec members = {0};

    *ret_tag = statement->is_grant ? STR("GRANT ROLE") : STR("REVOKE ROLE");
    if (statement->grantor)
        TRY(ddl_role(context, statement->grantor, &grantor));
    for (size_t m = 0; m < statement->grantee_roles.length; m++) {
        Oid member;
        TRY(ddl_role(context, statement->grantee_roles.items[m], &member));
        VEC_PUSH(context->arena, &members, member);
    }
    for (size_t r = 0; r < statement->granted_roles.length; r++) {
        const AccessPriv *granted = statement->granted_roles.items[r];
        if (str_is_none(granted->priv_name) || granted->cols.length)
            FAIL(ERR_INVALID_GRANT_OPERATION,
                 .message = STR("column names cannot be included in GRANT/REVOKE ROLE"));
        const RoleDesc *role = role_get_name(session, granted->priv_name);
        TRY(role);
        const Oid role_oid = role->oid;
        TRY(may_grant_role(context, role_oid));
        for (size_t m = 0; m < members.length; m++) {
            const Oid member = members.items[m];
            if (statement->is_grant)
                TRY(membership_add(context, role_oid, member, grantor, statement->admin_opt));
            else
                TRY(membership_remove(context, role_oid, member, statement->admin_opt));
        }
    }
    return true;
}

/* ---- CREATE and ALTER ---- */

bool ddl_create_role(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const CreateRoleStmt *statement = NODE_CAST(CreateRoleStmt, node);
    CatalogRow row;

    *ret_tag = STR("CREATE ROLE");
    if (!may_create_roles(session))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied to create role"));
    if (str_starts_with(statement->role, STR("pg_")))
        FAIL(ERR_RESERVED_NAME,
             .message = fmt("role name \"%.*s\" is reserved", STR_ARGS(statement->role)),
             .detail = STR("Role names starting with \"pg_\" are reserved."));
    if (role_find_name(session, statement->role))
        FAIL(ERR_DUPLICATE_OBJECT,
             .message = fmt("role \"%.*s\" already exists", STR_ARGS(statement->role)));
    TRY(!error_is_set());
    const Oid oid = catalog_new_oid(session);
    TRY(oid);
    system_row_init(&row, CAT_PG_AUTHID);
    row_set_oid(&row, PG_AUTHID_OID, oid);
    row_set_text(&row, PG_AUTHID_ROLNAME, statement->role);
    for (size_t f = 0; f < ARRAY_LENGTH(flags); f++)
        row_set_bool(&row, flags[f].column, false);
    row_set_bool(&row, PG_AUTHID_ROLINHERIT, true);
    row_set_bool(&row, PG_AUTHID_ROLCANLOGIN, statement->stmt_type == ROLESTMT_USER);
    row_set_int32(&row, PG_AUTHID_ROLCONNLIMIT, -1);
    TRY(apply_options(context, &statement->options, &row));
    TRY(check_powers(session, &row, true));
    TRY(system_row_insert(session, &row));
    return apply_memberships(context, &statement->options, oid, 1);
}

static bool role_row(CommandContext *context, Oid oid, CatalogRow *row)
{
    return system_row_find(ddl_catalog(context), INDEX_PG_AUTHID_OID_INDEX, &(Value){.oid = oid}, 1,
                           row) == ROW_FOUND;
}

bool ddl_alter_role(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const AlterRoleStmt *statement = NODE_CAST(AlterRoleStmt, node);
    CatalogRow row;
    Oid oid;

    *ret_tag = STR("ALTER ROLE");
    TRY(ddl_role(context, statement->role, &oid));
    TRY(role_row(context, oid, &row));
    TRY(check_powers(session, &row, false));
    const DefElemVec *options = &statement->options;
    const bool own_password = oid == session->current_user && options->length == 1 &&
                              str_equal(options->items[0]->name, STR("password"));
    if (!may_create_roles(session) && !own_password)
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied"));
    if (statement->action < 0 ||
        (options->length && str_equal(options->items[0]->name, STR("rolemembers")))) {
        TRY(may_grant_role(context, oid));
        return apply_memberships(context, options, oid, statement->action);
    }
    TRY(apply_options(context, options, &row));
    TRY(check_powers(session, &row, false));
    return system_row_update(session, &row);
}

/* ---- DROP ---- */

/* Objects in the order of their making. */
static int dependent_order(const void *a, const void *b)
{
    static const int columns[] = {PG_SHDEPEND_OBJID, PG_SHDEPEND_CLASSID};
    const CatalogRow *x = *(CatalogRow *const *)a, *y = *(CatalogRow *const *)b;

    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++) {
        const Oid left = row_oid(x, columns[i]), right = row_oid(y, columns[i]);
        if (left != right)
            return left < right ? -1 : 1;
    }
    const int32_t left = x->values[PG_SHDEPEND_OBJSUBID].int32;
    const int32_t right = y->values[PG_SHDEPEND_OBJSUBID].int32;
    return (left > right) - (left < right);
}

/* What the role owns or is granted, here and in other databases. */
static bool check_unused(CommandContext *context, Oid oid, Str name)
{
    CatalogSession *session = ddl_catalog(context);
    const Value keys[] = {{.oid = RELATION_PG_AUTHID}, {.oid = oid}};
    StrBuf detail = strbuf_in(context->arena);
    CatalogRowVec rows = {0};
    uint32_t elsewhere = 0;

    TRY(system_rows_find(session, INDEX_PG_SHDEPEND_REFERENCE_INDEX, keys, 2, &rows));
    if (rows.length > 1)
        qsort(rows.items, rows.length, sizeof(rows.items[0]), dependent_order);
    for (size_t i = 0; i < rows.length; i++) {
        const CatalogRow *row = rows.items[i];
        const Oid database = row_oid(row, PG_SHDEPEND_DBID);
        if (database != SHARED_DATABASE && database != session->database_oid) {
            elsewhere++;
            continue;
        }
        const ObjectAddress object = {row_oid(row, PG_SHDEPEND_CLASSID),
                                      row_oid(row, PG_SHDEPEND_OBJID),
                                      row->values[PG_SHDEPEND_OBJSUBID].int32};
        if (object.class_oid == RELATION_PG_TYPE)
            continue; /* row types come with their tables */
        if (detail.length)
            strbuf_append_char(&detail, '\n');
        strbuf_format(&detail, "%s %.*s",
                      row_char(row, PG_SHDEPEND_DEPTYPE) == 'o' ? "owner of" : "privileges for",
                      STR_ARGS(object_describe(session, object, context->arena)));
    }
    if (elsewhere)
        strbuf_format(&detail, "%s%u object%s in other databases", detail.length ? "\n" : "",
                      elsewhere, elsewhere == 1 ? "" : "s");
    if (detail.length)
        FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
             .message = fmt("role \"%.*s\" cannot be dropped because some objects depend on it",
                            STR_ARGS(name)),
             .detail = strbuf_view(&detail));
    return true;
}

static bool rows_delete(CatalogSession *session, CatalogIndexId index, Value key)
{
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, index, &key, 1, &rows));
    for (size_t i = 0; i < rows.length; i++)
        TRY(system_row_delete(session, rows.items[i]));
    return true;
}

static bool settings_delete(CatalogSession *session, int column, Oid oid)
{
    CatalogRowVec rows = {0};

    TRY(system_rows_all(session, CAT_PG_DB_ROLE_SETTING, &rows));
    for (size_t i = 0; i < rows.length; i++)
        if (row_oid(rows.items[i], column) == oid)
            TRY(system_row_delete(session, rows.items[i]));
    return true;
}

static bool drop_role(CommandContext *context, const RoleDesc *role)
{
    CatalogSession *session = ddl_catalog(context);
    const Oid oid = role->oid;
    CatalogRow row;

    if (oid == session->current_user)
        FAIL(ERR_OBJECT_IN_USE, .message = STR("current user cannot be dropped"));
    if (oid == session->session_user || oid == session->authenticated_user)
        FAIL(ERR_OBJECT_IN_USE, .message = STR("session user cannot be dropped"));
    if (role->superuser && !role_is_superuser(session, session->current_user))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("must be superuser to drop superusers"));
    if (oid < OID_FIRST_USER)
        FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
             .message = fmt("cannot drop role %.*s because it is required by the database system",
                            STR_ARGS(role->name)));
    TRY(check_unused(context, oid, role->name));
    TRY(rows_delete(session, INDEX_PG_AUTH_MEMBERS_ROLE_MEMBER_INDEX, (Value){.oid = oid}));
    TRY(rows_delete(session, INDEX_PG_AUTH_MEMBERS_MEMBER_ROLE_INDEX, (Value){.oid = oid}));
    TRY(settings_delete(session, PG_DB_ROLE_SETTING_SETROLE, oid));
    TRY(define_comment(session, (ObjectAddress){RELATION_PG_AUTHID, oid, 0}, STR_NONE));
    TRY(role_row(context, oid, &row));
    return system_row_delete(session, &row);
}

bool ddl_drop_role(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const DropRoleStmt *statement = NODE_CAST(DropRoleStmt, node);

    *ret_tag = STR("DROP ROLE");
    if (!may_create_roles(session))
        FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied to drop role"));
    for (size_t i = 0; i < statement->roles.length; i++) {
        const RoleSpec *spec = statement->roles.items[i];
        if (spec->kind != ROLESPEC_NAME)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = STR("cannot use special role specifier in DROP ROLE"));
        Oid locked;
        TRY(ddl_lock_role(context, spec->name, LOCK_ACCESS_EXCLUSIVE, &locked));
        const RoleDesc *role = role_find_name(session, spec->name);
        TRY(role || !error_is_set());
        if (!role && !statement->missing_ok)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("role \"%.*s\" does not exist", STR_ARGS(spec->name)));
        if (!role)
            DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION,
                       fmt("role \"%.*s\" does not exist, skipping", STR_ARGS(spec->name)));
        else
            TRY(drop_role(context, role));
    }
    return true;
}

/* ---- ALTER ROLE/DATABASE … SET ---- */

static Str setting_of(Str entry)
{
    const size_t equals = str_find_char(entry, '=', 0);

    return str_slice(entry, 0, equals == SIZE_MAX ? entry.length : equals);
}

/* The value of SET name = …, as one text. */
static bool set_value(CommandContext *context, const VariableSetStmt *set, Str *ret_value)
{
    StrBuf text = strbuf_in(context->arena);
    const uint32_t kind = setting_flags(set->name);

    if (set->args.length > 1 && !(kind & (SETTING_IS_LIST | SETTING_IS_NAME_LIST)))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("SET %.*s takes only one argument", STR_ARGS(set->name)));
    for (size_t i = 0; i < set->args.length; i++) {
        const DefElem wrapped = {.name = set->name, .arg = set->args.items[i]};
        const Str item = ddl_text_option(context, &wrapped);
        if (i > 0)
            strbuf_append_c(&text, ", ");
        strbuf_append(&text,
                      kind & SETTING_IS_NAME_LIST ? identifier_quote(context->arena, item) : item);
    }
    *ret_value = strbuf_view(&text);
    return true;
}

static bool settings_change(CommandContext *context, Oid database, Oid role,
                            const VariableSetStmt *set)
{
    CatalogSession *session = ddl_catalog(context);
    const Value keys[] = {{.oid = database}, {.oid = role}};
    const bool removes = set->kind == VAR_RESET || set->kind == VAR_SET_DEFAULT;
    ArrayBuilder builder;
    CatalogRow row;
    Str value = STR("");

    if (set->kind == VAR_SET_CURRENT || set->kind == VAR_SET_MULTI)
        FAIL_UNSUPPORTED("SET … FROM CURRENT for roles and databases");
    if (set->kind == VAR_SET_VALUE) {
        TRY(set_value(context, set, &value));
        if (context->hooks && context->hooks->setting_check)
            TRY(context->hooks->setting_check(context->hooks->context, set->name, value,
                                              context->arena, &value));
    }
    if (removes && context->hooks && context->hooks->setting_check)
        TRY(context->hooks->setting_check(context->hooks->context, set->name, STR_NONE,
                                          context->arena, &value));
    const RowFound found =
        system_row_find(session, INDEX_PG_DB_ROLE_SETTING_DATABASEID_ROL_INDEX, keys, 2, &row);
    TRY(found);
    array_builder_init(&builder, context->arena, TYPE_TEXT);
    if (found == ROW_FOUND && set->kind != VAR_RESET_ALL) {
        ArrayView view;
        TRY(array_open(&row.values[PG_DB_ROLE_SETTING_SETCONFIG], &view));
        for (int i = 0; i < view.count; i++) {
            Value entry;
            bool is_null;
            array_element(&view, i, &entry, &is_null);
            if (!str_equal_nocase(setting_of(var_str(entry.var)), set->name))
                array_builder_add(&builder, &entry, false);
        }
    }
    if (!removes && set->kind != VAR_RESET_ALL) {
        const Str entry =
            str_format(context->arena, "%.*s=%.*s", STR_ARGS(set->name), STR_ARGS(value));
        array_builder_add(&builder, &(Value){.var = var_from_str(entry)}, false);
    }
    if (builder.count == 0)
        return found == ROW_MISSING || system_row_delete(session, &row);
    if (found == ROW_MISSING) {
        system_row_init(&row, CAT_PG_DB_ROLE_SETTING);
        row.row_id = 0;
        row_set_oid(&row, PG_DB_ROLE_SETTING_SETDATABASE, database);
        row_set_oid(&row, PG_DB_ROLE_SETTING_SETROLE, role);
    }
    TRY(array_builder_finish(&builder, &row.values[PG_DB_ROLE_SETTING_SETCONFIG]));
    row.nulls[PG_DB_ROLE_SETTING_SETCONFIG] = false;
    return found == ROW_MISSING ? system_row_insert(session, &row)
                                : system_row_update(session, &row);
}

bool ddl_alter_role_set(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const AlterRoleSetStmt *statement = NODE_CAST(AlterRoleSetStmt, node);
    Oid role = OID_NONE, database = OID_NONE;

    *ret_tag = STR("ALTER ROLE");
    if (statement->role) {
        TRY(ddl_role(context, statement->role, &role));
        TRY(role_keep(session, role));
        const bool superuser = role_is_superuser(session, session->current_user);
        if (role_is_superuser(session, role) && !superuser)
            FAIL(ERR_INSUFFICIENT_PRIVILEGE,
                 .message = STR("must be superuser to alter superusers"));
        if (!may_create_roles(session) && role != session->current_user)
            FAIL(ERR_INSUFFICIENT_PRIVILEGE, .message = STR("permission denied"));
    } else if (!role_is_superuser(session, session->current_user)) {
        FAIL(ERR_INSUFFICIENT_PRIVILEGE,
             .message = STR("must be superuser to alter settings globally"));
    }
    if (statement->database.length) {
        const DatabaseDesc *desc = database_get_name(session, statement->database);
        TRY(desc);
        database = desc->oid;
    }
    return settings_change(context, database, role, statement->setstmt);
}

bool ddl_alter_database_set(CommandContext *context, const Node *node, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const AlterDatabaseSetStmt *statement = NODE_CAST(AlterDatabaseSetStmt, node);
    const DatabaseDesc *database = database_get_name(session, statement->dbname);

    *ret_tag = STR("ALTER DATABASE");
    TRY(database);
    TRY(privilege_check_owner(session, ON_DATABASE, database->oid));
    return settings_change(context, database->oid, OID_NONE, statement->setstmt);
}
