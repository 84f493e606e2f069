/** Changes packets at random and gives them to what receives them. Reproducible from a seed. */
import { Dice } from '../sim/support/random.js';

/** Something that receives packets. */
export interface ReceiveTarget {
  readonly name: string;
  /** Whole packets that are right, to be changed. */
  readonly packets: readonly Uint8Array[];
  /** Judges a packet: why it is refused, `undefined` when it is accepted. Never throws. */
  readonly receive: (packet: Uint8Array) => string | undefined;
  /** The packet with right checksums, which would otherwise end most packets early. */
  readonly mend?: (packet: Uint8Array) => Uint8Array;
}

/** What became of the packets of one target. */
export interface TargetCount {
  readonly name: string;
  packets: number;
  accepted: number;
  readonly reasons: Set<string>;
}

/** A packet that made its receiver throw. */
export interface FuzzFailure {
  readonly text: string;
  readonly cause: unknown;
}

const changesMax = 6;
const insertedMax = 40;
/** Bytes at which formats change their mind. */
const interestingBytes = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff] as const;

/** The loop. */
export class Fuzzer {
  readonly counts: readonly TargetCount[];
  packets = 0;
  readonly #targets: readonly ReceiveTarget[];
  readonly #dice: Dice;

  constructor(targets: readonly ReceiveTarget[], seed: number) {
    this.#targets = targets;
    this.#dice = new Dice(seed);
    this.counts = targets.map(({ name }) => ({
      name,
      packets: 0,
      accepted: 0,
      reasons: new Set<string>(),
    }));
  }

  /** Gives so many packets, to each target in turn; ends at the first that throws. */
  run(count: number): FuzzFailure | undefined {
    for (let given = 0; given < count; given += 1) {
      const index = this.packets % this.#targets.length;
      const target = this.#targets[index];
      const counts = this.counts[index];
      if (target === undefined || counts === undefined) return undefined;
      this.packets += 1;
      counts.packets += 1;
      const original = target.packets[this.#dice.between(0, target.packets.length - 1)];
      const mutated = mutate(original ?? new Uint8Array(0), this.#dice);
      const isMended = target.mend !== undefined && this.#dice.chance(0.7);
      const packet = isMended ? (target.mend?.(mutated) ?? mutated) : mutated;
      try {
        const reason = target.receive(packet);
        if (reason === undefined) counts.accepted += 1;
        else counts.reasons.add(reason);
      } catch (cause) {
        const hex = Buffer.from(packet).toString('hex');
        return { text: `${target.name} threw ${String(cause)} at ${hex}`, cause };
      }
    }
    return undefined;
  }
}

/** A changed copy: bits, bytes, numbers, cut, grown, a piece repeated; at times not at all. */
function mutate(original: Uint8Array, dice: Dice): Uint8Array {
  let packet = original.slice();
  for (let change = dice.between(0, changesMax); change > 0; change -= 1) {
    const at = dice.between(0, Math.max(0, packet.length - 1));
    switch (dice.between(0, 6)) {
      case 0:
        packet = packet.slice(0, at);
        break;
      case 1:
        packet = spliced(packet, at, randomBytes(dice.between(1, insertedMax), dice));
        break;
      case 2:
        packet = spliced(packet, at, packet.subarray(at, at + dice.between(1, insertedMax)));
        break;
      case 3:
        if (packet.length > 0) packet[at] = dice.pick(interestingBytes);
        break;
      case 4:
        if (packet.length > 0) packet[at] = dice.between(0, 255);
        break;
      default:
        if (packet.length > 0) packet[at] = (packet[at] ?? 0) ^ (1 << dice.between(0, 7));
    }
  }
  return packet;
}

function spliced(packet: Uint8Array, at: number, inserted: Uint8Array): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(packet.length + inserted.length);
  grown.set(packet.subarray(0, at));
  grown.set(inserted, at);
  grown.set(packet.subarray(at), at + inserted.length);
  return grown;
}

function randomBytes(length: number, dice: Dice): Uint8Array {
  return Uint8Array.from({ length }, () => dice.between(0, 255));
}
