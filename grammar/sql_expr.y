// ---- Types ------------------------------------------------------------------------------------------

%type typename {TypeName *}
%type simple_typename {TypeName *}
%type const_typename {TypeName *}
%type generic_type {TypeName *}
%type numeric {TypeName *}
%type bit {TypeName *}
%type const_bit {TypeName *}
%type character_rule {TypeName *}
%type const_character {TypeName *}
%type const_datetime {TypeName *}
%type const_interval {Token}
%type opt_array_bounds {Bounds}
%type character {Token}
%type opt_varying {bool}
%type opt_timezone {bool}
%type opt_float {int}
%type opt_type_modifiers {NodeVec}
%type opt_interval {NodeVec}
%type interval_second {NodeVec}
%type type_list {TypeNameVec}
%type func_type {TypeName *}

typename(A) ::= simple_typename(T) opt_array_bounds(B). { A = type_with_bounds(T, &B, false); }
typename(A) ::= SETOF(S) simple_typename(T) opt_array_bounds(B). { A = type_with_bounds(T, &B, true); A->node.position = S.position; }
typename(A) ::= simple_typename(T) ARRAY LBRACKET iconst(I) RBRACKET. { A = type_as_array(p, T, I, false); }
typename(A) ::= SETOF(S) simple_typename(T) ARRAY LBRACKET iconst(I) RBRACKET. { A = type_as_array(p, T, I, true); A->node.position = S.position; }
typename(A) ::= simple_typename(T) ARRAY. { A = type_as_array(p, T, -1, false); }
typename(A) ::= SETOF(S) simple_typename(T) ARRAY. { A = type_as_array(p, T, -1, true); A->node.position = S.position; }
opt_array_bounds(A) ::= opt_array_bounds(A) LBRACKET RBRACKET. { PUSH(A, -1); }
opt_array_bounds(A) ::= opt_array_bounds(A) LBRACKET iconst(I) RBRACKET. { PUSH(A, I); }
opt_array_bounds(A) ::= . { A = EMPTY(Bounds); }

simple_typename ::= generic_type.
simple_typename ::= numeric.
simple_typename ::= bit.
simple_typename ::= character_rule.
simple_typename ::= const_datetime.
simple_typename(A) ::= const_interval(T) opt_interval(M). { A = type_system_mods(p, "interval", &M, T.position); }
simple_typename(A) ::= const_interval(T) LPAREN iconst(I) RPAREN. { NodeVec mods = interval_precision(p, INTERVAL_FULL_RANGE, I, T.position); A = type_system_mods(p, "interval", &mods, T.position); }
const_typename ::= numeric.
const_typename ::= const_bit.
const_typename ::= const_character.
const_typename ::= const_datetime.

generic_type(A) ::= type_function_name(N) opt_type_modifiers(M). { Names names = names_first(p, N); A = type_named(p, &names, &M); }
generic_type(A) ::= type_function_name(N) attrs(L) opt_type_modifiers(M). { Names names = names_join(p, N, &L); A = type_named(p, &names, &M); }
opt_type_modifiers(A) ::= LPAREN expr_list(L) RPAREN. { A = L; }
opt_type_modifiers(A) ::= . { A = EMPTY(NodeVec); }

numeric(A) ::= INT(T). { A = type_system(p, "int4", T.position); }
numeric(A) ::= INTEGER(T). { A = type_system(p, "int4", T.position); }
numeric(A) ::= SMALLINT(T). { A = type_system(p, "int2", T.position); }
numeric(A) ::= BIGINT(T). { A = type_system(p, "int8", T.position); }
numeric(A) ::= REAL(T). { A = type_system(p, "float4", T.position); }
numeric(A) ::= FLOAT(T) opt_float(N). { A = type_float(p, N, T.position); }
numeric(A) ::= DOUBLE(T) PRECISION. { A = type_system(p, "float8", T.position); }
numeric(A) ::= DECIMAL(T) opt_type_modifiers(M). { A = type_system_mods(p, "numeric", &M, T.position); }
numeric(A) ::= DEC(T) opt_type_modifiers(M). { A = type_system_mods(p, "numeric", &M, T.position); }
numeric(A) ::= NUMERIC(T) opt_type_modifiers(M). { A = type_system_mods(p, "numeric", &M, T.position); }
numeric(A) ::= BOOLEAN(T). { A = type_system(p, "bool", T.position); }
opt_float(A) ::= LPAREN ICONST(T) RPAREN. { A = float_precision(p, T); }
opt_float(A) ::= . { A = 53; }

// With a length the rule is the same for columns and constants; without one bit is bit(1) in a column.
bit(A) ::= BIT(T) opt_varying(V) LPAREN expr_list(L) RPAREN. { A = type_system_mods(p, V ? "varbit" : "bit", &L, T.position); }
bit(A) ::= BIT(T) opt_varying(V). { A = type_bit(p, V, T.position); }
const_bit(A) ::= BIT(T) opt_varying(V) LPAREN expr_list(L) RPAREN. { A = type_system_mods(p, V ? "varbit" : "bit", &L, T.position); }
const_bit(A) ::= BIT(T) opt_varying(V). { A = type_system(p, V ? "varbit" : "bit", T.position); }
character_rule(A) ::= character(C) LPAREN iconst(I) RPAREN. { A = type_character(p, C, I); }
character_rule(A) ::= character(C). { A = type_character(p, C, C.integer ? -1 : 1); }
const_character(A) ::= character(C) LPAREN iconst(I) RPAREN. { A = type_character(p, C, I); }
const_character(A) ::= character(C). { A = type_character(p, C, -1); }
character(A) ::= CHARACTER(T) opt_varying(V). { A = token_flag(T, V); }
character(A) ::= CHAR(T) opt_varying(V). { A = token_flag(T, V); }
character(A) ::= VARCHAR(T). { A = token_flag(T, true); }
character(A) ::= NATIONAL(T) CHARACTER opt_varying(V). { A = token_flag(T, V); }
character(A) ::= NATIONAL(T) CHAR opt_varying(V). { A = token_flag(T, V); }
character(A) ::= NCHAR(T) opt_varying(V). { A = token_flag(T, V); }
opt_varying(A) ::= VARYING. { A = true; }
opt_varying(A) ::= . { A = false; }

