/*
 * Trees: B+trees of tables, indexes and key-value pairs, known by a TreeId within a database.
 *
 * Kinds. TREE_TABLE: 64-bit row id → row, leaves are PAX (leaf.h). TREE_INDEX: key bytes that
 * end in the 8-byte big-endian row id, no value; an entry may be a ghost. TREE_KEY_VALUE: key →
 * value. Keys compare as bytes. A tree's root page id never changes while the tree lives.
 *
 *   Tree *tree;
 *   TRY(tree_create(database, id, TREE_TABLE, layout));      no-op where it exists: redo may repeat
 *   TRY(tree_find(database, id, &tree));                     NULL: no such tree (not an error)
 *   TRY(tree_put(tree, row_id, image, NULL));
 *   TRY(tree_visit_leaf(tree, row_id, visit, &context, &next));
 *
 * Writers are blind and idempotent: "this row is now so", "that entry is gone". Each does its
 * changes of pages inside actions of its own (page.h) and never waits for a transaction. A writer's
 * observer is called inside the action that changes a leaf, under its X-latch, before the change:
 * that is where transactions hang older versions on the leaf. Hooks tell when rows move between
 * leaves.
 *
 * Readers descend without latches (checked by version) and hold the leaf's S-latch while a
 * visitor runs or a part is copied; nothing is held across calls. A visitor must be quick: it
 * takes no other latch and never waits.
 *
 * Values too large for a leaf are on overflow pages. Row images given to observers have them whole;
 * what is copied out under a latch lists them in TreeExternals, and tree_externals_load reads them
 * once the latch is gone.
 *
 * Missing pages are loaded with nothing held, then the operation starts again. Every function that
 * is MUST_CHECK may fail with an I/O error (58030) or a damaged page (XX001).
 *
 * A database's *tree directory* (TreeId 0, a TREE_KEY_VALUE whose root is page 1) says where each
 * tree's root is, its kind and its layouts. Private trees stand on temporary pages (never in a
 * checkpoint) and in no directory until tree_attach.
 *
 * Invariants (tree_check): B1 Keys within a node ascend strictly and lie within its fences. B2 A
 * child's fences are the separators around it. B3 All leaves are at level 0, and levels differ by
 * one. B4 No page is reached twice. B5 A leaf's rows lie inside its page and do not overlap. B6 An
 * overflow chain carries its reference's stamp and has its length. B7 The root's page id is the
 * directory's.
 */
#ifndef STORAGE_TREE_H
#define STORAGE_TREE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vector.h"
#include "storage/row.h"

typedef struct Database Database; /* store.h: one page map */
typedef struct Tree Tree;
typedef struct TableLeaf TableLeaf; /* leaf.h: a latched leaf of a TREE_TABLE, to read */

typedef uint32_t TreeId;
#define TREE_DIRECTORY ((TreeId)0)
#define TREE_ID_PRIVATE UINT32_MAX /* tree_id of a private tree */

typedef enum TreeKind {
    TREE_TABLE = 1,
    TREE_INDEX = 2,
    TREE_KEY_VALUE = 3,
} TreeKind;

#define TREE_MAX_KEY 2712 /* bytes of a key, an index entry's row id included */
#define TREE_MAX_ROW_ID (UINT64_MAX - 1)

/* ------------------------------------------------------------------ hooks and observers */

/*
 * What the transaction room wants to know of every tree. `versions` is the leaf's own slot, NULL
 * until txn hangs something there; the storage room never looks inside. Calls come inside an action
 * with both leaves X-latched: they must not fail, wait or touch pages.
 */
