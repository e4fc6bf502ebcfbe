// ---- Transactions -----------------------------------------------------------------------------------

%type transaction_mode_list {DefElemVec}
%type transaction_mode_list_or_empty {DefElemVec}
%type transaction_mode_item {DefElem *}
%type iso_level {Token}
%type opt_transaction {int}
%type opt_transaction_chain {bool}
transaction_stmt(A) ::= ABORT(T) opt_transaction opt_transaction_chain(C). { A = transaction(p, TRANS_STMT_ROLLBACK, NULL, C, T.position); }
transaction_stmt(A) ::= START(T) TRANSACTION transaction_mode_list_or_empty(L). { A = transaction(p, TRANS_STMT_START, &L, false, T.position); }
transaction_stmt(A) ::= COMMIT(T) opt_transaction opt_transaction_chain(C). { A = transaction(p, TRANS_STMT_COMMIT, NULL, C, T.position); }
transaction_stmt(A) ::= ROLLBACK(T) opt_transaction opt_transaction_chain(C). { A = transaction(p, TRANS_STMT_ROLLBACK, NULL, C, T.position); }
transaction_stmt(A) ::= SAVEPOINT(T) col_id(N). { A = transaction_savepoint(p, TRANS_STMT_SAVEPOINT, N, T.position); }
transaction_stmt(A) ::= RELEASE(T) SAVEPOINT col_id(N). { A = transaction_savepoint(p, TRANS_STMT_RELEASE, N, T.position); }
transaction_stmt(A) ::= RELEASE(T) col_id(N). { A = transaction_savepoint(p, TRANS_STMT_RELEASE, N, T.position); }
transaction_stmt(A) ::= ROLLBACK(T) opt_transaction TO SAVEPOINT col_id(N). { A = transaction_savepoint(p, TRANS_STMT_ROLLBACK_TO, N, T.position); }
transaction_stmt(A) ::= ROLLBACK(T) opt_transaction TO col_id(N). { A = transaction_savepoint(p, TRANS_STMT_ROLLBACK_TO, N, T.position); }
transaction_stmt(A) ::= PREPARE(T) TRANSACTION sconst(G). { A = transaction_prepared(p, TRANS_STMT_PREPARE, G, T.position); }
transaction_stmt(A) ::= COMMIT(T) PREPARED sconst(G). { A = transaction_prepared(p, TRANS_STMT_COMMIT_PREPARED, G, T.position); }
transaction_stmt(A) ::= ROLLBACK(T) PREPARED sconst(G). { A = transaction_prepared(p, TRANS_STMT_ROLLBACK_PREPARED, G, T.position); }
transaction_stmt_legacy(A) ::= BEGIN(T) opt_transaction transaction_mode_list_or_empty(L). { A = transaction(p, TRANS_STMT_BEGIN, &L, false, T.position); }
transaction_stmt_legacy(A) ::= END(T) opt_transaction opt_transaction_chain(C). { A = transaction(p, TRANS_STMT_COMMIT, NULL, C, T.position); }
opt_transaction(A) ::= WORK. { A = 0; }
opt_transaction(A) ::= TRANSACTION. { A = 0; }
opt_transaction(A) ::= . { A = 0; }
opt_transaction_chain(A) ::= AND CHAIN. { A = true; }
opt_transaction_chain(A) ::= AND NO CHAIN. { A = false; }
opt_transaction_chain(A) ::= . { A = false; }
transaction_mode_item(A) ::= ISOLATION(T) LEVEL iso_level(L). { A = def_named(p, "transaction_isolation", const_string(p, L), T.position); }
transaction_mode_item(A) ::= READ(T) ONLY. { A = def_named(p, "transaction_read_only", const_integer(p, 1, T.position), T.position); }
transaction_mode_item(A) ::= READ(T) WRITE. { A = def_named(p, "transaction_read_only", const_integer(p, 0, T.position), T.position); }
transaction_mode_item(A) ::= DEFERRABLE(T). { A = def_named(p, "transaction_deferrable", const_integer(p, 1, T.position), T.position); }
transaction_mode_item(A) ::= NOT(T) DEFERRABLE. { A = def_named(p, "transaction_deferrable", const_integer(p, 0, T.position), T.position); }
iso_level(A) ::= READ(T) UNCOMMITTED. { A = token_word(T, "read uncommitted"); }
iso_level(A) ::= READ(T) COMMITTED. { A = token_word(T, "read committed"); }
iso_level(A) ::= REPEATABLE(T) READ. { A = token_word(T, "repeatable read"); }
iso_level(A) ::= SERIALIZABLE(T). { A = token_word(T, "serializable"); }
transaction_mode_list(A) ::= transaction_mode_item(I). { A = EMPTY(DefElemVec); PUSH(A, I); }
transaction_mode_list(A) ::= transaction_mode_list(A) COMMA transaction_mode_item(I). { PUSH(A, I); }
transaction_mode_list(A) ::= transaction_mode_list(A) transaction_mode_item(I). { PUSH(A, I); }
transaction_mode_list_or_empty ::= transaction_mode_list.
transaction_mode_list_or_empty(A) ::= . { A = EMPTY(DefElemVec); }
constraints_set_stmt(A) ::= SET(T) CONSTRAINTS ALL constraints_set_mode(M). { ConstraintsSetStmt *s = NEW(ConstraintsSetStmt, T.position); s->deferred = M; A = (Node *)s; }
constraints_set_stmt(A) ::= SET(T) CONSTRAINTS qualified_name_list(L) constraints_set_mode(M). { ConstraintsSetStmt *s = NEW(ConstraintsSetStmt, T.position); s->constraints = L; s->deferred = M; A = (Node *)s; }
%type constraints_set_mode {bool}
constraints_set_mode(A) ::= DEFERRED. { A = true; }
constraints_set_mode(A) ::= IMMEDIATE. { A = false; }
check_point_stmt(A) ::= CHECKPOINT(T). { A = (Node *)NEW(CheckPointStmt, T.position); }
discard_stmt(A) ::= DISCARD(T) ALL. { A = discard(p, DISCARD_ALL, T.position); }
discard_stmt(A) ::= DISCARD(T) TEMP. { A = discard(p, DISCARD_TEMP, T.position); }
discard_stmt(A) ::= DISCARD(T) TEMPORARY. { A = discard(p, DISCARD_TEMP, T.position); }
discard_stmt(A) ::= DISCARD(T) PLANS. { A = discard(p, DISCARD_PLANS, T.position); }
discard_stmt(A) ::= DISCARD(T) SEQUENCES. { A = discard(p, DISCARD_SEQUENCES, T.position); }

