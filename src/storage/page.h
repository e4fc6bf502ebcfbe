/*
 * Pages: how the trees read, latch and change them.
 *
 * A page is 16 KiB, known by a 32-bit PageId within its Database. Ids are stable for the life of
 * the page; where its image lies on disk is the page map's business (page_map.c). One array per
 * database holds an entry per page: latch, version, frame, epochs, slot. A look-up is one array
 * access.
 *
 * Reading without a latch, and with one:
 *
 *   switch (page_read_begin(database, id, &page)) {
 *   case PAGE_NOT_RESIDENT:                    first validate what gave you `id`, release all
 *       TRY(page_load(database, id));          latches, end the action; then load and restart
 *       start over
 *   case PAGE_OK:
 *       ... copy from page.data; nothing read may be trusted yet: clamp every offset ...
 *       if (!page_read_validate(&page)) start over
 *   }
 *   page_latch_shared / page_latch_exclusive / page_upgrade ... page_unlatch
 *
 * Changing. All changes happen in an action: bounded, latches held, no I/O, no waiting, no failure.
 *
 *   Action action;
 *   TRY(action_begin(database, page_count, &action));    no latch held; may wait, may fail
 *   ... latch; PAGE_NOT_RESIDENT: unlatch, action_end, page_load, start over ...
 *   page_touch(&action, &page);                          before the first byte changes
 *   page_allocate(&action, database, PAGE_PERMANENT, &fresh);
 *   page_unlatch(&page); page_unlatch(&fresh);
 *   action_end(&action);                                 after the last latch is gone
 *
 * `page_count` bounds page_touch of different pages plus page_allocate. page_free and page_attach
 * need no budget. A checkpoint's image is the state at an instant at which no action is open, so
 * whatever must be together in it (a split, a key moved) belongs in one action.
 *
 * Temporary pages belong to private trees: no checkpoint has them, a crash forgets them, they
 * leave memory by ordinary eviction. page_attach makes one permanent.
 *
 * Invariants:
 * P1  The first PAGE_HEADER_SIZE bytes of a page are the pager's; nobody else writes them.
 * P2  A page's bytes change only under its exclusive latch, after page_touch in an open action.
 * P3  No latch is held across a wait; page_load and action_begin are called with none.
 * P4  Latches are taken parents before children, left before right.
 * P5  A version seen unchanged by page_read_validate proves everything read before it.
 * P6  `versions` belongs to txn; the pager keeps it through eviction and drops it with the page.
 */
#ifndef STORAGE_PAGE_H
#define STORAGE_PAGE_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/sync.h"
#include "base/task.h"

#define PAGE_SIZE 16384
#define PAGE_HEADER_SIZE 16 /* magic, page id, database, epoch */
#define ACTION_PAGES_MAX 64 /* the largest page_count of one action */
/* What a tree may use, behind the header. */
#define PAGE_BODY_SIZE (PAGE_SIZE - PAGE_HEADER_SIZE)

typedef uint32_t PageId;
#define PAGE_ID_NONE ((PageId)0) /* ids start at 1: the first page allocated is page 1 */

typedef Oid DatabaseId;
#define DATABASE_SHARED ((DatabaseId)0)

typedef struct Store Store;
typedef struct PageMap PageMap;

typedef enum PageFlags {
    PAGE_FLAG_ALLOCATED = 1,
    PAGE_FLAG_DIRTY = 2,      /* the frame is newer than the slot */
    PAGE_FLAG_IO_PENDING = 4, /* an image is on its way to the slot: not to be evicted */
    PAGE_FLAG_TEMPORARY = 8,
    PAGE_FLAG_SHADOWED = 16, /* the running checkpoint still owes an older copy */
    PAGE_FLAG_FREED = 32,  /* freed, and a shadow is still to be written: the slot is not settled */
    PAGE_FLAG_CLONED = 64, /* the image was written for the database this one was cloned from */
} PageFlags;

