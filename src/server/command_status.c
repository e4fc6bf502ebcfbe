#include <stdio.h>

#include "base/arena.h"
#include "base/os.h"
#include "server/command.h"
#include "storage/store.h"

int command_status(int count, char **arguments)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("status");

    if (count != 1 || arguments[0][0] == '-') {
        fputs("usage: sengi status DIR\n", stderr);
        return 2;
    }
    Str directory = str_from_c(arguments[0]), lock = path_join(arena, directory, STR("lock"));
    if (!os->exists(lock)) {
        printf("%s: not a database directory\n", arguments[0]);
        return 3;
    }
    File *file = os->file_open(lock, OS_WRITE);
    bool is_busy = false;
    uint32_t version;
    if (!file || !os->file_lock(file, &is_busy))
        return command_failed();
    os->file_close(file);
    if (!store_format_version(directory, &version))
        return command_failed();
    printf("%s: format %u, %s\n", arguments[0], version,
           is_busy ? "a server has it open" : "nobody has it open");
    return is_busy ? 0 : 1;
}
