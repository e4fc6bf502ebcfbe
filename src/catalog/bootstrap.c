/*
 * The rows of a new cluster. Everything built in is written into template1 and the shared database
 * in one transaction, from the compiled-in arrays.
 */
#include "catalog/bootstrap.h"
#include "base/error.h"
#include "base/os.h"
#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/define_internal.h"
#include "catalog/lookup.h"
#include "catalog/privilege.h"
#include "catalog/system_load.h"
#include "storage/row.h"
#include "types/array.h"

/* ---- trees ---- */

static bool tree_make(CatalogSession *session, const CatalogTable *table)
{
    const Oid database = table->shared ? SHARED_DATABASE : session->database_oid;
    LayoutColumn columns[CATALOG_MAX_COLUMNS] = {0};

    for (int i = 0; i < table->column_count; i++) {
        const BuiltinType *type = builtin_type(table->columns[i].type);
        columns[i].type = type ? type->phys : PHYS_VAR;
    }
    const Layout *layout = layout_new(session->arena, 1, columns, table->column_count);
    TRY(txn_tree_create(session->txn, database, table->oid, TREE_TABLE, layout));
    for (int i = 0; i < table->index_count; i++)
        TRY(txn_tree_create(session->txn, database, catalog_indexes[table->first_index + i].oid,
                            TREE_INDEX, NULL));
    return true;
}

static bool trees_make(CatalogSession *session)
{
    for (int i = 0; i < CATALOG_TABLE_COUNT; i++)
        TRY(tree_make(session, &catalog_tables[i]));
    TRY(sequence_create(session->txn, SHARED_DATABASE, OID_SEQUENCE, OID_FIRST_USER));
    return sequence_create(session->txn, SHARED_DATABASE, OID_SEQUENCE_BOOTSTRAP,
                           OID_FIRST_UNPINNED);
}

/* ---- what describes the system tables ---- */

static bool class_insert(CatalogSession *session, CatalogRow *row, const CatalogTable *table,
                         bool mapped, Oid oid)
{
    row_set_oid(row, PG_CLASS_RELOWNER, ROLE_BOOTSTRAP_SUPERUSER);
    row_set_char(row, PG_CLASS_RELPERSISTENCE, (char)RELPERSISTENCE_PERMANENT);
    row_set_oid(row, PG_CLASS_RELFILENODE, mapped ? OID_NONE : oid);
    row_set_bool(row, PG_CLASS_RELISSHARED, table->shared);
    row_set_oid(row, PG_CLASS_RELTABLESPACE, table->shared ? TABLESPACE_GLOBAL : OID_NONE);
    row_set_char(row, PG_CLASS_RELREPLIDENT, 'n');
    return system_row_insert(session, row);
}

static void table_acl(CatalogSession *session, const CatalogTable *table, Acl *ret_acl)
{
    acl_default(session->arena, ON_TABLE, ROLE_BOOTSTRAP_SUPERUSER, ret_acl);
    if (table->public_select)
        acl_grant(session->arena, ret_acl, ROLE_BOOTSTRAP_SUPERUSER, ROLE_PUBLIC, ACL_SELECT,
                  false);
}

static bool describe_table(CatalogSession *session, const CatalogTable *table)
{
    CatalogRow row;
    Acl acl;

    define_class_row(&row, table->oid, table->name, NAMESPACE_PG_CATALOG, RELKIND_TABLE);
    row_set_oid(&row, PG_CLASS_RELTYPE, table->row_type);
    row_set_int16(&row, PG_CLASS_RELNATTS, (int16_t)table->column_count);
    row_set_bool(&row, PG_CLASS_RELHASINDEX, table->index_count > 0);
    table_acl(session, table, &acl);
    TRY(acl_to_value(session->arena, &acl, &row.values[PG_CLASS_RELACL]));
    row.nulls[PG_CLASS_RELACL] = false;
    TRY(class_insert(session, &row, table, table->mapped, table->oid));
    for (int i = 0; i < table->column_count; i++) {
        const CatalogColumn *facts = &table->columns[i];
        const ColumnDefinition column = {.name = facts->name,
                                         .type = facts->type,
                                         .typmod = -1,
                                         .collation = facts->collation,
                                         .not_null = facts->not_null};
        TRY(define_attribute_row(session, table->oid, (int16_t)(i + 1), &column, false));
    }
    for (int attnum = -1; attnum >= -6; attnum--) {
        const SystemColumn *system = system_column_at(attnum);
        const ColumnDefinition column = {
            .name = system->name, .type = system->type, .typmod = -1, .not_null = true};
        TRY(define_attribute_row(session, table->oid, (int16_t)attnum, &column, true));
    }
    return true;
}

