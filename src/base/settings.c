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

/* Names that PostgreSQL has kept for older clients. */
static Str modern_name(Str name)
{
    if (str_equal_nocase(name, STR("sort_mem")))
        return STR("work_mem");
    return str_equal_nocase(name, STR("vacuum_mem")) ? STR("maintenance_work_mem") : name;
}

int setting_find(Str name)
{
    name = modern_name(name);
    for (int id = 0; id < SETTING_COUNT; id++)
        if (str_equal_nocase(setting_infos[id].name, name))
            return id;
    return -1;
}

uint32_t setting_flags(Str name)
{
    const int id = setting_find(name);

    return id < 0 ? 0 : setting_infos[id].flags;
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
    CLEANUP(arena_freep) Arena *arena = arena_new("name");

    /* The name as SQL folds it: PostgreSQL repeats what was said. */
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("invalid value for parameter \"%.*s\": \"%.*s\"",
                        STR_ARGS(str_lower(arena, info->name)), STR_ARGS(text)),
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

/* A fraction in a unit is worth a whole number of the next smaller one: 0.1GB are 102MB. */
static double round_to_smaller(double total, size_t unit, double base)
{
    if (unit == 0 || units[unit - 1].is_time != units[unit].is_time ||
        units[unit - 1].factor < base)
        return total;
    return rint(total / units[unit - 1].factor) * units[unit - 1].factor;
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
        value = round_to_smaller(value * units[i].factor, i, factor) / factor;
    }
    *ret_value = info->type == SETTING_INT ? rint(value) : value;
    if (info->type == SETTING_INT && (*ret_value > INT32_MAX || *ret_value < INT32_MIN))
        return fail_value(info, text, STR("Value exceeds integer range."));
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

/* Words that are understood beside the options that are listed; synchronous_commit and its kin take
 * booleans as well. */
static Str other_word(Str text)
{
    static const struct {
        const char *word, *option;
    } words[] = {{"true", "on"}, {"yes", "on"}, {"1", "on"},        {"false", "off"},
                 {"no", "off"},  {"0", "off"},  {"debug", "debug2"}};

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_equal_nocase(text, str_from_c(words[i].word)))
            return str_from_c(words[i].option);
    return STR_NONE;
}

static bool parse_enum(const SettingInfo *info, Str text, int *ret_value)
{
    for (int i = 0; !str_is_none(info->options[i]); i++) {
        if (str_equal_nocase(info->options[i], text)) {
            *ret_value = i;
            return true;
        }
    }
    const Str other = other_word(text);
    if (!str_is_none(other) && !str_equal(other, text))
        for (int i = 0; !str_is_none(info->options[i]); i++)
            if (str_equal(info->options[i], other)) {
                *ret_value = i;
                return true;
            }
    return fail_enum(info, text);
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
    return id == SETTING_LOG_FILE_MODE || id == SETTING_UNIX_SOCKET_PERMISSIONS ||
           id == SETTING_DATA_DIRECTORY_MODE;
}

/* A real number likewise: in the largest unit in which it is whole, or else in the smallest. */
static Str show_real_with_unit(const SettingInfo *info, double value, Arena *arena)
{
    bool is_time;
    const double total = value * base_factor(info->unit, &is_time);

    for (size_t i = ARRAY_LENGTH(units); i-- > 0;) {
        const double here = total / units[i].factor;
        const bool is_smallest = i == 0 || units[i - 1].is_time != is_time;
        if (units[i].is_time == is_time && (is_smallest || fabs(rint(here) / here - 1) <= 1e-8))
            return str_format(arena, "%g%s", here, units[i].name);
    }
    return str_format(arena, "%g", value);
}

/* What the kernel says is shown as it says it. */
static bool is_of_kernel(SettingId id)
{
    return id == SETTING_TCP_KEEPALIVES_IDLE || id == SETTING_TCP_KEEPALIVES_INTERVAL ||
           id == SETTING_TCP_KEEPALIVES_COUNT || id == SETTING_TCP_USER_TIMEOUT;
}

static Str value_text(SettingId id, const SettingValue *value, Arena *arena, bool with_unit)
{
    const SettingInfo *info = &setting_infos[id];

    switch (info->type) {
    case SETTING_BOOL:
        return value->boolean ? STR("on") : STR("off");
    case SETTING_INT:
        if (is_mode(id))
            return str_format(arena, "%04llo", (unsigned long long)value->integer);
        return with_unit && !is_of_kernel(id)
                   ? show_with_unit(info, value->integer, arena)
                   : str_format(arena, "%lld", (long long)value->integer);
    case SETTING_REAL:
        return with_unit && info->unit.length && value->real > 0
                   ? show_real_with_unit(info, value->real, arena)
                   : str_format(arena, "%g", value->real);
    case SETTING_ENUM:
        return info->options[value->option];
    case SETTING_STRING:
        return value->text;
    }
    assert(!"a known type");
    return STR_NONE;
}

