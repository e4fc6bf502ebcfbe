#include "planner/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "base/merge_sort.h"
#include "base/task.h"
#include "types/type.h"

/* A sampled value and which one it was, in the table's order. */
typedef struct Item {
    Value value;
    uint32_t position;
} Item;

struct StatisticsCollector {
    Arena *arena;
    Oid type;
    PhysType phys;
    int target;
    double total_rows;
    uint64_t sampled, nulls, wide;
    double width_sum;
    VEC(Item) values;
};

StatisticsCollector *statistics_new(Arena *arena, Oid type, int target, double total_rows)
{
    StatisticsCollector *collector = ARENA_NEW(arena, StatisticsCollector);
    collector->arena = arena;
    collector->type = type;
    collector->phys = type_phys(type);
    collector->target = target > 0 ? target : STATISTICS_DEFAULT_TARGET;
    collector->total_rows = total_rows;
    return collector;
}

bool statistics_add(StatisticsCollector *collector, const Vector *vector, Selection selection)
{
    FOR_SELECTED (selection, row) {
        Value value;
        bool is_null;
        vector_get(vector, row, &value, &is_null);
        collector->sampled++;
        if (is_null) {
            collector->nulls++;
            continue;
        }
        const bool is_var = collector->phys == PHYS_VAR;
        /* Short values have a header of one byte over there. */
        collector->width_sum += !is_var                  ? (double)phys_width(collector->phys)
                                : value.var.length < 127 ? value.var.length + 1
                                                         : value.var.length + 4;
        if (is_var && value.var.length > STATISTICS_MAX_VALUE_BYTES) {
            collector->wide++;
            continue;
        }
        const Item item = {value_copy(collector->arena, collector->phys, &value),
                           (uint32_t)collector->values.length};
        VEC_PUSH(collector->arena, &collector->values, item);
    }
    return true;
}

/* ---- sorted runs of equal values ---- */

typedef struct Run {
    size_t first, count;
} Run;

typedef VEC(Run) RunVec;

static int item_compare(const void *a, const void *b, const void *context)
{
    const Item *x = a, *y = b;
    return type_compare(((const StatisticsCollector *)context)->type, &x->value, &y->value);
}

/* Equal values stay in the table's order. */
static bool sort_values(const StatisticsCollector *collector, Item *values, Item *scratch,
                        size_t count)
{
    const MergeSort by_value = {
        .size = sizeof(Item), .compare = item_compare, .context = collector};
    return merge_sort(&by_value, values, scratch, count);
}

/* Of the values' order and their places in the table. */
static float correlation(const StatisticsCollector *collector)
{
    const double n = (double)collector->values.length;
    const double sum = (n - 1) * n / 2, squares = (n - 1) * n * (2 * n - 1) / 6;
    double products = 0;
    for (size_t i = 0; i < collector->values.length; i++)
        products += (double)i * collector->values.items[i].position;
    return (float)((n * products - sum * sum) / (n * squares - sum * sum));
}

static bool find_runs(const StatisticsCollector *collector, RunVec *ret)
{
    const Item *values = collector->values.items;
    for (size_t i = 0; i < collector->values.length;) {
        CHECK_INTERRUPTS();
        size_t end = i + 1;
        while (end < collector->values.length &&
               type_compare(collector->type, &values[i].value, &values[end].value) == 0)
            end++;
        const Run run = {i, end - i};
        VEC_PUSH(collector->arena, ret, run);
        i = end;
    }
    return true;
}

/* Duj1: n*d / (n - f1 + f1*n/N), clamped; negative where it grows with the table. */
static float distinct_estimate(const StatisticsCollector *collector, const RunVec *runs)
{
    const double n = (double)(collector->values.length + collector->wide);
    const double total = MAX(collector->total_rows, n);
    const double non_null =
        collector->sampled ? total * (1 - (double)collector->nulls / (double)collector->sampled)
                           : 0;
    double once = (double)collector->wide, d = (double)runs->length + (double)collector->wide;
    for (size_t i = 0; i < runs->length; i++)
        once += runs->items[i].count == 1;
    if (n == 0)
        return 0;
    if (once == n) /* all different: so is the whole column */
        return -1.0f * (float)(1 - (double)collector->nulls / (double)collector->sampled);
    double estimate = d;
    if (once > 0 && n < non_null)
        estimate = n * d / (n - once + once * n / non_null);
    estimate = MIN(MAX(estimate, d), non_null);
    estimate = floor(estimate + 0.5);
    return estimate > 0.1 * total ? (float)(-estimate / total) : (float)estimate;
}

/* The most common ones first; those met alike stay in their order. */
static int run_compare(const void *a, const void *b, const void *context)
{
    const size_t x = ((const Run *)a)->count, y = ((const Run *)b)->count;
    (void)context;
    return (x < y) - (x > y);
}

static int run_by_first(const void *first, const void *run)
{
    const size_t a = *(const size_t *)first, b = ((const Run *)run)->first;
    return a < b ? -1 : a > b;
}

