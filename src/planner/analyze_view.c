#include "planner/analyze_internal.h"
#include "planner/query_walk.h"

/* What a view reads is read with its owner's rights. */
static void set_check_as(Query *query, Oid owner)
{
    for (size_t i = 0; i < query->range_table.length; i++) {
        RangeTableEntry *rte = query->range_table.items[i];
        if (rte->relation && !rte->check_as)
            rte->check_as = owner;
        /* A view below has been given its own owner's rights already. */
        if (rte->subquery && !rte->relation)
            set_check_as(rte->subquery, owner);
    }
    for (size_t i = 0; i < query->ctes.length; i++)
        set_check_as(query->ctes.items[i]->query, owner);
}

Query *view_query(AnalyzeContext *context, const RelationDesc *view)
{
    Query *query = analyze_view_text(context->arena, context->session, view->view_text);
    TRY(query);
    if (!view->security_invoker)
        set_check_as(query, view->owner);
    return query;
}

/* ---- automatically updatable views ---- */

static const char *verb_of(const Query *query)
{
    return query->command == QUERY_INSERT   ? "insert into"
           : query->command == QUERY_UPDATE ? "update"
                                            : "delete from";
}

/* A sequence can be looked at, and cannot be written. */
static bool has_writable_base(CatalogSession *session, const Query *view)
{
    if (view->from.length != 1 || view->from.items[0]->kind != FROM_REL)
        return false;
    const Oid base = query_rte(view, view->from.items[0]->rel)->relation;
    const RelationDesc *relation = base ? relation_find(session, base) : NULL;
    return relation && (relation->kind == RELKIND_TABLE || relation->kind == RELKIND_VIEW);
}

/* Why rows of the view are not rows of one table; NULL where they are. */
const char *view_why_not_updatable(CatalogSession *session, const Query *view)
{
    if (view->distinct.length > 0)
        return "Views containing DISTINCT are not automatically updatable.";
    if (view->group_by.length > 0 || view->grouping_sets.length > 0)
        return "Views containing GROUP BY are not automatically updatable.";
    if (view->having)
        return "Views containing HAVING are not automatically updatable.";
    if (view->set_op)
        return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.";
    if (view->ctes.length > 0)
        return "Views containing WITH are not automatically updatable.";
    if (view->limit_count || view->limit_offset)
        return "Views containing LIMIT or OFFSET are not automatically updatable.";
    if (view->has_aggregates)
        return "Views that return aggregate functions are not automatically updatable.";
    if (view->has_windows)
        return "Views that return window functions are not automatically updatable.";
    if (view->has_srfs)
        return "Views that return set-returning functions are not automatically updatable.";
    if (!has_writable_base(session, view))
        return "Views that do not select from a single table or view are not automatically "
               "updatable.";
    return NULL;
}

static bool fail_not_updatable(const Query *query, Str name, const char *why)
{
    const char *event = query->command == QUERY_INSERT   ? "INSERT"
                        : query->command == QUERY_UPDATE ? "UPDATE"
                                                         : "DELETE";
    const char *doing = query->command == QUERY_INSERT   ? "inserting into"
                        : query->command == QUERY_UPDATE ? "updating"
                                                         : "deleting from";
    FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
         .message = fmt("cannot %s view \"%.*s\"", verb_of(query), STR_ARGS(name)),
         .detail = str_from_c(why),
         .hint = fmt("To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional "
                     "ON %s DO INSTEAD rule.",
                     doing, event, event));
}

typedef struct ViewReplace {
    Arena *arena;
    const Query *view;
    int view_rel; /* of the target in the outer query */
    int base_rel; /* of the table in the view's query */
} ViewReplace;

/* The view's own expressions speak of the outer query's entry. */
static Expr *rebase_step(void *context, Expr *expr, int depth)
{
    const ViewReplace *replace = context;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    if (column->levels_up != depth || column->rel != replace->base_rel)
        return expr;
    ExprColumn *copy = arena_copy(replace->arena, column, sizeof(*column));
    copy->rel = replace->view_rel;
    return &copy->base;
}

static Expr *view_column_step(void *context, Expr *expr, int depth)
{
    ViewReplace *replace = context;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    if (column->levels_up != depth || column->rel != replace->view_rel || column->attnum < 1)
        return expr;
    Expr *value = replace->view->targets.items[column->attnum - 1].expr;
    TRY(value = expr_replace_deep(replace->arena, value, 0, rebase_step, replace));
    return depth == 0 ? value : expr_raise_levels(replace->arena, value, depth, 0);
}

static bool view_column_slot(void *context, Expr **expr)
{
    const ViewReplace *replace = context;
    TRY(*expr = expr_replace_deep(replace->arena, *expr, 0, view_column_step, context));
    return true;
}

static bool is_table_column(const Expr *expr)
{
    return expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->attnum >= 1;
}

static bool has_table_column(const Query *view)
{
    for (size_t i = 0; i < view->targets.length; i++)
        if (!view->targets.items[i].is_junk && is_table_column(view->targets.items[i].expr))
            return true;
    return false;
}

