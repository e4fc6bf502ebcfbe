/* Reads JSON text: tokens, then values by recursive descent. */
#include "types/json_parse.h"

#include "base/pace.h"
#include "base/scheduler.h"
#include "types/types_internal.h"

#define STACK_RESERVE (16 * 1024)

typedef enum Token {
    TOKEN_INVALID = 0,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_NULL,
    TOKEN_END,
    TOKEN_PUNCTUATION,
} Token;

typedef struct JsonReader {
    Str text;
    Arena *arena;      /* NULL: syntax alone */
    size_t start, end; /* the token */
    Token token;
    char punctuation;
    StrBuf string; /* the last string, without escapes */
    size_t line_start;
    int line;
    JsonNode *stack; /* items of the containers being read */
    Str *key_stack;
    uint32_t depth, capacity;
} JsonReader;

static char at(const JsonReader *r, size_t place)
{
    return place < r->text.length ? r->text.data[place] : 0;
}

/* The line up to the token's end; its last 50 bytes where it is longer. */
static Str context(const JsonReader *r)
{
    size_t from = r->line_start;
    while (r->end - from >= 50)
        from += (size_t)utf8_width(r->text.data[from]);
    if (from - r->line_start <= 3)
        from = r->line_start;
    const bool more = r->token != TOKEN_END && r->end < r->text.length && at(r, r->end) != '\n' &&
                      at(r, r->end) != '\r';
    return fmt("JSON data, line %d: %s%.*s%s", r->line, from > r->line_start ? "..." : "",
               (int)(r->end - from), r->text.data + from, more ? "..." : "");
}

#define FAIL_JSON(r, detail_)                                                                      \
    FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("invalid input syntax for type json"),    \
         .detail = (detail_), .context = context(r))

static bool token_invalid(JsonReader *r)
{
    FAIL_JSON(r,
              fmt("Token \"%.*s\" is invalid.", (int)(r->end - r->start), r->text.data + r->start));
}

static bool expected(JsonReader *r, const char *what)
{
    if (r->token == TOKEN_END)
        FAIL_JSON(r, STR("The input string ended unexpectedly."));
    FAIL_JSON(r, fmt("Expected %s, but found \"%.*s\".", what, (int)(r->end - r->start),
                     r->text.data + r->start));
}

/* An error at the character that begins at `place`, which the context ends with. */
static void end_after(JsonReader *r, size_t place)
{
    r->end = MIN(r->text.length, place + (size_t)utf8_width(at(r, place)));
}

static bool surrogate_fail(JsonReader *r, bool is_high)
{
    FAIL_JSON(r, is_high ? STR("Unicode high surrogate must not follow a high surrogate.")
                         : STR("Unicode low surrogate must follow a high surrogate."));
}

/* \uXXXX at `place`, which is the u's; *high is the surrogate that waits for its second half. */
static bool unicode_lex(JsonReader *r, size_t *place, uint32_t *high)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        (*place)++;
        if (*place >= r->text.length) {
            r->end = r->text.length;
            return token_invalid(r);
        }
        const char c = ascii_lower(at(r, *place));
        if (!is_digit(c) && !(c >= 'a' && c <= 'f')) {
            end_after(r, *place);
            FAIL_JSON(r, STR("\"\\u\" must be followed by four hexadecimal digits."));
        }
        code = code * 16 + (uint32_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    if (!r->arena)
        return true;
    const bool is_first = code >= 0xd800 && code < 0xdc00,
               is_second = code >= 0xdc00 && code < 0xe000;
    if ((*high != 0) != is_second) {
        end_after(r, *place);
        return surrogate_fail(r, is_first);
    }
    if (is_first) {
        *high = code;
        return true;
    }
    if (is_second)
        code = 0x10000 + ((*high & 0x3ff) << 10) + (code & 0x3ff);
    *high = 0;
    if (code == 0) {
        end_after(r, *place);
        FAIL(ERR_UNTRANSLATABLE_CHARACTER, .message = STR("unsupported Unicode escape sequence"),
             .detail = STR("\\u0000 cannot be converted to text."), .context = context(r));
    }
    char *to = strbuf_reserve(&r->string, 4);
    strbuf_advance(&r->string, (size_t)utf8_encode(code, to));
    return true;
}

static bool escape_lex(JsonReader *r, size_t *place, uint32_t *high)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    (*place)++;
    if (*place >= r->text.length) {
        r->end = r->text.length;
        return token_invalid(r);
    }
    const char c = at(r, *place);
    if (c == 'u')
        return unicode_lex(r, place, high);
    if (*high) {
        end_after(r, *place);
        return surrogate_fail(r, false);
    }
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) {
        r->start = *place;
        end_after(r, *place);
        FAIL_JSON(r, fmt("Escape sequence \"\\%.*s\" is invalid.", (int)(r->end - r->start),
                         r->text.data + r->start));
    }
    if (r->arena)
        strbuf_append_char(&r->string, to[found - from]);
    return true;
}

