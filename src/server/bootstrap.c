#include "server/bootstrap.h"

#include <stdio.h>

#include "base/offload.h"
#include "base/os.h"
#include "catalog/bootstrap.h"
#include "executor/command/ddl.h"
#include "parser/parser.h"
#include "server/server.h"
#include "server/template.h"
#include "storage/store.h"
#include "storage/store_template.h"

#define BOOTSTRAP_POOL (64u << 20)
#define VERSION_FILE "catalog_version"
#define VERSION_SIZE_MAX 1000
#define BOOTSTRAP_WAL_AHEAD (1u << 20) /* its log fits the first segment */

/* What running SQL needs, without a connection. */
typedef struct Bootstrap {
    TxnManager *manager;
    Catalog *catalog;
    TxnSession *txn_session;
    ExecSession exec;
    Arena *arena, *statement_arena;
} Bootstrap;

static bool run_statement(Bootstrap *boot, Str text, const RawStmt *raw)
{
    CommandContext context = {
        .session = &boot->exec, .arena = boot->statement_arena, .source = text};
    Str tag;

    if (!ddl_handles(raw->stmt->tag))
        FAIL(ERR_INTERNAL_ERROR, .message = STR("a bootstrap script does more than define"));
    boot->exec.catalog.arena = boot->statement_arena;
    TRY(txn_statement_begin(boot->exec.catalog.txn));
    return ddl_execute(&context, raw->stmt, &tag);
}

static bool run_statements(Bootstrap *boot, Str text, const StatementList *list)
{
    for (size_t i = 0; i < list->length; i++) {
        if (!run_statement(boot, text, list->items[i])) {
            error_add_context(fmt("bootstrap statement: %.*s",
                                  STR_ARGS(str_slice(list->items[i]->text, 0, 200))));
            return false;
        }
    }
    return true;
}

static bool run_script(Bootstrap *boot, Str text)
{
    StatementList list = {0};
    Txn *txn = txn_begin(boot->txn_session, &(TxnOptions){.isolation = ISOLATION_READ_COMMITTED});

    TRY(txn);
    boot->exec.catalog.txn = txn;
    bool ok = parse(boot->statement_arena, text, &list) && run_statements(boot, text, &list);
    if (ok)
        ok = txn_commit(txn);
    else
        txn_rollback(txn);
    catalog_session_end_transaction(&boot->exec.catalog, ok);
    boot->exec.catalog.txn = NULL;
    arena_reset(boot->statement_arena);
    return ok;
}

static bool run_scripts(Bootstrap *boot)
{
    catalog_session_init(&boot->exec.catalog, boot->catalog, boot->arena);
    bool ok =
        catalog_session_connect(&boot->exec.catalog, DATABASE_TEMPLATE1, ROLE_BOOTSTRAP_SUPERUSER);
    catalog_set_bootstrapping(boot->catalog, true);
    for (const Str *script = catalog_bootstrap_scripts(); ok && !str_is_none(*script); script++)
        ok = run_script(boot, *script);
    catalog_set_bootstrapping(boot->catalog, false);
    catalog_session_deinit(&boot->exec.catalog);
    return ok;
}

static bool fill(Store *store, Str superuser)
{
    Bootstrap boot = {.arena = arena_new("bootstrap"),
                      .statement_arena = arena_new("bootstrap statement")};
    CatalogBootstrapOptions options = {.superuser = superuser};

    bool ok = txn_manager_open(store, NULL, &boot.manager) &&
              catalog_bootstrap(boot.manager, &options) &&
              catalog_open(boot.manager, &boot.catalog);
    if (ok) {
        boot.txn_session = txn_session_open(boot.manager, 1);
        ok = boot.txn_session && run_scripts(&boot);
        txn_session_close(boot.txn_session);
    }
    ok = ok && catalog_bootstrap_finish(boot.catalog);
    catalog_close(boot.catalog);
    if (boot.manager)
        txn_manager_close(boot.manager);
    arena_free(boot.statement_arena);
    arena_free(boot.arena);
    return ok;
}

/* ------------------------------------------------------------------ whose it is */

