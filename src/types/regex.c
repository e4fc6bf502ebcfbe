/*
 * Regular expressions: PostgreSQL's advanced syntax, run by PCRE2.
 *
 * The syntaxes agree on nearly everything; the translator turns what differs: \m \M \y \Y \A \Z,
 * [[:<:]] and [[:>:]], ***-prefixes, and the embedded options. A call site keeps its last pattern
 * compiled. Matching is bounded, so that no pattern can hold a worker for ever.
 *
 * PostgreSQL's alternatives give the longest match, PCRE2's the first that fits: a pattern with
 * alternatives is matched a second time, by PCRE2's other matcher, which tells how far it reaches.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/pace.h"
#include "types/array.h"
#include "types/call_site.h"
#include "types/types_internal.h"

#define MATCH_LIMIT 10000000
#define MAX_GROUPS 100
#define MAX_REPEAT 255
#define DFA_WORKSPACE 2000

typedef struct Regex {
    Str flags; /* that it is compiled with */
    uint32_t options;
    bool is_global;
    bool is_longest; /* has alternatives, of which the longest match counts */
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
} Regex;

/* PCRE2's memory is the site's arena: nothing has to be freed. */
static void *regex_alloc(PCRE2_SIZE size, void *arena)
{
    return arena_alloc(arena, size);
}

static void regex_release(void *memory, void *arena) {}

static bool translate(Arena *arena, Str pattern, bool expanded, StrBuf *out)
{
    bool in_class = false;
    for (size_t i = 0; i < pattern.length; i++) {
        const char c = pattern.data[i];
        const Str rest = str_slice(pattern, i, pattern.length);
        if (c == '\\' && i + 1 < pattern.length) {
            const char e = pattern.data[++i];
            const char *with = in_class   ? NULL
                               : e == 'm' ? "\\b(?=\\w)"
                               : e == 'M' ? "\\b(?<=\\w)"
                               : e == 'y' ? "\\b"
                               : e == 'Y' ? "\\B"
                               : e == 'Z' ? "\\z"
                                          : NULL;
            if (with) {
                strbuf_append_c(out, with);
            } else if (e == 'B' && !in_class) {
                strbuf_append_c(out, "\\\\");
            } else {
                strbuf_append_char(out, '\\');
                strbuf_append_char(out, e);
            }
        } else if (!in_class && str_starts_with(rest, STR("[[:<:]]"))) {
            strbuf_append_c(out, "\\b(?=\\w)");
            i += 6;
        } else if (!in_class && str_starts_with(rest, STR("[[:>:]]"))) {
            strbuf_append_c(out, "\\b(?<=\\w)");
            i += 6;
        } else if (in_class &&
                   (str_starts_with(rest, STR("[:")) || str_starts_with(rest, STR("[.")) ||
                    str_starts_with(rest, STR("[=")))) {
            const char close[] = {rest.data[1], ']'};
            const size_t end = str_find(rest, str_make(close, 2), 2);
            if (end == SIZE_MAX)
                return false;
            if (rest.data[1] == ':')
                strbuf_append(out, str_slice(rest, 0, end + 2));
            else
                strbuf_append(out, str_slice(rest, 2, end - 2));
            i += end + 1;
        } else if (in_class) {
            in_class = c != ']';
            if (c == '[')
                strbuf_append_char(out, '\\');
            strbuf_append_char(out, c);
        } else if (c == '[') {
            in_class = true;
            strbuf_append_char(out, c);
            /* A ']' that comes first is a member. */
            if (i + 1 < pattern.length && pattern.data[i + 1] == '^')
                strbuf_append_char(out, pattern.data[++i]);
            if (i + 1 < pattern.length && pattern.data[i + 1] == ']') {
                strbuf_append_c(out, "\\]");
                i++;
            }
        } else {
            strbuf_append_char(out, c);
        }
    }
    return true;
}

/* Letters of the flags argument; "(?i)" at the front and "***=" prefixes are handled too. */
static bool flags_add(Str flags, bool allow_global, Regex *regex)
{
    for (size_t i = 0; i < flags.length; i++) {
        switch (flags.data[i]) {
        case 'g':
            regex->is_global = true;
            if (allow_global)
                break;
            FALLTHROUGH;
        default:
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("invalid regular expression option: \"%.*s\"",
                         MIN(utf8_width(flags.data[i]), (int)(flags.length - i)), flags.data + i));
        case 'i':
            regex->options |= PCRE2_CASELESS;
            break;
        case 'c':
            regex->options &= ~(uint32_t)PCRE2_CASELESS;
            break;
        case 'n':
        case 'm':
            regex->options |= PCRE2_MULTILINE;
            regex->options &= ~(uint32_t)PCRE2_DOTALL;
            break;
        case 'p':
            regex->options &= ~(uint32_t)PCRE2_DOTALL;
            break;
        case 'w':
            regex->options |= PCRE2_MULTILINE;
            break;
        case 's':
            regex->options |= PCRE2_DOTALL;
            regex->options &= ~(uint32_t)PCRE2_MULTILINE;
            break;
        case 'x':
            regex->options |= PCRE2_EXTENDED;
            break;
        case 't':
        case 'e':
        case 'b':
            break;
        case 'q':
            regex->options |= PCRE2_LITERAL;
            break;
        }
    }
    return true;
}

