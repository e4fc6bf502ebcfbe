#include "base/settings.h"
#include "planner/plan_query.h"

/*
 * Window functions: windows whose keys begin alike are computed one after the other, the longest
 * list of keys first, so that rows are sorted as seldom as possible.
 */

/* ---- order ---- */

static bool has_ref(const SortVec *list, int ref)
{
    for (size_t i = 0; i < list->length; i++)
        if (list->items[i].ref == ref)
            return true;
    return false;
}

/* What brings a window's rows in order: its partitions, then ORDER BY. */
static void window_keys(Level *level, const WindowClause *window, SortVec *ret)
{
    const SortVec *lists[2] = {&window->partition_by, &window->order_by};
    for (int l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->length; i++)
            if (!has_ref(ret, lists[l]->items[i].ref))
                VEC_PUSH(level->planner->arena, ret, lists[l]->items[i]);
}

typedef struct ActiveWindow {
    size_t index; /* in query->windows */
    SortVec keys;
} ActiveWindow;

typedef VEC(ActiveWindow) ActiveWindowVec;

/* Below 0: a's rows are computed before b's. */
static int window_compare(const SortVec *a, const SortVec *b)
{
    for (size_t i = 0; i < a->length && i < b->length; i++) {
        const SortClause *x = &a->items[i], *y = &b->items[i];
        if (x->ref != y->ref)
            return x->ref > y->ref ? -1 : 1;
        if (x->sort_op != y->sort_op)
            return x->sort_op > y->sort_op ? -1 : 1;
        if (x->nulls_first != y->nulls_first)
            return x->nulls_first ? -1 : 1;
    }
    return (a->length < b->length) - (a->length > b->length);
}

/* The windows that functions use, in the order in which they are computed. */
static bool active_windows(Level *level, ExprVec *ret_functions, ActiveWindowVec *ret)
{
    const Query *query = level->query;
    TRY(plan_gather(level, EXPR_WINDOW_FUNCTION, ret_functions));
    for (size_t w = 0; w < query->windows.length; w++) {
        ActiveWindow window = {.index = w};
        bool is_used = false;
        for (size_t i = 0; i < ret_functions->length; i++)
            is_used |= (size_t)EXPR_AS(ExprWindowFunction, ret_functions->items[i])->window == w;
        if (!is_used)
            continue;
        window_keys(level, query->windows.items[w], &window.keys);
        VEC_PUSH(level->planner->arena, ret, window);
        size_t at = ret->length - 1;
        for (; at > 0 && window_compare(&window.keys, &ret->items[at - 1].keys) < 0; at--)
            ret->items[at] = ret->items[at - 1];
        ret->items[at] = window;
    }
    return true;
}

void plan_window_order(Level *level, SortVec *ret)
{
    ExprVec functions = {0};
    ActiveWindowVec windows = {0};
    if (active_windows(level, &functions, &windows) && windows.length > 0)
        *ret = windows.items[0].keys;
}

static bool begins_with(const SortVec *order, const SortVec *wanted)
{
    bool begins = wanted->length <= order->length;
    for (size_t i = 0; begins && i < wanted->length; i++) {
        const SortClause *a = &order->items[i], *b = &wanted->items[i];
        begins = a->ref == b->ref && a->is_descending == b->is_descending &&
                 a->nulls_first == b->nulls_first;
    }
    return begins;
}

bool plan_windows_end_sorted(Level *level)
{
    ExprVec functions = {0};
    ActiveWindowVec windows = {0};
    SortVec order = {0};
    bool is_sorted_once = true;
    if (!active_windows(level, &functions, &windows))
        return false;
    for (size_t i = 0; i < windows.length; i++) {
        if (begins_with(&order, &windows.items[i].keys))
            continue;
        is_sorted_once &= order.length == 0;
        order = windows.items[i].keys;
    }
    return is_sorted_once && begins_with(&order, &level->query->order_by);
}

/* ---- plans ---- */

static bool same_window(const WindowClause *a, const WindowClause *b)
{
    if (a->partition_by.length != b->partition_by.length ||
        a->order_by.length != b->order_by.length || a->frame_options != b->frame_options ||
        !expr_equal(a->start_offset, b->start_offset) || !expr_equal(a->end_offset, b->end_offset))
        return false;
    for (size_t i = 0; i < a->partition_by.length; i++)
        if (a->partition_by.items[i].ref != b->partition_by.items[i].ref)
            return false;
    for (size_t i = 0; i < a->order_by.length; i++)
        if (a->order_by.items[i].ref != b->order_by.items[i].ref ||
            a->order_by.items[i].is_descending != b->order_by.items[i].is_descending ||
            a->order_by.items[i].nulls_first != b->order_by.items[i].nulls_first)
            return false;
    return true;
}

static Cost window_cost(Level *level, const WindowPlan *plan)
{
    const SettingValues *set = settings();
    const Plan *child = plan->base.left;
    double per_row =
        set->cpu_tuple_cost +
        set->cpu_operator_cost * (double)(plan->partition_by.length + plan->order_by.length);
    for (size_t i = 0; i < plan->calls.length; i++) {
        const WindowCall *call = &plan->calls.items[i];
        const FunctionDesc *function = function_find(level->planner->session, call->function);
        per_row += (function ? function->cost : 1) * set->cpu_operator_cost +
                   cost_of_expr(level->planner->session, call->source);
    }
    return (Cost){child->startup_cost, child->total_cost + child->rows * per_row};
}

