#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "protocol/hba.h"

/* The method and line for a client; 0 where nothing fits. */
static int matched(const char *rules, const char *address, bool tls, const char *database,
                   const char *user)
{
    struct sockaddr_storage storage = {0};
    Hba *hba = hba_parse(str_from_c(rules), STR("hba.conf"));

    assert_non_null(hba);
    if (address && strchr(address, ':')) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
        in6->sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
    } else if (address) {
        struct sockaddr_in *in = (struct sockaddr_in *)&storage;
        in->sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, address, &in->sin_addr), 1);
    }
    HbaClient client = {.is_local = !address,
                        .is_tls = tls,
                        .address = (struct sockaddr *)&storage,
                        .database = str_from_c(database),
                        .user = str_from_c(user)};
    const HbaRule *rule = hba_match(hba, &client);
    int result = rule ? rule->line * 10 + (int)rule->method : 0;
    hba_free(hba);
    return result;
}

static void the_first_rule_that_fits_decides(void **state)
{
    static const char rules[] =
        "# comment\n"
        "local all all trust\n"
        "host all all 10.0.0.0/8 reject # end\n"
        "host  db1,db2  ann,\"Bob B\"  192.168.1.0 255.255.255.0  scram-sha-256\n"
        "host sameuser all 192.168.0.0/16 password\n"
        "hostssl all all ::1/128 cert\n"
        "hostnossl all all ::1/128 reject\n";

    (void)state;
    assert_int_equal(matched(rules, NULL, false, "x", "y"), 20 + HBA_TRUST);
    assert_int_equal(matched(rules, "10.200.3.4", false, "db1", "ann"), 30 + HBA_REJECT);
    assert_int_equal(matched(rules, "192.168.1.77", true, "db2", "Bob B"), 40 + HBA_SCRAM);
    assert_int_equal(matched(rules, "192.168.1.77", false, "db3", "ann"), 0);
    assert_int_equal(matched(rules, "192.168.2.77", false, "ann", "ann"), 50 + HBA_PASSWORD);
    assert_int_equal(matched(rules, "::1", true, "x", "y"), 60 + HBA_CERT);
    assert_int_equal(matched(rules, "::1", false, "x", "y"), 70 + HBA_REJECT);
    assert_int_equal(matched(rules, "11.0.0.1", false, "x", "y"), 0);
    assert_int_equal(matched("", NULL, false, "x", "y"), 0);
}

static void masks_count_bits(void **state)
{
    (void)state;
    assert_int_equal(matched("host all all 0.0.0.0/0 trust", "8.8.8.8", false, "x", "y"),
                     10 + HBA_TRUST);
    assert_int_equal(matched("host all all 10.1.2.3/32 trust", "10.1.2.3", false, "x", "y"),
                     10 + HBA_TRUST);
    assert_int_equal(matched("host all all 10.1.2.3/32 trust", "10.1.2.2", false, "x", "y"), 0);
    assert_int_equal(matched("host all all 10.1.2.0/23 trust", "10.1.3.9", false, "x", "y"),
                     10 + HBA_TRUST);
    assert_int_equal(matched("host all all fe80::/10 trust", "febf::1", false, "x", "y"),
                     10 + HBA_TRUST);
    assert_int_equal(matched("host all all fe80::/10 trust", "fec0::1", false, "x", "y"), 0);
    assert_int_equal(matched("host all all all trust", "fec0::1", false, "x", "y"), 10 + HBA_TRUST);
    assert_int_equal(matched("host all all 0.0.0.0/0 trust", "::1", false, "x", "y"), 0);
}

static void bad_lines_are_named(void **state)
{
    static const char *const wrong[] = {
        "local all all",
        "local",
        "network all all trust",
        "host all all 1.2.3.4/33 trust",
        "host all all 1.2.3.4 trust",
        "host all all ::1/129 trust",
        "host all all 1.2.3.4/8 no_method",
        "host all all 1.2.3/8 trust",
        "local all all trust option",
        "local all all cert",
        "host all all 1.2.3.4/8",
        "local all \"open trust",
        "host all all 1.2.3.4/-1 trust",
        "host all all 1.2.3.4 255.0.255.0 trust extra=1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_null(hba_parse(str_from_c(wrong[i]), STR("hba.conf")));
        assert_true(error_is_set());
        error_clear();
    }
}

static void rules_that_trust_strangers_are_seen(void **state)
{
    static const struct {
        const char *rules;
        bool trusts;
    } cases[] = {
        {"local all all trust", false},
        {"host all all 127.0.0.1/32 trust", false},
        {"host all all ::1/128 trust", false},
        {"host all all 127.0.0.0/8 trust", false},
        {"host all all 10.0.0.0/8 trust", true},
        {"host all all all trust", true},
        {"host all all 0.0.0.0/0 scram-sha-256", false},
        {"host all all ::/0 trust", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        Hba *hba = hba_parse(str_from_c(cases[i].rules), STR("hba.conf"));
        assert_non_null(hba);
        assert_int_equal(hba_trusts_others(hba), cases[i].trusts);
        hba_free(hba);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_fits_decides),
        cmocka_unit_test(masks_count_bits),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(rules_that_trust_strangers_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
