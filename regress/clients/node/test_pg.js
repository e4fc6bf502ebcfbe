#!/usr/bin/env node
// A day's work with node-postgres: CRUD, transactions, types, errors, prepared statements, COPY, cursors, pool.
// Tests are named for what must be true; each prints `ok pg/NAME` or `not ok pg/NAME: why`.
'use strict';

const assert = require('node:assert/strict');
const { pipeline } = require('node:stream/promises');
const { Readable, Writable } = require('node:stream');
const { Client, Pool, types } = require('pg');
const Cursor = require('pg-cursor');
const { from: copyFrom, to: copyTo } = require('pg-copy-streams');

const tests = {};

async function withClient(work, options = {}) {
  const client = new Client(options);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function fresh(client, definition, name = 'tn') {
  await client.query(`DROP TABLE IF EXISTS ${name} CASCADE`);
  await client.query(`CREATE TABLE ${name} (${definition})`);
}

async function fails(promise, code, fields = {}) {
  let error = null;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  assert.ok(error, `wanted SQLSTATE ${code}, got no error`);
  assert.equal(error.code, code, error.message);
  for (const [name, value] of Object.entries(fields)) assert.equal(error[name], value, name);
  return error;
}

tests.rows_are_created_read_updated_and_deleted = () => withClient(async (client) => {
  await fresh(client, 'id serial PRIMARY KEY, name text NOT NULL, price numeric(10,2), tags text[]');
  const inserted = await client.query('INSERT INTO tn (name, price, tags) VALUES ($1, $2, $3) RETURNING id', ['spoon', '1.50', ['a', 'b,c', null]]);
  assert.equal(inserted.rows[0].id, 1);
  assert.equal(inserted.command, 'INSERT');
  assert.equal(inserted.rowCount, 1);
  await client.query('INSERT INTO tn (name, price) VALUES ($1, $2), ($3, $4)', ['fork', 2, 'knife', null]);
  const rows = await client.query('SELECT * FROM tn ORDER BY id');
  assert.deepEqual(rows.rows[0], { id: 1, name: 'spoon', price: '1.50', tags: ['a', 'b,c', null] });
  assert.deepEqual(rows.fields.map((field) => [field.name, field.dataTypeID]), [['id', 23], ['name', 25], ['price', 1700], ['tags', 1009]]);
  assert.equal((await client.query('UPDATE tn SET price = price + $1 WHERE id = ANY($2)', [1, [1, 2]])).rowCount, 2);
  assert.equal((await client.query('DELETE FROM tn WHERE price IS NULL')).rowCount, 1);
  assert.deepEqual((await client.query({ text: 'SELECT id, price FROM tn ORDER BY id', rowMode: 'array' })).rows, [[1, '2.50'], [2, '3.00']]);
});

tests.transactions_commit_and_roll_back = () => withClient((client) => withClient(async (other) => {
  await fresh(client, 'id int PRIMARY KEY');
  await client.query('BEGIN');
  await client.query('INSERT INTO tn VALUES (1)');
  assert.equal((await other.query('SELECT * FROM tn')).rowCount, 0);
  await client.query('SAVEPOINT a');
  await fails(client.query('INSERT INTO tn VALUES (1)'), '23505', { constraint: 'tn_pkey', table: 'tn', schema: 'public', detail: 'Key (id)=(1) already exists.' });
  await fails(client.query('SELECT 1'), '25P02');
  await client.query('ROLLBACK TO a');
  await client.query('COMMIT');
  assert.equal((await other.query('SELECT * FROM tn')).rowCount, 1);
  await client.query('BEGIN');
  await client.query('DELETE FROM tn');
  await client.query('ROLLBACK');
  assert.equal((await other.query('SELECT * FROM tn')).rowCount, 1);
}));

tests.values_come_back_the_same = () => withClient(async (client) => {
  const when = new Date('2024-02-29T12:30:00.123Z');
  const values = [
    ['int4', 5], ['int8', '9223372036854775807'], ['float8', 1.25], ['bool', true], ['text', "it's 🐘 \\ \n"], ['bytea', Buffer.from([0, 1, 255])],
    ['timestamptz', when], ['numeric', '123456789012345678901234567890.123'], ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['int4[]', [1, 2, 3]], ['text[]', ['x', null, '"q"', '\\']], ['bool[]', [true, false]], ['float8[]', [1.5, -2]], ['int4[]', [[1, 2], [3, 4]]],
    ['text', null], ['text', ''], ['date', null], ['timestamptz[]', [when]],
  ];
  for (const [type, value] of values) {
    const result = await client.query(`SELECT $1::${type} AS v`, [value]);
    assert.deepEqual(result.rows[0].v, value, type);
  }
  const interval = (await client.query("SELECT interval '1 day 02:03:04' AS v")).rows[0].v;
  assert.deepEqual({ ...interval }, { days: 1, hours: 2, minutes: 3, seconds: 4 });
  types.setTypeParser(20, BigInt);
  assert.equal((await client.query('SELECT count(*) FROM generate_series(1, 10)')).rows[0].count, 10n);
  types.setTypeParser(20, String);
});

tests.binary_results_are_read = () => withClient(async (client) => {
  const result = await client.query({
    text: "SELECT 1::int2 AS a, 2::int4 AS b, 3::int8 AS c, 1.5::float4 AS d, -2.5::float8 AS e, true AS f, 'x'::text AS g, '\\x0102'::bytea AS h, 12.34::numeric AS i, ARRAY[1,2] AS j, timestamptz '2024-01-01 00:00Z' AS k",
    binary: true,
  });
  const { h, k, ...rest } = result.rows[0];
  assert.deepEqual(rest, { a: 1, b: 2, c: '3', d: 1.5, e: -2.5, f: true, g: 'x', i: '12.34', j: [1, 2] });
  assert.deepEqual([...h], [1, 2]);
  assert.equal(k.toISOString(), '2024-01-01T00:00:00.000Z');
});

tests.named_statements_are_prepared_once = () => withClient(async (client) => {
  await fresh(client, 'id int PRIMARY KEY, name text');
  for (let i = 0; i < 100; i++) {
    const result = await client.query({ name: 'put', text: 'INSERT INTO tn VALUES ($1, $2) RETURNING name', values: [i, `n${i}`] });
    assert.equal(result.rows[0].name, `n${i}`);
  }
  const found = await client.query({ name: 'get', text: 'SELECT name FROM tn WHERE id = $1', values: [42] });
  assert.equal(found.rows[0].name, 'n42');
  await client.query('ALTER TABLE tn ADD COLUMN extra int DEFAULT 1');
  assert.equal((await client.query({ name: 'get', text: 'SELECT name FROM tn WHERE id = $1', values: [43] })).rows[0].name, 'n43');
});

tests.errors_have_codes_and_positions = () => withClient(async (client) => {
  await fresh(client, 'id int NOT NULL CHECK (id > 0), name varchar(3)');
  await fails(client.query('SELECT * FROM nowhere'), '42P01', { position: '15', severity: 'ERROR' });
  await fails(client.query('SELECT * FROM nowhere WHERE a = $1', [1]), '42P01', { position: '15' });
  await fails(client.query('SELEC'), '42601', { message: 'syntax error at or near "SELEC"' });
  await fails(client.query('SELECT $1::int', ['x']), '22P02', { message: 'invalid input syntax for type integer: "x"' });
  await fails(client.query('SELECT 1/$1::int', [0]), '22012');
  await fails(client.query('INSERT INTO tn VALUES ($1)', [null]), '23502', { column: 'id', table: 'tn' });
  await fails(client.query('INSERT INTO tn VALUES ($1)', [-1]), '23514', { constraint: 'tn_id_check' });
  await fails(client.query('INSERT INTO tn VALUES (1, $1)', ['long']), '22001');
  await fails(client.query('SELECT $1', []), '42P02');
  await fails(client.query('SELECT 1; SELECT $1', [1]), '42601', { message: 'cannot insert multiple commands into a prepared statement' });
  assert.equal((await client.query('SELECT 1 AS one')).rows[0].one, 1);
});

tests.several_statements_give_several_results = () => withClient(async (client) => {
  const results = await client.query('SELECT 1 AS a; SELECT 2 AS b UNION ALL SELECT 3; CREATE TEMP TABLE s (x int); INSERT INTO s VALUES (1), (2)');
  assert.deepEqual(results.map((result) => [result.command, result.rowCount]), [['SELECT', 1], ['SELECT', 2], ['CREATE', null], ['INSERT', 2]]);
  await fails(client.query('INSERT INTO s VALUES (3); SELECT 1/0; INSERT INTO s VALUES (4)'), '22012');
  assert.equal((await client.query('SELECT * FROM s')).rowCount, 2);
  assert.equal((await client.query('')).rows.length, 0);
});

tests.copy_streams_go_both_ways = () => withClient(async (client) => {
  await fresh(client, 'id int, name text');
  const lines = [];
  for (let i = 0; i < 20000; i++) lines.push(`${i}\tname ${i}\n`);
  const into = client.query(copyFrom('COPY tn FROM STDIN'));
  await pipeline(Readable.from(lines), into);
  assert.equal(into.rowCount, 20000);
  const parts = [];
  await pipeline(client.query(copyTo('COPY (SELECT * FROM tn ORDER BY id) TO STDOUT')), new Writable({
    write(chunk, _, done) { parts.push(chunk); done(); },
  }));
  assert.equal(Buffer.concat(parts).toString(), lines.join(''));
  await fails(pipeline(Readable.from(['1\ta\n', 'x\tb\n']), client.query(copyFrom('COPY tn FROM STDIN'))), '22P02');
  assert.equal((await client.query('SELECT count(*)::int AS n FROM tn')).rows[0].n, 20000);
});

tests.cursors_read_piecewise = () => withClient(async (client) => {
  const cursor = client.query(new Cursor('SELECT i FROM generate_series(1, $1) AS i', [1000]));
  assert.deepEqual((await cursor.read(3)).map((row) => row.i), [1, 2, 3]);
  assert.equal((await cursor.read(500)).length, 500);
  assert.equal((await cursor.read(5000)).length, 497);
  assert.equal((await cursor.read(5)).length, 0);
  await cursor.close();
  const early = client.query(new Cursor('SELECT i FROM generate_series(1, 100000) AS i'));
  assert.equal((await early.read(1))[0].i, 1);
  await early.close();
  assert.equal((await client.query('SELECT 7 AS v')).rows[0].v, 7);
});

tests.notices_and_parameters_arrive = () => withClient(async (client) => {
  const notices = [];
  client.on('notice', (notice) => notices.push(notice.message));
  await client.query('DROP TABLE IF EXISTS never_was');
  assert.deepEqual(notices, ['table "never_was" does not exist, skipping']);
  assert.equal((await client.query('SHOW application_name')).rows[0].application_name, 'node day');
  assert.equal((await client.query('SHOW statement_timeout')).rows[0].statement_timeout, '5s');
  await fails(client.query("SET statement_timeout = 50; SELECT pg_sleep(10)"), '57014', { message: 'canceling statement due to statement timeout' });
}, { application_name: 'node day', statement_timeout: 5000 });

tests.pools_serve_many = async () => {
  const pool = new Pool({ max: 10 });
  await pool.query('DROP TABLE IF EXISTS tn CASCADE');
  await pool.query('CREATE TABLE tn (id int PRIMARY KEY, v int NOT NULL)');
  await pool.query('INSERT INTO tn SELECT i, 0 FROM generate_series(0, 9) AS i');
  await Promise.all(Array.from({ length: 300 }, (_, i) => pool.query('UPDATE tn SET v = v + 1 WHERE id = $1', [i % 10])));
  assert.equal((await pool.query('SELECT sum(v)::int AS s, min(v) AS m FROM tn')).rows[0].s, 300);
  await Promise.all(Array.from({ length: 20 }, async (_, i) => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('UPDATE tn SET v = v - 1 WHERE id = $1', [i % 5]);
      await client.query(i % 2 ? 'COMMIT' : 'ROLLBACK');
    } finally {
      client.release();
    }
  }));
  assert.equal((await pool.query('SELECT sum(v)::int AS s FROM tn')).rows[0].s, 290);
  await pool.end();
};

