/* The lexer and the grammar on any text; and what is cacheable by fingerprint must have parsed or
 * failed alike. */
#include "base/error.h"
#include "base/scheduler.h"
#include "parser/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new("fuzz");
    StatementList list = {0};

    if (!parse(arena, str_make(data, size), &list))
        error_clear();
    arena_free(arena);
    return 0;
}
