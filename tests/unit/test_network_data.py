"""Evaluation data: what is read from which file, and what is refused."""

import contextlib
import io
import zipfile

import numpy as np
import pytest

from sim.network.images import read_images
from sim.network.images.normalise import NORMALISATIONS, parse_normalise
from sme_hw.errors import InputError

Image = pytest.importorskip("PIL.Image", reason="needs the extra network")

COUNT, HEIGHT, WIDTH, CLASSES = 5, 6, 4, 3
SHAPE = (3, HEIGHT, WIDTH)
LABELS = np.array([0, 2, 1, 1, 0], dtype=np.uint8)
UNIT = NORMALISATIONS["unit"]


@pytest.fixture
def pixels():
    """Return random images, shape (n, H, W, C)."""
    rng = np.random.default_rng(2026)
    return rng.integers(0, 256, size=(COUNT, HEIGHT, WIDTH, 3), dtype=np.uint8)


def encode(image, kind="PNG", **options):
    """Return an image as the bytes of a file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg_arrays(files):
    """Return the arrays of images that are stored end to end."""
    offset = np.cumsum([0, *map(len, files)])
    return {"jpeg": np.frombuffer(b"".join(files), np.uint8), "offset": offset}


def npz(path, save=np.savez, **arrays):
    """Write an .npz file."""
    save(path / "data.npz", **arrays)
    return path / "data.npz"


def table(path, images, rows, header="file,label\n"):
    """Write images and a table that names them."""
    for index, image in enumerate(images):
        (path / f"{index}.png").write_bytes(encode(image))
    (path / "labels.csv").write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def read(path, shape=SHAPE, normalise=UNIT, classes=CLASSES, **options):
    """Open data for the network of these tests."""
    return read_images(path, shape=shape, normalise=normalise, classes=classes, **options)


def refused(path, *words, **options):
    """Check that data is refused with one line that holds some words."""

    def use():
        images = read(path, **options)
        images.check(range(images.count))

    with pytest.raises(InputError) as caught:
        use()
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def unit(pixels):
    """Return what a network takes, by arithmetic of its own."""
    return np.moveaxis(pixels, 3, 1).astype(np.float32) / np.float32(255)


def test_every_form_gives_the_same_inputs(tmp_path, pixels):
    """Bytes end to end, arrays in both layouts, and a folder: the same numbers and labels."""
    places = [tmp_path / str(index) for index in range(6)]
    for place in places:
        place.mkdir()
    files = jpeg_arrays([encode(image) for image in pixels])
    rows = [f"{index}.png,{label}" for index, label in enumerate(LABELS)]
    for data in (
        npz(places[0], **files, y=LABELS),
        npz(places[1], images=pixels, labels=LABELS),
        npz(places[2], np.savez_compressed, x=np.moveaxis(pixels, 3, 1), y=LABELS.astype(np.int64)),
        npz(places[3], images=np.asfortranarray(pixels), labels=LABELS.astype(np.uint64)),
        table(places[4], pixels, rows),
        table(places[5], pixels, rows, header="") / "labels.csv",
    ):
        images = read(data)
        assert images.count == COUNT
        assert images.labels.dtype == np.int64
        np.testing.assert_array_equal(images.labels, LABELS)
        batch = images.batch(np.array([4, 0, 0]))
        assert batch.dtype == np.float32
        np.testing.assert_array_equal(batch, unit(pixels)[[4, 0, 0]])


def test_jpeg_is_decoded_as_pillow_does(tmp_path, pixels):
    """Lossy bytes give Pillow's pixels."""
    files = [encode(image, "JPEG", quality=90) for image in pixels]
    images = read(npz(tmp_path, **jpeg_arrays(files)), normalise=NORMALISATIONS["none"])
    expected = np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])
    np.testing.assert_array_equal(images.batch(range(COUNT)), np.moveaxis(expected, 3, 1))
    assert images.labels is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("none", (0, 0, 0), (255, 255, 255)),
        ("unit", (0, 0, 0), (1, 1, 1)),
        ("symmetric", (-1, -1, -1), (1, 1, 1)),
        ("imagenet", (-2.117904, -2.035714, -1.804444), (2.248908, 2.428571, 2.64)),
        (".5/.25", (-2, -2, -2), (2, 2, 2)),
        ("0,.5,1/1,.5,.25", (0, -1, -4), (1, 1, 0)),
    ],
)
def test_normalisations(tmp_path, text, low, high):
    """Black and white become what the convention says, channel by channel."""
    images = np.zeros((2, HEIGHT, WIDTH, 3), np.uint8)
    images[1] = 255
    batch = read(npz(tmp_path, x=images), normalise=parse_normalise(text)).batch([0, 1])
    for image, expected in zip(batch, (low, high), strict=True):
        for channel in range(3):
            np.testing.assert_allclose(image[channel], expected[channel], rtol=1e-6)


