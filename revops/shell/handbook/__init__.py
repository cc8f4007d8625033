"""The handbook: reference pages and sample files, written from what the code declares."""
