import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { OperatorRole } from '../../blueprint/access/operator-roles.ts';
import { roleNameOf } from '../../blueprint/access/roles.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places/place.ts';
import { type AskAws, type AwsAnswer, inXml } from '../preflight/ask-aws.ts';

/**
 * The same place, by a role that operators take: tables and API Gateway are called with the role's credentials, which are
 * fetched at the first call. What finds the tables stays the operator's own.
 * @param ask with the operator's own credentials
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function takeRole(place: Place, role: OperatorRole, ask: AskAws): Place {
  const { environment, region } = place;
  const dynamodb = new DynamoDBClient({
    region,
    credentials: async () => {
      const identity = textOf(await ask('sts', 'sts:GetCallerIdentity', { operation: 'GetCallerIdentity' }), role);
      const [, partition = ''] = (inXml(identity, 'Arn') ?? '').split(':');
      const name = roleNameOf(environment, role);
      const RoleArn = `arn:${partition}:iam::${inXml(identity, 'Account') ?? ''}:role/${name}`;
      const input = { RoleArn, RoleSessionName: 'accept' };
      const answer = textOf(await ask('sts', 'sts:AssumeRole', { operation: 'AssumeRole', input }), role);
      return {
        accessKeyId: inXml(answer, 'AccessKeyId') ?? '',
        secretAccessKey: inXml(answer, 'SecretAccessKey') ?? '',
        sessionToken: inXml(answer, 'SessionToken') ?? '',
        expiration: new Date(inXml(answer, 'Expiration') ?? 0),
      };
    },
  });
  const close = (): void => {
    dynamodb.destroy();
    place.close();
  };
  return { ...place, dynamodb, apiGateway: { ...place.apiGateway, credentials: dynamodb.config.credentials }, close };
}

/** @throws CannotDo (1) */
function textOf(answer: AwsAnswer, role: OperatorRole): string {
  if (answer.kind === 'answer') return answer.text;
  const why = answer.kind === 'denied' ? `needs ${answer.action}` : answer.kind === 'error' ? answer.code : answer.why;
  throw new CannotDo(1, `The role ${role} cannot be taken: ${why} (docs/runbook.md, "Taking a role").`);
}
