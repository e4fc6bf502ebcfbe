#include "planner/analyze_internal.h"
#include "planner/query_walk.h"

/* ---- what an expression contains ---- */

typedef struct Find {
    int level; /* query level relative to where the walk began */
    int position;
    bool found;
} Find;

static WalkStep find_aggregate(void *context, Expr *expr, int depth)
{
    Find *find = context;
    int levels = -1;
    if (expr->kind == EXPR_AGGREGATE)
        levels = EXPR_AS(ExprAggregate, expr)->levels_up;
    else if (expr->kind == EXPR_GROUPING)
        levels = EXPR_AS(ExprGrouping, expr)->levels_up;
    if (levels < 0 || levels - depth != find->level)
        return WALK_CHILDREN;
    find->found = true;
    find->position = expr->position;
    return WALK_STOP;
}

bool expr_has_aggregate(const Expr *expr, int level)
{
    Find find = {.level = level};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_aggregate, &find);
    return find.found;
}

int expr_aggregate_position(const Expr *expr, int level)
{
    Find find = {.level = level};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_aggregate, &find);
    return find.position;
}

static WalkStep find_window(void *context, Expr *expr, int depth)
{
    Find *find = context;
    (void)depth;
    if (expr->kind == EXPR_SUB_LINK)
        return WALK_SKIP;
    if (expr->kind != EXPR_WINDOW_FUNCTION)
        return WALK_CHILDREN;
    find->found = true;
    find->position = expr->position;
    return WALK_STOP;
}

bool expr_has_window(const Expr *expr)
{
    Find find = {0};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_window, &find);
    return find.found;
}

int expr_window_position(const Expr *expr)
{
    Find find = {0};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_window, &find);
    return find.position;
}

static WalkStep find_srf(void *context, Expr *expr, int depth)
{
    Find *find = context;
    (void)depth;
    if (expr->kind == EXPR_SUB_LINK)
        return WALK_SKIP;
    if (!(expr->kind == EXPR_FUNCTION && EXPR_AS(ExprFunction, expr)->returns_set) &&
        !(expr->kind == EXPR_OPERATOR && EXPR_AS(ExprOperator, expr)->returns_set))
        return WALK_CHILDREN;
    find->found = true;
    find->position = expr->position;
    return WALK_STOP;
}

bool expr_has_srf(const Expr *expr)
{
    Find find = {0};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_srf, &find);
    return find.found;
}

int expr_srf_position(const Expr *expr)
{
    Find find = {0};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_srf, &find);
    return find.position;
}

static WalkStep find_column(void *context, Expr *expr, int depth)
{
    Find *find = context;
    if (expr->kind != EXPR_COLUMN || EXPR_AS(ExprColumn, expr)->levels_up - depth != find->level)
        return WALK_CHILDREN;
    find->found = true;
    find->position = expr->position;
    return WALK_STOP;
}

bool expr_contains_columns(const Expr *expr, int level)
{
    Find find = {.level = level};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_column, &find);
    return find.found;
}

int expr_column_position(const Expr *expr, int level)
{
    Find find = {.level = level};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, find_column, &find);
    return find.position;
}

typedef struct Raise {
    Arena *arena;
    int delta, minimum;
} Raise;

static Expr *raise_replace(void *context, Expr *expr, int depth)
{
    const Raise *raise = context;
    if (expr->kind == EXPR_COLUMN) {
        const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
        if (column->levels_up < raise->minimum + depth)
            return expr;
        ExprColumn *copy = arena_copy(raise->arena, column, sizeof(*column));
        copy->levels_up += raise->delta;
        return &copy->base;
    }
    return NULL;
}

Expr *expr_raise_levels(Arena *arena, Expr *expr, int delta, int minimum)
{
    Raise raise = {arena, delta, minimum};
    return expr_replace_deep(arena, expr, 0, raise_replace, &raise);
}

/* ---- where set-returning functions may stand ---- */

