// ---- Kinds of objects -------------------------------------------------------------------------------

%type object_type_any_name {int}
%type object_type_name {int}
%type drop_type_name {int}
%type object_type_name_on_any_name {int}
object_type_any_name(A) ::= TABLE. { A = OBJECT_TABLE; }
object_type_any_name(A) ::= SEQUENCE. { A = OBJECT_SEQUENCE; }
object_type_any_name(A) ::= VIEW. { A = OBJECT_VIEW; }
object_type_any_name(A) ::= MATERIALIZED VIEW. { A = OBJECT_MATVIEW; }
object_type_any_name(A) ::= INDEX. { A = OBJECT_INDEX; }
object_type_any_name(A) ::= FOREIGN TABLE. { A = OBJECT_FOREIGN_TABLE; }
object_type_any_name(A) ::= COLLATION. { A = OBJECT_COLLATION; }
object_type_any_name(A) ::= CONVERSION. { A = OBJECT_CONVERSION; }
object_type_any_name(A) ::= STATISTICS. { A = OBJECT_STATISTIC; }
object_type_any_name(A) ::= TEXT SEARCH PARSER. { A = OBJECT_TS_PARSER; }
object_type_any_name(A) ::= TEXT SEARCH DICTIONARY. { A = OBJECT_TS_DICTIONARY; }
object_type_any_name(A) ::= TEXT SEARCH TEMPLATE. { A = OBJECT_TS_TEMPLATE; }
object_type_any_name(A) ::= TEXT SEARCH CONFIGURATION. { A = OBJECT_TS_CONFIGURATION; }
object_type_name ::= drop_type_name.
object_type_name(A) ::= DATABASE. { A = OBJECT_DATABASE; }
object_type_name(A) ::= ROLE. { A = OBJECT_ROLE; }
object_type_name(A) ::= SUBSCRIPTION. { A = OBJECT_SUBSCRIPTION; }
object_type_name(A) ::= TABLESPACE. { A = OBJECT_TABLESPACE; }
drop_type_name(A) ::= ACCESS METHOD. { A = OBJECT_ACCESS_METHOD; }
drop_type_name(A) ::= EVENT TRIGGER. { A = OBJECT_EVENT_TRIGGER; }
drop_type_name(A) ::= EXTENSION. { A = OBJECT_EXTENSION; }
drop_type_name(A) ::= FOREIGN DATA WRAPPER. { A = OBJECT_FDW; }
drop_type_name(A) ::= opt_procedural LANGUAGE. { A = OBJECT_LANGUAGE; }
drop_type_name(A) ::= PUBLICATION. { A = OBJECT_PUBLICATION; }
drop_type_name(A) ::= SCHEMA. { A = OBJECT_SCHEMA; }
drop_type_name(A) ::= SERVER. { A = OBJECT_FOREIGN_SERVER; }
object_type_name_on_any_name(A) ::= POLICY. { A = OBJECT_POLICY; }
object_type_name_on_any_name(A) ::= RULE. { A = OBJECT_RULE; }
object_type_name_on_any_name(A) ::= TRIGGER. { A = OBJECT_TRIGGER; }
%type opt_procedural {int}
opt_procedural(A) ::= PROCEDURAL. { A = 0; }
opt_procedural(A) ::= . { A = 0; }

// ---- DROP -----------------------------------------------------------------------------------------

