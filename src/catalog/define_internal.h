/*
 * What the define_*.c files share.
 */
#ifndef CATALOG_DEFINE_INTERNAL_H
#define CATALOG_DEFINE_INTERNAL_H

#include "catalog/define.h"
#include "catalog/system_row.h"

/* A pg_class row with everything that does not depend on the occasion. */
void define_class_row(CatalogRow *row, Oid oid, Str name, Oid namespace_oid, RelationKind kind);
MUST_CHECK bool define_attribute_row(CatalogSession *session, Oid relation, int16_t attnum,
                                     const ColumnDefinition *column, bool is_system);
MUST_CHECK bool define_lock_new(CatalogSession *session, Oid relation);
/* pg_class.relchecks. */
MUST_CHECK bool define_check_count(CatalogSession *session, Oid table, int change);
/* Everything pg_shdepend has about an object. */
MUST_CHECK bool depend_forget_shared(CatalogSession *session, ObjectAddress object);

/* pg_init_privs: the privileges that the object has in a fresh database. */
MUST_CHECK bool define_initial_acl(CatalogSession *session, ObjectAddress object,
                                   const struct Acl *acl);

#endif
