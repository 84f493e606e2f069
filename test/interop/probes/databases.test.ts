/** The mysql and postgres checks against Debian's MariaDB and PostgreSQL. */
import assert from 'node:assert/strict';
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { findUser } from '../../../src/kernel/userDatabase.js';
import { encodeStartup } from '../../../src/wire/postgresStartup.js';
import type { DaemonProcess } from '../../tools/daemonProcess.js';
import { waitFor } from '../../tools/waiting.js';
import { type Authority, makeAuthority } from './support/certificates.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { assertFailed, tryFaults } from './support/faultMatrix.js';
import { type ServerScene, serverAddress, serverTest } from './support/serverScene.js';

const mariadb = { address: serverAddress, port: 3306 };
const postgres = { address: serverAddress, port: 5432 };

/** A database may take this long to be made on a machine that is busy. */
const makingMs = 120_000;

/** PostgreSQL takes so many sessions. */
const sessionsMax = 60;

/** Debian keeps the programs of each version apart. */
const postgresVersions = '/usr/lib/postgresql';
const [postgresVersion = '15'] = existsSync(postgresVersions) ? readdirSync(postgresVersions) : [];
const postgresProgram = (name: string) => `${postgresVersions}/${postgresVersion}/bin/${name}`;

serverTest(
  'the mysql and postgres checks know databases that work from those that do not',
  ['mariadbd', 'openssl', postgresProgram('postgres')],
  async (scene) => {
    const t = scene.context;
    const ca = makeAuthority(scene);
    const [, postgresServer] = await Promise.all([
      startMariadb(scene, ca),
      startPostgres(scene, ca),
    ]);
    const password = { file: scene.write('password', 'secret\n', 0o600) };
    const wrong = { file: scene.write('wrong', 'not it\n', 0o600) };
    const mysql: CheckText = { type: 'mysql' };
    const login = { ...mysql, user: 'checker', password };

    await t.test('the greeting of MariaDB is enough, and a login is better', async () => {
      const greeted = await probeBy(mysql, mariadb);
      assert.equal(greeted.reason, 'passed', greeted.detail);
      assert.match(greeted.detail, /^server version .*MariaDB/);
      const loggedIn = await probeBy(login, mariadb);
      assert.equal(loggedIn.reason, 'passed', loggedIn.detail);
      assert.match(loggedIn.detail, /logged in$/);
      const open = await probeBy({ ...mysql, user: 'open' }, mariadb);
      assert.equal(open.reason, 'passed', open.detail);
    });

    await t.test('a login that MariaDB refuses fails, and says why', async () => {
      for (const [keys, text] of [
        [{ user: 'checker' }, /error 1045: Access denied/],
        [{ user: 'checker', password: wrong }, /error 1045: Access denied/],
        [{ user: 'nobody-knows', password }, /error 1045: Access denied/],
        [{ user: 'ancient', password }, /error 1275: Server is running in --secure-auth mode/],
      ] as const) {
        const outcome = await probeBy({ ...mysql, ...keys }, mariadb);
        assertFailed(JSON.stringify(keys), outcome, ['unexpected-answer']);
        assert.match(outcome.detail, text);
      }
    });

    await t.test(
      'a login leaves no interrupted connection, and a greeting alone does',
      async () => {
        const aborted = async () => {
          // The counter is written to the log of the server, whose warnings are on.
          return (
            readFileSync(scene.path('mariadb.err'), 'utf8').match(/Aborted connection/g) ?? []
          ).length;
        };
        const before = await aborted();
        for (let count = 0; count < 5; count += 1) await probeBy(login, mariadb);
        await probeBy(mysql, mariadb);
        await waitFor('the greeting is counted', async () => (await aborted()) > before);
        assert.equal((await aborted()) - before, 1);
      },
    );

    await t.test('MariaDB is spoken to inside of TLS, and its certificate verified', async () => {
      const tls = { ca: { file: ca.file } };
      for (const keys of [{}, { user: 'checker', password }, { user: 'secured', password }]) {
        const outcome = await probeBy({ ...mysql, ...keys, tls }, mariadb);
        assert.equal(outcome.reason, 'passed', outcome.detail);
      }
      const inTheClear = await probeBy({ ...mysql, user: 'secured', password }, mariadb);
      assertFailed('in the clear', inTheClear, ['unexpected-answer']);
      const untrusted = await probeBy({ ...login, tls: {} }, mariadb);
      assertFailed('untrusted', untrusted, ['certificate-untrusted']);
    });

    await t.test(
      'PostgreSQL passes when it asks for a password, or knows no such user',
      async () => {
        for (const [keys, text] of [
          [{}, /./],
          [{ user: 'checker' }, /asks for authentication 10/],
          [{ user: 'nobody_knows', database: 'nothing' }, /./],
          [{ user: 'friend', database: 'postgres' }, /the session began/],
        ] as const) {
          const { reason, detail } = await probeBy({ type: 'postgres', ...keys }, postgres);
          assert.equal(reason, 'passed', `${JSON.stringify(keys)}: ${reason}, ${detail}`);
          assert.match(detail, text);
        }
        const unknown = await probeBy(
          { type: 'postgres', user: 'friend', database: 'nothing' },
          postgres,
        );
        assert.equal(unknown.reason, 'passed', unknown.detail);
      },
    );

    // Before the checks of TLS: of one that hangs up the server may complain whenever it likes.
    await t.test('a check that passes leaves no complaint in the log of PostgreSQL', async () => {
      const before = postgresServer.log.length;
      assert.equal(
        (await probeBy({ type: 'postgres', user: 'checker' }, postgres)).reason,
        'passed',
      );
      // What the server has to say of the next one comes behind what it says of this one.
      await probeBy({ type: 'postgres', user: 'nobody', database: 'marker' }, postgres);
      await probeBy({ type: 'postgres', user: 'friend', database: 'marker' }, postgres);
      const said = await waitFor('the marker', () => {
        const log = postgresServer.log.slice(before);
        return log.includes('database "marker" does not exist') && log;
      });
      assert.deepEqual(
        said.split('\n').filter((line) => /FATAL|ERROR|LOG/.test(line) && !line.includes('marker')),
        [],
      );
    });

    await t.test(
      'PostgreSQL is spoken to inside of TLS, and its certificate verified',
      async () => {
        const tls = { ca: { file: ca.file } };
        for (const [keys, text] of [
          [{ user: 'checker' }, /asks for authentication 10/],
          [{ user: 'friend' }, /the session began/],
        ] as const) {
          const outcome = await probeBy({ type: 'postgres', ...keys, tls }, postgres);
          assert.equal(outcome.reason, 'passed', outcome.detail);
          assert.match(outcome.detail, text);
        }
        const untrusted = await probeBy({ type: 'postgres', tls: {} }, postgres);
        assertFailed('untrusted', untrusted, ['certificate-untrusted']);
      },
    );

    await t.test('a database is not another one', async () => {
      const outcome = await probeBy({ type: 'mysql' }, postgres, 1_000);
      assertFailed('mysql', outcome, ['timeout', 'malformed-response', 'truncated']);
      const other = await probeBy({ type: 'postgres' }, mariadb);
      assertFailed('postgres', other, ['malformed-response', 'truncated', 'unexpected-answer']);
    });

    await t.test('a server that fails never passes', async () => {
      await tryFaults([
        { title: 'mysql', check: mysql, server: mariadb },
        { title: 'mysql login', check: login, server: mariadb },
        {
          title: 'mysql tls',
          check: { ...login, tls: { ca: { file: ca.file } } },
          server: mariadb,
          answerShare: 0.9,
        },
        { title: 'postgres', check: { type: 'postgres' }, server: postgres },
        {
          title: 'postgres tls',
          check: { type: 'postgres', tls: { ca: { file: ca.file } } },
          server: postgres,
          answerShare: 0.9,
        },
      ]);
    });

    await t.test('a user whom PostgreSQL lets in must get a session', async () => {
      const limited = { type: 'postgres', user: 'limited' };
      assert.equal((await probeBy(limited, postgres)).reason, 'passed');
      const outcome = await failureWhileHeld(limited, 1);
      assertFailed('limit', outcome, ['unexpected-answer']);
      assert.match(outcome.detail, /53300: too many connections for role/);
    });

    await t.test('a PostgreSQL that takes no more sessions fails', async () => {
      const outcome = await failureWhileHeld({ type: 'postgres', user: 'friend' }, sessionsMax);
      assertFailed('full', outcome, ['unexpected-answer']);
      assert.match(outcome.detail, /53300: /);
    });
  },
);

