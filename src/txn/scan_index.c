/* Index scans: a tree cursor and the transaction's own entries, merged in key order. */
#include <stdlib.h>

#include "base/memory.h"

#include "storage/tree_cursor.h"
#include "txn/index.h"
#include "txn/txn_internal.h"

struct IndexScan {
    Txn *txn;
    Snapshot snapshot;
    TxnTree *index;
    Tree *tree; /* NULL: there is nothing but own entries */
    bool is_private;
    ScanDirection direction;
    StrBuf low, high;
    Str prefix; /* a look-up's: it ends at what begins otherwise */
    bool has_high;
    bool leaf_is_new; /* what the cursor holds has changed since the snapshot */
    bool has_cursor;
    bool is_started;
    uint32_t at_once;   /* entries copied from a leaf at a time; 0: all it has */
    bool keys_are_held; /* those given out still count: the cursor must not take others in */
    bool took_committed, took_own; /* by the last call: to be passed by the next */
    WriteCursor own;               /* this transaction's entries */
    Arena *own_keys; /* those given out that the next write may move; NULL while there are none */
    TreeCursor cursor;
};

static void note_leaf(void *context, void *versions)
{
    IndexScan *scan = context;
    if ((Lsn)(uintptr_t)versions > snapshot_floor(&scan->snapshot))
        scan->leaf_is_new = true;
}

static void set_bound(StrBuf *buf, Str bytes)
{
    strbuf_truncate(buf, 0);
    if (bytes.length > 0)
        strbuf_append(buf, bytes);
}

static void scan_retarget(IndexScan *scan, Txn *txn, TxnTree *index)
{
    bool is_private;
    Tree *tree = txn_tree_source(txn, index, &is_private);

    if (scan->has_cursor && tree != scan->tree) {
        tree_cursor_deinit(&scan->cursor);
        scan->has_cursor = false;
    }
    scan->txn = txn;
    scan->index = index;
    scan->tree = tree;
    scan->is_private = is_private;
}

void index_scan_reset(IndexScan *scan, const Snapshot *snapshot, const IndexScanSpec *spec)
{
    Snapshot room;

    scan_retarget(scan, scan->txn, scan->index);
    if (scan->has_cursor && scan->direction != spec->direction) {
        tree_cursor_deinit(&scan->cursor);
        scan->has_cursor = false;
    }
    scan->snapshot = *snapshot_resolve(scan->txn, snapshot, &room);
    scan->direction = spec->direction;
    set_bound(&scan->low, spec->low);
    set_bound(&scan->high, spec->high);
    scan->has_high = !str_is_none(spec->high);
    scan->is_started = false;
}

IndexScan *index_scan_open(Txn *txn, const Snapshot *snapshot, TxnTree *index,
                           const IndexScanSpec *spec, Arena *arena)
{
    assert(index->kind == TREE_INDEX);
    IndexScan *scan = ARENA_NEW(arena, IndexScan);
    scan->txn = txn;
    scan->index = index;
    txn_tree_ref(index);
    index_scan_reset(scan, snapshot, spec);
    return scan;
}

static void scan_deinit(IndexScan *scan)
{
    if (scan->has_cursor)
        tree_cursor_deinit(&scan->cursor);
    scan->has_cursor = false;
    write_cursor_deinit(&scan->own);
    arena_free(scan->own_keys);
    scan->own_keys = NULL;
    strbuf_deinit(&scan->low);
    strbuf_deinit(&scan->high);
}

void index_scan_close(IndexScan *scan)
{
    if (!scan)
        return;
    scan_deinit(scan);
    txn_tree_close(scan->index);
}

/* ------------------------------------------------------------------ starting */

static bool start_cursor(IndexScan *scan)
{
    if (!scan->tree)
        return true;
    if (!scan->has_cursor) {
        tree_cursor_init(&scan->cursor, scan->tree,
                         scan->direction == SCAN_FORWARD ? TREE_FORWARD : TREE_BACKWARD);
        scan->cursor.on_leaf = note_leaf;
        scan->cursor.context = scan;
        scan->has_cursor = true;
    }
    scan->leaf_is_new = false;
    scan->cursor.limit = scan->at_once;
    if (scan->direction == SCAN_FORWARD)
        return tree_cursor_seek(&scan->cursor, strbuf_view(&scan->low), SEEK_AT);
    return tree_cursor_seek(&scan->cursor,
                            scan->has_high ? strbuf_view(&scan->high) : (Str){.data = ""},
                            scan->has_high ? SEEK_BEYOND : SEEK_AT);
}

