import type { Plugin } from 'esbuild';

interface LeftOut {
  /** The end of its path under `node_modules`. */
  readonly file: string;
  /** What stands in its place. */
  readonly source: string;
}

/**
 * What the AWS SDK brings along and these functions never run. The figures are `request-cancellation`'s, each
 * taken alone (docs/performance.md). A release of the SDK that has no such file, or does not load it any more, fails the build.
 */
export const leftOut: readonly LeftOut[] = [
  {
    // The chain's other providers (profiles, SSO, STS, instance metadata): a Lambda's credentials are in its environment
    // and nowhere else. 136 KB.
    file: '@aws-sdk/credential-provider-node/dist-es/index.js',
    source: `import { fromEnv } from '@aws-sdk/credential-provider-env';
             import { memoize } from '@smithy/core/config';
             export const defaultProvider = (init) => memoize(fromEnv(init));`,
  },
  {
    // Loaded once an operation streams events: none of DynamoDB's or Secrets Manager's does. 16 KB.
    file: '@smithy/core/dist-es/submodules/event-streams/index.js',
    source: `throw new Error('event streams are left out of this bundle');`,
  },
  {
    // Remembers endpoints that DescribeEndpoints found, which only an explicit setting switches on. 8 KB.
    file: '@aws-sdk/endpoint-cache/dist-es/index.js',
    source: 'export class EndpointCache {}',
  },
  {
    // In its place stands functions/adapters/sha256.ts, by each client's settings. 4 KB.
    file: '@smithy/core/dist-es/submodules/checksum/sha256/Sha256Node.js',
    source: 'export class Sha256Node {}',
  },
  {
    // Reads ~/.aws/config and ~/.aws/credentials, which no Lambda has, for each setting that is not in the environment.
    // 3 ms of a start.
    file: '@smithy/core/dist-es/submodules/config/shared-ini-file-loader/readFile.js',
    source: `export const [filePromises, fileIntercept] = [{}, {}];
             export const readFile = async () => { throw new Error('a Lambda has no profiles'); };`,
  },
];

/** Puts the `source` of each of {@link leftOut} in its place. */
export const leaveOut: Plugin = {
  name: 'leave-out',
  setup(build) {
    const unmet = new Set(leftOut);
    for (const part of leftOut) {
      build.onLoad({ filter: new RegExp(`/node_modules/${RegExp.escape(part.file)}$`) }, () => {
        unmet.delete(part);
        return { contents: part.source };
      });
    }
    build.onEnd(() => ({
      errors: [...unmet].map(({ file }) => ({
        text: `${file} is not loaded any more: see infra/build/leave-out.ts`,
      })),
    }));
  },
};
