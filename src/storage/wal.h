/*
 * WAL: the ordered, durable log of committed transactions.
 *
 * A Lsn is a position in an endless stream of bytes that is kept in segments of 16 MiB under
 * `wal/`, preallocated and recycled, named as PostgreSQL names them. The stream is a sequence of
 * records; what is in them is the writer's business (txn/record.h).
 *
 *   TRY(wal_admit(wal, length));               may wait, may fail with 53100; no locks held
 *   applying_lsn = wal_reserved_end(wal);      published before the next line (C3)
 *   wal_append(wal, length, &slot);            gives slot.start and slot.end; cannot fail or wait
 *   wal_fill(wal, &slot, pieces, count);       copies into the ring; waits only for a full ring
 *   ... apply ...
 *   TRY(wal_wait(wal, slot.end));              returns when slot.end is on disk
 *
 * One log-writer thread writes and syncs all that is filled when it is asked to. Who fills a record
 * on a worker asks at once while few commits wait for each sync; while many do, when the worker has
 * nothing else to do, or a moment later (scheduler_defer): so the commits of a busy worker share a
 * sync. A commit that is alone on its worker, and in the log, does it itself within wal_wait. A
 * failed fsync ends the process: what the kernel dropped cannot be known.
 *
 * A record is {lsn, length, crc32c, durable, incarnation} and its payload, 8-byte aligned.
 * `durable` is a position known to be on disk when the record was filled; so a bad record with a
 * later record that says it was durable is corruption, and anything else is a torn tail.
 * `incarnation` counts openings of the store: what an earlier run left behind the tail is stale.
 *
 * Invariants: W1 Lsns only grow. W2 Bytes below wal_flushed never change and survive a crash.
 * W3 Every wal_admit is followed by one wal_append of at most that length.
 * W4 Every wal_append is followed by wal_fill, soon: everything behind it waits for it.
 */
#ifndef STORAGE_WAL_H
#define STORAGE_WAL_H

#include "base/base.h"
#include "base/error.h"
#include "base/str.h"

typedef struct Wal Wal;

#ifndef WAL_SEGMENT_SIZE /* crash tests use smaller ones */
#define WAL_SEGMENT_SIZE (16u << 20)
#endif
#define WAL_START ((Lsn)WAL_SEGMENT_SIZE) /* where a new store's log begins; 0 is no position */
#define WAL_RECORD_MAX (1u << 30)         /* bytes of payload */
#define WAL_RECORD_HEADER 32

typedef struct WalSlot {
    Lsn start;
    Lsn end; /* where the next record starts: the commit LSN */
    uint32_t length;
} WalSlot;

/* Makes sure the disk has room for a record of this length. */
MUST_CHECK bool wal_admit(Wal *wal, uint32_t length);
/* Takes the next stretch of the log. Needs no lock; call order is log order. */
void wal_append(Wal *wal, uint32_t admitted_length, uint32_t length, WalSlot *ret_slot);
/* The payload, in pieces whose lengths add up to slot->length. May wait, uninterruptibly. */
void wal_fill(Wal *wal, const WalSlot *slot, const Str *pieces, size_t piece_count);

Lsn wal_reserved_end(const Wal *wal); /* the next record starts here or later */
Lsn wal_flushed(const Wal *wal);      /* everything before it is on disk */
/* Waits until `lsn` is on disk. Fails only when interrupted while the disk has no room for it. */
MUST_CHECK bool wal_wait(Wal *wal, Lsn lsn);
/* The same, not to be interrupted. */
void wal_flush(Wal *wal, Lsn lsn);

/* Called by whoever has made wal_flushed grow, one at a time; must not wait. */
typedef void WalCallback(void *context, Lsn flushed);
void wal_subscribe(Wal *wal, WalCallback *callback, void *context);

/* While not 0, wal_admit fails with it (53100): the data file's disk is full, the log's is not. */
void wal_refuse(Wal *wal, SqlState reason);

typedef struct WalStatistics {
    uint64_t record_count, byte_count, write_count, sync_count, sync_microseconds;
} WalStatistics;
void wal_statistics(const Wal *wal, WalStatistics *ret_statistics);

/* -------- Reading, for recovery and standbys -------- */

typedef struct WalReader WalReader;

typedef struct WalRecord {
    Lsn start, end;
    Str payload; /* valid until the next call */
} WalRecord;

typedef enum WalReadOutcome {
    WAL_READ_FAILED = 0, /* error is set: XX001 where durable records are damaged */
    WAL_READ_RECORD,
    WAL_READ_END, /* the log ends at wal_reader_position */
} WalReadOutcome;

/* `must_reach`: the log is known to be durable up to there; ending before it is corruption. */
MUST_CHECK WalReader *wal_reader_open(Str directory, Lsn from, Lsn must_reach);
void wal_reader_close(WalReader *reader);
void wal_reader_closep(WalReader **reader); /* for CLEANUP */
MUST_CHECK WalReadOutcome wal_reader_next(WalReader *reader, WalRecord *ret_record);
Lsn wal_reader_position(const WalReader *reader);

/* "000000010000000000000001" for the segment that holds `lsn`. `buffer` has 25 bytes. */
void wal_segment_name(Lsn lsn, char *buffer);

#endif
