/* The os seam on Linux. */
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/task.h"

struct File {
    int fd;
    char *path; /* for messages */
};

struct Thread {
    pthread_t thread;
    ThreadFunction *function;
    void *argument;
    char name[16];
};

const OsOps *os = &os_linux;

static bool fail_io(const char *what, const char *path, int error)
{
    SqlState state = error == ENOENT                      ? ERR_UNDEFINED_FILE
                     : error == ENOSPC || error == EDQUOT ? ERR_DISK_FULL
                     : error == EFBIG                     ? ERR_DISK_FULL /* RLIMIT_FSIZE */
                     : error == EEXIST                    ? ERR_DUPLICATE_FILE
                     : error == EISDIR                    ? ERR_WRONG_OBJECT_TYPE
                     : error == EACCES || error == EROFS  ? ERR_INSUFFICIENT_PRIVILEGE
                     : error == EMFILE || error == ENFILE ? ERR_INSUFFICIENT_RESOURCES
                                                          : ERR_IO_ERROR;
    FAIL(state, .message = fmt("could not %s \"%s\": %s", what, path, strerror(error)));
}

/* Paths are short: a stack copy ends them with NUL. */
#define PATH_BUFFER 4096
typedef struct PathText {
    char text[PATH_BUFFER];
} PathText;

static bool path_text(Str path, PathText *ret_text)
{
    if (path.length >= PATH_BUFFER || memchr(path.data, '\0', path.length))
        FAIL(ERR_INVALID_NAME, .message = STR("path name is too long or holds a zero byte"));
    memcpy(ret_text->text, path.data, path.length);
    ret_text->text[path.length] = '\0';
    return true;
}

static File *linux_file_open(Str path, uint32_t flags)
{
    PathText text;
    int mode =
        O_CLOEXEC | (flags & (OS_WRITE | OS_CREATE | OS_APPEND | OS_TRUNCATE) ? O_RDWR : O_RDONLY);

    TRY(path_text(path, &text));
    mode |= (flags & OS_CREATE ? O_CREAT : 0) | (flags & OS_EXCLUSIVE ? O_EXCL : 0) |
            (flags & OS_APPEND ? O_APPEND : 0) | (flags & OS_TRUNCATE ? O_TRUNC : 0);
    const mode_t permissions = flags & OS_SHARED ? 0644 : 0600;
    int fd = open(text.text, mode | (flags & OS_DIRECT ? O_DIRECT : 0), permissions);
    if (fd < 0 && errno == EINVAL && (flags & OS_DIRECT)) /* tmpfs has no direct I/O */
        fd = open(text.text, mode, permissions);
    if (fd < 0) {
        fail_io("open file", text.text, errno);
        return NULL;
    }
    const size_t size = strlen(text.text) + 1;
    File *file = memory_must(sizeof(File));
    *file = (File){.fd = fd, .path = memcpy(memory_must(size), text.text, size)};
    return file;
}

static void linux_file_close(File *file)
{
    if (!file)
        return;
    close(file->fd);
    memory_free(file->path);
    memory_free(file);
}

static bool linux_file_read_some(File *file, void *buffer, size_t size, uint64_t offset,
                                 size_t *ret_count)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = pread(file->fd, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_io("read file", file->path, errno);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_count = done;
    return true;
}

static bool linux_file_read(File *file, void *buffer, size_t size, uint64_t offset)
{
    size_t count = 0;

    TRY(linux_file_read_some(file, buffer, size, offset, &count));
    if (count < size)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("could not read file \"%s\": read %zu of %zu bytes at offset %llu",
                            file->path, count, size, (unsigned long long)offset));
    return true;
}

