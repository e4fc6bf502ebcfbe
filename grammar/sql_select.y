// ---- SELECT -----------------------------------------------------------------------------------------

%type select_stmt {SelectStmt *}
%type select_with_parens {SelectStmt *}
%type select_no_parens {SelectStmt *}
%type select_clause {SelectStmt *}
%type simple_select {SelectStmt *}
%type values_clause {SelectStmt *}
select_stmt ::= select_no_parens. [UMINUS]
select_stmt ::= select_with_parens. [UMINUS]
select_with_parens(A) ::= LPAREN(T) select_no_parens(S) RPAREN. { A = S; A->node.position = T.position; }
select_with_parens(A) ::= LPAREN(T) select_with_parens(S) RPAREN. { A = S; A->node.position = T.position; }

select_no_parens ::= simple_select.
select_no_parens(A) ::= select_clause(S) sort_clause(O). { A = select_finish(p, S, &O, NULL, NULL); }
select_no_parens(A) ::= select_clause(S) opt_sort_clause(O) for_locking_clause(F) opt_select_limit(L). { A = select_finish(p, S, &O, &F, L); }
select_no_parens(A) ::= select_clause(S) opt_sort_clause(O) select_limit(L) opt_for_locking_clause(F). { A = select_finish(p, S, &O, &F, L); }
select_no_parens(A) ::= with_clause(W) select_clause(S). { A = select_with(p, S, W); }
select_no_parens(A) ::= with_clause(W) select_clause(S) sort_clause(O). { A = select_with(p, select_finish(p, S, &O, NULL, NULL), W); }
select_no_parens(A) ::= with_clause(W) select_clause(S) opt_sort_clause(O) for_locking_clause(F) opt_select_limit(L). { A = select_with(p, select_finish(p, S, &O, &F, L), W); }
select_no_parens(A) ::= with_clause(W) select_clause(S) opt_sort_clause(O) select_limit(L) opt_for_locking_clause(F). { A = select_with(p, select_finish(p, S, &O, &F, L), W); }
select_clause ::= simple_select.
select_clause ::= select_with_parens.

simple_select(A) ::= SELECT(T) opt_all_clause opt_target_list(L) into_clause(I) from_clause(F) where_clause(W) group_clause(G) having_clause(H) window_clause(N). { A = MAKE(SelectStmt, T.position, .target_list = L, .into_clause = I, .from_clause = F, .where_clause = W, .group_clause = G.list, .group_distinct = G.distinct, .having_clause = H, .window_clause = N); }
simple_select(A) ::= SELECT(T) distinct_clause(D) target_list(L) into_clause(I) from_clause(F) where_clause(W) group_clause(G) having_clause(H) window_clause(N). { A = MAKE(SelectStmt, T.position, .distinct = true, .distinct_on = D, .target_list = L, .into_clause = I, .from_clause = F, .where_clause = W, .group_clause = G.list, .group_distinct = G.distinct, .having_clause = H, .window_clause = N); }
simple_select ::= values_clause.
simple_select(A) ::= TABLE(T) relation_expr(R). { A = select_table(p, R, T.position); }
simple_select(A) ::= select_clause(L) UNION(T) set_quantifier(Q) select_clause(R). { A = MAKE(SelectStmt, T.position, .op = SETOP_UNION, .all = Q, .larg = L, .rarg = R); }
simple_select(A) ::= select_clause(L) INTERSECT(T) set_quantifier(Q) select_clause(R). { A = MAKE(SelectStmt, T.position, .op = SETOP_INTERSECT, .all = Q, .larg = L, .rarg = R); }
simple_select(A) ::= select_clause(L) EXCEPT(T) set_quantifier(Q) select_clause(R). { A = MAKE(SelectStmt, T.position, .op = SETOP_EXCEPT, .all = Q, .larg = L, .rarg = R); }

%type set_quantifier {bool}
set_quantifier(A) ::= ALL. { A = true; }
set_quantifier(A) ::= DISTINCT. { A = false; }
set_quantifier(A) ::= . { A = false; }
%type opt_all_clause {int}
opt_all_clause(A) ::= ALL. { A = 0; }
opt_all_clause(A) ::= . { A = 0; }
%type distinct_clause {NodeVec}
distinct_clause(A) ::= DISTINCT. { A = EMPTY(NodeVec); }
distinct_clause(A) ::= DISTINCT ON LPAREN expr_list(L) RPAREN. { A = L; }

%type with_clause {WithClause *}
%type opt_with_clause {WithClause *}
%type cte_list {CommonTableExprVec}
%type common_table_expr {CommonTableExpr *}
with_clause(A) ::= WITH(T) cte_list(L). { A = NEW(WithClause, T.position); A->ctes = L; }
with_clause(A) ::= WITH_LA(T) cte_list(L). { A = NEW(WithClause, T.position); A->ctes = L; }
with_clause(A) ::= WITH(T) RECURSIVE cte_list(L). { A = NEW(WithClause, T.position); A->ctes = L; A->recursive = true; }
opt_with_clause ::= with_clause.
opt_with_clause(A) ::= . { A = NULL; }
cte_list(A) ::= common_table_expr(C). { A = EMPTY(CommonTableExprVec); PUSH(A, C); }
cte_list(A) ::= cte_list(A) COMMA common_table_expr(C). { PUSH(A, C); }
common_table_expr(A) ::= name(N) opt_name_list(L) AS opt_materialized(M) LPAREN preparable_stmt(Q) RPAREN opt_search_clause(S) opt_cycle_clause(C). {
    A = NEW(CommonTableExpr, N.position);
    A->name = N.text;
    A->aliascolnames = L;
    A->materialized = (CTEMaterialize)M;
    A->query = Q;
    A->search_clause = (CTESearchClause *)S;
    A->cycle_clause = (CTECycleClause *)C;
}
%type opt_materialized {int}
opt_materialized(A) ::= MATERIALIZED. { A = CTE_MATERIALIZE_ALWAYS; }
opt_materialized(A) ::= NOT MATERIALIZED. { A = CTE_MATERIALIZE_NEVER; }
opt_materialized(A) ::= . { A = CTE_MATERIALIZE_DEFAULT; }
opt_search_clause(A) ::= SEARCH(T) DEPTH FIRST BY columnList(L) SET col_id(N). { A = cte_search(p, false, &L, N, T.position); }
opt_search_clause(A) ::= SEARCH(T) BREADTH FIRST BY columnList(L) SET col_id(N). { A = cte_search(p, true, &L, N, T.position); }
opt_search_clause(A) ::= . { A = NULL; }
opt_cycle_clause(A) ::= CYCLE(T) columnList(L) SET col_id(M) TO aexpr_const(V) DEFAULT aexpr_const(D) USING col_id(N). { A = &MAKE(CTECycleClause, T.position, .columns = L, .mark_column = M.text, .mark_value = V, .mark_default = D, .path_column = N.text)->node; }
opt_cycle_clause(A) ::= CYCLE(T) columnList(L) SET col_id(M) USING col_id(N). { A = &MAKE(CTECycleClause, T.position, .columns = L, .mark_column = M.text, .path_column = N.text)->node; }
opt_cycle_clause(A) ::= . { A = NULL; }

