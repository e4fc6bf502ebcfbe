/*
 * Replays what PostgreSQL answered (recorded by record_cases.py into *.txt) and demands the same
 * text, SQLSTATE and message. Also: binary forms give values back, and keys sort as values do.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/os.h"
#include "base/settings.h"
#include "catalog_signatures.h"
#include "types/function.h"
#include "types/hash.h"
#include "types/key.h"

#define MAX_FIELDS 16
#define SHOWN_FAILURES 60

static int failures;
static Arena *settings_arena;
static SettingValues session_settings;

static Str unescape(Arena *arena, Str s)
{
    StrBuf out = strbuf_in(arena);
    for (size_t i = 0; i < s.length; i++) {
        if (s.data[i] != '\\' || i + 1 == s.length) {
            strbuf_append_char(&out, s.data[i]);
            continue;
        }
        i++;
        strbuf_append_char(&out, s.data[i] == 'n' ? '\n' : s.data[i] == 't' ? '\t' : s.data[i]);
    }
    return strbuf_view(&out);
}

static int split(Str line, Str *fields)
{
    int count = 0;
    for (size_t at = 0; count < MAX_FIELDS;) {
        size_t tab = str_find_char(line, '\t', at);
        tab = MIN(tab, line.length);
        fields[count++] = str_slice(line, at, tab - at);
        if (tab == line.length)
            break;
        at = tab + 1;
    }
    return count;
}

static Str error_text(Arena *arena)
{
    const ErrorFields *e = error_fields();
    const Str text =
        str_format(arena, "%s %.*s", sqlstate_text(e->sqlstate).text, STR_ARGS(e->message));
    error_clear();
    return text;
}

static void check(Str line, bool ok, Str got, Str status, Str wanted)
{
    const bool same = str_equal(status, ok ? STR("ok") : STR("error")) && str_equal(got, wanted);
    if (!same && failures++ < SHOWN_FAILURES)
        print_message("%.*s\n    got %s %.*s\n", STR_ARGS(line), ok ? "ok" : "error",
                      STR_ARGS(got));
}

/* What goes out in binary comes back as the same value, and hashes the same. */
static void check_binary(Arena *arena, Oid type, const Value *value, Str line)
{
    StrBuf bytes = strbuf_in(arena), text = strbuf_in(arena), again = strbuf_in(arena);
    Value back;
    if (!type_send(type, value, &bytes)) {
        error_clear();
        return;
    }
    if (!type_receive(arena, type, -1, strbuf_view(&bytes), &back)) {
        check(line, false, error_text(arena), STR("ok"), STR("binary form"));
        return;
    }
    assert_true(type_output(type, value, &text));
    assert_true(type_output(type, &back, &again));
    check(line, true, strbuf_view(&again), STR("ok"), strbuf_view(&text));
    assert_true(hash_value(type, value) == hash_value(type, &back));
}

static void case_io(Arena *arena, Str line, const Str *fields)
{
    const Oid type = (Oid)strtoul(str_to_c(arena, fields[1]), NULL, 10);
    const int32_t typmod = (int32_t)strtol(str_to_c(arena, fields[2]), NULL, 10);
    const Str wanted = unescape(arena, fields[4]);
    StrBuf out = strbuf_in(arena);
    Value value;

    bool ok = type_input(arena, type, typmod, unescape(arena, fields[5]), &value);
    ok = ok && type_output(type, &value, &out);
    check(line, ok, ok ? strbuf_view(&out) : error_text(arena), fields[3], wanted);
    if (ok)
        check_binary(arena, type, &value, line);
}

