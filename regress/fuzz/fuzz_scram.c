/*
 * SCRAM: the client's two messages and stored verifiers.
 *
 * In the second message `~n` stands for the nonce that the server gave and `~p` for the right
 * proof, so that inputs get behind the checks of both. Only a right proof for the stored password
 * may be let in.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "fuzz.h"
#include "protocol/scram.h"

#define PASSWORD "pencil"
#define ITERATIONS 2 /* deriving keys is not what is looked at */
#define SALT "c2FsdHNhbHRzYWx0c2E="

typedef struct Keys {
    byte client[32], stored[32], server[32];
} Keys;

static void keys_make(Keys *keys, Str salt)
{
    byte salted[32];
    unsigned length = 32;

    PKCS5_PBKDF2_HMAC(PASSWORD, sizeof(PASSWORD) - 1, (const byte *)salt.data, (int)salt.length,
                      ITERATIONS, EVP_sha256(), 32, salted);
    HMAC(EVP_sha256(), salted, 32, (const byte *)"Client Key", 10, keys->client, &length);
    HMAC(EVP_sha256(), salted, 32, (const byte *)"Server Key", 10, keys->server, &length);
    SHA256(keys->client, 32, keys->stored);
}

static Str verifier_make(Arena *arena, const Keys *keys)
{
    return str_format(arena, "SCRAM-SHA-256$%d:%s$%.*s:%.*s", ITERATIONS, SALT,
                      STR_ARGS(base64_encode(arena, str_make(keys->stored, 32))),
                      STR_ARGS(base64_encode(arena, str_make(keys->server, 32))));
}

static Str proof_make(Arena *arena, const Keys *keys, Str auth_message)
{
    byte proof[32];
    unsigned length = 32;

    HMAC(EVP_sha256(), keys->stored, 32, (const byte *)auth_message.data, auth_message.length,
         proof, &length);
    for (int i = 0; i < 32; i++)
        proof[i] ^= keys->client[i];
    return base64_encode(arena, str_make(proof, 32));
}

/* The client-first message without its GS2 header: behind the second comma. */
static Str bare(Str first)
{
    size_t comma = str_find_char(first, ',', 0);

    comma = comma == SIZE_MAX ? comma : str_find_char(first, ',', comma + 1);
    return comma == SIZE_MAX ? STR("") : str_slice(first, comma + 1, first.length);
}

static Str expand(Arena *arena, const Keys *keys, Str pattern, Str first, Str server_first)
{
    StrBuf out = strbuf_in(arena);
    const Str nonce = str_slice(server_first, 2, str_find_char(server_first, ',', 0) - 2);

    for (size_t i = 0; i < pattern.length; i++) {
        const char c = pattern.data[i], next = i + 1 < pattern.length ? pattern.data[i + 1] : 0;
        if (c != '~' || (next != 'n' && next != 'p')) {
            strbuf_append_char(&out, c);
            continue;
        }
        i++;
        if (next == 'n') {
            strbuf_append(&out, nonce);
            continue;
        }
        /* What is proved ends before ",p=". */
        const size_t end = out.length >= 3 ? out.length - 3 : 0;
        const Str message =
            str_format(arena, "%.*s,%.*s,%.*s", STR_ARGS(bare(first)), STR_ARGS(server_first),
                       STR_ARGS(str_slice(strbuf_view(&out), 0, end)));
        strbuf_append(&out, proof_make(arena, keys, message));
    }
    return strbuf_view(&out);
}

static void log_in(Arena *arena, Input *input)
{
    static const byte secret[16];
    const uint8_t options = input_byte(input);
    const bool exists = options & 1, has_binding = options & 2, wants_plus = options & 4;
    const Str first = input_piece(input);
    Str salt, reply;
    Keys keys;

    fuzz_require(base64_decode(arena, STR(SALT), &salt));
    keys_make(&keys, salt);
    Scram *scram = scram_begin(arena, exists ? verifier_make(arena, &keys) : STR_NONE,
                               has_binding ? STR("hash") : STR_NONE, STR("user"), secret);
    if (scram_first(scram, wants_plus ? STR("SCRAM-SHA-256-PLUS") : STR("SCRAM-SHA-256"), first,
                    &reply) != SCRAM_CONTINUE)
        return;
    const bool has_proof = str_find(input->rest, STR("~p"), 0) != SIZE_MAX;
    const Str final = expand(arena, &keys, input->rest, first, reply);
    const ScramOutcome outcome = scram_final(scram, final, &reply);
    fuzz_require(outcome != SCRAM_CONTINUE || (exists && has_proof));
    fuzz_require((outcome == SCRAM_FAILED) == error_is_set());
}

/* What passes for a verifier is small enough to be tried: its iterations are the input's. */
static void read_verifier(Arena *arena, Str text)
{
    Str bytes;

    scram_is_verifier(text);
    if (base64_decode(arena, text, &bytes))
        fuzz_require(bytes.length <= text.length / 4 * 3 &&
                     base64_encode(arena, bytes).length == text.length);
}

FUZZ_TARGET(data, size)
{
    Input input = input_of(data, size);
    Arena *arena = arena_new("fuzz");

    if (input_byte(&input) % 4 == 0)
        read_verifier(arena, input.rest);
    else
        log_in(arena, &input);
    error_clear();
    arena_free(arena);
    return 0;
}