%type opt_name_list {StrVec}
opt_name_list(A) ::= LPAREN name_list(L) RPAREN. { A = L; }
opt_name_list(A) ::= . { A = EMPTY(StrVec); }
%type columnList {StrVec}
%type opt_column_list {StrVec}
columnList(A) ::= col_id(N). { A = EMPTY(StrVec); PUSH(A, N.text); }
columnList(A) ::= columnList(A) COMMA col_id(N). { PUSH(A, N.text); }
opt_column_list(A) ::= LPAREN columnList(L) RPAREN. { A = L; }
opt_column_list(A) ::= . { A = EMPTY(StrVec); }

%type into_clause {IntoClause *}
%type opt_temp_table_name {RangeVar *}
into_clause(A) ::= INTO opt_temp_table_name(R). { A = NEW(IntoClause, R->node.position); A->relation = R; }
into_clause(A) ::= . { A = NULL; }
opt_temp_table_name(A) ::= TEMPORARY opt_table qualified_name(R). { A = R; A->persistence = PERSISTENCE_TEMPORARY; }
opt_temp_table_name(A) ::= TEMP opt_table qualified_name(R). { A = R; A->persistence = PERSISTENCE_TEMPORARY; }
opt_temp_table_name(A) ::= LOCAL TEMPORARY opt_table qualified_name(R). { A = R; A->persistence = PERSISTENCE_TEMPORARY; }
opt_temp_table_name(A) ::= LOCAL TEMP opt_table qualified_name(R). { A = R; A->persistence = PERSISTENCE_TEMPORARY; }
opt_temp_table_name(A) ::= GLOBAL TEMPORARY opt_table qualified_name(R). { A = R; A->persistence = PERSISTENCE_TEMPORARY; }
opt_temp_table_name(A) ::= GLOBAL TEMP opt_table qualified_name(R). { A = R; A->persistence = PERSISTENCE_TEMPORARY; }
opt_temp_table_name(A) ::= UNLOGGED opt_table qualified_name(R). { A = R; A->persistence = PERSISTENCE_UNLOGGED; }
opt_temp_table_name(A) ::= TABLE qualified_name(R). { A = R; }
opt_temp_table_name ::= qualified_name.
%type opt_table {int}
opt_table(A) ::= TABLE. { A = 0; }
opt_table(A) ::= . { A = 0; }

%type opt_sort_clause {SortByVec}
%type sort_clause {SortByVec}
%type sortby_list {SortByVec}
%type sortby {SortBy *}
%type opt_asc_desc {int}
%type opt_nulls_order {int}
opt_sort_clause ::= sort_clause.
opt_sort_clause(A) ::= . { A = EMPTY(SortByVec); }
sort_clause(A) ::= ORDER BY sortby_list(L). { A = L; }
sortby_list(A) ::= sortby(S). { A = EMPTY(SortByVec); PUSH(A, S); }
sortby_list(A) ::= sortby_list(A) COMMA sortby(S). { PUSH(A, S); }
sortby(A) ::= a_expr(X) USING qual_all_Op(N) opt_nulls_order(U). { A = sort_by(p, X, SORTBY_USING, U); A->use_op = N.names; A->node.position = N.position; }
sortby(A) ::= a_expr(X) opt_asc_desc(D) opt_nulls_order(U). { A = sort_by(p, X, D, U); }
opt_asc_desc(A) ::= ASC. { A = SORTBY_ASC; }
opt_asc_desc(A) ::= DESC. { A = SORTBY_DESC; }
opt_asc_desc(A) ::= . { A = SORTBY_DEFAULT; }
opt_nulls_order(A) ::= NULLS_LA FIRST. { A = SORTBY_NULLS_FIRST; }
opt_nulls_order(A) ::= NULLS_LA LAST. { A = SORTBY_NULLS_LAST; }
opt_nulls_order(A) ::= . { A = SORTBY_NULLS_DEFAULT; }