def test_channels_last(tmp_path, pixels):
    """A network that takes channels last gets them so."""
    images = read(npz(tmp_path, x=pixels), shape=(HEIGHT, WIDTH, 3), layout="NHWC")
    np.testing.assert_array_equal(images.batch([1]), unit(pixels)[[1]].transpose(0, 2, 3, 1))


def test_grey_and_colour(tmp_path, pixels):
    """Grey files serve networks with three channels, and colour those with one."""
    grey = pixels[..., 0]
    files = [encode(image) for image in grey]
    data = npz(tmp_path, **jpeg_arrays(files))
    np.testing.assert_array_equal(read(data).batch([2]), unit(pixels[..., [0, 0, 0]])[[2]])
    shape = (1, HEIGHT, WIDTH)
    np.testing.assert_array_equal(read(data, shape=shape).batch([2]), unit(grey[2:3, ..., None]))
    data = npz(tmp_path, x=grey)
    np.testing.assert_array_equal(read(data, shape=shape).batch([2]), unit(grey[2:3, ..., None]))
    files = [encode(np.full((HEIGHT, WIDTH, 3), 77, np.uint8))]
    data = npz(tmp_path, **jpeg_arrays(files))
    assert set(read(data, shape=shape, normalise=parse_normalise("none")).batch([0]).flat) == {77}


def test_transparent_palettes(tmp_path, pixels):
    """Pillow warns of them when they are converted; their colours are read all the same."""
    image = Image.fromarray(pixels[0]).quantize(4)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=b"\x00\x80\xff\xff")
    images = read(npz(tmp_path, **jpeg_arrays([buffer.getvalue()])))
    expected = np.asarray(image.convert("RGB"))[None]
    np.testing.assert_array_equal(images.batch([0]), unit(expected))


def test_floats_are_taken_as_they_are(tmp_path):
    """Arrays of floats, of any number of axes, are the network's inputs."""
    inputs = np.random.default_rng(1).normal(size=(COUNT, 7))
    data = npz(tmp_path, x=inputs, y=LABELS)
    images = read(data, shape=(7,), normalise=None)
    np.testing.assert_array_equal(images.batch([3]), inputs[[3]].astype(np.float32))
    refused(data, "floats", "no normalisation", shape=(7,))
    refused(data, "(7,)", "(8,)", shape=(8,), normalise=None)
    for value in (np.nan, np.inf, 1e39):
        inputs[2, 3] = value
        refused(npz(tmp_path, x=inputs), "x[2]", shape=(7,), normalise=None)


def test_label_offset(tmp_path, pixels):
    """Networks with a class of their own in front."""
    data = npz(tmp_path, x=pixels, y=LABELS)
    np.testing.assert_array_equal(read(data, classes=4, label_offset=1).labels, LABELS + 1)
    refused(data, "image 1 is 2", "0 to 1", classes=3, label_offset=1)
    refused(data, "image 0 is 0", "1 to 3", label_offset=-1)
    np.testing.assert_array_equal(
        read(npz(tmp_path, x=pixels, y=LABELS + 1), label_offset=-1).labels, LABELS
    )


def test_arrays_stay_in_the_file(tmp_path, pixels):
    """What numpy.savez stored is mapped into memory, not loaded."""
    from sim.network.images.npz_file import read_npz

    (stored,) = read_npz(npz(tmp_path, x=pixels), ["x"])
    assert isinstance(stored, np.memmap)
    np.testing.assert_array_equal(stored, pixels)
    (loaded,) = read_npz(npz(tmp_path, np.savez_compressed, x=pixels), ["x"])
    assert not isinstance(loaded, np.memmap)
    np.testing.assert_array_equal(loaded, pixels)


