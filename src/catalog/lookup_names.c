/* Names: namespaces, the search path, visibility, roles and databases. */
#include "base/error.h"
#include "base/settings.h"
#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "types/array.h"

/* ---- namespaces ---- */

typedef struct NamespaceEntry {
    Oid oid;
    Str name;
} NamespaceEntry;

static const NamespaceEntry builtin_namespaces[] = {
    {NAMESPACE_PG_CATALOG, {"pg_catalog", 10}},
    {NAMESPACE_PG_TOAST, {"pg_toast", 8}},
};

Oid namespace_oid(CatalogSession *session, Str name)
{
    if (str_equal(name, builtin_namespaces[0].name))
        return NAMESPACE_PG_CATALOG;
    if (str_equal(name, STR("pg_temp")))
        return session->temp_namespace;
    SessionCache *cache = session_cache(session);
    const NamespaceEntry *entry = strmap_get(&cache->namespace_names, name);
    if (entry)
        return entry->oid;
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    if (system_row_find(session, INDEX_PG_NAMESPACE_NSPNAME_INDEX,
                        &(Value){.var = var_from_str(name)}, 1, row) != ROW_FOUND)
        return OID_NONE;
    if (namespace_is_foreign_temp(session, row_oid(row, PG_NAMESPACE_OID), name))
        return row_oid(row, PG_NAMESPACE_OID);
    NamespaceEntry *added = ARENA_NEW(cache->arena, NamespaceEntry);
    added->oid = row_oid(row, PG_NAMESPACE_OID);
    added->name = str_copy(cache->arena, name);
    strmap_put(&cache->namespace_names, added->name, added);
    return added->oid;
}

Oid namespace_get(CatalogSession *session, Str name, int position)
{
    const Oid oid = namespace_oid(session, name);

    if (!oid && !error_is_set())
        FAIL(ERR_INVALID_SCHEMA_NAME,
             .message = fmt("schema \"%.*s\" does not exist", STR_ARGS(name)),
             .position = position);
    return oid;
}

Str namespace_name(CatalogSession *session, Oid oid)
{
    for (size_t i = 0; i < ARRAY_LENGTH(builtin_namespaces); i++)
        if (builtin_namespaces[i].oid == oid)
            return builtin_namespaces[i].name;
    SessionCache *cache = session_cache(session);
    const NamespaceEntry *entry = hashmap_get(&cache->namespaces, oid);
    if (entry)
        return entry->name;
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    if (system_row_find(session, INDEX_PG_NAMESPACE_OID_INDEX, &(Value){.oid = oid}, 1, row) !=
        ROW_FOUND)
        return STR_NONE;
    if (namespace_is_foreign_temp(session, oid, row_text(row, PG_NAMESPACE_NSPNAME)))
        return str_copy(session->arena, row_text(row, PG_NAMESPACE_NSPNAME));
    NamespaceEntry *added = ARENA_NEW(cache->arena, NamespaceEntry);
    added->oid = oid;
    added->name = str_copy(cache->arena, row_text(row, PG_NAMESPACE_NSPNAME));
    hashmap_put(&cache->namespaces, oid, added);
    return added->name;
}

bool namespace_is_temporary(CatalogSession *session, Oid oid)
{
    return oid >= OID_FIRST_UNPINNED &&
           str_starts_with(namespace_name(session, oid), STR("pg_temp_"));
}

/* ---- the search path ---- */

/* Takes one element off a list such as `"$user", public`; names outside quotes fold to lower case.
 */
static bool next_path_element(Str *rest, Arena *arena, Str *ret_name)
{
    StrBuf name = strbuf_in(arena);
    Str s = str_trim(*rest);
    size_t i = 0;

    if (s.length == 0)
        return false;
    if (s.data[0] == '"') {
        for (i = 1; i < s.length; i++) {
            if (s.data[i] == '"') {
                if (i + 1 < s.length && s.data[i + 1] == '"')
                    i++;
                else
                    break;
            }
            strbuf_append_char(&name, s.data[i]);
        }
        i++;
        *ret_name = strbuf_view(&name);
    } else {
        while (i < s.length && s.data[i] != ',')
            i++;
        *ret_name = str_lower(arena, str_trim(str_slice(s, 0, i)));
    }
    while (i < s.length && s.data[i] != ',')
        i++;
    *rest = i < s.length ? str_slice(s, i + 1, SIZE_MAX) : STR("");
    return true;
}

