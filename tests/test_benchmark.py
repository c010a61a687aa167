"""The benchmark runs, and generates packages that are valid; what it measures is not asserted."""

import re
import subprocess
import sys

from commands import ROOT


def test_benchmark_runs():
    """Catches a generator whose packages are not valid, and figures that are missing."""
    command = [
        sys.executable,
        ROOT / "scripts/benchmark.py",
        "--runs",
        "1",
        "--rows",
        "500",
        "1000",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"--quick +\d\.\d{3} ", done.stdout)
    assert re.search(r"^ +1,000 +\d+\.\d\d s +\d+\.\dx", done.stdout, re.MULTILINE)
