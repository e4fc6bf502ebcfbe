/*
 * Large values: chains of overflow pages, compressed where that helps.
 *
 * A chain is written from its end to its beginning, each page in an action of its own, before a
 * leaf refers to it; it is freed after the last reference is gone. Its pages never change and all
 * carry the chain's stamp, so that a reader who comes late (the chain was freed, its pages are
 * others' now) notices. A checkpoint between these actions has pages that nothing refers to: the
 * chain is loose meanwhile (page_loose_begin), and recovery finds them.
 */
#include <lz4.h>
#include <stdlib.h>

#include "base/error_record.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/os.h"
#include "storage/tree_internal.h"

typedef struct OverflowPage {
    NodeHeader header;
    PageId next; /* PAGE_ID_NONE: the last */
    uint64_t stamp;
    TreeId tree;
    uint32_t length;
    char bytes[];
} OverflowPage;

#define OVERFLOW_BYTES (PAGE_SIZE - sizeof(OverflowPage))
#define COMPRESS_MIN 256

/* Unlike any other chain's, before or after a restart. */
static uint64_t stamp_next(void)
{
    static _Atomic uint64_t seed, counter;
    uint64_t start = atomic_load_explicit(&seed, memory_order_relaxed);
    if (unlikely(start == 0)) {
        uint64_t fresh, none = 0;
        os->random(&fresh, sizeof(fresh));
        fresh |= 1;
        start = atomic_compare_exchange_strong(&seed, &none, fresh) ? fresh : none;
    }
    return hash_mix64(start + atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed));
}

static bool write_page(Tree *tree, uint64_t stamp, PageId next, Str bytes, PageId *ret_page)
{
    Action action;
    Page page;
    TRY(action_begin(tree->database, 1, &action));
    page_allocate(&action, tree->database, tree->life, &page);
    OverflowPage *overflow = (OverflowPage *)page.data;
    overflow->header.kind = NODE_OVERFLOW;
    overflow->next = next;
    overflow->stamp = stamp;
    overflow->tree = tree->id;
    overflow->length = (uint32_t)bytes.length;
    memcpy(overflow->bytes, bytes.data, bytes.length);
    *ret_page = page.id;
    page_unlatch(&page);
    action_end(&action);
    return true;
}

static bool write_chain(Tree *tree, Str bytes, LeafExternal *external)
{
    PageId next = PAGE_ID_NONE;
    size_t end = bytes.length;
    external->stamp = stamp_next();
    tree_loose_begin(tree);
    while (end > 0) {
        size_t start = (end - 1) / OVERFLOW_BYTES * OVERFLOW_BYTES;
        if (!write_page(tree, external->stamp, next, str_slice(bytes, start, end - start), &next)) {
            external->page = next;
            overflow_free(tree, external);
            return false;
        }
        end = start;
    }
    external->page = next;
    return true;
}

bool overflow_store(Tree *tree, Str value, LeafExternal *ret_external)
{
    Str stored = value;
    char *packed = NULL;

    assert(value.length > 0);
    atomic_store_explicit(&tree->has_overflow, true, memory_order_relaxed);
    if (value.length >= COMPRESS_MIN && value.length <= LZ4_MAX_INPUT_SIZE) {
        /* Worth it only where an eighth is saved: LZ4 gives up by itself when it is not. */
        int limit = (int)(value.length - value.length / 8);
        packed = memory_malloc((size_t)limit);
        int size = packed ? LZ4_compress_default(value.data, packed, (int)value.length, limit) : 0;
        if (size > 0)
            stored = str_make(packed, (size_t)size);
    }
    *ret_external = (LeafExternal){
        .length = (uint32_t)value.length,
        .stored_length = (uint32_t)stored.length,
        .compressed = stored.data != value.data,
    };
    bool done = write_chain(tree, stored, ret_external);
    memory_free(packed);
    return done;
}

