#!/usr/bin/env python3
"""Connections: a storm of connect, SELECT 1, disconnect; the memory of idle ones that have run a query."""
import table
import wire_client


def storm(server, count):
    for _ in range(count):
        client = wire_client.Client(server)
        client.query("SELECT 1")
        client.close()


def idle_memory(server, count):
    before = server.memory()
    clients = []
    for i in range(count):
        clients.append(wire_client.Client(server))
        clients[-1].query(f"SELECT v FROM t WHERE id = {i}")
    each = (server.memory() - before) / count / 1024
    print(f"{f'{count} idle connections':44} {server.name:10} {each:9.1f} KiB each")
    for client in clients:
        client.close()


def main():
    options = table.arguments("connections beside PostgreSQL 15", connects=1000, idle=500)
    chosen = table.start(options)
    try:
        for server in chosen:
            server.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
        table.compare(chosen, options.rounds, [(f"{options.connects} connects with SELECT 1", lambda server: storm(server, options.connects))])
        for server in chosen:
            idle_memory(server, options.idle)
    finally:
        for server in chosen:
            server.remove()


if __name__ == "__main__":
    main()
