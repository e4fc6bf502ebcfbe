/*
 * The write set: what a transaction has written and nobody else sees.
 *
 * For each tree a skip list of nodes in key order; a node is one row (by row id) or one key, and
 * has a chain of entries, newest first: one for each time this transaction wrote it. Entries
 * carry the command that wrote them, and stand in one log in the order of writing: a savepoint is
 * a length of that log. Nodes are never taken out before the end, so a scan may keep pointing at
 * one while its own statement writes; a node all of whose entries were rolled back has no head.
 *
 * Images live in the transaction's arena up to write_set_memory; those beyond it go to a private
 * tree on temporary pages, which the buffer pool evicts like any other.
 *
 * Invariants: S1 Entries of a chain have non-increasing commands. S2 log[i] is the head of its
 * node when the log is cut behind i.
 */
#ifndef TXN_WRITE_SET_H
#define TXN_WRITE_SET_H

#include "base/arena.h"
#include "base/hash.h"
#include "storage/tree.h"

typedef struct Txn Txn;
typedef struct TxnTree TxnTree;
typedef struct WriteNode WriteNode;

typedef enum WriteOp {
    WRITE_PUT = 1,
    WRITE_DELETE,
} WriteOp;

typedef struct WriteEntry {
    struct WriteEntry *older;
    WriteNode *node;
    const byte *image; /* NULL where spilled */
    uint64_t position; /* of the spilled image */
    uint32_t length;   /* of the image */
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
    WriteNode *next[]; /* height */
};

typedef struct TreeWrites {
    TxnTree *tree; /* referenced */
    struct TreeWrites *following;
    WriteNode *first; /* sentinel of full height */
    WriteNode *last[WRITE_MAX_HEIGHT];
    uint64_t node_count;
    uint8_t height;
} TreeWrites;

typedef struct WriteSet {
    TreeWrites *trees;
    TreeWrites *recent; /* what the last lookup found */
    uint32_t tree_count;
    HashMap by_tree;  /* in use above 8 trees */
    WriteEntry **log; /* heap */
    size_t log_length, log_capacity;
    uint64_t image_bytes;
    Tree *spill; /* private: position → image */
    uint64_t spill_position;
    uint32_t random; /* of skip list heights */
} WriteSet;

TreeWrites *writes_find(Txn *txn, const TxnTree *tree); /* NULL: wrote nothing there */
/* `key` is NULL-length for tables. The image is copied. */
MUST_CHECK bool writes_add(Txn *txn, TxnTree *tree, uint64_t row_id, Str key, WriteOp op, Str image,
                           bool fresh);
WriteNode *writes_get(const TreeWrites *writes, uint64_t row_id, Str key);  /* exactly; or NULL */
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
/* The image, borrowed from the transaction or loaded into the arena. */
MUST_CHECK bool write_image(Txn *txn, const WriteEntry *entry, Arena *arena, Str *ret_image);
void writes_rollback_to(Txn *txn, size_t log_length);
void writes_clear(Txn *txn);

#endif
