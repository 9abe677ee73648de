"""An unmodified client: only the base URL differs. Needs OPENAI_API_KEY and a running proxy."""

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8400/v1")
document = "Paste a long document here."
raw = client.chat.completions.with_raw_response.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": f"{document}\n\nSummarize it in one sentence."}],
)
print(raw.parse().choices[0].message.content)
print(raw.headers["x-tersely-tokens-before"], "->", raw.headers["x-tersely-tokens-after"], "tokens")
