#include "server/plan_cache.h"

#include <stdlib.h>

#include "base/memory.h"
#include "catalog/relation.h"
#include "parser/parser.h"
#include "server/portal.h"
#include "server/server.h"
#include "types/type.h"

#define BUCKETS 1024  /* a power of two */
#define PLANS_MAX 512 /* in one cache */
#define BYTES_MAX (16u << 20)
#define VARIANTS_MAX 16 /* plans that differ in fixed literals only */
#define SEEN_SLOTS 2048
#define CHEAP_COST 200.0 /* below it a plan for any value is as good as one for this value */

struct PlanCache {
    CachedPlan *buckets[BUCKETS];
    CachedPlan *newest, *oldest;
    uint32_t count;
    size_t bytes;
    uint64_t schema_version, last_serial;
    uint64_t changes; /* plans that have come or gone: who has waited may not follow a link */
    /* Hashes of statements seen once; those with the last bit set are refused. */
    uint64_t seen[SEEN_SLOTS];
};

PlanCache *plan_cache_new(void)
{
    return memory_must_calloc(1, sizeof(PlanCache));
}

/* -- The list and its end -----------------------------------------------------------------------
 */

static void plan_free(CachedPlan *plan)
{
    for (uint32_t i = 0; i < plan->idle_count; i++)
        executor_free(plan->idle[i]);
    relations_let_go(&plan->relations);
    arena_free(plan->arena);
}

void plan_unref(CachedPlan *plan)
{
    if (plan && --plan->references == 0)
        plan_free(plan);
}

static void list_remove(PlanCache *cache, CachedPlan *plan)
{
    *(plan->newer ? &plan->newer->older : &cache->newest) = plan->older;
    *(plan->older ? &plan->older->newer : &cache->oldest) = plan->newer;
    plan->newer = plan->older = NULL;
}

static void list_put_first(PlanCache *cache, CachedPlan *plan)
{
    plan->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = plan;
    cache->newest = plan;
}

/* Out of the cache; those who use it keep it. Its idle states hold trees open: they go at once. */
static void cache_remove(PlanCache *cache, CachedPlan *plan)
{
    CachedPlan **link = &cache->buckets[plan->hash % BUCKETS];

    cache->changes++;
    while (*link != plan)
        link = &(*link)->next;
    *link = plan->next;
    list_remove(cache, plan);
    cache->count--;
    cache->bytes -= arena_size(plan->arena);
    plan->cache = NULL;
    while (plan->idle_count > 0)
        executor_free(plan->idle[--plan->idle_count]);
    plan_unref(plan);
}

static void cache_add(PlanCache *cache, CachedPlan *plan)
{
    CachedPlan **bucket = &cache->buckets[plan->hash % BUCKETS];

    while (cache->count >= PLANS_MAX || (cache->count > 0 && cache->bytes > BYTES_MAX))
        cache_remove(cache, cache->oldest);
    cache->changes++;
    plan->next = *bucket;
    *bucket = plan;
    list_put_first(cache, plan);
    plan->cache = cache;
    plan_ref(plan);
    cache->count++;
    cache->bytes += arena_size(plan->arena);
}

/* Once the schema has moved no plan in the cache is true any more. */
static void cache_follow_schema(PlanCache *cache, uint64_t version)
{
    if (cache->schema_version == version)
        return;
    while (cache->oldest)
        cache_remove(cache, cache->oldest);
    memset(cache->seen, 0, sizeof(cache->seen));
    cache->schema_version = version;
}

void plan_cache_free(PlanCache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        cache_remove(cache, cache->oldest);
    memory_free(cache);
}

/* -- Keys ---------------------------------------------------------------------------------------
 */

static bool literal_equal(const Literal *a, const Literal *b)
{
    return a->kind == b->kind && str_equal(a->text, b->text);
}

static bool key_matches(const CachedPlan *plan, const PlanKey *key)
{
    const Fingerprint *print = key->print;

    if (plan->hash != print->hash || plan->is_lifted != key->is_lifted ||
        plan->given_count != key->given_count || !str_equal(plan->normal, print->normal) ||
        (key->given_count > 0 &&
         memcmp(plan->given_types, key->given_types, sizeof(Oid) * (size_t)key->given_count) != 0))
        return false;
    for (uint32_t i = 0; i < plan->fixed_count; i++)
        if (!literal_equal(&plan->fixed[i], &print->literals[plan->fixed_index[i]]))
            return false;
    return true;
}

/* Nothing has moved since the same plan held for the session. */
static bool still_holds(const Session *session, const CachedPlan *plan)
{
    const HeldPlan *held = &session->held_plan;
    const CatalogSession *catalog = &session->exec.catalog;
    const Str path = session->settings.current.search_path;

    return held->serial == plan->serial && held->schema_version == catalog_version(catalog) &&
           held->temp_version == catalog->temp_version && held->user == catalog->current_user &&
           held->path_length == path.length && memcmp(held->path, path.data, path.length) == 0;
}

