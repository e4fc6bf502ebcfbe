/*
 * Triggers: the internal ones by which PostgreSQL checks foreign keys and deferrable unique keys.
 *
 * They are rows of pg_trigger, four of a foreign key and one of a unique key, internal to their
 * constraint, which they come and go with. What they do is done by the executor, which asks a
 * constraint (ConstraintDesc.triggers) whether the trigger fires: ALTER TABLE … DISABLE TRIGGER and
 * session_replication_role decide. A trigger without a row is enabled.
 */
#ifndef CATALOG_TRIGGER_H
#define CATALOG_TRIGGER_H

#include "catalog/catalog.h"
#include "catalog/constraint.h"
#include "catalog/define.h"

/* pg_trigger.tgtype, bit by bit. */
enum { TRIGGER_ROW = 1, TRIGGER_INSERT = 4, TRIGGER_DELETE = 8, TRIGGER_UPDATE = 16 };

/* The triggers of a new constraint; none for one that is checked at once. */
MUST_CHECK bool trigger_define(CatalogSession *session, Oid constraint,
                               const ConstraintDefinition *definition);
/* After the constraint's row has changed: when they fire. */
MUST_CHECK bool trigger_set_deferrable(CatalogSession *session, Oid constraint, bool deferrable,
                                       bool initially_deferred);
/* tgenabled of the constraint's triggers, by ConstraintTrigger. */
MUST_CHECK bool trigger_load(CatalogSession *session, ConstraintDesc *constraint);

/* ALTER TABLE … ENABLE/DISABLE TRIGGER. */
typedef struct TriggerChange {
    Str name;           /* STR_NONE: all, or those of users */
    bool spares_system; /* USER: those of constraints stay as they are */
    char enabled;       /* tgenabled: O D R A */
} TriggerChange;
MUST_CHECK bool trigger_change(CatalogSession *session, const RelationDesc *table,
                               const TriggerChange *change);

#endif
