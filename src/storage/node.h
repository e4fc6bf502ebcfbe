/*
 * Slotted nodes: inner pages of every tree, and the leaves of indexes and key-value trees.
 *
 * Internal to the storage room: pure code on one page's bytes. Slots ascend by key from the front
 * of the page, keys and values fill a heap from its end. All keys share the prefix that the two
 * fences have in common, which is stored once; a slot has the next four bytes (the head) beside it,
 * so that a search seldom leaves the slots.
 *
 * Inner: slot i is a separator and the child with the keys below it (and not below slot i-1);
 * `upper_child` has the keys from the last separator on. Its level is above 0. A node covers keys
 * from `lower` (empty: no bound) up to and without `upper` (absent: no bound).
 *
 * Readers may look at an inner node while it changes and find out afterwards (page.h): everything
 * read is clamped to the page, so that the worst is a wrong answer that validation throws away.
 */
#ifndef STORAGE_NODE_H
#define STORAGE_NODE_H

#include "storage/page.h"
#include "storage/tree.h"

typedef enum NodeKind {
    NODE_INNER = 1,
    NODE_SLOTTED_LEAF = 2,
    NODE_TABLE_LEAF = 3,
    NODE_OVERFLOW = 4,
} NodeKind;

/* What all tree pages have in front, after the page's own header. */
typedef struct NodeHeader {
    uint64_t page[PAGE_HEADER_SIZE / 8]; /* the pager's */
    uint8_t kind;                        /* NodeKind */
    uint8_t level;
    uint16_t count; /* slots, rows */
} NodeHeader;

typedef enum NodeFlags { NODE_HAS_UPPER = 1 } NodeFlags;
typedef enum SlotFlags { SLOT_GHOST = 1, SLOT_EXTERNAL = 2 } SlotFlags;

typedef struct NodeSlot {
    uint32_t head;   /* first four bytes of the suffix, big-endian, zero-filled */
    uint16_t offset; /* of the suffix; the value follows it */
    uint16_t key_length;
    uint16_t value_length;
    uint16_t flags; /* SlotFlags */
} NodeSlot;

typedef struct Node {
    NodeHeader header;
    uint16_t flags; /* NodeFlags */
    uint16_t heap_start;
    uint16_t heap_used; /* bytes in use from heap_start to the end; the rest is holes */
    uint16_t prefix_length;
    uint16_t lower_offset, lower_length;
    uint16_t upper_offset, upper_length;
    uint32_t upper_child;
    uint32_t ghost_count;
    NodeSlot slots[];
} Node;

#define NODE_SPACE (PAGE_SIZE - sizeof(Node)) /* bytes for slots, fences, keys and values */
#define NODE_MAX_SLOTS (NODE_SPACE / sizeof(NodeSlot))
#define NODE_MAX_VALUE 2000 /* larger values go to overflow pages */
static_assert(2 * TREE_MAX_KEY + 2 * (TREE_MAX_KEY + NODE_MAX_VALUE + sizeof(NodeSlot)) <=
                  NODE_SPACE,
              "two entries of any size fit beside the fences");
static_assert(PAGE_SIZE <= 32768, "offsets have 16 bits");

/* A field of a page that may change under the reader: read once, so that what was looked at is what
 * is used. */
#define NODE_READ(field) (*(const volatile __typeof__(field) *)&(field))

