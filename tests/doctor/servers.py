"""The smallest servers that answer a question of the doctor's."""

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def answering(reply: Callable[[bytes], bytes], greeting: bytes = b"") -> Iterator[int]:
    """The port of a server that says `greeting`, and `reply` to whatever it is sent."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if greeting:
                self.request.sendall(greeting)
            while data := self.request.recv(65_536):
                self.request.sendall(reply(data))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def http(status: int) -> Callable[[bytes], bytes]:
    return lambda data: f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()


def redis_reply(data: bytes) -> bytes:
    replies = {b"HELLO": b"%1\r\n+proto\r\n:3\r\n", b"PING": b"+PONG\r\n"}
    return b"".join(replies.get(name, b"+OK\r\n") for name in re.findall(rb"\*\d+\r\n\$\d+\r\n(\w+)", data))