/* One page. Zero (untouched memory) is a page that does not exist. */
typedef struct PageEntry {
    _Atomic uint64_t state; /* latch byte << 56 | version */
    _Atomic uint32_t frame; /* 0 none, PAGE_FRAME_LOADING, else the frame's number */
    _Atomic uint8_t heat;   /* PageHeat: what replacement goes by */
    uint8_t unused;
    _Atomic uint16_t flags; /* PageFlags */
    uint32_t epoch;         /* of the last change; under the exclusive latch */
    uint32_t slot;          /* where the image is, in pages from the file's start; 0 nowhere */
    uint32_t slot_epoch;    /* the checkpoint that first refers to the slot */
    uint32_t crc;           /* CRC-32C of the image in the slot */
    _Atomic(void *) versions;
} PageEntry;
static_assert(sizeof(PageEntry) == 40, "0.25 % of the database's size");

/* The latch byte. 1 … 252 count shared holders. */
#define PAGE_LATCH_SHIFT 56
#define PAGE_LATCH_SHARED_MAX 252u
#define PAGE_LATCH_EXCLUSIVE 253u
#define PAGE_VERSION_MASK ((1ull << PAGE_LATCH_SHIFT) - 1)
#define PAGE_FRAME_LOADING UINT32_MAX

typedef enum PageHeat {
    HEAT_COLD = 0,  /* not read since the clock hand came by */
    HEAT_READ = 1,  /* read since */
    HEAT_FRESH = 2, /* just loaded: reads do not count yet, so that a scan stays cold */
} PageHeat;

/* A page map in memory. The open fields are for the inline functions below only. */
typedef struct Database {
    PageEntry *entries;
    PageId page_limit; /* ids are below it */
    DatabaseId id;
    byte *frames; /* the buffer pool's memory: frame n is at n * PAGE_SIZE */
    Store *store;
    PageMap *map;
    _Atomic(void *) trees; /* tree.h's open handles; tree_close_all frees them. NULL at first */
} Database;

typedef enum PageOutcome {
    PAGE_FAILED = 0, /* never returned by these functions; so that zero means failed */
    PAGE_OK,
    PAGE_NOT_RESIDENT, /* release everything, page_load, start over */
} PageOutcome;

typedef enum PageMode {
    PAGE_UNLATCHED = 0,
    PAGE_OPTIMISTIC,
    PAGE_SHARED,
    PAGE_EXCLUSIVE,
} PageMode;

/* A page in hand. Plain value; only its holder's. */
typedef struct Page {
    Database *database;
    byte *data; /* PAGE_SIZE bytes */
    uint64_t version;
    PageId id;
    PageMode mode;
} Page;

/* -------- Reading without latches -------- */

/* Waits (spinning) while the page is latched exclusively. An id out of range is NOT_RESIDENT. */
static ALWAYS_INLINE PageOutcome page_read_begin(Database *database, PageId id, Page *ret_page)
{
    if (unlikely(id >= database->page_limit))
        return PAGE_NOT_RESIDENT;
    PageEntry *entry = &database->entries[id];
    uint64_t state = atomic_load_explicit(&entry->state, memory_order_acquire);
    for (uint32_t rounds = 0; unlikely(state >> PAGE_LATCH_SHIFT == PAGE_LATCH_EXCLUSIVE);) {
        spin_pause(&rounds);
        state = atomic_load_explicit(&entry->state, memory_order_acquire);
    }
    const uint32_t frame = atomic_load_explicit(&entry->frame, memory_order_acquire);
    if (unlikely(frame == 0 || frame == PAGE_FRAME_LOADING))
        return PAGE_NOT_RESIDENT;
    if (unlikely(atomic_load_explicit(&entry->heat, memory_order_relaxed) == HEAT_COLD))
        atomic_store_explicit(&entry->heat, HEAT_READ, memory_order_relaxed);
    *ret_page = (Page){
        .database = database,
        .data = database->frames + (size_t)frame * PAGE_SIZE,
        .version = state & PAGE_VERSION_MASK,
        .id = id,
        .mode = PAGE_OPTIMISTIC,
    };
    return PAGE_OK;
}

