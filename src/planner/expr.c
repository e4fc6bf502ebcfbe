#include "planner/expr.h"

#include "base/pace.h"
#include "base/scheduler.h"
#include "planner/query.h"
#include "types/type.h"

/*
 * The shape of each kind: where its children are. One table serves walking, copying and comparing,
 * so that a new kind is described once. Offsets of 0 end a list (0 is always the Expr itself).
 */
typedef struct ExprShape {
    size_t size;
    uint16_t exprs[4]; /* Expr * */
    uint16_t vecs[3];  /* ExprVec */
    uint16_t keys[2];  /* SortKeyVec */
} ExprShape;

#define AT(type, field) offsetof(type, field)

static const ExprShape shapes[] = {
    [EXPR_CONST] = {sizeof(ExprConst)},
    [EXPR_COLUMN] = {sizeof(ExprColumn)},
    [EXPR_SLOT] = {sizeof(ExprSlot)},
    [EXPR_PARAM] = {sizeof(ExprParam)},
    [EXPR_FUNCTION] = {sizeof(ExprFunction), .vecs = {AT(ExprFunction, args)}},
    [EXPR_OPERATOR] = {sizeof(ExprOperator), .vecs = {AT(ExprOperator, args)}},
    [EXPR_SCALAR_ARRAY] = {sizeof(ExprScalarArray),
                           .exprs = {AT(ExprScalarArray, left), AT(ExprScalarArray, array)}},
    [EXPR_BOOL] = {sizeof(ExprBool), .vecs = {AT(ExprBool, args)}},
    [EXPR_NULL_TEST] = {sizeof(ExprNullTest), .exprs = {AT(ExprNullTest, arg)}},
    [EXPR_BOOLEAN_TEST] = {sizeof(ExprBooleanTest), .exprs = {AT(ExprBooleanTest, arg)}},
    [EXPR_CASE] = {sizeof(ExprCase), .exprs = {AT(ExprCase, operand), AT(ExprCase, otherwise)}},
    [EXPR_CASE_TEST] = {sizeof(ExprCaseTest)},
    [EXPR_COALESCE] = {sizeof(ExprCoalesce), .vecs = {AT(ExprCoalesce, args)}},
    [EXPR_MIN_MAX] = {sizeof(ExprMinMax), .vecs = {AT(ExprMinMax, args)}},
    [EXPR_NULLIF] = {sizeof(ExprNullIf),
                     .exprs = {AT(ExprNullIf, left), AT(ExprNullIf, right), AT(ExprNullIf, value)}},
    [EXPR_DISTINCT] = {sizeof(ExprDistinct),
                       .exprs = {AT(ExprDistinct, left), AT(ExprDistinct, right)}},
    [EXPR_ARRAY] = {sizeof(ExprArray), .vecs = {AT(ExprArray, elements)}},
    [EXPR_ROW] = {sizeof(ExprRow), .vecs = {AT(ExprRow, fields)}},
    [EXPR_ROW_COMPARE] = {sizeof(ExprRowCompare),
                          .vecs = {AT(ExprRowCompare, left), AT(ExprRowCompare, right)}},
    [EXPR_SUBSCRIPT] = {sizeof(ExprSubscript),
                        .exprs = {AT(ExprSubscript, container), AT(ExprSubscript, assigned)}},
    [EXPR_FIELD_SELECT] = {sizeof(ExprFieldSelect), .exprs = {AT(ExprFieldSelect, arg)}},
    [EXPR_CAST] = {sizeof(ExprCast), .exprs = {AT(ExprCast, element_cast)},
                   .vecs = {AT(ExprCast, args)}},
    [EXPR_COLLATE] = {sizeof(ExprCollate), .exprs = {AT(ExprCollate, arg)}},
    [EXPR_AGGREGATE] = {sizeof(ExprAggregate), .exprs = {AT(ExprAggregate, filter)},
                        .vecs = {AT(ExprAggregate, args), AT(ExprAggregate, direct_args)},
                        .keys = {AT(ExprAggregate, order_by), AT(ExprAggregate, distinct)}},
    [EXPR_GROUPING] = {sizeof(ExprGrouping), .vecs = {AT(ExprGrouping, args)}},
    [EXPR_WINDOW_FUNCTION] = {sizeof(ExprWindowFunction), .exprs = {AT(ExprWindowFunction, filter)},
                              .vecs = {AT(ExprWindowFunction, args)}},
    [EXPR_SUB_LINK] = {sizeof(ExprSubLink),
                       .vecs = {AT(ExprSubLink, left), AT(ExprSubLink, right)}},
    [EXPR_SUB_PLAN] = {sizeof(ExprSubPlan), .exprs = {AT(ExprSubPlan, test)},
                       .vecs = {AT(ExprSubPlan, args), AT(ExprSubPlan, hash_left),
                                AT(ExprSubPlan, hash_right)}},
    [EXPR_SQL_VALUE] = {sizeof(ExprSqlValue)},
    [EXPR_DEFAULT] = {sizeof(Expr)},
    [EXPR_CURRENT_OF] = {sizeof(ExprCurrentOf)},
    [EXPR_NEXT_VALUE] = {sizeof(ExprNextValue)},
};

