#include "executor/expr.h"

#include "catalog/lookup.h"
#include "types/record.h"

/* ---- ROW(…) ---- */

typedef struct RowState {
    Oid *types;
    Value *values;
    bool *nulls;
    const Str *names; /* NULL: f1, f2 …, or those of the row type */
} RowState;

static bool step_row(ExprProgram *p, ExprStep *step, Selection selection)
{
    RowState *state = step->data;
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        for (uint32_t a = 0; a < step->arg_count; a++)
            vector_get(step->vectors[a], row, &state->values[a], &state->nulls[a]);
        Value record = state->names ? record_make_named(p->scratch, state->types, state->values,
                                                        state->nulls, state->names, step->arg_count)
                                    : record_make(p->scratch, step->expr->type, state->types,
                                                  state->values, state->nulls, step->arg_count);
        TRY(record_depth_check(&record));
        vector_set(to, row, &record, false);
    }
    return true;
}

bool expr_build_row(ExprBuilder *builder, ExprRow *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    uint32_t count = (uint32_t)expr->fields.length;
    uint32_t *args = ARENA_ARRAY(p->arena, uint32_t, count + 1);
    RowState *state = ARENA_NEW(p->arena, RowState);
    state->types = ARENA_ARRAY(p->arena, Oid, count + 1);
    state->values = ARENA_ARRAY(p->arena, Value, count + 1);
    state->nulls = ARENA_ARRAY(p->arena, bool, count + 1);
    /* Rows written as ROW(…) have default names, which need not be carried along. */
    if (expr->base.type == TYPE_RECORD && expr->names && count > 0 &&
        !(str_equal(expr->names[0], STR("f1")) &&
          str_equal(expr->names[count - 1], fmt("f%u", count))))
        state->names = expr->names;
    for (uint32_t i = 0; i < count; i++) {
        TRY(expr_build(builder, expr->fields.items[i], &args[i]));
        state->types[i] = expr->fields.items[i]->type;
    }
    uint32_t result = expr_new_flat(builder, PHYS_VAR);
    ExprStep *step = expr_add_step(builder, step_row, &expr->base, result);
    expr_step_args(builder, step, args, count);
    step->data = state;
    *ret_register = result;
    return true;
}

/* ---- (a, b) < (c, d) ---- */

typedef struct RowCompareState {
    FunctionCall **less;  /* per column: the type's < over left, right */
    FunctionCall **equal; /* and its = */
} RowCompareState;

/* -1, 0, 1; *ret_null when a null decides. */
static bool compare_columns(ExprStep *step, uint32_t row, int *ret_order, bool *ret_null)
{
    RowCompareState *state = step->data;
    uint32_t count = step->arg_count / 2;
    for (uint32_t c = 0; c < count; c++) {
        Value args[2], answer;
        bool nulls[2], is_null = false;
        vector_get(step->vectors[c], row, &args[0], &nulls[0]);
        vector_get(step->vectors[count + c], row, &args[1], &nulls[1]);
        if (nulls[0] || nulls[1]) {
            *ret_null = true;
            return true;
        }
        TRY(function_call(state->equal[c], args, nulls, &answer, &is_null));
        if (!is_null && answer.boolean)
            continue;
        TRY(function_call(state->less[c], args, nulls, &answer, &is_null));
        *ret_order = answer.boolean ? -1 : 1;
        return true;
    }
    *ret_order = 0;
    return true;
}

static bool step_row_compare(ExprProgram *p, ExprStep *step, Selection selection)
{
    RowCompareKind kind = EXPR_AS(const ExprRowCompare, step->expr)->compare;
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        int order = 0;
        bool is_null = false;
        TRY(compare_columns(step, row, &order, &is_null));
        Value value = {0};
        switch (kind) {
        case ROW_COMPARE_LT:
            value.boolean = order < 0;
            break;
        case ROW_COMPARE_LE:
            value.boolean = order <= 0;
            break;
        case ROW_COMPARE_GE:
            value.boolean = order >= 0;
            break;
        case ROW_COMPARE_GT:
            value.boolean = order > 0;
            break;
        }
        vector_set(to, row, &value, is_null);
    }
    return true;
}

