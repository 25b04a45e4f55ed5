"""The notebook, executed for real by the script behind `make execute`."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import execute as execute_script
import nbformat
import papermill
import place
import pytest
from conftest import ROOT, execute, fill, is_old, source_files

from helpers.experiments import MODELS
from helpers.simulate import SETTINGS, simulate_expression, write_csv

OUTPUTS = {"assignment7.ipynb", "assignment7.html", "results.json",
           "timings.json", "figures"}  # fmt: skip
KEYS = ["data", "split", "grid", "training", "comparison", "controls",
        "order", "conclusions", "environment"]  # fmt: skip


def test_all_outputs_are_written_and_nothing_is_lost(run):
    out, done = run
    names = {path.name for path in out.iterdir()}
    assert names == OUTPUTS | {"notes.txt"}
    assert len(list((out / "figures").glob("*.png"))) == 10
    assert [p.name for p in out.parent.iterdir()] == ["build"]
    assert "s  grid search, attention" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("make execute: wrote")


def test_terminal_shows_progress_and_nothing_else(run):
    lines = run[1].stderr.splitlines()
    assert "grid search: 32 of 32 fits done, about 0 s left" in lines
    line = re.compile(r"[a-z ]+: \d+ of \d+ fits done, about \d+ s left")
    assert all(line.fullmatch(text) for text in lines), lines


def test_notebook_ran_from_top_to_bottom(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    assert counts == list(range(1, len(code) + 1))
    kinds = [o.output_type for cell in code for o in cell.outputs]
    assert "error" not in kinds
    assert "stream" not in kinds  # no banner, warning or progress line


def test_notebook_holds_no_time_and_no_path(notebook, run):
    text = nbformat.writes(notebook)
    for litter in (str(ROOT), str(run[0]), "papermill", "iopub", "date"):
        assert litter not in json.dumps(notebook.metadata), litter
    assert str(run[0].parent) not in text
    assert str(ROOT) not in text
    assert "<strong>Note:" not in text


def test_notebook_says_what_kind_of_run_it_is(notebook):
    text = nbformat.writes(notebook)
    assert "This is a quick run" in text
    assert "This run uses the **stand-in data**" in text


def test_results_hold_every_section(run):
    results = json.loads((run[0] / "results.json").read_text())
    assert sorted(results) == sorted(KEYS)
    assert len(results["grid"]["attention"]["candidates"]) == 16
    assert len(results["grid"]["LSTM"]["candidates"]) == 4
    assert len(results["training"]["attention"]["val_loss"]) == 10
    moves = results["order"]["moves"]
    assert moves["attention"]["largest"] < 1e-5
    assert moves["LSTM"]["mean"] > 1e-3
    assert moves["attention + time"]["mean"] > 1e-3
    assert list(results["controls"]) == list(SETTINGS)
    for row in results["controls"].values():
        assert set(row) >= {*MODELS, "best possible"}
        assert all(len(scores) == 2 for scores in row.values())
    models = results["comparison"]["models"]
    assert 0.9 < models["best possible"]["held_out"]["roc_auc"] < 1
    assert len(results["comparison"]["pairs"]) == 3
    assert set(results["comparison"]["importance"]) == set(moves)


def test_parameters_cell_has_every_name_that_make_passes():
    known = papermill.inspect_notebook(ROOT / "assignment7.ipynb")
    assert set(known) == {"DATA", "QUICK", "SEED", "JOBS"}


def test_bad_data_stops_the_run_and_changes_nothing(tmp_path):
    path, out = tmp_path / "spoilt.csv", tmp_path / "build {0} $a\"'"
    write_csv(simulate_expression(n_samples=30, n_time_steps=4), path)
    text = path.read_text().splitlines()
    path.write_text("\n".join([*text[:9], "x" + text[9], *text[10:]]))
    fill(out)
    done = execute(out, "--quick", 1, "--data", path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "under '1. Data (Q1)': DataError: " in last
    assert "row 10 of the file, column 'Gene_0_Time_0'" in last
    assert is_old(out)
    assert {p.name for p in out.iterdir()} == OUTPUTS
    assert set(tmp_path.iterdir()) == {path, out}


@pytest.mark.parametrize("out", [ROOT, ROOT.parent, ROOT / "data", __file__])
def test_outputs_never_replace_the_repository(out):
    before = source_files()
    done = execute(out)
    assert done.returncode == 1
    assert "make execute: " in done.stderr
    assert f"OUT={out}" in done.stderr
    assert source_files() == before


def test_interrupted_run_leaves_no_trace(tmp_path):
    out = tmp_path / "build"
    fill(out)
    command = [sys.executable, ROOT / "scripts" / "execute.py", "--out", out]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and len(list(out.iterdir())) < 6:
            time.sleep(0.1)  # until it has begun
        time.sleep(10)
        run.terminate()
        last = run.stderr.read().splitlines()[-1]
    assert run.returncode == 1
    assert last.startswith("make execute: interrupted")
    assert is_old(out)
    assert {p.name for p in out.iterdir()} == OUTPUTS


def test_a_run_whose_make_is_gone_ends(tmp_path):
    done = execute(tmp_path / "build", "--make", 1)
    assert done.returncode == 1
    assert "make execute: interrupted" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "build").exists()


@pytest.fixture
def old_and_new(tmp_path):
    out = tmp_path / "out"
    new = out / f"{place.PREFIX}1"
    for folder, text in ((out, "old"), (new, "new")):
        folder.mkdir()
        for name in OUTPUTS:
            (folder / name).write_text(text)
    (out / "notes.txt").write_text("mine")
    return new, out


def read(out):
    assert (out / "notes.txt").read_text() == "mine"
    return {(out / name).read_text() for name in OUTPUTS}


@pytest.mark.parametrize("moves", range(11))
def test_half_a_move_is_undone(old_and_new, monkeypatch, moves):
    rename, done = Path.rename, []

    def failing(path, target):
        done.append(path)
        if len(done) == moves + 1:
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="disk full"):
        place.put_in_place(*old_and_new)
    assert read(old_and_new[1]) == {"old"}


class PowerFailure(BaseException):
    pass


@pytest.mark.parametrize("moves", range(11))
def test_a_machine_that_stops_amid_the_moves_has_its_outputs_back(
    old_and_new, monkeypatch, moves
):
    rename, done = Path.rename, []

    def dying(path, target):
        if len(done) == moves:
            raise PowerFailure  # at which nothing else can be renamed either
        done.append(path)
        return rename(path, target)

    new, out = old_and_new
    monkeypatch.setattr(Path, "rename", dying)
    with pytest.raises(PowerFailure):
        place.put_in_place(new, out)
    monkeypatch.setattr(Path, "rename", rename)
    place.clean_up(out)
    assert read(out) == {"old"}
    assert not new.exists()


@pytest.mark.parametrize("first", [True, False])
def test_outputs_are_put_in_place(old_and_new, first):
    new, out = old_and_new
    if first:
        for name in OUTPUTS:
            (out / name).unlink()
    place.put_in_place(new, out)
    place.clean_up(out)
    assert read(out) == {"new"}
    assert not new.exists()


def test_a_run_after_a_machine_stopped_takes_the_outputs_back(old_and_new):
    new, out = old_and_new
    (new / "replaced").mkdir()
    for name in list(OUTPUTS)[:2]:  # as far as it came
        (out / name).rename(new / "replaced" / name)
    done = execute(out, "--data", "nowhere.csv")
    assert "no such file" in done.stderr
    assert read(out) == {"old"}
    assert not new.exists()


def test_what_killed_runs_left_stops_no_later_one(tmp_path):
    (tmp_path / f"{place.PREFIX}1" / "replaced").mkdir(parents=True)
    (tmp_path / f"{place.PREFIX}file").touch()
    place.clean_up(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [f"{place.PREFIX}file"]


@pytest.mark.parametrize("mine", [["assignment7.ipynb"],
                                  ["results.json", "figures"]])  # fmt: skip
def test_files_of_another_kind_are_not_replaced(tmp_path, mine):
    for name in mine:
        (tmp_path / name).write_text("mine")
    done = execute(tmp_path)
    assert done.returncode == 1
    assert f"holds {', '.join(mine)}, and not all that a run" in done.stderr
    assert {p.name for p in tmp_path.iterdir()} == set(mine)


def test_what_cells_wrote_by_hand_may_be_replaced(tmp_path):
    for name in ("results.json", "timings.json", "figures"):
        (tmp_path / name).write_text("by hand")
    execute_script.check_outputs(tmp_path)


def test_an_empty_folder_stays_when_a_run_fails(tmp_path):
    done = execute(tmp_path, "--data", "nowhere.csv")
    assert done.returncode == 1
    assert tmp_path.exists()


def test_neither_make_nor_shell_evaluates_values(tmp_path):
    harm = tmp_path / "harm"
    value = f"-a$b\"c' `touch {harm}` $(touch {harm}) $(shell touch {harm})"
    shown = subprocess.check_output(
        ["make", "-n", "execute", f"DATA={value}"], cwd=ROOT, text=True
    )
    command = shown[shown.index("exec ") :].replace("\\\n", " ")
    assert f"--data={value}" in shlex.split(command)
    done = subprocess.run(
        ["make", "execute", f"DATA={value}", f"OUT={value}", "QUICK=x"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "QUICK must be 0 or 1, got 'x'" in done.stderr
    assert not harm.exists()


@pytest.mark.parametrize("stream", [1, 2])
def test_a_run_goes_on_when_nobody_listens(tmp_path, stream):
    reading, writing = os.pipe()
    os.close(reading)
    code = (
        "import sys; sys.path.insert(0, 'scripts'); import execute\n"
        "from pathlib import Path; path = Path(sys.argv[1]); path.touch()\n"
        "with execute.follow(path):\n"
        "    path.write_text('1 of 2'); import time; time.sleep(1)\n"
        "execute.report({'a': 1.0}, path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "progress"], cwd=ROOT,
        check=False, **{("stdout", "stderr")[stream - 1]: writing},
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 0


def test_a_second_run_into_the_same_folder_is_refused(tmp_path):
    out = tmp_path / "build"
    out.mkdir()
    with execute_script.only_run(out):
        done = execute(out, "--quick", 1)
        assert done.returncode == 1
        assert "another run is writing to" in done.stderr.splitlines()[-1]
        assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--quick", "yes", "QUICK must be 0 or 1, got 'yes'"),
        ("--seed", "-1", "SEED must be a whole number, got '-1'"),
        ("--seed", "٣", "SEED must be a whole number, got '٣'"),
        ("--seed", "4294967295", "SEED must have at most 9 digits"),
        ("--seed", "1.5", "SEED must be a whole number, got '1.5'"),
        ("--jobs", "many", "JOBS must be a whole number, got 'many'"),
    ],
)
def test_bad_parameters_are_refused(tmp_path, option, value, message):
    done = execute(tmp_path / "build", option, value)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "build").exists()