static void path_add(Arena *arena, OidVec *path, Oid namespace)
{
    for (size_t i = 0; i < path->length; i++)
        if (path->items[i] == namespace)
            return;
    VEC_PUSH(arena, path, namespace);
}

/* Leaves cache->path NULL where it has to be done again. */
static bool path_resolve(CatalogSession *session, SessionCache *cache, Str setting)
{
    Arena *const arena = cache->arena;
    OidVec named = {0};
    SearchPath *path = ARENA_NEW(arena, SearchPath);
    Str rest = setting, name;
    bool first = true;

    while (next_path_element(&rest, arena, &name)) {
        Oid namespace;
        if (str_equal(name, STR("pg_temp"))) {
            path->temp_first |= first;
            first = false;
            if (session->temp_namespace)
                path_add(arena, &named, session->temp_namespace);
            continue;
        }
        if (str_equal(name, STR("$user")))
            name = role_name(session, session->current_user);
        namespace = name.length ? namespace_oid(session, name) : OID_NONE;
        if (!namespace) {
            if (error_is_set())
                return false;
            continue;
        }
        if (namespace != NAMESPACE_PG_CATALOG &&
            !privilege_rights(session, ON_SCHEMA, namespace, session->current_user, ACL_USAGE))
            continue;
        if (!path->creation && !path->temp_first)
            path->creation = namespace;
        first = false;
        path_add(arena, &named, namespace);
    }
    OidVec whole = {0};
    if (session->temp_namespace) {
        bool listed = false;
        for (size_t i = 0; i < named.length; i++)
            listed |= named.items[i] == session->temp_namespace;
        if (!listed)
            path_add(arena, &whole, session->temp_namespace);
    }
    bool catalog_listed = false;
    for (size_t i = 0; i < named.length; i++)
        catalog_listed |= named.items[i] == NAMESPACE_PG_CATALOG;
    if (!catalog_listed)
        path_add(arena, &whole, NAMESPACE_PG_CATALOG);
    for (size_t i = 0; i < named.length; i++)
        path_add(arena, &whole, named.items[i]);
    /* The schema has moved on while the names were looked up: what was found is retired already. */
    if (cache->arena != arena)
        return true;
    path->namespaces = whole.items;
    path->count = (uint32_t)whole.length;
    cache->path = path;
    cache->path_setting = str_copy(arena, setting);
    cache->path_user = session->current_user;
    return true;
}

const SearchPath *catalog_search_path(CatalogSession *session)
{
    SessionCache *cache = session_cache(session);
    const SettingValues *values = settings();
    const Str setting = values ? values->search_path : STR("\"$user\", public");

    if (cache->path_override)
        return cache->path_override;
    while (!cache->path || cache->path_user != session->current_user ||
           !str_equal(cache->path_setting, setting))
        TRY(path_resolve(session, cache, setting));
    return cache->path;
}

SearchPath search_path_copy(Arena *arena, const SearchPath *path)
{
    SearchPath copy = *path;

    copy.namespaces = arena_copy(arena, path->namespaces, sizeof(Oid) * path->count);
    return copy;
}

bool search_path_equal(const SearchPath *a, const SearchPath *b)
{
    return a->count == b->count && a->creation == b->creation &&
           memcmp(a->namespaces, b->namespaces, sizeof(Oid) * a->count) == 0;
}

const SearchPath *catalog_override_search_path(CatalogSession *session, const SearchPath *path)
{
    const SearchPath *old = session->cache->path_override;

    session->cache->path_override = path;
    return old;
}

bool catalog_ensure_temp_namespace(CatalogSession *session)
{
    if (session->temp_namespace && str_is_none(namespace_name(session, session->temp_namespace)))
        session->temp_namespace = OID_NONE; /* its creation was rolled back */
    if (session->temp_namespace)
        return true;
    const Str name = fmt("pg_temp_%u", session->backend_id);
    Oid oid = namespace_oid(session, name);
    if (!oid) {
        TRY(!error_is_set());
        TRY(define_namespace(session, name, ROLE_BOOTSTRAP_SUPERUSER, &oid));
    }
    session->temp_namespace = oid;
    session->cache->path = NULL;
    return true;
}

