#include "base/memory_reserve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_ORDER 24 /* the first region: 16 MiB */
#define LEAST_ORDER 6
#define ORDERS 48
#define REGIONS 64
#define HEADER_SIZE 16
/* Of the first region: who holds interrupts may use it without having asked for more than this. */
#define KEPT_FOR_PROMISES ((size_t)4 << 20)

/* In front of each block; of a free one the links lie in the block itself. */
typedef struct Block {
    uint32_t order;
    bool is_free;
    ALIGNED(HEADER_SIZE) struct Block *next;
    struct Block **link;
} Block;

typedef struct Region {
    char *start;
    uint32_t order;
    size_t used;
    Block *free[ORDERS];
} Region;

/* The process's own: there is one heap. */
static ALIGNED(4096) char first_memory[(size_t)1 << FIRST_ORDER];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Region regions[REGIONS]; /* guarded by the mutex; those without memory have start NULL */
static _Atomic size_t live;     /* blocks in use: M1 of memory.h asks for it at each free */
static _Atomic size_t promised;
static _Atomic size_t first_used;

static size_t order_size(uint32_t order)
{
    return (size_t)1 << order;
}

/* Of the smallest block with room for `size`. */
static uint32_t order_for(size_t size)
{
    uint32_t order = LEAST_ORDER;

    while (order_size(order) < size + HEADER_SIZE)
        order++;
    return order;
}

/* ------------------------------------------------------------------ a region */

static void block_link(Region *region, Block *block, uint32_t order)
{
    Block **list = &region->free[order];

    block->order = order;
    block->is_free = true;
    block->next = *list;
    block->link = list;
    if (block->next)
        block->next->link = &block->next;
    *list = block;
}

static void block_unlink(Block *block)
{
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    block->is_free = false;
}

static void region_init(Region *region, char *memory, uint32_t order)
{
    *region = (Region){.start = memory, .order = order};
    block_link(region, (Block *)memory, order);
}

static Block *region_take(Region *region, uint32_t order)
{
    uint32_t found = order;

    while (found <= region->order && !region->free[found])
        found++;
    if (found > region->order)
        return NULL;
    Block *block = region->free[found];
    block_unlink(block);
    while (found > order) {
        found--;
        block_link(region, (Block *)((char *)block + order_size(found)), found);
    }
    block->order = order;
    region->used += order_size(order);
    return block;
}

static void region_give(Region *region, Block *block)
{
    uint32_t order = block->order;
    size_t offset = (size_t)((char *)block - region->start);

    region->used -= order_size(order);
    for (; order < region->order; order++) {
        /* Where the other half begins, a block begins: it whole, or the first of its parts. */
        Block *other = (Block *)(region->start + (offset ^ order_size(order)));
        if (!other->is_free || other->order != order)
            break;
        block_unlink(other);
        offset &= ~order_size(order);
    }
    block_link(region, (Block *)(region->start + offset), order);
}

static Region *region_of(const void *memory)
{
    for (uint32_t i = 0; i < REGIONS; i++) {
        Region *region = &regions[i];
        if (region->start && (const char *)memory >= region->start &&
            (const char *)memory < region->start + order_size(region->order))
            return region;
    }
    return NULL;
}

/* ------------------------------------------------------------------ the whole */

static void first_region_ready(void)
{
    if (!regions[0].start)
        region_init(&regions[0], first_memory, FIRST_ORDER);
}

static size_t unused_bytes(void)
{
    size_t unused = 0;

    first_region_ready();
    for (uint32_t i = 0; i < REGIONS; i++)
        if (regions[i].start)
            unused += order_size(regions[i].order) - regions[i].used;
    return unused;
}

/* What promises need of regions beside the first one. */
static size_t promised_beyond(void)
{
    const size_t all = atomic_load(&promised);

    return all > KEPT_FOR_PROMISES ? all - KEPT_FOR_PROMISES : 0;
}

