import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { crc32, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readAssembly } from '../../../infra/deploy/read-assembly.ts';
import { zipFolder } from '../../../infra/deploy/zip-folder.ts';
import { root, synthesized } from '../stacks/synthesized.ts';

const caller = { account: '123456789012', partition: 'aws' };
const region = 'eu-central-1';
const bucket = `cdk-hnb659fds-assets-${caller.account}-${region}`;
const roleOf = (name: string) =>
  `arn:aws:iam::${caller.account}:role/cdk-hnb659fds-${name}-role-${caller.account}-${region}`;
const { directory } = synthesized('prod');

describe('An assembly', () => {
  test('has both stacks, the tables first, with roles and tags', () => {
    const stacks = readAssembly(directory, caller);

    expect(stacks.map(({ name }) => name)).toEqual([
      'plangrep-cancellation-prod-stateful',
      'plangrep-cancellation-prod-service',
    ]);
    for (const stack of stacks) {
      expect(stack).toMatchObject({
        region,
        terminationProtection: true,
        tags: { environment: 'prod', project: 'plangrep-cancellation' },
        deployRole: roleOf('deploy'),
        executionRole: roleOf('cfn-exec'),
      });
    }
  });

  test('has every function’s code, and each template under the address that CloudFormation gets', () => {
    for (const { files, templateUrl } of readAssembly(directory, caller)) {
      for (const file of files) {
        expect(file).toMatchObject({ bucket, region, publishingRole: roleOf('file-publishing') });
        expect(existsSync(file.path), file.path).toBe(true);
      }
      const template = files.find(({ key }) => templateUrl === `https://${bucket}.s3.${region}.amazonaws.com/${key}`);
      expect(template?.packaging).toBe('file');
      expect(template?.path).toMatch(/\.template\.json$/);
      const code = [...readFileSync(template?.path ?? '', 'utf8').matchAll(/"S3Key": "(.*)"/g)].map(([, key]) => key);
      expect(new Set(files.filter(({ packaging }) => packaging === 'zip').map(({ key }) => key))).toEqual(
        new Set(code),
      );
    }
  });

  const properties = {
    stackName: 'stack',
    stackTemplateAssetObjectUrl: 's3://bucket/abc.json',
    assumeRoleArn: roleOf('deploy'),
    cloudFormationExecutionRoleArn: roleOf('cfn-exec'),
  };
  const destination = { bucketName: 'bucket', objectKey: 'abc.json', region, assumeRoleArn: roleOf('file-publishing') };
  const secretFile = 'file:///proc/self/environ';
  test.each<
    [string, { stack?: object; properties?: object; path?: string; destination?: object; assets?: object }, RegExp]
  >([
    ['with container images', { assets: { dockerImages: { image: {} } } }, /container images/],
    ['without a region', { stack: { environment: 'aws://unknown-account/unknown-region' } }, /no proper region/],
    ['whose stack is a local file', { properties: { stackName: secretFile } }, /no proper stack/],
    ['whose role is a local file', { properties: { assumeRoleArn: secretFile } }, /no proper role/],
    ['whose other role is an option', { properties: { cloudFormationExecutionRoleArn: '--debug' } }, /no proper role/],
    ['whose bucket is a local file', { destination: { bucketName: secretFile } }, /no proper bucket/],
    ['whose key leads elsewhere', { destination: { objectKey: '../abc.json' } }, /no proper key/],
    ['whose file is in another region', { destination: { region: secretFile } }, /no proper region/],
    ['whose publishing role is a local file', { destination: { assumeRoleArn: secretFile } }, /no proper role/],
    ['with a file outside its folder', { path: '../outside.json' }, /outside its folder/],
    ['with a link out of its folder', { path: 'link.json' }, /outside its folder/],
    ['with itself as a file', { path: '.' }, /outside its folder/],
  ])('%s is refused', (_, wrong, message) => {
    const parent = mkdtempSync(join(tmpdir(), 'assembly-'));
    const folder = join(parent, 'cdk.out');
    mkdirSync(folder);
    for (const name of ['../outside.json', 'inside.json']) writeFileSync(join(folder, name), '{}');
    symlinkSync(join(parent, 'outside.json'), join(folder, 'link.json'));
    const artifacts = {
      Assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } },
      Stack: {
        type: 'aws:cloudformation:stack',
        environment: 'aws://unknown-account/eu-central-1',
        dependencies: ['Assets'],
        properties: { ...properties, ...wrong.properties },
        ...wrong.stack,
      },
    };
    const source = { path: wrong.path ?? 'inside.json', packaging: 'file' };
    const files = { abc: { source, destinations: { here: { ...destination, ...wrong.destination } } } };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts }));
    writeFileSync(join(folder, 'assets.json'), JSON.stringify({ files, ...wrong.assets }));

    expect(() => readAssembly(folder, caller)).toThrow(message);
  });
});

