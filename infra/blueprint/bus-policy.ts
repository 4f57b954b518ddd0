import { closedEvent, eventDoor } from './bus-events.ts';
import { accountOf, roleOf, type Sender, sourceOf } from './senders.ts';

/** Where the bus is. */
export interface BusPlace {
  readonly busArn: string;
  readonly accountId: string;
  readonly partition: string;
  /** The role of the function that announces closed and refused cancellations. */
  readonly announcerRoleArn: string;
}

/** A statement of the bus's policy. */
export interface BusStatement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*' | { readonly AWS: string };
  readonly Action: 'events:PutEvents';
  readonly Resource: string;
  readonly Condition: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** EventBridge's limit for a bus's policy. @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html */
export const MAX_POLICY_BYTES = 10_240;

/**
 * Who may put events on the bus, defined once for the stack and the local run. A partner is known by the source of its
 * events, so each source belongs to one principal: the policy lets that principal use it, and denies it to every other,
 * whatever that one's own permissions are.
 *
 * A role is named in a condition, not as the principal: AWS would replace the principal by the role's
 * internal id, and a role that was deleted and made again would be refused until the next deployment.
 *
 * `events:source` has several values in AWS's eyes, so it needs a set operator. `ForAllValues` alone is true without any
 * value: `Null` closes that.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-example-policy-cross-account-custom-bus-source.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function busStatements(senders: readonly Sender[], place: BusPlace): readonly BusStatement[] {
  const { busArn, accountId, partition, announcerRoleArn } = place;
  const common = { Action: 'events:PutEvents', Resource: busArn } as const;
  const onlyBy = (name: string, source: string, others: BusStatement['Condition']): BusStatement => ({
    Sid: `Only${name}`,
    Effect: 'Deny',
    Principal: '*',
    ...common,
    Condition: { 'ForAnyValue:StringEquals': { 'events:source': [source] }, ...others },
  });
  const ofPartner = (sender: Sender): readonly BusStatement[] => {
    const [name, source, account] = [sidOf(sender.partnerId), sourceOf(sender), accountOf(sender, accountId)];
    const role = roleOf(sender);
    return [
      {
        Sid: `Put${name}`,
        Effect: 'Allow',
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        ...common,
        Condition: { ...exactly(source, eventDoor.detailTypes), ...(role !== undefined && byRole('ArnEquals', role)) },
      },
      onlyBy(
        name,
        source,
        role === undefined ? { StringNotEquals: { 'aws:PrincipalAccount': [account] } } : byRole('ArnNotEquals', role),
      ),
    ];
  };
  return [
    ...senders.flatMap(ofPartner),
    onlyBy('OutgoingEvents', closedEvent.source, byRole('ArnNotEquals', announcerRoleArn)),
  ];
}

/** @returns how large the policy is at most, with the longest names that its parts can have */
export function policyBytes(senders: readonly Sender[]): number {
  const place = {
    busArn: `arn:aws-us-gov:events:ap-southeast-1:${'1'.repeat(12)}:event-bus/plangrep-cancellation-${'e'.repeat(16)}`,
    accountId: '1'.repeat(12),
    partition: 'aws-us-gov',
    announcerRoleArn: `arn:aws-us-gov:iam::${'1'.repeat(12)}:role/plangrep-cancellation-${'e'.repeat(16)}-announce-cancellations`,
  };
  return JSON.stringify({ Version: '2012-10-17', Statement: busStatements(senders, place) }).length;
}

/** The conditions under which a principal may put events of one source, and of these types alone. */
export function exactly(source: string, detailTypes: readonly string[]) {
  return {
    'ForAllValues:StringEquals': { 'events:source': [source] },
    Null: { 'events:source': ['false'] },
    StringEquals: { 'events:detail-type': detailTypes },
  } as const;
}

function byRole(operator: 'ArnEquals' | 'ArnNotEquals', roleArn: string): BusStatement['Condition'] {
  return { [operator]: { 'aws:PrincipalArn': [roleArn] } };
}

/** A statement's id has letters and digits only. A partnerId has no capital letter, so no two become one. */
function sidOf(partnerId: string): string {
  return partnerId.replaceAll('-', 'Z');
}
