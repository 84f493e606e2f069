/** The smtp, imap, pop3 and ftp checks against Debian's Dovecot and vsftpd. */
import assert from 'node:assert/strict';
import { type Authority, makeAuthority } from './support/certificates.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed, type FaultCase, tryFaults } from './support/faultMatrix.js';
import { type ServerScene, serverAddress, serverTest } from './support/serverScene.js';

const at = (port: number) => ({ address: serverAddress, port });

/** Where each protocol is spoken in the clear, with TLS inside on demand, and with TLS at once. */
const servers = {
  smtp: { plain: at(587), tls: at(465), greeting: /^220 .* Dovecot/ },
  imap: { plain: at(143), tls: at(993), greeting: /^\* OK \[CAPABILITY/ },
  pop3: { plain: at(110), tls: at(995), greeting: /^\+OK Dovecot/ },
  ftp: { plain: at(21), tls: at(990), greeting: /^220 \(vsFTPd/ },
} as const;

type Protocol = keyof typeof servers;
const protocols = Object.keys(servers) as readonly Protocol[];

serverTest(
  'the mail and ftp checks know servers that work from those that do not',
  ['dovecot', 'vsftpd', 'openssl'],
  async (scene) => {
    const t = scene.context;
    const ca = makeAuthority(scene);
    await Promise.all([startDovecot(scene, ca), startVsftpd(scene, ca)]);
    const tls = { ca: { file: ca.file } };

    for (const protocol of protocols) {
      const { plain, tls: secure, greeting } = servers[protocol];
      const check: CheckText = { type: protocol };
      await t.test(`${protocol} passes in the clear, with STARTTLS and with TLS`, async () => {
        for (const [keys, server] of [
          [{}, plain],
          [{ encryption: 'none' }, plain],
          [{ encryption: 'starttls', tls }, plain],
          [{ encryption: 'tls', tls }, secure],
        ] as const) {
          const { reason, detail } = await probeBy({ ...check, ...keys }, server);
          assert.equal(reason, 'passed', `${JSON.stringify(keys)}: ${reason}, ${detail}`);
          assert.match(detail, greeting);
        }
      });

      await t.test(`${protocol} verifies the certificate, also behind STARTTLS`, async () => {
        for (const [encryption, server] of [
          ['starttls', plain],
          ['tls', secure],
        ] as const) {
          const untrusted = await probeBy({ ...check, encryption }, server);
          assertFailed(encryption, untrusted, ['certificate-untrusted']);
          const other = { ...tls, serverName: 'unknown.example.org' };
          const misnamed = await probeBy({ ...check, encryption, tls: other }, server);
          assertFailed(encryption, misnamed, ['certificate-name']);
          const soon = { ...tls, minDaysValid: 3000 };
          const expiring = await probeBy({ ...check, encryption, tls: soon }, server);
          assertFailed(encryption, expiring, ['certificate-expires-soon']);
          const trusting = { ...check, encryption, tls: { verify: false } };
          assert.equal((await probeBy(trusting, server)).reason, 'passed');
        }
      });

      await t.test(`${protocol} is not any other protocol`, async () => {
        for (const other of protocols.filter((each) => each !== protocol)) {
          // SMTP and FTP greet alike; only what is said then tells them apart.
          const outcome = await probeBy(check, servers[other].plain);
          if (outcome.result !== 'passed') {
            assertFailed(other, outcome, ['unexpected-answer', 'malformed-response', 'truncated']);
          } else {
            assert.ok(protocol === 'ftp' && other === 'smtp', `${protocol} passed ${other}`);
          }
        }
      });
    }

    await t.test('SMTP says hello by the name that is configured', async () => {
      const check = { type: 'smtp', helloName: 'director.example.org' };
      assert.equal((await probeBy(check, servers.smtp.plain)).reason, 'passed');
    });

    await t.test('a server that fails never passes', async () => {
      const cases = protocols.flatMap((protocol): FaultCase[] => {
        const { plain, tls: secure } = servers[protocol];
        const starttls = { type: protocol, encryption: 'starttls', tls };
        return [
          { title: protocol, check: { type: protocol }, server: plain },
          { title: `${protocol} starttls`, check: starttls, server: plain, answerShare: 0.9 },
          {
            title: `${protocol} tls`,
            check: { ...starttls, encryption: 'tls' },
            server: secure,
            answerShare: 0.9,
          },
        ];
      });
      await tryFaults(cases);
    });
  },
);

function issue(ca: Authority, name: string) {
  return ca.issue(name, { names: [serverAddress, 'mail.example.org'] });
}

/** One process that takes many connections, and needs no folder of the package. */
function service(name: string, more = ''): string {
  return `service ${name} {
  chroot =
  process_min_avail = 1
  service_count = 0
  client_limit = 1000
  ${more}
}`;
}

async function startDovecot(scene: ServerScene, ca: Authority): Promise<void> {
  const { certificate, key } = issue(ca, 'dovecot');
  const run = scene.makeFolder('dovecot');
  const configuration = scene.write(
    'dovecot.conf',
    `
base_dir = ${run}
state_dir = ${run}
log_path = /dev/stderr
protocols = imap pop3 submission
listen = ${serverAddress}
ssl = yes
ssl_cert = <${certificate}
ssl_key = <${key}
disable_plaintext_auth = no
hostname = mail.example.org
submission_relay_host = 192.0.2.99
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
${service('imap-login')}
${service('pop3-login')}
${service('submission-login', 'inet_listener submissions {\n port = 465\n ssl = yes\n}')}
service anvil {
  chroot =
}
service stats {
  chroot =
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${run}
}
`,
  );
  await scene.start('dovecot', ['-F', '-c', configuration], [110, 143, 465, 587, 993, 995]);
}

async function startVsftpd(scene: ServerScene, ca: Authority): Promise<void> {
  const { certificate, key } = issue(ca, 'vsftpd');
  const empty = scene.makeFolder('empty');
  const settings = {
    listen: 'YES',
    background: 'NO',
    listen_address: serverAddress,
    anonymous_enable: 'YES',
    local_enable: 'NO',
    secure_chroot_dir: empty,
    anon_root: empty,
    ftp_username: 'nobody',
    nopriv_user: 'nobody',
    ssl_enable: 'YES',
    allow_anon_ssl: 'YES',
    require_ssl_reuse: 'NO',
    rsa_cert_file: certificate,
    rsa_private_key_file: key,
    seccomp_sandbox: 'NO',
    isolate_network: 'NO',
    max_per_ip: '0',
  };
  const write = (name: string, more: Readonly<Record<string, string>>): string => {
    const lines = Object.entries({ ...settings, ...more }).map(([k, value]) => `${k}=${value}`);
    return scene.write(name, `${lines.join('\n')}\n`, 0o600);
  };
  await Promise.all([
    scene.start('vsftpd', [write('ftp.conf', { listen_port: '21' })], [21]),
    scene.start('vsftpd', [write('ftps.conf', { listen_port: '990', implicit_ssl: 'YES' })], [990]),
  ]);
}