const_datetime(A) ::= TIMESTAMP(T) LPAREN iconst(I) RPAREN opt_timezone(Z). { A = type_precision(p, Z ? "timestamptz" : "timestamp", I, T.position); }
const_datetime(A) ::= TIMESTAMP(T) opt_timezone(Z). { A = type_system(p, Z ? "timestamptz" : "timestamp", T.position); }
const_datetime(A) ::= TIME(T) LPAREN iconst(I) RPAREN opt_timezone(Z). { A = type_precision(p, Z ? "timetz" : "time", I, T.position); }
const_datetime(A) ::= TIME(T) opt_timezone(Z). { A = type_system(p, Z ? "timetz" : "time", T.position); }
const_interval ::= INTERVAL.
opt_timezone(A) ::= WITH_LA TIME ZONE. { A = true; }
opt_timezone(A) ::= WITHOUT TIME ZONE. { A = false; }
opt_timezone(A) ::= . { A = false; }

opt_interval(A) ::= YEAR(T). { A = interval_fields(p, INTERVAL_YEAR, T.position); }
opt_interval(A) ::= MONTH(T). { A = interval_fields(p, INTERVAL_MONTH, T.position); }
opt_interval(A) ::= DAY(T). { A = interval_fields(p, INTERVAL_DAY, T.position); }
opt_interval(A) ::= HOUR(T). { A = interval_fields(p, INTERVAL_HOUR, T.position); }
opt_interval(A) ::= MINUTE(T). { A = interval_fields(p, INTERVAL_MINUTE, T.position); }
opt_interval ::= interval_second.
opt_interval(A) ::= YEAR(T) TO MONTH. { A = interval_fields(p, INTERVAL_YEAR | INTERVAL_MONTH, T.position); }
opt_interval(A) ::= DAY(T) TO HOUR. { A = interval_fields(p, INTERVAL_DAY | INTERVAL_HOUR, T.position); }
opt_interval(A) ::= DAY(T) TO MINUTE. { A = interval_fields(p, INTERVAL_DAY | INTERVAL_HOUR | INTERVAL_MINUTE, T.position); }
opt_interval(A) ::= DAY TO interval_second(S). { A = S; interval_widen(&A, INTERVAL_DAY | INTERVAL_HOUR | INTERVAL_MINUTE); }
opt_interval(A) ::= HOUR(T) TO MINUTE. { A = interval_fields(p, INTERVAL_HOUR | INTERVAL_MINUTE, T.position); }
opt_interval(A) ::= HOUR TO interval_second(S). { A = S; interval_widen(&A, INTERVAL_HOUR | INTERVAL_MINUTE); }
opt_interval(A) ::= MINUTE TO interval_second(S). { A = S; interval_widen(&A, INTERVAL_MINUTE); }
opt_interval(A) ::= . { A = EMPTY(NodeVec); }
interval_second(A) ::= SECOND(T). { A = interval_fields(p, INTERVAL_SECOND, T.position); }
interval_second(A) ::= SECOND(T) LPAREN iconst(I) RPAREN. { A = interval_precision(p, INTERVAL_SECOND, I, T.position); }

type_list(A) ::= typename(T). { A = EMPTY(TypeNameVec); PUSH(A, T); }
type_list(A) ::= type_list(A) COMMA typename(T). { PUSH(A, T); }

// ---- Operators ------------------------------------------------------------------------------------

%type all_Op {Token}
%type math_op {Token}
%type qual_Op {Names}
%type qual_all_Op {Names}
%type any_operator {Names}
%type subquery_Op {Names}

all_Op ::= OP.
all_Op ::= math_op.
math_op ::= PLUS.
math_op ::= MINUS.
math_op ::= STAR.
math_op ::= SLASH.
math_op ::= PERCENT.
math_op ::= CARET.
math_op ::= LT.
math_op ::= GT.
math_op ::= EQ.
math_op ::= LESS_EQUALS.
math_op ::= GREATER_EQUALS.
math_op ::= NOT_EQUALS.
qual_Op(A) ::= OP(T). { A = names_first(p, T); }
qual_Op(A) ::= OPERATOR(T) LPAREN any_operator(N) RPAREN. { A = N; A.position = T.position; }
qual_all_Op(A) ::= all_Op(T). { A = names_first(p, T); }
qual_all_Op(A) ::= OPERATOR(T) LPAREN any_operator(N) RPAREN. { A = N; A.position = T.position; }
any_operator(A) ::= all_Op(T). { A = names_first(p, T); }
any_operator(A) ::= col_id(N) DOT any_operator(O). { StrVec rest = O.names; A = names_join(p, N, &rest); }
subquery_Op(A) ::= all_Op(T). { A = names_first(p, T); }
subquery_Op(A) ::= OPERATOR(T) LPAREN any_operator(N) RPAREN. { A = N; A.position = T.position; }
subquery_Op(A) ::= LIKE(T). { A = names_operator(p, "~~", T); }
subquery_Op(A) ::= NOT_LA(T) LIKE. { A = names_operator(p, "!~~", T); }
subquery_Op(A) ::= ILIKE(T). { A = names_operator(p, "~~*", T); }
subquery_Op(A) ::= NOT_LA(T) ILIKE. { A = names_operator(p, "!~~*", T); }

// ---- Expressions ----------------------------------------------------------------------------------

%type expr_list {NodeVec}
expr_list(A) ::= a_expr(E). { A = EMPTY(NodeVec); PUSH(A, E); }
expr_list(A) ::= expr_list(A) COMMA a_expr(E). { PUSH(A, E); }

a_expr ::= c_expr.
a_expr(A) ::= a_expr(X) TYPECAST(T) typename(N). { A = type_cast(p, X, N, T.position); }
a_expr(A) ::= a_expr(X) COLLATE(T) any_name(N). { A = collate_clause(p, X, &N, T.position); }
a_expr(A) ::= a_expr(X) AT(T) TIME ZONE a_expr(Z). [AT] { A = call_sql_syntax(p, "timezone", NODES(Z, X), T.position); }
a_expr(A) ::= PLUS(T) a_expr(X). [UMINUS] { A = expr_op(p, T, NULL, X); }
a_expr(A) ::= MINUS(T) a_expr(X). [UMINUS] { A = const_negate(p, X, T.position); }
a_expr(A) ::= a_expr(X) PLUS(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) MINUS(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) STAR(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) SLASH(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) PERCENT(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) CARET(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) LT(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) GT(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) EQ(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) LESS_EQUALS(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) GREATER_EQUALS(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) NOT_EQUALS(T) a_expr(Y). { A = expr_op(p, T, X, Y); }
a_expr(A) ::= a_expr(X) qual_Op(N) a_expr(Y). [OP] { A = expr_names(p, A_EXPR_OP, &N, X, Y); }
a_expr(A) ::= qual_Op(N) a_expr(Y). [OP] { A = expr_names(p, A_EXPR_OP, &N, NULL, Y); }
a_expr(A) ::= a_expr(X) AND(T) a_expr(Y). { A = bool_expr(p, AND_EXPR, X, Y, T.position); }
a_expr(A) ::= a_expr(X) OR(T) a_expr(Y). { A = bool_expr(p, OR_EXPR, X, Y, T.position); }
a_expr(A) ::= NOT(T) a_expr(X). { A = bool_expr_not(p, X, T.position); }
a_expr(A) ::= NOT_LA(T) a_expr(X). [NOT] { A = bool_expr_not(p, X, T.position); }

