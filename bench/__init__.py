"""Postern and other mail servers, measured side by side on the same work in the same run.

  command      the options; the whole run
  run          the order of things: rounds, in each of which every server does every workload
  world        one server's private machine (scripts/world), and the line to the agent in it
  agent        in that machine: starts the server, does a workload, says what it took
  disk         the file system that all servers' queues and mailboxes are on
  servers/     how each server is set up
  workloads    what is asked of them
  load, mailbox, arrivals, counters   what a workload is made of
  statistics, report, plot  what becomes of the figures
  stacks, flame             what processor time goes to

Nothing is installed on the real machine: what is missing is fetched and unpacked into
build/interop (tests/interop/unpack), on first use.
"""

import pathlib
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(REPOSITORY / "scripts/lib"))
