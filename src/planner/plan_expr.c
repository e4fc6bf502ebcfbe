#include "base/scheduler.h"
#include "base/settings.h"
#include "planner/analyze_internal.h"
#include "planner/cost.h"
#include "planner/plan_internal.h"
#include "types/function.h"

void plan_split_and(Arena *arena, Expr *expr, ExprVec *ret)
{
    if (!expr)
        return;
    if (expr->kind == EXPR_BOOL && EXPR_AS(ExprBool, expr)->op == BOOL_AND) {
        const ExprVec *args = &EXPR_AS(ExprBool, expr)->args;
        for (size_t i = 0; i < args->length; i++)
            plan_split_and(arena, args->items[i], ret);
        return;
    }
    if (expr->kind == EXPR_CONST && expr->type == TYPE_BOOL && !EXPR_AS(ExprConst, expr)->is_null &&
        EXPR_AS(ExprConst, expr)->value.boolean)
        return;
    VEC_PUSH(arena, ret, expr);
}

/* ---- joins' columns ---- */

typedef struct Flatten {
    Level *level;
} Flatten;

static Expr *flatten_replace(void *context, Expr *expr, int depth)
{
    Flatten *flatten = context;
    Arena *arena = flatten->level->planner->arena;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    if (column->levels_up != depth)
        return expr;
    const RangeTableEntry *rte = query_rte(flatten->level->query, column->rel);
    if (rte->kind != RANGE_JOIN)
        return expr;
    if (column->attnum < 1) { /* a join's whole row */
        ExprRow *row = expr_whole_row(arena, expr, rte->name, rte->column_count);
        for (int i = 0; i < rte->column_count; i++)
            expr_whole_row_add(arena, row, rte->columns[i].name, rte->alias_exprs.items[i]);
        return expr_replace_deep(arena, &row->base, depth, flatten_replace, flatten);
    }
    Expr *inner = rte->alias_exprs.items[column->attnum - 1];
    if (depth > 0) {
        /* The join's expressions are of its own level: raise them to where they are used. */
        if (inner->kind != EXPR_COLUMN) {
            ExprCoalesce *coalesce = arena_copy(arena, inner, sizeof(ExprCoalesce));
            if (inner->kind != EXPR_COALESCE)
                return expr;
            ExprVec args = {0};
            for (size_t i = 0; i < coalesce->args.length; i++) {
                Expr *arg = coalesce->args.items[i];
                if (arg->kind == EXPR_COLUMN) {
                    ExprColumn *copy = arena_copy(arena, arg, sizeof(ExprColumn));
                    copy->levels_up += depth;
                    arg = &copy->base;
                }
                VEC_PUSH(arena, &args, arg);
            }
            coalesce->args = args;
            return expr_replace_deep(arena, &coalesce->base, depth, flatten_replace, flatten);
        }
        ExprColumn *copy = arena_copy(arena, inner, sizeof(ExprColumn));
        copy->levels_up += depth;
        inner = &copy->base;
    }
    return expr_replace_deep(arena, inner, depth, flatten_replace, flatten);
}

Expr *plan_flatten_joins(Level *level, Expr *expr)
{
    Flatten flatten = {level};
    return expr_replace_deep(level->planner->arena, expr, 0, flatten_replace, &flatten);
}

/* ---- facts about expressions ---- */

static WalkStep visit_rels(void *context, Expr *expr, int depth)
{
    RelSet *rels = context;
    if (expr->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, expr)->levels_up == depth)
        *rels |= REL_BIT(EXPR_AS(ExprColumn, expr)->rel);
    if (expr->kind == EXPR_CURRENT_OF && depth == 0)
        *rels |= REL_BIT(EXPR_AS(ExprCurrentOf, expr)->rel);
    return WALK_CHILDREN;
}

RelSet expr_rels(const Expr *expr)
{
    RelSet rels = 0;
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, visit_rels, &rels);
    return rels;
}

static WalkStep visit_volatile(void *context, Expr *expr, int depth)
{
    CatalogSession *session = context;
    (void)depth;
    if (expr->kind == EXPR_NEXT_VALUE)
        return WALK_STOP;
    const Oid oid = expr_function(expr);
    if (!oid)
        return WALK_CHILDREN;
    const FunctionDesc *function = function_find(session, oid);
    return function && function->volatility == 'v' ? WALK_STOP : WALK_CHILDREN;
}