/* True: nothing has changed since page_read_begin. May be asked again and again. */
static ALWAYS_INLINE bool page_read_validate(const Page *page)
{
    const PageEntry *entry = &page->database->entries[page->id];
    atomic_thread_fence(memory_order_acquire);
    const uint64_t state = atomic_load_explicit(&((PageEntry *)entry)->state, memory_order_relaxed);
    return state >> PAGE_LATCH_SHIFT != PAGE_LATCH_EXCLUSIVE &&
           (state & PAGE_VERSION_MASK) == page->version;
}

/* -------- Latches. Spin; hold for microseconds. OK or NOT_RESIDENT -------- */

MUST_CHECK PageOutcome page_latch_shared(Database *database, PageId id, Page *ret_page);
MUST_CHECK PageOutcome page_latch_exclusive(Database *database, PageId id, Page *ret_page);
/* From optimistic; false (no error, still optimistic): the page has changed, start over. */
MUST_CHECK bool page_upgrade(Page *page);
MUST_CHECK bool page_upgrade_shared(Page *page);
/* Accepts a page in any mode; PAGE_UNLATCHED afterwards. */
void page_unlatch(Page *page);

/* Brings the page into memory. No latch held, no action open. Fails with XX001 naming the page. */
MUST_CHECK bool page_load(Database *database, PageId id);
/* A hint that the page will be read soon; never waits. */
void page_prefetch(Database *database, PageId id);

/* -------- Changing -------- */

typedef struct ActionSlot ActionSlot;
typedef struct Action {
    Store *store;
    ActionSlot *slot;
    uint32_t budget; /* pages that may still be touched or allocated */
} Action;

/*
 * No latch held. May wait for frames or for shadow copies to be written. Fails where the task is
 * interrupted, with 53100 while a full disk keeps pages from leaving memory, and with 54000 when
 * the database has no more page ids; where task->interrupts_held is set it waits instead.
 */
MUST_CHECK bool action_begin(Database *database, uint32_t page_count, Action *ret_action);
/* The same for an action that gives pages back: a full disk does not keep it waiting. */
MUST_CHECK bool action_begin_giving(Database *database, uint32_t page_count, Action *ret_action);
void action_end(Action *action);

/* Latched exclusively. Call before the first byte changes; again for the same page is free. */
void page_touch(Action *action, Page *page);

typedef enum PageLife { PAGE_PERMANENT, PAGE_TEMPORARY } PageLife;
/* A fresh page, zeroed behind its header, latched exclusively, touched. */
void page_allocate(Action *action, Database *database, PageLife life, Page *ret_page);
/* Latched exclusively; the latch goes with the page. */
void page_free(Action *action, Page *page);
/* Not latched, perhaps not in memory (dropping a whole tree); temporary ones likewise. */
void page_free_id(Action *action, Database *database, PageId id);
/* A temporary page becomes permanent, in memory or not; does nothing to a permanent one. */
void page_attach(Action *action, Database *database, PageId id);

/*
 * Between the action that allocates a permanent page and the one that links it into its tree, or
 * that unlinks and that frees it, the page is loose. A checkpoint taken meanwhile says so in its
 * superblock, and recovery from it looks for what no tree reaches. Nested; the end comes only when
 * nothing is left over, so that what an error leaves is found at the next start.
 */
void page_loose_begin(Database *database);
void page_loose_end(Database *database);

static inline bool page_is_temporary(const Database *database, PageId id)
{
    return (atomic_load_explicit(&database->entries[id].flags, memory_order_relaxed) &
            PAGE_FLAG_TEMPORARY) != 0;
}

/* Where txn hangs the row versions of a leaf. Written under the exclusive latch. */
static inline _Atomic(void *) *page_versions(const Database *database, PageId id)
{
    return &database->entries[id].versions;
}

/* Frames in the pool; trees bound their batches by it. */
uint32_t database_frame_count(const Database *database);

#endif
