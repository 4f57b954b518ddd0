/**
 * A container whose TCP handshakes take a round trip. A proxy cannot delay them, since the kernel completes them on
 * loopback; so the look-up of the name takes that long here: as with a real SYN-ACK, the process goes on only when its
 * event loop turns after that time.
 */
import { lookup } from 'node:dns';
import { Socket, type TcpSocketConnectOpts } from 'node:net';
import '../contenders/container.ts';
import { createDelayLine } from './delay-line.ts';

/** Milliseconds, by port. */
const roundTripMs: Record<string, number> = JSON.parse(process.env['ROUND_TRIPS_MS'] ?? '{}');
const delay = createDelayLine();

const prototype = Socket.prototype as { connect: (this: Socket, ...parameters: unknown[]) => Socket };
const { connect } = prototype;
prototype.connect = function connectFar(...parameters) {
  // `net.connect` and `tls.connect` pass their options in a list.
  const [options] = [parameters[0]].flat() as [TcpSocketConnectOpts | undefined];
  const ms = roundTripMs[String(options?.port)];
  if (options !== undefined && ms !== undefined) {
    options.lookup = (hostname, how, done) => lookup(hostname, how, (...found) => delay(ms, () => done(...found)));
  }
  return Reflect.apply(connect, this, parameters);
};