static WalkStep visit_volatile_itself(void *context, Expr *expr, int depth)
{
    return expr->kind == EXPR_SUB_LINK ? WALK_SKIP : visit_volatile(context, expr, depth);
}

bool expr_is_volatile_itself(CatalogSession *session, const Expr *expr)
{
    return !expr_walk_deep((Expr *)(uintptr_t)expr, 0, visit_volatile_itself, session);
}

bool expr_is_volatile(CatalogSession *session, const Expr *expr)
{
    return !expr_walk_deep((Expr *)(uintptr_t)expr, 0, visit_volatile, session);
}

/* Whether the condition cannot be true when all columns of `rels` are null. */
bool expr_is_strict_on(CatalogSession *session, const Expr *expr, RelSet rels)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        return EXPR_AS(const ExprColumn, expr)->levels_up == 0 &&
               (REL_BIT(EXPR_AS(const ExprColumn, expr)->rel) & rels) != 0;
    case EXPR_OPERATOR:
    case EXPR_FUNCTION: {
        const FunctionDesc *function = function_find(session, expr_function(expr));
        const ExprVec *args = expr->kind == EXPR_OPERATOR
                                  ? &EXPR_AS(const ExprOperator, expr)->args
                                  : &EXPR_AS(const ExprFunction, expr)->args;
        if (!function || !function->strict)
            return false;
        for (size_t i = 0; i < args->length; i++)
            if (expr_is_strict_on(session, args->items[i], rels))
                return true;
        return false;
    }
    case EXPR_CAST: {
        const ExprCast *cast = EXPR_AS(const ExprCast, expr);
        return expr_is_strict_on(session, cast->args.items[0], rels);
    }
    case EXPR_SCALAR_ARRAY:
        return EXPR_AS(const ExprScalarArray, expr)->use_or &&
               expr_is_strict_on(session, EXPR_AS(const ExprScalarArray, expr)->left, rels);
    case EXPR_NULL_TEST:
        return EXPR_AS(const ExprNullTest, expr)->is_not_null &&
               !EXPR_AS(const ExprNullTest, expr)->arg_is_row &&
               expr_is_strict_on(session, EXPR_AS(const ExprNullTest, expr)->arg, rels);
    case EXPR_BOOL: {
        const ExprBool *b = EXPR_AS(const ExprBool, expr);
        for (size_t i = 0; i < b->args.length; i++) {
            const bool strict = expr_is_strict_on(session, b->args.items[i], rels);
            if (b->op == BOOL_AND && strict)
                return true;
            if (b->op == BOOL_OR && !strict)
                return false;
        }
        return b->op == BOOL_OR;
    }
    default:
        return false;
    }
}

typedef struct Collect {
    Level *level;
    ExprVec *ret;
} Collect;

static WalkStep visit_columns(void *context, Expr *expr, int depth)
{
    Collect *collect = context;
    if (expr->kind != EXPR_COLUMN || EXPR_AS(ExprColumn, expr)->levels_up != depth)
        return WALK_CHILDREN;
    Expr *column = expr;
    if (depth > 0) {
        ExprColumn *copy = arena_copy(collect->level->planner->arena, expr, sizeof(ExprColumn));
        copy->levels_up = 0;
        column = &copy->base;
    }
    /* A join's column is what it is made of. */
    const int rel = EXPR_AS(ExprColumn, column)->rel;
    if (query_rte(collect->level->query, rel)->kind == RANGE_JOIN) {
        Expr *flat = plan_flatten_joins(collect->level, column);
        return flat && expr_walk_deep(flat, 0, visit_columns, collect) ? WALK_SKIP : WALK_STOP;
    }
    for (size_t i = 0; i < collect->ret->length; i++)
        if (expr_equal(collect->ret->items[i], column))
            return WALK_SKIP;
    VEC_PUSH(collect->level->planner->arena, collect->ret, column);
    return WALK_SKIP;
}

void collect_columns(Level *level, Expr *expr, ExprVec *ret)
{
    Collect collect = {level, ret};
    (void)expr_walk_deep(expr, 0, visit_columns, &collect);
}

/* ---- slots, params and subplans ---- */

int plan_new_param(Planner *planner, const Expr *like, int init_plan, int column)
{
    const ParamInfo info = {.type = like->type,
                            .typmod = like->typmod,
                            .collation = like->collation,
                            .init_plan = init_plan,
                            .column = column};
    VEC_PUSH(planner->arena, &planner->statement->params, info);
    return (int)planner->statement->params.length - 1;
}

