#include "catalog/catalog.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/os.h"
#include "base/settings.h"
#include "catalog/catalog_internal.h"
#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/relation_life.h"
#include "catalog/system_row.h"
#include "txn/sequence.h"

/* ---- the catalog ---- */

bool catalog_open(TxnManager *manager, Catalog **ret_catalog)
{
    Catalog *catalog = memory_calloc(1, sizeof(*catalog));

    if (!catalog)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    catalog->manager = manager;
    mutex_init(&catalog->mutex, RANK_CATALOG);
    builtin_index_init();
    catalog_install_hooks();
    catalog->shared = database_catalog_open(catalog, SHARED_DATABASE);
    *ret_catalog = catalog;
    return true;
}

static void database_catalog_free(DatabaseCatalog *database)
{
    size_t position = 0;
    uint64_t key;
    void *relation;

    while (hashmap_next(&database->relations, &position, &key, &relation))
        relation_unref(relation);
    hashmap_deinit(&database->relations);
    for (int i = 0; i < CATALOG_TABLE_COUNT; i++)
        txn_tree_close(atomic_load(&database->tables[i]));
    for (int i = 0; i < CATALOG_INDEX_COUNT; i++)
        txn_tree_close(atomic_load(&database->indexes[i]));
    memory_free(database);
}

void catalog_close(Catalog *catalog)
{
    if (!catalog)
        return;
    while (catalog->databases) {
        DatabaseCatalog *database = catalog->databases;
        catalog->databases = database->next;
        database_catalog_free(database);
    }
    memory_free(catalog);
}

TxnManager *catalog_manager(const Catalog *catalog)
{
    return catalog->manager;
}

void catalog_set_bootstrapping(Catalog *catalog, bool on)
{
    atomic_store(&catalog->bootstrapping, on);
}

bool catalog_is_bootstrapping(const Catalog *catalog)
{
    return atomic_load(&((Catalog *)(uintptr_t)catalog)->bootstrapping);
}

DatabaseCatalog *database_catalog_open(Catalog *catalog, Oid oid)
{
    DatabaseCatalog *database;

    mutex_lock(&catalog->mutex);
    for (database = catalog->databases; database; database = database->next)
        if (database->oid == oid)
            break;
    if (!database) {
        database = memory_must_calloc(1, sizeof(*database));
        database->oid = oid;
        mutex_init(&database->mutex, RANK_CATALOG);
        database->next = catalog->databases;
        catalog->databases = database;
    }
    database->session_count++;
    mutex_unlock(&catalog->mutex);
    return database;
}

/* The last session's departure frees it, so that a dropped database leaves nothing behind. */
void database_catalog_close(Catalog *catalog, DatabaseCatalog *database)
{
    DatabaseCatalog **link;

    if (!database)
        return;
    mutex_lock(&catalog->mutex);
    const bool is_last = --database->session_count == 0 && database != catalog->shared;
    if (is_last) {
        for (link = &catalog->databases; *link != database; link = &(*link)->next)
            ;
        *link = database->next;
    }
    mutex_unlock(&catalog->mutex);
    if (is_last)
        database_catalog_free(database);
}

/* ---- sessions ---- */

void catalog_session_init(CatalogSession *session, Catalog *catalog, Arena *session_arena)
{
    static _Atomic uint64_t session_counter;

    *session = (CatalogSession){.catalog = catalog, .session_arena = session_arena};
    session->cache = ARENA_NEW(session_arena, SessionCache);
    session->cache->unique = atomic_fetch_add(&session_counter, 1) + 1;
    session->cache->lists = session_arena;
}

static void cache_release_retired(SessionCache *cache)
{
    for (size_t i = 0; i < cache->retired_relations.length; i++)
        relation_unref(cache->retired_relations.items[i]);
    cache->retired_relations.length = 0;
    for (size_t i = 0; i < cache->retired_arenas.length; i++)
        arena_free(cache->retired_arenas.items[i]);
    cache->retired_arenas.length = 0;
}

