/*
 * The catalog: what exists in each database, as system tables that are real tables.
 *
 * One Catalog per server; one DatabaseCatalog per open database (its relation cache and the
 * names in it). Shared tables (pg_database, pg_authid …) live in database 0 and are reached
 * through the same session.
 *
 *   TRY(catalog_open(manager, &catalog));                  once
 *   catalog_session_init(&session, catalog, arena);        a connection
 *   TRY(catalog_session_connect(&session, database_oid, user_oid));
 *   session.txn = txn;                                     each transaction
 *   const RelationDesc *relation = relation_find(&session, oid);
 *   … commit …
 *   catalog_session_end_transaction(&session, committed);  drops what was borrowed
 *
 * What a lookup returns is borrowed and stays valid until catalog_session_end_transaction (or
 * until the referenced object is changed by this transaction and the command counter moves);
 * cached plans take references of their own (relation.h) and compare catalog_version.
 *
 * Visibility. The built-in objects (OIDs below 12000) are compiled in and never change. Everything
 * else is read from the system tables at their newest committed state, plus the transaction's own
 * changes, and cached: shared by all sessions under the catalog version, and privately while a
 * transaction has catalog changes of its own.
 *
 * Invariants: C1 A cached description equals what the system tables say at its version.
 * C2 The version moves after a change is applied and before its table locks are released, so
 * whoever waited for the lock sees the change. C3 Built-in objects have OIDs below 16384.
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include "base/arena.h"
#include "base/base.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"

typedef struct TxnManager TxnManager;
typedef struct Txn Txn;
typedef struct Catalog Catalog;
typedef struct DatabaseCatalog DatabaseCatalog;
typedef struct CatalogChanges CatalogChanges;
typedef struct RelationDesc RelationDesc;

#define OID_FIRST_UNPINNED 12000 /* below: compiled in, cannot be dropped */
#define OID_FIRST_USER 16384
#define SHARED_DATABASE OID_NONE

/* Well-known objects. */
#define NAMESPACE_PG_CATALOG 11
#define NAMESPACE_PG_TOAST 99
#define NAMESPACE_PUBLIC 2200
#define NAMESPACE_INFORMATION_SCHEMA 13207 /* PostgreSQL 15's; what is built in there follows */
#define ROLE_BOOTSTRAP_SUPERUSER 10
#define ROLE_PG_READ_ALL_SETTINGS 3374
#define ROLE_PG_READ_ALL_STATS 3375
#define ROLE_PG_READ_SERVER_FILES 4569
#define ROLE_PG_WRITE_SERVER_FILES 4570
#define ROLE_PUBLIC OID_NONE /* in privilege lists */
#define DATABASE_TEMPLATE1 1
#define DATABASE_TEMPLATE0 4
#define DATABASE_POSTGRES 5
#define TABLESPACE_DEFAULT 1663
#define TABLESPACE_GLOBAL 1664
#define ACCESS_METHOD_HEAP 2
#define ACCESS_METHOD_BTREE 403
#define ACCESS_METHOD_HASH 405
#define LANGUAGE_INTERNAL 12
#define LANGUAGE_C 13
#define LANGUAGE_SQL 14
#define LANGUAGE_PLPGSQL 13781

#define NAME_MAX_BYTES 63 /* longer identifiers are cut with a NOTICE, by the parser */

typedef VEC(Oid) OidVec;

/* The namespaces that unqualified names are looked up in, in order; pg_catalog included. */
typedef struct SearchPath {
    const Oid *namespaces;
    uint32_t count;
    Oid creation;    /* where CREATE puts things; 0: nowhere ("no schema has been selected") */
    bool temp_first; /* creation in pg_temp was asked for */
} SearchPath;

/*
 * The catalog's part of a session. The server's Session begins with one, so that functions find it
 * through FunctionCall.session.
 */
typedef struct CatalogSession {
    Catalog *catalog;
    DatabaseCatalog *database;
    Oid database_oid;
    Txn *txn;     /* NULL outside transactions; then nothing may be looked up */
    Arena *arena; /* of the transaction: what lookups build lives here */
    Oid authenticated_user;
    Oid session_user;
    Oid current_user;
    Oid temp_namespace;  /* 0 until the first temporary object */
    uint32_t backend_id; /* names pg_temp_N */
    /* What of catalog_version concerns this session alone: its temporary objects. Changes with each
     * transaction that changed nothing but those; no two sessions ever have the same, but 0. */
    uint64_t temp_version;

    CatalogChanges *changes; /* this transaction's catalog changes; NULL while it has none */
    /* A system row was changed by another transaction after this one had read it, so its change
     * failed: the command finds what is there now if it is run again. */
    bool was_overtaken;
    struct SessionCache *cache;
    struct KeptRelations *kept; /* see relation.h; mostly NULL */
    Arena *session_arena;       /* as long as the session */
} CatalogSession;