typedef struct TreeHooks {
    /* Rows with ids >= first_row_id (TREE_TABLE) or the upper entries move from one leaf to
     * another. */
    void (*leaf_split)(void *context, Tree *tree, void **from, void **to, uint64_t first_row_id);
    /* Everything of `from` moves to `to`; `from`'s slot must be NULL afterwards. */
    void (*leaf_merged)(void *context, Tree *tree, void **from, void **to);
    /* The leaf goes away with its tree; the slot must be NULL afterwards. */
    void (*leaf_discarded)(void *context, Tree *tree, void **versions);
    /* May all ghosts of this leaf of an index go? Asked before an index leaf would split. */
    bool (*may_purge_ghosts)(void *context, Tree *tree, void **versions);
} TreeHooks;

/* For all stores of the process; once at start, before any tree is changed. NULL: none. */
void tree_set_hooks(const TreeHooks *hooks, void *context);

/* A leaf about to change, as an observer sees it. */
typedef struct TreeChange {
    Tree *tree;
    void **versions;    /* the leaf's slot */
    uint64_t row_id;    /* TREE_TABLE: the row; TREE_INDEX: of the entry */
    Str key;            /* TREE_INDEX, TREE_KEY_VALUE */
    bool existed;       /* there is a row (entry) now */
    bool was_ghost;     /* TREE_INDEX: and it is a ghost */
    bool deletes;       /* the change takes it away (TREE_INDEX: makes it a ghost) */
    uint32_t old_size;  /* existed: bytes of the old row's image (TREE_KEY_VALUE: of the value) */
    const void *detail; /* tree_change_old_image's own */
} TreeChange;

/* Writes the old row's image, old_size bytes, overflow values whole. Never fails. */
void tree_change_old_image(const TreeChange *change, byte *ret_image);

typedef struct TreeObserver {
    void (*before)(void *context, const TreeChange *change);
    void *context;
} TreeObserver;

/* ------------------------------------------------------------------ the directory */

/* Adds a tree. Where the id exists already: nothing happens (redo). `layout`: TREE_TABLE only. */
MUST_CHECK bool tree_create(Database *database, TreeId id, TreeKind kind, const Layout *layout);
/* The cached handle, valid until the tree is dropped; *ret_tree is NULL where there is none. */
MUST_CHECK bool tree_find(Database *database, TreeId id, Tree **ret_tree);
/* As tree_find, but a missing tree is an error (XX001). */
MUST_CHECK Tree *tree_open(Database *database, TreeId id);
/*
 * Takes the tree out of the directory and frees its pages in bounded actions. A missing tree is
 * nothing to do. No one may use the handle any more (the caller's lock sees to that); its memory
 * stays until the database closes, and using it late fails with an error, not a crash.
 */
MUST_CHECK bool tree_drop(Database *database, TreeId id);
/* Adds a layout version; one that exists is left alone (redo). Pages change when rows go in. */
MUST_CHECK bool tree_set_layout(Database *database, TreeId id, const Layout *layout);
/* Every tree, ascending. The callback returns false to stop. */
MUST_CHECK bool tree_list(Database *database,
                          bool (*visit)(void *context, TreeId id, TreeKind kind), void *context);
/* Frees the database's handles (and their layouts) when it closes. */
void tree_close_all(Database *database);

TreeId tree_id(const Tree *tree);
TreeKind tree_kind(const Tree *tree);
Database *tree_database(const Tree *tree);
/* The newest layout of a TREE_TABLE, and an older one by version (NULL: there is none such). */
const Layout *tree_layout(const Tree *tree);
const Layout *tree_layout_version(const Tree *tree, uint32_t version);

/* A private tree on temporary pages. tree_discard frees its pages; a handle it was given up. */
MUST_CHECK Tree *tree_new_private(Database *database, TreeKind kind, const Layout *layout);
void tree_discard(Tree *tree);
/*
 * Makes a private tree's pages permanent and enters it in the directory under `id`, in place of
 * what was there. The handle is freed: find it again by id.
 */
MUST_CHECK bool tree_attach(Tree *tree, TreeId id);

/* ------------------------------------------------------------------ tables: writing */

