#include "base/sim_disk.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"

#define SECTOR 512

static void *must(void *memory)
{
    if (!memory)
        panic("out of memory in the simulator");
    return memory;
}

uint64_t sim_disk_random(SimDisk *disk)
{
    /* splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
    uint64_t z = (disk->random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* -- Nodes ----------------------------------------------------------------------------------- */

void sim_node_ref(SimNode *node)
{
    node->references++;
}

static void writes_forget(SimNode *node)
{
    for (size_t i = 0; i < node->write_count; i++)
        free(node->writes[i].data);
    node->write_count = 0;
}

void sim_node_unref(SimNode *node)
{
    if (--node->references > 0)
        return;
    writes_forget(node);
    free(node->writes);
    free(node->durable);
    free(node->current);
    free(node);
}

/* Bytes behind the end are always zero, so that a large file costs what is written of it. */
static void image_resize(byte **image, uint64_t *size, uint64_t *capacity, uint64_t new_size)
{
    if (new_size > *capacity) {
        uint64_t grown = MAX(new_size, *capacity * 2);
        byte *fresh = must(calloc(1, grown));
        if (*size)
            memcpy(fresh, *image, *size);
        free(*image);
        *image = fresh;
        *capacity = grown;
    }
    if (new_size < *size)
        memset(*image + new_size, 0, *size - new_size);
    *size = new_size;
}

static void current_resize(SimNode *node, uint64_t size)
{
    image_resize(&node->current, &node->current_size, &node->current_capacity, size);
}

static void durable_resize(SimNode *node, uint64_t size)
{
    image_resize(&node->durable, &node->durable_size, &node->durable_capacity, size);
}

static SimWrite *write_add(SimNode *node)
{
    if (node->write_count == node->write_capacity) {
        node->write_capacity = node->write_capacity ? node->write_capacity * 2 : 16;
        node->writes = must(realloc(node->writes, node->write_capacity * sizeof(SimWrite)));
    }
    return &node->writes[node->write_count++];
}

void sim_node_write(SimNode *node, const void *data, uint64_t size, uint64_t offset)
{
    if (size == 0)
        return;
    SimWrite *write = write_add(node);
    *write = (SimWrite){.offset = offset, .length = size, .data = must(malloc(size))};
    memcpy(write->data, data, size);
    if (offset + size > node->current_size)
        current_resize(node, offset + size);
    memcpy(node->current + offset, data, size);
}

void sim_node_truncate(SimNode *node, uint64_t size)
{
    *write_add(node) = (SimWrite){.length = size, .is_truncate = true};
    current_resize(node, size);
}

static void apply(SimNode *node, const SimWrite *write, uint64_t from, uint64_t to)
{
    if (write->offset + to > node->durable_size)
        durable_resize(node, write->offset + to);
    memcpy(node->durable + write->offset + from, write->data + from, to - from);
}

static void apply_all(SimNode *node, const SimWrite *write)
{
    if (write->is_truncate)
        durable_resize(node, write->length);
    else
        apply(node, write, 0, write->length);
}

void sim_node_sync(SimNode *node)
{
    for (size_t i = 0; i < node->write_count; i++)
        apply_all(node, &node->writes[i]);
    assert(node->durable_size == node->current_size);
    writes_forget(node);
}

void sim_node_flip(SimNode *node, uint64_t offset, unsigned bit)
{
    sim_node_sync(node);
    node->current[offset] ^= (byte)(1u << (bit & 7));
    node->durable[offset] = node->current[offset];
}

/* What was written and what became of it may differ there, and nowhere else. */
static void current_restore(SimNode *node)
{
    bool has_truncation = false;

    current_resize(node, node->durable_size);
    for (size_t i = 0; i < node->write_count; i++)
        has_truncation |= node->writes[i].is_truncate;
    for (size_t i = 0; i < node->write_count && !has_truncation; i++) {
        const SimWrite *write = &node->writes[i];
        const uint64_t end = MIN(write->offset + write->length, node->durable_size);
        if (write->offset < end)
            memcpy(node->current + write->offset, node->durable + write->offset,
                   end - write->offset);
    }
    if (has_truncation && node->durable_size)
        memcpy(node->current, node->durable, node->durable_size);
}

/* Each write is kept, lost or torn; order does not matter to who is kept, but to who is last. */
static void node_crash(SimDisk *disk, SimNode *node)
{
    size_t count = node->write_count;

    for (size_t i = count; i > 1; i--) {
        if (sim_disk_random(disk) % 4 == 0) { /* some reordering */
            size_t other = sim_disk_random(disk) % i;
            SimWrite swapped = node->writes[i - 1];
            node->writes[i - 1] = node->writes[other];
            node->writes[other] = swapped;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const SimWrite *write = &node->writes[i];
        uint64_t fate = sim_disk_random(disk) % 3;
        if (fate == 0)
            continue;
        if (write->is_truncate || fate == 1 || write->length <= SECTOR) {
            apply_all(node, write);
        } else {
            for (uint64_t at = 0; at < write->length; at += SECTOR)
                if (sim_disk_random(disk) % 2)
                    apply(node, write, at, MIN(at + SECTOR, write->length));
        }
    }
    current_restore(node);
    writes_forget(node);
    node->locked = false;
}

/* -- Names ----------------------------------------------------------------------------------- */

static size_t name_index(const SimNames *names, Str path)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(str_from_c(names->items[i].path), path))
            return i;
    return SIZE_MAX;
}

