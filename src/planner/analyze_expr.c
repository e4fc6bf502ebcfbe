#include "base/settings.h"
#include "planner/analyze_internal.h"
#include "types/jsonb.h"

static StrVec name_of(Arena *arena, Str name)
{
    StrVec names = {0};
    VEC_PUSH(arena, &names, name);
    return names;
}

/* ---- constants, parameters, columns ---- */

static Expr *analyze_number(Scope *scope, const A_Const *constant)
{
    Arena *arena = scope_arena(scope);
    int64_t integer;
    Value value;

    if (str_to_int64(constant->text, &integer)) {
        if (integer == (int32_t)integer)
            return &expr_const(arena, TYPE_INT4, -1, 0, (Value){.int32 = (int32_t)integer}, false,
                               constant->node.position)
                        ->base;
        return &expr_const(arena, TYPE_INT8, -1, 0, (Value){.int64 = integer}, false,
                           constant->node.position)
                    ->base;
    }
    if (!type_input(arena, TYPE_NUMERIC, -1, constant->text, &value)) {
        error_set_position(constant->node.position);
        return NULL;
    }
    return &expr_const(arena, TYPE_NUMERIC, -1, 0, value, false, constant->node.position)->base;
}

static Expr *analyze_const(Scope *scope, const A_Const *constant)
{
    Arena *arena = scope_arena(scope);
    const int position = constant->node.position;

    switch (constant->kind) {
    case CONST_NULL:
        return &expr_const(arena, TYPE_UNKNOWN, -1, 0, (Value){0}, true, position)->base;
    case CONST_INTEGER:
        return &expr_const(arena, TYPE_INT4, -1, 0, (Value){.int32 = constant->integer}, false,
                           position)
                    ->base;
    case CONST_FLOAT:
        return analyze_number(scope, constant);
    case CONST_BOOLEAN:
        return &expr_const(arena, TYPE_BOOL, -1, 0, (Value){.boolean = constant->boolean}, false,
                           position)
                    ->base;
    case CONST_STRING:
        return &expr_const(arena, TYPE_UNKNOWN, -1, 0, (Value){.var = var_from_str(constant->text)},
                           false, position)
                    ->base;
    case CONST_BIT_STRING:
        FAIL_UNSUPPORTED("a bit string literal");
    }
    return NULL;
}

static Expr *analyze_param(Scope *scope, const ParamRef *ref)
{
    Arena *arena = scope_arena(scope);
    AnalyzeParams *params = scope->context->params;

    if (!params || ref->number < 1 || ref->number > 65535 ||
        (ref->number > params->count && !params->is_variable))
        FAIL(ERR_UNDEFINED_PARAMETER, .message = fmt("there is no parameter $%d", ref->number),
             .position = ref->node.position);
    if (ref->number > MAX(params->count, params->capacity)) {
        params->capacity = MAX(ref->number, 2 * params->count);
        Oid *types = ARENA_ARRAY(arena, Oid, params->capacity);
        if (params->count > 0)
            memcpy(types, params->types, (size_t)params->count * sizeof(Oid));
        params->types = types;
    }
    params->count = MAX(params->count, ref->number);
    ExprParam *param = EXPR_NEW(arena, ExprParam, EXPR_PARAM);
    const Oid type = params->types[ref->number - 1];
    if (type == 0 && !params->is_variable)
        FAIL(ERR_UNDEFINED_PARAMETER, .message = fmt("there is no parameter $%d", ref->number),
             .position = ref->node.position);
    const TypeDesc *desc = type ? type_find(scope_session(scope), type) : NULL;
    param->base.type = type ? type : TYPE_UNKNOWN;
    param->base.collation = desc ? desc->collation : 0;
    param->base.position = ref->node.position;
    param->param_kind = PARAM_EXTERNAL;
    param->number = ref->number;
    return &param->base;
}

/* t.* where one value is wanted: the row itself. */
static Expr *analyze_whole_row(Scope *scope, const ColumnRef *ref)
{
    const size_t count = ref->names.length;
    const int position = ref->node.position;
    int levels = 0;
    bool failed = false;

    if (count == 0 || count > 2)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("row expansion via \"*\" is not supported here"), .position = position);
    const Str table = ref->names.items[count - 1];
    const Str schema = count > 1 ? ref->names.items[0] : STR_NONE;
    ScopeItem *item = scope_find_item(scope, schema, table, position, &levels, &failed);
    if (item)
        return scope_whole_row(scope, item, levels, position);
    if (!failed)
        (void)scope_missing_item(scope, schema, table, position);
    return NULL;
}

static Expr *analyze_column_ref(Scope *scope, const ColumnRef *ref)
{
    if (scope->place == PLACE_DEFAULT)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("cannot use column reference in DEFAULT expression"),
             .position = ref->node.position);
    if (ref->star)
        return analyze_whole_row(scope, ref);
    return scope_column_ref(scope, ref);
}

/* ---- casts ---- */

/* What all elements have, being of one type; -1: they differ. */
static int32_t common_typmod(const ExprVec *elements)
{
    for (size_t i = 1; i < elements->length; i++)
        if (elements->items[i]->typmod != elements->items[0]->typmod)
            return -1;
    return elements->length > 0 ? elements->items[0]->typmod : -1;
}

static Expr *analyze_array(Scope *scope, const A_ArrayExpr *node, Oid array_type, Oid element_type,
                           int32_t typmod);

static Expr *analyze_type_cast(Scope *scope, const TypeCast *cast)
{
    CatalogSession *session = scope_session(scope);
    const int position = cast->node.position ? cast->node.position : cast->type_name->node.position;
    Oid type;
    int32_t typmod;
    Expr *arg;

    TRY(resolve_type_name(scope, cast->type_name, &type, &typmod));
    if (NODE_IS(cast->arg, A_ArrayExpr)) {
        int32_t base_typmod = typmod;
        const Oid base = base_type_of(session, type, &base_typmod);
        const Oid element = element_type_of(session, base);
        TRY(arg = analyze_array(scope, NODE_CAST(A_ArrayExpr, cast->arg), element ? base : 0,
                                element, base_typmod));
    } else {
        TRY(arg = analyze_expr_inner(scope, cast->arg));
    }
    bool failed = false;
    Expr *result = coerce_to_target(scope, arg,
                                    &(Coercion){.type = type,
                                                .typmod = typmod,
                                                .context = COERCION_EXPLICIT,
                                                .form = CALL_EXPLICIT_CAST,
                                                .position = position},
                                    &failed);
    if (result || failed)
        return result;
    FAIL(ERR_CANNOT_COERCE,
         .message = fmt("cannot cast type %.*s to %.*s", STR_ARGS(type_text(scope, arg->type)),
                        STR_ARGS(type_text(scope, type))),
         .position = position);
}

