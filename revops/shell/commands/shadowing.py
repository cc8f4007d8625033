"""Shadowing: what commands tell of the config that decides beside the live one."""

from typing import TYPE_CHECKING, Final

from revops.core.plan import Area
from revops.core.shadow_options import spelled
from revops.core.units import ChannelId
from revops.shell.commands.command import Answer
from revops.shell.commands.reasoning import said, step

if TYPE_CHECKING:
    from revops.adapters.store import Run
    from revops.shell.app import App

_AREAS: Final[tuple[Area, ...]] = ("fee", "rebalance")


def config_of(app: "App") -> str:
    """
    Return the shadow-config of this moment, as a run has it; empty for none.
    """
    return spelled(app.settings.config.shadow_config)


def run_of(app: "App") -> "Run | None":
    """
    Return the run of the shadow-config of this moment; `None` while there is none.
    """
    run = app.store.shadow.run()
    return run if run and run.config == config_of(app) else None


def explained(app: "App", channel_id: ChannelId) -> Answer:
    """
    Return what the shadow decided about a channel, step by step; null for an area in which it
    decided as the live config did.
    """
    return {f"shadow_{area}": _explained(app, area, channel_id) for area in _AREAS}


def _explained(app: "App", area: Area, channel_id: ChannelId) -> Answer | None:
    for row in app.store.shadow.differences(area, channel_id):
        decision = row.difference.decision
        steps = [step(reason) for reason in decision.trail]
        return {"decided_at": row.at, **said(decision), "steps": steps}
    return None


def status(app: "App") -> Answer | None:
    """
    Return how the shadow is doing; null when there is none.
    """
    shadow = app.cycle.shadow
    config = config_of(app)
    if not config:
        return None
    standing, prices, refills = (
        shadow.standing,
        shadow.last.get("fee"),
        shadow.last.get("rebalance"),
    )
    return {
        "config": config,
        "since": standing.run.began_at if standing and standing.run.config == config else None,
        "last_cycle_at": prices.at if prices else None,
        "channels": prices.channels if prices else None,
        "prices_that_differ": len(prices.differences) if prices else None,
        "refills_that_differ": len(refills.differences) if refills else None,
        "troubles": troubles(app),
    }


def in_a_line(app: "App") -> str:
    """
    Return in a few words that there is a shadow; empty when there is none.
    """
    config = config_of(app)
    if not config:
        return ""
    last = app.cycle.shadow.last.get("fee")
    differ = f"{len(last.differences)} of {last.channels} prices differ" if last else "no cycle yet"
    return f"; beside it {config} decides and does nothing: {differ}"


def troubles(app: "App") -> list[str]:
    """
    Return why the shadow did not decide, a sentence for each kind of cycle.
    """
    found = app.cycle.shadow.troubles
    return [f"shadow-config: {area}: {trouble}" for area, trouble in sorted(found.items())]
