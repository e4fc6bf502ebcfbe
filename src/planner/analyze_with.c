#include "planner/analyze_internal.h"

/* ---- SEARCH and CYCLE ---- */

/* The mark's values are known before the item's query is analyzed: its columns are seen there. */
static bool analyze_mark(Scope *scope, const CTECycleClause *node, CommonTable *cte)
{
    CteCycle *cycle = cte->cycle = ARENA_NEW(scope_arena(scope), CteCycle);
    ExprVec values = {0};
    cycle->mark = node->mark_column;
    cycle->path = node->path_column;
    cycle->is_written = node->mark_value != NULL;
    if (cycle->is_written) {
        TRY(cycle->value = analyze_expr(scope, node->mark_value, PLACE_CYCLE_MARK));
        TRY(cycle->otherwise = analyze_expr(scope, node->mark_default, PLACE_CYCLE_MARK));
    } else {
        cycle->value = expr_bool(scope_arena(scope), true);
        cycle->otherwise = expr_bool(scope_arena(scope), false);
    }
    VEC_PUSH(scope_arena(scope), &values, cycle->value);
    VEC_PUSH(scope_arena(scope), &values, cycle->otherwise);
    const Oid type = select_common_type(scope, &values, STR("CYCLE"), NULL);
    TRY(type);
    TRY(cycle->value = coerce_to_common(scope, cycle->value, type, STR("CYCLE/TO")));
    TRY(cycle->otherwise = coerce_to_common(scope, cycle->otherwise, type, STR("CYCLE/DEFAULT")));
    const TypeOperators *operators = equality_operators(scope, type, 0);
    TRY(operators);
    cycle->equality = operators->equal;
    return true;
}

/* Behind the item's own columns: what SEARCH and CYCLE add. */
void cte_add_columns(Scope *scope, CommonTable *cte)
{
    Arena *arena = scope_arena(scope);
    RangeColumn *columns = ARENA_ARRAY(arena, RangeColumn, cte->column_count + 4);
    if (!cte->search && !cte->cycle)
        return;
    memcpy(columns, cte->columns, (size_t)cte->column_count * sizeof(RangeColumn));
    if (cte->search)
        columns[cte->column_count++] =
            (RangeColumn){.name = cte->search->sequence,
                          .type = cte->search->breadth_first ? TYPE_RECORD : TYPE_RECORD_ARRAY,
                          .typmod = -1};
    if (cte->cycle) {
        const Expr *value = cte->cycle->value;
        columns[cte->column_count++] = (RangeColumn){
            .name = cte->cycle->mark,
            .type = value->type,
            .typmod = value->typmod == cte->cycle->otherwise->typmod ? value->typmod : -1,
            .collation = value->collation};
        columns[cte->column_count++] =
            (RangeColumn){.name = cte->cycle->path, .type = TYPE_RECORD_ARRAY, .typmod = -1};
    }
    cte->columns = columns;
}

static int own_column(const CommonTable *cte, Str name)
{
    for (int i = 0; i < cte_own_count(cte); i++)
        if (str_equal(cte->columns[i].name, name))
            return i;
    return -1;
}

/* The columns named in a clause, by number. */
static int *clause_columns(Scope *scope, const CommonTable *cte, const StrVec *names,
                           const char *clause, int position)
{
    int *columns = ARENA_ARRAY(scope_arena(scope), int, names->length + 1);
    for (size_t i = 0; i < names->length; i++) {
        columns[i] = own_column(cte, names->items[i]);
        if (columns[i] < 0)
            FAIL(ERR_SYNTAX_ERROR,
                 .message = fmt("%s column \"%.*s\" not in WITH query column list", clause,
                                STR_ARGS(names->items[i])),
                 .position = position);
        for (size_t k = 0; k < i; k++)
            if (columns[k] == columns[i])
                FAIL(ERR_DUPLICATE_COLUMN,
                     .message = fmt("%s column \"%.*s\" specified more than once", clause,
                                    STR_ARGS(names->items[i])),
                     .position = position);
    }
    return columns;
}

