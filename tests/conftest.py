"""What all tests share: Verilator's own sources, which take seconds, are compiled once."""

import os
import sys
from pathlib import Path

import pytest

# Before numpy is imported: there are as many processes that test as cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _compile_once(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"
    folder.mkdir(exist_ok=True)
    launcher = Path(__file__).with_name("compile_once.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBJCACHE", f"{sys.executable} -S {launcher} {folder}")
        yield
