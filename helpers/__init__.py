"""Functions that `assignment7.ipynb` imports; one job per file."""

from helpers import runtime

runtime.configure_tensorflow()  # before anything imports TensorFlow
