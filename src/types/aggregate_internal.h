/*
 * What the files of aggregates share: the frames of their functions.
 *
 *   UPDATE(sum_update) { FOR_INPUT(Sum, state->sum += values[at];); return true; }
 *   AGGREGATE(sum_int4) = {sizeof(Sum), sum_update, sum_combine, sum_final};
 */
#ifndef TYPES_AGGREGATE_INTERNAL_H
#define TYPES_AGGREGATE_INTERNAL_H

#include "types/types_internal.h"

/* Runs `body` for each row whose first argument is not null: `state`, `row`, `at`. */
#define FOR_INPUT(state_type, ...)                                                                 \
    do {                                                                                           \
        const Vector *input = args[0];                                                             \
        uint32_t nth = 0;                                                                          \
        FOR_SELECTED (selection, row) {                                                            \
            const uint32_t at = vector_index(input, row);                                          \
            state_type *state = aggregate_state(target, nth++);                                    \
            if (input->has_nulls && input->nulls[at])                                              \
                continue;                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

#define UPDATE(name)                                                                               \
    static bool name(FunctionCall *call, const Vector *const *args, Selection selection,           \
                     AggregateTarget target)
#define COMBINE(name) static bool name(FunctionCall *call, void *into, const void *from)
#define FINAL(name)                                                                                \
    static bool name(FunctionCall *call, const void *from, Value *ret, bool *ret_null)

#endif
