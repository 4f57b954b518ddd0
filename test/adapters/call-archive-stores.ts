import { createHash } from 'node:crypto';
import { GetPublicKeyCommand, SignCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { createKmsClient, createS3Client } from '../../functions/adapters/aws-clients.ts';

/**
 * Does what the archive's functions do with S3 and KMS: puts an object once and a second time, lists and reads it, signs its
 * digest and gets the public key. A program too: it prints what it got, as JSON.
 */
export async function callArchiveStores(Bucket: string, KeyId: string) {
  const [s3, kms] = [createS3Client(), createKmsClient()];
  const [Key, Body] = ['records/2026/ü.ndjson', '{"seq":1}\n'];
  const digest = createHash('sha256').update(Body).digest();
  const put = new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*', ChecksumSHA256: digest.toString('base64') });
  const wrong = new PutObjectCommand({ Bucket, Key: 'records/wrong', Body: 'else', ChecksumSHA256: sha256('another') });
  const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));

  const { ChecksumSHA256: checksum } = await s3.send(put);
  const refused = {
    again: await s3.send(put).catch(nameOf),
    wrong: await s3.send(wrong).catch(nameOf),
    missing: await s3.send(new GetObjectCommand({ Bucket, Key: 'records/missing' })).catch(nameOf),
  };
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'records/' }));
  const read = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  const how = { KeyId, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' } as const;
  const { Signature = [] } = await kms.send(new SignCommand({ ...how, Message: digest }));
  const { PublicKey = [] } = await kms.send(new GetPublicKeyCommand({ KeyId }));
  return {
    checksum,
    refused,
    keys: Contents.map((object) => object.Key),
    body: await read.Body?.transformToString(),
    text: Body,
    signature: Buffer.from(Signature).toString('base64'),
    publicKey: Buffer.from(PublicKey).toString('base64'),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

const [bucket, keyId] = process.argv.slice(2);
if (process.env['IS_PROGRAM'] === 'yes' && bucket !== undefined && keyId !== undefined) {
  callArchiveStores(bucket, keyId).then((got) => console.log(JSON.stringify(got)), console.error);
}
