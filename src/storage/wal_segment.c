/* The log's files: 16 MiB each, named after timeline and number as PostgreSQL names them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "storage/wal_internal.h"

#define WAL_PATH_MAX 4096
#define WAL_NAME_LENGTH 24
#define WAL_TIMELINE 1u
#define WAL_ZERO_CHUNK (128u << 10) /* stays in the processor's cache */

void wal_segment_name(Lsn lsn, char *buffer)
{
    const uint64_t number = lsn / WAL_SEGMENT_SIZE;

    snprintf(buffer, WAL_NAME_LENGTH + 1, "%08X%08X%08X", WAL_TIMELINE, (uint32_t)(number >> 8),
             (uint32_t)(number & 0xff));
}

typedef struct WalPath {
    char text[WAL_PATH_MAX];
} WalPath;

static bool wal_path(Str directory, Lsn lsn, WalPath *ret_path)
{
    char name[WAL_NAME_LENGTH + 1];

    wal_segment_name(lsn, name);
    const int length =
        snprintf(ret_path->text, sizeof(ret_path->text), "%.*s/%s", STR_ARGS(directory), name);
    if (length < 0 || (size_t)length >= sizeof(ret_path->text))
        FAIL(ERR_INVALID_NAME, .message = STR("path of the data directory is too long"));
    return true;
}

File *wal_segment_open(Str directory, Lsn lsn, uint32_t flags)
{
    WalPath path;

    TRY(wal_path(directory, lsn, &path));
    return os->file_open(str_from_c(path.text), flags);
}

bool wal_segment_exists(Str directory, Lsn lsn)
{
    WalPath path;

    if (!wal_path(directory, lsn, &path)) {
        error_clear();
        return false;
    }
    return os->exists(str_from_c(path.text));
}

/* Zeros, so that a later fdatasync writes data alone. A simulated disk has no such cost. */
static bool wal_fill_zeros(File *file, uint64_t from)
{
    if (os->simulated)
        return true;
    const uint64_t chunk = MIN(WAL_ZERO_CHUNK, WAL_SEGMENT_SIZE); /* a fuzz target's are small */
    byte *zeros = memory_calloc(1, chunk);
    if (!zeros)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    bool ok = true;
    for (uint64_t at = from / chunk * chunk; ok && at < WAL_SEGMENT_SIZE; at += chunk)
        ok = os->file_write(file, zeros, chunk, at);
    memory_free(zeros);
    return ok;
}

bool wal_segment_create(Str directory, Lsn lsn, WalBlocks blocks)
{
    File *file = wal_segment_open(directory, lsn, OS_CREATE);

    TRY(file);
    const bool ok =
        os->file_allocate(file, 0, WAL_SEGMENT_SIZE) &&
        (blocks == WAL_BLOCKS_UNWRITTEN || wal_fill_zeros(file, lsn % WAL_SEGMENT_SIZE)) &&
        os->file_sync(file);
    os->file_close(file);
    if (!ok) {
        /* The blocks are given back; the reason stays in the error record. */
        WalPath path;
        if (wal_path(directory, lsn, &path)) {
            const ErrorFields *fields = error_fields();
            const SqlState state = fields->sqlstate;
            char message[300];
            snprintf(message, sizeof(message), "%.*s", STR_ARGS(fields->message));
            error_clear();
            if (!os->unlink(str_from_c(path.text)))
                error_clear();
            ERROR_SET(state, .message = str_from_c(message));
        }
        return false;
    }
    return os->sync_directory(directory);
}

bool wal_segment_rename(Str directory, Lsn from, Lsn to)
{
    WalPath old_path, new_path;

    TRY(wal_path(directory, from, &old_path));
    TRY(wal_path(directory, to, &new_path));
    TRY(os->rename(str_from_c(old_path.text), str_from_c(new_path.text)));
    /* Until the new name is durable nothing may be written there. */
    return os->sync_directory(directory);
}

bool wal_segment_remove(Str directory, Lsn lsn)
{
    WalPath path;

    if (wal_path(directory, lsn, &path) && os->unlink(str_from_c(path.text)))
        return true;
    error_clear();
    return false;
}

typedef struct WalRange {
    Lsn lowest, highest;
} WalRange;

static bool hex_value(Str text, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.length; i++) {
        const char c = text.data[i];
        if (c >= '0' && c <= '9')
            value = value * 16 + (uint64_t)(c - '0');
        else if (c >= 'A' && c <= 'F')
            value = value * 16 + (uint64_t)(c - 'A' + 10);
        else
            return false;
    }
    *ret_value = value;
    return true;
}

static bool wal_range_add(void *context, Str name, bool is_directory)
{
    WalRange *range = context;
    uint64_t high, low;

    if (is_directory || name.length != WAL_NAME_LENGTH ||
        !hex_value(str_slice(name, 8, 8), &high) || !hex_value(str_slice(name, 16, 8), &low))
        return true;
    const Lsn start = ((high << 8) + low) * WAL_SEGMENT_SIZE;
    if (range->lowest == 0 || start < range->lowest)
        range->lowest = start;
    if (start > range->highest)
        range->highest = start;
    return true;
}

bool wal_segments_range(Str directory, Lsn *ret_lowest, Lsn *ret_highest)
{
    WalRange range = {0};

    TRY(os->list_directory(directory, wal_range_add, &range));
    *ret_lowest = range.lowest;
    *ret_highest = range.highest;
    return true;
}

bool wal_create(Str directory, Lsn start)
{
    TRY(os->make_directory(directory));
    return wal_segment_create(directory, start, WAL_BLOCKS_WRITTEN);
}
