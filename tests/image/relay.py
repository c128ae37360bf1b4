"""Joins QEMU's guestfwd (standard input and output) with a TCP port of this machine's loopback: relay.py PORT"""

import os
import select
import socket
import sys

server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    for source in select.select([0, server], [], [])[0]:
        piece = os.read(0, 65536) if source == 0 else server.recv(65536)
        if not piece:
            sys.exit(0)
        if source == 0:
            server.sendall(piece)
        else:
            while piece:
                piece = piece[os.write(1, piece):]