static Str version_text(Arena *arena)
{
    const Str data = catalog_data_version();

    return str_format(arena, "%.*s-%d\n", STR_ARGS(data), CATALOG_CODE_VERSION);
}

/* Without the line's end. */
static Str version_shown(Str text)
{
    while (text.length > 0 && text.data[text.length - 1] == '\n')
        text.length--;
    return text;
}

bool server_check_version(Str directory)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("version of a directory");
    const Str path = path_join(arena, directory, STR(VERSION_FILE)), mine = version_text(arena);
    Str theirs = STR("none");

    if (!os->exists(path_join(arena, directory, STR(STORE_SUPERBLOCK))))
        return true;
    if (os->exists(path))
        TRY(os_read_file(arena, path, VERSION_SIZE_MAX, &theirs));
    if (str_equal(mine, theirs))
        return true;
    FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
         .message = STR("database files are incompatible with server"),
         .detail = fmt("The system tables of \"%.*s\" are of version %.*s, but the server's are of "
                       "version %.*s.",
                       STR_ARGS(directory), STR_ARGS(version_shown(theirs)),
                       STR_ARGS(version_shown(mine))),
         .hint = STR("Dump the data with the server version that wrote it, and restore it."));
}

static bool write_files(Str directory)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("bootstrap files");

    TRY(os_replace_file(path_join(arena, directory, STR(VERSION_FILE)), version_text(arena)));
    TRY(os_replace_file(path_join(arena, directory, STR(CONFIG_FILE)), config_template()));
    return os_replace_file(path_join(arena, directory, STR(HBA_FILE)), config_hba_template());
}

/* ------------------------------------------------------------------ syncing */

/* A file that a thread of its own syncs: disks do several at a time. */
typedef struct FileSync {
    const OsOps *os;
    Str path;
    Thread *thread;
    bool failed;
    SqlState state;
    char message[300];
} FileSync;

typedef VEC(FileSync *) FileSyncVec;

static bool sync_file(const FileSync *sync)
{
    File *file = sync->os->file_open(sync->path, OS_READ_ONLY);

    TRY(file);
    const bool ok = sync->os->file_sync(file);
    sync->os->file_close(file);
    return ok;
}

static void sync_main(void *argument)
{
    FileSync *sync = argument;

    if (sync_file(sync))
        return;
    const ErrorFields *fields = error_fields();
    sync->failed = true;
    sync->state = fields->sqlstate;
    snprintf(sync->message, sizeof(sync->message), "%.*s", STR_ARGS(fields->message));
    error_clear();
}

static FileSync *sync_begin(Arena *arena, const OsOps *ops, Str path)
{
    FileSync *sync = ARENA_NEW(arena, FileSync);

    *sync = (FileSync){.os = ops, .path = path};
    sync->thread = os->thread_start("sync", sync_main, sync);
    return sync;
}

static bool sync_end(FileSync *sync)
{
    os->thread_join(sync->thread);
    if (sync->failed)
        FAIL(sync->state, .message = fmt("%s", sync->message));
    return true;
}

typedef struct DirectorySync {
    Arena *arena;
    const OsOps *os;
    Str directory;
    FileSyncVec *files;
} DirectorySync;

static bool sync_entry(void *context, Str name, bool is_directory)
{
    const DirectorySync *sync = context;
    const Str path = path_join(sync->arena, sync->directory, name);

    if (is_directory) {
        DirectorySync inside = *sync;
        inside.directory = path;
        return os->list_directory(path, sync_entry, &inside) && sync->os->sync_directory(path);
    }
    VEC_PUSH(sync->arena, sync->files, sync_begin(sync->arena, sync->os, path));
    return true;
}

/* Waits for all of them, whatever becomes of one. */
static bool sync_end_all(const FileSyncVec *files)
{
    bool ok = true;

    for (size_t i = 0; i < files->length; i++)
        if (!sync_end(files->items[i]))
            ok = false;
    return ok;
}

/* The files in a directory and those inside it, and what these contain. */
static bool sync_tree(Arena *arena, Str directory)
{
    FileSyncVec files = {0};
    DirectorySync sync = {.arena = arena, .os = os, .directory = directory, .files = &files};
    const bool listed = os->list_directory(directory, sync_entry, &sync);

    return sync_end_all(&files) && listed;
}

