/* The server's SCRAM against a client of our own, which RFC 7677's example checks first. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "protocol/scram.h"

static Arena *arena;
static const byte secret[16] = "0123456789abcde";

static Str mac(Str key, Str data)
{
    byte *result = arena_alloc(arena, 32);
    unsigned length = 32;

    assert_non_null(HMAC(EVP_sha256(), key.data, (int)key.length, (const byte *)data.data,
                         data.length, result, &length));
    return str_make(result, 32);
}

static Str hash(Str data)
{
    byte *result = arena_alloc(arena, 32);

    assert_true(EVP_Digest(data.data, data.length, result, NULL, EVP_sha256(), NULL));
    return str_make(result, 32);
}

typedef struct ClientAnswer {
    Str proof, signature;
} ClientAnswer;

/* What a client that knows the password sends, and what it wants to hear. */
static ClientAnswer client_answer(Str password, Str salt64, int iterations, Str auth_message)
{
    byte salted[32];
    Str salt;

    assert_true(base64_decode(arena, salt64, &salt));
    assert_int_equal(PKCS5_PBKDF2_HMAC(password.data, (int)password.length, (const byte *)salt.data,
                                       (int)salt.length, iterations, EVP_sha256(), 32, salted),
                     1);
    Str key = str_make(salted, 32), client_key = mac(key, STR("Client Key"));
    Str signature = mac(hash(client_key), auth_message);
    byte *proof = arena_alloc(arena, 32);
    for (int i = 0; i < 32; i++)
        proof[i] = (byte)(client_key.data[i] ^ signature.data[i]);
    return (ClientAnswer){base64_encode(arena, str_make(proof, 32)),
                          base64_encode(arena, mac(mac(key, STR("Server Key")), auth_message))};
}

