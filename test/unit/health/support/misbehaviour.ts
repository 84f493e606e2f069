/** Ways in which a server can be broken, for every probe that speaks TCP. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

/** What a broken server does with a connection. */
export interface Misbehaviour {
  readonly title: string;
  readonly serve: (socket: Socket) => void;
}

const floodBytes = 100_000_000;
const piece = randomBytes(65_536);

/**
 * Each of these accepts the connection; one that refuses it is a server that is not there. They
 * read on after they have said all, since Node sees only then that the other end is gone.
 */
export const misbehaviours: readonly Misbehaviour[] = [
  { title: 'hangs', serve: (socket) => socket.resume() },
  { title: 'closes at once', serve: (socket) => socket.resume().end() },
  { title: 'resets at once', serve: (socket) => socket.resetAndDestroy() },
  {
    title: 'closes when it was asked',
    serve: (socket) => {
      socket.once('data', () => socket.end());
    },
  },
  { title: 'sends one byte and closes', serve: (socket) => socket.resume().end('2') },
  {
    title: 'sends garbage',
    serve: (socket) =>
      socket.resume().end(Buffer.from('\x00\x01garbage\xff\xfe'.repeat(40), 'latin1')),
  },
  {
    title: 'sends garbage in lines',
    serve: (socket) => socket.resume().end('lorem ipsum\r\ndolor sit\r\n'),
  },
  { title: 'sends random bytes without end', serve: (socket) => flood(socket, piece) },
  {
    title: 'sends 100 MB without a line',
    serve: (socket) => flood(socket, Buffer.alloc(65_536, 'x')),
  },
  {
    title: 'sends 100 MB of lines',
    serve: (socket) => flood(socket, Buffer.from('220-more\r\n'.repeat(6_000))),
  },
  { title: 'drips a byte at a time', serve: drip },
];

function flood(socket: Socket, bytes: Buffer): void {
  socket.resume();
  let sent = 0;
  const pump = (): void => {
    while (sent < floodBytes && !socket.destroyed) {
      sent += bytes.length;
      if (!socket.write(bytes)) {
        socket.once('drain', pump);
        return;
      }
    }
  };
  pump();
}

/** What would be a good greeting of several protocols, if it ever ended. */
function drip(socket: Socket): void {
  socket.resume();
  const text = '220-HTTP/1.1 200 OK';
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(text[sent % text.length] ?? ' ');
    sent += 1;
  }, 10);
  socket.on('close', () => clearInterval(timer));
}
