/*
 * The other statements: databases, roles, privileges, transactions, settings, cursors, functions …
 */
#ifndef PARSER_AST_COMMAND_H
#define PARSER_AST_COMMAND_H

#include "parser/ast_table.h"

struct CreatedbStmt {
    Node node;
    Str dbname;
    DefElemVec options;
};
struct DropdbStmt {
    Node node;
    Str dbname;
    bool missing_ok;
    DefElemVec options;
};
struct AlterDatabaseStmt {
    Node node;
    Str dbname;
    DefElemVec options;
    bool refresh_collation;
};
struct AlterDatabaseSetStmt {
    Node node;
    Str dbname;
    VariableSetStmt *setstmt;
};

typedef enum RoleStmtType { ROLESTMT_ROLE, ROLESTMT_USER, ROLESTMT_GROUP } RoleStmtType;

/* Options: superuser, inherit, createrole, createdb, canlogin, isreplication, bypassrls (booleans),
 * password (string; arg NULL: none), connectionlimit, validUntil, sysid (numbers, string),
 * addroleto, rolemembers, adminmembers (ExprList of RoleSpecs). */
struct CreateRoleStmt {
    Node node;
    RoleStmtType stmt_type;
    Str role;
    DefElemVec options;
};
struct AlterRoleStmt {
    Node node;
    RoleSpec *role;
    DefElemVec options;
    int action; /* +1 add (or set), -1 drop members: ALTER GROUP */
};
struct AlterRoleSetStmt {
    Node node;
    RoleSpec *role /* NULL: ALL */;
    Str database;
    VariableSetStmt *setstmt;
};
struct DropRoleStmt {
    Node node;
    RoleSpecVec roles;
    bool missing_ok;
};

typedef enum GrantTargetType {
    ACL_TARGET_OBJECT,
    ACL_TARGET_ALL_IN_SCHEMA,
    ACL_TARGET_DEFAULTS,
} GrantTargetType;

struct AccessPriv {
    Node node;
    Str priv_name /* lower case; STR_NONE: ALL */;
    StrVec cols;
};

struct GrantStmt {
    Node node;
    bool is_grant;
    GrantTargetType targtype;
    ObjectType objtype;
    NodeVec objects;          /* RangeVar, ObjectWithArgs, ObjectName, A_Const (large objects) */
    AccessPrivVec privileges; /* empty: ALL */
    RoleSpecVec grantees;
    bool grant_option;
    RoleSpec *grantor;
    DropBehavior behavior;
};

struct GrantRoleStmt {
    Node node;
    bool is_grant;
    AccessPrivVec granted_roles; /* priv_name is the role */
    RoleSpecVec grantee_roles;
    bool admin_opt;
    RoleSpec *grantor;
    DropBehavior behavior;
};

struct AlterDefaultPrivilegesStmt {
    Node node;
    DefElemVec options /* schemas, roles */;
    GrantStmt *action;
};
struct DropOwnedStmt {
    Node node;
    RoleSpecVec roles;
    DropBehavior behavior;
};
struct ReassignOwnedStmt {
    Node node;
    RoleSpecVec roles;
    RoleSpec *newrole;
};

typedef enum TransactionStmtKind {
    TRANS_STMT_BEGIN,
    TRANS_STMT_START,
    TRANS_STMT_COMMIT,
    TRANS_STMT_ROLLBACK,
    TRANS_STMT_SAVEPOINT,
    TRANS_STMT_RELEASE,
    TRANS_STMT_ROLLBACK_TO,
    TRANS_STMT_PREPARE,
    TRANS_STMT_COMMIT_PREPARED,
    TRANS_STMT_ROLLBACK_PREPARED,
} TransactionStmtKind;

struct TransactionStmt {
    Node node;
    TransactionStmtKind kind;
    DefElemVec options; /* transaction_isolation (string), transaction_read_only and
                           transaction_deferrable (integer 0 or 1) */
    Str savepoint_name;
    Str gid;
    bool chain;
};

struct ConstraintsSetStmt {
    Node node;
    RangeVarVec constraints /* empty: ALL */;
    bool deferred;
};

typedef enum VariableSetKind {
    VAR_SET_VALUE,
    VAR_SET_DEFAULT,
    VAR_SET_CURRENT,
    VAR_SET_MULTI, /* SET TRANSACTION / SESSION CHARACTERISTICS; name is "TRANSACTION",
                      "SESSION CHARACTERISTICS" or "TRANSACTION SNAPSHOT"; args are DefElems */
    VAR_RESET,
    VAR_RESET_ALL,
} VariableSetKind;

