import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProbes } from '../../../src/agent/checkFiles.js';
import { planChecks } from '../../../src/agent/checkSpecs.js';
import { threadsNeeded } from '../../../src/agent/healthThreads.js';
import type { CheckConfig } from '../../../src/config/model.js';
import { serviceConfig } from '../ipvs/configs.js';

const check: CheckConfig = {
  probe: { type: 'tcp' },
  timing: { intervalMs: 1000, timeoutMs: 500, rise: 2, fall: 3 },
};

test('the same backend in fifty services is checked once', () => {
  const services = Array.from({ length: 50 }, (_, index) => ({
    ...serviceConfig({ check }),
    name: `web${index}`,
  }));
  const [first] = services;
  const { specs, services: planned } = planChecks(services, readProbes(services));
  assert.equal(specs.length, first?.servers.length);
  const ids = planned.map(({ servers }) => servers.map(({ checkIds }) => checkIds[0]).join());
  assert.equal(new Set(ids).size, 1);
});

test('a check that differs in anything is another check', () => {
  const timing = { ...check.timing, fall: 2 };
  const services = [
    { ...serviceConfig({ check }), name: 'a' },
    { ...serviceConfig({ check: { ...check, timing } }), name: 'b' },
    { ...serviceConfig({ check: { ...check, port: 81 } }), name: 'c' },
  ];
  const { specs } = planChecks(services, readProbes(services));
  assert.equal(specs.length, 3 * (services[0]?.servers.length ?? 0));
});

test('the order of keys makes no difference', () => {
  const { probe, timing } = check;
  const turned = { timing: Object.fromEntries(Object.entries(timing).toReversed()), probe };
  const services = [
    { ...serviceConfig({ check }), name: 'a' },
    { ...serviceConfig({ check: turned as CheckConfig }), name: 'b' },
  ];
  assert.equal(
    planChecks(services, readProbes(services)).specs.length,
    services[0]?.servers.length,
  );
});

test('a service that is checked only while Active keeps its servers and has no check', () => {
  const health = {
    startDown: false,
    whenQuorumLost: 'nothing',
    checkOnlyWhenActive: true,
  } as const;
  const service = serviceConfig({ check, health });
  assert.equal(planChecks([service], readProbes([service]), () => false).specs.length, 0);
  assert.equal(
    planChecks([service], readProbes([service]), () => false).services[0]?.servers.length,
    service.servers.length,
  );
  assert.equal(
    planChecks([service], readProbes([service]), () => true).specs.length,
    service.servers.length,
  );
});

test('threads are as many as the checks need, and leave one processor alone', () => {
  const specs = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${index}`,
      address: '192.0.2.1' as never,
      port: 80,
      probe: { type: 'tcp' } as const,
      timing: check.timing,
    }));
  assert.equal(threadsNeeded(specs(10), 8), 1);
  assert.equal(threadsNeeded(specs(5001), 8), 3);
  assert.equal(threadsNeeded(specs(5001), 2), 1);
  assert.equal(threadsNeeded(specs(0), 1), 1);
});