// ---- Settings -----------------------------------------------------------------------------------

%type set_rest {VariableSetStmt *}
%type set_rest_more {VariableSetStmt *}
%type generic_set {VariableSetStmt *}
%type reset_rest {VariableSetStmt *}
%type generic_reset {VariableSetStmt *}
%type set_reset_clause {VariableSetStmt *}
%type var_name {Token}
%type var_list {NodeVec}
%type opt_encoding {Token}
variable_set_stmt(A) ::= SET(T) set_rest(S). { A = (Node *)S; A->position = T.position; }
variable_set_stmt(A) ::= SET(T) LOCAL set_rest(S). { S->is_local = true; A = (Node *)S; A->position = T.position; }
variable_set_stmt(A) ::= SET(T) SESSION set_rest(S). { A = (Node *)S; A->position = T.position; }
variable_set_stmt(A) ::= RESET(T) reset_rest(S). { A = (Node *)S; A->position = T.position; }
set_rest(A) ::= TRANSACTION transaction_mode_list(L). { A = variable_multi(p, "TRANSACTION", &L); }
set_rest(A) ::= SESSION CHARACTERISTICS AS TRANSACTION transaction_mode_list(L). { A = variable_multi(p, "SESSION CHARACTERISTICS", &L); }
set_rest ::= set_rest_more.
generic_set(A) ::= var_name(N) TO var_list(L). { A = variable_set(p, VAR_SET_VALUE, N.text, &L); }
generic_set(A) ::= var_name(N) EQ var_list(L). { A = variable_set(p, VAR_SET_VALUE, N.text, &L); }
generic_set(A) ::= var_name(N) TO DEFAULT. { A = variable_set(p, VAR_SET_DEFAULT, N.text, NULL); }
generic_set(A) ::= var_name(N) EQ DEFAULT. { A = variable_set(p, VAR_SET_DEFAULT, N.text, NULL); }
set_rest_more ::= generic_set.
set_rest_more(A) ::= var_name(N) FROM CURRENT. { A = variable_set(p, VAR_SET_CURRENT, N.text, NULL); }
set_rest_more(A) ::= TIME ZONE zone_value(V). { A = variable_set_one(p, "timezone", V); }
set_rest_more(A) ::= CATALOG(T) sconst. { A = variable_set(p, VAR_SET_DEFAULT, STR("search_path"), NULL); grammar_fail_unsupported(p, "current database cannot be changed", T.position); }
set_rest_more(A) ::= SCHEMA sconst(V). { A = variable_set_one(p, "search_path", const_string(p, V)); }
set_rest_more(A) ::= NAMES opt_encoding(V). { A = variable_set_one(p, "client_encoding", V.position ? const_string(p, V) : NULL); }
set_rest_more(A) ::= ROLE non_reserved_word_or_sconst(V). { A = variable_set_one(p, "role", const_string(p, V)); }
set_rest_more(A) ::= SESSION AUTHORIZATION non_reserved_word_or_sconst(V). { A = variable_set_one(p, "session_authorization", const_string(p, V)); }
set_rest_more(A) ::= SESSION AUTHORIZATION DEFAULT. { A = variable_set_one(p, "session_authorization", NULL); }
set_rest_more(A) ::= XML OPTION DOCUMENT(T). { A = variable_set_one(p, "xmloption", const_string(p, T)); }
set_rest_more(A) ::= XML OPTION CONTENT(T). { A = variable_set_one(p, "xmloption", const_string(p, T)); }
set_rest_more(A) ::= TRANSACTION SNAPSHOT sconst(V). { A = variable_set_one(p, "TRANSACTION SNAPSHOT", const_string(p, V)); A->kind = VAR_SET_MULTI; }
var_name ::= col_id.
var_name(A) ::= var_name(N) DOT col_id(M). { A = token_join(p, N, M); }
var_list(A) ::= var_value(V). { A = EMPTY(NodeVec); PUSH(A, V); }
var_list(A) ::= var_list(A) COMMA var_value(V). { PUSH(A, V); }
var_value(A) ::= opt_boolean_or_string(T). { A = const_string(p, T); }
var_value ::= numeric_only.
zone_value(A) ::= sconst(T). { A = const_string(p, T); }
zone_value(A) ::= IDENT(T). { A = const_string(p, T); }
zone_value(A) ::= const_interval(I) sconst(T) opt_interval(M). { A = zone_interval(p, &M, I, T); }
zone_value(A) ::= const_interval(I) LPAREN iconst(N) RPAREN sconst(T). { NodeVec mods = interval_precision(p, INTERVAL_FULL_RANGE, N, I.position); A = const_typed(p, type_system_mods(p, "interval", &mods, I.position), T); }
zone_value ::= numeric_only.
zone_value(A) ::= DEFAULT. { A = NULL; }
zone_value(A) ::= LOCAL. { A = NULL; }
opt_encoding ::= sconst.
opt_encoding(A) ::= DEFAULT. { A = EMPTY(Token); }
opt_encoding(A) ::= . { A = EMPTY(Token); }
reset_rest ::= generic_reset.
reset_rest(A) ::= TIME ZONE. { A = variable_set(p, VAR_RESET, STR("timezone"), NULL); }
reset_rest(A) ::= TRANSACTION ISOLATION LEVEL. { A = variable_set(p, VAR_RESET, STR("transaction_isolation"), NULL); }
reset_rest(A) ::= SESSION AUTHORIZATION. { A = variable_set(p, VAR_RESET, STR("session_authorization"), NULL); }
generic_reset(A) ::= var_name(N). { A = variable_set(p, VAR_RESET, N.text, NULL); }
generic_reset(A) ::= ALL. { A = variable_set(p, VAR_RESET_ALL, STR_NONE, NULL); }
set_reset_clause(A) ::= SET(T) set_rest(S). { A = S; A->node.position = T.position; }
set_reset_clause(A) ::= RESET(T) reset_rest(S). { A = S; A->node.position = T.position; }
variable_show_stmt(A) ::= SHOW(T) var_name(N). { A = variable_show(p, N.text, T.position); }
variable_show_stmt(A) ::= SHOW(T) TIME ZONE. { A = variable_show(p, STR("timezone"), T.position); }
variable_show_stmt(A) ::= SHOW(T) TRANSACTION ISOLATION LEVEL. { A = variable_show(p, STR("transaction_isolation"), T.position); }
variable_show_stmt(A) ::= SHOW(T) SESSION AUTHORIZATION. { A = variable_show(p, STR("session_authorization"), T.position); }
variable_show_stmt(A) ::= SHOW(T) ALL. { A = variable_show(p, STR("all"), T.position); }
alter_system_stmt(A) ::= ALTER(T) SYSTEM SET generic_set(S). { AlterSystemStmt *s = NEW(AlterSystemStmt, T.position); s->setstmt = S; A = (Node *)s; }
alter_system_stmt(A) ::= ALTER(T) SYSTEM RESET generic_reset(S). { AlterSystemStmt *s = NEW(AlterSystemStmt, T.position); s->setstmt = S; A = (Node *)s; }

