#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/offload.h"
#include "base/os.h"
#include "server/bootstrap.h"
#include "server/command.h"

int command_init(int count, char **arguments)
{
    Str directory = STR_NONE, user = STR("postgres");

    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--username") == 0 && i + 1 == count) {
            fputs("sengi init: --username wants a name; see sengi --help\n", stderr);
            return 2;
        } else if (strcmp(arguments[i], "--username") == 0) {
            user = str_from_c(arguments[++i]);
        } else if (arguments[i][0] == '-' || !str_is_none(directory)) {
            fprintf(stderr, "sengi init: cannot make sense of \"%s\"; see sengi --help\n",
                    arguments[i]);
            return 2;
        } else {
            directory = str_from_c(arguments[i]);
        }
    }
    if (str_is_none(directory)) {
        fputs("sengi init: a directory is wanted; see sengi --help\n", stderr);
        return 2;
    }
    if (!server_bootstrap(directory, user))
        return command_failed();
    /* One that was there already may have been open to others; the server refuses such. */
    if (chmod(directory.data, 0700) != 0) {
        fprintf(stderr, "sengi init: could not change permissions of \"%s\": %s\n", directory.data,
                strerror(errno));
        return 1;
    }
    printf("made a database directory: %.*s\n", STR_ARGS(directory));
    return 0;
}
