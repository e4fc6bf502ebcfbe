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
#include "storage/tree_hooks.h"

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

/* A crash has cut tree_drop short, which is to be called again: nothing else may be done with it.
 */
bool tree_is_going(const Tree *tree);
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
/*
 * Takes the ghosts out of the leaf that covers `key` that nobody needs any more (tree_hooks.h), and
 * merges what is left with a neighbour where that is little. *ret_kept: ghosts that must stay;
 * *ret_versions: what the leaf's slot says.
 */
MUST_CHECK bool tree_index_purge(Tree *tree, Str key, void **ret_versions, uint32_t *ret_kept);
/* The same with every leaf of the tree that has ghosts, from the left. */
MUST_CHECK bool tree_index_purge_all(Tree *tree);
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