%type type_name_list {NodeVec}
%type name_node_list {NodeVec}
type_name_list(A) ::= typename(T). { A = EMPTY(NodeVec); PUSH(A, (Node *)T); }
type_name_list(A) ::= type_name_list(A) COMMA typename(T). { PUSH(A, (Node *)T); }
name_node_list(A) ::= name(N). { A = EMPTY(NodeVec); PUSH(A, object_name_simple(p, N)); }
name_node_list(A) ::= name_node_list(A) COMMA name(N). { PUSH(A, object_name_simple(p, N)); }
drop_stmt(A) ::= DROP(T) object_type_any_name(K) IF EXISTS any_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = (ObjectType)K, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) object_type_any_name(K) any_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = (ObjectType)K, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) drop_type_name(K) IF EXISTS name_node_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = (ObjectType)K, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) drop_type_name(K) name_node_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = (ObjectType)K, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) object_type_name_on_any_name(K) name(N) ON any_name(R) opt_drop_behavior(B). { A = drop_one(p, object_name_on(p, N, &R), MAKE(DropStmt, T.position, .remove_type = (ObjectType)K, .behavior = B)); }
drop_stmt(A) ::= DROP(T) object_type_name_on_any_name(K) IF EXISTS name(N) ON any_name(R) opt_drop_behavior(B). { A = drop_one(p, object_name_on(p, N, &R), MAKE(DropStmt, T.position, .remove_type = (ObjectType)K, .behavior = B, .missing_ok = true)); }
drop_stmt(A) ::= DROP(T) TYPE type_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_TYPE, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) TYPE IF EXISTS type_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_TYPE, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) DOMAIN type_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_DOMAIN, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) DOMAIN IF EXISTS type_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_DOMAIN, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) INDEX CONCURRENTLY any_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_INDEX, .objects = L, .behavior = B)->node; ((DropStmt *)A)->concurrent = true; }
drop_stmt(A) ::= DROP(T) INDEX CONCURRENTLY IF EXISTS any_name_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_INDEX, .objects = L, .behavior = B, .missing_ok = true)->node; ((DropStmt *)A)->concurrent = true; }
drop_stmt(A) ::= DROP(T) CAST opt_if_exists(E) LPAREN typename(X) AS typename(Y) RPAREN opt_drop_behavior(B). { A = drop_one(p, type_pair(p, X, Y), MAKE(DropStmt, T.position, .remove_type = OBJECT_CAST, .behavior = B, .missing_ok = E)); }
drop_stmt(A) ::= DROP(T) FUNCTION function_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_FUNCTION, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) FUNCTION IF EXISTS function_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_FUNCTION, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) PROCEDURE function_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_PROCEDURE, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) PROCEDURE IF EXISTS function_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_PROCEDURE, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) ROUTINE function_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_ROUTINE, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) ROUTINE IF EXISTS function_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_ROUTINE, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) AGGREGATE aggregate_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_AGGREGATE, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) AGGREGATE IF EXISTS aggregate_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_AGGREGATE, .objects = L, .behavior = B, .missing_ok = true)->node; }
drop_stmt(A) ::= DROP(T) OPERATOR operator_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_OPERATOR, .objects = L, .behavior = B)->node; }
drop_stmt(A) ::= DROP(T) OPERATOR IF EXISTS operator_with_argtypes_list(L) opt_drop_behavior(B). { A = &MAKE(DropStmt, T.position, .remove_type = OBJECT_OPERATOR, .objects = L, .behavior = B, .missing_ok = true)->node; }
%type opt_if_exists {bool}
opt_if_exists(A) ::= IF EXISTS. { A = true; }
opt_if_exists(A) ::= . { A = false; }

