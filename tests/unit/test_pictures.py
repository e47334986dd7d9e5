"""Pictures of a mapping: what is drawn, which tile, and that there is a file or a clear error."""

import json
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from sim.mapping import LayerWeights, describe, load_parameters, map_layer, map_matrix
from sim.report.bit_planes import draw_bit_planes, tile_planes
from sim.report.crossbars import draw_crossbars
from sim.report.figure import short_name
from sim.report.losses import draw_losses
from sim.report.nonzero_rows import draw_nonzero_rows
from sim.report.tile_choice import choose_tile
from sme_cli.main import main
from sme_hw.errors import InputError
from tests.random_cases import seeded

PNG = b"\x89PNG\r\n\x1a\n"
NAMES = ["bit_planes.png", "crossbars.png", "nonzero_rows.png"]
FIGURE_3 = np.array([[10, 12], [4, 1], [6, 2], [4, 6]], np.int16)


@pytest.fixture
def sources():
    """Return a dense and a depthwise layer, and one of zeros."""
    rng = seeded(41)
    return [
        LayerWeights("fc", rng.integers(-15, 16, size=(11, 19)), 1),
        LayerWeights("dw:3", rng.integers(-255, 256, size=(5, 1, 2, 2)), 5),
        LayerWeights("none", np.zeros((3, 4), int), 1),
    ]


def mapped(sources, **options):
    """Map layers."""
    parameters = load_parameters("tiny", **options)
    return [map_layer(s.name, s.weights, parameters, groups=s.groups) for s in sources]


def test_planes_of_figure_3():
    """The four planes of the paper's example, with signs, before and after its squeeze-out."""
    weights = FIGURE_3 * np.array([1, -1])
    parameters = load_parameters("tiny", weight_bits=4, adc_bits=(1, 2, 3))
    layer = map_matrix(weights, parameters)
    before = map_matrix(weights, parameters.without_squeeze())
    planes = tile_planes(before, choose_tile([layer]))
    assert planes.before.tolist() == [
        [[1, -1], [0, 0], [0, 0], [0, 0]],
        [[0, -1], [1, 0], [1, 0], [1, -1]],
        [[1, 0], [0, 0], [1, -1], [0, -1]],
        [[0, 0], [0, -1], [0, 0], [0, 0]],
    ]
    assert planes.after.tolist() == [
        [[0, 0], [0, 0], [0, 0], [0, 0]],
        [[1, -1], [1, 0], [1, 0], [1, -1]],
        [[0, -1], [0, 0], [1, -1], [0, -1]],
        [[1, 0], [0, -1], [0, 0], [0, 0]],
    ]
    assert planes.released == 1
    assert planes.as_dict() == {
        "tile": "matrix:0:0",
        "rows": 4,
        "columns": 2,
        "moved_rows": 1,
        "nonzero_cells": {"before": [2, 5, 4, 1], "after": [0, 6, 4, 2]},
    }


def test_levels_of_two_bits():
    """Cells of two bits have levels up to 3; only the tile's rows and columns are looked at."""
    weights = np.zeros((20, 11), int)
    weights[9, 8] = -0b11_00_10_01
    layer = map_matrix(weights, load_parameters("tiny", cell_bits=2, squeeze=0))
    planes = tile_planes(layer, choose_tile([layer], "matrix:1:1"))
    assert planes.before.shape == (4, 8, 3)
    assert planes.before[:, 1, 0].tolist() == [-3, 0, -2, -1]
    assert np.count_nonzero(planes.before) == 3


