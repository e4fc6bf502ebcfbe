/* Portals: one execution of a prepared statement each; cursors among them. */
#include "server/portal.h"

#include "base/error.h"
#include "base/pace.h"
#include "server/server.h"
#include "types/type.h"

static void state_release(Portal *portal)
{
    PreparedStatement *statement = portal->statement;

    if (!portal->state)
        return;
    if (portal->lender) {
        plan_give_state(portal->lender, portal->state);
        plan_unref(portal->lender);
        portal->lender = NULL;
        portal->state = NULL;
        return;
    }
    executor_stop(portal->state);
    if (portal->owns_state)
        executor_free(portal->state);
    else
        statement->state_busy = false;
    portal->state = NULL;
}

Portal *portal_find(Session *session, Str name)
{
    for (Portal *portal = session->portals; portal; portal = portal->next)
        if (str_equal(portal->name, name))
            return portal;
    return NULL;
}

Portal *portal_get(Session *session, Str name)
{
    Portal *portal = portal_find(session, name);

    if (!portal && name.length == 0)
        FAIL(ERR_UNDEFINED_CURSOR, .message = STR("portal \"\" does not exist"));
    if (!portal)
        FAIL(ERR_UNDEFINED_CURSOR,
             .message = fmt("portal \"%.*s\" does not exist", STR_ARGS(name)));
    return portal;
}

Portal *portal_open(Session *session, Str name, PreparedStatement *statement)
{
    Portal *old = portal_find(session, name);

    if (old && name.length > 0)
        FAIL(ERR_DUPLICATE_CURSOR,
             .message = fmt("cursor \"%.*s\" already exists", STR_ARGS(name)));
    if (old)
        portal_close(session, old);
    Arena *arena = session->worker->spare_arena;
    if (arena)
        session->worker->spare_arena = NULL;
    else
        arena = arena_new("portal");
    Portal *portal = ARENA_NEW(arena, Portal);
    portal->arena = arena;
    portal->name = str_copy(arena, name);
    portal->number = session->next_portal_number++;
    portal->statement = statement;
    portal->created_at = session->exec.statement_start;
    statement->references++;
    statement->execution_count++;
    portal->next = session->portals;
    session->portals = portal;
    return portal;
}

void portal_close(Session *session, Portal *portal)
{
    for (Portal **link = &session->portals; *link; link = &(*link)->next) {
        if (*link == portal) {
            *link = portal->next;
            break;
        }
    }
    state_release(portal);
    pace_arena_free(portal->plan_arena);
    if (portal->is_pinned && session->exec.catalog.txn)
        txn_snapshot_unpin(session->exec.catalog.txn, &portal->snapshot);
    statement_release(portal->statement);
    if (session->worker->spare_arena || arena_size(portal->arena) > SPARE_ARENA_MAX) {
        pace_arena_free(portal->arena);
    } else {
        session->worker->spare_arena = portal->arena;
        arena_reset(portal->arena);
    }
}

void portals_close_all(Session *session)
{
    while (session->portals)
        portal_close(session, session->portals);
}

/* A state for the statement's plan: the cache's, the statement's own, or another if that is busy.
 */
static bool portal_take_state(Session *session, Portal *portal)
{
    PreparedStatement *statement = portal->statement;

    if (statement->shared) {
        TRY(portal->state = plan_take_state(session, statement->shared));
        portal->lender = plan_ref(statement->shared);
        return true;
    }
    if (statement->state_busy) {
        TRY(portal->state = executor_new(statement->planned, &session->exec));
        portal->owns_state = true;
        return true;
    }
    if (!statement->state)
        TRY(statement->state = executor_new(statement->planned, &session->exec));
    portal->state = statement->state;
    statement->state_busy = true;
    return true;
}

/* statement_ready for the portal's statement; once is enough while the schema stays. */
static bool portal_ready(Session *session, Portal *portal)
{
    if (portal->ready_version != 0 && portal->statement->planned &&
        portal->ready_version == catalog_version(&session->exec.catalog))
        return true;
    TRY(statement_ready(session, portal->statement));
    portal->ready_version = catalog_version(&session->exec.catalog);
    return true;
}

