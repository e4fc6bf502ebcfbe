/*
 * What a RelationDesc lives by: its own arena, a count of references, the version it is of.
 */
#ifndef CATALOG_RELATION_LIFE_H
#define CATALOG_RELATION_LIFE_H

#include <stdatomic.h>

#include "catalog/relation.h"

typedef struct RelationLife {
    Arena *arena;
    _Atomic uint32_t references;
    uint64_t version;
} RelationLife;

#endif
