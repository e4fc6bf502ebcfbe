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
    void *engine = sql_grammar_Alloc(memory_malloc, grammar);

    if (!engine)
        panic("out of memory for a parser");
    return engine;
}

void engine_feed(void *engine, Token token)
{
    sql_grammar_(engine, token.code, token);
}

void engine_free(void *engine)
{
    sql_grammar_Free(engine, free);
}

#endif
