/*
 * Text between a session and its client, who may speak another encoding than UTF8.
 *
 * session->client_encoding is 0 where nothing is to be converted: the client speaks UTF8, or
 * SQL_ASCII, which is taken as it comes. What comes is checked in any case (22021); what goes out
 * and has no equivalent there is 22P05.
 */
#ifndef SERVER_CLIENT_TEXT_H
#define SERVER_CLIENT_TEXT_H

#include "planner/planner.h"
#include "server/session.h"

/* Takes up client_encoding. */
void client_text_apply(Session *session);
/* Checks what has come; where it is converted it is in the arena then. */
MUST_CHECK bool client_text_take(Session *session, Arena *arena, Str *text);
/* The same of a parameter's binary form. */
MUST_CHECK bool client_binary_take(Session *session, Arena *arena, Oid type, Str *bytes);
/* As the client has it: the same, or in the arena. */
MUST_CHECK bool client_text_give(Session *session, Arena *arena, Str *text);
/* All texts of an error or a notice. */
MUST_CHECK bool client_fields_give(Session *session, Arena *arena, ErrorFields *fields);
/* Converts the values of the row at the end of `out`, whose first field is at `start`. Only for
 * sessions that convert. */
MUST_CHECK bool client_row_give(Session *session, const RowDescription *description,
                                const uint16_t *formats, uint32_t format_count, size_t start);

#endif
