/*
 * Node states and expression programs: what plan nodes are made of while they run.
 *
 * Each plan node has a NodeState with three functions: `next` gives a batch (NULL: no more rows,
 * or failed: tell them apart by node_next's ok), `rewind` starts over (parameters of an outer
 * row may have changed), `stop` releases what is held outside arenas. nodes are pulled from the
 * top:
 *
 *   Batch *batch;
 *   while (node_next(child, &batch) && batch) …
 *
 * A batch is borrowed until the next call on the node that gave it; a node that keeps rows copies
 * them. Vectors of a batch may be the child's own: they are never written by the parent; a parent
 * narrows rows by its own Batch header with another selection.
 *
 * Memory: `state->arena` lives as long as the ExecState (compiled programs, fixed buffers);
 * `state->run_arena` is reset by executor_stop; a node's scratch is reset by itself per batch.
 *
 * Expressions compile once into an ExprProgram: a list of {step, destination register, arguments},
 * registers being vectors. Columns of the input batch, constants and parameters are registers too.
 *
 *   ExprProgram *program = expr_compile(state, exprs, count, &layout);
 *   TRY(expr_run(program, batch));               results: program->results[i]
 *
 * A program evaluates only the rows selected; AND, OR, CASE and COALESCE narrow the selection for
 * their arguments, so an error in a branch not taken never shows.
 */
#ifndef EXECUTOR_STATE_H
#define EXECUTOR_STATE_H

#include "executor/executor.h"

typedef struct Expr Expr;
typedef struct ExprProgram ExprProgram;
typedef struct NodeState NodeState;
typedef struct Plan Plan;

/* What EXPLAIN ANALYZE prints of a node. */
#define SORT_TOP_N 1u
#define SORT_QUICKSORT 2u
#define SORT_EXTERNAL_MERGE 4u

typedef struct NodeInstrument {
    uint64_t loops;        /* times started */
    uint64_t rows;         /* rows given, over all loops */
    uint64_t rows_removed; /* by the node's filter */
    uint64_t rows_removed_join;
    int64_t startup_time; /* microseconds to the first batch, over all loops */
    int64_t total_time;
    uint64_t spilled_bytes;
    uint64_t memory_bytes; /* peak: hash tables, sorts */
    uint32_t partitions;   /* hash batches */
    const char *method;    /* "quicksort", "top-N heapsort", "external merge" or NULL */
    /* Of an incremental sort: sorts, their memory summed up, and the methods (SORT_…). */
    uint64_t groups, group_bytes;
    uint8_t methods;
} NodeInstrument;

/* The instrument of a plan node in an execution; NULL when it never ran. For EXPLAIN. */
const NodeInstrument *executor_instrument(const ExecState *state, const Plan *plan);

/*
 * Expressions outside plans, for commands: CHECK validation, ALTER … USING, defaults, partial
 * index predicates. `expr` may refer to columns of one relation (input columns 0 … in attribute
 * order, dropped ones included) and to no parameters.
 */
typedef struct RowProgram RowProgram;
MUST_CHECK RowProgram *row_program_new(Arena *arena, ExecSession *session, const Expr *const *exprs,
                                       uint32_t count);
/* Results are valid until the next call. `batch` NULL: one row without columns. */
MUST_CHECK bool row_program_run(RowProgram *program, const Batch *batch, Vector ***ret_results);
void row_program_free(RowProgram *program);

/* One value of an expression without columns, in the arena. */
MUST_CHECK bool executor_evaluate(Arena *arena, ExecSession *session, const Expr *expr,
                                  Value *ret_value, bool *ret_null);

#endif