static Expr *analyze_collate(Scope *scope, const CollateClause *clause)
{
    Expr *arg = analyze_expr_inner(scope, clause->arg);
    TRY(arg);
    const TypeDesc *type = type_find(scope_session(scope), arg->type);
    if (arg->type != TYPE_UNKNOWN && (!type || !type->collation))
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("collations are not supported by type %.*s",
                            STR_ARGS(type_text(scope, arg->type))),
             .position = clause->node.position);
    ExprCollate *collate = EXPR_NEW(scope_arena(scope), ExprCollate, EXPR_COLLATE);
    const StrVec *names = &clause->collation;
    collate->base.collation = collation_get_name(
        scope_session(scope), names->length > 1 ? names->items[names->length - 2] : STR_NONE,
        VEC_LAST(names), clause->node.position);
    TRY(collate->base.collation);
    collate->arg = arg;
    collate->base.type = arg->type;
    collate->base.typmod = arg->typmod;
    collate->base.position = clause->node.position;
    return &collate->base;
}

/* ---- operators written as A_Expr ---- */

static A_Expr *simple_expr(Arena *arena, const char *name, Node *left, Node *right, int position)
{
    A_Expr *expr = NODE_NEW(arena, A_Expr, position);
    expr->kind = A_EXPR_OP;
    expr->name = name_of(arena, str_from_c(name));
    expr->lexpr = left;
    expr->rexpr = right;
    return expr;
}

static Node *bool_node(Arena *arena, BoolExprType op, Node *a, Node *b, int position)
{
    BoolExpr *expr = NODE_NEW(arena, BoolExpr, position);
    expr->op = op;
    VEC_PUSH(arena, &expr->args, a);
    VEC_PUSH(arena, &expr->args, b);
    return &expr->node;
}

static Expr *analyze_between(Scope *scope, const A_Expr *expr)
{
    Arena *arena = scope_arena(scope);
    const int position = expr->node.position;
    const ExprList *bounds = NODE_CAST(ExprList, expr->rexpr);
    Node *a = expr->lexpr, *b = bounds->items.items[0], *c = bounds->items.items[1];
    Node *result = NULL;
#define CMP(op, x, y) (&simple_expr(arena, op, (x), (y), position)->node)
    switch (expr->kind) {
    case A_EXPR_BETWEEN:
        result = bool_node(arena, AND_EXPR, CMP(">=", a, b), CMP("<=", a, c), position);
        break;
    case A_EXPR_NOT_BETWEEN:
        result = bool_node(arena, OR_EXPR, CMP("<", a, b), CMP(">", a, c), position);
        break;
    case A_EXPR_BETWEEN_SYM:
        result = bool_node(
            arena, OR_EXPR, bool_node(arena, AND_EXPR, CMP(">=", a, b), CMP("<=", a, c), position),
            bool_node(arena, AND_EXPR, CMP(">=", a, c), CMP("<=", a, b), position), position);
        break;
    default:
        result = bool_node(
            arena, AND_EXPR, bool_node(arena, OR_EXPR, CMP("<", a, b), CMP(">", a, c), position),
            bool_node(arena, OR_EXPR, CMP("<", a, c), CMP(">", a, b), position), position);
        break;
    }
#undef CMP
    return analyze_expr_inner(scope, result);
}

static Expr *analyze_in_array(Scope *scope, const A_Expr *expr, Expr *left,
                              const ExprVec *constants, Oid type, bool use_or)
{
    Arena *arena = scope_arena(scope);
    ExprArray *array = EXPR_NEW(arena, ExprArray, EXPR_ARRAY);
    for (size_t i = 0; i < constants->length; i++) {
        Expr *item = coerce_to_common(scope, constants->items[i], type, STR("IN"));
        TRY(item);
        VEC_PUSH(arena, &array->elements, item);
    }
    array->element_type = type;
    array->base.type = array_type_of(scope_session(scope), type);
    array->base.collation = select_common_collation(&array->elements);
    array->base.position = constants->items[0]->position;
    return make_scalar_array(scope, &expr->name, use_or, left, &array->base, expr->node.position);
}

static Expr *analyze_in(Scope *scope, const A_Expr *expr)
{
    Arena *arena = scope_arena(scope);
    const bool use_or = !str_equal(VEC_LAST(&expr->name), STR("<>"));
    const NodeVec *items = &NODE_CAST(ExprList, expr->rexpr)->items;
    Expr *left = analyze_expr_inner(scope, expr->lexpr);
    ExprVec all = {0}, constants = {0}, others = {0};
    Expr *result = NULL;

    TRY(left);
    for (size_t i = 0; i < items->length; i++) {
        Expr *item = analyze_expr_inner(scope, items->items[i]);
        TRY(item);
        VEC_PUSH(arena, &all, item);
        if (expr_contains_columns(item, 0))
            VEC_PUSH(arena, &others, item);
        else
            VEC_PUSH(arena, &constants, item);
    }
    if (constants.length > 1) {
        ExprVec mixed = {0};
        VEC_PUSH(arena, &mixed, left);
        for (size_t i = 0; i < constants.length; i++)
            VEC_PUSH(arena, &mixed, constants.items[i]);
        Oid type = select_common_type(scope, &mixed, STR_NONE, NULL);
        bool fits = type && type != TYPE_RECORD && array_type_of(scope_session(scope), type);
        for (size_t i = 0; i < mixed.length && fits; i++)
            fits = can_coerce(scope, &mixed.items[i]->type, &type, 1, COERCION_IMPLICIT);
        if (fits) {
            TRY(result = analyze_in_array(scope, expr, left, &constants, type, use_or));
        } else {
            others = all;
        }
    } else {
        others = all;
    }
    for (size_t i = 0; i < others.length; i++) {
        Expr *item = others.items[i], *compare;
        if (left->kind == EXPR_ROW && item->kind == EXPR_ROW) {
            /* Rows were analyzed as values; their fields compare one by one. */
            const ExprRow *l = EXPR_AS(const ExprRow, left), *r = EXPR_AS(const ExprRow, item);
            if (l->fields.length != r->fields.length)
                FAIL(ERR_SYNTAX_ERROR,
                     .message = STR("unequal number of entries in row expressions"),
                     .position = expr->node.position);
            compare = NULL;
            for (size_t f = 0; f < l->fields.length; f++) {
                Expr *one = make_operator(scope, &expr->name, l->fields.items[f],
                                          r->fields.items[f], expr->node.position);
                TRY(one);
                if (use_or || !compare) {
                    compare = expr_and(arena, compare, one);
                } else {
                    ExprBool *either = EXPR_NEW(arena, ExprBool, EXPR_BOOL);
                    either->base.type = TYPE_BOOL;
                    either->op = BOOL_OR;
                    VEC_PUSH(arena, &either->args, compare);
                    VEC_PUSH(arena, &either->args, one);
                    compare = &either->base;
                }
            }
        } else {
            TRY(compare = make_operator(scope, &expr->name, left, item, expr->node.position));
        }
        TRY(compare = coerce_to_boolean(scope, compare, STR("IN")));
        if (!result) {
            result = compare;
        } else if (use_or && result->kind == EXPR_BOOL &&
                   EXPR_AS(ExprBool, result)->op == BOOL_OR) {
            VEC_PUSH(arena, &EXPR_AS(ExprBool, result)->args, compare);
        } else if (use_or) {
            ExprBool *either = EXPR_NEW(arena, ExprBool, EXPR_BOOL);
            either->base.type = TYPE_BOOL;
            either->base.position = expr->node.position;
            either->op = BOOL_OR;
            VEC_PUSH(arena, &either->args, result);
            VEC_PUSH(arena, &either->args, compare);
            result = &either->base;
        } else {
            result = expr_and(arena, result, compare);
        }
    }
    return result;
}

