/* What is set, and in which file: pg_show_all_settings, pg_show_all_file_settings, hba rules. */
#include "base/error.h"
#include "base/os.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "server/server.h"
#include "server/view_rows.h"
#include "types/array.h"

enum {
    SET_NAME,
    SET_SETTING,
    SET_UNIT,
    SET_CATEGORY,
    SET_SHORT_DESC,
    SET_EXTRA_DESC,
    SET_CONTEXT,
    SET_VARTYPE,
    SET_SOURCE,
    SET_MIN_VAL,
    SET_MAX_VAL,
    SET_ENUMVALS,
    SET_BOOT_VAL,
    SET_RESET_VAL,
    SET_SOURCEFILE,
    SET_SOURCELINE,
    SET_PENDING_RESTART,
    SET_COUNT,
};

static const char *const type_names[] = {[SETTING_BOOL] = "bool",
                                         [SETTING_INT] = "integer",
                                         [SETTING_REAL] = "real",
                                         [SETTING_STRING] = "string",
                                         [SETTING_ENUM] = "enum"};
static const char *const context_names[] = {
    [CONTEXT_INTERNAL] = "internal", [CONTEXT_POSTMASTER] = "postmaster",
    [CONTEXT_SIGHUP] = "sighup",     [CONTEXT_SUPERUSER_BACKEND] = "superuser-backend",
    [CONTEXT_BACKEND] = "backend",   [CONTEXT_SUPERUSER] = "superuser",
    [CONTEXT_USER] = "user"};
static const char *const source_names[] = {[SOURCE_DEFAULT] = "default",
                                           [SOURCE_FILE] = "configuration file",
                                           [SOURCE_COMMAND_LINE] = "command line",
                                           [SOURCE_GLOBAL] = "global",
                                           [SOURCE_DATABASE] = "database",
                                           [SOURCE_ROLE] = "user",
                                           [SOURCE_DATABASE_ROLE] = "database user",
                                           [SOURCE_CLIENT] = "client",
                                           [SOURCE_SESSION] = "session"};

static Str text_or_none(Str text)
{
    return text.length > 0 ? text : STR_NONE;
}

static bool put_enum_values(ViewRow row, const SettingInfo *info)
{
    int count = 0;

    while (!str_is_none(info->options[count]))
        count++;
    return view_put_texts(row, SET_ENUMVALS, info->options, count);
}

static bool put_range(ViewRow row, const SettingInfo *info)
{
    switch (info->type) {
    case SETTING_INT:
        view_put_text(row, SET_MIN_VAL, str_format(row.arena, "%.0f", info->minimum));
        view_put_text(row, SET_MAX_VAL, str_format(row.arena, "%.0f", info->maximum));
        return true;
    case SETTING_REAL:
        view_put_text(row, SET_MIN_VAL, str_format(row.arena, "%g", info->minimum));
        view_put_text(row, SET_MAX_VAL, str_format(row.arena, "%g", info->maximum));
        return true;
    case SETTING_ENUM:
        return put_enum_values(row, info);
    default:
        return true;
    }
}

/* Whose value is made up when a server or a transaction begins, whatever was said. */
static bool is_found(SettingId id)
{
    switch (id) {
    case SETTING_CONFIG_FILE:
    case SETTING_DATA_DIRECTORY:
    case SETTING_HBA_FILE:
    case SETTING_TRANSACTION_DEFERRABLE:
    case SETTING_TRANSACTION_ISOLATION:
    case SETTING_TRANSACTION_READ_ONLY:
        return true;
    default:
        return false;
    }
}

static void put_source(const Session *session, ViewRow row, SettingId id, bool sees_files)
{
    const SettingSource source = session->settings.source[id];
    int line;

    view_put_text(row, SET_SOURCE,
                  source == SOURCE_DEFAULT && is_found(id) ? STR("override")
                                                           : str_from_c(source_names[source]));
    const Str file = config_source_file(id, &line);
    if (source == SOURCE_FILE && sees_files && !str_is_none(file)) {
        view_put_text(row, SET_SOURCEFILE,
                      path_join(row.arena, session->server->data_directory, file));
        view_put_int32(row, SET_SOURCELINE, line);
    }
    view_put_bool(row, SET_PENDING_RESTART, config_is_pending(id));
}

static bool fill_settings(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
{
    Session *session = view_session(call);
    const SessionSettings *s = &session->settings;
    const bool shows_files = session_sees_private(session);

    TRY(shows_files || !error_is_set());
    SettingValues start;
    session_settings_start_values(s, &start);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const SettingId id = (SettingId)i;
        const SettingInfo *info = &setting_infos[id];
        if ((info->flags & SETTING_IS_HIDDEN) ||
            ((info->flags & SETTING_IS_PRIVATE) && !shows_files))
            continue;
        ViewRow row = view_row_add(rows);
        view_put_text(row, SET_NAME, info->name);
        view_put_text(row, SET_SETTING, setting_show_raw(&s->current, id, rows->arena));
        view_put_text(row, SET_UNIT, text_or_none(info->unit));
        view_put_text(row, SET_CATEGORY, info->category);
        view_put_text(row, SET_SHORT_DESC, info->description);
        view_put_text(row, SET_EXTRA_DESC, text_or_none(info->details));
        view_put_text(row, SET_CONTEXT, str_from_c(context_names[info->context]));
        view_put_text(row, SET_VARTYPE, str_from_c(type_names[info->type]));
        view_put_text(row, SET_BOOT_VAL, info->default_text);
        view_put_text(row, SET_RESET_VAL, setting_show_raw(&start, id, rows->arena));
        TRY(put_range(row, info));
        put_source(session, row, id, shows_files);
    }
    return true;
}
VIEW_FUNCTION(show_all_settings, SET_COUNT, fill_settings)