// ---- VACUUM, ANALYZE, CLUSTER, REINDEX, LOCK, COPY ----------------------------------------------------

%type opt_full {Token}
%type opt_freeze {Token}
%type opt_analyze {Token}
%type vacuum_relation_list {VacuumRelationVec}
%type opt_vacuum_relation_list {VacuumRelationVec}
%type vacuum_relation {VacuumRelation *}
vacuum_stmt(A) ::= VACUUM(T) opt_full(F) opt_freeze(Z) opt_verbose(V) opt_analyze(Y) opt_vacuum_relation_list(L). { A = vacuum_old(p, (Token[]){F, Z, V, Y}, &L, T.position); }
vacuum_stmt(A) ::= VACUUM(T) LPAREN utility_option_list(O) RPAREN opt_vacuum_relation_list(L). { A = vacuum(p, true, &O, &L, T.position); }
vacuum_stmt(A) ::= analyze_keyword(T) opt_verbose(V) opt_vacuum_relation_list(L). { DefElemVec o = {0}; if (V.position) PUSH(o, def_elem(p, V, NULL)); A = vacuum(p, false, &o, &L, T.position); }
vacuum_stmt(A) ::= analyze_keyword(T) LPAREN utility_option_list(O) RPAREN opt_vacuum_relation_list(L). { A = vacuum(p, false, &O, &L, T.position); }
opt_full ::= FULL.
opt_full(A) ::= . { A = EMPTY(Token); }
opt_freeze ::= FREEZE.
opt_freeze(A) ::= . { A = EMPTY(Token); }
opt_analyze ::= analyze_keyword.
opt_analyze(A) ::= . { A = EMPTY(Token); }
vacuum_relation(A) ::= qualified_name(R) opt_name_list(L). { A = NEW(VacuumRelation, R->node.position); A->relation = R; A->va_cols = L; }
vacuum_relation_list(A) ::= vacuum_relation(R). { A = EMPTY(VacuumRelationVec); PUSH(A, R); }
vacuum_relation_list(A) ::= vacuum_relation_list(A) COMMA vacuum_relation(R). { PUSH(A, R); }
opt_vacuum_relation_list ::= vacuum_relation_list.
opt_vacuum_relation_list(A) ::= . { A = EMPTY(VacuumRelationVec); }
cluster_stmt(A) ::= CLUSTER(T) opt_verbose(V) qualified_name(R) cluster_index_specification(I). { DefElemVec o = {0}; if (V.position) PUSH(o, def_elem(p, V, NULL)); A = cluster(p, R, I, &o, T.position); }
cluster_stmt(A) ::= CLUSTER(T) LPAREN utility_option_list(O) RPAREN qualified_name(R) cluster_index_specification(I). { A = cluster(p, R, I, &O, T.position); }
cluster_stmt(A) ::= CLUSTER(T) opt_verbose(V). { DefElemVec o = {0}; if (V.position) PUSH(o, def_elem(p, V, NULL)); A = cluster(p, NULL, STR_NONE, &o, T.position); }
cluster_stmt(A) ::= CLUSTER(T) opt_verbose(V) name(I) ON qualified_name(R). { DefElemVec o = {0}; if (V.position) PUSH(o, def_elem(p, V, NULL)); A = cluster(p, R, I.text, &o, T.position); }
%type cluster_index_specification {Str}
cluster_index_specification(A) ::= USING name(N). { A = N.text; }
cluster_index_specification(A) ::= . { A = STR_NONE; }
%type reindex_target_type {int}
%type reindex_target_multitable {int}
%type opt_reindex_options {DefElemVec}
reindex_stmt(A) ::= REINDEX(T) opt_reindex_options(O) reindex_target_type(K) opt_concurrently(C) qualified_name(R). { A = reindex(p, &(ReindexStmt){.kind = (ReindexObjectType)K, .relation = R, .params = O}, C, T.position); }
reindex_stmt(A) ::= REINDEX(T) opt_reindex_options(O) reindex_target_multitable(K) opt_concurrently(C) name(N). { A = reindex(p, &(ReindexStmt){.kind = (ReindexObjectType)K, .name = N.text, .params = O}, C, T.position); }
opt_reindex_options(A) ::= LPAREN utility_option_list(O) RPAREN. { A = O; }
opt_reindex_options(A) ::= . { A = EMPTY(DefElemVec); }
reindex_target_type(A) ::= INDEX. { A = REINDEX_OBJECT_INDEX; }
reindex_target_type(A) ::= TABLE. { A = REINDEX_OBJECT_TABLE; }
reindex_target_multitable(A) ::= SCHEMA. { A = REINDEX_OBJECT_SCHEMA; }
reindex_target_multitable(A) ::= SYSTEM. { A = REINDEX_OBJECT_SYSTEM; }
reindex_target_multitable(A) ::= DATABASE. { A = REINDEX_OBJECT_DATABASE; }
%type opt_lock {int}
%type lock_type {int}
%type opt_nowait {bool}
lock_stmt(A) ::= LOCK(T) opt_table relation_expr_list(L) opt_lock(M) opt_nowait(W). { LockStmt *s = NEW(LockStmt, T.position); s->relations = L; s->mode = M; s->nowait = W; A = (Node *)s; }
opt_lock(A) ::= IN lock_type(M) MODE. { A = M; }
opt_lock(A) ::= . { A = 8; }
lock_type(A) ::= ACCESS SHARE. { A = 1; }
lock_type(A) ::= ROW SHARE. { A = 2; }
lock_type(A) ::= ROW EXCLUSIVE. { A = 3; }
lock_type(A) ::= SHARE UPDATE EXCLUSIVE. { A = 4; }
lock_type(A) ::= SHARE. { A = 5; }
lock_type(A) ::= SHARE ROW EXCLUSIVE. { A = 6; }
lock_type(A) ::= EXCLUSIVE. { A = 7; }
lock_type(A) ::= ACCESS EXCLUSIVE. { A = 8; }
opt_nowait(A) ::= NOWAIT. { A = true; }
opt_nowait(A) ::= . { A = false; }

