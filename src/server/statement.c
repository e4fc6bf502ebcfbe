/* Prepared statements: analyzed, planned, admitted; planned again when the schema has moved. */
#include "catalog/lookup.h"
#include "executor/command/maintain.h"
#include "parser/parser.h"
#include "server/portal.h"
#include "server/server.h"
#include "txn/lock.h"
#include "types/type.h"

PreparedStatement *statement_new(Session *session, Str name, Str source, const Node *tree,
                                 const Oid *types, int count)
{
    Arena *arena = arena_new("prepared statement");
    PreparedStatement *statement = ARENA_NEW(arena, PreparedStatement);

    statement->arena = arena;
    statement->plan_arena = arena_new("plan");
    statement->name = str_copy(arena, name);
    statement->source = source;
    statement->statement = tree;
    statement->given_count = statement->param_count = count;
    statement->given_types = arena_copy(arena, types, sizeof(Oid) * (size_t)count);
    statement->param_types = arena_copy(arena, types, sizeof(Oid) * (size_t)count);
    statement->prepared_at = session->exec.statement_start;
    statement->references = 1;
    return statement;
}

void statement_release(PreparedStatement *statement)
{
    if (!statement || --statement->references > 0)
        return;
    executor_free(statement->state);
    plan_unref(statement->shared);
    plan_unref(statement->origin);
    arena_free(statement->plan_arena);
    arena_free(statement->arena);
}

PreparedStatement *statement_of_part(Session *session, Str name, Str source,
                                     const Node *(*inner)(const Node *whole), const Oid *types,
                                     int count)
{
    PreparedStatement *statement = statement_new(session, name, STR_NONE, NULL, types, count);
    StatementList list = {0};

    /* The tree must outlive the text it came from: it is parsed again into its own arena. */
    statement->source = str_copy(statement->arena, source);
    if (!parse(statement->arena, statement->source, &list)) {
        statement_release(statement);
        return NULL;
    }
    assert(session->statement_index < list.length);
    statement->statement = inner(list.items[session->statement_index]->stmt);
    return statement;
}

/* -- Describing ------------------------------------------------------------------------------ */

RowDescription statement_description(Arena *arena, const PlannedStatement *planned)
{
    const uint32_t count = (uint32_t)planned->result.length;

    if (planned->command != QUERY_SELECT && !planned->has_returning)
        return (RowDescription){0};
    ResultColumn *columns = executor_columns(planned, arena);
    for (uint32_t i = 0; i < count; i++)
        columns[i].name = str_copy(arena, columns[i].name);
    return (RowDescription){columns, count};
}

static bool same_result(const RowDescription *a, const RowDescription *b)
{
    if (!a->columns || !b->columns)
        return a->columns == b->columns;
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->columns[i].type != b->columns[i].type ||
            a->columns[i].type_modifier != b->columns[i].type_modifier ||
            !str_equal(a->columns[i].name, b->columns[i].name))
            return false;
    return true;
}

/* -- Planning -------------------------------------------------------------------------------- */

static bool is_current(Session *session, const PreparedStatement *statement)
{
    CatalogSession *catalog = &session->exec.catalog;

    if (statement->shared)
        return plan_is_valid(session, statement->shared);
    if (!statement->planned || statement->schema_version != catalog_version(catalog) ||
        statement->temp_version != catalog->temp_version ||
        statement->planned_for != catalog->current_user)
        return false;
    const SearchPath *path = catalog_search_path(catalog);
    if (!path)
        error_clear();
    return path && search_path_equal(path, &statement->search_path);
}

bool statement_params_known(const AnalyzeParams *params)
{
    for (int i = 0; i < params->count; i++)
        if (params->types[i] == OID_NONE || params->types[i] == TYPE_UNKNOWN)
            FAIL(ERR_INDETERMINATE_DATATYPE,
                 .message = fmt("could not determine data type of parameter $%d", i + 1));
    return true;
}

