#!/usr/bin/python3
"""How many bare clients one Mosquitto carries: scale.py [CLIENTS]. Four processes, mutual TLS, loopback; by hand, not in the whole run.

Each client is MQTT 5 written out by hand (connect, a retained state of 700 bytes at QoS 1, its acknowledgement, hold the line): no boxes
and no posthornd behind it. It says what the broker needs, not what a fleet does.
"""

import multiprocessing
import pathlib
import shutil
import socket
import ssl
import struct
import sys
import tempfile
import time

from bench import ORG, Authority, Broker

PROCESSES = 4
STATES = 20  # per client
PAYLOAD = b"{" + b" " * 698 + b"}"


def field(data):
    return struct.pack(">H", len(data)) + data


def packet(kind, body):
    size, length = b"", len(body)
    while True:
        length, low = divmod(length, 128)
        size += bytes([low | (128 if length else 0)])
        if not length:
            return bytes([kind]) + size + body


def read_packet(peer):
    kind = peer.recv(1)[0]
    length = shift = 0
    while True:
        byte = peer.recv(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    body = b""
    while len(body) < length:
        body += peer.recv(length - len(body))
    return kind, body


def clients(port, authority, count, first, ready, go, results):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority / "ca.pem")
    context.load_cert_chain(authority / "crowd.pem", authority / "crowd.key")
    peers = []
    began = time.monotonic()
    for number in range(first, first + count):
        peer = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 20), server_hostname="127.0.0.1")
        peer.sendall(packet(0x10, field(b"MQTT") + bytes([5, 2]) + struct.pack(">H", 60) + b"\0" + field(f"crowd-{number}".encode())))
        kind, body = read_packet(peer)
        assert kind == 0x20 and body[1] == 0, (kind, body)
        peers.append(peer)
    connected = time.monotonic() - began
    ready.release()
    go.wait()
    began = time.monotonic()
    for ident in range(1, STATES + 1):
        for number, peer in enumerate(peers, first):
            topic = f"posthorn/v1/{ORG}/crowd/state/{number}".encode()
            peer.sendall(packet(0x33, field(topic) + struct.pack(">H", ident) + b"\0" + PAYLOAD))
        for peer in peers:
            kind, _ = read_packet(peer)
            assert kind == 0x40, kind
    results.put((connected, time.monotonic() - began))
    for peer in peers:
        peer.close()


def main():
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    folder = pathlib.Path(tempfile.mkdtemp(prefix="posthorn-scale-"))
    authority = Authority(folder / "ca")
    authority.pair("crowd")
    broker = Broker(folder / "broker", authority)
    ready, go, results = multiprocessing.Semaphore(0), multiprocessing.Event(), multiprocessing.Queue()
    each = total // PROCESSES
    children = [multiprocessing.Process(target=clients, args=(broker.port, authority.folder, each, i * each, ready, go, results))
                for i in range(PROCESSES)]
    try:
        began = time.monotonic()
        for child in children:
            child.start()
        for _ in children:
            assert ready.acquire(timeout=120), "not all connected"
        connected = time.monotonic() - began
        go.set()
        published = max(results.get(timeout=120)[1] for _ in children)
        status = pathlib.Path(f"/proc/{broker.process.pid}/status").read_text()
        resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        fields = pathlib.Path(f"/proc/{broker.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / 100
        print(f"{each * PROCESSES} clients connected in {connected:.1f} s; {each * PROCESSES * STATES} retained states of 700 B in {published:.1f} s; "
              f"broker {resident / 1024:.0f} MB resident, {cpu:.1f} s of CPU")
    finally:
        for child in children:
            child.join(20)
            if child.is_alive():
                child.kill()
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
