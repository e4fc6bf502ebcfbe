/*
 * The tree directory of a database: which trees there are, and their open handles.
 *
 * The directory is a TREE_KEY_VALUE tree whose root is page 1. Keys are big-endian {u32 tree id,
 * u32 part}: part 0 holds {u32 root, u8 kind}, part n the layout of version n. A kind with
 * KIND_GOING is of a tree that is being dropped: a crash may leave it without its right end.
 */
#include <stdlib.h>

#include "base/error_record.h"
#include "base/hash.h"
#include "base/memory.h"
#include "storage/tree_cursor.h"
#include "storage/tree_internal.h"
#include "storage/tree_ready.h"

#define DIRECTORY_ROOT ((PageId)1)
#define LAYOUT_VERSION_MAX (1u << 20)

typedef struct TreeDirectory {
    Mutex mutex;                       /* rank TREE_DIRECTORY */
    HashMap handles GUARDED_BY(mutex); /* TreeId + 1 → Tree */
    Tree **retired GUARDED_BY(mutex);  /* dropped: freed when the database closes */
    uint32_t retired_count, retired_capacity;
    Tree *tree; /* the directory itself */
} TreeDirectory;

typedef struct DirectoryKey {
    char bytes[8];
} DirectoryKey;

static DirectoryKey directory_key(TreeId id, uint32_t part)
{
    DirectoryKey key;
    uint32_t words[2] = {__builtin_bswap32(id), __builtin_bswap32(part)};
    memcpy(key.bytes, words, 8);
    return key;
}

static void directory_key_read(Str key, TreeId *ret_id, uint32_t *ret_part)
{
    uint32_t words[2];
    memcpy(words, key.data, 8);
    *ret_id = __builtin_bswap32(words[0]);
    *ret_part = __builtin_bswap32(words[1]);
}

typedef struct DirectoryEntry {
    PageId root;
    uint8_t kind;
    bool is_going;
} DirectoryEntry;
#define ENTRY_SIZE 5
#define KIND_GOING 0x80u

static bool entry_decode(Str value, DirectoryEntry *ret_entry)
{
    if (value.length != ENTRY_SIZE)
        FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged tree directory"));
    memcpy(&ret_entry->root, value.data, 4);
    ret_entry->kind = (uint8_t)value.data[4] & ~KIND_GOING;
    ret_entry->is_going = (uint8_t)value.data[4] & KIND_GOING;
    if (ret_entry->kind < TREE_TABLE || ret_entry->kind > TREE_KEY_VALUE)
        FAIL(ERR_DATA_CORRUPTED, .message = STR("damaged tree directory"));
    return true;
}

/* ------------------------------------------------------------------ handles */

static Tree *tree_handle_new(Database *database, TreeId id, TreeKind kind, PageId root,
                             PageLife life)
{
    Tree *tree = memory_calloc(1, sizeof(Tree));
    if (!tree)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    tree->database = database;
    tree->id = id;
    tree->kind = kind;
    tree->root = root;
    tree->life = life;
    mutex_init(&tree->mutex, RANK_TREE_DIRECTORY);
    tree->arena = arena_new("tree");
    return tree;
}

void tree_handle_free(Tree *tree)
{
    if (!tree)
        return;
    arena_free(tree->arena);
    memory_free(tree);
}

/* `layout` is copied. An existing version is left alone. */
static void tree_handle_add_layout(Tree *tree, const Layout *layout)
{
    assert(layout->version > 0);
    mutex_lock(&tree->mutex);
    LayoutList *old = atomic_load_explicit(&tree->layouts, memory_order_relaxed);
    uint32_t old_count = old ? old->count : 0;
    if (layout->version > old_count || !old->items[layout->version - 1]) {
        uint32_t count = MAX(old_count, layout->version);
        LayoutList *list =
            arena_alloc_zeroed(tree->arena, sizeof(LayoutList) + count * sizeof(Layout *));
        list->count = count;
        for (uint32_t i = 0; i < old_count; i++)
            list->items[i] = old->items[i];
        const Layout *copy =
            layout_new(tree->arena, layout->version, layout->columns, layout->column_count);
        list->items[layout->version - 1] = copy;
        atomic_store_explicit(&tree->layouts, list, memory_order_release);
        if (layout->version == count)
            atomic_store_explicit(&tree->newest, copy, memory_order_release);
    }
    mutex_unlock(&tree->mutex);
}

bool tree_is_going(const Tree *tree)
{
    return tree->is_going;
}

