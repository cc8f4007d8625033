"""Programs that a test machine has not, or may not run: each does its part and refuses the rest."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

HOME = Path.home()
LIGHTNING = HOME / ".lightning"
RELATIVE_RPC = ".lightning/bitcoin/lightning-rpc"
NAME = "cl-revenue-ops"
QUICK = {"demo", "docs"}
"""Targets that are made; of any other, make only tells the commands."""


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


def run(*command: str | Path, **options: Any) -> None:
    subprocess.run(command, check=True, **options)


# lightningd ----------------------------------------------------------------------------------


def lightning_cli(*args: str) -> None:
    """
    Ask lightningd, with arguments by place or, with `-k`, by name, and print what it answers.
    """
    method, *rest = (word for word in args if word != "-k")
    if method.startswith("-"):
        sys.exit(f"lightning-cli: {method} is no option that documents need")
    if "-k" in args:
        pairs = (word.partition("=") for word in rest)
        params: Any = {name: literal(value) for name, _, value in pairs}
    else:
        params = [literal(word) for word in rest]
    reply = rpc(method, params)
    say(json.dumps(reply.get("error") or reply["result"], indent=3, ensure_ascii=False))
    raise SystemExit("error" in reply)


def literal(word: str) -> Any:
    """
    Return *word* as lightning-cli sends it: JSON where it is some, and else a string.
    """
    if word in {"true", "false", "null"} or word[:1] in set('-0123456789{["'):
        try:
            return json.loads(word)
        except ValueError:
            pass
    return word


def rpc(method: str, params: Any) -> dict[str, Any]:
    os.chdir(HOME)  # The path of a socket is limited.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(RELATIVE_RPC)
        question = {"jsonrpc": "2.0", "id": "cli", "method": method, "params": params}
        connection.sendall(json.dumps(question).encode())
        text = b""
        while chunk := connection.recv(65536):
            text += chunk
            if text.endswith(b"\n\n"):
                return json.loads(text)
    sys.exit("lightning-cli: Connecting to 'lightning-rpc': Connection refused")


def lightningd(*args: str) -> None:
    """
    Start the node that `lightning-cli stop` has ended.
    """
    if args != ("--daemon",):
        sys.exit("lightningd: only --daemon is known here")
    reply = rpc("start the daemon", {})
    if "error" in reply:
        sys.exit(f"lightningd: {reply['error']['message']}")


# What installs -------------------------------------------------------------------------------


def reckless(*args: str) -> None:
    """
    Install or uninstall as reckless does: a copy, an environment, a wrapper, a trial, a start.
    """
    match args:
        case ("install", source):
            install(HOME / NAME if source == NAME else Path(source))
        case ("uninstall", word) if word == NAME:
            uninstall()
        case ("update", word) if word == NAME:
            uninstall()
            install(HOME / NAME)
        case _:
            sys.exit(f"reckless: {' '.join(args)} is not understood")


def install(source: Path) -> None:
    if source.name != NAME or not (source / f"{NAME}.py").exists():
        sys.exit(f"reckless: {source}: plugin not found")
    place = LIGHTNING / "reckless" / NAME
    copy, wrapper = place / "source" / NAME, place / f"{NAME}.py"
    ignored = shutil.ignore_patterns(".venv", "__pycache__")
    shutil.copytree(source, copy, ignore=ignored)
    python = place / ".venv" / "bin" / "python"
    run("python3", "-m", "venv", place / ".venv")
    run(python, "-m", "pip", "install", "--quiet", "-r", copy / "requirements.txt")
    wrapper.write_text(
        f"#!{python}\nimport sys\nimport runpy\n\nsys.path.append({str(copy)!r})\n"
        f"if {str(place)!r} in sys.path:\n    sys.path.remove({str(place)!r})\n"
        f'runpy.run_module("{NAME}", {{}}, "__main__")'
    )
    wrapper.chmod(0o755)
    run(wrapper, cwd=copy, stdout=subprocess.DEVNULL, timeout=20)
    run("lightning-cli", "plugin", "start", wrapper, stdout=subprocess.DEVNULL)
    own = LIGHTNING / "reckless" / "bitcoin-reckless.conf"
    own.write_text(f"plugin={wrapper}\n")
    config = LIGHTNING / "bitcoin" / "config"
    if f"include {own}" not in config.read_text():
        with config.open("a") as file:
            file.write(f"include {own}\n")


def uninstall() -> None:
    place = LIGHTNING / "reckless" / NAME
    # It goes on when the plugin is stopped already.
    subprocess.run(("lightning-cli", "plugin", "stop", place / f"{NAME}.py"), check=False)
    (LIGHTNING / "reckless" / "bitcoin-reckless.conf").write_text("")
    shutil.rmtree(place)


def python3(*args: str) -> None:
    """
    Be Python; an environment that it makes sees the libraries of this one, in place of a registry.
    """
    if args[:2] != ("-m", "venv"):
        os.execv(sys.executable, [sys.executable, *args])  # noqa: S606 -- it is this one
    (place,) = args[2:]
    if Path(place).exists():
        sys.exit(f"venv: {place} is there already")
    run(sys.executable, "-m", "venv", "--without-pip", place)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    here, there = (Path(p) / "lib" / version / "site-packages" for p in (sys.prefix, place))
    (there / "libraries.pth").write_text(f"{here}\n")


def git(*args: str) -> None:
    """
    Pull into a checkout, which is up to date.
    """
    if args[:1] != ("-C",) or args[2:] != ("pull",) or not Path(args[1], "Makefile").exists():
        sys.exit(f"git: {' '.join(args)} is not understood")
    say("Already up to date.")


def make(*args: str) -> None:
    """
    Make the target in the environment that is there; of one that takes long, tell the commands.
    """
    target, *given = args
    if not Path(".venv").exists():
        Path(".venv").symlink_to(sys.prefix)
    stamps = ("-o", ".venv/.installed-dev", "-o", ".venv/.installed-simulate")
    dry = () if target in QUICK else ("--dry-run",)
    few = "FUTURES=--days 1 --runs 1 --jobs 1"
    os.execv(os.environ["MAKE_PROGRAM"], ["make", *stamps, *dry, few, *given, target])  # noqa: S606 -- the real one


def sqlite3_(*args: str) -> None:
    """
    Copy a database with `.backup`, or check one.
    """
    match args:
        case (path, "PRAGMA integrity_check"):
            (answer,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
            say(answer)
        case (path, command) if command.startswith(".backup "):
            with sqlite3.connect(command.removeprefix(".backup ").strip("'")) as copy:
                sqlite3.connect(path).backup(copy)
        case _:
            sys.exit(f"sqlite3: {' '.join(args)} is not understood")


PROGRAMS = {
    "lightning-cli": lightning_cli,
    "lightningd": lightningd,
    "reckless": reckless,
    "python3": python3,
    "git": git,
    "make": make,
    "sqlite3": sqlite3_,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
