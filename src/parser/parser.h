/*
 * The parser: text in, trees out.
 *
 *   StatementList statements = {0};
 *   TRY(parse(arena, text, &statements));     one RawStmt for each non-empty statement
 *
 * Syntax errors are 42601 with PostgreSQL's wording and the position in characters. Nesting that
 * would exhaust memory ends in 54001. The text is UTF-8 (checked by whoever received it) and must
 * live as long as RawStmt.text is used; all else is in the arena. No state is kept between
 * calls; the functions may run on any thread.
 */
#ifndef PARSER_PARSER_H
#define PARSER_PARSER_H

#include "base/arena.h"
#include "base/str.h"
#include "parser/ast.h"

MUST_CHECK bool parse(Arena *arena, Str text, StatementList *ret_statements);
/* Text that the server wrote itself, a view's for one: the session's settings don't bend it. */
MUST_CHECK bool parse_stored(Arena *arena, Str text, StatementList *ret_statements);

/* A lone expression: a stored default, a check constraint. */
MUST_CHECK Node *parse_expression(Arena *arena, Str text);

typedef enum KeywordCategory {
    KEYWORD_NONE = 0, /* not a keyword */
    KEYWORD_UNRESERVED,
    KEYWORD_COL_NAME,
    KEYWORD_TYPE_FUNC_NAME,
    KEYWORD_RESERVED,
} KeywordCategory;

typedef struct Keyword {
    Str name;
    uint16_t token;
    KeywordCategory category;
    bool is_bare_label; /* may be a column label without AS */
} Keyword;

/* By lower-case name; NULL when it is none. */
const Keyword *keyword_find(Str name);
/* All, in order of name: pg_get_keywords. */
const Keyword *keyword_list(size_t *ret_count);

#endif
