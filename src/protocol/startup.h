/*
 * The first packet of a connection: a request for TLS, GSS or a cancel, or the startup proper.
 * Source: PostgreSQL manual, "Start-up" and "Message Formats".
 */
#ifndef PROTOCOL_STARTUP_H
#define PROTOCOL_STARTUP_H

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"
#include "base/vec.h"
#include "protocol/message.h"

typedef enum StartupKind {
    STARTUP_INVALID = 0, /* error is set; it is sent as it is and the connection closed */
    STARTUP_SSL_REQUEST,
    STARTUP_GSS_REQUEST,
    STARTUP_CANCEL,
    STARTUP_SESSION,
} StartupKind;

typedef struct StartupOption {
    Str name, value;
} StartupOption;

typedef struct Startup {
    /* STARTUP_CANCEL */
    int32_t process_id;
    int32_t secret;
    /* STARTUP_SESSION: strings in the arena that was given. */
    uint32_t minor_version; /* of protocol 3 as asked for */
    Str user;
    Str database;                /* the user's name where none was given */
    bool replication;            /* asked for: refused by who cannot serve it */
    VEC(StartupOption) options;  /* settings, those of "options=-c …" first */
    VEC(Str) unknown_extensions; /* "_pq_.…" options that we don't know */
} Startup;

MUST_CHECK StartupKind startup_parse(Str body, Arena *arena, Startup *ret_startup);
/* NegotiateProtocolVersion, where the client asked for more than 3.0: true if it was put. */
bool startup_put_negotiation(MessageOut *out, const Startup *startup);

#endif
