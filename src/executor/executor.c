#include "executor/executor.h"

#include "base/pace.h"
#include "catalog/privilege.h"
#include "executor/command/maintain.h"
#include "executor/command/on_commit.h"
#include "executor/constraint_queue.h"
#include "executor/point.h"
#include "executor/row_fields.h"
#include "executor/sequences.h"
#include "executor/usage.h"
#include "txn/lock.h"

extern const BuiltinFunction executor_functions[];
extern const size_t executor_function_count;

void executor_init(void)
{
    builtin_functions_register(executor_functions, executor_function_count);
    json_set_row_hook(row_fields);
}

/* ---- making ---- */

ResultColumn *executor_columns(const PlannedStatement *stmt, Arena *arena)
{
    const uint32_t count = (uint32_t)stmt->result.length;
    ResultColumn *columns = ARENA_ARRAY(arena, ResultColumn, count + 1);

    for (uint32_t i = 0; i < count; i++) {
        const TargetEntry *target = &stmt->result.items[i];
        columns[i] = (ResultColumn){
            .name = target->name,
            .type = target->expr->type,
            .type_modifier = target->expr->typmod,
            .collation = target->expr->collation,
            .table = target->origin_table,
            .table_column = (int16_t)target->origin_attnum,
            .phys = type_phys(target->expr->type),
        };
    }
    return columns;
}

static void describe(ExecState *exec)
{
    const PlannedStatement *stmt = exec->stmt;
    const bool has_rows = stmt->command == QUERY_SELECT || stmt->has_returning;

    exec->description = (RowDescription){
        .columns = has_rows ? executor_columns(stmt, exec->arena) : NULL,
        .count = (uint32_t)stmt->result.length,
    };
}

static CommandVerb verb_of(const PlannedStatement *stmt)
{
    switch (stmt->command) {
    case QUERY_INSERT:
        return VERB_INSERT;
    case QUERY_UPDATE:
        return VERB_UPDATE;
    case QUERY_DELETE:
        return VERB_DELETE;
    case QUERY_SELECT:
        return VERB_SELECT;
    default:
        return VERB_NONE;
    }
}

ExecState *exec_new_bare(ExecSession *session)
{
    Arena *arena = arena_new("executor state");
    ExecState *exec = ARENA_NEW(arena, ExecState);
    exec->arena = arena;
    exec->run_arena = arena_new("executor run");
    exec->arena_scratch = arena_new("executor scratch");
    exec->session = session;
    exec->batch_size = VECTOR_SIZE;
    spill_set_init(&exec->spills, session->temporary_directory);
    return exec;
}

/* Parameters, work tables, subplans, then the tree: expressions refer to all of them. */
static bool make_tree(ExecState *exec, const Plan *root)
{
    const PlannedStatement *stmt = exec->stmt;
    exec->nodes = ARENA_ARRAY(exec->arena, NodeState *, stmt->node_count + 1);
    exec->instruments = ARENA_ARRAY(exec->arena, NodeInstrument, stmt->node_count + 1);
    exec->work_tables = ARENA_ARRAY(exec->arena, WorkTable, stmt->work_table_count + 1);
    exec->param_count = (uint32_t)stmt->params.length;
    exec->params = ARENA_ARRAY(exec->arena, ParamState, exec->param_count + 1);
    for (uint32_t i = 0; i < exec->param_count; i++) {
        ParamState *param = &exec->params[i];
        param->vector = (Vector){.type = type_phys(stmt->params.items[i].type),
                                 .constant = true,
                                 .values = &param->value,
                                 .nulls = &param->null};
    }
    exec->subplans = ARENA_ARRAY(exec->arena, SubplanState, stmt->subplans.length + 1);
    for (size_t i = 0; i < stmt->subplans.length; i++) {
        exec->subplans[i].info = &stmt->subplans.items[i];
        const SubplanInfo *info = &stmt->subplans.items[i];
        exec->stops_early |= info->use == SUBPLAN_INIT && info->sublink == SUBLINK_EXISTS;
        if (stmt->subplans.items[i].plan)
            TRY(exec->subplans[i].node = node_new(exec, stmt->subplans.items[i].plan));
    }
    return (exec->root = node_new(exec, root)) != NULL;
}

