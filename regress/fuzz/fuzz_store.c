/*
 * A whole store whose bytes nobody can trust: superblock, page map, pages.
 *
 * A small store is made once in a simulated file system. An input is a list of edits {file, offset,
 * bytes} to a copy of it; then the checksums are made right again (unless the input says not to),
 * so that what is behind them is reached: loading the maps, opening the trees, checking and reading
 * them. Each may say that the store is damaged; none may crash, hang or read outside of a page.
 */
#include "base/hash.h"
#include "base/sim.h"
#include "fuzz.h"
#include "storage/store.h"
#include "storage/superblock.h"
#include "storage/tree.h"
#include "storage/tree_cursor.h"
#include "storage/verify.h"

#define ROWS 300
#define FILE_LIMIT (64u << 20)

static const char *const files[] = {"db/superblock", "db/map.1.base", "db/map.1.journal",
                                    "db/pages"};
enum { FILE_SUPERBLOCK, FILE_BASE, FILE_JOURNAL, FILE_PAGES, FILE_COUNT };

static const LayoutColumn columns[] = {{PHYS_INT64, false, {0}}, {PHYS_VAR, false, {0}}};

static const StoreOptions options = {.pool_bytes = 1, .database_page_limit = 1u << 16};

/* -------- The template -------- */

static bool no_record(void *context, Store *store, const WalRecord *record)
{
    return true;
}

static bool template_fill(Database *database, Arena *arena)
{
    static char text[40000];
    const Layout *layout = layout_new(arena, 1, columns, ARRAY_LENGTH(columns));
    const bool nulls[2] = {false, false};
    char key[32];

    memset(text, 'a', sizeof(text));
    TRY(tree_create(database, 7, TREE_TABLE, layout));
    TRY(tree_create(database, 8, TREE_INDEX, NULL));
    TRY(tree_create(database, 9, TREE_KEY_VALUE, NULL));
    Tree *table = tree_open(database, 7), *index = tree_open(database, 8),
         *pairs = tree_open(database, 9);
    for (uint32_t i = 1; i <= ROWS; i++) {
        const Value values[] = {{.int64 = i},
                                {.var = var_make(text, i % 100 == 0 ? sizeof(text) : i)}};
        Str image;
        TRY(row_image_make(arena, layout, values, nulls, &image));
        TRY(tree_put(table, i, image, NULL));
        const int length = snprintf(key, sizeof(key), "key %05u12345678", i * 7 % ROWS);
        TRY(tree_index_insert(index, str_make(key, (size_t)length), NULL));
        TRY(tree_kv_put(pairs, str_make(key, (size_t)length),
                        str_make(text, i % 50 == 0 ? 5000 : 20)));
    }
    return tree_index_ghost(index, STR("key 0001012345678"), NULL);
}

static void template_make(void *argument)
{
    Arena *arena = arena_new("template");

    fuzz_require(store_create(STR("db")));
    Store *store = store_open(STR("db"), &options);
    fuzz_require(store && store_recover(store, no_record, NULL));
    fuzz_require(database_create(store, 5));
    fuzz_require(template_fill(store_database(store, 5), arena));
    fuzz_require(database_clone(store, 6, store_database(store, 5)));
    fuzz_require(store_close(store, STORE_CLOSE_CLEAN));
    arena_free(arena);
}

static SimWorld *template_world(void)
{
    static SimWorld *world;

    if (!world) {
        world = sim_new(1);
        fuzz_require(sim_run(world, template_make, NULL) == SIM_ENDED);
        sim_crash_disk(world);
    }
    return world;
}

/* -------- Edits and checksums -------- */

typedef struct Image {
    Str content[FILE_COUNT]; /* in the arena, and written to */
} Image;

static byte *image_bytes(const Image *image, int file)
{
    return (byte *)image->content[file].data;
}

static bool image_read(Image *image, Arena *arena)
{
    for (int i = 0; i < FILE_COUNT; i++)
        TRY(os_read_file(arena, str_from_c(files[i]), FILE_LIMIT, &image->content[i]));
    return true;
}

static bool image_write(const Image *image)
{
    for (int i = 0; i < FILE_COUNT; i++) {
        File *file = os->file_open(str_from_c(files[i]), OS_WRITE);
        TRY(file);
        const bool ok = os->file_write(file, image->content[i].data, image->content[i].length, 0);
        os->file_close(file);
        TRY(ok);
    }
    return true;
}

static void image_edit(Image *image, Input *input)
{
    const uint8_t choice = input_byte(input);
    const int file = choice % FILE_COUNT;
    const uint32_t place = input_number(input, 3);
    const Str bytes = input_bytes(input, 1 + choice / FILE_COUNT % 8);
    const size_t length = image->content[file].length;

    if (length < 16 || bytes.length == 0)
        return;
    memcpy(image_bytes(image, file) + place % (length - 8), bytes.data, bytes.length);
}

/* Fields of the map's batches and lines, by their offsets in docs/storage-format.md. */
#define BATCH_HEADER 32u
#define SECTION_HEADER 16u
#define LINE 24u