%type select_limit {SelectLimit *}
%type opt_select_limit {SelectLimit *}
%type limit_clause {SelectLimit *}
select_limit(A) ::= limit_clause(L) offset_clause(O). { A = L; A->offset = O; }
select_limit(A) ::= offset_clause(O) limit_clause(L). { A = L; A->offset = O; }
select_limit ::= limit_clause.
select_limit(A) ::= offset_clause(O). { A = select_limit(p, NULL, LIMIT_OPTION_COUNT); A->offset = O; }
opt_select_limit ::= select_limit.
opt_select_limit(A) ::= . { A = NULL; }
limit_clause(A) ::= LIMIT select_limit_value(V). { A = select_limit(p, V, LIMIT_OPTION_COUNT); }
limit_clause(A) ::= LIMIT(T) select_limit_value COMMA a_expr. { A = select_limit(p, NULL, LIMIT_OPTION_COUNT); grammar_fail(p, ERR_SYNTAX_ERROR, STR("LIMIT #,# syntax is not supported"), STR("Use separate LIMIT and OFFSET clauses."), T.position); }
limit_clause(A) ::= FETCH first_or_next select_fetch_first_value(V) row_or_rows ONLY. { A = select_limit(p, V, LIMIT_OPTION_COUNT); }
limit_clause(A) ::= FETCH first_or_next select_fetch_first_value(V) row_or_rows WITH TIES. { A = select_limit(p, V, LIMIT_OPTION_WITH_TIES); }
limit_clause(A) ::= FETCH(T) first_or_next row_or_rows ONLY. { A = select_limit(p, const_integer(p, 1, T.position), LIMIT_OPTION_COUNT); }
limit_clause(A) ::= FETCH(T) first_or_next row_or_rows WITH TIES. { A = select_limit(p, const_integer(p, 1, T.position), LIMIT_OPTION_WITH_TIES); }
offset_clause(A) ::= OFFSET a_expr(V). { A = V; }
offset_clause(A) ::= OFFSET select_fetch_first_value(V) row_or_rows. { A = V; }
select_limit_value ::= a_expr.
select_limit_value(A) ::= ALL(T). { A = const_null(p, T.position); }
select_fetch_first_value ::= c_expr.
select_fetch_first_value(A) ::= PLUS(T) i_or_f_const(V). { A = expr_op(p, T, NULL, V); }
select_fetch_first_value(A) ::= MINUS(T) i_or_f_const(V). { A = const_negate(p, V, T.position); }
i_or_f_const(A) ::= ICONST(T). { A = const_integer(p, T.integer, T.position); }
i_or_f_const(A) ::= FCONST(T). { A = const_float(p, T); }
%type row_or_rows {int}
%type first_or_next {int}
row_or_rows(A) ::= ROW. { A = 0; }
row_or_rows(A) ::= ROWS. { A = 0; }
first_or_next(A) ::= FIRST. { A = 0; }
first_or_next(A) ::= NEXT. { A = 0; }

%type group_clause {GroupBy}
%type group_by_list {NodeVec}
group_clause(A) ::= GROUP BY set_quantifier_group(D) group_by_list(L). { A = (GroupBy){.list = L, .distinct = D}; }
group_clause(A) ::= . { A = EMPTY(GroupBy); }
%type set_quantifier_group {bool}
set_quantifier_group(A) ::= ALL. { A = false; }
set_quantifier_group(A) ::= DISTINCT. { A = true; }
set_quantifier_group(A) ::= . { A = false; }
group_by_list(A) ::= group_by_item(I). { A = EMPTY(NodeVec); PUSH(A, I); }
group_by_list(A) ::= group_by_list(A) COMMA group_by_item(I). { PUSH(A, I); }
group_by_item ::= a_expr.
group_by_item(A) ::= LPAREN(T) RPAREN. { A = grouping_set(p, GROUPING_SET_EMPTY, NULL, T.position); }
group_by_item(A) ::= CUBE(T) LPAREN expr_list(L) RPAREN. { A = grouping_set(p, GROUPING_SET_CUBE, &L, T.position); }
group_by_item(A) ::= ROLLUP(T) LPAREN expr_list(L) RPAREN. { A = grouping_set(p, GROUPING_SET_ROLLUP, &L, T.position); }
group_by_item(A) ::= GROUPING(T) SETS LPAREN group_by_list(L) RPAREN. { A = grouping_set(p, GROUPING_SET_SETS, &L, T.position); }
having_clause(A) ::= HAVING a_expr(X). { A = X; }
having_clause(A) ::= . { A = NULL; }

%type for_locking_clause {LockingClauseVec}
%type opt_for_locking_clause {LockingClauseVec}
%type for_locking_items {LockingClauseVec}
%type for_locking_item {LockingClause *}
%type for_locking_strength {int}
%type locked_rels_list {RangeVarVec}
%type opt_nowait_or_skip {int}
for_locking_clause ::= for_locking_items.
for_locking_clause(A) ::= FOR READ ONLY. { A = EMPTY(LockingClauseVec); }
opt_for_locking_clause ::= for_locking_clause.
opt_for_locking_clause(A) ::= . { A = EMPTY(LockingClauseVec); }
for_locking_items(A) ::= for_locking_item(I). { A = EMPTY(LockingClauseVec); PUSH(A, I); }
for_locking_items(A) ::= for_locking_items(A) for_locking_item(I). { PUSH(A, I); }
for_locking_item(A) ::= for_locking_strength(S) locked_rels_list(L) opt_nowait_or_skip(W). { A = NEW(LockingClause, 0); A->strength = (LockClauseStrength)S; A->locked_rels = L; A->wait_policy = (LockWaitPolicy)W; }
for_locking_strength(A) ::= FOR UPDATE. { A = LCS_FOR_UPDATE; }
for_locking_strength(A) ::= FOR NO KEY UPDATE. { A = LCS_FOR_NO_KEY_UPDATE; }
for_locking_strength(A) ::= FOR SHARE. { A = LCS_FOR_SHARE; }
for_locking_strength(A) ::= FOR KEY SHARE. { A = LCS_FOR_KEY_SHARE; }
locked_rels_list(A) ::= OF qualified_name_list(L). { A = L; }
locked_rels_list(A) ::= . { A = EMPTY(RangeVarVec); }
opt_nowait_or_skip(A) ::= NOWAIT. { A = LOCK_WAIT_ERROR; }
opt_nowait_or_skip(A) ::= SKIP LOCKED. { A = LOCK_WAIT_SKIP; }
opt_nowait_or_skip(A) ::= . { A = LOCK_WAIT_BLOCK; }

values_clause(A) ::= VALUES(T) LPAREN expr_list(L) RPAREN. { A = NEW(SelectStmt, T.position); PUSH(A->values_lists, L); }
values_clause(A) ::= values_clause(A) COMMA LPAREN expr_list(L) RPAREN. { PUSH(A->values_lists, L); }

