#include "planner/plan_scan.h"
#include "planner/variable.h"
#include "types/key.h"

/*
 * Which conditions an index answers, and in which order it gives rows.
 */

/* One index beside the conditions, a column after the other. */
typedef struct IndexMatcher {
    Level *level;
    int rel;
    const IndexDesc *index;
    const ExprVec *quals;
    RelSet allowed; /* relations that values may be of */
    IndexMatch *match;
    int number; /* the column that is looked at */
    const IndexColumn *column;
    const Expr *expression; /* what it holds, if it is no table's column */
} IndexMatcher;

static Expr *stripped(Expr *expr)
{
    return (Expr *)(uintptr_t)strip_relabel(expr);
}

static bool is_of_rel(const Expr *expr, int rel)
{
    return expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->levels_up == 0 &&
           EXPR_AS(const ExprColumn, expr)->rel == rel;
}

static bool is_column_of(Expr *expr, int rel, int attnum)
{
    expr = stripped(expr);
    return is_of_rel(expr, rel) && EXPR_AS(ExprColumn, expr)->attnum == attnum;
}

/* Whether an expression is what the index column holds. */
static bool is_key(const IndexMatcher *m, Expr *expr)
{
    const Expr *key = m->expression;

    if (m->column->attnum)
        return is_column_of(expr, m->rel, m->column->attnum);
    return key && (expr_equal(expr, key) || expr_equal(stripped(expr), key));
}

static bool is_integer(Oid type)
{
    return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
}

static int integer_width(Oid type)
{
    return type == TYPE_INT2 ? 2 : type == TYPE_INT4 ? 4 : 8;
}

/* The value in the index column's type; NULL where the key cannot be made from it. */
static Expr *key_value(Level *level, Expr *value, Oid type, bool *ret_wider)
{
    Planner *planner = level->planner;
    *ret_wider = false;
    if (value->type == type)
        return value;
    if (is_integer(type) && is_integer(value->type)) {
        if (integer_width(value->type) > integer_width(type)) {
            *ret_wider = true;
            return value;
        }
        AnalyzeContext context = {.arena = planner->arena, .session = planner->session};
        Expr *cast = analyze_coerce(&context, value, type, -1, COERCION_IMPLICIT);
        return cast ? plan_fold(planner, cast) : NULL;
    }
    const PhysType phys = type_phys(type);
    const bool texts = (type == TYPE_TEXT || type == TYPE_VARCHAR) &&
                       (value->type == TYPE_TEXT || value->type == TYPE_VARCHAR);
    return phys == type_phys(value->type) && texts ? value : NULL;
}

static WalkStep find_sublink(void *context, Expr *expr, int depth)
{
    (void)context;
    (void)depth;
    return expr->kind == EXPR_SUB_LINK ? WALK_STOP : WALK_CHILDREN;
}

static bool fits_allowed(const IndexMatcher *m, Expr *value)
{
    /* A subquery over the outer side is the join's to compute, row by row. */
    if (expr_rels(value) && !expr_walk_deep(value, 0, find_sublink, NULL))
        return false;
    return (expr_rels(value) & ~m->allowed) == 0 &&
           !expr_is_volatile(m->level->planner->session, value);
}

static bool match_operator(const IndexMatcher *m, ExprOperator *op, IndexKey *ret)
{
    static const IndexOp ops[] = {0, INDEX_LT, INDEX_LE, INDEX_EQ, INDEX_GE, INDEX_GT};
    static const int flipped[] = {0, 5, 4, 3, 2, 1};
    CatalogSession *session = m->level->planner->session;
    const IndexColumn *column = m->column;
    if (op->args.length != 2)
        return false;
    for (int side = 0; side < 2; side++) {
        Expr *key = op->args.items[side], *value = op->args.items[1 - side];
        if (!is_key(m, key) || !fits_allowed(m, value))
            continue;
        int strategy = opfamily_strategy(session, column->opfamily, op->op);
        if (strategy < 1 || strategy > 5)
            return false;
        if (side == 1)
            strategy = flipped[strategy];
        ret->op = ops[strategy];
        ret->value = key_value(m->level, stripped(value), column->type, &ret->value_wider);
        if (!ret->value)
            ret->value = key_value(m->level, value, column->type, &ret->value_wider);
        return ret->value != NULL;
    }
    return false;
}