/* What it was seen to hold for: the schema may have moved since. */
static void note_held(Session *session, const CachedPlan *plan)
{
    HeldPlan *held = &session->held_plan;
    const Str path = session->settings.current.search_path;

    held->serial = path.length <= sizeof(held->path) ? plan->serial : 0;
    if (held->serial == 0)
        return;
    held->schema_version = plan->schema_version;
    held->temp_version = plan->temp_version;
    held->user = plan->user;
    held->path_length = (uint32_t)path.length;
    memcpy(held->path, path.data, path.length);
}

static bool holds_for(Session *session, const CachedPlan *plan)
{
    CatalogSession *catalog = &session->exec.catalog;

    if (still_holds(session, plan))
        return true;
    if (plan->schema_version != catalog_version(catalog) ||
        plan->temp_version != catalog->temp_version || plan->user != catalog->current_user ||
        plan->database != catalog->database_oid)
        return false;
    const SearchPath *path = catalog_search_path(catalog);
    if (!path) {
        error_clear();
        return false;
    }
    if (!search_path_equal(path, &plan->path))
        return false;
    note_held(session, plan);
    return true;
}

bool plan_is_valid(Session *session, const CachedPlan *plan)
{
    return holds_for(session, plan);
}

/* Transactions with changes of their own see a schema that nobody else does. */
static bool may_share(const Session *session)
{
    return !session->exec.catalog.changes && session->worker->plans;
}

/* The plan, referenced. `ret_moved`: the cache is another since, and is to be searched again. */
static CachedPlan *find_once(Session *session, const PlanKey *key, bool *ret_moved)
{
    PlanCache *cache = session->worker->plans;

    *ret_moved = false;
    cache_follow_schema(cache, catalog_version(&session->exec.catalog));
    const uint64_t settings_key = session_settings_plan_key(session);
    const uint64_t changes = cache->changes;
    CachedPlan *plan = cache->buckets[key->print->hash % BUCKETS];
    for (; plan; plan = plan->next) {
        if (!key_matches(plan, key) || plan->settings_key != settings_key)
            continue;
        plan_ref(plan);
        const bool holds = holds_for(session, plan); /* may wait for the search path's names */
        *ret_moved = cache->changes != changes;
        if (holds && !*ret_moved)
            break;
        plan_unref(plan);
        if (*ret_moved)
            return NULL;
    }
    if (plan && cache->newest != plan) {
        list_remove(cache, plan);
        list_put_first(cache, plan);
    }
    return plan;
}

#define FIND_TRIES 4 /* then it is planned for this session alone */

CachedPlan *plan_cache_find(Session *session, const PlanKey *key)
{
    CachedPlan *found = NULL;
    bool moved = true;

    /* The search path is resolved in a transaction: at first somebody else makes the plan. */
    if (!may_share(session) || !session->exec.catalog.txn)
        return NULL;
    for (int i = 0; i < FIND_TRIES && moved; i++)
        found = find_once(session, key, &moved);
    return found;
}

static uint64_t *seen_slot(Session *session, const PlanKey *key)
{
    return &session->worker->plans->seen[key->print->hash % SEEN_SLOTS];
}

bool plan_cache_is_worth_it(Session *session, const PlanKey *key)
{
    if (!may_share(session))
        return false;
    uint64_t *slot = seen_slot(session, key), hash = key->print->hash | 1;

    if (*slot == hash)
        return false;
    if (*slot == (hash ^ 1))
        return true;
    *slot = hash ^ 1;
    return false;
}

static void refuse(Session *session, const PlanKey *key)
{
    *seen_slot(session, key) = key->print->hash | 1;
}

/* -- Making -------------------------------------------------------------------------------------
 */

static int character_position(Str text, uint32_t end)
{
    int position = 1;

    for (uint32_t i = 0; i < end; i++)
        position += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return position;
}

static bool lift_literals(Session *session, CachedPlan *plan, const Fingerprint *print,
                          Query *query, Str text, bool *ret_sound)
{
    int *positions = ARENA_ARRAY(plan->arena, int, print->literal_count + 1);
    Lifting lifting = {.positions = positions, .count = print->literal_count};

    for (uint32_t i = 0; i < print->literal_count; i++)
        positions[i] = character_position(text, print->literals[i].start);
    TRY(query_lift_literals(plan->arena, &session->exec.catalog, query, &lifting));
    plan->lifted = lifting.lifted;
    plan->lifted_count = lifting.lifted_count;
    *ret_sound = lifting.is_sound;
    return true;
}

