/*
 * A server that stops on command: linked in place of the calls by which a commit changes trees and
 * ends, and of the one by which a session looks up its search path.
 *
 * The environment's SENGI_HOLD names a file. As long as there is none, nothing happens. What it
 * says is the number of the stop at which to wait: places of commits' applies are counted from the
 * moment the file appears. Who comes to that place writes the file's name with ".held" behind it,
 * and goes on when the file that was first there is gone. Only one waits at a time. SENGI_HOLD_PATH
 * is the same for look-ups of a search path, which may wait for pages and for other sessions. Where
 * there is the file that SENGI_HOLD_START names, a worker other than the first, which also accepts
 * and heeds signals, stops before it takes a connection on. While there is the file that
 * SENGI_HOLD_SYNC names, no sync ends: what is committed is not yet durable.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/os.h"
#include "base/task.h"
#include "catalog/catalog.h"
#include "server/server.h"
#include "storage/tree.h"
#include "txn/session_internal.h"

#define POLL_US 1000
#define NAME_SIZE 4096

bool __real_tree_attach(Tree *tree, TreeId id);
bool __wrap_tree_attach(Tree *tree, TreeId id);
bool __real_tree_put(Tree *tree, uint64_t row_id, Str image, const TreeObserver *observer);
bool __wrap_tree_put(Tree *tree, uint64_t row_id, Str image, const TreeObserver *observer);
bool __real_tree_index_insert(Tree *tree, Str key, const TreeObserver *observer);
bool __wrap_tree_index_insert(Tree *tree, Str key, const TreeObserver *observer);
void __real_writes_clear(Txn *txn);
void __wrap_writes_clear(Txn *txn);
void __real_lock_release_from(TxnSession *session, uint64_t position);
void __wrap_lock_release_from(TxnSession *session, uint64_t position);

const SearchPath *__real_catalog_search_path(CatalogSession *session);
const SearchPath *__wrap_catalog_search_path(CatalogSession *session);
void __real_session_start(Server *server, Worker *worker, int fd, bool is_local,
                          const struct sockaddr_storage *address);
void __wrap_session_start(Server *server, Worker *worker, int fd, bool is_local,
                          const struct sockaddr_storage *address);

typedef struct Hold {
    const char *variable;
    atomic_long passed;
    atomic_bool is_held;
} Hold;

static Hold commits = {.variable = "SENGI_HOLD"}, paths = {.variable = "SENGI_HOLD_PATH"};

/* 0: none. */
static long wanted_stop(const char *name)
{
    char text[32] = "";
    FILE *file = fopen(name, "r");

    if (!file)
        return 0;
    const bool is_read = fgets(text, sizeof(text), file) != NULL;
    fclose(file);
    return is_read ? strtol(text, NULL, 10) : 0;
}

static void say_held(const char *name)
{
    char held[NAME_SIZE];

    snprintf(held, sizeof(held), "%s.held", name);
    FILE *file = fopen(held, "w");
    if (file)
        fclose(file);
}

/* Nobody's latch is held where this is called. */
static void stop_here(Hold *hold)
{
    const char *name = getenv(hold->variable);
    const long wanted = name ? wanted_stop(name) : 0;
    Task *task = task_current();

    if (wanted == 0) {
        atomic_store(&hold->passed, 0);
        return;
    }
    if (atomic_fetch_add(&hold->passed, 1) + 1 != wanted || atomic_exchange(&hold->is_held, true))
        return;
    const bool were_held = task->interrupts_held;
    task->interrupts_held = true;
    say_held(name);
    while (access(name, F_OK) == 0)
        if (!task_sleep(POLL_US, WAIT_EVENT_PG_SLEEP))
            error_clear();
    task->interrupts_held = were_held;
    atomic_store(&hold->passed, 0);
    atomic_store(&hold->is_held, false);
}

bool __wrap_tree_attach(Tree *tree, TreeId id)
{
    stop_here(&commits);
    return __real_tree_attach(tree, id);
}

bool __wrap_tree_put(Tree *tree, uint64_t row_id, Str image, const TreeObserver *observer)
{
    const bool done = __real_tree_put(tree, row_id, image, observer);

    if (observer)
        stop_here(&commits);
    return done;
}

bool __wrap_tree_index_insert(Tree *tree, Str key, const TreeObserver *observer)
{
    const bool done = __real_tree_index_insert(tree, key, observer);

    if (observer)
        stop_here(&commits);
    return done;
}

/* All is applied, and the schema has its old version. */
void __wrap_writes_clear(Txn *txn)
{
    if (txn->commit_lsn != 0)
        stop_here(&commits);
    __real_writes_clear(txn);
}

/* It has its new one, and the locks are still held. */
void __wrap_lock_release_from(TxnSession *session, uint64_t position)
{
    if (position == 0 && session->txn.commit_lsn != 0)
        stop_here(&commits);
    __real_lock_release_from(session, position);
}

const SearchPath *__wrap_catalog_search_path(CatalogSession *session)
{
    stop_here(&paths);
    return __real_catalog_search_path(session);
}

/* On the log writer's thread, or another that may stand still. */
static bool sync_here(File *file)
{
    const char *name = getenv("SENGI_HOLD_SYNC");

    while (name && access(name, F_OK) == 0)
        usleep(POLL_US);
    return os_linux.file_sync(file);
}

__attribute__((constructor)) static void syncs_wrap(void)
{
    static OsOps ops;

    ops = os_linux;
    ops.file_sync = sync_here;
    os = &ops;
}

/* On the loop itself, which nothing may suspend. */
void __wrap_session_start(Server *server, Worker *worker, int fd, bool is_local,
                          const struct sockaddr_storage *address)
{
    const char *name = getenv("SENGI_HOLD_START");

    if (worker->number > 0 && name && wanted_stop(name) != 0) {
        say_held(name);
        while (access(name, F_OK) == 0)
            usleep(POLL_US);
    }
    __real_session_start(server, worker, fd, is_local, address);
}
