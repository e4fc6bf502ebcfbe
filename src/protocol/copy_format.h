/*
 * COPY's text, csv and binary forms: bytes to fields and back. Knows no types: a field is text (or
 * binary) or null.
 *
 *   CopyReader *reader = copy_reader_new(arena, &format, column_count);
 *   copy_reader_feed(reader, data);  copy_reader_end(reader);
 *   switch (copy_reader_next(reader, fields)) …        fields are borrowed until the next call
 *
 *   copy_put_row(&out, &format, fields, count, forced);
 *
 * Source: PostgreSQL manual, "COPY", section "File Formats". Messages are PostgreSQL's.
 */
#ifndef PROTOCOL_COPY_FORMAT_H
#define PROTOCOL_COPY_FORMAT_H

#include "base/arena.h"
#include "base/str.h"

typedef enum CopyForm { COPY_TEXT = 0, COPY_CSV, COPY_BINARY } CopyForm;

typedef struct CopyFormat {
    CopyForm form;
    char delimiter, quote, escape;
    Str null_text;
    bool has_header, checks_header;
    const bool *force_not_null, *force_null, *force_quote; /* a column each; NULL: none */
} CopyFormat;

/* A field: STR_NONE is null. */
typedef struct CopyReader CopyReader;

typedef enum CopyOutcome {
    COPY_FAILED = 0, /* error is set */
    COPY_ROW,
    COPY_MORE, /* needs to be fed */
    COPY_END,
} CopyOutcome;

CopyReader *copy_reader_new(Arena *arena, const CopyFormat *format, uint32_t column_count);
void copy_reader_free(CopyReader *reader);
void copy_reader_feed(CopyReader *reader, Str data);
void copy_reader_end(CopyReader *reader);
/* Fills column_count fields. A header line comes as a row like any other, with *ret_count fields.
 */
MUST_CHECK CopyOutcome copy_reader_next(CopyReader *reader, Str *fields, uint32_t *ret_count);
uint64_t copy_reader_line(const CopyReader *reader); /* of the row last given, from 1 */
Str copy_reader_text(const CopyReader *reader);      /* that line as it came, for messages */
/* Whether all its fields are ASCII for sure: no byte of them needs to be looked at again. */
bool copy_reader_is_plain(const CopyReader *reader);

/* Writing. `fields` of STR_NONE are null. */
void copy_put_row(StrBuf *out, const CopyFormat *format, const Str *fields, uint32_t count);
void copy_put_header(StrBuf *out, const CopyFormat *format, const Str *names, uint32_t count);
void copy_put_binary_start(StrBuf *out);
void copy_put_binary_row(StrBuf *out, const Str *fields, uint32_t count);
void copy_put_binary_end(StrBuf *out);

#endif
