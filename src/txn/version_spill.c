#include "txn/version_spill.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#define FILE_NAME "/sengi_versions"
#define ROOM_LEFT ((uint64_t)1 << 30) /* bytes of the file system that others are left */

void version_spill_init(VersionSpill *spill, Str directory)
{
    *spill = (VersionSpill){0};
    if (directory.length == 0)
        return;
    spill->path = memory_must(directory.length + sizeof(FILE_NAME));
    memcpy(spill->path, directory.data, directory.length);
    memcpy(spill->path + directory.length, FILE_NAME, sizeof(FILE_NAME));
}

void version_spill_deinit(VersionSpill *spill)
{
    assert(spill->used_count == 0);
    memory_free(spill->path);
    memory_free(spill->free);
}

/* The system frees its blocks when it is closed, or when the process ends. */
static bool file_make(VersionSpill *spill)
{
    const Str path = str_from_c(spill->path);

    TRY(spill->file = os->file_open(path, OS_CREATE | OS_TRUNCATE));
    return os->unlink(path);
}

static void file_drop(VersionSpill *spill)
{
    if (spill->file)
        os->file_close(spill->file);
    spill->file = NULL;
    spill->end = 0;
    spill->free_count = 0;
}

/* Reserved anew each time: what was given back has no blocks any more. */
static bool piece_map(VersionSpill *spill, void *at, uint64_t offset)
{
    uint64_t room;

    return os->file_room(spill->file, &room) && room >= ROOM_LEFT + VERSION_SPILL_PIECE &&
           os->file_allocate(spill->file, offset, VERSION_SPILL_PIECE) &&
           os->file_map(spill->file, at, offset, VERSION_SPILL_PIECE);
}

bool version_spill_map(VersionSpill *spill, void *at, uint64_t *ret_offset)
{
    if (!spill->path)
        return false;
    bool ok = spill->file || file_make(spill);
    const bool is_new = spill->free_count == 0;
    const uint64_t offset = is_new ? spill->end : spill->free[spill->free_count - 1];
    ok = ok && piece_map(spill, at, offset);
    if (!ok) {
        error_clear();
        if (spill->file)
            os->file_punch(spill->file, offset, VERSION_SPILL_PIECE);
        if (spill->used_count == 0)
            file_drop(spill);
        return false;
    }
    if (is_new)
        spill->end += VERSION_SPILL_PIECE;
    else
        spill->free_count--;
    spill->used_count++;
    *ret_offset = offset;
    return true;
}

void version_spill_give(VersionSpill *spill, uint64_t offset)
{
    assert(spill->used_count > 0);
    os->file_punch(spill->file, offset, VERSION_SPILL_PIECE);
    if (--spill->used_count == 0) {
        file_drop(spill);
        return;
    }
    if (spill->free_count == spill->free_capacity) {
        const uint32_t capacity = MAX(spill->free_capacity * 2, 64u);
        spill->free = memory_must_realloc(spill->free, capacity * sizeof(spill->free[0]));
        spill->free_capacity = capacity;
    }
    spill->free[spill->free_count++] = offset;
}
