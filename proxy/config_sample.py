"""The `sample` section: prompts written down, where their owner asked for it."""

import re
from pathlib import Path

from pydantic import Field, field_validator

from proxy.config_section import Section

_HOOK = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class SampleConfig(Section):
    """A share of the texts that policies compress, kept for training a classifier on them.

    Off unless `path` is written. The file holds prompts as they came in.
    """

    path: Path | None = Field(
        None,
        description="JSONL file to write, readable by its owner alone; left out, nothing is "
        "sampled. `tersely distill collect` reads it. `~/` is the home folder.",
    )
    share: float = Field(
        0.01,
        gt=0,
        le=1,
        description="Share of the different texts that is written; by a hash of the text, so that "
        "a conversation's history is not drawn anew with every turn.",
    )
    max_mb: int = Field(100, ge=1, description="The file does not grow beyond this.")
    redact: str | None = Field(
        None,
        description="`module:function`, called with each text before it is written: returns the "
        "text to write, or None to leave it out. When it raises, nothing of that text is written.",
    )

    @field_validator("redact")
    @classmethod
    def _names_a_function(cls, hook: str | None) -> str | None:
        if hook is not None and not _HOOK.fullmatch(hook):
            raise ValueError(f"'{hook[:100]}' is not like my_package.my_module:my_function")
        return hook
