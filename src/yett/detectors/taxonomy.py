"""Taxonomy: what a kind of finding is called in the lists that security teams report by.

The names are those of the published lists: OWASP Top 10 for LLM Applications v1.1 (2023), 2025 and 2026 (published
2026-08-04), OWASP Top 10 for Agentic Applications (2025-12), MITRE ATLAS (data release of September 2026). Which finding
stands for which entry is our own reading; each list numbers its entries anew, so an id is never without its list.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from yett.detectors.mask import matches

_POISONED_TOOL = "AML.T0110"
_UNTRUSTED = frozenset({"tool", "document", "definition", "arguments"})


class Reference(Struct, frozen=True):
    """An entry of a list."""

    list: str
    id: str
    title: str


LISTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "owasp-llm-2026": {
            "LLM01": "Prompt Injection",
            "LLM02": "Sensitive Information Disclosure",
            "LLM03": "Excessive Agency",
            "LLM04": "Supply Chain",
            "LLM05": "Data and Model Poisoning",
            "LLM06": "Unbounded Consumption",
            "LLM07": "Misinformation",
            "LLM08": "Hidden Context Exposure",
            "LLM09": "Vector and Embedding Weaknesses",
            "LLM10": "Improper Output Handling",
        },
        "owasp-llm-2025": {
            "LLM01": "Prompt Injection",
            "LLM02": "Sensitive Information Disclosure",
            "LLM03": "Supply Chain",
            "LLM04": "Data and Model Poisoning",
            "LLM05": "Improper Output Handling",
            "LLM06": "Excessive Agency",
            "LLM07": "System Prompt Leakage",
            "LLM08": "Vector and Embedding Weaknesses",
            "LLM09": "Misinformation",
            "LLM10": "Unbounded Consumption",
        },
        "owasp-llm-1.1": {
            "LLM01": "Prompt Injection",
            "LLM02": "Insecure Output Handling",
            "LLM03": "Training Data Poisoning",
            "LLM04": "Model Denial of Service",
            "LLM05": "Supply Chain Vulnerabilities",
            "LLM06": "Sensitive Information Disclosure",
            "LLM07": "Insecure Plugin Design",
            "LLM08": "Excessive Agency",
            "LLM09": "Overreliance",
            "LLM10": "Model Theft",
        },
        "owasp-agentic-2026": {
            "ASI01": "Agent Goal Hijack",
            "ASI02": "Tool Misuse and Exploitation",
            "ASI03": "Identity and Privilege Abuse",
            "ASI04": "Agentic Supply Chain Vulnerabilities",
            "ASI05": "Unexpected Code Execution",
            "ASI06": "Memory and Context Poisoning",
            "ASI07": "Insecure Inter-Agent Communication",
            "ASI08": "Cascading Failures",
            "ASI09": "Human-Agent Trust Exploitation",
            "ASI10": "Rogue Agents",
        },
        "mitre-atlas": {
            "AML.T0029": "Denial of AI Service",
            "AML.T0034": "Cost Harvesting",
            "AML.T0048": "External Harms",
            "AML.T0050": "Command and Scripting Interpreter",
            "AML.T0051": "LLM Prompt Injection",
            "AML.T0051.000": "LLM Prompt Injection: Direct",
            "AML.T0051.001": "LLM Prompt Injection: Indirect",
            "AML.T0053": "AI Agent Tool Invocation",
            "AML.T0054": "LLM Jailbreak",
            "AML.T0055": "Unsecured Credentials",
            "AML.T0056": "Extract LLM System Prompt",
            "AML.T0057": "LLM Data Leakage",
            "AML.T0068": "LLM Prompt Obfuscation",
            "AML.T0077": "LLM Response Rendering",
            "AML.T0086": "Exfiltration via AI Agent Tool Invocation",
            "AML.T0110": "AI Agent Tool Poisoning",
        },
    }
)


def _row(llm_2026: str, llm_2025: str, llm_1_1: str, agentic: str = "", atlas: str = "") -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(ids.split()) for ids in (llm_2026, llm_2025, llm_1_1, agentic, atlas))


# Families and kinds, in the columns of LISTS. The longest name that means a kind decides.
TABLE: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "secret": _row("LLM02", "LLM02", "LLM06", "ASI03", "AML.T0055 AML.T0057"),
        "pii": _row("LLM02", "LLM02", "LLM06", "", "AML.T0057"),
        "label": _row("LLM02", "LLM02", "LLM06", "", "AML.T0057"),
        "injection": _row("LLM01", "LLM01", "LLM01", "ASI01", "AML.T0051"),
        "injection.persona": _row("LLM01", "LLM01", "LLM01", "ASI01", "AML.T0051 AML.T0054"),
        "injection.jailbreak": _row("LLM01", "LLM01", "LLM01", "ASI01", "AML.T0051 AML.T0054"),
        "injection.refusal-suppression": _row("LLM01", "LLM01", "LLM01", "ASI01", "AML.T0051 AML.T0054"),
        "injection.many-shot": _row("LLM01", "LLM01", "LLM01", "ASI01", "AML.T0051 AML.T0054"),
        "injection.extraction": _row("LLM01 LLM08", "LLM01 LLM07", "LLM01 LLM06", "ASI01", "AML.T0051 AML.T0056"),
        "injection.exfiltration": _row(
            "LLM01 LLM02", "LLM01 LLM02", "LLM01 LLM06", "ASI01 ASI02", "AML.T0051 AML.T0086"
        ),
        "injection.tool": _row("LLM01 LLM03", "LLM01 LLM06", "LLM01 LLM08", "ASI01 ASI02", "AML.T0051 AML.T0053"),
        "injection.hidden": _row("LLM01", "LLM01", "LLM01", "ASI01", "AML.T0051 AML.T0068"),
        "unicode": _row("LLM01", "LLM01", "LLM01", "ASI01", "AML.T0068"),
        "exfiltration": _row("LLM02 LLM10", "LLM02 LLM05", "LLM02 LLM06", "ASI02", "AML.T0057 AML.T0077"),
        "exfiltration.system-prompt": _row("LLM08", "LLM07", "LLM06", "", "AML.T0056"),
        "exfiltration.canary": _row("LLM08", "LLM07", "LLM06", "", "AML.T0056"),
        "exfiltration.taint": _row("LLM02", "LLM02", "LLM06", "ASI02", "AML.T0057 AML.T0086"),
        "code": _row("LLM10", "LLM05", "LLM02", "ASI05", "AML.T0050"),
        "quality": _row("LLM07", "LLM09", "LLM09", "ASI09"),
        "limit": _row("LLM06", "LLM10", "LLM04", "ASI08", "AML.T0029 AML.T0034"),
        "moderation": _row("", "", "", "", "AML.T0048"),
        "topic": _row("", "", ""),
        "custom": _row("", "", ""),
    }
)


def references(kind: str, role: str = "") -> tuple[Reference, ...]:
    """What a kind of finding is called elsewhere; `role` is who wrote the text, which tells direct injection from indirect."""
    names = [name for name in TABLE if matches(kind, name)]
    if not names:
        return ()
    row = TABLE[max(names, key=len)]
    found = [
        Reference(listed, entry, LISTS[listed][entry])
        for listed, ids in zip(LISTS, row, strict=True)
        for entry in (_by_writer(id, role) for id in ids)
    ]
    if role == "definition" and matches(kind, "injection"):
        found.append(Reference("mitre-atlas", _POISONED_TOOL, LISTS["mitre-atlas"][_POISONED_TOOL]))
    return tuple(found)


def _by_writer(id: str, role: str) -> str:
    if id != "AML.T0051" or not role:
        return id
    return f"{id}.001" if role in _UNTRUSTED else f"{id}.000"
