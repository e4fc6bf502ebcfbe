/*
 * Indexes and key-value trees: entries by key.
 */
#include "storage/faults.h"
#include "storage/tree_internal.h"
#include "storage/tree_pairs.h"

static COLD bool key_too_long(Str key)
{
    FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
         .message =
             fmt("index row size %zu exceeds maximum %u", key.length, (unsigned)TREE_MAX_KEY),
         .hint = STR("Values larger than 1/3 of a buffer page cannot be indexed.\n"
                     "Consider a function index of an MD5 hash of the value, or use full text "
                     "indexing."));
}

/* Opens an action with the leaf of the key latched; checks that it is one. */
static bool entry_write(Tree *tree, Str key, Action *action, Page *page)
{
    TRY(tree_leaf_write(tree, key, 1, action, page));
    const Node *node = page_node(page);
    if (likely(node->header.kind == NODE_SLOTTED_LEAF && node_covers(node, key)))
        return true;
    tree_write_end(action, page);
    return tree_damaged(tree, page->id, "not the leaf of its key");
}

/* What an observer of a key-value tree may ask for; laid out as tree_table.c's. */
typedef struct EntryDetail {
    const TableLeaf *leaf;
    uint32_t position;
    Str value;
} EntryDetail;

static void entry_observe(const TreeObserver *observer, Tree *tree, const Page *page, Str key,
                          bool existed, bool was_ghost, bool deletes, Str old_value)
{
    if (!observer)
        return;
    EntryDetail detail = {.value = str_is_none(old_value) ? STR("") : old_value};
    TreeChange change = {
        .tree = tree,
        .versions = page_versions_slot(page),
        .row_id = key.length >= 8 ? tree_key_row_id(key) : 0,
        .key = key,
        .existed = existed,
        .was_ghost = was_ghost,
        .deletes = deletes,
        .old_size = (uint32_t)old_value.length,
        .detail = &detail,
    };
    observer->before(observer->context, &change);
}

/* ------------------------------------------------------------------ index entries */

static bool ghost_may_go(void *context, Str key)
{
    return tree_hook_may_purge_ghost(context, key);
}

/* Takes the ghosts out of a leaf that nobody needs any more; how many those were. */
static uint32_t leaf_purge(Tree *tree, Action *action, Page *page)
{
    Node *node = page_node(page);
    const uint32_t ghosts = node->ghost_count;

    if (ghosts == 0)
        return 0;
    page_touch(action, page);
    node_purge_ghosts(node, tree_hook_may_purge(tree, page) ? NULL : ghost_may_go, tree);
    return ghosts - node->ghost_count;
}

/* Is it time to tell of this leaf's ghosts: at each quarter of what it has, and of the last one? */
static bool ghosts_are_due(const Tree *tree, const Page *page)
{
    const Node *node = page_node(page);
    const uint32_t ghosts = node->ghost_count, count = node_count(node);

    if (ghosts == count || FAULT(fault_yield_often))
        return page->id != tree->root;
    return ghosts >= GHOSTS_LEAST && ghosts % MAX(count / 4, GHOSTS_LEAST) == 0;
}

/* True when done; false: there is no room. */
static bool index_insert_in_leaf(Tree *tree, Action *action, Page *page, Str key,
                                 const TreeObserver *observer)
{
    Node *node = page_node(page);
    bool exact;
    uint32_t index = node_lower_bound(node, key, &exact);

    if (exact) {
        bool ghost = node->slots[index].flags & SLOT_GHOST;
        if (!ghost)
            return true;
        page_touch(action, page);
        entry_observe(observer, tree, page, key, true, true, false, STR_NONE);
        node_set_ghost(node, index, false);
        tree_count_rows(tree, 1);
        return true;
    }
    if (!node_has_room(node, key.length, 0)) {
        if (leaf_purge(tree, action, page) == 0 || !node_has_room(node, key.length, 0))
            return false;
        index = node_lower_bound(node, key, &exact);
    }
    page_touch(action, page);
    entry_observe(observer, tree, page, key, false, false, false, STR_NONE);
    node_insert(node, index, key, STR(""), 0);
    tree_count_rows(tree, 1);
    return true;
}