drop_misc_stmt(A) ::= DROP(T) OPERATOR CLASS any_name USING name opt_drop_behavior. { A = unsupported(p, "DROP OPERATOR CLASS", T.position); }
drop_misc_stmt(A) ::= DROP(T) OPERATOR CLASS IF EXISTS any_name USING name opt_drop_behavior. { A = unsupported(p, "DROP OPERATOR CLASS", T.position); }
drop_misc_stmt(A) ::= DROP(T) OPERATOR FAMILY any_name USING name opt_drop_behavior. { A = unsupported(p, "DROP OPERATOR FAMILY", T.position); }
drop_misc_stmt(A) ::= DROP(T) OPERATOR FAMILY IF EXISTS any_name USING name opt_drop_behavior. { A = unsupported(p, "DROP OPERATOR FAMILY", T.position); }
drop_misc_stmt(A) ::= DROP(T) TRANSFORM opt_if_exists FOR typename LANGUAGE name opt_drop_behavior. { A = unsupported(p, "DROP TRANSFORM", T.position); }
drop_misc_stmt(A) ::= DROP(T) TABLESPACE name. { A = unsupported(p, "DROP TABLESPACE", T.position); }
drop_misc_stmt(A) ::= DROP(T) TABLESPACE IF EXISTS name. { A = unsupported(p, "DROP TABLESPACE", T.position); }
drop_misc_stmt(A) ::= DROP(T) SUBSCRIPTION name opt_drop_behavior. { A = unsupported(p, "DROP SUBSCRIPTION", T.position); }
drop_misc_stmt(A) ::= DROP(T) SUBSCRIPTION IF EXISTS name opt_drop_behavior. { A = unsupported(p, "DROP SUBSCRIPTION", T.position); }
drop_misc_stmt(A) ::= DROP(T) USER MAPPING FOR auth_ident SERVER name. { A = unsupported(p, "DROP USER MAPPING", T.position); }
drop_misc_stmt(A) ::= DROP(T) USER MAPPING IF EXISTS FOR auth_ident SERVER name. { A = unsupported(p, "DROP USER MAPPING", T.position); }
drop_misc_stmt(A) ::= DROP(T) OWNED BY role_list(L) opt_drop_behavior(B). { DropOwnedStmt *s = NEW(DropOwnedStmt, T.position); s->roles = L; s->behavior = B; A = (Node *)s; }
drop_misc_stmt(A) ::= REASSIGN(T) OWNED BY role_list(L) TO role_spec(R). { ReassignOwnedStmt *s = NEW(ReassignOwnedStmt, T.position); s->roles = L; s->newrole = R; A = (Node *)s; }
drop_misc_stmt(A) ::= DROP(T) DATABASE name(N). { A = drop_database(p, N.text, false, NULL, T.position); }
drop_misc_stmt(A) ::= DROP(T) DATABASE IF EXISTS name(N). { A = drop_database(p, N.text, true, NULL, T.position); }
drop_misc_stmt(A) ::= DROP(T) DATABASE name(N) opt_with LPAREN drop_option_list(L) RPAREN. { A = drop_database(p, N.text, false, &L, T.position); }
drop_misc_stmt(A) ::= DROP(T) DATABASE IF EXISTS name(N) opt_with LPAREN drop_option_list(L) RPAREN. { A = drop_database(p, N.text, true, &L, T.position); }
%type drop_option_list {DefElemVec}
drop_option_list(A) ::= FORCE(F). { A = EMPTY(DefElemVec); PUSH(A, def_elem(p, F, NULL)); }
drop_option_list(A) ::= drop_option_list(A) COMMA FORCE(F). { PUSH(A, def_elem(p, F, NULL)); }
drop_misc_stmt(A) ::= DROP(T) ROLE role_list(L). { A = drop_role(p, &L, false, T.position); }
drop_misc_stmt(A) ::= DROP(T) ROLE IF EXISTS role_list(L). { A = drop_role(p, &L, true, T.position); }
drop_misc_stmt(A) ::= DROP(T) USER role_list(L). { A = drop_role(p, &L, false, T.position); }
drop_misc_stmt(A) ::= DROP(T) USER IF EXISTS role_list(L). { A = drop_role(p, &L, true, T.position); }
drop_misc_stmt(A) ::= DROP(T) GROUP role_list(L). { A = drop_role(p, &L, false, T.position); }
drop_misc_stmt(A) ::= DROP(T) GROUP IF EXISTS role_list(L). { A = drop_role(p, &L, true, T.position); }

// ---- Functions and operators by signature -------------------------------------------------------------

