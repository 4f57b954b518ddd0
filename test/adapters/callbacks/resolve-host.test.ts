import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createResolveHost } from '../../../functions/adapters/callbacks/resolve-host.ts';

const [A, AAAA] = [1, 28];
/** `silent`: no answer at all. `error`: SERVFAIL. */
type Zone = Readonly<Record<number, readonly Buffer[] | 'silent' | 'error'>>;

/** A name server for one name (RFC 1035, 4), which tells the types that it is asked for. */
const startNameServer = async (zone: Zone) => {
  const asked: number[] = [];
  const server = createSocket('udp4');
  server.on('message', (query, { port, address }) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const type = question.readUInt16BE(question.length - 4);
    asked.push(type);
    const found = zone[type] ?? [];
    if (found === 'silent') return;
    const records = found === 'error' ? [] : found;
    const header = Buffer.from([0, 0, 0x81, found === 'error' ? 0x82 : 0x80, 0, 1, 0, records.length, 0, 0, 0, 0]);
    query.copy(header, 0, 0, 2);
    const answers = records.map((data) => Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]));
    server.send(Buffer.concat([header, question, ...answers]), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { asked, resolve: createResolveHost([`127.0.0.1:${server.address().port}`]) };
};
const ipv4 = Buffer.from([93, 184, 215, 14]);
const ipv6 = Buffer.from('20010db8000000000000000000000001', 'hex');

describe('A host name', () => {
  test('stands for all its addresses, asked for once, IPv4 first', async () => {
    const { resolve, asked } = await startNameServer({ [A]: [ipv4, Buffer.from([10, 0, 0, 1])], [AAAA]: [ipv6] });

    expect(await resolve('api.partner.example')).toEqual(['93.184.215.14', '10.0.0.1', '2001:db8::1']);
    expect(asked.toSorted((a, b) => a - b)).toEqual([A, AAAA]);
  });

  test.each<[string, Zone, readonly string[]]>([
    ['IPv4 alone', { [A]: [ipv4] }, ['93.184.215.14']],
    ['IPv6 alone', { [AAAA]: [ipv6] }, ['2001:db8::1']],
    ['IPv4, where the question for IPv6 fails', { [A]: [ipv4], [AAAA]: 'error' }, ['93.184.215.14']],
    ['IPv4, where the question for IPv6 is not answered', { [A]: [ipv4], [AAAA]: 'silent' }, ['93.184.215.14']],
    ['nothing', {}, []],
    ['nothing, where both questions fail', { [A]: 'error', [AAAA]: 'error' }, []],
  ])('may stand for %s', async (_what, zone, addresses) => {
    const { resolve } = await startNameServer(zone);

    expect(await resolve('api.partner.example')).toEqual(addresses);
  });

  test('localhost is this machine, whatever a name server says', async () => {
    const { resolve, asked } = await startNameServer({ [A]: [ipv4] });

    expect(await resolve('localhost')).toEqual(['127.0.0.1', '::1']);
    expect(asked).toEqual([]);
  });
});
