#include "planner/cost.h"

#include <math.h>

#include "base/settings.h"
#include "types/array.h"

enum { PAGE_BYTES = 8192, ROW_OVERHEAD = 24 };

/* Entries are looked at one by one, the rows of a sequential scan a thousand at a time: reading a
 * large part of a table by an index takes more here than PostgreSQL's model says. */
#define ENTRY_COST 0.04

/* ---- expressions ---- */

typedef struct ExprCost {
    CatalogSession *session;
    double calls;
} ExprCost;

static double array_length(const Expr *array)
{
    ArrayView view;
    if (array->kind == EXPR_ARRAY)
        return (double)EXPR_AS(const ExprArray, array)->elements.length;
    if (array->kind != EXPR_CONST || EXPR_AS(const ExprConst, array)->is_null)
        return 10;
    if (array_open(&EXPR_AS(const ExprConst, array)->value, &view))
        return view.count;
    error_clear();
    return 10;
}

static WalkStep cost_visit(void *context, Expr *expr, int depth)
{
    ExprCost *cost = context;
    (void)depth;
    if (expr->kind == EXPR_SUB_LINK)
        return WALK_SKIP;
    double weight = 1;
    Oid function = expr_function(expr);
    if (expr->kind == EXPR_SCALAR_ARRAY) {
        function = EXPR_AS(const ExprScalarArray, expr)->function;
        weight = 0.5 * array_length(EXPR_AS(const ExprScalarArray, expr)->array);
    }
    if (expr->kind == EXPR_CAST && EXPR_AS(const ExprCast, expr)->cast == CAST_IO)
        cost->calls += 2;
    if (function) {
        const FunctionDesc *desc = function_find(cost->session, function);
        cost->calls += weight * (desc ? desc->cost : 1);
    }
    return WALK_CHILDREN;
}

double cost_of_expr(CatalogSession *session, const Expr *expr)
{
    ExprCost cost = {.session = session};
    (void)expr_walk_deep((Expr *)(uintptr_t)expr, 0, cost_visit, &cost);
    return cost.calls * settings()->cpu_operator_cost;
}

double cost_of_list(CatalogSession *session, const ExprVec *list)
{
    double cost = 0;
    for (size_t i = 0; i < list->length; i++)
        cost += cost_of_expr(session, list->items[i]);
    return cost;
}

/* ---- set-returning functions ---- */

static bool number_of(const Expr *expr, double *ret)
{
    if (expr->kind != EXPR_CONST || EXPR_AS(const ExprConst, expr)->is_null)
        return false;
    const Value *value = &EXPR_AS(const ExprConst, expr)->value;
    if (expr->type != TYPE_INT4 && expr->type != TYPE_INT8)
        return false;
    *ret = expr->type == TYPE_INT4 ? value->int32 : (double)value->int64;
    return true;
}

double rows_of_call(CatalogSession *session, const Expr *call)
{
    const FunctionDesc *desc = function_find(session, expr_function(call));
    if (!desc || !desc->returns_set)
        return 1;
    if (call->kind != EXPR_FUNCTION)
        return MAX(1, desc->rows);
    const ExprVec *args = &EXPR_AS(const ExprFunction, call)->args;
    double from, to, step = 1;
    if (str_equal(desc->name, STR("generate_series")) && args->length >= 2 &&
        number_of(args->items[0], &from) && number_of(args->items[1], &to) &&
        (args->length == 2 || number_of(args->items[2], &step)) && step != 0)
        return MAX(1, floor((to - from + step) / step));
    if (str_equal(desc->name, STR("unnest")) && args->length == 1)
        return MAX(1, array_length(args->items[0]));
    return MAX(1, desc->rows);
}

typedef struct SetRows {
    CatalogSession *session;
    double most;
} SetRows;

static WalkStep set_visit(void *context, Expr *expr, int depth)
{
    SetRows *rows = context;
    (void)depth;
    if (expr->kind == EXPR_SUB_LINK)
        return WALK_SKIP;
    if (expr->kind == EXPR_FUNCTION && EXPR_AS(const ExprFunction, expr)->returns_set)
        rows->most = MAX(rows->most, rows_of_call(rows->session, expr));
    return WALK_CHILDREN;
}

double rows_of_sets(CatalogSession *session, const ExprVec *list)
{
    SetRows rows = {session, 1};
    for (size_t i = 0; i < list->length; i++)
        (void)expr_walk_deep(list->items[i], 0, set_visit, &rows);
    return rows.most;
}

/* ---- scans ---- */