void exec_usage(ExecState *exec, Oid relation, RelationUsage **slot)
{
    UsageSlot usage = {relation, slot};
    VEC_PUSH(exec->arena, &exec->usages, usage);
    *slot = usage_of(exec->session, relation);
}

Arena *exec_arena(ExecState *exec, const char *name)
{
    Arena *arena = arena_new(name);
    VEC_PUSH(exec->arena, &exec->arenas, arena);
    return arena;
}

ExecState *executor_new(const PlannedStatement *plan, ExecSession *session)
{
    ExecState *exec = exec_new_bare(session);
    exec->stmt = plan;
    describe(exec);
    exec->result.verb = verb_of(plan);
    exec->limit_rows = arena_alloc(exec->arena, VECTOR_SIZE * sizeof(uint16_t));
    if (!make_tree(exec, plan->plan)) {
        executor_free(exec);
        return NULL;
    }
    exec->point = point_query_new(exec);
    return exec;
}

ExecState *exec_new_epq(ExecState *parent, const Plan *plan, uint32_t override_count)
{
    ExecState *exec = exec_new_bare(parent->session);
    parent->has_offspring = true;
    exec->stmt = parent->stmt;
    exec->parent = parent;
    exec->overrides = ARENA_ARRAY(exec->arena, EpqOverride, override_count + 1);
    exec->override_count = override_count;
    for (size_t i = 0; i < parent->externals.length; i++)
        VEC_PUSH(exec->arena, &exec->externals, parent->externals.items[i]);
    if (!make_tree(exec, plan)) {
        executor_free(exec);
        return NULL;
    }
    return exec;
}

void exec_epq_begin(ExecState *epq)
{
    const ExecState *parent = epq->parent;
    executor_stop(epq);
    epq->snapshot = parent->snapshot;
    for (uint32_t i = 0; i < epq->param_count; i++) {
        const ParamState *from = &parent->params[i];
        ParamState *to = &epq->params[i];
        to->value = from->value;
        to->null = from->null;
        to->vector.has_nulls = from->vector.has_nulls;
        to->is_set = from->is_set;
    }
    for (size_t i = 0; i < epq->calls.length; i++) {
        epq->calls.items[i]->transaction_time = epq->session->transaction_start;
        epq->calls.items[i]->statement_time = epq->session->statement_start;
    }
    epq->is_running = true;
}

void executor_free(ExecState *state)
{
    if (!state)
        return;
    executor_stop(state);
    for (size_t i = 0; i < state->made.length; i++) {
        NodeState *node = state->made.items[i];
        if (node->methods->free)
            node->methods->free(node);
        arena_free(node->scratch);
    }
    for (size_t i = 0; state->stmt && state->subplans && i < state->stmt->subplans.length; i++)
        if (state->subplans[i].store_ready)
            row_store_deinit(&state->subplans[i].store);
    if (state->store_made)
        row_store_deinit(&state->store);
    row_reader_deinit(&state->reader);
    exec_relations_close(state);
    for (size_t i = 0; i < state->arenas.length; i++)
        pace_arena_free(state->arenas.items[i]);
    pace_arena_free(state->run_arena);
    arena_free(state->arena_scratch);
    arena_free(state->arena);
}

void executor_freep(ExecState **state)
{
    executor_free(*state);
}

/* ---- starting ---- */

/* Attribute numbers of a bitmap of (attnum - 1), as privilege_check_columns takes them. */
static uint32_t bitmap_columns(const PlanRelation *relation, const uint64_t *bitmap,
                               int16_t *columns, uint32_t room)
{
    uint32_t count = 0;
    for (int word = 0; bitmap && word < relation->bitmap_words; word++)
        for (uint64_t bits = bitmap[word]; bits && count < room; bits &= bits - 1)
            columns[count++] = (int16_t)(word * 64 + __builtin_ctzll(bits) + 1);
    return count;
}

