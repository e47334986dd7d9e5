"""The command line as tests call it: what it says, what it reports, and what it refuses."""

import json
from pathlib import Path

from sme_cli.main import main

__all__ = ["assert_refused", "report", "run"]


def run(capsys, *arguments):
    """Run the command line; returns exit code, output and errors."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def report(*arguments):
    """Run a command that has to work; returns its report."""
    assert main([*map(str, arguments), "--json", "r.json"]) == 0
    return json.loads(Path("r.json").read_text(encoding="utf-8"))


def assert_refused(capsys, folder, arguments, words):
    """Hold bad arguments to exit code 2, one clear line, and no file of ``folder`` more or less."""
    before = sorted(folder.rglob("*"))
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, ""), arguments
    assert words in " ".join(err.split()), (arguments, err)
    assert "Traceback" not in err
    assert not err.startswith("error:") or err.count("\n") == 1, err
    assert sorted(folder.rglob("*")) == before, arguments
