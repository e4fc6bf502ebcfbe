#include "catalog/privilege.h"

#include "base/error.h"
#include "base/task.h"
#include "catalog/catalog_internal.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/object.h"
#include "catalog/relation.h"
#include "types/array.h"
#include "types/identifier.h"

/* By bit position: the letter and the name. */
static const struct {
    char letter;
    Str name;
} rights_table[] = {
    {'a', {"INSERT", 6}},  {'r', {"SELECT", 6}},        {'w', {"UPDATE", 6}},
    {'d', {"DELETE", 6}},  {'D', {"TRUNCATE", 8}},      {'x', {"REFERENCES", 10}},
    {'t', {"TRIGGER", 7}}, {'X', {"EXECUTE", 7}},       {'U', {"USAGE", 5}},
    {'C', {"CREATE", 6}},  {'T', {"TEMPORARY", 9}},     {'c', {"CONNECT", 7}},
    {'s', {"SET", 3}},     {'A', {"ALTER SYSTEM", 12}},
};

Str privilege_name(AclRight right)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rights_table); i++)
        if (right == (AclRight)(1u << i))
            return rights_table[i].name;
    return STR("");
}

AclRights acl_all_rights(PrivilegeTarget kind)
{
    switch (kind) {
    case ON_TABLE:
    case ON_VIEW:
    case ON_MATVIEW:
        return ACL_INSERT | ACL_SELECT | ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE | ACL_REFERENCES |
               ACL_TRIGGER;
    case ON_COLUMN:
        return ACL_INSERT | ACL_SELECT | ACL_UPDATE | ACL_REFERENCES;
    case ON_SEQUENCE:
        return ACL_USAGE | ACL_SELECT | ACL_UPDATE;
    case ON_DATABASE:
        return ACL_CREATE | ACL_TEMPORARY | ACL_CONNECT;
    case ON_SCHEMA:
        return ACL_USAGE | ACL_CREATE;
    case ON_FUNCTION:
    case ON_AGGREGATE:
        return ACL_EXECUTE;
    case ON_TYPE:
    case ON_DOMAIN:
    case ON_LANGUAGE:
    case ON_FOREIGN_SERVER:
    case ON_FOREIGN_DATA_WRAPPER:
        return ACL_USAGE;
    case ON_TABLESPACE:
        return ACL_CREATE;
    case ON_PARAMETER:
        return ACL_SET | ACL_ALTER_SYSTEM;
    case ON_LARGE_OBJECT:
        return ACL_SELECT | ACL_UPDATE;
    default:
        return 0;
    }
}

void acl_default(Arena *arena, PrivilegeTarget kind, Oid owner, Acl *ret_acl)
{
    AclRights everybody = 0;

    *ret_acl = (Acl){0};
    if (kind == ON_COLUMN)
        return;
    if (kind == ON_DATABASE)
        everybody = ACL_TEMPORARY | ACL_CONNECT;
    else if (kind == ON_FUNCTION || kind == ON_AGGREGATE)
        everybody = ACL_EXECUTE;
    else if (kind == ON_TYPE || kind == ON_DOMAIN || kind == ON_LANGUAGE)
        everybody = ACL_USAGE;
    if (everybody)
        VEC_PUSH(arena, ret_acl, ((AclItem){ROLE_PUBLIC, owner, everybody, 0}));
    VEC_PUSH(arena, ret_acl, ((AclItem){owner, owner, acl_all_rights(kind), 0}));
}

/* ---- stored and printed forms ---- */

static_assert(sizeof(AclItem) == 16, "the stored form of an aclitem is an AclItem");

bool acl_from_value(Arena *arena, const Value *array, Acl *ret_acl)
{
    ArrayView view;

    TRY(array_open(array, &view));
    *ret_acl = (Acl){0};
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        AclItem item;
        array_element(&view, i, &value, &is_null);
        if (is_null || value.var.length != sizeof(item))
            FAIL(ERR_DATA_CORRUPTED, .message = STR("malformed aclitem"));
        memcpy(&item, value.var.data, sizeof(item));
        VEC_PUSH(arena, ret_acl, item);
    }
    return true;
}

bool acl_to_value(Arena *arena, const Acl *acl, Value *ret_array)
{
    Value *values = ARENA_ARRAY(arena, Value, acl->length + 1);

    for (size_t i = 0; i < acl->length; i++)
        values[i].var = var_make(&acl->items[i], sizeof(AclItem));
    return array_from_values(arena, TYPE_ACLITEM, values, (int)acl->length, ret_array);
}

