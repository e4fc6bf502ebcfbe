/*
 * Slotted nodes.
 */
#include "storage/node.h"

Str node_key(const Node *node, uint32_t index, char *buffer)
{
    Str prefix = node_prefix(node), suffix = node_suffix(node, index);
    size_t from_prefix = MIN(prefix.length, (size_t)TREE_MAX_KEY);
    size_t from_suffix = MIN(suffix.length, TREE_MAX_KEY - from_prefix);
    memcpy(buffer, prefix.data, from_prefix);
    memcpy(buffer + from_prefix, suffix.data, from_suffix);
    return str_make(buffer, from_prefix + from_suffix);
}

static inline uint32_t key_head(const char *key, size_t length)
{
    uint32_t head = 0;
    if (likely(length >= 4)) {
        memcpy(&head, key, 4);
        return __builtin_bswap32(head);
    }
    for (size_t i = 0; i < length; i++)
        head |= (uint32_t)(uint8_t)key[i] << (24 - 8 * i);
    return head;
}

static inline int bytes_compare(Str a, Str b)
{
    size_t shorter = MIN(a.length, b.length);
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* The same where the first four bytes (or what stands for them) are known to be alike. */
static inline int tail_compare(Str a, Str b)
{
    if (MIN(a.length, b.length) >= 8) {
        const uint32_t x = key_head(a.data + 4, 4), y = key_head(b.data + 4, 4);
        if (x != y)
            return x < y ? -1 : 1;
    } else if (MIN(a.length, b.length) <= 4) {
        return (a.length > b.length) - (a.length < b.length);
    }
    return bytes_compare(a, b);
}

/* Puts bytes in front of the heap; there is contiguous room. */
static uint16_t heap_push(Node *node, Str bytes)
{
    node->heap_start = (uint16_t)(node->heap_start - bytes.length);
    node->heap_used = (uint16_t)(node->heap_used + bytes.length);
    if (bytes.length > 0)
        memcpy((char *)node + node->heap_start, bytes.data, bytes.length);
    return node->heap_start;
}

void node_init(Node *node, NodeKind kind, uint32_t level, Str lower, Str upper)
{
    memset((char *)node + PAGE_HEADER_SIZE, 0, sizeof(Node) - PAGE_HEADER_SIZE);
    node->header.kind = (uint8_t)kind;
    node->header.level = (uint8_t)level;
    node->heap_start = PAGE_SIZE;
    node->lower_length = (uint16_t)lower.length;
    node->lower_offset = heap_push(node, lower);
    if (!str_is_none(upper)) {
        node->flags = NODE_HAS_UPPER;
        node->upper_length = (uint16_t)upper.length;
        node->upper_offset = heap_push(node, upper);
        node->prefix_length = (uint16_t)str_common_length(lower, upper);
    }
}

bool node_covers(const Node *node, Str key)
{
    return bytes_compare(node_lower(node), key) <= 0 &&
           (!node_has_upper(node) || bytes_compare(key, node_upper(node)) < 0);
}

/*
 * Keys are often evenly spread, so a guess by the head's place between the first and the last lands
 * near: narrows [*low, *high) to a few slots around it, found in steps that double. What it cannot
 * prove by heads alone it leaves. A torn page costs a wrong range inside [0, count], no more.
 */
static ALWAYS_INLINE void guess_range(const Node *node, uint32_t head, uint32_t *low,
                                      uint32_t *high)
{
    const NodeSlot *slots = node->slots;
    const uint32_t last = *high - 1, first_head = slots[0].head, last_head = slots[last].head;

    if (head < first_head) {
        *high = 0;
        return;
    }
    if (head > last_head) {
        *low = *high;
        return;
    }
    if (first_head >= last_head)
        return;
    uint32_t at = (uint32_t)((uint64_t)(head - first_head) * last / (last_head - first_head));
    at = MIN(at, last);
    const uint32_t there = slots[at].head;
    if (there < head)
        *low = at + 1;
    if (there > head)
        *high = at;
    for (uint32_t step = 1; there <= head && at + step < *high; step *= 2) {
        const uint32_t above = slots[at + step].head;
        if (above > head)
            *high = at + step;
        else if (above < head)
            *low = at + step + 1;
    }
    for (uint32_t step = 1; there >= head && at >= *low + step; step *= 2) {
        const uint32_t below = slots[at - step].head;
        if (below < head)
            *low = at - step + 1;
        else if (below > head)
            *high = at - step;
    }
}

#define SLOTS_WORTH_A_GUESS 16

uint32_t node_lower_bound(const Node *node, Str key, bool *ret_exact)
{
    size_t prefix = NODE_READ(node->prefix_length);
    size_t skip = MIN(prefix, key.length);
    Str suffix = str_make(key.data + skip, key.length - skip);
    uint32_t head = key_head(suffix.data, suffix.length);
    uint32_t low = 0, high = node_count(node);

    *ret_exact = false;
    if (high >= SLOTS_WORTH_A_GUESS)
        guess_range(node, head, &low, &high);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        uint32_t slot_head = NODE_READ(node->slots[middle].head);
        if (slot_head < head) {
            low = middle + 1;
        } else if (slot_head > head) {
            high = middle;
        } else {
            int order = tail_compare(node_suffix(node, middle), suffix);
            if (order == 0) {
                *ret_exact = true;
                return middle;
            }
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }
    }
    return low;
}

