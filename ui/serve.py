"""Start the app on this machine."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from ailineage.errors import UsageError

ADDRESS = "127.0.0.1"


def command(port: int) -> list[str]:
    """The command that serves the app on a port of this machine, without telemetry and without a browser."""
    app = Path(__file__).with_name("app.py")
    settings = {
        "server.address": ADDRESS,
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
        "theme.light.textColor": "#161513",  # so that captions, paler than text, keep a contrast of 4.5
    }
    return [
        *(sys.executable, "-m", "streamlit", "run", str(app)),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]


def serve(workspace: Path, port: int) -> None:
    """Serve the app until it is stopped; prints its address.

    Raises:
        UsageError: if the port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            raise UsageError(f"port {port} is in use; name another one with --port") from None
    sys.stderr.write(f"ailineage: http://{ADDRESS}:{port}  (stop with Ctrl-C)\n")
    sys.stderr.flush()
    os.environ["AILINEAGE_HOME"] = str(workspace)
    os.execv(sys.executable, command(port))