static bool map_targets(const ViewReplace *replace, const RelationDesc *view, const Query *query,
                        TargetVec *targets)
{
    int *from = ARENA_ARRAY(replace->arena, int, targets->length + 1);
    for (size_t i = 0; i < targets->length; i++) {
        TargetEntry *target = &targets->items[i];
        const Expr *expr = replace->view->targets.items[target->attnum - 1].expr;
        if (!is_table_column(expr))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("cannot %s column \"%.*s\" of view \"%.*s\"", verb_of(query),
                                STR_ARGS(target->name), STR_ARGS(view->name)),
                 .detail = expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->attnum < 0
                               ? STR("View columns that refer to system columns are not updatable.")
                               : STR("View columns that are not columns of their base relation "
                                     "are not updatable."));
        const int attnum = EXPR_AS(const ExprColumn, expr)->attnum;
        /* Two columns of a view may be one of the table's. */
        for (size_t before = 0; before < i; before++)
            if (targets->items[before].attnum == attnum && from[before] != target->attnum)
                FAIL(ERR_SYNTAX_ERROR,
                     .message =
                         fmt("multiple assignments to same column \"%.*s\"",
                             STR_ARGS(query_rte(replace->view, EXPR_AS(const ExprColumn, expr)->rel)
                                          ->columns[attnum - 1]
                                          .name)));
        from[i] = target->attnum;
        target->attnum = attnum;
    }
    return true;
}

/* The inner view's conditions are checked first. */
static void add_view_check(AnalyzeContext *context, Query *query, ViewCheck check)
{
    VEC_PUSH(context->arena, &query->view_checks, check);
    for (size_t i = query->view_checks.length - 1; i > 0; i--)
        query->view_checks.items[i] = query->view_checks.items[i - 1];
    query->view_checks.items[0] = check;
}

static bool add_view_where(AnalyzeContext *context, ViewReplace *replace, const RelationDesc *view,
                           Query *query, bool is_checked)
{
    if (!replace->view->where)
        return true;
    Expr *where = expr_replace_deep(context->arena, replace->view->where, 0, rebase_step, replace);
    TRY(where);
    if (query->command != QUERY_INSERT)
        query->where = expr_and(context->arena, query->where, where);
    if (query->command != QUERY_DELETE && is_checked)
        add_view_check(context, query, (ViewCheck){view->name, where});
    query->has_sublinks |= replace->view->has_sublinks;
    return true;
}

/* The entry becomes the table's; the view's stays behind for its privileges. */
static void replace_entry(AnalyzeContext *context, Query *query, const ViewReplace *replace,
                          const RelationDesc *view)
{
    RangeTableEntry *target = query_rte(query, replace->view_rel);
    RangeTableEntry *kept = arena_copy(context->arena, target, sizeof(*target));
    RangeTableEntry *base =
        arena_copy(context->arena, query_rte(replace->view, replace->base_rel), sizeof(*base));
    kept->kind = RANGE_SUBQUERY;
    kept->is_in_from = false;
    kept->is_excluded = false;
    base->access = target->access;
    base->name = target->name;
    base->kind = RANGE_RELATION;
    base->subquery = NULL;
    base->check_as = view->security_invoker ? OID_NONE : view->owner;
    base->is_in_from = target->is_in_from;
    base->is_excluded = target->is_excluded;
    *target = *base;
    VEC_PUSH(context->arena, &query->range_table, kept);
}

/* ON CONFLICT: the proposed row is one of the table below, too. */
static bool rewrite_conflict(AnalyzeContext *context, Query *query, const RelationDesc *view,
                             const ViewReplace *replace)
{
    ViewReplace excluded = *replace;

    if (!query->conflict)
        return true;
    TRY(map_targets(replace, view, query, &query->conflict->set));
    if (!query->conflict->excluded)
        return true;
    excluded.view_rel = query->conflict->excluded;
    TRY(query_visit_exprs(query, view_column_slot, &excluded));
    replace_entry(context, query, &excluded, view);
    return true;
}

static bool finish_target(AnalyzeContext *context, Query *query, const RelationDesc *relation)
{
    if (query->command != QUERY_INSERT)
        return true;
    TRY(insert_resolve_targets(context, query, relation));
    TRY(insert_complete_targets(context, query, relation));
    return relation->kind == RELKIND_VIEW || !query->conflict ||
           conflict_find_arbiters(context, relation, query->result_rel, query->conflict);
}

bool rewrite_view_target(AnalyzeContext *context, Query *query)
{
    bool is_cascaded = false;

    if (query->command == QUERY_SELECT || query->command == QUERY_UTILITY || !query->result_rel)
        return true;
    for (int depth = 0; depth < 64; depth++) {
        const RangeTableEntry *target = query_rte(query, query->result_rel);
        const RelationDesc *view = relation_get(context->session, target->relation);
        TRY(view);
        if (depth > 0)
            TRY(finish_target(context, query, view));
        if (view->kind != RELKIND_VIEW)
            return true;
        Query *body = view_query(context, view);
        TRY(body);
        const char *why = view_why_not_updatable(context->session, body);
        if (!why && query->command != QUERY_DELETE && !has_table_column(body))
            why = "Views that have no updatable columns are not automatically updatable.";
        if (why)
            return fail_not_updatable(query, view->name, why);
        ViewReplace replace = {context->arena, body, query->result_rel, body->from.items[0]->rel};
        TRY(map_targets(&replace, view, query, &query->targets));
        TRY(query_visit_exprs(query, view_column_slot, &replace));
        TRY(rewrite_conflict(context, query, view, &replace));
        replace_entry(context, query, &replace, view);
        TRY(add_view_where(context, &replace, view, query,
                           is_cascaded || view->check_option.length > 0));
        is_cascaded |= str_equal(view->check_option, STR("cascaded"));
    }
    FAIL(ERR_INVALID_RECURSION,
         .message = STR("infinite recursion detected in rules for relation"));
}
