/*
 * The lexer: text to tokens, by PostgreSQL's lexical rules (manual, "Lexical Structure").
 *
 *   Lexer lexer;
 *   lexer_init(&lexer, arena, text);
 *   while (lexer_next(&lexer, &token) == LEX_TOKEN) …
 *
 * Values of tokens are in the arena or in the text. The text need not end in NUL: it is copied with
 * one, which is how re2c sees its end.
 */
#ifndef PARSER_LEXER_H
#define PARSER_LEXER_H

#include "base/arena.h"
#include "parser/token.h"

typedef struct Lexer {
    Arena *arena;
    Str text; /* with a NUL behind it */
    const char *cursor;
    const char *counted; /* characters before it have been counted … */
    int characters;      /* … and are this many */
    bool is_stored;      /* text of ours, not the client's: strings are standard_conforming */
    bool warns;          /* at the next backslash */
} Lexer;

typedef enum LexerOutcome {
    LEX_FAILED = 0, /* error is set */
    LEX_TOKEN,
    LEX_END, /* the token tells the position of the end */
} LexerOutcome;

void lexer_init(Lexer *lexer, Arena *arena, Str text);
MUST_CHECK LexerOutcome lexer_next(Lexer *lexer, Token *ret_token);
/* The character position of a place in the text; places must not go backwards. */
int lexer_position(Lexer *lexer, const char *place);

/* U&'…' and U&"…": \XXXX and \+XXXXXX by the escape character. */
MUST_CHECK bool lexer_unicode_unescape(Lexer *lexer, Str raw, char escape, int position,
                                       Str *ret_value);
/* Cut to 63 bytes, with a NOTICE. */
Str lexer_truncate_identifier(Lexer *lexer, Str name);

#endif
