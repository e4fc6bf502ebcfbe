#include "parser/fingerprint.h"

#include <string.h>

#include "base/hash.h"

#define WORD_MAX 63 /* longer names are cut, with a notice that only the parser gives */

typedef enum ByteClass {
    BYTE_OTHER = 0, /* operators and punctuation: copied */
    BYTE_SPACE,
    BYTE_WORD, /* begins or continues a name or keyword */
    BYTE_DIGIT,
    BYTE_REFUSED,
} ByteClass;

static const uint8_t byte_class[256] = {
    [0 ... 8] = BYTE_REFUSED,  [9 ... 13] = BYTE_SPACE,    [14 ... 31] = BYTE_REFUSED,
    [' '] = BYTE_SPACE,        ['0' ... '9'] = BYTE_DIGIT, ['A' ... 'Z'] = BYTE_WORD,
    ['a' ... 'z'] = BYTE_WORD, ['_'] = BYTE_WORD,          [128 ... 255] = BYTE_WORD,
    ['\\'] = BYTE_REFUSED,
};

/* What a byte of a name, a keyword or a number becomes; 0: it is none. */
static const char word_byte[256] = {
    ['$'] = '$',      ['0'] = '0',      ['1'] = '1',      ['2'] = '2',      ['3'] = '3',
    ['4'] = '4',      ['5'] = '5',      ['6'] = '6',      ['7'] = '7',      ['8'] = '8',
    ['9'] = '9',      ['_'] = '_',
#define LETTER(upper, lower) [upper] = (lower), [lower] = (lower)
    LETTER('A', 'a'), LETTER('B', 'b'), LETTER('C', 'c'), LETTER('D', 'd'), LETTER('E', 'e'),
    LETTER('F', 'f'), LETTER('G', 'g'), LETTER('H', 'h'), LETTER('I', 'i'), LETTER('J', 'j'),
    LETTER('K', 'k'), LETTER('L', 'l'), LETTER('M', 'm'), LETTER('N', 'n'), LETTER('O', 'o'),
    LETTER('P', 'p'), LETTER('Q', 'q'), LETTER('R', 'r'), LETTER('S', 's'), LETTER('T', 't'),
    LETTER('U', 'u'), LETTER('V', 'v'), LETTER('W', 'w'), LETTER('X', 'x'), LETTER('Y', 'y'),
    LETTER('Z', 'z'),
#undef LETTER
};

typedef struct Scanner {
    Arena *arena;
    const char *at, *end, *text;
    char *out; /* the normal form's end; there is room for the whole text */
    Fingerprint *print;
    uint32_t literal_capacity;
    bool after_operand; /* a minus sign here would be binary */
    bool after_string;
} Scanner;

static ByteClass class_of(const Scanner *scanner, const char *at)
{
    return at < scanner->end ? byte_class[(unsigned char)*at] : BYTE_OTHER;
}

static char peek(const Scanner *scanner, size_t ahead)
{
    return (size_t)(scanner->end - scanner->at) > ahead ? scanner->at[ahead] : '\0';
}

static Literal *literal_add(Scanner *scanner, LiteralKind kind, const char *start)
{
    Fingerprint *print = scanner->print;

    if (print->literal_count == scanner->literal_capacity) {
        uint32_t capacity = scanner->literal_capacity ? scanner->literal_capacity * 2 : 8;
        if (capacity > FINGERPRINT_LITERALS_MAX)
            return NULL;
        print->literals = print->literals ? arena_grow(scanner->arena, print->literals,
                                                       scanner->literal_capacity * sizeof(Literal),
                                                       capacity * sizeof(Literal))
                                          : arena_alloc(scanner->arena, capacity * sizeof(Literal));
        scanner->literal_capacity = capacity;
    }
    Literal *literal = &print->literals[print->literal_count++];
    *literal = (Literal){.kind = kind, .start = (uint32_t)(start - scanner->text)};
    *scanner->out++ = (char)kind;
    scanner->after_operand = true;
    return literal;
}

/* -- Words, blanks, comments ------------------------------------------------------------------- */

static bool scan_word(Scanner *scanner)
{
    const char *start = scanner->at, *at = start, *end = scanner->end;
    char *out = scanner->out;

    while (at < end) {
        const unsigned char c = (unsigned char)*at;
        const char as = c < 128 ? word_byte[c] : (char)c;
        if (!as)
            break;
        *out++ = as;
        at++;
    }
    scanner->at = at;
    scanner->out = out;
    scanner->after_operand = true;
    char next = peek(scanner, 0);
    /* E'…', B'…', N'…', U&'…' and U&"…" are other tokens than they look. */
    return scanner->at - start <= WORD_MAX && next != '\'' &&
           !(next == '&' && (peek(scanner, 1) == '\'' || peek(scanner, 1) == '"'));
}

/* False where the comment does not end. */
static bool skip_block_comment(Scanner *scanner)
{
    int depth = 0;

    do {
        if (peek(scanner, 0) == '/' && peek(scanner, 1) == '*') {
            depth++;
            scanner->at += 2;
        } else if (peek(scanner, 0) == '*' && peek(scanner, 1) == '/') {
            depth--;
            scanner->at += 2;
        } else if (scanner->at < scanner->end) {
            scanner->at++;
        } else {
            return false;
        }
    } while (depth > 0);
    return true;
}

