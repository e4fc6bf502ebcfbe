/*
 * Relations as the planner, executor and commands see them: immutable, reference-counted.
 *
 *   const RelationDesc *relation = relation_find(session, oid);   NULL: no such OID, no error
 *   const ColumnDesc *column = relation_column(relation, STR("id"));
 *
 * relation_find and relation_get_name borrow: the description lives until the end of the
 * transaction. Who keeps one longer (a cached plan) takes relation_ref and lets go with
 * relation_unref; a description that the catalog has replaced stays whole while referenced.
 * After waiting for a table lock, find again: the description may have been replaced.
 *
 * Columns are in attnum order with dropped ones in place: columns[attnum - 1]. Storage column
 * index = attnum - 1. System columns (ctid, xmin, tableoid …) have negative numbers and are found
 * through system_column_find.
 *
 * Expressions and view definitions are SQL text in canonical form: every name schema-qualified
 * as needed under a search path of pg_catalog alone. `planner_slot` holds what the planner made
 * of them.
 */
#ifndef CATALOG_RELATION_H
#define CATALOG_RELATION_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/str.h"
#include "base/vector.h"
#include "catalog/catalog.h"
#include "catalog/constraint.h"

typedef struct Layout Layout;
typedef struct TxnTree TxnTree;

/* pg_class.relkind */
typedef enum RelationKind {
    RELKIND_TABLE = 'r',
    RELKIND_INDEX = 'i',
    RELKIND_SEQUENCE = 'S',
    RELKIND_VIEW = 'v',
    RELKIND_MATVIEW = 'm',
    RELKIND_COMPOSITE = 'c',
    RELKIND_FOREIGN = 'f',
    RELKIND_PARTITIONED = 'p',
    RELKIND_TOAST = 't',
} RelationKind;

/* pg_class.relpersistence */
typedef enum RelationPersistence {
    RELPERSISTENCE_PERMANENT = 'p',
    RELPERSISTENCE_UNLOGGED = 'u',
    RELPERSISTENCE_TEMPORARY = 't',
} RelationPersistence;

typedef struct ColumnDesc {
    int16_t attnum; /* 1-based */
    Str name;
    Oid type;
    int32_t typmod;
    Oid collation;
    PhysType phys;
    int16_t type_length; /* pg_type.typlen */
    bool type_by_value;
    char type_align;
    char storage; /* attstorage */
    bool not_null;
    bool has_default; /* default_text is there, of a generated column too */
    char identity;    /* 0, 'a' ALWAYS, 'd' BY DEFAULT */
    char generated;   /* 0, 's' STORED */
    bool dropped;
    bool is_local;
    int16_t inherit_count;
    int16_t dimensions;        /* attndims */
    int32_t statistics_target; /* -1: the default */
    bool has_missing;          /* rows older than the column hold `missing` */
    Str default_text;          /* DEFAULT's or GENERATED's expression */
    Oid default_oid;           /* pg_attrdef.oid */
    const struct Acl *acl;     /* attacl; NULL: none */
    Oid identity_sequence;     /* of an identity column */
} ColumnDesc;

typedef struct IndexColumn {
    int16_t attnum; /* 0: an expression */
    Str expression; /* its SQL text when attnum is 0 */
    Oid type;       /* of the key */
    int32_t typmod;
    PhysType phys;
    Oid collation;
    Oid opclass;
    Oid opfamily;
    bool descending;
    bool nulls_first;
} IndexColumn;

typedef struct IndexDesc {
    Oid oid;
    Oid table;
    Str name;
    Oid namespace_oid;
    Oid access_method;
    uint32_t tree;    /* TreeId */
    TxnTree *storage; /* open as long as this description */
    bool is_unique;
    bool nulls_not_distinct;
    bool is_primary;
    bool is_exclusion;
    bool is_immediate; /* false: uniqueness is checked at commit (DEFERRABLE) */
    bool is_valid;     /* may answer queries */
    bool is_ready;     /* must be kept up by writers */
    bool is_replica_identity;
    bool is_clustered;
    uint16_t key_count;    /* ordered columns */
    uint16_t column_count; /* with INCLUDE columns */
    const IndexColumn *columns;
    Str predicate;    /* partial index: its WHERE text; STR_NONE: whole */
    Oid constraint;   /* pg_constraint.oid it implements; 0 */
    double row_count; /* reltuples: -1 unknown */
    int32_t page_count;
} IndexDesc;

/* What ANALYZE found about one column: pg_statistic. Arrays are in the column's type. */
typedef struct ColumnStatistics {
    int16_t attnum;
    float null_fraction;
    int32_t average_width;
    float distinct;        /* pg_statistic.stadistinct: negative = fraction of rows */
    uint32_t common_count; /* most common values */
    const Value *common_values;
    const float *common_fractions;
    uint32_t histogram_count;
    const Value *histogram;
    bool has_correlation;
    float correlation;
} ColumnStatistics;

