/*
 * has_table_privilege and its kin. Each comes in six forms: the user by name, by OID or the current
 * one; the object by name or OID. An object that is not there gives NULL for an OID, an
 * error for a name.
 */
#include "catalog/define.h"
#include "catalog/function_session.h"
#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"

typedef enum Found { FOUND_ERROR = 0, FOUND_YES, FOUND_NONE } Found;

/* "public" is a name of everybody. */
static bool role_by_name(CatalogSession *session, Str name, Oid *ret_role)
{
    if (str_equal(name, STR("public"))) {
        *ret_role = ROLE_PUBLIC;
        return true;
    }
    const RoleDesc *role = role_get_name(session, name);
    TRY(role);
    *ret_role = role->oid;
    return true;
}

static bool relation_by_name(CatalogSession *session, Str text, Oid *ret_oid)
{
    return catalog_reg_input(session, TYPE_REGCLASS, text, ret_oid);
}

static bool object_by_name(CatalogSession *session, PrivilegeTarget kind, Str text, Oid *ret_oid)
{
    switch (kind) {
    case ON_TABLE:
    case ON_COLUMN:
    case ON_SEQUENCE:
        return relation_by_name(session, text, ret_oid);
    case ON_SCHEMA:
        *ret_oid = namespace_get(session, text, 0);
        return *ret_oid != OID_NONE;
    case ON_DATABASE: {
        const DatabaseDesc *database = database_get_name(session, text);
        TRY(database);
        *ret_oid = database->oid;
        return true;
    }
    case ON_FUNCTION:
        return catalog_reg_input(session, TYPE_REGPROCEDURE, text, ret_oid);
    case ON_TYPE:
        return catalog_reg_input(session, TYPE_REGTYPE, text, ret_oid);
    case ON_LANGUAGE:
        *ret_oid = language_oid(session, text);
        if (!*ret_oid)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("language \"%.*s\" does not exist", STR_ARGS(text)));
        return true;
    case ON_TABLESPACE:
        *ret_oid = tablespace_oid(session, text);
        if (!*ret_oid)
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("tablespace \"%.*s\" does not exist", STR_ARGS(text)));
        return true;
    default:
        FAIL(ERR_INTERNAL_ERROR, .message = STR("unexpected kind of object"));
    }
}

static Found object_exists(CatalogSession *session, PrivilegeTarget kind, Oid oid)
{
    bool exists = true;

    switch (kind) {
    case ON_TABLE:
    case ON_COLUMN:
    case ON_SEQUENCE:
        exists = relation_find(session, oid) != NULL;
        break;
    case ON_SCHEMA:
        exists = !str_is_none(namespace_name(session, oid));
        break;
    case ON_DATABASE:
        exists = database_find(session, oid) != NULL;
        break;
    case ON_FUNCTION:
        exists = function_find(session, oid) != NULL;
        break;
    case ON_TYPE:
        exists = type_find(session, oid) != NULL;
        break;
    case ON_LANGUAGE:
        exists = !str_is_none(language_name(session, oid));
        break;
    case ON_TABLESPACE:
        exists = oid == TABLESPACE_DEFAULT || oid == TABLESPACE_GLOBAL;
        break;
    default:
        break;
    }
    if (error_is_set())
        return FOUND_ERROR;
    return exists ? FOUND_YES : FOUND_NONE;
}

static bool answer(CatalogSession *session, PrivilegeTarget kind, Oid object, Oid role, Str names,
                   Value *ret, bool *ret_null)
{
    AclRights rights, options;

    TRY(privilege_parse_names(names, kind, &rights, &options));
    switch (object_exists(session, kind, object)) {
    case FOUND_ERROR:
        return false;
    case FOUND_NONE:
        *ret_null = true;
        return true;
    case FOUND_YES:
        break;
    }
    ret->boolean = privilege_has(session, kind, object, role, rights, options);
    return !error_is_set();
}

#define SESSION CatalogSession *session = function_session(call)
#define CURRENT (session->current_user)
#define TEXT(i) var_str(args[i].var)

