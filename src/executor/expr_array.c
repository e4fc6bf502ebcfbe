#include "executor/expr.h"

#include "base/hash.h"
#include "catalog/catalog.h"
#include "catalog/lookup.h"
#include "types/array.h"
#include "types/hash.h"
#include "types/jsonb.h"

#define HASH_MIN_ELEMENTS 9

/* ---- x op ANY (array) ---- */

/* The elements of an array that stays the same for a whole execution, hashed. */
typedef struct ArraySet {
    Str source; /* bytes that it was made from: the same pointer means the same array */
    Value *values;
    uint32_t *heads, *links; /* chains by hash: index + 1 */
    uint32_t mask, count;
    bool has_null;
} ArraySet;

typedef struct ScalarArrayState {
    bool can_hash;
    Oid type;
    ArraySet set;
    Arena *arena;
    Vector element; /* constant: one element, for the kernel */
    Value element_value;
    uint8_t element_null;
    Vector *answer; /* flat, of the kernel */
    uint32_t answer_reg;
} ScalarArrayState;

static bool array_set_make(ScalarArrayState *state, ExprProgram *p, const Value *array)
{
    ArraySet *set = &state->set;
    if (set->source.data == array->var.data && set->source.length == array->var.length)
        return true;
    if (!state->arena)
        state->arena = exec_arena(p->exec, "array set");
    arena_reset(state->arena);
    Value copy = value_copy(state->arena, PHYS_VAR, array);
    ArrayView view;
    TRY(array_open(&copy, &view));
    uint32_t size = 16;
    while (size < (uint32_t)view.count * 2)
        size *= 2;
    *set = (ArraySet){.mask = size - 1};
    set->values = ARENA_ARRAY(state->arena, Value, view.count + 1);
    set->heads = ARENA_ARRAY(state->arena, uint32_t, size);
    set->links = ARENA_ARRAY(state->arena, uint32_t, view.count + 1);
    for (int i = 0; i < view.count; i++) {
        bool is_null;
        Value *value = &set->values[set->count];
        array_element(&view, i, value, &is_null);
        if (is_null) {
            set->has_null = true;
            continue;
        }
        uint32_t slot = (uint32_t)hash_value(state->type, value) & set->mask;
        set->links[set->count] = set->heads[slot];
        set->heads[slot] = ++set->count;
    }
    set->source = var_str(array->var);
    return true;
}

static bool array_set_has(const ScalarArrayState *state, const Value *value)
{
    const ArraySet *set = &state->set;
    uint32_t at = set->heads[(uint32_t)hash_value(state->type, value) & set->mask];
    for (; at; at = set->links[at - 1])
        if (type_equal(state->type, value, &set->values[at - 1]))
            return true;
    return false;
}

static bool scalar_array_hashed(ExprProgram *p, ExprStep *step, const Value *array,
                                Selection selection)
{
    ScalarArrayState *state = step->data;
    Vector *to = p->registers[step->result];
    TRY(array_set_make(state, p, array));
    FOR_SELECTED (selection, row) {
        Value value;
        bool is_null;
        vector_get(step->vectors[0], row, &value, &is_null);
        if (is_null) {
            vector_set_null(to, row);
            continue;
        }
        bool found = array_set_has(state, &value);
        VECTOR_VALUES(to, uint8_t)[row] = found;
        if (!found && state->set.has_null)
            vector_set_null(to, row);
    }
    /* The set borrows nothing from the batch, but a later array may lie at the same address. */
    if (!step->vectors[1]->constant)
        state->set.source = STR_NONE;
    return true;
}