/* Parameters that the text does not use keep the type that was given. */
static bool types_are_known(PreparedStatement *statement, const AnalyzeParams *params)
{
    TRY(statement_params_known(params));
    statement->param_types =
        arena_copy(statement->arena, params->types, sizeof(Oid) * (size_t)params->count);
    statement->param_count = params->count;
    return true;
}

static void take_shared(PreparedStatement *statement, CachedPlan *plan)
{
    statement->shared = plan;
    statement->planned = plan->planned;
    statement->param_count = plan->param_count;
    statement->param_types =
        arena_copy(statement->arena, plan->param_types, sizeof(Oid) * (size_t)plan->param_count);
}

static PlanKey key_of(const PreparedStatement *statement)
{
    return (PlanKey){.print = statement->print,
                     .given_types = statement->given_types,
                     .given_count = statement->given_count};
}

bool statement_fingerprint(PreparedStatement *statement)
{
    Fingerprint *print = ARENA_NEW(statement->arena, Fingerprint);

    fingerprint_make(statement->arena, statement->source, print);
    statement->print = print->is_cacheable ? print : NULL;
    return print->is_cacheable;
}

bool statement_find_shared(Session *session, PreparedStatement *statement)
{
    PlanKey key = key_of(statement);
    CachedPlan *plan = plan_cache_find(session, &key);
    if (!plan)
        return false;
    take_shared(statement, plan);
    statement->origin = plan_ref(plan);
    statement->statement = plan->statement;
    statement->result = plan->result;
    statement->is_described = true;
    return true;
}

/* From the worker's cache, or into it. False: planned on its own, unless an error is set. */
static bool plan_shared(Session *session, PreparedStatement *statement)
{
    PlanKey key = key_of(statement);
    CachedPlan *plan = plan_cache_find(session, &key);

    if (!plan && (statement->name.length > 0 || plan_cache_is_worth_it(session, &key)))
        plan = plan_cache_make(session, &key, statement->source);
    if (!plan)
        return false;
    take_shared(statement, plan);
    return true;
}

static bool analyze_and_plan(Session *session, PreparedStatement *statement)
{
    if (statement->print && plan_shared(session, statement))
        return true;
    TRY(!error_is_set());
    CatalogSession *catalog = &session->exec.catalog;
    AnalyzeParams params = {
        .types = arena_copy(statement->plan_arena, statement->given_types,
                            sizeof(Oid) * (size_t)statement->given_count),
        .count = statement->given_count,
        .is_variable = !statement->has_no_params,
    };
    AnalyzeContext context = {.arena = statement->plan_arena,
                              .session = catalog,
                              .source = statement->source,
                              .params = &params};

    statement->schema_version = catalog_version(catalog);
    statement->temp_version = catalog->temp_version;
    const SearchPath *path = catalog_search_path(catalog);
    TRY(path);
    statement->search_path = search_path_copy(statement->plan_arena, path);
    statement->planned_for = catalog->current_user;
    Query *query = analyze_statement(&context, statement->statement);
    TRY(query);
    TRY(types_are_known(statement, &params));
    statement->is_utility = query->command == QUERY_UTILITY;
    if (statement->is_utility)
        return true;
    const PlanOptions options = {.is_cursor = statement->is_cursor};
    statement->planned = planner_plan(statement->plan_arena, catalog, query, &options);
    return statement->planned != NULL;
}

/* A portal that still reads from the old plan takes its state and its memory along. */
static void leave_to_portal(Session *session, PreparedStatement *statement)
{
    Portal *portal = session->portals;

    while (portal->state != statement->state)
        portal = portal->next;
    portal->owns_state = true;
    portal->plan_arena = statement->plan_arena;
    statement->plan_arena = arena_new("plan");
    statement->state = NULL;
    statement->state_busy = false;
}

static void forget_plan(Session *session, PreparedStatement *statement)
{
    if (statement->state_busy)
        leave_to_portal(session, statement);
    executor_free(statement->state);
    statement->state = NULL;
    plan_unref(statement->shared);
    statement->shared = NULL;
    statement->planned = NULL;
    arena_reset(statement->plan_arena);
}

/* -- Locks -------------------------------------------------------------------- */

