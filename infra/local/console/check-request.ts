import type { IncomingMessage } from 'node:http';

/**
 * Whether a request may be taken: the console shows credentials and changes the run, so that no page of another origin
 * may reach it. A name that resolves to this machine (DNS rebinding) shows in `Host`, another page in `Origin`.
 * @returns why not, or nothing
 */
export const whyRefused = ({ method, headers, socket }: IncomingMessage): string | undefined => {
  const host = headers.host ?? '';
  const own = ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort}`);
  if (!own.includes(host)) return 'The console answers to 127.0.0.1 and localhost alone.';
  if (method === 'GET') {
    const site = headers['sec-fetch-site'] ?? 'none';
    return site === 'same-origin' || site === 'none' || headers['sec-fetch-mode'] === 'navigate'
      ? undefined
      : 'The console shows nothing to other pages.';
  }
  return headers.origin === `http://${host}` ? undefined : 'The console takes nothing from other pages.';
};
