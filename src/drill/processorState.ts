/**
 * Lets Debian's embedded kernel run on processors whose registers take more room than it knows of.
 *
 * It puts the registers of its processes back with `ptrace(PTRACE_SETREGSET, NT_X86_XSTATE)` and
 * says that they have 2,696 bytes, enough up to AVX-512. The host's kernel wants exactly as many as
 * its processor has (arch/x86/kernel/fpu/regset.c, xstateregs_set), which with AMX are 11,008, and
 * refuses; the embedded kernel then panics before its first process runs. A length that is too
 * large is cut down to the right one by the host (kernel/ptrace.c, ptrace_regset), so a copy of the
 * program that says a larger one works everywhere. What the host then reads behind the 2,696 bytes
 * means nothing, since the header before it says that those registers are not in use.
 */

/** What the embedded kernel saves of its processes' registers, in bytes. */
const savedBytes = 2_696;
/** More than any processor has, in bytes. */
const widenedBytes = 65_536;
/** PTRACE_SETREGSET (ptrace.h). */
const setRegisterSet = 0x4205;
/** AT_MINSIGSTKSZ: the room for a signal's frame, in bytes (asm/auxvec.h). */
const signalFrameEntry = 51n;
/** A signal's frame is the registers and less than this besides, in bytes. */
const frameOverheadBytes = 1_024;

/**
 * Whether this machine's processor has more registers than the embedded kernel takes. `auxiliary`
 * is what `/proc/self/auxv` holds.
 */
export function needsWidening(auxiliary: Uint8Array): boolean {
  const entries = new DataView(auxiliary.buffer, auxiliary.byteOffset, auxiliary.byteLength);
  for (let at = 0; at + 16 <= auxiliary.length; at += 16) {
    if (entries.getBigUint64(at, true) !== signalFrameEntry) continue;
    return entries.getBigUint64(at + 8, true) > BigInt(savedBytes + frameOverheadBytes);
  }
  return false;
}

/**
 * The embedded kernel's program with the larger length; `undefined` when it does not have exactly
 * one place that looks like it, as with a later release, which asks the host for the length.
 */
export function widenedKernel(program: Uint8Array): Uint8Array | undefined {
  // The length as the last four bytes of one instruction, and `mov edi, PTRACE_SETREGSET`.
  const place = Buffer.alloc(9);
  place.writeUInt32LE(savedBytes, 0);
  place.writeUInt8(0xbf, 4);
  place.writeUInt32LE(setRegisterSet, 5);
  const widened = Buffer.from(program);
  const at = widened.indexOf(place);
  if (at < 0 || widened.indexOf(place, at + 1) >= 0) return undefined;
  widened.writeUInt32LE(widenedBytes, at);
  return widened;
}