/* One array for all rows: the kernel runs once per element over the rows not yet decided. */
static bool scalar_array_kernel(ExprProgram *p, ExprStep *step, const ArrayView *view,
                                Selection selection)
{
    const ExprScalarArray *expr = EXPR_AS(const ExprScalarArray, step->expr);
    ScalarArrayState *state = step->data;
    Vector *to = p->registers[step->result];
    uint8_t *values = VECTOR_VALUES(to, uint8_t);
    Vector *answer = p->registers[state->answer_reg];
    uint16_t *rows = p->buffers.items[step->buffers[0]];
    bool deciding = expr->use_or;
    bool any_null = false;
    const Vector *args[2] = {step->vectors[0], &state->element};
    FOR_SELECTED (selection, row)
        values[row] = !deciding;
    for (int e = 0; e < view->count && selection.count > 0; e++) {
        bool null;
        array_element(view, e, &state->element_value, &null);
        state->element_null = null;
        state->element.has_nulls = null;
        vector_begin(answer, p->row_count);
        TRY(function_call_batch(step->call, args, selection, answer));
        uint32_t left = 0;
        FOR_SELECTED (selection, row) {
            bool is_null = answer->has_nulls && answer->nulls[row];
            if (!is_null && (VECTOR_VALUES(answer, uint8_t)[row] != 0) == deciding) {
                values[row] = deciding;
                to->nulls[row] = 0;
            } else {
                to->nulls[row] |= is_null;
                any_null |= is_null;
                rows[left++] = (uint16_t)row;
            }
        }
        selection = (Selection){.rows = rows, .count = left};
    }
    to->has_nulls |= any_null;
    return true;
}

static bool scalar_array_row(ExprProgram *p, ExprStep *step, uint32_t row, const ArrayView *view)
{
    const ExprScalarArray *expr = EXPR_AS(const ExprScalarArray, step->expr);
    Vector *to = p->registers[step->result];
    bool any_null = false, nulls[2];
    Value args[2];
    vector_get(step->vectors[0], row, &args[0], &nulls[0]);
    for (int e = 0; e < view->count; e++) {
        Value result;
        bool is_null = false;
        array_element(view, e, &args[1], &nulls[1]);
        TRY(function_call(step->call, args, nulls, &result, &is_null));
        any_null |= is_null;
        if (!is_null && result.boolean == expr->use_or) {
            VECTOR_VALUES(to, uint8_t)[row] = expr->use_or;
            return true;
        }
    }
    VECTOR_VALUES(to, uint8_t)[row] = !expr->use_or;
    if (any_null)
        vector_set_null(to, row);
    return true;
}

static bool step_scalar_array(ExprProgram *p, ExprStep *step, Selection selection)
{
    ScalarArrayState *state = step->data;
    const Vector *arrays = step->vectors[1];
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    if (arrays->constant) {
        Value array;
        bool is_null;
        ArrayView view;
        vector_get(arrays, 0, &array, &is_null);
        if (is_null) {
            FOR_SELECTED (selection, row)
                vector_set_null(to, row);
            return true;
        }
        TRY(array_open(&array, &view));
        if (state->can_hash && view.count >= HASH_MIN_ELEMENTS)
            return scalar_array_hashed(p, step, &array, selection);
        return scalar_array_kernel(p, step, &view, selection);
    }
    FOR_SELECTED (selection, row) {
        Value array;
        bool is_null;
        ArrayView view;
        vector_get(arrays, row, &array, &is_null);
        if (is_null) {
            vector_set_null(to, row);
            continue;
        }
        TRY(array_open(&array, &view));
        TRY(scalar_array_row(p, step, row, &view));
    }
    return true;
}

/* Hashing needs the type's own equality over one type on both sides. */
static bool can_hash(ExecState *exec, const ExprScalarArray *expr, Oid element)
{
    if (!expr->use_or || expr->left->type != element || !hash_is_supported(element))
        return false;
    const TypeOperators *operators = type_operators(&exec->session->catalog, element);
    return operators && operators->equal == expr->op;
}

static Oid element_type(ExecState *exec, Oid array)
{
    const TypeDesc *desc = type_find(&exec->session->catalog, array);
    return desc ? desc->element : OID_NONE;
}

