"""A nursery of small bots: what they import is imported once for all of them."""

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
    """Fork this program, as if it were started by its path."""
    asking = socket.fromfd(sys.stdin.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
    ForkServer(lambda: runpy.run_path(program, run_name="__main__"), asking).run()
