#include "base/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context_switch.h"
#include "base/error.h"
#include "base/sim_disk.h"
#include "base/task_runtime.h"

#if defined(SENGI_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define SIM_STACK_SIZE (4 * 1024 * 1024)
#define MISDIRECTION 16384
#define STEP_MICROSECONDS 1

typedef enum SimThreadState { SIM_RUNNABLE = 0, SIM_BLOCKED, SIM_FINISHED } SimThreadState;

struct Thread {
    Thread *next;
    SimThreadState state;
    ThreadFunction *function;
    void *argument;
    char *stack;
    void *stack_pointer;
    Task *task;
    Scheduler *scheduler;
    _Atomic uint32_t *word; /* blocked on it */
    int64_t deadline;
    _Atomic uint32_t end_word;
    void *fake_stack; /* ASan's; with the bounds of the stack it was last on */
    const void *stack_bottom;
    size_t stack_size;
};

struct File {
    SimNode *node;
    char *path;
};

struct SimWorld {
    SimDisk disk;
    SimFaults faults;
    uint64_t reads, writes, syncs, takes; /* takes: of disk space, perhaps */
    uint64_t operations, crash_at;
    bool crashed;

    uint64_t fork_every;
    unsigned fork_parallel, fork_running, fork_depth;
    uint64_t fork_count, fork_failures;

    Thread *threads;
    Thread *running; /* NULL: the loop */
    void *loop_stack_pointer;
    void *loop_fake_stack;
    const void *loop_stack_bottom;
    size_t loop_stack_size;
    int64_t now;
};

static SimWorld *world; /* the one that runs; the os table has no other way to know it */

/* -- Switching ------------------------------------------------------------------------------- */

static void enter_stack(const void *bottom, size_t size, void **save_fake)
{
#if defined(SENGI_ASAN)
    __sanitizer_start_switch_fiber(save_fake, bottom, size);
#endif
    (void)bottom, (void)size, (void)save_fake;
}

static void entered(void *fake, const void **ret_bottom, size_t *ret_size)
{
#if defined(SENGI_ASAN)
    __sanitizer_finish_switch_fiber(fake, ret_bottom, ret_size);
#endif
    (void)fake, (void)ret_bottom, (void)ret_size;
}

/* From the running simulated thread (on whichever of its stacks) to the loop. */
static void to_loop(void)
{
    Thread *thread = world->running;

    thread->task = task_running;
    thread->scheduler = scheduler_exchange(NULL);
    enter_stack(world->loop_stack_bottom, world->loop_stack_size,
                thread->state == SIM_FINISHED ? NULL : &thread->fake_stack);
    context_switch(&thread->stack_pointer, world->loop_stack_pointer);
    entered(thread->fake_stack, &world->loop_stack_bottom, &world->loop_stack_size);
}

static void sim_thread_main(void)
{
    Thread *thread = world->running;

    entered(NULL, &world->loop_stack_bottom, &world->loop_stack_size);
    thread->function(thread->argument);
    thread->state = SIM_FINISHED;
    to_loop();
    assert(!"an ended thread is not resumed");
}

static void to_thread(Thread *thread)
{
    world->running = thread;
    task_running = thread->task;
    scheduler_exchange(thread->scheduler);
    enter_stack(thread->stack_bottom, thread->stack_size, &world->loop_fake_stack);
    context_switch(&world->loop_stack_pointer, thread->stack_pointer);
    entered(world->loop_fake_stack, &thread->stack_bottom, &thread->stack_size);
    world->running = NULL;
}

/* -- Threads, time, waiting ------------------------------------------------------------------ */

static Thread *sim_thread_start(const char *name, ThreadFunction *function, void *argument)
{
    Thread *thread = calloc(1, sizeof(Thread));
    char *stack = mmap(NULL, SIM_STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)name;
    if (!thread || stack == MAP_FAILED)
        panic("out of memory for a simulated thread");
    *thread = (Thread){.function = function,
                       .argument = argument,
                       .stack = stack,
                       .task = task_new_thread(),
                       .stack_bottom = stack,
                       .stack_size = SIM_STACK_SIZE};
    thread->stack_pointer = context_prepare(stack + SIM_STACK_SIZE, sim_thread_main);
    thread->next = world->threads;
    world->threads = thread;
    return thread;
}

