/** Picks the probe for a specification. */
import { probeAgent } from './agent.js';
import { probeBfd } from './bfd.js';
import { probeDns } from './dns.js';
import { probeFile } from './file.js';
import { probeGrpc } from './grpc.js';
import { probeHttp } from './http.js';
import { probeIcmp } from './icmp.js';
import { probeMail } from './mail.js';
import { probeMysql } from './mysql.js';
import { probePostgres } from './postgres.js';
import type { Probe } from './probe.js';
import { probeRedis } from './redis.js';
import { probeScript } from './script.js';
import { probeTcp } from './tcp.js';
import { probeTls } from './tls.js';
import { probeUdp } from './udp.js';

/** Asks a server once, in the way that its check is specified. */
export const runProbe: Probe = (target, spec, signal) => {
  switch (spec.type) {
    case 'tcp':
      return probeTcp(target, spec, signal);
    case 'tls':
      return probeTls(target, spec, signal);
    case 'http':
      return probeHttp(target, spec, signal);
    case 'udp':
      return probeUdp(target, spec, signal);
    case 'dns':
      return probeDns(target, spec, signal);
    case 'icmp':
      return probeIcmp(target, spec, signal);
    case 'smtp':
    case 'imap':
    case 'pop3':
    case 'ftp':
      return probeMail(target, spec, signal);
    case 'redis':
      return probeRedis(target, spec, signal);
    case 'mysql':
      return probeMysql(target, spec, signal);
    case 'postgres':
      return probePostgres(target, spec, signal);
    case 'grpc':
      return probeGrpc(target, spec, signal);
    case 'script':
      return probeScript(target, spec, signal);
    case 'file':
      return probeFile(target, spec, signal);
    case 'agent':
      return probeAgent(target, spec, signal);
    case 'bfd':
      return probeBfd(target, spec, signal);
  }
};
