"""
The decision core: pure functions of a Snapshot and a Config. It reads no clock, draws no dice and
touches nothing; it needs attrs alone.

```python
from revops.core import Config, Snapshot, decide

plan = decide(snapshot, Config(min_fee_ppm=25))
for decision in plan.decisions:
    print(decision.scid, decision.action, [sentence(reason) for reason in decision.trail])
```
"""

from revops.core import actions, reasons
from revops.core.actions import Action, Hold, SetFee
from revops.core.advice import Advice, CapacityReport, Outlook
from revops.core.capacity import capacity_report
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.ledger import Account, Activity, Cost, Ledger
from revops.core.option import ConfigError
from revops.core.plan import Decision, Plan
from revops.core.pnl import Period, Pnl, Total, period
from revops.core.profit import Assessment, FlowProfile, ProfitClass, Role, assessed
from revops.core.reasons import Code, Reason, sentence
from revops.core.reputation import Reputation
from revops.core.snapshot import Channel, FeerateSample, Hour, Node, Slice, Snapshot, Traffic
from revops.core.value import Demand

__all__ = [
    "Account",
    "Action",
    "Activity",
    "Advice",
    "Assessment",
    "CapacityReport",
    "Channel",
    "Code",
    "Config",
    "ConfigError",
    "Cost",
    "Decision",
    "Demand",
    "FeerateSample",
    "FlowProfile",
    "Hold",
    "Hour",
    "Ledger",
    "Node",
    "Outlook",
    "Period",
    "Plan",
    "Pnl",
    "ProfitClass",
    "Reason",
    "Reputation",
    "Role",
    "SetFee",
    "Slice",
    "Snapshot",
    "Total",
    "Traffic",
    "actions",
    "assessed",
    "capacity_report",
    "decide",
    "period",
    "reasons",
    "sentence",
]