static Expr *null_test(Scope *scope, Expr *arg, bool is_not, int position)
{
    ExprNullTest *test = EXPR_NEW(scope_arena(scope), ExprNullTest, EXPR_NULL_TEST);
    const TypeDesc *type = type_find(scope_session(scope), arg->type);
    test->base.type = TYPE_BOOL;
    test->base.position = position;
    test->arg = arg;
    test->is_not_null = is_not;
    test->arg_is_row = arg->type == TYPE_RECORD || (type && type->kind == 'c');
    return &test->base;
}

static bool is_null_const(const Node *node)
{
    return NODE_IS(node, A_Const) && NODE_CAST(A_Const, node)->kind == CONST_NULL;
}

static Expr *make_distinct(Scope *scope, const A_Expr *expr, Expr *left, Expr *right, bool is_not)
{
    Expr *made = make_operator(scope, &expr->name, left, right, expr->node.position);
    TRY(made);
    if (made->type != TYPE_BOOL)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = STR("IS DISTINCT FROM requires = operator to yield boolean"),
             .position = expr->node.position);
    const ExprOperator *op = EXPR_AS(const ExprOperator, made);
    ExprDistinct *distinct = EXPR_NEW(scope_arena(scope), ExprDistinct, EXPR_DISTINCT);
    distinct->base.type = TYPE_BOOL;
    distinct->base.position = expr->node.position;
    distinct->op = op->op;
    distinct->function = op->function;
    distinct->input_collation = op->input_collation;
    distinct->left = op->args.items[0];
    distinct->right = op->args.items[1];
    distinct->is_not = is_not;
    return &distinct->base;
}

static Expr *analyze_distinct_expr(Scope *scope, const A_Expr *expr)
{
    const bool is_not = expr->kind == A_EXPR_NOT_DISTINCT;
    Expr *left, *right;

    if (is_null_const(expr->rexpr)) {
        TRY(left = analyze_expr_inner(scope, expr->lexpr));
        return null_test(scope, left, !is_not, expr->node.position);
    }
    if (is_null_const(expr->lexpr)) {
        TRY(right = analyze_expr_inner(scope, expr->rexpr));
        return null_test(scope, right, !is_not, expr->node.position);
    }
    TRY(left = analyze_expr_inner(scope, expr->lexpr));
    TRY(right = analyze_expr_inner(scope, expr->rexpr));
    if (left->kind != EXPR_ROW || right->kind != EXPR_ROW)
        return make_distinct(scope, expr, left, right, is_not);

    const ExprRow *l = EXPR_AS(const ExprRow, left), *r = EXPR_AS(const ExprRow, right);
    if (l->fields.length != r->fields.length)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("unequal number of entries in row expressions"),
             .position = expr->node.position);
    ExprBool *result = EXPR_NEW(scope_arena(scope), ExprBool, EXPR_BOOL);
    result->base.type = TYPE_BOOL;
    result->base.position = expr->node.position;
    result->op = is_not ? BOOL_AND : BOOL_OR;
    for (size_t i = 0; i < l->fields.length; i++) {
        Expr *one = make_distinct(scope, expr, l->fields.items[i], r->fields.items[i], is_not);
        TRY(one);
        VEC_PUSH(scope_arena(scope), &result->args, one);
    }
    if (result->args.length == 0)
        return expr_bool(scope_arena(scope), is_not);
    return result->args.length == 1 ? result->args.items[0] : &result->base;
}

static Expr *analyze_nullif(Scope *scope, const A_Expr *expr)
{
    Expr *left, *right, *made;
    TRY(left = analyze_expr_inner(scope, expr->lexpr));
    TRY(right = analyze_expr_inner(scope, expr->rexpr));
    TRY(made = make_operator(scope, &expr->name, left, right, expr->node.position));
    if (made->type != TYPE_BOOL)
        FAIL(ERR_DATATYPE_MISMATCH, .message = STR("NULLIF requires = operator to yield boolean"),
             .position = expr->node.position);
    const ExprOperator *op = EXPR_AS(const ExprOperator, made);
    ExprNullIf *nullif = EXPR_NEW(scope_arena(scope), ExprNullIf, EXPR_NULLIF);
    nullif->op = op->op;
    nullif->function = op->function;
    nullif->input_collation = op->input_collation;
    nullif->left = nullif->value = op->args.items[0];
    nullif->right = op->args.items[1];
    nullif->base.type = nullif->value->type;
    nullif->base.typmod = nullif->value->typmod;
    nullif->base.collation = nullif->value->collation;
    nullif->base.position = expr->node.position;
    return &nullif->base;
}

/* x = NULL or NULL = x, as some clients write x IS NULL: transform_null_equals. */
static bool is_null_comparison(const A_Expr *expr)
{
    return expr->kind == A_EXPR_OP && expr->name.length == 1 && expr->lexpr &&
           str_equal(expr->name.items[0], STR("=")) &&
           (is_null_const(expr->lexpr) || is_null_const(expr->rexpr));
}