/* The schema goes with everything in it; the next temporary object makes another. */
bool catalog_drop_temp_objects(CatalogSession *session)
{
    const ObjectAddress target = {RELATION_PG_NAMESPACE, session->temp_namespace, 0};

    if (!session->temp_namespace || str_is_none(namespace_name(session, session->temp_namespace)))
        return true;
    TRY(drop_objects(session, &target, 1, (DropOptions){.cascade = true, .quiet = true}));
    session->temp_namespace = OID_NONE;
    session->cache->path = NULL;
    return true;
}

/* ---- visibility ---- */

bool relation_is_visible(CatalogSession *session, Oid oid, bool *ret_exists)
{
    const RelationDesc *relation = relation_find(session, oid);

    *ret_exists = relation != NULL;
    return relation && relation_oid(session, STR_NONE, relation->name) == oid;
}

bool type_is_visible(CatalogSession *session, Oid oid, bool *ret_exists)
{
    const TypeDesc *type = type_find(session, oid);

    *ret_exists = type != NULL;
    return type && type_oid(session, STR_NONE, type->name) == oid;
}

bool function_is_visible(CatalogSession *session, Oid oid, bool *ret_exists)
{
    const FunctionDesc *f = function_find(session, oid);

    *ret_exists = f != NULL;
    return f && function_find_exact(session, STR_NONE, f->name, f->argument_types,
                                    f->argument_count) == f;
}

bool operator_is_visible(CatalogSession *session, Oid oid, bool *ret_exists)
{
    const OperatorDesc *op = operator_find(session, oid);

    *ret_exists = op != NULL;
    return op && operator_find_exact(session, STR_NONE, op->name, op->left, op->right) == op;
}

bool collation_is_visible(CatalogSession *session, Oid oid, bool *ret_exists)
{
    const CollationDesc *collation = collation_find(session, oid);

    *ret_exists = collation != NULL;
    return collation && collation_oid(session, STR_NONE, collation->name) == oid;
}

bool opclass_is_visible(CatalogSession *session, Oid oid, bool *ret_exists)
{
    const OpclassDesc *opclass = opclass_find(session, oid);

    *ret_exists = opclass != NULL;
    return opclass &&
           opclass_find_name(session, opclass->access_method, STR_NONE, opclass->name) == opclass;
}

/* ---- roles ---- */

static RoleDesc *role_load(const CatalogRow *row, Arena *arena)
{
    RoleDesc *role = ARENA_NEW(arena, RoleDesc);

    role->oid = row_oid(row, PG_AUTHID_OID);
    role->name = str_copy(arena, row_text(row, PG_AUTHID_ROLNAME));
    role->superuser = row->values[PG_AUTHID_ROLSUPER].boolean;
    role->inherit = row->values[PG_AUTHID_ROLINHERIT].boolean;
    role->create_role = row->values[PG_AUTHID_ROLCREATEROLE].boolean;
    role->create_database = row->values[PG_AUTHID_ROLCREATEDB].boolean;
    role->can_login = row->values[PG_AUTHID_ROLCANLOGIN].boolean;
    role->replication = row->values[PG_AUTHID_ROLREPLICATION].boolean;
    role->bypass_rls = row->values[PG_AUTHID_ROLBYPASSRLS].boolean;
    role->connection_limit = row->values[PG_AUTHID_ROLCONNLIMIT].int32;
    if (!row->nulls[PG_AUTHID_ROLPASSWORD])
        role->password = str_copy(arena, row_text(row, PG_AUTHID_ROLPASSWORD));
    role->has_valid_until = !row->nulls[PG_AUTHID_ROLVALIDUNTIL];
    role->valid_until = role->has_valid_until ? row->values[PG_AUTHID_ROLVALIDUNTIL].int64 : 0;
    return role;
}

const RoleDesc *role_find(CatalogSession *session, Oid oid)
{
    SessionCache *cache = session_cache(session);
    RoleDesc *role = hashmap_get(&cache->roles, oid);

    if (role || oid == OID_NONE)
        return role;
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    if (system_row_find(session, INDEX_PG_AUTHID_OID_INDEX, &(Value){.oid = oid}, 1, row) !=
        ROW_FOUND)
        return NULL;
    role = role_load(row, cache->arena);
    hashmap_put(&cache->roles, oid, role);
    return role;
}

