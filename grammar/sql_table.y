// ---- CREATE TABLE -----------------------------------------------------------------------------------

%type opt_temp {int}
%type opt_table_element_list {NodeVec}
%type table_element_list {NodeVec}
%type opt_typed_table_element_list {NodeVec}
%type typed_table_element_list {NodeVec}
%type opt_inherit {RangeVarVec}
%type opt_partition_spec {PartitionSpec *}
%type partition_spec {PartitionSpec *}
%type partition_bound_spec {PartitionBoundSpec *}
%type opt_table_space {Str}
%type table_access_method_clause {Str}
%type on_commit_option {int}
%type opt_with_rule {DefElemVec}
create_stmt(A) ::= CREATE(T) opt_temp(K) TABLE qualified_name(R) LPAREN opt_table_element_list(L) RPAREN opt_inherit(I) opt_partition_spec(P) table_access_method_clause(M) opt_with_rule(W) on_commit_option(C) opt_table_space(S). {
    CreateStmt *s = create_table(p, R, K, false, T.position);
    s->table_elts = L;
    s->inherits = I;
    create_table_finish(s, P, M, &W, C);
    s->tablespace = S;
    A = (Node *)s;
}
create_stmt(A) ::= CREATE(T) opt_temp(K) TABLE IF NOT EXISTS qualified_name(R) LPAREN opt_table_element_list(L) RPAREN opt_inherit(I) opt_partition_spec(P) table_access_method_clause(M) opt_with_rule(W) on_commit_option(C) opt_table_space(S). {
    CreateStmt *s = create_table(p, R, K, true, T.position);
    s->table_elts = L;
    s->inherits = I;
    create_table_finish(s, P, M, &W, C);
    s->tablespace = S;
    A = (Node *)s;
}
create_stmt(A) ::= CREATE(T) opt_temp(K) TABLE qualified_name(R) OF any_name(O) opt_typed_table_element_list(L) opt_partition_spec(P) table_access_method_clause(M) opt_with_rule(W) on_commit_option(C) opt_table_space(S). {
    CreateStmt *s = create_table(p, R, K, false, T.position);
    NodeVec none = {0};
    s->of_type = type_named(p, &O, &none);
    s->table_elts = L;
    create_table_finish(s, P, M, &W, C);
    s->tablespace = S;
    A = (Node *)s;
}
create_stmt(A) ::= CREATE(T) opt_temp(K) TABLE IF NOT EXISTS qualified_name(R) OF any_name(O) opt_typed_table_element_list(L) opt_partition_spec(P) table_access_method_clause(M) opt_with_rule(W) on_commit_option(C) opt_table_space(S). {
    CreateStmt *s = create_table(p, R, K, true, T.position);
    NodeVec none = {0};
    s->of_type = type_named(p, &O, &none);
    s->table_elts = L;
    create_table_finish(s, P, M, &W, C);
    s->tablespace = S;
    A = (Node *)s;
}
create_stmt(A) ::= CREATE(T) opt_temp(K) TABLE qualified_name(R) PARTITION OF qualified_name(O) opt_typed_table_element_list(L) partition_bound_spec(B) opt_partition_spec(P) table_access_method_clause(M) opt_with_rule(W) on_commit_option(C) opt_table_space(S). {
    CreateStmt *s = create_table(p, R, K, false, T.position);
    PUSH(s->inherits, O);
    s->table_elts = L;
    s->partbound = B;
    create_table_finish(s, P, M, &W, C);
    s->tablespace = S;
    A = (Node *)s;
}
create_stmt(A) ::= CREATE(T) opt_temp(K) TABLE IF NOT EXISTS qualified_name(R) PARTITION OF qualified_name(O) opt_typed_table_element_list(L) partition_bound_spec(B) opt_partition_spec(P) table_access_method_clause(M) opt_with_rule(W) on_commit_option(C) opt_table_space(S). {
    CreateStmt *s = create_table(p, R, K, true, T.position);
    PUSH(s->inherits, O);
    s->table_elts = L;
    s->partbound = B;
    create_table_finish(s, P, M, &W, C);
    s->tablespace = S;
    A = (Node *)s;
}
opt_temp(A) ::= TEMPORARY. { A = PERSISTENCE_TEMPORARY; }
opt_temp(A) ::= TEMP. { A = PERSISTENCE_TEMPORARY; }
opt_temp(A) ::= LOCAL TEMPORARY. { A = PERSISTENCE_TEMPORARY; }
opt_temp(A) ::= LOCAL TEMP. { A = PERSISTENCE_TEMPORARY; }
opt_temp(A) ::= GLOBAL(T) TEMPORARY. { A = PERSISTENCE_TEMPORARY; grammar_warn_global(p, T); }
opt_temp(A) ::= GLOBAL(T) TEMP. { A = PERSISTENCE_TEMPORARY; grammar_warn_global(p, T); }
opt_temp(A) ::= UNLOGGED. { A = PERSISTENCE_UNLOGGED; }
opt_temp(A) ::= . { A = PERSISTENCE_PERMANENT; }
opt_table_element_list ::= table_element_list.
opt_table_element_list(A) ::= . { A = EMPTY(NodeVec); }
table_element_list(A) ::= table_element(E). { A = EMPTY(NodeVec); PUSH(A, E); }
table_element_list(A) ::= table_element_list(A) COMMA table_element(E). { PUSH(A, E); }
opt_typed_table_element_list(A) ::= LPAREN typed_table_element_list(L) RPAREN. { A = L; }
opt_typed_table_element_list(A) ::= . { A = EMPTY(NodeVec); }
typed_table_element_list(A) ::= typed_table_element(E). { A = EMPTY(NodeVec); PUSH(A, E); }
typed_table_element_list(A) ::= typed_table_element_list(A) COMMA typed_table_element(E). { PUSH(A, E); }
table_element(A) ::= columnDef(D). { A = (Node *)D; }
table_element ::= table_like_clause.
table_element(A) ::= table_constraint(C). { A = (Node *)C; }
typed_table_element(A) ::= columnOptions(D). { A = (Node *)D; }
typed_table_element(A) ::= table_constraint(C). { A = (Node *)C; }

