// PostgreSQL 15's language for Lemon. This file has the declarations and the top; the build puts the
// sql_*.y files and the keyword rules behind it (tools/generate_grammar.py) and fails on conflicts.
//
// Actions only build nodes; whatever takes more than a line is a function of parser/grammar.c.
// In rules without a word of their own for it, the position of a construct is its first token's.

%name sql_grammar_
%token_prefix TK_
%token_type {Token}
%default_type {Node *}
%extra_context {Grammar *p}
%stack_size 0
%start_symbol parse_toplevel

%include {
#include <stdlib.h>

#include "base/memory.h"
#include "parser/grammar.h"

/* The stack's: Lemon takes one that cannot grow for a syntax error. */
#define malloc memory_must
#define realloc memory_must_realloc
#define free memory_free
#define YYNOERRORRECOVERY 1
#define YYPARSEFREENEVERNULL 1
#define NEW(type, position) NODE_NEW(p->arena, type, (position))
#define PUSH(vec, value) VEC_PUSH(p->arena, &(vec), (value))
#define EMPTY(type) ((type){0})
}

%syntax_error { grammar_syntax_error(p, &TOKEN); }

%code {
#include "parser/grammar_run.h"
}

// Lowest first.
%nonassoc SET.
%left UNION EXCEPT.
%left INTERSECT.
%left OR.
%left AND.
%right NOT.
%nonassoc IS ISNULL NOTNULL.
%nonassoc LT GT EQ LESS_EQUALS GREATER_EQUALS NOT_EQUALS.
%nonassoc BETWEEN IN LIKE ILIKE SIMILAR NOT_LA.
%nonassoc ESCAPE.
%nonassoc UNBOUNDED.
// Whether a word after an expression is a label, or opens a frame clause, is settled here: the
// productions that would end before it bind less than the word.
%nonassoc IDENT PARTITION RANGE ROWS GROUPS PRECEDING FOLLOWING CUBE ROLLUP.
%left OP OPERATOR.
%left PLUS MINUS.
%left STAR SLASH PERCENT.
%left CARET.
%left AT.
%left COLLATE.
%right UMINUS.
%left LBRACKET RBRACKET.
%left LPAREN RPAREN.
%left TYPECAST.
%left DOT.
%left JOIN CROSS LEFT FULL RIGHT INNER NATURAL.

// Tokens that no rule mentions, or that only the glue makes.
%token ILLEGAL UIDENT USCONST.

%type parse_toplevel {int}
%type stmtmulti {int}
parse_toplevel ::= stmtmulti.
parse_toplevel ::= MODE_EXPRESSION a_expr(E). { p->result_expr = E; }

stmtmulti(A) ::= stmtmulti SEMICOLON toplevel_stmt(S). { A = 0; grammar_add_statement(p, S); }
stmtmulti(A) ::= toplevel_stmt(S). { A = 0; grammar_add_statement(p, S); }

toplevel_stmt(A) ::= . { A = NULL; }
toplevel_stmt ::= stmt.
toplevel_stmt ::= transaction_stmt_legacy.

stmt ::= alter_database_stmt.
stmt ::= alter_default_privileges_stmt.
stmt ::= alter_object_schema_stmt.
stmt ::= alter_owner_stmt.
stmt ::= alter_role_stmt.
stmt ::= alter_seq_stmt.
stmt ::= alter_system_stmt.
stmt ::= alter_table_stmt.
stmt ::= call_stmt.
stmt ::= check_point_stmt.
stmt ::= close_portal_stmt.
stmt ::= cluster_stmt.
stmt ::= comment_stmt.
stmt ::= constraints_set_stmt.
stmt ::= copy_stmt.
stmt ::= create_as_stmt.
stmt ::= create_extension_stmt.
stmt ::= create_role_stmt.
stmt ::= create_schema_stmt.
stmt ::= create_seq_stmt.
stmt ::= create_stmt.
stmt ::= createdb_stmt.
stmt ::= deallocate_stmt.
stmt ::= declare_cursor_stmt.
stmt ::= delete_stmt.
stmt ::= discard_stmt.
stmt ::= do_stmt.
stmt ::= drop_misc_stmt.
stmt ::= drop_stmt.
stmt ::= execute_stmt.
stmt ::= explain_stmt.
stmt ::= fetch_stmt.
stmt ::= grant_stmt.
stmt ::= index_stmt.
stmt ::= insert_stmt.
stmt ::= listen_stmt.
stmt ::= lock_stmt.
stmt ::= merge_stmt.
stmt ::= notify_stmt.
stmt ::= prepare_stmt.
stmt ::= reindex_stmt.
stmt ::= rename_stmt.
stmt ::= sec_label_stmt.
stmt ::= selectstmt_node.
stmt ::= transaction_stmt.
stmt ::= truncate_stmt.
stmt ::= update_stmt.
stmt ::= vacuum_stmt.
stmt ::= variable_set_stmt.
stmt ::= variable_show_stmt.
stmt ::= view_stmt.
selectstmt_node(A) ::= select_stmt(S). { A = (Node *)S; }

