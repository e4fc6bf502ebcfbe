/* PostgreSQL's tokens for re2c. What is longer than a token (strings, comments) is read by hand. */
#include "parser/lexer.h"

#include "base/error.h"
#include "base/settings.h"
#include "parser/keyword_table.h"
#include "sql_grammar.h"

#define NAME_BYTES 63

void lexer_init(Lexer *lexer, Arena *arena, Str text)
{
    Str copy = str_make(str_to_c(arena, text), text.length);

    *lexer = (Lexer){.arena = arena, .text = copy, .cursor = copy.data, .counted = copy.data};
}

int lexer_position(Lexer *lexer, const char *place)
{
    if (place < lexer->counted) { /* an error inside a token that was begun before */
        lexer->counted = lexer->text.data;
        lexer->characters = 0;
    }
    for (; lexer->counted < place; lexer->counted++)
        lexer->characters += (*lexer->counted & 0xc0) != 0x80;
    return lexer->characters + 1;
}

static LexerOutcome fail_near(Lexer *lexer, const char *start, const char *what, const char *end)
{
    int position = lexer_position(lexer, start);

    FAIL(ERR_SYNTAX_ERROR, .position = position,
         .message = fmt("%s at or near \"%.*s\"", what, (int)(end - start), start));
}

static const char *text_end(const Lexer *lexer)
{
    return lexer->text.data + lexer->text.length;
}

Str lexer_truncate_identifier(Lexer *lexer, Str name)
{
    if (name.length <= NAME_BYTES)
        return name;
    size_t length = NAME_BYTES;
    while (length > 0 && (name.data[length] & 0xc0) == 0x80)
        length--;
    Str cut = str_slice(name, 0, length);
    (void)lexer;
    NOTICE(SEVERITY_NOTICE, ERR_NAME_TOO_LONG,
           .message = fmt("identifier \"%.*s\" will be truncated to \"%.*s\"", STR_ARGS(name),
                          STR_ARGS(cut)));
    return cut;
}

/* -- Unicode escapes ------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void put_utf8(StrBuf *out, uint32_t c)
{
    if (c < 0x80) {
        strbuf_append_char(out, (char)c);
    } else if (c < 0x800) {
        strbuf_append_char(out, (char)(0xc0 | c >> 6));
        strbuf_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        strbuf_append_char(out, (char)(0xe0 | c >> 12));
        strbuf_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        strbuf_append_char(out, (char)(0xf0 | c >> 18));
        strbuf_append_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        strbuf_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_append_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* `count` hex digits at text[at]; false where there are fewer. */