static bool check_privileges(ExecState *exec, const PlanRelation *relation)
{
    CatalogSession *catalog = &exec->session->catalog;
    Oid role = relation->check_as ? relation->check_as : catalog->current_user;
    static const struct {
        uint32_t access;
        AclRights right;
        bool modifies;
    } kinds[] = {{ACCESS_SELECT, ACL_SELECT, false},
                 {ACCESS_INSERT, ACL_INSERT, true},
                 {ACCESS_UPDATE, ACL_UPDATE, true},
                 {ACCESS_DELETE, ACL_DELETE, true}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (!(relation->access & kinds[i].access))
            continue;
        int16_t columns[1664];
        uint32_t count = 0;
        if (!kinds[i].modifies && relation->selects_whole_row)
            columns[count++] = 0;
        else if (kinds[i].right != ACL_DELETE)
            count = bitmap_columns(relation,
                                   kinds[i].modifies ? relation->modified_columns
                                                     : relation->selected_columns,
                                   columns, ARRAY_LENGTH(columns));
        TRY(privilege_check_columns(catalog, relation->relation, role, kinds[i].right, columns,
                                    count));
    }
    return true;
}

static bool lock_relations(ExecState *exec)
{
    CatalogSession *catalog = &exec->session->catalog;
    for (size_t i = 0; i < exec->stmt->relations.length; i++) {
        const PlanRelation *relation = &exec->stmt->relations.items[i];
        TRY(check_privileges(exec, relation));
        const RelationDesc *desc = relation_get(catalog, relation->relation);
        TRY(desc);
        DatabaseId database = desc->is_shared ? 0 : catalog->database_oid;
        TRY(lock_relation(catalog->txn, database, relation->relation,
                          plan_relation_lock_mode(relation), LOCK_WAIT, STR_NONE));
    }
    return true;
}

/* Which word the refusal uses for the statement. */
static const char *statement_word(const PlannedStatement *stmt)
{
    switch (stmt->command) {
    case QUERY_INSERT:
        return "INSERT";
    case QUERY_UPDATE:
        return "UPDATE";
    case QUERY_DELETE:
        return "DELETE";
    default:
        break;
    }
    if (stmt->has_modifying_cte || !stmt->lock_strength)
        return "SELECT";
    return fmt("SELECT %s", lock_strength_name(stmt->lock_strength)).data;
}

/* A read-only transaction may change the session's own temporary tables. */
static bool check_read_only(const ExecState *exec)
{
    const PlannedStatement *stmt = exec->stmt;
    if (stmt->is_read_only || !txn_is_read_only(exec->session->catalog.txn))
        return true;
    for (size_t i = 0; i < stmt->relations.length; i++) {
        const PlanRelation *item = &stmt->relations.items[i];
        if (!item->is_target && !item->is_locked)
            continue;
        const RelationDesc *relation = relation_get(&exec->session->catalog, item->relation);
        TRY(relation);
        if (relation->persistence != RELPERSISTENCE_TEMPORARY)
            FAIL(ERR_READ_ONLY_SQL_TRANSACTION,
                 .message =
                     fmt("cannot execute %s in a read-only transaction", statement_word(stmt)));
    }
    return true;
}

static bool take_parameters(ExecState *exec, const ExecParameters *given)
{
    uint32_t count = given ? given->count : 0;
    for (uint32_t i = 0; i < exec->externals.length; i++) {
        Vector *vector = exec->externals.items[i];
        if (!vector)
            continue;
        if (i >= count)
            FAIL(ERR_UNDEFINED_PARAMETER, .message = fmt("there is no parameter $%u", i + 1));
        memcpy(vector->values, &given->values[i], phys_width(vector->type));
        vector->nulls[0] = given->nulls[i];
        vector->has_nulls = given->nulls[i];
    }
    return true;
}

static void begin_run(ExecState *exec, const ExecRequest *request)
{
    exec->snapshot =
        request->snapshot ? *request->snapshot : *txn_snapshot(exec->session->catalog.txn);
    exec->scrollable = request->scrollable;
    exec->at_once = request->at_once;
    exec->instrument = request->instrument;
    exec->instrument_timing = request->instrument && request->instrument_timing;
    for (int i = 0; exec->stmt && i < exec->stmt->node_count; i++) {
        if (request->instrument)
            exec->instruments[i] = (NodeInstrument){0};
        if (exec->nodes[i])
            exec->nodes[i]->instrument = request->instrument ? &exec->instruments[i] : NULL;
    }
    for (size_t i = 0; i < exec->calls.length; i++) {
        exec->calls.items[i]->transaction_time = exec->session->transaction_start;
        exec->calls.items[i]->statement_time = exec->session->statement_start;
    }
    exec->result.row_count = 0;
    exec->result.finished = false;
    exec->modified_count = 0;
    exec->is_described = exec->root_done = exec->store_filled = false;
    exec->pending = NULL;
    exec->gives_few = false;
    exec->batch_size = exec->has_effects ? 1 : VECTOR_SIZE;
    exec->batch_count = exec->taken = 0;
    exec->position = 0;
    exec->spills.directory = exec->session->temporary_directory;
    exec->is_running = true;
}