/* Makes it ready for rows. */
static bool portal_start(Session *session, Portal *portal, bool scrollable)
{
    PreparedStatement *statement = portal->statement;

    TRY(portal_ready(session, portal));
    if (statement->is_utility || !statement->statement) {
        portal->is_started = true;
        return true;
    }
    return portal_start_ready(session, portal, scrollable);
}

bool portal_start_ready(Session *session, Portal *portal, bool scrollable)
{
    session->has_queried = true;
    TRY(portal_take_state(session, portal));
    CachedPlan *lender = portal->lender;
    portal->snapshot = *txn_snapshot(session->exec.catalog.txn);
    portal->is_started =
        executor_start(portal->state, &(ExecRequest){
                                          .snapshot = &portal->snapshot,
                                          .parameters = &portal->parameters,
                                          .scrollable = scrollable,
                                          .at_once = portal->is_at_once,
                                          .is_admitted = lender && lender->is_admitted,
                                      });
    if (portal->is_started && lender)
        lender->is_admitted = true;
    return portal->is_started;
}

/* A portal that is left open keeps its snapshot readable. */
static void snapshot_keep(Session *session, Portal *portal)
{
    if (portal->is_pinned || portal->is_finished)
        return;
    txn_snapshot_pin(session->exec.catalog.txn, &portal->snapshot);
    portal->is_pinned = true;
}

void portals_keep_snapshots(Session *session)
{
    for (Portal *portal = session->portals; portal; portal = portal->next)
        if (portal->state)
            snapshot_keep(session, portal);
}

static bool fetch_rows(Session *session, Portal *portal, const FetchStmt *fetch, RowSink *sink,
                       uint64_t *ret_count);

/* Utilities that see no data may come before SET TRANSACTION. */
static bool sees_data(const Node *statement)
{
    switch (statement->tag) {
    case NODE_VARIABLE_SET_STMT:
    case NODE_VARIABLE_SHOW_STMT:
    case NODE_LOCK_STMT:
    case NODE_CHECK_POINT_STMT:
    case NODE_FETCH_STMT:
        return false;
    default:
        return true;
    }
}

static bool run_utility(Session *session, Portal *portal, RowSink *sink, bool is_top_level,
                        Str *ret_tag)
{
    if (portal->is_utility_done)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("portal \"%.*s\" cannot be run", STR_ARGS(portal->name)));
    portal->is_utility_done = portal->is_finished = true;
    session->has_queried |= sees_data(portal->statement->statement);
    return utility_execute(session, portal, is_top_level, sink, ret_tag);
}

/* Execute of a portal that FETCH moves about in: it goes on from where the cursor stands. */
static bool run_cursor(Session *session, Portal *portal, RowSink *sink, uint64_t limit,
                       Str *ret_tag)
{
    const FetchStmt forward = {.direction = FETCH_FORWARD,
                               .how_many = limit ? (int64_t)limit : INT64_MAX};
    uint64_t count = 0;

    TRY(fetch_rows(session, portal, &forward, sink, &count));
    if (limit == 0 || count < limit)
        *ret_tag = command_tag(session->statement_arena, VERB_SELECT, count);
    return true;
}

static bool run_query(Session *session, Portal *portal, RowSink *sink, uint64_t limit, Str *ret_tag)
{
    if (!portal->is_started)
        TRY(portal_start(session, portal, false));
    if (portal->is_finished) {
        *ret_tag = command_tag(session->statement_arena, VERB_SELECT, 0);
        return true;
    }
    TRY(executor_run(portal->state, sink, limit));
    CommandResult result = executor_result(portal->state);
    if (result.finished) {
        portal->is_finished = true;
        *ret_tag = command_tag(session->statement_arena, result.verb, result.row_count);
        state_release(portal);
    } else {
        snapshot_keep(session, portal);
    }
    return true;
}

bool portal_run(Session *session, Portal *portal, RowSink *sink, uint64_t limit, bool is_top_level,
                Str *ret_tag)
{
    *ret_tag = STR_NONE;
    if (portal->statement->is_utility)
        return run_utility(session, portal, sink, is_top_level, ret_tag);
    portal->is_running = true;
    TRY(portal->is_cursor ? run_cursor(session, portal, sink, limit, ret_tag)
                          : run_query(session, portal, sink, limit, ret_tag));
    portal->is_running = false;
    return true;
}

