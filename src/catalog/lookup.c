/* Lookups of what every database has built in: types, functions, operators, casts, classes. */
#include "catalog/lookup.h"

#include <pthread.h>

#include "base/error.h"
#include "catalog/catalog_internal.h"
#include "catalog/relation.h"
#include "types/function.h"

/* ---- hash tables over the compiled-in arrays ---- */

typedef struct NameRange {
    VEC(const void *) items;
} NameRange;

static struct {
    HashMap types, functions, operators, casts, aggregates; /* oid (casts: source, target) → desc */
    StrMap type_names;                                      /* → TypeDesc */
    StrMap function_names;                                  /* → NameRange */
    StrMap information_names;                               /* the same of the information schema */
    StrMap operator_names; /* → NameRange; the key is name + kind */
    Arena *arena;
} builtin;
static pthread_once_t builtin_once = PTHREAD_ONCE_INIT;

static uint64_t pair_key(Oid a, Oid b)
{
    return (uint64_t)a << 32 | b;
}

static void name_add(StrMap *map, Str name, const void *item)
{
    NameRange *range = strmap_get(map, name);

    if (!range) {
        range = ARENA_NEW(builtin.arena, NameRange);
        strmap_put(map, name, range);
    }
    VEC_PUSH(builtin.arena, &range->items, item);
}

static void put(HashMap *map, uint64_t key, const void *item)
{
    hashmap_put(map, key, (void *)(uintptr_t)item);
}

static Str operator_key(Arena *arena, Str name, char kind)
{
    return str_format(arena, "%c%.*s", kind, STR_ARGS(name));
}

extern const BuiltinFunction catalog_functions[];
extern const size_t catalog_function_count;

static void builtin_build(void)
{
    Arena *arena = arena_new("built-in objects");

    builtin_functions_register(catalog_functions, catalog_function_count);
    builtin.arena = arena;
    builtin.types.arena = builtin.functions.arena = builtin.operators.arena = arena;
    builtin.casts.arena = builtin.aggregates.arena = arena;
    builtin.type_names.arena = builtin.function_names.arena = builtin.operator_names.arena = arena;
    builtin.information_names.arena = arena;
    for (size_t i = 0; i < builtin_type_count; i++) {
        put(&builtin.types, builtin_types[i].oid, &builtin_types[i]);
        strmap_put(&builtin.type_names, builtin_types[i].name,
                   (void *)(uintptr_t)&builtin_types[i]);
    }
    for (size_t i = 0; i < builtin_function_desc_count; i++) {
        put(&builtin.functions, builtin_function_descs[i].oid, &builtin_function_descs[i]);
        name_add(builtin_function_descs[i].namespace_oid == NAMESPACE_INFORMATION_SCHEMA
                     ? &builtin.information_names
                     : &builtin.function_names,
                 builtin_function_descs[i].name, &builtin_function_descs[i]);
    }
    for (size_t i = 0; i < builtin_operator_count; i++) {
        const OperatorDesc *op = &builtin_operators[i];
        put(&builtin.operators, op->oid, op);
        name_add(&builtin.operator_names, operator_key(arena, op->name, op->kind), op);
    }
    for (size_t i = 0; i < builtin_cast_count; i++)
        put(&builtin.casts, pair_key(builtin_casts[i].source, builtin_casts[i].target),
            &builtin_casts[i]);
    for (size_t i = 0; i < builtin_aggregate_count; i++)
        put(&builtin.aggregates, builtin_aggregates[i].function, &builtin_aggregates[i]);
}

void builtin_index_init(void)
{
    pthread_once(&builtin_once, builtin_build);
}

/* Whether pg_catalog is looked at for the name: by its name, or through the path. */
static bool sees_builtin(CatalogSession *session, Str schema)
{
    return str_is_none(schema) || str_equal(schema, STR("pg_catalog"));
}

/* ---- types ---- */

