"""What the notebook calls. Importing it sets TensorFlow up."""

import sys
from importlib.util import find_spec

for name in ("joblib", "tensorflow", "sklearn", "scikeras", "seaborn"):
    if find_spec(name) is None:
        raise ModuleNotFoundError(
            f"{sys.executable} has no {name}. Run `make lab`, which opens the "
            "notebook in the right environment, or choose the Python in .venv "
            "as the kernel (`make install` makes it).",
            name=name,
        )

from helpers import runtime  # noqa: E402

runtime.end_with_parent()
runtime.load_tensorflow()
