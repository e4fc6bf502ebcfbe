/*
 * Statistics: what ANALYZE collects about a column, and how it is collected.
 *
 *   StatisticsCollector *collector = statistics_new(arena, type, target, total_rows);
 *   statistics_add(collector, vector, selection);      for each sampled batch
 *   TRY(statistics_finish(collector, &statistics));    catalog/relation.h's ColumnStatistics
 *
 * The sample is the caller's choice (all rows of small tables, else 300 * target rows taken by row
 * id). The method is PostgreSQL's: most common values, an equi-depth histogram of the rest, the
 * number of distinct values by Haas and Stokes' Duj1 estimator.
 */
#ifndef PLANNER_STATISTICS_H
#define PLANNER_STATISTICS_H

#include "base/vector.h"
#include "catalog/relation.h"

typedef struct StatisticsCollector StatisticsCollector;

#define STATISTICS_DEFAULT_TARGET 100
#define STATISTICS_MAX_VALUE_BYTES 1024 /* wider values count as distinct and are not kept */

StatisticsCollector *statistics_new(Arena *arena, Oid type, int target, double total_rows);
MUST_CHECK bool statistics_add(StatisticsCollector *collector, const Vector *vector,
                               Selection selection);
MUST_CHECK bool statistics_finish(StatisticsCollector *collector, int attnum,
                                  ColumnStatistics *ret);

#endif