/* Regions that no promise needs and nobody uses go back to the system. */
static void regions_give_back(void)
{
    for (uint32_t i = 1; i < REGIONS; i++) {
        Region *region = &regions[i];
        if (!region->start || region->used > 0)
            continue;
        size_t others = 0;
        for (uint32_t j = 1; j < REGIONS; j++)
            if (j != i && regions[j].start)
                others += order_size(regions[j].order) - regions[j].used;
        if (others < promised_beyond())
            continue;
        munmap(region->start, order_size(region->order));
        region->start = NULL;
    }
}

static Block *take_locked(uint32_t order, ReserveUse use)
{
    Block *block = NULL;

    first_region_ready();
    if (use == RESERVE_PROMISED)
        for (uint32_t i = REGIONS - 1; i > 0 && !block; i--)
            block = regions[i].start ? region_take(&regions[i], order) : NULL;
    if (block || (use == RESERVE_ANYBODY && regions[0].used + order_size(order) >
                                                order_size(FIRST_ORDER) - KEPT_FOR_PROMISES))
        return block;
    return region_take(&regions[0], order);
}

void *reserve_take(size_t size, ReserveUse use)
{
    if (size > order_size(ORDERS - 2))
        return NULL;
    pthread_mutex_lock(&mutex);
    Block *block = take_locked(order_for(size), use);
    if (block)
        atomic_fetch_add(&live, 1);
    atomic_store_explicit(&first_used, regions[0].used, memory_order_relaxed);
    pthread_mutex_unlock(&mutex);
    return block ? (char *)block + HEADER_SIZE : NULL;
}

bool reserve_give(void *memory)
{
    if (likely(atomic_load_explicit(&live, memory_order_relaxed) == 0))
        return false;
    pthread_mutex_lock(&mutex);
    Region *region = region_of(memory);
    if (region) {
        region_give(region, (Block *)((char *)memory - HEADER_SIZE));
        atomic_fetch_sub(&live, 1);
        atomic_store_explicit(&first_used, regions[0].used, memory_order_relaxed);
        regions_give_back();
    }
    pthread_mutex_unlock(&mutex);
    return region != NULL;
}

size_t reserve_size(const void *memory)
{
    size_t size = 0;

    if (likely(atomic_load_explicit(&live, memory_order_relaxed) == 0))
        return 0;
    pthread_mutex_lock(&mutex);
    if (region_of(memory))
        size =
            order_size(((const Block *)((const char *)memory - HEADER_SIZE))->order) - HEADER_SIZE;
    pthread_mutex_unlock(&mutex);
    return size;
}

/* ------------------------------------------------------------------ promises */

static bool region_add(size_t size)
{
    const uint32_t order = order_for(size);
    uint32_t free_place = 1;

    while (free_place < REGIONS && regions[free_place].start)
        free_place++;
    if (free_place == REGIONS || order >= ORDERS)
        return false;
    /* Much is promised and little used: only a limit of address space, or a system that promises no
     * more than it has, is to refuse it. */
    char *memory = mmap(NULL, order_size(order), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    region_init(&regions[free_place], memory, order);
    return true;
}

bool reserve_promise(size_t size)
{
    if (likely(atomic_fetch_add(&promised, size) + size <= KEPT_FOR_PROMISES))
        return true;
    pthread_mutex_lock(&mutex);
    first_region_ready();
    const size_t beside = unused_bytes() - (order_size(FIRST_ORDER) - regions[0].used);
    const bool is_kept = beside >= promised_beyond() || region_add(MAX(size, promised_beyond()));
    if (!is_kept)
        atomic_fetch_sub(&promised, size);
    pthread_mutex_unlock(&mutex);
    return is_kept;
}

size_t reserve_promised(void)
{
    return atomic_load(&promised);
}

void reserve_promise_end(size_t size)
{
    /* As long as there is more than the first region, its last user looks whether it may go. */
    if (likely(atomic_fetch_sub(&promised, size) <= KEPT_FOR_PROMISES))
        return;
    pthread_mutex_lock(&mutex);
    regions_give_back();
    pthread_mutex_unlock(&mutex);
}

size_t reserve_used(void)
{
    return atomic_load_explicit(&first_used, memory_order_relaxed);
}

size_t reserve_capacity(void)
{
    return order_size(FIRST_ORDER);
}
