-- Clocks of a zone may show what is no timestamp, at both ends of the range.
set timezone = 'America/New_York';
select '4714-11-24 00:00:00+00 BC'::timestamptz::date;
select '4714-11-24 00:00:00+00 BC'::timestamptz::time;
select '4714-11-24 00:00:00+00 BC'::timestamptz::timetz;
select '4714-11-24 00:00:00+00 BC'::timestamptz::timestamp;
select '4714-11-24 00:00:00+00 BC'::timestamptz + interval '1 day';
select '4714-11-24 00:00:00+00 BC'::timestamptz + interval '32 mons 340 days -34:18:04.876363';
select '4714-11-24 00:00:00+00 BC'::timestamptz - interval '1 day';
select '4714-11-24 00:00:00+00 BC'::timestamptz - interval '1 mon -45 days';
set timezone = 'Europe/Berlin';
select '294276-12-31 23:59:59.999999+00'::timestamptz::date;
select '294276-12-31 23:59:59.999999+00'::timestamptz::time;
select '294276-12-31 23:59:59.999999+00'::timestamptz::timetz;
select '294276-12-31 23:59:59.999999+00'::timestamptz::timestamp;
select '294276-12-31 23:59:59.999999+00'::timestamptz - interval '1 mon -1 day';
select '294276-12-31 23:59:59.999999+00'::timestamptz + interval '1 day';
select '294276-12-31 23:59:59.999999+00'::timestamptz + interval '1 mon -45 days';
select 'infinity'::timestamptz::date, '-infinity'::timestamptz::date, 'infinity'::timestamptz::time, 'infinity'::timestamptz::timetz, 'infinity'::timestamptz + interval '1 day';
-- What is between months, days and time must be a timestamp.
select '8 mons -300 days 35:39:13.462872'::interval + '294276-12-31 23:59:59.999999'::timestamp;
select '294276-12-31 23:59:59.999999'::timestamp + interval '1 mon -45 days';
select '294276-12-31 23:59:59.999999'::timestamp + interval '1 day -48:00:00';
select '294276-12-01 23:59:59.999999'::timestamp + interval '30 days -48:00:00';
select '4714-11-24 00:00:00 BC'::timestamp + interval '-1 mon 45 days';
select '2024-01-31 10:00:00'::timestamp + interval '1 mon 1 day 15:00:00', '2024-03-31 10:00:00'::timestamp - interval '1 mon 1 day 15:00:00';
select '2024-03-30 10:00:00'::timestamptz + interval '1 day', '2024-03-30 10:00:00'::timestamptz + interval '24:00:00', '2024-02-29 02:30:00'::timestamptz + interval '1 mon 2 days';
-- Degrees to radians, at the small end.
select radians('5e-324'::float8);
select radians('1e-307'::float8), radians(0::float8), radians('-0'::float8), radians('infinity'::float8), radians('nan'::float8), radians(180);
