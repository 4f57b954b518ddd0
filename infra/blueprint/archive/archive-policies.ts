import { archiveFolders } from './archive-folders.ts';
import type { Conditions } from '../access/permissions.ts';
import { permissionsOf, type RoleName, roleNameOf } from '../access/roles.ts';
import { deploymentRoleOf } from '../access/table-policies.ts';

/** Where the roles are. In a stack both are tokens. */
export interface ArchivePlace {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

/** A statement of the bucket's or the key's own policy, as IAM writes it. */
interface ArchiveStatement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: { readonly AWS: string };
  readonly Action: readonly string[];
  readonly Resource?: string;
  readonly NotResource?: readonly string[];
  readonly Condition?: Conditions;
}

/** The alias of the key that signs the digests. */
export function sealAliasOf(environment: string): string {
  return `alias/plangrep-cancellation-${environment}-seal`;
}

const SETTINGS_SID = 'NoChangeOfSettingsByOthers';

const writers: Readonly<Record<keyof typeof archiveFolders, RoleName>> = {
  ArchiveRecords: 'archive-records',
  ArchiveDigests: 'seal-archive',
  ArchiveKeys: 'seal-archive',
};

/**
 * What no role overrides, an administrator's neither: each folder has one writer, which writes every name once, and no
 * principal deletes an object or changes its lock. Lifecycle rules are not bound by a policy; Object Lock binds them.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 */
export function bucketStatements(
  bucketArn: string,
  environment: string,
  place: ArchivePlace,
): readonly ArchiveStatement[] {
  const everything = `${bucketArn}/*`;
  const folders = Object.entries(archiveFolders).map(([part, folder]) => ({
    part,
    objects: `${bucketArn}/${folder}*`,
  }));
  const roleOf = (part: string): string => {
    const writer = Object.entries(writers).find(([name]) => name === part)?.[1];
    return writer === undefined ? '' : arnOf(place, roleNameOf(environment, writer));
  };
  return [
    ...folders.map(({ part, objects }) => ({
      ...deny(`Only${part}Writer`, ['s3:PutObject'], exceptOf([roleOf(part)])),
      Resource: objects,
    })),
    { ...deny('NothingBesideTheFolders', ['s3:PutObject']), NotResource: folders.map(({ objects }) => objects) },
    {
      ...deny('EveryNameOnce', ['s3:PutObject'], { Null: { 's3:if-none-match': ['true'] } }),
      Resource: everything,
    },
    {
      ...deny('NoDeleteAndNoOtherLock', [
        's3:BypassGovernanceRetention',
        's3:DeleteObject',
        's3:DeleteObjectVersion',
        's3:PutObjectLegalHold',
        's3:PutObjectRetention',
      ]),
      Resource: everything,
    },
    // It writes objects and delete markers without `s3:PutObject` and `s3:DeleteObject`.
    { ...deny('NothingByReplication', ['s3:ReplicateDelete', 's3:ReplicateObject']), Resource: everything },
    {
      ...deny(
        SETTINGS_SID,
        [
          's3:DeleteBucket',
          's3:DeleteBucketPolicy',
          's3:PutBucketObjectLockConfiguration',
          's3:PutBucketPolicy',
          's3:PutBucketVersioning',
          's3:PutLifecycleConfiguration',
          's3:PutReplicationConfiguration',
        ],
        exceptOf([arnOf(place, deploymentRoleOf(place))]),
      ),
      Resource: bucketArn,
    },
  ];
}

/**
 * The policy of a bucket in another account, as JSON: there the roles also need to be allowed what they may do. Its settings
 * are left to that account: one that denied them to it would lock it out, so S3 does not take it.
 * docs/deploy.md, "An archive in another account", prints it.
 * @param place of the service, not of the bucket
 */
export function policyElsewhere(bucketName: string, environment: string, place: ArchivePlace): string {
  const bucketArn = `arn:${place.partition}:s3:::${bucketName}`;
  const arns: Readonly<Record<string, string>> = {
    ArchiveBucket: bucketArn,
    ...Object.fromEntries(Object.entries(archiveFolders).map(([part, folder]) => [part, `${bucketArn}/${folder}*`])),
  };
  const allowed = (['archive-records', 'seal-archive'] as const).flatMap((role) =>
    permissionsOf(role).flatMap(({ actions, resource }) =>
      arns[resource] === undefined
        ? []
        : [
            {
              Effect: 'Allow',
              Principal: { AWS: arnOf(place, roleNameOf(environment, role)) },
              Action: actions,
              Resource: arns[resource],
            },
          ],
    ),
  );
  const notSecure = {
    ...deny('OnlyOverTls', ['s3:*'], { Bool: { 'aws:SecureTransport': ['false'] } }),
    Resource: `${bucketArn}/*`,
  };
  const denied = bucketStatements(bucketArn, environment, place).filter(({ Sid }) => Sid !== SETTINGS_SID);
  const Statement = [...allowed, notSecure, ...denied];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/**
 * Only the sealer signs, and only digests. Everyone in the account may read the public key. Only a deployment may disable or
 * delete the key, or change this policy.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */
export function keyStatements(environment: string, place: ArchivePlace): readonly ArchiveStatement[] {
  const sealer = arnOf(place, roleNameOf(environment, 'seal-archive'));
  const ofKey = (statement: ArchiveStatement): ArchiveStatement => ({ ...statement, Resource: '*' });
  return [
    ofKey({
      Sid: 'TheAccountAdministers',
      Effect: 'Allow',
      Principal: { AWS: `arn:${place.partition}:iam::${place.account}:root` },
      Action: ['kms:*'],
    }),
    ofKey({
      Sid: 'EveryoneVerifies',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['kms:DescribeKey', 'kms:GetPublicKey', 'kms:Verify'],
      Condition: { StringEquals: { 'kms:CallerAccount': [place.account] } },
    }),
    ofKey(deny('OnlyTheSealerSigns', ['kms:Sign'], exceptOf([sealer]))),
    ofKey(deny('OnlyDigestsAreSigned', ['kms:Sign'], { StringNotEquals: { 'kms:MessageType': ['DIGEST'] } })),
    ofKey(
      deny(
        SETTINGS_SID,
        ['kms:DisableKey', 'kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion', 'kms:UpdateAlias', 'kms:DeleteAlias'],
        exceptOf([arnOf(place, deploymentRoleOf(place))]),
      ),
    ),
  ];
}

function deny(Sid: string, Action: readonly string[], Condition?: Conditions): ArchiveStatement {
  const statement = { Sid, Effect: 'Deny', Principal: { AWS: '*' }, Action } as const;
  return { ...statement, ...(Condition !== undefined && { Condition }) };
}

function exceptOf(arns: readonly string[]): Conditions {
  return { ArnNotEquals: { 'aws:PrincipalArn': arns } };
}

function arnOf({ partition, account }: ArchivePlace, role: string): string {
  return `arn:${partition}:iam::${account}:role/${role}`;
}
