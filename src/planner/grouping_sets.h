/*
 * Grouping sets: GROUP BY's tree of ROLLUP, CUBE and GROUPING SETS, and the plain list of sets
 * that it stands for.
 *
 *   GroupingSetList sets = {0};
 *   TRY(grouping_sets_expand(arena, query, &sets));       each a list of sort_group_refs
 */
#ifndef PLANNER_GROUPING_SETS_H
#define PLANNER_GROUPING_SETS_H

#include "planner/query.h"

#define GROUPING_SETS_MAXIMUM 4096

typedef struct GroupingRefs {
    VEC(int) refs; /* no ref twice */
} GroupingRefs;

typedef VEC(GroupingRefs) GroupingSetList;

/* Fails with 54001 when there are more than GROUPING_SETS_MAXIMUM. */
MUST_CHECK bool grouping_sets_expand(Arena *arena, const Query *query, GroupingSetList *ret);
bool grouping_refs_include(const GroupingRefs *set, int ref);

#endif
