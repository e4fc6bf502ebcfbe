/* One token as the lexer gives it to the grammar. */
#ifndef PARSER_TOKEN_H
#define PARSER_TOKEN_H

#include "base/str.h"

typedef struct Token {
    int code;            /* TK_… of the generated sql_grammar.h */
    int position;        /* 1-based, in characters; 0: no token */
    int32_t integer;     /* ICONST, PARAM */
    Str text;            /* identifier (folded), value of a string, digits, operator, keyword */
    uint32_t start, end; /* bytes in the text */
} Token;

#endif
