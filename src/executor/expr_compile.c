#include "executor/expr.h"

#include "base/scheduler.h"
#include "catalog/lookup.h"
#include "executor/expr_steps.h"

#define STACK_RESERVE 24576

/* ---- registers ---- */

static uint32_t register_add(ExprProgram *p, Vector *vector)
{
    if (p->register_count == p->register_capacity) {
        uint32_t more = p->register_capacity ? p->register_capacity * 2 : 16;
        p->registers = arena_grow(p->arena, p->registers, p->register_capacity * sizeof(Vector *),
                                  more * sizeof(Vector *));
        p->register_capacity = more;
    }
    p->registers[p->register_count] = vector;
    return p->register_count++;
}

uint32_t expr_new_flat(ExprBuilder *builder, PhysType type)
{
    ExprProgram *p = builder->program;
    Vector *vector = ARENA_NEW(p->arena, Vector);
    vector->type = type;
    uint32_t reg = register_add(p, vector);
    VEC_PUSH(p->arena, &p->flats, reg);
    return reg;
}

static uint32_t expr_new_constant(ExprBuilder *builder, Oid type, const Value *value, bool is_null)
{
    ExprProgram *p = builder->program;
    Value zero = {0};
    return register_add(
        p, vector_new_constant(p->arena, type_phys(type), is_null ? &zero : value, is_null));
}

uint32_t expr_new_buffer(ExprBuilder *builder)
{
    ExprProgram *p = builder->program;
    VEC_PUSH(p->arena, &p->buffers, NULL);
    return (uint32_t)p->buffers.length - 1;
}

bool expr_register_is_constant(const ExprBuilder *builder, uint32_t reg)
{
    const Vector *vector = builder->program->registers[reg];
    return vector && vector->constant;
}

/* The registers of input columns are made on first use and shared. */
static uint32_t slot_register(ExprBuilder *builder, const ExprSlot *slot)
{
    ExprProgram *p = builder->program;
    for (size_t i = 0; i < p->loads.length; i++)
        if (p->loads.items[i].child == (uint32_t)slot->child &&
            p->loads.items[i].column == (uint32_t)slot->column)
            return p->loads.items[i].reg;
    uint32_t reg = register_add(p, NULL);
    ExprLoad load = {.reg = reg, .child = (uint32_t)slot->child, .column = (uint32_t)slot->column};
    VEC_PUSH(p->arena, &p->loads, load);
    return reg;
}

/* ---- steps ---- */

ExprStep *expr_add_step(ExprBuilder *builder, ExprStepFunction *run, const Expr *expr,
                        uint32_t result)
{
    Arena *arena = builder->program->arena;
    ExprStep *step = ARENA_NEW(arena, ExprStep);
    step->run = run;
    step->expr = expr;
    step->result = result;
    step->buffers[0] = step->buffers[1] = EXPR_NO_REGISTER;
    VEC_PUSH(arena, &builder->steps, step);
    return step;
}

void expr_step_args(ExprBuilder *builder, ExprStep *step, const uint32_t *args, uint32_t count)
{
    Arena *arena = builder->program->arena;
    step->args = arena_copy(arena, args, count * sizeof(uint32_t));
    step->arg_count = count;
    step->vectors = ARENA_ARRAY(arena, const Vector *, count + 1);
}

bool expr_build_block(ExprBuilder *parent, Expr *expr, ExprBlock *ret_block)
{
    ExprBuilder builder = {.program = parent->program, .depth = parent->depth + 1};
    uint32_t result;
    TRY(expr_build(&builder, expr, &result));
    *ret_block = (ExprBlock){
        .steps = builder.steps.items, .count = (uint32_t)builder.steps.length, .result = result};
    return true;
}

/* Marks the step constant when all its arguments are: it then runs for one row only. */
static void step_fold(ExprBuilder *builder, ExprStep *step, bool is_volatile)
{
    if (is_volatile)
        return;
    for (uint32_t i = 0; i < step->arg_count; i++)
        if (!expr_register_is_constant(builder, step->args[i]))
            return;
    step->is_constant = true;
    builder->program->registers[step->result]->constant = true;
}