// ---- Names, numbers, strings --------------------------------------------------------------------

%type col_id {Token}
%type type_function_name {Token}
%type non_reserved_word {Token}
%type col_label {Token}
%type bare_col_label {Token}
%type unreserved_keyword {Token}
%type col_name_keyword {Token}
%type type_func_name_keyword {Token}
%type reserved_keyword {Token}
%type bare_label_keyword {Token}
%type name {Token}
%type attr_name {Token}
%type sconst {Token}

col_id ::= IDENT.
col_id ::= unreserved_keyword.
col_id ::= col_name_keyword.
type_function_name ::= IDENT.
type_function_name ::= unreserved_keyword.
type_function_name ::= type_func_name_keyword.
non_reserved_word ::= IDENT.
non_reserved_word ::= unreserved_keyword.
non_reserved_word ::= col_name_keyword.
non_reserved_word ::= type_func_name_keyword.
col_label ::= IDENT.
col_label ::= unreserved_keyword.
col_label ::= col_name_keyword.
col_label ::= type_func_name_keyword.
col_label ::= reserved_keyword.
bare_col_label ::= IDENT.
bare_col_label ::= bare_label_keyword.
name ::= col_id.
attr_name ::= col_label.
sconst ::= SCONST.

%type iconst {int}
%type signed_iconst {int}
iconst(A) ::= ICONST(T). { A = T.integer; }
signed_iconst ::= iconst.
signed_iconst(A) ::= PLUS iconst(I). { A = I; }
signed_iconst(A) ::= MINUS iconst(I). { A = -I; }

%type name_list {StrVec}
name_list(A) ::= name(N). { A = EMPTY(StrVec); PUSH(A, N.text); }
name_list(A) ::= name_list(A) COMMA name(N). { PUSH(A, N.text); }

%type attrs {StrVec}
attrs(A) ::= DOT attr_name(N). { A = EMPTY(StrVec); PUSH(A, N.text); }
attrs(A) ::= attrs(A) DOT attr_name(N). { PUSH(A, N.text); }

// A qualified name with the position of its first word.
%type any_name {Names}
any_name(A) ::= col_id(N). { A = names_first(p, N); }
any_name(A) ::= col_id(N) attrs(L). { A = names_join(p, N, &L); }

%type any_name_list {NodeVec}
any_name_list(A) ::= any_name(N). { A = EMPTY(NodeVec); PUSH(A, object_name(p, &N)); }
any_name_list(A) ::= any_name_list(A) COMMA any_name(N). { PUSH(A, object_name(p, &N)); }

%type qualified_name {RangeVar *}
qualified_name(A) ::= col_id(N). { A = range_var_simple(p, N); }
qualified_name(A) ::= col_id(N) indirection(I). { A = range_var_qualified(p, N, &I); }

%type qualified_name_list {RangeVarVec}
qualified_name_list(A) ::= qualified_name(R). { A = EMPTY(RangeVarVec); PUSH(A, R); }
qualified_name_list(A) ::= qualified_name_list(A) COMMA qualified_name(R). { PUSH(A, R); }

%type func_name {Names}
func_name(A) ::= type_function_name(N). { A = names_first(p, N); }
func_name(A) ::= col_id(N) indirection(I). { A = names_indirection(p, N, &I); }

%type role_id {Str}
role_id(A) ::= role_spec(R). { A = role_id(p, R); }
%type role_spec {RoleSpec *}
role_spec(A) ::= non_reserved_word(N). { A = role_spec_name(p, N); }
role_spec(A) ::= CURRENT_ROLE(T). { A = role_spec(p, ROLESPEC_CURRENT_ROLE, T); }
role_spec(A) ::= CURRENT_USER(T). { A = role_spec(p, ROLESPEC_CURRENT_USER, T); }
role_spec(A) ::= SESSION_USER(T). { A = role_spec(p, ROLESPEC_SESSION_USER, T); }
%type role_list {RoleSpecVec}
role_list(A) ::= role_spec(R). { A = EMPTY(RoleSpecVec); PUSH(A, R); }
role_list(A) ::= role_list(A) COMMA role_spec(R). { PUSH(A, R); }

%type non_reserved_word_or_sconst {Token}
non_reserved_word_or_sconst ::= non_reserved_word.
non_reserved_word_or_sconst ::= sconst.

