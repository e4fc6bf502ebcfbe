#include "base/settings.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"

SettingValues settings_default;
static SettingCheck *checks[SETTING_COUNT];

/* A unit a value may be written in, and how many of it make one of the next smaller kind. */
typedef struct Unit {
    const char *name;
    double factor; /* in bytes, or in microseconds */
    bool is_time;
} Unit;

static const Unit units[] = {
    {"B", 1, false},
    {"kB", 1024, false},
    {"MB", 1048576, false},
    {"GB", 1073741824, false},
    {"TB", 1099511627776, false},
    {"us", 1, true},
    {"ms", 1e3, true},
    {"s", 1e6, true},
    {"min", 60e6, true},
    {"h", 3600e6, true},
    {"d", 86400e6, true},
};

/* The factor of a setting's own unit ("8kB" counts in blocks); 0 when it has none. */
static double base_factor(Str unit, bool *ret_is_time)
{
    if (str_equal(unit, STR("8kB"))) {
        *ret_is_time = false;
        return 8192;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (str_equal(unit, str_from_c(units[i].name))) {
            *ret_is_time = units[i].is_time;
            return units[i].factor;
        }
    }
    return 0;
}

static void *field_of(const SettingValues *values, SettingId id)
{
    return (char *)values + setting_infos[id].offset;
}

int setting_find(Str name)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        if (str_equal_nocase(setting_infos[id].name, name))
            return id;
    return -1;
}

void setting_register_check(SettingId id, SettingCheck *check)
{
    checks[id] = check;
}

static bool parse_bool(Str text, bool *ret_value)
{
    static const struct {
        const char *word;
        size_t shortest;
        bool value;
    } words[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
                 {"on", 2, true},   {"off", 2, false},   {"1", 1, true},   {"0", 1, false}};

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        Str word = str_from_c(words[i].word);
        if (text.length >= words[i].shortest && text.length <= word.length &&
            str_equal_nocase(text, str_slice(word, 0, text.length))) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return false;
}

static bool fail_value(const SettingInfo *info, Str text, Str hint)
{
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("invalid value for parameter \"%.*s\": \"%.*s\"", STR_ARGS(info->name),
                        STR_ARGS(text)),
         .hint = hint);
}

static bool fail_unit(const SettingInfo *info, Str text, bool is_time)
{
    return fail_value(
        info, text,
        is_time ? STR("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", "
                      "and \"d\".")
                : STR("Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and "
                      "\"TB\"."));
}

/* A number with an optional unit, in the setting's own unit. */
static bool parse_number(const SettingInfo *info, Str text, double *ret_value)
{
    char buffer[64], *end;
    Str trimmed = str_trim(text);
    bool is_time = false;
    double factor = base_factor(info->unit, &is_time);

    if (trimmed.length == 0 || trimmed.length >= sizeof(buffer))
        return fail_value(info, text, STR_NONE);
    memcpy(buffer, trimmed.data, trimmed.length);
    buffer[trimmed.length] = '\0';
    double value = strtod(buffer, &end);
    if (info->type == SETTING_INT && buffer[0] == '0' && (buffer[1] == 'x' || buffer[1] == 'X'))
        value = (double)strtoll(buffer, &end, 16);
    else if (info->type == SETTING_INT && buffer[0] == '0' && trimmed.length > 1 &&
             strspn(buffer, "01234567") == trimmed.length)
        value = (double)strtoll(buffer, &end, 8);
    if (end == buffer || isnan(value))
        return fail_value(info, text, STR_NONE);
    Str unit = str_trim(str_from_c(end));
    if (unit.length > 0) {
        size_t i = 0;
        if (factor == 0)
            return fail_value(info, text, STR_NONE);
        while (i < ARRAY_LENGTH(units) &&
               !(units[i].is_time == is_time && str_equal(unit, str_from_c(units[i].name))))
            i++;
        if (i == ARRAY_LENGTH(units))
            return fail_unit(info, text, is_time);
        value = value * units[i].factor / factor;
    }
    *ret_value = info->type == SETTING_INT ? rint(value) : value;
    return true;
}

/* Numbers in range messages look as PostgreSQL prints them: integers plain, reals by %g. */
static bool check_range(const SettingInfo *info, double value)
{
    if (value >= info->minimum && value <= info->maximum)
        return true;
    const char *unit_space = info->unit.length ? " " : "";
    if (info->type == SETTING_REAL)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("%g%s%.*s is outside the valid range for parameter \"%.*s\" (%g .. %g)",
                            value, unit_space, STR_ARGS(info->unit), STR_ARGS(info->name),
                            info->minimum, info->maximum));
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("%.0f%s%.*s is outside the valid range for parameter \"%.*s\" "
                        "(%.0f .. %.0f)",
                        value, unit_space, STR_ARGS(info->unit), STR_ARGS(info->name),
                        info->minimum, info->maximum));
}

static bool fail_enum(const SettingInfo *info, Str text)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("options");
    StrBuf names = strbuf_in(arena);

    for (const Str *option = info->options; !str_is_none(*option); option++)
        strbuf_format(&names, "%s%.*s", option == info->options ? "" : ", ", STR_ARGS(*option));
    return fail_value(info, text, fmt("Available values: %.*s.", STR_ARGS(strbuf_view(&names))));
}

