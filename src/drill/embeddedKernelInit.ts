/** The init script of the embedded kernel, as a function of what shall run in it. */

/** What the script is made of. All paths are absolute and the same inside and outside. */
export interface InitScriptOptions {
  /** The one writable folder; output and exit status appear in it. */
  readonly sharedFolder: string;
  /** Folder that holds one folder of modules per kernel release. */
  readonly modulesFolder: string;
  readonly modprobePath: string;
  /** Libraries of a modprobe that is not installed in the system. */
  readonly libraryFolders: readonly string[];
  /** Folders that must be seen although a temporary file system covers their parent. */
  readonly exposedFolders: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Folders that get a temporary file system, because programs write to them and the embedded
 * kernel sees the machine's own files read-only.
 */
export const maskedFolders: readonly string[] = ['/run', '/tmp', '/root', '/var/tmp'];

/** Names of the files in the shared folder. */
export const sharedFileNames = { output: 'output', status: 'status' } as const;

/** Quotes a word for a POSIX shell. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Whether a path lies below one of the {@link maskedFolders}. */
export function isMasked(path: string): boolean {
  return maskedFolders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/**
 * Writes the script. The output file is on hostfs, which writes through to the machine's file at
 * each call, so nothing is lost when the kernel is switched off right after the command; the
 * console would lose what its driver still buffers.
 */
export function initScript(options: InitScriptOptions): string {
  const output = shellQuote(`${options.sharedFolder}/${sharedFileNames.output}`);
  const status = shellQuote(`${options.sharedFolder}/${sharedFileNames.status}`);
  const exposed = options.exposedFolders
    .filter(isMasked)
    .map((folder) => mountHostFolder(folder, 'ro,'));
  const environment = Object.entries(options.environment).map(
    ([name, value]) => `export ${name}=${shellQuote(value)}`,
  );
  const libraries = options.libraryFolders.join(':');
  return `${[
    '#!/bin/sh',
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root',
    'power_off() { echo o > /proc/sysrq-trigger; sleep 100; }',
    'step() { "$@" || { echo "init: failed: $*"; power_off; }; }',
    'step mount -t proc proc /proc',
    'step mount -t sysfs sysfs /sys',
    `for folder in ${maskedFolders.join(' ')}; do step mount -t tmpfs tmpfs "$folder"; done`,
    ...exposed.flat(),
    ...mountHostFolder(options.sharedFolder, ''),
    // Modules load themselves when they are first needed, as on any machine.
    'step mkdir -p /run/kernel/lib/modules',
    `step ln -s ${shellQuote(options.modulesFolder)}/"$(uname -r)" /run/kernel/lib/modules/`,
    `cat > /run/kernel/modprobe <<'END'`,
    '#!/bin/sh',
    ...(libraries === '' ? [] : [`export LD_LIBRARY_PATH=${shellQuote(libraries)}`]),
    `exec ${shellQuote(options.modprobePath)} -d /run/kernel "$@"`,
    'END',
    'step chmod +x /run/kernel/modprobe',
    'step sh -c "echo /run/kernel/modprobe > /proc/sys/kernel/modprobe"',
    // Without a loopback IPVS refuses every unicast address. Labs have namespaces of their own.
    'if command -v ip > /dev/null; then step ip link set lo up; fi',
    ...environment,
    `step cd ${shellQuote(options.workingDirectory)}`,
    `${options.command.map(shellQuote).join(' ')} >> ${output} 2>&1 < /dev/null`,
    `echo $? > ${status}.part && mv ${status}.part ${status}`,
    'power_off',
  ].join('\n')}\n`;
}

function mountHostFolder(folder: string, options: string): string[] {
  const quoted = shellQuote(folder);
  return [
    `step mkdir -p ${quoted}`,
    `step mount -t hostfs -o ${shellQuote(`${options}${folder}`)} none ${quoted}`,
  ];
}
