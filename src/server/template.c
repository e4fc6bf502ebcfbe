#include "server/template.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/os.h"
#include "server/command.h"
#include "storage/store_template.h"

#define PROGRAM "/proc/self/exe"
#define TRAILER_MAGIC 0x6574616c706d6574ull /* "template" */

typedef struct Trailer {
    uint64_t magic;
    uint64_t length;
} Trailer;

static bool read_template(Arena *arena, File *file, Str *ret_template)
{
    uint64_t size;
    Trailer trailer = {0};

    TRY(os->file_size(file, &size));
    if (size > sizeof(trailer))
        TRY(os->file_read(file, &trailer, sizeof(trailer), size - sizeof(trailer)));
    if (trailer.magic != TRAILER_MAGIC || trailer.length > size - sizeof(trailer)) {
        *ret_template = STR_NONE;
        return true;
    }
    char *bytes = arena_alloc(arena, trailer.length);
    TRY(os->file_read(file, bytes, trailer.length, size - sizeof(trailer) - trailer.length));
    *ret_template = str_make(bytes, trailer.length);
    return true;
}

bool server_template_find(Arena *arena, Str *ret_template)
{
    File *file = os->file_open(STR(PROGRAM), OS_READ_ONLY);

    if (!file) { /* no /proc */
        error_clear();
        *ret_template = STR_NONE;
        return true;
    }
    const bool ok = read_template(arena, file, ret_template);
    os->file_close(file);
    return ok;
}

/* The build's: what goes behind the program. */
int command_template(int count, char **arguments)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("template");
    Str template;

    if (count != 2) {
        fputs("usage: sengi template DIR FILE\n", stderr);
        return 2;
    }
    if (!store_template_make(arena, str_from_c(arguments[0]), &template))
        return command_failed();
    const Trailer trailer = {.magic = TRAILER_MAGIC, .length = template.length};
    StrBuf content = strbuf_in(arena);
    strbuf_append(&content, template);
    strbuf_append_bytes(&content, &trailer, sizeof(trailer));
    if (!os_replace_file(str_from_c(arguments[1]), strbuf_view(&content)))
        return command_failed();
    return 0;
}
