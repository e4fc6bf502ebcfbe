#include "executor/node.h"

/*
 * Errors at the row where they belong.
 *
 * A node computes a batch of rows at once, of which the consumer may want only the first ones. When
 * a row fails, the rows before it have not been given yet, and perhaps it would never have been
 * asked for. So an execution without effects is run a second time: at full speed as far as its rows
 * have been taken, then one row at a time, as PostgreSQL runs it. What fails then, fails for good.
 *
 * An execution with effects (nextval …) goes one row at a time from the beginning, and is never run
 * again.
 */

/* More batches than this are not looked through again for an error that is certain to come. */
#define CERTAIN_BATCHES 256

bool error_is_of_values(void)
{
    if (!error_is_set() || error_fields()->severity != SEVERITY_ERROR)
        return false;
    const SqlStateText code = sqlstate_text(error_fields()->sqlstate);
    static const char *const classes[] = {"0A", "21", "22", "23", "42", "44", "54", "55000"};
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++)
        if (memcmp(code.text, classes[i], strlen(classes[i])) == 0)
            return true;
    return false;
}

static bool may_replay(const ExecState *exec, uint64_t taken)
{
    if (exec->batch_size == 1 || exec->has_effects || exec->stmt->has_modifying_cte)
        return false;
    /* Other values at the second time: what has been taken would not be what is left out. */
    if (exec->is_volatile && taken > 0)
        return false;
    if (!exec->stops_early && !exec->gives_few && exec->batch_count > CERTAIN_BATCHES)
        return false;
    return error_is_of_values();
}

void exec_forget(ExecState *exec)
{
    for (size_t i = 0; i < exec->made.length; i++)
        node_stop(exec->made.items[i]);
    for (size_t i = 0; exec->stmt && exec->subplans && i < exec->stmt->subplans.length; i++) {
        SubplanState *sub = &exec->subplans[i];
        if (sub->store_ready)
            row_store_clear(&sub->store);
        sub->run_at = 0;
        sub->is_finished = false;
    }
    for (uint32_t i = 0; i < exec->param_count; i++) {
        exec->params[i].is_set = exec->params[i].is_running = false;
        exec->params[i].changed_at = 0;
    }
    exec->param_clock = 0;
}

/* The batch without its first rows. */
static void leave_out(ExecState *exec, Batch *batch, uint32_t count)
{
    const uint32_t left = batch->selection.count - count;
    uint16_t *rows = ARENA_ARRAY(exec->run_arena, uint16_t, left);
    for (uint32_t i = 0; i < left; i++)
        rows[i] = (uint16_t)selection_row(batch->selection, count + i);
    batch->selection = (Selection){.rows = rows, .count = left};
}

/* Runs again, leaving out rows that have been taken; the first one after them comes alone. */
static bool run_again(NodeState *node, uint64_t taken, Batch **ret_batch)
{
    ExecState *exec = node->exec;
    exec_forget(exec);
    for (uint64_t left = taken; left > 0;) {
        TRY(node_next(node, ret_batch));
        if (!*ret_batch)
            return true;
        if ((*ret_batch)->selection.count > left) {
            leave_out(exec, *ret_batch, (uint32_t)left);
            exec->batch_size = 1;
            return true;
        }
        left -= (*ret_batch)->selection.count;
    }
    exec->batch_size = 1;
    return node_next(node, ret_batch);
}

bool node_next_exact(NodeState *node, uint64_t *taken, Batch **ret_batch)
{
    ExecState *exec = node->exec;
    const uint64_t before = *taken;
    bool done = node_next(node, ret_batch);
    if (unlikely(!done) && may_replay(exec, before)) {
        error_clear();
        done = run_again(node, before, ret_batch);
        /* Batches need not be cut where they were: then all of them are of one row. */
        if (!done && may_replay(exec, before)) {
            error_clear();
            exec->batch_size = 1;
            done = run_again(node, before, ret_batch);
        }
    }
    TRY(done);
    *taken = before + (*ret_batch ? (*ret_batch)->selection.count : 0);
    return true;
}
