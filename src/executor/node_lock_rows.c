#include "executor/expr.h"
#include "executor/scan_columns.h"
#include "txn/lock.h"

/*
 * SELECT … FOR UPDATE and its kin. Each row of the child names the table rows it is made of; those
 * are locked in order. When one has changed since the snapshot, the row is made again by a second
 * tree of the child's plan, in which every table gives the one row in question, the changed ones as
 * they are now (READ COMMITTED); no result: the row no longer qualifies.
 *
 * Under a LIMIT, or when rows are asked for a few at a time, rows are locked one by one: what the
 * client never sees is not locked.
 */

/* The columns of a table's keys that foreign keys may refer to. */
typedef struct RowKey {
    uint16_t *columns;
    uint32_t count;
} RowKey;

typedef struct LockRowsState {
    NodeState base;
    TableHandle **tables; /* by mark */
    RowKey *keys;         /* by mark: of KEY SHARE alone */
    Batch *child;
    uint32_t at;     /* the selected row of `child` that is next */
    bool has_nowait; /* some rows are not waited for: those locked before are given */
    uint16_t *rows;
    Batch *renewed; /* made again; to be given next */
    ExecState *epq; /* NULL: not needed so far */
} LockRowsState;

typedef enum RowClaim {
    CLAIM_FAILED = 0,
    CLAIM_KEEP,  /* locked as it is */
    CLAIM_RENEW, /* locked, but something has changed */
    CLAIM_SKIP,
} RowClaim;

static RowKey row_key_of(const RelationDesc *table, Arena *arena)
{
    RowKey key = {.columns = ARENA_ARRAY(arena, uint16_t, table->column_count + 1)};
    for (uint32_t c = 0; c < table->column_count; c++) {
        bool is_in_key = false;
        for (size_t i = 0; i < table->index_count && !is_in_key; i++) {
            const IndexDesc *index = &table->indexes[i];
            bool has_expression = false;
            for (uint32_t k = 0; k < index->key_count; k++) {
                has_expression |= index->columns[k].attnum == 0;
                is_in_key |= index->columns[k].attnum == (int)c + 1;
            }
            is_in_key = is_in_key && index->is_unique && index->is_immediate && !has_expression &&
                        index->predicate.length == 0;
        }
        if (is_in_key)
            key.columns[key.count++] = (uint16_t)c;
    }
    return key;
}

static bool lock_rows_init(NodeState *node)
{
    LockRowsState *state = (LockRowsState *)node;
    const LockRowsPlan *plan = (const LockRowsPlan *)node->plan;
    Arena *arena = node->exec->arena;
    state->tables = ARENA_ARRAY(arena, TableHandle *, plan->marks.length + 1);
    state->keys = ARENA_ARRAY(arena, RowKey, plan->marks.length + 1);
    for (size_t m = 0; m < plan->marks.length; m++) {
        node->exec->is_volatile |= plan->marks.items[m].wait == LOCK_WAIT_SKIP;
        state->has_nowait |= plan->marks.items[m].wait == LOCK_WAIT_ERROR;
        TRY(state->tables[m] = exec_table(node->exec, plan->marks.items[m].relation));
        if (plan->marks.items[m].strength == LOCK_FOR_KEY_SHARE)
            state->keys[m] = row_key_of(state->tables[m]->desc, arena);
    }
    state->rows = arena_alloc(arena, VECTOR_SIZE * sizeof(uint16_t));
    return true;
}

RowLockMode row_lock_mode(LockStrength strength)
{
    switch (strength) {
    case LOCK_FOR_KEY_SHARE:
        return ROW_LOCK_KEY_SHARE;
    case LOCK_FOR_SHARE:
        return ROW_LOCK_SHARE;
    case LOCK_FOR_NO_KEY_UPDATE:
        return ROW_LOCK_NO_KEY_UPDATE;
    default:
        return ROW_LOCK_UPDATE;
    }
}

static LockWait lock_wait_mode(LockWaitPolicy policy)
{
    return policy == LOCK_WAIT_SKIP    ? LOCK_TRY
           : policy == LOCK_WAIT_ERROR ? LOCK_NOWAIT
                                       : LOCK_WAIT;
}

static int64_t mark_row_id(const Batch *batch, const LockMark *mark, uint32_t row)
{
    Value id;
    bool is_null;
    vector_get(batch->columns[mark->row_id_column], row, &id, &is_null);
    return is_null ? 0 : id.int64;
}

