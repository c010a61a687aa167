"""Measure the scripts against what others have, side by side in one run. `--help` says how.

Prints ratios, because machines differ: of the whole processes on the real package, and on
generated packages of N rows with the same schemas, with peak memory and the growth exponent of
the time. Each ratio is the median of those of several pairs of runs, one after the other.
"""

import os
import sys

# Whatever comes before the guard does not end like a fault of the package either.
sys.excepthook = lambda *_: os._exit(2)
# Python leaves the folder of the script out where it was told to be safe.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pipeline import start

start.guard()

import argparse
import csv
import hashlib
import json
import math
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable

from pipeline import cli
from pipeline.cli import ROOT
from pipeline.issue import CannotRun

EPILOG = "exit code: 0 measured, 2 could not run\n"
VALIDATE = [sys.executable, os.path.join(ROOT, "scripts", "validate.py")]
FRICTIONLESS = [sys.executable, "-m", "frictionless", "validate", "datapackage.json"]
IMPORTS = [sys.executable, "-c", "import pandas, pyarrow.parquet"]
PAPERS = [sys.executable, os.path.join(ROOT, "scripts", "papers.py")]
# What a library alone needs to parse a file of papers; PubMed's format has none here.
PARSERS = {
    "nbib": "for line in open(path, encoding='utf-8'): line[:4], line[6:].strip()",
    "ris": "import rispy, pathlib; rispy.load(pathlib.Path(path), encoding='utf-8')",
    "bib": "import pybtex.database; pybtex.database.parse_file(path)",
    "json": "import json; json.load(open(path, encoding='utf-8'))",
}
SCALE = os.path.join(ROOT, "docs", "scale.md")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    what = "Measure the validator against frictionless, side by side in one run."
    parse = cli.parser("benchmark.py", what, EPILOG)
    add = parse.add_argument
    add(
        "--runs",
        type=cli.count,
        default=10,
        metavar="N",
        help="of each, on generated ones 3 at most",
    )
    add(
        "--rows",
        type=cli.count,
        nargs="*",
        default=[1_000, 10_000, 100_000],
        metavar="N",
        help="sizes of generated packages; 1000000 takes minutes",
    )
    add(
        "--default-up-to",
        type=cli.count,
        default=100_000,
        metavar="N",
        help="largest size at which frictionless and the default run are measured too",
    )
    add(
        "--papers",
        type=cli.count,
        metavar="N",
        help="only measure papers.py on N records, beside a plain parse by a library",
    )
    add(
        "--join",
        type=cli.count,
        metavar="N",
        help="only measure the join of docs/scale.md with N observations in four engines",
    )
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster for --join (default: local)")
    return parse