a_expr(A) ::= a_expr(X) LIKE(T) a_expr(Y). [LIKE] { A = expr_like(p, WORD(A_EXPR_LIKE, "~~", T.position), X, Y, NULL); }
a_expr(A) ::= a_expr(X) LIKE(T) a_expr(Y) ESCAPE a_expr(E). [LIKE] { A = expr_like(p, WORD(A_EXPR_LIKE, "~~", T.position), X, Y, E); }
a_expr(A) ::= a_expr(X) NOT_LA(T) LIKE a_expr(Y). [NOT_LA] { A = expr_like(p, WORD(A_EXPR_LIKE, "!~~", T.position), X, Y, NULL); }
a_expr(A) ::= a_expr(X) NOT_LA(T) LIKE a_expr(Y) ESCAPE a_expr(E). [NOT_LA] { A = expr_like(p, WORD(A_EXPR_LIKE, "!~~", T.position), X, Y, E); }
a_expr(A) ::= a_expr(X) ILIKE(T) a_expr(Y). [ILIKE] { A = expr_like(p, WORD(A_EXPR_ILIKE, "~~*", T.position), X, Y, NULL); }
a_expr(A) ::= a_expr(X) ILIKE(T) a_expr(Y) ESCAPE a_expr(E). [ILIKE] { A = expr_like(p, WORD(A_EXPR_ILIKE, "~~*", T.position), X, Y, E); }
a_expr(A) ::= a_expr(X) NOT_LA(T) ILIKE a_expr(Y). [NOT_LA] { A = expr_like(p, WORD(A_EXPR_ILIKE, "!~~*", T.position), X, Y, NULL); }
a_expr(A) ::= a_expr(X) NOT_LA(T) ILIKE a_expr(Y) ESCAPE a_expr(E). [NOT_LA] { A = expr_like(p, WORD(A_EXPR_ILIKE, "!~~*", T.position), X, Y, E); }
a_expr(A) ::= a_expr(X) SIMILAR(T) TO a_expr(Y). [SIMILAR] { A = expr_similar(p, WORD(A_EXPR_SIMILAR, "~", T.position), X, Y, NULL); }
a_expr(A) ::= a_expr(X) SIMILAR(T) TO a_expr(Y) ESCAPE a_expr(E). [SIMILAR] { A = expr_similar(p, WORD(A_EXPR_SIMILAR, "~", T.position), X, Y, E); }
a_expr(A) ::= a_expr(X) NOT_LA(T) SIMILAR TO a_expr(Y). [NOT_LA] { A = expr_similar(p, WORD(A_EXPR_SIMILAR, "!~", T.position), X, Y, NULL); }
a_expr(A) ::= a_expr(X) NOT_LA(T) SIMILAR TO a_expr(Y) ESCAPE a_expr(E). [NOT_LA] { A = expr_similar(p, WORD(A_EXPR_SIMILAR, "!~", T.position), X, Y, E); }

