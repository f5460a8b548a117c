#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# capture.py: writes all frames of all links of the network namespace that it is in, one a line as
# LINK HEX, after a first line `ready`. Ends when its standard input does. Used by the live tests.
import select
import socket
import sys

ETH_P_ALL = 3
frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
print("ready", flush=True)
while True:
    readable, _, _ = select.select([frames, sys.stdin], [], [])
    if frames in readable:
        frame, address = frames.recvfrom(65536)
        print(address[0], frame.hex(), flush=True)
    elif not sys.stdin.read(1):
        break
