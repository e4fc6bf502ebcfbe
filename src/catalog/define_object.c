/* Changes that every kind of object knows: name, owner, schema, privileges, comment; statistics. */
#include "base/error.h"
#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/define_internal.h"
#include "catalog/lookup.h"
#include "catalog/object.h"
#include "types/array.h"

static bool row_get(CatalogSession *session, ObjectAddress object, CatalogRow *row)
{
    const RowFound found = object_row_find(session, object.class_oid, object.oid, row);

    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("cache lookup failed for object %u of catalog %u",
                                                object.oid, object.class_oid));
    return true;
}

static bool rename_column(CatalogSession *session, ObjectAddress object, Str name)
{
    const Value keys[] = {{.oid = object.oid}, {.int16 = (int16_t)object.column}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found =
        system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, row);

    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("column vanished"));
    row_set_text(row, PG_ATTRIBUTE_ATTNAME, name);
    return system_row_update(session, row);
}

static bool rename_type(CatalogSession *session, Oid type, Str name)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    TRY(row_get(session, (ObjectAddress){RELATION_PG_TYPE, type, 0}, row));
    row_set_text(row, PG_TYPE_TYPNAME, name);
    const Oid array = row_oid(row, PG_TYPE_TYPARRAY);
    TRY(system_row_update(session, row));
    if (!array)
        return true;
    TRY(row_get(session, (ObjectAddress){RELATION_PG_TYPE, array, 0}, row));
    row_set_text(row, PG_TYPE_TYPNAME,
                 str_format(session->arena, "_%.*s", (int)MIN(name.length, 62), name.data));
    return system_row_update(session, row);
}

bool define_rename(CatalogSession *session, ObjectAddress object, Str name)
{
    const ObjectClass *class = object_class_find(object.class_oid);
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    if (object.column)
        return rename_column(session, object, name);
    TRY(row_get(session, object, row));
    row_set_text(row, class->name, name);
    TRY(system_row_update(session, row));
    if (object.class_oid != RELATION_PG_CLASS)
        return true;
    const Oid type = row_oid(row, PG_CLASS_RELTYPE);
    return !type || rename_type(session, type, name);
}

/* What the old owner gave and has becomes the new one's; entries that fall together are joined. */
static void acl_change_owner(Acl *acl, Oid old, Oid owner)
{
    size_t kept = 0;

    for (size_t i = 0; i < acl->length; i++) {
        AclItem item = acl->items[i];
        if (item.grantor == old)
            item.grantor = owner;
        if (item.grantee == old)
            item.grantee = owner;
        size_t at = 0;
        while (at < kept &&
               (acl->items[at].grantor != item.grantor || acl->items[at].grantee != item.grantee))
            at++;
        if (at == kept) {
            acl->items[kept++] = item;
        } else {
            acl->items[at].rights |= item.rights;
            acl->items[at].grant_options |= item.grant_options;
        }
    }
    acl->length = kept;
}

/* Indexes have their table's owner, of whom alone pg_shdepend tells. */
static bool owner_set(CatalogSession *session, ObjectAddress object, Oid owner, bool is_part)
{
    const ObjectClass *class = object_class_find(object.class_oid);
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    TRY(row_get(session, object, row));
    const Oid old = row_oid(row, class->owner);
    row_set_oid(row, class->owner, owner);
    if (class->acl >= 0 && !row->nulls[class->acl]) {
        Acl acl;
        TRY(acl_from_value(session->arena, &row->values[class->acl], &acl));
        acl_change_owner(&acl, old, owner);
        TRY(acl_to_value(session->arena, &acl, &row->values[class->acl]));
        TRY(depend_update_acl(session, object, owner, &acl));
    }
    TRY(system_row_update(session, row));
    return is_part || depend_record_owner(session, object, owner);
}

static bool column_owners_set(CatalogSession *session, Oid table, Oid old, Oid owner)
{
    const RelationDesc *relation = relation_get(session, table);

    TRY(relation);
    for (int i = 0; i < relation->column_count; i++) {
        const ColumnDesc *column = &relation->columns[i];
        if (column->dropped || !column->acl || column->acl->length == 0)
            continue;
        Acl acl = {0};
        VEC_RESERVE(session->arena, &acl, column->acl->length);
        memcpy(acl.items, column->acl->items, column->acl->length * sizeof(AclItem));
        acl.length = column->acl->length;
        acl_change_owner(&acl, old, owner);
        const ObjectAddress object = {RELATION_PG_CLASS, table, column->attnum};
        TRY(define_acl(session, object, &acl));
        TRY(relation = relation_get(session, table));
    }
    return true;
}

