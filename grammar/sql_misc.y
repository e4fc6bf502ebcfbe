// ---- Small statements -------------------------------------------------------------------------------

do_stmt(A) ::= DO(T) do_arg_list(L). { DoStmt *s = NEW(DoStmt, T.position); s->args = L; A = (Node *)s; }
%type do_arg_list {DefElemVec}
%type do_arg {DefElem *}
do_arg_list(A) ::= do_arg(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
do_arg_list(A) ::= do_arg_list(A) do_arg(E). { PUSH(A, E); }
do_arg(A) ::= sconst(T). { A = def_named(p, "as", const_string(p, T), T.position); }
do_arg(A) ::= LANGUAGE(T) non_reserved_word_or_sconst(N). { A = def_named(p, "language", const_string(p, N), T.position); }

listen_stmt(A) ::= LISTEN(T) col_id(N). { ListenStmt *s = NEW(ListenStmt, T.position); s->conditionname = N.text; A = (Node *)s; }
listen_stmt(A) ::= UNLISTEN(T) col_id(N). { UnlistenStmt *s = NEW(UnlistenStmt, T.position); s->conditionname = N.text; A = (Node *)s; }
listen_stmt(A) ::= UNLISTEN(T) STAR. { A = (Node *)NEW(UnlistenStmt, T.position); }
notify_stmt(A) ::= NOTIFY(T) col_id(N). { NotifyStmt *s = NEW(NotifyStmt, T.position); s->conditionname = N.text; s->payload = STR(""); A = (Node *)s; }
notify_stmt(A) ::= NOTIFY(T) col_id(N) COMMA sconst(S). { NotifyStmt *s = NEW(NotifyStmt, T.position); s->conditionname = N.text; s->payload = S.text; A = (Node *)s; }
call_stmt(A) ::= CALL(T) func_application(F). { CallStmt *s = NEW(CallStmt, T.position); s->funccall = F; A = (Node *)s; }

create_extension_stmt(A) ::= CREATE(T) ASSERTION any_name CHECK LPAREN a_expr RPAREN constraint_attribute_spec. { A = const_null(p, T.position); grammar_fail_unsupported(p, "CREATE ASSERTION is not yet implemented", 0); }
%type create_extension_opt_list {DefElemVec}
%type create_extension_opt_item {DefElem *}
create_extension_stmt(A) ::= CREATE(T) EXTENSION name(N) opt_with create_extension_opt_list(L). { CreateExtensionStmt *s = NEW(CreateExtensionStmt, T.position); s->extname = N.text; s->options = L; A = (Node *)s; }
create_extension_stmt(A) ::= CREATE(T) EXTENSION IF NOT EXISTS name(N) opt_with create_extension_opt_list(L). { CreateExtensionStmt *s = NEW(CreateExtensionStmt, T.position); s->extname = N.text; s->options = L; s->if_not_exists = true; A = (Node *)s; }
create_extension_opt_list(A) ::= create_extension_opt_list(A) create_extension_opt_item(E). { PUSH(A, E); }
create_extension_opt_list(A) ::= . { A = EMPTY(DefElemVec); }
create_extension_opt_item(A) ::= SCHEMA(T) name(N). { A = def_named(p, "schema", const_string(p, N), T.position); }
create_extension_opt_item(A) ::= VERSION(T) non_reserved_word_or_sconst(N). { A = def_named(p, "new_version", const_string(p, N), T.position); }
create_extension_opt_item(A) ::= CASCADE(T). { A = def_bool(p, "cascade", true, T.position); }

// Foreign tables' options parse so that the statement can be refused by name.
%type create_generic_options {DefElemVec}
%type generic_option_list {DefElemVec}
%type generic_option_elem {DefElem *}
create_generic_options(A) ::= OPTIONS LPAREN generic_option_list(L) RPAREN. { A = L; }
create_generic_options(A) ::= . { A = EMPTY(DefElemVec); }
generic_option_list(A) ::= generic_option_elem(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
generic_option_list(A) ::= generic_option_list(A) COMMA generic_option_elem(E). { PUSH(A, E); }
generic_option_elem(A) ::= col_label(N) sconst(S). { A = def_elem(p, N, const_string(p, S)); }
%type alter_generic_options {DefElemVec}
alter_generic_options(A) ::= OPTIONS LPAREN generic_option_list(L) RPAREN. { A = L; }
%type auth_ident {RoleSpec *}
auth_ident ::= role_spec.
auth_ident(A) ::= USER(T). { A = role_spec(p, ROLESPEC_CURRENT_USER, T); }
