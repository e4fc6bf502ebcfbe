#include "planner/analyze_internal.h"

/* ---- FOR UPDATE and its kin ---- */

static bool check_locking(const Query *query, LockStrength strength)
{
    const char *what = query->set_op                ? "UNION/INTERSECT/EXCEPT"
                       : query->distinct.length > 0 ? "DISTINCT clause"
                       : query->group_by.length > 0 || query->grouping_sets.length > 0
                           ? "GROUP BY clause"
                       : query->having         ? "HAVING clause"
                       : query->has_aggregates ? "aggregate functions"
                       : query->has_windows    ? "window functions"
                       : query->has_srfs       ? "set-returning functions in the target list"
                                               : NULL;
    if (!what)
        return true;
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("%s is not allowed with %s", lock_strength_name(strength), what));
}

static bool lock_subquery(Scope *scope, Query *query, const LockingClause *clause);

static bool lock_rel(Scope *scope, Query *query, int rel, const LockingClause *clause,
                     bool pushed_down)
{
    RangeTableEntry *rte = query_rte(query, rel);
    if (rte->kind == RANGE_SUBQUERY && !rte->relation)
        return lock_subquery(scope, rte->subquery, clause);
    if (rte->kind == RANGE_SUBQUERY) { /* a view: its owner locks what is below */
        rte->access |= ACCESS_UPDATE;
        return lock_subquery(scope, rte->subquery, clause);
    }
    rte->access |= ACCESS_UPDATE;
    for (size_t i = 0; i < query->row_marks.length; i++) {
        RowMark *mark = &query->row_marks.items[i];
        if (mark->rel != rel)
            continue;
        mark->strength = MAX(mark->strength, (LockStrength)clause->strength);
        mark->wait = MAX(mark->wait, clause->wait_policy);
        mark->pushed_down &= pushed_down;
        return true;
    }
    const RowMark mark = {.rel = rel,
                          .strength = (LockStrength)clause->strength,
                          .wait = clause->wait_policy,
                          .pushed_down = pushed_down};
    VEC_PUSH(scope_arena(scope), &query->row_marks, mark);
    return true;
}

static bool lock_all(Scope *scope, Query *query, const LockingClause *clause, bool pushed_down)
{
    for (size_t i = 0; i < query->range_table.length; i++) {
        const RangeTableEntry *rte = query->range_table.items[i];
        if (rte->is_in_from && (rte->kind == RANGE_RELATION || rte->kind == RANGE_SUBQUERY))
            TRY(lock_rel(scope, query, (int)i + 1, clause, pushed_down));
    }
    return true;
}

static bool lock_subquery(Scope *scope, Query *query, const LockingClause *clause)
{
    TRY(check_locking(query, (LockStrength)clause->strength));
    return lock_all(scope, query, clause, true);
}

static bool lock_named(Scope *scope, const LockingClause *clause, const RangeVar *var)
{
    Query *query = scope->query;
    const char *name = lock_strength_name((LockStrength)clause->strength);
    if (!str_is_none(var->schema))
        FAIL(ERR_SYNTAX_ERROR, .message = fmt("%s must specify unqualified relation names", name),
             .position = var->node.position);
    for (size_t i = 0; i < query->range_table.length; i++) {
        const RangeTableEntry *rte = query->range_table.items[i];
        if (!rte->is_in_from || !str_equal(rte->name, var->relation))
            continue;
        switch (rte->kind) {
        case RANGE_RELATION:
        case RANGE_SUBQUERY:
            return lock_rel(scope, query, (int)i + 1, clause, false);
        case RANGE_JOIN:
            if (str_is_none(rte->alias_name))
                continue;
            FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("%s cannot be applied to a join", name),
                 .position = var->node.position);
        case RANGE_FUNCTION:
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("%s cannot be applied to a function", name),
                 .position = var->node.position);
        case RANGE_VALUES:
            FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("%s cannot be applied to VALUES", name),
                 .position = var->node.position);
        case RANGE_CTE:
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("%s cannot be applied to a WITH query", name),
                 .position = var->node.position);
        }
    }
    FAIL(ERR_UNDEFINED_TABLE,
         .message = fmt("relation \"%.*s\" in %s clause not found in FROM clause",
                        STR_ARGS(var->relation), name),
         .position = var->node.position);
}

