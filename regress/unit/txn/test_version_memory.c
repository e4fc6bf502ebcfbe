/* Where row versions lie: pieces, chunks, what goes back to the system, and what happens where it
 * has no more; the tables that find them; and the version store on top of both. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include <cmocka.h>

#include "../test_directory.h"
#include "base/memory.h"
#include "storage/tree.h"
#include "txn/version.h"
#include "txn/version_memory.h"
#include "txn/version_table.h"

#ifdef SENGI_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define HEAPS 4
#define PIECES 20000
#define RANGE_BYTES (VERSION_RANGE_CHUNKS * VERSION_CHUNK_SIZE)
#define TREE ((TreeName)7)

/* ------------------------------------------------------------------ the system, watched */

static bool no_more; /* the system refuses */
static size_t mapped, dropped, longest_drop, blocks_left;
static uint64_t space_left; /* in the file system */

void *__real_mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset);
void *__wrap_mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);
int __real_madvise(void *address, size_t size, int advice);
int __wrap_fstatvfs64(int fd, struct statvfs *status);
int __real_posix_fallocate64(int fd, off64_t offset, off64_t size);
int __wrap_posix_fallocate64(int fd, off64_t offset, off64_t size);
int __wrap_madvise(void *address, size_t size, int advice);

void *__wrap_mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
    if (no_more)
        return MAP_FAILED;
    void *memory = __real_mmap64(address, size, protection, flags, fd, offset);
    if (memory != MAP_FAILED && !(flags & MAP_FIXED))
        mapped += size;
    return memory;
}

int __wrap_fstatvfs64(int fd, struct statvfs *status)
{
    (void)fd;
    *status = (struct statvfs){.f_bavail = space_left / 4096, .f_frsize = 4096};
    return 0;
}

int __wrap_posix_fallocate64(int fd, off64_t offset, off64_t size)
{
    if ((size_t)size > blocks_left)
        return ENOSPC;
    blocks_left -= (size_t)size;
    return __real_posix_fallocate64(fd, offset, size);
}

int __wrap_munmap(void *address, size_t size)
{
    mapped -= size;
    return __real_munmap(address, size);
}

int __wrap_madvise(void *address, size_t size, int advice)
{
    if (advice == MADV_DONTNEED) {
        dropped += size;
        longest_drop = size > longest_drop ? size : longest_drop;
    }
    return __real_madvise(address, size, advice);
}

/* ------------------------------------------------------------------ pieces */

typedef struct Piece {
    unsigned char *memory;
    size_t size;
    uint32_t heap;
} Piece;

static VersionMemory memory;
static VersionHeap heaps[HEAPS];
static Piece pieces[PIECES];
static uint64_t random_state = 1;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % bound;
}

static void heaps_begin_in(const char *directory)
{
    mapped = dropped = longest_drop = 0;
    no_more = false;
    blocks_left = SIZE_MAX;
    space_left = UINT64_MAX;
    version_memory_init(&memory, str_from_c(directory));
    for (uint32_t i = 0; i < HEAPS; i++)
        version_heap_init(&heaps[i], &memory);
}

static void heaps_begin(void)
{
    heaps_begin_in("");
}

static void heaps_end(void)
{
    for (uint32_t i = 0; i < HEAPS; i++) {
        version_heap_check(&heaps[i]);
        version_heap_deinit(&heaps[i]);
    }
    assert_int_equal(version_memory_counts(&memory).used_chunks, 0);
    version_memory_deinit(&memory);
    assert_int_equal(version_memory_counts(&memory).ranges, 0);
    assert_int_equal(mapped, 0);
}

static void piece_take(Piece *piece, uint32_t heap, size_t size)
{
    *piece = (Piece){.size = size, .heap = heap};
    piece->memory = version_heap_take(&heaps[heap], size);
    assert_int_equal((uintptr_t)piece->memory % 8, 0);
    memset(piece->memory, (int)((size_t)(piece - pieces) % 251), size);
}

static void piece_give(Piece *piece)
{
    for (size_t i = 0; i < piece->size; i++)
        assert_int_equal(piece->memory[i], (size_t)(piece - pieces) % 251);
    version_heap_give(&heaps[piece->heap], piece->memory, piece->size);
    piece->memory = NULL;
}

