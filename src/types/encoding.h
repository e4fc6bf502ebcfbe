/*
 * Names of character encodings. Text is UTF8 everywhere here; the others are what clients may speak
 * (encoding_convert.h).
 */
#ifndef TYPES_ENCODING_H
#define TYPES_ENCODING_H

#include "base/str.h"

#define ENCODING_SQL_ASCII 0
#define ENCODING_UTF8 6
#define ENCODING_MULE_INTERNAL 7

/* PostgreSQL's number of an encoding, by any spelling of any of its names; -1: there is none. */
int encoding_find(Str name);
/* Its official name; NULL for a number that is none. */
const char *encoding_name(int encoding);
/* The most bytes of a character; 0 for a number that is none. */
int encoding_max_length(int encoding);
/* May a client speak it? encoding_convert.h does the rest. */
bool encoding_is_supported(int encoding);

#endif