bool check_srf_call(Scope *scope, const Node *call, int position)
{
    switch (scope->place) {
    case PLACE_SELECT_TARGET:
    case PLACE_INSERT_TARGET:
    case PLACE_VALUES_SINGLE:
    case PLACE_FROM_FUNCTION:
    case PLACE_GROUP_BY:
    case PLACE_ORDER_BY:
    case PLACE_DISTINCT_ON:
    case PLACE_NONE:
    case PLACE_OTHER:
    case PLACE_WINDOW_PARTITION:
    case PLACE_WINDOW_ORDER:
    case PLACE_FILTER:
        break;
    default: {
        const Str place = place_name(scope->place);
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("set-returning functions are not allowed in %.*s", STR_ARGS(place)),
             .position = position);
    }
    }
    if (scope->place == PLACE_WINDOW_PARTITION || scope->place == PLACE_WINDOW_ORDER)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("set-returning functions are not allowed in window definitions"),
             .position = position);
    if (scope->place == PLACE_FILTER)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("set-returning functions are not allowed in FILTER"),
             .position = position);
    (void)call;
    return true;
}

/* ---- aggregates ---- */

typedef struct AggregateScan {
    int min_column, min_aggregate; /* lowest level met; -1: none */
    int aggregate_position, window_position;
    bool has_window;
} AggregateScan;

static void scan_lower(int *lowest, int level)
{
    if (level >= 0 && (*lowest < 0 || level < *lowest))
        *lowest = level;
}

static WalkStep scan_aggregate_args(void *context, Expr *expr, int depth)
{
    AggregateScan *scan = context;
    if (expr->kind == EXPR_COLUMN) {
        scan_lower(&scan->min_column, EXPR_AS(ExprColumn, expr)->levels_up - depth);
    } else if (expr->kind == EXPR_AGGREGATE) {
        const int level = EXPR_AS(ExprAggregate, expr)->levels_up - depth;
        if (level >= 0 && (scan->min_aggregate < 0 || level < scan->min_aggregate))
            scan->aggregate_position = expr->position;
        scan_lower(&scan->min_aggregate, level);
    } else if (expr->kind == EXPR_WINDOW_FUNCTION && depth == 0) {
        scan->has_window = true;
        scan->window_position = expr->position;
    }
    return WALK_CHILDREN;
}

static bool aggregate_place_ok(ExprPlace place)
{
    switch (place) {
    case PLACE_SELECT_TARGET:
    case PLACE_ORDER_BY:
    case PLACE_DISTINCT_ON:
    case PLACE_HAVING:
    case PLACE_WINDOW_PARTITION:
    case PLACE_WINDOW_ORDER:
    case PLACE_WINDOW_FRAME_RANGE:
    case PLACE_WINDOW_FRAME_ROWS:
    case PLACE_WINDOW_FRAME_GROUPS:
        return true;
    default:
        return false;
    }
}

/* GROUPING(…): which group expressions a row's grouping set leaves out. */
Expr *analyze_grouping(Scope *scope, const GroupingFunc *node)
{
    Arena *arena = scope_arena(scope);
    AggregateScan scan = {-1, -1, 0, 0, false};
    if (node->args.length > 31)
        FAIL(ERR_TOO_MANY_ARGUMENTS, .message = STR("GROUPING must have fewer than 32 arguments"),
             .position = node->node.position);
    ExprGrouping *grouping = EXPR_NEW(arena, ExprGrouping, EXPR_GROUPING);
    grouping->base.type = TYPE_INT4;
    grouping->base.position = node->node.position;
    for (size_t i = 0; i < node->args.length; i++) {
        Expr *arg = analyze_expr(scope, node->args.items[i], scope->place);
        TRY(arg);
        VEC_PUSH(arena, &grouping->args, arg);
        (void)expr_walk_deep(arg, 0, scan_aggregate_args, &scan);
    }
    grouping->levels_up = MAX(scan.min_column, 0);
    Scope *owner = scope;
    for (int i = 0; i < grouping->levels_up && owner->parent; i++)
        owner = owner->parent;
    if (!aggregate_place_ok(owner->place))
        FAIL(ERR_GROUPING_ERROR,
             .message = fmt("grouping operations are not allowed in %.*s",
                            STR_ARGS(place_name(owner->place))),
             .position = node->node.position);
    owner->query->has_aggregates = true;
    return &grouping->base;
}