static Expr *analyze_op(Scope *scope, const A_Expr *expr)
{
    Expr *left = NULL, *right;

    if (NODE_IS(expr->lexpr, RowExpr) && NODE_IS(expr->rexpr, SubLink) &&
        NODE_CAST(SubLink, expr->rexpr)->type == EXPR_SUBLINK) {
        /* (a, b) op (SELECT …): a row against at most one row. */
        SubLink *link = NODE_NEW(scope_arena(scope), SubLink, expr->node.position);
        *link = *NODE_CAST(SubLink, expr->rexpr);
        link->node.position = expr->node.position;
        link->test_expr = expr->lexpr;
        link->oper_name = expr->name;
        return analyze_sublink(scope, link);
    }
    if (NODE_IS(expr->lexpr, RowExpr) && NODE_IS(expr->rexpr, RowExpr))
        return analyze_row_compare(scope, &expr->name, NODE_CAST(RowExpr, expr->lexpr),
                                   NODE_CAST(RowExpr, expr->rexpr), expr->node.position);
    if (settings()->transform_null_equals && is_null_comparison(expr)) {
        TRY(left =
                analyze_expr_inner(scope, is_null_const(expr->rexpr) ? expr->lexpr : expr->rexpr));
        return null_test(scope, left, false, expr->node.position);
    }
    if (expr->lexpr)
        TRY(left = analyze_expr_inner(scope, expr->lexpr));
    TRY(right = analyze_expr_inner(scope, expr->rexpr));
    return make_operator(scope, &expr->name, left, right, expr->node.position);
}

static Expr *analyze_a_expr(Scope *scope, const A_Expr *expr)
{
    Expr *left, *right;
    switch (expr->kind) {
    case A_EXPR_OP:
    case A_EXPR_LIKE:
    case A_EXPR_ILIKE:
    case A_EXPR_SIMILAR:
        return analyze_op(scope, expr);
    case A_EXPR_OP_ANY:
    case A_EXPR_OP_ALL:
        TRY(left = analyze_expr_inner(scope, expr->lexpr));
        TRY(right = analyze_expr_inner(scope, expr->rexpr));
        return make_scalar_array(scope, &expr->name, expr->kind == A_EXPR_OP_ANY, left, right,
                                 expr->node.position);
    case A_EXPR_DISTINCT:
    case A_EXPR_NOT_DISTINCT:
        return analyze_distinct_expr(scope, expr);
    case A_EXPR_NULLIF:
        return analyze_nullif(scope, expr);
    case A_EXPR_IN:
        return analyze_in(scope, expr);
    case A_EXPR_BETWEEN:
    case A_EXPR_NOT_BETWEEN:
    case A_EXPR_BETWEEN_SYM:
    case A_EXPR_NOT_BETWEEN_SYM:
        return analyze_between(scope, expr);
    }
    return NULL;
}

static Expr *analyze_bool(Scope *scope, const BoolExpr *expr)
{
    static const char *const names[] = {[AND_EXPR] = "AND", [OR_EXPR] = "OR", [NOT_EXPR] = "NOT"};
    static const BoolOp ops[] = {[AND_EXPR] = BOOL_AND, [OR_EXPR] = BOOL_OR, [NOT_EXPR] = BOOL_NOT};
    ExprBool *result = EXPR_NEW(scope_arena(scope), ExprBool, EXPR_BOOL);

    result->base.type = TYPE_BOOL;
    result->base.position = expr->node.position;
    result->op = ops[expr->op];
    for (size_t i = 0; i < expr->args.length; i++) {
        Expr *arg = analyze_expr_inner(scope, expr->args.items[i]);
        TRY(arg && (arg = coerce_to_boolean(scope, arg, str_from_c(names[expr->op]))));
        VEC_PUSH(scope_arena(scope), &result->args, arg);
    }
    return &result->base;
}

static Expr *analyze_boolean_test(Scope *scope, const BooleanTest *test)
{
    static const char *const clauses[] = {
        [IS_TRUE] = "IS TRUE",       [IS_NOT_TRUE] = "IS NOT TRUE",
        [IS_FALSE] = "IS FALSE",     [IS_NOT_FALSE] = "IS NOT FALSE",
        [IS_UNKNOWN] = "IS UNKNOWN", [IS_NOT_UNKNOWN] = "IS NOT UNKNOWN",
    };
    ExprBooleanTest *result = EXPR_NEW(scope_arena(scope), ExprBooleanTest, EXPR_BOOLEAN_TEST);
    TRY(result->arg = analyze_expr_inner(scope, test->arg));
    TRY(result->arg = coerce_to_boolean(scope, result->arg, str_from_c(clauses[test->type])));
    result->base.type = TYPE_BOOL;
    result->base.position = test->node.position;
    result->test = (BooleanTestKind)(test->type + 1); /* both in the standard's order */
    return &result->base;
}

/* ---- CASE, COALESCE, GREATEST ---- */

static bool check_no_srf(const Expr *expr, const char *what)
{
    if (!expr_has_srf(expr))
        return true;
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("set-returning functions are not allowed in %s", what),
         .hint =
             STR("You might be able to move the set-returning function into a LATERAL FROM item."),
         .position = expr_srf_position(expr));
}

static Expr *case_operand(Scope *scope, const CaseExpr *node, ExprCase *result)
{
    TRY(result->operand = analyze_expr_inner(scope, node->arg));
    if (result->operand->type == TYPE_UNKNOWN)
        TRY(result->operand = coerce_implicitly(scope, result->operand, TYPE_TEXT));
    ExprCaseTest *test = EXPR_NEW(scope_arena(scope), ExprCaseTest, EXPR_CASE_TEST);
    test->base.type = result->operand->type;
    test->base.typmod = result->operand->typmod;
    test->base.collation = result->operand->collation;
    return &test->base;
}