// ---- FROM -----------------------------------------------------------------------------------------

%type from_clause {NodeVec}
%type from_list {NodeVec}
from_clause(A) ::= FROM from_list(L). { A = L; }
from_clause(A) ::= . { A = EMPTY(NodeVec); }
from_list(A) ::= table_ref(R). { A = EMPTY(NodeVec); PUSH(A, R); }
from_list(A) ::= from_list(A) COMMA table_ref(R). { PUSH(A, R); }

table_ref(A) ::= relation_expr(R) opt_alias_clause(L). { R->alias = L; A = (Node *)R; }
table_ref(A) ::= relation_expr(R) opt_alias_clause(L) tablesample_clause(S). { R->alias = L; RangeTableSample *sample = (RangeTableSample *)S; sample->relation = (Node *)R; A = S; }
table_ref(A) ::= func_table(F) func_alias_clause(L). { A = range_function(F, &L, false); }
table_ref(A) ::= LATERAL func_table(F) func_alias_clause(L). { A = range_function(F, &L, true); }
table_ref(A) ::= xmltable opt_alias_clause. { A = const_null(p, 0); grammar_fail_unsupported(p, "XMLTABLE is not supported", 0); }
table_ref(A) ::= LATERAL xmltable opt_alias_clause. { A = const_null(p, 0); grammar_fail_unsupported(p, "XMLTABLE is not supported", 0); }
table_ref(A) ::= select_with_parens(S) opt_alias_clause(L). { A = range_subselect(p, S, L, false); }
table_ref(A) ::= LATERAL select_with_parens(S) opt_alias_clause(L). { A = range_subselect(p, S, L, true); }
table_ref(A) ::= joined_table(J). { A = (Node *)J; }
table_ref(A) ::= LPAREN joined_table(J) RPAREN alias_clause(L). { J->alias = L; A = (Node *)J; }

%type joined_table {JoinExpr *}
%type join_type {int}
%type opt_outer {int}
joined_table(A) ::= LPAREN joined_table(J) RPAREN. { A = J; }
joined_table(A) ::= table_ref(L) CROSS JOIN table_ref(R). [JOIN] { A = MAKE(JoinExpr, node_position(L), .type = JOIN_INNER, .larg = L, .rarg = R); }
joined_table(A) ::= table_ref(L) join_type(T) JOIN table_ref(R) join_qual(Q). [JOIN] { A = MAKE(JoinExpr, node_position(L), .type = (JoinType)T, .larg = L, .rarg = R, .using_clause = Q.using_list, .join_using_alias = Q.alias, .quals = Q.quals); }
joined_table(A) ::= table_ref(L) JOIN table_ref(R) join_qual(Q). [JOIN] { A = MAKE(JoinExpr, node_position(L), .type = JOIN_INNER, .larg = L, .rarg = R, .using_clause = Q.using_list, .join_using_alias = Q.alias, .quals = Q.quals); }
joined_table(A) ::= table_ref(L) NATURAL join_type(T) JOIN table_ref(R). [JOIN] { A = MAKE(JoinExpr, node_position(L), .type = (JoinType)T, .is_natural = true, .larg = L, .rarg = R); }
joined_table(A) ::= table_ref(L) NATURAL JOIN table_ref(R). [JOIN] { A = MAKE(JoinExpr, node_position(L), .type = JOIN_INNER, .is_natural = true, .larg = L, .rarg = R); }
join_type(A) ::= FULL opt_outer. { A = JOIN_FULL; }
join_type(A) ::= LEFT opt_outer. { A = JOIN_LEFT; }
join_type(A) ::= RIGHT opt_outer. { A = JOIN_RIGHT; }
join_type(A) ::= INNER. { A = JOIN_INNER; }
opt_outer(A) ::= OUTER. { A = 0; }
opt_outer(A) ::= . { A = 0; }
%type join_qual {JoinQual}
join_qual(A) ::= USING LPAREN name_list(L) RPAREN opt_alias_clause_for_join_using(N). { A = (JoinQual){.using_list = L, .alias = N}; }
join_qual(A) ::= ON a_expr(X). { A = (JoinQual){.quals = X}; }

%type alias_clause {Alias *}
%type opt_alias_clause {Alias *}
%type opt_alias_clause_for_join_using {Alias *}
%type func_alias_clause {FuncAlias}
alias_clause(A) ::= AS col_id(N) LPAREN name_list(L) RPAREN. { A = alias_new(p, N, &L); }
alias_clause(A) ::= AS col_id(N). { A = alias_new(p, N, NULL); }
alias_clause(A) ::= col_id(N) LPAREN name_list(L) RPAREN. { A = alias_new(p, N, &L); }
alias_clause(A) ::= col_id(N). { A = alias_new(p, N, NULL); }
opt_alias_clause ::= alias_clause.
opt_alias_clause(A) ::= . { A = NULL; }
opt_alias_clause_for_join_using(A) ::= AS col_id(N). { A = alias_new(p, N, NULL); }
opt_alias_clause_for_join_using(A) ::= . { A = NULL; }
func_alias_clause(A) ::= alias_clause(L). { A = (FuncAlias){.alias = L}; }
func_alias_clause(A) ::= AS LPAREN table_func_element_list(L) RPAREN. { A = (FuncAlias){.columns = L}; }
func_alias_clause(A) ::= AS col_id(N) LPAREN table_func_element_list(L) RPAREN. { A = (FuncAlias){.alias = alias_new(p, N, NULL), .columns = L}; }
func_alias_clause(A) ::= col_id(N) LPAREN table_func_element_list(L) RPAREN. { A = (FuncAlias){.alias = alias_new(p, N, NULL), .columns = L}; }
func_alias_clause(A) ::= . { A = EMPTY(FuncAlias); }

