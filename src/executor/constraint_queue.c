#include "executor/constraint_queue.h"

#include "base/settings.h"
#include "executor/foreign_key.h"
#include "executor/index_key.h"
#include "executor/scan_columns.h"
#include "planner/planner.h"
#include "txn/lock.h"

typedef enum EventKind { EVENT_REFERENCE = 1, EVENT_REMOVAL, EVENT_UNIQUE } EventKind;

typedef struct ConstraintEvent {
    struct ConstraintEvent *next;
    EventKind kind;
    Oid constraint, table;  /* the constraint's table */
    Oid changed;            /* the table whose row changed: the referenced one of a removal */
    Oid index;              /* EVENT_UNIQUE */
    int64_t row_id;         /* EVENT_REFERENCE, EVENT_UNIQUE */
    ForeignRemoval removal; /* EVENT_REMOVAL; its key: EVENT_REFERENCE too. NULL: in the session */
    PhysType *types;        /* EVENT_REMOVAL: of the values */
    bool is_deferrable, is_deferred; /* as declared */
    uint32_t done_at; /* in the session: by which of SET CONSTRAINTS, 1-based; 0: pending */
} ConstraintEvent;

/* A key of a deferrable index, made from rows read again. */
typedef struct UniqueCheck {
    struct UniqueCheck *next;
    Oid index;
    IndexKeyBuilder builder;
    ScanColumns columns;
    const RelationDesc *table;
} UniqueCheck;

typedef struct ActionEntry {
    struct ActionEntry *next;
    Oid constraint;
    bool is_update;
    ReferentialAction *action;
} ActionEntry;

/* A constraint whose tables are locked for this queue's run. */
typedef struct LockedKey {
    struct LockedKey *next;
    Oid relation;
    LockMode mode;
} LockedKey;

struct ConstraintQueue {
    ExecState *exec;
    Arena *arena;   /* of the events and what follows; NULL: none so far */
    Arena *scratch; /* of one event's check */
    ConstraintEvent *first, *last;
    UniqueCheck *unique_checks;
    ActionEntry *actions;
    LockedKey *locked;
    bool ignores_modes; /* COMMIT: everything is looked at */
};

/* ---- events come ---- */

ConstraintQueue *exec_queue(ExecState *exec)
{
    if (!exec->queue) {
        exec->queue = ARENA_NEW(exec->arena, ConstraintQueue);
        exec->queue->exec = exec;
    }
    return exec->queue;
}

static ConstraintEvent *event_add(ConstraintQueue *queue)
{
    if (!queue->arena) {
        queue->arena = arena_new("constraint events");
        queue->scratch = arena_new("constraint checks");
    }
    ConstraintEvent *event = ARENA_NEW(queue->arena, ConstraintEvent);
    if (queue->last)
        queue->last->next = event;
    else
        queue->first = event;
    queue->last = event;
    return event;
}

/* What replicates rows, or restores them, has had them checked where they came from. */
bool constraint_trigger_fires(char enabled)
{
    const bool is_replica =
        settings()->session_replication_role == SESSION_REPLICATION_ROLE_REPLICA;

    return enabled == TRIGGER_ENABLED_ALWAYS ||
           enabled == (is_replica ? TRIGGER_ENABLED_REPLICA : TRIGGER_ENABLED_ORIGIN);
}

void constraint_queue_reference(ConstraintQueue *queue, const ForeignKeyPlan *key, int64_t row_id)
{
    ConstraintEvent *event = event_add(queue);
    event->kind = EVENT_REFERENCE;
    event->constraint = key->constraint;
    event->table = event->changed = key->relation;
    event->row_id = row_id;
    event->removal.key = key;
    event->is_deferrable = key->is_deferrable;
    event->is_deferred = key->is_deferred;
}

void constraint_queue_removal(ConstraintQueue *queue, const ForeignKeyPlan *key,
                              const ExprInput *old_row, const ExprInput *new_row, uint32_t at)
{
    const int count = key->column_count;
    /* No row can refer to a key that is not wholly there. */
    for (int i = 0; i < count; i++)
        if (vector_is_null(old_row->slots[0][key->referenced_columns[i] - 1], at))
            return;
    ConstraintEvent *event = event_add(queue);
    Arena *arena = queue->arena;
    const char action = new_row ? key->on_update : key->on_delete;
    event->kind = EVENT_REMOVAL;
    event->constraint = key->constraint;
    event->table = key->relation;
    event->changed = key->referenced;
    event->is_deferrable = key->is_deferrable && action == REFERENCE_NO_ACTION;
    event->is_deferred = key->is_deferred;
    event->types = ARENA_ARRAY(arena, PhysType, count);
    event->removal = (ForeignRemoval){.key = key,
                                      .is_update = new_row != NULL,
                                      .old_values = ARENA_ARRAY(arena, Value, count),
                                      .new_values = ARENA_ARRAY(arena, Value, count),
                                      .new_nulls = ARENA_ARRAY(arena, bool, count)};
    for (int i = 0; i < count; i++) {
        const int column = key->referenced_columns[i] - 1;
        Value value;
        bool is_null;
        event->types[i] = old_row->slots[0][column]->type;
        vector_get(old_row->slots[0][column], at, &value, &is_null);
        event->removal.old_values[i] = value_copy(arena, event->types[i], &value);
        event->removal.new_nulls[i] = true;
        if (!new_row)
            continue;
        vector_get(new_row->slots[0][column], at, &value, &is_null);
        event->removal.new_nulls[i] = is_null;
        if (!is_null)
            event->removal.new_values[i] = value_copy(arena, event->types[i], &value);
    }
}