static bool flags_read(Str flags, bool allow_global, Regex *regex)
{
    regex->options =
        PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_UCP;
    return flags_add(flags, allow_global, regex);
}

static void regex_invalid(const char *reason)
{
    ERROR_SET(ERR_INVALID_REGULAR_EXPRESSION,
              .message = fmt("invalid regular expression: %s", reason));
}

/* PostgreSQL's words for the errors that people meet. */
static const char *error_words(int error)
{
    switch (error) {
    case PCRE2_ERROR_END_BACKSLASH:
        return "invalid escape \\ sequence";
    case PCRE2_ERROR_QUANTIFIER_INVALID:
        return "quantifier operand invalid";
    case PCRE2_ERROR_MISSING_SQUARE_BRACKET:
        return "brackets [] not balanced";
    case PCRE2_ERROR_CLASS_RANGE_ORDER:
        return "invalid character range";
    case PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS:
    case PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS:
        return "parentheses () not balanced";
    case PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER:
    case PCRE2_ERROR_QUANTIFIER_TOO_BIG:
        return "invalid repetition count(s)";
    case PCRE2_ERROR_UNKNOWN_POSIX_CLASS:
        return "invalid character class";
    case PCRE2_ERROR_BAD_SUBPATTERN_REFERENCE:
        return "invalid backreference number";
    default:
        return "invalid escape \\ sequence";
    }
}

/* "(?in)" at the front: options, as the flags argument has them. */
static bool embedded_read(Regex *regex, Str *pattern)
{
    const Str p = *pattern;
    size_t end = 2;
    if (!str_starts_with(p, STR("(?")) || p.length < 3 || !is_alpha(p.data[2]))
        return true;
    while (end < p.length && is_alpha(p.data[end]))
        end++;
    const Str letters = str_slice(p, 2, end - 2);
    bool known = end < p.length && p.data[end] == ')';
    for (size_t i = 0; i < letters.length; i++)
        known &= strchr("bceimnpqstwx", letters.data[i]) != NULL;
    if (!known) {
        regex_invalid("invalid embedded option");
        return false;
    }
    *pattern = str_slice(p, end + 1, p.length);
    return flags_add(letters, false, regex);
}

/* "\\m", "^" and their kin, which match no character: nothing counts them. */
static bool is_constraint(const char *at, size_t *ret_width)
{
    *ret_width = *at == '\\' ? 2 : 1;
    return *at == '^' || (*at == '\\' && at[1] != '\0' && strchr("mMyYAZ", at[1]));
}

/* How long the "*", "{2,}" or "+?" is that stands at `at`; 0: there is none. */
static size_t count_length(Str p, size_t at)
{
    size_t end = at + 1;

    if (at >= p.length || !strchr("*+?{", p.data[at]))
        return 0;
    if (p.data[at] == '{') {
        if (end >= p.length || !is_digit(p.data[end]))
            return 0;
        end = str_find_char(p, '}', end);
        if (end == SIZE_MAX)
            return 0;
        end++;
    }
    return end - at + (end < p.length && p.data[end] == '?');
}

static bool count_is_too_big(Str pattern, size_t at)
{
    int64_t count = 0;

    for (; at < pattern.length && count <= MAX_REPEAT; at++)
        if (is_digit(pattern.data[at]))
            count = count * 10 + (pattern.data[at] - '0');
        else if (pattern.data[at] == ',')
            count = 0;
        else
            break;
    return count > MAX_REPEAT;
}

/* Behind the bracket expression that begins at `at`. */
static size_t brackets_end(Str p, size_t at)
{
    at++;
    at += at < p.length && p.data[at] == '^';
    at += at < p.length && p.data[at] == ']';
    for (; at < p.length && p.data[at] != ']'; at++) {
        const char kind = at + 1 < p.length ? p.data[at + 1] : '\0';
        if (p.data[at] == '\\') {
            at++;
        } else if (p.data[at] == '[' && (kind == ':' || kind == '.' || kind == '=')) {
            const char closing[] = {kind, ']'};
            const size_t end = str_find(p, str_make(closing, 2), at + 2);
            at = end == SIZE_MAX ? p.length : end + 1;
        }
    }
    return at + 1;
}