static void case_function(Arena *arena, Str line, const Str *fields, int count)
{
    const Oid oid = (Oid)strtoul(str_to_c(arena, fields[1]), NULL, 10);
    const Oid result = (Oid)strtoul(str_to_c(arena, fields[2]), NULL, 10);
    const BuiltinFunction *function = builtin_function(oid);
    const Signature *signature = NULL;
    Value args[MAX_FIELDS], ret = {0};
    bool nulls[MAX_FIELDS], is_null = false, ok = true;

    for (size_t i = 0; i < ARRAY_LENGTH(signatures); i++)
        if (signatures[i].oid == oid)
            signature = &signatures[i];
    if (!function || !signature) {
        check(line, false, STR("no such function"), fields[3], fields[4]);
        return;
    }
    FunctionCall call = {.arena = arena,
                         .site_arena = arena,
                         .function = function,
                         .arg_types = signature->args,
                         .arg_count = count - 5,
                         .result_type = result ? result : signature->result,
                         .result_typmod = -1};
    for (int i = 5; i < count && ok; i++) {
        nulls[i - 5] = str_equal(fields[i], STR("\\N"));
        if (!nulls[i - 5])
            ok = type_input(arena, signature->args[i - 5], -1, unescape(arena, fields[i]),
                            &args[i - 5]);
    }
    StrBuf out = strbuf_in(arena);
    ok = ok && function_call(&call, args, nulls, &ret, &is_null);
    if (ok && !is_null)
        ok = type_output(call.result_type, &ret, &out);
    const Str got = !ok ? error_text(arena) : is_null ? STR("\\N") : strbuf_view(&out);
    const bool wants_null = str_equal(fields[4], STR("\\N"));
    check(line, ok, got, fields[3], wants_null ? fields[4] : unescape(arena, fields[4]));
}

static void replay(const char *name)
{
    File *file = os->file_open(str_from_c(name), OS_READ_ONLY);
    uint64_t size = 0;
    assert_non_null(file);
    assert_true(os->file_size(file, &size));
    char *bytes = malloc(size + 1);
    assert_true(os->file_read(file, bytes, size, 0));
    os->file_close(file);
    const Str text = str_make(bytes, size);
    Arena *arena = arena_new("case");
    failures = 0;
    int cases = 0;
    for (size_t at = 0; at < text.length;) {
        const size_t end = MIN(str_find_char(text, '\n', at), text.length);
        const Str line = str_slice(text, at, end - at);
        Str fields[MAX_FIELDS];
        const int count = split(line, fields);
        if (str_equal(fields[0], STR("set")))
            assert_true(settings_set(&session_settings, settings_arena,
                                     (SettingId)setting_find(fields[1]), fields[2]));
        else if (str_equal(fields[0], STR("io")))
            case_io(arena, line, fields);
        else if (str_equal(fields[0], STR("fn")))
            case_function(arena, line, fields, count);
        cases++;
        arena_reset(arena);
        at = end + 1;
    }
    arena_free(arena);
    free(bytes);
    print_message("%s: %d cases, %d differ\n", name, cases, failures);
    assert_int_equal(failures, 0);
}

static void input_and_output_equal_postgresql(void **state)
{
    replay(CASES_DIRECTORY "/io.txt");
}

static void functions_equal_postgresql(void **state)
{
    replay(CASES_DIRECTORY "/functions.txt");
}

/* Keys. */

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

static Value random_value(Arena *arena, Oid type, unsigned *seed)
{
    Value v = {0};
    const int r = rand_r(seed);
    char text[64];
    switch (type) {
    case TYPE_INT2:
        v.int16 = (int16_t)(r % 7 - 3);
        break;
    case TYPE_INT4:
    case TYPE_DATE:
        v.int32 = r % 3 ? r % 9 - 4 : r - RAND_MAX / 2;
        break;
    case TYPE_INT8:
    case TYPE_TIMESTAMPTZ:
        v.int64 = (int64_t)(r - RAND_MAX / 2) * (r % 5 ? 1 : 1000003);
        break;
    case TYPE_FLOAT8:
        v.float64 = r % 11 == 0 ? (double)NAN : (double)(r % 201 - 100) / (r % 7 + 1);
        break;
    case TYPE_INTERVAL:
        v.interval =
            (Interval){(int64_t)(r % 5 - 2) * 43200000000, r % 61 - 30, rand_r(seed) % 5 - 2};
        break;
    case TYPE_NUMERIC:
        snprintf(text, sizeof(text), "%s%d.%0*de%d", r % 2 ? "-" : "", r % 300, 1 + r % 9,
                 rand_r(seed) % 100, rand_r(seed) % 12 - 6);
        if (r % 23 == 0)
            snprintf(text, sizeof(text), "%s", r % 3 ? "NaN" : r % 2 ? "Infinity" : "-Infinity");
        assert_true(type_input(arena, type, -1, str_from_c(text), &v));
        break;
    case TYPE_INT4_ARRAY:
        snprintf(text, sizeof(text),
                 r % 3   ? "{%d,%d}"
                 : r % 2 ? "{%d}"
                         : "{%d,NULL,%d}",
                 r % 3, rand_r(seed) % 3);
        assert_true(type_input(arena, type, -1, str_from_c(text), &v));
        break;
    default: {
        char *bytes = arena_alloc(arena, 8);
        const size_t length = (size_t)r % 6;
        for (size_t i = 0; i < length; i++)
            bytes[i] = type == TYPE_BYTEA ? (char)(rand_r(seed) % 3 - 1) : " ab~"[rand_r(seed) % 4];
        v.var = var_make(bytes, length);
    }
    }
    return v;
}