%type relation_expr {RangeVar *}
%type relation_expr_list {RangeVarVec}
%type relation_expr_opt_alias {RangeVar *}
relation_expr ::= qualified_name.
relation_expr(A) ::= qualified_name(R) STAR. { A = R; }
relation_expr(A) ::= ONLY qualified_name(R). { A = R; A->only = true; }
relation_expr(A) ::= ONLY LPAREN qualified_name(R) RPAREN. { A = R; A->only = true; }
relation_expr_list(A) ::= relation_expr(R). { A = EMPTY(RangeVarVec); PUSH(A, R); }
relation_expr_list(A) ::= relation_expr_list(A) COMMA relation_expr(R). { PUSH(A, R); }
// SET binds looser than a label here, so that UPDATE t SET … takes SET for the clause.
relation_expr_opt_alias ::= relation_expr. [UMINUS]
relation_expr_opt_alias(A) ::= relation_expr(R) col_id(N). { A = R; A->alias = alias_new(p, N, NULL); }
relation_expr_opt_alias(A) ::= relation_expr(R) AS col_id(N). { A = R; A->alias = alias_new(p, N, NULL); }

tablesample_clause(A) ::= TABLESAMPLE(T) func_name(N) LPAREN expr_list(L) RPAREN opt_repeatable_clause(R). { A = table_sample(p, &N, &L, R, T.position); }
opt_repeatable_clause(A) ::= REPEATABLE LPAREN a_expr(X) RPAREN. { A = X; }
opt_repeatable_clause(A) ::= . { A = NULL; }

%type func_table {RangeFunction *}
%type rowsfrom_list {RangeFunctionItemVec}
%type rowsfrom_item {RangeFunctionItem *}
%type opt_col_def_list {ColumnDefVec}
%type opt_ordinality {bool}
func_table(A) ::= func_expr_windowless(F) opt_ordinality(O). { A = func_table(p, F, O); }
func_table(A) ::= ROWS(T) FROM LPAREN rowsfrom_list(L) RPAREN opt_ordinality(O). { A = NEW(RangeFunction, T.position); A->is_rows_from = true; A->functions = L; A->ordinality = O; }
rowsfrom_list(A) ::= rowsfrom_item(I). { A = EMPTY(RangeFunctionItemVec); PUSH(A, I); }
rowsfrom_list(A) ::= rowsfrom_list(A) COMMA rowsfrom_item(I). { PUSH(A, I); }
rowsfrom_item(A) ::= func_expr_windowless(F) opt_col_def_list(L). { A = NEW(RangeFunctionItem, node_position(F)); A->func = F; A->coldeflist = L; }
opt_col_def_list(A) ::= AS LPAREN table_func_element_list(L) RPAREN. { A = L; }
opt_col_def_list(A) ::= . { A = EMPTY(ColumnDefVec); }
opt_ordinality(A) ::= WITH_LA ORDINALITY. { A = true; }
opt_ordinality(A) ::= . { A = false; }
%type table_func_element_list {ColumnDefVec}
%type table_func_element {ColumnDef *}
%type opt_collate_clause {CollateClause *}
table_func_element_list(A) ::= table_func_element(E). { A = EMPTY(ColumnDefVec); PUSH(A, E); }
table_func_element_list(A) ::= table_func_element_list(A) COMMA table_func_element(E). { PUSH(A, E); }
table_func_element(A) ::= col_id(N) typename(T) opt_collate_clause(C). { A = column_def(p, N, T); A->coll_clause = C; }
opt_collate_clause(A) ::= COLLATE(T) any_name(N). { A = NODE_CAST(CollateClause, collate_clause(p, NULL, &N, T.position)); }
opt_collate_clause(A) ::= . { A = NULL; }

%type xmltable {int}
%type xmltable_column_list {int}
%type xmltable_column_el {int}
%type xmltable_column_options {int}
%type xmltable_column_option_el {int}
%type xml_namespace_list {int}
%type xml_namespace_el {int}
xmltable ::= XMLTABLE LPAREN c_expr xmlexists_argument COLUMNS xmltable_column_list RPAREN.
xmltable ::= XMLTABLE LPAREN XMLNAMESPACES LPAREN xml_namespace_list RPAREN COMMA c_expr xmlexists_argument COLUMNS xmltable_column_list RPAREN.
xmltable_column_list ::= xmltable_column_el.
xmltable_column_list ::= xmltable_column_list COMMA xmltable_column_el.
xmltable_column_el ::= col_id typename.
xmltable_column_el ::= col_id typename xmltable_column_options.
xmltable_column_el ::= col_id FOR ORDINALITY.
xmltable_column_options ::= xmltable_column_option_el.
xmltable_column_options ::= xmltable_column_options xmltable_column_option_el.
xmltable_column_option_el ::= IDENT b_expr.
xmltable_column_option_el ::= DEFAULT b_expr.
xmltable_column_option_el ::= NOT NULL.
xmltable_column_option_el ::= NULL.
xml_namespace_list ::= xml_namespace_el.
xml_namespace_list ::= xml_namespace_list COMMA xml_namespace_el.
xml_namespace_el ::= b_expr AS col_label.
xml_namespace_el ::= DEFAULT b_expr.

where_clause(A) ::= WHERE a_expr(X). { A = X; }
where_clause(A) ::= . { A = NULL; }
where_or_current_clause(A) ::= WHERE a_expr(X). { A = X; }
where_or_current_clause(A) ::= WHERE CURRENT OF cursor_name(N). { CurrentOfExpr *c = NEW(CurrentOfExpr, N.position); c->cursor_name = N.text; A = (Node *)c; }
where_or_current_clause(A) ::= . { A = NULL; }
%type cursor_name {Token}
cursor_name ::= name.

%type opt_target_list {ResTargetVec}
%type target_list {ResTargetVec}
%type target_el {ResTarget *}
opt_target_list ::= target_list.
opt_target_list(A) ::= . { A = EMPTY(ResTargetVec); }
target_list(A) ::= target_el(T). { A = EMPTY(ResTargetVec); PUSH(A, T); }
target_list(A) ::= target_list(A) COMMA target_el(T). { PUSH(A, T); }
target_el(A) ::= a_expr(X) AS col_label(N). { A = res_target(p, X, N.text, node_position(X)); }
target_el(A) ::= a_expr(X) bare_col_label(N). { A = res_target(p, X, N.text, node_position(X)); }
target_el(A) ::= a_expr(X). { A = res_target(p, X, STR_NONE, node_position(X)); }
target_el(A) ::= STAR(T). { A = res_target_star(p, T.position); }