/* What stands outside of brackets: alternatives, lazy counts. NULL, or what is wrong with it. */
static const char *pattern_survey(Str pattern, bool *ret_alternatives, bool *ret_lazy)
{
    *ret_alternatives = *ret_lazy = false;
    for (size_t i = 0, width; i < pattern.length; i += width) {
        const char *at = pattern.data + i;
        const char c = *at, next = i + 1 < pattern.length ? at[1] : '\0';
        width = 1;
        if (c == '[') {
            width = brackets_end(pattern, i) - i;
        } else if (c == '\\' || c == '^') {
            if (next && is_constraint(at, &width) && count_length(pattern, i + width) > 0)
                return "quantifier operand invalid";
            width = c == '^' ? 1 : 2;
        } else if (c == '(' && next == '?') {
            if (i + 2 < pattern.length && !strchr(":=!<", at[2]))
                return "quantifier operand invalid";
            width = 2;
        } else if (c == '(' && next == '*') {
            return "quantifier operand invalid"; /* nor are there verbs */
        } else if (c == '|') {
            *ret_alternatives = true;
        } else if (c == '{' && count_is_too_big(pattern, i + 1)) {
            return "invalid repetition count(s)";
        } else if (count_length(pattern, i) > 0) {
            width = count_length(pattern, i);
            *ret_lazy |= width > 1 && at[width - 1] == '?';
            if (count_length(pattern, i + width) > 0)
                return "quantifier operand invalid"; /* PCRE2 would take "a++" */
        }
    }
    return NULL;
}

static Regex *regex_compile(Arena *arena, Str pattern, Str flags, uint32_t more, bool allow_global)
{
    Regex *regex = ARENA_NEW(arena, Regex);
    int error;
    PCRE2_SIZE at;
    bool has_alternatives, has_lazy;

    TRY(flags_read(flags, allow_global, regex));
    regex->options |= more;
    regex->flags = str_copy(arena, flags);
    if (str_starts_with(pattern, STR("***="))) {
        pattern = str_slice(pattern, 4, pattern.length);
        regex->options |= PCRE2_LITERAL;
    } else {
        if (str_starts_with(pattern, STR("***:")))
            pattern = str_slice(pattern, 4, pattern.length);
        if (!(regex->options & PCRE2_LITERAL))
            TRY(embedded_read(regex, &pattern));
    }
    if (!(regex->options & PCRE2_LITERAL)) {
        const char *wrong = pattern_survey(pattern, &has_alternatives, &has_lazy);
        if (wrong) {
            regex_invalid(wrong);
            return NULL;
        }
        regex->is_longest = has_alternatives && !has_lazy;
    }
    StrBuf text = strbuf_in(arena);
    if (regex->options & PCRE2_LITERAL) {
        /* Literal patterns take few other options. */
        regex->options &= PCRE2_LITERAL | PCRE2_CASELESS | PCRE2_UTF | PCRE2_NO_UTF_CHECK;
        strbuf_append(&text, pattern);
    } else if (!translate(arena, pattern, (regex->options & PCRE2_EXTENDED) != 0, &text)) {
        regex_invalid("brackets [] not balanced");
        return NULL;
    }
    pcre2_general_context *general =
        pcre2_general_context_create(regex_alloc, regex_release, arena);
    pcre2_compile_context *compile = pcre2_compile_context_create(general);
    pcre2_set_parens_nest_limit(compile, 200);
    regex->code = pcre2_compile((PCRE2_SPTR)strbuf_view(&text).data, text.length, regex->options,
                                &error, &at, compile);
    if (!regex->code) {
        regex_invalid(error_words(error));
        return NULL;
    }
    regex->match = pcre2_match_data_create_from_pattern(regex->code, general);
    regex->context = pcre2_match_context_create(general);
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_heap_limit(regex->context, 65536);
    return regex;
}

/* The call site's regex: compiled again only when pattern or flags change. */
static Regex *regex_of(FunctionCall *call, Str pattern, Str flags, uint32_t more, bool allow_global)
{
    Regex *regex = call_site_find(call, pattern);
    if (regex && str_equal(regex->flags, flags))
        return regex;
    regex = regex_compile(call_site_arena(call), pattern, flags, more, allow_global);
    TRY(regex);
    call_site_keep(call, pattern, regex);
    return regex;
}

typedef enum MatchOutcome { MATCH_FAILED = 0, MATCH_FOUND, MATCH_NONE } MatchOutcome;

static MatchOutcome match_outcome(int count)
{
    if (count > 0)
        return MATCH_FOUND;
    if (count == PCRE2_ERROR_NOMATCH)
        return MATCH_NONE;
    CHECK_INTERRUPTS();
    FAIL(ERR_INVALID_REGULAR_EXPRESSION,
         .message = STR("regular expression failed: regular expression is too complex"));
}