int level_param(Level *owner, Expr *column)
{
    for (size_t i = 0; i < owner->params.length; i++)
        if (expr_equal(owner->params.items[i].column, column))
            return owner->params.items[i].number;
    const OuterParam param = {column, plan_new_param(owner->planner, column, -1, 0)};
    VEC_PUSH(owner->planner->arena, &owner->params, param);
    return param.number;
}

static void level_uses(Level *level, Level *owner, int number)
{
    for (Level *l = level; l && l != owner; l = l->parent) {
        bool known = false;
        for (size_t i = 0; i < l->used.length; i++)
            known |= l->used.items[i] == number;
        if (!known)
            VEC_PUSH(l->planner->arena, &l->used, number);
    }
}

typedef struct Fix {
    Level *level;
    const ExprVec *left, *right;
} Fix;

static Expr *fix_step(void *context, Expr *expr);

static int find_output(const ExprVec *outputs, const Expr *expr)
{
    if (outputs)
        for (size_t i = 0; i < outputs->length; i++)
            if (expr_equal(outputs->items[i], expr))
                return (int)i;
    return -1;
}

static Expr *fix_outer(Fix *fix, const ExprColumn *column)
{
    Arena *arena = fix->level->planner->arena;
    Level *owner = fix->level;
    for (int i = 0; i < column->levels_up && owner; i++)
        owner = owner->parent;
    if (!owner)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("column of a query level that is not there"));
    ExprColumn *own = arena_copy(arena, column, sizeof(*column));
    own->levels_up = 0;
    Expr *flat = plan_flatten_joins(owner, &own->base);
    TRY(flat);
    const int number = level_param(owner, flat);
    level_uses(fix->level, owner, number);
    return expr_param_exec(arena, number, &column->base);
}

Expr *plan_own_aggregate(Level *owner, Expr *expr)
{
    Arena *arena = owner->planner->arena;
    const int levels = EXPR_AS(ExprAggregate, expr)->levels_up;
    Expr *own = expr_raise_levels(arena, expr, -levels, levels);
    TRY(own);
    own = arena_copy(arena, own, sizeof(ExprAggregate));
    EXPR_AS(ExprAggregate, own)->levels_up = 0;
    TRY(own = plan_flatten_joins(owner, own));
    return plan_fold(owner->planner, own);
}

/* An aggregate of an outer query: that level computes it, here it is a parameter. */
static Expr *fix_outer_aggregate(Fix *fix, Expr *expr)
{
    Level *owner = fix->level;
    for (int i = 0; i < EXPR_AS(ExprAggregate, expr)->levels_up && owner; i++)
        owner = owner->parent;
    if (!owner || owner == fix->level)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("aggregate is not in any input of its plan node"));
    Expr *own = plan_own_aggregate(owner, expr);
    TRY(own);
    const int number = level_param(owner, own);
    level_uses(fix->level, owner, number);
    return expr_param_exec(owner->planner->arena, number, expr);
}

/* Which params of this level the inner level needs, and whether it needs any at all from above. */
static void inner_params(Fix *fix, const Level *inner, ExprSubPlan *ret, bool *ret_correlated)
{
    Arena *arena = fix->level->planner->arena;
    for (size_t i = 0; i < inner->used.length; i++) {
        const int number = inner->used.items[i];
        *ret_correlated = true;
        for (size_t k = 0; k < fix->level->params.length; k++) {
            if (fix->level->params.items[k].number != number)
                continue;
            VEC_PUSH(arena, &ret->param_ids, number);
            VEC_PUSH(arena, &ret->args, fix->level->params.items[k].column);
        }
    }
}