static const ExprShape *expr_shape(const Expr *expr)
{
    assert(expr->kind > 0 && expr->kind < ARRAY_LENGTH(shapes));
    return &shapes[expr->kind];
}

#define FIELD(expr, type, offset) ((type *)((char *)(uintptr_t)(expr) + (offset)))

#define ITEMS_OF_A_TURN 256 /* of a long list; what is done with one takes a microsecond or two */

typedef bool SlotVisitor(void *context, Expr **slot);

static bool visit_vec(ExprVec *vec, SlotVisitor *visitor, void *context)
{
    for (size_t i = 0; i < vec->length; i++) {
        if (i % ITEMS_OF_A_TURN == ITEMS_OF_A_TURN - 1)
            pace_turn();
        if (vec->items[i] && !visitor(context, &vec->items[i]))
            return false;
    }
    return true;
}

/* The children that the table cannot describe: CASE arms and subscripts. */
static bool visit_special(Expr *expr, SlotVisitor *visitor, void *context)
{
    if (expr->kind == EXPR_CASE) {
        ExprCase *c = EXPR_AS(ExprCase, expr);
        for (size_t i = 0; i < c->whens.length; i++)
            if (!visitor(context, &c->whens.items[i].condition) ||
                !visitor(context, &c->whens.items[i].result))
                return false;
    } else if (expr->kind == EXPR_SUBSCRIPT) {
        ExprSubscript *s = EXPR_AS(ExprSubscript, expr);
        for (size_t i = 0; i < s->subscripts.length; i++) {
            Subscript *subscript = &s->subscripts.items[i];
            if ((subscript->lower && !visitor(context, &subscript->lower)) ||
                (subscript->upper && !visitor(context, &subscript->upper)))
                return false;
        }
    }
    return true;
}

static bool visit_slots(Expr *expr, SlotVisitor *visitor, void *context)
{
    const ExprShape *shape = expr_shape(expr);

    /* A CASE's operand comes before its arms, its ELSE after them. */
    for (size_t i = 0; i < ARRAY_LENGTH(shape->exprs) && shape->exprs[i]; i++) {
        Expr **slot = FIELD(expr, Expr *, shape->exprs[i]);
        if (*slot && !visitor(context, slot))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(shape->vecs) && shape->vecs[i]; i++)
        if (!visit_vec(FIELD(expr, ExprVec, shape->vecs[i]), visitor, context))
            return false;
    for (size_t i = 0; i < ARRAY_LENGTH(shape->keys) && shape->keys[i]; i++) {
        SortKeyVec *keys = FIELD(expr, SortKeyVec, shape->keys[i]);
        for (size_t k = 0; k < keys->length; k++)
            if (!visitor(context, &keys->items[k].expr))
                return false;
    }
    return visit_special(expr, visitor, context);
}

typedef struct WalkContext {
    ExprVisitor *visitor;
    void *context;
} WalkContext;

static bool walk_slot(void *context, Expr **slot)
{
    WalkContext *walk = context;
    return walk->visitor(walk->context, *slot);
}

bool expr_walk(const Expr *expr, ExprVisitor *visitor, void *context)
{
    if (!expr)
        return true;
    return visit_slots((Expr *)(uintptr_t)expr, walk_slot, &(WalkContext){visitor, context});
}

