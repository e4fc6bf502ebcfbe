-- name: statement. Read by run.py: the rows that both servers expect differ by at most a factor of 2 (or 10 rows).
equal: SELECT * FROM facts WHERE dim_id = 77
equal_common: SELECT * FROM facts WHERE kind = 0
equal_uncommon: SELECT * FROM facts WHERE kind = 88
equal_unknown: SELECT * FROM facts WHERE kind = 5000
equal_unique: SELECT * FROM facts WHERE code = 'x'
equal_boolean: SELECT * FROM facts WHERE flag
not_boolean: SELECT * FROM facts WHERE NOT flag
boolean_is_true: SELECT * FROM facts WHERE flag IS TRUE
boolean_is_not_true: SELECT * FROM facts WHERE flag IS NOT TRUE
boolean_equal: SELECT * FROM facts WHERE flag = false
unequal: SELECT * FROM facts WHERE kind <> 0
unequal_nulls: SELECT * FROM facts WHERE maybe <> 3
less: SELECT * FROM facts WHERE value < 12345
less_small: SELECT * FROM facts WHERE value < 100
less_none: SELECT * FROM facts WHERE value < -5
more: SELECT * FROM facts WHERE value > 999000
more_flipped: SELECT * FROM facts WHERE 999000 < value
between: SELECT * FROM facts WHERE value BETWEEN 1000 AND 2000
between_narrow: SELECT * FROM facts WHERE value BETWEEN 1000 AND 1001
between_strict: SELECT * FROM facts WHERE value > 5000 AND value < 7000
between_dates: SELECT * FROM facts WHERE day >= '2021-01-01' AND day < '2021-02-01'
between_text: SELECT * FROM facts WHERE code >= 'a' AND code < 'b'
between_numeric: SELECT * FROM facts WHERE price BETWEEN 10 AND 20
range_skewed: SELECT * FROM facts WHERE kind < 10
range_skewed_high: SELECT * FROM facts WHERE kind > 90
range_float: SELECT * FROM dims WHERE weight < 100
range_wider: SELECT * FROM facts WHERE value < 12345::bigint
equal_wider: SELECT * FROM facts WHERE kind = 0::bigint
range_nulls: SELECT * FROM facts WHERE maybe < 100
in_list: SELECT * FROM facts WHERE dim_id IN (1, 2, 3, 4)
in_list_common: SELECT * FROM facts WHERE kind IN (0, 1, 2)
in_list_long: SELECT * FROM facts WHERE kind IN (90, 91, 92, 93, 94, 95, 96, 97)
not_in_list: SELECT * FROM facts WHERE kind NOT IN (0, 1)
any_array: SELECT * FROM facts WHERE dim_id = ANY ('{1,2,3}'::int[])
like_prefix: SELECT * FROM facts WHERE code LIKE 'ab%'
like_prefix_long: SELECT * FROM facts WHERE code LIKE 'abcdef%'
like_infix: SELECT * FROM facts WHERE code LIKE '%ab%'
like_exact: SELECT * FROM facts WHERE code LIKE 'abc'
not_like: SELECT * FROM facts WHERE code NOT LIKE 'ab%'
like_filler: SELECT * FROM facts WHERE filler LIKE 'filler 1%'
ilike: SELECT * FROM facts WHERE filler ILIKE 'FILLER 1%'
regex: SELECT * FROM facts WHERE code ~ '^abc'
starts_with: SELECT * FROM facts WHERE code ^@ 'ab'
is_null: SELECT * FROM facts WHERE maybe IS NULL
is_not_null: SELECT * FROM facts WHERE rare IS NOT NULL
is_null_never: SELECT * FROM facts WHERE dim_id IS NULL
or_columns: SELECT * FROM facts WHERE kind = 0 OR value < 100000
or_same: SELECT * FROM facts WHERE kind = 0 OR kind = 1
and_columns: SELECT * FROM facts WHERE kind = 0 AND value < 100000
not_range: SELECT * FROM facts WHERE NOT value < 100000
expression: SELECT * FROM facts WHERE value % 100 = 7
expression_upper: SELECT * FROM facts WHERE upper(filler) = 'FILLER 17'
expression_unknown: SELECT * FROM facts WHERE value + 1 = 7
expression_range: SELECT * FROM facts WHERE abs(value) < 10
function_boolean: SELECT * FROM facts WHERE starts_with(code, 'ab')
coalesce_equal: SELECT * FROM facts WHERE coalesce(maybe, 0) = 0
columns_equal: SELECT * FROM facts WHERE kind = maybe
columns_less: SELECT * FROM facts WHERE kind < maybe
is_distinct: SELECT * FROM facts WHERE maybe IS DISTINCT FROM 5
false_constant: SELECT * FROM facts WHERE kind = 0 AND false
subquery_equal: SELECT * FROM facts WHERE dim_id = (SELECT 5)
limit_rows: SELECT * FROM facts LIMIT 17
offset_rows: SELECT * FROM dims OFFSET 9000
join_key: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id
join_filter: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id WHERE d.group_id = 5
join_filter_both: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id WHERE d.group_id = 5 AND f.kind = 0
join_three: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id JOIN groups g ON g.id = d.group_id WHERE g.region = 2
join_left: SELECT * FROM dims d LEFT JOIN facts f ON f.dim_id = d.id AND f.kind = 99
join_full: SELECT * FROM dims d FULL JOIN groups g ON g.id = d.id
join_inequality: SELECT * FROM groups a JOIN groups b ON a.id < b.id
join_non_key: SELECT * FROM dims a JOIN dims b ON a.group_id = b.group_id
join_self: SELECT * FROM dims a JOIN dims b ON b.id = a.parent
join_cross: SELECT * FROM groups a, groups b
semi: SELECT * FROM dims d WHERE EXISTS (SELECT 1 FROM facts f WHERE f.dim_id = d.id)
semi_filter: SELECT * FROM dims d WHERE EXISTS (SELECT 1 FROM facts f WHERE f.dim_id = d.id AND f.kind = 99)
anti: SELECT * FROM dims d WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.dim_id = d.id)
in_subquery: SELECT * FROM facts WHERE dim_id IN (SELECT id FROM dims WHERE group_id = 5)
not_in_subquery: SELECT * FROM facts WHERE dim_id NOT IN (SELECT id FROM dims WHERE group_id = 5)
group_one: SELECT kind FROM facts GROUP BY kind
group_two: SELECT kind, dim_id FROM facts GROUP BY kind, dim_id
group_filter: SELECT dim_id FROM facts WHERE value < 1000 GROUP BY dim_id
group_filter_small: SELECT kind FROM facts WHERE value < 100 GROUP BY kind
group_unique: SELECT id FROM facts GROUP BY id
group_expression: SELECT value % 100 FROM facts GROUP BY value % 100
group_expression_unknown: SELECT dim_id % 7 FROM facts GROUP BY dim_id % 7
group_having: SELECT kind FROM facts GROUP BY kind HAVING count(*) > 5
group_dates: SELECT day FROM facts GROUP BY day
group_join: SELECT d.name FROM facts f JOIN dims d ON f.dim_id = d.id GROUP BY d.name
group_nulls: SELECT maybe FROM facts GROUP BY maybe
group_boolean: SELECT flag, kind FROM facts GROUP BY flag, kind
distinct_one: SELECT DISTINCT dim_id FROM facts
distinct_two: SELECT DISTINCT kind, flag FROM facts
union_all: SELECT id FROM facts UNION ALL SELECT id FROM dims
union_distinct: SELECT id FROM dims UNION SELECT id FROM groups
intersect: SELECT id FROM dims INTERSECT SELECT id FROM groups
except_rows: SELECT id FROM dims EXCEPT SELECT id FROM groups
series: SELECT * FROM generate_series(1, 1000)
series_filter: SELECT * FROM generate_series(1, 1000) x WHERE x < 10
values_rows: SELECT * FROM (VALUES (1), (2), (3)) v (x)
unnested: SELECT unnest('{1,2,3}'::int[]) FROM groups
cte: WITH c AS MATERIALIZED (SELECT * FROM facts WHERE kind = 0) SELECT * FROM c WHERE value < 1000
subquery_limit: SELECT * FROM (SELECT * FROM facts LIMIT 100) s WHERE kind = 0
subquery_group: SELECT * FROM (SELECT kind, count(*) AS n FROM facts GROUP BY kind) s WHERE n > 5