uint32_t node_child_index(const Node *node, Str key)
{
    bool exact;
    uint32_t index = node_lower_bound(node, key, &exact);
    return index + exact;
}

uint32_t node_child(const Node *node, uint32_t index)
{
    uint32_t child = 0;
    if (index >= node_count(node))
        return node->upper_child;
    Str value = node_value(node, index);
    if (value.length == sizeof(child))
        memcpy(&child, value.data, sizeof(child));
    return child;
}

void node_set_child(Node *node, uint32_t index, uint32_t child)
{
    if (index >= node->header.count)
        node->upper_child = child;
    else
        memcpy((char *)node + node->slots[index].offset + node->slots[index].key_length, &child,
               sizeof(child));
}

bool node_has_room(const Node *node, size_t key_length, size_t value_length)
{
    return node_free_bytes(node) >=
           sizeof(NodeSlot) + key_length - node->prefix_length + value_length;
}

/* Writes slot `index` (already made room for) and its bytes. */
static void slot_fill(Node *node, uint32_t index, Str suffix, Str value, uint32_t flags)
{
    NodeSlot *slot = &node->slots[index];
    heap_push(node, value);
    slot->offset = heap_push(node, suffix);
    slot->key_length = (uint16_t)suffix.length;
    slot->value_length = (uint16_t)value.length;
    slot->flags = (uint16_t)flags;
    slot->head = key_head(suffix.data, suffix.length);
    node->ghost_count += (flags & SLOT_GHOST) != 0;
}

/* Appends src's slots [from, to); dst's fences lie within or around src's. */
static void node_copy_slots(Node *dst, const Node *src, uint32_t from, uint32_t to)
{
    char buffer[TREE_MAX_KEY];
    for (uint32_t i = from; i < to; i++) {
        Str suffix;
        if (dst->prefix_length == src->prefix_length) {
            suffix = node_suffix(src, i);
        } else {
            Str key = node_key(src, i, buffer);
            suffix = str_make(key.data + dst->prefix_length, key.length - dst->prefix_length);
        }
        dst->header.count++;
        slot_fill(dst, dst->header.count - 1u, suffix, node_value(src, i), src->slots[i].flags);
    }
}

/* Copies all but the page's own header, and what lies between slots and heap: of a node put
 * together elsewhere that is the stack's bytes, which are not for the disk. */
static void node_copy_body(Node *dst, const Node *src)
{
    const size_t slots_end = sizeof(Node) + src->header.count * sizeof(NodeSlot);

    memcpy((char *)dst + PAGE_HEADER_SIZE, (const char *)src + PAGE_HEADER_SIZE,
           slots_end - PAGE_HEADER_SIZE);
    memcpy((char *)dst + src->heap_start, (const char *)src + src->heap_start,
           PAGE_SIZE - src->heap_start);
}

static void node_compact(Node *node)
{
    _Alignas(Node) char buffer[PAGE_SIZE];
    Node *fresh = (Node *)buffer;
    node_init(fresh, (NodeKind)node->header.kind, node->header.level, node_lower(node),
              node_has_upper(node) ? node_upper(node) : STR_NONE);
    fresh->upper_child = node->upper_child;
    node_copy_slots(fresh, node, 0, node->header.count);
    node_copy_body(node, fresh);
}

/* Copies whole words where `to` has the slack for it, too. */
static inline void copy_short(char *to, const char *from, size_t length)
{
    if (likely(length <= NODE_KEYS_SLACK))
        memcpy(to, from, NODE_KEYS_SLACK);
    else
        memcpy(to, from, length);
}

