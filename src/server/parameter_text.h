/*
 * Bound parameters in words, for log lines and for the context of errors.
 *
 *   parameters_text(session, portal, texts, most)       "$1 = '5', $2 = NULL"
 *   bind_error_context(session, portal, i, text)        "unnamed portal parameter $1 = '...'"
 *   portal_context(session, portal)                     "portal "c" with parameters: $1 = '5'"
 *
 * `most` is log_parameter_max_length or log_parameter_max_length_on_error: the bytes of each value
 * that are shown, with "..." for the rest; -1 for all. Texts live as long as the message.
 */
#ifndef SERVER_PARAMETER_TEXT_H
#define SERVER_PARAMETER_TEXT_H

#include "server/session.h"

/* Empty when `most` is 0 or there are none. `texts` has what the client sent of each as text, none
 * for the others; NULL: all are told as their types print them. */
Str parameters_text(Session *session, const Portal *portal, const Str *texts, int64_t most);

/* The error that is set came up at parameter `i` (from 0); `text` is what the client sent for it,
 * none where it isn't known to be text. */
void bind_error_context(Session *session, const Portal *portal, uint16_t i, Str text);

/* For errors that come up while the portal is planned or run: the parameters, where they were
 * wanted when they were bound; else none, as by default. */
Str portal_context(Session *session, const Portal *portal);

#endif
