/*
 * What transactions write into the log: blind operations, one list a record.
 *
 *   record    u8 type | RECORD_COMMIT: varint fragment id (0: none), i64 wall clock, varint txn id
 *                     | RECORD_FRAGMENT: varint fragment id
 *             then operations to the end
 *   operation u8 code and what it needs; OP_TREE names the tree that those after it are about
 *
 * Operations say what is, not what changes, so replaying them twice is replaying them once. A
 * fragment is a part of a transaction too large for one record; it counts only if a commit
 * record later in the log names its id. Numbers are LEB128 varints, lengths precede bytes.
 */
#ifndef TXN_RECORD_H
#define TXN_RECORD_H

#include "storage/row.h"
#include "storage/store.h"
#include "storage/tree.h"
#include "txn/version.h"

typedef enum RecordType {
    RECORD_COMMIT = 1,
    RECORD_FRAGMENT,
} RecordType;

typedef enum OpCode {
    OP_TREE = 1,     /* database, tree */
    OP_PUT_ROW,      /* row id, image */
    OP_DELETE_ROW,   /* row id */
    OP_PUT_ENTRY,    /* key with row id */
    OP_DELETE_ENTRY, /* key with row id */
    OP_PUT_PAIR,     /* key, value */
    OP_DELETE_PAIR,  /* key */
    OP_CREATE_TREE,  /* kind, layout bytes */
    OP_DROP_TREE,
    OP_SET_LAYOUT,     /* layout bytes */
    OP_DROP_DATABASE,  /* database */
    OP_PUT_NEXT_ENTRY, /* how it differs from the entry before it; read as OP_PUT_ENTRY */
} OpCode;

typedef struct Op {
    OpCode code;
    DatabaseId database; /* of the current tree; OP_DROP_DATABASE: its own */
    TreeId tree;
    TreeKind kind;
    uint64_t row_id;
    Str key;
    Str value; /* image, value, layout */
} Op;

/*
 * What writer and reader of a list remember of it; zero at its start. Entries come in key order, so
 * one is mostly much like the one before: what its key shares with that, and how far its row id is
 * from that one's, say it in some five bytes.
 */
#define RECORD_ENTRY_MAX 120u /* longer ones are not remembered, and are written whole */
typedef struct RecordList {
    TreeName tree;         /* which it is about */
    uint32_t entry_length; /* of the last entry that was put, 0: none */
    char entry[RECORD_ENTRY_MAX];
} RecordList;

void record_put_varint(StrBuf *buf, uint64_t value);
/* Appends one operation. */
void record_put_op(StrBuf *buf, RecordList *list, const Op *op);
/* OP_PUT_ENTRY. */
void record_put_entry(StrBuf *buf, RecordList *list, TreeName tree, Str entry);
/* OP_PUT_ROW of rows with ids one after the other. */
typedef struct RowsOp {
    TreeName tree;
    uint64_t first_id;
    uint32_t count;
    const size_t *image_sizes;
    byte **images; /* filled: where each image is to be written; until the buffer changes */
} RowsOp;
void record_put_rows(StrBuf *buf, RecordList *list, const RowsOp *op);

typedef struct RecordReader {
    Str rest;
    RecordType type;
    uint64_t fragment_id;
    int64_t wall_clock;
    uint64_t txn_id;
    RecordList list;
} RecordReader;
typedef enum OpRead { OP_READ_FAILED = 0, OP_READ, OP_READ_END } OpRead;

MUST_CHECK bool record_open(RecordReader *reader, Str payload); /* XX001 */
/* An entry's key may lie in the reader: until the next call. */
MUST_CHECK OpRead record_next(RecordReader *reader, Op *ret_op);

#endif