/* Sequences that columns own follow their table. */
static bool sequence_owners_set(CatalogSession *session, Oid table, Oid owner)
{
    OidVec owned = {0};

    TRY(depend_sequences(session, table, session->arena, &owned));
    for (size_t i = 0; i < owned.length; i++)
        TRY(define_owner(session, (ObjectAddress){RELATION_PG_CLASS, owned.items[i], 0}, owner));
    return true;
}

bool define_owner(CatalogSession *session, ObjectAddress object, Oid owner)
{
    if (object.class_oid != RELATION_PG_CLASS)
        return owner_set(session, object, owner, false);
    const RelationDesc *relation = relation_get(session, object.oid);
    TRY(relation);
    const Oid old = relation->owner;
    TRY(owner_set(session, object, owner, false));
    TRY(relation = relation_get(session, object.oid));
    const TypeDesc *type = relation->row_type ? type_find(session, relation->row_type) : NULL;
    if (type) {
        TRY(owner_set(session, (ObjectAddress){RELATION_PG_TYPE, type->oid, 0}, owner, false));
        if (type->array)
            TRY(owner_set(session, (ObjectAddress){RELATION_PG_TYPE, type->array, 0}, owner,
                          false));
    }
    if (relation->kind == RELKIND_SEQUENCE)
        return true;
    for (int i = 0; i < relation->index_count; i++)
        TRY(owner_set(session, (ObjectAddress){RELATION_PG_CLASS, relation->indexes[i].oid, 0},
                      owner, true));
    TRY(column_owners_set(session, object.oid, old, owner));
    return sequence_owners_set(session, object.oid, owner);
}

static bool namespace_set(CatalogSession *session, ObjectAddress object, Oid namespace)
{
    const ObjectClass *class = object_class_find(object.class_oid);
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    DependencyVec dependencies = {0};

    TRY(row_get(session, object, row));
    row_set_oid(row, class->namespace_column, namespace);
    TRY(system_row_update(session, row));
    TRY(depend_of(session, object, session->arena, &dependencies));
    for (size_t i = 0; i < dependencies.length; i++) {
        const Dependency *d = &dependencies.items[i];
        if (d->referenced.class_oid != RELATION_PG_NAMESPACE || d->dependent.column != 0)
            continue;
        const Value keys[] = {{.oid = object.class_oid}, {.oid = object.oid}, {.int32 = 0}};
        CatalogRowVec rows = {0};
        TRY(system_rows_find(session, INDEX_PG_DEPEND_DEPENDER_INDEX, keys, 3, &rows));
        for (size_t r = 0; r < rows.length; r++)
            if (row_oid(rows.items[r], PG_DEPEND_REFCLASSID) == RELATION_PG_NAMESPACE) {
                row_set_oid(rows.items[r], PG_DEPEND_REFOBJID, namespace);
                TRY(system_row_update(session, rows.items[r]));
            }
    }
    return true;
}

bool define_move(CatalogSession *session, ObjectAddress object, Oid namespace)
{
    TRY(namespace_set(session, object, namespace));
    if (object.class_oid != RELATION_PG_CLASS)
        return true;
    const RelationDesc *relation = relation_get(session, object.oid);
    TRY(relation);
    const TypeDesc *type = relation->row_type ? type_find(session, relation->row_type) : NULL;
    if (type) {
        TRY(namespace_set(session, (ObjectAddress){RELATION_PG_TYPE, type->oid, 0}, namespace));
        if (type->array)
            TRY(namespace_set(session, (ObjectAddress){RELATION_PG_TYPE, type->array, 0},
                              namespace));
    }
    for (int i = 0; relation->kind != RELKIND_INDEX && i < relation->index_count; i++)
        TRY(namespace_set(session, (ObjectAddress){RELATION_PG_CLASS, relation->indexes[i].oid, 0},
                          namespace));
    for (int i = 0; i < relation->constraint_count; i++)
        TRY(namespace_set(session,
                          (ObjectAddress){RELATION_PG_CONSTRAINT, relation->constraints[i].oid, 0},
                          namespace));
    return true;
}

