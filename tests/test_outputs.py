"""How the outputs of a run replace the last ones."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import outputs
import pytest
from conftest import ROOT, fill
from outputs import OUTPUTS


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_kill_amid_the_exchange_leaves_old_or_new(
    tmp_path, monkeypatch, renames
):
    out, rename, done = tmp_path / "build[1]", Path.rename, []

    def rename_or_die(path, target):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(rename(path, target))

    fill(out)
    new = outputs.run_folder(out) / "new"
    shutil.copytree(out, new)
    (new / "results.json").write_text("new")
    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(Path, "rename", rename_or_die)
        outputs.install_outputs(out)
    outputs.recover(out)
    assert list(tmp_path.iterdir()) == [out]
    assert {path.name for path in out.iterdir()} == set(OUTPUTS)
    text = (out / "results.json").read_text()
    assert text == ("new" if renames == 2 else "old")


def test_what_a_living_run_is_making_is_left_alone(tmp_path):
    out = tmp_path / "build"
    fill(out)
    other = tmp_path / f".build-run-{os.getppid()}" / "new"
    other.mkdir(parents=True)
    outputs.recover(out)
    assert other.exists()


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["figures"],  # a student stopped half-way
        ["figures", "results.json", "timings.json"],  # and ran all cells
        [*OUTPUTS, *outputs.EXTRAS],
    ],
)
def test_outputs_are_replaceable_whole_or_in_part(tmp_path, names):
    for name in names:
        (tmp_path / name).mkdir()
    if "figures" in names:
        (tmp_path / "figures" / "search.png").touch()
    outputs.check_replaceable(tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "figures/notes.txt", ".git/a"])
def test_other_files_are_never_replaced(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(outputs.Refusal, match=f"{Path(name).parts[0]}"):
        outputs.check_replaceable(tmp_path)


def test_the_repository_is_never_replaced():
    folders = [ROOT / name for name in ("data", "figures", "helpers", "tests")]
    for path in (ROOT, ROOT.parent, Path(ROOT.anchor), *folders):
        with pytest.raises(outputs.Refusal):
            outputs.check_replaceable(path)
