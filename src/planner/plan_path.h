/*
 * Paths: ways to get the rows of FROM, weighed before any plan node is made.
 *
 *   TRY(paths_from(level, &quals, &needed, order, &paths));
 *   const Path *path = …                     paths.cheapest, paths.fast or paths.ordered
 *   TRY(paths_build(level, &paths, path, &tree));
 *
 * `cheapest` has the least total cost; `fast` the least for the part of the rows that is going to
 * be read; `ordered` gives rows in the order asked for (NULL: none does without sorting), `partial`
 * in the order of its leading keys, so that an incremental sort does the rest. A nested loop keeps
 * the order of its outer side; a hash join keeps none.
 */
#ifndef PLANNER_PLAN_PATH_H
#define PLANNER_PLAN_PATH_H

#include "planner/plan_scan.h"

typedef enum PathKind {
    PATH_TREE = 1, /* planned already: subqueries, outer joins, functions */
    PATH_SCAN,
    PATH_HASH,
    PATH_LOOP,       /* the inner side is kept and read again */
    PATH_INNER_SCAN, /* the inner side looks up the matches of each outer row */
} PathKind;

typedef struct Path {
    PathKind kind;
    Cost cost;
    double rows, width;
    int presorted; /* leading keys of the level's `order` that the rows are in */
    bool one_row;
    const Tree *leaf; /* TREE, SCAN */
    ScanRequest request;
    ScanChoice choice;
    JoinKind join;
    bool inner_unique;
    const struct Path *left, *right;
    ExprVec quals; /* the join's */
    InnerScan inner;
} Path;

typedef struct PathSet {
    const Path *cheapest, *fast, *ordered, *partial;
    double rows;
} PathSet;

typedef struct FromPaths {
    PathSet set;
    ExprVec constant; /* conditions without columns: decided once, before any row is read */
    const ExprVec *needed;
} FromPaths;

MUST_CHECK bool paths_from(Level *level, ExprVec *quals, const ExprVec *needed,
                           const SortVec *order, FromPaths *ret);
MUST_CHECK bool paths_build(Level *level, const FromPaths *paths, const Path *path, Tree *ret);
/* Of so many rows the level reads that part. */
double level_fraction(const Level *level, double rows);
/* So many of the rows are wanted when they are sorted; 0: all. */
double level_sort_limit(const Level *level);
void path_offer(Level *level, PathSet *set, const Path *path);
/* With the rows brought in the level's `order`; `limit`: so many are wanted, 0: all. */
Cost path_sorted_cost(Level *level, const Path *path, double limit);
void paths_of_tree(Level *level, const Tree *tree, FromPaths *ret);

/* plan_join_cost.c */
/* All ways to join two sets of rows; `rows`: of the result. */
typedef struct JoinRequest {
    JoinKind kind;
    const PathSet *left, *right;
    RelSet left_rels, right_rels;
    bool is_lateral; /* the right side needs columns of the left */
    ExprVec quals;
    const ExprVec *needed;
    double rows;
    bool keeps_order;
    bool inner_unique; /* at most one match for each outer row: join_offer finds out */
} JoinRequest;
MUST_CHECK bool join_offer(Level *level, const JoinRequest *request, PathSet *ret);
/* Do the conditions hold a unique index's columns to values of `outer` and constants? */
bool relation_is_unique_by(Level *level, int rel, const RelationDesc *relation,
                           const ExprVec *quals, RelSet outer);
bool join_key(Level *level, const Expr *qual, RelSet left_rels, RelSet right_rels, Expr **ret_left,
              Expr **ret_right);
/* How many rows the result has; request->rows is not looked at. */
double join_rows(Level *level, const JoinRequest *request);

#endif
