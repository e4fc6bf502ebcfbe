/*
 * Inside explain*.c: what a plan node is called and what is said of it, the same in each format.
 */
#ifndef PLANNER_EXPLAIN_INTERNAL_H
#define PLANNER_EXPLAIN_INTERNAL_H

#include "planner/deparse.h"
#include "planner/explain.h"

typedef struct Explain {
    Arena *arena;
    CatalogSession *session;
    const PlannedStatement *statement;
    const ExplainOptions *options;
    DeparsePlan *deparse;
    ExplainLines *lines; /* text */
    uint8_t *shown_subplans;
} Explain;

typedef VEC(Str) Texts;
typedef struct Property {
    const char *label;
    Str text;
    Texts list;
    bool is_list, is_number;
} Property;
typedef VEC(Property) Properties;

/* Subplans that a node shows: those it is the first to mention. */
typedef struct SubplanRefs {
    Explain *explain;
    VEC(int) list;
} SubplanRefs;

static inline bool explain_is_incremental(const Plan *plan)
{
    return plan->kind == PLAN_SORT && ((const SortPlan *)plan)->presorted > 0;
}
/* The names of the ways in which an incremental sort sorted. */
void explain_sort_methods(Explain *e, const ExplainInstrument *actual, Texts *ret);
uint64_t explain_kilobytes(uint64_t bytes);
const char *explain_node_type(const Plan *plan);
const char *explain_join_word(JoinKind kind); /* " Left" … */
const char *explain_modify_word(const Plan *plan);
/* Beside sets with columns, which are hashed. */
bool explain_has_empty_set(const AggregatePlan *plan);
/* `actual` is NULL where the node did not run. */
void explain_node_properties(Explain *e, const Plan *plan, const ExplainInstrument *actual,
                             Properties *ret);
void explain_node_subplans(Explain *e, const Plan *plan, SubplanRefs *refs);
/* The plan as one document of the options' format: json, xml or yaml. */
Str explain_document(Explain *e);

#endif
