#include "planner/lift.h"

#include "catalog/lookup.h"
#include "planner/query_walk.h"
#include "types/type.h"

typedef struct Lift {
    Arena *arena;
    CatalogSession *session;
    Lifting *lifting;
    VEC(LiftedLiteral) lifted;
    bool assigns;  /* in SET or VALUES: arithmetic with a column is lifted from as well */
    bool may_lift; /* the expression being visited may become a parameter */
} Lift;

/* Types whose input reads the same text to the same value, whenever and wherever it is read. */
static bool is_plain_type(Oid type)
{
    switch (type) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_NUMERIC:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_BPCHAR:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_UUID:
    case TYPE_JSON:
        return true;
    default:
        return false;
    }
}

static Expr *const_lift(Lift *lift, const ExprConst *constant)
{
    if (constant->is_null || constant->base.position <= 0 || constant->base.typmod != -1 ||
        !is_plain_type(constant->base.type))
        return (Expr *)constant;
    for (uint32_t i = 0; i < lift->lifting->count; i++) {
        if (lift->lifting->positions[i] != constant->base.position)
            continue;
        LiftedLiteral literal = {.literal = i, .type = constant->base.type};
        VEC_PUSH(lift->arena, &lift->lifted, literal);
        ExprParam *param = EXPR_NEW(lift->arena, ExprParam, EXPR_PARAM);
        param->base = constant->base;
        param->base.kind = EXPR_PARAM;
        param->param_kind = PARAM_EXTERNAL;
        param->number = (int)lift->lifted.length;
        return &param->base;
    }
    return (Expr *)constant;
}

static bool finds_column(void *context, Expr *expr)
{
    bool *found = context;

    *found |= expr->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, expr)->levels_up == 0;
    return !*found && expr_walk(expr, finds_column, context);
}

static bool has_column(Expr *expr)
{
    bool found = false;

    (void)finds_column(&found, expr);
    return found;
}

static bool is_lifting_operator(const Lift *lift, Oid oid)
{
    static const char *const comparisons[] = {"=", "<>", "<", ">", "<=", ">="};
    static const char *const arithmetic[] = {"+", "-", "*", "||"};
    const OperatorDesc *desc = operator_find(lift->session, oid);

    for (size_t i = 0; desc && i < ARRAY_LENGTH(comparisons); i++)
        if (str_equal(desc->name, str_from_c(comparisons[i])))
            return true;
    for (size_t i = 0; desc && lift->assigns && i < ARRAY_LENGTH(arithmetic); i++)
        if (str_equal(desc->name, str_from_c(arithmetic[i])))
            return true;
    return false;
}

static Expr *lift_expr(void *context, Expr *expr);

static bool lift_slot(Lift *lift, Expr **slot, bool may_lift)
{
    lift->may_lift = may_lift;
    Expr *lifted = lift_expr(lift, *slot);
    lift->may_lift = false;
    TRY(lifted);
    *slot = lifted;
    return true;
}

static Expr *lift_operator(Lift *lift, const ExprOperator *old)
{
    if (old->args.length != 2 || !is_lifting_operator(lift, old->op)) {
        lift->may_lift = false;
        return expr_mutate(lift->arena, (Expr *)old, lift_expr, lift);
    }
    ExprOperator *copy = arena_copy(lift->arena, old, sizeof(*old));
    copy->args.items = arena_copy(lift->arena, old->args.items, sizeof(Expr *) * 2);
    for (int i = 0; i < 2; i++)
        TRY(lift_slot(lift, &copy->args.items[i], has_column(old->args.items[1 - i])));
    return &copy->base;
}

/* column IN (…): the elements. */
static Expr *lift_scalar_array(Lift *lift, const ExprScalarArray *old)
{
    if (old->array->kind != EXPR_ARRAY || !has_column(old->left))
        return (Expr *)old;
    const ExprArray *array = EXPR_AS(ExprArray, old->array);
    ExprScalarArray *copy = arena_copy(lift->arena, old, sizeof(*old));
    ExprArray *elements = arena_copy(lift->arena, array, sizeof(*array));
    elements->elements.items =
        arena_copy(lift->arena, array->elements.items, sizeof(Expr *) * array->elements.length);
    for (size_t i = 0; i < array->elements.length; i++)
        TRY(lift_slot(lift, &elements->elements.items[i], true));
    copy->array = &elements->base;
    return &copy->base;
}