static Expr *sublink_test(Fix *fix, const ExprSubLink *link, const ExprSubPlan *sub)
{
    Arena *arena = fix->level->planner->arena;
    ExprVec left = {0}, right = {0}, tests = {0};
    for (size_t i = 0; i < link->left.length; i++) {
        Expr *l = fix_step(fix, link->left.items[i]);
        TRY(l);
        VEC_PUSH(arena, &left, l);
        /* The placeholder PARAM_EXEC i inside becomes the real param. */
        Expr *r = link->right.items[i];
        Expr *holder = r;
        while (holder->kind == EXPR_CAST)
            holder = EXPR_AS(ExprCast, holder)->args.items[0];
        if (holder->kind == EXPR_COLLATE)
            holder = EXPR_AS(ExprCollate, holder)->arg;
        Expr *param = expr_param_exec(arena, sub->output_params.items[i], holder);
        while (r != holder && r->kind == EXPR_CAST) {
            ExprCast *cast = arena_copy(arena, r, sizeof(ExprCast));
            cast->args.items =
                arena_copy(arena, cast->args.items, cast->args.length * sizeof(Expr *));
            Expr *inner = cast->args.items[0];
            if (inner == holder) {
                cast->args.items[0] = param;
                param = &cast->base;
                break;
            }
            FAIL_UNSUPPORTED("a nested conversion of a subquery's column");
        }
        VEC_PUSH(arena, &right, param);
    }
    if (link->row_compare) {
        ExprRowCompare *compare = EXPR_NEW(arena, ExprRowCompare, EXPR_ROW_COMPARE);
        compare->base.type = TYPE_BOOL;
        compare->compare = link->row_compare;
        compare->left = left;
        compare->right = right;
        for (size_t i = 0; i < link->ops.length; i++)
            VEC_PUSH(arena, &compare->ops, link->ops.items[i]);
        return &compare->base;
    }
    for (size_t i = 0; i < left.length; i++) {
        ExprOperator *op = EXPR_NEW(arena, ExprOperator, EXPR_OPERATOR);
        op->base.type = TYPE_BOOL;
        op->base.position = link->base.position;
        op->op = link->ops.items[i];
        op->function = link->functions.items[i];
        op->input_collation = left.items[i]->collation;
        VEC_PUSH(arena, &op->args, left.items[i]);
        VEC_PUSH(arena, &op->args, right.items[i]);
        VEC_PUSH(arena, &tests, &op->base);
    }
    if (tests.length == 1)
        return tests.items[0];
    ExprBool *all = EXPR_NEW(arena, ExprBool, EXPR_BOOL);
    all->base.type = TYPE_BOOL;
    all->op = link->combine_or ? BOOL_OR : BOOL_AND;
    all->args = tests;
    return &all->base;
}

/* Uncorrelated IN: hash on the columns where both sides are of one type with default equality. */
static bool sublink_hash(Fix *fix, const ExprSubLink *link, ExprSubPlan *sub)
{
    Arena *arena = fix->level->planner->arena;
    CatalogSession *session = fix->level->planner->session;
    if (link->sublink != SUBLINK_ANY || link->combine_or || link->row_compare)
        return true;
    for (size_t i = 0; i < link->left.length; i++) {
        const Expr *left = link->left.items[i], *right = link->right.items[i];
        const TypeOperators *operators = type_operators(session, left->type);
        if (right->kind != EXPR_PARAM || left->type != right->type || !operators ||
            !operators->hash || operators->equal != link->ops.items[i])
            return true;
    }
    for (size_t i = 0; i < link->left.length; i++) {
        Expr *left = fix_step(fix, link->left.items[i]);
        TRY(left);
        VEC_PUSH(arena, &sub->hash_left, left);
        VEC_PUSH(arena, &sub->hash_right, expr_slot(arena, 0, (int)i, link->right.items[i]));
    }
    sub->is_hashed = true;
    return true;
}

Plan *plan_keep_rows(Level *level, Plan *plan)
{
    const bool is_sorted_once = plan->kind == PLAN_SORT && ((const SortPlan *)plan)->presorted == 0;
    if (!settings()->enable_material || plan->kind == PLAN_MATERIAL || is_sorted_once ||
        plan->kind == PLAN_TOP_N || plan->kind == PLAN_CTE_SCAN ||
        plan->kind == PLAN_WORK_TABLE_SCAN || plan->kind == PLAN_FUNCTION_SCAN)
        return plan;
    MaterialPlan *material = PLAN_NEW(level, MaterialPlan, PLAN_MATERIAL);
    plan_pass_through(level, &material->base, plan);
    material->base.left = plan;
    const Cost cost =
        cost_material((Cost){plan->startup_cost, plan->total_cost}, plan->rows, plan->width);
    material->base.startup_cost = cost.startup;
    material->base.total_cost = cost.total;
    return &material->base;
}

/* The subquery as this level has planned it before, or NULL. */
static SharedSubquery *shared_subquery(const Level *level, const ExprSubLink *link)
{
    for (size_t i = 0; link->source && i < level->shared.length; i++)
        if (level->shared.items[i].source == link->source)
            return &level->shared.items[i];
    return NULL;
}

