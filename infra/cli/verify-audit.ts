import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createHeadsDigest } from '../../functions/core/audit/digest-heads.ts';
import { localCredentials, localRegion } from '../local/aws/dynamodb.ts';
import { createOutput } from './verify-audit-output.ts';
import { CannotVerify, readVerifyOptions, usage, type VerifyOptions } from './verify-audit-options.ts';
import { verifyTable } from './verify-table.ts';

/** `npm run verify-audit`: exits 0 when nothing is found, 1 on findings, 2 when it could not verify. */
const credentialsPath = join('.local', 'credentials.json');

const isLoopback = (endpoint: string): boolean =>
  /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(endpoint).hostname);

const createClient = ({ endpoint, region }: VerifyOptions): DynamoDBClient =>
  new DynamoDBClient({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    // An endpoint on this machine checks neither, and an operator's own key is none of its business.
    ...(endpoint !== undefined &&
      isLoopback(endpoint) && { region: region ?? localRegion, credentials: localCredentials }),
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
  });

const regionOf = (client: DynamoDBClient): Promise<string> =>
  client.config.region().catch((cause: unknown) => {
    throw new CannotVerify('No region: pass --region, or set AWS_REGION.', { cause });
  });

/** @returns how many findings there are */
const verify = async (options: VerifyOptions): Promise<number> => {
  const { table, endpoint, closedBefore, json } = options;
  const client = createClient(options);
  const region = await regionOf(client);
  const place = endpoint ?? region;
  const output = createOutput(json);
  const onProgress = (items: number, total: number | undefined): void => output.progress(items, total);
  const digest = createHeadsDigest();
  const totals = { streams: 0, closed: 0, events: 0, joined: 0, refused: 0, findings: 0 };
  let digested = 0;
  for await (const verdict of verifyTable({ client, table, place, onProgress })) {
    const { findings, head } = verdict;
    for (const finding of findings) output.finding(finding);
    totals.findings += findings.length;
    for (const kind of ['events', 'joined', 'refused'] as const) totals[kind] += verdict[kind];
    if (head === undefined) continue;
    totals.streams += 1;
    if (head.closedAt !== undefined) totals.closed += 1;
    if (closedBefore !== undefined && (head.closedAt === undefined || head.closedAt >= closedBefore)) continue;
    digest.add(head);
    digested += 1;
  }
  client.destroy();
  output.summary({ table, place, ...totals, heads: { digest: digest.value(), streams: digested, closedBefore } });
  return totals.findings;
};

// Whoever read our output may have left; the exit code still tells.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
try {
  const options = readVerifyOptions(process.argv.slice(2), credentialsPath);
  if (options.kind === 'help') process.stdout.write(usage);
  else process.exitCode = (await verify(options)) === 0 ? 0 : 1;
} catch (error) {
  process.exitCode = 2;
  if (error instanceof CannotVerify) process.stderr.write(`${error.message}\n`);
  else console.error(error); // A bug: it has not verified anything either.
}
