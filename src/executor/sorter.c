#include "executor/sorter_internal.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/pace.h"
#include "base/task.h"

#define SMALL 24      /* entries that are sorted by insertion */
#define MAX_LEVELS 48 /* of recursion: each at most halves what is sorted */
#define BUCKETS 256
#define KEPT_AT_LEAST 1024   /* records that come between two cuts of a bounded sort */
#define DEPTH_END UINT32_MAX /* prefixes are sizes of keys that are equal otherwise */
#define FIRST_KEY_MAX 4096
#define PREFETCH_AHEAD 12
#define PIECE 8192 /* entries between two looks for interrupts */
#define FIRST_CHUNK ((size_t)8192)
#define LARGEST_CHUNK ((size_t)1024 * 1024)

void sorter_init(Sorter *sorter, SpillSet *spills, size_t limit)
{
    *sorter = (Sorter){.spills = spills, .limit = limit, .keep = UINT64_MAX};
}

static size_t chunk_size(const SortChunk *chunk)
{
    return sizeof(SortChunk) + chunk->capacity + SORT_SLACK;
}

static void chunks_free(Sorter *sorter)
{
    size_t kept = 0;

    for (SortChunk *chunk = sorter->first, *next; chunk; chunk = next) {
        next = chunk->next;
        kept += chunk_size(chunk);
        if (kept > PACE_KEPT)
            pace_free(chunk, chunk_size(chunk));
        else
            memory_free(chunk);
        pace_turn();
    }
    sorter->first = sorter->last = NULL;
    sorter->used = 0;
}

void sorter_chunks_empty(Sorter *sorter)
{
    for (SortChunk *chunk = sorter->first; chunk; chunk = chunk->next)
        chunk->used = 0;
    sorter->last = sorter->first;
    sorter->used = 0;
    sorter->count = 0;
}

static void entries_free(Sorter *sorter)
{
    const size_t size = sorter->entry_capacity * sizeof(SortEntry);

    pace_free(sorter->entries, size);
    pace_free(sorter->spare, size);
    sorter->entries = sorter->spare = NULL;
    sorter->entry_capacity = 0;
}

static void sorter_memory_free(Sorter *sorter)
{
    chunks_free(sorter);
    entries_free(sorter);
    memory_free(sorter->buckets);
    sorter->buckets = NULL;
}

void sorter_clear(Sorter *sorter)
{
    sorter_runs_free(sorter);
    sorter_memory_free(sorter);
    strbuf_deinit(&sorter->first_key);
    strbuf_deinit(&sorter->cutoff);
    Sorter fresh = {.spills = sorter->spills, .limit = sorter->limit, .keep = sorter->keep};
    *sorter = fresh;
}

void sorter_deinit(Sorter *sorter)
{
    sorter_clear(sorter);
}

void sorter_keep_first(Sorter *sorter, uint64_t count)
{
    assert(sorter->count == 0);
    sorter->keep = count;
}

/* ---- entries ---- */

static bool out_of_memory(void)
{
    FAIL(ERR_OUT_OF_MEMORY, .message = STR("out of memory"));
}

static bool entries_reserve(Sorter *sorter)
{
    if (sorter->spare && sorter->entry_capacity >= sorter->count)
        return true;
    entries_free(sorter);
    sorter->entries = memory_malloc(sorter->count * sizeof(SortEntry));
    sorter->spare = memory_malloc(sorter->count * sizeof(SortEntry));
    sorter->entry_capacity = sorter->entries && sorter->spare ? sorter->count : 0;
    return sorter->entry_capacity || out_of_memory();
}

/* Looks for the bytes that all keys in memory, and those of the runs, begin with. */
static bool find_common(Sorter *sorter)
{
    uint64_t i = 0;

    if (!sorter->has_first_key) {
        const Str key = str_slice(record_at(sorter->first->data).key, 0, FIRST_KEY_MAX);
        strbuf_append(&sorter->first_key, key);
        sorter->common = (uint32_t)key.length;
        sorter->has_first_key = true;
    }
    const char *first = strbuf_view(&sorter->first_key).data;
    uint32_t common = sorter->common;

    for (const SortChunk *chunk = sorter->first; chunk && common > 0; chunk = chunk->next)
        for (size_t at = 0; at < chunk->used && common > 0; i++) {
            CHECK_INTERRUPTS_EACH(i);
            const SortRecord r = record_at(chunk->data + at);
            common = (uint32_t)str_common_length(str_make(first, common), r.key);
            at = (size_t)(r.payload + r.payload_size - chunk->data);
        }
    sorter->common = common;
    return true;
}

