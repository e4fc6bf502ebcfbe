#!/usr/bin/env python3
"""pgbench's simple-update script: Sengi beside PostgreSQL 15."""
import pgbench

pgbench.compare("simple-update")
