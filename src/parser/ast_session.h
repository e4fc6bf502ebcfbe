/*
 * Statements about the session itself: transactions, settings, prepared statements, cursors.
 */
#ifndef PARSER_AST_SESSION_H
#define PARSER_AST_SESSION_H

#include "parser/ast_query.h"

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

#endif
