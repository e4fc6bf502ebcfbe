select 'mood'::text::regtype::oid;