tests.terminated_sessions_raise_57P01 = () => withClient(async (client) => {
  const victim = new Client();
  await victim.connect();
  const lost = new Promise((resolve) => victim.on('error', resolve));
  const pid = (await victim.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
  await client.query('SELECT pg_terminate_backend($1)', [pid]);
  assert.equal((await lost).code, '57P01');
});

tests.json_values_are_known_or_refused = () => withClient(async (client) => {
  try {
    const result = await client.query('SELECT $1::json AS v', [{ a: [1, null], b: 'x' }]);
    assert.deepEqual(result.rows[0].v, { a: [1, null], b: 'x' });
  } catch (error) {
    assert.ok(['0A000', '42704'].includes(error.code), error.message);
  }
});

async function main() {
  let failed = false;
  for (const [name, work] of Object.entries(tests)) {
    if (process.argv.length > 2 && !process.argv.includes(name)) continue;
    let timer;
    try {
      await Promise.race([work(), new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('took too long')), 60000); })]);
      console.log(`ok pg/${name}`);
    } catch (error) {
      failed = true;
      console.log(`not ok pg/${name}: ${String(error.stack).replaceAll('\n', ' | ').slice(0, 600)}`);
    }
    clearTimeout(timer);
  }
  process.exit(failed ? 1 : 0);
}

main();
