#include "executor/usage.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/os.h"
#include "base/sync.h"

/* What a worker has counted for a relation: written by that worker only. */
typedef struct SharedUsage {
    Oid database, relation;
    _Atomic int64_t counts[USAGE_COUNTERS]; /* statistic: relaxed, may lag */
} SharedUsage;

/* What is known of a relation whoever did it; in the first table of the chain. */
typedef struct Upkeep {
    int64_t vacuumed_at, vacuum_count, analyzed_at, analyze_count;
    int64_t changes_at_analyze, inserts_at_vacuum;
} Upkeep;

struct UsageTable {
    UsageTable *head, *next;
    Mutex mutex; /* rank LEAF: the maps, not the counters */
    Arena *arena;
    HashMap entries GUARDED_BY(mutex); /* database, relation → SharedUsage */
    HashMap upkeep GUARDED_BY(mutex);  /* database, relation → Upkeep; of the head only */
};

#define RECENT_SLOTS 16

struct UsageMemory {
    Arena *arena;
    RelationUsage *recent[RECENT_SLOTS]; /* by the relation's last bits */
    HashMap entries;                     /* relation → RelationUsage */
    RelationUsage *dirty;
};

static uint64_t key_of(Oid database, Oid relation)
{
    return (uint64_t)database << 32 | relation;
}

UsageTable *usage_table_new(UsageTable *next)
{
    Arena *arena = arena_new("usage");
    UsageTable *table = ARENA_NEW(arena, UsageTable);

    mutex_init(&table->mutex, RANK_LEAF);
    table->arena = arena;
    table->entries.arena = table->upkeep.arena = arena;
    table->next = next;
    table->head = table;
    for (UsageTable *other = next; other; other = other->next)
        other->head = table;
    return table;
}

void usage_tables_free(UsageTable *head)
{
    while (head) {
        UsageTable *next = head->next;
        arena_free(head->arena);
        head = next;
    }
}

/* ---- a session's own ---- */

typedef struct UsageMemory UsageMemory;

static UsageMemory *memory_of(ExecSession *session)
{
    if (!session->usage) {
        Arena *arena = arena_new("session usage");
        session->usage = ARENA_NEW(arena, UsageMemory);
        session->usage->arena = arena;
        session->usage->entries.arena = arena;
    }
    return session->usage;
}

static SharedUsage *shared_of(UsageTable *table, Oid database, Oid relation)
{
    const uint64_t key = key_of(database, relation);

    mutex_lock(&table->mutex);
    SharedUsage *shared = hashmap_get(&table->entries, key);
    if (!shared) {
        shared = ARENA_NEW(table->arena, SharedUsage);
        shared->database = database;
        shared->relation = relation;
        hashmap_put(&table->entries, key, shared);
    }
    mutex_unlock(&table->mutex);
    return shared;
}

RelationUsage *usage_of(ExecSession *session, Oid relation)
{
    UsageMemory *memory = memory_of(session);
    RelationUsage **recent = &memory->recent[relation % RECENT_SLOTS], *usage = *recent;

    if (usage && usage->relation == relation)
        return usage;
    usage = hashmap_get(&memory->entries, relation);
    if (usage) {
        *recent = usage;
        return usage;
    }
    usage = ARENA_NEW(memory->arena, RelationUsage);
    usage->relation = relation;
    usage->memory = memory;
    if (session->usage_table)
        usage->shared = shared_of(session->usage_table, session->catalog.database_oid, relation);
    hashmap_put(&memory->entries, relation, usage);
    return usage;
}

void usage_mark_dirty(RelationUsage *usage)
{
    usage->is_dirty = true;
    usage->next_dirty = usage->memory->dirty;
    usage->memory->dirty = usage;
}

/* This worker is the only one that writes here: no read-modify-write is needed (U1). */
static void counter_add(_Atomic int64_t *counter, int64_t count)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

static void hand_on(UsageMemory *memory)
{
    for (RelationUsage *usage = memory->dirty; usage; usage = usage->next_dirty) {
        for (uint32_t left = usage->counted; left != 0; left &= left - 1) {
            const int i = __builtin_ctz(left);
            counter_add(&usage->shared->counts[i], usage->counts[i]);
            usage->counts[i] = 0;
        }
        usage->counted = 0;
        usage->is_dirty = false;
    }
    memory->dirty = NULL;
}

void usage_end_transaction(ExecSession *session, bool committed)
{
    if (!session->usage_table)
        return;
    usage_add(usage_of(session, OID_NONE), committed ? USAGE_COMMITS : USAGE_ROLLBACKS, 1);
    hand_on(session->usage);
}