static Expr *analyze_case(Scope *scope, const CaseExpr *node)
{
    Arena *arena = scope_arena(scope);
    ExprCase *result = EXPR_NEW(arena, ExprCase, EXPR_CASE);
    const StrVec equals = name_of(arena, STR("="));
    Expr *test = NULL;
    ExprVec results = {0};

    if (node->arg)
        TRY(test = case_operand(scope, node, result));
    VEC_PUSH(arena, &results, NULL);
    for (size_t i = 0; i < node->whens.length; i++) {
        const CaseWhen *when = node->whens.items[i];
        ExprCaseWhen arm;
        TRY(arm.condition = analyze_expr_inner(scope, when->expr));
        if (test)
            TRY(arm.condition =
                    make_operator(scope, &equals, test, arm.condition, when->node.position));
        TRY(arm.condition = coerce_to_boolean(scope, arm.condition, STR("CASE/WHEN")));
        TRY(arm.result = analyze_expr_inner(scope, when->result));
        VEC_PUSH(arena, &result->whens, arm);
        VEC_PUSH(arena, &results, arm.result);
    }
    result->has_else = node->default_result != NULL;
    if (node->default_result)
        TRY(result->otherwise = analyze_expr_inner(scope, node->default_result));
    else
        result->otherwise = expr_null(arena, TYPE_UNKNOWN, -1, 0);
    results.items[0] = result->otherwise;

    const Oid type = select_common_type(scope, &results, STR("CASE"), NULL);
    TRY(type);
    TRY(result->otherwise = coerce_to_common(scope, result->otherwise, type, STR("CASE/ELSE")));
    results.items[0] = result->otherwise;
    for (size_t i = 0; i < result->whens.length; i++) {
        ExprCaseWhen *arm = &result->whens.items[i];
        TRY(arm->result = coerce_to_common(scope, arm->result, type, STR("CASE/WHEN")));
        results.items[i + 1] = arm->result;
        TRY(check_no_srf(arm->condition, "CASE"));
        TRY(check_no_srf(arm->result, "CASE"));
    }
    TRY(check_no_srf(result->otherwise, "CASE"));
    result->base.type = type;
    result->base.typmod = select_common_typmod(&results, type);
    TRY(combine_collations(scope, &results, &result->base.collation));
    result->base.collation = expr_result_collation(scope, type, result->base.collation);
    result->base.position = node->node.position;
    return &result->base;
}

static bool common_list(Scope *scope, const NodeVec *nodes, Str name, ExprVec *args, Expr *base)
{
    Arena *arena = scope_arena(scope);
    for (size_t i = 0; i < nodes->length; i++) {
        Expr *arg = analyze_expr_inner(scope, nodes->items[i]);
        TRY(arg);
        VEC_PUSH(arena, args, arg);
    }
    base->type = select_common_type(scope, args, name, NULL);
    TRY(base->type);
    for (size_t i = 0; i < args->length; i++)
        TRY(args->items[i] = coerce_to_common(scope, args->items[i], base->type, name));
    base->typmod = select_common_typmod(args, base->type);
    TRY(combine_collations(scope, args, &base->collation));
    base->collation = expr_result_collation(scope, base->type, base->collation);
    return true;
}

static Expr *analyze_coalesce(Scope *scope, const CoalesceExpr *node)
{
    ExprCoalesce *result = EXPR_NEW(scope_arena(scope), ExprCoalesce, EXPR_COALESCE);
    TRY(common_list(scope, &node->args, STR("COALESCE"), &result->args, &result->base));
    for (size_t i = 0; i < result->args.length; i++)
        TRY(check_no_srf(result->args.items[i], "COALESCE"));
    result->base.position = node->node.position;
    return &result->base;
}

static Expr *analyze_min_max(Scope *scope, const MinMaxExpr *node)
{
    ExprMinMax *result = EXPR_NEW(scope_arena(scope), ExprMinMax, EXPR_MIN_MAX);
    const Str name = node->is_greatest ? STR("GREATEST") : STR("LEAST");
    TRY(common_list(scope, &node->args, name, &result->args, &result->base));
    const TypeOperators *operators = type_operators(scope_session(scope), result->base.type);
    if (!operators || !operators->less)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify a comparison function for type %.*s",
                            STR_ARGS(type_text(scope, result->base.type))));
    result->is_greatest = node->is_greatest;
    result->input_collation = result->base.collation;
    result->base.position = node->node.position;
    return &result->base;
}

static Expr *analyze_sql_value(Scope *scope, const SQLValueFunction *node)
{
    static const struct {
        SqlValueKind kind;
        Oid type;
    } kinds[] = {
        [SVFOP_CURRENT_DATE] = {SQL_CURRENT_DATE, TYPE_DATE},
        [SVFOP_CURRENT_TIME] = {SQL_CURRENT_TIME, TYPE_TIMETZ},
        [SVFOP_CURRENT_TIME_N] = {SQL_CURRENT_TIME, TYPE_TIMETZ},
        [SVFOP_CURRENT_TIMESTAMP] = {SQL_CURRENT_TIMESTAMP, TYPE_TIMESTAMPTZ},
        [SVFOP_CURRENT_TIMESTAMP_N] = {SQL_CURRENT_TIMESTAMP, TYPE_TIMESTAMPTZ},
        [SVFOP_LOCALTIME] = {SQL_LOCALTIME, TYPE_TIME},
        [SVFOP_LOCALTIME_N] = {SQL_LOCALTIME, TYPE_TIME},
        [SVFOP_LOCALTIMESTAMP] = {SQL_LOCALTIMESTAMP, TYPE_TIMESTAMP},
        [SVFOP_LOCALTIMESTAMP_N] = {SQL_LOCALTIMESTAMP, TYPE_TIMESTAMP},
        [SVFOP_CURRENT_ROLE] = {SQL_CURRENT_ROLE, TYPE_NAME},
        [SVFOP_CURRENT_USER] = {SQL_CURRENT_USER, TYPE_NAME},
        [SVFOP_USER] = {SQL_USER, TYPE_NAME},
        [SVFOP_SESSION_USER] = {SQL_SESSION_USER, TYPE_NAME},
        [SVFOP_CURRENT_CATALOG] = {SQL_CURRENT_CATALOG, TYPE_NAME},
        [SVFOP_CURRENT_SCHEMA] = {SQL_CURRENT_SCHEMA, TYPE_NAME},
    };
    const BuiltinType *type = builtin_type(kinds[node->op].type);
    const int64_t precision = node->typmod;
    int32_t typmod = node->typmod;
    if (typmod >= 0 && type->typmod_in)
        TRY(type->typmod_in(&precision, 1, &typmod));
    ExprSqlValue *result = EXPR_NEW(scope_arena(scope), ExprSqlValue, EXPR_SQL_VALUE);
    result->value = kinds[node->op].kind;
    result->base.type = kinds[node->op].type;
    result->base.typmod = typmod;
    result->base.collation = result->base.type == TYPE_NAME ? COLLATION_C : 0;
    result->base.position = node->node.position;
    return &result->base;
}

/* ---- arrays and rows ---- */

