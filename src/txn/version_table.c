#include "txn/version_table.h"

#include <string.h>

#include "base/memory.h"

#define MERGES 8 /* buckets that go with a node, where there are many for few */
#define SPARSE 4 /* buckets for each node, from where on they go */
/* Bytes of parts that get pages of their own, which are the system's again when they go. */
#define MAPPED_LEAST ((size_t)64 * 1024)
#define BUCKETS_MOST (VERSION_TABLE_LEAST << (VERSION_TABLE_PARTS - 1))

/* The highest bit of `index`, from which on it lies in its part. */
static uint32_t part_start(uint32_t index)
{
    return 1u << (31 - (uint32_t)__builtin_clz(index));
}

static uint32_t part_index(uint32_t start)
{
    return (uint32_t)__builtin_ctz(start) - VERSION_TABLE_LEAST_BITS + 1;
}

/* Of as many buckets as there are in all parts before it, which get their values one by one. */
static void part_add(VersionTable *table, uint32_t start)
{
    const uint32_t part = part_index(start);
    const size_t size = sizeof(VersionNode *) * start;
    VersionNode **buckets =
        size >= MAPPED_LEAST ? memory_map(size, 0, "row version buckets") : NULL;

    table->mapped |= buckets ? 1u << part : 0;
    table->parts[part] = buckets ? buckets : memory_must(size);
}

static void part_free(VersionTable *table, uint32_t part)
{
    if (table->mapped & 1u << part)
        memory_unmap(table->parts[part], sizeof(VersionNode *)
                                             << (part - 1 + VERSION_TABLE_LEAST_BITS));
    else
        memory_free(table->parts[part]);
    table->parts[part] = NULL;
    table->mapped &= ~(1u << part);
}

static void table_begin(VersionTable *table)
{
    table->parts[0] = memory_must_calloc(VERSION_TABLE_LEAST, sizeof(VersionNode *));
    table->bucket_count = VERSION_TABLE_LEAST;
    table->mask = VERSION_TABLE_LEAST - 1;
}

/* One bucket more: it gets what is its own from the one that had it. */
static void bucket_split(VersionTable *table)
{
    const uint32_t index = table->bucket_count, start = part_start(index);

    if (index == start) {
        part_add(table, start);
        table->mask = 2 * start - 1;
    }
    VersionNode **from = version_table_bucket(table, index - start);
    VersionNode **to = version_table_bucket(table, index);
    while (*from) {
        VersionNode *node = *from;
        if (((uint32_t)node->hash & table->mask) != index) {
            from = &node->next;
            continue;
        }
        *from = node->next;
        *to = node;
        to = &node->next;
    }
    *to = NULL;
    table->bucket_count++;
}

/* The last bucket's nodes go to the one from which it was split. */
static void bucket_merge(VersionTable *table)
{
    const uint32_t index = table->bucket_count - 1, start = part_start(index);
    VersionNode **from = version_table_bucket(table, index);
    VersionNode **to = version_table_bucket(table, index - start);

    while (*to)
        to = &(*to)->next;
    *to = *from;
    table->bucket_count--;
    if (index > start)
        return;
    part_free(table, part_index(start));
    table->mask = start - 1;
}

void version_table_deinit(VersionTable *table)
{
    for (uint32_t i = 0; i < VERSION_TABLE_PARTS; i++)
        part_free(table, i);
    *table = (VersionTable){0};
}

void version_table_add(VersionTable *table, VersionNode *node)
{
    if (table->bucket_count == 0)
        table_begin(table);
    else if (table->node_count >= table->bucket_count && table->bucket_count < BUCKETS_MOST)
        bucket_split(table);
    VersionNode **link = version_table_find(table, node->hash);
    node->next = *link;
    *link = node;
    table->node_count++;
}

void version_table_remove(VersionTable *table, VersionNode **link)
{
    *link = (*link)->next;
    table->node_count--;
    for (int i = 0; i < MERGES && table->bucket_count > VERSION_TABLE_LEAST &&
                    table->bucket_count / SPARSE > table->node_count;
         i++)
        bucket_merge(table);
}

void version_table_check(const VersionTable *table)
{
    uint32_t count = 0;

    assert(table->node_count <= table->bucket_count || table->bucket_count == BUCKETS_MOST);
    assert(table->bucket_count <= VERSION_TABLE_LEAST ||
           table->bucket_count / SPARSE <= table->node_count);
    assert(table->bucket_count == 0 || table->bucket_count <= table->mask + 1);
    assert(table->bucket_count == 0 || table->mask < 2 * table->bucket_count);
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        for (VersionNode *node = *version_table_bucket(table, i); node; node = node->next) {
            assert(*version_table_find(table, node->hash) == *version_table_bucket(table, i));
            count++;
        }
    }
    assert(table->node_count == count);
}
