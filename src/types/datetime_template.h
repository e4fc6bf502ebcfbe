/*
 * Templates of dates and times, shared by to_char (to_char.c) and to_date, to_timestamp
 * (from_char.c).
 *
 *   const Template *t = template_of(call, STR("YYYY-MM-DD"));      cut once a call site
 *
 * A node is a pattern with its modifiers, or one character of literal text. Patterns are written
 * in capitals or in small letters; Day, Dy, Month and Mon in both.
 */
#ifndef TYPES_DATETIME_TEMPLATE_H
#define TYPES_DATETIME_TEMPLATE_H

#include "base/vec.h"
#include "types/datetime_internal.h"

typedef enum Key {
    KEY_LITERAL = 0,
    KEY_AM,
    KEY_AM_DOTS,
    KEY_BC,
    KEY_BC_DOTS,
    KEY_CC,
    KEY_DAY,
    KEY_DDD,
    KEY_DD,
    KEY_DY,
    KEY_D,
    KEY_FF,
    KEY_FX,
    KEY_HH24,
    KEY_HH12,
    KEY_IDDD,
    KEY_ID,
    KEY_IW,
    KEY_IYYYY,
    KEY_IYYY,
    KEY_IYY,
    KEY_IY,
    KEY_J,
    KEY_MI,
    KEY_MM,
    KEY_MONTH,
    KEY_MON,
    KEY_MS,
    KEY_OF,
    KEY_Q,
    KEY_RM,
    KEY_SSSS,
    KEY_SS,
    KEY_TZH,
    KEY_TZM,
    KEY_TZ,
    KEY_US,
    KEY_WW,
    KEY_W,
    KEY_Y_YYY,
    KEY_YYYY,
    KEY_YYY,
    KEY_YY,
    KEY_Y,
} Key;

/* What a literal character is to the reader of text. */
typedef enum LiteralKind { LITERAL_CHARACTER = 0, LITERAL_SPACE, LITERAL_SEPARATOR } LiteralKind;

typedef struct Node {
    Key key;
    Str text;   /* literal character, or the pattern as written: its case is the output's */
    int digits; /* FF1-FF6 */
    LiteralKind literal;
    bool fill, ordinal, ordinal_upper;
    bool is_local; /* TM: names as the locale has them, unpadded */
} Node;

typedef VEC(Node) Template;

const Template *template_of(FunctionCall *call, Str format);
/* Printable ASCII that is neither letter nor digit. */
bool template_is_separator(char c);

/* "I" to "XII". */
extern const char *const roman_months[12];

#endif