static MatchOutcome regex_test(Regex *regex, Str s, size_t from)
{
    CHECK_INTERRUPTS(); /* of many matches in a long text */
    const int count = pcre2_match(regex->code, (PCRE2_SPTR)(s.data ? s.data : ""), s.length, from,
                                  PCRE2_NO_UTF_CHECK, regex->match, regex->context);
    return match_outcome(count);
}

/* The match that was found, made as long as it can be from where it starts. */
static MatchOutcome match_lengthen(Regex *regex, Str s, size_t from)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match);
    const size_t start = ends[0], end = ends[1];
    int workspace[DFA_WORKSPACE];
    if (start < from || end == s.length)
        return MATCH_FOUND;
    /* Back references and what outgrows the workspace keep the first match. */
    const int count = pcre2_dfa_match(regex->code, (PCRE2_SPTR)s.data, s.length, start,
                                      PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, regex->match,
                                      regex->context, workspace, DFA_WORKSPACE);
    const size_t longest = count >= 0 ? ends[1] : end;
    if (longest > end && pcre2_match(regex->code, (PCRE2_SPTR)s.data, longest, start,
                                     PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_ENDANCHORED,
                                     regex->match, regex->context) > 0)
        return MATCH_FOUND;
    /* The longest as the first matcher sees it after all: its groups are wanted. */
    return match_outcome(pcre2_match(regex->code, (PCRE2_SPTR)s.data, s.length, start,
                                     PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, regex->match,
                                     regex->context));
}

static MatchOutcome regex_match(Regex *regex, Str s, size_t from)
{
    const MatchOutcome outcome = regex_test(regex, s, from);
    return outcome == MATCH_FOUND && regex->is_longest ? match_lengthen(regex, s, from) : outcome;
}

static size_t group_count(const Regex *regex)
{
    uint32_t count = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

/* The n-th group of the last match; false: it took no part. */
static bool group(const Regex *regex, Str s, size_t n, Str *ret)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match);
    if (ends[2 * n] == PCRE2_UNSET || ends[2 * n + 1] < ends[2 * n])
        return false;
    *ret = str_slice(s, ends[2 * n], ends[2 * n + 1] - ends[2 * n]);
    return true;
}

static size_t match_start(const Regex *regex)
{
    return pcre2_get_ovector_pointer(regex->match)[0];
}
static size_t match_end(const Regex *regex)
{
    return pcre2_get_ovector_pointer(regex->match)[1];
}

/* Where to look for the next match; an empty one moves on by a character. */
static size_t after_match(const Regex *regex, Str s)
{
    const size_t end = match_end(regex);
    if (end > match_start(regex))
        return end;
    return end < s.length ? end + (size_t)utf8_width(s.data[end]) : end + 1;
}

static bool matches(FunctionCall *call, const Value *args, uint32_t more, bool wanted, Value *ret)
{
    Regex *regex = regex_of(call, var_str(args[1].var), STR(""), more, false);
    TRY(regex);
    const MatchOutcome outcome = regex_test(regex, var_str(args[0].var), 0);
    TRY(outcome);
    ret->boolean = (outcome == MATCH_FOUND) == wanted;
    return true;
}