static TypeDesc *type_load(CatalogSession *session, const CatalogRow *row, Arena *arena)
{
    TypeDesc *type = ARENA_NEW(arena, TypeDesc);

    type->oid = row_oid(row, PG_TYPE_OID);
    type->name = str_copy(arena, row_text(row, PG_TYPE_TYPNAME));
    type->namespace_oid = row_oid(row, PG_TYPE_TYPNAMESPACE);
    type->owner = row_oid(row, PG_TYPE_TYPOWNER);
    type->length = row->values[PG_TYPE_TYPLEN].int16;
    type->by_value = row->values[PG_TYPE_TYPBYVAL].boolean;
    type->kind = row_char(row, PG_TYPE_TYPTYPE);
    type->category = row_char(row, PG_TYPE_TYPCATEGORY);
    type->preferred = row->values[PG_TYPE_TYPISPREFERRED].boolean;
    type->defined = row->values[PG_TYPE_TYPISDEFINED].boolean;
    type->delimiter = row_char(row, PG_TYPE_TYPDELIM);
    type->relation = row_oid(row, PG_TYPE_TYPRELID);
    type->subscript = row_oid(row, PG_TYPE_TYPSUBSCRIPT);
    type->element = row_oid(row, PG_TYPE_TYPELEM);
    type->array = row_oid(row, PG_TYPE_TYPARRAY);
    type->align = row_char(row, PG_TYPE_TYPALIGN);
    type->storage = row_char(row, PG_TYPE_TYPSTORAGE);
    type->not_null = row->values[PG_TYPE_TYPNOTNULL].boolean;
    type->base_type = row_oid(row, PG_TYPE_TYPBASETYPE);
    type->typmod = row->values[PG_TYPE_TYPTYPMOD].int32;
    type->collation = row_oid(row, PG_TYPE_TYPCOLLATION);
    type->input = row_oid(row, PG_TYPE_TYPINPUT);
    type->output = row_oid(row, PG_TYPE_TYPOUTPUT);
    type->receive = row_oid(row, PG_TYPE_TYPRECEIVE);
    type->send = row_oid(row, PG_TYPE_TYPSEND);
    type->typmod_in = row_oid(row, PG_TYPE_TYPMODIN);
    type->typmod_out = row_oid(row, PG_TYPE_TYPMODOUT);
    type->phys = PHYS_VAR;
    if (type->kind == 'd') {
        const TypeDesc *base = type_find(session, type->base_type);
        type->phys = base ? base->phys : PHYS_VAR;
    }
    return type;
}

const TypeDesc *type_find(CatalogSession *session, Oid oid)
{
    const TypeDesc *type = hashmap_get(&builtin.types, oid);

    if (type || oid < OID_FIRST_UNPINNED || !session->txn)
        return type;
    SessionCache *cache = session_cache(session);
    type = hashmap_get(&cache->types, oid);
    if (type)
        return type;
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    if (system_row_find(session, INDEX_PG_TYPE_OID_INDEX, &(Value){.oid = oid}, 1, row) !=
        ROW_FOUND)
        return NULL;
    Arena *const arena = cache->arena;
    type = type_load(session, row, arena);
    /* A domain's base is looked up: what was found before the schema moved is retired already. */
    if (cache->arena == arena)
        put(&cache->types, oid, type);
    return type;
}

const TypeDesc *type_get(CatalogSession *session, Oid oid)
{
    const TypeDesc *type = type_find(session, oid);

    if (!type && !error_is_set())
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("type with OID %u does not exist", oid));
    return type;
}

static Oid type_oid_in(CatalogSession *session, Oid namespace, Str name)
{
    if (namespace == NAMESPACE_PG_CATALOG) {
        const TypeDesc *type = strmap_get(&builtin.type_names, name);
        if (type)
            return type->oid;
    }
    const Value keys[] = {{.var = var_from_str(name)}, {.oid = namespace}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    if (system_row_find(session, INDEX_PG_TYPE_TYPNAME_NSP_INDEX, keys, 2, row) != ROW_FOUND)
        return OID_NONE;
    return row_oid(row, PG_TYPE_OID);
}

Oid type_oid(CatalogSession *session, Str schema, Str name)
{
    if (!str_is_none(schema)) {
        const Oid namespace = namespace_oid(session, schema);
        return namespace ? type_oid_in(session, namespace, name) : OID_NONE;
    }
    const SearchPath *path = catalog_search_path(session);
    TRY(path);
    for (uint32_t i = 0; i < path->count; i++) {
        const Oid oid = type_oid_in(session, path->namespaces[i], name);
        if (oid || error_is_set())
            return oid;
    }
    return OID_NONE;
}

const TypeDesc *type_get_name(CatalogSession *session, Str schema, Str name, int position)
{
    if (!str_is_none(schema))
        TRY(namespace_get(session, schema, position));
    const Oid oid = type_oid(session, schema, name);
    if (oid)
        return type_find(session, oid);
    if (error_is_set())
        return NULL;
    if (str_is_none(schema))
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("type \"%.*s\" does not exist", STR_ARGS(name)),
             .position = position);
    FAIL(ERR_UNDEFINED_OBJECT,
         .message = fmt("type \"%.*s.%.*s\" does not exist", STR_ARGS(schema), STR_ARGS(name)),
         .position = position);
}

