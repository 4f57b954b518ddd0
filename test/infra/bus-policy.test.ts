import { describe, expect, test } from 'vitest';
import { closedEvent, eventDoor, refusedEvent } from '../../infra/blueprint/bus-events.ts';
import { type BusStatement, busStatements } from '../../infra/blueprint/bus-policy.ts';
import { environmentNames, environments } from '../../infra/blueprint/environments.ts';
import { decidePut, type PutAttempt } from '../../infra/local/aws/events/bus-policy.ts';
import { ofType, oneOf, synthesized } from './stacks/synthesized.ts';

const account = '999999999999';
const busArn = `arn:aws:events:eu-central-1:${account}:event-bus/plangrep-cancellation-prod`;
const announcer = `arn:aws:iam::${account}:role/plangrep-cancellation-prod-announce-cancellations`;
const [acme, globex] = ['arn:aws:iam::111122223333:role/acme', 'arn:aws:iam::444455556666:role/events/globex'];
const place = { busArn, accountId: account, partition: 'aws', announcerRoleArn: announcer };
const policy = busStatements(
  [
    { partnerId: 'acme', principal: acme },
    { partnerId: 'globex-eu', principal: globex, eventSource: 'com.globex' },
    { partnerId: 'initech', principal: '777788889999' },
    // Beside the service, in its own account.
    { partnerId: 'inhouse', principal: `arn:aws:iam::${account}:role/inhouse` },
  ],
  place,
);

const [cancel, register] = eventDoor.detailTypes;
type Put = readonly [principalArn: string, source: string, detailType?: string];
const toAttempt = ([principalArn, source, detailType = cancel]: Put): PutAttempt => ({
  principalArn,
  source,
  detailType,
});

const rightful: readonly Put[] = [
  [acme, 'partner.acme'],
  [acme, 'partner.acme', register],
  [globex, 'com.globex'],
  ['arn:aws:iam::777788889999:role/any', 'partner.initech'],
  [`arn:aws:iam::${account}:role/inhouse`, 'partner.inhouse'],
  [announcer, closedEvent.source, closedEvent.detailType],
  [announcer, refusedEvent.source, refusedEvent.detailType],
  // The bus may be one that others use too.
  [`arn:aws:iam::${account}:role/billing`, 'billing', 'Invoice Sent'],
];

/** Who tries what; every other role of the service's account has `events:PutEvents` on everything. */
const attacks: Readonly<Record<string, Put>> = {
  "a partner with another's source": [globex, 'partner.acme'],
  'the same, the other way': [acme, 'com.globex'],
  'a partner with the source of a whole account': [acme, 'partner.initech'],
  'a whole account with the source of a role': ['arn:aws:iam::777788889999:role/any', 'partner.acme'],
  "another role of a partner's account": ['arn:aws:iam::111122223333:role/other', 'partner.acme'],
  "a role of another account with the partner's role name": ['arn:aws:iam::123456789012:role/acme', 'partner.acme'],
  'a stranger': ['arn:aws:iam::123456789012:role/any', 'partner.acme'],
  'a stranger with a source of his own': ['arn:aws:iam::123456789012:role/any', 'his.own'],
  'a partner with a source that belongs to none': [acme, 'billing'],
  'a partner with its source in capitals': [acme, 'PARTNER.ACME'],
  'a partner with a longer source': [acme, 'partner.acme.eu'],
  'a partner with another type': [acme, 'partner.acme', 'Job Cancellation Requested '],
  "a partner with this service's type": [acme, 'partner.acme', closedEvent.detailType],
  "a partner with this service's source": [acme, closedEvent.source, closedEvent.detailType],
  'a partner with the type of a refusal': [acme, 'partner.acme', refusedEvent.detailType],
  "an administrator with a partner's source": [`arn:aws:iam::${account}:role/admin`, 'partner.acme'],
  'an administrator with the source of a whole account': [`arn:aws:iam::${account}:role/admin`, 'partner.initech'],
  'an administrator with a source that is named by hand': [`arn:aws:iam::${account}:role/admin`, 'com.globex'],
  'an administrator as the partner beside the service': [`arn:aws:iam::${account}:role/admin`, 'partner.inhouse'],
  'a whole account with a source that belongs to none': ['arn:aws:iam::777788889999:role/any', 'billing'],
  "an administrator with this service's source": [`arn:aws:iam::${account}:role/admin`, closedEvent.source],
  'the announcing function as a partner': [announcer, 'partner.acme'],
  'a partner beside the service, as another': [`arn:aws:iam::${account}:role/inhouse`, 'partner.acme'],
  "a partner beside the service, with this service's source": [
    `arn:aws:iam::${account}:role/inhouse`,
    closedEvent.source,
  ],
};

const isAllowed = (statements: readonly BusStatement[], put: Put): boolean =>
  decidePut(statements, { busArn, account }, toAttempt(put)) === 'allowed';
const successful = (statements: readonly BusStatement[]): readonly string[] =>
  Object.keys(attacks).filter((name) => isAllowed(statements, attacks[name] ?? ['', '']));

