#include "server/login_delay.h"

#include <stdatomic.h>

#include "base/hash.h"
#include "base/os.h"

#define DELAY_LEAST 200000 /* microseconds */
#define DOUBLINGS_MOST 4   /* 3.2 s */
#define FREE_REFUSALS 2    /* anybody mistypes */
#define LOGIN_FORGET_SECONDS 5
#define REFUSALS_MOST 32

/* One more at this place; how many that makes. */
static uint32_t note_refusal(_Atomic uint64_t *place, uint64_t now)
{
    const uint64_t before = atomic_load_explicit(place, memory_order_relaxed);
    const uint64_t forgotten = (now - (before >> 8)) / LOGIN_FORGET_SECONDS;
    const uint64_t old = before & 0xff;
    const uint64_t count =
        MIN((old > forgotten ? old - forgotten : 0) + 1, (uint64_t)REFUSALS_MOST);

    atomic_store_explicit(place, now << 8 | count, memory_order_relaxed);
    return (uint32_t)count;
}

int64_t login_delay_next(LoginDelays *delays, Str address, Str role)
{
    const uint64_t now = (uint64_t)(os->monotonic() / 1000000);
    const uint64_t by_address = hash_bytes(address.data, address.length) % LOGIN_DELAY_PLACES;
    const uint64_t by_role = hash_bytes(role.data, role.length) % LOGIN_DELAY_PLACES;
    const uint32_t of_address = note_refusal(&delays->addresses[by_address], now);
    const uint32_t of_role = note_refusal(&delays->roles[by_role], now);
    const uint32_t count = MAX(of_address, of_role);
    const uint32_t doublings = count > FREE_REFUSALS ? count - FREE_REFUSALS : 0;

    return (int64_t)DELAY_LEAST << MIN(doublings, (uint32_t)DOUBLINGS_MOST);
}