/* Volatile, but it changes nothing, and looks at nothing that another call changes. */
static bool is_harmless(Oid function)
{
    static const Oid harmless[] = {
        274,              /* timeofday */
        1598,             /* random */
        2168,             /* pg_database_size */
        2286,             /* pg_total_relation_size */
        2322,             /* pg_tablespace_size */
        2323, 2324, 2325, /* their kin */
        2332,             /* pg_relation_size */
        2649,             /* clock_timestamp */
        2997,             /* pg_table_size */
        2998,             /* pg_indexes_size */
        3432,             /* gen_random_uuid */
    };
    bool found = false;
    for (size_t i = 0; i < ARRAY_LENGTH(harmless) && !found; i++)
        found = harmless[i] == function;
    return found;
}

FunctionCall *expr_new_call(ExecState *exec, const CallSite *site)
{
    const Oid function = site->function;
    const BuiltinFunction *builtin = builtin_function(function);
    if (!builtin) {
        const FunctionDesc *desc = function_find(&exec->session->catalog, function);
        if (!desc)
            FAIL(ERR_INTERNAL_ERROR,
                 .message = fmt("cache lookup failed for function %u", function));
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("function %.*s is not supported",
                            STR_ARGS(function_signature(&exec->session->catalog, desc))));
    }
    exec->is_volatile |= builtin->volatility == 'v';
    exec->has_effects |= builtin->volatility == 'v' && !is_harmless(function);
    FunctionCall *call = ARENA_NEW(exec->arena, FunctionCall);
    call->arena = exec->arena;
    call->site_arena = exec->arena;
    call->function = builtin;
    call->arg_types = arena_copy(exec->arena, site->arg_types, site->arg_count * sizeof(Oid));
    call->arg_count = (int)site->arg_count;
    call->result_type = site->result_type;
    call->result_typmod = -1;
    call->collation = site->collation;
    call->session = exec->session;
    call->transaction_time = exec->session->transaction_start;
    call->statement_time = exec->session->statement_start;
    VEC_PUSH(exec->arena, &exec->calls, call);
    return call;
}

/* Adds a function step over registers; its result is of `expr`'s type. */
static bool expr_build_call(ExprBuilder *builder, const Expr *expr, CallSite site,
                            const uint32_t *args, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    site.result_type = expr->type;
    FunctionCall *call = expr_new_call(p->exec, &site);
    TRY(call);
    call->arena = p->scratch;
    call->result_typmod = expr->typmod;
    if (call->function->kind != FUNCTION_SCALAR || !call->function->scalar)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("function %s cannot be called here", call->function->name));
    uint32_t result = expr_new_flat(builder, type_phys(expr->type));
    ExprStep *step = expr_add_step(builder, step_function, expr, result);
    expr_step_args(builder, step, args, site.arg_count);
    step->call = call;
    step_fold(builder, step, call->function->volatility == 'v');
    *ret_register = result;
    return true;
}

/* ---- calls ---- */

/* The arguments into registers, and their types into the site. */
static bool build_list(ExprBuilder *builder, const ExprVec *list, uint32_t **ret_args,
                       CallSite *site)
{
    Arena *arena = builder->program->arena;
    uint32_t *args = ARENA_ARRAY(arena, uint32_t, list->length + 1);
    Oid *types = ARENA_ARRAY(arena, Oid, list->length + 1);
    for (size_t i = 0; i < list->length; i++) {
        TRY(expr_build(builder, list->items[i], &args[i]));
        types[i] = list->items[i]->type;
    }
    *ret_args = args;
    site->arg_types = types;
    site->arg_count = (uint32_t)list->length;
    return true;
}

