"""Weight files: what counts as a layer, and what is refused."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from sim.mapping import read_array, read_layers
from sme_hw.errors import InputError

RNG = np.random.default_rng(2026)
ARRAYS = {
    "conv.weight": RNG.normal(size=(8, 3, 3, 3)).astype(np.float32),
    "dw.weight": RNG.normal(size=(8, 1, 3, 3)).astype(np.float32),
    "one.weight": RNG.normal(size=(1, 1, 3, 3)).astype(np.float32),
    "bn.weight": RNG.normal(size=8).astype(np.float32),
    "fc.weight": RNG.normal(size=(10, 8)).astype(np.float32),
    "fc.bias": RNG.normal(size=10).astype(np.float32),
}


def save(kind, path, arrays):
    """Write a file of either kind."""
    target = path / f"model.{kind}"
    if kind == "npz":
        np.savez(target, **arrays)
    else:
        save_file(arrays, target)
    return target


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_layers_of_a_file(tmp_path, kind):
    """Arrays called ...weight with 2 or 4 axes are layers; others are listed."""
    layers, ignored = read_layers(save(kind, tmp_path, ARRAYS))
    groups = {layer.name: layer.groups for layer in layers}
    assert groups == {"conv.weight": 1, "dw.weight": 8, "one.weight": 1, "fc.weight": 1}
    assert sorted(ignored) == ["bn.weight", "fc.bias"]
    for layer in layers:
        np.testing.assert_array_equal(layer.weights, ARRAYS[layer.name])


def test_groups_can_be_given(tmp_path):
    """The option overrides the depthwise rule; a wrong name is refused."""
    path = save("npz", tmp_path, ARRAYS)
    layers, _ = read_layers(path, {"dw.weight": 1, "conv.weight": 2})
    assert {layer.name: layer.groups for layer in layers}["dw.weight"] == 1
    with pytest.raises(InputError, match=r"dv\.weight.*conv\.weight"):
        read_layers(path, {"dv.weight": 1})


def test_matrix_file(tmp_path):
    """A .npy file is one matrix with inputs as rows."""
    matrix = RNG.normal(size=(5, 3))
    np.save(tmp_path / "w.npy", matrix)
    (layer,), ignored = read_layers(tmp_path / "w.npy")
    assert not ignored
    np.testing.assert_array_equal(layer.weights, matrix.T)


@pytest.mark.parametrize("kind", ["npz", "safetensors", "npy"])
def test_truncated_file_is_refused(tmp_path, kind):
    """One line names the file."""
    if kind == "npy":
        path = tmp_path / "model.npy"
        np.save(path, ARRAYS["fc.weight"])
    else:
        path = save(kind, tmp_path, ARRAYS)
    content = path.read_bytes()
    for length in (0, 5, len(content) // 2, len(content) - 30):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"model\.") as caught:
            read_layers(path)
        assert "\n" not in str(caught.value)


def test_unusable_files_are_refused(tmp_path):
    """Objects, other suffixes, several arrays and files without layers."""
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="objects"):
        read_array(tmp_path / "objects.npy")
    np.savez(tmp_path / "only.npz", bias=np.ones(3))
    with pytest.raises(InputError, match=r"only\.npz holds no array"):
        read_layers(tmp_path / "only.npz")
    with pytest.raises(InputError, match="several arrays"):
        read_array(tmp_path / "only.npz")
    np.save(tmp_path / "cube.npy", np.ones((2, 2, 2)))
    with pytest.raises(InputError, match=r"cube\.npy.*rows x columns"):
        read_layers(tmp_path / "cube.npy")
    (tmp_path / "weights.txt").write_text("1 2 3")
    with pytest.raises(InputError, match=r"\.npy, \.npz, \.safetensors"):
        read_layers(tmp_path / "weights.txt")