const RoleDesc *role_find_name(CatalogSession *session, Str name)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    if (system_row_find(session, INDEX_PG_AUTHID_ROLNAME_INDEX, &(Value){.var = var_from_str(name)},
                        1, row) != ROW_FOUND)
        return NULL;
    return role_find(session, row_oid(row, PG_AUTHID_OID));
}

const RoleDesc *role_get_name(CatalogSession *session, Str name)
{
    const RoleDesc *role = role_find_name(session, name);

    if (!role && !error_is_set())
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("role \"%.*s\" does not exist", STR_ARGS(name)));
    return role;
}

Str role_name(CatalogSession *session, Oid oid)
{
    const RoleDesc *role = role_find(session, oid);

    return role ? role->name : str_format(session->arena, "unknown (OID=%u)", oid);
}

bool role_is_superuser(CatalogSession *session, Oid oid)
{
    const RoleDesc *role;

    if (oid == ROLE_BOOTSTRAP_SUPERUSER)
        return true;
    role = role_find(session, oid);
    return role && role->superuser;
}

/* Breadth first through pg_auth_members from `member` up; `inherit_only`: through INHERIT roles. */
static bool member_search(CatalogSession *session, Oid member, Oid of, bool inherit_only)
{
    OidVec reached = {0};

    VEC_PUSH(session->arena, &reached, member);
    for (size_t i = 0; i < reached.length; i++) {
        const Oid current = reached.items[i];
        CatalogRowVec rows = {0};
        if (current == of)
            return true;
        const RoleDesc *role = role_find(session, current);
        if (inherit_only && role && !role->inherit)
            continue;
        if (!system_rows_find(session, INDEX_PG_AUTH_MEMBERS_MEMBER_ROLE_INDEX,
                              &(Value){.oid = current}, 1, &rows))
            return false;
        for (size_t r = 0; r < rows.length; r++)
            path_add(session->arena, &reached, row_oid(rows.items[r], PG_AUTH_MEMBERS_ROLEID));
        const DatabaseDesc *database =
            of == 6171 ? database_find(session, session->database_oid) : NULL;
        if (database && database->owner == current)
            return true; /* pg_database_owner has one implicit member */
    }
    return false;
}

bool role_is_member(CatalogSession *session, Oid member, Oid of)
{
    return member == of || role_is_superuser(session, member) ||
           member_search(session, member, of, false);
}

bool role_has_privileges_of(CatalogSession *session, Oid member, Oid of)
{
    return member == of || role_is_superuser(session, member) ||
           member_search(session, member, of, true);
}

/* ---- databases ---- */

static bool database_load(const CatalogRow *row, Arena *arena, DatabaseDesc *database)
{
    database->oid = row_oid(row, PG_DATABASE_OID);
    database->name = str_copy(arena, row_text(row, PG_DATABASE_DATNAME));
    database->owner = row_oid(row, PG_DATABASE_DATDBA);
    database->encoding = row->values[PG_DATABASE_ENCODING].int32;
    database->collate = str_copy(arena, row_text(row, PG_DATABASE_DATCOLLATE));
    database->ctype = str_copy(arena, row_text(row, PG_DATABASE_DATCTYPE));
    database->is_template = row->values[PG_DATABASE_DATISTEMPLATE].boolean;
    database->allow_connections = row->values[PG_DATABASE_DATALLOWCONN].boolean;
    database->connection_limit = row->values[PG_DATABASE_DATCONNLIMIT].int32;
    database->tablespace = row_oid(row, PG_DATABASE_DATTABLESPACE);
    if (!row->nulls[PG_DATABASE_DATACL]) {
        Acl *acl = ARENA_NEW(arena, Acl);
        TRY(acl_from_value(arena, &row->values[PG_DATABASE_DATACL], acl));
        database->acl = acl;
    }
    return true;
}

static const DatabaseDesc *database_read(CatalogSession *session, CatalogIndexId index, Value key)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    DatabaseDesc *database = ARENA_NEW(session->arena, DatabaseDesc);

    if (system_row_find(session, index, &key, 1, row) != ROW_FOUND)
        return NULL;
    TRY(database_load(row, session->arena, database));
    return database;
}

const DatabaseDesc *database_find(CatalogSession *session, Oid oid)
{
    return database_read(session, INDEX_PG_DATABASE_OID_INDEX, (Value){.oid = oid});
}

