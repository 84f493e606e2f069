/** Sees that every user that a command shall run as exists, before anything is changed. */
import type { TandemConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import { TandemError } from '../errors.js';
import { commandUser, defaultUser } from '../kernel/commandUser.js';

/** Throws `USER_UNKNOWN`, naming who wants the user. */
export function requireUsers(config: TandemConfig): void {
  for (const { name, subject } of config.trackers) {
    if (subject.type !== 'script') continue;
    demand(`tracker ${name}`, () => commandUser(subject.user, defaultUser));
  }
  for (const service of config.services) {
    for (const { probe } of checksOf(service)) {
      if (probe.type !== 'script') continue;
      demand(`check of service ${service.name}`, () => commandUser(probe.user, defaultUser));
    }
  }
  for (const { name, user } of config.hooks) {
    demand(`hook ${name}`, () => commandUser(user, undefined));
  }
}

function demand(wantedBy: string, find: () => unknown): void {
  try {
    find();
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const { code, message, hint } = error;
    throw new TandemError(code, `${wantedBy}: ${message}`, { hint, cause: error });
  }
}
