"""The command line: commands, exit codes, and errors in words instead of tracebacks.

Exit codes: 0 done, 1 the run failed, 2 wrong use or config. The engine and the screen
are imported by the command that needs them, never when this module is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workstation import __version__
from workstation.kernel.errors import KernelError
from workstation.model.errors import (
    ConfigError,
    ExportError,
    JournalError,
    ScriptError,
    WorkstationError,
)
from workstation.signals import Interrupted, between_steps, orderly_end

if TYPE_CHECKING:
    from workstation.config import Config
    from workstation.engine.drivers import Until
    from workstation.engine.engine import Engine
    from workstation.engine.ledger_export import LedgerExport
    from workstation.engine.session import Session
    from workstation.engine.settings import RunSettings

__all__ = ["main"]

DONE, FAILED, WRONG_USE = 0, 1, 2

_UNTIL = "events=N, fills=N, time=10m, or an ISO time of the run's clock"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; nothing is raised to the caller."""
    try:
        arguments = _parser().parse_args(argv)
        command: Callable[[argparse.Namespace], int] = arguments.command
        with orderly_end():
            code = command(arguments)
        sys.stdout.flush()
        return code
    except SystemExit as request:  # argparse, after it has printed why
        return request.code if isinstance(request.code, int) else WRONG_USE
    except ConfigError as error:
        # Each line begins with its file already, as editors like it.
        print(error, file=sys.stderr)
        return WRONG_USE
    except ExportError as error:
        return _complain(str(error), WRONG_USE)
    except (WorkstationError, KernelError) as error:
        return _complain(str(error), FAILED)
    except Interrupted as interruption:
        return _complain(f"ended by {interruption} before it was done", FAILED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # the outermost edge: nobody above can show it
        return _unexpected(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="workstation",
        description="A trading workstation in the terminal. Without a command it opens "
        "on the shipped default: a simulated market and a paper account.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(
        command=_run,
        config=None,
        export=None,
        headless=False,
        json=False,
        overrides=[],
        paused=False,
        read_only=False,
        seed=None,
        speed=None,
        until=None,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    run = _command(commands, "run", _run, "run a config on the screen or without it")
    run.add_argument(
        "config", nargs="?", type=_path, metavar="CONFIG", help="or a recorded run"
    )
    run.add_argument("--headless", action="store_true", help="no screen, full speed")
    run.add_argument(
        "--read-only", action="store_true", help="a screen that only looks"
    )
    run.add_argument(
        "--speed", type=float, metavar="X", help="speed of play, × the run's own time"
    )
    run.add_argument(
        "--paused", action="store_true", help="open with the clock standing"
    )
    _add_until(run)
    _add_export(run, "with --headless: ")
    _add_json(run, "with --headless: one JSON object on stdout")
    _add_config_options(run)

    replay = _command(commands, "replay", _replay, "run a journal again and compare")
    replay.add_argument("journal", type=_path, metavar="JOURNAL")
    _add_export(replay)
    _add_json(replay)

    backtest = _command(commands, "backtest", _backtest, "run a config to its end")
    backtest.add_argument("config", type=_path, metavar="CONFIG")
    _add_until(backtest)
    _add_export(backtest)
    _add_json(backtest)
    _add_config_options(backtest)

    check = _command(commands, "check", _check, "say what is wrong with a config")
    check.add_argument(
        "config", nargs="?", type=_path, metavar="CONFIG", help="or a recorded run"
    )
    _add_config_options(check)

    init = _command(commands, "init", _init, "copy the shipped files to change them")
    init.add_argument("folder", type=_path, metavar="DIR")
    return parser


def _command(
    commands: Any,  # argparse keeps the type of its sub-parsers to itself
    name: str,
    function: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text.capitalize() + ".", allow_abbrev=False
    )
    parser.set_defaults(command=function)
    return parser


def _path(text: str) -> Path:
    # An empty one would be the working directory, which nobody meant.
    if not text.strip():
        raise argparse.ArgumentTypeError(
            f'found "{text}"; allowed: a name, or . for the working directory'
        )
    return Path(text)


def _add_until(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--until", metavar="WHAT", help=f"stop at {_UNTIL}")


def _add_export(parser: argparse.ArgumentParser, when: str = "") -> None:
    parser.add_argument(
        "--export",
        type=_path,
        metavar="DIR",
        help=f"{when}write the ledger there, as CSV and JSON",
    )


def _add_json(
    parser: argparse.ArgumentParser, text: str = "one JSON object on stdout"
) -> None:
    parser.add_argument("--json", action="store_true", help=text)


def _add_config_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, metavar="N", help="start of all randomness of the run"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="override one key, such as engine.speed=4; VALUE as in TOML",
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.headless:
        for option in ("read_only", "paused", "speed"):
            if getattr(arguments, option) not in (None, False):
                name = option.replace("_", "-")
                return _complain(
                    f"--{name} is for the screen; --headless has none and runs at "
                    "full speed",
                    WRONG_USE,
                )
        return _headless(arguments)
    for option in ("until", "json", "export"):
        if getattr(arguments, option) not in (None, False):
            return _complain(f"--{option} needs --headless", WRONG_USE)
    config = _load(arguments)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _complain(
            f"the screen needs a terminal; without one: --headless --until {_UNTIL}",
            WRONG_USE,
        )
    if (used := _used_journal(config.run)) is not None:
        return _complain(used, WRONG_USE)
    from workstation.config import save_setting
    from workstation.paths import user_settings_file
    from workstation.ui.app import run_app

    def remember(key: str, value: object) -> None:
        save_setting(user_settings_file(), key, value)

    _log_to_file()
    return run_app(config, read_only=arguments.read_only, save_setting=remember)


def _backtest(arguments: argparse.Namespace) -> int:
    return _headless(arguments)


def _headless(arguments: argparse.Namespace) -> int:
    config = _load(arguments)
    from workstation.engine.drivers import Until

    until = None
    if arguments.until is not None:
        try:
            until = Until.parse(arguments.until)
        except ValueError as error:
            return _complain(f"--until: {error}", WRONG_USE)
    elif _is_endless(config.run):
        return _complain(
            f"the feeds of {config.path.name} never end, so a run without a screen "
            f"needs --until: {_UNTIL}",
            WRONG_USE,
        )
    if (used := _used_journal(config.run)) is not None:
        return _complain(used, WRONG_USE)
    from workstation.engine.assembly import assemble_session
    from workstation.engine.report import report_dict
    from workstation.kernel import RealClock

    clock = RealClock()
    began = clock.now()
    export = _exporting(arguments)
    try:
        try:
            session = assemble_session(config.run)
        except ScriptError as error:
            # It was good when it was looked at; a script that fails later never comes
            # here: that is a fault of its strategy.
            return _complain(str(error), WRONG_USE)
        _print_notes(session)
        try:
            if export is not None:
                session.engine.core.sinks.append(export)
            ending = _drive(session.engine, until or Until())
            wall_s = round((clock.now() - began) / 1e9, 3)
            report = report_dict(session, wall_s=wall_s)
        finally:
            session.close()
        if export is not None:
            # Also of a run that failed or was ended: it is whole up to there.
            export.finish(session.executor.ledger)
    finally:
        if export is not None:
            export.close()
    failures = [ending] if ending else []
    if export is not None and export.failure is not None:
        failures.append(export.failure)
    failures += [
        f"feed {feed.name}: {feed.error}"
        for feed in session.engine.sources.feeds
        if feed.error
    ]
    if report.get("journal_failure"):
        failures.append(f"the journal is not whole: {report['journal_failure']}")
    if report.get("recording_failure"):
        failures.append(f"nothing more is recorded: {report['recording_failure']}")
    _print({**report, "failures": failures}, as_json=arguments.json)
    for feed in session.engine.sources.feeds:
        what, detail = getattr(feed.connector, "ending", ("", ""))
        if feed.ended and what == "cut":
            print(f"workstation: feed {feed.name}: {detail}", file=sys.stderr)
    return _complain("; ".join(failures), FAILED) if failures else DONE


def _drive(engine: Engine, until: Until) -> str:
    """Run until told; return which signal ended it between two steps, "" for none.

    Raises Interrupted in the middle of a step, which leaves nothing whole.
    """
    from workstation.engine.drivers import run_backtest

    is_whole = False
    try:
        with between_steps() as look:
            run_backtest(engine, _watched(until, look))
            is_whole = True
    except Interrupted as interruption:
        if not is_whole:
            raise
        return f"ended by {interruption} before it was done"
    return ""


def _replay(arguments: argparse.Namespace) -> int:
    journal: Path = arguments.journal
    if not journal.is_file():
        return _complain(f"{journal}: no such journal", WRONG_USE)
    from workstation.engine.replay import replay_journal

    export = _exporting(arguments)
    try:
        result = replay_journal(journal, sinks=() if export is None else (export,))
        if export is not None:
            export.finish(result.session.executor.ledger)
    except JournalError as error:
        return _complain(str(error), FAILED if _is_journal(journal) else WRONG_USE)
    finally:
        if export is not None:
            export.close()
    report = {
        "journal": str(journal),
        "inputs": result.inputs,
        "records": result.records,
        "state_hash": result.state_hash,
        "matches": result.matches,
        "first_difference": result.first_difference,
    }
    _print(report, as_json=arguments.json)
    if export is not None and export.failure is not None:
        return _complain(export.failure, FAILED)
    return DONE if result.matches else FAILED


def _exporting(arguments: argparse.Namespace) -> LedgerExport | None:
    if arguments.export is None:
        return None
    from workstation.engine.ledger_export import LedgerExport

    return LedgerExport(arguments.export)


def _check(arguments: argparse.Namespace) -> int:
    config = _load(arguments, theme=True)
    from workstation.config.document import shown_path

    run = config.run
    symbols = ", ".join(instrument.id for instrument in run.instruments)
    print(f"{shown_path(config.path)}: good")
    print(f"  {run.mode}, seed {run.seed}: {symbols}")
    for kind in ("feeds", "brokers", "strategies"):
        print(f"  {kind}: {', '.join(part.name for part in getattr(run, kind))}")
    for broker in run.brokers:
        for name, words in broker.assumptions.items():
            print(f"  {broker.name} {name}: {words}")
    print(f"  journal: {run.journal.path or 'none'}")
    if arguments.config is not None and arguments.config.is_dir():
        return _survey(arguments.config)
    return DONE


def _survey(folder: Path) -> int:
    """Say what is in a recording; damage is a failure."""
    from workstation.venues.recording.folder import Recording
    from workstation.venues.recording.survey import survey

    found = survey(Recording(folder))
    for line in found.lines:
        print(f"  {line}")
    for problem in found.problems:
        print(f"workstation: {folder.name}: {problem}", file=sys.stderr)
    return FAILED if found.problems else DONE


def _init(arguments: argparse.Namespace) -> int:
    from workstation.config.starter import make_starter

    folder: Path = arguments.folder
    files = make_starter(folder)
    print(f"{folder}: {len(files)} files of config, strategies and themes.")
    print(f"Change them, then: workstation run {folder / 'config' / 'default.toml'}")
    return DONE


def _load(arguments: argparse.Namespace, *, theme: bool = False) -> Config:
    """Read the config and look at its scripts; a screen does without a ``theme``."""
    from workstation.config import load_config
    from workstation.config.overrides import Override

    overrides: list[str | Override] = list(arguments.overrides)
    if arguments.speed is not None:
        key, speed = ("engine", "speed"), arguments.speed
        overrides.append(Override(f"{speed:g}", key, speed, option="--speed"))
    if arguments.paused:
        key = ("engine", "start_paused")
        overrides.append(Override("", key, True, option="--paused"))
    return load_config(
        arguments.config, overrides, seed=arguments.seed, scripts=True, theme=theme
    )


def _watched(until: Until, look: Callable[[], None]) -> Until:
    """Return the same goal, which a signal before a step reaches, too."""
    from workstation.engine.drivers import Until

    class Watched(Until, frozen=True):
        def reached(self, engine: Engine) -> bool:
            try:
                look()
            except Interrupted:
                return True  # it is raised again once the run has been left
            return super().reached(engine)

    return Watched(until.events, until.fills, until.span_ns, until.ts)


def _used_journal(run: RunSettings) -> str | None:
    """Say that the journal the config names holds a run already, if so."""
    from workstation.engine.journalled import SUFFIX

    path = Path(run.journal.path or "")
    if path.suffix == SUFFIX and path.is_file() and _is_journal(path):
        return f"journal {path}: holds a run already; name a new file or a folder"
    return None


def _is_journal(path: Path) -> bool:
    from workstation.engine.journal_reader import JournalReader

    try:
        JournalReader(path).close()
    except JournalError:
        return False
    return True


def _print_notes(session: Session) -> None:
    """Say on stderr what the run lacks of the one that was recorded."""
    for feed in session.engine.sources.feeds:
        if note := getattr(feed.connector, "note", ""):
            print(f"workstation: {note}", file=sys.stderr)


def _is_endless(run: RunSettings) -> bool:
    """Tell before anything is opened whether a feed makes up data without end."""
    return any(feed.duration is None for feed in run.feeds if hasattr(feed, "duration"))


def _print(report: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report, ensure_ascii=False, allow_nan=False))
        return
    width = max(map(len, report))
    for name, value in report.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, item in value.items():
                print(f"  {key}: {_flat(item)}")
        elif isinstance(value, list) and value:
            print(f"{name}:")
            for item in value:
                print(f"  {item}")
        else:
            print(f"{name:<{width}}  {_flat(value)}")


def _flat(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " × ".join(map(_flat, value))
    return str(value)


def _complain(message: str, code: int) -> int:
    print(f"workstation: {message}", file=sys.stderr)
    return code


def _unexpected(error: Exception) -> int:
    import traceback

    from workstation.paths import log_file

    kind = type(error).__name__
    where = str(log_file())
    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        with log_file().open("a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
    except OSError as refusal:
        where = f"nowhere ({refusal.strerror})"
    return _complain(f"failed with {kind}: {error}; details are in {where}", FAILED)


def _log_to_file() -> None:
    """Send the program's log to a file: the screen owns the terminal from here on."""
    import logging
    from logging.handlers import RotatingFileHandler

    from workstation.paths import log_file

    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(
            log_file(), maxBytes=5_000_000, backupCount=2, encoding="utf-8"
        )
    except OSError:
        handler = logging.NullHandler()
    layout = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    handler.setFormatter(logging.Formatter(layout))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


if __name__ == "__main__":
    sys.exit(main())