def test_large_compressed_arrays_are_refused(tmp_path, pixels, monkeypatch):
    """They would have to be loaded as a whole."""
    monkeypatch.setattr("sim.network.images.npz_file.MAX_BYTES", 100)
    refused(npz(tmp_path, np.savez_compressed, x=pixels), "x has", "numpy.savez")
    assert read(npz(tmp_path, x=pixels)).count == COUNT


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_archives(tmp_path, pixels, save):
    """A file that was cut short is refused; a changed byte never ends in another exception."""
    data = npz(tmp_path, save, images=pixels, labels=LABELS)
    content = data.read_bytes()
    for end in range(0, len(content), 7):
        data.write_bytes(content[:end])
        refused(data, "data.npz cannot be read")
    rng = np.random.default_rng(2026)
    for position in rng.integers(len(content), size=200):
        data.write_bytes(
            content[:position] + bytes([content[position] ^ 0x81]) + content[position + 1 :]
        )
        with contextlib.suppress(InputError):
            assert read(data).batch([0]).shape == (1, *SHAPE)


def test_archives_that_claim_too_much(tmp_path):
    """A head that promises more than the file holds is no reason to reserve memory."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (10**9, HEIGHT, WIDTH, 3)}
    )
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "data.npz", "w", compression) as archive:
            archive.writestr("x.npy", head.getvalue() + b"123")
        refused(tmp_path / "data.npz", "x is cut short")


def test_wrong_arrays(tmp_path, pixels):
    """Names, types and shapes are checked, and said."""
    refused(npz(tmp_path, pictures=pixels), "jpeg", "images", "pictures")
    refused(npz(tmp_path, x=pixels.astype(np.int16)), "x must be uint8", "int16")
    refused(npz(tmp_path, x=pixels[:0]), "(0, 6, 4, 3)")
    refused(npz(tmp_path, x=np.array([object()])), "Python objects")
    refused(npz(tmp_path, x=pixels[:, :5]), "(5, 4, 3)", "6 x 4")
    refused(npz(tmp_path, x=pixels), "shape (9,)", shape=(9,))
    refused(npz(tmp_path, x=pixels), "2 channels", shape=(2, HEIGHT, WIDTH))
    refused(npz(tmp_path, x=pixels), "normalisation is needed", "imagenet", normalise=None)
    refused(
        npz(tmp_path, x=pixels[..., 0]),
        "3 channels",
        shape=(1, HEIGHT, WIDTH),
        normalise=NORMALISATIONS["imagenet"],
    )


def test_wrong_labels(tmp_path, pixels):
    """Their number, type and range are checked; index and value are said."""
    refused(npz(tmp_path, x=pixels, y=LABELS[:4]), "5 images and 4 labels")
    refused(npz(tmp_path, x=pixels, y=LABELS.astype(float)), "y must be class numbers", "float64")
    refused(npz(tmp_path, x=pixels, y=LABELS[:, None]), "y must be class numbers")
    for value, kind in ((3, np.uint8), (-1, np.int8), (2**64 - 1, np.uint64), (-(2**63), np.int64)):
        labels = LABELS.astype(kind)
        labels[3] = value
        refused(npz(tmp_path, x=pixels, y=labels), f"image 3 is {value},", "0 to 2")


def test_wrong_offsets(tmp_path, pixels):
    """Where images start must ascend and stay within the bytes."""
    arrays = jpeg_arrays([encode(image) for image in pixels])
    offset = arrays["offset"]
    for index, value in ((2, offset[1]), (2, offset[1] - 1), (5, offset[5] + 1), (0, -1)):
        changed = offset.copy()
        changed[index] = value
        refused(npz(tmp_path, jpeg=arrays["jpeg"], offset=changed), f"= {value}")
    refused(npz(tmp_path, jpeg=arrays["jpeg"], offset=offset.astype(float)), "offset", "float64")
    refused(npz(tmp_path, jpeg=arrays["jpeg"], offset=offset[:1]), "offset")
    refused(npz(tmp_path, jpeg=arrays["jpeg"].astype(np.int16), offset=offset), "jpeg", "int16")
    assert read(npz(tmp_path, jpeg=arrays["jpeg"], offset=offset.astype(np.uint64))).count == COUNT


def test_wrong_images(tmp_path, pixels):
    """One bad image among good ones is named, whatever is wrong with it."""
    good = [encode(image, "JPEG") for image in pixels]

    def with_third(file):
        return npz(tmp_path, **jpeg_arrays([*good[:3], file, *good[4:]]))

    assert read(with_third(good[3])).batch(range(COUNT)).shape == (COUNT, *SHAPE)
    sideways = encode(pixels[3].transpose(1, 0, 2))
    refused(with_third(sideways), "image 3", "6 x 4 pixels", "input 4 x 6")
    refused(with_third(b"no image at all"), "image 3", "no intact JPEG or PNG")
    refused(with_third(good[3][:-40]), "image 3", "no intact JPEG or PNG")
    refused(with_third(encode(pixels[3])[:-30]), "image 3", "no intact JPEG or PNG")
    refused(with_third(encode(pixels[3], "GIF")), "image 3", "no intact JPEG or PNG")
    deep = np.full((HEIGHT, WIDTH), 300, np.uint16)
    refused(with_third(encode(deep)), "image 3", "8 bits a channel")


@pytest.mark.filterwarnings("ignore:Image size")
def test_images_that_would_fill_the_memory(tmp_path, monkeypatch):
    """Their size is refused before they are decoded, by Pillow's limit or by the network's size."""
    file = encode(np.zeros((64, 64, 3), np.uint8))
    data = npz(tmp_path, **jpeg_arrays([file]))
    refused(data, "image 0", "64 x 64 pixels")
    for limit in (3000, 1000):  # Pillow only warns up to twice its limit
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        refused(data, "image 0", "decompression bomb")


def test_damaged_images_are_found_when_checked(tmp_path, pixels):
    """A damaged body is no matter of the header: opening passes, checking names the image."""
    good = [encode(image, "JPEG") for image in pixels]
    images = read(npz(tmp_path, **jpeg_arrays([*good[:4], good[4][:-40]])))
    images.check(range(4))
    with pytest.raises(InputError, match="image 4"):
        images.check([0, 4])


def test_table_without_labels(tmp_path, pixels):
    """One column is enough to run a network."""
    images = read(table(tmp_path, pixels[:2], ["1.png", "", "0.png"], header="\ufefffile\n"))
    assert images.labels is None
    np.testing.assert_array_equal(images.batch([0, 1]), unit(pixels)[[1, 0]])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["0.png,0", "9.png,1"], ["line 3", "'9.png'"]),
        (["0.png,cat"], ["line 2", "'cat'", "names of classes"]),
        (["0.png,1_0"], ["line 2", "'1_0'"]),
        (["0.png,-1"], ["line 2", "'-1'"]),
        (["0.png," + "9" * 5000], ["line 2"]),
        (["0.png,1", "1.png"], ["line 3", "1 columns"]),
        (["0.png,1,2"], ["line 2", "3 columns"]),
        (["0.png,1", "1.png,3"], ["image 1 is 3", "0 to 2"]),
        (["../outside.png,1"], ["line 2", "'../outside.png'", "outside"]),
        (["link.png,1"], ["line 2", "'link.png'", "outside"]),
        (["/etc/hostname,1"], ["line 2", "'/etc/hostname'", "outside"]),
        (["0.png\0,1"], ["line 2"]),
        (["x" * 5000 + ",1"], ["line 2"]),
        (["sub,1"], ["line 2", "'sub'"]),
        (["labels.csv,1"], ["line 2: labels.csv", "no intact JPEG or PNG"]),
        (['"0.png,1'], ["labels.csv cannot be read"]),
        ([], ["names no images"]),
    ],
)
def test_wrong_tables(tmp_path, pixels, rows, words):
    """Line and value are named."""
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "outside.png").write_bytes(encode(pixels[0]))
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    refused(table(folder, pixels[:2], rows), *words)


def test_wrong_folders(tmp_path):
    """A folder needs one table; other files are refused by their suffix."""
    refused(tmp_path, "one .csv file", "holds 0")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"file\n\xff\xfe")
    refused(tmp_path, "one .csv file", "holds 2")
    refused(tmp_path / "a.csv", "a.csv cannot be read")
    refused(tmp_path / "absent.csv", "absent.csv cannot be read")
    refused(tmp_path / "absent.npz", "absent.npz cannot be read")
    refused(tmp_path / "absent.tar", "absent.tar", ".npz")


@pytest.mark.parametrize("text", ["imagnet", "1", "1/", "1/0", "1/-1", "nan/1", "1/inf", "1/1/1"])
def test_wrong_normalisations(text):
    """Neither a name nor mean and standard deviation."""
    with pytest.raises(InputError, match="normalisation"):
        parse_normalise(text)
