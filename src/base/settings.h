/*
 * Settings: one line each in data/settings.dat, typed fields here, text everywhere else.
 *
 * No setting is accepted and ignored. Its line says what use it is: code reads it; or any value
 * will do, with the reason; or only some values will, and the others are refused with 0A000 and
 * the reason. Those with one possible value have no field. docs/settings.md shows it all.
 *
 * The generator makes SettingValues (one field per setting, `work_mem`, `date_style` …) and the
 * table behind pg_settings. A session has its own SettingValues; `settings()` is the running
 * task's. Reading one is a load; setting one goes through settings_set, which validates.
 *
 * Layers, lowest first: built-in default, configuration file, ALTER SYSTEM's file, command line,
 * database, role, startup packet, SET, SET LOCAL. RESET goes back to the session's start value.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include "base/base.h"
#include "base/setting_values.h" /* generated: SettingId, struct SettingValues */
#include "base/str.h"
#include "base/task.h"

typedef enum SettingType {
    SETTING_BOOL = 0,
    SETTING_INT,
    SETTING_REAL,
    SETTING_STRING,
    SETTING_ENUM,
} SettingType;

/* Who may change it and when; PostgreSQL's contexts. */
typedef enum SettingContext {
    CONTEXT_INTERNAL = 0,      /* never */
    CONTEXT_POSTMASTER,        /* at server start */
    CONTEXT_SIGHUP,            /* by reloading the configuration */
    CONTEXT_SUPERUSER_BACKEND, /* at session start by a superuser */
    CONTEXT_BACKEND,           /* at session start */
    CONTEXT_SUPERUSER,         /* any time by a superuser */
    CONTEXT_USER,              /* any time by anyone */
} SettingContext;

/* Where a value comes from, lowest priority first; PostgreSQL's names in pg_settings.source. */
typedef enum SettingSource {
    SOURCE_DEFAULT = 0,
    SOURCE_FILE,
    SOURCE_COMMAND_LINE,
    SOURCE_GLOBAL,   /* of all roles in all databases */
    SOURCE_DATABASE, /* the order of these three is LoginFacts' */
    SOURCE_ROLE,
    SOURCE_DATABASE_ROLE,
    SOURCE_CLIENT,
    SOURCE_SESSION,
} SettingSource;

enum {
    SETTING_IS_REPORTED = 1,      /* sent to the client as ParameterStatus when it changes */
    SETTING_IS_HIDDEN = 2,        /* neither in SHOW ALL nor in pg_settings */
    SETTING_IS_NOT_RESET = 4,     /* RESET ALL leaves it alone */
    SETTING_IS_NOT_IN_SAMPLE = 8, /* this, EXPLAIN and COMPUTED: for pg_settings_get_flags */
    SETTING_IS_EXPLAIN = 16,
    SETTING_IS_COMPUTED = 32,
    SETTING_IS_PRIVATE = 64, /* shown to superusers and pg_read_all_settings alone */
    SETTING_IS_NOT_IN_FILE = 128,
    SETTING_IS_NOT_IN_AUTO = 256, /* nor by ALTER SYSTEM */
    SETTING_IS_LIST = 512,        /* of members that SET takes one by one */
    SETTING_IS_NAME_LIST = 1024,  /* likewise, each in quotes where a name must be */
};

typedef struct SettingInfo {
    Str name;
    SettingType type;
    SettingContext context;
    Str unit; /* "kB", "8kB", "ms", "s", "min", "B" or empty */
    Str default_text;
    double minimum, maximum;
    const Str *options; /* SETTING_ENUM: names ended by STR_NONE; value = index */
    uint32_t flags;
    Str category, description, details;
    const Str *allowed;  /* the values that are not refused, as pg_settings has them; NULL: all */
    Str reason;          /* for that; or why nothing reads it */
    size_t offset, size; /* of its field in SettingValues; size 0: it has none */
} SettingInfo;

extern const SettingInfo setting_infos[SETTING_COUNT];

static inline const SettingValues *settings(void)
{
    return task_current()->settings;
}
extern SettingValues settings_default; /* the server's; sessions start from a copy */

/* The value of one setting of any type; of those without a field the built-in one. */
typedef union SettingValue {
    bool boolean;
    int64_t integer;
    double real;
    int option;
    Str text; /* borrowed */
} SettingValue;
SettingValue setting_get(const SettingValues *values, SettingId id);
/* Unchecked: a value that setting_get has given. Without a field there is nothing to do. */
void setting_put(SettingValues *values, SettingId id, SettingValue value);
bool setting_equal(SettingId id, SettingValue a, SettingValue b);
/* Copies one setting from one set of values to another, or tells whether they differ. */
void setting_copy(SettingValues *to, const SettingValues *from, SettingId id);
bool setting_differs(const SettingValues *a, const SettingValues *b, SettingId id);

/* By name without regard to case; -1 (no error set) when there is none. */
int setting_find(Str name);
/*
 * Parses and stores text ("64MB", "on", "ISO, DMY") into `values`; text fields are copied into
 * `arena`, which outlives the values. Fails with PostgreSQL's 22023 messages.
 */
MUST_CHECK bool settings_set(SettingValues *values, Arena *arena, SettingId id, Str text);
/* SETTING_IS_ flags; none of those for names that are no settings. */
uint32_t setting_flags(Str name);
/* As SHOW prints it (with units). */
Str setting_show(const SettingValues *values, SettingId id, Arena *arena);
/* As pg_settings.setting has it (plain number in `unit`). */
Str setting_show_raw(const SettingValues *values, SettingId id, Arena *arena);
/* Hook called by settings_set for settings that need more than their type to be valid. */
typedef bool SettingCheck(SettingId id, Str text, Arena *arena, Str *ret_canonical);
void setting_register_check(SettingId id, SettingCheck *check);
void settings_init(void); /* fills settings_default from the built-in defaults */

#endif
