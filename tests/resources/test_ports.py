from __future__ import annotations

import socket

import pytest

from penstock.errors import SetupError
from penstock.resources import ports


def test_a_taken_port_is_named() -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        taken = server.getsockname()[1]
        assert not ports.is_free(taken)
        assert ports.answers(ports.LOOPBACK, taken)
        with pytest.raises(SetupError, match=f"port {taken} for the web server is taken"):
            ports.take_port(taken, "the web server")


def test_a_free_port_can_be_had() -> None:
    port = ports.free_port()
    assert ports.take_port(port, "anything") == port
    assert not ports.answers(ports.LOOPBACK, port)


def test_a_token_in_an_url_is_not_shown() -> None:
    assert ports.host_and_port("sc://h:1/;token=secret", 15002) == ("h", 1)
    assert ports.host_and_port("sc://h", 15002) == ("h", 15002)
