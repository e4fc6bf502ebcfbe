/*
 * The page maps on disk: a base and a journal, both made of batches (docs/storage-format.md).
 *
 * A batch is a header and sections, a section is a header and lines. Each batch carries the
 * chained checksum of the one before it, the first one of a journal that of its base; the
 * superblock names lengths and the last chain value, so that every byte read is proved.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "storage/store_internal.h"
#include "storage/store_template_internal.h"

#define MAP_MAGIC 0x70414d53u /* "SMAp" */
#define MAP_BUFFER (256u << 10)
#define MAP_PATH_MAX 4096
#define MAP_SECTION_MAX 4096u      /* lines in a section */
#define MAP_JOURNAL_MIN (1u << 20) /* a journal shorter than this is never replaced by a base */
#define MAP_SLOT_UNIT_SHIFT 2      /* locations count 4 KiB units */
#define MAP_PAGE_UNITS 4u

typedef struct MapBatchHeader {
    uint32_t magic;
    uint32_t checkpoint;
    uint64_t body_length;
    uint32_t previous_chain;
    uint32_t body_crc;
    uint32_t unused;
    uint32_t header_crc; /* of the 28 bytes before it; the chain value of this batch */
} MapBatchHeader;
static_assert(sizeof(MapBatchHeader) == 32, "on disk");

typedef enum MapSectionKind {
    MAP_CHANGE = 1,
    MAP_CREATE = 2, /* the database is new, or this is a base */
    MAP_DROP = 3,
} MapSectionKind;

typedef struct MapSection {
    uint32_t database;
    uint32_t kind;
    uint32_t line_count;
    uint32_t unused;
} MapSection;

typedef struct MapLine {
    uint32_t page;
    uint32_t crc;
    uint64_t location; /* units of 4 KiB << 24 | length in units << 16 | flags; 0: freed */
    uint32_t slot_epoch;
    uint32_t unused;
} MapLine;
static_assert(sizeof(MapLine) == 24, "on disk");

#define MAP_LINE_CLONED 1u

/* -------- Names -------- */

typedef struct MapPath {
    char text[MAP_PATH_MAX];
} MapPath;

static bool map_path(Str directory, uint32_t number, const char *kind, MapPath *ret_path)
{
    const int length = snprintf(ret_path->text, sizeof(ret_path->text), "%.*s/map.%u.%s",
                                STR_ARGS(directory), number, kind);

    if (length < 0 || (size_t)length >= sizeof(ret_path->text))
        FAIL(ERR_INVALID_NAME, .message = STR("path of the data directory is too long"));
    return true;
}

static File *map_file_open(Str directory, uint32_t number, const char *kind, uint32_t flags)
{
    MapPath path;

    TRY(map_path(directory, number, kind, &path));
    return os->file_open(str_from_c(path.text), flags);
}

/* -------- Writing a batch -------- */

typedef struct MapWriter {
    File *file;
    uint64_t start;    /* of the batch in the file */
    uint64_t position; /* where the buffer goes */
    uint32_t body_crc;
    size_t used;
    byte buffer[MAP_BUFFER];
} MapWriter;

static bool map_flush(MapWriter *writer)
{
    if (writer->used == 0)
        return true;
    TRY(os->file_write(writer->file, writer->buffer, writer->used, writer->position));
    writer->body_crc = crc32c(writer->body_crc, writer->buffer, writer->used);
    writer->position += writer->used;
    writer->used = 0;
    return true;
}

static bool map_put(MapWriter *writer, const void *data, size_t size)
{
    if (writer->used + size > sizeof(writer->buffer))
        TRY(map_flush(writer));
    memcpy(writer->buffer + writer->used, data, size);
    writer->used += size;
    return true;
}

static void map_begin(MapWriter *writer, File *file, uint64_t start)
{
    writer->file = file;
    writer->start = start;
    writer->position = start + sizeof(MapBatchHeader);
    writer->body_crc = 0;
    writer->used = 0;
}

/* Writes the header, syncs, and tells where the file now ends and the batch's chain value. */
static bool map_end(MapWriter *writer, uint32_t checkpoint, uint32_t previous_chain,
                    uint64_t *ret_end, uint32_t *ret_chain)
{
    TRY(map_flush(writer));
    MapBatchHeader header = {
        .magic = MAP_MAGIC,
        .checkpoint = checkpoint,
        .body_length = writer->position - writer->start - sizeof(MapBatchHeader),
        .previous_chain = previous_chain,
        .body_crc = writer->body_crc,
    };
    header.header_crc = crc32c(0, &header, offsetof(MapBatchHeader, header_crc));
    TRY(os->file_write(writer->file, &header, sizeof(header), writer->start));
    if (!os->file_sync(writer->file))
        panic("could not sync the page map: %.*s", STR_ARGS(error_fields()->message));
    *ret_end = writer->position;
    *ret_chain = header.header_crc;
    return true;
}