static size_t any_size(void)
{
    switch (random_below(40)) {
    case 0:
        return 1 + random_below(3 * VERSION_PIECE_MOST);
    case 1:
        return VERSION_PIECE_MOST - random_below(2);
    default:
        return 1 + random_below(300);
    }
}

static void pieces_are_apart(void **state)
{
    (void)state;
    heaps_begin();
    for (uint32_t turn = 0; turn < 400000; turn++) {
        Piece *piece = &pieces[random_below(PIECES)];
        /* It fills up, then empties, and again. */
        const bool gives = random_below(10) < (turn / 50000 % 2 ? 8 : 3);
        if (piece->memory && gives)
            piece_give(piece);
        else if (!piece->memory && !gives)
            piece_take(piece, random_below(HEAPS), any_size());
        if (turn % 20000 == 0)
            for (uint32_t i = 0; i < HEAPS; i++)
                version_heap_check(&heaps[i]);
    }
    for (uint32_t i = 0; i < PIECES; i++)
        if (pieces[i].memory)
            piece_give(&pieces[i]);
    heaps_end();
}

static void pieces_are_aligned(void **state)
{
    (void)state;
    heaps_begin();
    for (size_t size = 1; size <= 2 * VERSION_PIECE_MOST; size += 13) {
        piece_take(&pieces[0], 0, size);
        assert_int_equal((uintptr_t)pieces[0].memory % VERSION_GRANULE,
                         size <= VERSION_PIECE_MOST ? 0 : 8);
        piece_give(&pieces[0]);
    }
    heaps_end();
}

#ifdef SENGI_ASAN
static void what_is_given_back_is_seen_when_used(void **state)
{
    (void)state;
    heaps_begin();
    piece_take(&pieces[0], 0, 100);
    piece_take(&pieces[1], 0, 100);
    unsigned char *given = pieces[0].memory, *held = pieces[1].memory;
    piece_give(&pieces[0]);
    assert_true(__asan_address_is_poisoned(given));
    assert_true(__asan_address_is_poisoned(given + 99));
    assert_false(__asan_address_is_poisoned(held + 99));
    assert_true(__asan_address_is_poisoned(held + 100));
    piece_give(&pieces[1]);
    heaps_end();
}
#endif

/* ------------------------------------------------------------------ chunks */

static void what_dies_in_order_goes_back(void **state)
{
    enum { SIZE = 4000 };
    (void)state;
    heaps_begin();
    for (uint32_t i = 0; i < PIECES; i++)
        piece_take(&pieces[i], i % HEAPS, SIZE);
    const VersionMemoryCounts full = version_memory_counts(&memory);
    assert_in_range(full.used_chunks, PIECES / 16, PIECES / 14);
    assert_in_range(mapped, PIECES * SIZE, PIECES * SIZE * 11 / 10 + RANGE_BYTES);
    for (uint32_t i = 0; i < PIECES; i++) {
        piece_give(&pieces[i]);
        if (i % 1000 == 0) /* nothing but what lives, the current ones and those that are kept */
            assert_in_range(version_memory_counts(&memory).used_chunks, 0,
                            (PIECES - i) / 14 + 2 * HEAPS);
    }
    const VersionMemoryCounts rest = version_memory_counts(&memory);
    assert_int_equal(rest.used_chunks, 0);
    assert_int_equal(rest.kept_chunks, VERSION_CHUNKS_KEPT);
    assert_in_range(rest.ranges, 1, VERSION_CHUNKS_KEPT);
    assert_int_equal(dropped, (full.used_chunks - VERSION_CHUNKS_KEPT) * VERSION_CHUNK_SIZE);
    assert_int_equal(longest_drop, VERSION_CHUNK_SIZE);
    /* What is kept is what is used next. */
    piece_take(&pieces[0], 0, SIZE);
    assert_int_equal(version_memory_counts(&memory).kept_chunks, VERSION_CHUNKS_KEPT - 1);
    piece_give(&pieces[0]);
    heaps_end();
}