/* Direct arguments are computed once per group: of its level, and from no aggregate of it. */
static bool check_direct_args(const ExprAggregate *aggregate)
{
    AggregateScan scan = {-1, -1, 0, 0, false};

    for (size_t i = 0; i < aggregate->direct_args.length; i++)
        (void)expr_walk_deep(aggregate->direct_args.items[i], 0, scan_aggregate_args, &scan);
    if (scan.has_window)
        FAIL(ERR_GROUPING_ERROR,
             .message = STR("aggregate function calls cannot contain window function calls"),
             .position = scan.window_position);
    if (scan.min_aggregate >= 0 && scan.min_aggregate <= aggregate->levels_up)
        FAIL(ERR_GROUPING_ERROR, .message = STR("aggregate function calls cannot be nested"),
             .position = scan.aggregate_position);
    if (scan.min_column >= 0 && scan.min_column < aggregate->levels_up)
        FAIL(ERR_GROUPING_ERROR,
             .message = STR("outer-level aggregate cannot contain a lower-level variable in its "
                            "direct arguments"),
             .position = expr_location(aggregate->direct_args.items[0]));
    return true;
}

/* Finds the query the aggregate belongs to and checks that its clause there allows it. */
static bool aggregate_place(Scope *scope, ExprAggregate *aggregate)
{
    AggregateScan scan = {-1, -1, 0, 0, false};
    const ExprVec *args = &aggregate->args;

    for (size_t i = 0; i < args->length; i++)
        (void)expr_walk_deep(args->items[i], 0, scan_aggregate_args, &scan);
    for (size_t i = 0; i < aggregate->order_by.length; i++)
        (void)expr_walk_deep(aggregate->order_by.items[i].expr, 0, scan_aggregate_args, &scan);
    if (aggregate->filter)
        (void)expr_walk_deep(aggregate->filter, 0, scan_aggregate_args, &scan);
    if (scan.has_window)
        FAIL(ERR_GROUPING_ERROR,
             .message = STR("aggregate function calls cannot contain window function calls"),
             .position = scan.window_position);
    for (size_t i = 0; i < args->length; i++)
        if (expr_has_srf(args->items[i]))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message =
                     STR("aggregate function calls cannot contain set-returning function calls"),
                 .hint = STR("You might be able to move the set-returning function into a LATERAL "
                             "FROM item."),
                 .position = expr_srf_position(args->items[i]));

    int level = scan.min_column;
    if (scan.min_aggregate >= 0 && (level < 0 || scan.min_aggregate < level))
        level = scan.min_aggregate;
    if (level < 0)
        level = 0;
    if (scan.min_aggregate == level)
        FAIL(ERR_GROUPING_ERROR, .message = STR("aggregate function calls cannot be nested"),
             .position = scan.aggregate_position);
    aggregate->levels_up = level;
    TRY(check_direct_args(aggregate));

    Scope *owner = scope;
    for (int i = 0; i < level && owner->parent; i++)
        owner = owner->parent;
    if (!aggregate_place_ok(owner->place)) {
        if (owner->place == PLACE_FROM_SUBSELECT)
            FAIL(ERR_GROUPING_ERROR,
                 .message = STR("aggregate functions are not allowed in FROM clause of their own "
                                "query level"),
                 .position = aggregate->base.position);
        FAIL(ERR_GROUPING_ERROR,
             .message = fmt("aggregate functions are not allowed in %.*s",
                            STR_ARGS(place_name(owner->place))),
             .position = aggregate->base.position);
    }
    owner->query->has_aggregates = true;
    return true;
}