static bool analyze_locking(Scope *scope, const LockingClauseVec *clauses, bool pushed_down)
{
    for (size_t i = 0; i < clauses->length; i++) {
        const LockingClause *clause = clauses->items[i];
        TRY(check_locking(scope->query, (LockStrength)clause->strength));
        if (clause->locked_rels.length == 0)
            TRY(lock_all(scope, scope->query, clause, pushed_down));
        for (size_t r = 0; r < clause->locked_rels.length; r++)
            TRY(lock_named(scope, clause, clause->locked_rels.items[r]));
    }
    return true;
}

/* ---- one SELECT ---- */

bool analyze_finish(Scope *scope)
{
    Query *query = scope->query;
    TRY(check_aggregates(scope));
    query->is_read_only = query->row_marks.length == 0;
    return true;
}

static bool analyze_limits(Scope *scope, const SelectStmt *select)
{
    Query *query = scope->query;
    if (select->limit_offset)
        TRY(query->limit_offset =
                analyze_limit(scope, select->limit_offset, PLACE_OFFSET, select->limit_option));
    if (select->limit_count)
        TRY(query->limit_count =
                analyze_limit(scope, select->limit_count, PLACE_LIMIT, select->limit_option));
    query->limit_option = select->limit_option;
    if (select->limit_option == LIMIT_OPTION_WITH_TIES && query->order_by.length == 0)
        FAIL(ERR_SYNTAX_ERROR,
             .message = STR("WITH TIES cannot be specified without ORDER BY clause"));
    return true;
}

bool analyze_select(Scope *scope, const SelectStmt *select)
{
    Query *query = scope->query;
    TargetVec *targets = &query->targets;

    query->command = QUERY_SELECT;
    if (select->with_clause)
        TRY(analyze_with(scope, select->with_clause));
    if (select->into_clause)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("SELECT ... INTO is not allowed here"),
             .position = select->into_clause->node.position);
    scope->window_defs = (WindowDefVec){0};
    for (size_t i = 0; i < select->window_clause.length; i++)
        VEC_PUSH(scope_arena(scope), &scope->window_defs, select->window_clause.items[i]);
    TRY(analyze_from(scope, &select->from_clause));
    TRY(analyze_target_list(scope, &select->target_list, PLACE_SELECT_TARGET, targets));
    if (select->where_clause)
        TRY(query->where =
                analyze_condition(scope, select->where_clause, PLACE_WHERE, STR("WHERE")));
    if (select->having_clause)
        TRY(query->having =
                analyze_condition(scope, select->having_clause, PLACE_HAVING, STR("HAVING")));
    TRY(analyze_order_by(scope, &select->sort_clause, targets, PLACE_ORDER_BY, false,
                         &query->order_by));
    TRY(analyze_group_by(scope, select, targets));
    if (select->distinct_on.length > 0)
        TRY(analyze_distinct_on(scope, &select->distinct_on, targets));
    else if (select->distinct)
        TRY(analyze_distinct(scope, targets));
    TRY(analyze_limits(scope, select));
    TRY(analyze_windows(scope, targets));
    if (scope->resolve_unknowns)
        TRY(targets_resolve_unknown(scope, targets));
    TRY(analyze_locking(scope, &select->locking_clause, false));
    return analyze_finish(scope);
}

/* ---- VALUES ---- */

/* The lists as one range table entry, its columns of common types; DEFAULTs stay where allowed. */
static bool values_columns(Scope *scope, RangeTableEntry *rte)
{
    Arena *arena = scope_arena(scope);
    const size_t count = rte->values.items[0].length;
    rte->column_count = (int)count;
    rte->columns = ARENA_ARRAY(arena, RangeColumn, count + 1);

    for (size_t c = 0; c < count; c++) {
        ExprVec column = {0};
        for (size_t r = 0; r < rte->values.length; r++)
            VEC_PUSH(arena, &column, rte->values.items[r].items[c]);
        const Oid type = select_common_type(scope, &column, STR("VALUES"), NULL);
        TRY(type);
        for (size_t r = 0; r < rte->values.length; r++) {
            Expr **slot = &rte->values.items[r].items[c];
            TRY(*slot = coerce_to_common(scope, *slot, type, STR("VALUES")));
            column.items[r] = *slot;
        }
        Oid collation;
        TRY(combine_collations(scope, &column, &collation));
        rte->columns[c] = (RangeColumn){.name = str_format(arena, "column%zu", c + 1),
                                        .type = type,
                                        .typmod = select_common_typmod(&column, type),
                                        .collation = expr_result_collation(scope, type, collation)};
    }
    return true;
}

