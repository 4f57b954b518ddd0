import { isLoopback } from '../../core/loopback.ts';

/** The one origin that the client ever talks to, and that the key is ever sent to. */
export interface PlangrepOrigin {
  readonly protocol: 'https:' | 'http:';
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads a base URL such as `https://plangrep.com`.
 * @throws Error unless it is a bare origin (no credentials, path, query or fragment) over https, or over http on
 * loopback (127.0.0.0/8, [::1], localhost). The message does not repeat the value, which may contain a credential.
 */
export function parsePlangrepOrigin(baseUrl: string): PlangrepOrigin {
  const url = URL.parse(baseUrl);
  if (url === null || url.href !== `${url.origin}/`) {
    throw new Error('the Plangrep base URL must be only an origin: no credentials, path, query or fragment');
  }
  const { protocol, hostname, port } = url;
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) {
    throw new Error('the Plangrep base URL must be https, or http on loopback');
  }
  const ownPort = protocol === 'https:' ? 443 : 80;
  return Object.freeze({ protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || ownPort });
}
