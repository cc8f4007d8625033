"""The books on disk: typed reads and writes, each write whole or not at all."""

from revops.adapters.store.forwards import Books
from revops.adapters.store.journal import Explained, FeeChange, JournalEntry, Order
from revops.adapters.store.originals import Original
from revops.adapters.store.report_book import Closed
from revops.adapters.store.shadow_book import Differed, ShadowBook
from revops.adapters.store.shadow_cycles import Run
from revops.adapters.store.store import Store
from revops.adapters.store.treasury_end import Cleared
from revops.adapters.store.treasury_log import Logged

__all__ = [
    "Books",
    "Cleared",
    "Closed",
    "Differed",
    "Explained",
    "FeeChange",
    "JournalEntry",
    "Logged",
    "Order",
    "Original",
    "Run",
    "ShadowBook",
    "Store",
]
