#include "executor/spill.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/pace.h"
#include "base/settings.h"
#include "base/task.h"

#define SPILL_BUFFER 16384
#define REMOVED_AT_ONCE ((uint64_t)1024 * 1024)

struct SpillFile {
    SpillSet *set;
    SpillFile *next, *previous;
    Arena *arena;
    File *file;
    Str path;
    byte *write_buffer;
    size_t write_used;
    uint64_t flushed; /* bytes in the file */
    byte *read_buffer;
    uint64_t read_start; /* file offset of read_buffer[0] */
    size_t read_used;    /* bytes of it that are valid */
    uint64_t position;   /* of the reader */
};

void spill_set_init(SpillSet *set, Str directory)
{
    *set = (SpillSet){.directory = directory};
}

void spill_set_clear(SpillSet *set)
{
    while (set->files)
        spill_free(set->files);
}

SpillFile *spill_new(SpillSet *set)
{
    static _Atomic uint64_t counter; /* names only: unique within the process */

    CHECK_INTERRUPTS(); /* a directory's turn can take a millisecond */
    Arena *arena = arena_new("spill file");
    SpillFile *file = ARENA_NEW(arena, SpillFile);
    file->arena = arena;
    file->set = set;
    file->path = str_format(arena, "%.*s/sengi_tmp.%d.%llu", STR_ARGS(set->directory),
                            (int)getpid(), (unsigned long long)atomic_fetch_add(&counter, 1));
    file->file = os->file_open(file->path, OS_WRITE | OS_CREATE | OS_TRUNCATE);
    if (!file->file) {
        arena_free(arena);
        return NULL;
    }
    set->file_count++;
    metric_add(METRIC_TEMPORARY_FILES, 1);
    file->write_buffer = arena_alloc(arena, SPILL_BUFFER);
    file->next = set->files;
    if (set->files)
        set->files->previous = file;
    set->files = file;
    return file;
}

/* The system takes its time with the pages of a large file. */
static void file_shrink(SpillFile *file)
{
    uint64_t size = file->flushed;

    while (size > REMOVED_AT_ONCE && os->file_truncate(file->file, size - REMOVED_AT_ONCE)) {
        size -= REMOVED_AT_ONCE;
        pace_turn();
    }
}

void spill_free(SpillFile *file)
{
    if (!file)
        return;
    if (file->next)
        file->next->previous = file->previous;
    if (file->previous)
        file->previous->next = file->next;
    else
        file->set->files = file->next;
    file->set->size_bytes -= file->flushed;
    /* What cannot be removed is swept at the next start; what failed first stays the error. */
    const bool had_error = error_is_set();
    file_shrink(file);
    os->file_close(file->file);
    const int64_t least = settings()->log_temp_files;
    if (least >= 0 && file->flushed >= (uint64_t)least * 1024)
        NOTICE(SEVERITY_LOG, ERR_SUCCESSFUL_COMPLETION,
               .message = fmt("temporary file: path \"%.*s\", size %llu", STR_ARGS(file->path),
                              (unsigned long long)file->flushed));
    if ((!os->unlink(file->path) || error_is_set()) && !had_error)
        error_clear();
    arena_free(file->arena);
    pace_turn();
}

static bool spill_flush(SpillFile *file)
{
    if (file->write_used == 0)
        return true;
    int64_t limit = settings()->temp_file_limit;
    if (limit >= 0 && file->set->size_bytes + file->write_used > (uint64_t)limit * 1024)
        FAIL(ERR_CONFIGURATION_LIMIT_EXCEEDED,
             .message =
                 fmt("temporary file size exceeds temp_file_limit (%lldkB)", (long long)limit));
    CHECK_INTERRUPTS();
    TRY(os->file_write(file->file, file->write_buffer, file->write_used, file->flushed));
    file->flushed += file->write_used;
    file->set->size_bytes += file->write_used;
    file->set->written_bytes += file->write_used;
    metric_add(METRIC_TEMPORARY_BYTES, file->write_used);
    file->write_used = 0;
    return true;
}

bool spill_write(SpillFile *file, const void *data, size_t size)
{
    const byte *from = data;
    while (size > 0) {
        size_t part = MIN(size, SPILL_BUFFER - file->write_used);
        memcpy(file->write_buffer + file->write_used, from, part);
        file->write_used += part;
        from += part;
        size -= part;
        if (file->write_used == SPILL_BUFFER)
            TRY(spill_flush(file));
    }
    return true;
}

uint64_t spill_size(const SpillFile *file)
{
    return file->flushed + file->write_used;
}

bool spill_begin_read(SpillFile *file, uint64_t offset)
{
    TRY(spill_flush(file));
    file->position = offset;
    bool buffered = offset >= file->read_start && offset < file->read_start + file->read_used;
    if (!buffered)
        file->read_used = 0;
    return true;
}

bool spill_read(SpillFile *file, void *data, size_t size)
{
    byte *to = data;
    assert(file->position + size <= file->flushed);
    while (size > 0) {
        uint64_t within = file->position - file->read_start;
        if (file->read_used == 0 || within >= file->read_used) {
            CHECK_INTERRUPTS();
            size_t part = MIN((uint64_t)SPILL_BUFFER, file->flushed - file->position);
            if (!file->read_buffer)
                file->read_buffer = arena_alloc(file->arena, SPILL_BUFFER);
            file->read_used = 0;
            TRY(os->file_read(file->file, file->read_buffer, part, file->position));
            file->read_start = file->position;
            file->read_used = part;
            within = 0;
        }
        size_t part = MIN(size, file->read_used - within);
        memcpy(to, file->read_buffer + within, part);
        to += part;
        size -= part;
        file->position += part;
    }
    return true;
}

bool spill_read_some(SpillFile *file, void *data, size_t most, size_t *ret_size)
{
    const size_t size = MIN(most, file->flushed - file->position);
    CHECK_INTERRUPTS();
    if (size > 0)
        TRY(os->file_read(file->file, data, size, file->position));
    file->position += size;
    *ret_size = size;
    return true;
}

uint64_t spill_position(const SpillFile *file)
{
    return file->position;
}
