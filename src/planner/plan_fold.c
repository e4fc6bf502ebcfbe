#include "base/pace.h"
#include "base/scheduler.h"
#include "planner/plan_internal.h"
#include "types/array.h"
#include "types/function.h"

/*
 * Constants are computed at planning, and what fails there fails the statement, as in PostgreSQL:
 * an error in a branch that CASE, AND, OR or COALESCE is known not to reach is never met.
 */
typedef struct Fold {
    Planner *planner;
    Expr *case_value; /* what EXPR_CASE_TEST stands for, where that is a constant */
} Fold;

static Expr *fold_step(void *context, Expr *expr);

static bool all_constant(const ExprVec *args)
{
    for (size_t i = 0; i < args->length; i++)
        if (args->items[i]->kind != EXPR_CONST)
            return false;
    return true;
}

static Expr *constant_like(const Planner *planner, const Expr *like, Value value, bool is_null)
{
    if (!is_null && type_phys(like->type) == PHYS_VAR && value.var.length > 0)
        TRY(value.var.data = pace_arena_copy(planner->arena, value.var.data, value.var.length));
    return &expr_const(planner->arena, like->type, like->typmod, like->collation, value, is_null,
                       like->position)
                ->base;
}

/* ---- calls ---- */

static Expr *fold_call(Planner *planner, Expr *expr, Oid oid, const ExprVec *args,
                       Oid input_collation, bool is_variadic)
{
    const FunctionDesc *desc = function_find(planner->session, oid);
    const BuiltinFunction *function = builtin_function(oid);
    enum { ROOM = 8 };
    Value values[ROOM], result = {0};
    bool nulls[ROOM], is_null = false;
    Oid types[ROOM];

    if (!desc || desc->volatility != 'i' || desc->returns_set || !function || !function->scalar ||
        args->length > ROOM || !all_constant(args) || expr->type == TYPE_RECORD)
        return expr;
    for (size_t i = 0; i < args->length; i++) {
        const ExprConst *constant = EXPR_AS(const ExprConst, args->items[i]);
        values[i] = constant->value;
        nulls[i] = constant->is_null;
        types[i] = constant->base.type;
        if (constant->is_null && desc->strict)
            return constant_like(planner, expr, (Value){0}, true);
    }
    FunctionCall call = {.arena = planner->arena,
                         .site_arena = planner->arena,
                         .function = function,
                         .arg_types = types,
                         .arg_count = (int)args->length,
                         .result_type = expr->type,
                         .result_typmod = expr->typmod,
                         .collation = input_collation,
                         .is_variadic = is_variadic,
                         .session = planner->session};
    if (!function_call(&call, values, nulls, &result, &is_null)) {
        if (desc->language == LANGUAGE_SQL)
            error_add_context(fmt("SQL function \"%.*s\" statement 1", STR_ARGS(desc->name)));
        return NULL;
    }
    return constant_like(planner, expr, result, is_null);
}

static bool is_immutable(const Planner *planner, Oid function)
{
    const FunctionDesc *desc = function_find(planner->session, function);
    return desc && desc->volatility == 'i';
}

/* Through text: only where neither output nor input depends on settings. */
static Expr *fold_io(const Planner *planner, Expr *expr, const ExprConst *arg)
{
    const TypeDesc *from = type_find(planner->session, arg->base.type);
    const TypeDesc *to = type_find(planner->session, expr->type);
    StrBuf text = strbuf_in(planner->arena);
    Value value = {0};

    if (!from || !to || from->kind != 'b' || to->kind != 'b' || type_is_array(from) ||
        type_is_array(to) || !is_immutable(planner, from->output) ||
        !is_immutable(planner, to->input))
        return expr;
    if (!arg->is_null) {
        TRY(type_output(arg->base.type, &arg->value, &text));
        TRY(type_input(planner->arena, expr->type, -1, strbuf_view(&text), &value));
    }
    return constant_like(planner, expr, value, arg->is_null);
}

static Expr *fold_cast(Planner *planner, Expr *expr)
{
    const ExprCast *cast = EXPR_AS(const ExprCast, expr);
    if (cast->args.items[0]->kind != EXPR_CONST)
        return expr;
    const ExprConst *arg = EXPR_AS(const ExprConst, cast->args.items[0]);
    switch (cast->cast) {
    case CAST_FUNCTION:
        return fold_call(planner, expr, cast->function, &cast->args, expr->collation, false);
    case CAST_IO:
        return fold_io(planner, expr, arg);
    case CAST_RELABEL:
        if (type_phys(arg->base.type) != type_phys(expr->type))
            return expr;
        return constant_like(planner, expr, arg->value, arg->is_null);
    case CAST_ARRAY:
        return arg->is_null ? constant_like(planner, expr, (Value){0}, true) : expr;
    }
    return expr;
}

