// Sends five events to each address (ADDRESS ACCOUNT …), all at once; prints what became of them.
import { Analytics } from "@segment/analytics-node";

const [key, ...places] = process.argv.slice(2);
const senders = [];
for (let at = 0; at < places.length; at += 2) {
  senders.push(send(places[at], places[at + 1]));
}
console.log(JSON.stringify(await Promise.all(senders)));

async function send(host, account) {
  const analytics = new Analytics({ writeKey: key, host, path: "/ingest/segment/v1/batch", maxRetries: 5, flushInterval: 50 });
  const given = [], failed = [];
  analytics.on("error", (error) => failed.push(String(error.reason ?? error.code)));
  for (let number = 0; number < 5; number += 1) {
    analytics.track(
      { userId: "kim", event: "Job Done", properties: { minutes: number + 0.5 }, context: { groupId: account } },
      (error, context) => (error ? failed : given).push(context.event.messageId),
    );
  }
  await analytics.closeAndFlush({ timeout: 30_000 });
  return { account, given: given.sort(), failed };
}
