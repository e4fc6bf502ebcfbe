/*
 * Analysis: the parser's tree → Query.
 *
 *   AnalyzeParams params = {.types = given, .count = n, .is_variable = true};
 *   AnalyzeContext context = {.arena = arena, .session = &session->catalog, .source = text,
 *                             .params = &params};
 *   TRY(query = analyze_statement(&context, raw_statement));
 *   params.types[0 … params.count) are now known (42P18 where one could not be determined)
 *
 * Names, types, operators, functions and casts are resolved by PostgreSQL's rules (manual, chapters
 * 4, 7 and 10); views become subqueries under their owner's rights; errors carry PostgreSQL's
 * SQLSTATE, message, hint and position. Utility statements become QUERY_UTILITY; those that wrap a
 * query (EXPLAIN, DECLARE, CREATE TABLE AS, COPY (query)) have it in utility_query.
 *
 * The text of stored expressions (defaults, checks, index keys, view bodies) is analyzed through
 * the same code by the functions at the end.
 */
#ifndef PLANNER_ANALYZE_H
#define PLANNER_ANALYZE_H

#include "catalog/catalog.h"
#include "catalog/relation.h"
#include "parser/ast_define.h" /* CoercionContext */
#include "planner/query.h"

/* External parameters. With is_variable, count grows and types of 0 (unknown) are inferred. */
typedef struct AnalyzeParams {
    Oid *types; /* replaced by an array in the context's arena when it grows */
    int count;
    int capacity; /* of that array; 0: it is the caller's still */
    bool is_variable;
} AnalyzeParams;

typedef struct AnalyzeContext {
    Arena *arena;
    CatalogSession *session;
    Str source;            /* the text that positions are in */
    AnalyzeParams *params; /* NULL: $n is an error (42P02) */
    bool is_stored;        /* a stored text: who wrote it could see the schemas it names */
} AnalyzeContext;

/* One statement. Checks no privileges: the plan says which are needed. */
MUST_CHECK Query *analyze_statement(AnalyzeContext *context, const Node *statement);

/*
 * A stand-alone expression over the columns of one relation (which may be NULL: no columns),
 * coerced to `type` unless 0 by an assignment cast. Columns become ExprColumns of rel 1. `kind`
 * sets what is allowed in it and how errors name it ("in DEFAULT expressions").
 */
typedef enum StoredExprKind {
    STORED_DEFAULT = 1, /* no columns, no subqueries, aggregates, windows, SRFs */
    STORED_GENERATED,   /* columns; immutable only */
    STORED_CHECK,
    STORED_INDEX_KEY, /* immutable only */
    STORED_INDEX_PREDICATE,
    STORED_POLICY,
    STORED_ALTER_USING, /* ALTER COLUMN … TYPE … USING */
    STORED_COPY_WHERE,  /* COPY … FROM … WHERE */
    STORED_OTHER,       /* EXECUTE's arguments and the like: named "in EXECUTE parameters" */
} StoredExprKind;
/* `subject` is the column's name for DEFAULT's type errors; may be STR_NONE. */
MUST_CHECK Expr *analyze_expression(AnalyzeContext *context, const Node *node,
                                    const RelationDesc *relation, StoredExprKind kind, Oid type,
                                    int32_t typmod, Str subject);
/* The same from canonical text, as stored by the catalog. */
MUST_CHECK Expr *analyze_expression_text(Arena *arena, CatalogSession *session, Str text,
                                         const RelationDesc *relation, StoredExprKind kind,
                                         Oid type, int32_t typmod);
/* A view's body, analyzed under a search path of pg_catalog alone. */
MUST_CHECK Query *analyze_view_text(Arena *arena, CatalogSession *session, Str text);

/* Why rows of the view are not rows of one table, as errors say it; NULL where they are. */
const char *view_why_not_updatable(CatalogSession *session, const Query *view);

/* What a select list calls an expression; "?column?" where it has no name. */
Str expr_target_name(const Node *node);

/* What a statement's rows look like; empty for those without rows. EXPLAIN, SHOW and FETCH too are
 * their commands' business. */
const TargetVec *query_result(const Query *query);

/* A type's name in a statement → OID and typmod (42704, 42601 …); `node` is a TypeName. */
MUST_CHECK bool analyze_type_name(AnalyzeContext *context, const Node *node, Oid *ret_type,
                                  int32_t *ret_typmod);

/* Makes `expr` of `type`: implicit, assignment or explicit cast. NULL without error: no such cast.
 * NULL with error: a literal that does not read. */
Expr *analyze_coerce(AnalyzeContext *context, Expr *expr, Oid type, int32_t typmod,
                     CoercionContext coercion);

#endif