static bool map_put_section(MapWriter *writer, DatabaseId database, MapSectionKind kind,
                            uint32_t line_count)
{
    const MapSection section = {.database = database, .kind = kind, .line_count = line_count};

    return map_put(writer, &section, sizeof(section));
}

static bool map_put_line(MapWriter *writer, const MapRecord *record)
{
    const uint64_t unit = (uint64_t)record->slot << MAP_SLOT_UNIT_SHIFT;
    const MapLine line = {
        .page = record->page,
        .crc = record->crc,
        .location = record->slot == 0 ? 0
                                      : unit << 24 | (uint64_t)MAP_PAGE_UNITS << 16 |
                                            (record->is_clone ? MAP_LINE_CLONED : 0),
        .slot_epoch = record->slot_epoch,
    };

    return map_put(writer, &line, sizeof(line));
}

static bool map_put_records(MapWriter *writer, const PageMap *map, const MapRecord *records,
                            size_t count)
{
    for (size_t i = 0; i < count;) {
        const size_t part = MIN(count - i, (size_t)MAP_SECTION_MAX);
        TRY(map_put_section(writer, map->database.id, MAP_CHANGE, (uint32_t)part));
        for (const size_t end = i + part; i < end; i++)
            TRY(map_put_line(writer, &records[i]));
    }
    return true;
}

/* -------- A checkpoint's changes -------- */

/* Databases present at the boundary: those made since have created[EPOCH_CURRENT] set. */
static PageMap *database_at_boundary(const Store *store, size_t i)
{
    PageMap *map = store->databases[i];

    return map->created[EPOCH_CURRENT] ? NULL : map;
}

static bool map_write_journal(Store *store, MapWriter *writer, Superblock *superblock)
{
    map_begin(writer, store->journal, superblock->journal_length);
    for (size_t i = 0; i < store->dropped[EPOCH_RUNNING].length; i++)
        TRY(map_put_section(writer, store->dropped[EPOCH_RUNNING].items[i], MAP_DROP, 0));
    for (size_t i = 0; i < store->database_count; i++) {
        const PageMap *map = database_at_boundary(store, i);
        if (!map)
            continue;
        if (map->created[EPOCH_RUNNING])
            TRY(map_put_section(writer, map->database.id, MAP_CREATE, 0));
        /* A page may come several times: later lines count. */
        TRY(map_put_records(writer, map, map->delta[EPOCH_RUNNING].items,
                            map->delta[EPOCH_RUNNING].length));
    }
    return map_end(writer, superblock->checkpoint, superblock->map_chain,
                   &superblock->journal_length, &superblock->map_chain);
}

/* -------- A new base -------- */

/* The lines of some pages as map `running` has them; those changed since are in `prior`. */
static size_t map_collect(Store *store, const PageMap *map, PageId from, PageId to,
                          MapRecord *ret_records)
{
    size_t count = 0;

    mutex_lock(&store->map_mutex);
    for (PageId page = from; page < to; page++) {
        const PageEntry *entry = &map->database.entries[page];
        const uint16_t flags = atomic_load(&((PageEntry *)entry)->flags);
        if (entry->slot == 0 || (flags & PAGE_FLAG_TEMPORARY) ||
            entry->slot_epoch > atomic_load(&store->running))
            continue;
        ret_records[count++] = (MapRecord){.page = page,
                                           .slot = entry->slot,
                                           .crc = entry->crc,
                                           .slot_epoch = entry->slot_epoch,
                                           .is_clone = page_entry_is_clone(entry)};
    }
    mutex_unlock(&store->map_mutex);
    return count;
}

static bool map_write_database(Store *store, MapWriter *writer, PageMap *map)
{
    MapRecord *records = memory_malloc(sizeof(MapRecord) * MAP_SECTION_MAX);
    bool ok = records && map_put_section(writer, map->database.id, MAP_CREATE, 0);

    if (!records)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    mutex_lock(&store->map_mutex);
    const PageId end = map->next_page;
    mutex_unlock(&store->map_mutex);
    for (PageId page = 1; ok && page < end; page += MAP_SECTION_MAX) {
        const size_t count =
            map_collect(store, map, page, MIN(page + MAP_SECTION_MAX, end), records);
        ok = map_put_records(writer, map, records, count);
    }
    /* Lines that were replaced after the boundary, before or after the loop came by. */
    for (size_t from = 0; ok;) {
        mutex_lock(&store->map_mutex);
        const size_t count = MIN(map->prior.length - from, (size_t)MAP_SECTION_MAX);
        if (count > 0)
            memcpy(records, map->prior.items + from, count * sizeof(MapRecord));
        mutex_unlock(&store->map_mutex);
        if (count == 0)
            break;
        ok = map_put_records(writer, map, records, count);
        from += count;
    }
    memory_free(records);
    return ok;
}

