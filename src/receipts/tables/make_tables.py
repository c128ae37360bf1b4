#!/usr/bin/env python3
"""Makes code pages and glyphs for receipts: make_tables.py FONT_FOLDER OUTPUT.cpp

Code pages: 128 code points each, as the C library's iconv (or Python, where it has none) knows them.
Glyphs: those that a code page can print, of Terminus Font 12x24 (bold: thermal paper is dark) and 8x16 (SIL OFL 1.1, Debian's
xfonts-terminus), packed row by row. All of it is deflated: it is a quarter then.
"""
import ctypes
import gzip
import pathlib
import struct
import sys
import zlib

PAGES = (
    "CP437 CP720 CP737 CP772 CP774 CP775 CP850 CP851 CP852 CP855 CP857 CP858 CP860 CP861 CP862 CP863 CP864 CP865 "
    "CP866 CP869 CP874 CP1125 CP1250 CP1251 CP1252 CP1253 CP1254 CP1255 CP1256 CP1257 CP1258 RK1048 ISO8859-1 "
    "ISO8859-2 ISO8859-5 ISO8859-7 ISO8859-9 ISO8859-15 TCVN5712-1 KATAKANA"
).split()
IN_PYTHON = {"CP720": "cp720", "KATAKANA": "shift_jis"}
MORE = "€„“”‘’–—…•№™←↑→↓✓"

libc = ctypes.CDLL(None, use_errno=True)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv.restype = ctypes.c_size_t
libc.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
libc.iconv_close.argtypes = [ctypes.c_void_p]


def by_iconv(page, byte):
    """Code point of a byte; 0: it has none."""
    cd = libc.iconv_open(b"UTF-16LE", page.encode())
    if cd in (None, 2**64 - 1):
        sys.exit(f"iconv does not know {page}")
    source, target = ctypes.create_string_buffer(bytes([byte]), 1), ctypes.create_string_buffer(8)
    at, left = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_size_t(1)
    out, room = ctypes.c_void_p(ctypes.addressof(target)), ctypes.c_size_t(8)
    args = [ctypes.byref(x) for x in (at, left, out, room)]
    done = libc.iconv(cd, *args)
    if done != 2**64 - 1:
        libc.iconv(cd, None, None, args[2], args[3])  # what waits for a combining mark
    libc.iconv_close(cd)
    return struct.unpack_from("<H", target.raw)[0] if room.value <= 6 and done != 2**64 - 1 else 0


def table(page):
    if page not in IN_PYTHON:
        return [by_iconv(page, byte) for byte in range(128, 256)]
    chars = [bytes([byte]).decode(IN_PYTHON[page], "ignore") for byte in range(128, 256)]
    return [ord(char) if len(char) == 1 else 0 for char in chars]