const DatabaseDesc *database_find_name(CatalogSession *session, Str name)
{
    return database_read(session, INDEX_PG_DATABASE_DATNAME_INDEX,
                         (Value){.var = var_from_str(name)});
}

const DatabaseDesc *database_get_name(CatalogSession *session, Str name)
{
    const DatabaseDesc *database = database_find_name(session, name);

    if (!database && !error_is_set())
        FAIL(ERR_INVALID_CATALOG_NAME,
             .message = fmt("database \"%.*s\" does not exist", STR_ARGS(name)));
    return database;
}

Oid tablespace_oid(CatalogSession *session, Str name)
{
    if (str_equal(name, STR("pg_default")))
        return TABLESPACE_DEFAULT;
    return str_equal(name, STR("pg_global")) ? TABLESPACE_GLOBAL : OID_NONE;
}

/* ---- logins ---- */

static bool login_settings(CatalogSession *session, Arena *arena, LoginFacts *facts)
{
    const Oid database = facts->database ? facts->database->oid : OID_NONE;
    const Oid role = facts->role ? facts->role->oid : OID_NONE;
    const Oid pairs[][2] = {
        {OID_NONE, OID_NONE}, {database, OID_NONE}, {OID_NONE, role}, {database, role}};
    VEC(Str) found = {0};
    VEC(uint8_t) levels = {0};

    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        const Value keys[] = {{.oid = pairs[i][0]}, {.oid = pairs[i][1]}};
        CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
        ArrayView view;
        if (i > 0 && !pairs[i][0] && !pairs[i][1])
            continue;
        const RowFound outcome =
            system_row_find(session, INDEX_PG_DB_ROLE_SETTING_DATABASEID_ROL_INDEX, keys, 2, row);
        TRY(outcome);
        if (outcome == ROW_MISSING || row->nulls[PG_DB_ROLE_SETTING_SETCONFIG])
            continue;
        TRY(array_open(&row->values[PG_DB_ROLE_SETTING_SETCONFIG], &view));
        for (int e = 0; e < view.count; e++) {
            Value value;
            bool is_null;
            array_element(&view, e, &value, &is_null);
            VEC_PUSH(arena, &found, str_copy(arena, var_str(value.var)));
            VEC_PUSH(arena, &levels, (uint8_t)i);
        }
    }
    facts->settings = found.items;
    facts->setting_levels = levels.items;
    facts->setting_count = (uint32_t)found.length;
    return true;
}

static bool login_read(CatalogSession *session, Str user, Str database, Arena *arena,
                       LoginFacts *facts)
{
    const RoleDesc *role = role_find_name(session, user);
    TRY(role || !error_is_set());
    const DatabaseDesc *found = database_find_name(session, database);
    TRY(found || !error_is_set());

    if (role) {
        RoleDesc *copy = ARENA_NEW(arena, RoleDesc);
        *copy = *role;
        copy->name = str_copy(arena, role->name);
        copy->password = str_copy(arena, role->password);
        facts->role = copy;
    }
    if (found) {
        DatabaseDesc *copy = ARENA_NEW(arena, DatabaseDesc);
        *copy = *found;
        copy->name = str_copy(arena, found->name);
        copy->collate = str_copy(arena, found->collate);
        copy->ctype = str_copy(arena, found->ctype);
        copy->acl = NULL;
        facts->database = copy;
    }
    return login_settings(session, arena, facts);
}

bool catalog_login_facts(Catalog *catalog, Str user, Str database, Arena *arena,
                         LoginFacts *ret_facts)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new("login");
    TxnSession *txn_session_ = txn_session_open(catalog->manager, 0);
    CatalogSession session;
    LoginFacts facts = {0};

    TRY(txn_session_);
    catalog_session_init(&session, catalog, scratch);
    session.arena = scratch;
    session.txn = txn_begin(
        txn_session_, &(TxnOptions){.isolation = ISOLATION_READ_COMMITTED, .read_only = true});
    const bool ok = session.txn && txn_statement_begin(session.txn) &&
                    login_read(&session, user, database, arena, &facts);
    if (session.txn)
        txn_rollback(session.txn);
    catalog_session_end_transaction(&session, false);
    catalog_session_deinit(&session);
    txn_session_close(txn_session_);
    if (ok)
        *ret_facts = facts;
    return ok;
}
