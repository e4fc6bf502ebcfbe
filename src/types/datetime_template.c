/* Cuts templates of dates and times into nodes. */
#include "types/datetime_template.h"

#include "types/call_site.h"

/* Longest first among those that begin alike. */
static const struct {
    const char *word;
    Key key;
} keys[] = {
    {"A.D.", KEY_BC_DOTS}, {"A.M.", KEY_AM_DOTS}, {"AD", KEY_BC},     {"AM", KEY_AM},
    {"B.C.", KEY_BC_DOTS}, {"BC", KEY_BC},        {"CC", KEY_CC},     {"DAY", KEY_DAY},
    {"DDD", KEY_DDD},      {"DD", KEY_DD},        {"DY", KEY_DY},     {"D", KEY_D},
    {"FF1", KEY_FF},       {"FF2", KEY_FF},       {"FF3", KEY_FF},    {"FF4", KEY_FF},
    {"FF5", KEY_FF},       {"FF6", KEY_FF},       {"FX", KEY_FX},     {"HH24", KEY_HH24},
    {"HH12", KEY_HH12},    {"HH", KEY_HH12},      {"IDDD", KEY_IDDD}, {"ID", KEY_ID},
    {"IW", KEY_IW},        {"IYYY", KEY_IYYYY},   {"IYY", KEY_IYYY},  {"IY", KEY_IYY},
    {"I", KEY_IY},         {"J", KEY_J},          {"MI", KEY_MI},     {"MM", KEY_MM},
    {"MONTH", KEY_MONTH},  {"MON", KEY_MON},      {"MS", KEY_MS},     {"OF", KEY_OF},
    {"P.M.", KEY_AM_DOTS}, {"PM", KEY_AM},        {"Q", KEY_Q},       {"RM", KEY_RM},
    {"SSSSS", KEY_SSSS},   {"SSSS", KEY_SSSS},    {"SS", KEY_SS},     {"TZH", KEY_TZH},
    {"TZM", KEY_TZM},      {"TZ", KEY_TZ},        {"US", KEY_US},     {"WW", KEY_WW},
    {"W", KEY_W},          {"Y,YYY", KEY_Y_YYY},  {"YYYY", KEY_YYYY}, {"YYY", KEY_YYY},
    {"YY", KEY_YY},        {"Y", KEY_Y},
};

const char *const roman_months[12] = {"I",   "II",   "III", "IV", "V",  "VI",
                                      "VII", "VIII", "IX",  "X",  "XI", "XII"};

bool template_is_separator(char c)
{
    return c > 0x20 && c < 0x7f && !is_alpha(c) && !is_digit(c);
}

/* Whether the text begins with the pattern in a case that patterns may have. */
static bool pattern_matches(Str rest, Str word, Key key)
{
    bool all_upper = true, all_lower = true, capitalized = true;
    if (rest.length < word.length)
        return false;
    for (size_t i = 0; i < word.length; i++) {
        const char c = rest.data[i];
        all_upper &= c == word.data[i];
        all_lower &= c == ascii_lower(word.data[i]);
        capitalized &= c == (i == 0 ? word.data[i] : ascii_lower(word.data[i]));
    }
    const bool is_name = key == KEY_DAY || key == KEY_DY || key == KEY_MONTH || key == KEY_MON;
    return all_upper || all_lower || (is_name && capitalized);
}

static void pattern_find(Str rest, Node *node)
{
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        const Str word = str_from_c(keys[i].word);
        if (pattern_matches(rest, word, keys[i].key)) {
            node->key = keys[i].key;
            node->text = str_slice(rest, 0, word.length);
            node->digits = node->key == KEY_FF ? rest.data[2] - '0' : 0;
            return;
        }
    }
}

/* Text in double quotes: a node a character; a backslash takes the next as it is. */
static void quoted_cut(Arena *arena, Str f, size_t *at, Template *t)
{
    for ((*at)++; *at < f.length;) {
        if (f.data[*at] == '"') {
            (*at)++;
            break;
        }
        if (f.data[*at] == '\\' && *at + 1 < f.length)
            (*at)++;
        const size_t width = MIN((size_t)utf8_width(f.data[*at]), f.length - *at);
        VEC_PUSH(arena, t, ((Node){.text = str_slice(f, *at, width)}));
        *at += width;
    }
}

static void literal_cut(Arena *arena, Str f, size_t *at, Template *t)
{
    /* Outside quotes a backslash is special only before one. */
    if (f.data[*at] == '\\' && *at + 1 < f.length && f.data[*at + 1] == '"')
        (*at)++;
    const char c = f.data[*at];
    const size_t width = MIN((size_t)utf8_width(c), f.length - *at);
    const LiteralKind kind = template_is_separator(c) ? LITERAL_SEPARATOR
                             : is_space(c)            ? LITERAL_SPACE
                                                      : LITERAL_CHARACTER;
    VEC_PUSH(arena, t, ((Node){.text = str_slice(f, *at, width), .literal = kind}));
    *at += width;
}

static void template_cut(Arena *arena, Str f, Template *t)
{
    for (size_t at = 0; at < f.length;) {
        Node node = {0};
        const Str prefix = str_slice(f, at, 2);
        if (str_equal(prefix, STR("FM")) || str_equal(prefix, STR("fm"))) {
            node.fill = true;
            at += 2;
        } else if (str_equal(prefix, STR("TM")) || str_equal(prefix, STR("tm"))) {
            node.is_local = true;
            at += 2;
        }
        if (at >= f.length)
            break;
        pattern_find(str_slice(f, at, f.length), &node);
        if (node.key) {
            at += node.text.length;
            const Str suffix = str_slice(f, at, 2);
            if (str_equal(suffix, STR("TH")) || str_equal(suffix, STR("th"))) {
                node.ordinal = true;
                node.ordinal_upper = suffix.data[0] == 'T';
                at += 2;
            } else if (str_equal(suffix, STR("SP"))) {
                at += 2; /* taken and without effect */
            }
            VEC_PUSH(arena, t, node);
        } else if (f.data[at] == '"') {
            quoted_cut(arena, f, &at, t);
        } else {
            literal_cut(arena, f, &at, t);
        }
    }
}

const Template *template_of(FunctionCall *call, Str format)
{
    Template *t = call_site_find(call, format);

    if (t)
        return t;
    Arena *arena = call_site_arena(call);
    t = ARENA_NEW(arena, Template);
    template_cut(arena, str_copy(arena, format), t);
    call_site_keep(call, format, t);
    return t;
}