// ---- INSERT, UPDATE, DELETE, MERGE ----------------------------------------------------------------

%type insert_rest {InsertStmt *}
%type insert_column_list {ResTargetVec}
%type insert_column_item {ResTarget *}
%type insert_target {RangeVar *}
%type override_kind {int}
%type returning_clause {ResTargetVec}
insert_stmt(A) ::= opt_with_clause(W) INSERT(T) INTO insert_target(R) insert_rest(S) opt_on_conflict(C) returning_clause(L). {
    S->node.position = T.position;
    S->relation = R;
    S->on_conflict = (OnConflictClause *)C;
    S->returning = L;
    S->with_clause = W;
    A = (Node *)S;
}
insert_target ::= qualified_name.
insert_target(A) ::= qualified_name(R) AS col_id(N). { A = R; A->alias = alias_new(p, N, NULL); }
insert_rest(A) ::= select_stmt(S). { A = NEW(InsertStmt, 0); A->select = S; }
insert_rest(A) ::= OVERRIDING override_kind(K) VALUE select_stmt(S). { A = NEW(InsertStmt, 0); A->select = S; A->overriding = (OverridingKind)K; }
insert_rest(A) ::= LPAREN insert_column_list(L) RPAREN select_stmt(S). { A = NEW(InsertStmt, 0); A->cols = L; A->select = S; }
insert_rest(A) ::= LPAREN insert_column_list(L) RPAREN OVERRIDING override_kind(K) VALUE select_stmt(S). { A = NEW(InsertStmt, 0); A->cols = L; A->select = S; A->overriding = (OverridingKind)K; }
insert_rest(A) ::= DEFAULT VALUES. { A = NEW(InsertStmt, 0); }
override_kind(A) ::= USER. { A = OVERRIDING_USER_VALUE; }
override_kind(A) ::= SYSTEM. { A = OVERRIDING_SYSTEM_VALUE; }
insert_column_list(A) ::= insert_column_item(I). { A = EMPTY(ResTargetVec); PUSH(A, I); }
insert_column_list(A) ::= insert_column_list(A) COMMA insert_column_item(I). { PUSH(A, I); }
insert_column_item(A) ::= col_id(N) opt_indirection(I). { A = res_target(p, NULL, N.text, N.position); A->indirection = check_indirection(p, &I); }
opt_on_conflict(A) ::= ON(T) CONFLICT opt_conf_expr(I) DO UPDATE SET set_clause_list(L) where_clause(W). { A = &MAKE(OnConflictClause, T.position, .do_update = true, .infer = I, .target_list = L, .where_clause = W)->node; }
opt_on_conflict(A) ::= ON(T) CONFLICT opt_conf_expr(I) DO NOTHING. { A = &MAKE(OnConflictClause, T.position, .infer = I)->node; }
opt_on_conflict(A) ::= . { A = NULL; }
%type opt_conf_expr {InferClause *}
opt_conf_expr(A) ::= LPAREN(T) index_params(L) RPAREN where_clause(W). { A = NEW(InferClause, T.position); A->index_elems = L; A->where_clause = W; }
opt_conf_expr(A) ::= ON(T) CONSTRAINT name(N). { A = NEW(InferClause, T.position); A->constraint = N.text; }
opt_conf_expr(A) ::= . { A = NULL; }
returning_clause(A) ::= RETURNING target_list(L). { A = L; }
returning_clause(A) ::= . { A = EMPTY(ResTargetVec); }

%type using_clause {NodeVec}
delete_stmt(A) ::= opt_with_clause(W) DELETE(T) FROM relation_expr_opt_alias(R) using_clause(U) where_or_current_clause(X) returning_clause(L). {
    DeleteStmt *s = NEW(DeleteStmt, T.position);
    s->relation = R;
    s->using_clause = U;
    s->where_clause = X;
    s->returning = L;
    s->with_clause = W;
    A = (Node *)s;
}
using_clause(A) ::= USING from_list(L). { A = L; }
using_clause(A) ::= . { A = EMPTY(NodeVec); }

%type set_clause_list {ResTargetVec}
%type set_clause {ResTargetVec}
%type set_target {ResTarget *}
%type set_target_list {ResTargetVec}
update_stmt(A) ::= opt_with_clause(W) UPDATE(T) relation_expr_opt_alias(R) SET set_clause_list(L) from_clause(F) where_or_current_clause(X) returning_clause(G). {
    UpdateStmt *s = NEW(UpdateStmt, T.position);
    s->relation = R;
    s->target_list = L;
    s->from_clause = F;
    s->where_clause = X;
    s->returning = G;
    s->with_clause = W;
    A = (Node *)s;
}
set_clause_list ::= set_clause.
set_clause_list(A) ::= set_clause_list(A) COMMA set_clause(S). { for (size_t i = 0; i < S.length; i++) PUSH(A, S.items[i]); }
set_clause(A) ::= set_target(T) EQ a_expr(X). { A = EMPTY(ResTargetVec); T->val = X; PUSH(A, T); }
set_clause(A) ::= LPAREN set_target_list(L) RPAREN EQ a_expr(X). { A = set_multiple(p, &L, X); }
set_target(A) ::= col_id(N) opt_indirection(I). { A = res_target(p, NULL, N.text, N.position); A->indirection = check_indirection(p, &I); }
set_target_list(A) ::= set_target(T). { A = EMPTY(ResTargetVec); PUSH(A, T); }
set_target_list(A) ::= set_target_list(A) COMMA set_target(T). { PUSH(A, T); }

