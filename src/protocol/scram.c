#include "protocol/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/error.h"
#include "base/os.h"

#define KEY_SIZE 32
#define SALT_SIZE 16
#define NONCE_SIZE 18 /* bytes before base64: 24 characters */
#define PREFIX "SCRAM-SHA-256$"

typedef struct Key {
    byte bytes[KEY_SIZE];
} Key;

typedef struct Verifier {
    uint32_t iterations;
    Str salt; /* base64, as it is sent */
    Key stored_key, server_key;
} Verifier;

struct Scram {
    Arena *arena;
    Verifier verifier;
    bool is_doomed; /* no such user, or no SCRAM password: plays along, then refuses */
    Str binding;
    bool uses_binding; /* -PLUS was chosen */
    Str gs2_header; /* of the client's first message: "n,,", "y,," or "p=tls-server-end-point,," */
    Str client_first_bare, server_first;
    Str nonce; /* the client's and ours */
};

/* -- base64 ---------------------------------------------------------------------------------- */

Str base64_encode(Arena *arena, Str bytes)
{
    char *text = arena_alloc(arena, (bytes.length + 2) / 3 * 4 + 1);
    int length = EVP_EncodeBlock((byte *)text, (const byte *)bytes.data, (int)bytes.length);

    return str_make(text, (size_t)length);
}

/* Groups of four digits, at most two '=' at the end and nothing else: the library takes more. */
static bool is_base64(Str text)
{
    size_t digits = text.length;

    if (text.length % 4 != 0 || text.length > 1 << 20)
        return false;
    while (digits > 0 && text.length - digits < 2 && text.data[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++) {
        char c = text.data[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            c != '+' && c != '/')
            return false;
    }
    return true;
}

bool base64_decode(Arena *arena, Str text, Str *ret_bytes)
{
    if (!is_base64(text))
        return false;
    byte *bytes = arena_alloc(arena, text.length / 4 * 3 + 1);
    int length = EVP_DecodeBlock(bytes, (const byte *)text.data, (int)text.length);
    if (length < 0)
        return false;
    /* EVP_DecodeBlock counts the padding in. */
    for (size_t i = text.length; i > 0 && text.data[i - 1] == '='; i--)
        length--;
    if (length < 0)
        return false;
    *ret_bytes = str_make(bytes, (size_t)length);
    return true;
}

/* -- Keys ------------------------------------------------------------------------------------ */

static bool hmac(const Key *key, Str data, Key *ret_mac)
{
    unsigned length = KEY_SIZE;

    if (!HMAC(EVP_sha256(), key->bytes, KEY_SIZE, (const byte *)data.data, data.length,
              ret_mac->bytes, &length))
        FAIL(ERR_INTERNAL_ERROR, .message = STR("could not compute an HMAC"));
    return true;
}

static bool salted_password(Str password, Str salt, uint32_t iterations, Key *ret_key)
{
    if (PKCS5_PBKDF2_HMAC(password.data, (int)password.length, (const byte *)salt.data,
                          (int)salt.length, (int)iterations, EVP_sha256(), KEY_SIZE,
                          ret_key->bytes) != 1)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("could not derive a key from the password"));
    return true;
}

static Key sha256(const Key *key)
{
    Key digest;

    SHA256(key->bytes, KEY_SIZE, digest.bytes);
    return digest;
}

static Str key_str(const Key *key)
{
    return str_make(key->bytes, KEY_SIZE);
}

static bool keys_of_password(Str password, Str salt, uint32_t iterations, Key *ret_stored,
                             Key *ret_server)
{
    Key salted, client;

    TRY(salted_password(password, salt, iterations, &salted));
    TRY(hmac(&salted, STR("Client Key"), &client));
    TRY(hmac(&salted, STR("Server Key"), ret_server));
    *ret_stored = sha256(&client);
    OPENSSL_cleanse(&salted, sizeof(salted));
    OPENSSL_cleanse(&client, sizeof(client));
    return true;
}

/* -- Verifiers ------------------------------------------------------------------------------- */

static Str cut(Str *rest, char at)
{
    size_t end = str_find_char(*rest, at, 0);
    Str part = str_slice(*rest, 0, end);

    *rest = end == SIZE_MAX ? STR("") : str_slice(*rest, end + 1, rest->length);
    return part;
}

static bool parse_key(Arena *arena, Str text, Key *ret_key)
{
    Str bytes;

    if (!base64_decode(arena, text, &bytes) || bytes.length != KEY_SIZE)
        return false;
    memcpy(ret_key->bytes, bytes.data, KEY_SIZE);
    return true;
}

static bool verifier_parse(Arena *arena, Str text, Verifier *ret_verifier)
{
    uint64_t iterations;
    Str ignored;

    if (!str_starts_with(text, STR(PREFIX)))
        return false;
    Str rest = str_slice(text, sizeof(PREFIX) - 1, text.length);
    Str count = cut(&rest, ':'), salt = cut(&rest, '$'), stored = cut(&rest, ':'), server = rest;
    if (!str_to_uint64(count, &iterations) || iterations == 0 || iterations > INT32_MAX ||
        !base64_decode(arena, salt, &ignored) || ignored.length == 0)
        return false;
    ret_verifier->iterations = (uint32_t)iterations;
    ret_verifier->salt = str_copy(arena, salt);
    return parse_key(arena, stored, &ret_verifier->stored_key) &&
           parse_key(arena, server, &ret_verifier->server_key);
}