Cost cost_seq_scan(double pages, double rows, double filter_cost)
{
    const SettingValues *set = settings();
    return (Cost){0, pages * set->seq_page_cost + rows * (set->cpu_tuple_cost + filter_cost) +
                         (set->enable_seqscan ? 0 : COST_DISABLED)};
}

/* Distinct pages met by so many fetches at random, of a cache shared with the index: Mackert and
 * Lohman's approximation. */
static double pages_fetched(double fetches, double pages, double index_pages)
{
    pages = MAX(pages, 1);
    const double total = MAX(pages + index_pages, 1);
    const double cached = MAX(1, ceil(settings()->effective_cache_size * pages / total));
    const double met = 2 * pages * fetches / (2 * pages + fetches);
    if (pages <= cached)
        return met >= pages ? pages : ceil(met);
    const double limit = 2 * pages * cached / (2 * pages - cached);
    return ceil(fetches <= limit ? met : cached + (fetches - limit) * (pages - cached) / pages);
}

Cost cost_index_part(const IndexProbe *probe)
{
    const SettingValues *set = settings();
    const double runs = probe->ranges * probe->loops;
    const double entries = MAX(1, rint(probe->rows / probe->ranges));
    double pages = 1;
    if (probe->index_pages > 1 && probe->index_rows > 1)
        pages = ceil(entries * probe->index_pages / probe->index_rows);
    Cost cost = {0, pages * set->random_page_cost};
    if (runs > 1)
        cost.total = pages_fetched(pages * runs, probe->index_pages, probe->index_pages) *
                     set->random_page_cost / probe->loops;
    cost.total +=
        entries * probe->ranges *
        (set->cpu_index_tuple_cost + probe->conditions * set->cpu_operator_cost + ENTRY_COST);
    const double height = probe->index_pages <= 1 ? 0 : ceil(log(probe->index_pages) / log(280));
    double descent = (height + 1) * 50 * set->cpu_operator_cost;
    if (probe->index_rows > 1)
        descent += ceil(log2(probe->index_rows)) * set->cpu_operator_cost;
    cost.startup = descent;
    cost.total += probe->ranges * descent;
    return cost;
}

Cost cost_gathered(const IndexProbe *probe, double index_cost)
{
    const SettingValues *set = settings();
    const double rows = MAX(1, rint(probe->rows)), loops = probe->loops;
    const double table_pages = MAX(1, probe->table_pages);
    double pages = 2 * table_pages * rows / (2 * table_pages + rows);
    if (loops > 1)
        pages = pages_fetched(rows * loops, table_pages, probe->index_pages) / loops;
    pages = pages >= table_pages ? table_pages : ceil(pages);
    const double page = pages < 2
                            ? set->random_page_cost
                            : set->random_page_cost - (set->random_page_cost - set->seq_page_cost) *
                                                          sqrt(pages / table_pages);
    Cost cost = {.startup = index_cost + 0.1 * set->cpu_operator_cost * rows};
    cost.total = cost.startup + pages * page +
                 rows * (set->cpu_tuple_cost + probe->filter_cost +
                         probe->conditions * set->cpu_operator_cost);
    if (!set->enable_bitmapscan)
        cost.total += COST_DISABLED;
    return cost;
}

void cost_index_scan(const IndexProbe *probe, Cost *ret_ordered, Cost *ret_gathered)
{
    const SettingValues *set = settings();
    const Cost index = cost_index_part(probe);
    const double rows = MAX(1, rint(probe->rows)), loops = probe->loops;
    const double spanned = ceil(probe->selectivity * probe->table_pages);
    double worst, best;

    if (loops > 1) {
        worst = pages_fetched(rows * loops, probe->table_pages, probe->index_pages) *
                set->random_page_cost / loops;
        best = pages_fetched(spanned * loops, probe->table_pages, probe->index_pages) *
               set->random_page_cost / loops;
    } else {
        worst = pages_fetched(rows, probe->table_pages, probe->index_pages) * set->random_page_cost;
        best = spanned > 0 ? set->random_page_cost + (spanned - 1) * set->seq_page_cost : 0;
    }
    if (probe->is_index_only)
        worst = best = 0;
    const double squared = probe->correlation * probe->correlation;
    *ret_ordered = index;
    ret_ordered->total +=
        worst + squared * (best - worst) + rows * (set->cpu_tuple_cost + probe->filter_cost);
    if (!set->enable_indexscan)
        ret_ordered->total += COST_DISABLED;
    *ret_gathered = cost_gathered(probe, index.total);
}

/* ---- sorts and what is kept ---- */

static double bytes_of(double rows, double width)
{
    return rows * (ceil(width / 8) * 8 + ROW_OVERHEAD);
}

static double work_bytes(void)
{
    return (double)settings()->work_mem * 1024;
}

