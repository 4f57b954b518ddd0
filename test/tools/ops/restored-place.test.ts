import { expect, test } from 'vitest';
import { environments } from '../../../infra/blueprint/environments.ts';
import { settingsOf } from '../../../infra/blueprint/access/table-settings.ts';
import { openDeployedPlace } from '../../../infra/cli/places/deployed-place.ts';
import { isSamePolicy } from '../../../infra/cli/restore/table-aspects.ts';

test('every command uses the restored table that the environment names', async () => {
  const restoredTables = { Partners: { name: 'partners-restored' } };
  const place = openDeployedPlace('prod', 'eu-central-1', { ...environments.prod, restoredTables });

  // Without a call to CloudFormation, which would need credentials.
  expect(await place.table('Partners')).toBe('partners-restored');
  place.close();
});

test('a policy is the same in any order, and with a list of one as one value', () => {
  const account = { partition: 'aws', account: '111122223333', region: 'eu-central-1' };
  const { policy } = settingsOf('CancellationLog', environments.prod, account);
  const Statement = policy.Statement.toReversed().map(({ Sid, ...rest }) => ({ ...rest, Sid }));
  const asOne = JSON.stringify({ Statement, Version: policy.Version }).replaceAll(
    '["dynamodb:PutItem"]',
    '"dynamodb:PutItem"',
  );

  expect(isSamePolicy(asOne, policy)).toBe(true);
  expect(isSamePolicy(asOne.replace('"Deny"', '"Allow"'), policy)).toBe(false);
  expect(
    isSamePolicy(JSON.stringify(settingsOf('CancellationLog', environments.staging, account).policy), policy),
  ).toBe(false);
});
