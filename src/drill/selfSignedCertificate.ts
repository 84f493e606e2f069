/** A certificate for servers of a lab that speak HTTPS: made for the run, and trusted by nobody. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** Object identifiers, as DER has them within their tag. */
const oids = {
  /** ecdsa-with-SHA256 (RFC 5758, 3.2). */
  signature: '06082a8648ce3d040302',
  /** id-at-commonName (RFC 5280, appendix A.1). */
  commonName: '0603550403',
};

/** Tags of DER (X.690, 8). */
const tags = {
  integer: 0x02,
  bitString: 0x03,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  generalizedTime: 0x18,
};

/** X.509 has no other way to say "never" (RFC 5280, 4.1.2.5). */
const validity = { notBefore: '20000101000000Z', notAfter: '99991231235959Z' };

/** Makes a key of P-256 and a certificate of version 1 for it, both in PEM (RFC 5280, 4.1). */
export function selfSignedCertificate(name: string): {
  readonly key: string;
  readonly cert: string;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = element(tags.sequence, Buffer.from(oids.signature, 'hex'));
  const commonName = element(
    tags.sequence,
    Buffer.from(oids.commonName, 'hex'),
    element(tags.utf8String, Buffer.from(name)),
  );
  const distinguishedName = element(tags.sequence, element(tags.set, commonName));
  // The first bit is 0, so that the number is positive.
  const serial = Buffer.concat([Buffer.of(1), randomBytes(8)]);
  const body = element(
    tags.sequence,
    element(tags.integer, serial),
    algorithm,
    distinguishedName,
    element(
      tags.sequence,
      element(tags.generalizedTime, Buffer.from(validity.notBefore)),
      element(tags.generalizedTime, Buffer.from(validity.notAfter)),
    ),
    distinguishedName,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)]);
  const der = element(tags.sequence, body, algorithm, element(tags.bitString, signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}

/** A tag, the length, and the content. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  if (bytes.length < 0x80) return Buffer.concat([Buffer.of(tag, bytes.length), bytes]);
  const length =
    bytes.length > 0xff ? [0x82, bytes.length >> 8, bytes.length & 0xff] : [0x81, bytes.length];
  return Buffer.concat([Buffer.of(tag, ...length), bytes]);
}
