/* Opening, recovering and closing a data directory. */
#include "storage/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "storage/checkpoint.h"
#include "storage/store_template.h"
#include "storage/store_template_internal.h"
#include "storage/tree.h"
#include "storage/verify.h"
#include "storage/wal_internal.h"

#define DATA_FILE_MAGIC 0x7365676170ull /* "pages" */

/* -------- Creating -------- */

static bool refuse_entry(void *context, Str name, bool is_directory)
{
    (void)is_directory;
    FAIL(ERR_DUPLICATE_FILE,
         .message = fmt("directory \"%.*s\" exists but is not empty", STR_ARGS(*(Str *)context)),
         .detail = fmt("It contains \"%.*s\".", STR_ARGS(name)),
         .hint = STR("Remove or empty the directory, or give another one."));
}

bool store_prepare_directory(Str path)
{
    if (!os->exists(path))
        return os->make_directory(path);
    return os->list_directory(path, refuse_entry, &path);
}

/* The directory that holds the store's own name. */
static Str parent_directory(Str path)
{
    size_t length = path.length;

    while (length > 1 && path.data[length - 1] == '/')
        length--;
    while (length > 0 && path.data[length - 1] != '/')
        length--;
    if (length == 0)
        return STR(".");
    return str_slice(path, 0, MAX(length - 1, (size_t)1));
}

/* The first page-sized slot tells what the file is; pages start behind it. */
static bool store_create_data_file(Arena *arena, Str path, uint64_t system_id,
                                   const StoreTemplate *template)
{
    byte *header = arena_alloc_zeroed(arena, PAGE_SIZE);
    const uint64_t words[2] = {DATA_FILE_MAGIC, system_id};
    File *file = os->file_open(path_join(arena, path, STR("pages")), OS_CREATE | OS_EXCLUSIVE);

    TRY(file);
    memcpy(header, words, sizeof(words));
    const bool ok = os->file_write(file, header, PAGE_SIZE, 0) &&
                    store_template_write_pages(template, file) && os->file_sync(file);
    os->file_close(file);
    return ok;
}

static bool store_create_lock_file(Arena *arena, Str path)
{
    File *file = os->file_open(path_join(arena, path, STR("lock")), OS_CREATE);

    TRY(file);
    os->file_close(file);
    return true;
}

static bool store_create_files(Arena *arena, Str path, const StoreTemplate *template, Lsn start)
{
    Superblock superblock = {
        .checkpoint = template->checkpoint,
        .redo = start,
        .wal_durable = start,
        .incarnation = 1,
        .is_clean = true,
    };

    TRY(store_prepare_directory(path));
    os->random(&superblock.system_id, sizeof(superblock.system_id));
    superblock.system_id &= INT64_MAX; /* shown as a bigint */
    TRY(store_create_lock_file(arena, path));
    TRY(store_create_data_file(arena, path, superblock.system_id, template));
    TRY(wal_create(path_join(arena, path, STR("wal")), start));
    TRY(page_map_files_create(path, template, &superblock));
    TRY(os->sync_directory(path));
    /* Twice, so that both generations' blocks exist. The directory is a store from here on. */
    TRY(superblock_write(path, &superblock));
    TRY(superblock_write(path, &superblock));
    return os->sync_directory(path) && os->sync_directory(parent_directory(path));
}

bool store_create(Str path)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("store_create");
    const StoreTemplate empty = {.checkpoint = 1};

    return store_create_files(arena, path, &empty, WAL_START);
}

/*
 * The log begins near its first segment's end: no more of that has to be filled with zeros before
 * somebody can write, and the next segment is made while he does.
 */
#define LOG_AT_FIRST MIN((Lsn)1 << 20, (Lsn)WAL_SEGMENT_SIZE)

bool store_create_from(Str path, Str template)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("store_create");
    StoreTemplate parts;

    return store_template_open(template, &parts) &&
           store_create_files(arena, path, &parts, WAL_START + WAL_SEGMENT_SIZE - LOG_AT_FIRST);
}

/* -------- Opening -------- */

static bool store_lock(Store *store)
{
    bool is_busy = false;

    store->lock_file = os->file_open(path_join(store->arena, store->path, STR("lock")), OS_CREATE);
    TRY(store->lock_file);
    TRY(os->file_lock(store->lock_file, &is_busy));
    if (is_busy)
        FAIL(ERR_LOCK_FILE_EXISTS,
             .message = fmt("data directory \"%.*s\" is in use", STR_ARGS(store->path)),
             .hint = STR("Is another server running in this data directory?"));
    return true;
}

static bool store_check_directory(Store *store)
{
    if (!os->exists(store->path))
        FAIL(ERR_UNDEFINED_FILE,
             .message = fmt("data directory \"%.*s\" does not exist", STR_ARGS(store->path)),
             .hint = STR("Create one with \"sengi init\"."));
    if (!os->exists(path_join(store->arena, store->path, STR("superblock"))))
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("\"%.*s\" is not a database cluster directory", STR_ARGS(store->path)),
             .detail = STR("The file \"superblock\" is missing."),
             .hint = STR("Create one with \"sengi init\" in an empty directory."));
    return true;
}