/* Locks taken, and the plan still true under them. Privileges are the executor's to check. */
static bool admit(Session *session, PreparedStatement *statement, int attempt, bool *ret_moved)
{
    bool were_held;

    TRY(planned_lock_relations(&session->exec.catalog, statement->planned, &were_held));
    *ret_moved = (!were_held || attempt < PLAN_PATIENCE) && !is_current(session, statement);
    return true;
}

/* Planned for what is there now, and described; a description given already must still hold. */
static bool plan_again(Session *session, PreparedStatement *statement, bool is_promised)
{
    forget_plan(session, statement);
    TRY(analyze_and_plan(session, statement));
    if (statement->is_utility)
        return true;
    RowDescription result = statement_description(statement->arena, statement->planned);
    if (is_promised && !same_result(&result, &statement->result))
        /* Drivers know this error by its routine, and prepare the statement again. */
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("cached plan must not change result type"),
             .function = "RevalidateCachedQuery");
    statement->result = result;
    statement->is_described = true;
    return true;
}

bool statement_ready(Session *session, PreparedStatement *statement)
{
    if (!statement->statement || statement->is_utility)
        return true;
    /* What an earlier call said of the result holds; what this one finds may still change. */
    const bool is_promised = statement->is_described;
    for (int i = 0; i < PLAN_TRIES; i++) {
        bool moved;
        if (!is_current(session, statement)) {
            const uint64_t version = txn_schema_version(session->server->txn_manager);
            if (!plan_again(session, statement, is_promised)) {
                forget_plan(session, statement);
                TRY(i + 1 < PLAN_TRIES || !error_is_set());
                TRY(catalog_was_moving(&session->exec.catalog, version));
                continue;
            }
            if (statement->is_utility)
                return true;
        }
        TRY(admit(session, statement, i, &moved));
        if (!moved)
            return true;
    }
    FAIL(ERR_T_R_SERIALIZATION_FAILURE,
         .message = STR("the schema keeps changing while the statement is planned"));
}

bool statement_describe(Session *session, PreparedStatement *statement,
                        RowDescription *ret_description)
{
    *ret_description = (RowDescription){0};
    if (!statement->statement)
        return true;
    TRY(statement_ready(session, statement));
    if (statement->is_utility)
        return utility_describe(session, statement->arena, statement->statement, statement->source,
                                ret_description);
    *ret_description = statement->result;
    return true;
}

/* -- By name --------------------------------------------------------------------------------- */

PreparedStatement *statement_find(Session *session, Str name)
{
    return name.length == 0 ? session->unnamed_statement : strmap_get(&session->statements, name);
}

PreparedStatement *statement_get(Session *session, Str name)
{
    PreparedStatement *statement = statement_find(session, name);

    if (!statement && name.length == 0)
        FAIL(ERR_UNDEFINED_PSTATEMENT, .message = STR("unnamed prepared statement does not exist"));
    if (!statement)
        FAIL(ERR_UNDEFINED_PSTATEMENT,
             .message = fmt("prepared statement \"%.*s\" does not exist", STR_ARGS(name)));
    return statement;
}

bool statement_store(Session *session, PreparedStatement *statement)
{
    if (statement->name.length == 0) {
        statement_release(session->unnamed_statement);
        session->unnamed_statement = statement;
        return true;
    }
    if (strmap_get(&session->statements, statement->name))
        FAIL(ERR_DUPLICATE_PSTATEMENT, .message = fmt("prepared statement \"%.*s\" already exists",
                                                      STR_ARGS(statement->name)));
    strmap_put(&session->statements, statement->name, statement);
    return true;
}

void statement_drop(Session *session, Str name)
{
    if (name.length == 0) {
        statement_release(session->unnamed_statement);
        session->unnamed_statement = NULL;
        return;
    }
    statement_release(strmap_remove(&session->statements, name));
}

void statements_drop_all(Session *session)
{
    size_t position = 0;
    Str name;
    void *statement;

    while (strmap_next(&session->statements, &position, &name, &statement))
        statement_release(statement);
    strmap_deinit(&session->statements);
    statement_drop(session, STR(""));
}
