/* COPY's stream over a session's connection. */
#ifndef SERVER_COPY_CHANNEL_H
#define SERVER_COPY_CHANNEL_H

#include "executor/command/copy.h"
#include "server/session.h"

typedef struct SessionCopy {
    CopyChannel channel; /* first */
    Session *session;
    size_t unconsumed; /* bytes of the message whose body was handed out */
} SessionCopy;

void session_copy_init(SessionCopy *copy, Session *session);
/* Gives the last message's bytes back to the connection. Always, also after a failure. */
void session_copy_deinit(SessionCopy *copy);

#endif