static RowClaim claim_row(LockRowsState *state, uint32_t row)
{
    NodeState *node = &state->base;
    const LockRowsPlan *plan = (const LockRowsPlan *)node->plan;
    RowClaim claim = CLAIM_KEEP;
    for (size_t m = 0; m < plan->marks.length; m++) {
        const LockMark *mark = &plan->marks.items[m];
        const int64_t id = mark_row_id(state->child, mark, row);
        if (mark->strength == LOCK_NO_ROWS || id == 0)
            continue;
        RowLockRequest request = {.mode = row_lock_mode(mark->strength),
                                  .wait = lock_wait_mode(mark->wait),
                                  .snapshot = node->exec->snapshot,
                                  .relation = mark->relation,
                                  .relation_name = state->tables[m]->desc->name,
                                  .key_columns = state->keys[m].columns,
                                  .key_column_count = state->keys[m].count};
        RowLockResult result;
        switch (txn_lock_row(node->exec->session->catalog.txn, state->tables[m]->tree, id, &request,
                             node->scratch, &result)) {
        case ROW_LOCK_FAILED:
            row_wait_add_context("locking", id, request.relation_name);
            return CLAIM_FAILED;
        case ROW_LOCK_LOCKED:
            break;
        case ROW_LOCK_CHANGED:
            claim = CLAIM_RENEW;
            break;
        case ROW_LOCK_GONE:
        case ROW_LOCK_SELF:
        case ROW_LOCK_WOULD_BLOCK:
            return CLAIM_SKIP;
        }
    }
    return claim;
}

/* The row once more, from the newest versions of what is locked: into state->renewed, or nothing.
 */
static bool row_renew(LockRowsState *state, uint32_t row)
{
    NodeState *node = &state->base;
    const LockRowsPlan *plan = (const LockRowsPlan *)node->plan;
    const uint32_t count = (uint32_t)plan->marks.length;
    if (!state->epq)
        TRY(state->epq = exec_new_epq(node->exec, node->plan->left, count));
    for (uint32_t m = 0; m < count; m++) {
        const LockMark *mark = &plan->marks.items[m];
        const int64_t id = mark_row_id(state->child, mark, row);
        state->epq->overrides[m] = (EpqOverride){.rel = mark->rel,
                                                 .row_id = id,
                                                 .is_missing = id == 0,
                                                 .is_newest = mark->strength != LOCK_NO_ROWS};
    }
    exec_epq_begin(state->epq);
    return node_next(state->epq->root, &state->renewed);
}

/*
 * A row that cannot be locked at once, behind rows that can: those are given first. It is tried
 * once more when its turn comes.
 */
static bool put_off(LockRowsState *state, uint32_t *ret_kept, uint32_t kept)
{
    if (!state->has_nowait || error_fields()->sqlstate != ERR_LOCK_NOT_AVAILABLE)
        return false;
    error_clear();
    state->at--;
    *ret_kept = kept;
    return true;
}

/* Claims rows of the child's batch from state->at on; stops behind one that was made again. */
static bool claim_rows(LockRowsState *state, uint32_t *ret_kept)
{
    const Batch *child = state->child;
    const LockRowsPlan *plan = (const LockRowsPlan *)state->base.plan;
    const bool one_by_one = plan->is_limited || state->base.exec->gives_few;
    uint32_t kept = 0;
    while (state->at < child->selection.count && !state->renewed && !(one_by_one && kept > 0)) {
        CHECK_INTERRUPTS();
        node_scratch_reset(&state->base);
        const uint32_t row = selection_row(child->selection, state->at++);
        switch (claim_row(state, row)) {
        case CLAIM_FAILED:
            return kept > 0 && put_off(state, ret_kept, kept);
        case CLAIM_KEEP:
            state->rows[kept++] = (uint16_t)row;
            break;
        case CLAIM_RENEW:
            TRY(row_renew(state, row));
            break;
        case CLAIM_SKIP:
            break;
        }
    }
    *ret_kept = kept;
    return true;
}

static bool lock_rows_next(NodeState *node, Batch **ret_batch)
{
    LockRowsState *state = (LockRowsState *)node;
    *ret_batch = NULL;
    for (;;) {
        uint32_t kept = 0;
        if (state->renewed) {
            *ret_batch = state->renewed;
            state->renewed = NULL;
            return true;
        }
        if (!state->child || state->at >= state->child->selection.count) {
            TRY(node_next(node->left, &state->child));
            state->at = 0;
            if (!state->child)
                return true;
        }
        TRY(claim_rows(state, &kept));
        if (kept > 0) {
            node->output = *state->child;
            node->output.selection = (Selection){.rows = state->rows, .count = kept};
            *ret_batch = &node->output;
            return true;
        }
    }
}

static void lock_rows_stop(NodeState *node)
{
    LockRowsState *state = (LockRowsState *)node;
    state->child = state->renewed = NULL;
    state->at = 0;
    if (state->epq)
        executor_stop(state->epq);
}

static bool lock_rows_rewind(NodeState *node)
{
    lock_rows_stop(node);
    return node_rewind(node->left);
}

static void lock_rows_free(NodeState *node)
{
    executor_free(((LockRowsState *)node)->epq);
}

const NodeMethods node_lock_rows_methods = {
    .size = sizeof(LockRowsState),
    .init = lock_rows_init,
    .next = lock_rows_next,
    .rewind = lock_rows_rewind,
    .stop = lock_rows_stop,
    .free = lock_rows_free,
};