TreeId tree_id(const Tree *tree)
{
    return tree->id;
}
TreeKind tree_kind(const Tree *tree)
{
    return tree->kind;
}
Database *tree_database(const Tree *tree)
{
    return tree->database;
}

const Layout *tree_layout(const Tree *tree)
{
    return atomic_load_explicit(&((Tree *)tree)->newest, memory_order_acquire);
}

const Layout *tree_layout_version(const Tree *tree, uint32_t version)
{
    const LayoutList *list = atomic_load_explicit(&((Tree *)tree)->layouts, memory_order_acquire);
    return list && version >= 1 && version <= list->count ? list->items[version - 1] : NULL;
}

/* ------------------------------------------------------------------ pages of a new tree */

void tree_init_leaf(TreeKind kind, const Layout *layout, byte *page)
{
    if (kind == TREE_TABLE)
        leaf_init((LeafPage *)page, layout, 0, UINT64_MAX);
    else
        node_init((Node *)page, NODE_SLOTTED_LEAF, 0, STR(""), STR_NONE);
}

static bool tree_make_root(Database *database, TreeKind kind, const Layout *layout, PageLife life,
                           PageId *ret_root)
{
    Action action;
    Page page;
    if (kind == TREE_TABLE && leaf_row_room(layout) == 0)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("row is too big: size %u, maximum size %u",
                            layout->offsets[layout->column_count], (unsigned)PAGE_SIZE));
    TRY(action_begin(database, 1, &action));
    page_allocate(&action, database, life, &page);
    tree_init_leaf(kind, layout, page.data);
    *ret_root = page.id;
    page_unlatch(&page);
    action_end(&action);
    return true;
}

/* ------------------------------------------------------------------ the directory of a database */

/* Page 1 is made by the first tree of a database. */
static bool directory_make_root(Database *database, TreeDirectory *directory)
{
    Action action;
    Page page;
    bool done = true;
    TRY(action_begin(database, 1, &action));
    mutex_lock(&directory->mutex);
    uint16_t flags = DIRECTORY_ROOT < database->page_limit
                         ? atomic_load(&database->entries[DIRECTORY_ROOT].flags)
                         : 0;
    if (!(flags & PAGE_FLAG_ALLOCATED)) {
        page_allocate(&action, database, PAGE_PERMANENT, &page);
        done = page.id == DIRECTORY_ROOT;
        if (done) {
            tree_init_leaf(TREE_KEY_VALUE, NULL, page.data);
            page_unlatch(&page);
        } else {
            page_free(&action, &page);
        }
    }
    mutex_unlock(&directory->mutex);
    action_end(&action);
    if (!done)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("database %u has pages but no tree directory", database->id));
    return true;
}

static TreeDirectory *directory_of(Database *database)
{
    TreeDirectory *directory = atomic_load_explicit(&database->trees, memory_order_acquire);
    if (likely(directory))
        return directory;
    TreeDirectory *fresh = memory_calloc(1, sizeof(TreeDirectory));
    if (!fresh)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    mutex_init(&fresh->mutex, RANK_TREE_DIRECTORY);
    fresh->tree =
        tree_handle_new(database, TREE_DIRECTORY, TREE_KEY_VALUE, DIRECTORY_ROOT, PAGE_PERMANENT);
    void *expected = NULL;
    if (fresh->tree && atomic_compare_exchange_strong(&database->trees, &expected, fresh))
        return fresh;
    tree_handle_free(fresh->tree);
    memory_free(fresh);
    return expected;
}

/* Is there a directory to read? */
static bool directory_exists(const Database *database)
{
    return DIRECTORY_ROOT < database->page_limit &&
           (atomic_load(&database->entries[DIRECTORY_ROOT].flags) & PAGE_FLAG_ALLOCATED);
}

static Tree *directory_tree_for_writing(Database *database, TreeDirectory **ret_directory)
{
    TreeDirectory *directory = directory_of(database);
    TRY(directory);
    if (!directory_exists(database))
        TRY(directory_make_root(database, directory));
    *ret_directory = directory;
    return directory->tree;
}

void tree_close_all(Database *database)
{
    TreeDirectory *directory = atomic_exchange(&database->trees, NULL);
    if (!directory)
        return;
    size_t position = 0;
    uint64_t key;
    void *tree;
    while (hashmap_next(&directory->handles, &position, &key, &tree))
        tree_handle_free(tree);
    hashmap_deinit(&directory->handles);
    for (uint32_t i = 0; i < directory->retired_count; i++)
        tree_handle_free(directory->retired[i]);
    memory_free(directory->retired);
    tree_handle_free(directory->tree);
    memory_free(directory);
}

