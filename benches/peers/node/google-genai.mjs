// `@google/genai`, Google's own SDK for JavaScript, and Plimsoll's protocol (PROTOCOL.md) around it. Trusts what NODE_EXTRA_CA_CERTS names
// besides Node's own roots. Its first argument is the folder in which the package is installed.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";

const env = process.env;
const installed = `${process.argv[2]}/node_modules/@google/genai`;

function version() {
  try {
    return JSON.parse(readFileSync(`${installed}/package.json`, "utf8")).version;
  } catch {
    return "absent";
  }
}

let library, client;

const asked = () => ({ model: env.PLIMSOLL_MODEL, contents: env.PLIMSOLL_PROMPT });

const methods = {
  async *chat() {
    yield (await client.models.generateContent(asked())).text;
  },
  async *stream() {
    for await (const event of await client.models.generateContentStream(asked())) yield event.text;
  },
};

// One request: the CRC-32 of its answer's text, and its time in microseconds.
async function ask(method) {
  const begun = process.hrtime.bigint();
  let crc = 0;
  for await (const text of method()) crc = crc32(text ?? "", crc);
  return { crc, time: Number((process.hrtime.bigint() - begun) / 1000n) };
}

async function requests(method, number, inFlight) {
  let left = number;
  const done = [];
  const lane = async () => {
    while (left-- > 0) done.push(await ask(method));
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const times = done.map((one) => one.time).sort((a, b) => a - b);
  const at = (share) => times[Math.min(number - 1, Math.floor((number * share) / 100))];
  const crc = done.reduce((sum, one) => sum + BigInt(one.crc), 0n);
  return `ok answered=${number} crc=${crc} protocol=h1 p50_us=${at(50)} p90_us=${at(90)} p99_us=${at(99)} max_us=${times.at(-1)}`;
}

async function carryOut(command, numbers) {
  switch (command) {
    case "runtime":
      if (env.PLIMSOLL_HTTP === "h2") return "unsupported Node's fetch speaks HTTP/1.1 only";
      try {
        library = await import(pathToFileURL(`${installed}/dist/node/index.mjs`));
      } catch (error) {
        if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
        return "unsupported @google/genai is not there; to get it: make peers";
      }
      return "ok";
    case "client":
      client = new library.GoogleGenAI({
        apiKey: env.GEMINI_API_KEY,
        httpOptions: { baseUrl: env.PLIMSOLL_BASE_URL, timeout: 60_000 },
      });
      return "ok";
    case "chat":
    case "stream":
      return requests(methods[command], ...numbers.map(Number));
    case "idle":
      return "ok";
    case "drop":
      client = undefined;
      return "ok";
    default:
      return `unsupported ${command}`;
  }
}

// Of an error its name only: its words might quote a header, and so the key.
function failure(error) {
  if (library && error instanceof library.ApiError) return `error status HTTP ${error.status}`;
  const { code, name } = error.cause ?? error;
  // The SDK makes an error of its own of what `fetch` threw, and keeps no more of it than its words.
  return code || /fetch failed/.test(error.message) ? `error transport ${code ?? name}` : `error answer ${name}`;
}

console.log(`plimsoll 1 subject=google-genai-node allocator=system profile=release build=${version()}+node${process.versions.node}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...numbers] = line.split(" ");
  if (command === "exit") break;
  console.log(await carryOut(command, numbers).catch(failure));
}
process.exit(0);
