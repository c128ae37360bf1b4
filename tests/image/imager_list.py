#!/usr/bin/env python3
"""The entry for Raspberry Pi Imager against what its schema documents: imager_list.py

Facts from rpi-imager's doc/json-schema/os-list-schema.json, doc/schema-notes.md and doc/os_customisation_formats.md, read
in Nov 2026: the members that must be there, their types, bytes as the unit, hashes of which file, which archives."""

import hashlib
import os
import pathlib
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "image/lib"))

# pylint: disable=wrong-import-position
import release

# The members without which an entry is refused, and their types.
REQUIRED = {"name": str, "description": str, "icon": str, "url": str, "extract_size": int, "extract_sha256": str,
            "image_download_size": int, "release_date": str, "devices": list}
INIT_FORMATS = {"none", "systemd", "cloudinit", "cloudinit-rpi", ""}
DEVICES = {"pi3-64bit", "pi4-64bit"}


class ImagerList(unittest.TestCase):
    def setUp(self):
        os.environ["SOURCE_DATE_EPOCH"] = "1795408714"
        os.environ.pop("POSTHORN_URL", None)
        self.temporary = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.temporary.name)
        self.image = folder / "posthorn.img"
        self.image.write_bytes(b"disk" * 1024)
        self.packed = folder / "posthorn-1.0-arm64.img.xz"
        self.packed.write_bytes(b"packed")

    def tearDown(self):
        self.temporary.cleanup()

    def entry(self):
        listed = release.imager_list(self.packed, self.image, "1.0")
        self.assertEqual(list(listed), ["os_list"])  # the schema allows "imager" beside it, and nothing else
        self.assertEqual(len(listed["os_list"]), 1)
        return listed["os_list"][0]

    def test_has_every_member_of_its_type(self):
        entry = self.entry()
        for name, kind in REQUIRED.items():
            self.assertIs(type(entry.get(name)), kind, name)
            self.assertTrue(entry[name], name)

    def test_sizes_and_hashes_are_of_the_right_files(self):
        entry = self.entry()
        self.assertEqual(entry["extract_size"], 4096)
        self.assertEqual(entry["extract_sha256"], hashlib.sha256(b"disk" * 1024).hexdigest())
        self.assertEqual(entry["image_download_size"], 6)
        self.assertEqual(entry["image_download_sha256"], hashlib.sha256(b"packed").hexdigest())

    def test_values_are_those_that_imager_knows(self):
        entry = self.entry()
        self.assertIn(entry["init_format"], INIT_FORMATS)
        self.assertLessEqual(set(entry["devices"]), DEVICES)
        self.assertEqual(entry["architecture"], "armv8")
        self.assertRegex(entry["release_date"], r"^\d{4}-\d{2}-\d{2}$")

    def test_addresses_are_whole_and_of_what_is_there(self):
        for base in (None, "https://example.com/posthorn", "https://example.com/posthorn/"):
            if base:
                os.environ["POSTHORN_URL"] = base
            entry = self.entry()
            self.assertRegex(entry["url"], r"^(https|file)://\S+[^/]/posthorn-1\.0-arm64\.img\.xz$")
            self.assertRegex(entry["icon"], r"^(https|file)://\S+\.svg$")
            self.assertTrue((release.IMAGE / re.sub(".*/", "", entry["icon"])).exists())


if __name__ == "__main__":
    unittest.main()
