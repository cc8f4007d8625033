"""Which tests are about which module of the core: few and fast, for thousands of runs."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

# By the numbers of the laws, and by name the examples among the units.
SUITES = {
    "actions": "actions",
    "advice": "suggest books",
    "budget": "6a",
    "capacity": "books 9a",
    "chance": "1b",
    "checks": "checks",
    "clboss": "9c",
    "config": "0a 0d",
    "costs": "1e books",
    "decide": "prepare reasons 4l 4i",
    "demand": "4p 4o",
    "evidence": "6a",
    "fees/alpha": "4i 4g",
    "fees/balance": "4q",
    "fees/band": "4g 4h",
    "fees/climb": "4f",
    "fees/congestion": "4c",
    "fees/floors": "4b 4d",
    "fees/gossip": "4h",
    "fees/learn": "4f 4p",
    "fees/posterior": "4p 4r 4m",
    "fees/quote": "4q 4a 4b 4g 4e 4i",
    "fees/rails": "4g rails",
    "fees/scarcity": "4e 4q",
    "fees/standing": "4a 4m 4r",
    "fees/vegas": "4d",
    "flow": "2b prepare 2a",
    "hive": "4r",
    "ledger": "8c books",
    "levers": "levers",
    "memory": "4l",
    "option": "0a",
    "outcomes": "outcomes",
    "plan": "levers",
    "pnl": "books 8a",
    "policy": "policy 7",
    "precedence": "0c",
    "prepare": "prepare reasons 5c",
    "presets": "0d",
    "profit": "books 8b 8a",
    "prospect": "4o",
    "reasons": "reasons",
    "rebalance/amounts": "5f",
    "rebalance/bets": "5j",
    "rebalance/case": "5b 5c 5e",
    "rebalance/decide": "5g 5e",
    "rebalance/ev": "5d",
    "rebalance/experience": "5h",
    "rebalance/futility": "5i",
    "rebalance/gates": "5e 5c",
    "rebalance/inventory": "5b",
    "rebalance/keep": "5m",
    "rebalance/kelly": "5j",
    "rebalance/market": "5f",
    "rebalance/means": "5e 5g",
    "rebalance/order": "5l",
    "rebalance/pair": "5f",
    "rebalance/pairing": "5f",
    "rebalance/past": "5h",
    "rebalance/price": "5c",
    "rebalance/roles": "5e 5g 5b",
    "rebalance/said": "5g 5l 5f",
    "rebalance/sales": "5h sales",
    "rebalance/watch": "watch 5k",
    "refills": "1e 8c books",
    "reputation": "5a",
    "shadow": "4n",
    "shadow_options": "0a",
    "snapshot": "0b",
    "suggest": "suggest",
    "takeover": "9e",
    "tally": "tally 1c 1f",
    "treasury": "treasury",
    "units": "numbers 1a",
    "uptime": "1d",
    "value": "books 3",
}
ON_IMPORT = {
    "config": ("_option", "_switch", "_whole", "_share", "_word", "_text", "_declared"),
    "levers": ("_by",),
}
"""Functions of a module that are through with their work when a mutant is switched on."""
SAID = {"fees": "reasons", "rebalance": "reasons"}
"""An example of each reason: a hundred decisions in a second."""


def suite_of(module: str) -> list[str]:
    """
    Return the files of tests that are about *module*; those of a whole decision for any other.
    """
    laws = {
        match[1]: path.name
        for path in (TESTS / "property").glob("test_*.py")
        if (match := re.match(r"test_(\w+?)_", path.name))
    }
    about, said = SUITES.get(module, "4i 5g"), SAID.get(module.partition("/")[0], "")
    return [
        f"tests/property/{laws[name]}" if name in laws else f"tests/unit/core/test_{name}.py"
        for name in f"{about} {said}".split()
    ]
