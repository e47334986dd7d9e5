"""What a hostile or clumsy user may give the network commands ends in one clear line."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from rtl_gen.files import check_writable, staged_file
from sim.network.images import parse_normalise
from sim.network.images.normalise import Normalise
from sme_cli.main import main
from sme_hw.errors import InputError

onnx = pytest.importorskip("onnx", reason="needs the extra network")
pytest.importorskip("onnxruntime", reason="needs the extra network")
helper, numpy_helper, TensorProto = onnx.helper, onnx.numpy_helper, onnx.TensorProto

IMAGES, SHAPE, CLASSES = 12, (3, 8, 8), 4
BAD_INPUT = 2
POOL = [
    helper.make_node("GlobalAveragePool", ["c"], ["p"]),
    helper.make_node("Flatten", ["p"], ["y"]),
]


def normal(*shape):
    """Return random float32 numbers, the same for each shape."""
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def network(nodes, constants, shape=("N", *SHAPE), output=("N", None), kind=TensorProto.FLOAT):
    """Return a model from x to y; constants are arrays or tensors by name."""
    tensors = {
        name: value if isinstance(value, TensorProto) else numpy_helper.from_array(value, name)
        for name, value in constants.items()
    }
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        list(tensors.values()),
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def convolution(weights=None, shape=("N", *SHAPE), **given):
    """Return a network with a single convolution."""
    weights = normal(CLASSES, 3, 3, 3) if weights is None else weights
    return network(
        [helper.make_node("Conv", ["x", "w"], ["c"], **given), *POOL], {"w": weights}, shape
    )


def before_convolution(nodes, constants):
    """Return a network with some nodes, x to h, before a convolution."""
    last = helper.make_node("Conv", ["h", "w"], ["c"])
    return network([*nodes, last, *POOL], {"w": normal(CLASSES, 3, 1, 1)} | constants)


def quantised(**changes):
    """Return a network of integers, some of its constants changed."""
    constants = {
        "xs": np.float32(0.02),
        "xz": np.uint8(3),
        "w": np.arange(-54, 54, dtype=np.int8).reshape(4, 3, 3, 3),
        "ws": np.full(4, 0.01, np.float32),
        "wz": np.zeros(4, np.int8),
    } | changes
    return network(
        [
            helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "xs", "xz"], ["h"]),
            helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
            helper.make_node("Conv", ["h", "wd"], ["c"]),
            *POOL,
        ],
        {
            name: value if isinstance(value, TensorProto) else np.asarray(value)
            for name, value in constants.items()
        },
    )


@pytest.fixture
def run(tmp_path, capfd):
    """Return a function that runs `sme eval` or `sme map` on a model: exit code and messages."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (IMAGES, *SHAPE), dtype=np.uint8)
    np.savez(tmp_path / "data.npz", x=pixels, y=rng.integers(0, CLASSES, IMAGES))

    def run(model, *options, command="eval"):
        path = tmp_path / "m.onnx"
        path.write_bytes(model.SerializeToString())
        arguments = [command, str(path), "--preset", "tiny", *options]
        if command == "eval":
            arguments += ["--data", str(tmp_path / "data.npz"), "--normalise", "unit"]
            arguments += ["--calibration-images", "4", "--sensitivity", "2"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            code = main(arguments)
        return code, capfd.readouterr().err

    return run


def assert_refused(result, *words):
    """Assert that a command said what is wrong in one line that can be printed."""
    code, message = result
    assert code == BAD_INPUT, message
    assert message.startswith("error: ")
    assert message.endswith("\n")
    assert message[:-1].isprintable(), message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"strides": [1 << 62, 1]}, ["strides", "1 to"]),
        ({"kernel_shape": [5, 5]}, ["kernel_shape = [5, 5]", "(4, 3, 3, 3)"]),
        ({"auto_pad": "SOME"}, ["SOME"]),
        ({"auto_pad": b"\xff"}, ["c (Conv)"]),
        ({"dilations": [9, 9]}, ["c would have shape", "too small"]),
    ],
)
def test_attributes_of_convolutions(run, given, words):
    """Each is named before anything is mapped."""
    assert_refused(run(convolution(**given)), *words)


