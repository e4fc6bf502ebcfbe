/*
 * Calls to the system that fail on command: linked into the server in place of the real ones.
 *
 * The environment's SENGI_FAULTS names a file that the test and the server both map. For each kind
 * of call it counts, and those numbered [from, until) fail with `error`, or with error 0 stand
 * still until they are numbered so no more. Without the variable nothing fails. Calls that
 * libraries make among themselves are not seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

/* The order is known to control.py. */
typedef enum FaultKind {
    FAULT_READ = 0,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_ALLOCATE, /* of disk blocks */
    FAULT_OPEN,
    FAULT_MEMORY,
    FAULT_KINDS,
} FaultKind;

typedef struct Fault {
    _Atomic uint64_t calls, from, until, failures;
    _Atomic uint64_t error; /* errno */
} Fault;

static Fault no_faults[FAULT_KINDS];
static Fault *_Atomic faults;

int __real_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, ...);
ssize_t __real_pread64(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset);
ssize_t __real_pwrite64(int fd, const void *buffer, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t size, off_t offset);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_posix_fallocate64(int fd, off_t offset, off_t size);
int __wrap_posix_fallocate64(int fd, off_t offset, off_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset);

static Fault *faults_map(void)
{
    const char *path = getenv("SENGI_FAULTS");
    Fault *mapped = no_faults;
    const int fd = path ? __real_open64(path, O_RDWR | O_CLOEXEC, 0) : -1;

    if (fd >= 0) {
        void *memory =
            __real_mmap64(NULL, sizeof(no_faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory != MAP_FAILED)
            mapped = memory;
        close(fd);
    }
    atomic_store(&faults, mapped);
    return mapped;
}

static int fails(FaultKind kind)
{
    Fault *mapped = atomic_load(&faults);
    Fault *fault = (mapped ? mapped : faults_map()) + kind;
    const uint64_t call = atomic_fetch_add(&fault->calls, 1);

    if (call < atomic_load(&fault->from) || call >= atomic_load(&fault->until))
        return 0;
    atomic_fetch_add(&fault->failures, 1);
    errno = (int)atomic_load(&fault->error);
    if (errno != 0)
        return 1;
    while (call >= atomic_load(&fault->from) && call < atomic_load(&fault->until))
        usleep(1000);
    return 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails(FAULT_OPEN) ? -1 : __real_open64(path, flags, mode);
}

ssize_t __wrap_pread64(int fd, void *buffer, size_t size, off_t offset)
{
    return fails(FAULT_READ) ? -1 : __real_pread64(fd, buffer, size, offset);
}

/* A disk that fills up takes the first part of what is written. */
ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t size, off_t offset)
{
    if (!fails(FAULT_WRITE))
        return __real_pwrite64(fd, buffer, size, offset);
    const int error = errno;
    const ssize_t part =
        size >= 1024 ? __real_pwrite64(fd, buffer, size / 2 / 512 * 512, offset) : 0;
    errno = error;
    return part < 0 ? part : -1;
}

int __wrap_fdatasync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : __real_fsync(fd);
}

int __wrap_posix_fallocate64(int fd, off_t offset, off_t size)
{
    return fails(FAULT_ALLOCATE) ? errno : __real_posix_fallocate64(fd, offset, size);
}

void *__wrap_malloc(size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fails(FAULT_MEMORY) ? MAP_FAILED
                               : __real_mmap64(address, size, protection, flags, fd, offset);
}