#define MATCH_FUNCTIONS(prefix)                                                                    \
    FUNCTION(prefix##regexeq)                                                                      \
    {                                                                                              \
        return matches(call, args, 0, true, ret);                                                  \
    }                                                                                              \
    FUNCTION(prefix##regexne)                                                                      \
    {                                                                                              \
        return matches(call, args, 0, false, ret);                                                 \
    }                                                                                              \
    FUNCTION(prefix##icregexeq)                                                                    \
    {                                                                                              \
        return matches(call, args, PCRE2_CASELESS, true, ret);                                     \
    }                                                                                              \
    FUNCTION(prefix##icregexne)                                                                    \
    {                                                                                              \
        return matches(call, args, PCRE2_CASELESS, false, ret);                                    \
    }
MATCH_FUNCTIONS(text)
MATCH_FUNCTIONS(name)

/* substring(text from pattern): the first group, or the whole match. */
FUNCTION(textregexsubstr)
{
    const Str s = var_str(args[0].var);
    Str found;
    Regex *regex = regex_of(call, var_str(args[1].var), STR(""), 0, false);
    TRY(regex);
    const MatchOutcome outcome = regex_match(regex, s, 0);
    TRY(outcome);
    *ret_null = outcome == MATCH_NONE || !group(regex, s, group_count(regex) ? 1 : 0, &found);
    if (!*ret_null)
        *ret = value_text(found);
    return true;
}

/* regexp_replace: \1-\9 and \& in the replacement. */
static bool replacement_append(const Regex *regex, Str s, Str with, StrBuf *out)
{
    for (size_t i = 0, pause = PACE_LOOPS; i < with.length; i++) {
        Str found;
        CHECK_INTERRUPTS_PAST(i, pause);
        const char c = with.data[i], next = i + 1 < with.length ? with.data[i + 1] : 0;
        if (c != '\\' || i + 1 == with.length) {
            strbuf_append_char(out, c);
            continue;
        }
        i++;
        if (next == '&' || (next >= '1' && next <= '9')) {
            const size_t n = next == '&' ? 0 : (size_t)(next - '0');
            if (n <= group_count(regex) && group(regex, s, n, &found))
                TRY(pace_append(out, found));
        } else if (next == '\\') {
            strbuf_append_char(out, '\\');
        } else {
            strbuf_append_char(out, c);
            strbuf_append_char(out, next);
        }
    }
    return true;
}

/* From a character on, the n-th match (0: all). */
static bool replace_matches(FunctionCall *call, Regex *regex, Str s, Str with, size_t from,
                            int64_t nth, Value *ret)
{
    StrBuf out = strbuf_in(call->arena);
    size_t copied = 0, at = from;
    for (int64_t n = 1; at <= s.length; n++) {
        const MatchOutcome outcome = regex_match(regex, s, at);
        TRY(outcome);
        if (outcome == MATCH_NONE)
            break;
        if (nth == 0 || n == nth) {
            TRY(pace_append(&out, str_slice(s, copied, match_start(regex) - copied)));
            TRY(replacement_append(regex, s, with, &out));
            copied = match_end(regex);
        }
        if (out.length > VALUE_SIZE_MAX)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("requested length too large"));
        if (n == nth)
            break;
        at = after_match(regex, s);
    }
    TRY(pace_append(&out, str_slice(s, copied, s.length)));
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(textregexreplace_noopt)
{
    Regex *regex = regex_of(call, var_str(args[1].var), STR(""), 0, false);
    TRY(regex);
    return replace_matches(call, regex, var_str(args[0].var), var_str(args[2].var), 0, 1, ret);
}

FUNCTION(textregexreplace)
{
    const Str flags = var_str(args[3].var);
    if (flags.length && is_digit(flags.data[0]))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid regular expression option: \"%.*s\"", 1, flags.data),
             .hint = STR("If you meant to use regexp_replace() with a start parameter, cast the "
                         "fourth argument to integer explicitly."));
    Regex *regex = regex_of(call, var_str(args[1].var), flags, 0, true);
    TRY(regex);
    return replace_matches(call, regex, var_str(args[0].var), var_str(args[2].var), 0,
                           regex->is_global ? 0 : 1, ret);
}

static bool check_parameter(const char *name, int64_t value, int64_t least)
{
    if (value < least)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid value for parameter \"%s\": %lld", name, (long long)value));
    return true;
}

/* Behind the end nothing matches, not even an empty pattern. */
static bool starts_behind(Str s, int64_t start)
{
    return (size_t)start - 1 > utf8_count(s);
}

/* regexp_replace(string, pattern, replacement, start [, n [, flags]]) */
FUNCTION(textregexreplace_extended)
{
    const Str s = var_str(args[0].var);
    TRY(check_parameter("start", args[3].int32, 1));
    const int64_t nth = call->arg_count > 4 ? args[4].int32 : 1;
    TRY(check_parameter("n", nth, 0));
    Regex *regex = regex_of(call, var_str(args[1].var),
                            call->arg_count > 5 ? var_str(args[5].var) : STR(""), 0, true);
    TRY(regex);
    if (starts_behind(s, args[3].int32)) {
        *ret = value_text(s);
        return true;
    }
    return replace_matches(call, regex, s, var_str(args[2].var),
                           utf8_offset(s, (size_t)args[3].int32 - 1),
                           call->arg_count <= 4 ? 1 : nth, ret);
}
FUNCTION(textregexreplace_extended_no_n)
{
    return fn_textregexreplace_extended(call, args, nulls, ret, ret_null);
}
FUNCTION(textregexreplace_extended_no_flags)
{
    return fn_textregexreplace_extended(call, args, nulls, ret, ret_null);
}

/* The groups of a match, or the whole of it where there are none, as text[]. */
static bool groups_array(FunctionCall *call, const Regex *regex, Str s, Value *ret)
{
    ArrayBuilder b;
    const size_t groups = group_count(regex);
    array_builder_init(&b, call->arena, TYPE_TEXT);
    for (size_t i = groups ? 1 : 0; i <= groups; i++) {
        Str found = STR("");
        const bool has = group(regex, s, i, &found);
        const Value value = value_text(found);
        array_builder_add(&b, &value, !has);
    }
    return array_builder_finish(&b, ret);
}