static bool make_entries(Sorter *sorter)
{
    const uint32_t depth = sorter->common;
    uint64_t i = 0;

    for (const SortChunk *chunk = sorter->first; chunk; chunk = chunk->next)
        for (size_t at = 0; at < chunk->used; i++) {
            CHECK_INTERRUPTS_EACH(i);
            const SortRecord r = record_at(chunk->data + at);
            sorter->entries[i].prefix = key_word(r.key.data, (uint32_t)r.key.length, depth);
            sorter->entries[i].record = chunk->data + at;
            at = (size_t)(r.payload + r.payload_size - chunk->data);
        }
    assert(i == sorter->count);
    return true;
}

/* Keys whose 8 bytes from depth on are equal. */
static int tails_compare(const SortEntry *a, const SortEntry *b, uint32_t depth)
{
    if (depth == DEPTH_END)
        return 0;
    const Str x = record_at(a->record).key, y = record_at(b->record).key;
    const size_t from = (size_t)depth + 8, shorter = MIN(x.length, y.length);
    const int order = shorter > from ? memcmp(x.data + from, y.data + from, shorter - from) : 0;
    return order ? order : (x.length > y.length) - (x.length < y.length);
}

static inline bool entry_is_before(const SortEntry *a, const SortEntry *b, uint32_t depth)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    return tails_compare(a, b, depth) < 0;
}

