/** Clients of the takeover lab: what they hold while directors come and go. */
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { eventually } from './ipvsSupport.js';
import { type Forwarding, ports, virtualAddress } from './takeoverConfigs.js';

/** Downloads through each way of forwarding. */
export const downloadCount = 200;

/** Clients with an address of their own, through each way of forwarding. */
export const clientAddressesMax = 200;

/** The address of a client with one of its own. */
export function clientAddress(index: number): string {
  return `10.10.1.${index + 1}`;
}

/** A client that holds one connection. */
export class Client {
  /** Pieces that came. */
  pieces = 0;
  ended = false;
  readonly #socket: Socket;
  #text = '';

  constructor(context: TestContext, port: number, localAddress?: string) {
    const from = localAddress === undefined ? {} : { localAddress };
    this.#socket = connect({ host: virtualAddress, port, ...from });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.ended = true;
    });
    this.#socket.on('data', (data) => {
      this.pieces += 1;
      this.#text += String(data);
    });
    context.after(() => void this.#socket.destroy());
  }

  get isConnected(): boolean {
    return !this.#socket.connecting && !this.ended;
  }

  /** Words that were answered. */
  get answers(): number {
    return this.#text.split('\n').length - 1;
  }

  /** The server that answered first. */
  get server(): string | undefined {
    return /^(10\S+)\n/.exec(this.#text)?.[1];
  }

  say(word: string): void {
    this.#socket.write(word);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Opens them and waits until every one is connected. */
export async function opened(
  count: number,
  open: (index: number) => Client,
): Promise<readonly Client[]> {
  const clients = Array.from({ length: count }, (_, index) => open(index));
  await eventually(
    async () => clients.every(({ isConnected }) => isConnected),
    `${count} connections`,
  );
  return clients;
}

/** Opens downloads and waits until every one flows. */
export async function openedDownloads(
  context: TestContext,
  forwarding: Forwarding,
): Promise<readonly Client[]> {
  const port = ports[forwarding].plain;
  const downloads = await opened(downloadCount, () => new Client(context, port));
  for (const download of downloads) download.say('stream');
  await eventually(async () => downloads.every(({ pieces }) => pieces > 1), 'downloads flow');
  return downloads;
}

/** Each client with an address of its own asks anew; gives the server of each. */
export async function askPersistent(
  context: TestContext,
  forwarding: Forwarding,
): Promise<readonly (string | undefined)[]> {
  const port = ports[forwarding].persistent;
  const clients = await opened(clientAddressesMax, (index) => {
    return new Client(context, port, clientAddress(index));
  });
  await askAll(clients, 'persistent clients are answered');
  for (const client of clients) client.close();
  return clients.map(({ server }) => server);
}

/**
 * How many connections are there in both directions: each client says a word, and is answered or
 * learns that its connection is gone. A takeover costs a few retransmissions.
 */
export async function survivors(clients: readonly Client[]): Promise<number> {
  return (await askAll(clients, 'every connection goes on or has ended')).filter(Boolean).length;
}

async function askAll(clients: readonly Client[], what: string): Promise<readonly boolean[]> {
  const before = clients.map(({ answers }) => answers);
  const isAnswered = (client: Client, index: number): boolean =>
    client.answers > (before[index] ?? 0);
  for (const client of clients) if (!client.ended) client.say('more');
  await eventually(
    async () => clients.every((client, index) => client.ended || isAnswered(client, index)),
    what,
  );
  return clients.map(isAnswered);
}