static bool map_write_base(Store *store, MapWriter *writer, Superblock *superblock)
{
    const uint32_t number = superblock->map_number + 1;
    File *base = map_file_open(store->path, number, "base", OS_CREATE | OS_TRUNCATE);
    bool ok = base != NULL;

    TRY(ok);
    map_begin(writer, base, 0);
    for (size_t i = 0; ok && i < store->database_count; i++) {
        PageMap *map = database_at_boundary(store, i);
        if (map)
            ok = map_write_database(store, writer, map);
    }
    ok = ok && map_end(writer, superblock->checkpoint, 0, &superblock->base_length,
                       &superblock->map_chain);
    os->file_close(base);
    TRY(ok);
    File *journal = map_file_open(store->path, number, "journal", OS_CREATE | OS_TRUNCATE);
    TRY(journal);
    if (!os->file_sync(journal) || !os->sync_directory(store->path))
        panic("could not sync the page map: %.*s", STR_ARGS(error_fields()->message));
    os->file_close(store->next_journal); /* of a checkpoint that was abandoned */
    store->next_journal = journal;
    superblock->map_number = number;
    superblock->journal_length = 0;
    return true;
}

static bool page_map_files_try(Store *store, Superblock *superblock, bool wants_base)
{
    MapWriter *writer = memory_malloc(sizeof(MapWriter));
    Superblock next = *superblock;

    if (!writer)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    const bool ok =
        wants_base ? map_write_base(store, writer, &next) : map_write_journal(store, writer, &next);
    memory_free(writer);
    TRY(ok);
    *superblock = next;
    return true;
}

bool page_map_files_write(Store *store, Superblock *superblock)
{
    const bool wants_base =
        superblock->journal_length > MAX(superblock->base_length, (uint64_t)MAP_JOURNAL_MIN);

    if (page_map_files_try(store, superblock, wants_base))
        return true;
    TRY(error_fields()->sqlstate == ERR_DISK_FULL && reserve_spend_on_maps(store));
    error_clear();
    /* A base, because the old base and journal then go: their room is the next reserve. */
    return page_map_files_try(store, superblock, true);
}

void page_map_files_adopt(Store *store)
{
    if (!store->next_journal)
        return;
    os->file_close(store->journal);
    store->journal = store->next_journal;
    store->next_journal = NULL;
}

uint64_t page_map_files_size(Store *store)
{
    uint64_t lines = 0;

    mutex_lock(&store->map_mutex);
    for (size_t i = 0; i < store->database_count; i++)
        lines += store->databases[i]->page_count + 1;
    mutex_unlock(&store->map_mutex);
    return lines * sizeof(MapLine);
}

/* The lines of one database, which begin with lines[0]; *ret_count: how many. */
static bool map_put_template(MapWriter *writer, const TemplateLine *lines, uint32_t line_count,
                             uint32_t *ret_count)
{
    uint32_t count = 0;

    while (count < line_count && lines[count].database == lines[0].database)
        count++;
    TRY(map_put_section(writer, lines[0].database, MAP_CREATE, 0));
    TRY(map_put_section(writer, lines[0].database, MAP_CHANGE, count));
    for (uint32_t i = 0; i < count; i++) {
        const MapRecord record = {.page = lines[i].page,
                                  .slot = lines[i].slot,
                                  .crc = lines[i].crc,
                                  .slot_epoch = lines[i].slot_epoch,
                                  .is_clone = lines[i].is_clone != 0};
        TRY(map_put_line(writer, &record));
    }
    *ret_count = count;
    return true;
}

static bool map_create_base(MapWriter *writer, const StoreTemplate *template,
                            Superblock *superblock)
{
    uint32_t count;

    if (template->line_count == 0)
        TRY(map_put_section(writer, DATABASE_SHARED, MAP_CREATE, 0));
    for (uint32_t i = 0; i < template->line_count; i += count)
        TRY(map_put_template(writer, template->lines + i, template->line_count - i, &count));
    return map_end(writer, superblock->checkpoint, 0, &superblock->base_length,
                   &superblock->map_chain);
}

