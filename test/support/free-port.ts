import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';

/** A port of this machine that was free a moment ago: for a program that must be given one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @throws Error as long as nothing listens there */
export async function isListening(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
