/*
 * Statements that define tables and indexes; ast_alter_table.h has those that alter them.
 */
#ifndef PARSER_AST_TABLE_H
#define PARSER_AST_TABLE_H

#include "parser/ast_alter_table.h"
#include "parser/ast_name.h"
#include "parser/ast_query.h"

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

#endif
