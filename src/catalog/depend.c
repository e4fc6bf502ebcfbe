/* Dependencies between objects: pg_depend and pg_shdepend. */
#include "base/error.h"
#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/define_internal.h"
#include "catalog/object.h"

/* Built-in objects are never dropped, so nobody records that something depends on them. */
static bool is_pinned(ObjectAddress object)
{
    return object.oid < OID_FIRST_UNPINNED && object.class_oid != RELATION_PG_DATABASE &&
           !(object.class_oid == RELATION_PG_NAMESPACE && object.oid == NAMESPACE_PUBLIC);
}

static Str referenced_word(Oid class_oid)
{
    switch (class_oid) {
    case RELATION_PG_CLASS:
        return STR("relation");
    case RELATION_PG_TYPE:
        return STR("type");
    case RELATION_PG_NAMESPACE:
        return STR("schema");
    case RELATION_PG_CONSTRAINT:
        return STR("constraint");
    default:
        return STR("object");
    }
}

/* What is referenced must outlive this transaction, so that it is never referenced in vain. */
static bool keep_referenced(CatalogSession *session, ObjectAddress referenced)
{
    if (catalog_is_bootstrapping(session->catalog) ||
        (referenced.class_oid == RELATION_PG_CLASS &&
         lock_relation_is_held(session->txn, session->database_oid, referenced.oid,
                               LOCK_ACCESS_SHARE)))
        return true;
    const ObjectLocked outcome = object_lock(session, referenced, LOCK_ACCESS_SHARE);
    TRY(outcome);
    if (outcome == OBJECT_GONE)
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("referenced %.*s was concurrently dropped",
                                                  STR_ARGS(referenced_word(referenced.class_oid))));
    return true;
}

bool depend_record(CatalogSession *session, ObjectAddress dependent, ObjectAddress referenced,
                   DependencyKind kind)
{
    CatalogRow row;

    if (is_pinned(referenced))
        return true;
    TRY(keep_referenced(session, referenced));
    system_row_init(&row, CAT_PG_DEPEND);
    row_set_oid(&row, PG_DEPEND_CLASSID, dependent.class_oid);
    row_set_oid(&row, PG_DEPEND_OBJID, dependent.oid);
    row_set_int32(&row, PG_DEPEND_OBJSUBID, dependent.column);
    row_set_oid(&row, PG_DEPEND_REFCLASSID, referenced.class_oid);
    row_set_oid(&row, PG_DEPEND_REFOBJID, referenced.oid);
    row_set_int32(&row, PG_DEPEND_REFOBJSUBID, referenced.column);
    row_set_char(&row, PG_DEPEND_DEPTYPE, (char)kind);
    return system_row_insert(session, &row);
}

static Dependency dependency_of(const CatalogRow *row)
{
    return (Dependency){
        .dependent = {row_oid(row, PG_DEPEND_CLASSID), row_oid(row, PG_DEPEND_OBJID),
                      row->values[PG_DEPEND_OBJSUBID].int32},
        .referenced = {row_oid(row, PG_DEPEND_REFCLASSID), row_oid(row, PG_DEPEND_REFOBJID),
                       row->values[PG_DEPEND_REFOBJSUBID].int32},
        .kind = (DependencyKind)row_char(row, PG_DEPEND_DEPTYPE)};
}

/* Keys of an index on (class, oid, column); a column of 0 means every column too. */
static uint32_t address_keys(ObjectAddress object, Value *keys)
{
    keys[0] = (Value){.oid = object.class_oid};
    keys[1] = (Value){.oid = object.oid};
    keys[2] = (Value){.int32 = object.column};
    return object.column ? 3 : 2;
}

static bool rows_of(CatalogSession *session, CatalogIndexId index, ObjectAddress object,
                    Arena *arena, DependencyVec *ret_rows)
{
    Value keys[3];
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, index, keys, address_keys(object, keys), &rows));
    for (size_t i = 0; i < rows.length; i++)
        VEC_PUSH(arena, ret_rows, dependency_of(rows.items[i]));
    return true;
}

bool depend_on(CatalogSession *session, ObjectAddress referenced, Arena *arena,
               DependencyVec *ret_rows)
{
    return rows_of(session, INDEX_PG_DEPEND_REFERENCE_INDEX, referenced, arena, ret_rows);
}

bool depend_of(CatalogSession *session, ObjectAddress dependent, Arena *arena,
               DependencyVec *ret_rows)
{
    return rows_of(session, INDEX_PG_DEPEND_DEPENDER_INDEX, dependent, arena, ret_rows);
}

