#include "server/session_settings.h"

#include "base/hash.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "server/client_text.h"
#include "server/log.h"
#include "server/server.h"
#include "server/setting_checks.h"
#include "types/encoding.h"

#define TEXTS_LEAST ((size_t)16 * 1024) /* bytes; what is less is not worth a second look */

/* -- Custom parameters ------------------------------------------------------------------------ */

static CustomSetting *custom_find(const SessionSettings *s, Str name)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new("custom parameter");

    return strmap_get(&s->custom, str_lower(scratch, name));
}

static CustomSetting *custom_get(SessionSettings *s, Str name)
{
    CustomSetting *custom = custom_find(s, name);

    if (custom)
        return custom;
    custom = ARENA_NEW(s->arena, CustomSetting);
    strmap_put(&s->custom, str_lower(s->arena, name), custom);
    return custom;
}

static Str custom_start(const CustomSetting *custom)
{
    return str_is_none(custom->start) ? STR("") : custom->start;
}

/* As the configuration has it; what the session has set itself stays. */
static void take_custom(void *context, Str name, Str value)
{
    CustomSetting *custom = custom_get(context, name);

    if (str_is_none(custom->value) ||
        (!str_is_none(custom->start) && str_equal(custom->value, custom->start)))
        custom->value = value;
    custom->start = value;
}

void session_settings_init(SessionSettings *settings)
{
    *settings =
        (SessionSettings){.arena = arena_new("session settings"), .arena_most = TEXTS_LEAST};
    config_take_all(&settings->current);
    for (int id = 0; id < SETTING_COUNT; id++)
        settings->source[id] = (uint8_t)config_source((SettingId)id);
    settings->custom.arena = settings->arena;
    config_each_custom(take_custom, settings);
}

void session_settings_deinit(SessionSettings *settings)
{
    arena_free(settings->arena);
}

/* -- What RESET goes back to ----------------------------------------------------------------- */

static const SettingStart *start_find(const SessionSettings *s, SettingId id)
{
    for (size_t i = 0; i < s->starts.length; i++)
        if (s->starts.items[i].id == id)
            return &s->starts.items[i];
    return NULL;
}

static void start_set(SessionSettings *s, SettingId id, SettingSource source)
{
    const SettingStart start = {id, source, setting_get(&s->current, id)};
    SettingStart *old = (SettingStart *)(uintptr_t)start_find(s, id);

    if (old)
        *old = start;
    else
        VEC_PUSH(s->arena, &s->starts, start);
}

void session_settings_identify(SessionSettings *settings, Str user, bool is_superuser)
{
    settings->current.is_superuser = is_superuser;
    settings->current.session_authorization = user;
    start_set(settings, SETTING_SESSION_AUTHORIZATION, SOURCE_DEFAULT);
}

/* Settled when the session began, whatever the configuration says later. */
static bool is_settled(SettingId id)
{
    return setting_infos[id].context == CONTEXT_BACKEND ||
           setting_infos[id].context == CONTEXT_SUPERUSER_BACKEND;
}

void session_settings_start_values(const SessionSettings *settings, SettingValues *ret_values)
{
    config_take_all(ret_values);
    for (int id = 0; id < SETTING_COUNT; id++)
        if (is_settled((SettingId)id))
            setting_copy(ret_values, &settings->current, (SettingId)id);
    for (size_t i = 0; i < settings->starts.length; i++)
        setting_put(ret_values, settings->starts.items[i].id, settings->starts.items[i].value);
}

/* -- Texts ------------------------------------------------------------------------------------ */

/* SET leaves its old text behind. When much has gathered, what counts moves to another arena. */
static void texts_settle(SessionSettings *s)
{
    if (likely(arena_size(s->arena) <= s->arena_most))
        return;
    Arena *arena = arena_new("session settings");
    for (int i = 0; i < SETTING_COUNT; i++) {
        const SettingId id = (SettingId)i;
        if (setting_infos[id].type != SETTING_STRING || setting_infos[id].size == 0)
            continue;
        const Str text = setting_get(&s->current, id).text;
        setting_put(&s->current, id, (SettingValue){.text = str_copy(arena, text)});
    }
    VEC(SettingStart) starts = {0};
    for (size_t i = 0; i < s->starts.length; i++) {
        SettingStart start = s->starts.items[i];
        if (setting_infos[start.id].type == SETTING_STRING)
            start.value.text = str_copy(arena, start.value.text);
        VEC_PUSH(arena, &starts, start);
    }
    StrMap map = {.arena = arena};
    Str name;
    void *custom;
    for (size_t at = 0; strmap_next(&s->custom, &at, &name, &custom);) {
        CustomSetting *copy = arena_copy(arena, custom, sizeof(*copy));
        copy->value = str_copy(arena, copy->value);
        if (!str_is_none(copy->start))
            copy->start = str_copy(arena, copy->start);
        strmap_put(&map, str_copy(arena, name), copy);
    }
    arena_free(s->arena);
    s->arena = arena;
    s->arena_most = 2 * arena_size(arena) + TEXTS_LEAST;
    s->custom = map;
    memcpy(&s->starts, &starts, sizeof(starts));
}

