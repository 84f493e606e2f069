/** Types of the commands that an operator has the agent run: tracker scripts and hooks. */
import { listOf } from './containerTypes.js';
import { text } from './scalarTypes.js';

const argument = text({
  description: 'text, at most 1024 characters',
  // A NUL would end the argument early.
  pattern: /^[^\0]{0,1024}$/s,
  expected: 'a text of at most 1024 characters',
});

/** A program and its arguments. That the program is an absolute path is for the cross checks. */
export const commandType = listOf(argument, { min: 1, max: 64 });

/** `name`, `uid`, `name:group` or `uid:gid`. */
export const userType = text({
  description: 'user name or number, perhaps with `:` and a group',
  pattern: /^[A-Za-z0-9_][\w.-]{0,31}(:[A-Za-z0-9_][\w.-]{0,31})?$/,
  expected: 'a user, or a user and a group joined by a colon (`monitor`, `monitor:adm`)',
});

/** An absolute path of a file. */
export const filePath = text({
  description: 'absolute path',
  pattern: /^\/[^\0]{1,4094}$/s,
  expected: 'an absolute path',
});
