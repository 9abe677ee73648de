"""LangChain's chat model through Tersely: OPENAI_BASE_URL is all that changes."""

from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini")
for piece in model.stream("<a long document>\n\nWhat does it say about refunds?"):
    print(piece.text, end="", flush=True)
print()