static bool string_lex(JsonReader *r)
{
    uint32_t high = 0;
    size_t place = r->start + 1, pause = place + PACE_LOOPS;
    strbuf_truncate(&r->string, 0);
    for (;; place++) {
        const uint8_t c = (uint8_t)at(r, place);
        CHECK_INTERRUPTS_PAST(place, pause);
        if (place >= r->text.length) {
            r->end = r->text.length;
            return token_invalid(r);
        }
        if (c == '"')
            break;
        if (c < 32) {
            r->end = place;
            FAIL_JSON(r, fmt("Character with value 0x%02x must be escaped.", c));
        }
        if (c == '\\') {
            TRY(escape_lex(r, &place, &high));
        } else if (high) {
            end_after(r, place);
            return surrogate_fail(r, false);
        } else if (r->arena) {
            strbuf_append_char(&r->string, (char)c);
        }
    }
    r->end = place + 1;
    if (high)
        return surrogate_fail(r, false);
    r->token = TOKEN_STRING;
    return true;
}

static bool is_word_character(char c)
{
    return is_alpha(c) || is_digit(c) || c == '_' || (uint8_t)c >= 0x80;
}

/* Where the number at `place` ends; false: it is none. */
static bool number_scan(Str s, size_t *place)
{
#define CHARACTER (*place < s.length ? s.data[*place] : 0)
    if (CHARACTER == '-')
        (*place)++;
    if (!is_digit(CHARACTER))
        return false;
    const bool is_zero = CHARACTER == '0';
    (*place)++;
    while (!is_zero && is_digit(CHARACTER))
        (*place)++;
    if (CHARACTER == '.') {
        (*place)++;
        if (!is_digit(CHARACTER))
            return false;
        while (is_digit(CHARACTER))
            (*place)++;
    }
    if (ascii_lower(CHARACTER) == 'e') {
        (*place)++;
        if (CHARACTER == '+' || CHARACTER == '-')
            (*place)++;
        if (!is_digit(CHARACTER))
            return false;
        while (is_digit(CHARACTER))
            (*place)++;
    }
    return true;
#undef CHARACTER
}

bool json_is_number(Str text)
{
    size_t place = 0;
    return number_scan(text, &place) && place == text.length;
}

static bool number_lex(JsonReader *r)
{
    r->end = r->start;
    bool ok = number_scan(r->text, &r->end);
    for (; is_word_character(at(r, r->end)); r->end++)
        ok = false;
    r->token = TOKEN_NUMBER;
    return ok ? true : token_invalid(r);
}

static bool word_lex(JsonReader *r)
{
    r->end = r->start;
    while (is_word_character(at(r, r->end)))
        r->end++;
    if (r->end == r->start)
        r->end++;
    const Str word = str_slice(r->text, r->start, r->end - r->start);
    r->token = str_equal(word, STR("true"))    ? TOKEN_TRUE
               : str_equal(word, STR("false")) ? TOKEN_FALSE
               : str_equal(word, STR("null"))  ? TOKEN_NULL
                                               : TOKEN_INVALID;
    return r->token ? true : token_invalid(r);
}

static bool next(JsonReader *r)
{
    size_t place = r->end;
    for (; place < r->text.length; place++) {
        const char c = at(r, place);
        CHECK_INTERRUPTS_EACH(place);
        if (c == '\n') {
            r->line++;
            r->line_start = place + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            break;
        }
    }
    r->start = place;
    r->token = TOKEN_INVALID;
    if (place >= r->text.length) {
        r->end = place;
        r->token = TOKEN_END;
        return true;
    }
    const char c = at(r, place);
    if (c == '"')
        return string_lex(r);
    if (c == '-' || is_digit(c))
        return number_lex(r);
    if (c && strchr("{}[]:,", c)) {
        r->end = place + 1;
        r->token = TOKEN_PUNCTUATION;
        r->punctuation = c;
        return true;
    }
    return word_lex(r);
}

static bool is(const JsonReader *r, char c)
{
    return r->token == TOKEN_PUNCTUATION && r->punctuation == c;
}

static bool push(JsonReader *r, const JsonNode *node, Str key)
{
    if (!r->arena)
        return true;
    if (r->depth == r->capacity) {
        const uint32_t capacity = MAX(32, r->capacity * 2);
        TRY(r->stack = pace_grow(r->arena, r->stack, r->capacity * sizeof(JsonNode),
                                 capacity * sizeof(JsonNode)));
        TRY(r->key_stack = pace_grow(r->arena, r->key_stack, r->capacity * sizeof(Str),
                                     capacity * sizeof(Str)));
        r->capacity = capacity;
    }
    r->stack[r->depth] = *node;
    r->key_stack[r->depth++] = key;
    return true;
}

