"""Run a command with a signal at an exact moment of its work, which no load of a machine moves."""

import os
import subprocess
import sys
from pathlib import Path

# What Python tells of as a command does it, each a moment; `open` is one where it opens to write.
STEPS = (
    *("os.mkdir", "os.rename", "os.rmdir", "os.remove", "os.chmod", "os.chown"),
    *("shutil.rmtree", "tempfile.mkstemp", "subprocess.Popen", "ctypes.dlopen"),
)

# `sitecustomize` is imported before the first line of a command.
_HOOK = """
import os, signal, sys

numbers = [int(number) for number in os.environ["SIGNAL_AT"].split()]
events = os.environ["SIGNAL_EVENTS"].split()
# As from a terminal, whatever the tests are run by.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
log = os.environ["SIGNAL_LOG"] and os.open(os.environ["SIGNAL_LOG"], os.O_WRONLY | os.O_CREAT)
seen = 0


def hook(event, arguments):
    global seen
    if event not in events or not sys.argv or sys.argv[0] != os.environ["SIGNAL_SCRIPT"]:
        return
    if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return
    seen += 1
    if log:
        os.pwrite(log, b"%d" % seen, 0)
    if seen in numbers:
        os.kill(os.getpid(), getattr(signal, os.environ["SIGNAL"]))


sys.addaudithook(hook)
"""


class Moments:
    """A command that is run in a folder, where `temporary` is for what it makes for a while."""

    def __init__(self, folder: Path, *command: object, events: tuple[str, ...] = STEPS):
        self.folder = folder
        self.command = list(map(str, command))
        self.events = " ".join(events)
        (folder / "site").mkdir()
        (folder / "site/sitecustomize.py").write_text(_HOOK)
        (folder / "temporary").mkdir()

    def run(self, *at: int, by: str = "SIGINT", log: str = "") -> subprocess.CompletedProcess:
        """Run it with a signal at the moments of these numbers, counted from 1."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
        environment |= {
            "PYTHONDONTWRITEBYTECODE": "1",  # which would be moments of some runs only
            "PYTHONPATH": str(self.folder / "site"),
            "TMPDIR": str(self.folder / "temporary"),
            "SIGNAL": by,
            "SIGNAL_AT": " ".join(map(str, at)),
            "SIGNAL_EVENTS": self.events,
            "SIGNAL_LOG": log,
            "SIGNAL_SCRIPT": self.command[0],
        }
        done = subprocess.run(
            [sys.executable, *self.command],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def count(self) -> int:
        """Run it without a signal; how many moments there are."""
        log = self.folder / "site/log"
        done = self.run(log=str(log))
        assert done.returncode == 0, done.stderr
        number = int(log.read_text())
        log.unlink()
        return number
