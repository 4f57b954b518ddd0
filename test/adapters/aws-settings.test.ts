import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import fc from 'fast-check';
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { withoutIdleSteps } from '../../functions/adapters/aws-settings.ts';
import { Sha256 } from '../../functions/adapters/sha256.ts';

const data = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array());
const secret = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.uint8Array({ minLength: 1 }));

describe('SHA-256 for the SDK', () => {
  it('is SHA-256', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(data), async (parts) => {
        const [ours, theirs] = [new Sha256(), createHash('sha256')];
        for (const part of parts) {
          ours.update(part);
          theirs.update(part);
        }
        expect(Buffer.from(await ours.digest())).toEqual(theirs.digest());
      }),
    );
  });

  it('is HMAC with SHA-256, with many a key and with one again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(secret, { minLength: 1, maxLength: 20 }), data, async (secrets, part) => {
        for (const key of [...secrets, ...secrets]) {
          const ours = new Sha256(key);
          ours.update(part);
          expect(Buffer.from(await ours.digest())).toEqual(createHmac('sha256', key).update(part).digest());
        }
      }),
    );
  });

  it('begins anew after a reset, and knows a part of a larger buffer', async () => {
    const hash = new Sha256();
    hash.update('what was before');
    hash.reset();
    hash.update(Buffer.from('-part-').subarray(1, 5));
    hash.update(new Uint8Array([1, 2, 3]).buffer);
    const expected = createHash('sha256')
      .update('part')
      .update(Buffer.from([1, 2, 3]))
      .digest();
    expect(Buffer.from(await hash.digest())).toEqual(expected);
  });
});

describe('the idle steps', () => {
  it.each([
    ['DynamoDB', () => new DynamoDBClient({ region: 'eu-central-1' })],
    ['Secrets Manager', () => new SecretsManagerClient({ region: 'eu-central-1' })],
  ])('are there to be taken out of the client of %s, and nothing else is', (_, create) => {
    const [whole, trimmed] = [create(), withoutIdleSteps<DynamoDBClient | SecretsManagerClient>(create())];
    const names = (client: typeof trimmed) => client.middlewareStack.identify().map((step) => step.split(' ')[0]);
    const gone = names(whole).filter((name) => !names(trimmed).includes(name));
    expect(new Set(gone)).toEqual(new Set(['loggerMiddleware', 'recursionDetectionMiddleware']));
  });
});