static void append_role(CatalogSession *session, Oid role, StrBuf *text)
{
    const RoleDesc *desc = session && session->txn ? role_find(session, role) : NULL;

    if (desc)
        strbuf_append(text, identifier_quote(session->arena, desc->name));
    else
        strbuf_format(text, "%u", role);
}

Str acl_item_print(CatalogSession *session, const AclItem *item, Arena *arena)
{
    StrBuf text = strbuf_in(arena);

    if (item->grantee != ROLE_PUBLIC)
        append_role(session, item->grantee, &text);
    strbuf_append_char(&text, '=');
    for (size_t i = 0; i < ARRAY_LENGTH(rights_table); i++) {
        if (item->rights & 1u << i)
            strbuf_append_char(&text, rights_table[i].letter);
        if (item->grant_options & 1u << i)
            strbuf_append_char(&text, '*');
    }
    strbuf_append_char(&text, '/');
    append_role(session, item->grantor, &text);
    return strbuf_view(&text);
}

/* A role's name, quoted or plain, up to `stop`; digits alone are an OID. */
static bool take_role(CatalogSession *session, Str *rest, char stop, Oid *ret_role)
{
    StrBuf name = strbuf_in(session->arena);
    size_t i = 0;
    bool quoted = false;
    uint64_t number;

    for (; i < rest->length && (quoted || rest->data[i] != stop); i++) {
        if (rest->data[i] == '"')
            quoted = !quoted;
        else
            strbuf_append_char(&name, rest->data[i]);
    }
    *rest = str_slice(*rest, i, SIZE_MAX);
    const Str text = str_trim(strbuf_view(&name));
    if (text.length == 0) {
        *ret_role = ROLE_PUBLIC;
        return true;
    }
    const RoleDesc *role = role_find_name(session, text);
    if (!role && str_to_uint64(text, &number) && number <= UINT32_MAX) {
        *ret_role = (Oid)number;
        return true;
    }
    TRY(role || (role = role_get_name(session, text)));
    *ret_role = role->oid;
    return true;
}

bool acl_item_parse(CatalogSession *session, Str text, AclItem *ret_item)
{
    Str rest = text;
    AclItem item = {0};

    TRY(take_role(session, &rest, '=', &item.grantee));
    if (rest.length == 0 || rest.data[0] != '=')
        FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("missing \"=\" sign"));
    size_t i = 1;
    AclRights last = 0;
    for (; i < rest.length && rest.data[i] != '/'; i++) {
        size_t r = 0;
        if (rest.data[i] == '*') {
            item.grant_options |= last;
            continue;
        }
        while (r < ARRAY_LENGTH(rights_table) && rights_table[r].letter != rest.data[i])
            r++;
        if (r == ARRAY_LENGTH(rights_table))
            FAIL(ERR_INVALID_TEXT_REPRESENTATION,
                 .message = STR("invalid mode character: must be one of \"arwdDxtXUCTcsA\""));
        last = 1u << r;
        item.rights |= last;
    }
    rest = str_slice(rest, i, SIZE_MAX);
    item.grantor = ROLE_BOOTSTRAP_SUPERUSER;
    if (rest.length > 0) {
        rest = str_slice(rest, 1, SIZE_MAX);
        TRY(take_role(session, &rest, '\0', &item.grantor));
    }
    *ret_item = item;
    return true;
}

/* ---- granting ---- */

static AclItem *item_of(Acl *acl, Oid grantor, Oid grantee)
{
    for (size_t i = 0; i < acl->length; i++)
        if (acl->items[i].grantor == grantor && acl->items[i].grantee == grantee)
            return &acl->items[i];
    return NULL;
}

void acl_grant(Arena *arena, Acl *acl, Oid grantor, Oid grantee, AclRights rights,
               bool with_grant_option)
{
    AclItem *item = item_of(acl, grantor, grantee);

    if (!item) {
        VEC_PUSH(arena, acl, ((AclItem){.grantee = grantee, .grantor = grantor}));
        item = &VEC_LAST(acl);
    }
    item->rights |= rights;
    if (with_grant_option)
        item->grant_options |= rights;
}

