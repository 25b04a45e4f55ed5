"""Render an executed notebook as one page that needs nothing but itself."""

import re

import nbformat
from nbconvert import HTMLExporter
from outputs import ROOT
from traitlets.config import Config


def render(notebook: nbformat.NotebookNode) -> str:
    """Return the page of an executed notebook, as HTML."""
    # of several versions of an output: a source listing is Markdown here, so
    # that it takes its colours from the page, light or dark
    priority = ["text/markdown", "text/html", "image/png", "text/plain"]
    exporter = HTMLExporter(
        template_name="assignment",
        extra_template_basedirs=[str(ROOT / "templates")],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        config=Config({"NbConvertBase": {"display_data_priority": priority}}),
    )
    page, _ = exporter.from_notebook_node(notebook)
    # say which headers head columns, let the keyboard reach what scrolls
    page = re.sub(r"<th(?=[ >])(?![^>]*scope)", '<th scope="col"', page)
    page = re.sub(r"<pre(?=[ >])", '<pre tabindex="0"', page)
    page = re.sub(r"<table", '<div class="table" tabindex="0"><table', page)
    return page.replace("</table>", "</table></div>")