/*
 * How many of the most common values are worth keeping: those met clearly more often than the
 * average of the others would be, by two standard deviations of the hypergeometric distribution.
 */
static size_t common_count(const StatisticsCollector *collector, const Run *by_count, size_t count,
                           double distinct, double null_fraction)
{
    const double n = (double)collector->sampled, total = collector->total_rows;
    if (n >= total || total <= 1)
        return count;
    double before = 0;
    for (size_t i = 0; i + 1 < count; i++)
        before += (double)by_count[i].count;
    while (count > 0) {
        const double others = distinct - (double)(count - 1);
        double expected = MIN(1, MAX(0, 1 - before / n - null_fraction));
        if (others > 1)
            expected /= others;
        const double own = (double)by_count[count - 1].count;
        const double in_table = total * own / n;
        const double variance =
            n * in_table * (total - in_table) * (total - n) / (total * total * (total - 1));
        if (own > expected * n + 2 * sqrt(variance) + 0.5)
            break;
        count--;
        if (count > 0)
            before -= (double)by_count[count - 1].count;
    }
    return count;
}

/* The most common values; all, when there are few enough and each was met again. */
static bool fill_common(const StatisticsCollector *collector, RunVec *runs, ColumnStatistics *ret)
{
    Arena *arena = collector->arena;
    const double n = (double)collector->sampled;
    Run *by_count = ARENA_ARRAY(arena, Run, runs->length + 1);
    size_t again = 0;
    for (size_t r = 0; r < runs->length; r++)
        if (runs->items[r].count > 1)
            by_count[again++] = runs->items[r];
    const MergeSort common_first = {.size = sizeof(Run), .compare = run_compare};
    TRY(merge_sort(&common_first, by_count, ARENA_ARRAY(arena, Run, again / 2 + 1), again));
    size_t keep = MIN(again, (size_t)collector->target);
    const bool all =
        again == runs->length && !collector->wide && ret->distinct > 0 && keep == again;
    if (!all && keep > 0) {
        const double distinct =
            ret->distinct < 0 ? -(double)ret->distinct * collector->total_rows : ret->distinct;
        keep = common_count(collector, by_count, keep, distinct, ret->null_fraction);
    }
    if (keep == 0)
        return true;
    Value *values = ARENA_ARRAY(arena, Value, keep);
    float *fractions = ARENA_ARRAY(arena, float, keep);
    for (size_t i = 0; i < keep; i++) {
        values[i] = collector->values.items[by_count[i].first].value;
        fractions[i] = (float)((double)by_count[i].count / n);
        Run *run =
            bsearch(&by_count[i].first, runs->items, runs->length, sizeof(Run), run_by_first);
        run->count = 0; /* not in the histogram */
    }
    ret->common_count = (uint32_t)keep;
    ret->common_values = values;
    ret->common_fractions = fractions;
    return true;
}

static void fill_histogram(StatisticsCollector *collector, const RunVec *runs,
                           ColumnStatistics *ret)
{
    Arena *arena = collector->arena;
    VEC(size_t) rest = {0};
    size_t distinct = 0;
    for (size_t r = 0; r < runs->length; r++) {
        distinct += runs->items[r].count > 0;
        for (size_t i = 0; i < runs->items[r].count; i++)
            VEC_PUSH(arena, &rest, runs->items[r].first);
    }
    const size_t bins = MIN(distinct, (size_t)collector->target + 1);
    if (bins < 2)
        return;
    Value *bounds = ARENA_ARRAY(arena, Value, bins);
    for (size_t i = 0; i < bins; i++)
        bounds[i] = collector->values.items[rest.items[i * (rest.length - 1) / (bins - 1)]].value;
    ret->histogram_count = (uint32_t)bins;
    ret->histogram = bounds;
}

bool statistics_finish(StatisticsCollector *collector, int attnum, ColumnStatistics *ret)
{
    const BuiltinType *type = builtin_type(collector->type);
    const uint64_t present = collector->sampled - collector->nulls;
    *ret = (ColumnStatistics){.attnum = (int16_t)attnum};
    if (collector->sampled == 0)
        return true;
    ret->null_fraction = (float)((double)collector->nulls / (double)collector->sampled);
    ret->average_width = present ? (int32_t)(collector->width_sum / (double)present) : 0;
    if (!type || !type->compare || present == 0)
        return true;
    Item *scratch = ARENA_ARRAY(collector->arena, Item, collector->values.length / 2 + 1);
    TRY(sort_values(collector, collector->values.items, scratch, collector->values.length));
    if (collector->values.length > 1) {
        ret->has_correlation = true;
        ret->correlation = correlation(collector);
    }
    RunVec runs = {0};
    TRY(find_runs(collector, &runs));
    ret->distinct = distinct_estimate(collector, &runs);
    TRY(fill_common(collector, &runs, ret));
    fill_histogram(collector, &runs, ret);
    return true;
}
