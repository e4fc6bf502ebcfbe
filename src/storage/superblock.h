/*
 * The superblock: which checkpoint counts.
 *
 * Four blocks of 4 KiB: generation g is written twice, at blocks 2 * (g & 1) and the next, so the
 * generation before stays whole while one is written, and rot in one copy loses nothing.
 */
#ifndef STORAGE_SUPERBLOCK_H
#define STORAGE_SUPERBLOCK_H

#include "base/base.h"
#include "base/str.h"

/* As on disk, little-endian, 128 bytes at the start of a block. */
typedef struct Superblock {
    uint64_t magic;
    uint32_t format_version;
    uint32_t page_size;
    uint64_t system_id;
    uint32_t generation;
    uint32_t checkpoint; /* the epoch whose image the map describes */
    uint64_t redo;
    uint64_t wal_durable; /* the log is durable at least up to here */
    uint32_t incarnation; /* openings of the store; marks WAL records */
    uint32_t is_clean;    /* closed with nothing after redo */
    uint32_t map_number;  /* N in map.N.base and map.N.journal */
    uint32_t map_chain;   /* chained checksum at the journal's end */
    uint64_t base_length;
    uint64_t journal_length;
    int64_t time; /* wall clock, microseconds since 1970 */
    uint64_t unused[4];
    uint32_t has_loose_pages; /* the image may have pages that no tree reaches */
    uint32_t crc;             /* CRC-32C of the 124 bytes before it */
} Superblock;
static_assert(sizeof(Superblock) == 128, "the superblock's size on disk");

#define SUPERBLOCK_MAGIC 0x69676e6573ull /* "sengi" */

/* The newest valid generation in `directory`. Says what to do when there is none. */
MUST_CHECK bool superblock_read(Str directory, Superblock *ret_superblock);
/* Writes and syncs the next generation: sets generation, time and crc in *superblock. */
MUST_CHECK bool superblock_write(Str directory, Superblock *superblock);

#endif