/*
 * A changing statement has its expressions twice, over the row of its snapshot and over the newest
 * one, a key of an index may be a condition too, and SET (a, b) = (SELECT …) has its source for
 * each column: all of them are one subquery.
 */
static SharedSubquery *share_subquery(Level *level, const ExprSubLink *link, int subplan)
{
    Arena *arena = level->planner->arena;
    const SharedSubquery shared = {.source = link->source, .subplan = subplan};

    if (!link->source)
        return NULL;
    VEC_PUSH(arena, &level->shared, shared);
    return &level->shared.items[level->shared.length - 1];
}

static void name_returned(Planner *planner, int subplan, const char *kind)
{
    SubplanInfo *info = &planner->statement->subplans.items[subplan];
    StrBuf name = strbuf_in(planner->arena);

    strbuf_format(&name, "%s %d (returns ", kind, subplan + 1);
    for (size_t i = 0; i < info->returned.length; i++)
        strbuf_format(&name, "%s$%d", i > 0 ? "," : "", info->returned.items[i]);
    strbuf_append_c(&name, ")");
    info->name = strbuf_view(&name);
}

/* The parameter that a column of an init plan is in. */
static Expr *init_plan_param(Planner *planner, const ExprSubLink *link, int subplan)
{
    SubplanInfo *info = &planner->statement->subplans.items[subplan];

    for (size_t i = 0; i < info->returned.length; i++) {
        const int number = info->returned.items[i];
        if (planner->statement->params.items[number].column == link->multi_column)
            return expr_param_exec(planner->arena, number, &link->base);
    }
    const int number = plan_new_param(planner, &link->base, subplan, link->multi_column);
    VEC_PUSH(planner->arena, &info->returned, number);
    name_returned(planner, subplan, "InitPlan");
    return expr_param_exec(planner->arena, number, &link->base);
}

/* SET (a, b) = (SELECT …) where the subquery has columns of the row: one of its columns. */
static Expr *multi_subplan(Fix *fix, const ExprSubLink *link, const ExprSubPlan *unfixed)
{
    Arena *arena = fix->level->planner->arena;
    ExprSubPlan *sub = arena_copy(arena, unfixed, sizeof(*unfixed));

    sub->base = link->base;
    sub->base.kind = EXPR_SUB_PLAN;
    sub->column = link->multi_column;
    sub->args = (ExprVec){0};
    for (size_t i = 0; i < unfixed->args.length; i++) {
        Expr *arg = fix_step(fix, unfixed->args.items[i]);
        TRY(arg);
        VEC_PUSH(arena, &sub->args, arg);
    }
    return &sub->base;
}

static void name_subplan(Planner *planner, const Plan *plan, const ExprSubPlan *sub)
{
    SubplanInfo *info = &planner->statement->subplans.items[sub->subplan];

    if (sub->sublink != SUBLINK_MULTI) {
        info->name = str_format(planner->arena, "SubPlan %d", sub->subplan + 1);
        return;
    }
    for (int i = 0; i < plan->column_count; i++) {
        const Expr like = {.type = plan->columns[i].type,
                           .typmod = plan->columns[i].typmod,
                           .collation = plan->columns[i].collation};
        VEC_PUSH(planner->arena, &info->returned, plan_new_param(planner, &like, -1, i));
    }
    name_returned(planner, sub->subplan, "SubPlan");
}

static Expr *fix_init_plan(Level *level, const ExprSubLink *link, Plan *plan)
{
    Planner *planner = level->planner;
    const int index =
        plan_add_subplan(planner, plan, SUBPLAN_INIT,
                         link->sublink == SUBLINK_MULTI ? SUBLINK_SCALAR : link->sublink, STR_NONE);

    planner->statement->subplans.items[index].array_type = link->base.type;
    VEC_PUSH(planner->arena, &level->init_plans, index);
    (void)share_subquery(level, link, index);
    return init_plan_param(planner, link, index);
}