/* A set-returning call: ProjectSet fills its register, so it only needs its arguments. */
static bool build_set_call(ExprBuilder *builder, const ExprFunction *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    if (!p->allows_sets)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("set-valued function called in context that cannot accept a set"));
    size_t count = expr->args.length;
    Oid *types = ARENA_ARRAY(p->arena, Oid, count + 1);
    ExprSetCall set = {.args = ARENA_ARRAY(p->arena, ExprBlock, count + 1),
                       .arg_count = (uint32_t)count};
    p->allows_sets = false;
    for (size_t i = 0; i < count; i++) {
        types[i] = expr->args.items[i]->type;
        TRY(expr_build_block(builder, expr->args.items[i], &set.args[i]));
    }
    p->allows_sets = true;
    set.call = expr_new_call(p->exec, &(CallSite){.function = expr->function,
                                                  .arg_types = types,
                                                  .arg_count = (uint32_t)count,
                                                  .result_type = expr->base.type,
                                                  .collation = expr->input_collation});
    TRY(set.call);
    set.call->is_variadic = expr->is_variadic;
    if (!set.call->function->set)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("function %s does not return a set", set.call->function->name));
    set.output_types = expr->output_types;
    set.output_count = (uint32_t)expr->output_count;
    set.vector = vector_new(p->arena, type_phys(expr->base.type));
    set.reg = register_add(p, set.vector);
    VEC_PUSH(p->arena, &p->set_calls, set);
    *ret_register = set.reg;
    return true;
}

static bool build_function(ExprBuilder *builder, const ExprFunction *expr, uint32_t *ret_register)
{
    if (expr->returns_set)
        return build_set_call(builder, expr, ret_register);
    CallSite site = {.function = expr->function, .collation = expr->input_collation};
    uint32_t *args;
    TRY(build_list(builder, &expr->args, &args, &site));
    TRY(expr_build_call(builder, &expr->base, site, args, ret_register));
    VEC_LAST(&builder->steps)->call->is_variadic = expr->is_variadic;
    return true;
}

static bool build_operator(ExprBuilder *builder, const ExprOperator *expr, uint32_t *ret_register)
{
    CallSite site = {.function = expr->function, .collation = expr->input_collation};
    uint32_t *args;
    TRY(build_list(builder, &expr->args, &args, &site));
    return expr_build_call(builder, &expr->base, site, args, ret_register);
}

static bool build_cast(ExprBuilder *builder, ExprCast *expr, uint32_t *ret_register)
{
    Expr *arg = expr->args.items[0];
    switch (expr->cast) {
    case CAST_RELABEL:
        return expr_build(builder, arg, ret_register);
    case CAST_FUNCTION: {
        CallSite site = {.function = expr->function, .collation = expr->base.collation};
        uint32_t *args;
        TRY(build_list(builder, &expr->args, &args, &site));
        return expr_build_call(builder, &expr->base, site, args, ret_register);
    }
    case CAST_IO: {
        uint32_t from;
        TRY(expr_build(builder, arg, &from));
        uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
        ExprStep *step = expr_add_step(builder, step_cast_io, &expr->base, result);
        expr_step_args(builder, step, &from, 1);
        step_fold(builder, step, false);
        *ret_register = result;
        return true;
    }
    case CAST_ARRAY:
        return expr_build_array_cast(builder, expr, ret_register);
    }
    FAIL(ERR_INTERNAL_ERROR, .message = fmt("unknown cast %d", expr->cast));
}

/* ---- choosing steps ---- */

static bool build_blocks(ExprBuilder *builder, ExprStep *step, const ExprVec *list)
{
    step->blocks = ARENA_ARRAY(builder->program->arena, ExprBlock, list->length + 1);
    step->block_count = (uint32_t)list->length;
    for (size_t i = 0; i < list->length; i++)
        TRY(expr_build_block(builder, list->items[i], &step->blocks[i]));
    return true;
}

/* A step over blocks that narrows the selection; two buffers hold what is left to do. */
static bool build_choice(ExprBuilder *builder, ExprStepFunction *run, const Expr *expr,
                         const ExprVec *list, uint32_t *ret_register)
{
    uint32_t result = expr_new_flat(builder, type_phys(expr->type));
    ExprStep *step = expr_add_step(builder, run, expr, result);
    step->buffers[0] = expr_new_buffer(builder);
    step->buffers[1] = expr_new_buffer(builder);
    *ret_register = result;
    return build_blocks(builder, step, list);
}

