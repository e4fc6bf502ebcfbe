#include "protocol/transport.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

struct TlsContext {
    SSL_CTX *context;
    _Atomic unsigned references;
};

struct Transport {
    int fd;
    SSL *ssl; /* NULL: plain */
    TlsContext *tls;
};

/* The newest of OpenSSL's queued reasons. */
static Str openssl_reason(Arena *arena)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    Str text =
        reason ? str_format(arena, "%s", reason) : str_format(arena, "SSL error code %lu", code);

    ERR_clear_error();
    return text;
}

static bool fail_tls(SqlState state, const char *what, Str subject)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("tls error");
    Str reason = openssl_reason(arena);

    if (subject.length)
        FAIL(state, .message = fmt("%s \"%.*s\": %.*s", what, STR_ARGS(subject), STR_ARGS(reason)));
    FAIL(state, .message = fmt("%s: %.*s", what, STR_ARGS(reason)));
}

/* -- Contexts -------------------------------------------------------------------------------- */

static int version_number(Str name)
{
    if (str_equal_nocase(name, STR("TLSv1.2")))
        return TLS1_2_VERSION;
    if (str_equal_nocase(name, STR("TLSv1.3")))
        return TLS1_3_VERSION;
    return 0;
}

static bool load_files(SSL_CTX *context, const TlsOptions *options, Arena *arena)
{
    if (SSL_CTX_use_certificate_chain_file(context, str_to_c(arena, options->certificate_file)) !=
        1)
        return fail_tls(ERR_CONFIG_FILE_ERROR, "could not load server certificate file",
                        options->certificate_file);
    if (SSL_CTX_use_PrivateKey_file(context, str_to_c(arena, options->key_file),
                                    SSL_FILETYPE_PEM) != 1)
        return fail_tls(ERR_CONFIG_FILE_ERROR, "could not load private key file",
                        options->key_file);
    if (SSL_CTX_check_private_key(context) != 1)
        return fail_tls(ERR_CONFIG_FILE_ERROR, "check of private key failed", STR(""));
    if (options->ca_file.length == 0)
        return true;
    char *ca = str_to_c(arena, options->ca_file);
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
    if (!names || SSL_CTX_load_verify_locations(context, ca, NULL) != 1)
        return fail_tls(ERR_CONFIG_FILE_ERROR, "could not load root certificate file",
                        options->ca_file);
    SSL_CTX_set_client_CA_list(context, names);
    /* A certificate is asked for; whether one is needed is hba.conf's to say. */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, NULL);
    return true;
}

static bool set_up(SSL_CTX *context, const TlsOptions *options, Arena *arena)
{
    int minimum = version_number(options->minimum_version);

    SSL_CTX_set_min_proto_version(context, minimum ? minimum : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, version_number(options->maximum_version));
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
    if (options->prefers_client_ciphers)
        SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (options->curve.length &&
        SSL_CTX_set1_groups_list(context, str_to_c(arena, options->curve)) != 1)
        return fail_tls(ERR_CONFIG_FILE_ERROR, "could not set the ECDH curve", options->curve);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (options->ciphers.length &&
        SSL_CTX_set_cipher_list(context, str_to_c(arena, options->ciphers)) != 1)
        return fail_tls(ERR_CONFIG_FILE_ERROR,
                        "could not set the cipher list (no valid ciphers "
                        "available)",
                        STR(""));
    return load_files(context, options, arena);
}

TlsContext *tls_context_new(const TlsOptions *options)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("tls context");
    SSL_CTX *ssl_context = SSL_CTX_new(TLS_server_method());

    if (!ssl_context) {
        fail_tls(ERR_INTERNAL_ERROR, "could not create SSL context", STR(""));
        return NULL;
    }
    TlsContext *context = memory_must(sizeof(TlsContext));
    *context = (TlsContext){.context = ssl_context, .references = 1};
    if (!set_up(ssl_context, options, arena)) {
        tls_context_unref(context);
        return NULL;
    }
    return context;
}

void tls_context_ref(TlsContext *context)
{
    atomic_fetch_add(&context->references, 1);
}

void tls_context_unref(TlsContext *context)
{
    if (!context || atomic_fetch_sub(&context->references, 1) > 1)
        return;
    SSL_CTX_free(context->context);
    memory_free(context);
}

/* -- Transports ------------------------------------------------------------------------------ */

Transport *transport_new(int fd)
{
    Transport *transport = memory_must(sizeof(Transport));

    *transport = (Transport){.fd = fd};
    return transport;
}

void transport_free(Transport *transport)
{
    if (!transport)
        return;
    if (transport->ssl) {
        SSL_shutdown(transport->ssl); /* says goodbye if it can do so at once */
        ERR_clear_error();
        SSL_free(transport->ssl);
        tls_context_unref(transport->tls);
    }
    close(transport->fd);
    memory_free(transport);
}

int transport_fd(const Transport *transport)
{
    return transport->fd;
}

