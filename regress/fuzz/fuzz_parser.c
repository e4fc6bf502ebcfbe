/*
 * The lexer and the grammar on any text. What fingerprint.h takes for a plain statement
 * has literals that lie in its text, in order.
 */
#include "fuzz.h"
#include "parser/fingerprint.h"
#include "parser/parser.h"

static void check_fingerprint(Arena *arena, Str text)
{
    Fingerprint print = {0};
    uint32_t at = 0;

    fingerprint_make(arena, text, &print);
    if (!print.is_cacheable)
        return;
    fuzz_require(print.literal_count <= FINGERPRINT_LITERALS_MAX);
    for (uint32_t i = 0; i < print.literal_count; i++) {
        fuzz_require(print.literals[i].start >= at && print.literals[i].start < text.length);
        at = print.literals[i].start + 1;
    }
}

FUZZ_TARGET(data, size)
{
    Arena *arena = arena_new("fuzz");
    StatementList list = {0};
    const Str text = str_make(data, size);

    if (!parse(arena, text, &list))
        error_clear();
    check_fingerprint(arena, text);
    if (!parse_expression(arena, text))
        error_clear();
    arena_free(arena);
    return 0;
}
