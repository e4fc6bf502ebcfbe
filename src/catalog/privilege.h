/*
 * Privileges: aclitem lists and who may do what.
 *
 *   TRY(privilege_check(session, ON_TABLE, relation->oid, ACL_SELECT));
 *
 * PrivilegeTarget says what kind of object is meant (ON_TABLE …). An Acl is a list of {grantee,
 * grantor, rights, grant options}; the columns relacl, nspacl … hold it as aclitem[]; no list at
 * all means the default of the object's kind. Owners have all rights by default; superusers always.
 * Messages: `permission denied for table t`, 42501.
 */
#ifndef CATALOG_PRIVILEGE_H
#define CATALOG_PRIVILEGE_H

#include "base/vector.h"
#include "catalog/catalog.h"

typedef enum AclRight {
    ACL_INSERT = 1 << 0,        /* a */
    ACL_SELECT = 1 << 1,        /* r */
    ACL_UPDATE = 1 << 2,        /* w */
    ACL_DELETE = 1 << 3,        /* d */
    ACL_TRUNCATE = 1 << 4,      /* D */
    ACL_REFERENCES = 1 << 5,    /* x */
    ACL_TRIGGER = 1 << 6,       /* t */
    ACL_EXECUTE = 1 << 7,       /* X */
    ACL_USAGE = 1 << 8,         /* U */
    ACL_CREATE = 1 << 9,        /* C */
    ACL_TEMPORARY = 1 << 10,    /* T */
    ACL_CONNECT = 1 << 11,      /* c */
    ACL_SET = 1 << 12,          /* s */
    ACL_ALTER_SYSTEM = 1 << 13, /* A */
} AclRight;
typedef uint32_t AclRights;

/* What privileges and comments are about; each maps to a system table. */
typedef enum PrivilegeTarget {
    ON_NONE = 0,
    ON_TABLE, /* every pg_class row that is not a more special kind below */
    ON_SEQUENCE,
    ON_VIEW,
    ON_MATVIEW,
    ON_INDEX,
    ON_COLUMN,
    ON_DATABASE,
    ON_SCHEMA,
    ON_FUNCTION,
    ON_TYPE,
    ON_DOMAIN,
    ON_LANGUAGE,
    ON_TABLESPACE,
    ON_PARAMETER,
    ON_LARGE_OBJECT,
    ON_FOREIGN_SERVER,
    ON_FOREIGN_DATA_WRAPPER,
    ON_ROLE,
    ON_CONSTRAINT,
    ON_OPERATOR,
    ON_AGGREGATE,
    ON_COLLATION,
    ON_KIND_COUNT,
} PrivilegeTarget;

typedef struct AclItem {
    Oid grantee; /* ROLE_PUBLIC: everybody */
    Oid grantor;
    AclRights rights;
    AclRights grant_options;
} AclItem;
/* VEC of AclItem, by name so that it can be declared elsewhere. */
typedef struct Acl {
    AclItem *items;
    size_t length, capacity;
} Acl;

/* The stored form: an aclitem[] value. */
MUST_CHECK bool acl_from_value(Arena *arena, const Value *array, Acl *ret_acl);
MUST_CHECK bool acl_to_value(Arena *arena, const Acl *acl, Value *ret_array);
/* The list of an object whose column is null. */
void acl_default(Arena *arena, PrivilegeTarget kind, Oid owner, Acl *ret_acl);
AclRights acl_all_rights(PrivilegeTarget kind);
/* One item with role names, as PostgreSQL prints it: alice=arw/postgres. */
Str acl_item_print(CatalogSession *session, const AclItem *item, Arena *arena);
MUST_CHECK bool acl_item_parse(CatalogSession *session, Str text, AclItem *ret_item);

/* GRANT and REVOKE on a list; `grantor` gives `rights` to `grantee`. */
void acl_grant(Arena *arena, Acl *acl, Oid grantor, Oid grantee, AclRights rights,
               bool with_grant_option);
/* CASCADE removes dependent grants; otherwise fails with 2BP01 "dependent privileges exist". */
MUST_CHECK bool acl_revoke(Arena *arena, Acl *acl, Oid owner, Oid grantor, Oid grantee,
                           AclRights rights, bool options_only, bool cascade);
/* The rights `role` has of `wanted` through itself, roles it inherits from, and PUBLIC. */
AclRights acl_rights_of(CatalogSession *session, const Acl *acl, Oid role, Oid owner,
                        AclRights wanted);

/* Of an object: which of `wanted` the role has. 0 also where there is no such object. */
AclRights privilege_rights(CatalogSession *session, PrivilegeTarget kind, Oid object, Oid role,
                           AclRights wanted);
/* All of `wanted` for the current user, or 42501 with the object's kind and name. */
MUST_CHECK bool privilege_check(CatalogSession *session, PrivilegeTarget kind, Oid object,
                                AclRights wanted);
/* The same of another role than the current user. */
MUST_CHECK bool privilege_check_of(CatalogSession *session, Oid role, PrivilegeTarget kind,
                                   Oid object, AclRights wanted);
AclRights privilege_column_rights(CatalogSession *session, Oid relation, int attnum, Oid role,
                                  AclRights wanted);
/*
 * For a query's relation: table-level rights, or column rights on each of `attnums` (0 = whole
 * row; none given = any column will do for SELECT).
 */
MUST_CHECK bool privilege_check_columns(CatalogSession *session, Oid relation, Oid role,
                                        AclRights wanted, const int16_t *attnums, uint32_t count);
/* Ownership (by membership), or 42501 `must be owner of table t`. */
MUST_CHECK bool privilege_check_owner(CatalogSession *session, PrivilegeTarget kind, Oid object);
bool privilege_is_owner(CatalogSession *session, PrivilegeTarget kind, Oid object, Oid role);

/* "SELECT", "insert with grant option, update" …: has_*_privilege's argument. 22023 where unknown.
 */
MUST_CHECK bool privilege_parse_names(Str text, PrivilegeTarget kind, AclRights *ret_rights,
                                      AclRights *ret_grant_options);
/* "SELECT" of ACL_SELECT; one bit. */
Str privilege_name(AclRight right);
/* Whether role holds any of the rights, or all of these with grant option. */
bool privilege_has(CatalogSession *session, PrivilegeTarget kind, Oid object, Oid role,
                   AclRights rights, AclRights grant_options);

#endif