def read_pcf(path, width, height):
    """Code point -> rows, each an int of `width` bits."""
    data = gzip.decompress(path.read_bytes())
    tables = {}
    for i in range(struct.unpack_from("<I", data, 4)[0]):
        kind, form, _, offset = struct.unpack_from("<IIII", data, 8 + 16 * i)
        tables[kind] = (form, offset)

    def at(kind):
        form, offset = tables[kind]
        return form, offset + 4, ">" if form & 4 else "<"

    form, offset, order = at(4)  # metrics
    metrics = []
    if form & 0x100:
        count = struct.unpack_from(order + "H", data, offset)[0]
        for i in range(count):
            left, right, _, ascent, descent = (byte - 0x80 for byte in data[offset + 2 + 5 * i : offset + 7 + 5 * i])
            metrics.append((left, right, ascent, descent))
    else:
        count = struct.unpack_from(order + "I", data, offset)[0]
        for i in range(count):
            left, right, _, ascent, descent, _ = struct.unpack_from(order + "hhhhhH", data, offset + 4 + 12 * i)
            metrics.append((left, right, ascent, descent))
    form, offset, order = at(8)  # bitmaps
    count = struct.unpack_from(order + "I", data, offset)[0]
    offsets = struct.unpack_from(f"{order}{count}I", data, offset + 4)
    bits = offset + 4 + 4 * count + 16
    pad = 1 << (form & 3)
    unit = 1 << ((form >> 4) & 3)
    form2, accel, order2 = at(256 if 256 in tables else 2)
    font_ascent = struct.unpack_from(order2 + "i", data, accel + 8)[0]

    def rows(glyph):
        left, right, ascent, descent = metrics[glyph]
        wide = right - left
        stride = (wide + 7) // 8
        stride = (stride + pad - 1) // pad * pad
        out = [0] * height
        for y in range(ascent + descent):
            line = bytearray(data[bits + offsets[glyph] + y * stride :][:stride])
            if not form & 8:  # least significant bit first
                line = bytearray(int(f"{byte:08b}"[::-1], 2) for byte in line)
            if unit > 1 and bool(form & 4) != bool(form & 8):
                for i in range(0, len(line) - unit + 1, unit):
                    line[i : i + unit] = line[i : i + unit][::-1]
            for x in range(wide):
                row, column = font_ascent - ascent + y, left + x
                if line[x // 8] >> (7 - x % 8) & 1 and 0 <= row < height and 0 <= column < width:
                    out[row] |= 1 << (width - 1 - column)
        return out

    form, offset, order = at(32)  # encodings
    first, last, high, high_last, _ = struct.unpack_from(order + "5H", data, offset)
    out = {}
    for row in range(high, high_last + 1):
        for column in range(first, last + 1):
            index = (row - high) * (last - first + 1) + column - first
            glyph = struct.unpack_from(order + "H", data, offset + 10 + 2 * index)[0]
            if glyph != 0xFFFF:
                out[row << 8 | column] = rows(glyph)
    return out


def packed(rows, width):
    bits = "".join(f"{row:0{width}b}" for row in rows)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


def array(kind, name, values):
    lines = [", ".join(str(v) for v in values[i : i + 24]) for i in range(0, len(values), 24)]
    return f"extern const {kind} {name}[] = {{\n" + ",\n".join(lines) + "};\n"


def main():
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    large = read_pcf(folder / "ter-u24b_unicode.pcf.gz", 12, 24)
    small = read_pcf(folder / "ter-u16n_unicode.pcf.gz", 8, 16)
    pages = [table(page) for page in PAGES]
    wanted = set(range(0x20, 0x7F)) | {point for page in pages for point in page} | {ord(char) for char in MORE}
    points = sorted(point for point in wanted if point in large and point in small and 0x20 <= point < 0xFFFF)
    if not all(point in points for point in b"Rr09$"):
        sys.exit("the font has no letters")
    names = ", ".join(f'"{page}"' for page in PAGES)
    text = "// Made by make_tables.py. Glyphs: Terminus Font, (c) Dimitar Toshkov Zhekov, SIL OFL 1.1.\n"
    text += '#include "receipts/tables/tables.h"\n\nnamespace posthorn::receipts::tables {\n'
    text += f"extern const std::size_t kPageCount = {len(PAGES)};\n"
    text += f"extern constinit const std::string_view kPageNames[] = {{{names}}};\n"
    text += f"extern const std::size_t kGlyphCount = {len(points)};\n"
    numbers = [point for page in pages for point in page] + points
    bytes_of = struct.pack(f"<{len(numbers)}H", *numbers)
    bytes_of += bytes(byte for point in points for byte in packed(large[point], 12))
    bytes_of += bytes(byte for point in points for byte in packed(small[point], 8))
    blob = zlib.compress(bytes_of, 9)
    text += array("std::uint8_t", "kPacked", blob)
    text += f"extern const std::size_t kPackedSize = {len(blob)};\n"
    text += "}  // namespace posthorn::receipts::tables\n"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)


if __name__ == "__main__":
    main()
