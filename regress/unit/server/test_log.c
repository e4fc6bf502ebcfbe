/* Log files give way to others when they are old enough, whatever the clock of the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../test_directory.h"
#include "base/os.h"
#include "base/settings.h"
#include "server/log.h"

#define MINUTE INT64_C(60000000)
#define START INT64_C(1700000000000000)

static int64_t now = START;
static OsOps clock_ops;
static char directory[TEST_PATH_SIZE];
static int file_count;

static int64_t test_clock(void)
{
    return now;
}

static bool count_file(void *context, Str name, bool is_directory)
{
    (void)context;
    file_count += !is_directory && str_ends_with(name, STR(".log"));
    return true;
}

static int files(void)
{
    char path[TEST_PATH_SIZE + sizeof("/log")];

    snprintf(path, sizeof(path), "%s/log", directory);
    file_count = 0;
    assert_true(os->list_directory(str_from_c(path), count_file, NULL));
    return file_count;
}

static void say(int64_t after)
{
    now += after;
    log_message(SEVERITY_LOG, "a line");
}

static int open_log(void **state)
{
    (void)state;
    test_directory_make(directory, "log");
    clock_ops = *os;
    clock_ops.wall_clock = test_clock;
    os = &clock_ops;
    settings_default.logging_collector = true;
    settings_default.log_filename = STR("at-%Y%m%d-%H%M%S.log");
    settings_default.log_rotation_size = 0;
    return !log_open(str_from_c(directory));
}

static int close_log(void **state)
{
    (void)state;
    log_close();
    os = &os_linux;
    return test_directory_remove(directory);
}

static void a_file_that_is_old_enough_is_followed_by_another(void **state)
{
    (void)state;
    settings_default.log_rotation_age = 30;
    say(0);
    assert_int_equal(files(), 1);
    say(29 * MINUTE);
    assert_int_equal(files(), 1);
    say(1 * MINUTE);
    assert_int_equal(files(), 2);
    /* The age is the new file's from here on. */
    say(29 * MINUTE);
    assert_int_equal(files(), 2);
    say(1 * MINUTE);
    assert_int_equal(files(), 3);
}

static void an_age_of_0_never_rotates(void **state)
{
    const int before = files();

    (void)state;
    settings_default.log_rotation_age = 0;
    say(100000 * MINUTE);
    assert_int_equal(files(), before);
}

static void a_reload_changes_the_age_of_the_file_in_use(void **state)
{
    (void)state;
    say(1 * MINUTE);
    log_rotate();
    say(0);
    const int before = files();
    settings_default.log_rotation_age = 60;
    say(10 * MINUTE);
    assert_int_equal(files(), before);
    settings_default.log_rotation_age = 5;
    say(1 * MINUTE);
    assert_int_equal(files(), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_old_enough_is_followed_by_another),
        cmocka_unit_test(an_age_of_0_never_rotates),
        cmocka_unit_test(a_reload_changes_the_age_of_the_file_in_use),
    };

    return cmocka_run_group_tests(tests, open_log, close_log);
}
