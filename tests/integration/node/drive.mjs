// Drives the official Node clients through a proxy. usage: node drive.mjs BASE_URL SCENARIO
// Prints one JSON object: what the client saw. A line on its input makes `abort` go on.
import OpenAI from "openai";
import { z } from "zod";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to the output
const [baseURL, scenario] = process.argv.slice(2);
const text = Array.from({ length: 40 }, (_, n) => `w${n}`).join(" ");
const messages = [{ role: "user", content: text }];
const model = "gpt-4o";
const client = new OpenAI({ baseURL, apiKey: "sk-x", maxRetries: 0, timeout: 20_000 });
const provider = createOpenAI({ baseURL, apiKey: "sk-x" });
const claude = createAnthropic({ baseURL, apiKey: "sk-ant" })("claude-test");
const weather = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

const scenarios = {
  async chat() {
    const { data, response } = await client.chat.completions
      .create({ model, messages })
      .withResponse();
    return {
      content: data.choices[0].message.content,
      outcome: response.headers.get("x-tersely-outcome"),
      requestId: data._request_id,
    };
  },
  async stream() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    const words = [];
    for await (const chunk of stream) words.push(chunk.choices[0].delta.content ?? null);
    return { words };
  },
  async tools() {
    const answer = await client.chat.completions.create({ model, messages, tools: [weather] });
    return { calls: answer.choices[0].message.tool_calls };
  },
  async structured() {
    const answer = await client.chat.completions.parse({
      model,
      messages,
      response_format: {
        type: "json_schema",
        json_schema: { name: "city", strict: true, schema: weather.function.parameters },
      },
    });
    return { parsed: answer.choices[0].message.parsed };
  },
  async responses() {
    const answer = await client.responses.create({ model, input: text });
    return { text: answer.output_text };
  },
  async tools_stream() {
    const stream = client.chat.completions.stream({ model, messages, tools: [weather] });
    const pieces = [];
    stream.on("tool_calls.function.arguments.delta", ({ arguments_delta }) => {
      if (arguments_delta) pieces.push(arguments_delta);
    });
    const { choices } = await stream.finalChatCompletion();
    const { name, arguments: given } = choices[0].message.tool_calls[0].function;
    return { pieces, name, arguments: given };
  },
  async responses_stream() {
    const stream = client.responses.stream({ model, input: text, instructions: "Be brief." });
    const kinds = [];
    for await (const event of stream) kinds.push(event.type);
    return { first: kinds[0], last: kinds.at(-1), text: (await stream.finalResponse()).output_text };
  },
  async responses_tools() {
    const tools = [{ type: "function", ...weather.function, strict: false }];
    const input = [{ role: "user", content: text }];
    const { output } = await client.responses.create({ model, input, tools });
    const call = output.find((item) => item.type === "function_call");
    const result = { type: "function_call_output", call_id: call.call_id, output: text };
    const answer = await client.responses.create({
      model, tools, input: [...input, ...output, result],
    });
    return { asked: call.arguments, text: answer.output_text };
  },
  async retries() {
    const { content } = (
      await client.chat.completions.create({ model, messages }, { maxRetries: 2 })
    ).choices[0].message;
    return { content };
  },
  async error() {
    try {
      await client.chat.completions.create({ model, messages });
    } catch (error) {
      return {
        rateLimit: error instanceof OpenAI.RateLimitError,
        status: error.status,
        code: error.code,
        requestId: error.requestID,
      };
    }
  },
  async abort() {
    const aborter = new AbortController();
    process.stdin.once("data", () => aborter.abort());
    try {
      await client.chat.completions.create({ model, messages }, { signal: aborter.signal });
    } catch (error) {
      return { aborted: error instanceof OpenAI.APIUserAbortError };
    }
  },
  async vercel_generate() {
    const { text: answer, response } = await generateText({
      model: provider.chat(model), prompt: text, maxRetries: 0,
    });
    return { text: answer, outcome: response.headers["x-tersely-outcome"] };
  },
  async vercel_stream() {
    const { textStream } = streamText({
      model: provider.chat(model), prompt: text, maxRetries: 0,
    });
    const pieces = [];
    for await (const piece of textStream) pieces.push(piece);
    return { pieces };
  },
  async vercel_object() {
    const { object } = await generateObject({
      model: provider.chat(model), prompt: text, maxRetries: 0,
      schema: z.object({ city: z.string() }),
    });
    return { object };
  },
  async vercel_tools() {
    const asked = [];
    const { text: answer } = await generateText({
      model: provider.chat(model), prompt: text, maxRetries: 0, stopWhen: stepCountIs(2),
      tools: {
        weather: tool({
          inputSchema: z.object({ city: z.string() }),
          execute: async ({ city }) => { asked.push(city); return "sunny"; },
        }),
      },
    });
    return { text: answer, asked };
  },
  async anthropic_generate() {
    const { text: answer, usage, response } = await generateText({
      model: claude, maxRetries: 0, maxOutputTokens: 50,
      messages: [
        {
          role: "user",
          content: [
            {
              type: "text", text,
              providerOptions: { anthropic: { cacheControl: { type: "ephemeral" } } },
            },
          ],
        },
      ],
    });
    const { "x-tersely-outcome": outcome } = response.headers;
    return { text: answer, outcome, cached: usage.cachedInputTokens };
  },
  async anthropic_stream() {
    const { textStream } = streamText({ model: claude, prompt: text, maxRetries: 0 });
    const pieces = [];
    for await (const piece of textStream) pieces.push(piece);
    return { pieces };
  },
  async anthropic_tools() {
    const asked = [];
    const { text: answer } = await generateText({
      model: claude, prompt: text, maxRetries: 0, stopWhen: stepCountIs(2),
      tools: {
        weather: tool({
          inputSchema: z.object({ a: z.number() }),
          execute: async ({ a }) => { asked.push(a); return text; },
        }),
      },
    });
    return { text: answer, asked };
  },
  async anthropic_error() {
    try {
      await generateText({ model: claude, prompt: text, maxRetries: 0 });
    } catch (error) {
      return { status: error.statusCode, retryable: error.isRetryable, type: error.data.error.type };
    }
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
