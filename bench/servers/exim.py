"""Exim: the files of Debian's package, and the answers that its installation asks for."""

import os
import pathlib
import shutil
import signal
import subprocess

from bench import REPOSITORY, fetch
from bench.servers import server

_ANSWERS = REPOSITORY / "tests/interop/peers/exim-answers"
_PID = pathlib.Path("/run/exim4/exim.pid")
_ETC = pathlib.Path("/etc/exim4")
# Its own limits are for a machine with little mail: of a connection's messages it would leave all
# but ten for the next run of the queue, and 20 clients are one too many as soon as one of them has
# come again before the process that served it is gone.
_MAIN = """
smtp_accept_queue_per_connection = 0
smtp_accept_max = {connections}
"""
# Debian's own way to a host for a domain, hubbed_hosts, takes this machine for a loop. And
# alice+anything is alice's, as it is where the others are asked for it.
_ROUTERS = f"""
bench_sink:
  driver = manualroute
  domains = {server.RELAYED}
  transport = remote_smtp
  route_list = * 127.0.0.1::{server.SINK_PORT}
  self = send

bench_suffix:
  driver = accept
  domains = +local_domains
  check_local_user
  local_part_suffix = +*
  transport = LOCAL_DELIVERY
"""
# Debian's example of one, with a password as it is for everybody's sake and without TLS.
_AUTHENTICATOR = f"""
bench_plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{_ETC}/passwd}}{{$value}}fail}}}}}}
  server_set_id = $auth2
"""


class Exim(server.Server):
    name = "exim"
    title = "Exim"
    package = "exim4-daemon-light"
    most_messages = 1000  # "too many messages in one connection" after that
    queue = tuple(f"/var/spool/exim4/{name}" for name in ("input", "msglog", "db"))

    def install(self, place):
        fetch.install_into_world(self.package)
        server.add_system_user("Debian-exim", home="/var/spool/exim4")
        for directory in ("/var/lib/exim4", "/var/spool/exim4", "/var/log/exim4", "/run/exim4"):
            pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
            shutil.chown(directory, "Debian-exim", "Debian-exim")
        server.put_on_disk(place, "/var/spool/exim4")
        answers = _ANSWERS.read_text(encoding="utf-8").replace("exim.example", server.DOMAIN)
        server.write(_ETC / "update-exim4.conf.conf", answers)
        server.write(_ETC / "conf.d/auth/40_bench", _AUTHENTICATOR)
        server.write(_ETC / "passwd", ": ".join(server.LOGIN) + "\n")
        server.write(_ETC / "conf.d/router/140_bench", _ROUTERS)
        server.write("/etc/aliases", "postmaster: root\n")
        self.configure_connections(None)

    def configure_connections(self, count):
        text = _MAIN.format(connections=count or 2 * server.SESSIONS)
        server.write(_ETC / "conf.d/main/99_bench", text)
        subprocess.run(["update-exim4.conf"], check=True, stderr=subprocess.DEVNULL)

    def start(self):
        self.run("exim4", "-bd", "-q30m")
        server.wait_for_greeting()

    def stop(self):
        os.kill(int(_PID.read_text(encoding="ascii")), signal.SIGTERM)
        server.wait_for_silence()

    def version(self):
        said = subprocess.run(["exim4", "-bV"], stdout=subprocess.PIPE, text=True, check=True).stdout
        return said.split()[2]

    def log_tail(self):
        logs = pathlib.Path("/var/log/exim4").glob("*log")
        return "".join(log.read_text(errors="replace")[-2000:] for log in logs)
