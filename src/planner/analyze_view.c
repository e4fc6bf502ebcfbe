#include "planner/analyze_internal.h"

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
    set_check_as(query, view->owner);
    return query;
}

static const char *verb_of(const Query *query)
{
    return query->command == QUERY_INSERT   ? "insert into"
           : query->command == QUERY_UPDATE ? "update"
                                            : "delete from";
}

bool rewrite_view_target(AnalyzeContext *context, Query *query)
{
    if (query->command == QUERY_SELECT || query->command == QUERY_UTILITY || !query->result_rel)
        return true;
    const RangeTableEntry *rte = query_rte(query, query->result_rel);
    const RelationDesc *relation = relation_find(context->session, rte->relation);
    if (!relation || relation->kind != RELKIND_VIEW)
        return true;
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("cannot %s view \"%.*s\"", verb_of(query), STR_ARGS(relation->name)),
         .detail = STR("Automatically updatable views are not supported."));
}
