/*
 * Ordered-set and hypothetical-set aggregates: percentile_cont, percentile_disc, mode; rank,
 * dense_rank, percent_rank, cume_dist WITHIN GROUP.
 *
 * The Aggregate node sorts the arguments of all groups and streams them, group by group, through
 * these functions; the number of rows of a group is known before its first row comes, so that
 * nothing but a few values is kept per group.
 *
 *   ordered_set_count(set, state, is_null)            once a row, in any order; false: not counted
 *   TRY(ordered_set_begin(set, state, …direct))       before the first row and before the result
 *   TRY(ordered_set_row(set, state, key, value))      in order
 *   TRY(ordered_set_final(set, state, &value, &is_null));
 */
#ifndef EXECUTOR_ORDERED_SET_H
#define EXECUTOR_ORDERED_SET_H

#include "executor/sort_key.h"

typedef enum OrderedSetKind {
    ORDERED_SET_NONE = 0,
    ORDERED_SET_PERCENTILE_DISC,
    ORDERED_SET_PERCENTILE_CONT,
    ORDERED_SET_MODE,
    ORDERED_SET_RANK, /* this one and those below are hypothetical */
    ORDERED_SET_PERCENT_RANK,
    ORDERED_SET_CUME_DIST,
    ORDERED_SET_DENSE_RANK,
} OrderedSetKind;

typedef struct OrderedSet {
    OrderedSetKind kind;
    bool is_array; /* several fractions at once */
    Oid type;      /* of the (first) argument */
    FunctionCall *call;
    const SortKeys *order;
} OrderedSet;

typedef struct OrderedSetState OrderedSetState;

/* ORDERED_SET_NONE in `kind` when the function is none of these. */
OrderedSet *ordered_set_new(Arena *arena, FunctionCall *call, Oid type, const SortKeys *order);
bool ordered_set_count(const OrderedSet *set, OrderedSetState *state, bool is_null);
bool ordered_set_has_begun(const OrderedSetState *state);
MUST_CHECK bool ordered_set_begin(const OrderedSet *set, OrderedSetState *state,
                                  const Value *direct, const bool *direct_nulls);
MUST_CHECK bool ordered_set_row(const OrderedSet *set, OrderedSetState *state, Str key,
                                const Value *value);
MUST_CHECK bool ordered_set_final(const OrderedSet *set, const OrderedSetState *state, Value *ret,
                                  bool *ret_null);

#endif
