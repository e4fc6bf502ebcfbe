/* Validity of the settings that this room reads: DateStyle and TimeZone. */
#include <stdio.h>

#include "types/datetime_internal.h"

#define INVALID(name, text)                                                                        \
    FAIL(ERR_INVALID_PARAMETER_VALUE,                                                              \
         .message = fmt("invalid value for parameter \"" name "\": \"%.*s\"", STR_ARGS(text)))

typedef struct DateStyleWords {
    DateStyle style;
    DateOrder order;
    bool has_style, has_order, is_conflicting;
} DateStyleWords;

static bool style_word(DateStyleWords *w, Str word)
{
    static const struct {
        const char *word;
        int style, order;
    } words[] = {{"ISO", STYLE_ISO, -1},       {"SQL", STYLE_SQL, -1},
                 {"GERMAN", STYLE_GERMAN, -1}, {"POSTGRES", STYLE_POSTGRES, -1},
                 {"YMD", -1, ORDER_YMD},       {"DMY", -1, ORDER_DMY},
                 {"EURO", -1, ORDER_DMY},      {"EUROPEAN", -1, ORDER_DMY},
                 {"MDY", -1, ORDER_MDY},       {"US", -1, ORDER_MDY},
                 {"NONEURO", -1, ORDER_MDY},   {"NONEUROPEAN", -1, ORDER_MDY}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (!str_equal_nocase(word, str_from_c(words[i].word)))
            continue;
        if (words[i].style >= 0) {
            w->is_conflicting |= w->has_style && (int)w->style != words[i].style;
            w->style = (DateStyle)words[i].style;
            w->has_style = true;
        } else {
            w->is_conflicting |= w->has_order && (int)w->order != words[i].order;
            w->order = (DateOrder)words[i].order;
            w->has_order = true;
        }
        return true;
    }
    return false;
}

static bool date_style_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    static const char *const styles[] = {"ISO", "SQL", "Postgres", "German"};
    static const char *const orders[] = {"MDY", "DMY", "YMD"};
    DateStyleWords w = {0};

    for (size_t at = 0; at <= text.length;) {
        size_t comma = str_find_char(text, ',', at);
        comma = MIN(comma, text.length);
        const Str word = str_trim(str_slice(text, at, comma - at));
        if (str_equal_nocase(word, STR("DEFAULT"))) {
            w = (DateStyleWords){
                .style = STYLE_ISO, .order = ORDER_MDY, .has_style = true, .has_order = true};
        } else if (word.length && !style_word(&w, word)) {
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("invalid value for parameter \"DateStyle\": \"%.*s\"", STR_ARGS(text)),
                 .detail = fmt("Unrecognized key word: \"%.*s\".", STR_ARGS(word)));
        }
        at = comma + 1;
    }
    if (w.is_conflicting)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid value for parameter \"DateStyle\": \"%.*s\"", STR_ARGS(text)),
             .detail = STR("Conflicting \"datestyle\" specifications."));
    DateStyle style;
    DateOrder order;
    date_style(&style, &order);
    if (!w.has_order)
        w.order = w.has_style && w.style == STYLE_GERMAN ? ORDER_DMY : order;
    if (!w.has_style)
        w.style = style;
    *ret_canonical = str_format(arena, "%s, %s", styles[w.style], orders[w.order]);
    return true;
}

static bool time_zone_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    if (str_equal_nocase(text, STR("LOCAL")) || str_equal_nocase(text, STR("DEFAULT")))
        text = STR("UTC");
    const TimeZone *zone = timezone_numeric(text);
    if (!zone)
        zone = timezone_find(text);
    if (!zone)
        INVALID("TimeZone", text);
    /* Intervals may have seconds, names may not. */
    const bool is_interval = text.length > 0 && text.data[0] == '<';
    if (!is_interval && timezone_offset_at(zone, 0, NULL, NULL) % 60 != 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("time zone \"%.*s\" appears to use leap seconds", STR_ARGS(text)),
             .detail = STR("PostgreSQL does not support leap seconds."));
    *ret_canonical = str_copy(arena, timezone_name(zone));
    return true;
}

void types_init(void)
{
    setting_register_check(SETTING_DATE_STYLE, date_style_check);
    setting_register_check(SETTING_TIME_ZONE, time_zone_check);
}