static bool is_lifted_literal(const CachedPlan *plan, uint32_t literal)
{
    for (uint32_t i = 0; i < plan->lifted_count; i++)
        if (plan->lifted[i].literal == literal)
            return true;
    return false;
}

/* False where a literal that stays means something else each time. */
static bool keep_fixed_literals(CachedPlan *plan, const Fingerprint *print)
{
    plan->fixed = ARENA_ARRAY(plan->arena, Literal, print->literal_count + 1);
    plan->fixed_index = ARENA_ARRAY(plan->arena, uint32_t, print->literal_count + 1);
    for (uint32_t i = 0; i < print->literal_count; i++) {
        if (is_lifted_literal(plan, i))
            continue;
        if (print->literals[i].names_time)
            return false;
        Literal *kept = &plan->fixed[plan->fixed_count];
        *kept = print->literals[i];
        kept->text = str_copy(plan->arena, kept->text);
        plan->fixed_index[plan->fixed_count++] = i;
    }
    return true;
}

static void take_param_types(CachedPlan *plan, const AnalyzeParams *params)
{
    if (!plan->is_lifted) {
        plan->param_types = params->types;
        plan->param_count = params->count;
        return;
    }
    plan->param_count = (int)plan->lifted_count;
    plan->param_types = ARENA_ARRAY(plan->arena, Oid, plan->lifted_count + 1);
    for (uint32_t i = 0; i < plan->lifted_count; i++)
        plan->param_types[i] = plan->lifted[i].type;
}

static bool is_plannable(const Node *statement)
{
    return NODE_IS(statement, SelectStmt) || NODE_IS(statement, InsertStmt) ||
           NODE_IS(statement, UpdateStmt) || NODE_IS(statement, DeleteStmt);
}

/* One plan for all values: where it is a look-up, or cheap whatever the value is. */
static bool serves_all_values(const CachedPlan *plan)
{
    return plan->lifted_count == 0 || plan->planned->point != POINT_NONE ||
           plan->planned->command == QUERY_INSERT || plan->planned->plan->total_cost < CHEAP_COST;
}

/* Another session's temporary tables change without a word to us. */
static bool reads_foreign_temp(Session *session, const PlannedStatement *planned)
{
    CatalogSession *catalog = &session->exec.catalog;

    for (size_t i = 0; i < planned->relations.length; i++) {
        const RelationDesc *relation = relation_find(catalog, planned->relations.items[i].relation);
        if (relation && relation->persistence == RELPERSISTENCE_TEMPORARY &&
            relation->namespace_oid != catalog->temp_namespace)
            return true;
    }
    return false;
}

/* The plan's own parse tree, query and plan. *ret_refused: not to be cached; no error is set. */
static bool plan_build(Session *session, CachedPlan *plan, const PlanKey *key, Str text,
                       bool *ret_refused)
{
    CatalogSession *catalog = &session->exec.catalog;
    Arena *arena = plan->arena;
    StatementList list = {0};
    AnalyzeParams params = {
        .types = arena_copy(arena, key->given_types, sizeof(Oid) * (size_t)key->given_count),
        .count = key->given_count,
        .is_variable = true,
    };
    Str source = str_copy(arena, text);
    AnalyzeContext context = {
        .arena = arena, .session = catalog, .source = source, .params = &params};

    *ret_refused = true;
    TRY(parse(arena, source, &list));
    if (list.length != 1 || !is_plannable(list.items[0]->stmt))
        return true;
    plan->statement = list.items[0]->stmt;
    Query *query = analyze_statement(&context, plan->statement);
    TRY(query);
    if (query->command == QUERY_UTILITY || (key->is_lifted && params.count > 0))
        return true;
    TRY(statement_params_known(&params));
    bool is_sound = true;
    if (key->is_lifted)
        TRY(lift_literals(session, plan, key->print, query, source, &is_sound));
    if (!is_sound)
        return true;
    take_param_types(plan, &params);
    if (!keep_fixed_literals(plan, key->print))
        return true;
    plan->planned = planner_plan(arena, catalog, query, &(PlanOptions){0});
    TRY(plan->planned);
    *ret_refused = !serves_all_values(plan) || reads_foreign_temp(session, plan->planned);
    plan->result = statement_description(arena, plan->planned);
    return true;
}

static bool is_variant(const CachedPlan *plan, const PlanKey *key, const SearchPath *path)
{
    return plan->hash == key->print->hash && search_path_equal(&plan->path, path);
}

/* A plan that the session's own temporary objects have made untrue. */
static CachedPlan *untrue_variant(const Session *session, const PlanKey *key,
                                  const SearchPath *path)
{
    const CatalogSession *catalog = &session->exec.catalog;
    CachedPlan *plan = session->worker->plans->buckets[key->print->hash % BUCKETS];

    if (!catalog->temp_namespace)
        return NULL;
    while (plan && (!is_variant(plan, key, path) || plan->temp_version == catalog->temp_version))
        plan = plan->next;
    return plan;
}

