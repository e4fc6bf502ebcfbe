/*
 * The other statements: databases, EXPLAIN, COPY, LOCK, maintenance, notifications, calls.
 */
#ifndef PARSER_AST_COMMAND_H
#define PARSER_AST_COMMAND_H

#include "parser/ast_name.h"
#include "parser/ast_session.h"

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

/* A statement that is checked for syntax and then refused: "CREATE PUBLICATION". */
struct UnsupportedStmt {
    Node node;
    Str command;
};

#endif