bool executor_start(ExecState *exec, const ExecRequest *request)
{
    assert(!exec->is_running);
    TRY(check_read_only(exec));
    if (!request->is_admitted)
        TRY(lock_relations(exec));
    begin_run(exec, request);
    if (!take_parameters(exec, request->parameters)) {
        executor_stop(exec);
        return false;
    }
    return true;
}

void executor_adopt(ExecState *state, ExecSession *session)
{
    assert(!state->is_running);
    /* An equal address may be another session, at the place of one that has ended. */
    state->session = session;
    for (size_t i = 0; i < state->calls.length; i++)
        state->calls.items[i]->session = session;
    for (size_t i = 0; i < state->usages.length; i++)
        *state->usages.items[i].slot = usage_of(session, state->usages.items[i].relation);
}

bool executor_may_adopt(const ExecState *exec)
{
    return !exec->parent && !exec->has_offspring;
}

static void count_spills(ExecState *state)
{
    SpillSet *spills = &state->spills;

    if (likely(spills->file_count == 0))
        return;
    RelationUsage *usage = usage_of(state->session, OID_NONE);
    usage_add(usage, USAGE_TEMP_FILES, (int64_t)spills->file_count);
    usage_add(usage, USAGE_TEMP_BYTES, (int64_t)spills->written_bytes);
    spills->file_count = spills->written_bytes = 0;
}

void executor_stop(ExecState *state)
{
    exec_forget(state);
    if (state->store_made)
        row_store_clear(&state->store);
    state->reader.position = 0;
    /* An action's queue is its statement's. */
    if (state->stmt)
        constraint_queue_clear(state->queue);
    spill_set_clear(&state->spills);
    count_spills(state);
    pace_arena_reset(state->run_arena);
    state->pending = NULL;
    state->is_running = false;
}

const RowDescription *executor_description(const ExecState *state)
{
    return &state->description;
}

CommandResult executor_result(const ExecState *state)
{
    return state->result;
}

int64_t executor_position(const ExecState *state)
{
    return state->position;
}

const NodeInstrument *executor_instrument(const ExecState *state, const Plan *plan)
{
    if (!state->instrument || !state->nodes[plan->id] || state->instruments[plan->id].loops == 0)
        return NULL;
    return &state->instruments[plan->id];
}

/* ---- running ---- */

/* Data-modifying CTEs do their work whether or not anybody has read them. */
static bool finish_modifying(ExecState *exec)
{
    for (size_t i = 0; i < exec->stmt->subplans.length; i++)
        if (exec->stmt->subplans.items[i].use == SUBPLAN_MODIFY_CTE) {
            RowStore *store;
            TRY(exec_subplan_store(exec, (int)i, &store, UINT64_MAX));
        }
    return true;
}

static bool root_next(ExecState *exec, Batch **ret_batch)
{
    *ret_batch = NULL;
    if (exec->root_done)
        return true;
    CHECK_INTERRUPTS();
    if (exec->root->methods == &node_modify_methods)
        TRY(node_next(exec->root, ret_batch));
    else
        TRY(node_next_exact(exec->root, &exec->taken, ret_batch));
    if (!*ret_batch) {
        exec->root_done = true;
        TRY(finish_modifying(exec));
        TRY(constraint_queue_run(exec->queue));
    }
    return true;
}

static bool is_modifying(const ExecState *exec)
{
    return exec->stmt->command == QUERY_INSERT || exec->stmt->command == QUERY_UPDATE ||
           exec->stmt->command == QUERY_DELETE || exec->stmt->has_modifying_cte;
}

/* Changes are made before anything is said of their rows. */
static bool gives_at_once(const ExecState *exec)
{
    return exec->at_once || is_modifying(exec);
}

