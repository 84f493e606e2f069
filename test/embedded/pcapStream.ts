/** What one side of a TCP connection sent, out of a recording of tcpdump. */

const fileHeaderBytes = 24;
const packetHeaderBytes = 16;
const ethernetBytes = 14;

/**
 * The bytes that were sent to a port, in the order of their sequence numbers. Of a recording on
 * Ethernet of this machine's byte order; of the first connection only.
 */
export function streamTo(recording: Buffer, port: number): Buffer {
  const parts = new Map<number, Buffer>();
  let first: { readonly sourcePort: number; readonly sequence: number } | undefined;
  for (let at = fileHeaderBytes; at + packetHeaderBytes <= recording.length; ) {
    const length = recording.readUInt32LE(at + 8);
    const packet = recording.subarray(at + packetHeaderBytes, at + packetHeaderBytes + length);
    at += packetHeaderBytes + length;
    const ip = packet.subarray(ethernetBytes);
    const tcp = ip.subarray(((ip[0] ?? 0) & 0x0f) * 4, ip.readUInt16BE(2));
    if (tcp.readUInt16BE(2) !== port) continue;
    const [sourcePort, sequence] = [tcp.readUInt16BE(0), tcp.readUInt32BE(4)];
    const isSyn = ((tcp[13] ?? 0) & 0x02) !== 0;
    // Attempts that nobody answered come before the connection.
    if (isSyn) {
      first = { sourcePort, sequence };
      parts.clear();
    }
    if (isSyn || sourcePort !== first?.sourcePort) continue;
    const payload = tcp.subarray(((tcp[12] ?? 0) >> 4) * 4);
    if (payload.length > 0) parts.set((sequence - first.sequence) >>> 0, Buffer.from(payload));
  }
  return Buffer.concat([...parts].toSorted(([a], [b]) => a - b).map(([, payload]) => payload));
}
