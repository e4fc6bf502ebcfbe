#include <math.h>

#include "planner/plan_internal.h"
#include "types/key.h"

double relation_rows(const RelationDesc *relation)
{
    return relation->row_count < 0 ? 1000 : MAX(1, relation->row_count);
}

static double relation_pages(const RelationDesc *relation)
{
    return relation->page_count > 0 ? relation->page_count : MAX(1, relation_rows(relation) / 100);
}

/* ---- what a scan gives out ---- */

static Expr *base_column(Level *level, int rel, int attnum)
{
    const RangeTableEntry *rte = query_rte(level->query, rel);
    Expr like = {0};
    like.typmod = -1;
    if (attnum >= 1) {
        like.type = rte->columns[attnum - 1].type;
        like.typmod = rte->columns[attnum - 1].typmod;
        like.collation = rte->columns[attnum - 1].collation;
    } else if (attnum == ATTNUM_ROW_ID) {
        like.type = TYPE_INT8;
    } else if (attnum < 0) {
        like.type = system_column_at(attnum)->type;
    }
    return expr_column(level->planner->arena, rel, attnum, 0, &like);
}

static void add_unique(Arena *arena, ExprVec *list, Expr *expr)
{
    for (size_t i = 0; i < list->length; i++)
        if (expr_equal(list->items[i], expr))
            return;
    VEC_PUSH(arena, list, expr);
}

static bool is_of_rel(const Expr *expr, int rel)
{
    return expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->levels_up == 0 &&
           EXPR_AS(const ExprColumn, expr)->rel == rel;
}

/* A whole row is made from all columns. */
static void add_source(Level *level, ExprVec *sources, int rel, Expr *column)
{
    Arena *arena = level->planner->arena;
    if (EXPR_AS(ExprColumn, column)->attnum != ATTNUM_WHOLE_ROW) {
        add_unique(arena, sources, column);
        return;
    }
    const RangeTableEntry *rte = query_rte(level->query, rel);
    for (int i = 0; i < rte->column_count; i++)
        if (rte->columns[i].name.length > 0)
            add_unique(arena, sources, base_column(level, rel, i + 1));
}

typedef struct ScanShape {
    ExprVec sources; /* columns read */
    ExprVec out;     /* columns given */
    ExprVec targets; /* planned, over sources */
} ScanShape;

typedef struct WholeRow {
    Level *level;
    int rel;
} WholeRow;

/* Puts its columns in the place of the whole row. */
static Expr *whole_row_step(void *context, Expr *expr)
{
    const WholeRow *whole = context;
    Arena *arena = whole->level->planner->arena;
    if (!is_of_rel(expr, whole->rel) ||
        EXPR_AS(const ExprColumn, expr)->attnum != ATTNUM_WHOLE_ROW)
        return expr_mutate(arena, expr, whole_row_step, context);
    const RangeTableEntry *rte = query_rte(whole->level->query, whole->rel);
    ExprRow *row = expr_whole_row(arena, expr, rte->name, rte->column_count);
    for (int i = 0; i < rte->column_count; i++)
        expr_whole_row_add(arena, row, rte->columns[i].name,
                           base_column(whole->level, whole->rel, i + 1));
    return &row->base;
}

/* An expression over the scan's columns. */
static Expr *fix_over_sources(Level *level, int rel, Expr *expr, const ScanShape *shape)
{
    WholeRow whole = {.level = level, .rel = rel};
    TRY(expr = whole_row_step(&whole, expr));
    return plan_fix(level, expr, &shape->sources, NULL);
}

static bool scan_shape(Level *level, int rel, const ExprVec *quals, const ExprVec *needed,
                       bool all_columns, ScanShape *ret)
{
    Arena *arena = level->planner->arena;
    ExprVec columns = {0};
    const RangeTableEntry *rte = query_rte(level->query, rel);

    if (all_columns)
        for (int i = 0; i < rte->column_count; i++)
            VEC_PUSH(arena, &ret->sources, base_column(level, rel, i + 1));
    for (size_t i = 0; i < quals->length; i++)
        collect_columns(level, quals->items[i], &columns);
    for (size_t i = 0; i < columns.length; i++)
        if (is_of_rel(columns.items[i], rel))
            add_source(level, &ret->sources, rel, columns.items[i]);
    for (size_t i = 0; i < needed->length; i++) {
        if (!is_of_rel(needed->items[i], rel))
            continue;
        add_source(level, &ret->sources, rel, needed->items[i]);
        VEC_PUSH(arena, &ret->out, needed->items[i]);
    }
    for (size_t i = 0; i < ret->out.length; i++) {
        Expr *target = fix_over_sources(level, rel, ret->out.items[i], ret);
        TRY(target);
        VEC_PUSH(arena, &ret->targets, target);
    }
    return true;
}

