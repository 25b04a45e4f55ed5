"""How a run behaves, on a small project."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from subprocess import PIPE

import execute
import nbformat
import outputs
import psutil
import pytest
from conftest import ROOT, call, fill, is_untouched, read_notebook
from nbformat.v4 import new_notebook
from outputs import OUTPUTS

MAKE = ["make", "-f", ROOT / "Makefile", "--assume-old=install"]
# without what a make that runs the tests would tell the makes in them
ENVIRONMENT = {k: v for k, v in os.environ.items() if "MAKE" not in k}


def test_a_run_replaces_the_old_outputs(project, tmp_path):
    fill(project / "build")
    kernel = tmp_path / "kernels" / "python3" / "kernel.json"  # a user's own
    kernel.parent.mkdir(parents=True)
    kernel.write_text('{"argv": ["false"], "display_name": "P"}')
    done = call(
        *("execute", "--quick", 1, "--seed", 7),
        root=project,
        env=os.environ | {"JUPYTER_DATA_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "1 of 2 fits done\n"
    out = project / "build"
    assert {path.name for path in out.iterdir()} == set(OUTPUTS)
    results = json.loads((out / "results.json").read_text())
    assert results == {"environment": {"quick": True, "seed": 7}}
    assert not list(project.glob(".build*"))
    text = nbformat.writes(read_notebook(out))
    assert str(project) not in text
    assert "papermill" not in text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("fail", "cell 3, in section '2. Two': ValueError: two lines of a"),
        ("die", "cell 3, in section '2. Two': the kernel ended with SIGKILL"),
    ],
)
def test_a_failed_run_changes_nothing_and_says_why(project, data, says):
    fill(project / "build")
    done = call("execute", "--data", data, root=project)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(says)
    assert is_untouched(project / "build")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (-signal.SIGILL, "SIGILL (this processor lacks AVX, which"),
        (-signal.SIGKILL, "SIGKILL (killed: most likely out of memory)"),
        (-signal.SIGABRT, "SIGABRT"),
        (-99, "exit status -99"),
        (3, "exit status 3"),
    ],
)
def test_how_a_kernel_died_is_explained(status, says):
    assert f"the kernel ended with {says}" in execute.explain_death(status)


def test_an_error_before_the_first_cell_is_not_put_in_a_section():
    assert execute.locate_last_cell([]) == "before the first cell"


@contextmanager
def waiting(project, *command):
    """A run that waits in a cell, and its kernel."""
    command = command or (sys.executable, "scripts/execute.py", "--data=wait")
    with subprocess.Popen(
        command, cwd=project, env=ENVIRONMENT, stderr=PIPE, text=True
    ) as run:
        assert "1 of 2" in run.stderr.readline()
        yield run, psutil.Process(run.pid).children(recursive=True)[-1]


def test_an_interrupted_run_changes_nothing(project):
    fill(project / "build")
    with waiting(project) as (run, kernel):
        run.send_signal(signal.SIGINT)
        assert run.stderr.read().startswith("interrupted; ")
    assert run.returncode == 1
    assert not kernel.is_running()
    assert is_untouched(project / "build")


def test_make_passes_on_that_it_was_ended(project):
    fill(project / "build")
    command = [*MAKE, f"RUN={sys.executable}", "execute", "DATA=wait"]
    with waiting(project, *command) as (run, kernel):
        run.terminate()
        assert "interrupted; " in run.stderr.read()
    kernel.wait(20)
    assert is_untouched(project / "build")


def test_a_killed_run_leaves_nothing_that_the_next_command_keeps(project):
    fill(project / "build")
    with waiting(project) as (run, kernel):
        run.kill()
    kernel.wait(20)
    assert list(project.glob(".build-run-*"))
    call("publish", "build", root=project)
    assert is_untouched(project / "build")


@pytest.mark.parametrize("step", ["run_notebook", "render"])
def test_a_full_disk_changes_nothing(tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "environ", {**os.environ})
    monkeypatch.setattr(execute, "run_notebook", lambda *_: new_notebook())
    monkeypatch.setattr(execute, step, fail)
    fill(tmp_path / "build")
    with pytest.raises(OSError, match="No space left"):
        execute.execute(tmp_path / "build", {}, {})
    assert is_untouched(tmp_path / "build")


def test_a_parameter_that_the_notebook_lacks_is_refused(tmp_path):
    with pytest.raises(outputs.Refusal, match="no parameter SEEDS"):
        execute.execute(tmp_path / "build", {"SEEDS": 1}, {})


@pytest.mark.parametrize(
    "options",
    [
        ["--quick", "yes"],
        ["--seed", "-1"],
        ["--seed", "4294967295"],
        ["--seed", "1.5"],
        ["--jobs", "many"],
        ["--backend", "dask"],
        ["--scheduler", "tcp://localhost:8786"],
    ],
)
def test_options_that_mean_nothing_are_refused(monkeypatch, capsys, options):
    monkeypatch.setattr(sys, "argv", ["execute.py", *options])
    with pytest.raises(SystemExit, match="2"):
        execute.parse_options()
    assert options[0][2:] in capsys.readouterr().err.split("error:")[1].lower()


def test_neither_make_nor_shell_evaluates_values(tmp_path):
    harm = "$(shell touch harm)`touch harm`"
    data = "-a$b\"c' `touch harm` $(touch harm) $$(touch harm) " + harm
    done = subprocess.run(
        [*MAKE, r"RUN=printf '%s\n'", "execute", f"DATA={data}"],
        cwd=tmp_path,
        env=ENVIRONMENT | {"GROUPS": harm, "OUT": harm},
        stdout=PIPE,
        text=True,
    )
    options = [f"--out={harm}", f"--data={data}", f"--groups={harm}"]
    assert done.stdout.splitlines() == ["scripts/execute.py", *options]
    assert not list(tmp_path.iterdir())


def test_scripts_import_nothing_that_windows_lacks():
    names = ", ".join(path.stem for path in (ROOT / "scripts").glob("*.py"))
    code = (
        "import sys, nbclient, nbconvert, papermill, psutil\n"
        "for name in ('fcntl', 'grp', 'pwd', 'resource', 'termios', 'pty'):\n"
        f"    sys.modules[name] = None\nimport {names}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "scripts",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
