#include "planner/analyze_internal.h"

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
    return true;
}

static bool analyze_cte(Scope *scope, const CommonTableExpr *node, CommonTable *cte)
{
    const bool recursive =
        scope->query->with_recursive && with_item_mentions(node->query, node->name);
    if (node->search_clause)
        FAIL_UNSUPPORTED("WITH ... SEARCH");
    if (node->cycle_clause)
        FAIL_UNSUPPORTED("WITH ... CYCLE");
    cte->is_recursive = recursive;
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
    return cte_columns(scope, cte, node->node.position);
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
