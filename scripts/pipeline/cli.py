"""What the commands have in common: options, progress, exit codes, an end without a traceback."""

import argparse
import contextlib
import gc
import io
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from pipeline.issue import CannotRun

Say = Callable[[str], None]
# The package that a script is about unless another one is named.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_SET_UP = {
    "validate.py": "make, or with python -m pip install -r requirements.txt; "
    "--quick does without it",
    "papers.py": "make .venv/release, or with python -m pip install -r requirements-release.txt",
    "release.py": "make release, or with python -m pip install -r requirements-release.txt",
}


def parser(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """What reads the options of a script; each is still to be added."""
    return argparse.ArgumentParser(
        prog=name,
        description=description,
        epilog=epilog,
        # Without a width, each option would ask for that of the terminal.
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=88),
    )


def count(text: str) -> int:
    """A number from 0 that was given on the command line."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return int(text)


def main(parse: argparse.ArgumentParser, work: Callable[[argparse.Namespace], int]) -> NoReturn:
    """Run a command and end the process with its exit code: the last line of each command."""
    # A short run that makes few cycles and many lists: collecting garbage only costs time, and so
    # does giving back every object one by one. All is written and closed by then.
    gc.disable()
    options = parse.parse_args()
    code = run(parse.prog, lambda: work(options))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(name: str, work: Callable[[], int]) -> int:
    """Do the work of a command; its exit code, or 2 with a message on what kept it from running."""
    _prepare()
    # Whatever the terminal or the pipe can take, a message never fails for its letters.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = work()
        sys.stdout.flush()
        return code
    except CannotRun as error:
        return _cannot(name, str(error))
    except ModuleNotFoundError as error:
        advice = _SET_UP.get(name, "make")
        return _cannot(name, f"{error.name} is not installed; set up with {advice}")
    except BrokenPipeError:
        # The reader has left. Nothing may be written at exit either, or Python complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except OSError as error:
        return _cannot(name, f"{error.filename or 'a file'}: {error.strerror or error}")
    except Exception as error:
        # A fault of this program must not look like one of the package.
        return _cannot(name, f"internal fault, please report it: {type(error).__name__}: {error}")
    except KeyboardInterrupt:
        return _cannot(name, "interrupted")


def _prepare() -> None:
    """Make nothing of streams that are closed, and an interruption of what would kill at once."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for name in ("SIGHUP", "SIGTERM"):  # else temporary files would stay
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _cannot(name: str, why: str) -> int:
    print(f"{name}: {why}", file=sys.stderr, flush=True)
    return 2


class Progress(contextlib.AbstractContextManager):
    """Says on a terminal what is being done once it takes longer than two seconds."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.shown = False

    def say(self, what: str) -> None:
        """Say what is being done from now on."""
        if sys.stderr.isatty() and time.monotonic() - self.start > 2:
            self.shown = True
            print(f"\r\033[K{what} ...", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        """Leave nothing on the screen."""
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
