"""
The decision core: pure functions of a Snapshot and a Config. It reads no clock, draws no dice and
touches nothing; it needs attrs alone.

```python
from revops.core import Config, Snapshot, decide

plan = decide(snapshot, Config(min_fee_ppm=25))
for decision in plan.decisions:
    print(decision.scid, decision.action, [sentence(reason) for reason in decision.trail])
```

Which channels to refill is a question of its own, about the same snapshot:

```python
from revops.core.rebalance import rebalance

plan = rebalance(snapshot, Config(daily_budget_sats=1000))
```

What the books say of money has modules of its own, which a decision does not need: `ledger`, `pnl`,
`profit`, `value`, `capacity`, `advice` and `reputation`.
"""

from revops.core import actions, reasons
from revops.core.actions import Action, Hold, SetFee, StartRebalance, StopRebalance
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.option import ConfigError
from revops.core.plan import Decision, Plan, RebalancePlan
from revops.core.reasons import Code, Reason, sentence
from revops.core.snapshot import Channel, FeerateSample, Hour, Node, Slice, Snapshot, Traffic

__all__ = [
    "Action",
    "Channel",
    "Code",
    "Config",
    "ConfigError",
    "Decision",
    "FeerateSample",
    "Hold",
    "Hour",
    "Node",
    "Plan",
    "Reason",
    "RebalancePlan",
    "SetFee",
    "Slice",
    "Snapshot",
    "StartRebalance",
    "StopRebalance",
    "Traffic",
    "actions",
    "decide",
    "reasons",
    "sentence",
]
