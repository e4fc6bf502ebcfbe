/* Reading the log: records in order, and what its end means. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "storage/wal_internal.h"

#define WAL_READ_CHUNK (256u << 10)
#define WAL_READ_STEP (16u << 20) /* memory for a record grows by at least so much */

struct WalReader {
    char *directory;
    size_t directory_length;
    Lsn position;
    Lsn must_reach;
    uint32_t incarnation; /* of the last good record: later ones are not older */
    bool trust_end;
    File *file; /* the segment at file_start, or NULL */
    Lsn file_start;
    byte *chunk; /* bytes of the log from chunk_start */
    Lsn chunk_start;
    size_t chunk_length;
    byte *record; /* header and payload in one piece */
    size_t record_capacity;
};

static Str reader_directory(const WalReader *reader)
{
    return str_make(reader->directory, reader->directory_length);
}

WalReader *wal_reader_open(Str directory, Lsn from, Lsn must_reach)
{
    WalReader *reader = memory_calloc(1, sizeof(WalReader));
    char *copy = memory_malloc(directory.length + 1);
    byte *chunk = memory_malloc(WAL_READ_CHUNK);

    if (!reader || !copy || !chunk) {
        memory_free(reader);
        memory_free(copy);
        memory_free(chunk);
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    }
    memcpy(copy, directory.data, directory.length);
    reader->directory = copy;
    reader->directory_length = directory.length;
    reader->position = from;
    reader->must_reach = must_reach;
    reader->chunk = chunk;
    return reader;
}

void wal_reader_close(WalReader *reader)
{
    if (!reader)
        return;
    os->file_close(reader->file);
    memory_free(reader->directory);
    memory_free(reader->chunk);
    memory_free(reader->record);
    memory_free(reader);
}

void wal_reader_closep(WalReader **reader)
{
    wal_reader_close(*reader);
}

void wal_reader_trust_end(WalReader *reader)
{
    reader->trust_end = true;
}

Lsn wal_reader_position(const WalReader *reader)
{
    return reader->position;
}

/* Fills the chunk from `lsn` on; *ret_more: false where no segment is there. */
static bool reader_fill(WalReader *reader, Lsn lsn, bool *ret_more)
{
    const Lsn start = wal_segment_start(lsn);

    *ret_more = false;
    if (!reader->file || reader->file_start != start) {
        os->file_close(reader->file);
        reader->file = NULL;
        if (!wal_segment_exists(reader_directory(reader), lsn))
            return true;
        reader->file = wal_segment_open(reader_directory(reader), lsn, OS_READ_ONLY);
        TRY(reader->file);
        reader->file_start = start;
    }
    const size_t want = (size_t)MIN((uint64_t)WAL_READ_CHUNK, start + WAL_SEGMENT_SIZE - lsn);
    size_t got;
    TRY(os->file_read_some(reader->file, reader->chunk, want, lsn - start, &got));
    reader->chunk_start = lsn;
    reader->chunk_length = got;
    *ret_more = got > 0;
    return true;
}

/* Copies up to `size` bytes at `lsn`; *ret_count is less where the log's files end. */
static bool reader_read(WalReader *reader, Lsn lsn, void *buffer, size_t size, size_t *ret_count)
{
    size_t done = 0;

    while (done < size) {
        const Lsn at = lsn + done;
        if (at < reader->chunk_start || at >= reader->chunk_start + reader->chunk_length) {
            bool more;
            TRY(reader_fill(reader, at, &more));
            if (!more)
                break;
        }
        const size_t offset = (size_t)(at - reader->chunk_start);
        const size_t part = MIN(size - done, reader->chunk_length - offset);
        memcpy((byte *)buffer + done, reader->chunk + offset, part);
        done += part;
    }
    *ret_count = done;
    return true;
}

static bool reader_reserve(WalReader *reader, size_t size)
{
    if (reader->record_capacity >= size)
        return true;
    const size_t capacity = MAX(size, reader->record_capacity * 2);
    byte *record = memory_realloc(reader->record, capacity);
    if (!record)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"),
             .detail = fmt("Failed to read a log record of %zu bytes.", size));
    reader->record = record;
    reader->record_capacity = capacity;
    return true;
}

uint32_t wal_header_crc(const WalHeader *header)
{
    WalHeader copy;

    memcpy(&copy, header, sizeof(copy));
    copy.crc = 0;
    return crc32c(0, &copy, sizeof(copy));
}

/*
 * The payload behind a header, as far as the files have it. The length is not proved yet, so memory
 * is taken as the bytes come: a torn header may say anything.
 */
static bool reader_payload(WalReader *reader, Lsn lsn, size_t length, size_t *ret_count)
{
    size_t done = 0;

    for (;;) {
        const size_t part = MIN(length - done, (size_t)WAL_READ_STEP);
        size_t count;
        TRY(reader_reserve(reader, sizeof(WalHeader) + done + part));
        TRY(reader_read(reader, lsn + done, reader->record + sizeof(WalHeader) + done, part,
                        &count));
        done += count;
        if (count < part || done == length)
            break;
    }
    *ret_count = done;
    return true;
}