static void store_make(ExecState *exec)
{
    if (exec->store_made)
        return;
    row_store_init(&exec->store, exec->arena, &exec->spills, exec->root->types,
                   (uint32_t)exec->root->plan->column_count, exec_work_mem());
    row_reader_init(&exec->reader, &exec->store);
    exec->store_batch =
        batch_new(exec->arena, exec->root->types, (uint32_t)exec->root->plan->column_count);
    exec->store_made = true;
}

static bool store_fill(ExecState *exec, uint64_t want)
{
    store_make(exec);
    while (!exec->root_done && exec->store.count < want) {
        Batch *batch;
        TRY(root_next(exec, &batch));
        if (batch)
            TRY(row_store_add_batch(&exec->store, batch));
    }
    return true;
}

bool executor_next(ExecState *exec, Batch **ret_batch)
{
    if (!exec->scrollable && !(gives_at_once(exec) && exec->description.count > 0))
        return root_next(exec, ret_batch);
    /* Changes are done before the first row is given; scrollable rows are kept. */
    TRY(store_fill(exec, exec->scrollable ? exec->reader.position + VECTOR_SIZE : UINT64_MAX));
    TRY(row_reader_next(&exec->reader, exec->store_batch, VECTOR_SIZE));
    *ret_batch = exec->store_batch->row_count > 0 ? exec->store_batch : NULL;
    return true;
}

static bool sink_describe(ExecState *exec, RowSink *sink)
{
    if (exec->is_described || !sink)
        return true;
    exec->is_described = true;
    return !sink->describe || sink->describe(sink, &exec->description);
}

/* The part of a batch from selected row `from`, `count` of them. */
static Batch batch_part(ExecState *exec, const Batch *batch, uint32_t from, uint32_t count)
{
    Batch part = *batch;
    for (uint32_t i = 0; i < count; i++)
        exec->limit_rows[i] = (uint16_t)selection_row(batch->selection, from + i);
    part.selection = (Selection){.rows = exec->limit_rows, .count = count};
    return part;
}

/* The whole of a point query, unless it has been begun otherwise. */
static bool may_run_point(const ExecState *exec, uint64_t row_limit)
{
    return exec->point && row_limit == 0 && !exec->scrollable && !exec->instrument &&
           !exec->root_done && !exec->root->started;
}

static bool run_point(ExecState *exec, RowSink *sink)
{
    TRY(sink_describe(exec, sink));
    TRY(point_query_run(exec->point, sink, &exec->result.row_count));
    exec->root_done = exec->result.finished = true;
    exec->position += (int64_t)exec->result.row_count;
    return !sink || !sink->complete || sink->complete(sink, &exec->result);
}

bool executor_run(ExecState *exec, RowSink *sink, uint64_t row_limit)
{
    if (likely(may_run_point(exec, row_limit)))
        return run_point(exec, sink);
    uint64_t given = 0;
    exec->gives_few = row_limit > 0;
    if (gives_at_once(exec) && !exec->pending) {
        TRY(executor_next(exec, &exec->pending));
        exec->pending_from = 0;
    }
    TRY(sink_describe(exec, sink));
    exec->result.finished = false;
    while (!exec->result.finished && (row_limit == 0 || given < row_limit)) {
        if (!exec->pending) {
            TRY(executor_next(exec, &exec->pending));
            exec->pending_from = 0;
        }
        Batch *batch = exec->pending;
        if (!batch) {
            exec->result.finished = true;
            break;
        }
        uint32_t left = batch->selection.count - exec->pending_from;
        uint32_t take =
            row_limit && row_limit - given < left ? (uint32_t)(row_limit - given) : left;
        bool whole = exec->pending_from == 0 && take == left;
        Batch part = whole ? *batch : batch_part(exec, batch, exec->pending_from, take);
        if (exec->description.columns && sink && sink->rows)
            TRY(sink->rows(sink, &exec->description, &part));
        given += take;
        exec->pending_from += take;
        if (take == left)
            exec->pending = NULL;
    }
    exec->position += (int64_t)given;
    if (is_modifying(exec) && exec->stmt->command != QUERY_SELECT)
        exec->result.row_count = exec->modified_count;
    else
        exec->result.row_count = given;
    return !sink || !sink->complete || sink->complete(sink, &exec->result);
}

/* ---- scrolling ---- */

