"""What the scripts have in common: exit codes, and an end without a traceback."""

import os
import signal
import sys
from collections.abc import Callable

from fault import CannotRun


def run(name: str, work: Callable[[], int]) -> int:
    """Do the work of a script; its exit code, or 2 with a message on what kept it from running."""
    _prepare()
    # Whatever the terminal or the pipe can take, a message never fails for its letters.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = work()
        sys.stdout.flush()
        return code
    except CannotRun as error:
        return _cannot(name, str(error))
    except ModuleNotFoundError as error:
        advice = "set up with make, or with python -m pip install -r requirements.txt"
        if name == "validate.py":
            advice += "; --quick does without it"
        return _cannot(name, f"{error.name} is not installed; {advice}")
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