/* pg_settings_get_flags: null for names that are no settings. */
FUNCTION(pg_settings_get_flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } flags[] = {{SETTING_IS_EXPLAIN, "EXPLAIN"},
                 {SETTING_IS_NOT_RESET, "NO_RESET_ALL"},
                 {SETTING_IS_HIDDEN, "NO_SHOW_ALL"},
                 {SETTING_IS_NOT_IN_SAMPLE, "NOT_IN_SAMPLE"},
                 {SETTING_IS_COMPUTED, "RUNTIME_COMPUTED"}};
    const int id = setting_find(var_str(args[0].var));
    ArrayBuilder builder;

    (void)nulls;
    *ret_null = id < 0;
    if (id < 0)
        return true;
    array_builder_init(&builder, call->arena, TYPE_TEXT);
    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++)
        if (setting_infos[id].flags & flags[i].flag)
            array_builder_add(&builder, &(Value){.var = var_from_str(str_from_c(flags[i].name))},
                              false);
    return array_builder_finish(&builder, ret);
}

/* ---- pg_file_settings ---- */

enum {
    FILE_SOURCEFILE,
    FILE_SOURCELINE,
    FILE_SEQNO,
    FILE_NAME,
    FILE_SETTING,
    FILE_APPLIED,
    FILE_ERROR,
    FILE_COUNT
};

/* Does a later line say something else? */
static bool is_overridden(const ConfigItems *items, size_t index)
{
    for (size_t i = index + 1; i < items->length; i++)
        if (str_equal_nocase(items->items[i].name, items->items[index].name))
            return true;
    return false;
}

static bool put_file_error(ViewRow row)
{
    view_put_text(row, FILE_ERROR, error_fields()->message);
    error_clear();
    return true;
}

static bool put_file_item(ViewRows *rows, const ConfigItems *items, size_t index)
{
    const ConfigItem *item = &items->items[index];
    const int id = setting_find(item->name);
    ViewRow row = view_row_add(rows);

    view_put_text(row, FILE_SOURCEFILE, item->file);
    view_put_int32(row, FILE_SOURCELINE, item->line);
    view_put_int32(row, FILE_SEQNO, (int32_t)index + 1);
    view_put_text(row, FILE_NAME, item->name);
    view_put_text(row, FILE_SETTING, item->value);
    view_put_bool(row, FILE_APPLIED, false);
    if (!config_item_check(item, rows->arena))
        return put_file_error(row);
    if (is_overridden(items, index))
        return true;
    if (id >= 0 && config_is_pending((SettingId)id))
        view_put_text(row, FILE_ERROR, STR("setting could not be applied"));
    else
        view_put_bool(row, FILE_APPLIED, true);
    return true;
}

static bool fill_file_settings(FunctionCall *call, const Value *args, const bool *nulls,
                               ViewRows *rows)
{
    ConfigItems items = {0};

    if (!config_file_items(view_session(call)->server->data_directory, rows->arena, &items))
        return put_file_error(view_row_add(rows));
    for (size_t i = 0; i < items.length; i++)
        TRY(put_file_item(rows, &items, i));
    return true;
}
VIEW_FUNCTION(show_all_file_settings, FILE_COUNT, fill_file_settings)

/* ---- pg_hba_file_rules: the file as it is now, not as it was loaded ---- */

enum {
    HBA_LINE_NUMBER,
    HBA_TYPE,
    HBA_DATABASE,
    HBA_USER_NAME,
    HBA_ADDRESS,
    HBA_NETMASK,
    HBA_AUTH_METHOD,
    HBA_OPTIONS,
    HBA_ERROR,
    HBA_COUNT
};

static bool put_rule(ViewRows *rows, const Hba *hba, size_t index)
{
    HbaDescription rule;
    ViewRow row = view_row_add(rows);

    hba_describe(hba, index, rows->arena, &rule);
    view_put_int32(row, HBA_LINE_NUMBER, rule.line);
    view_put_text(row, HBA_TYPE, rule.kind);
    TRY(view_put_texts(row, HBA_DATABASE, rule.databases, rule.database_count));
    TRY(view_put_texts(row, HBA_USER_NAME, rule.users, rule.user_count));
    view_put_text(row, HBA_ADDRESS, rule.address);
    view_put_text(row, HBA_NETMASK, rule.netmask);
    view_put_text(row, HBA_AUTH_METHOD, rule.method);
    return str_is_none(rule.certificate_option) ||
           view_put_texts(row, HBA_OPTIONS, &rule.certificate_option, 1);
}

static bool fill_hba_rules(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
{
    const Str named = settings_default.hba_file;
    const Str path = named.data[0] == '/'
                         ? named
                         : path_join(rows->arena, settings_default.data_directory, named);
    Str text;
    bool ok = true;

    TRY(os_read_file(rows->arena, path, 1 << 20, &text));
    Hba *hba = hba_parse(text, path);
    if (!hba) {
        view_put_text(view_row_add(rows), HBA_ERROR, error_fields()->message);
        error_clear();
        return true;
    }
    for (size_t i = 0; ok && i < hba_rule_count(hba); i++)
        ok = put_rule(rows, hba, i);
    hba_free(hba);
    return ok;
}
VIEW_FUNCTION(pg_hba_file_rules, HBA_COUNT, fill_hba_rules)