static void insertion_sort(SortEntry *entries, uint64_t count, uint32_t depth)
{
    for (uint64_t i = 1; i < count; i++) {
        const SortEntry entry = entries[i];
        uint64_t at = i;
        for (; at > 0 && entry_is_before(&entry, &entries[at - 1], depth); at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* Entries with equal prefixes get the next 8 bytes, or the sizes where no key has more. */
static bool prefixes_deepen(SortEntry *entries, uint64_t count, uint32_t *depth)
{
    const uint32_t next = *depth + 8;
    bool any_longer = false;

    for (uint64_t i = 0; i < count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        const Str key = record_at(entries[i].record).key;
        any_longer |= key.length > next;
        entries[i].prefix = key_word(key.data, (uint32_t)key.length, next);
    }
    for (uint64_t i = 0; !any_longer && i < count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        entries[i].prefix = record_at(entries[i].record).key.length;
    }
    *depth = any_longer ? next : DEPTH_END;
    return true;
}

static bool prefixes_difference(const SortEntry *entries, uint64_t count, uint64_t *ret)
{
    const uint64_t first = entries[0].prefix;
    uint64_t difference = 0;

    for (uint64_t from = 0; from < count; from += PIECE) {
        const uint64_t end = MIN(count, from + PIECE);
        CHECK_INTERRUPTS();
        for (uint64_t i = from; i < end; i++)
            difference |= entries[i].prefix ^ first;
    }
    *ret = difference;
    return true;
}

/* Small sets take few buckets, so that clearing them doesn't cost more than the sort. */
static uint32_t digit_bits(uint64_t count)
{
    const uint32_t bits = 63 - (uint32_t)__builtin_clzll(count);
    return MIN(bits, 8u);
}

/* Spreads entries over buckets by the first bits in which they differ; ends[b]: of bucket b. */
static bool scatter(SortEntry *entries, SortEntry *spare, uint64_t count, uint64_t difference,
                    uint32_t bits, uint64_t *ends)
{
    const uint32_t top = 64 - (uint32_t)__builtin_clzll(difference);
    const uint32_t shift = top > bits ? top - bits : 0, size = 1u << bits;
    const uint64_t mask = size - 1;
    uint64_t sum = 0;

    memset(ends, 0, size * sizeof(uint64_t));
    for (uint64_t from = 0; from < count; from += PIECE) {
        const uint64_t end = MIN(count, from + PIECE);
        CHECK_INTERRUPTS();
        for (uint64_t i = from; i < end; i++)
            ends[entries[i].prefix >> shift & mask]++;
    }
    for (uint32_t b = 0; b < size; b++) {
        const uint64_t here = ends[b];
        ends[b] = sum;
        sum += here;
    }
    for (uint64_t from = 0; from < count; from += PIECE) {
        const uint64_t end = MIN(count, from + PIECE);
        CHECK_INTERRUPTS();
        for (uint64_t i = from; i < end; i++)
            spare[ends[entries[i].prefix >> shift & mask]++] = entries[i];
    }
    return pace_copy(entries, spare, count * sizeof(SortEntry));
}

static uint32_t largest_bucket(const uint64_t *ends, uint32_t count)
{
    uint32_t largest = 0;
    for (uint32_t b = 1; b < count; b++)
        if (ends[b] - ends[b - 1] > (largest ? ends[largest] - ends[largest - 1] : ends[0]))
            largest = b;
    return largest;
}

/*
 * Stable. The largest bucket is gone on with here, the others by recursion: each of those has at
 * most half of the entries, which bounds the levels.
 */
static bool radix_sort(Sorter *sorter, SortEntry *entries, SortEntry *spare, uint64_t count,
                       uint32_t depth, uint32_t level)
{
    CHECK_INTERRUPTS();
    while (count > SMALL) {
        uint64_t difference;
        TRY(prefixes_difference(entries, count, &difference));
        if (difference == 0) {
            if (depth == DEPTH_END)
                return true;
            TRY(prefixes_deepen(entries, count, &depth));
            continue;
        }
        assert(level < MAX_LEVELS);
        uint64_t *ends = sorter->buckets + (size_t)level * BUCKETS;
        const uint32_t bits = digit_bits(count);
        TRY(scatter(entries, spare, count, difference, bits, ends));
        const uint32_t largest = largest_bucket(ends, 1u << bits);
        uint64_t from = 0;
        for (uint32_t b = 0; b < 1u << bits; b++) {
            if (b != largest && ends[b] - from > 1)
                TRY(radix_sort(sorter, entries + from, spare + from, ends[b] - from, depth,
                               level + 1));
            from = ends[b];
        }
        from = largest ? ends[largest - 1] : 0;
        count = ends[largest] - from;
        entries += from;
        spare += from;
    }
    insertion_sort(entries, count, depth);
    return true;
}

static bool look_if_sorted(const Sorter *sorter, bool *ret_sorted)
{
    *ret_sorted = true;
    for (uint64_t i = 1; *ret_sorted && i < sorter->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        *ret_sorted =
            !entry_is_before(&sorter->entries[i], &sorter->entries[i - 1], sorter->common);
    }
    return true;
}

bool sorter_sort(Sorter *sorter)
{
    TRY(entries_reserve(sorter));
    TRY(find_common(sorter));
    TRY(make_entries(sorter));
    bool is_sorted;
    TRY(look_if_sorted(sorter, &is_sorted));
    if (is_sorted)
        return true;
    if (sorter->count > SMALL && !sorter->buckets) {
        sorter->buckets = memory_malloc((size_t)MAX_LEVELS * BUCKETS * sizeof(uint64_t));
        if (!sorter->buckets)
            return out_of_memory();
    }
    return radix_sort(sorter, sorter->entries, sorter->spare, sorter->count, sorter->common, 0);
}

/* ---- adding ---- */

static size_t memory_used(const Sorter *sorter)
{
    return sorter->used + sorter->count * 2 * sizeof(SortEntry);
}

static SortChunk *chunk_new(size_t capacity)
{
    SortChunk *chunk = memory_malloc(sizeof(SortChunk) + capacity + SORT_SLACK);

    if (!chunk) {
        (void)out_of_memory();
        return NULL;
    }
    chunk->next = NULL;
    chunk->used = 0;
    chunk->capacity = capacity;
    return chunk;
}

/* The last chunk has room for so much. */
static bool chunk_reserve(Sorter *sorter, size_t size)
{
    SortChunk *last = sorter->last;

    if (last && last->capacity - last->used >= size)
        return true;
    if (last && last->next && last->next->capacity >= size) {
        sorter->last = last->next;
        return true;
    }
    const size_t usual = last ? MIN(last->capacity * 2, LARGEST_CHUNK) : FIRST_CHUNK;
    SortChunk *chunk = chunk_new(MAX(size, usual));
    TRY(chunk);
    chunk->next = last ? last->next : NULL;
    *(last ? &last->next : &sorter->first) = chunk;
    sorter->last = chunk;
    return true;
}

static bool kept_size(const Sorter *sorter, size_t *ret_size)
{
    *ret_size = 0;
    for (uint64_t i = 0; i < sorter->keep; i++) {
        CHECK_INTERRUPTS_EACH(i);
        *ret_size += record_size(sorter->entries[i].record);
    }
    return true;
}

static bool kept_copy(const Sorter *sorter, SortChunk *to)
{
    for (uint64_t i = 0; i < sorter->keep; i++) {
        CHECK_INTERRUPTS_EACH(i);
        const char *record = sorter->entries[i].record;
        const size_t length = record_size(record);
        memcpy(to->data + to->used, record, length);
        to->used += length;
    }
    return true;
}

/* Drops what is behind the first `keep` records. */
static bool cut(Sorter *sorter)
{
    size_t size;
    TRY(sorter_sort(sorter));
    TRY(kept_size(sorter, &size));
    SortChunk *kept = chunk_new(size);
    TRY(kept);
    if (!kept_copy(sorter, kept)) {
        pace_free(kept, chunk_size(kept));
        return false;
    }
    strbuf_truncate(&sorter->cutoff, 0);
    strbuf_append(&sorter->cutoff, record_at(sorter->entries[sorter->keep - 1].record).key);
    sorter->has_cutoff = true;
    chunks_free(sorter);
    sorter->first = sorter->last = kept;
    sorter->used = size;
    sorter->count = sorter->keep;
    return true;
}

static bool make_room(Sorter *sorter)
{
    if (sorter->keep > 0 && sorter->keep < UINT64_MAX / 2 &&
        sorter->count >= sorter->keep + MAX(sorter->keep, (uint64_t)KEPT_AT_LEAST))
        TRY(cut(sorter));
    if (sorter->count >= 16 && memory_used(sorter) > sorter->limit)
        TRY(sorter_write_run(sorter));
    return true;
}

uint32_t sorter_reserve(Sorter *sorter, const uint32_t *key_sizes, const uint32_t *payload_sizes,
                        uint32_t wanted, char **at)
{
    size_t size = sizeof(RecordHeader) + key_sizes[0] + payload_sizes[0];
    uint32_t count = 0;

    TRY(make_room(sorter));
    TRY(chunk_reserve(sorter, size));
    SortChunk *chunk = sorter->last;
    const size_t used = memory_used(sorter), before = chunk->used;
    const size_t room = MAX(sorter->limit > used ? sorter->limit - used : 0, (size_t)16384);
    const size_t end = before + MIN(MAX(room, size), chunk->capacity - before);
    while (chunk->used + size <= end) {
        const RecordHeader header = {key_sizes[count], payload_sizes[count]};
        char *to = chunk->data + chunk->used;
        memcpy(to, &header, sizeof(header));
        at[count] = to + sizeof(header);
        chunk->used += size;
        if (++count == wanted)
            break;
        size = sizeof(RecordHeader) + key_sizes[count] + payload_sizes[count];
    }
    sorter->used += chunk->used - before;
    sorter->count += count;
    sorter->peak_bytes = MAX(sorter->peak_bytes, sorter->used);
    return count;
}

/* ---- reading ---- */

bool sorter_finish(Sorter *sorter)
{
    sorter->at = 0;
    sorter->has_current = false;
    if (sorter->run_count == 0) {
        TRY(sorter->count == 0 || sorter_sort(sorter));
        pace_free(sorter->spare, sorter->entry_capacity * sizeof(SortEntry));
        sorter->spare = NULL;
        return true;
    }
    if (sorter->count > 0)
        TRY(sorter_write_run(sorter));
    sorter_memory_free(sorter);
    return sorter_merge_begin(sorter);
}

bool sorter_next(Sorter *sorter, SortRecord *ret)
{
    if (sorter->run_count > 0)
        return sorter_merge_next(sorter, ret);
    *ret = (SortRecord){.key = {0}};
    if (sorter->at == sorter->count)
        return true;
    if (sorter->at + PREFETCH_AHEAD < sorter->count)
        __builtin_prefetch(sorter->entries[sorter->at + PREFETCH_AHEAD].record);
    *ret = record_at(sorter->entries[sorter->at++].record);
    return true;
}

bool sorter_restart(Sorter *sorter)
{
    if (sorter->run_count > 0)
        return false;
    sorter->at = 0;
    return true;
}