static bool at_comment(const Scanner *scanner)
{
    const char c = peek(scanner, 0);

    return (c == '-' && peek(scanner, 1) == '-') || (c == '/' && peek(scanner, 1) == '*');
}

/* Blanks and comments become one blank; none at the ends. */
static bool scan_blank(Scanner *scanner)
{
    const ByteClass next = class_of(scanner, scanner->at + 1);

    /* Mostly it is one blank between two words. */
    if (*scanner->at == ' ' && (next == BYTE_WORD || next == BYTE_DIGIT)) {
        scanner->at++;
        if (scanner->out != scanner->print->normal.data)
            *scanner->out++ = ' ';
        return true;
    }
    for (;;) {
        while (class_of(scanner, scanner->at) == BYTE_SPACE)
            scanner->at++;
        if (!at_comment(scanner))
            break;
        if (*scanner->at == '/') {
            if (!skip_block_comment(scanner))
                return false;
        } else {
            while (scanner->at < scanner->end && *scanner->at != '\n' && *scanner->at != '\r')
                scanner->at++;
        }
    }
    if (scanner->out != scanner->print->normal.data && scanner->at < scanner->end)
        *scanner->out++ = ' ';
    return true;
}

/* -- Literals ---------------------------------------------------------------------------------- */

#define DIGITS_OF_INT32 9 /* that many are never too many */

static bool take_integer(Literal *literal, const char *digits, size_t length, bool negative)
{
    int64_t value = 0;

    if (length <= DIGITS_OF_INT32) {
        int32_t small = 0;
        for (size_t i = 0; i < length; i++)
            small = small * 10 + (digits[i] - '0');
        literal->integer = negative ? -small : small;
        literal->kind = LITERAL_INTEGER;
        return true;
    }
    for (size_t i = 0; i < length; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digits[i] - '0', &value))
            return false;
    if (!negative && value == INT64_MIN)
        return false;
    literal->integer = negative ? value : -value;
    literal->kind = literal->integer >= INT32_MIN && literal->integer <= INT32_MAX ? LITERAL_INTEGER
                                                                                   : LITERAL_BIGINT;
    return true;
}

static bool skip_digits(Scanner *scanner)
{
    const char *start = scanner->at, *at = start, *end = scanner->end;

    while (at < end && byte_class[(unsigned char)*at] == BYTE_DIGIT)
        at++;
    scanner->at = at;
    return at > start;
}

/* `scanner->at` is at a digit, or at the sign before one. */
static bool scan_number(Scanner *scanner)
{
    const char *start = scanner->at;
    bool negative = *start == '-', is_integer = true;

    scanner->at += negative;
    const char *digits = scanner->at;
    (void)skip_digits(scanner);
    size_t length = (size_t)(scanner->at - digits);
    if (peek(scanner, 0) == '.') {
        is_integer = false;
        scanner->at++;
        (void)skip_digits(scanner);
    }
    if (peek(scanner, 0) == 'e' || peek(scanner, 0) == 'E') {
        is_integer = false;
        scanner->at++;
        if (peek(scanner, 0) == '+' || peek(scanner, 0) == '-')
            scanner->at++;
        if (!skip_digits(scanner))
            return false;
    }
    char next = peek(scanner, 0);
    if (class_of(scanner, scanner->at) == BYTE_WORD || next == '.' || next == '$' ||
        class_of(scanner, scanner->at) == BYTE_DIGIT)
        return false;
    /* What binds closer than a sign takes the number without it. */
    const char *ahead = scanner->at;
    while (class_of(scanner, ahead) == BYTE_SPACE)
        ahead++;
    if (negative && ahead < scanner->end && (*ahead == ':' || *ahead == '[' || *ahead == '^'))
        return false;
    Literal *literal = literal_add(scanner, LITERAL_NUMERIC, start);
    if (!literal)
        return false;
    literal->text = str_make(start, (size_t)(scanner->at - start));
    if (is_integer && take_integer(literal, digits, length, negative))
        scanner->out[-1] = (char)literal->kind;
    return true;
}

/* 'now', 'today' and their kin are read anew whenever the text is. */
static bool may_name_time(Str text)
{
    static const char *const words[] = {"now", "tod", "tom", "yes"};

    if (text.length > 64)
        return false;
    for (size_t i = 0; i + 3 <= text.length; i++)
        for (size_t w = 0; w < ARRAY_LENGTH(words); w++)
            if ((text.data[i] | 32) == words[w][0] && (text.data[i + 1] | 32) == words[w][1] &&
                (text.data[i + 2] | 32) == words[w][2])
                return true;
    return false;
}