/* For EXPLAIN: as it was written, but over the child's row. */
static Expr *window_call_shown(Arena *arena, const ExprWindowFunction *source,
                               const WindowCall *call)
{
    ExprWindowFunction *shown = arena_copy(arena, source, sizeof(*source));

    shown->args = call->args;
    shown->filter = call->filter;
    return &shown->base;
}

static bool plan_one_window(Level *level, const ActiveWindow *active, const ExprVec *functions,
                            bool *done, Tree *tree)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    const WindowClause *window = query->windows.items[active->index];
    WindowPlan *plan = PLAN_NEW(level, WindowPlan, PLAN_WINDOW);
    ExprVec out = {0}, targets = {0};
    SortKeyVec keys = {0}, partition = {0};

    for (size_t i = 0; i < tree->out.length; i++)
        VEC_PUSH(arena, &out, tree->out.items[i]);
    TRY(plan_sort_keys(level, &window->partition_by, &tree->out, &partition));
    for (size_t i = 0; i < partition.length; i++)
        VEC_PUSH(arena, &plan->partition_by, partition.items[i].expr);
    TRY(plan_sort_keys(level, &window->order_by, &tree->out, &plan->order_by));
    TRY(plan_sort_keys(level, &active->keys, &tree->out, &keys));
    for (size_t i = 0; i < functions->length; i++) {
        const ExprWindowFunction *source = EXPR_AS(const ExprWindowFunction, functions->items[i]);
        if (done[i] || !same_window(query->windows.items[source->window], window))
            continue;
        WindowCall call = {.function = source->function,
                           .result_type = source->base.type,
                           .result_typmod = source->base.typmod,
                           .input_collation = source->input_collation,
                           .collation = source->base.collation,
                           .is_aggregate = source->is_aggregate,
                           .is_star = source->is_star};
        TRY(plan_fix_list(level, &source->args, &tree->out, NULL, &call.args));
        if (source->filter)
            TRY(call.filter = plan_fix(level, source->filter, &tree->out, NULL));
        call.source = window_call_shown(arena, source, &call);
        VEC_PUSH(arena, &plan->calls, call);
        VEC_PUSH(arena, &out, functions->items[i]);
        done[i] = true;
    }
    if (window->start_offset)
        TRY(plan->start_offset = plan_fix(level, window->start_offset, NULL, NULL));
    if (window->end_offset)
        TRY(plan->end_offset = plan_fix(level, window->end_offset, NULL, NULL));
    plan->frame_options = window->frame_options;
    plan->start_in_range = window->start_in_range;
    plan->end_in_range = window->end_in_range;
    const Presorted sorted = plan_presorted(level, tree, &active->keys);
    Plan *child = plan_add_sort(level, tree->plan, &keys, sorted, 0);
    if (child != tree->plan)
        tree->order = active->keys;
    plan->base.left = child;
    plan->base.rows = child->rows;
    plan_set_cost(&plan->base, window_cost(level, plan));
    TRY(plan_fix_list(level, &out, &out, NULL, &targets));
    plan_set_targets(level, &plan->base, &targets);
    tree->plan = &plan->base;
    tree->out = out;
    return true;
}

bool plan_windows(Level *level, Tree *tree)
{
    ExprVec functions = {0};
    ActiveWindowVec windows = {0};
    Arena *arena = level->planner->arena;
    TRY(active_windows(level, &functions, &windows));
    bool *done = ARENA_ARRAY(arena, bool, functions.length + 1);
    /* What targets sort by must be there before a window sorts by it. */
    ExprVec extra = {0};
    for (size_t i = 0; i < level->query->targets.length; i++) {
        Expr *expr = level->query->targets.items[i].expr;
        ExprVec inside = {0};
        plan_gather_in(level, expr, EXPR_WINDOW_FUNCTION, &inside);
        if (inside.length == 0 && level->query->targets.items[i].sort_group_ref)
            VEC_PUSH(arena, &extra, expr);
    }
    if (extra.length > 0) {
        ExprVec out = {0}, targets = {0};
        for (size_t i = 0; i < tree->out.length; i++)
            VEC_PUSH(arena, &out, tree->out.items[i]);
        for (size_t i = 0; i < extra.length; i++) {
            bool known = false;
            for (size_t k = 0; k < out.length; k++)
                known |= expr_equal(out.items[k], extra.items[i]);
            if (!known)
                VEC_PUSH(arena, &out, extra.items[i]);
        }
        TRY(plan_fix_list(level, &out, &tree->out, NULL, &targets));
        TRY(plan_project(level, &tree->plan, &targets));
        tree->out = out;
    }
    for (size_t i = 0; i < windows.length; i++)
        TRY(plan_one_window(level, &windows.items[i], &functions, done, tree));
    return true;
}