/* -- Changes ---------------------------------------------------------------------------------- */

static bool is_role(SettingId id)
{
    return id == SETTING_ROLE || id == SETTING_SESSION_AUTHORIZATION;
}

static SettingUsers *users_now(Session *session)
{
    const SettingValues *values = &session->settings.current;
    SettingUsers *users = ARENA_NEW(session->block_arena, SettingUsers);

    *users = (SettingUsers){session->exec.catalog.session_user, session->exec.catalog.current_user,
                            values->role, values->is_superuser};
    return users;
}

static void users_restore(Session *session, const SettingUsers *users)
{
    session->exec.catalog.session_user = users->session_user;
    session->exec.catalog.current_user = users->current_user;
    session->settings.current.role = users->role;
    session->settings.current.is_superuser = users->is_superuser;
}

/* The newest change of the same, or of who the session is; NULL: there is none. */
static const SettingChange *change_before(const SessionSettings *s, const SettingChange *change)
{
    for (size_t i = s->changes.length; i-- > 0;) {
        const SettingChange *c = &s->changes.items[i];
        if (c->custom == change->custom && (change->custom || c->id == change->id))
            return c;
    }
    return NULL;
}

/* SET LOCAL leaves at commit what the change before it does. */
static SettingChange *change_add(Session *session, SettingChange change)
{
    SessionSettings *s = &session->settings;
    const SettingChange *before = change_before(s, &change);

    change.kept = before ? before->kept : change.before;
    change.kept_source = before ? before->kept_source : change.before_source;
    VEC_PUSH(session->block_arena, &s->changes, change);
    return &VEC_LAST(&s->changes);
}

static SettingUsers *users_kept(const SessionSettings *s)
{
    for (size_t i = s->changes.length; i-- > 0;)
        if (s->changes.items[i].kept_users)
            return s->changes.items[i].kept_users;
    return NULL;
}

/* Who the session is by `id` now; SET ROLE leaves the session's own user alone. */
static SettingUsers *users_of(Session *session, SettingId id, const SettingUsers *before)
{
    SettingUsers *users = users_now(session);

    if (id == SETTING_ROLE)
        users->session_user = before->session_user;
    return users;
}

static SettingChange *change_begin(Session *session, SettingId id)
{
    SessionSettings *s = &session->settings;
    SettingChange change = {
        .id = id, .before = setting_get(&s->current, id), .before_source = s->source[id]};

    if (is_role(id)) {
        change.before_users = users_now(session);
        change.kept_users = users_kept(s);
        if (!change.kept_users)
            change.kept_users = change.before_users;
    }
    return change_add(session, change);
}

/* -- Reports --------------------------------------------------------------------------------- */

static void report_one(Session *session, SettingId id, uint64_t *told)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("parameter status");
    Str text = setting_show(&session->settings.current, id, arena);
    uint64_t hash = str_hash(text) | 1; /* 0: never told */

    if (*told == hash)
        return;
    *told = hash;
    if (!client_text_give(session, arena, &text))
        error_clear(); /* it is told as it is, as there is no place for an error */
    message_put_parameter_status(&session->connection.out, setting_infos[id].name, text);
}

static void report_if_changed(Session *session, SettingId id, SettingValue before)
{
    if (!session->is_logged_in || !(setting_infos[id].flags & SETTING_IS_REPORTED) ||
        setting_equal(id, setting_get(&session->settings.current, id), before))
        return;
    if (id == SETTING_APPLICATION_NAME)
        session_publish_application(session);
    session->settings.has_news = true;
}

