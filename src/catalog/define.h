/*
 * Defining: changes of the system tables, and the dependencies between objects.
 *
 * Commands (executor/command) speak in these terms; no command writes system tables by
 * itself. A change is visible to the transaction's next lookup at once (the command counter
 * moves inside) and to others at commit.
 *
 *   TRY(define_relation(session, &definition, &oid));
 *   TRY(depend_record(session, object_column(...), object_type(...), DEPENDENCY_NORMAL));
 *   TRY(drop_objects(session, targets, count, (DropOptions){.cascade = true}));
 *
 * An ObjectAddress names anything: {system table, OID, column}. drop_objects follows pg_depend as
 * PostgreSQL's performMultipleDeletions: RESTRICT fails with 2BP01 and its DETAIL and HINT, CASCADE
 * tells what else goes in a NOTICE.
 */
#ifndef CATALOG_DEFINE_H
#define CATALOG_DEFINE_H

#include "base/vector.h"
#include "catalog/catalog.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "catalog/system_table.h" /* RELATION_PG_CLASS … */
#include "txn/lock.h"
#include "txn/sequence.h"

typedef struct ObjectAddress {
    Oid class_oid; /* the system table: RELATION_PG_CLASS … (catalog/tables.h) */
    Oid oid;
    int32_t column; /* of a relation; 0: the whole */
} ObjectAddress;
typedef VEC(ObjectAddress) ObjectVec;

/*
 * Takes a lock of the object, as in pg_locks, and looks whether it is still there: who had a
 * conflicting one may have dropped it.
 */
typedef enum ObjectLocked {
    OBJECT_FAILED = 0, /* error is set */
    OBJECT_LOCKED,
    OBJECT_GONE,
} ObjectLocked;
MUST_CHECK ObjectLocked object_lock(CatalogSession *session, ObjectAddress object, LockMode mode);

/* pg_depend.deptype */
typedef enum DependencyKind {
    DEPENDENCY_NORMAL = 'n',
    DEPENDENCY_AUTO = 'a',
    DEPENDENCY_INTERNAL = 'i',
    DEPENDENCY_PIN = 'p',
} DependencyKind;

/* Both keep what is referenced from being dropped before this transaction ends. */
MUST_CHECK bool depend_record(CatalogSession *session, ObjectAddress dependent,
                              ObjectAddress referenced, DependencyKind kind);
/* pg_shdepend: owner 'o', in an ACL 'a'. */
MUST_CHECK bool depend_record_owner(CatalogSession *session, ObjectAddress object, Oid owner);
MUST_CHECK bool depend_update_acl(CatalogSession *session, ObjectAddress object, Oid owner,
                                  const Acl *acl);
/* The role stays until this transaction ends: 42704 if it has gone meanwhile. */
MUST_CHECK bool role_keep(CatalogSession *session, Oid role);
/* Forgets what `dependent` depends on (of one kind; 0: all). */
MUST_CHECK bool depend_forget(CatalogSession *session, ObjectAddress dependent, char kind);
/* Who depends on it, as pg_depend rows. */
typedef struct Dependency {
    ObjectAddress dependent;
    ObjectAddress referenced;
    DependencyKind kind;
} Dependency;
typedef VEC(Dependency) DependencyVec;
MUST_CHECK bool depend_on(CatalogSession *session, ObjectAddress referenced, Arena *arena,
                          DependencyVec *ret_rows);
MUST_CHECK bool depend_of(CatalogSession *session, ObjectAddress dependent, Arena *arena,
                          DependencyVec *ret_rows);
/* The sequences that the table's columns own: serial, identity, OWNED BY. */
MUST_CHECK bool depend_sequences(CatalogSession *session, Oid table, Arena *arena,
                                 OidVec *ret_sequences);
/* "table t", "column a of table t", "constraint c on table t", "view s.v" … */
Str object_describe(CatalogSession *session, ObjectAddress object, Arena *arena);

typedef struct DropOptions {
    bool cascade;
    bool quiet; /* no NOTICE of what else goes */
} DropOptions;
MUST_CHECK bool drop_objects(CatalogSession *session, const ObjectAddress *targets, size_t count,
                             DropOptions options);

/* A relation's tree (or sequence state) goes at commit; its row stays: TRUNCATE, rewrites. */
MUST_CHECK bool drop_storage(CatalogSession *session, RelationKind kind, Oid database, Oid tree);

/* ---- relations ---- */

typedef struct ColumnDefinition {
    Str name;
    Oid type;
    int32_t typmod;
    Oid collation;
    bool not_null;
    char identity, generated;
    int16_t dimensions;
    Str default_text; /* canonical SQL; STR_NONE: none */
} ColumnDefinition;