bool expr_build_scalar_array(ExprBuilder *builder, ExprScalarArray *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    uint32_t args[2];
    TRY(expr_build(builder, expr->left, &args[0]));
    TRY(expr_build(builder, expr->array, &args[1]));
    Oid element = element_type(p->exec, expr->array->type);
    Oid types[2] = {expr->left->type, element};
    uint32_t result = expr_new_flat(builder, PHYS_BOOL);
    FunctionCall *call = expr_new_call(p->exec, &(CallSite){.function = expr->function,
                                                            .arg_types = types,
                                                            .arg_count = 2,
                                                            .result_type = TYPE_BOOL,
                                                            .collation = expr->input_collation});
    TRY(call);
    call->arena = p->scratch;
    ScalarArrayState *state = ARENA_NEW(p->arena, ScalarArrayState);
    state->can_hash = can_hash(p->exec, expr, element);
    state->type = element;
    state->element = (Vector){.type = type_phys(element),
                              .constant = true,
                              .values = &state->element_value,
                              .nulls = &state->element_null};
    state->answer_reg = expr_new_flat(builder, PHYS_BOOL);
    ExprStep *step = expr_add_step(builder, step_scalar_array, &expr->base, result);
    expr_step_args(builder, step, args, 2);
    step->call = call;
    step->data = state;
    step->buffers[0] = expr_new_buffer(builder);
    if (expr_register_is_constant(builder, args[0]) &&
        expr_register_is_constant(builder, args[1]) && call->function->volatility != 'v') {
        step->is_constant = true;
        p->registers[result]->constant = true;
    }
    *ret_register = result;
    return true;
}

/* ---- ARRAY[…] ---- */

static bool step_array(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprArray *expr = EXPR_AS(const ExprArray, step->expr);
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value result;
        if (expr->is_nested) {
            Value *arrays = ARENA_ARRAY(p->scratch, Value, step->arg_count);
            bool *nulls = ARENA_ARRAY(p->scratch, bool, step->arg_count);
            for (uint32_t a = 0; a < step->arg_count; a++)
                vector_get(step->vectors[a], row, &arrays[a], &nulls[a]);
            TRY(array_stack(p->scratch, expr->element_type, arrays, nulls, (int)step->arg_count,
                            &result));
        } else {
            ArrayBuilder array;
            array_builder_init(&array, p->scratch, expr->element_type);
            for (uint32_t a = 0; a < step->arg_count; a++) {
                Value value;
                bool is_null;
                vector_get(step->vectors[a], row, &value, &is_null);
                array_builder_add(&array, &value, is_null);
            }
            TRY(array_builder_finish(&array, &result));
        }
        vector_set(to, row, &result, false);
    }
    return true;
}

bool expr_build_array(ExprBuilder *builder, ExprArray *expr, uint32_t *ret_register)
{
    Arena *arena = builder->program->arena;
    uint32_t count = (uint32_t)expr->elements.length;
    uint32_t *args = ARENA_ARRAY(arena, uint32_t, count + 1);
    bool constant = true;
    for (uint32_t i = 0; i < count; i++) {
        TRY(expr_build(builder, expr->elements.items[i], &args[i]));
        constant &= expr_register_is_constant(builder, args[i]);
    }
    uint32_t result = expr_new_flat(builder, PHYS_VAR);
    ExprStep *step = expr_add_step(builder, step_array, &expr->base, result);
    expr_step_args(builder, step, args, count);
    step->is_constant = constant;
    builder->program->registers[result]->constant = constant;
    *ret_register = result;
    return true;
}

/* ---- container[…] ---- */

/* Arguments: container, then lower and upper of each subscript (where there), then what is
 * assigned. */
static bool subscript_get(const ExprStep *step, uint32_t row, uint32_t *next, bool present,
                          int32_t *ret_value, bool *ret_null)
{
    if (!present)
        return false;
    Value value;
    bool is_null;
    vector_get(step->vectors[(*next)++], row, &value, &is_null);
    *ret_value = value.int32;
    *ret_null |= is_null;
    return true;
}

/* A name is an array of 64 bytes that counts from 0; those behind its text are 0. */
static void name_subscript(Str name, const ArraySlice *slices, int count, Value *ret,
                           bool *ret_null)
{
    const int32_t at = count == 1 ? slices[0].upper : -1;
    *ret_null = at < 0 || at > NAME_MAX_BYTES;
    ret->int8 = !*ret_null && (size_t)at < name.length ? (int8_t)name.data[at] : 0;
}

