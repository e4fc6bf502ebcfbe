/*
 * What settings must be beyond their type, and what setting one does at once.
 *
 *   setting_checks_init();                                   once, before configuration is read
 *   setting_apply(session, id, &session->settings.current);  after a value has changed
 */
#ifndef SERVER_SETTING_CHECKS_H
#define SERVER_SETTING_CHECKS_H

#include "base/settings.h"

typedef struct Session Session;

void setting_checks_init(void);
/* "app.user": two or more plain identifiers with dots between them. */
bool setting_name_is_custom(Str name);
/* Fails with 42602 for a name that has dots and is none of those, with 42704 for one without. */
MUST_CHECK bool setting_custom_name_check(Str name);
/* What a setting does beyond being read: to the transaction, to later commits, to the socket, whose
 * keepalive times `values` then has as the kernel made them. Cannot fail. */
void setting_apply(Session *session, SettingId id, SettingValues *values);
/* All of those, when a session begins. */
void setting_apply_all(Session *session, SettingValues *values);

#endif