static void scan_fill(Level *level, ScanPlan *scan, const RelationDesc *relation, int rel,
                      const ScanShape *shape)
{
    const RangeTableEntry *rte = query_rte(level->query, rel);
    scan->relation = relation->oid;
    scan->rel = level_scan_number(level, rel);
    scan->alias = rte->name;
    scan->relation_name = relation->name;
    scan->schema_name = relation->namespace_name;
    scan->scan_column_count = (int)shape->sources.length;
    scan->scan_columns = ARENA_ARRAY(level->planner->arena, int, shape->sources.length + 1);
    for (size_t i = 0; i < shape->sources.length; i++)
        scan->scan_columns[i] = EXPR_AS(const ExprColumn, shape->sources.items[i])->attnum;
    plan_set_targets(level, &scan->base, &shape->targets);
}

/* ---- matching conditions with an index ---- */

typedef struct Match {
    VEC(IndexKey) keys; /* values still analyzed expressions */
    ExprVec exact;      /* conditions that the keys answer wholly */
    bool is_unique;
    int equal_columns;
    double selectivity;
} Match;

static Expr *strip_relabel(Expr *expr)
{
    while (expr->kind == EXPR_CAST && EXPR_AS(ExprCast, expr)->cast == CAST_RELABEL)
        expr = EXPR_AS(ExprCast, expr)->args.items[0];
    return expr;
}

static bool is_column_of(Expr *expr, int rel, int attnum)
{
    expr = strip_relabel(expr);
    return is_of_rel(expr, rel) && EXPR_AS(ExprColumn, expr)->attnum == attnum;
}