FUNCTION(regexp_match)
{
    const Str s = var_str(args[0].var),
              flags = call->arg_count > 2 ? var_str(args[2].var) : STR("");
    if (flags.length && memchr(flags.data, 'g', flags.length))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("regexp_match() does not support the \"global\" option"),
             .hint = STR("Use the regexp_matches function instead."));
    Regex *regex = regex_of(call, var_str(args[1].var), flags, 0, false);
    TRY(regex);
    const MatchOutcome outcome = regex_match(regex, s, 0);
    TRY(outcome);
    *ret_null = outcome == MATCH_NONE;
    return *ret_null ? true : groups_array(call, regex, s, ret);
}

FUNCTION(regexp_match_no_flags)
{
    return fn_regexp_match(call, args, nulls, ret, ret_null);
}

typedef struct MatchCursor {
    Regex *regex;
    Str text;
    size_t at, done;
    bool is_over;
} MatchCursor;

/* Functions that look at all matches, or at one, take no 'g'. */
static bool refuse_global(const FunctionCall *call, Str flags)
{
    if (flags.length && memchr(flags.data, 'g', flags.length))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("%s() does not support the \"global\" option", call->function->name));
    return true;
}

static MatchCursor *match_begin(Arena *arena, Regex *regex, Str text, bool always_global)
{
    MatchCursor *c = ARENA_NEW(arena, MatchCursor);

    c->regex = regex;
    TRY(pace_str_copy(arena, text, &c->text));
    c->regex->is_global |= always_global;
    return c;
}

static Str flags_of(const FunctionCall *call, const Value *args)
{
    return call->arg_count > 2 ? var_str(args[2].var) : STR("");
}

/* For a function that gives row after row. */
static MatchCursor *match_begin_set(FunctionCall *call, const Value *args, bool always_global)
{
    const Str flags = flags_of(call, args);

    if (always_global)
        TRY(refuse_global(call, flags));
    Regex *regex = regex_compile(call->site_arena, var_str(args[1].var), flags, 0, !always_global);
    TRY(regex);
    return match_begin(call->site_arena, regex, var_str(args[0].var), always_global);
}

static bool matches_next(FunctionCall *call, const Value *args, void **cursor, Value *ret,
                         bool *ret_nulls, bool *ret_done)
{
    if (!*cursor)
        TRY(*cursor = match_begin_set(call, args, false));
    MatchCursor *c = *cursor;
    *ret_done = c->is_over || c->at > c->text.length;
    if (*ret_done)
        return true;
    const MatchOutcome outcome = regex_match(c->regex, c->text, c->at);
    TRY(outcome);
    *ret_done = outcome == MATCH_NONE;
    if (*ret_done)
        return true;
    c->at = after_match(c->regex, c->text);
    c->is_over = !c->regex->is_global;
    *ret_nulls = false;
    return groups_array(call, c->regex, c->text, ret);
}

SET_FUNCTION(regexp_matches)
{
    return matches_next(call, args, cursor, ret, ret_nulls, ret_done);
}
SET_FUNCTION(regexp_matches_no_flags)
{
    return matches_next(call, args, cursor, ret, ret_nulls, ret_done);
}

/* The next piece between matches. Empty matches at the ends and behind another are no borders. */
static bool piece_next(MatchCursor *c, Str *ret, bool *ret_done)
{
    *ret_done = c->is_over;
    while (!c->is_over && c->at <= c->text.length) {
        const MatchOutcome outcome = regex_match(c->regex, c->text, c->at);
        TRY(outcome);
        if (outcome == MATCH_NONE)
            break;
        const size_t start = match_start(c->regex), end = match_end(c->regex);
        c->at = after_match(c->regex, c->text);
        if (start == end && (start >= c->text.length || start == c->done))
            continue;
        *ret = str_slice(c->text, c->done, start - c->done);
        c->done = end;
        return true;
    }
    if (c->is_over)
        return true;
    c->is_over = true;
    *ret = str_slice(c->text, c->done, c->text.length);
    return true;
}

static bool split_next(FunctionCall *call, const Value *args, void **cursor, Value *ret,
                       bool *ret_nulls, bool *ret_done)
{
    Str piece = STR("");
    if (!*cursor)
        TRY(*cursor = match_begin_set(call, args, true));
    TRY(piece_next(*cursor, &piece, ret_done));
    *ret = value_text(piece);
    *ret_nulls = false;
    return true;
}

SET_FUNCTION(regexp_split_to_table)
{
    return split_next(call, args, cursor, ret, ret_nulls, ret_done);
}
SET_FUNCTION(regexp_split_to_table_no_flags)
{
    return split_next(call, args, cursor, ret, ret_nulls, ret_done);
}