%type merge_when_list {MergeWhenClauseVec}
%type merge_when_clause {MergeWhenClause *}
%type merge_update {MergeWhenClause *}
%type merge_delete {MergeWhenClause *}
%type merge_insert {MergeWhenClause *}
%type merge_values_clause {NodeVec}
merge_stmt(A) ::= opt_with_clause(W) MERGE(T) INTO relation_expr_opt_alias(R) USING table_ref(S) ON a_expr(X) merge_when_list(L). {
    MergeStmt *s = NEW(MergeStmt, T.position);
    s->with_clause = W;
    s->relation = R;
    s->source = S;
    s->join_condition = X;
    s->when_clauses = L;
    A = (Node *)s;
}
merge_when_list(A) ::= merge_when_clause(C). { A = EMPTY(MergeWhenClauseVec); PUSH(A, C); }
merge_when_list(A) ::= merge_when_list(A) merge_when_clause(C). { PUSH(A, C); }
merge_when_clause(A) ::= WHEN(T) MATCHED opt_merge_when_condition(X) THEN merge_update(C). { A = merge_when(C, true, X, T.position); }
merge_when_clause(A) ::= WHEN(T) MATCHED opt_merge_when_condition(X) THEN merge_delete(C). { A = merge_when(C, true, X, T.position); }
merge_when_clause(A) ::= WHEN(T) NOT MATCHED opt_merge_when_condition(X) THEN merge_insert(C). { A = merge_when(C, false, X, T.position); }
merge_when_clause(A) ::= WHEN(T) MATCHED opt_merge_when_condition(X) THEN DO NOTHING. { A = merge_when(NEW(MergeWhenClause, 0), true, X, T.position); }
merge_when_clause(A) ::= WHEN(T) NOT MATCHED opt_merge_when_condition(X) THEN DO NOTHING. { A = merge_when(NEW(MergeWhenClause, 0), false, X, T.position); }
opt_merge_when_condition(A) ::= AND a_expr(X). { A = X; }
opt_merge_when_condition(A) ::= . { A = NULL; }
merge_update(A) ::= UPDATE SET set_clause_list(L). { A = NEW(MergeWhenClause, 0); A->action = MERGE_UPDATE; A->target_list = L; }
merge_delete(A) ::= DELETE. { A = NEW(MergeWhenClause, 0); A->action = MERGE_DELETE; }
merge_insert(A) ::= INSERT merge_values_clause(V). { A = merge_insert(p, NULL, OVERRIDING_NOT_SET, &V); }
merge_insert(A) ::= INSERT OVERRIDING override_kind(K) VALUE merge_values_clause(V). { A = merge_insert(p, NULL, (OverridingKind)K, &V); }
merge_insert(A) ::= INSERT LPAREN insert_column_list(L) RPAREN merge_values_clause(V). { A = merge_insert(p, &L, OVERRIDING_NOT_SET, &V); }
merge_insert(A) ::= INSERT LPAREN insert_column_list(L) RPAREN OVERRIDING override_kind(K) VALUE merge_values_clause(V). { A = merge_insert(p, &L, (OverridingKind)K, &V); }
merge_insert(A) ::= INSERT DEFAULT VALUES. { A = merge_insert(p, NULL, OVERRIDING_NOT_SET, NULL); }
merge_values_clause(A) ::= VALUES LPAREN expr_list(L) RPAREN. { A = L; }

preparable_stmt(A) ::= select_stmt(S). { A = (Node *)S; }
preparable_stmt ::= insert_stmt.
preparable_stmt ::= update_stmt.
preparable_stmt ::= delete_stmt.
preparable_stmt ::= merge_stmt.

// ---- Cursors, prepared statements, EXPLAIN ----------------------------------------------------------

%type cursor_options {int}
%type opt_hold {int}
declare_cursor_stmt(A) ::= DECLARE(T) cursor_name(N) cursor_options(O) CURSOR opt_hold(H) FOR select_stmt(S). { DeclareCursorStmt *s = NEW(DeclareCursorStmt, T.position); s->portalname = N.text; s->options = (uint32_t)(O | H); s->query = S; A = (Node *)s; }
cursor_options(A) ::= . { A = 0; }
cursor_options(A) ::= cursor_options(B) NO SCROLL. { A = B | CURSOR_OPT_NO_SCROLL; }
cursor_options(A) ::= cursor_options(B) SCROLL. { A = B | CURSOR_OPT_SCROLL; }
cursor_options(A) ::= cursor_options(B) BINARY. { A = B | CURSOR_OPT_BINARY; }
cursor_options(A) ::= cursor_options(B) ASENSITIVE. { A = B | CURSOR_OPT_ASENSITIVE; }
cursor_options(A) ::= cursor_options(B) INSENSITIVE. { A = B | CURSOR_OPT_INSENSITIVE; }
opt_hold(A) ::= . { A = 0; }
opt_hold(A) ::= WITH HOLD. { A = CURSOR_OPT_HOLD; }
opt_hold(A) ::= WITHOUT HOLD. { A = 0; }
close_portal_stmt(A) ::= CLOSE(T) cursor_name(N). { ClosePortalStmt *s = NEW(ClosePortalStmt, T.position); s->portalname = N.text; A = (Node *)s; }
close_portal_stmt(A) ::= CLOSE(T) ALL. { A = (Node *)NEW(ClosePortalStmt, T.position); }