static bool name_is_free(const CommonTable *cte, Str name, const char *what, int position)
{
    if (own_column(cte, name) >= 0)
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("%s column name \"%.*s\" already used in WITH query column list", what,
                            STR_ARGS(name)),
             .position = position);
    return true;
}

static bool names_differ(Str a, Str b, const char *what, const char *other, int position)
{
    if (str_equal(a, b))
        FAIL(ERR_SYNTAX_ERROR,
             .message = fmt("%s column name and %s column name are the same", what, other),
             .position = position);
    return true;
}

/* Which sides of the UNION the columns can be computed on. */
static bool check_sides(const CommonTable *cte, int position)
{
    const Query *query = cte->query;
    if (!cte->is_recursive)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("WITH query is not recursive"), .position = position);
    if (query->set_op->left->op)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("with a SEARCH or CYCLE clause, the left side of the UNION must be a "
                            "SELECT"));
    if (query->set_op->right->op)
        FAIL(ERR_SYNTAX_ERROR,
             .message = STR("with a SEARCH or CYCLE clause, the right side of the UNION must be a "
                            "SELECT"));
    return true;
}

static bool analyze_clauses(Scope *scope, const CommonTableExpr *node, CommonTable *cte)
{
    CteSearch *search = cte->search;
    CteCycle *cycle = cte->cycle;
    if (!search && !cycle)
        return true;
    TRY(check_sides(cte, node->node.position));
    if (search) {
        const CTESearchClause *clause = node->search_clause;
        const int position = clause->node.position;
        TRY(search->columns = clause_columns(scope, cte, &clause->columns, "search", position));
        search->column_count = (int)clause->columns.length;
        TRY(name_is_free(cte, search->sequence, "search sequence", position));
    }
    if (!cycle)
        return true;
    const CTECycleClause *clause = node->cycle_clause;
    const int position = clause->node.position;
    TRY(cycle->columns = clause_columns(scope, cte, &clause->columns, "cycle", position));
    cycle->column_count = (int)clause->columns.length;
    TRY(name_is_free(cte, cycle->mark, "cycle mark", position));
    TRY(name_is_free(cte, cycle->path, "cycle path", position));
    TRY(names_differ(cycle->mark, cycle->path, "cycle mark", "cycle path", position));
    if (!search)
        return true;
    const int at = node->search_clause->node.position;
    TRY(names_differ(search->sequence, cycle->mark, "search sequence", "cycle mark", at));
    return names_differ(search->sequence, cycle->path, "search sequence", "cycle path", at);
}

/* ---- analysis ---- */

static bool cte_columns(Scope *scope, CommonTable *cte, int position)
{
    Arena *arena = scope_arena(scope);
    const TargetVec *targets = query_result(cte->query);
    int count = 0;
    RangeColumn *columns = ARENA_ARRAY(arena, RangeColumn, targets->length + 1);

    for (size_t i = 0; i < targets->length; i++) {
        const TargetEntry *target = &targets->items[i];
        if (target->is_junk)
            continue;
        columns[count] = (RangeColumn){.name = target->name,
                                       .type = target->expr->type,
                                       .typmod = target->expr->typmod,
                                       .collation = target->expr->collation};
        if (count < cte->alias_column_count)
            columns[count].name = cte->alias_columns[count];
        count++;
    }
    if (cte->alias_column_count > count)
        FAIL(ERR_INVALID_COLUMN_REFERENCE,
             .message = fmt("WITH query \"%.*s\" has %d columns available but %d columns specified",
                            STR_ARGS(cte->name), count, cte->alias_column_count),
             .position = position);
    cte->column_count = count;
    cte->columns = cte->query->command == QUERY_SELECT || count > 0 ? columns : NULL;
    if (cte->columns)
        cte_add_columns(scope, cte);
    return true;
}