void session_report_settings(Session *session)
{
    int place = 0;

    for (int id = 0; id < SETTING_COUNT; id++) {
        if (!(setting_infos[id].flags & SETTING_IS_REPORTED))
            continue;
        assert(place < REPORTED_SETTINGS_MAX);
        report_one(session, (SettingId)id, &session->settings.told[place++]);
    }
    session->settings.has_news = false;
}

static bool is_from_configuration(uint8_t source)
{
    return source <= SOURCE_COMMAND_LINE;
}

/* May a reload have changed it for this session? The command line and built-in values stay. */
static bool follows_files(const SessionSettings *s, SettingId id)
{
    return setting_infos[id].context > CONTEXT_POSTMASTER && !is_settled(id) &&
           is_from_configuration(s->source[id]) &&
           (s->source[id] == SOURCE_FILE || config_source(id) == SOURCE_FILE);
}

void session_settings_refresh(Session *session)
{
    SessionSettings *s = &session->settings;
    const int64_t loaded_at = atomic_load(&session->server->configuration_loaded_at);

    if (s->loaded_at == loaded_at || s->changes.length > 0)
        return; /* what a transaction may undo waits for its end */
    s->loaded_at = loaded_at;
    s->plan_key = 0;
    config_each_custom(take_custom, s);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const SettingId id = (SettingId)i;
        if (!follows_files(s, id))
            continue;
        const SettingValue before = setting_get(&s->current, id);
        config_take(&s->current, id);
        s->source[i] = (uint8_t)config_source(id);
        setting_apply(session, id, &s->current);
        report_if_changed(session, id, before);
    }
}

/* -- What plans depend on ------------------------------------------------------------------- */

/* Settings that change from transaction to transaction, or say nothing about plans. The search path
 * and the role are part of a plan's key by themselves. */
static bool is_of_no_plan(SettingId id)
{
    switch (id) {
    case SETTING_APPLICATION_NAME:
    case SETTING_CLIENT_MIN_MESSAGES:
    case SETTING_STATEMENT_TIMEOUT:
    case SETTING_LOCK_TIMEOUT:
    case SETTING_SYNCHRONOUS_COMMIT:
    case SETTING_TRANSACTION_ISOLATION:
    case SETTING_TRANSACTION_READ_ONLY:
    case SETTING_TRANSACTION_DEFERRABLE:
    case SETTING_DEFAULT_TRANSACTION_ISOLATION:
    case SETTING_DEFAULT_TRANSACTION_READ_ONLY:
    case SETTING_DEFAULT_TRANSACTION_DEFERRABLE:
    case SETTING_SEARCH_PATH:
    case SETTING_ROLE:
    case SETTING_SESSION_AUTHORIZATION:
    case SETTING_IS_SUPERUSER:
    case SETTING_TCP_KEEPALIVES_IDLE:
    case SETTING_TCP_KEEPALIVES_INTERVAL:
    case SETTING_TCP_KEEPALIVES_COUNT:
    case SETTING_TCP_USER_TIMEOUT:
        return true;
    default:
        return false;
    }
}

uint64_t session_settings_plan_key(Session *session)
{
    SessionSettings *s = &session->settings;
    uint64_t key = (uint64_t)atomic_load(&session->server->configuration_loaded_at) | 1;

    if (s->plan_key != 0)
        return s->plan_key;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const SettingId id = (SettingId)i;
        if (setting_infos[id].size == 0 || is_of_no_plan(id) ||
            !setting_differs(&s->current, &settings_default, id))
            continue;
        const SettingValue setting = setting_get(&s->current, id);
        uint64_t value = 0;
        if (setting_infos[id].type == SETTING_STRING)
            value = str_hash(setting.text);
        else
            memcpy(&value, &setting, setting_infos[id].size);
        key = hash_mix64(key ^ hash_mix64(value + (uint64_t)id));
    }
    return s->plan_key = key | 1;
}

/* -- End of transactions --------------------------------------------------------------------- */

/* Makes of the setting what the change has for rollback, or for commit. */
static void change_end(Session *session, const SettingChange *change, bool is_commit)
{
    SessionSettings *s = &session->settings;
    const SettingValue value = is_commit ? change->kept : change->before;
    const SettingId id = change->id;

    if (change->custom) {
        /* A name that has been set once stays known: it is empty where it had no value before. */
        change->custom->value = str_is_none(value.text) ? STR("") : value.text;
        return;
    }
    const SettingValue before = setting_get(&s->current, id);
    setting_put(&s->current, id, value);
    s->source[id] = is_commit ? change->kept_source : change->before_source;
    if (change->before_users)
        users_restore(session, is_commit ? change->kept_users : change->before_users);
    setting_apply(session, id, &s->current);
    report_if_changed(session, id, before);
}