bool page_map_files_create(Str path, const StoreTemplate *template, Superblock *superblock)
{
    MapWriter *writer = memory_malloc(sizeof(MapWriter));
    File *base = NULL, *journal = NULL;

    if (!writer)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    superblock->map_number = 1;
    base = map_file_open(path, 1, "base", OS_CREATE | OS_EXCLUSIVE);
    bool ok = base != NULL;
    if (ok) {
        map_begin(writer, base, 0);
        ok = map_create_base(writer, template, superblock);
    }
    if (ok)
        journal = map_file_open(path, 1, "journal", OS_CREATE | OS_EXCLUSIVE);
    ok = ok && journal && os->file_sync(journal);
    os->file_close(base);
    os->file_close(journal);
    memory_free(writer);
    return ok;
}

/* -------- Cleaning up -------- */

typedef struct MapCleaning {
    Str directory;
    uint32_t keep;
} MapCleaning;

static bool map_clean_one(void *context, Str name, bool is_directory)
{
    const MapCleaning *cleaning = context;
    char expected[2][64];
    MapPath path;

    snprintf(expected[0], sizeof(expected[0]), "map.%u.base", cleaning->keep);
    snprintf(expected[1], sizeof(expected[1]), "map.%u.journal", cleaning->keep);
    if (is_directory || !str_starts_with(name, STR("map.")) ||
        str_equal(name, str_from_c(expected[0])) || str_equal(name, str_from_c(expected[1])))
        return true;
    snprintf(path.text, sizeof(path.text), "%.*s/%.*s", STR_ARGS(cleaning->directory),
             STR_ARGS(name));
    if (!os->unlink(str_from_c(path.text)))
        error_clear(); /* a file too many does no harm */
    return true;
}

void page_map_files_clean(Store *store)
{
    MapCleaning cleaning = {.directory = store->path, .keep = store->superblock.map_number};

    os->file_close(store->next_journal); /* of a checkpoint that was abandoned */
    store->next_journal = NULL;

    if (!os->list_directory(store->path, map_clean_one, &cleaning))
        error_clear();
}

/* -------- Loading -------- */

typedef struct MapLoader {
    Store *store;
    File *file;
    const char *kind;   /* "base" or "journal" */
    uint64_t position;  /* of the next byte to read */
    uint64_t body_left; /* of the batch */
    uint32_t body_crc;
    byte *buffer;
    size_t start, end; /* of unread bytes in the buffer */
} MapLoader;

static bool loader_fail(const MapLoader *loader, const char *what)
{
    FAIL(ERR_DATA_CORRUPTED,
         .message = fmt("page map file \"%.*s/map.%u.%s\" is damaged near offset %llu",
                        STR_ARGS(loader->store->path), loader->store->superblock.map_number,
                        loader->kind, (unsigned long long)loader->position),
         .detail = str_from_c(what), .hint = STR("Restore the data directory from a backup."));
}

/* The next `size` bytes of the batch's body. */
static const void *loader_take(MapLoader *loader, size_t size)
{
    if (loader->end - loader->start < size) {
        const size_t rest = loader->end - loader->start;
        memmove(loader->buffer, loader->buffer + loader->start, rest);
        const size_t part = (size_t)MIN(loader->body_left, (uint64_t)(MAP_BUFFER - rest));
        TRY(os->file_read(loader->file, loader->buffer + rest, part, loader->position));
        loader->body_crc = crc32c(loader->body_crc, loader->buffer + rest, part);
        loader->position += part;
        loader->body_left -= part;
        loader->start = 0;
        loader->end = rest + part;
        if (loader->end < size) {
            loader_fail(loader, "A section is cut short.");
            return NULL;
        }
    }
    const void *data = loader->buffer + loader->start;
    loader->start += size;
    return data;
}

static bool loader_apply_line(MapLoader *loader, PageMap *map, const MapLine *line)
{
    PageEntry *entry;
    const uint64_t unit = line->location >> 24;

    if (line->page == PAGE_ID_NONE || line->page >= map->database.page_limit)
        return loader_fail(loader, "A page id is out of range.");
    entry = &map->database.entries[line->page];
    if (line->location == 0) {
        atomic_store(&entry->flags, 0);
        entry->slot = entry->crc = entry->slot_epoch = entry->epoch = 0;
        return true;
    }
    if ((line->location >> 16 & 0xff) != MAP_PAGE_UNITS || unit % MAP_PAGE_UNITS != 0 ||
        unit >> MAP_SLOT_UNIT_SHIFT > UINT32_MAX)
        return loader_fail(loader, "A page's location is not one that this version writes.");
    entry->slot = (uint32_t)(unit >> MAP_SLOT_UNIT_SHIFT);
    entry->crc = line->crc;
    entry->slot_epoch = entry->epoch = line->slot_epoch;
    atomic_store(&entry->flags,
                 (uint16_t)(PAGE_FLAG_ALLOCATED |
                            (line->location & MAP_LINE_CLONED ? PAGE_FLAG_CLONED : 0)));
    map->next_page = MAX(map->next_page, line->page + 1);
    return true;
}

