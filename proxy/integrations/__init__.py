"""The compressor inside other programs: LangChain, LlamaIndex, the LiteLLM proxy.

Each module needs its framework (extras `langchain`, `llamaindex`, `litellm`) and is imported by the
program that has it, never by the proxy itself.
"""