/* Puts aside what the cache holds; borrowed pointers into it stay good until the end. */
static void cache_retire(SessionCache *cache)
{
    size_t position = 0;
    uint64_t key;
    void *relation;

    if (!cache->arena)
        return;
    while (hashmap_next(&cache->relations, &position, &key, &relation))
        VEC_PUSH(cache->lists, &cache->retired_relations, relation);
    VEC_PUSH(cache->lists, &cache->retired_arenas, cache->arena);
    cache->arena = NULL;
    cache->path = NULL;
    cache->path_setting = STR_NONE;
}

static void cache_fill_empty(SessionCache *cache, uint64_t version)
{
    Arena *arena = arena_new("catalog cache");

    cache->arena = arena;
    cache->version = version;
    cache->relations = (HashMap){.arena = arena};
    cache->types = (HashMap){.arena = arena};
    cache->namespaces = (HashMap){.arena = arena};
    cache->namespace_names = (StrMap){.arena = arena};
    cache->roles = (HashMap){.arena = arena};
    cache->operators_of_types = (HashMap){.arena = arena};
    cache->statistics = (HashMap){.arena = arena};
}

uint64_t catalog_version(const CatalogSession *session)
{
    const uint64_t version = txn_schema_version(session->catalog->manager);

    /* Both numbers only grow, so their sum tells when either of them has. */
    if (session->changes)
        return UINT64_C(1) << 63 | session->cache->unique << 32 |
               (uint32_t)(session->changes->count + version);
    return version;
}

/* Within a transaction that changes the catalog only what it may have changed is forgotten. */
static void cache_forget_dirty(SessionCache *cache, CatalogChanges *changes)
{
    size_t position = 0;
    uint64_t key;
    void *relation;

    if (changes->relations_dirty || changes->names_dirty) {
        while (hashmap_next(&cache->relations, &position, &key, &relation))
            VEC_PUSH(cache->lists, &cache->retired_relations, relation);
        hashmap_clear(&cache->relations);
        hashmap_clear(&cache->statistics);
    }
    if (changes->names_dirty) {
        hashmap_clear(&cache->types);
        hashmap_clear(&cache->namespaces);
        cache->namespace_names = (StrMap){.arena = cache->arena};
        hashmap_clear(&cache->roles);
        hashmap_clear(&cache->operators_of_types);
        cache->path = NULL;
    }
    changes->relations_dirty = false;
    changes->names_dirty = false;
}

SessionCache *session_cache(CatalogSession *session)
{
    SessionCache *cache = session->cache;
    const uint64_t version = txn_schema_version(session->catalog->manager);

    if (session->changes) {
        if (!cache->arena || !cache->is_own) {
            cache_retire(cache);
            cache_fill_empty(cache, version);
            cache->is_own = true;
        }
        if (cache->version != version) {
            /* What others have committed since: whoever has just got a lock must see it. */
            session->changes->relations_dirty = session->changes->names_dirty = true;
            cache->version = version;
        }
        cache_forget_dirty(cache, session->changes);
        return cache;
    }
    if (likely(cache->arena && cache->version == version && !cache->is_own))
        return cache;
    cache_retire(cache);
    cache_fill_empty(cache, version);
    cache->is_own = false;
    return cache;
}

bool catalog_was_moving(const CatalogSession *session, uint64_t version)
{
    const TxnManager *manager = session->catalog->manager;

    if (error_is_set() && !txn_schema_is_moving(manager) && txn_schema_version(manager) == version)
        return false;
    if (error_is_set() && (error_fields()->severity != SEVERITY_ERROR ||
                           error_fields()->sqlstate == ERR_QUERY_CANCELED))
        return false;
    error_clear();
    return txn_schema_settle(manager);
}

void catalog_session_deinit(CatalogSession *session)
{
    cache_retire(session->cache);
    cache_release_retired(session->cache);
    database_catalog_close(session->catalog, session->database);
    session->database = NULL;
}