static bool loader_apply_section(MapLoader *loader, const MapSection *section)
{
    Store *store = loader->store;
    PageMap *map = page_map_find(store, section->database);

    switch ((MapSectionKind)section->kind) {
    case MAP_DROP:
        if (!map)
            return loader_fail(loader, "A database is dropped that does not exist.");
        page_map_remove(store, map);
        page_map_free(map);
        return true;
    case MAP_CREATE:
        if (map)
            return loader_fail(loader, "A database is created twice.");
        map = page_map_new(store, section->database);
        TRY(map);
        page_map_add(store, map);
        return true;
    case MAP_CHANGE:
        break;
    default:
        return loader_fail(loader, "A section's kind is unknown.");
    }
    if (!map)
        return loader_fail(loader, "A section belongs to no database.");
    for (uint32_t i = 0; i < section->line_count; i++) {
        const MapLine *line = loader_take(loader, sizeof(MapLine));
        TRY(line);
        TRY(loader_apply_line(loader, map, line));
    }
    return true;
}

static bool loader_batch(MapLoader *loader, uint64_t end, uint32_t *chain)
{
    MapBatchHeader header;

    if (end - loader->position < sizeof(header))
        return loader_fail(loader, "A batch is cut short.");
    TRY(os->file_read(loader->file, &header, sizeof(header), loader->position));
    if (header.magic != MAP_MAGIC ||
        header.header_crc != crc32c(0, &header, offsetof(MapBatchHeader, header_crc)) ||
        header.previous_chain != *chain ||
        header.body_length > end - loader->position - sizeof(header))
        return loader_fail(loader, "A batch's header does not follow from the one before.");
    loader->position += sizeof(header);
    loader->body_left = header.body_length;
    loader->body_crc = 0;
    loader->start = loader->end = 0;
    while (loader->body_left > 0 || loader->end > loader->start) {
        MapSection section;
        const void *data = loader_take(loader, sizeof(section));
        TRY(data);
        memcpy(&section, data, sizeof(section));
        TRY(loader_apply_section(loader, &section));
    }
    if (loader->body_crc != header.body_crc)
        return loader_fail(loader, "A batch's checksum does not match.");
    *chain = header.header_crc;
    return true;
}

static bool loader_file(MapLoader *loader, const char *kind, uint64_t length, uint32_t *chain)
{
    Store *store = loader->store;

    loader->kind = kind;
    loader->position = 0;
    loader->file = map_file_open(store->path, store->superblock.map_number, kind,
                                 store->options.read_only ? OS_READ_ONLY : OS_WRITE);
    TRY(loader->file);
    while (loader->position < length)
        TRY(loader_batch(loader, length, chain));
    return true;
}

/* Free space is what no map refers to (C5). */
static bool maps_claim_slots(Store *store)
{
    for (size_t i = 0; i < store->database_count; i++) {
        PageMap *map = store->databases[i];
        for (PageId page = 1; page < map->next_page; page++) {
            const PageEntry *entry = &map->database.entries[page];
            if (entry->slot == 0)
                continue;
            map->page_count++;
            if (!slot_reference(&store->space, entry->slot, true)) {
                error_add_context(fmt("page %u of database %u", page, map->database.id));
                return false;
            }
        }
        page_map_list_free_pages(map);
    }
    return true;
}

bool page_map_files_load(Store *store)
{
    MapLoader loader = {.store = store, .buffer = memory_malloc(MAP_BUFFER)};
    uint32_t chain = 0;

    if (!loader.buffer)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    bool ok = loader_file(&loader, "base", store->superblock.base_length, &chain);
    os->file_close(loader.file);
    loader.file = NULL;
    ok = ok && loader_file(&loader, "journal", store->superblock.journal_length, &chain);
    memory_free(loader.buffer);
    if (ok && chain != store->superblock.map_chain)
        ok = loader_fail(&loader, "Its last batch is not the one the superblock names.");
    if (!ok) {
        os->file_close(loader.file);
        return false;
    }
    store->journal = loader.file;
    return maps_claim_slots(store);
}