static bool describe_index_row(CatalogSession *session, const CatalogIndex *index)
{
    CatalogRow row;
    int16_t attnums[8], options[8] = {0};
    Oid opclasses[8], collations[8];
    const uint32_t count = index->column_count;

    for (uint32_t i = 0; i < count; i++) {
        attnums[i] = index->columns[i].attnum;
        opclasses[i] = index->columns[i].opclass;
        collations[i] = index->columns[i].collation;
    }
    system_row_init(&row, CAT_PG_INDEX);
    row_set_oid(&row, PG_INDEX_INDEXRELID, index->oid);
    row_set_oid(&row, PG_INDEX_INDRELID, catalog_tables[index->table].oid);
    row_set_int16(&row, PG_INDEX_INDNATTS, (int16_t)count);
    row_set_int16(&row, PG_INDEX_INDNKEYATTS, (int16_t)count);
    row_set_bool(&row, PG_INDEX_INDISUNIQUE, index->is_unique);
    row_set_bool(&row, PG_INDEX_INDNULLSNOTDISTINCT, false);
    row_set_bool(&row, PG_INDEX_INDISPRIMARY, index->is_primary);
    row_set_bool(&row, PG_INDEX_INDISEXCLUSION, false);
    row_set_bool(&row, PG_INDEX_INDIMMEDIATE, true);
    row_set_bool(&row, PG_INDEX_INDISCLUSTERED, false);
    row_set_bool(&row, PG_INDEX_INDISVALID, true);
    row_set_bool(&row, PG_INDEX_INDCHECKXMIN, false);
    row_set_bool(&row, PG_INDEX_INDISREADY, true);
    row_set_bool(&row, PG_INDEX_INDISLIVE, true);
    row_set_bool(&row, PG_INDEX_INDISREPLIDENT, false);
    TRY(row_set_int16s(session, &row, PG_INDEX_INDKEY, attnums, count));
    TRY(row_set_oids(session, &row, PG_INDEX_INDCOLLATION, collations, count));
    TRY(row_set_oids(session, &row, PG_INDEX_INDCLASS, opclasses, count));
    TRY(row_set_int16s(session, &row, PG_INDEX_INDOPTION, options, count));
    return system_row_insert(session, &row);
}

static bool describe_constraint_row(CatalogSession *session, const CatalogIndex *index)
{
    CatalogRow row;
    int16_t attnums[8];

    for (int i = 0; i < index->column_count; i++)
        attnums[i] = index->columns[i].attnum;
    system_row_init(&row, CAT_PG_CONSTRAINT);
    row_set_oid(&row, PG_CONSTRAINT_OID, index->constraint);
    row_set_text(&row, PG_CONSTRAINT_CONNAME, index->name);
    row_set_oid(&row, PG_CONSTRAINT_CONNAMESPACE, NAMESPACE_PG_CATALOG);
    row_set_char(&row, PG_CONSTRAINT_CONTYPE, index->is_primary ? 'p' : 'u');
    row_set_bool(&row, PG_CONSTRAINT_CONDEFERRABLE, false);
    row_set_bool(&row, PG_CONSTRAINT_CONDEFERRED, false);
    row_set_bool(&row, PG_CONSTRAINT_CONVALIDATED, true);
    row_set_oid(&row, PG_CONSTRAINT_CONRELID, catalog_tables[index->table].oid);
    row_set_oid(&row, PG_CONSTRAINT_CONTYPID, OID_NONE);
    row_set_oid(&row, PG_CONSTRAINT_CONINDID, index->oid);
    row_set_oid(&row, PG_CONSTRAINT_CONPARENTID, OID_NONE);
    row_set_oid(&row, PG_CONSTRAINT_CONFRELID, OID_NONE);
    row_set_char(&row, PG_CONSTRAINT_CONFUPDTYPE, ' ');
    row_set_char(&row, PG_CONSTRAINT_CONFDELTYPE, ' ');
    row_set_char(&row, PG_CONSTRAINT_CONFMATCHTYPE, ' ');
    row_set_bool(&row, PG_CONSTRAINT_CONISLOCAL, true);
    row_set_int32(&row, PG_CONSTRAINT_CONINHCOUNT, 0);
    row_set_bool(&row, PG_CONSTRAINT_CONNOINHERIT, true);
    TRY(row_set_int16s(session, &row, PG_CONSTRAINT_CONKEY, attnums, index->column_count));
    return system_row_insert(session, &row);
}

static bool describe_index(CatalogSession *session, const CatalogIndex *index)
{
    const CatalogTable *table = &catalog_tables[index->table];
    CatalogRow row;

    define_class_row(&row, index->oid, index->name, NAMESPACE_PG_CATALOG, RELKIND_INDEX);
    row_set_int16(&row, PG_CLASS_RELNATTS, (int16_t)index->column_count);
    TRY(class_insert(session, &row, table, index->mapped, index->oid));
    for (int i = 0; i < index->column_count; i++) {
        const CatalogColumn *facts = &table->columns[index->columns[i].attnum - 1];
        const ColumnDefinition column = {.name = facts->name,
                                         .type =
                                             facts->type == TYPE_NAME ? TYPE_CSTRING : facts->type,
                                         .typmod = -1,
                                         .collation = index->columns[i].collation};
        TRY(define_attribute_row(session, index->oid, (int16_t)(i + 1), &column, false));
    }
    TRY(describe_index_row(session, index));
    return !index->constraint || describe_constraint_row(session, index);
}

