"""What can be compared: folders, zips and git revisions; and what is refused, and why."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cases import build, edit, zipped
from commands import PACKAGES, ROOT, SCRIPTS, compare, comparison, said, snapshot, validate

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


def git(folder: Path, *arguments: str, text: str = "") -> str:
    """Run git without the settings of whoever runs the tests; what it prints."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    allowed = ("-c", "protocol.file.allow=always")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *who, *allowed, *arguments],
        cwd=folder,
        check=True,
        env=environment,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip()


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


def test_what_breaks_since_a_revision_before_version_1(checkout: Path):
    """Catches a verdict that does not say why a minor step does for what breaks."""
    ids = (checkout / FEATURES).read_text(encoding="utf-8")
    for version, table in (("0.1.0", ids), ("0.2.0", ids.replace("zeal,Zeal", "zest,Zeal"))):
        path = checkout / DESCRIPTOR
        text = re.sub('"version": "[^"]*"', f'"version": "{version}"', path.read_text("utf-8"))
        path.write_text(text, encoding="utf-8")
        (checkout / FEATURES).write_text(table, encoding="utf-8")
        git(checkout, "commit", "--quiet", "-a", "-m", version)
    done = compare("HEAD~1", "HEAD", "--check", cwd=checkout)
    assert done.returncode == 0
    assert done.stdout.endswith(
        "1 row removed, 1 row added; the step from 0.1.0 to 0.2.0 is large enough for what breaks: "
        "while the major version is 0, a minor step does\n"
    )


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
    assert numbers[1] == numbers[0] + len({"id-vanished", "new-finding"})


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


def command(folder: Path, name: str) -> str:
    """A program that leaves a mark in a folder that it was run."""
    path = folder / name.replace(".", "-")
    path.write_text(f"#!/bin/sh\ntouch '{folder}/RAN-{name}'\ncat\n")
    path.chmod(0o755)
    return str(path)


def test_nothing_that_a_repository_configures_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Catches a filter, a helper, a hook or another command of somebody else's repository."""
    checkout, programs = tmp_path / "checkout", tmp_path / "programs"
    programs.mkdir()
    shutil.copytree(BASE, checkout)
    git(checkout, "init", "--quiet")
    attributes = "*.csv filter=evil diff=evil merge=evil export-subst\n*.json export-ignore\n"
    (checkout / ".gitattributes").write_text(attributes)
    types = checkout / "data/types.csv"
    types.write_text(types.read_text().replace("first symptom", "$Format:%G?%an$"))
    git(checkout, "add", ".")
    tree = git(checkout, "write-tree")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----"
    who = "x <x@example.org> 1700000000 +0000"
    signed = f"tree {tree}\nauthor {who}\ncommitter {who}\n{signature}\n\nm\n"
    commit = git(checkout, "hash-object", "-t", "commit", "-w", "--stdin", text=signed)
    git(checkout, "tag", "v1", commit)
    names = [
        *("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "tar.zip.command"),
        *("tar.tar.command", "diff.evil.textconv", "diff.evil.command", "diff.external"),
        *("merge.evil.driver", "core.fsmonitor", "core.pager", "pager.ls-tree", "pager.cat-file"),
        *("gpg.program", "gpg.ssh.program", "core.sshCommand", "core.editor", "core.askPass"),
        *("credential.helper", "core.gitProxy", "core.alternateRefsCommand", "uploadpack.hook"),
        *("alias.ls-tree", "alias.cat-file", "alias.rev-parse"),
    ]
    for name in names:
        program = command(programs, name)
        git(checkout, "config", name, f"!{program}" if "alias" in name else program)
    git(checkout, "config", "core.hooksPath", str(programs))
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        command(programs, hook)
    for name in ("gpg", "ssh", "less"):
        command(programs, name)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(programs / "diff-external"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(programs / "core-fsmonitor"))
    shutil.rmtree(programs / "RAN", ignore_errors=True)
    for mark in programs.glob("RAN-*"):
        mark.unlink()
    assert comparison("v1", ".", cwd=checkout)["changes"] == []  # the very bytes that are stored
    assert list(programs.glob("RAN-*")) == []


def test_nothing_is_fetched(tmp_path: Path, checkout: Path):
    """Catches a partial clone that asks its remote, by a command of its own, for what it lacks."""
    git(checkout, "config", "uploadpack.allowFilter", "true")
    git(checkout, "config", "uploadpack.allowAnySHA1InWant", "true")
    options = ("--quiet", "--filter=blob:none", "--no-checkout")
    git(tmp_path, "clone", *options, f"file://{checkout}", "partial")
    upload = command(tmp_path, "upload")
    git(tmp_path / "partial", "config", "remote.origin.uploadpack", upload)
    done = compare("v1", BASE, cwd=tmp_path / "partial")
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "RAN-upload").exists()


