#include "catalog/relation.h"

#include "catalog/catalog_internal.h"
#include "catalog/lookup.h"
#include "catalog/relation_life.h"

static void relation_free(RelationDesc *relation)
{
    void *slot = atomic_load(&relation->planner_slot);
    void (*slot_free)(void *) = atomic_load(&relation->planner_slot_free);

    if (slot && slot_free)
        slot_free(slot);
    txn_tree_close(relation->storage);
    for (uint32_t i = 0; i < relation->index_count; i++)
        txn_tree_close(relation->indexes[i].storage);
    arena_free(relation->life->arena);
}

RelationDesc *relation_ref(const RelationDesc *relation)
{
    atomic_fetch_add_explicit(&relation->life->references, 1, memory_order_relaxed);
    return (RelationDesc *)(uintptr_t)relation;
}

void relation_unref(const RelationDesc *relation)
{
    if (relation && atomic_fetch_sub(&relation->life->references, 1) == 1)
        relation_free((RelationDesc *)(uintptr_t)relation);
}

/* The shared description of the version, or NULL. A new reference. */
static RelationDesc *shared_find(DatabaseCatalog *database, Oid oid, uint64_t version)
{
    RelationDesc *found;

    mutex_lock(&database->mutex);
    found = hashmap_get(&database->relations, oid);
    if (found && (found->life->version == version || found->is_builtin))
        relation_ref(found);
    else
        found = NULL;
    mutex_unlock(&database->mutex);
    return found;
}

static void shared_put(DatabaseCatalog *database, RelationDesc *relation)
{
    RelationDesc *old;

    relation_ref(relation);
    mutex_lock(&database->mutex);
    old = hashmap_put(&database->relations, relation->oid, relation);
    mutex_unlock(&database->mutex);
    relation_unref(old);
}

#define BUILD_TRIES 100

/* Rows of several tables make a description: they are read again where a commit that changes them
 * was half applied, or came in between. */
static RelationDesc *build_whole(CatalogSession *session, Oid oid)
{
    for (int i = 1;; i++) {
        const uint64_t version = txn_schema_version(session->catalog->manager);
        RelationDesc *relation = relation_build(session, oid);
        if (relation) {
            relation->life->version = version;
            if (txn_schema_version(session->catalog->manager) == version || i == BUILD_TRIES)
                return relation;
            relation_unref(relation);
        } else if (!error_is_set() || i == BUILD_TRIES || !catalog_was_moving(session, version)) {
            return NULL;
        }
        (void)session_cache(session);
    }
}

static RelationDesc *find(CatalogSession *session, Oid oid)
{
    SessionCache *cache = session_cache(session);
    RelationDesc *relation = hashmap_get(&cache->relations, oid);

    if (relation || oid == OID_NONE)
        return relation;
    const bool is_system = catalog_table_find(oid) || catalog_index_find(oid);
    const bool is_shareable = !session->changes || is_system;
    if (is_shareable)
        relation = shared_find(session->database, oid, cache->version);
    if (!relation) {
        relation = is_system ? relation_build_system(session, oid) : build_whole(session, oid);
        if (!relation)
            return NULL;
        if (is_system)
            relation->life->version = cache->version;
        relation->is_own = session->changes != NULL;
        /* Temporary objects change without a new version: their sessions alone keep them. */
        const bool is_temporary = relation->persistence == RELPERSISTENCE_TEMPORARY;
        if (is_temporary && relation->namespace_oid != session->temp_namespace) {
            VEC_PUSH(cache->lists, &cache->retired_relations, relation);
            return relation;
        }
        if (is_shareable && !is_temporary)
            shared_put(session->database, relation);
    }
    hashmap_put(&cache->relations, oid, relation);
    return relation;
}

static void keep(KeptRelations *kept, const RelationDesc *relation)
{
    for (size_t i = 0; i < kept->items.length; i++)
        if (kept->items.items[i] == relation)
            return;
    VEC_PUSH(kept->arena, &kept->items, relation_ref(relation));
}

void relations_let_go(KeptRelations *kept)
{
    for (size_t i = 0; i < kept->items.length; i++)
        relation_unref(kept->items.items[i]);
    kept->items.length = 0;
}

const RelationDesc *relation_find(CatalogSession *session, Oid oid)
{
    const RelationDesc *relation = find(session, oid);

    if (relation && session->kept)
        keep(session->kept, relation);
    return relation;
}

const RelationDesc *relation_get(CatalogSession *session, Oid oid)
{
    const RelationDesc *relation = relation_find(session, oid);

    if (!relation && !error_is_set())
        FAIL(ERR_UNDEFINED_TABLE, .message = fmt("relation with OID %u does not exist", oid));
    return relation;
}