static bool store_open_data_file(Store *store)
{
    const uint32_t flags = (store->options.read_only ? OS_READ_ONLY : OS_WRITE) |
                           (store->options.direct_io ? OS_DIRECT : 0);
    uint64_t size, words[2];
    byte *header = memory_reserve(PAGE_SIZE); /* aligned, as direct I/O wants it */

    TRY(header);
    store->data_file = os->file_open(path_join(store->arena, store->path, STR("pages")), flags);
    bool ok = store->data_file && os->file_size(store->data_file, &size) &&
              os->file_read(store->data_file, header, PAGE_SIZE, 0);
    memcpy(words, header, sizeof(words));
    memory_release(header, PAGE_SIZE);
    TRY(ok);
    if (words[0] != DATA_FILE_MAGIC || words[1] != store->superblock.system_id)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("data file \"%.*s/pages\" does not belong to its superblock",
                            STR_ARGS(store->path)),
             .hint = STR("Restore the data directory from a backup."));
    store->space.capacity = (uint32_t)MIN(size / PAGE_SIZE, (uint64_t)UINT32_MAX);
    return true;
}

#define SLOTS_MOST ((size_t)1 << 32)
#define SLOT_BITMAP_BYTES (SLOTS_MOST / 8)
#define SLOT_EXTRA_BYTES (SLOTS_MOST * sizeof(uint16_t))

static bool store_init_space(Store *store)
{
    SlotSpace *space = &store->space;

    space->used = memory_reserve(SLOT_BITMAP_BYTES);
    space->extra = memory_reserve(SLOT_EXTRA_BYTES);
    if (!space->used || !space->extra)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("could not reserve memory for the free map"),
             .hint = STR(STORE_SPACE_HINT));
    space->used[0] = 1; /* the file's header */
    space->used_count = 1;
    space->cursor = 1;
    return true;
}

bool store_format_version(Str path, uint32_t *ret_version)
{
    Superblock superblock;

    TRY(superblock_read(path, &superblock));
    *ret_version = superblock.format_version;
    return true;
}

static bool store_load(Store *store)
{
    TRY(store_check_directory(store));
    TRY(store_lock(store));
    TRY(superblock_read(store->path, &store->superblock));
    atomic_store(&store->durable, store->superblock.checkpoint);
    atomic_store(&store->epoch, store->superblock.checkpoint + 1);
    TRY(store_open_data_file(store));
    TRY(store_init_space(store));
    TRY(pool_init(store));
    TRY(actions_init(store));
    store->wal = wal_new(path_join(store->arena, store->path, STR("wal")),
                         store->options.wal_ring_bytes, store->options.wal_ahead_bytes);
    TRY(store->wal);
    return page_map_files_load(store);
}

static void store_free(Store *store)
{
    checkpointer_free(store);
    for (size_t i = 0; i < store->database_count; i++)
        page_map_free(store->databases[i]);
    memory_free(store->databases);
    for (int class = EPOCH_CURRENT; class <= EPOCH_RUNNING; class ++) {
        u32_deinit(&store->space.freed[class]);
        u32_deinit(&store->dropped[class]);
    }
    memory_release(store->space.used, SLOT_BITMAP_BYTES);
    memory_release(store->space.extra, SLOT_EXTRA_BYTES);
    wal_free(store->wal);
    actions_deinit(store);
    pool_deinit(store);
    os->file_close(store->journal);
    os->file_close(store->next_journal);
    os->file_close(store->data_file);
    os->file_close(store->lock_file); /* the lock goes with it */
    arena_free(store->scratch);
    arena_free(store->arena);
    memory_free(store);
}

Store *store_open(Str path, const StoreOptions *options)
{
    Store *store = aligned_alloc(CACHE_LINE, ALIGN_UP(sizeof(Store), CACHE_LINE));

    if (!store)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    memset(store, 0, sizeof(*store));
    store->arena = arena_new("store");
    store->scratch = arena_new("store scratch");
    store->path = str_copy(store->arena, path);
    store->options = *options;
    mutex_init(&store->map_mutex, RANK_PAGE_MAP);
    mutex_init(&store->damage.mutex, RANK_LEAF);
    if (!store_load(store)) {
        store_free(store);
        return NULL;
    }
    pool_cleaner_start(store); /* finds clean frames to use again, too */
    prefetcher_start(store);
    return store;
}

/* -------- Recovering -------- */

