"""Functions that `assignment7.ipynb` imports; one job per file."""

from helpers import runtime

runtime.load_tensorflow()  # before any helper does