#define HAS_PRIVILEGE(stem, kind)                                                                  \
    FUNCTION(has_##stem##_privilege_name_name)                                                     \
    {                                                                                              \
        SESSION;                                                                                   \
        Oid role, object;                                                                          \
        TRY(role_by_name(session, TEXT(0), &role));                                                \
        TRY(object_by_name(session, kind, TEXT(1), &object));                                      \
        return answer(session, kind, object, role, TEXT(2), ret, ret_null);                        \
    }                                                                                              \
    FUNCTION(has_##stem##_privilege_name_id)                                                       \
    {                                                                                              \
        SESSION;                                                                                   \
        Oid role;                                                                                  \
        TRY(role_by_name(session, TEXT(0), &role));                                                \
        return answer(session, kind, args[1].oid, role, TEXT(2), ret, ret_null);                   \
    }                                                                                              \
    FUNCTION(has_##stem##_privilege_id_name)                                                       \
    {                                                                                              \
        SESSION;                                                                                   \
        Oid object;                                                                                \
        TRY(object_by_name(session, kind, TEXT(1), &object));                                      \
        return answer(session, kind, object, args[0].oid, TEXT(2), ret, ret_null);                 \
    }                                                                                              \
    FUNCTION(has_##stem##_privilege_id_id)                                                         \
    {                                                                                              \
        SESSION;                                                                                   \
        return answer(session, kind, args[1].oid, args[0].oid, TEXT(2), ret, ret_null);            \
    }                                                                                              \
    FUNCTION(has_##stem##_privilege_name)                                                          \
    {                                                                                              \
        SESSION;                                                                                   \
        Oid object;                                                                                \
        TRY(object_by_name(session, kind, TEXT(0), &object));                                      \
        return answer(session, kind, object, CURRENT, TEXT(1), ret, ret_null);                     \
    }                                                                                              \
    FUNCTION(has_##stem##_privilege_id)                                                            \
    {                                                                                              \
        SESSION;                                                                                   \
        return answer(session, kind, args[0].oid, CURRENT, TEXT(1), ret, ret_null);                \
    }

HAS_PRIVILEGE(table, ON_TABLE)
HAS_PRIVILEGE(sequence, ON_SEQUENCE)
HAS_PRIVILEGE(schema, ON_SCHEMA)
HAS_PRIVILEGE(database, ON_DATABASE)
HAS_PRIVILEGE(function, ON_FUNCTION)
HAS_PRIVILEGE(type, ON_TYPE)
HAS_PRIVILEGE(language, ON_LANGUAGE)
HAS_PRIVILEGE(tablespace, ON_TABLESPACE)

/* ---- settings: superusers may change any, and nobody else has been granted one ---- */

static bool parameter_answer(CatalogSession *session, Oid role, Str names, Value *ret)
{
    AclRights rights, options;

    TRY(privilege_parse_names(names, ON_PARAMETER, &rights, &options));
    ret->boolean = role_is_superuser(session, role);
    return !error_is_set();
}

FUNCTION(has_parameter_privilege_name_name)
{
    SESSION;
    Oid role;
    TRY(role_by_name(session, TEXT(0), &role));
    return parameter_answer(session, role, TEXT(2), ret);
}

FUNCTION(has_parameter_privilege_id_name)
{
    SESSION;
    return parameter_answer(session, args[0].oid, TEXT(2), ret);
}

FUNCTION(has_parameter_privilege_name)
{
    SESSION;
    return parameter_answer(session, CURRENT, TEXT(1), ret);
}

/* ---- columns ---- */

static bool column_answer(CatalogSession *session, Oid relation_oid_, int attnum, Oid role,
                          Str names, Value *ret, bool *ret_null)
{
    AclRights rights, options;
    const RelationDesc *relation = relation_find(session, relation_oid_);

    TRY(relation || !error_is_set());
    TRY(privilege_parse_names(names, ON_COLUMN, &rights, &options));
    const ColumnDesc *column = relation ? relation_column_at(relation, attnum) : NULL;
    if (!relation || (!column && attnum > 0) || (column && column->dropped)) {
        *ret_null = true;
        return true;
    }
    ret->boolean = privilege_has(session, ON_TABLE, relation_oid_, role, rights, options) ||
                   privilege_column_rights(session, relation_oid_, attnum, role, rights) != 0;
    return !error_is_set();
}

static bool attnum_of(CatalogSession *session, Oid relation_oid_, Str name, int *ret_attnum)
{
    const RelationDesc *relation = relation_find(session, relation_oid_);
    const ColumnDesc *column = relation ? relation_column(relation, name) : NULL;
    const SystemColumn *system = column ? NULL : system_column_find(name);

    TRY(relation || !error_is_set());
    *ret_attnum = 0;
    if (!relation)
        return true;
    if (!column && !system)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist", STR_ARGS(name),
                            STR_ARGS(relation->name)));
    *ret_attnum = column ? column->attnum : system->attnum;
    return true;
}

/* The user (by `get_role`), the table and the column, in the forms' order of arguments. */
#define HAS_COLUMN(suffix, get_role, get_table, get_column, names)                                 \
    FUNCTION(has_column_privilege_##suffix)                                                        \
    {                                                                                              \
        SESSION;                                                                                   \
        Oid role, table;                                                                           \
        int attnum;                                                                                \
        TRY(get_role);                                                                             \
        TRY(get_table);                                                                            \
        TRY(get_column);                                                                           \
        return column_answer(session, table, attnum, role, names, ret, ret_null);                  \
    }
#define ROLE_NAME role_by_name(session, TEXT(0), &role)
#define ROLE_ID ((role = args[0].oid), true)
#define ROLE_SELF ((role = CURRENT), true)
#define TABLE_NAME(i) relation_by_name(session, TEXT(i), &table)
#define TABLE_ID(i) ((table = args[i].oid), true)
#define COLUMN_NAME(i) attnum_of(session, table, TEXT(i), &attnum)
#define COLUMN_NUMBER(i) ((attnum = args[i].int16), true)

HAS_COLUMN(name_name_name, ROLE_NAME, TABLE_NAME(1), COLUMN_NAME(2), TEXT(3))
HAS_COLUMN(name_name_attnum, ROLE_NAME, TABLE_NAME(1), COLUMN_NUMBER(2), TEXT(3))
HAS_COLUMN(name_id_name, ROLE_NAME, TABLE_ID(1), COLUMN_NAME(2), TEXT(3))
HAS_COLUMN(name_id_attnum, ROLE_NAME, TABLE_ID(1), COLUMN_NUMBER(2), TEXT(3))
HAS_COLUMN(id_name_name, ROLE_ID, TABLE_NAME(1), COLUMN_NAME(2), TEXT(3))
HAS_COLUMN(id_name_attnum, ROLE_ID, TABLE_NAME(1), COLUMN_NUMBER(2), TEXT(3))
HAS_COLUMN(id_id_name, ROLE_ID, TABLE_ID(1), COLUMN_NAME(2), TEXT(3))
HAS_COLUMN(id_id_attnum, ROLE_ID, TABLE_ID(1), COLUMN_NUMBER(2), TEXT(3))
HAS_COLUMN(name_name, ROLE_SELF, TABLE_NAME(0), COLUMN_NAME(1), TEXT(2))
HAS_COLUMN(name_attnum, ROLE_SELF, TABLE_NAME(0), COLUMN_NUMBER(1), TEXT(2))
HAS_COLUMN(id_name, ROLE_SELF, TABLE_ID(0), COLUMN_NAME(1), TEXT(2))
HAS_COLUMN(id_attnum, ROLE_SELF, TABLE_ID(0), COLUMN_NUMBER(1), TEXT(2))

static bool any_column_answer(CatalogSession *session, Oid relation_oid_, Oid role, Str names,
                              Value *ret, bool *ret_null)
{
    AclRights rights, options;
    const RelationDesc *relation = relation_find(session, relation_oid_);

    TRY(relation || !error_is_set());
    TRY(privilege_parse_names(names, ON_COLUMN, &rights, &options));
    if (!relation) {
        *ret_null = true;
        return true;
    }
    bool has = privilege_has(session, ON_TABLE, relation_oid_, role, rights, options);
    for (int i = 0; i < relation->column_count && !has; i++)
        has = !relation->columns[i].dropped &&
              privilege_column_rights(session, relation_oid_, i + 1, role, rights) != 0;
    ret->boolean = has;
    return !error_is_set();
}

#define HAS_ANY_COLUMN(suffix, get_role, get_table, names)                                         \
    FUNCTION(has_any_column_privilege_##suffix)                                                    \
    {                                                                                              \
        SESSION;                                                                                   \
        Oid role, table;                                                                           \
        TRY(get_role);                                                                             \
        TRY(get_table);                                                                            \
        return any_column_answer(session, table, role, names, ret, ret_null);                      \
    }
HAS_ANY_COLUMN(name_name, ROLE_NAME, TABLE_NAME(1), TEXT(2))
HAS_ANY_COLUMN(name_id, ROLE_NAME, TABLE_ID(1), TEXT(2))
HAS_ANY_COLUMN(id_name, ROLE_ID, TABLE_NAME(1), TEXT(2))
HAS_ANY_COLUMN(id_id, ROLE_ID, TABLE_ID(1), TEXT(2))
HAS_ANY_COLUMN(name, ROLE_SELF, TABLE_NAME(0), TEXT(1))
HAS_ANY_COLUMN(id, ROLE_SELF, TABLE_ID(0), TEXT(1))

/* ---- pg_has_role ---- */

static bool role_answer(CatalogSession *session, Oid member, Oid role, Str text, Value *ret)
{
    const Str word = str_trim(text);

    if (str_equal_nocase(word, STR("MEMBER")))
        ret->boolean = role_is_member(session, member, role);
    else if (str_equal_nocase(word, STR("USAGE")))
        ret->boolean = role_has_privileges_of(session, member, role);
    else if (str_ends_with(word, STR("OPTION")) || str_ends_with(word, STR("option")))
        ret->boolean = role_is_superuser(session, member);
    else
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("unrecognized privilege type: \"%.*s\"", STR_ARGS(text)));
    return !error_is_set();
}

#define HAS_ROLE(suffix, get_role, get_table, names)                                               \
    FUNCTION(pg_has_role_##suffix)                                                                 \
    {                                                                                              \
        SESSION;                                                                                   \
        Oid role, table;                                                                           \
        TRY(get_role);                                                                             \
        TRY(get_table);                                                                            \
        return role_answer(session, role, table, names, ret);                                      \
    }
HAS_ROLE(name_name, ROLE_NAME, role_by_name(session, TEXT(1), &table), TEXT(2))
HAS_ROLE(name_id, ROLE_NAME, TABLE_ID(1), TEXT(2))
HAS_ROLE(id_name, ROLE_ID, role_by_name(session, TEXT(1), &table), TEXT(2))
HAS_ROLE(id_id, ROLE_ID, TABLE_ID(1), TEXT(2))
HAS_ROLE(name, ROLE_SELF, role_by_name(session, TEXT(0), &table), TEXT(1))
HAS_ROLE(id, ROLE_SELF, TABLE_ID(0), TEXT(1))

/* ---- lists ---- */

FUNCTION(acldefault_sql)
{
    static const struct {
        char letter;
        PrivilegeTarget kind;
    } kinds[] = {{'c', ON_COLUMN},        {'r', ON_TABLE},        {'s', ON_SEQUENCE},
                 {'d', ON_DATABASE},      {'f', ON_FUNCTION},     {'l', ON_LANGUAGE},
                 {'n', ON_SCHEMA},        {'t', ON_TABLESPACE},   {'T', ON_TYPE},
                 {'p', ON_PARAMETER},     {'L', ON_LARGE_OBJECT}, {'F', ON_FOREIGN_DATA_WRAPPER},
                 {'S', ON_FOREIGN_SERVER}};
    Acl acl;

    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].letter == (char)args[0].int8) {
            acl_default(call->arena, kinds[i].kind, args[1].oid, &acl);
            return acl_to_value(call->arena, &acl, ret);
        }
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("unrecognized object type abbreviation: %c", (char)args[0].int8));
}

FUNCTION(makeaclitem)
{
    AclRights rights, options;
    AclItem *item = ARENA_NEW(call->arena, AclItem);

    /* The words of all kinds of objects are known here. */
    const PrivilegeTarget kinds[] = {ON_TABLE, ON_DATABASE, ON_SCHEMA, ON_FUNCTION};
    bool ok = false;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds) && !ok; i++) {
        if (error_is_set())
            error_clear();
        ok = privilege_parse_names(var_str(args[2].var), kinds[i], &rights, &options);
    }
    TRY(ok);
    *item = (AclItem){args[0].oid, args[1].oid, rights, args[3].boolean ? rights : 0};
    ret->var = var_make(item, sizeof(*item));
    return true;
}

#define NO_LONGER(symbol)                                                                          \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR(#symbol " is no longer supported"));        \
    }
