"""Turn a VCD waveform into a much smaller FST one (needs the package pylibfst).

Verilator could write FST itself, but only where the headers of two compression libraries are
installed; this works with the packages alone.
"""

from pathlib import Path

__all__ = ["convert"]


def convert(vcd: Path, fst: Path) -> None:
    """Write the content of the VCD file ``vcd`` as FST file ``fst``.

    Raises
    ------
    ImportError
        pylibfst is not installed.
    """
    from pylibfst import ffi, lib

    writer = lib.fstWriterCreate(str(fst).encode(), 1)
    if writer == ffi.NULL:
        raise OSError(f"{fst} cannot be written")
    handles: dict[bytes, tuple[int, int]] = {}  # VCD identifier: FST handle and width
    try:
        with vcd.open("rb") as lines:
            for line in lines:
                words = line.split()
                if not words:
                    continue
                key = words[0]
                if key == b"$var":
                    kind = lib.FST_VT_VCD_WIRE
                    width, name = int(words[2]), b" ".join(words[4:-1])
                    alias = handles.get(words[3], (0, 0))[0]
                    args = (writer, kind, lib.FST_VD_IMPLICIT, width, name, alias)
                    handle = lib.fstWriterCreateVar(*args)
                    handles.setdefault(words[3], (handle, width))
                elif key == b"$scope":
                    lib.fstWriterSetScope(writer, lib.FST_ST_VCD_MODULE, words[2], ffi.NULL)
                elif key == b"$upscope":
                    lib.fstWriterSetUpscope(writer)
                elif key == b"$timescale":
                    lib.fstWriterSetTimescaleFromString(writer, b" ".join(words[1:-1]))
                elif key[:1] == b"#":
                    lib.fstWriterEmitTimeChange(writer, int(key[1:]))
                elif key[:1] == b"b":
                    handle, width = handles[words[1]]
                    value = key[1:].rjust(width, b"0")
                    lib.fstWriterEmitValueChange(writer, handle, value)
                elif key[:1] in b"01xz":
                    lib.fstWriterEmitValueChange(writer, handles[key[1:]][0], key[:1])
    finally:
        lib.fstWriterClose(writer)