static bool sort_key_for(Scope *scope, Expr *expr, const SortBy *by, SortKey *ret)
{
    const TargetEntry target = {.expr = expr};
    const int position = by ? node_begin(by->expr) : expr_location(expr);
    SortClause clause;
    if (!by) /* of DISTINCT */
        TRY(equality_operators(scope, expr->type, position));
    TRY(sort_clause_for(scope, &target, by ? by->direction : SORTBY_DEFAULT,
                        by ? by->nulls : SORTBY_NULLS_DEFAULT, position, &clause));
    *ret = (SortKey){.expr = expr,
                     .sort_op = clause.sort_op,
                     .equal_op = clause.equal_op,
                     .collation = expr->collation,
                     .is_descending = clause.is_descending,
                     .nulls_first = clause.nulls_first};
    return true;
}

static Expr *text_if_unknown(Scope *scope, Expr *expr)
{
    return expr->type != TYPE_UNKNOWN ? expr : coerce_implicitly(scope, expr, TYPE_TEXT);
}

/* An argument as it was written, without the casts that the function asks for. */
static const Expr *as_written(const Expr *expr)
{
    while (expr->kind == EXPR_CAST && EXPR_AS(const ExprCast, expr)->form == CALL_IMPLICIT_CAST)
        expr = EXPR_AS(const ExprCast, expr)->args.items[0];
    return expr;
}

static bool aggregate_order(Scope *scope, const FuncCall *call, ExprAggregate *aggregate)
{
    Arena *arena = scope_arena(scope);
    for (size_t i = 0; i < call->agg_order.length; i++) {
        const SortBy *by = call->agg_order.items[i];
        Expr *expr = analyze_expr(scope, by->expr, PLACE_ORDER_BY);
        SortKey key;
        TRY(expr && (expr = text_if_unknown(scope, expr)));
        /* The same expression as an argument takes the argument's converted form. */
        for (size_t a = 0; a < aggregate->args.length; a++)
            if (expr_equal(as_written(aggregate->args.items[a]), expr))
                expr = aggregate->args.items[a];
        TRY(sort_key_for(scope, expr, by, &key));
        VEC_PUSH(arena, &aggregate->order_by, key);
    }
    if (!call->agg_distinct)
        return true;
    aggregate->is_distinct = true;
    for (size_t k = 0; k < aggregate->order_by.length; k++) {
        bool is_argument = false;
        for (size_t a = 0; a < aggregate->args.length; a++)
            is_argument |= expr_equal(aggregate->order_by.items[k].expr, aggregate->args.items[a]);
        if (!is_argument)
            FAIL(ERR_INVALID_COLUMN_REFERENCE,
                 .message =
                     STR("in an aggregate with DISTINCT, ORDER BY expressions must appear in "
                         "argument list"),
                 .position = expr_location(aggregate->order_by.items[k].expr));
    }
    if (aggregate->args.length == 0)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = STR("an aggregate with DISTINCT must have at least one argument"));
    for (size_t a = 0; a < aggregate->args.length; a++) {
        SortKey key;
        TRY(sort_key_for(scope, aggregate->args.items[a], NULL, &key));
        for (size_t k = 0; k < aggregate->order_by.length; k++)
            if (expr_equal(aggregate->order_by.items[k].expr, aggregate->args.items[a]))
                key = aggregate->order_by.items[k];
        VEC_PUSH(arena, &aggregate->distinct, key);
    }
    return true;
}

