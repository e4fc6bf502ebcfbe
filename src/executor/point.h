/*
 * Point queries: SELECT columns FROM table WHERE unique key = values, without plan nodes.
 *
 * A state whose whole plan is one look-up by a unique index, with no filter left and no expression
 * but parameters and constants among the keys and plain columns in the result, has a PointQuery
 * beside its tree. executor_run then goes from the values to the row and from the row to the sink,
 * allocating nothing and filling no batch. Whoever wants more than that (EXPLAIN ANALYZE, a row
 * limit, a scrollable cursor) pulls the tree as ever: both give the same.
 */
#ifndef EXECUTOR_POINT_H
#define EXECUTOR_POINT_H

#include "executor/node.h"

typedef struct PointQuery PointQuery;

/* NULL (no error set): the statement is not one. The tree has been made. */
PointQuery *point_query_new(ExecState *exec);
/* *ret_count rows (0 or 1) into the sink, which may be NULL. */
MUST_CHECK bool point_query_run(PointQuery *point, RowSink *sink, uint64_t *ret_count);

#endif