static bool match_array(const IndexMatcher *m, ExprScalarArray *array, IndexKey *ret)
{
    CatalogSession *session = m->level->planner->session;
    if (!array->use_or || !is_key(m, array->left) ||
        opfamily_strategy(session, m->column->opfamily, array->op) != 3 ||
        !fits_allowed(m, array->array))
        return false;
    const TypeDesc *type = type_find(session, array->array->type);
    if (!type || type->element != m->column->type)
        return false;
    ret->op = INDEX_IN;
    ret->value = array->array;
    return true;
}

/* x = 1 OR x = 2 is x IN (1, 2). */
static bool match_or(const IndexMatcher *m, const ExprBool * or, IndexKey *ret)
{
    Arena *arena = m->level->planner->arena;
    const IndexColumn *column = m->column;
    const TypeDesc *type = type_find(m->level->planner->session, column->type);
    if (or->op != BOOL_OR || !type || !type->array)
        return false;
    ExprArray *array = EXPR_NEW(arena, ExprArray, EXPR_ARRAY);
    array->base.type = type->array;
    array->base.typmod = -1;
    array->base.collation = column->collation;
    array->element_type = column->type;
    for (size_t i = 0; i < or->args.length; i++) {
        IndexKey one = {0};
        Expr *arm = or->args.items[i];
        if (arm->kind != EXPR_OPERATOR || !match_operator(m, EXPR_AS(ExprOperator, arm), &one) ||
            one.op != INDEX_EQ || one.value_wider)
            return false;
        VEC_PUSH(arena, &array->elements, one.value);
    }
    ret->op = INDEX_IN;
    ret->value = &array->base;
    return true;
}

static bool match_qual(const IndexMatcher *m, Expr *qual, IndexKey *ret)
{
    *ret = (IndexKey){.source = qual};
    switch (qual->kind) {
    case EXPR_OPERATOR:
        return match_operator(m, EXPR_AS(ExprOperator, qual), ret);
    case EXPR_SCALAR_ARRAY:
        return match_array(m, EXPR_AS(ExprScalarArray, qual), ret);
    case EXPR_BOOL:
        return match_or(m, EXPR_AS(ExprBool, qual), ret);
    case EXPR_NULL_TEST: {
        const ExprNullTest *test = EXPR_AS(ExprNullTest, qual);
        if (test->arg_is_row || !is_key(m, test->arg))
            return false;
        ret->op = test->is_not_null ? INDEX_IS_NOT_NULL : INDEX_IS_NULL;
        return true;
    }
    case EXPR_COLUMN:
        if (qual->type != TYPE_BOOL || !is_key(m, qual))
            return false;
        ret->op = INDEX_EQ;
        ret->value = expr_bool(m->level->planner->arena, true);
        return true;
    default:
        return false;
    }
}

/* Stored texts speak of entry 1. */
static WalkStep set_rel(void *context, Expr *expr, int depth)
{
    if (expr->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, expr)->levels_up == depth)
        EXPR_AS(ExprColumn, expr)->rel = *(const int *)context;
    return WALK_CHILDREN;
}

/* The text in terms of entry `rel`. Each side of an OR asks for the same ones again. */
static Expr *index_text(Level *level, int rel, const RelationDesc *relation, const IndexDesc *index,
                        int column)
{
    Planner *planner = level->planner;
    for (size_t i = 0; i < level->index_texts.length; i++) {
        const IndexText *known = &level->index_texts.items[i];
        if (known->index == index->oid && known->rel == rel && known->column == column)
            return known->expr;
    }
    const bool is_predicate = column < 0;
    Expr *expr = analyze_expression_text(
        planner->arena, planner->session,
        is_predicate ? index->predicate : index->columns[column].expression, relation,
        is_predicate ? STORED_INDEX_PREDICATE : STORED_OTHER, is_predicate ? TYPE_BOOL : 0, -1);
    if (!expr || !(expr = plan_fold(planner, expr)))
        error_clear();
    else
        (void)expr_walk_deep(expr, 0, set_rel, &rel);
    const IndexText read = {.index = index->oid, .rel = rel, .column = column, .expr = expr};
    VEC_PUSH(planner->arena, &level->index_texts, read);
    return expr;
}

Expr *index_predicate(Level *level, int rel, const RelationDesc *relation, const IndexDesc *index)
{
    return index_text(level, rel, relation, index, -1);
}

Expr *index_expression(Level *level, int rel, const IndexDesc *index, int column)
{
    if (index->columns[column].attnum)
        return NULL;
    const RelationDesc *relation = relation_find(level->planner->session, index->table);
    return index_text(level, rel, relation, index, column);
}

