"""freqtrade's REST API: is it kept to this machine?"""

from collections.abc import Iterator

from freqtrade.configuration.detect_environment import running_in_docker

from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.user_config import Config

KNOWN_SECRETS = ("", "somethingrandom", "super-secret", "SuperSecurePassword", "SuperSecret1!")


def rest_api(config: Config) -> Iterator[Finding]:
    """Is freqtrade's REST API, if on, kept to this machine?"""
    settings = config.get("api_server", {})
    if not settings.get("enabled"):
        return
    if unsafe := [
        name for name in ("password", "jwt_secret_key") if settings.get(name, "") in KNOWN_SECRETS
    ]:
        yield problem(
            "REST API",
            f"api_server has no {' and no '.join(unsafe)}, or one that everybody knows.",
            "bubbybot secrets generates them into .env.",
        )
        return
    host, port = settings["listen_ip_address"], settings["listen_port"]
    if host not in ("127.0.0.1", "::1", "localhost"):
        # A container's own network is closed but for the ports that are published.
        yield (note if running_in_docker() else problem)(
            "REST API",
            f"It listens on {host}:{port}: whoever reaches that can trade with its password.",
            "Use 127.0.0.1, and a VPN or an SSH tunnel from outside.",
        )
        return
    yield ok("REST API", f"On {host}:{port}, this machine only.")
