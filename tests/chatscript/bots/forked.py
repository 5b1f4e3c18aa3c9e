"""A fork server for small bots: it imports their dependencies once."""

import runpy
import socket
import sys

import httpcore
import qrcode.image.pil
import telegram.ext

from bot.testing.fork_server import ForkServer

assert httpcore, qrcode.image.pil
assert telegram.ext


def main(program: str) -> None:
    """Run the program in forks, as if each were started by its path."""
    asking = socket.fromfd(sys.stdin.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
    ForkServer(lambda: runpy.run_path(program, run_name="__main__"), asking).run()
