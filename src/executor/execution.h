/*
 * A running statement: its parameters, subplans, open tables and what its rows go through.
 *
 * An ExecState is one PlannedStatement (or a bare set of expressions) being run by one session. Its
 * nodes are node.h's; what executor.h promises of it to others is said there.
 */
#ifndef EXECUTOR_EXECUTION_H
#define EXECUTOR_EXECUTION_H

#include "catalog/relation.h"
#include "executor/rows.h"
#include "executor/state.h"
#include "planner/plan.h"
#include "txn/ddl.h"
#include "txn/lock.h"
#include "txn/scan.h"
#include "types/function.h"

/* A PARAM_EXEC while it runs. */
typedef struct ParamState {
    Vector vector; /* constant */
    Value value;
    uint8_t null;
    bool is_set;         /* of an init plan: it has run and its inputs have not moved since */
    bool is_running;     /* its init plan runs: guards against a plan that reads itself */
    uint64_t changed_at; /* exec->param_clock when it was set last */
} ParamState;

typedef struct SubplanState {
    const SubplanInfo *info;
    NodeState *node;
    RowStore store; /* CTEs */
    bool store_ready, is_finished;
    uint64_t run_at; /* param_clock of the last run of an init plan */
} SubplanState;

typedef struct WorkTable {
    RowStore *current;   /* what WorkTableScans read */
    uint64_t generation; /* moves with each round */
} WorkTable;

/* Re-evaluation of a changed row: scans of `rel` give this row alone (node_lock_rows.c). */
typedef struct EpqOverride {
    int rel;
    int64_t row_id;
    bool is_missing; /* the null-extended side: no row */
    bool is_newest;  /* it has changed: read its newest version, not the snapshot's */
} EpqOverride;

typedef struct TableHandle {
    Oid relation;
    const RelationDesc *desc; /* referenced */
    TxnTree *tree;
} TableHandle;

typedef struct IndexHandle {
    Oid index;
    const RelationDesc *table;
    const IndexDesc *desc;
    TxnTree *tree;
} IndexHandle;

/* Where a node keeps the session's counts of a relation. */
typedef struct UsageSlot {
    Oid relation;
    struct RelationUsage **slot;
} UsageSlot;

struct ExecState {
    const PlannedStatement *stmt; /* NULL: expressions only */
    ExecSession *session;
    Arena *arena;     /* as long as the state */
    Arena *run_arena; /* until executor_stop */
    NodeState *root;
    NodeState **nodes; /* by Plan.id; NULL where not made */
    SubplanState *subplans;
    ParamState *params;
    uint32_t param_count;
    VEC(Vector *) externals; /* constant, $1 first; NULL where not used */
    uint64_t param_clock;
    WorkTable *work_tables;
    EpqOverride *overrides; /* NULL outside EPQ trees */
    uint32_t override_count;
    struct ExecState *parent; /* of an EPQ tree */
    bool gives_few;           /* a row limit is set: rows are locked as they are asked for */
    uint32_t batch_size;      /* rows in a batch at most: VECTOR_SIZE or 1 */
    bool has_effects;         /* calls that change something, or read what such calls change */
    bool is_volatile;         /* another execution may give other rows */
    bool stops_early;         /* some node may not ask for all rows of its child */
    uint64_t batch_count;     /* batches projected in this execution */
    uint64_t taken;           /* rows that the root has given */
    Snapshot snapshot;
    SpillSet spills;
    struct ConstraintQueue *queue; /* NULL: nothing to be looked at so far */
    VEC(FunctionCall *) calls;
    VEC(TableHandle *) tables;
    VEC(IndexHandle *) indexes;
    RowDescription description;
    CommandResult result;
    uint64_t modified_count;
    bool is_running, instrument, instrument_timing, is_described, root_done;
    NodeInstrument *instruments; /* by Plan.id */
    Batch *pending;              /* a batch that a row limit cut */
    uint32_t pending_from;
    uint16_t *limit_rows;
    struct PointQuery *point; /* NULL: rows come from the tree alone */
    /* Portals of changing statements and scrollable ones read from here. */
    RowStore store;
    RowReader reader;
    Batch *store_batch;
    bool store_made, store_filled, scrollable, at_once;
    int64_t position; /* scrollable: rows before the cursor's row; 0 before the first */
    Arena *arena_scratch;
    VEC(Arena *) arenas;   /* freed with the state */
    VEC(NodeState *) made; /* every node; a look at one row makes those under a subplan twice */
    bool has_offspring;    /* states that nodes have made know the session by themselves */
    VEC(UsageSlot) usages; /* set anew when another session takes the state */
};

/* ---- executor.c ---- */

MUST_CHECK ExecState *exec_new_bare(ExecSession *session);
/* The counts of a relation into *slot, now and whenever the state changes hands. */
void exec_usage(ExecState *exec, Oid relation, struct RelationUsage **slot);
/* An arena that is freed with the state. */
Arena *exec_arena(ExecState *exec, const char *name);
/*
 * A second tree for a part of the same statement, in which some scans give one row alone: how rows
 * that changed under a READ COMMITTED statement are looked at again (EvalPlanQual). WITH queries
 * are the parent's. exec_epq_begin starts a look: parameters are as the parent has them.
 */
MUST_CHECK ExecState *exec_new_epq(ExecState *parent, const Plan *plan, uint32_t override_count);
void exec_epq_begin(ExecState *epq);
RowLockMode row_lock_mode(LockStrength strength);

#endif
