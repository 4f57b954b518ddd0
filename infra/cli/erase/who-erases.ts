import { localAccount } from '../../local/aws/loopback.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places/place.ts';
import { createAskAws, inXml } from '../preflight/ask-aws.ts';

/** The local run has one operator, whose key the credentials file holds, and no STS to ask for its name. */
const localOperator = `arn:aws:iam::${localAccount}:role/operator`;

/**
 * The ARN of the principal that runs the command, for the record. STS tells it to each, without a permission.
 * @throws CannotDo (2) when STS does not say
 */
export async function readWhoErases(place: Pick<Place, 'environment' | 'region' | 'dynamodb'>): Promise<string> {
  const { environment, region } = place;
  if (environment === 'local') return localOperator;
  const { credentials } = place.dynamodb.config;
  const ask = createAskAws({ region, credentials: () => credentials(), variables: process.env });
  const answer = await ask('sts', 'sts:GetCallerIdentity', { operation: 'GetCallerIdentity' });
  const arn = answer.kind === 'answer' ? inXml(answer.text, 'Arn') : undefined;
  if (arn !== undefined) return arn;
  throw new CannotDo(2, 'AWS STS does not say who runs this command, which goes on record: nothing was erased.');
}