static bool build_bool(ExprBuilder *builder, const ExprBool *expr, uint32_t *ret_register)
{
    if (expr->op != BOOL_NOT)
        return build_choice(builder, expr->op == BOOL_AND ? step_and : step_or, &expr->base,
                            &expr->args, ret_register);
    uint32_t arg;
    TRY(expr_build(builder, expr->args.items[0], &arg));
    uint32_t result = expr_new_flat(builder, PHYS_BOOL);
    ExprStep *step = expr_add_step(builder, step_not, &expr->base, result);
    expr_step_args(builder, step, &arg, 1);
    step_fold(builder, step, false);
    *ret_register = result;
    return true;
}

/* One argument, a step that looks at it: IS NULL, IS TRUE … */
static bool build_unary(ExprBuilder *builder, ExprStepFunction *run, const Expr *expr, Expr *arg,
                        uint32_t *ret_register)
{
    uint32_t reg;
    TRY(expr_build(builder, arg, &reg));
    uint32_t result = expr_new_flat(builder, type_phys(expr->type));
    ExprStep *step = expr_add_step(builder, run, expr, result);
    expr_step_args(builder, step, &reg, 1);
    step_fold(builder, step, false);
    *ret_register = result;
    return true;
}

static bool build_null_test(ExprBuilder *builder, ExprNullTest *expr, uint32_t *ret_register)
{
    if (expr->arg_is_row)
        return expr_build_row_null_test(builder, expr, ret_register);
    return build_unary(builder, step_null_test, &expr->base, expr->arg, ret_register);
}

/* Blocks: condition, result, condition, result …, otherwise. */
static bool build_case(ExprBuilder *builder, const ExprCase *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    uint32_t outer_test = p->case_test;
    uint32_t operand = EXPR_NO_REGISTER;
    if (expr->operand)
        TRY(expr_build(builder, expr->operand, &operand));
    uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
    ExprStep *step = expr_add_step(builder, step_case, &expr->base, result);
    step->buffers[0] = expr_new_buffer(builder);
    step->buffers[1] = expr_new_buffer(builder);
    size_t whens = expr->whens.length;
    step->block_count = (uint32_t)whens * 2 + 1;
    step->blocks = ARENA_ARRAY(p->arena, ExprBlock, step->block_count);
    for (size_t i = 0; i < whens; i++) {
        p->case_test = expr->operand ? operand : outer_test;
        TRY(expr_build_block(builder, expr->whens.items[i].condition, &step->blocks[2 * i]));
        p->case_test = outer_test;
        TRY(expr_build_block(builder, expr->whens.items[i].result, &step->blocks[2 * i + 1]));
    }
    TRY(expr_build_block(builder, expr->otherwise, &step->blocks[2 * whens]));
    *ret_register = result;
    return true;
}

static bool build_min_max(ExprBuilder *builder, const ExprMinMax *expr, uint32_t *ret_register)
{
    uint32_t *args;
    CallSite site = {0};
    TRY(build_list(builder, &expr->args, &args, &site));
    uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
    ExprStep *step = expr_add_step(builder, step_min_max, &expr->base, result);
    expr_step_args(builder, step, args, (uint32_t)expr->args.length);
    step_fold(builder, step, false);
    *ret_register = result;
    return true;
}

/* Adds the boolean step `function(left, right)` to which NULLIF and IS DISTINCT FROM look. */
static bool build_equality(ExprBuilder *builder, CallSite site, const uint32_t *args, int position,
                           uint32_t *ret_register)
{
    Expr *boolean = ARENA_NEW(builder->program->arena, Expr);
    *boolean = (Expr){.kind = EXPR_OPERATOR, .type = TYPE_BOOL, .typmod = -1, .position = position};
    return expr_build_call(builder, boolean, site, args, ret_register);
}