/**
 * Holds so many sessions of the check's user and gives the failure of the check then. A session
 * that is refused, because that of an earlier check has not ended yet, is begun again.
 */
async function failureWhileHeld(check: CheckText & { user: string }, sessions: number) {
  let held: Socket[] = [];
  try {
    return await waitFor('the check fails', async () => {
      held = held.filter((session) => !session.destroyed);
      while (held.length < sessions) held.push(holdSession(check.user));
      const found = await probeBy(check, postgres);
      return found.result === 'failed' && found;
    });
  } finally {
    for (const session of held) session.destroy();
  }
}

/** Begins a session of a user who needs no password, and keeps it. */
function holdSession(user: string): Socket {
  const socket = connect({ host: postgres.address, port: postgres.port });
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.write(encodeStartup({ user, database: 'postgres' }));
  return socket;
}

async function startMariadb(scene: ServerScene, ca: Authority): Promise<void> {
  const { certificate, key } = ca.issue('mariadb', { names: [serverAddress] });
  const folder = scene.makeFolder('mariadb');
  const common = [
    ...['--no-defaults', '--user=root', `--datadir=${folder}`, '--innodb-log-file-size=4M'],
    ...['--innodb-buffer-pool-size=8M', '--innodb-flush-method=nosync'],
  ];
  // What `mariadb-install-db` does, without the tools that it needs.
  const tables = readFileSync('/usr/share/mysql/mysql_system_tables.sql');
  const preamble = 'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n';
  const script = scene.write('tables.sql', Buffer.concat([Buffer.from(preamble), tables]));
  const options = [...common, '--bootstrap', '--enforce-storage-engine='].join(' ');
  const bootstrap = `exec mariadbd ${options} <${script}`;
  const making = scene.spawn('/bin/sh', ['-c', bootstrap]);
  const { code } = await making.waitForEnd(makingMs);
  assert.equal(code, 0, making.logTail);
  const users = scene.write(
    'users.sql',
    `CREATE USER checker@'%' IDENTIFIED BY 'secret';
CREATE USER secured@'%' IDENTIFIED BY 'secret' REQUIRE SSL;
CREATE USER open@'%';
CREATE USER ancient@'%' IDENTIFIED VIA mysql_old_password USING '6a1b2c3d4e5f6071';
`,
  );
  const server = [
    ...[`--socket=${scene.path('mariadb.sock')}`, `--bind-address=${serverAddress}`],
    ...[`--pid-file=${scene.path('mariadb.pid')}`, '--skip-name-resolve', '--log-warnings=4'],
    ...[`--init-file=${users}`, `--log-error=${scene.path('mariadb.err')}`],
    ...[`--ssl-cert=${certificate}`, `--ssl-key=${key}`, '--max-connect-errors=1000000'],
  ];
  await scene.start('mariadbd', [...common, ...server], [mariadb.port]);
}