static void thread_forget(Thread *thread)
{
#if defined(SENGI_ASAN)
    /* Frames that have returned left nothing behind. */
    char *deepest = MAX(thread->stack, (char *)thread->stack_pointer - 4096);
    ASAN_UNPOISON_MEMORY_REGION(deepest, thread->stack + SIM_STACK_SIZE - deepest);
#endif
    munmap(thread->stack, SIM_STACK_SIZE);
    task_free_thread(thread->task);
    free(thread);
}

static void sim_thread_yield(void)
{
    to_loop();
}

static void sim_word_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline)
{
    Thread *thread = world->running;

    if (atomic_load(word) != expected)
        return;
    thread->state = SIM_BLOCKED;
    thread->word = word;
    thread->deadline = deadline;
    to_loop();
}

static void sim_word_wake(_Atomic uint32_t *word, uint32_t count)
{
    for (Thread *thread = world->threads; thread && count > 0; thread = thread->next) {
        if (thread->state == SIM_BLOCKED && thread->word == word) {
            thread->state = SIM_RUNNABLE;
            count--;
        }
    }
    /* Whoever was woken may run before the waker goes on. */
    if (world->running && task_current()->latch_count == 0 &&
        sim_disk_random(&world->disk) % 4 == 0)
        to_loop();
}

static void sim_thread_join(Thread *thread)
{
    while (thread->state != SIM_FINISHED)
        sim_word_wait(&thread->end_word, 0, DEADLINE_NEVER);
}

static int64_t sim_monotonic(void)
{
    return world->now;
}

static int64_t sim_wall_clock(void)
{
    return world->now + INT64_C(1700000000000000);
}

static uint64_t sim_memory_size(void)
{
    return UINT64_C(16) << 30;
}

static void sim_random_bytes(void *buffer, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((byte *)buffer)[i] = (byte)sim_disk_random(&world->disk);
}

/* -- Crash points ---------------------------------------------------------------------------- */