/* One row by number (1-based) to the sink. */
static bool give_row(ExecState *exec, RowSink *sink, int64_t number)
{
    exec->reader.position = (uint64_t)number - 1;
    TRY(row_reader_next(&exec->reader, exec->store_batch, 1));
    return !sink || !sink->rows || sink->rows(sink, &exec->description, exec->store_batch);
}

/* A fetch's rows are there before the first word of them: an error comes alone. */
static bool fetch_describe(ExecState *exec, RowSink *sink)
{
    return !sink || !sink->describe || sink->describe(sink, &exec->description);
}

static bool fetch_forward(ExecState *exec, RowSink *sink, int64_t count, uint64_t *ret_count)
{
    uint64_t want = count == INT64_MAX ? UINT64_MAX : (uint64_t)(exec->position + count);
    TRY(store_fill(exec, want));
    TRY(fetch_describe(exec, sink));
    int64_t end = (int64_t)MIN(want, exec->store.count);
    *ret_count = end > exec->position ? (uint64_t)(end - exec->position) : 0;
    exec->reader.position = (uint64_t)exec->position;
    for (uint64_t left = *ret_count; left > 0 && sink && sink->rows;) {
        TRY(row_reader_next(&exec->reader, exec->store_batch, (uint32_t)MIN(left, VECTOR_SIZE)));
        left -= exec->store_batch->row_count;
        TRY(sink->rows(sink, &exec->description, exec->store_batch));
    }
    bool past = (uint64_t)want > exec->store.count;
    exec->position = past ? (int64_t)exec->store.count + 1 : end;
    return true;
}

static bool fetch_backward(ExecState *exec, RowSink *sink, int64_t count, uint64_t *ret_count)
{
    int64_t at = exec->position;
    uint64_t given = 0;
    TRY(fetch_describe(exec, sink));
    while (at > 0 && (count == INT64_MAX || given < (uint64_t)count)) {
        at--;
        if (at == 0)
            break;
        TRY(give_row(exec, sink, at));
        given++;
    }
    exec->position = at;
    *ret_count = given;
    return true;
}

static bool fetch_row(ExecState *exec, RowSink *sink, int64_t number, uint64_t *ret_count)
{
    *ret_count = 0;
    if (number < 0) {
        TRY(store_fill(exec, UINT64_MAX));
        number = (int64_t)exec->store.count + 1 + number;
        number = MAX(number, 0);
    }
    if (number > 0)
        TRY(store_fill(exec, (uint64_t)number));
    TRY(fetch_describe(exec, sink));
    if (number == 0 || (uint64_t)number > exec->store.count) {
        exec->position = number == 0 ? 0 : (int64_t)exec->store.count + 1;
        return true;
    }
    exec->position = number;
    *ret_count = 1;
    return give_row(exec, sink, number);
}

bool executor_fetch(ExecState *exec, RowSink *sink, ExecFetchDirection direction, int64_t count,
                    uint64_t *ret_count)
{
    store_make(exec);
    exec->gives_few = count != INT64_MAX;
    if (count < 0 && direction <= EXEC_FETCH_BACKWARD) {
        direction = direction == EXEC_FETCH_FORWARD ? EXEC_FETCH_BACKWARD : EXEC_FETCH_FORWARD;
        count = count == INT64_MIN ? INT64_MAX : -count;
    }
    /* FORWARD 0 and BACKWARD 0 give the current row again. */
    if (count == 0 && direction <= EXEC_FETCH_BACKWARD)
        direction = EXEC_FETCH_RELATIVE;
    bool done;
    if (direction == EXEC_FETCH_FORWARD)
        done = fetch_forward(exec, sink, count, ret_count);
    else if (direction == EXEC_FETCH_BACKWARD)
        done = fetch_backward(exec, sink, count, ret_count);
    else if (direction == EXEC_FETCH_ABSOLUTE)
        done = fetch_row(exec, sink, count, ret_count);
    else
        done = fetch_row(exec, sink, MAX(exec->position + count, 0), ret_count);
    TRY(done);
    CommandResult result = {.verb = VERB_FETCH, .row_count = *ret_count, .finished = true};
    return !sink || !sink->complete || sink->complete(sink, &result);
}