void constraint_queue_unique(ConstraintQueue *queue, Oid table, const IndexMaintain *index,
                             int64_t row_id)
{
    ConstraintEvent *event = event_add(queue);
    event->kind = EVENT_UNIQUE;
    event->constraint = index->constraint;
    event->table = event->changed = table;
    event->index = index->index;
    event->row_id = row_id;
    event->is_deferrable = true;
    event->is_deferred = index->is_deferred;
}

static bool constraint_queue_is_empty(const ConstraintQueue *queue)
{
    return !queue || !queue->first;
}

void constraint_queue_clear(ConstraintQueue *queue)
{
    if (!queue || !queue->arena)
        return;
    for (ActionEntry *entry = queue->actions; entry; entry = entry->next)
        foreign_action_free(entry->action);
    arena_free(queue->scratch);
    arena_free(queue->arena);
    *queue = (ConstraintQueue){.exec = queue->exec};
}

/* ---- one event ---- */

/* Holds off DDL on the table, as a statement over it would. */
static bool lock_table(ConstraintQueue *queue, Oid relation, LockMode mode)
{
    CatalogSession *catalog = &queue->exec->session->catalog;
    for (LockedKey *locked = queue->locked; locked; locked = locked->next)
        if (locked->relation == relation && locked->mode == mode)
            return true;
    TRY(lock_relation(catalog->txn, catalog->database_oid, relation, mode, LOCK_WAIT, STR_NONE));
    LockedKey *locked = ARENA_NEW(queue->arena, LockedKey);
    *locked = (LockedKey){.next = queue->locked, .relation = relation, .mode = mode};
    queue->locked = locked;
    return true;
}

static bool run_action(ConstraintQueue *queue, const ConstraintEvent *event)
{
    ActionEntry *entry = queue->actions;
    while (entry &&
           (entry->constraint != event->constraint || entry->is_update != event->removal.is_update))
        entry = entry->next;
    if (!entry) {
        TRY(lock_table(queue, event->table, LOCK_ROW_EXCLUSIVE));
        ReferentialAction *action =
            foreign_action_new(queue->exec, event->removal.key, event->removal.is_update);
        TRY(action);
        entry = ARENA_NEW(queue->arena, ActionEntry);
        *entry = (ActionEntry){.next = queue->actions,
                               .constraint = event->constraint,
                               .is_update = event->removal.is_update,
                               .action = action};
        queue->actions = entry;
    }
    return foreign_action_run(entry->action, queue->scratch, &event->removal);
}

static bool run_removal(ConstraintQueue *queue, const ConstraintEvent *event)
{
    const ForeignKeyPlan *key = event->removal.key;
    const char action = event->removal.is_update ? key->on_update : key->on_delete;
    if (action != REFERENCE_NO_ACTION && action != REFERENCE_RESTRICT)
        return run_action(queue, event);
    TRY(lock_table(queue, event->table, LOCK_ROW_SHARE));
    return foreign_key_check_removal(queue->exec, queue->scratch, &event->removal);
}

static UniqueCheck *unique_check_of(ConstraintQueue *queue, const ConstraintEvent *event)
{
    ExecState *exec = queue->exec;
    for (UniqueCheck *check = queue->unique_checks; check; check = check->next)
        if (check->index == event->index)
            return check;
    TableHandle *table = exec_table(exec, event->table);
    TRY(table);
    IndexMaintain *items;
    int count;
    TRY(planner_index_maintain(exec->arena, &exec->session->catalog, table->desc, &event->index,
                               &items, &count));
    if (count != 1)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("index %u is not of this table", event->index));
    UniqueCheck *check = ARENA_NEW(queue->arena, UniqueCheck);
    check->index = event->index;
    check->table = table->desc;
    int *attnums = ARENA_ARRAY(exec->arena, int, table->desc->column_count + 1);
    for (uint16_t i = 0; i < table->desc->column_count; i++)
        attnums[i] = i + 1;
    TRY(index_key_init(&check->builder, exec, exec_arena(exec, "unique checks"), event->table,
                       &items[0]));
    TRY(scan_columns_init(&check->columns, exec, event->table, attnums, table->desc->column_count));
    check->next = queue->unique_checks;
    queue->unique_checks = check;
    return check;
}

