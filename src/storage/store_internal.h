/*
 * The store's insides: what pages, buffer pool, page map, actions and checkpoint share.
 *
 * Epochs. `epoch` is E: changes now belong to it. `running` is the checkpoint being written, or 0;
 * then E == running + 1. `durable` is the newest one on disk. Every epoch above `durable` is of one
 * of two classes: EPOCH_RUNNING (<= running) or EPOCH_CURRENT; lists of what a checkpoint has to
 * do or may release exist once a class. A checkpoint that fails is abandoned: its lists go to the
 * front of the current ones, and its epochs count as current.
 *
 * Who guards what: page bytes, `epoch` and frames: the page's latch. Slots, lists, ids: map_mutex.
 * Frame lists: pool.mutex. IO_PENDING is a claim: who sets it writes the page's image.
 * Order of locks: checkpoint mutex, page latch, pool mutex, map mutex.
 */
#ifndef STORAGE_STORE_INTERNAL_H
#define STORAGE_STORE_INTERNAL_H

#include <stdatomic.h>

#include "base/hash.h"
#include "base/os.h"
#include "base/sync.h"
#include "storage/buffer_internal.h"
#include "storage/faults.h"
#include "storage/page.h"
#include "storage/page_map_internal.h"
#include "storage/store.h"
#include "storage/superblock.h"

#define PAGE_MAGIC 0x50474e53u     /* "SNGP" */
#define PAGE_CRC_NEVER 0xfffffffeu /* no image has it: the page was set aside in recovery */
#define IMAGE_BATCH 64             /* page images written together */
#define ACTION_SLOTS 256

struct ActionSlot {
    _Atomic uint32_t state; /* ActionState */
    uint32_t stock_count;
    uint32_t stock[ACTION_PAGES_MAX * 2];
} ALIGNED(CACHE_LINE);

typedef enum ActionState { ACTION_SLOT_FREE = 0, ACTION_SLOT_OWNED, ACTION_SLOT_OPEN } ActionState;

/* What recovery went on without (store_damage.c); counts are read when it is over. */
#define STORE_DAMAGE_TOLD 16u
typedef struct StoreDamage {
    Mutex mutex;          /* rank LEAF */
    bool is_met;          /* a page set aside, or one whose content is wrong */
    StorePasser *passers; /* tasks between store_aside_begin and store_aside_end */
    uint32_t told_count;
    uint64_t page_count, change_count;
    char told[STORE_DAMAGE_TOLD][300];
} StoreDamage;

typedef struct Checkpointer Checkpointer;
typedef struct Prefetcher Prefetcher;

struct Store {
    Arena *arena;
    Str path;
    StoreOptions options;
    File *lock_file, *data_file;
    Wal *wal;
    BufferPool pool;
    Thread *cleaner;
    Prefetcher *prefetcher;

    ActionSlot *action_slots;
    _Atomic uint32_t action_barrier;

    _Atomic uint32_t epoch, running, durable; /* change at a barrier or under map_mutex */
    _Atomic uint32_t loose_count;             /* operations that have pages outside of every tree */
    _Atomic uint32_t dirty_count;             /* pages with PAGE_FLAG_DIRTY */
    _Atomic uint64_t promised_pages;          /* store_admit's, of applies under way */
    _Atomic bool image_failed; /* an image the running checkpoint owes could not be written */

    Mutex map_mutex; /* rank PAGE_MAP */
    SlotSpace space;
    PageMap **databases;
    size_t database_count, database_capacity;
    U32List dropped[2];                /* by EpochClass: databases that durable maps still know */
    uint32_t shadow_head, shadow_tail; /* queue of frames with copies that are owed */
    _Atomic uint32_t shadow_count;

