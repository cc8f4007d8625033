"""`python -m revops.shell.handbook`: writes every page where it belongs in the checkout."""

from pathlib import Path

from revops.shell.handbook.pages import pages

_ROOT = Path(__file__).resolve().parents[3]

for name, text in pages().items():
    path = _ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