/* The options that a role still holds from somebody; the owner's never end. */
static AclRights options_held(const Acl *acl, Oid owner, Oid role)
{
    AclRights held = role == owner ? UINT32_MAX : 0;

    for (size_t i = 0; i < acl->length; i++)
        if (acl->items[i].grantee == role)
            held |= acl->items[i].grant_options;
    return held;
}

/* After an option is gone: what its holder granted by it goes too. */
static bool revoke_dependent(Acl *acl, Oid owner, Oid role, AclRights lost, bool cascade)
{
    const AclRights gone = lost & ~options_held(acl, owner, role);

    for (size_t i = 0; gone && i < acl->length; i++) {
        AclItem *item = &acl->items[i];
        const AclRights hit = item->rights & gone;
        if (item->grantor != role || !hit)
            continue;
        if (!cascade)
            FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST, .message = STR("dependent privileges exist"),
                 .hint = STR("Use CASCADE to revoke them too."));
        const AclRights options = item->grant_options & gone;
        item->rights &= ~hit;
        item->grant_options &= ~hit;
        TRY(revoke_dependent(acl, owner, item->grantee, options, true));
    }
    return true;
}

bool acl_revoke(Arena *arena, Acl *acl, Oid owner, Oid grantor, Oid grantee, AclRights rights,
                bool options_only, bool cascade)
{
    AclItem *item = item_of(acl, grantor, grantee);
    size_t kept = 0;

    if (!item)
        return true;
    const AclRights lost = item->grant_options & rights;
    item->grant_options &= ~rights;
    if (!options_only)
        item->rights &= ~rights;
    if (lost)
        TRY(revoke_dependent(acl, owner, grantee, lost, cascade));
    for (size_t i = 0; i < acl->length; i++)
        if (acl->items[i].rights || acl->items[i].grant_options)
            acl->items[kept++] = acl->items[i];
    acl->length = kept;
    return true;
}

AclRights acl_rights_of(CatalogSession *session, const Acl *acl, Oid role, Oid owner,
                        AclRights wanted)
{
    AclRights found = 0;

    for (size_t i = 0; i < acl->length; i++)
        if (acl->items[i].grantee == ROLE_PUBLIC || acl->items[i].grantee == role)
            found |= acl->items[i].rights;
    for (size_t i = 0; i < acl->length && (found & wanted) != wanted; i++) {
        const AclItem *item = &acl->items[i];
        if ((item->rights & wanted & ~found) && item->grantee != ROLE_PUBLIC &&
            item->grantee != role && role_has_privileges_of(session, role, item->grantee))
            found |= item->rights;
    }
    return found & wanted;
}

/* ---- objects ---- */

typedef struct Target {
    Oid owner;
    PrivilegeTarget kind; /* as precise as the object tells */
    Str name;
    Acl acl;
    bool found;
    bool is_system;
} Target;

static PrivilegeTarget target_of_relation(RelationKind kind)
{
    switch (kind) {
    case RELKIND_SEQUENCE:
        return ON_SEQUENCE;
    case RELKIND_VIEW:
        return ON_VIEW;
    case RELKIND_MATVIEW:
        return ON_MATVIEW;
    case RELKIND_INDEX:
        return ON_INDEX;
    default:
        return ON_TABLE;
    }
}

static bool target_load(CatalogSession *session, PrivilegeTarget kind, Oid object, Target *target)
{
    const Oid class_oid = privilege_target_class(kind);
    const Acl *acl = NULL;

    target->kind = kind;
    if (class_oid == RELATION_PG_CLASS) {
        const RelationDesc *relation = relation_find(session, object);
        if (!relation)
            return !error_is_set();
        target->kind = target_of_relation(relation->kind);
        target->owner = relation->owner;
        target->name = relation->name;
        target->is_system = relation->is_builtin;
        acl = relation->acl;
    } else if (class_oid == RELATION_PG_PROC && function_find(session, object)) {
        target->owner = ROLE_BOOTSTRAP_SUPERUSER;
        target->name = function_find(session, object)->name;
        acl = function_find(session, object)->acl;
    } else {
        const ObjectClass *class = object_class_find(class_oid);
        CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
        const RowFound found = object_row_find(session, class_oid, object, row);
        TRY(found);
        if (found == ROW_MISSING)
            return true;
        target->owner = class->owner < 0 ? object : row_oid(row, class->owner);
        target->name = row_text(row, class->name);
        if (class->acl >= 0 && !row->nulls[class->acl]) {
            TRY(acl_from_value(session->arena, &row->values[class->acl], &target->acl));
            acl = &target->acl;
        }
    }
    target->found = true;
    if (acl)
        target->acl = *acl;
    else
        acl_default(session->arena, target->kind, target->owner, &target->acl);
    return true;
}

