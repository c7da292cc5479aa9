"""Reading and writing of descriptors that another process may have made non-blocking."""

import os
import socket
import threading

from specloom.lsp.descriptors import read_some, write_all

MUCH = os.urandom(1_000_000)


def test_all_that_is_written_to_a_full_non_blocking_pipe_arrives() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        received = bytearray()

        def read() -> None:
            while data := read_some(theirs.fileno(), 4096):
                received.extend(data)

        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        write_all(ours.fileno(), MUCH)
        ours.shutdown(socket.SHUT_WR)
        reading.join(20.0)
        assert bytes(received) == MUCH