bool tree_index_insert(Tree *tree, Str key, const TreeObserver *observer)
{
    assert(tree->kind == TREE_INDEX && key.length >= 8);
    if (unlikely(key.length > TREE_MAX_KEY))
        return key_too_long(key);
    for (;;) {
        Action action;
        Page page;
        TRY(entry_write(tree, key, &action, &page));
        bool done = index_insert_in_leaf(tree, &action, &page, key, observer);
        tree_write_end(&action, &page);
        if (done)
            return true;
        TRY(tree_split(tree, key, 0));
    }
}

/* Into the leaf of the first one, as long as they belong there and find room. */
static bool index_insert_neighbours(Tree *tree, const Str *keys, uint32_t count, uint32_t *ret_put)
{
    Action action;
    Page page;
    bool has_room;

    *ret_put = 0;
    TRY(entry_write(tree, keys[0], &action, &page));
    do {
        has_room = index_insert_in_leaf(tree, &action, &page, keys[*ret_put], NULL);
        *ret_put += has_room;
    } while (has_room && *ret_put < count && keys[*ret_put].length <= TREE_MAX_KEY &&
             node_covers(page_node(&page), keys[*ret_put]));
    tree_write_end(&action, &page);
    return has_room || tree_split(tree, keys[*ret_put], 0);
}

bool tree_index_insert_all(Tree *tree, const Str *keys, uint32_t count)
{
    assert(tree->kind == TREE_INDEX);
    for (uint32_t at = 0; at < count;) {
        uint32_t put;
        if (unlikely(keys[at].length > TREE_MAX_KEY))
            return key_too_long(keys[at]);
        TRY(index_insert_neighbours(tree, keys + at, count - at, &put));
        at += put;
    }
    return true;
}

bool tree_index_ghost(Tree *tree, Str key, const TreeObserver *observer)
{
    Action action;
    Page page;
    bool exact;

    assert(tree->kind == TREE_INDEX);
    TRY(entry_write(tree, key, &action, &page));
    Node *node = page_node(&page);
    uint32_t index = node_lower_bound(node, key, &exact);
    if (exact && !(node->slots[index].flags & SLOT_GHOST)) {
        page_touch(&action, &page);
        entry_observe(observer, tree, &page, key, true, false, true, STR_NONE);
        node_set_ghost(node, index, true);
        tree_count_rows(tree, -1);
        if (ghosts_are_due(tree, &page))
            tree_hook_ghosts_gather(tree, &page, key);
    }
    tree_write_end(&action, &page);
    return true;
}

bool tree_index_purge(Tree *tree, Str key, void **ret_versions, uint32_t *ret_kept)
{
    Action action;
    Page page;

    assert(tree->kind == TREE_INDEX);
    TRY(entry_write(tree, key, &action, &page));
    const bool has_shrunk = leaf_purge(tree, &action, &page) > 0;
    const bool underfull = has_shrunk && tree_leaf_is_underfull(tree, &page);
    *ret_versions = *page_versions_slot(&page);
    *ret_kept = page_node(&page)->ghost_count;
    tree_write_end(&action, &page);
    return !underfull || tree_shrink(tree, key, 0);
}

bool tree_index_delete(Tree *tree, Str key, const TreeObserver *observer)
{
    Action action;
    Page page;
    bool exact, underfull = false;

    assert(tree->kind == TREE_INDEX);
    TRY(entry_write(tree, key, &action, &page));
    Node *node = page_node(&page);
    uint32_t index = node_lower_bound(node, key, &exact);
    if (exact) {
        bool ghost = node->slots[index].flags & SLOT_GHOST;
        page_touch(&action, &page);
        entry_observe(observer, tree, &page, key, true, ghost, true, STR_NONE);
        node_remove(node, index);
        tree_count_rows(tree, ghost ? 0 : -1);
        underfull = tree_leaf_is_underfull(tree, &page);
    }
    tree_write_end(&action, &page);
    return !underfull || tree_shrink(tree, key, 0);
}

