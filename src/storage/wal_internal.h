/* The WAL's insides: what store and checkpointer need besides wal.h. */
#ifndef STORAGE_WAL_INTERNAL_H
#define STORAGE_WAL_INTERNAL_H

#include "base/os.h"
#include "base/sync.h"
#include "storage/wal.h"

/* As on disk, before each record's payload; little-endian. */
typedef struct WalHeader {
    _Atomic Lsn lsn; /* its own position: what recycled segments hold does not match */
    uint32_t length; /* of the payload */
    uint32_t crc;    /* CRC-32C of the header with crc = 0, and the payload */
    Lsn durable;
    uint32_t incarnation;
    uint32_t unused;
} WalHeader;
static_assert(sizeof(WalHeader) == WAL_RECORD_HEADER, "on disk");

/* Bytes of log that a record takes. */
static inline uint64_t wal_record_size(uint32_t length)
{
    return ALIGN_UP((uint64_t)WAL_RECORD_HEADER + length, 8);
}
uint32_t wal_header_crc(const WalHeader *header);

/* -------- Life -------- */

/* `directory` is copied. Neither reads nor writes anything yet. */
MUST_CHECK Wal *wal_new(Str directory, uint32_t ring_bytes, uint64_t ahead_bytes);
void wal_free(Wal *wal);
/* The directory, and the segment of a log that begins at `start`. */
MUST_CHECK bool wal_create(Str directory, Lsn start);
/*
 * Opens the log for appending at `end`, where reading stopped; what was read from `oldest` on is
 * made durable first.
 */
MUST_CHECK bool wal_start(Wal *wal, Lsn oldest, Lsn end, uint32_t incarnation);
typedef enum WalStop { WAL_STOP_DRAIN, WAL_STOP_ABORT } WalStop;
void wal_stop(Wal *wal, WalStop how);
void wal_configure(Wal *wal, uint64_t min_wal_bytes);
/* Segments wholly before `redo` may go. */
void wal_recycle(Wal *wal, Lsn redo);

/* -------- wal_segment.c: files -------- */

MUST_CHECK File *wal_segment_open(Str directory, Lsn lsn, uint32_t flags);
/* Of a new segment: all of them are the file's, and read as zeros. */
typedef enum WalBlocks {
    WAL_BLOCKS_WRITTEN,   /* once with zeros: a later fdatasync writes data alone */
    WAL_BLOCKS_UNWRITTEN, /* the file system notes of each what is written first */
} WalBlocks;
/* The segment with `lsn`, ready to be written from there on: all of it on disk, name included. */
MUST_CHECK bool wal_segment_create(Str directory, Lsn lsn, WalBlocks blocks);
MUST_CHECK bool wal_segment_rename(Str directory, Lsn from, Lsn to);
bool wal_segment_remove(Str directory, Lsn lsn);
/* Starts of the lowest and highest segment present; 0 where there is none. */
MUST_CHECK bool wal_segments_range(Str directory, Lsn *ret_lowest, Lsn *ret_highest);
bool wal_segment_exists(Str directory, Lsn lsn);

/* The log ends there and nobody writes: for stores that are only read. */
void wal_show(Wal *wal, Lsn end);

static inline Lsn wal_segment_start(Lsn lsn)
{
    return lsn / WAL_SEGMENT_SIZE * WAL_SEGMENT_SIZE;
}

/* The reader need not look for durable records behind the end: the store was closed there. */
void wal_reader_trust_end(WalReader *reader);

#endif