%type function_with_argtypes {ObjectWithArgs *}
%type function_with_argtypes_list {NodeVec}
%type aggregate_with_argtypes {ObjectWithArgs *}
%type aggregate_with_argtypes_list {NodeVec}
%type operator_with_argtypes {ObjectWithArgs *}
%type operator_with_argtypes_list {NodeVec}
%type func_args {FunctionParameterVec}
%type func_args_list {FunctionParameterVec}
%type func_arg {FunctionParameter *}
%type arg_class {int}
%type aggr_args {AggregateArgs}
function_with_argtypes_list(A) ::= function_with_argtypes(F). { A = EMPTY(NodeVec); PUSH(A, (Node *)F); }
function_with_argtypes_list(A) ::= function_with_argtypes_list(A) COMMA function_with_argtypes(F). { PUSH(A, (Node *)F); }
function_with_argtypes(A) ::= func_name(N) func_args(L). { A = object_with_args(p, &N, &L); }
function_with_argtypes(A) ::= type_func_name_keyword(T). { Names n = names_first(p, T); A = object_with_args(p, &n, NULL); }
function_with_argtypes(A) ::= col_id(T). { Names n = names_first(p, T); A = object_with_args(p, &n, NULL); }
function_with_argtypes(A) ::= col_id(T) indirection(I). { Names n = names_indirection(p, T, &I); A = object_with_args(p, &n, NULL); }
func_args(A) ::= LPAREN func_args_list(L) RPAREN. { A = L; }
func_args(A) ::= LPAREN RPAREN. { A = EMPTY(FunctionParameterVec); }
func_args_list(A) ::= func_arg(E). { A = EMPTY(FunctionParameterVec); PUSH(A, E); }
func_args_list(A) ::= func_args_list(A) COMMA func_arg(E). { PUSH(A, E); }
func_arg(A) ::= arg_class(C) param_name(N) func_type(T). { A = function_parameter(p, C, &N, T); }
func_arg(A) ::= param_name(N) arg_class(C) func_type(T). { A = function_parameter(p, C, &N, T); }
func_arg(A) ::= param_name(N) func_type(T). { A = function_parameter(p, FUNC_PARAM_DEFAULT, &N, T); }
func_arg(A) ::= arg_class(C) func_type(T). { A = function_parameter(p, C, NULL, T); }
func_arg(A) ::= func_type(T). { A = function_parameter(p, FUNC_PARAM_DEFAULT, NULL, T); }
arg_class(A) ::= IN. { A = FUNC_PARAM_IN; }
arg_class(A) ::= OUT. { A = FUNC_PARAM_OUT; }
arg_class(A) ::= INOUT. { A = FUNC_PARAM_INOUT; }
arg_class(A) ::= IN OUT. { A = FUNC_PARAM_INOUT; }
arg_class(A) ::= VARIADIC. { A = FUNC_PARAM_VARIADIC; }
func_type ::= typename.
func_type(A) ::= type_function_name(N) attrs(L) PERCENT TYPE. { A = type_percent(p, N, &L, false); }
func_type(A) ::= SETOF(S) type_function_name(N) attrs(L) PERCENT TYPE. { A = type_percent(p, N, &L, true); A->node.position = S.position; }
aggregate_with_argtypes_list(A) ::= aggregate_with_argtypes(F). { A = EMPTY(NodeVec); PUSH(A, (Node *)F); }
aggregate_with_argtypes_list(A) ::= aggregate_with_argtypes_list(A) COMMA aggregate_with_argtypes(F). { PUSH(A, (Node *)F); }
aggregate_with_argtypes(A) ::= func_name(N) aggr_args(L). { A = object_with_args(p, &N, &L.args); A->star = L.star; }
aggr_args(A) ::= LPAREN STAR RPAREN. { A = (AggregateArgs){.star = true}; }
aggr_args(A) ::= LPAREN func_args_list(L) RPAREN. { A = (AggregateArgs){.args = L}; }
aggr_args(A) ::= LPAREN ORDER BY func_args_list(L) RPAREN. { A = (AggregateArgs){.args = L}; }
aggr_args(A) ::= LPAREN func_args_list(L) ORDER BY func_args_list(M) RPAREN. { A = (AggregateArgs){.args = L}; for (size_t i = 0; i < M.length; i++) PUSH(A.args, M.items[i]); }
operator_with_argtypes_list(A) ::= operator_with_argtypes(F). { A = EMPTY(NodeVec); PUSH(A, (Node *)F); }
operator_with_argtypes_list(A) ::= operator_with_argtypes_list(A) COMMA operator_with_argtypes(F). { PUSH(A, (Node *)F); }
operator_with_argtypes(A) ::= any_operator(N) LPAREN typename(X) COMMA typename(Y) RPAREN. { A = operator_with_args(p, &N, X, Y); }
operator_with_argtypes(A) ::= any_operator(N) LPAREN NONE COMMA typename(Y) RPAREN. { A = operator_with_args(p, &N, NULL, Y); }
operator_with_argtypes(A) ::= any_operator(N) LPAREN typename(X) COMMA NONE RPAREN. { A = operator_with_args(p, &N, X, NULL); }
operator_with_argtypes(A) ::= any_operator LPAREN typename RPAREN(R). { A = NEW(ObjectWithArgs, R.position); grammar_fail(p, ERR_SYNTAX_ERROR, STR("missing argument"), STR("Use NONE to denote the missing argument of a unary operator."), R.position); }

