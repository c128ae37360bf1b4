"""The key that signs updates. A development key is made here when there is none; a release refuses it."""

import os
import pathlib

from stage import BUILD, BuildError, run, say

DAYS = str(40 * 365)  # longer than any card lives: a box without a clock must not outlive its own key


def development():
    """Makes the development key once. It never leaves build/, which git ignores."""
    folder = BUILD / "development-key"
    if not (folder / "keyring.pem").exists():
        say("makes a key for development (build/image/development-key); a release needs its own")
        make(folder, "Posthorn development, not for release")
    return folder


def make(folder, name):
    """An authority (keyring.pem, into the slots) and a signing key below it (signer.pem, signer.key)."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = ["-keyout", folder / "authority.key", "-out", folder / "keyring.pem"]
    new = ["openssl", "req", "-newkey", "rsa:3072", "-nodes", "-sha256"]
    run(*new, "-x509", "-days", DAYS, "-subj", f"/CN={name}, authority",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", *authority)
    run(*new, "-subj", f"/CN={name}, signer", "-keyout", folder / "signer.key", "-out", folder / "signer.csr")
    extensions = folder / "signer.ext"
    extensions.write_text("basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                          "extendedKeyUsage=emailProtection\n")
    run("openssl", "x509", "-req", "-sha256", "-days", DAYS, "-in", folder / "signer.csr", "-CA",
        folder / "keyring.pem", "-CAkey", folder / "authority.key", "-CAcreateserial", "-extfile", extensions,
        "-out", folder / "signer.pem")
    run("minisign", "-G", "-f", "-W", "-p", folder / "minisign.pub", "-s", folder / "minisign.key")
    for key in folder.glob("*.key"):
        key.chmod(0o600)


def for_release():
    """POSTHORN_SIGNING names a folder with keyring.pem, signer.pem and signer.key that is not a development key."""
    name = os.environ.get("POSTHORN_SIGNING", "")
    if not name:
        raise BuildError("a release needs its own key: POSTHORN_SIGNING=FOLDER with keyring.pem, signer.pem, signer.key\n"
                         "make one, once, with: image/build --new-key FOLDER; keep it off this machine otherwise")
    folder = pathlib.Path(name).resolve()
    for file in ("keyring.pem", "signer.pem", "signer.key"):
        if not (folder / file).exists():
            raise BuildError(f"{folder / file} is missing")
    for file in ("keyring.pem", "signer.pem"):
        if "development" in run("openssl", "x509", "-in", folder / file, "-noout", "-subject"):
            raise BuildError(f"{folder / file} is a development key: a release is never built with it")
    return folder