/* The row ids that LockRows carries along say which rows a cursor's current row came from. */
static const LockRowsPlan *row_marks(const ExecState *exec)
{
    const Plan *plan = exec->stmt->plan;
    while (plan && plan->kind == PLAN_LIMIT)
        plan = plan->left;
    return plan && plan->kind == PLAN_LOCK_ROWS ? (const LockRowsPlan *)plan : NULL;
}

/* The row ids of the row that the cursor is on; a scrollable one's are in the store. */
static bool current_row_load(ExecState *exec, const Batch **ret_row)
{
    exec->reader.position = (uint64_t)exec->position - 1;
    TRY(row_reader_next(&exec->reader, exec->store_batch, 1));
    *ret_row = exec->store_batch;
    return true;
}

bool executor_is_on_row(const ExecState *exec)
{
    return exec->position > 0 && exec->scrollable && (uint64_t)exec->position <= exec->store.count;
}

/* The number of the one locked mark of the table; -1: the error is set. */
static int64_t mark_of_table(const LockRowsPlan *plan, Str cursor, const RelationDesc *table)
{
    int64_t found = -1;
    for (size_t m = 0; m < plan->marks.length; m++) {
        const LockMark *mark = &plan->marks.items[m];
        if (mark->relation != table->oid || mark->strength == LOCK_NO_ROWS)
            continue;
        if (found >= 0) {
            ERROR_SET(ERR_INVALID_CURSOR_STATE,
                      .message = fmt("cursor \"%.*s\" has multiple FOR UPDATE/SHARE references to "
                                     "table \"%.*s\"",
                                     STR_ARGS(cursor), STR_ARGS(table->name)));
            return -1;
        }
        found = (int64_t)m;
    }
    if (found < 0)
        ERROR_SET(ERR_INVALID_CURSOR_STATE,
                  .message = fmt("cursor \"%.*s\" does not have a FOR UPDATE/SHARE reference to "
                                 "table \"%.*s\"",
                                 STR_ARGS(cursor), STR_ARGS(table->name)));
    return found;
}

bool executor_current_row(ExecState *exec, Str cursor, const RelationDesc *table,
                          int64_t *ret_row_id)
{
    const LockRowsPlan *locks = row_marks(exec);
    int column = exec->stmt->cursor_row_id_column;
    if (locks) {
        const int64_t mark = mark_of_table(locks, cursor, table);
        TRY(mark >= 0);
        column = locks->marks.items[mark].row_id_column;
    } else if (exec->stmt->cursor_table != table->oid) {
        FAIL(ERR_INVALID_CURSOR_STATE,
             .message = fmt("cursor \"%.*s\" is not a simply updatable scan of table \"%.*s\"",
                            STR_ARGS(cursor), STR_ARGS(table->name)));
    }
    if (!executor_is_on_row(exec))
        FAIL(ERR_INVALID_CURSOR_STATE,
             .message = fmt("cursor \"%.*s\" is not positioned on a row", STR_ARGS(cursor)));
    const Batch *row;
    Value value;
    bool is_null;
    TRY(current_row_load(exec, &row));
    vector_get(row->columns[column], 0, &value, &is_null);
    *ret_row_id = is_null ? 0 : value.int64;
    return true;
}

void executor_session_deinit(ExecSession *session)
{
    executor_deferred_clear(session);
    on_commit_deinit(session);
    usage_session_deinit(session);
    sequence_memory_free(session);
}

/* ---- tags ---- */

Str command_tag(Arena *arena, CommandVerb verb, uint64_t row_count)
{
    static const char *const words[] = {
        [VERB_NONE] = "",          [VERB_SELECT] = "SELECT ", [VERB_INSERT] = "INSERT 0 ",
        [VERB_UPDATE] = "UPDATE ", [VERB_DELETE] = "DELETE ", [VERB_FETCH] = "FETCH ",
        [VERB_MOVE] = "MOVE "};
    char digits[20];
    size_t digit_count = 0;

    do {
        digits[sizeof(digits) - ++digit_count] = (char)('0' + row_count % 10);
        row_count /= 10;
    } while (row_count);
    if (verb == VERB_NONE)
        return STR("");
    const size_t length = strlen(words[verb]);
    char *tag = arena_alloc(arena, length + digit_count);
    memcpy(tag, words[verb], length);
    memcpy(tag + length, digits + sizeof(digits) - digit_count, digit_count);
    return str_make(tag, length + digit_count);
}