/* Whether an expression is what the index column holds; `key` for expression columns. */
static bool is_key(Expr *expr, int rel, const IndexColumn *column, const Expr *key)
{
    if (column->attnum)
        return is_column_of(expr, rel, column->attnum);
    return key && (expr_equal(expr, key) || expr_equal(strip_relabel(expr), key));
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
        Expr *cast = analyze_coerce(&context, value, type, -1, COERCION_IMPLICIT, 0);
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

static bool fits_allowed(Level *level, Expr *value, uint64_t allowed)
{
    /* A subquery over the outer side is the join's to compute, row by row. */
    if (expr_rels(value) && !expr_walk_deep(value, 0, find_sublink, NULL))
        return false;
    return (expr_rels(value) & ~allowed) == 0 && !expr_is_volatile(level->planner->session, value);
}

static bool match_operator(Level *level, int rel, const IndexColumn *column, const Expr *key_expr,
                           ExprOperator *op, uint64_t allowed, IndexKey *ret)
{
    static const IndexOp ops[] = {0, INDEX_LT, INDEX_LE, INDEX_EQ, INDEX_GE, INDEX_GT};
    static const int flipped[] = {0, 5, 4, 3, 2, 1};
    CatalogSession *session = level->planner->session;
    if (op->args.length != 2)
        return false;
    for (int side = 0; side < 2; side++) {
        Expr *key = op->args.items[side], *value = op->args.items[1 - side];
        if (!is_key(key, rel, column, key_expr) || !fits_allowed(level, value, allowed))
            continue;
        int strategy = opfamily_strategy(session, column->opfamily, op->op);
        if (strategy < 1 || strategy > 5)
            return false;
        if (side == 1)
            strategy = flipped[strategy];
        ret->op = ops[strategy];
        ret->value = key_value(level, strip_relabel(value), column->type, &ret->value_wider);
        if (!ret->value)
            ret->value = key_value(level, value, column->type, &ret->value_wider);
        return ret->value != NULL;
    }
    return false;
}

static bool match_array(Level *level, int rel, const IndexColumn *column, const Expr *key_expr,
                        ExprScalarArray *array, uint64_t allowed, IndexKey *ret)
{
    CatalogSession *session = level->planner->session;
    if (!array->use_or || !is_key(array->left, rel, column, key_expr) ||
        opfamily_strategy(session, column->opfamily, array->op) != 3 ||
        !fits_allowed(level, array->array, allowed))
        return false;
    const TypeDesc *type = type_find(session, array->array->type);
    if (!type || type->element != column->type)
        return false;
    ret->op = INDEX_IN;
    ret->value = array->array;
    return true;
}

static bool match_qual(Level *level, int rel, const IndexColumn *column, const Expr *key_expr,
                       Expr *qual, uint64_t allowed, IndexKey *ret)
{
    *ret = (IndexKey){.source = qual};
    switch (qual->kind) {
    case EXPR_OPERATOR:
        return match_operator(level, rel, column, key_expr, EXPR_AS(ExprOperator, qual), allowed,
                              ret);
    case EXPR_SCALAR_ARRAY:
        return match_array(level, rel, column, key_expr, EXPR_AS(ExprScalarArray, qual), allowed,
                           ret);
    case EXPR_NULL_TEST: {
        const ExprNullTest *test = EXPR_AS(ExprNullTest, qual);
        if (test->arg_is_row || !is_key(test->arg, rel, column, key_expr))
            return false;
        ret->op = test->is_not_null ? INDEX_IS_NOT_NULL : INDEX_IS_NULL;
        return true;
    }
    case EXPR_COLUMN:
        if (qual->type != TYPE_BOOL || !is_key(qual, rel, column, key_expr))
            return false;
        ret->op = INDEX_EQ;
        ret->value = expr_bool(level->planner->arena, true);
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

static bool predicate_holds(Level *level, int rel, const RelationDesc *relation,
                            const IndexDesc *index, const ExprVec *quals)
{
    Planner *planner = level->planner;
    if (str_is_none(index->predicate))
        return true;
    Expr *predicate = analyze_expression_text(planner->arena, planner->session, index->predicate,
                                              relation, STORED_INDEX_PREDICATE, TYPE_BOOL, -1);
    if (!predicate) {
        error_clear();
        return false;
    }
    if (!(predicate = plan_fold(planner, predicate))) {
        error_clear();
        return false;
    }
    (void)expr_walk_deep(predicate, 0, set_rel, &rel);
    return plan_implies(planner->session, quals, predicate);
}

/* The expression an index column holds, in terms of entry `rel`; NULL for a plain column. */
static Expr *stored_key(Level *level, int rel, const IndexDesc *index, int column)
{
    Planner *planner = level->planner;
    if (index->columns[column].attnum)
        return NULL;
    const RelationDesc *relation = relation_find(planner->session, index->table);
    Expr *key =
        analyze_expression_text(planner->arena, planner->session, index->columns[column].expression,
                                relation, STORED_OTHER, 0, -1);
    if (!key || !(key = plan_fold(planner, key))) {
        error_clear();
        return NULL;
    }
    (void)expr_walk_deep(key, 0, set_rel, &rel);
    return key;
}

/* x LIKE 'abc%': the keys from 'abc' on, below 'abd'. The condition itself stays a filter. */
static bool match_prefix(Level *level, int rel, const IndexColumn *column, const Expr *key_expr,
                         Expr *qual, Match *ret)
{
    Arena *arena = level->planner->arena;
    if (qual->kind != EXPR_OPERATOR || (column->type != TYPE_TEXT && column->type != TYPE_VARCHAR))
        return false;
    const ExprOperator *op = EXPR_AS(const ExprOperator, qual);
    const OperatorDesc *desc = operator_find(level->planner->session, op->op);
    if (!desc || !str_equal(desc->name, STR("~~")) || op->args.length != 2 ||
        !is_key(op->args.items[0], rel, column, key_expr) ||
        op->args.items[1]->kind != EXPR_CONST || EXPR_AS(ExprConst, op->args.items[1])->is_null)
        return false;
    const Str pattern = var_str(EXPR_AS(ExprConst, op->args.items[1])->value.var);
    StrBuf prefix = strbuf_in(arena), end = strbuf_in(arena);
    for (size_t i = 0; i < pattern.length && !strchr("%_\\", pattern.data[i]); i++)
        strbuf_append_char(&prefix, pattern.data[i]);
    if (prefix.length == 0)
        return false;
    strbuf_append(&end, strbuf_view(&prefix));
    IndexKey lower = {.column = 0, .op = INDEX_GE, .source = qual};
    lower.value = &expr_const(arena, TYPE_TEXT, -1, COLLATION_DEFAULT,
                              (Value){.var = var_from_str(strbuf_view(&prefix))}, false, 0)
                       ->base;
    VEC_PUSH(arena, &ret->keys, lower);
    if (key_prefix_end(&end)) {
        IndexKey upper = {.column = 0, .op = INDEX_LT, .source = qual};
        upper.value = &expr_const(arena, TYPE_TEXT, -1, COLLATION_DEFAULT,
                                  (Value){.var = var_from_str(strbuf_view(&end))}, false, 0)
                           ->base;
        VEC_PUSH(arena, &ret->keys, upper);
    }
    ret->selectivity *= selectivity_of(level, qual);
    return true;
}

static void match_index(Level *level, int rel, const IndexDesc *index, const ExprVec *quals,
                        uint64_t allowed, Match *ret)
{
    Arena *arena = level->planner->arena;
    ret->selectivity = 1;
    for (int c = 0; c < index->key_count; c++) {
        bool has_equal = false, has_lower = false, has_upper = false;
        if (!key_is_supported(index->columns[c].type))
            return;
        const Expr *key_expr = stored_key(level, rel, index, c);
        for (size_t q = 0; q < quals->length; q++) {
            IndexKey key;
            if (!match_qual(level, rel, &index->columns[c], key_expr, quals->items[q], allowed,
                            &key))
                continue;
            key.column = c;
            const bool is_equal =
                key.op == INDEX_EQ || key.op == INDEX_IN || key.op == INDEX_IS_NULL;
            if (!is_equal || has_equal)
                continue;
            has_equal = true;
            VEC_PUSH(arena, &ret->keys, key);
            VEC_PUSH(arena, &ret->exact, quals->items[q]);
            ret->selectivity *= selectivity_of(level, quals->items[q]);
            ret->equal_columns += key.op == INDEX_EQ;
        }
        if (has_equal)
            continue;
        for (size_t q = 0; q < quals->length; q++) {
            IndexKey key;
            if (!match_qual(level, rel, &index->columns[c], key_expr, quals->items[q], allowed,
                            &key))
                continue;
            const bool lower = key.op == INDEX_GE || key.op == INDEX_GT;
            const bool upper = key.op == INDEX_LE || key.op == INDEX_LT;
            if (!(lower && !has_lower) && !(upper && !has_upper))
                continue;
            has_lower |= lower;
            has_upper |= upper;
            key.column = c;
            VEC_PUSH(arena, &ret->keys, key);
            VEC_PUSH(arena, &ret->exact, quals->items[q]);
            ret->selectivity *= selectivity_of(level, quals->items[q]);
        }
        for (size_t q = 0; q < quals->length && !has_lower && !has_upper; q++) {
            const size_t before = ret->keys.length;
            has_lower =
                match_prefix(level, rel, &index->columns[c], key_expr, quals->items[q], ret);
            for (size_t k = before; k < ret->keys.length; k++)
                ret->keys.items[k].column = c;
        }
        break;
    }
    ret->is_unique =
        index->is_unique && index->is_immediate && ret->equal_columns == index->key_count;
}

/* ---- building scans ---- */

typedef struct ParamReplace {
    Level *level;
    uint64_t outer;
    Tree *tree;
} ParamReplace;

static Expr *outer_to_param(void *context, Expr *expr, int depth)
{
    ParamReplace *replace = context;
    if (expr->kind != EXPR_COLUMN || EXPR_AS(ExprColumn, expr)->levels_up != depth || depth > 0 ||
        !(REL_BIT(EXPR_AS(ExprColumn, expr)->rel) & replace->outer))
        return NULL;
    Arena *arena = replace->level->planner->arena;
    const int number = level_param(replace->level, expr);
    bool known = false;
    for (size_t i = 0; i < replace->tree->params.length; i++)
        known |= replace->tree->params.items[i] == number;
    if (!known)
        VEC_PUSH(arena, &replace->tree->params, number);
    return expr_param_exec(arena, number, expr);
}

static bool contains(const ExprVec *list, const Expr *expr)
{
    for (size_t i = 0; i < list->length; i++)
        if (list->items[i] == expr)
            return true;
    return false;
}

static double index_cost(const RelationDesc *relation, double rows)
{
    const double pages = MIN(rows, relation_pages(relation));
    return 0.3 + 4 * MAX(1, pages) + 0.015 * rows;
}

static bool build_index_scan(Level *level, int rel, const RelationDesc *relation,
                             const IndexDesc *index, const Match *match, const ExprVec *quals,
                             uint64_t outer, const ExprVec *needed, Tree *ret)
{
    Arena *arena = level->planner->arena;
    ScanShape shape = {0};
    ExprVec rest = {0};
    ParamReplace replace = {level, outer, ret};
    IndexScanPlan *scan = PLAN_NEW(level, IndexScanPlan, PLAN_INDEX_SCAN);

    TRY(scan_shape(level, rel, quals, needed, false, &shape));
    for (size_t i = 0; i < match->keys.length; i++) {
        IndexKey key = match->keys.items[i];
        if (key.value) {
            TRY(key.value = expr_replace_deep(arena, key.value, 0, outer_to_param, &replace));
            TRY(key.value = plan_fix(level, key.value, NULL, NULL));
        }
        TRY(key.source = expr_replace_deep(arena, key.source, 0, outer_to_param, &replace));
        TRY(key.source = fix_over_sources(level, rel, key.source, &shape));
        VEC_PUSH(arena, &scan->keys, key);
    }
    for (size_t i = 0; i < quals->length; i++) {
        if (contains(&match->exact, quals->items[i]))
            continue;
        Expr *qual = expr_replace_deep(arena, quals->items[i], 0, outer_to_param, &replace);
        TRY(qual);
        VEC_PUSH(arena, &rest, quals->items[i]);
        TRY(qual = fix_over_sources(level, rel, qual, &shape));
        VEC_PUSH(arena, &scan->scan.base.filter, qual);
    }
    scan_fill(level, &scan->scan, relation, rel, &shape);
    scan->index = index->oid;
    scan->index_name = index->name;
    scan->is_unique_lookup = match->is_unique;
    const double found =
        match->is_unique ? 1 : MAX(1, relation_rows(relation) * match->selectivity);
    Plan *plan = &scan->scan.base;
    plan->startup_cost = 0.3;
    plan->total_cost = index_cost(relation, found);
    plan->rows = MAX(1, rint(found * selectivity_list(level, &rest)));
    ret->plan = plan;
    ret->out = shape.out;
    ret->rels = REL_BIT(rel);
    ret->rel = rel;
    ret->one_row = match->is_unique;
    return true;
}

static const IndexDesc *best_index(Level *level, int rel, const RelationDesc *relation,
                                   const ExprVec *quals, uint64_t allowed, Match *ret)
{
    const IndexDesc *best = NULL;
    double best_cost = 0;
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        Match match = {0};
        if (!index->is_valid || index->access_method != ACCESS_METHOD_BTREE)
            continue;
        match_index(level, rel, index, quals, allowed, &match);
        if (match.keys.length == 0 || !predicate_holds(level, rel, relation, index, quals))
            continue;
        const double rows = match.is_unique ? 1 : relation_rows(relation) * match.selectivity;
        const double cost = index_cost(relation, rows);
        if (!best || cost < best_cost) {
            best = index;
            best_cost = cost;
            *ret = match;
        }
    }
    return best;
}

static bool plan_relation(Level *level, int rel, const ExprVec *quals, const ExprVec *needed,
                          Tree *ret)
{
    CatalogSession *session = level->planner->session;
    const RangeTableEntry *rte = query_rte(level->query, rel);
    const RelationDesc *relation = relation_get(session, rte->relation);
    ScanShape shape = {0};
    Match match = {0};

    TRY(relation);
    for (size_t i = 0; i < quals->length; i++)
        if (quals->items[i]->kind == EXPR_CURRENT_OF) {
            RowIdScanPlan *scan = PLAN_NEW(level, RowIdScanPlan, PLAN_ROW_ID_SCAN);
            const ExprVec none = {0};
            TRY(scan_shape(level, rel, &none, needed, false, &shape));
            scan_fill(level, &scan->scan, relation, rel, &shape);
            scan->cursor_name = EXPR_AS(ExprCurrentOf, quals->items[i])->cursor_name;
            scan->source = quals->items[i];
            *ret = (Tree){
                .plan = &scan->scan.base, .out = shape.out, .rels = REL_BIT(rel), .one_row = true};
            return true;
        }
    const double rows = relation_rows(relation);
    const double seq_cost =
        relation_pages(relation) + rows * (0.01 + 0.0025 * (double)quals->length);
    const IndexDesc *index = best_index(level, rel, relation, quals, 0, &match);
    if (index) {
        const double found = match.is_unique ? 1 : MAX(1, rows * match.selectivity);
        if (match.is_unique || index_cost(relation, found) < seq_cost) {
            TRY(build_index_scan(level, rel, relation, index, &match, quals, 0, needed, ret));
            ret->base_quals = *quals;
            return true;
        }
    }
    ScanPlan *scan = PLAN_NEW(level, ScanPlan, PLAN_SEQ_SCAN);
    TRY(scan_shape(level, rel, quals, needed, false, &shape));
    for (size_t i = 0; i < quals->length; i++) {
        Expr *qual = fix_over_sources(level, rel, quals->items[i], &shape);
        TRY(qual);
        VEC_PUSH(level->planner->arena, &scan->base.filter, qual);
    }
    scan_fill(level, scan, relation, rel, &shape);
    scan->base.total_cost = seq_cost;
    scan->base.rows = MAX(1, rint(rows * selectivity_list(level, quals)));
    *ret = (Tree){.plan = &scan->base,
                  .out = shape.out,
                  .rels = REL_BIT(rel),
                  .rel = rel,
                  .base_quals = *quals};
    return true;
}

bool plan_index_inner(Level *level, const Tree *inner, const ExprVec *join_quals,
                      uint64_t outer_rels, const ExprVec *needed, Tree *ret, ExprVec *ret_used,
                      bool *ret_found)
{
    *ret_found = false;
    if (!inner->rel || query_rte(level->query, inner->rel)->kind != RANGE_RELATION)
        return true;
    const RelationDesc *relation =
        relation_get(level->planner->session, query_rte(level->query, inner->rel)->relation);
    TRY(relation);
    ExprVec quals = {0};
    Match match = {0};
    for (size_t i = 0; i < inner->base_quals.length; i++)
        VEC_PUSH(level->planner->arena, &quals, inner->base_quals.items[i]);
    for (size_t i = 0; i < join_quals->length; i++)
        VEC_PUSH(level->planner->arena, &quals, join_quals->items[i]);
    const IndexDesc *index = best_index(level, inner->rel, relation, &quals, outer_rels, &match);
    bool uses_join = false;
    for (size_t i = 0; index && i < match.exact.length; i++)
        uses_join |= contains(join_quals, match.exact.items[i]);
    if (!uses_join)
        return true;
    /* The scan answers the index conditions; other join conditions stay with the join. */
    ExprVec scan_quals = {0};
    for (size_t i = 0; i < quals.length; i++) {
        const bool exact = contains(&match.exact, quals.items[i]);
        if (exact || contains(&inner->base_quals, quals.items[i]))
            VEC_PUSH(level->planner->arena, &scan_quals, quals.items[i]);
        if (exact && contains(join_quals, quals.items[i]))
            VEC_PUSH(level->planner->arena, ret_used, quals.items[i]);
    }
    *ret_found = true;
    *ret = (Tree){0};
    return build_index_scan(level, inner->rel, relation, index, &match, &scan_quals, outer_rels,
                            needed, ret);
}

/* ---- other sources ---- */

/* Columns of this level that an inner level reads: they must be set from outside. */
static void lateral_needs(Level *level, const Level *inner, Tree *tree)
{
    for (size_t i = 0; i < inner->used.length; i++)
        for (size_t k = 0; k < level->params.length; k++) {
            if (level->params.items[k].number != inner->used.items[i])
                continue;
            tree->needs |= expr_rels(level->params.items[k].column);
            VEC_PUSH(level->planner->arena, &tree->params, inner->used.items[i]);
        }
}

static bool scan_of_source(Level *level, int rel, Plan *plan, const ExprVec *quals,
                           const ExprVec *needed, Tree *ret)
{
    ScanShape shape = {0};
    TRY(scan_shape(level, rel, quals, needed, true, &shape));
    for (size_t i = 0; i < quals->length; i++) {
        Expr *qual = fix_over_sources(level, rel, quals->items[i], &shape);
        TRY(qual);
        VEC_PUSH(level->planner->arena, &plan->filter, qual);
    }
    plan_set_targets(level, plan, &shape.targets);
    plan->rows = MAX(1, rint(plan->rows * selectivity_list(level, quals)));
    plan->total_cost += plan->rows * 0.01;
    ret->plan = plan;
    ret->out = shape.out;
    ret->rels = REL_BIT(rel);
    return true;
}

static bool plan_subquery(Level *level, int rel, const ExprVec *quals, const ExprVec *needed,
                          Tree *ret)
{
    const RangeTableEntry *rte = query_rte(level->query, rel);
    Level *inner = level_new(level->planner, level, rte->subquery);
    ExprVec out;
    Plan *child = plan_query(inner, &out);
    TRY(child);
    bool is_trivial = quals->length == 0;
    for (size_t i = 0; i < needed->length; i++)
        is_trivial &= !is_of_rel(needed->items[i], rel) ||
                      EXPR_AS(const ExprColumn, needed->items[i])->attnum > 0;
    if (is_trivial) {
        /* Nothing to filter or rename: the subquery's rows are the scan's. */
        lateral_needs(level, inner, ret);
        for (int i = 0; i < rte->column_count; i++)
            VEC_PUSH(level->planner->arena, &ret->out, base_column(level, rel, i + 1));
        /* What the subquery sorts by may stand behind its columns: nothing refers to it. */
        for (int i = rte->column_count; i < child->column_count; i++)
            VEC_PUSH(level->planner->arena, &ret->out,
                     expr_null(level->planner->arena, TYPE_INT4, -1, 0));
        ret->plan = child;
        ret->rels = REL_BIT(rel);
        return true;
    }
    SubqueryScanPlan *scan = PLAN_NEW(level, SubqueryScanPlan, PLAN_SUBQUERY_SCAN);
    scan->base.left = child;
    scan->base.rows = child->rows;
    scan->base.startup_cost = child->startup_cost;
    scan->base.total_cost = child->total_cost;
    scan->alias = rte->name;
    lateral_needs(level, inner, ret);
    return scan_of_source(level, rel, &scan->base, quals, needed, ret);
}

static bool plan_values(Level *level, int rel, const ExprVec *quals, const ExprVec *needed,
                        Tree *ret)
{
    Arena *arena = level->planner->arena;
    const RangeTableEntry *rte = query_rte(level->query, rel);
    ValuesScanPlan *scan = PLAN_NEW(level, ValuesScanPlan, PLAN_VALUES_SCAN);
    scan->alias = rte->name;
    for (size_t r = 0; r < rte->values.length; r++) {
        ExprVec row = {0};
        TRY(plan_fix_list(level, &rte->values.items[r], NULL, NULL, &row));
        VEC_PUSH(arena, &scan->rows, row);
    }
    scan->base.rows = (double)rte->values.length;
    return scan_of_source(level, rel, &scan->base, quals, needed, ret);
}

static bool plan_function(Level *level, int rel, const ExprVec *quals, const ExprVec *needed,
                          Tree *ret)
{
    Arena *arena = level->planner->arena;
    const RangeTableEntry *rte = query_rte(level->query, rel);
    FunctionScanPlan *scan = PLAN_NEW(level, FunctionScanPlan, PLAN_FUNCTION_SCAN);
    scan->alias = rte->name;
    scan->with_ordinality = rte->with_ordinality;
    ParamReplace replace = {level, UINT64_MAX, ret};
    for (size_t i = 0; i < rte->functions.length; i++) {
        RangeCall call = rte->functions.items[i];
        ret->needs |= expr_rels(call.call);
        TRY(call.call = plan_flatten_joins(level, call.call));
        TRY(call.call = expr_replace_deep(arena, call.call, 0, outer_to_param, &replace));
        TRY(call.call = plan_fix(level, call.call, NULL, NULL));
        VEC_PUSH(arena, &scan->functions, call);
        const FunctionDesc *function =
            function_find(level->planner->session, expr_function(call.call));
        scan->base.rows = function && function->returns_set ? MAX(1, function->rows) : 1;
    }
    return scan_of_source(level, rel, &scan->base, quals, needed, ret);
}

static bool plan_cte(Level *level, int rel, const ExprVec *quals, const ExprVec *needed, Tree *ret)
{
    const RangeTableEntry *rte = query_rte(level->query, rel);
    Level *owner = level;
    for (int i = 0; i < rte->cte_levels_up && owner; i++)
        owner = owner->parent;
    for (size_t i = 0; owner && i < owner->query->ctes.length; i++) {
        if (!str_equal(owner->query->ctes.items[i]->name, rte->cte_name))
            continue;
        if (i < owner->cte_work_tables.length && owner->cte_subplans.items[i] < 0) {
            WorkTableScanPlan *scan = PLAN_NEW(level, WorkTableScanPlan, PLAN_WORK_TABLE_SCAN);
            scan->alias = rte->name;
            scan->cte_name = rte->cte_name;
            scan->work_table = owner->cte_work_tables.items[i];
            scan->param = owner->cte_work_params.items[i];
            scan->base.rows = 100;
            return scan_of_source(level, rel, &scan->base, quals, needed, ret);
        }
        CteScanPlan *scan = PLAN_NEW(level, CteScanPlan, PLAN_CTE_SCAN);
        scan->alias = rte->name;
        scan->cte_name = rte->cte_name;
        scan->subplan = owner->cte_subplans.items[i];
        scan->base.rows = level->planner->statement->subplans.items[scan->subplan].plan->rows;
        return scan_of_source(level, rel, &scan->base, quals, needed, ret);
    }
    FAIL(ERR_INTERNAL_ERROR,
         .message = fmt("could not find CTE \"%.*s\"", STR_ARGS(rte->cte_name)));
}

bool plan_base(Level *level, int rel, const ExprVec *quals, const ExprVec *needed, Tree *ret)
{
    *ret = (Tree){0};
    switch (query_rte(level->query, rel)->kind) {
    case RANGE_RELATION:
        return plan_relation(level, rel, quals, needed, ret);
    case RANGE_SUBQUERY:
        return plan_subquery(level, rel, quals, needed, ret);
    case RANGE_VALUES:
        return plan_values(level, rel, quals, needed, ret);
    case RANGE_FUNCTION:
        return plan_function(level, rel, quals, needed, ret);
    case RANGE_CTE:
        return plan_cte(level, rel, quals, needed, ret);
    case RANGE_JOIN:
        break;
    }
    FAIL(ERR_INTERNAL_ERROR, .message = STR("a join is no base relation"));
}

/* ---- scans in order ---- */

/* 1: the index gives the wanted order forward, -1: backward, 0: not at all. */
static int order_direction(Level *level, int rel, const IndexDesc *index, const SortVec *order,
                           const Match *match)
{
    int direction = 0, column = 0;
    for (size_t i = 0; i < order->length; i++) {
        Expr *expr = query_target_by_ref(level->query, order->items[i].ref)->expr;
        /* Columns held to one value by equality have no say in the order. */
        while (column < index->key_count &&
               !is_column_of(expr, rel, index->columns[column].attnum)) {
            bool is_fixed = false;
            for (size_t k = 0; k < match->keys.length; k++)
                is_fixed |=
                    match->keys.items[k].column == column && match->keys.items[k].op == INDEX_EQ;
            if (!is_fixed)
                return 0;
            column++;
        }
        if (column >= index->key_count || index->columns[column].attnum == 0)
            return 0;
        const IndexColumn *key = &index->columns[column];
        const bool same = key->descending == order->items[i].is_descending &&
                          key->nulls_first == order->items[i].nulls_first;
        const bool inverse = key->descending != order->items[i].is_descending &&
                             key->nulls_first != order->items[i].nulls_first;
        if (!same && !inverse)
            return 0;
        const int wanted = same ? 1 : -1;
        if (direction && direction != wanted)
            return 0;
        direction = wanted;
        column++;
    }
    return direction;
}

bool plan_index_order(Level *level, Tree *tree, const SortVec *order, double rows,
                      const ExprVec *needed, bool *ret_ordered)
{
    *ret_ordered = false;
    if (!tree->rel || query_rte(level->query, tree->rel)->kind != RANGE_RELATION || tree->one_row ||
        order->length == 0)
        return true;
    const RelationDesc *relation =
        relation_get(level->planner->session, query_rte(level->query, tree->rel)->relation);
    TRY(relation);
    const IndexDesc *best = NULL;
    Match best_match = {0};
    int best_direction = 0;
    double best_cost = 0;
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        Match match = {0};
        if (!index->is_valid || index->access_method != ACCESS_METHOD_BTREE ||
            !predicate_holds(level, tree->rel, relation, index, &tree->base_quals))
            continue;
        match_index(level, tree->rel, index, &tree->base_quals, 0, &match);
        bool has_in = false;
        for (size_t k = 0; k < match.keys.length; k++)
            has_in |= match.keys.items[k].op == INDEX_IN;
        const int direction = has_in ? 0 : order_direction(level, tree->rel, index, order, &match);
        if (!direction)
            continue;
        const double all = MAX(1, relation_rows(relation) * match.selectivity);
        const double fraction = MIN(1, rows / MAX(1, tree->plan->rows));
        const double cost = 0.3 + index_cost(relation, all) * fraction;
        if (!best || cost < best_cost) {
            best = index;
            best_match = match;
            best_direction = direction;
            best_cost = cost;
        }
    }
    const double count = MAX(2, tree->plan->rows);
    const double sorted = tree->plan->total_cost + count * log2(count) * 0.005;
    if (!best || best_cost >= sorted)
        return true;
    Tree ordered = {0};
    TRY(build_index_scan(level, tree->rel, relation, best, &best_match, &tree->base_quals, 0,
                         needed, &ordered));
    ((IndexScanPlan *)ordered.plan)->is_backward = best_direction < 0;
    ordered.base_quals = tree->base_quals;
    *tree = ordered;
    *ret_ordered = true;
    return true;
}
