/*
 * The list of node types: X(TAG, Type) for each struct that begins with a Node.
 *
 * node.h makes the NodeTag enum of it and node.c the names. To add a node: a line here and a
 * struct in one of the ast_*.h.
 */
#ifndef PARSER_NODE_TAGS_H
#define PARSER_NODE_TAGS_H

#define NODE_TAGS_EXPRESSION(X)                                                                    \
    X(A_CONST, A_Const)                                                                            \
    X(COLUMN_REF, ColumnRef)                                                                       \
    X(PARAM_REF, ParamRef)                                                                         \
    X(A_STAR, A_Star)                                                                              \
    X(TYPE_CAST, TypeCast)                                                                         \
    X(TYPE_NAME, TypeName)                                                                         \
    X(COLLATE_CLAUSE, CollateClause)                                                               \
    X(A_EXPR, A_Expr)                                                                              \
    X(BOOL_EXPR, BoolExpr)                                                                         \
    X(NULL_TEST, NullTest)                                                                         \
    X(BOOLEAN_TEST, BooleanTest)                                                                   \
    X(FUNC_CALL, FuncCall)                                                                         \
    X(NAMED_ARG_EXPR, NamedArgExpr)                                                                \
    X(SUB_LINK, SubLink)                                                                           \
    X(CASE_EXPR, CaseExpr)                                                                         \
    X(CASE_WHEN, CaseWhen)                                                                         \
    X(COALESCE_EXPR, CoalesceExpr)                                                                 \
    X(MIN_MAX_EXPR, MinMaxExpr)                                                                    \
    X(SQL_VALUE_FUNCTION, SQLValueFunction)                                                        \
    X(XML_EXPR, XmlExpr)                                                                           \
    X(GROUPING_FUNC, GroupingFunc)                                                                 \
    X(A_INDIRECTION, A_Indirection)                                                                \
    X(A_INDICES, A_Indices)                                                                        \
    X(FIELD_NAME, FieldName)                                                                       \
    X(A_ARRAY_EXPR, A_ArrayExpr)                                                                   \
    X(ROW_EXPR, RowExpr)                                                                           \
    X(EXPR_LIST, ExprList)                                                                         \
    X(SET_TO_DEFAULT, SetToDefault)                                                                \
    X(MULTI_ASSIGN_REF, MultiAssignRef)                                                            \
    X(CURRENT_OF_EXPR, CurrentOfExpr)                                                              \
    X(WINDOW_DEF, WindowDef)                                                                       \
    X(SORT_BY, SortBy)

#define NODE_TAGS_QUERY(X)                                                                         \
    X(RAW_STMT, RawStmt)                                                                           \
    X(SELECT_STMT, SelectStmt)                                                                     \
    X(INSERT_STMT, InsertStmt)                                                                     \
    X(UPDATE_STMT, UpdateStmt)                                                                     \
    X(DELETE_STMT, DeleteStmt)                                                                     \
    X(MERGE_STMT, MergeStmt)                                                                       \
    X(MERGE_WHEN_CLAUSE, MergeWhenClause)                                                          \
    X(RES_TARGET, ResTarget)                                                                       \
    X(RANGE_VAR, RangeVar)                                                                         \
    X(RANGE_SUBSELECT, RangeSubselect)                                                             \
    X(RANGE_FUNCTION, RangeFunction)                                                               \
    X(RANGE_FUNCTION_ITEM, RangeFunctionItem)                                                      \
    X(RANGE_TABLE_SAMPLE, RangeTableSample)                                                        \
    X(JOIN_EXPR, JoinExpr)                                                                         \
    X(ALIAS, Alias)                                                                                \
    X(GROUPING_SET, GroupingSet)                                                                   \
    X(LOCKING_CLAUSE, LockingClause)                                                               \
    X(INTO_CLAUSE, IntoClause)                                                                     \
    X(WITH_CLAUSE, WithClause)                                                                     \
    X(COMMON_TABLE_EXPR, CommonTableExpr)                                                          \
    X(CTE_SEARCH_CLAUSE, CTESearchClause)                                                          \
    X(CTE_CYCLE_CLAUSE, CTECycleClause)                                                            \
    X(ON_CONFLICT_CLAUSE, OnConflictClause)                                                        \
    X(INFER_CLAUSE, InferClause)                                                                   \
    X(INDEX_ELEM, IndexElem)                                                                       \
    X(DEF_ELEM, DefElem)                                                                           \
    X(OBJECT_NAME, ObjectName)                                                                     \
    X(OBJECT_WITH_ARGS, ObjectWithArgs)                                                            \
    X(ROLE_SPEC, RoleSpec)

#define NODE_TAGS_TABLE(X)                                                                         \
    X(CREATE_STMT, CreateStmt)                                                                     \
    X(CREATE_TABLE_AS_STMT, CreateTableAsStmt)                                                     \
    X(COLUMN_DEF, ColumnDef)                                                                       \
    X(CONSTRAINT, Constraint)                                                                      \
    X(TABLE_LIKE_CLAUSE, TableLikeClause)                                                          \
    X(PARTITION_SPEC, PartitionSpec)                                                               \
    X(PARTITION_BOUND_SPEC, PartitionBoundSpec)                                                    \
    X(PARTITION_CMD, PartitionCmd)                                                                 \
    X(REPLICA_IDENTITY, ReplicaIdentity)                                                           \
    X(ALTER_TABLE_STMT, AlterTableStmt)                                                            \
    X(ALTER_TABLE_CMD, AlterTableCmd)                                                              \
    X(INDEX_STMT, IndexStmt)                                                                       \
    X(CREATE_SEQ_STMT, CreateSeqStmt)                                                              \
    X(ALTER_SEQ_STMT, AlterSeqStmt)                                                                \
    X(VIEW_STMT, ViewStmt)                                                                         \
    X(REFRESH_MAT_VIEW_STMT, RefreshMatViewStmt)                                                   \
    X(CREATE_SCHEMA_STMT, CreateSchemaStmt)                                                        \
    X(TRUNCATE_STMT, TruncateStmt)                                                                 \
    X(DROP_STMT, DropStmt)                                                                         \
    X(RENAME_STMT, RenameStmt)                                                                     \
    X(ALTER_OBJECT_SCHEMA_STMT, AlterObjectSchemaStmt)                                             \
    X(ALTER_OWNER_STMT, AlterOwnerStmt)                                                            \
    X(COMMENT_STMT, CommentStmt)

