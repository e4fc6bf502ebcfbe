/* How parser.c drives the generated parser. */
#ifndef PARSER_ENGINE_H
#define PARSER_ENGINE_H

#include "parser/grammar.h"

void *engine_new(Grammar *grammar);
void engine_feed(void *engine, Token token); /* code 0: the end */
void engine_free(void *engine);

#endif
