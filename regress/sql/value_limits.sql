-- Values at the ends of what their types hold, and what is one too many.
select interval '178956970 years';
select interval '178956971 years';
select interval '-178956971 years';
select interval 'P178956971Y';
select interval '2147483648 months';
select interval '2147483648 years';
select interval '3000000 centuries';
select interval '1.5 millennia 214748364 years';
select interval '178956970 years 8 months';
select interval '178956970-8';
select interval '-178956970-8';
select interval '178956970 years 7 months ago';
select interval '2147483647 days 2147483647 months';
select repeat('ab', 536870911);
select repeat('abcdefghij', 2000000000);
select lpad('a', 1073741823);
select length(repeat('', 2147483647));