static Expr *expr_copy_shallow(Arena *arena, const Expr *expr)
{
    const ExprShape *shape = expr_shape(expr);
    Expr *copy = arena_copy(arena, expr, shape->size);

    for (size_t i = 0; i < ARRAY_LENGTH(shape->vecs) && shape->vecs[i]; i++) {
        ExprVec *vec = FIELD(copy, ExprVec, shape->vecs[i]);
        if (vec->length > 0)
            vec->items = arena_copy(arena, vec->items, vec->length * sizeof(Expr *));
        vec->capacity = vec->length;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(shape->keys) && shape->keys[i]; i++) {
        SortKeyVec *keys = FIELD(copy, SortKeyVec, shape->keys[i]);
        if (keys->length > 0)
            keys->items = arena_copy(arena, keys->items, keys->length * sizeof(SortKey));
        keys->capacity = keys->length;
    }
    if (expr->kind == EXPR_CASE) {
        ExprCase *c = EXPR_AS(ExprCase, copy);
        c->whens.items = arena_copy(arena, c->whens.items, c->whens.length * sizeof(ExprCaseWhen));
        c->whens.capacity = c->whens.length;
    } else if (expr->kind == EXPR_SUBSCRIPT) {
        ExprSubscript *s = EXPR_AS(ExprSubscript, copy);
        s->subscripts.items =
            arena_copy(arena, s->subscripts.items, s->subscripts.length * sizeof(Subscript));
        s->subscripts.capacity = s->subscripts.length;
    }
    return copy;
}

typedef struct MutateContext {
    ExprMutator *mutator;
    void *context;
    bool changed;
} MutateContext;

static bool mutate_slot(void *context, Expr **slot)
{
    MutateContext *mutate = context;
    Expr *result = mutate->mutator(mutate->context, *slot);

    TRY(result);
    if (result != *slot) {
        *slot = result;
        mutate->changed = true;
    }
    return true;
}

Expr *expr_mutate(Arena *arena, Expr *expr, ExprMutator *mutator, void *context)
{
    if (task_stack_left() < 16 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));

    Expr *copy = expr_copy_shallow(arena, expr);
    MutateContext mutate = {mutator, context, false};

    TRY(visit_slots(copy, mutate_slot, &mutate));
    return mutate.changed ? copy : expr;
}

void *expr_new(Arena *arena, size_t size, ExprKind kind)
{
    Expr *expr = arena_alloc_zeroed(arena, size);
    expr->kind = kind;
    expr->typmod = -1;
    return expr;
}

ExprConst *expr_const(Arena *arena, Oid type, int32_t typmod, Oid collation, Value value,
                      bool is_null, int position)
{
    ExprConst *c = EXPR_NEW(arena, ExprConst, EXPR_CONST);
    c->base.type = type;
    c->base.typmod = typmod;
    c->base.collation = collation;
    c->base.position = position;
    if (!is_null)
        c->value = value;
    c->is_null = is_null;
    return c;
}

Expr *expr_null(Arena *arena, Oid type, int32_t typmod, Oid collation)
{
    return &expr_const(arena, type, typmod, collation, (Value){0}, true, 0)->base;
}

ExprRow *expr_whole_row(Arena *arena, const Expr *whole, Str relation_name, int capacity)
{
    ExprRow *row = EXPR_NEW(arena, ExprRow, EXPR_ROW);
    row->base.type = whole->type;
    row->base.typmod = -1;
    row->base.position = whole->position;
    row->names = ARENA_ARRAY(arena, Str, capacity + 1);
    row->whole_of = relation_name;
    return row;
}

void expr_whole_row_add(Arena *arena, ExprRow *row, Str name, Expr *column)
{
    if (name.length == 0)
        return;
    row->names[row->fields.length] = name;
    VEC_PUSH(arena, &row->fields, column);
}

Expr *expr_bool(Arena *arena, bool value)
{
    return &expr_const(arena, TYPE_BOOL, -1, 0, (Value){.boolean = value}, false, 0)->base;
}

Expr *expr_int4(Arena *arena, int32_t value)
{
    return &expr_const(arena, TYPE_INT4, -1, 0, (Value){.int32 = value}, false, 0)->base;
}

static void expr_copy_type(Expr *expr, const Expr *like)
{
    expr->type = like->type;
    expr->typmod = like->typmod;
    expr->collation = like->collation;
    expr->position = like->position;
}