bool type_is_array(const TypeDesc *type)
{
    return type->element != OID_NONE && type->length == -1 && type->subscript == 6179;
}

/* ---- functions ---- */

const FunctionDesc *function_find(CatalogSession *session, Oid oid)
{
    return hashmap_get(&builtin.functions, oid);
}

FunctionCandidates function_candidates(CatalogSession *session, Str schema, Str name,
                                       int argument_count)
{
    const NameRange *range = sees_builtin(session, schema)
                                 ? strmap_get(&builtin.function_names, name)
                             : str_equal(schema, STR("information_schema"))
                                 ? strmap_get(&builtin.information_names, name)
                                 : NULL;

    if (!range)
        return (FunctionCandidates){0};
    const FunctionDesc *const *items = (const FunctionDesc *const *)range->items.items;
    if (argument_count < 0)
        return (FunctionCandidates){items, (uint32_t)range->items.length};
    const FunctionDesc **fitting =
        ARENA_ARRAY(session->arena, const FunctionDesc *, range->items.length);
    uint32_t count = 0;
    for (size_t i = 0; i < range->items.length; i++) {
        const FunctionDesc *f = items[i];
        const int least = f->argument_count - f->default_count - (f->variadic ? 1 : 0);
        if (argument_count >= least && (argument_count <= f->argument_count || f->variadic))
            fitting[count++] = f;
    }
    return (FunctionCandidates){fitting, count};
}

const FunctionDesc *function_find_exact(CatalogSession *session, Str schema, Str name,
                                        const Oid *types, uint32_t count)
{
    const FunctionCandidates found = function_candidates(session, schema, name, -1);

    for (uint32_t i = 0; i < found.count; i++) {
        const FunctionDesc *f = found.items[i];
        if (f->argument_count == count &&
            (count == 0 || memcmp(f->argument_types, types, count * sizeof(Oid)) == 0))
            return f;
    }
    return NULL;
}

Str function_signature(CatalogSession *session, const FunctionDesc *function)
{
    StrBuf text = strbuf_in(session->arena);

    strbuf_append(&text, function->name);
    strbuf_append_char(&text, '(');
    for (int i = 0; i < function->argument_count; i++) {
        if (i > 0)
            strbuf_append_c(&text, ", ");
        strbuf_append(&text, type_name(session, function->argument_types[i]));
    }
    strbuf_append_char(&text, ')');
    return strbuf_view(&text);
}

const AggregateDesc *aggregate_find(CatalogSession *session, Oid function)
{
    return hashmap_get(&builtin.aggregates, function);
}

/* ---- operators ---- */

const OperatorDesc *operator_find(CatalogSession *session, Oid oid)
{
    return hashmap_get(&builtin.operators, oid);
}

OperatorCandidates operator_candidates(CatalogSession *session, Str schema, Str name, char kind)
{
    char key[68];

    if (name.length >= sizeof(key) || !sees_builtin(session, schema))
        return (OperatorCandidates){0};
    key[0] = kind;
    memcpy(key + 1, name.data, name.length);
    const NameRange *range = strmap_get(&builtin.operator_names, str_make(key, name.length + 1));
    if (!range)
        return (OperatorCandidates){0};
    return (OperatorCandidates){(const OperatorDesc *const *)range->items.items,
                                (uint32_t)range->items.length};
}