async function startPostgres(scene: ServerScene, ca: Authority): Promise<DaemonProcess> {
  const folder = scene.makeFolder('postgres');
  const { userId, groupId } = findUser('nobody');
  chownSync(folder, userId, groupId);
  const { certificate, key } = ca.issue('postgres', { names: [serverAddress] });
  chownSync(key, userId, groupId);
  const asNobody = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
  const passwordFile = scene.write('pgpass', 'secret\n');
  const making = scene.spawn('setpriv', [
    ...[...asNobody, postgresProgram('initdb'), '--no-sync', '--locale=C', '--encoding=UTF8'],
    ...['--auth=scram-sha-256', '--username=checker', `--pwfile=${passwordFile}`],
    ...[`--pgdata=${folder}`],
  ]);
  const { code } = await making.waitForEnd(makingMs);
  assert.equal(code, 0, making.logTail);
  scene.write(
    'postgres/pg_hba.conf',
    'host all friend all trust\nhost all limited all trust\nhost all all all scram-sha-256\n' +
      'local all all trust\n',
  );
  const users = 'CREATE ROLE friend LOGIN; CREATE ROLE limited LOGIN CONNECTION LIMIT 1;\n';
  const file = scene.write('roles.sql', users);
  const single = `${postgresProgram('postgres')} --single -D ${folder} postgres <${file}`;
  const roles = scene.spawn('setpriv', [...asNobody, '/bin/sh', '-c', single]);
  assert.equal((await roles.waitForEnd(makingMs)).code, 0, roles.logTail);
  return scene.start(
    'setpriv',
    [
      ...[...asNobody, postgresProgram('postgres'), '-D', folder, '-h', serverAddress],
      ...['-c', 'unix_socket_directories=', '-c', 'fsync=off'],
      ...['-c', `max_connections=${sessionsMax}`, '-c', 'ssl=on'],
      ...['-c', `ssl_cert_file=${certificate}`, '-c', `ssl_key_file=${key}`],
    ],
    [postgres.port],
    // SIGTERM waits for the sessions.
    'SIGINT',
  );
}
