/*
 * Identifiers as SQL text. The key words that need quotes come from grammar/keywords.txt.
 */
#ifndef TYPES_IDENTIFIER_H
#define TYPES_IDENTIFIER_H

#include "base/arena.h"
#include "base/str.h"

/* As quote_ident: in double quotes only where it must be. May return the name itself. */
Str identifier_quote(Arena *arena, Str name);

#endif
