"""Stands for a forked command where a library starts processes itself: `SOCKET COMMAND WORDS…`.

Hands its streams to the server of `forks`, and ends with the command's status. Refuses to import more than it needs: to
start costs nearly nothing.
"""

import json
import os
import socket
import sys

HEAD = 4
"""Bytes of the length of the order that follows; with it come the three standard streams."""


def main() -> int:
    """The command's status."""
    place, *argv = sys.argv[1:]
    cwd = os.getcwd()  # noqa: PTH109 - pathlib costs as much as all of this
    order: dict[str, object] = {"argv": argv, "module": "", "cwd": cwd, "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect("\0" + place)
        send(server, order, [0, 1, 2])
        for stream in range(3):
            os.close(stream)
        with server.makefile() as told:
            _, status = told
    return int(status)


def send(server: socket.socket, order: dict[str, object], streams: list[int]) -> None:
    """Asks for a command; the server answers with its number, and with its status when it has ended."""
    told = json.dumps(order).encode()
    socket.send_fds(server, [len(told).to_bytes(HEAD, "big")], streams)
    server.sendall(told)


if __name__ == "__main__":
    sys.exit(main())
