/*
 * Planning, inside. A Tree is a plan with the analyzed expressions its output columns stand for;
 * plan_fix turns an analyzed expression into a planned one by replacing every part that an input
 * tree already computes with a slot. Columns of outer queries become PARAM_EXEC: the level that
 * owns the column remembers the param, and whoever runs the inner plan sets it.
 */
#ifndef PLANNER_PLAN_INTERNAL_H
#define PLANNER_PLAN_INTERNAL_H

#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "planner/analyze.h"
#include "planner/planner.h"
#include "planner/query_walk.h"
#include "types/type.h"

typedef struct Planner {
    Arena *arena;
    CatalogSession *session;
    PlannedStatement *statement;
    int init_plan_count, sub_plan_count;
    int level_count;
    bool is_cursor;
} Planner;

typedef struct OuterParam {
    Expr *column; /* of the owning level: levels_up 0 */
    int number;
} OuterParam;

/* A subquery of an expression that stands at several places of its statement. */
typedef struct SharedSubquery {
    const Query *source; /* ExprSubLink's */
    int subplan;
    ExprSubPlan *unfixed; /* correlated: its args are columns; NULL: an init plan */
} SharedSubquery;

/* An index's predicate or expression, read once. */
typedef struct IndexText {
    Oid index;
    int rel, column; /* -1: the predicate */
    Expr *expr;      /* NULL: it cannot be read */
} IndexText;

typedef struct Level {
    Planner *planner;
    struct Level *parent;
    Query *query;
    int number;             /* of the level, in its statement */
    VEC(OuterParam) params; /* columns of this level that inner plans need */
    VEC(int) cte_subplans;  /* by index in query->ctes; -1: work table below */
    VEC(int) cte_work_tables;
    VEC(int) cte_work_params;
    VEC(double) cte_work_rows; /* estimates for the work tables */
    VEC(int) used;             /* params of levels above used here or below */
    VEC(int) init_plans;       /* subplans that are run once for this level */
    VEC(SharedSubquery) shared;
    int cursor_rel;        /* the one table whose rows a cursor's rows are; 0: it is none such */
    const SortVec *order;  /* that FROM's rows would be welcome in; NULL: any */
    double limit_rows;     /* of FROM's, as many are going to be read; infinite: all */
    double limit_fraction; /* and no more than this part of them */
    double group_limit;    /* of the groups */
    VEC(IndexText) index_texts;
    VEC(double) rel_rows; /* by range table index - 1: rows after the table's own conditions */
} Level;

/* Entries of a level's range table, which counts from 1: room for 64 tables and their joins. */
typedef uint128 RelSet;
#define MOST_RELS 127
#define REL_BIT(rel) ((RelSet)1 << ((rel)&MOST_RELS))

static inline bool covers(RelSet rels, RelSet part)
{
    return (part & ~rels) == 0;
}

typedef struct Tree {
    Plan *plan;
    ExprVec out;
    RelSet rels;        /* range table entries inside */
    RelSet needs;       /* lateral: rels whose params must be set outside */
    int rel;            /* a base relation's range table index; 0 otherwise */
    ExprVec base_quals; /* of a base relation: its own conditions, analyzed */
    bool one_row;       /* at most one row */
    VEC(int) params;    /* PARAM_EXECs of this level that the plan reads */
    SortVec order;      /* that the rows come in, of the level's targets */
} Tree;

/* plan_query.c */
MUST_CHECK Plan *plan_query(Level *level, ExprVec *ret_out);
bool target_has_srf(const Expr *expr); /* itself: not what is in it */
/* The part of the statement's rows that is going to be read; 1 where it is not a cursor's. */
double planner_cursor_fraction(const Planner *planner);
Level *level_new(Planner *planner, Level *parent, Query *query);
/* A range table entry of this level in a number that no other of the statement has. */
/* How many elements it has, if that is known, or is likely to have. */
double plan_array_length(const Expr *array);
/* For rows that are read again and again: they are computed once. */
Plan *plan_keep_rows(Level *level, Plan *plan);
int level_scan_number(const Level *level, int rel);
MUST_CHECK bool plan_ctes(Level *level);
/* Which tables and privileges the level's query needs, into the statement. */
MUST_CHECK bool level_note_relations(Level *level);
/* `columns`: the types that whoever is above wants. */
MUST_CHECK Plan *set_tree_plan(Level *level, const SetOpNode *node, const RangeColumn *columns);
/* The item at `index` of the level's query. */
MUST_CHECK Plan *plan_recursive(Level *level, const CommonTable *cte, size_t index);
int plan_add_subplan(Planner *planner, Plan *plan, SubplanUse use, SubLinkKind sublink, Str name);
int plan_new_param(Planner *planner, const Expr *like, int init_plan, int column);

