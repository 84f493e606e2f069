/** Certificates of every kind, made by OpenSSL. */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import type { ServerScene } from './serverScene.js';

/** What a certificate is to be like. */
export interface CertificateWishes {
  /** Host names and addresses that it is for. */
  readonly names: readonly string[];
  /** How long it is valid from now on; negative: it has ended; absent: a year. */
  readonly days?: number;
}

/** Files in PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  /** Readable by its owner alone. */
  readonly key: string;
}

/** Who issues certificates. */
export interface Authority {
  /** Its own certificate. */
  readonly file: string;
  issue(name: string, wishes: CertificateWishes): CertificateFiles;
}

const dayMs = 86_400_000;

/** A new authority, which nobody trusts who is not told to. */
export function makeAuthority(scene: ServerScene, name = 'ca'): Authority {
  const file = scene.path(`${name}.pem`);
  const caKey = makeKey(scene, name);
  openssl('req', '-x509', '-new', '-key', caKey, '-subj', `/CN=${name}`, '-out', file);
  return {
    file,
    issue: (leaf, { names, days = 365 }) => {
      const key = makeKey(scene, leaf);
      const certificate = scene.path(`${leaf}.pem`);
      const request = scene.path(`${leaf}.csr`);
      openssl('req', '-new', '-key', key, '-subj', `/CN=${leaf}`, '-out', request);
      const list = names.map((each) => (/^[\d.]+$|:/.test(each) ? `IP:${each}` : `DNS:${each}`));
      const configuration = scene.write(`${leaf}.cnf`, authorityConfiguration(scene, leaf, list));
      const end = Date.now() + days * dayMs;
      const begin = Math.min(Date.now() - dayMs, end - dayMs);
      openssl(
        ...['ca', '-batch', '-notext', '-config', configuration, '-name', 'authority'],
        ...['-cert', file, '-keyfile', caKey, '-in', request, '-out', certificate],
        ...['-startdate', opensslTime(begin), '-enddate', opensslTime(end)],
      );
      return { certificate, key };
    },
  };
}

/** `openssl ca` is the one command that can date a certificate back, and wants a database. */
function authorityConfiguration(scene: ServerScene, leaf: string, names: readonly string[]) {
  scene.write(`${leaf}.index`, '');
  return `[authority]
database = ${scene.path(`${leaf}.index`)}
rand_serial = yes
new_certs_dir = ${scene.folder}
default_md = sha256
policy = any
x509_extensions = leaf
unique_subject = no
[any]
commonName = supplied
[leaf]
subjectAltName = ${names.join(',')}
`;
}

function makeKey(scene: ServerScene, name: string): string {
  const path = scene.path(`${name}.key`);
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path);
  chmodSync(path, 0o600);
  return path;
}

function opensslTime(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`;
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
