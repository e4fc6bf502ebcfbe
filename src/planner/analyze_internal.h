/*
 * Analysis, inside: the steps that share the state of one query level, a Scope.
 */
#ifndef PLANNER_ANALYZE_INTERNAL_H
#define PLANNER_ANALYZE_INTERNAL_H

#include "base/hash.h"
#include "base/scheduler.h"
#include "catalog/lookup.h"
#include "parser/ast.h"
#include "planner/analyze.h"
#include "planner/scope_internal.h"
#include "types/type.h"

/* ---- analyze.c ---- */
MUST_CHECK Query *analyze_node(Scope *scope, const Node *node); /* SELECT, INSERT … of any kind */
MUST_CHECK Query *analyze_subquery(Scope *parent, const Node *node, LockingClause *lock,
                                   CommonTable *recursive, bool resolve_unknowns);

/* ---- analyze_from.c ---- */
MUST_CHECK bool analyze_from(Scope *scope, const NodeVec *list);
MUST_CHECK ScopeItem *analyze_target_relation(Scope *scope, const RangeVar *var, uint32_t access);
MUST_CHECK RangeTableEntry *rte_for_relation(Scope *scope, const RelationDesc *relation,
                                             const RangeVar *var, const Alias *alias);
RangeTableEntry *rte_new(Scope *scope, RangeTableKind kind, int position);
MUST_CHECK bool rte_apply_alias(Scope *scope, RangeTableEntry *rte, const Alias *alias,
                                Str fallback);
RangeTableEntry *rte_for_subquery(Scope *scope, Query *query, Str alias_name);
void rte_set_columns_from_targets(Arena *arena, RangeTableEntry *rte, const TargetVec *targets);

/* ---- analyze_select.c, analyze_with.c ---- */
MUST_CHECK bool analyze_select(Scope *scope, const SelectStmt *select);
MUST_CHECK bool analyze_set_operation(Scope *scope, const SelectStmt *select);
MUST_CHECK bool analyze_values(Scope *scope, const SelectStmt *select);
/* Behind a WITH item's own columns: those of SEARCH and CYCLE. */
void cte_add_columns(Scope *scope, CommonTable *cte);
MUST_CHECK bool analyze_with(Scope *scope, const WithClause *with);
MUST_CHECK bool
analyze_finish(Scope *scope); /* aggregate checks and flags, at the end of a level */

/* ---- analyze_target.c ---- */
MUST_CHECK bool analyze_target_list(Scope *scope, const ResTargetVec *list, ExprPlace place,
                                    TargetVec *targets);
MUST_CHECK bool targets_resolve_unknown(Scope *scope, TargetVec *targets);

/* ---- analyze_clause.c ---- */
MUST_CHECK bool analyze_order_by(Scope *scope, const SortByVec *list, TargetVec *targets,
                                 ExprPlace place, bool sql99, SortVec *ret);
MUST_CHECK bool analyze_group_by(Scope *scope, const SelectStmt *select, TargetVec *targets);
MUST_CHECK bool analyze_distinct(Scope *scope, TargetVec *targets);
MUST_CHECK bool analyze_distinct_on(Scope *scope, const NodeVec *list, TargetVec *targets);
MUST_CHECK Expr *analyze_limit(Scope *scope, const Node *node, ExprPlace place, LimitOption option);
MUST_CHECK bool analyze_windows(Scope *scope, TargetVec *targets);
/* Where the leftmost part of an expression stands. */
int node_begin(const Node *node);
/* Fails where a type has no equality. */
MUST_CHECK const TypeOperators *equality_operators(Scope *scope, Oid type, int position);
MUST_CHECK bool sort_clause_for(Scope *scope, const TargetEntry *target, SortByDir direction,
                                SortByNulls nulls, int position, SortClause *ret);
int target_assign_ref(Scope *scope, TargetVec *targets, TargetEntry *target);

/* ---- analyze_expr.c ---- */
MUST_CHECK Expr *analyze_expr(Scope *scope, const Node *node, ExprPlace place);
MUST_CHECK Expr *analyze_expr_inner(Scope *scope, const Node *node); /* in the current place */
MUST_CHECK Expr *analyze_condition(Scope *scope, const Node *node, ExprPlace place, Str clause);
MUST_CHECK bool analyze_expr_list(Scope *scope, const NodeVec *list, ExprPlace place,
                                  bool allow_default, ExprVec *ret);
