#include "executor/expr.h"
#include "executor/row_fields.h"
#include "types/record.h"

/*
 * Functions in FROM, one or several side by side (ROWS FROM): a set-returning one gives its rows,
 * any other exactly one. Where one ends before the others its columns are null.
 */

typedef struct ScannedFunction {
    ExprProgram *program; /* of the arguments; of the whole call where it returns no set */
    FunctionCall *call;   /* NULL: an expression like any other */
    void *cursor;
    Value *args, *values;
    bool *arg_nulls, *nulls;
    uint32_t arg_count, first_column, column_count;
    bool is_record, is_set, is_split, is_begun, is_done;
} ScannedFunction;

typedef struct FunctionScanState {
    NodeState base;
    ScannedFunction *functions;
    uint32_t function_count, column_count;
    bool with_ordinality;
    int64_t ordinal;
    Arena *args_arena;   /* as long as one pass */
    Arena *values_arena; /* as long as one batch */
    Vector **columns;
} FunctionScanState;

/* What the call is asked for, for functions that leave it to their caller. */
static RowShape *row_shape(Arena *arena, const RangeCall *range)
{
    const uint32_t count = (uint32_t)range->column_count;
    RowShape *shape = ARENA_NEW(arena, RowShape);
    Str *names = ARENA_ARRAY(arena, Str, count + 1);
    Oid *types = ARENA_ARRAY(arena, Oid, count + 1);
    int32_t *typmods = ARENA_ARRAY(arena, int32_t, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        names[i] = range->columns[i].name;
        types[i] = range->columns[i].type;
        typmods[i] = range->columns[i].typmod;
    }
    *shape = (RowShape){count, names, types, typmods};
    return shape;
}

static bool init_function(FunctionScanState *state, ScannedFunction *function,
                          const RangeCall *range)
{
    NodeState *node = &state->base;
    Arena *arena = node->exec->arena;
    Expr *expr = range->call;

    function->first_column = state->column_count;
    function->column_count = (uint32_t)range->column_count;
    state->column_count += function->column_count;
    function->values = ARENA_ARRAY(arena, Value, function->column_count + 1);
    function->nulls = ARENA_ARRAY(arena, bool, function->column_count + 1);
    const BuiltinType *type = builtin_type(expr->type);
    const bool is_row = expr->type == TYPE_RECORD || !type || type->kind == 'c';
    function->is_record = is_row;
    function->is_set = expr->kind == EXPR_FUNCTION && EXPR_AS(ExprFunction, expr)->returns_set;
    if (expr->kind != EXPR_FUNCTION || (!function->is_set && !range->has_definition_list)) {
        function->program = expr_compile(node->exec, state->args_arena, &expr, 1);
        return function->program != NULL;
    }
    ExprFunction *call = EXPR_AS(ExprFunction, expr);
    const uint32_t count = (uint32_t)call->args.length;
    Oid *types = ARENA_ARRAY(arena, Oid, count + 1);
    for (uint32_t i = 0; i < count; i++)
        types[i] = call->args.items[i]->type;
    function->arg_count = count;
    function->args = ARENA_ARRAY(arena, Value, count + 1);
    function->arg_nulls = ARENA_ARRAY(arena, bool, count + 1);
    function->call = expr_new_call(node->exec, &(CallSite){.function = call->function,
                                                           .arg_types = types,
                                                           .arg_count = (uint32_t)count,
                                                           .result_type = expr->type,
                                                           .collation = call->input_collation});
    TRY(function->call);
    function->call->is_variadic = call->is_variadic;
    /* Rows of a table's type come whole; those of any other record column by column. */
    if (expr->type == TYPE_RECORD)
        function->call->row_shape = row_shape(arena, range);
    else if (function->is_set && is_row)
        function->is_split = true;
    if (function->is_set && !function->call->function->set)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("function %s is not supported in FROM",
                                                       function->call->function->name));
    if (count > 0)
        TRY(function->program =
                expr_compile(node->exec, state->args_arena, call->args.items, count));
    return true;
}