NO_LONGER(aclinsert)
NO_LONGER(aclremove)

FUNCTION(aclcontains)
{
    Acl acl;
    AclItem wanted;

    TRY(acl_from_value(call->arena, &args[0], &acl));
    memcpy(&wanted, args[1].var.data, sizeof(wanted));
    for (size_t i = 0; i < acl.length; i++) {
        const AclItem *item = &acl.items[i];
        if (item->grantee == wanted.grantee && item->grantor == wanted.grantor &&
            (wanted.rights & ~item->rights) == 0 &&
            (wanted.grant_options & ~item->grant_options) == 0) {
            ret->boolean = true;
            return true;
        }
    }
    ret->boolean = false;
    return true;
}

typedef struct Explosion {
    Acl acl;
    size_t item;
    int bit;
} Explosion;

SET_FUNCTION(aclexplode)
{
    Explosion *state = *cursor;

    if (!state) {
        state = ARENA_NEW(call->site_arena, Explosion);
        TRY(acl_from_value(call->site_arena, &args[0], &state->acl));
        *cursor = state;
    }
    for (; state->item < state->acl.length; state->item++, state->bit = 0)
        for (; state->bit < 14; state->bit++) {
            const AclItem *item = &state->acl.items[state->item];
            const AclRights right = 1u << state->bit;
            if (!(item->rights & right))
                continue;
            ret[0].oid = item->grantor;
            ret[1].oid = item->grantee;
            ret[2].var = var_from_str(privilege_name((AclRight)right));
            ret[3].boolean = item->grant_options & right;
            memset(ret_nulls, 0, 4);
            *ret_done = false;
            state->bit++;
            return true;
        }
    *ret_done = true;
    return true;
}
