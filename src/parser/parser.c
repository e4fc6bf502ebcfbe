#include "parser/parser.h"

#include "base/error.h"
#include "base/task.h"
#include "parser/engine.h"
#include "parser/keyword_table.h"
#include "parser/lexer.h"
#include "sql_grammar.h"

#define DEPTH_MAX 2000 /* open parentheses and brackets, CASE and BETWEEN not counted */

/* Tokens with one of look-ahead, and what the grammar wants told apart by it. */
typedef struct TokenStream {
    Lexer lexer;
    Token ahead;
    bool has_ahead;
} TokenStream;

static bool stream_raw(TokenStream *stream, Token *ret_token)
{
    if (stream->has_ahead) {
        stream->has_ahead = false;
        *ret_token = stream->ahead;
        return true;
    }
    return lexer_next(&stream->lexer, ret_token) != LEX_FAILED;
}

static bool stream_peek(TokenStream *stream, Token *ret_token)
{
    if (!stream->has_ahead) {
        TRY(lexer_next(&stream->lexer, &stream->ahead) != LEX_FAILED);
        stream->has_ahead = true;
    }
    *ret_token = stream->ahead;
    return true;
}

/* U&'…' UESCAPE 'c' and U&"…" UESCAPE 'c' become one plain token. */
static bool resolve_unicode(TokenStream *stream, Token *token)
{
    bool is_name = token->code == TK_UIDENT;
    char escape = '\\';
    Token next;

    TRY(stream_peek(stream, &next));
    if (next.code == TK_UESCAPE) {
        TRY(stream_raw(stream, &next));
        TRY(stream_raw(stream, &next));
        if (next.code != TK_SCONST)
            FAIL(ERR_SYNTAX_ERROR,
                 .message = STR("UESCAPE must be followed by a simple string literal"),
                 .position = next.position);
        char c = next.text.length == 1 ? next.text.data[0] : '+';
        if (strchr("0123456789abcdefABCDEF+'\" \t\n\r\f\v", c))
            FAIL(ERR_SYNTAX_ERROR,
                 .message = fmt("invalid Unicode escape character at or near \"%.*s\"",
                                (int)(next.end - next.start), stream->lexer.text.data + next.start),
                 .position = next.position);
        escape = c;
        token->end = next.end;
    }
    TRY(lexer_unicode_unescape(&stream->lexer, token->text, escape, token->position, &token->text));
    if (is_name)
        token->text = lexer_truncate_identifier(&stream->lexer, token->text);
    token->code = is_name ? TK_IDENT : TK_SCONST;
    return true;
}

static bool stream_next(TokenStream *stream, Token *ret_token)
{
    Token next;

    CHECK_INTERRUPTS(); /* a text can be of a gigabyte */
    TRY(stream_raw(stream, ret_token));
    switch (ret_token->code) {
    case TK_NOT:
        TRY(stream_peek(stream, &next));
        if (next.code == TK_BETWEEN || next.code == TK_IN || next.code == TK_LIKE ||
            next.code == TK_ILIKE || next.code == TK_SIMILAR)
            ret_token->code = TK_NOT_LA;
        return true;
    case TK_NULLS:
        TRY(stream_peek(stream, &next));
        if (next.code == TK_FIRST || next.code == TK_LAST || next.code == TK_NOT ||
            next.code == TK_DISTINCT)
            ret_token->code = TK_NULLS_LA;
        return true;
    case TK_WITH:
        TRY(stream_peek(stream, &next));
        if (next.code == TK_TIME || next.code == TK_ORDINALITY)
            ret_token->code = TK_WITH_LA;
        return true;
    case TK_UIDENT:
    case TK_USCONST:
        return resolve_unicode(stream, ret_token);
    default:
        return true;
    }
}

static bool count_depth(const Token *token, int *depth)
{
    if (token->code == TK_LPAREN || token->code == TK_LBRACKET)
        ++*depth;
    else if (token->code == TK_RPAREN || token->code == TK_RBRACKET)
        *depth = MAX(*depth - 1, 0);
    if (*depth > DEPTH_MAX)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"),
             .hint = STR("Increase the configuration parameter \"max_stack_depth\" (currently "
                         "2048kB), after ensuring the platform's stack depth limit is adequate."));
    return true;
}

/* -- Statements that have no grammar: refused by their first words --------------------------- */

static const char *const defining_verbs[] = {"CREATE", "ALTER", "DROP"};
/* Of those that begin alike the longer comes first. */
static const char *const refused_objects[] = {
    "ACCESS METHOD",
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "CONSTRAINT TRIGGER",
    "CONVERSION",
    "DEFAULT CONVERSION",
    "DOMAIN",
    "EVENT TRIGGER",
    "EXTENSION",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "FUNCTION",
    "LANGUAGE",
    "LARGE OBJECT",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "OPERATOR",
    "POLICY",
    "PROCEDURAL LANGUAGE",
    "PROCEDURE",
    "PUBLICATION",
    "ROUTINE",
    "RULE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLESPACE",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "TRANSFORM",
    "TRIGGER",
    "TRUSTED LANGUAGE",
    "TRUSTED PROCEDURAL LANGUAGE",
    "TYPE",
    "USER MAPPING",
};
static const char *const refused_commands[] = {"IMPORT FOREIGN SCHEMA", "LOAD"};