static Expr *analyze_array(Scope *scope, const A_ArrayExpr *node, Oid array_type, Oid element_type,
                           int32_t typmod)
{
    Arena *arena = scope_arena(scope);
    CatalogSession *session = scope_session(scope);
    ExprArray *result = EXPR_NEW(arena, ExprArray, EXPR_ARRAY);
    const bool is_explicit = array_type != 0;
    ExprVec elements = {0};

    for (size_t i = 0; i < node->elements.length; i++) {
        const Node *item = node->elements.items[i];
        Expr *element;
        if (NODE_IS(item, A_ArrayExpr)) {
            TRY(element = analyze_array(scope, NODE_CAST(A_ArrayExpr, item), array_type,
                                        element_type, typmod));
            result->is_nested = true;
        } else {
            TRY(element = analyze_expr_inner(scope, item));
            if (element_type_of(session, element->type))
                result->is_nested = true;
        }
        VEC_PUSH(arena, &elements, element);
    }
    Oid coerce_to;
    if (is_explicit) {
        coerce_to = result->is_nested ? array_type : element_type;
    } else {
        if (elements.length == 0)
            FAIL(ERR_INDETERMINATE_DATATYPE, .message = STR("cannot determine type of empty array"),
                 .hint =
                     STR("Explicitly cast to the desired type, for example ARRAY[]::integer[]."),
                 .position = node->node.position);
        coerce_to = select_common_type(scope, &elements, STR("ARRAY"), NULL);
        TRY(coerce_to);
        if (result->is_nested) {
            array_type = coerce_to;
            element_type = element_type_of(session, array_type);
            if (!element_type)
                FAIL(ERR_UNDEFINED_OBJECT,
                     .message = fmt("could not find element type for data type %.*s",
                                    STR_ARGS(type_text(scope, array_type))),
                     .position = node->node.position);
        } else {
            element_type = coerce_to;
            array_type = array_type_of(session, element_type);
            if (!array_type)
                FAIL(ERR_UNDEFINED_OBJECT,
                     .message = fmt("could not find array type for data type %.*s",
                                    STR_ARGS(type_text(scope, element_type))),
                     .position = node->node.position);
        }
    }
    for (size_t i = 0; i < elements.length; i++) {
        Expr *element = elements.items[i];
        bool failed = false;
        if (is_explicit) {
            Expr *made = coerce_to_target(scope, element,
                                          &(Coercion){.type = coerce_to,
                                                      .typmod = typmod,
                                                      .context = COERCION_EXPLICIT,
                                                      .form = CALL_EXPLICIT_CAST},
                                          &failed);
            if (!made && !failed)
                FAIL(ERR_CANNOT_COERCE,
                     .message = fmt("cannot cast type %.*s to %.*s",
                                    STR_ARGS(type_text(scope, element->type)),
                                    STR_ARGS(type_text(scope, coerce_to))),
                     .position = expr_location(element));
            element = made;
        } else {
            element = coerce_to_common(scope, element, coerce_to, STR("ARRAY"));
        }
        TRY(element);
        VEC_PUSH(arena, &result->elements, element);
    }
    result->element_type = element_type;
    result->base.type = array_type;
    result->base.typmod = common_typmod(&result->elements);
    result->base.position = node->node.position;
    result->base.collation =
        expr_result_collation(scope, array_type, select_common_collation(&result->elements));
    return &result->base;
}

static Expr *analyze_row(Scope *scope, const RowExpr *node)
{
    Arena *arena = scope_arena(scope);
    ExprRow *row = EXPR_NEW(arena, ExprRow, EXPR_ROW);
    TRY(analyze_expr_list(scope, &node->args, scope->place, false, &row->fields));
    if (row->fields.length > 1664)
        FAIL(ERR_TOO_MANY_COLUMNS, .message = STR("ROW expressions can have at most 1664 entries"),
             .position = node->node.position);
    row->names = ARENA_ARRAY(arena, Str, row->fields.length + 1);
    for (size_t i = 0; i < row->fields.length; i++)
        row->names[i] = str_format(arena, "f%zu", i + 1);
    row->base.type = TYPE_RECORD;
    row->base.position = node->node.position;
    row->is_explicit = node->explicit_row;
    return &row->base;
}

/* ---- a[1], (r).f ---- */

static bool analyze_subscript(Scope *scope, const Node *node, Expr **ret)
{
    bool failed = false;
    if (!node)
        return true;
    Expr *expr = analyze_expr_inner(scope, node);
    TRY(expr);
    Expr *made = coerce_for_assignment(scope, expr, TYPE_INT4, -1, &failed);
    if (!made && !failed)
        FAIL(ERR_DATATYPE_MISMATCH, .message = STR("array subscript must have type integer"),
             .position = expr_location(expr));
    TRY(made);
    *ret = made;
    return true;
}

/* An index of jsonb is a key or a number. */
static bool jsonb_subscript(Scope *scope, const A_Indices *indices, bool is_slice, Expr **ret)
{
    const Node *node = indices->uidx ? indices->uidx : indices->lidx;
    Expr *expr = node ? analyze_expr_inner(scope, node) : NULL;
    if (is_slice) {
        TRY(expr || !node);
        FAIL(ERR_DATATYPE_MISMATCH, .message = STR("jsonb subscript does not support slices"),
             .position = expr ? expr_location(expr) : 0);
    }
    TRY(expr);
    const bool is_number = expr->type != TYPE_UNKNOWN &&
                           can_coerce(scope, &expr->type, &(Oid){TYPE_INT4}, 1, COERCION_IMPLICIT);
    const bool is_key = expr->type == TYPE_UNKNOWN ||
                        can_coerce(scope, &expr->type, &(Oid){TYPE_TEXT}, 1, COERCION_IMPLICIT);
    if (is_number == is_key)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("subscript type %.*s is not supported",
                            STR_ARGS(type_text(scope, expr->type))),
             .hint = is_key ? STR("jsonb subscript must be coercible to only one type, integer or "
                                  "text.")
                            : STR("jsonb subscript must be coercible to either integer or text."),
             .position = expr_location(expr));
    TRY(*ret = coerce_implicitly(scope, expr, is_number ? TYPE_INT4 : TYPE_TEXT));
    return true;
}

static Expr *analyze_jsonb_subscripts(Scope *scope, Expr *container, const Node *const *steps,
                                      size_t count)
{
    ExprSubscript *result = EXPR_NEW(scope_arena(scope), ExprSubscript, EXPR_SUBSCRIPT);
    bool is_slice = false;
    for (size_t i = 0; i < count; i++)
        is_slice |= NODE_CAST(A_Indices, steps[i])->is_slice;
    for (size_t i = 0; i < count; i++) {
        Subscript subscript = {0};
        TRY(jsonb_subscript(scope, NODE_CAST(A_Indices, steps[i]), is_slice, &subscript.upper));
        VEC_PUSH(scope_arena(scope), &result->subscripts, subscript);
    }
    result->container = container;
    result->container_type = result->element_type = result->base.type = TYPE_JSONB;
    result->base.typmod = -1;
    result->base.position = container->position;
    return &result->base;
}

