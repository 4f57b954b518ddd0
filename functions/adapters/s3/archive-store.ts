import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { ArchiveStore, StoredObject } from '../../core/archive/archive-store.ts';
import { DependencyUnavailable } from '../../core/report.ts';

/** A put that meets another put of the same name is to be repeated. */
const PUT_TRIES = 3;

/**
 * The archive's bucket.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function createArchiveStore(client: S3Client, bucket: string): ArchiveStore {
  async function* pages(Prefix: string, Delimiter?: string): AsyncGenerator<ListObjectsV2CommandOutput> {
    for (let token: string | undefined, isLast = false; !isLast; ) {
      const list = new ListObjectsV2Command({ Bucket: bucket, Prefix, Delimiter, ContinuationToken: token });
      const page = await ask(() => client.send(list));
      yield page;
      token = page.NextContinuationToken;
      isLast = token === undefined;
    }
  }

  return {
    bucket,
    async days(prefix) {
      const days: string[] = [];
      for await (const { CommonPrefixes = [] } of pages(prefix, '/')) {
        days.push(...CommonPrefixes.flatMap(({ Prefix = '' }) => /\/day=(\d{4}-\d\d-\d\d)\/$/.exec(Prefix)?.[1] ?? []));
      }
      return days;
    },
    async *list(prefix) {
      for await (const { Contents = [] } of pages(prefix)) {
        yield* Contents.map(
          ({ Key = '', LastModified }): StoredObject => ({ name: Key, writtenMs: LastModified?.getTime() ?? 0 }),
        );
      }
    },
    async read(name) {
      const found = await ask(async () => {
        try {
          return await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }
      });
      return found && partsOf(found.Body);
    },
    put: (name, text) => ask(() => putOnce(client, { Bucket: bucket, Key: name }, text)),
  };
}

async function putOnce(
  client: S3Client,
  place: { readonly Bucket: string; readonly Key: string },
  text: string,
): Promise<'written' | 'exists'> {
  const put = new PutObjectCommand({
    ...place,
    Body: text,
    ContentType: 'text/plain; charset=utf-8',
    IfNoneMatch: '*',
    ChecksumSHA256: createHash('sha256').update(text).digest('base64'),
  });
  for (let tries = 1; ; tries += 1) {
    try {
      await client.send(put);
      return 'written';
    } catch (error) {
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      if (status === 412) return 'exists';
      if (status !== 409 || tries === PUT_TRIES) throw error;
    }
  }
}

/** A body that breaks off is the archive's failure too. */
async function* partsOf(body: GetObjectCommandOutput['Body']): AsyncGenerator<Uint8Array> {
  try {
    if (!(body instanceof Readable)) throw new TypeError('The SDK gives another kind of body');
    yield* body;
  } catch (error) {
    throw new DependencyUnavailable('archive', error);
  }
}

async function ask<Answer>(send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    throw new DependencyUnavailable('archive', error);
  }
}
