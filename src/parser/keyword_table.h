/* The generated table of key words, sorted by word. For src/parser only. */
#ifndef PARSER_KEYWORD_TABLE_H
#define PARSER_KEYWORD_TABLE_H

#include "parser/parser.h"

extern const Keyword keyword_table[];
extern const size_t keyword_count;

#endif
