import { styleText } from 'node:util';
import { localRegion } from '../local/aws/dynamodb.ts';
import type { LocalRun } from '../local/local-run.ts';
import { seededPartners } from '../local/seeds.ts';

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, '    ');
const bold = (text: string): string => styleText('bold', text);
const dim = (text: string): string => styleText('dim', text);

/** The jobs beside the documented one, a line for each externalId. */
const otherStories = (): string => {
  const jobs = seededPartners.flatMap((partner) => partner.jobs).slice(1);
  const stories = new Map(jobs.map(({ fields, story }) => [fields.externalId, story]));
  return [...stories].map(([externalId, story]) => `${externalId}  ${dim(story)}`).join('\n');
};

const expected = 'it answers FailedEntryCount 0; read order-7894 then: cancelled';

/**
 * What a person sees once the local run is up: where it is, and whole commands to paste. Coloured where
 * `util.styleText` finds a terminal that wants colours.
 */
export const welcome = (run: LocalRun, credentialsPath: string, dataDir: string | undefined): string => {
  const [acme] = run.partners;
  const key = `-H 'Authorization: Bearer ${acme?.token}'`;
  const url = `${run.baseUrl}/v1/cancellations`;
  const isSimulated = run.simulator !== undefined;
  const pages = [
    `${run.baseUrl}/docs     ${dim('the reference: paste the credential, try a cancel')}`,
    `${run.baseUrl}/console  ${dim('watch cancellations, choose a bad day, meet every problem')}`,
  ];
  const cancel = `curl -sS -w '\\n%{http_code}\\n' ${url} \\
  ${key} \\
  -H 'Content-Type: application/json' \\
  -d '{"externalId":"order-7890"}'`;
  const read = `curl -sS -w '\\n%{http_code}\\n' '${url}?externalId=order-7890' \\
  ${key}`;
  // By option: version 1 of the AWS CLI does not read AWS_REGION.
  const publish = `AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws events put-events \\
  --region ${localRegion} --endpoint-url ${run.endpoints.eventbridge} --entries \\
  '[{"Source":"${acme?.eventSource}","DetailType":"Job Cancellation Requested","Detail":"{\\"externalId\\":\\"order-7894\\"}"}]'`;
  const where = [
    ['Plangrep', isSimulated ? `a simulator on ${run.plangrepUrl}` : run.plangrepUrl],
    ['Data', dataDir ?? 'in memory; DATA_DIR=<folder> keeps it between runs'],
    ['Credentials', `${credentialsPath} (acme, globex)`],
  ];
  return [
    `${bold(`Listening on ${run.baseUrl}`)}  ${dim('Ctrl-C ends it')}`,
    `${bold('In a browser')}\n\n${indent(pages.join('\n'))}`,
    `${bold('Cancel the job behind order-7890, as acme')}\n\n${indent(cancel)}`,
    `${bold('Read the cancellation with its timeline')}\n\n${indent(read)}`,
    ...(isSimulated
      ? [`${bold('Cancel another by an event, with the AWS CLI')}  ${dim(expected)}\n\n${indent(publish)}`]
      : []),
    ...(isSimulated ? [`${bold('Other jobs to cancel the same way')}\n\n${indent(otherStories())}`] : []),
    where.map(([name = '', value]) => `${dim(name.padEnd(12))}${value}`).join('\n'),
    '',
  ].join('\n\n');
};