bool portal_description(Session *session, Portal *portal, RowDescription *ret_description)
{
    if (portal->state) {
        *ret_description = *executor_description(portal->state);
        return true;
    }
    PreparedStatement *statement = portal->statement;
    if (portal->is_held) { /* whatever has become of its tables */
        *ret_description = statement->result;
        return true;
    }
    if (!statement->statement || statement->is_utility)
        return statement_describe(session, statement, ret_description);
    TRY(portal_ready(session, portal));
    /* Only planning tells of some that they are utilities after all. */
    if (statement->is_utility)
        return statement_describe(session, statement, ret_description);
    *ret_description = statement->result;
    return true;
}

/* -- Holdable cursors ------------------------------------------------------------------------ */

/* Copies batches as they come, for rows that outlive their transaction. */
typedef struct HoldSink {
    RowSink sink; /* first */
    Portal *portal;
    VEC(Batch *) batches;
} HoldSink;

static bool hold_rows(RowSink *sink, const RowDescription *description, const Batch *batch)
{
    HoldSink *hold = (HoldSink *)sink;
    Arena *arena = hold->portal->arena;
    Batch *copy = ARENA_NEW(arena, Batch);
    uint32_t n = 0;

    copy->column_count = description->count;
    copy->columns = ARENA_ARRAY(arena, Vector *, description->count);
    copy->row_count = copy->selection.count = batch->selection.count;
    for (uint32_t c = 0; c < description->count; c++)
        copy->columns[c] = vector_new(arena, batch->columns[c]->type);
    FOR_SELECTED (batch->selection, row) {
        for (uint32_t c = 0; c < description->count; c++) {
            Value value;
            bool is_null;
            vector_get(batch->columns[c], row, &value, &is_null);
            if (!is_null)
                value = value_copy(arena, batch->columns[c]->type, &value);
            vector_set(copy->columns[c], n, &value, is_null);
        }
        n++;
    }
    VEC_PUSH(arena, &hold->batches, copy);
    hold->portal->held_rows += n;
    return true;
}

/* How far a scrollable portal has got, so that its held rows go on from there. */
static bool portal_hold(Session *session, Portal *portal)
{
    HoldSink hold = {.sink = {.rows = hold_rows}, .portal = portal};
    uint64_t moved;

    (void)session;
    TRY(portal->state);
    portal->held_position = (uint64_t)executor_position(portal->state);
    TRY(executor_fetch(portal->state, NULL, EXEC_FETCH_ABSOLUTE, 0, &moved));
    TRY(executor_fetch(portal->state, &hold.sink, EXEC_FETCH_FORWARD, INT64_MAX, &moved));
    portal->held = hold.batches.items;
    portal->held_count = (uint32_t)hold.batches.length;
    portal->is_held = true;
    state_release(portal);
    return true;
}

bool portals_before_commit(Session *session)
{
    for (Portal *portal = session->portals; portal; portal = portal->next)
        if ((portal->cursor_options & CURSOR_OPT_HOLD) && !portal->is_held && portal->state)
            TRY(portal_hold(session, portal));
    return true;
}

void portals_end_transaction(Session *session, bool committed)
{
    for (Portal *portal = session->portals, *next; portal; portal = next) {
        next = portal->next;
        portal->is_pinned = false; /* pins end with the transaction */
        portal->has_failed |= portal->is_running;
        portal->is_running = false;
        if (!portal->is_held || (!committed && portal->state))
            portal_close(session, portal);
    }
}

void portals_after_error(Session *session, uint32_t mark)
{
    for (Portal *portal = session->portals; portal; portal = portal->next) {
        if (!portal->is_running && (portal->is_held || portal->number < mark))
            continue;
        portal->is_running = false;
        state_release(portal);
        portal->has_failed = portal->is_finished = true;
    }
}

void portals_rollback_to(Session *session, uint32_t mark)
{
    for (Portal *portal = session->portals, *next; portal; portal = next) {
        next = portal->next;
        if (portal->number >= mark && !portal->is_held)
            portal_close(session, portal);
    }
}