/* Built-in defaults are trusted: they are not checked against hooks or ranges. */
static SettingValue default_value(SettingId id)
{
    const SettingInfo *info = &setting_infos[id];
    SettingValue value = {0};

    switch (info->type) {
    case SETTING_BOOL:
        parse_bool(info->default_text, &value.boolean);
        break;
    case SETTING_INT:
        value.integer = (int64_t)strtod(info->default_text.data, NULL);
        break;
    case SETTING_REAL:
        value.real = strtod(info->default_text.data, NULL);
        break;
    case SETTING_ENUM:
        for (int i = 0; !str_is_none(info->options[i]); i++)
            if (str_equal(info->options[i], info->default_text))
                value.option = i;
        break;
    case SETTING_STRING:
        value.text = info->default_text;
        break;
    }
    return value;
}

static bool parse(const SettingInfo *info, Arena *arena, Str text, SettingValue *ret_value)
{
    double number;

    switch (info->type) {
    case SETTING_BOOL:
        if (!parse_bool(text, &ret_value->boolean))
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("parameter \"%.*s\" requires a Boolean value", STR_ARGS(info->name)));
        return true;
    case SETTING_INT:
        TRY(parse_number(info, text, &number));
        TRY(check_range(info, number));
        ret_value->integer = (int64_t)number;
        return true;
    case SETTING_REAL:
        TRY(parse_number(info, text, &number));
        TRY(check_range(info, number));
        ret_value->real = number;
        return true;
    case SETTING_ENUM:
        return parse_enum(info, text, &ret_value->option);
    case SETTING_STRING:
        ret_value->text = str_copy(arena, text);
        return true;
    }
    assert(!"a known type");
    return false;
}

static bool is_allowed(const SettingInfo *info, Str value)
{
    for (const Str *allowed = info->allowed; !str_is_none(*allowed); allowed++)
        if (str_equal_nocase(*allowed, value))
            return true;
    return false;
}

static bool fail_refused(const SettingInfo *info, Str value)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("refusal");
    StrBuf list = strbuf_in(arena);

    for (const Str *allowed = info->allowed; !str_is_none(*allowed); allowed++)
        strbuf_format(&list, "%s\"%.*s\"", allowed == info->allowed ? "" : ", ",
                      STR_ARGS(*allowed));
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = fmt("value \"%.*s\" of parameter \"%.*s\" is not supported", STR_ARGS(value),
                        STR_ARGS(info->name)),
         .detail = info->reason,
         .hint = fmt("Supported values: %.*s.", STR_ARGS(strbuf_view(&list))));
}

bool settings_set(SettingValues *values, Arena *arena, SettingId id, Str text)
{
    const SettingInfo *info = &setting_infos[id];
    SettingValue value = {0};

    if (checks[id])
        TRY(checks[id](id, text, arena, &text));
    TRY(parse(info, arena, text, &value));
    if (info->allowed) {
        CLEANUP(arena_freep) Arena *scratch = arena_new("setting");
        const Str shown = value_text(id, &value, scratch, false);
        if (!is_allowed(info, shown))
            return fail_refused(info, shown);
    }
    setting_put(values, id, value);
    return true;
}

SettingValue setting_get(const SettingValues *values, SettingId id)
{
    SettingValue value = {0};

    if (setting_infos[id].size == 0)
        return default_value(id);
    memcpy(&value, field_of(values, id), setting_infos[id].size);
    return value;
}

void setting_put(SettingValues *values, SettingId id, SettingValue value)
{
    memcpy(field_of(values, id), &value, setting_infos[id].size);
}

bool setting_equal(SettingId id, SettingValue a, SettingValue b)
{
    return setting_infos[id].type == SETTING_STRING ? str_equal(a.text, b.text)
                                                    : memcmp(&a, &b, setting_infos[id].size) == 0;
}

void setting_copy(SettingValues *to, const SettingValues *from, SettingId id)
{
    memcpy(field_of(to, id), field_of(from, id), setting_infos[id].size);
}

bool setting_differs(const SettingValues *a, const SettingValues *b, SettingId id)
{
    return setting_infos[id].size > 0 && !setting_equal(id, setting_get(a, id), setting_get(b, id));
}

static Str show(const SettingValues *values, SettingId id, Arena *arena, bool with_unit)
{
    const SettingValue value = setting_get(values, id);

    return value_text(id, &value, arena, with_unit);
}

Str setting_show(const SettingValues *values, SettingId id, Arena *arena)
{
    return show(values, id, arena, true);
}

Str setting_show_raw(const SettingValues *values, SettingId id, Arena *arena)
{
    return show(values, id, arena, false);
}

/* Before main, so that a task without a session always has sound values to read. */
__attribute__((constructor)) void settings_init(void)
{
    for (int id = 0; id < SETTING_COUNT; id++) {
        const SettingValue value = default_value((SettingId)id);
        memcpy(field_of(&settings_default, (SettingId)id), &value, setting_infos[id].size);
    }
#ifndef NDEBUG
    settings_default.debug_assertions = true;
#endif
}
