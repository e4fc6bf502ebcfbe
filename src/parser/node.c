#include "parser/node.h"

Node *node_new_sized(Arena *arena, NodeTag tag, size_t size, int position)
{
    Node *node = arena_alloc_zeroed(arena, size);

    node->tag = tag;
    node->position = position;
    return node;
}

const char *node_name(NodeTag tag)
{
    switch (tag) {
#define X(TAG, type)                                                                               \
    case NODE_##TAG:                                                                               \
        return #type;
        NODE_TAGS(X)
#undef X
    default:
        return "?";
    }
}

Str name_list_text(Arena *arena, const StrVec *names)
{
    StrBuf text = strbuf_in(arena);

    for (size_t i = 0; i < names->length; i++) {
        if (i > 0)
            strbuf_append_char(&text, '.');
        strbuf_append(&text, names->items[i]);
    }
    return strbuf_view(&text);
}
