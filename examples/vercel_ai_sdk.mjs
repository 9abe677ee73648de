// A stream of the Vercel AI SDK through Tersely; only the base URL differs.
// npm install ai @ai-sdk/openai, OPENAI_API_KEY in the environment, and a running proxy.

import { createOpenAI } from "@ai-sdk/openai";
import { streamText } from "ai";

const openai = createOpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:8400/v1",
});
const document = "<a long document>";
const result = streamText({
  model: openai.chat("gpt-4o-mini"),
  prompt: `${document}\n\nSummarize it in one sentence.`,
});
for await (const part of result.textStream) process.stdout.write(part);
process.stdout.write("\n");