static void few_at_a_time_stay_where_they_are(void **state)
{
    (void)state;
    heaps_begin();
    piece_take(&pieces[0], 0, 100);
    const unsigned char *first = pieces[0].memory;
    piece_give(&pieces[0]);
    for (uint32_t turn = 0; turn < 10000; turn++) {
        piece_take(&pieces[0], 0, 100);
        assert_ptr_equal(pieces[0].memory, first);
        piece_take(&pieces[1], 0, 100);
        piece_give(&pieces[0]);
        piece_give(&pieces[1]);
    }
    assert_int_equal(version_memory_counts(&memory).used_chunks, 1);
    assert_int_equal(dropped, 0);
    heaps_end();
}

static void an_empty_heap_keeps_little(void **state)
{
    enum { COUNT = VERSION_LINGER_BYTES / 100 };
    (void)state;
    heaps_begin();
    for (uint32_t i = 0; i < COUNT; i++)
        piece_take(&pieces[i], 0, 100);
    for (uint32_t i = 0; i < COUNT; i++)
        piece_give(&pieces[i]);
    assert_null(heaps[0].current);
    assert_int_equal(version_memory_counts(&memory).kept_chunks, 1);
    heaps_end();
}

static void gaps_are_filled(void **state)
{
    const uint32_t half = PIECES / 2;
    (void)state;
    heaps_begin();
    for (uint32_t i = 0; i < half; i++)
        piece_take(&pieces[i], 0, 150);
    const uint64_t before = version_memory_counts(&memory).used_chunks;
    /* Each tenth lives on: none of the chunks gets empty. */
    for (uint32_t i = 0; i < half; i++)
        if (i % 10 != 0)
            piece_give(&pieces[i]);
    assert_in_range(version_memory_counts(&memory).used_chunks, before, before);
    for (uint32_t i = 0; i < half; i++)
        piece_take(&pieces[half + i], 0, 150);
    assert_in_range(version_memory_counts(&memory).used_chunks, before, before + before / 5 + 1);
    version_heap_check(&heaps[0]);
    for (uint32_t i = 0; i < PIECES; i++)
        if (pieces[i].memory)
            piece_give(&pieces[i]);
    heaps_end();
}

/* Old readers: what they need is a little of each chunk, round by round. */
static void what_lives_long_is_moved_together(void **state)
{
    uint32_t kept = 0;
    (void)state;
    heaps_begin();
    for (uint32_t round = 0; round < 500; round++) {
        const uint32_t first = kept;
        for (uint32_t i = 0; i < 1000; i++)
            piece_take(&pieces[first + i], 0, 100 + random_below(100));
        for (uint32_t i = 20; i < 1000; i++)
            piece_give(&pieces[first + i]);
        kept += 20;
    }
    /* 10000 of about 160, and as much again. */
    assert_in_range(version_memory_counts(&memory).used_chunks, 1,
                    2 * kept * 176 / VERSION_CHUNK_SIZE + 8);
    for (uint32_t i = 0; i < kept; i++)
        piece_give(&pieces[i]);
    heaps_end();
}

static void without_chunks_it_is_the_heap_s(void **state)
{
    (void)state;
    heaps_begin();
    no_more = true;
    for (uint32_t i = 0; i < 1000; i++) {
        piece_take(&pieces[i], i % HEAPS, 1 + i);
        assert_int_equal((uintptr_t)pieces[i].memory % VERSION_GRANULE, 8);
    }
    no_more = false;
    for (uint32_t i = 1000; i < 2000; i++) {
        piece_take(&pieces[i], i % HEAPS, i);
        assert_int_equal((uintptr_t)pieces[i].memory % VERSION_GRANULE, 0);
    }
    /* And while some of it is there. */
    no_more = true;
    for (uint32_t i = 2000; i < PIECES; i++)
        piece_take(&pieces[i], i % HEAPS, 300);
    assert_int_equal((uintptr_t)pieces[PIECES - 1].memory % VERSION_GRANULE, 8);
    for (uint32_t i = 0; i < PIECES; i++)
        piece_give(&pieces[(i * 7919) % PIECES]);
    heaps_end();
}

/* ------------------------------------------------------------------ tables */

static VersionNode nodes[PIECES];
static bool is_in[PIECES];

