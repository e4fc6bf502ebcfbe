#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "executor/executor.h"
#include "server/command.h"
#include "server/setting_checks.h"
#include "server/view_rows.h"
#include "types/type.h"

static const char usage[] =
    "sengi: a PostgreSQL-compatible SQL server\n"
    "\n"
    "usage:\n"
    "  sengi init DIR [--username NAME]\n"
    "      makes a database directory with the databases postgres, template0 and template1\n"
    "  sengi serve DIR [--port N] [--listen ADDR] [--socket DIR] [-c name=value]...\n"
    "      serves it until SIGTERM or SIGINT; SIGHUP reads the configuration again\n"
    "  sengi verify DIR\n"
    "      checks every page, tree, index and free slot of a directory that nobody serves\n"
    "  sengi status DIR\n"
    "      says whether a server has the directory open, and what the directory is\n"
    "  sengi --help | --version\n"
    "\n"
    "Configuration is in DIR/sengi.conf, access rules are in DIR/hba.conf. Settings bear\n"
    "PostgreSQL's names: shared_buffers, work_mem, max_connections, ...\n";

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        int (*run)(int count, char **arguments);
    } commands[] = {{"init", command_init},
                    {"serve", command_serve},
                    {"verify", command_verify},
                    {"status", command_status},
                    {"template", command_template}};

    if (count < 2 || strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0) {
        fputs(usage, count < 2 ? stderr : stdout);
        return count < 2 ? 2 : 0;
    }
    if (strcmp(arguments[1], "--version") == 0) {
        printf("sengi (PostgreSQL-compatible) %.*s\n", STR_ARGS(settings_default.server_version));
        return 0;
    }
    types_init();
    setting_checks_init();
    executor_init();
    server_functions_init();
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(arguments[1], commands[i].name) == 0)
            return commands[i].run(count - 2, arguments + 2);
    fprintf(stderr,
            "sengi: unknown command \"%s\"; there are init, serve, verify and status: see sengi "
            "--help\n",
            arguments[1]);
    return 2;
}
