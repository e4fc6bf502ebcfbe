/*
 * Expression programs: typed expressions compiled to steps over vector registers.
 *
 *   ExprProgram *program = expr_compile(exec, scratch, exprs, count);      once
 *   TRY(expr_run(program, &input, selection));                             per batch
 *   … program->results[i]                                  valid until scratch is reset
 *
 * A register is a Vector: flat (a step writes it), constant (consts, params, and what depends on
 * nothing else), or borrowed from the input row. Steps that choose (AND, CASE …) own blocks of
 * further steps and run those under a narrower selection.
 *
 * Flat registers hold as many elements as the largest batch seen, so that a program that only
 * ever sees one row stays small.
 */
#ifndef EXECUTOR_EXPR_H
#define EXECUTOR_EXPR_H

#include "executor/node.h"

typedef struct ExprInput {
    Vector *const *slots[2];
    uint32_t row_count; /* rows present: selections are below it */
} ExprInput;

typedef struct ExprStep ExprStep;
typedef bool ExprStepFunction(ExprProgram *program, ExprStep *step, Selection selection);

typedef struct ExprBlock {
    ExprStep **steps;
    uint32_t count;
    uint32_t result; /* register */
} ExprBlock;

struct ExprStep {
    ExprStepFunction *run;
    uint32_t result;
    bool is_constant; /* evaluated for one row, whatever the selection */
    uint32_t arg_count;
    uint32_t *args;         /* registers */
    const Vector **vectors; /* filled per run: the arguments */
    FunctionCall *call;
    ExprBlock *blocks;
    uint32_t block_count;
    uint32_t buffers[2]; /* selection buffers of the program; UINT32_MAX: none */
    const Expr *expr;
    void *data; /* the step's own */
};

/* A set-returning call, for ProjectSet: its result register is filled by the node. */
typedef struct ExprSetCall {
    ExprBlock *args;
    uint32_t arg_count;
    FunctionCall *call;
    const Oid *output_types; /* of a record's fields; output_count 0: a plain value */
    uint32_t output_count;
    uint32_t reg;
    Vector *vector;
} ExprSetCall;

/* A subquery of which several expressions take a column each: it runs for the first of them. */
typedef struct ExprShared {
    int subplan;
    uint32_t count;
    uint32_t *registers; /* of its columns */
} ExprShared;

typedef struct ExprLoad {
    uint32_t reg;
    uint32_t child, column;
} ExprLoad;

struct ExprProgram {
    ExecState *exec;
    Arena *arena;
    Arena *scratch;
    Vector **registers;
    uint32_t register_count, register_capacity;
    VEC(uint32_t) flats; /* registers with storage here */
    VEC(ExprLoad) loads;
    VEC(ExprShared) shared;
    VEC(uint16_t *) buffers;
    VEC(ExprSetCall) set_calls;
    bool allows_sets;
    uint32_t capacity;  /* elements in flats and buffers */
    uint32_t row_count; /* of this run */
    ExprInput input;    /* likewise */
    ExprBlock *blocks;  /* one per expression */
    uint32_t count;
    Vector **results;
    uint32_t case_test; /* compile: register of the innermost CASE operand; UINT32_MAX: none */
};

MUST_CHECK ExprProgram *expr_compile(ExecState *exec, Arena *scratch, Expr *const *exprs,
                                     uint32_t count);
/* With set-returning functions allowed at any place: program->set_calls. */
MUST_CHECK ExprProgram *expr_compile_sets(ExecState *exec, Arena *scratch, Expr *const *exprs,
                                          uint32_t count);
MUST_CHECK bool expr_run(ExprProgram *program, const ExprInput *input, Selection selection);
/* All boolean: the rows for which every one is true, in `rows` (room for input->row_count). */
MUST_CHECK bool expr_filter(ExprProgram *program, const ExprInput *input, Selection selection,
                            uint16_t *rows, Selection *ret_selection);
