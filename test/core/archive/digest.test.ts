import { describe, expect, test } from 'vitest';
import {
  type Digest,
  DIGEST_KIND,
  digestFile,
  digestText,
  objectName,
  readDigest,
} from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';

const digest: Digest = {
  kind: DIGEST_KIND,
  environment: 'prod',
  bucket: 'archive',
  number: 7,
  from: '2026-11-26T22:59:00.000Z',
  until: '2026-11-26T23:59:00.000Z',
  records: 2,
  objects: [
    {
      name: objectName('2026-11-26T23:00:00.000Z', ['100', '200']),
      sha256: sha256('two lines'),
      bytes: 9,
      records: 2,
      root: sha256('root'),
    },
  ],
  previous: { name: 'digests/day=2026-11-26/0000000006.digest', sha256: sha256('previous') },
  publicKey: sha256('key'),
};

describe('the file of a digest', () => {
  const file = digestFile(digest, Buffer.from('signature'));

  test('has the digest in its first line, which is what is signed, and the signature in its second', () => {
    expect(file.name).toBe('digests/day=2026-11-26/0000000007.digest');
    expect(file.text.split('\n')).toEqual([digestText(digest), 'c2lnbmF0dXJl', '']);
    expect(readDigest(file.text)).toEqual({
      digest,
      signed: digestText(digest),
      signature: Buffer.from('signature'),
    });
    expect(digest.objects[0]?.name).toBe('records/day=2026-11-26/100-200.ndjson');
  });

  test.each([
    '',
    file.text.slice(0, -1),
    `${file.text}\n`,
    `\n${file.text}`,
    digestText(digest),
    `{}\nc2ln\n`,
    `not JSON\nc2ln\n`,
    digestFile({ ...digest, kind: 'another kind' as typeof DIGEST_KIND }, Buffer.from('s')).text,
    digestFile({ ...digest, note: 'x' } as Digest, Buffer.from('s')).text,
  ])('is not read from anything else: %#', (text) => {
    expect(readDigest(text)).toBeUndefined();
  });
});
