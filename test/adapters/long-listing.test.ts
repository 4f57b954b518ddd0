import { describe, expect, test } from 'vitest';
import { longList } from '../bench/listing/long-list.ts';
import { readLongList } from '../bench/listing/read-list.ts';
import { calls, clientOf } from '../support/plangrep-calls.ts';
import { startRawServer } from '../support/raw-server.ts';

describe('a long list', () => {
  test('of 100,000 jobs of the documented size is read within the memory of a function', async () => {
    const figures = await readLongList(100_000, 160);

    expect(figures).toMatchObject({ result: 'jobs', jobs: 100_000, matches: 1 });
    expect(figures.bytes).toBeGreaterThan(100_000_000);
    expect(figures.residentMiB).toBeLessThan(400);
  });

  test('that is still arriving when its time is over is too long, and ends then', async () => {
    const server = await startRawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
        // 10 MB at once, then one entry after the other, for as long as the connection lasts.
        for (const chunk of longList(10_000)) socket.write(chunk.subarray(0, chunk.at(-1) === 0x7d ? -2 : undefined));
        const timer = setInterval(() => socket.write(',{"id":"job_1","status":"failed"}'), 50);
        socket.on('close', () => clearInterval(timer));
      });
    });
    try {
      expect(await calls.list(clientOf(`http://127.0.0.1:${server.port}`), Infinity)).toEqual({
        kind: 'unknown',
        why: 'oversized_answer',
        httpStatus: 200,
      });
    } finally {
      await server.close();
    }
  });
});
