/* SET, SHOW and RESET: values with the transaction's and the savepoint's undo. */
#include "base/hash.h"
#include "server/log.h"
#include "server/server.h"
#include "server/setting_checks.h"

#include "catalog/lookup.h"
#include "types/encoding.h"

static Str *strp_copy(Arena *arena, Str value)
{
    Str *copy = ARENA_NEW(arena, Str);

    *copy = str_copy(arena, value);
    return copy;
}

/* A custom parameter as the configuration has it; what the session has set itself stays. */
static void take_custom(void *context, Str name, Str value)
{
    SessionSettings *s = context;
    const Str key = str_lower(s->arena, name);
    const Str *now = strmap_get(&s->custom, key), *start = strmap_get(&s->custom_reset, key);
    Str *copy = strp_copy(s->arena, value);

    if (now && !(start && str_equal(*now, *start))) {
        strmap_put(&s->custom_reset, key, copy);
        return;
    }
    strmap_put(&s->custom, key, copy);
    strmap_put(&s->custom_persistent, key, copy);
    strmap_put(&s->custom_reset, key, copy);
}

void session_settings_init(SessionSettings *settings)
{
    *settings = (SessionSettings){.arena = arena_new("session settings")};
    config_take_all(&settings->current);
    settings->persistent = settings->reset = settings->current;
    for (int id = 0; id < SETTING_COUNT; id++)
        settings->source[id] = settings->persistent_source[id] = settings->reset_source[id] =
            (uint8_t)config_source((SettingId)id);
    settings->custom.arena = settings->custom_persistent.arena = settings->custom_reset.arena =
        settings->arena;
    config_each_custom(take_custom, settings);
}

void session_settings_deinit(SessionSettings *settings)
{
    arena_free(settings->arena);
}

/* -- Fields ---------------------------------------------------------------------------------- */

static void field_save(byte *to, const SettingValues *from, SettingId id)
{
    memcpy(to, (const char *)from + setting_infos[id].offset, setting_infos[id].size);
}

static void field_restore(SettingValues *to, const byte *from, SettingId id)
{
    memcpy((char *)to + setting_infos[id].offset, from, setting_infos[id].size);
}

static void change_begin(Session *session, SettingId id)
{
    SessionSettings *s = &session->settings;
    SettingChange change = {
        .id = (int)id,
        .before_session_user = session->exec.catalog.session_user,
        .before_current_user = session->exec.catalog.current_user,
        .before_source = s->source[id],
        .before_persistent_source = s->persistent_source[id],
    };

    field_save(change.before_current, &s->current, id);
    field_save(change.before_persistent, &s->persistent, id);
    VEC_PUSH(s->arena, &s->changes, change);
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
    message_put_parameter_status(&session->connection.out, setting_infos[id].name, text);
}

/* Has the field other bytes, or another text, than before? */
static bool field_differs(const SettingValues *values, SettingId id, const byte *before)
{
    if (setting_infos[id].type == SETTING_STRING && setting_infos[id].size > 0) {
        Str old, now;
        memcpy(&old, before, sizeof(old));
        memcpy(&now, (const char *)values + setting_infos[id].offset, sizeof(now));
        return !str_equal(old, now);
    }
    return memcmp(before, (const char *)values + setting_infos[id].offset,
                  setting_infos[id].size) != 0;
}

static void report_if_changed(Session *session, SettingId id, const byte *before)
{
    if (!session->is_logged_in || !(setting_infos[id].flags & SETTING_IS_REPORTED) ||
        !field_differs(&session->settings.current, id, before))
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
    const SettingContext context = setting_infos[id].context;

    return context > CONTEXT_POSTMASTER && context != CONTEXT_BACKEND &&
           context != CONTEXT_SUPERUSER_BACKEND && is_from_configuration(s->reset_source[id]) &&
           (s->reset_source[id] == SOURCE_FILE || config_source(id) == SOURCE_FILE);
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
        const uint8_t source = (uint8_t)config_source(id);
        if (!follows_files(s, id))
            continue;
        config_take(&s->reset, id);
        s->reset_source[i] = source;
        if (is_from_configuration(s->persistent_source[i])) {
            setting_copy(&s->persistent, &s->reset, id);
            s->persistent_source[i] = source;
        }
        if (is_from_configuration(s->source[i])) {
            byte before[16];
            field_save(before, &s->current, id);
            setting_copy(&s->current, &s->reset, id);
            s->source[i] = source;
            report_if_changed(session, id, before);
        }
    }
}

static bool is_role(int id)
{
    return id == SETTING_ROLE || id == SETTING_SESSION_AUTHORIZATION;
}

static void users_restore(Session *session, Oid session_user, Oid current_user)
{
    session->exec.catalog.session_user = session_user;
    session->exec.catalog.current_user = current_user;
}

/* -- What plans depend on ------------------------------------------------------------------- */