static bool take_hex(Str text, size_t at, size_t count, uint32_t *ret_value)
{
    uint32_t value = 0;

    if (at + count > text.length)
        return false;
    for (size_t i = 0; i < count; i++) {
        int digit = hex_digit(text.data[at + i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *ret_value = value;
    return true;
}

static bool fail_unicode(const char *message, int position)
{
    FAIL(ERR_SYNTAX_ERROR, .message = str_from_c(message), .position = position);
}

/* Joins surrogate pairs; a lone half is an error. NULL, or what is wrong. */
static const char *add_code_point(StrBuf *out, uint32_t value, uint32_t *high)
{
    if (*high) {
        if (value < 0xdc00 || value > 0xdfff)
            return "invalid Unicode surrogate pair";
        value = 0x10000 + ((*high - 0xd800) << 10) + (value - 0xdc00);
        *high = 0;
    } else if (value >= 0xd800 && value <= 0xdbff) {
        *high = value;
        return NULL;
    } else if (value >= 0xdc00 && value <= 0xdfff) {
        return "invalid Unicode surrogate pair";
    }
    if (value == 0 || value > 0x10ffff)
        return "invalid Unicode escape value";
    put_utf8(out, value);
    return NULL;
}

/* Where byte `at` of the raw text of U&'…' stands: three characters open it. */
static int unicode_position(Str raw, size_t at, int position)
{
    int characters = 0;

    for (size_t i = 0; i < at && i < raw.length; i++)
        characters += (raw.data[i] & 0xc0) != 0x80;
    return position + 3 + characters;
}

bool lexer_unicode_unescape(Lexer *lexer, Str raw, char escape, int position, Str *ret_value)
{
    StrBuf out = strbuf_in(lexer->arena);
    uint32_t value, high = 0;
    size_t i = 0;
    const char *wrong = NULL;

    while (i < raw.length && !wrong) {
        size_t length;
        if (raw.data[i] != escape || (i + 1 < raw.length && raw.data[i + 1] == escape)) {
            length = raw.data[i] == escape ? 2 : 1;
            if (high)
                wrong = "invalid Unicode surrogate pair";
            else
                strbuf_append_char(&out, raw.data[i]);
        } else if (take_hex(raw, i + 1, 4, &value)) {
            length = 5;
            wrong = add_code_point(&out, value, &high);
        } else if (i + 1 < raw.length && raw.data[i + 1] == '+' &&
                   take_hex(raw, i + 2, 6, &value)) {
            length = 8;
            wrong = add_code_point(&out, value, &high);
        } else {
            FAIL(ERR_SYNTAX_ERROR, .message = STR("invalid Unicode escape"),
                 .hint = STR("Unicode escapes must be \\XXXX or \\+XXXXXX."),
                 .position = unicode_position(raw, i, position));
        }
        if (!wrong)
            i += length;
    }
    if (high && !wrong)
        wrong = "invalid Unicode surrogate pair";
    if (wrong)
        return fail_unicode(wrong, unicode_position(raw, i, position));
    *ret_value = strbuf_view(&out);
    return true;
}

/* -- Strings, read by hand ------------------------------------------------------------------- */

/* After a closing quote: white space with a newline in it, then another quote, goes on. */
static bool string_continues(Lexer *lexer)
{
    const char *c = lexer->cursor;
    bool newline = false;

    for (;; c++) {
        if (*c == '\n' || *c == '\r') {
            newline = true;
        } else if (c[0] == '-' && c[1] == '-' && newline) {
            while (*c && *c != '\n' && *c != '\r')
                c++;
            c--;
        } else if (*c != ' ' && *c != '\t' && *c != '\f' && *c != '\v') {
            break;
        }
    }
    if (!newline || *c != '\'')
        return false;
    lexer->cursor = c + 1;
    return true;
}

/* A client that relies on backslashes in plain strings is told, once a string. */
static void warn_of_escape(Lexer *lexer, const char *start, char escaped)
{
    if (!lexer->warns || !settings()->escape_string_warning)
        return;
    lexer->warns = false;
    NOTICE(SEVERITY_WARNING, ERR_NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
           .message = escaped == '\''   ? STR("nonstandard use of \\' in a string literal")
                      : escaped == '\\' ? STR("nonstandard use of \\\\ in a string literal")
                                        : STR("nonstandard use of escape in a string literal"),
           .hint = escaped == '\''   ? STR("Use '' to write quotes in strings, or use the escape "
                                           "string syntax (E'...').")
                   : escaped == '\\' ? STR("Use the escape string syntax for backslashes, e.g., "
                                           "E'\\\\'.")
                                     : STR("Use the escape string syntax for escapes, e.g., "
                                           "E'\\r\\n'."),
           .position = lexer_position(lexer, start));
}

/* In UTF-8 no character has a quote's byte in it, so that safe_encoding permits what on does. */
static bool may_escape(Lexer *lexer, const char *start, char escaped)
{
    if (escaped != '\'' || settings()->backslash_quote != BACKSLASH_QUOTE_OFF)
        return true;
    FAIL(ERR_NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
         .message = STR("unsafe use of \\' in a string literal"),
         .hint = STR("Use '' to write quotes in strings. \\' is insecure in client-only encodings."),
         .position = lexer_position(lexer, start));
}

/* The backslash escape at *at (behind the backslash); E'' strings. */
static bool put_escape(Lexer *lexer, StrBuf *out, const char **at, uint32_t *high)
{
    const char *c = *at;
    Str rest = str_make(c + 1, (size_t)(text_end(lexer) - c - 1));
    uint32_t value;

    if (*c == 'u' || *c == 'U') {
        size_t digits = *c == 'u' ? 4 : 8;
        int position = lexer_position(lexer, c - 1);
        if (!take_hex(rest, 0, digits, &value))
            FAIL(ERR_INVALID_ESCAPE_SEQUENCE, .message = STR("invalid Unicode escape"),
                 .hint = STR("Unicode escapes must be \\uXXXX or \\UXXXXXXXX."),
                 .position = position);
        const char *wrong = add_code_point(out, value, high);
        *at = c + 1 + digits;
        return !wrong || fail_near(lexer, c - 1, wrong, *at) != LEX_FAILED;
    }
    if (*c == 'x' && hex_digit(c[1]) >= 0) {
        size_t digits = hex_digit(c[2]) >= 0 ? 2 : 1;
        take_hex(rest, 0, digits, &value);
        strbuf_append_char(out, (char)value);
        *at = c + 1 + digits;
        return true;
    }
    if (*c >= '0' && *c <= '7') {
        int octal = 0, digits = 0;
        while (digits < 3 && *c >= '0' && *c <= '7') {
            octal = octal * 8 + (*c++ - '0');
            digits++;
        }
        strbuf_append_char(out, (char)octal);
        *at = c;
        return true;
    }
    char plain = *c == 'b' ? '\b' : *c == 'f' ? '\f' : *c == 'n' ? '\n' : *c == 'r' ? '\r'
               : *c == 't' ? '\t' : *c == 'v' ? '\v' : *c;
    strbuf_append_char(out, plain);
    *at = c + 1;
    return true;
}

static size_t character_size(const char *c)
{
    const unsigned char lead = (unsigned char)*c;
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Escapes can spell any bytes. */
static LexerOutcome check_utf8(const Lexer *lexer, Str s)
{
    for (size_t i = 0; i < s.length;) {
        const size_t size = character_size(s.data + i);
        const unsigned char lead = (unsigned char)s.data[i];
        bool good = lead != 0 && (lead < 0x80 || (lead >= 0xc2 && lead < 0xf5)) &&
                    i + size <= s.length;
        for (size_t k = 1; good && k < size; k++)
            good = ((unsigned char)s.data[i + k] & 0xc0) == 0x80;
        if (!good) {
            StrBuf bytes = strbuf_in(lexer->arena);
            for (size_t k = 0; k < size && i + k < s.length; k++)
                strbuf_format(&bytes, " 0x%02x", (unsigned char)s.data[i + k]);
            FAIL(ERR_CHARACTER_NOT_IN_REPERTOIRE,
                 .message = fmt("invalid byte sequence for encoding \"UTF8\":%.*s",
                                STR_ARGS(strbuf_view(&bytes))));
        }
        i += size;
    }
    return LEX_TOKEN;
}

/* What is not ended when the text ends. */
static const char *unterminated(const char *start)
{
    switch (*start) {
    case 'b':
    case 'B':
        return "unterminated bit string literal";
    case 'x':
    case 'X':
        return "unterminated hexadecimal string literal";
    default:
        return "unterminated quoted string";
    }
}

/* Reads on from behind the opening quote. */
static LexerOutcome read_string(Lexer *lexer, const char *start, bool has_escapes, Token *token)
{
    StrBuf out = strbuf_in(lexer->arena);
    uint32_t high = 0;

    for (;;) {
        const char *c = lexer->cursor;
        if (c >= text_end(lexer))
            return fail_near(lexer, start, unterminated(start), text_end(lexer));
        if (high && !(c[0] == '\\' && (c[1] == 'u' || c[1] == 'U')))
            return fail_near(lexer, c, "invalid Unicode surrogate pair", c + character_size(c));
        if (*c == '\'' && c[1] == '\'') {
            strbuf_append_char(&out, '\'');
            lexer->cursor += 2;
        } else if (*c == '\'') {
            lexer->cursor++;
            if (!string_continues(lexer))
                break;
        } else if (*c == '\\' && has_escapes) {
            lexer->cursor++;
            if (lexer->cursor >= text_end(lexer))
                return fail_near(lexer, start, "unterminated quoted string", text_end(lexer));
            TRY(may_escape(lexer, start, *lexer->cursor));
            warn_of_escape(lexer, start, *lexer->cursor);
            TRY(put_escape(lexer, &out, &lexer->cursor, &high));
        } else {
            strbuf_append_char(&out, *c);
            lexer->cursor++;
        }
    }
    token->code = TK_SCONST;
    token->text = strbuf_view(&out);
    return has_escapes ? check_utf8(lexer, token->text) : LEX_TOKEN;
}

/* '…': where standard_conforming_strings is off, an E'…' in disguise. */
static LexerOutcome read_plain(Lexer *lexer, const char *start, Token *token)
{
    const bool has_escapes = !lexer->is_stored && !settings()->standard_conforming_strings;

    lexer->warns = has_escapes;
    const LexerOutcome outcome = read_string(lexer, start, has_escapes, token);
    lexer->warns = false;
    return outcome;
}

/* U&'…' has its own escapes, which such strings would undo first. */
static LexerOutcome read_unicode(Lexer *lexer, const char *start, Token *token)
{
    if (!lexer->is_stored && !settings()->standard_conforming_strings)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("unsafe use of string constant with Unicode escapes"),
             .detail = STR("String constants with Unicode escapes cannot be used when "
                           "standard_conforming_strings is off."),
             .position = lexer_position(lexer, start));
    const LexerOutcome outcome = read_string(lexer, start, false, token);
    token->code = TK_USCONST;
    return outcome;
}

/* B'…' and X'…': the text begins with b or x. */
static LexerOutcome read_bits(Lexer *lexer, const char *start, char kind, Token *token)
{
    LexerOutcome outcome = read_string(lexer, start, false, token);

    if (outcome != LEX_TOKEN)
        return outcome;
    token->text = str_format(lexer->arena, "%c%.*s", kind, STR_ARGS(token->text));
    token->code = kind == 'b' ? TK_BCONST : TK_XCONST;
    return LEX_TOKEN;
}

static LexerOutcome read_quoted(Lexer *lexer, const char *start, Token *token)
{
    StrBuf out = strbuf_in(lexer->arena);

    for (;; lexer->cursor++) {
        if (lexer->cursor >= text_end(lexer))
            return fail_near(lexer, start, "unterminated quoted identifier", text_end(lexer));
        if (*lexer->cursor == '"') {
            if (lexer->cursor[1] != '"')
                break;
            lexer->cursor++;
        }
        strbuf_append_char(&out, *lexer->cursor);
    }
    lexer->cursor++;
    token->text = strbuf_view(&out);
    token->code = TK_IDENT;
    if (token->text.length == 0)
        return fail_near(lexer, start, "zero-length delimited identifier", lexer->cursor);
    return LEX_TOKEN;
}

static LexerOutcome read_dollar(Lexer *lexer, const char *start, Token *token)
{
    Str tag = str_make(start, (size_t)(lexer->cursor - start));
    Str rest = str_make(lexer->cursor, (size_t)(text_end(lexer) - lexer->cursor));
    size_t end = str_find(rest, tag, 0);

    if (end == SIZE_MAX)
        return fail_near(lexer, start, "unterminated dollar-quoted string", text_end(lexer));
    token->code = TK_SCONST;
    token->text = str_slice(rest, 0, end);
    lexer->cursor += end + tag.length;
    return LEX_TOKEN;
}

/* From behind the opening; comments nest. */
static bool skip_comment(Lexer *lexer, const char *start)
{
    int depth = 1;

    while (depth > 0) {
        const char *c = lexer->cursor;
        if (c >= text_end(lexer))
            return fail_near(lexer, start, "unterminated /* comment", text_end(lexer));
        if (c[0] == '/' && c[1] == '*') {
            depth++;
            lexer->cursor += 2;
        } else if (c[0] == '*' && c[1] == '/') {
            depth--;
            lexer->cursor += 2;
        } else {
            lexer->cursor++;
        }
    }
    return true;
}

/* -- Words, numbers, operators --------------------------------------------------------------- */

static LexerOutcome read_word(Lexer *lexer, const char *start, Token *token)
{
    Str word = str_lower(lexer->arena, str_make(start, (size_t)(lexer->cursor - start)));
    const Keyword *keyword = keyword_find(word);

    token->text = keyword ? keyword->name : lexer_truncate_identifier(lexer, word);
    token->code = keyword ? keyword->token : TK_IDENT;
    return LEX_TOKEN;
}

static LexerOutcome read_integer(Lexer *lexer, const char *start, Token *token)
{
    uint64_t value;

    token->text = str_make(start, (size_t)(lexer->cursor - start));
    token->code = TK_FCONST;
    if (str_to_uint64(token->text, &value) && value <= INT32_MAX) {
        token->code = TK_ICONST;
        token->integer = (int32_t)value;
    }
    return LEX_TOKEN;
}

static LexerOutcome read_param(Lexer *lexer, const char *start, Token *token)
{
    uint64_t number;

    token->text = str_make(start + 1, (size_t)(lexer->cursor - start - 1));
    token->code = TK_PARAM;
    if (!str_to_uint64(token->text, &number) || number > INT32_MAX)
        return fail_near(lexer, start, "parameter number too large", lexer->cursor);
    token->integer = (int32_t)number;
    return LEX_TOKEN;
}

/* Where an operator of `length` characters really ends: before a comment, and without trailing + and -
 * unless it has a character that SQL's own operators do not have. */
static size_t operator_length(const char *start, size_t length)
{
    bool special = false;

    for (size_t i = 0; i + 1 < length; i++)
        if ((start[i] == '-' && start[i + 1] == '-') || (start[i] == '/' && start[i + 1] == '*')) {
            length = i;
            break;
        }
    for (size_t i = 0; i < length; i++)
        special = special || strchr("~!@#^&|`?%", start[i]) != NULL;
    while (length > 1 && !special && (start[length - 1] == '+' || start[length - 1] == '-'))
        length--;
    return length;
}

static LexerOutcome read_operator(Lexer *lexer, const char *start, Token *token)
{
    static const struct {
        const char *text;
        int code;
    } known[] = {{"+", TK_PLUS},  {"-", TK_MINUS}, {"*", TK_STAR}, {"/", TK_SLASH},
                 {"%", TK_PERCENT}, {"^", TK_CARET}, {"<", TK_LT}, {">", TK_GT},
                 {"=", TK_EQ}, {"<=", TK_LESS_EQUALS}, {">=", TK_GREATER_EQUALS},
                 {"<>", TK_NOT_EQUALS}, {"!=", TK_NOT_EQUALS}, {"=>", TK_EQUALS_GREATER}};
    size_t length = operator_length(start, (size_t)(lexer->cursor - start));

    lexer->cursor = start + length;
    token->text = str_make(start, length);
    token->code = TK_OP;
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (str_equal(token->text, str_from_c(known[i].text)))
            token->code = known[i].code;
    if (token->code == TK_NOT_EQUALS)
        token->text = STR("<>");
    if (length > NAME_BYTES)
        FAIL(ERR_SYNTAX_ERROR, .message = STR("operator too long"),
             .position = lexer_position(lexer, start));
    return LEX_TOKEN;
}

static LexerOutcome single(Token *token, int code, const char *start, size_t length)
{
    token->code = code;
    token->text = str_make(start, length);
    return LEX_TOKEN;
}

static LexerOutcome scan(Lexer *lexer, Token *token)
{
    const char *start, *YYMARKER;

again:
    start = lexer->cursor;
    token->position = lexer_position(lexer, start);
    token->start = (uint32_t)(start - lexer->text.data);
    /*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = lexer->cursor;
    re2c:yyfill:enable = 0;

    space      = [ \t\n\r\f\v];
    digit      = [0-9];
    start_char = [A-Za-z_\x80-\xff];
    word_char  = [A-Za-z0-9_$\x80-\xff];
    word       = start_char word_char*;
    dollar_tag = "$" (start_char [A-Za-z0-9_\x80-\xff]*)? "$";
    operator   = [~!@#^&|`?+\-*/%<>=]+;
    decimal    = digit* "." digit+ | digit+ ".";
    real       = (digit+ | decimal) [eE] [+\-]? digit+;

    "\x00"           { goto at_zero; }
    space+           { goto again; }
    "--" [^\n\r\x00]* { goto again; }
    "/" "*"          { if (!skip_comment(lexer, start)) return LEX_FAILED; goto again; }
    "'"              { return read_plain(lexer, start, token); }
    [eE] "'"         { return read_string(lexer, start, true, token); }
    [nN] "'"         { lexer->cursor--; return single(token, TK_NCHAR, start, 1); }
    [bB] "'"         { return read_bits(lexer, start, 'b', token); }
    [xX] "'"         { return read_bits(lexer, start, 'x', token); }
    [uU] "&'"        { return read_unicode(lexer, start, token); }
    [uU] "&" ["]     { LexerOutcome o = read_quoted(lexer, start, token); token->code = TK_UIDENT; return o; }
    ["]              { LexerOutcome o = read_quoted(lexer, start, token); if (o == LEX_TOKEN) token->text = lexer_truncate_identifier(lexer, token->text); return o; }
    dollar_tag       { return read_dollar(lexer, start, token); }
    "$" digit+       { return read_param(lexer, start, token); }
    "$" digit+ word  { return fail_near(lexer, start, "trailing junk after parameter", lexer->cursor); }
    word             { return read_word(lexer, start, token); }
    digit+           { return read_integer(lexer, start, token); }
    digit+ ".."      { lexer->cursor -= 2; return read_integer(lexer, start, token); }
    decimal          { return single(token, TK_FCONST, start, (size_t)(lexer->cursor - start)); }
    real             { return single(token, TK_FCONST, start, (size_t)(lexer->cursor - start)); }
    (digit+ | decimal | real) word { return fail_near(lexer, start, "trailing junk after numeric literal", lexer->cursor); }
    (digit+ | decimal) [eE] [+\-] { return fail_near(lexer, start, "trailing junk after numeric literal", lexer->cursor); }
    "::"             { return single(token, TK_TYPECAST, start, 2); }
    ":="             { return single(token, TK_COLON_EQUALS, start, 2); }
    ".."             { return single(token, TK_ILLEGAL, start, 2); }
    "("              { return single(token, TK_LPAREN, start, 1); }
    ")"              { return single(token, TK_RPAREN, start, 1); }
    "["              { return single(token, TK_LBRACKET, start, 1); }
    "]"              { return single(token, TK_RBRACKET, start, 1); }
    ","              { return single(token, TK_COMMA, start, 1); }
    ";"              { return single(token, TK_SEMICOLON, start, 1); }
    ":"              { return single(token, TK_COLON, start, 1); }
    "."              { return single(token, TK_DOT, start, 1); }
    operator         {
        /* A run of operator characters is longer than the mark of the comment it begins with. */
        if (start[0] == '/' && start[1] == '*') {
            lexer->cursor = start + 2;
            if (!skip_comment(lexer, start)) return LEX_FAILED;
            goto again;
        }
        return read_operator(lexer, start, token);
    }
    *                { return single(token, TK_ILLEGAL, start, 1); }
    */
at_zero:
    /* The NUL behind the text is its end; one inside is no token of SQL's. */
    if (start < text_end(lexer))
        return single(token, TK_ILLEGAL, start, 1);
    lexer->cursor = start;
    token->code = 0;
    token->text = STR("");
    return LEX_END;
}

LexerOutcome lexer_next(Lexer *lexer, Token *ret_token)
{
    *ret_token = (Token){0};
    LexerOutcome outcome = scan(lexer, ret_token);
    ret_token->end = (uint32_t)(lexer->cursor - lexer->text.data);
    return outcome;
}