struct VariableSetStmt {
    Node node;
    VariableSetKind kind;
    Str name;     /* "timezone", "a.b"; SET TIME ZONE and friends use the setting's name */
    NodeVec args; /* A_Const (words are strings), TypeCast to interval; DefElem in MULTI */
    bool is_local;
};
struct VariableShowStmt {
    Node node;
    Str name /* "all" for SHOW ALL */;
};
struct AlterSystemStmt {
    Node node;
    VariableSetStmt *setstmt;
};

struct PrepareStmt {
    Node node;
    Str name;
    TypeNameVec argtypes;
    Node *query;
};
struct ExecuteStmt {
    Node node;
    Str name;
    NodeVec params;
};
struct DeallocateStmt {
    Node node;
    Str name /* STR_NONE: ALL */;
};

typedef enum CursorOption {
    CURSOR_OPT_BINARY = 1,
    CURSOR_OPT_SCROLL = 2,
    CURSOR_OPT_NO_SCROLL = 4,
    CURSOR_OPT_INSENSITIVE = 8,
    CURSOR_OPT_ASENSITIVE = 16,
    CURSOR_OPT_HOLD = 32,
} CursorOption;
struct DeclareCursorStmt {
    Node node;
    Str portalname;
    uint32_t options;
    SelectStmt *query;
};

typedef enum FetchDirection {
    FETCH_FORWARD,
    FETCH_BACKWARD,
    FETCH_ABSOLUTE,
    FETCH_RELATIVE,
} FetchDirection;
#define FETCH_ALL INT64_MAX
struct FetchStmt {
    Node node;
    FetchDirection direction;
    int64_t how_many;
    Str portalname;
    bool is_move;
};
struct ClosePortalStmt {
    Node node;
    Str portalname /* STR_NONE: ALL */;
};

struct ExplainStmt {
    Node node;
    Node *query;
    DefElemVec options;
};

struct CopyStmt {
    Node node;
    RangeVar *relation; /* NULL: query */
    Node *query;
    StrVec attlist;
    bool is_from;
    bool is_program;
    Str filename;       /* STR_NONE: STDIN or STDOUT */
    DefElemVec options; /* old and new syntax alike: format, freeze, delimiter, null, header … */
    Node *where_clause;
};

/* PostgreSQL's table lock modes, 1 ACCESS SHARE to 8 ACCESS EXCLUSIVE. */
struct LockStmt {
    Node node;
    RangeVarVec relations;
    int mode;
    bool nowait;
};

struct VacuumRelation {
    Node node;
    RangeVar *relation;
    StrVec va_cols;
};
struct VacuumStmt {
    Node node;
    DefElemVec options;
    VacuumRelationVec rels;
    bool is_vacuum;
};
struct ClusterStmt {
    Node node;
    RangeVar *relation;
    Str indexname;
    DefElemVec params;
};

typedef enum ReindexObjectType {
    REINDEX_OBJECT_INDEX,
    REINDEX_OBJECT_TABLE,
    REINDEX_OBJECT_SCHEMA,
    REINDEX_OBJECT_SYSTEM,
    REINDEX_OBJECT_DATABASE,
} ReindexObjectType;
struct ReindexStmt {
    Node node;
    ReindexObjectType kind;
    RangeVar *relation;
    Str name;
    DefElemVec params;
};

struct CheckPointStmt {
    Node node;
};
typedef enum DiscardMode {
    DISCARD_ALL,
    DISCARD_PLANS,
    DISCARD_SEQUENCES,
    DISCARD_TEMP
} DiscardMode;
struct DiscardStmt {
    Node node;
    DiscardMode target;
};
struct LoadStmt {
    Node node;
    Str filename;
};
struct ListenStmt {
    Node node;
    Str conditionname;
};
struct UnlistenStmt {
    Node node;
    Str conditionname /* STR_NONE: all */;
};
struct NotifyStmt {
    Node node;
    Str conditionname;
    Str payload;
};
struct DoStmt {
    Node node;
    DefElemVec args /* as (string), language */;
};
struct CallStmt {
    Node node;
    FuncCall *funccall;
};

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

/* A statement that is checked for syntax and then refused: "CREATE PUBLICATION". */
struct UnsupportedStmt {
    Node node;
    Str command;
};

#endif