static bool function_scan_init(NodeState *node)
{
    FunctionScanState *state = (FunctionScanState *)node;
    const FunctionScanPlan *plan = (const FunctionScanPlan *)node->plan;
    Arena *arena = node->exec->arena;

    state->args_arena = arena_new("function arguments");
    state->values_arena = arena_new("function rows");
    state->function_count = (uint32_t)plan->functions.length;
    state->functions = ARENA_ARRAY(arena, ScannedFunction, state->function_count + 1);
    state->with_ordinality = plan->with_ordinality;
    uint32_t total = 1;
    for (uint32_t i = 0; i < state->function_count; i++)
        total += (uint32_t)plan->functions.items[i].column_count;
    for (uint32_t i = 0; i < state->function_count; i++)
        TRY(init_function(state, &state->functions[i], &plan->functions.items[i]));
    state->columns = ARENA_ARRAY(arena, Vector *, total + 1);
    return node_init_projection(node);
}

static bool begin_function(FunctionScanState *state, ScannedFunction *function)
{
    function->is_begun = true;
    if (function->program)
        TRY(expr_run_scalar(function->program));
    if (!function->call)
        return true;
    bool any_null = false;
    assert(function->program || function->arg_count == 0);
    for (uint32_t i = 0; i < function->arg_count; i++) {
        vector_get(function->program->results[i], 0, &function->args[i], &function->arg_nulls[i]);
        any_null |= function->arg_nulls[i];
    }
    function->call->site_arena = state->args_arena;
    function->cursor = NULL;
    function->is_done = function->is_set && any_null && function->call->function->is_strict;
    return true;
}

/* The one value of what is no set. */
static bool one_value(const FunctionScanState *state, ScannedFunction *function, Value *ret,
                      bool *ret_null)
{
    if (!function->call) {
        vector_get(function->program->results[0], 0, ret, ret_null);
        return true;
    }
    function->call->arena = state->values_arena;
    *ret_null = false;
    return function_call(function->call, function->args, function->arg_nulls, ret, ret_null);
}

/* Is a record of just any fields what the query has listed? */
static bool check_shape(const FunctionScanState *state, const RowShape *shape, const Value *row)
{
    RowFields fields;

    return row_fields(state->values_arena, row, &fields) &&
           row_shape_check(shape, fields.types, fields.count);
}

/* A row's fields as the columns. */
static bool split(const FunctionScanState *state, ScannedFunction *function, const Value *row,
                  bool is_null)
{
    if (!is_null && function->call && function->call->row_shape)
        TRY(check_shape(state, function->call->row_shape, row));
    for (uint32_t c = 0; c < function->column_count; c++) {
        Oid type;
        function->nulls[c] = true;
        if (!is_null)
            TRY(record_field(row, c, &function->values[c], &function->nulls[c], &type));
    }
    return true;
}

static bool next_of_set(ScannedFunction *function, Value *values, bool *nulls)
{
    return function->call->function->set(function->call, function->args, function->arg_nulls,
                                         &function->cursor, values, nulls, &function->is_done);
}

/* The next row into values and nulls; is_done where there is none. */
static bool next_row(FunctionScanState *state, ScannedFunction *function)
{
    if (!function->is_begun)
        TRY(begin_function(state, function));
    if (function->is_done)
        return true;
    if (function->is_split) {
        Value row = {0};
        bool is_null = false;
        function->call->arena = state->values_arena;
        TRY(next_of_set(function, &row, &is_null));
        return function->is_done || split(state, function, &row, is_null);
    }
    if (function->is_set) {
        function->call->arena = state->values_arena;
        memset(function->nulls, 0, function->column_count);
        return next_of_set(function, function->values, function->nulls);
    }
    if (function->cursor) {
        function->is_done = true;
        return true;
    }
    function->cursor = function; /* its one row has been given */
    Value value = {0};
    bool is_null;
    TRY(one_value(state, function, &value, &is_null));
    if (!function->is_record) {
        function->values[0] = value;
        function->nulls[0] = is_null;
        return true;
    }
    return split(state, function, &value, is_null);
}

static void clear_columns(FunctionScanState *state)
{
    for (uint32_t c = 0; c < state->column_count + state->with_ordinality; c++)
        if (state->columns[c])
            vector_clear_nulls(state->columns[c], VECTOR_SIZE);
}

