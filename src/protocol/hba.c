#include "protocol/hba.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "base/error.h"
#include "base/vec.h"

typedef struct Token {
    Str text;
    bool is_quoted; /* keywords lose their meaning */
} Token;
typedef VEC(Token) TokenList; /* one field: words with commas between them */
typedef VEC(TokenList) Fields;

typedef enum ConnectionKind {
    KIND_LOCAL = 1,
    KIND_HOST,
    KIND_HOST_TLS,
    KIND_HOST_PLAIN,
    KIND_HOST_GSS,
} ConnectionKind;

typedef enum AddressKind {
    ADDRESS_ALL = 1,
    ADDRESS_RANGE,
    ADDRESS_SAMEHOST,
    ADDRESS_SAMENET
} AddressKind;

typedef struct Rule {
    HbaRule rule; /* first: what hba_match returns */
    ConnectionKind kind;
    TokenList databases, users;
    AddressKind address_kind;
    int family;
    byte address[16], mask[16];
} Rule;

struct Hba {
    Arena *arena;
    VEC(Rule) rules;
};

typedef struct LineParser {
    Arena *arena;
    Str file;
    int line;
    const Fields *fields;
    size_t next;
} LineParser;

/* -- Tokens ---------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One word, quoted or plain; commas end it. */
static Token next_token(Arena *arena, Str line, size_t *position)
{
    StrBuf text = strbuf_in(arena);
    Token token = {.is_quoted = false};
    bool in_quotes = false;
    size_t i = *position;

    for (; i < line.length; i++) {
        char c = line.data[i];
        if (!in_quotes && (is_blank(c) || c == ',' || c == '#'))
            break;
        if (c == '"') {
            in_quotes = !in_quotes;
            token.is_quoted = true;
            continue;
        }
        strbuf_append_char(&text, c);
    }
    *position = i;
    token.text = strbuf_view(&text);
    return token;
}

static Fields split_line(Arena *arena, Str line)
{
    Fields fields = {0};
    size_t i = 0;

    for (;;) {
        while (i < line.length && is_blank(line.data[i]))
            i++;
        if (i >= line.length || line.data[i] == '#')
            return fields;
        TokenList field = {0};
        for (;;) {
            size_t before = i;
            Token token = next_token(arena, line, &i);
            if (i > before)
                VEC_PUSH(arena, &field, token);
            if (i >= line.length || line.data[i] != ',')
                break;
            i++;
            while (i < line.length && is_blank(line.data[i]))
                i++;
        }
        VEC_PUSH(arena, &fields, field);
    }
}

static bool is_keyword(const Token *token, const char *word)
{
    return !token->is_quoted && str_equal(token->text, str_from_c(word));
}

/* -- Parsing a rule -------------------------------------------------------------------------- */

static bool fail_line(const LineParser *in, Str what)
{
    FAIL(ERR_CONFIG_FILE_ERROR, .message = what,
         .context = fmt("line %d of configuration file \"%.*s\"", in->line, STR_ARGS(in->file)));
}

static const TokenList *next_field(LineParser *in, const char *missing)
{
    if (in->next >= in->fields->length) {
        fail_line(in, fmt("end-of-line before %s specification", missing));
        return NULL;
    }
    return &in->fields->items[in->next++];
}

static const Token *next_single(LineParser *in, const char *missing)
{
    const TokenList *field = next_field(in, missing);

    if (field && field->length != 1) {
        fail_line(in, fmt("multiple values specified for %s", missing));
        return NULL;
    }
    return field ? &field->items[0] : NULL;
}

static bool parse_kind(LineParser *in, Rule *rule)
{
    static const struct {
        const char *word;
        ConnectionKind kind;
    } kinds[] = {{"local", KIND_LOCAL},         {"host", KIND_HOST},
                 {"hostssl", KIND_HOST_TLS},    {"hostnossl", KIND_HOST_PLAIN},
                 {"hostgssenc", KIND_HOST_GSS}, {"hostnogssenc", KIND_HOST}};
    const Token *token = next_single(in, "connection type");

    TRY(token);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (is_keyword(token, kinds[i].word)) {
            rule->kind = kinds[i].kind;
            return true;
        }
    }
    return fail_line(in, fmt("invalid connection type \"%.*s\"", STR_ARGS(token->text)));
}

static bool parse_names(LineParser *in, const char *what, TokenList *ret_names)
{
    const TokenList *field = next_field(in, what);

    TRY(field);
    for (size_t i = 0; i < field->length; i++)
        if (!field->items[i].is_quoted && str_starts_with(field->items[i].text, STR("@")))
            return fail_line(in, STR("lists in other files (\"@file\") are not supported"));
    *ret_names = *field;
    return true;
}

