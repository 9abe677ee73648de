"""What every block of config.yaml has in common."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A block of keys: unknown ones are errors, and nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def check_port(netloc: str) -> None:
    """Raise ValueError for a port out of range, without showing what stands around it."""
    try:
        _ = urlsplit(f"//{netloc}").port
    except ValueError:
        raise ValueError("the port after the host is not a number from 0 to 65535") from None
