/** What the peer sends, worked off one after the other, and the answers to it. */
import type { SyncChannelMessage } from '../wire/syncChannel.js';
import { WireError } from '../wire/wireError.js';
import { windowEntries } from './outgoing.js';

/** Messages that wait to be worked off, beside the bound on their entries, which is the window. */
const messagesMax = 1_024;

/** An answer is due after so many entries of a burst: it travels while the next ones come. */
const answerEntries = windowEntries / 4;

/** What it needs from around it. */
export interface InboxOptions {
  /** Works one off. Throws {@link WireError} at one that means nothing. */
  readonly workOff: (message: SyncChannelMessage) => void | Promise<void>;
  /** Tells the peer that all up to this number is in our kernel, or refused. */
  readonly answer: (sequence: number) => void;
  readonly onMalformed: () => void;
}

/** The messages of one connection after the other. */
export class Inbox {
  readonly #options: InboxOptions;
  #messages: SyncChannelMessage[] = [];
  #entries = 0;
  #isWorking = false;
  /** How many connections have gone: what was worked off for one of them is not answered. */
  #connectionsGone = 0;
  /** The last message of entries that was worked off, while the peer is not told that it was. */
  #unanswered: number | undefined;
  #unansweredEntries = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Takes one; false when the peer has sent more than it may. */
  put(message: SyncChannelMessage): boolean {
    const entries = entriesOf(message);
    const isFull = this.#entries + entries > windowEntries;
    if (isFull || this.#messages.length >= messagesMax) return false;
    this.#entries += entries;
    this.#messages.push(message);
    if (!this.#isWorking) void this.#workOff();
    return true;
  }

  /** Forgets what waits: its connection is gone. */
  clear(): void {
    this.#connectionsGone += 1;
    this.#messages = [];
    this.#entries = 0;
    this.#unanswered = undefined;
    this.#unansweredEntries = 0;
  }

  async #workOff(): Promise<void> {
    this.#isWorking = true;
    try {
      for (let message = this.#messages.shift(); message !== undefined; ) {
        await this.#workOffOne(message);
        message = this.#messages.shift();
        if (message === undefined || this.#unansweredEntries >= answerEntries) this.#answer();
      }
    } finally {
      this.#isWorking = false;
    }
  }

  /** One that means nothing is answered as well: the peer would wait for ever. */
  async #workOffOne(message: SyncChannelMessage): Promise<void> {
    const connection = this.#connectionsGone;
    try {
      await this.#options.workOff(message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#options.onMalformed();
    }
    if (message.kind !== 'entries' || connection !== this.#connectionsGone) return;
    this.#entries = Math.max(0, this.#entries - message.count);
    this.#unanswered = message.sequence;
    this.#unansweredEntries += message.count;
  }

  #answer(): void {
    const sequence = this.#unanswered;
    this.#unanswered = undefined;
    this.#unansweredEntries = 0;
    if (sequence !== undefined) this.#options.answer(sequence);
  }
}

function entriesOf(message: SyncChannelMessage): number {
  return message.kind === 'entries' ? message.count : 0;
}
