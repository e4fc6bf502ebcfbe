/*
 * Spill files: what a statement puts on disk when it outgrows work_mem.
 *
 * A SpillSet belongs to one execution; every file made in it is removed by spill_set_clear, which
 * executor_stop always calls. Files are sequences of records written once and read forward, any
 * number of times, from any record's offset.
 *
 *   SpillFile *file = spill_new(set);
 *   TRY(spill_write(file, row, size));          buffered
 *   TRY(spill_begin_read(file, 0));
 *   TRY(spill_read(file, buffer, size));         reading past the end is a bug
 *
 * A full disk is 53100, temp_file_limit 53400.
 */
#ifndef EXECUTOR_SPILL_H
#define EXECUTOR_SPILL_H

#include "base/arena.h"
#include "base/os.h"

typedef struct SpillFile SpillFile;

typedef struct SpillSet {
    Str directory;
    SpillFile *files;       /* all that exist */
    uint64_t size_bytes;    /* of all files that exist now */
    uint64_t written_bytes; /* and files made, since the run began: for pg_stat_database */
    uint64_t file_count;
} SpillSet;

void spill_set_init(SpillSet *set, Str directory);
void spill_set_clear(SpillSet *set);

MUST_CHECK SpillFile *spill_new(SpillSet *set);
void spill_free(SpillFile *file); /* removes it, in steps; accepts NULL */
MUST_CHECK bool spill_write(SpillFile *file, const void *data, size_t size);
/* Bytes written so far: the offset of the next record. */
uint64_t spill_size(const SpillFile *file);
/* Writes what is buffered and sets the reading position. Writing may go on afterwards. */
MUST_CHECK bool spill_begin_read(SpillFile *file, uint64_t offset);
MUST_CHECK bool spill_read(SpillFile *file, void *data, size_t size);
/* Straight into the caller's buffer; fewer than `most` bytes only at the end. */
MUST_CHECK bool spill_read_some(SpillFile *file, void *data, size_t most, size_t *ret_size);
uint64_t spill_position(const SpillFile *file);

#endif
