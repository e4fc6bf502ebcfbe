/*
 * The write set: what a transaction has written and nobody else sees.
 *
 * For each tree a skip list of nodes in key order; a node is one row (by row id) or one key, and
 * has a chain of entries, newest first: one for each time this transaction wrote it. Entries
 * carry the command that wrote them and their place in the order of writing: a savepoint is such
 * a place. A node all of whose entries were rolled back has no head.
 *
 * A tree of which much is written keeps its nodes in an arena of its own. Once those arenas hold
 * write_set_memory, their nodes go to private trees on temporary pages, which the buffer pool
 * evicts like any other, and the arenas are emptied: nobody keeps a node over a write. What is
 * rolled back of a spilled part is not taken out but said to be dead, as a range of places.
 *
 *   spilled row:  row id, place (both big-endian, the place inverted), command, op → the image
 *   spilled key:  the key → its entries, newest first: place, command, op
 *
 * What was inserted and not touched since goes to leaves instead, which the commit grafts:
 * write_built.h. So a tree's writes may have three parts, each newer than the next: nodes in
 * memory, spilled pairs, built leaves.
 *
 * Others look for keys of unique indexes in their spilled part (lock_claim.c), so that a bulk
 * load needs no lock for each.
 *
 * Invariants: S1 Entries of a chain have non-increasing commands, in memory and behind it on
 * temporary pages. S2 The log has the entries in memory, ascending by place; the newest of it is
 * its node's head.
 */
#ifndef TXN_WRITE_SET_H
#define TXN_WRITE_SET_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "storage/tree.h"
#include "storage/tree_cursor.h"
#include "storage/tree_graft.h"

typedef struct Txn Txn;
typedef struct TxnTree TxnTree;
typedef struct TxnSession TxnSession;
typedef struct WriteNode WriteNode;
typedef struct BuiltCursor BuiltCursor;
typedef struct BulkLeaf BulkLeaf;

typedef enum WriteOp {
    WRITE_PUT = 1,
    WRITE_DELETE,
} WriteOp;

typedef struct WriteEntry {
    struct WriteEntry *older;
    WriteNode *node;
    const byte *image;
    uint64_t place;  /* in the order of writing: never given twice in a transaction */
    uint32_t length; /* of the image */
    uint32_t command;
    uint8_t op;
    bool fresh; /* the row did not exist before this entry: an insertion */
} WriteEntry;

#define WRITE_MAX_HEIGHT 16

struct WriteNode {
    WriteEntry *head; /* NULL: all rolled back */
    uint64_t row_id;  /* tables; of an index entry too */
    Str key;          /* indexes (row id included) and key-value trees */
    WriteNode *previous;
    uint8_t height;
    bool is_built;     /* at the commit: what it says is in the built part */
    WriteNode *next[]; /* height */
};

/* Places that a rollback to a savepoint has made void: [first, end). */
typedef struct DeadPlaces {
    uint64_t first, end;
} DeadPlaces;

/* What of one tree lies on temporary pages. Others may look at it while the transaction runs. */
typedef struct WriteSpill {
    struct WriteSpill *next_in_tree; /* guarded by the tree's runs_mutex, as */
    uint32_t references;             /* these */
    DeadPlaces *dead; /* ascending, apart; guarded as these are, for who isn't the owner */
    uint32_t dead_count, dead_capacity; /* room for one more: a rollback cannot fail */
    uint64_t end;                       /* above the places of all that has been spilled */
    struct WriteSpill *next_in_session; /* the owner's, once the write set is gone */
    TxnTree *of;                        /* referenced */
    TxnSession *session;
    Tree *tree;     /* private, TREE_KEY_VALUE */
    bool has_pairs; /* anything was put there; the owner's, as is */
    bool reaches;   /* this: what of rows, or keys, the pairs reach over */
    uint64_t least_row, greatest_row;
    StrBuf least, greatest; /* heap */
    Tree *built;            /* private, of the kind of `of`; NULL: none. Guarded, as */
    bool is_closed;         /* this: it is being grafted, nobody else may look at it */
} WriteSpill;