/* -- DECLARE, FETCH, CLOSE ------------------------------------------------------------------- */

static const Node *declared_query(const Node *whole)
{
    return &NODE_CAST(DeclareCursorStmt, whole)->query->node;
}

/* Values of $1 … that live as long as the portal. */
static void parameters_copy(Portal *portal, const ExecParameters *from)
{
    Value *values = ARENA_ARRAY(portal->arena, Value, from->count);

    for (uint32_t i = 0; i < from->count; i++)
        if (!from->nulls[i])
            values[i] = value_copy(portal->arena, type_phys(portal->statement->param_types[i]),
                                   &from->values[i]);
    portal->parameters = (ExecParameters){
        .count = from->count,
        .values = values,
        .nulls = arena_copy(portal->arena, from->nulls, sizeof(bool) * from->count),
    };
}

static bool options_agree(uint32_t options)
{
    if ((options & CURSOR_OPT_SCROLL) && (options & CURSOR_OPT_NO_SCROLL))
        FAIL(ERR_INVALID_CURSOR_DEFINITION,
             .message = STR("cannot specify both SCROLL and NO SCROLL"));
    if ((options & CURSOR_OPT_ASENSITIVE) && (options & CURSOR_OPT_INSENSITIVE))
        FAIL(ERR_INVALID_CURSOR_DEFINITION,
             .message = STR("cannot specify both ASENSITIVE and INSENSITIVE"));
    return true;
}

/* What a cursor that locks its rows, or a query that changes some, cannot be. */
static bool query_agrees(const PlannedStatement *planned, uint32_t options)
{
    const Query *query = planned->query;

    if (query->has_modifying_cte)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("DECLARE CURSOR must not contain data-modifying statements in WITH"));
    if (query->row_marks.length == 0)
        return true;
    const char *strength = lock_strength_name(query->row_marks.items[0].strength);
    if (options & CURSOR_OPT_HOLD)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("DECLARE CURSOR WITH HOLD ... %s is not supported", strength),
             .detail = STR("Holdable cursors must be READ ONLY."));
    if (options & CURSOR_OPT_SCROLL)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("DECLARE SCROLL CURSOR ... %s is not supported", strength),
             .detail = STR("Scrollable cursors must be READ ONLY."));
    if (options & CURSOR_OPT_INSENSITIVE)
        FAIL(ERR_INVALID_CURSOR_DEFINITION,
             .message = fmt("DECLARE INSENSITIVE CURSOR ... %s is not valid", strength),
             .detail = STR("Insensitive cursors must be READ ONLY."));
    return true;
}

bool cursor_declare(Session *session, const DeclareCursorStmt *declaration, const Portal *declarer)
{
    bool hold = declaration->options & CURSOR_OPT_HOLD;

    TRY(options_agree(declaration->options));
    if (!hold && !block_is_open(session))
        FAIL(ERR_NO_ACTIVE_SQL_TRANSACTION,
             .message = STR("DECLARE CURSOR can only be used in transaction blocks"));
    PreparedStatement *statement =
        statement_of_part(session, STR(""), declarer->statement->source, declared_query,
                          declarer->statement->param_types, (int)declarer->parameters.count);
    TRY(statement);
    statement->is_cursor = true;
    Portal *portal = portal_open(session, declaration->portalname, statement);
    statement_release(statement);
    TRY(portal);
    parameters_copy(portal, &declarer->parameters);
    portal->is_cursor = true;
    portal->cursor_options = declaration->options;
    if (!statement_ready(session, statement) ||
        !query_agrees(statement->planned, portal->cursor_options) ||
        !portal_start(session, portal, true)) {
        portal_close(session, portal);
        return false;
    }
    if (!(portal->cursor_options & (CURSOR_OPT_SCROLL | CURSOR_OPT_NO_SCROLL)))
        portal->cursor_options |= planner_scans_backward(statement->planned->plan)
                                      ? CURSOR_OPT_SCROLL
                                      : CURSOR_OPT_NO_SCROLL;
    snapshot_keep(session, portal);
    return true;
}

