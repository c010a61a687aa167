"""What can be compared: folders, zips and git revisions; and what is refused, and why."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cases import build, edit, zipped
from commands import PACKAGES, ROOT, compare, comparison, said, snapshot, validate

BASE = PACKAGES / "base"
DESCRIPTOR, FEATURES = "datapackage.json", "data/features.csv"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with the base package, in which v1 is the base and HEAD has a row more."""
    folder = tmp_path / "checkout"
    shutil.copytree(BASE, folder)
    (folder / "link").symlink_to("/etc/hostname")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "base")
    git(folder, "tag", "v1")
    table = folder / FEATURES
    table.write_text(table.read_text(encoding="utf-8") + "zeal,Zeal,,,\n", encoding="utf-8")
    git(folder, "commit", "--quiet", "-a", "-m", "a row")
    return folder


def git(folder: Path, *arguments: str) -> None:
    """Run git without the settings of whoever runs the tests."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, env=environment)


def test_git_revisions(checkout: Path):
    """Catches a revision that is not found, and a checkout that is changed by looking at it."""
    before = snapshot(checkout)
    added = ["minor row-added features zeal"]
    for old, new in (("v1", "HEAD"), ("HEAD~1", "HEAD"), ("v1", "."), (BASE, "HEAD")):
        found = comparison(old, new, cwd=checkout)
        assert [said(change) for change in found["changes"]] == added
    assert comparison("HEAD", "v1", cwd=checkout)["step"] == "major"
    assert comparison("v1", "HEAD", cwd=checkout / "data")["step"] == "minor"
    assert comparison("v1", BASE, cwd=checkout)["changes"] == []
    assert snapshot(checkout) == before


def test_a_file_comes_before_a_revision(checkout: Path):
    """Catches a folder that is passed over because a revision has its name."""
    shutil.copytree(BASE, checkout / "HEAD")
    assert comparison("v1", "HEAD", cwd=checkout)["changes"] == []


def test_ids_since_a_revision(checkout: Path):
    """Catches an id that gets lost after a release that only git still has."""
    table = checkout / FEATURES
    table.write_bytes((BASE / FEATURES).read_bytes())
    options = (checkout, "--quick", "--rule", "id-vanished", "--since")
    done = validate(*options, "HEAD", cwd=checkout)
    assert done.returncode == 1
    assert "'zeal' was released in '1.2.3' and is neither here nor retired" in done.stdout
    done = validate(*options, "v1", cwd=checkout)
    assert (done.returncode, done.stderr) == (0, "")


def test_rule_that_did_not_run_is_not_counted():
    """Catches a run that claims to have compared with a release when none was named."""
    without, since = (validate("--quick", *option).stdout for option in ((), ("--since", ROOT)))
    numbers = [int(re.search(r"with (\d+) rules", text)[1]) for text in (without, since)]
    assert numbers[1] == numbers[0] + 1


def test_export_beside_since(tmp_path: Path):
    """Catches an export that is refused because a rule had nothing to compare with."""
    for option in ((), ("--since", BASE)):
        options = ("--export", tmp_path / "dist", "--skip", "frictionless", *option)
        assert validate(BASE, *options).returncode == 0


def test_zips_and_descriptors(tmp_path: Path):
    """Catches a downloaded release that cannot be compared as it is."""
    new = build({"edits": [edit(FEATURES, "false,\n", "false,\nsoreness,Soreness,,,\n")]}, tmp_path)
    old = zipped(BASE, tmp_path / "old.zip", "release-1.2.3")
    for one in (old, BASE / "datapackage.json"):
        changes = comparison(one, zipped(new, tmp_path / "new.zip"))["changes"]
        assert [said(change) for change in changes] == ["minor row-added features soreness"]
    done = validate(new, "--quick", "--rule", "id-vanished", "--since", old)
    assert done.returncode == 0


BROKEN = {
    "descriptor that is no JSON": [{"file": "datapackage.json", "text": "{"}],
    "descriptor without tables": [{"file": "datapackage.json", "text": '{"resources": []}'}],
    "no descriptor": [{"file": "datapackage.json", "delete": True}],
    "no table": [{"file": FEATURES, "delete": True}],
    "row with a cell too few": [edit(FEATURES, "weakness,Weakness,,,", "weakness,Weakness,,")],
    "blank row": [edit(FEATURES, "weakness,", "\nweakness,")],
    "key that is there twice": [edit(FEATURES, "weakness,W", "pain,W")],
    "open quote": [edit(FEATURES, "weakness,W", 'weakness,"W')],
    "another encoding": [{"file": FEATURES, "text": "\udcff"}],
    "another header": [edit(FEATURES, "feature_id,name", "name,feature_id")],
    "no primary key": [edit("schemas/types.json", '"primaryKey": [\n    "type_id"\n  ],', "")],
    "path that leads out": [edit(DESCRIPTOR, '"data/types.csv"', '"../types.csv"')],
    "no version": [edit(DESCRIPTOR, '"version": "1.2.3",', "")],
    "version that is none": [edit(DESCRIPTOR, '"1.2.3"', '"1.2"')],
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_packages_are_refused(what: str, tmp_path: Path):
    """Catches a comparison with half a package, which would find rows that are not missing."""
    broken = build({"edits": BROKEN[what], "refresh": False}, tmp_path)
    for pair in ((broken, BASE), (BASE, broken)):
        done = compare(*pair, "--check")
        assert (done.returncode, done.stdout) == (2, "")
        assert re.match(r"compare\.py: .*(first|no data package|names no table)", done.stderr)


def test_what_cannot_be_opened(tmp_path: Path, checkout: Path):
    """Catches a name that leads nowhere and is not called so."""
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04")
    (checkout / "datapackage.json").unlink()
    git(checkout, "commit", "--quiet", "-a", "-m", "no package")
    for name, words in {
        "nowhere": "'nowhere' is no file or folder, and no git revision in this checkout",
        "": "'' is no file or folder",
        "^HEAD": "is no file or folder",
        "HEAD:data": "is no file or folder",
        "HEAD": "the revision HEAD has no datapackage.json",
        tmp_path / "broken.zip": "cannot unpack",
        tmp_path: "no data package",
        checkout / FEATURES: "not a data package",
    }.items():
        done = compare(name, BASE, cwd=checkout)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
    done = compare("--", "--output=x", BASE, cwd=checkout)
    assert "is no file or folder" in done.stderr
    assert compare("HEAD", BASE, cwd=tmp_path).returncode == 2
    assert not (checkout / "x").exists()


def test_link_in_a_revision_is_not_followed(checkout: Path):
    """Catches a table that is read through a link out of the package."""
    (checkout / FEATURES).unlink()
    (checkout / FEATURES).symlink_to("/etc/hostname")
    git(checkout, "commit", "--quiet", "-a", "-m", "a link")
    done = compare("HEAD", BASE, cwd=checkout)
    assert done.returncode == 2
    assert "is a link" in done.stderr


def test_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Catches a traceback where git is not installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = compare("HEAD", BASE)
    assert done.returncode == 2
    assert "git is not installed" in done.stderr
    assert compare(BASE, BASE).returncode == 0