%type opt_boolean_or_string {Token}
opt_boolean_or_string(A) ::= TRUE(T). { A = token_word(T, "true"); }
opt_boolean_or_string(A) ::= FALSE(T). { A = token_word(T, "false"); }
opt_boolean_or_string(A) ::= ON(T). { A = token_word(T, "on"); }
opt_boolean_or_string ::= non_reserved_word_or_sconst.

numeric_only(A) ::= FCONST(T). { A = const_float(p, T); }
numeric_only(A) ::= PLUS FCONST(T). { A = const_float(p, T); }
numeric_only(A) ::= MINUS(M) FCONST(T). { A = const_negate(p, const_float(p, T), M.position); }
numeric_only(A) ::= ICONST(T). { A = const_integer(p, T.integer, T.position); }
numeric_only(A) ::= PLUS ICONST(T). { A = const_integer(p, T.integer, T.position); }
numeric_only(A) ::= MINUS(M) ICONST(T). { A = const_integer(p, -T.integer, M.position); }
%type numeric_only_list {NodeVec}
numeric_only_list(A) ::= numeric_only(N). { A = EMPTY(NodeVec); PUSH(A, N); }
numeric_only_list(A) ::= numeric_only_list(A) COMMA numeric_only(N). { PUSH(A, N); }

%type opt_drop_behavior {DropBehavior}
opt_drop_behavior(A) ::= CASCADE. { A = DROP_CASCADE; }
opt_drop_behavior(A) ::= RESTRICT. { A = DROP_RESTRICT; }
opt_drop_behavior(A) ::= . { A = DROP_RESTRICT; }

// ---- Option lists ---------------------------------------------------------------------------------

%type definition {DefElemVec}
%type def_list {DefElemVec}
%type def_elem {DefElem *}
definition(A) ::= LPAREN def_list(L) RPAREN. { A = L; }
def_list(A) ::= def_elem(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
def_list(A) ::= def_list(A) COMMA def_elem(E). { PUSH(A, E); }
def_elem(A) ::= col_label(N) EQ def_arg(V). { A = def_elem(p, N, V); }
def_elem(A) ::= col_label(N). { A = def_elem(p, N, NULL); }

def_arg(A) ::= func_type(T). { A = (Node *)T; }
def_arg(A) ::= reserved_keyword(T). { A = const_string(p, T); }
def_arg(A) ::= qual_all_Op(N). { A = (Node *)object_name(p, &N); }
def_arg ::= numeric_only.
def_arg(A) ::= sconst(T). { A = const_string(p, T); }
def_arg(A) ::= NONE(T). { A = const_string(p, T); }

%type reloptions {DefElemVec}
%type opt_reloptions {DefElemVec}
%type reloption_list {DefElemVec}
%type reloption_elem {DefElem *}
reloptions(A) ::= LPAREN reloption_list(L) RPAREN. { A = L; }
opt_reloptions(A) ::= WITH reloptions(L). { A = L; }
opt_reloptions(A) ::= . { A = EMPTY(DefElemVec); }
reloption_list(A) ::= reloption_elem(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
reloption_list(A) ::= reloption_list(A) COMMA reloption_elem(E). { PUSH(A, E); }
reloption_elem(A) ::= col_label(N) EQ def_arg(V). { A = def_elem(p, N, V); }
reloption_elem(A) ::= col_label(N). { A = def_elem(p, N, NULL); }
reloption_elem(A) ::= col_label(S) DOT col_label(N) EQ def_arg(V). { A = def_elem(p, N, V); A->node.position = S.position; A->name_space = S.text; }
reloption_elem(A) ::= col_label(S) DOT col_label(N). { A = def_elem(p, N, NULL); A->node.position = S.position; A->name_space = S.text; }

// (name value, …) of EXPLAIN, VACUUM, ANALYZE, REINDEX, CLUSTER.
%type utility_option_list {DefElemVec}
%type utility_option_elem {DefElem *}
%type utility_option_name {Token}
utility_option_list(A) ::= utility_option_elem(E). { A = EMPTY(DefElemVec); PUSH(A, E); }
utility_option_list(A) ::= utility_option_list(A) COMMA utility_option_elem(E). { PUSH(A, E); }
utility_option_elem(A) ::= utility_option_name(N) utility_option_arg(V). { A = def_elem(p, N, V); }
utility_option_name ::= non_reserved_word.
utility_option_name(A) ::= ANALYZE(T). { A = token_word(T, "analyze"); }
utility_option_name(A) ::= ANALYSE(T). { A = token_word(T, "analyze"); }
utility_option_arg(A) ::= opt_boolean_or_string(T). { A = const_string(p, T); }
utility_option_arg ::= numeric_only.
utility_option_arg(A) ::= . { A = NULL; }
