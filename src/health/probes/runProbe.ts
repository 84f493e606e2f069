/** Picks the probe for a specification. */
import { probeHttp } from './http.js';
import type { Probe } from './probe.js';
import { probeTcp } from './tcp.js';

/** Asks a server once, in the way that its check is specified. */
export const runProbe: Probe = (target, spec, signal) => {
  switch (spec.type) {
    case 'tcp':
      return probeTcp(target, spec, signal);
    case 'http':
      return probeHttp(target, spec, signal);
  }
};
