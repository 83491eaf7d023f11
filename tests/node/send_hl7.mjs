// Sends one HL7 message over MLLP by Medplum's own client, and prints the acknowledgement.
// usage: node send_hl7.mjs FILE HOST PORT [ENCODING]
// Exit status: 0 when a reply came, 1 when none did within 10 seconds.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// Its CommonJS build: the ES module of this version does not load its own dependency.
const require = createRequire(import.meta.url);
const { Hl7Message } = require('@medplum/core');
const { Hl7Client } = require('@medplum/hl7');

const [file, host, port, encoding = 'utf-8'] = process.argv.slice(2);
const text = readFileSync(file, encoding === 'utf-8' ? 'utf-8' : 'latin1');
const client = new Hl7Client({ host, port: Number(port), encoding });
const deadline = setTimeout(() => {
  console.error('no reply within 10 seconds');
  process.exit(1);
}, 10_000);

try {
  const reply = await client.sendAndWait(Hl7Message.parse(text));
  process.stdout.write(reply.toString().replaceAll('\r', '\n') + '\n');
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  clearTimeout(deadline);
  client.close();
}
