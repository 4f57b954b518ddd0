import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, fault, same } from '../../check.ts';
import { isObject } from '../../send-request.ts';
import { readAws } from '../../read-aws.ts';
import type { AwsStage } from '../../stage.ts';

/** CloudWatch shows a line some seconds after it was written; the access log's come in batches. */
const WITHIN_MS = 90_000;
const EVERY_MS = 3_000;

type Line = Readonly<Record<string, unknown>>;
type Found = { readonly line: Line | undefined } | { readonly skipped: string };

/** The log groups are named by CloudFormation: stack, logical id, random letters. @returns undefined: there is none */
async function groupOf({ place }: AwsStage, logicalId: string): Promise<string | undefined> {
  return (await place.logGroups()).find((name) => name.includes(`-${logicalId}`));
}

/** The first line that matches, as JSON, as soon as there is one. */
async function findLine(stage: AwsStage, logGroupName: string, filterPattern: string): Promise<Found> {
  const startTime = Date.now() - 5 * 60_000;
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const call = { operation: 'FilterLogEvents', input: { logGroupName, filterPattern, startTime } };
    const read = await readAws(stage, 'logs', 'logs:FilterLogEvents', call);
    if ('skipped' in read) return read;
    const { events = [] }: { events?: readonly { readonly message: string }[] } = JSON.parse(read.text);
    const line: unknown = events[0] && JSON.parse(events[0].message);
    if (isObject(line)) return { line };
    if (performance.now() > until) return { line: undefined };
    await sleep(EVERY_MS, undefined, { signal: stage.signal });
  }
}

async function askOnce({ send, partners }: AwsStage): Promise<string> {
  const { credential: token } = await partners.main();
  return (await send({ path: '/v1/cancellations?externalId=accept-logs', token })).requestId;
}

/** What an operator finds about a request by its id. */
export const logChecks: readonly Check[] = [
  {
    id: 'logs.request',
    shows: 'the line REQUEST_ANSWERED of a request that was just made, by its request id',
    needs: 'AWS',
    changes: true,
    runs: 'beside',
    limitMs: WITHIN_MS + 30_000,
    lookAt: 'functions/doors/http/serve.ts, docs/configuration.md (log lines)',
    async run(stage) {
      const group = await groupOf(stage, 'readcancellationsLogs');
      if (group === undefined) return fault('no log group of read-cancellations', 'it exists');
      const requestId = await askOnce(stage);
      const found = await findLine(stage, group, `{ $.message.requestId = "${requestId}" }`);
      if ('skipped' in found) return found;
      const message = found.line?.['message'];
      return same('code of its line', isObject(message) ? message['code'] : undefined, 'REQUEST_ANSWERED');
    },
  },
  {
    id: 'logs.access',
    shows: "its line in the access log: status, partner, key, and the function's own request id",
    needs: 'AWS',
    changes: true,
    runs: 'beside',
    limitMs: WITHIN_MS + 30_000,
    lookAt:
      'infra/constructs/api/partner-api.ts (accessLogFormat), infra/blueprint/environments.ts (setsApiGatewayLogRole)',
    async run(stage) {
      const group = await groupOf(stage, 'PartnerApiAccessLogs');
      if (group === undefined) return fault('no log group of the access log', 'it exists');
      const { partnerId, keyId } = await stage.partners.main();
      const requestId = await askOnce(stage);
      const found = await findLine(stage, group, `{ $.requestId = "${requestId}" }`);
      if ('skipped' in found) return found;
      const { line } = found;
      if (line === undefined) return fault('no line', `one within ${WITHIN_MS / 1000} s`);
      const { status, functionRequestId } = line;
      return [
        ...same(
          'line',
          { status: String(status), partnerId: line['partnerId'], keyId: line['keyId'] },
          { status: '404', partnerId, keyId },
        ),
        ...same('functionRequestId', typeof functionRequestId === 'string' && functionRequestId.length > 30, true),
      ];
    },
  },
  {
    id: 'logs.retention',
    shows: 'no log group keeps its lines longer than the environment says',
    needs: 'AWS',
    lookAt: 'infra/blueprint/environments.ts (logRetentionDays)',
    async run(stage) {
      const wanted = stage.environment.logRetentionDays;
      const wrong: string[] = [];
      for (const logGroupNamePrefix of await stage.place.logGroups()) {
        const call = { operation: 'DescribeLogGroups', input: { logGroupNamePrefix, limit: 1 } };
        const read = await readAws(stage, 'logs', 'logs:DescribeLogGroups', call);
        if ('skipped' in read) return read;
        const { logGroups = [] }: { logGroups?: readonly { retentionInDays?: number }[] } = JSON.parse(read.text);
        const days = logGroups[0]?.retentionInDays;
        if (days !== wanted) wrong.push(`${logGroupNamePrefix}: ${days ?? 'for ever'}`);
      }
      return same('days', wrong, []);
    },
  },
];
