/*
 * sengi verify: looks over a data directory that no server has open.
 *
 * First every page of the newest checkpoint and the free space between them; then, database by
 * database, every tree by its relation's name; then, where the directory was shut down cleanly,
 * every index against its table and every sequence against its state. Nothing is written. Exit
 * status: 0 sound, 1 problems or not done.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/offload.h"
#include "base/os.h"
#include "base/vec.h"
#include "catalog/relation.h"
#include "catalog/system_row.h"
#include "executor/executor.h"
#include "executor/verify_index.h"
#include "server/bootstrap.h"
#include "server/command.h"
#include "server/verify_sequences.h"
#include "storage/verify.h"
#include "txn/ddl.h"
#include "txn/txn.h"

#define VERIFY_POOL (256u << 20)
#define PROGRESS_EVERY_US 1000000

/* A tree and what is known of it. */
typedef struct TreeLine {
    TreeId id;
    TreeKind kind;
    Str name; /* "table public.t"; STR_NONE: no relation has it */
    uint64_t rows;
    bool is_sound;
} TreeLine;
typedef VEC(TreeLine) TreeLineVec;

typedef struct Verification {
    Store *store;
    uint64_t problems;
    int64_t shown; /* when progress was last shown */
    bool shows_progress;
    /* Transactions, where the directory is clean. */
    TxnManager *manager;
    Catalog *catalog;
    TxnSession *txn_session;
    ExecSession exec;
    Arena *arena; /* of the database being looked over */
    TreeLineVec trees;
    bool has_seen_shared;
    Str subject; /* what problems are told about */
} Verification;

/* -------- Telling -------- */

static void progress(Verification *v, const char *what, uint64_t done, uint64_t total)
{
    const int64_t now = os->monotonic();

    if (!v->shows_progress || (done < total && now - v->shown < PROGRESS_EVERY_US))
        return;
    v->shown = now;
    fprintf(stderr, "\r%s: %llu of %llu%s", what, (unsigned long long)done,
            (unsigned long long)total, done == total ? "\n" : "");
}

static void tell(Verification *v, Str subject, Str text)
{
    v->problems++;
    printf("PROBLEM: %.*s: %.*s\n", STR_ARGS(subject), STR_ARGS(text));
    fflush(stdout);
}

static void tell_anything(void *context, Str subject, Str text)
{
    tell(context, subject, text);
}

/* A failure that concerns the subject alone. */
static void tell_error(Verification *v, Str subject)
{
    tell(v, subject, error_fields()->message);
    error_clear();
}

static void tell_page(void *context, const StoreProblem *problem)
{
    Verification *v = context;

    tell(v, fmt("database %u, page %u, slot %u", problem->database, problem->page, problem->slot),
         problem->text);
}

static void page_progress(void *context, uint64_t done, uint64_t total)
{
    progress(context, "pages", done, total);
}

/* -------- Which relation a tree is -------- */

static const char *kind_name(RelationKind kind)
{
    return kind == RELKIND_MATVIEW ? "materialized view" : "table";
}

static void name_tree(Verification *v, TreeId id, Str name)
{
    for (size_t i = 0; i < v->trees.length; i++) {
        if (v->trees.items[i].id == id) {
            v->trees.items[i].name = name;
            return;
        }
    }
    tell(v, name, fmt("its tree %u does not exist", id));
}

static void name_relation(Verification *v, const RelationDesc *relation, DatabaseId database)
{
    if (relation->kind != RELKIND_TABLE && relation->kind != RELKIND_MATVIEW &&
        relation->kind != RELKIND_TOAST)
        return;
    if (relation->database != database)
        return;
    name_tree(v, relation->tree,
              str_format(v->arena, "%s %.*s.%.*s", kind_name(relation->kind),
                         STR_ARGS(relation->namespace_name), STR_ARGS(relation->name)));
    for (uint16_t i = 0; i < relation->index_count; i++)
        name_tree(v, relation->indexes[i].tree,
                  str_format(v->arena, "index %.*s.%.*s", STR_ARGS(relation->namespace_name),
                             STR_ARGS(relation->indexes[i].name)));
}

typedef VEC(const RelationDesc *) RelationVec;