def run(options: argparse.Namespace) -> int:
    """Run the measurements that were asked for; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        if options.papers is not None or options.join is not None:
            if options.papers is not None:
                papers(options.papers, folder)
            if options.join is not None:
                joins(options.join, options.scheduler, folder)
            return 0
        real(options.runs, folder)
        generated(options.rows, options.default_up_to, options.runs, folder)
    return 0


def real(runs: int, folder: str) -> None:
    """Whole processes on the real package, and the exports beside what they import."""
    dist = os.path.join(folder, "dist")
    commands = {
        "frictionless": FRICTIONLESS,
        "quick": [*VALIDATE, "--quick"],
        "default": VALIDATE,
        "export": [*VALIDATE, "--export", dist],
        "imports": IMPORTS,
    }
    times = alternate(commands, ROOT, runs)
    theirs = times["frictionless"]
    bound = [sum(both) for both in zip(theirs, times["imports"], strict=True)]
    print(f"real package, median of {runs} pairs, as a share of `frictionless validate`")
    print(f"  --quick            {share(times['quick'], theirs):6.3f}   (at most 0.090)")
    print(f"  default            {share(times['default'], theirs):6.3f}   (at most 1.050)")
    print(f"  default, --export  {share(times['export'], bound):6.3f}   of frictionless and the")
    print("                              imports of pandas and pyarrow together (at most 1.100)")


def generated(sizes: list[int], default_up_to: int, runs: int, folder: str) -> None:
    """Packages of N rows in all: the share of frictionless, the memory, and how the time grows."""
    if sizes:
        print(
            "generated packages with the same schemas, median of pairs; at most 0.083 for --quick"
        )
        print("from 100,000 rows on, 400 MiB at 1,000,000 rows, and 1.05 for the exponent")
        print("      rows  --quick  /frictionless  default/frictionless  MiB  exponent")
    last: tuple[int, float] | None = None
    for rows in sizes:
        package = os.path.join(folder, str(rows))
        generate(package, rows)
        commands = {"quick": [*VALIDATE, ".", "--quick"]}
        if rows <= default_up_to:
            commands |= {"frictionless": FRICTIONLESS, "default": [*VALIDATE, "."]}
        times = alternate(commands, package, min(runs, 3 if rows <= 100_000 else 1))
        mine = statistics.median(times["quick"])
        quick = both = math.nan
        if theirs := times.get("frictionless"):
            quick, both = share(times["quick"], theirs), share(times["default"], theirs)
        memory = peak_mebibytes([*VALIDATE, package, "--quick"])
        exponent = math.log(mine / last[1]) / math.log(rows / last[0]) if last else math.nan
        last = (rows, mine)
        print(
            f"{rows:10,}  {mine:5.2f} s  {quick:13.3f}  {both:20.2f}  {memory:3.0f}  "
            f"{exponent:8.2f}",
            flush=True,
        )
        shutil.rmtree(package)


def papers(records: int, folder: str) -> None:
    """Checking N papers with papers.py, beside a parse of the same file by a library."""
    print(f"{records:,} papers of {len(_ABSTRACT):,} letters each: papers.py check, a plain parse")
    print("            seconds    plain  ratio  MiB")
    for name, render in _RENDERERS.items():
        path = os.path.join(folder, f"papers.{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(render(records))
        check = [*PAPERS, "check", path]
        script = f"import sys\n[_, path] = sys.argv\n{PARSERS[name]}"
        plain = [sys.executable, "-c", script, path]
        times = alternate({"check": check, "plain": plain}, ROOT, 3)
        memory = peak_mebibytes(check)
        ratio = share(times["check"], times["plain"])
        mine, theirs = map(statistics.median, times.values())
        print(f"  {name:6}  {mine:8.2f} {theirs:8.2f} {ratio:6.1f} {memory:4.0f}")


_ABSTRACT = "Back pain was present in 83% of the 398 imagined patients of a cohort. " * 20


def _nbib(records: int) -> str:
    record = (
        "PMID- {n}\nDP  - 2020 Jan\nTI  - Paper {n}.\nVI  - 4\nPG  - 1-9\nLID - 10.9999/{n} [doi]\n"
        f"AB  - {_ABSTRACT}\nAU  - Doe J\nPT  - Journal Article\nTA  - Fables\nJT  - Fables\n"
        "SO  - Fables.\n\n"
    )
    return "".join(record.format(n=n) for n in range(1, records + 1))


def _ris(records: int) -> str:
    record = (
        "TY  - JOUR\nAU  - Doe, Jane\nTI  - Paper {n}\nT2  - Fables\nPY  - 2020\nVL  - 4\nSP  - 1\n"
        f"EP  - 9\nDO  - 10.9999/{{n}}\nAB  - {_ABSTRACT}\nER  - \n\n"
    )
    return "".join(record.format(n=n) for n in range(1, records + 1))


def _bib(records: int) -> str:
    return "".join(
        f"@article{{k{n}, author={{Doe, Jane}}, title={{Paper {n}}}, journal={{Fables}}, year=2020,"
        f" volume=4, pages={{1--9}}, doi={{10.9999/{n}}}, abstract={{{_ABSTRACT}}}}}\n"
        for n in range(1, records + 1)
    )


def _csl_json(records: int) -> str:
    return json.dumps(
        [
            {
                "type": "article-journal",
                "title": f"Paper {n}",
                "author": [{"family": "Doe", "given": "Jane"}],
                "issued": {"date-parts": [[2020]]},
                "container-title": "Fables",
                "DOI": f"10.9999/{n}",
                "abstract": _ABSTRACT,
            }
            for n in range(1, records + 1)
        ]
    )


_RENDERERS = {"nbib": _nbib, "ris": _ris, "bib": _bib, "json": _csl_json}


def joins(rows: int, scheduler: str | None, folder: str) -> None:
    """The code of docs/scale.md on N observations: each engine in a process, one answer."""
    shutil.copytree(os.path.join(ROOT, "data"), os.path.join(folder, "data"))
    with open(SCALE, encoding="utf-8") as file:
        found = re.findall(
            r"^## (\w+)\n.*?```python\n(.*?)```", file.read(), re.DOTALL | re.MULTILINE
        )
    commands = {}
    for name, code in found:
        path = os.path.join(folder, f"join_{name.lower()}.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(code)
        commands[name] = [sys.executable, path]
    timed([*commands.pop("Observations"), str(rows)], folder)
    if scheduler:
        commands["Dask"].append(scheduler)
    size = os.path.getsize(os.path.join(folder, "observations.parquet")) >> 20
    print(f"join with {rows:,} observations ({size:,} MiB of Parquet), {os.cpu_count()} processors")
    print("engine   seconds  ratio    MiB")
    base = math.nan
    first: tuple[str, bytes] | None = None
    for name, command in commands.items():
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True)
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise CannotRun(f"{name} failed:\n{done.stderr.decode(errors='replace')}")
        first = first or (name, done.stdout)
        if done.stdout != first[1]:
            raise CannotRun(f"{name} and {first[0]} do not give the same answer")
        base = seconds if math.isnan(base) else base
        memory = peak_mebibytes(command, folder)
        print(f"{name:7} {seconds:8.1f} {seconds / base:6.2f} {memory:6.0f}", flush=True)
    answers = first[1].count(b"\n") - 1 if first else 0
    print(f"the same answer from all: {answers} findings")


def alternate(commands: dict[str, list[str]], folder: str, runs: int) -> dict[str, list[float]]:
    """The times of each command in seconds, the commands taking turns."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(timed(command, folder))
    return times


