"""revenue-capacity-report: which channels deserve more of the node's money, and which less."""

from typing import TYPE_CHECKING, Final

import attrs

from revops.core.advice import Advice, Step, outlook_of, told
from revops.core.capacity import DEAR_PERKW, capacity_report
from revops.core.ledger import Ledger
from revops.core.units import DAY, sats_down
from revops.core.value import HORIZON_DAYS
from revops.shell.commands import money
from revops.shell.commands.command import Answer, Command, Given
from revops.shell.commands.look import last_look

if TYPE_CHECKING:
    from revops.shell.app import App
    from revops.shell.cycle import Cycled

_LOOKED_DAYS: Final = 30
_PERKW: Final = 250
"""Of 1 sat/vB."""
_STEPS: Final = {
    Step.SPLICE_IN: "splice in {sats} sat",
    Step.LARGER_CHANNEL: "open a channel larger by {sats} sat in its place",
    Step.SPLICE_OUT: "splice out {sats} sat",
    Step.CLOSE: "close it, which frees {sats} sat",
}


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-capacity-report`.
    """
    limit = money.rows_wanted(given)
    last, now = last_look(app), app.clock.now()
    reading = app.readings.lately(now)
    looks = app.store.reports.looks(now // DAY - _LOOKED_DAYS)
    samples = last.snapshot.feerates
    perkw = samples[-1].perkw if samples else None
    report = capacity_report(
        _with_balances(reading.ledger, last),
        [
            outlook_of(channel, looks.get(channel.channel_id), last.config.flow_window_days)
            for channel in last.snapshot.channels
        ],
        last.config,
        perkw,
    )
    winners, losers = report.winners[:limit], report.losers[:limit]
    return {
        "timestamp": now,
        "mempool_recommendation": _mempool(perkw),
        "feerate_sat_vb": None if perkw is None else perkw / _PERKW,
        **money.window_of(reading),
        "winners_total": len(report.winners),
        "winners": [_row(advice) for advice in winners],
        "losers_total": len(report.losers),
        "losers": [_row(advice) for advice in losers],
        "recommendations": [_sentence(advice) for advice in (*winners, *losers)],
    }


def _with_balances(ledger: Ledger, last: "Cycled") -> Ledger:
    ours = {channel.channel_id: channel.to_us_msat for channel in last.snapshot.channels}
    accounts = [
        attrs.evolve(account, to_us_msat=ours.get(account.channel_id))
        for account in ledger.accounts
    ]
    return attrs.evolve(ledger, accounts=accounts)


def _mempool(perkw: int | None) -> str:
    # What the predecessor said; without a feerate nobody should go on-chain blindly.
    return "HOLD" if perkw is None or perkw > DEAR_PERKW else "PROCEED"


def _row(advice: Advice) -> Answer:
    assessment = advice.assessment
    account = assessment.account
    return {
        "channel_id": money.name_of(account),
        "peer_id": account.peer_id,
        "step": advice.step.value,
        **money.earned("capacity", account.capacity_msat),
        **money.earned("amount", advice.amount_msat),
        **money.earned(f"gain_in_{HORIZON_DAYS}_days", advice.gain_msat),
        **money.earned("chain_cost", advice.chain_msat),
        "wait": advice.wait,
        "profitability_class": assessment.profit_class.value,
        "roi_percentage": money.percent(assessment.life.roi),
        "marginal_roi_pct": money.percent(assessment.marginal_roi),
        "reasons": [told(note) for note in advice.notes],
    }


def _sentence(advice: Advice) -> str:
    sats = "an unknown number of"
    if advice.amount_msat is not None:
        sats = str(sats_down(advice.amount_msat))
    step = _STEPS[advice.step].format(sats=sats)
    reasons = "; ".join(told(note) for note in advice.notes)
    return f"{money.name_of(advice.assessment.account)}: {step}: {reasons}"


COMMAND = Command(
    name="revenue-capacity-report",
    help="Show which channels deserve more of the node's money and which less, how much, and what"
    " speaks for it. It is advice: nothing is opened or closed.",
    arguments=(money.LIMIT,),
    run=run,
    examples=("revenue-capacity-report",),
    # It weighs every channel anew.
    slow=True,
)
