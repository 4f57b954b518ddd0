import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

interface ReplacedFile {
  /** The end of its path under `node_modules`. */
  readonly file: string;
  /** The source that is bundled instead. */
  readonly source: string;
}

/**
 * What the AWS SDK brings along and these functions never run. The figures are `request-cancellation`'s, each measured
 * alone (docs/performance.md, "What the build does for the start").
 */
const replacedFiles: readonly ReplacedFile[] = [
  {
    // The other credential providers (profiles, SSO, STS, instance metadata): Lambda puts the credentials into the
    // environment. 136 KB.
    file: '@aws-sdk/credential-provider-node/dist-es/index.js',
    source: `import { fromEnv } from '@aws-sdk/credential-provider-env';
             import { memoize } from '@smithy/core/config';
             export const defaultProvider = (init) => memoize(fromEnv(init));`,
  },
  {
    // Used by operations that stream events: DynamoDB and Secrets Manager have none. 16 KB.
    file: '@smithy/core/dist-es/submodules/event-streams/index.js',
    source: `throw new Error('event streams are left out of this bundle');`,
  },
  {
    // Remembers what DescribeEndpoints answered, which only an explicit setting switches on. 8 KB.
    file: '@aws-sdk/endpoint-cache/dist-es/index.js',
    source: 'export class EndpointCache {}',
  },
  {
    // The fallback for a runtime without `node:crypto`. 3 KB.
    file: '@smithy/core/dist-es/submodules/checksum/sha256/Sha256Js.js',
    source: 'export class Sha256Js {}',
  },
  {
    // Takes CRC-32 from zlib, which Node then loads. Only S3's client has it, for a body that comes without a checksum: the
    // archive's objects bring their SHA-256.
    file: '@smithy/core/dist-es/submodules/checksum/crc32/Crc32Node.js',
    source: `export { Crc32Js as Crc32Node } from './Crc32Js';`,
  },
  {
    // Reads ~/.aws/config and ~/.aws/credentials for each setting that the environment lacks; Lambda has neither file.
    // 3 ms of a start.
    file: '@smithy/core/dist-es/submodules/config/shared-ini-file-loader/readFile.js',
    source: `export const [filePromises, fileIntercept] = [{}, {}];
             export const readFile = async () => { throw new Error('a Lambda has no profiles'); };`,
  },
];

/**
 * S3's client takes two functions of the event streams when it is loaded, for an operation that no function here calls. Other
 * clients import them only when such an operation answers.
 */
const eventStreams = {
  path: '@smithy/core/event-streams',
  source: `export const eventStreamSerdeProvider = () => undefined;
           export const resolveEventStreamSerdeConfig = (config) => config;`,
};

/** Of its `package.json`, which is bundled whole, a client sends the version. 4 KB. */
const packageInfo = /\/node_modules\/@aws-sdk\/client-[a-z0-9-]+\/package\.json$/;

/** The SDK calls only `randomUUID` of the global `crypto`, and that global loads all of Web Crypto: 2 ms of a start. */
const nodeCrypto = { path: 'node-crypto', source: `export * as crypto from 'node:crypto';` };

/**
 * Leaves out of a bundle what the AWS SDK has for other uses: whole files, and its checks for two globals of browsers,
 * which Node loads when first asked for them (3 ms). An SDK release that no longer loads a replaced file fails the build.
 */
export const trimSdk: Plugin = {
  name: 'trim-sdk',
  setup(build) {
    const { initialOptions } = build;
    initialOptions.define = { ...initialOptions.define, ReadableStream: 'undefined', Blob: 'undefined' };
    initialOptions.inject = [...(initialOptions.inject ?? []), nodeCrypto.path];
    for (const { path, source } of [nodeCrypto, eventStreams]) {
      const exactly = new RegExp(`^${RegExp.escape(path)}$`);
      build.onResolve({ filter: exactly }, ({ kind }) =>
        kind === 'dynamic-import' ? undefined : { path, namespace: 'trim-sdk' },
      );
      build.onLoad({ filter: exactly, namespace: 'trim-sdk' }, () => ({ contents: source }));
    }

    build.onLoad({ filter: packageInfo }, async ({ path }) => {
      const { version }: { readonly version?: unknown } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });

    const notLoaded = new Set(replacedFiles);
    for (const replaced of replacedFiles) {
      build.onLoad({ filter: new RegExp(`/node_modules/${RegExp.escape(replaced.file)}$`) }, () => {
        notLoaded.delete(replaced);
        return { contents: replaced.source };
      });
    }
    build.onEnd(() => ({
      errors: [...notLoaded].map(({ file }) => ({
        text: `The AWS SDK no longer loads ${file}: update infra/build/trim-sdk.ts`,
      })),
    }));
  },
};
