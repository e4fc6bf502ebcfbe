#!/usr/bin/env python3
"""pgbench's select-only script: Sengi beside PostgreSQL 15."""
import pgbench

pgbench.compare("select-only")