static bool scan_string(Scanner *scanner)
{
    const char *start = scanner->at++;
    bool has_quotes = false;

    for (;; scanner->at++) {
        char c = peek(scanner, 0);
        if (scanner->at >= scanner->end || c == '\\')
            return false;
        if (c != '\'')
            continue;
        if (peek(scanner, 1) != '\'')
            break;
        has_quotes = true;
        scanner->at++;
    }
    Str inside = str_make(start + 1, (size_t)(scanner->at - start - 1));
    scanner->at++;
    /* Two strings in a row may be one, which is the lexer's to know. */
    if (scanner->after_string)
        return false;
    Literal *literal = literal_add(scanner, LITERAL_STRING, start);
    if (!literal)
        return false;
    if (has_quotes) {
        char *copy = arena_alloc(scanner->arena, inside.length), *to = copy;
        for (size_t i = 0; i < inside.length; i++) {
            *to++ = inside.data[i];
            i += inside.data[i] == '\'';
        }
        inside = str_make(copy, (size_t)(to - copy));
    }
    literal->text = inside;
    literal->names_time = may_name_time(inside);
    scanner->after_string = true;
    return true;
}

static bool scan_quoted_name(Scanner *scanner)
{
    const char *start = scanner->at++;

    while (scanner->at < scanner->end && *scanner->at != '"') {
        if (byte_class[(unsigned char)*scanner->at] == BYTE_REFUSED)
            return false;
        scanner->at++;
    }
    if (scanner->at == scanner->end || scanner->at - start > WORD_MAX)
        return false;
    scanner->at++;
    memcpy(scanner->out, start, (size_t)(scanner->at - start));
    scanner->out += scanner->at - start;
    scanner->after_operand = true;
    return true;
}

/* Is the sign the end of an operator such as `@-`? Only those with one of these characters may be.
 */
static bool ends_long_operator(const Scanner *scanner)
{
    for (const char *c = scanner->at; c > scanner->text && strchr("+-*/<>=~!@#%^&|`?", c[-1]); c--)
        if (strchr("~!@#%^&|`?", c[-1]))
            return true;
    return false;
}

/* -- The rest ---------------------------------------------------------------------------------- */

static bool scan_other(Scanner *scanner)
{
    char c = *scanner->at, next = peek(scanner, 1);
    bool next_is_digit = next >= '0' && next <= '9';

    switch (c) {
    case '\'':
        return scan_string(scanner);
    case '"':
        return scan_quoted_name(scanner);
    case '$':
        if (!next_is_digit)
            return false;
        scanner->print->has_params = true;
        *scanner->out++ = c;
        scanner->at++;
        while (class_of(scanner, scanner->at) == BYTE_DIGIT)
            *scanner->out++ = *scanner->at++;
        scanner->after_operand = true;
        return class_of(scanner, scanner->at) != BYTE_WORD;
    case ';':
        /* Only at the end. */
        scanner->at++;
        while (class_of(scanner, scanner->at) == BYTE_SPACE)
            scanner->at++;
        return scanner->at == scanner->end;
    case '-':
        if (!next_is_digit || scanner->after_operand)
            break;
        return !ends_long_operator(scanner) && scan_number(scanner);
    case '.':
        if (next_is_digit)
            return false;
        break;
    default:
        break;
    }
    *scanner->out++ = c;
    scanner->at++;
    scanner->after_operand = c == ')' || c == ']';
    return true;
}

/* There is a byte. */
static bool scan_token(Scanner *scanner)
{
    switch (byte_class[(unsigned char)*scanner->at]) {
    case BYTE_SPACE:
        return scan_blank(scanner); /* which ends neither a string nor an operand */
    case BYTE_WORD:
        scanner->after_string = false;
        return scan_word(scanner);
    case BYTE_DIGIT:
        scanner->after_string = false;
        return scan_number(scanner);
    case BYTE_REFUSED:
        return false;
    default:
        if (at_comment(scanner))
            return scan_blank(scanner);
        scanner->after_string = scanner->after_string && *scanner->at == '\'';
        return scan_other(scanner);
    }
}

static bool begins_with(Str normal, const char *word)
{
    size_t length = strlen(word);

    return normal.length > length && memcmp(normal.data, word, length) == 0 &&
           byte_class[(unsigned char)normal.data[length]] != BYTE_WORD;
}

void fingerprint_make(Arena *arena, Str text, Fingerprint *ret_print)
{
    *ret_print = (Fingerprint){0};
    if (text.length < 6 || text.length > FINGERPRINT_TEXT_MAX)
        return;
    /* Not longer than the text, but for the blank that a comment leaves. */
    char *out = arena_alloc(arena, text.length + 1);
    Scanner scanner = {
        .arena = arena,
        .text = text.data,
        .at = text.data,
        .end = text.data + text.length,
        .out = out,
        .print = ret_print,
    };
    ret_print->normal.data = out;
    while (scanner.at < scanner.end)
        if (!scan_token(&scanner))
            return;
    if (scanner.out > out && scanner.out[-1] == ' ')
        scanner.out--;
    ret_print->normal = str_make(out, (size_t)(scanner.out - out));
    if (!begins_with(ret_print->normal, "select") && !begins_with(ret_print->normal, "insert") &&
        !begins_with(ret_print->normal, "update") && !begins_with(ret_print->normal, "delete"))
        return;
    ret_print->hash = str_hash(ret_print->normal);
    ret_print->is_cacheable = true;
}
