"""What the commands have in common: options, progress, exit codes, an end without a traceback."""

import argparse
import contextlib
import io
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import IO, NoReturn

from pipeline import start
from pipeline.issue import CannotRun, show, visible

Say = Callable[[str], None]
# The package that a script is about unless another one is named.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Its messages are in English, as ours are: to look for others takes longer than to read options.
argparse._ = str  # type: ignore[attr-defined]
_LEAST_MEMORY = 512 << 20
_SET_UP = {
    "validate.py": "make, or with python -m pip install -r requirements.txt; "
    "--quick does without it",
    "papers.py": "make .venv/release",
    "release.py": "make release",
}


def parser(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """What reads the options of a script; each is still to be added."""
    return _Parser(
        prog=name,
        description=description,
        epilog=epilog,
        # Without a width, each option would ask for that of the terminal.
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=88),
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the options; they may have come from anywhere."""
        super().error(visible(message))

    def print_help(self, file: IO[str] | None = None) -> None:  # type: ignore[override]
        """Print what --help asks for; argparse would be silent where it cannot."""
        print(self.format_help(), end="", file=file)


def count(text: str) -> int:
    """A number from 0 that was given on the command line."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{show(text)} is not a number from 0")
    return int(text)


def main(parse: argparse.ArgumentParser, work: Callable[[argparse.Namespace], int]) -> NoReturn:
    """Run a command and end the process with its exit code: the last line of each command."""
    code = run(parse.prog, lambda: work(parse.parse_args()))
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    start.finish(code)


def run(name: str, work: Callable[[], int]) -> int:
    """Do the work of a command; its exit code, or 2 with a message on what kept it from running."""
    try:
        _prepare()
        code = _done(work)
        sys.stdout.flush()
        return code
    except CannotRun as error:
        why = str(error)
    except ModuleNotFoundError as error:
        why = f"{error.name} is not installed; set up with {_SET_UP.get(name, 'make')}"
    except ImportError as error:
        why = f"cannot load a library: {error}"
    except BrokenPipeError:
        return 2  # the reader has left
    except OSError as error:
        why = f"{error.filename or 'a file'}: {error.strerror or error}"
    except (MemoryError, SystemError):  # the latter where a library did not look at what it got
        why = "there is not enough memory"
    except Exception as error:
        # A fault of this program must not look like one of the package; that an interruption came
        # while a class was made is what Python calls a RuntimeError.
        why = f"internal fault, please report it: {type(error).__name__}: {error}"
        if signal.getsignal(signal.SIGINT) is _heeded:
            why = "interrupted"
    except KeyboardInterrupt:
        why = "interrupted"
    with contextlib.suppress(OSError):  # nobody may be able to listen
        print(f"{name}: {visible(why)}", file=sys.stderr, flush=True)
    return 2


def _done(work: Callable[[], int]) -> int:
    """The exit code of the work, also where the options end it: --help, or a wrong one."""
    try:
        return work()
    except SystemExit as end:
        if isinstance(end.code, str):
            raise CannotRun(end.code) from None
        return end.code or 0


def _prepare() -> None:
    """Make nothing of streams that are closed, and an interruption of what would kill at once."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if isinstance(stream.buffer, io.RawIOBase):
            # Without a buffer (PYTHONUNBUFFERED), half of a text can be lost without a word.
            stream = io.TextIOWrapper(io.BufferedWriter(stream.buffer), line_buffering=True)
            setattr(sys, name, stream)
        # Whatever the terminal or the pipe can take, a message never fails for its letters.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # What a library warns of may have any text of the package in it.
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for number in _signals():
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)
    try:
        os.getcwd()
    except OSError as error:
        raise CannotRun("the working folder is gone; change to one that is there") from error


def short_memory() -> str | None:
    """What limit of memory is so low that libraries would end the process, with 1; mostly none.

    That is the exit code of a fault of the package, and nothing could be said any more.
    """
    try:
        import resource
    except ImportError:
        return None  # Windows has no such limit
    given, _ = resource.getrlimit(resource.RLIMIT_AS)
    if not 0 <= given < _LEAST_MEMORY:
        return None
    least = f"this takes at least {_LEAST_MEMORY >> 20} MiB"
    return f"the memory is limited to {given >> 20} MiB, and {least}; see ulimit -v"


def _signals() -> list[signal.Signals]:
    """What asks a process to end: from the keyboard, by a terminal that closes, by a scheduler."""
    names = ("SIGINT", "SIGHUP", "SIGTERM")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """Begin to clean up, which no second signal interrupts."""
    for number in _signals():
        # Python prints a traceback for one that is ignored when it has come already.
        signal.signal(number, _heeded)
    raise KeyboardInterrupt


def _heeded(_number: int, _frame: object) -> None:
    """Go on: one signal has been heeded."""


class Progress(contextlib.AbstractContextManager["Progress"]):
    """Says on a terminal what is being done once it takes longer than two seconds."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.shown = False

    def say(self, what: str) -> None:
        """Say what is being done from now on."""
        if sys.stderr.isatty() and time.monotonic() - self.start > 2:
            self.shown = True
            with contextlib.suppress(OSError):
                print(f"\r\033[K{visible(what)} ...", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        """Leave nothing on the screen."""
        if self.shown:
            with contextlib.suppress(OSError):
                print("\r\033[K", end="", file=sys.stderr, flush=True)