static bool fill(FunctionScanState *state, uint32_t *ret_count)
{
    uint32_t count = 0;
    for (; count < state->base.exec->batch_size; count++) {
        bool any = false;
        for (uint32_t f = 0; f < state->function_count; f++) {
            TRY(next_row(state, &state->functions[f]));
            any |= !state->functions[f].is_done;
        }
        if (!any)
            break;
        for (uint32_t f = 0; f < state->function_count; f++) {
            const ScannedFunction *function = &state->functions[f];
            for (uint32_t c = 0; c < function->column_count; c++) {
                Vector *v = state->columns[function->first_column + c];
                const bool is_null = function->is_done || function->nulls[c];
                if (v)
                    vector_set(v, count, &function->values[c], is_null);
            }
        }
        if (state->with_ordinality) {
            const Value ordinal = {.int64 = ++state->ordinal};
            vector_set(state->columns[state->column_count], count, &ordinal, false);
        }
    }
    *ret_count = count;
    return true;
}

/* Types of the columns: from the catalog's signature through the plan's own slots. */
typedef struct SlotTypes {
    Vector **columns;
    Arena *arena;
    uint32_t count;
} SlotTypes;

static bool note_slot(void *context, Expr *expr)
{
    SlotTypes *types = context;
    if (expr->kind == EXPR_SLOT) {
        const ExprSlot *slot = EXPR_AS(const ExprSlot, expr);
        if ((uint32_t)slot->column < types->count && !types->columns[slot->column])
            types->columns[slot->column] = vector_new(types->arena, type_phys(expr->type));
    }
    return expr_walk(expr, note_slot, types);
}

/* Columns that nothing reads get no vector. */
static void find_columns(FunctionScanState *state)
{
    const Plan *plan = state->base.plan;
    SlotTypes types = {state->columns, state->base.exec->arena,
                       state->column_count + state->with_ordinality};
    for (size_t i = 0; i < plan->targets.length; i++)
        (void)note_slot(&types, plan->targets.items[i]);
    for (size_t i = 0; i < plan->filter.length; i++)
        (void)note_slot(&types, plan->filter.items[i]);
    if (state->with_ordinality && !state->columns[state->column_count])
        state->columns[state->column_count] = vector_new(types.arena, PHYS_INT64);
}

static bool function_scan_next(NodeState *node, Batch **ret_batch)
{
    FunctionScanState *state = (FunctionScanState *)node;
    *ret_batch = NULL;
    while (!*ret_batch) {
        uint32_t count;
        CHECK_INTERRUPTS();
        node_scratch_reset(node);
        arena_reset(state->values_arena);
        clear_columns(state);
        TRY(fill(state, &count));
        if (count == 0)
            return true;
        ExprInput input = {.slots = {state->columns, NULL}, .row_count = count};
        TRY(node_project(node, &input, (Selection){.count = count}, ret_batch));
    }
    return true;
}

static void restart(FunctionScanState *state)
{
    for (uint32_t f = 0; f < state->function_count; f++) {
        state->functions[f].is_begun = state->functions[f].is_done = false;
        state->functions[f].cursor = NULL;
    }
    state->ordinal = 0;
    arena_reset(state->args_arena);
}

static bool function_scan_rewind(NodeState *node)
{
    restart((FunctionScanState *)node);
    return true;
}

static void function_scan_stop(NodeState *node)
{
    restart((FunctionScanState *)node);
}

static void function_scan_free(NodeState *node)
{
    arena_free(((FunctionScanState *)node)->args_arena);
    arena_free(((FunctionScanState *)node)->values_arena);
}

static bool function_scan_init_all(NodeState *node)
{
    TRY(function_scan_init(node));
    find_columns((FunctionScanState *)node);
    return true;
}

const NodeMethods node_function_scan_methods = {
    .size = sizeof(FunctionScanState),
    .init = function_scan_init_all,
    .next = function_scan_next,
    .rewind = function_scan_rewind,
    .stop = function_scan_stop,
    .free = function_scan_free,
};
