/*
 * Kinds of objects as the system tables keep them: which table, and which columns hold name, owner,
 * schema and privileges.
 */
#ifndef CATALOG_OBJECT_H
#define CATALOG_OBJECT_H

#include "catalog/define.h"
#include "catalog/system_row.h"

typedef struct ObjectClass {
    Oid class_oid;
    CatalogTableId table;
    CatalogIndexId oid_index;
    int name, owner, namespace_column, acl; /* columns; -1: none */
} ObjectClass;

const ObjectClass *object_class_find(Oid class_oid); /* NULL: not a kind that commands change */
/* The system table that a privilege target's rows are in. */
Oid privilege_target_class(PrivilegeTarget kind);
MUST_CHECK RowFound object_row_find(CatalogSession *session, Oid class_oid, Oid oid,
                                    CatalogRow *ret_row);

#endif
