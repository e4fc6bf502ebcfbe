/*
 * Version spill: room on disk for old row versions that are too many for memory.
 *
 * Pieces of one file without a name are mapped in place of memory, so what lies there is used by
 * address, like memory; the system keeps what is used of it, writes the rest when it wants the
 * memory for something else, and reads it again. Blocks are reserved before a piece is given out,
 * and a gigabyte of the file system is left to others: a disk that gets full means that there is no
 * piece, never one that cannot be written. Nothing of it is of use after a crash, and the file is
 * there only while pieces of it are.
 *
 *   version_spill_init(&spill, directory);               "": there is never a piece
 *   if (version_spill_map(&spill, start, &offset)) ...   `start` is mapped, and replaced
 *   munmap(start, VERSION_SPILL_PIECE);
 *   version_spill_give(&spill, offset);
 *   version_spill_deinit(&spill);                        when all has been given back
 *
 * Guarded by its owner's mutex.
 */
#ifndef TXN_VERSION_SPILL_H
#define TXN_VERSION_SPILL_H

#include "base/os.h"

#define VERSION_SPILL_PIECE ((size_t)4 * 1024 * 1024) /* bytes */

typedef struct VersionSpill {
    char *path;     /* of the file, while it has a name; NULL: there is none */
    File *file;     /* NULL: no piece is used */
    uint64_t end;   /* of the pieces so far */
    uint64_t *free; /* the offsets of those below the end that are not used */
    uint32_t free_count, free_capacity, used_count;
} VersionSpill;

/* The directory is looked for when the first piece is. */
void version_spill_init(VersionSpill *spill, Str directory);
void version_spill_deinit(VersionSpill *spill);

/* False, without an error: there is no piece to be had. */
bool version_spill_map(VersionSpill *spill, void *at, uint64_t *ret_offset);
void version_spill_give(VersionSpill *spill, uint64_t offset);

#endif