%type fetch_args {FetchStmt *}
%type from_in {int}
fetch_stmt(A) ::= FETCH(T) fetch_args(F). { A = (Node *)F; A->position = T.position; }
fetch_stmt(A) ::= MOVE(T) fetch_args(F). { F->is_move = true; A = (Node *)F; A->position = T.position; }
fetch_args(A) ::= cursor_name(N). { A = fetch(p, FETCH_FORWARD, 1, N); }
fetch_args(A) ::= from_in cursor_name(N). { A = fetch(p, FETCH_FORWARD, 1, N); }
fetch_args(A) ::= NEXT opt_from_in cursor_name(N). { A = fetch(p, FETCH_FORWARD, 1, N); }
fetch_args(A) ::= PRIOR opt_from_in cursor_name(N). { A = fetch(p, FETCH_BACKWARD, 1, N); }
fetch_args(A) ::= FIRST opt_from_in cursor_name(N). { A = fetch(p, FETCH_ABSOLUTE, 1, N); }
fetch_args(A) ::= LAST opt_from_in cursor_name(N). { A = fetch(p, FETCH_ABSOLUTE, -1, N); }
fetch_args(A) ::= ABSOLUTE signed_iconst(I) opt_from_in cursor_name(N). { A = fetch(p, FETCH_ABSOLUTE, I, N); }
fetch_args(A) ::= RELATIVE signed_iconst(I) opt_from_in cursor_name(N). { A = fetch(p, FETCH_RELATIVE, I, N); }
fetch_args(A) ::= signed_iconst(I) opt_from_in cursor_name(N). { A = fetch(p, FETCH_FORWARD, I, N); }
fetch_args(A) ::= ALL opt_from_in cursor_name(N). { A = fetch(p, FETCH_FORWARD, FETCH_ALL, N); }
fetch_args(A) ::= FORWARD opt_from_in cursor_name(N). { A = fetch(p, FETCH_FORWARD, 1, N); }
fetch_args(A) ::= FORWARD signed_iconst(I) opt_from_in cursor_name(N). { A = fetch(p, FETCH_FORWARD, I, N); }
fetch_args(A) ::= FORWARD ALL opt_from_in cursor_name(N). { A = fetch(p, FETCH_FORWARD, FETCH_ALL, N); }
fetch_args(A) ::= BACKWARD opt_from_in cursor_name(N). { A = fetch(p, FETCH_BACKWARD, 1, N); }
fetch_args(A) ::= BACKWARD signed_iconst(I) opt_from_in cursor_name(N). { A = fetch(p, FETCH_BACKWARD, I, N); }
fetch_args(A) ::= BACKWARD ALL opt_from_in cursor_name(N). { A = fetch(p, FETCH_BACKWARD, FETCH_ALL, N); }
from_in(A) ::= FROM. { A = 0; }
from_in(A) ::= IN. { A = 0; }
%type opt_from_in {int}
opt_from_in ::= from_in.
opt_from_in(A) ::= . { A = 0; }

%type prep_type_clause {TypeNameVec}
prepare_stmt(A) ::= PREPARE(T) name(N) prep_type_clause(L) AS preparable_stmt(Q). { PrepareStmt *s = NEW(PrepareStmt, T.position); s->name = N.text; s->argtypes = L; s->query = Q; A = (Node *)s; }
prep_type_clause(A) ::= LPAREN type_list(L) RPAREN. { A = L; }
prep_type_clause(A) ::= . { A = EMPTY(TypeNameVec); }
%type execute_param_clause {NodeVec}
execute_stmt(A) ::= EXECUTE(T) name(N) execute_param_clause(L). { A = execute_stmt(p, N, &L, T.position); }
execute_stmt(A) ::= CREATE(T) opt_temp(K) TABLE create_as_target(I) AS EXECUTE(E) name(N) execute_param_clause(L) opt_with_data(D). { A = create_table_as(p, &(CreateTableAsStmt){.into = I, .query = execute_stmt(p, N, &L, E.position)}, K, D, T.position); }
execute_stmt(A) ::= CREATE(T) opt_temp(K) TABLE IF NOT EXISTS create_as_target(I) AS EXECUTE(E) name(N) execute_param_clause(L) opt_with_data(D). { A = create_table_as(p, &(CreateTableAsStmt){.into = I, .query = execute_stmt(p, N, &L, E.position), .if_not_exists = true}, K, D, T.position); }
execute_param_clause(A) ::= LPAREN expr_list(L) RPAREN. { A = L; }
execute_param_clause(A) ::= . { A = EMPTY(NodeVec); }
deallocate_stmt(A) ::= DEALLOCATE(T) name(N). { A = deallocate(p, N.text, T.position); }
deallocate_stmt(A) ::= DEALLOCATE(T) PREPARE name(N). { A = deallocate(p, N.text, T.position); }
deallocate_stmt(A) ::= DEALLOCATE(T) ALL. { A = deallocate(p, STR_NONE, T.position); }
deallocate_stmt(A) ::= DEALLOCATE(T) PREPARE ALL. { A = deallocate(p, STR_NONE, T.position); }

explain_stmt(A) ::= EXPLAIN(T) explainable_stmt(Q). { A = explain(p, Q, NULL, T.position); }
explain_stmt(A) ::= EXPLAIN(T) analyze_keyword(Y) opt_verbose(V) explainable_stmt(Q). { DefElemVec o = {0}; PUSH(o, def_elem(p, token_word(Y, "analyze"), NULL)); if (V.position) PUSH(o, def_elem(p, V, NULL)); A = explain(p, Q, &o, T.position); }
explain_stmt(A) ::= EXPLAIN(T) VERBOSE(V) explainable_stmt(Q). { DefElemVec o = {0}; PUSH(o, def_elem(p, V, NULL)); A = explain(p, Q, &o, T.position); }
explain_stmt(A) ::= EXPLAIN(T) LPAREN utility_option_list(L) RPAREN explainable_stmt(Q). { A = explain(p, Q, &L, T.position); }
explainable_stmt(A) ::= select_stmt(S). { A = (Node *)S; }
explainable_stmt ::= insert_stmt.
explainable_stmt ::= update_stmt.
explainable_stmt ::= delete_stmt.
explainable_stmt ::= merge_stmt.
explainable_stmt ::= declare_cursor_stmt.
explainable_stmt ::= create_as_stmt.
explainable_stmt ::= execute_stmt.
%type analyze_keyword {Token}
analyze_keyword ::= ANALYZE.
analyze_keyword ::= ANALYSE.
%type opt_verbose {Token}
opt_verbose ::= VERBOSE.
opt_verbose(A) ::= . { A = EMPTY(Token); }
