/*
 * Lifting: literals of an analyzed statement become parameters, so that one plan serves all values.
 *
 *   Lifting lifting = {.positions = positions, .count = count};
 *   TRY(query_lift_literals(arena, session, query, &lifting));
 *   if (lifting.is_sound) …
 *
 * A constant of the query that stands at one of the positions becomes parameter $n, n counting
 * from 1 in the order of `lifted`; everything else about the query, types above all, is as
 * analysis made it with the literal in place.
 *
 * Only places are touched where a parameter means what the constant meant, whatever its value:
 * compared with a column in the WHERE and ON conditions of the statement itself, assigned by
 * UPDATE or INSERT. Never what GROUP BY, ORDER BY or DISTINCT may have been matched against, nor
 * what the planner folds (an error in a constant expression is raised though no row is met). A
 * literal that stays must be compared by value by whoever shares the plan.
 */
#ifndef PLANNER_LIFT_H
#define PLANNER_LIFT_H

#include "catalog/catalog.h"
#include "planner/query.h"

typedef struct LiftedLiteral {
    uint32_t literal; /* index into positions */
    Oid type;         /* what its text is read as */
} LiftedLiteral;

typedef struct Lifting {
    const int *positions; /* of the text's literals, in characters */
    uint32_t count;
    LiftedLiteral *lifted; /* in the arena given */
    uint32_t lifted_count;
    bool is_sound; /* no lifted literal has also stayed somewhere as a constant */
} Lifting;

MUST_CHECK bool query_lift_literals(Arena *arena, CatalogSession *session, Query *query,
                                    Lifting *lifting);

#endif
