"""
revops: the CFO of a Core Lightning node.

- `revops.core` decides and touches nothing; it needs attrs alone.
- `revops.adapters` is the world in core terms: lightningd, SQLite, JSON.
- `revops.shell` runs the plugin: observe, decide, write down, act, write down.
- `revops.simulate` answers offline what the plugin would do.
"""

__version__ = "3.0.0"
