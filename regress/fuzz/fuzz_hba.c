/* hba.conf: the rules of any text, matched against some clients and described. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "fuzz.h"
#include "protocol/hba.h"

static bool is_member(void *context, Str user, Str role)
{
    return user.length % 2 == role.length % 2;
}

static void match_all(const Hba *hba, Arena *arena)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a010203)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr *const addresses[] = {NULL, (struct sockaddr *)&four,
                                                (struct sockaddr *)&six};

    for (int i = 0; i < 12; i++) {
        const HbaClient client = {.is_local = i % 3 == 0,
                                  .is_tls = i & 1,
                                  .is_replication = i > 9,
                                  .address = addresses[i % 3],
                                  .database = i & 2 ? STR("app") : STR("postgres"),
                                  .user = STR("postgres"),
                                  .is_member = is_member};
        const HbaRule *rule = hba_match(hba, &client);
        fuzz_require(!rule || (rule->line > 0 && rule->method));
        if (client.address)
            address_text(arena, client.address);
    }
}

FUZZ_TARGET(data, size)
{
    Arena *arena = arena_new("fuzz");
    Hba *hba = hba_parse(str_make(data, size), STR("hba.conf"));

    fuzz_require((hba == NULL) == error_is_set());
    if (hba) {
        hba_trusts_others(hba);
        match_all(hba, arena);
        for (size_t i = 0; i < hba_rule_count(hba); i++) {
            HbaDescription description;
            hba_describe(hba, i, arena, &description);
            fuzz_require(description.database_count > 0 && description.user_count > 0);
        }
    }
    hba_free(hba);
    error_clear();
    arena_free(arena);
    return 0;
}