bool analyze_values(Scope *scope, const SelectStmt *select)
{
    Arena *arena = scope_arena(scope);
    Query *query = scope->query;
    RangeTableEntry *rte = rte_new(scope, RANGE_VALUES, select->node.position);

    query->command = QUERY_SELECT;
    if (select->with_clause)
        TRY(analyze_with(scope, select->with_clause));
    for (size_t r = 0; r < select->values_lists.length; r++) {
        const NodeVec *list = &select->values_lists.items[r];
        ExprVec row = {0};
        TRY(analyze_expr_list(scope, list, PLACE_VALUES, false, &row));
        if (r > 0 && row.length != rte->values.items[0].length)
            FAIL(ERR_SYNTAX_ERROR, .message = STR("VALUES lists must all be the same length"),
                 .position = list->items[0]->position);
        VEC_PUSH(arena, &rte->values, row);
    }
    TRY(values_columns(scope, rte));
    rte->name = STR("*VALUES*");
    const int rel = scope_add_rte(scope, rte);
    ScopeItem item = scope_item_new(scope, rte, rel);
    VEC_PUSH(arena, &scope->items, item);
    scope_add_from(scope, rel);
    for (int c = 0; c < rte->column_count; c++) {
        TargetEntry target = {.name = rte->columns[c].name,
                              .attnum = c + 1,
                              .expr = scope_item_column(scope, &item, c, 0, 0)};
        VEC_PUSH(arena, &query->targets, target);
    }
    query->is_values = true;
    TRY(analyze_order_by(scope, &select->sort_clause, &query->targets, PLACE_ORDER_BY, false,
                         &query->order_by));
    TRY(analyze_limits(scope, select));
    if (select->locking_clause.length > 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message =
                 fmt("%s cannot be applied to VALUES",
                     lock_strength_name((LockStrength)select->locking_clause.items[0]->strength)));
    return analyze_finish(scope);
}

/* ---- set operations ---- */

static Str set_op_name(SetOpKind op)
{
    return op == SET_UNION ? STR("UNION") : op == SET_INTERSECT ? STR("INTERSECT") : STR("EXCEPT");
}

typedef struct SetLeaf {
    SetOpNode *node;
    ExprVec columns; /* what each column is made of: literals stay convertible */
} SetLeaf;

static bool set_leaf(Scope *scope, const SelectStmt *select, SetLeaf *ret)
{
    Arena *arena = scope_arena(scope);
    Query *query = analyze_subquery(scope, &select->node, NULL, scope->recursive, false);
    TRY(query);
    RangeTableEntry *rte = rte_for_subquery(
        scope, query, str_format(arena, "*SELECT* %zu", scope->query->range_table.length + 1));
    rte->is_in_from = false;
    ret->node = ARENA_NEW(arena, SetOpNode);
    ret->node->rel = scope_add_rte(scope, rte);
    for (size_t i = 0; i < query->targets.length; i++)
        if (!query->targets.items[i].is_junk)
            VEC_PUSH(arena, &ret->columns, query->targets.items[i].expr);
    ret->node->columns = rte->columns;
    ret->node->column_count = rte->column_count;
    return true;
}

/* A leaf's literal takes the common type at once: 'x' in a UNION with a date is a date. */
static bool leaf_coerce(Scope *scope, SetLeaf *leaf, size_t column, Oid type)
{
    Expr *expr = leaf->columns.items[column];
    if (leaf->node->op || expr->type != TYPE_UNKNOWN)
        return true;
    TRY(expr = coerce_implicitly(scope, expr, type));
    leaf->columns.items[column] = expr;
    RangeTableEntry *rte = query_rte(scope->query, leaf->node->rel);
    size_t visible = 0;
    for (size_t i = 0; i < rte->subquery->targets.length; i++)
        if (!rte->subquery->targets.items[i].is_junk && visible++ == column)
            rte->subquery->targets.items[i].expr = expr;
    rte->columns[column].type = expr->type;
    rte->columns[column].typmod = expr->typmod;
    rte->columns[column].collation = expr->collation;
    return true;
}