def test_weights_for_other_channels_are_refused(run):
    """Shape inference does not see it, the first run does."""
    assert_refused(run(convolution(normal(4, 5, 3, 3))), "kernel channels")


@pytest.mark.parametrize("command", ["map", "eval"])
def test_stored_tensors_in_unknown_forms(run, command):
    """Types and segments that nobody can read; text where numbers belong."""
    model = convolution()
    model.graph.initializer[0].data_type = 999
    assert_refused(run(model, command=command), "constant w")
    model = convolution()
    model.graph.initializer[0].segment.end = 5
    assert_refused(run(model, command=command), "constant w")
    text = helper.make_tensor("b", TensorProto.STRING, [4], [b"a"] * 4)
    for bias in (text, np.full(4, np.inf, np.float32)):
        node = helper.make_node("Conv", ["x", "w", "b"], ["c"])
        model = network([node, *POOL], {"w": normal(4, 3, 3, 3), "b": bias})
        assert_refused(run(model, command=command), "c (Conv)", "bias")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ws": np.zeros(4, np.float32)}, ["scale"]),
        ({"ws": np.full(4, np.inf, np.float32)}, ["scale"]),
        ({"ws": np.zeros(0, np.float32)}, ["scale"]),
        ({"wz": np.zeros(3, np.int8)}, ["zero point [0 0 0]"]),
        ({"ws": np.ones(3, np.float32), "wz": np.zeros(3, np.int8)}, ["constant wd"]),
        ({"xs": np.float32(0)}, ["scale"]),
        ({"xs": np.float32(-1)}, ["scale"]),
        ({"xs": np.float32(1e-45)}, ["scale"]),
        ({"xz": np.zeros(3, np.uint8)}, ["QuantizeLinear"]),
        ({"w": helper.make_tensor("w", TensorProto.INT4, [4, 3, 1, 1], [1] * 12)}, ["constant wd"]),
    ],
)
def test_scales_and_zero_points(run, changes, words):
    """None of them, wrong numbers of them, and values that are no scales."""
    assert_refused(run(quantised(**changes)), *words)


def test_quantised_model_of_these_tests_is_good(run):
    """What the tests above change was no reason to refuse it."""
    assert run(quantised()) == (0, "")


def test_functions_are_unfolded_if_they_end(run):
    """Functions of the model are what exporters write; they may neither recur nor explode."""

    def model(*functions):
        call = helper.make_node(functions[-1].name, ["x"], ["h"], domain="own")
        result = before_convolution([call], {})
        result.functions.extend(functions)
        return result

    def function(name, nodes):
        return helper.make_function("own", name, ["a"], ["b"], nodes, model_opsets)

    model_opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    first = function("F0", [helper.make_node("Relu", ["a"], ["b"])])
    assert run(model(first)) == (0, "")
    again = function("F1", [helper.make_node("F1", ["a"], ["b"], domain="own")])
    assert_refused(run(model(again)), "without end")
    twice = [
        function(
            f"F{n}",
            [
                helper.make_node(f"F{n - 1}", ["a"], ["m"], domain="own"),
                helper.make_node(f"F{n - 1}", ["m"], ["b"], domain="own"),
            ],
        )
        for n in range(1, 40)
    ]
    assert_refused(run(model(first, *twice)), "549755813891 nodes")


def test_tensors_of_functions_are_checked(run):
    """They have no place among the graph's nodes."""
    secret = TensorProto(name="s", data_type=TensorProto.FLOAT, dims=[1])
    secret.data_location = TensorProto.EXTERNAL
    secret.external_data.add(key="location", value="/etc/hostname")
    model = before_convolution([helper.make_node("F", ["x"], ["h"], domain="own")], {})
    nodes = [
        helper.make_node("Constant", [], ["k"], value=secret),
        helper.make_node("Add", ["a", "k"], ["b"]),
    ]
    opsets = [helper.make_opsetid("", 21)]
    model.functions.append(helper.make_function("own", "F", ["a"], ["b"], nodes, opsets))
    assert_refused(run(model), "'/etc/hostname'", "outside the folder")


