# amaranth: UnusedElaboratable=no
# A unit is only described here.
"""Several tiles in one unit: their program, its description, and how their vectors are joined."""

from dataclasses import replace

import numpy as np
import pytest

from rtl_gen.generate import manifest
from rtl_gen.testbench import read_results, write_testbench_data
from sim.cosim.jobs import make_job
from sim.golden.compute_unit import compute_unit, compute_unit_sets
from sim.golden.program_port import program_port
from sme_hw.compute_unit import ComputeUnit
from sme_hw.cycles import INPUT_BUFFERS
from sme_hw.errors import InputError
from sme_hw.pack import pack
from sme_hw.program import SET_OFFSET, Control, Region
from sme_hw.run_cycles import run_cycles
from tests.cases.hardware import HARDWARE, random_image, random_inputs, random_order
from tests.random_cases import seeded

NAMES = [name for name, hardware in HARDWARE.items() if hardware.weight_sets > 1]


def images_and_inputs(rng, hardware, vectors):
    """Return tiles of very different sizes, one for each set, and their vectors."""
    rows, cols = hardware.rows, hardware.cols
    sizes = [(rows, cols), (1, 1), (rows, 1), (1, cols)][: hardware.weight_sets]
    images = [random_image(rng, hardware, *size) for size in sizes]
    return images, [random_inputs(rng, hardware, vectors, image.inputs) for image in images]


@pytest.mark.parametrize("name", NAMES)
def test_program_of_sets(name):
    """Every set is written what it would be alone, and the mode once for all of them."""
    hardware = HARDWARE[name]
    images, _ = images_and_inputs(seeded(3), hardware, 1)
    writes = program_port(pack(images, hardware), hardware)
    modes = [write for write in writes if write[0] == Region.CONTROL and write[2] == Control.MODE]
    assert [(write[1], write[3]) for write in modes] == [(0, 0), (0, 3)]
    assert (writes[0], writes[-1]) == (modes[0], modes[1])
    for weight_set, image in enumerate(images):
        alone = program_port(pack(image, replace(hardware, weight_sets=1)), hardware)
        ours = [write for write in writes[1:-1] if write[1] == weight_set]
        assert ours == [(region, weight_set, *rest) for region, _, *rest in alone[1:-1]]
    # Fewer tiles than sets are fine.
    assert len(pack(images[:1], hardware)) == len(pack(images[0], hardware)) < len(writes) * 8


def test_wrong_tiles_are_refused():
    """The message names the set, or how many tiles there may be."""
    hardware = HARDWARE["sets"]
    images, _ = images_and_inputs(seeded(4), hardware, 1)
    wrong = replace(images[0], groups=images[0].groups[:1])
    with pytest.raises(InputError, match=r"^set 1: group 1 is missing"):
        pack([images[0], wrong], hardware)
    with pytest.raises(InputError, match=r"^group 1 is missing"):
        pack(wrong, replace(hardware, weight_sets=1))
    with pytest.raises(InputError, match=r"3 tiles do not fit: weight_sets = 2"):
        pack([*images, images[0]], hardware)
    with pytest.raises(InputError, match="0 tiles do not fit"):
        pack([], hardware)


def test_golden_results_of_sets():
    """Each set's results are its own; the clips of all are added up."""
    hardware = HARDWARE["sets"]
    images, inputs = images_and_inputs(seeded(5), hardware, 9)
    results, clips = compute_unit_sets(images, hardware, inputs)
    alone = [compute_unit(i, hardware, v) for i, v in zip(images, inputs, strict=True)]
    assert [r.tolist() for r in results] == [r.tolist() for r, _ in alone]
    assert clips.tolist() == (alone[0][1] + alone[1][1]).tolist()
    assert clips.any()


@pytest.mark.parametrize("name", NAMES)
def test_results_are_read_back(name, tmp_path):
    """The testbench's files hold the vectors in order; reading sorts results by set again."""
    rng = seeded(6)
    hardware = HARDWARE[name]
    images, inputs = images_and_inputs(rng, hardware, 4)
    order = random_order(rng, len(images), 4)
    jobs = [make_job(f"job {k}", images, hardware, inputs, order) for k in range(2)]
    write_testbench_data(tmp_path, hardware, jobs)
    for read in read_results(tmp_path / "expected.hex", hardware, jobs):
        for part, expected in zip(read, jobs[0].results, strict=True):
            np.testing.assert_array_equal(part, expected)
    lines = (tmp_path / "expected.hex").read_text().split()
    (tmp_path / "expected.hex").write_text("\n".join(lines[:-1]))
    with pytest.raises(ValueError, match="job 1 are missing"):
        read_results(tmp_path / "expected.hex", hardware, jobs)


def test_manifest_describes_sets():
    """Where the set stands in a beat and in a program's addresses; nothing for a single set."""
    hardware = HARDWARE["sets"]
    described = manifest(ComputeUnit(hardware=hardware), {}, "portable", {})
    ports = {port["name"]: port["width"] for port in described["ports"]}
    assert described["input_fields"] == {"inputs": 6, "set": 1}
    assert ports["i__payload"] == 7
    assert {region["set_stride"] for region in described["memory_map"]} == {1 << SET_OFFSET}
    single = manifest(ComputeUnit(hardware=replace(hardware, weight_sets=1)), {}, "portable", {})
    assert single["input_fields"] == {"inputs": 6}
    assert not any("set_stride" in region for region in single["memory_map"])
    entries = [[r["entries"] for r in d["memory_map"]] for d in (described, single)]
    assert entries[0] == entries[1]


def test_cycles_of_equal_sets():
    """Vectors of tiles of one size take the same clocks whichever sets they are for."""
    hardware = HARDWARE["sets"]
    image = random_image(seeded(7), hardware, hardware.rows, hardware.cols)
    counts = [sum(image.bit_cycles)] * (3 * INPUT_BUFFERS)
    clocks = run_cycles(hardware, counts, [image.size] * len(counts))
    more = run_cycles(hardware, counts + counts[:1], [image.size] * (len(counts) + 1))
    assert more - clocks == counts[0] * hardware.column_steps
