#include "catalog/object.h"

#include "catalog/catalog_internal.h"

static const ObjectClass classes[] = {
    {RELATION_PG_CLASS, CAT_PG_CLASS, INDEX_PG_CLASS_OID_INDEX, PG_CLASS_RELNAME, PG_CLASS_RELOWNER,
     PG_CLASS_RELNAMESPACE, PG_CLASS_RELACL},
    {RELATION_PG_TYPE, CAT_PG_TYPE, INDEX_PG_TYPE_OID_INDEX, PG_TYPE_TYPNAME, PG_TYPE_TYPOWNER,
     PG_TYPE_TYPNAMESPACE, PG_TYPE_TYPACL},
    {RELATION_PG_NAMESPACE, CAT_PG_NAMESPACE, INDEX_PG_NAMESPACE_OID_INDEX, PG_NAMESPACE_NSPNAME,
     PG_NAMESPACE_NSPOWNER, -1, PG_NAMESPACE_NSPACL},
    {RELATION_PG_DATABASE, CAT_PG_DATABASE, INDEX_PG_DATABASE_OID_INDEX, PG_DATABASE_DATNAME,
     PG_DATABASE_DATDBA, -1, PG_DATABASE_DATACL},
    {RELATION_PG_CONSTRAINT, CAT_PG_CONSTRAINT, INDEX_PG_CONSTRAINT_OID_INDEX,
     PG_CONSTRAINT_CONNAME, -1, PG_CONSTRAINT_CONNAMESPACE, -1},
    {RELATION_PG_AUTHID, CAT_PG_AUTHID, INDEX_PG_AUTHID_OID_INDEX, PG_AUTHID_ROLNAME, -1, -1, -1},
    {RELATION_PG_PROC, CAT_PG_PROC, INDEX_PG_PROC_OID_INDEX, PG_PROC_PRONAME, PG_PROC_PROOWNER,
     PG_PROC_PRONAMESPACE, PG_PROC_PROACL},
    {RELATION_PG_LANGUAGE, CAT_PG_LANGUAGE, INDEX_PG_LANGUAGE_OID_INDEX, PG_LANGUAGE_LANNAME,
     PG_LANGUAGE_LANOWNER, -1, PG_LANGUAGE_LANACL},
    {RELATION_PG_TABLESPACE, CAT_PG_TABLESPACE, INDEX_PG_TABLESPACE_OID_INDEX,
     PG_TABLESPACE_SPCNAME, PG_TABLESPACE_SPCOWNER, -1, PG_TABLESPACE_SPCACL},
    {RELATION_PG_ATTRDEF, CAT_PG_ATTRDEF, INDEX_PG_ATTRDEF_OID_INDEX, -1, -1, -1, -1},
    {RELATION_PG_REWRITE, CAT_PG_REWRITE, INDEX_PG_REWRITE_OID_INDEX, PG_REWRITE_RULENAME, -1, -1,
     -1},
    {RELATION_PG_TRIGGER, CAT_PG_TRIGGER, INDEX_PG_TRIGGER_OID_INDEX, PG_TRIGGER_TGNAME, -1, -1,
     -1},
    {RELATION_PG_COLLATION, CAT_PG_COLLATION, INDEX_PG_COLLATION_OID_INDEX, PG_COLLATION_COLLNAME,
     PG_COLLATION_COLLOWNER, PG_COLLATION_COLLNAMESPACE, -1},
    {RELATION_PG_OPERATOR, CAT_PG_OPERATOR, INDEX_PG_OPERATOR_OID_INDEX, PG_OPERATOR_OPRNAME,
     PG_OPERATOR_OPROWNER, PG_OPERATOR_OPRNAMESPACE, -1},
};

const ObjectClass *object_class_find(Oid class_oid)
{
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++)
        if (classes[i].class_oid == class_oid)
            return &classes[i];
    return NULL;
}

Oid privilege_target_class(PrivilegeTarget kind)
{
    switch (kind) {
    case ON_DATABASE:
        return RELATION_PG_DATABASE;
    case ON_SCHEMA:
        return RELATION_PG_NAMESPACE;
    case ON_FUNCTION:
    case ON_AGGREGATE:
        return RELATION_PG_PROC;
    case ON_TYPE:
    case ON_DOMAIN:
        return RELATION_PG_TYPE;
    case ON_LANGUAGE:
        return RELATION_PG_LANGUAGE;
    case ON_TABLESPACE:
        return RELATION_PG_TABLESPACE;
    case ON_COLLATION:
        return RELATION_PG_COLLATION;
    case ON_OPERATOR:
        return RELATION_PG_OPERATOR;
    case ON_ROLE:
        return RELATION_PG_AUTHID;
    case ON_CONSTRAINT:
        return RELATION_PG_CONSTRAINT;
    default:
        return RELATION_PG_CLASS;
    }
}

ObjectLocked object_lock(CatalogSession *session, ObjectAddress object, LockMode mode)
{
    const ObjectClass *class = object_class_find(object.class_oid);
    const Oid database =
        class && catalog_tables[class->table].shared ? SHARED_DATABASE : session->database_oid;
    const LockOutcome outcome =
        object.class_oid == RELATION_PG_CLASS
            ? lock_relation(session->txn, database, object.oid, mode, LOCK_WAIT, STR(""))
            : lock_object(session->txn, database, object.class_oid, object.oid, mode, LOCK_WAIT);
    CatalogRow row;

    TRY(outcome);
    if (outcome == LOCK_HELD || !class)
        return OBJECT_LOCKED;
    /* While it was waited for, it may have gone. */
    const RowFound found = object_row_find(session, object.class_oid, object.oid, &row);
    TRY(found);
    return found == ROW_FOUND ? OBJECT_LOCKED : OBJECT_GONE;
}

RowFound object_row_find(CatalogSession *session, Oid class_oid, Oid oid, CatalogRow *ret_row)
{
    const ObjectClass *class = object_class_find(class_oid);

    if (!class)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("unrecognized object class: %u", class_oid));
    return system_row_find(session, class->oid_index, &(Value){.oid = oid}, 1, ret_row);
}