Expr *analyze_subscripts(Scope *scope, Expr *container, const Node *const *steps, size_t count)
{
    Arena *arena = scope_arena(scope);
    CatalogSession *session = scope_session(scope);
    ExprSubscript *result = EXPR_NEW(arena, ExprSubscript, EXPR_SUBSCRIPT);
    const Oid type = base_type_of(session, container->type, NULL);
    const TypeDesc *desc = type_find(session, type);

    if (type == TYPE_JSONB)
        return analyze_jsonb_subscripts(scope, container, steps, count);
    if (!desc || !desc->element)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("cannot subscript type %.*s because it does not support subscripting",
                            STR_ARGS(type_text(scope, container->type))),
             .position = expr_location(container));
    for (size_t i = 0; i < count; i++)
        result->is_slice |= NODE_CAST(A_Indices, steps[i])->is_slice;
    if (result->is_slice && type == TYPE_NAME)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("slices of fixed-length arrays not implemented"));
    for (size_t i = 0; i < count; i++) {
        const A_Indices *indices = NODE_CAST(A_Indices, steps[i]);
        Subscript subscript = {0};
        TRY(analyze_subscript(scope, indices->lidx, &subscript.lower));
        TRY(analyze_subscript(scope, indices->uidx, &subscript.upper));
        if (result->is_slice && !indices->is_slice)
            subscript.lower = expr_int4(arena, 1);
        VEC_PUSH(arena, &result->subscripts, subscript);
    }
    if (count > 6)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message =
                 fmt("number of array dimensions (%zu) exceeds the maximum allowed (6)", count));
    result->container = container;
    result->container_type = type;
    result->element_type = desc->element;
    result->base.type = result->is_slice ? type : desc->element;
    result->base.typmod = container->typmod;
    result->base.collation = expr_result_collation(scope, result->base.type, container->collation);
    result->base.position = container->position;
    return &result->base;
}

/* What a subquery's n-th visible column is computed by; NULL: a set operation's. */
static const Expr *subquery_column(const Query *query, int attnum)
{
    int visible = 0;

    if (query->set_op)
        return NULL;
    for (size_t i = 0; i < query->targets.length; i++)
        if (!query->targets.items[i].is_junk && ++visible == attnum)
            return query->targets.items[i].expr;
    return NULL;
}

/* The field of a record whose shape the query knows. */
static bool record_field(Scope *scope, const Expr *arg, Str name, ExprFieldSelect *field)
{
    if (arg->kind == EXPR_ROW) {
        const ExprRow *row = EXPR_AS(const ExprRow, arg);
        for (size_t i = 0; i < row->fields.length; i++) {
            if (!str_equal(row->names[i], name))
                continue;
            const Expr *value = row->fields.items[i];
            field->attnum = (int)i + 1;
            field->base.type = value->type;
            field->base.typmod = value->typmod;
            field->base.collation = value->collation;
            return true;
        }
        return false;
    }
    if (arg->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, arg)->attnum == ATTNUM_WHOLE_ROW) {
        const ExprColumn *column = EXPR_AS(const ExprColumn, arg);
        Scope *owner = scope;
        for (int i = 0; i < column->levels_up; i++)
            owner = owner->parent;
        const RangeTableEntry *rte = query_rte(owner->query, column->rel);
        for (int i = 0; i < rte->column_count; i++) {
            if (!str_equal(rte->columns[i].name, name))
                continue;
            field->attnum = i + 1;
            field->base.type = rte->columns[i].type;
            field->base.typmod = rte->columns[i].typmod;
            field->base.collation = rte->columns[i].collation;
            return true;
        }
        return false;
    }
    if (arg->kind == EXPR_COLUMN) {
        /* A column of a subquery is what the subquery computes it by. */
        const ExprColumn *column = EXPR_AS(const ExprColumn, arg);
        Scope *owner = scope;
        for (int i = 0; i < column->levels_up; i++)
            owner = owner->parent;
        const RangeTableEntry *rte = query_rte(owner->query, column->rel);
        if (rte->kind != RANGE_SUBQUERY || column->attnum < 1 || task_stack_left() < 16 * 1024)
            return false;
        const Expr *source = subquery_column(rte->subquery, column->attnum);
        return source && source->kind != EXPR_COLUMN && record_field(scope, source, name, field);
    }
    if (arg->kind == EXPR_FUNCTION) {
        const FunctionDesc *function =
            function_find(scope_session(scope), EXPR_AS(const ExprFunction, arg)->function);
        int output = 0;
        for (int i = 0; function && i < function->all_count; i++) {
            const char mode = function->all_modes[i];
            if (mode != 'o' && mode != 'b' && mode != 't')
                continue;
            output++;
            if (!function->names || !str_equal(function->names[i], name))
                continue;
            field->attnum = output;
            TRY(function_output_type(scope, EXPR_AS(const ExprFunction, arg), function, i,
                                     &field->base.type));
            field->base.typmod = -1;
            field->base.collation = expr_result_collation(scope, field->base.type, 0);
            return true;
        }
    }
    return false;
}

/* (relation).column is the column itself. */
static Expr *whole_row_field(Scope *scope, const ExprColumn *whole, Str name, int position)
{
    const Scope *owner = scope;
    for (int i = 0; i < whole->levels_up; i++)
        owner = owner->parent;
    for (size_t i = 0; i < owner->items.length; i++) {
        const ScopeItem *item = &owner->items.items[i];
        if (item->rel != whole->rel)
            continue;
        for (int c = 0; c < item->rte->column_count; c++)
            if (str_equal(item->rte->columns[c].name, name))
                return scope_item_column(scope, item, c, whole->levels_up, position);
    }
    const RangeTableEntry *rte = query_rte(owner->query, whole->rel);
    FAIL(ERR_UNDEFINED_COLUMN,
         .message = fmt("column %.*s.%.*s does not exist", STR_ARGS(rte->name), STR_ARGS(name)),
         .position = position);
}

