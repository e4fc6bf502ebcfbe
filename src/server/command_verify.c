#include <stdio.h>

#include "base/os.h"
#include "server/command.h"
#include "storage/store.h"
#include "storage/tree.h"

#define VERIFY_POOL (256u << 20)

typedef struct Verification {
    Store *store;
    uint64_t problems, trees;
    bool failed;
} Verification;

static void print_problem(void *context, const StoreProblem *problem)
{
    Verification *verification = context;

    verification->problems++;
    printf("database %u, page %u, slot %u: %.*s\n", problem->database, problem->page,
           problem->slot, STR_ARGS(problem->text));
}

int command_verify(int count, char **arguments)
{
    Verification verification = {0};
    uint64_t problems = 0;

    if (count != 1 || arguments[0][0] == '-') {
        fputs("usage: sengi verify DIR\n", stderr);
        return 2;
    }
    printf("verifying %s\n", arguments[0]);
    Store *store = store_open(str_from_c(arguments[0]),
                              &(StoreOptions){.pool_bytes = VERIFY_POOL, .read_only = true});
    if (!store)
        return command_failed();
    printf("pages, checksums, slots\n");
    bool ok = store_verify(store, print_problem, &verification, &problems);
    store_close(store, STORE_CLOSE_ABORT);
    if (!ok)
        return command_failed();
    printf("%llu problems\n", (unsigned long long)problems);
    return problems > 0;
}
