/** Names of the errno values of Linux (asm-generic/errno.h; x86-64, arm64 and riscv alike). */
import { constants } from 'node:os';

/** The values of the generic table that Node's own table leaves out. */
const linuxErrnoNames: Readonly<Record<number, string>> = {
  15: 'ENOTBLK',
  44: 'ECHRNG',
  45: 'EL2NSYNC',
  46: 'EL3HLT',
  47: 'EL3RST',
  48: 'ELNRNG',
  49: 'EUNATCH',
  50: 'ENOCSI',
  51: 'EL2HLT',
  52: 'EBADE',
  53: 'EBADR',
  54: 'EXFULL',
  55: 'ENOANO',
  56: 'EBADRQC',
  57: 'EBADSLT',
  59: 'EBFONT',
  64: 'ENONET',
  65: 'ENOPKG',
  66: 'EREMOTE',
  68: 'EADV',
  69: 'ESRMNT',
  70: 'ECOMM',
  73: 'EDOTDOT',
  76: 'ENOTUNIQ',
  77: 'EBADFD',
  78: 'EREMCHG',
  79: 'ELIBACC',
  80: 'ELIBBAD',
  81: 'ELIBSCN',
  82: 'ELIBMAX',
  83: 'ELIBEXEC',
  85: 'ERESTART',
  86: 'ESTRPIPE',
  87: 'EUSERS',
  94: 'ESOCKTNOSUPPORT',
  96: 'EPFNOSUPPORT',
  108: 'ESHUTDOWN',
  109: 'ETOOMANYREFS',
  112: 'EHOSTDOWN',
  117: 'EUCLEAN',
  118: 'ENOTNAM',
  119: 'ENAVAIL',
  120: 'EISNAM',
  121: 'EREMOTEIO',
  123: 'ENOMEDIUM',
  124: 'EMEDIUMTYPE',
  126: 'ENOKEY',
  127: 'EKEYEXPIRED',
  128: 'EKEYREVOKED',
  129: 'EKEYREJECTED',
  130: 'EOWNERDEAD',
  131: 'ENOTRECOVERABLE',
  132: 'ERFKILL',
  133: 'EHWPOISON',
  // Kernel-internal, but netlink and NFS let it through to programs.
  524: 'ENOTSUPP',
};

/** Second names of a value that has a more usual one. */
const aliases: ReadonlySet<string> = new Set(['EWOULDBLOCK', 'ENOTSUP']);

const names: ReadonlyMap<number, string> = new Map([
  ...Object.entries(linuxErrnoNames).map(([value, name]) => [Number(value), name] as const),
  ...Object.entries(constants.errno)
    .filter(([name]) => !aliases.has(name))
    .map(([name, value]) => [value, name] as const),
]);

/** The name of an errno value, for example `EPERM`; `errno 999` when it has none. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}
