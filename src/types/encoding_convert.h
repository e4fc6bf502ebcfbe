/*
 * Text of other encodings, to UTF8 and back.
 *
 * Nothing is opened or kept: tables (encoding_table.h) say what PostgreSQL 15 makes of each code.
 * Callers pass ASCII by: encoding_passes tells whether the bytes are the same in both.
 *
 *   if (!encoding_passes(text)) TRY(encoding_encode(ENCODING_…, text, &out));
 *
 * Errors: 22021 for bytes that are no code, 22P05 for a character that the other side lacks.
 */
#ifndef TYPES_ENCODING_CONVERT_H
#define TYPES_ENCODING_CONVERT_H

#include "base/base.h"
#include "base/error.h"
#include "base/str.h"

typedef enum EncodingDirection { ENCODING_TO_UTF8, ENCODING_FROM_UTF8 } EncodingDirection;

/* Are all bytes ASCII, and none NUL? They mean the same everywhere. */
bool encoding_passes(Str text);
/* Appends what the bytes are in UTF8; on failure *ret_done of them were good. */
MUST_CHECK bool encoding_decode(int encoding, Str bytes, StrBuf *out, size_t *ret_done);
/* Appends UTF8 text, which is well-formed, in the encoding. */
MUST_CHECK bool encoding_encode(int encoding, Str text, StrBuf *out);
/* Bytes at the end that begin a character which is not all there yet. */
size_t encoding_unfinished(int encoding, Str bytes);
/* 22021 unless all bytes are codes; how many characters there are. */
MUST_CHECK bool encoding_count(int encoding, Str bytes, int32_t *ret_count);
/* bytea to bytea, as convert() does. */
MUST_CHECK bool encoding_convert(int from, int to, Str bytes, StrBuf *out);
/*
 * A type's binary form, as clients of the encoding have it: texts in it are converted, those in
 * arrays and rows too. What is not such a form is copied as it is, for its reader to refuse.
 */
MUST_CHECK bool encoding_convert_binary(int encoding, EncodingDirection direction, Oid type,
                                        Str bytes, StrBuf *out);

#endif