/* Rows that a command has inserted, and that are in the built part. */
typedef struct BuiltRun {
    uint64_t first, last; /* row ids; those between are its own or nobody's here */
    uint64_t place;       /* of the first */
    uint32_t command;
} BuiltRun;

typedef struct TreeWrites {
    TxnTree *tree; /* referenced */
    struct TreeWrites *following;
    WriteNode *first; /* sentinel of full height */
    WriteNode *last[WRITE_MAX_HEIGHT];
    uint64_t node_count;  /* with the spilled ones; those written again count again */
    uint64_t fresh_count; /* rows inserted */
    struct FreshRows
        *fresh;        /* of a table, at the commit: dated as a whole; of an index: its table's */
    uint64_t bytes;    /* of nodes, entries and images */
    Arena *arena;      /* its own, when there is much; from then on, of an index, */
    StrBuf greatest;   /* no key that was written is above it */
    WriteSpill *spill; /* NULL: everything is in memory */
    struct TreeBuilder *filling; /* while the built part is filled from nothing, */
    struct KeyBatch *joining;    /* and, of an index, while more comes to it */
    struct TxnBulk *growing;     /* what adds finished leaves to the built part just now, or NULL */
    struct FreshRows *appended;  /* rows that came to the built part as finished leaves */
    uint64_t logged_last;      /* the last of them: the log has them all, and none before it else */
    uint64_t appended_pages;   /* that their large values take, */
    uint64_t appended_largest; /* and the bytes of the largest */
    VEC(BuiltRun) runs;        /* of a table: what is in its built part, and those of its indexes */
    BulkLeaf *leaf;            /* of an index with an arena: txn.c's */
    struct TreeWrites *rows;   /* of an index with a built part: its table's */
    TreeGraft *graft;          /* at the commit */
    uint8_t height;
} TreeWrites;

typedef struct WriteSet {
    TreeWrites *trees;
    TreeWrites *recent; /* what the last lookup found */
    uint32_t tree_count;
    HashMap by_tree;  /* in use above 8 trees */
    WriteEntry **log; /* heap */
    size_t log_length, log_capacity;
    uint64_t place;       /* of the next entry */
    uint64_t arena_bytes; /* in the trees' own arenas */
    uint32_t spill_count; /* how often nodes have gone from memory, or from a built part */
    bool is_damaged;      /* a rollback to a savepoint has failed: it must not be committed */
    uint32_t random;      /* of skip list heights */
} WriteSet;

TreeWrites *writes_find(Txn *txn, const TxnTree *tree);      /* NULL: wrote nothing there */
MUST_CHECK TreeWrites *writes_make(Txn *txn, TxnTree *tree); /* writes_find, or an empty one */
/* `key` is NULL-length for tables. The image is copied. */
MUST_CHECK bool writes_add(Txn *txn, TxnTree *tree, uint64_t row_id, Str key, WriteOp op, Str image,
                           bool fresh);
/* Nodes in memory. First those that are there, exactly; or NULL. */
WriteNode *writes_get(const TreeWrites *writes, uint64_t row_id, Str key);
WriteNode *writes_seek(const TreeWrites *writes, uint64_t row_id, Str key); /* first >= */
/* The last node < (row_id, key), NULL where there is none; with an empty key: of all. */
WriteNode *writes_seek_before(const TreeWrites *writes, uint64_t row_id, Str key);
WriteNode *writes_last(const TreeWrites *writes);
/* The newest entry that commands before `command` wrote; NULL: none. */
static inline WriteEntry *write_seen(const WriteNode *node, uint32_t command)
{
    WriteEntry *entry = node->head;
    while (entry && entry->command >= command)
        entry = entry->older;
    return entry;
}
/* An entry's image; in the arena where the next write may move it. */
MUST_CHECK bool write_image(const TreeWrites *writes, const WriteEntry *entry, Arena *arena,
                            Str *ret_image);
