/**
 * Finds the programs of the embedded kernel: Debian's `user-mode-linux`, and `modprobe` of `kmod`,
 * which loads its modules. What is not installed is downloaded with apt into the user's cache
 * folder and unpacked there, which needs no privilege.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { TandemError } from '../errors.js';

const execute = promisify(execFile);

/** Where the parts of the embedded kernel are. */
export interface EmbeddedKernelPackage {
  readonly kernelPath: string;
  readonly modulesFolder: string;
  readonly modprobePath: string;
  readonly libraryFolders: readonly string[];
}

/** How long one run of apt or dpkg may take, in milliseconds. */
const packageTimeoutMs = 300_000;

const modprobePackages = ['kmod', 'libkmod2', 'libssl3'];

/** The folder that downloaded packages are unpacked to. */
export function packageCacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME;
  const home = cache === undefined || cache === '' ? join(homedir(), '.cache') : cache;
  return join(home, 'tandem');
}

/**
 * Finds the embedded kernel below the system's root or in the cache, downloading what is missing.
 * `systemRoot` is `/` except in tests. Throws `LAB_FAILED` when it cannot be had.
 */
export async function findEmbeddedKernel(systemRoot = '/'): Promise<EmbeddedKernelPackage> {
  const kernel = await findPart(
    systemRoot,
    'user-mode-linux',
    ['user-mode-linux'],
    ['usr/bin/linux.uml'],
  );
  const modprobe = await findPart(systemRoot, 'kmod', modprobePackages, [
    'usr/sbin/modprobe',
    'sbin/modprobe',
    'usr/bin/kmod',
    'bin/kmod',
  ]);
  const downloaded = modprobe.root !== systemRoot;
  return {
    kernelPath: join(kernel.root, kernel.path),
    modulesFolder: join(kernel.root, 'usr/lib/uml/modules'),
    modprobePath: join(modprobe.root, downloaded ? 'modprobe' : modprobe.path),
    libraryFolders: downloaded ? libraryFolders(modprobe.root) : [],
  };
}

interface FoundPart {
  readonly root: string;
  readonly path: string;
}

async function findPart(
  systemRoot: string,
  name: string,
  packages: readonly string[],
  paths: readonly string[],
): Promise<FoundPart> {
  const cached = join(packageCacheFolder(), name);
  for (const root of [systemRoot, cached]) {
    const path = paths.find((candidate) => existsSync(join(root, candidate)));
    if (path !== undefined) return { root, path };
  }
  await download(packages, cached);
  const path = paths.find((candidate) => existsSync(join(cached, candidate)));
  if (path === undefined) {
    throw new TandemError('LAB_FAILED', `the package ${name} holds none of: ${paths.join(', ')}`);
  }
  return { root: cached, path };
}

/** Unpacks beside the destination and renames, so that half a download is never taken for whole. */
async function download(packages: readonly string[], destination: string): Promise<void> {
  try {
    mkdirSync(dirname(destination), { recursive: true });
    const work = mkdtempSync(`${destination}-`);
    try {
      await aptDownload(packages, work);
      const unpacked = join(work, 'unpacked');
      for (const file of readdirSync(work).filter((entry) => entry.endsWith('.deb'))) {
        await run('dpkg', ['-x', join(work, file), unpacked], work);
      }
      await linkModprobe(unpacked, work);
      rmSync(destination, { recursive: true, force: true });
      renameSync(unpacked, destination);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  } catch (cause) {
    throw new TandemError(
      'LAB_FAILED',
      `the embedded kernel needs ${packages.join(', ')}, and apt could not download: ${
        cause instanceof Error ? cause.message : String(cause)
      }`,
      { hint: 'Install it once as root: apt-get install user-mode-linux kmod', cause },
    );
  }
}

/** Package lists may be absent (containers remove them); then they are fetched into `folder`. */
async function aptDownload(packages: readonly string[], folder: string): Promise<void> {
  try {
    await run('apt-get', ['download', ...packages], folder);
  } catch {
    const lists = join(folder, 'lists');
    const archives = join(folder, 'cache');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    mkdirSync(join(archives, 'archives', 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${archives}`];
    await run('apt-get', [...own, 'update'], folder);
    await run('apt-get', [...own, 'download', ...packages], folder);
  }
}

/** The unpacked kmod acts as modprobe when it is called by that name. */
async function linkModprobe(root: string, folder: string): Promise<void> {
  const kmod = ['usr/bin/kmod', 'bin/kmod'].find((path) => existsSync(join(root, path)));
  if (kmod !== undefined) await run('ln', ['-s', kmod, join(root, 'modprobe')], folder);
}

async function run(command: string, args: readonly string[], folder: string): Promise<void> {
  await execute(command, args, { cwd: folder, timeout: packageTimeoutMs });
}

function libraryFolders(root: string): string[] {
  return ['usr/lib', 'lib'].flatMap((base) => {
    const folder = join(root, base);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((entry) => entry.endsWith('-linux-gnu'))
      .map((entry) => join(folder, entry));
  });
}
