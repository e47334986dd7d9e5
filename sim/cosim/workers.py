"""Worker processes: functions run beside one another, and all of them end with their owner."""

import importlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

from sme_hw.errors import InputError

__all__ = ["WorkerError", "Workers", "serve"]

_LOG_TAIL = 2000
"""Characters of a worker's last words that are told."""


class WorkerError(Exception):
    """A worker process ended, or the function it ran raised an error; the message has its end."""


class _Worker:
    """A process that runs one function after the other, in a process group of its own."""

    def __init__(self) -> None:
        # One thread each: there are as many workers as cores.
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        with ExitStack() as stack:
            self._log = stack.enter_context(tempfile.TemporaryFile())
            # Not multiprocessing: that would import the user's script again, or copy a process
            # that has threads, and the interrupt key would reach the children.
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=environment,
                start_new_session=True,
            )
            # From here on, kill() closes it.
            stack.pop_all()

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Run a function of a module there and return what it returned."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump((function.__module__, function.__name__, arguments), process.stdin)
            process.stdin.flush()
            kind, content = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            raise WorkerError(f"a worker process ended: {self._end()}") from None
        if kind == "input error":
            raise InputError(content)
        if kind == "error":
            raise WorkerError(content)
        return content

    def _end(self) -> str:
        """Return how the process ended."""
        code = self._process.wait()
        self._log.seek(0)
        text = self._log.read().decode(errors="replace")[-_LOG_TAIL:].strip()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"{how}\n{text}".strip()

    def kill(self) -> None:
        """End the process and whatever it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in filter(None, (self._process.stdin, self._process.stdout, self._log)):
            with suppress(OSError):
                stream.close()


class Workers:
    """A number of worker processes, as a context: none is left when it ends, however it ends.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int):
        self._workers = [_Worker() for _ in range(count)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()

    def map(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Call a function of a module with the arguments of each task.

        Tasks are taken as workers become free, so that few of them exist at a time.

        Yields
        ------
        object
            What it returned, in any order.

        Raises
        ------
        InputError
            The function raised one.
        WorkerError
            A worker ended, or its function raised another error.
        """
        rest, lock = iter(tasks), threading.Lock()
        results: queue.Queue[tuple[str, Any]] = queue.Queue()

        def feed(worker: _Worker) -> None:
            try:
                while True:
                    with lock:
                        task = next(rest, None)
                    if task is None:
                        break
                    results.put(("result", worker.call(function, task)))
            except BaseException as error:
                results.put(("error", error))
            else:
                results.put(("end", None))

        threads = [threading.Thread(target=feed, args=(w,), daemon=True) for w in self._workers]
        for thread in threads:
            thread.start()
        ended = 0
        while ended < len(threads):
            kind, content = results.get()
            if kind == "error":
                raise content
            if kind == "result":
                yield content
            ended += kind == "end"


def serve() -> None:
    """Be a worker: run functions that come on the standard input until there are no more."""
    # What is printed must not come between results.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            module, name, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            reply = "result", getattr(importlib.import_module(module), name)(*arguments)
        except InputError as error:
            reply = "input error", str(error)
        except Exception as error:
            reply = "error", f"{type(error).__name__}: {error}"
        pickle.dump(reply, results)
        results.flush()