%type copy_from {bool}
%type opt_program {bool}
%type copy_file_name {Str}
%type copy_options {DefElemVec}
%type copy_opt_list {DefElemVec}
%type copy_opt_item {DefElem *}
%type copy_generic_opt_list {DefElemVec}
%type copy_generic_opt_elem {DefElem *}
%type copy_generic_opt_arg_list {NodeVec}
%type copy_delimiter {DefElem *}
%type opt_binary {DefElem *}
copy_stmt(A) ::= COPY(T) opt_binary(B) qualified_name(R) opt_column_list(L) copy_from(F) opt_program(P) copy_file_name(N) copy_delimiter(D) opt_with copy_options(O). { A = copy_stmt(p, &(CopyParts){.binary = B, .relation = R, .columns = L, .is_from = F, .is_program = P, .filename = N, .delimiter = D, .options = O}, T.position); }
copy_stmt(A) ::= COPY(T) opt_binary(B) qualified_name(R) opt_column_list(L) copy_from(F) opt_program(P) copy_file_name(N) copy_delimiter(D) opt_with copy_options(O) WHERE(X) a_expr(W). { A = copy_stmt(p, &(CopyParts){.binary = B, .relation = R, .columns = L, .is_from = F, .is_program = P, .filename = N, .delimiter = D, .options = O, .where = W, .where_position = X.position}, T.position); }
copy_stmt(A) ::= COPY(T) LPAREN preparable_stmt(Q) RPAREN TO opt_program(P) copy_file_name(N) opt_with copy_options(O). { A = copy_stmt(p, &(CopyParts){.query = Q, .is_program = P, .filename = N, .options = O}, T.position); }
copy_from(A) ::= FROM. { A = true; }
copy_from(A) ::= TO. { A = false; }
opt_program(A) ::= PROGRAM. { A = true; }
opt_program(A) ::= . { A = false; }
copy_file_name(A) ::= sconst(T). { A = T.text; }
copy_file_name(A) ::= STDIN. { A = STR_NONE; }
copy_file_name(A) ::= STDOUT. { A = STR_NONE; }
copy_options ::= copy_opt_list.
copy_options(A) ::= LPAREN copy_generic_opt_list(L) RPAREN. { A = L; }
copy_opt_list(A) ::= copy_opt_list(A) copy_opt_item(I). { PUSH(A, I); }
copy_opt_list(A) ::= . { A = EMPTY(DefElemVec); }
copy_opt_item(A) ::= BINARY(T). { A = def_text(p, "format", "binary", T.position); }
copy_opt_item(A) ::= FREEZE(T). { A = def_bool(p, "freeze", true, T.position); }
copy_opt_item(A) ::= DELIMITER(T) opt_as sconst(S). { A = def_named(p, "delimiter", const_string(p, S), T.position); }
copy_opt_item(A) ::= NULL(T) opt_as sconst(S). { A = def_named(p, "null", const_string(p, S), T.position); }
copy_opt_item(A) ::= CSV(T). { A = def_text(p, "format", "csv", T.position); }
copy_opt_item(A) ::= HEADER(T). { A = def_bool(p, "header", true, T.position); }
copy_opt_item(A) ::= QUOTE(T) opt_as sconst(S). { A = def_named(p, "quote", const_string(p, S), T.position); }
copy_opt_item(A) ::= ESCAPE(T) opt_as sconst(S). { A = def_named(p, "escape", const_string(p, S), T.position); }
copy_opt_item(A) ::= FORCE(T) QUOTE columnList(L). { A = def_named(p, "force_quote", strings_node(p, &L), T.position); }
copy_opt_item(A) ::= FORCE(T) QUOTE STAR. { A = def_named(p, "force_quote", (Node *)NEW(A_Star, T.position), T.position); }
copy_opt_item(A) ::= FORCE(T) NOT NULL columnList(L). { A = def_named(p, "force_not_null", strings_node(p, &L), T.position); }
copy_opt_item(A) ::= FORCE(T) NULL columnList(L). { A = def_named(p, "force_null", strings_node(p, &L), T.position); }
copy_opt_item(A) ::= ENCODING(T) sconst(S). { A = def_named(p, "encoding", const_string(p, S), T.position); }
opt_binary(A) ::= BINARY(T). { A = def_text(p, "format", "binary", T.position); }
opt_binary(A) ::= . { A = NULL; }
copy_delimiter(A) ::= opt_using DELIMITERS(T) sconst(S). { A = def_named(p, "delimiter", const_string(p, S), T.position); }
copy_delimiter(A) ::= . { A = NULL; }
%type opt_using {int}
opt_using(A) ::= USING. { A = 0; }
opt_using(A) ::= . { A = 0; }
%type opt_as {int}
opt_as(A) ::= AS. { A = 0; }
opt_as(A) ::= . { A = 0; }
copy_generic_opt_list(A) ::= copy_generic_opt_elem(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
copy_generic_opt_list(A) ::= copy_generic_opt_list(A) COMMA copy_generic_opt_elem(E). { PUSH(A, E); }
copy_generic_opt_elem(A) ::= col_label(N) copy_generic_opt_arg(V). { A = def_elem(p, N, V); }
copy_generic_opt_arg(A) ::= opt_boolean_or_string(T). { A = const_string(p, T); }
copy_generic_opt_arg ::= numeric_only.
copy_generic_opt_arg(A) ::= STAR(T). { A = (Node *)NEW(A_Star, T.position); }
copy_generic_opt_arg(A) ::= LPAREN copy_generic_opt_arg_list(L) RPAREN. { A = expr_list_node(p, &L); }
copy_generic_opt_arg(A) ::= . { A = NULL; }
copy_generic_opt_arg_list(A) ::= opt_boolean_or_string(T). { A = EMPTY(NodeVec); PUSH(A, const_string(p, T)); }
copy_generic_opt_arg_list(A) ::= copy_generic_opt_arg_list(A) COMMA opt_boolean_or_string(T). { PUSH(A, const_string(p, T)); }

// ---- Databases, roles, privileges ---------------------------------------------------------------------

%type createdb_opt_list {DefElemVec}
%type createdb_opt_items {DefElemVec}
%type createdb_opt_item {DefElem *}
%type createdb_opt_name {Token}
createdb_stmt(A) ::= CREATE(T) DATABASE name(N) opt_with createdb_opt_list(L). { CreatedbStmt *s = NEW(CreatedbStmt, T.position); s->dbname = N.text; s->options = L; A = (Node *)s; }
createdb_opt_list ::= createdb_opt_items.
createdb_opt_list(A) ::= . { A = EMPTY(DefElemVec); }
createdb_opt_items(A) ::= createdb_opt_item(I). { A = EMPTY(DefElemVec); PUSH(A, I); }
createdb_opt_items(A) ::= createdb_opt_items(A) createdb_opt_item(I). { PUSH(A, I); }
createdb_opt_item(A) ::= createdb_opt_name(N) opt_equal numeric_only(V). { A = def_elem(p, N, V); }
createdb_opt_item(A) ::= createdb_opt_name(N) opt_equal opt_boolean_or_string(V). { A = def_elem(p, N, const_string(p, V)); }
createdb_opt_item(A) ::= createdb_opt_name(N) opt_equal DEFAULT. { A = def_elem(p, N, NULL); }
createdb_opt_name ::= IDENT.
createdb_opt_name(A) ::= CONNECTION(T) LIMIT. { A = token_word(T, "connection_limit"); }
createdb_opt_name(A) ::= ENCODING(T). { A = token_word(T, "encoding"); }
createdb_opt_name(A) ::= LOCATION(T). { A = token_word(T, "location"); }
createdb_opt_name(A) ::= OWNER(T). { A = token_word(T, "owner"); }
createdb_opt_name(A) ::= TABLESPACE(T). { A = token_word(T, "tablespace"); }
createdb_opt_name(A) ::= TEMPLATE(T). { A = token_word(T, "template"); }
%type opt_equal {int}
opt_equal(A) ::= EQ. { A = 0; }
opt_equal(A) ::= . { A = 0; }
alter_database_stmt(A) ::= ALTER(T) alter_object(O) WITH(X) createdb_opt_list(L). { A = alter_database(p, &O, &L, X, T.position); }
alter_database_stmt(A) ::= ALTER(T) alter_object(O) createdb_opt_items(L). { A = alter_database(p, &O, &L, token_at(L.items[0]), T.position); }
alter_database_stmt(A) ::= ALTER(T) alter_object(O) SET TABLESPACE(X) name(N). { DefElemVec l = {0}; PUSH(l, def_named(p, "tablespace", const_string(p, N), X.position)); A = alter_database(p, &O, &l, X, T.position); }
alter_database_stmt(A) ::= ALTER(T) alter_object(O) REFRESH(X) COLLATION VERSION. { DefElemVec none = {0}; A = alter_database(p, &O, &none, X, T.position); if (NODE_IS(A, AlterDatabaseStmt)) ((AlterDatabaseStmt *)A)->refresh_collation = true; }
alter_database_stmt(A) ::= ALTER(T) alter_object(O) REFRESH(X) VERSION. { grammar_expect(p, &O, OBJECT_COLLATION, X); A = unsupported(p, "ALTER COLLATION", T.position); }
alter_database_stmt(A) ::= ALTER(T) alter_object(O) set_reset_clause(S). { A = alter_object_set(p, &O, S, T.position); }

%type opt_role_list {DefElemVec}
%type alter_opt_role_list {DefElemVec}
%type create_opt_role_elem {DefElem *}
%type alter_opt_role_elem {DefElem *}
%type role_kind {int}
create_role_stmt(A) ::= CREATE(T) role_kind(K) role_id(N) opt_with opt_role_list(L). { CreateRoleStmt *s = NEW(CreateRoleStmt, T.position); s->stmt_type = (RoleStmtType)K; s->role = N; s->options = L; A = (Node *)s; }
role_kind(A) ::= ROLE. { A = ROLESTMT_ROLE; }
role_kind(A) ::= USER. { A = ROLESTMT_USER; }
role_kind(A) ::= GROUP. { A = ROLESTMT_GROUP; }
opt_role_list(A) ::= opt_role_list(A) create_opt_role_elem(E). { PUSH(A, E); }
opt_role_list(A) ::= . { A = EMPTY(DefElemVec); }
alter_opt_role_list(A) ::= alter_opt_role_list(A) alter_opt_role_elem(E). { PUSH(A, E); }
alter_opt_role_list(A) ::= . { A = EMPTY(DefElemVec); }
alter_opt_role_elem(A) ::= PASSWORD(T) sconst(S). { A = def_named(p, "password", const_string(p, S), T.position); }
alter_opt_role_elem(A) ::= PASSWORD(T) NULL. { A = def_named(p, "password", NULL, T.position); }
alter_opt_role_elem(A) ::= ENCRYPTED(T) PASSWORD sconst(S). { A = def_named(p, "password", const_string(p, S), T.position); }
alter_opt_role_elem(A) ::= UNENCRYPTED(T) PASSWORD sconst. { A = def_named(p, "password", NULL, T.position); grammar_fail(p, ERR_FEATURE_NOT_SUPPORTED, STR("UNENCRYPTED PASSWORD is no longer supported"), STR("Remove UNENCRYPTED to store the password in encrypted form instead."), T.position); }
alter_opt_role_elem(A) ::= INHERIT(T). { A = def_bool(p, "inherit", true, T.position); }
alter_opt_role_elem(A) ::= CONNECTION(T) LIMIT signed_iconst(I). { A = def_named(p, "connectionlimit", const_integer(p, I, T.position), T.position); }
alter_opt_role_elem(A) ::= VALID(T) UNTIL sconst(S). { A = def_named(p, "validUntil", const_string(p, S), T.position); }
alter_opt_role_elem(A) ::= USER(T) role_list(L). { A = def_named(p, "rolemembers", roles_node(p, &L), T.position); }
alter_opt_role_elem(A) ::= IDENT(T). { A = role_option(p, T); }
create_opt_role_elem ::= alter_opt_role_elem.
create_opt_role_elem(A) ::= SYSID(T) iconst(I). { A = def_named(p, "sysid", const_integer(p, I, T.position), T.position); }
create_opt_role_elem(A) ::= ADMIN(T) role_list(L). { A = def_named(p, "adminmembers", roles_node(p, &L), T.position); }
create_opt_role_elem(A) ::= ROLE(T) role_list(L). { A = def_named(p, "rolemembers", roles_node(p, &L), T.position); }
create_opt_role_elem(A) ::= IN(T) ROLE role_list(L). { A = def_named(p, "addroleto", roles_node(p, &L), T.position); }
create_opt_role_elem(A) ::= IN(T) GROUP role_list(L). { A = def_named(p, "addroleto", roles_node(p, &L), T.position); }
alter_role_stmt(A) ::= ALTER(T) ROLE role_spec(R) opt_with alter_opt_role_list(L). { A = alter_role(p, R, &L, 1, T.position); }
alter_role_stmt(A) ::= ALTER(T) USER role_spec(R) opt_with alter_opt_role_list(L). { A = alter_role(p, R, &L, 1, T.position); }
alter_role_stmt(A) ::= ALTER(T) GROUP role_spec(R) ADD USER role_list(L). { A = alter_group(p, R, &L, 1, T.position); }
alter_role_stmt(A) ::= ALTER(T) GROUP role_spec(R) DROP USER role_list(L). { A = alter_group(p, R, &L, -1, T.position); }
alter_role_stmt(A) ::= ALTER(T) ROLE role_spec(R) opt_in_database(D) set_reset_clause(S). { A = alter_role_set(p, R, D, S, T.position); }
alter_role_stmt(A) ::= ALTER(T) ROLE ALL opt_in_database(D) set_reset_clause(S). { A = alter_role_set(p, NULL, D, S, T.position); }
alter_role_stmt(A) ::= ALTER(T) USER role_spec(R) opt_in_database(D) set_reset_clause(S). { A = alter_role_set(p, R, D, S, T.position); }
alter_role_stmt(A) ::= ALTER(T) USER ALL opt_in_database(D) set_reset_clause(S). { A = alter_role_set(p, NULL, D, S, T.position); }
%type opt_in_database {Str}
opt_in_database(A) ::= IN DATABASE name(N). { A = N.text; }
opt_in_database(A) ::= . { A = STR_NONE; }

%type privileges {AccessPrivVec}
%type privilege_list {AccessPrivVec}
%type privilege {AccessPriv *}
%type privilege_target {PrivilegeTarget}
%type grantee_list {RoleSpecVec}
%type grantee {RoleSpec *}
%type opt_grant_grant_option {bool}
%type opt_granted_by {RoleSpec *}
grant_stmt ::= grant_priv_stmt.
grant_priv_stmt(A) ::= GRANT(T) privileges(P) ON privilege_target(O) TO grantee_list(L) opt_grant_grant_option(G) opt_granted_by(B). { A = &MAKE(GrantStmt, T.position, .is_grant = true, .targtype = O.target, .objtype = O.type, .objects = O.objects, .privileges = P, .grantees = L, .grant_option = G, .grantor = B)->node; }
grant_stmt(A) ::= REVOKE(T) privileges(P) ON privilege_target(O) FROM grantee_list(L) opt_granted_by(B) opt_drop_behavior(D). { A = &MAKE(GrantStmt, T.position, .is_grant = true, .targtype = O.target, .objtype = O.type, .objects = O.objects, .privileges = P, .grantees = L, .grantor = B)->node; grant_make_revoke(A, D); }
grant_stmt(A) ::= REVOKE(T) GRANT OPTION FOR privileges(P) ON privilege_target(O) FROM grantee_list(L) opt_granted_by(B) opt_drop_behavior(D). { A = &MAKE(GrantStmt, T.position, .is_grant = true, .targtype = O.target, .objtype = O.type, .objects = O.objects, .privileges = P, .grantees = L, .grant_option = true, .grantor = B)->node; grant_make_revoke(A, D); }
grant_stmt(A) ::= GRANT(T) privilege_list(P) TO role_list(L) opt_grant_admin_option(G) opt_granted_by(B). { A = &MAKE(GrantRoleStmt, T.position, .is_grant = true, .granted_roles = P, .grantee_roles = L, .admin_opt = G, .grantor = B)->node; }
grant_stmt(A) ::= REVOKE(T) privilege_list(P) FROM role_list(L) opt_granted_by(B) opt_drop_behavior(D). { A = &MAKE(GrantRoleStmt, T.position, .granted_roles = P, .grantee_roles = L, .grantor = B)->node; ((GrantRoleStmt *)A)->behavior = D; }
grant_stmt(A) ::= REVOKE(T) ADMIN OPTION FOR privilege_list(P) FROM role_list(L) opt_granted_by(B) opt_drop_behavior(D). { A = &MAKE(GrantRoleStmt, T.position, .granted_roles = P, .grantee_roles = L, .admin_opt = true, .grantor = B)->node; ((GrantRoleStmt *)A)->behavior = D; }
%type opt_grant_admin_option {bool}
opt_grant_admin_option(A) ::= WITH ADMIN OPTION. { A = true; }
opt_grant_admin_option(A) ::= . { A = false; }
opt_grant_grant_option(A) ::= WITH GRANT OPTION. { A = true; }
opt_grant_grant_option(A) ::= . { A = false; }
opt_granted_by(A) ::= GRANTED BY role_spec(R). { A = R; }
opt_granted_by(A) ::= . { A = NULL; }
privileges ::= privilege_list.
privileges(A) ::= ALL. { A = EMPTY(AccessPrivVec); }
privileges(A) ::= ALL PRIVILEGES. { A = EMPTY(AccessPrivVec); }
privileges(A) ::= ALL(T) LPAREN columnList(L) RPAREN. { A = EMPTY(AccessPrivVec); PUSH(A, access_priv(p, STR_NONE, &L, T.position)); }
privileges(A) ::= ALL(T) PRIVILEGES LPAREN columnList(L) RPAREN. { A = EMPTY(AccessPrivVec); PUSH(A, access_priv(p, STR_NONE, &L, T.position)); }
privilege_list(A) ::= privilege(P). { A = EMPTY(AccessPrivVec); PUSH(A, P); }
privilege_list(A) ::= privilege_list(A) COMMA privilege(P). { PUSH(A, P); }
privilege(A) ::= SELECT(T) opt_column_list(L). { A = access_priv(p, STR("select"), &L, T.position); }
privilege(A) ::= REFERENCES(T) opt_column_list(L). { A = access_priv(p, STR("references"), &L, T.position); }
privilege(A) ::= CREATE(T) opt_column_list(L). { A = access_priv(p, STR("create"), &L, T.position); }
privilege(A) ::= ALTER(T) SYSTEM. { A = access_priv(p, STR("alter system"), NULL, T.position); }
privilege(A) ::= col_id(N) opt_column_list(L). { A = access_priv(p, N.text, &L, N.position); }
privilege_target(A) ::= qualified_name_list(L). { A = privileges_relations(p, OBJECT_TABLE, &L); }
privilege_target(A) ::= TABLE qualified_name_list(L). { A = privileges_relations(p, OBJECT_TABLE, &L); }
privilege_target(A) ::= SEQUENCE qualified_name_list(L). { A = privileges_relations(p, OBJECT_SEQUENCE, &L); }
privilege_target(A) ::= FOREIGN DATA WRAPPER name_node_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_FDW, &L); }
privilege_target(A) ::= FOREIGN SERVER name_node_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_FOREIGN_SERVER, &L); }
privilege_target(A) ::= FUNCTION function_with_argtypes_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_FUNCTION, &L); }
privilege_target(A) ::= PROCEDURE function_with_argtypes_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_PROCEDURE, &L); }
privilege_target(A) ::= ROUTINE function_with_argtypes_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_ROUTINE, &L); }
privilege_target(A) ::= DATABASE name_node_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_DATABASE, &L); }
privilege_target(A) ::= DOMAIN any_name_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_DOMAIN, &L); }
privilege_target(A) ::= LANGUAGE name_node_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_LANGUAGE, &L); }
privilege_target(A) ::= LARGE OBJECT numeric_only_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_LARGE_OBJECT, &L); }
privilege_target(A) ::= PARAMETER parameter_name_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_PARAMETER, &L); }
privilege_target(A) ::= SCHEMA name_node_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_SCHEMA, &L); }
privilege_target(A) ::= TABLESPACE name_node_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_TABLESPACE, &L); }
privilege_target(A) ::= TYPE any_name_list(L). { A = privileges_on(ACL_TARGET_OBJECT, OBJECT_TYPE, &L); }
privilege_target(A) ::= ALL TABLES IN SCHEMA name_node_list(L). { A = privileges_on(ACL_TARGET_ALL_IN_SCHEMA, OBJECT_TABLE, &L); }
privilege_target(A) ::= ALL SEQUENCES IN SCHEMA name_node_list(L). { A = privileges_on(ACL_TARGET_ALL_IN_SCHEMA, OBJECT_SEQUENCE, &L); }
privilege_target(A) ::= ALL FUNCTIONS IN SCHEMA name_node_list(L). { A = privileges_on(ACL_TARGET_ALL_IN_SCHEMA, OBJECT_FUNCTION, &L); }
privilege_target(A) ::= ALL PROCEDURES IN SCHEMA name_node_list(L). { A = privileges_on(ACL_TARGET_ALL_IN_SCHEMA, OBJECT_PROCEDURE, &L); }
privilege_target(A) ::= ALL ROUTINES IN SCHEMA name_node_list(L). { A = privileges_on(ACL_TARGET_ALL_IN_SCHEMA, OBJECT_ROUTINE, &L); }
%type parameter_name_list {NodeVec}
parameter_name_list(A) ::= var_name(N). { A = EMPTY(NodeVec); PUSH(A, object_name_simple(p, N)); }
parameter_name_list(A) ::= parameter_name_list(A) COMMA var_name(N). { PUSH(A, object_name_simple(p, N)); }
grantee_list(A) ::= grantee(R). { A = EMPTY(RoleSpecVec); PUSH(A, R); }
grantee_list(A) ::= grantee_list(A) COMMA grantee(R). { PUSH(A, R); }
grantee ::= role_spec.
grantee(A) ::= GROUP role_spec(R). { A = R; }
%type def_acloption_list {DefElemVec}
%type def_acloption {DefElem *}
%type def_aclaction {GrantStmt *}
%type defacl_privilege_target {int}
alter_default_privileges_stmt(A) ::= ALTER(T) DEFAULT PRIVILEGES def_acloption_list(L) def_aclaction(X). { AlterDefaultPrivilegesStmt *s = NEW(AlterDefaultPrivilegesStmt, T.position); s->options = L; s->action = X; A = (Node *)s; }
def_acloption_list(A) ::= def_acloption_list(A) def_acloption(O). { PUSH(A, O); }
def_acloption_list(A) ::= . { A = EMPTY(DefElemVec); }
def_acloption(A) ::= IN(T) SCHEMA name_list(L). { A = def_named(p, "schemas", strings_node(p, &L), T.position); }
def_acloption(A) ::= FOR(T) ROLE role_list(L). { A = def_named(p, "roles", roles_node(p, &L), T.position); }
def_acloption(A) ::= FOR(T) USER role_list(L). { A = def_named(p, "roles", roles_node(p, &L), T.position); }
def_aclaction(A) ::= GRANT(T) privileges(P) ON defacl_privilege_target(K) TO grantee_list(L) opt_grant_grant_option(G). { A = MAKE(GrantStmt, T.position, .is_grant = true, .targtype = ACL_TARGET_DEFAULTS, .objtype = (ObjectType)K, .privileges = P, .grantees = L, .grant_option = G); }
def_aclaction(A) ::= REVOKE(T) privileges(P) ON defacl_privilege_target(K) FROM grantee_list(L) opt_drop_behavior(B). { A = MAKE(GrantStmt, T.position, .targtype = ACL_TARGET_DEFAULTS, .objtype = (ObjectType)K, .privileges = P, .grantees = L); A->behavior = B; }
def_aclaction(A) ::= REVOKE(T) GRANT OPTION FOR privileges(P) ON defacl_privilege_target(K) FROM grantee_list(L) opt_drop_behavior(B). { A = MAKE(GrantStmt, T.position, .targtype = ACL_TARGET_DEFAULTS, .objtype = (ObjectType)K, .privileges = P, .grantees = L, .grant_option = true); A->behavior = B; }
defacl_privilege_target(A) ::= TABLES. { A = OBJECT_TABLE; }
defacl_privilege_target(A) ::= FUNCTIONS. { A = OBJECT_FUNCTION; }
defacl_privilege_target(A) ::= ROUTINES. { A = OBJECT_FUNCTION; }
defacl_privilege_target(A) ::= SEQUENCES. { A = OBJECT_SEQUENCE; }
defacl_privilege_target(A) ::= TYPES. { A = OBJECT_TYPE; }
defacl_privilege_target(A) ::= SCHEMAS. { A = OBJECT_SCHEMA; }