bool scram_is_verifier(Str text)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("verifier");
    Verifier verifier;

    return verifier_parse(arena, text, &verifier);
}

bool scram_verifier_make(Arena *arena, Str password, Str *ret_verifier)
{
    byte salt_bytes[SALT_SIZE];
    Key stored, server;

    os->random(salt_bytes, sizeof(salt_bytes));
    Str salt = str_make(salt_bytes, sizeof(salt_bytes));
    TRY(keys_of_password(password, salt, SCRAM_ITERATIONS, &stored, &server));
    *ret_verifier = str_format(arena, PREFIX "%d:%.*s$%.*s:%.*s", SCRAM_ITERATIONS,
                               STR_ARGS(base64_encode(arena, salt)),
                               STR_ARGS(base64_encode(arena, key_str(&stored))),
                               STR_ARGS(base64_encode(arena, key_str(&server))));
    return true;
}

bool scram_verify_password(Arena *arena, Str text, Str password)
{
    Verifier verifier;
    Key stored, server;
    Str salt;

    if (!verifier_parse(arena, text, &verifier) || !base64_decode(arena, verifier.salt, &salt))
        return false;
    if (!keys_of_password(password, salt, verifier.iterations, &stored, &server)) {
        error_clear();
        return false;
    }
    return CRYPTO_memcmp(stored.bytes, verifier.stored_key.bytes, KEY_SIZE) == 0;
}

/* -- The exchange ---------------------------------------------------------------------------- */

/* A salt for a user that does not exist: the same each time he is asked about. */
static void verifier_make_up(Arena *arena, Str user, const byte *secret, Verifier *ret_verifier)
{
    Str seed = str_concat(arena, str_make(secret, 16), user);
    byte digest[SHA256_DIGEST_LENGTH];

    SHA256((const byte *)seed.data, seed.length, digest);
    *ret_verifier = (Verifier){
        .iterations = SCRAM_ITERATIONS,
        .salt = base64_encode(arena, str_make(digest, SALT_SIZE)),
    };
}

Scram *scram_begin(Arena *arena, Str verifier, Str binding, Str user, const byte *secret)
{
    Scram *scram = ARENA_NEW(arena, Scram);

    scram->arena = arena;
    scram->binding = str_copy(arena, binding);
    scram->is_doomed = str_is_none(verifier) || !verifier_parse(arena, verifier, &scram->verifier);
    if (scram->is_doomed)
        verifier_make_up(arena, user, secret, &scram->verifier);
    return scram;
}

void scram_put_mechanisms(const Scram *scram, MessageOut *out)
{
    message_begin(out, 'R');
    message_put_int32(out, 10);
    if (!str_is_none(scram->binding))
        message_put_string(out, STR("SCRAM-SHA-256-PLUS"));
    message_put_string(out, STR("SCRAM-SHA-256"));
    message_put_int8(out, 0);
    message_end(out);
}

static bool fail_malformed(Str detail)
{
    FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
         .message = STR("malformed SCRAM message"), .detail = detail);
}

/* An attribute "x=value" up to the next comma; STR_NONE where it is another attribute. */
static Str take_attribute(Str *rest, char name)
{
    if (rest->length < 2 || rest->data[0] != name || rest->data[1] != '=')
        return STR_NONE;
    Str part = cut(rest, ',');
    return str_slice(part, 2, part.length);
}

static bool is_printable(Str text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < 0x21 || text.data[i] > 0x7e || text.data[i] == ',')
            return false;
    return text.length > 0;
}

/* The GS2 header: what the client says about channel binding. */
static bool check_binding_flag(Scram *scram, Str *rest)
{
    Str flag = cut(rest, ',');

    if (str_starts_with(flag, STR("p="))) {
        if (!scram->uses_binding)
            return fail_malformed(
                STR("The client selected SCRAM-SHA-256 without channel binding, but the SCRAM "
                    "message includes channel binding data."));
        if (!str_equal(flag, STR("p=tls-server-end-point")))
            FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
                 .message = fmt("unsupported SCRAM channel-binding type \"%.*s\"",
                                STR_ARGS(str_slice(flag, 2, flag.length))));
    } else if (str_equal(flag, STR("n")) || str_equal(flag, STR("y"))) {
        if (scram->uses_binding)
            return fail_malformed(
                STR("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not "
                    "include channel binding data."));
        /* "y": the client thinks that we cannot, but we offered it: a downgrade. */
        if (str_equal(flag, STR("y")) && !str_is_none(scram->binding))
            FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
                 .message = STR("SCRAM channel binding negotiation error"),
                 .detail = STR("The client supports SCRAM channel binding but thinks the server "
                               "does not.  However, this server does support channel binding."));
    } else {
        return fail_malformed(fmt("Unexpected channel-binding flag \"%.*s\".", STR_ARGS(flag)));
    }
    Str authorization = cut(rest, ',');
    if (authorization.length > 0)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .severity = SEVERITY_FATAL,
             .message = STR("client uses authorization identity, but it is not supported"));
    return true;
}

