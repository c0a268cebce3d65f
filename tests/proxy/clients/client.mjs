// Asks an API: node client.mjs JOB [NUMBER]. Reads SHOP_BASE_URL alone, and prints what came back as JSON.
import { readFileSync } from "node:fs";
import { crc32 } from "./crc32.mjs";

const [job, number] = process.argv.slice(2);
const base = process.env.SHOP_BASE_URL;
const jobs = {
  async plain() {
    const got = await fetch(`${base}/packages/7?view=short`);
    const made = await fetch(`${base}/packages/list`, { method: "POST", body: '{"take": 1}', headers: { "Content-Type": "application/json" } });
    return { statuses: [got.status, made.status], received: (await made.json()).received };
  },
  async many() {
    const asked = Array.from({ length: Number(number) }, () => fetch(`${base}/gate/${number}`));
    return { statuses: (await Promise.all(asked)).map((answer) => answer.status) };
  },
  async down() {
    let [size, checksum] = [0, 0];
    for await (const piece of (await fetch(`${base}/bytes/${number}`)).body) {
      size += piece.length;
      checksum = crc32(piece, checksum);
    }
    return { size, checksum };
  },
  async up() {
    const piece = new Uint8Array(1 << 20);
    let left = Number(number) / piece.length;
    const body = new ReadableStream({ pull: (sink) => (left-- > 0 ? sink.enqueue(piece) : sink.close()) });
    const answer = await fetch(`${base}/take`, { method: "POST", body, duplex: "half" });
    return { size: (await answer.json()).received };
  },
  async wait() {
    // Uses everything that it was given, says so, and stays until standard input ends.
    await jobs.plain();
    const echoed = await (await fetch(`${base}/echo`, { method: "POST", body: "hello" })).text();
    globalThis.kept = [echoed, { ...process.env }];
    console.log(process.pid);
    readFileSync(0);
    return {};
  },
};
console.log(JSON.stringify(await jobs[job]()));
