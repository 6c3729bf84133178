// Sends one event in each mode, and again; prints their ids.
import { CloudEvent, Mode, emitterFor, httpTransport } from "cloudevents";

const [address, key, account] = process.argv.slice(2);
const headers = { authorization: `Bearer ${key}` };
const ids = [];
for (const mode of [Mode.STRUCTURED, Mode.BINARY]) {
  const emit = emitterFor(httpTransport(address), { mode });
  const event = new CloudEvent({ type: "job.done", source: "/node", account, data: { minutes: 12.5 } });
  ids.push(event.id);
  await emit(event, { headers });
  await emit(event, { headers });
}
console.log(JSON.stringify(ids.sort()));