%type columnDef {ColumnDef *}
%type columnOptions {ColumnDef *}
%type column_compression {Str}
%type opt_column_compression {Str}
%type col_qual_list {ColumnQuals}
%type col_constraint {Constraint *}
%type col_constraint_elem {Constraint *}
%type constraint_attr {Constraint *}
columnDef(A) ::= col_id(N) typename(T) opt_column_compression(C) create_generic_options(F) col_qual_list(Q). { A = column_def(p, N, T); A->compression = C; A->fdw_options = F; column_quals(A, &Q); }
columnOptions(A) ::= col_id(N) col_qual_list(Q). { A = column_def(p, N, NULL); column_quals(A, &Q); }
columnOptions(A) ::= col_id(N) WITH OPTIONS col_qual_list(Q). { A = column_def(p, N, NULL); column_quals(A, &Q); }
column_compression(A) ::= COMPRESSION col_id(N). { A = N.text; }
column_compression(A) ::= COMPRESSION DEFAULT. { A = STR("default"); }
opt_column_compression ::= column_compression.
opt_column_compression(A) ::= . { A = STR_NONE; }
col_qual_list(A) ::= col_qual_list(A) col_constraint(C). { PUSH(A.constraints, C); }
col_qual_list(A) ::= col_qual_list(A) COLLATE(T) any_name(N). { column_collate(p, &A, &N, T.position); }
col_qual_list(A) ::= . { A = EMPTY(ColumnQuals); }
col_constraint(A) ::= CONSTRAINT(T) name(N) col_constraint_elem(C). { A = C; A->name = N.text; A->node.position = T.position; }
col_constraint ::= col_constraint_elem.
col_constraint ::= constraint_attr.
col_constraint_elem(A) ::= NOT(T) NULL. { A = constraint(p, CONSTR_NOTNULL, T.position); }
col_constraint_elem(A) ::= NULL(T). { A = constraint(p, CONSTR_NULL, T.position); }
col_constraint_elem(A) ::= UNIQUE(T) opt_unique_null_treatment(U) opt_definition(D) opt_cons_table_space(S). { A = constraint_index(p, &(Constraint){.type = CONSTR_UNIQUE, .options = D, .index_space = S}, T.position); A->nulls_not_distinct = U; }
col_constraint_elem(A) ::= PRIMARY(T) KEY opt_definition(D) opt_cons_table_space(S). { A = constraint_index(p, &(Constraint){.type = CONSTR_PRIMARY, .options = D, .index_space = S}, T.position); }
col_constraint_elem(A) ::= CHECK(T) LPAREN a_expr(X) RPAREN opt_no_inherit(I). { A = constraint(p, CONSTR_CHECK, T.position); A->raw_expr = X; A->is_no_inherit = I; A->initially_valid = true; }
col_constraint_elem(A) ::= DEFAULT(T) b_expr(X). { A = constraint(p, CONSTR_DEFAULT, T.position); A->raw_expr = X; }
col_constraint_elem(A) ::= GENERATED(T) generated_when(W) AS IDENTITY opt_parenthesized_seq_opt_list(O). { A = constraint(p, CONSTR_IDENTITY, T.position); A->generated_when = (char)W.integer; A->options = O; }
col_constraint_elem(A) ::= GENERATED(T) generated_when(W) AS LPAREN a_expr(X) RPAREN STORED. { A = constraint_generated(p, W, X, T.position); }
col_constraint_elem(A) ::= REFERENCES(T) qualified_name(R) opt_column_list(L) key_match(M) key_actions(K). { A = constraint_foreign(p, &(Constraint){.pktable = R, .pk_attrs = L, .fk_matchtype = (FkMatch)M}, &K, T.position); A->initially_valid = true; }
%type generated_when {Token}
generated_when(A) ::= ALWAYS(T). { A = T; A.integer = 'a'; }
generated_when(A) ::= BY(T) DEFAULT. { A = T; A.integer = 'd'; }
constraint_attr(A) ::= DEFERRABLE(T). { A = constraint(p, CONSTR_ATTR_DEFERRABLE, T.position); }
constraint_attr(A) ::= NOT(T) DEFERRABLE. { A = constraint(p, CONSTR_ATTR_NOT_DEFERRABLE, T.position); }
constraint_attr(A) ::= INITIALLY(T) DEFERRED. { A = constraint(p, CONSTR_ATTR_DEFERRED, T.position); }
constraint_attr(A) ::= INITIALLY(T) IMMEDIATE. { A = constraint(p, CONSTR_ATTR_IMMEDIATE, T.position); }

%type table_like_option_list {int}
%type table_like_option {int}
table_like_clause(A) ::= LIKE(T) qualified_name(R) table_like_option_list(O). { TableLikeClause *c = NEW(TableLikeClause, T.position); c->relation = R; c->options = (uint32_t)O; A = (Node *)c; }
table_like_option_list(A) ::= table_like_option_list(B) INCLUDING table_like_option(O). { A = B | O; }
table_like_option_list(A) ::= table_like_option_list(B) EXCLUDING table_like_option(O). { A = B & ~O; }
table_like_option_list(A) ::= . { A = 0; }
table_like_option(A) ::= COMMENTS. { A = CREATE_TABLE_LIKE_COMMENTS; }
table_like_option(A) ::= COMPRESSION. { A = CREATE_TABLE_LIKE_COMPRESSION; }
table_like_option(A) ::= CONSTRAINTS. { A = CREATE_TABLE_LIKE_CONSTRAINTS; }
table_like_option(A) ::= DEFAULTS. { A = CREATE_TABLE_LIKE_DEFAULTS; }
table_like_option(A) ::= IDENTITY. { A = CREATE_TABLE_LIKE_IDENTITY; }
table_like_option(A) ::= GENERATED. { A = CREATE_TABLE_LIKE_GENERATED; }
table_like_option(A) ::= INDEXES. { A = CREATE_TABLE_LIKE_INDEXES; }
table_like_option(A) ::= STATISTICS. { A = CREATE_TABLE_LIKE_STATISTICS; }
table_like_option(A) ::= STORAGE. { A = CREATE_TABLE_LIKE_STORAGE; }
table_like_option(A) ::= ALL. { A = CREATE_TABLE_LIKE_ALL; }