def test_an_object_is_not_another_one(checkout: Path):
    """Catches a table that `git replace` puts in the place of the one that was released."""
    stored = git(checkout, "rev-parse", f"v1:{FEATURES}")
    other = git(checkout, "rev-parse", f"HEAD:{FEATURES}")
    git(checkout, "replace", stored, other)
    assert comparison("v1", BASE, cwd=checkout)["changes"] == []


def test_a_tree_that_unfolds_without_end(checkout: Path):
    """Catches a repository of some kilobytes with more files than any disk can hold."""
    for leaf in ("100644 blob", "040000 tree"):
        kind = leaf.split()[1]
        empty = git(checkout, "hash-object", "-t", kind, "-w", "--stdin")
        tree = git(checkout, "mktree", text=f"{leaf} {empty}\tx\n")
        for _ in range(10):
            tree = git(
                checkout, "mktree", text="".join(f"040000 tree {tree}\t{n}\n" for n in range(10))
            )
        descriptor = git(checkout, "rev-parse", f"HEAD:{DESCRIPTOR}")
        entries = f"040000 tree {tree}\tdata\n100644 blob {descriptor}\t{DESCRIPTOR}\n"
        bomb = git(checkout, "commit-tree", "-m", "x", git(checkout, "mktree", text=entries))
        done = compare(bomb, BASE, cwd=checkout)
        assert (done.returncode, done.stdout) == (2, "")
        assert "it has more than 10,000 files" in done.stderr