static bool subscript_fetch(ExprProgram *p, const ExprSubscript *expr, const Value *container,
                            const ArraySlice *slices, Value *ret, bool *ret_null)
{
    int count = (int)expr->subscripts.length;
    if (expr->container_type == TYPE_NAME) {
        name_subscript(var_str(container->var), slices, count, ret, ret_null);
        return true;
    }
    if (expr->is_slice)
        return array_slice(p->scratch, container, slices, count, ret, ret_null);
    ArrayView view;
    int32_t subscripts[ARRAY_MAX_DIMENSIONS];
    TRY(array_open(container, &view));
    for (int i = 0; i < count; i++)
        subscripts[i] = slices[i].upper;
    array_subscript(&view, subscripts, count, ret, ret_null);
    return true;
}

static bool subscript_assign(ExprProgram *p, const ExprSubscript *expr, const Value *container,
                             const ArraySlice *slices, const Value *value, bool is_null, Value *ret)
{
    int count = (int)expr->subscripts.length;
    if (expr->is_slice)
        return array_assign_slice(p->scratch, container, expr->element_type, slices, count, value,
                                  ret);
    int32_t subscripts[ARRAY_MAX_DIMENSIONS];
    for (int i = 0; i < count; i++)
        subscripts[i] = slices[i].upper;
    return array_assign(p->scratch, container, expr->element_type, subscripts, count, value,
                        is_null, ret);
}

static bool step_subscript(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprSubscript *expr = EXPR_AS(const ExprSubscript, step->expr);
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value container, result = {0};
        bool container_null, null_subscript = false, is_null = false;
        ArraySlice slices[ARRAY_MAX_DIMENSIONS];
        uint32_t next = 1;
        vector_get(step->vectors[0], row, &container, &container_null);
        for (size_t i = 0; i < expr->subscripts.length; i++) {
            const Subscript *s = &expr->subscripts.items[i];
            slices[i] = (ArraySlice){0};
            slices[i].has_lower = subscript_get(step, row, &next, s->lower != NULL,
                                                &slices[i].lower, &null_subscript);
            slices[i].has_upper = subscript_get(step, row, &next, s->upper != NULL,
                                                &slices[i].upper, &null_subscript);
            /* a[3:…] mixed with a[2]: a lone index is the slice 1:index. */
            if (expr->is_slice && !s->lower && s->upper && slices[i].has_upper && s->lower == NULL)
                slices[i].has_lower = false;
        }
        if (expr->assigned) {
            Value value;
            bool value_null;
            vector_get(step->vectors[next], row, &value, &value_null);
            if (null_subscript)
                FAIL(ERR_NULL_VALUE_NOT_ALLOWED,
                     .message = STR("array subscript in assignment must not be null"));
            if (expr->is_slice && value_null)
                result = container, is_null = container_null;
            else
                TRY(subscript_assign(p, expr, container_null ? NULL : &container, slices, &value,
                                     value_null, &result));
        } else if (container_null || null_subscript) {
            is_null = true;
        } else {
            TRY(subscript_fetch(p, expr, &container, slices, &result, &is_null));
        }
        vector_set(to, row, &result, is_null);
    }
    return true;
}

bool expr_build_subscript(ExprBuilder *builder, ExprSubscript *expr, uint32_t *ret_register)
{
    if (expr->container_type == TYPE_JSONB)
        return expr_build_jsonb_subscript(builder, expr, ret_register);
    uint32_t args[2 + 2 * ARRAY_MAX_DIMENSIONS];
    uint32_t count = 0;
    if (expr->subscripts.length > ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of array dimensions (%zu) exceeds the maximum allowed (%d)",
                            expr->subscripts.length, ARRAY_MAX_DIMENSIONS));
    TRY(expr_build(builder, expr->container, &args[count++]));
    for (size_t i = 0; i < expr->subscripts.length; i++) {
        const Subscript *s = &expr->subscripts.items[i];
        if (s->lower)
            TRY(expr_build(builder, s->lower, &args[count++]));
        if (s->upper)
            TRY(expr_build(builder, s->upper, &args[count++]));
    }
    if (expr->assigned)
        TRY(expr_build(builder, expr->assigned, &args[count++]));
    uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
    ExprStep *step = expr_add_step(builder, step_subscript, &expr->base, result);
    expr_step_args(builder, step, args, count);
    *ret_register = result;
    return true;
}