/* ---- types, functions, operators … ---- */

static bool write_types(CatalogSession *session)
{
    for (size_t i = 0; i < builtin_type_count; i++) {
        const TypeDesc *type = &builtin_types[i];
        CatalogRow row;
        system_row_init(&row, CAT_PG_TYPE);
        row_set_oid(&row, PG_TYPE_OID, type->oid);
        row_set_text(&row, PG_TYPE_TYPNAME, type->name);
        row_set_oid(&row, PG_TYPE_TYPNAMESPACE, type->namespace_oid);
        row_set_oid(&row, PG_TYPE_TYPOWNER, type->owner);
        row_set_int16(&row, PG_TYPE_TYPLEN, type->length);
        row_set_bool(&row, PG_TYPE_TYPBYVAL, type->by_value);
        row_set_char(&row, PG_TYPE_TYPTYPE, type->kind);
        row_set_char(&row, PG_TYPE_TYPCATEGORY, type->category);
        row_set_bool(&row, PG_TYPE_TYPISPREFERRED, type->preferred);
        row_set_bool(&row, PG_TYPE_TYPISDEFINED, type->defined);
        row_set_char(&row, PG_TYPE_TYPDELIM, type->delimiter);
        row_set_oid(&row, PG_TYPE_TYPRELID, type->relation);
        row_set_oid(&row, PG_TYPE_TYPSUBSCRIPT, type->subscript);
        row_set_oid(&row, PG_TYPE_TYPELEM, type->element);
        row_set_oid(&row, PG_TYPE_TYPARRAY, type->array);
        row_set_oid(&row, PG_TYPE_TYPINPUT, type->input);
        row_set_oid(&row, PG_TYPE_TYPOUTPUT, type->output);
        row_set_oid(&row, PG_TYPE_TYPRECEIVE, type->receive);
        row_set_oid(&row, PG_TYPE_TYPSEND, type->send);
        row_set_oid(&row, PG_TYPE_TYPMODIN, type->typmod_in);
        row_set_oid(&row, PG_TYPE_TYPMODOUT, type->typmod_out);
        row_set_oid(&row, PG_TYPE_TYPANALYZE, OID_NONE);
        row_set_char(&row, PG_TYPE_TYPALIGN, type->align);
        row_set_char(&row, PG_TYPE_TYPSTORAGE, type->storage);
        row_set_bool(&row, PG_TYPE_TYPNOTNULL, type->not_null);
        row_set_oid(&row, PG_TYPE_TYPBASETYPE, type->base_type);
        row_set_int32(&row, PG_TYPE_TYPTYPMOD, type->typmod);
        row_set_int32(&row, PG_TYPE_TYPNDIMS, 0);
        row_set_oid(&row, PG_TYPE_TYPCOLLATION, type->collation);
        TRY(system_row_insert(session, &row));
    }
    return true;
}

static uint32_t name_count(const FunctionDesc *f)
{
    return !f->names ? 0 : f->all_count ? f->all_count : f->argument_count;
}

static bool write_function_arrays(CatalogSession *session, const FunctionDesc *f, CatalogRow *row)
{
    Value values[100];
    const uint32_t names = name_count(f);

    assert(f->all_count <= ARRAY_LENGTH(values) && names <= ARRAY_LENGTH(values));
    TRY(row_set_oids(session, row, PG_PROC_PROARGTYPES, f->argument_types, f->argument_count));
    if (f->all_count) {
        Value array;
        TRY(row_set_oids(session, row, PG_PROC_PROALLARGTYPES, f->all_types, f->all_count));
        for (uint32_t i = 0; i < f->all_count; i++)
            values[i].int8 = f->all_modes[i];
        TRY(array_from_values(session->arena, TYPE_CHAR, values, f->all_count, &array));
        row_set_value(row, PG_PROC_PROARGMODES, array);
    }
    if (names) {
        Value array;
        for (uint32_t i = 0; i < names; i++)
            values[i].var = var_from_str(f->names[i]);
        TRY(array_from_values(session->arena, TYPE_TEXT, values, (int)names, &array));
        row_set_value(row, PG_PROC_PROARGNAMES, array);
    }
    return true;
}

