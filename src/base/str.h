/*
 * Text: borrowed slices (Str) and growing buffers (StrBuf).
 *
 * A Str never owns its bytes and need not end in NUL; who hands one out says how long it lives.
 * `_copy` puts bytes into an arena, `_view` borrows. Text in Sengi is UTF-8; functions here
 * are about bytes (types knows characters).
 *
 *   Str name = STR("lineitem");
 *   StrBuf buf = strbuf_in(arena);
 *   strbuf_format(&buf, "%.*s_pkey", STR_ARGS(name));
 *   Str result = strbuf_view(&buf);         lives as long as the arena
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <string.h>

#include "base/base.h"

typedef struct Arena Arena;

typedef struct Str {
    const char *data; /* NULL only for STR_NONE */
    size_t length;    /* bytes */
} Str;

#define STR(literal) ((Str){.data = ("" literal), .length = sizeof(literal) - 1})
#define STR_NONE ((Str){0}) /* no text at all, as distinct from empty text */
/* For printf's "%.*s". */
#define STR_ARGS(s) (int)(s).length, (s).data

static inline Str str_make(const void *data, size_t length)
{
    return (Str){.data = data, .length = length};
}

static inline Str str_from_c(const char *text)
{
    return text ? (Str){.data = text, .length = strlen(text)} : STR_NONE;
}

static inline bool str_is_none(Str s)
{
    return s.data == NULL;
}

static inline bool str_equal(Str a, Str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* How many bytes both begin with. */
static inline size_t str_common_length(Str a, Str b)
{
    const size_t most = a.length < b.length ? a.length : b.length;
    size_t at = 0;
    uint64_t x, y;

    for (; at + sizeof(x) <= most; at += sizeof(x)) {
        memcpy(&x, a.data + at, sizeof(x));
        memcpy(&y, b.data + at, sizeof(y));
        if (x != y)
            return at + (size_t)__builtin_ctzll(x ^ y) / 8; /* little-endian */
    }
    while (at < most && a.data[at] == b.data[at])
        at++;
    return at;
}

/* Copies bytes, those of 8 to 32 in two moves: keys, whose lengths a compiler doesn't know. */
static inline void str_copy_to(char *to, Str s)
{
    if (s.length >= 8 && s.length <= 16) {
        memcpy(to, s.data, 8);
        memcpy(to + s.length - 8, s.data + s.length - 8, 8);
    } else if (s.length > 16 && s.length <= 32) {
        memcpy(to, s.data, 16);
        memcpy(to + s.length - 16, s.data + s.length - 16, 16);
    } else if (s.length > 0) {
        memcpy(to, s.data, s.length);
    }
}

/* Bytewise order: <0, 0, >0. */
int str_compare(Str a, Str b);
bool str_equal_nocase(Str a, Str b); /* ASCII only */
bool str_starts_with(Str s, Str prefix);
bool str_ends_with(Str s, Str suffix);
/* Index of the first occurrence at or after `from`, or SIZE_MAX. */
size_t str_find(Str s, Str needle, size_t from);
size_t str_find_char(Str s, char c, size_t from);
/* A view of [from, from + length), clamped to s. */
Str str_slice(Str s, size_t from, size_t length);
Str str_trim(Str s); /* ASCII white space off both ends; a view */

Str str_copy(Arena *arena, Str s);
char *str_to_c(Arena *arena, Str s); /* a NUL-terminated copy */
Str str_lower(Arena *arena, Str s);  /* ASCII only */
Str str_format(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
Str str_concat(Arena *arena, Str a, Str b);

/* Whole-string numbers in base 10, no white space; false (no error set) where s is not one. */
bool str_to_int64(Str s, int64_t *ret_value);
bool str_to_uint64(Str s, uint64_t *ret_value);

uint64_t str_hash(Str s); /* XXH3 of the bytes; stable within a process only */

/*
 * A growing byte buffer whose storage is an arena's, or the heap's when `arena` is NULL (then
 * strbuf_deinit gives it back). Growth cannot fail; callers bound what users can make it hold.
 */
typedef struct StrBuf {
    char *data;
    size_t length, capacity;
    Arena *arena;
} StrBuf;

static inline StrBuf strbuf_in(Arena *arena)
{
    return (StrBuf){.arena = arena};
}
void strbuf_deinit(StrBuf *buf);
/* Makes room for `extra` more bytes and returns where they go; strbuf_advance counts them in. */
char *strbuf_reserve(StrBuf *buf, size_t extra);
static inline void strbuf_advance(StrBuf *buf, size_t count)
{
    assert(buf->length + count <= buf->capacity);
    buf->length += count;
}
void strbuf_append(StrBuf *buf, Str s);
void strbuf_append_bytes(StrBuf *buf, const void *data, size_t length);
void strbuf_append_c(StrBuf *buf, const char *text);
static inline void strbuf_append_char(StrBuf *buf, char c)
{
    if (unlikely(buf->length == buf->capacity))
        strbuf_reserve(buf, 1);
    buf->data[buf->length++] = c;
}
void strbuf_append_int64(StrBuf *buf, int64_t value);
void strbuf_append_uint64(StrBuf *buf, uint64_t value);
void strbuf_format(StrBuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void strbuf_format_v(StrBuf *buf, const char *format, va_list args);
/* Cuts back to a length it had before. */
static inline void strbuf_truncate(StrBuf *buf, size_t length)
{
    assert(length <= buf->length);
    buf->length = length;
}
static inline Str strbuf_view(const StrBuf *buf)
{
    return (Str){.data = buf->data ? buf->data : "", .length = buf->length};
}

#endif
