#include "executor/state.h"

#include "executor/expr.h"

struct RowProgram {
    ExecState *exec;
    ExprProgram *program;
    Arena *scratch;
};

RowProgram *row_program_new(Arena *arena, ExecSession *session, const Expr *const *exprs,
                            uint32_t count)
{
    RowProgram *program = ARENA_NEW(arena, RowProgram);
    program->exec = exec_new_bare(session);
    program->scratch = arena_new("row program");
    program->program = expr_compile(program->exec, program->scratch, (Expr *const *)exprs, count);
    if (!program->program) {
        row_program_free(program);
        return NULL;
    }
    return program;
}

bool row_program_run(RowProgram *program, const Batch *batch, Vector ***ret_results)
{
    arena_reset(program->scratch);
    if (batch) {
        ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
        TRY(expr_run(program->program, &input, batch->selection));
    } else {
        TRY(expr_run_scalar(program->program));
    }
    *ret_results = program->program->results;
    return true;
}

void row_program_free(RowProgram *program)
{
    if (!program)
        return;
    arena_free(program->scratch);
    executor_free(program->exec);
}

bool executor_evaluate(Arena *arena, ExecSession *session, const Expr *expr, Value *ret_value,
                       bool *ret_null)
{
    Vector **results;
    RowProgram *program = row_program_new(arena, session, &expr, 1);
    TRY(program);
    bool done = row_program_run(program, NULL, &results);
    if (done) {
        vector_get(results[0], 0, ret_value, ret_null);
        if (!*ret_null)
            *ret_value = value_copy(arena, results[0]->type, ret_value);
    }
    row_program_free(program);
    return done;
}