a_expr(A) ::= a_expr(X) IS(T) NULL. [IS] { A = null_test(p, X, false, T.position); }
a_expr(A) ::= a_expr(X) ISNULL(T). { A = null_test(p, X, false, T.position); }
a_expr(A) ::= a_expr(X) IS(T) NOT NULL. [IS] { A = null_test(p, X, true, T.position); }
a_expr(A) ::= a_expr(X) NOTNULL(T). { A = null_test(p, X, true, T.position); }
a_expr(A) ::= row(X) OVERLAPS(T) row(Y). { A = call_overlaps(p, X, Y, T.position); }
a_expr(A) ::= a_expr(X) IS(T) TRUE. [IS] { A = boolean_test(p, X, IS_TRUE, T.position); }
a_expr(A) ::= a_expr(X) IS(T) NOT TRUE. [IS] { A = boolean_test(p, X, IS_NOT_TRUE, T.position); }
a_expr(A) ::= a_expr(X) IS(T) FALSE. [IS] { A = boolean_test(p, X, IS_FALSE, T.position); }
a_expr(A) ::= a_expr(X) IS(T) NOT FALSE. [IS] { A = boolean_test(p, X, IS_NOT_FALSE, T.position); }
a_expr(A) ::= a_expr(X) IS(T) UNKNOWN. [IS] { A = boolean_test(p, X, IS_UNKNOWN, T.position); }
a_expr(A) ::= a_expr(X) IS(T) NOT UNKNOWN. [IS] { A = boolean_test(p, X, IS_NOT_UNKNOWN, T.position); }
a_expr(A) ::= a_expr(X) IS(T) DISTINCT FROM a_expr(Y). [IS] { A = expr_kind(p, WORD(A_EXPR_DISTINCT, "=", T.position), X, Y); }
a_expr(A) ::= a_expr(X) IS(T) NOT DISTINCT FROM a_expr(Y). [IS] { A = expr_kind(p, WORD(A_EXPR_NOT_DISTINCT, "=", T.position), X, Y); }
a_expr(A) ::= a_expr(X) BETWEEN(T) opt_asymmetric b_expr(L) AND a_expr(H). [BETWEEN] { A = expr_between(p, WORD(A_EXPR_BETWEEN, "BETWEEN", T.position), X, L, H); }
a_expr(A) ::= a_expr(X) NOT_LA(T) BETWEEN opt_asymmetric b_expr(L) AND a_expr(H). [NOT_LA] { A = expr_between(p, WORD(A_EXPR_NOT_BETWEEN, "NOT BETWEEN", T.position), X, L, H); }
a_expr(A) ::= a_expr(X) BETWEEN(T) SYMMETRIC b_expr(L) AND a_expr(H). [BETWEEN] { A = expr_between(p, WORD(A_EXPR_BETWEEN_SYM, "BETWEEN SYMMETRIC", T.position), X, L, H); }
a_expr(A) ::= a_expr(X) NOT_LA(T) BETWEEN SYMMETRIC b_expr(L) AND a_expr(H). [NOT_LA] { A = expr_between(p, WORD(A_EXPR_NOT_BETWEEN_SYM, "NOT BETWEEN SYMMETRIC", T.position), X, L, H); }
a_expr(A) ::= a_expr(X) IN(T) in_expr(R). { A = expr_in(p, X, R, false, T.position); }
a_expr(A) ::= a_expr(X) NOT_LA(T) IN in_expr(R). [NOT_LA] { A = expr_in(p, X, R, true, T.position); }
a_expr(A) ::= a_expr(X) subquery_Op(N) sub_type(K) select_with_parens(S). [OP] { A = sub_link_op(p, K, X, &N, S); }
a_expr(A) ::= a_expr(X) subquery_Op(N) sub_type(K) LPAREN a_expr(Y) RPAREN. [OP] { A = expr_names(p, K == ANY_SUBLINK ? A_EXPR_OP_ANY : A_EXPR_OP_ALL, &N, X, Y); }
a_expr(A) ::= UNIQUE(T) opt_unique_null_treatment select_with_parens. { A = const_null(p, T.position); grammar_fail_unsupported(p, "UNIQUE predicate is not yet implemented", T.position); }
a_expr(A) ::= a_expr(X) IS DOCUMENT. [IS] { A = xml_expr(p, "IS DOCUMENT", X->position); }
a_expr(A) ::= a_expr(X) IS NOT DOCUMENT. [IS] { A = xml_expr(p, "IS DOCUMENT", X->position); }
a_expr(A) ::= a_expr(X) IS(T) NORMALIZED. [IS] { A = call_sql_syntax(p, "is_normalized", NODES(X), T.position); }
a_expr(A) ::= a_expr(X) IS(T) unicode_normal_form(F) NORMALIZED. [IS] { A = call_sql_syntax(p, "is_normalized", NODES(X, const_string(p, F)), T.position); }
a_expr(A) ::= a_expr(X) IS(T) NOT NORMALIZED. [IS] { A = bool_expr_not(p, call_sql_syntax(p, "is_normalized", NODES(X), T.position), T.position); }
a_expr(A) ::= a_expr(X) IS(T) NOT unicode_normal_form(F) NORMALIZED. [IS] { A = bool_expr_not(p, call_sql_syntax(p, "is_normalized", NODES(X, const_string(p, F)), T.position), T.position); }
a_expr(A) ::= DEFAULT(T). { A = (Node *)NEW(SetToDefault, T.position); }

%type opt_asymmetric {int}
opt_asymmetric(A) ::= ASYMMETRIC. { A = 0; }
opt_asymmetric(A) ::= . { A = 0; }
%type opt_unique_null_treatment {bool}
opt_unique_null_treatment(A) ::= NULLS_LA NOT DISTINCT. { A = true; }
opt_unique_null_treatment(A) ::= NULLS_LA DISTINCT. { A = false; }
opt_unique_null_treatment(A) ::= . { A = false; }
%type unicode_normal_form {Token}
unicode_normal_form(A) ::= NFC(T). { A = token_word(T, "NFC"); }
unicode_normal_form(A) ::= NFD(T). { A = token_word(T, "NFD"); }
unicode_normal_form(A) ::= NFKC(T). { A = token_word(T, "NFKC"); }
unicode_normal_form(A) ::= NFKD(T). { A = token_word(T, "NFKD"); }
%type sub_type {int}
sub_type(A) ::= ANY. { A = ANY_SUBLINK; }
sub_type(A) ::= SOME. { A = ANY_SUBLINK; }
sub_type(A) ::= ALL. { A = ALL_SUBLINK; }
in_expr(A) ::= select_with_parens(S). { A = (Node *)sub_link(p, ANY_SUBLINK, S, 0); }
in_expr(A) ::= LPAREN expr_list(L) RPAREN. { A = expr_list_node(p, &L); }

// What may stand where a keyword such as AND or IN must not be taken for an operator.
b_expr ::= c_expr.
b_expr(A) ::= b_expr(X) TYPECAST(T) typename(N). { A = type_cast(p, X, N, T.position); }
b_expr(A) ::= PLUS(T) b_expr(X). [UMINUS] { A = expr_op(p, T, NULL, X); }
b_expr(A) ::= MINUS(T) b_expr(X). [UMINUS] { A = const_negate(p, X, T.position); }
b_expr(A) ::= b_expr(X) PLUS(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) MINUS(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) STAR(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) SLASH(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) PERCENT(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) CARET(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) LT(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) GT(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) EQ(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) LESS_EQUALS(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) GREATER_EQUALS(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) NOT_EQUALS(T) b_expr(Y). { A = expr_op(p, T, X, Y); }
b_expr(A) ::= b_expr(X) qual_Op(N) b_expr(Y). [OP] { A = expr_names(p, A_EXPR_OP, &N, X, Y); }
b_expr(A) ::= qual_Op(N) b_expr(Y). [OP] { A = expr_names(p, A_EXPR_OP, &N, NULL, Y); }
b_expr(A) ::= b_expr(X) IS(T) DISTINCT FROM b_expr(Y). [IS] { A = expr_kind(p, WORD(A_EXPR_DISTINCT, "=", T.position), X, Y); }
b_expr(A) ::= b_expr(X) IS(T) NOT DISTINCT FROM b_expr(Y). [IS] { A = expr_kind(p, WORD(A_EXPR_NOT_DISTINCT, "=", T.position), X, Y); }
b_expr(A) ::= b_expr(X) IS DOCUMENT. [IS] { A = xml_expr(p, "IS DOCUMENT", X->position); }
b_expr(A) ::= b_expr(X) IS NOT DOCUMENT. [IS] { A = xml_expr(p, "IS DOCUMENT", X->position); }

