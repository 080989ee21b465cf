"""`pipeloom config`: where the commands take address and token from."""

import typer

from pipeloom.cli import profiles
from pipeloom.cli.connection import telling
from pipeloom.cli.output import Output, OutputOption, show

app = typer.Typer(no_args_is_help=True, help="See which Pipeloom the commands speak to.")


@app.command("show", epilog="Example: pipeloom --profile staging config show")
def show_config(output: OutputOption = Output.TABLE) -> None:
    """Show the address in use, where it comes from, and the profiles that there are. The token is not shown.

    The first of these counts: `--profile NAME`; PIPELOOM_URL with PIPELOOM_SDK_TOKEN (or CRAFT_AI_SDK_TOKEN);
    PIPELOOM_PROFILE; the profile `default`. Address and token come from the same one.
    """
    with telling():
        access = profiles.access()
        there = list(profiles.read_profiles())
    path = profiles.config_file()
    show(
        {
            "url": access.url,
            "token": "is set" if access.sdk_token else None,
            "from": access.source,
            "config_file": str(path) if path.exists() else f"{path} (does not exist)",
            "profiles": there,
        },
        output,
    )