/*
 * Inserts or replaces a row. The image may be of any of the tree's layouts. Fails with 54000 where
 * the row cannot be made to fit into a page by moving values out of it. tree_row_fits says so
 * without changing anything: what commits must ask first.
 */
MUST_CHECK bool tree_put(Tree *tree, uint64_t row_id, Str image, const TreeObserver *observer);
/* Removes a row; a missing one is left missing. */
MUST_CHECK bool tree_delete(Tree *tree, uint64_t row_id, const TreeObserver *observer);
MUST_CHECK bool tree_row_fits(const Tree *tree, Str image);

/* ------------------------------------------------------------------ tables: reading */

/*
 * Calls the visitor with the leaf that covers `row_id`, S-latched. `leaf` (leaf.h) has the
 * row ids, the versions slot, the range of ids it covers and functions that copy rows out.
 * *ret_next is where the next leaf to the right begins, 0 after the last one. The visitor's false
 * is passed up as failure: it has set the error.
 */
typedef bool TreeLeafVisitor(void *context, const TableLeaf *leaf);
MUST_CHECK bool tree_visit_leaf(Tree *tree, uint64_t row_id, TreeLeafVisitor *visitor,
                                void *context, uint64_t *ret_next);

typedef enum TreeFound {
    TREE_FAILED = 0, /* the error is set */
    TREE_FOUND,
    TREE_MISSING,
    TREE_STALE, /* tree_externals_load: a row changed meanwhile, visit it again */
} TreeFound;

/* The whole row as an image in the arena, overflow values included; no versions looked at. */
MUST_CHECK TreeFound tree_get_image(Tree *tree, uint64_t row_id, Arena *arena, Str *ret_image);

/* Values on overflow pages that were copied out of a leaf by reference (leaf.h). */
typedef struct TreeExternal {
    uint64_t row_id;
    uint64_t stamp;
    uint32_t page;
    uint32_t length;        /* of the value */
    uint32_t stored_length; /* on the pages */
    uint16_t column;
    bool compressed;
    VarRef *target; /* filled by tree_externals_load */
} TreeExternal;
typedef struct TreeExternals {
    TreeExternal *items; /* in `arena` */
    uint32_t count, capacity;
    Arena *arena; /* where the list and the values go */
} TreeExternals;
/*
 * Reads the values listed and points the targets at them. TREE_STALE: a row was replaced and its
 * values freed since the leaf was visited; visit again (the snapshot finds an older version now).
 */
MUST_CHECK TreeFound tree_externals_load(Tree *tree, TreeExternals *externals);

/* The largest row id in the tree; 0 where it has no rows. */
MUST_CHECK bool tree_max_row_id(Tree *tree, uint64_t *ret_row_id);

typedef struct TreeStats {
    uint64_t page_count; /* leaves and inner pages; estimated */
    uint64_t row_count;  /* rows or live entries; estimated from what the counters saw */
    uint32_t height;     /* levels */
} TreeStats;
/* Cheap: counters kept since the tree was opened, primed by a sample of leaves. */
MUST_CHECK bool tree_stats(Tree *tree, TreeStats *ret_stats);

/* ------------------------------------------------------------------ indexes */

/* Adds an entry, or revives a ghost. `key` ends in the row id. 54000 above TREE_MAX_KEY. */
MUST_CHECK bool tree_index_insert(Tree *tree, Str key, const TreeObserver *observer);
/* Marks an entry as a ghost; a missing one is left missing. */
MUST_CHECK bool tree_index_ghost(Tree *tree, Str key, const TreeObserver *observer);
/* Removes an entry for good, whatever it is. */
MUST_CHECK bool tree_index_delete(Tree *tree, Str key, const TreeObserver *observer);
static inline uint64_t tree_key_row_id(Str key)
{
    uint64_t id;
    memcpy(&id, key.data + key.length - 8, 8);
    return __builtin_bswap64(id);
}

/*
 * A look at the first entry whose key is `key` and a row id, without a latch: for look-ups of
 * unique keys. UNSURE where the leaf alone can't tell (the next one may have it, or a longer key
 * comes first): read with a cursor.
 */