%type table_constraint {Constraint *}
%type constraint_elem {Constraint *}
%type opt_no_inherit {bool}
%type opt_c_include {StrVec}
%type opt_definition {DefElemVec}
%type opt_cons_table_space {Str}
%type existing_index {Str}
%type key_match {int}
%type key_actions {KeyActions}
%type key_update {KeyActions}
%type key_delete {KeyActions}
%type key_action {KeyActions}
%type constraint_attribute_spec {ConstraintAttrs}
%type constraint_attribute_elem {ConstraintAttr}
table_constraint(A) ::= CONSTRAINT(T) name(N) constraint_elem(C). { A = C; A->name = N.text; A->node.position = T.position; }
table_constraint ::= constraint_elem.
constraint_elem(A) ::= CHECK(T) LPAREN a_expr(X) RPAREN constraint_attribute_spec(S). { A = constraint(p, CONSTR_CHECK, T.position); A->raw_expr = X; constraint_attrs(p, A, &S, "CHECK", CAS_NOT_VALID | CAS_NO_INHERIT); }
constraint_elem(A) ::= UNIQUE(T) opt_unique_null_treatment(U) LPAREN columnList(L) RPAREN opt_c_include(I) opt_definition(D) opt_cons_table_space(S) constraint_attribute_spec(C). { A = constraint_index(p, &(Constraint){.type = CONSTR_UNIQUE, .keys = L, .including = I, .options = D, .index_space = S}, T.position); A->nulls_not_distinct = U; constraint_attrs(p, A, &C, "UNIQUE", CAS_DEFER); }
constraint_elem(A) ::= UNIQUE(T) existing_index(X) constraint_attribute_spec(C). { A = constraint(p, CONSTR_UNIQUE, T.position); A->index_name = X; constraint_attrs(p, A, &C, "UNIQUE", CAS_DEFER); }
constraint_elem(A) ::= PRIMARY(T) KEY LPAREN columnList(L) RPAREN opt_c_include(I) opt_definition(D) opt_cons_table_space(S) constraint_attribute_spec(C). { A = constraint_index(p, &(Constraint){.type = CONSTR_PRIMARY, .keys = L, .including = I, .options = D, .index_space = S}, T.position); constraint_attrs(p, A, &C, "PRIMARY KEY", CAS_DEFER); }
constraint_elem(A) ::= PRIMARY(T) KEY existing_index(X) constraint_attribute_spec(C). { A = constraint(p, CONSTR_PRIMARY, T.position); A->index_name = X; constraint_attrs(p, A, &C, "PRIMARY KEY", CAS_DEFER); }
constraint_elem(A) ::= EXCLUDE(T) access_method_clause(M) LPAREN exclusion_constraint_list(L) RPAREN opt_c_include(I) opt_definition(D) opt_cons_table_space(S) opt_where_clause(W) constraint_attribute_spec(C). { A = constraint_index(p, &(Constraint){.type = CONSTR_EXCLUSION, .including = I, .options = D, .index_space = S}, T.position); constraint_exclusion(A, M, &L, W); constraint_attrs(p, A, &C, "EXCLUDE", CAS_DEFER); }
constraint_elem(A) ::= FOREIGN(T) KEY LPAREN columnList(L) RPAREN REFERENCES qualified_name(R) opt_column_list(K) key_match(M) key_actions(X) constraint_attribute_spec(C). { A = constraint_foreign(p, &(Constraint){.fk_attrs = L, .pktable = R, .pk_attrs = K, .fk_matchtype = (FkMatch)M}, &X, T.position); constraint_attrs(p, A, &C, "FOREIGN KEY", CAS_DEFER | CAS_NOT_VALID); }
opt_no_inherit(A) ::= NO INHERIT. { A = true; }
opt_no_inherit(A) ::= . { A = false; }
opt_c_include(A) ::= INCLUDE LPAREN columnList(L) RPAREN. { A = L; }
opt_c_include(A) ::= . { A = EMPTY(StrVec); }
opt_definition(A) ::= WITH definition(D). { A = D; }
opt_definition(A) ::= . { A = EMPTY(DefElemVec); }
opt_cons_table_space(A) ::= USING INDEX TABLESPACE name(N). { A = N.text; }
opt_cons_table_space(A) ::= . { A = STR_NONE; }
existing_index(A) ::= USING INDEX name(N). { A = N.text; }
key_match(A) ::= MATCH FULL. { A = FKMATCH_FULL; }
key_match(A) ::= MATCH(T) PARTIAL. { A = FKMATCH_PARTIAL; grammar_fail_unsupported(p, "MATCH PARTIAL not yet implemented", T.position); }
key_match(A) ::= MATCH SIMPLE. { A = FKMATCH_SIMPLE; }
key_match(A) ::= . { A = FKMATCH_SIMPLE; }
key_actions(A) ::= key_update(U). { A = U; A.on_delete = FKACTION_NOACTION; }
key_actions(A) ::= key_delete(D). { A = D; A.on_update = FKACTION_NOACTION; }
key_actions(A) ::= key_update(U) key_delete(D). { A = D; A.on_update = U.on_update; }
key_actions(A) ::= key_delete(D) key_update(U). { A = D; A.on_update = U.on_update; }
key_actions(A) ::= . { A = (KeyActions){.on_update = FKACTION_NOACTION, .on_delete = FKACTION_NOACTION}; }
key_update(A) ::= ON(T) UPDATE key_action(K). { A = key_update(p, &K, T.position); }
key_delete(A) ::= ON DELETE key_action(K). { A = K; }
key_action(A) ::= NO ACTION. { A = key_action(FKACTION_NOACTION, NULL); }
key_action(A) ::= RESTRICT. { A = key_action(FKACTION_RESTRICT, NULL); }
key_action(A) ::= CASCADE. { A = key_action(FKACTION_CASCADE, NULL); }
key_action(A) ::= SET NULL opt_column_list(L). { A = key_action(FKACTION_SETNULL, &L); }
key_action(A) ::= SET DEFAULT opt_column_list(L). { A = key_action(FKACTION_SETDEFAULT, &L); }
constraint_attribute_spec(A) ::= . { A = EMPTY(ConstraintAttrs); }
constraint_attribute_spec(A) ::= constraint_attribute_spec(B) constraint_attribute_elem(E). { A = constraint_attr_add(p, B, E); }
constraint_attribute_elem(A) ::= NOT(T) DEFERRABLE. { A = (ConstraintAttr){CAS_NOT_DEFERRABLE, T.position}; }
constraint_attribute_elem(A) ::= DEFERRABLE(T). { A = (ConstraintAttr){CAS_DEFERRABLE, T.position}; }
constraint_attribute_elem(A) ::= INITIALLY(T) IMMEDIATE. { A = (ConstraintAttr){CAS_INITIALLY_IMMEDIATE, T.position}; }
constraint_attribute_elem(A) ::= INITIALLY(T) DEFERRED. { A = (ConstraintAttr){CAS_INITIALLY_DEFERRED, T.position}; }
constraint_attribute_elem(A) ::= NOT(T) VALID. { A = (ConstraintAttr){CAS_NOT_VALID, T.position}; }
constraint_attribute_elem(A) ::= NO(T) INHERIT. { A = (ConstraintAttr){CAS_NO_INHERIT, T.position}; }
%type exclusion_constraint_list {Exclusion}
%type exclusion_constraint_elem {Exclusion}
exclusion_constraint_list ::= exclusion_constraint_elem.
exclusion_constraint_list(A) ::= exclusion_constraint_list(A) COMMA exclusion_constraint_elem(E). { exclusion_append(p, &A, &E); }
exclusion_constraint_elem(A) ::= index_elem(E) WITH any_operator(N). { A = exclusion(p, E, &N); }
exclusion_constraint_elem(A) ::= index_elem(E) WITH OPERATOR LPAREN any_operator(N) RPAREN. { A = exclusion(p, E, &N); }
opt_where_clause(A) ::= WHERE LPAREN a_expr(X) RPAREN. { A = X; }
opt_where_clause(A) ::= . { A = NULL; }