/* What was put in to fit the literal's type, or its length, goes with it. */
static Expr *lift_function(Lift *lift, const ExprFunction *old)
{
    if (!lift->may_lift || old->form != CALL_IMPLICIT_CAST || old->args.length == 0) {
        lift->may_lift = false;
        return expr_mutate(lift->arena, (Expr *)old, lift_expr, lift);
    }
    ExprFunction *copy = arena_copy(lift->arena, old, sizeof(*old));
    copy->args.items = arena_copy(lift->arena, old->args.items, sizeof(Expr *) * old->args.length);
    TRY(lift_slot(lift, &copy->args.items[0], true));
    return &copy->base;
}

static Expr *lift_expr(void *context, Expr *expr)
{
    Lift *lift = context;

    switch (expr->kind) {
    case EXPR_CONST:
        return lift->may_lift ? const_lift(lift, EXPR_AS(ExprConst, expr)) : expr;
    case EXPR_OPERATOR:
        return lift_operator(lift, EXPR_AS(ExprOperator, expr));
    case EXPR_SCALAR_ARRAY:
        return lift_scalar_array(lift, EXPR_AS(ExprScalarArray, expr));
    case EXPR_FUNCTION:
        return lift_function(lift, EXPR_AS(ExprFunction, expr));
    case EXPR_BOOL:
    case EXPR_NULL_TEST:
    case EXPR_BOOLEAN_TEST:
        lift->may_lift = false;
        return expr_mutate(lift->arena, expr, lift_expr, lift);
    default:
        return expr;
    }
}

static bool lift_from(Lift *lift, FromItem *item)
{
    if (item->kind != FROM_JOIN)
        return true;
    TRY(lift_from(lift, item->left));
    TRY(lift_from(lift, item->right));
    return !item->condition || lift_slot(lift, &item->condition, false);
}

static bool lift_targets(Lift *lift, TargetVec *targets)
{
    lift->assigns = true;
    for (size_t i = 0; i < targets->length; i++)
        TRY(lift_slot(lift, &targets->items[i].expr, true));
    lift->assigns = false;
    return true;
}

/* INSERT … VALUES with several rows: the rows are a range table entry. */
static bool lift_values(Lift *lift, Query *query)
{
    lift->assigns = true;
    for (size_t r = 0; r < query->range_table.length; r++) {
        RangeTableEntry *entry = query->range_table.items[r];
        for (size_t i = 0; entry->kind == RANGE_VALUES && i < entry->values.length; i++)
            for (size_t c = 0; c < entry->values.items[i].length; c++)
                TRY(lift_slot(lift, &entry->values.items[i].items[c], true));
    }
    lift->assigns = false;
    return true;
}

static bool is_lifted_position(const Lifting *lifting, int position)
{
    for (uint32_t i = 0; i < lifting->lifted_count; i++)
        if (lifting->positions[lifting->lifted[i].literal] == position)
            return true;
    return false;
}

/* Analysis may have put one literal into several places, and some of them may keep it. */
static WalkStep find_kept(void *context, Expr *expr, int depth)
{
    const Lifting *lifting = context;

    (void)depth;
    return expr->kind == EXPR_CONST && is_lifted_position(lifting, expr->position) ? WALK_STOP
                                                                                   : WALK_CHILDREN;
}

bool query_lift_literals(Arena *arena, CatalogSession *session, Query *query, Lifting *lifting)
{
    Lift lift = {.arena = arena, .session = session, .lifting = lifting};

    lifting->is_sound = true;
    if (query->set_op || query->ctes.length > 0)
        return true;
    if (query->where)
        TRY(lift_slot(&lift, &query->where, false));
    for (size_t i = 0; i < query->from.length; i++)
        TRY(lift_from(&lift, query->from.items[i]));
    if (query->command == QUERY_UPDATE || query->command == QUERY_INSERT)
        TRY(lift_targets(&lift, &query->targets));
    if (query->command == QUERY_INSERT)
        TRY(lift_values(&lift, query));
    lifting->lifted = lift.lifted.items;
    lifting->lifted_count = (uint32_t)lift.lifted.length;
    lifting->is_sound = query_walk_deep(query, 0, find_kept, lifting);
    return true;
}
