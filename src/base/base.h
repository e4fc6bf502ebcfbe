/*
 * The vocabulary every file shares: attributes, ownership macros, failure macros.
 *
 * Zero means failed. A fallible function is MUST_CHECK and returns false, NULL or an outcome
 * enum whose first value is 0; when it returns zero the current task's error record is filled,
 * exactly once (error.h). TRY passes such a failure up; FAIL (error.h) and CHECK_INTERRUPTS
 * (task.h) are the only other macros that hide a return.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first) __attribute__((format(printf, format_index, first)))
#define NORETURN __attribute__((noreturn))
#define COLD __attribute__((cold, noinline))
#define UNUSED __attribute__((unused))
#define FALLTHROUGH __attribute__((fallthrough))
#define ALIGNED(bytes) __attribute__((aligned(bytes)))
/* Bodies that are inlined even at -O1: vector kernels, page accessors. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Documentation of locking; `field GUARDED_BY(mutex)` and `function REQUIRES(mutex)`. */
#define GUARDED_BY(lock)
#define REQUIRES(lock)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, a) (((x) + (a)-1) / (a) * (a))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define CACHE_LINE 64

/* gcc and clang tell of sanitizers in different ways. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SENGI_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SENGI_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SENGI_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define SENGI_TSAN 1
#endif

/* Runs `function(&variable)` when the variable leaves its scope; the variable owns its value. */
#define CLEANUP(function) __attribute__((cleanup(function)))
/* Hands an owned pointer on: the variable is NULL afterwards and its CLEANUP has nothing to do. */
#define MOVE(variable)                                                                             \
    __extension__({                                                                                \
        __typeof__(variable) moved = (variable);                                                   \
        (variable) = NULL;                                                                         \
        moved;                                                                                     \
    })

/* Passes a failure up. The callee has filled the error record. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        if (unlikely(!(call)))                                                                     \
            return 0;                                                                              \
    } while (0)

typedef uint8_t byte;
__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* The position in the WAL, in bytes; the commit order, and the date of a row version. */
typedef uint64_t Lsn;
#define LSN_MAX UINT64_MAX

/* An object identifier as PostgreSQL's catalogs use it; 0 is none. */
typedef uint32_t Oid;
#define OID_NONE ((Oid)0)

#endif