/* Opens the catalog of a cluster that catalog_bootstrap made. */
MUST_CHECK bool catalog_open(TxnManager *manager, Catalog **ret_catalog);
void catalog_close(Catalog *catalog); /* accepts NULL; no session may remain */
TxnManager *catalog_manager(const Catalog *catalog);

/*
 * The rows of a new cluster: template1 with every built-in object, the shared tables with the
 * superuser `superuser` (OID 10), databases template1, template0, postgres. The system views'
 * SQL is then run by the caller in template1 (catalog_bootstrap_scripts), after which
 * catalog_bootstrap_finish clones template0 and postgres from it.
 */
typedef struct CatalogBootstrapOptions {
    Str superuser;          /* "postgres" where empty */
    Str superuser_verifier; /* SCRAM verifier, or STR_NONE for no password */
    Str locale;             /* lc_collate and lc_ctype: "C.UTF-8" where empty */
} CatalogBootstrapOptions;
MUST_CHECK bool catalog_bootstrap(TxnManager *manager, const CatalogBootstrapOptions *options);
MUST_CHECK bool catalog_bootstrap_finish(Catalog *catalog);

/*
 * SQL to be executed, script by script and in order, as the superuser in template1 with
 * `session->bootstrapping`-range OIDs: system_views.sql, then information_schema.sql. Ends with
 * STR_NONE.
 */
const Str *catalog_bootstrap_scripts(void);
/* Names the data that a fresh directory's system tables are made of. */
Str catalog_data_version(void);
/* Raised when code writes other rows into a fresh directory than it did: the data may be as it was.
 */
#define CATALOG_CODE_VERSION 1
/* While on, objects get OIDs from 12000 up and may be made in pg_catalog. */
void catalog_set_bootstrapping(Catalog *catalog, bool on);
bool catalog_is_bootstrapping(const Catalog *catalog);

/* `session_arena` lives as long as the session. */
void catalog_session_init(CatalogSession *session, Catalog *catalog, Arena *session_arena);
void catalog_session_deinit(CatalogSession *session);
/*
 * Opens the database and takes the user on. Checks nothing about logins: see
 * catalog_login_facts in role.h.
 */
MUST_CHECK bool catalog_session_connect(CatalogSession *session, Oid database, Oid user);
/* After commit or rollback: what was borrowed is gone. */
void catalog_session_end_transaction(CatalogSession *session, bool committed);
/* After ROLLBACK TO SAVEPOINT: private caches are dropped. */
void catalog_session_forget_own(CatalogSession *session);

/*
 * What cached plans compare, together with session->temp_version: grows with each committed change
 * of a schema, in whichever database, and differs from every shared value while the
 * transaction has own changes. A transaction that has changed nothing but its session's temporary
 * objects leaves it alone: nobody else's plan is less true for it.
 */
uint64_t catalog_version(const CatalogSession *session);

/*
 * The session's search path, resolved: cached until the setting, the user or the catalog changes.
 * May wait. Another may later be at the same address: to know it again, keep a copy.
 */
MUST_CHECK const SearchPath *catalog_search_path(CatalogSession *session);
SearchPath search_path_copy(Arena *arena, const SearchPath *path);
/* Do names mean the same by both? */
bool search_path_equal(const SearchPath *a, const SearchPath *b);
/* Runs with only pg_catalog in the path (deparse, stored expressions); returns the old path. */
const SearchPath *catalog_override_search_path(CatalogSession *session, const SearchPath *path);
/* The temporary schema, made at first use. */
MUST_CHECK bool catalog_ensure_temp_namespace(CatalogSession *session);
/* Drops the session's temporary objects: at its end and by DISCARD TEMP. Needs a transaction. */
MUST_CHECK bool catalog_drop_temp_objects(CatalogSession *session);

/* A new OID, never given out before in this cluster. */
MUST_CHECK Oid catalog_new_oid(CatalogSession *session);

#endif