MUST_CHECK Expr *analyze_subscripts(Scope *scope, Expr *container, const Node *const *steps,
                                    size_t count);
MUST_CHECK Expr *analyze_sublink(Scope *scope, const SubLink *link);
MUST_CHECK Expr *analyze_row_compare(Scope *scope, const StrVec *name, RowExpr *left,
                                     RowExpr *right, int position);

/* ---- analyze_function.c, analyze_operator.c, analyze_aggregate.c ---- */
MUST_CHECK Expr *analyze_function_call(Scope *scope, const FuncCall *node);
MUST_CHECK Expr *make_operator(Scope *scope, const StrVec *name, Expr *left, Expr *right,
                               int position);
MUST_CHECK Expr *make_scalar_array(Scope *scope, const StrVec *name, bool use_or, Expr *left,
                                   Expr *right, int position);
MUST_CHECK const OperatorDesc *operator_resolve(Scope *scope, const StrVec *name, Oid left,
                                                Oid right, int position);
/* Chooses by PostgreSQL's manual 10.3 among candidate signatures; -1: none, -2: ambiguous. */
int candidates_select(Scope *scope, const Oid *inputs, int count, const Oid *const *signatures,
                      int signature_count, uint8_t *alive);
/* A call that is being resolved. */
typedef struct Call {
    const FuncCall *node;
    ExprVec args;                 /* WITHIN GROUP's behind the others; in the end the parameters */
    StrVec arg_names;             /* name => value: of the last ones */
    Expr *filter;                 /* NULL: none */
    const FunctionDesc *function; /* once it is chosen; */
    Oid result_type;              /* likewise */
    int default_count;            /* parameters at the end that were not written */
} Call;
static inline int call_position(const Call *call)
{
    return call->node->node.position;
}
MUST_CHECK Expr *make_aggregate(Scope *scope, Call *call);
MUST_CHECK Expr *make_window_function(Scope *scope, const Call *call);
MUST_CHECK bool check_aggregates(Scope *scope);
MUST_CHECK bool check_srf_call(Scope *scope, const Node *call, int position);
bool expr_has_aggregate(const Expr *expr, int level);
bool expr_has_window(const Expr *expr);
bool expr_has_srf(const Expr *expr);
int expr_srf_position(const Expr *expr);
int expr_aggregate_position(const Expr *expr, int level);
int expr_window_position(const Expr *expr);
/* Whether some column of this level (or, with `any`, of a lower-than-`level` one) is in it. */
bool expr_contains_columns(const Expr *expr, int level);
int expr_column_position(const Expr *expr, int level);
/* Adds `delta` to levels_up of references that leave the expression. */
Expr *expr_raise_levels(Arena *arena, Expr *expr, int delta, int minimum);

/* ---- analyze_coerce.c, analyze_type.c ---- */
bool can_coerce(Scope *scope, const Oid *from, const Oid *to, int count, CoercionContext context);
bool is_polymorphic(Oid type);
Oid base_type_of(CatalogSession *session, Oid type, int32_t *typmod);
Oid element_type_of(CatalogSession *session, Oid type);  /* of a true array; else 0 */
Oid array_type_of(CatalogSession *session, Oid element); /* 0: none */
/* What an expression is to become: its type, how far casts may go for that, how deparse prints the
 * cast, and where an error points (0: at the expression). */