static bool linux_file_write(File *file, const void *buffer, size_t size, uint64_t offset)
{
    size_t done = 0;

    while (done < size) {
        ssize_t put =
            pwrite(file->fd, (const char *)buffer + done, size - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail_io("write to file", file->path, errno);
        done += (size_t)put;
    }
    return true;
}

static bool linux_file_sync(File *file)
{
    return fdatasync(file->fd) == 0 || fail_io("fsync file", file->path, errno);
}

static bool linux_file_size(File *file, uint64_t *ret_size)
{
    struct stat status;

    if (fstat(file->fd, &status) != 0)
        return fail_io("stat file", file->path, errno);
    *ret_size = (uint64_t)status.st_size;
    return true;
}

static bool linux_file_truncate(File *file, uint64_t size)
{
    return ftruncate(file->fd, (off_t)size) == 0 || fail_io("truncate file", file->path, errno);
}

static bool linux_file_allocate(File *file, uint64_t offset, uint64_t size)
{
    int error;

    do
        error = posix_fallocate(file->fd, (off_t)offset, (off_t)size);
    while (error == EINTR);
    return error == 0 || fail_io("extend file", file->path, error);
}

static void linux_file_punch(File *file, uint64_t offset, uint64_t size)
{
    int unused =
        fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
    (void)unused; /* a hint: not every file system can */
}

static bool linux_file_map(File *file, void *at, uint64_t offset, size_t size)
{
    const void *mapped =
        mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file->fd, (off_t)offset);

    if (mapped == MAP_FAILED)
        return fail_io("map file", file->path, errno);
    /* Where memory is short, pages around the one that is wanted would drive out others. */
    (void)madvise(at, size, MADV_RANDOM);
    return true;
}

static bool linux_file_room(File *file, uint64_t *ret_bytes)
{
    struct statvfs status;

    if (fstatvfs(file->fd, &status) != 0)
        return fail_io("stat file system of", file->path, errno);
    *ret_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return true;
}

static bool linux_file_lock(File *file, bool *ret_busy)
{
    int result = flock(file->fd, LOCK_EX | LOCK_NB);

    if (result != 0 && errno != EWOULDBLOCK)
        return fail_io("lock file", file->path, errno);
    *ret_busy = result != 0;
    return true;
}

static bool linux_rename(Str from, Str to)
{
    PathText from_text, to_text;

    TRY(path_text(from, &from_text));
    TRY(path_text(to, &to_text));
    return rename(from_text.text, to_text.text) == 0 ||
           fail_io("rename file", from_text.text, errno);
}

static bool linux_unlink(Str path)
{
    PathText text;

    TRY(path_text(path, &text));
    return unlink(text.text) == 0 || fail_io("remove file", text.text, errno);
}

static bool linux_make_directory(Str path)
{
    PathText text;

    TRY(path_text(path, &text));
    return mkdir(text.text, 0700) == 0 || fail_io("create directory", text.text, errno);
}

static bool linux_remove_directory(Str path)
{
    PathText text;

    TRY(path_text(path, &text));
    return rmdir(text.text) == 0 || fail_io("remove directory", text.text, errno);
}

