"""The workflows on GitHub run what RELEASING.md and .ci/run run, and nothing that is not pinned."""

import re
from collections.abc import Iterator

import pytest
import yaml

from commands import ROOT

RELEASING = (ROOT / "RELEASING.md").read_text(encoding="utf-8")


def jobs(workflow: str) -> dict:
    """The jobs of a workflow by name."""
    text = (ROOT / f".github/workflows/{workflow}.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["jobs"]


def lines(workflow: str) -> list[str]:
    """Every command line of a workflow, in order."""
    steps = [step for job in jobs(workflow).values() for step in job["steps"]]
    return [line.strip() for step in steps for line in step.get("run", "").splitlines()]


def commands(document: str) -> Iterator[str]:
    """Every line of the shell snippets of a document, without indentation and comments."""
    for snippet in re.findall(r"```sh\n(.*?)```", document, re.DOTALL):
        for line in snippet.splitlines():
            yield line.partition("  #")[0].strip()


def test_release_is_made_as_by_hand():
    """Catches a release by the workflow that differs from the one that RELEASING.md describes."""
    by_hand = [command for command in commands(RELEASING) if command]
    assert [line for line in lines("release") if line not in by_hand] == []
    # And the other way round: what only a person does.
    assert [command for command in by_hand if command not in lines("release")] == [
        "export TAG=v0.2.0",
        "make lint",
        'git tag --annotate "$TAG" --message "$TAG"',
        'git push origin HEAD "$TAG"',
    ]


def test_pull_requests_are_judged_as_locally():
    """Catches a check that runs in .ci/run alone, and so lets a pull request pass."""
    local = re.findall("^make.*$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert local
    assert [command for command in local if command not in lines("validate")] == []


@pytest.mark.parametrize("workflow", ["release", "validate"])
def test_what_the_workflows_run_is_there(workflow: str):
    """Catches a script or a target that was renamed in one place only."""
    text = "\n".join(lines(workflow))
    for script in re.findall(r"scripts/\w+\.py", text):
        assert (ROOT / script).exists(), script
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"^make ([a-z]+)$", text, re.MULTILINE):
        assert target in targets


# What may write, what it may write, and all that it runs.
WRITERS = {
    "publish": (
        {"attestations", "contents", "id-token"},
        ["actions/download-artifact", "actions/attest", "gh"],
    ),
    "pages": ({"id-token", "pages"}, ["actions/deploy-pages"]),
}


def test_only_the_jobs_that_run_nothing_of_ours_may_write():
    """Catches a job that runs pinned libraries or scripts with a token that can publish."""
    found = {}
    for workflow in ("release", "validate"):
        for name, job in jobs(workflow).items():
            writes = {what for what, how in job["permissions"].items() if how == "write"}
            if writes:
                assert writes == job["permissions"].keys()
                runs = [
                    step["uses"].partition("@")[0] if "uses" in step else step["run"].split()[0]
                    for step in job["steps"]
                ]
                found[name] = (writes, runs)
    assert found == WRITERS


def test_the_page_that_is_deployed_is_that_of_the_release():
    """Catches a page on GitHub that nobody can find in a release."""
    steps = jobs("release")["build"]["steps"]
    (place,) = (
        i for i, step in enumerate(steps) if "upload-pages-artifact" in step.get("uses", "")
    )
    assert steps[place]["with"]["path"] == "pages"
    assert steps[place - 1]["run"] == (
        "mkdir pages && cp release/spinal-metastases.html pages/index.html"
    )
    assert jobs("release")["pages"]["needs"] == "publish"


def test_one_action_has_one_version():
    """Catches a version of an action that was raised in one place only."""
    pins: dict[str, set[str]] = {}
    for path in sorted((ROOT / ".github/workflows").iterdir()):
        for action, pin in re.findall(r"uses: (\S+)@(.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), action
            pins.setdefault(action, set()).add(pin)
    assert {action for action, found in pins.items() if len(found) > 1} == set()


def test_what_is_published_is_built_away_from_the_tests():
    """Catches a library of the tests that could change what is published and attested."""
    found = jobs("release")
    assert found["build"]["needs"] == "test"
    assert not any("make test" in step.get("run", "") for step in found["build"]["steps"])


def test_nothing_is_installed_without_a_hash():
    """Catches a library, or what builds one, of which nobody pinned the bytes."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (install,) = re.findall(r"^INSTALL = (.*\\\n.*)$", makefile, re.MULTILINE)
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    assert makefile.count("pip install") == 1
    (sources,) = re.findall(r"^SOURCES = --no-build-isolation --no-binary (.*)$", makefile, re.M)
    for path in ROOT.glob("requirements*.txt"):
        pinned = re.split(r"^(?=\S)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        # Only the source of a library has one hash.
        alone = {pin.partition("==")[0] for pin in pinned if pin.count("--hash") == 1}
        assert alone <= {*sources.split(",")}, path
        assert all("--hash" in pin for pin in pinned)
        if alone:
            assert re.search(
                r"^\.venv/\w+: " + re.escape(path.name) + r" \.venv/build$", makefile, re.M
            )
