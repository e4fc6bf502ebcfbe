/* Plans of the queries that commands run, admitted as statements are. */
#include "executor/command/ddl_internal.h"
#include "executor/command/maintain.h"
#include "planner/planner.h"
#include "txn/index.h"

/*
 * Has the plan an index of a commit that is being applied? Its rows in the catalog are seen, and
 * the schema's version is not another yet.
 */
static bool has_younger_index(const Txn *txn, const RelationDesc *relation)
{
    if (txn_isolation(txn) >= ISOLATION_REPEATABLE_READ)
        return false; /* it keeps to its snapshot */
    for (int i = 0; i < relation->index_count; i++) {
        const TxnTree *tree = relation->indexes[i].storage;
        if (tree && unlikely(txn_index_is_younger(tree, txn_snapshot(txn))))
            return true;
    }
    return false;
}

bool planned_lock_relations(CatalogSession *catalog, const PlannedStatement *planned,
                            bool *ret_were_held)
{
    bool waited = false;

    *ret_were_held = true;
    for (size_t i = 0; i < planned->relations.length; i++) {
        const PlanRelation *item = &planned->relations.items[i];
        const RelationDesc *relation = relation_find(catalog, item->relation);
        if (!relation) {
            *ret_were_held = false;
            continue; /* dropped since: the version has moved and we plan again */
        }
        if (relation->oid < OID_FIRST_USER)
            continue; /* system tables: their rows' versions suffice */
        const DatabaseId database = relation->is_shared ? SHARED_DATABASE : catalog->database_oid;
        const LockMode mode = plan_relation_lock_mode(item);
        const LockOutcome outcome =
            lock_relation(catalog->txn, database, relation->oid, mode, LOCK_TRY, relation->name);
        TRY(outcome);
        *ret_were_held &= outcome == LOCK_HELD;
        if (has_younger_index(catalog->txn, relation)) {
            TRY(txn_schema_settle(txn_manager(catalog->txn)));
            waited = true;
            *ret_were_held = false; /* the plan may have seen it half made */
        }
        if (outcome != LOCK_WOULD_BLOCK)
            continue;
        waited = true;
        TRY(lock_relation(catalog->txn, database, relation->oid, mode, LOCK_WAIT, relation->name));
    }
    /* What was waited for is to be seen, and the rows of tables and the indexes that the plan knows
     * are to be of an age that the snapshot sees, unless the transaction keeps to one. */
    return (!waited && !txn_schema_outran_snapshot(catalog->txn)) ||
           txn_isolation(catalog->txn) >= ISOLATION_REPEATABLE_READ ||
           txn_snapshot_refresh(catalog->txn);
}

static const PlannedStatement *plan_once(CommandContext *context, const Node *statement, Str source,
                                         const PlanOptions *options, Query **ret_query)
{
    CatalogSession *session = ddl_catalog(context);
    AnalyzeParams params = command_params(context);
    AnalyzeContext analysis = {
        .arena = context->arena, .session = session, .source = source, .params = &params};
    Query *query = analyze_statement(&analysis, statement);

    TRY(query);
    if (ret_query)
        *ret_query = query;
    if (query->command == QUERY_UTILITY) { /* of EXPLAIN: the query in it */
        if (!query->utility_query)
            FAIL_UNSUPPORTED("EXPLAIN of this statement");
        query = query->utility_query;
    }
    return planner_plan(context->arena, session, query, options);
}

const PlannedStatement *command_plan(CommandContext *context, const Node *statement, Str source,
                                     const PlanOptions *options, Query **ret_query)
{
    CatalogSession *session = ddl_catalog(context);

    for (int i = 0; i < PLAN_TRIES; i++) {
        const uint64_t schema = txn_schema_version(txn_manager(session->txn));
        const uint64_t version = catalog_version(session);
        const PlannedStatement *planned = plan_once(context, statement, source, options, ret_query);
        if (!planned) {
            TRY(i + 1 < PLAN_TRIES || !error_is_set());
            TRY(catalog_was_moving(session, schema));
            continue;
        }
        bool were_held;
        TRY(planned_lock_relations(session, planned, &were_held));
        if ((were_held && i >= PLAN_PATIENCE) || catalog_version(session) == version)
            return planned;
        CHECK_INTERRUPTS();
    }
    FAIL(ERR_T_R_SERIALIZATION_FAILURE,
         .message = STR("the schema keeps changing while the statement is planned"));
}
