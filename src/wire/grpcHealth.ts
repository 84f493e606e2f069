/**
 * The two messages of the health service of gRPC (grpc.health.v1, health.proto), each in its frame:
 * a flag for compression, four bytes of length, the message (grpc PROTOCOL-HTTP2.md).
 */

/** The states of a service, by their number in the protocol. */
export const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** What a health service says of a service. */
export type ServingStatus = (typeof servingStatuses)[number];

const frameHeaderBytes = 5;
/** Field 1 of the request, length-delimited, and field 1 of the response, a varint. */
const serviceTag = 0x0a;
const statusTag = 0x08;
/** A length in one byte of a varint. */
const serviceLengthMax = 127;

/** A framed HealthCheckRequest. The name of the service has at most 127 bytes in UTF-8. */
export function encodeHealthRequest(service: string): Uint8Array {
  const name = new TextEncoder().encode(service).subarray(0, serviceLengthMax);
  const message = name.length === 0 ? [] : [serviceTag, name.length, ...name];
  return Uint8Array.from([0, 0, 0, 0, message.length, ...message]);
}

/** The status of one framed HealthCheckResponse; `undefined` when it is none. */
export function decodeHealthResponse(frame: Uint8Array): ServingStatus | undefined {
  if (frame.length < frameHeaderBytes || frame[0] !== 0) return undefined;
  const length = new DataView(frame.buffer, frame.byteOffset, frame.length).getUint32(1);
  if (frame.length !== frameHeaderBytes + length) return undefined;
  // A field that has its default, 0, is not sent.
  if (length === 0) return 'UNKNOWN';
  const [tag, status] = frame.subarray(frameHeaderBytes);
  if (length !== 2 || tag !== statusTag || status === undefined) return undefined;
  return servingStatuses[status];
}