/* The first, or last, of this transaction's own entries within the bounds. */
static bool start_own(IndexScan *scan)
{
    TreeWrites *writes = writes_find(scan->txn, scan->index);

    write_cursor_deinit(&scan->own);
    if (writes && writes->arena && !scan->own_keys)
        scan->own_keys = arena_new("own keys of an index scan");
    write_cursor_init(&scan->own, scan->txn, writes, scan->snapshot.command, scan->own_keys);
    scan->own.is_backward = scan->direction == SCAN_BACKWARD;
    scan->own.prefix = scan->prefix;
    if (!scan->own.is_backward) {
        if (scan->has_high)
            scan->own.bound = strbuf_view(&scan->high);
        return write_cursor_seek(&scan->own, 0, strbuf_view(&scan->low));
    }
    scan->own.bound = strbuf_view(&scan->low);
    return write_cursor_seek_before(&scan->own,
                                    scan->has_high ? strbuf_view(&scan->high) : STR(""));
}

bool txn_index_is_younger(const TxnTree *index, const Snapshot *snapshot)
{
    return atomic_load_explicit(&index->base_lsn, memory_order_acquire) > snapshot->lsn;
}

static bool start(IndexScan *scan)
{
    if (!scan->is_private && txn_index_is_younger(scan->index, &scan->snapshot))
        FAIL(ERR_T_R_SERIALIZATION_FAILURE,
             .message = STR("could not serialize access due to a concurrently built index"));
    TRY(start_own(scan));
    scan->took_committed = false;
    scan->took_own = false;
    scan->is_started = true;
    return start_cursor(scan);
}

/* ------------------------------------------------------------------ stepping */

#define LIMIT_MOST 4096u /* above what a leaf has */

/* `passing`: past one that nobody sees, so that what was asked for may be further on. */
static bool advance_committed(IndexScan *scan, bool passing)
{
    TreeCursor *cursor = &scan->cursor;
    if (++cursor->index < cursor->count || cursor->at_end)
        return true;
    scan->leaf_is_new = false;
    if (passing)
        cursor->limit = MIN(2 * cursor->limit, LIMIT_MOST);
    return tree_cursor_fill(cursor);
}

static bool in_bounds(const IndexScan *scan, Str key)
{
    if (scan->prefix.length > 0)
        return str_starts_with(key, scan->prefix);
    if (scan->direction == SCAN_FORWARD)
        return !scan->has_high || str_compare(key, strbuf_view(&scan->high)) < 0;
    return str_compare(key, strbuf_view(&scan->low)) >= 0;
}

/* Is the cursor's entry one that the snapshot sees? */
static bool committed_is_seen(IndexScan *scan, Str key)
{
    bool live = !tree_cursor_is_ghost(&scan->cursor);
    if (likely(!scan->leaf_is_new || scan->is_private))
        return live;
    return version_sees_entry(scan->txn->manager->versions, scan->index->name, key, live,
                              &scan->snapshot);
}

static void entry_set(IndexEntry *entry, Str key, uint64_t row_id)
{
    *entry = (IndexEntry){.key = str_make(key.data, key.length - sizeof(row_id)),
                          .row_id = (int64_t)row_id};
}

/* Would the next step overwrite the keys that the cursor holds? */
static bool would_refill(const IndexScan *scan)
{
    return scan->took_committed && !scan->cursor.at_end &&
           scan->cursor.index + 1 >= scan->cursor.count;
}

/* SCAN_END also where keys are held and would be overwritten. */
static ScanOutcome step(IndexScan *scan, IndexEntry *ret_entry)
{
    for (bool passing = false;; passing = true) {
        if (scan->keys_are_held && would_refill(scan))
            return SCAN_END;
        if (scan->took_committed)
            TRY(advance_committed(scan, passing));
        if (scan->took_own)
            TRY(write_cursor_next(&scan->own));
        scan->took_committed = false;
        scan->took_own = false;
        CHECK_INTERRUPTS();

        Str key = STR_NONE;
        bool has_committed = scan->tree && tree_cursor_valid(&scan->cursor);
        if (has_committed) {
            key = tree_cursor_key(&scan->cursor);
            has_committed = in_bounds(scan, key);
        }
        const bool has_own = scan->own.valid;
        if (!has_committed && !has_own)
            return SCAN_END;
        int order = 0;
        if (has_committed && has_own)
            order = str_compare(key, scan->own.key);
        if (scan->direction == SCAN_BACKWARD)
            order = -order;
        scan->took_committed = has_committed && (!has_own || order <= 0);
        scan->took_own = has_own && (!has_committed || order >= 0);

        if (scan->took_own) {
            if (scan->own.seen.op == WRITE_DELETE)
                continue;
            entry_set(ret_entry, scan->own.key, scan->own.row_id);
            return SCAN_ROWS;
        }
        if (scan->took_committed && committed_is_seen(scan, key)) {
            entry_set(ret_entry, key, tree_key_row_id(key));
            return SCAN_ROWS;
        }
    }
}

#define OWN_KEYS_KEPT (64u << 10)

