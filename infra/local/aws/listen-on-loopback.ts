import type { Server } from 'node:net';

/**
 * Listens on 127.0.0.1 alone, with room for a thousand clients that connect at once.
 * @param port 0 for a free one
 * @returns the port
 * @throws the system's error (`EADDRINUSE`, `EACCES`)
 */
export const listenOnLoopback = (server: Server, port = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('The server listens on no port'));
    });
  });
