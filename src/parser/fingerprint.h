/*
 * Fingerprints: what a statement is when its constants are taken out.
 *
 * Two texts with the same fingerprint differ only in the values of their literals, in white space,
 * comments and the case of words. The statement cache keys on it, so that a client that
 * writes values into its text is planned once too. One pass over the bytes, no parsing.
 *
 *   Fingerprint print;
 *   fingerprint_make(arena, text, &print);
 *   if (print.is_cacheable) …
 *
 * Numbers and plain strings become literals. A minus sign that can only be a sign belongs to its
 * number, as the grammar has it: the literal then begins at the sign. $n stay part of the text.
 *
 * What this scanner cannot be sure about makes a statement not cacheable: strings with prefixes,
 * backslashes or continuations, dollar quotes, names that would be cut, several statements, and
 * everything that is not a plain SELECT, INSERT, UPDATE or DELETE. Such texts are merely
 * parsed each time; that a text is cacheable does not mean that it is correct.
 */
#ifndef PARSER_FINGERPRINT_H
#define PARSER_FINGERPRINT_H

#include "base/arena.h"
#include "base/str.h"

typedef enum LiteralKind {
    LITERAL_INTEGER = 1, /* fits int4 */
    LITERAL_BIGINT,      /* fits int8 */
    LITERAL_NUMERIC,
    LITERAL_STRING,
} LiteralKind;

typedef struct Literal {
    LiteralKind kind;
    uint32_t start;  /* byte of the text where the A_Const begins */
    Str text;        /* value: digits with their sign, or the string with its quotes undone */
    int64_t integer; /* INTEGER, BIGINT */
    bool names_time; /* a string that may mean now, today … */
} Literal;

#define FINGERPRINT_LITERALS_MAX 128
#define FINGERPRINT_TEXT_MAX 8192

typedef struct Fingerprint {
    bool is_cacheable;
    bool has_params; /* $n occurs */
    uint64_t hash;   /* of `normal` */
    Str normal;      /* equal if and only if the statements are alike; literals appear by kind */
    Literal *literals;
    uint32_t literal_count;
} Fingerprint;

void fingerprint_make(Arena *arena, Str text, Fingerprint *ret_print);

#endif
