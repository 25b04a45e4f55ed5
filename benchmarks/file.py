"""Load a large file, or read it with pandas alone; report seconds and how
far the process's peak memory grew, in MB."""

import json
import resource
import sys
import time

import pandas as pd

from helpers.data import load_expression_data
from helpers.simulate import simulate_expression, write_csv


def main(task: dict) -> None:
    path = task["path"]
    if task["name"] == "write":
        write_csv(simulate_expression(n_samples=20_000), path)
        print("{}")
        return
    load = {"ours": load_expression_data, "pandas": pd.read_csv}
    before = peak()
    start = time.perf_counter()
    kept = load[task["name"]](path)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "megabytes": peak() - before}))
    del kept


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
