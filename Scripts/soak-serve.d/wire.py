"""HTTP/1.1 over a socket, byte by byte where a test wants it so. Every wait has an end."""
import socket
import struct
import time


class Stuck(Exception):
    """Nothing came for too long."""


class Closed(Exception):
    """The server closed the connection before the answer's end."""


class Wire:
    """One connection, for one thread."""

    def __init__(self, port, patience, bound, receive_buffer=None):
        """patience: seconds without a byte; bound: seconds until the end of all."""
        self.patience, self.bound = patience, bound
        self.ends = time.monotonic() + bound
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(patience)
        self.received = b""
        try:
            self.socket.connect(("127.0.0.1", port))
        except TimeoutError as error:
            self.close()
            raise Stuck("no connection") from error
        except OSError as error:
            self.close()
            raise Closed(f"no connection: {error.strerror}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def begin(self):
        """Another request begins: its time is its own."""
        self.ends = time.monotonic() + self.bound

    def close(self):
        self.socket.close()

    def abort(self):
        """Closes so that the server's writing fails."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data):
        self._wait()
        try:
            self.socket.sendall(data)
        except TimeoutError as error:
            raise Stuck("the server takes no bytes") from error
        except OSError as error:
            raise Closed(f"can't send: {error.strerror}") from error

    def ask(self, method, path, body=b"", headers=()):
        self.send(request(method, path, body, headers))

    def head(self):
        """The status and the headers of an answer, names in small letters."""
        lines = []
        while True:
            line = self._line()
            if not line:
                break
            lines.append(line)
        words = lines[0].split(b" ") if lines else []
        if len(words) < 2 or not words[1].isdigit():
            raise Closed(f"no HTTP answer: {lines[:1]}")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
        return int(words[1]), headers

    def pieces(self, headers):
        """The body as it comes."""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = int(self._line().split(b";")[0], 16)
                piece = self._exactly(size + 2)[:-2]
                if not size:
                    return
                yield piece
        left = int(headers.get("content-length", 0))
        while left:
            piece = self._some(left)
            left -= len(piece)
            yield piece

    def body(self, headers):
        return b"".join(self.pieces(headers))

    def _wait(self):
        rest = self.ends - time.monotonic()
        if rest <= 0:
            raise Stuck(f"no end within {self.bound:.0f} s")
        self.socket.settimeout(min(self.patience, rest))

    def _receive(self):
        self._wait()
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError as error:
            raise Stuck(f"nothing for {self.patience:.0f} s, or no end in time") from error
        except OSError as error:
            raise Closed(f"broken: {error.strerror}") from error
        if not data:
            raise Closed("closed before the end")
        self.received += data

    def _line(self):
        while b"\n" not in self.received:
            self._receive()
        line, _, self.received = self.received.partition(b"\n")
        return line.rstrip(b"\r")

    def _some(self, most):
        if not self.received:
            self._receive()
        piece, self.received = self.received[:most], self.received[most:]
        return piece

    def _exactly(self, count):
        while len(self.received) < count:
            self._receive()
        return self._some(count)


def request(method, path, body=b"", headers=()):
    """A request as bytes; headers of the caller come in place of the usual ones of that name."""
    own = dict(headers)
    usual = {"Host": "127.0.0.1"}
    if body or method == "POST":
        usual |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    fields = "".join(f"{name}: {value}\r\n" for name, value in (usual | own).items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode() + body


def events(pieces):
    """The data of server-sent events out of the pieces of a body."""
    rest = b""
    for piece in pieces:
        rest += piece
        while b"\n\n" in rest:
            event, _, rest = rest.partition(b"\n\n")
            # Strict, since no event may end within a character.
            text = event.decode("utf-8")
            if text.startswith("data: "):
                yield text[6:]
    if rest:
        raise Closed("half an event at the end")