static void fork_reap(void)
{
    int status;

    if (wait(&status) > 0) {
        world->fork_running--;
        world->fork_failures += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
}

static void fork_here(void)
{
    while (world->fork_running >= world->fork_parallel)
        fork_reap();
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        panic("could not fork a simulated crash");
    if (child > 0) {
        world->fork_running++;
        world->fork_count++;
        return;
    }
    world->fork_depth++;
    world->fork_every = 0;
    world->fork_running = 0;
    world->fork_count = world->fork_failures = 0;
    world->crashed = true;
    /* Each child sees its own fates. */
    world->disk.random_state += 0x9e3779b97f4a7c15u * world->operations;
    to_loop();
}

/* Before anything that a crash could lose: the world may end here. */
static void operation(void)
{
    world->operations++;
    if (world->fork_every && world->operations % world->fork_every == 0)
        fork_here();
    if (world->crash_at && world->operations >= world->crash_at) {
        world->crashed = true;
        to_loop();
    }
    /* A disk operation takes a while: others run. */
    world->now += 20;
    if (task_current()->latch_count == 0 && !task_current()->in_action)
        to_loop();
}

/* -- Files ----------------------------------------------------------------------------------- */

static bool fail(SqlState state, const char *what, Str path, const char *reason)
{
    FAIL(state, .message = fmt("could not %s \"%.*s\": %s", what, STR_ARGS(path), reason));
}

static File *sim_file_open(Str path, uint32_t flags)
{
    SimNode *node = sim_disk_find(&world->disk, path);

    if (node && (flags & OS_EXCLUSIVE)) {
        fail(ERR_DUPLICATE_FILE, "open file", path, "File exists");
        return NULL;
    }
    if (!node && !(flags & OS_CREATE)) {
        fail(ERR_UNDEFINED_FILE, "open file", path, "No such file or directory");
        return NULL;
    }
    if (!node) {
        operation();
        node = sim_disk_create(&world->disk, path, false);
    } else if (flags & OS_TRUNCATE) {
        operation();
        sim_node_truncate(node, 0);
    }
    File *file = malloc(sizeof(File));
    if (!file)
        panic("out of memory in the simulator");
    *file = (File){.node = node, .path = strndup(path.data, path.length)};
    sim_node_ref(node);
    return file;
}

static void sim_file_close(File *file)
{
    if (!file)
        return;
    file->node->locked = false;
    sim_node_unref(file->node);
    free(file->path);
    free(file);
}

static bool sim_file_read_some(File *file, void *buffer, size_t size, uint64_t offset,
                               size_t *ret_count)
{
    const SimNode *node = file->node;

    if (++world->reads == world->faults.fail_read_at)
        return fail(ERR_IO_ERROR, "read file", str_from_c(file->path), "Input/output error");
    uint64_t available = offset < node->size ? node->size - offset : 0;
    *ret_count = MIN(size, available);
    if (*ret_count)
        memcpy(buffer, node->image + offset, *ret_count);
    return true;
}

static bool sim_file_read(File *file, void *buffer, size_t size, uint64_t offset)
{
    size_t count;

    TRY(sim_file_read_some(file, buffer, size, offset, &count));
    return count == size ||
           fail(ERR_DATA_CORRUPTED, "read file", str_from_c(file->path), "it ends before that");
}

static bool has_room(const SimNode *node, uint64_t end)
{
    const uint64_t take = ++world->takes;

    if (take >= world->faults.full_from && take < world->faults.full_until)
        return false;
    return world->faults.disk_capacity == 0 || end <= node->size ||
           sim_disk_used(&world->disk) + (end - node->size) <= world->faults.disk_capacity;
}

static bool sim_file_write(File *file, const void *buffer, size_t size, uint64_t offset)
{
    operation();
    world->writes++;
    if (world->writes == world->faults.fail_write_at)
        return fail(ERR_IO_ERROR, "write to file", str_from_c(file->path), "Input/output error");
    if (!has_room(file->node, offset + size))
        return fail(ERR_DISK_FULL, "write to file", str_from_c(file->path),
                    "No space left on device");
    if (world->writes == world->faults.lose_write_at)
        return true;
    if (world->writes == world->faults.misdirect_write_at)
        offset += MISDIRECTION;
    sim_node_write(file->node, buffer, size, offset);
    return true;
}

static bool sim_file_sync(File *file)
{
    operation();
    if (++world->syncs == world->faults.fail_sync_at)
        return fail(ERR_IO_ERROR, "fsync file", str_from_c(file->path), "Input/output error");
    sim_node_sync(file->node);
    return true;
}

static bool sim_file_size(File *file, uint64_t *ret_size)
{
    *ret_size = file->node->size;
    return true;
}

static bool sim_file_truncate(File *file, uint64_t size)
{
    operation();
    sim_node_truncate(file->node, size);
    return true;
}

static bool sim_file_allocate(File *file, uint64_t offset, uint64_t size)
{
    operation();
    if (!has_room(file->node, offset + size))
        return fail(ERR_DISK_FULL, "extend file", str_from_c(file->path),
                    "No space left on device");
    if (offset + size > file->node->size)
        sim_node_truncate(file->node, offset + size);
    return true;
}

static bool sim_file_room(File *file, uint64_t *ret_bytes)
{
    const uint64_t capacity = world->faults.disk_capacity, used = sim_disk_used(&world->disk);

    (void)file;
    *ret_bytes = capacity == 0 ? UINT64_MAX : capacity - MIN(used, capacity);
    return true;
}

static bool sim_file_map(File *file, void *at, uint64_t offset, size_t size)
{
    (void)file, (void)at, (void)offset, (void)size;
    return false;
}

static void sim_file_punch(File *file, uint64_t offset, uint64_t size)
{
    static const byte zeros[4096];

    /* Punched blocks may read as zeros after a crash as well: it is a write of zeros. */
    for (uint64_t at = offset; at < offset + size && at < file->node->size; at += sizeof(zeros)) {
        uint64_t end = MIN(MIN(at + sizeof(zeros), offset + size), file->node->size);
        sim_node_write(file->node, zeros, end - at, at);
    }
}

static bool sim_file_lock(File *file, bool *ret_busy)
{
    *ret_busy = file->node->locked;
    file->node->locked = true;
    return true;
}

static bool sim_rename(Str from, Str to)
{
    if (!sim_disk_find(&world->disk, from))
        return fail(ERR_UNDEFINED_FILE, "rename file", from, "No such file or directory");
    operation();
    sim_disk_rename(&world->disk, from, to);
    return true;
}

static bool sim_unlink(Str path)
{
    if (!sim_disk_find(&world->disk, path))
        return fail(ERR_UNDEFINED_FILE, "remove file", path, "No such file or directory");
    operation();
    sim_disk_remove(&world->disk, path);
    return true;
}

static bool sim_make_directory(Str path)
{
    if (sim_disk_find(&world->disk, path))
        return fail(ERR_DUPLICATE_FILE, "create directory", path, "File exists");
    operation();
    sim_disk_create(&world->disk, path, true);
    return true;
}

static bool sim_sync_directory(Str path)
{
    operation();
    sim_disk_sync_names(&world->disk, path);
    return true;
}

static bool sim_list_directory(Str path, OsListCallback *callback, void *context)
{
    const SimNames *names = &world->disk.current;

    for (size_t i = 0; i < names->count; i++) {
        Str name = str_from_c(names->items[i].path);
        if (!str_starts_with(name, path) || name.length <= path.length + 1 ||
            name.data[path.length] != '/')
            continue;
        Str rest = str_slice(name, path.length + 1, name.length);
        if (str_find_char(rest, '/', 0) == SIZE_MAX &&
            !callback(context, rest, names->items[i].node->is_directory))
            return false;
    }
    return true;
}

static bool sim_exists(Str path)
{
    return sim_disk_find(&world->disk, path) != NULL;
}

static const OsOps os_sim = {
    .file_open = sim_file_open,
    .file_close = sim_file_close,
    .file_read = sim_file_read,
    .file_read_some = sim_file_read_some,
    .file_write = sim_file_write,
    .file_sync = sim_file_sync,
    .file_size = sim_file_size,
    .file_truncate = sim_file_truncate,
    .file_allocate = sim_file_allocate,
    .file_punch = sim_file_punch,
    .file_map = sim_file_map,
    .file_room = sim_file_room,
    .file_lock = sim_file_lock,
    .rename = sim_rename,
    .unlink = sim_unlink,
    .make_directory = sim_make_directory,
    .remove_directory = sim_unlink,
    .sync_directory = sim_sync_directory,
    .list_directory = sim_list_directory,
    .exists = sim_exists,
    .monotonic = sim_monotonic,
    .wall_clock = sim_wall_clock,
    .memory_size = sim_memory_size,
    .random = sim_random_bytes,
    .thread_start = sim_thread_start,
    .thread_join = sim_thread_join,
    .thread_yield = sim_thread_yield,
    .word_wait = sim_word_wait,
    .word_wake = sim_word_wake,
    .simulated = true,
};

/* -- The loop -------------------------------------------------------------------------------- */

static Thread *pick_runnable(void)
{
    Thread *chosen = NULL;
    uint64_t seen = 0;

    for (Thread *thread = world->threads; thread; thread = thread->next) {
        if (thread->state == SIM_BLOCKED && thread->deadline <= world->now)
            thread->state = SIM_RUNNABLE;
        if (thread->state == SIM_RUNNABLE && sim_disk_random(&world->disk) % ++seen == 0)
            chosen = thread;
    }
    return chosen;
}

/* Nobody can run: time goes on to the first deadline; false where there is none. */
static bool advance_clock(void)
{
    int64_t first = DEADLINE_NEVER;

    for (Thread *thread = world->threads; thread; thread = thread->next)
        if (thread->state == SIM_BLOCKED)
            first = MIN(first, thread->deadline);
    if (first == DEADLINE_NEVER)
        return false;
    world->now = MAX(world->now, first);
    return true;
}

static void forget_threads(void)
{
    while (world->threads) {
        Thread *thread = world->threads;
        world->threads = thread->next;
        thread_forget(thread);
    }
}

static bool all_finished(void)
{
    for (Thread *thread = world->threads; thread; thread = thread->next)
        if (thread->state != SIM_FINISHED)
            return false;
    return true;
}

static void run_one(Thread *thread)
{
    world->now += STEP_MICROSECONDS;
    to_thread(thread);
    if (thread->state == SIM_FINISHED) {
        atomic_store(&thread->end_word, 1);
        sim_word_wake(&thread->end_word, UINT32_MAX);
    }
}

SimEnd sim_run(SimWorld *the_world, ThreadFunction *function, void *argument)
{
    const OsOps *os_before = os;
    Task *task_before = task_current();

    assert(!world);
    world = the_world;
    world->crashed = false;
    os = &os_sim;
    sim_thread_start("main", function, argument);
    while (!world->crashed && !all_finished()) {
        Thread *thread = pick_runnable();
        if (thread)
            run_one(thread);
        else if (!advance_clock())
            panic("simulated threads wait for each other for ever");
    }
    scheduler_exchange(NULL);
    task_running = task_before;
    forget_threads();
    bool crashed = world->crashed;
    os = os_before;
    world = NULL;
    return crashed ? SIM_CRASHED : SIM_ENDED;
}

/* -- The world from outside ------------------------------------------------------------------ */

SimWorld *sim_new(uint64_t seed)
{
    SimWorld *created = calloc(1, sizeof(SimWorld));

    if (!created)
        panic("out of memory in the simulator");
    sim_disk_init(&created->disk, seed);
    created->fork_parallel = 1;
    return created;
}

void sim_free(SimWorld *the_world)
{
    if (!the_world)
        return;
    sim_disk_deinit(&the_world->disk);
    free(the_world);
}

void sim_set_faults(SimWorld *the_world, const SimFaults *faults)
{
    the_world->faults = *faults;
    the_world->reads = the_world->writes = the_world->syncs = the_world->takes = 0;
}

uint64_t sim_writes(const SimWorld *the_world)
{
    return the_world->writes;
}

uint64_t sim_takes(const SimWorld *the_world)
{
    return the_world->takes;
}

void sim_set_crash(SimWorld *the_world, uint64_t operation)
{
    the_world->operations = 0;
    the_world->crash_at = operation;
}

uint64_t sim_operations(const SimWorld *the_world)
{
    return the_world->operations;
}

void sim_set_fork(SimWorld *the_world, uint64_t every, unsigned parallel)
{
    the_world->fork_every = every;
    the_world->fork_parallel = MAX(parallel, 1u);
}

uint64_t sim_fork_count(const SimWorld *the_world)
{
    return the_world->fork_count;
}

uint64_t sim_fork_failures(SimWorld *the_world)
{
    SimWorld *before = world;

    world = the_world;
    while (the_world->fork_running > 0)
        fork_reap();
    world = before;
    return the_world->fork_failures;
}

unsigned sim_fork_depth(const SimWorld *the_world)
{
    return the_world->fork_depth;
}

void sim_crash_disk(SimWorld *the_world)
{
    sim_disk_crash(&the_world->disk);
}

bool sim_flip_bit(SimWorld *the_world, Str path, uint64_t offset, unsigned bit)
{
    SimNode *node = sim_disk_find(&the_world->disk, path);

    if (!node || offset >= node->size)
        return false;
    sim_node_flip(node, offset, bit);
    return true;
}

bool sim_file(SimWorld *the_world, size_t index, Str *ret_path, uint64_t *ret_size)
{
    const SimNames *names = &the_world->disk.current;

    if (index >= names->count)
        return false;
    *ret_path = str_from_c(names->items[index].path);
    *ret_size = names->items[index].node->size;
    return true;
}

SimWorld *sim_clone_disk(SimWorld *the_world, uint64_t seed)
{
    SimWorld *clone = sim_new(seed);

    sim_disk_copy_durable(&clone->disk, &the_world->disk);
    for (size_t i = 0; i < clone->disk.durable.count; i++)
        assert(sim_disk_find(&clone->disk, str_from_c(clone->disk.durable.items[i].path)));
    return clone;
}

uint64_t sim_random(SimWorld *the_world, uint64_t bound)
{
    return sim_disk_random(&the_world->disk) % bound;
}