static bool write_functions(CatalogSession *session)
{
    for (size_t i = 0; i < builtin_function_desc_count; i++) {
        const FunctionDesc *f = &builtin_function_descs[i];
        CatalogRow row;
        system_row_init(&row, CAT_PG_PROC);
        row_set_oid(&row, PG_PROC_OID, f->oid);
        row_set_text(&row, PG_PROC_PRONAME, f->name);
        row_set_oid(&row, PG_PROC_PRONAMESPACE, f->namespace_oid);
        row_set_oid(&row, PG_PROC_PROOWNER, f->owner);
        row_set_oid(&row, PG_PROC_PROLANG, f->language);
        row_set_float4(&row, PG_PROC_PROCOST, f->cost);
        row_set_float4(&row, PG_PROC_PROROWS, f->rows);
        row_set_oid(&row, PG_PROC_PROVARIADIC, f->variadic);
        row_set_oid(&row, PG_PROC_PROSUPPORT, OID_NONE);
        row_set_char(&row, PG_PROC_PROKIND, (char)f->kind);
        row_set_bool(&row, PG_PROC_PROSECDEF, f->security_definer);
        row_set_bool(&row, PG_PROC_PROLEAKPROOF, f->leakproof);
        row_set_bool(&row, PG_PROC_PROISSTRICT, f->strict);
        row_set_bool(&row, PG_PROC_PRORETSET, f->returns_set);
        row_set_char(&row, PG_PROC_PROVOLATILE, f->volatility);
        row_set_char(&row, PG_PROC_PROPARALLEL, f->parallel);
        row_set_int16(&row, PG_PROC_PRONARGS, (int16_t)f->argument_count);
        row_set_int16(&row, PG_PROC_PRONARGDEFAULTS, (int16_t)f->default_count);
        row_set_oid(&row, PG_PROC_PRORETTYPE, f->return_type);
        row_set_text(&row, PG_PROC_PROSRC, f->source);
        if (f->default_count)
            row_set_text(&row, PG_PROC_PROARGDEFAULTS, f->defaults);
        TRY(write_function_arrays(session, f, &row));
        TRY(system_row_insert(session, &row));
    }
    return true;
}

static Oid function_by_name(CatalogSession *session, Str name)
{
    const FunctionCandidates found = name.length > 1
                                         ? function_candidates(session, STR("pg_catalog"), name, -1)
                                         : (FunctionCandidates){0};

    return found.count ? found.items[0]->oid : OID_NONE;
}

static bool write_aggregates(CatalogSession *session)
{
    for (size_t i = 0; i < builtin_aggregate_count; i++) {
        const AggregateDesc *a = &builtin_aggregates[i];
        const AggregateRow *facts = &builtin_aggregate_rows[i];
        CatalogRow row;
        system_row_init(&row, CAT_PG_AGGREGATE);
        row_set_oid(&row, PG_AGGREGATE_AGGFNOID, a->function);
        row_set_char(&row, PG_AGGREGATE_AGGKIND, a->kind);
        row_set_int16(&row, PG_AGGREGATE_AGGNUMDIRECTARGS, a->direct_count);
        row_set_oid(&row, PG_AGGREGATE_AGGTRANSFN, function_by_name(session, facts->transition));
        row_set_oid(&row, PG_AGGREGATE_AGGFINALFN, function_by_name(session, facts->final));
        row_set_oid(&row, PG_AGGREGATE_AGGCOMBINEFN, function_by_name(session, facts->combine));
        row_set_oid(&row, PG_AGGREGATE_AGGSERIALFN, function_by_name(session, facts->serial));
        row_set_oid(&row, PG_AGGREGATE_AGGDESERIALFN, function_by_name(session, facts->deserial));
        row_set_oid(&row, PG_AGGREGATE_AGGMTRANSFN,
                    function_by_name(session, facts->moving_transition));
        row_set_oid(&row, PG_AGGREGATE_AGGMINVTRANSFN,
                    function_by_name(session, facts->moving_inverse));
        row_set_oid(&row, PG_AGGREGATE_AGGMFINALFN, function_by_name(session, facts->moving_final));
        row_set_bool(&row, PG_AGGREGATE_AGGFINALEXTRA, facts->final_extra);
        row_set_bool(&row, PG_AGGREGATE_AGGMFINALEXTRA, facts->moving_final_extra);
        row_set_char(&row, PG_AGGREGATE_AGGFINALMODIFY, facts->final_modify);
        row_set_char(&row, PG_AGGREGATE_AGGMFINALMODIFY, facts->moving_final_modify);
        row_set_oid(&row, PG_AGGREGATE_AGGSORTOP, a->sort_operator);
        row_set_oid(&row, PG_AGGREGATE_AGGTRANSTYPE, a->transition_type);
        row_set_int32(&row, PG_AGGREGATE_AGGTRANSSPACE, facts->space);
        row_set_oid(&row, PG_AGGREGATE_AGGMTRANSTYPE, OID_NONE);
        row_set_int32(&row, PG_AGGREGATE_AGGMTRANSSPACE, 0);
        row_set_text(&row, PG_AGGREGATE_AGGINITVAL, facts->initial);
        TRY(system_row_insert(session, &row));
    }
    return true;
}