typedef struct Coercion {
    Oid type;
    int32_t typmod; /* -1: none */
    CoercionContext context;
    CallForm form;
    int position;
} Coercion;
/* The typmod only guides the conversion; the result need not keep to it. */
MUST_CHECK Expr *coerce_type(Scope *scope, Expr *expr, const Coercion *to);
MUST_CHECK Expr *coerce_implicitly(Scope *scope, Expr *expr, Oid type);
/* To a target with its typmod; NULL without error where there is no such cast. */
Expr *coerce_to_target(Scope *scope, Expr *expr, const Coercion *to, bool *ret_failed);
Expr *coerce_for_assignment(Scope *scope, Expr *expr, Oid type, int32_t typmod, bool *ret_failed);
/* analyze_recursion.c: does the query of a WITH item use this name as a table? */
bool with_item_mentions(const Node *query, Str name);
/* The form and the places that a query's references to itself may have. */
MUST_CHECK bool with_check_recursion(const CommonTableExpr *node);
MUST_CHECK Expr *analyze_grouping(Scope *scope, const GroupingFunc *node);
MUST_CHECK Expr *coerce_to_boolean(Scope *scope, Expr *expr, Str construct);
MUST_CHECK Expr *coerce_to_specific(Scope *scope, Expr *expr, Oid type, Str construct);
MUST_CHECK Expr *coerce_to_common(Scope *scope, Expr *expr, Oid type, Str construct);
/* The common type (manual 10.5); 0 with an error, or without one where construct is STR_NONE. */
Oid select_common_type(Scope *scope, const ExprVec *exprs, Str construct, Expr **ret_which);
int32_t select_common_typmod(const ExprVec *exprs, Oid type);
Oid select_common_collation(const ExprVec *exprs);
/* Makes true types of the polymorphic ones among those declared, the result's too. */
MUST_CHECK bool resolve_polymorphic(Scope *scope, const Oid *actual, Oid *declared, int count,
                                    Oid *result);
/* The type of the i-th of all parameters, an output, in this call: never polymorphic. */
MUST_CHECK bool function_output_type(Scope *scope, const ExprFunction *call,
                                     const FunctionDesc *function, int index, Oid *ret_type);
char type_category(CatalogSession *session, Oid type, bool *ret_preferred);
MUST_CHECK bool resolve_type_name(Scope *scope, const TypeName *name, Oid *ret_type,
                                  int32_t *ret_typmod);
Str type_text(Scope *scope, Oid type); /* for messages */
Str type_text_typmod(Scope *scope, Oid type, int32_t typmod);
/* Sets an unknown parameter's type; false with 42P08 on conflict. */
MUST_CHECK bool param_set_type(Scope *scope, ExprParam *param, Oid type, int position);
/* The collation of a call from its arguments' (42P21 where two explicit ones differ). */
MUST_CHECK bool combine_collations(Scope *scope, const ExprVec *args, Oid *ret_collation);
Oid expr_result_collation(Scope *scope, Oid type, Oid input_collation);

/* ---- analyze_insert.c, analyze_update.c, analyze_view.c ---- */
MUST_CHECK bool analyze_insert(Scope *scope, const InsertStmt *insert);
MUST_CHECK bool analyze_update(Scope *scope, const UpdateStmt *update);
MUST_CHECK bool analyze_delete(Scope *scope, const DeleteStmt *delete_);
MUST_CHECK bool analyze_returning(Scope *scope, const ResTargetVec *returning);
MUST_CHECK bool analyze_set_list(Scope *scope, const ResTargetVec *list, TargetVec *ret);
/* An assignment's source made into the column's type (42804 where it cannot be). */
typedef struct Assignment {
    const ColumnDesc *column;
    const NodeVec *indirection; /* a[i]; NULL or empty: the whole column */
    Expr *current;              /* what the column has, for a[i]; NULL: nothing */
    Expr *source;
    ExprPlace place;
    int position;
} Assignment;
MUST_CHECK Expr *assign_column(Scope *scope, const Assignment *set);
/* a[i] = … of a column that an earlier target assigns already goes on from that one's result. */
void assign_merge(Expr *next, Expr *earlier);
/* DEFAULT of a column as an expression; a null constant where there is none. */
MUST_CHECK Expr *column_default(AnalyzeContext *context, const RelationDesc *relation,
                                const ColumnDesc *column);
MUST_CHECK bool insert_complete_targets(AnalyzeContext *context, Query *query,
                                        const RelationDesc *relation);
/* The DEFAULTs that a view left to the table below it. */
MUST_CHECK bool insert_resolve_targets(AnalyzeContext *context, Query *query,
                                       const RelationDesc *relation);
/* The indexes that ON CONFLICT's keys mean; 42P10 where there is none. */
MUST_CHECK bool conflict_find_arbiters(AnalyzeContext *context, const RelationDesc *relation,
                                       int rel, ConflictClause *conflict);
MUST_CHECK Query *view_query(AnalyzeContext *context, const RelationDesc *view);
/* Replaces a view as target by its base table (simple views only). */
MUST_CHECK bool rewrite_view_target(AnalyzeContext *context, Query *query);

#endif