FUNCTION(regexp_split_to_array)
{
    ArrayBuilder b;
    const Str flags = flags_of(call, args);
    TRY(refuse_global(call, flags));
    Regex *regex = regex_of(call, var_str(args[1].var), flags, 0, false);
    TRY(regex);
    MatchCursor *c = match_begin(call->arena, regex, var_str(args[0].var), true);
    TRY(c);
    array_builder_init(&b, call->arena, TYPE_TEXT);
    for (;;) {
        Str piece;
        bool done;
        TRY(piece_next(c, &piece, &done));
        if (done)
            break;
        const Value value = value_text(piece);
        array_builder_add(&b, &value, false);
    }
    return array_builder_finish(&b, ret);
}
FUNCTION(regexp_split_to_array_no_flags)
{
    return fn_regexp_split_to_array(call, args, nulls, ret, ret_null);
}

FUNCTION(regexp_count)
{
    const Str s = var_str(args[0].var);
    const int32_t start = call->arg_count > 2 ? args[2].int32 : 1;
    TRY(check_parameter("start", start, 1));
    if (call->arg_count > 3)
        TRY(refuse_global(call, var_str(args[3].var)));
    Regex *regex = regex_of(call, var_str(args[1].var),
                            call->arg_count > 3 ? var_str(args[3].var) : STR(""), 0, false);
    TRY(regex);
    ret->int32 = 0;
    if (starts_behind(s, start))
        return true;
    for (size_t at = utf8_offset(s, (size_t)start - 1); at <= s.length;) {
        const MatchOutcome outcome = regex_match(regex, s, at);
        TRY(outcome);
        if (outcome == MATCH_NONE)
            break;
        ret->int32++;
        at = after_match(regex, s);
    }
    return true;
}
FUNCTION(regexp_count_no_start)
{
    return fn_regexp_count(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_count_no_flags)
{
    return fn_regexp_count(call, args, nulls, ret, ret_null);
}

FUNCTION(regexp_like)
{
    if (call->arg_count > 2)
        TRY(refuse_global(call, var_str(args[2].var)));
    Regex *regex = regex_of(call, var_str(args[1].var),
                            call->arg_count > 2 ? var_str(args[2].var) : STR(""), 0, false);
    TRY(regex);
    const MatchOutcome outcome = regex_match(regex, var_str(args[0].var), 0);
    TRY(outcome);
    ret->boolean = outcome == MATCH_FOUND;
    return true;
}
FUNCTION(regexp_like_no_flags)
{
    return fn_regexp_like(call, args, nulls, ret, ret_null);
}

/* regexp_instr and regexp_substr: the n-th match at or after a character, and one of its groups. */
typedef struct Located {
    Regex *regex;
    size_t start, end; /* bytes, of the group asked for */
    bool found;
} Located;

static bool locate(FunctionCall *call, const Value *args, int flags_index, int group_index,
                   Located *ret)
{
    const Str s = var_str(args[0].var);
    const int64_t start = call->arg_count > 2 ? args[2].int32 : 1;
    const int64_t nth = call->arg_count > 3 ? args[3].int32 : 1;
    int64_t wanted = call->arg_count > group_index ? args[group_index].int32 : 0;
    const Str flags = call->arg_count > flags_index ? var_str(args[flags_index].var) : STR("");
    Str text;
    *ret = (Located){0};
    TRY(check_parameter("start", start, 1));
    TRY(check_parameter("n", nth, 1));
    if (group_index == 6 && call->arg_count > 4 && (args[4].int32 < 0 || args[4].int32 > 1))
        return check_parameter("endoption", args[4].int32, (int64_t)args[4].int32 + 1);
    TRY(check_parameter("subexpr", wanted, 0));
    if (flags.length && memchr(flags.data, 'g', flags.length))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("%s() does not support the \"global\" option",
                            group_index == 6 ? "regexp_instr" : "regexp_substr"));
    Regex *regex = ret->regex = regex_of(call, var_str(args[1].var), flags, 0, false);
    TRY(regex);
    size_t at = utf8_offset(s, (size_t)start - 1);
    /* A pattern without groups is its own first. */
    if (wanted == 1 && group_count(regex) == 0)
        wanted = 0;
    if (starts_behind(s, start) || (size_t)wanted > group_count(regex))
        return true;
    for (int64_t n = 1; at <= s.length; n++) {
        const MatchOutcome outcome = regex_match(regex, s, at);
        TRY(outcome);
        if (outcome == MATCH_NONE)
            return true;
        if (n == nth) {
            ret->found = group(regex, s, (size_t)wanted, &text);
            if (ret->found) {
                ret->start = (size_t)(text.data - s.data);
                ret->end = ret->start + text.length;
            }
            return true;
        }
        at = after_match(regex, s);
    }
    return true;
}