static Expr *fix_sublink(Fix *fix, ExprSubLink *link)
{
    Level *level = fix->level;
    Planner *planner = level->planner;
    Arena *arena = planner->arena;
    SharedSubquery *shared = shared_subquery(level, link);
    if (shared)
        return shared->unfixed ? multi_subplan(fix, link, shared->unfixed)
                               : init_plan_param(planner, link, shared->subplan);
    Query *query =
        link->sublink == SUBLINK_EXISTS ? plan_exists_query(planner, link->query) : link->query;
    Level *inner = level_new(planner, level, query);
    ExprVec out;
    Plan *plan = plan_query(inner, &out);
    ExprSubPlan *sub = EXPR_NEW(arena, ExprSubPlan, EXPR_SUB_PLAN);
    bool correlated = false;

    TRY(plan);
    sub->base = link->base;
    sub->base.kind = EXPR_SUB_PLAN;
    sub->sublink = link->sublink;
    inner_params(fix, inner, sub, &correlated);
    if (!correlated && (link->sublink == SUBLINK_EXISTS || link->sublink == SUBLINK_SCALAR ||
                        link->sublink == SUBLINK_ARRAY || link->sublink == SUBLINK_MULTI))
        return fix_init_plan(level, link, plan);
    sub->subplan = plan_add_subplan(planner, plan, SUBPLAN_EXPRESSION, link->sublink, STR_NONE);
    name_subplan(planner, plan, sub);
    planner->statement->subplans.items[sub->subplan].is_correlated = correlated;
    planner->statement->subplans.items[sub->subplan].array_type = link->base.type;
    if (link->sublink == SUBLINK_MULTI) {
        share_subquery(level, link, sub->subplan)->unfixed = sub;
        return multi_subplan(fix, link, sub);
    }
    for (size_t i = 0; i < sub->args.length; i++)
        TRY(sub->args.items[i] = fix_step(fix, sub->args.items[i]));
    for (size_t i = 0; i < link->right.length; i++) {
        const Expr like = {.type = plan->columns[i].type,
                           .typmod = plan->columns[i].typmod,
                           .collation = plan->columns[i].collation};
        VEC_PUSH(arena, &sub->output_params, plan_new_param(planner, &like, -1, (int)i));
    }
    if (link->left.length > 0) {
        TRY(sub->test = sublink_test(fix, link, sub));
        if (!correlated)
            TRY(sublink_hash(fix, link, sub));
        if (!correlated && !sub->is_hashed)
            planner->statement->subplans.items[sub->subplan].plan = plan_keep_rows(inner, plan);
    }
    return &sub->base;
}

static Expr *fix_step(void *context, Expr *expr)
{
    Fix *fix = context;
    Arena *arena = fix->level->planner->arena;
    if (expr->kind != EXPR_CONST && expr->kind != EXPR_PARAM && expr->kind != EXPR_CASE_TEST) {
        int found = find_output(fix->left, expr);
        if (found >= 0)
            return expr_slot(arena, 0, found, expr);
        found = find_output(fix->right, expr);
        if (found >= 0)
            return expr_slot(arena, 1, found, expr);
    }
    switch (expr->kind) {
    case EXPR_COLUMN:
        if (EXPR_AS(ExprColumn, expr)->levels_up > 0)
            return fix_outer(fix, EXPR_AS(const ExprColumn, expr));
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("column %d.%d is not in any input of its plan node",
                            EXPR_AS(ExprColumn, expr)->rel, EXPR_AS(ExprColumn, expr)->attnum));
    case EXPR_SUB_LINK:
        return fix_sublink(fix, EXPR_AS(ExprSubLink, expr));
    case EXPR_AGGREGATE:
        return fix_outer_aggregate(fix, expr);
    default:
        return expr_mutate(arena, expr, fix_step, fix);
    }
}

Expr *plan_fix(Level *level, Expr *expr, const ExprVec *left, const ExprVec *right)
{
    Fix fix = {level, left, right};
    return fix_step(&fix, expr);
}

bool plan_fix_list(Level *level, const ExprVec *list, const ExprVec *left, const ExprVec *right,
                   ExprVec *ret)
{
    for (size_t i = 0; i < list->length; i++) {
        Expr *expr = plan_fix(level, list->items[i], left, right);
        TRY(expr);
        VEC_PUSH(level->planner->arena, ret, expr);
    }
    return true;
}

/* Is it sure that the table's rows are filtered before they are joined? */
static bool is_filtered_below(const FromItem *item, int rel)
{
    if (item->kind == FROM_REL)
        return item->rel == rel;
    if (item->join_type == JOINS_RIGHT || item->join_type == JOINS_FULL)
        return false;
    return is_filtered_below(item->left, rel) ||
           (item->join_type == JOINS_INNER && is_filtered_below(item->right, rel));
}

