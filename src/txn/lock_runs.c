/*
 * Locks of which a transaction has very many, without a hold for each: a set of keys' hashes, or of
 * rows by groups of 64 neighbours, in whatever order they come.
 *
 * Only the session itself adds to what it holds and takes from it, under the tree's runs_mutex;
 * it reads without. Who wants a lock that is held so makes it an ordinary hold and waits.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/pace.h"

#include "txn/lock_internal.h"

#define PLACES_AT_FIRST 256u /* of a set; a power of two */
#define GROUP_ROWS 64u
#define POSITIONS_IN_A_TREE 16 /* savepoints with runs of their own; with more, each singly */

/* What a session has locked in one tree in one mode since one savepoint. */
struct LockRuns {
    LockRuns *next_in_tree;    /* guarded by the tree's runs_mutex, as what is held is */
    LockRuns *next_in_session; /* the session's own */
    TxnTree *tree;
    TxnSession *session;
    uint64_t position;
    uint8_t mode;
    uint64_t *keys; /* hashes, of keys or of rows' groups, with open addressing; 0: free */
    uint64_t *rows; /* tables: which rows of the group at the same place, as bits */
    size_t count, capacity;
};

/* ------------------------------------------------------------------ keys */

/* Hashes of neighbours lie side by side: places next to a taken one are likely taken, too. */
#define STRIDE 9u
#define STRIDE_INVERSE UINT64_C(0x8e38e38e38e38e39) /* modulo every power of two */

/* Where the hash is, or would be put. */
static size_t key_place(const uint64_t *keys, size_t capacity, uint64_t hash)
{
    size_t at = hash & (capacity - 1);
    while (keys[at] != 0 && keys[at] != hash)
        at = (at + STRIDE) & (capacity - 1);
    return at;
}

/* Strides from one place to another. */
static size_t strides(size_t from, size_t to, size_t mask)
{
    return (to - from) * STRIDE_INVERSE & mask;
}

static bool keys_have(const LockRuns *runs, uint64_t hash)
{
    return runs->count > 0 && runs->keys[key_place(runs->keys, runs->capacity, hash)] == hash;
}

/* Room for one more, before any mutex is taken. False: there is no memory for it. */
static bool runs_reserve(LockRuns *runs)
{
    if (runs->count + 1 <= runs->capacity / 4 * 3)
        return true;
    const bool is_table = runs->tree->kind == TREE_TABLE;
    const size_t capacity = runs->capacity ? runs->capacity * 2 : PLACES_AT_FIRST;
    uint64_t *keys = memory_calloc(capacity, sizeof(*keys)), *old_keys = runs->keys;
    uint64_t *rows = is_table ? memory_calloc(capacity, sizeof(*rows)) : NULL;
    uint64_t *old_rows = runs->rows;
    if (!keys || (is_table && !rows)) {
        memory_free(keys);
        memory_free(rows);
        return false;
    }
    const size_t old_size = runs->capacity * sizeof(*old_keys);
    for (size_t i = 0; i < runs->capacity; i++) {
        if ((i & (PACE_LOOPS - 1)) == 0)
            pace_turn(); /* others only read the old ones */
        if (old_keys[i] == 0)
            continue;
        const size_t at = key_place(keys, capacity, old_keys[i]);
        keys[at] = old_keys[i];
        if (rows)
            rows[at] = old_rows[i];
    }
    mutex_lock(&runs->tree->runs_mutex);
    runs->keys = keys;
    runs->rows = rows;
    runs->capacity = capacity;
    mutex_unlock(&runs->tree->runs_mutex);
    pace_free(old_keys, old_size);
    pace_free(old_rows, old_size);
    return true;
}

/* The place where the hash is from now on; was it there before? */
static size_t keys_add(LockRuns *runs, uint64_t hash, bool *ret_had)
{
    const size_t at = key_place(runs->keys, runs->capacity, hash);

    assert(hash != 0);
    *ret_had = runs->keys[at] != 0;
    runs->count += !*ret_had;
    runs->keys[at] = hash;
    return at;
}

static void keys_drop(LockRuns *runs, uint64_t hash)
{
    const size_t mask = runs->capacity - 1;
    size_t free_at = key_place(runs->keys, runs->capacity, hash);

    /* Those behind it that could not be put here, or before, move up. */
    for (size_t at = (free_at + STRIDE) & mask; runs->keys[at] != 0; at = (at + STRIDE) & mask) {
        const size_t home = runs->keys[at] & mask;
        if (strides(home, at, mask) < strides(free_at, at, mask))
            continue;
        runs->keys[free_at] = runs->keys[at];
        free_at = at;
    }
    runs->keys[free_at] = 0;
    runs->count--;
}

/* ------------------------------------------------------------------ rows */

/* Another one for each group, and never 0: hash_mix64 can be undone, and makes 0 of 0 alone. */
static uint64_t group_hash(uint64_t row_id)
{
    return hash_mix64(row_id / GROUP_ROWS + 1);
}

static bool rows_have(const LockRuns *runs, uint64_t row_id)
{
    if (runs->count == 0)
        return false;
    const uint64_t hash = group_hash(row_id);
    const size_t at = key_place(runs->keys, runs->capacity, hash);
    return runs->keys[at] == hash && (runs->rows[at] >> row_id % GROUP_ROWS & 1);
}

