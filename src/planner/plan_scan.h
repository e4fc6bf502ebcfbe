/*
 * Scans of tables: what is asked for, what it would cost by each way, and the way chosen.
 *
 *   ScanRequest request = {.rel = rel, .quals = &quals, .needed = &needed, .fraction = 1};
 *   TRY(scan_choose(level, &request, &choice));        choice.is_known: there is a way
 *   TRY(scan_build(level, &request, &choice, &tree));
 *
 * Choosing makes no plan nodes: a join looks at many scans and builds one.
 */
#ifndef PLANNER_PLAN_SCAN_H
#define PLANNER_PLAN_SCAN_H

#include "planner/cost.h"
#include "planner/plan_internal.h"

/* What an index answers of a list of conditions. */
typedef struct IndexMatch {
    VEC(IndexKey) keys; /* values still analyzed expressions */
    ExprVec exact;      /* conditions that the keys answer wholly */
    ExprVec used;       /* those and what only narrows the range */
    bool is_unique;     /* at most one row */
    int equal_columns;
} IndexMatch;

typedef struct ScanRequest {
    int rel;
    const ExprVec *quals;
    RelSet outer; /* relations whose columns are given: the inner side of a join */
    double loops; /* how often */
    const ExprVec *needed;
    const SortVec *order; /* NULL: any */
    int needs_presorted;  /* leading keys of the order that the rows have to come in */
    double fraction;      /* of the rows that is going to be read */
    /* NULL: rows. Otherwise one side of an OR, of whose conditions the index has to answer some:
     * ids of rows, some of which need not meet all of the conditions. */
    const ExprVec *arm;
} ScanRequest;

/* The sides of an OR, each by an index: rows that any of them finds are looked at once. */
typedef struct ScanArms {
    Expr *qual;
    struct ScanChoice *items;
    size_t count;
} ScanArms;

typedef struct ScanChoice {
    bool is_known;
    const IndexDesc *index; /* NULL: sequential, or by arms */
    const ScanArms *arms;   /* NULL: none */
    IndexMatch match;
    ExprVec quals; /* to be checked: a partial index answers some by being there */
    int direction; /* 1 forward, -1 backward: in the order asked for, or a part of it; 0: any */
    int presorted; /* leading keys of that order which the rows are in */
    bool is_only, is_gathered;
    Cost cost;
    double rows;
} ScanChoice;

/* The inner side of a nested loop that looks up each outer row's matches. */
typedef struct InnerScan {
    bool is_found;
    ScanRequest request;
    ScanChoice choice;
    ExprVec used; /* join conditions that the scan answers */
} InnerScan;

MUST_CHECK bool scan_choose(Level *level, const ScanRequest *request, ScanChoice *ret);
/* Whether a condition names the places of the rows: WHERE ctid = …, WHERE CURRENT OF. */
bool scan_is_by_row_id(Level *level, int rel, const ExprVec *quals);
MUST_CHECK bool scan_build(Level *level, const ScanRequest *request, const ScanChoice *choice,
                           Tree *ret);
/* `wanted` has the join's conditions, the relations given and how often, and what is needed. */
MUST_CHECK bool plan_index_inner(Level *level, const Tree *inner, const ScanRequest *wanted,
                                 InnerScan *ret);
double cost_at(Cost cost, double fraction);

/* plan_index.c */
/* What the index answers of the request's conditions. */
void index_match(Level *level, const ScanRequest *request, const IndexDesc *index, IndexMatch *ret);
/* 1: the index gives so many leading keys of the wanted order forward, -1: backward, 0: none. */
int index_direction(Level *level, const ScanRequest *request, const IndexDesc *index,
                    const IndexMatch *match, int *ret_presorted);
/* A partial index's condition, in terms of entry `rel`; NULL where it cannot be read. */
Expr *index_predicate(Level *level, int rel, const RelationDesc *relation, const IndexDesc *index);
/* The expression an index column holds, in terms of entry `rel`; NULL for a plain column. */
Expr *index_expression(Level *level, int rel, const IndexDesc *index, int column);

#endif