#define NODE_TAGS_COMMAND(X)                                                                       \
    X(CREATEDB_STMT, CreatedbStmt)                                                                 \
    X(DROPDB_STMT, DropdbStmt)                                                                     \
    X(ALTER_DATABASE_STMT, AlterDatabaseStmt)                                                      \
    X(ALTER_DATABASE_SET_STMT, AlterDatabaseSetStmt)                                               \
    X(CREATE_ROLE_STMT, CreateRoleStmt)                                                            \
    X(ALTER_ROLE_STMT, AlterRoleStmt)                                                              \
    X(ALTER_ROLE_SET_STMT, AlterRoleSetStmt)                                                       \
    X(DROP_ROLE_STMT, DropRoleStmt)                                                                \
    X(GRANT_STMT, GrantStmt)                                                                       \
    X(GRANT_ROLE_STMT, GrantRoleStmt)                                                              \
    X(ACCESS_PRIV, AccessPriv)                                                                     \
    X(ALTER_DEFAULT_PRIVILEGES_STMT, AlterDefaultPrivilegesStmt)                                   \
    X(DROP_OWNED_STMT, DropOwnedStmt)                                                              \
    X(REASSIGN_OWNED_STMT, ReassignOwnedStmt)                                                      \
    X(TRANSACTION_STMT, TransactionStmt)                                                           \
    X(CONSTRAINTS_SET_STMT, ConstraintsSetStmt)                                                    \
    X(VARIABLE_SET_STMT, VariableSetStmt)                                                          \
    X(VARIABLE_SHOW_STMT, VariableShowStmt)                                                        \
    X(ALTER_SYSTEM_STMT, AlterSystemStmt)                                                          \
    X(PREPARE_STMT, PrepareStmt)                                                                   \
    X(EXECUTE_STMT, ExecuteStmt)                                                                   \
    X(DEALLOCATE_STMT, DeallocateStmt)                                                             \
    X(DECLARE_CURSOR_STMT, DeclareCursorStmt)                                                      \
    X(FETCH_STMT, FetchStmt)                                                                       \
    X(CLOSE_PORTAL_STMT, ClosePortalStmt)                                                          \
    X(EXPLAIN_STMT, ExplainStmt)                                                                   \
    X(COPY_STMT, CopyStmt)                                                                         \
    X(LOCK_STMT, LockStmt)                                                                         \
    X(VACUUM_STMT, VacuumStmt)                                                                     \
    X(VACUUM_RELATION, VacuumRelation)                                                             \
    X(CLUSTER_STMT, ClusterStmt)                                                                   \
    X(REINDEX_STMT, ReindexStmt)                                                                   \
    X(CHECK_POINT_STMT, CheckPointStmt)                                                            \
    X(DISCARD_STMT, DiscardStmt)                                                                   \
    X(LOAD_STMT, LoadStmt)                                                                         \
    X(LISTEN_STMT, ListenStmt)                                                                     \
    X(UNLISTEN_STMT, UnlistenStmt)                                                                 \
    X(NOTIFY_STMT, NotifyStmt)                                                                     \
    X(DO_STMT, DoStmt)                                                                             \
    X(CALL_STMT, CallStmt)                                                                         \
    X(CREATE_FUNCTION_STMT, CreateFunctionStmt)                                                    \
    X(FUNCTION_PARAMETER, FunctionParameter)                                                       \
    X(ALTER_FUNCTION_STMT, AlterFunctionStmt)                                                      \
    X(RETURN_STMT, ReturnStmt)                                                                     \
    X(CREATE_TRIG_STMT, CreateTrigStmt)                                                            \
    X(TRIGGER_TRANSITION, TriggerTransition)                                                       \
    X(RULE_STMT, RuleStmt)                                                                         \
    X(DEFINE_STMT, DefineStmt)                                                                     \
    X(COMPOSITE_TYPE_STMT, CompositeTypeStmt)                                                      \
    X(CREATE_ENUM_STMT, CreateEnumStmt)                                                            \
    X(ALTER_ENUM_STMT, AlterEnumStmt)                                                              \
    X(CREATE_RANGE_STMT, CreateRangeStmt)                                                          \
    X(CREATE_DOMAIN_STMT, CreateDomainStmt)                                                        \
    X(ALTER_DOMAIN_STMT, AlterDomainStmt)                                                          \
    X(CREATE_CAST_STMT, CreateCastStmt)                                                            \
    X(CREATE_EXTENSION_STMT, CreateExtensionStmt)                                                  \
    X(CREATE_POLICY_STMT, CreatePolicyStmt)                                                        \
    X(CREATE_STATS_STMT, CreateStatsStmt)                                                          \
    X(SEC_LABEL_STMT, SecLabelStmt)                                                                \
    X(UNSUPPORTED_STMT, UnsupportedStmt)

#define NODE_TAGS(X)                                                                               \
    NODE_TAGS_EXPRESSION(X) NODE_TAGS_QUERY(X) NODE_TAGS_TABLE(X) NODE_TAGS_COMMAND(X)

#endif
