#include "executor/expr.h"

#include "base/hash.h"
#include "base/pace.h"
#include "types/array.h"
#include "types/hash.h"

/*
 * Subqueries in expressions. A correlated one runs for each row, its outer values in parameters;
 * an uncorrelated IN is hashed once.
 */

typedef struct HashedSet {
    RowLayout layout;
    Oid *types;
    Arena *arena;
    Row **heads;
    uint32_t mask;
    uint64_t count;
    Row *with_nulls; /* rows that have a null somewhere */
    bool is_made;
} HashedSet;

typedef struct SubPlanStep {
    ExprProgram *test;  /* over the row at hand and the output parameters */
    ExprProgram *right; /* hashed: the subplan's columns, converted */
    Arena *right_scratch;
    HashedSet set;
    uint32_t left_first; /* args from here on are hash_left */
    ExprShared shared;   /* SUBLINK_MULTI: where its columns go; the first one is the step's */
    uint32_t *slot_args; /* test: the registers of slots, as a row */
} SubPlanStep;

static SubplanState *subplan_of(ExprProgram *p, const ExprSubPlan *expr)
{
    return &p->exec->subplans[expr->subplan];
}

static bool subplan_begin(ExprProgram *p, ExprStep *step, uint32_t row, NodeState **ret_node)
{
    const ExprSubPlan *expr = EXPR_AS(const ExprSubPlan, step->expr);
    for (size_t i = 0; i < expr->args.length; i++)
        exec_param_set(p->exec, expr->param_ids.items[i], step->vectors[i], row);
    *ret_node = subplan_of(p, expr)->node;
    return node_rewind(*ret_node);
}

/* The subquery's row for several columns, in scratch; nulls without one. */
static bool run_columns(ExprProgram *p, const ExprShared *shared, NodeState *node, uint32_t row)
{
    Batch *batch;
    TRY(node_next(node, &batch));
    if (batch && batch->selection.count > 1)
        return subplan_more_than_one();
    for (uint32_t c = 0; c < shared->count; c++) {
        Value value = {0};
        bool is_null = true;
        if (batch)
            vector_get(batch->columns[c], selection_row(batch->selection, 0), &value, &is_null);
        if (!is_null)
            value = value_copy(p->scratch, node->types[c], &value);
        vector_set(p->registers[shared->registers[c]], row, &value, is_null);
    }
    if (batch)
        TRY(node_next(node, &batch));
    return !batch || subplan_more_than_one();
}

/* The subquery's value, in scratch. */
static bool run_scalar(ExprProgram *p, NodeState *node, Value *ret, bool *ret_null)
{
    Batch *batch;
    *ret_null = true;
    TRY(node_next(node, &batch));
    if (!batch)
        return true;
    if (batch->selection.count > 1)
        return subplan_more_than_one();
    vector_get(batch->columns[0], selection_row(batch->selection, 0), ret, ret_null);
    if (!*ret_null)
        *ret = value_copy(p->scratch, node->types[0], ret);
    TRY(node_next(node, &batch));
    return !batch || subplan_more_than_one();
}

static bool run_array(ExprProgram *p, NodeState *node, Value *ret)
{
    ArrayBuilder array;
    array_builder_init(&array, p->scratch, node->plan->columns[0].type);
    for (;;) {
        Batch *batch;
        TRY(node_next(node, &batch));
        if (!batch)
            return subplan_array_finish(&array, ret);
        FOR_SELECTED (batch->selection, row) {
            Value value;
            bool is_null;
            vector_get(batch->columns[0], row, &value, &is_null);
            if (!is_null)
                value = value_copy(p->scratch, node->types[0], &value);
            array_builder_add(&array, &value, is_null);
        }
    }
}

/* ANY, ALL, ROW: the test over this row and each row of the subquery. */
static bool run_test(ExprProgram *p, ExprStep *step, const ExprInput *input, uint32_t row,
                     NodeState *node, Value *ret, bool *ret_null)
{
    const ExprSubPlan *expr = EXPR_AS(const ExprSubPlan, step->expr);
    SubPlanStep *state = step->data;
    bool any = expr->sublink == SUBLINK_ANY, is_row = expr->sublink == SUBLINK_ROW;
    bool seen_null = false;
    uint16_t at = (uint16_t)row;
    Selection one = {.rows = &at, .count = 1};
    uint64_t count = 0;
    ret->boolean = !any;
    *ret_null = is_row;
    for (;;) {
        Batch *batch;
        TRY(node_next(node, &batch));
        if (!batch)
            break;
        FOR_SELECTED (batch->selection, inner) {
            if (is_row && count++ > 0)
                return subplan_more_than_one();
            for (size_t c = 0; c < expr->output_params.length; c++)
                exec_param_set(p->exec, expr->output_params.items[c], batch->columns[c], inner);
            TRY(expr_run(state->test, input, one));
            Value answer;
            bool is_null;
            vector_get(state->test->results[0], row, &answer, &is_null);
            if (is_row) {
                *ret = answer;
                *ret_null = is_null;
            } else if (is_null) {
                seen_null = true;
            } else if (answer.boolean == any) {
                ret->boolean = any;
                *ret_null = false;
                return true;
            }
        }
    }
    if (!is_row)
        *ret_null = seen_null;
    return true;
}