bool depend_sequences(CatalogSession *session, Oid table, Arena *arena, OidVec *ret_sequences)
{
    DependencyVec rows = {0};

    TRY(depend_on(session, (ObjectAddress){RELATION_PG_CLASS, table, 0}, arena, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const Dependency *d = &rows.items[i];
        if (d->dependent.class_oid != RELATION_PG_CLASS || d->referenced.column == 0 ||
            (d->kind != DEPENDENCY_AUTO && d->kind != DEPENDENCY_INTERNAL))
            continue;
        const RelationDesc *relation = relation_get(session, d->dependent.oid);
        TRY(relation);
        if (relation->kind == RELKIND_SEQUENCE)
            VEC_PUSH(arena, ret_sequences, relation->oid);
    }
    return true;
}

bool depend_forget(CatalogSession *session, ObjectAddress dependent, char kind)
{
    Value keys[3];
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, INDEX_PG_DEPEND_DEPENDER_INDEX, keys,
                         address_keys(dependent, keys), &rows));
    for (size_t i = 0; i < rows.length; i++)
        if (!kind || row_char(rows.items[i], PG_DEPEND_DEPTYPE) == kind)
            TRY(system_row_delete(session, rows.items[i]));
    return true;
}

/* ---- roles: pg_shdepend ---- */

bool role_keep(CatalogSession *session, Oid role)
{
    const ObjectLocked outcome =
        object_lock(session, (ObjectAddress){RELATION_PG_AUTHID, role, 0}, LOCK_ACCESS_SHARE);

    TRY(outcome);
    if (outcome == OBJECT_GONE)
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("role %u was concurrently dropped", role));
    return true;
}

static bool shared_depend_insert(CatalogSession *session, ObjectAddress object, Oid role, char kind)
{
    CatalogRow row;
    const ObjectClass *class = object_class_find(object.class_oid);
    const bool is_shared = class && catalog_tables[class->table].shared;

    if (role < OID_FIRST_UNPINNED)
        return true;
    TRY(role_keep(session, role));
    system_row_init(&row, CAT_PG_SHDEPEND);
    row_set_oid(&row, PG_SHDEPEND_DBID, is_shared ? SHARED_DATABASE : session->database_oid);
    row_set_oid(&row, PG_SHDEPEND_CLASSID, object.class_oid);
    row_set_oid(&row, PG_SHDEPEND_OBJID, object.oid);
    row_set_int32(&row, PG_SHDEPEND_OBJSUBID, object.column);
    row_set_oid(&row, PG_SHDEPEND_REFCLASSID, RELATION_PG_AUTHID);
    row_set_oid(&row, PG_SHDEPEND_REFOBJID, role);
    row_set_char(&row, PG_SHDEPEND_DEPTYPE, kind);
    return system_row_insert(session, &row);
}

static bool shared_depend_forget(CatalogSession *session, ObjectAddress object, char kind)
{
    const ObjectClass *class = object_class_find(object.class_oid);
    const bool is_shared = class && catalog_tables[class->table].shared;
    const Value keys[] = {{.oid = is_shared ? SHARED_DATABASE : session->database_oid},
                          {.oid = object.class_oid},
                          {.oid = object.oid},
                          {.int32 = object.column}};
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, INDEX_PG_SHDEPEND_DEPENDER_INDEX, keys,
                         kind && object.column ? 4 : 3, &rows));
    for (size_t i = 0; i < rows.length; i++)
        if (!kind || row_char(rows.items[i], PG_SHDEPEND_DEPTYPE) == kind)
            TRY(system_row_delete(session, rows.items[i]));
    return true;
}

bool depend_record_owner(CatalogSession *session, ObjectAddress object, Oid owner)
{
    TRY(shared_depend_forget(session, object, 'o'));
    return shared_depend_insert(session, object, owner, 'o');
}

bool depend_update_acl(CatalogSession *session, ObjectAddress object, Oid owner, const Acl *acl)
{
    OidVec done = {0};

    TRY(shared_depend_forget(session, object, 'a'));
    for (size_t i = 0; i < acl->length; i++) {
        const Oid roles[] = {acl->items[i].grantee, acl->items[i].grantor};
        for (size_t r = 0; r < 2; r++) {
            bool known = roles[r] == owner || roles[r] == ROLE_PUBLIC;
            for (size_t d = 0; d < done.length && !known; d++)
                known = done.items[d] == roles[r];
            if (known)
                continue;
            VEC_PUSH(session->arena, &done, roles[r]);
            TRY(shared_depend_insert(session, object, roles[r], 'a'));
        }
    }
    return true;
}

bool depend_forget_shared(CatalogSession *session, ObjectAddress object)
{
    return shared_depend_forget(session, object, 0);
}
