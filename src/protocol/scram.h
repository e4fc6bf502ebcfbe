/*
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, 7677; RFC 5929 for the
 * tls-server-end-point binding), and password verifiers as PostgreSQL stores them:
 * SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, all base64.
 *
 *   Scram *scram = scram_begin(arena, verifier, binding);       verifier STR_NONE: no such user
 *   message: SASL mechanisms from scram_put_mechanisms
 *   SASLInitialResponse → scram_first(scram, mechanism, data, &reply)    →
 * AuthenticationSASLContinue SASLResponse        → scram_final(scram, data, &reply)               →
 * SASLFinal, or refused
 *
 * Unknown users go through the same exchange with a made-up verifier, so that nobody learns who
 * exists. Comparisons take the same time whatever differs.
 */
#ifndef PROTOCOL_SCRAM_H
#define PROTOCOL_SCRAM_H

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"
#include "protocol/message.h"

typedef struct Scram Scram;

/* `binding`: the end-point hash of the server's certificate; STR_NONE without TLS. `user` and
 * `secret` (16 bytes, the same for the life of the server) make the salt of users that don't exist.
 */
Scram *scram_begin(Arena *arena, Str verifier, Str binding, Str user, const byte *secret);
/* AuthenticationSASL with the mechanisms that can be used. */
void scram_put_mechanisms(const Scram *scram, MessageOut *out);

typedef enum ScramOutcome {
    SCRAM_FAILED = 0, /* a protocol violation: error is set */
    SCRAM_CONTINUE,   /* send *ret_reply */
    SCRAM_REFUSED,    /* the password is wrong, or there is none; no error is set */
} ScramOutcome;
MUST_CHECK ScramOutcome scram_first(Scram *scram, Str mechanism, Str data, Str *ret_reply);
MUST_CHECK ScramOutcome scram_final(Scram *scram, Str data, Str *ret_reply);

#define SCRAM_ITERATIONS 4096

/* A verifier for a password, with a random salt. Fails where the library does. */
MUST_CHECK bool scram_verifier_make(Arena *arena, Str password, Str *ret_verifier);
bool scram_is_verifier(Str text);
/* Does the clear-text password fit the verifier? */
bool scram_verify_password(Arena *arena, Str verifier, Str password);

Str base64_encode(Arena *arena, Str bytes);
/* False (no error set) where text is not base64. */
bool base64_decode(Arena *arena, Str text, Str *ret_bytes);

#endif
