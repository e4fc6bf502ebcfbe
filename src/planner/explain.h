/*
 * EXPLAIN: a plan as text, json, xml or yaml, laid out as PostgreSQL lays it out.
 *
 *   ExplainOptions options = {.costs = true};
 *   TRY(explain_plan(arena, session, planned, &options, &lines));
 *
 * With `analyze` the executor's counts are asked for node by node through `instrument`.
 */
#ifndef PLANNER_EXPLAIN_H
#define PLANNER_EXPLAIN_H

#include "catalog/catalog.h"
#include "planner/plan.h"

typedef enum ExplainFormat {
    EXPLAIN_TEXT = 0,
    EXPLAIN_JSON,
    EXPLAIN_XML,
    EXPLAIN_YAML,
} ExplainFormat;

/* A setting that plans hang on and that is not as it is by default. */
typedef struct ExplainSetting {
    Str name, value;
} ExplainSetting;

/* What one node did, over all its executions. Times in milliseconds, of all loops together. */
typedef struct ExplainInstrument {
    double startup_ms, total_ms;
    double rows; /* produced, all loops together */
    double loops;
    double filtered_rows;              /* removed by filter */
    double condition_filtered;         /* removed by the join's condition */
    uint64_t memory_bytes, disk_bytes; /* sorts and hashes */
    uint64_t hash_buckets, hash_batches;
    uint64_t heap_fetches;
    /* Of an incremental sort: how often it sorted, the memory of all of them, and in which ways:
     * 1 top-N heapsort, 2 quicksort, 4 external merge. */
    uint64_t sorts, sort_bytes;
    unsigned sort_methods;
} ExplainInstrument;

typedef struct ExplainOptions {
    bool analyze, verbose, costs, timing, summary, settings;
    ExplainFormat format;
    VEC(ExplainSetting) changed; /* shown with `settings` */
    /* False: the node never ran. NULL: not analyzed. */
    bool (*instrument)(void *context, int node_id, ExplainInstrument *ret);
    void *context;
    double planning_ms, execution_ms;
} ExplainOptions;

/* Lines of text (each a row of "QUERY PLAN"), or the one document. */
typedef VEC(Str) ExplainLines;
MUST_CHECK bool explain_plan(Arena *arena, CatalogSession *session,
                             const PlannedStatement *statement, const ExplainOptions *options,
                             ExplainLines *ret_lines);

#endif
