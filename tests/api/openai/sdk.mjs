// What OpenAI's npm package makes of the answers: `node sdk.mjs CASE RECORDING` writes it as JSON.

import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import OpenAI, { toFile } from "openai";

const [, , name, recording] = process.argv;
const statuses = [];
let attempts = 0;
const client = new OpenAI({
  baseURL: `${process.env.TRANSCRIBE_URL}/v1`,
  apiKey: process.env.TRANSCRIBE_KEY,
  fetch: async (...asked) => {
    attempts += 1;
    const answer = await fetch(...asked);
    statuses.push([answer.status, answer.headers.get("Retry-After")]);
    return answer;
  },
});

const create = (fields, options) =>
  client.audio.transcriptions.create({ model: "whisper-1", file: createReadStream(recording), ...fields }, options);

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
  translation: () =>
    client.audio.translations.create({ model: "base", file: createReadStream(recording), response_format: "verbose_json" }),
  known: () =>
    create({
      model: "gpt-4o-transcribe-diarize",
      response_format: "diarized_json",
      chunking_strategy: "auto",
      known_speaker_names: ["Anna"],
      known_speaker_references: [process.env.VOICE],
    }),
  long: async () => ({ text: (await create({}, { maxRetries: 0, timeout: 3_600_000 })).text, statuses }),
  timeout: async () => {
    try {
      return await client.models.list({ timeout: 500, maxRetries: 0 });
    } catch (error) {
      return { kind: error.constructor.name };
    }
  },
  repeat: async () => {
    const file = await toFile(await readFile(recording), "speech.wav"); // a stream would not be sent again
    return { text: (await create({ file }, { timeout: 10_000, maxRetries: 5 })).text, attempts };
  },
  retry: async () => ({ models: (await client.models.list()).data.length, statuses }),
};

process.stdout.write(JSON.stringify(await cases[name]()));