const OperatorDesc *operator_find_exact(CatalogSession *session, Str schema, Str name, Oid left,
                                        Oid right)
{
    const OperatorCandidates found = operator_candidates(session, schema, name, left ? 'b' : 'l');

    for (uint32_t i = 0; i < found.count; i++)
        if (found.items[i]->left == left && found.items[i]->right == right)
            return found.items[i];
    return NULL;
}

const CastDesc *cast_find(CatalogSession *session, Oid source, Oid target)
{
    return hashmap_get(&builtin.casts, pair_key(source, target));
}

/* ---- operator classes ---- */

const OpclassDesc *opclass_find(CatalogSession *session, Oid oid)
{
    for (size_t i = 0; i < builtin_opclass_count; i++)
        if (builtin_opclasses[i].oid == oid)
            return &builtin_opclasses[i];
    return NULL;
}

const OpclassDesc *opclass_find_name(CatalogSession *session, Oid access_method, Str schema,
                                     Str name)
{
    if (!sees_builtin(session, schema))
        return NULL;
    for (size_t i = 0; i < builtin_opclass_count; i++)
        if (builtin_opclasses[i].access_method == access_method &&
            str_equal(builtin_opclasses[i].name, name))
            return &builtin_opclasses[i];
    return NULL;
}

static const OpclassDesc *default_of_input(Oid access_method, Oid input)
{
    for (size_t i = 0; i < builtin_opclass_count; i++) {
        const OpclassDesc *opclass = &builtin_opclasses[i];
        if (opclass->is_default && opclass->access_method == access_method &&
            opclass->input_type == input)
            return opclass;
    }
    return NULL;
}

const OpclassDesc *opclass_default(CatalogSession *session, Oid access_method, Oid type)
{
    const TypeDesc *desc = type_find(session, type);
    const OpclassDesc *found;

    for (int depth = 0; desc && desc->kind == 'd' && depth < 32; depth++)
        desc = type_find(session, desc->base_type);
    if (!desc)
        return NULL;
    if ((found = default_of_input(access_method, desc->oid)))
        return found;
    if (type_is_array(desc))
        return default_of_input(access_method, TYPE_ANYARRAY);
    if (desc->kind == 'e')
        return default_of_input(access_method, TYPE_ANYENUM);
    if (desc->kind == 'c')
        return default_of_input(access_method, TYPE_RECORD);
    /* The preferred type of its category first, as PostgreSQL: varchar, name → text. */
    const OpclassDesc *coercible = NULL;
    for (size_t i = 0; i < builtin_opclass_count; i++) {
        const OpclassDesc *opclass = &builtin_opclasses[i];
        const CastDesc *cast;
        if (!opclass->is_default || opclass->access_method != access_method)
            continue;
        cast = cast_find(session, desc->oid, opclass->input_type);
        if (!cast || cast->method != 'b' || cast->context != 'i')
            continue;
        const TypeDesc *input = type_find(session, opclass->input_type);
        if (input && input->preferred)
            return opclass;
        if (!coercible)
            coercible = opclass;
    }
    return coercible;
}

Oid opfamily_operator(CatalogSession *session, Oid family, Oid left, Oid right, int strategy)
{
    for (size_t i = 0; i < builtin_amop_count; i++) {
        const AmopDesc *amop = &builtin_amops[i];
        if (amop->family == family && amop->left == left && amop->right == right &&
            amop->strategy == strategy)
            return amop->operator_oid;
    }
    return OID_NONE;
}

int opfamily_strategy(CatalogSession *session, Oid family, Oid operator_oid)
{
    for (size_t i = 0; i < builtin_amop_count; i++)
        if (builtin_amops[i].family == family && builtin_amops[i].operator_oid == operator_oid)
            return builtin_amops[i].strategy;
    return 0;
}

Oid opfamily_function(CatalogSession *session, Oid family, Oid left, Oid right, int number)
{
    for (size_t i = 0; i < builtin_amproc_count; i++) {
        const AmprocDesc *amproc = &builtin_amprocs[i];
        if (amproc->family == family && amproc->left == left && amproc->right == right &&
            amproc->number == number)
            return amproc->function;
    }
    return OID_NONE;
}

