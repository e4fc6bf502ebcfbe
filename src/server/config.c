#include "server/config.h"

#include "base/error.h"
#include "base/os.h"
#include "base/sync.h"
#include "server/log.h"
#include "server/setting_checks.h"

#define CONFIG_SIZE_MAX (1 << 20)

/* Where each setting's default came from, for pg_settings. Written at start and by reloads. */
typedef struct Origin {
    SettingSource source;
    int line;
    bool is_auto, is_pending;
} Origin;
static Origin origins[SETTING_COUNT];

/* Around changes of settings_default while sessions run, and their copies of it. */
static Mutex values_mutex = MUTEX_INIT(RANK_LEAF);
static ConfigItems customs GUARDED_BY(values_mutex);
static Arena *values_arena; /* texts in settings_default: never given back, sessions borrow them */

/* -- Parsing --------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '$' || (unsigned char)c >= 0x80;
}

static bool fail_line(Str file, int line, Str near)
{
    if (near.length == 0)
        FAIL(ERR_CONFIG_FILE_ERROR,
             .message = fmt("syntax error in file \"%.*s\" line %d, near end of line",
                            STR_ARGS(file), line));
    FAIL(ERR_CONFIG_FILE_ERROR,
         .message = fmt("syntax error in file \"%.*s\" line %d, near token \"%.*s\"",
                        STR_ARGS(file), line, STR_ARGS(near)));
}

static size_t skip_blanks(Str line, size_t i)
{
    while (i < line.length && is_blank(line.data[i]))
        i++;
    return i;
}

/* 'it''s', 'a\nb' or a plain word. */
static bool parse_value(Arena *arena, Str line, size_t *position, Str *ret_value)
{
    StrBuf value = strbuf_in(arena);
    size_t i = *position;

    if (i < line.length && line.data[i] == '\'') {
        for (i++; i < line.length; i++) {
            char c = line.data[i];
            if (c == '\'' && i + 1 < line.length && line.data[i + 1] == '\'')
                i++;
            else if (c == '\'')
                break;
            else if (c == '\\' && i + 1 < line.length)
                c = line.data[++i] == 'n' ? '\n' : line.data[i] == 't' ? '\t' : line.data[i];
            strbuf_append_char(&value, c);
        }
        if (i >= line.length)
            return false;
        i++;
    } else {
        while (i < line.length && !is_blank(line.data[i]) && line.data[i] != '#')
            strbuf_append_char(&value, line.data[i++]);
        if (value.length == 0)
            return false;
    }
    *position = i;
    *ret_value = strbuf_view(&value);
    return true;
}

static bool parse_line(Arena *arena, Str line, Str file, int number, ConfigItems *items)
{
    size_t i = skip_blanks(line, 0), start = i;
    Str value;

    if (i == line.length || line.data[i] == '#')
        return true;
    while (i < line.length && is_name_char(line.data[i]))
        i++;
    Str name = str_slice(line, start, i - start);
    if (name.length == 0)
        return fail_line(file, number, str_slice(line, start, 1));
    i = skip_blanks(line, i);
    if (i < line.length && line.data[i] == '=')
        i = skip_blanks(line, i + 1);
    size_t value_at = i;
    if (!parse_value(arena, line, &i, &value))
        return fail_line(file, number, str_slice(line, value_at, line.length));
    i = skip_blanks(line, i);
    if (i < line.length && line.data[i] != '#')
        return fail_line(file, number, str_slice(line, i, line.length));
    ConfigItem item = {.name = str_copy(arena, name), .value = value, .file = file, .line = number};
    VEC_PUSH(arena, items, item);
    return true;
}

bool config_parse(Arena *arena, Str text, Str file, ConfigItems *ret_items)
{
    int number = 0;

    for (size_t from = 0; from < text.length;) {
        size_t end = MIN(str_find_char(text, '\n', from), text.length);
        TRY(parse_line(arena, str_slice(text, from, end - from), file, ++number, ret_items));
        from = end + 1;
    }
    return true;
}

/* -- Loading --------------------------------------------------------------------------------- */

static bool load_file(Arena *arena, Str directory, const char *name, ConfigItems *items)
{
    Str path = path_join(arena, directory, str_from_c(name)), text;

    if (!os->exists(path))
        return true;
    TRY(os_read_file(arena, path, CONFIG_SIZE_MAX, &text));
    return config_parse(arena, text, path, items);
}

bool config_file_items(Str directory, Arena *arena, ConfigItems *ret_items)
{
    return load_file(arena, directory, CONFIG_FILE, ret_items) &&
           load_file(arena, directory, CONFIG_AUTO_FILE, ret_items);
}

static bool set_item(SettingValues *values, const ConfigItem *item, Arena *arena, int *ret_id)
{
    const int id = *ret_id = setting_find(item->name);

    if (id < 0)
        return setting_custom_name_check(item->name);
    if (setting_infos[id].context == CONTEXT_INTERNAL ||
        (setting_infos[id].flags & SETTING_IS_NOT_IN_FILE))
        FAIL(ERR_CANT_CHANGE_RUNTIME_PARAM,
             .message = fmt("parameter \"%.*s\" cannot be changed", STR_ARGS(item->name)));
    return settings_set(values, arena, (SettingId)id, item->value);
}