Expr *expr_slot(Arena *arena, int child, int column, const Expr *like)
{
    ExprSlot *slot = EXPR_NEW(arena, ExprSlot, EXPR_SLOT);
    expr_copy_type(&slot->base, like);
    slot->child = child;
    slot->column = column;
    return &slot->base;
}

Expr *expr_param_exec(Arena *arena, int number, const Expr *like)
{
    ExprParam *param = EXPR_NEW(arena, ExprParam, EXPR_PARAM);
    expr_copy_type(&param->base, like);
    param->param_kind = PARAM_EXEC;
    param->number = number;
    return &param->base;
}

Expr *expr_column(Arena *arena, int rel, int attnum, int levels_up, const Expr *like)
{
    ExprColumn *column = EXPR_NEW(arena, ExprColumn, EXPR_COLUMN);
    expr_copy_type(&column->base, like);
    column->rel = rel;
    column->attnum = attnum;
    column->levels_up = levels_up;
    return &column->base;
}

static ExprBool *expr_bool_op(Arena *arena, BoolOp op)
{
    ExprBool *b = EXPR_NEW(arena, ExprBool, EXPR_BOOL);
    b->base.type = TYPE_BOOL;
    b->op = op;
    return b;
}

static void and_add(Arena *arena, ExprVec *args, Expr *expr)
{
    if (expr->kind == EXPR_BOOL && EXPR_AS(ExprBool, expr)->op == BOOL_AND) {
        const ExprBool *b = EXPR_AS(ExprBool, expr);
        for (size_t i = 0; i < b->args.length; i++)
            VEC_PUSH(arena, args, b->args.items[i]);
    } else {
        VEC_PUSH(arena, args, expr);
    }
}

Expr *expr_and(Arena *arena, Expr *left, Expr *right)
{
    if (!left || !right)
        return left ? left : right;
    ExprBool *b = expr_bool_op(arena, BOOL_AND);
    and_add(arena, &b->args, left);
    and_add(arena, &b->args, right);
    return &b->base;
}

Expr *expr_and_list(Arena *arena, const ExprVec *list)
{
    if (list->length <= 1)
        return list->length ? list->items[0] : NULL;
    ExprBool *b = expr_bool_op(arena, BOOL_AND);
    for (size_t i = 0; i < list->length; i++)
        and_add(arena, &b->args, list->items[i]);
    return &b->base;
}

Expr *expr_not(Arena *arena, Expr *arg)
{
    ExprBool *b = expr_bool_op(arena, BOOL_NOT);
    b->base.position = arg->position;
    VEC_PUSH(arena, &b->args, arg);
    return &b->base;
}

/* ---- comparison ---- */