/* ---- array casts, element by element ---- */

typedef struct ArrayCastState {
    ExprProgram *program; /* element_cast over slot 0 */
    Vector *element;
    Oid element_type; /* of the result */
} ArrayCastState;

static bool array_cast_one(ExprProgram *p, ArrayCastState *state, const Value *array, Value *ret)
{
    ArrayView view;
    ArrayBuilder out;
    TRY(array_open(array, &view));
    array_builder_init(&out, p->scratch, state->element_type);
    for (int from = 0; from < view.count; from += VECTOR_SIZE) {
        uint32_t count = (uint32_t)MIN(view.count - from, VECTOR_SIZE);
        vector_begin(state->element, count);
        for (uint32_t i = 0; i < count; i++) {
            Value value;
            bool is_null;
            array_element(&view, from + (int)i, &value, &is_null);
            vector_set(state->element, i, &value, is_null);
        }
        ExprInput input = {.slots = {&state->element, NULL}, .row_count = count};
        TRY(expr_run(state->program, &input, (Selection){.count = count}));
        for (uint32_t i = 0; i < count; i++) {
            Value value;
            bool is_null;
            vector_get(state->program->results[0], i, &value, &is_null);
            /* The program's registers are used again for the next elements; scratch is not. */
            array_builder_add(&out, &value, is_null);
        }
    }
    if (view.count == 0)
        return array_builder_finish(&out, ret);
    return array_builder_finish_shape(&out, view.dimension_count, view.lengths, view.lowers, ret);
}

static bool step_array_cast(ExprProgram *p, ExprStep *step, Selection selection)
{
    ArrayCastState *state = step->data;
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value value, result = {0};
        bool is_null;
        vector_get(step->vectors[0], row, &value, &is_null);
        if (!is_null)
            TRY(array_cast_one(p, state, &value, &result));
        vector_set(to, row, &result, is_null);
    }
    return true;
}

bool expr_build_array_cast(ExprBuilder *builder, ExprCast *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    Expr *arg = expr->args.items[0];
    uint32_t from;
    TRY(expr_build(builder, arg, &from));
    ArrayCastState *state = ARENA_NEW(p->arena, ArrayCastState);
    Oid source = element_type(p->exec, arg->type);
    state->element_type = element_type(p->exec, expr->base.type);
    state->element = vector_new(p->arena, type_phys(source));
    /* The element is slot 0 of a program of its own, which CASE_TEST inside means. */
    ExprProgram *inner = ARENA_NEW(p->arena, ExprProgram);
    *inner = (ExprProgram){.exec = p->exec, .arena = p->arena, .scratch = p->scratch, .count = 1};
    inner->blocks = ARENA_ARRAY(p->arena, ExprBlock, 1);
    inner->results = ARENA_ARRAY(p->arena, Vector *, 1);
    ExprBuilder inner_builder = {.program = inner, .depth = builder->depth};
    ExprSlot *slot = ARENA_NEW(p->arena, ExprSlot);
    slot->base = (Expr){.kind = EXPR_SLOT, .type = source, .typmod = -1};
    TRY(expr_build(&inner_builder, &slot->base, &inner->case_test));
    TRY(expr_build_block(&inner_builder, expr->element_cast, &inner->blocks[0]));
    state->program = inner;
    uint32_t result = expr_new_flat(builder, PHYS_VAR);
    ExprStep *step = expr_add_step(builder, step_array_cast, &expr->base, result);
    expr_step_args(builder, step, &from, 1);
    step->data = state;
    *ret_register = result;
    return true;
}
