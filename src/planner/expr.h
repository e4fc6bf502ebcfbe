/*
 * Typed expressions: what analysis makes of the parser's trees, and what plans compute.
 *
 * Every node starts with Expr: its kind, result type, type modifier, collation and the position of
 * the source text for errors at run time. Expressions are immutable once analyzed; they live in the
 * statement's (or a cached plan's) arena and may be shared between trees.
 *
 * Two dialects, one set of structs:
 *   analyzed (Query)  columns are EXPR_COLUMN (range table entry, attribute), subqueries are
 *                     EXPR_SUB_LINK, aggregates and window functions stand where they were written.
 *   planned (Plan)    columns are EXPR_SLOT (child's output column), subqueries EXPR_SUB_PLAN or a
 *                     PARAM_EXEC; aggregates and window functions live in their plan nodes only.
 *                     EXPR_COLUMN, EXPR_SUB_LINK, EXPR_AGGREGATE, EXPR_WINDOW_FUNCTION,
 *                     EXPR_DEFAULT and EXPR_GROUPING do not occur.
 *
 * The structs are in expr_base.h (what all have, and leaves), expr_scalar.h (over one row's values)
 * and expr_rows.h (aggregates, windows, subqueries); here is what is done with them.
 *
 * Access: EXPR_AS(ExprColumn, expr) casts; expr->kind has been checked by the caller.
 */
#ifndef PLANNER_EXPR_H
#define PLANNER_EXPR_H

#include "planner/expr_base.h"
#include "planner/expr_rows.h"
#include "planner/expr_scalar.h"

/* Constructors; all fill typmod -1, and what the arguments imply. */
ExprConst *expr_const(Arena *arena, Oid type, int32_t typmod, Oid collation, Value value,
                      bool is_null, int position);
Expr *expr_null(Arena *arena, Oid type, int32_t typmod, Oid collation);
Expr *expr_bool(Arena *arena, bool value);
/* A relation's whole row, of `whole`'s type, to which each column is added in turn; dropped ones,
 * whose name is empty, have no place in it. */
ExprRow *expr_whole_row(Arena *arena, const Expr *whole, Str relation_name, int capacity);
void expr_whole_row_add(Arena *arena, ExprRow *row, Str name, Expr *column);
Expr *expr_int4(Arena *arena, int32_t value);
Expr *expr_slot(Arena *arena, int child, int column, const Expr *like);
Expr *expr_param_exec(Arena *arena, int number, const Expr *like);
Expr *expr_column(Arena *arena, int rel, int attnum, int levels_up, const Expr *like);
Expr *expr_and(Arena *arena, Expr *left, Expr *right);  /* either may be NULL: true */
Expr *expr_and_list(Arena *arena, const ExprVec *list); /* NULL when empty */
Expr *expr_not(Arena *arena, Expr *arg);
#define EXPR_NEW(arena, Type, kind_) ((Type *)expr_new((arena), sizeof(Type), (kind_)))
void *expr_new(Arena *arena, size_t size, ExprKind kind);

/* Where the expression begins in the text: what errors about the whole of it point at. */
int expr_location(const Expr *expr);

/* Structural equality, positions ignored. */
bool expr_equal(const Expr *a, const Expr *b);

/*
 * Walking. The visitor is called on each direct child; it calls expr_walk itself to go deeper.
 * False from it ends the walk. Subqueries are not entered (the visitor sees the EXPR_SUB_LINK).
 */
typedef bool ExprVisitor(void *context, Expr *expr);
bool expr_walk(const Expr *expr, ExprVisitor *visitor, void *context);
/* A copy whose children are replaced by what the function returns (which may be the child itself);
 * returns `expr` itself where nothing changed, NULL when the function failed. */
typedef Expr *ExprMutator(void *context, Expr *expr);
Expr *expr_mutate(Arena *arena, Expr *expr, ExprMutator *mutator, void *context);

/* The functions an expression calls directly: operator's, cast's … 0 for others. */
Oid expr_function(const Expr *expr);

#endif