static void keys_sort_as_values_do(void **state)
{
    static const Oid types[] = {TYPE_INT2,     TYPE_INT4, TYPE_INT8,        TYPE_FLOAT8,
                                TYPE_NUMERIC,  TYPE_TEXT, TYPE_BPCHAR,      TYPE_BYTEA,
                                TYPE_INTERVAL, TYPE_DATE, TYPE_TIMESTAMPTZ, TYPE_INT4_ARRAY};
    unsigned seed = 7;
    Arena *arena = arena_new("keys");
    for (size_t t = 0; t < ARRAY_LENGTH(types); t++)
        for (int round = 0; round < 3000; round++) {
            const KeyColumn column = {types[t], round % 2, round % 3 == 0};
            StrBuf keys[2] = {strbuf_in(arena), strbuf_in(arena)};
            Value values[2];
            bool nulls[2];
            for (int i = 0; i < 2; i++) {
                values[i] = random_value(arena, types[t], &seed);
                nulls[i] = rand_r(&seed) % 10 == 0;
                assert_true(key_append(&keys[i], &column, &values[i], nulls[i]));
                /* What follows must not disturb the order (invariant Y1). */
                strbuf_append_char(&keys[i], (char)rand_r(&seed));
                Value back;
                bool back_null;
                Str rest = strbuf_view(&keys[i]), skipped = rest;
                assert_true(key_take(arena, &column, &rest, &back, &back_null));
                assert_true(key_skip(&column, &skipped));
                assert_int_equal(rest.length, 1);
                assert_int_equal(skipped.length, 1);
                assert_int_equal(back_null, nulls[i]);
                assert_true(nulls[i] || type_equal(types[t], &back, &values[i]));
                strbuf_truncate(&keys[i], keys[i].length - 1);
            }
            int wanted = nulls[0] || nulls[1]
                             ? (nulls[0] - nulls[1]) * (column.nulls_first ? -1 : 1)
                             : sign_of(type_compare(types[t], &values[0], &values[1])) *
                                   (column.descending ? -1 : 1);
            assert_int_equal(sign_of(str_compare(strbuf_view(&keys[0]), strbuf_view(&keys[1]))),
                             wanted);
            if (wanted == 0 && !nulls[0])
                assert_true(hash_value(types[t], &values[0]) == hash_value(types[t], &values[1]));
            arena_reset(arena);
        }
    arena_free(arena);
}

static void integers_of_all_widths_hash_equally(void **state)
{
    for (int i = -1000; i < 1000; i++) {
        const Value v2 = {.int16 = (int16_t)i}, v4 = {.int32 = i}, v8 = {.int64 = i};
        assert_true(hash_value(TYPE_INT2, &v2) == hash_value(TYPE_INT4, &v4));
        assert_true(hash_value(TYPE_INT4, &v4) == hash_value(TYPE_INT8, &v8));
    }
}

int main(void)
{
    settings_init();
    types_init();
    settings_arena = arena_new("settings");
    session_settings = settings_default;
    task_current()->settings = &session_settings;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sort_as_values_do),
        cmocka_unit_test(integers_of_all_widths_hash_equally),
        cmocka_unit_test(input_and_output_equal_postgresql),
        cmocka_unit_test(functions_equal_postgresql),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(settings_arena);
    return failed;
}
