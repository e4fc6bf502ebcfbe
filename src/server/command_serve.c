#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "server/command.h"
#include "server/server.h"

static void add_setting(Arena *arena, ServerOptions *options, Str name, Str value)
{
    ConfigItem item = {.name = name, .value = value};

    VEC_PUSH(arena, &options->command_line, item);
}

/* "-c name=value", "-cname=value", "--name=value". */
static bool add_assignment(Arena *arena, ServerOptions *options, Str text)
{
    size_t equals = str_find_char(text, '=', 0);

    if (equals == SIZE_MAX)
        return false;
    char *name = str_to_c(arena, str_slice(text, 0, equals));
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    add_setting(arena, options, str_from_c(name), str_slice(text, equals + 1, text.length));
    return true;
}

static const struct {
    const char *flag, *setting;
} flags[] = {{"--port", "port"},
             {"-p", "port"},
             {"--listen", "listen_addresses"},
             {"--socket", "unix_socket_directories"}};

/* Is it an option whose value comes as an argument of its own? */
static bool wants_value(const char *argument)
{
    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++)
        if (strcmp(argument, flags[i].flag) == 0)
            return true;
    return strcmp(argument, "-c") == 0;
}

static bool parse_argument(Arena *arena, ServerOptions *options, int *index, int count,
                           char **arguments)
{
    Str argument = str_from_c(arguments[*index]);

    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++) {
        if (str_equal(argument, str_from_c(flags[i].flag))) {
            if (++*index >= count)
                return false;
            add_setting(arena, options, str_from_c(flags[i].setting),
                        str_from_c(arguments[*index]));
            return true;
        }
    }
    if (str_equal(argument, STR("-c")))
        return ++*index < count && add_assignment(arena, options, str_from_c(arguments[*index]));
    if (str_starts_with(argument, STR("-c")) || str_starts_with(argument, STR("--")))
        return add_assignment(arena, options, str_slice(argument, 2, argument.length));
    if (str_starts_with(argument, STR("-")) || options->directory.length > 0)
        return false;
    options->directory = argument;
    return true;
}

int command_serve(int count, char **arguments)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("options");
    ServerOptions options = {0};
    Server *server;

    for (int i = 0; i < count; i++) {
        if (wants_value(arguments[i]) && i + 1 == count) {
            fprintf(stderr, "sengi serve: %s wants a value; see sengi --help\n", arguments[i]);
            return 2;
        }
        if (!parse_argument(arena, &options, &i, count, arguments)) {
            fprintf(stderr, "sengi serve: cannot make sense of \"%s\"; see sengi --help\n",
                    arguments[i < count ? i : count - 1]);
            return 2;
        }
    }
    if (options.directory.length == 0) {
        fputs("sengi serve: a database directory is wanted; see sengi --help\n", stderr);
        return 2;
    }
    if (!server_start(&options, &server))
        return command_failed();
    server_run(server);
    server_stop(server);
    return 0;
}
