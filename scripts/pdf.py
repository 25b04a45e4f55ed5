"""Print the page of the last run with an installed Chromium or Chrome."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from outputs import PAGE, Refusal, locate, open_run

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-pdf-header-footer",
)


def find_browser() -> str | None:
    """Return the first installed browser that can print."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_page(page: Path, browser: str | None) -> Path:
    """Print `page` to a PDF beside it, and return the path of that."""
    if not browser:
        raise Refusal(
            "no Chromium or Chrome was found: install one (on Debian and "
            f"Ubuntu: apt-get install chromium), or print {page} from yours"
        )
    pdf = page.with_suffix(".pdf").resolve()
    pdf.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        own = (f"--user-data-dir={profile}", f"--print-to-pdf={pdf}")
        command = [browser, *FLAGS, *own, page.resolve().as_uri()]
        done = subprocess.run(command, timeout=120, capture_output=True)
    if not pdf.exists():
        raise Refusal(f"{browser} made no PDF: {done.stderr.decode()[-200:]}")
    return pdf


if __name__ == "__main__":
    open_run(out := locate(sys.argv[1]))
    print(f"Wrote {print_page(out / PAGE, find_browser())}")
