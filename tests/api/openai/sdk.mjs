// What OpenAI's npm package makes of the answers: `node sdk.mjs CASE RECORDING` writes it as JSON.

import { createReadStream } from "node:fs";
import OpenAI from "openai";

const [, , name, recording] = process.argv;
const statuses = [];
const client = new OpenAI({
  baseURL: `${process.env.TRANSCRIBE_URL}/v1`,
  apiKey: process.env.TRANSCRIBE_KEY,
  fetch: async (...asked) => {
    const answer = await fetch(...asked);
    statuses.push([answer.status, answer.headers.get("Retry-After")]);
    return answer;
  },
});

const create = (fields) =>
  client.audio.transcriptions.create({ model: "whisper-1", file: createReadStream(recording), ...fields });

const cases = {
  json: () => create({}),
  words: () => create({ response_format: "verbose_json", timestamp_granularities: ["word", "segment"] }),
  diarized: () =>
    create({ model: "gpt-4o-transcribe-diarize", response_format: "diarized_json", chunking_strategy: "auto" }),
  stream: async () => {
    const events = [];
    for await (const event of await create({ model: "gpt-4o-transcribe", stream: true })) events.push(event);
    return events;
  },
  error: async () => {
    try {
      return await create({ language: "tlh" });
    } catch (error) {
      const { status, code, type, param, message } = error;
      return { kind: error.constructor.name, status, code, type, param, message };
    }
  },
  retry: async () => ({ models: (await client.models.list()).data.length, statuses }),
};

process.stdout.write(JSON.stringify(await cases[name]()));
