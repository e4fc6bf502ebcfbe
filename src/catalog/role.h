/*
 * Roles, databases, and what a login reads of both (lookup.h's rules).
 */
#ifndef CATALOG_ROLE_H
#define CATALOG_ROLE_H

#include "catalog/catalog.h"

typedef struct RoleDesc {
    Oid oid;
    Str name;
    bool superuser, inherit, create_role, create_database, can_login, replication, bypass_rls;
    int32_t connection_limit;
    Str password; /* a verifier as stored; STR_NONE */
    bool has_valid_until;
    int64_t valid_until; /* timestamptz */
} RoleDesc;
const RoleDesc *role_find(CatalogSession *session, Oid oid);
const RoleDesc *role_find_name(CatalogSession *session, Str name);
MUST_CHECK const RoleDesc *role_get_name(CatalogSession *session, Str name); /* 42704 */
Str role_name(CatalogSession *session, Oid oid); /* "unknown (OID=n)" where there is none */
/* Direct or indirect membership, oneself included; superusers are members of all. */
bool role_is_member(CatalogSession *session, Oid member, Oid of);
/* The same through INHERIT only: whose privileges count. */
bool role_has_privileges_of(CatalogSession *session, Oid member, Oid of);
bool role_is_superuser(CatalogSession *session, Oid oid);

typedef struct DatabaseDesc {
    Oid oid;
    Str name;
    Oid owner;
    int32_t encoding;
    Str collate, ctype;
    bool is_template, allow_connections;
    int32_t connection_limit;
    Oid tablespace;
    const struct Acl *acl; /* NULL: the default */
} DatabaseDesc;
const DatabaseDesc *database_find(CatalogSession *session, Oid oid);
const DatabaseDesc *database_find_name(CatalogSession *session, Str name);
MUST_CHECK const DatabaseDesc *database_get_name(CatalogSession *session, Str name); /* 3D000 */
Oid tablespace_oid(CatalogSession *session, Str name);

/*
 * For logins, before anybody is connected: opens a transaction of its own, reads role and
 * database. Results live in `arena`. Missing ones are NULL without error.
 */
typedef struct LoginFacts {
    const RoleDesc *role;
    const DatabaseDesc *database;
    const Str *settings;     /* "name=value" of pg_db_role_setting, lowest priority first */
    uint8_t *setting_levels; /* of each: 0 of all, 1 the database, 2 the role, 3 both */
    uint32_t setting_count;
} LoginFacts;
MUST_CHECK bool catalog_login_facts(Catalog *catalog, Str user, Str database, Arena *arena,
                                    LoginFacts *ret_facts);

#endif