    Superblock superblock;        /* the newest on disk; the checkpointer's */
    File *journal, *next_journal; /* the second: of a base that no durable superblock names yet */
    uint64_t map_reserve;         /* bytes known to be kept back for maps; the checkpointer's */
    bool has_recovery_reserve;
    _Atomic bool spends_reserve; /* what `reserve` held is for the maps alone */
    Arena *scratch;              /* the checkpointer's, for paths */
    Checkpointer *checkpointer;
    StoreRedoFloor *redo_floor;
    void *redo_floor_context;
    bool recovered;
    StoreRecovery recovery;
    StoreDamage damage;
    StoreCheckpointCallback *on_checkpoint;
    void *on_checkpoint_context;
    void (*verify_progress)(void *context, uint64_t done, uint64_t total);
    void *verify_progress_context;

    _Atomic uint64_t pages_read, pages_prefetched, images_checkpoint, images_eviction, shadows_made;
    _Atomic uint64_t checkpoints_done, checkpoints_failed, boundary_microseconds_max;
};

/* In recovery, and where this task's commit passes over a change: what is damaged is noted. */
bool store_sets_aside(Store *store);
/* There: an image that is not the map's is never used again; one that is, but says what is not. It
 * was read from this slot, by who is still loading the page. */
void page_set_aside(Database *database, PageId page, uint32_t slot, Str why);
void store_note_wrong(Store *store, Str why);

/* -------- page_map.c. REQUIRES(map_mutex) unless it says otherwise -------- */

static inline EpochClass epoch_class(const Store *store, uint32_t epoch)
{
    const uint32_t running = atomic_load_explicit(&store->running, memory_order_relaxed);
    return running != 0 && epoch <= running ? EPOCH_RUNNING : EPOCH_CURRENT;
}

static inline bool page_entry_is_clone(const PageEntry *entry)
{
    return (atomic_load(&((PageEntry *)entry)->flags) & PAGE_FLAG_CLONED) != 0;
}

PageMap *page_map_new(Store *store, DatabaseId id);
void page_map_free(PageMap *map);
PageMap *page_map_find(const Store *store, DatabaseId id);
void page_map_add(Store *store, PageMap *map);
void page_map_remove(Store *store, PageMap *map);
/* Lists the ids below next_page that no page has. */
void page_map_list_free_pages(PageMap *map);

/* Takes `count` free slots, neighbours where possible. Not under map_mutex: may extend the file. */
MUST_CHECK bool slots_take(Store *store, uint32_t count, uint32_t *ret_slots);
void slots_give_back(Store *store, const uint32_t *slots, uint32_t count); /* takes the mutex */
/* Makes the data file larger by `count` slots at least. Not under map_mutex. */
MUST_CHECK bool slots_extend(Store *store, uint32_t count);
MUST_CHECK bool slot_reference(SlotSpace *space, uint32_t slot, bool is_shared);
void slot_release(SlotSpace *space, uint32_t slot);

/* The page's newest image is in `record->slot` (0: the page is freed), for checkpoint class
 * `class`. Settles what becomes of the old slot and notes the line for the journal.
 * `is_old_writing`: an image is still on its way to the old slot. */
void page_map_replace(Store *store, PageMap *map, const MapRecord *record, EpochClass class,
                      bool is_old_writing);
/* The page is freed, and no shadow of it is owed any more. */
void page_map_tombstone(Store *store, PageMap *map, PageId page);

/* What a boundary, a durable and an abandoned checkpoint do to all lists. */
void page_maps_begin_checkpoint(Store *store);
void page_maps_end_checkpoint(Store *store);
void page_maps_abandon_checkpoint(Store *store);

/* -------- room.c: a slot for every dirty page -------- */

/* Whether `pages` more may become dirty now; where not, store_make_room waits for that or fails. */
bool store_has_room(const Store *store, uint64_t pages);
MUST_CHECK bool store_make_room(Store *store, uint64_t pages);
static inline void dirty_count_add(Store *store, int32_t change)
{
    atomic_fetch_add_explicit(&store->dirty_count, (uint32_t)change, memory_order_relaxed);
}

/* -------- page_image.c: images on their way to slots -------- */