static Tree *handle_cached(TreeDirectory *directory, TreeId id)
{
    mutex_lock(&directory->mutex);
    Tree *tree = hashmap_get(&directory->handles, (uint64_t)id + 1);
    mutex_unlock(&directory->mutex);
    return tree;
}

/* Keeps the first of two handles that were made at the same time. */
static Tree *handle_cache(TreeDirectory *directory, Tree *tree)
{
    mutex_lock(&directory->mutex);
    Tree *there = hashmap_get(&directory->handles, (uint64_t)tree->id + 1);
    if (!there)
        hashmap_put(&directory->handles, (uint64_t)tree->id + 1, tree);
    mutex_unlock(&directory->mutex);
    if (!there)
        return tree;
    tree_handle_free(tree);
    return there;
}

/* The handle stays in memory, for whoever still has it, but is found no more. */
static bool handle_retire(TreeDirectory *directory, Tree *tree)
{
    bool done = true;
    atomic_store(&tree->is_dropped, true);
    mutex_lock(&directory->mutex);
    hashmap_remove(&directory->handles, (uint64_t)tree->id + 1);
    if (directory->retired_count == directory->retired_capacity) {
        uint32_t capacity = MAX(16u, directory->retired_capacity * 2);
        Tree **grown = memory_realloc(directory->retired, capacity * sizeof(Tree *));
        done = grown != NULL;
        if (done) {
            directory->retired = grown;
            directory->retired_capacity = capacity;
        }
    }
    if (done)
        directory->retired[directory->retired_count++] = tree;
    mutex_unlock(&directory->mutex);
    return true;
}

/* Reads a tree's entry and layouts; NULL in *ret_tree where there is none. */
static bool handle_read(Database *database, TreeDirectory *directory, TreeId id, Tree **ret_tree)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("tree directory");
    TreeCursor cursor;
    Tree *tree = NULL;
    DirectoryKey start = directory_key(id, 0);
    tree_cursor_init(&cursor, directory->tree, TREE_FORWARD);
    bool done = tree_cursor_seek(&cursor, str_make(start.bytes, 8), SEEK_AT);

    while (done && tree_cursor_valid(&cursor)) {
        TreeId entry_id;
        uint32_t part;
        Str key = tree_cursor_key(&cursor), value;
        if (key.length != 8) {
            done = tree_damaged(directory->tree, DIRECTORY_ROOT, "a key of the wrong length");
            break;
        }
        directory_key_read(key, &entry_id, &part);
        if (entry_id != id || (part == 0) != (tree == NULL))
            break;
        done = tree_cursor_value(&cursor, arena, &value);
        if (done && part == 0) {
            DirectoryEntry entry;
            done = entry_decode(value, &entry) &&
                   (tree = tree_handle_new(database, id, (TreeKind)entry.kind, entry.root,
                                           PAGE_PERMANENT)) != NULL;
            if (done)
                tree->is_going = entry.is_going;
        } else if (done) {
            Layout *layout = layout_decode(arena, value);
            done = layout && (layout->version == part ||
                              tree_damaged(directory->tree, DIRECTORY_ROOT, "a wrong layout"));
            if (done)
                tree_handle_add_layout(tree, layout);
        }
        done = done && tree_cursor_advance(&cursor);
    }
    tree_cursor_deinit(&cursor);
    if (done && tree && tree->kind == TREE_TABLE && !tree_layout(tree))
        done = tree_damaged(directory->tree, DIRECTORY_ROOT, "a table without a layout");
    if (!done) {
        tree_handle_free(tree);
        return false;
    }
    *ret_tree = tree;
    return true;
}

bool tree_find(Database *database, TreeId id, Tree **ret_tree)
{
    TreeDirectory *directory = directory_of(database);
    TRY(directory);
    if (id == TREE_DIRECTORY) {
        *ret_tree = directory_exists(database) ? directory->tree : NULL;
        return true;
    }
    Tree *tree = handle_cached(directory, id);
    if (unlikely(!tree) && directory_exists(database)) {
        TRY(handle_read(database, directory, id, &tree));
        if (tree)
            tree = handle_cache(directory, tree);
    }
    *ret_tree = tree;
    return true;
}

