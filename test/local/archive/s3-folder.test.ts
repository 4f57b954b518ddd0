import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { objectsFolder, openDataFolder, storeFolder } from '../../../infra/local/data-folder.ts';
import { type LocalS3, startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import { temporaryFolder } from '../arrange.ts';
import { callS3, elements, sha256Header } from './call-s3.ts';

const buckets = { archive: { mode: 'COMPLIANCE', unit: 'Days', count: 10 } } as const;
const put = (s3: LocalS3, key: string, body: string) =>
  callS3(s3, 'PUT', `/archive/${key}`, { headers: sha256Header(body), body });

async function givenFolder(): Promise<string> {
  const path = join(temporaryFolder(), 's3');
  const s3 = await startLocalS3({ path, buckets });
  await put(s3, 'a', 'one');
  await put(s3, 'a', 'two');
  await put(s3, 'b', 'three');
  await callS3(s3, 'DELETE', '/archive/b');
  await s3.close();
  return path;
}

describe('The folder of the local S3', () => {
  test('keeps buckets, versions, delete markers and locks over a restart', async () => {
    const path = await givenFolder();
    const s3 = await startLocalS3({ path, buckets: { archive: undefined } });

    const { body } = await callS3(s3, 'GET', '/archive?versions');
    const [, first = ''] = elements(body, 'VersionId');
    expect(elements(body, 'Key')).toEqual(['a', 'a', 'b', 'b']);
    expect(await callS3(s3, 'GET', '/archive/a')).toMatchObject({ body: 'two' });
    expect(await callS3(s3, 'GET', `/archive/a?versionId=${first}`)).toMatchObject({ body: 'one' });
    expect(await callS3(s3, 'GET', '/archive/b')).toMatchObject({ status: 404 });
    expect(await callS3(s3, 'DELETE', `/archive/a?versionId=${first}`)).toMatchObject({ status: 403 });
    expect((await callS3(s3, 'GET', '/archive?object-lock')).body).toContain('<Days>10</Days>');
    await put(s3, 'a', 'four');
    expect(await callS3(s3, 'GET', '/archive/a')).toMatchObject({ body: 'four' });
    await s3.close();
  });

  test('is for its owner alone', async () => {
    const path = await givenFolder();

    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readdirSync(path).map((name) => statSync(join(path, name)).mode & 0o777)).not.toContain(0o644);
    expect(new Set(readdirSync(path).map((name) => statSync(join(path, name)).mode & 0o777))).toEqual(new Set([0o600]));
  });

  test('is a part of a data folder, as a folder of another name is not', async () => {
    const data = temporaryFolder();
    for (const name of [storeFolder, objectsFolder]) mkdirSync(join(data, name));
    const s3 = await startLocalS3({ path: join(data, objectsFolder), buckets });
    await put(s3, 'a', 'one');
    await s3.close();
    chmodSync(join(data, objectsFolder), 0o755);

    await openDataFolder(data);

    expect(statSync(join(data, objectsFolder)).mode & 0o777).toBe(0o700);
    mkdirSync(join(data, 'else'));
    await expect(openDataFolder(data)).rejects.toThrow(
      `${join(data, 'else')} is neither a file nor a folder of a run.`,
    );
  });

  test('loses what a killed run had not finished, and nothing else', async () => {
    const path = await givenFolder();
    for (const name of ['000000000009.body', '000000000009.body.new', '000000000009.json.new']) {
      writeFileSync(join(path, name), 'half');
    }

    const s3 = await startLocalS3({ path });

    expect(readdirSync(path).filter((name) => name.startsWith('000000000009'))).toEqual([]);
    expect(elements((await callS3(s3, 'GET', '/archive?versions')).body, 'Key')).toEqual(['a', 'a', 'b', 'b']);
    await s3.close();
  });

  test.each([
    [
      'a body that is missing',
      (path: string) => rmSync(join(path, '000000000001.body')),
      '000000000001.body is damaged: it is missing',
    ],
    ['a body that is cut', (path: string) => truncateSync(join(path, '000000000001.body'), 1), 'it has 1 bytes, not 3'],
    [
      'a version that is not JSON',
      (path: string) => writeFileSync(join(path, '000000000002.json'), '{'),
      '000000000002.json is damaged: it is not JSON',
    ],
    [
      'a version under the name of another',
      (path: string) => writeFileSync(join(path, '000000000007.json'), readFileSync(join(path, '000000000001.json'))),
      '000000000007.json is damaged: it is that of another version',
    ],
    [
      'a bucket that is something else',
      (path: string) => writeFileSync(join(path, 'bucket-archive.json'), '{}'),
      'it holds something else',
    ],
  ])('is refused with %s, and stays as it is', async (_what, damage, message) => {
    const path = await givenFolder();
    damage(path);
    const before = readdirSync(path);

    await expect(startLocalS3({ path })).rejects.toThrow(message);
    await expect(startLocalS3({ path })).rejects.toMatchObject({ name: 'DataFolderError' });
    expect(readdirSync(path)).toEqual(before);
  });
});