/* x LIKE 'abc%': the keys from 'abc' on, below 'abd'. The condition itself stays a filter. */
static bool match_prefix(IndexMatcher *m, Expr *qual)
{
    Arena *arena = m->level->planner->arena;
    const Oid type = m->column->type;
    if (qual->kind != EXPR_OPERATOR || (type != TYPE_TEXT && type != TYPE_VARCHAR))
        return false;
    const ExprOperator *op = EXPR_AS(const ExprOperator, qual);
    const OperatorDesc *desc = operator_find(m->level->planner->session, op->op);
    if (!desc || !str_equal(desc->name, STR("~~")) || op->args.length != 2 ||
        !is_key(m, op->args.items[0]) || op->args.items[1]->kind != EXPR_CONST ||
        EXPR_AS(ExprConst, op->args.items[1])->is_null)
        return false;
    const Str pattern = var_str(EXPR_AS(ExprConst, op->args.items[1])->value.var);
    StrBuf prefix = strbuf_in(arena), end = strbuf_in(arena);
    for (size_t i = 0; i < pattern.length && !strchr("%_\\", pattern.data[i]); i++)
        strbuf_append_char(&prefix, pattern.data[i]);
    if (prefix.length == 0)
        return false;
    strbuf_append(&end, strbuf_view(&prefix));
    IndexKey lower = {.column = m->number, .op = INDEX_GE, .source = qual};
    lower.value = &expr_const(arena, TYPE_TEXT, -1, COLLATION_DEFAULT,
                              (Value){.var = var_from_str(strbuf_view(&prefix))}, false, 0)
                       ->base;
    VEC_PUSH(arena, &m->match->keys, lower);
    if (key_prefix_end(&end)) {
        IndexKey upper = {.column = m->number, .op = INDEX_LT, .source = qual};
        upper.value = &expr_const(arena, TYPE_TEXT, -1, COLLATION_DEFAULT,
                                  (Value){.var = var_from_str(strbuf_view(&end))}, false, 0)
                           ->base;
        VEC_PUSH(arena, &m->match->keys, upper);
    }
    VEC_PUSH(arena, &m->match->used, qual);
    return true;
}

/* The values of further columns in the same order; false: those up to some column alone. */
static bool match_row_rest(IndexMatcher *m, const ExprRowCompare *row, bool is_right, ExprVec *ret)
{
    const ExprVec *keys = is_right ? &row->right : &row->left;
    const ExprVec *values = is_right ? &row->left : &row->right;
    for (size_t i = 1; i < keys->length; i++) {
        const int number = m->number + (int)i;
        const IndexColumn *column = &m->index->columns[number];
        bool is_wider;
        if (number >= m->index->key_count || !key_is_supported(column->type) ||
            column->descending != m->column->descending || !column->attnum ||
            !is_column_of(keys->items[i], m->rel, column->attnum) ||
            !fits_allowed(m, values->items[i]) ||
            opfamily_strategy(m->level->planner->session, column->opfamily, row->ops.items[i]) !=
                (int)row->compare)
            return false;
        Expr *value = key_value(m->level, values->items[i], column->type, &is_wider);
        if (!value || is_wider)
            return false;
        VEC_PUSH(m->level->planner->arena, ret, value);
    }
    return true;
}

/* (x, y) > (1, 2): the keys behind 1, 2. The condition itself stays a filter. */
static void match_row(IndexMatcher *m, Expr *qual)
{
    static const IndexOp ops[] = {0, INDEX_LT, INDEX_LE, 0, INDEX_GE, INDEX_GT};
    static const IndexOp flipped[] = {0, INDEX_GT, INDEX_GE, 0, INDEX_LE, INDEX_LT};
    if (qual->kind != EXPR_ROW_COMPARE)
        return;
    const ExprRowCompare *row = EXPR_AS(const ExprRowCompare, qual);
    const bool is_right = is_key(m, row->right.items[0]);
    Expr *key = is_right ? row->right.items[0] : row->left.items[0];
    Expr *value = is_right ? row->left.items[0] : row->right.items[0];
    IndexKey bound = {.column = m->number, .source = qual};
    if (!is_key(m, key) || !fits_allowed(m, value) ||
        opfamily_strategy(m->level->planner->session, m->column->opfamily, row->ops.items[0]) !=
            (int)row->compare)
        return;
    bound.op = (is_right ? flipped : ops)[row->compare];
    bound.value = key_value(m->level, value, m->column->type, &bound.value_wider);
    if (!bound.value)
        return;
    if (!match_row_rest(m, row, is_right, &bound.more))
        bound.op = bound.op == INDEX_LT || bound.op == INDEX_LE ? INDEX_LE : INDEX_GE;
    VEC_PUSH(m->level->planner->arena, &m->match->keys, bound);
    VEC_PUSH(m->level->planner->arena, &m->match->used, qual);
}