/* plan_inline.c: rewrites the whole statement in place */
MUST_CHECK bool plan_inline_ctes(Planner *planner, Query *query);

/* plan_pull_up.c: rewrites the query in place */
MUST_CHECK bool plan_pull_up(Planner *planner, Query *query);

/* How many rows of a relation pass its own conditions; 0: not known. */
void level_note_rows(Level *level, int rel, double rows);
double level_rel_rows(const Level *level, int rel);

/* plan_node.c */
/* Average bytes of a column's values. */
double column_width(CatalogSession *session, const RelationDesc *relation, int attnum);
void *plan_new(Level *level, size_t size, PlanKind kind);
#define PLAN_NEW(level, Type, kind) ((Type *)plan_new((level), sizeof(Type), (kind)))
void plan_set_targets(Level *level, Plan *plan, const ExprVec *planned);
void plan_pass_through(Level *level, Plan *plan, const Plan *child);

/* plan_expr.c */
MUST_CHECK Expr *plan_fix(Level *level, Expr *expr, const ExprVec *left, const ExprVec *right);
MUST_CHECK bool plan_fix_list(Level *level, const ExprVec *list, const ExprVec *left,
                              const ExprVec *right, ExprVec *ret);
/* An aggregate that belongs to `owner` but stands in a subquery, as owner's own. */
MUST_CHECK Expr *plan_own_aggregate(Level *owner, Expr *expr);
MUST_CHECK Expr *plan_flatten_joins(Level *level, Expr *expr);
void plan_split_and(Arena *arena, Expr *expr, ExprVec *ret);
RelSet expr_rels(const Expr *expr); /* this level's entries it refers to */
bool expr_is_volatile(CatalogSession *session, const Expr *expr);
/* Without its subqueries: those are computed by themselves. */
bool expr_is_volatile_itself(CatalogSession *session, const Expr *expr);
bool expr_is_strict_on(CatalogSession *session, const Expr *expr, RelSet rels);
void collect_columns(Level *level, Expr *expr, ExprVec *ret);
void collect_query_columns(Level *level, ExprVec *ret);
/* The plan computes these (over its own output) instead of its targets. */
MUST_CHECK bool plan_project(Level *level, Plan **plan, const ExprVec *exprs);
int level_param(Level *owner, Expr *column);

/* plan_order.c: of every node of the finished plan */
void plan_order_conditions(const Planner *planner);

/* plan_unused.c */
/* EXISTS asks for a row, whatever is in it. */
Query *plan_exists_query(const Planner *planner, Query *query);
/* Columns of the subquery at `rel` that are not needed become null. */
Query *plan_read_query(const Planner *planner, Query *query, int rel, const ExprVec *needed);
/* If some of `all` targets are better computed behind ORDER BY's sort: what is there before it. */
bool plan_early_targets(const Level *level, const Tree *tree, const ExprVec *all,
                        ExprVec *ret_early);

/* plan_minmax.c: min and max that an index answers become subqueries. */
MUST_CHECK bool plan_min_max(Planner *planner, Query *query);

/* plan_imply.c: whether rows for which all of `given` is true have `wanted` true. */
bool plan_implies(CatalogSession *session, const ExprVec *given, const Expr *wanted);

/* plan_fold.c */
MUST_CHECK Expr *plan_fold(Planner *planner, Expr *expr);

/* plan_scan.c */
MUST_CHECK bool plan_base(Level *level, int rel, const ExprVec *quals, const ExprVec *needed,
                          Tree *ret);
double relation_rows(CatalogSession *session, const RelationDesc *relation);

/* plan_join.c */
MUST_CHECK bool plan_from(Level *level, ExprVec *quals, const ExprVec *needed, Tree *ret);

/* plan_modify.c */
MUST_CHECK Plan *plan_modify(Level *level, ExprVec *ret_out);

/* selectivity.c */
double selectivity_of(Level *level, const Expr *expr);
double selectivity_list(Level *level, const ExprVec *list);
/* Of the rows of `among` alone: other relations' columns are values from outside. */
double selectivity_among(Level *level, const ExprVec *list, RelSet among);
/* Of the left rows, those that have a match on the right. */
double selectivity_semi(Level *level, const ExprVec *quals, RelSet left, double right_rows);

#endif