// ---- COMMENT and SECURITY LABEL ---------------------------------------------------------------------

%type object_address {ObjectAddress}
%type nullable_text {Str}
comment_stmt(A) ::= COMMENT(T) ON object_address(O) IS nullable_text(C). { CommentStmt *s = NEW(CommentStmt, T.position); s->object_type = O.type; s->object = O.object; s->comment = C; A = (Node *)s; }
sec_label_stmt(A) ::= SECURITY(T) LABEL opt_provider(P) ON object_address(O) IS nullable_text(C). { SecLabelStmt *s = NEW(SecLabelStmt, T.position); s->object_type = O.type; s->object = O.object; s->provider = P; s->label = C; A = (Node *)s; }
%type opt_provider {Str}
opt_provider(A) ::= FOR non_reserved_word_or_sconst(N). { A = N.text; }
opt_provider(A) ::= . { A = STR_NONE; }
nullable_text(A) ::= sconst(T). { A = T.text; }
nullable_text(A) ::= NULL. { A = STR_NONE; }
object_address(A) ::= object_type_any_name(K) any_name(N). { A = object_address(K, object_name(p, &N)); }
object_address(A) ::= COLUMN any_name(N). { A = object_address(OBJECT_COLUMN, object_name(p, &N)); }
object_address(A) ::= object_type_name(K) name(N). { A = object_address(K, object_name_simple(p, N)); }
object_address(A) ::= TYPE typename(T). { A = object_address(OBJECT_TYPE, (Node *)T); }
object_address(A) ::= DOMAIN typename(T). { A = object_address(OBJECT_DOMAIN, (Node *)T); }
object_address(A) ::= AGGREGATE aggregate_with_argtypes(F). { A = object_address(OBJECT_AGGREGATE, (Node *)F); }
object_address(A) ::= FUNCTION function_with_argtypes(F). { A = object_address(OBJECT_FUNCTION, (Node *)F); }
object_address(A) ::= PROCEDURE function_with_argtypes(F). { A = object_address(OBJECT_PROCEDURE, (Node *)F); }
object_address(A) ::= ROUTINE function_with_argtypes(F). { A = object_address(OBJECT_ROUTINE, (Node *)F); }
object_address(A) ::= OPERATOR operator_with_argtypes(F). { A = object_address(OBJECT_OPERATOR, (Node *)F); }
object_address(A) ::= CONSTRAINT name(N) ON any_name(R). { A = object_address(OBJECT_TABLE_CONSTRAINT, object_name_on(p, N, &R)); }
object_address(A) ::= CONSTRAINT name(N) ON DOMAIN any_name(R). { A = object_address(OBJECT_DOMAIN_CONSTRAINT, object_name_on(p, N, &R)); }
object_address(A) ::= object_type_name_on_any_name(K) name(N) ON any_name(R). { A = object_address(K, object_name_on(p, N, &R)); }
object_address(A) ::= TRANSFORM FOR typename(T) LANGUAGE name. { A = object_address(OBJECT_TRANSFORM, (Node *)T); }
object_address(A) ::= OPERATOR CLASS any_name(N) USING name. { A = object_address(OBJECT_OPERATOR_CLASS, object_name(p, &N)); }
object_address(A) ::= OPERATOR FAMILY any_name(N) USING name. { A = object_address(OBJECT_OPERATOR_FAMILY, object_name(p, &N)); }
object_address(A) ::= LARGE OBJECT numeric_only(N). { A = object_address(OBJECT_LARGE_OBJECT, N); }
object_address(A) ::= CAST LPAREN typename(X) AS typename(Y) RPAREN. { A = object_address(OBJECT_CAST, type_pair(p, X, Y)); }