static bool strategy_function(ExecState *exec, Oid op, int strategy, FunctionCall **ret_call)
{
    CatalogSession *catalog = &exec->session->catalog;
    OpfamilyMember members[8];
    uint32_t count = operator_btree_families(catalog, op, members, ARRAY_LENGTH(members));
    if (count == 0)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("operator %u has no order", op));
    Oid found =
        opfamily_operator(catalog, members[0].family, members[0].left, members[0].right, strategy);
    const OperatorDesc *desc = operator_find(catalog, found);
    if (!desc)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("operator family %u lacks strategy %d", members[0].family, strategy));
    Oid types[2] = {desc->left, desc->right};
    *ret_call = expr_new_call(exec, &(CallSite){.function = desc->function,
                                                .arg_types = types,
                                                .arg_count = 2,
                                                .result_type = TYPE_BOOL});
    return *ret_call != NULL;
}

bool expr_build_row_compare(ExprBuilder *builder, ExprRowCompare *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    uint32_t count = (uint32_t)expr->left.length;
    uint32_t *args = ARENA_ARRAY(p->arena, uint32_t, 2 * count + 1);
    RowCompareState *state = ARENA_NEW(p->arena, RowCompareState);
    state->less = ARENA_ARRAY(p->arena, FunctionCall *, count + 1);
    state->equal = ARENA_ARRAY(p->arena, FunctionCall *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        TRY(expr_build(builder, expr->left.items[i], &args[i]));
        TRY(expr_build(builder, expr->right.items[i], &args[count + i]));
        TRY(strategy_function(p->exec, expr->ops.items[i], 1, &state->less[i]));
        TRY(strategy_function(p->exec, expr->ops.items[i], 3, &state->equal[i]));
        state->less[i]->arena = state->equal[i]->arena = p->scratch;
    }
    uint32_t result = expr_new_flat(builder, PHYS_BOOL);
    ExprStep *step = expr_add_step(builder, step_row_compare, &expr->base, result);
    expr_step_args(builder, step, args, 2 * count);
    step->data = state;
    *ret_register = result;
    return true;
}

/* ---- (row).field, row IS NULL ---- */

static bool step_field(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprFieldSelect *expr = EXPR_AS(const ExprFieldSelect, step->expr);
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value record, value = {0};
        bool is_null;
        Oid type;
        vector_get(step->vectors[0], row, &record, &is_null);
        if (!is_null)
            TRY(record_field(&record, (uint32_t)expr->attnum - 1, &value, &is_null, &type));
        vector_set(to, row, &value, is_null);
    }
    return true;
}

bool expr_build_field(ExprBuilder *builder, ExprFieldSelect *expr, uint32_t *ret_register)
{
    uint32_t arg;
    TRY(expr_build(builder, expr->arg, &arg));
    uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
    ExprStep *step = expr_add_step(builder, step_field, &expr->base, result);
    expr_step_args(builder, step, &arg, 1);
    *ret_register = result;
    return true;
}

/* True when every field is null (IS NULL) or none is (IS NOT NULL). */
static bool step_row_null_test(ExprProgram *p, ExprStep *step, Selection selection)
{
    bool is_not = EXPR_AS(const ExprNullTest, step->expr)->is_not_null;
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value record;
        bool is_null;
        vector_get(step->vectors[0], row, &record, &is_null);
        bool answer = is_null != is_not;
        uint32_t count = 0;
        if (!is_null) {
            answer = true;
            TRY(record_count(&record, &count));
        }
        for (uint32_t i = 0; i < count && answer; i++) {
            Value field;
            bool field_null;
            Oid type;
            TRY(record_field(&record, i, &field, &field_null, &type));
            answer = field_null != is_not;
        }
        VECTOR_VALUES(to, uint8_t)[row] = answer;
    }
    return true;
}

bool expr_build_row_null_test(ExprBuilder *builder, ExprNullTest *expr, uint32_t *ret_register)
{
    uint32_t arg;
    TRY(expr_build(builder, expr->arg, &arg));
    uint32_t result = expr_new_flat(builder, PHYS_BOOL);
    ExprStep *step = expr_add_step(builder, step_row_null_test, &expr->base, result);
    expr_step_args(builder, step, &arg, 1);
    *ret_register = result;
    return true;
}