bool define_initial_acl(CatalogSession *session, ObjectAddress object, const Acl *acl)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const Value keys[] = {{.oid = object.oid}, {.oid = object.class_oid}, {.int32 = object.column}};
    const RowFound found = system_row_find(session, INDEX_PG_INIT_PRIVS_O_C_O_INDEX, keys, 3, row);

    TRY(found);
    if (found == ROW_MISSING) {
        system_row_init(row, CAT_PG_INIT_PRIVS);
        row_set_oid(row, PG_INIT_PRIVS_OBJOID, object.oid);
        row_set_oid(row, PG_INIT_PRIVS_CLASSOID, object.class_oid);
        row_set_int32(row, PG_INIT_PRIVS_OBJSUBID, object.column);
        row_set_char(row, PG_INIT_PRIVS_PRIVTYPE, 'i');
    }
    TRY(acl_to_value(session->arena, acl, &row->values[PG_INIT_PRIVS_INITPRIVS]));
    row->nulls[PG_INIT_PRIVS_INITPRIVS] = false;
    return found == ROW_MISSING ? system_row_insert(session, row) : system_row_update(session, row);
}

/* Of what a fresh database grants, that on pg_catalog's own is left out by pg_dump. */
static bool is_initial(CatalogSession *session, ObjectAddress object, const CatalogRow *row)
{
    if (!catalog_is_bootstrapping(session->catalog))
        return false;
    if (object.class_oid == RELATION_PG_CLASS)
        return row_oid(row, PG_CLASS_RELNAMESPACE) == NAMESPACE_PG_CATALOG;
    if (object.class_oid == RELATION_PG_PROC)
        return row_oid(row, PG_PROC_PRONAMESPACE) == NAMESPACE_PG_CATALOG;
    return object.class_oid == RELATION_PG_NAMESPACE && object.oid == NAMESPACE_PG_CATALOG;
}

static bool column_row_get(CatalogSession *session, ObjectAddress object, CatalogRow *row)
{
    const Value keys[] = {{.oid = object.oid}, {.int16 = (int16_t)object.column}};
    const RowFound found =
        system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, row);

    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("column vanished"));
    return true;
}

bool object_row_lock(CatalogSession *session, ObjectAddress object)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    TRY(object.column ? column_row_get(session, object, row) : row_get(session, object, row));
    return system_row_lock(session, row);
}

bool define_acl(CatalogSession *session, ObjectAddress object, const Acl *acl)
{
    const ObjectClass *class = object_class_find(object.class_oid);
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const int column = object.column ? PG_ATTRIBUTE_ATTACL : class->acl;

    TRY(object.column ? column_row_get(session, object, row) : row_get(session, object, row));
    if (object.column && acl->length == 0) {
        row_set_null(row, column);
    } else {
        TRY(acl_to_value(session->arena, acl, &row->values[column]));
        row->nulls[column] = false;
    }
    TRY(system_row_update(session, row));
    if (!object.column && is_initial(session, object, row))
        TRY(define_initial_acl(session, object, acl));
    const Oid owner = object.column       ? OID_NONE
                      : class->owner >= 0 ? row_oid(row, class->owner)
                                          : OID_NONE;
    return depend_update_acl(session, object, owner, acl);
}

/* ---- comments ---- */

static bool is_shared_class(Oid class_oid)
{
    return class_oid == RELATION_PG_DATABASE || class_oid == RELATION_PG_AUTHID ||
           class_oid == RELATION_PG_TABLESPACE;
}

static RowFound comment_row(CatalogSession *session, ObjectAddress object, CatalogRow *row)
{
    const Value keys[] = {{.oid = object.oid}, {.oid = object.class_oid}, {.int32 = object.column}};

    return is_shared_class(object.class_oid)
               ? system_row_find(session, INDEX_PG_SHDESCRIPTION_O_C_INDEX, keys, 2, row)
               : system_row_find(session, INDEX_PG_DESCRIPTION_O_C_O_INDEX, keys, 3, row);
}

bool define_comment(CatalogSession *session, ObjectAddress object, Str text)
{
    const bool shared = is_shared_class(object.class_oid);
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found = comment_row(session, object, row);

    TRY(found);
    if (str_is_none(text) || text.length == 0)
        return found == ROW_MISSING || system_row_delete(session, row);
    if (found == ROW_FOUND) {
        row_set_text(row, shared ? PG_SHDESCRIPTION_DESCRIPTION : PG_DESCRIPTION_DESCRIPTION, text);
        return system_row_update(session, row);
    }
    system_row_init(row, shared ? CAT_PG_SHDESCRIPTION : CAT_PG_DESCRIPTION);
    row->row_id = 0;
    row_set_oid(row, PG_DESCRIPTION_OBJOID, object.oid);
    row_set_oid(row, PG_DESCRIPTION_CLASSOID, object.class_oid);
    if (shared) {
        row_set_text(row, PG_SHDESCRIPTION_DESCRIPTION, text);
    } else {
        row_set_int32(row, PG_DESCRIPTION_OBJSUBID, object.column);
        row_set_text(row, PG_DESCRIPTION_DESCRIPTION, text);
    }
    return system_row_insert(session, row);
}

