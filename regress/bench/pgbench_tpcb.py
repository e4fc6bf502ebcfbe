#!/usr/bin/env python3
"""pgbench's tpcb-like script: Sengi beside PostgreSQL 15."""
import pgbench

pgbench.compare("tpcb-like")
