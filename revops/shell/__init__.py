"""The imperative shell: it runs the core against a node and decides nothing."""
