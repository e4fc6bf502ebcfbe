#include "executor/node.h"

/* Plan nodes that are refused when a statement is made ready, naming what is missing. */

#define REFUSED(symbol, feature)                       \
    static bool symbol##_refuse(NodeState *node)       \
    {                                                  \
        FAIL_UNSUPPORTED(feature);                     \
    }                                                  \
    const NodeMethods symbol##_methods = {.size = sizeof(NodeState), .init = symbol##_refuse};

REFUSED(node_merge_join, "merge join")
