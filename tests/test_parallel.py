"""Several processes find what one finds, in the same order, and none ends unnoticed."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from planted import PACKAGES, ROOT, refresh, validate

sys.path.insert(0, str(ROOT / "scripts"))

import parallel
from fault import CannotRun

pytestmark = pytest.mark.skipif(
    parallel._processors() < 2 or not hasattr(os, "sched_setaffinity"), reason="needs two"
)


def test_one_process_or_several(tmp_path: Path):
    """Catches faults that are lost or shown in another order when tables are read at once."""
    package = tmp_path / "package"
    shutil.copytree(PACKAGES / "base", package)
    for name, row in {"features": "z{:06},Name {},pain,,", "papers": "z-{:06},{}"}.items():
        path = package / f"data/{name}.csv"
        # Some rows lack cells, others refer to nothing.
        rows = [row.format(number, number) for number in range(150_000)]
        rows[1000::500] = [line.replace("pain", "ache") for line in rows[1000::500]]
        path.write_text(path.read_text(encoding="utf-8") + "\n".join(rows), encoding="utf-8")
    refresh(package)
    assert sum(path.stat().st_size for path in package.rglob("*.csv")) > parallel.MIN_WEIGHT
    several = validate(package, "--quick")
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, [min(processors)])
    try:
        one = validate(package, "--quick")
    finally:
        os.sched_setaffinity(0, processors)
    assert one.returncode == 1
    assert one.stdout == several.stdout


def elsewhere(act) -> list:
    """What is found where another process acts on its task and this one waits until it does."""
    me = os.getpid()
    begun, begin = os.pipe()

    def work(task: int) -> Iterator[int]:
        if os.getpid() == me:
            os.read(begun, 1)
        else:
            os.write(begin, b"!")
            act()
        yield task

    return list(parallel.spread([1, 2], [parallel.MIN_WEIGHT, 1], work))


def test_results_of_all_processes(tmp_path: Path):
    """Catches work that is done twice, or by one process only."""
    trace = tmp_path / "trace"
    assert sorted(elsewhere(lambda: trace.write_text("done"))) == [(1, 1), (2, 2)]
    assert trace.read_text() == "done"


def test_error_in_another_process():
    """Catches an error that stays where it happens."""
    with pytest.raises(ZeroDivisionError):
        elsewhere(lambda: 1 / 0)


def test_another_process_dies_while_it_tells():
    """Catches half of a result that is taken for a fault of this program."""
    me = os.getpid()

    def work(_: int) -> Iterator[str]:
        if os.getpid() == me:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # until the other has died
        else:
            signal.setitimer(signal.ITIMER_REAL, 1)  # whose signal ends a process
        yield "x" * 1_000_000  # more than fits into a pipe

    with pytest.raises(CannotRun, match="was ended"):
        list(parallel.spread([1, 2], [parallel.MIN_WEIGHT, 1], work))


def test_another_process_dies():
    """Catches a verdict on half of the tables, as where memory is short."""
    with pytest.raises(CannotRun, match="was ended"):
        elsewhere(lambda: os._exit(1))
