/** Users and groups by name, from /etc/passwd and /etc/group. Others are given by number. */
import { readFileSync } from 'node:fs';
import { TandemError } from '../errors.js';

/** Who a process runs as. */
export interface ProcessUser {
  readonly userId: number;
  readonly groupId: number;
}

/**
 * Finds `name`, `uid`, `name:group` or `uid:gid`. A name alone has its own group; a number alone
 * has the group of the same number unless the database knows better. Throws `USER_UNKNOWN`.
 */
export function findUser(text: string): ProcessUser {
  const [userText = '', groupText] = text.split(':');
  const user = findEntry('/etc/passwd', userText);
  const userId = user?.[2] ?? numberOf(userText);
  if (userId === undefined) throw unknown(`there is no user ${userText}`);
  const groupId =
    groupText === undefined
      ? (user?.[3] ?? userId)
      : (findEntry('/etc/group', groupText)?.[2] ?? numberOf(groupText));
  if (groupId === undefined) throw unknown(`there is no group ${groupText}`);
  return { userId: Number(userId), groupId: Number(groupId) };
}

/** The name of a user by number; the number itself when the database has none. */
export function userName(userId: number): string {
  return findEntry('/etc/passwd', String(userId))?.[0] ?? String(userId);
}

/** The fields of the line of a name or number; both files have the number third. */
function findEntry(path: string, nameOrNumber: string): readonly string[] | undefined {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const number = numberOf(nameOrNumber);
  const named = lines.find(([name]) => name === nameOrNumber);
  if (named !== undefined || number === undefined) return named;
  return lines.find((fields) => fields[2] === number);
}

function numberOf(text: string): string | undefined {
  return /^\d{1,10}$/.test(text) ? String(Number(text)) : undefined;
}

function unknown(message: string): TandemError {
  return new TandemError('USER_UNKNOWN', message);
}
