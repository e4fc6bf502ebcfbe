#include "planner/plan_internal.h"

/*
 * SELECT min(a), max(b) FROM t [WHERE on the same column]: each is the first row of an index on its
 * column, read from one end. The query becomes one without FROM whose targets are scalar
 * subqueries. A single one may have conditions on other columns too: rows that don't meet them are
 * passed over, unless that is dearer than reading what meets them.
 */
typedef struct MinMax {
    Planner *planner;
    Query *query;
    const RelationDesc *relation;
    ExprVec quals;
    bool is_single; /* one aggregate */
} MinMax;

static WalkStep other_column(void *context, Expr *expr, int depth)
{
    const int attnum = *(const int *)context;
    if (expr->kind == EXPR_SUB_LINK)
        return WALK_STOP;
    return expr->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, expr)->levels_up == depth &&
                   EXPR_AS(ExprColumn, expr)->attnum != attnum
               ? WALK_STOP
               : WALK_CHILDREN;
}

/* The index whose end answers the aggregate; its order is the sort operator's or the reverse. */
static const IndexDesc *index_for(const MinMax *search, const ExprAggregate *aggregate,
                                  int *ret_strategy)
{
    CatalogSession *session = search->planner->session;
    const AggregateDesc *desc = aggregate_find(session, aggregate->function);

    if (!desc || !desc->sort_operator || aggregate->args.length != 1 || aggregate->filter ||
        aggregate->order_by.length > 0 || aggregate->args.items[0]->kind != EXPR_COLUMN)
        return NULL;
    int attnum = EXPR_AS(const ExprColumn, aggregate->args.items[0])->attnum;
    if (attnum < 1 || EXPR_AS(const ExprColumn, aggregate->args.items[0])->levels_up > 0)
        return NULL;
    for (size_t i = 0; i < search->quals.length; i++)
        if ((!search->is_single &&
             !expr_walk_deep(search->quals.items[i], 0, other_column, &attnum)) ||
            expr_is_volatile(session, search->quals.items[i]))
            return NULL;
    for (int i = 0; i < search->relation->index_count; i++) {
        const IndexDesc *index = &search->relation->indexes[i];
        if (!index->is_valid || index->access_method != ACCESS_METHOD_BTREE ||
            !str_is_none(index->predicate) || index->columns[0].attnum != attnum)
            continue;
        *ret_strategy = opfamily_strategy(session, index->columns[0].opfamily, desc->sort_operator);
        if (*ret_strategy == 1 || *ret_strategy == 5)
            return index;
    }
    return NULL;
}

static WalkStep check_aggregate(void *context, Expr *expr, int depth)
{
    MinMax *search = context;
    int strategy;
    if (expr->kind != EXPR_AGGREGATE)
        return expr->kind == EXPR_COLUMN && depth == 0 ? WALK_STOP : WALK_CHILDREN;
    return index_for(search, EXPR_AS(const ExprAggregate, expr), &strategy) ? WALK_SKIP : WALK_STOP;
}

/* SELECT a FROM t WHERE … AND a IS NOT NULL ORDER BY a LIMIT 1, over a copy of the entry. */
static Query *end_query(const MinMax *search, const ExprAggregate *aggregate)
{
    Arena *arena = search->planner->arena;
    Query *query = ARENA_NEW(arena, Query);
    Expr *column = aggregate->args.items[0];
    int strategy = 0;
    const IndexDesc *index = index_for(search, aggregate, &strategy);
    const IndexColumn *key = &index->columns[0];
    const TypeOperators *operators = type_operators(search->planner->session, key->type);
    const bool is_descending = strategy == 5;

    query->command = QUERY_SELECT;
    query->source = search->query->source;
    query->is_read_only = true;
    query->param_types = search->query->param_types;
    query->param_count = search->query->param_count;
    for (size_t i = 0; i < search->query->range_table.length; i++) {
        RangeTableEntry *rte =
            arena_copy(arena, search->query->range_table.items[i], sizeof(RangeTableEntry));
        VEC_PUSH(arena, &query->range_table, rte);
    }
    FromItem *from = arena_copy(arena, search->query->from.items[0], sizeof(FromItem));
    VEC_PUSH(arena, &query->from, from);
    for (size_t i = 0; i < search->quals.length; i++)
        query->where = expr_and(arena, query->where, search->quals.items[i]);
    ExprNullTest *test = EXPR_NEW(arena, ExprNullTest, EXPR_NULL_TEST);
    test->base.type = TYPE_BOOL;
    test->arg = column;
    test->is_not_null = true;
    query->where = expr_and(arena, query->where, &test->base);
    const TargetEntry target = {
        .expr = column, .name = STR("end"), .attnum = 1, .sort_group_ref = 1};
    VEC_PUSH(arena, &query->targets, target);
    const SortClause order = {.ref = 1,
                              .sort_op = is_descending ? operators->greater : operators->less,
                              .equal_op = operators->equal,
                              .is_descending = is_descending,
                              .nulls_first =
                                  (is_descending == key->descending) == key->nulls_first};
    VEC_PUSH(arena, &query->order_by, order);
    query->limit_count = &expr_const(arena, TYPE_INT8, -1, 0, (Value){.int64 = 1}, false, 0)->base;
    return query;
}

static Expr *replace_aggregate(void *context, Expr *expr)
{
    const MinMax *search = context;
    Arena *arena = search->planner->arena;
    if (expr->kind != EXPR_AGGREGATE)
        return expr_mutate(arena, expr, replace_aggregate, context);
    ExprSubLink *link = EXPR_NEW(arena, ExprSubLink, EXPR_SUB_LINK);
    link->base = *expr;
    link->base.kind = EXPR_SUB_LINK;
    link->sublink = SUBLINK_SCALAR;
    link->query = end_query(search, EXPR_AS(const ExprAggregate, expr));
    link->source = link->query;
    return &link->base;
}

bool plan_min_max(Planner *planner, Query *query)
{
    MinMax search = {.planner = planner, .query = query};

    if (!query->has_aggregates || query->group_by.length > 0 || query->having ||
        query->has_windows || query->has_srfs || query->has_sublinks || query->set_op ||
        query->is_correlated || query->ctes.length > 0 || query->row_marks.length > 0 ||
        query->from.length != 1 || query->from.items[0]->kind != FROM_REL)
        return true;
    const RangeTableEntry *rte = query_rte(query, query->from.items[0]->rel);
    if (rte->kind != RANGE_RELATION)
        return true;
    search.relation = relation_get(planner->session, rte->relation);
    TRY(search.relation);
    plan_split_and(planner->arena, query->where, &search.quals);
    search.is_single =
        query->targets.length == 1 && query->targets.items[0].expr->kind == EXPR_AGGREGATE;
    for (size_t i = 0; i < query->targets.length; i++)
        if (!expr_walk_deep(query->targets.items[i].expr, 0, check_aggregate, &search))
            return true;
    for (size_t i = 0; i < query->targets.length; i++)
        TRY(query->targets.items[i].expr =
                replace_aggregate(&search, query->targets.items[i].expr));
    query->from.length = 0;
    query->where = NULL;
    query->has_aggregates = false;
    query->has_sublinks = true;
    return true;
}