static bool store_replay(Store *store, WalReader *reader, StoreApply *apply, void *context)
{
    StoreRecovery *recovery = &store->recovery;
    WalReadOutcome outcome;
    WalRecord record;

    while ((outcome = wal_reader_next(reader, &record)) == WAL_READ_RECORD) {
        TRY(apply(context, store, &record));
        recovery->record_count++;
    }
    return outcome == WAL_READ_END && apply(context, store, NULL);
}

/* From here on records are written: the store is not clean, and they carry a new incarnation. */
static bool store_start_log(Store *store, Lsn end)
{
    Superblock superblock = store->superblock;

    superblock.is_clean = false;
    superblock.incarnation++;
    TRY(superblock_write(store->path, &superblock));
    store->superblock = superblock;
    return wal_start(store->wal, superblock.redo, end, superblock.incarnation);
}

static bool reclaim_database(void *context, Database *database)
{
    uint64_t pages;

    (void)context;
    /* Damage is told to who reads the page; until it is gone, every start tries again. */
    if (!tree_reclaim(database, &pages)) {
        page_loose_begin(database);
        error_clear();
    }
    return true;
}

/* What the checkpoint's image has outside of every tree: operations that the crash cut short. */
static void store_reclaim(Store *store)
{
    store_databases(store, reclaim_database, NULL);
}

static bool store_show(Store *store)
{
    if (!store->superblock.is_clean)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message =
                 fmt("data directory \"%.*s\" was not shut down cleanly", STR_ARGS(store->path)),
             .hint = STR("Start the server in it: it recovers what the log has."));
    wal_show(store->wal, store->superblock.redo);
    store->recovered = true;
    return true;
}

bool store_recover(Store *store, StoreApply *apply, void *context)
{
    const Superblock *superblock = &store->superblock;

    assert(!store->recovered);
    if (store->options.read_only)
        return store_show(store);
    CLEANUP(wal_reader_closep)
    WalReader *reader = wal_reader_open(path_join(store->arena, store->path, STR("wal")),
                                        superblock->redo, superblock->wal_durable);
    TRY(reader);
    if (superblock->is_clean)
        wal_reader_trust_end(reader);
    const int64_t start = os->monotonic();
    TRY(store_replay(store, reader, apply, context));
    store->recovery.redo = superblock->redo;
    store->recovery.end = wal_reader_position(reader);
    store->recovery.microseconds = os->monotonic() - start;
    store->recovery.damaged_pages = store->damage.page_count;
    store->recovery.lost_changes = store->damage.change_count;
    if (superblock->has_loose_pages && !FAULT(fault_no_reclaim))
        store_reclaim(store);
    TRY(store_start_log(store, wal_reader_position(reader)));
    store->recovered = true;
    checkpointer_start(store);
    return true;
}

bool store_close(Store *store, StoreClose how)
{
    if (!store)
        return true;
    const bool ok = checkpointer_stop(store, how);
    prefetcher_stop(store);
    pool_cleaner_stop(store);
    wal_stop(store->wal, how == STORE_CLOSE_CLEAN ? WAL_STOP_DRAIN : WAL_STOP_ABORT);
    store_free(store);
    return ok;
}

/* -------- Facts -------- */

Wal *store_wal(Store *store)
{
    return store->wal;
}

Str store_path(const Store *store)
{
    return store->path;
}

bool store_is_clean(const Store *store)
{
    return store->superblock.is_clean;
}

bool store_has_loose_pages(const Store *store)
{
    return store->superblock.has_loose_pages;
}

StoreRecovery store_recovery(const Store *store)
{
    return store->recovery;
}

void store_set_redo_floor(Store *store, StoreRedoFloor *callback, void *context)
{
    store->redo_floor_context = context;
    store->redo_floor = callback;
}

void store_on_checkpoint(Store *store, StoreCheckpointCallback *callback, void *context)
{
    store->on_checkpoint_context = context;
    store->on_checkpoint = callback;
}

void store_statistics(Store *store, StoreStatistics *ret_statistics)
{
    mutex_lock(&store->map_mutex);
    const uint64_t slots_total = store->space.capacity, slots_used = store->space.used_count;
    mutex_unlock(&store->map_mutex);
    *ret_statistics = (StoreStatistics){
        .checkpoint_count = atomic_load(&store->checkpoints_done),
        .checkpoint_failed_count = atomic_load(&store->checkpoints_failed),
        .pages_written_checkpoint = atomic_load(&store->images_checkpoint),
        .pages_written_eviction = atomic_load(&store->images_eviction),
        .pages_read = atomic_load(&store->pages_read),
        .pages_prefetched = atomic_load(&store->pages_prefetched),
        .shadow_count = atomic_load(&store->shadows_made),
        .boundary_microseconds_max = atomic_load(&store->boundary_microseconds_max),
        .frame_count = store->pool.count,
        .frames_free = atomic_load(&store->pool.free_count),
        .slots_total = slots_total,
        .slots_used = slots_used,
        .epoch = atomic_load(&store->epoch),
        .durable_epoch = atomic_load(&store->durable),
    };
}