/* The place that the next entry has: a savepoint; and what was written since taken back. */
uint64_t writes_place(const Txn *txn);
void writes_rollback_to(Txn *txn, uint64_t place);
bool writes_exist(const Txn *txn);
void writes_clear(Txn *txn);

/* ------------------------------------------------------------------ in memory and spilled */

/* One row or key as commands before some command wrote it. */
typedef struct WriteSeen {
    bool found;
    bool fresh;       /* the row did not exist before this transaction */
    uint8_t op;       /* of the newest entry that counts, */
    uint32_t command; /* which wrote it */
    Str image;        /* borrowed until the next write, or in the arena; STR_NONE without one */
} WriteSeen;
/* The row or key, exactly. arena NULL: the image isn't wanted. */
MUST_CHECK bool writes_look(Txn *txn, const TxnTree *tree, uint64_t row_id, Str key,
                            uint32_t command, Arena *arena, WriteSeen *ret_seen);

/* False: nothing was written whose key begins like this. */
MUST_CHECK bool writes_may_have(const TreeWrites *writes, Str prefix, bool *ret_may_have);

/*
 * All rows or keys of a tree that commands before `command` wrote, in key order:
 *
 *   WriteCursor cursor;
 *   write_cursor_init(&cursor, txn, writes, command, arena);
 *   cursor.prefix = …;                          if not all of them are wanted
 *   for (TRY(write_cursor_seek(&cursor, row_id, key)); cursor.valid; TRY(…_next(&cursor)))
 *       use(cursor.row_id, cursor.key, &cursor.seen);
 *   write_cursor_deinit(&cursor);
 *
 * The current key and image may lie in `arena`, which may be reset between two calls once they are
 * used. Writes meanwhile do no harm: the cursor finds its place again.
 */
typedef struct WriteCursor {
    Txn *txn;
    TreeWrites *writes; /* NULL: nothing was written */
    uint32_t command;
    bool is_backward; /* keys only */
    bool keys_only;   /* no images */
    /* What ends the cursor, be it to be seen or not: nobody looks through all that was taken back,
     * or written by the running command, behind what he wants. Borrowed while the cursor is. */
    uint64_t last_row_id; /* tables: rows behind it; at first UINT64_MAX */
    Str prefix;           /* keys that begin otherwise */
    Str bound;            /* keys not below it, backward those below it; STR_NONE: there is none */
    bool no_built;        /* without the built part */
    Arena *arena;
    WriteNode *node; /* the next in memory */
    uint32_t spill_count;
    TreeCursor *spilled; /* heap; NULL while there is none */
    BuiltCursor *built;  /* likewise */
    bool valid;
    uint64_t row_id;
    Str key;
    WriteSeen seen;
    StrBuf place; /* the current key, for finding its place again; only with own arenas */
} WriteCursor;
void write_cursor_init(WriteCursor *cursor, Txn *txn, TreeWrites *writes, uint32_t command,
                       Arena *arena);
void write_cursor_deinit(WriteCursor *cursor);
/* The first >= (row_id, key). */
MUST_CHECK bool write_cursor_seek(WriteCursor *cursor, uint64_t row_id, Str key);
/* Backward from the last < key; an empty key: from the end. */
MUST_CHECK bool write_cursor_seek_before(WriteCursor *cursor, Str key);
MUST_CHECK bool write_cursor_next(WriteCursor *cursor);

/* write_spill.c */
/* The tree's part on temporary pages, empty at first, ready for all that is written until now. */
MUST_CHECK bool write_spill_make(Txn *txn, TreeWrites *writes);
/* Moves the nodes of every tree with an arena of its own to temporary pages. */
MUST_CHECK bool writes_spill(Txn *txn);
/* Takes the entries out of the log that belong to no node any more. */
void writes_log_compact(WriteSet *set);
void write_spill_roll_back(WriteSpill *spill, uint64_t from, uint64_t end);
/* Does its transaction hold this key of an index (without its row id)? For others. */
MUST_CHECK bool write_spill_has_key(WriteSpill *spill, Str key, bool *ret_has);
void write_spill_free(WriteSpill *spill);

#endif