static void node_turn(VersionTable *table, uint32_t i)
{
    VersionNode **link = version_table_find(table, nodes[i].hash);

    while (link && *link && *link != &nodes[i])
        link = &(*link)->next;
    assert_int_equal(link && *link, is_in[i]);
    if (is_in[i])
        version_table_remove(table, link);
    else
        version_table_add(table, &nodes[i]);
    is_in[i] = !is_in[i];
}

static void tables_find_what_they_have(void **state)
{
    VersionTable table = {0};

    (void)state;
    for (uint32_t i = 0; i < PIECES; i++) /* some in the same buckets for ever */
        nodes[i] = (VersionNode){.hash = i % 3 ? (uint64_t)random_below(UINT32_MAX) << 20 | i : 77};
    for (uint32_t i = 0; i < PIECES; i++)
        if (i % 3 || i < 100)
            node_turn(&table, i);
    version_table_check(&table);
    for (uint32_t turn = 0; turn < 200000; turn++) {
        const uint32_t i = random_below(PIECES);
        const bool removes = random_below(10) < (turn / 50000 % 2 ? 9 : 2);
        if (is_in[i] == removes && (i % 3 || i < 100))
            node_turn(&table, i);
        if (turn % 20000 == 0)
            version_table_check(&table);
    }
    for (uint32_t i = 0; i < PIECES; i++)
        if (is_in[i])
            node_turn(&table, i);
    version_table_check(&table);
    assert_int_equal(table.bucket_count, VERSION_TABLE_LEAST);
    version_table_deinit(&table);
}

/* ------------------------------------------------------------------ spilling */

#define SPILL_PIECE 4000u /* bytes: so all pieces are some 20 ranges */

