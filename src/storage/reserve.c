/*
 * Room on the disk that is kept back.
 *
 * Two files hold blocks that nobody may use while there are others. `reserve` has room for a base
 * of the page maps, so that the checkpoint that gives slots back can be written on a full disk:
 * who spends it writes a base, after which the old map files go and the reserve is made again.
 * Until then the data file does not grow into what was set free. `reserve.recovery` has room for
 * pages: a log replayed in another order may split leaves elsewhere than before the crash, and
 * needs some more slots than there were. Neither content means anything; either may be missing.
 */
#include <stdio.h>

#include "base/error_record.h"
#include "storage/store_internal.h"

#define RESERVE_STEP (256u << 10)
#define RESERVE_MAPS_MIN (1u << 20) /* a database may grow by this much map until the next time */
#define RESERVE_RECOVERY_PAGES 256u
#define RESERVE_PATH_MAX 4096u /* map files are refused where paths are longer */

typedef struct ReservePath {
    char text[RESERVE_PATH_MAX];
} ReservePath;

static Str reserve_path(const Store *store, const char *name, ReservePath *path)
{
    snprintf(path->text, sizeof(path->text), "%.*s/%s", STR_ARGS(store->path), name);
    return str_from_c(path->text);
}

static bool reserve_make(const Store *store, const char *name, uint64_t bytes)
{
    ReservePath path;
    File *file = os->file_open(reserve_path(store, name, &path), OS_CREATE);
    const bool ok = file && os->file_allocate(file, 0, bytes);

    os->file_close(file);
    if (!ok)
        error_clear(); /* the next checkpoint tries again */
    return ok;
}

/* False: there is none. Who asks has an error set, which stays. */
static bool reserve_give_up(const Store *store, const char *name)
{
    ReservePath path;
    ErrorRecord *record = error_put_aside();
    const bool ok = os->unlink(reserve_path(store, name, &path));

    error_put_back(record);
    return ok;
}

void reserve_keep(Store *store)
{
    const uint64_t size = page_map_files_size(store);
    const uint64_t wanted = ALIGN_UP(size + MAX(size, (uint64_t)RESERVE_MAPS_MIN), RESERVE_STEP);

    if (wanted > store->map_reserve) {
        /* On a full disk half a reserve is better than none, down to a base's room. */
        uint64_t bytes = wanted;
        while (!reserve_make(store, "reserve", bytes) && bytes > size + RESERVE_STEP)
            bytes = MAX(bytes / 2, ALIGN_UP(size, RESERVE_STEP));
        store->map_reserve = MAX(store->map_reserve, wanted == bytes ? bytes : 0);
    }
    atomic_store(&store->spends_reserve, false);
    if (!store->has_recovery_reserve)
        store->has_recovery_reserve =
            reserve_make(store, "reserve.recovery", (uint64_t)RESERVE_RECOVERY_PAGES * PAGE_SIZE);
}

bool reserve_spend_on_maps(Store *store)
{
    store->map_reserve = 0;
    atomic_store(&store->spends_reserve, true);
    return reserve_give_up(store, "reserve");
}

bool reserve_spend_on_recovery(Store *store)
{
    return reserve_give_up(store, "reserve.recovery");
}