def share(mine: list[float], theirs: list[float]) -> float:
    """The median of the quotients of times that were measured one after the other."""
    return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))


def timed(command: list[str], folder: str) -> float:
    """The time in seconds of a command that must succeed."""
    # As for most users: Python keeps the bytecode of what it runs.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise CannotRun(f"{' '.join(command)} failed:\n{done.stdout.decode()}")
    return seconds


def peak_mebibytes(command: list[str], folder: str = ROOT) -> float:
    """The peak memory of a command and the processes that it starts, taken together.

    Looked at twenty times a second, and never less than the peak of any one of them. What they
    share is counted for each.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    listing = ["ps", "-A", "-o", "pgid=,rss="]
    peak, ended = 0, 0
    while not ended:
        lines = subprocess.run(listing, capture_output=True, text=True).stdout.splitlines()
        groups = [(int(group), int(kib)) for group, kib in map(str.split, lines)]
        peak = max(peak, sum(kib for group, kib in groups if group == process.pid))
        time.sleep(0.05)
        ended, _, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = 0
    # macOS counts it in bytes, others in kibibytes.
    alone = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return max(peak, alone) / 1024


def generate(folder: str, rows: int) -> None:
    """A valid package of about so many rows: the real one many times over.

    Each copy has keys, names and identifiers of its own, and refers to its own rows.
    """
    shutil.copytree(os.path.join(ROOT, "schemas"), os.path.join(folder, "schemas"))
    shutil.rmtree(os.path.join(folder, "schemas", "json"))
    os.mkdir(os.path.join(folder, "data"))
    with open(os.path.join(ROOT, "datapackage.json"), encoding="utf-8") as file:
        descriptor = json.load(file)
    copies = max(1, rows // sum(resource["rows"] for resource in descriptor["resources"]))
    for described in descriptor["resources"]:
        with open(os.path.join(ROOT, described["schema"]), encoding="utf-8") as file:
            width = len(json.load(file)["primaryKey"])
        multiply(described["path"], folder, copies, width)
        with open(os.path.join(folder, described["path"]), "rb") as file:
            content = file.read()
        described["bytes"] = len(content)
        described["hash"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
        described["rows"] = content.count(b"\n") - 1
    with open(os.path.join(folder, "datapackage.json"), "w", encoding="utf-8") as file:
        json.dump(descriptor, file, ensure_ascii=False, indent=2)


def multiply(path: str, folder: str, copies: int, width: int) -> None:
    """Write a table so many times over, ordered by the first `width` columns, its key."""
    with open(os.path.join(ROOT, path), encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        models = list(reader)
    made = [
        list(copy_of(row, copy).values())
        for copy in range(copies)
        for row in models
        if copy == 0 or row.get("subject_id") not in ("unilateral", "bilateral")
    ]
    made.sort(key=lambda row: row[:width])
    with open(os.path.join(folder, path), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(reader.fieldnames or ())
        writer.writerows(made)


def copy_of(row: dict[str, str], copy: int) -> dict[str, str]:
    """A row with the identifiers of a copy; every other value is that of the model."""
    word = "".join(chr(97 + copy // 26**place % 26) for place in (3, 2, 1, 0))
    renamed: dict[str, Callable[[str], str]] = {
        "statement_id": lambda value: f"{value}{copy:05}",
        "finding_id": lambda value: f"{value}{copy:05}",
        "passage_id": lambda value: f"p{int(value[1]) + 10 * copy}{value[2:]}",
        "paragraph": lambda value: str(int(value) + 10 * copy),
        "citation_id": lambda value: re.sub(r"(-\d{4}[a-z]?)$", rf"-{word}\1", value),
        "authors": lambda value: re.sub(r"( [A-Z]+)?(;|$)", rf"-{word}\1\2", value, count=1),
        "subject_id": lambda value: re.sub(r"([.]|$)", rf"_{word}\1", value, count=1),
        "primary_tumor": f"{{}}_{word}".format,
        "predicate_id": str,
        "object_id": str,
        "doi": lambda value: value + word,
        "pmid": lambda value: str(50_000_000 + int(value) % 10_000 + 10_000 * copy),
        "pmcid": lambda _: "",
        "pii": lambda _: "",
        "sha256": lambda value: hashlib.sha256(f"{value}{copy}".encode()).hexdigest(),
        **dict.fromkeys(("name", "abbreviation", "claim", "summary"), lambda v: f"{v} {word}"),
    }
    made = {}
    for name, value in row.items():
        rename = renamed.get(name, f"{{}}_{word}".format if name.endswith("_id") else str)
        made[name] = rename(value) if copy and value else value
    return made


if __name__ == "__main__":
    cli.main(parser(), run)