static bool linux_sync_directory(Str path)
{
    PathText text;

    TRY(path_text(path, &text));
    int fd = open(text.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_io("open directory", text.text, errno);
    int result = fsync(fd), error = errno;
    close(fd);
    return result == 0 || fail_io("sync directory", text.text, error);
}

/* Not every file system tells with the name. */
static bool is_directory_entry(DIR *directory, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

static bool linux_list_directory(Str path, OsListCallback *callback, void *context)
{
    PathText text;
    struct dirent *entry;
    bool ok = true;

    TRY(path_text(path, &text));
    DIR *directory = opendir(text.text);
    if (!directory)
        return fail_io("open directory", text.text, errno);
    while (ok && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = callback(context, str_from_c(entry->d_name), is_directory_entry(directory, entry));
    }
    closedir(directory);
    return ok;
}

static bool linux_exists(Str path)
{
    PathText text;
    struct stat status;

    if (path.length >= PATH_BUFFER)
        return false;
    memcpy(text.text, path.data, path.length);
    text.text[path.length] = '\0';
    return stat(text.text, &status) == 0;
}

static int64_t clock_microseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t linux_monotonic(void)
{
    return clock_microseconds(CLOCK_MONOTONIC);
}

static int64_t linux_wall_clock(void)
{
    return clock_microseconds(CLOCK_REALTIME);
}

/* A number from a file of the system; UINT64_MAX where it has none ("max"). */
static uint64_t system_number(const char *path)
{
    char text[32] = "";
    char *end = text;
    FILE *file = fopen(path, "re");
    const bool is_read = file && fgets(text, sizeof(text), file);
    const uint64_t number = is_read ? strtoull(text, &end, 10) : 0;

    if (file)
        fclose(file);
    return end > text ? number : UINT64_MAX;
}

static uint64_t linux_memory_size(void)
{
    const uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t group = MIN(system_number("/sys/fs/cgroup/memory.max"),
                               system_number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));

    struct rlimit space;

    if (getrlimit(RLIMIT_AS, &space) != 0)
        space.rlim_cur = RLIM_INFINITY;
    return MIN(MIN(machine, group), space.rlim_cur);
}

static void linux_random(void *buffer, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = getrandom((char *)buffer + done, size - done, 0);
        if (got < 0 && errno != EINTR)
            panic("no random numbers: %s", strerror(errno));
        done += got > 0 ? (size_t)got : 0;
    }
}

static void *thread_main(void *argument)
{
    Thread *thread = argument;

    pthread_setname_np(pthread_self(), thread->name);
    thread->function(thread->argument);
    return NULL;
}

/* Threads are started with the server: nothing has been promised to anybody yet. */
static NORETURN void refuse_start(const char *name, int error)
{
    fprintf(stderr,
            "FATAL:  could not start thread \"%s\": %s\n"
            "HINT:  Allow the server more threads and memory: see \"ulimit -u\", \"ulimit -v\" and "
            "the control group's pids.max.\n",
            name, strerror(error));
    _exit(1);
}

static Thread *linux_thread_start(const char *name, ThreadFunction *function, void *argument)
{
    Thread *thread = memory_must(sizeof(Thread));

    *thread = (Thread){.function = function, .argument = argument};
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    int error = pthread_create(&thread->thread, NULL, thread_main, thread);
    if (error != 0)
        refuse_start(name, error);
    return thread;
}

static void linux_thread_join(Thread *thread)
{
    pthread_join(thread->thread, NULL);
    memory_free(thread);
}

static void linux_thread_yield(void)
{
    sched_yield();
}

static void linux_word_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000000, .tv_nsec = deadline % 1000000 * 1000};

    /* FUTEX_WAIT_BITSET takes an absolute monotonic time. */
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
            deadline == DEADLINE_NEVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void linux_word_wake(_Atomic uint32_t *word, uint32_t count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, MIN(count, (uint32_t)INT32_MAX), NULL, NULL, 0);
}

const OsOps os_linux = {
    .file_open = linux_file_open,
    .file_close = linux_file_close,
    .file_read = linux_file_read,
    .file_read_some = linux_file_read_some,
    .file_write = linux_file_write,
    .file_sync = linux_file_sync,
    .file_size = linux_file_size,
    .file_truncate = linux_file_truncate,
    .file_allocate = linux_file_allocate,
    .file_punch = linux_file_punch,
    .file_map = linux_file_map,
    .file_room = linux_file_room,
    .file_lock = linux_file_lock,
    .rename = linux_rename,
    .unlink = linux_unlink,
    .make_directory = linux_make_directory,
    .remove_directory = linux_remove_directory,
    .sync_directory = linux_sync_directory,
    .list_directory = linux_list_directory,
    .exists = linux_exists,
    .monotonic = linux_monotonic,
    .wall_clock = linux_wall_clock,
    .memory_size = linux_memory_size,
    .random = linux_random,
    .thread_start = linux_thread_start,
    .thread_join = linux_thread_join,
    .thread_yield = linux_thread_yield,
    .word_wait = linux_word_wait,
    .word_wake = linux_word_wake,
};
