// Drives the official Node clients through a proxy. usage: node drive.mjs BASE_URL SCENARIO [KEY]
// Prints one JSON object: what the client saw. A line on its input makes `abort` go on.
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to the output
const [baseURL, scenario, key] = process.argv.slice(2);
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
const image = "data:image/png;base64," + "iVBORw0KGgo".repeat(20);
const city = z.object({ city: z.string() });
const ask = (body = {}, options = {}) =>
  client.chat.completions.create({ model, messages, ...body }, options);

// What a call raises, as a program would look at it; null for a call that raises nothing.
async function raised(call) {
  try {
    await call();
    return null;
  } catch (error) {
    const { constructor, status, code, param, type, requestID, headers } = error;
    return {
      kind: constructor.name, status, code, param, type, requestId: requestID,
      again: headers?.get("x-should-retry"),
    };
  }
}

async function drained(stream) {
  const words = [];
  for await (const chunk of stream) words.push(chunk.choices[0].delta.content);
  return words;
}

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
    return raised(() => ask({}, { signal: aborter.signal }));
  },
  async statuses() {
    const seen = {};
    for (const status of [400, 401, 403, 404, 409, 422, 429, 500, 503, 418, 499, 501, 529]) {
      const [plain, stream] = [false, true].map((stream) =>
        raised(() => ask({ model: `gpt-${status}`, stream })),
      );
      seen[status] = [await plain, await stream];
    }
    return seen;
  },
  async refusals() {
    const withKey = (apiKey) => client.withOptions({ apiKey, maxRetries: 2 });
    const call = (other, body = {}, options = {}) =>
      raised(() => other.chat.completions.create({ model, messages, ...body }, options));
    const known = withKey(key);
    return {
      key: await call(withKey("sk-wrong")),
      model: await call(known, { model: "other" }),
      header: await call(known, {}, { headers: { "x-tersely-rate": "7" } }),
      path: await raised(() => known.get("/../admin")),
      limit: await call(known, { messages: [{ role: "user", content: text.repeat(9) }] }),
    };
  },
  async raises() {
    return raised(() => ask());
  },
  async raises_with_retries() {
    return raised(() => ask({}, { maxRetries: 1 }));
  },
  async raises_in_stream() {
    return raised(async () => drained(await ask({ stream: true })));
  },
  async timeout() {
    return raised(() => ask({}, { timeout: 300 }));
  },
  async leave_stream() {
    for await (const chunk of await ask({ stream: true })) return chunk.choices[0].delta;
  },
  async abort_stream() {
    const stream = await ask({ stream: true });
    const words = [];
    for await (const chunk of stream) {
      words.push(chunk.choices[0].delta.content);
      stream.controller.abort();
    }
    return { words };
  },
  async raw() {
    const response = await ask().asResponse();
    const names = ["x-request-id", "openai-processing-ms", "x-ratelimit-remaining-requests"];
    const ours = ["outcome", "policy", "tokens-before", "tokens-after"];
    const taken = (name) => response.headers.get(name);
    return {
      status: response.status,
      theirs: names.map(taken),
      ours: ours.map((name) => taken(`x-tersely-${name}`)),
      body: await response.text(),
    };
  },
  async vision() {
    const parts = [
      { type: "text", text },
      { type: "image_url", image_url: { url: image, detail: "high" } },
      { type: "image_url", image_url: { url: `https://example.test/a.png?about=${text}` } },
    ];
    await ask({ messages: [{ role: "user", content: parts }] });
    return parts.slice(1);
  },
  async responses_vision() {
    const parts = [
      { type: "input_text", text },
      { type: "input_image", image_url: image, detail: "high" },
    ];
    await client.responses.create({ model, input: [{ role: "user", content: parts }] });
    return parts.slice(1);
  },
  async structured_zod() {
    const response_format = zodResponseFormat(city.describe(text), "city");
    const { choices } = await client.chat.completions.parse({ model, messages, response_format });
    return { parsed: choices[0].message.parsed, sent: response_format };
  },
  async structured_responses() {
    const format = zodTextFormat(city.describe(text), "city");
    const answer = await client.responses.parse({ model, input: text, text: { format } });
    return { parsed: answer.output_parsed, sent: format };
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