/* ---- hashed IN ---- */

static uint64_t row_hash(const HashedSet *set, const Value *values)
{
    uint64_t hash = 0;
    for (uint32_t c = 0; c < set->layout.count; c++)
        hash = hash_combine(hash, hash_value(set->types[c], &values[c]));
    return hash;
}

static bool set_grow(HashedSet *set)
{
    uint32_t size = set->mask ? (set->mask + 1) * 4 : 1024;
    Row **heads = PACE_ARRAY(set->arena, Row *, size);
    TRY(heads);
    for (uint32_t i = 0; set->heads && i <= set->mask; i++) {
        CHECK_INTERRUPTS_EACH(i);
        for (Row *row = set->heads[i], *next; row; row = next) {
            next = row->next;
            row->next = heads[row->hash & (size - 1)];
            heads[row->hash & (size - 1)] = row;
        }
    }
    set->heads = heads;
    set->mask = size - 1;
    return true;
}

/* 1 equal, 0 different, -1 unknown because of nulls. */
static int row_matches(const HashedSet *set, const Row *row, const Value *values, const bool *nulls)
{
    int answer = 1;
    for (uint32_t c = 0; c < set->layout.count; c++) {
        Value value;
        bool is_null;
        row_value(&set->layout, row, c, &value, &is_null);
        if (is_null || nulls[c])
            answer = -1;
        else if (!type_equal(set->types[c], &value, &values[c]))
            return 0;
    }
    return answer;
}

static bool set_add(HashedSet *set, Vector *const *columns, uint32_t row)
{
    Value values[16];
    bool has_null = false;
    for (uint32_t c = 0; c < set->layout.count; c++) {
        bool is_null;
        vector_get(columns[c], row, &values[c], &is_null);
        has_null |= is_null;
    }
    Row *kept = row_make(&set->layout, set->arena, columns, row);
    set->count++;
    if (has_null) {
        kept->next = set->with_nulls;
        set->with_nulls = kept;
        return true;
    }
    if (!set->heads || set->count > set->mask)
        TRY(set_grow(set));
    kept->hash = row_hash(set, values);
    kept->next = set->heads[kept->hash & set->mask];
    set->heads[kept->hash & set->mask] = kept;
    return true;
}

static bool set_make(ExprProgram *p, ExprStep *step)
{
    const ExprSubPlan *expr = EXPR_AS(const ExprSubPlan, step->expr);
    SubPlanStep *state = step->data;
    HashedSet *set = &state->set;
    NodeState *node = subplan_of(p, expr)->node;
    TRY(node_rewind(node));
    pace_arena_reset(set->arena);
    set->heads = NULL;
    set->with_nulls = NULL;
    set->mask = 0;
    set->count = 0;
    node_fill_mark(node);
    for (;;) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(node, &batch));
        if (!batch)
            break;
        arena_reset(state->right_scratch);
        ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
        TRY(expr_run(state->right, &input, batch->selection));
        FOR_SELECTED (batch->selection, row)
            TRY(set_add(set, state->right->results, row));
    }
    set->is_made = true;
    return true;
}

static bool run_hashed(ExprProgram *p, ExprStep *step, uint32_t row, Value *ret, bool *ret_null)
{
    SubPlanStep *state = step->data;
    HashedSet *set = &state->set;
    Value values[16];
    bool nulls[16], any_null = false, unknown = false;
    *ret_null = false;
    ret->boolean = false;
    if (set->count == 0)
        return true;
    for (uint32_t c = 0; c < set->layout.count; c++) {
        vector_get(step->vectors[state->left_first + c], row, &values[c], &nulls[c]);
        any_null |= nulls[c];
    }
    if (!any_null && set->heads) {
        uint64_t hash = row_hash(set, values);
        for (Row *at = set->heads[hash & set->mask]; at; at = at->next)
            if (at->hash == hash && row_matches(set, at, values, nulls) == 1) {
                ret->boolean = true;
                return true;
            }
    }
    for (Row *at = set->with_nulls; at && !unknown; at = at->next)
        unknown = row_matches(set, at, values, nulls) != 0;
    for (uint32_t i = 0; any_null && !unknown && set->heads && i <= set->mask; i++)
        for (Row *at = set->heads[i]; at && !unknown; at = at->next)
            unknown = row_matches(set, at, values, nulls) != 0;
    *ret_null = unknown;
    return true;
}

/* ---- the step ---- */