static bool parse_enum(const SettingInfo *info, Str text, int *ret_value)
{
    for (int i = 0; !str_is_none(info->options[i]); i++) {
        if (str_equal_nocase(info->options[i], text)) {
            *ret_value = i;
            return true;
        }
    }
    /* synchronous_commit and its kin take booleans as well. */
    bool truth;
    if (parse_bool(text, &truth)) {
        for (int i = 0; !str_is_none(info->options[i]); i++) {
            if (str_equal(info->options[i], truth ? STR("on") : STR("off"))) {
                *ret_value = i;
                return true;
            }
        }
    }
    return fail_enum(info, text);
}

bool settings_set(SettingValues *values, Arena *arena, SettingId id, Str text)
{
    const SettingInfo *info = &setting_infos[id];
    void *field = field_of(values, id);
    double number;
    bool truth;

    if (checks[id])
        TRY(checks[id](id, text, arena, &text));
    switch (info->type) {
    case SETTING_BOOL:
        if (!parse_bool(text, &truth))
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("parameter \"%.*s\" requires a Boolean value", STR_ARGS(info->name)));
        *(bool *)field = truth;
        return true;
    case SETTING_INT:
        TRY(parse_number(info, text, &number));
        TRY(check_range(info, number));
        *(int64_t *)field = (int64_t)number;
        return true;
    case SETTING_REAL:
        TRY(parse_number(info, text, &number));
        TRY(check_range(info, number));
        *(double *)field = number;
        return true;
    case SETTING_ENUM:
        return parse_enum(info, text, field);
    case SETTING_STRING:
        *(Str *)field = str_copy(arena, text);
        return true;
    }
    assert(!"a known type");
    return false;
}

/* An integer in the largest unit that divides it, as SHOW prints it. */
static Str show_with_unit(const SettingInfo *info, int64_t value, Arena *arena)
{
    bool is_time;
    double factor = base_factor(info->unit, &is_time);

    if (factor == 0 || value <= 0)
        return str_format(arena, "%lld", (long long)value);
    double total = (double)value * factor;
    for (size_t i = ARRAY_LENGTH(units); i-- > 0;) {
        if (units[i].is_time == is_time && fmod(total, units[i].factor) == 0)
            return str_format(arena, "%lld%s", (long long)(total / units[i].factor), units[i].name);
    }
    return str_format(arena, "%lld", (long long)value);
}

/* Modes are shown in octal, as they are written. */
static bool is_mode(SettingId id)
{
    return id == SETTING_LOG_FILE_MODE || id == SETTING_UNIX_SOCKET_PERMISSIONS;
}

static Str show(const SettingValues *values, SettingId id, Arena *arena, bool with_unit)
{
    const SettingInfo *info = &setting_infos[id];
    const void *field = field_of(values, id);

    switch (info->type) {
    case SETTING_BOOL:
        return *(const bool *)field ? STR("on") : STR("off");
    case SETTING_INT:
        if (is_mode(id))
            return str_format(arena, "%04llo", (unsigned long long)*(const int64_t *)field);
        return with_unit ? show_with_unit(info, *(const int64_t *)field, arena)
                         : str_format(arena, "%lld", (long long)*(const int64_t *)field);
    case SETTING_REAL: {
        Str number = str_format(arena, "%g", *(const double *)field);
        return with_unit && info->unit.length && *(const double *)field > 0
                   ? str_concat(arena, number, info->unit)
                   : number;
    }
    case SETTING_ENUM:
        return info->options[*(const int *)field];
    case SETTING_STRING:
        return *(const Str *)field;
    }
    assert(!"a known type");
    return STR_NONE;
}

Str setting_show(const SettingValues *values, SettingId id, Arena *arena)
{
    return show(values, id, arena, true);
}

Str setting_show_raw(const SettingValues *values, SettingId id, Arena *arena)
{
    return show(values, id, arena, false);
}

/* Built-in defaults are trusted: they are not checked against hooks or ranges. */
static void set_default(SettingId id)
{
    const SettingInfo *info = &setting_infos[id];
    void *field = field_of(&settings_default, id);
    bool truth = false;

    switch (info->type) {
    case SETTING_BOOL:
        parse_bool(info->default_text, &truth);
        *(bool *)field = truth;
        break;
    case SETTING_INT:
        *(int64_t *)field = (int64_t)strtod(info->default_text.data, NULL);
        break;
    case SETTING_REAL:
        *(double *)field = strtod(info->default_text.data, NULL);
        break;
    case SETTING_ENUM:
        for (int i = 0; !str_is_none(info->options[i]); i++)
            if (str_equal(info->options[i], info->default_text))
                *(int *)field = i;
        break;
    case SETTING_STRING:
        *(Str *)field = info->default_text;
        break;
    }
}

/* Before main, so that a task without a session always has sound values to read. */
__attribute__((constructor)) void settings_init(void)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        set_default((SettingId)id);
}
