"""Pack a finished run and all that it needs into one zip to hand in."""

import sys
import zipfile
from pathlib import Path

import nbformat
import outputs
from outputs import DATA, NOTEBOOK, PAGE, Refusal
from pdf import find_browser, print_page
from render import render

REPOSITORY = (
    *outputs.SOURCES,
    "README.md",
    "LICENSE",
    "Makefile",
    "data/README.md",
    "scripts/*.py",
    "templates/*/*",
)
RUN = (*outputs.RESULTS, "timings.json", "assignment7.pdf")


def pack(out: Path, browser: str | None) -> Path:
    """Write out/submission.zip and return its path."""
    notebook = outputs.open_run(out)
    changes = outputs.find_changes(notebook, out)
    if set(changes) - {"data"}:
        raise Refusal(f"changed since the run: {', '.join(changes)}")
    if changes:
        print(f"Your data are not packed; put them at {DATA} to run it there")
    try:
        print_page(out / PAGE, browser)
    except Refusal as error:
        print(f"Without a PDF: {error}")
    # without the parameters of this run, which do not hold elsewhere
    notebook.cells = [
        cell for cell in notebook.cells if not outputs.is_injected(cell)
    ]
    target = out / "submission.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, patterns in ((outputs.ROOT, REPOSITORY), (out, RUN)):
            for name in outputs.list_files(folder, patterns):
                archive.write(folder / name, f"assignment7/{name}")
        if not changes:
            archive.write(outputs.ROOT / DATA, f"assignment7/{DATA}")
        archive.writestr(f"assignment7/{NOTEBOOK}", nbformat.writes(notebook))
        archive.writestr(f"assignment7/{PAGE}", render(notebook))
    return target


if __name__ == "__main__":
    target = pack(outputs.locate(sys.argv[1]), find_browser())
    print(f"Wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")
