"""The ladder of squeeze-out: what is measured is what mapper and evaluation say."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.squeeze_accuracy import subjects
from benchmarks.squeeze_accuracy.conditions import CONDITIONS
from benchmarks.squeeze_accuracy.costs import bit_cycle_work, conventional_work, costs
from benchmarks.squeeze_accuracy.ladder import METHODS, TILES, UNIFORM, ladder
from benchmarks.squeeze_accuracy.layers import draw_gains, layer_gains
from benchmarks.squeeze_accuracy.measure import measure, result_key
from benchmarks.squeeze_accuracy.subjects import open_subject
from sim.compensation.fit import fit_network
from sim.compensation.profile import measure_profiles
from sim.mapping import load_parameters, map_layer, map_matrix
from sim.network.calibration import CalibrationParams
from sim.network.evaluation import evaluate
from sim.network.mapped_network import assemble, map_network
from sim.network.real_layer import RealLayer, mapped_weights
from sim.network.sensitivity import measure_sensitivity
from tests.network_cases import on_crossbars
from tests.random_cases import seeded
from tests.squeeze_cases import add_subject


@pytest.fixture
def subject(tmp_path, monkeypatch):
    """Return the test network with its images."""
    add_subject(tmp_path, monkeypatch)
    return open_subject("fixture", tmp_path, quick=False)


def rung_of(subject, name):
    """Return a rung by its name."""
    (found,) = (rung for rung in subject.rungs if rung.name == name)
    return found


@pytest.mark.parametrize("rows_active", ["all", 3])
@pytest.mark.parametrize(
    "options",
    [
        {"policy": "minimal", "squeeze": 3},
        {"policy": "split", "squeeze": 6},
        {"policy": "plain", "squeeze": 4},
        {"policy": "minimal", "squeeze": 2, "cell_bits": 2},
    ],
    ids=str,
)
def test_work_is_that_of_the_tiles(options, rows_active):
    """Planes with a 1 times bit-cycles, tile by tile, as the units that are loaded count them."""
    weights = seeded(7).standard_t(3, size=(20, 27))
    weights[:, 9] = 0
    weights[9:17] = 0  # tiles without any 1
    more = {"codec": "int8", "adc_bits": "lossless", "rows_active": rows_active}
    # Sorted by shift, and in the tiles of rows in order.
    parameters = load_parameters("tiny", **options, **more)
    layer = map_layer("w", weights, parameters)
    hardware = replace(parameters.hardware, input_index=True)
    expected = 0
    for matrix in layer.matrices:
        for tile in matrix.tiles(hardware):
            shifts = matrix.part(tile).row_shifts
            order = matrix.row_order[tile.row_tile, tile.column_tile]
            order[: len(shifts)] = np.argsort(shifts, kind="stable")
            image = matrix.image(tile, hardware)
            planes = int(image.cells.any(axis=(0, 2, 3)).sum())
            expected += planes * sum(image.bit_cycles)
    assert bit_cycle_work(layer, parameters.hardware.group_rows) == expected > 0


def test_conventional_work_is_that_of_full_tiles():
    """All planes hold ones, nothing is shifted: then work is the conventional."""
    parameters = load_parameters("tiny", codec="int8", squeeze=0, adc_bits="lossless")
    dense = map_matrix(np.full((21, 11), 255), parameters)
    packed = map_layer("dw", np.ones((5, 1, 2, 2)), parameters, groups=5)
    for layer, tiles in ((dense, 6), (packed, 3)):
        assert conventional_work(layer, 8) == bit_cycle_work(layer, 8) == 8 * 8 * tiles
        assert conventional_work(layer, 4) == bit_cycle_work(layer, 4)
        found = costs([layer], keeps_empty_planes=False)
        assert (found.conventional, found.crossbars, found.work) == (8 * tiles, 8 * tiles, 1)
    assert conventional_work(dense, 3) == 8 * 8 * 2 * (3 + 3 + 2)


def test_costs_are_those_of_all_layers():
    """Parts of the conventional; empty planes count only where that is asked for."""
    parameters = load_parameters("tiny", codec="codes", squeeze=1, policy="minimal")
    small = map_matrix(np.full((8, 8), 3), parameters)
    moved = map_matrix(np.full((8, 16), 255), parameters)
    found = costs([small, moved], keeps_empty_planes=False)
    assert (found.conventional, found.crossbars) == (24, 2 + 14)
    assert found.work == found.work_grouped == (2 + 14) / 24
    assert (found.adc_bits, found.rcmr_bits, found.index_bits) == (4, 8 + 16, 0)
    found = costs([small, moved], keeps_empty_planes=True)
    assert (found.crossbars, found.work, found.work_grouped) == (24, 1, 1)
    split = load_parameters("tiny", codec="codes", squeeze=7, policy="split")
    pieces = map_matrix(np.full((8, 8), 3), split)
    found = costs([pieces], keeps_empty_planes=False)
    assert (found.crossbars, found.index_bits) == (2, 16 * 3)


def test_ladder():
    """Names tell rungs apart; controls are those of the policy plain, and none is without."""
    rungs = ladder((2, 3.2), (2,), additions=True, fewest_planes=2)
    assert len({rung.name for rung in rungs}) == len(rungs)
    assert list(dict.fromkeys(rung.method for rung in rungs)) == list(METHODS)
    for rung in rungs:
        plain = rung.parameters.mapping.policy == "plain"
        assert (rung.control is not None) == plain == rung.method.startswith("plain")
        assert (rung.control == TILES) == (plain and rung.fit.ratio is not None)
        assert rung.parameters.hardware.rows_active == "all"
        assert rung.parameters.hardware.adc_bits == "lossless"
    planes = [rung.parameters.hardware.planes for rung in rungs if rung.control == UNIFORM]
    assert planes == 5 * list(range(2, 7))
    # Whatever squeeze-out gets, the control gets, too.
    fits = [{rung.fit for rung in rungs if (rung.control is None) == kind} for kind in (0, 1)]
    assert fits[0] >= {fit for fit in fits[1] if fit.ratio != 3.2}
    without = ladder((2,), (2,), additions=False, fewest_planes=2)
    assert not any("additions" in rung.method for rung in without)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("conventional", {"squeeze": 0}),
        ("paper-x=2", {"squeeze": 2, "policy": "paper", "window": 3, "scale": "layer-pow2"}),
        ("plain-mse-5", {"squeeze": 3, "policy": "plain", "scale": "column-mse"}),
    ],
)
def test_measured_is_what_evaluation_says(subject, name, options):
    """On the images that were not calibrated on."""
    base = {"preset": "lossless", "window": 8, "scale": "column"}
    base |= {"params": CalibrationParams(method="channels")}
    spared = np.concatenate(subject.images)
    mapped = on_crossbars(subject.network, spared, **base | options)
    expected = evaluate(mapped, subject.evaluated)
    crossbars = expected.as_dict()["crossbars"]
    result = measure(subject, rung_of(subject, name))
    kept = "conventional" if name == "conventional" else "squeezed"
    assert result["crossbars"] == crossbars[kept]
    assert result["ratio"] == crossbars["conventional"] / crossbars[kept]
    assert result["kl"] == pytest.approx(np.mean(expected.comparison.divergence), rel=1e-3)
    for key in ("images", "top1", "drop", "agreement"):
        assert result[key] == expected.comparison.as_dict()[key]
    assert result["images"] == 7
    assert result["kl_weights"] is None


def test_images_are_apart(subject):
    """No image is for both."""
    both = {*subject.spared.indices.tolist()} & {*subject.evaluated.indices.tolist()}
    assert (len(subject.spared), len(subject.evaluated), both) == (9, 7, set())


def test_weights_alone(subject):
    """What weights lose is the step before inputs are quantised."""
    rung = rung_of(subject, "compensated-x=4")
    result = measure(subject, rung)
    parameters = [rung.parameters] * len(subject.network.layers)
    given = subject.network, parameters, subject.quantisations
    mapped = assemble(subject.network, fit_network(*given, subject.images, rung.fit))
    losses = measure_sensitivity(mapped, map_network(*given), list(subject.evaluated))
    assert result["kl_weights"] == pytest.approx(losses.steps["squeezed out"]["kl"], abs=2e-6)
    assert result["kl"] == pytest.approx(losses.steps["ADCs"]["kl"], abs=2e-6)
    assert result["kl_weights"] != result["kl"]


def test_profiles_are_measured_once(subject, monkeypatch):
    """For all ratios; not for other parameters, or another fit."""
    rung = rung_of(subject, "split-2")
    fresh = measure_profiles(
        subject.network,
        [rung.parameters] * len(subject.network.layers),
        subject.quantisations,
        subject.images,
        rung.fit,
    )
    measured = []

    def count(*arguments):
        measured.append(arguments)
        return measure_profiles(*arguments)

    monkeypatch.setattr(subjects, "measure_profiles", count)
    told = []
    first = subject.profiles(rung.parameters, rung.fit, told.append)
    assert len(told) == 2 * len(first)
    assert told[0] == f"weighing {subject.network.layers[0].name}"
    for ours, own in zip(first, fresh, strict=True):
        assert ours.weights.tolist() == own.weights.tolist()
        assert ours.importance.tolist() == own.importance.tolist()
    other = rung_of(subject, "split-3")
    assert subject.profiles(other.parameters, other.fit, told.append) is first
    assert len(measured) == 1
    changed = subject.profiles(rung.parameters, replace(rung.fit, damping=0.5), told.append)
    assert changed[0].importance.tolist() != first[0].importance.tolist()
    subject.profiles(rung_of(subject, "compensated-x=4").parameters, rung.fit, told.append)
    assert len(measured) == 3


def test_weights_on_crossbars(subject):
    """They are a layer's own but for half a step: factors of channels are taken out again."""
    parameters = [rung_of(subject, "conventional").parameters] * len(subject.network.layers)
    kept = map_network(subject.network, parameters, subject.quantisations)
    assert any(len(np.unique(chosen.factors)) > 1 for chosen in subject.quantisations)
    for layer, mapping, chosen in zip(
        subject.network.layers, kept, subject.quantisations, strict=True
    ):
        weights, bias = mapped_weights(layer, mapping)
        assert bias.tolist() == layer.bias.tolist()
        groups, rows, columns = weights.shape
        factors = chosen.row_factors(groups * rows).reshape(groups, rows, 1)
        steps = mapping.code_steps.reshape(groups, 1, columns) / factors
        assert (np.abs(weights - RealLayer(layer).weights) <= 0.501 * steps).all()


