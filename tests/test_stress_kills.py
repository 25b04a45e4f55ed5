"""Runs that are killed, run out of disk, or meet another: the old outputs
or the new ones, nothing in between, and nothing left running."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import psutil
import pytest
from conftest import ROOT, execute, fill, is_old
from place import OUTPUTS, PREFIX

pytestmark = pytest.mark.stress


@contextmanager
def start(out):
    """Start a quick run; end whatever is left of it with the block."""
    with subprocess.Popen(
        ["make", "execute", "QUICK=1", f"OUT={out}"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"LC_ALL": "C"},
    ) as make:  # fmt: skip
        try:
            yield make
        finally:
            with suppress(psutil.NoSuchProcess):
                running = psutil.Process(make.pid)
                for child in [*running.children(recursive=True), running]:
                    child.kill()


def find_victim(make, who):
    """Return the process named `who` of a run, as soon as there is one."""
    word = {"papermill": "execute.py", "kernel": "ipykernel_launcher",
            "worker": "popen_loky"}.get(who)  # fmt: skip
    while make.poll() is None:
        running = psutil.Process(make.pid)
        if word is None:
            return running
        for child in running.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if word in " ".join(child.cmdline()):
                    return child
        time.sleep(0.1)
    raise AssertionError(f"make ended before there was a {who}")


def wait_for(make, out, moment, random):
    """Wait until a run has just been started, is training, or has written
    its last file, which is not yet in place."""
    if moment == "start":
        time.sleep(random.uniform(0, 3))
    elif moment == "fits":
        find_victim(make, "worker")
        time.sleep(random.uniform(0, 40))
    else:
        while not list(out.glob(f"{PREFIX}*/assignment7.html")):
            assert make.poll() is None
            time.sleep(0.005)


def is_new(out):
    results = json.loads((out / "results.json").read_text())
    assert list((out / "figures").iterdir())
    return all(
        results["data"]["source"] in text
        and results["conclusions"]["why"] in text
        for text in ((out / name).read_text() for name in OUTPUTS[:2])
    )


def list_others(out):
    return {path.name for path in out.iterdir()} - set(OUTPUTS)


@pytest.mark.parametrize(
    ("who", "how", "moment"),
    [
        ("kernel", "KILL", "start"),
        ("kernel", "KILL", "fits"),
        ("worker", "KILL", "start"),
        ("worker", "KILL", "fits"),
        ("papermill", "TERM", "start"),
        ("papermill", "TERM", "fits"),
        ("papermill", "KILL", "start"),
        ("papermill", "KILL", "fits"),
        ("papermill", "KILL", "end"),
        ("make", "TERM", "start"),
        ("make", "TERM", "fits"),
        ("make", "KILL", "start"),
        ("make", "KILL", "fits"),
        ("make", "KILL", "end"),
    ],
)
def test_a_killed_run_leaves_whole_outputs(tmp_path, who, how, moment):
    fill(out := tmp_path / "build")
    seed = os.environ.get("STRESS_SEED", "0")
    rng = random.Random(f"{who}{how}{moment}{seed}")
    with start(out) as make:
        wait_for(make, out, moment, rng)
        victim = find_victim(make, who)
        family = psutil.Process(make.pid).children(recursive=True)
        victim.send_signal(getattr(signal, f"SIG{how}"))
        _, errors = make.communicate(timeout=60 if who != "worker" else 600)
        _, orphans = psutil.wait_procs(family, 15)
    assert orphans == []
    if make.returncode == 0:  # a worker without work, or an end that came
        assert who == "worker" or moment == "end"
        assert is_new(out)
        return
    assert is_old(out) or (moment == "end" and is_new(out))
    if how != "KILL":
        assert not list_others(out)
    lines = errors.splitlines()
    own = [text for text in lines if text.startswith("make execute:")]
    if (who, how) == ("papermill", "KILL"):
        assert lines[-1].endswith("execute] Killed")
    elif (who, moment) == ("kernel", "start"):
        assert "kernel died" in own[-1].lower()
    elif who in ("kernel", "worker"):
        assert "make execute: cell " in own[-1]
        assert "under '" in own[-1]
    elif own:
        assert own[-1].endswith("interrupted; the outputs are as they were")
        assert is_old(out)
    elif how == "TERM":  # it was not yet listening
        assert moment == "start"
        assert lines[-1].endswith("Terminated")


def test_of_two_runs_into_one_folder_one_is_refused(tmp_path):
    fill(out := tmp_path / "build")
    with start(out) as first:
        find_victim(first, "kernel")
        with start(out) as second:
            _, errors = second.communicate(timeout=60)
        assert second.returncode != 0
        assert f"another run is writing to {out}" in errors
        assert first.poll() is None  # it is not disturbed
        first.terminate()
        first.communicate(timeout=60)
    assert is_old(out)
    assert not list_others(out)


@pytest.mark.parametrize("size", ["700k", "4m"])  # of some 5 MB
def test_a_full_disk_leaves_the_old_outputs(tmp_path, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    try:
        fill(out := disk / "build")
        done = execute(out, "--quick", 1)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr.splitlines()[-1]
        assert is_old(out)
        assert not list_others(out)
    finally:
        subprocess.run(["umount", disk], check=True)