static void name_put(SimNames *names, Str path, SimNode *node)
{
    size_t index = name_index(names, path);

    assert(path.data);
    sim_node_ref(node);
    if (index != SIZE_MAX) {
        sim_node_unref(names->items[index].node);
        names->items[index].node = node;
        return;
    }
    if (names->count == names->capacity) {
        names->capacity = names->capacity ? names->capacity * 2 : 16;
        names->items = must(realloc(names->items, names->capacity * sizeof(SimName)));
    }
    names->items[names->count++] =
        (SimName){.path = must(strndup(path.data, path.length)), .node = node};
}

static void name_drop(SimNames *names, size_t index)
{
    free(names->items[index].path);
    sim_node_unref(names->items[index].node);
    names->items[index] = names->items[--names->count];
}

static void names_clear(SimNames *names)
{
    while (names->count > 0)
        name_drop(names, names->count - 1);
}

SimNode *sim_disk_find(SimDisk *disk, Str path)
{
    size_t index = name_index(&disk->current, path);
    return index == SIZE_MAX ? NULL : disk->current.items[index].node;
}

SimNode *sim_disk_create(SimDisk *disk, Str path, bool is_directory)
{
    SimNode *node = must(calloc(1, sizeof(SimNode)));

    node->is_directory = is_directory;
    name_put(&disk->current, path, node);
    return node;
}

void sim_disk_remove(SimDisk *disk, Str path)
{
    size_t index = name_index(&disk->current, path);

    if (index != SIZE_MAX)
        name_drop(&disk->current, index);
}

void sim_disk_rename(SimDisk *disk, Str from, Str to)
{
    SimNode *node = sim_disk_find(disk, from);

    sim_node_ref(node);
    sim_disk_remove(disk, from);
    name_put(&disk->current, to, node);
    sim_node_unref(node);
}

static Str parent_of(Str path)
{
    for (size_t i = path.length; i > 0; i--)
        if (path.data[i - 1] == '/')
            return str_slice(path, 0, i - 1);
    return STR(".");
}

void sim_disk_sync_names(SimDisk *disk, Str directory)
{
    for (size_t i = disk->durable.count; i-- > 0;) {
        Str path = str_from_c(disk->durable.items[i].path);
        if (str_equal(parent_of(path), directory) && name_index(&disk->current, path) == SIZE_MAX)
            name_drop(&disk->durable, i);
    }
    for (size_t i = 0; i < disk->current.count; i++) {
        Str path = str_from_c(disk->current.items[i].path);
        if (str_equal(parent_of(path), directory))
            name_put(&disk->durable, path, disk->current.items[i].node);
    }
}

uint64_t sim_disk_used(const SimDisk *disk)
{
    uint64_t used = 0;

    for (size_t i = 0; i < disk->current.count; i++)
        used += disk->current.items[i].node->current_size;
    return used;
}

/* -- Crash ----------------------------------------------------------------------------------- */

/* Each name that differs between what is durable and what is current falls either way. */
static void names_crash(SimDisk *disk)
{
    for (size_t i = disk->durable.count; i-- > 0;) {
        Str path = str_from_c(disk->durable.items[i].path);
        SimNode *now = sim_disk_find(disk, path);
        if (now == disk->durable.items[i].node || sim_disk_random(disk) % 2)
            continue;
        if (now)
            name_put(&disk->durable, path, now);
        else
            name_drop(&disk->durable, i);
    }
    for (size_t i = 0; i < disk->current.count; i++) {
        Str path = str_from_c(disk->current.items[i].path);
        if (name_index(&disk->durable, path) == SIZE_MAX && sim_disk_random(disk) % 2)
            name_put(&disk->durable, path, disk->current.items[i].node);
    }
}

void sim_disk_crash(SimDisk *disk)
{
    names_crash(disk);
    names_clear(&disk->current);
    for (size_t i = 0; i < disk->durable.count; i++)
        name_put(&disk->current, str_from_c(disk->durable.items[i].path),
                 disk->durable.items[i].node);
    for (size_t i = 0; i < disk->current.count; i++)
        node_crash(disk, disk->current.items[i].node);
}

void sim_disk_copy_durable(SimDisk *to, const SimDisk *from)
{
    for (size_t i = 0; i < from->durable.count; i++) {
        const SimNode *node = from->durable.items[i].node;
        Str path = str_from_c(from->durable.items[i].path);
        SimNode *copy = sim_disk_create(to, path, node->is_directory);
        if (node->durable_size)
            sim_node_write(copy, node->durable, node->durable_size, 0);
        sim_node_sync(copy);
        name_put(&to->durable, path, copy);
    }
}

void sim_disk_init(SimDisk *disk, uint64_t seed)
{
    *disk = (SimDisk){.random_state = seed};
}

void sim_disk_deinit(SimDisk *disk)
{
    names_clear(&disk->current);
    names_clear(&disk->durable);
    free(disk->current.items);
    free(disk->durable.items);
}