/* The record at `lsn`, whole in reader->record; *ret_valid: false where there is none. */
static bool reader_record(WalReader *reader, Lsn lsn, bool *ret_valid)
{
    WalHeader header;
    size_t count;

    *ret_valid = false;
    TRY(reader_read(reader, lsn, &header, sizeof(header), &count));
    if (count < sizeof(header) || header.lsn != lsn || header.length > WAL_RECORD_MAX ||
        header.incarnation < reader->incarnation || header.incarnation == 0)
        return true;
    TRY(reader_payload(reader, lsn + sizeof(header), header.length, &count));
    memcpy(reader->record, &header, sizeof(header));
    *ret_valid = count == header.length &&
                 crc32c(wal_header_crc(&header), reader->record + sizeof(header), header.length) ==
                     header.crc;
    return true;
}

static bool reader_damaged(const WalReader *reader, Lsn known_durable)
{
    char name[25];

    wal_segment_name(reader->position, name);
    FAIL(ERR_DATA_CORRUPTED,
         .message = fmt("write-ahead log is damaged at %X/%X in segment \"%s\"",
                        (uint32_t)(reader->position >> 32), (uint32_t)reader->position, name),
         .detail = fmt("The log was durable up to %X/%X, so this is not the end of it. "
                       "Committed transactions would be lost.",
                       (uint32_t)(known_durable >> 32), (uint32_t)known_durable),
         .hint = STR("Restore the segment from an archive, or the data directory from a backup."));
}

static bool reader_lost(const WalReader *reader)
{
    char name[25];

    wal_segment_name(reader->position, name);
    FAIL(ERR_DATA_CORRUPTED, .message = fmt("write-ahead log segment \"%s\" is missing", name),
         .detail = fmt("Recovery begins at %X/%X. The segment was lost, or a newer superblock.",
                       (uint32_t)(reader->position >> 32), (uint32_t)reader->position),
         .hint = STR("Restore the segment from an archive, or the data directory from a backup."));
}

/* The next place from *lsn on that carries its own position; *ret_more: false at the files' end. */
static bool reader_find_marker(WalReader *reader, Lsn *lsn, bool *ret_more)
{
    for (;;) {
        if (*lsn < reader->chunk_start || *lsn >= reader->chunk_start + reader->chunk_length) {
            TRY(reader_fill(reader, *lsn, ret_more));
            if (!*ret_more)
                return true;
        }
        const byte *bytes = reader->chunk + (*lsn - reader->chunk_start);
        const Lsn end = reader->chunk_start + reader->chunk_length / 8 * 8;
        for (; *lsn < end; *lsn += 8, bytes += 8) {
            Lsn marker;
            memcpy(&marker, bytes, sizeof(marker));
            if (marker == *lsn) {
                *ret_more = true;
                return true;
            }
        }
        *lsn = MAX(*lsn, reader->chunk_start + ALIGN_UP(reader->chunk_length, (size_t)8));
    }
}

/*
 * No record at reader->position. A torn tail, unless a record behind it was written when
 * this one was known to be on disk. Records are found by the position they carry.
 */
static bool reader_check_end(WalReader *reader)
{
    if (reader->position < reader->must_reach)
        return reader_damaged(reader, reader->must_reach);
    if (reader->trust_end)
        return true;
    /* The log has been up to here, and a segment goes only once no superblock needs it. */
    if (reader->position != wal_segment_start(reader->position) &&
        !wal_segment_exists(reader_directory(reader), reader->position))
        return reader_lost(reader);
    for (Lsn lsn = reader->position + 8;;) {
        bool more, is_valid;
        TRY(reader_find_marker(reader, &lsn, &more));
        if (!more)
            return true;
        TRY(reader_record(reader, lsn, &is_valid));
        if (!is_valid) {
            lsn += 8;
            continue;
        }
        const WalHeader *header = (const WalHeader *)reader->record;
        if (header->durable > reader->position)
            return reader_damaged(reader, header->durable);
        lsn += wal_record_size(header->length);
    }
}

WalReadOutcome wal_reader_next(WalReader *reader, WalRecord *ret_record)
{
    bool is_valid;

    TRY(reader_record(reader, reader->position, &is_valid));
    if (!is_valid)
        return reader_check_end(reader) ? WAL_READ_END : WAL_READ_FAILED;
    const WalHeader *header = (const WalHeader *)reader->record;
    const Lsn start = reader->position;
    reader->incarnation = header->incarnation;
    reader->position += wal_record_size(header->length);
    *ret_record = (WalRecord){
        .start = start,
        .end = reader->position,
        .payload = str_make(reader->record + sizeof(WalHeader), header->length),
    };
    return WAL_READ_RECORD;
}
