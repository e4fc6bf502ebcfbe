#include "server/command.h"

#include <stdio.h>

#include "base/error.h"

int command_failed(void)
{
    const ErrorFields *fields = error_fields();

    fprintf(stderr, "sengi: %.*s\n", STR_ARGS(fields->message));
    if (fields->detail.length)
        fprintf(stderr, "detail: %.*s\n", STR_ARGS(fields->detail));
    if (fields->context.length)
        fprintf(stderr, "context: %.*s\n", STR_ARGS(fields->context));
    if (fields->hint.length)
        fprintf(stderr, "hint: %.*s\n", STR_ARGS(fields->hint));
    error_clear();
    return 1;
}
