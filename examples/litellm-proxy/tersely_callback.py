"""Stands beside LiteLLM's config.yaml, which names `tersely_callback.tersely`."""

from proxy.integrations.litellm_callback import TerselyCallback

tersely = TerselyCallback(
    policies={"documents": {"preset": "rag", "rate": 0.4, "deadline_ms": 1500}},
    default="documents",  # what `tersely: true` means
)
