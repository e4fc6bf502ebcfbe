/*
 * Fingerprints: what a statement is when its constants are taken out.
 *
 * Two texts with the same fingerprint differ only in the values of their literals, in white space,
 * comments and the case of keywords. The statement cache keys on it, so that a client that
 * writes values into its text is planned once too. Works on tokens: no parsing, one pass.
 *
 *   Fingerprint print;
 *   TRY(fingerprint_make(arena, text, &print));     fails only on what the lexer refuses
 *
 * Numbers and strings become literals; NULL, TRUE, FALSE, bit strings and what follows a type
 * name in `DATE '…'` stay literals of their kind like any other string. `-5` is an operator
 * and the literal 5. $n parameters stay part of the text. Statements that are not plain
 * SELECT, INSERT, UPDATE, DELETE, VALUES or WITH are not cacheable; neither are several in one text.
 */
#ifndef PARSER_FINGERPRINT_H
#define PARSER_FINGERPRINT_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"

typedef enum LiteralKind {
    LITERAL_INTEGER, /* fits int4 */
    LITERAL_BIGINT,  /* fits int8 */
    LITERAL_NUMERIC,
    LITERAL_STRING,
} LiteralKind;

typedef struct Literal {
    LiteralKind kind;
    int position;  /* 1-based character position, as the A_Const node's */
    Str text;      /* value: digits, or the string with quotes and escapes undone */
    int64_t integer; /* INTEGER, BIGINT */
} Literal;

typedef struct Fingerprint {
    bool cacheable;
    bool has_params;  /* $n occurs */
    uint64_t hash[2]; /* of `normal`: 128 bits */
    Str normal;       /* the tokens in a normal form; equal if and only if the statements are alike.
                         Literals appear by kind, so `1` and `1.5` differ */
    VEC(Literal) literals;
} Fingerprint;

MUST_CHECK bool fingerprint_make(Arena *arena, Str text, Fingerprint *ret_print);

#endif