c_expr ::= columnref.
c_expr ::= aexpr_const.
c_expr(A) ::= PARAM(T) opt_indirection(I). { A = indirection(p, param_ref(p, T), &I); }
c_expr(A) ::= LPAREN a_expr(X) RPAREN opt_indirection(I). { A = indirection(p, X, &I); }
c_expr ::= case_expr.
c_expr ::= func_expr.
c_expr(A) ::= select_with_parens(S). [UMINUS] { A = (Node *)sub_link(p, EXPR_SUBLINK, S, S->node.position); }
c_expr(A) ::= select_with_parens(S) indirection(I). { A = indirection(p, (Node *)sub_link(p, EXPR_SUBLINK, S, S->node.position), &I); }
c_expr(A) ::= EXISTS(T) select_with_parens(S). { A = (Node *)sub_link(p, EXISTS_SUBLINK, S, T.position); }
c_expr(A) ::= ARRAY(T) select_with_parens(S). { A = (Node *)sub_link(p, ARRAY_SUBLINK, S, T.position); }
c_expr(A) ::= ARRAY(T) array_expr(X). { A = X; A->position = T.position; }
c_expr ::= explicit_row.
c_expr ::= implicit_row.
c_expr(A) ::= GROUPING(T) LPAREN expr_list(L) RPAREN. { GroupingFunc *g = NEW(GroupingFunc, T.position); g->args = L; A = (Node *)g; }

columnref(A) ::= col_id(N). { A = column_ref(p, N, NULL); }
columnref(A) ::= col_id(N) indirection(I). { A = column_ref(p, N, &I); }

%type indirection {NodeVec}
%type opt_indirection {NodeVec}
indirection_el(A) ::= DOT attr_name(N). { A = field_name(p, N); }
indirection_el(A) ::= DOT STAR(T). { A = (Node *)NEW(A_Star, T.position); }
indirection_el(A) ::= LBRACKET(T) a_expr(X) RBRACKET. { A = indices(p, false, NULL, X, T.position); }
indirection_el(A) ::= LBRACKET(T) opt_slice_bound(L) COLON opt_slice_bound(U) RBRACKET. { A = indices(p, true, L, U, T.position); }
opt_slice_bound ::= a_expr.
opt_slice_bound(A) ::= . { A = NULL; }
indirection(A) ::= indirection_el(E). { A = EMPTY(NodeVec); PUSH(A, E); }
indirection(A) ::= indirection(A) indirection_el(E). { PUSH(A, E); }
opt_indirection(A) ::= . { A = EMPTY(NodeVec); }
opt_indirection(A) ::= opt_indirection(A) indirection_el(E). { PUSH(A, E); }

row ::= explicit_row.
row ::= implicit_row.
explicit_row(A) ::= ROW(T) LPAREN expr_list(L) RPAREN. { A = row_expr(p, &L, true, T.position); }
explicit_row(A) ::= ROW(T) LPAREN RPAREN. { NodeVec none = {0}; A = row_expr(p, &none, true, T.position); }
implicit_row(A) ::= LPAREN(T) expr_list(L) COMMA a_expr(X) RPAREN. { NodeVec all = L; PUSH(all, X); A = row_expr(p, &all, false, T.position); }

%type array_expr_list {NodeVec}
array_expr(A) ::= LBRACKET(T) expr_list(L) RBRACKET. { A = array_expr(p, &L, T.position); }
array_expr(A) ::= LBRACKET(T) array_expr_list(L) RBRACKET. { A = array_expr(p, &L, T.position); }
array_expr(A) ::= LBRACKET(T) RBRACKET. { NodeVec none = {0}; A = array_expr(p, &none, T.position); }
array_expr_list(A) ::= array_expr(E). { A = EMPTY(NodeVec); PUSH(A, E); }
array_expr_list(A) ::= array_expr_list(A) COMMA array_expr(E). { PUSH(A, E); }

%type when_clause_list {CaseWhenVec}
%type when_clause {CaseWhen *}
case_expr(A) ::= CASE(T) opt_a_expr(X) when_clause_list(W) case_default(D) END. { A = case_expr(p, X, &W, D, T.position); }
when_clause_list(A) ::= when_clause(W). { A = EMPTY(CaseWhenVec); PUSH(A, W); }
when_clause_list(A) ::= when_clause_list(A) when_clause(W). { PUSH(A, W); }
when_clause(A) ::= WHEN(T) a_expr(X) THEN a_expr(Y). { A = NEW(CaseWhen, T.position); A->expr = X; A->result = Y; }
case_default(A) ::= ELSE a_expr(X). { A = X; }
case_default(A) ::= . { A = NULL; }
opt_a_expr ::= a_expr.
opt_a_expr(A) ::= . { A = NULL; }

aexpr_const(A) ::= ICONST(T). { A = const_integer(p, T.integer, T.position); }
aexpr_const(A) ::= FCONST(T). { A = const_float(p, T); }
aexpr_const(A) ::= SCONST(T). { A = const_string(p, T); }
aexpr_const(A) ::= BCONST(T). { A = const_bit(p, T); }
aexpr_const(A) ::= XCONST(T). { A = const_bit(p, T); }
aexpr_const(A) ::= func_name(N) SCONST(T). { NodeVec none = {0}; A = const_typed(p, type_named(p, &N, &none), T); }
aexpr_const(A) ::= func_name(N) LPAREN func_arg_list(L) opt_sort_clause(O) RPAREN SCONST(T). { A = const_typed_mods(p, &N, &L, &O, T); }
aexpr_const(A) ::= const_typename(N) SCONST(T). { A = const_typed(p, N, T); }
aexpr_const(A) ::= const_interval(I) SCONST(T) opt_interval(M). { A = const_typed(p, type_system_mods(p, "interval", &M, I.position), T); }
aexpr_const(A) ::= const_interval(I) LPAREN iconst(N) RPAREN SCONST(T). { NodeVec mods = interval_precision(p, INTERVAL_FULL_RANGE, N, I.position); A = const_typed(p, type_system_mods(p, "interval", &mods, I.position), T); }
aexpr_const(A) ::= TRUE(T). { A = const_boolean(p, true, T.position); }
aexpr_const(A) ::= FALSE(T). { A = const_boolean(p, false, T.position); }
aexpr_const(A) ::= NULL(T). { A = const_null(p, T.position); }

// ---- Functions ------------------------------------------------------------------------------------

