"""nginx in three roles: the buffered mock upstream, the plain reverse proxy, and the yardstick with key check and access log."""

from __future__ import annotations

import os
from pathlib import Path

from bench.workloads import answer

KEYS = 1_000  # entries in the yardstick's key map: a look-up among many, as in a gateway


def mock_configuration(folder: Path, port: int) -> Path:
    """Answers every POST with the same 0.75 kB of JSON."""
    body = answer().decode().replace("\\", "\\\\").replace("'", "\\'").replace("$", "")
    server = f"""
    server {{
      listen 127.0.0.1:{port} backlog=1024;
      default_type application/json;
      location / {{ return 200 '{body}'; }}
    }}"""
    return _write(folder / "mock", server)


def proxy_configuration(folder: Path, ports: tuple[int, int], upstreams: tuple[int, int]) -> Path:
    """A plain reverse proxy with keep-alive upstreams; (buffered, stream) on one port each."""
    return _write(folder / "proxy", _proxy(ports, upstreams, guard="", log="access_log off;"))


def yardstick_configuration(folder: Path, ports: tuple[int, int], upstreams: tuple[int, int], key: str) -> Path:
    """The same proxy with what every gateway must do at least: a look-up of the key, and a line of log per request."""
    entries = "\n".join(f'      "Bearer {key[:-6]}{number:06d}" team{number % 20};' for number in range(KEYS - 1))
    keys = f"""
    map $http_authorization $team {{
      default "";
      "Bearer {key}" bench;
{entries}
    }}
    log_format calls '$time_iso8601 $remote_addr $team "$request" $status $body_bytes_sent $request_time';"""
    guard = 'if ($team = "") { return 401; }'
    log = f"access_log {folder / 'yardstick' / 'access.log'} calls;"
    return _write(folder / "yardstick", keys + _proxy(ports, upstreams, guard, log))


def _proxy(ports: tuple[int, int], upstreams: tuple[int, int], guard: str, log: str) -> str:
    blocks = [
        f"""
    upstream backend{number} {{
      server 127.0.0.1:{upstream};
      keepalive 128;
      keepalive_requests 100000000;
    }}
    server {{
      listen 127.0.0.1:{port} backlog=1024;
      {log}
      location / {{
        {guard}
        proxy_pass http://backend{number};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Authorization "Bearer sk-upstream";
        proxy_buffering {buffering};
      }}
    }}"""
        for number, (port, upstream, buffering) in enumerate(zip(ports, upstreams, ("on", "off"), strict=True))
    ]
    return "".join(blocks)


def _write(folder: Path, servers: str) -> Path:
    """One worker, no temporary files for 20 kB bodies, connections kept for the whole run."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = "\n".join(
        f"  {name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"""{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {folder / "nginx.pid"};
error_log {folder / "error.log"} warn;
events {{ worker_connections 4096; }}
http {{
{temporary}
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 100000000;
  client_max_body_size 8m;
  client_body_buffer_size 64k;
  map_hash_bucket_size 256;
  map_hash_max_size 8192;
{servers}
}}
"""
    )
    return path
