"""Counts as an upstream reports them, and as they are read."""

from proxy.savings import Usage

COUNTS = {
    "prompt_tokens": 100,
    "completion_tokens": 7,
    "total_tokens": 107,
    "prompt_tokens_details": {"cached_tokens": 64},
}
READ = Usage(prompt_tokens=100, completion_tokens=7, cached_tokens=64)
