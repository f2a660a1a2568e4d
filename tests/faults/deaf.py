"""Readers that ask for a reply and then never read a byte of it."""

import base64
import json
import os
import socket
import struct
from urllib.parse import urlsplit

from tests.faults.ledger import Ask

# The kernel holds a little for us all the same.
_RECEIVE_BUFFER = 4096


def deaf_over_sse(url: str, token: str, ask: Ask) -> socket.socket:
    address = f"GET /api/v1/chat/generations/{ask.generation}/events?after=0 HTTP/1.1"
    return _connected(url, [address, f"Authorization: Bearer {token}"])


def deaf_over_socket(url: str, token: str, ask: Ask) -> socket.socket:
    headers = [
        f"GET /ws/tutor/{ask.session}/ HTTP/1.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        f"Sec-WebSocket-Protocol: colloquy.v1, bearer.{token}",
    ]
    connected = _connected(url, headers)
    # A client waits for the server's handshake before it sends frames. Of its answer only this much is read.
    assert connected.recv(12) == b"HTTP/1.1 101"
    attach = {"action": "attach", "generation": ask.generation, "after": 0}
    connected.sendall(_text_frame(json.dumps(attach).encode()))
    return connected


def _connected(url: str, lines: list[str]) -> socket.socket:
    place = urlsplit(url)
    connected = socket.socket()
    connected.settimeout(10)
    # Before connecting, since it decides how large a window the other side sees.
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    connected.connect((place.hostname, place.port))
    connected.sendall("\r\n".join([*lines, f"Host: {place.netloc}", "", ""]).encode())
    return connected


def _text_frame(payload: bytes) -> bytes:
    """Final, text, masked, as RFC 6455 wants it of clients, for payloads up to 64 KiB."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    length = struct.pack("!B", 0x80 | len(payload)) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
    return b"\x81" + length + mask + masked
