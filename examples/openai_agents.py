"""An agent of the OpenAI Agents SDK through Tersely; its tool results are what gets shorter."""

from agents import Agent, Runner, function_tool, set_default_openai_api, set_tracing_disabled


@function_tool
def report(city: str) -> str:
    """Return the harbour report of a city."""
    return f"The harbour of {city} " + "was calm and nobody had anything to report. " * 30


set_tracing_disabled(True)  # traces would go to OpenAI, past the proxy
set_default_openai_api("chat_completions")
agent = Agent(name="Harbour", instructions="Use the report.", tools=[report], model="gpt-4o-mini")
print(Runner.run_sync(agent, "How is the harbour of Bergen?").final_output)
