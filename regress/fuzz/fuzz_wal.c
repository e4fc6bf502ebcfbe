/*
 * The log's reader over segments of any bytes, in a simulated file system.
 *
 * An input is a list of records {options, length, payload} and what lies behind them. Records get
 * the position and the checksum that make them good, unless an option spoils one of them; so the
 * reader sees good records, torn ones, stale ones and holes. Segments are 4 KiB here.
 */
#include "base/hash.h"
#include "base/sim.h"
#include "fuzz.h"
#include "storage/wal_internal.h"
#include "txn/record.h"

#define SEGMENTS 4u
#define LOG_BYTES (SEGMENTS * WAL_SEGMENT_SIZE)

typedef enum RecordOption {
    SPOIL_POSITION = 1,
    SPOIL_CHECKSUM = 2,
    STALE_INCARNATION = 4,
    KNOWS_DURABLE = 8, /* says that everything before it is on disk */
    HUGE_LENGTH = 16,
    LEAVE_HOLE = 32,
    MISSING_SEGMENT = 64,
} RecordOption;

typedef struct Log {
    Input input;
    byte bytes[LOG_BYTES];
    size_t length;
    Lsn must_reach;
    bool is_missing[SEGMENTS];
} Log;

static void log_put(Log *log)
{
    const uint8_t options = input_byte(&log->input);
    const Str payload = input_bytes(&log->input, input_number(&log->input, 2) % 3000);
    const uint64_t size = wal_record_size((uint32_t)payload.length);
    const Lsn lsn = WAL_START + log->length;

    if (options & MISSING_SEGMENT)
        log->is_missing[(log->length / WAL_SEGMENT_SIZE + 1) % SEGMENTS] = true;
    if (log->length + size + 64 > LOG_BYTES) {
        log->input.rest = STR("");
        return;
    }
    WalHeader header = {.lsn = options & SPOIL_POSITION ? lsn + 8 : lsn,
                        .length = options & HUGE_LENGTH ? 1u << 29 : (uint32_t)payload.length,
                        .durable = options & KNOWS_DURABLE ? lsn : 0,
                        .incarnation = options & STALE_INCARNATION ? 1 : 2};
    header.crc = crc32c(wal_header_crc(&header), payload.data, payload.length);
    header.crc ^= options & SPOIL_CHECKSUM ? 1 : 0;
    memcpy(log->bytes + log->length, &header, sizeof(header));
    if (payload.length > 0)
        memcpy(log->bytes + log->length + sizeof(header), payload.data, payload.length);
    log->length += size + (options & LEAVE_HOLE ? 16 : 0);
}

static bool log_write(const Log *log)
{
    TRY(os->make_directory(STR("wal")));
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        if (log->is_missing[i])
            continue;
        File *file = wal_segment_open(STR("wal"), WAL_START + i * WAL_SEGMENT_SIZE, OS_CREATE);
        TRY(file);
        /* The last one may be short, as a copy that was cut off. */
        const size_t size = i + 1 == SEGMENTS ? log->length % WAL_SEGMENT_SIZE : WAL_SEGMENT_SIZE;
        const bool ok = os->file_write(file, log->bytes + i * WAL_SEGMENT_SIZE, size, 0);
        os->file_close(file);
        TRY(ok);
    }
    return true;
}

static void read_operations(Str payload)
{
    RecordReader reader;
    Op op;

    if (record_open(&reader, payload))
        while (record_next(&reader, &op) == OP_READ)
            continue;
    error_clear();
}

static void log_read(void *argument)
{
    Log *log = argument;
    WalRecord record;
    WalReadOutcome outcome;
    Lsn position = WAL_START;

    fuzz_require(log_write(log));
    WalReader *reader = wal_reader_open(STR("wal"), WAL_START, log->must_reach);
    fuzz_require(reader != NULL);
    while ((outcome = wal_reader_next(reader, &record)) == WAL_READ_RECORD) {
        fuzz_require(record.start == position && record.end > record.start);
        position = record.end;
        read_operations(record.payload);
    }
    fuzz_require(wal_reader_position(reader) == position);
    fuzz_require((outcome == WAL_READ_FAILED) == error_is_set());
    fuzz_require(outcome == WAL_READ_FAILED || position >= log->must_reach);
    wal_reader_close(reader);
    error_clear();
}

FUZZ_TARGET(data, size)
{
    Log *log = calloc(1, sizeof(Log));
    SimWorld *world = sim_new(1);

    fuzz_require(log != NULL);
    log->input = input_of(data, size);
    log->must_reach = WAL_START + input_number(&log->input, 2);
    while (log->input.rest.length > 0)
        log_put(log);
    fuzz_require(sim_run(world, log_read, log) == SIM_ENDED);
    sim_free(world);
    free(log);
    return 0;
}
