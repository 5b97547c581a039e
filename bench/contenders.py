"""Who is measured: started here, each pinned to the gateway's core, all in front of the same two mock upstreams."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench import nginx, yett
from bench.machine import Service, free_ports
from bench.workloads import BUFFERED_MODEL, STREAM_MODEL, UPSTREAM_MODEL

ROOT = Path(__file__).resolve().parent.parent
YARDSTICK = "nginx + key + log"
TOKEN = "Yett, token"  # the same gateway, asked with an access token instead of a key


@dataclass(frozen=True)
class Contender:
    """`service` is None for the mock upstreams asked directly. `slow`: asked less often, frozen while others are measured."""

    name: str
    buffered_port: int
    stream_port: int
    key: str
    service: Service | None
    slow: bool = False


class Field:
    """Everything that runs during one benchmark. Leaving the context stops all of it, last started first."""

    def __init__(self, folder: Path, gateway_core: int, load_core: int) -> None:
        self.folder = folder
        self.contenders: list[Contender] = []
        self._gateway_core = gateway_core
        self._load_core = load_core
        self._services: list[Service] = []
        self.upstreams = (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for service in reversed(self._services):
            service.stop()

    def start_upstreams(self) -> None:
        self.upstreams = buffered, stream = _pair()
        mock = self._start("mock-nginx", _nginx(nginx.mock_configuration(self.folder, buffered)), load=True)
        streams = self._start("mock-streams", [sys.executable, "-m", "bench.mock_upstream", str(stream)], load=True)
        mock.wait_for_port(buffered, 10)
        streams.wait_for_port(stream, 10)
        self.contenders.append(Contender("direct", buffered, stream, "none", None))

    def start_nginx(self) -> None:
        ports = _pair()
        service = self._start("nginx", _nginx(nginx.proxy_configuration(self.folder, ports, self.upstreams)))
        service.wait_for_port(ports[1], 10)
        self.contenders.append(Contender("nginx", *ports, "none", service))

    def start_yardstick(self) -> None:
        ports, key = _pair(), "ytk_bench0000000000000000000000000000000000999999"
        path = nginx.yardstick_configuration(self.folder, ports, self.upstreams, key)
        service = self._start("yardstick", _nginx(path))
        service.wait_for_port(ports[1], 10)
        self.contenders.append(Contender(YARDSTICK, *ports, key, service))

    def start_yett(self) -> None:
        (port, admin), folder = _pair(), self.folder / "yett"
        key = yett.configure(folder, port, admin, self.upstreams)
        command = [str(yett.COMMAND), "serve", "--config", str(folder / "yett.toml")]
        service = self._start("yett-serve", command, environment=yett.environment(folder))
        service.wait_for_port(port, 30)
        self.contenders.append(Contender("Yett", port, port, key, service))
        self.contenders.append(Contender(TOKEN, port, port, yett.token(folder), service))

    def start_litellm(self, command: Path) -> None:
        (port,) = free_ports(1)
        path = self.folder / "litellm.yaml"
        path.write_text(json.dumps(_litellm_configuration(self.upstreams)))  # JSON is YAML
        environment = {
            "PATH": f"{command.parent}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no download of prices at the start
        }
        arguments = ["--config", str(path), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
        service = self._start("litellm", [str(command), *arguments], environment=environment)
        service.wait_for_port(port, 120)
        self.contenders.append(Contender("LiteLLM", port, port, "sk-bench", service, slow=True))

    def _start(
        self, name: str, command: list[str], *, load: bool = False, environment: dict[str, str] | None = None
    ) -> Service:
        core = self._load_core if load else self._gateway_core
        service = Service(name, command, core, self.folder / f"{name}.log", environment=environment, directory=ROOT)
        self._services.append(service)
        return service

    @contextmanager
    def only(self, contender: Contender) -> Iterator[None]:
        """Freeze the slow contenders, whose background work would disturb the others on the gateway's core."""
        frozen = [each.service for each in self.contenders if each.slow and each is not contender and each.service]
        for service in frozen:
            service.freeze()
        try:
            yield
        finally:
            for service in frozen:
                service.thaw()


def _pair() -> tuple[int, int]:
    first, second = free_ports(2)
    return first, second


def _nginx(configuration: Path) -> list[str]:
    return ["nginx", "-p", str(configuration.parent), "-c", str(configuration), "-e", "stderr"]


def _litellm_configuration(upstreams: tuple[int, int]) -> dict[str, object]:
    return {
        "model_list": [
            {
                "model_name": model,
                "litellm_params": {
                    "model": f"openai/{UPSTREAM_MODEL}",
                    "api_base": f"http://127.0.0.1:{port}/v1",
                    "api_key": "sk-upstream",
                },
            }
            for model, port in zip((BUFFERED_MODEL, STREAM_MODEL), upstreams, strict=True)
        ],
        "general_settings": {"master_key": "sk-bench"},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
    }