bool catalog_session_connect(CatalogSession *session, Oid database, Oid user)
{
    cache_retire(session->cache);
    if (session->database)
        database_catalog_close(session->catalog, session->database);
    session->database = database_catalog_open(session->catalog, database);
    session->database_oid = database;
    session->authenticated_user = user;
    session->session_user = user;
    session->current_user = user;
    session->temp_namespace = OID_NONE;
    return true;
}

void catalog_session_end_transaction(CatalogSession *session, bool committed)
{
    (void)committed;
    if (session->changes) {
        session->changes = NULL;
        cache_retire(session->cache);
    }
    session->cache->path_override = NULL;
    cache_release_retired(session->cache);
}

void catalog_session_forget_own(CatalogSession *session)
{
    if (!session->changes)
        return;
    session->changes->count++;
    session->changes->relations_dirty = true;
    session->changes->names_dirty = true;
}

static void changes_end(void *context, TxnEnd how)
{
    CatalogSession *session = context;

    if (how == TXN_COMMITTED)
        session->changes = NULL;
    else /* of a savepoint perhaps: other changes may stand before it */
        catalog_session_forget_own(session);
}

/* -- Changes of temporary objects -------------------------------------------------------------- */

typedef enum RowConcerns {
    CONCERNS_ALL = 0, /* somebody else's plans perhaps */
    CONCERNS_RELATION,
    CONCERNS_SESSION, /* a temporary object itself */
    CONCERNS_NOBODY,
} RowConcerns;

static RowConcerns concerns_namespace(const CatalogSession *session, Oid namespace)
{
    return namespace && namespace == session->temp_namespace ? CONCERNS_SESSION : CONCERNS_ALL;
}

/* Whom a system row's change concerns; of CONCERNS_RELATION and of relations, *ret_relation. */
static RowConcerns row_concerns(const CatalogSession *session, const CatalogRow *row,
                                Oid *ret_relation)
{
    int column;

    *ret_relation = OID_NONE;
    switch (row->table) {
    case CAT_PG_DEPEND:
    case CAT_PG_SHDEPEND:
    case CAT_PG_DESCRIPTION:
    case CAT_PG_SHDESCRIPTION:
        return CONCERNS_NOBODY;
    case CAT_PG_NAMESPACE:
        return str_starts_with(row_text(row, PG_NAMESPACE_NSPNAME), STR("pg_temp_"))
                   ? CONCERNS_SESSION
                   : CONCERNS_ALL;
    case CAT_PG_TYPE:
        return concerns_namespace(session, row_oid(row, PG_TYPE_TYPNAMESPACE));
    case CAT_PG_CLASS:
        *ret_relation = row_oid(row, PG_CLASS_OID);
        return concerns_namespace(session, row_oid(row, PG_CLASS_RELNAMESPACE));
    case CAT_PG_ATTRIBUTE:
        column = PG_ATTRIBUTE_ATTRELID;
        break;
    case CAT_PG_ATTRDEF:
        column = PG_ATTRDEF_ADRELID;
        break;
    case CAT_PG_CONSTRAINT:
        column = PG_CONSTRAINT_CONRELID;
        break;
    case CAT_PG_INDEX:
        column = PG_INDEX_INDRELID;
        break;
    case CAT_PG_SEQUENCE:
        column = PG_SEQUENCE_SEQRELID;
        break;
    case CAT_PG_STATISTIC:
        column = PG_STATISTIC_STARELID;
        break;
    case CAT_PG_TRIGGER:
        column = PG_TRIGGER_TGRELID;
        break;
    default:
        return CONCERNS_ALL;
    }
    *ret_relation = row_oid(row, column);
    return *ret_relation ? CONCERNS_RELATION : CONCERNS_ALL;
}

static bool oids_have(const OidVec *oids, Oid oid)
{
    for (size_t i = oids->length; i > 0; i--)
        if (oids->items[i - 1] == oid)
            return true;
    return false;
}

#define MOST_TEMP_RELATIONS 64 /* in one transaction; beyond them everybody plans again */

