/*
 * A fuzz target without libFuzzer: runs it over files and says the name of each before it starts,
 * so that the last line tells which input ended the run.
 */
#include "fuzz.h"

static bool replay(const char *path)
{
    Arena *arena = arena_new("input");
    Str content;
    bool ok = os_read_file(arena, str_from_c(path), 16u << 20, &content);

    if (!ok) {
        fprintf(stderr, "%s: %.*s\n", path, STR_ARGS(error_fields()->message));
        error_clear();
    } else {
        printf("%s\n", path);
        fflush(stdout);
        /* A block of exactly the input's size, so that a read behind its end is seen. */
        uint8_t *copy = malloc(content.length + !content.length);
        fuzz_require(copy != NULL);
        if (content.length > 0)
            memcpy(copy, content.data, content.length);
        LLVMFuzzerTestOneInput(copy, content.length);
        free(copy);
        fuzz_require(!error_is_set());
    }
    arena_free(arena);
    return ok;
}

int main(int argument_count, char **arguments)
{
    bool ok = true;

    for (int i = 1; i < argument_count; i++)
        ok = replay(arguments[i]) && ok;
    return ok ? 0 : 1;
}
