import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Aws } from './aws-cli.ts';
import type { AssetFile } from './read-assembly.ts';
import { zipFolder } from './zip-folder.ts';

/**
 * Uploads files to the bootstrap bucket, also those that are there already: the name is a hash of the content, so that
 * nothing changes but what another hand may have put there. S3 refuses when the bucket is another account's.
 * @param awsAs the AWS CLI as a role
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
export function publishFiles(
  files: readonly AssetFile[],
  account: string,
  awsAs: (role: string, region: string) => Aws,
): void {
  const temporary = mkdtempSync(join(tmpdir(), 'assets-'));
  try {
    for (const file of files) {
      const body = file.packaging === 'zip' ? join(temporary, file.key) : file.path;
      if (file.packaging === 'zip') writeFileSync(body, zipFolder(file.path));
      const target = ['--bucket', file.bucket, '--key', file.key, '--expected-bucket-owner', account];
      awsAs(file.publishingRole, file.region)(['s3api', 'put-object', ...target, '--body', body]);
    }
  } finally {
    rmSync(temporary, { recursive: true });
  }
}
