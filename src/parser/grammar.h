/*
 * What the grammar's actions call: functions that build nodes, and the small values that rules hand
 * up to each other. For src/parser and the generated parser only.
 *
 * A failure sets the error once and `failed`; the parse goes on until the driver sees it, so
 * every action leaves a usable value.
 */
#ifndef PARSER_GRAMMAR_H
#define PARSER_GRAMMAR_H

#include "base/error.h"
#include "parser/ast.h"
#include "parser/token.h"

typedef struct Grammar {
    Arena *arena;
    Str text;
    StatementList *statements;
    Node *result_expr;
    bool failed;
    int statement_position;   /* of the running statement's first token; 0: none yet */
    uint32_t statement_start; /* bytes */
    uint32_t semicolon_start; /* where the statement being closed ends */
} Grammar;

/* Names with the position of their first word. */
typedef struct Names {
    StrVec names;
    int position;
} Names;
/* An operator that is written as words: its kind, the operator it means, where it stands. */
typedef struct WordOperator {
    A_ExprKind kind;
    const char *name;
    int position;
} WordOperator;
#define WORD(kind, name, position) (&(const WordOperator){kind, name, position})
/* A list of nodes, up to a NULL. */
#define NODES(...) ((Node *const[]){__VA_ARGS__, NULL})
/* A node whose fields are the parts of a rule: MAKE(DropStmt, position, .objects = L). */
#define MAKE(type, position_, ...)                                                                 \
    ((type *)arena_copy(p->arena,                                                                  \
                        &(type){.node = {(NodeTag)NODE_TAG_OF_##type, (position_)}, __VA_ARGS__},  \
                        sizeof(type)))
typedef VEC(int) Bounds;
typedef struct OptSort {
    SortByVec list;
    int position;
} OptSort;
typedef struct Frame {
    int options;
    Node *start, *end;
    int position;
} Frame;
typedef struct GroupBy {
    NodeVec list;
    bool distinct;
} GroupBy;
typedef struct JoinQual {
    StrVec using_list;
    Alias *alias;
    Node *quals;
} JoinQual;
typedef struct FuncAlias {
    Alias *alias;
    ColumnDefVec columns;
} FuncAlias;
typedef struct SelectLimit {
    Node *count, *offset;
    LimitOption option;
} SelectLimit;
typedef struct ColumnQuals {
    ConstraintVec constraints;
    CollateClause *collate;
} ColumnQuals;
typedef struct KeyActions {
    int on_update, on_delete;
    StrVec columns;
} KeyActions;
typedef struct ConstraintAttr {
    int bit, position;
} ConstraintAttr;
typedef struct ConstraintAttrs {
    int bits; /* CAS_… */
} ConstraintAttrs;
typedef struct Exclusion {
    IndexElemVec elems;
    NodeVec operators;
} Exclusion;
typedef struct AggregateArgs {
    FunctionParameterVec args;
    bool star;
} AggregateArgs;
typedef struct ObjectAddress {
    ObjectType type;
    Node *object;
} ObjectAddress;
typedef struct AlterRelation {
    ObjectType type;
    RangeVar *relation;
    bool missing_ok;
} AlterRelation;
typedef struct CopyParts {
    DefElem *binary;
    RangeVar *relation;
    Node *query;
    StrVec columns;
    bool is_from, is_program;
    Str filename;
    DefElem *delimiter;
    DefElemVec options;
    Node *where;
    int where_position;
} CopyParts;
typedef struct PrivilegeTarget {
    GrantTargetType target;
    ObjectType type;
    NodeVec objects;
} PrivilegeTarget;

enum {
    CAS_NOT_DEFERRABLE = 1,
    CAS_DEFERRABLE = 2,
    CAS_INITIALLY_IMMEDIATE = 4,
    CAS_INITIALLY_DEFERRED = 8,
    CAS_NOT_VALID = 16,
    CAS_NO_INHERIT = 32,
    CAS_DEFER =
        CAS_NOT_DEFERRABLE | CAS_DEFERRABLE | CAS_INITIALLY_IMMEDIATE | CAS_INITIALLY_DEFERRED,
};

/* Bits of interval fields, PostgreSQL's typmod encoding. */
enum {
    INTERVAL_MONTH = 1 << 1,
    INTERVAL_YEAR = 1 << 2,
    INTERVAL_DAY = 1 << 3,
    INTERVAL_HOUR = 1 << 10,
    INTERVAL_MINUTE = 1 << 11,
    INTERVAL_SECOND = 1 << 12,
    INTERVAL_FULL_RANGE = 0x7fff,
};

static inline int node_position(const Node *node)
{
    return node ? node->position : 0;
}

void grammar_fail(Grammar *p, SqlState state, Str message, Str hint, int position);
void grammar_fail_unsupported(Grammar *p, const char *message, int position);
void grammar_syntax_error(Grammar *p, const Token *token);
void grammar_add_statement(Grammar *p, Node *statement);
void grammar_warn_global(Grammar *p, Token token);
void grammar_check_identity_option(Grammar *p, const DefElem *option);
void grammar_expect(Grammar *p, const ObjectAddress *object, ObjectType type, Token token);

#include "parser/grammar_build.h"

#endif
