/*
 * What the tree_*.c files share. Only for the storage room.
 *
 * Descents. tree_descend walks from the root to a level without latches, each node checked by
 * version after the next one's has been read; what it returns is still optimistic, and page_upgrade
 * proves that it is the right one. Around it: tree_leaf_shared for readers, tree_leaf_write for
 * writers, which load missing pages with nothing held and start again.
 *
 * Structure changes are actions of their own: tree_split and tree_shrink change one level at one
 * place, and whoever needed the room tries again from the root.
 */
#ifndef STORAGE_TREE_INTERNAL_H
#define STORAGE_TREE_INTERNAL_H

#include "base/sync.h"
#include "storage/leaf_page.h"
#include "storage/node.h"
#include "storage/page.h"
#include "storage/tree.h"

#define TREE_MAX_HEIGHT 40

typedef struct LayoutList {
    uint32_t count; /* versions 1 … count; NULL where one is not known */
    const Layout *items[];
} LayoutList;

struct Tree {
    Database *database;
    TreeId id;
    TreeKind kind;
    PageId root;
    PageLife life;
    bool is_going; /* its pages are being freed from the right, for good */
    _Atomic bool is_dropped;
    _Atomic bool has_overflow; /* something was put on overflow pages since it was opened */
    _Atomic(LayoutList *) layouts;
    const Layout *_Atomic newest;
    Mutex mutex;  /* rank TREE_DIRECTORY: adding layouts */
    Arena *arena; /* layouts and their lists */
    _Atomic int64_t row_count, page_count;
    _Atomic bool is_counted;
};

/* Big-endian row id: the key of a table tree. */
typedef struct RowKey {
    char bytes[8];
} RowKey;
static inline RowKey row_key_make(uint64_t row_id)
{
    RowKey key;
    row_id = __builtin_bswap64(row_id);
    memcpy(key.bytes, &row_id, 8);
    return key;
}
#define ROW_KEY_STR(key) str_make((key).bytes, 8)

typedef enum DescendTo {
    DESCEND_AT,    /* the node covering the key */
    DESCEND_BELOW, /* the node covering what is just below the key */
    DESCEND_LAST,  /* the rightmost node */
} DescendTo;

typedef enum DescendOutcome {
    DESCEND_FAILED = 0,
    DESCEND_OK,
    DESCEND_MISS,    /* descent->miss is not in memory */
    DESCEND_RESTART, /* something changed on the way */
    DESCEND_SHALLOW, /* the tree has no such level */
} DescendOutcome;

typedef struct Descent {
    Page page;   /* optimistic */
    Page parent; /* optimistic; mode PAGE_UNLATCHED at the root */
    PageId miss;
} Descent;
DescendOutcome tree_descend(Tree *tree, Str key, DescendTo to, uint32_t level,
                            Descent *ret_descent);

/* What to do about pages that could not be loaded: a page may be freed while its loader waits. */
typedef struct TreeRetry {
    PageId failed;
    uint32_t rounds;
} TreeRetry;
/* Loads a page and looks it over; false: it really cannot be read. */
MUST_CHECK bool tree_load(Tree *tree, PageId id, TreeRetry *retry);

MUST_CHECK bool tree_leaf_shared(Tree *tree, Str key, DescendTo to, Page *ret_leaf);
/*
 * The leaf that covers a row, and the node above it, optimistic: as long as that is valid, so is
 * this. PAGE_ID_NONE (no error): it cannot be told without waiting, or there is no node above.
 */
PageId tree_child_above(Tree *tree, uint64_t row_id, Page *ret_parent);
/* Opens the action; the leaf is latched exclusively, not yet touched. */
MUST_CHECK bool tree_leaf_write(Tree *tree, Str key, uint32_t page_count, Action *ret_action,
                                Page *ret_leaf);
static inline void tree_write_end(Action *action, Page *leaf)
{
    page_unlatch(leaf);
    action_end(action);
}
/* Copies the inner node at a level above 0 into a buffer of PAGE_SIZE. SHALLOW: no such level. */
DescendOutcome tree_copy_inner(Tree *tree, Str key, uint32_t level, Node *buffer);
MUST_CHECK bool tree_height(Tree *tree, uint32_t *ret_height);

static inline LeafPage *page_leaf(const Page *page)
{
    return (LeafPage *)page->data;
}
static inline Node *page_node(const Page *page)
{
    return (Node *)page->data;
}
static inline void **page_versions_slot(const Page *page)
{
    return (void **)page_versions(page->database, page->id);
}

MUST_CHECK bool tree_leaf_view(Tree *tree, const Page *page, TableLeaf *ret_leaf);
/* The rest of tree_visit_leaf, which see: `page` covers the row, latched shared; gives it back. */
MUST_CHECK bool tree_visit_latched(Tree *tree, Page *page, uint64_t row_id,
                                   TreeLeafVisitor *visitor, void *context);

