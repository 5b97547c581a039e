"""Statements: SQL, and its like of other stores, that destroys data, reaches the machine, or takes all rights.

That a table is dropped is reported wherever it is; whether an answer may say so is for policy to decide by who asks and what for.
"""

from __future__ import annotations

from yett.detectors.detector import EDGE, Detector

_S = r"[ \t]{1,3}"
_BEGINS = r"""[\n;"'`(>][ \t]{0,8}"""


def _sql(id: str, pattern: str, anchor: str = "") -> Detector:
    return Detector(id=id, kind="code.sql-destructive", pattern=pattern, anchor=anchor)


STATEMENTS: tuple[Detector, ...] = (
    _sql("sql-drop", rf"DROP{_S}(TABLE|DATABASE|SCHEMA|TABLESPACE|KEYSPACE|OWNED)[ \t]"),
    _sql(
        "sql-drop-statement",
        rf"{_BEGINS}(?i:drop){_S}((?i:table|database|schema))[ \t]",
        r"(?i:drop[ \t]+(?:table|database|schema)[ \t])",
    ),
    _sql("sql-truncate", rf"(?:{_BEGINS}(?i:truncate)|TRUNCATE){_S}((?i:table))[ \t]", r"(?i:truncate[ \t]+table)"),
    _sql(
        "sql-delete-all",
        rf"(?i:{EDGE}delete{_S}from){_S}([A-Za-z0-9_.$#]{{1,64}})[;\"'`\x00]",
        r"(?i:delete[ \t]+from)",
    ),
    _sql(
        "sql-where-true",
        rf"(?i:where{_S}|['\"][ \t)]{{0,3}}or{_S})((?i:1=1|true=true|1=1--))[^A-Za-z0-9=]",
        r"(?:1=1|(?i:true=true))",
    ),
    _sql("sql-shell", r"[^A-Za-z0-9_]((?i:xp_cmdshell|sp_oacreate|sys_exec|sys_eval|utl_http\.request))[^A-Za-z0-9_]"),
    _sql("sql-file", rf"(?i:[^A-Za-z]into){_S}((?i:outfile|dumpfile))[ \t]"),
    _sql("sql-program", rf"(?i:[^A-Za-z](?:to|from){_S}program){_S}'([A-Za-z0-9/._-]{{2,60}})[^A-Za-z0-9/._-]"),
    _sql(
        "sql-superuser",
        rf"(?i:(?:alter|create){_S}(?:user|role){_S}[\"']?[a-z0-9_$%@.-]{{1,40}}[\"']?{_S}(?:with{_S})?)((?i:superuser))[^A-Za-z]",
        r"(?i:superuser)",
    ),
    _sql("sql-grant-all", rf"(?i:grant{_S}all(?:{_S}privileges)?{_S}on){_S}(\*\.\*)[ \t]"),
    _sql("redis-flush", rf"(?i:redis-cli|redis>|[0-9]>){_S}((?i:flushall|flushdb))[^A-Za-z0-9_]"),
    _sql("nosql-drop", r"[^A-Za-z0-9_](db\.dropDatabase)[^A-Za-z0-9_]"),
)