def test_external_data_in_sum(run, tmp_path, monkeypatch):
    """The same file may be named again and again; its bytes count each time."""
    monkeypatch.setattr("sim.network.onnx_file.MAX_BYTES", 10_000)
    (tmp_path / "zeros.bin").write_bytes(bytes(4000))
    model = convolution()
    for number in range(3):
        tensor = model.graph.initializer.add(
            name=f"t{number}",
            data_type=TensorProto.FLOAT,
            dims=[1000],
            data_location=TensorProto.EXTERNAL,
        )
        tensor.external_data.add(key="location", value="zeros.bin")
    assert_refused(run(model), "external data", "tensor t2")
    model.graph.initializer[1].external_data[0].value = "zeros.bin\0"
    assert_refused(run(model), "tensor t0", "null byte")


def test_tensors_in_sum(run, monkeypatch):
    """None is too large, all of them are."""
    monkeypatch.setattr("sim.network.shapes.MAX_TOTAL", 5000)
    nodes = [helper.make_node("Expand", ["x", "s"], ["e0"])]
    nodes += [helper.make_node("Relu", [f"e{n}"], [f"e{n + 1}"]) for n in range(8)]
    nodes.append(helper.make_node("ReduceMean", ["e8", "axis"], ["h"], keepdims=1))
    constants = {"s": np.array([4, 3, 8, 8]), "axis": np.array([0])}
    assert_refused(run(before_convolution(nodes, constants)), "elements for one image")