/* All changes have been dealt with: their memory goes with the transaction. */
static void changes_forget(SessionSettings *s)
{
    memset(&s->changes, 0, sizeof(s->changes));
    texts_settle(s);
}

void session_settings_commit(Session *session)
{
    SessionSettings *s = &session->settings;

    if (s->changes.length > 0)
        s->plan_key = 0;
    for (size_t i = 0; i < s->changes.length; i++)
        change_end(session, &s->changes.items[i], true);
    changes_forget(s);
}

void session_settings_rollback(Session *session, size_t mark)
{
    SessionSettings *s = &session->settings;

    if (s->changes.length > mark)
        s->plan_key = 0;
    while (s->changes.length > mark)
        change_end(session, &s->changes.items[--s->changes.length], false);
    if (mark == 0)
        changes_forget(s);
}

/* -- Who may set what ------------------------------------------------------------------------ */

static bool fail_unknown(Str name)
{
    FAIL(ERR_UNDEFINED_OBJECT,
         .message = fmt("unrecognized configuration parameter \"%.*s\"", STR_ARGS(name)));
}

static bool fail_denied(Str name)
{
    FAIL(ERR_INSUFFICIENT_PRIVILEGE,
         .message = fmt("permission denied to set parameter \"%.*s\"", STR_ARGS(name)));
}

/* What a role or a database brings along was checked when it was stored. */
static bool may_set(Session *session, const SettingInfo *info, SettingSource source)
{
    const bool is_stored = source >= SOURCE_GLOBAL && source <= SOURCE_DATABASE_ROLE;
    const bool is_superuser = is_stored || session->settings.current.is_superuser;

    switch (info->context) {
    case CONTEXT_INTERNAL:
        FAIL(ERR_CANT_CHANGE_RUNTIME_PARAM,
             .message = fmt("parameter \"%.*s\" cannot be changed", STR_ARGS(info->name)));
    case CONTEXT_POSTMASTER:
        FAIL(ERR_CANT_CHANGE_RUNTIME_PARAM,
             .message = fmt("parameter \"%.*s\" cannot be changed without restarting the server",
                            STR_ARGS(info->name)));
    case CONTEXT_SIGHUP:
        FAIL(ERR_CANT_CHANGE_RUNTIME_PARAM,
             .message = fmt("parameter \"%.*s\" cannot be changed now", STR_ARGS(info->name)));
    case CONTEXT_SUPERUSER_BACKEND:
    case CONTEXT_BACKEND:
        if (session->is_logged_in)
            FAIL(ERR_CANT_CHANGE_RUNTIME_PARAM,
                 .message = fmt("parameter \"%.*s\" cannot be set after connection start",
                                STR_ARGS(info->name)));
        return info->context == CONTEXT_BACKEND || is_superuser || fail_denied(info->name);
    case CONTEXT_SUPERUSER:
        return is_superuser || fail_denied(info->name);
    case CONTEXT_USER:
        return true;
    }
    return true;
}

/* -- Settings that are more than a value ------------------------------------------------------ */

static bool parse_isolation(Str value, IsolationLevel *ret_level)
{
    static const struct {
        const char *name;
        IsolationLevel level;
    } levels[] = {{"serializable", ISOLATION_SERIALIZABLE},
                  {"repeatable read", ISOLATION_REPEATABLE_READ},
                  {"read committed", ISOLATION_READ_COMMITTED},
                  {"read uncommitted", ISOLATION_READ_UNCOMMITTED}};

    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        if (str_equal_nocase(value, str_from_c(levels[i].name))) {
            *ret_level = levels[i].level;
            return true;
        }
    }
    return false;
}

