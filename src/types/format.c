/* quote_ident and format(). */
#include "base/pace.h"
#include "types/array.h"
#include "types/identifier.h"
#include "types/types_internal.h"

ScalarFunction fn_quote_nullable;

FUNCTION(quote_ident)
{
    *ret = value_text(identifier_quote(call->arena, var_str(args[0].var)));
    return true;
}

/* format(): %s %I %L with position, width and the left-justify flag. */
typedef struct FormatArguments {
    FunctionCall *call;
    const Value *args;
    const bool *nulls;
    ArrayView array; /* after VARIADIC */
    bool is_array;
    int count;
} FormatArguments;

static bool argument_text(const FormatArguments *a, int index, StrBuf *out, bool *ret_null)
{
    Value value;
    Oid type;
    if (a->is_array) {
        array_element(&a->array, index, &value, ret_null);
        type = a->array.element_type;
    } else {
        value = a->args[index + 1];
        *ret_null = a->nulls[index + 1];
        type = a->call->arg_types[index + 1];
    }
    return *ret_null ? true : type_output(type, &value, out);
}

typedef struct FormatSpec {
    int position, width_position; /* 0: the next; -1: no argument gives the width */
    int64_t width;
    bool left;
    char conversion;
} FormatSpec;

static bool format_ended(void)
{
    FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("unterminated format() type specifier"),
         .hint = STR("For a single \"%\" use \"%%\"."));
}

static bool digits_read(Str f, size_t *at, int64_t *ret, bool *ret_found)
{
    *ret = 0;
    *ret_found = *at < f.length && is_digit(f.data[*at]);
    for (; *at < f.length && is_digit(f.data[*at]); (*at)++) {
        *ret = *ret * 10 + (f.data[*at] - '0');
        if (*ret > INT32_MAX)
            FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("number is out of range"));
    }
    return true;
}

static bool spec_read(Str f, size_t *at, FormatSpec *spec)
{
    int64_t number;
    bool found;
    *spec = (FormatSpec){.width_position = -1};
    TRY(digits_read(f, at, &number, &found));
    if (found && *at < f.length && f.data[*at] == '$') {
        if (number == 0)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = STR("format specifies argument 0, but arguments are numbered from 1"));
        spec->position = (int)number;
        (*at)++;
        found = false;
        number = 0;
    }
    if (!found) {
        while (*at < f.length && f.data[*at] == '-') {
            spec->left = true;
            (*at)++;
        }
        if (*at < f.length && f.data[*at] == '*') {
            (*at)++;
            TRY(digits_read(f, at, &number, &found));
            if (found) {
                if (*at >= f.length || f.data[*at] != '$')
                    FAIL(ERR_INVALID_PARAMETER_VALUE,
                         .message = STR("width argument position must be ended by \"$\""));
                (*at)++;
            }
            if (found && number == 0)
                FAIL(ERR_INVALID_PARAMETER_VALUE,
                     .message =
                         STR("format specifies argument 0, but arguments are numbered from 1"));
            spec->width_position = (int)number;
            number = 0;
        } else {
            TRY(digits_read(f, at, &number, &found));
        }
    }
    spec->width = number;
    if (*at >= f.length)
        return format_ended();
    spec->conversion = f.data[(*at)++];
    return true;
}

static bool padded(StrBuf *out, Str text, int64_t width, bool left)
{
    const int64_t missing = width - (int64_t)utf8_count(text);
    if (missing > VALUE_SIZE_MAX)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("requested length too large"));
    if (left)
        TRY(pace_append(out, text));
    for (int64_t i = 0; i < missing; i++) {
        CHECK_INTERRUPTS_EACH(i);
        strbuf_append_char(out, ' ');
    }
    return left || pace_append(out, text);
}

static bool too_few(void)
{
    FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("too few arguments for format()"));
}

static bool spec_write(FormatArguments *a, FormatSpec *spec, int *next, StrBuf *out)
{
    StrBuf text = strbuf_in(a->call->arena);
    bool is_null;
    if (spec->width_position >= 0) {
        const int index = spec->width_position > 0 ? spec->width_position - 1 : *next;
        if (index >= a->count)
            return too_few();
        *next = index + 1;
        TRY(argument_text(a, index, &text, &is_null));
        if (!is_null && !str_to_int64(strbuf_view(&text), &spec->width))
            FAIL_SYNTAX("integer", strbuf_view(&text));
        if (spec->width < 0) {
            spec->left = true;
            spec->width = -spec->width;
        }
        strbuf_truncate(&text, 0);
    }
    const int index = spec->position > 0 ? spec->position - 1 : *next;
    if (index >= a->count)
        return too_few();
    *next = index + 1;
    TRY(argument_text(a, index, &text, &is_null));
    Str shown = is_null ? STR("") : strbuf_view(&text);
    if (spec->conversion == 'I') {
        if (is_null)
            FAIL(ERR_NULL_VALUE_NOT_ALLOWED,
                 .message = STR("null values cannot be formatted as an SQL identifier"));
        shown = identifier_quote(a->call->arena, shown);
    } else if (spec->conversion == 'L') {
        Value quoted;
        bool none;
        const Value value = value_text(shown);
        TRY(fn_quote_nullable(a->call, &value, &is_null, &quoted, &none));
        shown = var_str(quoted.var);
    }
    return padded(out, shown, spec->width, spec->left);
}

FUNCTION(text_format)
{
    FormatArguments a = {.call = call, .args = args, .nulls = nulls, .count = call->arg_count - 1};
    StrBuf out = strbuf_in(call->arena);
    int next = 0;

    *ret_null = nulls[0];
    if (nulls[0])
        return true;
    if (call->is_variadic && call->arg_count == 2) {
        a.is_array = true;
        a.count = 0;
        if (!nulls[1]) {
            TRY(array_open(&args[1], &a.array));
            a.count = a.array.count;
        }
    }
    const Str f = var_str(args[0].var);
    for (size_t at = 0, pause = 0; at < f.length;) {
        FormatSpec spec;
        CHECK_INTERRUPTS_PAST(at, pause);
        if (f.data[at] != '%') {
            strbuf_append_char(&out, f.data[at++]);
            continue;
        }
        if (++at >= f.length)
            return format_ended();
        if (f.data[at] == '%') {
            strbuf_append_char(&out, f.data[at++]);
            continue;
        }
        TRY(spec_read(f, &at, &spec));
        if (!strchr("sIL", spec.conversion))
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("unrecognized format() type specifier \"%.*s\"",
                                MIN(utf8_width(spec.conversion), (int)(f.length - at + 1)),
                                f.data + at - 1),
                 .hint = STR("For a single \"%\" use \"%%\"."));
        TRY(spec_write(&a, &spec, &next, &out));
    }
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(text_format_nv)
{
    return fn_text_format(call, args, nulls, ret, ret_null);
}