// ---- RENAME -------------------------------------------------------------------------------------------

// The objects that ALTER names in one way whatever follows: RENAME, OWNER TO, SET SCHEMA.
%type alter_relation {AlterRelation}
alter_relation(A) ::= TABLE relation_expr(R). { A = alter_relation(OBJECT_TABLE, R, false); }
alter_relation(A) ::= TABLE IF EXISTS relation_expr(R). { A = alter_relation(OBJECT_TABLE, R, true); }
alter_relation(A) ::= SEQUENCE qualified_name(R). { A = alter_relation(OBJECT_SEQUENCE, R, false); }
alter_relation(A) ::= SEQUENCE IF EXISTS qualified_name(R). { A = alter_relation(OBJECT_SEQUENCE, R, true); }
alter_relation(A) ::= VIEW qualified_name(R). { A = alter_relation(OBJECT_VIEW, R, false); }
alter_relation(A) ::= VIEW IF EXISTS qualified_name(R). { A = alter_relation(OBJECT_VIEW, R, true); }
alter_relation(A) ::= MATERIALIZED VIEW qualified_name(R). { A = alter_relation(OBJECT_MATVIEW, R, false); }
alter_relation(A) ::= MATERIALIZED VIEW IF EXISTS qualified_name(R). { A = alter_relation(OBJECT_MATVIEW, R, true); }
alter_relation(A) ::= INDEX qualified_name(R). { A = alter_relation(OBJECT_INDEX, R, false); }
alter_relation(A) ::= INDEX IF EXISTS qualified_name(R). { A = alter_relation(OBJECT_INDEX, R, true); }
alter_relation(A) ::= FOREIGN TABLE relation_expr(R). { A = alter_relation(OBJECT_FOREIGN_TABLE, R, false); }
alter_relation(A) ::= FOREIGN TABLE IF EXISTS relation_expr(R). { A = alter_relation(OBJECT_FOREIGN_TABLE, R, true); }
rename_stmt(A) ::= ALTER(T) alter_relation(R) RENAME TO name(N). { A = rename_relation(p, &R, &(RenameStmt){.rename_type = R.type, .newname = N.text}, T.position); }
rename_stmt(A) ::= ALTER(T) alter_relation(R) RENAME opt_column name(C) TO name(N). { A = rename_relation(p, &R, &(RenameStmt){.rename_type = OBJECT_COLUMN, .subname = C.text, .newname = N.text}, T.position); }
rename_stmt(A) ::= ALTER(T) alter_relation(R) RENAME CONSTRAINT name(C) TO name(N). { A = rename_relation(p, &R, &(RenameStmt){.rename_type = OBJECT_TABLE_CONSTRAINT, .subname = C.text, .newname = N.text}, T.position); }
rename_stmt(A) ::= ALTER(T) POLICY name(C) ON qualified_name(R) RENAME TO name(N). { AlterRelation r = alter_relation(OBJECT_TABLE, R, false); A = rename_relation(p, &r, &(RenameStmt){.rename_type = OBJECT_POLICY, .subname = C.text, .newname = N.text}, T.position); }
rename_stmt(A) ::= ALTER(T) POLICY IF EXISTS name(C) ON qualified_name(R) RENAME TO name(N). { AlterRelation r = alter_relation(OBJECT_TABLE, R, true); A = rename_relation(p, &r, &(RenameStmt){.rename_type = OBJECT_POLICY, .subname = C.text, .newname = N.text}, T.position); }
rename_stmt(A) ::= ALTER(T) RULE name(C) ON qualified_name(R) RENAME TO name(N). { AlterRelation r = alter_relation(OBJECT_TABLE, R, false); A = rename_relation(p, &r, &(RenameStmt){.rename_type = OBJECT_RULE, .subname = C.text, .newname = N.text}, T.position); }
rename_stmt(A) ::= ALTER(T) TRIGGER name(C) ON qualified_name(R) RENAME TO name(N). { AlterRelation r = alter_relation(OBJECT_TABLE, R, false); A = rename_relation(p, &r, &(RenameStmt){.rename_type = OBJECT_TRIGGER, .subname = C.text, .newname = N.text}, T.position); }
rename_stmt(A) ::= ALTER(T) alter_object(O) RENAME TO name(N). { A = rename_object(p, &O, STR_NONE, N, T.position); }
rename_stmt(A) ::= ALTER(T) alter_object(O) RENAME CONSTRAINT(X) name(C) TO name(N). { grammar_expect(p, &O, OBJECT_DOMAIN, X); O.type = OBJECT_DOMAIN_CONSTRAINT; A = rename_object(p, &O, C.text, N, T.position); }
rename_stmt(A) ::= ALTER(T) alter_object(O) RENAME ATTRIBUTE(X) name(C) TO name(N) opt_drop_behavior(B). { grammar_expect(p, &O, OBJECT_TYPE, X); O.type = OBJECT_ATTRIBUTE; A = rename_object(p, &O, C.text, N, T.position); ((RenameStmt *)A)->behavior = B; }
rename_stmt(A) ::= ALTER(T) GROUP role_id(R) RENAME TO role_id(N). { A = rename_role(p, R, N, T.position); }
rename_stmt(A) ::= ALTER(T) ROLE role_id(R) RENAME TO role_id(N). { A = rename_role(p, R, N, T.position); }
rename_stmt(A) ::= ALTER(T) USER role_id(R) RENAME TO role_id(N). { A = rename_role(p, R, N, T.position); }