/* The items pushed since `from` become the container's. */
static bool pop(JsonReader *r, uint32_t from, JsonNode *ret)
{
    if (!r->arena)
        return true;
    ret->count = r->depth - from;
    if (ret->count) {
        TRY(ret->items =
                pace_arena_copy(r->arena, r->stack + from, ret->count * sizeof(*ret->items)));
        if (ret->kind == JSON_OBJECT)
            TRY(ret->keys =
                    pace_arena_copy(r->arena, r->key_stack + from, ret->count * sizeof(Str)));
    }
    r->depth = from;
    return true;
}

/* The last string, which the next one takes the place of. */
static bool string_copy(const JsonReader *r, Str *ret)
{
    *ret = STR_NONE;
    return !r->arena || pace_str_copy(r->arena, strbuf_view(&r->string), ret);
}

static bool value_read(JsonReader *r, JsonNode *ret);

static bool object_read(JsonReader *r, JsonNode *ret)
{
    const uint32_t from = r->depth;
    const char *wanted = "string or \"}\"";
    ret->kind = JSON_OBJECT;
    TRY(next(r));
    while (!is(r, '}')) {
        JsonNode value;
        if (r->token != TOKEN_STRING)
            return expected(r, wanted);
        Str key;
        TRY(string_copy(r, &key));
        TRY(next(r));
        if (!is(r, ':'))
            return expected(r, "\":\"");
        TRY(next(r));
        TRY(value_read(r, &value));
        TRY(push(r, &value, key));
        if (is(r, '}'))
            break;
        if (!is(r, ','))
            return expected(r, "\",\" or \"}\"");
        wanted = "string";
        TRY(next(r));
        if (is(r, '}'))
            return expected(r, wanted);
    }
    return pop(r, from, ret);
}

static bool array_read(JsonReader *r, JsonNode *ret)
{
    const uint32_t from = r->depth;
    ret->kind = JSON_ARRAY;
    TRY(next(r));
    while (!is(r, ']')) {
        JsonNode item;
        TRY(value_read(r, &item));
        TRY(push(r, &item, STR_NONE));
        if (is(r, ']'))
            break;
        if (!is(r, ','))
            return expected(r, "\",\" or \"]\"");
        TRY(next(r));
        if (is(r, ']'))
            return expected(r, "JSON value");
    }
    return pop(r, from, ret);
}

/* Reads the value that begins with the present token, and the token behind it. */
static bool value_read(JsonReader *r, JsonNode *ret)
{
    const size_t start = r->start;
    CHECK_INTERRUPTS();
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"),
             .hint = STR("Increase the configuration parameter \"max_stack_depth\" (currently "
                         "2048kB), after ensuring the platform's stack depth limit is adequate."));
    *ret = (JsonNode){0};
    switch (r->token) {
    case TOKEN_STRING:
        ret->kind = JSON_STRING;
        TRY(string_copy(r, &ret->text));
        break;
    case TOKEN_NUMBER:
        ret->kind = JSON_NUMBER;
        ret->text = str_slice(r->text, r->start, r->end - r->start);
        break;
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        ret->kind = JSON_BOOL;
        ret->boolean = r->token == TOKEN_TRUE;
        break;
    case TOKEN_NULL:
        break;
    default:
        if (is(r, '{'))
            TRY(object_read(r, ret));
        else if (is(r, '['))
            TRY(array_read(r, ret));
        else
            return expected(r, "JSON value");
    }
    ret->raw = str_slice(r->text, start, r->end - start);
    return next(r);
}

static bool text_read(JsonReader *r, JsonNode *ret)
{
    TRY(next(r));
    TRY(value_read(r, ret));
    if (r->token != TOKEN_END)
        return expected(r, "end of input");
    return true;
}

bool json_check(Str text)
{
    JsonNode root;
    JsonReader reader = {.text = text, .line = 1};
    return text_read(&reader, &root);
}

bool json_parse(Arena *arena, Str text, JsonNode *ret)
{
    JsonReader reader = {.text = text, .line = 1, .arena = arena, .string = strbuf_in(arena)};
    return text_read(&reader, ret);
}

bool json_escape(Str text, StrBuf *out)
{
    strbuf_append_char(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        const char c = text.data[i];
        if (unlikely((i + 1) % PACE_LOOPS == 0))
            CHECK_INTERRUPTS();
        switch (c) {
        case '\b':
            strbuf_append_c(out, "\\b");
            break;
        case '\f':
            strbuf_append_c(out, "\\f");
            break;
        case '\n':
            strbuf_append_c(out, "\\n");
            break;
        case '\r':
            strbuf_append_c(out, "\\r");
            break;
        case '\t':
            strbuf_append_c(out, "\\t");
            break;
        case '"':
            strbuf_append_c(out, "\\\"");
            break;
        case '\\':
            strbuf_append_c(out, "\\\\");
            break;
        default:
            if ((uint8_t)c < 0x20)
                strbuf_format(out, "\\u%04x", c);
            else
                strbuf_append_char(out, c);
        }
    }
    strbuf_append_char(out, '"');
    return true;
}