/*
 * A latched leaf of an index or key-value tree, for readers that copy little and allocate nothing.
 * Entries are 0 … count-1; `first` is the first one >= the key asked for (count: there is none
 * here).
 */
typedef struct EntryLeaf {
    const byte *page;
    void **versions;
    uint32_t count, first;
    bool is_last; /* no leaf follows */
} EntryLeaf;
typedef bool TreeEntryVisitor(void *context, const EntryLeaf *leaf);

/* S-latched while the visitor runs. An empty key: the first leaf. */
static bool visit_entries(Tree *tree, Str key, TreeEntryVisitor *visitor, void *context)
{
    Page page;
    bool exact;

    assert(tree->kind != TREE_TABLE);
    TRY(tree_leaf_shared(tree, key, DESCEND_AT, &page));
    const Node *node = page_node(&page);
    bool done = node->header.kind == NODE_SLOTTED_LEAF && node_covers(node, key);
    if (done) {
        EntryLeaf leaf = {
            .page = page.data,
            .versions = page_versions_slot(&page),
            .count = node_count(node),
            .first = node_lower_bound(node, key, &exact),
            .is_last = !node_has_upper(node),
        };
        done = visitor(context, &leaf);
    } else {
        done = tree_damaged(tree, page.id, "not the leaf of its key");
    }
    page_unlatch(&page);
    return done;
}

/* The whole key, in a buffer of TREE_MAX_KEY bytes. */
static Str entry_leaf_key(const EntryLeaf *leaf, uint32_t index, char *buffer)
{
    assert(index < leaf->count);
    return node_key((const Node *)leaf->page, index, buffer);
}

static bool entry_leaf_is_ghost(const EntryLeaf *leaf, uint32_t index)
{
    assert(index < leaf->count);
    return ((const Node *)leaf->page)->slots[index].flags & SLOT_GHOST;
}

/* The first key of the next leaf on, for going on; not when is_last. */
static Str entry_leaf_next(const EntryLeaf *leaf)
{
    return node_upper((const Node *)leaf->page);
}

typedef struct FirstEntry {
    char *buffer;
    Str key;
    bool found, is_ghost, is_last;
    char next[TREE_MAX_KEY];
    size_t next_length;
} FirstEntry;

static bool first_visit(void *context, const EntryLeaf *leaf)
{
    FirstEntry *first = context;
    first->is_last = leaf->is_last;
    first->found = leaf->first < leaf->count;
    if (first->found) {
        first->key = entry_leaf_key(leaf, leaf->first, first->buffer);
        first->is_ghost = entry_leaf_is_ghost(leaf, leaf->first);
    } else if (!leaf->is_last) {
        Str next = entry_leaf_next(leaf);
        first->next_length = MIN(next.length, (size_t)TREE_MAX_KEY);
        memcpy(first->next, next.data, first->next_length);
    }
    return true;
}

typedef struct GhostLook {
    bool has_ghosts, is_last;
    uint32_t next_length;
    char next[TREE_MAX_KEY]; /* where the leaf behind begins */
} GhostLook;

static bool ghosts_visit(void *context, const EntryLeaf *leaf)
{
    GhostLook *look = context;

    look->has_ghosts = ((const Node *)leaf->page)->ghost_count > 0;
    look->is_last = leaf->is_last;
    if (!leaf->is_last) {
        const Str next = entry_leaf_next(leaf);
        look->next_length = (uint32_t)MIN(next.length, sizeof(look->next));
        memcpy(look->next, next.data, look->next_length);
    }
    return true;
}