static void match_take(IndexMatcher *m, IndexKey key, Expr *qual)
{
    Arena *arena = m->level->planner->arena;
    key.column = m->number;
    VEC_PUSH(arena, &m->match->keys, key);
    VEC_PUSH(arena, &m->match->exact, qual);
    VEC_PUSH(arena, &m->match->used, qual);
}

/* The one value, or the values, that the column is held to. */
static bool match_equal(IndexMatcher *m)
{
    for (size_t q = 0; q < m->quals->length; q++) {
        IndexKey key;
        if (!match_qual(m, m->quals->items[q], &key))
            continue;
        if (key.op != INDEX_EQ && key.op != INDEX_IN && key.op != INDEX_IS_NULL)
            continue;
        match_take(m, key, m->quals->items[q]);
        m->match->equal_columns += key.op == INDEX_EQ;
        return true;
    }
    return false;
}

/* One bound at either end; that it is no null goes with them or alone. Rows go with all. */
static void match_range(IndexMatcher *m)
{
    bool has_lower = false, has_upper = false, has_present = false;
    for (size_t q = 0; q < m->quals->length; q++) {
        IndexKey key;
        if (!match_qual(m, m->quals->items[q], &key)) {
            match_row(m, m->quals->items[q]);
            continue;
        }
        const bool lower = key.op == INDEX_GE || key.op == INDEX_GT;
        const bool upper = key.op == INDEX_LE || key.op == INDEX_LT;
        const bool present = key.op == INDEX_IS_NOT_NULL;
        if (!(lower && !has_lower) && !(upper && !has_upper) && !(present && !has_present))
            continue;
        has_lower |= lower;
        has_upper |= upper;
        has_present |= present;
        match_take(m, key, m->quals->items[q]);
    }
    for (size_t q = 0; q < m->quals->length && !has_lower && !has_upper; q++)
        has_lower = match_prefix(m, m->quals->items[q]);
}

void index_match(Level *level, const ScanRequest *request, const IndexDesc *index, IndexMatch *ret)
{
    IndexMatcher m = {.level = level,
                      .rel = request->rel,
                      .index = index,
                      .quals = request->quals,
                      .allowed = request->outer,
                      .match = ret};
    *ret = (IndexMatch){0};
    for (int c = 0; c < index->key_count; c++) {
        if (!key_is_supported(index->columns[c].type))
            return;
        m.number = c;
        m.column = &index->columns[c];
        m.expression = index_expression(level, request->rel, index, c);
        if (match_equal(&m))
            continue;
        match_range(&m);
        break;
    }
    ret->is_unique =
        index->is_unique && index->is_immediate && ret->equal_columns == index->key_count;
}

static bool is_held(const IndexMatch *match, int column)
{
    bool held = false;
    for (size_t k = 0; k < match->keys.length; k++)
        held |= match->keys.items[k].column == column && match->keys.items[k].op == INDEX_EQ;
    return held;
}

int index_direction(Level *level, const ScanRequest *request, const IndexDesc *index,
                    const IndexMatch *match, int *ret_presorted)
{
    const SortVec *order = request->order;
    int direction = 0, column = 0;
    *ret_presorted = 0;
    for (size_t i = 0; i < order->length; i++) {
        const SortClause *clause = &order->items[i];
        Expr *expr = query_target_by_ref(level->query, clause->ref)->expr;
        /* Columns held to one value by equality have no say in the order. */
        while (column < index->key_count &&
               !is_column_of(expr, request->rel, index->columns[column].attnum)) {
            if (!is_held(match, column))
                return direction;
            column++;
        }
        if (column >= index->key_count || index->columns[column].attnum == 0)
            return direction;
        const IndexColumn *key = &index->columns[column++];
        const bool same =
            key->descending == clause->is_descending && key->nulls_first == clause->nulls_first;
        const bool inverse =
            key->descending != clause->is_descending && key->nulls_first != clause->nulls_first;
        const int wanted = same ? 1 : inverse ? -1 : 0;
        if (!wanted || (direction && direction != wanted))
            return direction;
        direction = wanted;
        ++*ret_presorted;
    }
    return direction;
}