static bool vec_equal(const ExprVec *a, const ExprVec *b)
{
    if (a->length != b->length)
        return false;
    for (size_t i = 0; i < a->length; i++)
        if (!expr_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool keys_equal(const SortKeyVec *a, const SortKeyVec *b)
{
    if (a->length != b->length)
        return false;
    for (size_t i = 0; i < a->length; i++) {
        const SortKey *x = &a->items[i], *y = &b->items[i];
        if (x->sort_op != y->sort_op || x->is_descending != y->is_descending ||
            x->nulls_first != y->nulls_first || !expr_equal(x->expr, y->expr))
            return false;
    }
    return true;
}

static bool const_equal(const ExprConst *a, const ExprConst *b)
{
    if (a->is_null || b->is_null)
        return a->is_null && b->is_null;
    const PhysType phys = type_phys(a->base.type);
    if (phys == PHYS_VAR)
        return var_equal(&a->value.var, &b->value.var);
    return memcmp(&a->value, &b->value, phys_width(phys)) == 0;
}

#define SAME(type, field) (EXPR_AS(const type, a)->field == EXPR_AS(const type, b)->field)

/* What a kind has beside children. */
static bool own_equal(const Expr *a, const Expr *b)
{
    switch (a->kind) {
    case EXPR_CONST:
        return const_equal((const ExprConst *)a, (const ExprConst *)b);
    case EXPR_COLUMN:
        return SAME(ExprColumn, rel) && SAME(ExprColumn, attnum) && SAME(ExprColumn, levels_up);
    case EXPR_SLOT:
        return SAME(ExprSlot, child) && SAME(ExprSlot, column);
    case EXPR_PARAM:
        return SAME(ExprParam, param_kind) && SAME(ExprParam, number);
    case EXPR_FUNCTION:
        return SAME(ExprFunction, function) && SAME(ExprFunction, is_variadic) &&
               SAME(ExprFunction, input_collation);
    case EXPR_OPERATOR:
        return SAME(ExprOperator, op) && SAME(ExprOperator, input_collation);
    case EXPR_SCALAR_ARRAY:
        return SAME(ExprScalarArray, op) && SAME(ExprScalarArray, use_or);
    case EXPR_BOOL:
        return SAME(ExprBool, op);
    case EXPR_NULL_TEST:
        return SAME(ExprNullTest, is_not_null);
    case EXPR_BOOLEAN_TEST:
        return SAME(ExprBooleanTest, test);
    case EXPR_CASE:
        return SAME(ExprCase, whens.length);
    case EXPR_MIN_MAX:
        return SAME(ExprMinMax, is_greatest);
    case EXPR_NULLIF:
        return SAME(ExprNullIf, op);
    case EXPR_DISTINCT:
        return SAME(ExprDistinct, op) && SAME(ExprDistinct, is_not);
    case EXPR_ARRAY:
        return SAME(ExprArray, is_nested);
    case EXPR_ROW_COMPARE:
        return SAME(ExprRowCompare, compare) && SAME(ExprRowCompare, ops.items[0]);
    case EXPR_SUBSCRIPT:
        return SAME(ExprSubscript, is_slice) && SAME(ExprSubscript, subscripts.length);
    case EXPR_FIELD_SELECT:
        return SAME(ExprFieldSelect, attnum);
    case EXPR_CAST:
        return SAME(ExprCast, cast) && SAME(ExprCast, function);
    case EXPR_AGGREGATE:
        return SAME(ExprAggregate, function) && SAME(ExprAggregate, is_distinct) &&
               SAME(ExprAggregate, is_star) && SAME(ExprAggregate, levels_up) &&
               SAME(ExprAggregate, is_variadic);
    case EXPR_GROUPING:
        return SAME(ExprGrouping, levels_up);
    case EXPR_WINDOW_FUNCTION:
        return SAME(ExprWindowFunction, function) && SAME(ExprWindowFunction, window) &&
               SAME(ExprWindowFunction, is_star);
    case EXPR_SUB_LINK:
        return SAME(ExprSubLink, sublink) && SAME(ExprSubLink, row_compare) &&
               SAME(ExprSubLink, combine_or) && SAME(ExprSubLink, multi_column);
    case EXPR_SUB_PLAN:
        return SAME(ExprSubPlan, subplan) && SAME(ExprSubPlan, column);
    case EXPR_SQL_VALUE:
        return SAME(ExprSqlValue, value);
    case EXPR_CURRENT_OF:
        return SAME(ExprCurrentOf, rel);
    case EXPR_NEXT_VALUE:
        return SAME(ExprNextValue, sequence);
    case EXPR_CASE_TEST:
    case EXPR_COALESCE:
    case EXPR_ROW:
    case EXPR_COLLATE:
    case EXPR_DEFAULT:
        return true;
    }
    return false;
}

static bool special_equal(const Expr *a, const Expr *b)
{
    if (a->kind == EXPR_CASE) {
        const ExprCase *x = (const ExprCase *)a, *y = (const ExprCase *)b;
        for (size_t i = 0; i < x->whens.length; i++)
            if (!expr_equal(x->whens.items[i].condition, y->whens.items[i].condition) ||
                !expr_equal(x->whens.items[i].result, y->whens.items[i].result))
                return false;
    } else if (a->kind == EXPR_SUBSCRIPT) {
        const ExprSubscript *x = (const ExprSubscript *)a, *y = (const ExprSubscript *)b;
        for (size_t i = 0; i < x->subscripts.length; i++)
            if (!expr_equal(x->subscripts.items[i].lower, y->subscripts.items[i].lower) ||
                !expr_equal(x->subscripts.items[i].upper, y->subscripts.items[i].upper))
                return false;
    } else if (a->kind == EXPR_SUB_LINK) {
        const ExprSubLink *x = (const ExprSubLink *)a, *y = (const ExprSubLink *)b;
        return str_equal(x->op_name, y->op_name) && query_equal(x->query, y->query);
    }
    return true;
}

bool expr_equal(const Expr *a, const Expr *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->kind != b->kind || a->type != b->type || a->typmod != b->typmod ||
        a->collation != b->collation || !own_equal(a, b))
        return false;

    const ExprShape *shape = expr_shape(a);
    for (size_t i = 0; i < ARRAY_LENGTH(shape->exprs) && shape->exprs[i]; i++)
        if (!expr_equal(*FIELD(a, Expr *, shape->exprs[i]), *FIELD(b, Expr *, shape->exprs[i])))
            return false;
    for (size_t i = 0; i < ARRAY_LENGTH(shape->vecs) && shape->vecs[i]; i++)
        if (!vec_equal(FIELD(a, ExprVec, shape->vecs[i]), FIELD(b, ExprVec, shape->vecs[i])))
            return false;
    for (size_t i = 0; i < ARRAY_LENGTH(shape->keys) && shape->keys[i]; i++)
        if (!keys_equal(FIELD(a, SortKeyVec, shape->keys[i]), FIELD(b, SortKeyVec, shape->keys[i])))
            return false;
    return special_equal(a, b);
}

Oid expr_function(const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_FUNCTION:
        return EXPR_AS(const ExprFunction, expr)->function;
    case EXPR_OPERATOR:
        return EXPR_AS(const ExprOperator, expr)->function;
    case EXPR_SCALAR_ARRAY:
        return EXPR_AS(const ExprScalarArray, expr)->function;
    case EXPR_NULLIF:
        return EXPR_AS(const ExprNullIf, expr)->function;
    case EXPR_DISTINCT:
        return EXPR_AS(const ExprDistinct, expr)->function;
    case EXPR_CAST:
        return EXPR_AS(const ExprCast, expr)->function;
    default:
        return 0;
    }
}