static uint64_t field64(const byte *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t field32(const byte *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Each line gets the checksum of the page that it points to. */
static void fix_lines(const Image *image, byte *at, const byte *end)
{
    const Str pages = image->content[FILE_PAGES];

    while ((size_t)(end - at) >= SECTION_HEADER) {
        uint64_t count = field32(at + 8);
        for (at += SECTION_HEADER; count > 0 && (size_t)(end - at) >= LINE; count--, at += LINE) {
            const uint64_t offset = (field64(at + 8) >> 24) * 4096;
            if (offset == 0 || offset + PAGE_SIZE > pages.length)
                continue;
            const uint32_t crc = crc32c(0, pages.data + offset, PAGE_SIZE);
            memcpy(at + 4, &crc, sizeof(crc));
        }
    }
}

static uint32_t fix_map(const Image *image, int file, uint64_t length, uint32_t chain)
{
    byte *at = image_bytes(image, file);
    const byte *end = at + MIN(length, (uint64_t)image->content[file].length);

    while ((size_t)(end - at) >= BATCH_HEADER) {
        const uint64_t body = field64(at + 8), left = (uint64_t)(end - at) - BATCH_HEADER;
        if (body > left)
            break;
        fix_lines(image, at + BATCH_HEADER, at + BATCH_HEADER + body);
        const uint32_t body_crc = crc32c(0, at + BATCH_HEADER, body);
        memcpy(at + 16, &chain, sizeof(chain));
        memcpy(at + 20, &body_crc, sizeof(body_crc));
        chain = crc32c(0, at, BATCH_HEADER - 4);
        memcpy(at + BATCH_HEADER - 4, &chain, sizeof(chain));
        at += BATCH_HEADER + body;
    }
    return chain;
}

static void fix_superblocks(const Image *image)
{
    const Str content = image->content[FILE_SUPERBLOCK];

    for (size_t at = 0; at + sizeof(Superblock) <= content.length; at += 4096) {
        Superblock block;
        memcpy(&block, content.data + at, sizeof(block));
        const uint32_t chain = fix_map(image, FILE_BASE, block.base_length, 0);
        block.map_chain = fix_map(image, FILE_JOURNAL, block.journal_length, chain);
        block.crc = crc32c(0, &block, offsetof(Superblock, crc));
        memcpy(image_bytes(image, FILE_SUPERBLOCK) + at, &block, sizeof(block));
    }
}

/* -------- Reading what is left of it -------- */

static void ignore_problem(void *context, const StoreProblem *problem) {}

static void read_entries(Tree *tree, Arena *arena)
{
    TreeCursor cursor;
    Str value;

    tree_cursor_init(&cursor, tree, TREE_FORWARD);
    bool ok = tree_cursor_seek(&cursor, STR(""), SEEK_AT);
    for (int i = 0; ok && tree_cursor_valid(&cursor) && i < 2 * ROWS; i++) {
        fuzz_require(tree_cursor_key(&cursor).length <= TREE_MAX_KEY);
        if (tree_kind(tree) == TREE_KEY_VALUE)
            ok = tree_cursor_value(&cursor, arena, &value);
        ok = ok && tree_cursor_advance(&cursor);
    }
    tree_cursor_deinit(&cursor);
    error_clear();
}

static void read_rows(Tree *tree, Arena *arena)
{
    uint64_t last;
    Str image;

    for (uint64_t id = 1; id <= ROWS; id += 9)
        if (!tree_get_image(tree, id, arena, &image))
            error_clear();
    if (!tree_max_row_id(tree, &last))
        error_clear();
}

static bool read_tree(void *context, TreeId id, TreeKind kind)
{
    Database *database = context;
    Arena *arena = arena_new("tree");
    Tree *tree = tree_open(database, id);
    TreeReport report;

    if (tree) {
        if (!tree_check(tree, NULL, NULL, &report))
            error_clear();
        if (kind == TREE_TABLE)
            read_rows(tree, arena);
        else
            read_entries(tree, arena);
    }
    error_clear();
    arena_free(arena);
    return true;
}

static bool read_database(void *context, Database *database)
{
    if (!tree_list(database, read_tree, database))
        error_clear();
    return true;
}

static void read_store(void *argument)
{
    Input *input = argument;
    Arena *arena = arena_new("fuzz");
    Image image;
    uint64_t problems;
    StoreOptions read_only = options;

    fuzz_require(image_read(&image, arena));
    const bool leaves_checksums = input_byte(input) == 0xff;
    while (input->rest.length > 0)
        image_edit(&image, input);
    if (!leaves_checksums)
        fix_superblocks(&image);
    fuzz_require(image_write(&image));
    arena_free(arena);

    read_only.read_only = true;
    Store *store = store_open(STR("db"), &read_only);
    if (store) {
        if (!store_verify(store, ignore_problem, NULL, &problems))
            error_clear();
        if (store_recover(store, no_record, NULL))
            store_databases(store, read_database, NULL);
        store_close(store, STORE_CLOSE_ABORT);
    }
    error_clear();
}

FUZZ_TARGET(data, size)
{
    Input input = input_of(data, size);
    SimWorld *world = sim_clone_disk(template_world(), 2);

    fuzz_require(sim_run(world, read_store, &input) == SIM_ENDED);
    sim_free(world);
    return 0;
}
