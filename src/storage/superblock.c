#include "storage/superblock.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/os.h"
#include "base/task.h"
#include "storage/page.h"
#include "storage/store.h"

#define FULL_TRIES 100u
#define FULL_RETRY_US 100000
#define SUPERBLOCK_BLOCK 4096u
#define SUPERBLOCK_COPIES 4u
#define SUPERBLOCK_PATH_MAX 4096

static File *superblock_file(Str directory, uint32_t flags)
{
    char path[SUPERBLOCK_PATH_MAX];
    const size_t length = directory.length;

    if (length + sizeof("/superblock") > sizeof(path))
        FAIL(ERR_INVALID_NAME, .message = STR("path of the data directory is too long"));
    memcpy(path, directory.data, length);
    memcpy(path + length, "/superblock", sizeof("/superblock"));
    return os->file_open(str_from_c(path), flags);
}

static uint32_t superblock_crc(const Superblock *superblock)
{
    return crc32c(0, superblock, offsetof(Superblock, crc));
}

static bool superblock_is_valid(const Superblock *superblock)
{
    return superblock->magic == SUPERBLOCK_MAGIC && superblock->crc == superblock_crc(superblock);
}

static bool superblock_check_format(Str directory, const Superblock *superblock)
{
    const uint32_t version = superblock->format_version;

    if (version < STORE_FORMAT_OLDEST || version > STORE_FORMAT_VERSION)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = STR("database files are incompatible with server"),
             .detail = fmt("The data directory \"%.*s\" has format version %u, but the server "
                           "reads versions %u to %u.",
                           STR_ARGS(directory), version, STORE_FORMAT_OLDEST, STORE_FORMAT_VERSION),
             .hint = STR("Dump the data with the server version that wrote it, and restore it."));
    if (superblock->page_size != PAGE_SIZE)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = STR("database files are incompatible with server"),
             .detail = fmt("The data directory \"%.*s\" has pages of %u bytes, but the server "
                           "uses %u.",
                           STR_ARGS(directory), superblock->page_size, PAGE_SIZE));
    return true;
}

bool superblock_read(Str directory, Superblock *ret_superblock)
{
    byte blocks[SUPERBLOCK_COPIES][SUPERBLOCK_BLOCK];
    size_t count = 0;
    File *file = superblock_file(directory, OS_READ_ONLY);

    if (!file)
        return false;
    memset(blocks, 0, sizeof(blocks));
    const bool ok = os->file_read_some(file, blocks, sizeof(blocks), 0, &count);
    os->file_close(file);
    TRY(ok);

    const Superblock *newest = NULL;
    for (uint32_t i = 0; i < SUPERBLOCK_COPIES; i++) {
        const Superblock *candidate = (const Superblock *)blocks[i];
        if (superblock_is_valid(candidate) &&
            (!newest || candidate->generation > newest->generation))
            newest = candidate;
    }
    if (!newest)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("no valid superblock in \"%.*s/superblock\"", STR_ARGS(directory)),
             .detail = STR("All four copies fail their checksum."),
             .hint = STR("Restore the data directory from a backup."));
    TRY(superblock_check_format(directory, newest));
    *ret_superblock = *newest;
    return true;
}

/* Both generations' blocks exist after creation; still, some file systems need room to overwrite
 * them. There may be some in a moment. */
static bool superblock_put(File *file, const void *blocks, size_t size, uint64_t offset)
{
    for (uint32_t tries = 0; !os->file_write(file, blocks, size, offset); tries++) {
        TRY(error_fields()->sqlstate == ERR_DISK_FULL && tries < FULL_TRIES);
        error_clear();
        if (!task_sleep(FULL_RETRY_US, WAIT_EVENT_CHECKPOINTER_MAIN))
            error_clear();
    }
    return true;
}

bool superblock_write(Str directory, Superblock *superblock)
{
    byte blocks[2][SUPERBLOCK_BLOCK];
    Superblock next = *superblock;
    File *file = superblock_file(directory, OS_CREATE);

    if (!file)
        return false;
    next.magic = SUPERBLOCK_MAGIC;
    next.format_version = STORE_FORMAT_VERSION;
    next.page_size = PAGE_SIZE;
    next.generation++;
    next.time = os->wall_clock();
    next.crc = superblock_crc(&next);
    memset(blocks, 0, sizeof(blocks));
    memcpy(blocks[0], &next, sizeof(next));
    memcpy(blocks[1], &next, sizeof(next));
    const uint64_t offset = (uint64_t)(next.generation & 1) * sizeof(blocks);
    const bool written = superblock_put(file, blocks, sizeof(blocks), offset);
    const bool synced = written && os->file_sync(file);
    os->file_close(file);
    /* A superblock that may or may not be on disk leaves no way to know which map counts. */
    if (!synced && superblock->generation >= 2)
        panic("could not write the superblock of \"%.*s\": %.*s", STR_ARGS(directory),
              STR_ARGS(error_fields()->message));
    TRY(synced);
    *superblock = next;
    return true;
}
