/*
 * Plan caches: one for each worker, shared by the worker's sessions.
 *
 * A CachedPlan is a statement analyzed and planned, with compiled states that executions borrow. It
 * is found by the statement's fingerprint and by everything its analysis depended on: parameter
 * types, role, database, the schemas of the search path, settings. Statements of the simple
 * protocol whose literals could be lifted (planner/lift.h) share one plan whatever the literals
 * are.
 *
 *   fingerprint_make(arena, text, &print);
 *   CachedPlan *plan = plan_cache_find(session, &key);           NULL: none
 *   CachedPlan *plan = plan_cache_make(session, &key, text);     NULL: refused, or the error is set
 *   … plan_is_valid(session, plan) …                             after its locks were taken
 *   ExecState *state = plan_take_state(session, plan);
 *   … executor_start, executor_run, executor_stop …
 *   plan_give_state(plan, state);
 *   plan_unref(plan);
 *
 * Plans go when the schema moves (a session's temporary objects move its own plans alone), when
 * they are the least recently used of too many, and with their last reference. Nothing is cached of
 * transactions that have changed the schema themselves. One thread uses a cache; no lock is needed.
 *
 * Invariants: P1 A plan's contents never change once it is in the cache. P2 A state is in at most
 * one place: lent out, or idle in its plan.
 */
#ifndef SERVER_PLAN_CACHE_H
#define SERVER_PLAN_CACHE_H

#include "executor/executor.h"
#include "parser/fingerprint.h"
#include "planner/lift.h"
#include "planner/planner.h"

typedef struct Node Node;
typedef struct PlanCache PlanCache;
typedef struct Session Session;

#define PLAN_IDLE_STATES 4

typedef struct CachedPlan {
    /* The key. */
    uint64_t hash, settings_key;
    Str normal;
    bool is_lifted;
    Literal *fixed; /* literals that were not lifted: index in the text by `fixed_index` */
    uint32_t *fixed_index;
    uint32_t fixed_count;
    const Oid *given_types;
    int given_count;
    Oid user, database;
    SearchPath path;
    uint64_t schema_version, temp_version;

    /* The plan; param_types has the lifted literals' types where is_lifted. */
    Arena *arena;
    KeptRelations relations; /* whose names and constraints the plan has views of */
    const Node *statement;
    const PlannedStatement *planned;
    Oid *param_types;
    int param_count;
    RowDescription result;
    LiftedLiteral *lifted;
    uint32_t lifted_count;
    bool is_admitted; /* its role has the privileges: seen at a first execution */

    uint64_t serial; /* of the cache's plans, in the order in which they were made */
    ExecState *idle[PLAN_IDLE_STATES];
    uint32_t idle_count;
    uint32_t references;
    PlanCache *cache;        /* NULL: no longer in it */
    struct CachedPlan *next; /* in its bucket */
    struct CachedPlan *newer, *older;
} CachedPlan;

/* The plan that was found to hold for a session last, and what that depended on. */
typedef struct HeldPlan {
    uint64_t serial; /* 0: none */
    uint64_t schema_version, temp_version;
    Oid user;
    uint32_t path_length;
    char path[48]; /* the setting's text */
} HeldPlan;

/* What a plan is looked for by, beside the session itself. */
typedef struct PlanKey {
    const Fingerprint *print;
    const Oid *given_types;
    int given_count;
    bool is_lifted;
} PlanKey;

PlanCache *plan_cache_new(void);
void plan_cache_free(PlanCache *cache); /* accepts NULL; no session may remain */

/* A reference to a valid plan, or NULL (no error set). Needs no transaction. */
CachedPlan *plan_cache_find(Session *session, const PlanKey *key);
/* Has the statement been seen before, and not been refused? Remembers that it has been seen. */
bool plan_cache_is_worth_it(Session *session, const PlanKey *key);
/*
 * Analyzes and plans; within a statement's transaction. A reference, or NULL: with an error set,
 * or (none set) where such a statement is not to be cached, which is remembered.
 */
CachedPlan *plan_cache_make(Session *session, const PlanKey *key, Str text);

static inline CachedPlan *plan_ref(CachedPlan *plan)
{
    plan->references++;
    return plan;
}
void plan_unref(CachedPlan *plan); /* accepts NULL */

/* Does the plan hold for this session now? */
bool plan_is_valid(Session *session, const CachedPlan *plan);
/* The values of lifted literals; false (no error set) where one does not read as its type. */
bool plan_read_literals(const CachedPlan *plan, const Fingerprint *print, Arena *arena,
                        ExecParameters *ret_parameters);
MUST_CHECK ExecState *plan_take_state(Session *session, CachedPlan *plan);
void plan_give_state(CachedPlan *plan, ExecState *state); /* stops it */

#endif
