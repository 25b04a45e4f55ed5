import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
mpl.use("Agg")

import place  # noqa: E402

# Gene names that do harm where they are not escaped, sorted as the old ones.
HOSTILE = {
    "Gene_0": "<b>a\"b' & $x$",
    "Gene_1": "<script>alert(1)</script>",
    "Gene_2": "G![x](https://example.org/x.png) HLA-A*02:01*",
}


# Tests of these files look at the same quick run.
OF_ONE_RUN = ("test_page", "test_publish", "test_run", "test_stress_equal")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal out tests so that no process of `make test` makes a fixture again
    that takes long: by file, and each by itself where none is shared."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFixture(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = Path(nodeid.split("::")[0]).stem
            if file in OF_ONE_RUN:
                return "one run"
            alone = file in ("test_stress_kills", "test_stress_odd")
            return nodeid if alone else file

    return ByFixture(config, log)


def execute(out, *options, root=ROOT):
    """Run the script behind `make execute` of the repository at `root`."""
    return subprocess.run(
        [sys.executable, root / "scripts" / "execute.py", "--out", out,
         *map(str, options)],
        cwd=root, capture_output=True, text=True, timeout=900, check=False,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )  # fmt: skip


def fill(out):
    """Make `out` hold what stands for the outputs of an earlier run."""
    out.mkdir()
    for name in place.OUTPUTS:
        (out / name).write_text("old")


def is_old(out):
    return all(
        (out / name).is_file() and (out / name).read_text() == "old"
        for name in place.OUTPUTS
    )


def source_files():
    """Return the hash of every file that a run must leave alone."""
    skip = {".git", ".venv", "build", "__pycache__", ".pytest_cache",
            ".ruff_cache", ".hypothesis"}  # fmt: skip
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in ROOT.rglob("*")
        if path.is_file() and not skip & set(path.relative_to(ROOT).parts)
    }


@pytest.fixture(scope="session")
def hostile_data(tmp_path_factory):
    """Return the path of the stand-in data with names that may do harm."""
    text = (ROOT / "data" / "gene_expression_data.csv").read_text()
    header, rows = text.split("\n", 1)
    for name, hostile in HOSTILE.items():
        quoted = hostile.replace('"', '""')
        header = ",".join(
            f'"{column.replace(name + "_T", quoted + "_T")}"'
            if column.startswith(name + "_T") else column
            for column in header.split(",")
        )  # fmt: skip
    path = tmp_path_factory.mktemp("data") / "hostile.csv"
    path.write_text(f"{header}\n{rows}")
    return path


@pytest.fixture(scope="session")
def run(tmp_path_factory, hostile_data):
    """Return the outputs' folder, and the process, of a quick run."""
    before = source_files()
    out = tmp_path_factory.mktemp("run") / "build"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    done = execute(out, "--quick", 1, "--data", hostile_data)
    assert done.returncode == 0, done.stderr
    assert source_files() == before
    return out, done


@pytest.fixture(scope="session")
def notebook(run):
    return nbformat.read(run[0] / "assignment7.ipynb", as_version=4)


@pytest.fixture(scope="session")
def unpacked(run, tmp_path_factory):
    """The submission of the quick run, unpacked in another place."""
    import submission

    out = tmp_path_factory.mktemp("handed in") / "build"
    shutil.copytree(run[0], out)
    submission.main(out)
    place = tmp_path_factory.mktemp("Prüfung, élève 1")
    with zipfile.ZipFile(out / "submission.zip") as archive:
        archive.extractall(place)
    return place / "assignment7"
