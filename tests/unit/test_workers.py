"""Worker processes: they work beside one another, errors come back, and none is left behind."""

import os
import time
from pathlib import Path

import pytest

from sim.cosim.workers import WorkerError, Workers
from sme_hw.errors import InputError
from sme_hw.params import check_int


def ended(process):
    """Wait until a process is gone; tells whether it went."""
    for _ in range(200):
        stat = Path(f"/proc/{process}/stat")
        # A process that nobody waits for stays as a zombie.
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_every_task_once():
    """Results of all tasks come, from several processes, none of which is this one."""
    with Workers(2) as workers:
        tasks = iter([(number, 3) for number in range(50)])
        assert sorted(workers.map(divmod, tasks)) == sorted(divmod(n, 3) for n in range(50))
        (process,) = workers.map(os.getpid, [()])
        assert process != os.getpid()
    assert ended(process)


def test_errors_come_back():
    """What the user can cause stays an InputError; others are told with their kind."""
    with Workers(1) as workers:
        with pytest.raises(InputError, match=r"^width = 9 is not possible"):
            list(workers.map(check_int, [("width", 9, 1, 3)]))
        with pytest.raises(WorkerError, match=r"^ZeroDivisionError: "):
            list(workers.map(divmod, [(1, 0)]))
        assert list(workers.map(divmod, [(7, 2)])) == [(3, 1)]


@pytest.mark.parametrize(
    ("function", "arguments", "how"),
    [(os._exit, (3,), "exit code 3"), (os.abort, (), "signal SIGABRT")],
)
def test_a_worker_that_dies(function, arguments, how):
    """It is told how the process ended, instead of waiting for it."""
    with Workers(2) as workers, pytest.raises(WorkerError, match=how):
        list(workers.map(function, [arguments]))


def test_nothing_is_left_after_an_interrupt(tmp_path):
    """Workers end, and so does what they started, while they are busy."""
    note = tmp_path / "process"
    script = f"echo $$ > {note}.new; mv {note}.new {note}; exec sleep 1000"

    def interrupted():
        yield (script,)
        for _ in range(200):
            if note.exists():
                break
            time.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Workers(2) as workers:
        list(workers.map(os.system, interrupted()))
    assert ended(int(note.read_text()))
