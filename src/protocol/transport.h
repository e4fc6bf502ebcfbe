/*
 * Transports: bytes over a socket, plain or through TLS, without ever waiting.
 *
 * Every call does what can be done now and says what it would have to wait for; who calls has the
 * descriptor watched (scheduler.h) and calls again. TLS 1.2 and later by OpenSSL.
 *
 *   switch (transport_receive(transport, buffer, size, &count)) {
 *   case TRANSPORT_DONE: …                       count > 0
 *   case TRANSPORT_WAIT_READ, _WAIT_WRITE: …     wait for that, call again
 *   case TRANSPORT_CLOSED: …                     the peer has ended
 *   case TRANSPORT_FAILED: …                     error is set
 *   }
 */
#ifndef PROTOCOL_TRANSPORT_H
#define PROTOCOL_TRANSPORT_H

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"

typedef struct TlsContext TlsContext;
typedef struct Transport Transport;

/* Files in PEM; empty strings where there is none. Versions as ssl_min_protocol_version has them.
 */
typedef struct TlsOptions {
    Str certificate_file, key_file, ca_file, ciphers;
    Str minimum_version, maximum_version; /* "TLSv1.2", "TLSv1.3" or empty */
    Str curve;                            /* of ECDH; empty: OpenSSL's choice */
    bool prefers_client_ciphers;
} TlsOptions;
MUST_CHECK TlsContext *tls_context_new(const TlsOptions *options);
void tls_context_ref(TlsContext *context);
void tls_context_unref(TlsContext *context); /* accepts NULL */

typedef enum TransportOutcome {
    TRANSPORT_FAILED = 0, /* error is set: 08006 or 08P01 */
    TRANSPORT_DONE,
    TRANSPORT_WAIT_READ,
    TRANSPORT_WAIT_WRITE,
    TRANSPORT_CLOSED,
} TransportOutcome;

/* Owns the descriptor, which is non-blocking. */
Transport *transport_new(int fd);
void transport_free(Transport *transport); /* closes; accepts NULL */
int transport_fd(const Transport *transport);
MUST_CHECK TransportOutcome transport_receive(Transport *transport, void *buffer, size_t size,
                                              size_t *ret_count);
MUST_CHECK TransportOutcome transport_send(Transport *transport, const void *data, size_t size,
                                           size_t *ret_count);

/* After SSLRequest was answered with 'S': call until TRANSPORT_DONE. */
MUST_CHECK TransportOutcome transport_tls_accept(Transport *transport, TlsContext *context);
bool transport_is_tls(const Transport *transport);
/* The tls-server-end-point binding (RFC 5929): the certificate's hash. */
Str transport_channel_binding(const Transport *transport, Arena *arena);
/* The common name of the client's verified certificate; STR_NONE without one. */
Str transport_client_name(const Transport *transport, Arena *arena);
/* "TLSv1.3", "TLS_AES_256_GCM_SHA384", for pg_stat_ssl and logs; STR_NONE without TLS. */
Str transport_tls_version(const Transport *transport);
Str transport_tls_cipher(const Transport *transport);
int32_t transport_tls_bits(const Transport *transport);

#endif
