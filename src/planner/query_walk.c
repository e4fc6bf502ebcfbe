#include "planner/query_walk.h"

#include "base/scheduler.h"

typedef struct DeepWalk {
    DeepVisitor *visitor;
    void *context;
    int depth;
} DeepWalk;

static bool walk_child(void *context, Expr *expr)
{
    DeepWalk *walk = context;
    return expr_walk_deep(expr, walk->depth, walk->visitor, walk->context);
}

bool expr_walk_deep(Expr *expr, int depth, DeepVisitor *visitor, void *context)
{
    if (!expr)
        return true;
    const WalkStep step = visitor(context, expr, depth);
    if (step != WALK_CHILDREN)
        return step == WALK_SKIP;
    DeepWalk walk = {visitor, context, depth};
    if (!expr_walk(expr, walk_child, &walk))
        return false;
    if (expr->kind == EXPR_SUB_LINK)
        return query_walk_deep(EXPR_AS(ExprSubLink, expr)->query, depth + 1, visitor, context);
    return true;
}

static bool walk_slot(void *context, Expr **expr)
{
    return walk_child(context, *expr);
}

bool query_walk_deep(Query *query, int depth, DeepVisitor *visitor, void *context)
{
    DeepWalk walk = {visitor, context, depth};
    if (!query_visit_exprs(query, walk_slot, &walk))
        return false;
    for (size_t i = 0; i < query->range_table.length; i++) {
        const RangeTableEntry *rte = query->range_table.items[i];
        if (rte->subquery && !query_walk_deep(rte->subquery, depth + 1, visitor, context))
            return false;
    }
    for (size_t i = 0; i < query->ctes.length; i++)
        if (!query_walk_deep(query->ctes.items[i]->query, depth + 1, visitor, context))
            return false;
    return true;
}

/* ---- replacing ---- */

typedef struct DeepReplace {
    Arena *arena;
    DeepReplacer *replacer;
    void *context;
    int depth;
    bool failed;
} DeepReplace;

static Expr *replace_child(void *context, Expr *expr)
{
    DeepReplace *replace = context;
    return expr_replace_deep(replace->arena, expr, replace->depth, replace->replacer,
                             replace->context);
}

Expr *expr_replace_deep(Arena *arena, Expr *expr, int depth, DeepReplacer *replacer, void *context)
{
    Expr *replaced = replacer ? replacer(context, expr, depth) : NULL;
    if (replaced)
        return replaced;
    DeepReplace replace = {arena, replacer, context, depth, false};
    TRY(replaced = expr_mutate(arena, expr, replace_child, &replace));
    if (expr->kind != EXPR_SUB_LINK)
        return replaced;
    ExprSubLink *link = EXPR_NEW(arena, ExprSubLink, EXPR_SUB_LINK);
    *link = *EXPR_AS(ExprSubLink, replaced);
    TRY(link->query = query_copy_replaced(arena, link->query, depth + 1, replacer, context));
    return &link->base;
}

static bool replace_slot(void *context, Expr **expr)
{
    DeepReplace *replace = context;
    TRY(*expr = replace_child(replace, *expr));
    return true;
}

#define COPY_ITEMS(arena, vec)                                                                     \
    do {                                                                                           \
        if ((vec)->length > 0)                                                                     \
            (vec)->items =                                                                         \
                arena_copy((arena), (vec)->items, (vec)->length * sizeof(*(vec)->items));          \
        (vec)->capacity = (vec)->length;                                                           \
    } while (0)

static FromItem *copy_from(Arena *arena, const FromItem *item)
{
    FromItem *copy = arena_copy(arena, item, sizeof(*item));
    if (copy->kind == FROM_JOIN) {
        copy->left = copy_from(arena, item->left);
        copy->right = copy_from(arena, item->right);
    }
    return copy;
}

static RangeTableEntry *copy_rte(Arena *arena, const RangeTableEntry *rte)
{
    RangeTableEntry *copy = arena_copy(arena, rte, sizeof(*rte));
    COPY_ITEMS(arena, &copy->alias_exprs);
    COPY_ITEMS(arena, &copy->functions);
    COPY_ITEMS(arena, &copy->values);
    for (size_t i = 0; i < copy->values.length; i++)
        COPY_ITEMS(arena, &copy->values.items[i]);
    return copy;
}

Query *query_copy_replaced(Arena *arena, const Query *query, int depth, DeepReplacer *replacer,
                           void *context)
{
    if (task_stack_left() < 16 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    Query *copy = arena_copy(arena, query, sizeof(*query));
    COPY_ITEMS(arena, &copy->range_table);
    for (size_t i = 0; i < copy->range_table.length; i++)
        copy->range_table.items[i] = copy_rte(arena, copy->range_table.items[i]);
    COPY_ITEMS(arena, &copy->from);
    for (size_t i = 0; i < copy->from.length; i++)
        copy->from.items[i] = copy_from(arena, copy->from.items[i]);
    COPY_ITEMS(arena, &copy->targets);
    COPY_ITEMS(arena, &copy->returning);
    COPY_ITEMS(arena, &copy->windows);
    COPY_ITEMS(arena, &copy->row_marks);
    COPY_ITEMS(arena, &copy->order_by);
    COPY_ITEMS(arena, &copy->distinct);
    COPY_ITEMS(arena, &copy->group_by);
    for (size_t i = 0; i < copy->windows.length; i++)
        copy->windows.items[i] =
            arena_copy(arena, copy->windows.items[i], sizeof(*copy->windows.items[i]));
    COPY_ITEMS(arena, &copy->ctes);
    if (copy->conflict) {
        copy->conflict = arena_copy(arena, copy->conflict, sizeof(*copy->conflict));
        COPY_ITEMS(arena, &copy->conflict->set);
        COPY_ITEMS(arena, &copy->conflict->arbiter_exprs);
    }
    DeepReplace replace = {arena, replacer, context, depth, false};
    TRY(query_visit_exprs(copy, replace_slot, &replace));
    for (size_t i = 0; i < copy->range_table.length; i++) {
        RangeTableEntry *rte = copy->range_table.items[i];
        if (rte->subquery)
            TRY(rte->subquery =
                    query_copy_replaced(arena, rte->subquery, depth + 1, replacer, context));
    }
    for (size_t i = 0; i < copy->ctes.length; i++) {
        CommonTable *cte = arena_copy(arena, copy->ctes.items[i], sizeof(CommonTable));
        TRY(cte->query = query_copy_replaced(arena, cte->query, depth + 1, replacer, context));
        copy->ctes.items[i] = cte;
    }
    return copy;
}