%type func_application {FuncCall *}
%type func_arg_list {NodeVec}
%type func_arg_list_opt {NodeVec}
func_application(A) ::= func_name(N) LPAREN RPAREN. { A = func_call(p, &N, NULL, NULL); }
func_application(A) ::= func_name(N) LPAREN func_arg_list(L) opt_sort_clause(O) RPAREN. { A = func_call(p, &N, &L, &O); }
func_application(A) ::= func_name(N) LPAREN VARIADIC func_arg_expr(X) opt_sort_clause(O) RPAREN. { NodeVec args = {0}; PUSH(args, X); A = func_call(p, &N, &args, &O); A->func_variadic = true; }
func_application(A) ::= func_name(N) LPAREN func_arg_list(L) COMMA VARIADIC func_arg_expr(X) opt_sort_clause(O) RPAREN. { NodeVec args = L; PUSH(args, X); A = func_call(p, &N, &args, &O); A->func_variadic = true; }
func_application(A) ::= func_name(N) LPAREN ALL func_arg_list(L) opt_sort_clause(O) RPAREN. { A = func_call(p, &N, &L, &O); }
func_application(A) ::= func_name(N) LPAREN DISTINCT func_arg_list(L) opt_sort_clause(O) RPAREN. { A = func_call(p, &N, &L, &O); A->agg_distinct = true; }
func_application(A) ::= func_name(N) LPAREN STAR RPAREN. { A = func_call(p, &N, NULL, NULL); A->agg_star = true; }
func_arg_list(A) ::= func_arg_expr(X). { A = EMPTY(NodeVec); PUSH(A, X); }
func_arg_list(A) ::= func_arg_list(A) COMMA func_arg_expr(X). { PUSH(A, X); }
func_arg_list_opt ::= func_arg_list.
func_arg_list_opt(A) ::= . { A = EMPTY(NodeVec); }
func_arg_expr ::= a_expr.
func_arg_expr(A) ::= param_name(N) COLON_EQUALS a_expr(X). { A = named_arg(p, N, X); }
func_arg_expr(A) ::= param_name(N) EQUALS_GREATER a_expr(X). { A = named_arg(p, N, X); }
%type param_name {Token}
param_name ::= type_function_name.

%type within_group_clause {OptSort}
%type over_clause {WindowDef *}
func_expr(A) ::= func_application(F) within_group_clause(G) filter_clause(I) over_clause(O). { A = func_finish(p, F, &G, I, O); }
func_expr ::= func_expr_common_subexpr.
func_expr_windowless(A) ::= func_application(F). { A = (Node *)F; }
func_expr_windowless ::= func_expr_common_subexpr.
within_group_clause(A) ::= WITHIN(T) GROUP LPAREN sort_clause(S) RPAREN. { A = (OptSort){.list = S, .position = T.position}; }
within_group_clause(A) ::= . { A = EMPTY(OptSort); }
filter_clause(A) ::= FILTER LPAREN WHERE a_expr(X) RPAREN. { A = X; }
filter_clause(A) ::= . { A = NULL; }
over_clause(A) ::= OVER window_specification(W). { A = W; }
over_clause(A) ::= OVER col_id(N). { A = NEW(WindowDef, N.position); A->name = N.text; A->frame_options = FRAMEOPTION_DEFAULTS; }
over_clause(A) ::= . { A = NULL; }