static bool set_columns(Scope *scope, SetOpNode *node, SetLeaf *left, SetLeaf *right, SetLeaf *ret)
{
    Arena *arena = scope_arena(scope);
    const Str name = set_op_name(node->op);
    if (left->columns.length != right->columns.length)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("each %.*s query must have the same number of columns", STR_ARGS(name)),
             .position = right->columns.length ? expr_location(right->columns.items[0]) : 0);
    node->column_count = (int)left->columns.length;
    node->columns = ARENA_ARRAY(arena, RangeColumn, left->columns.length + 1);
    for (size_t c = 0; c < left->columns.length; c++) {
        ExprVec pair = {0};
        Oid collation;
        VEC_PUSH(arena, &pair, left->columns.items[c]);
        VEC_PUSH(arena, &pair, right->columns.items[c]);
        const Oid type = select_common_type(scope, &pair, name, NULL);
        TRY(type);
        for (int i = 0; i < 2; i++) {
            SetLeaf *leaf = i ? right : left;
            TRY(leaf_coerce(scope, leaf, c, type));
            pair.items[i] = leaf->columns.items[c];
            const Oid from = pair.items[i]->type;
            if (from != type && !can_coerce(scope, &from, &type, 1, COERCION_IMPLICIT))
                FAIL(ERR_CANNOT_COERCE,
                     .message =
                         fmt("%.*s could not convert type %.*s to %.*s", STR_ARGS(name),
                             STR_ARGS(type_text(scope, from)), STR_ARGS(type_text(scope, type))),
                     .position = expr_location(pair.items[i]));
        }
        TRY(combine_collations(scope, &pair, &collation));
        /* A column of the operation, for the operation above: typed, no literal any more. */
        const Expr like = {.type = type,
                           .typmod = select_common_typmod(&pair, type),
                           .collation = expr_result_collation(scope, type, collation),
                           .position = pair.items[0]->position};
        Expr *column = expr_column(arena, 1, (int)c + 1, 0, &like);
        VEC_PUSH(arena, &ret->columns, column);
        node->columns[c] = (RangeColumn){.name = left->node->columns[c].name,
                                         .type = type,
                                         .typmod = like.typmod,
                                         .collation = like.collation};
        if (node->op == SET_UNION && node->is_all)
            continue;
        const TypeOperators *operators =
            equality_operators(scope, type, expr_location(pair.items[0]));
        TRY(operators);
        const SortClause group = {.ref = (int)c + 1,
                                  .sort_op = operators->less,
                                  .equal_op = operators->equal,
                                  .is_hashable = operators->hash != 0};
        VEC_PUSH(arena, &node->groups, group);
    }
    return true;
}

/* The CTE's columns are known once its non-recursive term is analyzed. */
static void recursive_columns(Scope *scope, const SetLeaf *leaf)
{
    CommonTable *cte = scope->recursive;
    Arena *arena = scope_arena(scope);
    if (!cte || cte->columns)
        return;
    cte->column_count = leaf->node->column_count;
    cte->columns = ARENA_ARRAY(arena, RangeColumn, cte->column_count + 1);
    for (int i = 0; i < cte->column_count; i++) {
        cte->columns[i] = leaf->node->columns[i];
        if (cte->columns[i].type == TYPE_UNKNOWN) {
            cte->columns[i].type = TYPE_TEXT;
            cte->columns[i].collation = COLLATION_DEFAULT;
        }
        if (i < cte->alias_column_count)
            cte->columns[i].name = cte->alias_columns[i];
    }
    cte_add_columns(scope, cte);
}