def test_conditions(subject):
    """Both rungs have as many planes, and differ in nothing but squeeze-out."""
    names = [rung.name for rung in subject.rungs]
    assert len(set(names)) == len(names)
    for condition in CONDITIONS:
        pair = condition.squeezed, condition.plain
        squeezed, plain = (rung.parameters for rung in pair)
        assert squeezed.mapping.squeeze > 0
        assert squeezed.mapping.policy == "rounded"
        assert plain.mapping.policy == "plain" or plain.mapping.squeeze == 0
        assert squeezed.hardware.planes == plain.hardware.planes
        for key in ("scale", "cell_bits", "adc_bits"):
            assert squeezed.as_dict()[key] == plain.as_dict()[key]
        assert condition.squeezed.fit == condition.plain.fit
        assert condition.squeezed.inputs == condition.plain.inputs
        assert condition.clips == (squeezed.hardware.adc_bits != "lossless")
        assert all((rung.name in names) != condition.clips for rung in pair)


def test_inputs_of_a_condition(subject):
    """A rung's own range is what its inputs have, and another result."""
    rungs = [rung_of(subject, f"where-plain-{name}-5") for name in ("mse", "tensor", "channels")]
    keys = [result_key(subject, rung) for rung in rungs]
    assert keys[0] == keys[2] != keys[1]
    plan, full, channels = (measure(subject, rung) for rung in rungs)
    assert plan["kl"] == channels["kl"] != full["kl"]


def test_gains_of_layers(subject, tmp_path):
    """Both ways map the same weights; errors are those of the mappings."""
    gains = layer_gains(subject)
    assert [own.name for own in gains] == [layer.name for layer in subject.network.layers]
    weights = subject.network.sources(subject.quantisations)[1]
    options = {"squeeze": 3, "window": 8, "scale": "column-mse"}
    ways = [
        map_layer(
            weights.name,
            weights.weights,
            load_parameters("lossless", policy=policy, **options),
            groups=weights.groups,
        )
        for policy in ("rounded", "plain")
    ]
    totals = [way.errors.total for way in ways]
    assert gains[1].gain == pytest.approx(10 * np.log10(totals[1] / totals[0]))
    counts = ways[0].counts
    assert gains[1].share == counts.nonzero_rows_before[0] / counts.rows
    draw_gains({"one": gains, "none": []}, tmp_path / "gains.png")
    assert (tmp_path / "gains.png").read_bytes().startswith(b"\x89PNG")