static Expr *analyze_field(Scope *scope, Expr *arg, Str name, int position)
{
    CatalogSession *session = scope_session(scope);
    ExprFieldSelect *field = EXPR_NEW(scope_arena(scope), ExprFieldSelect, EXPR_FIELD_SELECT);
    const TypeDesc *type = type_find(session, base_type_of(session, arg->type, NULL));

    field->arg = arg;
    field->name = name;
    field->base.position = position;
    if (arg->type == TYPE_RECORD) {
        if (record_field(scope, arg, name, field))
            return &field->base;
        FAIL(ERR_UNDEFINED_COLUMN,
             .message =
                 fmt("could not identify column \"%.*s\" in record data type", STR_ARGS(name)),
             .position = position);
    }
    if (!type || type->kind != 'c')
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message =
                 fmt("column notation .%.*s applied to type %.*s, which is not a composite type",
                     STR_ARGS(name), STR_ARGS(type_text(scope, arg->type))),
             .position = position);
    const RelationDesc *relation = relation_find(session, type->relation);
    const ColumnDesc *column = relation ? relation_column(relation, name) : NULL;
    if (arg->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, arg)->attnum == ATTNUM_WHOLE_ROW)
        return whole_row_field(scope, EXPR_AS(const ExprColumn, arg), name, position);
    if (!column)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" not found in data type %.*s", STR_ARGS(name),
                            STR_ARGS(type_text(scope, arg->type))),
             .position = position);
    field->attnum = relation_field_number(relation, column);
    field->base.type = column->type;
    field->base.typmod = column->typmod;
    field->base.collation = column->collation;
    return &field->base;
}

static Expr *analyze_indirection(Scope *scope, const A_Indirection *node)
{
    Expr *expr = analyze_expr_inner(scope, node->arg);
    TRY(expr);
    const NodeVec *steps = &node->indirection;

    for (size_t i = 0; i < steps->length;) {
        const Node *step = steps->items[i];
        if (NODE_IS(step, A_Indices)) {
            size_t count = 1;
            while (i + count < steps->length && NODE_IS(steps->items[i + count], A_Indices))
                count++;
            TRY(expr =
                    analyze_subscripts(scope, expr, (const Node *const *)&steps->items[i], count));
            i += count;
        } else if (NODE_IS(step, FieldName)) {
            TRY(expr = analyze_field(scope, expr, NODE_CAST(FieldName, step)->name,
                                     node->node.position ? node->node.position : expr->position));
            i++;
        } else {
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("row expansion via \"*\" is not supported here"),
                 .position = node->node.position ? node->node.position : expr->position);
        }
    }
    return expr;
}

static Expr *analyze_current_of(Scope *scope, const CurrentOfExpr *node)
{
    if (!scope->target_item)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("WHERE CURRENT OF is not supported here"));
    if (scope->target->kind == RELKIND_VIEW)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("WHERE CURRENT OF on a view is not implemented"));
    ExprCurrentOf *result = EXPR_NEW(scope_arena(scope), ExprCurrentOf, EXPR_CURRENT_OF);
    result->base.type = TYPE_BOOL;
    result->rel = scope->target_item->rel;
    result->cursor_name = node->cursor_name;
    return &result->base;
}

/* ---- entry points ---- */

Expr *analyze_expr_inner(Scope *scope, const Node *node)
{
    CHECK_INTERRUPTS();
    if (task_stack_left() < 24 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"),
             .hint =
                 STR("Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), "
                     "after ensuring the platform's stack depth limit is adequate."));
    switch (node->tag) {
    case NODE_A_CONST:
        return analyze_const(scope, NODE_CAST(A_Const, node));
    case NODE_COLUMN_REF:
        return analyze_column_ref(scope, NODE_CAST(ColumnRef, node));
    case NODE_PARAM_REF:
        return analyze_param(scope, NODE_CAST(ParamRef, node));
    case NODE_TYPE_CAST:
        return analyze_type_cast(scope, NODE_CAST(TypeCast, node));
    case NODE_COLLATE_CLAUSE:
        return analyze_collate(scope, NODE_CAST(CollateClause, node));
    case NODE_A_EXPR:
        return analyze_a_expr(scope, NODE_CAST(A_Expr, node));
    case NODE_BOOL_EXPR:
        return analyze_bool(scope, NODE_CAST(BoolExpr, node));
    case NODE_NULL_TEST: {
        const NullTest *test = NODE_CAST(NullTest, node);
        Expr *arg = analyze_expr_inner(scope, test->arg);
        return arg ? null_test(scope, arg, test->is_not, node->position) : NULL;
    }
    case NODE_BOOLEAN_TEST:
        return analyze_boolean_test(scope, NODE_CAST(BooleanTest, node));
    case NODE_FUNC_CALL:
        return analyze_function_call(scope, NODE_CAST(FuncCall, node));
    case NODE_SUB_LINK:
        return analyze_sublink(scope, NODE_CAST(SubLink, node));
    case NODE_CASE_EXPR:
        return analyze_case(scope, NODE_CAST(CaseExpr, node));
    case NODE_COALESCE_EXPR:
        return analyze_coalesce(scope, NODE_CAST(CoalesceExpr, node));
    case NODE_MIN_MAX_EXPR:
        return analyze_min_max(scope, NODE_CAST(MinMaxExpr, node));
    case NODE_SQL_VALUE_FUNCTION:
        return analyze_sql_value(scope, NODE_CAST(SQLValueFunction, node));
    case NODE_A_INDIRECTION:
        return analyze_indirection(scope, NODE_CAST(A_Indirection, node));
    case NODE_A_ARRAY_EXPR:
        return analyze_array(scope, NODE_CAST(A_ArrayExpr, node), 0, 0, -1);
    case NODE_ROW_EXPR:
        return analyze_row(scope, NODE_CAST(RowExpr, node));
    case NODE_CURRENT_OF_EXPR:
        return analyze_current_of(scope, NODE_CAST(CurrentOfExpr, node));
    case NODE_XML_EXPR:
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("%.*s is not supported", STR_ARGS(NODE_CAST(XmlExpr, node)->feature)),
             .position = node->position);
    case NODE_GROUPING_FUNC:
        return analyze_grouping(scope, NODE_CAST(GroupingFunc, node));
    case NODE_SET_TO_DEFAULT:
        if (scope->allow_default) {
            Expr *expr = expr_new(scope_arena(scope), sizeof(Expr), EXPR_DEFAULT);
            expr->type = TYPE_UNKNOWN;
            expr->position = node->position;
            return expr;
        }
        FAIL(ERR_SYNTAX_ERROR, .message = STR("DEFAULT is not allowed in this context"),
             .position = node->position);
    default:
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("unrecognized node type: %s", node_name(node->tag)));
    }
}

Expr *analyze_expr(Scope *scope, const Node *node, ExprPlace place)
{
    const ExprPlace saved = scope->place;
    scope->place = place;
    Expr *expr = analyze_expr_inner(scope, node);
    scope->place = saved;
    return expr;
}

Expr *analyze_condition(Scope *scope, const Node *node, ExprPlace place, Str clause)
{
    if (!node)
        return expr_bool(scope_arena(scope), true);
    Expr *expr = analyze_expr(scope, node, place);
    return expr ? coerce_to_boolean(scope, expr, clause) : NULL;
}
