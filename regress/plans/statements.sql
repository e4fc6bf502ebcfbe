-- name: statement. Read by run.py, which compares the plans of both servers.
pk_equal: SELECT * FROM facts WHERE id = 4711
pk_equal_only: SELECT id FROM facts WHERE id = 4711
pk_range_small: SELECT * FROM facts WHERE id BETWEEN 1000 AND 1100
pk_range_wide: SELECT * FROM facts WHERE id > 900000
pk_range_most: SELECT * FROM facts WHERE id > 100000
pk_range_count: SELECT count(*) FROM facts WHERE id BETWEEN 1000 AND 20000
pk_in: SELECT * FROM facts WHERE id IN (1, 5, 9, 4711)
pk_in_only: SELECT id FROM facts WHERE id IN (1, 5, 9, 4711)
code_equal: SELECT * FROM facts WHERE code = 'abc-1'
code_equal_only: SELECT code FROM facts WHERE code = 'abc-1'
code_like: SELECT * FROM facts WHERE code LIKE 'abcd%'
code_like_only: SELECT code FROM facts WHERE code LIKE 'abcd%'
code_like_wide: SELECT count(*) FROM facts WHERE code LIKE 'a%'
code_like_infix: SELECT * FROM facts WHERE code LIKE '%abcd%'
code_range_only: SELECT code FROM facts WHERE code >= 'aa' AND code < 'ab'
dim_equal: SELECT * FROM facts WHERE dim_id = 77
dim_equal_count: SELECT count(*) FROM facts WHERE dim_id = 77
dim_in: SELECT * FROM facts WHERE dim_id IN (1, 2, 3, 4, 5)
dim_in_count: SELECT count(*) FROM facts WHERE dim_id IN (1, 2, 3, 4, 5)
dim_or: SELECT * FROM facts WHERE dim_id = 3 OR dim_id = 9
dim_or_value: SELECT * FROM facts WHERE dim_id = 3 OR value = 17
dim_day: SELECT * FROM facts WHERE dim_id = 3 AND day > '2022-01-01'
dim_day_only: SELECT dim_id, day FROM facts WHERE dim_id = 3 ORDER BY day DESC
dim_day_back: SELECT dim_id, day FROM facts WHERE dim_id = 3 ORDER BY day
dim_latest: SELECT * FROM facts WHERE dim_id = 3 ORDER BY day DESC LIMIT 1
dim_null: SELECT * FROM facts WHERE dim_id IS NULL
kind_common: SELECT * FROM facts WHERE kind = 0
kind_rare: SELECT * FROM facts WHERE kind = 97
kind_rare_count: SELECT count(*) FROM facts WHERE kind = 97
kind_day: SELECT * FROM facts WHERE kind = 5 AND day BETWEEN '2021-01-01' AND '2021-01-05'
kind_day_only: SELECT day FROM facts WHERE kind = 5 AND day BETWEEN '2021-01-01' AND '2021-01-05'
day_one: SELECT * FROM facts WHERE day = '2021-06-01'
day_month: SELECT * FROM facts WHERE day >= '2021-06-01' AND day < '2021-07-01'
day_year: SELECT * FROM facts WHERE day >= '2021-01-01' AND day < '2022-01-01'
day_count: SELECT count(*) FROM facts WHERE day >= '2021-06-01' AND day < '2021-07-01'
day_max: SELECT max(day) FROM facts
day_min: SELECT min(day) FROM facts WHERE day > '2021-03-01'
day_min_max: SELECT min(day), max(day) FROM facts
value_equal: SELECT * FROM facts WHERE value = 12345
value_range: SELECT * FROM facts WHERE value < 100
value_percent: SELECT * FROM facts WHERE value < 10000
value_fifth: SELECT * FROM facts WHERE value < 200000
value_fifth_only: SELECT value FROM facts WHERE value < 200000
value_most: SELECT * FROM facts WHERE value < 900000
value_top: SELECT * FROM facts ORDER BY value LIMIT 10
value_top_only: SELECT value FROM facts ORDER BY value DESC LIMIT 10
value_top_filter: SELECT * FROM facts WHERE kind = 50 ORDER BY value LIMIT 10
value_offset: SELECT * FROM facts ORDER BY value OFFSET 100 LIMIT 10
value_sorted: SELECT * FROM facts ORDER BY value
value_sorted_only: SELECT value FROM facts ORDER BY value
id_sorted: SELECT * FROM facts ORDER BY id
id_sorted_back: SELECT id FROM facts ORDER BY id DESC
maybe_null: SELECT count(*) FROM facts WHERE maybe IS NULL
maybe_equal: SELECT * FROM facts WHERE maybe = 17
maybe_not_null: SELECT * FROM facts WHERE maybe IS NOT NULL
rare_equal: SELECT * FROM facts WHERE rare = 5
rare_all: SELECT * FROM facts WHERE rare IS NOT NULL
rare_all_only: SELECT rare FROM facts WHERE rare IS NOT NULL
flag_value: SELECT id FROM facts WHERE flag AND value < 5000
flag_order: SELECT value, id FROM facts WHERE flag ORDER BY value LIMIT 5
flag_count: SELECT count(*) FROM facts WHERE flag
price_equal: SELECT * FROM facts WHERE price = 17.25
price_count: SELECT count(*) FROM facts WHERE price < 1
price_only: SELECT price FROM facts WHERE price = 17.25
expression_equal: SELECT * FROM facts WHERE value % 100 = 7 AND dim_id = 5
expression_upper: SELECT * FROM facts WHERE upper(filler) = 'FILLER 17'
not_equal: SELECT * FROM facts WHERE kind <> 0
two_columns: SELECT * FROM facts WHERE kind = 60 AND value < 1000
count_all: SELECT count(*) FROM facts
count_dims: SELECT count(*) FROM dims
group_kind: SELECT kind, count(*) FROM facts GROUP BY kind
group_kind_sum: SELECT kind, sum(value) FROM facts GROUP BY kind
group_dim: SELECT dim_id, count(*) FROM facts GROUP BY dim_id
group_dim_sum: SELECT dim_id, sum(value) FROM facts GROUP BY dim_id
group_id: SELECT id, count(*) FROM facts GROUP BY id
group_ordered: SELECT day, sum(value) FROM facts GROUP BY day ORDER BY day
group_small_range: SELECT kind, count(*) FROM facts WHERE day = '2021-06-01' GROUP BY kind
group_dims: SELECT group_id, count(*) FROM dims GROUP BY group_id
group_limit: SELECT dim_id, count(*) FROM facts GROUP BY dim_id ORDER BY dim_id LIMIT 5
distinct_kind: SELECT DISTINCT kind FROM facts
distinct_dims: SELECT DISTINCT group_id FROM dims ORDER BY group_id
distinct_id: SELECT DISTINCT id FROM facts
distinct_on: SELECT DISTINCT ON (dim_id) dim_id, day FROM facts ORDER BY dim_id, day DESC
dims_sorted: SELECT * FROM dims ORDER BY name
dims_top: SELECT * FROM dims ORDER BY weight LIMIT 3
dims_group: SELECT * FROM dims WHERE group_id = 5
groups_pk: SELECT * FROM groups WHERE id = 5
groups_all: SELECT * FROM groups ORDER BY id
join_all: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id
join_count: SELECT count(*) FROM facts f JOIN dims d ON f.dim_id = d.id
join_one: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id WHERE f.id = 17
join_few: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id WHERE f.id < 20
join_dim_name: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id WHERE d.name = 'dimension 17'
join_dim_name_only: SELECT f.dim_id, f.day FROM facts f JOIN dims d ON f.dim_id = d.id WHERE d.name = 'dimension 17'
join_group: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id JOIN groups g ON g.id = d.group_id WHERE g.name = 'group 7'
join_group_count: SELECT g.name, count(*) FROM facts f JOIN dims d ON f.dim_id = d.id JOIN groups g ON g.id = d.group_id GROUP BY g.name
join_group_few: SELECT * FROM facts f, dims d, groups g WHERE f.dim_id = d.id AND g.id = d.group_id AND g.region = 3 AND f.value < 50
join_dims_groups: SELECT * FROM dims d JOIN groups g ON g.id = d.group_id
join_dims_group_one: SELECT d.* FROM dims d JOIN groups g ON g.id = d.group_id WHERE g.id = 5
join_left: SELECT * FROM dims d LEFT JOIN facts f ON f.dim_id = d.id AND f.kind = 99 WHERE d.id < 10
join_left_all: SELECT * FROM facts f LEFT JOIN dims d ON f.dim_id = d.id
join_left_null: SELECT d.* FROM dims d LEFT JOIN facts f ON f.dim_id = d.id WHERE f.id IS NULL
join_self: SELECT * FROM dims a JOIN dims b ON b.id = a.parent WHERE a.id < 50
join_self_all: SELECT * FROM dims a JOIN dims b ON b.id = a.parent
join_limit: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id LIMIT 10
join_order_limit: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id ORDER BY f.value LIMIT 10
join_order_id: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id WHERE d.group_id = 5 ORDER BY f.id LIMIT 10
join_range: SELECT * FROM facts f JOIN dims d ON f.dim_id = d.id WHERE f.day = '2021-06-01'
join_inequality: SELECT count(*) FROM groups a JOIN groups b ON a.id < b.id
join_cross: SELECT * FROM groups a, groups b
semi_exists: SELECT * FROM dims d WHERE EXISTS (SELECT 1 FROM facts f WHERE f.dim_id = d.id)
semi_exists_few: SELECT * FROM dims d WHERE d.group_id = 5 AND EXISTS (SELECT 1 FROM facts f WHERE f.dim_id = d.id AND f.kind = 99)
semi_in: SELECT * FROM facts WHERE dim_id IN (SELECT id FROM dims WHERE name = 'dimension 5')
semi_in_group: SELECT count(*) FROM facts WHERE dim_id IN (SELECT id FROM dims WHERE group_id = 5)
anti_not_exists: SELECT * FROM dims d WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.dim_id = d.id)
anti_few: SELECT * FROM dims d WHERE d.id < 20 AND NOT EXISTS (SELECT 1 FROM facts f WHERE f.dim_id = d.id)
scalar_subquery: SELECT d.id, (SELECT max(day) FROM facts f WHERE f.dim_id = d.id) FROM dims d WHERE d.group_id = 5
scalar_count: SELECT d.id, (SELECT count(*) FROM facts f WHERE f.dim_id = d.id) FROM dims d WHERE d.group_id = 5
lateral_latest: SELECT d.id, l.day FROM dims d, LATERAL (SELECT day FROM facts f WHERE f.dim_id = d.id ORDER BY day DESC LIMIT 1) l WHERE d.group_id = 5
union_all: SELECT id FROM facts WHERE id < 10 UNION ALL SELECT id FROM dims WHERE id < 10
union_distinct: SELECT dim_id FROM facts WHERE value < 100 UNION SELECT id FROM dims WHERE group_id = 3
window_dim: SELECT id, row_number() OVER (PARTITION BY dim_id ORDER BY day) FROM facts WHERE dim_id < 20
aggregate_range: SELECT sum(value) FROM facts WHERE value BETWEEN 1000 AND 2000
aggregate_join: SELECT d.name, sum(f.value) FROM facts f JOIN dims d ON d.id = f.dim_id WHERE f.day = '2021-06-01' GROUP BY d.name
