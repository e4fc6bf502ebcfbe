#include "base/sim_disk.h"

#include <stdlib.h>
#include <sys/mman.h>

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
        free(node->writes[i].before);
    node->write_count = 0;
}

void sim_node_unref(SimNode *node)
{
    if (--node->references > 0)
        return;
    writes_forget(node);
    free(node->writes);
    if (node->image)
        munmap(node->image, node->capacity);
    free(node);
}

/* Fresh pages are zeros, and cost nothing before they are written. */
static void image_reserve(SimNode *node, uint64_t size)
{
    const uint64_t capacity = ALIGN_UP(MAX(size, node->capacity * 2), (uint64_t)65536);

    if (size <= node->capacity)
        return;
    void *image = node->image ? mremap(node->image, node->capacity, capacity, MREMAP_MAYMOVE)
                              : mmap(NULL, capacity, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (image == MAP_FAILED)
        panic("out of memory in the simulator");
    node->image = image;
    node->capacity = capacity;
}

static void image_resize(SimNode *node, uint64_t size)
{
    image_reserve(node, size);
    if (size < node->size)
        memset(node->image + size, 0, node->size - size);
    node->size = size;
}

static SimWrite *write_add(SimNode *node)
{
    if (node->write_count == node->write_capacity) {
        node->write_capacity = node->write_capacity ? node->write_capacity * 2 : 16;
        node->writes = must(realloc(node->writes, node->write_capacity * sizeof(SimWrite)));
    }
    return &node->writes[node->write_count++];
}

static void apply(SimNode *node, const SimWrite *write, uint64_t from, uint64_t to)
{
    if (write->offset + to > node->size)
        image_resize(node, write->offset + to);
    memcpy(node->image + write->offset + from, write->data + from, to - from);
}

static void apply_all(SimNode *node, const SimWrite *write)
{
    if (write->is_truncate)
        image_resize(node, write->length);
    else
        apply(node, write, 0, write->length);
}

void sim_node_write(SimNode *node, const void *data, uint64_t size, uint64_t offset)
{
    if (size == 0)
        return;
    byte *block = must(malloc(2 * size));
    SimWrite *write = write_add(node);
    *write = (SimWrite){.offset = offset,
                        .length = size,
                        .size_before = node->size,
                        .before = block,
                        .data = block + size};
    image_reserve(node, offset + size);
    memcpy(write->data, data, size);
    memcpy(write->before, node->image + offset, size);
    apply_all(node, write);
}

void sim_node_truncate(SimNode *node, uint64_t size)
{
    const uint64_t cut = size < node->size ? node->size - size : 0;
    byte *before = cut ? must(malloc(cut)) : NULL;

    if (before)
        memcpy(before, node->image + size, cut);
    *write_add(node) = (SimWrite){
        .length = size, .is_truncate = true, .size_before = node->size, .before = before};
    image_resize(node, size);
}

void sim_node_sync(SimNode *node)
{
    writes_forget(node);
}

void sim_node_flip(SimNode *node, uint64_t offset, unsigned bit)
{
    sim_node_sync(node);
    node->image[offset] ^= (byte)(1u << (bit & 7));
}

/* Leaves in the node's image what it was before the writes. */
static void take_back(SimNode *node, const SimWrite *writes, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        const SimWrite *write = &writes[i];
        const uint64_t at = write->is_truncate ? write->length : write->offset;
        const uint64_t length =
            write->is_truncate ? write->size_before - write->length : write->length;
        if (write->before) {
            assert(node->image);
            memcpy(node->image + at, write->before, length);
        }
        node->size = write->size_before;
    }
}

/* Each write is kept, lost or torn; order does not matter to who is kept, but to who is last. */
static void node_crash(SimDisk *disk, SimNode *node)
{
    size_t count = node->write_count;

    take_back(node, node->writes, count);
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
        used += disk->current.items[i].node->size;
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
        image_reserve(copy, node->capacity); /* what is taken back may have been longer */
        image_resize(copy, node->size);
        if (node->size)
            memcpy(copy->image, node->image, node->size);
        take_back(copy, node->writes, node->write_count);
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
