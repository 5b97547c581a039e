"""`yett schema`: the JSON Schema of yett.toml, for editors; or the same as Markdown, for people."""

from __future__ import annotations

import click

from yett.cli.common import print_json
from yett.config.reference import json_schema, markdown


@click.command("schema")
@click.option("--markdown", "as_markdown", is_flag=True, help="Every setting as tables in Markdown instead.")
def command(*, as_markdown: bool) -> None:
    """Print the JSON Schema of yett.toml.

    Editors that speak TOML take it with a first line `#:schema ./yett.schema.json`.
    """
    if as_markdown:
        click.echo(markdown(), nl=False)
    else:
        print_json(json_schema())