/* Latches a page of the chain; fails where it is not one. */
static bool chain_page(Tree *tree, PageId id, uint64_t stamp, Page *ret_page)
{
    while (page_latch_shared(tree->database, id, ret_page) != PAGE_OK)
        TRY(page_load(tree->database, id));
    const OverflowPage *overflow = (const OverflowPage *)ret_page->data;
    if (overflow->header.kind == NODE_OVERFLOW && overflow->stamp == stamp &&
        overflow->length <= OVERFLOW_BYTES)
        return true;
    page_unlatch(ret_page);
    return tree_damaged(tree, id, "not the overflow page that a row refers to");
}

static bool read_chain(Tree *tree, const LeafExternal *external, char *ret_bytes)
{
    PageId id = external->page;
    size_t at = 0;
    while (id != PAGE_ID_NONE && at < external->stored_length) {
        Page page;
        TRY(chain_page(tree, id, external->stamp, &page));
        const OverflowPage *overflow = (const OverflowPage *)page.data;
        size_t length = MIN((size_t)overflow->length, external->stored_length - at);
        memcpy(ret_bytes + at, overflow->bytes, length);
        at += length;
        id = length > 0 ? overflow->next : PAGE_ID_NONE;
        if (id != PAGE_ID_NONE)
            page_prefetch(tree->database, id);
        page_unlatch(&page);
    }
    if (at != external->stored_length || id != PAGE_ID_NONE)
        return tree_damaged(tree, external->page, "an overflow chain has the wrong length");
    return true;
}

bool overflow_read(Tree *tree, const LeafExternal *external, char *ret_bytes)
{
    if (external->length > ROW_MAX_SIZE || external->stored_length > external->length)
        return tree_damaged(tree, external->page, "an overflow reference is wrong");
    if (!external->compressed)
        return external->stored_length == external->length
                   ? read_chain(tree, external, ret_bytes)
                   : tree_damaged(tree, external->page, "an overflow reference is wrong");
    char *packed = memory_malloc(MAX(external->stored_length, 1u));
    if (!packed)
        FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
    bool done = read_chain(tree, external, packed);
    if (done && LZ4_decompress_safe(packed, ret_bytes, (int)external->stored_length,
                                    (int)external->length) != (int)external->length)
        done = tree_damaged(tree, external->page, "a compressed value cannot be unpacked");
    memory_free(packed);
    return done;
}

void overflow_free(Tree *tree, const LeafExternal *external)
{
    ErrorRecord *record = error_put_aside(); /* the caller may be failing already */
    PageId id = external->page;
    bool done = true;
    while (id != PAGE_ID_NONE) {
        Action action;
        Page page;
        done = action_begin_giving(tree->database, 1, &action);
        if (!done)
            break;
        if (page_latch_exclusive(tree->database, id, &page) != PAGE_OK) {
            action_end(&action);
            done = page_load(tree->database, id);
            if (done)
                continue;
            break;
        }
        const OverflowPage *overflow = (const OverflowPage *)page.data;
        bool ours = overflow->header.kind == NODE_OVERFLOW && overflow->stamp == external->stamp;
        PageId next = ours ? overflow->next : PAGE_ID_NONE;
        if (ours)
            page_free(&action, &page);
        else
            page_unlatch(&page);
        action_end(&action);
        id = next;
    }
    error_put_back(record);
    if (done)
        tree_loose_end(tree);
}

bool overflow_check(Tree *tree, const LeafExternal *external,
                    bool (*on_page)(void *context, uint32_t page_id), void *context,
                    uint64_t *pages)
{
    PageId id = external->page;
    uint64_t at = 0;
    while (id != PAGE_ID_NONE && at < external->stored_length) {
        Page page;
        TRY(chain_page(tree, id, external->stamp, &page));
        const OverflowPage *overflow = (const OverflowPage *)page.data;
        PageId this = id;
        at += overflow->length;
        id = overflow->length > 0 ? overflow->next : PAGE_ID_NONE;
        page_unlatch(&page);
        ++*pages;
        if (on_page)
            TRY(on_page(context, this));
    }
    if (at != external->stored_length || id != PAGE_ID_NONE)
        return tree_damaged(tree, external->page, "an overflow chain has the wrong length");
    return true;
}
