"""Execute the notebook, render it, and replace the outputs of the last run."""

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import nbformat
import outputs
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from outputs import NOTEBOOK, ROOT, Refusal
from papermill.exceptions import PapermillExecutionError
from render import render

# keeps remarks of a kernel that ends off the terminal
QUIETLY = [
    "--IPKernelApp.log_level=CRITICAL",
    "--IPKernelApp.exec_lines=import logging; "
    "logging.getLogger('asyncio').setLevel('CRITICAL')",
]
DEATHS = {
    "SIGILL": " (this processor lacks AVX, which TensorFlow needs)",
    "SIGKILL": " (killed: most likely out of memory)",
}


def main() -> None:
    out, parameters, cluster = parse_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as on Ctrl-C
    try:
        execute(out, parameters, cluster)
    except KeyboardInterrupt:
        print(f"interrupted; {out} is as it was", file=sys.stderr, flush=True)
        os._exit(1)  # else asyncio would have the last word
    timings = json.loads((out / "timings.json").read_text("utf-8"))
    for name, seconds in timings.items():
        print(f"{seconds:8.1f} s  {name}")
    print(f"Wrote {', '.join(outputs.OUTPUTS)} to {out}")


def parse_options() -> tuple[Path, dict, dict[str, str]]:
    """Return the folder of the outputs, the notebook's parameters that were
    given, and where the cluster is."""
    parser = argparse.ArgumentParser("make execute", description=__doc__)
    parser.add_argument("--out", type=outputs.locate, default="build")
    parser.add_argument("--data", type=os.path.expanduser)
    parser.add_argument("--groups")
    parser.add_argument("--quick", type=int, choices=[0, 1])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--backend", choices=["dask"])
    parser.add_argument("--scheduler")
    options = vars(parser.parse_args())
    given = {k.upper(): v for k, v in options.items() if v is not None}
    out = given.pop("OUT")
    cluster = {name: given.pop(name, "") for name in ("BACKEND", "SCHEDULER")}
    if len(set(map(bool, cluster.values()))) > 1:
        parser.error("a cluster needs BACKEND=dask and SCHEDULER=tcp://...")
    for number in (given.get("SEED", 0), given.get("JOBS", 0)):
        if not 0 <= number < 10**9:  # some seeds are made by adding to SEED
            parser.error(f"SEED and JOBS are from 0 to 10^9, not {number}")
    if "QUICK" in given:
        given["QUICK"] = bool(given["QUICK"])
    if given.get("GROUPS") == "False":
        given["GROUPS"] = False
    return out, given, cluster


def execute(out: Path, parameters: dict, cluster: dict[str, str]) -> None:
    """Make all outputs beside `out`, then exchange them. Whatever goes wrong,
    `out` stays as it was."""
    outputs.recover(out)
    outputs.check_replaceable(out)
    notebook = nbformat.read(ROOT / NOTEBOOK, as_version=4)
    known = papermill.inspect_notebook(notebook)
    for name in parameters.keys() - known:  # papermill would only warn
        raise Refusal(f"the notebook has no parameter {name}")
    provenance = outputs.provenance(parameters.get("DATA", outputs.DATA))
    folder = outputs.run_folder(out)
    new, progress = folder / "new", folder / "progress"
    os.environ |= cluster | {
        "OUT": str(new),
        "PROGRESS_FILE": str(progress),
        # start the Python of .venv, whatever else is called python3
        "JUPYTER_PREFER_ENV_PATH": "1",
        # a remark of loky's on workers that ended with their kernel
        "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
    }
    try:
        new.mkdir(parents=True)
        with showing_lines(progress):
            notebook = run_notebook(notebook, parameters)
        timings = json.dumps(time_sections(notebook), indent=1)
        (new / "timings.json").write_text(timings + "\n", encoding="utf-8")
        provenance |= outputs.hash_files(new, outputs.RESULTS)
        clean(notebook).metadata["provenance"] = provenance
        nbformat.write(notebook, new / NOTEBOOK)
        (new / outputs.PAGE).write_text(render(notebook), encoding="utf-8")
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)  # what is left takes no time
        outputs.install_outputs(out)
    finally:
        outputs.recover(out)


@contextmanager
def showing_lines(path: Path) -> Iterator[None]:
    """Print what the kernel writes to `path`, as it comes."""
    ended = Event()

    def show():
        with path.open(encoding="utf-8") as lines:
            last = False
            while not last:
                last = ended.wait(0.5)
                print(lines.read(), end="", file=sys.stderr, flush=True)

    path.touch()
    thread = Thread(target=show)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Kernel(AsyncKernelManager):
    """Keeps the exit status of the kernel that ended last."""

    status = None

    async def cleanup_resources(self, restart: bool = False) -> None:
        if self.provisioner:
            Kernel.status = await self.provisioner.poll()
        await super().cleanup_resources(restart)


def explain_death(status: int | None) -> str:
    """Say how a process ended: by a signal if `status` is below zero."""
    names = {-number: number.name for number in signal.Signals}
    how = names.get(status, f"exit status {status}")
    return f"the kernel ended with {how}{DEATHS.get(how, '')}"


def run_notebook(
    notebook: nbformat.NotebookNode, parameters: dict
) -> nbformat.NotebookNode:
    begun = []  # cells: papermill marks all as completed if the kernel dies
    try:
        return papermill.execute_notebook(
            notebook,
            None,  # it is written when it is whole
            parameters,
            cwd=ROOT,
            kernel_name="python3",
            progress_bar=False,
            extra_arguments=QUIETLY,
            kernel_manager_class=Kernel,
            on_cell_start=lambda cell, cell_index: begun.append(cell),
        )
    except PapermillExecutionError as error:
        cause = f"{error.ename}: {' '.join(error.evalue.split())}"
    except DeadKernelError:
        cause = explain_death(Kernel.status)
    raise Refusal(f"{locate_last_cell(begun)}: {cause}")


def locate_last_cell(cells: list[nbformat.NotebookNode]) -> str:
    """Name the last code cell and its section."""
    headings = [heading for heading, _ in list_code_cells(cells)]
    if not headings:
        return "before the first cell"
    return f"cell {len(headings)}, in section '{headings[-1]}'"


def time_sections(notebook: nbformat.NotebookNode) -> dict[str, float]:
    """Return the seconds that each section took, by its heading."""
    seconds = {}
    for heading, cell in list_code_cells(notebook.cells):
        took = cell.metadata["papermill"]["duration"]
        seconds[heading] = round(seconds.get(heading, 0) + took, 1)
    return seconds


def list_code_cells(cells: list[nbformat.NotebookNode]):
    """Yield the heading above each code cell, and the cell."""
    heading = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            text = re.sub("```.*?```", "", cell.source, flags=re.DOTALL)
            heading = (re.findall("^#+ +(.+)$", text, re.M) or [heading])[-1]
        elif cell.cell_type == "code":
            yield heading, cell


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs between equal runs: times, paths, random ids."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags"):
            cell.metadata.pop("tags", None)
    return notebook


if __name__ == "__main__":
    main()
