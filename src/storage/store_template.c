/*
 * Templates: a header, the maps' lines, and the slots in chunks of 1 MiB, each an LZ4 block behind
 * its length. Numbers and structures are as in memory: who reads them is who wrote them.
 */
#include "storage/store_template.h"

#include <lz4.h>
#include <lz4hc.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"
#include "storage/store_internal.h"
#include "storage/store_template_internal.h"
#include "storage/verify.h"

#define TEMPLATE_MAGIC 0x6574616c706d6554ull /* "Template" */
#define CHUNK_SLOTS 64u
#define CHUNK_BYTES (CHUNK_SLOTS * PAGE_SIZE)

typedef struct TemplateHeader {
    uint64_t magic;
    uint64_t length; /* of the whole */
    uint32_t checkpoint;
    uint32_t slot_count;
    uint32_t line_count;
    uint32_t crc; /* of everything, this being zero */
} TemplateHeader;

/* -------- Making -------- */

typedef struct TemplateMaker {
    Arena *arena;
    Store *store;
    uint32_t *new_slots; /* by the store's slot; 0: not met yet */
    uint32_t *old_slots; /* by the template's slot - 1 */
    uint32_t slot_count;
    VEC(TemplateLine) lines;
} TemplateMaker;

/* Slots are numbered as they are met, which leaves out those that are free. */
static void maker_add_page(TemplateMaker *maker, const PageMap *map, PageId page)
{
    const PageEntry *entry = &map->database.entries[page];

    if (entry->slot == 0)
        return;
    uint32_t *slot = &maker->new_slots[entry->slot];
    if (*slot == 0) {
        maker->old_slots[maker->slot_count++] = entry->slot;
        *slot = maker->slot_count;
    }
    const TemplateLine line = {.database = map->database.id,
                               .page = page,
                               .slot = *slot,
                               .crc = entry->crc,
                               .slot_epoch = entry->slot_epoch,
                               .is_clone = page_entry_is_clone(entry)};
    VEC_PUSH(maker->arena, &maker->lines, line);
}

static void maker_add_pages(TemplateMaker *maker)
{
    const Store *store = maker->store;

    maker->new_slots = ARENA_ARRAY(maker->arena, uint32_t, store->space.capacity);
    maker->old_slots = ARENA_ARRAY(maker->arena, uint32_t, store->space.capacity);
    for (size_t i = 0; i < store->database_count; i++) {
        const PageMap *map = store->databases[i];
        for (PageId page = 1; page < map->next_page; page++)
            maker_add_page(maker, map, page);
    }
}

/* The chunk that begins with slot `first` of the template, counted from 0. */
static bool maker_pack_chunk(const TemplateMaker *maker, uint32_t first, byte *chunk,
                             StrBuf *buffer)
{
    const uint32_t count = MIN(CHUNK_SLOTS, maker->slot_count - first);
    const int size = (int)(count * PAGE_SIZE), bound = LZ4_compressBound(size);

    for (uint32_t i = 0; i < count; i++)
        TRY(os->file_read(maker->store->data_file, chunk + (size_t)i * PAGE_SIZE, PAGE_SIZE,
                          (uint64_t)maker->old_slots[first + i] * PAGE_SIZE));
    char *place = strbuf_reserve(buffer, sizeof(uint32_t) + (size_t)bound);
    const int packed = LZ4_compress_HC((const char *)chunk, place + sizeof(uint32_t), size, bound,
                                       LZ4HC_CLEVEL_MAX);
    if (packed <= 0)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("could not pack a template's pages"));
    const uint32_t length = (uint32_t)packed;
    memcpy(place, &length, sizeof(length));
    strbuf_advance(buffer, sizeof(length) + length);
    return true;
}