/* Settings that change from transaction to transaction, or say nothing about plans. The search path
 * and the role are part of a plan's key by themselves. */
static bool is_of_no_plan(int id)
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
    for (int id = 0; id < SETTING_COUNT; id++) {
        byte start[16];
        field_save(start, &settings_default, (SettingId)id);
        if (setting_infos[id].size == 0 || is_of_no_plan(id) ||
            !field_differs(&s->current, (SettingId)id, start))
            continue;
        const char *field = (const char *)&s->current + setting_infos[id].offset;
        uint64_t value = 0;
        if (setting_infos[id].type == SETTING_STRING)
            value = str_hash(*(const Str *)field);
        else
            memcpy(&value, field, setting_infos[id].size);
        key = hash_mix64(key ^ hash_mix64(value + (uint64_t)id));
    }
    return s->plan_key = key | 1;
}

/* -- End of transactions --------------------------------------------------------------------- */

static Str *saved_str(const byte *bytes)
{
    Str *value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* A name that has been set once stays known: it is empty where it had no value before. */
static void custom_restore(StrMap *map, Str name, Str *value)
{
    static Str empty = {"", 0};

    strmap_put(map, name, value ? value : &empty);
}

void session_settings_commit(Session *session)
{
    SessionSettings *s = &session->settings;

    if (s->changes.length > 0)
        s->plan_key = 0;
    for (size_t i = 0; i < s->changes.length; i++) {
        const SettingChange *change = &s->changes.items[i];
        if (change->id < 0) {
            custom_restore(&s->custom, change->name,
                           strmap_get(&s->custom_persistent, change->name));
            continue;
        }
        byte before[16];
        field_save(before, &s->current, (SettingId)change->id);
        setting_copy(&s->current, &s->persistent, (SettingId)change->id);
        setting_apply(session, (SettingId)change->id, &s->current);
        s->source[change->id] = s->persistent_source[change->id];
        if (is_role(change->id))
            users_restore(session, s->persistent_session_user, s->persistent_current_user);
        report_if_changed(session, (SettingId)change->id, before);
    }
    s->changes.length = 0;
}

void session_settings_rollback(Session *session, size_t mark)
{
    SessionSettings *s = &session->settings;

    if (s->changes.length > mark)
        s->plan_key = 0;
    while (s->changes.length > mark) {
        const SettingChange *change = &s->changes.items[--s->changes.length];
        if (change->id < 0) {
            custom_restore(&s->custom, change->name, saved_str(change->before_current));
            custom_restore(&s->custom_persistent, change->name,
                           saved_str(change->before_persistent));
            continue;
        }
        byte before[16];
        field_save(before, &s->current, (SettingId)change->id);
        field_restore(&s->current, change->before_current, (SettingId)change->id);
        field_restore(&s->persistent, change->before_persistent, (SettingId)change->id);
        setting_apply(session, (SettingId)change->id, &s->current);
        s->source[change->id] = change->before_source;
        s->persistent_source[change->id] = change->before_persistent_source;
        if (is_role(change->id))
            users_restore(session, change->before_session_user, change->before_current_user);
        report_if_changed(session, (SettingId)change->id, before);
    }
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

/* transaction_isolation and its kin speak of the open transaction. */
static bool apply_to_transaction(Session *session, SettingId id, Str value)
{
    Txn *txn = txn_session_current(session->txn_session);
    const SettingValues *now = &session->settings.current;
    IsolationLevel level;

    if (!txn)
        return true;
    if (id == SETTING_TRANSACTION_ISOLATION && parse_isolation(value, &level) &&
        level != txn_isolation(txn)) {
        if (session->has_queried && session->block != BLOCK_IMPLICIT)
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
        txn_set_read_only(txn, now->transaction_read_only);
        session->exec.is_read_only = now->transaction_read_only;
    }
    if (id == SETTING_TRANSACTION_DEFERRABLE)
        txn_set_deferrable(txn, now->transaction_deferrable);
    return true;
}

static bool check_encoding(Str value)
{
    const int encoding = encoding_find(value);
    if (encoding == ENCODING_UTF8)
        return true;
    if (encoding >= 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("client encoding %s is not supported", encoding_name(encoding)),
             .hint = STR("Clients speak UTF8 with this server."));
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message =
             fmt("invalid value for parameter \"client_encoding\": \"%.*s\"", STR_ARGS(value)));
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
            session->settings.current.role = session->settings.persistent.role = STR("none");
        }
        catalog->current_user = role->oid;
    }
    session->settings.current.is_superuser = session->settings.persistent.is_superuser =
        role_is_superuser(catalog, catalog->current_user);
    return true;
}

static Str canonical_value(SettingId id, Str value)
{
    if (id == SETTING_CLIENT_ENCODING)
        return STR("UTF8");
    return value;
}

/* -- SET ------------------------------------------------------------------------------------- */