Tree *tree_open(Database *database, TreeId id)
{
    Tree *tree;
    TRY(tree_find(database, id, &tree));
    if (!tree)
        FAIL(ERR_DATA_CORRUPTED,
             .message = fmt("tree %u does not exist in database %u", id, database->id));
    return tree;
}

/* ------------------------------------------------------------------ changing the directory */

static bool put_layout(Tree *directory, TreeId id, const Layout *layout)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("layout");
    DirectoryKey key = directory_key(id, layout->version);
    if (layout->version == 0 || layout->version > LAYOUT_VERSION_MAX)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("layout version %u is out of range", layout->version));
    return tree_kv_put(directory, str_make(key.bytes, 8), layout_encode(arena, layout));
}

/* `kind` may have KIND_GOING. */
static bool put_entry(TreeDirectory *directory, TreeId id, uint32_t kind, PageId root)
{
    char value[ENTRY_SIZE];
    DirectoryKey key = directory_key(id, 0);
    memcpy(value, &root, 4);
    value[4] = (char)kind;
    return tree_kv_put(directory->tree, str_make(key.bytes, 8), str_make(value, ENTRY_SIZE));
}

bool tree_ready_directory(Database *database, TreeId id)
{
    TreeReady ready = {0};
    const DirectoryKey key = directory_key(id, 0);
    TreeDirectory *directory = directory_of(database);

    TRY(directory);
    return !directory_exists(database) ||
           tree_ready_key(directory->tree, str_make(key.bytes, 8), &ready);
}

bool tree_create(Database *database, TreeId id, TreeKind kind, const Layout *layout)
{
    TreeDirectory *directory;
    Tree *there;
    PageId root;

    assert(id != TREE_DIRECTORY && id != TREE_ID_PRIVATE);
    assert((kind == TREE_TABLE) == (layout != NULL));
    TRY(directory_tree_for_writing(database, &directory));
    TRY(tree_find(database, id, &there));
    if (there)
        return true;
    page_loose_begin(database); /* the root, until the entry is there */
    TRY(tree_make_root(database, kind, layout, PAGE_PERMANENT, &root));
    if (layout)
        TRY(put_layout(directory->tree, id, layout));
    TRY(put_entry(directory, id, kind, root));
    page_loose_end(database);
    return true;
}

/* Removes everything the directory has of a tree, the entry first. */
static bool remove_entries(TreeDirectory *directory, TreeId id)
{
    for (;;) {
        TreeCursor cursor;
        TreeId entry_id = TREE_ID_PRIVATE;
        uint32_t part;
        char buffer[8];
        DirectoryKey start = directory_key(id, 0);
        tree_cursor_init(&cursor, directory->tree, TREE_FORWARD);
        cursor.limit = 1;
        bool done = tree_cursor_seek(&cursor, str_make(start.bytes, 8), SEEK_AT);
        if (done && tree_cursor_valid(&cursor) && tree_cursor_key(&cursor).length == 8) {
            memcpy(buffer, tree_cursor_key(&cursor).data, 8);
            directory_key_read(str_make(buffer, 8), &entry_id, &part);
        }
        tree_cursor_deinit(&cursor);
        TRY(done);
        if (entry_id != id)
            return true;
        TRY(tree_kv_delete(directory->tree, str_make(buffer, 8)));
    }
}

/* Pages behind damage stay loose: nobody reaches them, and the next start gives them back. */
static bool free_what_can_be(Tree *tree, bool free_root)
{
    if (tree_free_pages(tree, free_root))
        return true;
    const SqlState sqlstate = error_fields()->sqlstate;
    TRY(sqlstate == ERR_DATA_CORRUPTED || sqlstate == ERR_IO_ERROR);
    error_clear();
    page_loose_begin(tree->database);
    return true;
}

bool tree_drop(Database *database, TreeId id)
{
    Tree *tree;
    assert(id != TREE_DIRECTORY);
    TRY(tree_find(database, id, &tree));
    if (!tree)
        return true;
    TreeDirectory *directory = directory_of(database);
    TRY(put_entry(directory, id, tree->kind | KIND_GOING, tree->root));
    tree->is_going = true;
    TRY(free_what_can_be(tree, false));
    page_loose_begin(database); /* the root, once the entry is gone */
    TRY(remove_entries(directory, id));
    TRY(free_what_can_be(tree, true));
    page_loose_end(database);
    return handle_retire(directory, tree);
}

