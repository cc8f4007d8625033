"""revenue-wake-all: searches that rest for want of payments go on."""

from typing import TYPE_CHECKING

from revops.shell.commands.command import Answer, Command, Given

if TYPE_CHECKING:
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-wake-all`.
    """
    del given
    memory = app.cycle.memory
    resting = [
        channel
        for channel in memory.channels
        if channel.last_seen_at == memory.at and channel.fee.search and channel.fee.search.resting
    ]
    app.cycle.wake.set()
    app.worker.hurry("fees")
    wait = max(0, app.worker.state("fees").next_run - app.clock.now())
    return {
        "status": "success",
        "channels_woken": len(resting),
        "message": f"the search for their fees goes on with the next cycle, in {wait} s"
        if resting
        else "no channel rests",
    }


COMMAND = Command(
    name="revenue-wake-all",
    help="Wake the channels whose search for a fee rests at the floor, because nobody came.",
    run=run,
    examples=("revenue-wake-all",),
)