void node_append_keys(Node *node, const char *keys, const uint16_t *lengths, uint32_t count)
{
    const uint32_t prefix = node->prefix_length, before = node->header.count;
    uint32_t size = 0;

    for (uint32_t i = 0; i < count; i++)
        size += lengths[i];
    assert(size >= count * prefix);
    size -= count * prefix;
    assert(node_free_bytes(node) >= size + count * sizeof(NodeSlot));
    assert(node->heap_start >= sizeof(Node) + (before + count) * sizeof(NodeSlot) + size);
    /* From the heap's top down, as if inserted one by one. What a copy writes beyond its end would
     * fall on the key before: so that is written afterwards, and the first one, below what was
     * there already, as it is. */
    char *to = (char *)node + node->heap_start - size;
    const char *from = keys;
    for (uint32_t i = 0; i < count; i++)
        from += lengths[i];
    for (uint32_t i = count; i-- > 0;) {
        const uint32_t length = lengths[i] - prefix;
        from -= lengths[i];
        if (likely((size_t)(to - (char *)node) + NODE_KEYS_SLACK <= node->heap_start))
            copy_short(to, from + prefix, length);
        else
            memcpy(to, from + prefix, length);
        node->slots[before + i] = (NodeSlot){.head = key_head(from + prefix, length),
                                             .offset = (uint16_t)(to - (char *)node),
                                             .key_length = (uint16_t)length};
        to += length;
    }
    node->heap_start = (uint16_t)(node->heap_start - size);
    node->heap_used = (uint16_t)(node->heap_used + size);
    node->header.count = (uint16_t)(before + count);
}

void node_insert(Node *node, uint32_t index, Str key, Str value, uint32_t flags)
{
    assert(index <= node->header.count);
    assert(node_has_room(node, key.length, value.length));
    Str suffix = str_make(key.data + node->prefix_length, key.length - node->prefix_length);
    size_t slots_end = sizeof(Node) + (node->header.count + 1u) * sizeof(NodeSlot);
    if (node->heap_start < slots_end + suffix.length + value.length)
        node_compact(node);
    memmove(&node->slots[index + 1], &node->slots[index],
            (node->header.count - index) * sizeof(NodeSlot));
    node->header.count++;
    slot_fill(node, index, suffix, value, flags);
}

void node_remove(Node *node, uint32_t index)
{
    assert(index < node->header.count);
    NodeSlot *slot = &node->slots[index];
    uint32_t size = (uint32_t)slot->key_length + slot->value_length;
    node->ghost_count -= (slot->flags & SLOT_GHOST) != 0;
    node->heap_used = (uint16_t)(node->heap_used - size);
    if (slot->offset == node->heap_start)
        node->heap_start = (uint16_t)(node->heap_start + size);
    node->header.count--;
    memmove(slot, slot + 1, (node->header.count - index) * sizeof(NodeSlot));
}

void node_purge_ghosts(Node *node, NodeGhostTest *may_go, void *context)
{
    uint32_t kept = 0, ghosts = 0, count = node->header.count;
    char buffer[TREE_MAX_KEY];

    for (uint32_t i = 0; i < count; i++) {
        const NodeSlot *slot = &node->slots[i];
        const bool is_ghost = slot->flags & SLOT_GHOST;
        if (is_ghost && (!may_go || may_go(context, node_key(node, i, buffer)))) {
            node->heap_used = (uint16_t)(node->heap_used - slot->key_length - slot->value_length);
            continue;
        }
        ghosts += is_ghost;
        node->slots[kept++] = *slot;
    }
    node->header.count = (uint16_t)kept;
    node->ghost_count = ghosts;
}

void node_set_ghost(Node *node, uint32_t index, bool is_ghost)
{
    NodeSlot *slot = &node->slots[index];
    if (((slot->flags & SLOT_GHOST) != 0) == is_ghost)
        return;
    slot->flags ^= SLOT_GHOST;
    node->ghost_count += is_ghost ? 1u : -1u;
}

/* ------------------------------------------------------------------ split and merge */

/* The shortest key above `left` and not above `right`. */
static Str shortest_separator(Str left, Str right, char *buffer)
{
    size_t length = MIN(str_common_length(left, right) + 1, right.length);
    memcpy(buffer, right.data, length);
    return str_make(buffer, length);
}

/* The slot at which half of the bytes are to the left. */
static uint32_t node_middle(const Node *node)
{
    uint32_t total = 0, seen = 0, count = node->header.count;
    for (uint32_t i = 0; i < count; i++)
        total += node->slots[i].key_length + node->slots[i].value_length + sizeof(NodeSlot);
    for (uint32_t i = 0; i < count; i++) {
        seen += node->slots[i].key_length + node->slots[i].value_length + sizeof(NodeSlot);
        if (seen >= total / 2)
            return MIN(MAX(i + 1, 1u), count - 1);
    }
    return count / 2;
}

