// OpenAI's Node SDK, unmodified; only the base URL differs.
// npm install openai, OPENAI_API_KEY in the environment, and a running proxy.

import OpenAI from "openai";

const client = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:8400/v1",
});
const document = "<a long document>";
const { data, response } = await client.chat.completions
  .create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: `${document}\n\nSummarize it in one sentence.` }],
  })
  .withResponse();
console.log(data.choices[0].message.content);
const [before, after] = ["before", "after"].map((end) =>
  response.headers.get(`x-tersely-tokens-${end}`),
);
console.log(`${before} -> ${after} tokens`);
