"""Run independent fits on a Dask cluster, through joblib's own backend."""

import numpy as np
from dask.distributed import Client
from joblib._dask import Batch, DaskDistributedBackend

LARGE = 1_000_000  # bytes; smaller arguments travel with their task


class DaskTasksTogether(DaskDistributedBackend):
    """joblib's Dask backend, each worker taking `together` consecutive tasks
    at once, and losing no data with a worker.

    joblib scatters arrays to workers, and what it scattered is gone when a
    worker is. Here a large array is the result of a task, which Dask repeats
    elsewhere.
    """

    def __init__(self, together: int, client: Client):
        super().__init__(client=client)
        self.together = together
        self.sent = {}

    def compute_batch_size(self) -> int:
        return self.together

    def _send(self, value):
        if not isinstance(value, np.ndarray) or value.nbytes < LARGE:
            return value
        if id(value) not in self.sent:
            future = self.client.submit(np.asarray, value, pure=False)
            self.sent[id(value)] = (value, future)  # kept: ids are reused
        return self.sent[id(value)][1]

    async def _to_func_args(self, func):
        tasks = [
            (
                function,
                [self._send(value) for value in args],
                {name: self._send(value) for name, value in kwargs.items()},
            )
            for function, args, kwargs in func.items
        ]
        return Batch(tasks), tasks

    def __reduce__(self):
        return DaskDistributedBackend, ()


def connect(address: str) -> Client:
    """Return a client of the scheduler at `address` (tcp://host:port).

    Raises OSError where there is none, and ValueError unless every worker
    has one thread, for TensorFlow's random state belongs to a process.
    """
    client = Client(address, set_as_default=False, timeout="15s")
    client.wait_for_workers(1, timeout=60)
    if any(threads != 1 for threads in client.nthreads().values()):
        client.close()
        raise ValueError(
            f"the workers of {address} have several threads each; start them "
            "with `dask worker ... --nthreads 1`"
        )
    return client