/* A hypothetical row has a direct argument for each ordering column, of a common type. */
static bool unify_hypothetical(Scope *scope, Call *call, int *ret_direct_count)
{
    const FunctionDesc *function = call->function;
    ExprVec *args = &call->args;
    const size_t ordered = call->node->agg_order.length, direct = args->length - ordered;
    if (direct != ordered) {
        StrBuf types = strbuf_in(scope_arena(scope));
        for (size_t i = 0; i < args->length; i++)
            strbuf_format(&types, "%s%.*s", i > 0 ? ", " : "",
                          STR_ARGS(type_text(scope, args->items[i]->type)));
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("function %.*s(%.*s) does not exist", STR_ARGS(function->name),
                            STR_ARGS(strbuf_view(&types))),
             .hint = fmt("To use the hypothetical-set aggregate %.*s, the number of hypothetical "
                         "direct arguments (here %d) must match the number of ordering columns "
                         "(here %d).",
                         STR_ARGS(function->name), (int)direct, (int)ordered),
             .position = call_position(call));
    }
    for (size_t i = 0; i < direct; i++) {
        ExprVec pair = {0};
        VEC_PUSH(scope_arena(scope), &pair, args->items[direct + i]);
        VEC_PUSH(scope_arena(scope), &pair, args->items[i]);
        const Oid type = select_common_type(scope, &pair, STR("WITHIN GROUP"), NULL);
        TRY(type);
        TRY(args->items[i] = coerce_to_common(scope, args->items[i], type, STR("WITHIN GROUP")));
        TRY(args->items[direct + i] =
                coerce_to_common(scope, args->items[direct + i], type, STR("WITHIN GROUP")));
    }
    *ret_direct_count = (int)direct;
    return true;
}

Expr *make_aggregate(Scope *scope, Call *call)
{
    Arena *arena = scope_arena(scope);
    const FuncCall *node = call->node;
    const FunctionDesc *function = call->function;
    const ExprVec *args = &call->args;
    const int position = call_position(call);
    const AggregateDesc *desc = aggregate_find(scope_session(scope), function->oid);
    ExprAggregate *aggregate = EXPR_NEW(arena, ExprAggregate, EXPR_AGGREGATE);

    if (!desc)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("cache lookup failed for aggregate %u", function->oid));
    aggregate->base.type = call->result_type;
    aggregate->base.position = position;
    aggregate->function = function->oid;
    aggregate->filter = call->filter;
    aggregate->is_star = node->agg_star;
    aggregate->is_variadic = node->func_variadic;
    if (args->length == 0 && !node->agg_star && desc->kind == 'n')
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("%.*s(*) must be used to call a parameterless aggregate function",
                            STR_ARGS(function->name)),
             .position = position);
    if (desc->kind != 'n' && !node->agg_within_group)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("WITHIN GROUP is required for ordered-set aggregate %.*s",
                            STR_ARGS(function->name)),
             .position = position);
    if (desc->kind == 'n' && node->agg_within_group)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("%.*s is not an ordered-set aggregate, so it cannot have WITHIN GROUP",
                            STR_ARGS(function->name)),
             .position = position);
    int direct_count = desc->direct_count;
    if (desc->kind == 'h')
        TRY(unify_hypothetical(scope, call, &direct_count));

    for (size_t i = 0; i < args->length; i++) {
        if (desc->kind != 'n' && (int)i < direct_count)
            VEC_PUSH(arena, &aggregate->direct_args, args->items[i]);
        else
            VEC_PUSH(arena, &aggregate->args, args->items[i]);
    }
    TRY(combine_collations(scope, args, &aggregate->input_collation));
    aggregate->base.collation =
        expr_result_collation(scope, call->result_type, aggregate->input_collation);
    if (desc->kind != 'n') {
        aggregate->is_ordered_set = true;
        if (node->agg_order.length != aggregate->args.length)
            FAIL(ERR_UNDEFINED_FUNCTION,
                 .message = fmt("function %.*s does not exist",
                                STR_ARGS(function_signature(scope_session(scope), function))),
                 .position = position);
        for (size_t i = 0; i < aggregate->args.length; i++) {
            SortKey key;
            TRY(sort_key_for(scope, aggregate->args.items[i], node->agg_order.items[i], &key));
            VEC_PUSH(arena, &aggregate->order_by, key);
        }
    } else {
        TRY(aggregate_order(scope, node, aggregate));
    }
    TRY(aggregate_place(scope, aggregate));
    return &aggregate->base;
}