opt_inherit(A) ::= INHERITS LPAREN qualified_name_list(L) RPAREN. { A = L; }
opt_inherit(A) ::= . { A = EMPTY(RangeVarVec); }
opt_partition_spec ::= partition_spec.
opt_partition_spec(A) ::= . { A = NULL; }
partition_spec(A) ::= PARTITION(T) BY col_id(N) LPAREN part_params(L) RPAREN. { A = NEW(PartitionSpec, T.position); A->strategy = N.text; A->params = L; }
%type part_params {IndexElemVec}
%type part_elem {IndexElem *}
part_params(A) ::= part_elem(E). { A = EMPTY(IndexElemVec); PUSH(A, E); }
part_params(A) ::= part_params(A) COMMA part_elem(E). { PUSH(A, E); }
part_elem(A) ::= col_id(N) opt_collate(C) opt_qualified_name(O). { A = index_elem(p, N.text, NULL, N.position); A->collation = C; A->opclass = O; }
part_elem(A) ::= func_expr_windowless(X) opt_collate(C) opt_qualified_name(O). { A = index_elem(p, STR_NONE, X, node_position(X)); A->collation = C; A->opclass = O; }
part_elem(A) ::= LPAREN(T) a_expr(X) RPAREN opt_collate(C) opt_qualified_name(O). { A = index_elem(p, STR_NONE, X, T.position); A->collation = C; A->opclass = O; }
%type hash_partbound {DefElemVec}
%type hash_partbound_elem {DefElem *}
partition_bound_spec(A) ::= FOR VALUES WITH(T) LPAREN hash_partbound(L) RPAREN. { A = partition_hash(p, &L, T.position); }
partition_bound_spec(A) ::= FOR VALUES IN(T) LPAREN expr_list(L) RPAREN. { A = NEW(PartitionBoundSpec, T.position); A->strategy = 'l'; A->list_datums = L; }
partition_bound_spec(A) ::= FOR VALUES FROM(T) LPAREN expr_list(L) RPAREN TO LPAREN expr_list(U) RPAREN. { A = NEW(PartitionBoundSpec, T.position); A->strategy = 'r'; A->lower_datums = L; A->upper_datums = U; }
partition_bound_spec(A) ::= DEFAULT(T). { A = NEW(PartitionBoundSpec, T.position); }
hash_partbound_elem(A) ::= non_reserved_word(N) iconst(I). { A = def_elem(p, N, const_integer(p, I, N.position)); }
hash_partbound(A) ::= hash_partbound_elem(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
hash_partbound(A) ::= hash_partbound(A) COMMA hash_partbound_elem(E). { PUSH(A, E); }
table_access_method_clause(A) ::= USING name(N). { A = N.text; }
table_access_method_clause(A) ::= . { A = STR_NONE; }
opt_with_rule(A) ::= WITH reloptions(L). { A = L; }
opt_with_rule(A) ::= WITHOUT OIDS. { A = EMPTY(DefElemVec); }
opt_with_rule(A) ::= . { A = EMPTY(DefElemVec); }
on_commit_option(A) ::= ON COMMIT DROP. { A = ONCOMMIT_DROP; }
on_commit_option(A) ::= ON COMMIT DELETE ROWS. { A = ONCOMMIT_DELETE_ROWS; }
on_commit_option(A) ::= ON COMMIT PRESERVE ROWS. { A = ONCOMMIT_PRESERVE_ROWS; }
on_commit_option(A) ::= . { A = ONCOMMIT_NOOP; }
opt_table_space(A) ::= TABLESPACE name(N). { A = N.text; }
opt_table_space(A) ::= . { A = STR_NONE; }

%type create_as_target {IntoClause *}
%type create_mv_target {IntoClause *}
%type opt_with_data {bool}
create_as_stmt(A) ::= CREATE(T) opt_temp(K) TABLE create_as_target(I) AS select_stmt(S) opt_with_data(D). { A = create_table_as(p, &(CreateTableAsStmt){.into = I, .query = (Node *)S}, K, D, T.position); }
create_as_stmt(A) ::= CREATE(T) opt_temp(K) TABLE IF NOT EXISTS create_as_target(I) AS select_stmt(S) opt_with_data(D). { A = create_table_as(p, &(CreateTableAsStmt){.into = I, .query = (Node *)S, .if_not_exists = true}, K, D, T.position); }
create_as_target(A) ::= qualified_name(R) opt_column_list(L) table_access_method_clause(M) opt_with_rule(W) on_commit_option(C) opt_table_space(S). { A = MAKE(IntoClause, R->node.position, .relation = R, .colnames = L, .access_method = M, .options = W, .on_commit = (OnCommitAction)C, .tablespace = S); }
opt_with_data(A) ::= WITH DATA. { A = true; }
opt_with_data(A) ::= WITH NO DATA. { A = false; }
opt_with_data(A) ::= . { A = true; }
stmt ::= create_mat_view_stmt.
stmt ::= refresh_mat_view_stmt.
explainable_stmt ::= create_mat_view_stmt.
explainable_stmt ::= refresh_mat_view_stmt.
create_mat_view_stmt(A) ::= CREATE(T) opt_no_log(K) MATERIALIZED VIEW create_mv_target(I) AS select_stmt(S) opt_with_data(D). { A = create_table_as(p, &(CreateTableAsStmt){.into = I, .query = (Node *)S}, K, D, T.position); ((CreateTableAsStmt *)A)->object_type = OBJECT_MATVIEW; }
create_mat_view_stmt(A) ::= CREATE(T) opt_no_log(K) MATERIALIZED VIEW IF NOT EXISTS create_mv_target(I) AS select_stmt(S) opt_with_data(D). { A = create_table_as(p, &(CreateTableAsStmt){.into = I, .query = (Node *)S, .if_not_exists = true}, K, D, T.position); ((CreateTableAsStmt *)A)->object_type = OBJECT_MATVIEW; }
create_mv_target(A) ::= qualified_name(R) opt_column_list(L) table_access_method_clause(M) opt_reloptions(W) opt_table_space(S). { A = MAKE(IntoClause, R->node.position, .relation = R, .colnames = L, .access_method = M, .options = W, .on_commit = ONCOMMIT_NOOP, .tablespace = S); }
%type opt_no_log {int}
opt_no_log(A) ::= UNLOGGED. { A = PERSISTENCE_UNLOGGED; }
opt_no_log(A) ::= . { A = PERSISTENCE_PERMANENT; }
refresh_mat_view_stmt(A) ::= REFRESH(T) MATERIALIZED VIEW opt_concurrently(C) qualified_name(R) opt_with_data(D). { RefreshMatViewStmt *s = NEW(RefreshMatViewStmt, T.position); s->relation = R; s->concurrent = C; s->skip_data = !D; A = (Node *)s; }
%type opt_concurrently {bool}
opt_concurrently(A) ::= CONCURRENTLY. { A = true; }
opt_concurrently(A) ::= . { A = false; }

// ---- Indexes, sequences, views, schemas -------------------------------------------------------------

%type opt_unique {bool}
%type opt_single_name {Str}
%type access_method_clause {Str}
%type index_params {IndexElemVec}
%type index_elem {IndexElem *}
%type index_elem_options {IndexElem *}
%type opt_include {IndexElemVec}
%type opt_collate {StrVec}
%type opt_qualified_name {StrVec}
index_stmt(A) ::= CREATE(T) opt_unique(U) INDEX opt_concurrently(C) opt_single_name(N) ON relation_expr(R) access_method_clause(M) LPAREN index_params(L) RPAREN opt_include(I) opt_unique_null_treatment(D) opt_reloptions(W) opt_table_space(S) where_clause(X). {
    A = &MAKE(IndexStmt, T.position, .unique = U, .concurrent = C, .name = N, .relation = R, .access_method = M,
              .params = L, .including_params = I, .nulls_not_distinct = D, .options = W, .tablespace = S,
              .where_clause = X)->node;
}
index_stmt(A) ::= CREATE(T) opt_unique(U) INDEX opt_concurrently(C) IF NOT EXISTS name(N) ON relation_expr(R) access_method_clause(M) LPAREN index_params(L) RPAREN opt_include(I) opt_unique_null_treatment(D) opt_reloptions(W) opt_table_space(S) where_clause(X). {
    A = &MAKE(IndexStmt, T.position, .unique = U, .concurrent = C, .name = N.text, .relation = R, .access_method = M,
              .params = L, .including_params = I, .nulls_not_distinct = D, .options = W, .tablespace = S,
              .where_clause = X, .if_not_exists = true)->node;
}
opt_unique(A) ::= UNIQUE. { A = true; }
opt_unique(A) ::= . { A = false; }
opt_single_name(A) ::= col_id(N). { A = N.text; }
opt_single_name(A) ::= . { A = STR_NONE; }
access_method_clause(A) ::= USING name(N). { A = N.text; }
access_method_clause(A) ::= . { A = STR("btree"); }
index_params(A) ::= index_elem(E). { A = EMPTY(IndexElemVec); PUSH(A, E); }
index_params(A) ::= index_params(A) COMMA index_elem(E). { PUSH(A, E); }
index_elem_options(A) ::= opt_collate(C) opt_qualified_name(O) opt_asc_desc(D) opt_nulls_order(U). { A = index_elem(p, STR_NONE, NULL, 0); A->collation = C; A->opclass = O; A->ordering = (SortByDir)D; A->nulls_ordering = (SortByNulls)U; }
index_elem_options(A) ::= opt_collate(C) any_name(O) reloptions(W) opt_asc_desc(D) opt_nulls_order(U). { A = index_elem(p, STR_NONE, NULL, 0); A->collation = C; A->opclass = O.names; A->opclass_options = W; A->ordering = (SortByDir)D; A->nulls_ordering = (SortByNulls)U; }
index_elem(A) ::= col_id(N) index_elem_options(E). { A = E; A->name = N.text; A->node.position = N.position; }
index_elem(A) ::= func_expr_windowless(X) index_elem_options(E). { A = E; A->expr = X; A->node.position = node_position(X); }
index_elem(A) ::= LPAREN(T) a_expr(X) RPAREN index_elem_options(E). { A = E; A->expr = X; A->node.position = T.position; }
opt_include(A) ::= INCLUDE LPAREN index_including_params(L) RPAREN. { A = L; }
opt_include(A) ::= . { A = EMPTY(IndexElemVec); }
%type index_including_params {IndexElemVec}
index_including_params(A) ::= index_elem(E). { A = EMPTY(IndexElemVec); PUSH(A, E); }
index_including_params(A) ::= index_including_params(A) COMMA index_elem(E). { PUSH(A, E); }
opt_collate(A) ::= COLLATE any_name(N). { A = N.names; }
opt_collate(A) ::= . { A = EMPTY(StrVec); }
opt_qualified_name(A) ::= any_name(N). { A = N.names; }
opt_qualified_name(A) ::= . { A = EMPTY(StrVec); }

%type opt_seq_opt_list {DefElemVec}
%type opt_parenthesized_seq_opt_list {DefElemVec}
%type seq_opt_list {DefElemVec}
%type seq_opt_elem {DefElem *}
create_seq_stmt(A) ::= CREATE(T) opt_temp(K) SEQUENCE qualified_name(R) opt_seq_opt_list(O). { A = create_sequence(p, &(CreateSeqStmt){.sequence = R, .options = O}, K, T.position); }
create_seq_stmt(A) ::= CREATE(T) opt_temp(K) SEQUENCE IF NOT EXISTS qualified_name(R) opt_seq_opt_list(O). { A = create_sequence(p, &(CreateSeqStmt){.sequence = R, .options = O, .if_not_exists = true}, K, T.position); }
alter_seq_stmt(A) ::= ALTER(T) alter_relation(R) seq_opt_list(O). { A = alter_sequence(p, &R, &O, T.position); }
opt_seq_opt_list ::= seq_opt_list.
opt_seq_opt_list(A) ::= . { A = EMPTY(DefElemVec); }
opt_parenthesized_seq_opt_list(A) ::= LPAREN seq_opt_list(L) RPAREN. { A = L; }
opt_parenthesized_seq_opt_list(A) ::= . { A = EMPTY(DefElemVec); }
seq_opt_list(A) ::= seq_opt_elem(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
seq_opt_list(A) ::= seq_opt_list(A) seq_opt_elem(E). { PUSH(A, E); }
seq_opt_elem(A) ::= AS(T) simple_typename(N). { A = def_named(p, "as", (Node *)N, T.position); }
seq_opt_elem(A) ::= CACHE(T) numeric_only(N). { A = def_named(p, "cache", N, T.position); }
seq_opt_elem(A) ::= CYCLE(T). { A = def_bool(p, "cycle", true, T.position); }
seq_opt_elem(A) ::= NO(T) CYCLE. { A = def_bool(p, "cycle", false, T.position); }
seq_opt_elem(A) ::= INCREMENT(T) opt_by numeric_only(N). { A = def_named(p, "increment", N, T.position); }
seq_opt_elem(A) ::= MAXVALUE(T) numeric_only(N). { A = def_named(p, "maxvalue", N, T.position); }
seq_opt_elem(A) ::= MINVALUE(T) numeric_only(N). { A = def_named(p, "minvalue", N, T.position); }
seq_opt_elem(A) ::= NO(T) MAXVALUE. { A = def_named(p, "maxvalue", NULL, T.position); }
seq_opt_elem(A) ::= NO(T) MINVALUE. { A = def_named(p, "minvalue", NULL, T.position); }
seq_opt_elem(A) ::= OWNED(T) BY any_name(N). { A = def_named(p, "owned_by", (Node *)object_name(p, &N), T.position); }
seq_opt_elem(A) ::= SEQUENCE(T) NAME any_name(N). { A = def_named(p, "sequence_name", (Node *)object_name(p, &N), T.position); }
seq_opt_elem(A) ::= START(T) opt_with numeric_only(N). { A = def_named(p, "start", N, T.position); }
seq_opt_elem(A) ::= RESTART(T). { A = def_named(p, "restart", NULL, T.position); }
seq_opt_elem(A) ::= RESTART(T) opt_with numeric_only(N). { A = def_named(p, "restart", N, T.position); }
%type opt_by {int}
opt_by(A) ::= BY. { A = 0; }
opt_by(A) ::= . { A = 0; }
%type opt_with {int}
opt_with(A) ::= WITH. { A = 0; }
opt_with(A) ::= WITH_LA. { A = 0; }
opt_with(A) ::= . { A = 0; }

%type opt_check_option {int}
view_stmt(A) ::= CREATE(T) opt_temp(K) VIEW qualified_name(R) opt_column_list(L) opt_reloptions(W) AS select_stmt(S) opt_check_option(C). { A = view_stmt(p, &(ViewStmt){.view = R, .aliases = L, .options = W, .query = S, .check_option = (ViewCheckOption)C}, K, T.position); }
view_stmt(A) ::= CREATE(T) OR REPLACE opt_temp(K) VIEW qualified_name(R) opt_column_list(L) opt_reloptions(W) AS select_stmt(S) opt_check_option(C). { A = view_stmt(p, &(ViewStmt){.view = R, .aliases = L, .options = W, .query = S, .check_option = (ViewCheckOption)C}, K, T.position); ((ViewStmt *)A)->replace = true; }
view_stmt(A) ::= CREATE(T) opt_temp(K) RECURSIVE VIEW qualified_name(R) LPAREN columnList(L) RPAREN opt_reloptions(W) AS select_stmt(S) opt_check_option(C). { A = view_recursive(p, &(ViewStmt){.view = R, .aliases = L, .options = W, .query = S, .check_option = (ViewCheckOption)C}, K, T.position); }
view_stmt(A) ::= CREATE(T) OR REPLACE opt_temp(K) RECURSIVE VIEW qualified_name(R) LPAREN columnList(L) RPAREN opt_reloptions(W) AS select_stmt(S) opt_check_option(C). { A = view_recursive(p, &(ViewStmt){.view = R, .aliases = L, .options = W, .query = S, .check_option = (ViewCheckOption)C}, K, T.position); ((ViewStmt *)A)->replace = true; }
opt_check_option(A) ::= WITH CHECK OPTION. { A = CASCADED_CHECK_OPTION; }
opt_check_option(A) ::= WITH CASCADED CHECK OPTION. { A = CASCADED_CHECK_OPTION; }
opt_check_option(A) ::= WITH LOCAL CHECK OPTION. { A = LOCAL_CHECK_OPTION; }
opt_check_option(A) ::= . { A = NO_CHECK_OPTION; }

%type opt_schema_elt_list {NodeVec}
create_schema_stmt(A) ::= CREATE(T) SCHEMA opt_single_name(N) AUTHORIZATION role_spec(R) opt_schema_elt_list(L). { A = create_schema(p, &(CreateSchemaStmt){.schema_name = N, .authrole = R, .schema_elts = L}, T.position); }
create_schema_stmt(A) ::= CREATE(T) SCHEMA col_id(N) opt_schema_elt_list(L). { A = create_schema(p, &(CreateSchemaStmt){.schema_name = N.text, .schema_elts = L}, T.position); }
create_schema_stmt(A) ::= CREATE(T) SCHEMA IF NOT EXISTS opt_single_name(N) AUTHORIZATION role_spec(R) opt_schema_elt_list(L). { A = create_schema(p, &(CreateSchemaStmt){.schema_name = N, .authrole = R, .schema_elts = L, .if_not_exists = true}, T.position); }
create_schema_stmt(A) ::= CREATE(T) SCHEMA IF NOT EXISTS col_id(N) opt_schema_elt_list(L). { A = create_schema(p, &(CreateSchemaStmt){.schema_name = N.text, .schema_elts = L, .if_not_exists = true}, T.position); }
opt_schema_elt_list(A) ::= opt_schema_elt_list(A) schema_stmt(S). { PUSH(A, S); }
opt_schema_elt_list(A) ::= . { A = EMPTY(NodeVec); }
schema_stmt ::= create_stmt.
schema_stmt ::= index_stmt.
schema_stmt ::= create_seq_stmt.
schema_stmt ::= grant_priv_stmt.
schema_stmt ::= view_stmt.

truncate_stmt(A) ::= TRUNCATE(T) opt_table relation_expr_list(L) opt_restart_seqs(R) opt_drop_behavior(B). { TruncateStmt *s = NEW(TruncateStmt, T.position); s->relations = L; s->restart_seqs = R; s->behavior = B; A = (Node *)s; }
%type opt_restart_seqs {bool}
opt_restart_seqs(A) ::= CONTINUE IDENTITY. { A = false; }
opt_restart_seqs(A) ::= RESTART IDENTITY. { A = true; }
opt_restart_seqs(A) ::= . { A = false; }

// ---- ALTER TABLE ----------------------------------------------------------------------------------

%type alter_table_cmds {AlterTableCmdVec}
%type alter_table_cmd {AlterTableCmd *}
%type partition_cmd {AlterTableCmd *}
%type alter_relation_kind {int}
alter_table_stmt(A) ::= ALTER(T) alter_relation(R) alter_table_cmds(L). { A = alter_table(p, &R, &L, T.position); }
alter_table_stmt(A) ::= ALTER(T) alter_relation(R) partition_cmd(C). { AlterTableCmdVec one = {0}; PUSH(one, C); A = alter_table(p, &R, &one, T.position); }
alter_table_stmt(A) ::= ALTER(T) alter_relation(R) ATTACH(X) PARTITION qualified_name(Q). { A = alter_index_attach(p, &R, Q, X, T.position); }
alter_table_stmt(A) ::= ALTER(T) alter_relation_kind ALL IN TABLESPACE name SET TABLESPACE name opt_nowait. { A = unsupported(p, "ALTER ALL IN TABLESPACE", T.position); }
alter_table_stmt(A) ::= ALTER(T) alter_relation_kind ALL IN TABLESPACE name OWNED BY role_list SET TABLESPACE name opt_nowait. { A = unsupported(p, "ALTER ALL IN TABLESPACE", T.position); }
alter_table_stmt(A) ::= ALTER(T) alter_relation(R) DEPENDS(X) ON EXTENSION name. { A = alter_depends(p, &R, X, T.position); }
alter_table_stmt(A) ::= ALTER(T) alter_relation(R) NO DEPENDS(X) ON EXTENSION name. { A = alter_depends(p, &R, X, T.position); }
alter_relation_kind(A) ::= TABLE. { A = 0; }
alter_relation_kind(A) ::= INDEX. { A = 0; }
alter_relation_kind(A) ::= MATERIALIZED VIEW. { A = 0; }
alter_table_cmds(A) ::= alter_table_cmd(C). { A = EMPTY(AlterTableCmdVec); PUSH(A, C); }
alter_table_cmds(A) ::= alter_table_cmds(A) COMMA alter_table_cmd(C). { PUSH(A, C); }
partition_cmd(A) ::= ATTACH PARTITION qualified_name(R) partition_bound_spec(B). { A = at_cmd(p, AT_ATTACH_PARTITION, STR_NONE, partition_cmd_node(p, R, B, false)); }
partition_cmd(A) ::= DETACH PARTITION qualified_name(R) opt_concurrently(C). { A = at_cmd(p, AT_DETACH_PARTITION, STR_NONE, partition_cmd_node(p, R, NULL, C)); }
partition_cmd(A) ::= DETACH PARTITION qualified_name(R) FINALIZE. { A = at_cmd(p, AT_DETACH_PARTITION_FINALIZE, STR_NONE, partition_cmd_node(p, R, NULL, false)); }

%type opt_column {int}
opt_column(A) ::= COLUMN. { A = 0; }
opt_column(A) ::= . { A = 0; }
alter_table_cmd(A) ::= ADD columnDef(D). { A = at_cmd(p, AT_ADD_COLUMN, D->name, (Node *)D); }
alter_table_cmd(A) ::= ADD IF NOT EXISTS columnDef(D). { A = at_cmd(p, AT_ADD_COLUMN, D->name, (Node *)D); A->missing_ok = true; }
alter_table_cmd(A) ::= ADD COLUMN columnDef(D). { A = at_cmd(p, AT_ADD_COLUMN, D->name, (Node *)D); }
alter_table_cmd(A) ::= ADD COLUMN IF NOT EXISTS columnDef(D). { A = at_cmd(p, AT_ADD_COLUMN, D->name, (Node *)D); A->missing_ok = true; }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) SET DEFAULT a_expr(X). { A = at_cmd(p, AT_COLUMN_DEFAULT, N.text, X); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) DROP DEFAULT. { A = at_cmd(p, AT_COLUMN_DEFAULT, N.text, NULL); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) DROP NOT NULL. { A = at_cmd(p, AT_DROP_NOT_NULL, N.text, NULL); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) SET NOT NULL. { A = at_cmd(p, AT_SET_NOT_NULL, N.text, NULL); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) DROP EXPRESSION. { A = at_cmd(p, AT_DROP_EXPRESSION, N.text, NULL); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) DROP EXPRESSION IF EXISTS. { A = at_cmd(p, AT_DROP_EXPRESSION, N.text, NULL); A->missing_ok = true; }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) SET STATISTICS signed_iconst(I). { A = at_cmd(p, AT_SET_STATISTICS, N.text, const_integer(p, I, 0)); }
alter_table_cmd(A) ::= ALTER opt_column iconst(C) SET STATISTICS signed_iconst(I). { A = at_cmd(p, AT_SET_STATISTICS, STR_NONE, const_integer(p, I, 0)); A->number = at_column_number(p, C); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) SET reloptions(O). { A = at_cmd(p, AT_SET_OPTIONS, N.text, NULL); A->options = O; }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) RESET reloptions(O). { A = at_cmd(p, AT_RESET_OPTIONS, N.text, NULL); A->options = O; }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) SET STORAGE col_id(S). { A = at_cmd(p, AT_SET_STORAGE, N.text, const_string(p, S)); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) SET column_compression(S). { A = at_cmd(p, AT_SET_COMPRESSION, N.text, const_text(p, S, 0)); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) ADD GENERATED(T) generated_when(W) AS IDENTITY opt_parenthesized_seq_opt_list(O). { Constraint *c = constraint(p, CONSTR_IDENTITY, T.position); c->generated_when = (char)W.integer; c->options = O; A = at_cmd(p, AT_ADD_IDENTITY, N.text, (Node *)c); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) alter_identity_column_option_list(O). { A = at_cmd(p, AT_SET_IDENTITY, N.text, NULL); A->options = O; }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) DROP IDENTITY. { A = at_cmd(p, AT_DROP_IDENTITY, N.text, NULL); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) DROP IDENTITY IF EXISTS. { A = at_cmd(p, AT_DROP_IDENTITY, N.text, NULL); A->missing_ok = true; }
alter_table_cmd(A) ::= DROP opt_column IF EXISTS col_id(N) opt_drop_behavior(B). { A = at_cmd(p, AT_DROP_COLUMN, N.text, NULL); A->missing_ok = true; A->behavior = B; }
alter_table_cmd(A) ::= DROP opt_column col_id(N) opt_drop_behavior(B). { A = at_cmd(p, AT_DROP_COLUMN, N.text, NULL); A->behavior = B; }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) opt_set_data TYPE typename(T) opt_collate_clause(C) alter_using(U). { A = at_column_type(p, N, T, C, U); }
alter_table_cmd(A) ::= ALTER opt_column col_id(N) alter_generic_options(O). { A = at_cmd(p, AT_ALTER_COLUMN_GENERIC_OPTIONS, N.text, NULL); A->options = O; }
alter_table_cmd(A) ::= ADD table_constraint(C). { A = at_cmd(p, AT_ADD_CONSTRAINT, STR_NONE, (Node *)C); }
alter_table_cmd(A) ::= ALTER CONSTRAINT(T) name(N) constraint_attribute_spec(S). { A = at_alter_constraint(p, N, &S, T.position); }
alter_table_cmd(A) ::= VALIDATE CONSTRAINT name(N). { A = at_cmd(p, AT_VALIDATE_CONSTRAINT, N.text, NULL); }
alter_table_cmd(A) ::= DROP CONSTRAINT IF EXISTS name(N) opt_drop_behavior(B). { A = at_cmd(p, AT_DROP_CONSTRAINT, N.text, NULL); A->missing_ok = true; A->behavior = B; }
alter_table_cmd(A) ::= DROP CONSTRAINT name(N) opt_drop_behavior(B). { A = at_cmd(p, AT_DROP_CONSTRAINT, N.text, NULL); A->behavior = B; }
alter_table_cmd(A) ::= SET WITHOUT OIDS. { A = at_cmd(p, AT_DROP_OIDS, STR_NONE, NULL); }
alter_table_cmd(A) ::= CLUSTER ON name(N). { A = at_cmd(p, AT_CLUSTER_ON, N.text, NULL); }
alter_table_cmd(A) ::= SET WITHOUT CLUSTER. { A = at_cmd(p, AT_DROP_CLUSTER, STR_NONE, NULL); }
alter_table_cmd(A) ::= SET LOGGED. { A = at_cmd(p, AT_SET_LOGGED, STR_NONE, NULL); }
alter_table_cmd(A) ::= SET UNLOGGED. { A = at_cmd(p, AT_SET_UNLOGGED, STR_NONE, NULL); }
alter_table_cmd(A) ::= ENABLE TRIGGER name(N). { A = at_cmd(p, AT_ENABLE_TRIG, N.text, NULL); }
alter_table_cmd(A) ::= ENABLE ALWAYS TRIGGER name(N). { A = at_cmd(p, AT_ENABLE_ALWAYS_TRIG, N.text, NULL); }
alter_table_cmd(A) ::= ENABLE REPLICA TRIGGER name(N). { A = at_cmd(p, AT_ENABLE_REPLICA_TRIG, N.text, NULL); }
alter_table_cmd(A) ::= ENABLE TRIGGER ALL. { A = at_cmd(p, AT_ENABLE_TRIG_ALL, STR_NONE, NULL); }
alter_table_cmd(A) ::= ENABLE TRIGGER USER. { A = at_cmd(p, AT_ENABLE_TRIG_USER, STR_NONE, NULL); }
alter_table_cmd(A) ::= DISABLE TRIGGER name(N). { A = at_cmd(p, AT_DISABLE_TRIG, N.text, NULL); }
alter_table_cmd(A) ::= DISABLE TRIGGER ALL. { A = at_cmd(p, AT_DISABLE_TRIG_ALL, STR_NONE, NULL); }
alter_table_cmd(A) ::= DISABLE TRIGGER USER. { A = at_cmd(p, AT_DISABLE_TRIG_USER, STR_NONE, NULL); }
alter_table_cmd(A) ::= ENABLE RULE name(N). { A = at_cmd(p, AT_ENABLE_RULE, N.text, NULL); }
alter_table_cmd(A) ::= ENABLE ALWAYS RULE name(N). { A = at_cmd(p, AT_ENABLE_ALWAYS_RULE, N.text, NULL); }
alter_table_cmd(A) ::= ENABLE REPLICA RULE name(N). { A = at_cmd(p, AT_ENABLE_REPLICA_RULE, N.text, NULL); }
alter_table_cmd(A) ::= DISABLE RULE name(N). { A = at_cmd(p, AT_DISABLE_RULE, N.text, NULL); }
alter_table_cmd(A) ::= INHERIT qualified_name(R). { A = at_cmd(p, AT_ADD_INHERIT, STR_NONE, (Node *)R); }
alter_table_cmd(A) ::= NO INHERIT qualified_name(R). { A = at_cmd(p, AT_DROP_INHERIT, STR_NONE, (Node *)R); }
alter_table_cmd(A) ::= OF any_name(N). { NodeVec none = {0}; A = at_cmd(p, AT_ADD_OF, STR_NONE, (Node *)type_named(p, &N, &none)); }
alter_table_cmd(A) ::= NOT OF. { A = at_cmd(p, AT_DROP_OF, STR_NONE, NULL); }
alter_table_cmd(A) ::= OWNER TO role_spec(R). { A = at_cmd(p, AT_CHANGE_OWNER, STR_NONE, NULL); A->new_owner = R; }
alter_table_cmd(A) ::= SET ACCESS METHOD name(N). { A = at_cmd(p, AT_SET_ACCESS_METHOD, N.text, NULL); }
alter_table_cmd(A) ::= SET TABLESPACE name(N). { A = at_cmd(p, AT_SET_TABLE_SPACE, N.text, NULL); }
alter_table_cmd(A) ::= SET reloptions(O). { A = at_cmd(p, AT_SET_REL_OPTIONS, STR_NONE, NULL); A->options = O; }
alter_table_cmd(A) ::= RESET reloptions(O). { A = at_cmd(p, AT_RESET_REL_OPTIONS, STR_NONE, NULL); A->options = O; }
alter_table_cmd(A) ::= REPLICA IDENTITY replica_identity(R). { A = at_cmd(p, AT_REPLICA_IDENTITY, STR_NONE, R); }
alter_table_cmd(A) ::= ENABLE ROW LEVEL SECURITY. { A = at_cmd(p, AT_ENABLE_ROW_SECURITY, STR_NONE, NULL); }
alter_table_cmd(A) ::= DISABLE ROW LEVEL SECURITY. { A = at_cmd(p, AT_DISABLE_ROW_SECURITY, STR_NONE, NULL); }
alter_table_cmd(A) ::= FORCE ROW LEVEL SECURITY. { A = at_cmd(p, AT_FORCE_ROW_SECURITY, STR_NONE, NULL); }
alter_table_cmd(A) ::= NO FORCE ROW LEVEL SECURITY. { A = at_cmd(p, AT_NO_FORCE_ROW_SECURITY, STR_NONE, NULL); }
alter_table_cmd(A) ::= alter_generic_options(O). { A = at_cmd(p, AT_GENERIC_OPTIONS, STR_NONE, NULL); A->options = O; }
alter_using(A) ::= USING a_expr(X). { A = X; }
alter_using(A) ::= . { A = NULL; }
%type opt_set_data {int}
opt_set_data(A) ::= SET DATA. { A = 0; }
opt_set_data(A) ::= . { A = 0; }
replica_identity(A) ::= NOTHING. { A = replica_identity(p, 'n', STR_NONE); }
replica_identity(A) ::= FULL. { A = replica_identity(p, 'f', STR_NONE); }
replica_identity(A) ::= DEFAULT. { A = replica_identity(p, 'd', STR_NONE); }
replica_identity(A) ::= USING INDEX name(N). { A = replica_identity(p, 'i', N.text); }
%type alter_identity_column_option_list {DefElemVec}
%type alter_identity_column_option {DefElem *}
alter_identity_column_option_list(A) ::= alter_identity_column_option(O). { A = EMPTY(DefElemVec); PUSH(A, O); }
alter_identity_column_option_list(A) ::= alter_identity_column_option_list(A) alter_identity_column_option(O). { PUSH(A, O); }
alter_identity_column_option(A) ::= RESTART(T). { A = def_named(p, "restart", NULL, T.position); }
alter_identity_column_option(A) ::= RESTART(T) opt_with numeric_only(N). { A = def_named(p, "restart", N, T.position); }
alter_identity_column_option(A) ::= SET seq_opt_elem(E). { A = E; grammar_check_identity_option(p, E); }
alter_identity_column_option(A) ::= SET(T) GENERATED generated_when(W). { A = def_named(p, "generated", const_integer(p, W.integer, W.position), T.position); }
