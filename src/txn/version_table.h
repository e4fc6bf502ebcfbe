/*
 * Version table: a partition's segments, or its index entries, by hash.
 *
 * Chained buckets that grow and shrink one at a time (Litwin's linear hashing), so that no turn is
 * long however many there are, and what a large commit needed goes when its versions go. Buckets
 * lie in parts, each as large as all before it, which stay where they are.
 *
 *   VersionNode **link = version_table_find(&table, hash);   the first of the bucket, or where its
 *   while (*link && …) link = &(*link)->next;                chain ends: others' hashes are in it
 *   version_table_add(&table, node);                         node->hash is set
 *   version_table_remove(&table, link);                      links are stale after both
 *
 * A table of zeroes is empty. It is guarded by its owner's mutex.
 *
 * Invariants: H1 node_count <= bucket_count <= 4 * node_count, but for the least of them.
 * H2 mask + 1 is the power of two that holds all buckets, and is less than twice their count.
 */
#ifndef TXN_VERSION_TABLE_H
#define TXN_VERSION_TABLE_H

#include "base/base.h"

#define VERSION_TABLE_PARTS 24u
#define VERSION_TABLE_LEAST_BITS 4u
#define VERSION_TABLE_LEAST                                                                        \
    (1u << VERSION_TABLE_LEAST_BITS) /* buckets of one that is not empty                           \
                                      */

typedef struct VersionNode {
    struct VersionNode *next;
    uint64_t hash; /* its low bits choose the bucket */
} VersionNode;

typedef struct VersionTable {
    uint32_t bucket_count, node_count;
    uint32_t mask;
    uint32_t mapped; /* a bit for each part: it has pages of its own */
    VersionNode **parts[VERSION_TABLE_PARTS];
} VersionTable;

/* Frees the buckets; what is in them is the owner's. */
void version_table_deinit(VersionTable *table);

static inline VersionNode **version_table_bucket(const VersionTable *table, uint32_t index)
{
    if (index < VERSION_TABLE_LEAST)
        return &table->parts[0][index];
    const uint32_t bits = 31 - (uint32_t)__builtin_clz(index);
    return &table->parts[bits - VERSION_TABLE_LEAST_BITS + 1][index ^ (1u << bits)];
}

/* NULL: the table has no buckets. */
static inline VersionNode **version_table_find(const VersionTable *table, uint64_t hash)
{
    if (table->bucket_count == 0)
        return NULL;
    const uint32_t index = (uint32_t)hash & table->mask;
    return version_table_bucket(table,
                                index < table->bucket_count ? index : index & (table->mask >> 1));
}

void version_table_add(VersionTable *table, VersionNode *node);
void version_table_remove(VersionTable *table, VersionNode **link);

/* Asserts H1, H2 and that every node is in its bucket. */
void version_table_check(const VersionTable *table);

#endif