void usage_session_deinit(ExecSession *session)
{
    if (!session->usage)
        return;
    if (session->usage_table)
        hand_on(session->usage);
    arena_free(session->usage->arena);
    session->usage = NULL;
}

/* ---- asking ---- */

static void sum_table(UsageTable *table, Oid database, Oid relation, int64_t *counts)
{
    mutex_lock(&table->mutex);
    const SharedUsage *shared = hashmap_get(&table->entries, key_of(database, relation));
    mutex_unlock(&table->mutex);
    for (int i = 0; shared && i < USAGE_COUNTERS; i++)
        counts[i] += atomic_load_explicit(&shared->counts[i], memory_order_relaxed);
}

static UsageTable *head_of(const ExecSession *session)
{
    return session->usage_table ? session->usage_table->head : NULL;
}

void usage_sum(const ExecSession *session, Oid database, Oid relation,
               int64_t ret_counts[USAGE_COUNTERS])
{
    memset(ret_counts, 0, sizeof(int64_t) * USAGE_COUNTERS);
    for (UsageTable *table = head_of(session); table; table = table->next)
        sum_table(table, database, relation, ret_counts);
}

/* All relations of a database together, as pg_stat_database counts rows. */
void usage_sum_database(const ExecSession *session, Oid database,
                        int64_t ret_counts[USAGE_COUNTERS])
{
    memset(ret_counts, 0, sizeof(int64_t) * USAGE_COUNTERS);
    for (UsageTable *table = head_of(session); table; table = table->next) {
        size_t position = 0;
        uint64_t key;
        void *value;
        mutex_lock(&table->mutex);
        while (hashmap_next(&table->entries, &position, &key, &value)) {
            const SharedUsage *shared = value;
            for (int i = 0; shared->database == database && i < USAGE_COUNTERS; i++)
                ret_counts[i] += atomic_load_explicit(&shared->counts[i], memory_order_relaxed);
        }
        mutex_unlock(&table->mutex);
    }
}

static Upkeep *upkeep_locked(UsageTable *head, Oid database, Oid relation)
{
    const uint64_t key = key_of(database, relation);
    Upkeep *upkeep = hashmap_get(&head->upkeep, key);

    if (!upkeep) {
        upkeep = ARENA_NEW(head->arena, Upkeep);
        hashmap_put(&head->upkeep, key, upkeep);
    }
    return upkeep;
}

static int64_t changes(const int64_t *counts)
{
    return counts[USAGE_INSERTED] + counts[USAGE_UPDATED] + counts[USAGE_DELETED];
}

static void note_vacuum(Upkeep *upkeep, const int64_t *counts)
{
    upkeep->vacuumed_at = os->wall_clock();
    upkeep->vacuum_count++;
    upkeep->inserts_at_vacuum = counts[USAGE_INSERTED];
}

static void note_analyze(Upkeep *upkeep, const int64_t *counts)
{
    upkeep->analyzed_at = os->wall_clock();
    upkeep->analyze_count++;
    upkeep->changes_at_analyze = changes(counts);
}

static void kept_up(ExecSession *session, Oid relation, void (*note)(Upkeep *, const int64_t *))
{
    UsageTable *head = head_of(session);
    int64_t counts[USAGE_COUNTERS];

    if (!head)
        return;
    usage_sum(session, session->catalog.database_oid, relation, counts);
    mutex_lock(&head->mutex);
    note(upkeep_locked(head, session->catalog.database_oid, relation), counts);
    mutex_unlock(&head->mutex);
}

void usage_vacuumed(ExecSession *session, Oid relation)
{
    kept_up(session, relation, note_vacuum);
}

void usage_analyzed(ExecSession *session, Oid relation)
{
    kept_up(session, relation, note_analyze);
}

UsageUpkeep usage_upkeep(const ExecSession *session, Oid relation)
{
    UsageTable *head = head_of(session);
    UsageUpkeep result = {0};
    int64_t counts[USAGE_COUNTERS];

    if (!head)
        return result;
    usage_sum(session, session->catalog.database_oid, relation, counts);
    mutex_lock(&head->mutex);
    const Upkeep *upkeep = upkeep_locked(head, session->catalog.database_oid, relation);
    result = (UsageUpkeep){
        .vacuumed_at = upkeep->vacuumed_at,
        .vacuum_count = upkeep->vacuum_count,
        .analyzed_at = upkeep->analyzed_at,
        .analyze_count = upkeep->analyze_count,
        .changes_since_analyze = changes(counts) - upkeep->changes_at_analyze,
        .inserts_since_vacuum = counts[USAGE_INSERTED] - upkeep->inserts_at_vacuum,
    };
    mutex_unlock(&head->mutex);
    return result;
}