static bool analyze_cte(Scope *scope, const CommonTableExpr *node, CommonTable *cte)
{
    const bool recursive =
        scope->query->with_recursive && with_item_mentions(node->query, node->name);
    cte->is_recursive = recursive;
    if (node->search_clause) {
        cte->search = ARENA_NEW(scope_arena(scope), CteSearch);
        cte->search->breadth_first = node->search_clause->breadth_first;
        cte->search->sequence = node->search_clause->seq_column;
    }
    if (node->cycle_clause)
        TRY(analyze_mark(scope, node->cycle_clause, cte));
    if (recursive)
        TRY(with_check_recursion(node));
    if (!NODE_IS(node->query, SelectStmt)) {
        if (scope->parent)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR(
                     "WITH clause containing a data-modifying statement must be at the top level"),
                 .position = node->node.position);
        scope->query->has_modifying_cte = true;
    }
    /* A reference inside the item itself counts too: the next one is counted from zero. */
    TRY(cte->query = analyze_subquery(scope, node->query, NULL, recursive ? cte : NULL, true));
    cte->columns = recursive ? cte->columns : NULL;
    cte->reference_count = 0;
    TRY(cte_columns(scope, cte, node->node.position));
    return analyze_clauses(scope, node, cte);
}

/*
 * WITH RECURSIVE: items in an order in which each comes behind those it refers to. Items that
 * refer to each other have none.
 */
static bool order_items(Scope *scope, const WithClause *with, size_t *order)
{
    const size_t count = with->ctes.length;
    bool *placed = ARENA_ARRAY(scope_arena(scope), bool, count + 1);
    for (size_t done = 0; done < count;) {
        size_t next = count, waiting = count;
        for (size_t i = count; i-- > 0;) {
            bool ready = !placed[i];
            for (size_t k = 0; k < count && ready; k++)
                ready = k == i || placed[k] ||
                        !with_item_mentions(with->ctes.items[i]->query, with->ctes.items[k]->name);
            if (ready)
                next = i;
            if (!placed[i])
                waiting = i;
        }
        if (next == count)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("mutual recursion between WITH items is not implemented"),
                 .position = with->ctes.items[waiting]->node.position);
        placed[next] = true;
        order[done++] = next;
    }
    return true;
}

bool analyze_with(Scope *scope, const WithClause *with)
{
    Arena *arena = scope_arena(scope);
    Query *query = scope->query;

    query->with_recursive = with->recursive;
    scope->with = with;
    for (size_t i = 0; i < with->ctes.length; i++)
        for (size_t k = 0; k < i; k++)
            if (str_equal(with->ctes.items[i]->name, with->ctes.items[k]->name))
                FAIL(ERR_DUPLICATE_ALIAS,
                     .message = fmt("WITH query name \"%.*s\" specified more than once",
                                    STR_ARGS(with->ctes.items[i]->name)),
                     .position = with->ctes.items[i]->node.position);
    size_t *order = ARENA_ARRAY(arena, size_t, with->ctes.length + 1);
    for (size_t i = 0; i < with->ctes.length; i++)
        order[i] = i;
    if (with->recursive)
        TRY(order_items(scope, with, order));
    for (size_t i = 0; i < with->ctes.length; i++) {
        const CommonTableExpr *node = with->ctes.items[order[i]];
        CommonTable *cte = ARENA_NEW(arena, CommonTable);
        cte->name = node->name;
        cte->alias_columns = node->aliascolnames.items;
        cte->alias_column_count = (int)node->aliascolnames.length;
        cte->materialize = node->materialized;
        cte->position = node->node.position;
        scope->with_done = i;
        if (with->recursive) {
            VEC_PUSH(arena, &scope->ctes, cte);
            TRY(analyze_cte(scope, node, cte));
        } else {
            TRY(analyze_cte(scope, node, cte));
            VEC_PUSH(arena, &scope->ctes, cte);
        }
        VEC_PUSH(arena, &query->ctes, cte);
    }
    scope->with = NULL;
    return true;
}