static bool write_operators(CatalogSession *session)
{
    for (size_t i = 0; i < builtin_operator_count; i++) {
        const OperatorDesc *op = &builtin_operators[i];
        CatalogRow row;
        system_row_init(&row, CAT_PG_OPERATOR);
        row_set_oid(&row, PG_OPERATOR_OID, op->oid);
        row_set_text(&row, PG_OPERATOR_OPRNAME, op->name);
        row_set_oid(&row, PG_OPERATOR_OPRNAMESPACE, op->namespace_oid);
        row_set_oid(&row, PG_OPERATOR_OPROWNER, op->owner);
        row_set_char(&row, PG_OPERATOR_OPRKIND, op->kind);
        row_set_bool(&row, PG_OPERATOR_OPRCANMERGE, op->can_merge);
        row_set_bool(&row, PG_OPERATOR_OPRCANHASH, op->can_hash);
        row_set_oid(&row, PG_OPERATOR_OPRLEFT, op->left);
        row_set_oid(&row, PG_OPERATOR_OPRRIGHT, op->right);
        row_set_oid(&row, PG_OPERATOR_OPRRESULT, op->result);
        row_set_oid(&row, PG_OPERATOR_OPRCOM, op->commutator);
        row_set_oid(&row, PG_OPERATOR_OPRNEGATE, op->negator);
        row_set_oid(&row, PG_OPERATOR_OPRCODE, op->function);
        row_set_oid(&row, PG_OPERATOR_OPRREST, function_by_name(session, op->restrict_estimator));
        row_set_oid(&row, PG_OPERATOR_OPRJOIN, function_by_name(session, op->join_estimator));
        TRY(system_row_insert(session, &row));
    }
    return true;
}

static bool write_casts(CatalogSession *session)
{
    for (size_t i = 0; i < builtin_cast_count; i++) {
        const CastDesc *cast = &builtin_casts[i];
        CatalogRow row;
        system_row_init(&row, CAT_PG_CAST);
        row_set_oid(&row, PG_CAST_OID, cast->oid);
        row_set_oid(&row, PG_CAST_CASTSOURCE, cast->source);
        row_set_oid(&row, PG_CAST_CASTTARGET, cast->target);
        row_set_oid(&row, PG_CAST_CASTFUNC, cast->function);
        row_set_char(&row, PG_CAST_CASTCONTEXT, cast->context);
        row_set_char(&row, PG_CAST_CASTMETHOD, cast->method);
        TRY(system_row_insert(session, &row));
    }
    return true;
}

static bool write_opclasses(CatalogSession *session)
{
    CatalogRow row;

    for (size_t i = 0; i < builtin_opfamily_count; i++) {
        system_row_init(&row, CAT_PG_OPFAMILY);
        row_set_oid(&row, PG_OPFAMILY_OID, builtin_opfamilies[i].oid);
        row_set_oid(&row, PG_OPFAMILY_OPFMETHOD, builtin_opfamilies[i].access_method);
        row_set_text(&row, PG_OPFAMILY_OPFNAME, builtin_opfamilies[i].name);
        row_set_oid(&row, PG_OPFAMILY_OPFNAMESPACE, NAMESPACE_PG_CATALOG);
        row_set_oid(&row, PG_OPFAMILY_OPFOWNER, ROLE_BOOTSTRAP_SUPERUSER);
        TRY(system_row_insert(session, &row));
    }
    for (size_t i = 0; i < builtin_opclass_count; i++) {
        const OpclassDesc *opclass = &builtin_opclasses[i];
        system_row_init(&row, CAT_PG_OPCLASS);
        row_set_oid(&row, PG_OPCLASS_OID, opclass->oid);
        row_set_oid(&row, PG_OPCLASS_OPCMETHOD, opclass->access_method);
        row_set_text(&row, PG_OPCLASS_OPCNAME, opclass->name);
        row_set_oid(&row, PG_OPCLASS_OPCNAMESPACE, NAMESPACE_PG_CATALOG);
        row_set_oid(&row, PG_OPCLASS_OPCOWNER, ROLE_BOOTSTRAP_SUPERUSER);
        row_set_oid(&row, PG_OPCLASS_OPCFAMILY, opclass->family);
        row_set_oid(&row, PG_OPCLASS_OPCINTYPE, opclass->input_type);
        row_set_bool(&row, PG_OPCLASS_OPCDEFAULT, opclass->is_default);
        row_set_oid(&row, PG_OPCLASS_OPCKEYTYPE, opclass->key_type);
        TRY(system_row_insert(session, &row));
    }
    return true;
}

