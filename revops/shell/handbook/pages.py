"""Pages: each is made of declarations, so that none can say what the code does not."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from revops.core.config import OPTIONS, option_named
from revops.core.levers import REMEDIES
from revops.core.option import Option
from revops.core.presets import PRESETS, Choice
from revops.core.reasons import SENTENCES, Code
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import Action, Argument, Command
from revops.shell.handbook import prose
from revops.shell.handbook.markdown import MADE, table, text
from revops.shell.handbook.meanings import STAGES
from revops.shell.handbook.metrics import metrics_page
from revops.shell.options import PREFIX

_WIDTH: Final = 96

_SECTIONS: Final = {
    "db-path": ("The plugin", "Where it keeps its books, and how far it may go by itself."),
    "flow-interval": ("Rhythm", "When it works, and what it looks back on."),
    "min-fee-ppm": ("Fees", "What a fee may be at all."),
    "htlc-congestion-threshold": ("The alpha sequence", "What moves a fee within its bounds."),
    "max-fee-updates-per-day": ("Gossip", "What is announced, and how often."),
    "rebalancer": ("Rebalancing", "Which channels are refilled, and how."),
    "daily-budget-sats": ("Budget", "What rebalancing may cost."),
    "enable-reputation": ("Judgement", "What is expected of a peer."),
    "clboss-enabled": ("Neighbours", "Other plugins on the same node."),
    "rpc-timeout-seconds": ("Robustness", "What a node that does not answer may cost."),
    "reservation-timeout-hours": ("Rebalance jobs", "What is done about those that go wrong."),
    "prometheus": ("Metrics", "What a monitor may read."),
    "history-days": ("History", "What the books keep."),
}
"""Title and introduction of each section, by the option that it begins with."""

_START: Final = (
    (
        "dry-run",
        "true",
        (
            "It decides and writes down, and sets nothing. When revenue-fee-debug and"
            " revenue-explain have shown you for some days what it would do:"
            f" lightning-cli setconfig {PREFIX}dry-run false"
        ),
    ),
    ("authority", "fees", "It may set fees by itself, and nothing else."),
    ("min-fee-ppm", "25", "Nobody routes through you for less, but where a policy says so."),
    ("max-fee-ppm", "2500", "Nor for more; few come above this."),
)
"""Options of a production start: name, value, and why."""


def pages() -> dict[str, str]:
    """
    Return every page by its path in the repository.
    """
    return {
        "config/cl-revenue-ops.conf.full": full_config(),
        "config/cl-revenue-ops.conf.minimal": minimal_config(),
        "docs/options.md": options_page(),
        "docs/commands.md": commands_page(),
        "docs/reasons.md": reasons_page(),
        "docs/metrics.md": metrics_page(),
    }


# Options -------------------------------------------------------------------------------------


def sections() -> dict[str, list[Option]]:
    """
    Return the options by the name of the one that begins their section, in documented order.
    """
    found: dict[str, list[Option]] = {}
    options: list[Option] = []
    for option in OPTIONS.values():
        if option.name in _SECTIONS:
            options = found[option.name] = []
        options.append(option)
    return found


def full_config() -> str:
    """
    Return a config file that holds every option at its default, commented out.
    """
    lines = [
        "# cl-revenue-ops: every option with its default, for lightningd's config file.",
        f"# {MADE}",
        "# Take the two characters before an option away to set it. A file is read at start;",
        f"# while lightningd runs, use: lightning-cli setconfig {PREFIX}OPTION VALUE",
    ]
    for first, options in sections().items():
        title, introduction = _SECTIONS[first]
        lines += ["", "", *_comment(f"== {title} == {introduction}")]
        for option in options:
            lines += ["", *_comment(f"{_does(option)} Takes {_takes(option)}.")]
            lines.append(f"# {_line(option, option.format(option.default))}")
    return text(lines)


def minimal_config() -> str:
    """
    Return a config file that a production node may start with.
    """
    lines = [
        "# cl-revenue-ops: a start on a node that earns money, for lightningd's config file.",
        f"# {MADE}",
        "# All that is not here has a default: see cl-revenue-ops.conf.full.",
        "",
        "# Where you put it. With reckless, this line is not needed.",
        "# plugin=/home/you/cl-revenue-ops/cl-revenue-ops.py",
    ]
    for name, value, why in _START:
        lines += ["", *_comment(why), _line(option_named(name), value)]
    return text(lines)


def options_page() -> str:
    """
    Return docs/options.md.
    """
    lines = [
        "# Options",
        "",
        MADE,
        "",
        prose.OPTIONS.rstrip(),
    ]
    for first, options in sections().items():
        title, introduction = _SECTIONS[first]
        lines += ["", f"## {title}", "", introduction, ""]
        lines += table(
            ("option", "default", "takes", "what it does"),
            ((f"`{o.name}`", f"`{o.format(o.default)}`", _takes(o), _does(o)) for o in options),
        )
    return text([*lines, "", *_presets()])


def _presets() -> Iterator[str]:
    yield from ("## Presets", "")
    yield from (f"- `{preset.name}`: {preset.help}" for preset in PRESETS.values())
    yield from ("", prose.PRESETS)
    choices = (preset.choices for preset in PRESETS.values())
    rows = (
        (f"`{row[0].option}`", *(f"`{_written(c)}`: {c.why}" for c in row))
        for row in zip(*choices, strict=True)
    )
    yield from table(("option", *PRESETS), rows)


def _written(choice: Choice) -> str:
    return option_named(choice.option).format(choice.value)


def _takes(option: Option) -> str:
    return option.expectation() + (f" ({option.unit})" if option.unit else "")


def _does(option: Option) -> str:
    return option.help + ("" if option.dynamic else " It is read at start only.")


def _line(option: Option, value: str) -> str:
    return f"{PREFIX}{option.name}={value}"


def _comment(sentence: str) -> list[str]:
    return textwrap.wrap(
        sentence, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


# Commands ------------------------------------------------------------------------------------


def commands_page() -> str:
    """
    Return docs/commands.md.
    """
    lines = ["# Commands", "", MADE, "", prose.COMMANDS]
    lines += table(
        ("command", "what it does"),
        ((f"[`{c.name}`](#{c.name})", c.help.partition(". ")[0].rstrip(".")) for c in COMMANDS),
    )
    for command in COMMANDS:
        lines += ["", f"## {command.name}", "", *_described(command)]
    return text(lines)


def _described(command: Command) -> Iterator[str]:
    yield command.help
    if not command.actions:
        yield from ("", f"Usage: `{_usage(command.name, command.arguments)}`")
        yield from _argument_table(command.arguments)
    for action in command.actions:
        words = f"{command.name} {action.name}"
        yield from ("", f"### {words}", "", action.help + _unnamed(command, action))
        yield from ("", f"Usage: `{_usage(words, action.arguments)}`")
        yield from _argument_table(action.arguments)
    if command.examples:
        yield from ("", "```sh", *(f"lightning-cli {e}" for e in command.examples), "```")
    if answer := prose.ANSWERS.get(command.name):
        yield from ("", f"```console\n{answer}```")


def _unnamed(command: Command, action: Action) -> str:
    default = action.name == command.default_action
    return f" The same as `{command.name}` alone." if default else ""


def _usage(words: str, arguments: tuple[Argument, ...]) -> str:
    return " ".join([words, *(a.name if a.needed else f"[{a.name}]" for a in arguments)])


def _argument_table(arguments: tuple[Argument, ...]) -> list[str]:
    if not arguments:
        return []
    rows = ((_names(argument), argument.help) for argument in arguments)
    return ["", *table(("argument", "meaning"), rows)]


def _names(argument: Argument) -> str:
    return ", ".join(f"`{name}`" for name in (argument.name, *argument.aliases))


# Reasons -------------------------------------------------------------------------------------


def reasons_page() -> str:
    """
    Return docs/reasons.md.
    """
    lines = ["# Reasons", "", MADE, "", prose.REASONS.rstrip()]
    for stage, meanings in STAGES.items():
        lines += ["", f"## {stage}"]
        for code, meaning in meanings.items():
            lines += ["", f"### {code.value}", "", f"> {_spoken(code)}", "", meaning]
            lines += ["", _levers(code)]
    return text(lines)


def _spoken(code: Code) -> str:
    return re.sub(r"{(\w+)[^}]*}", r"[\1]", SENTENCES[code])


def _levers(code: Code) -> str:
    remedy = REMEDIES[code]
    levers = ", ".join(f"`{lever}`" for lever in remedy.levers)
    if not remedy.waits_for:
        return f"What changes it: {levers}."
    return f"What it waits for: {remedy.waits_for}. Nearest to that, you can set: {levers}."