static bool step_subplan(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprSubPlan *expr = EXPR_AS(const ExprSubPlan, step->expr);
    SubPlanStep *state = step->data;
    Vector *to = p->registers[step->result];
    ExprInput input = p->input;
    vector_begin(to, p->row_count);
    for (uint32_t c = 1; c < state->shared.count; c++)
        vector_begin(p->registers[state->shared.registers[c]], p->row_count);
    if (expr->is_hashed && selection.count > 0) {
        NodeState *node = subplan_of(p, expr)->node;
        if (!state->set.is_made || !node->started || node_is_stale(node))
            TRY(set_make(p, step));
    }
    FOR_SELECTED (selection, row) {
        Value value = {0};
        bool is_null = false;
        NodeState *node;
        Batch *batch;
        CHECK_INTERRUPTS();
        if (expr->is_hashed) {
            TRY(run_hashed(p, step, row, &value, &is_null));
        } else {
            TRY(subplan_begin(p, step, row, &node));
            if (expr->sublink == SUBLINK_EXISTS) {
                TRY(node_next(node, &batch));
                value.boolean = batch != NULL;
            } else if (expr->sublink == SUBLINK_ARRAY) {
                TRY(run_array(p, node, &value));
            } else if (expr->sublink == SUBLINK_MULTI) {
                TRY(run_columns(p, &state->shared, node, row));
                continue;
            } else if (expr->test) {
                TRY(run_test(p, step, &input, row, node, &value, &is_null));
            } else {
                TRY(run_scalar(p, node, &value, &is_null));
            }
        }
        vector_set(to, row, &value, is_null);
    }
    return true;
}

/* The registers of its columns, which other expressions of the program read too. */
static void share_columns(ExprBuilder *builder, const ExprSubPlan *expr, SubPlanStep *state)
{
    ExprProgram *p = builder->program;
    const Plan *plan = p->exec->stmt->subplans.items[expr->subplan].plan;
    ExprShared *shared = &state->shared;

    shared->subplan = expr->subplan;
    shared->count = (uint32_t)plan->column_count;
    shared->registers = ARENA_ARRAY(p->arena, uint32_t, shared->count);
    for (uint32_t c = 0; c < shared->count; c++)
        shared->registers[c] = expr_new_flat(builder, type_phys(plan->columns[c].type));
    VEC_PUSH(p->arena, &p->shared, *shared);
}

/* Has an expression before this one made the subquery run? */
static bool find_shared(const ExprProgram *p, const ExprSubPlan *expr, uint32_t *ret_register)
{
    for (size_t i = 0; expr->sublink == SUBLINK_MULTI && i < p->shared.length; i++)
        if (p->shared.items[i].subplan == expr->subplan) {
            *ret_register = p->shared.items[i].registers[expr->column];
            return true;
        }
    return false;
}

bool expr_build_subplan(ExprBuilder *builder, ExprSubPlan *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    if (find_shared(p, expr, ret_register))
        return true;
    uint32_t count = (uint32_t)(expr->args.length + expr->hash_left.length);
    uint32_t *args = ARENA_ARRAY(p->arena, uint32_t, count + 1);
    SubPlanStep *state = ARENA_NEW(p->arena, SubPlanStep);
    for (size_t i = 0; i < expr->args.length; i++)
        TRY(expr_build(builder, expr->args.items[i], &args[i]));
    state->left_first = (uint32_t)expr->args.length;
    for (size_t i = 0; i < expr->hash_left.length; i++)
        TRY(expr_build(builder, expr->hash_left.items[i], &args[state->left_first + i]));
    p->exec->stops_early |= expr->sublink == SUBLINK_EXISTS || expr->test;
    if (expr->test)
        TRY(state->test = expr_compile(p->exec, p->scratch, &expr->test, 1));
    if (expr->is_hashed) {
        uint32_t columns = (uint32_t)expr->hash_right.length;
        PhysType *types = ARENA_ARRAY(p->arena, PhysType, columns + 1);
        if (columns > 16)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("too many columns in a hashed IN"));
        state->set.types = ARENA_ARRAY(p->arena, Oid, columns + 1);
        for (uint32_t c = 0; c < columns; c++) {
            state->set.types[c] = expr->hash_right.items[c]->type;
            types[c] = type_phys(state->set.types[c]);
        }
        row_layout_init(&state->set.layout, p->arena, types, columns);
        state->right_scratch = exec_arena(p->exec, "hashed subplan input");
        state->set.arena = exec_arena(p->exec, "hashed subplan");
        TRY(state->right =
                expr_compile(p->exec, state->right_scratch, expr->hash_right.items, columns));
    }
    if (expr->sublink == SUBLINK_MULTI)
        share_columns(builder, expr, state);
    uint32_t result = state->shared.count > 0 ? state->shared.registers[0]
                                              : expr_new_flat(builder, type_phys(expr->base.type));
    ExprStep *step = expr_add_step(builder, step_subplan, &expr->base, result);
    expr_step_args(builder, step, args, count);
    step->data = state;
    *ret_register = state->shared.count > 0 ? state->shared.registers[expr->column] : result;
    return true;
}