static bool write_opfamily_members(CatalogSession *session)
{
    CatalogRow row;

    for (size_t i = 0; i < builtin_amop_count; i++) {
        const AmopDesc *amop = &builtin_amops[i];
        system_row_init(&row, CAT_PG_AMOP);
        row_set_oid(&row, PG_AMOP_OID, amop->oid);
        row_set_oid(&row, PG_AMOP_AMOPFAMILY, amop->family);
        row_set_oid(&row, PG_AMOP_AMOPLEFTTYPE, amop->left);
        row_set_oid(&row, PG_AMOP_AMOPRIGHTTYPE, amop->right);
        row_set_int16(&row, PG_AMOP_AMOPSTRATEGY, amop->strategy);
        row_set_char(&row, PG_AMOP_AMOPPURPOSE, 's');
        row_set_oid(&row, PG_AMOP_AMOPOPR, amop->operator_oid);
        row_set_oid(&row, PG_AMOP_AMOPMETHOD, amop->access_method);
        row_set_oid(&row, PG_AMOP_AMOPSORTFAMILY, OID_NONE);
        TRY(system_row_insert(session, &row));
    }
    for (size_t i = 0; i < builtin_amproc_count; i++) {
        const AmprocDesc *amproc = &builtin_amprocs[i];
        system_row_init(&row, CAT_PG_AMPROC);
        row_set_oid(&row, PG_AMPROC_OID, amproc->oid);
        row_set_oid(&row, PG_AMPROC_AMPROCFAMILY, amproc->family);
        row_set_oid(&row, PG_AMPROC_AMPROCLEFTTYPE, amproc->left);
        row_set_oid(&row, PG_AMPROC_AMPROCRIGHTTYPE, amproc->right);
        row_set_int16(&row, PG_AMPROC_AMPROCNUM, amproc->number);
        row_set_oid(&row, PG_AMPROC_AMPROC, amproc->function);
        TRY(system_row_insert(session, &row));
    }
    return true;
}

static bool write_collations(CatalogSession *session)
{
    for (size_t i = 0; i < builtin_collation_count; i++) {
        const CollationDesc *collation = &builtin_collations[i];
        CatalogRow row;
        system_row_init(&row, CAT_PG_COLLATION);
        row_set_oid(&row, PG_COLLATION_OID, collation->oid);
        row_set_text(&row, PG_COLLATION_COLLNAME, collation->name);
        row_set_oid(&row, PG_COLLATION_COLLNAMESPACE, collation->namespace_oid);
        row_set_oid(&row, PG_COLLATION_COLLOWNER, ROLE_BOOTSTRAP_SUPERUSER);
        row_set_char(&row, PG_COLLATION_COLLPROVIDER, collation->provider);
        row_set_bool(&row, PG_COLLATION_COLLISDETERMINISTIC, collation->deterministic);
        row_set_int32(&row, PG_COLLATION_COLLENCODING,
                      collation->oid > OID_FIRST_UNPINNED ? 6 : -1);
        if (collation->provider != 'd') {
            row_set_text(&row, PG_COLLATION_COLLCOLLATE, collation->collate);
            row_set_text(&row, PG_COLLATION_COLLCTYPE, collation->ctype);
        }
        TRY(system_row_insert(session, &row));
    }
    return true;
}

/* ---- rows given as text, roles, databases ---- */

static bool write_text_rows(CatalogSession *session, const BuiltinRows *rows, Str superuser)
{
    const CatalogTable *table = &catalog_tables[rows->table];

    for (uint32_t r = 0; r < rows->row_count; r++) {
        CatalogRow row;
        system_row_init(&row, rows->table);
        for (int c = 0; c < table->column_count; c++) {
            const char *cell = rows->cells[r * table->column_count + (uint32_t)c];
            if (!cell || table->columns[c].type == TYPE_ACLITEM_ARRAY)
                continue;
            row.nulls[c] = false;
            TRY(type_input(session->arena, table->columns[c].type, -1, str_from_c(cell),
                           &row.values[c]));
        }
        if (rows->table == CAT_PG_AUTHID &&
            row.values[PG_AUTHID_OID].oid == ROLE_BOOTSTRAP_SUPERUSER)
            row_set_text(&row, PG_AUTHID_ROLNAME, superuser);
        TRY(system_row_insert(session, &row));
    }
    return true;
}

/* {postgres=UC/postgres,=U/postgres} of pg_catalog, its like of public. */
static bool grant_schema_usage(CatalogSession *session, Oid namespace, Oid owner)
{
    Acl acl;

    acl_default(session->arena, ON_SCHEMA, owner, &acl);
    acl_grant(session->arena, &acl, owner, ROLE_PUBLIC, ACL_USAGE, false);
    return define_acl(session, (ObjectAddress){RELATION_PG_NAMESPACE, namespace, 0}, &acl);
}