typedef struct RelationDesc {
    Oid oid;
    Str name;
    Oid namespace_oid;
    Str namespace_name;
    RelationKind kind;
    RelationPersistence persistence;
    Oid owner;
    Oid row_type; /* pg_type of its rows; 0 */
    Oid of_type;
    Oid access_method;
    bool is_shared;       /* in database 0 */
    Oid database;         /* where its tree is: 0 for shared tables */
    uint32_t tree;        /* TreeId (of a sequence: its id in txn/sequence.h); 0 for views */
    TxnTree *storage;     /* tables: open as long as this description; NULL for others */
    const Layout *layout; /* tables: the newest layout of the tree */

    const ColumnDesc *columns;
    uint16_t column_count; /* with dropped ones: relnatts */

    const IndexDesc *indexes; /* of a table, by OID; of an index, itself alone */
    uint16_t index_count;
    const ConstraintDesc *constraints; /* conrelid = this, by name */
    uint16_t constraint_count;
    const ConstraintDesc *referencing; /* foreign keys of others (and itself) that point here */
    uint16_t referencing_count;

    Str view_text; /* SELECT of a view, canonical */
    Str view_options;
    bool security_barrier;
    bool security_invoker; /* the view reads with the rights of who asks, not with its owner's */
    Str check_option;      /* "", "local", "cascaded" */

    double row_count; /* reltuples: -1 never analyzed */
    int32_t page_count;
    const struct Acl *acl; /* relacl; NULL: the default of its kind */
    Str options;           /* reloptions as text; STR_NONE */
    bool has_rules, has_triggers, has_subclass, row_security, force_row_security;
    bool is_partition;
    char replica_identity;
    bool is_builtin; /* a system table of the cluster's birth */
    bool is_own;     /* seen with this transaction's own changes */

    /* What the planner makes of the texts above; set once (compare-and-swap), freed with this. */
    _Atomic(void *) planner_slot;
    void (*_Atomic planner_slot_free)(void *);
    struct RelationLife *life; /* arena and reference count: relation.c */
} RelationDesc;

/*
 * While a session's `kept` is set, every description that relation_find gives is noted there once,
 * with a reference: for what lives longer than the transaction and has views of descriptions in it,
 * such as a cached plan.
 */
typedef struct KeptRelations {
    Arena *arena; /* of the list */
    VEC(const RelationDesc *) items;
} KeptRelations;
void relations_let_go(KeptRelations *kept);

/* By OID; NULL without error when there is none; *with* an error only when reading fails. */
const RelationDesc *relation_find(CatalogSession *session, Oid oid);
/* 42P01 `relation with OID n does not exist` where missing. */
MUST_CHECK const RelationDesc *relation_get(CatalogSession *session, Oid oid);
/*
 * By name: `schema` is STR_NONE for an unqualified name, then through the search path. 0 without
 * error where there is none (an unknown schema too).
 */
Oid relation_oid(CatalogSession *session, Str schema, Str name);
/* The same with 42P01 `relation "x" does not exist` (3F000 has priority nowhere: PostgreSQL says
 * `relation "s.x" does not exist`) at `position`. */
MUST_CHECK const RelationDesc *relation_get_name(CatalogSession *session, Str schema, Str name,
                                                 int position);
Oid relation_oid_in(CatalogSession *session, Oid namespace_oid, Str name);

RelationDesc *relation_ref(const RelationDesc *relation);
void relation_unref(const RelationDesc *relation); /* accepts NULL */

/* A live column by name, NULL where there is none. */
const ColumnDesc *relation_column(const RelationDesc *relation, Str name);
const ColumnDesc *relation_column_at(const RelationDesc *relation, int attnum); /* 1-based */
const IndexDesc *relation_index(const RelationDesc *relation, Oid index_oid);
const IndexDesc *relation_primary_key(const RelationDesc *relation); /* NULL: none */
const ConstraintDesc *relation_constraint(const RelationDesc *relation, Str name);
/* Statistics of a column, NULL before ANALYZE; borrowed like the relation. */
const ColumnStatistics *relation_statistics(CatalogSession *session, const RelationDesc *relation,
                                            int attnum);

/* "table", "view", "index", "sequence" … as messages name it. */
Str relation_kind_name(RelationKind kind);
Str relation_kind_plural(RelationKind kind);

/* A column's place in the row type: dropped ones do not count. From 1. */
int relation_field_number(const RelationDesc *relation, const ColumnDesc *column);

/* System columns: ctid -1, xmin -2, cmin -3, xmax -4, cmax -5, tableoid -6. */
typedef struct SystemColumn {
    int16_t attnum;
    Str name;
    Oid type;
} SystemColumn;
const SystemColumn *system_column_find(Str name);
const SystemColumn *system_column_at(int attnum);

#endif