test.each(rightful.map((put) => ({ put })))('lets $put.0 put $put.1', ({ put }) => {
  expect(isAllowed(policy, put)).toBe(true);
});

test.each(Object.entries(attacks))('refuses %s', (_name, put) => {
  expect(isAllowed(policy, put)).toBe(false);
});

describe('the attacks notice when', () => {
  const edit = (change: (statement: BusStatement) => BusStatement | undefined): readonly BusStatement[] =>
    policy.flatMap((statement) => change(statement) ?? []);
  const without = (statement: BusStatement, ...operators: readonly string[]): BusStatement => ({
    ...statement,
    Condition: Object.fromEntries(Object.entries(statement.Condition).filter(([name]) => !operators.includes(name))),
  });
  const of = (sid: string, change: (statement: BusStatement) => BusStatement | undefined) =>
    edit((statement) => (statement.Sid === sid ? change(statement) : statement));

  test.each<[string, readonly BusStatement[]]>([
    ...policy
      .filter(({ Effect }) => Effect === 'Deny')
      .map(({ Sid }): [string, readonly BusStatement[]] => [`${Sid} is missing`, of(Sid, () => undefined)]),
    ['a partner may use every source', of('Putacme', (one) => without(one, 'ForAllValues:StringEquals'))],
    ['a partner may use every type', of('Putacme', (one) => without(one, 'StringEquals'))],
    [
      'every role of its account may send',
      of('Putacme', (one) => without(one, 'ArnEquals')).filter(({ Sid }) => Sid !== 'Onlyacme'),
    ],
    [
      'everyone may send',
      of('Putacme', (one) => ({ ...without(one, 'ArnEquals', 'ForAllValues:StringEquals'), Principal: '*' })),
    ],
    ['a whole account may use every source', of('Putinitech', (one) => without(one, 'ForAllValues:StringEquals'))],
    ['the announcing function is not the only one', of('OnlyOutgoingEvents', (one) => ({ ...one, Effect: 'Allow' }))],
  ])('%s', (_what, wrong) => {
    expect(successful(wrong)).not.toEqual([]);
  });
});

test('a source is compared by a set operator that is false without a source', () => {
  for (const { Effect, Condition } of policy) {
    if (Effect === 'Deny') {
      expect(Object.keys(Condition)).toContain('ForAnyValue:StringEquals');
    } else {
      expect(Condition).toMatchObject({ 'ForAllValues:StringEquals': {}, Null: { 'events:source': ['false'] } });
    }
  }
});

test('no statement has a wildcard, and each has an id that is unique and that AWS takes', () => {
  const { length } = new Set(policy.map(({ Sid }) => Sid)).values().toArray();

  expect(length).toBe(policy.length);
  for (const { Sid, Principal, Effect, ...statement } of policy) {
    expect(Sid).toMatch(/^[A-Za-z0-9]{1,64}$/);
    expect(Effect === 'Deny' || Principal !== '*').toBe(true);
    expect(JSON.stringify(statement)).not.toMatch(/[*?]/);
  }
});

test('the local bus refuses to play an operator that it does not know', () => {
  const unknown = policy.map((statement) => ({ ...statement, Condition: { StringLike: { 'events:source': ['*'] } } }));

  expect(() => decidePut(unknown, { busArn, account }, toAttempt([acme, 'partner.acme']))).toThrow('StringLike');
});

describe.each(environmentNames)('the bus in %s', (name) => {
  const { service } = synthesized(name);
  const { partners } = environments[name];
  const busId = oneOf(service, 'AWS::Events::EventBus') && ofType(service, 'AWS::Events::EventBus')[0]?.[0];

  test("has exactly the blueprint's statements in its policy", () => {
    const policies = ofType(service, 'AWS::Events::EventBusPolicy').map(([, properties]) => properties);
    const named = {
      busArn: '{bus}',
      accountId: '{account}',
      partition: '{partition}',
      announcerRoleArn: '{announcer}',
    };
    const text = JSON.stringify(policies.map(({ Statement }) => Statement))
      .replaceAll(`{"Fn::GetAtt":["${busId}","Arn"]}`, '"{bus}"')
      .replaceAll(/\{"Fn::GetAtt":\["announcecancellationsPermissionsRole\w+","Arn"\]\}/g, '"{announcer}"')
      .replaceAll(
        '{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::",{"Ref":"AWS::AccountId"},":root"]]}',
        '"arn:{partition}:iam::{account}:root"',
      )
      .replaceAll(
        /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},":iam::(\d{12}):root"\]\]\}/g,
        '"arn:{partition}:iam::$1:root"',
      )
      .replaceAll('{"Ref":"AWS::AccountId"}', '"{account}"');

    expect(JSON.parse(text)).toEqual(busStatements(partners, named));
    for (const { EventBusName, StatementId, Statement } of policies) {
      expect(EventBusName).toEqual({ Ref: busId });
      expect(Statement).toMatchObject({ Sid: StatementId });
    }
  });
});
