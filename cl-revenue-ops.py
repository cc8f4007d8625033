#!/usr/bin/env python3
"""cl-revenue-ops: what lightningd starts."""

from revops.shell.main import main

main()