/* Tables of the session's database and the shared ones, with their indexes. */
static bool list_relations(Verification *v, RelationVec *relations)
{
    CatalogSession *session = &v->exec.catalog;
    CatalogRowVec rows = {0};

    TRY(system_rows_all(session, CAT_PG_CLASS, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const char kind = row_char(rows.items[i], PG_CLASS_RELKIND);
        if (kind != RELKIND_TABLE && kind != RELKIND_MATVIEW && kind != RELKIND_TOAST)
            continue;
        const Oid oid = row_oid(rows.items[i], PG_CLASS_OID);
        const RelationDesc *relation = relation_find(session, oid);
        if (relation)
            VEC_PUSH(v->arena, relations, relation);
        else if (error_is_set())
            tell_error(v, fmt("relation with OID %u", oid));
    }
    return true;
}

/* -------- Trees -------- */

static bool note_tree(void *context, TreeId id, TreeKind kind)
{
    Verification *v = context;
    const TreeLine line = {.id = id, .kind = kind, .name = STR_NONE};

    VEC_PUSH(v->arena, &v->trees, line);
    return true;
}

static bool tell_lost_page(void *context, uint32_t page_id)
{
    Verification *v = context;

    tell(v, v->subject, fmt("page %u belongs to no tree", page_id));
    return true;
}

static Str tree_name(Verification *v, const TreeLine *line)
{
    if (!str_is_none(line->name))
        return line->name;
    return str_format(v->arena, "tree %u of %.*s", line->id, STR_ARGS(v->subject));
}

static void tell_damage(void *context, const TreeDamage *damage)
{
    Verification *v = context;
    const Str rows = str_copy(v->arena, tree_damage_text(damage));

    tell(v, v->subject,
         damage->is_value
             ? fmt("a large value of %.*s cannot be read", STR_ARGS(rows))
             : fmt("%.*s cannot be read: page %u is damaged", STR_ARGS(rows), damage->page));
}

/* What is wrong, and which rows of a table are gone with it. */
static void tell_unsound(Verification *v, Database *database, const TreeLine *line)
{
    const Str place = v->subject;
    Tree *tree;

    v->subject = tree_name(v, line);
    tell_error(v, v->subject);
    if (line->kind == TREE_TABLE && (!tree_find(database, line->id, &tree) ||
                                     (tree && !tree_list_damage(tree, tell_damage, v))))
        tell_error(v, v->subject);
    v->subject = place;
}

/* Invariants of every tree; pages that none of them has. */
static void verify_trees(Verification *v, Database *database)
{
    TreeReach *reach = tree_reach_new(database);
    TreeReport report;
    bool all_sound;
    uint64_t lost;

    if (!reach) {
        tell_error(v, v->subject);
        return;
    }
    all_sound = tree_reach_tree(reach, TREE_DIRECTORY, &report);
    if (!all_sound)
        tell_error(v, str_format(v->arena, "tree directory of %.*s", STR_ARGS(v->subject)));
    for (size_t i = 0; i < v->trees.length; i++) {
        TreeLine *line = &v->trees.items[i];
        line->is_sound = tree_reach_tree(reach, line->id, &report);
        all_sound &= line->is_sound;
        if (line->is_sound)
            line->rows = report.rows;
        else
            tell_unsound(v, database, line);
        progress(v, "trees", i + 1, v->trees.length);
    }
    /* A checkpoint in the middle of an operation may have some; recovery frees them. */
    if (all_sound && !store_has_loose_pages(v->store) &&
        !tree_reach_lost(reach, tell_lost_page, v, &lost))
        tell_error(v, v->subject);
    tree_reach_free(reach);
}

/* -------- Indexes -------- */

static void tell_entry(void *context, int64_t row_id, Str text)
{
    Verification *v = context;

    tell(v, v->subject, fmt("row %lld: %.*s", (long long)row_id, STR_ARGS(text)));
}

static const TreeLine *find_line(const Verification *v, TreeId id)
{
    for (size_t i = 0; i < v->trees.length; i++)
        if (v->trees.items[i].id == id)
            return &v->trees.items[i];
    return NULL;
}

static void verify_index(Verification *v, const RelationDesc *table, const IndexDesc *index)
{
    const TreeLine *rows = find_line(v, table->tree), *entries = find_line(v, index->tree);

    /* One that was left behind unfinished is not kept up. Damage has been told. */
    if (!index->is_valid || !index->is_ready || !rows || !entries || !rows->is_sound ||
        !entries->is_sound)
        return;
    v->subject = entries->name;
    if (!executor_verify_index(&v->exec, table, index->oid, entries->rows, tell_entry, v))
        tell_error(v, entries->name);
}

static void verify_indexes(Verification *v, const RelationVec *relations, DatabaseId database)
{
    for (size_t i = 0; i < relations->length; i++) {
        const RelationDesc *table = relations->items[i];
        for (uint16_t k = 0; table->database == database && k < table->index_count; k++)
            verify_index(v, table, &table->indexes[k]);
        progress(v, "tables and their indexes", i + 1, relations->length);
    }
}

/* -------- Databases -------- */

static bool verify_place(Verification *v, DatabaseId id, const RelationVec *relations)
{
    Database *database = store_database(v->store, id);

    if (!database)
        FAIL(ERR_DATA_CORRUPTED, .message = fmt("the store has no database %u", id));
    v->subject =
        id == DATABASE_SHARED ? STR("the shared tables") : str_format(v->arena, "database %u", id);
    v->trees.length = 0;
    TRY(tree_list(database, note_tree, v));
    for (size_t i = 0; relations && i < relations->length; i++)
        name_relation(v, relations->items[i], id);
    for (size_t i = 0; i < v->trees.length; i++) {
        TreeLine *line = &v->trees.items[i];
        if (line->kind == TREE_KEY_VALUE)
            line->name = str_format(v->arena, "sequences of %.*s", STR_ARGS(v->subject));
        else if (relations && str_is_none(line->name))
            tell(v, tree_name(v, line), STR("no relation has it"));
    }
    printf("%.*s: %llu trees\n", STR_ARGS(v->subject), (unsigned long long)v->trees.length);
    fflush(stdout);
    verify_trees(v, database);
    if (relations)
        verify_indexes(v, relations, id);
    return true;
}

/* As one transaction in that database. */
static bool verify_contents(Verification *v, DatabaseId id)
{
    CatalogSession *session = &v->exec.catalog;
    RelationVec relations = {0};

    TRY(catalog_session_connect(session, id, ROLE_BOOTSTRAP_SUPERUSER));
    session->txn = txn_begin(
        v->txn_session, &(TxnOptions){.isolation = ISOLATION_REPEATABLE_READ, .read_only = true});
    TRY(session->txn);
    bool ok = txn_statement_begin(session->txn) && list_relations(v, &relations);
    if (!ok) {
        /* The trees can be looked over without names. */
        tell_error(v, fmt("catalog of database %u", id));
        ok = verify_place(v, id, NULL);
    } else {
        if (!v->has_seen_shared)
            ok = verify_place(v, DATABASE_SHARED, &relations);
        v->has_seen_shared = true;
        ok = ok && verify_place(v, id, &relations) &&
             verify_sequences(session, v->manager, id, tell_anything, v);
    }
    txn_rollback(session->txn);
    session->txn = NULL;
    catalog_session_end_transaction(session, false);
    return ok;
}

typedef struct DatabaseIds {
    Arena *arena;
    OidVec ids;
} DatabaseIds;

static bool note_database(void *context, Database *database)
{
    DatabaseIds *list = context;

    VEC_PUSH(list->arena, &list->ids, database->id);
    return true;
}

static bool verify_databases(Verification *v, Arena *arena, bool has_contents)
{
    DatabaseIds list = {.arena = arena};
    bool ok = true;

    store_databases(v->store, note_database, &list);
    for (size_t i = 0; ok && i < list.ids.length; i++) {
        const DatabaseId id = list.ids.items[i];
        v->arena = v->exec.catalog.arena = arena_new("verification");
        v->trees = (TreeLineVec){0};
        if (!has_contents)
            ok = verify_place(v, id, NULL);
        else if (id != DATABASE_SHARED)
            ok = verify_contents(v, id);
        arena_free(v->arena);
    }
    return ok;
}

/* With transactions, so that rows and names can be read. */
static bool verify_clean(Verification *v, Arena *arena)
{
    TRY(txn_manager_open(v->store, NULL, &v->manager));
    bool ok = catalog_open(v->manager, &v->catalog);
    if (ok) {
        v->txn_session = txn_session_open(v->manager, 1);
        catalog_session_init(&v->exec.catalog, v->catalog, arena);
        ok = v->txn_session && verify_databases(v, arena, true);
        catalog_session_deinit(&v->exec.catalog);
        txn_session_close(v->txn_session);
        catalog_close(v->catalog);
    }
    txn_manager_close(v->manager);
    return ok;
}

static bool verify_store(Verification *v, Arena *arena)
{
    uint64_t count;

    printf("pages, checksums, slots\n");
    fflush(stdout);
    store_on_verify_progress(v->store, page_progress, v);
    TRY(store_verify(v->store, tell_page, v, &count));
    if (store_is_clean(v->store))
        return verify_clean(v, arena);
    printf("the directory was not shut down cleanly: its log is not applied, and indexes are not\n"
           "compared with their tables; start the server, stop it, and verify again for that\n");
    return verify_databases(v, arena, false);
}

static bool verify_directory(const char *directory, Verification *v)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("verification of a directory");

    printf("verifying %s\n", directory);
    TRY(server_check_version(str_from_c(directory)));
    v->store = store_open(str_from_c(directory),
                          &(StoreOptions){.pool_bytes = VERIFY_POOL, .read_only = true});
    TRY(v->store);
    const bool ok = verify_store(v, arena);
    store_close(v->store, STORE_CLOSE_ABORT);
    return ok;
}

int command_verify(int count, char **arguments)
{
    Verification verification = {.shows_progress = isatty(STDERR_FILENO)};

    if (count != 1 || arguments[0][0] == '-') {
        fputs("usage: sengi verify DIR\n", stderr);
        return 2;
    }
    const bool ok = verify_directory(arguments[0], &verification);
    offload_stop();
    if (!ok)
        return command_failed();
    printf("%llu problem%s\n", (unsigned long long)verification.problems,
           verification.problems == 1 ? "" : "s");
    return verification.problems > 0;
}