/* ---- window functions ---- */

static bool window_place_ok(ExprPlace place)
{
    return place == PLACE_SELECT_TARGET || place == PLACE_ORDER_BY || place == PLACE_DISTINCT_ON;
}

static int window_find(Scope *scope, const WindowDef *over)
{
    Arena *arena = scope_arena(scope);
    if (!str_is_none(over->name)) {
        for (size_t i = 0; i < scope->window_defs.length; i++) {
            const WindowDef *def = scope->window_defs.items[i];
            if (!str_is_none(def->name) && str_equal(def->name, over->name))
                return (int)i;
        }
        ERROR_SET(ERR_UNDEFINED_OBJECT,
                  .message = fmt("window \"%.*s\" does not exist", STR_ARGS(over->name)),
                  .position = over->node.position);
        return -1;
    }
    VEC_PUSH(arena, &scope->window_defs, (WindowDef *)(uintptr_t)over);
    return (int)scope->window_defs.length - 1;
}

/* Those have no window to run over. */
static bool check_not_ordered_set(Scope *scope, const Call *call)
{
    const FunctionDesc *function = call->function;
    const int position = call_position(call);
    const AggregateDesc *desc = aggregate_find(scope_session(scope), function->oid);
    if (!desc || desc->kind == 'n')
        return true;
    if (!call->node->agg_within_group)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("WITHIN GROUP is required for ordered-set aggregate %.*s",
                            STR_ARGS(function->name)),
             .position = position);
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message =
             fmt("OVER is not supported for ordered-set aggregate %.*s", STR_ARGS(function->name)),
         .position = position);
}

Expr *make_window_function(Scope *scope, const Call *call)
{
    const FuncCall *node = call->node;
    const FunctionDesc *function = call->function;
    const ExprVec *args = &call->args;
    const bool is_aggregate = function->kind == PROKIND_AGGREGATE;
    const int position = call_position(call);
    ExprWindowFunction *window =
        EXPR_NEW(scope_arena(scope), ExprWindowFunction, EXPR_WINDOW_FUNCTION);

    if (is_aggregate)
        TRY(check_not_ordered_set(scope, call));
    if (node->agg_distinct)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("DISTINCT is not implemented for window functions"),
             .position = position);
    if (is_aggregate && args->length == 0 && !node->agg_star)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("%.*s(*) must be used to call a parameterless aggregate function",
                            STR_ARGS(function->name)),
             .position = position);
    if (node->agg_order.length > 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("aggregate ORDER BY is not implemented for window functions"),
             .position = position);
    if (!is_aggregate && call->filter)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("FILTER is not implemented for non-aggregate window functions"),
             .position = position);
    for (size_t i = 0; i < args->length; i++) {
        if (expr_has_window(args->items[i]))
            FAIL(ERR_WINDOWING_ERROR, .message = STR("window function calls cannot be nested"),
                 .position = expr_window_position(args->items[i]));
        if (expr_has_srf(args->items[i]))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message =
                     STR("window function calls cannot contain set-returning function calls"),
                 .hint = STR("You might be able to move the set-returning function into a LATERAL "
                             "FROM item."),
                 .position = expr_srf_position(args->items[i]));
    }
    if (!window_place_ok(scope->place))
        FAIL(ERR_WINDOWING_ERROR,
             .message = fmt("window functions are not allowed in %.*s",
                            STR_ARGS(place_name(scope->place))),
             .position = position);
    window->base.type = call->result_type;
    window->base.position = position;
    window->function = function->oid;
    window->args = *args;
    window->filter = call->filter;
    window->is_aggregate = is_aggregate;
    window->is_star = node->agg_star;
    TRY(combine_collations(scope, args, &window->input_collation));
    window->base.collation =
        expr_result_collation(scope, call->result_type, window->input_collation);
    window->window = window_find(scope, node->over);
    TRY(window->window >= 0);
    scope->query->has_windows = true;
    return &window->base;
}