/* ---- logic ---- */

static bool const_bool(const Expr *expr, bool *ret_value, bool *ret_null)
{
    if (expr->kind != EXPR_CONST)
        return false;
    *ret_null = EXPR_AS(const ExprConst, expr)->is_null;
    *ret_value = !*ret_null && EXPR_AS(const ExprConst, expr)->value.boolean;
    return true;
}

/* The arguments in order, up to one that decides. */
static Expr *fold_and_or(Fold *fold, Expr *expr)
{
    const ExprBool *b = EXPR_AS(const ExprBool, expr);
    Arena *arena = fold->planner->arena;
    ExprVec kept = {0};
    bool has_null = false, changed = false;

    for (size_t i = 0; i < b->args.length; i++) {
        bool value, is_null;
        Expr *arg = fold_step(fold, b->args.items[i]);
        TRY(arg);
        changed |= arg != b->args.items[i];
        if (!const_bool(arg, &value, &is_null)) {
            VEC_PUSH(arena, &kept, arg);
            continue;
        }
        if (is_null)
            has_null = true;
        else if (value == (b->op == BOOL_OR))
            return expr_bool(arena, value);
    }
    if (has_null)
        VEC_PUSH(arena, &kept, expr_null(arena, TYPE_BOOL, -1, 0));
    if (kept.length == b->args.length && !changed)
        return expr;
    if (kept.length == 0)
        return expr_bool(arena, b->op == BOOL_AND);
    if (kept.length == 1)
        return kept.items[0];
    ExprBool *copy = arena_copy(arena, b, sizeof(*b));
    copy->args = kept;
    return &copy->base;
}

static Expr *negate(const Planner *planner, Expr *expr);

/* not (a and b) is (not a) or (not b), and the other way round. */
static Expr *negate_and_or(const Planner *planner, Expr *expr)
{
    ExprBool *copy = arena_copy(planner->arena, expr, sizeof(ExprBool));
    copy->op = copy->op == BOOL_AND ? BOOL_OR : BOOL_AND;
    copy->args = (ExprVec){0};
    for (size_t i = 0; i < EXPR_AS(const ExprBool, expr)->args.length; i++)
        VEC_PUSH(planner->arena, &copy->args,
                 negate(planner, EXPR_AS(const ExprBool, expr)->args.items[i]));
    return &copy->base;
}

static BooleanTestKind boolean_test_negated(BooleanTestKind test)
{
    static const BooleanTestKind negated[] = {
        [BOOLEAN_IS_TRUE] = BOOLEAN_IS_NOT_TRUE,
        [BOOLEAN_IS_NOT_TRUE] = BOOLEAN_IS_TRUE,
        [BOOLEAN_IS_FALSE] = BOOLEAN_IS_NOT_FALSE,
        [BOOLEAN_IS_NOT_FALSE] = BOOLEAN_IS_FALSE,
        [BOOLEAN_IS_UNKNOWN] = BOOLEAN_IS_NOT_UNKNOWN,
        [BOOLEAN_IS_NOT_UNKNOWN] = BOOLEAN_IS_UNKNOWN,
    };
    return negated[test];
}

/* NOT goes down to the operators that have a negator, so that indexes can serve them. */
static Expr *negate(const Planner *planner, Expr *expr)
{
    Arena *arena = planner->arena;
    switch (expr->kind) {
    case EXPR_OPERATOR: {
        ExprOperator *copy = arena_copy(arena, expr, sizeof(ExprOperator));
        const OperatorDesc *op = operator_find(planner->session, copy->op);
        const OperatorDesc *negator =
            op && op->negator ? operator_find(planner->session, op->negator) : NULL;
        if (!negator || copy->returns_set)
            break;
        copy->op = negator->oid;
        copy->function = negator->function;
        return &copy->base;
    }
    case EXPR_SCALAR_ARRAY: {
        ExprScalarArray *copy = arena_copy(arena, expr, sizeof(ExprScalarArray));
        const OperatorDesc *op = operator_find(planner->session, copy->op);
        const OperatorDesc *negator =
            op && op->negator ? operator_find(planner->session, op->negator) : NULL;
        if (!negator)
            break;
        copy->op = negator->oid;
        copy->function = negator->function;
        copy->use_or = !copy->use_or;
        return &copy->base;
    }
    case EXPR_BOOL:
        if (EXPR_AS(const ExprBool, expr)->op == BOOL_NOT)
            return EXPR_AS(const ExprBool, expr)->args.items[0];
        return negate_and_or(planner, expr);
    case EXPR_NULL_TEST: {
        ExprNullTest *copy = arena_copy(arena, expr, sizeof(ExprNullTest));
        if (copy->arg_is_row)
            break;
        copy->is_not_null = !copy->is_not_null;
        return &copy->base;
    }
    case EXPR_BOOLEAN_TEST: {
        ExprBooleanTest *copy = arena_copy(arena, expr, sizeof(ExprBooleanTest));
        copy->test = boolean_test_negated(copy->test);
        return &copy->base;
    }
    default:
        break;
    }
    return expr_not(arena, expr);
}