/* Of the slots [from, to), were the prefix so long. */
static size_t range_size(const Node *node, uint32_t from, uint32_t to, size_t prefix)
{
    size_t size = 0;
    for (uint32_t i = from; i < to; i++)
        size += node->slots[i].key_length + node->slots[i].value_length;
    size += (to - from) * (sizeof(NodeSlot) + node->prefix_length);
    return size - (to - from) * prefix;
}

static size_t slots_size(const Node *node, size_t prefix)
{
    return range_size(node, 0, node->header.count, prefix);
}

/* The slots [from, to) between such fences; `upper` STR_NONE: no bound. */
static bool range_fits(const Node *node, uint32_t from, uint32_t to, Str lower, Str upper)
{
    size_t prefix = 0, fences = lower.length;
    if (!str_is_none(upper)) {
        prefix = str_common_length(lower, upper);
        fences += upper.length;
    }
    return fences + range_size(node, from, to, prefix) <= NODE_SPACE;
}

/* All of the node's entries and another upper fence. */
static bool node_fits_closed(const Node *node, Str upper)
{
    return range_fits(node, 0, node->header.count, node_lower(node), upper);
}

void node_choose_split(const Node *node, uint32_t insert_index, Str new_key, NodeSplit *ret_split)
{
    char left_buffer[TREE_MAX_KEY], right_buffer[TREE_MAX_KEY];
    uint32_t count = node->header.count;

    assert(count >= 1);
    if (node_is_inner(node)) {
        bool appends = insert_index == count && !node_has_upper(node);
        ret_split->index = appends ? count - 1 : MIN(node_middle(node), count - 1);
        ret_split->separator = node_key(node, ret_split->index, ret_split->buffer);
        return;
    }
    /* What comes in order leaves full leaves behind, if the fence that closes one has room. */
    bool appends = insert_index == count;
    if (appends) {
        Str separator =
            shortest_separator(node_key(node, count - 1, left_buffer), new_key, ret_split->buffer);
        appends = count == 1 || node_fits_closed(node, separator);
    }
    if (appends || count == 1) {
        uint32_t index = appends ? count : 0;
        ret_split->index = index;
        Str left = appends ? node_key(node, count - 1, left_buffer) : new_key;
        Str right = appends ? new_key : node_key(node, 0, right_buffer);
        ret_split->separator = shortest_separator(left, right, ret_split->buffer);
        return;
    }
    ret_split->index = node_middle(node);
    ret_split->separator =
        shortest_separator(node_key(node, ret_split->index - 1, left_buffer),
                           node_key(node, ret_split->index, right_buffer), ret_split->buffer);
}

bool node_split_fits(const Node *node, const NodeSplit *split)
{
    const Str upper = node_has_upper(node) ? node_upper(node) : STR_NONE;
    assert(!node_is_inner(node));
    return range_fits(node, 0, split->index, node_lower(node), split->separator) &&
           range_fits(node, split->index, node->header.count, split->separator, upper);
}

void node_split(Node *node, Node *right, const NodeSplit *split)
{
    _Alignas(Node) char buffer[PAGE_SIZE];
    Node *left = (Node *)buffer;
    NodeKind kind = (NodeKind)node->header.kind;
    uint32_t count = node->header.count, index = split->index;

    node_init(left, kind, node->header.level, node_lower(node), split->separator);
    node_init(right, kind, node->header.level, split->separator,
              node_has_upper(node) ? node_upper(node) : STR_NONE);
    node_copy_slots(left, node, 0, index);
    if (kind == NODE_INNER) {
        left->upper_child = node_child(node, index);
        node_copy_slots(right, node, index + 1, count);
        right->upper_child = node->upper_child;
    } else {
        node_copy_slots(right, node, index, count);
    }
    node_copy_body(node, left);
}

bool node_can_merge(const Node *left, const Node *right)
{
    Str lower = node_lower(left), upper = node_upper(right);
    size_t prefix = node_has_upper(right) ? str_common_length(lower, upper) : 0;
    size_t size = lower.length + (node_has_upper(right) ? upper.length : 0);
    size += slots_size(left, prefix) + slots_size(right, prefix);
    if (node_is_inner(left))
        size += sizeof(NodeSlot) + node_upper(left).length - prefix + sizeof(uint32_t);
    return size <= NODE_SPACE;
}

