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

/* A lone expression: a stored default, a check constraint. */
MUST_CHECK Node *parse_expression(Arena *arena, Str text);

/* A lone type name such as `numeric(10,2)[]`, as regtype input and format_type's inverse need. */
MUST_CHECK TypeName *parse_type_name(Arena *arena, Str text);

/*
 * A dotted, possibly quoted name such as `public."T"`, as regclass input and functions that take
 * names as text need: case folded, quotes removed. Fails with 42602 "invalid name syntax".
 */
MUST_CHECK bool parse_qualified_name(Arena *arena, Str text, StrVec *ret_names);

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

/* The identifier as SQL text: in double quotes only where it must be (quote_ident). */
Str quote_identifier(Arena *arena, Str name);
/* quote_identifier on both, with a dot; schema may be STR_NONE. */
Str quote_qualified_identifier(Arena *arena, Str schema, Str name);

#endif