static Expr *fold_bool(Fold *fold, Expr *expr)
{
    const ExprBool *b = EXPR_AS(const ExprBool, expr);
    Arena *arena = fold->planner->arena;
    bool value, is_null;

    if (b->op != BOOL_NOT)
        return fold_and_or(fold, expr);
    TRY(expr = expr_mutate(arena, expr, fold_step, fold));
    Expr *arg = EXPR_AS(const ExprBool, expr)->args.items[0];
    if (!const_bool(arg, &value, &is_null))
        return negate(fold->planner, arg);
    return is_null ? expr_null(arena, TYPE_BOOL, -1, 0) : expr_bool(arena, !value);
}

static Expr *fold_case(Fold *fold, Expr *expr)
{
    Arena *arena = fold->planner->arena;
    ExprCase *copy = arena_copy(arena, expr, sizeof(ExprCase));
    Expr *const outer = fold->case_value;

    if (copy->operand)
        TRY(copy->operand = fold_step(fold, copy->operand));
    copy->whens.length = copy->whens.capacity = 0;
    copy->whens.items = NULL;
    const ExprCase *c = EXPR_AS(const ExprCase, expr);
    for (size_t i = 0; i < c->whens.length; i++) {
        bool value, is_null;
        ExprCaseWhen when = c->whens.items[i];
        fold->case_value =
            copy->operand && copy->operand->kind == EXPR_CONST ? copy->operand : NULL;
        when.condition = fold_step(fold, when.condition);
        fold->case_value = outer;
        TRY(when.condition);
        const bool known = const_bool(when.condition, &value, &is_null);
        if (known && !value)
            continue;
        TRY(when.result = fold_step(fold, when.result));
        if (known) {
            copy->otherwise = when.result;
            copy->has_else = true;
            return copy->whens.length == 0 ? copy->otherwise : &copy->base;
        }
        VEC_PUSH(arena, &copy->whens, when);
    }
    TRY(copy->otherwise = fold_step(fold, copy->otherwise));
    return copy->whens.length == 0 ? copy->otherwise : &copy->base;
}

static Expr *fold_coalesce(Fold *fold, Expr *expr)
{
    Arena *arena = fold->planner->arena;
    ExprCoalesce *copy = arena_copy(arena, expr, sizeof(ExprCoalesce));
    const ExprVec args = copy->args;

    copy->args = (ExprVec){0};
    for (size_t i = 0; i < args.length; i++) {
        Expr *arg = fold_step(fold, args.items[i]);
        TRY(arg);
        if (arg->kind != EXPR_CONST) {
            VEC_PUSH(arena, &copy->args, arg);
            continue;
        }
        if (EXPR_AS(const ExprConst, arg)->is_null)
            continue;
        if (copy->args.length == 0)
            return arg;
        VEC_PUSH(arena, &copy->args, arg);
        break;
    }
    if (copy->args.length == 0)
        return expr_null(arena, expr->type, expr->typmod, expr->collation);
    return copy->args.length == 1 ? copy->args.items[0] : &copy->base;
}

/* ---- the rest ---- */