Oid relation_oid_in(CatalogSession *session, Oid namespace_oid, Str name)
{
    if (namespace_oid == NAMESPACE_PG_CATALOG) {
        for (size_t i = 0; i < CATALOG_TABLE_COUNT; i++)
            if (str_equal(catalog_tables[i].name, name))
                return catalog_tables[i].oid;
    }
    const Value keys[] = {{.var = var_from_str(name)}, {.oid = namespace_oid}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    if (system_row_find(session, INDEX_PG_CLASS_RELNAME_NSP_INDEX, keys, 2, row) != ROW_FOUND)
        return OID_NONE;
    return row_oid(row, PG_CLASS_OID);
}

Oid relation_oid(CatalogSession *session, Str schema, Str name)
{
    if (!str_is_none(schema)) {
        const Oid namespace = namespace_oid(session, schema);
        return namespace ? relation_oid_in(session, namespace, name) : OID_NONE;
    }
    const SearchPath *path = catalog_search_path(session);
    TRY(path);
    for (uint32_t i = 0; i < path->count; i++) {
        const Oid oid = relation_oid_in(session, path->namespaces[i], name);
        if (oid || error_is_set())
            return oid;
    }
    return OID_NONE;
}

const RelationDesc *relation_get_name(CatalogSession *session, Str schema, Str name, int position)
{
    const Oid oid = relation_oid(session, schema, name);
    const RelationDesc *relation = oid ? relation_find(session, oid) : NULL;

    if (relation || error_is_set())
        return relation;
    if (str_is_none(schema))
        FAIL(ERR_UNDEFINED_TABLE,
             .message = fmt("relation \"%.*s\" does not exist", STR_ARGS(name)),
             .position = position);
    FAIL(ERR_UNDEFINED_TABLE,
         .message = fmt("relation \"%.*s.%.*s\" does not exist", STR_ARGS(schema), STR_ARGS(name)),
         .position = position);
}

const ColumnDesc *relation_column(const RelationDesc *relation, Str name)
{
    for (uint32_t i = 0; i < relation->column_count; i++)
        if (!relation->columns[i].dropped && str_equal(relation->columns[i].name, name))
            return &relation->columns[i];
    return NULL;
}

const ColumnDesc *relation_column_at(const RelationDesc *relation, int attnum)
{
    if (attnum < 1 || attnum > relation->column_count)
        return NULL;
    return &relation->columns[attnum - 1];
}

const IndexDesc *relation_index(const RelationDesc *relation, Oid index_oid)
{
    for (uint32_t i = 0; i < relation->index_count; i++)
        if (relation->indexes[i].oid == index_oid)
            return &relation->indexes[i];
    return NULL;
}

const IndexDesc *relation_primary_key(const RelationDesc *relation)
{
    for (uint32_t i = 0; i < relation->index_count; i++)
        if (relation->indexes[i].is_primary)
            return &relation->indexes[i];
    return NULL;
}

const ConstraintDesc *relation_constraint(const RelationDesc *relation, Str name)
{
    for (uint32_t i = 0; i < relation->constraint_count; i++)
        if (str_equal(relation->constraints[i].name, name))
            return &relation->constraints[i];
    return NULL;
}

Str relation_kind_name(RelationKind kind)
{
    switch (kind) {
    case RELKIND_TABLE:
    case RELKIND_PARTITIONED:
    case RELKIND_TOAST:
        return STR("table");
    case RELKIND_INDEX:
        return STR("index");
    case RELKIND_SEQUENCE:
        return STR("sequence");
    case RELKIND_VIEW:
        return STR("view");
    case RELKIND_MATVIEW:
        return STR("materialized view");
    case RELKIND_COMPOSITE:
        return STR("composite type");
    case RELKIND_FOREIGN:
        return STR("foreign table");
    }
    return STR("relation");
}

Str relation_kind_plural(RelationKind kind)
{
    static const struct {
        RelationKind kind;
        Str plural;
    } names[] = {
        {RELKIND_TABLE, {"tables", 6}},
        {RELKIND_PARTITIONED, {"partitioned tables", 18}},
        {RELKIND_TOAST, {"TOAST tables", 12}},
        {RELKIND_INDEX, {"indexes", 7}},
        {RELKIND_SEQUENCE, {"sequences", 9}},
        {RELKIND_VIEW, {"views", 5}},
        {RELKIND_MATVIEW, {"materialized views", 18}},
        {RELKIND_COMPOSITE, {"composite types", 15}},
        {RELKIND_FOREIGN, {"foreign tables", 14}},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (names[i].kind == kind)
            return names[i].plural;
    return STR("relations");
}

static const SystemColumn system_columns[] = {
    {-1, {"ctid", 4}, TYPE_TID}, {-2, {"xmin", 4}, TYPE_XID}, {-3, {"cmin", 4}, TYPE_CID},
    {-4, {"xmax", 4}, TYPE_XID}, {-5, {"cmax", 4}, TYPE_CID}, {-6, {"tableoid", 8}, TYPE_OID},
};

const SystemColumn *system_column_find(Str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(system_columns); i++)
        if (str_equal(system_columns[i].name, name))
            return &system_columns[i];
    return NULL;
}

int relation_field_number(const RelationDesc *relation, const ColumnDesc *column)
{
    int number = 1;
    for (int i = 0; i < column->attnum - 1; i++)
        number += !relation->columns[i].dropped;
    return number;
}

const SystemColumn *system_column_at(int attnum)
{
    return attnum >= -6 && attnum <= -1 ? &system_columns[-attnum - 1] : NULL;
}