static uint32_t files_in(const char *path)
{
    DIR *directory = opendir(path);
    uint32_t count = 0;

    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void pieces_take(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        piece_take(&pieces[i], i % HEAPS, SPILL_PIECE);
}

static void pieces_give(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        piece_give(&pieces[i]);
}

static void what_is_beyond_the_limit_is_spilled(void **state)
{
    char directory[TEST_PATH_SIZE];
    const uint32_t files = files_in("/proc/self/fd");

    (void)state;
    test_directory_make(directory, "spill");
    heaps_begin_in(directory);
    version_memory_set_limit(&memory, 3 * RANGE_BYTES - 1);
    pieces_take(0, PIECES);
    const VersionMemoryCounts full = version_memory_counts(&memory);
    assert_in_range(full.ranges, 15, 30);
    assert_int_equal(full.ranges - full.spilled, 2);
    assert_false(version_memory_is_full(&memory));
    assert_int_equal(files_in(directory), 0); /* it has no name */
    assert_int_equal(files_in("/proc/self/fd"), files + 1);
    /* Room of what goes is used again. */
    pieces_give(PIECES / 4, PIECES * 3 / 4);
    assert_in_range(version_memory_counts(&memory).spilled, full.spilled / 4, full.spilled * 3 / 4);
    pieces_take(PIECES / 4, PIECES * 3 / 4);
    assert_in_range(version_memory_counts(&memory).ranges, full.ranges - 1, full.ranges + 1);
    /* With more of it, memory is taken before there is another spilled one. */
    pieces_give(PIECES / 2, PIECES);
    version_memory_set_limit(&memory, UINT64_MAX);
    const uint32_t spilled = version_memory_counts(&memory).spilled;
    pieces_take(PIECES / 2, PIECES);
    assert_int_equal(version_memory_counts(&memory).spilled, spilled);
    pieces_give(0, PIECES);
    assert_int_equal(version_memory_counts(&memory).spilled, 0);
    assert_int_equal(files_in("/proc/self/fd"), files);
    heaps_end();
    assert_int_equal(test_directory_remove(directory), 0);
}

static void without_disk_it_is_memory_all_the_same(void **state)
{
    char directory[TEST_PATH_SIZE];
    const uint32_t files = files_in("/proc/self/fd");

    (void)state;
    test_directory_make(directory, "spill");
    heaps_begin_in(directory);
    version_memory_set_limit(&memory, RANGE_BYTES);
    blocks_left = 2 * RANGE_BYTES;
    pieces_take(0, PIECES);
    const VersionMemoryCounts counts = version_memory_counts(&memory);
    assert_int_equal(counts.spilled, 2);
    assert_in_range(counts.ranges, 15, 30);
    assert_true(version_memory_is_full(&memory));
    pieces_give(0, PIECES);
    assert_false(version_memory_is_full(&memory));
    assert_int_equal(files_in("/proc/self/fd"), files);
    /* Nor are the last blocks taken. */
    blocks_left = SIZE_MAX;
    space_left = ((uint64_t)1 << 30) + RANGE_BYTES / 2;
    pieces_take(0, PIECES);
    assert_int_equal(version_memory_counts(&memory).spilled, 0);
    assert_true(version_memory_is_full(&memory));
    pieces_give(0, PIECES);
    space_left = UINT64_MAX;
    /* Nor is there a directory. */
    assert_int_equal(test_directory_remove(directory), 0);
    pieces_take(0, PIECES);
    assert_int_equal(version_memory_counts(&memory).spilled, 0);
    assert_true(version_memory_is_full(&memory));
    pieces_give(0, PIECES);
    assert_int_equal(files_in("/proc/self/fd"), files);
    heaps_end();
}

/* ------------------------------------------------------------------ the version store */

/* As keys of indexes are: the row's id is the end of it. */
static Str entry_key(uint64_t number)
{
    static uint64_t room[2];

    room[0] = number % 1000;
    room[1] = number;
    return str_make((const char *)room, sizeof(room));
}

static void push_entry(VersionStore *store, uint64_t number, bool deletes, Lsn lsn)
{
    const TreeChange change = {
        .key = entry_key(number), .existed = true, .was_ghost = !deletes, .deletes = deletes};
    version_push_entry(store, TREE, &change, lsn);
}

static void a_large_commit_s_entries_go(void **state)
{
    enum { ENTRIES = 200000 };
    VersionStore *store = version_store_new(STR(""));
    const Snapshot old = {.lsn = 5}, between = {.lsn = 10}, late = {.lsn = 20};

    (void)state;
    mapped = dropped = 0;
    no_more = false;
    for (uint64_t i = 0; i < ENTRIES; i++) {
        push_entry(store, i, true, 10);
        if (i % 5 == 0)
            push_entry(store, i, false, 20);
    }
    const size_t full = mapped;
    assert_in_range(version_store_bytes(store), ENTRIES * 60, full);
    for (uint64_t i = 0; i < ENTRIES; i += 17) {
        const Str key = entry_key(i);
        assert_true(version_sees_entry(store, TREE, key, i % 5 == 0, &old));
        assert_false(version_sees_entry(store, TREE, key, i % 5 == 0, &between));
        assert_int_equal(version_sees_entry(store, TREE, key, i % 5 == 0, &late), i % 5 == 0);
    }
    for (int turn = 0; turn < 2; turn++) {
        for (uint64_t i = 0; i < ENTRIES; i++) {
            const VersionName name = {
                .tree = TREE, .id = version_entry_hash(TREE, entry_key(i)), .is_entry = true};
            version_reclaim(store, &name, turn == 0 ? 10 : 20);
        }
        assert_int_equal(version_store_bytes(store) > 0, turn == 0);
    }
    assert_true(dropped > full / 2);
    version_store_free(store);
    assert_int_equal(mapped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_apart),
        cmocka_unit_test(pieces_are_aligned),
#ifdef SENGI_ASAN
        cmocka_unit_test(what_is_given_back_is_seen_when_used),
#endif
        cmocka_unit_test(what_dies_in_order_goes_back),
        cmocka_unit_test(few_at_a_time_stay_where_they_are),
        cmocka_unit_test(an_empty_heap_keeps_little),
        cmocka_unit_test(gaps_are_filled),
        cmocka_unit_test(what_lives_long_is_moved_together),
        cmocka_unit_test(without_chunks_it_is_the_heap_s),
        cmocka_unit_test(what_is_beyond_the_limit_is_spilled),
        cmocka_unit_test(without_disk_it_is_memory_all_the_same),
        cmocka_unit_test(tables_find_what_they_have),
        cmocka_unit_test(a_large_commit_s_entries_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
