/* New stores that begin as a template. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/os.h"
#include "base/sim.h"
#include "storage/store_template.h"
#include "storage/superblock.h"
#include "store_workload.h"

#define CLONE 5
#define CLONE_VALUE 4711u

static Workload work;
static Arena *arena;
static Str template;
static char source[100], copy[100];

static void require(bool ok)
{
    if (!ok && error_is_set())
        print_error("error: %.*s\n", STR_ARGS(error_fields()->message));
    if (!ok || work.failed)
        print_error("%s\n", work.why);
    assert_true(ok && !work.failed);
}

static void remove_stores(void)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -rf '%s' '%s'", source, copy);
    assert_int_equal(system(command), 0);
}

/* Pages changed, removed and free, and a clone of which one pair is its own. */
static void fill_source(void)
{
    const PairRecord change = {0, CLONE_VALUE};

    work.path = str_from_c(source);
    work.seed = 11;
    work.steps = 60;
    require(workload_create(&work));
    workload_run(&work);
    require(checkpoint_request(work.store, CHECKPOINT_WAIT));
    Database *clone =
        database_clone(work.store, CLONE, store_database(work.store, DATABASE_SHARED));
    require(clone && pair_apply(clone, &change));
    require(store_close(work.store, STORE_CLOSE_CLEAN));
}

static int begin(void **state)
{
    (void)state;
    memset(&work, 0, sizeof(work));
    snprintf(source, sizeof(source), "/tmp/sengi-test-template-%d", (int)getpid());
    snprintf(copy, sizeof(copy), "/tmp/sengi-test-template-%d-copy", (int)getpid());
    remove_stores();
    arena = arena_new("test");
    fill_source();
    require(store_template_make(arena, work.path, &template));
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    remove_stores();
    return 0;
}

/* REQUIRES an open store. False: `work` says what is wrong. */
static bool check_content(void)
{
    Database *clone = store_database(work.store, CLONE);
    uint32_t value;

    if (!workload_check_pairs(&work, store_database(work.store, DATABASE_SHARED), LSN_MAX))
        return false;
    return clone && pair_read(&work, clone, 0, &value) && value == CLONE_VALUE;
}

static void a_new_store_has_what_the_template_has(void **state)
{
    StoreStatistics statistics;

    (void)state;
    work.path = str_from_c(copy);
    require(store_create_from(work.path, template));
    require(workload_open(&work)); /* checksums, identities, reference counts */
    require(check_content());
    store_statistics(work.store, &statistics);
    assert_true(statistics.slots_total == statistics.slots_used); /* nothing free came along */

    work.seed = 12;
    workload_run(&work);
    require(workload_check_pairs(&work, store_database(work.store, DATABASE_SHARED), LSN_MAX));
    store_close(work.store, STORE_CLOSE_ABORT);
    require(workload_open(&work));
    require(workload_check(&work));
    require(store_close(work.store, STORE_CLOSE_CLEAN));
}

static void each_new_store_is_one_of_its_own(void **state)
{
    Superblock first, second;

    (void)state;
    require(superblock_read(str_from_c(source), &first));
    require(store_create_from(str_from_c(copy), template));
    require(superblock_read(str_from_c(copy), &second));
    assert_true(first.system_id != second.system_id);
    require(!store_create_from(str_from_c(copy), template)); /* it is not empty */
    assert_int_equal(error_fields()->sqlstate, ERR_DUPLICATE_FILE);
    error_clear();
}

static void a_store_that_was_not_closed_is_no_template(void **state)
{
    Str bytes;

    (void)state;
    require(workload_open(&work));
    store_close(work.store, STORE_CLOSE_ABORT);
    require(!store_template_make(arena, work.path, &bytes));
    assert_int_equal(error_fields()->sqlstate, ERR_OBJECT_NOT_IN_PREREQUISITE_STATE);
    error_clear();
}

static void damage_is_told_before_anything_is_made(void **state)
{
    (void)state;
    for (size_t at = 0; at < template.length; at += at < 40 ? 1 : 1 + template.length / 50) {
        char *bytes = arena_copy(arena, template.data, template.length);
        bytes[at] ^= 1;
        require(!store_create_from(str_from_c(copy), str_make(bytes, template.length)));
        assert_int_equal(error_fields()->sqlstate, ERR_DATA_CORRUPTED);
        error_clear();
    }
    for (size_t length = 0; length < template.length; length += 1 + template.length / 50) {
        require(!store_create_from(str_from_c(copy), str_slice(template, 0, length)));
        error_clear();
    }
    assert_int_not_equal(access(copy, F_OK), 0);
}

static void create(void *argument)
{
    (void)argument;
    if (!store_create_from(work.path, template)) {
        work.failed = true;
        snprintf(work.why, sizeof(work.why), "not made");
    }
}

/* Whether there is a store; then it is whole. */
static void look(void *argument)
{
    bool *is_there = argument;
    Superblock superblock;

    *is_there = os->exists(work.path) && superblock_read(work.path, &superblock);
    error_clear();
    if (!*is_there || !workload_open(&work))
        return;
    if (!check_content())
        work.failed = true;
    store_close(work.store, STORE_CLOSE_CLEAN);
}

typedef enum Found { FOUND_NOTHING = 3, FOUND_STORE, FOUND_DAMAGE, FOUND_NO_CRASH } Found;

/* In a process of its own, with which what the crash abandons is gone. */
static Found crash_before(uint64_t operation)
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        bool is_there = false;
        SimWorld *world = sim_new(operation);
        sim_set_crash(world, operation);
        const bool crashed = sim_run(world, create, NULL) == SIM_CRASHED;
        sim_crash_disk(world);
        sim_set_crash(world, 0);
        sim_run(world, look, &is_there);
        if (work.failed || (!crashed && !is_there))
            _exit(FOUND_DAMAGE);
        _exit(!crashed ? FOUND_NO_CRASH : is_there ? FOUND_STORE : FOUND_NOTHING);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    return (Found)WEXITSTATUS(status);
}

static void a_crash_leaves_no_store_or_a_whole_one(void **state)
{
    uint32_t counts[FOUND_NO_CRASH + 1] = {0};

    (void)state;
    work.path = STR("data");
    for (uint64_t operation = 1; counts[FOUND_NO_CRASH] == 0; operation++) {
        const Found found = crash_before(operation);
        assert_true(found >= FOUND_NOTHING && found <= FOUND_NO_CRASH && found != FOUND_DAMAGE);
        counts[found]++;
    }
    assert_true(counts[FOUND_NOTHING] > 10 && counts[FOUND_STORE] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_store_has_what_the_template_has, begin, end),
        cmocka_unit_test_setup_teardown(each_new_store_is_one_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(a_store_that_was_not_closed_is_no_template, begin, end),
        cmocka_unit_test_setup_teardown(damage_is_told_before_anything_is_made, begin, end),
        cmocka_unit_test_setup_teardown(a_crash_leaves_no_store_or_a_whole_one, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
