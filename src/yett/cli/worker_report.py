"""What a worker says of itself: /readyz and /metrics show it, and the console."""

from __future__ import annotations

import os

from yett.cli.worker import Worker
from yett.edge.admin import Report
from yett.edge.metrics import Labels
from yett.stages import exchange


def report_of(worker: Worker) -> Report:
    """Everything that /readyz and /metrics show of this worker."""
    worker.meters.tell()
    snapshot, now, vault = worker.live.current, worker.clock.monotonic(), worker.vault.figures()
    gauges: dict[str, list[tuple[Labels, float]]] = {
        "yett_calls_in_flight": [((), len(worker.gate.flights))],
        "yett_connections": [((), worker.listener.connections)],
        "yett_upstream_connections": [
            ((state,), sum(getattr(pool, state) for pool in worker.upstream.status()))
            for state in ("open", "idle", "waiting")
        ],
        "yett_target_available": [((t.id,), float(t.state != "open")) for t in worker.health.targets(now)],
        "yett_provider_key_available": [
            ((k.provider, k.label), float(k.state != "set_aside")) for k in worker.health.keys(now)
        ],
        "yett_provider_token_seconds": [((name,), seconds) for name, seconds in worker.keyless.lives().items()],
        "yett_snapshot_epoch": [((), snapshot.epoch)],
        "yett_configuration_revision": [((), snapshot.revision)],
        "yett_reload_failures": [((), worker.live.refused)],
        "yett_ready": [((), float(not _trouble(worker)))],
        "yett_audit_healthy": [((), float(worker.journal.healthy))],
        "yett_tasks": [((), len(worker.tasks))],
        "yett_directory_users": [((name,), users) for name, users in worker.shared.directories.sizes().items()],
        "yett_fences": [((), sum(map(len, snapshot.fences.values())))],
        "yett_expired_holds": [((), worker.limits.abandoned)],
        "yett_ledger_available": [((), float(not (worker.limits.trouble or worker.limits.degraded)))],
        "yett_guardrail_available": [((name,), float(state != "open")) for name, state in _guardrails(worker)],
        "yett_vault_healthy": [((), float(not worker.vault.trouble))],
        "yett_vault_rows": [((), vault.rows)],
        "yett_vault_bytes": [((), vault.bytes)],
    }
    totals = {
        "yett_vault_failures": vault.failures,
        "yett_vault_expired": vault.expired,
        "yett_ledger_outages": worker.limits.outages,
        "yett_ledger_local_calls": worker.limits.local_calls,
    }
    return Report(
        pid=os.getpid(),
        trouble=_trouble(worker),
        epoch=snapshot.epoch,
        digest=snapshot.digest,
        revision=snapshot.revision,
        mode=snapshot.settings.mode,
        refused=str(worker.live.error) if worker.live.error else "",
        restart=list(worker.live.waiting_for_restart()),
        targets={t.id: t.state for t in worker.health.targets(now)},
        state=worker.metrics.state(gauges, totals),
        degraded=_degraded(worker),
        guardrails=dict(_guardrails(worker)),
        metadata=exchange.metadata(worker.settings).decode() if worker.settings.identity.tasks.issuer else "",
        keys=worker.shared.signing.document.decode() if worker.settings.identity.tasks.issuer else "",
    )


def _trouble(worker: Worker) -> list[str]:
    """Why this worker should not get calls; empty when it should."""
    found = ["draining"] if worker.draining else []
    if not worker.journal.healthy:
        found.append(worker.journal.reason)
    if worker.limits.trouble:
        found.append(worker.limits.trouble)
    if worker.failure:
        found.append(worker.failure)
    if worker.vault.trouble and worker.settings.redaction.vault == "required":
        found.append(worker.vault.trouble)
    return found


def _degraded(worker: Worker) -> list[str]:
    """What does not work as it should, though calls are taken. A guardrail that fails closed is here as well: calls that need
    it are told so, and it is the next call that finds out when it is well again."""
    found = [f"guardrail {name}: set aside after failures" for name, state in _guardrails(worker) if state == "open"]
    found += worker.issuers.troubles()
    found += [f"provider {name}: no token: {why}" for name, why in worker.keyless.troubles().items()]
    if worker.vault.trouble and worker.settings.redaction.vault == "optional":
        found.append(worker.vault.trouble)
    found += worker.shared.troubles()
    if worker.limits.degraded:
        found.append(worker.limits.degraded)
    if worker.exchange.trouble:
        found.append(f"tasks are not shared: {worker.exchange.trouble}")
    return found


def _guardrails(worker: Worker) -> list[tuple[str, str]]:
    return [(each.id.partition("/")[2], each.state) for each in worker.counsel.advisers.targets()]