bool tree_index_purge_all(Tree *tree)
{
    GhostLook look = {0};
    char at[TREE_MAX_KEY];
    uint32_t at_length = 0;

    while (!look.is_last) {
        const Str key = str_make(at, at_length);
        void *versions;
        uint32_t kept;
        CHECK_INTERRUPTS();
        TRY(visit_entries(tree, key, ghosts_visit, &look));
        if (look.has_ghosts)
            TRY(tree_index_purge(tree, key, &versions, &kept));
        at_length = look.next_length;
        memcpy(at, look.next, at_length);
    }
    return true;
}

/* Of a leaf that may be changing: what it says counts only once the page is validated. */
static TreePeek peek_leaf(const Page *page, Str key, EntryPeek *ret_peek)
{
    const Node *node = page_node(page);
    bool exact;

    if (node->header.kind != NODE_SLOTTED_LEAF || key.length < node->prefix_length)
        return PEEK_UNSURE;
    const uint32_t index = node_lower_bound(node, key, &exact), count = node_count(node);
    ret_peek->versions = *page_versions_slot(page);
    if (index == count)
        return node_has_upper(node) ? PEEK_UNSURE : PEEK_MISSING;
    /* The leaf covers the key, so its prefix is the key's. */
    const Str suffix = node_suffix(node, index),
              wanted = str_make(key.data + node->prefix_length, key.length - node->prefix_length);
    if (suffix.length < wanted.length || memcmp(suffix.data, wanted.data, wanted.length) != 0)
        return PEEK_MISSING;
    if (suffix.length != wanted.length + sizeof(uint64_t))
        return PEEK_UNSURE;
    ret_peek->row_id = tree_key_row_id(suffix);
    ret_peek->is_ghost = node->slots[index].flags & SLOT_GHOST;
    return PEEK_FOUND;
}

TreePeek tree_index_peek(Tree *tree, Str key, EntryPeek *ret_peek)
{
    TreeRetry retry = {0};

    assert(tree->kind == TREE_INDEX);
    for (;;) {
        Descent descent;
        TreePeek outcome;
        switch (tree_descend(tree, key, DESCEND_AT, 0, &descent)) {
        case DESCEND_OK:
#ifdef SENGI_LATCHED_READS
            if (!page_upgrade_shared(&descent.page))
                break;
            outcome = peek_leaf(&descent.page, key, ret_peek);
            page_unlatch(&descent.page);
            return outcome;
#else
            outcome = peek_leaf(&descent.page, key, ret_peek);
            if (likely(page_read_validate(&descent.page)))
                return outcome;
            break;
#endif
        case DESCEND_MISS:
            TRY(tree_load(tree, descent.miss, &retry));
            break;
        case DESCEND_RESTART:
        case DESCEND_SHALLOW:
            break;
        case DESCEND_FAILED:
            return PEEK_FAILED;
        }
        if (++retry.rounds > 16)
            spin_pause(&retry.rounds);
    }
}

TreeFound tree_index_first(Tree *tree, Str key, char *buffer, Str *ret_key, bool *ret_ghost)
{
    FirstEntry first; /* not cleared: most of it is room for a key */
    first.buffer = buffer;
    first.found = first.is_last = false;
    first.next_length = 0;
    for (Str from = key;; from = str_make(first.next, first.next_length)) {
        TRY(visit_entries(tree, from, first_visit, &first));
        if (first.found) {
            *ret_key = first.key;
            *ret_ghost = first.is_ghost;
            return TREE_FOUND;
        }
        if (first.is_last)
            return TREE_MISSING;
    }
}

/* ------------------------------------------------------------------ key-value */

/* A value to store, in the leaf or as a reference. */
typedef struct KvWrite {
    Str key, value;
    uint32_t flags;
    LeafExternal old; /* to be freed; page PAGE_ID_NONE: none */
    LeafExternal fresh;
} KvWrite;

typedef enum KvOutcome {
    KV_FAILED = 0,
    KV_DONE,
    KV_SPLIT,
} KvOutcome;

/* Notes where the old value lies, if that is on overflow pages. */
static bool kv_note_old(KvWrite *write, const Node *node, uint32_t index)
{
    Str value = node_value(node, index);
    if (!(node->slots[index].flags & SLOT_EXTERNAL))
        return true;
    if (value.length != sizeof(LeafExternal))
        FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged overflow reference"));
    memcpy(&write->old, value.data, sizeof(LeafExternal));
    return true;
}