/* Splits the node of `level` that covers the key so that an insert of it finds more room. */
MUST_CHECK bool tree_split(Tree *tree, Str key, uint32_t level);
/* Merges the node of `level` that covers the key with a neighbour if it is underfull and they fit.
 */
MUST_CHECK bool tree_shrink(Tree *tree, Str key, uint32_t level);
bool tree_leaf_is_underfull(Tree *tree, const Page *page);
/*
 * A leaf of a private tree that is to be linked into another. It covers [private_low, private_high)
 * where it is; what it holds is in [low, private_high), its first key at `low` or behind it.
 */
typedef struct LeafLink {
    PageId id;
    Str low; /* where it begins in the tree; never empty */
    Str private_low;
    Str private_high; /* STR_NONE: no bound */
    /* Before it is linked: what txn hangs on it. May be NULL. */
    void (*on_leaf)(void *context, void **versions);
    void *context;
    bool is_refused; /* the tree has keys among its own, or the fences find no room: not linked */
} LeafLink;
MUST_CHECK bool tree_link_leaf(Tree *tree, LeafLink *link);

/* Around what takes several actions to link or unlink pages. A private tree's pages are temporary.
 */
static inline void tree_loose_begin(Tree *tree)
{
    if (tree->life == PAGE_PERMANENT)
        page_loose_begin(tree->database);
}
static inline void tree_loose_end(Tree *tree)
{
    if (tree->life == PAGE_PERMANENT)
        page_loose_end(tree->database);
}

/* Overflow pages. A chain is loose until overflow_linked. */
MUST_CHECK bool overflow_store(Tree *tree, Str value, LeafExternal *ret_external);
static inline void overflow_linked(Tree *tree)
{
    tree_loose_end(tree);
}
/* The reference goes away in the action under way: the chain is loose until overflow_free. */
static inline void overflow_unlinked(Tree *tree)
{
    tree_loose_begin(tree);
}
/* Fills `length` bytes; fails with XX001 where the chain is not (or no longer) the reference's. */
MUST_CHECK bool overflow_read(Tree *tree, const LeafExternal *external, char *ret_bytes);
/* Gives a loose chain back. Safe to repeat; damage only loses pages, until the next start. */
void overflow_free(Tree *tree, const LeafExternal *external);
MUST_CHECK bool overflow_check(Tree *tree, const LeafExternal *external,
                               bool (*on_page)(void *context, uint32_t page_id), void *context,
                               uint64_t *pages);

/* tree_check.c */
/* Tells every page of a tree without overflow pages, from this one down; leaves are not read. */
MUST_CHECK bool tree_visit_pages(Tree *tree, uint32_t page_id, uint32_t depth,
                                 bool (*on_page)(void *context, uint32_t page_id), void *context);

/* An on_page, with the tree as its context: the pages of what was private become permanent. */
MUST_CHECK bool tree_attach_page(void *context, uint32_t page_id);

#define GHOSTS_LEAST 16u /* fewer of them are no reason to purge a leaf that has other entries */

/* Hooks. */
void tree_hook_discarded(Tree *tree, const Page *page);
bool tree_hook_may_purge(Tree *tree, const Page *page);
bool tree_hook_may_purge_ghost(Tree *tree, Str key);
void tree_hook_ghosts_gather(Tree *tree, const Page *page, Str key);
void tree_hook_ghosts_met(Tree *tree, const Page *page, Str key);

/* Directory. */
void tree_handle_free(Tree *tree);
/* Frees every page of the tree but the root, which becomes an empty leaf (or goes as well). */
MUST_CHECK bool tree_free_pages(Tree *tree, bool free_root);
void tree_init_leaf(TreeKind kind, const Layout *layout, byte *page);

/* Rows made ready to be written (tree_table.c): one scratch for many rows, one after the other. */
typedef struct RowScratch RowScratch;
MUST_CHECK RowScratch *row_scratch_new(const Tree *tree);
/* Decodes the image, stores what is too large on overflow pages; valid until the next. */
MUST_CHECK const LeafRow *row_scratch_prepare(Tree *tree, RowScratch *scratch, uint64_t row_id,
                                              Str image);
void row_scratch_free(RowScratch *scratch);

static inline void tree_count_rows(Tree *tree, int64_t change)
{
    atomic_fetch_add_explicit(&tree->row_count, change, memory_order_relaxed);
}
static inline void tree_count_pages(Tree *tree, int64_t change)
{
    atomic_fetch_add_explicit(&tree->page_count, change, memory_order_relaxed);
}

/* Adds to an XX001 that reading this row of a table has met which rows are concerned. */
COLD void tree_damage_explain(Tree *tree, uint64_t row_id);
COLD bool tree_damaged(const Tree *tree, PageId page, const char *what);

#endif
