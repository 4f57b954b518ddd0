import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, CfnKey, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { bucketStatements, keyStatements, sealAliasOf } from '../../blueprint/archive/archive-policies.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';

/**
 * The sealed archive's bucket, and the keys of its digests. Both stay when the stack is deleted. Their logical ids are written
 * out: a changed id means a new, empty bucket.
 */
export class ArchiveStores extends Construct {
  readonly bucket: IBucket;
  /** The one that signs. */
  readonly sealKey: Key;

  constructor(scope: Construct, id: string, environment: Environment) {
    super(scope, id);
    const { bucketName, keys } = environment.archive;
    this.bucket =
      bucketName === undefined
        ? this.addBucket(environment)
        : Bucket.fromBucketName(this, 'BucketElsewhere', bucketName);
    const made = Array.from({ length: keys }, (_, index) => this.addKey(index + 1, environment.name));
    const newest = made.at(-1);
    if (newest === undefined) throw new Error('the archive has no key');
    this.sealKey = newest;
    const alias = new Alias(this, 'Alias', { aliasName: sealAliasOf(environment.name), targetKey: newest });
    // The name is fixed: an alias that a deleted stack left behind would block the next one.
    alias.applyRemovalPolicy(RemovalPolicy.DESTROY);
  }

  /**
   * Encrypted by S3's own keys: the objects hold no text of a partner, and a key that is lost would take the evidence with it.
   * Nothing moves to a cheaper class: those bill an object as 128 KB at least, and most here have a few.
   */
  private addBucket({ name, archive, removalPolicy }: Environment): Bucket {
    const { lockedDays, lock } = archive;
    const retention = Duration.days(lockedDays);
    const bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        lock === 'compliance' ? ObjectLockRetention.compliance(retention) : ObjectLockRetention.governance(retention),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      // A bucket with locked objects cannot be deleted. In dev, what is left behind empties itself.
      removalPolicy: RemovalPolicy.RETAIN,
      ...(removalPolicy === 'destroy' && {
        lifecycleRules: [
          {
            expiration: Duration.days(lockedDays + 1),
            noncurrentVersionExpiration: Duration.days(1),
            abortIncompleteMultipartUploadAfter: Duration.days(1),
          },
        ],
      }),
    });
    const resource = bucket.node.defaultChild;
    if (resource instanceof CfnBucket) resource.overrideLogicalId('ArchiveBucket');
    for (const statement of bucketStatements(bucket.bucketArn, name, Stack.of(this))) {
      bucket.addToResourcePolicy(PolicyStatement.fromJson(statement));
    }
    return bucket;
  }

  private addKey(number: number, environment: string): Key {
    const statements = keyStatements(environment, Stack.of(this)).map((one) => PolicyStatement.fromJson(one));
    const key = new Key(this, `Key${number}`, {
      description: `Signs the digests of the archive of Plangrep job cancellations, ${environment}: key ${number}`,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      policy: new PolicyDocument({ minimize: false, statements }),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const resource = key.node.defaultChild;
    if (resource instanceof CfnKey) resource.overrideLogicalId(`SealKey${number}`);
    return key;
  }
}
