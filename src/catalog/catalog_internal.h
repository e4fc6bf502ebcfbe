/*
 * The catalog's shared state and session caches; only for files of this folder.
 */
#ifndef CATALOG_CATALOG_INTERNAL_H
#define CATALOG_CATALOG_INTERNAL_H

#include <stdatomic.h>

#include "base/sync.h"
#include "catalog/builtin.h"
#include "catalog/catalog.h"
#include "catalog/system_row.h"
#include "catalog/system_table.h"
#include "txn/ddl.h"
#include "txn/txn.h"

#define OID_SEQUENCE ((TreeId)1) /* in the shared database: the next OID */
#define OID_SEQUENCE_BOOTSTRAP ((TreeId)2)

/* An open database: handles of its system tables and the shared relation cache. */
struct DatabaseCatalog {
    Oid oid;
    TxnTree *_Atomic tables[CATALOG_TABLE_COUNT];
    TxnTree *_Atomic indexes[CATALOG_INDEX_COUNT];
    Mutex mutex;                         /* rank CATALOG */
    HashMap relations GUARDED_BY(mutex); /* oid → RelationDesc, one reference each */
    struct DatabaseCatalog *next;
    uint32_t session_count; /* guarded by the catalog's mutex */
};

struct Catalog {
    TxnManager *manager;
    Mutex mutex; /* rank CATALOG: the list of databases */
    DatabaseCatalog *databases GUARDED_BY(mutex);
    DatabaseCatalog *shared;
    _Atomic bool bootstrapping;
    struct SystemLoad *load; /* while a new cluster is filled, by its only session; else NULL */
};

/* This transaction's catalog changes. What is dirty is forgotten at the next lookup. */
struct CatalogChanges {
    uint64_t count; /* grows with each row written */
    bool relations_dirty;
    bool names_dirty; /* types, namespaces, roles */
    /* While nothing but the session's temporary objects has been changed, as far as is known:
     * relations of which rows were written, and those among them that are temporary. Both live in
     * the transaction's arena. */
    bool may_be_temp;
    OidVec touched, temporary;
};

/*
 * What this session has looked up, valid for one version. When the version moves, the content is
 * retired: kept until the transaction ends, since callers may hold borrowed pointers.
 */
typedef struct SessionCache {
    uint64_t version;
    uint64_t unique; /* tells sessions' own versions apart */
    bool is_own;     /* filled while the transaction had changes */
    struct CatalogChanges changes;
    Arena *arena;
    HashMap relations;  /* oid → RelationDesc, one reference each */
    HashMap types;      /* oid → TypeDesc */
    HashMap namespaces; /* oid → NamespaceEntry */
    StrMap namespace_names;
    HashMap roles;              /* oid → RoleDesc */
    HashMap operators_of_types; /* type → TypeOperators */
    HashMap statistics;         /* relation << 16 | attnum → ColumnStatistics */
    const SearchPath *path;
    Str path_setting;
    Oid path_user;
    const SearchPath *path_override;
    VEC(Arena *) retired_arenas;
    VEC(RelationDesc *) retired_relations;
    Arena *lists; /* of the two above and session-long data */
} SessionCache;

/* Another session's temporary objects change without a new version: they are not to be cached. */
static inline bool namespace_is_foreign_temp(const CatalogSession *session, Oid oid, Str name)
{
    return oid != session->temp_namespace && str_starts_with(name, STR("pg_temp_"));
}

/* The cache, valid for the current version (older content retired). */
SessionCache *session_cache(CatalogSession *session);

/* Handles; opened once a database. */
MUST_CHECK TxnTree *catalog_table_tree(CatalogSession *session, CatalogTableId table);
MUST_CHECK TxnTree *catalog_index_tree(CatalogSession *session, CatalogIndexId index);
static inline Oid catalog_table_database(const CatalogSession *session, CatalogTableId table)
{
    return catalog_tables[table].shared ? SHARED_DATABASE : session->database_oid;
}
/* Called before a system row is written. */
struct CatalogRow;
void catalog_note_change(CatalogSession *session, const struct CatalogRow *row);

DatabaseCatalog *database_catalog_open(Catalog *catalog, Oid oid);
void database_catalog_close(Catalog *catalog, DatabaseCatalog *database);

/* Built by relation_build.c; a new reference. NULL: none, or error_is_set(). */
RelationDesc *relation_build(CatalogSession *session, Oid oid);
/* A system table's (or its index's), from the compiled-in description. */
RelationDesc *relation_build_system(CatalogSession *session, Oid oid);
void builtin_index_init(void); /* the hash tables over builtin.h; once */

#endif
