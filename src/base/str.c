#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"

static inline char lower_char(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int str_compare(Str a, Str b)
{
    size_t shorter = MIN(a.length, b.length);
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

    return order ? order : (a.length > b.length) - (a.length < b.length);
}

bool str_equal_nocase(Str a, Str b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++)
        if (lower_char(a.data[i]) != lower_char(b.data[i]))
            return false;
    return true;
}

bool str_starts_with(Str s, Str prefix)
{
    return s.length >= prefix.length &&
           (prefix.length == 0 || memcmp(s.data, prefix.data, prefix.length) == 0);
}

bool str_ends_with(Str s, Str suffix)
{
    return s.length >= suffix.length &&
           (suffix.length == 0 ||
            memcmp(s.data + s.length - suffix.length, suffix.data, suffix.length) == 0);
}

size_t str_find(Str s, Str needle, size_t from)
{
    if (from > s.length)
        return SIZE_MAX;
    if (needle.length == 0)
        return from;
    const char *found = memmem(s.data + from, s.length - from, needle.data, needle.length);
    return found ? (size_t)(found - s.data) : SIZE_MAX;
}

size_t str_find_char(Str s, char c, size_t from)
{
    if (from >= s.length)
        return SIZE_MAX;
    const char *found = memchr(s.data + from, c, s.length - from);
    return found ? (size_t)(found - s.data) : SIZE_MAX;
}

Str str_slice(Str s, size_t from, size_t length)
{
    from = MIN(from, s.length);
    return str_make(s.data + from, MIN(length, s.length - from));
}

Str str_trim(Str s)
{
    while (s.length > 0 && is_space(s.data[0])) {
        s.data++;
        s.length--;
    }
    while (s.length > 0 && is_space(s.data[s.length - 1]))
        s.length--;
    return s;
}

Str str_copy(Arena *arena, Str s)
{
    if (str_is_none(s))
        return s;
    char *copy = arena_alloc(arena, s.length + 1);
    if (s.length)
        memcpy(copy, s.data, s.length);
    copy[s.length] = '\0';
    return str_make(copy, s.length);
}

char *str_to_c(Arena *arena, Str s)
{
    char *copy = arena_alloc(arena, s.length + 1);

    if (s.length)
        memcpy(copy, s.data, s.length);
    copy[s.length] = '\0';
    return copy;
}

Str str_lower(Arena *arena, Str s)
{
    char *copy = arena_alloc(arena, s.length + 1);

    for (size_t i = 0; i < s.length; i++)
        copy[i] = lower_char(s.data[i]);
    copy[s.length] = '\0';
    return str_make(copy, s.length);
}

static Str str_format_v(Arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    assert(length >= 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return str_make(text, (size_t)length);
}

Str str_format(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str result = str_format_v(arena, format, args);
    va_end(args);
    return result;
}

Str str_concat(Arena *arena, Str a, Str b)
{
    char *text = arena_alloc(arena, a.length + b.length + 1);

    if (a.length)
        memcpy(text, a.data, a.length);
    if (b.length)
        memcpy(text + a.length, b.data, b.length);
    text[a.length + b.length] = '\0';
    return str_make(text, a.length + b.length);
}

bool str_to_uint64(Str s, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (s.length == 0)
        return false;
    for (size_t i = 0; i < s.length; i++) {
        if (s.data[i] < '0' || s.data[i] > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.data[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool str_to_int64(Str s, int64_t *ret_value)
{
    bool negative = s.length > 0 && s.data[0] == '-';
    uint64_t magnitude;

    if (s.length > 0 && (s.data[0] == '-' || s.data[0] == '+'))
        s = str_slice(s, 1, s.length);
    if (!str_to_uint64(s, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

uint64_t str_hash(Str s)
{
    return hash_bytes(s.data, s.length);
}

void strbuf_deinit(StrBuf *buf)
{
    if (!buf->arena)
        memory_free(buf->data);
    buf->data = NULL;
    buf->length = buf->capacity = 0;
}

static COLD void strbuf_grow(StrBuf *buf, size_t need)
{
    size_t capacity = MAX(need, buf->capacity ? buf->capacity * 2 : 64);

    if (buf->arena) {
        buf->data = arena_grow_moving(buf->arena, buf->data, buf->capacity, capacity);
    } else {
        buf->data = memory_must_realloc(buf->data, capacity);
    }
    buf->capacity = capacity;
}

char *strbuf_reserve(StrBuf *buf, size_t extra)
{
    if (unlikely(buf->length + extra > buf->capacity))
        strbuf_grow(buf, buf->length + extra);
    return buf->data + buf->length;
}

void strbuf_append_bytes(StrBuf *buf, const void *data, size_t length)
{
    if (length == 0)
        return;
    memcpy(strbuf_reserve(buf, length), data, length);
    buf->length += length;
}

void strbuf_append(StrBuf *buf, Str s)
{
    strbuf_append_bytes(buf, s.data, s.length);
}

void strbuf_append_c(StrBuf *buf, const char *text)
{
    strbuf_append_bytes(buf, text, strlen(text));
}

void strbuf_append_uint64(StrBuf *buf, uint64_t value)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[sizeof(digits) - ++count] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    strbuf_append_bytes(buf, digits + sizeof(digits) - count, count);
}

void strbuf_append_int64(StrBuf *buf, int64_t value)
{
    if (value < 0)
        strbuf_append_char(buf, '-');
    strbuf_append_uint64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void strbuf_format_v(StrBuf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    assert(length >= 0);
    strbuf_reserve(buf, (size_t)length + 1);
    vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
    va_end(again);
    buf->length += (size_t)length;
}

void strbuf_format(StrBuf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_format_v(buf, format, args);
    va_end(args);
}