/* transaction_isolation and its kin speak of the open transaction, while it lets them. */
static bool apply_to_transaction(Session *session, SettingId id, Str value)
{
    Txn *txn = txn_session_current(session->txn_session);
    const SettingValues *now = &session->settings.current;
    IsolationLevel level;

    if (!txn)
        return true;
    if (id == SETTING_TRANSACTION_ISOLATION && parse_isolation(value, &level) &&
        level != txn_isolation(txn)) {
        if (session->has_queried && block_is_open(session))
            FAIL(ERR_ACTIVE_SQL_TRANSACTION,
                 .message = STR("SET TRANSACTION ISOLATION LEVEL must be called before any query"));
        if (session->savepoints.length > 1)
            FAIL(ERR_ACTIVE_SQL_TRANSACTION,
                 .message = STR("SET TRANSACTION ISOLATION LEVEL must not be called in a "
                                "subtransaction"));
        /* The snapshot that SET itself runs under is not the transaction's. */
        txn_statement_end(txn);
        return txn_set_isolation(txn, level);
    }
    if (id == SETTING_TRANSACTION_READ_ONLY) {
        if (!now->transaction_read_only && txn_is_read_only(txn) && session->savepoints.length > 1)
            FAIL(ERR_ACTIVE_SQL_TRANSACTION,
                 .message = STR("cannot set transaction read-write mode inside a read-only "
                                "transaction"));
        if (!now->transaction_read_only && txn_is_read_only(txn) && session->has_queried)
            FAIL(ERR_ACTIVE_SQL_TRANSACTION,
                 .message = STR("transaction read-write mode must be set before any query"));
    }
    return true;
}

/* role and session_authorization change who the session is. */
static bool switch_role(Session *session, SettingId id, Str value)
{
    CatalogSession *catalog = &session->exec.catalog;

    if (id == SETTING_ROLE && str_equal(value, STR("none"))) {
        catalog->current_user = catalog->session_user;
    } else {
        const RoleDesc *role = role_find_name(catalog, value);
        if (!role)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("role \"%.*s\" does not exist", STR_ARGS(value)));
        if (id == SETTING_ROLE) {
            if (!role_is_member(catalog, catalog->session_user, role->oid))
                FAIL(ERR_INSUFFICIENT_PRIVILEGE,
                     .message = fmt("permission denied to set role \"%.*s\"", STR_ARGS(value)));
        } else {
            if (role->oid != catalog->authenticated_user &&
                !role_is_superuser(catalog, catalog->authenticated_user))
                FAIL(ERR_INSUFFICIENT_PRIVILEGE,
                     .message = STR("permission denied to set session authorization"));
            catalog->session_user = role->oid;
            session->settings.current.role = STR("none");
        }
        catalog->current_user = role->oid;
    }
    session->settings.current.is_superuser = role_is_superuser(catalog, catalog->current_user);
    return true;
}

/* -- SET ------------------------------------------------------------------------------------- */

static bool set_value(Session *session, SettingId id, Str value)
{
    SessionSettings *s = &session->settings;

    TRY(settings_set(&s->current, s->arena, id, value));
    if (is_role(id))
        TRY(switch_role(session, id, value));
    return apply_to_transaction(session, id, value);
}

static bool set_builtin(Session *session, SettingId id, Str value, bool is_local,
                        SettingSource source)
{
    SessionSettings *s = &session->settings;

    /* Who may become whom is checked when it is done: switch_role. */
    if (id != SETTING_SESSION_AUTHORIZATION)
        TRY(may_set(session, &setting_infos[id], source));
    SettingChange *change = change_begin(session, id);
    s->plan_key = 0;
    if (!set_value(session, id, value)) {
        setting_put(&s->current, id, change->before);
        s->changes.length--;
        return false;
    }
    setting_apply(session, id, &s->current);
    s->source[id] = (uint8_t)source;
    if (!is_local) {
        change->kept = setting_get(&s->current, id);
        change->kept_source = (uint8_t)source;
        if (change->kept_users)
            change->kept_users = users_of(session, id, change->kept_users);
    }
    report_if_changed(session, id, change->before);
    return true;
}

static void set_custom(Session *session, CustomSetting *custom, Str value, bool is_local)
{
    SettingChange *change =
        change_add(session, (SettingChange){.custom = custom, .before = {.text = custom->value}});

    custom->value = str_copy(session->settings.arena, value);
    if (!is_local)
        change->kept.text = custom->value;
}

bool session_setting_set(Session *session, Str name, Str value, bool is_local)
{
    int id = setting_find(name);

    if (id >= 0 && str_is_none(value)) /* set_config's null */
        return session_setting_reset(session, name, is_local);
    if (id >= 0)
        return set_builtin(session, (SettingId)id, value, is_local, SOURCE_SESSION);
    TRY(setting_custom_name_check(name));
    set_custom(session, custom_get(&session->settings, name), value, is_local);
    return true;
}