static bool parse_ip(Arena *arena, Str text, int *ret_family, byte *ret_bytes)
{
    char *c = str_to_c(arena, text);

    *ret_family = str_find_char(text, ':', 0) == SIZE_MAX ? AF_INET : AF_INET6;
    return inet_pton(*ret_family, c, ret_bytes) == 1;
}

static bool parse_mask_bits(Rule *rule, Str text)
{
    uint64_t bits, most = rule->family == AF_INET ? 32 : 128;

    if (!str_to_uint64(text, &bits) || bits > most)
        return false;
    for (uint64_t i = 0; i < bits; i++)
        rule->mask[i / 8] |= (byte)(0x80u >> (i % 8));
    return true;
}

static bool parse_address(LineParser *in, Rule *rule)
{
    const Token *token = next_single(in, "IP address");
    int mask_family;

    TRY(token);
    rule->address_kind = is_keyword(token, "all")        ? ADDRESS_ALL
                         : is_keyword(token, "samehost") ? ADDRESS_SAMEHOST
                         : is_keyword(token, "samenet")  ? ADDRESS_SAMENET
                                                         : ADDRESS_RANGE;
    if (rule->address_kind != ADDRESS_RANGE)
        return true;
    size_t slash = str_find_char(token->text, '/', 0);
    Str ip = str_slice(token->text, 0, slash);
    if (!parse_ip(in->arena, ip, &rule->family, rule->address))
        return fail_line(
            in, fmt("\"%.*s\" is not an IP address; host names are not supported", STR_ARGS(ip)));
    if (slash != SIZE_MAX) {
        Str bits = str_slice(token->text, slash + 1, token->text.length);
        return parse_mask_bits(rule, bits) ||
               fail_line(in, fmt("invalid CIDR mask in address \"%.*s\"", STR_ARGS(token->text)));
    }
    const Token *mask = next_single(in, "netmask");
    TRY(mask);
    if (!parse_ip(in->arena, mask->text, &mask_family, rule->mask) || mask_family != rule->family)
        return fail_line(in, fmt("invalid IP mask \"%.*s\"", STR_ARGS(mask->text)));
    return true;
}

static bool parse_method(LineParser *in, Rule *rule)
{
    static const struct {
        const char *word;
        HbaMethod method;
    } methods[] = {{"trust", HBA_TRUST}, {"reject", HBA_REJECT},     {"scram-sha-256", HBA_SCRAM},
                   {"md5", HBA_SCRAM},   {"password", HBA_PASSWORD}, {"cert", HBA_CERT}};
    static const char *const others[] = {"gss",  "sspi",   "ident", "peer", "pam",
                                         "ldap", "radius", "bsd",   "krb5"};
    const Token *token = next_single(in, "authentication method");

    TRY(token);
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (is_keyword(token, methods[i].word))
            rule->rule.method = methods[i].method;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (is_keyword(token, others[i]))
            return fail_line(in, fmt("authentication method \"%s\" is not supported", others[i]));
    if (!rule->rule.method)
        return fail_line(in, fmt("invalid authentication method \"%.*s\"", STR_ARGS(token->text)));
    if (rule->rule.method == HBA_CERT) {
        if (rule->kind != KIND_HOST_TLS)
            return fail_line(in,
                             STR("cert authentication is only supported on hostssl connections"));
        rule->rule.needs_client_certificate = rule->rule.certificate_names_user = true;
    }
    return true;
}

static bool parse_option(LineParser *in, Rule *rule, Str text)
{
    if (str_equal(text, STR("clientcert=verify-ca")))
        rule->rule.needs_client_certificate = true;
    else if (str_equal(text, STR("clientcert=verify-full")))
        rule->rule.needs_client_certificate = rule->rule.certificate_names_user = true;
    else
        return fail_line(in,
                         fmt("authentication option \"%.*s\" is not supported", STR_ARGS(text)));
    if (rule->kind != KIND_HOST_TLS)
        return fail_line(in, STR("clientcert can only be configured for \"hostssl\" rows"));
    return true;
}

static bool parse_rule(LineParser *in, Rule *rule)
{
    rule->rule.line = in->line;
    TRY(parse_kind(in, rule));
    TRY(parse_names(in, "database", &rule->databases));
    TRY(parse_names(in, "role", &rule->users));
    if (rule->kind != KIND_LOCAL)
        TRY(parse_address(in, rule));
    TRY(parse_method(in, rule));
    while (in->next < in->fields->length) {
        const Token *option = next_single(in, "authentication option");
        TRY(option);
        TRY(parse_option(in, rule, option->text));
    }
    return true;
}

