"""The benchmark runs, and generates packages that are valid; what it measures is not asserted."""

import re
import subprocess
import sys

from commands import PATIENCE, ROOT


def test_benchmark_runs():
    """Catches a generator whose packages are not valid, and figures that are missing."""
    command = [sys.executable, ROOT / "scripts/benchmark.py", "--runs", "1"]
    command += ["--rows", "500", "1000", "--default-up-to", "500"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"--quick +\d+\.\d{3} ", done.stdout)
    assert re.search(r"^ +500 +\d+\.\d\d s +\d+\.\d{3} +\d+\.\d\d ", done.stdout, re.MULTILINE)
    assert re.search(
        r"^ +1,000 +\d+\.\d\d s +nan +nan +\d+ +-?\d+\.\d\d$", done.stdout, re.MULTILINE
    )


def test_engines_of_the_scale_page_agree():
    """Catches code in docs/scale.md that fails, or an engine that gives another answer."""
    command = [sys.executable, ROOT / "scripts/benchmark.py", "--join", "20000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    engines = re.findall(r"^(\w+) +\d+\.\d +\d+\.\d\d +\d+$", done.stdout, re.MULTILINE)
    assert engines == ["pandas", "DuckDB", "Polars", "Dask"]
    answers = re.search(r"the same answer from all: (\d+) findings", done.stdout)
    assert answers
    assert int(answers[1]) > 100
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    assert "scripts/benchmark.py --join 10000000" in page


def test_papers_are_measured():
    """Catches a generated file of papers that cannot be read, by us or by a library."""
    command = [sys.executable, ROOT / "scripts/benchmark.py", "--papers", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("nbib", "ris", "bib", "json"):
        assert re.search(
            rf"^  {name} +\d+\.\d\d +\d+\.\d\d +\d+\.\d +\d+$", done.stdout, re.MULTILINE
        )