/* Where a fetch ends up and which rows it gives, over `total` held rows; 1-based positions. */
typedef struct FetchRange {
    uint64_t first, count; /* rows given, in order */
    bool backward;
    uint64_t position; /* afterwards: 0 before the first, total + 1 after the last */
} FetchRange;

static FetchRange forward_range(uint64_t at, uint64_t total, uint64_t count)
{
    uint64_t left = at >= total ? 0 : total - at, given = MIN(left, count);

    return (FetchRange){
        .first = at + 1, .count = given, .position = given < count ? total + 1 : at + given};
}

static FetchRange backward_range(uint64_t at, uint64_t count)
{
    uint64_t left = at == 0 ? 0 : at - 1, given = MIN(left, count);

    return (FetchRange){.first = at - 1,
                        .count = given,
                        .backward = true,
                        .position = given < count ? 0 : at - given};
}

static FetchRange single_range(int64_t row, uint64_t total)
{
    if (row < 1)
        return (FetchRange){.position = 0};
    if ((uint64_t)row > total)
        return (FetchRange){.position = total + 1};
    return (FetchRange){.first = (uint64_t)row, .count = 1, .position = (uint64_t)row};
}

static FetchRange held_range(const Portal *portal, const FetchStmt *fetch)
{
    uint64_t at = portal->held_position, total = portal->held_rows;
    int64_t n = fetch->how_many;

    switch (fetch->direction) {
    case FETCH_FORWARD:
        if (n == 0)
            return single_range((int64_t)at, total);
        return n > 0 ? forward_range(at, total, (uint64_t)n)
                     : backward_range(at, n == INT64_MIN ? INT64_MAX : (uint64_t)-n);
    case FETCH_BACKWARD:
        if (n == 0)
            return single_range((int64_t)at, total);
        return n > 0 ? backward_range(at, (uint64_t)n)
                     : forward_range(at, total, n == INT64_MIN ? INT64_MAX : (uint64_t)-n);
    case FETCH_ABSOLUTE:
        return single_range(n < 0 ? (int64_t)total + 1 + n : n, total);
    case FETCH_RELATIVE:
        return single_range((int64_t)at + n, total);
    }
    return (FetchRange){0};
}

/* One held row at a time: they are few, and order may be backward. */
static bool held_fetch(Portal *portal, const FetchStmt *fetch, RowSink *sink,
                       const RowDescription *description, uint64_t *ret_count)
{
    FetchRange range = held_range(portal, fetch);

    if (sink && sink->describe)
        TRY(sink->describe(sink, description));
    for (uint64_t i = 0; sink && sink->rows && i < range.count; i++) {
        uint64_t row = (range.backward ? range.first - i : range.first + i) - 1;
        uint32_t b = 0;
        while (row >= portal->held[b]->row_count)
            row -= portal->held[b++]->row_count;
        uint16_t selected = (uint16_t)row;
        Batch batch = *portal->held[b];
        batch.selection = (Selection){&selected, 1};
        TRY(sink->rows(sink, description, &batch));
    }
    portal->held_position = range.position;
    *ret_count = range.count;
    return true;
}

/* Has the cursor to turn round for it? The row that it is on is given again by going back. */
static bool goes_back(const Portal *portal, const FetchStmt *fetch)
{
    const int64_t n = fetch->how_many;
    const int64_t position =
        portal->is_held ? (int64_t)portal->held_position : executor_position(portal->state);
    const bool is_on_row = portal->is_held ? position > 0 && position <= (int64_t)portal->held_rows
                                           : executor_is_on_row(portal->state);

    switch (fetch->direction) {
    case FETCH_ABSOLUTE:
        return n < 0 || (n == 0 ? position > 0 : n <= position);
    case FETCH_FORWARD:
    case FETCH_RELATIVE:
        return n < 0 || (n == 0 && is_on_row && !fetch->is_move);
    case FETCH_BACKWARD:
        return n > 0 || (n == 0 && is_on_row && !fetch->is_move);
    }
    return true;
}