void node_merge(Node *left, const Node *right)
{
    _Alignas(Node) char buffer[PAGE_SIZE];
    Node *merged = (Node *)buffer;

    assert(node_can_merge(left, right));
    node_init(merged, (NodeKind)left->header.kind, left->header.level, node_lower(left),
              node_has_upper(right) ? node_upper(right) : STR_NONE);
    node_copy_slots(merged, left, 0, left->header.count);
    if (node_is_inner(left)) {
        node_insert(merged, merged->header.count, node_upper(left),
                    str_make(&left->upper_child, sizeof(uint32_t)), 0);
        merged->upper_child = right->upper_child;
    }
    node_copy_slots(merged, right, 0, right->header.count);
    node_copy_body(left, merged);
}

static void fence_in(Node *node, Str lower, Str upper)
{
    _Alignas(Node) char buffer[PAGE_SIZE];
    Node *fenced = (Node *)buffer;
    node_init(fenced, (NodeKind)node->header.kind, node->header.level, lower, upper);
    fenced->upper_child = node->upper_child;
    node_copy_slots(fenced, node, 0, node->header.count);
    node_copy_body(node, fenced);
}

void node_close(Node *node, Str upper)
{
    assert(!node_has_upper(node));
    fence_in(node, node_lower(node), upper);
}

bool node_refence(Node *node, Str lower, Str upper)
{
    assert(!node_is_inner(node));
    if (!range_fits(node, 0, node->header.count, lower, upper))
        return false;
    fence_in(node, lower, upper);
    return true;
}

bool node_can_refence(const Node *node, Str upper)
{
    return node_fits_closed(node, upper);
}

/* ------------------------------------------------------------------ checking */

static const char *node_check_fences(const Node *node)
{
    if (node->lower_offset + node->lower_length > PAGE_SIZE ||
        node->upper_offset + node->upper_length > PAGE_SIZE)
        return "a fence lies outside the page";
    if (node->lower_length > TREE_MAX_KEY || node->upper_length > TREE_MAX_KEY)
        return "a fence is too long";
    size_t prefix =
        node_has_upper(node) ? str_common_length(node_lower(node), node_upper(node)) : 0;
    if (node->prefix_length != prefix)
        return "the prefix is not the fences'";
    if (node_has_upper(node) && bytes_compare(node_lower(node), node_upper(node)) >= 0)
        return "the fences are out of order";
    return NULL;
}

const char *node_check(const Node *node)
{
    uint32_t count = node->header.count, used, ghosts = 0;
    const char *wrong = node_check_fences(node);

    if (wrong)
        return wrong;
    if (node->header.kind != NODE_INNER && node->header.kind != NODE_SLOTTED_LEAF)
        return "not a slotted node";
    if ((node->header.kind == NODE_INNER) != (node->header.level > 0))
        return "the level does not go with the kind";
    if (count > NODE_MAX_SLOTS || node->heap_start > PAGE_SIZE ||
        sizeof(Node) + count * sizeof(NodeSlot) > node->heap_start)
        return "slots and heap overlap";
    used = node->lower_length + (node_has_upper(node) ? node->upper_length : 0u);
    for (uint32_t i = 0; i < count; i++) {
        const NodeSlot *slot = &node->slots[i];
        uint32_t size = (uint32_t)slot->key_length + slot->value_length;
        if (slot->offset < node->heap_start || slot->offset + size > PAGE_SIZE)
            return "an entry lies outside the heap";
        if (node->prefix_length + slot->key_length > TREE_MAX_KEY)
            return "a key is too long";
        if (slot->head != key_head((const char *)node + slot->offset, slot->key_length))
            return "a head is not its key's";
        if (i > 0 && bytes_compare(node_suffix(node, i - 1), node_suffix(node, i)) >= 0)
            return "keys are out of order";
        if (node_is_inner(node) && slot->value_length != sizeof(uint32_t))
            return "a child is missing";
        used += size;
        ghosts += (slot->flags & SLOT_GHOST) != 0;
    }
    if (used != node->heap_used || used + node->heap_start > PAGE_SIZE)
        return "the heap's size is wrong";
    if (ghosts != node->ghost_count)
        return "the number of ghosts is wrong";
    char buffer[TREE_MAX_KEY];
    if (count > 0 && (!node_covers(node, node_key(node, 0, buffer)) ||
                      !node_covers(node, node_key(node, count - 1, buffer))))
        return "a key lies outside the fences";
    return NULL;
}
