/*
 * Statements that define relations: tables, indexes, sequences, views, schemas; and DROP, RENAME
 * and COMMENT, which name any kind of object.
 */
#ifndef PARSER_AST_TABLE_H
#define PARSER_AST_TABLE_H

#include "parser/ast_query.h"

typedef enum ObjectType {
    OBJECT_NONE = 0,
    OBJECT_ACCESS_METHOD,
    OBJECT_AGGREGATE,
    OBJECT_CAST,
    OBJECT_COLLATION,
    OBJECT_COLUMN,
    OBJECT_CONVERSION,
    OBJECT_DATABASE,
    OBJECT_DOMAIN,
    OBJECT_DOMAIN_CONSTRAINT,
    OBJECT_ATTRIBUTE,
    OBJECT_EVENT_TRIGGER,
    OBJECT_EXTENSION,
    OBJECT_FDW,
    OBJECT_FOREIGN_SERVER,
    OBJECT_FOREIGN_TABLE,
    OBJECT_FUNCTION,
    OBJECT_INDEX,
    OBJECT_LANGUAGE,
    OBJECT_LARGE_OBJECT,
    OBJECT_MATVIEW,
    OBJECT_OPERATOR,
    OBJECT_OPERATOR_CLASS,
    OBJECT_OPERATOR_FAMILY,
    OBJECT_PARAMETER,
    OBJECT_POLICY,
    OBJECT_PROCEDURE,
    OBJECT_PUBLICATION,
    OBJECT_ROLE,
    OBJECT_ROUTINE,
    OBJECT_RULE,
    OBJECT_SCHEMA,
    OBJECT_SEQUENCE,
    OBJECT_STATISTIC,
    OBJECT_SUBSCRIPTION,
    OBJECT_TABLE,
    OBJECT_TABLE_CONSTRAINT,
    OBJECT_TABLESPACE,
    OBJECT_TRANSFORM,
    OBJECT_TRIGGER,
    OBJECT_TS_CONFIGURATION,
    OBJECT_TS_DICTIONARY,
    OBJECT_TS_PARSER,
    OBJECT_TS_TEMPLATE,
    OBJECT_TYPE,
    OBJECT_VIEW,
} ObjectType;

typedef enum DropBehavior { DROP_RESTRICT, DROP_CASCADE } DropBehavior;

/* A qualified name. Triggers, rules and policies: the table's names, then their own. */
struct ObjectName {
    Node node;
    StrVec names;
};

struct ObjectWithArgs { /* functions, aggregates, operators */
    Node node;
    StrVec names;
    TypeNameVec args; /* of an operator two; a NULL is NONE */
    bool args_unspecified;
    bool star; /* aggregate (*) */
};

typedef enum DefElemAction {
    DEFELEM_UNSPEC,
    DEFELEM_SET,
    DEFELEM_ADD,
    DEFELEM_DROP,
} DefElemAction;

/*
 * name [= value], in every WITH (…) list and option list. `arg` is NULL, an A_Const (numbers,
 * strings; words such as `on` or `csv` are CONST_STRING), a TypeName, an ExprList of ColumnRefs
 * or A_Consts, an ObjectName, or an A_Star.
 */
struct DefElem {
    Node node;
    Str name_space; /* toast.autovacuum_enabled */
    Str name;
    Node *arg;
    DefElemAction action;
};

typedef enum RoleSpecKind {
    ROLESPEC_NAME,
    ROLESPEC_CURRENT_ROLE,
    ROLESPEC_CURRENT_USER,
    ROLESPEC_SESSION_USER,
    ROLESPEC_PUBLIC,
} RoleSpecKind;

struct RoleSpec {
    Node node;
    RoleSpecKind kind;
    Str name;
};

typedef enum ConstraintType {
    CONSTR_NULL,
    CONSTR_NOTNULL,
    CONSTR_DEFAULT,
    CONSTR_IDENTITY,
    CONSTR_GENERATED,
    CONSTR_CHECK,
    CONSTR_PRIMARY,
    CONSTR_UNIQUE,
    CONSTR_EXCLUSION,
    CONSTR_FOREIGN,
    /* Attributes that follow a column constraint; the column definition lists them as written. */
    CONSTR_ATTR_DEFERRABLE,
    CONSTR_ATTR_NOT_DEFERRABLE,
    CONSTR_ATTR_DEFERRED,
    CONSTR_ATTR_IMMEDIATE,
} ConstraintType;

