/** The kinds of checks, by `type`. */
import { httpKeys } from './checkHttp.js';
import { checkTiming } from './checkTiming.js';
import { variantsOf } from './containerTypes.js';

/** The value of `check`. */
export const checkType = variantsOf(
  {
    tcp: checkTiming,
    http: { ...httpKeys, ...checkTiming },
  },
  {
    explained: {
      status: 'unknown key: write it as `expect: { status: ... }`',
      bodyContains: 'unknown key: write it as `expect: { bodyContains: ... }`',
      bodyMatches: 'unknown key: write it as `expect: { bodyMatches: ... }`',
    },
  },
);