bool tree_set_layout(Database *database, TreeId id, const Layout *layout)
{
    TreeDirectory *directory;
    Tree *tree = tree_open(database, id);
    TRY(tree);
    assert(tree->kind == TREE_TABLE);
    if (tree_layout_version(tree, layout->version))
        return true;
    if (leaf_row_room(layout) == 0)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("row is too big: size %u, maximum size %u",
                            layout->offsets[layout->column_count], (unsigned)PAGE_SIZE));
    TRY(directory_tree_for_writing(database, &directory));
    TRY(put_layout(directory->tree, id, layout));
    tree_handle_add_layout(tree, layout);
    return true;
}

bool tree_list(Database *database, bool (*visit)(void *context, TreeId id, TreeKind kind),
               void *context)
{
    TreeDirectory *directory = directory_of(database);
    TRY(directory);
    if (!directory_exists(database))
        return true;
    TreeCursor cursor;
    bool goes_on = true;
    tree_cursor_init(&cursor, directory->tree, TREE_FORWARD);
    bool done = tree_cursor_seek(&cursor, STR(""), SEEK_AT);
    while (done && goes_on && tree_cursor_valid(&cursor)) {
        TreeId id;
        uint32_t part = 1;
        DirectoryEntry entry;
        Str key = tree_cursor_key(&cursor), value;
        if (key.length == 8)
            directory_key_read(key, &id, &part);
        if (part == 0) {
            done = tree_cursor_value(&cursor, NULL, &value) && entry_decode(value, &entry);
            goes_on = done && visit(context, id, (TreeKind)entry.kind);
        }
        done = done && tree_cursor_advance(&cursor);
    }
    tree_cursor_deinit(&cursor);
    return done;
}

/* ------------------------------------------------------------------ private trees */

Tree *tree_new_private(Database *database, TreeKind kind, const Layout *layout)
{
    TreeDirectory *directory;
    PageId root;
    assert((kind == TREE_TABLE) == (layout != NULL));
    /* Page 1 must be the directory's before any other page is taken. */
    TRY(directory_tree_for_writing(database, &directory));
    TRY(tree_make_root(database, kind, layout, PAGE_TEMPORARY, &root));
    Tree *tree = tree_handle_new(database, TREE_ID_PRIVATE, kind, root, PAGE_TEMPORARY);
    TRY(tree);
    if (layout)
        tree_handle_add_layout(tree, layout);
    atomic_store(&tree->page_count, 1);
    atomic_store(&tree->is_counted, true);
    return tree;
}

void tree_discard(Tree *tree)
{
    if (!tree)
        return;
    /* What ends a transaction neither hides the error that did nor is cut short itself. */
    Task *task = task_current();
    ErrorRecord *earlier = error_put_aside();
    const bool were_held = task->interrupts_held;
    task->interrupts_held = true;
    if (!tree_free_pages(tree, true)) /* temporary pages left behind go with the process */
        error_clear();
    task->interrupts_held = were_held;
    error_put_back(earlier);
    tree_handle_free(tree);
}

bool tree_attach_page(void *context, uint32_t page_id)
{
    Tree *tree = context;
    Action action;
    TRY(action_begin(tree->database, 1, &action));
    page_attach(&action, tree->database, page_id);
    action_end(&action);
    return true;
}

/* Leaves need not be read, but for the overflow pages that they may refer to. */
static bool attach_pages(Tree *tree)
{
    TreeReport report;
    if (atomic_load_explicit(&tree->has_overflow, memory_order_relaxed))
        return tree_check(tree, tree_attach_page, tree, &report);
    return tree_visit_pages(tree, tree->root, 0, tree_attach_page, tree);
}

bool tree_attach(Tree *tree, TreeId id)
{
    TreeDirectory *directory;

    assert(tree->id == TREE_ID_PRIVATE && tree->life == PAGE_TEMPORARY);
    Database *database = tree->database;
    TRY(directory_tree_for_writing(database, &directory));
    page_loose_begin(database); /* pages become permanent one by one */
    TRY(attach_pages(tree));
    TRY(tree_drop(database, id));
    const LayoutList *layouts = atomic_load(&tree->layouts);
    for (uint32_t i = 0; layouts && i < layouts->count; i++)
        if (layouts->items[i])
            TRY(put_layout(directory->tree, id, layouts->items[i]));
    TRY(put_entry(directory, id, tree->kind, tree->root));
    page_loose_end(database);
    tree_handle_free(tree);
    return true;
}
