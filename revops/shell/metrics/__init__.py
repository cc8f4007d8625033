"""Metrics: what Prometheus may read, made where the work is done and never while it reads."""
