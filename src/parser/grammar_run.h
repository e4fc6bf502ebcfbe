/*
 * The generated parser behind three functions of its own names. Included at the end of the
 * generated file, where Lemon's own are visible; parser.c sees the prototypes only.
 */
#ifndef PARSER_GRAMMAR_RUN_H
#define PARSER_GRAMMAR_RUN_H

#include <stdlib.h>

#include "base/memory.h"
#include "parser/engine.h"

void *engine_new(Grammar *grammar)
{
    return sql_grammar_Alloc(memory_must, grammar);
}

void engine_feed(void *engine, Token token)
{
    sql_grammar_(engine, token.code, token);
}

void engine_free(void *engine)
{
    sql_grammar_Free(engine, memory_free);
}

#endif