/* Keys given out by earlier calls may go; the one looked at next stays. */
static void own_keys_prepare(IndexScan *scan)
{
    WriteCursor *own = &scan->own;

    if (likely(!own->writes || !own->writes->arena))
        return;
    if (!scan->own_keys)
        own->arena = scan->own_keys = arena_new("own keys of an index scan");
    if (arena_size(scan->own_keys) < OWN_KEYS_KEPT)
        return;
    arena_reset(scan->own_keys);
    if (own->valid)
        own->key = str_copy(scan->own_keys, strbuf_view(&own->place));
}

static ScanOutcome next_entry(IndexScan *scan, IndexEntry *ret_entry)
{
    if (unlikely(!scan->is_started)) {
        TRY(snapshot_check(scan->txn));
        TRY(start(scan));
    }
    return step(scan, ret_entry);
}

ScanOutcome index_scan_next(IndexScan *scan, IndexEntry *ret_entry)
{
    if (scan->is_started)
        own_keys_prepare(scan);
    return next_entry(scan, ret_entry);
}

#define MANY_ENTRIES 256

ScanOutcome index_scan_next_many(IndexScan *scan, IndexEntry *entries, uint32_t limit,
                                 uint32_t *ret_count)
{
    uint32_t count = 0;

    /* Who asks for few may want no more: the rest of the leaf is not copied for nothing. */
    scan->at_once = limit < MANY_ENTRIES ? limit : 0;
    if (scan->has_cursor)
        scan->cursor.limit = scan->at_once;
    if (scan->is_started)
        own_keys_prepare(scan);
    ScanOutcome outcome = SCAN_ROWS;
    while (count < limit && outcome == SCAN_ROWS) {
        scan->keys_are_held = count > 0;
        outcome = next_entry(scan, &entries[count]);
        count += outcome == SCAN_ROWS;
    }
    scan->keys_are_held = false;
    TRY(outcome);
    *ret_count = count;
    return count > 0 ? SCAN_ROWS : SCAN_END;
}

/* ------------------------------------------------------------------ lookups */

void lookup_free(IndexScan *scan)
{
    if (!scan)
        return;
    scan_deinit(scan);
    memory_free(scan);
}

/* The session keeps one scan for lookups, so that a lookup allocates nothing. */
static IndexScan *lookup_scan(Txn *txn, TxnTree *index)
{
    IndexScan *scan = txn->session->lookup;
    if (!scan) {
        scan = memory_calloc(1, sizeof(*scan));
        if (!scan)
            FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
        txn->session->lookup = scan;
    }
    scan_retarget(scan, txn, index);
    return scan;
}

/*
 * The usual case: nothing of its own in the index, and a leaf as the snapshot sees it. False where
 * it is another one, or where the look has failed: the whole way says what is wrong.
 */
static bool lookup_committed(Txn *txn, const Snapshot *snapshot, TxnTree *index, Str key,
                             FetchOutcome *ret_outcome, int64_t *ret_row_id)
{
    Tree *tree = atomic_load_explicit(&index->tree, memory_order_acquire);
    EntryPeek peek;

    if (!tree || writes_find(txn, index) ||
        atomic_load_explicit(&index->base_lsn, memory_order_relaxed) > snapshot->lsn)
        return false;
    const TreePeek there = tree_index_peek(tree, key, &peek);
    if (there == PEEK_FAILED)
        error_clear();
    if (there != PEEK_FOUND && there != PEEK_MISSING)
        return false;
    /* Behind a ghost there may be a live one. */
    if ((Lsn)(uintptr_t)peek.versions > snapshot_floor(snapshot) ||
        (there == PEEK_FOUND && peek.is_ghost))
        return false;
    *ret_outcome = there == PEEK_FOUND ? FETCH_ROW : FETCH_NONE;
    if (there == PEEK_FOUND)
        *ret_row_id = (int64_t)peek.row_id;
    return true;
}

FetchOutcome txn_index_lookup(Txn *txn, const Snapshot *snapshot, TxnTree *index, Str key,
                              int64_t *ret_row_id)
{
    FetchOutcome usual;
    Snapshot room;

    TRY(snapshot_check(txn));
    snapshot = snapshot_resolve(txn, snapshot, &room);
    if (likely(lookup_committed(txn, snapshot, index, key, &usual, ret_row_id)))
        return usual;
    IndexScan *scan = lookup_scan(txn, index);
    IndexEntry entry;
    FetchOutcome result = FETCH_NONE;

    TRY(scan);
    index_scan_reset(scan, snapshot, &(IndexScanSpec){.low = key, .direction = SCAN_FORWARD});
    scan->prefix = key;
    for (;;) {
        ScanOutcome outcome;
        if (!scan->is_started) {
            TRY(snapshot_check(txn));
            scan->at_once = 4;
            TRY(start(scan));
        }
        outcome = step(scan, &entry);
        TRY(outcome);
        if (outcome == SCAN_END)
            break;
        if (entry.key.length != key.length)
            continue;
        *ret_row_id = entry.row_id;
        result = FETCH_ROW;
        break;
    }
    return result;
}
