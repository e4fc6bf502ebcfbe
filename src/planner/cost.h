/*
 * Costs: what reading, sorting and joining take, in PostgreSQL's units and by its model, so that
 * plans are chosen as they are there: a page read in order is 1, a page elsewhere 4
 * (random_page_cost), a row 0.01, an operator 0.0025. The settings count.
 *
 * Costs are startup (before the first row) and total. What enable_… switches off costs
 * COST_DISABLED more: it is taken when there is no other way.
 */
#ifndef PLANNER_COST_H
#define PLANNER_COST_H

#include "planner/plan_internal.h"

#define COST_DISABLED 1e10

typedef struct Cost {
    double startup, total;
} Cost;

/* Per row, of an expression's functions and operators; subqueries are not counted. */
double cost_of_expr(CatalogSession *session, const Expr *expr);
double cost_of_list(CatalogSession *session, const ExprVec *list);

/* How many rows a function gives, once; the most that set-returning ones in the list give. */
double rows_of_call(CatalogSession *session, const Expr *call);
double rows_of_sets(CatalogSession *session, const ExprVec *list);

Cost cost_seq_scan(double pages, double rows, double filter_cost);

typedef struct IndexProbe {
    double table_rows, table_pages;
    double index_rows, index_pages;
    double selectivity; /* of the index conditions */
    double rows;        /* that they find */
    double ranges;      /* IN lists: their lengths' product */
    double loops;       /* times that the scan is run, with other values */
    double correlation; /* of the index order with the table's */
    int conditions;     /* index conditions */
    double filter_cost; /* of the others, per row */
    bool is_index_only;
} IndexProbe;

/* The index's own pages and entries, and the way down to them. */
Cost cost_index_part(const IndexProbe *probe);
/* In index order; and with the rows fetched in the table's order. */
void cost_index_scan(const IndexProbe *probe, Cost *ret_ordered, Cost *ret_gathered);
/* The probe's rows fetched in the table's order; `index_cost`: what finding them takes. */
Cost cost_gathered(const IndexProbe *probe, double index_cost);

/* `limit`: of the sorted rows so many are wanted; 0: all. */
Cost cost_sort(Cost input, double rows, double width, double limit);
/* Rows that are in order by leading keys come in so many groups, which are sorted one by one. */
typedef struct SortWork {
    double rows, width;
    double groups;
    double limit;
} SortWork;
Cost cost_incremental_sort(Cost input, const SortWork *work);
Cost cost_material(Cost input, double rows, double width);
double cost_rescan_material(double rows, double width);

/* Hash table bytes: rows that do not fit work_mem are written and read again. */
double cost_hash_spill(double outer_rows, double outer_width, double inner_rows,
                       double inner_width);
typedef struct GroupWork {
    double rows, width; /* of the input */
    int columns;        /* of the key */
    double call_cost;   /* of the aggregates, a row */
    double groups;
    bool is_volatile; /* the key is another each time it is computed */
} GroupWork;
/* Grouping rows by hashing them, or as they come in order. */
Cost cost_group(Cost input, const GroupWork *work, bool is_hashed);

#endif
