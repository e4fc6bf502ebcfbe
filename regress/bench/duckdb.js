// Statements of standard input (a JSON list), one after the other, in DuckDB in this process with one thread.
// Prints for each: wall clock and processor milliseconds. `duckdb.js --check` only says whether DuckDB is there.
const { createRequire } = require('module');

function load() {
    for (const from of [__filename, process.cwd() + '/']) {
        try {
            return createRequire(from)('@duckdb/node-api');
        } catch (error) {
            if (error.code !== 'MODULE_NOT_FOUND')
                throw error;
        }
    }
    return require('@duckdb/node-api'); // NODE_PATH
}

async function main() {
    const { DuckDBInstance } = load();
    if (process.argv[2] === '--check')
        return;
    const instance = await DuckDBInstance.create(process.argv[2] ?? ':memory:', { threads: '1' });
    const connection = await instance.connect();
    const statements = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    for (const statement of statements) {
        const cpu = process.cpuUsage(), start = process.hrtime.bigint();
        await connection.runAndReadAll(statement);
        const wall = Number(process.hrtime.bigint() - start) / 1e6, used = process.cpuUsage(cpu);
        console.log(`${wall} ${(used.user + used.system) / 1e3}`);
    }
}

main().catch((error) => {
    console.error(error.message);
    process.exit(1);
});