func_expr_common_subexpr(A) ::= COLLATION(T) FOR LPAREN a_expr(X) RPAREN. { A = call_sql_syntax(p, "pg_collation_for", NODES(X), T.position); }
func_expr_common_subexpr(A) ::= CURRENT_DATE(T). { A = value_function(p, SVFOP_CURRENT_DATE, -1, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_TIME(T). { A = value_function(p, SVFOP_CURRENT_TIME, -1, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_TIME(T) LPAREN iconst(I) RPAREN. { A = value_function(p, SVFOP_CURRENT_TIME_N, I, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_TIMESTAMP(T). { A = value_function(p, SVFOP_CURRENT_TIMESTAMP, -1, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_TIMESTAMP(T) LPAREN iconst(I) RPAREN. { A = value_function(p, SVFOP_CURRENT_TIMESTAMP_N, I, T.position); }
func_expr_common_subexpr(A) ::= LOCALTIME(T). { A = value_function(p, SVFOP_LOCALTIME, -1, T.position); }
func_expr_common_subexpr(A) ::= LOCALTIME(T) LPAREN iconst(I) RPAREN. { A = value_function(p, SVFOP_LOCALTIME_N, I, T.position); }
func_expr_common_subexpr(A) ::= LOCALTIMESTAMP(T). { A = value_function(p, SVFOP_LOCALTIMESTAMP, -1, T.position); }
func_expr_common_subexpr(A) ::= LOCALTIMESTAMP(T) LPAREN iconst(I) RPAREN. { A = value_function(p, SVFOP_LOCALTIMESTAMP_N, I, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_ROLE(T). { A = value_function(p, SVFOP_CURRENT_ROLE, -1, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_USER(T). { A = value_function(p, SVFOP_CURRENT_USER, -1, T.position); }
func_expr_common_subexpr(A) ::= SESSION_USER(T). { A = value_function(p, SVFOP_SESSION_USER, -1, T.position); }
func_expr_common_subexpr(A) ::= USER(T). { A = value_function(p, SVFOP_USER, -1, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_CATALOG(T). { A = value_function(p, SVFOP_CURRENT_CATALOG, -1, T.position); }
func_expr_common_subexpr(A) ::= CURRENT_SCHEMA(T). { A = value_function(p, SVFOP_CURRENT_SCHEMA, -1, T.position); }
func_expr_common_subexpr(A) ::= CAST(T) LPAREN a_expr(X) AS typename(N) RPAREN. { A = type_cast(p, X, N, T.position); }
func_expr_common_subexpr(A) ::= EXTRACT(T) LPAREN extract_arg(F) FROM a_expr(X) RPAREN. { A = call_sql_syntax(p, "extract", NODES(const_string(p, F), X), T.position); }
func_expr_common_subexpr(A) ::= NORMALIZE(T) LPAREN a_expr(X) RPAREN. { A = call_sql_syntax(p, "normalize", NODES(X), T.position); }
func_expr_common_subexpr(A) ::= NORMALIZE(T) LPAREN a_expr(X) COMMA unicode_normal_form(F) RPAREN. { A = call_sql_syntax(p, "normalize", NODES(X, const_string(p, F)), T.position); }
func_expr_common_subexpr(A) ::= OVERLAY(T) LPAREN a_expr(X) PLACING a_expr(Y) FROM a_expr(F) RPAREN. { A = call_sql_syntax(p, "overlay", NODES(X, Y, F), T.position); }
func_expr_common_subexpr(A) ::= OVERLAY(T) LPAREN a_expr(X) PLACING a_expr(Y) FROM a_expr(F) FOR a_expr(N) RPAREN. { A = call_sql_syntax(p, "overlay", NODES(X, Y, F), T.position); PUSH(((FuncCall *)A)->args, N); }
func_expr_common_subexpr(A) ::= OVERLAY(T) LPAREN func_arg_list_opt(L) RPAREN. { A = call_plain(p, "overlay", &L, T.position); }
func_expr_common_subexpr(A) ::= POSITION(T) LPAREN b_expr(X) IN b_expr(Y) RPAREN. { A = call_sql_syntax(p, "position", NODES(Y, X), T.position); }
func_expr_common_subexpr(A) ::= SUBSTRING(T) LPAREN a_expr(X) FROM a_expr(F) FOR a_expr(N) RPAREN. { A = call_sql_syntax(p, "substring", NODES(X, F, N), T.position); }
func_expr_common_subexpr(A) ::= SUBSTRING(T) LPAREN a_expr(X) FOR a_expr(N) FROM a_expr(F) RPAREN. { A = call_sql_syntax(p, "substring", NODES(X, F, N), T.position); }
func_expr_common_subexpr(A) ::= SUBSTRING(T) LPAREN a_expr(X) FROM a_expr(F) RPAREN. { A = call_sql_syntax(p, "substring", NODES(X, F), T.position); }
func_expr_common_subexpr(A) ::= SUBSTRING(T) LPAREN a_expr(X) FOR a_expr(N) RPAREN. { A = call_substring_for(p, X, N, T.position); }
func_expr_common_subexpr(A) ::= SUBSTRING(T) LPAREN a_expr(X) SIMILAR a_expr(F) ESCAPE a_expr(E) RPAREN. { A = call_sql_syntax(p, "substring", NODES(X, F, E), T.position); }
func_expr_common_subexpr(A) ::= SUBSTRING(T) LPAREN func_arg_list_opt(L) RPAREN. { A = call_plain(p, "substring", &L, T.position); }
func_expr_common_subexpr(A) ::= TREAT(T) LPAREN a_expr(X) AS typename(N) RPAREN. { A = call_treat(p, X, N, T.position); }
func_expr_common_subexpr(A) ::= TRIM(T) LPAREN BOTH trim_list(L) RPAREN. { A = call_trim(p, "btrim", &L, T.position); }
func_expr_common_subexpr(A) ::= TRIM(T) LPAREN LEADING trim_list(L) RPAREN. { A = call_trim(p, "ltrim", &L, T.position); }
func_expr_common_subexpr(A) ::= TRIM(T) LPAREN TRAILING trim_list(L) RPAREN. { A = call_trim(p, "rtrim", &L, T.position); }
func_expr_common_subexpr(A) ::= TRIM(T) LPAREN trim_list(L) RPAREN. { A = call_trim(p, "btrim", &L, T.position); }
func_expr_common_subexpr(A) ::= NULLIF(T) LPAREN a_expr(X) COMMA a_expr(Y) RPAREN. { A = expr_kind(p, WORD(A_EXPR_NULLIF, "=", T.position), X, Y); }
func_expr_common_subexpr(A) ::= COALESCE(T) LPAREN expr_list(L) RPAREN. { CoalesceExpr *c = NEW(CoalesceExpr, T.position); c->args = L; A = (Node *)c; }
func_expr_common_subexpr(A) ::= GREATEST(T) LPAREN expr_list(L) RPAREN. { A = min_max(p, true, &L, T.position); }
func_expr_common_subexpr(A) ::= LEAST(T) LPAREN expr_list(L) RPAREN. { A = min_max(p, false, &L, T.position); }
func_expr_common_subexpr(A) ::= XMLCONCAT(T) LPAREN expr_list RPAREN. { A = xml_expr(p, "XMLCONCAT", T.position); }
func_expr_common_subexpr(A) ::= XMLELEMENT(T) LPAREN NAME col_label RPAREN. { A = xml_expr(p, "XMLELEMENT", T.position); }
func_expr_common_subexpr(A) ::= XMLELEMENT(T) LPAREN NAME col_label COMMA xml_attributes RPAREN. { A = xml_expr(p, "XMLELEMENT", T.position); }
func_expr_common_subexpr(A) ::= XMLELEMENT(T) LPAREN NAME col_label COMMA expr_list RPAREN. { A = xml_expr(p, "XMLELEMENT", T.position); }
func_expr_common_subexpr(A) ::= XMLELEMENT(T) LPAREN NAME col_label COMMA xml_attributes COMMA expr_list RPAREN. { A = xml_expr(p, "XMLELEMENT", T.position); }
func_expr_common_subexpr(A) ::= XMLEXISTS(T) LPAREN c_expr xmlexists_argument RPAREN. { A = xml_expr(p, "XMLEXISTS", T.position); }
func_expr_common_subexpr(A) ::= XMLFOREST(T) LPAREN xml_attribute_list RPAREN. { A = xml_expr(p, "XMLFOREST", T.position); }
func_expr_common_subexpr(A) ::= XMLPARSE(T) LPAREN document_or_content a_expr xml_whitespace_option RPAREN. { A = xml_expr(p, "XMLPARSE", T.position); }
func_expr_common_subexpr(A) ::= XMLPI(T) LPAREN NAME col_label RPAREN. { A = xml_expr(p, "XMLPI", T.position); }
func_expr_common_subexpr(A) ::= XMLPI(T) LPAREN NAME col_label COMMA a_expr RPAREN. { A = xml_expr(p, "XMLPI", T.position); }
func_expr_common_subexpr(A) ::= XMLROOT(T) LPAREN a_expr COMMA xml_root_version opt_xml_root_standalone RPAREN. { A = xml_expr(p, "XMLROOT", T.position); }
func_expr_common_subexpr(A) ::= XMLSERIALIZE(T) LPAREN document_or_content a_expr AS simple_typename RPAREN. { A = xml_expr(p, "XMLSERIALIZE", T.position); }

%type xml_attributes {int}
%type xml_attribute_list {int}
%type xml_attribute_el {int}
%type xmlexists_argument {int}
%type xml_passing_mech {int}
%type document_or_content {int}
%type xml_whitespace_option {int}
%type xml_root_version {int}
%type opt_xml_root_standalone {int}
xml_attributes ::= XMLATTRIBUTES LPAREN xml_attribute_list RPAREN.
xml_attribute_list ::= xml_attribute_el.
xml_attribute_list ::= xml_attribute_list COMMA xml_attribute_el.
xml_attribute_el ::= a_expr AS col_label.
xml_attribute_el ::= a_expr.
xmlexists_argument ::= PASSING c_expr.
xmlexists_argument ::= PASSING c_expr xml_passing_mech.
xmlexists_argument ::= PASSING xml_passing_mech c_expr.
xmlexists_argument ::= PASSING xml_passing_mech c_expr xml_passing_mech.
xml_passing_mech ::= BY REF.
xml_passing_mech ::= BY VALUE.
document_or_content ::= DOCUMENT.
document_or_content ::= CONTENT.
xml_whitespace_option ::= PRESERVE WHITESPACE.
xml_whitespace_option ::= STRIP WHITESPACE.
xml_whitespace_option ::= .
xml_root_version ::= VERSION a_expr.
xml_root_version ::= VERSION NO VALUE.
opt_xml_root_standalone ::= COMMA STANDALONE YES.
opt_xml_root_standalone ::= COMMA STANDALONE NO.
opt_xml_root_standalone ::= COMMA STANDALONE NO VALUE.
opt_xml_root_standalone ::= .

%type extract_arg {Token}
extract_arg ::= IDENT.
extract_arg(A) ::= YEAR(T). { A = token_word(T, "year"); }
extract_arg(A) ::= MONTH(T). { A = token_word(T, "month"); }
extract_arg(A) ::= DAY(T). { A = token_word(T, "day"); }
extract_arg(A) ::= HOUR(T). { A = token_word(T, "hour"); }
extract_arg(A) ::= MINUTE(T). { A = token_word(T, "minute"); }
extract_arg(A) ::= SECOND(T). { A = token_word(T, "second"); }
extract_arg ::= sconst.
%type trim_list {NodeVec}
trim_list(A) ::= a_expr(X) FROM expr_list(L). { A = L; PUSH(A, X); }
trim_list(A) ::= FROM expr_list(L). { A = L; }
trim_list ::= expr_list.

// ---- Windows --------------------------------------------------------------------------------------

%type window_clause {WindowDefVec}
%type window_definition_list {WindowDefVec}
%type window_definition {WindowDef *}
%type window_specification {WindowDef *}
%type opt_existing_window_name {Token}
%type opt_partition_clause {NodeVec}
%type opt_frame_clause {Frame}
%type frame_extent {Frame}
%type frame_bound {Frame}
%type opt_window_exclusion_clause {int}
window_clause(A) ::= WINDOW window_definition_list(L). { A = L; }
window_clause(A) ::= . { A = EMPTY(WindowDefVec); }
window_definition_list(A) ::= window_definition(W). { A = EMPTY(WindowDefVec); PUSH(A, W); }
window_definition_list(A) ::= window_definition_list(A) COMMA window_definition(W). { PUSH(A, W); }
window_definition(A) ::= col_id(N) AS window_specification(W). { A = W; A->name = N.text; }
window_specification(A) ::= LPAREN(T) opt_existing_window_name(N) opt_partition_clause(P) opt_sort_clause(O) opt_frame_clause(F) RPAREN. { A = MAKE(WindowDef, T.position, .ref_name = N.position ? N.text : STR_NONE, .partition_clause = P, .order_clause = O, .frame_options = F.options, .start_offset = F.start, .end_offset = F.end); }
opt_existing_window_name ::= col_id.
opt_existing_window_name(A) ::= . [OP] { A = EMPTY(Token); }
opt_partition_clause(A) ::= PARTITION BY expr_list(L). { A = L; }
opt_partition_clause(A) ::= . { A = EMPTY(NodeVec); }
opt_frame_clause(A) ::= RANGE frame_extent(F) opt_window_exclusion_clause(X). { A = F; A.options |= FRAMEOPTION_NONDEFAULT | FRAMEOPTION_RANGE | X; }
opt_frame_clause(A) ::= ROWS frame_extent(F) opt_window_exclusion_clause(X). { A = F; A.options |= FRAMEOPTION_NONDEFAULT | FRAMEOPTION_ROWS | X; }
opt_frame_clause(A) ::= GROUPS frame_extent(F) opt_window_exclusion_clause(X). { A = F; A.options |= FRAMEOPTION_NONDEFAULT | FRAMEOPTION_GROUPS | X; }
opt_frame_clause(A) ::= . { A = (Frame){.options = FRAMEOPTION_DEFAULTS}; }
frame_extent(A) ::= frame_bound(B). { A = frame_single(p, &B); }
frame_extent(A) ::= BETWEEN frame_bound(B) AND frame_bound(E). { A = frame_between(p, &B, &E); }
frame_bound(A) ::= UNBOUNDED(T) PRECEDING. { A = (Frame){.options = FRAMEOPTION_START_UNBOUNDED_PRECEDING, .position = T.position}; }
frame_bound(A) ::= UNBOUNDED(T) FOLLOWING. { A = (Frame){.options = FRAMEOPTION_START_UNBOUNDED_FOLLOWING, .position = T.position}; }
frame_bound(A) ::= CURRENT(T) ROW. { A = (Frame){.options = FRAMEOPTION_START_CURRENT_ROW, .position = T.position}; }
frame_bound(A) ::= a_expr(X) PRECEDING. { A = (Frame){.options = FRAMEOPTION_START_OFFSET_PRECEDING, .start = X, .position = node_position(X)}; }
frame_bound(A) ::= a_expr(X) FOLLOWING. { A = (Frame){.options = FRAMEOPTION_START_OFFSET_FOLLOWING, .start = X, .position = node_position(X)}; }
opt_window_exclusion_clause(A) ::= EXCLUDE CURRENT ROW. { A = FRAMEOPTION_EXCLUDE_CURRENT_ROW; }
opt_window_exclusion_clause(A) ::= EXCLUDE GROUP. { A = FRAMEOPTION_EXCLUDE_GROUP; }
opt_window_exclusion_clause(A) ::= EXCLUDE TIES. { A = FRAMEOPTION_EXCLUDE_TIES; }
opt_window_exclusion_clause(A) ::= EXCLUDE NO OTHERS. { A = 0; }
opt_window_exclusion_clause(A) ::= . { A = 0; }