/** Reads an archive by its central directory, as Lambda does. */
const unzip = (archive: Buffer): ReadonlyMap<string, { readonly content: Buffer; readonly mode: number }> => {
  const end = archive.length - 22;
  expect(archive.readUInt32LE(end)).toBe(0x0605_4b50);
  const files = new Map<string, { content: Buffer; mode: number }>();
  let at = archive.readUInt32LE(end + 16);
  while (at < end) {
    expect(archive.readUInt32LE(at)).toBe(0x0201_4b50);
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const from = archive.readUInt32LE(at + 42) + 30 + nameLength;
    const content = inflateRawSync(archive.subarray(from, from + archive.readUInt32LE(at + 20)));
    expect({ size: content.length, crc: crc32(content) }).toEqual({
      size: archive.readUInt32LE(at + 24),
      crc: archive.readUInt32LE(at + 16),
    });
    files.set(name, { content, mode: archive.readUInt32LE(at + 38) >>> 16 });
    at += 46 + nameLength;
  }
  expect(files.size).toBe(archive.readUInt16LE(end + 10));
  return files;
};

test('an archive has every file of a folder, readable for all, and is the same whenever it is made', () => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  mkdirSync(join(folder, 'deep/er'), { recursive: true });
  const contents = { 'index.cjs': 'x'.repeat(10_000), 'deep/er/é.bin': '', 'deep/a.js': 'a' };
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const archive = zipFolder(folder);

  const files = unzip(archive);
  expect(Object.fromEntries([...files].map(([name, { content }]) => [name, content.toString()]))).toEqual(contents);
  expect([...files.values()].map(({ mode }) => mode)).toEqual([0o100644, 0o100644, 0o100644]);
  expect(archive.length).toBeLessThan(1_000);
  utimesSync(join(folder, 'index.cjs'), 1, 1);
  expect(zipFolder(folder).equals(archive)).toBe(true);
});

/** An `aws` that writes down what it was asked, as whom, and which archive it got; it finds both stacks deployed. */
const playedAws = `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
const args = process.argv.slice(2);
const value = (name) => args[args.indexOf(name) + 1];
const body = args.includes('--body') ? value('--body') : '';
const archive = body.endsWith('.zip') ? readFileSync(body, 'base64') : undefined;
appendFileSync(process.env.CALLS, JSON.stringify({ as: process.env.AWS_ACCESS_KEY_ID, args, archive }) + '\\n');
const Outputs = [{ OutputKey: 'ApiUrl', OutputValue: 'https://api.example/live/' }];
const answers = {
  'get-caller-identity': { Account: '${caller.account}', Arn: 'arn:aws:sts::${caller.account}:assumed-role/github/run' },
  'assume-role': { Credentials: { AccessKeyId: args[3], SecretAccessKey: 'secret', SessionToken: 'token' } },
  'describe-stacks': { Stacks: [{ StackStatus: 'UPDATE_COMPLETE', Outputs }] },
  'describe-change-set': { Status: 'CREATE_COMPLETE' },
};
if (args[1] === process.env.FAILS) {
  console.error('An error occurred (AccessDenied): not authorized');
  process.exit(254);
}
const answer = answers[args[1]];
if (answer !== undefined) console.log(JSON.stringify(answer));
`;
interface Call {
  readonly as: string;
  readonly args: readonly string[];
  readonly archive?: string;
}