uint32_t operator_btree_families(CatalogSession *session, Oid operator_oid, OpfamilyMember *ret,
                                 uint32_t room)
{
    uint32_t count = 0;

    for (size_t i = 0; i < builtin_amop_count && count < room; i++) {
        const AmopDesc *amop = &builtin_amops[i];
        if (amop->operator_oid == operator_oid && amop->access_method == ACCESS_METHOD_BTREE)
            ret[count++] = (OpfamilyMember){amop->family, amop->strategy, amop->left, amop->right};
    }
    return count;
}

const TypeOperators *type_operators(CatalogSession *session, Oid type)
{
    SessionCache *cache = session_cache(session);
    TypeOperators *found = hashmap_get(&cache->operators_of_types, type);

    if (found)
        return found;
    found = ARENA_NEW(cache->arena, TypeOperators);
    const OpclassDesc *btree = opclass_default(session, ACCESS_METHOD_BTREE, type);
    const OpclassDesc *hash = opclass_default(session, ACCESS_METHOD_HASH, type);
    if (btree) {
        const Oid input = btree->input_type;
        found->opclass_input = input;
        found->btree_opclass = btree->oid;
        found->btree_family = btree->family;
        found->less = opfamily_operator(session, btree->family, input, input, 1);
        found->equal = opfamily_operator(session, btree->family, input, input, 3);
        found->greater = opfamily_operator(session, btree->family, input, input, 5);
        found->compare = opfamily_function(session, btree->family, input, input, 1);
    }
    if (hash) {
        const Oid input = hash->input_type;
        found->hash_family = hash->family;
        found->hash = opfamily_function(session, hash->family, input, input, 1);
        if (!found->equal)
            found->equal = opfamily_operator(session, hash->family, input, input, 1);
        if (!btree)
            found->opclass_input = input;
    }
    hashmap_put(&cache->operators_of_types, type, found);
    return found;
}

Str access_method_name(CatalogSession *session, Oid oid)
{
    switch (oid) {
    case ACCESS_METHOD_BTREE:
        return STR("btree");
    case ACCESS_METHOD_HEAP:
        return STR("heap");
    case ACCESS_METHOD_HASH:
        return STR("hash");
    default:
        return STR_NONE;
    }
}

/* ---- collations, languages ---- */

const CollationDesc *collation_find(CatalogSession *session, Oid oid)
{
    for (size_t i = 0; i < builtin_collation_count; i++)
        if (builtin_collations[i].oid == oid)
            return &builtin_collations[i];
    return NULL;
}

Oid collation_oid(CatalogSession *session, Str schema, Str name)
{
    if (sees_builtin(session, schema))
        for (size_t i = 0; i < builtin_collation_count; i++)
            if (str_equal(builtin_collations[i].name, name))
                return builtin_collations[i].oid;
    return OID_NONE;
}

Oid collation_get_name(CatalogSession *session, Str schema, Str name, int position)
{
    if (!str_is_none(schema))
        TRY(namespace_get(session, schema, position));
    const Oid oid = collation_oid(session, schema, name);
    if (oid)
        return oid;
    if (str_is_none(schema))
        FAIL(ERR_UNDEFINED_OBJECT,
             .message =
                 fmt("collation \"%.*s\" for encoding \"UTF8\" does not exist", STR_ARGS(name)),
             .position = position);
    FAIL(ERR_UNDEFINED_OBJECT,
         .message = fmt("collation \"%.*s.%.*s\" for encoding \"UTF8\" does not exist",
                        STR_ARGS(schema), STR_ARGS(name)),
         .position = position);
}

static const struct {
    Oid oid;
    Str name;
} languages[] = {
    {LANGUAGE_INTERNAL, {"internal", 8}}, {LANGUAGE_C, {"c", 1}}, {LANGUAGE_SQL, {"sql", 3}}};

Oid language_oid(CatalogSession *session, Str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(languages); i++)
        if (str_equal(languages[i].name, name))
            return languages[i].oid;
    return OID_NONE;
}

Str language_name(CatalogSession *session, Oid oid)
{
    for (size_t i = 0; i < ARRAY_LENGTH(languages); i++)
        if (languages[i].oid == oid)
            return languages[i].name;
    return STR_NONE;
}