FUNCTION(regexp_instr)
{
    const Str s = var_str(args[0].var);
    Located found;
    TRY(locate(call, args, 5, 6, &found));
    const bool at_end = call->arg_count > 4 && args[4].int32 == 1;
    ret->int32 = 0;
    if (found.found)
        ret->int32 = (int32_t)utf8_count(str_slice(s, 0, at_end ? found.end : found.start)) + 1;
    return true;
}
FUNCTION(regexp_instr_no_start)
{
    return fn_regexp_instr(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_instr_no_n)
{
    return fn_regexp_instr(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_instr_no_endoption)
{
    return fn_regexp_instr(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_instr_no_flags)
{
    return fn_regexp_instr(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_instr_no_subexpr)
{
    return fn_regexp_instr(call, args, nulls, ret, ret_null);
}

FUNCTION(regexp_substr)
{
    const Str s = var_str(args[0].var);
    Located found;
    TRY(locate(call, args, 4, 5, &found));
    *ret_null = !found.found;
    if (found.found)
        *ret = value_text(str_slice(s, found.start, found.end - found.start));
    return true;
}
FUNCTION(regexp_substr_no_start)
{
    return fn_regexp_substr(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_substr_no_n)
{
    return fn_regexp_substr(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_substr_no_flags)
{
    return fn_regexp_substr(call, args, nulls, ret, ret_null);
}
FUNCTION(regexp_substr_no_subexpr)
{
    return fn_regexp_substr(call, args, nulls, ret, ret_null);
}

/* SIMILAR TO: a pattern of SQL becomes a regular expression that must match the whole. */
static bool similar_translate(FunctionCall *call, Str pattern, const Str *escape, Value *ret)
{
    StrBuf out = strbuf_in(call->arena);
    bool after_escape = false;
    int separators = 0;
    int depth = 0;   /* of brackets: "[" and "[:" in it */
    int members = 0; /* 0 and 1 (behind "^"): "]" is a member */
    if (escape && utf8_count(*escape) > 1)
        FAIL(ERR_INVALID_ESCAPE_SEQUENCE, .message = STR("invalid escape string"),
             .hint = STR("Escape string must be empty or one character."));
    const Str mark = escape ? *escape : STR("\\");
    strbuf_append_c(&out, "^(?:");
    for (size_t at = 0; at < pattern.length;) {
        const size_t width = (size_t)utf8_width(pattern.data[at]);
        const Str character = str_slice(pattern, at, width);
        const char c = character.data[0];
        at += width;
        if (after_escape) {
            if (c == '"' && depth == 0) {
                if (separators == 0)
                    strbuf_append_c(&out, "){1,1}?(");
                else if (separators == 1)
                    strbuf_append_c(&out, "){1,1}(?:");
                else
                    FAIL(ERR_INVALID_USE_OF_ESCAPE_CHARACTER,
                         .message = STR("SQL regular expression may not contain more than two "
                                        "escape-double-quote separators"));
                separators++;
            } else {
                strbuf_append_char(&out, '\\');
                strbuf_append(&out, character);
            }
            after_escape = false;
        } else if (mark.length && str_equal(character, mark)) {
            after_escape = true;
        } else if (depth > 0) {
            if (c == '\\')
                strbuf_append_char(&out, '\\');
            strbuf_append(&out, character);
            if (c == ']' && members > 1)
                depth--;
            else if (c == '[')
                depth++;
            members = c == '^' ? members + 1 : 2;
        } else if (c == '[') {
            strbuf_append_char(&out, c);
            depth = 1;
            members = 0;
        } else if (c == '%') {
            strbuf_append_c(&out, ".*");
        } else if (c == '_') {
            strbuf_append_char(&out, '.');
        } else if (c == '(') {
            strbuf_append_c(&out, "(?:");
        } else if (c == '\\' || c == '.' || c == '^' || c == '$') {
            strbuf_append_char(&out, '\\');
            strbuf_append_char(&out, c);
        } else {
            strbuf_append(&out, character);
        }
    }
    strbuf_append_c(&out, ")$");
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(similar_to_escape_1)
{
    return similar_translate(call, var_str(args[0].var), NULL, ret);
}

FUNCTION(similar_to_escape_2)
{
    const Str escape = var_str(args[1].var);
    return similar_translate(call, var_str(args[0].var), &escape, ret);
}

/* substring(text similar pattern escape) */
FUNCTION(sql_2074)
{
    Value pattern;
    const Str escape = var_str(args[2].var);
    TRY(similar_translate(call, var_str(args[1].var), &escape, &pattern));
    const Value both[] = {args[0], pattern};
    return fn_textregexsubstr(call, both, nulls, ret, ret_null);
}

/* What SIMILAR TO meant before it was strict: a null escape is the default one. */
FUNCTION(similar_escape)
{
    *ret_null = nulls[0];
    if (nulls[0])
        return true;
    const Str escape = nulls[1] ? STR_NONE : var_str(args[1].var);
    return similar_translate(call, var_str(args[0].var), nulls[1] ? NULL : &escape, ret);
}
