#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# overlay.py VNI: writes one line for each VXLAN packet of this VNI that comes in by a link box0, box1, …
# of the network namespace that it is in (the underlay's switch): TIME LINK, and the frame in hex; after a
# first line `ready`. The kernel picks the packets, so others' cost nothing. Ends when its standard input
# does. Used by the live tests.
import ctypes
import select
import socket
import struct
import sys
import time

ETH_P_ALL, SO_ATTACH_FILTER = 3, 26
LOAD_BYTE, LOAD_HALF, LOAD_WORD, RIGHT, EQUAL, RETURN = 0x30, 0x28, 0x20, 0x74, 0x15, 0x06
# Ethernet, IPv4 without options, UDP to port 4789, VXLAN: classic BPF.
program = [(LOAD_HALF, 0, 0, 12), (EQUAL, 0, 8, 0x0800), (LOAD_BYTE, 0, 0, 23), (EQUAL, 0, 6, 17),
           (LOAD_HALF, 0, 0, 36), (EQUAL, 0, 4, 4789), (LOAD_WORD, 0, 0, 46), (RIGHT, 0, 0, 8),
           (EQUAL, 0, 1, int(sys.argv[1])), (RETURN, 0, 0, 0x40000), (RETURN, 0, 0, 0)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
frames.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                  struct.pack("HL", len(program), ctypes.addressof(code)))
print("ready", flush=True)
while True:
    readable, _, _ = select.select([frames, sys.stdin], [], [])
    if frames in readable:
        frame, address = frames.recvfrom(65536)
        if address[0].startswith("box") and address[2] != socket.PACKET_OUTGOING:
            print(f"{time.monotonic():.3f}", address[0], frame[50:].hex(), flush=True)
    elif not sys.stdin.read(1):
        break
