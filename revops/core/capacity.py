"""Capacity: which channels deserve more of the node's money, and which less."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from revops.core.advice import Advice, CapacityReport, Note, Outlook, Remark, Step, remarked
from revops.core.config import Config
from revops.core.fees.floors import CLOSING_VB, OPENING_VB
from revops.core.ledger import Account, Ledger
from revops.core.pnl import covered, open_seconds, return_on
from revops.core.profit import BAD_ROI, Assessment, ProfitClass, Role, assessed
from revops.core.units import DAY, ChannelId, Msat, from_sats, sats_down, sats_up
from revops.core.value import HORIZON_DAYS, Demand, change_msat, stock_msat

WINNER_ROI: Final = 0.20
OFTEN: Final = 0.2
"""Share of the time short of liquidity from which a channel depletes often."""
OLD_DAYS: Final = 90
_PERKW: Final = 250
"""Of 1 sat/vB."""
DEAR_PERKW: Final = 100 * _PERKW
"""Above it, everything that needs the chain waits."""
# Beside the inputs and outputs of a closing there is one input of the wallet.
SPLICE_VB: Final = 250
# A larger channel ends where its last sat sells with even odds, a smaller one keeps all but idle
# sats; below a tenth of the capacity neither is worth a transaction.
_EVEN: Final = 0.5
_HARDLY: Final = 0.05
_WORTH: Final = 10
_YEAR_HORIZONS: Final = 365 // HORIZON_DAYS


class _Node(NamedTuple):
    """
    What all channels are judged by.
    """

    ledger: Ledger
    config: Config
    perkw: int | None
    busy_turnover: float


def capacity_report(
    ledger: Ledger, outlooks: Iterable[Outlook], config: Config, perkw: int | None
) -> CapacityReport:
    """
    Return who of the open channels in *ledger* wins and who loses, at a feerate of *perkw*.
    """
    assessments = [assessed(a, ledger) for a in ledger.accounts if a.closed_at is None]
    turnovers = sorted(_turnover(a.account, ledger) for a in assessments)
    busy = turnovers[len(turnovers) * 3 // 4] if turnovers else 0.0
    node = _Node(ledger, config, perkw, busy)
    known = {outlook.channel_id: outlook for outlook in outlooks}
    winners, losers = [], []
    for assessment in assessments:
        outlook = known.get(assessment.account.channel_id)
        if _loses(assessment, ledger):
            losers.append(_loser(assessment, outlook, node))
        elif outlook and (winner := _winner(assessment, outlook, node)):
            winners.append(winner)
    return CapacityReport(
        winners=tuple(sorted(winners, key=_most_gain)), losers=tuple(sorted(losers, key=_most_loss))
    )


def _most_gain(advice: Advice) -> tuple[int, ChannelId]:
    return (-advice.gain_msat, advice.assessment.account.channel_id)


def _most_loss(advice: Advice) -> tuple[int, ChannelId]:
    return (advice.assessment.life.net_msat, advice.assessment.account.channel_id)


def _winner(assessment: Assessment, outlook: Outlook, node: _Node) -> Advice | None:
    """
    Return the advice to enlarge a channel, if it deserves it and a year of the expected gain pays
    for the transaction.
    """
    account = assessment.account
    if outlook.demand is None or not (deserved := _deserved(assessment, outlook, node)):
        return None
    amount = _addition(account, outlook.demand)
    after = Msat(account.capacity_msat + amount)
    gain = change_msat(outlook.demand, outlook.fee_ppm, account.capacity_msat, after)
    chain = _chain_msat(SPLICE_VB if outlook.splices else OPENING_VB, node)
    if gain * _YEAR_HORIZONS <= (chain or 0):
        return None
    sells = remarked(
        Remark.WOULD_SELL,
        sats=sats_down(amount),
        gain_sats=sats_down(gain),
        days=HORIZON_DAYS,
        ppm=outlook.fee_ppm,
    )
    return Advice(
        assessment=assessment,
        step=Step.SPLICE_IN if outlook.splices else Step.LARGER_CHANNEL,
        amount_msat=amount,
        gain_msat=gain,
        chain_msat=chain,
        wait=_waits(node),
        notes=(*deserved, sells, *_chain_notes(chain, node)),
    )


def _deserved(assessment: Assessment, outlook: Outlook, node: _Node) -> tuple[Note, ...]:
    """
    Return why a channel deserves more: refilling it pays, it is busy, it often runs dry. Nothing
    when one of them fails, or is unknown.
    """
    window, roi, short = assessment.account.window, assessment.marginal_roi, outlook.short_share
    turnover = _turnover(assessment.account, node.ledger)
    a_day = sats_down(Msat(int(window.out_msat / _days(assessment.account, node.ledger))))
    if assessment.profit_class is ProfitClass.LEARNING or roi is None or roi <= WINNER_ROI:
        return ()
    if turnover < node.busy_turnover or a_day < node.config.target_flow:
        return ()
    if short is None or short < OFTEN:
        return ()
    return (
        remarked(Remark.REFILLS_PAY, roi=roi, needed=WINNER_ROI),
        remarked(Remark.BUSY, sats=a_day, target=node.config.target_flow, turnover=turnover),
        remarked(Remark.RUNS_DRY, share=short),
    )


def _addition(account: Account, demand: Demand) -> Msat:
    """
    Return how much larger a channel should be, in whole satoshi: until the last sat sells with
    even odds, and at most twice as large.
    """
    wanted = stock_msat(demand, _EVEN) - account.capacity_msat
    return from_sats(sats_down(Msat(min(max(wanted, 0), account.capacity_msat))))


def _loses(assessment: Assessment, ledger: Ledger) -> bool:
    """
    Say whether a channel is old, a known loss, and pays neither as an exit nor as an entry.

    A stagnant channel that lost money is under water, too.
    """
    opened_at, life = assessment.account.opened_at, assessment.life
    if opened_at is None or ledger.now - opened_at <= OLD_DAYS * DAY:
        return False
    if life.roi >= BAD_ROI or not assessment.whole_life:
        return False
    paid_off = return_on(life.value_msat, life.costs.known_msat) >= BAD_ROI
    # What opening and splicing it cost is gone either way: of late only refills count.
    window, used = assessment.window, assessment.role is not Role.DORMANT
    pays = used and window.value_msat > window.refill_cost.known_msat
    return not (paid_off or pays)


def _loser(assessment: Assessment, outlook: Outlook | None, node: _Node) -> Advice:
    """
    Return the advice to close a channel, or to shrink one that is still of some use.
    """
    account, life = assessment.account, assessment.life
    idle = _idle(account, outlook)
    shrinks = bool(idle and assessment.window.value_msat and outlook and outlook.splices)
    chain = _chain_msat(CLOSING_VB, node)
    notes = [
        remarked(
            Remark.LOSES,
            profit_class=assessment.profit_class.value,
            earned_sats=sats_down(life.earned_msat),
            cost_sats=sats_up(life.costs.known_msat),
        ),
        remarked(Remark.NO_ENTRY, sourced_sats=sats_down(life.sourced_msat)),
    ]
    if shrinks:
        notes.append(remarked(Remark.IDLE, sats=sats_down(idle), days=HORIZON_DAYS))
    return Advice(
        assessment=assessment,
        step=Step.SPLICE_OUT if shrinks else Step.CLOSE,
        amount_msat=idle if shrinks else account.to_us_msat,
        chain_msat=chain,
        wait=_waits(node),
        notes=(*notes, *_chain_notes(chain, node)),
    )


def _idle(account: Account, outlook: Outlook | None) -> Msat:
    """
    Return what of our side hardly anybody would buy; nothing when that is unknown or not worth it.
    """
    if outlook is None or outlook.demand is None or account.to_us_msat is None:
        return Msat(0)
    idle = account.to_us_msat - stock_msat(outlook.demand, _HARDLY)
    return from_sats(sats_down(Msat(idle))) if idle * _WORTH >= account.capacity_msat else Msat(0)


def _days(account: Account, ledger: Ledger) -> float:
    return max(open_seconds(account, *covered(ledger)) / DAY, 1.0)


def _turnover(account: Account, ledger: Ledger) -> float:
    moved = account.window.in_msat + account.window.out_msat
    return moved / account.capacity_msat / _days(account, ledger)


def _chain_msat(vbytes: int, node: _Node) -> Msat | None:
    return None if node.perkw is None else Msat(vbytes * 4 * node.perkw)


def _waits(node: _Node) -> bool:
    return node.perkw is None or node.perkw > DEAR_PERKW


def _chain_notes(chain: Msat | None, node: _Node) -> tuple[Note, ...]:
    if node.perkw is None or chain is None:
        return (remarked(Remark.CHAIN_UNKNOWN),)
    cost = remarked(Remark.CHAIN_COST, sats=sats_up(chain), sat_vb=node.perkw / _PERKW)
    dear = remarked(Remark.CHAIN_DEAR, sat_vb=node.perkw / _PERKW, limit=DEAR_PERKW / _PERKW)
    return (cost, dear) if _waits(node) else (cost,)
