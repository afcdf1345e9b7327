"""Requests to addresses that somebody else chose: what is private is not reached, however it is named."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from tasks_app import webhooks
from tasks_app.webhooks import AddressRefused, is_public, post
from tests.receiver import Receiver, receiver

HERE = [
    "127.0.0.1",
    "127.0.0.2",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "127.000.000.001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0",
    "0.0.0.0",  # noqa: S104
    "0x0",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0.0.0.0]",
]
"""Ways of naming this very machine."""
ELSEWHERE = [
    "10.0.0.1",
    "10.1",
    "0x0a000001",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "3232235521",
    "169.254.169.254",
    "0xa9fea9fe",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[::127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[100::1]",
]
"""Ways of naming other machines that only this one may reach."""


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


def send(host: str, server: Receiver, *, allow_private: bool) -> int:
    return post(f"http://{host}:{server.port}/hook?a=b", b"{}", {}, allow_private=allow_private)


@pytest.mark.parametrize("host", HERE)
def test_a_way_of_naming_this_machine_reaches_it_and_is_refused_all_the_same(host: str, server: Receiver) -> None:
    try:
        assert send(host, server, allow_private=True) == 200
        assert server.received.pop().path == "/hook?a=b"
    except socket.gaierror:
        pytest.skip("this system does not know the name")
    with pytest.raises(AddressRefused):
        send(host, server, allow_private=False)
    assert server.received == []


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_way_of_naming_a_private_machine_is_refused_without_connecting(
    host: str, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda sock, address: tried.append(address))
    with pytest.raises(AddressRefused):
        send(host, server, allow_private=False)
    assert tried == []


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2002:101:101::1"])
def test_public_addresses_are_not_refused(address: str) -> None:
    assert is_public(ip_address(address))


def test_this_machine_is_refused_by_its_public_address_too(server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "is_public", lambda address: True)
    with pytest.raises(AddressRefused):
        send("127.0.0.1", server, allow_private=False)
    assert server.received == []


def test_a_redirect_is_not_followed(server: Receiver) -> None:
    server.answers = [307]
    assert send("127.0.0.1", server, allow_private=True) == 307
    assert len(server.received) == 1


def test_who_answers_too_slowly_is_cut_off(server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "DEADLINE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def trickle() -> None:
            client, _ = listening.accept()
            with client:
                client.sendall(b"HTTP/1.1 ")
                while client.recv(1000):
                    pass

        threading.Thread(target=trickle, daemon=True).start()
        with pytest.raises((OSError, webhooks.http.client.HTTPException)):
            post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {}, allow_private=True)