/* The next word of plain letters in what is left of a statement. */
static Str next_word(Str *rest)
{
    *rest = str_trim(*rest);
    size_t length = 0;
    while (length < rest->length && (rest->data[length] | 0x20) >= 'a' &&
           (rest->data[length] | 0x20) <= 'z')
        length++;
    const Str word = str_slice(*rest, 0, length);
    *rest = str_slice(*rest, length, rest->length);
    return word;
}

/* Takes the phrase's words off the front of *rest, if they are there. */
static bool take_phrase(Str *rest, Str phrase)
{
    Str left = *rest;

    while (phrase.length > 0)
        if (!str_equal_nocase(next_word(&left), next_word(&phrase)))
            return false;
    *rest = left;
    return true;
}

/* The phrase that the text begins with, taken off. */
static const char *take_one_of(Str *rest, const char *const *phrases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (take_phrase(rest, str_from_c(phrases[i])))
            return phrases[i];
    return NULL;
}

/* Names the feature of a statement that failed to parse and begins like one we do not have. */
static void refuse_by_first_words(const Grammar *grammar)
{
    Str rest = str_slice(grammar->text, grammar->statement_start, grammar->text.length);
    const char *verb = take_one_of(&rest, defining_verbs, ARRAY_LENGTH(defining_verbs));

    if (verb)
        (void)take_phrase(&rest, STR("OR REPLACE"));
    const char *object = verb
                             ? take_one_of(&rest, refused_objects, ARRAY_LENGTH(refused_objects))
                             : take_one_of(&rest, refused_commands, ARRAY_LENGTH(refused_commands));
    if (!object)
        return;
    error_clear();
    ERROR_SET(ERR_FEATURE_NOT_SUPPORTED,
              .message = fmt("%s%s%s is not supported", verb ? verb : "", verb ? " " : "", object));
}

/* -- Driving --------------------------------------------------------------------------------- */

typedef struct Drive {
    Grammar grammar;
    TokenStream stream;
    void *engine;
    int depth;
    bool is_stored;
} Drive;

static void note_token(Drive *drive, const Token *token)
{
    Grammar *grammar = &drive->grammar;

    if (token->code == TK_SEMICOLON || token->code == 0) {
        grammar->semicolon_start = token->start;
        return;
    }
    if (grammar->statement_position == 0) {
        grammar->statement_position = token->position;
        grammar->statement_start = token->start;
    }
}

static bool feed_all(Drive *drive)
{
    Grammar *grammar = &drive->grammar;
    Token token;

    for (;;) {
        TRY(stream_next(&drive->stream, &token));
        TRY(count_depth(&token, &drive->depth));
        note_token(drive, &token);
        engine_feed(drive->engine, token);
        if (grammar->failed)
            return false;
        if (token.code == TK_SEMICOLON) {
            /* The reduction of the statement before may wait for one token more: it is given the
             * place where its text ended, and the next statement starts afresh. */
            drive->depth = 0;
            grammar->statement_position = 0;
        }
        if (token.code == 0)
            return true;
    }
}

static bool drive_run(Drive *drive, Arena *arena, Str text, StatementList *statements, int mode)
{
    drive->grammar = (Grammar){.arena = arena, .text = text, .statements = statements};
    lexer_init(&drive->stream.lexer, arena, text);
    drive->stream.lexer.is_stored = drive->is_stored;
    drive->grammar.text = drive->stream.lexer.text;
    drive->engine = engine_new(&drive->grammar);
    if (mode)
        engine_feed(drive->engine, (Token){.code = mode, .position = 1});
    bool ok = feed_all(drive);
    if (!ok && mode == 0 && drive->grammar.failed && error_fields()->sqlstate == ERR_SYNTAX_ERROR)
        refuse_by_first_words(&drive->grammar);
    engine_free(drive->engine);
    return ok;
}

bool parse(Arena *arena, Str text, StatementList *ret_statements)
{
    Drive drive = {0};

    return drive_run(&drive, arena, text, ret_statements, 0);
}

bool parse_stored(Arena *arena, Str text, StatementList *ret_statements)
{
    Drive drive = {.is_stored = true};

    return drive_run(&drive, arena, text, ret_statements, 0);
}

Node *parse_expression(Arena *arena, Str text)
{
    Drive drive = {.is_stored = true};
    StatementList none = {0};

    TRY(drive_run(&drive, arena, text, &none, TK_MODE_EXPRESSION));
    return drive.grammar.result_expr;
}
