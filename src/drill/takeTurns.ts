/** Requests one after the other, so that each turn of the scheduler can be told. */
import type { LoadSettings, RequestRecord } from './loadProtocol.js';
import type { Patience } from './patience.js';
import { sendPlainRequest } from './plainRequest.js';

/** Sends `count` requests, at all listeners by turns, and waits for each before the next. */
export async function takeTurns(
  { prober }: LoadSettings,
  count: number,
  patience: Patience,
): Promise<readonly RequestRecord[]> {
  const { listeners, sourceAddresses } = prober;
  const [localAddress] = sourceAddresses;
  if (localAddress === undefined) throw new RangeError('the prober has no source address');
  const turns: RequestRecord[] = [];
  while (turns.length < count) {
    const listener = listeners[turns.length % listeners.length] ?? listeners[0];
    turns.push(
      await new Promise<RequestRecord>((resolve) => {
        const request = sendPlainRequest({ ...listener, localAddress }, (record) => {
          patience.forget(request);
          resolve(record);
        });
        patience.watch(request);
      }),
    );
  }
  return turns;
}
