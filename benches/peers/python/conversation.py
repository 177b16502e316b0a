"""Plimsoll's protocol (PROTOCOL.md) for a client in Python: greeting, commands, times, sums.

A peer is a class with `load` (import the library), `open`, `chat` and `stream` (one request: its texts, as they come) and `close`.
"""
import os
import sys
from time import perf_counter_ns

SHARES = {"p50": 50, "p90": 90, "p99": 99, "max": 100}


class Refused(Exception):
    """The server answered with an error; its text is the status."""


def version(distribution):
    """What is installed of it, from the name of a folder: nothing is imported before the greeting."""
    prefix, suffix = distribution.replace("-", "_") + "-", ".dist-info"
    for folder in filter(os.path.isdir, sys.path):
        for name in os.listdir(folder):
            if name.startswith(prefix) and name.endswith(suffix):
                return name[len(prefix):-len(suffix)]
    return "absent"


def requests(ask, number, in_flight):
    """Makes the requests, so many at a time: the sum of their answers' CRC-32, and their times in microseconds."""

    def one(_):
        begun, crc = perf_counter_ns(), 0
        for text in ask():
            crc = crc32(text.encode(), crc)
        return crc, (perf_counter_ns() - begun) // 1000

    if in_flight == 1:
        done = [one(n) for n in range(number)]
    else:
        with ThreadPoolExecutor(in_flight) as pool:
            done = list(pool.map(one, range(number)))
    return sum(crc for crc, _ in done), sorted(time for _, time in done)


def carry_out(peer, command, numbers):
    global ThreadPoolExecutor, crc32
    if command == "runtime":
        from concurrent.futures import ThreadPoolExecutor
        from zlib import crc32

        if os.environ.get("PLIMSOLL_HTTP") == "h2":
            return "unsupported it is installed without HTTP/2"
        try:
            peer.load()
        except ModuleNotFoundError as error:
            return f"unsupported {error.name} is not there; to get it: make peers"
    elif command == "client":
        peer.open(os.environ)
    elif command in ("chat", "stream"):
        number, in_flight = map(int, numbers)
        crc, times = requests(getattr(peer, command), number, in_flight)
        shares = {name: times[min(number - 1, number * share // 100)] for name, share in SHARES.items()}
        return f"ok answered={number} crc={crc} protocol=h1 " + " ".join(f"{name}_us={time}" for name, time in shares.items())
    elif command == "drop":
        peer.close()
    elif command != "idle":
        return f"unsupported {command}"
    return "ok"


def converse(name, distribution, peer):
    """Speaks the protocol until told to exit."""
    build = f"{version(distribution)}+python{sys.version.split()[0]}"
    print(f"plimsoll 1 subject={name} allocator=system profile=release build={build}", flush=True)
    for line in sys.stdin:
        command, *numbers = line.split()
        if command == "exit":
            break
        try:
            answer = carry_out(peer, command, numbers)
        except Refused as error:
            answer = f"error status {error}"
        except Exception as error:  # its name only: its words might quote a header, and so the key
            answer = f"error {kind(error)} {type(error).__name__}"
        print(answer, flush=True)


def kind(error):
    """What went wrong, by where the error's class comes from and what it is called."""
    names = " ".join(f"{one.__module__}.{one.__name__}" for one in type(error).__mro__)
    if "Timeout" in names:
        return "timeout"
    if isinstance(error, OSError) or "TransportError" in names:
        return "transport"
    return "answer"