def test_rows_dealt_to_other_tiles(sources):
    """With balanced row order a tile's rows are the same ones before and after."""
    options = {"grouping": "balanced", "squeeze": 3, "weight_bits": 4, "policy": "minimal"}
    layer = mapped(sources[:1], **options)[0]
    kept = mapped(sources[:1], squeeze=0, weight_bits=4)[0]
    for row in range(3):
        chosen = choose_tile([layer], f"fc:{row}:1")
        planes = tile_planes(kept, chosen)
        codes = np.abs(sources[0].weights.T[chosen.tile.rows, 8:16])
        for plane in range(4):
            levels = np.abs(planes.before[plane])
            np.testing.assert_array_equal(levels, codes >> (3 - plane) & 1)
    assert sorted(
        r for row in range(3) for r in choose_tile([layer], f"fc:{row}:0").tile.rows
    ) == list(range(19))


def test_choice(sources):
    """Row tiles of all matrices are counted through; the default is where most rows moved."""
    layers = mapped(sources)
    assert [len(layer.matrices) for layer in layers] == [1, 3, 1]
    chosen = choose_tile(layers, "dw:3:2:0")
    assert (chosen.layer, chosen.part, chosen.row) == (layers[1], 2, 2)
    assert chosen.tile.row_tile == 0
    assert chosen.place == "dw:3:2:0"
    assert choose_tile(layers, "fc:2:1").tile.rows.tolist() == [16, 17, 18]
    moved = [np.count_nonzero(matrix.row_shifts) for matrix in layers[1].matrices]
    assert [layer.counts.shifted_rows for layer in layers] == [0, sum(moved), 0]
    assert choose_tile(layers).place == f"dw:3:{np.argmax(moved)}:0"
    assert choose_tile(layers[:1]).place == "fc:0:0"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("fc", "LAYER:ROW:COLUMN"),
        ("fc:0", "LAYER:ROW:COLUMN"),
        ("fc:x:0", "LAYER:ROW:COLUMN"),
        ("fc:0:-1", "LAYER:ROW:COLUMN"),
        (":0:0", "LAYER:ROW:COLUMN"),
        ("fd:0:0", "there is no layer fd, only fc, dw:3, none"),
        ("fc:3:0", "fc has row tiles 0..2 and column tiles 0..1"),
        ("fc:0:2", "fc has row tiles 0..2 and column tiles 0..1"),
        ("dw:3:3:0", "dw:3 has row tiles 0..2 and column tiles 0..0"),
    ],
)
def test_bad_choice(sources, place, words):
    """The message has the place, and what there is."""
    with pytest.raises(InputError) as caught:
        choose_tile(mapped(sources), place)
    assert words in str(caught.value)
    assert f"tile {place}:" in str(caught.value)


def pixels(path, colour):
    """Return how many pixels of a picture have a colour, a hexadecimal number."""
    red, green, blue = (imread(path)[..., :3] * 255).round().astype(int).transpose(2, 0, 1)
    return np.count_nonzero((red << 16 | green << 8 | blue) == int(colour[1:], 16))


def test_colours_of_bit_planes(tmp_path):
    """Signs have their colours; grey are the released planes, if there are any."""
    path = tmp_path / "planes.png"
    blue, red, grey = "#2166ac", "#b2182b", "#d9d9d9"
    weights = np.full((9, 9), 16)
    for options, sign, expected in (
        ({"squeeze": 2}, 1, {blue, grey}),
        ({"squeeze": 2}, -1, {red, grey}),
        ({"squeeze": 0}, -1, {red}),
        ({"squeeze": 1, "policy": "plain"}, 1, {blue, grey}),
    ):
        parameters = load_parameters("tiny", **options)
        layer = map_matrix(sign * weights, parameters)
        before = map_matrix(sign * weights, parameters.without_squeeze())
        draw_bit_planes(tile_planes(before, choose_tile([layer])), path)
        # The edges of letters have some grey too.
        assert {c for c in (blue, red, grey) if pixels(path, c) > 5000} == expected


def test_every_cell_is_seen(tmp_path):
    """A picture of a large tile has enough pixels for a single cell."""
    weights = np.zeros((512, 512), int)
    weights[257, 301] = 15
    layer = map_matrix(
        weights, load_parameters("tiny", rows=512, cols=512, squeeze=0, weight_bits=4)
    )
    path = tmp_path / "planes.png"
    draw_bit_planes(tile_planes(layer, choose_tile([layer])), path)
    assert pixels(path, "#2166ac")