/* ------------------------------------------------------------------ the directory */

/* `synced`: the disk works on the log's zeros while the store is filled. */
static bool make_filled_store(Arena *arena, Str directory, Str superuser, const OsOps *synced)
{
    TRY(store_create(directory));
    FileSyncVec files = {0};
    DirectorySync log = {.arena = arena,
                         .os = synced,
                         .directory = path_join(arena, directory, STR("wal")),
                         .files = &files};
    const bool listed = os->list_directory(log.directory, sync_entry, &log);
    const StoreOptions options = {.pool_bytes = BOOTSTRAP_POOL,
                                  .wal_ahead_bytes = BOOTSTRAP_WAL_AHEAD};
    Store *store = listed ? store_open(directory, &options) : NULL;
    bool ok = store && fill(store, superuser);
    if (store && !store_close(store, ok ? STORE_CLOSE_CLEAN : STORE_CLOSE_ABORT))
        ok = false;
    return sync_end_all(&files) && ok;
}

/* The template's superuser is "postgres". */
static bool rename_superuser(Str directory, Str superuser)
{
    const StoreOptions options = {.pool_bytes = STORE_POOL_MIN, .wal_ahead_bytes = 1};
    TxnManager *manager;

    if (str_equal(superuser, STR("postgres")))
        return true;
    Store *store = store_open(directory, &options);
    TRY(store);
    bool ok = txn_manager_open(store, NULL, &manager);
    if (ok) {
        ok = catalog_bootstrap_rename(manager, superuser);
        txn_manager_close(manager);
    }
    return store_close(store, ok ? STORE_CLOSE_CLEAN : STORE_CLOSE_ABORT) && ok;
}

static bool make_store(Arena *arena, Str directory, Str superuser, const OsOps *synced)
{
    Str template;

    TRY(server_template_find(arena, &template));
    if (str_is_none(template))
        TRY(make_filled_store(arena, directory, superuser, synced));
    else
        TRY(store_create_from(directory, template) && rename_superuser(directory, superuser));
    return write_files(directory);
}

static bool sync_no_file(File *file)
{
    (void)file;
    return true;
}

static bool sync_no_directory(Str path)
{
    (void)path;
    return true;
}

/* The dozens of syncs that a store makes while it is filled are for nobody: one comes afterwards.
 */
static bool make_store_unsynced(Arena *arena, Str directory, Str superuser)
{
    const OsOps *const synced = os;
    OsOps unsynced = *os;

    unsynced.file_sync = sync_no_file;
    unsynced.sync_directory = sync_no_directory;
    os = &unsynced;
    const bool ok = make_store(arena, directory, superuser, synced);
    offload_stop(); /* the store's own threads have ended */
    os = synced;
    return ok;
}

typedef struct Finished {
    Arena *arena;
    Str from, to; /* directories */
} Finished;

static bool move_entry(void *context, Str name, bool is_directory)
{
    const Finished *finished = context;

    (void)is_directory;
    return str_equal(name, STR(STORE_SUPERBLOCK)) ||
           os->rename(path_join(finished->arena, finished->from, name),
                      path_join(finished->arena, finished->to, name));
}

/* A crash leaves a whole store, or a directory without a superblock, which nobody opens. */
static bool move_store(Finished *finished)
{
    const Str name = STR(STORE_SUPERBLOCK);

    TRY(sync_tree(finished->arena, finished->from));
    TRY(os->list_directory(finished->from, move_entry, finished));
    TRY(os->sync_directory(finished->to));
    TRY(os->rename(path_join(finished->arena, finished->from, name),
                   path_join(finished->arena, finished->to, name)));
    TRY(os->remove_directory(finished->from));
    return os->sync_directory(finished->to) &&
           os->sync_directory(path_join(finished->arena, finished->to, STR("..")));
}

bool server_bootstrap(Str directory, Str superuser)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("bootstrap directory");
    Finished finished = {
        .arena = arena, .from = path_join(arena, directory, STR("unfinished")), .to = directory};

    TRY(store_prepare_directory(directory));
    return make_store_unsynced(arena, finished.from, superuser) && move_store(&finished);
}
