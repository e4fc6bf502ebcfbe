/* The order in which a node's conditions are looked at: the cheapest first, else as written. */
#include "catalog/lookup.h"
#include "planner/plan_internal.h"
#include "types/array.h"

#define OPERATOR_COST 0.0025 /* of a function whose cost is 1 */
#define ARRAY_LENGTH_UNKNOWN 10

typedef struct QualCost {
    const Planner *planner;
    double cost;
} QualCost;

static double function_cost(const QualCost *cost, Oid function)
{
    const FunctionDesc *desc = function ? function_find(cost->planner->session, function) : NULL;
    return (desc ? desc->cost : 1) * OPERATOR_COST;
}

double plan_array_length(const Expr *array)
{
    ArrayView view;
    if (array->kind == EXPR_ARRAY)
        return (double)EXPR_AS(const ExprArray, array)->elements.length;
    if (array->kind != EXPR_CONST || EXPR_AS(const ExprConst, array)->is_null ||
        !array_open(&EXPR_AS(const ExprConst, array)->value, &view))
        return ARRAY_LENGTH_UNKNOWN;
    return view.count;
}

static double cast_cost(const QualCost *cost, const ExprCast *cast)
{
    switch (cast->cast) {
    case CAST_FUNCTION:
        return function_cost(cost, cast->function);
    case CAST_IO:
        return 2 * OPERATOR_COST;
    case CAST_ARRAY:
        return plan_array_length(cast->args.items[0]) * OPERATOR_COST;
    case CAST_RELABEL:
        break;
    }
    return 0;
}

static double subplan_cost(const QualCost *cost, const ExprSubPlan *sub)
{
    const SubplanInfo *info = &cost->planner->statement->subplans.items[sub->subplan];
    const double run = info->plan->total_cost - info->plan->startup_cost;
    if (sub->is_hashed)
        return OPERATOR_COST;
    if (sub->column > 0)
        return 0; /* it has run for the first one */
    /* EXISTS wants one row; ANY and ALL end at half of them, on average. */
    return info->plan->startup_cost +
           (sub->sublink == SUBLINK_EXISTS ? run / MAX(1, info->plan->rows)
            : sub->sublink == SUBLINK_SCALAR || sub->sublink == SUBLINK_MULTI ? run
                                                                              : run / 2);
}

static bool add_cost(void *context, Expr *expr)
{
    QualCost *cost = context;
    switch (expr->kind) {
    case EXPR_FUNCTION:
    case EXPR_OPERATOR:
    case EXPR_DISTINCT:
    case EXPR_NULLIF:
        cost->cost += function_cost(cost, expr_function(expr));
        break;
    case EXPR_SCALAR_ARRAY: {
        const ExprScalarArray *any = EXPR_AS(const ExprScalarArray, expr);
        cost->cost += function_cost(cost, any->function) * plan_array_length(any->array) * 0.5;
        break;
    }
    case EXPR_ROW_COMPARE:
        cost->cost += (double)EXPR_AS(const ExprRowCompare, expr)->ops.length * OPERATOR_COST;
        break;
    case EXPR_MIN_MAX:
    case EXPR_SQL_VALUE:
    case EXPR_NEXT_VALUE:
        cost->cost += OPERATOR_COST;
        break;
    case EXPR_CAST:
        cost->cost += cast_cost(cost, EXPR_AS(const ExprCast, expr));
        break;
    case EXPR_SUB_PLAN:
        cost->cost += subplan_cost(cost, EXPR_AS(const ExprSubPlan, expr));
        break;
    case EXPR_AGGREGATE:
    case EXPR_WINDOW_FUNCTION:
        return true; /* computed already, its arguments too */
    default:
        break;
    }
    return expr_walk(expr, add_cost, cost);
}

static void order_list(const Planner *planner, ExprVec *list)
{
    if (list->length < 2)
        return;
    double *costs = ARENA_ARRAY(planner->arena, double, list->length);
    for (size_t i = 0; i < list->length; i++) {
        QualCost cost = {.planner = planner};
        Expr *expr = list->items[i];
        (void)add_cost(&cost, expr);
        size_t at = i;
        for (; at > 0 && costs[at - 1] > cost.cost; at--) {
            costs[at] = costs[at - 1];
            list->items[at] = list->items[at - 1];
        }
        costs[at] = cost.cost;
        list->items[at] = expr;
    }
}

static bool is_equality(const Planner *planner, const Expr *expr)
{
    if (expr->kind != EXPR_OPERATOR || expr_is_volatile(planner->session, expr))
        return false;
    const OperatorDesc *desc =
        operator_find(planner->session, EXPR_AS(const ExprOperator, expr)->op);
    return desc && desc->can_merge;
}

/* Equalities, from which others may be concluded, stand behind what else holds for a relation. */
static void equalities_last(const Planner *planner, ExprVec *list)
{
    Expr **items = ARENA_ARRAY(planner->arena, Expr *, list->length + 1);
    size_t count = 0;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < list->length; i++)
            if (is_equality(planner, list->items[i]) == (round == 1))
                items[count++] = list->items[i];
    memcpy(list->items, items, list->length * sizeof(Expr *));
}

static bool is_scan(const Plan *plan)
{
    return plan->kind >= PLAN_SEQ_SCAN && plan->kind <= PLAN_WORK_TABLE_SCAN;
}

static void order_plan(const Planner *planner, Plan *plan)
{
    if (!plan)
        return;
    if (is_scan(plan) && plan->filter.length > 1)
        equalities_last(planner, &plan->filter);
    order_list(planner, &plan->filter);
    if (plan->kind == PLAN_NEST_LOOP || plan->kind == PLAN_HASH_JOIN)
        order_list(planner, &((JoinPlan *)plan)->condition);
    if (plan->kind == PLAN_RESULT)
        order_list(planner, &((ResultPlan *)plan)->one_time_filter);
    if (plan->kind == PLAN_APPEND)
        for (size_t i = 0; i < ((AppendPlan *)plan)->children.length; i++)
            order_plan(planner, ((AppendPlan *)plan)->children.items[i]);
    order_plan(planner, plan->left);
    order_plan(planner, plan->right);
}

void plan_order_conditions(const Planner *planner)
{
    const PlannedStatement *statement = planner->statement;
    order_plan(planner, statement->plan);
    for (size_t i = 0; i < statement->subplans.length; i++)
        order_plan(planner, statement->subplans.items[i].plan);
}