static bool run_unique(ConstraintQueue *queue, const ConstraintEvent *event)
{
    Txn *txn = queue->exec->session->catalog.txn;
    UniqueCheck *check = unique_check_of(queue, event);
    uint32_t found;
    Str key;
    bool skip, has_null;
    int64_t other;
    TRY(check);
    const TableHandle *handle = exec_table(queue->exec, event->table);
    TRY(handle);
    Snapshot now = txn_snapshot_self(txn);
    TRY(scan_columns_fetch(&check->columns, queue->exec, &now, &event->row_id, 1, queue->scratch,
                           &found));
    if (found == 0)
        return true;
    ExprInput row = {.slots = {check->columns.slots, NULL}, .row_count = 1};
    TRY(index_key_make(&check->builder, &row, 0, &key, &skip, &has_null));
    if (skip || (has_null && !check->builder.plan->nulls_not_distinct))
        return true;
    const UniqueProbe unique = {.index = check->builder.index->tree,
                                .table = handle->tree,
                                .key = key,
                                .self_row_id = event->row_id};
    UniqueOutcome outcome = txn_unique_check(txn, &unique, &other);
    if (outcome == UNIQUE_FAILED)
        row_wait_add_context("inserting index", event->row_id, check->builder.plan->name);
    if (outcome != UNIQUE_CONFLICT)
        return outcome == UNIQUE_OK;
    Str text = index_key_describe(&check->builder, &row, 0, queue->scratch);
    FAIL(ERR_UNIQUE_VIOLATION,
         .message = fmt("duplicate key value violates unique constraint \"%.*s\"",
                        STR_ARGS(check->builder.plan->name)),
         .detail = str_format(queue->scratch, "%.*s already exists.", STR_ARGS(text)),
         .schema_name = check->table->namespace_name, .table_name = check->table->name,
         .constraint_name = check->builder.plan->name);
}

static bool event_run(ConstraintQueue *queue, const ConstraintEvent *event)
{
    CHECK_INTERRUPTS();
    arena_reset(queue->scratch);
    if (event->kind == EVENT_UNIQUE)
        return run_unique(queue, event);
    if (event->kind == EVENT_REMOVAL)
        return run_removal(queue, event);
    TRY(lock_table(queue, event->removal.key->referenced, LOCK_ROW_SHARE));
    const ForeignKeyLook look = {queue->exec, queue->scratch, event->removal.key};
    return foreign_key_check_row(&look, event->row_id, true);
}

/* ---- what is put off ---- */

typedef struct ConstraintMode {
    Oid constraint; /* 0: all that can be deferred */
    bool is_deferred;
} ConstraintMode;

struct DeferredChecks {
    Arena *arena;
    VEC(ConstraintEvent *) events;
    VEC(ConstraintMode) modes; /* by SET CONSTRAINTS, oldest first */
};

static DeferredChecks *deferred_of(ExecSession *session)
{
    if (!session->deferred) {
        Arena *arena = arena_new("deferred constraints");
        session->deferred = ARENA_NEW(arena, DeferredChecks);
        session->deferred->arena = arena;
    }
    return session->deferred;
}

static bool is_deferred_now(const ExecSession *session, const ConstraintEvent *event)
{
    const DeferredChecks *deferred = session->deferred;
    if (!event->is_deferrable)
        return false;
    for (size_t i = deferred ? deferred->modes.length : 0; i-- > 0;) {
        const ConstraintMode *mode = &deferred->modes.items[i];
        if (mode->constraint == OID_NONE || mode->constraint == event->constraint)
            return mode->is_deferred;
    }
    return event->is_deferred;
}

/* A copy that outlives the statement: its key is looked up again when its time comes. */
static void event_defer(ExecSession *session, const ConstraintEvent *event)
{
    DeferredChecks *deferred = deferred_of(session);
    Arena *arena = deferred->arena;
    ConstraintEvent *copy = arena_copy(arena, event, sizeof(*event));
    if (event->kind == EVENT_REMOVAL) {
        const int count = event->removal.key->column_count;
        ForeignRemoval *to = &copy->removal;
        copy->types = arena_copy(arena, event->types, (size_t)count * sizeof(PhysType));
        to->old_values = ARENA_ARRAY(arena, Value, count);
        to->new_values = ARENA_ARRAY(arena, Value, count);
        to->new_nulls = arena_copy(arena, to->new_nulls, (size_t)count * sizeof(bool));
        for (int i = 0; i < count; i++) {
            to->old_values[i] = value_copy(arena, event->types[i], &event->removal.old_values[i]);
            if (!to->new_nulls[i])
                to->new_values[i] =
                    value_copy(arena, event->types[i], &event->removal.new_values[i]);
        }
    }
    copy->next = NULL;
    copy->removal.key = NULL;
    VEC_PUSH(arena, &deferred->events, copy);
}