Str comment_find(CatalogSession *session, ObjectAddress object, Arena *arena)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    if (comment_row(session, object, row) != ROW_FOUND)
        return STR_NONE;
    return str_copy(arena,
                    row_text(row, is_shared_class(object.class_oid) ? PG_SHDESCRIPTION_DESCRIPTION
                                                                    : PG_DESCRIPTION_DESCRIPTION));
}

/* ---- statistics ---- */

/* pg_statistic's slot kinds. */
enum { STATISTIC_COMMON = 1, STATISTIC_HISTOGRAM = 2, STATISTIC_CORRELATION = 3 };

typedef struct Slot {
    int16_t kind;
    Oid operator_oid, collation;
    const float *numbers;
    uint32_t number_count;
    const Value *values;
    uint32_t value_count;
} Slot;

static bool slot_store(CatalogSession *session, CatalogRow *row, int number, const Slot *slot,
                       Oid type)
{
    Value *numbers = ARENA_ARRAY(session->arena, Value, slot->number_count + 1);
    Value array;

    row_set_int16(row, PG_STATISTIC_STAKIND1 + number, slot->kind);
    row_set_oid(row, PG_STATISTIC_STAOP1 + number, slot->operator_oid);
    row_set_oid(row, PG_STATISTIC_STACOLL1 + number, slot->collation);
    if (slot->number_count) {
        for (uint32_t i = 0; i < slot->number_count; i++)
            numbers[i].float32 = slot->numbers[i];
        TRY(array_from_values(session->arena, TYPE_FLOAT4, numbers, (int)slot->number_count,
                              &array));
        row_set_value(row, PG_STATISTIC_STANUMBERS1 + number, array);
    }
    if (slot->value_count) {
        TRY(array_from_values(session->arena, type, slot->values, (int)slot->value_count, &array));
        row_set_value(row, PG_STATISTIC_STAVALUES1 + number, array);
    }
    return true;
}

static bool statistics_row(CatalogSession *session, const RelationDesc *relation,
                           const ColumnStatistics *column, CatalogRow *row)
{
    const ColumnDesc *desc = relation_column_at(relation, column->attnum);
    const TypeOperators *operators = type_operators(session, desc->type);
    const Oid collation = desc->collation;
    Slot slots[5] = {0};
    int count = 0;

    if (column->common_count)
        slots[count++] =
            (Slot){STATISTIC_COMMON,         operators->equal,     collation,
                   column->common_fractions, column->common_count, column->common_values,
                   column->common_count};
    if (column->histogram_count)
        slots[count++] = (Slot){STATISTIC_HISTOGRAM, operators->less,        collation, NULL, 0,
                                column->histogram,   column->histogram_count};
    if (column->has_correlation)
        slots[count++] = (Slot){
            STATISTIC_CORRELATION, operators->less, collation, &column->correlation, 1, NULL, 0};
    row_set_oid(row, PG_STATISTIC_STARELID, relation->oid);
    row_set_int16(row, PG_STATISTIC_STAATTNUM, column->attnum);
    row_set_bool(row, PG_STATISTIC_STAINHERIT, false);
    row_set_float4(row, PG_STATISTIC_STANULLFRAC, column->null_fraction);
    row_set_int32(row, PG_STATISTIC_STAWIDTH, column->average_width);
    row_set_float4(row, PG_STATISTIC_STADISTINCT, column->distinct);
    for (int i = 0; i < 5; i++)
        TRY(slot_store(session, row, i, &slots[i], desc->type));
    return true;
}

bool define_statistics(CatalogSession *session, const RelationDesc *relation,
                       const ColumnStatistics *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const Value keys[] = {
            {.oid = relation->oid}, {.int16 = columns[i].attnum}, {.boolean = false}};
        CatalogRow *old = ARENA_NEW(session->arena, CatalogRow);
        CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
        const RowFound found =
            system_row_find(session, INDEX_PG_STATISTIC_RELID_ATT_INH_INDEX, keys, 3, old);
        TRY(found);
        system_row_init(row, CAT_PG_STATISTIC);
        TRY(statistics_row(session, relation, &columns[i], row));
        row->row_id = found == ROW_FOUND ? old->row_id : 0;
        TRY(found == ROW_FOUND ? system_row_update(session, row) : system_row_insert(session, row));
    }
    return true;
}

