"""`python -m revops.simulate`: what revops would do with a node, offline, and why."""

import typer
from typer.core import TyperGroup

from revops.simulate import arena_command, backtest_command, plan_command, sweep_command


class PathFirst(TyperGroup):
    """
    Commands of which `plan` need not be named: a first word that is no command is its PATH.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own Context is a subclass
        """
        Put the default command's name before *args* that begin with no command.
        """
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else ["plan", *args])


app = typer.Typer(cls=PathFirst, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """
    What revops would do with a node, offline, and why.
    """


app.command("plan")(plan_command.plan)
app.command("backtest")(backtest_command.backtest_a_past)
app.command("arena", cls=arena_command.Words)(arena_command.arena)
app.command("sweep")(sweep_command.sweep)

if __name__ == "__main__":
    app(prog_name="python -m revops.simulate")
