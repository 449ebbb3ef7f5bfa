"""Firehose, S3 and Secrets Manager on a free port of the loopback address.

It prints its address, and ends when its standard input does: it never outlives who started it.
"""

import logging
import sys

from moto.moto_server.threaded_moto_server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"{host}:{port}", flush=True)
sys.stdin.read()
server.stop()
