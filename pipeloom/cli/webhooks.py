"""`pipeloom webhooks`: who is told of events by HTTP, and what became of each delivery."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

import typer

from pipeloom.cli.connection import connected, existing
from pipeloom.cli.output import Output, OutputOption, show, show_all
from pipeloom.cli.writing import YesOption, demand_consent

app = typer.Typer(no_args_is_help=True, help="Have events posted to a URL, and see what became of them.")

IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The webhook's id.")]
EXAMPLE_ID = "0198c5f2-b210-7a44-b0de-6a3f0f8f2c77"


class Status(StrEnum):
    """What may become of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@app.command("list", epilog="Example: pipeloom webhooks list")
def list_all(output: OutputOption = Output.TABLE) -> None:
    """List all webhooks, the oldest first."""
    with connected() as client:
        found = client.list_webhooks()
    show_all(
        found,
        ("id", "url", "types", "subject", "status", "failing_since"),
        output,
        if_none="No webhooks yet. Make one: pipeloom webhooks create URL",
        expendable=("failing_since", "subject", "types"),
    )


@app.command(epilog="Example: pipeloom webhooks create https://hooks.example/pipeloom --type PipelineCreated")
def create(
    url: Annotated[str, typer.Argument(help="Where the events are posted to: https://...")],
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help="Only events of this type; repeatable.")
    ] = None,
    subject: Annotated[
        str, typer.Option(metavar="PREFIX", help="Only events whose subject begins so, such as pipelines/.")
    ] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Have events posted to a URL from now on. Keep the secret that is shown: it is not shown again."""
    with connected() as client:
        made = client.create_webhook(url, types or (), subject)
    show(made if output is Output.JSON else _for_people(made), output)


@app.command("show", epilog=f"Example: pipeloom webhooks show {EXAMPLE_ID}")
def show_one(webhook_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    """Show a webhook: where it leads, and why it is disabled if it is."""
    with connected() as client:
        found = client.get_webhook(str(webhook_id))
    document = existing(found, f"There is no webhook {webhook_id} in this environment.")
    show(document if output is Output.JSON else _for_people(document), output)


@app.command(epilog=f"Example: pipeloom webhooks update {EXAMPLE_ID} --url https://hooks.example/new --all-types")
def update(
    webhook_id: IdArgument,
    url: Annotated[str | None, typer.Option(help="Where the events are posted to from now on: https://...")] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Only events of this type, in place of those before; repeatable."),
    ] = None,
    all_types: Annotated[bool, typer.Option("--all-types", help="Events of all types, in place of some.")] = False,
    subject: Annotated[
        str | None, typer.Option(metavar="PREFIX", help="Only events whose subject begins so; '' for all subjects.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change where a webhook leads, or of what it is told. What is left out stays."""
    if types and all_types:
        raise typer.BadParameter("--type and --all-types exclude each other.")
    wanted = () if all_types else types or None
    if url is None and wanted is None and subject is None:
        raise typer.BadParameter("nothing is to be changed: give --url, --type, --all-types or --subject.")
    with connected() as client:
        changed = client.update_webhook(str(webhook_id), url, wanted, subject)
    show(changed if output is Output.JSON else _for_people(changed), output)


@app.command(epilog=f"Example: pipeloom webhooks enable {EXAMPLE_ID}")
def enable(webhook_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    """Enable a webhook again: it goes on with the events at which it stopped."""
    _set_status(webhook_id, "enabled", output)


@app.command(epilog=f"Example: pipeloom webhooks disable {EXAMPLE_ID}")
def disable(webhook_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    """Disable a webhook: its events wait until it is enabled."""
    _set_status(webhook_id, "disabled", output)


@app.command(epilog=f"Example: pipeloom webhooks delete {EXAMPLE_ID} --yes")
def delete(webhook_id: IdArgument, yes: YesOption = False, output: OutputOption = Output.TABLE) -> None:
    """Delete a webhook and the log of its deliveries."""
    demand_consent(f"Delete the webhook {webhook_id}?", is_given=yes)
    with connected() as client:
        gone = client.delete_webhook(str(webhook_id))
    show(gone, output)


@app.command(epilog=f"Example: pipeloom webhooks deliveries {EXAMPLE_ID} --status pending")
def deliveries(
    webhook_id: IdArgument,
    status: Annotated[Status | None, typer.Option(help="Only those of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """List what became of the deliveries of a webhook, the newest event first."""
    with connected() as client:
        wanted = client.iter_webhook_deliveries(str(webhook_id), status and status.value, min(limit, 1000))
        found = list(islice(wanted, limit))
    columns = ("sequence", "type", "subject", "status", "attempts", "next_attempt_at", "last_error")
    show_all(
        found,
        columns,
        output,
        if_none="No deliveries.",
        free=("last_error",),
        expendable=("next_attempt_at", "attempts"),
    )


@app.command(epilog=f"Example: pipeloom webhooks redeliver {EXAMPLE_ID} 17")
def redeliver(
    webhook_id: IdArgument,
    sequence: Annotated[int, typer.Argument(min=1, help="The sequence of the event, as `deliveries` shows it.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Deliver an event once more, now."""
    with connected() as client:
        delivery = client.redeliver_webhook_event(str(webhook_id), sequence)
    show(delivery, output)


def _set_status(webhook_id: UUID, status: str, output: Output) -> None:
    with connected() as client:
        changed = client.update_webhook(str(webhook_id), status=status)
    show(changed if output is Output.JSON else _for_people(changed), output)


def _for_people(webhook: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person wants to know: nothing of what is not so."""
    told = {**webhook, "types": webhook["types"] or "all"}
    return {name: value for name, value in told.items() if value is not None and value != ""}
