// The text of a recording while it is recognised, with OpenAI's own package (`npm install openai`).

import { createReadStream } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.TRANSCRIBE_URL}/v1`, apiKey: process.env.TRANSCRIBE_KEY });
const file = createReadStream(process.argv[2]);
const events = await client.audio.transcriptions.create({ model: "whisper-1", file, stream: true });
for await (const event of events) {
  if (event.type === "transcript.text.delta") process.stdout.write(event.delta);
}
process.stdout.write("\n");