Hba *hba_parse(Str text, Str file_name)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("hba");
    Hba *hba = ARENA_NEW(arena, Hba);
    int line_number = 0;

    for (size_t from = 0; from < text.length;) {
        size_t end = str_find_char(text, '\n', from);
        size_t length = (end == SIZE_MAX ? text.length : end) - from;
        Str line = str_copy(arena, str_slice(text, from, length));
        from += length + 1;
        line_number++;
        Fields fields = split_line(arena, line);
        if (fields.length == 0)
            continue;
        LineParser in = {.arena = arena, .file = file_name, .line = line_number, .fields = &fields};
        Rule rule = {0};
        TRY(parse_rule(&in, &rule));
        VEC_PUSH(arena, &hba->rules, rule);
    }
    hba->arena = MOVE(arena);
    return hba;
}

void hba_free(Hba *hba)
{
    if (hba)
        arena_free(hba->arena);
}

/* -- Matching -------------------------------------------------------------------------------- */

/* The address in network order; v4 mapped into v6 counts as v4. */
static int address_bytes(const struct sockaddr *address, const byte **ret_bytes)
{
    static const byte mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (address->sa_family == AF_INET) {
        *ret_bytes = (const byte *)&((const struct sockaddr_in *)address)->sin_addr;
        return AF_INET;
    }
    if (address->sa_family == AF_INET6) {
        const byte *bytes = (const byte *)&((const struct sockaddr_in6 *)address)->sin6_addr;
        bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;
        *ret_bytes = is_mapped ? bytes + 12 : bytes;
        return is_mapped ? AF_INET : AF_INET6;
    }
    return AF_UNSPEC;
}

static bool in_range(int family, const byte *a, const byte *b, const byte *mask)
{
    for (int i = 0; i < (family == AF_INET ? 4 : 16); i++)
        if ((a[i] ^ b[i]) & mask[i])
            return false;
    return true;
}

