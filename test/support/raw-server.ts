import { createServer, type Socket } from 'node:net';
import { listenOnLoopback } from '../../infra/local/aws/loopback.ts';

export interface RawServer {
  readonly port: number;
  /** The number of connections that it accepted. */
  connections(): number;
  /** All bytes received, over all connections. */
  received(): string;
  close(): Promise<void>;
}

/** A TCP server on 127.0.0.1, for answers that no HTTP server can send. It ignores errors of its sockets. */
export async function startRawServer(onConnection: (socket: Socket, count: number) => void): Promise<RawServer> {
  const sockets: Socket[] = [];
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    onConnection(socket, sockets.length);
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    connections: () => sockets.length,
    received: () => Buffer.concat(chunks).toString('latin1'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
