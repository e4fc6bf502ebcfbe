/* json: text whose syntax has been checked. */
#include <stdio.h>

#include "base/scheduler.h"
#include "types/types_internal.h"

#define STACK_RESERVE (16 * 1024)

typedef struct JsonReader {
    Str text;
    size_t at;
} JsonReader;

static void json_skip_space(JsonReader *r)
{
    while (r->at < r->text.length) {
        const char c = r->text.data[r->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            break;
        r->at++;
    }
}

static int json_peek(JsonReader *r)
{
    json_skip_space(r);
    return r->at < r->text.length ? (uint8_t)r->text.data[r->at] : -1;
}

/* What stands at the reader's place: a word, or one character. */
static Str json_token(const JsonReader *r)
{
    size_t end = r->at;
    while (end < r->text.length) {
        const char c = r->text.data[end];
        if (!is_alpha(c) && !is_digit(c) && c != '_' && (uint8_t)c < 0x80)
            break;
        end++;
    }
    if (end == r->at && end < r->text.length)
        end++;
    return str_slice(r->text, r->at, end - r->at);
}

static Str json_context(const JsonReader *r)
{
    size_t end = MIN(r->text.length, r->at + json_token(r).length);
    size_t start = end > 50 ? end - 50 : 0;
    return fmt("JSON data, line 1: %s%.*s%s", start > 0 ? "..." : "", (int)(end - start),
               r->text.data + start, end < r->text.length ? "..." : "");
}

static bool json_wrong(JsonReader *r, const char *expected)
{
    if (r->at >= r->text.length)
        FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("invalid input syntax for type json"),
             .detail = STR("The input string ended unexpectedly."), .context = json_context(r));
    const Str token = json_token(r);
    const bool is_word = is_alpha(token.data[0]) && !str_equal(token, STR("true")) &&
                         !str_equal(token, STR("false")) && !str_equal(token, STR("null"));
    FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("invalid input syntax for type json"),
         .detail = is_word ? fmt("Token \"%.*s\" is invalid.", STR_ARGS(token))
                           : fmt("Expected %s, but found \"%.*s\".", expected, STR_ARGS(token)),
         .context = json_context(r));
}

static bool json_string(JsonReader *r)
{
    if (json_peek(r) != '"')
        return json_wrong(r, "string");
    for (r->at++; r->at < r->text.length; r->at++) {
        const uint8_t c = (uint8_t)r->text.data[r->at];
        if (c == '"') {
            r->at++;
            return true;
        }
        if (c < 0x20)
            FAIL(ERR_INVALID_TEXT_REPRESENTATION,
                 .message = STR("invalid input syntax for type json"),
                 .detail = fmt("Character with value 0x%02x must be escaped.", c),
                 .context = json_context(r));
        if (c != '\\')
            continue;
        r->at++;
        if (r->at >= r->text.length)
            break;
        const char escape = r->text.data[r->at];
        if (escape == 'u') {
            for (int i = 1; i <= 4; i++) {
                const char h = r->at + (size_t)i < r->text.length
                                   ? ascii_lower(r->text.data[r->at + (size_t)i])
                                   : 0;
                if (!is_digit(h) && !(h >= 'a' && h <= 'f'))
                    FAIL(ERR_INVALID_TEXT_REPRESENTATION,
                         .message = STR("invalid input syntax for type json"),
                         .detail = STR("\"\\u\" must be followed by four hexadecimal digits."),
                         .context = json_context(r));
            }
            r->at += 4;
        } else if (!strchr("\"\\/bfnrt", escape)) {
            FAIL(ERR_INVALID_TEXT_REPRESENTATION,
                 .message = STR("invalid input syntax for type json"),
                 .detail = fmt("Escape sequence \"\\%c\" is invalid.", escape),
                 .context = json_context(r));
        }
    }
    r->at = r->text.length;
    FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("invalid input syntax for type json"),
         .detail = fmt("Token \"%.*s\" is invalid.", STR_ARGS(r->text)),
         .context = json_context(r));
}

static size_t json_digits(JsonReader *r)
{
    const size_t start = r->at;
    while (r->at < r->text.length && is_digit(r->text.data[r->at]))
        r->at++;
    return r->at - start;
}

static bool json_number(JsonReader *r)
{
    const size_t start = r->at;
    bool ok = true;
    if (r->text.data[r->at] == '-')
        r->at++;
    const bool leading_zero = r->at < r->text.length && r->text.data[r->at] == '0';
    const size_t whole = json_digits(r);
    ok = whole > 0 && !(leading_zero && whole > 1);
    if (r->at < r->text.length && r->text.data[r->at] == '.') {
        r->at++;
        ok &= json_digits(r) > 0;
    }
    if (r->at < r->text.length && ascii_lower(r->text.data[r->at]) == 'e') {
        r->at++;
        if (r->at < r->text.length && (r->text.data[r->at] == '+' || r->text.data[r->at] == '-'))
            r->at++;
        ok &= json_digits(r) > 0;
    }
    if (r->at < r->text.length && (is_alpha(r->text.data[r->at]) || r->text.data[r->at] == '_'))
        ok = false;
    if (!ok) {
        while (r->at < r->text.length && (is_alpha(r->text.data[r->at]) ||
                                          is_digit(r->text.data[r->at])))
            r->at++;
        FAIL(ERR_INVALID_TEXT_REPRESENTATION, .message = STR("invalid input syntax for type json"),
             .detail = fmt("Token \"%.*s\" is invalid.", (int)(r->at - start),
                           r->text.data + start));
    }
    return true;
}

static bool json_value(JsonReader *r);

static bool json_object(JsonReader *r)
{
    r->at++;
    if (json_peek(r) == '}') {
        r->at++;
        return true;
    }
    for (bool first = true;; first = false) {
        if (json_peek(r) != '"')
            return json_wrong(r, first ? "string or \"}\"" : "string");
        TRY(json_string(r));
        if (json_peek(r) != ':')
            return json_wrong(r, "\":\"");
        r->at++;
        TRY(json_value(r));
        const int c = json_peek(r);
        if (c != ',' && c != '}')
            return json_wrong(r, "\",\" or \"}\"");
        r->at++;
        if (c == '}')
            return true;
    }
}

static bool json_array(JsonReader *r)
{
    r->at++;
    if (json_peek(r) == ']') {
        r->at++;
        return true;
    }
    for (;;) {
        TRY(json_value(r));
        const int c = json_peek(r);
        if (c != ',' && c != ']')
            return json_wrong(r, "\",\" or \"]\"");
        r->at++;
        if (c == ']')
            return true;
    }
}

static bool json_value(JsonReader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    const int c = json_peek(r);
    if (c == '{')
        return json_object(r);
    if (c == '[')
        return json_array(r);
    if (c == '"')
        return json_string(r);
    if (c == '-' || (c >= '0' && c <= '9'))
        return json_number(r);
    if (c >= 0)
        for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
            if (str_equal(json_token(r), str_from_c(words[i]))) {
                r->at += strlen(words[i]);
                return true;
            }
    return json_wrong(r, "JSON value");
}

bool json_input(const TypeIo *io, Str text, Value *ret)
{
    JsonReader r = {.text = text};
    TRY(json_value(&r));
    if (json_peek(&r) >= 0)
        return json_wrong(&r, "end of input");
    *ret = value_text(str_copy(io->arena, text));
    return true;
}

bool json_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}

bool json_receive(const TypeIo *io, Str bytes, Value *ret)
{
    TRY(utf8_check(bytes));
    return json_input(io, bytes, ret);
}

bool json_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return text_output(io, value, out);
}