static bool maker_run(TemplateMaker *maker, Str *ret_template)
{
    byte *chunk = arena_alloc(maker->arena, CHUNK_BYTES);
    StrBuf buffer = strbuf_in(maker->arena);
    TemplateHeader header = {.magic = TEMPLATE_MAGIC,
                             .checkpoint = maker->store->superblock.checkpoint};

    if (!store_is_clean(maker->store) || store_has_loose_pages(maker->store))
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = STR("a template is made of a store that was closed cleanly"));
    maker_add_pages(maker);
    strbuf_append_bytes(&buffer, &header, sizeof(header));
    strbuf_append_bytes(&buffer, maker->lines.items, maker->lines.length * sizeof(TemplateLine));
    for (uint32_t first = 0; first < maker->slot_count; first += CHUNK_SLOTS)
        TRY(maker_pack_chunk(maker, first, chunk, &buffer));
    header.slot_count = maker->slot_count;
    header.line_count = (uint32_t)maker->lines.length;
    header.length = buffer.length;
    memcpy(buffer.data, &header, sizeof(header));
    header.crc = crc32c(0, buffer.data, buffer.length);
    memcpy(buffer.data, &header, sizeof(header));
    *ret_template = strbuf_view(&buffer);
    return true;
}

bool store_template_make(Arena *arena, Str directory, Str *ret_template)
{
    const StoreOptions options = {.pool_bytes = STORE_POOL_MIN, .read_only = true};
    TemplateMaker maker = {.arena = arena, .store = store_open(directory, &options)};

    TRY(maker.store);
    const bool ok = maker_run(&maker, ret_template);
    store_close(maker.store, STORE_CLOSE_ABORT);
    return ok;
}

/* -------- Using -------- */

static bool template_damaged(void)
{
    FAIL(ERR_DATA_CORRUPTED, .message = STR("the template for new databases is damaged"),
         .hint = STR("It is part of the server's program: install that again."));
}

bool store_template_open(Str bytes, StoreTemplate *ret_template)
{
    TemplateHeader header;

    if (bytes.length < sizeof(header))
        return template_damaged();
    memcpy(&header, bytes.data, sizeof(header));
    TemplateHeader unsealed = header;
    unsealed.crc = 0;
    const uint32_t crc = crc32c(crc32c(0, &unsealed, sizeof(unsealed)), bytes.data + sizeof(header),
                                bytes.length - sizeof(header));
    const size_t lines_size = (size_t)header.line_count * sizeof(TemplateLine);
    if (header.magic != TEMPLATE_MAGIC || header.length != bytes.length || header.crc != crc ||
        bytes.length - sizeof(header) < lines_size)
        return template_damaged();
    *ret_template = (StoreTemplate){
        .checkpoint = header.checkpoint,
        .slot_count = header.slot_count,
        .line_count = header.line_count,
        .lines = (const TemplateLine *)(bytes.data + sizeof(header)),
        .packed = str_slice(bytes, sizeof(header) + lines_size, bytes.length),
    };
    return true;
}

/* Takes a chunk's bytes off the front of *packed. */
static bool chunk_unpack(Str *packed, byte *chunk, size_t size)
{
    uint32_t length;

    if (packed->length < sizeof(length))
        return template_damaged();
    memcpy(&length, packed->data, sizeof(length));
    *packed = str_slice(*packed, sizeof(length), packed->length);
    if (packed->length < length ||
        LZ4_decompress_safe(packed->data, (char *)chunk, (int)length, (int)size) != (int)size)
        return template_damaged();
    *packed = str_slice(*packed, length, packed->length);
    return true;
}

bool store_template_write_pages(const StoreTemplate *template, File *file)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("template");
    byte *chunk = arena_alloc(arena, CHUNK_BYTES);
    Str packed = template->packed;

    for (uint32_t first = 0; first < template->slot_count; first += CHUNK_SLOTS) {
        const size_t size = (size_t)MIN(CHUNK_SLOTS, template->slot_count - first) * PAGE_SIZE;
        TRY(chunk_unpack(&packed, chunk, size));
        TRY(os->file_write(file, chunk, size, (uint64_t)(first + 1) * PAGE_SIZE));
    }
    return true;
}