def test_awkward_names_and_planes(tmp_path):
    """Layers of different planes, formula signs in names, names that are too long, no ones."""
    rng = seeded(42)
    options = [{"squeeze": 3}, {"cell_bits": 2, "squeeze": 4}, {"weight_bits": 2, "window": 2}]
    layers = [
        map_layer(
            f"{n}$x_{{{'/long' * 30 * n}", rng.normal(size=(9, 40)), load_parameters("tiny", **o)
        )
        for n, o in enumerate(options)
    ]
    layers.append(map_layer("0", np.zeros((2, 3)), load_parameters("tiny")))
    report = json.loads(json.dumps(describe(layers)))
    for draw in (draw_nonzero_rows, draw_crossbars):
        path = tmp_path / f"{draw.__name__}.png"
        draw(report, path)
        assert path.read_bytes().startswith(PNG)
    chosen = choose_tile(layers[1:2])
    draw_bit_planes(tile_planes(layers[1], chosen), tmp_path / "planes.png")
    assert len(short_name(layers[1].name)) == 36
    assert layers[1].name.endswith(short_name(layers[1].name)[3:])


@pytest.fixture
def model(tmp_path, monkeypatch, sources):
    """Work in a folder with a model of these layers."""
    monkeypatch.chdir(tmp_path)
    np.savez("model.npz", **{f"{s.name}.weight": s.weights for s in sources})
    return tmp_path


def test_command_line(model, capsys):
    """Three pictures, and what the tile's picture shows as numbers."""
    command = ["map", "model.npz", "--preset", "tiny", "--pictures", "p", "--json", "m.json"]
    assert main(command) == 0
    assert "drawn in p" in capsys.readouterr().out
    assert sorted(path.name for path in (model / "p").iterdir()) == NAMES
    for name in NAMES:
        assert (model / "p" / name).read_bytes().startswith(PNG)
    report = json.loads((model / "m.json").read_text())
    assert report["tile"]["tile"].startswith("dw:3.weight:")
    assert main([*command, "--tile", "fc.weight:1:0"]) == 0
    report = json.loads((model / "m.json").read_text())
    assert report["tile"]["tile"] == "fc.weight:1:0"
    assert report["tile"]["nonzero_cells"]["before"][:4] == [0] * 4


def test_nothing_is_written_on_errors(model, capsys, monkeypatch):
    """Neither pictures nor a mapping, and no half of them."""
    command = ["map", "model.npz", "--preset", "tiny", "-o", "m", "--json", "m.json"]
    before = sorted(model.rglob("*"))
    for more, words in (
        (["--tile", "fc.weight:0:0"], "needs --pictures"),
        (["--pictures", "p", "--tile", "fc.weight:9:0"], "row tiles 0..2"),
        (["--pictures", "model.npz"], "model.npz"),
    ):
        assert main([*command, *more]) == 2
        assert words in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main([*command, "--pictures", "p"]) == 2
    assert "pip install sme[network]" in capsys.readouterr().err
    assert sorted(model.rglob("*")) == before


def test_losses_are_drawn_also_where_there_are_none(tmp_path):
    """A network without any loss has bars of no length."""
    steps = ("weights quantised", "squeezed out", "inputs quantised", "ADCs")
    report = {
        "steps": {name: {"kl": 0.0, "agreement": 100.0} for name in steps},
        "layers": [
            {"name": "a", "kl": 0.0, "shares": dict.fromkeys(steps, 0.0)},
            {"name": "b $", "kl": 0.1, "shares": dict.fromkeys(steps, 0.25)},
        ],
    }
    for losses in (report, report | {"layers": report["layers"][:1]}):
        draw_losses(losses, tmp_path / "losses.png")
        assert imread(tmp_path / "losses.png").shape[2] == 4
