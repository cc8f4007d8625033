"""The league: what many sittings in the arena say about who is better, kept and shown."""
