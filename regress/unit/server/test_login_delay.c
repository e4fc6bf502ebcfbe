/* Refused passwords are told later and later, by address and by role. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/login_delay.h"

static LoginDelays delays;

static void an_address_that_guesses_is_slowed_down(void **state)
{
    int64_t last = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        char role[2] = {(char)('a' + i), '\0'};
        const int64_t delay = login_delay_next(&delays, STR("192.0.2.1"), str_from_c(role));
        assert_true(delay >= last);
        last = delay;
    }
    assert_true(last >= 3000000 && last <= 5000000);
    assert_true(login_delay_next(&delays, STR("192.0.2.2"), STR("somebody")) < 1000000);
}

static void a_role_that_is_guessed_at_is_slowed_down_for_everybody(void **state)
{
    int64_t last = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        char address[] = "198.51.100.a";
        address[sizeof(address) - 2] = (char)('a' + i);
        const int64_t delay = login_delay_next(&delays, str_from_c(address), STR("victim"));
        assert_true(delay >= last);
        last = delay;
    }
    assert_true(last >= 3000000 && last <= 5000000);
    assert_true(login_delay_next(&delays, STR("203.0.113.9"), STR("another")) < 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_guesses_is_slowed_down),
        cmocka_unit_test(a_role_that_is_guessed_at_is_slowed_down_for_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