bool constraint_queue_run(ConstraintQueue *queue)
{
    if (constraint_queue_is_empty(queue))
        return true;
    for (ConstraintEvent *event = queue->first; event; event = event->next) {
        if (!queue->ignores_modes && is_deferred_now(queue->exec->session, event))
            event_defer(queue->exec->session, event);
        else
            TRY(event_run(queue, event));
    }
    constraint_queue_clear(queue);
    return true;
}

/* Puts a session's event into a queue again; nothing, when its constraint is no more. */
static bool event_revive(ConstraintQueue *queue, const ConstraintEvent *event)
{
    ExecState *exec = queue->exec;
    CatalogSession *catalog = &exec->session->catalog;
    const RelationDesc *table = relation_find(catalog, event->table);
    const ConstraintDesc *constraint = NULL;
    for (uint16_t i = 0; table && i < table->constraint_count; i++)
        if (table->constraints[i].oid == event->constraint)
            constraint = &table->constraints[i];
    if (!constraint)
        return true;
    ConstraintEvent *copy = event_add(queue);
    *copy = *event;
    copy->next = NULL;
    if (event->kind == EVENT_UNIQUE)
        return true;
    ForeignKeyPlan *key = ARENA_NEW(exec->arena, ForeignKeyPlan);
    TRY(planner_foreign_key(exec->arena, catalog, constraint, key));
    copy->removal.key = key;
    return true;
}

/* Runs the session's pending events that are due. `all`: the transaction ends. */
static bool deferred_run(ExecSession *session, bool all)
{
    DeferredChecks *deferred = session->deferred;
    if (!deferred || deferred->events.length == 0)
        return true;
    ExecState *exec = exec_new_bare(session);
    ConstraintQueue *queue = exec_queue(exec);
    bool done = true;
    queue->ignores_modes = all;
    exec->snapshot = txn_snapshot_self(session->catalog.txn);
    const size_t count = deferred->events.length;
    for (size_t i = 0; i < count && done; i++) {
        ConstraintEvent *event = deferred->events.items[i];
        if (event->done_at != 0 || (!all && is_deferred_now(session, event)))
            continue;
        event->done_at = (uint32_t)deferred->modes.length + 1;
        done = event_revive(queue, event);
    }
    done = done && constraint_queue_run(queue);
    constraint_queue_clear(queue);
    executor_free(exec);
    return done;
}

bool executor_deferred_run(ExecSession *session)
{
    return deferred_run(session, true);
}

void executor_deferred_clear(ExecSession *session)
{
    if (session->deferred)
        arena_free(session->deferred->arena);
    session->deferred = NULL;
}

size_t executor_deferred_mark(const ExecSession *session)
{
    const DeferredChecks *deferred = session->deferred;
    return deferred ? deferred->events.length << 24 | deferred->modes.length : 0;
}

void executor_deferred_rewind(ExecSession *session, size_t mark)
{
    DeferredChecks *deferred = session->deferred;
    if (!deferred)
        return;
    deferred->modes.length = MIN(deferred->modes.length, mark & 0xffffff);
    deferred->events.length = MIN(deferred->events.length, mark >> 24);
    /* What was looked at since is pending again. */
    for (size_t i = 0; i < deferred->events.length; i++)
        if (deferred->events.items[i]->done_at > deferred->modes.length + 1)
            deferred->events.items[i]->done_at = 0;
}

bool executor_deferred_has(const ExecSession *session, Oid table)
{
    const DeferredChecks *deferred = session->deferred;
    for (size_t i = 0; deferred && i < deferred->events.length; i++)
        if (deferred->events.items[i]->done_at == 0 && deferred->events.items[i]->changed == table)
            return true;
    return false;
}

bool executor_set_constraints(ExecSession *session, const Oid *oids, uint32_t count,
                              bool is_deferred)
{
    DeferredChecks *deferred = deferred_of(session);
    for (uint32_t i = 0; i < (oids ? count : 1); i++) {
        const ConstraintMode mode = {.constraint = oids ? oids[i] : OID_NONE,
                                     .is_deferred = is_deferred};
        VEC_PUSH(deferred->arena, &deferred->modes, mode);
    }
    return is_deferred || deferred_run(session, false);
}