typedef enum FkAction {
    FKACTION_NOACTION = 'a',
    FKACTION_RESTRICT = 'r',
    FKACTION_CASCADE = 'c',
    FKACTION_SETNULL = 'n',
    FKACTION_SETDEFAULT = 'd',
} FkAction;
typedef enum FkMatch { FKMATCH_SIMPLE = 's', FKMATCH_FULL = 'f', FKMATCH_PARTIAL = 'p' } FkMatch;

struct Constraint {
    Node node;
    ConstraintType type;
    Str name; /* CONSTRAINT name */
    bool deferrable;
    bool initdeferred;
    bool skip_validation; /* NOT VALID */
    bool initially_valid;
    bool is_no_inherit;
    Node *raw_expr;      /* DEFAULT, CHECK, GENERATED */
    char generated_when; /* 'a' ALWAYS, 'd' BY DEFAULT: IDENTITY, GENERATED */
    DefElemVec options;  /* IDENTITY: sequence options; index storage parameters */
    StrVec keys;         /* PRIMARY KEY, UNIQUE columns */
    StrVec including;
    bool nulls_not_distinct;
    Str index_name; /* USING INDEX */
    Str index_space;
    IndexElemVec exclusion_elems; /* EXCLUDE: element i with operator i */
    NodeVec exclusion_operators;  /* ObjectName */
    Str access_method;
    Node *where_clause;
    RangeVar *pktable; /* REFERENCES */
    StrVec fk_attrs;   /* empty in a column constraint */
    StrVec pk_attrs;
    FkMatch fk_matchtype;
    FkAction fk_upd_action;
    FkAction fk_del_action;
    StrVec fk_del_set_cols;
};

struct ColumnDef {
    Node node;
    Str name;
    TypeName *type_name; /* NULL in CREATE TABLE … OF and AS */
    Str compression;
    Str storage;
    CollateClause *coll_clause;
    ConstraintVec constraints; /* in order, with attributes as their own entries */
    DefElemVec fdw_options;
};

typedef enum TableLikeOption {
    CREATE_TABLE_LIKE_COMMENTS = 1,
    CREATE_TABLE_LIKE_COMPRESSION = 2,
    CREATE_TABLE_LIKE_CONSTRAINTS = 4,
    CREATE_TABLE_LIKE_DEFAULTS = 8,
    CREATE_TABLE_LIKE_GENERATED = 16,
    CREATE_TABLE_LIKE_IDENTITY = 32,
    CREATE_TABLE_LIKE_INDEXES = 64,
    CREATE_TABLE_LIKE_STATISTICS = 128,
    CREATE_TABLE_LIKE_STORAGE = 256,
    CREATE_TABLE_LIKE_ALL = 0x7fffffff,
} TableLikeOption;

struct TableLikeClause {
    Node node;
    RangeVar *relation;
    uint32_t options;
};

struct PartitionSpec {
    Node node;
    Str strategy;
    IndexElemVec params; /* name or expr, collation, opclass */
};

struct PartitionBoundSpec {
    Node node;
    char strategy; /* 'h' hash, 'l' list, 'r' range, 0 DEFAULT */
    int modulus, remainder;
    NodeVec list_datums;
    NodeVec lower_datums; /* MINVALUE and MAXVALUE are ColumnRefs */
    NodeVec upper_datums;
};

struct CreateStmt {
    Node node;
    RangeVar *relation;
    bool if_not_exists;
    NodeVec table_elts; /* ColumnDef, Constraint, TableLikeClause */
    RangeVarVec inherits;
    PartitionSpec *partspec;
    PartitionBoundSpec *partbound;
    TypeName *of_type;
    DefElemVec options;
    OnCommitAction on_commit;
    Str tablespace;
    Str access_method;
};

struct CreateTableAsStmt {
    Node node;
    Node *query; /* SelectStmt or ExecuteStmt */
    IntoClause *into;
    ObjectType object_type; /* OBJECT_TABLE or OBJECT_MATVIEW */
    bool if_not_exists;
};