static void oids_note(CatalogSession *session, OidVec *oids, Oid oid)
{
    if (oid && !oids_have(oids, oid))
        VEC_PUSH(session->arena, oids, oid);
}

static void note_whom(CatalogSession *session, const CatalogRow *row)
{
    CatalogChanges *changes = session->changes;
    Oid relation;

    if (!changes->may_be_temp)
        return;
    switch (row_concerns(session, row, &relation)) {
    case CONCERNS_NOBODY:
        return;
    case CONCERNS_SESSION:
        oids_note(session, &changes->temporary, relation);
        break;
    case CONCERNS_RELATION:
        oids_note(session, &changes->touched, relation);
        break;
    case CONCERNS_ALL:
        changes->may_be_temp = false;
        break;
    }
    changes->may_be_temp &= changes->touched.length <= MOST_TEMP_RELATIONS &&
                            changes->temporary.length <= MOST_TEMP_RELATIONS;
    if (!changes->may_be_temp)
        txn_mark_schema_change(session->txn);
}

static bool is_own_temporary(CatalogSession *session, Oid oid)
{
    if (oids_have(&session->changes->temporary, oid))
        return true;
    const RelationDesc *relation = relation_find(session, oid);
    return relation && relation->namespace_oid == session->temp_namespace;
}

/* Before commit: whose plans are to be made again? */
static bool changes_conclude(void *context, Txn *txn)
{
    static _Atomic uint64_t temp_versions;
    CatalogSession *session = context;
    CatalogChanges *changes = session->changes;

    if (!changes || !changes->may_be_temp)
        return true;
    for (size_t i = 0; i < changes->touched.length; i++)
        if (!is_own_temporary(session, changes->touched.items[i])) {
            TRY(!error_is_set());
            txn_mark_schema_change(txn);
            return true;
        }
    session->temp_version = atomic_fetch_add(&temp_versions, 1) + 1;
    return true;
}

static void changes_begin(CatalogSession *session)
{
    CatalogChanges *changes = &session->cache->changes;

    changes->relations_dirty = true;
    changes->names_dirty = true;
    changes->may_be_temp = true;
    changes->touched = (OidVec){0};
    changes->temporary = (OidVec){0};
    session->changes = changes;
    txn_before_commit(session->txn, changes_conclude, session);
    txn_on_end(session->txn, changes_end, session);
}

void catalog_note_change(CatalogSession *session, const CatalogRow *row)
{
    if (!session->changes)
        changes_begin(session);
    CatalogChanges *changes = session->changes;
    note_whom(session, row);
    changes->count++;
    switch (row->table) {
    case CAT_PG_DEPEND:
    case CAT_PG_SHDEPEND:
    case CAT_PG_DESCRIPTION:
    case CAT_PG_SHDESCRIPTION:
        return;
    case CAT_PG_CLASS:
    case CAT_PG_ATTRIBUTE:
    case CAT_PG_ATTRDEF:
    case CAT_PG_CONSTRAINT:
    case CAT_PG_INDEX:
    case CAT_PG_REWRITE:
    case CAT_PG_STATISTIC:
    case CAT_PG_TRIGGER:
        changes->relations_dirty = true;
        return;
    default:
        changes->names_dirty = true;
        return;
    }
}

/* ---- OIDs ---- */

Oid catalog_new_oid(CatalogSession *session)
{
    const bool bootstrapping = catalog_is_bootstrapping(session->catalog);
    const SequenceDefinition definition = {
        .increment = 1,
        .minimum = bootstrapping ? OID_FIRST_UNPINNED : OID_FIRST_USER,
        .maximum = bootstrapping ? OID_FIRST_USER - 1 : UINT32_MAX - 1,
        .start = bootstrapping ? OID_FIRST_UNPINNED : OID_FIRST_USER,
        .cache = 1};
    int64_t value;

    TRY(sequence_next(session->txn, SHARED_DATABASE,
                      bootstrapping ? OID_SEQUENCE_BOOTSTRAP : OID_SEQUENCE, &definition,
                      STR("oid"), &value));
    return (Oid)value;
}
