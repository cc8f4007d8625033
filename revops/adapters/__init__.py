"""The world in core terms: one module per thing in it, none of which decides."""