static bool is_own_condition(const Query *query, const Expr *condition)
{
    const RelSet rels = expr_rels(condition);
    if (rels == 0 || (rels & (rels - 1)) != 0)
        return false;
    for (int rel = 1; rel <= (int)query->range_table.length; rel++) {
        if (REL_BIT(rel) != rels || query_rte(query, rel)->kind != RANGE_RELATION)
            continue;
        for (size_t i = 0; i < query->from.length; i++)
            if (is_filtered_below(query->from.items[i], rel))
                return true;
    }
    return false;
}

void collect_query_columns(Level *level, ExprVec *ret)
{
    Collect collect = {level, ret};
    const Query *query = level->query;
    size_t *lengths = ARENA_ARRAY(level->planner->arena, size_t, query->range_table.length + 1);
    /* That a join could give all columns does not mean that anybody asks for them. */
    for (size_t i = 0; i < query->range_table.length; i++) {
        lengths[i] = query->range_table.items[i]->alias_exprs.length;
        query->range_table.items[i]->alias_exprs.length = 0;
    }
    Expr *where = query->where;
    level->query->where = NULL;
    (void)query_walk_deep(level->query, 0, visit_columns, &collect);
    level->query->where = where;
    /* A table's own conditions are decided where it is read: nobody else needs their columns, but
     * UPDATE and DELETE, which look at all of them again where a row has changed. */
    ExprVec conditions = {0};
    plan_split_and(level->planner->arena, where, &conditions);
    for (size_t i = 0; i < conditions.length; i++)
        if (query->command != QUERY_SELECT || !is_own_condition(query, conditions.items[i]))
            (void)expr_walk_deep(conditions.items[i], 0, visit_columns, &collect);
    for (size_t i = 0; i < query->range_table.length; i++)
        query->range_table.items[i]->alias_exprs.length = lengths[i];
}

/* ---- projection ---- */

static Expr *compose_step(void *context, Expr *expr);

typedef struct Compose {
    Arena *arena;
    const ExprVec *targets;
} Compose;

static Expr *compose_step(void *context, Expr *expr)
{
    const Compose *compose = context;
    if (expr->kind == EXPR_SLOT)
        return compose->targets->items[EXPR_AS(ExprSlot, expr)->column];
    if (expr->kind != EXPR_SUB_PLAN)
        return expr_mutate(compose->arena, expr, compose_step, context);
    /* hash_right is over the subplan's own row: it stays as it is. */
    ExprSubPlan *copy = arena_copy(compose->arena, expr, sizeof(ExprSubPlan));
    copy->hash_right = (ExprVec){0};
    Expr *composed = expr_mutate(compose->arena, &copy->base, compose_step, context);
    TRY(composed);
    EXPR_AS(ExprSubPlan, composed)->hash_right = EXPR_AS(ExprSubPlan, expr)->hash_right;
    return composed;
}

/* Whether to compute them where they are used costs nothing. Whole rows mostly are not used at all.
 */
static bool targets_simple(const ExprVec *targets)
{
    for (size_t i = 0; i < targets->length; i++) {
        const Expr *target = targets->items[i];
        if (target->kind != EXPR_SLOT && target->kind != EXPR_CONST &&
            !(target->kind == EXPR_ROW && EXPR_AS(const ExprRow, target)->whole_of.length > 0))
            return false;
    }
    return true;
}

bool plan_project(Level *level, Plan **plan, const ExprVec *exprs)
{
    Plan *at = *plan;
    ExprVec composed = {0};
    if (!at->passes_through && at->kind != PLAN_PROJECT_SET && at->kind != PLAN_MODIFY &&
        targets_simple(&at->targets)) {
        Compose compose = {level->planner->arena, &at->targets};
        for (size_t i = 0; i < exprs->length; i++) {
            Expr *expr = compose_step(&compose, exprs->items[i]);
            TRY(expr);
            VEC_PUSH(level->planner->arena, &composed, expr);
        }
        plan_set_targets(level, at, &composed);
        return true;
    }
    ResultPlan *result = PLAN_NEW(level, ResultPlan, PLAN_RESULT);
    result->base.left = at;
    result->base.rows = at->rows;
    result->base.startup_cost = at->startup_cost;
    result->base.total_cost = at->total_cost + at->rows * 0.01;
    plan_set_targets(level, &result->base, exprs);
    *plan = &result->base;
    return true;
}