static bool rows_add(LockRuns *runs, uint64_t row_id)
{
    const uint64_t bit = UINT64_C(1) << row_id % GROUP_ROWS;
    bool had_group;
    assert(runs->rows);
    uint64_t *rows = &runs->rows[keys_add(runs, group_hash(row_id), &had_group)];
    const bool had = *rows & bit;

    *rows |= bit;
    return had;
}

/* ------------------------------------------------------------------ either */

static bool runs_have(const LockRuns *runs, uint64_t what)
{
    return runs->tree->kind == TREE_TABLE ? rows_have(runs, what) : keys_have(runs, what);
}

bool lock_runs_hold(const TxnSession *session, const TxnTree *tree, const LockTag *tag,
                    uint8_t mode)
{
    for (const LockRuns *runs = session->runs; runs; runs = runs->next_in_session)
        if (runs->tree == tree && lock_mode_covers(tag->space, runs->mode, mode) &&
            runs_have(runs, tag->b))
            return true;
    return false;
}

bool lock_runs_materialize(TxnTree *tree, Lock *lock, const TxnSession *session,
                           const LockRequest *request)
{
    uint32_t conflicts = lock_conflicts(request->tag.space, request->mode);
    bool found = false;

    mutex_lock(&tree->runs_mutex);
    for (LockRuns *runs = tree->runs; runs; runs = runs->next_in_tree) {
        if (runs->session == session || !(conflicts & 1u << runs->mode) ||
            !runs_have(runs, request->tag.b))
            continue;
        bool is_there = false;
        for (LockHold *hold = lock->holds; hold && !is_there; hold = hold->next_in_lock)
            is_there = hold->session == runs->session && hold->mode == runs->mode;
        if (!is_there) {
            mutex_lock(&runs->session->shared_mutex);
            lock_make_foreign(lock, runs->session, runs->mode, runs->position);
            mutex_unlock(&runs->session->shared_mutex);
        }
        found = true;
    }
    mutex_unlock(&tree->runs_mutex);
    return found;
}

/* NULL: there are those of too many savepoints already. */
static LockRuns *runs_make(TxnSession *session, TxnTree *tree, uint8_t mode)
{
    uint32_t others = 0;

    for (LockRuns *runs = session->runs; runs; runs = runs->next_in_session) {
        if (runs->tree != tree)
            continue;
        if (runs->mode == mode && runs->position == session->lock_position)
            return runs;
        others++;
    }
    if (others >= POSITIONS_IN_A_TREE)
        return NULL;
    LockRuns *runs = memory_must_calloc(1, sizeof(*runs));
    runs->tree = tree;
    runs->session = session;
    runs->mode = mode;
    runs->position = session->lock_position;
    runs->next_in_session = session->runs;
    session->runs = runs;
    txn_tree_ref(tree);
    mutex_lock(&tree->runs_mutex);
    runs->next_in_tree = tree->runs;
    tree->runs = runs;
    atomic_fetch_add(&tree->runs_count, 1);
    mutex_unlock(&tree->runs_mutex);
    return runs;
}

void lock_runs_release(TxnSession *session, uint64_t position)
{
    LockRuns **link = &session->runs;

    while (*link) {
        LockRuns *runs = *link;
        TxnTree *tree = runs->tree;
        if (runs->position < position) {
            link = &runs->next_in_session;
            continue;
        }
        *link = runs->next_in_session;
        mutex_lock(&tree->runs_mutex);
        LockRuns **in_tree = &tree->runs;
        while (*in_tree != runs)
            in_tree = &(*in_tree)->next_in_tree;
        *in_tree = runs->next_in_tree;
        atomic_fetch_sub(&tree->runs_count, 1);
        mutex_unlock(&tree->runs_mutex);
        txn_tree_close(tree);
        pace_free(runs->keys, runs->capacity * sizeof(*runs->keys));
        pace_free(runs->rows, runs->capacity * sizeof(*runs->rows));
        memory_free(runs);
    }
}

LockOutcome lock_runs_take(TxnSession *session, TxnTree *tree, const LockTag *tag, uint8_t mode)
{
    LockRuns *runs = runs_make(session, tree, mode);
    LockPartition *partition = lock_partition(session->manager->locks, lock_tag_hash(tag));
    bool is_free = true, had = false;

    if (!runs || !runs_reserve(runs))
        return LOCK_WOULD_BLOCK;
    /* Under the partition's mutex nobody else can come to hold it in between. */
    mutex_lock(&partition->mutex);
    Lock *lock = lock_find(partition, tag);
    if (lock && (lock->first || lock_is_blocked(lock, session, mode, NULL)))
        is_free = false;
    mutex_lock(&tree->runs_mutex);
    for (LockRuns *each = tree->runs; each && is_free; each = each->next_in_tree)
        if (each->session != session && runs_have(each, tag->b))
            is_free = false;
    if (is_free && tree->kind == TREE_TABLE)
        had = rows_add(runs, tag->b);
    else if (is_free)
        keys_add(runs, tag->b, &had);
    mutex_unlock(&tree->runs_mutex);
    mutex_unlock(&partition->mutex);
    return !is_free ? LOCK_WOULD_BLOCK : had ? LOCK_HELD : LOCK_GRANTED;
}

bool lock_runs_drop_key(TxnSession *session, TxnTree *index, uint64_t hash)
{
    for (LockRuns *runs = session->runs; runs; runs = runs->next_in_session) {
        if (runs->tree != index || !keys_have(runs, hash))
            continue;
        mutex_lock(&index->runs_mutex);
        keys_drop(runs, hash);
        mutex_unlock(&index->runs_mutex);
        return true;
    }
    return false;
}
