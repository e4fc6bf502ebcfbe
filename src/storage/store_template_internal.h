/* A template's parts, for those who write a new store's files. */
#ifndef STORAGE_STORE_TEMPLATE_INTERNAL_H
#define STORAGE_STORE_TEMPLATE_INTERNAL_H

#include "base/os.h"
#include "storage/page.h"

/* A page and where it lies; clones share slots. In order of database and page. */
typedef struct TemplateLine {
    DatabaseId database;
    PageId page;
    uint32_t slot, crc, slot_epoch;
    uint32_t is_clone;
} TemplateLine;

typedef struct StoreTemplate {
    uint32_t checkpoint; /* the epoch of its image */
    uint32_t slot_count; /* slots 1 to this hold pages */
    uint32_t line_count;
    const TemplateLine *lines;
    Str packed; /* the slots' bytes, in chunks */
} StoreTemplate;

/* The parts, which point into `bytes`. Fails with XX001 where these are not what was made. */
MUST_CHECK bool store_template_open(Str bytes, StoreTemplate *ret_template);
/* Slot 1 and those behind it. */
MUST_CHECK bool store_template_write_pages(const StoreTemplate *template, File *file);

#endif