ScramOutcome scram_first(Scram *scram, Str mechanism, Str data, Str *ret_reply)
{
    byte random[NONCE_SIZE];
    Str rest = data;

    if (str_equal(mechanism, STR("SCRAM-SHA-256-PLUS")) && !str_is_none(scram->binding))
        scram->uses_binding = true;
    else if (!str_equal(mechanism, STR("SCRAM-SHA-256")))
        FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
             .message = STR("client selected an invalid SASL authentication mechanism"));
    TRY(check_binding_flag(scram, &rest));
    scram->gs2_header = str_copy(scram->arena, str_slice(data, 0, data.length - rest.length));
    scram->client_first_bare = str_copy(scram->arena, rest);
    if (rest.length > 0 && rest.data[0] == 'm')
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .severity = SEVERITY_FATAL,
             .message = STR("client requires an unsupported SCRAM extension"));
    Str name = take_attribute(&rest, 'n'); /* empty from libpq: the startup packet's user counts */
    if (str_is_none(name))
        return fail_malformed(STR("Attribute \"n\" expected."));
    Str nonce = take_attribute(&rest, 'r');
    if (str_is_none(nonce) || !is_printable(nonce))
        return fail_malformed(STR("Attribute \"r\" expected, in printable characters."));

    os->random(random, sizeof(random));
    scram->nonce =
        str_concat(scram->arena, nonce, base64_encode(scram->arena, str_make(random, NONCE_SIZE)));
    scram->server_first = str_format(scram->arena, "r=%.*s,s=%.*s,i=%u", STR_ARGS(scram->nonce),
                                     STR_ARGS(scram->verifier.salt), scram->verifier.iterations);
    *ret_reply = scram->server_first;
    return SCRAM_CONTINUE;
}

/* What the client must send as "c=": the GS2 header and the binding data, base64. */
static Str expected_binding(const Scram *scram)
{
    Str raw = scram->gs2_header;

    if (scram->uses_binding)
        raw = str_concat(scram->arena, raw, scram->binding);
    return base64_encode(scram->arena, raw);
}

/* ClientKey = proof xor HMAC(StoredKey, AuthMessage); its hash must be StoredKey. */
static bool proof_is_right(const Scram *scram, Str proof, Str auth_message, bool *ret_right)
{
    Key signature, client;

    TRY(hmac(&scram->verifier.stored_key, auth_message, &signature));
    for (size_t i = 0; i < KEY_SIZE; i++)
        client.bytes[i] = signature.bytes[i] ^ (byte)proof.data[i];
    Key stored = sha256(&client);
    *ret_right = CRYPTO_memcmp(stored.bytes, scram->verifier.stored_key.bytes, KEY_SIZE) == 0 &&
                 !scram->is_doomed;
    OPENSSL_cleanse(&client, sizeof(client));
    return true;
}

ScramOutcome scram_final(Scram *scram, Str data, Str *ret_reply)
{
    Str rest = data, proof;
    Key signature;
    bool is_right;

    Str binding = take_attribute(&rest, 'c');
    Str nonce = take_attribute(&rest, 'r');
    if (str_is_none(binding) || str_is_none(nonce))
        return fail_malformed(STR("Attributes \"c\" and \"r\" expected."));
    while (rest.length > 0 && rest.data[0] != 'p') /* extensions are passed over */
        cut(&rest, ',');
    size_t proof_at = data.length - rest.length;
    Str proof_text = take_attribute(&rest, 'p');
    if (str_is_none(proof_text) || rest.length > 0 ||
        !base64_decode(scram->arena, proof_text, &proof) || proof.length != KEY_SIZE)
        return fail_malformed(STR("Attribute \"p\" expected, a proof in base64."));
    if (!str_equal(nonce, scram->nonce))
        FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
             .message = STR("invalid SCRAM response"), .detail = STR("Nonce does not match."));
    if (!str_equal(binding, expected_binding(scram)))
        FAIL(ERR_INVALID_AUTHORIZATION_SPECIFICATION, .severity = SEVERITY_FATAL,
             .message = STR("SCRAM channel binding check failed"));

    Str auth_message =
        str_format(scram->arena, "%.*s,%.*s,%.*s", STR_ARGS(scram->client_first_bare),
                   STR_ARGS(scram->server_first), STR_ARGS(str_slice(data, 0, proof_at - 1)));
    TRY(proof_is_right(scram, proof, auth_message, &is_right));
    if (!is_right)
        return SCRAM_REFUSED;
    TRY(hmac(&scram->verifier.server_key, auth_message, &signature));
    *ret_reply = str_format(scram->arena, "v=%.*s",
                            STR_ARGS(base64_encode(scram->arena, key_str(&signature))));
    return SCRAM_CONTINUE;
}