bool define_relation_size(CatalogSession *session, Oid relation, double rows, int32_t pages)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    /* ANALYZE is to succeed beside GRANT, which takes no lock of the table. */
    TRY(object_row_lock(session, (ObjectAddress){RELATION_PG_CLASS, relation, 0}));
    TRY(row_get(session, (ObjectAddress){RELATION_PG_CLASS, relation, 0}, row));
    row_set_float4(row, PG_CLASS_RELTUPLES, (float)rows);
    row_set_int32(row, PG_CLASS_RELPAGES, pages);
    return system_row_update(session, row);
}

static bool slot_load(Arena *arena, const CatalogRow *row, int slot, const float **ret_numbers,
                      uint32_t *ret_number_count, const Value **ret_values,
                      uint32_t *ret_value_count)
{
    ArrayView view = {0};
    bool is_null;

    if (!row->nulls[PG_STATISTIC_STANUMBERS1 + slot])
        TRY(array_open(&row->values[PG_STATISTIC_STANUMBERS1 + slot], &view));
    float *numbers = ARENA_ARRAY(arena, float, view.count + 1);
    for (int i = 0; i < view.count; i++) {
        Value value;
        array_element(&view, i, &value, &is_null);
        numbers[i] = value.float32;
    }
    *ret_numbers = numbers;
    *ret_number_count = (uint32_t)view.count;
    view = (ArrayView){0};
    if (!row->nulls[PG_STATISTIC_STAVALUES1 + slot])
        TRY(array_open(&row->values[PG_STATISTIC_STAVALUES1 + slot], &view));
    Value *values = ARENA_ARRAY(arena, Value, view.count + 1);
    for (int i = 0; i < view.count; i++) {
        Value value;
        array_element(&view, i, &value, &is_null);
        values[i] = value_copy(arena, view.phys, &value);
    }
    *ret_values = values;
    *ret_value_count = (uint32_t)view.count;
    return true;
}

static bool statistics_load(const CatalogRow *row, Arena *arena, ColumnStatistics *ret)
{
    ret->null_fraction = row->values[PG_STATISTIC_STANULLFRAC].float32;
    ret->average_width = row->values[PG_STATISTIC_STAWIDTH].int32;
    ret->distinct = row->values[PG_STATISTIC_STADISTINCT].float32;
    for (int i = 0; i < 5; i++) {
        const float *numbers;
        const Value *values;
        uint32_t number_count, value_count;
        const int kind = row->values[PG_STATISTIC_STAKIND1 + i].int16;
        if (!kind)
            continue;
        TRY(slot_load(arena, row, i, &numbers, &number_count, &values, &value_count));
        if (kind == STATISTIC_COMMON) {
            ret->common_values = values;
            ret->common_fractions = numbers;
            ret->common_count = MIN(number_count, value_count);
        } else if (kind == STATISTIC_HISTOGRAM) {
            ret->histogram = values;
            ret->histogram_count = value_count;
        } else if (kind == STATISTIC_CORRELATION && number_count) {
            ret->has_correlation = true;
            ret->correlation = numbers[0];
        }
    }
    return true;
}

const ColumnStatistics *relation_statistics(CatalogSession *session, const RelationDesc *relation,
                                            int attnum)
{
    static const ColumnStatistics none;
    SessionCache *cache = session_cache(session);
    const uint64_t key = (uint64_t)relation->oid << 16 | (uint16_t)attnum;
    ColumnStatistics *found = hashmap_get(&cache->statistics, key);

    if (found)
        return found == &none ? NULL : found;
    const Value keys[] = {{.oid = relation->oid}, {.int16 = (int16_t)attnum}, {.boolean = false}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound outcome =
        system_row_find(session, INDEX_PG_STATISTIC_RELID_ATT_INH_INDEX, keys, 3, row);
    TRY(outcome);
    if (outcome == ROW_MISSING) {
        hashmap_put(&cache->statistics, key, (void *)(uintptr_t)&none);
        return NULL;
    }
    found = ARENA_NEW(cache->arena, ColumnStatistics);
    found->attnum = (int16_t)attnum;
    TRY(statistics_load(row, cache->arena, found));
    hashmap_put(&cache->statistics, key, found);
    return found;
}