/* Plans of this statement for this search path, without those that are untrue: they go. */
static uint32_t count_variants(Session *session, const PlanKey *key, const SearchPath *path)
{
    PlanCache *cache = session->worker->plans;
    uint32_t count = 0;

    for (CachedPlan *plan; (plan = untrue_variant(session, key, path)) != NULL;)
        cache_remove(cache, plan);
    for (CachedPlan *plan = cache->buckets[key->print->hash % BUCKETS]; plan; plan = plan->next)
        count += is_variant(plan, key, path);
    return count;
}

static void take_key(Session *session, CachedPlan *plan, const PlanKey *key, const SearchPath *path)
{
    CatalogSession *catalog = &session->exec.catalog;
    Arena *arena = plan->arena;

    plan->hash = key->print->hash;
    plan->normal = str_copy(arena, key->print->normal);
    plan->is_lifted = key->is_lifted;
    plan->given_count = key->given_count;
    plan->given_types = arena_copy(arena, key->given_types, sizeof(Oid) * (size_t)key->given_count);
    plan->user = catalog->current_user;
    plan->database = catalog->database_oid;
    plan->path = search_path_copy(arena, path);
    plan->schema_version = catalog_version(catalog);
    plan->temp_version = catalog->temp_version;
    plan->settings_key = session_settings_plan_key(session);
}

CachedPlan *plan_cache_make(Session *session, const PlanKey *key, Str text)
{
    PlanCache *cache = session->worker->plans;
    const SearchPath *path = catalog_search_path(&session->exec.catalog);
    bool refused = false;

    TRY(path);
    if (!may_share(session) || catalog_version(&session->exec.catalog) != cache->schema_version)
        return NULL;
    if (count_variants(session, key, path) >= VARIANTS_MAX) {
        refuse(session, key);
        return NULL;
    }
    Arena *arena = arena_new("cached plan");
    CachedPlan *plan = ARENA_NEW(arena, CachedPlan);
    plan->arena = arena;
    plan->relations.arena = arena;
    plan->references = 1;
    plan->serial = ++cache->last_serial;
    take_key(session, plan, key, path);
    session->exec.catalog.kept = &plan->relations;
    const bool built = plan_build(session, plan, key, text, &refused);
    session->exec.catalog.kept = NULL;
    if (!built || refused) {
        refuse(session, key);
        plan_unref(plan);
        return NULL;
    }
    /* Analysis may have waited, and another session been quicker or the schema moved on. And while
     * a change of it is applied the plan may know an index that older snapshots cannot read. */
    if (!txn_schema_is_moving(session->server->txn_manager) &&
        plan->schema_version == cache->schema_version && holds_for(session, plan))
        cache_add(cache, plan);
    return plan;
}

/* -- Executing ----------------------------------------------------------------------------------
 */

static bool read_literal(Arena *arena, const Literal *literal, Oid type, Value *ret_value)
{
    if (literal->kind == LITERAL_INTEGER && type == TYPE_INT4) {
        ret_value->int32 = (int32_t)literal->integer;
        return true;
    }
    if (literal->kind == LITERAL_BIGINT && type == TYPE_INT8) {
        ret_value->int64 = literal->integer;
        return true;
    }
    if (type == TYPE_TEXT || type == TYPE_VARCHAR) {
        *ret_value = (Value){.var = var_from_str(literal->text)};
        return true;
    }
    return type_input(arena, type, -1, literal->text, ret_value);
}

bool plan_read_literals(const CachedPlan *plan, const Fingerprint *print, Arena *arena,
                        ExecParameters *ret_parameters)
{
    Value *values = ARENA_ARRAY(arena, Value, plan->lifted_count + 1);

    for (uint32_t i = 0; i < plan->lifted_count; i++) {
        const LiftedLiteral *lifted = &plan->lifted[i];
        if (!read_literal(arena, &print->literals[lifted->literal], lifted->type, &values[i])) {
            error_clear();
            return false;
        }
    }
    *ret_parameters = (ExecParameters){
        .count = plan->lifted_count,
        .values = values,
        .nulls = ARENA_ARRAY(arena, bool, plan->lifted_count + 1),
    };
    return true;
}

ExecState *plan_take_state(Session *session, CachedPlan *plan)
{
    if (plan->idle_count == 0)
        return executor_new(plan->planned, &session->exec);
    ExecState *state = plan->idle[--plan->idle_count];
    executor_adopt(state, &session->exec);
    return state;
}

void plan_give_state(CachedPlan *plan, ExecState *state)
{
    executor_stop(state);
    if (plan->cache && plan->idle_count < PLAN_IDLE_STATES && executor_may_adopt(state))
        plan->idle[plan->idle_count++] = state;
    else
        executor_free(state);
}
