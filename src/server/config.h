/*
 * Configuration: the data directory's sengi.conf and sengi.auto.conf, and the command line.
 *
 * Lines are `name = value` as in postgresql.conf: values plain or in single quotes, # comments.
 * sengi.auto.conf is ALTER SYSTEM's and is read second. Values land in settings_default, from
 * which sessions start.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "base/arena.h"
#include "base/settings.h"
#include "base/str.h"
#include "base/vec.h"

#define CONFIG_FILE "sengi.conf"
#define CONFIG_AUTO_FILE "sengi.auto.conf"
#define HBA_FILE "hba.conf"

typedef struct ConfigItem {
    Str name, value;
    Str file; /* STR_NONE: the command line */
    int line;
} ConfigItem;
typedef VEC(ConfigItem) ConfigItems;

typedef struct ServerOptions {
    Str directory;
    ConfigItems command_line; /* -c, --port and their kin, as settings */
} ServerOptions;

/* Items of a file's text, in order. */
MUST_CHECK bool config_parse(Arena *arena, Str text, Str file, ConfigItems *ret_items);
/*
 * Reads both files and lays the command line over them. At start (`is_reload` false) any error
 * fails. A reload fails only where a file cannot be read or understood, and then changes nothing;
 * what cannot be set, or not while running, stays as it is, and the log tells that and each change.
 */
MUST_CHECK bool config_load(const ServerOptions *options, Str directory, Arena *arena,
                            bool is_reload);
/* What both files say, in order: for pg_file_settings. */
MUST_CHECK bool config_file_items(Str directory, Arena *arena, ConfigItems *ret_items);
/* Can the item be used? False: the error tells why not (and is the caller's to clear). */
MUST_CHECK bool config_item_check(const ConfigItem *item, Arena *arena);
/* ALTER SYSTEM SET and RESET: value STR_NONE removes; name STR_NONE removes all. */
MUST_CHECK bool config_alter_system(Str directory, Str name, Str value);

/* Copies out of settings_default, which a reload may be changing: one value, or all. */
void config_take(SettingValues *values, SettingId id);
void config_take_all(SettingValues *ret_values);

/* Custom parameters ("app.region") of the files and the command line; the last of a name counts.
 * The texts live for ever. */
void config_each_custom(void (*function)(void *context, Str name, Str value), void *context);

/* Where a setting's value comes from: for pg_settings. */
SettingSource config_source(SettingId id);
Str config_source_file(SettingId id, int *ret_line);
/* The file says otherwise since the start, which needs a restart. */
bool config_is_pending(SettingId id);
/* The files a new directory gets. */
Str config_template(void);
Str config_hba_template(void);

#endif
