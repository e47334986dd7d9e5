"""The README's Python example runs as it stands there."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.rtl
def test_python_example(tmp_path, monkeypatch, capsys):
    """It maps, generates, and co-simulates equal."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(README), "exec"), {})
    counts, verdict = capsys.readouterr().out.splitlines()
    assert counts.startswith("Counts(tiles=2")
    assert verdict.startswith("True")
    assert (tmp_path / "build" / "design" / "design.v").exists()