typedef struct ImageTarget {
    Database *database;
    PageId page;
} ImageTarget;

typedef struct ImageBatch {
    byte *staging; /* IMAGE_BATCH pages */
    uint32_t slots[IMAGE_BATCH];
    ImageTarget targets[IMAGE_BATCH]; /* of slot i */
    bool is_shadow[IMAGE_BATCH];
    uint32_t slot_count, used;
} ImageBatch;

typedef enum ImageScope {
    IMAGE_EVICTION,   /* any dirty page without a shadow */
    IMAGE_CHECKPOINT, /* pages the running checkpoint owes */
} ImageScope;

MUST_CHECK bool image_batch_init(ImageBatch *batch);
void image_batch_deinit(ImageBatch *batch);
/* Takes slots for up to `count` images; fails with 53100. */
MUST_CHECK bool image_batch_begin(Store *store, ImageBatch *batch, uint32_t count);
/* Copies the page and claims it; nothing where it needs no image now. */
void image_batch_add(Store *store, ImageBatch *batch, ImageTarget target, ImageScope scope);
/* Copies the oldest shadow owed; false: none. */
bool image_batch_add_shadow(Store *store, ImageBatch *batch);
/* Writes what was added. False: error set; those pages are dirty again. */
MUST_CHECK bool image_batch_write(Store *store, ImageBatch *batch);

/* -------- page.c, page_load.c, action.c -------- */

bool page_entry_try_latch(PageEntry *entry);
void page_entry_latch(PageEntry *entry);
void page_entry_latch_shared(PageEntry *entry);
void page_entry_unlatch_shared(PageEntry *entry);
void page_entry_unlatch(PageEntry *entry); /* a new version */
void page_entry_unlatch_unchanged(PageEntry *entry);

/* Checks an image that was read from the slot. Fails with XX001. */
MUST_CHECK bool page_image_check(const Database *database, PageId page, const PageEntry *entry,
                                 const byte *image);
void prefetcher_start(Store *store);
void prefetcher_stop(Store *store);
void prefetcher_forget(Store *store, const Database *database);

MUST_CHECK bool actions_init(Store *store);
void actions_deinit(Store *store);
/* No action is open between the two, and none begins. */
void actions_close_gate(Store *store);
void actions_open_gate(Store *store);

/* -------- page_map_file.c -------- */

/* Loads base and journal that the superblock names into the databases. */
MUST_CHECK bool page_map_files_load(Store *store);
/* Appends what the running checkpoint changed, or writes a new base; fills in `superblock`. */
MUST_CHECK bool page_map_files_write(Store *store, Superblock *superblock);
/* The superblock just written is durable: its journal is the one to append to. */
void page_map_files_adopt(Store *store);
/* Bytes that a base of all maps takes, about. */
uint64_t page_map_files_size(Store *store);
/* Removes files that the newest durable superblock does not name. */
void page_map_files_clean(Store *store);
/* A new store's: the lines of `template`, or the empty shared database. Fills in `superblock`. */
struct StoreTemplate;
MUST_CHECK bool page_map_files_create(Str path, const struct StoreTemplate *template,
                                      Superblock *superblock);

/* -------- reserve.c: room on the disk for a checkpoint and a recovery -------- */

/* Makes what is missing, or as much as fits, and lets the data file grow again. */
void reserve_keep(Store *store);
/* The disk is full: gives the map's room to the map. False: there was nothing. */
MUST_CHECK bool reserve_spend_on_maps(Store *store);
/* In recovery: gives room to the data file. False: there was nothing. Any worker's. */
MUST_CHECK bool reserve_spend_on_recovery(Store *store);

/* -------- checkpoint.c -------- */

void checkpointer_start(Store *store);
MUST_CHECK bool checkpointer_stop(Store *store, StoreClose how);
void checkpointer_free(Store *store);
MUST_CHECK bool checkpoint_run(Store *store, CheckpointReason reason);

#endif
