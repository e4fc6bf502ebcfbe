/*
 * The os seam: everything outside the process, as one table of functions.
 *
 * Linux (os_linux.c) and the simulator (sim.h) implement it; nothing else in the tree opens files,
 * reads clocks, draws random numbers or starts threads. `os` is set once before anything runs.
 *
 *   File *file;
 *   TRY(file = os->file_open(STR("data/pages"), OS_CREATE));
 *   TRY(os->file_write(file, buffer, size, offset));
 *   TRY(os->file_sync(file));
 *   os->file_close(file);
 *
 * Reads and writes are whole or fail: a short transfer is retried inside. Failures set the error
 * record: 58P01 no such file, 53100 disk full, 42809 a directory, 58030 anything else, with the
 * path and the system's reason. What was written and not synced may be lost, torn at 512 bytes or
 * reordered by a crash. Paths are as given by the user (absolute, or relative to the start
 * directory).
 */
#ifndef BASE_OS_H
#define BASE_OS_H

#include "base/base.h"
#include "base/str.h"

typedef struct File File;     /* each implementation's own */
typedef struct Thread Thread; /* likewise */

typedef enum OsOpenFlags {
    OS_READ_ONLY = 0,
    OS_WRITE = 1,
    OS_CREATE = 2,    /* made if missing; implies OS_WRITE */
    OS_EXCLUSIVE = 4, /* with OS_CREATE: an existing file is an error */
    OS_DIRECT = 8,    /* hint: bypass the page cache; buffers are then 4 KiB-aligned */
    OS_APPEND = 16,
    OS_TRUNCATE = 32, /* made if missing, emptied; implies OS_WRITE */
    OS_SHARED = 64,   /* made with mode 0644, for others to read; else 0600 */
} OsOpenFlags;

typedef void ThreadFunction(void *argument);
typedef bool OsListCallback(void *context, Str name, bool is_directory);

typedef struct OsOps {
    /* Files. Offsets and sizes in bytes. */
    File *(*file_open)(Str path, uint32_t flags)MUST_CHECK;
    void (*file_close)(File *file);
    bool (*file_read)(File *file, void *buffer, size_t size, uint64_t offset) MUST_CHECK;
    /* Reads up to `size` bytes; *ret_count is less only at the end of the file. */
    bool (*file_read_some)(File *file, void *buffer, size_t size, uint64_t offset,
                           size_t *ret_count) MUST_CHECK;
    bool (*file_write)(File *file, const void *buffer, size_t size, uint64_t offset) MUST_CHECK;
    bool (*file_sync)(File *file) MUST_CHECK; /* data and length: fdatasync */
    bool (*file_size)(File *file, uint64_t *ret_size) MUST_CHECK;
    bool (*file_truncate)(File *file, uint64_t size) MUST_CHECK;
    /* Reserves disk blocks so that later writes there cannot fail with 53100. */
    bool (*file_allocate)(File *file, uint64_t offset, uint64_t size) MUST_CHECK;
    /* Gives blocks back; reads there return zeros. A hint. */
    void (*file_punch)(File *file, uint64_t offset, uint64_t size);
    /*
     * Part of the file in place of what is mapped at `at`, in whole pages: to read and write here
     * and there, shared. Its blocks are allocated already. Gone with munmap, before or after the
     * file is closed. False without an error: there is no such thing here.
     */
    bool (*file_map)(File *file, void *at, uint64_t offset, size_t size) MUST_CHECK;
    /* Bytes that are left in its file system for who is no superuser. */
    bool (*file_room)(File *file, uint64_t *ret_bytes) MUST_CHECK;
    /* Exclusive advisory lock on the whole file; false without error in *ret_busy's case. */
    bool (*file_lock)(File *file, bool *ret_busy) MUST_CHECK;

    /* Names. */
    bool (*rename)(Str from, Str to) MUST_CHECK;
    bool (*unlink)(Str path) MUST_CHECK;
    bool (*make_directory)(Str path) MUST_CHECK; /* mode 0700; an existing one is an error */
    bool (*remove_directory)(Str path) MUST_CHECK;
    bool (*sync_directory)(Str path) MUST_CHECK;
    bool (*list_directory)(Str path, OsListCallback *callback, void *context) MUST_CHECK;
    bool (*exists)(Str path);

    /* Clocks, in microseconds. */
    int64_t (*monotonic)(void);
    int64_t (*wall_clock)(void); /* since 1970-01-01 UTC */

    uint64_t (*memory_size)(void); /* bytes of machine and control group, whichever has less */

    void (*random)(void *buffer, size_t size); /* cryptographic; seeded in the simulator */

    /* Threads. */
    Thread *(*thread_start)(const char *name, ThreadFunction *function, void *argument);
    void (*thread_join)(Thread *thread); /* waits and frees */
    void (*thread_yield)(void);
    /* Sleeps while *word == expected, until woken or the monotonic deadline; may wake early. */
    void (*word_wait)(_Atomic uint32_t *word, uint32_t expected, int64_t deadline);
    void (*word_wake)(_Atomic uint32_t *word, uint32_t count);

    bool simulated; /* the simulator: one real thread, virtual time */
} OsOps;

/* 2000-01-01 UTC, from which SQL's timestamps count, by the wall clock: microseconds. */
#define WALL_CLOCK_2000 INT64_C(946684800000000)

extern const OsOps *os;
extern const OsOps os_linux;

/* Helpers over the table. */
MUST_CHECK bool os_read_file(Arena *arena, Str path, size_t limit, Str *ret_content);
/* Whole or not at all: writes a temporary name, syncs, renames, syncs the directory. */
MUST_CHECK bool os_replace_file(Str path, Str content);
Str path_join(Arena *arena, Str directory, Str name);

#endif
