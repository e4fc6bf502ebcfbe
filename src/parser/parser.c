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

static const char *const refused_objects[] = {
    "function",   "procedure", "trigger",    "rule",    "aggregate",   "operator",     "type",
    "domain",     "cast",      "collation",  "policy",  "publication", "subscription", "event",
    "foreign",    "server",    "tablespace", "text",    "statistics",  "language",     "access",
    "conversion", "transform", "constraint", "trusted", "import"};

static bool is_refused_object(Str word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(refused_objects); i++)
        if (str_equal(word, str_from_c(refused_objects[i])))
            return true;
    return false;
}

/* Names the feature of a statement that failed to parse and begins like one we do not have. */
static void refuse_by_first_words(Grammar *grammar, const Token *words, size_t count)
{
    size_t object = 1;

    if (count < 2 || !grammar->failed || error_fields()->sqlstate != ERR_SYNTAX_ERROR)
        return;
    bool is_security =
        words[0].code == TK_SECURITY || words[0].code == TK_LOAD || words[0].code == TK_IMPORT;
    if (words[0].code != TK_CREATE && words[0].code != TK_ALTER && words[0].code != TK_DROP &&
        !is_security)
        return;
    if (words[0].code == TK_CREATE && words[1].code == TK_OR && count > 3)
        object = 3; /* CREATE OR REPLACE x */
    if (!is_security && (object >= count || !is_refused_object(words[object].text)))
        return;
    CLEANUP(arena_freep) Arena *arena = arena_new("refusal");
    StrBuf feature = strbuf_in(arena);
    strbuf_append(&feature, words[0].text);
    strbuf_append_char(&feature, ' ');
    strbuf_append(&feature, words[is_security ? 1 : object].text);
    for (size_t i = 0; i < feature.length; i++)
        if (feature.data[i] >= 'a' && feature.data[i] <= 'z')
            feature.data[i] = (char)(feature.data[i] - 'a' + 'A');
    Str name = strbuf_view(&feature);
    error_clear();
    ERROR_SET(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("%.*s is not supported", STR_ARGS(name)));
}

/* -- Driving --------------------------------------------------------------------------------- */

#define FIRST_WORDS 4

typedef struct Drive {
    Grammar grammar;
    TokenStream stream;
    void *engine;
    int depth;
    Token words[FIRST_WORDS]; /* the running statement's first */
    size_t word_count;
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
    if (drive->word_count < FIRST_WORDS)
        drive->words[drive->word_count++] = *token;
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
            drive->word_count = 0;
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
    if (!ok && mode == 0)
        refuse_by_first_words(&drive->grammar, drive->words, drive->word_count);
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