/* Startup: sorting; total: and giving the rows. */
static Cost sort_itself(double rows, double width, double limit)
{
    const SettingValues *set = settings();
    const double compare = 2 * set->cpu_operator_cost;
    rows = MAX(rows, 2);
    const double kept = limit > 0 && limit < rows ? limit : rows;
    double cost;
    if (bytes_of(kept, width) > work_bytes()) {
        const double bytes = bytes_of(rows, width);
        const double pages = ceil(bytes / PAGE_BYTES);
        const double runs = bytes / work_bytes();
        const double order = MAX(6, work_bytes() / (33 * PAGE_BYTES));
        const double passes = runs > order ? ceil(log(runs) / log(order)) : 1;
        cost = compare * rows * log2(rows) +
               2 * pages * passes * (set->seq_page_cost * 0.75 + set->random_page_cost * 0.25);
    } else if (rows > 2 * kept || bytes_of(rows, width) > work_bytes()) {
        cost = compare * rows * log2(2 * kept);
    } else {
        cost = compare * rows * log2(rows);
    }
    return (Cost){cost, cost + set->cpu_operator_cost * rows};
}

Cost cost_sort(Cost input, double rows, double width, double limit)
{
    const Cost sort = sort_itself(rows, width, limit);
    const double before = input.total + (settings()->enable_sort ? 0 : COST_DISABLED);
    return (Cost){before + sort.startup, before + sort.total};
}

/* Groups are not of one size: each is taken for half as large again as they are on average. */
Cost cost_incremental_sort(Cost input, const SortWork *work)
{
    const SettingValues *set = settings();
    const double rows = MAX(2, work->rows), groups = MIN(MAX(1, work->groups), rows);
    const double group_input = (input.total - input.startup) / groups;
    const Cost one = sort_itself(1.5 * rows / groups, work->width, work->limit);
    const double startup = input.startup + group_input + one.startup;
    const double run = one.total - one.startup + (one.total + group_input) * (groups - 1) +
                       set->cpu_tuple_cost * rows + 2 * set->cpu_tuple_cost * groups;
    return (Cost){startup, startup + run};
}

Cost cost_material(Cost input, double rows, double width)
{
    const SettingValues *set = settings();
    Cost cost = {input.startup, input.total + 2 * set->cpu_operator_cost * rows};
    if (bytes_of(rows, width) > work_bytes())
        cost.total += ceil(bytes_of(rows, width) / PAGE_BYTES) * set->seq_page_cost;
    return cost;
}

double cost_rescan_material(double rows, double width)
{
    const SettingValues *set = settings();
    double cost = set->cpu_operator_cost * rows;
    if (bytes_of(rows, width) > work_bytes())
        cost += ceil(bytes_of(rows, width) / PAGE_BYTES) * set->seq_page_cost;
    return cost;
}

double cost_hash_spill(double outer_rows, double outer_width, double inner_rows, double inner_width)
{
    const SettingValues *set = settings();
    if (bytes_of(inner_rows, inner_width) + inner_rows * 16 <=
        work_bytes() * set->hash_mem_multiplier)
        return 0;
    const double inner_pages = ceil(bytes_of(inner_rows, inner_width) / PAGE_BYTES);
    const double outer_pages = ceil(bytes_of(outer_rows, outer_width) / PAGE_BYTES);
    return set->seq_page_cost * (inner_pages + inner_pages + 2 * outer_pages);
}

static double group_spill(double rows, double width, double groups, double group_width)
{
    const SettingValues *set = settings();
    const double memory = work_bytes() * set->hash_mem_multiplier;
    const double needed = groups * (ceil(group_width / 8) * 8 + 64);
    if (needed <= memory)
        return 0;
    const double batches = MAX(needed / memory, 1);
    const double depth = ceil(log(batches) / log(MIN(256, MAX(4, batches))));
    const double pages = ceil(bytes_of(rows, width) / PAGE_BYTES) * MAX(depth, 1) * 2;
    return pages * (set->random_page_cost + set->seq_page_cost) +
           MAX(depth, 1) * rows * 2 * set->cpu_tuple_cost;
}

Cost cost_group(Cost input, const GroupWork *work, bool is_hashed)
{
    const SettingValues *set = settings();
    const double run = work->rows * (set->cpu_operator_cost * work->columns + work->call_cost);
    if (!is_hashed)
        return (Cost){input.startup, input.total + run + work->groups * set->cpu_tuple_cost};
    const double startup = input.total + run + (set->enable_hashagg ? 0 : COST_DISABLED) +
                           group_spill(work->rows, work->width, work->groups, work->width);
    return (Cost){startup, startup + work->groups * set->cpu_tuple_cost};
}
