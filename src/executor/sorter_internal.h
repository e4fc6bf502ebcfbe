/* What the sorter's halves share: records in memory (sorter.c), runs on disk (sorter_merge.c). */
#ifndef EXECUTOR_SORTER_INTERNAL_H
#define EXECUTOR_SORTER_INTERNAL_H

#include "executor/sorter.h"

#define SORT_SLACK 8 /* bytes that may be read behind the last record of a chunk */

struct SortChunk {
    SortChunk *next; /* those behind `last` are empty */
    size_t used, capacity;
    char data[]; /* capacity and SORT_SLACK bytes */
};

typedef struct RecordHeader {
    uint32_t key_size, payload_size;
} RecordHeader;

struct SortRun {
    SpillFile *file;
    char *buffer; /* heap: a stretch of the file while it is merged */
    size_t at, used, capacity;
    SortRecord record; /* no key: the run is at its end */
    uint64_t prefix;
    uint64_t left;
};

/* Bytes depth … depth + 7 of a key as a number, zeros behind its end. */
static inline uint64_t key_word(const char *key, uint32_t size, uint32_t depth)
{
    uint64_t word;

    if (size <= depth)
        return 0;
    memcpy(&word, key + depth, sizeof(word));
    word = __builtin_bswap64(word);
    return size - depth >= 8 ? word : word & ~(UINT64_MAX >> 8 * (size - depth));
}

static inline SortRecord record_at(const char *record)
{
    RecordHeader header;
    memcpy(&header, record, sizeof(header));
    const char *key = record + sizeof(header);
    return (SortRecord){str_make(key, header.key_size), key + header.key_size, header.payload_size};
}

static inline size_t record_size(const char *record)
{
    RecordHeader header;
    memcpy(&header, record, sizeof(header));
    return sizeof(header) + header.key_size + header.payload_size;
}

MUST_CHECK bool sorter_sort(Sorter *sorter);
/* Chunks stay for other records. */
void sorter_chunks_empty(Sorter *sorter);
/* Sorts what is in memory, writes it as a run and empties memory. */
MUST_CHECK bool sorter_write_run(Sorter *sorter);
MUST_CHECK bool sorter_merge_begin(Sorter *sorter);
MUST_CHECK bool sorter_merge_next(Sorter *sorter, SortRecord *ret);
void sorter_runs_free(Sorter *sorter);

#endif