/* Without slots, one row. */
MUST_CHECK bool expr_run_scalar(ExprProgram *program);
MUST_CHECK bool expr_begin(ExprProgram *program, const ExprInput *input); /* loads only */
MUST_CHECK bool expr_block_run(ExprProgram *program, ExprBlock *block, Selection selection);

/* ---- for the files that compile (expr_compile.c and its kin) ---- */

typedef struct ExprBuilder {
    ExprProgram *program;
    VEC(ExprStep *) steps; /* of the block being built */
    uint32_t depth;
} ExprBuilder;

#define EXPR_NO_REGISTER UINT32_MAX

/* Emits the steps of an expression; *ret_register is where its value will be. */
MUST_CHECK bool expr_build(ExprBuilder *builder, Expr *expr, uint32_t *ret_register);
MUST_CHECK bool expr_build_block(ExprBuilder *parent, Expr *expr, ExprBlock *ret_block);
ExprStep *expr_add_step(ExprBuilder *builder, ExprStepFunction *run, const Expr *expr,
                        uint32_t result);
void expr_step_args(ExprBuilder *builder, ExprStep *step, const uint32_t *args, uint32_t count);
uint32_t expr_new_flat(ExprBuilder *builder, PhysType type);
uint32_t expr_new_buffer(ExprBuilder *builder);
bool expr_register_is_constant(const ExprBuilder *builder, uint32_t reg);
typedef struct CallSite {
    Oid function;
    const Oid *arg_types;
    uint32_t arg_count;
    Oid result_type;
    Oid collation;
} CallSite;
/* NULL with the error set. */
MUST_CHECK FunctionCall *expr_new_call(ExecState *exec, const CallSite *site);

MUST_CHECK bool expr_build_scalar_array(ExprBuilder *builder, ExprScalarArray *expr,
                                        uint32_t *ret_register);
MUST_CHECK bool expr_build_array(ExprBuilder *builder, ExprArray *expr, uint32_t *ret_register);
MUST_CHECK bool expr_build_subscript(ExprBuilder *builder, ExprSubscript *expr,
                                     uint32_t *ret_register);
MUST_CHECK bool expr_build_jsonb_subscript(ExprBuilder *builder, ExprSubscript *expr,
                                           uint32_t *ret_register);
MUST_CHECK bool expr_build_array_cast(ExprBuilder *builder, ExprCast *expr, uint32_t *ret_register);
MUST_CHECK bool expr_build_row(ExprBuilder *builder, ExprRow *expr, uint32_t *ret_register);
MUST_CHECK bool expr_build_row_compare(ExprBuilder *builder, ExprRowCompare *expr,
                                       uint32_t *ret_register);
MUST_CHECK bool expr_build_field(ExprBuilder *builder, ExprFieldSelect *expr,
                                 uint32_t *ret_register);
MUST_CHECK bool expr_build_row_null_test(ExprBuilder *builder, ExprNullTest *expr,
                                         uint32_t *ret_register);
MUST_CHECK bool expr_build_subplan(ExprBuilder *builder, ExprSubPlan *expr, uint32_t *ret_register);
MUST_CHECK bool expr_build_sql_value(ExprBuilder *builder, ExprSqlValue *expr,
                                     uint32_t *ret_register);
MUST_CHECK bool expr_build_next_value(ExprBuilder *builder, ExprNextValue *expr,
                                      uint32_t *ret_register);

/* ---- vectors ---- */

/* Gathers to[i] = from[rows[i]] for i < count; `to` is flat. */
void vector_gather(Vector *to, const Vector *from, const uint16_t *rows, uint32_t count);
static inline void vector_begin(Vector *v, uint32_t row_count)
{
    memset(v->nulls, 0, row_count);
    v->has_nulls = false;
}
static inline void vector_set_null(Vector *v, uint32_t row)
{
    v->nulls[row] = 1;
    v->has_nulls = true;
}

#endif
