"""Document: sections as one HTML file that asks nobody for anything."""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any, Final

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from revops.adapters.strangers import plain
from revops.simulate.report.blocks import Cards, Notes, Section

_ASSETS: Final = resources.files("revops.simulate.report") / "assets"
_SCRIPTS: Final = ("dom.js", "charts.js", "tables.js", "chooser.js", "page.js")
# Within a script element these could end it, or begin something else.
_UNSAFE: Final = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&"}


def document(title: str, facts: Sequence[str], sections: Sequence[Section]) -> str:
    """
    Return a page with *sections* under *title*; *facts* are what it is about, a few words each.

    Any text may come from outside: what in it hides or reorders words is made visible, and
    neither the page's markup nor its scripts are made of it.
    """
    scripts = (get_plotlyjs(), "".join(map(_asset, _SCRIPTS)))
    drawn = [
        block
        for section in sections
        for block in section.blocks
        if not isinstance(block, (Cards, Notes))
    ]
    return (
        _pages()
        .get_template("page.html")
        .render(
            title=title,
            facts=facts,
            sections=sections,
            kind=_kind,
            style=Markup(_asset("page.css")),  # noqa: S704 -- our own
            data=Markup(_json(drawn)),  # noqa: S704 -- no letter in it ends a script element
            scripts=[Markup(script) for script in scripts],  # noqa: S704 -- the library's, our own
            policy=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        )
    )


def _pages() -> Environment:
    return Environment(
        loader=PackageLoader("revops.simulate.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _kind(block: object) -> str:
    return type(block).__name__.lower()


def _json(blocks: Sequence[object]) -> str:
    found = [{"kind": _kind(block), **_fields(block)} for block in blocks]
    return json.dumps(
        found, default=_fields, allow_nan=False, separators=(",", ":"), check_circular=False
    ).translate(_UNSAFE)


def _fields(block: Any) -> dict[str, object]:  # noqa: ANN401 -- of any class of blocks
    """
    Return what *block* is made of, less what is as it mostly is.
    """
    known = ((field, getattr(block, field.name)) for field in attrs.fields(type(block)))
    return {field.name: _shown(value) for field, value in known if value != field.default}


def _shown(value: object) -> object:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return tuple(map(plain, value))
    return value
