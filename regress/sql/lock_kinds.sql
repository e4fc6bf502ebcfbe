-- What FOR UPDATE and its kin can lock.
create sequence zs;
create table zt (a int);
insert into zt values (1);
select * from zs for update;
select * from zs for key share;
select zt.* from zt, zs for update of zt;
create view zv as select zt.a from zt, zs;
select * from zv for update;
drop view zv;
drop sequence zs;
drop table zt;
create table liked (like pg_class including all);
select indexrelid::regclass, indisunique, indisprimary from pg_index where indrelid = 'liked'::regclass order by 1;
drop table liked;