static bool set_builtin(Session *session, SettingId id, Str value, bool is_local,
                        SettingSource source)
{
    SessionSettings *s = &session->settings;
    byte before[16];

    /* Who may become whom is checked when it is done: switch_role. */
    if (id != SETTING_SESSION_AUTHORIZATION)
        TRY(may_set(session, &setting_infos[id], source));
    if (id == SETTING_CLIENT_ENCODING)
        TRY(check_encoding(value));
    field_save(before, &s->current, id);
    change_begin(session, id);
    s->plan_key = 0;
    if (!settings_set(&s->current, s->arena, id, canonical_value(id, value))) {
        s->changes.length--;
        return false;
    }
    setting_apply(session, id, &s->current);
    if (is_role((int)id) && !switch_role(session, id, value)) {
        s->changes.length--;
        field_restore(&s->current, before, id);
        return false;
    }
    if (!apply_to_transaction(session, id, value)) {
        s->changes.length--;
        field_restore(&s->current, before, id);
        return false;
    }
    s->source[id] = (uint8_t)source;
    if (!is_local) {
        setting_copy(&s->persistent, &s->current, id);
        s->persistent_source[id] = (uint8_t)source;
        s->persistent_session_user = session->exec.catalog.session_user;
        s->persistent_current_user = session->exec.catalog.current_user;
    }
    if (id == SETTING_SYNCHRONOUS_COMMIT)
        txn_session_set_synchronous(session->txn_session,
                                    s->current.synchronous_commit == SYNCHRONOUS_COMMIT_OFF
                                        ? COMMIT_ASYNCHRONOUS
                                        : COMMIT_DURABLE);
    report_if_changed(session, id, before);
    return true;
}

static void set_custom(Session *session, Str name, Str value, bool is_local)
{
    SessionSettings *s = &session->settings;
    Str key = str_lower(s->arena, name);
    Str *old = strmap_get(&s->custom, key), *old_kept = strmap_get(&s->custom_persistent, key);
    SettingChange change = {.id = -1, .name = key};

    memcpy(change.before_current, &old, sizeof(old));
    memcpy(change.before_persistent, &old_kept, sizeof(old_kept));
    VEC_PUSH(s->arena, &s->changes, change);
    strmap_put(&s->custom, key, strp_copy(s->arena, value));
    if (!is_local)
        strmap_put(&s->custom_persistent, key, strmap_get(&s->custom, key));
}

bool session_setting_set(Session *session, Str name, Str value, bool is_local)
{
    int id = setting_find(name);

    if (id >= 0 && str_is_none(value)) /* set_config's null */
        return session_setting_reset(session, name, is_local);
    if (id >= 0)
        return set_builtin(session, (SettingId)id, value, is_local, SOURCE_SESSION);
    TRY(setting_custom_name_check(name));
    set_custom(session, name, value, is_local);
    return true;
}

bool session_setting_start(Session *session, Str name, Str value, SettingSource source)
{
    SessionSettings *s = &session->settings;
    int id = setting_find(name);

    if (id >= 0)
        TRY(set_builtin(session, (SettingId)id, value, false, source));
    else
        TRY(session_setting_set(session, name, value, false));
    if (id < 0)
        strmap_put(&s->custom_reset, str_lower(s->arena, name), strp_copy(s->arena, value));
    if (id >= 0) {
        setting_copy(&s->reset, &s->current, (SettingId)id);
        s->source[id] = s->persistent_source[id] = s->reset_source[id] = (uint8_t)source;
    }
    s->changes.length = 0;
    return true;
}

SettingSource session_setting_source(const Session *session, SettingId id)
{
    return session->settings.source[id];
}

bool session_setting_reset(Session *session, Str name, bool is_local)
{
    SessionSettings *s = &session->settings;
    int id = setting_find(name);

    if (id < 0) {
        TRY(setting_custom_name_check(name));
        const Str *start = strmap_get(&s->custom_reset, str_lower(s->arena, name));
        set_custom(session, name, start ? *start : STR(""), is_local);
        return true;
    }
    /* The text of the start value goes the same way as SET's: checks and side effects included. */
    CLEANUP(arena_freep) Arena *arena = arena_new("reset");
    return set_builtin(session, (SettingId)id, setting_show_raw(&s->reset, (SettingId)id, arena),
                       is_local, s->reset_source[id]);
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

    for (int id = 0; id < SETTING_COUNT; id++) {
        byte start[16];
        field_save(start, &s->reset, (SettingId)id);
        if (!is_kept_by_reset_all((SettingId)id) &&
            field_differs(&s->current, (SettingId)id, start))
            TRY(session_setting_reset(session, setting_infos[id].name, false));
    }
    return true;
}

#define ROLE_PG_READ_ALL_SETTINGS 3374

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
    Str *custom = strmap_get(&s->custom, str_lower(arena, name));
    if (!custom && !missing_ok)
        return fail_unknown(name);
    *ret_value = custom ? str_copy(arena, *custom) : STR_NONE;
    return true;
}
