/*
 * What a call site makes of an argument that is mostly the same in every row, and keeps: a compiled
 * pattern, a template cut into its parts.
 *
 *   Regex *regex = call_site_find(call, key);
 *   if (!regex) {
 *       regex = regex_compile(call_site_arena(call), key);
 *       TRY(regex);
 *       call_site_keep(call, key, regex);
 *   }
 *
 * Where the argument changes from row to row nothing is kept after CALL_SITE_MOST times, and what
 * is made lives as long as the call's result: memory does not grow with the rows.
 */
#ifndef TYPES_CALL_SITE_H
#define TYPES_CALL_SITE_H

#include "types/function.h"

#define CALL_SITE_MOST 32

typedef struct CallSite {
    Str key;
    void *made;
    int kept_count;
} CallSite;

/* What was made of the same key last; NULL: it is to be made. */
static inline void *call_site_find(const FunctionCall *call, Str key)
{
    const CallSite *site = call->state;

    return site && site->made && str_equal(site->key, key) ? site->made : NULL;
}

/* Where to make it. */
static inline Arena *call_site_arena(const FunctionCall *call)
{
    const CallSite *site = call->state;

    return site && site->kept_count >= CALL_SITE_MOST ? call->arena : call->site_arena;
}

static inline void call_site_keep(FunctionCall *call, Str key, void *made)
{
    CallSite *site = call->state;

    if (!site)
        call->state = site = ARENA_NEW(call->site_arena, CallSite);
    if (site->kept_count >= CALL_SITE_MOST)
        return;
    site->kept_count++;
    site->key = str_copy(call->site_arena, key);
    site->made = made;
}

#endif