describe('deploy-assembly', () => {
  const run = (fails = '', stacks: readonly string[] = []) => {
    const folder = mkdtempSync(join(tmpdir(), 'played-aws-'));
    writeFileSync(join(folder, 'aws'), playedAws);
    chmodSync(join(folder, 'aws'), 0o755);
    const outputs = join(folder, 'outputs.json');
    const script = join(root, 'infra/deploy/deploy-assembly.ts');
    const done = spawnSync(process.execPath, [script, directory, outputs, ...stacks], {
      encoding: 'utf8',
      env: {
        PATH: [folder, process.env['PATH']].join(delimiter),
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: 'github',
        GITHUB_RUN_ID: '170',
        CALLS: join(folder, 'calls'),
        FAILS: fails,
        TMPDIR: tmpdir(),
      },
    });
    const calls: readonly Call[] = readFileSync(join(folder, 'calls'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    return { ...done, calls, outputs };
  };

  test('uploads the files, then deploys, the tables before the service, each as its bootstrap role', () => {
    const { status, stderr, stdout, calls, outputs } = run();

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/Deployed: plangrep-cancellation-prod-stateful, plangrep-cancellation-prod-service\n$/);
    expect(Object.keys(JSON.parse(readFileSync(outputs, 'utf8')))).toHaveLength(2);
    expect(readFileSync(outputs, 'utf8')).toContain('"ApiUrl": "https://api.example/live/"');
    const uploads = calls.filter(({ args }) => args[1] === 'put-object');
    const [stateful, service] = readAssembly(directory, caller);
    expect(uploads).toHaveLength((stateful?.files.length ?? 0) + (service?.files.length ?? 0));
    for (const { as, args, archive } of uploads) {
      expect(as).toBe(roleOf('file-publishing'));
      expect(args).toContain('--expected-bucket-owner');
      expect(args).toContain(caller.account);
      if (archive !== undefined) expect([...unzip(Buffer.from(archive, 'base64')).keys()]).toContain('index.mjs');
    }
    expect(uploads.filter(({ archive }) => archive !== undefined).length).toBeGreaterThan(5);
    const executed = calls.filter(({ args }) => args[1] === 'execute-change-set');
    expect(executed.map(({ as, args }) => [as, args[3]])).toEqual([
      [roleOf('deploy'), stateful?.name],
      [roleOf('deploy'), service?.name],
    ]);
    const order = calls.map(({ args }) => args[1]);
    const assumed = calls.filter(({ args }) => args[1] === 'assume-role');
    for (const { args } of assumed) expect(args.slice(4, 6)).toEqual(['--role-session-name', 'github-run-170']);
    expect(order.lastIndexOf('put-object')).toBeLessThan(order.lastIndexOf('create-change-set'));
    for (const { args } of calls) expect(args.slice(-4)).toEqual(['--region', region, '--output', 'json']);
  });

  test('deploys the service alone for a rollback, and leaves the tables as they are', () => {
    const { status, calls, outputs } = run('', ['Service']);
    const { stdout: nothing, status: refused } = run('', ['Servce']);

    expect(status).toBe(0);
    expect(Object.keys(JSON.parse(readFileSync(outputs, 'utf8')))).toEqual(['plangrep-cancellation-prod-service']);
    expect(JSON.stringify(calls)).not.toContain('prod-stateful');
    expect({ nothing, refused }).toEqual({ nothing: '', refused: 2 });
  });

  test('stops with what the AWS CLI said, and deploys nothing more', () => {
    const { status, stderr, calls, outputs } = run('create-change-set');

    expect(status).toBe(1);
    expect(stderr).toBe('aws cloudformation create-change-set: An error occurred (AccessDenied): not authorized\n');
    expect(calls.some(({ args }) => args[1] === 'execute-change-set')).toBe(false);
    expect(existsSync(outputs)).toBe(false);
  });
});
