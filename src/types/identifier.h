/*
 * Identifiers as SQL text. The key words that need quotes come from grammar/keywords.txt.
 */
#ifndef TYPES_IDENTIFIER_H
#define TYPES_IDENTIFIER_H

#include "base/arena.h"
#include "base/str.h"

/* As quote_ident: in double quotes only where it must be. May return the name itself. */
Str identifier_quote(Arena *arena, Str name);
/* In double quotes, whether it needs them or not. */
Str identifier_enclose(Arena *arena, Str name);
/* schema.name, each quoted where it must be; STR_NONE: no schema. */
Str identifier_qualify(Arena *arena, Str schema, Str name);

#endif