/* What a result of SSL_read, SSL_write or SSL_accept that is not success means. */
static TransportOutcome tls_outcome(Transport *transport, int result, const char *what)
{
    switch (SSL_get_error(transport->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TRANSPORT_WAIT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TRANSPORT_WAIT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TRANSPORT_CLOSED;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return TRANSPORT_CLOSED;
    default:
        fail_tls(ERR_PROTOCOL_VIOLATION, what, STR(""));
        return TRANSPORT_FAILED;
    }
}

static TransportOutcome socket_outcome(const char *what, TransportOutcome wait)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return wait;
    if (errno == ECONNRESET || errno == EPIPE)
        return TRANSPORT_CLOSED;
    FAIL(ERR_CONNECTION_FAILURE, .message = fmt("could not %s client: %s", what, strerror(errno)));
}

TransportOutcome transport_receive(Transport *transport, void *buffer, size_t size,
                                   size_t *ret_count)
{
    if (transport->ssl) {
        int got = SSL_read(transport->ssl, buffer, (int)MIN(size, (size_t)INT32_MAX));
        if (got <= 0)
            return tls_outcome(transport, got, "SSL error");
        *ret_count = (size_t)got;
        return TRANSPORT_DONE;
    }
    ssize_t got = recv(transport->fd, buffer, size, 0);
    if (got < 0)
        return socket_outcome("receive data from", TRANSPORT_WAIT_READ);
    if (got == 0)
        return TRANSPORT_CLOSED;
    *ret_count = (size_t)got;
    return TRANSPORT_DONE;
}

TransportOutcome transport_send(Transport *transport, const void *data, size_t size,
                                size_t *ret_count)
{
    if (transport->ssl) {
        int put = SSL_write(transport->ssl, data, (int)MIN(size, (size_t)INT32_MAX));
        if (put <= 0)
            return tls_outcome(transport, put, "SSL error");
        *ret_count = (size_t)put;
        return TRANSPORT_DONE;
    }
    ssize_t put = send(transport->fd, data, size, MSG_NOSIGNAL);
    if (put < 0)
        return socket_outcome("send data to", TRANSPORT_WAIT_WRITE);
    *ret_count = (size_t)put;
    return TRANSPORT_DONE;
}

TransportOutcome transport_tls_accept(Transport *transport, TlsContext *context)
{
    if (!transport->ssl) {
        transport->ssl = SSL_new(context->context);
        if (!transport->ssl || SSL_set_fd(transport->ssl, transport->fd) != 1) {
            fail_tls(ERR_PROTOCOL_VIOLATION, "could not initialize SSL connection", STR(""));
            return TRANSPORT_FAILED;
        }
        transport->tls = context;
        tls_context_ref(context);
    }
    ERR_clear_error();
    int result = SSL_accept(transport->ssl);
    return result == 1 ? TRANSPORT_DONE
                       : tls_outcome(transport, result, "could not accept SSL connection");
}

bool transport_is_tls(const Transport *transport)
{
    return transport->ssl != NULL;
}

/* RFC 5929, 4.1: the hash of the signature's algorithm; MD5 and SHA-1 are raised to SHA-256. */
static const EVP_MD *binding_digest(X509 *certificate)
{
    int digest = NID_undef;

    if (!X509_get_signature_info(certificate, &digest, NULL, NULL, NULL) || digest == NID_md5 ||
        digest == NID_sha1 || digest == NID_undef)
        return EVP_sha256();
    return EVP_get_digestbynid(digest);
}

Str transport_channel_binding(const Transport *transport, Arena *arena)
{
    byte digest[EVP_MAX_MD_SIZE];
    unsigned size = sizeof(digest);
    X509 *certificate = transport->ssl ? SSL_get_certificate(transport->ssl) : NULL;

    if (!certificate || !X509_digest(certificate, binding_digest(certificate), digest, &size))
        return STR_NONE;
    return str_copy(arena, str_make(digest, size));
}

Str transport_client_name(const Transport *transport, Arena *arena)
{
    char name[256];

    if (!transport->ssl || SSL_get_verify_result(transport->ssl) != X509_V_OK)
        return STR_NONE;
    X509 *certificate = SSL_get_peer_certificate(transport->ssl);
    if (!certificate)
        return STR_NONE;
    int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                           sizeof(name));
    X509_free(certificate);
    /* A NUL inside would let one name look like another. */
    if (length < 0 || (size_t)length != strlen(name))
        return STR_NONE;
    return str_copy(arena, str_make(name, (size_t)length));
}

Str transport_tls_version(const Transport *transport)
{
    return transport->ssl ? str_from_c(SSL_get_version(transport->ssl)) : STR_NONE;
}

Str transport_tls_cipher(const Transport *transport)
{
    return transport->ssl ? str_from_c(SSL_get_cipher(transport->ssl)) : STR_NONE;
}

int32_t transport_tls_bits(const Transport *transport)
{
    return transport->ssl ? SSL_get_cipher_bits(transport->ssl, NULL) : 0;
}