static void the_client_agrees_with_rfc_7677(void **state)
{
    ClientAnswer answer =
        client_answer(STR("pencil"), STR("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096,
                      STR("n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%"
                          "hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
                          "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"));

    (void)state;
    assert_true(str_equal(answer.proof, STR("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")));
    assert_true(str_equal(answer.signature, STR("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
}

/* A whole exchange; the signature must be what the client wants to hear. */
static ScramOutcome exchange(Str verifier, Str password, Str binding, Str mechanism, Str header,
                             Str claimed_binding)
{
    Scram *scram = scram_begin(arena, verifier, binding, STR("user"), secret);
    Str bare = STR("n=,r=clientnonce"), reply;
    ScramOutcome outcome = scram_first(scram, mechanism, str_concat(arena, header, bare), &reply);

    if (outcome != SCRAM_CONTINUE)
        return outcome;
    size_t salt_at = str_find(reply, STR(",s="), 0), count_at = str_find(reply, STR(",i="), 0);
    Str nonce = str_slice(reply, 2, salt_at - 2),
        salt = str_slice(reply, salt_at + 3, count_at - salt_at - 3);
    assert_true(str_starts_with(nonce, STR("clientnonce")));
    assert_true(nonce.length >= 11 + 24);
    Str without_proof =
        str_format(arena, "c=%.*s,r=%.*s",
                   STR_ARGS(base64_encode(arena, str_concat(arena, header, claimed_binding))),
                   STR_ARGS(nonce));
    Str auth = str_format(arena, "%.*s,%.*s,%.*s", STR_ARGS(bare), STR_ARGS(reply),
                          STR_ARGS(without_proof));
    ClientAnswer answer = client_answer(password, salt, 4096, auth);
    outcome = scram_final(
        scram, str_format(arena, "%.*s,p=%.*s", STR_ARGS(without_proof), STR_ARGS(answer.proof)),
        &reply);
    if (outcome == SCRAM_CONTINUE)
        assert_true(str_equal(reply, str_concat(arena, STR("v="), answer.signature)));
    return outcome;
}

static void the_right_password_is_let_in(void **state)
{
    Str verifier;

    (void)state;
    assert_true(scram_verifier_make(arena, STR("pencil"), &verifier));
    assert_true(str_starts_with(verifier, STR("SCRAM-SHA-256$4096:")));
    assert_true(scram_is_verifier(verifier));
    assert_int_equal(
        exchange(verifier, STR("pencil"), STR_NONE, STR("SCRAM-SHA-256"), STR("n,,"), STR("")),
        SCRAM_CONTINUE);
    assert_int_equal(
        exchange(verifier, STR("pencil"), STR_NONE, STR("SCRAM-SHA-256"), STR("y,,"), STR("")),
        SCRAM_CONTINUE);
    assert_int_equal(
        exchange(verifier, STR("pencils"), STR_NONE, STR("SCRAM-SHA-256"), STR("n,,"), STR("")),
        SCRAM_REFUSED);
    assert_int_equal(
        exchange(STR_NONE, STR("pencil"), STR_NONE, STR("SCRAM-SHA-256"), STR("n,,"), STR("")),
        SCRAM_REFUSED);
    assert_int_equal(
        exchange(STR("md5abc"), STR("pencil"), STR_NONE, STR("SCRAM-SHA-256"), STR("n,,"), STR("")),
        SCRAM_REFUSED);
}

static void channels_are_bound(void **state)
{
    Str verifier, plus = STR("SCRAM-SHA-256-PLUS"), bound = STR("p=tls-server-end-point,,");

    (void)state;
    assert_true(scram_verifier_make(arena, STR("pencil"), &verifier));
    assert_int_equal(exchange(verifier, STR("pencil"), STR("hash"), plus, bound, STR("hash")),
                     SCRAM_CONTINUE);
    assert_int_equal(
        exchange(verifier, STR("pencil"), STR("hash"), STR("SCRAM-SHA-256"), STR("n,,"), STR("")),
        SCRAM_CONTINUE);
    const struct {
        Str binding, mechanism, header, claimed;
    } wrong[] = {
        {STR("hash"), plus, bound, STR("other")},
        {STR_NONE, plus, bound, STR("hash")},
        {STR("hash"), plus, STR("n,,"), STR("")},
        {STR("hash"), STR("SCRAM-SHA-256"), STR("y,,"), STR("")},
        {STR("hash"), STR("SCRAM-SHA-256"), bound, STR("hash")},
        {STR("hash"), plus, STR("p=tls-unique,,"), STR("hash")},
        {STR("hash"), STR("SCRAM-SHA-1"), STR("n,,"), STR("")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(exchange(verifier, STR("pencil"), wrong[i].binding, wrong[i].mechanism,
                                  wrong[i].header, wrong[i].claimed),
                         SCRAM_FAILED);
        error_clear();
    }
}

static void malformed_messages_are_violations(void **state)
{
    static const char *const firsts[] = {
        "",       "n",        "n,",           "n,,",       "n,,r=x",       "n,,n=",
        "n,,n=,", "n,,n=,r=", "n,,n=,r=\x01", "x,,n=,r=a", "n,a=b,n=,r=a", "n,,m=ext,n=,r=a",
        ",,,,"};
    static const char *const finals[] = {
        "",
        "c=biws",
        "c=biws,r=a",
        "c=biws,r=a,p=",
        "c=biws,r=a,p=AAAA",
        "r=a,c=biws",
        "c=,r=,p=,",
        "c=biws,r=wrong,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    Str verifier, reply;

    (void)state;
    assert_true(scram_verifier_make(arena, STR("pencil"), &verifier));
    for (size_t i = 0; i < ARRAY_LENGTH(firsts); i++) {
        Scram *scram = scram_begin(arena, verifier, STR_NONE, STR("user"), secret);
        assert_int_equal(scram_first(scram, STR("SCRAM-SHA-256"), str_from_c(firsts[i]), &reply),
                         SCRAM_FAILED);
        error_clear();
    }
    for (size_t i = 0; i < ARRAY_LENGTH(finals); i++) {
        Scram *scram = scram_begin(arena, verifier, STR_NONE, STR("user"), secret);
        assert_int_equal(scram_first(scram, STR("SCRAM-SHA-256"), STR("n,,n=,r=a"), &reply),
                         SCRAM_CONTINUE);
        assert_int_equal(scram_final(scram, str_from_c(finals[i]), &reply), SCRAM_FAILED);
        error_clear();
    }
}

/* The salt of a user who does not exist is as constant as that of one who does. */
static void unknown_users_have_a_salt_of_their_own(void **state)
{
    Str first, second, other;

    (void)state;
    assert_int_equal(scram_first(scram_begin(arena, STR_NONE, STR_NONE, STR("a"), secret),
                                 STR("SCRAM-SHA-256"), STR("n,,n=,r=x"), &first),
                     SCRAM_CONTINUE);
    assert_int_equal(scram_first(scram_begin(arena, STR_NONE, STR_NONE, STR("a"), secret),
                                 STR("SCRAM-SHA-256"), STR("n,,n=,r=x"), &second),
                     SCRAM_CONTINUE);
    assert_int_equal(scram_first(scram_begin(arena, STR_NONE, STR_NONE, STR("b"), secret),
                                 STR("SCRAM-SHA-256"), STR("n,,n=,r=x"), &other),
                     SCRAM_CONTINUE);
    size_t at = str_find(first, STR(",s="), 0);
    assert_true(
        str_equal(str_slice(first, at, first.length), str_slice(second, at, second.length)));
    assert_false(str_equal(str_slice(first, at, first.length), str_slice(other, at, other.length)));
    assert_false(str_equal(first, second)); /* nonces are never the same */
}

static void clear_passwords_are_verified(void **state)
{
    Str verifier;

    (void)state;
    assert_true(scram_verifier_make(arena, STR("pencil"), &verifier));
    assert_true(scram_verify_password(arena, verifier, STR("pencil")));
    assert_false(scram_verify_password(arena, verifier, STR("pencil ")));
    assert_false(scram_verify_password(arena, STR("pencil"), STR("pencil")));
    assert_false(scram_is_verifier(STR("SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA")));
    assert_false(scram_is_verifier(STR("SCRAM-SHA-256$0:c2FsdA==$AAAA:AAAA")));
    assert_false(scram_is_verifier(STR("pencil")));
    /* As PostgreSQL 15 stores one for 'pencil' with that salt. */
    assert_true(scram_verify_password(arena,
                                      STR("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                                          "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                                          "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="),
                                      STR("pencil")));
}

static void base64_decodes_what_it_encoded(void **state)
{
    Str bytes;

    (void)state;
    for (size_t length = 0; length < 50; length++) {
        Str text = base64_encode(
            arena, str_make("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNO", length));
        assert_true(base64_decode(arena, text, &bytes));
        assert_int_equal(bytes.length, length);
    }
    static const char *const wrong[] = {"a", "ab", "abc", "a===", "====", "ab!d", "ab=d"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(base64_decode(arena, str_from_c(wrong[i]), &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_agrees_with_rfc_7677),
        cmocka_unit_test(the_right_password_is_let_in),
        cmocka_unit_test(channels_are_bound),
        cmocka_unit_test(malformed_messages_are_violations),
        cmocka_unit_test(unknown_users_have_a_salt_of_their_own),
        cmocka_unit_test(clear_passwords_are_verified),
        cmocka_unit_test(base64_decodes_what_it_encoded),
    };

    arena = arena_new("test");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
