/*
 * The simulator's disk: files as images and unsynced writes, which know what they wrote over. For
 * src/base only.
 */
#ifndef BASE_SIM_DISK_H
#define BASE_SIM_DISK_H

#include "base/os.h"
#include "base/sim.h"

typedef struct SimWrite {
    uint64_t offset;
    uint64_t length; /* of the file after a truncation */
    bool is_truncate;
    uint64_t size_before; /* of the file */
    byte *before;         /* heap: what was written over or cut off; NULL: nothing */
    byte *data;           /* behind it; NULL: a truncation */
} SimWrite;

/* One file's content; names point to it. A fork copies the pages that differ from then on: so there
 * is one image, and what is durable of it is found by taking the writes back. */
typedef struct SimNode {
    byte *image; /* what a read sees; zeros behind `size` */
    uint64_t size, capacity;
    SimWrite *writes; /* since the last sync */
    size_t write_count, write_capacity;
    bool is_directory;
    bool locked;
    unsigned references; /* names and open files */
} SimNode;

typedef struct SimName {
    char *path;
    SimNode *node;
} SimName;

typedef struct SimNames {
    SimName *items;
    size_t count, capacity;
} SimNames;

typedef struct SimDisk {
    SimNames current;
    SimNames durable;
    uint64_t random_state;
} SimDisk;

void sim_disk_init(SimDisk *disk, uint64_t seed);
void sim_disk_deinit(SimDisk *disk);
uint64_t sim_disk_random(SimDisk *disk);

SimNode *sim_disk_find(SimDisk *disk, Str path);
SimNode *sim_disk_create(SimDisk *disk, Str path, bool is_directory);
void sim_disk_remove(SimDisk *disk, Str path);
void sim_disk_rename(SimDisk *disk, Str from, Str to);
void sim_disk_sync_names(SimDisk *disk, Str directory);
uint64_t sim_disk_used(const SimDisk *disk);

void sim_node_ref(SimNode *node);
void sim_node_unref(SimNode *node);
void sim_node_write(SimNode *node, const void *data, uint64_t size, uint64_t offset);
void sim_node_truncate(SimNode *node, uint64_t size);
void sim_node_sync(SimNode *node);
/* Turns one bit over, in what is durable too. */
void sim_node_flip(SimNode *node, uint64_t offset, unsigned bit);

void sim_disk_crash(SimDisk *disk);
void sim_disk_copy_durable(SimDisk *to, const SimDisk *from);

#endif
