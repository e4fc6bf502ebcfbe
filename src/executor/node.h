/*
 * The nodes of a running statement, as the executor itself sees them (the statement: execution.h).
 *
 * One .c file per plan node gives a NodeMethods table; node.c makes the tree and dispatches.
 *
 * Life of a node: `init` once (compiles, makes buffers in exec->arena) · `next` until *ret_batch is
 * NULL · `rewind` starts over · `stop` at the end of an execution gives back scans and run memory.
 * After stop, the next `next` begins a new execution.
 *
 * Parameters (PARAM_EXEC) are constant vectors that programs read in place. Each change moves
 * exec->param_clock; a node that keeps something (a hash table, a sorted run) remembers the clock
 * and fills again only when a parameter it depends on has moved since: node_is_stale.
 *
 * Order. A batch may hold rows that nobody will ask for (a LIMIT above), and what a node computes
 * for all rows of a batch, PostgreSQL computes row by row through the whole tree. Neither shows, as
 * long as nothing fails and nothing has effects: exec->batch_size is VECTOR_SIZE then. It is 1 from
 * the beginning where functions with effects are called, and in the part of an execution that is
 * run again because something failed (replay.c). Nodes give at most that many rows in a batch.
 *
 * Invariants: N1 A batch is never given with no selected row. N2 A node never writes into vectors
 * of its child. N3 Output vectors live in exec->arena (buffers), run_arena or the node's scratch.
 */
#ifndef EXECUTOR_NODE_H
#define EXECUTOR_NODE_H

#include "executor/execution.h"

typedef struct NodeMethods {
    size_t size; /* of the node's own struct, which begins with NodeState */
    bool (*init)(NodeState *node);
    bool (*next)(NodeState *node, Batch **ret_batch);
    bool (*rewind)(NodeState *node); /* NULL: only the children's */
    void (*stop)(NodeState *node);   /* NULL: nothing to give back; children follow by themselves */
    void (*free)(NodeState *node);   /* NULL: nothing outside exec->arena */
} NodeMethods;

struct NodeState {
    const Plan *plan;
    const NodeMethods *methods;
    ExecState *exec;
    NodeState *left, *right;
    NodeState **children; /* Append */
    uint32_t child_count;
    PhysType *types;            /* of the output columns */
    ExprProgram *filter;        /* NULL: none */
    ExprProgram *targets;       /* NULL: passes through */
    Batch output;               /* header of what the node gives */
    uint16_t *rows;             /* selection buffer of the filter */
    Arena *scratch;             /* reset by node_scratch_reset: results of expressions */
    NodeInstrument *instrument; /* NULL unless asked for */
    uint64_t filled_clock;
    uint64_t row_goal; /* rows that the parent takes at most, so reads ahead no more; 0: unknown */
    bool started;      /* next was called in this execution */
};

/* ---- node.c ---- */

MUST_CHECK NodeState *node_new(ExecState *exec, const Plan *plan);
MUST_CHECK bool node_next_timed(NodeState *node, Batch **ret_batch);
static inline MUST_CHECK bool node_next(NodeState *node, Batch **ret_batch)
{
    node->started = true;
    if (unlikely(node->instrument != NULL))
        return node_next_timed(node, ret_batch);
    return node->methods->next(node, ret_batch);
}
MUST_CHECK bool node_rewind(NodeState *node);
void node_stop(NodeState *node);
/* Has a parameter that the node depends on moved since node_fill_mark? */
bool node_is_stale(const NodeState *node);
void node_fill_mark(NodeState *node);
size_t exec_work_mem(void); /* bytes */
size_t exec_hash_mem(void);

/* Compiles plan->filter and plan->targets, which read the slots of `child` 0 (and 1). */
MUST_CHECK bool node_init_projection(NodeState *node);
/*
 * Filter and targets over rows in slot vectors: *ret_batch is NULL when no row passes. The result
 * is node->output. The scratch arena must have been reset (node_scratch_reset) before the slots
 * were computed in it.
 */
struct ExprInput;
MUST_CHECK bool node_project(NodeState *node, const struct ExprInput *input, Selection selection,
                             Batch **ret_batch);
static inline void node_scratch_reset(NodeState *node)
{
    arena_reset(node->scratch);
}
PhysType *plan_types(Arena *arena, const Plan *plan);

/* ---- node_modify.c, for writers without a plan's child (modify.c, foreign_action.c) ---- */

MUST_CHECK NodeState *modify_node_new(ExecState *exec, const ModifyPlan *plan);
void modify_node_free(NodeState *node);
MUST_CHECK bool modify_push(NodeState *node, Batch *batch);
/*
 * The same in two steps: what each of these new rows must be by itself (generated columns are
 * filled in), in as many calls as the batch takes to fill, and then rows that have been checked,
 * which meet the rows of others. The batch's columns stay between the two.
 */
MUST_CHECK bool modify_check(NodeState *node, const Batch *batch, Selection rows);
MUST_CHECK bool modify_push_checked(NodeState *node, Selection rows);
/* New rows are appended to a bulk from now on. */
void modify_set_bulk(NodeState *node, TxnBulk *bulk);
uint32_t modify_inserting(const NodeState *node); /* the row that failed */

/* ---- replay.c ---- */

/*
 * node_next for who takes all rows of a batch for good. A failure is the one that rows asked for
 * one by one would have come to. *taken counts the rows given, from 0.
 */
MUST_CHECK bool node_next_exact(NodeState *node, uint64_t *taken, Batch **ret_batch);
/* Does the error that is set lie in the values of some row? Then another row may fail earlier. */
bool error_is_of_values(void);
/* Stops all nodes and forgets what they have found. */
void exec_forget(ExecState *exec);

/* ---- parameters (params.c) ---- */

/* Sets a parameter from element `row`; variable data stays borrowed. */
void exec_param_set(ExecState *exec, int number, const Vector *from, uint32_t row);
void exec_param_set_value(ExecState *exec, int number, const Value *value, bool is_null);
/* Runs the init plan behind the parameter if it has not run (with its inputs as they are). */
MUST_CHECK bool exec_param_ensure(ExecState *exec, int number);
/* Fails with 21000. */
MUST_CHECK bool subplan_more_than_one(void);
/* ARRAY(SELECT …)'s value; of arrays it has one dimension more. */
typedef struct ArrayBuilder ArrayBuilder;
MUST_CHECK bool subplan_array_finish(ArrayBuilder *array, Value *ret);
MUST_CHECK bool exec_subplan_store(ExecState *exec, int subplan, RowStore **ret_store,
                                   uint64_t want_rows);

/* ---- relations (relations.c) ---- */

MUST_CHECK TableHandle *exec_table(ExecState *exec, Oid relation);
MUST_CHECK IndexHandle *exec_index(ExecState *exec, Oid table, Oid index);
void exec_relations_close(ExecState *exec);

/* Every node's methods. */
extern const NodeMethods node_result_methods, node_seq_scan_methods, node_index_scan_methods,
    node_row_id_scan_methods, node_values_scan_methods, node_function_scan_methods,
    node_subquery_scan_methods, node_cte_scan_methods, node_work_table_scan_methods,
    node_recursive_union_methods, node_project_set_methods, node_nest_loop_methods,
    node_hash_join_methods, node_aggregate_methods, node_sort_methods, node_top_n_methods,
    node_limit_methods, node_unique_methods, node_append_methods, node_set_op_methods,
    node_material_methods, node_incremental_sort_methods, node_window_methods,
    node_lock_rows_methods, node_modify_methods;

#endif
