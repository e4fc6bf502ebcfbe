/*
 * Statements that define what queries are made of: functions, triggers, rules, types, domains,
 * casts, extensions, policies, statistics.
 */
#ifndef PARSER_AST_DEFINE_H
#define PARSER_AST_DEFINE_H

#include "parser/ast_name.h"
#include "parser/ast_query.h"

typedef enum FunctionParameterMode {
    FUNC_PARAM_DEFAULT = 'd',
    FUNC_PARAM_IN = 'i',
    FUNC_PARAM_OUT = 'o',
    FUNC_PARAM_INOUT = 'b',
    FUNC_PARAM_VARIADIC = 'v',
    FUNC_PARAM_TABLE = 't',
} FunctionParameterMode;

struct FunctionParameter {
    Node node;
    Str name;
    TypeName *arg_type;
    FunctionParameterMode mode;
    Node *defexpr;
};

struct CreateFunctionStmt {
    Node node;
    bool is_procedure;
    bool replace;
    StrVec funcname;
    FunctionParameterVec parameters; /* RETURNS TABLE columns too, with mode TABLE */
    TypeName *return_type;
    DefElemVec options; /* as (ExprList), language, volatility, strict, security, … */
    Node *sql_body;     /* ReturnStmt, or an ExprList of statements (BEGIN ATOMIC) */
};
struct AlterFunctionStmt {
    Node node;
    ObjectType objtype;
    ObjectWithArgs *func;
    DefElemVec actions;
};
struct ReturnStmt {
    Node node;
    Node *returnval;
};

#define TRIGGER_TYPE_ROW 1
#define TRIGGER_TYPE_BEFORE 2
#define TRIGGER_TYPE_INSERT 4
#define TRIGGER_TYPE_DELETE 8
#define TRIGGER_TYPE_UPDATE 16
#define TRIGGER_TYPE_TRUNCATE 32
#define TRIGGER_TYPE_INSTEAD 64

struct TriggerTransition {
    Node node;
    Str name;
    bool is_new;
    bool is_table;
};

struct CreateTrigStmt {
    Node node;
    bool replace;
    bool is_constraint;
    Str trigname;
    RangeVar *relation;
    StrVec funcname;
    StrVec args;
    bool row;
    int timing;     /* TRIGGER_TYPE_BEFORE, _INSTEAD or 0 for AFTER */
    int events;     /* TRIGGER_TYPE_INSERT | … */
    StrVec columns; /* UPDATE OF */
    Node *when_clause;
    TriggerTransitionVec transition_rels;
    bool deferrable;
    bool initdeferred;
    RangeVar *constrrel;
};

struct RuleStmt {
    Node node;
    RangeVar *relation;
    Str rulename;
    Node *where_clause;
    Str event; /* "SELECT", "INSERT" … */
    bool instead;
    NodeVec actions;
    bool replace;
};

/* CREATE AGGREGATE, OPERATOR, TYPE (base), COLLATION, TEXT SEARCH … */
struct DefineStmt {
    Node node;
    ObjectType kind;
    StrVec defnames;
    FunctionParameterVec args;
    DefElemVec definition;
    bool if_not_exists;
    bool replace;
};
struct CompositeTypeStmt {
    Node node;
    RangeVar *typevar;
    ColumnDefVec coldeflist;
};
struct CreateEnumStmt {
    Node node;
    StrVec type_name;
    StrVec vals;
};
struct AlterEnumStmt {
    Node node;
    StrVec type_name;
    Str old_val; /* RENAME VALUE */
    Str new_val;
    Str new_val_neighbor;
    bool new_val_is_after;
    bool skip_if_new_val_exists;
};
struct CreateRangeStmt {
    Node node;
    StrVec type_name;
    DefElemVec params;
};
struct CreateDomainStmt {
    Node node;
    StrVec domainname;
    TypeName *type_name;
    CollateClause *coll_clause;
    ConstraintVec constraints;
};
struct AlterDomainStmt {
    Node node;
    char subtype; /* 'T' default, 'N' drop not null, 'O' set not null, 'C' add, 'X' drop, 'V'
                     validate */
    StrVec type_name;
    Str name;
    Node *def;
    DropBehavior behavior;
    bool missing_ok;
};
typedef enum CoercionContext {
    COERCION_EXPLICIT,
    COERCION_ASSIGNMENT,
    COERCION_IMPLICIT
} CoercionContext;
struct CreateCastStmt {
    Node node;
    TypeName *sourcetype;
    TypeName *targettype;
    ObjectWithArgs *func; /* NULL: WITHOUT FUNCTION or WITH INOUT */
    CoercionContext context;
    bool inout;
};
struct CreateExtensionStmt {
    Node node;
    Str extname;
    bool if_not_exists;
    DefElemVec options;
};
struct CreatePolicyStmt {
    Node node;
    Str policy_name;
    RangeVar *table;
    Str cmd_name; /* "all", "select" … */
    bool permissive;
    RoleSpecVec roles;
    Node *qual;
    Node *with_check;
    bool is_alter;
};
struct CreateStatsStmt {
    Node node;
    StrVec defnames;
    StrVec stat_types;
    NodeVec exprs;
    NodeVec relations;
    bool if_not_exists;
};
struct SecLabelStmt {
    Node node;
    ObjectType object_type;
    Node *object;
    Str provider;
    Str label;
};

#endif