typedef struct RelationDefinition {
    Str name;
    Oid namespace_oid;
    RelationKind kind;
    RelationPersistence persistence;
    Oid owner;
    const ColumnDefinition *columns;
    uint16_t column_count;
    Str options; /* reloptions as "{a=b}"; STR_NONE */
} RelationDefinition;

/* pg_class, pg_attribute, pg_attrdef, pg_type (row type and its array), the tree; 42P07 when the
 * name is taken. */
MUST_CHECK bool define_relation(CatalogSession *session, const RelationDefinition *definition,
                                Oid *ret_oid);

typedef struct IndexDefinition {
    Str name; /* empty: made up as PostgreSQL does */
    Oid table;
    const IndexColumn *columns;
    const Str *column_names; /* index attribute names */
    uint16_t column_count, key_count;
    bool is_unique, is_primary, nulls_not_distinct, deferrable;
    bool for_constraint; /* depends on its constraint, not on columns */
    Str predicate;
    Str options;
} IndexDefinition;
/* The rows and an empty tree; who calls fills it. */
MUST_CHECK bool define_index(CatalogSession *session, const IndexDefinition *definition,
                             Oid *ret_oid);

typedef struct ConstraintDefinition {
    Str name;
    ConstraintKind kind;
    Oid table;
    Oid type; /* of a domain */
    const int16_t *columns;
    uint16_t column_count;
    Oid index;
    Str check_text;
    bool deferrable, initially_deferred, validated, no_inherit, is_local;
    Oid foreign_table;
    const int16_t *foreign_columns;
    ForeignAction on_update, on_delete;
    char match;
    const Oid *equal_operators;
    const int16_t *delete_set_columns;
    uint16_t delete_set_count;
} ConstraintDefinition;
struct CatalogRow;
/* conpfeqop and its kin, of `pk = fk` operators, into a row of pg_constraint. */
MUST_CHECK bool define_key_operators(CatalogSession *session, struct CatalogRow *row,
                                     const Oid *operators, uint32_t count);
MUST_CHECK bool define_constraint(CatalogSession *session, const ConstraintDefinition *definition,
                                  Oid *ret_oid);

MUST_CHECK bool define_column(CatalogSession *session, const RelationDesc *relation,
                              const ColumnDefinition *column, const Value *missing,
                              int16_t *ret_attnum);
MUST_CHECK bool define_default(CatalogSession *session, Oid relation, int attnum, Str text);
MUST_CHECK bool define_view_rule(CatalogSession *session, Oid view, Str text, bool replace);
MUST_CHECK bool define_namespace(CatalogSession *session, Str name, Oid owner, Oid *ret_oid);
/* A name for a constraint or index that nothing in the namespace has: "t_a_key", "t_a_key1" … */
Str define_choose_name(CatalogSession *session, Str name1, Str name2, Str label, Oid namespace_oid,
                       bool for_constraint, Oid relation, Arena *arena);

/* pg_sequence; `type` is int2, int4 or int8. Its state is made in the txn room too. */
MUST_CHECK bool define_sequence(CatalogSession *session, Oid relation, Oid type,
                                const SequenceDefinition *definition);
MUST_CHECK bool sequence_definition(CatalogSession *session, Oid relation, Oid *ret_type,
                                    SequenceDefinition *ret_definition);

/* COMMENT ON: pg_description or pg_shdescription; STR_NONE removes. */
MUST_CHECK bool define_comment(CatalogSession *session, ObjectAddress object, Str text);
Str comment_find(CatalogSession *session, ObjectAddress object, Arena *arena);

/* ANALYZE's results. */
MUST_CHECK bool define_statistics(CatalogSession *session, const RelationDesc *relation,
                                  const ColumnStatistics *columns, uint32_t count);
MUST_CHECK bool define_relation_size(CatalogSession *session, Oid relation, double rows,
                                     int32_t pages);

/* A change to one system row that already has its name elsewhere: rename, owner, schema, ACL. */
MUST_CHECK bool define_rename(CatalogSession *session, ObjectAddress object, Str name);
MUST_CHECK bool define_owner(CatalogSession *session, ObjectAddress object, Oid owner);
MUST_CHECK bool define_move(CatalogSession *session, ObjectAddress object, Oid namespace_oid);
/* Waits for who is changing the object's row: what is read of it after this holds until the end. */
MUST_CHECK bool object_row_lock(CatalogSession *session, ObjectAddress object);
MUST_CHECK bool define_acl(CatalogSession *session, ObjectAddress object, const Acl *acl);

#endif
