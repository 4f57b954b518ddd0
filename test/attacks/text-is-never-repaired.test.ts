import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { proxyEvent } from '../proof/crash/invocations.ts';
import { givenService } from '../support/given-service.ts';

const service = givenService({ queueVisibilityMs: 50 });
const latin1 = (json: string) => Buffer.from(json, 'latin1');
const notUtf8 = 'must not contain U+FFFD, which stands for bytes that are not valid UTF-8: send the text as UTF-8';
const statusOf = (jobId: string) => service.run.simulator.job(jobId)?.status;

/** Sends one request byte by byte as it is. @returns the status and the errors of the answer */
async function send(head: string, body = Buffer.alloc(0), header = ''): Promise<readonly [number, unknown]> {
  const { baseUrl, partners } = service.run;
  const { hostname, port } = new URL(baseUrl);
  const socket = connect(Number(port), hostname);
  const lines = [`Host: ${hostname}`, `Authorization: Bearer ${partners[0]?.token}`, 'Connection: close', header];
  const fields = [...lines, 'Content-Type: application/json', `Content-Length: ${body.length}`].filter(Boolean);
  socket.write(Buffer.concat([latin1(`${head} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`), body]));
  const answer = await text(socket);
  const [, status] = answer.split(' ', 2);
  return [Number(status), JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).errors];
}

/** Everything that could have been done or remembered. */
async function traces(): Promise<unknown> {
  const { simulator } = service.run;
  return [
    await service.run.items('JobDirectory'),
    await service.run.items('CancellationLog'),
    simulator.requests.all(),
  ];
}

test('two names that are one in Latin-1 cancel no job, and each cancels its own in UTF-8', async () => {
  const [acute, grave] = [service.newNames(), service.newNames()];
  const names = { [acute.jobId]: `commande-é ${acute.jobId}`, [grave.jobId]: `commande-è ${acute.jobId}` };
  for (const [jobId, externalId] of Object.entries(names)) await service.run.addJob(externalId, jobId);
  const before = await traces();
  const [registration, cancel] = [acute, grave].map(({ jobId }) =>
    latin1(JSON.stringify({ externalId: names[jobId] })),
  );

  expect(await send(`PUT /v1/jobs/${acute.jobId}`, registration)).toEqual([
    400,
    [{ path: 'externalId', message: notUtf8 }],
  ]);
  expect(await send('POST /v1/cancellations', cancel)).toEqual([400, [{ path: 'externalId', message: notUtf8 }]]);
  expect(await traces()).toEqual(before);

  const { status, body } = await service.cancel({ externalId: names[grave.jobId] });
  expect([status, body['jobId']]).toEqual([200, grave.jobId]);
  expect([statusOf(acute.jobId), statusOf(grave.jobId)]).toEqual(['processing', 'cancelled']);
});

describe('the HTTPS door', () => {
  test.each([
    [
      'a reason in Latin-1',
      'POST /v1/cancellations',
      latin1('{"externalId":"a","reason":"déjà vu"}'),
      'reason',
      notUtf8,
    ],
    [
      'a jobId in Latin-1',
      'POST /v1/cancellations',
      latin1('{"externalId":"a","jobId":"jöb"}'),
      'jobId',
      'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -',
    ],
    ['U+FFFD itself', 'POST /v1/cancellations', Buffer.from('{"externalId":"a\ufffd"}'), 'externalId', notUtf8],
    ['U+FFFD as JSON writes it', 'POST /v1/cancellations', latin1('{"externalId":"a\\ufffd"}'), 'externalId', notUtf8],
    [
      'a byte order mark',
      'POST /v1/cancellations',
      Buffer.from('\ufeff{"externalId":"a"}'),
      '',
      'begins with a byte order mark (U+FEFF): send UTF-8 without one',
    ],
    ['UTF-16', 'POST /v1/cancellations', Buffer.from('\ufeff{"externalId":"a"}', 'utf16le'), '', 'is not valid UTF-8'],
    ['Latin-1 in a query', 'GET /v1/cancellations?externalId=commande-%E9', undefined, 'externalId', notUtf8],
    ['U+FFFD in a query', 'GET /v1/cancellations?externalId=%EF%BF%BD', undefined, 'externalId', notUtf8],
    [
      'Latin-1 in a path',
      'GET /v1/cancellations/job_%E9',
      undefined,
      'jobId',
      'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -',
    ],
  ])('names the field of %s', async (_what, head, body, path, message) => {
    const before = await traces();

    expect(await send(head, body)).toEqual([400, [{ path, message }]]);
    expect(await traces()).toEqual(before);
  });

  test.each(['clé', 'cl\u00c3\u00a9', 'cl\u00ef\u00bf\u00bd'])('refuses the Idempotency-Key %s', async (key) => {
    const message = 'must be 1 to 255 printable ASCII characters, sent once';

    expect(await send('POST /v1/cancellations', latin1('{"externalId":"a"}'), `Idempotency-Key: ${key}`)).toEqual([
      400,
      [{ path: 'Idempotency-Key', message }],
    ]);
  });

  test('names the field of a body that comes in base64, too', async () => {
    const path = '/v1/cancellations';
    const body = latin1('{"externalId":"commande-é"}').toString('base64');
    const event = proxyEvent('acme', 'r', { method: 'POST', resource: path, path, body, isBase64Encoded: true });

    expect(await service.run.lambda.invoke('request-cancellation', event)).toMatchObject({
      payload: { statusCode: 400, body: expect.stringContaining(`{"path":"externalId","message":"${notUtf8}"}`) },
    });
  });
});

test('an event whose sender had decoded Latin-1 cancels nothing', async () => {
  const { jobId } = service.newNames();
  await service.run.addJob(`commande-è ${jobId}`, jobId);
  const before = await traces();

  await service.publish('Job Cancellation Requested', { externalId: `commande-\ufffd ${jobId}`, jobId });
  await service.publish('Job Registered', { externalId: `commande-\ufffd ${jobId}`, jobId });
  await service.eventsSettled();

  expect(service.run.queue.deadLetters().filter((dead) => dead.includes(jobId))).toHaveLength(2);
  expect(await traces()).toEqual(before);
});