def test_requests_for_too_much_memory_fail():
    """What no check foresaw becomes a MemoryError, not the end of the machine."""
    code = """
import numpy, sys
from sme_cli.limits import limit_memory
limit_memory(0.1)
try:
    numpy.ones(1 << 50, numpy.uint8)
except MemoryError:
    pass
import os, resource
total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
assert resource.getrlimit(resource.RLIMIT_DATA)[0] == int(0.1 * total)
limit_memory(0.5)
assert resource.getrlimit(resource.RLIMIT_DATA)[0] == int(0.1 * total)
try:
    numpy.empty(total // 5, numpy.uint8)
except MemoryError:
    sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


@pytest.mark.parametrize(
    ("nodes", "constants", "words"),
    [
        ([("Slice", ["x", "a", "b"])], {"a": [9, 0, 0, 0], "b": [9, 9, 9, 9]}, ["is empty"]),
        ([("Pad", ["x", "a"])], {"a": [1, 0, 0, 0, 0, 0, 0, 0]}, ["for 2 images"]),
        ([("Gather", ["x", "a"])], {"a": [99]}, ["out of data bounds"]),
        ([("Log", ["x"])], {}, ["no numbers"]),
    ],
)
def test_what_only_shows_when_a_network_runs(run, nodes, constants, words):
    """It is found on two images, before anything is mapped."""
    made = [helper.make_node(kind, inputs, ["h"]) for kind, inputs in nodes]
    arrays = {name: np.array(values) for name, values in constants.items()}
    assert_refused(run(before_convolution(made, arrays)), *words)


@pytest.mark.parametrize("kind", ["UINT8", "FLOAT16"])
def test_inputs_of_other_types(run, kind):
    """Images are float32; what takes something else is told so."""
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["h", "w"], ["c"]),
        *POOL,
    ]
    model = network(nodes, {"w": normal(4, 3, 3, 3)}, kind=getattr(TensorProto, kind))
    assert_refused(run(model), f"x is {kind.lower()}, only float32")
    assert run(model, command="map")[0] == 0


def test_outputs_that_are_no_scores(run):
    """Classes instead of scores, nothing at all, or one number for all images."""
    head = [helper.make_node("Conv", ["x", "w"], ["c"]), POOL[0]]
    weights = {"w": normal(4, 3, 3, 3)}
    mean = helper.make_node("ReduceMean", ["p"], ["y"], keepdims=0)
    assert_refused(run(network([*head, mean], weights, output=())), "shape () for 2 images")
    largest = helper.make_node("ArgMax", ["p"], ["y"], axis=1, keepdims=0)
    model = network([*head, largest], weights, output=("N", 1, 1))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    assert_refused(run(model), "y is int64, only float32")
    model = convolution()
    del model.graph.output[:]
    assert_refused(run(model), "has no output")


def test_stored_tensors_may_be_inputs_too(run):
    """Files of old versions list them; they are constants all the same."""
    model = convolution()
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3, 3, 3]))
    model.ir_version = 3
    del model.opset_import[1]
    model.opset_import[0].version = 8
    assert run(model) == (0, "")


def test_open_shape_of_the_input(run):
    """The size of images may be left open, and given; what it leads to is checked."""
    model = convolution(shape=("N", 3, "H", "W"))
    assert run(model, command="map") == (0, "")
    assert_refused(run(model), "--input-shape")
    assert run(model, "--input-shape", "3,8,8") == (0, "")
    assert_refused(run(model, "--input-shape", "3,99999999,9"), "at most")
    assert_refused(run(model, "--input-shape", "3,1,8"), "too small")


@pytest.mark.parametrize("command", ["map", "eval"])
def test_names_are_printed_as_they_are(run, command):
    """Brackets are no markup; control characters do not reach the terminal."""
    model = convolution()
    model.graph.initializer[0].name = model.graph.node[0].input[1] = "[/x]weight"
    assert run(model, command=command) == (0, "")
    model = convolution(np.full((4, 3, 3, 3), np.nan, np.float32))
    model.graph.node[0].name = "a\nb\x1b[31m"
    assert_refused(run(model, command=command), "a b [31m (Conv)")


def test_many_and_long_paths_to_a_product(run):
    """Whether weights are constants is found out without walking back all ways to them."""
    doubled = [helper.make_node("Max", [f"k{n}", f"k{n}"], [f"k{n + 1}"]) for n in range(40)]
    doubled.append(helper.make_node("MatMul", ["x", "k40"], ["h"]))
    assert_refused(run(before_convolution(doubled, {"k0": normal(8, 8)})), "must be constants")
    long = [helper.make_node("Relu", ["x"], ["r0"])]
    long += [helper.make_node("Relu", [f"r{n}"], [f"r{n + 1}"]) for n in range(1500)]
    long.append(helper.make_node("MatMul", ["x", "r1500"], ["h"]))
    assert run(before_convolution(long, {}))[0] == 0


def test_batch_normalisation_that_does_not_fold(run):
    """Variances below 0 make no numbers; the operator is left to say so itself."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["k"]),
        helper.make_node("BatchNormalization", ["k", "s", "s", "s", "v"], ["c"]),
        *POOL,
    ]
    constants = {"w": normal(4, 3, 3, 3), "s": np.ones(4, np.float32)}
    model = network(nodes, constants | {"v": np.full(4, -1, np.float32)})
    assert run(model, command="map") == (0, "")
    assert_refused(run(model), "no numbers")
    constants["s"] = np.full(4, 3e38, np.float32)
    assert_refused(run(network(nodes, constants | {"v": constants["s"]})), "no numbers")


def test_normalisations_beyond_float32():
    """What pixels become must be finite."""
    for normalise in (
        parse_normalise("0/1e-300"),
        parse_normalise("1e300/1"),
        Normalise((np.inf,), (1.0,)),
    ):
        with pytest.raises(InputError, match="too large"):
            normalise.table(3)


def test_devices_are_not_replaced_by_files(tmp_path):
    """A report that takes the place of /dev/null would be remembered."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="neither a file nor a folder"):
        check_writable(pipe)
    with pytest.raises(InputError, match="neither"), staged_file(pipe):
        pass
    assert pipe.is_fifo()