static inline bool node_is_inner(const Node *node)
{
    return node->header.kind == NODE_INNER;
}
static inline uint32_t node_count(const Node *node)
{
    return MIN((uint32_t)NODE_READ(node->header.count), (uint32_t)NODE_MAX_SLOTS);
}
/* A slice of the page; empty where the offsets point out of it. */
static inline Str node_bytes(const Node *node, uint32_t offset, uint32_t length)
{
    return offset + length <= PAGE_SIZE ? str_make((const char *)node + offset, length)
                                        : str_make((const char *)node, 0);
}
static inline Str node_lower(const Node *node)
{
    return node_bytes(node, NODE_READ(node->lower_offset), NODE_READ(node->lower_length));
}
static inline bool node_has_upper(const Node *node)
{
    return node->flags & NODE_HAS_UPPER;
}
static inline Str node_upper(const Node *node)
{
    return node_bytes(node, NODE_READ(node->upper_offset), NODE_READ(node->upper_length));
}
static inline Str node_prefix(const Node *node)
{
    uint32_t length = NODE_READ(node->prefix_length), whole = NODE_READ(node->lower_length);
    return node_bytes(node, NODE_READ(node->lower_offset), MIN(length, whole));
}
static inline Str node_suffix(const Node *node, uint32_t index)
{
    const NodeSlot *slot = &node->slots[index];
    return node_bytes(node, NODE_READ(slot->offset), NODE_READ(slot->key_length));
}
static inline Str node_value(const Node *node, uint32_t index)
{
    const NodeSlot *slot = &node->slots[index];
    uint32_t offset = NODE_READ(slot->offset), key_length = NODE_READ(slot->key_length);
    return node_bytes(node, offset + key_length, NODE_READ(slot->value_length));
}
static inline size_t node_key_length(const Node *node, uint32_t index)
{
    return node_prefix(node).length + node_suffix(node, index).length;
}
/* Writes the whole key; the buffer holds TREE_MAX_KEY bytes. Returns a view of it. */
Str node_key(const Node *node, uint32_t index, char *buffer);

/* `upper` STR_NONE: no upper bound. The page's own header is left alone. */
void node_init(Node *node, NodeKind kind, uint32_t level, Str lower, Str upper);
/* Is the key within the fences? */
bool node_covers(const Node *node, Str key);
/* The first slot with a key >= `key`. */
uint32_t node_lower_bound(const Node *node, Str key, bool *ret_exact);
/* The child to follow for `key`, and its index (count: the upper child). */
uint32_t node_child_index(const Node *node, Str key);
uint32_t node_child(const Node *node, uint32_t index);
void node_set_child(Node *node, uint32_t index, uint32_t child);

/* Free bytes, holes included. */
static inline uint32_t node_free_bytes(const Node *node)
{
    return (uint32_t)(NODE_SPACE - node->heap_used - node->header.count * sizeof(NodeSlot));
}
/* Does an entry fit (perhaps after compaction)? */
bool node_has_room(const Node *node, size_t key_length, size_t value_length);
/* Inserts at the index, where node_has_room. */
void node_insert(Node *node, uint32_t index, Str key, Str value, uint32_t flags);
/*
 * Appends keys that lie one behind another, ascending, to a node that has room for all of them; up
 * to NODE_KEYS_SLACK bytes behind the last are read.
 */
#define NODE_KEYS_SLACK 16
void node_append_keys(Node *node, const char *keys, const uint16_t *lengths, uint32_t count);
void node_remove(Node *node, uint32_t index);
/* Removes all ghosts (NULL), or those of which `may_go` says so by the whole key. */
typedef bool NodeGhostTest(void *context, Str key);
void node_purge_ghosts(Node *node, NodeGhostTest *may_go, void *context);
void node_set_ghost(Node *node, uint32_t index, bool is_ghost);

/*
 * Where to split so that an insert at `insert_index` succeeds, and the separator. `new_key` is
 * what will go in. Appending splits at the end: a node filled in key order stays full.
 */
typedef struct NodeSplit {
    uint32_t index; /* leaf: first slot of the right node; inner: the slot that moves up */
    Str separator;
    char buffer[TREE_MAX_KEY];
} NodeSplit;
void node_choose_split(const Node *node, uint32_t insert_index, Str new_key, NodeSplit *ret_split);
/* Do both halves find room, the separator in them? Not asked of what node_choose_split says. */
bool node_split_fits(const Node *node, const NodeSplit *split);
/* `right` is a fresh page. */
void node_split(Node *node, Node *right, const NodeSplit *split);
/* Would left, the separator between them (inner) and right fit into one? */
bool node_can_merge(const Node *left, const Node *right);
/* Moves all of right to the end of left. */
void node_merge(Node *left, const Node *right);

/* Gives a node that has no upper bound one, and its keys their prefix. It has room for the fence.
 */
void node_close(Node *node, Str upper);
/* Gives a leaf other fences around all its keys; false: there is no room for them. */
bool node_refence(Node *node, Str lower, Str upper);
/* Is there room for this upper fence in place of what it has? */
bool node_can_refence(const Node *node, Str upper);

/* B1 and the page's own bookkeeping; what is wrong, or NULL. */
const char *node_check(const Node *node);

#endif