static Expr *fold_array(const Planner *planner, Expr *expr)
{
    const ExprArray *array = EXPR_AS(const ExprArray, expr);
    const int count = (int)array->elements.length;
    if (!all_constant(&array->elements) || count == 0)
        return expr;
    Value *values = ARENA_ARRAY(planner->arena, Value, count);
    bool *nulls = ARENA_ARRAY(planner->arena, bool, count);
    Value result;
    for (int i = 0; i < count; i++) {
        values[i] = EXPR_AS(const ExprConst, array->elements.items[i])->value;
        nulls[i] = EXPR_AS(const ExprConst, array->elements.items[i])->is_null;
    }
    if (array->is_nested) {
        TRY(array_stack(planner->arena, array->element_type, values, nulls, count, &result));
    } else {
        ArrayBuilder builder;
        array_builder_init(&builder, planner->arena, array->element_type);
        for (int i = 0; i < count; i++)
            array_builder_add(&builder, &values[i], nulls[i]);
        TRY(array_builder_finish(&builder, &result));
    }
    return constant_like(planner, expr, result, false);
}

static Expr *fold_boolean_test(const Planner *planner, Expr *expr)
{
    const ExprBooleanTest *test = EXPR_AS(const ExprBooleanTest, expr);
    bool value, is_null, result = false;
    if (!const_bool(test->arg, &value, &is_null))
        return expr;
    switch (test->test) {
    case BOOLEAN_IS_TRUE:
        result = !is_null && value;
        break;
    case BOOLEAN_IS_NOT_TRUE:
        result = is_null || !value;
        break;
    case BOOLEAN_IS_FALSE:
        result = !is_null && !value;
        break;
    case BOOLEAN_IS_NOT_FALSE:
        result = is_null || value;
        break;
    case BOOLEAN_IS_UNKNOWN:
        result = is_null;
        break;
    case BOOLEAN_IS_NOT_UNKNOWN:
        result = !is_null;
        break;
    }
    return expr_bool(planner->arena, result);
}

static Expr *fold_own(Planner *planner, Expr *expr)
{
    switch (expr->kind) {
    case EXPR_FUNCTION: {
        const ExprFunction *function = EXPR_AS(const ExprFunction, expr);
        return fold_call(planner, expr, function->function, &function->args,
                         function->input_collation, function->is_variadic);
    }
    case EXPR_OPERATOR: {
        const ExprOperator *op = EXPR_AS(const ExprOperator, expr);
        return fold_call(planner, expr, op->function, &op->args, op->input_collation, false);
    }
    case EXPR_CAST:
        return fold_cast(planner, expr);
    case EXPR_ARRAY:
        return fold_array(planner, expr);
    case EXPR_BOOLEAN_TEST:
        return fold_boolean_test(planner, expr);
    case EXPR_NULL_TEST: {
        const ExprNullTest *test = EXPR_AS(const ExprNullTest, expr);
        if (test->arg->kind != EXPR_CONST || test->arg_is_row)
            return expr;
        return expr_bool(planner->arena,
                         EXPR_AS(ExprConst, test->arg)->is_null != test->is_not_null);
    }
    default:
        return expr;
    }
}

/* The cast of an array's elements has its own EXPR_CASE_TEST. */
static Expr *fold_children(Fold *fold, Expr *expr)
{
    Expr *const outer = fold->case_value;
    if (expr->kind == EXPR_CAST && EXPR_AS(ExprCast, expr)->cast == CAST_ARRAY) {
        ExprCast *cast = arena_copy(fold->planner->arena, expr, sizeof(ExprCast));
        ExprVec args = {0};
        Expr *arg = fold_step(fold, cast->args.items[0]);
        TRY(arg);
        VEC_PUSH(fold->planner->arena, &args, arg);
        for (size_t i = 1; i < cast->args.length; i++)
            VEC_PUSH(fold->planner->arena, &args, cast->args.items[i]);
        cast->args = args;
        fold->case_value = NULL;
        cast->element_cast = fold_step(fold, cast->element_cast);
        fold->case_value = outer;
        return cast->element_cast ? &cast->base : NULL;
    }
    return expr_mutate(fold->planner->arena, expr, fold_step, fold);
}

static Expr *fold_step(void *context, Expr *expr)
{
    Fold *fold = context;
    if (task_stack_left() < 16 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    switch (expr->kind) {
    case EXPR_CASE_TEST:
        return fold->case_value ? fold->case_value : expr;
    case EXPR_BOOL:
        return fold_bool(fold, expr);
    case EXPR_CASE:
        return fold_case(fold, expr);
    case EXPR_COALESCE:
        return fold_coalesce(fold, expr);
    default:
        TRY(expr = fold_children(fold, expr));
        return fold_own(fold->planner, expr);
    }
}

Expr *plan_fold(Planner *planner, Expr *expr)
{
    Fold fold = {planner, NULL};
    return fold_step(&fold, expr);
}