static KvOutcome kv_put_in_leaf(Tree *tree, Action *action, Page *page, KvWrite *write)
{
    Node *node = page_node(page);
    bool exact;
    uint32_t index = node_lower_bound(node, write->key, &exact);
    uint32_t given = 0;

    write->old.page = PAGE_ID_NONE;
    if (exact) {
        TRY(kv_note_old(write, node, index));
        given = node->slots[index].key_length + node->slots[index].value_length +
                (uint32_t)sizeof(NodeSlot);
    }
    if (node_free_bytes(node) + given <
        sizeof(NodeSlot) + write->key.length - node->prefix_length + write->value.length)
        return KV_SPLIT;
    page_touch(action, page);
    if (write->old.page != PAGE_ID_NONE)
        overflow_unlinked(tree);
    if (exact && write->value.length == node->slots[index].value_length) {
        NodeSlot *slot = &node->slots[index];
        memcpy((char *)node + slot->offset + slot->key_length, write->value.data,
               write->value.length);
        slot->flags = (uint16_t)write->flags;
        return KV_DONE;
    }
    if (exact)
        node_remove(node, index);
    else
        tree_count_rows(tree, 1);
    node_insert(node, index, write->key, write->value, write->flags);
    return KV_DONE;
}

static bool kv_delete_in_leaf(Tree *tree, Action *action, Page *page, KvWrite *write,
                              bool *ret_underfull)
{
    Node *node = page_node(page);
    bool exact;
    uint32_t index = node_lower_bound(node, write->key, &exact);
    write->old.page = PAGE_ID_NONE;
    if (!exact)
        return true;
    TRY(kv_note_old(write, node, index));
    page_touch(action, page);
    if (write->old.page != PAGE_ID_NONE)
        overflow_unlinked(tree);
    node_remove(node, index);
    tree_count_rows(tree, -1);
    *ret_underfull = tree_leaf_is_underfull(tree, page);
    return true;
}

static bool kv_put_loop(Tree *tree, KvWrite *write)
{
    for (;;) {
        Action action;
        Page page;
        TRY(entry_write(tree, write->key, &action, &page));
        KvOutcome outcome = kv_put_in_leaf(tree, &action, &page, write);
        tree_write_end(&action, &page);
        TRY(outcome);
        if (outcome == KV_DONE)
            return true;
        TRY(tree_split(tree, write->key, 0));
    }
}

bool tree_kv_put(Tree *tree, Str key, Str value)
{
    KvWrite write = {.key = key, .value = value};

    assert(tree->kind == TREE_KEY_VALUE);
    if (key.length > TREE_MAX_KEY)
        return key_too_long(key);
    if (value.length > ROW_MAX_SIZE)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("value is too big: size %zu", value.length));
    if (value.length > NODE_MAX_VALUE) {
        TRY(overflow_store(tree, value, &write.fresh));
        write.value = str_make(&write.fresh, sizeof(write.fresh));
        write.flags = SLOT_EXTERNAL;
    }
    bool done = kv_put_loop(tree, &write);
    if (done && write.flags)
        overflow_linked(tree);
    else if (write.flags)
        overflow_free(tree, &write.fresh);
    if (done && write.old.page != PAGE_ID_NONE)
        overflow_free(tree, &write.old);
    return done;
}

static bool is_inline(const TreePair *pair)
{
    return pair->key.length <= TREE_MAX_KEY && pair->value.length <= NODE_MAX_VALUE;
}

