import { localRegion } from '../local/aws/loopback.ts';
import type { LocalRun } from '../local/run.ts';
import { stories, summarize } from '../scenes/stories.ts';
import { labelled, paint } from './terminal.ts';

/** What `npm start` prints once the local run is up: its addresses, and whole commands to paste. */
export function welcome(run: LocalRun, credentialsPath: string | undefined, dataDir: string | undefined): string {
  const [acme] = run.partners;
  const key = '-H "Authorization: Bearer $CANCELLATION_CREDENTIAL"';
  const variables = `export CANCELLATION_URL=${run.baseUrl}
export CANCELLATION_CREDENTIAL=${acme?.token}`;
  const pages = [
    `${run.baseUrl}/docs  ${paint('dim', 'the reference: paste the credential, try a cancel')}`,
    `${run.consoleUrl}  ${paint('dim', 'watch cancellations, cause faults, see every problem')}`,
  ];
  const cancel = `curl -sS -w '\\n%{http_code}\\n' "$CANCELLATION_URL/v1/cancellations" \\
  ${key} \\
  -H 'Content-Type: application/json' \\
  -d '{"externalId":"order-7890"}'`;
  const read = `curl -sS -w '\\n%{http_code}\\n' "$CANCELLATION_URL/v1/cancellations?externalId=order-7890" \\
  ${key}`;
  // The region is passed as an option because version 1 of the AWS CLI does not read AWS_REGION.
  const publish = `AWS_ACCESS_KEY_ID=${acme?.aws.accessKeyId} AWS_SECRET_ACCESS_KEY=${acme?.aws.secretAccessKey} aws events put-events \\
  --region ${localRegion} --endpoint-url ${run.endpoints.eventbridge} --entries \\
  '[{"Source":"${acme?.eventSource}","DetailType":"Job Cancellation Requested","Detail":"{\\"externalId\\":\\"order-7894\\"}"}]'`;
  const otherJobs = stories.slice(1).map((story) => `${story.externalId}  ${paint('dim', summarize(story))}`);
  const onSimulator = [
    section(
      'Cancel another by an event, with the AWS CLI',
      publish,
      'answers FailedEntryCount 0; then read order-7894: cancelled',
    ),
    section('Other jobs to cancel the same way', otherJobs.join('\n')),
  ];
  const where = labelled(12, {
    Plangrep: run.simulator === undefined ? run.plangrepUrl : `a simulator on ${run.plangrepUrl}`,
    Data: dataDir ?? 'in memory; DATA_DIR=<folder> keeps it between runs',
    Credentials: credentialsPath && `${credentialsPath} (acme, globex)`,
  });
  return [
    `${paint('bold', `Listening on ${run.baseUrl}`)}  ${paint('dim', 'Ctrl-C ends it')}`,
    section('In a browser', pages.join('\n')),
    section('Paste this first: the address, and the credential of acme', variables, 'new with every start'),
    section('Cancel the job with the externalId order-7890', cancel),
    section('Read the cancellation with its timeline', read),
    ...(run.simulator === undefined ? [] : onSimulator),
    where.join('\n'),
    '',
  ].join('\n\n');
}

function section(title: string, text: string, note = ''): string {
  const heading = note === '' ? paint('bold', title) : `${paint('bold', title)}  ${paint('dim', note)}`;
  return `${heading}\n\n${text.replaceAll(/^(?=.)/gm, '    ')}`;
}
