"""Print the rendered page to PDF with an installed Chromium or Chrome."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome",
         "google-chrome-stable", "chrome", "microsoft-edge")  # fmt: skip
MAC = "/Applications/{0}.app/Contents/MacOS/{0}"
PLACES = tuple(
    MAC.format(n) for n in ("Google Chrome", "Chromium", "Microsoft Edge")
)


def main(out: Path) -> int:
    page = out / "assignment7.html"
    if not page.exists():
        return refuse(f"{out} holds no finished run; make execute first")
    browser = find_browser()
    if not browser:
        return refuse(
            "no Chromium, Chrome or Edge was found. Install one (on Debian "
            "and Ubuntu: apt-get install chromium), or open "
            f"{page} in your browser and print it from there"
        )
    try:
        print_page(browser, page, page.with_suffix(".pdf"))
    except (OSError, subprocess.SubprocessError) as error:
        return refuse(f"{browser} made no PDF: {error}")
    print(f"make pdf: wrote {page.with_suffix('.pdf')}")
    return 0


def find_browser() -> str | None:
    """Return the first installed browser that can print."""
    return next(filter(None, map(shutil.which, (*NAMES, *PLACES))), None)


def print_page(browser: str, page: Path, pdf: Path) -> None:
    """Print `page` to `pdf`, which is replaced only by a finished one."""
    # beside the page, for a browser may be kept from the system's folder
    with tempfile.TemporaryDirectory(dir=pdf.parent) as folder:
        new = Path(folder).resolve() / "page.pdf"
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-background-networking",
             f"--user-data-dir={new.parent}/profile", "--no-pdf-header-footer",
             f"--print-to-pdf={new}", page.resolve().as_uri()],
            check=True, timeout=120, capture_output=True,
        )  # fmt: skip
        if not new.exists():
            raise FileNotFoundError("it ended without writing one")
        new.replace(pdf)


def refuse(why: str) -> int:
    print(f"make pdf: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