static bool build_null_if(ExprBuilder *builder, const ExprNullIf *expr, uint32_t *ret_register)
{
    uint32_t args[2], equal, value;
    TRY(expr_build(builder, expr->left, &args[0]));
    TRY(expr_build(builder, expr->right, &args[1]));
    const Oid types[] = {expr->left->type, expr->right->type};
    const CallSite site = {.function = expr->function,
                           .arg_types = types,
                           .arg_count = 2,
                           .collation = expr->input_collation};
    TRY(build_equality(builder, site, args, expr->base.position, &equal));
    value = args[0];
    if (expr->value && expr->value != expr->left)
        TRY(expr_build(builder, expr->value, &value));
    uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
    ExprStep *step = expr_add_step(builder, step_null_if, &expr->base, result);
    expr_step_args(builder, step, (uint32_t[]){equal, value}, 2);
    step_fold(builder, step, false);
    *ret_register = result;
    return true;
}

static bool build_distinct(ExprBuilder *builder, const ExprDistinct *expr, uint32_t *ret_register)
{
    uint32_t args[3];
    TRY(expr_build(builder, expr->left, &args[0]));
    TRY(expr_build(builder, expr->right, &args[1]));
    const Oid types[] = {expr->left->type, expr->right->type};
    const CallSite site = {.function = expr->function,
                           .arg_types = types,
                           .arg_count = 2,
                           .collation = expr->input_collation};
    TRY(build_equality(builder, site, args, expr->base.position, &args[2]));
    uint32_t result = expr_new_flat(builder, PHYS_BOOL);
    ExprStep *step = expr_add_step(builder, step_distinct, &expr->base, result);
    expr_step_args(builder, step, args, 3);
    step_fold(builder, step, false);
    *ret_register = result;
    return true;
}

static Vector *external_vector(ExecState *exec, const ExprParam *expr)
{
    while (exec->externals.length < (size_t)expr->number)
        VEC_PUSH(exec->arena, &exec->externals, NULL);
    Vector **place = &exec->externals.items[expr->number - 1];
    if (!*place)
        *place = vector_new_constant(exec->arena, type_phys(expr->base.type), &(Value){0}, true);
    return *place;
}

static bool build_param(ExprBuilder *builder, const ExprParam *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    ExecState *exec = p->exec;
    if (expr->param_kind == PARAM_EXTERNAL) {
        if (expr->number < 1 || expr->number > UINT16_MAX)
            FAIL(ERR_UNDEFINED_PARAMETER, .message = fmt("there is no parameter $%d", expr->number),
                 .position = expr->base.position);
        *ret_register = register_add(p, external_vector(exec, expr));
        return true;
    }
    if (expr->number < 0 || (uint32_t)expr->number >= exec->param_count)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("no parameter %d in this plan", expr->number));
    exec->params[expr->number].vector.type = type_phys(expr->base.type);
    *ret_register = register_add(p, &exec->params[expr->number].vector);
    if (exec->stmt && exec->stmt->params.items[expr->number].init_plan >= 0)
        expr_add_step(builder, step_init_param, &expr->base, *ret_register);
    return true;
}

/* ---- dispatch ---- */