/* Its views come with the scripts; its functions are built in. */
static bool write_information_schema(CatalogSession *session)
{
    CatalogRow row;

    system_row_init(&row, CAT_PG_NAMESPACE);
    row_set_oid(&row, PG_NAMESPACE_OID, NAMESPACE_INFORMATION_SCHEMA);
    row_set_text(&row, PG_NAMESPACE_NSPNAME, STR("information_schema"));
    row_set_oid(&row, PG_NAMESPACE_NSPOWNER, ROLE_BOOTSTRAP_SUPERUSER);
    TRY(system_row_insert(session, &row));
    return grant_schema_usage(session, NAMESPACE_INFORMATION_SCHEMA, ROLE_BOOTSTRAP_SUPERUSER);
}

static bool write_database(CatalogSession *session, Oid oid, Str name, bool is_template,
                           bool allow_connections, Str locale)
{
    CatalogRow row;

    system_row_init(&row, CAT_PG_DATABASE);
    row_set_oid(&row, PG_DATABASE_OID, oid);
    row_set_text(&row, PG_DATABASE_DATNAME, name);
    row_set_oid(&row, PG_DATABASE_DATDBA, ROLE_BOOTSTRAP_SUPERUSER);
    row_set_int32(&row, PG_DATABASE_ENCODING, 6); /* UTF8 */
    row_set_char(&row, PG_DATABASE_DATLOCPROVIDER, 'c');
    row_set_bool(&row, PG_DATABASE_DATISTEMPLATE, is_template);
    row_set_bool(&row, PG_DATABASE_DATALLOWCONN, allow_connections);
    row_set_int32(&row, PG_DATABASE_DATCONNLIMIT, -1);
    row_set_int32(&row, PG_DATABASE_DATFROZENXID, 3);
    row_set_int32(&row, PG_DATABASE_DATMINMXID, 1);
    row_set_oid(&row, PG_DATABASE_DATTABLESPACE, TABLESPACE_DEFAULT);
    row_set_text(&row, PG_DATABASE_DATCOLLATE, locale);
    row_set_text(&row, PG_DATABASE_DATCTYPE, locale);
    if (is_template) {
        Acl acl = {0};
        acl_grant(session->arena, &acl, ROLE_BOOTSTRAP_SUPERUSER, ROLE_PUBLIC, ACL_CONNECT, false);
        acl_grant(session->arena, &acl, ROLE_BOOTSTRAP_SUPERUSER, ROLE_BOOTSTRAP_SUPERUSER,
                  acl_all_rights(ON_DATABASE), false);
        TRY(acl_to_value(session->arena, &acl, &row.values[PG_DATABASE_DATACL]));
        row.nulls[PG_DATABASE_DATACL] = false;
    }
    return system_row_insert(session, &row);
}

static bool set_superuser_password(CatalogSession *session, Str verifier)
{
    CatalogRow row;
    const Value key = {.oid = ROLE_BOOTSTRAP_SUPERUSER};

    if (str_is_none(verifier) || verifier.length == 0)
        return true;
    TRY(system_row_find(session, INDEX_PG_AUTHID_OID_INDEX, &key, 1, &row));
    row_set_text(&row, PG_AUTHID_ROLPASSWORD, verifier);
    return system_row_update(session, &row);
}