/* Puts pairs into the leaf of the first one, as long as they belong there and find room. */
static bool kv_put_neighbours(Tree *tree, const TreePair *pairs, uint32_t count, uint32_t *ret_put)
{
    KvWrite write;
    KvOutcome outcome;
    Action action;
    Page page;

    *ret_put = 0;
    TRY(entry_write(tree, pairs[0].key, &action, &page));
    do {
        write = (KvWrite){.key = pairs[*ret_put].key, .value = pairs[*ret_put].value};
        outcome = kv_put_in_leaf(tree, &action, &page, &write);
        *ret_put += outcome == KV_DONE;
    } while (outcome == KV_DONE && write.old.page == PAGE_ID_NONE && *ret_put < count &&
             is_inline(&pairs[*ret_put]) && node_covers(page_node(&page), pairs[*ret_put].key));
    tree_write_end(&action, &page);
    if (outcome == KV_DONE && write.old.page != PAGE_ID_NONE)
        overflow_free(tree, &write.old);
    return outcome == KV_DONE || (outcome == KV_SPLIT && tree_split(tree, pairs[*ret_put].key, 0));
}

bool tree_kv_put_all(Tree *tree, const TreePair *pairs, uint32_t count)
{
    assert(tree->kind == TREE_KEY_VALUE);
    for (uint32_t at = 0; at < count;) {
        uint32_t put = 1;
        TRY(is_inline(&pairs[at]) ? kv_put_neighbours(tree, pairs + at, count - at, &put)
                                  : tree_kv_put(tree, pairs[at].key, pairs[at].value));
        at += put;
    }
    return true;
}

bool tree_kv_delete(Tree *tree, Str key)
{
    KvWrite write = {.key = key};
    bool underfull = false;
    Action action;
    Page page;

    assert(tree->kind == TREE_KEY_VALUE);
    if (key.length > TREE_MAX_KEY)
        return true;
    TRY(entry_write(tree, key, &action, &page));
    const bool done = kv_delete_in_leaf(tree, &action, &page, &write, &underfull);
    tree_write_end(&action, &page);
    if (done && write.old.page != PAGE_ID_NONE)
        overflow_free(tree, &write.old);
    return done && (!underfull || tree_shrink(tree, key, 0));
}

typedef struct KvGet {
    Str key;
    Arena *arena;
    Str value;
    bool found, is_external;
    LeafExternal external;
} KvGet;

static bool kv_get_visit(void *context, const EntryLeaf *leaf)
{
    KvGet *get = context;
    const Node *node = (const Node *)leaf->page;
    bool exact;
    uint32_t index = node_lower_bound(node, get->key, &exact);

    get->found = exact;
    if (!exact)
        return true;
    Str value = node_value(node, index);
    get->is_external = node->slots[index].flags & SLOT_EXTERNAL;
    if (!get->is_external) {
        get->value = str_copy(get->arena, value);
        return true;
    }
    if (value.length != sizeof(LeafExternal))
        FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged overflow reference"));
    memcpy(&get->external, value.data, sizeof(LeafExternal));
    return true;
}

TreeFound tree_kv_get(Tree *tree, Str key, Arena *arena, Str *ret_value)
{
    KvGet get = {.key = key, .arena = arena};
    uint64_t failed_stamp = 0;

    assert(tree->kind == TREE_KEY_VALUE);
    if (key.length > TREE_MAX_KEY)
        return TREE_MISSING;
    for (;;) {
        TRY(visit_entries(tree, key, kv_get_visit, &get));
        if (!get.found)
            return TREE_MISSING;
        if (!get.is_external) {
            *ret_value = get.value;
            return TREE_FOUND;
        }
        if (get.external.length > ROW_MAX_SIZE)
            FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged overflow reference"));
        char *bytes = arena_try_alloc(arena, MAX(get.external.length, 1u));
        TRY(bytes);
        if (overflow_read(tree, &get.external, bytes)) {
            *ret_value = str_make(bytes, get.external.length);
            return TREE_FOUND;
        }
        /* Replaced meanwhile? Then the reference is another one now. */
        if (error_fields()->sqlstate != ERR_DATA_CORRUPTED || failed_stamp == get.external.stamp)
            return TREE_FAILED;
        failed_stamp = get.external.stamp;
        error_clear();
    }
}
