#include "catalog/system_load.h"

#include "base/error.h"
#include "catalog/catalog_internal.h"
#include "storage/row.h"
#include "txn/ddl.h"

typedef struct LoadEntry {
    uint64_t prefix; /* of the key, big-endian: what most comparisons need */
    Str key;         /* with the row id behind it */
} LoadEntry;

typedef VEC(LoadEntry) LoadEntryVec;

struct SystemLoad {
    CatalogSession *session;
    Arena *scratch;                       /* of one row */
    TxnBulk *tables[CATALOG_TABLE_COUNT]; /* NULL: no row yet */
    LoadEntryVec entries[CATALOG_INDEX_COUNT];
};

SystemLoad *system_load_begin(CatalogSession *session)
{
    SystemLoad *load = ARENA_NEW(session->arena, SystemLoad);

    load->session = session;
    load->scratch = arena_new("system row");
    session->catalog->load = load;
    return load;
}

static bool table_append(SystemLoad *load, CatalogRow *row)
{
    CatalogSession *session = load->session;
    TxnTree *tree = catalog_table_tree(session, row->table);
    Str image;

    TRY(tree);
    if (!load->tables[row->table])
        TRY(txn_bulk_begin(session->txn, tree, &load->tables[row->table]));
    TRY(row_image_make(load->scratch, txn_tree_layout(session->txn, tree), row->values, row->nulls,
                       &image));
    return txn_bulk_append_row(load->tables[row->table], image, &row->row_id);
}

static uint64_t key_prefix(Str key)
{
    uint64_t prefix = 0;

    memcpy(&prefix, key.data, MIN(key.length, sizeof(prefix)));
    return __builtin_bswap64(prefix);
}

bool system_load_row(SystemLoad *load, CatalogRow *row)
{
    const CatalogTable *table = &catalog_tables[row->table];

    TRY(table_append(load, row));
    const uint64_t row_id = __builtin_bswap64((uint64_t)row->row_id);
    for (uint32_t i = 0; i < table->index_count; i++) {
        StrBuf key = strbuf_in(load->scratch);
        TRY(system_row_key(&catalog_indexes[table->first_index + i], row, &key));
        strbuf_append_bytes(&key, &row_id, sizeof(row_id));
        const LoadEntry entry = {.prefix = key_prefix(strbuf_view(&key)),
                                 .key = str_copy(load->session->arena, strbuf_view(&key))};
        VEC_PUSH(load->session->arena, &load->entries[table->first_index + i], entry);
    }
    arena_reset(load->scratch);
    return true;
}

static bool entry_is_less(const LoadEntry *left, const LoadEntry *right)
{
    if (left->prefix != right->prefix)
        return left->prefix < right->prefix;
    return str_compare(left->key, right->key) < 0;
}

/* One behind the last of the ascending run that begins at `first`. */
static size_t run_end(const LoadEntryVec *entries, size_t first)
{
    size_t end = first + 1;

    while (end < entries->length && !entry_is_less(&entries->items[end], &entries->items[end - 1]))
        end++;
    return end;
}

static void runs_merge(const LoadEntry *left, const LoadEntry *middle, const LoadEntry *end,
                       LoadEntry *to)
{
    const LoadEntry *right = middle;

    while (left < middle && right < end)
        *to++ = entry_is_less(right, left) ? *right++ : *left++;
    memcpy(to, left, (size_t)(middle - left) * sizeof(*to));
    to += middle - left;
    memcpy(to, right, (size_t)(end - right) * sizeof(*to));
}

/* Merges the runs there are: rows that come in the order of their OIDs are one. */
static void entries_sort(Arena *arena, LoadEntryVec *entries)
{
    const size_t count = entries->length;
    LoadEntry *other = NULL;

    while (run_end(entries, 0) < count) {
        other = other ? other : ARENA_ARRAY(arena, LoadEntry, count);
        for (size_t first = 0, end = 0; first < count; first = end) {
            const size_t middle = run_end(entries, first);
            end = middle < count ? run_end(entries, middle) : count;
            LoadEntry *items = entries->items;
            runs_merge(items + first, items + middle, items + end, other + first);
        }
        LoadEntry *sorted = other;
        other = entries->items;
        entries->items = sorted;
    }
}

static Str entry_key(const LoadEntry *entry)
{
    return str_slice(entry->key, 0, entry->key.length - sizeof(uint64_t));
}

static bool entries_check_unique(const CatalogIndex *index, const LoadEntryVec *entries)
{
    for (size_t i = 1; index->is_unique && i < entries->length; i++)
        if (str_equal(entry_key(&entries->items[i - 1]), entry_key(&entries->items[i])))
            FAIL(ERR_UNIQUE_VIOLATION,
                 .message = fmt("duplicate key value violates unique constraint \"%.*s\"",
                                STR_ARGS(index->name)),
                 .table_name = catalog_tables[index->table].name, .constraint_name = index->name);
    return true;
}

static bool index_build(SystemLoad *load, CatalogIndexId id)
{
    LoadEntryVec *entries = &load->entries[id];
    TxnBulk *bulk;

    if (entries->length == 0)
        return true;
    TxnTree *tree = catalog_index_tree(load->session, id);
    TRY(tree);
    entries_sort(load->session->arena, entries);
    TRY(entries_check_unique(&catalog_indexes[id], entries));
    TRY(txn_bulk_begin(load->session->txn, tree, &bulk));
    for (size_t i = 0; i < entries->length; i++) {
        if (!txn_bulk_append_key(bulk, entries->items[i].key)) {
            txn_bulk_abandon(bulk);
            return false;
        }
    }
    return txn_bulk_end(bulk);
}

bool system_load_finish(SystemLoad *load)
{
    load->session->catalog->load = NULL;
    for (int i = 0; i < CATALOG_TABLE_COUNT; i++) {
        TxnBulk *bulk = load->tables[i];
        load->tables[i] = NULL;
        if (bulk)
            TRY(txn_bulk_end(bulk));
    }
    for (int i = 0; i < CATALOG_INDEX_COUNT; i++)
        TRY(index_build(load, (CatalogIndexId)i));
    return true;
}

void system_load_free(SystemLoad *load)
{
    if (!load)
        return;
    load->session->catalog->load = NULL;
    for (int i = 0; i < CATALOG_TABLE_COUNT; i++)
        txn_bulk_abandon(load->tables[i]);
    arena_free(load->scratch);
}