/* pg_read_all_data and pg_write_all_data stand for rights on every relation and schema. */
static AclRights rights_by_role(CatalogSession *session, const Target *target, Oid role)
{
    enum { READ_ALL_DATA = 6181, WRITE_ALL_DATA = 6182 };
    AclRights rights = 0;

    if (target->kind != ON_SCHEMA && !(acl_all_rights(target->kind) & ACL_SELECT))
        return 0;
    if (role_has_privileges_of(session, role, READ_ALL_DATA))
        rights |= target->kind == ON_SCHEMA ? ACL_USAGE : ACL_SELECT;
    if (role_has_privileges_of(session, role, WRITE_ALL_DATA))
        rights |= target->kind == ON_SCHEMA ? ACL_USAGE : ACL_INSERT | ACL_UPDATE | ACL_DELETE;
    return rights;
}

static AclRights target_rights(CatalogSession *session, const Target *target, Oid role,
                               AclRights wanted)
{
    if (!target->found)
        return 0;
    if (role_is_superuser(session, role))
        return wanted;
    AclRights rights = acl_rights_of(session, &target->acl, role, target->owner, wanted);
    if ((rights & wanted) != wanted)
        rights |= rights_by_role(session, target, role) & wanted;
    return rights;
}

AclRights privilege_rights(CatalogSession *session, PrivilegeTarget kind, Oid object, Oid role,
                           AclRights wanted)
{
    Target target = {0};

    if (role_is_superuser(session, role))
        return wanted;
    if (kind == ON_SCHEMA && object == session->temp_namespace && object)
        return wanted; /* one's own temporary schema */
    if (!target_load(session, kind, object, &target))
        return 0;
    return target_rights(session, &target, role, wanted);
}

static Str target_word(PrivilegeTarget kind)
{
    switch (kind) {
    case ON_SEQUENCE:
        return STR("sequence");
    case ON_VIEW:
        return STR("view");
    case ON_MATVIEW:
        return STR("materialized view");
    case ON_INDEX:
        return STR("index");
    case ON_DATABASE:
        return STR("database");
    case ON_SCHEMA:
        return STR("schema");
    case ON_FUNCTION:
        return STR("function");
    case ON_AGGREGATE:
        return STR("aggregate");
    case ON_TYPE:
        return STR("type");
    case ON_DOMAIN:
        return STR("domain");
    case ON_LANGUAGE:
        return STR("language");
    case ON_TABLESPACE:
        return STR("tablespace");
    case ON_COLLATION:
        return STR("collation");
    case ON_OPERATOR:
        return STR("operator");
    case ON_ROLE:
        return STR("role");
    default:
        return STR("table");
    }
}

bool privilege_check(CatalogSession *session, PrivilegeTarget kind, Oid object, AclRights wanted)
{
    return privilege_check_of(session, session->current_user, kind, object, wanted);
}

bool privilege_check_of(CatalogSession *session, Oid role, PrivilegeTarget kind, Oid object,
                        AclRights wanted)
{
    Target target = {0};

    if ((privilege_rights(session, kind, object, role, wanted) & wanted) == wanted)
        return true;
    TRY(!error_is_set());
    TRY(target_load(session, kind, object, &target));
    FAIL(ERR_INSUFFICIENT_PRIVILEGE,
         .message = fmt("permission denied for %.*s %.*s", STR_ARGS(target_word(target.kind)),
                        STR_ARGS(target.name)));
}

AclRights privilege_column_rights(CatalogSession *session, Oid relation_oid_, int attnum, Oid role,
                                  AclRights wanted)
{
    const RelationDesc *relation = relation_find(session, relation_oid_);
    const ColumnDesc *column = relation ? relation_column_at(relation, attnum) : NULL;

    if (!column || !column->acl)
        return 0;
    return acl_rights_of(session, column->acl, role, relation->owner, wanted);
}