static bool set_tree(Scope *scope, const SelectStmt *select, bool is_top, SetLeaf *ret)
{
    static const SetOpKind kinds[] = {
        [SETOP_UNION] = SET_UNION, [SETOP_INTERSECT] = SET_INTERSECT, [SETOP_EXCEPT] = SET_EXCEPT};
    const bool is_leaf = select->op == SETOP_NONE ||
                         (!is_top && (select->sort_clause.length > 0 || select->limit_offset ||
                                      select->limit_count || select->locking_clause.length > 0 ||
                                      select->with_clause));
    if (task_stack_left() < 24 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (is_leaf)
        return set_leaf(scope, select, ret);

    SetLeaf left = {0}, right = {0};
    CommonTable *recursive = scope->recursive;
    SetOpNode *node = ARENA_NEW(scope_arena(scope), SetOpNode);
    node->op = kinds[select->op];
    node->is_all = select->all;
    ret->node = node;
    if (!is_top)
        scope->recursive = NULL;
    TRY(set_tree(scope, select->larg, false, &left));
    if (is_top && recursive) {
        recursive_columns(scope, &left);
        /* Literals of the first term settle as text before the recursive one sees them. */
        for (size_t c = 0; c < left.columns.length; c++)
            TRY(leaf_coerce(scope, &left, c, TYPE_TEXT));
    }
    TRY(set_tree(scope, select->rarg, false, &right));
    scope->recursive = recursive;
    TRY(set_columns(scope, node, &left, &right, ret));
    if (is_top && recursive)
        for (int c = 0; c < node->column_count; c++)
            if (node->columns[c].type != recursive->columns[c].type ||
                node->columns[c].typmod != recursive->columns[c].typmod)
                FAIL(ERR_DATATYPE_MISMATCH,
                     .message = fmt("recursive query \"%.*s\" column %d has type %.*s in "
                                    "non-recursive term but type %.*s overall",
                                    STR_ARGS(recursive->name), c + 1,
                                    STR_ARGS(type_text_typmod(scope, recursive->columns[c].type,
                                                              recursive->columns[c].typmod)),
                                    STR_ARGS(type_text_typmod(scope, node->columns[c].type,
                                                              node->columns[c].typmod))),
                     .hint = STR("Cast the output of the non-recursive term to the correct type."),
                     .position = expr_location(left.columns.items[c]));
    node->left = left.node;
    node->right = right.node;
    node->rel = 0;
    return true;
}

bool analyze_set_operation(Scope *scope, const SelectStmt *select)
{
    Arena *arena = scope_arena(scope);
    Query *query = scope->query;
    SetLeaf top = {0};

    query->command = QUERY_SELECT;
    const SelectStmt *leftmost = select->larg;
    while (leftmost && leftmost->op != SETOP_NONE)
        leftmost = leftmost->larg;
    if (leftmost && leftmost->into_clause)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("SELECT ... INTO is not allowed here"),
             .position = leftmost->into_clause->node.position);
    if (select->locking_clause.length > 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message =
                 fmt("%s is not allowed with UNION/INTERSECT/EXCEPT",
                     lock_strength_name((LockStrength)select->locking_clause.items[0]->strength)));
    if (select->with_clause)
        TRY(analyze_with(scope, select->with_clause));
    TRY(set_tree(scope, select, true, &top));
    query->set_op = top.node;

    /* The targets stand for the result's columns; they take their names from the leftmost leaf. */
    const SetOpNode *leaf = top.node;
    while (leaf->op)
        leaf = leaf->left;
    const Query *first = query_rte(query, leaf->rel)->subquery;
    size_t visible = 0;
    for (size_t i = 0; i < first->targets.length; i++) {
        const TargetEntry *source = &first->targets.items[i];
        if (source->is_junk)
            continue;
        const RangeColumn *column = &top.node->columns[visible];
        const Expr like = {.type = column->type,
                           .typmod = column->typmod,
                           .collation = column->collation,
                           .position = source->expr->position};
        visible++;
        TargetEntry target = {.name = source->name,
                              .attnum = (int)visible,
                              .expr = expr_column(arena, leaf->rel, (int)visible, 0, &like)};
        VEC_PUSH(arena, &query->targets, target);
    }
    /* ORDER BY may name output columns only: a join of nothing but them. */
    RangeTableEntry *rte = rte_new(scope, RANGE_JOIN, 0);
    rte_set_columns_from_targets(arena, rte, &query->targets);
    rte->name = STR("*SELECT*");
    ScopeItem item = scope_item_new(scope, rte, leaf->rel);
    item.name_visible = false;
    VEC_PUSH(arena, &scope->items, item);
    const size_t before = query->targets.length;
    TRY(analyze_order_by(scope, &select->sort_clause, &query->targets, PLACE_ORDER_BY, false,
                         &query->order_by));
    scope->items.length--;
    if (query->targets.length != before)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("invalid UNION/INTERSECT/EXCEPT ORDER BY clause"),
             .detail = STR("Only result column names can be used, not expressions or functions."),
             .hint = STR("Add the expression/function to every SELECT, or move the UNION into a "
                         "FROM clause."),
             .position = expr_location(VEC_LAST(&query->targets).expr));
    TRY(analyze_limits(scope, select));
    return analyze_finish(scope);
}