bool config_item_check(const ConfigItem *item, Arena *arena)
{
    SettingValues trial = settings_default;
    int id;

    return set_item(&trial, item, arena, &id);
}

/* What a reading of the files comes to, before it counts. */
typedef struct Loading {
    SettingValues values;
    Origin origins[SETTING_COUNT];
    Str texts[SETTING_COUNT]; /* as the last item has it */
    ConfigItems customs;
    bool has_errors;
} Loading;

static bool apply_item(Loading *loading, const ConfigItem *item, int *ret_id)
{
    TRY(set_item(&loading->values, item, values_arena, ret_id));
    if (*ret_id < 0) {
        const ConfigItem custom = {.name = str_copy(values_arena, item->name),
                                   .value = str_copy(values_arena, item->value)};
        VEC_PUSH(values_arena, &loading->customs, custom);
        return true;
    }
    loading->texts[*ret_id] = item->value;
    loading->origins[*ret_id] =
        (Origin){.source = str_is_none(item->file) ? SOURCE_COMMAND_LINE : SOURCE_FILE,
                 .line = item->line,
                 .is_auto = str_ends_with(item->file, STR(CONFIG_AUTO_FILE))};
    return true;
}

/* What cannot be applied while running: told, and the setting stays as it is. */
static void keep_running(Loading *loading, int id, const ConfigItem *item)
{
    const ErrorFields *error = error_fields();

    loading->has_errors = true;
    if (id < 0 && !str_is_none(item->file))
        log_message(SEVERITY_LOG, "%.*s in file \"%.*s\" line %d", STR_ARGS(error->message),
                    STR_ARGS(item->file), item->line);
    else
        log_message(SEVERITY_LOG, "%.*s", STR_ARGS(error->message));
    error_clear();
    if (id < 0)
        return;
    setting_copy(&loading->values, &settings_default, (SettingId)id);
    loading->origins[id] = origins[id];
}

/* What was set at start and cannot change stays, with a word in the log. */
static void keep_fixed(Loading *loading)
{
    SettingValues *values = &loading->values;

    /* Where files are was found at the start when no file said so. */
    if (values->data_directory.length == 0)
        values->data_directory = settings_default.data_directory;
    if (values->config_file.length == 0)
        values->config_file = settings_default.config_file;
    if (values->hba_file.length == 0)
        values->hba_file = settings_default.hba_file;
    for (int id = 0; id < SETTING_COUNT; id++) {
        const SettingInfo *info = &setting_infos[id];
        if (info->context > CONTEXT_POSTMASTER ||
            !setting_differs(values, &settings_default, (SettingId)id))
            continue;
        log_message(SEVERITY_LOG,
                    "parameter \"%.*s\" cannot be changed without restarting the server",
                    STR_ARGS(info->name));
        setting_copy(values, &settings_default, (SettingId)id);
        loading->origins[id] = origins[id];
        loading->origins[id].is_pending = true;
        loading->has_errors = true;
    }
}

static void tell_change(const Loading *loading, int id)
{
    const SettingInfo *info = &setting_infos[id];

    if (loading->origins[id].source == SOURCE_DEFAULT)
        log_message(SEVERITY_LOG,
                    "parameter \"%.*s\" removed from configuration file, reset to default",
                    STR_ARGS(info->name));
    else
        log_message(SEVERITY_LOG, "parameter \"%.*s\" changed to \"%.*s\"", STR_ARGS(info->name),
                    STR_ARGS(loading->texts[id]));
}

/* Field by field: what stays the same is not written while others read it. */
static void put_in_force(const Loading *loading, bool is_reload)
{
    for (int id = 0; id < SETTING_COUNT; id++) {
        if (!setting_differs(&loading->values, &settings_default, (SettingId)id))
            continue;
        if (is_reload)
            tell_change(loading, id);
        mutex_lock(&values_mutex);
        setting_copy(&settings_default, &loading->values, (SettingId)id);
        mutex_unlock(&values_mutex);
    }
    memcpy(origins, loading->origins, sizeof(origins));
    mutex_lock(&values_mutex);
    customs = loading->customs;
    mutex_unlock(&values_mutex);
}

static bool apply_items(Loading *loading, const ConfigItems *items, bool is_reload)
{
    for (size_t i = 0; i < items->length; i++) {
        const ConfigItem *item = &items->items[i];
        int id = -1;
        if (apply_item(loading, item, &id))
            continue;
        if (is_reload) {
            keep_running(loading, id, item);
            continue;
        }
        if (!str_is_none(item->file))
            error_add_context(
                fmt("configuration file \"%.*s\" line %d", STR_ARGS(item->file), item->line));
        return false;
    }
    return true;
}

