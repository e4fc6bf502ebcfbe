#include "executor/expr.h"

#include "types/jsonb.h"

/* ---- j['a'][0], and its assignment ---- */

typedef struct JsonbSubscriptState {
    Str *steps; /* of the row at hand */
} JsonbSubscriptState;

/* Arguments: container, subscripts, what is assigned. A null subscript ends it. */
static void steps_get(ExprProgram *p, const ExprStep *step, uint32_t row, Str *steps,
                      bool *ret_null)
{
    const ExprSubscript *expr = EXPR_AS(const ExprSubscript, step->expr);
    *ret_null = false;
    for (size_t i = 0; i < expr->subscripts.length && !*ret_null; i++) {
        Value value;
        vector_get(step->vectors[i + 1], row, &value, ret_null);
        if (*ret_null)
            return;
        steps[i] = expr->subscripts.items[i].upper->type == TYPE_INT4
                       ? str_format(p->scratch, "%d", value.int32)
                       : var_str(value.var);
    }
}

/* The first step says what a container that is null becomes. */
static bool empty_container(ExprProgram *p, const ExprSubscript *expr, Str *ret)
{
    JsonbBuilder b;
    const bool is_array = expr->subscripts.items[0].upper->type == TYPE_INT4;
    jsonb_builder_init(&b, p->scratch, is_array ? JSON_ARRAY : JSON_OBJECT);
    return jsonb_builder_finish(&b, ret);
}

static bool assign_row(ExprProgram *p, const ExprStep *step, uint32_t row, bool no_step,
                       const Value *container, bool container_null, Value *ret)
{
    const ExprSubscript *expr = EXPR_AS(const ExprSubscript, step->expr);
    const JsonbSubscriptState *state = step->data;
    const int count = (int)expr->subscripts.length;
    Value value;
    bool value_null;
    Str root, made;
    if (no_step)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED,
             .message = STR("jsonb subscript in assignment must not be null"));
    vector_get(step->vectors[count + 1], row, &value, &value_null);
    if (container_null)
        TRY(empty_container(p, expr, &root));
    else
        root = var_str(container->var);
    TRY(jsonb_assign(p->scratch, root, state->steps, count,
                     value_null ? jsonb_null() : var_str(value.var), &made));
    ret->var = var_from_str(made);
    return true;
}

static bool step_jsonb_subscript(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprSubscript *expr = EXPR_AS(const ExprSubscript, step->expr);
    const JsonbSubscriptState *state = step->data;
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value container, result = {0};
        bool is_null, no_step;
        vector_get(step->vectors[0], row, &container, &is_null);
        steps_get(p, step, row, state->steps, &no_step);
        if (expr->assigned) {
            TRY(assign_row(p, step, row, no_step, &container, is_null, &result));
            vector_set(to, row, &result, false);
            continue;
        }
        is_null |= no_step;
        Str node = is_null ? STR_NONE : var_str(container.var);
        for (size_t i = 0; i < expr->subscripts.length && !is_null; i++)
            is_null = !jsonb_step(node, state->steps[i], &node);
        result.var = var_from_str(node);
        vector_set(to, row, &result, is_null);
    }
    return true;
}

bool expr_build_jsonb_subscript(ExprBuilder *builder, ExprSubscript *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    const size_t steps = expr->subscripts.length;
    uint32_t *args = ARENA_ARRAY(p->arena, uint32_t, steps + 2);
    uint32_t count = 0;
    JsonbSubscriptState *state = ARENA_NEW(p->arena, JsonbSubscriptState);
    state->steps = ARENA_ARRAY(p->arena, Str, steps);
    TRY(expr_build(builder, expr->container, &args[count++]));
    for (size_t i = 0; i < steps; i++)
        TRY(expr_build(builder, expr->subscripts.items[i].upper, &args[count++]));
    if (expr->assigned)
        TRY(expr_build(builder, expr->assigned, &args[count++]));
    const uint32_t result = expr_new_flat(builder, PHYS_VAR);
    ExprStep *step = expr_add_step(builder, step_jsonb_subscript, &expr->base, result);
    expr_step_args(builder, step, args, count);
    step->data = state;
    *ret_register = result;
    return true;
}
