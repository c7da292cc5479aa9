"""The first line and its answer: bounded, in time, and silent about what a client's environment holds."""

import json
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.daemon import hello
from specloom.daemon.errors import NoDaemonError
from specloom.daemon.hello import LONGEST, WANTS, Hello, answer_line, counts, hello_line, meet, read_answer, read_hello
from tests.daemon.stage import Stage

NAMES = st.sampled_from(["PATH", "LANG", "ANTHROPIC_API_KEY", "SPECLOOM_X", "HOME", "LD_PRELOAD"])


@given(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=40)),
    st.sampled_from(WANTS),
    st.booleans(),
)
def test_what_is_said_is_heard_but_for_names_that_do_not_count(
    cwd: str, env: dict[str, str], want: str, force: bool
) -> None:
    hello = Hello(cwd, env, next(name for name in WANTS if name == want), force)
    line = hello_line(hello)
    assert line.count(b"\n") == 1
    own = {name: value for name, value in env.items() if counts(name)}
    assert read_hello(line) == hello._replace(environment=own)
    assert not {"HOME", "LD_PRELOAD"} & set(own)


@given(st.binary(max_size=200))
def test_garbage_is_refused_with_words(line: bytes) -> None:
    assert isinstance(read_hello(line), str)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("specloom", 2),
        ("want", "reboot"),
        ("version", 7),
        ("version", "1" * 65),
        ("env", []),
        ("cwd", None),
        ("cwd", "/" * 4097),
    ],
)
def test_a_hello_of_the_wrong_shape_is_refused(member: str, value: object) -> None:
    told = json.loads(hello_line(Hello("/", {}))) | {member: value}
    assert isinstance(read_hello(json.dumps(told).encode()), str)


def test_no_repr_shows_a_key() -> None:
    assert "secret" not in repr(Hello("/", {"ANTHROPIC_API_KEY": "secret"}))


def test_an_environment_that_does_not_fit_is_named() -> None:
    with pytest.raises(NoDaemonError, match="shorten PATH"):
        hello_line(Hello("/", {"PATH": "x" * LONGEST, "LANG": "C"}))


def test_an_answer_tells_why_and_what_next() -> None:
    answer = read_answer(answer_line(ok=False, pid=7, reason="busy", next="wait"))
    assert (answer.ok, answer.refusal, answer.members["pid"]) == (False, "busy; wait", 7)
    with pytest.raises(NoDaemonError, match="no Specloom"):
        read_answer(b"HTTP/1.1 400 Bad Request\r\n")


def listener(path: Path, answer: bytes | None) -> tuple[socket.socket, threading.Thread]:
    """Somebody at the socket who answers each client with these bytes, or with silence."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(LONGEST)
            if answer is None:
                connection.recv(LONGEST)
            else:
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listening, thread


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, r"did not answer within 0.2 seconds; .* its pid stands in .*\.json"),
        (b"SSH-2.0-OpenSSH\r\n", "is no Specloom"),
        (b"{}\n", "is no Specloom"),
    ],
)
def test_who_is_silent_or_speaks_something_else_is_no_daemon(answer: bytes | None, said: str, stage: Stage) -> None:
    listening, thread = listener(stage.place.socket, answer)
    with listening, pytest.raises(NoDaemonError, match=said):
        # Who answers may take longer than that on a busy machine.
        meet(str(stage.place.socket), Hello("/", {}), *((0.2,) if answer is None else ()))
    thread.join(5)


def test_nobody_there_and_one_who_ends_at_once_are_the_same(stage: Stage) -> None:
    path = stage.place.socket
    assert meet(str(path), Hello("/", {})) is None
    listening, thread = listener(path, b"")
    with listening:
        assert meet(str(path), Hello("/", {})) is None
    thread.join(5)
    # The file is still there, and nobody listens.
    assert meet(str(path), Hello("/", {})) is None


def test_an_answer_that_comes_before_the_hello_is_heard(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    path, connect = stage.place.socket, hello._connect  # pyright: ignore[reportPrivateUsage] # the moment is behind it
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()

        def sent_away(connection: socket.socket, place: str, end: float) -> None:
            connect(connection, place, end)
            with listening.accept()[0] as other:
                other.sendall(answer_line(ok=False, pid=1, reason="no room"))

        monkeypatch.setattr(hello, "_connect", sent_away)
        met = meet(str(path), Hello("/", {}))
    assert met is not None
    assert (met.answer.ok, met.answer.members["reason"]) == (False, "no room")
    met.connection.close()


def test_what_comes_behind_the_answer_is_kept(stage: Stage) -> None:
    listening, thread = listener(stage.place.socket, answer_line(ok=True, pid=1) + b"Content-Length: 2")
    with listening:
        met = meet(str(stage.place.socket), Hello("/", {}))
        assert met is not None
        assert met.rest == b"Content-Length: 2"
        met.connection.close()
    thread.join(5)


def test_a_daemon_whose_queue_is_full_is_not_taken_for_none(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as first:
        listening.bind(path)
        listening.listen(0)
        first.connect(path)
        with pytest.raises(NoDaemonError, match="did not answer"):
            meet(path, Hello("/", {}), 0.2)