typedef enum AlterTableType {
    AT_ADD_COLUMN,
    AT_COLUMN_DEFAULT /* def NULL: drop */,
    AT_DROP_NOT_NULL,
    AT_SET_NOT_NULL,
    AT_DROP_EXPRESSION,
    AT_SET_STATISTICS,
    AT_SET_OPTIONS,
    AT_RESET_OPTIONS,
    AT_SET_STORAGE,
    AT_SET_COMPRESSION,
    AT_DROP_COLUMN,
    AT_ADD_CONSTRAINT,
    AT_ALTER_CONSTRAINT,
    AT_VALIDATE_CONSTRAINT,
    AT_DROP_CONSTRAINT,
    AT_ALTER_COLUMN_TYPE,
    AT_ALTER_COLUMN_GENERIC_OPTIONS,
    AT_CHANGE_OWNER,
    AT_CLUSTER_ON,
    AT_DROP_CLUSTER,
    AT_SET_LOGGED,
    AT_SET_UNLOGGED,
    AT_DROP_OIDS,
    AT_SET_ACCESS_METHOD,
    AT_SET_TABLE_SPACE,
    AT_SET_REL_OPTIONS,
    AT_RESET_REL_OPTIONS,
    AT_ENABLE_TRIG,
    AT_ENABLE_ALWAYS_TRIG,
    AT_ENABLE_REPLICA_TRIG,
    AT_DISABLE_TRIG,
    AT_ENABLE_TRIG_ALL,
    AT_DISABLE_TRIG_ALL,
    AT_ENABLE_TRIG_USER,
    AT_DISABLE_TRIG_USER,
    AT_ENABLE_RULE,
    AT_ENABLE_ALWAYS_RULE,
    AT_ENABLE_REPLICA_RULE,
    AT_DISABLE_RULE,
    AT_ADD_INHERIT,
    AT_DROP_INHERIT,
    AT_ADD_OF,
    AT_DROP_OF,
    AT_REPLICA_IDENTITY,
    AT_ENABLE_ROW_SECURITY,
    AT_DISABLE_ROW_SECURITY,
    AT_FORCE_ROW_SECURITY,
    AT_NO_FORCE_ROW_SECURITY,
    AT_GENERIC_OPTIONS,
    AT_ATTACH_PARTITION,
    AT_DETACH_PARTITION,
    AT_DETACH_PARTITION_FINALIZE,
    AT_ADD_IDENTITY,
    AT_SET_IDENTITY,
    AT_DROP_IDENTITY,
} AlterTableType;

struct AlterTableCmd {
    Node node;
    AlterTableType type;
    Str name;   /* column, constraint, trigger, index, tablespace, access method */
    int number; /* ALTER COLUMN 1 SET STATISTICS */
    RoleSpec *new_owner;
    Node *def; /* ColumnDef (ADD COLUMN; ALTER TYPE: type, collation and USING as the
                  DEFAULT constraint's raw_expr), expression, Constraint, RangeVar,
                  TypeName, A_Const, PartitionCmd, ReplicaIdentity */
    DefElemVec options;
    DropBehavior behavior;
    bool missing_ok; /* IF EXISTS, IF NOT EXISTS */
};

struct ReplicaIdentity {
    Node node;
    char type; /* 'n' nothing, 'f' full, 'd' default, 'i' index */
    Str name;
};

struct PartitionCmd {
    Node node;
    RangeVar *name;
    PartitionBoundSpec *bound;
    bool concurrent;
};

struct AlterTableStmt {
    Node node;
    RangeVar *relation;
    ObjectType object_type; /* TABLE, INDEX, SEQUENCE, VIEW, MATVIEW, FOREIGN_TABLE, TYPE */
    AlterTableCmdVec cmds;
    bool missing_ok;
};

struct IndexElem {
    Node node;
    Str name;   /* column, or … */
    Node *expr; /* … expression */
    Str index_col_name;
    StrVec collation;
    StrVec opclass;
    DefElemVec opclass_options;
    SortByDir ordering;
    SortByNulls nulls_ordering;
};

struct IndexStmt {
    Node node;
    Str name; /* STR_NONE: to be chosen */
    RangeVar *relation;
    Str access_method; /* "btree" when not given */
    Str tablespace;
    IndexElemVec params;
    IndexElemVec including_params;
    DefElemVec options;
    Node *where_clause;
    bool unique;
    bool nulls_not_distinct;
    bool concurrent;
    bool if_not_exists;
};

#include "parser/ast_object.h"

#endif
