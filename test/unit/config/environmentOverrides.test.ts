import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { problemsOf, soundConfig } from './soundConfig.js';

const withLog = `${soundConfig}log: { level: warn }\n`;

test('an environment variable overrides the file', () => {
  const { configs } = checkConfigText(withLog, {
    TANDEM_LOG_LEVEL: 'debug',
    TANDEM_API_SOCKET: '/tmp/one.sock',
    TANDEM_IPVS_ON_STOP: 'remove',
    TANDEM_IPVS_AUDIT_INTERVAL: '5s',
    TANDEM_CONNECTION_SYNC_MODE: 'kernel',
  });
  for (const config of configs) {
    assert.equal(config.log.level, 'debug');
    assert.equal(config.api.socket, '/tmp/one.sock');
    assert.deepEqual(config.ipvs, { onStop: 'remove', auditIntervalMs: 5000 });
    assert.deepEqual(config.connectionSync, { mode: 'kernel', interface: 'eth0', syncId: 0 });
  }
  assert.equal(configs.length, 2);
});

test('an empty environment variable overrides nothing', () => {
  const { configs } = checkConfigText(withLog, { TANDEM_LOG_LEVEL: '' });
  assert.equal(configs[0]?.log.level, 'warn');
});

test('a variable that has nothing to do with the file changes nothing', () => {
  assert.deepEqual(checkConfigText(withLog, { level: 'x', log: 'y' }), checkConfigText(withLog));
});

test('a wrong value of an environment variable is told with the name of the variable', () => {
  const environment = { TANDEM_LOG_LEVEL: 'inof', TANDEM_API_SOCKET: 'here' };
  assert.deepEqual(problemsOf(withLog, environment), [
    'environment:TANDEM_API_SOCKET api.socket: must be an absolute path of at most 107 ' +
      'characters without spaces, got here',
    'environment:TANDEM_LOG_LEVEL log.level: must be one of error, warn, info, debug, got inof ' +
      '(did you mean info?)',
  ]);
});

test('the command line of the process that checks is not looked at', () => {
  process.argv.push('--cluster=other');
  try {
    assert.equal(checkConfigText(soundConfig).configs[0]?.cluster, 'web');
  } finally {
    process.argv.pop();
  }
});
