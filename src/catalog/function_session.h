/*
 * SQL functions of this room: how they find their session.
 */
#ifndef CATALOG_FUNCTION_SESSION_H
#define CATALOG_FUNCTION_SESSION_H

#include "catalog/catalog.h"
#include "types/function.h"

/* The caller's FunctionCall.session begins with a CatalogSession (catalog.h). */
static inline CatalogSession *function_session(const FunctionCall *call)
{
    assert(call->session);
    return call->session;
}

static inline Value text_value(Str text)
{
    return (Value){.var = var_from_str(text)};
}

#endif