typedef enum TreePeek {
    PEEK_FAILED = 0,
    PEEK_FOUND,
    PEEK_MISSING,
    PEEK_UNSURE,
} TreePeek;
typedef struct EntryPeek {
    uint64_t row_id;
    bool is_ghost;
    void *versions; /* of the leaf */
} EntryPeek;
MUST_CHECK TreePeek tree_index_peek(Tree *tree, Str key, EntryPeek *ret_peek);

/* The first entry >= key, ghost or not. The buffer has TREE_MAX_KEY bytes. */
MUST_CHECK TreeFound tree_index_first(Tree *tree, Str key, char *buffer, Str *ret_key,
                                      bool *ret_ghost);

/* ------------------------------------------------------------------ key-value */

/* Values may be up to ROW_MAX_SIZE; large ones go to overflow pages. */
MUST_CHECK bool tree_kv_put(Tree *tree, Str key, Str value);
MUST_CHECK bool tree_kv_delete(Tree *tree, Str key);
MUST_CHECK TreeFound tree_kv_get(Tree *tree, Str key, Arena *arena, Str *ret_value);

/* ------------------------------------------------------------------ cursors: index and key-value
 */

/*
 * A cursor reads leaf by leaf: each fill copies what one leaf has from a key on into the cursor's
 * own buffer, so entries stay readable until the next fill, and no latch is held between calls. It
 * sees every key that is there throughout, whatever splits and merges happen meanwhile, in order,
 * once.
 *
 *   TreeCursor cursor;
 *   tree_cursor_init(&cursor, tree, FORWARD);
 *   TRY(tree_cursor_seek(&cursor, key, SEEK_AT));         first entry >= key
 *   while (cursor.index < cursor.count) {
 *       use(tree_cursor_key(&cursor), ...);
 *       TRY(tree_cursor_advance(&cursor));
 *   }
 *   tree_cursor_deinit(&cursor);
 */
typedef enum TreeDirection { TREE_FORWARD = 1, TREE_BACKWARD = -1 } TreeDirection;

/*
 * Reading ahead: a scan says which leaf it comes to, and the ones behind it that are not in memory
 * are loaded meanwhile. Zero to begin with; cursors do it by themselves. A hint: never fails.
 */
typedef struct TreeReadahead {
    uint32_t window; /* leaves ahead; grows while the scan goes on */
    uint32_t left;   /* leaves until the next look */
} TreeReadahead;
void tree_readahead(TreeReadahead *readahead, Tree *tree, Str key, TreeDirection direction);
void tree_readahead_rows(TreeReadahead *readahead, Tree *tree, uint64_t row_id);
typedef enum TreeSeek {
    SEEK_AT,     /* forward: first >= key; backward: last <= key */
    SEEK_BEYOND, /* forward: first > key; backward: last < key */
} TreeSeek;

typedef struct TreeEntry {
    uint32_t key_offset, key_length;     /* in the cursor's bytes */
    uint32_t value_offset, value_length; /* TREE_KEY_VALUE */
    bool ghost;
    bool external; /* the value is an overflow reference: tree_cursor_value loads it */
} TreeEntry;

typedef struct TreeCursor {
    Tree *tree;
    TreeDirection direction;
    bool at_end;        /* nothing follows what the cursor holds */
    uint32_t index;     /* the current entry */
    uint32_t count;     /* entries held; index == count: at the end */
    uint32_t limit;     /* entries to copy at most in a fill; 0: no limit but the leaf's */
    TreeEntry *entries; /* heap, grown */
    uint32_t capacity;
    char *bytes; /* heap, grown: keys and values */
    uint32_t bytes_length, bytes_capacity;
    char *fence; /* where the next fill begins */
    uint32_t fence_length, fence_capacity;
    TreeSeek fence_seek;
    TreeReadahead readahead;
    /*
     * Called under the leaf's S-latch at each fill, with the slot, so that a snapshot can tell
     * whether the leaf's entries may be trusted. May be NULL.
     */
    void (*on_leaf)(void *context, void *versions);
    void *context;
} TreeCursor;

