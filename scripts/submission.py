"""Pack a finished run and all it needs into one zip to hand in."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nbformat
from origin import DATA, NOTEBOOK, ROOT, find_stale, is_injected
from pdf import find_browser, print_page
from render import render

MOST = 10_000_000  # bytes
REPOSITORY = ("README.md", "LICENSE", "Makefile", "requirements.txt",
              "data/README.md", "benchmarks/results.json")  # fmt: skip
FOLDERS = {"helpers": "*.py", "scripts": "*.py", "templates": "*/*"}
OUTPUTS = ("results.json", "timings.json")


def main(out: Path) -> int:
    try:
        target = pack(out)
    except (OSError, ValueError) as error:
        print(f"make submission: {error}", file=sys.stderr)
        return 1
    size = target.stat().st_size / 1e6
    print(f"make submission: wrote {target} ({size:.1f} MB)")
    return 0


def pack(out: Path) -> Path:
    """Write out/submission.zip and return its path.

    Raises FileNotFoundError without a finished run, and ValueError when
    something changed since that run or the zip would be too large.
    """
    if not (out / "results.json").exists():
        raise FileNotFoundError(
            f"{out} holds no finished run; make execute first"
        )
    notebook = nbformat.read(out / NOTEBOOK, as_version=4)
    stale = find_stale(notebook)
    if set(stale) - {"data"}:
        raise ValueError(
            f"{', '.join(stale)} changed since the run; make execute again"
        )
    files = {ROOT / name: name for name in REPOSITORY}
    for folder, pattern in FOLDERS.items():
        for path in sorted((ROOT / folder).glob(pattern)):
            files[path] = path.relative_to(ROOT)
    if "data" in stale:
        print("make submission: your data are not packed, their hash is; put "
              f"them at {DATA.relative_to(ROOT)} to run it there")  # fmt: skip
    else:
        files[DATA] = DATA.relative_to(ROOT)
    files |= {out / name: name for name in OUTPUTS}
    for path in sorted((out / "figures").glob("*.png")):
        files[path] = f"figures/{path.name}"
    # without the parameters of this run, which hold elsewhere no longer
    notebook.cells = [c for c in notebook.cells if not is_injected(c)]
    target, new = out / "submission.zip", out / ".submission.zip"
    with tempfile.TemporaryDirectory(dir=out) as folder:
        page = Path(folder, "assignment7.html")
        page.write_text(render(notebook), encoding="utf-8")
        nbformat.write(notebook, page.with_name(NOTEBOOK))
        make_pdf(page)
        files |= {
            path: path.name for path in page.parent.glob("assignment7.*")
        }
        with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, name in files.items():
                archive.write(path, f"assignment7/{name}")
    if new.stat().st_size > MOST:
        new.unlink()
        raise ValueError(f"the zip would be larger than {MOST / 1e6:.0f} MB")
    return new.replace(target)


def make_pdf(page: Path) -> None:
    """Print the page to PDF beside it, where a browser is installed."""
    if not (browser := find_browser()):
        print("make submission: without a PDF (see make pdf)")
        return
    try:
        print_page(browser, page, page.with_suffix(".pdf"))
    except (OSError, subprocess.SubprocessError) as error:
        print(f"make submission: without a PDF ({error})")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
