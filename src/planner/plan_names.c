/* What EXPLAIN calls the sources of a plan: no two range table entries have one name. */
#include <stdlib.h>

#include "planner/deparse_internal.h"

typedef struct Source {
    Str alias;
    int number; /* Plan.source: the order in which names are given */
    int plan_id;
} Source;

typedef VEC(Source) Sources;

Str plan_alias(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_SEQ_SCAN:
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN:
    case PLAN_ROW_ID_SCAN:
        return ((const ScanPlan *)plan)->alias;
    case PLAN_VALUES_SCAN:
        return ((const ValuesScanPlan *)plan)->alias;
    case PLAN_FUNCTION_SCAN:
        return ((const FunctionScanPlan *)plan)->alias;
    case PLAN_SUBQUERY_SCAN:
        return ((const SubqueryScanPlan *)plan)->alias;
    case PLAN_CTE_SCAN:
        return ((const CteScanPlan *)plan)->alias;
    case PLAN_WORK_TABLE_SCAN:
        return ((const WorkTableScanPlan *)plan)->alias;
    case PLAN_MODIFY:
        return ((const ModifyPlan *)plan)->alias;
    default:
        return STR_NONE;
    }
}

static void collect(Arena *arena, const Plan *top, Sources *ret)
{
    VEC(const Plan *) waiting = {0};
    VEC_PUSH(arena, &waiting, top);
    while (waiting.length > 0) {
        const Plan *plan = waiting.items[--waiting.length];
        if (!plan)
            continue;
        const Source source = {plan_alias(plan), plan->source, plan->id};
        if (!str_is_none(source.alias))
            VEC_PUSH(arena, ret, source);
        if (plan->kind == PLAN_APPEND)
            for (size_t i = 0; i < ((const AppendPlan *)plan)->children.length; i++)
                VEC_PUSH(arena, &waiting, ((const AppendPlan *)plan)->children.items[i]);
        VEC_PUSH(arena, &waiting, plan->left);
        VEC_PUSH(arena, &waiting, plan->right);
    }
}

static int by_alias_and_number(const void *a, const void *b)
{
    const Source *x = a, *y = b;
    const int order = str_compare(x->alias, y->alias);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static int by_alias(const void *a, const void *b)
{
    return str_compare(((const Source *)a)->alias, ((const Source *)b)->alias);
}

const Str *plan_names(Arena *arena, const PlannedStatement *statement)
{
    Str *names = ARENA_ARRAY(arena, Str, (size_t)statement->node_count + 1);
    Sources all = {0};
    int next = 1;

    collect(arena, statement->plan, &all);
    for (size_t i = 0; i < statement->subplans.length; i++)
        collect(arena, statement->subplans.items[i].plan, &all);
    if (all.length > 0)
        qsort(all.items, all.length, sizeof(Source), by_alias_and_number);
    for (size_t i = 0; i < all.length; i++) {
        const Source *source = &all.items[i], *before = i > 0 ? source - 1 : NULL;
        Source made = *source;
        if (!before || !str_equal(before->alias, source->alias)) {
            next = 1;
        } else if (before->number == source->number) {
            made.alias = names[before->plan_id];
        } else {
            do {
                made.alias =
                    str_format(arena, "%.*s_%d", (int)MIN(source->alias.length, NAME_MAX_BYTES - 4),
                               source->alias.data, next++);
            } while (bsearch(&made, all.items, all.length, sizeof(Source), by_alias));
        }
        names[source->plan_id] = made.alias;
    }
    return names;
}