bool privilege_check_columns(CatalogSession *session, Oid relation_oid_, Oid role, AclRights wanted,
                             const int16_t *attnums, uint32_t count)
{
    const AclRights whole = privilege_rights(session, ON_TABLE, relation_oid_, role, wanted);
    const AclRights missing = wanted & ~whole;
    const RelationDesc *relation = missing ? relation_find(session, relation_oid_) : NULL;
    bool allowed = true;

    if (!missing)
        return true;
    TRY(relation || !error_is_set());
    for (uint32_t i = 0; relation && i < count && allowed; i++) {
        if (attnums[i] > 0) {
            allowed = (privilege_column_rights(session, relation_oid_, attnums[i], role, missing) &
                       missing) == missing;
            continue;
        }
        for (int c = 0; c < relation->column_count && allowed; c++)
            allowed = relation->columns[c].dropped ||
                      (privilege_column_rights(session, relation_oid_, c + 1, role, missing) &
                       missing) == missing;
    }
    if (count == 0) {
        allowed = false;
        for (int c = 0; relation && c < relation->column_count && !allowed; c++)
            allowed = !relation->columns[c].dropped &&
                      (privilege_column_rights(session, relation_oid_, c + 1, role, missing) &
                       missing) == missing;
    }
    if (relation && allowed)
        return true;
    FAIL(ERR_INSUFFICIENT_PRIVILEGE,
         .message = fmt(
             "permission denied for %.*s %.*s",
             STR_ARGS(relation ? target_word(target_of_relation(relation->kind)) : STR("table")),
             STR_ARGS(relation ? relation->name : STR(""))));
}

bool privilege_is_owner(CatalogSession *session, PrivilegeTarget kind, Oid object, Oid role)
{
    Target target = {0};

    if (role_is_superuser(session, role))
        return true;
    return target_load(session, kind, object, &target) && target.found &&
           role_has_privileges_of(session, role, target.owner);
}

bool privilege_check_owner(CatalogSession *session, PrivilegeTarget kind, Oid object)
{
    Target target = {0};

    if (privilege_is_owner(session, kind, object, session->current_user))
        return true;
    TRY(!error_is_set());
    TRY(target_load(session, kind, object, &target));
    FAIL(ERR_INSUFFICIENT_PRIVILEGE,
         .message = fmt("must be owner of %.*s %.*s", STR_ARGS(target_word(target.kind)),
                        STR_ARGS(target.name)));
}

/* ---- has_*_privilege ---- */

bool privilege_parse_names(Str text, PrivilegeTarget kind, AclRights *ret_rights,
                           AclRights *ret_grant_options)
{
    static const Str suffix = {" WITH GRANT OPTION", 18};
    Str rest = text;
    AclRights rights = 0, options = 0;

    for (;;) {
        const size_t comma = str_find_char(rest, ',', 0);
        const Str item = str_trim(comma == SIZE_MAX ? rest : str_slice(rest, 0, comma));
        const bool with_option =
            item.length > suffix.length &&
            str_equal_nocase(str_slice(item, item.length - suffix.length, SIZE_MAX), suffix);
        const Str word = with_option ? str_slice(item, 0, item.length - suffix.length) : item;
        AclRights found = 0;
        for (size_t i = 0; i < ARRAY_LENGTH(rights_table); i++)
            if (str_equal_nocase(word, rights_table[i].name))
                found = 1u << i;
        if (str_equal_nocase(word, STR("TEMP")))
            found = ACL_TEMPORARY;
        if (!(found & acl_all_rights(kind)))
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("unrecognized privilege type: \"%.*s\"", STR_ARGS(item)));
        if (with_option)
            options |= found;
        else
            rights |= found;
        if (comma == SIZE_MAX)
            break;
        rest = str_slice(rest, comma + 1, SIZE_MAX);
    }
    *ret_rights = rights;
    *ret_grant_options = options;
    return true;
}

bool privilege_has(CatalogSession *session, PrivilegeTarget kind, Oid object, Oid role,
                   AclRights rights, AclRights grant_options)
{
    Target target = {0};

    if (privilege_rights(session, kind, object, role, rights))
        return true;
    if (!grant_options || !target_load(session, kind, object, &target) || !target.found)
        return false;
    if (role_has_privileges_of(session, role, target.owner))
        return true;
    for (size_t i = 0; i < target.acl.length; i++)
        if ((target.acl.items[i].grant_options & grant_options) &&
            target.acl.items[i].grantee != ROLE_PUBLIC &&
            role_has_privileges_of(session, role, target.acl.items[i].grantee))
            return true;
    return false;
}
