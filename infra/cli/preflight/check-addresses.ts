import { isReservedAddress, placeholdersIn } from '../../blueprint/account/placeholders.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { inXml } from './ask-aws.ts';
import { type Checked, environmentsFile, type Finding, later, nameOf, notChecked } from './finding.ts';

/** What the environment says of itself: nothing is asked. */
export function checkOwnFields(environment: Environment): readonly Finding[] {
  const { name, alarmAddresses, partners } = environment;
  const placeholders = new Map(placeholdersIn(environment).map(({ field, problem }) => [field, problem]));
  const all = [...new Set([...alarmAddresses.page, ...alarmAddresses.ticket])];
  const judged = (check: string, field: 'alarmAddresses' | 'partners', found: string): Finding => {
    const problem = placeholders.get(field);
    if (problem === undefined) return { check, state: 'ok', found };
    return { check, state: 'fix', found: problem, fix: `${field} for ${name} in ${environmentsFile}` };
  };
  const unread = all.filter(isReservedAddress);
  const addresses = judged('alarm addresses', 'alarmAddresses', all.join(', ') || 'none');
  return [
    addresses.state === 'ok' && unread.length > 0
      ? { ...addresses, state: 'advice', found: `nothing arrives at ${unread.join(', ')}` }
      : addresses,
    judged('partners', 'partners', partners.map(({ partnerId }) => partnerId).join(', ') || 'none sends events'),
    checkRetention(environment),
  ];
}

/** In days, outside dev: an incident is often looked into weeks later. */
const leastLogs = 30;
const leastRecovery = 7;

function checkRetention({
  name,
  logRetentionDays: logs,
  pointInTimeRecoveryDays: recovery,
  removalPolicy,
}: Environment): Finding {
  const check = 'retention';
  const found = `logs ${logs} days, tables can be restored for ${recovery ?? 0} days, ${removalPolicy} when deleted`;
  if (name === 'dev' || (logs >= leastLogs && (recovery ?? 0) >= leastRecovery && removalPolicy === 'retain')) {
    return { check, state: 'ok', found };
  }
  const fix = `logRetentionDays from ${leastLogs}, pointInTimeRecoveryDays from ${leastRecovery}, removalPolicy 'retain' for ${name} in ${environmentsFile}`;
  return { check, state: 'advice', found, fix };
}

/**
 * Whether each address has confirmed: until then it gets no alarm. A reserved one never does.
 * @see https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
 */
export async function checkSubscriptions(checked: Checked, severity: 'page' | 'ticket'): Promise<Finding> {
  const check = `${severity} subscriptions`;
  const { environment, account, ask, deployed } = checked;
  if (!deployed.service) return later(check);
  const topic = `arn:aws:sns:${environment.region}:${account}:${nameOf(environment)}-${severity}`;
  const confirmed = new Map<string, boolean>();
  for (let next: string | undefined = ''; next !== undefined; ) {
    const answer = await ask('sns', 'sns:ListSubscriptionsByTopic', {
      operation: 'ListSubscriptionsByTopic',
      input: { TopicArn: topic, ...(next !== '' && { NextToken: next }) },
    });
    if (answer.kind === 'error' && answer.code === 'NotFound') return later(check);
    if (answer.kind !== 'answer') return notChecked(check, answer);
    for (const [, member = ''] of answer.text.matchAll(/<member>([\s\S]*?)<\/member>/g)) {
      const isConfirmed = inXml(member, 'SubscriptionArn')?.startsWith('arn:') === true;
      const address = inXml(member, 'Endpoint') ?? '';
      confirmed.set(address, isConfirmed || confirmed.get(address) === true);
    }
    next = inXml(answer.text, 'NextToken');
  }
  const addresses = environment.alarmAddresses[severity].filter((address) => !isReservedAddress(address));
  const waiting = addresses.filter((address) => confirmed.get(address) !== true);
  if (waiting.length === 0) return { check, state: 'ok', found: `${addresses.length} confirmed` };
  const [first = ''] = waiting;
  return {
    check,
    state: 'fix',
    isOfOperation: true,
    found: `not confirmed, so without alarms: ${waiting.join(', ')}`,
    fix: `open the link in AWS's mail there; for a new mail: aws sns subscribe --topic-arn ${topic} --protocol email --notification-endpoint ${first} --region ${environment.region}`,
  };
}
