# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes there and back, compared: what a tunnel loses, doubles or changes shows.

    python3 echo.py serve ADDRESS...        on port 7000, TCP and UDP
    python3 echo.py ask ADDRESS [SECONDS]   once; SECONDS: until so long is over

TCP: 2 MB each way at the same time, of a pattern of its own for each run. UDP: in
sizes from one byte to more than a packet holds, and in bunches that the kernel
is asked to cut (UDP_SEGMENT), each answered before the next is sent.
"""
import os
import select
import socket
import sys
import threading
import time

PORT, SIZE, PATIENCE = 7000, 2 << 20, 20
UDP_SEGMENT = 103
SMALL, LARGE, BUNCH, TIMES = (1, 64, 500, 1372, 1400, 4000), 1000, 16, 10


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def copy(link):
    while data := link.recv(65536):
        link.sendall(data)
    link.close()


def answer(udp):
    while True:
        udp.sendto(*udp.recvfrom(65536))


def listen(tcp):
    while True:
        threading.Thread(target=copy, args=(tcp.accept()[0],), daemon=True).start()


def serve(addresses):
    for address in addresses:
        udp = socket.socket(family(address), socket.SOCK_DGRAM)
        udp.bind((address, PORT))
        threading.Thread(target=answer, args=(udp,), daemon=True).start()
        tcp = socket.create_server((address, PORT), family=family(address))
        threading.Thread(target=listen, args=(tcp,), daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


def tcp(address):
    data = os.urandom(SIZE)
    link = socket.create_connection((address, PORT), timeout=PATIENCE)
    link.setblocking(False)
    sent, got = 0, bytearray()
    while len(got) < SIZE:
        want = [link] if sent < SIZE else []
        readable, writable, _ = select.select([link], want, [], PATIENCE)
        if not readable and not writable:
            sys.exit(f"TCP: nothing more after {len(got)} bytes")
        if writable:
            sent += link.send(data[sent:sent + 65536])
        if readable:
            more = link.recv(65536)
            if not more:
                sys.exit(f"TCP: closed after {len(got)} bytes")
            got += more
    link.close()
    if bytes(got) != data:
        sys.exit("TCP: other bytes came back")


def hear(udp, expected):
    for _ in range(len(expected)):
        try:
            got = udp.recv(65536)
        except TimeoutError:
            sys.exit(f"UDP: {len(expected)} of {len(expected[0])} bytes are missing")
        if got not in expected:
            sys.exit(f"UDP: {len(got)} other bytes came back")
        expected.remove(got)


def udp(address):
    link = socket.socket(family(address), socket.SOCK_DGRAM)
    link.settimeout(PATIENCE)
    link.connect((address, PORT))
    for size in SMALL:
        data = os.urandom(size)
        link.send(data)
        hear(link, [data])
    for cut in [0, LARGE] * TIMES:
        pieces = [os.urandom(LARGE) for _ in range(BUNCH)]
        link.setsockopt(socket.SOL_UDP, UDP_SEGMENT, cut)
        for data in [b"".join(pieces)] if cut else pieces:
            link.send(data)
        hear(link, pieces)


def ask(address, seconds=0):
    end = time.monotonic() + float(seconds)
    while True:
        tcp(address)
        udp(address)
        if time.monotonic() >= end:
            return


if __name__ == "__main__":
    serve(sys.argv[2:]) if sys.argv[1] == "serve" else ask(*sys.argv[2:])