bool config_load(const ServerOptions *options, Str directory, Arena *arena, bool is_reload)
{
    static SettingValues built_in;
    static bool has_built_in;
    ConfigItems items = {0};

    if (!values_arena)
        values_arena = arena_new("configuration");
    if (!has_built_in) {
        built_in = settings_default;
        has_built_in = true;
    }
    TRY(config_file_items(directory, arena, &items));
    for (size_t i = 0; i < options->command_line.length; i++)
        VEC_PUSH(arena, &items, options->command_line.items[i]);

    Loading *loading = ARENA_NEW(arena, Loading);
    loading->values = built_in;
    TRY(apply_items(loading, &items, is_reload));
    if (is_reload)
        keep_fixed(loading);
    put_in_force(loading, is_reload);
    if (loading->has_errors)
        log_message(SEVERITY_LOG,
                    "configuration file \"%.*s\" contains errors; unaffected changes were applied",
                    STR_ARGS(path_join(arena, directory, STR(CONFIG_FILE))));
    return true;
}

void config_take(SettingValues *values, SettingId id)
{
    mutex_lock(&values_mutex);
    setting_copy(values, &settings_default, id);
    mutex_unlock(&values_mutex);
}

void config_take_all(SettingValues *ret_values)
{
    mutex_lock(&values_mutex);
    *ret_values = settings_default;
    mutex_unlock(&values_mutex);
}

void config_each_custom(void (*function)(void *context, Str name, Str value), void *context)
{
    mutex_lock(&values_mutex);
    const ConfigItems items = customs;
    mutex_unlock(&values_mutex);
    for (size_t i = 0; i < items.length; i++)
        function(context, items.items[i].name, items.items[i].value);
}

SettingSource config_source(SettingId id)
{
    return origins[id].source;
}

bool config_is_pending(SettingId id)
{
    return origins[id].is_pending;
}

Str config_source_file(SettingId id, int *ret_line)
{
    *ret_line = origins[id].line;
    if (origins[id].source != SOURCE_FILE)
        return STR_NONE;
    return origins[id].is_auto ? STR(CONFIG_AUTO_FILE) : STR(CONFIG_FILE);
}

/* -- ALTER SYSTEM ---------------------------------------------------------------------------- */

static void put_quoted(StrBuf *out, Str value)
{
    strbuf_append_char(out, '\'');
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        if (c == '\'' || c == '\\')
            strbuf_append_char(out, c);
        if (c == '\n')
            strbuf_append_c(out, "\\n");
        else
            strbuf_append_char(out, c);
    }
    strbuf_append_char(out, '\'');
}

bool config_alter_system(Str directory, Str name, Str value)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("alter system");
    ConfigItems items = {0};
    StrBuf out = strbuf_in(arena);

    TRY(load_file(arena, directory, CONFIG_AUTO_FILE, &items));
    strbuf_append_c(&out, "# Made by ALTER SYSTEM, which overwrites it.\n");
    for (size_t i = 0; i < items.length && !str_is_none(name); i++) {
        if (str_equal_nocase(items.items[i].name, name))
            continue;
        strbuf_format(&out, "%.*s = ", STR_ARGS(items.items[i].name));
        put_quoted(&out, items.items[i].value);
        strbuf_append_char(&out, '\n');
    }
    if (!str_is_none(name) && !str_is_none(value)) {
        strbuf_format(&out, "%.*s = ", STR_ARGS(name));
        put_quoted(&out, value);
        strbuf_append_char(&out, '\n');
    }
    return os_replace_file(path_join(arena, directory, STR(CONFIG_AUTO_FILE)), strbuf_view(&out));
}

/* -- Files of a new directory ---------------------------------------------------------------- */

Str config_template(void)
{
    return STR(
        "# Sengi's configuration: name = value, one a line, as in postgresql.conf.\n"
        "# What is commented out shows the default. Reload with SIGHUP or pg_reload_conf().\n"
        "\n"
        "#listen_addresses = 'localhost'\n"
        "#port = 5432\n"
        "#unix_socket_directories = ''\n"
        "#max_connections = 1000\n"
        "\n"
        "#shared_buffers = 128MB\n"
        "#work_mem = 4MB\n"
        "#worker_threads = 0               # 0: one for each processor\n"
        "\n"
        "#checkpoint_timeout = 5min\n"
        "#max_wal_size = 1GB\n"
        "#synchronous_commit = on\n"
        "\n"
        "#ssl = off\n"
        "#ssl_cert_file = 'server.crt'\n"
        "#ssl_key_file = 'server.key'\n"
        "\n"
        "#log_min_messages = warning\n"
        "#log_min_duration_statement = -1\n"
        "#logging_collector = off\n");
}

Str config_hba_template(void)
{
    return STR("# Who may connect, and how he proves who he is: the first line that fits decides.\n"
               "# TYPE  DATABASE  USER  ADDRESS       METHOD\n"
               "local   all       all                 trust\n"
               "host    all       all   127.0.0.1/32  trust\n"
               "host    all       all   ::1/128       trust\n");
}
