/*
 * Page maps in memory: which slot of the data file has which page's newest image, for the durable
 * checkpoint, the running one and the next; and which slots and page ids are free.
 */
#ifndef STORAGE_PAGE_MAP_INTERNAL_H
#define STORAGE_PAGE_MAP_INTERNAL_H

#include <stdatomic.h>

#include "base/base.h"
#include "storage/page.h"

typedef enum EpochClass { EPOCH_CURRENT = 0, EPOCH_RUNNING = 1 } EpochClass;

typedef struct U32List {
    uint32_t *items;
    size_t length, capacity;
} U32List;
void u32_push(U32List *list, uint32_t item);
void u32_deinit(U32List *list);

/* A line of a page map. slot 0: the page is gone. */
typedef struct MapRecord {
    PageId page;
    uint32_t slot, crc, slot_epoch;
    bool is_clone; /* the image names the database it was cloned from */
} MapRecord;
typedef struct MapRecordList {
    MapRecord *items;
    size_t length, capacity;
} MapRecordList;
void records_push(MapRecordList *list, const MapRecord *record);

/* A database's page map; all but `database.entries` under map_mutex. */
struct PageMap {
    Database database;
    MapRecordList delta[2];   /* by EpochClass: lines the next checkpoint appends */
    MapRecordList prior;      /* lines of map `running` that current changes have replaced */
    U32List free_pages;       /* ids to be used again, the best last */
    U32List freed_pages[2];   /* ids that become free with a checkpoint */
    _Atomic PageId next_page; /* ids from here on were never used; read without the mutex too */
    uint64_t page_count;      /* permanent pages */
    bool created[2];          /* by EpochClass: no durable map knows this database */
};

/* Free space: the complement of all maps. Under map_mutex. */
typedef struct SlotSpace {
    uint64_t *used;              /* a bit a slot; slot 0 is the file's header */
    uint16_t *extra;             /* references beyond the first, by clones */
    _Atomic uint32_t capacity;   /* slots the file has; read without the mutex too, */
    _Atomic uint32_t used_count; /* as is this */
    uint32_t cursor;             /* no free slot below it */
    uint32_t run_cursor;         /* where the last run of slots ended */
    U32List freed[2];            /* by EpochClass: free once that checkpoint is durable */
} SlotSpace;

/* `bytes` of zeros that cost memory only where touched. */
void *memory_reserve(size_t bytes);
/* Where that is refused. */
#define STORE_SPACE_HINT                                                                           \
    "Maps reserve address space that they do not fill; allow the server more of it (ulimit -v)."
void memory_release(void *memory, size_t bytes);

#endif