static int leftmost(int a, int b)
{
    return a == 0 ? b : b == 0 ? a : MIN(a, b);
}

static int leftmost_of(int position, const ExprVec *args)
{
    for (size_t i = 0; i < args->length; i++)
        position = leftmost(position, expr_location(args->items[i]));
    return position;
}

int expr_location(const Expr *expr)
{
    if (!expr)
        return 0;
    switch (expr->kind) {
    case EXPR_OPERATOR:
        return leftmost_of(expr->position, &EXPR_AS(const ExprOperator, expr)->args);
    case EXPR_FUNCTION:
        return leftmost_of(expr->position, &EXPR_AS(const ExprFunction, expr)->args);
    case EXPR_BOOL:
        return leftmost_of(expr->position, &EXPR_AS(const ExprBool, expr)->args);
    case EXPR_CAST:
        return leftmost(expr->position,
                        expr_location(EXPR_AS(const ExprCast, expr)->args.items[0]));
    case EXPR_SCALAR_ARRAY:
        return leftmost(expr->position,
                        leftmost(expr_location(EXPR_AS(const ExprScalarArray, expr)->left),
                                 expr_location(EXPR_AS(const ExprScalarArray, expr)->array)));
    case EXPR_DISTINCT:
        return leftmost(expr->position, expr_location(EXPR_AS(const ExprDistinct, expr)->left));
    case EXPR_NULLIF:
        return leftmost(expr->position, expr_location(EXPR_AS(const ExprNullIf, expr)->left));
    case EXPR_NULL_TEST:
        return leftmost(expr->position, expr_location(EXPR_AS(const ExprNullTest, expr)->arg));
    case EXPR_BOOLEAN_TEST:
        return leftmost(expr->position, expr_location(EXPR_AS(const ExprBooleanTest, expr)->arg));
    case EXPR_SUB_LINK:
        return leftmost_of(expr->position, &EXPR_AS(const ExprSubLink, expr)->left);
    case EXPR_COLLATE:
        return expr_location(EXPR_AS(const ExprCollate, expr)->arg);
    case EXPR_FIELD_SELECT:
        return expr_location(EXPR_AS(const ExprFieldSelect, expr)->arg);
    case EXPR_SUBSCRIPT:
        return expr_location(EXPR_AS(const ExprSubscript, expr)->container);
    default:
        return expr->position;
    }
}
