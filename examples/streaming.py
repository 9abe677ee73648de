"""Streams through the proxy, with a rate of its own for this one request."""

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8400/v1")
stream = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Paste a long document here.\n\nWho wrote it?"}],
    extra_headers={"x-tersely-rate": "0.6"},
    stream=True,
)
for chunk in stream:
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)
print()
