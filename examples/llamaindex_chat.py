"""LlamaIndex's OpenAI LLM through Tersely. It reads OPENAI_API_BASE, not OPENAI_BASE_URL."""

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI

llm = OpenAI(model="gpt-4o-mini")
answer = llm.chat([ChatMessage(role="user", content="<a long document>\n\nWhat about refunds?")])
print(answer.message.content)