static bool fetch_rows(Session *session, Portal *portal, const FetchStmt *fetch, RowSink *sink,
                       uint64_t *ret_count)
{
    RowDescription description;

    TRY(portal_description(session, portal, &description));
    if ((portal->cursor_options & CURSOR_OPT_NO_SCROLL) && goes_back(portal, fetch))
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE, .message = STR("cursor can only scan forward"),
             .hint = STR("Declare it with SCROLL option to enable backward scan."));
    if (portal->is_held)
        return held_fetch(portal, fetch, sink, &description, ret_count);
    int64_t count = fetch->how_many;
    ExecFetchDirection direction = EXEC_FETCH_FORWARD;
    switch (fetch->direction) {
    case FETCH_FORWARD:
        direction = EXEC_FETCH_FORWARD;
        break;
    case FETCH_BACKWARD:
        direction = EXEC_FETCH_BACKWARD;
        break;
    case FETCH_ABSOLUTE:
        direction = EXEC_FETCH_ABSOLUTE;
        break;
    case FETCH_RELATIVE:
        direction = EXEC_FETCH_RELATIVE;
        break;
    }
    if ((direction == EXEC_FETCH_FORWARD || direction == EXEC_FETCH_BACKWARD) && count < 0) {
        direction = direction == EXEC_FETCH_FORWARD ? EXEC_FETCH_BACKWARD : EXEC_FETCH_FORWARD;
        count = count == INT64_MIN ? INT64_MAX : -count;
    }
    if ((direction == EXEC_FETCH_FORWARD || direction == EXEC_FETCH_BACKWARD) && count == 0) {
        direction = EXEC_FETCH_RELATIVE;
    }
    return executor_fetch(portal->state, sink, direction, count, ret_count);
}

bool cursor_fetch(Session *session, const FetchStmt *fetch, RowSink *sink, Str *ret_tag)
{
    Portal *portal = portal_find(session, fetch->portalname);
    uint64_t count = 0;

    if (!portal)
        FAIL(ERR_UNDEFINED_CURSOR,
             .message = fmt("cursor \"%.*s\" does not exist", STR_ARGS(fetch->portalname)));
    if (portal->has_failed || (!portal->is_held && !portal->state))
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("portal \"%.*s\" cannot be run", STR_ARGS(portal->name)));
    if (!portal->is_cursor)
        FAIL_UNSUPPORTED("FETCH from a portal that is not a cursor");
    portal->is_running = true;
    TRY(fetch_rows(session, portal, fetch, fetch->is_move ? NULL : sink, &count));
    portal->is_running = false;
    *ret_tag =
        command_tag(session->statement_arena, fetch->is_move ? VERB_MOVE : VERB_FETCH, count);
    return true;
}

bool portals_read(const Session *session, Oid relation)
{
    for (const Portal *portal = session->portals; portal; portal = portal->next) {
        const PlannedStatement *planned = portal->state ? portal->statement->planned : NULL;
        for (size_t i = 0; planned && i < planned->relations.length; i++)
            if (planned->relations.items[i].relation == relation)
                return true;
    }
    return false;
}

bool cursor_row(Session *session, Str name, const RelationDesc *table, int64_t *ret_row_id)
{
    const Portal *portal = portal_find(session, name);

    if (!portal)
        FAIL(ERR_UNDEFINED_CURSOR,
             .message = fmt("cursor \"%.*s\" does not exist", STR_ARGS(name)));
    const PreparedStatement *statement = portal->statement;
    if (statement->is_utility || !statement->planned || statement->planned->command != QUERY_SELECT)
        FAIL(ERR_INVALID_CURSOR_STATE,
             .message = fmt("cursor \"%.*s\" is not a SELECT query", STR_ARGS(name)));
    if (portal->is_held || !portal->state)
        FAIL(ERR_INVALID_CURSOR_STATE,
             .message = fmt("cursor \"%.*s\" is held from a previous transaction", STR_ARGS(name)));
    return executor_current_row(portal->state, name, table, ret_row_id);
}

bool cursor_close(Session *session, Str name)
{
    Portal *portal = portal_find(session, name);

    if (!portal)
        FAIL(ERR_UNDEFINED_CURSOR,
             .message = fmt("cursor \"%.*s\" does not exist", STR_ARGS(name)));
    portal_close(session, portal);
    return true;
}
