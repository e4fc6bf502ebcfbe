/*
 * Constraints as relations list them (relation.h): CHECK, keys, foreign keys. A foreign key is in
 * the lists of both its tables.
 */
#ifndef CATALOG_CONSTRAINT_H
#define CATALOG_CONSTRAINT_H

#include "base/base.h"
#include "base/str.h"

/* pg_constraint.contype */
typedef enum ConstraintKind {
    CONTYPE_CHECK = 'c',
    CONTYPE_FOREIGN = 'f',
    CONTYPE_PRIMARY = 'p',
    CONTYPE_UNIQUE = 'u',
    CONTYPE_TRIGGER = 't',
    CONTYPE_EXCLUSION = 'x',
} ConstraintKind;

/* pg_constraint.confupdtype, confdeltype */
typedef enum ForeignAction {
    REFERENCE_NO_ACTION = 'a',
    REFERENCE_RESTRICT = 'r',
    REFERENCE_CASCADE = 'c',
    REFERENCE_SET_NULL = 'n',
    REFERENCE_SET_DEFAULT = 'd',
} ForeignAction;

/* What a constraint has done after rows have changed (trigger.h). */
typedef enum ConstraintTrigger {
    TRIGGER_CHECK_INSERT, /* a unique key's one trigger too */
    TRIGGER_CHECK_UPDATE,
    TRIGGER_ACTION_DELETE,
    TRIGGER_ACTION_UPDATE,
    CONSTRAINT_TRIGGER_COUNT
} ConstraintTrigger;

enum { /* pg_trigger.tgenabled */
       TRIGGER_ENABLED_ORIGIN = 'O',
       TRIGGER_ENABLED_REPLICA = 'R',
       TRIGGER_ENABLED_ALWAYS = 'A',
       TRIGGER_DISABLED = 'D',
};

typedef struct ConstraintDesc {
    Oid oid;
    Str name;
    ConstraintKind kind;
    Oid table; /* conrelid */
    bool deferrable;
    bool initially_deferred;
    bool validated;
    bool is_local;
    bool no_inherit;
    Oid index;              /* conindid: unique, primary; of a foreign key, the referenced index */
    const int16_t *columns; /* conkey */
    uint16_t column_count;
    Str check_text; /* CHECK's expression */
    /* foreign keys */
    Oid foreign_table;
    const int16_t *foreign_columns; /* confkey */
    ForeignAction on_update, on_delete;
    char match;                        /* 's' SIMPLE, 'f' FULL */
    const Oid *equal_operators;        /* pk = fk, one a column (conpfeqop) */
    const int16_t *delete_set_columns; /* ON DELETE SET NULL (…) */
    uint16_t delete_set_count;
    char triggers[CONSTRAINT_TRIGGER_COUNT]; /* tgenabled, by ConstraintTrigger */
} ConstraintDesc;

#endif
