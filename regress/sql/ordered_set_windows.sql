-- Ordered-set aggregates are no window functions.
select percent_rank(11,'a') over ();
select percent_rank(11,'a');
select percent_rank(11) over (order by 1);
select percentile_cont(0.5) over ();
select percent_rank(11) within group (order by 1) over ();
select mode() over ();
select rank(1) over ();
select percent_rank(11) from (select 1) x;