%type alter_object {ObjectAddress}
alter_object(A) ::= AGGREGATE aggregate_with_argtypes(F). { A = object_address(OBJECT_AGGREGATE, (Node *)F); }
alter_object(A) ::= COLLATION any_name(N). { A = object_address(OBJECT_COLLATION, object_name(p, &N)); }
alter_object(A) ::= CONVERSION any_name(N). { A = object_address(OBJECT_CONVERSION, object_name(p, &N)); }
alter_object(A) ::= DATABASE name(N). { A = object_address(OBJECT_DATABASE, object_name_simple(p, N)); }
alter_object(A) ::= DOMAIN any_name(N). { A = object_address(OBJECT_DOMAIN, object_name(p, &N)); }
alter_object(A) ::= FOREIGN DATA WRAPPER name(N). { A = object_address(OBJECT_FDW, object_name_simple(p, N)); }
alter_object(A) ::= FUNCTION function_with_argtypes(F). { A = object_address(OBJECT_FUNCTION, (Node *)F); }
alter_object(A) ::= PROCEDURE function_with_argtypes(F). { A = object_address(OBJECT_PROCEDURE, (Node *)F); }
alter_object(A) ::= ROUTINE function_with_argtypes(F). { A = object_address(OBJECT_ROUTINE, (Node *)F); }
alter_object(A) ::= opt_procedural LANGUAGE name(N). { A = object_address(OBJECT_LANGUAGE, object_name_simple(p, N)); }
alter_object(A) ::= LARGE OBJECT numeric_only(N). { A = object_address(OBJECT_LARGE_OBJECT, N); }
alter_object(A) ::= OPERATOR operator_with_argtypes(F). { A = object_address(OBJECT_OPERATOR, (Node *)F); }
alter_object(A) ::= OPERATOR CLASS any_name(N) USING name. { A = object_address(OBJECT_OPERATOR_CLASS, object_name(p, &N)); }
alter_object(A) ::= OPERATOR FAMILY any_name(N) USING name. { A = object_address(OBJECT_OPERATOR_FAMILY, object_name(p, &N)); }
alter_object(A) ::= PUBLICATION name(N). { A = object_address(OBJECT_PUBLICATION, object_name_simple(p, N)); }
alter_object(A) ::= SUBSCRIPTION name(N). { A = object_address(OBJECT_SUBSCRIPTION, object_name_simple(p, N)); }
alter_object(A) ::= SCHEMA name(N). { A = object_address(OBJECT_SCHEMA, object_name_simple(p, N)); }
alter_object(A) ::= SERVER name(N). { A = object_address(OBJECT_FOREIGN_SERVER, object_name_simple(p, N)); }
alter_object(A) ::= EVENT TRIGGER name(N). { A = object_address(OBJECT_EVENT_TRIGGER, object_name_simple(p, N)); }
alter_object(A) ::= TABLESPACE name(N). { A = object_address(OBJECT_TABLESPACE, object_name_simple(p, N)); }
alter_object(A) ::= STATISTICS any_name(N). { A = object_address(OBJECT_STATISTIC, object_name(p, &N)); }
alter_object(A) ::= TEXT SEARCH PARSER any_name(N). { A = object_address(OBJECT_TS_PARSER, object_name(p, &N)); }
alter_object(A) ::= TEXT SEARCH DICTIONARY any_name(N). { A = object_address(OBJECT_TS_DICTIONARY, object_name(p, &N)); }
alter_object(A) ::= TEXT SEARCH TEMPLATE any_name(N). { A = object_address(OBJECT_TS_TEMPLATE, object_name(p, &N)); }
alter_object(A) ::= TEXT SEARCH CONFIGURATION any_name(N). { A = object_address(OBJECT_TS_CONFIGURATION, object_name(p, &N)); }
alter_object(A) ::= TYPE any_name(N). { A = object_address(OBJECT_TYPE, object_name(p, &N)); }
alter_object(A) ::= EXTENSION name(N). { A = object_address(OBJECT_EXTENSION, object_name_simple(p, N)); }

alter_owner_stmt(A) ::= ALTER(T) alter_object(O) OWNER TO role_spec(R). { AlterOwnerStmt *s = NEW(AlterOwnerStmt, T.position); s->object_type = O.type; s->object = O.object; s->newowner = R; A = (Node *)s; }
alter_object_schema_stmt(A) ::= ALTER(T) alter_object(O) SET SCHEMA name(N). { AlterObjectSchemaStmt *s = NEW(AlterObjectSchemaStmt, T.position); s->object_type = O.type; s->object = O.object; s->newschema = N.text; A = (Node *)s; }
alter_object_schema_stmt(A) ::= ALTER(T) alter_relation(R) SET SCHEMA name(N). { AlterObjectSchemaStmt *s = NEW(AlterObjectSchemaStmt, T.position); s->object_type = R.type; s->relation = R.relation; s->missing_ok = R.missing_ok; s->newschema = N.text; A = (Node *)s; }
