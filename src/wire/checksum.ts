/**
 * The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit
 * words.
 */

/**
 * Sums chunks as if they were one run of bytes; an odd last byte counts as the high half of a word.
 * A message that contains its own right checksum sums to 0xffff.
 */
export function onesComplementSum(chunks: readonly Uint8Array[]): number {
  let sum = 0;
  let highHalf = true;
  for (const chunk of chunks) {
    for (const byte of chunk) {
      sum += highHalf ? byte << 8 : byte;
      highHalf = !highHalf;
      if (sum > 0xffff) sum -= 0xffff;
    }
  }
  return sum;
}

/** The checksum to write into a message whose checksum field is zero. */
export function internetChecksum(chunks: readonly Uint8Array[]): number {
  return ~onesComplementSum(chunks) & 0xffff;
}
