/*
 * The built part of a large write set: rows and index entries as the leaves that they will be.
 *
 * What a transaction has inserted and not touched since goes from memory to private trees of the
 * same kind as the trees it is for, instead of a write set's pairs. The commit logs what they hold,
 * leaf by leaf, and grafts the leaves (storage/tree_graft.h): rows are written once, and others
 * wait for links, not for rows.
 *
 * A leaf doesn't say who wrote its rows and when. Runs of row ids do: one for all that a command
 * has inserted into a table while no savepoint was set. An entry in an index's built part ends in a
 * row id of such a run, and came with the row.
 *
 * A rollback to a savepoint ends runs as a whole; what they had is taken out of the leaves at once.
 *
 * Invariants: W1 Row ids, places and commands of runs ascend. W2 A built part has nothing of a row
 * that is in no run. W3 Whatever else the write set has of a row or entry is newer.
 */
#ifndef TXN_WRITE_BUILT_H
#define TXN_WRITE_BUILT_H

#include "txn/write_set.h"

/*
 * For the nodes of a spill: makes writes->spill->built where this tree may have one. What comes
 * into a new one comes as finished leaves, and into an index's many at a time: from then on until
 * built_end nobody looks there for what is built_take's.
 */
MUST_CHECK bool built_begin(Txn *txn, TreeWrites *writes);
/* After a built_begin that succeeded. False: `done` is, or the last of it found no place. */
MUST_CHECK bool built_end(TreeWrites *writes, bool done);
/* Puts a node there, unless it has more to say than an insertion: then it goes as a pair. */
MUST_CHECK bool built_take(Txn *txn, TreeWrites *writes, const WriteNode *node, bool *ret_taken);

/*
 * Whose built part bulk.c may fill with finished leaves, in one run that begins with this row; the
 * caller extends the run, and logs what it adds. NULL: it has one already, or may have none.
 */
MUST_CHECK bool built_append_begin(Txn *txn, TxnTree *tree, uint64_t row_id,
                                   TreeWrites **ret_writes);
/* Asked before: is there no built part yet? */
bool built_may_append(Txn *txn, const TxnTree *tree);

/* Who inserted the row, or the row of this entry; NULL: the built part has none. */
const BuiltRun *built_run(const TreeWrites *writes, uint64_t row_id);
/* False: surely no key begins like this. */
MUST_CHECK bool built_may_have(const TreeWrites *writes, Str prefix, bool *ret_may_have);
/* The row or key alone. The image is wanted where there is an arena. */
MUST_CHECK bool built_look(const TreeWrites *writes, uint64_t row_id, Str key, uint32_t command,
                           Arena *arena, WriteSeen *ret_seen);

/* All of it that runs have, in key order, each with its image where `keys_only` is not set. */
MUST_CHECK BuiltCursor *built_cursor_new(TreeWrites *writes, bool is_backward, bool keys_only);
void built_cursor_free(BuiltCursor *cursor); /* accepts NULL */
static inline void built_cursor_freep(BuiltCursor **cursor)
{
    built_cursor_free(*cursor);
}
/* As write_cursor_seek and write_cursor_seek_before. */
MUST_CHECK bool built_cursor_seek(BuiltCursor *cursor, uint64_t row_id, Str key);
MUST_CHECK bool built_cursor_seek_before(BuiltCursor *cursor, Str key);
MUST_CHECK bool built_cursor_next(BuiltCursor *cursor);
bool built_cursor_valid(const BuiltCursor *cursor);
uint64_t built_cursor_row_id(const BuiltCursor *cursor);
Str built_cursor_key(const BuiltCursor *cursor); /* of an index */
/* Borrowed until the cursor moves, or in the arena; STR_NONE: the row has gone since. */
MUST_CHECK bool built_cursor_image(BuiltCursor *cursor, Arena *arena, Str *ret_image);

/* What was written from `place` on has never been. */
void built_roll_back(Txn *txn, uint64_t place);
/* Of a tree that nobody else sees: all of it. */
void built_forget(TreeWrites *writes);

/* At the commit: what is still in memory and may be built, is. */
MUST_CHECK bool built_settle(Txn *txn);
/* Before others see changes made to the built part: nobody of them looks at it any more. */
void built_close(TreeWrites *writes);

#endif
