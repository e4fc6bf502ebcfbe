#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

static void crc32c_gives_the_published_values(void **state)
{
    byte zeros[32] = {0}, ones[32], up[32];

    (void)state;
    for (int i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (byte)i;
    }
    /* RFC 3720, appendix B.4. */
    assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(crc32c(crc32c(0, up, 13), up + 13, 19), 0x46dd794e);
}

static void maps_agree_with_an_array(void **state)
{
    static char values[1000];
    void *model[1000] = {0};
    HashMap map = {0};
    uint64_t seed = 1;
    size_t live = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        seed = hash_mix64(seed + 1);
        size_t key = seed % 1000;
        if (seed >> 60 < 8) {
            void *old = hashmap_put(&map, key, &values[key]);
            assert_ptr_equal(old, model[key]);
            live += model[key] == NULL;
            model[key] = &values[key];
        } else {
            assert_ptr_equal(hashmap_remove(&map, key), model[key]);
            live -= model[key] != NULL;
            model[key] = NULL;
        }
        assert_int_equal(map.count, live);
        assert_ptr_equal(hashmap_get(&map, key), model[key]);
    }
    size_t position = 0, seen = 0;
    uint64_t key;
    void *value;
    while (hashmap_next(&map, &position, &key, &value)) {
        assert_ptr_equal(model[key], value);
        seen++;
    }
    assert_int_equal(seen, live);
    hashmap_deinit(&map);
}

static void text_keys_are_told_apart(void **state)
{
    Arena *arena = arena_new("test");
    StrMap map = {.arena = arena};
    int one, two;

    (void)state;
    strmap_put(&map, STR("one"), &one);
    strmap_put(&map, STR("two"), &two);
    assert_ptr_equal(strmap_get(&map, STR("one")), &one);
    assert_ptr_equal(strmap_remove(&map, STR("one")), &one);
    assert_null(strmap_get(&map, STR("one")));
    assert_ptr_equal(strmap_get(&map, STR("two")), &two);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_published_values),
        cmocka_unit_test(maps_agree_with_an_array),
        cmocka_unit_test(text_keys_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
