/*
 * The simulator: the os seam without an operating system.
 *
 * One real thread; simulated threads are coroutines that a seed schedules; time is virtual (it
 * moves when nobody can run, and a little at each step). Files live in memory: each has a durable
 * image and a list of writes since the last sync. sim_crash_disk applies the fate of a power cut:
 * each unsynced write is kept, lost or torn at 512 bytes, in any order, by the seed; unsynced
 * renames, creations and removals may or may not have happened.
 *
 *   SimWorld *world = sim_new(seed);
 *   sim_set_crash(world, 120);                 the world stops dead before its 120th operation
 *   SimEnd end = sim_run(world, workload, context);
 *   if (end == SIM_CRASHED) {
 *       sim_crash_disk(world);
 *       sim_run(world, recover_and_check, context);
 *   }
 *   sim_free(world);
 *
 * To crash at every operation, sim_set_fork makes each one a fork: the child's sim_run returns
 * SIM_CRASHED there, the child recovers, checks and _exits with 0 or 1, and the parent goes on to
 * the next operation having counted the child's verdict. Time is linear in the operations, and what
 * a crash abandons dies with the child. A child may fork again while it recovers.
 *
 * While a world runs, `os` is the simulator's table; outside sim_run it is Linux's again. Only one
 * world runs at a time. A crash abandons the simulated threads with the memory they own.
 *
 * The disk can also fail without a power cut: see SimFaults.
 */
#ifndef BASE_SIM_H
#define BASE_SIM_H

#include "base/os.h"

typedef struct SimWorld SimWorld;

typedef struct SimFaults {
    uint64_t disk_capacity;         /* bytes of all files together; beyond: 53100. 0: no bound */
    uint64_t full_from, full_until; /* of writes and allocations those fail with 53100 */
    uint64_t fail_read_at;          /* the n-th read fails with 58030; 0: never */
    uint64_t fail_write_at;         /* the n-th write fails with 58030; 0: never */
    uint64_t fail_sync_at;          /* the n-th sync fails with 58030; 0: never */
    uint64_t misdirect_write_at;    /* the n-th write goes 16 KiB further on; 0: never */
    uint64_t lose_write_at;         /* the n-th write never reaches the disk, silently; 0: never */
} SimFaults;

SimWorld *sim_new(uint64_t seed);
void sim_free(SimWorld *world);
void sim_set_faults(SimWorld *world, const SimFaults *faults);

/* Writes and allocations, and writes alone, since sim_set_faults. */
uint64_t sim_takes(const SimWorld *world);
uint64_t sim_writes(const SimWorld *world);

/* An operation is a write, sync, truncation, allocation or change of a name. */

/* Stops everything before the n-th operation from now; 0: never. */
void sim_set_crash(SimWorld *world, uint64_t operation);
/* Operations since the last sim_set_crash. */
uint64_t sim_operations(const SimWorld *world);

/*
 * Forks before every `every`-th operation (0: never); at most `parallel` children run at a time.
 * sim_fork_failures waits for all of them and counts those that did not exit with 0;
 * sim_fork_count says how many there were.
 */
void sim_set_fork(SimWorld *world, uint64_t every, unsigned parallel);
uint64_t sim_fork_count(const SimWorld *world);
uint64_t sim_fork_failures(SimWorld *world);
/* How many forks deep this process is: 0 in the first. */
unsigned sim_fork_depth(const SimWorld *world);

typedef enum SimEnd { SIM_ENDED = 1, SIM_CRASHED } SimEnd;

/* Runs `function` as a simulated thread until it and all it started end, or the crash comes. */
SimEnd sim_run(SimWorld *world, ThreadFunction *function, void *argument);

/* What the power cut leaves of unsynced writes and names. After it every file is durable. */
void sim_crash_disk(SimWorld *world);

/* One bit of a file turned over: rot. False when the file is shorter. */
bool sim_flip_bit(SimWorld *world, Str path, uint64_t offset, unsigned bit);
/* The files by name, for tests that visit every byte: index from 0; false past the last. */
bool sim_file(SimWorld *world, size_t index, Str *ret_path, uint64_t *ret_size);

/* A copy of the durable disk, to try several fates or damages from one state. */
SimWorld *sim_clone_disk(SimWorld *world, uint64_t seed);

/* A number below `bound` from the world's seed, for workloads. */
uint64_t sim_random(SimWorld *world, uint64_t bound);

#endif
