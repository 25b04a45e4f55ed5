"""What the notebook calls. Import it before TensorFlow, which reads these."""

import os

# One thread a process gives the same sums on any number of cores; the models
# are too small to use more. Worker processes inherit all of these.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["OMP_NUM_THREADS"] = "1"  # that of NumPy's BLAS, too
os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
os.environ["TF_NUM_INTEROP_THREADS"] = "1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # 1.5 times as fast
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
