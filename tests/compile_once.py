"""Compile as told, but Verilator's own sources only once: they are the same for all designs.

Nothing is optimised: that takes longer than tests take to run what they build.

Verilator's makefiles put what the variable OBJCACHE says before each call of the compiler:
``python compile_once.py FOLDER COMPILER ARGUMENT...``.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

OPTIMISING = ("-Os", "-O1", "-O2", "-O3")

folder, *command = ("-O0" if word in OPTIMISING else word for word in sys.argv[1:])
source = Path(command[-1])
if not (source.parent.name == "include" and source.name.startswith("verilated")):
    os.execvp(command[0], command)
target = Path(command[command.index("-o") + 1])
kept = Path(folder, f"{hashlib.sha256(repr(command).encode()).hexdigest()}.o")
if not kept.exists():
    subprocess.run(command, check=True)
    # Others may do the same at this moment: never let them see half a file.
    new = kept.with_suffix(f".{os.getpid()}")
    shutil.copy(target, new)
    new.replace(kept)
shutil.copy(kept, target)