void tree_cursor_init(TreeCursor *cursor, Tree *tree, TreeDirection direction);
void tree_cursor_deinit(TreeCursor *cursor);
/* An empty key: from the beginning (forward), from the end (backward). Fills unless at the end. */
MUST_CHECK bool tree_cursor_seek(TreeCursor *cursor, Str key, TreeSeek seek);
/* Replaces what the cursor holds by the next leaf's entries; count is 0 at the end. */
MUST_CHECK bool tree_cursor_fill(TreeCursor *cursor);
static inline bool tree_cursor_valid(const TreeCursor *cursor)
{
    return cursor->index < cursor->count;
}
/* To the next entry, filling when the last one held is passed. */
MUST_CHECK static inline bool tree_cursor_advance(TreeCursor *cursor)
{
    if (++cursor->index < cursor->count || cursor->at_end)
        return true;
    return tree_cursor_fill(cursor);
}
static inline Str tree_cursor_key(const TreeCursor *cursor)
{
    const TreeEntry *entry = &cursor->entries[cursor->index];
    return str_make(cursor->bytes + entry->key_offset, entry->key_length);
}
static inline bool tree_cursor_is_ghost(const TreeCursor *cursor)
{
    return cursor->entries[cursor->index].ghost;
}
/* Small values are borrowed from the cursor, large ones loaded into the arena; a large one whose
 * entry has been deleted since the fill is STR_NONE. */
MUST_CHECK bool tree_cursor_value(TreeCursor *cursor, Arena *arena, Str *ret_value);

/* ------------------------------------------------------------------ bulk */

/*
 * Builds an empty private tree bottom up from ascending input: CREATE INDEX, CTAS, COPY, sorts.
 *
 *   TreeBuilder *builder = tree_builder_new(tree, 90);       percent to fill
 *   TRY(tree_builder_add_row(builder, row_id, image)); ...
 *   TRY(tree_builder_finish(builder));
 *   tree_builder_free(builder);
 */
typedef struct TreeBuilder TreeBuilder;
MUST_CHECK TreeBuilder *tree_builder_new(Tree *tree, uint32_t fill_percent);
MUST_CHECK bool tree_builder_add_row(TreeBuilder *builder, uint64_t row_id, Str image);
MUST_CHECK bool tree_builder_add_key(TreeBuilder *builder, Str key);
MUST_CHECK bool tree_builder_finish(TreeBuilder *builder);
void tree_builder_free(TreeBuilder *builder); /* unfinished: its pages go with tree_discard */

/* ------------------------------------------------------------------ checking */

typedef struct TreeReport {
    uint64_t leaf_pages, inner_pages, overflow_pages;
    uint64_t rows;   /* rows, or live entries */
    uint64_t ghosts; /* ghost entries */
    uint64_t free_bytes;
} TreeReport;
/*
 * Verifies B1 to B7 over the whole tree with nobody writing; fails with XX001 naming the page and
 * the rule. `on_page` (may be NULL) is told every page that is reached; its false stops the walk.
 */
MUST_CHECK bool tree_check(Tree *tree, bool (*on_page)(void *context, uint32_t page_id),
                           void *context, TreeReport *ret_report);
/*
 * Checks every tree of the database and tells the permanent pages that none of them reaches, with
 * nobody writing. tree_reclaim gives those back: at a start, after a crash that cut an operation
 * of several actions short. *ret_count: how many there were.
 */
MUST_CHECK bool tree_unreached(Database *database, bool (*on_page)(void *context, uint32_t page_id),
                               void *context, uint64_t *ret_count);
MUST_CHECK bool tree_reclaim(Database *database, uint64_t *ret_count);

#endif
