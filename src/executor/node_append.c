#include "executor/node.h"

/* The children's rows, one child after the other. */

typedef struct AppendState {
    NodeState base;
    uint32_t at;
} AppendState;

static bool append_init(NodeState *node)
{
    const AppendPlan *plan = (const AppendPlan *)node->plan;
    node->children = ARENA_ARRAY(node->exec->arena, NodeState *, plan->children.length + 1);
    for (size_t i = 0; i < plan->children.length; i++) {
        TRY(node->children[i] = node_new(node->exec, plan->children.items[i]));
        node->child_count++;
    }
    return true;
}

static bool append_next(NodeState *node, Batch **ret_batch)
{
    AppendState *state = (AppendState *)node;
    *ret_batch = NULL;
    while (state->at < node->child_count) {
        TRY(node_next(node->children[state->at], ret_batch));
        if (*ret_batch)
            return true;
        state->at++;
    }
    return true;
}

static bool append_rewind(NodeState *node)
{
    ((AppendState *)node)->at = 0;
    for (uint32_t i = 0; i < node->child_count; i++)
        TRY(node_rewind(node->children[i]));
    return true;
}

static void append_stop(NodeState *node)
{
    ((AppendState *)node)->at = 0;
}

const NodeMethods node_append_methods = {
    .size = sizeof(AppendState),
    .init = append_init,
    .next = append_next,
    .rewind = append_rewind,
    .stop = append_stop,
};