bool session_setting_start(Session *session, Str name, Str value, SettingSource source)
{
    SessionSettings *s = &session->settings;
    int id = setting_find(name);

    if (id >= 0) {
        if (id == SETTING_CLIENT_ENCODING && encoding_find(value) == ENCODING_MULE_INTERNAL)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("conversion between MULE_INTERNAL and UTF8 is not supported"));
        TRY(set_builtin(session, (SettingId)id, value, false, source));
        start_set(s, (SettingId)id, source);
    } else {
        TRY(session_setting_set(session, name, value, false));
        CustomSetting *custom = custom_get(s, name);
        custom->start = custom->value;
    }
    memset(&s->changes, 0, sizeof(s->changes)); /* there is nothing to go back to */
    return true;
}

bool session_setting_reset(Session *session, Str name, bool is_local)
{
    SessionSettings *s = &session->settings;
    int id = setting_find(name);

    if (id < 0) {
        TRY(setting_custom_name_check(name));
        CustomSetting *custom = custom_get(s, name);
        set_custom(session, custom, custom_start(custom), is_local);
        return true;
    }
    /* The text of the start value goes the same way as SET's: checks and side effects included. */
    CLEANUP(arena_freep) Arena *arena = arena_new("reset");
    const SettingStart *start = start_find(s, (SettingId)id);
    SettingValues values;
    session_settings_start_values(s, &values);
    return set_builtin(session, (SettingId)id, setting_show_raw(&values, (SettingId)id, arena),
                       is_local, start ? start->source : config_source((SettingId)id));
}

/* What RESET ALL leaves alone, as PostgreSQL does. */
static bool is_kept_by_reset_all(SettingId id)
{
    return (setting_infos[id].flags & SETTING_IS_NOT_RESET) ||
           setting_infos[id].context <= CONTEXT_BACKEND;
}

bool session_setting_reset_all(Session *session)
{
    SessionSettings *s = &session->settings;

    SettingValues values;
    session_settings_start_values(s, &values);
    for (int id = 0; id < SETTING_COUNT; id++)
        if (!is_kept_by_reset_all((SettingId)id) &&
            setting_differs(&s->current, &values, (SettingId)id))
            TRY(session_setting_reset(session, setting_infos[id].name, false));
    Str name;
    void *custom;
    for (size_t at = 0; strmap_next(&s->custom, &at, &name, &custom);)
        if (!str_equal(((CustomSetting *)custom)->value, custom_start(custom)))
            set_custom(session, custom, custom_start(custom), false);
    return true;
}

bool session_sees_private(Session *session)
{
    CatalogSession *catalog = &session->exec.catalog;

    return role_is_superuser(catalog, catalog->current_user) ||
           role_is_member(catalog, catalog->current_user, ROLE_PG_READ_ALL_SETTINGS);
}

bool session_setting_check(Session *session, Str name, Str value, Arena *arena)
{
    const int id = setting_find(name);
    SettingValues trial = session->settings.current;

    if (id < 0) {
        TRY(setting_custom_name_check(name));
        return session->settings.current.is_superuser || fail_denied(name);
    }
    TRY(may_set(session, &setting_infos[id], SOURCE_SESSION));
    return str_is_none(value) || settings_set(&trial, arena, (SettingId)id, value);
}

bool session_setting_get(Session *session, Str name, bool missing_ok, Arena *arena, Str *ret_value)
{
    SessionSettings *s = &session->settings;
    int id = setting_find(name);

    if (id >= 0) {
        if ((setting_infos[id].flags & SETTING_IS_PRIVATE) && !session_sees_private(session))
            FAIL(ERR_INSUFFICIENT_PRIVILEGE,
                 .message = fmt("must be superuser or have privileges of pg_read_all_settings to "
                                "examine \"%.*s\"",
                                STR_ARGS(setting_infos[id].name)));
        *ret_value = str_copy(arena, setting_show(&s->current, (SettingId)id, arena));
        return true;
    }
    const CustomSetting *custom = custom_find(s, name);
    if (!custom && !missing_ok)
        return fail_unknown(name);
    *ret_value = custom ? str_copy(arena, custom->value) : STR_NONE;
    return true;
}
