-- The database that the catalog queries of clients and psql's commands are asked of.
CREATE SCHEMA shop;
CREATE SCHEMA "Odd Schema";
COMMENT ON SCHEMA shop IS 'a shop';
CREATE ROLE kit_reader NOLOGIN;
CREATE ROLE kit_writer LOGIN NOINHERIT CONNECTION LIMIT 5 VALID UNTIL '2040-01-01';
GRANT kit_reader TO kit_writer WITH ADMIN OPTION;
ALTER ROLE kit_writer SET work_mem = '8MB';
CREATE SEQUENCE shop.numbers START 100 INCREMENT 5 CACHE 3 CYCLE MAXVALUE 10000;
CREATE TABLE shop.people (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name varchar(80) NOT NULL,
  email text UNIQUE,
  tags text[] DEFAULT '{}',
  extra json,
  joined timestamptz DEFAULT now(),
  upper_name text GENERATED ALWAYS AS (upper(name)) STORED
);
COMMENT ON TABLE shop.people IS 'who buys';
COMMENT ON COLUMN shop.people.email IS 'checked by nobody';
CREATE TABLE shop.things (
  sku text COLLATE "C" PRIMARY KEY,
  price numeric(10,2) NOT NULL CHECK (price >= 0),
  pic bytea,
  weight real,
  period interval day to second(2)
);
CREATE TABLE shop.buys (
  id serial PRIMARY KEY,
  customer bigint NOT NULL REFERENCES shop.people (id) ON DELETE CASCADE,
  sku text REFERENCES shop.things ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
  n smallint DEFAULT 1,
  at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT sane CHECK (n BETWEEN 1 AND 100),
  UNIQUE (customer, at)
);
CREATE INDEX buys_at ON shop.buys USING btree (at DESC NULLS LAST) WHERE n > 1;
CREATE INDEX buys_low ON shop.buys (lower(sku), customer);
COMMENT ON INDEX shop.buys_at IS 'newest first';
CREATE VIEW shop.latest AS SELECT c.name, o.* FROM shop.people c JOIN shop.buys o ON o.customer = c.id
  WHERE o.at > now() - interval '1 day';
COMMENT ON VIEW shop.latest IS 'of one day';
CREATE TABLE "Odd Schema"."Odd Table" ("Odd Column" int, "select" text, "CamelCase" boolean DEFAULT true);
GRANT USAGE ON SCHEMA shop TO kit_reader;
GRANT SELECT, UPDATE (name) ON shop.people TO kit_reader;
GRANT ALL ON shop.buys TO kit_writer WITH GRANT OPTION;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO PUBLIC;
GRANT USAGE ON SEQUENCE shop.numbers TO kit_reader;
CREATE TABLE public.users (
  id serial PRIMARY KEY,
  username varchar(50) NOT NULL UNIQUE,
  age int,
  created_at timestamp DEFAULT now()
);
CREATE TABLE public.posts (id serial PRIMARY KEY, user_id int REFERENCES public.users (id), title text NOT NULL);
CREATE INDEX posts_title ON public.posts (title);
CREATE VIEW public.user_posts AS SELECT u.username, p.title FROM public.users u LEFT JOIN public.posts p ON p.user_id = u.id;
INSERT INTO shop.people (name, email) VALUES ('Ann', 'a@x'), ('Bob', NULL);
INSERT INTO shop.things (sku, price) VALUES ('pen', 1.50), ('ink', 7);
INSERT INTO shop.buys (customer, sku, n) VALUES (1, 'pen', 3), (2, 'ink', 1);