def test_bounds_of_a_revision(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Catches bytes that are written before their number is looked at, and a wait for a pipe."""
    from pipeline import files
    from pipeline.issue import CannotRun
    from pipeline.package import git as module

    (tmp_path / "out").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(files, "MAX_BYTES", 1000)
        with pytest.raises(CannotRun, match="would grow to"):
            module.check_out("v1", str(checkout), str(tmp_path / "out"))
        assert os.listdir(tmp_path / "out") == []
    if hasattr(os, "mkfifo"):
        monkeypatch.setattr(module, "SECONDS", 0.5)
        (checkout / ".git/packed-refs").unlink(missing_ok=True)
        os.mkfifo(checkout / ".git/packed-refs")
        with pytest.raises(CannotRun, match="after at most"):
            module.check_out("nowhere", str(checkout), str(tmp_path / "out"))


def test_another_repository_in_a_revision(checkout: Path):
    """Catches a table in a submodule, which would silently be missing."""
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{commit},data/more")
    git(checkout, "commit", "--quiet", "-m", "a submodule")
    done = compare("HEAD", BASE, cwd=checkout)
    assert done.returncode == 2
    assert "'data/more' is another repository" in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another owner")
def test_a_checkout_of_another_owner(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Catches the reason of git cut short, and an exception of the user's that does not count."""
    for path in (checkout, checkout / ".git"):
        os.chown(path, 65534, 65534)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("v1", "previous"):
        done = compare(name, checkout, cwd=checkout)
        assert (done.returncode, done.stdout) == (2, "")
        assert "dubious ownership" in done.stderr
        assert "git config --global --add safe.directory" in done.stderr
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {checkout}\n")
    assert compare("v1", "HEAD", cwd=checkout).returncode == 0


@pytest.fixture
def releases(checkout: Path) -> Path:
    """A checkout of version 1.3.0 with releases before and after it, and other tags."""
    for tag in ("v1.0.0", "v1.2.3", "v1.10.0", "v2.0.0-rc.1", "validated-2026", "v1.3", "1.2.9"):
        git(checkout, "tag", tag, "v1")
    text = (checkout / DESCRIPTOR).read_text(encoding="utf-8").replace('"1.2.3"', '"1.3.0"')
    (checkout / DESCRIPTOR).write_text(text, encoding="utf-8")
    git(checkout, "commit", "--quiet", "-a", "-m", "1.3.0")
    git(checkout, "tag", "v1.3.0")
    return checkout


def test_previous_release(releases: Path, tmp_path: Path):
    """Catches a release that is compared with another than the one before it."""
    for folder in (releases, tmp_path):
        found = comparison("previous", releases, cwd=folder)
        assert [found["old"]["version"], found["new"]["version"]] == ["1.2.3", "1.3.0"]
    assert compare("previous", releases, "--check").returncode == 0
    done = validate(releases, "--quick", "--rule", "id-vanished", "--since", "previous")
    assert done.returncode == 0
    table = releases / FEATURES
    table.write_text(table.read_text(encoding="utf-8").replace("weakness,Weakness,,,WKN\n", ""))
    done = validate(releases, "--quick", "--rule", "id-vanished", "--since", "previous")
    assert (done.returncode, done.stderr) == (1, "")


FIRST = "## [1.3.0] - 2026-01-31\n\nThe first\nrelease.\n\n## [0.1.0] - 2026-01-01\n\nNever out.\n"


def first(checkout: Path, text: str = FIRST) -> Path:
    """The checkout without a release before that in its descriptor."""
    for tag in git(checkout, "tag").splitlines():
        git(checkout, "tag", "--delete", tag)
    git(checkout, "tag", "validated-2026")
    (checkout / "CHANGELOG.md").write_text(text)
    git(checkout, "add", "CHANGELOG.md")
    git(checkout, "commit", "--quiet", "--allow-empty", "-m", "changes")
    return checkout


def test_first_release(releases: Path):
    """Catches a first release that cannot be made."""
    checkout = first(releases)
    done = compare("previous", checkout, "--check", "--format", "markdown")
    assert (done.returncode, done.stdout, done.stderr) == (0, "The first release.\n", "")
    done = validate(checkout, "--quick", "--rule", "id-vanished", "--since", "previous")
    assert done.returncode == 0
    assert "the first release" in done.stderr


CHANGES = {
    "no CHANGELOG.md": "",
    "another version is the first": "## [1.3.0]\n\n- More.\n\n## [1.2.0]\n\nFirst release.\n",
    "no entry of this version": "## Unreleased\n\nThe first release.\n",
    "it only speaks of the first": "## [1.3.0]\n\n- Lost since the first\n  release.\n",
    "two are called the first": "## [1.3.0]\n\nFirst release.\n\n## [1.2.0]\n\nFirst release.\n",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_missing_tag_does_not_prove_a_first_release(what: str, releases: Path):
    """Catches lost ids that are published because the tag of the last release is not here."""
    for command in (compare, validate):
        old = ("--since", "previous", "--quick") if command is validate else ("previous",)
        checkout = first(releases, CHANGES[what])
        done = command(checkout, *old) if command is validate else command(*old, checkout)
        assert (done.returncode, done.stdout) == (2, "")
        assert "there is no tag of a release before 1.3.0 here; git fetch --tags" in done.stderr


def test_a_clone_without_everything_proves_nothing(releases: Path, tmp_path: Path):
    """Catches a first release in a shallow clone, one without tags, and outside of any."""
    first(releases)
    origin = f"file://{releases}"
    for words, options in {
        "shallow": ("--depth", "1"),
        "made without tags": ("--no-tags", "--origin", "upstream"),
    }.items():
        clone = tmp_path / words.replace(" ", "-")
        git(tmp_path, "clone", "--quiet", *options, origin, str(clone))
        done = compare("previous", clone)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert "git fetch" in done.stderr
    shutil.rmtree(tmp_path / "shallow" / ".git")
    done = compare("previous", tmp_path / "shallow")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not a git repository" in done.stderr
    git(releases, "tag", "v9.0.0")
    done = compare("previous", releases)
    assert "1.3.0 comes before v9.0.0, the first tag" in done.stderr


def test_a_tag_that_cannot_be_read_may_be_the_previous_release(releases: Path):
    """Catches a release that is compared with an older one, since git passes over a broken tag."""
    (releases / ".git/refs/tags/v1.2.5").write_text("nothing\n")
    done = compare("previous", releases, "--check")
    assert (done.returncode, done.stdout) == (2, "")
    assert "ignoring broken ref refs/tags/v1.2.5" in done.stderr


def test_a_package_below_the_top_of_its_repository(releases: Path):
    """Catches a package that is compared with another one, which lies on top."""
    shutil.copytree(BASE, releases / "below")
    done = compare("previous", releases / "below")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it is in 'below/' of its repository" in done.stderr


def test_revision_that_a_shallow_clone_lacks(checkout: Path, tmp_path: Path):
    """Catches a revision that is called wrong where only the clone is too short."""
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{checkout}", "short")
    done = compare("HEAD~1", BASE, cwd=tmp_path / "short")
    assert done.returncode == 2
    assert "git fetch --unshallow --tags" in done.stderr


def test_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Catches a traceback where git is not installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = compare("HEAD", BASE)
    assert done.returncode == 2
    assert "git is not installed" in done.stderr
    assert compare(BASE, BASE).returncode == 0


@pytest.mark.parametrize("kibibytes", [26_000, 30_000, 34_000, 40_000])
def test_little_memory_for_a_revision(kibibytes: int, checkout: Path):
    """Catches a thread that cannot be started and passes for a fault of the program."""
    command = f"ulimit -v {kibibytes}; exec {sys.executable} {SCRIPTS}/compare.py v1 HEAD"
    done = subprocess.run(["bash", "-c", command], cwd=checkout, capture_output=True, text=True)
    assert done.returncode in (0, 2), done.stdout
    assert "internal fault" not in done.stderr
