import { expect, test } from 'vitest';
import { takeRole } from '../../../infra/cli/accept/take-role.ts';
import { openDeployedPlace } from '../../../infra/cli/places/deployed-place.ts';
import type { ServiceAccess } from '../../../infra/cli/places/place.ts';
import type { AskAws, AwsAnswer } from '../../../infra/cli/preflight/ask-aws.ts';

const identity =
  '<GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/admin/someone</Arn><Account>111122223333</Account></GetCallerIdentityResult>';
const assumed =
  '<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2036-11-26T18:00:00Z</Expiration></Credentials>';

function asking(assume: AwsAnswer) {
  const asked: unknown[] = [];
  const ask: AskAws = (_service, action, call) => {
    asked.push([action, 'input' in call ? call.input : undefined]);
    return Promise.resolve(action === 'sts:AssumeRole' ? assume : { kind: 'answer', text: identity });
  };
  return { asked, place: takeRole(openDeployedPlace('dev'), 'manage-partners', ask) };
}

const keyOf = (given: ServiceAccess['credentials']) => (typeof given === 'function' ? given() : given);

test("the role's credentials are for the tables and for API Gateway, and fetched once, when they are needed", async () => {
  const { asked, place } = asking({ kind: 'answer', text: assumed });
  expect(asked).toEqual([]);

  const used = [await place.dynamodb.config.credentials(), await keyOf(place.apiGateway.credentials)];
  place.close();

  for (const key of used) {
    expect(key).toMatchObject({ accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' });
  }
  expect(asked).toEqual([
    ['sts:GetCallerIdentity', undefined],
    [
      'sts:AssumeRole',
      {
        RoleArn: 'arn:aws:iam::111122223333:role/plangrep-cancellation-dev-manage-partners',
        RoleSessionName: 'accept',
      },
    ],
  ]);
});

test.each<[AwsAnswer, string]>([
  [{ kind: 'denied', action: 'sts:AssumeRole' }, 'needs sts:AssumeRole'],
  [{ kind: 'error', code: 'RegionDisabledException', message: '' }, 'RegionDisabledException'],
  [{ kind: 'silent', why: 'ECONNREFUSED' }, 'ECONNREFUSED'],
])('a role that cannot be taken ends with its reason: %j', async (answer, why) => {
  const { place } = asking(answer);

  await expect(place.dynamodb.config.credentials()).rejects.toThrow(`The role manage-partners cannot be taken: ${why}`);
  place.close();
});
