/*
 * A session's settings: what they are, what RESET goes back to, and what the end of a transaction
 * or of a savepoint does to them.
 *
 * `current` is what settings() gives. All that a transaction changes is noted: a note says what
 * rollback and what commit leave, which differ from the value itself after SET LOCAL. Outside of
 * transactions there are no notes. What RESET goes back to is the configuration's value, but for
 * those that came with the connection, its role or its database.
 *
 *   session_settings_init(&session->settings);                    configuration's values
 *   session_settings_identify(&session->settings, user, is_superuser);
 *   TRY(session_setting_start(session, name, value, source));     while logging in
 *   TRY(session_setting_set(session, name, value, is_local));     SET, set_config
 *   session_settings_commit(session);                             or _rollback(session, mark)
 */
#ifndef SERVER_SESSION_SETTINGS_H
#define SERVER_SESSION_SETTINGS_H

#include "base/hash.h"
#include "base/settings.h"
#include "base/vec.h"
#include "parser/ast.h"

typedef struct Session Session;

/* What role and session_authorization set beside their own values. */
typedef struct SettingUsers {
    Oid session_user, current_user;
    Str role;
    bool is_superuser;
} SettingUsers;

/* "app.region" */
typedef struct CustomSetting {
    Str value;
    Str start; /* what RESET goes back to; STR_NONE: the empty text */
} CustomSetting;

/* One change of a setting. */
typedef struct SettingChange {
    CustomSetting *custom; /* NULL: the setting is `id` */
    SettingId id;
    uint8_t before_source, kept_source;      /* SettingSource */
    SettingValue before, kept;               /* what rollback and what commit leave */
    SettingUsers *before_users, *kept_users; /* likewise, of who the session is; else NULL */
} SettingChange;

typedef struct SettingStart {
    SettingId id;
    SettingSource source;
    SettingValue value;
} SettingStart;

#define REPORTED_SETTINGS_MAX 32

typedef struct SessionSettings {
    Arena *arena; /* texts of the values below, and of some that have gone: see texts_settle */
    size_t arena_most;
    SettingValues current;         /* what settings() gives */
    uint8_t source[SETTING_COUNT]; /* SettingSource, by SettingId */
    VEC(SettingStart) starts;      /* that are not the configuration's */
    StrMap custom;                 /* name → CustomSetting * */
    VEC(SettingChange) changes;    /* of this transaction, in order; in its arena */
    /* Hashes of what the client knows, in order of SettingId. */
    uint64_t told[REPORTED_SETTINGS_MAX];
    bool has_news;     /* a reported setting was changed since */
    uint64_t plan_key; /* see session_settings_plan_key; 0: to be computed */
    int64_t loaded_at; /* the configuration's loading that the values above know */
} SessionSettings;

void session_settings_init(SessionSettings *settings);
/* Who has logged in; the text is borrowed. */
void session_settings_identify(SessionSettings *settings, Str user, bool is_superuser);
/* Takes up what a reload of the configuration changed and the session has not set itself. */
void session_settings_refresh(Session *session);
void session_settings_deinit(SessionSettings *settings);
/* By name, as SET and set_config do; checks who may. STR_NONE as the value resets. */
MUST_CHECK bool session_setting_set(Session *session, Str name, Str value, bool is_local);
MUST_CHECK bool session_setting_reset(Session *session, Str name, bool is_local);
MUST_CHECK bool session_setting_reset_all(Session *session);
/* As SHOW prints it; STR_NONE where it is unknown and missing_ok. */
MUST_CHECK bool session_setting_get(Session *session, Str name, bool missing_ok, Arena *arena,
                                    Str *ret_value);
/* While logging in: becomes the value that RESET goes back to. */
MUST_CHECK bool session_setting_start(Session *session, Str name, Str value, SettingSource source);
/* What RESET would make of all that have a field. */
void session_settings_start_values(const SessionSettings *settings, SettingValues *ret_values);
/* ALTER ROLE and ALTER DATABASE … SET: could sessions take the value (STR_NONE: go without)? */
MUST_CHECK bool session_setting_check(Session *session, Str name, Str value, Arena *arena);
/* May the current role see private settings? False: maybe with an error set. */
bool session_sees_private(Session *session);
/* A hash of the settings that plans may depend on: equal for sessions whose plans are alike. */
uint64_t session_settings_plan_key(Session *session);
/* ParameterStatus for what the client was told otherwise; before ReadyForQuery, not in between. */
void session_report_settings(Session *session);
void session_settings_commit(Session *session);
/* Undoes the changes from `mark` (a length of `changes`) on. */
void session_settings_rollback(Session *session, size_t mark);
MUST_CHECK bool session_set_execute(Session *session, const VariableSetStmt *statement,
                                    Str *ret_tag);
MUST_CHECK bool session_alter_system(Session *session, const AlterSystemStmt *statement,
                                     Str *ret_tag);

#endif