/* Is it one of this machine's addresses, or in one of its networks? */
static bool is_near(int family, const byte *client, bool whole_net)
{
    static const byte all_ones[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct ifaddrs *list;
    bool found = false;

    if (getifaddrs(&list) != 0)
        return false;
    for (const struct ifaddrs *item = list; item && !found; item = item->ifa_next) {
        const byte *own, *mask = all_ones;
        if (!item->ifa_addr || address_bytes(item->ifa_addr, &own) != family)
            continue;
        if (whole_net && (!item->ifa_netmask || address_bytes(item->ifa_netmask, &mask) != family))
            continue;
        found = in_range(family, client, own, mask);
    }
    freeifaddrs(list);
    return found;
}

static bool address_fits(const Rule *rule, const struct sockaddr *address)
{
    const byte *client = NULL;
    int family = address_bytes(address, &client);

    switch (rule->address_kind) {
    case ADDRESS_ALL:
        return true;
    case ADDRESS_RANGE:
        return family == rule->family && in_range(family, client, rule->address, rule->mask);
    case ADDRESS_SAMEHOST:
    case ADDRESS_SAMENET:
        return family != AF_UNSPEC &&
               is_near(family, client, rule->address_kind == ADDRESS_SAMENET);
    }
    return false;
}

static bool kind_fits(const Rule *rule, const HbaClient *client)
{
    switch (rule->kind) {
    case KIND_LOCAL:
        return client->is_local;
    case KIND_HOST:
        return !client->is_local;
    case KIND_HOST_TLS:
        return !client->is_local && client->is_tls;
    case KIND_HOST_PLAIN:
        return !client->is_local && !client->is_tls;
    case KIND_HOST_GSS:
        return false;
    }
    return false;
}

static bool is_member(const HbaClient *client, Str role)
{
    return client->is_member && client->is_member(client->context, client->user, role);
}

static bool database_fits(const Rule *rule, const HbaClient *client)
{
    for (size_t i = 0; i < rule->databases.length; i++) {
        const Token *token = &rule->databases.items[i];
        if (client->is_replication) {
            if (is_keyword(token, "replication"))
                return true;
            continue;
        }
        if (is_keyword(token, "all") ||
            (is_keyword(token, "sameuser") && str_equal(client->user, client->database)))
            return true;
        if ((is_keyword(token, "samerole") || is_keyword(token, "samegroup")) &&
            is_member(client, client->database))
            return true;
        if (!is_keyword(token, "replication") && str_equal(token->text, client->database))
            return true;
    }
    return false;
}

static bool user_fits(const Rule *rule, const HbaClient *client)
{
    for (size_t i = 0; i < rule->users.length; i++) {
        const Token *token = &rule->users.items[i];
        if (is_keyword(token, "all") || str_equal(token->text, client->user))
            return true;
        if (!token->is_quoted && str_starts_with(token->text, STR("+")) &&
            is_member(client, str_slice(token->text, 1, token->text.length)))
            return true;
    }
    return false;
}

const HbaRule *hba_match(const Hba *hba, const HbaClient *client)
{
    for (size_t i = 0; i < hba->rules.length; i++) {
        const Rule *rule = &hba->rules.items[i];
        if (kind_fits(rule, client) && (client->is_local || address_fits(rule, client->address)) &&
            database_fits(rule, client) && user_fits(rule, client))
            return &rule->rule;
    }
    return NULL;
}

bool hba_trusts_others(const Hba *hba)
{
    static const byte loopback4[4] = {127, 0, 0, 0}, mask4[4] = {255, 0, 0, 0};
    static const byte loopback6[16] = {[15] = 1};

    for (size_t i = 0; i < hba->rules.length; i++) {
        const Rule *rule = &hba->rules.items[i];
        if (rule->rule.method != HBA_TRUST || rule->kind == KIND_LOCAL)
            continue;
        if (rule->address_kind == ADDRESS_SAMEHOST)
            continue;
        if (rule->address_kind != ADDRESS_RANGE)
            return true;
        bool only_loopback =
            rule->family == AF_INET
                ? in_range(AF_INET, rule->address, loopback4, mask4) && rule->mask[0] == 255
                : memcmp(rule->address, loopback6, 16) == 0 && rule->mask[15] == 255;
        if (!only_loopback)
            return true;
    }
    return false;
}

size_t hba_rule_count(const Hba *hba)
{
    return hba->rules.length;
}

static const Str *token_texts(const TokenList *tokens, Arena *arena)
{
    Str *texts = ARENA_ARRAY(arena, Str, tokens->length + 1);

    for (size_t i = 0; i < tokens->length; i++)
        texts[i] = tokens->items[i].text;
    return texts;
}

static Str bytes_text(Arena *arena, int family, const byte *bytes)
{
    char text[INET6_ADDRSTRLEN];

    if (!inet_ntop(family, bytes, text, sizeof(text)))
        return STR_NONE;
    return str_copy(arena, str_from_c(text));
}

static void describe_address(const Rule *rule, Arena *arena, HbaDescription *to)
{
    if (rule->kind == KIND_LOCAL)
        return;
    switch (rule->address_kind) {
    case ADDRESS_ALL:
        to->address = STR("all");
        break;
    case ADDRESS_SAMEHOST:
        to->address = STR("samehost");
        break;
    case ADDRESS_SAMENET:
        to->address = STR("samenet");
        break;
    case ADDRESS_RANGE:
        to->address = bytes_text(arena, rule->family, rule->address);
        to->netmask = bytes_text(arena, rule->family, rule->mask);
        break;
    }
}

void hba_describe(const Hba *hba, size_t index, Arena *arena, HbaDescription *ret_description)
{
    static const char *const kinds[] = {[KIND_LOCAL] = "local",
                                        [KIND_HOST] = "host",
                                        [KIND_HOST_TLS] = "hostssl",
                                        [KIND_HOST_PLAIN] = "hostnossl",
                                        [KIND_HOST_GSS] = "hostgssenc"};
    static const char *const methods[] = {[HBA_REJECT] = "reject",
                                          [HBA_TRUST] = "trust",
                                          [HBA_SCRAM] = "scram-sha-256",
                                          [HBA_PASSWORD] = "password",
                                          [HBA_CERT] = "cert"};
    const Rule *rule = &hba->rules.items[index];
    const HbaRule *facts = &rule->rule;

    *ret_description = (HbaDescription){
        .line = facts->line,
        .kind = str_from_c(kinds[rule->kind]),
        .method = str_from_c(methods[facts->method]),
        .databases = token_texts(&rule->databases, arena),
        .users = token_texts(&rule->users, arena),
        .database_count = (int)rule->databases.length,
        .user_count = (int)rule->users.length,
        .certificate_option = facts->certificate_names_user     ? STR("clientcert=verify-full")
                              : facts->needs_client_certificate ? STR("clientcert=verify-ca")
                                                                : STR_NONE,
    };
    describe_address(rule, arena, ret_description);
}

Str address_text(Arena *arena, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];
    const byte *bytes = NULL;
    int family = address_bytes(address, &bytes);

    if (family == AF_UNSPEC || !inet_ntop(family, bytes, text, sizeof(text)))
        return STR("[local]");
    return str_copy(arena, str_from_c(text));
}

int32_t address_port(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return -1;
}