static bool comment_standard_objects(CatalogSession *session)
{
    static const struct {
        Oid class_oid, oid;
        const char *text;
    } comments[] = {
        {RELATION_PG_NAMESPACE, NAMESPACE_PG_CATALOG, "system catalog schema"},
        {RELATION_PG_NAMESPACE, NAMESPACE_PG_TOAST, "reserved schema for TOAST tables"},
        {RELATION_PG_NAMESPACE, NAMESPACE_PUBLIC, "standard public schema"},
        {RELATION_PG_DATABASE, DATABASE_TEMPLATE1, "default template for new databases"},
        {RELATION_PG_DATABASE, DATABASE_TEMPLATE0, "unmodifiable empty database"},
        {RELATION_PG_DATABASE, DATABASE_POSTGRES, "default administrative connection database"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(comments); i++)
        TRY(define_comment(session, (ObjectAddress){comments[i].class_oid, comments[i].oid, 0},
                           str_from_c(comments[i].text)));
    return true;
}

static bool initial_acls(CatalogSession *session)
{
    for (int i = 0; i < CATALOG_TABLE_COUNT; i++) {
        Acl acl;
        table_acl(session, &catalog_tables[i], &acl);
        TRY(define_initial_acl(session, (ObjectAddress){RELATION_PG_CLASS, catalog_tables[i].oid},
                               &acl));
    }
    return true;
}

/* Rows that depend on nothing in the tables: they are built in. */
static bool write_rows(CatalogSession *session, const CatalogBootstrapOptions *options)
{
    const Str superuser = options->superuser.length ? options->superuser : STR("postgres");
    const Str locale = options->locale.length ? options->locale : STR("C.UTF-8");

    for (int i = 0; i < CATALOG_TABLE_COUNT; i++)
        TRY(describe_table(session, &catalog_tables[i]));
    for (int i = 0; i < CATALOG_INDEX_COUNT; i++)
        TRY(describe_index(session, &catalog_indexes[i]));
    TRY(write_types(session));
    TRY(write_functions(session));
    TRY(write_aggregates(session));
    TRY(write_operators(session));
    TRY(write_casts(session));
    TRY(write_opclasses(session));
    TRY(write_opfamily_members(session));
    TRY(write_collations(session));
    for (size_t i = 0; i < builtin_rows_count; i++)
        TRY(write_text_rows(session, &builtin_rows[i], superuser));
    TRY(write_database(session, DATABASE_TEMPLATE1, STR("template1"), true, true, locale));
    TRY(write_database(session, DATABASE_TEMPLATE0, STR("template0"), true, false, locale));
    return write_database(session, DATABASE_POSTGRES, STR("postgres"), false, true, locale);
}

static bool load_rows(CatalogSession *session, const CatalogBootstrapOptions *options)
{
    SystemLoad *load = system_load_begin(session);
    const bool ok = write_rows(session, options) && system_load_finish(load);

    system_load_free(load);
    return ok;
}

static bool write_everything(CatalogSession *session, const CatalogBootstrapOptions *options)
{
    TRY(trees_make(session));
    TRY(load_rows(session, options));
    TRY(initial_acls(session));
    TRY(grant_schema_usage(session, NAMESPACE_PG_CATALOG, ROLE_BOOTSTRAP_SUPERUSER));
    TRY(grant_schema_usage(session, NAMESPACE_PUBLIC, 6171));
    TRY(write_information_schema(session));
    TRY(set_superuser_password(session, options->superuser_verifier));
    return comment_standard_objects(session);
}

/* Runs `work` in a transaction of its own with a superuser's session in `database`. */
typedef bool BootstrapWork(CatalogSession *session, const CatalogBootstrapOptions *options);

static bool run_in_transaction(Catalog *catalog, Oid database, BootstrapWork *work,
                               const CatalogBootstrapOptions *options)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("bootstrap");
    TxnSession *txn_session_ = txn_session_open(catalog->manager, 0);
    CatalogSession session;
    bool ok = false;

    TRY(txn_session_);
    catalog_session_init(&session, catalog, arena);
    session.arena = arena;
    session.txn = txn_begin(txn_session_, &(TxnOptions){.isolation = ISOLATION_READ_COMMITTED});
    if (session.txn) {
        ok = txn_statement_begin(session.txn) &&
             catalog_session_connect(&session, database, ROLE_BOOTSTRAP_SUPERUSER) &&
             work(&session, options);
        if (ok)
            ok = txn_commit(session.txn) && txn_wait_durable(txn_session_);
        else
            txn_rollback(session.txn);
    }
    catalog_session_end_transaction(&session, ok);
    catalog_session_deinit(&session);
    txn_session_close(txn_session_);
    return ok;
}

static bool create_template1(CatalogSession *session, const CatalogBootstrapOptions *options)
{
    (void)options;
    return txn_database_create(session->txn, DATABASE_TEMPLATE1);
}

bool catalog_bootstrap(TxnManager *manager, const CatalogBootstrapOptions *options)
{
    Catalog *catalog;
    bool ok;

    TRY(catalog_open(manager, &catalog));
    catalog_set_bootstrapping(catalog, true);
    ok = run_in_transaction(catalog, DATABASE_TEMPLATE1, create_template1, options) &&
         run_in_transaction(catalog, DATABASE_TEMPLATE1, write_everything, options);
    catalog_close(catalog);
    return ok;
}

static bool clone_templates(CatalogSession *session, const CatalogBootstrapOptions *options)
{
    (void)options;
    TRY(txn_database_clone(session->txn, DATABASE_TEMPLATE1, DATABASE_TEMPLATE0));
    return txn_database_clone(session->txn, DATABASE_TEMPLATE1, DATABASE_POSTGRES);
}

bool catalog_bootstrap_finish(Catalog *catalog)
{
    return run_in_transaction(catalog, SHARED_DATABASE, clone_templates, NULL);
}

static bool name_superuser(CatalogSession *session, const CatalogBootstrapOptions *options)
{
    const Value key = {.oid = ROLE_BOOTSTRAP_SUPERUSER};
    CatalogRow row;

    TRY(system_row_find(session, INDEX_PG_AUTHID_OID_INDEX, &key, 1, &row));
    row_set_text(&row, PG_AUTHID_ROLNAME, options->superuser);
    return system_row_update(session, &row);
}

bool catalog_bootstrap_rename(TxnManager *manager, Str superuser)
{
    const CatalogBootstrapOptions options = {.superuser = superuser};
    Catalog *catalog;

    TRY(catalog_open(manager, &catalog));
    const bool ok = run_in_transaction(catalog, DATABASE_TEMPLATE1, name_superuser, &options);
    catalog_close(catalog);
    return ok;
}