bool expr_build(ExprBuilder *builder, Expr *expr, uint32_t *ret_register)
{
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"),
             .hint = STR("Increase the configuration parameter \"max_stack_depth\" (currently "
                         "2048kB), after ensuring the platform's stack depth limit is adequate."));
    switch (expr->kind) {
    case EXPR_CONST: {
        const ExprConst *c = EXPR_AS(ExprConst, expr);
        *ret_register = expr_new_constant(builder, expr->type, &c->value, c->is_null);
        return true;
    }
    case EXPR_SLOT:
        *ret_register = slot_register(builder, EXPR_AS(ExprSlot, expr));
        return true;
    case EXPR_PARAM:
        return build_param(builder, EXPR_AS(ExprParam, expr), ret_register);
    case EXPR_FUNCTION:
        return build_function(builder, EXPR_AS(ExprFunction, expr), ret_register);
    case EXPR_OPERATOR:
        return build_operator(builder, EXPR_AS(ExprOperator, expr), ret_register);
    case EXPR_SCALAR_ARRAY:
        return expr_build_scalar_array(builder, EXPR_AS(ExprScalarArray, expr), ret_register);
    case EXPR_BOOL:
        return build_bool(builder, EXPR_AS(ExprBool, expr), ret_register);
    case EXPR_NULL_TEST:
        return build_null_test(builder, EXPR_AS(ExprNullTest, expr), ret_register);
    case EXPR_BOOLEAN_TEST:
        return build_unary(builder, step_boolean_test, expr, EXPR_AS(ExprBooleanTest, expr)->arg,
                           ret_register);
    case EXPR_CASE:
        return build_case(builder, EXPR_AS(ExprCase, expr), ret_register);
    case EXPR_CASE_TEST:
        if (builder->program->case_test == EXPR_NO_REGISTER)
            FAIL(ERR_INTERNAL_ERROR, .message = STR("CASE operand outside of CASE"));
        *ret_register = builder->program->case_test;
        return true;
    case EXPR_COALESCE:
        return build_choice(builder, step_coalesce, expr, &EXPR_AS(ExprCoalesce, expr)->args,
                            ret_register);
    case EXPR_MIN_MAX:
        return build_min_max(builder, EXPR_AS(ExprMinMax, expr), ret_register);
    case EXPR_NULLIF:
        return build_null_if(builder, EXPR_AS(ExprNullIf, expr), ret_register);
    case EXPR_DISTINCT:
        return build_distinct(builder, EXPR_AS(ExprDistinct, expr), ret_register);
    case EXPR_ARRAY:
        return expr_build_array(builder, EXPR_AS(ExprArray, expr), ret_register);
    case EXPR_ROW:
        return expr_build_row(builder, EXPR_AS(ExprRow, expr), ret_register);
    case EXPR_ROW_COMPARE:
        return expr_build_row_compare(builder, EXPR_AS(ExprRowCompare, expr), ret_register);
    case EXPR_SUBSCRIPT:
        return expr_build_subscript(builder, EXPR_AS(ExprSubscript, expr), ret_register);
    case EXPR_FIELD_SELECT:
        return expr_build_field(builder, EXPR_AS(ExprFieldSelect, expr), ret_register);
    case EXPR_CAST:
        return build_cast(builder, EXPR_AS(ExprCast, expr), ret_register);
    case EXPR_COLLATE:
        return expr_build(builder, EXPR_AS(ExprCollate, expr)->arg, ret_register);
    case EXPR_SUB_PLAN:
        return expr_build_subplan(builder, EXPR_AS(ExprSubPlan, expr), ret_register);
    case EXPR_SQL_VALUE:
        return expr_build_sql_value(builder, EXPR_AS(ExprSqlValue, expr), ret_register);
    case EXPR_NEXT_VALUE:
        return expr_build_next_value(builder, EXPR_AS(ExprNextValue, expr), ret_register);
    case EXPR_COLUMN:
    case EXPR_SUB_LINK:
    case EXPR_AGGREGATE:
    case EXPR_GROUPING:
    case EXPR_WINDOW_FUNCTION:
    case EXPR_DEFAULT:
    case EXPR_CURRENT_OF:
        break;
    }
    FAIL(ERR_INTERNAL_ERROR, .message = fmt("expression kind %d in a plan", (int)expr->kind),
         .position = expr->position);
}

/* ---- programs ---- */

static ExprProgram *compile(ExecState *exec, Arena *scratch, Expr *const *exprs, uint32_t count,
                            bool allows_sets)
{
    ExprProgram *p = ARENA_NEW(exec->arena, ExprProgram);
    p->exec = exec;
    p->arena = exec->arena;
    p->scratch = scratch;
    p->allows_sets = allows_sets;
    p->case_test = EXPR_NO_REGISTER;
    p->count = count;
    p->blocks = ARENA_ARRAY(p->arena, ExprBlock, count + 1);
    p->results = ARENA_ARRAY(p->arena, Vector *, count + 1);
    ExprBuilder root = {.program = p};
    for (uint32_t i = 0; i < count; i++)
        TRY(expr_build_block(&root, exprs[i], &p->blocks[i]));
    return p;
}

ExprProgram *expr_compile(ExecState *exec, Arena *scratch, Expr *const *exprs, uint32_t count)
{
    return compile(exec, scratch, exprs, count, false);
}

ExprProgram *expr_compile_sets(ExecState *exec, Arena *scratch, Expr *const *exprs, uint32_t count)
{
    return compile(exec, scratch, exprs, count, true);
}
